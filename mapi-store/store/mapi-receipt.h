/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_RECEIPT_H
#define MAPI_RECEIPT_H

/* Read receipts, [MS-OXOMSG] 2.2.2: notifications ([RFC8098]) to who has asked for
   them by Disposition-Notification-To. The IMAP keyword $MDNSent ([RFC3503]) says
   that one has been sent, or that none is to be: it's set, under a lock of the
   mailbox and durably, before anything is sent, and taken away only if the mail
   server has refused the notification. So nobody gets two of them; if the process
   dies in between, none. */

#include "seq-range-array.h"
#include "mapi-store.h"

#define MAPI_KEYWORD_MDN_SENT "$MDNSent"
#define MAPI_RECEIPT_HEADER "Disposition-Notification-To"

struct mailbox;
struct mapi_receipts;

enum mapi_receipt_reason {
	/* it has been marked as read */
	MAPI_RECEIPT_READ,
	/* the client wants it to be sent */
	MAPI_RECEIPT_ASKED,
	/* it's going to be deleted unread */
	MAPI_RECEIPT_DELETED,
};

/* Whether any are sent: the administrator may not want it, or mail can't be sent. */
bool mapi_receipts_are_sent(struct mapi_store *store);

/* Sets $MDNSent of those of the messages that want a receipt, haven't had one, and
   for which one may be sent: never to the user, or about notifications or what has
   no sender (Return-Path: <>); and, unless the client asks for it or the
   administrator wants it, only to where the message came from ([RFC8098] 2.1). At
   most 100 at a time. box has been synchronised and must have no transaction. NULL
   if there are none. */
struct mapi_receipts *
mapi_receipts_claim(struct mapi_store *store, struct mailbox *box,
		    const ARRAY_TYPE(seq_range) *uids,
		    enum mapi_receipt_reason reason);
/* How many there are */
unsigned int mapi_receipts_count(const struct mapi_receipts *receipts);
/* Sends them; returns how many have been sent, or may have been. */
unsigned int mapi_receipts_send(struct mapi_receipts **receipts);
/* Doesn't send them: they are pending again. */
void mapi_receipts_unclaim(struct mapi_receipts **receipts);

/* mapi_messages_delete(), or unless it's hard mapi_messages_soft_delete(), and the
   senders of those that were unread are told. */
enum mapi_error
mapi_messages_delete_notify(struct mapi_store *store, mapi_id_t fid,
			    const mapi_id_t *mids, unsigned int count,
			    bool hard, bool *partial_r);

#endif
