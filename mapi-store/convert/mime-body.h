/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_BODY_H
#define MIME_BODY_H

/* Bodies of a message. [MS-OXCMAIL] 2.2.3.3, [MS-OXBBODY] 2.2

   A message has a plain text body and an HTML body, whatever there is of it in
   the message: one is made from the other. For clients that know only RTF
   (tasks, sticky notes and journal entries depend on it), the one that the
   message has itself is wrapped in PidTagRtfCompressed, if they ask for that
   alone or beside others. PidTagNativeBody says text or HTML and
   PidTagRtfInSync is FALSE, so it's nobody's best body where there's another,
   [MS-OXBBODY] 2.1.3.1.

   All streams reference message (see mime_attachment_open()), may be seeked,
   and convert as they are read. */

#include "mime-structure.h"

/* PidTagNativeBody, [MS-OXCMSG] 2.2.1.58.2 */
enum mime_native_body {
	MIME_NATIVE_UNDEFINED	= 0,
	MIME_NATIVE_PLAIN	= 1,
	MIME_NATIVE_RTF		= 2,
	MIME_NATIVE_HTML	= 3,
	MIME_NATIVE_CLEAR_SIGNED = 4,
};

/* PidTagNativeBody: which of the bodies the message has itself.
   MIME_NATIVE_UNDEFINED if it has none. */
enum mime_native_body
mime_body_native(const struct mime_structure *structure);

/* A new body, on parent. structure must live as long. Nothing is read yet. */
struct mime_body *
mime_body_init(TALLOC_CTX *parent, const struct mime_structure *structure);

/* PidTagInternetCodepage, the code page of PidTagHtml: the sender's if the
   message's bytes are handed on as they are, else 65001 (UTF-8). Reads the
   HTML if it has no label, or one that is often wrong (us-ascii, utf-8). -1 if
   message fails. */
int mime_body_codepage(struct mime_body *body, struct istream *message,
		       uint32_t *codepage_r);

/* PidTagBody: UTF-8, CRLF line ends. Empty if there's no body. */
struct istream *
mime_body_open_text(struct mime_body *body, struct istream *message);
/* PidTagHtml: bytes in the body's code page. A document without content if
   there's no body: clients don't open messages with an empty value. */
struct istream *
mime_body_open_html(struct mime_body *body, struct istream *message);
/* The same in UTF-8 */
struct istream *
mime_body_open_html_utf8(struct mime_body *body, struct istream *message);

#endif
