/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_TRANSFER_H
#define MIME_TRANSFER_H

/* Content-Transfer-Encoding. Broken input never fails: what isn't of the
   alphabet is skipped, as [RFC2045] 6.8 wants it, what isn't a valid escape
   is kept as it is. */

#include "mime-filter.h"

enum mime_transfer {
	/* 7bit, 8bit, binary and everything that isn't known */
	MIME_TRANSFER_IDENTITY = 0,
	MIME_TRANSFER_QUOTED_PRINTABLE,
	MIME_TRANSFER_BASE64,
	/* x-uuencode, uuencode, x-uue, uue */
	MIME_TRANSFER_UUENCODE,
};

/* value: of the header field; may be NULL */
enum mime_transfer mime_transfer_parse(const char *value);

/* NULL for MIME_TRANSFER_IDENTITY */
struct mime_filter *mime_transfer_filter(enum mime_transfer transfer);

/* About how many bytes come out of encoded_size bytes of which lines lines are
   CRLF or LF terminated */
uint64_t mime_transfer_estimate(enum mime_transfer transfer,
				uint64_t encoded_size, uint64_t lines);

#endif
