/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-http-private.h"
#include "client-curl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#define CLIENT_APPLICATION "Outlook/16.0.4266.1001"
/* MS-OXCMAPIHTTP 2.2.4.4: a NotificationWait is held for up to five minutes */
#define NOTIFICATION_TIMEOUT_SECS 360
/* an error page that is longer is cut */
#define MAX_PLAIN (64 * 1024)

struct client_connection {
	struct client_http *http;
	CURL *curl;
	struct curl_slist *connect_to;
	char errbuf[CURL_ERROR_SIZE];
	/* the request that is running */
	struct client_http_response *response;
};

double client_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

struct client_http *
client_http_new(TALLOC_CTX *mem, const struct client_http_params *params)
{
	struct client_http *http = talloc_zero(mem, struct client_http);
	uint8_t id[16];

	http->params = *params;
	http->params.url = talloc_strdup(http, params->url);
	http->params.user = talloc_strdup(http, params->user);
	http->params.password = talloc_strdup(http, params->password);
	if (params->ca_file != NULL)
		http->params.ca_file = talloc_strdup(http, params->ca_file);

	if (getrandom(id, sizeof(id), 0) != sizeof(id))
		memset(id, 0x42, sizeof(id));
	snprintf(http->guid, sizeof(http->guid),
		 "{%02X%02X%02X%02X-%02X%02X-4%01X%02X-%02X%02X-"
		 "%02X%02X%02X%02X%02X%02X}", id[0], id[1], id[2], id[3],
		 id[4], id[5], id[6] & 15, id[7], (id[8] & 0x3f) | 0x80, id[9],
		 id[10], id[11], id[12], id[13], id[14], id[15]);
	return http;
}

static int client_connection_destroy(struct client_connection *conn)
{
	curl_easy_cleanup(conn->curl);
	curl_slist_free_all(conn->connect_to);
	return 0;
}

struct client_connection *client_connection_new(struct client_http *http)
{
	struct client_connection *conn =
		talloc_zero(http, struct client_connection);

	conn->http = http;
	conn->curl = curl_easy_init();
	conn->connect_to = client_curl_connect_to(&http->params);
	talloc_set_destructor(conn, client_connection_destroy);
	return conn;
}

const char *client_http_header(const struct client_http_response *response,
			       const char *name)
{
	unsigned int i;

	for (i = 0; i < response->header_count; i++) {
		if (strcasecmp(response->headers[i].name, name) == 0)
			return response->headers[i].value;
	}
	return NULL;
}

static size_t header_callback(char *data, size_t size, size_t nitems, void *ctx)
{
	struct client_connection *conn = ctx;
	struct client_http_response *response = conn->response;
	size_t len = size * nitems, all = len;
	struct client_header *header;
	char *line, *value;

	conn->http->bytes_received += all;
	while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r'))
		len--;
	if (len >= 5 && strncmp(data, "HTTP/", 5) == 0) {
		/* also after a 100 Continue */
		response->header_count = 0;
		return all;
	}
	if (len == 0) {
		response->is_mapi =
			client_http_header(response, "X-ResponseCode") != NULL;
		if (response->is_mapi) {
			response->response_code =
				atoi(client_http_header(response,
							"X-ResponseCode"));
		}
		return all;
	}
	line = talloc_strndup(response, data, len);
	value = strchr(line, ':');
	if (value == NULL)
		return all;
	*value++ = '\0';
	value += strspn(value, " \t");
	response->headers = talloc_realloc(response, response->headers,
					   struct client_header,
					   response->header_count + 1);
	header = &response->headers[response->header_count++];
	header->name = line;
	header->value = value;
	return all;
}

static size_t body_callback(char *data, size_t size, size_t nmemb, void *ctx)
{
	struct client_connection *conn = ctx;
	struct client_http_response *response = conn->response;
	size_t len = size * nmemb, keep = len;

	conn->http->bytes_received += len;
	if (response->is_mapi && response->response_code == 0) {
		if (!client_framing_feed(response->framing, client_clock(),
					 data, len) &&
		    response->framing->error[0] != '\0')
			return 0;
		if (response->framing->state != CLIENT_FRAMING_BROKEN)
			return len;
	}
	if (keep > MAX_PLAIN - response->plain_len)
		keep = MAX_PLAIN - response->plain_len;
	response->plain = talloc_realloc(response, response->plain, uint8_t,
					 MAX_PLAIN);
	memcpy(response->plain + response->plain_len, data, keep);
	response->plain_len += keep;
	return len;
}

/* --- requests -------------------------------------------------------------*/
static int
client_connection_curl_error(struct client_connection *conn, CURLcode ret,
			     struct client_error *error_r)
{
	if (ret == CURLE_WRITE_ERROR) {
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			"the answer's framing is wrong: %s",
			conn->response->framing->error);
	}
	return client_curl_fail(ret, conn->errbuf, CLIENT_FAIL_NOT_MAPI,
				error_r);
}

static int
client_connection_judge(struct client_connection *conn, const char *type,
			struct client_http_response *response,
			struct client_error *error_r)
{
	const char *value;

	error_r->http_status = response->status;
	error_r->response_code = response->response_code;
	if (response->status != 200) {
		client_error_set_answer(error_r, response->plain,
					response->plain_len);
		if (response->status == 401) {
			return client_error_set(error_r, CLIENT_FAIL_AUTH,
				"the server doesn't accept these credentials");
		}
		return client_error_set(error_r, CLIENT_FAIL_HTTP,
					"HTTP status %ld", response->status);
	}
	if (!response->is_mapi) {
		client_error_set_answer(error_r, response->plain,
					response->plain_len);
		value = client_http_header(response, "Server");
		return client_error_set(error_r, CLIENT_FAIL_NOT_MAPI,
			"the answer has no X-ResponseCode header%s%s",
			value == NULL ? "" : ", the server is ",
			value == NULL ? "" : value);
	}
	if (response->response_code != 0) {
		client_error_set_answer(error_r, response->plain,
					response->plain_len);
		return client_error_set(error_r, CLIENT_FAIL_RESPONSE_CODE,
					"the server refused the request");
	}
	client_http_check_success(conn->http, type, response);
	if (strcmp(type, "PING") == 0 && response->framing->body_len == 0 &&
	    response->framing->state == CLIENT_FRAMING_TAGS)
		return 0;
	if (!client_framing_finish(response->framing)) {
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			"the answer's framing is wrong: %s",
			response->framing->error[0] != '\0' ?
			response->framing->error :
			"it doesn't begin with PROCESSING");
	}
	response->body = response->framing->body;
	response->body_len = response->framing->body_len;
	return 0;
}

static void
client_connection_setup(struct client_connection *conn)
{
	CURL *curl = conn->curl;

	client_curl_setup(curl, &conn->http->params, conn->connect_to,
			  conn->errbuf);
	curl_easy_setopt(curl, CURLOPT_URL, conn->http->params.url);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header_callback);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, conn);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_callback);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, conn);
}

static struct curl_slist *
append_header(struct curl_slist *list, TALLOC_CTX *mem, const char *name,
	      const char *value)
{
	return curl_slist_append(list,
		talloc_asprintf(mem, "%s: %s", name, value));
}

static CURLcode
client_connection_perform(struct client_connection *conn,
			  struct client_http_response *response,
			  struct curl_slist *headers,
			  const void *body, size_t len)
{
	double start = client_clock();
	CURLcode ret;

	conn->response = response;
	response->framing = client_framing_new(response);
	response->response_code = -1;
	curl_easy_setopt(conn->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(conn->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(conn->curl, CURLOPT_POSTFIELDS,
			 len == 0 ? "" : body);
	curl_easy_setopt(conn->curl, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)len);
	ret = curl_easy_perform(conn->curl);
	response->seconds = client_clock() - start;
	curl_easy_getinfo(conn->curl, CURLINFO_RESPONSE_CODE,
			  &response->status);
	conn->http->requests++;
	conn->http->bytes_sent += len;
	return ret;
}

int client_connection_request(struct client_connection *conn, TALLOC_CTX *mem,
			      const char *type, const void *body, size_t len,
			      struct client_http_response **response_r,
			      struct client_error *error_r)
{
	struct client_http *http = conn->http;
	struct client_http_response *response =
		talloc_zero(mem, struct client_http_response);
	struct curl_slist *headers = NULL;
	const char *id, *cookie;
	CURLcode ret;

	*response_r = response;
	snprintf(error_r->request, sizeof(error_r->request), "%s", type);
	id = talloc_asprintf(response, "%s:%u", http->guid,
			     ++http->request_counter);
	headers = append_header(headers, response, "Content-Type",
				"application/mapi-http");
	headers = append_header(headers, response, "X-RequestType", type);
	headers = append_header(headers, response, "X-RequestId", id);
	headers = append_header(headers, response, "X-ClientInfo", id);
	headers = append_header(headers, response, "X-ClientApplication",
				CLIENT_APPLICATION);
	/* no waiting for a 100 Continue, and no "Accept: *" */
	headers = curl_slist_append(headers, "Expect:");
	headers = curl_slist_append(headers, "Accept:");
	cookie = client_http_cookie_header(http, response);

	client_connection_setup(conn);
	if (cookie[0] != '\0')
		curl_easy_setopt(conn->curl, CURLOPT_COOKIE, cookie);
	curl_easy_setopt(conn->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	curl_easy_setopt(conn->curl, CURLOPT_USERNAME, http->params.user);
	curl_easy_setopt(conn->curl, CURLOPT_PASSWORD, http->params.password);
	if (strcmp(type, "NotificationWait") == 0 &&
	    http->params.timeout_secs == 0) {
		curl_easy_setopt(conn->curl, CURLOPT_TIMEOUT,
				 (long)NOTIFICATION_TIMEOUT_SECS);
	}
	ret = client_connection_perform(conn, response, headers, body, len);
	curl_slist_free_all(headers);

	if (ret != CURLE_OK) {
		error_r->http_status = response->status;
		error_r->response_code = response->response_code;
		return client_connection_curl_error(conn, ret, error_r);
	}
	if (response->is_mapi) {
		client_http_take_cookies(http, type, response);
		client_http_check_echo(http, type, response, id);
	}
	return client_connection_judge(conn, type, response, error_r);
}

int client_connection_probe(struct client_connection *conn, TALLOC_CTX *mem,
			    const char **challenges_r,
			    struct client_error *error_r)
{
	struct client_http_response *response =
		talloc_zero(mem, struct client_http_response);
	struct curl_slist *headers = NULL;
	char *challenges = talloc_strdup(mem, "");
	unsigned int i;
	CURLcode ret;

	headers = curl_slist_append(headers,
				    "Content-Type: application/mapi-http");
	headers = curl_slist_append(headers, "Expect:");
	headers = curl_slist_append(headers, "X-RequestType: PING");
	client_connection_setup(conn);
	ret = client_connection_perform(conn, response, headers, "", 0);
	curl_slist_free_all(headers);
	if (ret != CURLE_OK)
		return client_connection_curl_error(conn, ret, error_r);

	error_r->http_status = response->status;
	for (i = 0; i < response->header_count; i++) {
		if (strcasecmp(response->headers[i].name,
			       "WWW-Authenticate") != 0)
			continue;
		challenges = talloc_asprintf_append(challenges, "%s%.*s",
			*challenges == '\0' ? "" : ", ",
			(int)strcspn(response->headers[i].value, " "),
			response->headers[i].value);
	}
	*challenges_r = challenges;
	if (response->status != 401) {
		/* not for MAPI/HTTP at all, or wide open */
		if (client_connection_judge(conn, "PING", response,
					    error_r) < 0)
			return -1;
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			"the server answers without asking who is there");
	}
	if (*challenges == '\0') {
		client_http_violation(conn->http,
			"HTTP 401 without WWW-Authenticate");
	}
	return 0;
}

const char *client_connection_peer(struct client_connection *conn,
				   TALLOC_CTX *mem)
{
	char *ip = NULL;
	long port = 0;

	curl_easy_getinfo(conn->curl, CURLINFO_PRIMARY_IP, &ip);
	curl_easy_getinfo(conn->curl, CURLINFO_PRIMARY_PORT, &port);
	return talloc_asprintf(mem, "%s port %ld", ip == NULL ? "?" : ip, port);
}
