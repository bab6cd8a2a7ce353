/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_FILTER_H
#define MIME_FILTER_H

/* Input streams whose bytes are made from another stream's by a converter that
   is fed piece by piece: transfer encodings, character sets, text <-> HTML.

   A converter gets the input in pieces of any size and appends to dest whatever
   it has by then. Its output must stay within a constant multiple of its
   input. */

#include "lib.h"
#include "buffer.h"
#include "istream.h"

struct mime_filter {
	void (*feed)(struct mime_filter *filter, const unsigned char *data,
		     size_t size, buffer_t *dest);
	/* the input has ended */
	void (*finish)(struct mime_filter *filter, buffer_t *dest);
	/* back to the state at the beginning */
	void (*reset)(struct mime_filter *filter);
	/* frees filter, too */
	void (*free)(struct mime_filter *filter);
};

/* References input; takes filter, and frees it with the stream. Reading starts
   at input's current offset. Seekable if input is: backwards by beginning
   anew. */
struct istream *
i_stream_create_mime_filter(struct istream *input, struct mime_filter *filter);
/* As above, and gives up the caller's reference to *input: for chains. */
void mime_filter_push(struct istream **input, struct mime_filter *filter);

/* Runs a filter over bytes in memory and frees it. */
void mime_filter_run(struct mime_filter *filter, const void *data, size_t size,
		     buffer_t *dest);

#endif
