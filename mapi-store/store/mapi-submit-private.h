/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_SUBMIT_PRIVATE_H
#define MAPI_SUBMIT_PRIVATE_H

/* What a message says of how it's to be sent: mapi-submit-message.c. What its sender
   is told: mapi-submit-report.c */

#include "mapi-content.h"
#include "mapi-overlay.h"
#include "mapi-store.h"

struct istream;
struct smtp_address;

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
	/* a new one for each time that it's sent */
	const char *message_id;
	unsigned int hold_secs;
	/* PidTagDeferredSendTime and PidTagExpiryTime, if they are given as a
	   number of units from now on: seconds, 0 if they aren't */
	unsigned int deferred_secs, expiry_secs;
	bool report_delivery;
	struct mapi_sent_place place;
};

/* Everything but store and pool. EC_NO_RECIPIENTS, EC_INVALID_RECIPIENTS,
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
/* Tells the sender whom the mail server has refused when it took the message, all,
   for the others. */
struct mapi_refusals;
enum mapi_error
mapi_submission_report(const struct mapi_submission *submission,
		       struct mapi_content *all,
		       const struct mapi_refusals *refusals);
/* FALSE if input's header has others in From and Sender than it should have. */
bool mapi_submission_check_header(const struct mapi_submission *submission,
				  struct istream *input);

#endif
