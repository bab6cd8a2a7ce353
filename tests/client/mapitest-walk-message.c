/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapitest-walk.h"
#include "client-sha256.h"
#include "mapi-props.h"

#include <string.h>

#define ATTACHMENT_ROWS		200
/* embedded messages in embedded messages */
#define MAX_DEPTH		20
#define MAX_BODY		(64 * 1024 * 1024)

#define MSGFLAG_READ		0x01
/* PidTagAttachMethod, [MS-OXCMSG] 2.2.2.9 */
#define ATTACH_BY_VALUE		1
#define ATTACH_EMBEDDED		5

static const uint32_t message_tags[] = {
	PIDTAG_SUBJECT, PIDTAG_MESSAGE_CLASS, PIDTAG_SENT_REPRESENTING_NAME,
	PIDTAG_SENT_REPRESENTING_SMTP_ADDRESS, PIDTAG_DISPLAY_TO,
	PIDTAG_DISPLAY_CC, PIDTAG_DISPLAY_BCC, PIDTAG_INTERNET_MESSAGE_ID,
	PIDTAG_TRANSPORT_MESSAGE_HEADERS, PIDTAG_MESSAGE_DELIVERY_TIME,
	PIDTAG_CLIENT_SUBMIT_TIME, PIDTAG_MESSAGE_FLAGS, PIDTAG_MESSAGE_SIZE,
	PIDTAG_IMPORTANCE, PIDTAG_SENSITIVITY, PIDTAG_NATIVE_BODY,
	PIDTAG_INTERNET_CODEPAGE, PIDTAG_HAS_ATTACHMENTS, PIDTAG_BODY,
	PIDTAG_HTML,
};
#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static const uint32_t attachment_columns[] = {
	PIDTAG_ATTACH_NUMBER, PIDTAG_ATTACH_METHOD, PIDTAG_ATTACH_SIZE,
	PIDTAG_ATTACH_LONG_FILENAME, PIDTAG_ATTACH_FILENAME,
	PIDTAG_DISPLAY_NAME, PIDTAG_ATTACH_MIME_TAG, PIDTAG_ATTACH_CONTENT_ID,
	PIDTAG_RENDERING_POSITION, PIDTAG_ATTACHMENT_HIDDEN,
};

/* The value in the row; as a stream if it's too large for that. size_r is
   without what ends a string; *data_r is NULL if there's no such property. */
static int
read_large(struct client_object *obj, TALLOC_CTX *mem,
	   const struct mapi_property_row *row, uint32_t tag,
	   const uint8_t **data_r, size_t *size_r,
	   struct client_error *error_r)
{
	const struct mapi_value *value = NULL;
	struct client_stream *stream;
	uint8_t *data;
	uint32_t i;
	int ret;

	*data_r = NULL;
	*size_r = 0;
	for (i = 0; i < row->count; i++) {
		if (MAPI_TAG_ID(row->columns[i]) == MAPI_TAG_ID(tag))
			value = &row->values[i];
	}
	if (value == NULL)
		return 0;
	if (value->type == PTYP_STRING) {
		*data_r = (const uint8_t *)value->u.str;
		*size_r = strlen(value->u.str);
		return 0;
	}
	if (value->type == PTYP_BINARY) {
		*data_r = value->u.bin.len == 0 ? (const uint8_t *)"" :
			value->u.bin.data;
		*size_r = value->u.bin.len;
		return 0;
	}
	if (value->type != PTYP_ERROR_CODE || value->u.error == EC_NOT_FOUND)
		return 0;
	if (value->u.error != EC_NOT_ENOUGH_MEMORY) {
		snprintf(error_r->rop, sizeof(error_r->rop),
			 "RopGetPropertiesSpecific");
		error_r->ec = value->u.error;
		return client_error_set(error_r, CLIENT_FAIL_ROP,
			"%s can't be had",
			mapi_property_info_by_id(MAPI_TAG_ID(tag))->name);
	}
	if (client_stream_open(obj, mem, tag, &stream, error_r) < 0)
		return -1;
	ret = client_stream_read_all(stream, mem, MAX_BODY, &data, size_r,
				     error_r);
	talloc_free(stream);
	if (ret < 0)
		return -1;
	if (MAPI_TAG_TYPE(tag) == PTYP_STRING) {
		/* streams of strings are UTF-16LE */
		data = (uint8_t *)mapi_utf16_to_utf8(mem, data, *size_r);
		*size_r = strlen((char *)data);
	}
	*data_r = data;
	return 0;
}

static const char *recipient_type(uint8_t type)
{
	switch (type & MAPI_RECIPIENT_TYPE_MASK) {
	case MAPI_TO:
		return "to";
	case MAPI_CC:
		return "cc";
	case MAPI_BCC:
		return "bcc";
	default:
		return "from";
	}
}

static void
read_recipients(const struct client_message *opened, TALLOC_CTX *mem,
		struct walk_message *message)
{
	struct walk_recipient *to;
	unsigned int i;

	message->recipient_count = opened->recipient_count;
	message->recipients = talloc_zero_array(mem, struct walk_recipient,
						opened->recipient_count);
	for (i = 0; i < opened->recipient_count; i++) {
		const struct mapi_recipient_row *row = &opened->recipients[i];
		const char *smtp = client_row_string(&row->properties,
						     PIDTAG_SMTP_ADDRESS);

		to = &message->recipients[i];
		to->type = recipient_type(row->recipient_type);
		to->name = row->display_name != NULL ? row->display_name :
			client_row_string(&row->properties,
					  PIDTAG_DISPLAY_NAME);
		to->address = row->email_address;
		switch (row->flags & MAPI_RECIP_TYPE_MASK) {
		case MAPI_RECIP_TYPE_SMTP:
			to->address_type = "SMTP";
			break;
		case MAPI_RECIP_TYPE_X500:
			to->address_type = "EX";
			to->address = row->x500dn;
			break;
		default:
			to->address_type = row->address_type;
			break;
		}
		if (smtp != NULL && (to->address == NULL ||
		    (row->flags & MAPI_RECIP_TYPE_MASK) !=
		    MAPI_RECIP_TYPE_SMTP))
			to->address = smtp;
	}
}

/* Reads the data as Outlook does, in pieces, and keeps none of it. */
static int
read_attachment_data(struct client_object *obj, TALLOC_CTX *mem,
		     struct walk_attachment *attachment,
		     struct client_error *error_r)
{
	struct client_sha256 sha256;
	struct client_stream *stream;
	const uint8_t *data;
	TALLOC_CTX *tmp;
	size_t size;

	if (client_stream_open(obj, mem, PIDTAG_ATTACH_DATA_BINARY, &stream,
			       error_r) < 0)
		return -1;
	client_sha256_init(&sha256);
	do {
		tmp = talloc_new(mem);
		if (client_stream_read(stream, tmp, &data, &size, error_r) < 0)
			return -1;
		client_sha256_add(&sha256, data, size);
		attachment->data_size += size;
		talloc_free(tmp);
	} while (size > 0);
	client_sha256_hex(&sha256, attachment->sha256);
	if (attachment->data_size != stream->size) {
		client_http_violation(obj->session->http,
			"RopOpenStream: StreamSize isn't the attachment's "
			"size");
	}
	talloc_free(stream);
	return 0;
}

static int
read_attachment(struct client_object *message, TALLOC_CTX *mem,
		unsigned int depth, struct walk_attachment *attachment,
		struct client_error *error_r)
{
	struct client_message *embedded;
	struct client_object *obj;
	int ret = 0;

	if (client_attachment_open(message, mem, attachment->num, &obj,
				   error_r) < 0)
		return -1;
	if (attachment->method == ATTACH_BY_VALUE) {
		ret = read_attachment_data(obj, mem, attachment, error_r);
	} else if (attachment->method == ATTACH_EMBEDDED &&
		   depth < MAX_DEPTH) {
		attachment->message = talloc_zero(mem, struct walk_message);
		ret = client_embedded_open(obj, mem, &embedded, error_r);
		if (ret == 0) {
			ret = walk_message_read(&embedded->obj, mem, depth + 1,
						attachment->message, error_r);
		}
	}
	talloc_free(obj);
	return ret;
}

static void
attachment_take(const struct mapi_property_row *row,
		struct walk_attachment *attachment)
{
	attachment->num = client_row_number(row, PIDTAG_ATTACH_NUMBER);
	attachment->method = client_row_number(row, PIDTAG_ATTACH_METHOD);
	attachment->size = client_row_number(row, PIDTAG_ATTACH_SIZE);
	attachment->rendering_position =
		client_row_number(row, PIDTAG_RENDERING_POSITION);
	attachment->hidden =
		client_row_number(row, PIDTAG_ATTACHMENT_HIDDEN) != 0;
	attachment->name = client_row_string(row, PIDTAG_ATTACH_LONG_FILENAME);
	if (attachment->name == NULL) {
		attachment->name = client_row_string(row,
						     PIDTAG_ATTACH_FILENAME);
	}
	if (attachment->name == NULL) {
		attachment->name = client_row_string(row, PIDTAG_DISPLAY_NAME);
	}
	attachment->mime_type = client_row_string(row, PIDTAG_ATTACH_MIME_TAG);
	attachment->content_id =
		client_row_string(row, PIDTAG_ATTACH_CONTENT_ID);
}

static int
read_attachments(struct client_object *obj, TALLOC_CTX *mem,
		 unsigned int depth, struct walk_message *message,
		 struct client_error *error_r)
{
	const struct client_table_spec spec = {
		.table_flags = TABLE_USE_UNICODE,
		.columns = attachment_columns,
		.column_count = N_ELEMENTS(attachment_columns),
	};
	struct client_table *table;
	struct client_rows rows;
	unsigned int i;

	if (client_attachment_table_open(obj, mem, &spec, ATTACHMENT_ROWS,
					 &table, &rows, error_r) < 0)
		return -1;
	while (rows.count > 0) {
		message->attachments =
			talloc_realloc(mem, message->attachments,
				       struct walk_attachment,
				       message->attachment_count + rows.count);
		for (i = 0; i < rows.count; i++) {
			struct walk_attachment *attachment =
				&message->attachments[
					message->attachment_count++];

			memset(attachment, 0, sizeof(*attachment));
			attachment_take(&rows.rows[i], attachment);
		}
		if (client_table_query(table, mem, ATTACHMENT_ROWS, &rows,
				       error_r) < 0)
			return -1;
	}
	for (i = 0; i < message->attachment_count; i++) {
		if (read_attachment(obj, mem, depth, &message->attachments[i],
				    error_r) < 0)
			return -1;
	}
	return 0;
}

static void message_take(const struct mapi_property_row *row,
			 struct walk_message *message)
{
	message->subject = client_row_string(row, PIDTAG_SUBJECT);
	message->message_class = client_row_string(row, PIDTAG_MESSAGE_CLASS);
	message->from_name =
		client_row_string(row, PIDTAG_SENT_REPRESENTING_NAME);
	message->from_address =
		client_row_string(row, PIDTAG_SENT_REPRESENTING_SMTP_ADDRESS);
	message->display_to = client_row_string(row, PIDTAG_DISPLAY_TO);
	message->display_cc = client_row_string(row, PIDTAG_DISPLAY_CC);
	message->display_bcc = client_row_string(row, PIDTAG_DISPLAY_BCC);
	message->internet_message_id =
		client_row_string(row, PIDTAG_INTERNET_MESSAGE_ID);
	message->delivered =
		client_row_number(row, PIDTAG_MESSAGE_DELIVERY_TIME);
	message->submitted = client_row_number(row, PIDTAG_CLIENT_SUBMIT_TIME);
	message->flags = client_row_number(row, PIDTAG_MESSAGE_FLAGS);
	message->size = client_row_number(row, PIDTAG_MESSAGE_SIZE);
	message->importance = client_row_number(row, PIDTAG_IMPORTANCE);
	message->sensitivity = client_row_number(row, PIDTAG_SENSITIVITY);
	message->native_body = client_row_number(row, PIDTAG_NATIVE_BODY);
	message->codepage = client_row_number(row, PIDTAG_INTERNET_CODEPAGE);
	message->has_attachments =
		client_row_number(row, PIDTAG_HAS_ATTACHMENTS) != 0;
	message->read = (message->flags & MSGFLAG_READ) != 0;
}

int walk_message_read(struct client_object *obj, TALLOC_CTX *mem,
		      unsigned int depth, struct walk_message *message,
		      struct client_error *error_r)
{
	struct mapi_property_row row;
	struct client_sha256 sha256;
	struct mapi_property *props;
	const uint8_t *text;
	size_t size;

	read_recipients((struct client_message *)obj, mem, message);
	if (client_get_props(obj, mem, message_tags, N_ELEMENTS(message_tags),
			     &row, error_r) < 0)
		return -1;
	message_take(&row, message);
	if (read_large(obj, mem, &row, PIDTAG_TRANSPORT_MESSAGE_HEADERS, &text,
		       &size, error_r) < 0)
		return -1;
	message->headers = (const char *)text;
	if (read_large(obj, mem, &row, PIDTAG_BODY, &text, &size, error_r) < 0)
		return -1;
	message->text = (const char *)text;
	if (read_large(obj, mem, &row, PIDTAG_HTML, &message->html,
		       &message->html_size, error_r) < 0)
		return -1;
	if (message->html != NULL) {
		client_sha256_init(&sha256);
		client_sha256_add(&sha256, message->html, message->html_size);
		client_sha256_hex(&sha256, message->html_sha256);
	}
	if (client_get_props_all(obj, mem, &props, &message->property_count,
				 error_r) < 0)
		return -1;
	return read_attachments(obj, mem, depth, message, error_r);
}
