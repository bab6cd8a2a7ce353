/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_TRANSPORT_H
#define MAPI_TRANSPORT_H

/* Handing a finished message to the mail server that Dovecot is configured to
   send mail by: submission_host, else sendmail_path.

   Dovecot's smtp_submit isn't used since it can't tell what has to be known here: a
   message that some recipients are refused of it sends to the others, and says
   that it has failed; and whether a message may have been sent though no answer
   came. */

#include "mapi-store.h"

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

/* Whether there's a way of sending mail. */
bool mapi_transport_is_configured(struct mapi_store *store);

/* Sends what input has from its start, to all recipients or to none. It blocks,
   but no longer than submission_timeout for each answer. The log says who was
   refused and why.

   EC_INVALID_RECIPIENTS, EC_TOO_MANY_RECIPS; EC_MAX_SUBMISSION_EXCEEDED if the
   message is too large; EC_ACCESS_DENIED if the sender is refused;
   EC_NOT_SUPPORTED if it can't be held; EC_ERROR if the message is refused;
   EC_NETWORK_ERROR if nobody takes it now. *unknown_r is set if it may have been
   sent in spite of the error: the answer is missing. */
enum mapi_error
mapi_transport_send(struct mapi_store *store,
		    const struct mapi_envelope *envelope,
		    struct istream *input, bool *unknown_r);

/* The message as Dovecot's logs name it. On the data stack */
const char *t_mapi_envelope_log(const struct mapi_envelope *envelope);

/* mapi-transport-smtp.c */
enum mapi_error
mapi_transport_send_smtp(struct mapi_store *store,
			 const struct mapi_envelope *envelope,
			 struct istream *input, bool *unknown_r);

#endif
