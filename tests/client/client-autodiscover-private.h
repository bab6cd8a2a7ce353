/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_AUTODISCOVER_PRIVATE_H
#define CLIENT_AUTODISCOVER_PRIVATE_H

#include "client-autodiscover.h"

struct autodiscover_http;

struct autodiscover_response {
	long status;
	/* the absolute URL of Location in a redirection, else NULL */
	const char *location;
	const char *content_type;
	/* of WWW-Authenticate: "Basic, Negotiate", or "" */
	const char *challenges;
	bool basic;
	uint8_t *body;
	size_t body_len;
};

/* params must live as long. Freed with mem. */
struct autodiscover_http *
autodiscover_http_new(TALLOC_CTX *mem, const struct client_http_params *params);
/* POST of body, GET if that's NULL; with credentials if auth. Returns 0 if
   there's an answer, whatever its status. The response is on mem. */
int autodiscover_http_request(struct autodiscover_http *http, TALLOC_CTX *mem,
			      const char *url, const char *body, bool auth,
			      struct autodiscover_response **response_r,
			      struct client_error *error_r);

#endif
