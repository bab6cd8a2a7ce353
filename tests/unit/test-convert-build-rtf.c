/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MAPI to MIME: bodies that clients have saved as RTF. */

#include "lib.h"
#include "istream.h"
#include "str.h"
#include "mapi-props.h"
#include "rtf-compress.h"
#include "build-common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define FROMHTML "{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 \\deff0" \
	"{\\fonttbl{\\f0\\fswiss Arial;}}\\uc1\\pard\\plain\\f0 "
#define FROMTEXT "{\\rtf1\\ansi\\ansicpg1252\\fromtext \\deff0" \
	"{\\fonttbl{\\f0\\fswiss Arial;}}\\uc1\\pard\\plain\\f0 "
#define NATIVE "{\\rtf1\\ansi\\ansicpg1252\\deff0 "

static void set_bool(struct mapi_content *content, uint32_t tag, bool b)
{
	struct mapi_value value = mapi_value_bool(b);

	assert_true(mapi_propset_set_value(content->props, tag, &value));
}

static void set_rtf(struct mapi_content *content, const char *rtf)
{
	uint8_t *data;
	size_t size;

	rtf_compress(content, (const uint8_t *)rtf, strlen(rtf), &data, &size);
	test_set_bin(content->props, PIDTAG_RTF_COMPRESSED, data, size);
}

/* What the message says: "" for a body that it hasn't */
static void
check_bodies(struct mapi_content *content, const char *text, const char *html)
{
	const struct mapi_content_prop *prop;
	const struct mapi_value *codepage;
	struct mapi_content *again;
	const char *message, *str;

	message = t_test_build(content);
	again = t_derive_message(message);
	str = mapi_propset_get_string(again->props, PIDTAG_BODY);
	assert_string_equal(str == NULL ? "" : str, text);
	prop = mapi_propset_find(again->props, PIDTAG_HTML);
	if (*html == '\0') {
		assert_null(prop);
		test_assert_hasnt(message, "multipart/alternative");
	} else {
		test_assert_has(message, "multipart/alternative");
		assert_non_null(prop);
		str = t_strndup(prop->value.u.bin.data, prop->value.u.bin.len);
		if (html[0] == '*')
			test_assert_has(str, html + 1);
		else
			assert_string_equal(str, html);
		codepage = mapi_propset_get(again->props,
					    PIDTAG_INTERNET_CODEPAGE);
		assert_int_equal(codepage->u.i32, 65001);
	}
	talloc_free(talloc_parent(again));
}

static void test_alone(void **state)
{
	static const struct {
		const char *rtf, *text, *html;
	} tests[] = {
		{ FROMHTML "{\\*\\htmltag64 <p>}gr\\'fc\\'dfe"
		  "{\\*\\htmltag72 </p>}}", "gr\xc3\xbc\xc3\x9f""e\r\n",
		  "<p>gr\xc3\xbc\xc3\x9f""e</p>" },
		{ FROMTEXT "gr\\'fc\\'dfe\\par}", "gr\xc3\xbc\xc3\x9f""e\r\n",
		  "" },
		{ NATIVE "a\\b b\\par c}", "ab\r\nc", "*<div>a<b>b</b></div>" },
		{ "no RTF", "", "" },
		{ "", "", "" },
	};
	struct mapi_content *content;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		set_rtf(content, tests[i].rtf);
		/* whatever the client says about it */
		if (i % 2 == 0)
			set_bool(content, PIDTAG_RTF_IN_SYNC, FALSE);
		test_set_int(content->props, PIDTAG_INTERNET_CODEPAGE, 1251);
		check_bodies(content, tests[i].text, tests[i].html);
	} T_END;
}

/* What doesn't decompress is no body, and breaks nothing. */
static void test_broken(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL);

	test_set_bin(content->props, PIDTAG_RTF_COMPRESSED,
		     "\x1a\0\0\0\x1c\0\0\0LZFu1234", 16);
	check_bodies(content, "", "");
	content = mapi_content_create(NULL);
	test_set_bin(content->props, PIDTAG_RTF_COMPRESSED, "", 0);
	test_set_str(content->props, PIDTAG_BODY, "text");
	check_bodies(content, "text", "");
}

/* RTF that is too long to be looked at: the message is as if there was none. */
static void test_too_long(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL);
	string_t *rtf = str_new(default_pool, 40 * 1024 * 1024);

	str_append(rtf, NATIVE);
	memset(buffer_append_space_unsafe(rtf, 33 * 1024 * 1024), 'x',
	       33 * 1024 * 1024);
	str_append_c(rtf, '}');
	set_rtf(content, str_c(rtf));
	str_free(&rtf);
	check_bodies(content, "", "");
}

/* [MS-OXBBODY] 2.1.3.1: which of several bodies it is */
static void test_best(void **state)
{
	static const struct {
		bool text, html;
		/* -1: isn't there */
		int in_sync, native;
		const char *expected_text, *expected_html;
	} tests[] = {
		{ TRUE, FALSE, -1, -1, "the text", "*<div>the RTF</div>" },
		{ TRUE, FALSE, 1, -1, "the text", "*<div>the RTF</div>" },
		{ TRUE, FALSE, 1, 2, "the text", "*<div>the RTF</div>" },
		{ TRUE, FALSE, 0, -1, "the text", "" },
		{ TRUE, FALSE, 1, 1, "the text", "" },
		{ TRUE, TRUE, 1, 2, "the text", "<p>the HTML</p>" },
		{ TRUE, TRUE, 0, 3, "the text", "<p>the HTML</p>" },
		{ FALSE, TRUE, 1, -1, "the HTML\r\n", "<p>the HTML</p>" },
		{ FALSE, FALSE, 0, 1, "the RTF", "*<div>the RTF</div>" },
	};
	struct mapi_content *content;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		set_rtf(content, NATIVE "the RTF}");
		if (tests[i].text) {
			test_set_str(content->props, PIDTAG_BODY, "the text");
		}
		if (tests[i].html) {
			test_set_bin(content->props, PIDTAG_HTML,
				     "<p>the HTML</p>", 15);
		}
		if (tests[i].in_sync >= 0) {
			set_bool(content, PIDTAG_RTF_IN_SYNC,
				 tests[i].in_sync == 1);
		}
		if (tests[i].native >= 0) {
			test_set_int(content->props, PIDTAG_NATIVE_BODY,
				     tests[i].native);
		}
		check_bodies(content, tests[i].expected_text,
			     tests[i].expected_html);
	} T_END;
}

/* RTF that is a stream */
static void test_stream(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL);
	struct mapi_content_prop prop = {
		.tag = PIDTAG_RTF_COMPRESSED,
		.value = mapi_value_bin(NULL, 0),
	};
	string_t *rtf = str_new(default_pool, 400000);
	const char *message;
	uint8_t *data;
	size_t size;
	unsigned int i;

	str_append(rtf, NATIVE);
	for (i = 0; i < 20000; i++)
		str_printfa(rtf, "line %u\\par\r\n", i);
	str_append_c(rtf, '}');
	rtf_compress(content, str_data(rtf), str_len(rtf), &data, &size);
	prop.stream = i_stream_create_from_data(data, size);
	assert_true(mapi_propset_set(content->props, &prop));
	i_stream_unref(&prop.stream);
	message = t_test_build(content);
	test_assert_has(message, "\r\nline 19999\r\n");
	test_assert_has(message, "<div>line 19999</div>\r\n");
	str_free(&rtf);
}

/* --- attachments ------------------------------------------------------------ */

static void
set_position(struct mapi_content_attachment *attachment, int32_t position)
{
	test_set_int(attachment->props, PIDTAG_RENDERING_POSITION, position);
}

static void test_attachments(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL), *again;
	const struct mapi_content_prop *html;
	struct mapi_value hidden = mapi_value_bool(TRUE);
	const char *message, *id, *str;

	set_rtf(content, NATIVE "see \\objattph\\'20, \\objattph\\'20 and "
		"\\objattph\\'20\\par}");
	/* in the order of their positions; the others aren't shown */
	set_position(test_add_file(content, "b.pdf", "application/pdf", "b", 1),
		     20);
	set_position(test_add_file(content, "a.png", "image/png", "a", 1), 10);
	test_add_file(content, "c.png", "image/png", "c", 1);
	set_position(test_add_file(content, "d.png", "image/png", "d", 1), -1);
	set_position(test_add_file(content, "e.png", "image/png", "e", 1), 1);
	(void)mapi_propset_set_value(content->attachments[4].props,
				     PIDTAG_ATTACHMENT_HIDDEN, &hidden);
	/* one that has an id, and one that's no file for others */
	set_position(test_add_file(content, "f.gif", "image/gif", "f", 1), 30);
	test_set_str(content->attachments[5].props, PIDTAG_ATTACH_CONTENT_ID,
		     "own@example.org");

	message = t_test_build(content);
	again = t_derive_message(message);
	assert_string_equal(mapi_propset_get_string(again->props, PIDTAG_BODY),
			    "see <<a.png>>, <<b.pdf>> and <<f.gif>>\r\n");
	test_assert_has(message, "multipart/mixed");
	test_assert_has(message, "multipart/related");
	assert_int_equal(again->attachment_count, 6);
	/* those that the HTML shows are with it */
	assert_string_equal(mapi_propset_get_string(again->attachments[0].props,
		PIDTAG_ATTACH_LONG_FILENAME), "a.png");
	id = mapi_propset_get_string(again->attachments[0].props,
				     PIDTAG_ATTACH_CONTENT_ID);
	assert_non_null(id);
	html = mapi_propset_find(again->props, PIDTAG_HTML);
	str = t_strndup(html->value.u.bin.data, html->value.u.bin.len);
	test_assert_has(str, t_strdup_printf(
		"<div>see <img src=\"cid:%s\" alt=\"a.png\">, &lt;&lt;b.pdf"
		"&gt;&gt; and <img src=\"cid:own@example.org\" alt=\"f.gif\">"
		"</div>", id));
	assert_string_equal(mapi_propset_get_string(again->attachments[1].props,
		PIDTAG_ATTACH_CONTENT_ID), "own@example.org");
	assert_null(mapi_propset_find(again->attachments[2].props,
				      PIDTAG_ATTACH_CONTENT_ID));
	talloc_free(talloc_parent(again));
}

/* More places than attachments: nobody knows which is which. */
static void test_places_missing(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL);
	const char *message;

	set_rtf(content, NATIVE "see \\objattph\\'20, \\objattph\\'20}");
	set_position(test_add_file(content, "a.png", "image/png", "a", 1), 10);
	message = t_test_build(content);
	test_assert_has(message, "\r\n\r\nsee , ");
	test_assert_hasnt(message, "Content-ID");
	test_assert_has(message, "filename=\"a.png\"");
}

/* An embedded message, and a report, have bodies of their own. */
static void test_embedded(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL), *embedded;
	struct mapi_content_attachment *attachment;
	const char *message;

	set_rtf(content, NATIVE "outer \\objattph\\'20}");
	attachment = mapi_content_add_attachment(content, 0);
	embedded = attachment->embedded = mapi_content_create(content);
	test_set_str(attachment->props, PIDTAG_DISPLAY_NAME, "the inner one");
	set_position(attachment, 6);
	set_rtf(embedded, NATIVE "inner \\objattph\\'20}");
	set_position(test_add_file(embedded, "a.png", "image/png", "a", 1), 6);
	message = t_test_build(content);
	test_assert_has(message, "outer <<the inner one>>");
	test_assert_has(message, "<div>outer &lt;&lt;the inner one&gt;&gt;");
	test_assert_has(message, "inner <<a.png>>");
	test_assert_has(message, "<div>inner <img src");

	content = mapi_content_create(NULL);
	test_set_str(content->props, PIDTAG_MESSAGE_CLASS,
		     "REPORT.IPM.Note.IPNRN");
	set_rtf(content, NATIVE "has been read}");
	message = t_test_build(content);
	test_assert_has(message, "multipart/report");
	test_assert_has(message, "\r\n\r\nhas been read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_best),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_attachments),
		cmocka_unit_test(test_places_missing),
		cmocka_unit_test(test_embedded),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests_name("MAPI to MIME: RTF", tests,
					  NULL, NULL);
	lib_deinit();
	return ret;
}
