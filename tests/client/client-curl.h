/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_CURL_H
#define CLIENT_CURL_H

/* How libcurl is used here, for all kinds of requests. */

#include "client-http.h"

#include <curl/curl.h>

/* params->connect_to for CURLOPT_CONNECT_TO; freed by curl_slist_free_all()
   after the handle. */
struct curl_slist *
client_curl_connect_to(const struct client_http_params *params);
/* Resets the handle, of which connection and TLS session stay, and sets what is
   the same for all requests: TLS, timeouts, HTTP/1.1, no redirection. errbuf:
   CURL_ERROR_SIZE bytes. */
void client_curl_setup(CURL *curl, const struct client_http_params *params,
		       struct curl_slist *connect_to, char *errbuf);
/* Says in error_r what ret means; other: what it is if it's nothing of the
   transport. Returns -1. */
int client_curl_fail(CURLcode ret, const char *errbuf,
		     enum client_failure other, struct client_error *error_r);

#endif
