/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Streams that are written to. Their bytes are where they have been read from
   until the first change, then in memory and, if they are more than that, in a
   temporary file.

   Who is given an istream of the file keeps reading it while more is written. So
   what is before frozen_size, the largest size that the file had when it was given
   away, is never changed in place: the file is copied first. What clients do all
   the time, appending and committing, copies nothing. */

#include "lib.h"
#include "istream.h"
#include "llist.h"
#include "mail-user.h"
#include "safe-mkstemp.h"
#include "str.h"
#include "write-full.h"
#include "mapi-store.h"
#include "mapi-stream-private.h"

#include <unistd.h>

/* What has more bytes is in a file */
#define MAPI_STREAM_MEMORY_SIZE (128 * 1024)
#define MAPI_STREAM_COPY_SIZE (64 * 1024)

/* --- the temporary file --------------------------------------------------- */

static enum mapi_error mapi_stream_file_error(const char *what)
{
	i_error("mapi: Temporary file of a stream: %s failed: %m", what);
	return ENOSPACE(errno) || errno == EFBIG ?
		EC_NOT_ENOUGH_DISK : EC_ERROR;
}

static enum mapi_error
mapi_stream_file_create(struct mapi_store *store, int *fd_r)
{
	enum mapi_error error = EC_NONE;

	T_BEGIN {
		string_t *path = t_str_new(128);
		int fd;

		if (store == NULL)
			str_append(path, "/tmp/mapi.");
		else {
			mail_user_set_get_temp_prefix(path,
				mapi_store_user(store)->set);
		}
		fd = safe_mkstemp_hostpid(path, 0600, (uid_t)-1, (gid_t)-1);
		if (fd == -1) {
			error = mapi_stream_file_error(
				t_strdup_printf("open(%s)", str_c(path)));
		} else if (unlink(str_c(path)) < 0) {
			error = mapi_stream_file_error("unlink()");
			i_close_fd(&fd);
		}
		*fd_r = fd;
	} T_END;
	return error;
}

enum mapi_error
mapi_stream_file_read(int fd, uint64_t pos, uint8_t *buf, size_t len)
{
	ssize_t ret;

	while (len > 0) {
		ret = pread(fd, buf, len, pos);
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret == 0)
			errno = EIO;
		if (ret <= 0)
			return mapi_stream_file_error("pread()");
		buf += ret;
		pos += ret;
		len -= ret;
	}
	return EC_NONE;
}

static enum mapi_error
mapi_stream_file_write(int fd, uint64_t pos, const void *data, size_t len)
{
	return pwrite_full(fd, data, len, pos) < 0 ?
		mapi_stream_file_error("pwrite()") : EC_NONE;
}

static enum mapi_error
mapi_stream_file_copy(int source, int dest, uint64_t size)
{
	uint8_t *buf = i_malloc(MAPI_STREAM_COPY_SIZE);
	enum mapi_error error = EC_NONE;
	uint64_t pos;
	size_t len;

	for (pos = 0; pos < size && error == EC_NONE; pos += len) {
		len = I_MIN(size - pos, MAPI_STREAM_COPY_SIZE);
		error = mapi_stream_file_read(source, pos, buf, len);
		if (error == EC_NONE)
			error = mapi_stream_file_write(dest, pos, buf, len);
	}
	i_free(buf);
	return error;
}

/* --- the bytes ------------------------------------------------------------ */

static enum mapi_error
mapi_stream_body_to_file(struct mapi_stream_body *body)
{
	enum mapi_error error;
	int fd;

	error = mapi_stream_file_create(body->store, &fd);
	if (error != EC_NONE)
		return error;
	error = mapi_stream_file_write(fd, 0, body->data, body->size);
	if (error != EC_NONE) {
		i_close_fd(&fd);
		return error;
	}
	body->fd = fd;
	body->frozen_size = 0;
	TALLOC_FREE(body->data);
	body->allocated = 0;
	return EC_NONE;
}

/* Has place for size bytes; those that are new are zeros. */
static enum mapi_error
mapi_stream_body_grow(struct mapi_stream_body *body, uint64_t size)
{
	enum mapi_error error;

	i_assert(body->input == NULL && size > body->size);
	if (body->fd == -1 && size > MAPI_STREAM_MEMORY_SIZE) {
		error = mapi_stream_body_to_file(body);
		if (error != EC_NONE)
			return error;
	}
	if (body->fd != -1) {
		if (ftruncate(body->fd, size) < 0)
			return mapi_stream_file_error("ftruncate()");
	} else {
		if (size > body->allocated) {
			body->allocated = I_MIN(MAPI_STREAM_MEMORY_SIZE,
						nearest_power(size));
			body->data = talloc_realloc(body, body->data, uint8_t,
						    body->allocated);
		}
		memset(body->data + body->size, 0, size - body->size);
	}
	body->size = size;
	return EC_NONE;
}

/* bytes before body->size and behind it; no hole is left between both */
static enum mapi_error
mapi_stream_body_put(struct mapi_stream_body *body, uint64_t pos,
		     const void *data, size_t len)
{
	enum mapi_error error = EC_NONE;

	if (len == 0)
		return EC_NONE;
	if (body->fd == -1 || pos > body->size) {
		if (pos + len > body->size)
			error = mapi_stream_body_grow(body, pos + len);
		if (error != EC_NONE)
			return error;
	}
	if (body->fd == -1) {
		memcpy(body->data + pos, data, len);
		return EC_NONE;
	}
	error = mapi_stream_file_write(body->fd, pos, data, len);
	if (error == EC_NONE)
		body->size = I_MAX(body->size, pos + len);
	return error;
}

/* What has been read from elsewhere until now becomes our own. */
static enum mapi_error mapi_stream_body_own(struct mapi_stream_body *body)
{
	struct mapi_stream_body own;
	const unsigned char *data;
	enum mapi_error error = EC_NONE;
	size_t size;

	if (body->input == NULL)
		return EC_NONE;
	own = *body;
	own.input = NULL;
	own.size = 0;
	/* its memory is body's, which is a talloc chunk */
	i_stream_seek(body->input, 0);
	while (error == EC_NONE &&
	       i_stream_read_more(body->input, &data, &size) > 0) {
		if (own.size + size > MAPI_STREAM_MAX_SIZE)
			error = EC_TOO_BIG;
		else if (own.fd == -1 &&
			 own.size + size <= MAPI_STREAM_MEMORY_SIZE) {
			own.data = talloc_realloc(body, own.data, uint8_t,
						  own.size + size);
			own.allocated = own.size + size;
			memcpy(own.data + own.size, data, size);
			own.size += size;
		} else {
			if (own.fd == -1)
				error = mapi_stream_body_to_file(&own);
			if (error == EC_NONE) {
				error = mapi_stream_body_put(&own, own.size,
							     data, size);
			}
		}
		i_stream_skip(body->input, size);
	}
	if (error == EC_NONE && body->input->stream_errno != 0)
		error = mapi_stream_get_error(body->input);
	if (error != EC_NONE) {
		talloc_free(own.data);
		i_close_fd(&own.fd);
		return error;
	}
	i_stream_unref(&body->input);
	*body = own;
	return EC_NONE;
}

/* To be called before anything from pos on is changed. */
static enum mapi_error
mapi_stream_body_change(struct mapi_stream_body *body, uint64_t pos)
{
	enum mapi_error error;
	int fd;

	error = mapi_stream_body_own(body);
	if (error != EC_NONE)
		return error;
	if (body->fd != -1 && pos < body->frozen_size) {
		error = mapi_stream_file_create(body->store, &fd);
		if (error != EC_NONE)
			return error;
		error = mapi_stream_file_copy(body->fd, fd, body->size);
		if (error != EC_NONE) {
			i_close_fd(&fd);
			return error;
		}
		i_close_fd(&body->fd);
		body->fd = fd;
		body->frozen_size = 0;
	}
	body->changed = TRUE;
	return EC_NONE;
}

static struct istream *mapi_stream_body_get_istream(struct mapi_stream_body *body)
{
	struct istream *file, *input;
	int fd;

	if (body->input != NULL) {
		i_stream_ref(body->input);
		i_stream_seek(body->input, 0);
		return body->input;
	}
	if (body->fd == -1)
		return i_stream_create_copy_from_data(body->data, body->size);
	fd = dup(body->fd);
	if (fd == -1)
		return i_stream_create_error_str(errno, "dup() failed: %m");
	fd_close_on_exec(fd, TRUE);
	file = i_stream_create_fd_autoclose(&fd, IO_BLOCK_SIZE);
	i_stream_set_name(file, "stream of a property");
	/* more may be appended to the file */
	input = i_stream_create_limit(file, body->size);
	i_stream_unref(&file);
	body->frozen_size = I_MAX(body->frozen_size, body->size);
	return input;
}

struct istream *mapi_stream_get_istream(struct mapi_stream *stream)
{
	return mapi_stream_body_get_istream(stream->priv->body);
}

/* --- streams -------------------------------------------------------------- */

struct mapi_stream *
mapi_stream_create_write(TALLOC_CTX *parent, struct mapi_store *store,
			 struct istream *input,
			 struct mapi_stream_target *target)
{
	struct mapi_stream *stream = mapi_stream_alloc(parent, store);
	struct mapi_stream_body *body = stream->priv->body;

	i_assert(target->max_size <= MAPI_STREAM_MAX_SIZE);
	body->target = talloc_steal(body, target);
	target->body = body;
	if (input == NULL) {
		/* the property's value has been deleted: it's the client's to
		   write another one */
		body->changed = TRUE;
	} else {
		i_assert(input->seekable);
		body->input = input;
		body->size = UINT64_MAX;
		i_stream_ref(input);
	}
	return stream;
}

bool mapi_stream_is_writable(const struct mapi_stream *stream)
{
	return stream->priv->body->target != NULL;
}

enum mapi_error
mapi_stream_write(struct mapi_stream *stream, const uint8_t *data, size_t len,
		  size_t *len_r)
{
	struct mapi_stream_private *priv = stream->priv;
	struct mapi_stream_body *body = priv->body;
	enum mapi_error error;
	bool too_big = FALSE;
	uint64_t space;

	*len_r = 0;
	if (body->target == NULL)
		return EC_STORAGE_ACCESS_DENIED;
	space = priv->pos < body->target->max_size ?
		body->target->max_size - priv->pos : 0;
	if (len > space) {
		len = space;
		too_big = TRUE;
	}
	if (len > 0) {
		error = mapi_stream_body_change(body, priv->pos);
		if (error == EC_NONE)
			error = mapi_stream_body_put(body, priv->pos, data,
						     len);
		if (error != EC_NONE)
			return error;
	}
	priv->pos += len;
	*len_r = len;
	return too_big ? EC_TOO_BIG : EC_NONE;
}

enum mapi_error
mapi_stream_set_size(struct mapi_stream *stream, uint64_t size)
{
	struct mapi_stream_body *body = stream->priv->body;
	enum mapi_error error;

	if (body->target == NULL)
		return EC_STORAGE_ACCESS_DENIED;
	if (size > body->target->max_size)
		return EC_STREAM_SIZE_ERROR;
	/* what is cut away may be needed by others; what is appended isn't
	   there yet */
	error = mapi_stream_body_change(body, size);
	if (error != EC_NONE || size == body->size)
		return error;
	if (size > body->size)
		return mapi_stream_body_grow(body, size);
	if (body->fd != -1 && ftruncate(body->fd, size) < 0)
		return mapi_stream_file_error("ftruncate()");
	body->size = size;
	return EC_NONE;
}

static enum mapi_error mapi_stream_body_commit(struct mapi_stream_body *body)
{
	struct istream *input;
	enum mapi_error error;

	if (!body->changed)
		return EC_NONE;
	input = mapi_stream_body_get_istream(body);
	error = body->target->commit(body->target, input);
	i_stream_unref(&input);
	if (error == EC_NONE)
		body->changed = FALSE;
	return error;
}

enum mapi_error mapi_stream_commit(struct mapi_stream *stream)
{
	struct mapi_stream_body *body = stream->priv->body;

	return body->target == NULL ? EC_STORAGE_ACCESS_DENIED :
		mapi_stream_body_commit(body);
}

void mapi_stream_targets_add(struct mapi_stream_target **list,
			     struct mapi_stream_target *target)
{
	i_assert(target->list == NULL);
	target->list = list;
	DLLIST_PREPEND(list, target);
}

void mapi_stream_target_remove(struct mapi_stream_target *target)
{
	if (target->list != NULL)
		DLLIST_REMOVE(target->list, target);
	target->list = NULL;
}

enum mapi_error mapi_stream_targets_commit(struct mapi_stream_target *list)
{
	enum mapi_error error, first_error = EC_NONE;

	for (; list != NULL; list = list->next) {
		error = mapi_stream_body_commit(list->body);
		if (first_error == EC_NONE)
			first_error = error;
	}
	return first_error;
}

enum mapi_error
mapi_stream_copy(struct mapi_stream *source, struct mapi_stream *dest,
		 uint64_t count, uint64_t *read_r, uint64_t *written_r)
{
	enum mapi_error error;
	uint64_t pos, size;
	uint8_t *buf;
	size_t len, written;

	*read_r = *written_r = 0;
	error = mapi_stream_size(source, &size);
	if (error != EC_NONE)
		return error;
	pos = source->priv->pos;
	count = pos >= size ? 0 : I_MIN(count, size - pos);
	buf = i_malloc(MAPI_STREAM_COPY_SIZE);
	while (count > 0 && error == EC_NONE) {
		error = mapi_stream_read(source, buf,
					 I_MIN(count, MAPI_STREAM_COPY_SIZE),
					 &len);
		if (error != EC_NONE || len == 0)
			break;
		*read_r += len;
		count -= len;
		error = mapi_stream_write(dest, buf, len, &written);
		*written_r += written;
	}
	i_free(buf);
	return error;
}
