/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DEFERRED_SEND_H
#define DEFERRED_SEND_H

/* Has workers send what is to be sent when its time has come. */

struct deferred_queue;

/* socket_path: mapi-submit of the workers. The queue must live longer. */
void deferred_send_init(struct deferred_queue *queue, const char *socket_path);
void deferred_send_deinit(void);

/* A user has been added, or has something to be sent earlier. */
void deferred_send_added(const char *username, time_t due);

#endif
