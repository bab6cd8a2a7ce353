/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOGIN_RESPONSE_H
#define LOGIN_RESPONSE_H

#include "login-common.h"

struct login_auth_reply;

/* Responses, [MS-OXCMAPIHTTP] 2.2.3.2, 2.2.7. A response that is quick is sent
   whole, in one write. One that isn't starts with PROCESSING, and every
   pending period PENDING follows until there's an answer. */

/* The request has been handed over: an answer is awaited. immediately: it is
   known that it takes time (NotificationWait). */
void login_response_await(struct login_request *req, bool immediately);

/* Answers. */
void login_response_send(struct login_request *req,
			 const void *body, size_t body_size);
/* Answers with an X-ResponseCode other than MAPIHTTP_SUCCESS. */
void login_response_fail(struct login_request *req, enum mapihttp_code code,
			 const char *reason);
/* Answers with HTTP status 401 and the challenges that auth offers. */
void login_response_unauthorized(struct login_request *req);
/* Answers with another HTTP status. */
void login_response_http_fail(struct login_request *req, unsigned int status,
			      const char *reason, const char *text);
/* Answers with something that isn't of MAPI over HTTP. content_type and location
   may be NULL. */
void login_response_plain(struct login_request *req, unsigned int status,
			  const char *content_type, const char *location,
			  const void *body, size_t body_size);
/* Answers which methods a resource has: status is 200 if that was the question,
   405 if it isn't one of them. */
void login_response_methods(struct login_request *req, unsigned int status,
			    const char *methods);
/* Answers if the credentials weren't good, or can't be checked. Returns whether
   it was so. */
bool login_response_auth_failed(struct login_request *req,
				const struct login_auth_reply *reply);

#endif
