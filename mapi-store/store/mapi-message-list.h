/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MESSAGE_LIST_H
#define MAPI_MESSAGE_LIST_H

/* The messages of a folder that an operation names, as UIDs of the mailboxes that
   they are in. */

#include "seq-range-array.h"
#include "mapi-folder-rights.h"
#include "mapi-message-folder.h"

struct mailbox;

struct mapi_message_list {
	struct mapi_message_folder *mfolder;
	struct mapi_folder *folder;
	/* normal messages, FAI messages: NULL if none of them is named */
	struct mailbox *boxes[2];
	/* Some may not exist. */
	ARRAY_TYPE(seq_range) uids[2];
	/* some ids aren't of this folder */
	bool missing;
	/* some messages aren't in the list as the user hasn't created them and
	   may use no others */
	bool denied;
};

/* Opens the mailboxes and synchronises them, with the owner's rights if the list has
   only messages that the user has created (folder->own). On success the list must
   be closed. EC_ACCESS_DENIED if messages are to be changed and one of the
   mailboxes is read-only, or all messages are denied. */
enum mapi_error
mapi_message_list_open(struct mapi_store *store, mapi_id_t fid,
		       const mapi_id_t *mids, unsigned int count,
		       enum mapi_message_use use,
		       struct mapi_message_list *list_r);
/* Zero at first: then mapi_message_list_open_slice() sets which messages there are,
   those that come later aren't among them. */
struct mapi_message_slice {
	uint32_t uid_validity;
	/* those left to be listed; none if the first is greater */
	uint32_t next_uid, last_uid;
};
/* The next max of all normal or all FAI messages, in the order of their UIDs, of users
   who have rights to all. Returns also how many. EC_ACCESS_DENIED if the mailbox is
   read-only. */
enum mapi_error
mapi_message_list_open_slice(struct mapi_store *store, mapi_id_t fid,
			     bool associated, struct mapi_message_slice *slice,
			     unsigned int max, struct mapi_message_list *list_r,
			     unsigned int *count_r);
/* If some of the messages that list was opened with aren't in the folder, but have
   been soft deleted from it, these are no longer in list, and it isn't missing
   any that they are: that's up to deleted_r, which must be closed if
   *any_r is set. */
enum mapi_error
mapi_message_list_split_deleted(struct mapi_message_list *list,
				const mapi_id_t *mids, unsigned int count,
				struct mapi_message_list *deleted_r,
				bool *any_r);
/* Takes those out of list that are held in the Outbox until they're to be sent
   (mapi-submit.h): it's as if they were missing. */
void mapi_message_list_leave_held(struct mapi_message_list *list);
/* There must be no transaction left. */
void mapi_message_list_close(struct mapi_message_list *list);

/* TRUE if any of the UIDs exists in the mailbox as it was synchronised last. */
bool mapi_message_list_any_left(struct mailbox *box,
				const ARRAY_TYPE(seq_range) *uids);

#endif
