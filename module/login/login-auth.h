/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOGIN_AUTH_H
#define LOGIN_AUTH_H

#include "login-common.h"

/* Who sends a request: HTTP authentication by Dovecot's auth service. */

enum login_auth_result {
	LOGIN_AUTH_OK,
	/* wrong credentials, or none that we know how to check */
	LOGIN_AUTH_FAILED,
	/* plaintext authentication isn't allowed on this connection */
	LOGIN_AUTH_INSECURE,
	/* can't be told now */
	LOGIN_AUTH_TEMPFAIL,
};

/* What master-auth needs to hand an authenticated user to a worker. */
struct login_auth_reply {
	enum login_auth_result result;
	const char *username;
	const char *mechanism;
	unsigned int auth_id, auth_pid;
	/* in hex */
	const char *auth_cookie;
};

/* The reply is valid until return. If it's LOGIN_AUTH_OK the callee either
   uses auth_id for a login or calls login_auth_forget(). */
typedef void login_auth_callback_t(struct login_request *req,
				   const struct login_auth_reply *reply);

/* Loads nothing later: call before the chroot. */
void login_auth_init(void);
/* Connects to auth; after the chroot. */
void login_auth_connect(void);
void login_auth_deinit(void);

/* Values of WWW-Authenticate headers, NULL-terminated, on the data stack. */
const char *const *login_auth_challenges(const struct login_client_info *info);

/* Whether the request has an Authorization header at all; computes
   req->auth_hash, which is equal for equal headers within this process. */
bool login_auth_hash(struct login_request *req);

/* Checks the request's Authorization header. The callback may be called before
   this returns. */
void login_auth_start(struct login_request *req,
		      login_auth_callback_t *callback);
/* The callback won't be called any more. */
void login_auth_abort(struct login_auth_request **auth);
/* Tells auth that a successful request isn't going to be used for a login. */
void login_auth_forget(unsigned int auth_id);

#endif
