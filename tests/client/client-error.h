/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_ERROR_H
#define CLIENT_ERROR_H

/* Why something failed: at which step, and what the server answered. A struct
   of its own and no pointers, so that it outlives whatever failed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum client_failure {
	CLIENT_FAIL_NONE,
	/* no host, no listener */
	CLIENT_FAIL_CONNECT,
	/* no TLS there, or a certificate that isn't believed */
	CLIENT_FAIL_TLS,
	CLIENT_FAIL_TIMEOUT,
	/* the connection ended within the answer */
	CLIENT_FAIL_LOST,
	/* HTTP 401 */
	CLIENT_FAIL_AUTH,
	/* another HTTP status than 200 and 401 */
	CLIENT_FAIL_HTTP,
	/* HTTP 200, but without X-ResponseCode */
	CLIENT_FAIL_NOT_MAPI,
	/* X-ResponseCode isn't 0 */
	CLIENT_FAIL_RESPONSE_CODE,
	/* StatusCode or ErrorCode in the response's body isn't 0 */
	CLIENT_FAIL_STATUS,
	/* a ROP's ReturnValue isn't 0 */
	CLIENT_FAIL_ROP,
	/* Autodiscover: an answer that isn't one */
	CLIENT_FAIL_NOT_AUTODISCOVER,
	/* Autodiscover: an Error, or no mailbox for this client in it */
	CLIENT_FAIL_AUTODISCOVER,
	/* a redirection that is not to be followed */
	CLIENT_FAIL_REDIRECT,
	/* an answer that the specification doesn't allow */
	CLIENT_FAIL_PROTOCOL,
	/* no fault of the server */
	CLIENT_FAIL_LOCAL,
};

#define CLIENT_REQUEST_AUTODISCOVER "Autodiscover"
/* An Autodiscover server's ErrorCode: it has no such mailbox. */
#define CLIENT_AUTODISCOVER_UNKNOWN_USER 500

struct client_error {
	enum client_failure failure;
	/* What was being done, for humans: "open message 3 of Inbox". */
	char step[160];
	/* request type ("Execute", CLIENT_REQUEST_AUTODISCOVER), ROP
	   ("RopOpenFolder"), or "" */
	char request[32];
	char rop[64];
	/* 0 if there was no answer */
	long http_status;
	/* X-ResponseCode, -1 if there was none */
	int response_code;
	/* StatusCode, ErrorCode or ReturnValue; Autodiscover's ErrorCode */
	uint32_t ec;
	/* one sentence without a full stop */
	char text[512];
	/* the beginning of what the server said, where that's text */
	char answer[256];
};

/* Sets failure and text; request, rop and the rest stay as they are. Always
   returns -1. */
int client_error_set(struct client_error *error, enum client_failure failure,
		     const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void client_error_clear(struct client_error *error);
/* Begins a step: clears the error, and says what is being done. */
void client_error_step(struct client_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Keeps the beginning of what the server said: without tags, in one line. */
void client_error_set_answer(struct client_error *error, const void *data,
			     size_t size);
/* The whole story in one line, into buf. Returns buf. */
const char *client_error_describe(const struct client_error *error,
				  char *buf, size_t size);
/* What an operator should look at: a sentence, or NULL if the failure says it
   all. */
const char *client_error_advice(const struct client_error *error);
/* "connect", "tls", ... for scripts */
const char *client_failure_name(enum client_failure failure);
/* The name that [MS-OXCMAPIHTTP] 2.2.3.3.3 gives an X-ResponseCode. */
const char *client_response_code_name(int code);

#endif
