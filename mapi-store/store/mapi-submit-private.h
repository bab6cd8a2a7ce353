/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_SUBMIT_PRIVATE_H
#define MAPI_SUBMIT_PRIVATE_H

/* The folder that is sent from: mapi-submit-folder.c. What a message says of how
   it's to be sent: mapi-submit-message.c. Sending it: mapi-submit.c, later:
   mapi-submit-deferred.c. What its sender is told: mapi-submit-report.c */

#include "mapi-content.h"
#include "mapi-folder.h"
#include "mapi-message.h"
#include "mapi-overlay.h"
#include "mapi-store.h"
#include "mapi-transport.h"

struct file_lock;
struct istream;
struct mail;
struct mapi_message_folder;
struct smtp_address;

/* For others that send from the same folder: an answer may take
   submission_timeout. */
#define MAPI_SUBMIT_LOCK_SECS 90

/* How far a message has come, mapi-submit.h */
enum mapi_submit_mark {
	MAPI_SUBMIT_NONE,
	MAPI_SUBMIT_HELD,
	MAPI_SUBMIT_PENDING,
	MAPI_SUBMIT_SUBMITTED,
};

/* A folder that is sent from, which nobody else does meanwhile */
struct mapi_submit_folder {
	struct mapi_message_folder *mfolder;
	struct mapi_folder *folder;
	struct file_lock *lock;
};

/* What becomes of a message that has been sent */
struct mapi_sent_place {
	bool delete;
	/* it's moved to this folder */
	bool moved;
	mapi_id_t fid;
};

/* In whose name a message is sent */
enum mapi_sender_right {
	/* that of who sends it, whatever address of his it is */
	MAPI_SENDER_SELF,
	/* somebody else's, as if he was that */
	MAPI_SENDER_SEND_AS,
	/* somebody else's, who is told who has sent it */
	MAPI_SENDER_ON_BEHALF,
};

/* All strings and addresses are on pool. */
struct mapi_submission {
	struct mapi_store *store;
	pool_t pool;

	enum mapi_sender_right right;
	/* From; of the mailbox's owner if the message has none */
	const struct smtp_address *from;
	bool from_given;
	/* Sender, NULL if it's as From */
	const struct smtp_address *sender;
	/* of the envelope */
	const struct smtp_address *env_from;
	ARRAY(const struct smtp_address *) rcpts;
	/* a new one for each time that it's sent; "" if even that isn't known */
	const char *message_id;
	/* for how long it isn't to be sent yet */
	unsigned int hold_secs;
	/* PidTagDeferredSendTime and PidTagExpiryTime, if they are given as a
	   number of units from now on: seconds, 0 if they aren't */
	unsigned int deferred_secs, expiry_secs;
	bool report_delivery;
	struct mapi_sent_place place;

	/* It has been held, and its time has come: it's sent as it is. */
	bool held;
	/* by mapi_submission_send(): the mail server's answers; and that it may
	   have been sent in spite of an error */
	struct mapi_refusals refusals;
	bool unknown;
};

/* --- the folder ----------------------------------------------------------------- */

/* Opens a folder and locks it, for which it waits for so long. In any case sf has to
   be closed. EC_TIMEOUT if others have the lock; then sf has the folder
   nevertheless. */
enum mapi_error
mapi_submit_folder_open(struct mapi_store *store, mapi_id_t fid,
			unsigned int lock_secs, struct mapi_submit_folder *sf);
void mapi_submit_folder_close(struct mapi_submit_folder *sf);

/* Whether it's worth to open it: nothing is allotted for a folder that is empty, as
   usual. */
bool mapi_submit_folder_has_messages(struct mapi_store *store, mapi_id_t fid);

enum mapi_submit_mark mapi_submit_mail_mark(struct mail *mail);
/* EC_NOT_FOUND, EC_NOT_SUPPORTED for FAI messages */
enum mapi_error
mapi_submit_get_mark(struct mapi_submit_folder *sf, mapi_id_t mid,
		     enum mapi_submit_mark *mark_r);
/* Durably. EC_ACCESS_DENIED if the user may not */
enum mapi_error
mapi_submit_set_mark(struct mapi_submit_folder *sf, mapi_id_t mid,
		     enum mapi_submit_mark mark);

/* Moves or deletes what has been sent. A failure has been logged. */
enum mapi_error
mapi_submit_finish(struct mapi_submit_folder *sf, mapi_id_t mid,
		   const struct mapi_sent_place *place);
/* The UID of a message that has just been moved to folder, where it keeps its GUID:
   0 if it isn't there. */
uint32_t mapi_submit_find_guid(struct mapi_folder *folder, const char *guid);
/* Finishes what has been sent and is still there, and warns of what may have been
   sent: by processes that have died. */
void mapi_submit_folder_recover(struct mapi_submit_folder *sf);

/* --- sending ---------------------------------------------------------------------- */

/* The message as it's sent: without Bcc, and without the header fields that it had
   when it was received by somebody, which are gone from all, too. EC_ACCESS_DENIED
   if its header says that it's from somebody else. */
enum mapi_error
mapi_submission_build(const struct mapi_submission *submission,
		      struct mapi_message *msg, const struct mapi_content *all,
		      struct istream **input_r);
/* Sends a message that has been marked as MAPI_SUBMIT_PENDING, and goes on with it
   to the end. If it hasn't been sent it's marked as it was before:
   MAPI_SUBMIT_HELD if it has been held, else MAPI_SUBMIT_NONE.

   The errors of mapi_transport_send(), and what else there may be if submission->
   unknown is set. */
enum mapi_error
mapi_submission_send(struct mapi_submit_folder *sf,
		     struct mapi_submission *submission,
		     struct mapi_message *msg, struct mapi_content *all,
		     struct istream *input);
/* Holds a message that has been saved. sf is the folder where it is; if that isn't
   the Outbox it's moved there. EC_NOT_SUPPORTED if nothing has been done, as nobody
   would send it. */
enum mapi_error
mapi_submission_hold(struct mapi_submit_folder *sf,
		     const struct mapi_submission *submission,
		     struct mapi_message *msg);
/* See mapi_submit_recover(). The folder may have others beside held messages. */
void mapi_submit_remember_held(struct mapi_submit_folder *sf);

/* --- what the message says -------------------------------------------------------- */

/* When a message that is held is to be sent; 0 if it doesn't say so. */
time_t mapi_submission_due(const struct mapi_propset *props);

/* Everything but store, pool and held. On errors it's good for
   mapi_submission_report(). EC_NO_RECIPIENTS, EC_INVALID_RECIPIENTS,
   EC_ACCESS_DENIED, EC_INVALID_PARAM */
enum mapi_error
mapi_submission_init(struct mapi_submission *submission,
		     const struct mapi_content *all);
/* What a message says, or else the store for all of them, [MS-OXCSTOR] 2.2.2.1.2.2,
   2.2.2.1.2.5. */
void mapi_sent_place_get(struct mapi_store *store,
			 const struct mapi_content *all,
			 struct mapi_sent_place *place_r);
/* What the server gives a message that's sent, [MS-OXOMSG] 3.3.5.1: who sends it,
   when, and a Message-ID that no message has. */
void mapi_submission_set_props(const struct mapi_submission *submission,
			       const struct mapi_content *all,
			       struct mapi_overlay *overlay);
/* Tells the sender, by a message in his INBOX, of the recipients whom the mail
   server has refused (submission->refusals) when it took the message, all, for the
   others; or, with a reason, that it hasn't been sent to anybody: what the server
   has said goes before the reason. */
enum mapi_error
mapi_submission_report(const struct mapi_submission *submission,
		       struct mapi_content *all, const char *reason);
/* FALSE if input's header has others in From and Sender than it should have. */
bool mapi_submission_check_header(const struct mapi_submission *submission,
				  struct istream *input);

#endif
