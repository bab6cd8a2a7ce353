/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_STREAM_H
#define MAPI_STREAM_H

/* Property streams, [MS-OXCPRPT] 2.2.14 - 2.2.27. Those that are only read are over
   a Dovecot istream or over bytes in memory. */

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
/* What the istream of a stream that is only read reads from, a talloc chunk: it's
   freed when nothing is read from it any more, which may be at once. */
void mapi_stream_set_source(struct mapi_stream *stream, TALLOC_CTX *source);
/* data is stolen (talloc_steal) */
struct mapi_stream *
mapi_stream_create_data(TALLOC_CTX *parent, struct mapi_store *store,
			uint8_t *data, size_t len);

/* Reads at most len bytes from the position; *len_r is less only at the end. */
enum mapi_error
mapi_stream_read(struct mapi_stream *stream, uint8_t *buf, size_t len,
		 size_t *len_r);
/* origin: 0 start, 1 current, 2 end. Seeking before the start or beyond 2^31
   is EC_STREAM_SEEK_ERROR. A stream that can be written to is extended if the
   position is behind its end, see mapi_stream_set_size(). */
enum mapi_error
mapi_stream_seek(struct mapi_stream *stream, uint8_t origin, int64_t offset,
		 uint64_t *pos_r);
enum mapi_error
mapi_stream_size(struct mapi_stream *stream, uint64_t *size_r);

/* Another stream of the same bytes, with a position of its own; what is written
   to one can be read from the other. [MS-OXCPRPT] 2.2.27 */
struct mapi_stream *
mapi_stream_clone(TALLOC_CTX *parent, struct mapi_stream *stream);
/* The bytes as they are now, from the start, to be unreferenced. It's seekable and
   stays what it is, whatever happens to the stream afterwards. */
struct istream *mapi_stream_get_istream(struct mapi_stream *stream);

/* --- writing -------------------------------------------------------------- */

/* What a stream that can be written to belongs to: a property that becomes what
   has been written when it's committed. */
struct mapi_stream_target {
	/* input: the bytes, as the client wrote them; seekable. They stay what
	   they are while a reference of input is held, whatever is written to
	   the stream afterwards. */
	enum mapi_error (*commit)(struct mapi_stream_target *target,
				  struct istream *input);
	/* no more bytes can be written, 2^31 at most: see
	   mapi_stream_write() */
	uint64_t max_size;

	/* --- the stream's own */
	struct mapi_stream_body *body;
	/* see mapi_stream_targets_add() */
	struct mapi_stream_target **list, *prev, *next;
};

/* What has been written to a property is its value for whoever asks the same
   object, and is saved with it, whether it was committed or not: [MS-OXCPRPT]
   3.2.5.13. So an object has a list of the streams that can be written to, which
   it commits first. The target's destructor must remove it. */
void mapi_stream_targets_add(struct mapi_stream_target **list,
			     struct mapi_stream_target *target);
void mapi_stream_target_remove(struct mapi_stream_target *target);
/* All are tried; the first error */
enum mapi_error mapi_stream_targets_commit(struct mapi_stream_target *list);

/* A stream of a property; target is a talloc chunk, which is stolen (its
   destructor may release what it refers to). input: what the property is, which
   must be seekable and is referenced. NULL: the stream is empty, and the property
   will be, even if nothing is written. What is written is in memory up to 128 kB
   and in a temporary file beyond that (Dovecot's mail_temp_dir; /tmp if there's no
   store). Releasing the
   stream commits it if it has been written to since the last time, [MS-OXCPRPT]
   3.2.5.15. */
struct mapi_stream *
mapi_stream_create_write(TALLOC_CTX *parent, struct mapi_store *store,
			 struct istream *input,
			 struct mapi_stream_target *target);
bool mapi_stream_is_writable(const struct mapi_stream *stream);

/* All of these are EC_STORAGE_ACCESS_DENIED for a stream that can only be read,
   and EC_NOT_ENOUGH_DISK if there's no space for the temporary file. */
/* Writes at the position, which moves. EC_TOO_BIG beyond the target's max_size,
   *len_r bytes having been written nevertheless. */
enum mapi_error
mapi_stream_write(struct mapi_stream *stream, const uint8_t *data, size_t len,
		  size_t *len_r);
/* Cuts, or extends with zeros; the position stays. EC_STREAM_SIZE_ERROR beyond
   the target's max_size. */
enum mapi_error
mapi_stream_set_size(struct mapi_stream *stream, uint64_t size);
enum mapi_error mapi_stream_commit(struct mapi_stream *stream);
/* Copies up to count bytes from the source's position to dest's, which both move.
   The source may be a clone of the destination: what has been there before is
   copied. What has been read and written is told on errors, too. */
enum mapi_error
mapi_stream_copy(struct mapi_stream *source, struct mapi_stream *dest,
		 uint64_t count, uint64_t *read_r, uint64_t *written_r);

#endif
