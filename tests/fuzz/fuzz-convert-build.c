/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MAPI to MIME, of a message, which is read and written; or, after a byte that no
   message begins with, of content piece by piece, with any value in any
   property. */

#include "lib.h"
#include "buffer.h"
#include "istream.h"
#include "ostream.h"
#include "str.h"
#include "mapi-props.h"
#include "mime-build.h"
#include "mime-content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define MAX_DEPTH 40
#define IS_CONTENT 0x01
/* How much may be written for each byte of content. RTF may be compressed to an
   eighth, and become HTML with many times as many tags. */
#define MAX_EXPANSION 64
#define MAX_EXPANSION_RTF (8 * 400)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	lib_init();
	return 0;
}

/* --- content ---------------------------------------------------------------- */

struct reader {
	const uint8_t *data;
	size_t size;
};

static const uint32_t tags[] = {
	PIDTAG_SUBJECT, PIDTAG_SUBJECT_PREFIX, PIDTAG_NORMALIZED_SUBJECT,
	PIDTAG_SENT_REPRESENTING_NAME, PIDTAG_SENT_REPRESENTING_ADDRESS_TYPE,
	PIDTAG_SENT_REPRESENTING_EMAIL_ADDRESS,
	PIDTAG_SENT_REPRESENTING_ENTRY_ID, PIDTAG_SENDER_NAME,
	PIDTAG_SENDER_ADDRESS_TYPE, PIDTAG_SENDER_EMAIL_ADDRESS,
	PIDTAG_SENDER_SMTP_ADDRESS, PIDTAG_READ_RECEIPT_NAME,
	PIDTAG_READ_RECEIPT_EMAIL_ADDRESS, PIDTAG_READ_RECEIPT_REQUESTED,
	PIDTAG_ORIGINATOR_DELIVERY_REPORT_REQUESTED,
	PIDTAG_REPLY_RECIPIENT_ENTRIES, PIDTAG_REPLY_RECIPIENT_NAMES,
	PIDTAG_CLIENT_SUBMIT_TIME, PIDTAG_MESSAGE_DELIVERY_TIME,
	PIDTAG_EXPIRY_TIME, PIDTAG_REPLY_TIME, PIDTAG_INTERNET_MESSAGE_ID,
	PIDTAG_IN_REPLY_TO_ID, PIDTAG_INTERNET_REFERENCES,
	PIDTAG_CONVERSATION_TOPIC, PIDTAG_CONVERSATION_INDEX,
	PIDTAG_IMPORTANCE, PIDTAG_PRIORITY, PIDTAG_SENSITIVITY,
	PIDTAG_AUTO_RESPONSE_SUPPRESS, PIDTAG_MESSAGE_LOCALE_ID,
	PIDTAG_BODY_CONTENT_ID, PIDTAG_BODY_CONTENT_LOCATION,
	PIDTAG_TRANSPORT_MESSAGE_HEADERS, PIDTAG_MESSAGE_CLASS, PIDTAG_BODY,
	PIDTAG_HTML, PIDTAG_BODY_HTML, PIDTAG_RTF_COMPRESSED,
	PIDTAG_NATIVE_BODY, PIDTAG_INTERNET_CODEPAGE,
	PIDTAG_REPORTING_MESSAGE_TRANSFER_AGENT, PIDTAG_ORIGINAL_MESSAGE_ID,
	PIDTAG_REPORT_DISPOSITION_MODE, PIDTAG_RECIPIENT_TYPE,
	PIDTAG_DISPLAY_NAME, PIDTAG_ADDRESS_TYPE, PIDTAG_EMAIL_ADDRESS,
	PIDTAG_SMTP_ADDRESS, PIDTAG_ENTRY_ID, PIDTAG_SUPPLEMENTARY_INFO,
	PIDTAG_NON_DELIVERY_REPORT_STATUS_CODE,
	PIDTAG_REMOTE_MESSAGE_TRANSFER_AGENT, PIDTAG_ATTACH_METHOD,
	PIDTAG_ATTACH_MIME_TAG, PIDTAG_ATTACH_LONG_FILENAME,
	PIDTAG_ATTACH_FILENAME, PIDTAG_ATTACH_EXTENSION,
	PIDTAG_ATTACH_CONTENT_ID, PIDTAG_ATTACH_CONTENT_LOCATION,
	PIDTAG_ATTACH_FLAGS, PIDTAG_ATTACHMENT_HIDDEN,
	PIDTAG_TEXT_ATTACHMENT_CHARSET, PIDTAG_ATTACH_DATA_BINARY,
	PIDTAG_RTF_IN_SYNC, PIDTAG_RENDERING_POSITION,
	/* a field of any name */
	MAPI_TAG(0x8001, PTYP_STRING),
};
enum {
	OP_RECIPIENT = 0xf0,
	OP_ATTACHMENT,
	OP_EMBED,
	OP_CLOSE,
	OP_STREAM,
};

static uint8_t read_byte(struct reader *r)
{
	if (r->size == 0)
		return 0;
	r->size--;
	return *r->data++;
}

static const uint8_t *read_bytes(struct reader *r, size_t *size_r)
{
	const uint8_t *data;
	size_t size = read_byte(r);

	if (size >= 0x80)
		size = (size & 0x7f) << 8 | read_byte(r);
	size = I_MIN(size, r->size);
	data = r->data;
	r->data += size;
	r->size -= size;
	*size_r = size;
	return data;
}

static const char *t_read_string(struct reader *r)
{
	const uint8_t *data;
	size_t size;

	data = read_bytes(r, &size);
	return t_strndup(data, size);
}

static void read_value(struct reader *r, uint16_t type, struct mapi_value *v)
{
	const uint8_t *data;
	uint64_t num = 0;
	size_t i, size;

	i_zero(v);
	v->type = type;
	if (type == PTYP_STRING) {
		v->u.str = t_read_string(r);
		return;
	}
	data = read_bytes(r, &size);
	for (i = 0; i < size && i < 8; i++)
		num = num << 8 | data[i];
	switch (type) {
	case PTYP_BINARY:
		*v = mapi_value_bin(data, size);
		break;
	case PTYP_INTEGER32:
		v->u.i32 = (int32_t)num;
		break;
	case PTYP_BOOLEAN:
		v->u.b = (num & 1) != 0;
		break;
	case PTYP_TIME:
		v->u.time = num;
		break;
	}
}

static void
read_prop(struct reader *r, uint32_t tag, bool stream,
	  struct mapi_propset *props)
{
	struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .guid = PS_INTERNET_HEADERS,
	};
	struct mapi_content_prop prop;

	i_zero(&prop);
	prop.tag = tag;
	if (MAPI_TAG_IS_NAMED(tag)) {
		name.name = t_read_string(r);
		prop.name = &name;
	}
	read_value(r, MAPI_TAG_TYPE(tag), &prop.value);
	if (stream && prop.value.type == PTYP_BINARY) {
		prop.stream = i_stream_create_from_data(
			prop.value.u.bin.data, prop.value.u.bin.len);
		prop.value = mapi_value_bin(NULL, 0);
	}
	(void)mapi_propset_set(props, &prop);
	i_stream_unref(&prop.stream);
}

static void
read_content(struct reader *r, struct mapi_content *content, unsigned int depth)
{
	struct mapi_propset *props = content->props;
	struct mapi_content_attachment *att = NULL;
	bool stream = FALSE;
	uint8_t op;

	while (r->size > 0) {
		op = read_byte(r);
		switch (op) {
		case OP_RECIPIENT:
			props = mapi_content_add_recipient(content,
				content->recipient_count)->props;
			att = NULL;
			break;
		case OP_ATTACHMENT:
			att = mapi_content_add_attachment(content,
				content->attachment_count);
			props = att->props;
			break;
		case OP_EMBED:
			if (att == NULL || att->embedded != NULL ||
			    depth >= MAX_DEPTH)
				break;
			att->embedded = mapi_content_create(content);
			read_content(r, att->embedded, depth + 1);
			break;
		case OP_CLOSE:
			return;
		case OP_STREAM:
			stream = !stream;
			break;
		default:
			T_BEGIN {
				read_prop(r, tags[op % N_ELEMENTS(tags)],
					  stream, props);
			} T_END;
		}
	}
}

/* --- checking --------------------------------------------------------------- */

/* Nothing but fields up to the first empty line, with CRLF */
static void check_header(const buffer_t *message)
{
	const char *data = message->data, *end = data + message->used, *lf;
	const char *p;
	bool first = TRUE;

	for (;; data = lf + 1, first = FALSE) {
		lf = memchr(data, '\n', end - data);
		i_assert(lf != NULL && lf > data && lf[-1] == '\r');
		if (lf == data + 1)
			break;
		i_assert(lf - data <= 999);
		if (*data == ' ' || *data == '\t') {
			i_assert(!first);
			continue;
		}
		for (p = data; *p != ':'; p++)
			i_assert((unsigned char)*p > ' ' &&
				 (unsigned char)*p < 0x7f);
		i_assert(p > data);
	}
	i_assert(!first);
}

static buffer_t *build(const struct mapi_content *content)
{
	const struct mime_build_params params = { .now = 1, .with_bcc = TRUE };
	buffer_t *buf = buffer_create_dynamic(default_pool, 8192);
	struct ostream *output = o_stream_create_buffer(buf);

	i_assert(mime_build(content, &params, output) == 0);
	o_stream_destroy(&output);
	check_header(buf);
	return buf;
}

static struct mapi_content *
derive(TALLOC_CTX *mem, const void *data, size_t size)
{
	struct istream *input = i_stream_create_from_data(data, size);
	struct mapi_content *content;
	struct mime_message *msg;

	msg = mime_message_init_stream(mem, input, 1);
	i_stream_unref(&input);
	i_assert(mime_content_derive(msg, msg, &content) == 0);
	return content;
}

/* Anywhere */
static bool content_has_rtf(const struct mapi_content *content)
{
	unsigned int i;

	if (mapi_propset_find(content->props, PIDTAG_RTF_COMPRESSED) != NULL)
		return TRUE;
	for (i = 0; i < content->attachment_count; i++) {
		if (content->attachments[i].embedded != NULL &&
		    content_has_rtf(content->attachments[i].embedded))
			return TRUE;
	}
	return FALSE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem;
	struct mapi_content *content, *again;
	struct reader r = { data, size };
	buffer_t *buf, *buf2, *buf3;

	mem = talloc_new(NULL);
	T_BEGIN {
		if (size == 0 || data[0] != IS_CONTENT)
			content = derive(mem, data, size);
		else {
			(void)read_byte(&r);
			content = mapi_content_create(mem);
			read_content(&r, content, 0);
		}
		buf = build(content);
		i_assert(buf->used <= (size + 4096) *
			 (content_has_rtf(content) ? MAX_EXPANSION_RTF :
			  MAX_EXPANSION));
		again = derive(mem, buf->data, buf->used);
		buf2 = build(again);
		buf3 = build(content);
		i_assert(buffer_cmp(buf, buf3));
		buffer_free(&buf);
		buffer_free(&buf2);
		buffer_free(&buf3);
	} T_END;
	talloc_free(mem);
	return 0;
}
