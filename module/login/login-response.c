/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "str.h"
#include "time-util.h"
#include "ostream.h"
#include "http-date.h"
#include "http-server.h"
#include "login-auth.h"
#include "login-connection.h"
#include "login-response.h"

/* A response that takes longer than this is started with PROCESSING. */
#define LOGIN_PROCESSING_MSECS 500

static void
login_response_event(struct login_request *req, unsigned int status,
		     enum mapihttp_code code, size_t size)
{
	struct event_passthrough *e;

	e = event_create_passthrough(req->event)->
		set_name("mapi_http_request_finished")->
		add_str("request_type", req->request_type == NULL ? "" :
			req->request_type)->
		add_int("http_status", status)->
		add_int("response_code", code)->
		add_int("bytes_in", req->body == NULL ? 0 : req->body->used)->
		add_int("bytes_out", size);
	if (req->username != NULL)
		e->add_str("user", req->username);
	e_debug(e->event(), "%s: HTTP status %u, X-ResponseCode %d (%s), "
		"%zu bytes", req->request_type == NULL ? "Request" :
		req->request_type, status, code, mapihttp_code_name(code),
		size);
}

static struct http_server_response *
login_response_create(struct login_request *req, enum mapihttp_code code)
{
	struct http_server_response *resp;
	const char *const *cookie;

	login_connection_responds(req->conn);
	resp = http_server_response_create(req->http_req, 200, "OK");
	http_server_response_add_header(resp, "Cache-Control", "private");
	http_server_response_add_header(resp, "Content-Type",
		code == MAPIHTTP_SUCCESS ? "application/mapi-http" :
		"text/html; charset=utf-8");
	if (req->request_type != NULL)
		http_server_response_add_header(resp, "X-RequestType",
						req->request_type);
	if (req->request_id != NULL)
		http_server_response_add_header(resp, "X-RequestId",
						req->request_id);
	if (req->client_info != NULL)
		http_server_response_add_header(resp, "X-ClientInfo",
						req->client_info);
	http_server_response_add_header(resp, "X-ResponseCode",
					dec2str(code));
	http_server_response_add_header(resp, "X-PendingPeriod",
		dec2str(login_set->mapi_pending_period * 1000));
	http_server_response_add_header(resp, "X-ExpirationInfo",
		dec2str((uint64_t)login_set->mapi_session_timeout * 1000));
	http_server_response_add_header(resp, "X-ServerApplication",
					LOGIN_SERVER_APPLICATION);
	if (code == MAPIHTTP_SUCCESS) {
		cookie = req->set_cookies;
		for (; *cookie != NULL; cookie++)
			http_server_response_add_header(resp, "Set-Cookie",
							*cookie);
	}
	return resp;
}

/* DONE, the additional headers, and the empty line */
static void
login_response_append_done(struct login_request *req, string_t *str,
			   enum mapihttp_code code)
{
	int msecs = timeval_diff_msecs(&ioloop_timeval, &req->start_time);

	str_append(str, "DONE\r\n");
	if (code != MAPIHTTP_SUCCESS)
		str_printfa(str, "X-ResponseCode: %d\r\n", code);
	str_printfa(str, "X-ElapsedTime: %d\r\nX-StartTime: %s\r\n\r\n",
		    I_MAX(msecs, 0), http_date_create(req->start_time.tv_sec));
}

static void login_response_pending(struct login_request *req)
{
	timeout_reset(req->to_pending);
	o_stream_nsend_str(req->output, "PENDING\r\n");
	(void)o_stream_flush(req->output);
}

static void login_response_processing(struct login_request *req)
{
	struct http_server_response *resp;

	timeout_remove(&req->to_pending);
	if (http_server_request_is_finished(req->http_req))
		return;
	resp = login_response_create(req, MAPIHTTP_SUCCESS);
	req->output = http_server_response_get_payload_output(resp, SIZE_MAX,
							      FALSE);
	o_stream_set_no_error_handling(req->output, TRUE);
	req->to_pending = timeout_add(login_set->mapi_pending_period * 1000,
				      login_response_pending, req);
	o_stream_nsend_str(req->output, "PROCESSING\r\n");
	(void)o_stream_flush(req->output);
}

void login_response_await(struct login_request *req, bool immediately)
{
	i_assert(req->to_pending == NULL && req->output == NULL);

	if (immediately)
		login_response_processing(req);
	else
		req->to_pending = timeout_add_short(LOGIN_PROCESSING_MSECS,
						login_response_processing, req);
}

/* Returns FALSE if there's nobody to answer to. */
static bool login_response_begin(struct login_request *req)
{
	i_assert(!req->responded);

	req->responded = TRUE;
	timeout_remove(&req->to_pending);
	/* lib-http calls a request finished as soon as its response has been
	   begun, which may be by us */
	return req->output != NULL ||
		!http_server_request_is_finished(req->http_req);
}

/* The end of a response that has been started. */
static void
login_response_finish_started(struct login_request *req,
			      enum mapihttp_code code,
			      const void *body, size_t body_size)
{
	struct ostream *output = req->output;
	string_t *str = t_str_new(128);

	req->output = NULL;
	login_response_append_done(req, str, code);
	o_stream_cork(output);
	o_stream_nsend(output, str_data(str), str_len(str));
	o_stream_nsend(output, body, body_size);
	o_stream_uncork(output);
	/* This may free req, but not if there's something left to be sent: the
	   client is slow, or the response's beginning has been written in this
	   very round of the ioloop and isn't out yet. lib-http goes on sending
	   then, as long as there's the stream. */
	if (o_stream_finish(output) == 0)
		req->output = output;
	else
		o_stream_unref(&output);
}

void login_response_send(struct login_request *req,
			 const void *body, size_t body_size)
{
	struct http_server_response *resp;
	string_t *str;

	if (!login_response_begin(req))
		return;
	login_response_event(req, 200, MAPIHTTP_SUCCESS, body_size);
	if (req->output != NULL) {
		login_response_finish_started(req, MAPIHTTP_SUCCESS,
					      body, body_size);
		return;
	}
	resp = login_response_create(req, MAPIHTTP_SUCCESS);
	str = t_str_new(body_size + 128);
	str_append(str, "PROCESSING\r\n");
	login_response_append_done(req, str, MAPIHTTP_SUCCESS);
	str_append_data(str, body, body_size);
	http_server_response_set_payload_data(resp, str_data(str),
					      str_len(str));
	http_server_response_submit(resp);
}

void login_response_fail(struct login_request *req, enum mapihttp_code code,
			 const char *reason)
{
	struct http_server_response *resp;
	const char *text;

	i_assert(code != MAPIHTTP_SUCCESS);
	if (!login_response_begin(req))
		return;
	text = t_strdup_printf(
		"<html><head><title>%s</title></head><body>"
		"<p>X-ResponseCode %d: %s.</p><p>%s</p></body></html>\r\n",
		mapihttp_code_name(code), code, mapihttp_code_name(code),
		reason);
	login_response_event(req, 200, code, strlen(text));
	if (req->output != NULL) {
		login_response_finish_started(req, code, text, strlen(text));
		return;
	}
	resp = login_response_create(req, code);
	http_server_response_set_payload_data(resp,
		(const unsigned char *)text, strlen(text));
	http_server_response_submit(resp);
}

void login_response_http_fail(struct login_request *req, unsigned int status,
			      const char *reason, const char *text)
{
	if (!login_response_begin(req))
		return;
	login_response_event(req, status, MAPIHTTP_UNKNOWN_FAILURE,
			     strlen(text));
	http_server_request_fail_text(req->http_req, status, reason,
				      "%s\r\n", text);
}

void login_response_unauthorized(struct login_request *req)
{
	static const char text[] = "Authentication is required.\r\n";
	struct http_server_response *resp;
	const char *const *challenges;

	if (!login_response_begin(req))
		return;
	login_response_event(req, 401, MAPIHTTP_ANONYMOUS_NOT_ALLOWED,
			     strlen(text));
	resp = http_server_response_create(req->http_req, 401, "Unauthorized");
	/* by hand, since lib-http doesn't quote what it must */
	challenges = login_auth_challenges(&req->info);
	for (; *challenges != NULL; challenges++)
		http_server_response_add_header(resp, "WWW-Authenticate",
						*challenges);
	http_server_response_add_header(resp, "Content-Type", "text/plain");
	http_server_response_set_payload_data(resp,
		(const unsigned char *)text, strlen(text));
	http_server_response_submit(resp);
}

void login_response_plain(struct login_request *req, unsigned int status,
			  const char *content_type, const char *location,
			  const void *body, size_t body_size)
{
	static const struct {
		unsigned int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 302, "Found" },
		{ 400, "Bad Request" },
		{ 404, "Not Found" },
		{ 413, "Payload Too Large" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
	};
	struct http_server_response *resp;
	const char *reason = "Unknown";

	if (!login_response_begin(req))
		return;
	for (unsigned int i = 0; i < N_ELEMENTS(reasons); i++) {
		if (reasons[i].status == status)
			reason = reasons[i].reason;
	}
	login_response_event(req, status, MAPIHTTP_SUCCESS, body_size);
	resp = http_server_response_create(req->http_req, status, reason);
	http_server_response_add_header(resp, "Cache-Control", "private");
	if (content_type != NULL)
		http_server_response_add_header(resp, "Content-Type",
						content_type);
	if (location != NULL)
		http_server_response_add_header(resp, "Location", location);
	if (body_size > 0)
		http_server_response_set_payload_data(resp, body, body_size);
	http_server_response_submit(resp);
}

void login_response_methods(struct login_request *req, unsigned int status,
			    const char *methods)
{
	struct http_server_response *resp;

	if (!login_response_begin(req))
		return;
	login_response_event(req, status, MAPIHTTP_SUCCESS, 0);
	resp = http_server_response_create(req->http_req, status,
					   status == 200 ? "OK" :
					   "Method Not Allowed");
	http_server_response_add_header(resp, "Allow", methods);
	http_server_response_submit(resp);
}

bool login_response_auth_failed(struct login_request *req,
				const struct login_auth_reply *reply)
{
	switch (reply->result) {
	case LOGIN_AUTH_OK:
		return FALSE;
	case LOGIN_AUTH_FAILED:
		login_response_unauthorized(req);
		return TRUE;
	case LOGIN_AUTH_INSECURE:
		login_response_http_fail(req, 403, "Forbidden",
			"Authentication isn't allowed without TLS.");
		return TRUE;
	case LOGIN_AUTH_TEMPFAIL:
		break;
	}
	login_response_http_fail(req, 503, "Service Unavailable",
				 "Authentication isn't possible now.");
	return TRUE;
}
