/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "istream.h"
#include "mapi-stream.h"

/* The largest stream, [MS-OXCPRPT] 3.2.5.18 */
#define MAPI_STREAM_MAX_SIZE (1ULL << 31)
/* What has no more bytes is kept in memory */
#define MAPI_STREAM_SMALL_SIZE (256 * 1024)

struct mapi_stream_private {
	/* NULL if the stream is in memory */
	struct istream *input;
	const uint8_t *data;
	/* UINT64_MAX if not known yet */
	uint64_t size;
	/* may be beyond the end */
	uint64_t pos;
};

static int mapi_stream_destructor(struct mapi_stream *stream)
{
	i_stream_unref(&stream->priv->input);
	return 0;
}

static struct mapi_stream *
mapi_stream_alloc(TALLOC_CTX *parent, struct mapi_store *store)
{
	struct mapi_stream *stream;

	stream = talloc_zero(parent, struct mapi_stream);
	stream->obj.type = MAPI_OBJECT_STREAM;
	stream->obj.store = store;
	stream->priv = talloc_zero(stream, struct mapi_stream_private);
	stream->priv->size = UINT64_MAX;
	return stream;
}

/* Most streams are bodies that are read as a whole by the next operation: their
   size is known at once then, and they are converted only once. */
static bool mapi_stream_read_small(struct mapi_stream *stream)
{
	const unsigned char *data;
	struct istream *input = stream->priv->input;
	size_t size, used = 0, allocated = 4096;
	uint8_t *buf;
	int ret;

	buf = talloc_array(stream->priv, uint8_t, allocated);
	i_stream_seek(input, 0);
	while ((ret = i_stream_read_more(input, &data, &size)) > 0) {
		if (used + size > MAPI_STREAM_SMALL_SIZE)
			break;
		if (used + size > allocated) {
			allocated = I_MAX(allocated * 2, used + size);
			buf = talloc_realloc(stream->priv, buf, uint8_t,
					     allocated);
		}
		memcpy(buf + used, data, size);
		used += size;
		i_stream_skip(input, size);
	}
	if (ret > 0 || input->stream_errno != 0) {
		talloc_free(buf);
		return FALSE;
	}
	stream->priv->data = buf;
	stream->priv->size = used;
	return TRUE;
}

struct mapi_stream *
mapi_stream_create_istream(TALLOC_CTX *parent, struct mapi_store *store,
			   struct istream *input)
{
	struct mapi_stream *stream = mapi_stream_alloc(parent, store);

	i_assert(input->seekable);
	stream->priv->input = input;
	i_stream_ref(input);
	talloc_set_destructor(stream, mapi_stream_destructor);
	if (mapi_stream_read_small(stream))
		i_stream_unref(&stream->priv->input);
	return stream;
}

struct mapi_stream *
mapi_stream_create_data(TALLOC_CTX *parent, struct mapi_store *store,
			uint8_t *data, size_t len)
{
	struct mapi_stream *stream = mapi_stream_alloc(parent, store);

	stream->priv->data = talloc_steal(stream->priv, data);
	stream->priv->size = len;
	return stream;
}

static enum mapi_error mapi_stream_get_error(struct istream *input)
{
	/* the message has been expunged, and its file was not open yet */
	if (input->stream_errno == ENOENT || input->stream_errno == ESTALE)
		return EC_OBJECT_DELETED;
	i_error("mapi: read(%s) failed: %s", i_stream_get_name(input),
		i_stream_get_error(input));
	return EC_ERROR;
}

static enum mapi_error
mapi_stream_read_istream(struct mapi_stream_private *priv, uint8_t *buf,
			 size_t len, size_t *len_r)
{
	struct istream *input = priv->input;
	const unsigned char *data;
	size_t size, used = 0;
	int ret = 1;

	/* Streams of one message share its file. This one's position is
	   set before each read, so that they don't disturb each other. */
	i_stream_seek(input, priv->pos);
	while (used < len &&
	       (ret = i_stream_read_more(input, &data, &size)) > 0) {
		size = I_MIN(size, len - used);
		memcpy(buf + used, data, size);
		used += size;
		i_stream_skip(input, size);
	}
	i_assert(ret != 0);
	if (input->stream_errno != 0)
		return mapi_stream_get_error(input);
	if (used < len)
		priv->size = priv->pos + used;
	*len_r = used;
	return EC_NONE;
}

enum mapi_error
mapi_stream_read(struct mapi_stream *stream, uint8_t *buf, size_t len,
		 size_t *len_r)
{
	struct mapi_stream_private *priv = stream->priv;
	enum mapi_error error;

	*len_r = 0;
	if (priv->size != UINT64_MAX) {
		if (priv->pos >= priv->size)
			return EC_NONE;
		len = I_MIN(len, priv->size - priv->pos);
	}
	if (priv->input == NULL) {
		if (len > 0)
			memcpy(buf, priv->data + priv->pos, len);
		*len_r = len;
	} else {
		if (priv->size == UINT64_MAX &&
		    priv->pos > priv->input->v_offset) {
			/* streams fail if one seeks behind their end */
			uint64_t size;

			error = mapi_stream_size(stream, &size);
			if (error != EC_NONE)
				return error;
			return mapi_stream_read(stream, buf, len, len_r);
		}
		error = mapi_stream_read_istream(priv, buf, len, len_r);
		if (error != EC_NONE)
			return error;
	}
	priv->pos += *len_r;
	return EC_NONE;
}

enum mapi_error
mapi_stream_seek(struct mapi_stream *stream, uint8_t origin, int64_t offset,
		 uint64_t *pos_r)
{
	enum mapi_error error;
	uint64_t base;

	switch (origin) {
	case 0:
		base = 0;
		break;
	case 1:
		base = stream->priv->pos;
		break;
	case 2:
		error = mapi_stream_size(stream, &base);
		if (error != EC_NONE)
			return error;
		break;
	default:
		return EC_STORAGE_INVALID_PARAMETER;
	}
	if (offset < 0) {
		/* negated as unsigned: INT64_MIN has no positive twin */
		if (-(uint64_t)offset > base)
			return EC_STREAM_SEEK_ERROR;
	} else if ((uint64_t)offset > MAPI_STREAM_MAX_SIZE ||
		   base + offset > MAPI_STREAM_MAX_SIZE)
		return EC_STREAM_SEEK_ERROR;
	/* A stream that is open for reading isn't extended by seeking behind
	   its end: nothing can be read there. */
	stream->priv->pos = base + offset;
	*pos_r = stream->priv->pos;
	return EC_NONE;
}

enum mapi_error
mapi_stream_size(struct mapi_stream *stream, uint64_t *size_r)
{
	struct mapi_stream_private *priv = stream->priv;
	const unsigned char *data;
	size_t avail;

	if (priv->size == UINT64_MAX) {
		/* What decodes knows its size only after everything has been
		   read once, in constant memory. i_stream_get_size() would do
		   that for each stream of the chain. */
		i_stream_seek(priv->input, 0);
		while (i_stream_read_more(priv->input, &data, &avail) > 0)
			i_stream_skip(priv->input, avail);
		if (priv->input->stream_errno != 0)
			return mapi_stream_get_error(priv->input);
		priv->size = priv->input->v_offset;
	}
	*size_r = priv->size;
	return EC_NONE;
}
