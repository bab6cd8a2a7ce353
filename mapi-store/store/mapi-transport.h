/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_TRANSPORT_H
#define MAPI_TRANSPORT_H

/* Handing a finished message to the mail server that Dovecot is configured to
   send mail by: submission_host, else sendmail_path.

   Dovecot's smtp_submit isn't used since it can't tell what has to be known here: a
   message that some recipients are refused of it sends to the others, and says
   that it has failed, but not of whom; and whether a message may have been sent
   though no answer came. */

#include "array-decl.h"
#include "mapi-store.h"
#include "mime-status.h"

struct istream;
struct smtp_address;

struct mapi_envelope {
	/* NULL: <>, for what nobody must answer automatically */
	const struct smtp_address *from;
	/* without doubles, at least one */
	const struct smtp_address *const *rcpts;
	unsigned int rcpt_count;
	/* Message-ID, for the log; may be NULL */
	const char *message_id;
	/* Successful delivery is to be reported, if the server can have that
	   done ([RFC3461]). */
	bool report_delivery;
	/* for so many seconds the server keeps it ([RFC4865]); 0: sent now */
	unsigned int hold_secs;
};

/* A recipient whom the mail server refuses for good */
struct mapi_refusal {
	/* the envelope's */
	const struct smtp_address *rcpt;
	/* 5.0.0 if the server doesn't say it more exactly */
	struct mime_status status;
	/* what the server has said, "550 5.1.1 <...> Unknown": UTF-8, one
	   line */
	const char *reply;
};
ARRAY_DEFINE_TYPE(mapi_refusal, struct mapi_refusal);
struct mapi_refusals {
	/* the caller's: what follows is on it */
	pool_t pool;
	ARRAY_TYPE(mapi_refusal) list;
	/* the mail server's name */
	const char *server;
	/* what it has said of the message as a whole, for which it refuses it
	   for good: as of a recipient. reply is NULL if it has said nothing. */
	struct mime_status status;
	const char *reply;
};

/* Whether there's a way of sending mail. */
bool mapi_transport_is_configured(struct mapi_store *store);

/* Sends what input has from its start. It blocks, but no longer than
   submission_timeout for each answer. The log says who was refused and why.

   refusals: those whom the mail server refuses for good are listed in it (it's
   empty before), and the others are sent the message: so it has been sent, to
   somebody, if this is EC_NONE. What the mail server refuses for now is refused as
   a whole, as it is if nobody is left. NULL: it's sent to all recipients or to
   none.

   EC_INVALID_RECIPIENTS, EC_TOO_MANY_RECIPS; EC_MAX_SUBMISSION_EXCEEDED if the
   message is too large; EC_ACCESS_DENIED if the sender is refused;
   EC_NOT_SUPPORTED if it can't be held; EC_ERROR if the message is refused;
   EC_NETWORK_ERROR if nobody takes it now. *unknown_r is set if it may have been
   sent in spite of the error: the answer is missing. */
enum mapi_error
mapi_transport_send(struct mapi_store *store,
		    const struct mapi_envelope *envelope,
		    struct istream *input, struct mapi_refusals *refusals,
		    bool *unknown_r);

/* The message as Dovecot's logs name it. On the data stack */
const char *t_mapi_envelope_log(const struct mapi_envelope *envelope);

/* mapi-transport-smtp.c */
enum mapi_error
mapi_transport_send_smtp(struct mapi_store *store,
			 const struct mapi_envelope *envelope,
			 struct istream *input, struct mapi_refusals *refusals,
			 bool *unknown_r);

#endif
