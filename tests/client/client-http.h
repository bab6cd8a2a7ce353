/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_HTTP_H
#define CLIENT_HTTP_H

/* MAPI/HTTP's transport as a client sees it, [MS-OXCMAPIHTTP] 2.2.2, 2.2.3:
   one POST, one answer, cookies. What a server must send with every answer is
   checked, and what's wrong is collected as violations: they fail nothing
   here, the caller decides.

   struct client_http is what the requests of one session context share,
   struct client_connection one keep-alive connection of it. Nothing here is
   safe to be used by several threads. */

#include "client-error.h"
#include "client-framing.h"

struct client_http_params {
	/* of the mailbox endpoint */
	const char *url;
	const char *user, *password;
	/* PEM file with whom to trust, NULL = as the system does */
	const char *ca_file;
	/* don't verify the server's certificate */
	bool insecure;
	/* "HOST:PORT:OTHERHOST:OTHERPORT": connections to HOST:PORT go there,
	   e.g. before DNS knows a new server; ended by NULL, may be NULL. Must
	   live as long as what's made with it. */
	const char *const *connect_to;
	/* for a whole request, except NotificationWait; 0 = 120 */
	unsigned int timeout_secs;
};

struct client_http {
	struct client_http_params params;
	/* cookies of the session context */
	struct client_header *cookies;
	unsigned int cookie_count;
	/* "{GUID}" in X-RequestId and X-ClientInfo */
	char guid[40];
	unsigned int request_counter;

	/* what servers did that they must not: one line each */
	const char **violations;
	unsigned int violation_count;

	/* figures of all requests so far */
	unsigned int requests;
	uint64_t bytes_sent, bytes_received;
};

struct client_http_response {
	/* 0 if none came */
	long status;
	/* -1 if there was none */
	int response_code;
	struct client_header *headers;
	unsigned int header_count;
	/* of answers without meta-tags (errors), the body as it came */
	struct client_framing *framing;
	const uint8_t *body;
	size_t body_len;
	/* seconds until the answer was complete */
	double seconds;

	/* private */
	bool is_mapi;
	uint8_t *plain;
	size_t plain_len;
};

struct client_connection;

struct client_http *
client_http_new(TALLOC_CTX *mem, const struct client_http_params *params);
/* A connection is opened by its first request. Freed with talloc_free(). */
struct client_connection *client_connection_new(struct client_http *http);

/* Sends a request of the type ("Connect") and reads its answer.
   Returns 0 if the transport says that all is well (X-ResponseCode 0) and the
   answer is complete, else -1 with error_r set. *response_r is set in both
   cases, allocated from mem. */
int client_connection_request(struct client_connection *conn, TALLOC_CTX *mem,
			      const char *type, const void *body, size_t len,
			      struct client_http_response **response_r,
			      struct client_error *error_r);
/* Asks without credentials, as a client does at first. challenges_r: what the
   server wants to be authenticated by ("Basic, Negotiate"). */
int client_connection_probe(struct client_connection *conn, TALLOC_CTX *mem,
			    const char **challenges_r,
			    struct client_error *error_r);
/* Address and port of the server, TLS version and cipher where that's known;
   after the first request. */
const char *client_connection_peer(struct client_connection *conn,
				   TALLOC_CTX *mem);

const char *client_http_header(const struct client_http_response *response,
			       const char *name);
void client_http_violation(struct client_http *http, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Seconds on a clock that only goes forward. */
double client_clock(void);

#endif
