/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_HTTP_PRIVATE_H
#define CLIENT_HTTP_PRIVATE_H

#include "client-http.h"

/* client-http-check.c: cookies, and what must be in an answer */

void client_http_take_cookies(struct client_http *http, const char *type,
			      const struct client_http_response *response);
/* Value of the Cookie header, "" if there is none to send. */
const char *client_http_cookie_header(struct client_http *http,
				      TALLOC_CTX *mem);
/* id: X-RequestId and X-ClientInfo of the request */
void client_http_check_echo(struct client_http *http, const char *type,
			    const struct client_http_response *response,
			    const char *id);
/* headers and additional headers of an answer with X-ResponseCode 0 */
void client_http_check_success(struct client_http *http, const char *type,
			       const struct client_http_response *response);

#endif
