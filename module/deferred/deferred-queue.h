/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DEFERRED_QUEUE_H
#define DEFERRED_QUEUE_H

/* Which users have mail that is to be sent later, and when: in memory and in a file,
   a line for each of them ("<Unix time> <username>", the latter tab-escaped).

   The file is replaced as a whole by each change. It belongs to one process at a
   time, which has the lock of it. If it's lost, users are added again when they log
   on; if a time in it is too early, somebody looks in vain. */

#include "hash.h"

struct deferred_user {
	char *username;
	/* when to look; never 0 */
	time_t due;

	/* of deferred-send.c: somebody is just looking; when he began, it hadn't
	   been added yet (0: nothing); attempts that failed; no attempt is made
	   before */
	bool running;
	time_t added;
	unsigned int failures;
	time_t wake;
};

struct deferred_queue;

/* Waits for the lock. Returns -1 and an error if the file can't be read or locked. */
int deferred_queue_init(const char *path, struct deferred_queue **queue_r,
			const char **error_r);
void deferred_queue_deinit(struct deferred_queue **queue);

/* NULL if there's no such user */
struct deferred_user *
deferred_queue_find(struct deferred_queue *queue, const char *username);
/* Adds the user, or changes due if it's earlier than what is known. 0 if it's in the
   file, durably; -1 and an error if not. Then it's in memory nevertheless, and the
   next change of anything will try to write it. */
int deferred_queue_add(struct deferred_queue *queue, const char *username,
		       time_t due, const char **error_r);
/* Changes due, or removes the user if it's 0. Returns as above. */
int deferred_queue_set(struct deferred_queue *queue, struct deferred_user *user,
		       time_t due, const char **error_r);

/* Calls for each user, who may be changed but not removed. */
void deferred_queue_foreach(struct deferred_queue *queue,
			    void (*callback)(struct deferred_user *user,
					     void *context), void *context);

#endif
