/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "ioloop.h"
#include "istream.h"
#include "ostream.h"
#include "net.h"
#include "mapi-channel.h"

#include <unistd.h>

#define MAPI_FRAME_MAGIC 0x4950414dU	/* "MAPI" */

struct mapi_frame_header {
	uint32_t magic;
	uint8_t type;
	uint8_t flags;
	uint16_t code;
	uint32_t request_id;
	/* bytes that follow */
	uint32_t size;
};

struct mapi_channel {
	int refcount;
	int fd;
	struct io *io;
	struct istream *input;
	struct ostream *output;

	const struct mapi_channel_callbacks *callbacks;
	void *context;
	bool closed:1;
};

static void mapi_channel_unref(struct mapi_channel *channel)
{
	i_assert(channel->refcount > 0);
	if (--channel->refcount > 0)
		return;
	i_free(channel);
}

int mapi_frame_parse(const unsigned char *data, size_t size,
		     struct mapi_frame *frame_r, size_t *frame_size_r)
{
	struct mapi_frame_header hdr;

	if (size < sizeof(hdr))
		return 0;
	memcpy(&hdr, data, sizeof(hdr));
	if (hdr.magic != MAPI_FRAME_MAGIC || hdr.type == 0 ||
	    hdr.type > MAPI_FRAME_TYPE_MAX ||
	    hdr.size > MAPI_CHANNEL_MAX_PAYLOAD)
		return -1;
	if (size - sizeof(hdr) < hdr.size)
		return 0;

	i_zero(frame_r);
	frame_r->type = hdr.type;
	frame_r->flags = hdr.flags;
	frame_r->code = hdr.code;
	frame_r->request_id = hdr.request_id;
	frame_r->data = data + sizeof(hdr);
	frame_r->size = hdr.size;
	*frame_size_r = sizeof(hdr) + hdr.size;
	return 1;
}

static void mapi_channel_input(struct mapi_channel *channel)
{
	const unsigned char *data;
	struct mapi_frame frame;
	size_t size, frame_size;
	const char *error = NULL;
	ssize_t ret;
	int parsed;

	channel->refcount++;
	ret = i_stream_read(channel->input);
	if (ret < 0 && ret != -2) {
		error = channel->input->stream_errno == 0 ? "closed" :
			i_stream_get_error(channel->input);
	}
	while (!channel->closed) {
		data = i_stream_get_data(channel->input, &size);
		parsed = mapi_frame_parse(data, size, &frame, &frame_size);
		if (parsed == 0)
			break;
		if (parsed < 0) {
			error = "Invalid frame";
			break;
		}
		T_BEGIN {
			channel->callbacks->frame(channel->context, &frame);
		} T_END;
		if (!channel->closed)
			i_stream_skip(channel->input, frame_size);
	}
	if (!channel->closed && error != NULL) {
		io_remove(&channel->io);
		channel->callbacks->closed(channel->context, error);
		i_assert(channel->closed);
	}
	mapi_channel_unref(channel);
}

struct mapi_channel *
mapi_channel_init(int fd, const struct mapi_channel_callbacks *callbacks,
		  void *context)
{
	struct mapi_channel *channel;

	net_set_nonblock(fd, TRUE);
	channel = i_new(struct mapi_channel, 1);
	channel->refcount = 1;
	channel->fd = fd;
	channel->input = i_stream_create_fd(fd,
		MAPI_CHANNEL_MAX_PAYLOAD + sizeof(struct mapi_frame_header));
	channel->output = o_stream_create_fd(fd, SIZE_MAX);
	o_stream_set_no_error_handling(channel->output, TRUE);
	channel->callbacks = callbacks;
	channel->context = context;
	channel->io = io_add_istream(channel->input, mapi_channel_input,
				     channel);
	return channel;
}

void mapi_channel_deinit(struct mapi_channel **_channel)
{
	struct mapi_channel *channel = *_channel;

	*_channel = NULL;
	i_assert(!channel->closed);
	channel->closed = TRUE;
	io_remove(&channel->io);
	/* what has been answered must get out: the process may be about to
	   exit */
	(void)o_stream_flush(channel->output);
	i_stream_destroy(&channel->input);
	o_stream_destroy(&channel->output);
	i_close_fd(&channel->fd);
	mapi_channel_unref(channel);
}

static void
mapi_channel_sendv(struct mapi_channel *channel, const struct mapi_frame *frame,
		   const void *prefix, size_t prefix_size)
{
	struct mapi_frame_header hdr;
	struct const_iovec iov[3];
	unsigned int count = 1;

	i_assert(frame->size <= MAPI_CHANNEL_MAX_PAYLOAD - prefix_size);

	i_zero(&hdr);
	hdr.magic = MAPI_FRAME_MAGIC;
	hdr.type = frame->type;
	hdr.flags = frame->flags;
	hdr.code = frame->code;
	hdr.request_id = frame->request_id;
	hdr.size = frame->size + prefix_size;
	iov[0].iov_base = &hdr;
	iov[0].iov_len = sizeof(hdr);
	if (prefix_size > 0) {
		iov[count].iov_base = prefix;
		iov[count++].iov_len = prefix_size;
	}
	if (frame->size > 0) {
		iov[count].iov_base = frame->data;
		iov[count++].iov_len = frame->size;
	}
	o_stream_nsendv(channel->output, iov, count);
}

void mapi_channel_send(struct mapi_channel *channel,
		       const struct mapi_frame *frame)
{
	mapi_channel_sendv(channel, frame, NULL, 0);
}

void mapi_channel_send_request(struct mapi_channel *channel,
			       uint32_t request_id, const char *request_type,
			       const void *body, size_t body_size)
{
	struct mapi_frame frame;

	i_zero(&frame);
	frame.type = MAPI_FRAME_REQUEST;
	frame.request_id = request_id;
	frame.data = body;
	frame.size = body_size;
	mapi_channel_sendv(channel, &frame, request_type,
			   strlen(request_type) + 1);
}

bool mapi_channel_parse_request(const struct mapi_frame *frame,
				const char **request_type_r,
				const unsigned char **body_r,
				size_t *body_size_r)
{
	const unsigned char *nul;

	if (frame->type != MAPI_FRAME_REQUEST || frame->size == 0)
		return FALSE;
	nul = memchr(frame->data, '\0', frame->size);
	if (nul == NULL)
		return FALSE;
	*request_type_r = (const char *)frame->data;
	*body_r = nul + 1;
	*body_size_r = frame->size - (nul + 1 - frame->data);
	return TRUE;
}

void mapi_channel_send_fields(struct mapi_channel *channel,
			      uint32_t request_id, unsigned int code,
			      const char *const *fields,
			      const void *body, size_t body_size)
{
	struct mapi_frame frame;

	i_zero(&frame);
	frame.type = MAPI_FRAME_SERVICE;
	frame.code = code;
	frame.request_id = request_id;
	frame.data = body;
	frame.size = body_size;
	T_BEGIN {
		buffer_t *buf = t_buffer_create(256);

		for (; *fields != NULL; fields++) {
			i_assert(strchr(*fields, '=') != NULL);
			buffer_append(buf, *fields, strlen(*fields) + 1);
		}
		/* the end of the fields */
		buffer_append_c(buf, '\0');
		mapi_channel_sendv(channel, &frame, buf->data, buf->used);
	} T_END;
}

bool mapi_channel_parse_fields(const struct mapi_frame *frame,
			       const char *const **fields_r,
			       const unsigned char **body_r,
			       size_t *body_size_r)
{
	ARRAY_TYPE(const_string) fields;
	const unsigned char *p = frame->data, *end = p + frame->size, *nul;
	const char *field;

	if (frame->type != MAPI_FRAME_SERVICE)
		return FALSE;
	t_array_init(&fields, 16);
	for (;;) {
		nul = p == end ? NULL : memchr(p, '\0', end - p);
		if (nul == NULL)
			return FALSE;
		if (nul == p)
			break;
		field = (const char *)p;
		if (strchr(field, '=') == NULL)
			return FALSE;
		array_push_back(&fields, &field);
		p = nul + 1;
	}
	array_append_zero(&fields);
	*fields_r = array_front(&fields);
	*body_r = nul + 1;
	*body_size_r = end - (nul + 1);
	return TRUE;
}

const char *mapi_channel_field(const char *const *fields, const char *name)
{
	size_t len = strlen(name);

	for (; *fields != NULL; fields++) {
		if (strncmp(*fields, name, len) == 0 && (*fields)[len] == '=')
			return *fields + len + 1;
	}
	return NULL;
}
