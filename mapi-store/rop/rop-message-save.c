/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Creating, changing and saving messages and their attachments, [MS-OXCMSG] 2.2.3.2
   - 2.2.3.5, 2.2.3.13 - 2.2.3.15. */

#include "lib.h"
#include "rop-handlers.h"
#include "rop-message.h"
#include "mapi-enums.h"
#include "mapi-message-edit.h"
#include "mapi-object-props.h"
#include "mapi-store.h"

/* [MS-OXCMSG] 2.2.3.3.1: At most one of the flags is set, others are ignored. A
   message that isn't kept open is released by the client; until then it stays
   what it is. */
static bool save_flags_keep_writable(uint8_t flags)
{
	return (flags & SAVE_FLAG_KEEP_OPEN_READ_ONLY) == 0 ||
		(flags & (SAVE_FLAG_KEEP_OPEN_READ_WRITE |
			  SAVE_FLAG_FORCE_SAVE)) != 0;
}

/* The message gets its id when it's saved. */
enum mapi_error
rop_create_message(struct rop_context *ctx,
		   const struct rop_create_message_request *req,
		   struct rop_create_message_response *resp_r)
{
	struct mapi_message *msg;
	enum mapi_error error;

	if (!rop_response_fits(ctx, sizeof(resp_r->has_message_id)))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_message_create_new(ctx->object_parent, ctx->object->store,
					req->folder_id,
					req->associated_flag != 0, &msg);
	if (error != EC_NONE)
		return error;
	rop_message_set_code_page(ctx, msg, req->code_page_id);
	resp_r->has_message_id = 0;
	ctx->output_object = &msg->obj;
	return EC_NONE;
}

enum mapi_error
rop_save_changes_message(struct rop_context *ctx,
			 const struct rop_save_changes_message_request *req,
			 struct rop_save_changes_message_response *resp_r)
{
	struct mapi_message *msg = (struct mapi_message *)ctx->object;
	enum mapi_error error;

	if (!rop_response_fits(ctx, sizeof(resp_r->input_handle_index) +
			       sizeof(resp_r->message_id)))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_message_save(msg, (req->save_flags &
					SAVE_FLAG_FORCE_SAVE) != 0);
	if (error != EC_NONE)
		return error;
	if (!save_flags_keep_writable(req->save_flags))
		mapi_message_set_writable(msg, FALSE);
	resp_r->input_handle_index = req->hdr.input_index;
	resp_r->message_id = msg->mid;
	return EC_NONE;
}

/* --- recipients ----------------------------------------------------------- */

enum mapi_error
rop_modify_recipients(struct rop_context *ctx,
		      const struct rop_modify_recipients_request *req,
		      struct rop_modify_recipients_response *resp_r)
{
	struct mapi_message *msg = (struct mapi_message *)ctx->object;
	uint32_t code_page = mapi_object_code_page(&msg->obj);
	struct mapi_recipient_change *changes;
	unsigned int i;

	if (!rop_response_fits(ctx, 0))
		return EC_BUFFER_TOO_SMALL;
	changes = talloc_zero_array(ctx->mem, struct mapi_recipient_change,
				    req->row_count);
	for (i = 0; i < req->row_count; i++) {
		const struct rop_modify_recipient_row *row =
			&req->recipient_rows[i];

		/* no RecipientRow: it's removed, [MS-OXCMSG] 2.2.3.5.1 */
		changes[i].has_row = row->recipient_row != NULL;
		if (changes[i].has_row)
			changes[i].row = *row->recipient_row;
		changes[i].row.row_id = row->row_id;
		changes[i].row.recipient_type = row->recipient_type;
	}
	return mapi_message_modify_recipients(msg, changes, req->row_count,
					      code_page != 0 ? code_page :
					      ctx->logon->code_page);
}

enum mapi_error
rop_remove_all_recipients(struct rop_context *ctx,
			  const struct rop_remove_all_recipients_request *req,
			  struct rop_remove_all_recipients_response *resp_r)
{
	struct mapi_message *msg = (struct mapi_message *)ctx->object;

	if (!rop_response_fits(ctx, 0))
		return EC_BUFFER_TOO_SMALL;
	return mapi_message_remove_recipients(msg);
}

/* --- attachments ---------------------------------------------------------- */

enum mapi_error
rop_create_attachment(struct rop_context *ctx,
		      const struct rop_create_attachment_request *req,
		      struct rop_create_attachment_response *resp_r)
{
	struct mapi_message *msg = (struct mapi_message *)ctx->object;
	struct mapi_attachment *attach;
	enum mapi_error error;

	if (!rop_response_fits(ctx, sizeof(resp_r->attachment_id)))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_attachment_create(ctx->object_parent, msg, &attach);
	if (error != EC_NONE)
		return error;
	resp_r->attachment_id = attach->num;
	ctx->output_object = &attach->obj;
	return EC_NONE;
}

enum mapi_error
rop_delete_attachment(struct rop_context *ctx,
		      const struct rop_delete_attachment_request *req,
		      struct rop_delete_attachment_response *resp_r)
{
	struct mapi_message *msg = (struct mapi_message *)ctx->object;

	if (!rop_response_fits(ctx, 0))
		return EC_BUFFER_TOO_SMALL;
	return mapi_message_delete_attachment(msg, req->attachment_id);
}

enum mapi_error
rop_save_changes_attachment(struct rop_context *ctx,
	const struct rop_save_changes_attachment_request *req,
	struct rop_save_changes_attachment_response *resp_r)
{
	struct mapi_attachment *attach = (struct mapi_attachment *)ctx->object;
	enum mapi_error error;

	if (!rop_response_fits(ctx, 0))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_attachment_save(attach);
	if (error == EC_NONE && !save_flags_keep_writable(req->save_flags))
		mapi_attachment_set_writable(attach, FALSE);
	return error;
}
