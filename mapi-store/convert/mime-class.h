/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_CLASS_H
#define MIME_CLASS_H

/* PidTagMessageClass from a message's MIME type, [MS-OXCMAIL] 2.2.3.2.1,
   [MS-OXOSMIME] 2.1. Private to this folder. */

#include "lib.h"

struct message_part;

/* Opaque-signed or encrypted, [MS-OXOSMIME] 2.1.2 */
bool mime_is_opaque_smime(const struct message_part *root);
/* Clear-signed by S/MIME, [MS-OXOSMIME] 2.1.1, and not by PGP: 1 or 0. -1 if
   only the parts tell, and root has none. */
int mime_is_clear_signed_smime(const struct message_part *root);

/* root has only data, no children. Static string; NULL if the structure has to
   be looked at. */
const char *mime_class_from_header(const struct message_part *root);

#endif
