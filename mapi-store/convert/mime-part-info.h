/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_PART_INFO_H
#define MIME_PART_INFO_H

/* What a MIME part's header says, with the defaults of [RFC2045] 5.2. Private
   to this folder. */

#include "lib.h"
#include <talloc.h>
#include "mime-transfer.h"

struct message_part;

/* case-insensitive; subtype NULL = any */
bool mime_part_is(const struct message_part *part, const char *type,
		  const char *subtype);
bool mime_part_is_multipart(const struct message_part *part);
/* message/rfc822 (or message/global) whose content could be parsed */
bool mime_part_is_message(const struct message_part *part);
/* Content-Disposition: attachment */
bool mime_part_is_attachment(const struct message_part *part);
/* "type/subtype" in lower case, on the data stack */
const char *t_mime_part_type(const struct message_part *part);
/* parameters of Content-Type; as t_mime_param() */
const char *t_mime_part_param(const struct message_part *part,
			      const char *name);
/* The name that the sender gave, [MS-OXCMAIL] 2.2.3.4.1.1, or NULL. With
   characters in it that can't be in a file name, on the data stack. */
const char *t_mime_part_filename(const struct message_part *part);
enum mime_transfer mime_part_transfer(const struct message_part *part);

/* --- file names ------------------------------------------------------------ */

/* Makes a name that every file system takes: replaces what can't be in it and
   shortens it, keeping the extension. "" if nothing remains. */
char *mime_filename_sanitize(TALLOC_CTX *mem, const char *name);
/* The 8.3 form of a sanitized name, [MS-OXCMSG] 2.2.2.11 */
char *mime_filename_short(TALLOC_CTX *mem, const char *name);
/* with the dot; "" if there's none */
const char *mime_filename_extension(const char *name);
/* The extension that files of a type/subtype (in lower case) have, with the
   dot; ".bin" if it isn't known */
const char *mime_type_extension(const char *type);
/* The type/subtype of files with an extension (with the dot); NULL if it isn't
   known */
const char *mime_extension_type(const char *ext);

#endif
