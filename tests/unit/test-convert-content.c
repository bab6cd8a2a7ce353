/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What mime_content_derive() says of each tests/data/mail/NAME.eml is what is
   read from it property by property. */

#include "lib.h"
#include "buffer.h"
#include "istream.h"
#include "str.h"
#include "mapi-props.h"
#include "mime-content.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MAIL_DIR "tests/data/mail"
#define RECEIVED 1704067200	/* 2024-01-01T00:00:00Z */

static buffer_t *read_all(struct istream *input)
{
	buffer_t *buf = buffer_create_dynamic(default_pool, 8192);
	const unsigned char *data;
	size_t size;

	while (i_stream_read_more(input, &data, &size) > 0) {
		buffer_append(buf, data, size);
		i_stream_skip(input, size);
	}
	assert_int_equal(input->stream_errno, 0);
	return buf;
}

static void
assert_bytes(const struct mapi_content_prop *prop, struct istream *input)
{
	buffer_t *expected = read_all(input), *got;

	assert_non_null(prop);
	if (prop->stream != NULL) {
		assert_true(expected->used > MIME_CONTENT_STREAM_MIN);
		i_stream_seek(prop->stream, 0);
		got = read_all(prop->stream);
		assert_int_equal(got->used, expected->used);
		assert_memory_equal(got->data, expected->data, got->used);
		buffer_free(&got);
	} else if (prop->value.type == PTYP_STRING) {
		assert_string_equal(prop->value.u.str, str_c(expected));
	} else {
		assert_int_equal(prop->value.u.bin.len, expected->used);
		assert_true(expected->used == 0 ||
			    memcmp(prop->value.u.bin.data, expected->data,
				   expected->used) == 0);
	}
	buffer_free(&expected);
}

static bool has_html(const struct mime_structure *structure)
{
	unsigned int i;

	for (i = 0; i < structure->body_count; i++) {
		if (structure->bodies[i].html)
			return TRUE;
	}
	return FALSE;
}

static void
check_bodies(struct mime_message *msg, const struct mapi_content *content)
{
	const struct mime_structure *structure =
		mime_message_get_structure(msg);
	const struct mapi_content_prop *prop;
	struct istream *input;

	prop = mapi_propset_find(content->props, PIDTAG_HTML);
	assert_int_equal(prop != NULL, has_html(structure) &&
			 structure->class != MIME_CLASS_SMIME);
	if (prop != NULL) {
		assert_int_equal(mime_message_open_html(msg, &input), 0);
		assert_bytes(prop, input);
		i_stream_unref(&input);
	}
	prop = mapi_propset_find(content->props, PIDTAG_BODY);
	if (prop != NULL) {
		assert_int_equal(mime_message_open_text(msg, &input), 0);
		assert_bytes(prop, input);
		i_stream_unref(&input);
	} else {
		assert_true(has_html(structure) || structure->body_count == 0 ||
			    structure->class == MIME_CLASS_SMIME);
	}
}

static void check_props(struct mime_message *msg, struct mapi_propset *props)
{
	struct mapi_value value;
	unsigned int i;
	TALLOC_CTX *tmp = talloc_new(NULL);

	assert_true(props->count > 5);
	for (i = 0; i < props->count; i++) {
		if (props->props[i].tag == PIDTAG_BODY ||
		    props->props[i].tag == PIDTAG_HTML)
			continue;
		assert_int_equal(mime_message_get_prop(msg, tmp,
				props->props[i].tag, SIZE_MAX, &value),
			MIME_PROP_FOUND);
		assert_true(mapi_value_equal(&props->props[i].value, &value));
	}
	assert_null(mapi_propset_find(props, PIDTAG_HAS_ATTACHMENTS));
	assert_null(mapi_propset_find(props, PIDTAG_DISPLAY_TO));
	assert_non_null(mapi_propset_find(props, PIDTAG_SUBJECT));
	assert_non_null(mapi_propset_find(props, PIDTAG_MESSAGE_CLASS));
	talloc_free(tmp);
}

static void
check_recipients(struct mime_message *msg, const struct mapi_content *content)
{
	const struct mime_recipient *recipients;
	const struct mapi_content_recipient *dest;
	unsigned int i, count;

	assert_int_equal(mime_message_get_recipients(msg, &recipients, &count),
			 0);
	assert_int_equal(content->recipient_count, count);
	for (i = 0; i < count; i++) {
		dest = &content->recipients[i];
		assert_int_equal(dest->row_id, i);
		assert_string_equal(mapi_propset_get_string(dest->props,
				PIDTAG_DISPLAY_NAME), recipients[i].name);
		assert_string_equal(mapi_propset_get_string(dest->props,
				PIDTAG_EMAIL_ADDRESS), recipients[i].address);
		assert_int_equal(mapi_propset_get(dest->props,
				PIDTAG_RECIPIENT_TYPE)->u.i32,
			recipients[i].type);
	}
}

static void check(struct mime_message *msg, const struct mapi_content *content);

static void
check_attachment(struct mime_message *msg,
		 const struct mime_attachment *attachment,
		 const struct mapi_content_attachment *dest)
{
	struct mime_message *embedded;
	struct istream *input;

	assert_string_equal(mapi_propset_get_string(dest->props,
			PIDTAG_DISPLAY_NAME), attachment->display_name);
	assert_null(mapi_propset_find(dest->props, PIDTAG_ATTACH_SIZE));
	if (attachment->kind == MIME_ATTACH_MESSAGE) {
		assert_non_null(dest->embedded);
		assert_null(mapi_propset_find(dest->props,
					      PIDTAG_ATTACH_DATA_BINARY));
		embedded = mime_message_init_embedded(NULL, msg, attachment);
		check(embedded, dest->embedded);
		talloc_free(embedded);
		return;
	}
	assert_null(dest->embedded);
	assert_int_equal(mime_message_open_attachment(msg, attachment, &input),
			 0);
	assert_bytes(mapi_propset_find(dest->props, PIDTAG_ATTACH_DATA_BINARY),
		     input);
	i_stream_unref(&input);
}

static void check(struct mime_message *msg, const struct mapi_content *content)
{
	const struct mime_structure *structure;
	unsigned int i;

	check_props(msg, content->props);
	check_bodies(msg, content);
	check_recipients(msg, content);
	structure = mime_message_get_structure(msg);
	assert_int_equal(content->attachment_count,
			 structure->attachment_count);
	for (i = 0; i < content->attachment_count; i++) {
		assert_int_equal(content->attachments[i].num, i);
		check_attachment(msg, &structure->attachments[i],
				 &content->attachments[i]);
	}
}

static void test_files(void **state)
{
	struct mapi_content *content;
	struct mime_message *msg;
	struct istream *input;
	struct dirent *d;
	unsigned int count = 0;
	DIR *dir;

	dir = opendir(MAIL_DIR);
	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL) T_BEGIN {
		const char *ext = strrchr(d->d_name, '.');

		if (ext != NULL && strcmp(ext, ".eml") == 0) {
			input = i_stream_create_file(t_strconcat(MAIL_DIR "/",
					d->d_name, NULL), 8192);
			msg = mime_message_init_stream(NULL, input, RECEIVED);
			i_stream_unref(&input);
			assert_non_null(msg);
			assert_int_equal(mime_content_derive(NULL, msg,
							     &content), 0);
			check(msg, content);
			talloc_free(content);
			talloc_free(msg);
			count++;
		}
	} T_END;
	closedir(dir);
	assert_true(count > 20);
}

/* --- made messages ---------------------------------------------------------- */

static struct mime_message *message_from(const void *data, size_t size)
{
	struct mime_message *msg;
	struct istream *input = i_stream_create_from_data(data, size);

	msg = mime_message_init_stream(NULL, input, RECEIVED);
	i_stream_unref(&input);
	assert_non_null(msg);
	return msg;
}

static void test_large(void **state)
{
	string_t *str = str_new(default_pool, 1024 * 1024);
	struct mapi_content *content;
	struct mime_message *msg;
	unsigned int i;

	str_append(str, "Subject: large\r\nMIME-Version: 1.0\r\n"
		   "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		   "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n");
	for (i = 0; i < 10000; i++)
		str_append(str, "<p>paragraph</p>\r\n");
	str_append(str, "\r\n--b\r\nContent-Type: application/pdf\r\n\r\n");
	for (i = 0; i < 10000; i++)
		str_append(str, "some bytes\r\n");
	str_append(str, "\r\n--b--\r\n");

	msg = message_from(str_data(str), str_len(str));
	assert_int_equal(mime_content_derive(NULL, msg, &content), 0);
	assert_non_null(mapi_propset_find(content->props, PIDTAG_HTML)->stream);
	assert_non_null(mapi_propset_find(content->attachments[0].props,
			PIDTAG_ATTACH_DATA_BINARY)->stream);
	check(msg, content);
	talloc_free(content);
	talloc_free(msg);
	str_free(&str);
}

/* Embedded messages beyond the limit are bytes. */
static void test_depth(void **state)
{
	string_t *str = str_new(default_pool, 16384);
	const struct mapi_content_attachment *attachment = NULL;
	struct mapi_content *content;
	const struct mapi_content *level;
	struct mime_message *msg;
	unsigned int i, depth = 0;

	for (i = 0; i < MIME_CONTENT_MAX_DEPTH + 10; i++) {
		str_printfa(str, "Subject: level %u\r\n"
			    "Content-Type: message/rfc822\r\n\r\n", i);
	}
	str_append(str, "Subject: end\r\n\r\ntext\r\n");
	msg = message_from(str_data(str), str_len(str));
	assert_int_equal(mime_content_derive(NULL, msg, &content), 0);
	for (level = content; level->attachment_count > 0;
	     level = attachment->embedded, depth++) {
		attachment = &level->attachments[0];
		if (attachment->embedded == NULL)
			break;
	}
	assert_int_equal(depth, MIME_CONTENT_MAX_DEPTH);
	assert_non_null(attachment);
	assert_int_equal(mapi_propset_get(attachment->props,
					  PIDTAG_ATTACH_METHOD)->u.i32, 1);
	assert_non_null(mapi_propset_find(attachment->props,
					  PIDTAG_ATTACH_DATA_BINARY));
	talloc_free(content);
	talloc_free(msg);
	str_free(&str);
}

static void test_named(void **state)
{
	static const char text[] =
		"Subject: x\r\nX-Mailer: it\r\nKeywords: a, b\r\n\r\n";
	static const char *const names[] = { "X-Mailer", "X-Other" };
	struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .guid = PS_INTERNET_HEADERS,
	};
	struct mapi_content_prop prop;
	struct mapi_propset *wanted = mapi_propset_create(NULL);
	struct mapi_propset *props = mapi_propset_create(NULL);
	struct mime_message *msg = message_from(text, strlen(text));
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(names); i++) {
		i_zero(&prop);
		name.name = names[i];
		prop.tag = MAPI_TAG(0x8001 + i, PTYP_STRING);
		prop.name = &name;
		prop.value = mapi_value_str("");
		assert_true(mapi_propset_set(wanted, &prop));
	}
	name.guid = PIDNAME_KEYWORDS_PSET;
	name.name = PIDNAME_KEYWORDS;
	prop.tag = MAPI_TAG(0x8010, PTYP_STRING);
	assert_true(mapi_propset_set(wanted, &prop));

	assert_int_equal(mime_content_add_named(props, msg, wanted), 0);
	assert_int_equal(props->count, 1);
	assert_int_equal(props->props[0].tag, MAPI_TAG(0x8001, PTYP_STRING));
	assert_string_equal(props->props[0].value.u.str, "it");
	assert_string_equal(props->props[0].name->name, "X-Mailer");
	talloc_free(props);
	talloc_free(wanted);
	talloc_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_named),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests_name("content of a MIME message", tests,
					  NULL, NULL);
	lib_deinit();
	return ret;
}
