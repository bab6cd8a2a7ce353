/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MAIL_H
#define MAPI_MAIL_H

/* Messages of any mailbox, be it a folder's or a companion */

#include "seq-range-array.h"
#include "mail-types.h"
#include "mapi-store.h"

struct file_lock;
struct istream;
struct mail_save_context;
struct mailbox;
struct mailbox_transaction_context;

/* Saves a message from input, which must be blocking; ctx is used up. -1 with the
   mailbox's error, or if input fails. */
int mapi_mail_save(struct mail_save_context **ctx, struct istream *input);
/* The same in a transaction of its own, which is committed. With unlimited, also if
   the user's quota is exceeded. */
enum mapi_error
mapi_mail_save_single(struct mailbox *box, struct istream *input,
		      enum mail_flags flags, bool unlimited,
		      const char *reason);
/* Creates a lock file of that name beside the mailbox's index and waits for so long if
   another process has it; file_lock_free() releases it. EC_TIMEOUT, which is logged
   if it was waited for; EC_ERROR has been logged. */
enum mapi_error
mapi_mail_lock(struct mailbox *box, const char *name, unsigned int wait_secs,
	       struct file_lock **lock_r);
/* mapi-mailprops-modified.c: when a message has been modified last, beside it (in its
   transaction), where no bag says it: a FILETIME. */
void mapi_mail_set_modified(struct mail *mail, uint64_t filetime);
/* The same when another protocol has just changed flags or keywords, if a MAPI client
   has ever opened the mailbox. */
void mapi_mail_flags_changed(struct mail *mail);
/* The same for a copy, which has just been added to a transaction, if it's said of
   mail. */
void mapi_mail_copy_modified(struct mail *mail,
			     struct mailbox_transaction_context *dest_trans);
/* Expunges those of uids that are there, in a transaction of its own. Empties uids if
   it has been done. */
enum mapi_error
mapi_mail_expunge_uids(struct mailbox *box, ARRAY_TYPE(seq_range) *uids);

#endif
