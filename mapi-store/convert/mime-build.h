/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_BUILD_H
#define MIME_BUILD_H

/* MAPI to MIME: the best standard form of what a client has saved. [MS-OXCMAIL]
   2.1, [MS-OXBBODY], [MS-OXOSMIME] */

#include "mapi-content.h"

struct istream;
struct ostream;

struct mime_build_params {
	/* The SMTP address of somebody who is known by another address (EX);
	   NULL if it isn't known. Result is on mem. May be NULL. */
	const char *(*smtp_address)(void *context, TALLOC_CTX *mem,
				    const char *address_type,
				    const char *address);
	void *context;
	/* Date of a message that has neither PidTagClientSubmitTime nor
	   PidTagMessageDeliveryTime; Unix time. Messages embedded in it have
	   no Date then. */
	time_t now;
	/* Bcc recipients become a Bcc field: so in a store, but not in what is
	   sent. */
	bool with_bcc;
	/* Distinguishes the boundaries of this message from those of others:
	   boundaries must not occur in what they separate, and the same
	   message must always be built to the same bytes. NULL: made of the
	   content. */
	const char *boundary_seed;
};

/* Writes the message, with CRLF. 0 if done; -1 if content's streams can't be read
   or output can't be written to: the streams say why. Content that has no
   standard form is left out: a message without any property is still a message. */
int mime_build(const struct mapi_content *content,
	       const struct mime_build_params *params, struct ostream *output);

/* The SMTP addresses that fields of the message are made of, for its envelope. On
   mem. NULL if there's none that mail could be sent to: "", or a name or an
   address of another kind. (Fields have such addresses encapsulated.) */
const char *
mime_build_recipient_address(const struct mime_build_params *params,
			     TALLOC_CTX *mem,
			     const struct mapi_content_recipient *recipient);
/* Of From: PidTagSentRepresenting*. FALSE if these properties say nobody: a
   name alone doesn't. */
bool mime_build_from_address(const struct mime_build_params *params,
			     TALLOC_CTX *mem, const struct mapi_propset *props,
			     const char **address_r);

#endif
