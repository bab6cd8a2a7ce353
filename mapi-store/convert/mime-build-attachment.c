/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Attachments. [MS-OXCMAIL] 2.1.3.4 */

#include "lib.h"
#include "istream.h"
#include "str.h"
#include "mime-build-private.h"
#include "mime-part-info.h"

#include <ctype.h>

/* PidTagAttachFlags, [MS-OXCMSG] 2.2.2.18 */
#define ATTACH_RENDERED_IN_BODY 4
/* longer tokens aren't of a MIME type */
#define MAX_TOKEN_LEN 127
/* longer ids don't fit into a line */
#define MAX_ID_LEN 800
/* where a calendar says its method */
#define CALENDAR_HEAD_LEN 4096

static const char *
get_string(const struct mapi_content_attachment *attachment, uint32_t tag)
{
	return t_mime_build_clean(mapi_propset_get_string(attachment->props,
							  tag));
}

static int32_t
get_int(const struct mapi_content_attachment *attachment, uint32_t tag,
	int32_t missing)
{
	const struct mapi_value *value =
		mapi_propset_get(attachment->props, tag);

	return value == NULL ? missing : value->u.i32;
}

const struct mapi_content_prop *
mime_build_attachment_data(const struct mapi_content_attachment *attachment)
{
	const struct mapi_content_prop *prop =
		mapi_propset_find(attachment->props, PIDTAG_ATTACH_DATA_BINARY);

	return prop != NULL && (prop->stream != NULL ||
				prop->value.type == PTYP_BINARY) ? prop : NULL;
}

static int32_t get_method(const struct mapi_content_attachment *attachment)
{
	return attachment->embedded != NULL ? (int)MAPI_ATTACH_EMBEDDED_MESSAGE :
		get_int(attachment, PIDTAG_ATTACH_METHOD, MAPI_ATTACH_BY_VALUE);
}

bool mime_build_attachment_is_wanted(struct mime_build *ctx,
	const struct mapi_content_attachment *attachment)
{
	switch (get_method(attachment)) {
	case MAPI_ATTACH_NONE:
		return mime_build_attachment_data(attachment) != NULL;
	case MAPI_ATTACH_BY_VALUE:
		return TRUE;
	case MAPI_ATTACH_EMBEDDED_MESSAGE:
		return attachment->embedded != NULL &&
			ctx->depth < MIME_BUILD_MAX_DEPTH;
	}
	/* references to files, and OLE objects, mean nothing to others */
	return FALSE;
}

static bool is_id_char(char c)
{
	return (unsigned char)c > 0x20 && (unsigned char)c < 0x7f &&
		strchr("<>\"\\()", c) == NULL;
}

const char *t_mime_build_content_id(
	const struct mapi_content_attachment *attachment)
{
	const char *id = get_string(attachment, PIDTAG_ATTACH_CONTENT_ID);
	size_t i;

	if (*id == '<') {
		id = t_strdup(id + 1);
		if (*id != '\0' && id[strlen(id)-1] == '>')
			id = t_strndup(id, strlen(id) - 1);
	}
	for (i = 0; id[i] != '\0'; i++) {
		if (!is_id_char(id[i]) || i >= MAX_ID_LEN)
			return NULL;
	}
	return i == 0 ? NULL : id;
}

bool mime_build_attachment_is_related(
	const struct mapi_content_attachment *attachment)
{
	bool ret;

	if (get_method(attachment) == MAPI_ATTACH_EMBEDDED_MESSAGE)
		return FALSE;
	T_BEGIN {
		ret = t_mime_build_content_id(attachment) != NULL ||
			*get_string(attachment,
				    PIDTAG_ATTACH_CONTENT_LOCATION) != '\0';
	} T_END;
	return ret;
}

bool mime_build_attachment_is_inline(
	const struct mapi_content_attachment *attachment)
{
	const struct mapi_value *hidden;

	if (!mime_build_attachment_is_related(attachment))
		return FALSE;
	hidden = mapi_propset_get(attachment->props, PIDTAG_ATTACHMENT_HIDDEN);
	return (get_int(attachment, PIDTAG_ATTACH_FLAGS, 0) &
		ATTACH_RENDERED_IN_BODY) != 0 || (hidden != NULL && hidden->u.b);
}

/* --- names and types -------------------------------------------------------- */

/* 2.1.3.4.2.1 */
static const char *
t_file_name(const struct mapi_content_attachment *attachment)
{
	const char *name;

	name = get_string(attachment, PIDTAG_ATTACH_LONG_FILENAME);
	if (*name == '\0')
		name = get_string(attachment, PIDTAG_ATTACH_FILENAME);
	return name;
}

static bool is_token(const char *str, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (!i_isalnum(str[i]) && strchr("!#$&^_.+-", str[i]) == NULL)
			return FALSE;
	}
	return len > 0 && len <= MAX_TOKEN_LEN;
}

static bool type_is_valid(const char *type)
{
	const char *slash = strchr(type, '/');

	return slash != NULL && is_token(type, slash - type) &&
		is_token(slash + 1, strlen(slash + 1));
}

/* 2.1.3.4.2.2: what would be read as something other than a file isn't said */
static bool type_is_usable(const char *type)
{
	return type_is_valid(type) &&
		strncasecmp(type, "multipart/", 10) != 0 &&
		strncasecmp(type, "message/", 8) != 0 &&
		strcasecmp(type, "application/applefile") != 0 &&
		strcasecmp(type, "application/mac-binhex40") != 0;
}

static const char *
t_mime_type(const struct mapi_content_attachment *attachment, const char *name)
{
	const char *type, *ext;

	type = get_string(attachment, PIDTAG_ATTACH_MIME_TAG);
	if (*type != '\0')
		return type_is_usable(type) ? type : "application/octet-stream";
	ext = mime_filename_extension(name);
	if (*ext == '\0')
		ext = get_string(attachment, PIDTAG_ATTACH_EXTENSION);
	type = *ext == '\0' ? NULL : mime_extension_type(ext);
	return type == NULL || !type_is_usable(type) ?
		"application/octet-stream" : type;
}

bool mime_build_attachment_is_image(
	const struct mapi_content_attachment *attachment)
{
	bool ret;

	if (get_method(attachment) != MAPI_ATTACH_BY_VALUE)
		return FALSE;
	T_BEGIN {
		ret = strncasecmp(t_mime_type(attachment,
					      t_file_name(attachment)),
				  "image/", 6) == 0;
	} T_END;
	return ret;
}

const char *t_mime_build_attachment_name(
	const struct mapi_content_attachment *attachment)
{
	const char *name = t_file_name(attachment);

	return *name != '\0' ? name :
		get_string(attachment, PIDTAG_DISPLAY_NAME);
}

/* The METHOD of a calendar, without which nobody takes it for an invitation;
   NULL if it has none, or can't be read. */
static const char *t_calendar_method(struct istream *input)
{
	const unsigned char *data;
	const char *text, *p;
	size_t size;

	i_stream_seek(input, 0);
	(void)i_stream_read_bytes(input, &data, &size, CALENDAR_HEAD_LEN);
	if (size == 0)
		return NULL;
	text = t_strndup(data, I_MIN(size, CALENDAR_HEAD_LEN));
	for (p = text; p != NULL; p = strchr(p, '\n')) {
		if (*p == '\n')
			p++;
		if (strncasecmp(p, "METHOD:", 7) == 0) {
			p += 7;
			size = strcspn(p, "\r\n");
			return is_token(p, size) ? t_strndup(p, size) : NULL;
		}
	}
	return NULL;
}

static void
add_type(const struct mapi_content_attachment *attachment, const char *type,
	 const char *name, struct istream *input, string_t *header)
{
	const char *charset, *method;

	str_printfa(header, "Content-Type: %s", type);
	if (strncasecmp(type, "text/", 5) == 0) {
		charset = get_string(attachment,
				     PIDTAG_TEXT_ATTACHMENT_CHARSET);
		if (is_token(charset, strlen(charset)))
			str_printfa(header, "; charset=%s", charset);
	}
	if (strcasecmp(type, "text/calendar") == 0) {
		method = t_calendar_method(input);
		if (method != NULL)
			str_printfa(header, "; method=%s", method);
	}
	mime_build_add_param_2047(header, "name", name);
	str_append(header, "\r\n");
}

static void
add_description(const struct mapi_content_attachment *attachment,
		const char *other_name, string_t *header)
{
	const char *name = get_string(attachment, PIDTAG_DISPLAY_NAME);

	if (strcmp(name, other_name) != 0)
		mime_build_add_text(header, "Content-Description", name);
}

static void
add_ids(const struct mapi_content_attachment *attachment, const char *id,
	string_t *header)
{
	if (id == NULL)
		id = t_mime_build_content_id(attachment);
	/* Outlook doesn't read it if it's folded */
	if (id != NULL)
		str_printfa(header, "Content-ID: <%s>\r\n", id);
	mime_build_add_text(header, "Content-Location",
		get_string(attachment, PIDTAG_ATTACH_CONTENT_LOCATION));
}

/* --- writing ---------------------------------------------------------------- */

/* What isn't text is base64, whatever is in it. */
static int
find_encoding(struct istream *input, const char *type,
	      enum mime_build_encoding *encoding_r)
{
	struct mime_build_scan scan;

	*encoding_r = MIME_BUILD_BASE64;
	if (strncasecmp(type, "text/", 5) != 0)
		return 0;
	if (mime_build_scan(input, &scan) < 0)
		return -1;
	if (!scan.bare_cr && !scan.bare_lf)
		*encoding_r = mime_build_encoding_choose(&scan);
	return 0;
}

static int
send_content(struct mime_build *ctx,
	     const struct mapi_content_attachment *attachment,
	     struct istream *input, const char *content_id, bool shown_inline,
	     string_t *header)
{
	enum mime_build_encoding encoding;
	const char *name, *type;

	name = t_file_name(attachment);
	type = t_mime_type(attachment, name);
	if (find_encoding(input, type, &encoding) < 0)
		return -1;
	add_type(attachment, type, name, input, header);
	/* text that is inline would be shown as part of the body */
	if (strncasecmp(type, "text/", 5) == 0)
		shown_inline = FALSE;
	str_printfa(header, "Content-Transfer-Encoding: %s\r\n"
		    "Content-Disposition: %s",
		    mime_build_encoding_name(encoding),
		    shown_inline ? "inline" : "attachment");
	mime_build_add_param(header, "filename", name);
	str_append(header, "\r\n");
	add_description(attachment, name, header);
	add_ids(attachment, content_id, header);
	if (mime_build_send_header(ctx, header) < 0)
		return -1;
	return mime_build_send_encoded(ctx, input, encoding);
}

static int
send_message(struct mime_build *ctx,
	     const struct mapi_content_attachment *attachment,
	     string_t *header)
{
	const char *subject;
	int ret;

	subject = t_mime_build_clean(mapi_propset_get_string(
		attachment->embedded->props, PIDTAG_SUBJECT));
	str_append(header, "Content-Type: message/rfc822\r\n"
		   "Content-Disposition: attachment");
	mime_build_add_param(header, "filename", t_file_name(attachment));
	str_append(header, "\r\n");
	add_description(attachment, subject, header);
	add_ids(attachment, NULL, header);
	if (mime_build_send_header(ctx, header) < 0)
		return -1;
	ctx->depth++;
	ret = mime_build_message(ctx, attachment->embedded);
	ctx->depth--;
	return ret;
}

int mime_build_send_attachment(struct mime_build *ctx,
			       const struct mapi_content_attachment *attachment,
			       const char *content_id, bool shown_inline,
			       string_t *header)
{
	struct istream *input;
	int ret;

	T_BEGIN {
		if (get_method(attachment) == MAPI_ATTACH_EMBEDDED_MESSAGE) {
			ret = send_message(ctx, attachment, header);
		} else {
			input = mime_build_open(mime_build_attachment_data(attachment));
			if (input == NULL)
				input = i_stream_create_from_data("", 0);
			ret = send_content(ctx, attachment, input, content_id,
					   shown_inline, header);
			i_stream_unref(&input);
		}
	} T_END;
	return ret;
}
