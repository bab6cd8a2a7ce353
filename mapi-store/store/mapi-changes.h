/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_CHANGES_H
#define MAPI_CHANGES_H

/* Changes of a message that aren't changes of its content.

   Any change of flags or keywords gives a message a new MODSEQ, and MODSEQs are
   what change numbers are made of (docs/architecture.md, section 5). But marking
   a message as read changes its read state only, and setting its status only its
   status: PidTagChangeNumber, PidTagChangeKey and PidTagPredecessorChangeList
   stay what they were ([MS-OXCMSG] 3.2.5.8, 3.2.5.10, 3.2.5.11), or a client
   that keeps a copy would download the whole message again.

   So such a change leaves a record in an index extension: which MODSEQ the
   content has, and which one the message gets by this change. While that is the
   message's latest change, the record holds; any later one by whomever makes it
   void. The record is a cache: without it a message counts as changed once more
   than it was. */

#include "mapi-errors.h"

struct mail;
struct mailbox;
struct mailbox_transaction_context;

/* The MODSEQ of the message's content: what its change number is made of. */
uint64_t mapi_mail_content_modseq(struct mail *mail);

/* For a change that isn't in the message itself: gives it a MODSEQ that it hasn't
   had before, whatever others do at the same time. That's to be done afterwards, as
   who sees the MODSEQ must see the change, and before: a process that dies in
   between leaves a change, and the message must not have the MODSEQ that it had
   without it. There must be no transaction on box, and it must have been synchronised
   just before it's going to change. No error if there's no such message any more. */
enum mapi_error mapi_mail_set_changing(struct mailbox *box, uint32_t uid);
enum mapi_error mapi_mail_set_changed(struct mailbox *box, uint32_t uid);

/* A transaction that leaves contents alone */
struct mapi_changes {
	struct mailbox_transaction_context *trans;
	uint32_t ext_id;
	/* HIGHESTMODSEQ before it */
	uint64_t highest;
};

/* The mailbox must have been synchronised just before. If another session is
   faster nevertheless, the MODSEQs will be others and the records void. */
void mapi_changes_init(struct mapi_changes *changes_r,
		       struct mailbox_transaction_context *trans);
/* mapi_mail_content_modseq() of a message */
uint64_t mapi_changes_content(const struct mapi_changes *changes, uint32_t seq);
/* Says that a message's latest change is going to be the one of this
   transaction, and that content, which mapi_changes_content() gave before,
   remains the MODSEQ of its content.

   step: which of the transaction's changes is the message's last: Dovecot counts
   the MODSEQ up by one for all changes of flags together, and then for each
   keyword. */
void mapi_changes_keep_content(struct mapi_changes *changes, uint32_t seq,
			       uint64_t content, unsigned int step);

#endif
