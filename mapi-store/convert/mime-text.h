/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_TEXT_H
#define MIME_TEXT_H

/* Text in header fields: folding, encoded words ([RFC2047]), parameters
   ([RFC2231]), unlabelled 8-bit text; and what other files of this folder
   share. */

#include "lib.h"
#include "str.h"
#include <talloc.h>

struct message_part_param;

/* Memory that talloc couldn't give ends the process, as everywhere else in
   Dovecot. */
static inline void *mime_check_alloc(void *ptr)
{
	if (ptr == NULL)
		i_fatal_status(FATAL_OUTOFMEM, "talloc: Out of memory");
	return ptr;
}
static inline char *mime_strdup(TALLOC_CTX *mem, const char *str)
{
	return mime_check_alloc(talloc_strdup(mem, str));
}
static inline char *mime_strndup(TALLOC_CTX *mem, const char *str, size_t n)
{
	return mime_check_alloc(talloc_strndup(mem, str, n));
}

/* Appends the value of an unstructured field, or a phrase, as UTF-8: unfolded,
   encoded words decoded, control characters replaced by blanks. Encoded words
   are also found where they may not be (inside quotes, next to text, with
   blanks in them). */
void mime_text_decode(const char *raw, string_t *dest);
/* as above, without blanks around it, on mem */
char *mime_text_decode_talloc(TALLOC_CTX *mem, const char *raw);
/* and on the data stack */
const char *t_mime_text_decode(const char *raw);

/* The value of a parameter as UTF-8 on the data stack; NULL if it isn't there
   or empty. name*=charset'language'text ([RFC2231]) comes before name=, in
   which encoded words are decoded, too. */
const char *t_mime_param(const struct message_part_param *params,
			 unsigned int count, const char *name);

/* Removes comments, quotes and blanks of a one-token value (Importance: ...);
   on the data stack */
const char *t_mime_token(const char *raw);

/* The last position at most max bytes into str where no character is cut */
size_t mime_utf8_cut(const char *str, size_t max);

#endif
