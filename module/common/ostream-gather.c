/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "buffer.h"
#include "ioloop.h"
#include "ostream-private.h"
#include "ostream-gather.h"

/* More than this is handed on before the stream is uncorked: there's nothing
   to be gained by copying it. A TLS record takes 16 kB. */
#define GATHER_MAX_SIZE (16 * 1024)

struct gather_ostream {
	struct ostream_private ostream;
	buffer_t *buf;
	/* calls the flush callback */
	struct timeout *to_flush;
	/* it's to be called, but not while corked */
	bool flush_pending:1;
};

/* Sends what is buffered and then iov. Returns how much of iov was taken. */
static ssize_t
o_stream_gather_send(struct gather_ostream *gstream,
		     const struct const_iovec *iov, unsigned int iov_count)
{
	struct ostream_private *stream = &gstream->ostream;
	struct const_iovec *all;
	size_t buffered = gstream->buf->used;
	ssize_t ret;

	if (buffered == 0)
		ret = o_stream_sendv(stream->parent, iov, iov_count);
	else T_BEGIN {
		all = t_new(struct const_iovec, iov_count + 1);
		all[0].iov_base = gstream->buf->data;
		all[0].iov_len = buffered;
		if (iov_count > 0)
			memcpy(all + 1, iov, sizeof(*iov) * iov_count);
		ret = o_stream_sendv(stream->parent, all, iov_count + 1);
	} T_END;
	if (ret < 0) {
		o_stream_copy_error_from_parent(stream);
		return -1;
	}
	if ((size_t)ret < buffered) {
		buffer_delete(gstream->buf, 0, ret);
		return 0;
	}
	buffer_set_used_size(gstream->buf, 0);
	return ret - buffered;
}

static ssize_t
o_stream_gather_sendv(struct ostream_private *stream,
		      const struct const_iovec *iov, unsigned int iov_count)
{
	struct gather_ostream *gstream =
		container_of(stream, struct gather_ostream, ostream);
	size_t size = 0;
	ssize_t ret;
	unsigned int i;

	for (i = 0; i < iov_count; i++)
		size += iov[i].iov_len;
	if (stream->corked && size <= GATHER_MAX_SIZE - gstream->buf->used) {
		for (i = 0; i < iov_count; i++) {
			buffer_append(gstream->buf, iov[i].iov_base,
				      iov[i].iov_len);
		}
		ret = size;
	} else {
		ret = o_stream_gather_send(gstream, iov, iov_count);
		if (ret < 0)
			return -1;
	}
	stream->ostream.offset += ret;
	return ret;
}

static int o_stream_gather_flush(struct ostream_private *stream)
{
	struct gather_ostream *gstream =
		container_of(stream, struct gather_ostream, ostream);
	int ret;

	if (gstream->buf->used > 0 &&
	    o_stream_gather_send(gstream, NULL, 0) < 0)
		return -1;
	/* a parent that has nothing to send would still look at the socket */
	if (!stream->finished && gstream->buf->used == 0 &&
	    o_stream_get_buffer_used_size(stream->parent) == 0)
		return 1;
	ret = o_stream_flush_parent(stream);
	return ret > 0 && gstream->buf->used > 0 ? 0 : ret;
}

/* --- flush callback ------------------------------------------------------- */

static int o_stream_gather_call(struct gather_ostream *gstream)
{
	struct ostream_private *stream = &gstream->ostream;
	struct ostream *output = &stream->ostream;
	int ret;

	/* as a socket's stream does it: the callback may ask to be called once
	   more */
	gstream->flush_pending = FALSE;
	timeout_remove(&gstream->to_flush);
	if (stream->callback != NULL)
		ret = stream->callback(stream->context);
	else
		ret = o_stream_flush(output);
	return ret;
}

static void o_stream_gather_timeout(struct gather_ostream *gstream)
{
	struct ostream *output = &gstream->ostream.ostream;
	int ret;

	timeout_remove(&gstream->to_flush);
	if (gstream->ostream.corked)
		return;
	o_stream_ref(output);
	o_stream_cork(output);
	ret = o_stream_gather_call(gstream);
	o_stream_uncork(output);
	/* it has been in vain: not before the socket is writable */
	if (ret == 0)
		o_stream_set_flush_pending(gstream->ostream.parent, TRUE);
	o_stream_unref(&output);
}

static int o_stream_gather_parent_flushed(struct gather_ostream *gstream)
{
	struct ostream *output = &gstream->ostream.ostream;
	int ret, ret2;

	ret = o_stream_flush(gstream->ostream.parent);
	if (ret < 0)
		return -1;
	o_stream_ref(output);
	ret2 = o_stream_gather_call(gstream);
	o_stream_unref(&output);
	return ret2 < 0 ? -1 : (ret > 0 && ret2 > 0 ? 1 : 0);
}

static void o_stream_gather_schedule(struct gather_ostream *gstream)
{
	if (gstream->to_flush == NULL) {
		gstream->to_flush = timeout_add_short_to(
			io_stream_get_ioloop(&gstream->ostream.iostream), 0,
			o_stream_gather_timeout, gstream);
	}
}

static void
o_stream_gather_flush_pending(struct ostream_private *stream, bool set)
{
	struct gather_ostream *gstream =
		container_of(stream, struct gather_ostream, ostream);

	if (!set) {
		gstream->flush_pending = FALSE;
		timeout_remove(&gstream->to_flush);
		o_stream_set_flush_pending(stream->parent, FALSE);
	} else if (o_stream_get_buffer_used_size(stream->parent) > 0) {
		o_stream_set_flush_pending(stream->parent, TRUE);
	} else {
		gstream->flush_pending = TRUE;
		if (!stream->corked)
			o_stream_gather_schedule(gstream);
	}
}

static void
o_stream_gather_set_flush_callback(struct ostream_private *stream,
				   stream_flush_callback_t *callback,
				   void *context)
{
	stream->callback = callback;
	stream->context = context;
}

/* --- the rest ------------------------------------------------------------- */

static void o_stream_gather_cork(struct ostream_private *stream, bool set)
{
	struct gather_ostream *gstream =
		container_of(stream, struct gather_ostream, ostream);

	if (stream->corked == set)
		return;
	stream->corked = set;
	if (set)
		return;
	if (gstream->buf->used > 0) {
		if (o_stream_flush(&stream->ostream) == 0)
			o_stream_set_flush_pending(stream->parent, TRUE);
		stream->last_errors_not_checked = TRUE;
	}
	if (gstream->flush_pending && !stream->ostream.closed)
		o_stream_gather_schedule(gstream);
}

static size_t
o_stream_gather_get_buffer_used_size(const struct ostream_private *stream)
{
	const struct gather_ostream *gstream =
		container_of(stream, const struct gather_ostream, ostream);

	return gstream->buf->used +
		o_stream_get_buffer_used_size(stream->parent);
}

static void
o_stream_gather_switch_ioloop_to(struct ostream_private *stream,
				 struct ioloop *ioloop)
{
	struct gather_ostream *gstream =
		container_of(stream, struct gather_ostream, ostream);

	if (gstream->to_flush != NULL) {
		gstream->to_flush =
			io_loop_move_timeout_to(ioloop, &gstream->to_flush);
	}
	o_stream_switch_ioloop_to(stream->parent, ioloop);
}

static void
o_stream_gather_close(struct iostream_private *iostream, bool close_parent)
{
	struct gather_ostream *gstream =
		container_of(iostream, struct gather_ostream, ostream.iostream);
	struct ostream_private *stream = &gstream->ostream;

	timeout_remove(&gstream->to_flush);
	(void)o_stream_flush(&stream->ostream);
	o_stream_unset_flush_callback(stream->parent);
	if (close_parent)
		o_stream_close(stream->parent);
}

static void o_stream_gather_destroy(struct iostream_private *iostream)
{
	struct gather_ostream *gstream =
		container_of(iostream, struct gather_ostream, ostream.iostream);

	timeout_remove(&gstream->to_flush);
	buffer_free(&gstream->buf);
	o_stream_unref(&gstream->ostream.parent);
}

struct ostream *o_stream_create_gather(struct ostream *parent)
{
	struct gather_ostream *gstream;
	struct ostream *output;

	gstream = i_new(struct gather_ostream, 1);
	gstream->buf = buffer_create_dynamic(default_pool, 1024);
	gstream->ostream.iostream.close = o_stream_gather_close;
	gstream->ostream.iostream.destroy = o_stream_gather_destroy;
	gstream->ostream.cork = o_stream_gather_cork;
	gstream->ostream.sendv = o_stream_gather_sendv;
	gstream->ostream.flush = o_stream_gather_flush;
	gstream->ostream.flush_pending = o_stream_gather_flush_pending;
	gstream->ostream.set_flush_callback =
		o_stream_gather_set_flush_callback;
	gstream->ostream.get_buffer_used_size =
		o_stream_gather_get_buffer_used_size;
	gstream->ostream.switch_ioloop_to = o_stream_gather_switch_ioloop_to;
	gstream->ostream.ostream.offset = parent->offset;

	output = o_stream_create(&gstream->ostream, parent,
				 o_stream_get_fd(parent));
	gstream->ostream.finish_via_child =
		parent->real_stream->finish_via_child;
	o_stream_set_name(output, o_stream_get_name(parent));
	o_stream_set_flush_callback(parent, o_stream_gather_parent_flushed,
				    gstream);
	return output;
}

void o_stream_gather(struct ostream **output)
{
	struct ostream *parent = *output;

	*output = o_stream_create_gather(parent);
	o_stream_unref(&parent);
}
