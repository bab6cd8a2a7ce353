/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_STREAM_PRIVATE_H
#define MAPI_STREAM_PRIVATE_H

#include "mapi-stream.h"

/* The largest stream, [MS-OXCPRPT] 3.2.5.18 */
#define MAPI_STREAM_MAX_SIZE (1ULL << 31)

/* The bytes of a stream, which its clones share. They are in one of input,
   data (neither: empty) and fd. */
struct mapi_stream_body {
	int refcount;
	struct mapi_store *store;
	/* what hasn't been written to */
	struct istream *input;
	uint8_t *data;
	/* temporary file; -1 if there's none */
	int fd;
	/* UINT64_MAX if not known yet (input only) */
	uint64_t size;

	/* --- streams that can be written to */
	/* NULL: read-only */
	struct mapi_stream_target *target;
	/* bytes that data has room for; what is behind size is undefined */
	size_t allocated;
	/* Istreams that were made of the file may still read what is before
	   this. */
	uint64_t frozen_size;
	/* written to since it was committed */
	bool changed;
};

struct mapi_stream_private {
	struct mapi_stream_body *body;
	/* may be beyond the end */
	uint64_t pos;
};

/* A stream object over an empty body of its own */
struct mapi_stream *
mapi_stream_alloc(TALLOC_CTX *parent, struct mapi_store *store);
/* Logs it if it is none of the client's business. */
enum mapi_error mapi_stream_get_error(struct istream *input);

/* Reads from the temporary file; len bytes are there. */
enum mapi_error
mapi_stream_file_read(int fd, uint64_t pos, uint8_t *buf, size_t len);

#endif
