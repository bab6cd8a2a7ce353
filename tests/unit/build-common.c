/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "hex-binary.h"
#include "istream.h"
#include "ostream.h"
#include "str.h"
#include "mapi-property-info.h"
#include "mapi-props.h"
#include "build-common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

buffer_t *test_build(const struct mapi_content *content,
		     const struct mime_build_params *params)
{
	const struct mime_build_params defaults = {
		.now = BUILD_TEST_NOW, .with_bcc = TRUE,
	};
	buffer_t *buf = buffer_create_dynamic(default_pool, 8192);
	struct ostream *output = o_stream_create_buffer(buf);
	int ret;

	ret = mime_build(content, params == NULL ? &defaults : params, output);
	i_assert(ret == 0);
	o_stream_destroy(&output);
	return buf;
}

struct mapi_content *test_derive(TALLOC_CTX *parent, const void *data,
				 size_t size)
{
	struct istream *input = i_stream_create_from_data(data, size);
	struct mapi_content *content;
	struct mime_message *msg;

	msg = mime_message_init_stream(parent, input, BUILD_TEST_NOW);
	i_stream_unref(&input);
	i_assert(msg != NULL);
	if (mime_content_derive(msg, msg, &content) < 0)
		i_unreached();
	return content;
}

struct mapi_content *t_derive_message(const char *message)
{
	return test_derive(NULL, message, strlen(message));
}

const char *t_test_build(struct mapi_content *content)
{
	buffer_t *buf = test_build(content, NULL);
	const char *error = test_message_check(buf), *ret;

	if (error != NULL)
		fail_msg("%s:\n%s", error, str_c(buf));
	ret = t_strdup(str_c(buf));
	buffer_free(&buf);
	talloc_free(content);
	return ret;
}

const char *t_test_build_header(struct mapi_content *content,
				const struct mime_build_params *params)
{
	buffer_t *buf = test_build(content, params);
	const char *error = test_message_check(buf), *header, *end;

	if (error != NULL)
		fail_msg("%s:\n%s", error, str_c(buf));
	header = t_strdup(str_c(buf));
	end = strstr(header, "MIME-Version:");
	assert_non_null(end);
	header = t_strdup_until(header, end);
	end = strstr(header, "Date: Mon, 01 Jan 2024 00:00:00 +0000\r\n");
	if (end != NULL) {
		header = t_strconcat(t_strdup_until(header, end),
				     strchr(end, '\n') + 1, NULL);
	}
	buffer_free(&buf);
	talloc_free(content);
	return header;
}

/* --- content ---------------------------------------------------------------- */

void test_set_str(struct mapi_propset *props, uint32_t tag, const char *str)
{
	struct mapi_value value = mapi_value_str(str);

	assert_true(mapi_propset_set_value(props, tag, &value));
}

void test_set_int(struct mapi_propset *props, uint32_t tag, int32_t i)
{
	struct mapi_value value = mapi_value_i32(i);

	assert_true(mapi_propset_set_value(props, tag, &value));
}

void test_set_bin(struct mapi_propset *props, uint32_t tag, const void *data,
		  size_t size)
{
	struct mapi_value value = mapi_value_bin(data, size);

	assert_true(mapi_propset_set_value(props, tag, &value));
}

struct mapi_content_attachment *
test_add_file(struct mapi_content *content, const char *name, const char *type,
	      const void *data, size_t size)
{
	struct mapi_content_attachment *att =
		mapi_content_add_attachment(content,
					    content->attachment_count);

	test_set_int(att->props, PIDTAG_ATTACH_METHOD, 1);
	if (name != NULL)
		test_set_str(att->props, PIDTAG_ATTACH_LONG_FILENAME, name);
	if (type != NULL)
		test_set_str(att->props, PIDTAG_ATTACH_MIME_TAG, type);
	test_set_bin(att->props, PIDTAG_ATTACH_DATA_BINARY, data, size);
	return att;
}

void test_assert_has(const char *message, const char *text)
{
	if (strstr(message, text) == NULL)
		fail_msg("'%s' isn't in:\n%s", text, message);
}

void test_assert_hasnt(const char *message, const char *text)
{
	if (strstr(message, text) != NULL)
		fail_msg("'%s' is in:\n%s", text, message);
}

/* --- comparing -------------------------------------------------------------- */

static const char *t_prop_string(const struct mapi_content_prop *prop)
{
	const struct mapi_value *value = &prop->value;

	if (prop->stream != NULL)
		return "stream";
	switch (value->type) {
	case PTYP_STRING:
		return t_strdup_printf("\"%.300s\"", value->u.str);
	case PTYP_INTEGER32:
		return t_strdup_printf("%d", value->u.i32);
	case PTYP_BOOLEAN:
		return value->u.b ? "true" : "false";
	case PTYP_TIME:
		return t_strdup_printf("time %"PRIu64, value->u.time);
	case PTYP_BINARY:
		return t_strdup_printf("%u bytes %s", value->u.bin.len,
			binary_to_hex(value->u.bin.data,
				      I_MIN(value->u.bin.len, 100)));
	}
	return t_strdup_printf("type %04x", value->type);
}

static const char *t_tag_name(uint32_t tag)
{
	const struct mapi_property_info *info =
		mapi_property_info_by_id(MAPI_TAG_ID(tag));

	return info != NULL ? info->name : t_strdup_printf("%08x", tag);
}

static bool is_ignored(const uint32_t *tags, uint32_t tag)
{
	for (; tags != NULL && *tags != 0; tags++) {
		if (MAPI_TAG_ID(*tags) == MAPI_TAG_ID(tag))
			return TRUE;
	}
	return FALSE;
}

static void
propset_diff(const char *where, const struct mapi_propset *a,
	     const struct mapi_propset *b, const uint32_t *ignore,
	     string_t *dest)
{
	const struct mapi_content_prop *other;
	unsigned int i;

	for (i = 0; i < a->count; i++) T_BEGIN {
		const struct mapi_content_prop *prop = &a->props[i];

		other = mapi_propset_find(b, prop->tag);
		if (is_ignored(ignore, prop->tag))
			;
		else if (other == NULL) {
			str_printfa(dest, "%s%s: %s is lost\n", where,
				    t_tag_name(prop->tag), t_prop_string(prop));
		} else if (mapi_content_prop_equal(prop, other) <= 0) {
			str_printfa(dest, "%s%s: %s is now %s\n", where,
				    t_tag_name(prop->tag), t_prop_string(prop),
				    t_prop_string(other));
		}
	} T_END;
	for (i = 0; i < b->count; i++) T_BEGIN {
		const struct mapi_content_prop *prop = &b->props[i];

		if (!is_ignored(ignore, prop->tag) &&
		    mapi_propset_find(a, prop->tag) == NULL) {
			str_printfa(dest, "%s%s: %s is new\n", where,
				    t_tag_name(prop->tag), t_prop_string(prop));
		}
	} T_END;
}

static void
content_diff(const char *where, const struct mapi_content *a,
	     const struct mapi_content *b, const uint32_t *ignore,
	     string_t *dest)
{
	const char *name;
	unsigned int i;

	propset_diff(where, a->props, b->props, ignore, dest);
	if (a->recipient_count != b->recipient_count) {
		str_printfa(dest, "%s%u recipients are now %u\n", where,
			    a->recipient_count, b->recipient_count);
	}
	for (i = 0; i < I_MIN(a->recipient_count, b->recipient_count); i++) {
		name = t_strdup_printf("%srecipient[%u].", where, i);
		propset_diff(name, a->recipients[i].props,
			     b->recipients[i].props, ignore, dest);
	}
	if (a->attachment_count != b->attachment_count) {
		str_printfa(dest, "%s%u attachments are now %u\n", where,
			    a->attachment_count, b->attachment_count);
	}
	for (i = 0; i < I_MIN(a->attachment_count, b->attachment_count); i++) {
		const struct mapi_content_attachment *aatt = &a->attachments[i];
		const struct mapi_content_attachment *batt = &b->attachments[i];

		name = t_strdup_printf("%sattachment[%u].", where, i);
		propset_diff(name, aatt->props, batt->props, ignore, dest);
		if ((aatt->embedded != NULL) != (batt->embedded != NULL))
			str_printfa(dest, "%sembedded\n", name);
		else if (aatt->embedded != NULL) {
			content_diff(name, aatt->embedded, batt->embedded,
				     ignore, dest);
		}
	}
}

void test_content_diff(const struct mapi_content *a,
		       const struct mapi_content *b,
		       const uint32_t *ignore_tags, string_t *dest)
{
	content_diff("", a, b, ignore_tags, dest);
}

/* --- checking --------------------------------------------------------------- */

static const char *check_header(const char *line, size_t len, bool first)
{
	size_t i;

	if (*line == ' ' || *line == '\t') {
		if (first)
			return "header begins with a continuation";
		for (i = 0; i < len && (line[i] == ' ' || line[i] == '\t'); )
			i++;
		return i == len ? "empty line within a field" : NULL;
	}
	for (i = 0; i < len && line[i] != ':'; i++) {
		if ((unsigned char)line[i] <= ' ' ||
		    (unsigned char)line[i] >= 0x7f)
			break;
	}
	return i > 0 && i < len && line[i] == ':' ? NULL : "not a field";
}

const char *test_message_check(const buffer_t *message)
{
	const char *data = message->data, *end, *error;
	size_t i, len, size = message->used;
	bool header = TRUE, first = TRUE;

	while (size > 0) {
		end = memchr(data, '\n', size);
		len = end == NULL ? size : (size_t)(end - data);
		if (end != NULL && (len == 0 || end[-1] != '\r'))
			return "line without CR";
		if (end != NULL)
			len--;
		if (len > 998)
			return "line too long";
		for (i = 0; i < len; i++) {
			if (data[i] == '\r')
				return "CR in a line";
			if (data[i] == '\0')
				return "NUL";
			if (header && (unsigned char)data[i] < 0x20 &&
			    data[i] != '\t')
				return "control character in the header";
		}
		if (len == 0)
			header = FALSE;
		if (header) {
			error = check_header(data, len, first);
			if (error != NULL)
				return error;
		}
		first = FALSE;
		len = end == NULL ? size : (size_t)(end - data) + 1;
		data += len;
		size -= len;
	}
	return header ? "header doesn't end" : NULL;
}
