/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_WORKER_H
#define MAPI_WORKER_H

/* Sessions of a worker process, with the channels that their requests come
   by. */

#include "mapi-compat.h"
#include "mapi-directory.h"

struct mapi_deferrals;
struct mapi_worker_session;

/* A user has logged in; fd is the first channel to its login process. The
   session lives until the client disconnects, it has been idle for too long,
   or its only channel goes before a Connect has succeeded. sessions_path is
   the registry's socket, directory what the store asks about people, deferrals whom
   it tells of mail to be sent later, which
   must live as long as there are sessions. event is referenced; the user is the session's from
   then on. */
void mapi_worker_session_create(const struct mapi_compat_user *user, int fd,
				const char *sessions_path,
				struct mapi_directory *directory,
				struct mapi_deferrals *deferrals,
				struct event *event);
unsigned int mapi_worker_sessions_count(void);
/* Dovecot is being reconfigured: ends those that are or become idle for a
   minute. Or it's being shut down: ends all as soon as master is gone. */
void mapi_worker_sessions_die(void);
/* Ends all of them at once. */
void mapi_worker_sessions_destroy(void);

/* Calls back when a session has gone. */
extern void (*mapi_worker_session_destroyed)(void);

#endif
