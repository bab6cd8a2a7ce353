/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opening and looking at messages, [MS-OXCMSG] 2.2.3 */

#include "lib.h"
#include "rop-handlers.h"
#include "rop-message.h"
#include "mapi-codepage.h"
#include "mapi-enums.h"
#include "mapi-message-edit.h"
#include "mapi-object-props.h"
#include "mapi-props.h"
#include "mapi-search-folder.h"
#include "mapi-store.h"
#include "mapi-wire.h"

/* Other bits than these and OpenSoftDeleted are ignored. */
#define OPEN_MESSAGE_MASK OPEN_MESSAGE_BEST_ACCESS

/* RowCount is a byte */
#define RECIPIENT_ROWS_MAX 255
/* Beside the RecipientRow: RecipientType, CodePageId, Reserved,
   RecipientRowSize; in RopReadRecipients a RowId, too */
#define OPEN_RECIPIENT_ROW_OVERHEAD 7
#define READ_RECIPIENT_ROW_OVERHEAD (4 + OPEN_RECIPIENT_ROW_OVERHEAD)

/* RopOpenEmbeddedMessage creates messages, which have neither subject nor
   recipients: Reserved, MessageId, HasNamedProperties, two typed strings,
   RecipientCount, ColumnCount, RowCount */
#define EMBEDDED_RESPONSE_MIN_SIZE (1 + 8 + 1 + 2 * 3 + 2 + 2 + 1)

/* What RopOpenMessage, RopOpenEmbeddedMessage and RopReloadCachedInformation
   all answer */
struct message_summary {
	const char *subject_prefix, *normalized_subject;
	uint16_t recipient_count;
	uint16_t column_count;
	uint32_t *columns;
	uint8_t row_count;
	struct rop_open_recipient_row *rows;
};

#define MESSAGE_SUMMARY_RESPONSE(resp, summary) STMT_START { \
	(resp)->has_named_properties = 1; \
	(resp)->subject_prefix = (summary)->subject_prefix; \
	(resp)->normalized_subject = (summary)->normalized_subject; \
	(resp)->recipient_count = (summary)->recipient_count; \
	(resp)->column_count = (summary)->column_count; \
	(resp)->recipient_columns = (summary)->columns; \
	(resp)->row_count = (summary)->row_count; \
	(resp)->recipient_rows = (summary)->rows; \
	} STMT_END

static size_t
recipient_row_size(TALLOC_CTX *mem, const struct mapi_recipient_row *row)
{
	struct mapi_push push;

	mapi_push_init(&push, mem, UINT16_MAX);
	if (!mapi_push_recipient_row(&push, row))
		return 0;
	talloc_free(push.data);
	return push.size;
}

/* How many rows from first on fit into space bytes */
static unsigned int
recipient_rows_fit(TALLOC_CTX *mem, const struct mapi_recipient_row *rows,
		   unsigned int first, unsigned int count, size_t overhead,
		   size_t space)
{
	size_t size, used = 0;
	unsigned int i;

	for (i = first; i < count && i - first < RECIPIENT_ROWS_MAX; i++) {
		size = recipient_row_size(mem, &rows[i]);
		if (size == 0 || used + overhead + size > space)
			break;
		used += overhead + size;
	}
	return i - first;
}

static const char *message_string(struct mapi_value *value)
{
	return value->type == PTYP_STRING ? value->u.str : "";
}

static enum mapi_error
message_summary_get(struct rop_context *ctx, struct mapi_message *msg,
		    size_t overhead, struct message_summary *summary_r)
{
	static const uint32_t tags[] = {
		PIDTAG_SUBJECT_PREFIX, PIDTAG_NORMALIZED_SUBJECT
	};
	struct mapi_value values[N_ELEMENTS(tags)];
	const struct mapi_recipient_row *rows;
	unsigned int i, count;
	enum mapi_error error;

	i_zero(summary_r);
	error = msg->obj.v->get_props(&msg->obj, ctx->mem, tags,
				      N_ELEMENTS(tags), SIZE_MAX, values);
	if (error != EC_NONE)
		return error;
	error = mapi_message_recipients(msg, &rows, &count);
	if (error != EC_NONE)
		return error;

	summary_r->subject_prefix = message_string(&values[0]);
	summary_r->normalized_subject = message_string(&values[1]);
	summary_r->recipient_count = I_MIN(count, UINT16_MAX);
	if (count == 0)
		return EC_NONE;
	summary_r->column_count = rows[0].properties.count;
	summary_r->columns = talloc_memdup(ctx->mem,
					   rows[0].properties.columns,
					   rows[0].properties.count *
					   sizeof(uint32_t));

	/* HasNamedProperties, two typed strings, the counts */
	overhead += 1 + 2 * 3 + 2 + 2 + 1 +
		mapi_utf16_size(summary_r->subject_prefix) +
		mapi_utf16_size(summary_r->normalized_subject) +
		summary_r->column_count * sizeof(uint32_t);
	if (overhead < ctx->response_space) {
		summary_r->row_count =
			recipient_rows_fit(ctx->mem, rows, 0, count,
					   OPEN_RECIPIENT_ROW_OVERHEAD,
					   ctx->response_space - overhead);
	}
	summary_r->rows = talloc_zero_array(ctx->mem,
					    struct rop_open_recipient_row,
					    summary_r->row_count);
	for (i = 0; i < summary_r->row_count; i++) {
		summary_r->rows[i].recipient_type = rows[i].recipient_type;
		summary_r->rows[i].code_page_id = rows[i].code_page_id;
		summary_r->rows[i].recipient_row = rows[i];
	}
	return EC_NONE;
}

void
rop_message_set_code_page(struct rop_context *ctx, struct mapi_message *msg,
			  uint16_t code_page)
{
	mapi_message_set_code_page(msg, code_page == MAPI_CODEPAGE_LOGON ?
				   ctx->logon->code_page : code_page);
}

/* Whether the object can be changed. The modes are the same for messages that are
   embedded in others. */
static enum mapi_error
message_set_mode(struct mapi_message *msg, uint8_t mode, bool writable)
{
	switch (mode) {
	case OPEN_MESSAGE_READ_WRITE:
		if (!writable)
			return EC_ACCESS_DENIED;
		/* fall through */
	case OPEN_MESSAGE_BEST_ACCESS:
		mapi_message_set_writable(msg, writable);
		break;
	}
	return EC_NONE;
}

enum mapi_error
rop_open_message(struct rop_context *ctx,
		 const struct rop_open_message_request *req,
		 struct rop_open_message_response *resp_r)
{
	struct message_summary summary;
	struct mapi_store *store = ctx->object->store;
	struct mapi_message *msg;
	enum mapi_error error;
	mapi_id_t fid;

	/* clients name the folder in which they see the message */
	fid = mapi_search_real_folder(store, req->folder_id, req->message_id);
	if (fid == 0)
		return EC_NOT_FOUND;
	if ((req->open_mode_flags & OPEN_MESSAGE_OPEN_SOFT_DELETED) == 0 &&
	    mapi_folder_tree_lookup_removed(store, fid) != NULL)
		return EC_NOT_FOUND;
	error = mapi_message_open(ctx->object_parent, store, fid,
				  req->message_id, &msg);
	/* also while the folder's own mailbox is just being deleted */
	if ((error == EC_NOT_FOUND || error == EC_OBJECT_DELETED) &&
	    (req->open_mode_flags & OPEN_MESSAGE_OPEN_SOFT_DELETED) != 0) {
		error = mapi_message_open_deleted(ctx->object_parent, store,
						  fid, req->message_id, &msg);
	}
	if (error != EC_NONE)
		return error;
	rop_message_set_code_page(ctx, msg, req->code_page_id);
	error = message_set_mode(msg, req->open_mode_flags &
				 OPEN_MESSAGE_MASK,
				 mapi_message_is_writable(msg));
	if (error == EC_NONE)
		error = message_summary_get(ctx, msg, 6, &summary);
	if (error != EC_NONE) {
		talloc_free(msg);
		return error;
	}
	MESSAGE_SUMMARY_RESPONSE(resp_r, &summary);
	ctx->output_object = &msg->obj;
	return EC_NONE;
}

/* Only what isn't there is created. */
static enum mapi_error
embedded_open(struct rop_context *ctx, struct mapi_attachment *attach,
	      uint8_t mode, struct mapi_message **msg_r)
{
	enum mapi_error error;

	error = mapi_attachment_open_embedded(ctx->object_parent, attach,
					      msg_r);
	if (error == EC_NONE) {
		if (mode == OPEN_STREAM_CREATE)
			mode = OPEN_STREAM_READ_WRITE;
		error = message_set_mode(*msg_r, mode,
					 mapi_attachment_is_open_for_writing(
						attach));
		if (error != EC_NONE)
			talloc_free(*msg_r);
		return error;
	}
	if (mode != OPEN_STREAM_CREATE ||
	    (error != EC_NOT_FOUND && error != EC_NOT_SUPPORTED))
		return error;
	return mapi_attachment_create_embedded(ctx->object_parent, attach,
					       msg_r);
}

enum mapi_error
rop_open_embedded_message(struct rop_context *ctx,
			  const struct rop_open_embedded_message_request *req,
			  struct rop_open_embedded_message_response *resp_r)
{
	struct mapi_attachment *attach = (struct mapi_attachment *)ctx->object;
	struct message_summary summary;
	struct mapi_message *msg;
	enum mapi_error error;

	if (!rop_response_fits(ctx, EMBEDDED_RESPONSE_MIN_SIZE))
		return EC_BUFFER_TOO_SMALL;
	if (req->open_mode_flags > OPEN_STREAM_BEST_ACCESS)
		return EC_INVALID_PARAM;
	error = embedded_open(ctx, attach, req->open_mode_flags, &msg);
	if (error != EC_NONE)
		return error;
	rop_message_set_code_page(ctx, msg, req->code_page_id);
	/* Reserved, MessageId */
	error = message_summary_get(ctx, msg, 6 + 1 + 8, &summary);
	if (error != EC_NONE) {
		talloc_free(msg);
		return error;
	}
	MESSAGE_SUMMARY_RESPONSE(resp_r, &summary);
	/* it can't be opened by an id of its own */
	resp_r->message_id = 0;
	ctx->output_object = &msg->obj;
	return EC_NONE;
}

enum mapi_error
rop_reload_cached_information(struct rop_context *ctx,
			      const struct rop_reload_cached_information_request *req,
			      struct rop_reload_cached_information_response *resp_r)
{
	struct mapi_message *msg = (struct mapi_message *)ctx->object;
	struct message_summary summary;
	enum mapi_error error;

	error = message_summary_get(ctx, msg, 6, &summary);
	if (error != EC_NONE)
		return error;
	MESSAGE_SUMMARY_RESPONSE(resp_r, &summary);
	return EC_NONE;
}

enum mapi_error
rop_read_recipients(struct rop_context *ctx,
		    const struct rop_read_recipients_request *req,
		    struct rop_read_recipients_response *resp_r)
{
	struct mapi_message *msg = (struct mapi_message *)ctx->object;
	const struct mapi_recipient_row *rows;
	unsigned int i, n, first, count;
	enum mapi_error error;

	error = mapi_message_recipients(msg, &rows, &count);
	if (error != EC_NONE)
		return error;
	/* Clients count on from the last one that they got, but some may have
	   been removed. */
	for (first = 0; first < count; first++) {
		if (rows[first].row_id >= req->row_id)
			break;
	}
	if (first == count)
		return EC_NOT_FOUND;
	/* header, RowCount */
	n = ctx->response_space <= 7 ? 0 :
		recipient_rows_fit(ctx->mem, rows, first, count,
				   READ_RECIPIENT_ROW_OVERHEAD,
				   ctx->response_space - 7);
	if (n == 0)
		return EC_BUFFER_TOO_SMALL;
	resp_r->row_count = n;
	resp_r->recipient_rows =
		talloc_zero_array(ctx->mem, struct rop_read_recipient_row, n);
	for (i = 0; i < n; i++) {
		const struct mapi_recipient_row *row = &rows[first + i];

		resp_r->recipient_rows[i].row_id = row->row_id;
		resp_r->recipient_rows[i].recipient_type = row->recipient_type;
		resp_r->recipient_rows[i].code_page_id = row->code_page_id;
		resp_r->recipient_rows[i].recipient_row = *row;
	}
	return EC_NONE;
}
