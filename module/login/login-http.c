/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "buffer.h"
#include "strnum.h"
#include "istream.h"
#include "ostream.h"
#include "master-service.h"
#include "http-server.h"
#include "http-request.h"
#include "http-url.h"
#include "login-auth.h"
#include "login-connection.h"
#include "login-response.h"
#include "login-service.h"
#include "login-session.h"
#include "login-http.h"

/* Outlook keeps connections open between requests. */
#define LOGIN_HTTP_IDLE_MSECS (120 * 1000)
/* How long a body may take, however its bytes are spread: the largest one at
   about 18 kB/s */
#define LOGIN_HTTP_BODY_MSECS (60 * 1000)
/* Requests' headers are small; these stop header bombs. */
#define LOGIN_HTTP_MAX_HEADERS_SIZE (64 * 1024)
#define LOGIN_HTTP_MAX_HEADER_SIZE (16 * 1024)
#define LOGIN_HTTP_MAX_HEADER_FIELDS 100
#define LOGIN_HTTP_MAX_TARGET_SIZE (8 * 1024)

#define LOGIN_PATH_EMSMDB "/mapi/emsmdb"
#define LOGIN_PATH_NSPI "/mapi/nspi"
#define LOGIN_PATH_AUTODISCOVER "/autodiscover/autodiscover.xml"
#define LOGIN_PATH_AUTODISCOVER_JSON "/autodiscover/autodiscover.json"

static struct http_server *http_server;
static unsigned int login_requests_count;

/* --- requests -------------------------------------------------------------- */

/* lib-http has done with the request: its response is sent or its client has
   left. */
static void login_request_destroyed(struct login_request *req)
{
	login_session_request_gone(req);
	login_service_request_gone(req);
	timeout_remove(&req->to_pending);
	timeout_remove(&req->to_body);
	i_stream_unref(&req->payload);
	if (req->output != NULL)
		o_stream_destroy(&req->output);
	login_requests_count--;
	http_server_request_unref(&req->http_req);
	event_unref(&req->event);
	i_free(req);
}

static struct login_request *
login_request_create(struct login_connection *conn,
		     struct http_server_request *http_req)
{
	struct login_request *req;

	req = i_new(struct login_request, 1);
	req->conn = conn;
	req->http_req = http_req;
	http_server_request_ref(http_req);
	login_connection_get_info(conn, http_server_request_get(http_req),
				  &req->info);
	req->event = event_create(conn->event);
	req->start_time = ioloop_timeval;
	login_requests_count++;
	http_server_request_set_destroy_callback(http_req,
						 login_request_destroyed, req);
	return req;
}

/* Takes a header that is echoed. Returns FALSE if it isn't valid. */
static bool
login_request_get_id(const struct http_request *hreq, pool_t pool,
		     const char *name, const char **value_r)
{
	const char *value = http_request_header_get(hreq, name);

	*value_r = NULL;
	if (value == NULL)
		return TRUE;
	if (!mapihttp_id_is_valid(value))
		return FALSE;
	*value_r = p_strdup(pool, value);
	return TRUE;
}

static bool login_content_type_is_valid(const char *value)
{
	value = t_strcut(value, ';');
	return strcasecmp(value, "application/mapi-http") == 0 ||
		strcasecmp(value, "application/octet-stream") == 0;
}

static bool login_request_is_too_large(const struct http_request *hreq)
{
	const char *value = http_request_header_get(hreq, "Content-Length");
	uoff_t size;

	return value != NULL && str_to_uoff(value, &size) == 0 &&
		size > login_set->mapi_max_request_size;
}

/* lib-http never finishes reading a body of no bytes. */
static bool login_request_has_body(const struct http_request *hreq)
{
	const char *value = http_request_header_get(hreq, "Content-Length");
	uoff_t size;

	return hreq->payload != NULL &&
		(value == NULL || str_to_uoff(value, &size) < 0 || size > 0);
}

struct login_request_type {
	const char *name;
	bool connect, sequenced;
};

/* [MS-OXCMAPIHTTP] 2.2.4. NotificationWait and PING run beside others. */
static const struct login_request_type login_emsmdb_types[] = {
	{ "Execute", FALSE, TRUE },
	{ "NotificationWait", FALSE, FALSE },
	{ "Connect", TRUE, TRUE },
	{ "Disconnect", FALSE, TRUE },
	{ "PING", FALSE, FALSE },
	{ NULL, FALSE, FALSE }
};

/* [MS-OXCMAPIHTTP] 2.2.5 */
static const struct login_request_type login_nspi_types[] = {
	{ "Bind", TRUE, TRUE },
	{ "Unbind", FALSE, TRUE },
	{ "CompareMIds", FALSE, TRUE },
	{ "DNToMId", FALSE, TRUE },
	{ "GetMatches", FALSE, TRUE },
	{ "GetPropList", FALSE, TRUE },
	{ "GetProps", FALSE, TRUE },
	{ "GetSpecialTable", FALSE, TRUE },
	{ "GetTemplateInfo", FALSE, TRUE },
	{ "ModLinkAtt", FALSE, TRUE },
	{ "ModProps", FALSE, TRUE },
	{ "QueryRows", FALSE, TRUE },
	{ "QueryColumns", FALSE, TRUE },
	{ "ResolveNames", FALSE, TRUE },
	{ "ResortRestriction", FALSE, TRUE },
	{ "SeekEntries", FALSE, TRUE },
	{ "UpdateStat", FALSE, TRUE },
	{ "GetMailboxUrl", FALSE, TRUE },
	{ "GetAddressBookUrl", FALSE, TRUE },
	{ "PING", FALSE, FALSE },
	{ NULL, FALSE, FALSE }
};

static const struct login_request_type *
login_request_type_find(enum login_endpoint endpoint, const char *name)
{
	const struct login_request_type *type =
		endpoint == LOGIN_ENDPOINT_NSPI ? login_nspi_types :
		login_emsmdb_types;

	for (; type->name != NULL; type++) {
		if (strcasecmp(type->name, name) == 0)
			return type;
	}
	return NULL;
}

/* [MS-OXCMAPIHTTP] 2.2.3.2: what a request must have */
static enum mapihttp_code
login_request_parse(struct login_request *req, const char **error_r)
{
	const struct http_request *hreq =
		http_server_request_get(req->http_req);
	pool_t pool = http_server_request_get_pool(req->http_req);
	const struct login_request_type *type;
	const char *value;
	bool valid;

	valid = login_request_get_id(hreq, pool, "X-RequestId",
				     &req->request_id);
	valid = login_request_get_id(hreq, pool, "X-ClientInfo",
				     &req->client_info) && valid;
	valid = login_request_get_id(hreq, pool, "X-RequestType",
				     &req->request_type) && valid;
	if (!valid) {
		*error_r = "X-RequestId, X-ClientInfo or X-RequestType is "
			"malformed.";
		return MAPIHTTP_INVALID_HEADER;
	}
	if (strcmp(hreq->method, "POST") != 0) {
		*error_r = "Requests are sent with POST.";
		return MAPIHTTP_INVALID_VERB;
	}
	if (req->request_type == NULL || req->request_id == NULL ||
	    req->client_info == NULL) {
		*error_r = "X-RequestType, X-RequestId or X-ClientInfo is "
			"missing.";
		return MAPIHTTP_MISSING_HEADER;
	}
	type = login_request_type_find(req->endpoint, req->request_type);
	if (type == NULL) {
		*error_r = "The X-RequestType isn't known here.";
		return MAPIHTTP_INVALID_REQUEST_TYPE;
	}
	req->request_type = type->name;
	req->connect = type->connect;
	req->sequenced = type->sequenced;

	value = http_request_header_get(hreq, "Content-Type");
	if (value == NULL && login_request_has_body(hreq)) {
		*error_r = "Content-Type is missing.";
		return MAPIHTTP_MISSING_HEADER;
	}
	if (value != NULL && !login_content_type_is_valid(value)) {
		*error_r = "Content-Type isn't application/mapi-http.";
		return MAPIHTTP_INVALID_HEADER;
	}
	if (!mapihttp_cookies_parse(http_request_header_get(hreq, "Cookie"),
				    &req->cookies)) {
		*error_r = "A cookie isn't of the form that it was given.";
		return MAPIHTTP_INVALID_CONTEXT_COOKIE;
	}
	return MAPIHTTP_SUCCESS;
}

static void login_request_execute(struct login_request *req)
{
	if (req->endpoint == LOGIN_ENDPOINT_AUTODISCOVER)
		login_service_request(req);
	else
		login_session_request(req);
}

/* lib-http's own buffering of a body waits forever for what TLS has decrypted
   already, and panics if the client leaves meanwhile. */
static void login_request_body_input(struct login_request *req)
{
	struct istream *input = req->payload;
	const unsigned char *data;
	size_t size;

	while (i_stream_read_more(input, &data, &size) > 0) {
		/* lib-http sends no response before all is read */
		if (size > login_set->mapi_max_request_size - req->body->used)
			req->body_too_large = TRUE;
		if (!req->body_too_large)
			buffer_append(req->body, data, size);
		i_stream_skip(input, size);
	}
	if (!input->eof)
		return;
	timeout_remove(&req->to_body);
	if (input->stream_errno != 0)
		return;
	if (!req->body_too_large)
		login_request_execute(req);
	else if (req->endpoint == LOGIN_ENDPOINT_AUTODISCOVER) {
		login_response_http_fail(req, 413, "Payload Too Large",
			"The request's body is too large.");
	} else {
		login_response_fail(req, MAPIHTTP_TOO_LARGE,
			"The request's body is larger than "
			"mapi_max_request_size.");
	}
}

static void login_request_body_timeout(struct login_request *req)
{
	/* this frees req */
	login_connection_close(req->conn, "Timeout while reading a request");
}

static void login_request_read_body(struct login_request *req)
{
	const struct http_request *hreq =
		http_server_request_get(req->http_req);

	req->body = buffer_create_dynamic(
		http_server_request_get_pool(req->http_req), 512);
	if (!login_request_has_body(hreq))
		login_request_execute(req);
	else {
		req->payload = hreq->payload;
		i_stream_ref(req->payload);
		req->to_body = timeout_add(LOGIN_HTTP_BODY_MSECS,
					   login_request_body_timeout, req);
		http_server_request_handle_payload(req->http_req,
			login_request_body_input, req);
	}
}

static void login_mapi_request(struct login_request *req)
{
	const struct http_request *hreq =
		http_server_request_get(req->http_req);
	enum mapihttp_code code;
	const char *error;

	/* Every new connection begins with a request that has none: it costs
	   nothing, and isn't a failed login. */
	if (!login_auth_hash(req)) {
		login_response_unauthorized(req);
		return;
	}
	code = login_request_parse(req, &error);
	if (code == MAPIHTTP_SUCCESS && login_request_is_too_large(hreq)) {
		code = MAPIHTTP_TOO_LARGE;
		error = "The request's body is larger than "
			"mapi_max_request_size.";
	}
	if (code == MAPIHTTP_SUCCESS && login_dying && req->connect) {
		code = MAPIHTTP_ENDPOINT_SHUTTING_DOWN;
		error = "The server is being restarted.";
	}
	if (code != MAPIHTTP_SUCCESS) {
		login_response_fail(req, code, error);
		return;
	}
	login_request_read_body(req);
}

/* Clients find the service by trying. A plain GET without TLS is the way that
   Outlook calls "redirect", [MS-OXDISCO] 3.1.5.4; it's told where to go and
   nothing else. */
static bool login_autodiscover_redirect(struct login_request *req)
{
	const struct http_request *hreq =
		http_server_request_get(req->http_req);
	const struct http_url *url = hreq->target.url;
	const char *base, *path = LOGIN_PATH_AUTODISCOVER;

	if (req->info.secured || url->host.name == NULL ||
	    (strcmp(hreq->method, "GET") != 0 &&
	     strcmp(hreq->method, "HEAD") != 0))
		return FALSE;
	base = *login_set->mapi_external_url != '\0' ?
		t_str_rtrim(login_set->mapi_external_url, "/") :
		t_strconcat("https://", url->host.name, NULL);
	if (!login_service_needs_auth(req)) {
		path = url->enc_query == NULL ? LOGIN_PATH_AUTODISCOVER_JSON :
			t_strconcat(LOGIN_PATH_AUTODISCOVER_JSON"?",
				    url->enc_query, NULL);
	}
	login_response_plain(req, 302, NULL, t_strconcat(base, path, NULL),
			     NULL, 0);
	return TRUE;
}

/* What can be done with Autodiscover's resources; answers the rest. Probing
   costs nothing, and nobody has to say who he is for it. */
static bool login_autodiscover_check_method(struct login_request *req)
{
	const char *method = http_server_request_get(req->http_req)->method;
	bool xml = login_service_needs_auth(req);

	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
	    (xml && strcmp(method, "POST") == 0))
		return TRUE;
	login_response_methods(req, strcmp(method, "OPTIONS") == 0 ? 200 : 405,
			       xml ? "GET, HEAD, OPTIONS, POST" :
			       "GET, HEAD, OPTIONS");
	return FALSE;
}

static void login_autodiscover_request(struct login_request *req)
{
	if (!login_autodiscover_check_method(req))
		return;
	if (login_service_needs_auth(req) && !login_auth_hash(req)) {
		login_response_unauthorized(req);
		return;
	}
	if (login_request_is_too_large(http_server_request_get(req->http_req))) {
		login_response_http_fail(req, 413, "Payload Too Large",
			"The request's body is too large.");
		return;
	}
	login_request_read_body(req);
}

static void login_unknown_path_request(struct login_request *req)
{
	if (!login_auth_hash(req)) {
		login_response_unauthorized(req);
		return;
	}
	login_response_fail(req, MAPIHTTP_INVALID_PATH,
			    "There's nothing at this path.");
}

static const struct {
	const char *path;
	/* also everything below it */
	bool prefix;
	enum login_endpoint endpoint;
	void (*handler)(struct login_request *req);
} login_http_paths[] = {
	{ LOGIN_PATH_EMSMDB, FALSE, LOGIN_ENDPOINT_EMSMDB,
	  login_mapi_request },
	{ LOGIN_PATH_EMSMDB"/", FALSE, LOGIN_ENDPOINT_EMSMDB,
	  login_mapi_request },
	{ LOGIN_PATH_NSPI, FALSE, LOGIN_ENDPOINT_NSPI, login_mapi_request },
	{ LOGIN_PATH_NSPI"/", FALSE, LOGIN_ENDPOINT_NSPI, login_mapi_request },
	{ "/mapi", FALSE, LOGIN_ENDPOINT_EMSMDB, login_unknown_path_request },
	{ "/mapi/", TRUE, LOGIN_ENDPOINT_EMSMDB, login_unknown_path_request },
	{ LOGIN_PATH_AUTODISCOVER, FALSE, LOGIN_ENDPOINT_AUTODISCOVER,
	  login_autodiscover_request },
	{ LOGIN_PATH_AUTODISCOVER"/", FALSE, LOGIN_ENDPOINT_AUTODISCOVER,
	  login_autodiscover_request },
	{ LOGIN_PATH_AUTODISCOVER_JSON, FALSE, LOGIN_ENDPOINT_AUTODISCOVER,
	  login_autodiscover_request },
	{ LOGIN_PATH_AUTODISCOVER_JSON"/", TRUE, LOGIN_ENDPOINT_AUTODISCOVER,
	  login_autodiscover_request },
};

const char *login_endpoint_path(enum login_endpoint endpoint)
{
	for (unsigned int i = 0; i < N_ELEMENTS(login_http_paths); i++) {
		if (login_http_paths[i].endpoint == endpoint)
			return login_http_paths[i].path;
	}
	i_unreached();
}

static void
login_http_handle_request(void *context, struct http_server_request *http_req)
{
	struct login_connection *conn = context;
	const struct http_request *hreq = http_server_request_get(http_req);
	const char *path = hreq->target.url == NULL ||
		hreq->target.url->path == NULL ? "" : hreq->target.url->path;
	struct login_request *req;

	for (unsigned int i = 0; i < N_ELEMENTS(login_http_paths); i++) {
		if (login_http_paths[i].prefix ?
		    strncasecmp(path, login_http_paths[i].path,
				strlen(login_http_paths[i].path)) == 0 :
		    strcasecmp(path, login_http_paths[i].path) == 0) {
			req = login_request_create(conn, http_req);
			req->endpoint = login_http_paths[i].endpoint;
			if (req->endpoint == LOGIN_ENDPOINT_AUTODISCOVER &&
			    login_autodiscover_redirect(req))
				return;
			if (req->info.secured)
				login_http_paths[i].handler(req);
			else {
				/* not even a challenge, which would make the
				   client send its password */
				login_response_http_fail(req, 403, "Forbidden",
					"Authentication isn't allowed "
					"without TLS.");
			}
			return;
		}
	}
	http_server_request_fail(http_req, 404, "Not Found");
}

/* --- setup ------------------------------------------------------------------ */

static void
login_http_connection_destroy(void *context, const char *reason)
{
	login_connection_destroyed(context, reason);
}

static const struct http_server_callbacks login_http_callbacks = {
	.handle_request = login_http_handle_request,
	.connection_destroy = login_http_connection_destroy,
};

void login_http_client_connected(struct master_service_connection *mconn)
{
	login_connection_create(http_server, mconn);
}

unsigned int login_http_connection_count(void)
{
	return login_connections_count();
}

void login_http_shut_down(void)
{
	http_server_shut_down(http_server);
}

void login_http_init(const struct ssl_iostream_settings *ssl_set)
{
	struct http_server_settings set;

	login_connections_init(&login_http_callbacks);
	i_zero(&set);
	set.ssl = ssl_set;
	set.max_client_idle_time_msecs = LOGIN_HTTP_IDLE_MSECS;
	set.max_pipelined_requests = 1;
	set.request_limits.max_target_length = LOGIN_HTTP_MAX_TARGET_SIZE;
	/* a longer one with Content-Length is refused in our own words */
	set.request_limits.max_payload_size =
		login_set->mapi_max_request_size * 4;
	set.request_limits.header.max_size = LOGIN_HTTP_MAX_HEADERS_SIZE;
	set.request_limits.header.max_field_size = LOGIN_HTTP_MAX_HEADER_SIZE;
	set.request_limits.header.max_fields = LOGIN_HTTP_MAX_HEADER_FIELDS;
	http_server = http_server_init(&set);
}

void login_http_deinit(void)
{
	http_server_deinit(&http_server);
	i_assert(login_requests_count == 0);
	login_connections_deinit();
}
