/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "istream.h"
#include "str.h"
#include "message-part.h"
#include "mapi-props.h"
#include "mime-charset.h"
#include "mime-inline.h"
#include "mime-message.h"
#include "mime-report.h"
#include "mime-text.h"
#include "rtf-compress.h"
#include "rtf-html.h"

/* No RTF is made of a body that is longer: it's in memory, many times as long
   before it is compressed. */
#define RTF_BODY_MAX (4 * 1024 * 1024)

struct mime_message {
	struct mime_message_source *source;
	/* what is looked at when something asks for it */
	struct mime_structure *structure;
	bool inline_checked;
	struct mime_body *body;
	struct mime_report *report;
	const struct mime_recipient *recipients;
	unsigned int recipient_count;
	bool have_recipients;
};

struct mime_message *
mime_message_init(TALLOC_CTX *parent, struct mime_message_source *source)
{
	struct mime_message *msg;

	msg = mime_check_alloc(talloc_zero(parent, struct mime_message));
	msg->source = source;
	return msg;
}

/* --- messages in streams --------------------------------------------------- */

struct stream_source {
	struct mime_message_source source;
	struct istream *input;
	struct message_part *root;
	pool_t pool;
};

static int
stream_get_parts(struct mime_message_source *_source,
		 const struct message_part **root_r)
{
	struct stream_source *source =
		container_of(_source, struct stream_source, source);

	*root_r = source->root;
	return 0;
}

static int
stream_get_stream(struct mime_message_source *_source,
		  struct istream **input_r)
{
	struct stream_source *source =
		container_of(_source, struct stream_source, source);

	*input_r = source->input;
	return 0;
}

static int stream_source_free(struct stream_source *source)
{
	i_stream_unref(&source->input);
	pool_unref(&source->pool);
	return 0;
}

struct mime_message *
mime_message_init_stream(TALLOC_CTX *parent, struct istream *input,
			 int64_t received)
{
	struct mime_message *msg;
	struct stream_source *source;

	msg = mime_check_alloc(talloc_zero(parent, struct mime_message));
	source = mime_check_alloc(talloc_zero(msg, struct stream_source));
	source->source.get_parts = stream_get_parts;
	source->source.get_stream = stream_get_stream;
	source->input = input;
	i_stream_ref(input);
	source->pool = pool_alloconly_create("mime message", 2048);
	talloc_set_destructor(source, stream_source_free);
	msg->source = &source->source;

	i_stream_seek(input, 0);
	if (mime_parts_parse(source->pool, input, &source->root) == 0) {
		source->source.headers =
			mime_header_source_init(source, input, 0);
	}
	if (source->source.headers == NULL)
		TALLOC_FREE(msg);
	else
		source->source.headers->received = received;
	return msg;
}

/* --- embedded messages ----------------------------------------------------- */

/* Part positions are the outer message's, so its stream will do. */
struct embedded_source {
	struct mime_message_source source;
	struct mime_message_source *outer;
	const struct message_part *root;
};

static int
embedded_get_parts(struct mime_message_source *_source,
		   const struct message_part **root_r)
{
	struct embedded_source *source =
		container_of(_source, struct embedded_source, source);

	*root_r = source->root;
	return 0;
}

static int
embedded_get_stream(struct mime_message_source *_source,
		    struct istream **input_r)
{
	struct embedded_source *source =
		container_of(_source, struct embedded_source, source);

	return source->outer->get_stream(source->outer, input_r);
}

struct mime_message *
mime_message_init_embedded(TALLOC_CTX *parent, struct mime_message *msg,
			   const struct mime_attachment *attachment)
{
	struct mime_message *embedded;
	struct embedded_source *source;
	struct istream *input;

	i_assert(attachment->kind == MIME_ATTACH_MESSAGE);

	if (msg->source->get_stream(msg->source, &input) < 0)
		return NULL;
	embedded = mime_check_alloc(talloc_zero(parent, struct mime_message));
	source = mime_check_alloc(talloc_zero(embedded,
					      struct embedded_source));
	source->source.get_parts = embedded_get_parts;
	source->source.get_stream = embedded_get_stream;
	source->outer = msg->source;
	source->root = attachment->part->children;
	source->source.headers = mime_header_source_init(source, input,
		source->root->physical_pos);
	embedded->source = &source->source;
	if (source->source.headers == NULL)
		TALLOC_FREE(embedded);
	return embedded;
}

/* --- what is read ---------------------------------------------------------- */

static int get_structure(struct mime_message *msg)
{
	const struct message_part *root;

	if (msg->structure == NULL) {
		if (msg->source->get_parts(msg->source, &root) < 0)
			return -1;
		msg->structure = mime_structure_init(msg, root);
	}
	return 0;
}

static int get_body(struct mime_message *msg, struct istream **input_r)
{
	if (get_structure(msg) < 0)
		return -1;
	if (msg->body == NULL)
		msg->body = mime_body_init(msg, msg->structure);
	return msg->source->get_stream(msg->source, input_r);
}

const struct mime_structure *mime_message_get_structure(struct mime_message *msg)
{
	struct istream *input;

	if (get_structure(msg) < 0)
		return NULL;
	if (!msg->inline_checked && mime_inline_wanted(msg->structure)) {
		if (get_body(msg, &input) < 0 ||
		    mime_inline_check(msg->structure, msg->body, input) < 0)
			return NULL;
	}
	msg->inline_checked = TRUE;
	return msg->structure;
}

static bool is_report(const struct mime_structure *structure)
{
	return structure->class == MIME_CLASS_DELIVERY_REPORT ||
		structure->class == MIME_CLASS_DISPOSITION_REPORT;
}

/* 1, 0 if the message is no report, -1 on failure */
static int get_report(struct mime_message *msg)
{
	struct istream *input;

	if (get_structure(msg) < 0)
		return -1;
	if (!is_report(msg->structure))
		return 0;
	if (msg->report == NULL) {
		if (msg->source->get_stream(msg->source, &input) < 0)
			return -1;
		msg->report = mime_report_init(msg, msg->structure, input);
	}
	return msg->report == NULL ? -1 : 1;
}

int mime_message_get_recipients(struct mime_message *msg,
				const struct mime_recipient **recipients_r,
				unsigned int *count_r)
{
	int ret;

	if (!msg->have_recipients) {
		ret = get_report(msg);
		if (ret < 0)
			return -1;
		if (ret > 0 && msg->report->recipient_count > 0) {
			msg->recipients = msg->report->recipients;
			msg->recipient_count = msg->report->recipient_count;
		} else if (!mime_recipients_get(msg->source->headers, msg,
						&msg->recipients,
						&msg->recipient_count)) {
			return -1;
		}
		msg->have_recipients = TRUE;
	}
	*recipients_r = msg->recipients;
	*count_r = msg->recipient_count;
	return 0;
}

int mime_message_open_text(struct mime_message *msg, struct istream **input_r)
{
	struct istream *input;

	if (get_body(msg, &input) < 0)
		return -1;
	*input_r = mime_body_open_text(msg->body, input);
	return 0;
}

int mime_message_open_html(struct mime_message *msg, struct istream **input_r)
{
	struct istream *input;

	if (get_body(msg, &input) < 0)
		return -1;
	*input_r = mime_body_open_html(msg->body, input);
	return 0;
}

int mime_message_open_attachment(struct mime_message *msg,
				 const struct mime_attachment *attachment,
				 struct istream **input_r)
{
	struct istream *input;

	if (msg->source->get_stream(msg->source, &input) < 0)
		return -1;
	*input_r = mime_attachment_open(attachment, input);
	return 0;
}

/* --- properties ------------------------------------------------------------ */

static const uint32_t message_tags[] = {
	PIDTAG_HAS_ATTACHMENTS,
	PIDTAG_BODY,
	PIDTAG_HTML,
	PIDTAG_NATIVE_BODY,
	PIDTAG_RTF_IN_SYNC,
	PIDTAG_INTERNET_CODEPAGE,
	PIDTAG_MESSAGE_CODEPAGE,
};

bool mime_message_prop_at(unsigned int i, uint32_t *tag_r)
{
	if (i < N_ELEMENTS(message_tags)) {
		*tag_r = message_tags[i];
		return TRUE;
	}
	return mime_report_prop_at(i - N_ELEMENTS(message_tags), tag_r);
}

static enum mime_prop_result
read_body(struct istream *input, TALLOC_CTX *mem, size_t max_body, bool text,
	  struct mapi_value *value_r)
{
	enum mime_prop_result result = MIME_PROP_FOUND;
	string_t *str = str_new(default_pool, 8192);
	const unsigned char *data;
	char *copy;
	size_t size;

	while (i_stream_read_more(input, &data, &size) > 0) {
		if (size > max_body - str_len(str)) {
			result = MIME_PROP_NEED_MESSAGE;
			break;
		}
		str_append_data(str, data, size);
		i_stream_skip(input, size);
	}
	if (input->stream_errno != 0)
		result = MIME_PROP_FAILED;
	if (result == MIME_PROP_FOUND) {
		copy = mime_check_alloc(talloc_memdup(mem, str_c(str),
						      str_len(str) + 1));
		*value_r = text ? mapi_value_str(copy) :
			mapi_value_bin(copy, str_len(str));
	}
	str_free(&str);
	return result;
}

static enum mime_prop_result
get_text(struct mime_message *msg, TALLOC_CTX *mem, size_t max_body,
	 struct mapi_value *value_r)
{
	enum mime_prop_result result;
	struct istream *input;

	if (mime_message_open_text(msg, &input) < 0)
		return MIME_PROP_FAILED;
	result = read_body(input, mem, max_body, TRUE, value_r);
	i_stream_unref(&input);
	return result;
}

static enum mime_prop_result
get_html_string(struct mime_message *msg, TALLOC_CTX *mem, size_t max_body,
		struct mapi_value *value_r)
{
	enum mime_prop_result result;
	struct istream *input;

	if (get_body(msg, &input) < 0)
		return MIME_PROP_FAILED;
	input = mime_body_open_html_utf8(msg->body, input);
	result = read_body(input, mem, max_body, TRUE, value_r);
	i_stream_unref(&input);
	return result;
}

static enum mime_prop_result
get_html(struct mime_message *msg, TALLOC_CTX *mem, uint32_t tag,
	 size_t max_body, struct mapi_value *value_r)
{
	enum mime_prop_result result;
	struct istream *input;

	if (MAPI_TAG_TYPE(tag) == PTYP_STRING ||
	    MAPI_TAG_TYPE(tag) == PTYP_STRING8)
		return get_html_string(msg, mem, max_body, value_r);
	if (mime_message_open_html(msg, &input) < 0)
		return MIME_PROP_FAILED;
	result = read_body(input, mem, max_body, FALSE, value_r);
	i_stream_unref(&input);
	return result;
}

/* The body wrapped in RTF, from which those who show it take it out again */
static enum mime_prop_result
get_rtf(struct mime_message *msg, TALLOC_CTX *mem, size_t max_body,
	struct mapi_value *value_r)
{
	bool html = mime_body_native(msg->structure) == MIME_NATIVE_HTML;
	enum mime_prop_result result;
	struct mapi_value body;
	struct istream *input;
	TALLOC_CTX *tmp;
	uint8_t *rtf, *data;
	size_t size;

	if (get_body(msg, &input) < 0)
		return MIME_PROP_FAILED;
	input = html ? mime_body_open_html_utf8(msg->body, input) :
		mime_body_open_text(msg->body, input);
	/* (a body that is longer than that isn't shorter as RTF) */
	tmp = mime_check_alloc(talloc_new(NULL));
	result = read_body(input, tmp, I_MIN(max_body, RTF_BODY_MAX), FALSE,
			   &body);
	i_stream_unref(&input);
	if (result == MIME_PROP_FOUND) {
		(html ? rtf_from_html : rtf_from_text)(tmp, body.u.bin.data,
			body.u.bin.len, &rtf, &size);
		rtf_compress(mem, rtf, size, &data, &size);
		*value_r = mapi_value_bin(data, size);
		if (size > max_body)
			result = MIME_PROP_NEED_MESSAGE;
	}
	talloc_free(tmp);
	return result;
}

static enum mime_prop_result
get_codepage(struct mime_message *msg, struct mapi_value *value_r)
{
	struct istream *input;
	uint32_t codepage;

	if (get_body(msg, &input) < 0 ||
	    mime_body_codepage(msg->body, input, &codepage) < 0)
		return MIME_PROP_FAILED;
	*value_r = mapi_value_i32(codepage);
	return MIME_PROP_FOUND;
}

static enum mime_prop_result
get_class(struct mime_message *msg, TALLOC_CTX *mem,
	  struct mapi_value *value_r)
{
	const char *class = "IPM.Note";
	enum mime_prop_result result;

	/* tables ask for it: most messages' structure isn't needed for it */
	result = mime_headers_get_prop(msg->source->headers, mem,
				       PIDTAG_MESSAGE_CLASS, value_r);
	if (result != MIME_PROP_NEED_MESSAGE)
		return result;
	if (get_structure(msg) < 0)
		return MIME_PROP_FAILED;
	switch (msg->structure->class) {
	case MIME_CLASS_NOTE:
		break;
	case MIME_CLASS_SMIME:
		class = "IPM.Note.SMIME";
		break;
	case MIME_CLASS_SMIME_SIGNED:
		class = "IPM.Note.SMIME.MultipartSigned";
		break;
	case MIME_CLASS_DELIVERY_REPORT:
	case MIME_CLASS_DISPOSITION_REPORT:
		if (get_report(msg) < 0)
			return MIME_PROP_FAILED;
		class = msg->report->class;
		break;
	}
	*value_r = mapi_value_str(mime_strdup(mem, class));
	return MIME_PROP_FOUND;
}

static enum mime_prop_result
get_structure_prop(struct mime_message *msg, TALLOC_CTX *mem, uint32_t tag,
		   size_t max_body, struct mapi_value *value_r)
{
	bool no_body;

	if (get_structure(msg) < 0)
		return MIME_PROP_FAILED;
	/* [MS-OXOSMIME] 2.1.2: the body is in the attachment */
	no_body = msg->structure->class == MIME_CLASS_SMIME;

	switch (MAPI_TAG_ID(tag)) {
	case MAPI_TAG_ID(PIDTAG_HAS_ATTACHMENTS):
		if (mime_message_get_structure(msg) == NULL)
			return MIME_PROP_FAILED;
		*value_r = mapi_value_bool(
			mime_structure_has_attachments(msg->structure));
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_BODY):
		return no_body ? MIME_PROP_NOT_FOUND :
			get_text(msg, mem, max_body, value_r);
	case MAPI_TAG_ID(PIDTAG_HTML):
		return no_body ? MIME_PROP_NOT_FOUND :
			get_html(msg, mem, tag, max_body, value_r);
	case MAPI_TAG_ID(PIDTAG_RTF_COMPRESSED):
		return no_body ? MIME_PROP_NOT_FOUND :
			get_rtf(msg, mem, max_body, value_r);
	case MAPI_TAG_ID(PIDTAG_NATIVE_BODY):
		*value_r = mapi_value_i32(mime_body_native(msg->structure));
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_INTERNET_CODEPAGE):
	case MAPI_TAG_ID(PIDTAG_MESSAGE_CODEPAGE):
		return get_codepage(msg, value_r);
	}
	i_unreached();
}

enum mime_prop_result
mime_message_get_prop(struct mime_message *msg, TALLOC_CTX *mem, uint32_t tag,
		      size_t max_body, struct mapi_value *value_r)
{
	uint32_t report_tag;
	unsigned int i;
	int ret;

	switch (MAPI_TAG_ID(tag)) {
	case MAPI_TAG_ID(PIDTAG_RTF_IN_SYNC):
		/* Absence is read as TRUE by clients. */
		*value_r = mapi_value_bool(FALSE);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_MESSAGE_CLASS):
		return get_class(msg, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_HAS_ATTACHMENTS):
	case MAPI_TAG_ID(PIDTAG_BODY):
	case MAPI_TAG_ID(PIDTAG_HTML):
	case MAPI_TAG_ID(PIDTAG_RTF_COMPRESSED):
	case MAPI_TAG_ID(PIDTAG_NATIVE_BODY):
	case MAPI_TAG_ID(PIDTAG_INTERNET_CODEPAGE):
	case MAPI_TAG_ID(PIDTAG_MESSAGE_CODEPAGE):
		return get_structure_prop(msg, mem, tag, max_body, value_r);
	}
	if (mime_headers_has_prop(tag))
		return mime_headers_get_prop(msg->source->headers, mem, tag,
					     value_r);
	for (i = 0; mime_report_prop_at(i, &report_tag); i++) {
		if (MAPI_TAG_ID(tag) != MAPI_TAG_ID(report_tag))
			continue;
		ret = get_report(msg);
		if (ret <= 0)
			return ret < 0 ? MIME_PROP_FAILED : MIME_PROP_NOT_FOUND;
		return mime_report_get_prop(msg->report, mem, tag, value_r);
	}
	return MIME_PROP_UNKNOWN;
}

enum mime_prop_result
mime_message_get_named(struct mime_message *msg, TALLOC_CTX *mem,
		       const struct mapi_property_name *name,
		       struct mapi_value *value_r)
{
	return mime_headers_get_named(msg->source->headers, mem, name, value_r);
}
