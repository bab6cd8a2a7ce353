/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_DEFERRED_H
#define MAPI_DEFERRED_H

/* Mail that is to be sent later (mapi-submit.h): who remembers when, and who sends
   it. Both sockets have lines of tab-separated, tab-escaped fields, after a handshake
   as Dovecot's services have it.

   mapi-deferred, of the process of that name, which workers tell when a user has
   something to be sent:

     ADD <username> <Unix time>

   is answered by "OK" when it will be remembered whatever happens, or "FAIL".

   mapi-submit, of the workers: sends what is to be sent now.

     SEND <username>

   is answered by one of

     OK <sent> <failed> <held> <next>	(struct mapi_deferred_result)
     NOUSER
     FAIL				it should be tried again; the log says why

   and closed. At the time mapi-deferred asks a worker, as does an administrator by
   "doveadm mapi deferred". */

#include "mapi-submit.h"

#define MAPI_DEFERRED_SOCKET "mapi-deferred"
#define MAPI_SUBMIT_SOCKET "mapi-submit"

/* Asks mapi-deferred at that socket. */
struct mapi_deferrals *mapi_deferred_client_init(const char *socket_path);
void mapi_deferred_client_deinit(struct mapi_deferrals **deferrals);

/* SEND, on a connection to mapi-submit that is closed by it. Waits for as long as it
   takes. Returns 1; 0 if there's no such user; -1 and an error. */
int mapi_deferred_send(int fd, const char *username,
		       struct mapi_deferred_result *result_r,
		       const char **error_r);
/* The fields of an answer to SEND; the same without an error. */
int mapi_deferred_parse_answer(const char *const *args,
			       struct mapi_deferred_result *result_r);

#endif
