/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MAPI to MIME: bodies, and how they are encoded. */

#include "lib.h"
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

static void test_empty(void **state)
{
	assert_string_equal(t_test_build(mapi_content_create(NULL)),
		"Date: Mon, 01 Jan 2024 00:00:00 +0000\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 7bit\r\n\r\n");
}

static void test_text(void **state)
{
	static const struct {
		const char *text, *encoding, *encoded;
	} tests[] = {
		{ "plain\r\ntext\r\n", "7bit", "\r\n\r\nplain\r\ntext\r\n" },
		{ "any\nline\rend", "7bit", "\r\n\r\nany\r\nline\r\nend" },
		{ "mostly ASCII but for an \xc3\xa4, and some more",
		  "quoted-printable",
		  "mostly ASCII but for an =C3=A4, and some more" },
		{ "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", "base64",
		  "0J/RgNC40LLQtdGC\r\n" },
		{ "From here\r\n", "quoted-printable", "\r\n=46rom here\r\n" },
		{ ".\r\n", "quoted-printable", "\r\n=2E\r\n" },
		{ "a blank \r\n.\r\n", "quoted-printable",
		  "\r\na blank=20\r\n" },
		{ "a tab and the end.\r\nFrom \t", "quoted-printable",
		  "\r\n=46rom =09" },
		{ "--=_000001_\r\n", "quoted-printable",
		  "\r\n--=3D_000001_\r\n" },
		/* not UTF-8: half of a surrogate pair */
		{ "an \xed\xa0\x80 in some more text than that",
		  "quoted-printable", "an =EF=BF=BD" },
		{ "control \x01 and \x1b and \x7f", "7bit",
		  "control \x01 and \x1b and \x7f" },
	};
	struct mapi_content *content;
	const char *message;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		test_set_str(content->props, PIDTAG_BODY, tests[i].text);
		message = t_strconcat(t_test_build(content), "\r\n", NULL);
		test_assert_has(message, "Content-Type: text/plain; charset=utf-8");
		test_assert_has(message, t_strdup_printf(
			"Content-Transfer-Encoding: %s\r\n",
			tests[i].encoding));
		test_assert_has(message, tests[i].encoded);
	} T_END;
}

static void test_long_lines(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL), *again;
	char *text = t_malloc0(3001);
	const char *message;

	memset(text, 'x', 3000);
	test_set_str(content->props, PIDTAG_BODY, text);
	message = t_test_build(content);
	test_assert_has(message, "Content-Transfer-Encoding: quoted-printable");
	again = t_derive_message(message);
	assert_string_equal(mapi_propset_get_string(again->props, PIDTAG_BODY),
			    text);
	talloc_free(talloc_parent(again));

	/* a line that just fits stays */
	content = mapi_content_create(NULL);
	text[990] = '\0';
	test_set_str(content->props, PIDTAG_BODY, text);
	test_assert_has(t_test_build(content), "Content-Transfer-Encoding: 7bit");
	content = mapi_content_create(NULL);
	text[990] = 'x';
	text[991] = '\0';
	test_set_str(content->props, PIDTAG_BODY, text);
	test_assert_has(t_test_build(content),
		   "Content-Transfer-Encoding: quoted-printable");
}

static void test_html(void **state)
{
	static const struct {
		const char *html;
		int codepage;
		const char *charset, *part, *text;
	} tests[] = {
		{ "<p>text</p>", 65001, "utf-8", "7bit\r\n\r\n<p>text</p>\r\n",
		  "\r\n\r\ntext\r\n" },
		/* in their own bytes */
		{ "<p>gr\xfc\xdf""e an alle, die das lesen</p>", 1252,
		  "windows-1252", "<p>gr=FC=DFe an", "gr=C3=BC=C3=9Fe an" },
		{ "<p>caf\xe9 und mehr ASCII als nichts</p>", 28591,
		  "iso-8859-1", "caf=E9", "caf=C3=A9" },
		{ "<p>\xf0\xd2\xc9 and more, and more of ASCII</p>", 20866,
		  "koi8-r", "=F0=D2=C9", "=D0=9F=D1=80=D0=B8" },
		/* no name for them */
		{ "<p>+AOQ- is something else in UTF-7</p>", 65000, "utf-8",
		  "=C3=A4 is", "=C3=A4 is" },
		/* no code page, or the wrong one */
		{ "<p>\xc3\xa4 looks like UTF-8, so it's that</p>", 0, "utf-8",
		  "=C3=A4 looks", "=C3=A4 looks" },
		{ "<p>\xe4 doesn't look so, even if it's said</p>", 65001,
		  "windows-1252", "=E4 doesn't", "=C3=A4 doesn't" },
		{ "<p>\xe4 has a code page that doesn't exist</p>", 4711,
		  "windows-1252", "=E4 has", "=C3=A4 has" },
		/* line ends stay what they are */
		{ "<p>one\ntwo</p>", 65001, "utf-8", "<p>one=0A=\r\ntwo</p>",
		  "one two" },
		{ "<p>one\rtwo</p>", 65001, "utf-8", "<p>one=0Dtwo</p>",
		  "one two" },
		{ "\x1b$B%F%9%H\x1b(B", 50220, "iso-2022-jp",
		  "7bit\r\n\r\n\x1b$B%F%9%H\x1b(B\r\n", "44OG44K544OI" },
	};
	struct mapi_content *content, *again;
	const struct mapi_content_prop *prop;
	const char *message;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		set_html(content, tests[i].html, tests[i].codepage);
		message = t_test_build(content);
		test_assert_has(message, "Content-Type: multipart/alternative;");
		test_assert_has(message, t_strdup_printf(
			"Content-Type: text/html; charset=%s\r\n",
			tests[i].charset));
		test_assert_has(message, tests[i].part);
		test_assert_has(message, tests[i].text);
		again = t_derive_message(message);
		prop = mapi_propset_find(again->props, PIDTAG_HTML);
		if (tests[i].codepage != 65000) {
			assert_int_equal(prop->value.u.bin.len,
					 strlen(tests[i].html));
			assert_memory_equal(prop->value.u.bin.data,
					    tests[i].html,
					    strlen(tests[i].html));
		}
		talloc_free(talloc_parent(again));
	} T_END;
}

static void test_both_bodies(void **state)
{
	struct mapi_content *content, *again;
	const char *message;

	content = mapi_content_create(NULL);
	test_set_str(content->props, PIDTAG_BODY, "the text\r\n");
	set_html(content, "<p>the HTML</p>", 65001);
	message = t_test_build(content);
	test_assert_has(message, "\r\n\r\nthe text\r\n");
	test_assert_has(message, "\r\n\r\n<p>the HTML</p>\r\n");
	again = t_derive_message(message);
	assert_string_equal(mapi_propset_get_string(again->props, PIDTAG_BODY),
			    "the text\r\n");
	talloc_free(talloc_parent(again));

	/* HTML that somebody has made of the text */
	content = mapi_content_create(NULL);
	test_set_str(content->props, PIDTAG_BODY, "the text\r\n");
	set_html(content, "<p>the HTML</p>", 65001);
	test_set_int(content->props, PIDTAG_NATIVE_BODY, 1);
	message = t_test_build(content);
	test_assert_hasnt(message, "text/html");
	test_assert_has(message, "\r\n\r\nthe text\r\n");

	/* nothing in it */
	content = mapi_content_create(NULL);
	set_html(content, "", 65001);
	test_assert_hasnt(t_test_build(content), "text/html");

	/* PidTagBodyHtml */
	content = mapi_content_create(NULL);
	test_set_str(content->props, PIDTAG_BODY_HTML,
		"<p>\xc3\xa4 as a string, which has no code page</p>");
	test_set_int(content->props, PIDTAG_INTERNET_CODEPAGE, 1252);
	message = t_test_build(content);
	test_assert_has(message, "text/html; charset=utf-8");
	test_assert_has(message, "<p>=C3=A4 as");
}

static void test_boundaries(void **state)
{
	struct mime_build_params params = { .now = BUILD_TEST_NOW };
	struct mapi_content *content = mapi_content_create(NULL);
	buffer_t *one, *two, *seeded;

	test_set_str(content->props, PIDTAG_BODY, "text");
	test_set_str(content->props, PIDTAG_SUBJECT, "subject");
	test_add_file(content, "a.txt", "text/plain", "--=_000001_", 11);
	one = test_build(content, &params);
	two = test_build(content, &params);
	assert_true(buffer_cmp(one, two));
	/* a property that isn't in the message doesn't change it */
	test_set_int(content->props, PIDTAG_ICON_INDEX, 1);
	buffer_free(&two);
	two = test_build(content, &params);
	assert_true(buffer_cmp(one, two));
	params.boundary_seed = "seed";
	seeded = test_build(content, &params);
	assert_false(buffer_cmp(one, seeded));
	test_assert_has(str_c(one), "--=3D_000001_");
	buffer_free(&one);
	buffer_free(&two);
	buffer_free(&seeded);
	talloc_free(content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_both_bodies),
		cmocka_unit_test(test_boundaries),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests_name("MAPI to MIME: bodies", tests,
					  NULL, NULL);
	lib_deinit();
	return ret;
}
