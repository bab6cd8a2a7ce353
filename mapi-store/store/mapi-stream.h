/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_STREAM_H
#define MAPI_STREAM_H

/* Property streams ([MS-OXCPRPT] 2.2.14 - 2.2.20), read side: over a Dovecot
   istream or over bytes in memory. */

#include "mapi-object.h"

struct istream;

struct mapi_stream {
	struct mapi_object obj;
	struct mapi_stream_private *priv;
};

/* The stream takes a reference of input, which must be seekable. What is small
   is read at once. */
struct mapi_stream *
mapi_stream_create_istream(TALLOC_CTX *parent, struct mapi_store *store,
			   struct istream *input);
/* data is stolen (talloc_steal) */
struct mapi_stream *
mapi_stream_create_data(TALLOC_CTX *parent, struct mapi_store *store,
			uint8_t *data, size_t len);

/* Reads at most len bytes from the position; *len_r is less only at the end. */
enum mapi_error
mapi_stream_read(struct mapi_stream *stream, uint8_t *buf, size_t len,
		 size_t *len_r);
/* origin: 0 start, 1 current, 2 end. Seeking before the start or beyond 2^31
   is EC_STREAM_SEEK_ERROR. */
enum mapi_error
mapi_stream_seek(struct mapi_stream *stream, uint8_t origin, int64_t offset,
		 uint64_t *pos_r);
enum mapi_error
mapi_stream_size(struct mapi_stream *stream, uint64_t *size_r);

#endif
