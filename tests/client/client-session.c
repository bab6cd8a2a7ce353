/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-session.h"
#include "mapi-wire.h"
#include "mapi-rpcext.h"

#include <string.h>


#define DEFAULT_MAX_ROP_OUT	0x10008
#define CODE_PAGE_1252		1252
#define LCID_ENGLISH		0x0409
/* buffers in an answer; Exchange stops far below */
#define MAX_CHAIN		256

/* Runs before what is below the session is freed: objects don't queue releases
   any more. */
static int client_session_destroy(struct client_session *session)
{
	session->connected = false;
	return 0;
}

struct client_session *
client_session_new(TALLOC_CTX *mem, const struct client_http_params *params)
{
	struct client_session *session = talloc_zero(mem, struct client_session);

	session->http = client_http_new(session, params);
	session->conn = client_connection_new(session->http);
	talloc_set_destructor(session, client_session_destroy);
	return session;
}

const char *client_user_dn(TALLOC_CTX *mem, const char *organization,
			   const char *user)
{
	return talloc_asprintf(mem,
		"/o=%s/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
		"/cn=Recipients/cn=%s", organization, user);
}

/* Sends a body and reads StatusCode and, where that is 0, ErrorCode. */
static int
client_session_request(struct client_session *session,
		       struct client_connection *conn, TALLOC_CTX *mem,
		       const char *type, struct mapi_push *body,
		       struct mapi_pull *pull_r, struct client_error *error_r)
{
	struct client_http_response *response;
	uint32_t value;
	unsigned int i;

	if (!mapi_push_ok(body)) {
		return client_error_set(error_r, CLIENT_FAIL_LOCAL,
					"the request can't be encoded");
	}
	if (client_connection_request(conn, mem, type, body->data, body->size,
				      &response, error_r) < 0)
		return -1;
	mapi_pull_init(pull_r, mem, response->body, response->body_len);
	for (i = 0; i < 2; i++) {
		value = mapi_pull_u32(pull_r);
		if (!mapi_pull_ok(pull_r)) {
			return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
				"the answer has only %zu bytes",
				response->body_len);
		}
		if (value != 0) {
			error_r->ec = value;
			return client_error_set(error_r, CLIENT_FAIL_STATUS,
				"the server answered with %s",
				i == 0 ? "a StatusCode" : "an ErrorCode");
		}
	}
	return 0;
}

/* AuxiliaryBuffer and the end of the answer */
static int
client_session_response_end(struct client_session *session, const char *type,
			    struct mapi_pull *pull,
			    struct client_error *error_r)
{
	uint32_t size = mapi_pull_u32(pull);

	(void)mapi_pull_bytes(pull, size);
	if (!mapi_pull_ok(pull)) {
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			"the answer is too short for what it says to contain");
	}
	if (mapi_pull_left(pull) > 0) {
		client_http_violation(session->http,
			"%s: %zu bytes follow the answer", type,
			mapi_pull_left(pull));
	}
	return 0;
}

int client_session_connect(struct client_session *session, const char *user_dn,
			   struct client_error *error_r)
{
	TALLOC_CTX *mem = talloc_new(session);
	struct mapi_push body;
	struct mapi_pull pull;
	int ret;

	mapi_push_init(&body, mem, 0);
	mapi_push_string8(&body, user_dn);
	mapi_push_u32(&body, 0);		/* Flags */
	mapi_push_u32(&body, CODE_PAGE_1252);
	mapi_push_u32(&body, LCID_ENGLISH);	/* LcidSort */
	mapi_push_u32(&body, LCID_ENGLISH);	/* LcidString */
	mapi_push_u32(&body, 0);		/* AuxiliaryBufferSize */
	ret = client_session_request(session, session->conn, mem, "Connect",
				     &body, &pull, error_r);
	if (ret == 0) {
		session->polls_max = mapi_pull_u32(&pull);
		session->retry_count = mapi_pull_u32(&pull);
		session->retry_delay = mapi_pull_u32(&pull);
		session->dn_prefix =
			talloc_strdup(session, mapi_pull_string8(&pull));
		session->display_name =
			talloc_strdup(session, mapi_pull_utf16(&pull));
		ret = client_session_response_end(session, "Connect", &pull,
						  error_r);
	}
	if (ret == 0) {
		session->connected = true;
		if (session->display_name[0] == '\0') {
			client_http_violation(session->http,
				"Connect: DisplayName is empty");
		}
	}
	talloc_free(mem);
	return ret;
}

int client_session_disconnect(struct client_session *session,
			      struct client_error *error_r)
{
	TALLOC_CTX *mem = talloc_new(session);
	struct mapi_push body;
	struct mapi_pull pull;
	int ret;

	mapi_push_init(&body, mem, 0);
	mapi_push_u32(&body, 0);
	ret = client_session_request(session, session->conn, mem, "Disconnect",
				     &body, &pull, error_r);
	if (ret == 0) {
		ret = client_session_response_end(session, "Disconnect", &pull,
						  error_r);
	}
	session->connected = false;
	talloc_free(mem);
	return ret;
}

int client_session_ping(struct client_session *session,
			struct client_error *error_r)
{
	TALLOC_CTX *mem = talloc_new(session);
	struct client_http_response *response;
	int ret;

	ret = client_connection_request(session->conn, mem, "PING", "", 0,
					&response, error_r);
	if (ret == 0 && response->body_len > 0) {
		client_http_violation(session->http,
				      "PING: the answer has a body");
	}
	talloc_free(mem);
	return ret;
}

/* The payloads in the answer's RopBuffer */
static int
client_session_unpack(TALLOC_CTX *mem, const uint8_t *data, size_t size,
		      struct mapi_binary **buffers_r, unsigned int *count_r,
		      struct client_error *error_r)
{
	struct rpc_ext_payload *payloads;
	unsigned int i;

	if (!mapi_rpc_ext_decode_chain(mem, data, size, MAX_CHAIN, &payloads,
				       count_r)) {
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			"the answer's RPC_HEADER_EXT chain of %zu bytes is "
			"malformed", size);
	}
	*buffers_r = talloc_array(mem, struct mapi_binary, *count_r);
	for (i = 0; i < *count_r; i++) {
		(*buffers_r)[i].data = payloads[i].data;
		(*buffers_r)[i].len = payloads[i].size;
	}
	return 0;
}

int client_session_execute(struct client_session *session, TALLOC_CTX *mem,
			   const void *rops, size_t len,
			   struct mapi_binary **buffers_r,
			   unsigned int *count_r,
			   struct client_error *error_r)
{
	uint32_t flags = 0, max_out = session->max_rop_out != 0 ?
		session->max_rop_out : DEFAULT_MAX_ROP_OUT;
	struct mapi_push body;
	struct mapi_pull pull;
	const uint8_t *data;
	size_t size_pos;
	uint32_t size;

	if (len > RPC_EXT_PAYLOAD_MAX) {
		return client_error_set(error_r, CLIENT_FAIL_LOCAL,
			"a ROP buffer of %zu bytes is too long", len);
	}
	if ((session->options & CLIENT_WANT_COMPRESSED) == 0)
		flags |= MAPI_EXECUTE_NO_COMPRESSION;
	if ((session->options & CLIENT_WANT_OBFUSCATED) == 0)
		flags |= MAPI_EXECUTE_NO_XOR_MAGIC;

	mapi_push_init(&body, mem, 0);
	mapi_push_u32(&body, flags);
	size_pos = body.size;
	mapi_push_u32(&body, 0);
	mapi_push_rpc_ext(&body, rops, len, RPC_EXT_LAST |
		((session->options & CLIENT_COMPRESS) != 0 ?
		 RPC_EXT_COMPRESSED : 0) |
		((session->options & CLIENT_OBFUSCATE) != 0 ?
		 RPC_EXT_XOR_MAGIC : 0));
	mapi_push_patch_u32(&body, size_pos, body.size - size_pos - 4);
	mapi_push_u32(&body, max_out);
	mapi_push_u32(&body, 0);		/* AuxiliaryBufferSize */

	if (client_session_request(session, session->conn, mem, "Execute",
				   &body, &pull, error_r) < 0)
		return -1;
	(void)mapi_pull_u32(&pull);		/* Flags */
	size = mapi_pull_u32(&pull);
	data = mapi_pull_bytes(&pull, size);
	if (client_session_response_end(session, "Execute", &pull,
					error_r) < 0)
		return -1;
	if (size > max_out) {
		client_http_violation(session->http,
			"Execute: RopBuffer has %u bytes, MaxRopOut was %u",
			size, max_out);
	}
	return client_session_unpack(mem, data, size, buffers_r, count_r,
				     error_r);
}

int client_session_wait(struct client_session *session, bool *pending_r,
			struct client_error *error_r)
{
	TALLOC_CTX *mem = talloc_new(session);
	struct mapi_push body;
	struct mapi_pull pull;
	int ret;

	if (session->wait_conn == NULL)
		session->wait_conn = client_connection_new(session->http);
	mapi_push_init(&body, mem, 0);
	mapi_push_u32(&body, 0);
	mapi_push_u32(&body, 0);
	ret = client_session_request(session, session->wait_conn, mem,
				     "NotificationWait", &body, &pull, error_r);
	if (ret == 0) {
		*pending_r = mapi_pull_u32(&pull) != 0;
		ret = client_session_response_end(session, "NotificationWait",
						  &pull, error_r);
	}
	talloc_free(mem);
	return ret;
}
