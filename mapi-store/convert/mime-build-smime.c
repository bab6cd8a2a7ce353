/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signed and encrypted messages: their only attachment is what is sent, and must
   stay what it is. [MS-OXOSMIME] 2.1, 3.1 */

#include "lib.h"
#include "istream.h"
#include "str.h"
#include "mime-build-private.h"
#include "mime-header-source.h"
#include "mime-text.h"

#define CLASS_SIGNED ".SMIME.MultipartSigned"
#define CLASS_OPAQUE ".SMIME"
/* the beginning of a ContentInfo, [RFC5652] 3 */
#define CONTENT_INFO_LEN 32

static bool class_ends_with(const char *class, const char *end)
{
	size_t len = strlen(class), end_len = strlen(end);

	return len > end_len && strcasecmp(class + len - end_len, end) == 0;
}

/* --- clear-signed ----------------------------------------------------------- */

static bool header_is_signed(const string_t *text)
{
	struct mime_header_source *source;
	struct istream *input;
	const char *value;
	bool ret;

	input = i_stream_create_from_data(text->data, text->used);
	source = mime_header_source_init(NULL, input, 0);
	i_stream_unref(&input);
	ret = mime_header_first(source, "Content-Type", &value) > 0 &&
		strcasecmp(t_mime_token(value), "multipart/signed") == 0;
	talloc_free(source);
	return ret;
}

/* Is it a field that says what the content is? Others are the message's own, and
   those of these that it says itself are there already. */
static bool is_entity_field(const char *raw)
{
	const char *colon = strchr(raw, ':'), *name;

	if (colon == NULL)
		return FALSE;
	name = t_strdup_until(raw, colon);
	return strncasecmp(name, "Content-", 8) == 0 &&
		mime_build_field_name_is_valid(name) &&
		strcasecmp(name, "Content-Class") != 0 &&
		strcasecmp(name, "Content-Language") != 0;
}

static void append_field(string_t *dest, const char *str, bool long_line)
{
	const char *colon = strchr(str, ':');

	if (long_line) {
		mime_build_add_raw(dest, t_strdup_until(str, colon), colon + 1);
		return;
	}
	for (; *str != '\0'; str++) {
		str_append_c(dest, ((unsigned char)*str < 0x20 &&
				    strchr("\t\r\n", *str) == NULL) ||
			     *str == 0x7f ? ' ' : *str);
	}
}

static void append_entity_fields(const char *text, string_t *dest)
{
	bool long_line, have_version = FALSE;
	string_t *raw;

	while (*text != '\0') T_BEGIN {
		raw = t_str_new(256);
		text = mime_build_field_lines(text, raw, &long_line);
		if (strncasecmp(str_c(raw), "MIME-Version:", 13) == 0) {
			append_field(dest, str_c(raw), long_line);
			have_version = TRUE;
		} else if (is_entity_field(str_c(raw))) {
			append_field(dest, str_c(raw), long_line);
		}
	} T_END;
	if (!have_version)
		str_append(dest, "MIME-Version: 1.0\r\n");
}

static void replace_nuls(string_t *text)
{
	unsigned char *data = buffer_get_modifiable_data(text, NULL);
	size_t i;

	for (i = 0; i < str_len(text); i++) {
		if (data[i] == '\0')
			data[i] = ' ';
	}
}

static int
send_signed(struct mime_build *ctx, struct istream *input, string_t *header)
{
	string_t *text = str_new(default_pool, 1024);
	const unsigned char *data;
	size_t size;
	int ret;

	ret = mime_header_read(input, 0, text);
	replace_nuls(text);
	if (ret == 0 && header_is_signed(text)) {
		append_entity_fields(str_c(text), header);
		/* the end of the empty line */
		if (i_stream_read_more(input, &data, &size) > 0)
			i_stream_skip(input, 1);
		ret = mime_build_send_header(ctx, header) < 0 ||
			mime_build_send_raw(ctx, input) < 0 ? -1 : 1;
	}
	str_free(&text);
	return ret;
}

/* --- opaque ----------------------------------------------------------------- */

/* What the content's object id says; NULL if it can't be told. [RFC8551] 3.2.2 */
static const char *smime_type(struct istream *input)
{
	/* 1.2.840.113549.1. 7.2, 7.3, 9.16.1.9, 9.16.1.23 */
	static const struct {
		const char *oid, *type;
	} types[] = {
		{ "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
		  "signed-data" },
		{ "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03",
		  "enveloped-data" },
		{ "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09",
		  "compressed-data" },
		{ "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17",
		  "authEnveloped-data" },
	};
	const unsigned char *data;
	size_t size, pos, len;
	unsigned int i;

	i_stream_seek(input, 0);
	(void)i_stream_read_bytes(input, &data, &size, CONTENT_INFO_LEN);
	if (size < 2 || data[0] != 0x30)
		return NULL;
	pos = 2 + ((data[1] & 0x80) != 0 ? data[1] & 0x7f : 0);
	for (i = 0; i < N_ELEMENTS(types); i++) {
		len = strlen(types[i].oid);
		if (pos + len <= size &&
		    memcmp(data + pos, types[i].oid, len) == 0)
			return types[i].type;
	}
	return NULL;
}

static int
send_opaque(struct mime_build *ctx,
	    const struct mapi_content_attachment *attachment,
	    struct istream *input, string_t *header)
{
	const char *tag, *type;

	tag = mapi_propset_get_string(attachment->props, PIDTAG_ATTACH_MIME_TAG);
	if (tag == NULL || strcasecmp(tag, "application/x-pkcs7-mime") != 0)
		tag = "application/pkcs7-mime";
	str_printfa(header, "MIME-Version: 1.0\r\nContent-Type: %s", tag);
	type = smime_type(input);
	if (type != NULL)
		str_printfa(header, "; smime-type=%s", type);
	str_append(header, ";\r\n\tname=\"smime.p7m\"\r\n"
		   "Content-Transfer-Encoding: base64\r\n"
		   "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n");
	if (mime_build_send_header(ctx, header) < 0 ||
	    mime_build_send_encoded(ctx, input, MIME_BUILD_BASE64) < 0)
		return -1;
	return mime_build_send(ctx, "\r\n", 2) < 0 ? -1 : 1;
}

int mime_build_send_smime(struct mime_build *ctx,
			  const struct mapi_content *content, string_t *header)
{
	const char *class;
	struct istream *input;
	int ret = 0;

	class = mapi_propset_get_string(content->props, PIDTAG_MESSAGE_CLASS);
	if (class == NULL || content->attachment_count != 1 ||
	    content->attachments[0].embedded != NULL ||
	    (!class_ends_with(class, CLASS_SIGNED) &&
	     !class_ends_with(class, CLASS_OPAQUE)))
		return 0;
	input = mime_build_open(
		mime_build_attachment_data(&content->attachments[0]));
	if (input == NULL)
		return 0;
	if (class_ends_with(class, CLASS_SIGNED))
		ret = send_signed(ctx, input, header);
	else
		ret = send_opaque(ctx, &content->attachments[0], input, header);
	i_stream_unref(&input);
	return ret;
}
