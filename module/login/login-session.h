/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOGIN_SESSION_H
#define LOGIN_SESSION_H

#include "login-common.h"

/* Sessions as a login process sees them: a secret that is the client's cookie,
   the user, and a channel to the worker. */

/* Before the chroot: remembers where things are. */
void login_session_init(void);
/* Ends all channels; the sessions live on in their workers. */
void login_session_deinit(void);

/* Handles a request whose body has been read: authenticates it, finds its
   session or makes a new one, and answers it with what the worker says. */
void login_session_request(struct login_request *req);
/* The request is about to be freed: whatever is under way for it ends. */
void login_session_request_gone(struct login_request *req);

/* Ends requests that wait for notifications, so that connections become
   idle. */
void login_session_end_waits(void);

#endif
