/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* strcasestr() */
#include "client-autodiscover-private.h"
#include "client-curl.h"

#include <string.h>
#include <strings.h>

/* Servers look at it for what the client may know. */
#define USER_AGENT "Microsoft Office/16.0 (mapitest; MAPI 16.0.4266)"
#define MAX_CHALLENGES 512

struct autodiscover_http {
	const struct client_http_params *params;
	CURL *curl;
	struct curl_slist *connect_to;
	char errbuf[CURL_ERROR_SIZE];
	/* the request that is running */
	struct autodiscover_response *response;
	bool too_long;
};

static int autodiscover_http_destroy(struct autodiscover_http *http)
{
	curl_easy_cleanup(http->curl);
	curl_slist_free_all(http->connect_to);
	return 0;
}

struct autodiscover_http *
autodiscover_http_new(TALLOC_CTX *mem, const struct client_http_params *params)
{
	struct autodiscover_http *http =
		talloc_zero(mem, struct autodiscover_http);

	http->params = params;
	http->curl = curl_easy_init();
	http->connect_to = client_curl_connect_to(params);
	talloc_set_destructor(http, autodiscover_http_destroy);
	return http;
}

static void
autodiscover_http_challenge(struct autodiscover_response *response,
			    const char *value)
{
	int len = strcspn(value, " ,");

	if (len == 5 && strncasecmp(value, "Basic", 5) == 0)
		response->basic = true;
	if (strlen(response->challenges) < MAX_CHALLENGES) {
		response->challenges = talloc_asprintf(response, "%s%s%.*s",
			response->challenges,
			response->challenges[0] == '\0' ? "" : ", ",
			len, value);
	}
}

static size_t
header_callback(char *data, size_t size, size_t nitems, void *context)
{
	static const char name[] = "WWW-Authenticate:";
	struct autodiscover_http *http = context;
	size_t len = size * nitems, end = len;
	const char *value;

	while (end > 0 && (data[end - 1] == '\n' || data[end - 1] == '\r'))
		end--;
	if (end < sizeof(name) - 1 ||
	    strncasecmp(data, name, sizeof(name) - 1) != 0)
		return len;
	value = talloc_strndup(http->response, data + sizeof(name) - 1,
			       end - (sizeof(name) - 1));
	value += strspn(value, " \t");
	autodiscover_http_challenge(http->response, value);
	return len;
}

static size_t
body_callback(char *data, size_t size, size_t nmemb, void *context)
{
	struct autodiscover_http *http = context;
	struct autodiscover_response *response = http->response;
	size_t len = size * nmemb;

	if (len > CLIENT_AUTODISCOVER_MAX_BODY - response->body_len) {
		http->too_long = true;
		return 0;
	}
	response->body = talloc_realloc(response, response->body, uint8_t,
					response->body_len + len);
	memcpy(response->body + response->body_len, data, len);
	response->body_len += len;
	return len;
}

static void
autodiscover_http_setup(struct autodiscover_http *http, const char *url,
			const char *body, bool auth)
{
	CURL *curl = http->curl;

	client_curl_setup(curl, http->params, http->connect_to, http->errbuf);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header_callback);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_callback);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
	if (body != NULL) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE,
				 (long)strlen(body));
	}
	if (auth) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, http->params->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD,
				 http->params->password);
	}
}

int autodiscover_http_request(struct autodiscover_http *http, TALLOC_CTX *mem,
			      const char *url, const char *body, bool auth,
			      struct autodiscover_response **response_r,
			      struct client_error *error_r)
{
	struct autodiscover_response *response =
		talloc_zero(mem, struct autodiscover_response);
	struct curl_slist *headers = NULL;
	char *value = NULL;
	CURLcode ret;

	*response_r = http->response = response;
	response->challenges = "";
	http->too_long = false;
	snprintf(error_r->request, sizeof(error_r->request),
		 CLIENT_REQUEST_AUTODISCOVER);
	headers = curl_slist_append(headers, "Content-Type: text/xml");
	headers = curl_slist_append(headers, "Expect:");
	/* [MS-OXDSCLI] 2.2.2.1: the client wants URLs for MAPI over HTTP */
	headers = curl_slist_append(headers, "X-MapiHttpCapability: 1");
	autodiscover_http_setup(http, url, body, auth);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
	ret = curl_easy_perform(http->curl);
	curl_slist_free_all(headers);

	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE,
			  &response->status);
	error_r->http_status = response->status;
	if (http->too_long) {
		return client_error_set(error_r, CLIENT_FAIL_NOT_AUTODISCOVER,
			"the answer has more than %d bytes",
			CLIENT_AUTODISCOVER_MAX_BODY);
	}
	if (ret != CURLE_OK) {
		return client_curl_fail(ret, http->errbuf,
					CLIENT_FAIL_NOT_AUTODISCOVER, error_r);
	}
	curl_easy_getinfo(http->curl, CURLINFO_REDIRECT_URL, &value);
	if (value != NULL)
		response->location = talloc_strdup(response, value);
	curl_easy_getinfo(http->curl, CURLINFO_CONTENT_TYPE, &value);
	if (value != NULL)
		response->content_type = talloc_strdup(response, value);
	return 0;
}
