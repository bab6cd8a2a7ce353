/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_INLINE_H
#define MIME_INLINE_H

/* Which attachments the HTML body really shows. [MS-OXCMAIL] 2.2.3.4.1.4.1:
   one that is taken for inline, but isn't referred to, would be hidden from its
   reader. Private to this folder. */

#include "mime-body.h"

/* True if mime_inline_check() has something to do. */
bool mime_inline_wanted(const struct mime_structure *structure);
/* Clears inline_html of those that the HTML has no "cid:" of. -1 if message
   fails. */
int mime_inline_check(struct mime_structure *structure, struct mime_body *body,
		      struct istream *message);

#endif
