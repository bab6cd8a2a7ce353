/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* HTTP's Basic becomes the SASL mechanism PLAIN, Bearer becomes OAUTHBEARER or
   XOAUTH2, whichever auth offers.

   Outlook sends the password of Basic in the code page of its Windows, and
   nothing tells which that is. So it is tried as it is if it is valid UTF-8,
   and if that doesn't match and it isn't ASCII, converted from each of
   mapi_auth_charsets.

   Requests that come while there's no connection to auth (it is started or
   restarted just now) wait for a few seconds. */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "llist.h"
#include "str.h"
#include "base64.h"
#include "buffer.h"
#include "hostpid.h"
#include "randgen.h"
#include "sha2.h"
#include "unichar.h"
#include "charset-utf8.h"
#include "strescape.h"
#include "auth-client.h"
#include "http-server.h"
#include "http-request.h"
#include "login-auth.h"

#include <unistd.h>

#define LOGIN_AUTH_WAIT_MSECS (5 * 1000)

struct login_auth_request {
	struct login_auth_request *prev, *next;
	struct login_request *req;
	login_auth_callback_t *callback;

	/* NULL while waiting for the connection to auth */
	struct auth_client_request *request;
	struct timeout *to_wait;
	const char *mechanism;
	/* initial responses to try one after the other */
	ARRAY_TYPE(const_string) responses;
	unsigned int next_response;
};

static struct auth_client *auth_client;
static struct login_auth_request *login_auth_waiting;
static unsigned char login_auth_hash_key[LOGIN_AUTH_HASH_SIZE];
/* kept open, so that iconv keeps its tables, which a chroot doesn't have */
static ARRAY(struct charset_translation *) login_auth_charsets;

static void login_auth_next(struct login_auth_request *auth);

/* --- results ------------------------------------------------------------- */

static void login_auth_free(struct login_auth_request *auth)
{
	if (auth->to_wait != NULL) {
		timeout_remove(&auth->to_wait);
		DLLIST_REMOVE(&login_auth_waiting, auth);
	}
	auth->req->auth = NULL;
	i_free(auth);
}

static void
login_auth_finish(struct login_auth_request *auth,
		  const struct login_auth_reply *reply)
{
	struct login_request *req = auth->req;
	login_auth_callback_t *callback = auth->callback;

	login_auth_free(auth);
	callback(req, reply);
}

static void
login_auth_finish_result(struct login_auth_request *auth,
			 enum login_auth_result result)
{
	struct login_auth_reply reply;

	i_zero(&reply);
	reply.result = result;
	login_auth_finish(auth, &reply);
}

void login_auth_abort(struct login_auth_request **_auth)
{
	struct login_auth_request *auth = *_auth;

	if (auth == NULL)
		return;
	*_auth = NULL;
	if (auth->request != NULL)
		auth_client_request_abort(&auth->request, "Client is gone");
	login_auth_free(auth);
}

void login_auth_forget(unsigned int auth_id)
{
	if (auth_client_is_connected(auth_client))
		auth_client_send_cancel(auth_client, auth_id);
}

/* --- talking to auth ------------------------------------------------------- */

static void
login_auth_succeeded(struct login_auth_request *auth,
		     struct auth_client_request *request,
		     const char *const *args)
{
	struct login_auth_reply reply;
	bool proxy = FALSE;

	i_zero(&reply);
	reply.result = LOGIN_AUTH_OK;
	reply.mechanism = auth->mechanism;
	reply.auth_id = auth_client_request_get_id(request);
	reply.auth_pid = auth_client_request_get_server_pid(request);
	reply.auth_cookie = auth_client_request_get_cookie(request);
	for (; args != NULL && *args != NULL; args++) {
		if (str_begins(*args, "user="))
			reply.username = *args + 5;
		else if (strcmp(*args, "proxy") == 0 ||
			 str_begins(*args, "proxy="))
			proxy = TRUE;
	}
	if (reply.username == NULL || proxy) {
		e_error(auth->req->event, proxy ?
			"Proxying to another host isn't supported" :
			"auth sent no username");
		login_auth_forget(reply.auth_id);
		login_auth_finish_result(auth, LOGIN_AUTH_TEMPFAIL);
		return;
	}
	login_auth_finish(auth, &reply);
}

static void
login_auth_callback(struct auth_client_request *request,
		    enum auth_request_status status,
		    const char *data_base64 ATTR_UNUSED,
		    const char *const *args, void *context)
{
	struct login_auth_request *auth = context;
	bool temp = FALSE;

	if (status == AUTH_REQUEST_STATUS_CONTINUE) {
		/* OAUTHBEARER's error report: finish it as its client must */
		auth_client_request_continue(request, "AQ==");
		return;
	}
	auth->request = NULL;
	switch (status) {
	case AUTH_REQUEST_STATUS_OK:
		login_auth_succeeded(auth, request, args);
		return;
	case AUTH_REQUEST_STATUS_FAIL:
		for (; args != NULL && *args != NULL; args++) {
			if (strcmp(*args, "temp") == 0 ||
			    strcmp(*args, "code=temp_fail") == 0)
				temp = TRUE;
		}
		if (!temp) {
			login_auth_next(auth);
			return;
		}
		break;
	default:
		break;
	}
	login_auth_finish_result(auth, LOGIN_AUTH_TEMPFAIL);
}

/* Sends the next response that is to be tried. */
static void login_auth_next(struct login_auth_request *auth)
{
	const struct login_client_info *client = &auth->req->info;
	struct auth_request_info info;

	if (auth->next_response == array_count(&auth->responses)) {
		e_info(auth->req->event, "Authentication failed: "
		       "method=%s, rip=%s", auth->mechanism,
		       net_ip2addr(&client->remote_ip));
		login_auth_finish_result(auth, LOGIN_AUTH_FAILED);
		return;
	}
	if (!auth_client_is_connected(auth_client)) {
		login_auth_finish_result(auth, LOGIN_AUTH_TEMPFAIL);
		return;
	}

	i_zero(&info);
	info.mech = auth->mechanism;
	info.service = "mapi";
	if (client->secured)
		info.flags |= AUTH_REQUEST_FLAG_SECURED;
	if (client->ssl)
		info.flags |= AUTH_REQUEST_FLAG_TRANSPORT_SECURITY_TLS;
	info.local_ip = client->local_ip;
	info.remote_ip = client->remote_ip;
	info.local_port = client->local_port;
	info.remote_port = client->remote_port;
	info.real_local_ip = client->real_local_ip;
	info.real_remote_ip = client->real_remote_ip;
	info.real_local_port = client->real_local_port;
	info.real_remote_port = client->real_remote_port;
	info.initial_resp_base64 =
		array_idx_elem(&auth->responses, auth->next_response++);
	auth->request = auth_client_request_new(auth_client, &info,
						login_auth_callback, auth);
}

static void login_auth_wait_timeout(struct login_auth_request *auth)
{
	e_error(auth->req->event, "Timeout waiting for auth");
	login_auth_finish_result(auth, LOGIN_AUTH_TEMPFAIL);
}

static void
login_auth_connected(struct auth_client *client ATTR_UNUSED, bool connected,
		     void *context ATTR_UNUSED)
{
	struct login_auth_request *auth;

	while (connected && login_auth_waiting != NULL) {
		auth = login_auth_waiting;
		DLLIST_REMOVE(&login_auth_waiting, auth);
		timeout_remove(&auth->to_wait);
		login_auth_next(auth);
	}
}

/* --- Authorization headers ------------------------------------------------ */

static void
login_auth_add_plain(struct login_auth_request *auth, pool_t pool,
		     const char *username, const char *password)
{
	const char *base64;
	string_t *plain = t_str_new(128);
	buffer_t *out;

	str_append_c(plain, '\0');
	str_append(plain, username);
	str_append_c(plain, '\0');
	str_append(plain, password);
	out = t_buffer_create(MAX_BASE64_ENCODED_SIZE(str_len(plain)) + 1);
	base64_encode(str_data(plain), str_len(plain), out);
	base64 = p_strdup(pool, str_c(out));
	array_push_back(&auth->responses, &base64);
}

static bool login_auth_is_ascii(const buffer_t *data)
{
	const unsigned char *p = data->data;

	for (size_t i = 0; i < data->used; i++) {
		if (p[i] >= 0x80)
			return FALSE;
	}
	return TRUE;
}

static bool
login_auth_prepare_basic(struct login_auth_request *auth, pool_t pool,
			 const char *base64)
{
	buffer_t *data = t_buffer_create(128), *utf8;
	const char *username, *password, *const *charset;
	enum charset_result result;

	auth->mechanism = "PLAIN";
	if (base64_decode(base64, strlen(base64), NULL, data) < 0)
		return FALSE;
	if (uni_utf8_data_is_valid(data->data, data->used)) {
		if (!mapihttp_basic_parse(data->data, data->used,
					  &username, &password))
			return FALSE;
		login_auth_add_plain(auth, pool, username, password);
		if (login_auth_is_ascii(data))
			return TRUE;
	}
	charset = t_strsplit_spaces(login_set->mapi_auth_charsets, " ");
	for (; *charset != NULL; charset++) {
		utf8 = t_buffer_create(128);
		if (charset_to_utf8_str(*charset, NULL,
					t_strndup(data->data, data->used),
					utf8, &result) < 0) {
			e_error(auth->req->event, "mapi_auth_charsets: "
				"unknown character set %s", *charset);
			continue;
		}
		if (result == CHARSET_RET_OK &&
		    mapihttp_basic_parse(utf8->data, utf8->used,
					 &username, &password))
			login_auth_add_plain(auth, pool, username, password);
	}
	return array_count(&auth->responses) > 0;
}

/* [RFC6750] b64token */
static bool login_auth_is_token(const char *token)
{
	return *token != '\0' &&
		token[strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789-._~+/=")]
		== '\0';
}

static bool
login_auth_prepare_bearer(struct login_auth_request *auth, pool_t pool,
			  const char *token)
{
	const char *resp, *base64;
	buffer_t *out;

	/* The token names its user; neither mechanism insists on another. */
	if (!login_auth_is_token(token))
		return FALSE;
	if (auth_client_find_mech(auth_client, "OAUTHBEARER") != NULL) {
		auth->mechanism = "OAUTHBEARER";
		resp = t_strdup_printf("n,,\001auth=Bearer %s\001\001", token);
	} else if (auth_client_find_mech(auth_client, "XOAUTH2") != NULL) {
		auth->mechanism = "XOAUTH2";
		resp = t_strdup_printf("user=\001auth=Bearer %s\001\001",
				       token);
	} else {
		return FALSE;
	}
	out = t_buffer_create(MAX_BASE64_ENCODED_SIZE(strlen(resp)) + 1);
	base64_encode(resp, strlen(resp), out);
	base64 = p_strdup(pool, str_c(out));
	array_push_back(&auth->responses, &base64);
	return TRUE;
}

static const char *login_auth_header(struct login_request *req)
{
	return http_request_header_get(http_server_request_get(req->http_req),
				       "Authorization");
}

bool login_auth_hash(struct login_request *req)
{
	const char *header = login_auth_header(req);
	struct sha256_ctx ctx;

	if (header == NULL)
		return FALSE;
	sha256_init(&ctx);
	sha256_loop(&ctx, login_auth_hash_key, sizeof(login_auth_hash_key));
	sha256_loop(&ctx, header, strlen(header));
	sha256_result(&ctx, req->auth_hash);
	return TRUE;
}

const char *const *login_auth_challenges(const struct login_client_info *info)
{
	ARRAY_TYPE(const_string) arr;
	const char *value;

	t_array_init(&arr, 4);
	value = t_strdup_printf("Basic realm=\"%s\", charset=\"UTF-8\"",
				str_escape(login_set->mapi_http_realm));
	array_push_back(&arr, &value);
	if (auth_client_find_mech(auth_client, "OAUTHBEARER") != NULL ||
	    auth_client_find_mech(auth_client, "XOAUTH2") != NULL) {
		value = "Bearer";
		array_push_back(&arr, &value);
	}
	array_append_zero(&arr);
	return array_front(&arr);
}

void login_auth_start(struct login_request *req,
		      login_auth_callback_t *callback)
{
	pool_t pool = http_server_request_get_pool(req->http_req);
	struct login_auth_request *auth;
	const char *header = login_auth_header(req), *param;
	bool valid = FALSE;

	i_assert(req->auth == NULL);
	auth = i_new(struct login_auth_request, 1);
	auth->req = req;
	auth->callback = callback;
	auth->mechanism = "none";
	p_array_init(&auth->responses, pool, 4);
	req->auth = auth;

	if (!req->info.secured) {
		login_auth_finish_result(auth, LOGIN_AUTH_INSECURE);
		return;
	}
	if (header != NULL && (param = strchr(header, ' ')) != NULL) {
		const char *scheme = t_strdup_until(header, param);

		while (*param == ' ')
			param++;
		if (strcasecmp(scheme, "Basic") == 0)
			valid = login_auth_prepare_basic(auth, pool, param);
		else if (strcasecmp(scheme, "Bearer") == 0)
			valid = login_auth_prepare_bearer(auth, pool, param);
	}
	if (!valid)
		login_auth_finish_result(auth, LOGIN_AUTH_FAILED);
	else if (auth_client_is_connected(auth_client))
		login_auth_next(auth);
	else {
		auth->to_wait = timeout_add(LOGIN_AUTH_WAIT_MSECS,
					    login_auth_wait_timeout, auth);
		DLLIST_PREPEND(&login_auth_waiting, auth);
	}
}

/* --- setup ---------------------------------------------------------------- */

void login_auth_init(void)
{
	const char *const *charset;
	struct charset_translation *trans;

	random_fill(login_auth_hash_key, sizeof(login_auth_hash_key));
	i_array_init(&login_auth_charsets, 4);
	charset = t_strsplit_spaces(login_set->mapi_auth_charsets, " ");
	for (; *charset != NULL; charset++) {
		if (charset_to_utf8_begin(*charset, NULL, &trans) < 0)
			i_fatal("mapi_auth_charsets: unknown character set %s",
				*charset);
		array_push_back(&login_auth_charsets, &trans);
	}
}

void login_auth_connect(void)
{
	auth_client = auth_client_init("login", (unsigned int)getpid(), FALSE);
	auth_client_set_connect_notify(auth_client, login_auth_connected, NULL);
	auth_client_connect(auth_client);
}

void login_auth_deinit(void)
{
	struct charset_translation *trans;

	auth_client_deinit(&auth_client);
	array_foreach_elem(&login_auth_charsets, trans)
		charset_to_utf8_end(&trans);
	array_free(&login_auth_charsets);
}
