/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_PART_STREAM_H
#define MIME_PART_STREAM_H

/* The bytes of a MIME part as streams. message: see mime_attachment_open().
   Private to this folder. */

#include "lib.h"

struct istream;
struct message_part;

/* Content without its transfer encoding */
struct istream *
mime_part_open_decoded(const struct message_part *part,
		       struct istream *message);
/* Body as it is, with CRLF line ends */
struct istream *
mime_part_open_raw(const struct message_part *part, struct istream *message);
/* The part's MIME header (of a message only its Content-* fields and
   MIME-Version) and body, with CRLF line ends; nothing else is changed */
struct istream *
mime_part_open_entity(const struct message_part *part,
		      struct istream *message);

/* The same bytes with CRLF line ends. Takes the caller's reference of input. */
struct istream *mime_stream_with_crlf(struct istream *input);

#endif
