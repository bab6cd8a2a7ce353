/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-write.h"

#include "mapi-enums.h"
#include "mapi-props.h"

/* as in Connect: "use the logon's" */
#define CODE_PAGE_LOGON		0x0FFF
/* fits into an Execute with everything around it */
#define WRITE_PIECE		0x7000

/* One operation on an object, of which only the success matters. */
static int
client_run(struct client_object *obj, struct rop_request_header *hdr,
	   struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(obj->session, NULL);
	unsigned int n;

	hdr->logon_id = obj->logon_id;
	hdr->input_index = client_batch_handle(batch, obj->handle);
	n = client_batch_add(batch, hdr, NULL, 0);
	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	talloc_free(batch);
	return 0;
}

/* One operation that makes an object of one */
static int
client_run_output(struct client_object *obj, struct rop_request_header *hdr,
		  TALLOC_CTX *mem, struct client_object **obj_r,
		  struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(obj->session, NULL);
	unsigned int n;

	hdr->logon_id = obj->logon_id;
	hdr->input_index = client_batch_handle(batch, obj->handle);
	hdr->output_index = client_batch_output(batch);
	n = client_batch_add(batch, hdr, NULL, 0);
	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	*obj_r = client_object_init(mem, sizeof(**obj_r), obj->session,
		obj->logon_id, client_batch_slot(batch, hdr->output_index));
	talloc_free(batch);
	return 0;
}

/* --- messages -------------------------------------------------------------*/
int client_message_edit(struct client_logon *logon, TALLOC_CTX *mem,
			mapi_id_t fid, mapi_id_t mid,
			struct client_object **message_r,
			struct client_error *error_r)
{
	struct rop_open_message_request req = {
		.hdr.rop_id = ROP_OPEN_MESSAGE,
		.code_page_id = CODE_PAGE_LOGON,
		.folder_id = fid,
		.message_id = mid,
		.open_mode_flags = OPEN_MESSAGE_READ_WRITE,
	};

	return client_run_output(&logon->obj, &req.hdr, mem, message_r,
				 error_r);
}

int client_message_create(struct client_logon *logon, TALLOC_CTX *mem,
			  mapi_id_t fid, struct client_object **message_r,
			  struct client_error *error_r)
{
	struct rop_create_message_request req = {
		.hdr.rop_id = ROP_CREATE_MESSAGE,
		.code_page_id = CODE_PAGE_LOGON,
		.folder_id = fid,
	};

	return client_run_output(&logon->obj, &req.hdr, mem, message_r,
				 error_r);
}

int client_message_save(struct client_object *message, mapi_id_t *mid_r,
			struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(message->session, NULL);
	struct rop_save_changes_message_request req = {
		.hdr.rop_id = ROP_SAVE_CHANGES_MESSAGE,
		.hdr.logon_id = message->logon_id,
		.hdr.input_index = client_batch_handle(batch, message->handle),
		.save_flags = SAVE_FLAG_KEEP_OPEN_READ_WRITE,
	};
	const struct rop_save_changes_message_response *resp;
	unsigned int n;

	/* the response is for this slot */
	req.hdr.output_index = req.hdr.input_index;
	n = client_batch_add(batch, &req, NULL, 0);
	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	*mid_r = resp->message_id;
	talloc_free(batch);
	return 0;
}

int client_message_submit(struct client_object *message,
			  struct client_error *error_r)
{
	struct rop_submit_message_request req = {
		.hdr.rop_id = ROP_SUBMIT_MESSAGE,
	};

	return client_run(message, &req.hdr, error_r);
}

/* --- properties -----------------------------------------------------------*/
int client_set_props(struct client_object *obj,
		     const struct mapi_property *props, uint16_t count,
		     struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(obj->session, NULL);
	struct rop_set_properties_request req = {
		.hdr.rop_id = ROP_SET_PROPERTIES,
		.hdr.logon_id = obj->logon_id,
		.hdr.input_index = client_batch_handle(batch, obj->handle),
		.property_value_count = count,
		.property_values = (struct mapi_property *)props,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);
	const struct rop_set_properties_response *resp;
	int ret = 0;

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	if (resp->property_problem_count > 0) {
		error_r->ec = resp->property_problems[0].error_code;
		ret = client_error_set(error_r, CLIENT_FAIL_ROP,
			"property 0x%08x wasn't set",
			resp->property_problems[0].property_tag);
	}
	talloc_free(batch);
	return ret;
}

static int
client_stream_write(struct client_object *stream, const uint8_t *data,
		    size_t size, struct client_error *error_r)
{
	struct rop_write_stream_request req = {
		.hdr.rop_id = ROP_WRITE_STREAM,
	};
	struct rop_commit_stream_request commit = {
		.hdr.rop_id = ROP_COMMIT_STREAM,
	};
	size_t pos;

	for (pos = 0; pos < size; pos += req.data_size) {
		req.data = data + pos;
		req.data_size = size - pos < WRITE_PIECE ? size - pos :
			WRITE_PIECE;
		if (client_run(stream, &req.hdr, error_r) < 0)
			return -1;
	}
	return client_run(stream, &commit.hdr, error_r);
}

int client_set_stream(struct client_object *obj, uint32_t tag,
		      const uint8_t *data, size_t size,
		      struct client_error *error_r)
{
	struct rop_open_stream_request req = {
		.hdr.rop_id = ROP_OPEN_STREAM,
		.property_tag = tag,
		.open_mode_flags = OPEN_STREAM_CREATE,
	};
	struct client_object *stream;
	int ret;

	if (client_run_output(obj, &req.hdr, obj, &stream, error_r) < 0)
		return -1;
	ret = client_stream_write(stream, data, size, error_r);
	talloc_free(stream);
	return ret;
}

int client_named_property(struct client_logon *logon,
			  const struct mapi_property_name *name,
			  uint16_t *id_r, struct client_error *error_r)
{
	struct client_object *obj = &logon->obj;
	struct client_batch *batch = client_batch_new(obj->session, NULL);
	struct rop_get_property_ids_from_names_request req = {
		.hdr.rop_id = ROP_GET_PROPERTY_IDS_FROM_NAMES,
		.hdr.logon_id = obj->logon_id,
		.hdr.input_index = client_batch_handle(batch, obj->handle),
		.flags = NAME_FLAG_CREATE,
		.property_name_count = 1,
		.property_names = (struct mapi_property_name *)name,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);
	const struct rop_get_property_ids_from_names_response *resp;
	int ret = 0;

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	if (resp->property_id_count != 1) {
		ret = client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			"%u ids came for one name", resp->property_id_count);
	} else {
		*id_r = resp->property_ids[0];
	}
	talloc_free(batch);
	return ret;
}

/* --- recipients -----------------------------------------------------------*/
int client_add_recipients(struct client_object *message, uint32_t first_row,
			  const struct client_recipient *recipients,
			  uint16_t count, struct client_error *error_r)
{
	struct rop_modify_recipients_request req = {
		.hdr.rop_id = ROP_MODIFY_RECIPIENTS,
		.row_count = count,
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_recipient_row *row;
	unsigned int i;
	int ret;

	req.recipient_rows = talloc_zero_array(mem,
		struct rop_modify_recipient_row, count);
	for (i = 0; i < count; i++) {
		row = talloc_zero(mem, struct mapi_recipient_row);
		row->flags = MAPI_RECIP_TYPE_SMTP | MAPI_RECIP_EMAIL |
			MAPI_RECIP_DISPLAY_NAME | MAPI_RECIP_UNICODE;
		row->email_address = recipients[i].address;
		row->display_name = recipients[i].address;
		req.recipient_rows[i].row_id = first_row + i;
		req.recipient_rows[i].recipient_type = recipients[i].type;
		req.recipient_rows[i].recipient_row = row;
	}
	ret = client_run(message, &req.hdr, error_r);
	talloc_free(mem);
	return ret;
}

int client_remove_recipients(struct client_object *message,
			     struct client_error *error_r)
{
	struct rop_remove_all_recipients_request req = {
		.hdr.rop_id = ROP_REMOVE_ALL_RECIPIENTS,
	};

	return client_run(message, &req.hdr, error_r);
}

/* --- attachments ----------------------------------------------------------*/
int client_attachment_create(struct client_object *message, TALLOC_CTX *mem,
			     struct client_object **attachment_r,
			     struct client_error *error_r)
{
	struct rop_create_attachment_request req = {
		.hdr.rop_id = ROP_CREATE_ATTACHMENT,
	};

	return client_run_output(message, &req.hdr, mem, attachment_r,
				 error_r);
}

int client_attachment_save(struct client_object *attachment,
			   struct client_object *message,
			   struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(message->session, NULL);
	struct rop_save_changes_attachment_request req = {
		.hdr.rop_id = ROP_SAVE_CHANGES_ATTACHMENT,
		.hdr.logon_id = message->logon_id,
		.hdr.input_index =
			client_batch_handle(batch, attachment->handle),
		.hdr.output_index =
			client_batch_handle(batch, message->handle),
		.save_flags = SAVE_FLAG_KEEP_OPEN_READ_WRITE,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	talloc_free(batch);
	return 0;
}

/* --- messages of a folder -------------------------------------------------*/
/* Runs an operation on messages. partial_offset: where its response has
   PartialCompletion */
static int
client_run_partial(struct client_batch *batch, const void *req,
		   size_t partial_offset, struct client_error *error_r)
{
	unsigned int n = client_batch_add(batch, req, NULL, 0);
	const uint8_t *resp;
	int ret = 0;

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	if (resp[partial_offset] != 0) {
		ret = client_error_set(error_r, CLIENT_FAIL_ROP,
			"not all of the messages could be changed "
			"(PartialCompletion)");
	}
	talloc_free(batch);
	return ret;
}

#define RUN_PARTIAL(batch, req, name, error_r) \
	client_run_partial(batch, req, \
		offsetof(struct rop_##name##_response, partial_completion), \
		error_r)

int client_messages_move(struct client_object *source,
			 struct client_object *dest, mapi_id_t *mids,
			 uint16_t count, bool copy,
			 struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(source->session, NULL);
	struct rop_move_copy_messages_request req = {
		.hdr.rop_id = ROP_MOVE_COPY_MESSAGES,
		.hdr.logon_id = source->logon_id,
		.hdr.input_index = client_batch_handle(batch, source->handle),
		.hdr.output_index = client_batch_handle(batch, dest->handle),
		.message_id_count = count,
		.message_ids = mids,
		.want_copy = copy,
	};

	return RUN_PARTIAL(batch, &req, move_copy_messages, error_r);
}

/* RopDeleteMessages and RopHardDeleteMessages differ only in their ids. */
int client_messages_delete(struct client_object *folder, mapi_id_t *mids,
			   uint16_t count, bool hard,
			   struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(folder->session, NULL);
	struct rop_delete_messages_request req = {
		.hdr.rop_id = ROP_DELETE_MESSAGES,
		.hdr.logon_id = folder->logon_id,
		.hdr.input_index = client_batch_handle(batch, folder->handle),
		.message_id_count = count,
		.message_ids = mids,
	};
	struct rop_hard_delete_messages_request hard_req = {
		.hdr = req.hdr,
		.message_id_count = count,
		.message_ids = mids,
	};

	hard_req.hdr.rop_id = ROP_HARD_DELETE_MESSAGES;
	return hard ?
		RUN_PARTIAL(batch, &hard_req, hard_delete_messages, error_r) :
		RUN_PARTIAL(batch, &req, delete_messages, error_r);
}

int client_messages_set_read(struct client_object *folder, mapi_id_t *mids,
			     uint16_t count, uint8_t read_flags,
			     struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(folder->session, NULL);
	struct rop_set_read_flags_request req = {
		.hdr.rop_id = ROP_SET_READ_FLAGS,
		.hdr.logon_id = folder->logon_id,
		.hdr.input_index = client_batch_handle(batch, folder->handle),
		.read_flags = read_flags,
		.message_id_count = count,
		.message_ids = mids,
	};

	return RUN_PARTIAL(batch, &req, set_read_flags, error_r);
}
