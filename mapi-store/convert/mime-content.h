/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_CONTENT_H
#define MIME_CONTENT_H

/* All that a MIME message says, as the content of a message object: what
   mime_build() writes is read back by this. */

#include "mapi-content.h"
#include "mime-message.h"

/* Text bodies are strings in memory; one that is longer is left out. */
#define MIME_CONTENT_TEXT_MAX (64 * 1024 * 1024)
/* PidTagHtml and PidTagAttachDataBinary are streams if they are longer. */
#define MIME_CONTENT_STREAM_MIN (64 * 1024)
/* Messages that are embedded deeper are attachments of bytes. */
#define MIME_CONTENT_MAX_DEPTH 60

/* The properties, recipients and attachments that mime_message_get_prop() etc.
   give, each with the same value. On parent. Streams read the message, which
   must live as long, and so must its source. -1 if the source fails, which knows
   why.

   Bodies are those that the message has itself: PidTagBody of text/plain (also
   as the alternative of HTML), PidTagHtml of text/html. What is made from the
   other one isn't there; a client may read it nevertheless. So what has been
   saved without PidTagBody and yet has it here (mime_build() makes a plain text
   alternative of HTML) has not lost it.

   Left out is what follows from the rest, and changes with it:
   PidTagHasAttachments, PidTagDisplayTo/Cc/Bcc, PidTagNativeBody,
   PidTagRtfInSync, PidTagConversationId; of recipients PidTagRowid; of
   attachments PidTagAttachNumber, PidTagAttachSize, PidTagObjectType. Of
   recipients there's what wire responses have, and what delivery reports say.
   Named properties: see mime_content_add_named(). */
int mime_content_derive(TALLOC_CTX *parent, struct mime_message *message,
			struct mapi_content **content_r);

/* Adds to props, with tags as in wanted, those of wanted's named properties that
   the header of message gives a value: any field may be asked for by its name
   (PS_INTERNET_HEADERS), so they can't be listed. Not PidNameKeywords, which are
   IMAP's keywords. -1 if the source fails. */
int mime_content_add_named(struct mapi_propset *props,
			   struct mime_message *message,
			   const struct mapi_propset *wanted);

#endif
