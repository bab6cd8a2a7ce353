/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Property streams: writing, [MS-OXCPRPT] 2.2.16 - 2.2.18, 2.2.20, 2.2.22,
   2.2.24 - 2.2.26.

   What is written becomes the property when the stream is committed or released,
   or when the object that it belongs to is asked for a property, changed or saved;
   it's stored when the message is saved. */

#include "lib.h"
#include "rop-handlers.h"
#include "mapi-stream.h"

static struct mapi_stream *rop_stream(struct rop_context *ctx)
{
	return (struct mapi_stream *)ctx->object;
}

/* A write that doesn't fit is an error, but what fits has been written, and the
   client is told how much that is. */
enum mapi_error
rop_write_stream(struct rop_context *ctx,
		 const struct rop_write_stream_request *req,
		 struct rop_write_stream_response *resp_r)
{
	enum mapi_error error;
	size_t written;

	if (!rop_response_fits(ctx, sizeof(resp_r->written_size)))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_stream_write(rop_stream(ctx), req->data, req->data_size,
				  &written);
	resp_r->written_size = written;
	return error;
}

enum mapi_error
rop_write_stream_extended(struct rop_context *ctx,
			  const struct rop_write_stream_extended_request *req,
			  struct rop_write_stream_extended_response *resp_r)
{
	enum mapi_error error;
	size_t written;

	if (!rop_response_fits(ctx, sizeof(resp_r->written_size)))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_stream_write(rop_stream(ctx), req->data, req->data_size,
				  &written);
	resp_r->written_size = written;
	return error;
}

enum mapi_error
rop_write_and_commit_stream(struct rop_context *ctx,
	const struct rop_write_and_commit_stream_request *req,
	struct rop_write_and_commit_stream_response *resp_r)
{
	enum mapi_error error;
	size_t written;

	if (!rop_response_fits(ctx, sizeof(resp_r->written_size)))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_stream_write(rop_stream(ctx), req->data, req->data_size,
				  &written);
	if (error == EC_NONE)
		error = mapi_stream_commit(rop_stream(ctx));
	resp_r->written_size = written;
	return error;
}

enum mapi_error
rop_commit_stream(struct rop_context *ctx,
		  const struct rop_commit_stream_request *req,
		  struct rop_commit_stream_response *resp_r)
{
	if (!rop_response_fits(ctx, 0))
		return EC_BUFFER_TOO_SMALL;
	return mapi_stream_commit(rop_stream(ctx));
}

enum mapi_error
rop_set_stream_size(struct rop_context *ctx,
		    const struct rop_set_stream_size_request *req,
		    struct rop_set_stream_size_response *resp_r)
{
	if (!rop_response_fits(ctx, 0))
		return EC_BUFFER_TOO_SMALL;
	return mapi_stream_set_size(rop_stream(ctx), req->stream_size);
}

enum mapi_error
rop_copy_to_stream(struct rop_context *ctx,
		   const struct rop_copy_to_stream_request *req,
		   struct rop_copy_to_stream_response *resp_r)
{
	struct mapi_stream *dest = (struct mapi_stream *)ctx->second_object;

	if (!rop_response_fits(ctx, sizeof(resp_r->dest_handle_index) +
			       sizeof(resp_r->read_byte_count) +
			       sizeof(resp_r->written_byte_count)))
		return EC_BUFFER_TOO_SMALL;
	if (dest == NULL) {
		/* [MS-OXCROPS] 2.2.9.9.3: Null Destination Failure */
		resp_r->dest_handle_index = req->hdr.output_index;
		return EC_DST_NULL_OBJECT;
	}
	if (dest->obj.type != MAPI_OBJECT_STREAM)
		return EC_NOT_SUPPORTED;
	if (!mapi_stream_is_writable(dest))
		return EC_STORAGE_ACCESS_DENIED;
	return mapi_stream_copy(rop_stream(ctx), dest, req->byte_count,
				&resp_r->read_byte_count,
				&resp_r->written_byte_count);
}

/* Locks would be among those who write to the same property at the same time. Here
   each has a copy until the message is saved, so there's nothing to be locked; and
   a server may do without, as Exchange does: [MS-OXCPRPT] 3.2.5.21, 3.2.5.22. */
enum mapi_error
rop_lock_region_stream(struct rop_context *ctx,
		       const struct rop_lock_region_stream_request *req,
		       struct rop_lock_region_stream_response *resp_r)
{
	return EC_NOT_IMPLEMENTED;
}

enum mapi_error
rop_unlock_region_stream(struct rop_context *ctx,
			 const struct rop_unlock_region_stream_request *req,
			 struct rop_unlock_region_stream_response *resp_r)
{
	return EC_NOT_IMPLEMENTED;
}
