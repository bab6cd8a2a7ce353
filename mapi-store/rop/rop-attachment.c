/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Attachments of messages, [MS-OXCMSG] 2.2.3.12 - 2.2.3.18 */

#include "lib.h"
#include "rop-handlers.h"
#include "mapi-enums.h"
#include "mapi-message-edit.h"
#include "mapi-table.h"
#include "rop-table.h"

/* further bits are ignored */
#define OPEN_ATTACHMENT_MASK OPEN_ATTACHMENT_BEST_ACCESS

enum mapi_error
rop_get_attachment_table(struct rop_context *ctx,
			 const struct rop_get_attachment_table_request *req,
			 struct rop_get_attachment_table_response *resp_r)
{
	struct mapi_message *msg = (struct mapi_message *)ctx->object;
	struct mapi_table *table;
	enum mapi_error error;

	error = mapi_attachment_table_open(ctx->object_parent, msg,
					   req->table_flags, &table);
	if (error == EC_NONE)
		rop_table_opened(ctx, table);
	return error;
}

enum mapi_error
rop_get_valid_attachments(struct rop_context *ctx,
			  const struct rop_get_valid_attachments_request *req,
			  struct rop_get_valid_attachments_response *resp_r)
{
	struct mapi_message *msg = (struct mapi_message *)ctx->object;
	enum mapi_error error;
	unsigned int i, count;

	error = mapi_message_attachment_count(msg, &count);
	if (error != EC_NONE)
		return error;
	resp_r->attachment_id_count = count;
	resp_r->attachment_id_array = talloc_array(ctx->mem, uint32_t, count);
	for (i = 0; i < count; i++)
		resp_r->attachment_id_array[i] =
			mapi_message_attachment_num(msg, i);
	return EC_NONE;
}

enum mapi_error
rop_open_attachment(struct rop_context *ctx,
		    const struct rop_open_attachment_request *req,
		    struct rop_open_attachment_response *resp_r)
{
	struct mapi_message *msg = (struct mapi_message *)ctx->object;
	struct mapi_attachment *attach;
	uint8_t mode = req->open_attachment_flags & OPEN_ATTACHMENT_MASK;
	bool writable = mapi_message_is_open_for_writing(msg);
	enum mapi_error error;

	if (mode == OPEN_ATTACHMENT_READ_WRITE && !writable)
		return EC_ACCESS_DENIED;
	error = mapi_attachment_open(ctx->object_parent, msg,
				     req->attachment_id, &attach);
	if (error != EC_NONE)
		return error;
	if (mode == OPEN_ATTACHMENT_READ_WRITE ||
	    mode == OPEN_ATTACHMENT_BEST_ACCESS)
		mapi_attachment_set_writable(attach, writable);
	ctx->output_object = &attach->obj;
	return EC_NONE;
}
