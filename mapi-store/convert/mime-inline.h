/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_INLINE_H
#define MIME_INLINE_H

/* Which attachments the HTML body really shows. [MS-OXCMAIL] 2.2.3.4.1.4.1:
   one that is taken for inline, but isn't referred to, would be hidden from its
   reader. Private to this folder. */

#include "mime-body.h"

/* The content ids of all "cid:ID" in HTML, in any character set that ASCII is
   part of. NULL if html fails. */
struct mime_cids *mime_cids_scan(struct istream *html);
/* content_id: without angle brackets */
bool mime_cids_has(const struct mime_cids *cids, const char *content_id);
void mime_cids_free(struct mime_cids **cids);

/* True if mime_inline_check() has something to do. */
bool mime_inline_wanted(const struct mime_structure *structure);
/* Clears inline_html of those that the HTML has no "cid:" of. -1 if message
   fails. */
int mime_inline_check(struct mime_structure *structure, struct mime_body *body,
		      struct istream *message);

#endif
