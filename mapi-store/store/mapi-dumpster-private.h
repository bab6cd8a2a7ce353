/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_DUMPSTER_PRIVATE_H
#define MAPI_DUMPSTER_PRIVATE_H

#include "mapi-dumpster.h"

/* A folder and its dumpster, of normal or of FAI messages */
struct mapi_dumpster {
	/* whose dumpster it is: usually the folder's */
	mapi_id_t fid;
	struct mapi_folder *folder, *deleted;
	bool associated;
	struct mailbox *box, *deleted_box;
	struct mapi_message_folder *deleted_mfolder;
	struct file_lock *lock;
};

/* Opens the dumpster of fid, synchronises it and the folder's box, and takes the
   lock. deleted_box is NULL if there's none and it isn't to be created. To be closed
   on errors, too. */
enum mapi_error mapi_dumpster_open(struct mapi_dumpster *d, bool create);
void mapi_dumpster_close(struct mapi_dumpster *d);

/* Up to which UID it's known that nothing is in the folder, too; and the last UID */
uint32_t mapi_dumpster_checked_uid(struct mailbox *deleted_box);
enum mapi_error
mapi_dumpster_set_checked_uid(struct mailbox *deleted_box, uint32_t uid);
uint32_t mapi_dumpster_last_uid(struct mailbox *deleted_box);

/* mapi-dumpster-date.c: for mapi_dumpster_get_date() */
void mapi_dumpster_set_date(struct mailbox_transaction_context *trans,
			    uint32_t seq, time_t date);

/* The GLOBCNT of a message's MID, 0 if it isn't known */
uint64_t mapi_dumpster_seq_mid(struct mailbox *box, uint32_t seq);

/* mapi-dumpster-files.c: before messages are moved to the dumpster */
enum mapi_error mapi_dumpster_begin_move(struct mapi_dumpster *d);
/* Expunges from the dumpster what the last move has left from first_uid on if its
   content is in the folder. d->box and d->deleted_box have just been
   synchronised. */
enum mapi_error
mapi_dumpster_drop_files(struct mapi_dumpster *d, uint32_t first_uid);

#endif
