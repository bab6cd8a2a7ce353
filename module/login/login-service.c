/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "llist.h"
#include "str.h"
#include "net.h"
#include "http-request.h"
#include "http-server.h"
#include "http-url.h"
#include "mapi-channel.h"
#include "login-auth.h"
#include "login-response.h"
#include "login-service.h"

#define LOGIN_AUTODISCOVER_JSON "/autodiscover/autodiscover.json"

static char *service_path;
static struct mapi_channel *service_channel;
static struct login_request *service_requests;
static uint32_t service_last_id;

static void login_service_unlink(struct login_request *req)
{
	DLLIST_REMOVE_FULL(&service_requests, req, session_prev, session_next);
	req->in_service = FALSE;
}

static void login_service_failed(struct login_request *req)
{
	login_response_http_fail(req, 503, "Service Unavailable",
				 "The address book can't be reached now.");
}

static void
login_service_answer(struct login_request *req, const struct mapi_frame *frame)
{
	const char *const *fields;
	const unsigned char *body;
	size_t size;

	if (!mapi_channel_parse_fields(frame, &fields, &body, &size)) {
		login_service_failed(req);
		return;
	}
	if (frame->code == 401) {
		login_response_unauthorized(req);
		return;
	}
	login_response_plain(req, frame->code,
			     mapi_channel_field(fields, "content-type"),
			     mapi_channel_field(fields, "location"),
			     body, size);
}

static void login_service_frame(void *context ATTR_UNUSED,
				const struct mapi_frame *frame)
{
	struct login_request *req;

	for (req = service_requests; req != NULL; req = req->session_next) {
		if (req->frame_id == frame->request_id)
			break;
	}
	/* none: the client has left */
	if (req == NULL)
		return;
	login_service_unlink(req);
	login_service_answer(req, frame);
}

static void login_service_closed(void *context ATTR_UNUSED,
				 const char *reason ATTR_UNUSED)
{
	struct login_request *req;

	mapi_channel_deinit(&service_channel);
	while ((req = service_requests) != NULL) {
		login_service_unlink(req);
		login_service_failed(req);
	}
}

static const struct mapi_channel_callbacks login_service_callbacks = {
	.frame = login_service_frame,
	.closed = login_service_closed,
};

int login_service_connect(void)
{
	return net_connect_unix_with_retries(service_path, 1000);
}

static bool login_service_open(struct login_request *req)
{
	int fd;

	if (service_channel != NULL)
		return TRUE;
	fd = login_service_connect();
	if (fd == -1) {
		e_error(req->event, "Can't connect to %s: %m", service_path);
		return FALSE;
	}
	service_channel = mapi_channel_init(fd, &login_service_callbacks, NULL);
	return TRUE;
}

static void login_service_send(struct login_request *req)
{
	const struct http_request *hreq =
		http_server_request_get(req->http_req);
	const struct http_url *url = hreq->target.url;
	ARRAY_TYPE(const_string) fields;
	const char *field, *host;

	if (!login_service_open(req)) {
		login_service_failed(req);
		return;
	}
	t_array_init(&fields, 8);
	field = "service=autodiscover";
	array_push_back(&fields, &field);
	field = t_strconcat("method=", hreq->method, NULL);
	array_push_back(&fields, &field);
	field = t_strconcat("path=", url->path, NULL);
	array_push_back(&fields, &field);
	field = t_strconcat("query=", url->enc_query == NULL ? "" :
			    url->enc_query, NULL);
	array_push_back(&fields, &field);
	field = req->info.ssl ? "scheme=https" : "scheme=http";
	array_push_back(&fields, &field);
	if (req->username != NULL) {
		field = t_strconcat("user=", req->username, NULL);
		array_push_back(&fields, &field);
	}
	/* which is valid, lib-http wouldn't have taken the request else */
	host = http_request_header_get(hreq, "Host");
	if (host != NULL) {
		field = t_strconcat("host=", host, NULL);
		array_push_back(&fields, &field);
	}
	array_append_zero(&fields);

	req->frame_id = ++service_last_id;
	req->in_service = TRUE;
	DLLIST_PREPEND_FULL(&service_requests, req, session_prev, session_next);
	mapi_channel_send_fields(service_channel, req->frame_id, 0,
				 array_front(&fields),
				 req->body == NULL ? NULL : req->body->data,
				 req->body == NULL ? 0 : req->body->used);
}

static void
login_service_authenticated(struct login_request *req,
			    const struct login_auth_reply *reply)
{
	if (login_response_auth_failed(req, reply))
		return;
	login_auth_forget(reply->auth_id);
	req->username = p_strdup(http_server_request_get_pool(req->http_req),
				 reply->username);
	login_service_send(req);
}

bool login_service_needs_auth(const struct login_request *req)
{
	const struct http_request *hreq =
		http_server_request_get(req->http_req);

	/* the JSON form tells only where the service is */
	return strncasecmp(hreq->target.url->path, LOGIN_AUTODISCOVER_JSON,
			   strlen(LOGIN_AUTODISCOVER_JSON)) != 0;
}

void login_service_request(struct login_request *req)
{
	if (login_service_needs_auth(req))
		login_auth_start(req, login_service_authenticated);
	else
		login_service_send(req);
}

void login_service_request_gone(struct login_request *req)
{
	/* the answer will find nobody */
	if (req->in_service)
		login_service_unlink(req);
}

void login_service_init(const char *socket_path)
{
	service_path = i_strdup(socket_path);
}

void login_service_deinit(void)
{
	if (service_channel != NULL)
		login_service_closed(NULL, "");
	i_free(service_path);
}
