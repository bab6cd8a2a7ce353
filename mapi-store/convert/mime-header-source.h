/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_HEADER_SOURCE_H
#define MIME_HEADER_SOURCE_H

/* Reading headers. Private to this folder. */

#include "lib.h"
#include "mime-headers.h"

/* More of a header isn't looked at. */
#define MIME_MAX_HEADER_SIZE (1024*1024)

/* Appends the header that begins at offset, without the empty line at its end.
   -1 if input fails. */
int mime_header_read(struct istream *input, uint64_t offset, string_t *dest);

/* The first value of a field: 1, or 0 and NULL if there's none, -1 on
   failure */
int mime_header_first(struct mime_header_source *source, const char *name,
		      const char **value_r);

#endif
