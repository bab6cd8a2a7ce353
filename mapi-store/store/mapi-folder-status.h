/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_FOLDER_STATUS_H
#define MAPI_FOLDER_STATUS_H

/* Counts, sizes and times of a folder: what its mailbox says, from Dovecot's
   mailbox list index where that is up to date. Each is looked up when it's asked
   for, and once. Whoever may not read the messages doesn't see how many there are
   either, and gets what an empty folder would have. */

#include <time.h>
#include "mapi-dumpster.h"
#include "mapi-folder.h"

/* Initialised with store and node, which must stay valid; there's nothing to be
   freed. Other fields belong to mapi-folder-status.c. */
struct mapi_folder_status {
	struct mapi_store *store;
	const struct mapi_folder_node *node;

	bool have_status, have_size, have_times, have_associated;
	bool have_deleted;
	struct mailbox_status status;
	uint64_t size;
	uint32_t associated_count;
	struct timespec created, changed;
	struct mapi_dumpster_totals deleted;
};

/* Messages, unseen, uidvalidity and uidnext; of search folders messages and unseen
   only. All are 0 if there's no mailbox. */
const struct mailbox_status *
mapi_folder_status_get(struct mapi_folder_status *status);
/* Size of its messages in bytes, as they are in IMAP */
uint64_t mapi_folder_status_size(struct mapi_folder_status *status);
/* Number of FAI messages */
uint32_t mapi_folder_status_associated(struct mapi_folder_status *status);
/* What has been soft deleted from it */
const struct mapi_dumpster_totals *
mapi_folder_status_deleted(struct mapi_folder_status *status);
/* When it was created, and when it or anything in it was changed last */
void mapi_folder_status_times(struct mapi_folder_status *status,
			      struct timespec *created_r,
			      struct timespec *changed_r);

#endif
