/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-curl.h"

#define CONNECT_TIMEOUT_SECS 20
#define DEFAULT_TIMEOUT_SECS 120

struct curl_slist *
client_curl_connect_to(const struct client_http_params *params)
{
	const char *const *entry = params->connect_to;
	struct curl_slist *list = NULL;

	for (; entry != NULL && *entry != NULL; entry++)
		list = curl_slist_append(list, *entry);
	return list;
}

void client_curl_setup(CURL *curl, const struct client_http_params *params,
		       struct curl_slist *connect_to, char *errbuf)
{
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, errbuf);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT,
			 (long)CONNECT_TIMEOUT_SECS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, params->timeout_secs == 0 ?
			 (long)DEFAULT_TIMEOUT_SECS :
			 (long)params->timeout_secs);
	curl_easy_setopt(curl, CURLOPT_CONNECT_TO, connect_to);
	if (params->ca_file != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, params->ca_file);
	if (params->insecure) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	errbuf[0] = '\0';
}

static enum client_failure
client_curl_failure(CURLcode ret, enum client_failure other)
{
	switch (ret) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return CLIENT_FAIL_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		return CLIENT_FAIL_TLS;
	case CURLE_OPERATION_TIMEDOUT:
		return CLIENT_FAIL_TIMEOUT;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return CLIENT_FAIL_LOST;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return CLIENT_FAIL_LOCAL;
	default:
		return other;
	}
}

int client_curl_fail(CURLcode ret, const char *errbuf,
		     enum client_failure other, struct client_error *error_r)
{
	return client_error_set(error_r, client_curl_failure(ret, other), "%s",
				errbuf[0] != '\0' ? errbuf :
				curl_easy_strerror(ret));
}
