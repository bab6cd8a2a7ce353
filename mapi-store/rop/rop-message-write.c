/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations on messages that change nothing of their content: read state,
   status ([MS-OXCMSG] 2.2.3.8 to 2.2.3.11), moving, copying and deleting
   ([MS-OXCFOLD] 2.2.1.6, 2.2.1.11, 2.2.1.12).

   Where the client allows for asynchronous execution (WantAsynchronous), the
   operation is executed at once nevertheless and answered with its own response
   instead of RopProgress's, as [MS-OXCFOLD] 3.2.5 lets a server do. Messages
   that aren't there (any more) make the operation complete partially; it doesn't
   fail: clients do such things to messages that they have just moved. */

#include "lib.h"
#include "rop-handlers.h"
#include "mapi-message-write.h"
#include "mapi-receipt.h"

/* RopId, handle index, ReturnValue */
#define RESPONSE_HEADER_SIZE 6

/* Nothing may be changed if the response doesn't fit: it would be done again. */
static bool response_fits(struct rop_context *ctx, size_t size)
{
	size += RESPONSE_HEADER_SIZE;
	if (size <= ctx->response_space)
		return TRUE;
	ctx->size_needed = size;
	return FALSE;
}

enum mapi_error
rop_set_read_flags(struct rop_context *ctx,
		   const struct rop_set_read_flags_request *req,
		   struct rop_set_read_flags_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;
	struct mapi_read_change change;
	enum mapi_error error;
	bool partial = FALSE;

	if (!response_fits(ctx, sizeof(resp_r->partial_completion)))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_read_change_parse(req->read_flags, &change);
	if (error == EC_NONE) {
		error = mapi_messages_set_read(folder->obj.store, folder->fid,
					       req->message_ids,
					       req->message_id_count,
					       &change, &partial);
	}
	resp_r->partial_completion = partial ? 1 : 0;
	return error;
}

/* ReadStatusChanged is for logons to public folders only, and so are the fields
   that follow it: [MS-OXCROPS] 2.2.6.11.2, [MS-OXCMSG] 2.2.3.11.2. */
enum mapi_error
rop_set_message_read_flag(struct rop_context *ctx,
			  const struct rop_set_message_read_flag_request *req,
			  struct rop_set_message_read_flag_response *resp_r)
{
	struct mapi_message *msg = (struct mapi_message *)ctx->object;
	struct mapi_read_change change;
	enum mapi_error error;

	if (!response_fits(ctx, sizeof(resp_r->read_status_changed)))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_read_change_parse(req->read_flags, &change);
	if (error == EC_NONE)
		error = mapi_message_set_read(msg, &change);
	resp_r->read_status_changed = 0;
	return error;
}

/* The message needn't be open. */
enum mapi_error
rop_get_message_status(struct rop_context *ctx,
		       const struct rop_get_message_status_request *req,
		       struct rop_get_message_status_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;

	return mapi_message_get_status(folder->obj.store, folder->fid,
				       req->message_id,
				       &resp_r->message_status_flags);
}

/* The answer is what was set before, as IMAPIFolder::SetMessageStatus gives it
   to its caller. */
enum mapi_error
rop_set_message_status(struct rop_context *ctx,
		       const struct rop_set_message_status_request *req,
		       struct rop_set_message_status_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;

	if (!response_fits(ctx, sizeof(resp_r->message_status_flags)))
		return EC_BUFFER_TOO_SMALL;
	return mapi_message_set_status(folder->obj.store, folder->fid,
				       req->message_id,
				       req->message_status_flags,
				       req->message_status_mask,
				       &resp_r->message_status_flags);
}

enum mapi_error
rop_move_copy_messages(struct rop_context *ctx,
		       const struct rop_move_copy_messages_request *req,
		       struct rop_move_copy_messages_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;
	struct mapi_folder *dest = (struct mapi_folder *)ctx->second_object;
	enum mapi_error error;
	bool partial = FALSE;

	if (!response_fits(ctx, sizeof(resp_r->dest_handle_index) +
			   sizeof(resp_r->partial_completion)))
		return EC_BUFFER_TOO_SMALL;
	if (dest == NULL) {
		/* [MS-OXCROPS] 2.2.4.6.3: Null Destination Failure */
		resp_r->dest_handle_index = req->hdr.output_index;
		return EC_DST_NULL_OBJECT;
	}
	if (dest->obj.type != MAPI_OBJECT_FOLDER)
		return EC_NOT_SUPPORTED;
	error = mapi_messages_copy(folder->obj.store, folder->fid,
				   dest->obj.store, dest->fid,
				   req->message_ids, req->message_id_count,
				   req->want_copy == 0, &partial);
	resp_r->partial_completion = partial ? 1 : 0;
	return error;
}

static enum mapi_error
messages_delete(struct rop_context *ctx, bool hard, const mapi_id_t *mids,
		unsigned int count, bool notify_non_read, uint8_t *partial_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;
	enum mapi_error error;
	bool partial;

	if (!response_fits(ctx, sizeof(*partial_r)))
		return EC_BUFFER_TOO_SMALL;
	if (notify_non_read) {
		error = mapi_messages_delete_notify(folder->obj.store,
						    folder->fid, mids, count,
						    hard, &partial);
	} else if (hard) {
		error = mapi_messages_delete(folder->obj.store, folder->fid,
					     mids, count, &partial);
	} else {
		error = mapi_messages_soft_delete(folder->obj.store,
						  folder->fid, mids, count,
						  &partial);
	}
	*partial_r = partial ? 1 : 0;
	return error;
}

enum mapi_error
rop_delete_messages(struct rop_context *ctx,
		    const struct rop_delete_messages_request *req,
		    struct rop_delete_messages_response *resp_r)
{
	return messages_delete(ctx, FALSE, req->message_ids,
			       req->message_id_count, req->notify_non_read != 0,
			       &resp_r->partial_completion);
}

enum mapi_error
rop_hard_delete_messages(struct rop_context *ctx,
			 const struct rop_hard_delete_messages_request *req,
			 struct rop_hard_delete_messages_response *resp_r)
{
	return messages_delete(ctx, TRUE, req->message_ids,
			       req->message_id_count, req->notify_non_read != 0,
			       &resp_r->partial_completion);
}
