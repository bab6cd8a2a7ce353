/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Property streams: opening and reading, [MS-OXCPRPT] 2.2.14, 2.2.15, 2.2.19,
   2.2.21, 2.2.27 */

#include "lib.h"
#include "rop-handlers.h"
#include "mapi-enums.h"
#include "mapi-stream.h"

/* ByteCount that says "see MaximumByteCount" */
#define READ_STREAM_EXTENDED 0xBABE
/* RopId, InputHandleIndex, ReturnValue, DataSize */
#define READ_STREAM_OVERHEAD 8

static bool stream_type_is_valid(uint32_t tag)
{
	switch (MAPI_TAG_TYPE(tag)) {
	case PTYP_BINARY:
	case PTYP_OBJECT:
	case PTYP_STRING:
	case PTYP_STRING8:
		return TRUE;
	}
	return FALSE;
}

/* Only what has a value can be opened without OpenStream's Create. */
static enum mapi_error
stream_open(struct rop_context *ctx, uint32_t tag, uint8_t mode,
	    struct mapi_stream **stream_r)
{
	const struct mapi_object_vfuncs *v = ctx->object->v;
	enum mapi_error error = EC_ACCESS_DENIED;

	switch (mode) {
	case OPEN_STREAM_READ_ONLY:
		break;
	case OPEN_STREAM_READ_WRITE:
	case OPEN_STREAM_CREATE:
	case OPEN_STREAM_BEST_ACCESS:
		if (v->open_stream_write != NULL) {
			error = v->open_stream_write(ctx->object,
				ctx->object_parent, tag,
				mode == OPEN_STREAM_CREATE, stream_r);
		}
		if (mode != OPEN_STREAM_BEST_ACCESS ||
		    error != EC_ACCESS_DENIED)
			return error;
		break;
	default:
		return EC_INVALID_PARAM;
	}
	return v->open_stream(ctx->object, ctx->object_parent, tag, stream_r);
}

enum mapi_error
rop_open_stream(struct rop_context *ctx,
		const struct rop_open_stream_request *req,
		struct rop_open_stream_response *resp_r)
{
	struct mapi_stream *stream;
	enum mapi_error error;
	uint64_t size;

	if (!rop_response_fits(ctx, sizeof(resp_r->stream_size)))
		return EC_BUFFER_TOO_SMALL;
	if (!stream_type_is_valid(req->property_tag) ||
	    ctx->object->v->open_stream == NULL)
		return EC_NOT_SUPPORTED;
	error = stream_open(ctx, req->property_tag, req->open_mode_flags,
			    &stream);
	if (error != EC_NONE)
		return error;
	error = mapi_stream_size(stream, &size);
	if (error != EC_NONE) {
		talloc_free(stream);
		return error;
	}
	resp_r->stream_size = I_MIN(size, UINT32_MAX);
	ctx->output_object = &stream->obj;
	return EC_NONE;
}

enum mapi_error
rop_read_stream(struct rop_context *ctx,
		const struct rop_read_stream_request *req,
		struct rop_read_stream_response *resp_r)
{
	struct mapi_stream *stream = (struct mapi_stream *)ctx->object;
	enum mapi_error error;
	size_t wanted, space, len;
	uint8_t *data;

	if (ctx->response_space <= READ_STREAM_OVERHEAD)
		return EC_BUFFER_TOO_SMALL;
	space = I_MIN(ctx->response_space - READ_STREAM_OVERHEAD, UINT16_MAX);
	/* The client takes whatever comes: a short read isn't the end of the
	   stream, only an empty one is. */
	wanted = req->byte_count != READ_STREAM_EXTENDED ?
		req->byte_count : req->maximum_byte_count;
	wanted = I_MIN(wanted, space);

	data = talloc_array(ctx->mem, uint8_t, wanted);
	error = mapi_stream_read(stream, data, wanted, &len);
	if (error != EC_NONE)
		return error;
	resp_r->data_size = len;
	resp_r->data = data;
	return EC_NONE;
}

enum mapi_error
rop_seek_stream(struct rop_context *ctx,
		const struct rop_seek_stream_request *req,
		struct rop_seek_stream_response *resp_r)
{
	struct mapi_stream *stream = (struct mapi_stream *)ctx->object;

	if (!rop_response_fits(ctx, sizeof(resp_r->new_position)))
		return EC_BUFFER_TOO_SMALL;
	return mapi_stream_seek(stream, req->origin, req->offset,
				&resp_r->new_position);
}

enum mapi_error
rop_get_stream_size(struct rop_context *ctx,
		    const struct rop_get_stream_size_request *req,
		    struct rop_get_stream_size_response *resp_r)
{
	struct mapi_stream *stream = (struct mapi_stream *)ctx->object;
	enum mapi_error error;
	uint64_t size;

	error = mapi_stream_size(stream, &size);
	if (error != EC_NONE)
		return error;
	resp_r->stream_size = I_MIN(size, UINT32_MAX);
	return EC_NONE;
}

/* The clone has a position of its own. */
enum mapi_error
rop_clone_stream(struct rop_context *ctx,
		 const struct rop_clone_stream_request *req,
		 struct rop_clone_stream_response *resp_r)
{
	struct mapi_stream *stream = (struct mapi_stream *)ctx->object;

	ctx->output_object =
		&mapi_stream_clone(ctx->object_parent, stream)->obj;
	return EC_NONE;
}
