/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "istream.h"
#include "str.h"
#include "mapi-props.h"
#include "mime-content.h"
#include "mime-text.h"

/* PidTagAttachMethod, [MS-OXCMSG] 2.2.2.9 */
#define ATTACH_BY_VALUE 1

static int
derive(TALLOC_CTX *parent, struct mime_message *msg, unsigned int depth,
       struct mapi_content **content_r);

/* --- bytes ------------------------------------------------------------------ */

/* All of input if it isn't longer than max: 1. 0 if it is; -1 on failure */
static int read_all(struct istream *input, size_t max, buffer_t *dest)
{
	const unsigned char *data;
	size_t size;

	while (i_stream_read_more(input, &data, &size) > 0) {
		if (size > max - dest->used)
			return 0;
		buffer_append(dest, data, size);
		i_stream_skip(input, size);
	}
	return input->stream_errno != 0 ? -1 : 1;
}

static int
set_binary(struct mapi_propset *props, uint32_t tag, struct istream *input)
{
	struct mapi_content_prop prop = {
		.tag = tag,
		.value = mapi_value_bin(NULL, 0),
	};
	buffer_t *buf = buffer_create_dynamic(default_pool, 4096);
	int ret;

	ret = read_all(input, MIME_CONTENT_STREAM_MIN, buf);
	if (ret > 0)
		prop.value = mapi_value_bin(buf->data, buf->used);
	else
		prop.stream = input;
	if (ret >= 0)
		(void)mapi_propset_set(props, &prop);
	buffer_free(&buf);
	return ret < 0 ? -1 : 0;
}

/* --- properties ------------------------------------------------------------- */

static int
set_from_result(struct mapi_propset *props, uint32_t tag,
		enum mime_prop_result result, const struct mapi_value *value)
{
	switch (result) {
	case MIME_PROP_FOUND:
		(void)mapi_propset_set_value(props,
			MAPI_TAG_AS(tag, value->type), value);
		break;
	case MIME_PROP_NOT_FOUND:
	case MIME_PROP_UNKNOWN:
	case MIME_PROP_NEED_MESSAGE:
		break;
	case MIME_PROP_FAILED:
		return -1;
	}
	return 0;
}

static bool message_tag_is_wanted(uint32_t tag)
{
	switch (tag) {
	case PIDTAG_HAS_ATTACHMENTS:
	case PIDTAG_DISPLAY_TO:
	case PIDTAG_DISPLAY_CC:
	case PIDTAG_DISPLAY_BCC:
	case PIDTAG_NATIVE_BODY:
	case PIDTAG_RTF_IN_SYNC:
	case PIDTAG_CONVERSATION_ID:
	/* derive_bodies() */
	case PIDTAG_BODY:
	case PIDTAG_HTML:
		return FALSE;
	}
	return TRUE;
}

static int
derive_tag(struct mapi_propset *props, struct mime_message *msg, uint32_t tag)
{
	enum mime_prop_result result;
	struct mapi_value value;
	TALLOC_CTX *tmp;
	int ret;

	if (!message_tag_is_wanted(tag))
		return 0;
	tmp = talloc_new(NULL);
	result = mime_message_get_prop(msg, tmp, tag, SIZE_MAX, &value);
	ret = set_from_result(props, tag, result, &value);
	talloc_free(tmp);
	return ret;
}

static int derive_props(struct mapi_propset *props, struct mime_message *msg)
{
	uint32_t tag;
	unsigned int i;

	for (i = 0; mime_headers_prop_at(i, &tag); i++) {
		if (derive_tag(props, msg, tag) < 0)
			return -1;
	}
	for (i = 0; mime_message_prop_at(i, &tag); i++) {
		if (derive_tag(props, msg, tag) < 0)
			return -1;
	}
	return 0;
}

/* --- bodies ----------------------------------------------------------------- */

static int derive_text(struct mapi_propset *props, struct mime_message *msg)
{
	struct mapi_value value;
	struct istream *input;
	string_t *str;
	int ret;

	if (mime_message_open_text(msg, &input) < 0)
		return -1;
	str = str_new(default_pool, 4096);
	ret = read_all(input, MIME_CONTENT_TEXT_MAX, str);
	if (ret > 0) {
		value = mapi_value_str(str_c(str));
		(void)mapi_propset_set_value(props, PIDTAG_BODY, &value);
	}
	str_free(&str);
	i_stream_unref(&input);
	return ret < 0 ? -1 : 0;
}

static int
derive_bodies(struct mapi_propset *props, struct mime_message *msg,
	      const struct mime_structure *structure)
{
	struct istream *input;
	bool html = FALSE, text = FALSE;
	unsigned int i;
	int ret = 0;

	/* [MS-OXOSMIME] 2.1.2: the body is in the attachment */
	if (structure->class == MIME_CLASS_SMIME)
		return 0;
	for (i = 0; i < structure->body_count; i++) {
		if (structure->bodies[i].html)
			html = TRUE;
		if (!structure->bodies[i].html ||
		    structure->bodies[i].alternative_text != NULL)
			text = TRUE;
	}
	if (text && derive_text(props, msg) < 0)
		return -1;
	if (html) {
		if (mime_message_open_html(msg, &input) < 0)
			return -1;
		ret = set_binary(props, PIDTAG_HTML, input);
		i_stream_unref(&input);
	}
	return ret;
}

/* --- recipients ------------------------------------------------------------- */

static const uint32_t recipient_tags[] = {
	PIDTAG_RECIPIENT_TYPE,
	PIDTAG_DISPLAY_NAME,
	PIDTAG_RECIPIENT_DISPLAY_NAME,
	PIDTAG_TRANSMITTABLE_DISPLAY_NAME,
	PIDTAG_ADDRESS_TYPE,
	PIDTAG_EMAIL_ADDRESS,
	PIDTAG_SMTP_ADDRESS,
	PIDTAG_ENTRY_ID,
	PIDTAG_RECIPIENT_ENTRY_ID,
	PIDTAG_SEARCH_KEY,
	PIDTAG_OBJECT_TYPE,
	PIDTAG_DISPLAY_TYPE,
	PIDTAG_RECIPIENT_FLAGS,
	PIDTAG_RECIPIENT_TRACK_STATUS,
	PIDTAG_SEND_INTERNET_ENCODING,
	PIDTAG_RESPONSIBILITY,
	PIDTAG_SEND_RICH_INFO,
	/* of delivery reports */
	PIDTAG_NON_DELIVERY_REPORT_STATUS_CODE,
	PIDTAG_NON_DELIVERY_REPORT_DIAG_CODE,
	PIDTAG_NON_DELIVERY_REPORT_REASON_CODE,
	PIDTAG_REMOTE_MESSAGE_TRANSFER_AGENT,
	PIDTAG_SUPPLEMENTARY_INFO,
};

static void
derive_recipient(struct mapi_propset *props,
		 const struct mime_recipient *recipient, uint32_t row_id)
{
	enum mime_prop_result result;
	struct mapi_value value;
	TALLOC_CTX *tmp = talloc_new(NULL);
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(recipient_tags); i++) {
		result = mime_recipient_get_prop(recipient, tmp,
						 recipient_tags[i], &value);
		(void)set_from_result(props, recipient_tags[i], result, &value);
	}
	value = mapi_value_i32(row_id);
	(void)mapi_propset_set_value(props, PIDTAG_RECIPIENT_ORDER, &value);
	talloc_free(tmp);
}

static int
derive_recipients(struct mapi_content *content, struct mime_message *msg)
{
	const struct mime_recipient *recipients;
	unsigned int i, count;

	if (mime_message_get_recipients(msg, &recipients, &count) < 0)
		return -1;
	for (i = 0; i < count; i++) {
		derive_recipient(mapi_content_add_recipient(content, i)->props,
				 &recipients[i], i);
	}
	return 0;
}

/* --- attachments ------------------------------------------------------------ */

static int
derive_attachment_props(struct mapi_propset *props,
			const struct mime_attachment *attachment)
{
	enum mime_prop_result result;
	struct mapi_value value;
	TALLOC_CTX *tmp = talloc_new(NULL);
	unsigned int i;
	uint32_t tag;
	int ret = 0;

	for (i = 0; ret == 0 && mime_attachment_prop_at(i, &tag); i++) {
		if (tag == PIDTAG_ATTACH_SIZE || tag == PIDTAG_OBJECT_TYPE)
			continue;
		result = mime_attachment_get_prop(attachment, tmp, tag, &value);
		ret = set_from_result(props, tag, result, &value);
	}
	talloc_free(tmp);
	return ret;
}

static int
derive_embedded(struct mapi_content *content,
		struct mapi_content_attachment *dest, struct mime_message *msg,
		const struct mime_attachment *attachment, unsigned int depth)
{
	struct mime_message *embedded;
	int ret;

	embedded = mime_message_init_embedded(content, msg, attachment);
	if (embedded == NULL)
		return -1;
	T_BEGIN {
		ret = derive(content, embedded, depth + 1, &dest->embedded);
	} T_END;
	return ret;
}

static int
derive_data(struct mapi_propset *props, struct mime_message *msg,
	    const struct mime_attachment *attachment)
{
	struct mapi_value value;
	struct istream *input;
	int ret;

	if (attachment->kind == MIME_ATTACH_MESSAGE) {
		value = mapi_value_i32(ATTACH_BY_VALUE);
		(void)mapi_propset_set_value(props, PIDTAG_ATTACH_METHOD,
					     &value);
	}
	if (mime_message_open_attachment(msg, attachment, &input) < 0)
		return -1;
	ret = set_binary(props, PIDTAG_ATTACH_DATA_BINARY, input);
	i_stream_unref(&input);
	return ret;
}

static int
derive_attachments(struct mapi_content *content, struct mime_message *msg,
		   const struct mime_structure *structure, unsigned int depth)
{
	const struct mime_attachment *attachment;
	struct mapi_content_attachment *dest;
	unsigned int i;
	int ret = 0;

	for (i = 0; ret == 0 && i < structure->attachment_count; i++) {
		attachment = &structure->attachments[i];
		dest = mapi_content_add_attachment(content, i);
		if (derive_attachment_props(dest->props, attachment) < 0)
			return -1;
		if (attachment->kind == MIME_ATTACH_MESSAGE &&
		    depth < MIME_CONTENT_MAX_DEPTH) {
			ret = derive_embedded(content, dest, msg, attachment,
					      depth);
		} else {
			ret = derive_data(dest->props, msg, attachment);
		}
	}
	return ret;
}

/* --- the whole -------------------------------------------------------------- */

static int
derive(TALLOC_CTX *parent, struct mime_message *msg, unsigned int depth,
       struct mapi_content **content_r)
{
	const struct mime_structure *structure;
	struct mapi_content *content;

	*content_r = NULL;
	structure = mime_message_get_structure(msg);
	if (structure == NULL)
		return -1;
	content = mapi_content_create(parent);
	if (derive_props(content->props, msg) < 0 ||
	    derive_bodies(content->props, msg, structure) < 0 ||
	    derive_recipients(content, msg) < 0 ||
	    derive_attachments(content, msg, structure, depth) < 0) {
		talloc_free(content);
		return -1;
	}
	*content_r = content;
	return 0;
}

int mime_content_derive(TALLOC_CTX *parent, struct mime_message *message,
			struct mapi_content **content_r)
{
	int ret;

	T_BEGIN {
		ret = derive(parent, message, 0, content_r);
	} T_END;
	return ret;
}

/* --- named properties ------------------------------------------------------- */

static bool is_keywords(const struct mapi_property_name *name)
{
	return name->kind == MAPI_NAME_STRING &&
		memcmp(&name->guid, &PIDNAME_KEYWORDS_PSET,
		       sizeof(name->guid)) == 0 &&
		strcmp(name->name, PIDNAME_KEYWORDS) == 0;
}

static int
add_named(struct mapi_propset *props, struct mime_message *msg,
	  const struct mapi_content_prop *wanted)
{
	struct mapi_content_prop prop;
	enum mime_prop_result result;
	TALLOC_CTX *tmp = talloc_new(NULL);

	i_zero(&prop);
	result = mime_message_get_named(msg, tmp, wanted->name, &prop.value);
	if (result == MIME_PROP_FOUND) {
		prop.tag = MAPI_TAG_AS(wanted->tag, prop.value.type);
		prop.name = wanted->name;
		(void)mapi_propset_set(props, &prop);
	}
	talloc_free(tmp);
	return result == MIME_PROP_FAILED ? -1 : 0;
}

int mime_content_add_named(struct mapi_propset *props,
			   struct mime_message *message,
			   const struct mapi_propset *wanted)
{
	unsigned int i;

	for (i = 0; i < wanted->count; i++) {
		if (wanted->props[i].name == NULL ||
		    is_keywords(wanted->props[i].name))
			continue;
		if (add_named(props, message, &wanted->props[i]) < 0)
			return -1;
	}
	return 0;
}
