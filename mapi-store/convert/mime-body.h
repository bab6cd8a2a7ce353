/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_BODY_H
#define MIME_BODY_H

/* Bodies of a message. [MS-OXCMAIL] 2.2.3.3, [MS-OXBBODY] 2.2

   A message has a plain text body and an HTML body, whatever there is of it in
   the message: one is made from the other. PidTagRtfCompressed is not made
   (clients are told by PidTagRtfInSync and PidTagNativeBody).

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

struct mime_body {
	enum mime_native_body native;
	/* PidTagInternetCodepage, the code page of PidTagHtml: the sender's
	   where the bytes are handed on as they are, else 65001 (UTF-8) */
	uint32_t codepage;
	/* private: what the text, and the HTML is made from */
	const struct mime_structure *structure;
	const struct mime_body_charset *charsets;
};

/* Finds out in which character sets the bodies are. That reads them if they
   have no label, or one that is often wrong (us-ascii, utf-8). -1 if message
   fails. The result is on parent. */
int mime_body_init(TALLOC_CTX *parent, const struct mime_structure *structure,
		   struct istream *message, struct mime_body **body_r);

/* PidTagBody: UTF-8, CRLF line ends */
struct istream *
mime_body_open_text(const struct mime_body *body, struct istream *message);
/* PidTagHtml: bytes in body->codepage */
struct istream *
mime_body_open_html(const struct mime_body *body, struct istream *message);

#endif
