/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WORKER_DEFERRED_H
#define WORKER_DEFERRED_H

/* The socket mapi-submit (mapi-deferred.h): a worker that has no session, but sends
   what a user has to be sent. */

#include "mapi-compat.h"
#include "mapi-directory.h"

struct mapi_deferrals;

/* deferrals is told of what is still held. destroyed is called when a connection has ended. */
void worker_deferred_init(struct mail_storage_service_ctx *storage_service,
			  struct mapi_directory *directory,
			  struct mapi_deferrals *deferrals,
			  struct event_category *category,
			  void (*destroyed)(void));
void worker_deferred_deinit(void);
/* Takes over fd. */
void worker_deferred_connected(int fd);

#endif
