/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_SUBMIT_H
#define MAPI_SUBMIT_H

/* Sending messages, [MS-OXOMSG] 3.3.5: through what Dovecot is configured to send
   mail by (mapi-transport.h). The answer is that of the mail server: what it hasn't
   taken stays where it is, unsent. Nothing is queued here but what isn't to be sent
   yet.

   Where a message stands is what keywords of IMAP say ([RFC5550] 5.10):

     none of them	It can be sent.
     $SubmitPending,	It's in the Outbox and will be sent when its time has come
     $MapiHeld		(mapi-submit-deferred.c); PidTagMessageFlags has
			mfSubmitted. Until then it's taken back by RopAbortSubmit,
			or by whoever expunges it. MAPI clients can't do anything
			else to it: they can't change it (EC_SUBMITTED), delete,
			move or copy it. To send it, $MapiHeld is taken away.
     $SubmitPending	It's handed to the mail server; PidTagMessageFlags has
			mfSubmitted. If the process dies now, nobody knows whether
			the server has taken it. So it isn't sent a second time
			unless somebody wants it: a submission is refused
			(EC_SUBMITTED) until RopAbortSubmit takes the mark away.
     $Submitted		The mail server has taken it; mfUnsent is off. What's left
			is to move or to delete it. If the process dies before
			that's done, it's done when the user logs on for the next
			time, as far as it's in the Outbox, or when it's submitted
			again, which is refused (EC_SUBMITTED).

   Recipients whom the mail server refuses for good, while it takes the message for
   others, are reported to the sender: a message in his INBOX, which is there before
   $Submitted is. If all are refused, nothing has been sent.

   Each step is in the mailbox before the next one begins. Who sends holds a lock of
   the folder from the first to the last of them, so that a mark which is found by
   one who has the lock is that of a process that has died. */

#include "mapi-content.h"
#include "mapi-message.h"

#define MAPI_KEYWORD_SUBMIT_PENDING "$SubmitPending"
#define MAPI_KEYWORD_SUBMITTED "$Submitted"
#define MAPI_KEYWORD_HELD "$MapiHeld"

/* Who sees to it that what is held is sent */
struct mapi_deferrals {
	/* mapi_submit_deferred() is to be called for the user's store at that
	   time. Returns 0 if it will be, whatever happens to this process; -1 if
	   nobody will do it. */
	int (*add)(struct mapi_deferrals *deferrals, const char *username,
		   time_t due);
};

/* How a store's held messages are */
struct mapi_deferred_result {
	/* now; those that couldn't be sent at all, which their sender has been
	   told */
	unsigned int sent, failed;
	/* those that are still held, and when to look again; 0 if there's none */
	unsigned int held;
	time_t next;
};

/* Saves what has been changed and sends it. From another user's mailbox it's sent by
   the user who has opened that: as its owner or on behalf of him, if he may, unless
   the message says from whom it is. Afterwards the message is moved to
   where PidTagSentMailSvrEID or PidTagSentMailEntryId says, deleted if
   PidTagDeleteAfterSubmit is set, and left where it is if there's neither; msg isn't
   of use any more in the first two cases. If something fails after the message has
   been sent, it's for the log.

   What isn't to be sent yet (PidTagDeferredSendTime, PidTagDeferredDeliveryTime)
   is moved to the Outbox and held there, if the store has somebody who sees to it
   that it's sent and is the user's own. Otherwise the mail server may be able to do
   it.

   all_r is set to what has been sent, on mem.

   EC_NO_RECIPIENTS; EC_SUBMITTED (see above); EC_TIMEOUT if somebody else sends
   from the same folder for too long; EC_ACCESS_DENIED if the user may not send in
   the name of whom the message names; EC_NOT_SUPPORTED for embedded and FAI
   messages, if it's to be sent later and the mail server can't do that, and if no
   way of sending mail is configured; what mapi_transport_send() and
   mapi_message_save() say. */
enum mapi_error
mapi_message_submit(struct mapi_message *msg, TALLOC_CTX *mem,
		    const struct mapi_content **all_r);

/* Whether the user may send in the name of the mailbox's owner, as if he was that. */
bool mapi_store_may_send_as_owner(struct mapi_store *store);

/* Takes back a message that is held, or takes $SubmitPending away from one that isn't
   being sent any more.
   EC_NOT_FOUND; EC_NOT_IN_QUEUE if it isn't marked so; EC_UNABLE_TO_ABORT if it's
   just being sent, as far as can be seen. */
enum mapi_error mapi_message_abort_submit(struct mapi_store *store,
					  mapi_id_t fid, mapi_id_t mid);

/* Moves or deletes what has been sent from the Outbox and is still there, and sees to
   it that what is held there will be sent. Failures are for the log; it's tried again
   next time. */
void mapi_submit_recover(struct mapi_store *store);

/* Sends what has been held in the Outbox and is to be sent now, and does what
   mapi_submit_recover() does there. May be called at any time, by several processes
   at once. EC_TIMEOUT if others have the folder for too long; other errors if nobody
   knows what is held. */
enum mapi_error
mapi_submit_deferred(struct mapi_store *store,
		     struct mapi_deferred_result *result_r);

#endif
