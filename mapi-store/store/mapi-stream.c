/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "istream.h"
#include "mapi-stream-private.h"

#include <unistd.h>

/* What has no more bytes is kept in memory */
#define MAPI_STREAM_SMALL_SIZE (256 * 1024)

static void mapi_stream_body_unref(struct mapi_stream_body **_body)
{
	struct mapi_stream_body *body = *_body;

	*_body = NULL;
	i_assert(body->refcount > 0);
	if (--body->refcount > 0)
		return;
	i_stream_unref(&body->input);
	i_close_fd(&body->fd);
	talloc_free(body);
}

static int mapi_stream_destructor(struct mapi_stream *stream)
{
	struct mapi_stream_body *body = stream->priv->body;
	enum mapi_error error;

	/* [MS-OXCPRPT] 3.2.5.15. Nobody can be told about errors. */
	if (body->changed && (error = mapi_stream_commit(stream)) != EC_NONE) {
		i_warning("mapi: Released stream not committed: %s",
			  mapi_error_name(error));
	}
	mapi_stream_body_unref(&stream->priv->body);
	return 0;
}

static struct mapi_stream *
mapi_stream_create_body(TALLOC_CTX *parent, struct mapi_stream_body *body)
{
	struct mapi_stream *stream;

	stream = talloc_zero(parent, struct mapi_stream);
	stream->obj.type = MAPI_OBJECT_STREAM;
	stream->obj.store = body->store;
	stream->priv = talloc_zero(stream, struct mapi_stream_private);
	stream->priv->body = body;
	body->refcount++;
	talloc_set_destructor(stream, mapi_stream_destructor);
	return stream;
}

struct mapi_stream *
mapi_stream_alloc(TALLOC_CTX *parent, struct mapi_store *store)
{
	struct mapi_stream_body *body;

	body = talloc_zero(NULL, struct mapi_stream_body);
	body->store = store;
	body->fd = -1;
	return mapi_stream_create_body(parent, body);
}

struct mapi_stream *
mapi_stream_clone(TALLOC_CTX *parent, struct mapi_stream *stream)
{
	struct mapi_stream *clone =
		mapi_stream_create_body(parent, stream->priv->body);

	clone->priv->pos = stream->priv->pos;
	return clone;
}

/* Most streams are bodies that are read as a whole by the next operation: their
   size is known at once then, and they are converted only once. */
static bool mapi_stream_read_small(struct mapi_stream_body *body)
{
	const unsigned char *data;
	struct istream *input = body->input;
	size_t size, used = 0, allocated = 4096;
	uint8_t *buf;
	int ret;

	buf = talloc_array(body, uint8_t, allocated);
	i_stream_seek(input, 0);
	while ((ret = i_stream_read_more(input, &data, &size)) > 0) {
		if (used + size > MAPI_STREAM_SMALL_SIZE)
			break;
		if (used + size > allocated) {
			allocated = I_MAX(allocated * 2, used + size);
			buf = talloc_realloc(body, buf, uint8_t, allocated);
		}
		memcpy(buf + used, data, size);
		used += size;
		i_stream_skip(input, size);
	}
	if (ret > 0 || input->stream_errno != 0) {
		talloc_free(buf);
		return FALSE;
	}
	body->data = buf;
	body->size = used;
	return TRUE;
}

struct mapi_stream *
mapi_stream_create_istream(TALLOC_CTX *parent, struct mapi_store *store,
			   struct istream *input)
{
	struct mapi_stream *stream = mapi_stream_alloc(parent, store);
	struct mapi_stream_body *body = stream->priv->body;

	i_assert(input->seekable);
	body->input = input;
	body->size = UINT64_MAX;
	i_stream_ref(input);
	if (mapi_stream_read_small(body))
		i_stream_unref(&body->input);
	return stream;
}

void mapi_stream_set_source(struct mapi_stream *stream, TALLOC_CTX *source)
{
	struct mapi_stream_body *body = stream->priv->body;

	i_assert(body->target == NULL);
	if (body->input == NULL)
		talloc_free(source);
	else {
		/* freed after the istream */
		talloc_steal(body, source);
	}
}

struct mapi_stream *
mapi_stream_create_data(TALLOC_CTX *parent, struct mapi_store *store,
			uint8_t *data, size_t len)
{
	struct mapi_stream *stream = mapi_stream_alloc(parent, store);

	stream->priv->body->data = talloc_steal(stream->priv->body, data);
	stream->priv->body->size = len;
	return stream;
}

enum mapi_error mapi_stream_get_error(struct istream *input)
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
	struct istream *input = priv->body->input;
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
		priv->body->size = priv->pos + used;
	*len_r = used;
	return EC_NONE;
}

enum mapi_error
mapi_stream_read(struct mapi_stream *stream, uint8_t *buf, size_t len,
		 size_t *len_r)
{
	struct mapi_stream_private *priv = stream->priv;
	struct mapi_stream_body *body = priv->body;
	enum mapi_error error = EC_NONE;
	uint64_t size;

	*len_r = 0;
	if (body->size == UINT64_MAX && priv->pos > body->input->v_offset) {
		/* streams fail if one seeks behind their end */
		error = mapi_stream_size(stream, &size);
		if (error != EC_NONE)
			return error;
	}
	if (body->size != UINT64_MAX) {
		if (priv->pos >= body->size)
			return EC_NONE;
		len = I_MIN(len, body->size - priv->pos);
	}
	if (body->input != NULL) {
		error = mapi_stream_read_istream(priv, buf, len, len_r);
	} else {
		if (body->fd != -1)
			error = mapi_stream_file_read(body->fd, priv->pos,
						      buf, len);
		else if (len > 0)
			memcpy(buf, body->data + priv->pos, len);
		if (error == EC_NONE)
			*len_r = len;
	}
	priv->pos += *len_r;
	return error;
}

enum mapi_error
mapi_stream_seek(struct mapi_stream *stream, uint8_t origin, int64_t offset,
		 uint64_t *pos_r)
{
	enum mapi_error error;
	uint64_t base, pos, size;

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
	pos = base + offset;
	/* [MS-OXCPRPT] 3.2.5.18: The stream is extended by seeking behind its
	   end. One that is open for reading isn't: nothing can be read there. */
	if (stream->priv->body->target != NULL) {
		error = mapi_stream_size(stream, &size);
		if (error == EC_NONE && pos > size)
			error = mapi_stream_set_size(stream, pos);
		if (error != EC_NONE)
			return error;
	}
	stream->priv->pos = pos;
	*pos_r = pos;
	return EC_NONE;
}

enum mapi_error
mapi_stream_size(struct mapi_stream *stream, uint64_t *size_r)
{
	struct mapi_stream_body *body = stream->priv->body;
	const unsigned char *data;
	size_t avail;

	if (body->size == UINT64_MAX) {
		/* What decodes knows its size only after everything has been
		   read once, in constant memory. i_stream_get_size() would do
		   that for each stream of the chain. */
		i_stream_seek(body->input, 0);
		while (i_stream_read_more(body->input, &data, &avail) > 0)
			i_stream_skip(body->input, avail);
		if (body->input->stream_errno != 0)
			return mapi_stream_get_error(body->input);
		body->size = body->input->v_offset;
	}
	*size_r = body->size;
	return EC_NONE;
}
