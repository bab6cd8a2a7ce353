/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "istream-private.h"
#include "mime-filter.h"

/* so much of the input is converted at once */
#define FILTER_CHUNK_SIZE 8192

struct mime_filter_istream {
	struct istream_private istream;
	struct mime_filter *filter;
	/* converted, of which the first out_pos bytes have been handed on */
	buffer_t *out;
	size_t out_pos;
	bool finished;
};

static void
mime_filter_stream_close(struct iostream_private *stream, bool close_parent)
{
	struct mime_filter_istream *fstream =
		(struct mime_filter_istream *)stream;

	if (close_parent)
		i_stream_close(fstream->istream.parent);
}

static void mime_filter_stream_destroy(struct iostream_private *stream)
{
	struct mime_filter_istream *fstream =
		(struct mime_filter_istream *)stream;

	fstream->filter->free(fstream->filter);
	buffer_free(&fstream->out);
	i_stream_free_buffer(&fstream->istream);
	i_stream_unref(&fstream->istream.parent);
}

static ssize_t mime_filter_stream_read(struct istream_private *stream)
{
	struct mime_filter_istream *fstream =
		(struct mime_filter_istream *)stream;
	const unsigned char *data;
	size_t size;
	int ret;

	for (;;) {
		if (fstream->out_pos < fstream->out->used) {
			if (!i_stream_try_alloc(stream, 1, &size))
				return -2;
			size = I_MIN(size, fstream->out->used -
				     fstream->out_pos);
			memcpy(stream->w_buffer + stream->pos,
			       CONST_PTR_OFFSET(fstream->out->data,
						fstream->out_pos), size);
			stream->pos += size;
			fstream->out_pos += size;
			return (ssize_t)size;
		}
		buffer_set_used_size(fstream->out, 0);
		fstream->out_pos = 0;

		if (fstream->finished) {
			stream->istream.eof = TRUE;
			return -1;
		}
		ret = i_stream_read_more(stream->parent, &data, &size);
		if (ret == 0)
			return 0;
		if (ret > 0) {
			size = I_MIN(size, FILTER_CHUNK_SIZE);
			fstream->filter->feed(fstream->filter, data, size,
					      fstream->out);
			i_stream_skip(stream->parent, size);
		} else if (stream->parent->stream_errno != 0) {
			stream->istream.stream_errno =
				stream->parent->stream_errno;
			return -1;
		} else {
			fstream->filter->finish(fstream->filter, fstream->out);
			fstream->finished = TRUE;
		}
	}
}

static void
mime_filter_stream_seek(struct istream_private *stream, uoff_t v_offset,
			bool mark)
{
	struct mime_filter_istream *fstream =
		(struct mime_filter_istream *)stream;

	if (v_offset < stream->istream.v_offset) {
		/* the one is for reading below, the other for what
		   i_stream_seek() remembers afterwards */
		i_stream_seek(stream->parent, stream->parent_start_offset);
		stream->parent_expected_offset = stream->parent_start_offset;
		stream->skip = stream->pos = 0;
		stream->istream.v_offset = 0;
		fstream->filter->reset(fstream->filter);
		buffer_set_used_size(fstream->out, 0);
		fstream->out_pos = 0;
		fstream->finished = FALSE;
	}
	i_stream_default_seek_nonseekable(stream, v_offset, mark);
}

struct istream *
i_stream_create_mime_filter(struct istream *input, struct mime_filter *filter)
{
	struct mime_filter_istream *fstream;

	fstream = i_new(struct mime_filter_istream, 1);
	fstream->filter = filter;
	fstream->out = buffer_create_dynamic(default_pool, 1024);
	fstream->istream.max_buffer_size = input->real_stream->max_buffer_size;

	fstream->istream.iostream.close = mime_filter_stream_close;
	fstream->istream.iostream.destroy = mime_filter_stream_destroy;
	fstream->istream.read = mime_filter_stream_read;
	fstream->istream.seek = mime_filter_stream_seek;

	fstream->istream.istream.readable_fd = FALSE;
	fstream->istream.istream.blocking = input->blocking;
	fstream->istream.istream.seekable = input->seekable;
	return i_stream_create(&fstream->istream, input,
			       i_stream_get_fd(input), 0);
}

void mime_filter_push(struct istream **input, struct mime_filter *filter)
{
	struct istream *stream = i_stream_create_mime_filter(*input, filter);

	i_stream_unref(input);
	*input = stream;
}

void mime_filter_run(struct mime_filter *filter, const void *data, size_t size,
		     buffer_t *dest)
{
	filter->feed(filter, data, size, dest);
	filter->finish(filter, dest);
	filter->free(filter);
}
