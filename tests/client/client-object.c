/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-object.h"

#include <string.h>

#define LOGON_PRIVATE			0x01
/* RopLogon OpenFlags, [MS-OXCSTOR] 2.2.1.1.1 */
#define LOGON_HOME			0x00000004
#define LOGON_TAKE_OWNERSHIP		0x00000008
#define LOGON_NO_MAIL			0x00000400
#define LOGON_PER_MDB_REPLID_MAPPING	0x01000000
#define OPEN_READ_ONLY			0x00
/* as in Connect: "use the logon's" */
#define CODE_PAGE_LOGON			0x0FFF
/* Streams are read in pieces that Outlook asks for, too. */
#define STREAM_PIECE			0x7C00

static int client_object_destroy(struct client_object *obj)
{
	if (obj->session->connected)
		client_session_release(obj->session, obj->logon_id, obj->handle);
	return 0;
}

struct client_object *
client_object_init(TALLOC_CTX *mem, size_t size, struct client_session *session,
		   uint8_t logon_id, uint32_t handle)
{
	struct client_object *obj = talloc_zero_size(mem, size);

	talloc_set_name_const(obj, "struct client_object");
	obj->session = session;
	obj->logon_id = logon_id;
	obj->handle = handle;
	talloc_set_destructor(obj, client_object_destroy);
	return obj;
}

int client_logon_open(struct client_session *session, TALLOC_CTX *mem,
		      const char *user_dn, struct client_logon **logon_r,
		      struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(session, mem);
	struct rop_logon_request req = {
		.hdr.rop_id = ROP_LOGON,
		.hdr.output_index = client_batch_output(batch),
		.logon_flags = LOGON_PRIVATE,
		.open_flags = LOGON_HOME | LOGON_TAKE_OWNERSHIP |
			LOGON_NO_MAIL | LOGON_PER_MDB_REPLID_MAPPING,
		.essdn_size = strlen(user_dn) + 1,
		.essdn = user_dn,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);
	const struct rop_logon_response *resp;
	struct client_logon *logon;

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	logon = (struct client_logon *)
		client_object_init(mem, sizeof(*logon), session, 0,
			client_batch_slot(batch, req.hdr.output_index));
	memcpy(logon->folder_ids, resp->folder_ids, sizeof(logon->folder_ids));
	logon->response_flags = resp->response_flags;
	logon->mailbox_guid = resp->mailbox_guid;
	logon->repl_guid = resp->repl_guid;
	logon->repl_id = resp->repl_id;
	logon->store_state = resp->store_state;
	*logon_r = logon;
	talloc_free(batch);
	return 0;
}

int client_logon_receive_folder(struct client_logon *logon, TALLOC_CTX *mem,
				const char *class, mapi_id_t *fid_r,
				const char **class_r,
				struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(logon->obj.session, mem);
	struct rop_get_receive_folder_request req = {
		.hdr.rop_id = ROP_GET_RECEIVE_FOLDER,
		.hdr.logon_id = logon->obj.logon_id,
		.hdr.input_index =
			client_batch_handle(batch, logon->obj.handle),
		.message_class = class,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);
	const struct rop_get_receive_folder_response *resp;

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	*fid_r = resp->folder_id;
	*class_r = talloc_strdup(mem, resp->explicit_message_class);
	talloc_free(batch);
	return 0;
}

int client_folder_open(struct client_logon *logon, TALLOC_CTX *mem,
		       mapi_id_t fid, struct client_object **folder_r,
		       struct client_error *error_r)
{
	struct client_session *session = logon->obj.session;
	struct client_batch *batch = client_batch_new(session, mem);
	struct rop_open_folder_request req = {
		.hdr.rop_id = ROP_OPEN_FOLDER,
		.hdr.logon_id = logon->obj.logon_id,
		.hdr.input_index =
			client_batch_handle(batch, logon->obj.handle),
		.hdr.output_index = client_batch_output(batch),
		.folder_id = fid,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	*folder_r = client_object_init(mem, sizeof(**folder_r), session,
		logon->obj.logon_id,
		client_batch_slot(batch, req.hdr.output_index));
	talloc_free(batch);
	return 0;
}

/* --- properties -----------------------------------------------------------*/
int client_get_props(struct client_object *obj, TALLOC_CTX *mem,
		     const uint32_t *tags, uint16_t count,
		     struct mapi_property_row *row_r,
		     struct client_error *error_r)
{
	/* the row stays below the batch */
	struct client_batch *batch = client_batch_new(obj->session, mem);
	uint32_t *columns = talloc_memdup(batch, tags, count * sizeof(*tags));
	struct rop_get_properties_specific_request req = {
		.hdr.rop_id = ROP_GET_PROPERTIES_SPECIFIC,
		.hdr.logon_id = obj->logon_id,
		.hdr.input_index = client_batch_handle(batch, obj->handle),
		.want_unicode = 1,
		.property_tag_count = count,
		.property_tags = columns,
	};
	unsigned int n = client_batch_add(batch, &req, columns, count);
	const struct rop_get_properties_specific_response *resp;

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	*row_r = resp->row_data;
	return 0;
}

int client_get_props_all(struct client_object *obj, TALLOC_CTX *mem,
			 struct mapi_property **props_r, unsigned int *count_r,
			 struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(obj->session, mem);
	struct rop_get_properties_all_request req = {
		.hdr.rop_id = ROP_GET_PROPERTIES_ALL,
		.hdr.logon_id = obj->logon_id,
		.hdr.input_index = client_batch_handle(batch, obj->handle),
		.property_size_limit = 0x1000,
		.want_unicode = 1,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);
	const struct rop_get_properties_all_response *resp;

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	*props_r = resp->property_values;
	*count_r = resp->property_value_count;
	return 0;
}

/* --- messages -------------------------------------------------------------*/
/* The first recipients came with the opening, the rest is asked for. */
static int
client_message_recipients(struct client_message *message,
			  const struct rop_open_recipient_row *rows,
			  unsigned int row_count, struct client_error *error_r)
{
	struct client_object *obj = &message->obj;
	const struct rop_read_recipients_response *resp;
	struct rop_read_recipients_request req = {
		.hdr.rop_id = ROP_READ_RECIPIENTS,
		.hdr.logon_id = obj->logon_id,
	};
	struct client_batch *batch;
	unsigned int i, n, have = 0;

	message->recipients = talloc_zero_array(message,
		struct mapi_recipient_row, message->recipient_count);
	for (; have < row_count && have < message->recipient_count; have++) {
		message->recipients[have] = rows[have].recipient_row;
		message->recipients[have].recipient_type =
			rows[have].recipient_type;
		message->recipients[have].row_id = have;
	}
	while (have < message->recipient_count) {
		batch = client_batch_new(obj->session, message);
		req.hdr.input_index = client_batch_handle(batch, obj->handle);
		req.row_id = have;
		n = client_batch_add(batch, &req, message->recipient_columns,
				     message->recipient_column_count);
		if (client_batch_execute(batch, error_r) < 0 ||
		    client_batch_check(batch, n, error_r) < 0)
			return -1;
		resp = client_batch_response(batch, n);
		if (resp->row_count == 0) {
			return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
				"RopReadRecipients gives no row from %u on, "
				"although there are %u recipients", have,
				message->recipient_count);
		}
		for (i = 0; i < resp->row_count &&
			    have < message->recipient_count; i++, have++) {
			message->recipients[have] =
				resp->recipient_rows[i].recipient_row;
			message->recipients[have].recipient_type =
				resp->recipient_rows[i].recipient_type;
			message->recipients[have].row_id =
				resp->recipient_rows[i].row_id;
		}
	}
	return 0;
}

/* The fields that RopOpenMessage and RopOpenEmbeddedMessage share */
#define CLIENT_MESSAGE_TAKE(message, batch, resp) do { \
	(message)->subject_prefix = (resp)->subject_prefix; \
	(message)->normalized_subject = (resp)->normalized_subject; \
	(message)->has_named_properties = (resp)->has_named_properties != 0; \
	(message)->recipient_count = (resp)->recipient_count; \
	(message)->recipient_columns = (resp)->recipient_columns; \
	(message)->recipient_column_count = (resp)->column_count; \
	talloc_steal((message), (batch)); \
} while (0)

int client_message_open(struct client_logon *logon, TALLOC_CTX *mem,
			mapi_id_t fid, mapi_id_t mid,
			struct client_message **message_r,
			struct client_error *error_r)
{
	struct client_object *obj = &logon->obj;
	struct client_batch *batch = client_batch_new(obj->session, mem);
	struct rop_open_message_request req = {
		.hdr.rop_id = ROP_OPEN_MESSAGE,
		.hdr.logon_id = obj->logon_id,
		.hdr.input_index = client_batch_handle(batch, obj->handle),
		.hdr.output_index = client_batch_output(batch),
		.code_page_id = CODE_PAGE_LOGON,
		.folder_id = fid,
		.message_id = mid,
		.open_mode_flags = OPEN_READ_ONLY,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);
	const struct rop_open_message_response *resp;
	struct client_message *message;

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	message = (struct client_message *)
		client_object_init(mem, sizeof(*message), obj->session,
			obj->logon_id,
			client_batch_slot(batch, req.hdr.output_index));
	CLIENT_MESSAGE_TAKE(message, batch, resp);
	if (client_message_recipients(message, resp->recipient_rows,
				      resp->row_count, error_r) < 0) {
		talloc_free(message);
		return -1;
	}
	*message_r = message;
	return 0;
}

int client_embedded_open(struct client_object *attachment, TALLOC_CTX *mem,
			 struct client_message **message_r,
			 struct client_error *error_r)
{
	struct client_batch *batch =
		client_batch_new(attachment->session, mem);
	struct rop_open_embedded_message_request req = {
		.hdr.rop_id = ROP_OPEN_EMBEDDED_MESSAGE,
		.hdr.logon_id = attachment->logon_id,
		.hdr.input_index =
			client_batch_handle(batch, attachment->handle),
		.hdr.output_index = client_batch_output(batch),
		.code_page_id = CODE_PAGE_LOGON,
		.open_mode_flags = OPEN_READ_ONLY,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);
	const struct rop_open_embedded_message_response *resp;
	struct client_message *message;

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	message = (struct client_message *)
		client_object_init(mem, sizeof(*message), attachment->session,
			attachment->logon_id,
			client_batch_slot(batch, req.hdr.output_index));
	CLIENT_MESSAGE_TAKE(message, batch, resp);
	if (client_message_recipients(message, resp->recipient_rows,
				      resp->row_count, error_r) < 0) {
		talloc_free(message);
		return -1;
	}
	*message_r = message;
	return 0;
}

int client_attachment_open(struct client_object *message, TALLOC_CTX *mem,
			   uint32_t num, struct client_object **attachment_r,
			   struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(message->session, mem);
	struct rop_open_attachment_request req = {
		.hdr.rop_id = ROP_OPEN_ATTACHMENT,
		.hdr.logon_id = message->logon_id,
		.hdr.input_index = client_batch_handle(batch, message->handle),
		.hdr.output_index = client_batch_output(batch),
		.open_attachment_flags = OPEN_READ_ONLY,
		.attachment_id = num,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	*attachment_r = client_object_init(mem, sizeof(**attachment_r),
		message->session, message->logon_id,
		client_batch_slot(batch, req.hdr.output_index));
	talloc_free(batch);
	return 0;
}

/* --- streams --------------------------------------------------------------*/
int client_stream_open(struct client_object *obj, TALLOC_CTX *mem,
		       uint32_t tag, struct client_stream **stream_r,
		       struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(obj->session, mem);
	struct rop_open_stream_request req = {
		.hdr.rop_id = ROP_OPEN_STREAM,
		.hdr.logon_id = obj->logon_id,
		.hdr.input_index = client_batch_handle(batch, obj->handle),
		.hdr.output_index = client_batch_output(batch),
		.property_tag = tag,
		.open_mode_flags = OPEN_READ_ONLY,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);
	const struct rop_open_stream_response *resp;

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	*stream_r = (struct client_stream *)
		client_object_init(mem, sizeof(**stream_r), obj->session,
			obj->logon_id,
			client_batch_slot(batch, req.hdr.output_index));
	(*stream_r)->size = resp->stream_size;
	talloc_free(batch);
	return 0;
}

int client_stream_read(struct client_stream *stream, TALLOC_CTX *mem,
		       const uint8_t **data_r, size_t *size_r,
		       struct client_error *error_r)
{
	struct client_object *obj = &stream->obj;
	struct client_batch *batch = client_batch_new(obj->session, mem);
	struct rop_read_stream_request req = {
		.hdr.rop_id = ROP_READ_STREAM,
		.hdr.logon_id = obj->logon_id,
		.hdr.input_index = client_batch_handle(batch, obj->handle),
		.byte_count = STREAM_PIECE,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);
	const struct rop_read_stream_response *resp;

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	*data_r = resp->data;
	*size_r = resp->data_size;
	if (*size_r > STREAM_PIECE) {
		client_http_violation(obj->session->http,
			"RopReadStream: more bytes than asked for");
	}
	return 0;
}

int client_stream_read_all(struct client_stream *stream, TALLOC_CTX *mem,
			   size_t max, uint8_t **data_r, size_t *size_r,
			   struct client_error *error_r)
{
	uint8_t *data = talloc_array(mem, uint8_t, stream->size + 1);
	size_t size = 0, piece_size;
	const uint8_t *piece;
	TALLOC_CTX *tmp;

	do {
		tmp = talloc_new(mem);
		if (client_stream_read(stream, tmp, &piece, &piece_size,
				       error_r) < 0)
			return -1;
		if (piece_size > max - size) {
			return client_error_set(error_r, CLIENT_FAIL_LOCAL,
				"a stream has more than %zu bytes", max);
		}
		if (size + piece_size > stream->size) {
			data = talloc_realloc(mem, data, uint8_t,
					      size + piece_size + 1);
		}
		if (piece_size > 0)
			memcpy(data + size, piece, piece_size);
		size += piece_size;
		talloc_free(tmp);
	} while (piece_size > 0);
	if (size != stream->size) {
		client_http_violation(stream->obj.session->http,
			"RopOpenStream: StreamSize is %u, but %zu bytes came",
			stream->size, size);
	}
	data[size] = '\0';
	*data_r = data;
	*size_r = size;
	return 0;
}
