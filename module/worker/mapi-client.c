/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "lib-event.h"
#include "str-sanitize.h"
#include "mail-user.h"

#include "mapi-settings.h"
#include "mapi-http.h"
#include "mapi-aux.h"
#include "mapi-rpcext.h"
#include "rop-dispatch.h"
#include "mapi-client.h"

/* Connect's answer: how often and how a client tries again if the network
   fails [ms], [MS-OXCRPC] 3.1.4.1 */
#define MAPI_POLLS_MAX_MSECS (60 * 1000)
#define MAPI_RETRY_COUNT 6
#define MAPI_RETRY_DELAY_MSECS (10 * 1000)
/* how long the client may go by what AUX_CLIENT_CONTROL says: a week */
#define MAPI_CLIENT_CONTROL_EXPIRY_MSECS (7 * 24 * 3600 * 1000U)

/* Flags of Connect */
#define MAPI_CONNECT_USE_PRIVILEGE_ADMIN 0x00000001

/* Keeps str for as long as there's the user, once for all Connects. */
static void
mapi_client_keep(const struct mapi_compat_user *user, const char **keep,
		 const char *str)
{
	if (*keep == NULL || strcmp(*keep, str) != 0)
		*keep = p_strdup(user->mail_user->pool, str);
}

/* Who the user is: what has been configured for her, else what the directory
   says, else what the username tells. */
static void
mapi_client_identify(const struct mapi_compat_user *user,
		     struct mapi_directory *directory,
		     struct mapi_store_settings *store_set)
{
	const struct mapi_settings *set = user->set;
	const char *username = user->mail_user->username;
	const char *name = set->mapi_display_name;
	const char *address = set->mapi_email_address;
	struct mapi_directory_question question = {
		.key = MAPI_DIRECTORY_USERNAME, .value = username,
	};

	directory->lookup(directory, &question, 1);
	if (question.object != NULL) {
		if (*name == '\0')
			name = question.object->name;
		/* the default is no more than a guess */
		if (question.object->address != NULL &&
		    (*address == '\0' || strcmp(address, username) == 0))
			address = question.object->address;
	}
	/* Clients can't cope with an empty one. */
	if (*name == '\0')
		name = t_strcut(username, '@');
	if (*name == '\0')
		name = username;
	mapi_client_keep(user, &store_set->display_name, name);
	mapi_client_keep(user, &store_set->email_address, address);
}

void mapi_client_store_settings(const struct mapi_compat_user *user,
				struct mapi_directory *directory,
				struct mapi_store_settings *store_set)
{
	const struct mapi_settings *set = user->set;

	store_set->companion_root = set->mapi_companion_mailbox;
	store_set->organization = set->mapi_organization;
	mapi_client_identify(user, directory, store_set);
	store_set->directory = directory;
	store_set->submission = user->submission;
	store_set->send_as = set->mapi_send_as;
	store_set->send_on_behalf = set->mapi_send_on_behalf;
	store_set->receipts = strcmp(set->mapi_read_receipts, "no") == 0 ?
		MAPI_RECEIPTS_NONE :
		strcmp(set->mapi_read_receipts, "yes") == 0 ?
		MAPI_RECEIPTS_ALL : MAPI_RECEIPTS_TO_SENDER;
	store_set->deleted_retention = set->mapi_deleted_retention;
}

void mapi_client_set_delegate(struct mapi_client *client,
			      struct mapi_store_settings *store_set)
{
	const struct mapi_store_settings *own = &client->store_set;

	store_set->submission = own->submission;
	store_set->send_as = own->send_as;
	store_set->send_on_behalf = own->send_on_behalf;
	/* the owner isn't the one who has read it */
	store_set->receipts = MAPI_RECEIPTS_NONE;
	store_set->delegate = client->user.mail_user->username;
	store_set->delegate_name = own->display_name;
	store_set->delegate_address = own->email_address;
}

void mapi_client_init(struct mapi_client *client,
		      const struct mapi_compat_user *user,
		      struct mapi_directory *directory,
		      struct mapi_deferrals *deferrals, struct event *event)
{
	i_zero(client);
	client->user = *user;
	client->directory = directory;
	client->deferrals = deferrals;
	mapi_client_other_users_init(&client->other_users, client);
	client->event = event;
	event_ref(event);
}

void mapi_client_deinit(struct mapi_client *client)
{
	if (client->session != NULL)
		mapi_session_free(&client->session);
	mapi_compat_user_close(&client->user);
	event_unref(&client->event);
}

/* [MS-OXCRPC] 3.1.4.1.2 */
static bool
mapi_client_push_aux(TALLOC_CTX *mem, struct mapihttp_connect_response *resp)
{
	struct mapi_push blocks, aux;

	mapi_push_init(&blocks, mem, 0);
	/* There are no public folders. */
	(void)mapi_push_aux_exorginfo(&blocks, 0);
	(void)mapi_push_aux_client_control(&blocks,
		MAPI_AUX_ENABLE_COMPRESSION | MAPI_AUX_ENABLE_HTTP_TUNNELING,
		MAPI_CLIENT_CONTROL_EXPIRY_MSECS);
	(void)mapi_push_aux_endpoint_capabilities(&blocks,
						  MAPI_AUX_SINGLE_ENDPOINT);
	mapi_push_init(&aux, mem, 0);
	if (!mapi_push_ok(&blocks) ||
	    !mapi_push_rpc_ext(&aux, blocks.data, blocks.size, RPC_EXT_LAST))
		return FALSE;
	resp->auxiliary_buffer = aux.data;
	resp->auxiliary_buffer_size = aux.size;
	return TRUE;
}

/* [MS-OXCRPC] 3.1.4.1 has the errors. */
static enum mapi_error
mapi_client_connect_check(struct mapi_client *client,
			  const struct mapi_store_settings *set,
			  const struct mapihttp_connect_request *req)
{
	if (*req->user_dn == '\0')
		return EC_ACCESS_DENIED;
	if ((req->flags & MAPI_CONNECT_USE_PRIVILEGE_ADMIN) != 0)
		return EC_LOGIN_PERM;
	return mapi_session_check_dn(set, client->user.mail_user->username,
				     req->user_dn);
}

static enum mapi_error
mapi_client_connect(struct mapi_client *client, const void *_req,
		    TALLOC_CTX *mem, void *_resp)
{
	const struct mapihttp_connect_request *req = _req;
	struct mapihttp_connect_response *resp = _resp;
	const struct mapi_settings *mapi_set = client->user.set;
	struct mapi_session_settings set;
	enum mapi_error ret;

	i_zero(&set);
	mapi_client_store_settings(&client->user, client->directory,
				   &client->store_set);
	client->store_set.deferrals = client->deferrals;
	set.store = client->store_set;
	if (mapi_set->mapi_shared_mailboxes)
		set.other_users = &client->other_users.users;
	set.max_open_objects = mapi_set->mapi_max_open_objects;
	set.code_page = req->default_code_page;
	set.locale_sort = req->lcid_sort;
	set.locale_string = req->lcid_string;

	resp->dn_prefix = "";
	resp->display_name = set.store.display_name;
	ret = mapi_client_connect_check(client, &set.store, req);
	if (ret != EC_NONE) {
		e_info(client->event, "Connect as %s refused: %s",
		       str_sanitize(req->user_dn, 256), mapi_error_name(ret));
		return ret;
	}

	if (client->session != NULL)
		mapi_session_free(&client->session);
	client->session = mapi_session_create(NULL, client->user.mail_user,
					      &set, client->event);

	resp->polls_max = MAPI_POLLS_MAX_MSECS;
	resp->retry_count = MAPI_RETRY_COUNT;
	resp->retry_delay = MAPI_RETRY_DELAY_MSECS;
	if (!mapi_client_push_aux(mem, resp))
		return EC_MEMORY;
	return EC_NONE;
}

static enum mapi_error
mapi_client_execute(struct mapi_client *client, const void *_req,
		    TALLOC_CTX *mem, void *_resp)
{
	const struct mapihttp_execute_request *req = _req;
	struct mapihttp_execute_response *resp = _resp;
	struct rop_execute_request execute;
	struct rop_execute_response result;
	enum mapi_error ret;

	i_zero(&execute);
	execute.flags = req->flags;
	execute.rop_buffer = req->rop_buffer;
	execute.rop_buffer_size = req->rop_buffer_size;
	execute.max_rop_out = req->max_rop_out;
	ret = rop_dispatch_execute(client->session, mem, &execute, &result);
	resp->rop_buffer = result.rop_buffer;
	resp->rop_buffer_size = result.rop_buffer_size;
	return ret;
}

static enum mapi_error
mapi_client_disconnect(struct mapi_client *client,
		       const void *_req ATTR_UNUSED,
		       TALLOC_CTX *mem ATTR_UNUSED, void *_resp ATTR_UNUSED)
{
	mapi_session_free(&client->session);
	return EC_NONE;
}

static const struct mapi_client_command {
	const char *request_type;
	/* a Connect must have been before */
	bool need_session;
	/* Returns the ErrorCode of the response. */
	enum mapi_error (*func)(struct mapi_client *client, const void *req,
				TALLOC_CTX *mem, void *resp);
	size_t error_code_offset;
	bool disconnects;
} mapi_client_commands[] = {
	{ "Connect", FALSE, mapi_client_connect,
	  offsetof(struct mapihttp_connect_response, error_code), FALSE },
	{ "Execute", TRUE, mapi_client_execute,
	  offsetof(struct mapihttp_execute_response, error_code), FALSE },
	{ "Disconnect", TRUE, mapi_client_disconnect,
	  offsetof(struct mapihttp_disconnect_response, error_code), TRUE },
};

static const struct mapi_client_command *
mapi_client_command_find(const char *request_type)
{
	for (unsigned int i = 0; i < N_ELEMENTS(mapi_client_commands); i++) {
		if (strcasecmp(mapi_client_commands[i].request_type,
			       request_type) == 0)
			return &mapi_client_commands[i];
	}
	return NULL;
}

static void
mapi_client_respond(const struct mapihttp_codec *codec, const void *resp,
		    TALLOC_CTX *mem, struct mapi_client_response *response_r)
{
	struct mapi_push push;

	mapi_push_init(&push, mem, 0);
	if (mapihttp_encode_response(&push, codec, resp) != EC_NONE) {
		response_r->code = MAPI_RESPONSE_UNKNOWN_FAILURE;
		return;
	}
	response_r->body = push.data;
	response_r->body_size = push.size;
}

void mapi_client_request(struct mapi_client *client, const char *request_type,
			 const uint8_t *body, size_t body_size,
			 TALLOC_CTX *mem,
			 struct mapi_client_response *response_r)
{
	const struct mapi_client_command *cmd;
	const struct mapihttp_codec *codec;
	enum mapi_error error;
	void *req, *resp;

	i_zero(response_r);
	if (strcasecmp(request_type, "PING") == 0) {
		/* it has no bodies; it has kept the session alive */
		if (client->session == NULL)
			response_r->code = MAPI_RESPONSE_CONTEXT_NOT_FOUND;
		return;
	}
	cmd = mapi_client_command_find(request_type);
	if (cmd == NULL) {
		response_r->code = MAPI_RESPONSE_INVALID_REQUEST_TYPE;
		return;
	}
	if (cmd->need_session && client->session == NULL) {
		response_r->code = MAPI_RESPONSE_CONTEXT_NOT_FOUND;
		return;
	}
	codec = mapihttp_codec_find(MAPIHTTP_EMSMDB, cmd->request_type);
	req = talloc_zero_size(mem, mapihttp_request_size(codec));
	resp = talloc_zero_size(mem, mapihttp_response_size(codec));
	if (req == NULL || resp == NULL)
		i_fatal_status(FATAL_OUTOFMEM, "talloc() failed");
	error = mapihttp_decode_request(mem, codec, body, body_size, req);
	if (error != EC_NONE) {
		response_r->code = MAPI_RESPONSE_INVALID_BODY;
		return;
	}
	error = cmd->func(client, req, mem, resp);
	*(uint32_t *)PTR_OFFSET(resp, cmd->error_code_offset) = error;
	response_r->disconnected = cmd->disconnects;
	mapi_client_respond(codec, resp, mem, response_r);
}

bool mapi_client_notification_wait_parse(TALLOC_CTX *mem, const uint8_t *body,
					 size_t body_size)
{
	struct mapihttp_notification_wait_request req;

	return mapihttp_decode_request(mem,
		mapihttp_codec_find(MAPIHTTP_EMSMDB, "NotificationWait"),
		body, body_size, &req) == EC_NONE;
}

void mapi_client_notification_wait_finish(bool event_pending, TALLOC_CTX *mem,
			struct mapi_client_response *response_r)
{
	struct mapihttp_notification_wait_response resp;

	i_zero(response_r);
	i_zero(&resp);
	resp.event_pending = event_pending ? 1 : 0;
	mapi_client_respond(
		mapihttp_codec_find(MAPIHTTP_EMSMDB, "NotificationWait"),
		&resp, mem, response_r);
}
