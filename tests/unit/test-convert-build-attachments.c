/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MAPI to MIME: attachments. */

#include "lib.h"
#include "istream.h"
#include "ostream.h"
#include "str.h"
#include "mapi-props.h"
#include "build-common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void set_html(struct mapi_content *content, const char *html, int cp)
{
	test_set_bin(content->props, PIDTAG_HTML, html, strlen(html));
	if (cp != 0)
		test_set_int(content->props, PIDTAG_INTERNET_CODEPAGE, cp);
}

static void test_attachment_types(void **state)
{
	static const struct {
		const char *name, *tag, *type;
	} tests[] = {
		{ "a.pdf", "application/pdf", "application/pdf" },
		{ "a.pdf", NULL, "application/pdf" },
		{ "a.HTML", NULL, "text/html" },
		{ "a.jpeg", "", "image/jpeg" },
		{ "a.xyz", NULL, "application/octet-stream" },
		{ NULL, NULL, "application/octet-stream" },
		{ "a.eml", NULL, "application/octet-stream" },
		{ "a", "message/rfc822", "application/octet-stream" },
		{ "a", "Multipart/Mixed", "application/octet-stream" },
		{ "a", "application/applefile", "application/octet-stream" },
		{ "a", "text", "application/octet-stream" },
		{ "a", "text/", "application/octet-stream" },
		{ "a", "/plain", "application/octet-stream" },
		{ "a", "text/plain; charset=x", "application/octet-stream" },
		{ "a", "a/b\r\nBcc: c", "application/octet-stream" },
		{ "a", "application/vnd.ms-excel.sheet+xml",
		  "application/vnd.ms-excel.sheet+xml" },
	};
	struct mapi_content *content;
	const char *message;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		test_add_file(content, tests[i].name, tests[i].tag, "data", 4);
		message = t_test_build(content);
		test_assert_has(message, "Content-Type: multipart/mixed;");
		test_assert_hasnt(message, "Content-Type: text/plain");
		test_assert_has(message, t_strdup_printf("Content-Type: %s%s\r\n",
			tests[i].type, tests[i].name == NULL ? "" : ";"));
		test_assert_has(message, "Content-Disposition: attachment");
		test_assert_hasnt(message, "\r\nBcc");
	} T_END;
}

static void test_attachment_names(void **state)
{
	static const struct {
		const char *name, *param_2047, *param_2231;
	} tests[] = {
		{ "a b.pdf", "name=\"a b.pdf\"", "filename=\"a b.pdf\"" },
		{ "a\"b\\c.pdf", "name=\"a\\\"b\\\\c.pdf\"",
		  "filename=\"a\\\"b\\\\c.pdf\"" },
		{ "\xc3\xa4.pdf", "name=\"=?utf-8?b?w6QucGRm?=\"",
		  "filename*=utf-8''%C3%A4.pdf" },
		{ "a\r\nBcc: b.pdf", "name=\"a  Bcc: b.pdf\"",
		  "filename=\"a  Bcc: b.pdf\"" },
		{ "=?utf-8?q?a?=.pdf", "name=\"=?utf-8?b?",
		  "filename*=utf-8''%3D%3Futf-8%3Fq%3Fa%3F%3D.pdf" },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "89.pdf", "name=\"=?utf-8?q?012345678901",
		  "filename*0*=utf-8''01234567890123456789012345678901234567"
		  "890123456;\r\n\tfilename*1*=7890123456789.pdf" },
	};
	struct mapi_content *content, *again;
	const char *message, *name;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		test_add_file(content, tests[i].name, "application/pdf", "data", 4);
		message = t_test_build(content);
		test_assert_has(message, tests[i].param_2047);
		test_assert_has(message, tests[i].param_2231);
		again = t_derive_message(message);
		name = mapi_propset_get_string(again->attachments[0].props,
					       PIDTAG_ATTACH_LONG_FILENAME);
		/* what can be in a file's name comes back as it was */
		if (strpbrk(tests[i].name, "\"\r?") == NULL)
			assert_string_equal(name, tests[i].name);
		talloc_free(talloc_parent(again));
	} T_END;
}

static void test_long_name(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL), *again;
	string_t *name = t_str_new(8192);
	const char *message;
	unsigned int i;

	for (i = 0; i < 2000; i++)
		str_append(name, "\xc3\xa4");
	str_append(name, ".pdf");
	test_add_file(content, str_c(name), "application/pdf", "data", 4);
	message = t_test_build(content);
	again = t_derive_message(message);
	assert_int_equal(strncmp(mapi_propset_get_string(
			again->attachments[0].props,
			PIDTAG_ATTACH_LONG_FILENAME), str_c(name), 100), 0);
	talloc_free(talloc_parent(again));
}

static void test_attachment_encodings(void **state)
{
	static const struct {
		const char *type;
		const char *data;
		size_t size;
		const char *encoding, *encoded;
	} tests[] = {
		{ "text/plain", "a\r\nb\r\n", 6, "7bit", "\r\n\r\na\r\nb\r\n" },
		{ "text/plain", "a\nb\n", 4, "base64", "YQpiCg==" },
		{ "text/plain", "a\rb\r\n", 5, "base64", "YQ1iDQo=" },
		{ "text/plain", "ends with\r", 10, "base64", "ZW5kcyB3aXRoDQ==" },
		{ "text/plain", "a\0b", 3, "base64", "YQBi" },
		{ "text/csv", "\xe4;and more that's only ASCII", 28,
		  "quoted-printable", "=E4;and more" },
		{ "application/pdf", "plain text\r\n", 12, "base64",
		  "cGxhaW4gdGV4dA0K" },
		{ "application/pdf", "", 0, "base64", "\r\n\r\n\r\n--" },
	};
	struct mapi_content *content, *again;
	const struct mapi_content_prop *prop;
	const char *message;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		test_add_file(content, "name", tests[i].type, tests[i].data,
			 tests[i].size);
		message = t_test_build(content);
		test_assert_has(message, t_strdup_printf(
			"Content-Transfer-Encoding: %s\r\n",
			tests[i].encoding));
		test_assert_has(message, tests[i].encoded);
		again = t_derive_message(message);
		prop = mapi_propset_find(again->attachments[0].props,
					 PIDTAG_ATTACH_DATA_BINARY);
		assert_int_equal(prop->value.u.bin.len, tests[i].size);
		assert_int_equal(memcmp(prop->value.u.bin.data, tests[i].data,
					tests[i].size), 0);
		talloc_free(talloc_parent(again));
	} T_END;
}

static void test_attachment_fields(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL);
	struct mapi_content_attachment *att;
	const char *message;

	att = test_add_file(content, "a.txt", "text/plain", "x", 1);
	test_set_str(att->props, PIDTAG_TEXT_ATTACHMENT_CHARSET, "iso-8859-15");
	test_set_str(att->props, PIDTAG_DISPLAY_NAME, "What it is");
	test_set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "id@x");
	test_set_str(att->props, PIDTAG_ATTACH_CONTENT_LOCATION, "http://x/y");
	att = test_add_file(content, "b.txt", "text/plain", "x", 1);
	test_set_str(att->props, PIDTAG_TEXT_ATTACHMENT_CHARSET, "x\r\nBcc: y");
	test_set_str(att->props, PIDTAG_DISPLAY_NAME, "b.txt");
	test_set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "not an id");
	att = test_add_file(content, "c.ics", "text/calendar",
		       "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n", 33);
	test_set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "<with@brackets>");
	message = t_test_build(content);
	test_assert_has(message, "text/plain; charset=iso-8859-15;\r\n\tname=");
	test_assert_has(message, "Content-Description: What it is\r\n");
	test_assert_has(message, "Content-ID: <id@x>\r\n");
	test_assert_has(message, "Content-Location: http://x/y\r\n");
	test_assert_has(message, "text/plain;\r\n\tname=\"b.txt\"\r\n");
	test_assert_hasnt(message, "Content-Description: b.txt");
	test_assert_hasnt(message, "not an id");
	test_assert_hasnt(message, "Bcc");
	test_assert_has(message, "text/calendar; method=REQUEST;\r\n");
	test_assert_has(message, "Content-ID: <with@brackets>\r\n");
}

/* What has no standard form isn't there, whatever it is. */
static void test_attachment_methods(void **state)
{
	static const struct {
		int method;
		bool wanted;
	} tests[] = {
		{ 0, TRUE }, { 1, TRUE }, { 2, FALSE }, { 3, FALSE },
		{ 4, FALSE }, { 5, FALSE }, { 6, FALSE }, { 7, FALSE },
		{ -1, FALSE },
	};
	struct mapi_content *content;
	struct mapi_content_attachment *att;
	unsigned int i;
	const char *message;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		att = test_add_file(content, "a.txt", "text/plain", "data", 4);
		test_set_int(att->props, PIDTAG_ATTACH_METHOD, tests[i].method);
		message = t_test_build(content);
		assert_int_equal(strstr(message, "a.txt") != NULL,
				 tests[i].wanted);
	} T_END;
	/* a file without content */
	content = mapi_content_create(NULL);
	att = mapi_content_add_attachment(content, 0);
	test_set_str(att->props, PIDTAG_ATTACH_FILENAME, "A.TXT");
	test_set_int(att->props, PIDTAG_ATTACH_METHOD, 1);
	test_assert_has(t_test_build(content), "filename=\"A.TXT\"");
}

static void test_related(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL), *again;
	struct mapi_content_attachment *att;
	const char *message;

	set_html(content, "<img src=\"cid:a\"><img src=\"cid:b\">", 65001);
	(void)test_add_file(content, "file.pdf", "application/pdf", "pdf", 3);
	att = test_add_file(content, "a.png", "image/png", "png", 3);
	test_set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "a");
	test_set_int(att->props, PIDTAG_ATTACH_FLAGS, 4);
	att = test_add_file(content, "b.css", "text/css", "css", 3);
	test_set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "b");
	att = test_add_file(content, "c.doc", "application/msword", "doc", 3);
	test_set_int(att->props, PIDTAG_ATTACH_FLAGS, 4);

	message = t_test_build(content);
	test_assert_has(message, "multipart/mixed;");
	test_assert_has(message, "multipart/related;");
	test_assert_has(message, "type=\"multipart/alternative\"");
	test_assert_has(message, "Content-Disposition: inline;\r\n"
		   "\tfilename=\"a.png\"");
	test_assert_has(message, "Content-Disposition: attachment;\r\n"
		   "\tfilename=\"b.css\"");
	again = t_derive_message(message);
	assert_int_equal(again->attachment_count, 4);
	assert_string_equal(mapi_propset_get_string(again->attachments[0].props,
			PIDTAG_ATTACH_LONG_FILENAME), "a.png");
	assert_string_equal(mapi_propset_get_string(again->attachments[1].props,
			PIDTAG_ATTACH_LONG_FILENAME), "b.css");
	assert_string_equal(mapi_propset_get_string(again->attachments[2].props,
			PIDTAG_ATTACH_LONG_FILENAME), "file.pdf");
	talloc_free(talloc_parent(again));

	/* the HTML says it, the attachment doesn't */
	content = mapi_content_create(NULL);
	set_html(content, "<img src='CID:a%40b'>", 1252);
	att = test_add_file(content, "a.png", "image/png", "png", 3);
	test_set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "a@b");
	att = test_add_file(content, "b.txt", "text/plain", "png", 3);
	message = t_test_build(content);
	test_assert_has(message, "multipart/related;");
	test_assert_has(message, "Content-Disposition: inline;\r\n"
		   "\tfilename=\"a.png\"");
	content = mapi_content_create(NULL);
	set_html(content, "<img src='cid:b@a'>", 1252);
	att = test_add_file(content, "a.png", "image/png", "png", 3);
	test_set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "a@b");
	message = t_test_build(content);
	test_assert_hasnt(message, "multipart/related;");

	/* nothing shows it */
	content = mapi_content_create(NULL);
	test_set_str(content->props, PIDTAG_BODY, "text");
	att = test_add_file(content, "a.png", "image/png", "png", 3);
	test_set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "a");
	test_set_int(att->props, PIDTAG_ATTACH_FLAGS, 4);
	message = t_test_build(content);
	test_assert_hasnt(message, "multipart/related");
	test_assert_has(message, "Content-Disposition: attachment");
}

static void test_embedded(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL), *inner, *again;
	struct mapi_content_attachment *att;
	const char *message;
	unsigned int i, depth = 0;

	/* each level says its number */
	inner = content;
	for (i = 0; i < 40; i++) {
		att = mapi_content_add_attachment(inner, 0);
		test_set_int(att->props, PIDTAG_ATTACH_METHOD, 5);
		att->embedded = mapi_content_create(inner);
		inner = att->embedded;
		test_set_str(inner->props, PIDTAG_SUBJECT,
			t_strdup_printf("level %u", i));
		test_set_str(inner->props, PIDTAG_BODY, "text\r\n");
	}
	message = t_test_build(content);
	test_assert_has(message, "Content-Type: message/rfc822\r\n");
	test_assert_has(message, "Subject: level 29\r\n");
	test_assert_hasnt(message, "Subject: level 30\r\n");
	again = t_derive_message(message);
	for (inner = again; inner->attachment_count > 0;
	     inner = inner->attachments[0].embedded)
		depth++;
	assert_int_equal(depth, 30);
	assert_string_equal(mapi_propset_get_string(inner->props,
			PIDTAG_SUBJECT), "level 29");
	talloc_free(talloc_parent(again));
}

static void test_streams(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL), *again;
	const size_t size = 5 * 1024 * 1024;
	struct mapi_content_attachment *att;
	struct mapi_content_prop prop;
	unsigned char *data = i_malloc(size);
	const struct mapi_content_prop *got;
	const char *error;
	buffer_t *buf;
	size_t i;

	for (i = 0; i < size; i++)
		data[i] = (i * 7919) >> 8;
	i_zero(&prop);
	prop.tag = PIDTAG_ATTACH_DATA_BINARY;
	prop.value = mapi_value_bin(NULL, 0);
	prop.stream = i_stream_create_from_data(data, size);
	/* wherever it is read, it's all written */
	i_stream_skip(prop.stream, 100);
	att = mapi_content_add_attachment(content, 0);
	test_set_str(att->props, PIDTAG_ATTACH_LONG_FILENAME, "big.bin");
	assert_true(mapi_propset_set(att->props, &prop));
	i_stream_unref(&prop.stream);

	prop.tag = PIDTAG_HTML;
	prop.stream = i_stream_create_from_data("<p>HTML</p>", 11);
	assert_true(mapi_propset_set(content->props, &prop));
	i_stream_unref(&prop.stream);

	buf = test_build(content, NULL);
	error = test_message_check(buf);
	assert_null(error);
	again = test_derive(NULL, buf->data, buf->used);
	got = mapi_propset_find(again->attachments[0].props,
				PIDTAG_ATTACH_DATA_BINARY);
	assert_non_null(got->stream);
	assert_int_equal(mapi_content_prop_equal(got, mapi_propset_find(
		content->attachments[0].props, PIDTAG_ATTACH_DATA_BINARY)), 1);
	assert_int_equal(mapi_content_prop_equal(
		mapi_propset_find(again->props, PIDTAG_HTML),
		mapi_propset_find(content->props, PIDTAG_HTML)), 1);
	talloc_free(talloc_parent(again));
	talloc_free(content);
	buffer_free(&buf);
	i_free(data);
}

static void test_failures(void **state)
{
	static const uint32_t tags[] = {
		PIDTAG_ATTACH_DATA_BINARY, PIDTAG_HTML
	};
	const struct mime_build_params params = { .now = BUILD_TEST_NOW };
	struct mapi_content *content;
	struct mapi_content_prop prop;
	struct mapi_content_attachment *att;
	struct ostream *output;
	buffer_t *buf = t_buffer_create(1024);
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tags); i++) {
		content = mapi_content_create(NULL);
		att = mapi_content_add_attachment(content, 0);
		i_zero(&prop);
		prop.tag = tags[i];
		prop.value = mapi_value_bin(NULL, 0);
		prop.stream = i_stream_create_error_str(EIO, "no disk");
		assert_true(mapi_propset_set(tags[i] == PIDTAG_HTML ?
					     content->props : att->props,
					     &prop));
		i_stream_unref(&prop.stream);
		output = o_stream_create_buffer(buf);
		assert_int_equal(mime_build(content, &params, output), -1);
		o_stream_destroy(&output);
		talloc_free(content);
	}
	content = mapi_content_create(NULL);
	output = o_stream_create_error_str(ENOSPC, "full");
	assert_int_equal(mime_build(content, &params, output), -1);
	o_stream_ignore_last_errors(output);
	o_stream_destroy(&output);
	talloc_free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attachment_types),
		cmocka_unit_test(test_attachment_names),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_attachment_encodings),
		cmocka_unit_test(test_attachment_fields),
		cmocka_unit_test(test_attachment_methods),
		cmocka_unit_test(test_related),
		cmocka_unit_test(test_embedded),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_failures),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests_name("MAPI to MIME: attachments", tests,
					  NULL, NULL);
	lib_deinit();
	return ret;
}
