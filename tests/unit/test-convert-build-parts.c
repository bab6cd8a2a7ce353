/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MAPI to MIME: structure, bodies, attachments, encodings, special classes. */

#include "lib.h"
#include "istream.h"
#include "ostream.h"
#include "str.h"
#include "mapi-props.h"
#include "build-common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* --- making content --------------------------------------------------------- */

static struct mapi_content *content_new(void)
{
	return mapi_content_create(NULL);
}

static void set_str(struct mapi_propset *props, uint32_t tag, const char *str)
{
	struct mapi_value value = mapi_value_str(str);

	assert_true(mapi_propset_set_value(props, tag, &value));
}

static void set_int(struct mapi_propset *props, uint32_t tag, int32_t i)
{
	struct mapi_value value = mapi_value_i32(i);

	assert_true(mapi_propset_set_value(props, tag, &value));
}

static void set_bin(struct mapi_propset *props, uint32_t tag, const void *data,
		    size_t size)
{
	struct mapi_value value = mapi_value_bin(data, size);

	assert_true(mapi_propset_set_value(props, tag, &value));
}

static void set_html(struct mapi_content *content, const char *html, int cp)
{
	set_bin(content->props, PIDTAG_HTML, html, strlen(html));
	if (cp != 0)
		set_int(content->props, PIDTAG_INTERNET_CODEPAGE, cp);
}

static struct mapi_content_attachment *
add_file(struct mapi_content *content, const char *name, const char *type,
	 const void *data, size_t size)
{
	struct mapi_content_attachment *att =
		mapi_content_add_attachment(content,
					    content->attachment_count);

	set_int(att->props, PIDTAG_ATTACH_METHOD, 1);
	if (name != NULL)
		set_str(att->props, PIDTAG_ATTACH_LONG_FILENAME, name);
	if (type != NULL)
		set_str(att->props, PIDTAG_ATTACH_MIME_TAG, type);
	set_bin(att->props, PIDTAG_ATTACH_DATA_BINARY, data, size);
	return att;
}

/* The message as a string on the data stack; content is freed. */
static const char *t_build(struct mapi_content *content)
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

static void assert_has(const char *message, const char *text)
{
	if (strstr(message, text) == NULL)
		fail_msg("'%s' isn't in:\n%s", text, message);
}

static void assert_hasnt(const char *message, const char *text)
{
	if (strstr(message, text) != NULL)
		fail_msg("'%s' is in:\n%s", text, message);
}

static struct mapi_content *derive(TALLOC_CTX *mem, const char *message)
{
	return test_derive(mem, message, strlen(message));
}

/* --- bodies ----------------------------------------------------------------- */

static void test_empty(void **state)
{
	assert_string_equal(t_build(content_new()),
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
		content = content_new();
		set_str(content->props, PIDTAG_BODY, tests[i].text);
		message = t_strconcat(t_build(content), "\r\n", NULL);
		assert_has(message, "Content-Type: text/plain; charset=utf-8");
		assert_has(message, t_strdup_printf(
			"Content-Transfer-Encoding: %s\r\n",
			tests[i].encoding));
		assert_has(message, tests[i].encoded);
	} T_END;
}

static void test_long_lines(void **state)
{
	struct mapi_content *content = content_new(), *again;
	char *text = t_malloc0(3001);
	const char *message;

	memset(text, 'x', 3000);
	set_str(content->props, PIDTAG_BODY, text);
	message = t_build(content);
	assert_has(message, "Content-Transfer-Encoding: quoted-printable");
	again = derive(NULL, message);
	assert_string_equal(mapi_propset_get_string(again->props, PIDTAG_BODY),
			    text);
	talloc_free(talloc_parent(again));

	/* a line that just fits stays */
	content = content_new();
	text[990] = '\0';
	set_str(content->props, PIDTAG_BODY, text);
	assert_has(t_build(content), "Content-Transfer-Encoding: 7bit");
	content = content_new();
	text[990] = 'x';
	text[991] = '\0';
	set_str(content->props, PIDTAG_BODY, text);
	assert_has(t_build(content),
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
		content = content_new();
		set_html(content, tests[i].html, tests[i].codepage);
		message = t_build(content);
		assert_has(message, "Content-Type: multipart/alternative;");
		assert_has(message, t_strdup_printf(
			"Content-Type: text/html; charset=%s\r\n",
			tests[i].charset));
		assert_has(message, tests[i].part);
		assert_has(message, tests[i].text);
		again = derive(NULL, message);
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

	content = content_new();
	set_str(content->props, PIDTAG_BODY, "the text\r\n");
	set_html(content, "<p>the HTML</p>", 65001);
	message = t_build(content);
	assert_has(message, "\r\n\r\nthe text\r\n");
	assert_has(message, "\r\n\r\n<p>the HTML</p>\r\n");
	again = derive(NULL, message);
	assert_string_equal(mapi_propset_get_string(again->props, PIDTAG_BODY),
			    "the text\r\n");
	talloc_free(talloc_parent(again));

	/* HTML that somebody has made of the text */
	content = content_new();
	set_str(content->props, PIDTAG_BODY, "the text\r\n");
	set_html(content, "<p>the HTML</p>", 65001);
	set_int(content->props, PIDTAG_NATIVE_BODY, 1);
	message = t_build(content);
	assert_hasnt(message, "text/html");
	assert_has(message, "\r\n\r\nthe text\r\n");

	/* nothing in it */
	content = content_new();
	set_html(content, "", 65001);
	assert_hasnt(t_build(content), "text/html");

	/* PidTagBodyHtml */
	content = content_new();
	set_str(content->props, PIDTAG_BODY_HTML,
		"<p>\xc3\xa4 as a string, which has no code page</p>");
	set_int(content->props, PIDTAG_INTERNET_CODEPAGE, 1252);
	message = t_build(content);
	assert_has(message, "text/html; charset=utf-8");
	assert_has(message, "<p>=C3=A4 as");
}

/* --- attachments ------------------------------------------------------------ */

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
		content = content_new();
		add_file(content, tests[i].name, tests[i].tag, "data", 4);
		message = t_build(content);
		assert_has(message, "Content-Type: multipart/mixed;");
		assert_hasnt(message, "Content-Type: text/plain");
		assert_has(message, t_strdup_printf("Content-Type: %s%s\r\n",
			tests[i].type, tests[i].name == NULL ? "" : ";"));
		assert_has(message, "Content-Disposition: attachment");
		assert_hasnt(message, "\r\nBcc");
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
		content = content_new();
		add_file(content, tests[i].name, "application/pdf", "data", 4);
		message = t_build(content);
		assert_has(message, tests[i].param_2047);
		assert_has(message, tests[i].param_2231);
		again = derive(NULL, message);
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
	struct mapi_content *content = content_new(), *again;
	string_t *name = t_str_new(8192);
	const char *message;
	unsigned int i;

	for (i = 0; i < 2000; i++)
		str_append(name, "\xc3\xa4");
	str_append(name, ".pdf");
	add_file(content, str_c(name), "application/pdf", "data", 4);
	message = t_build(content);
	again = derive(NULL, message);
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
		content = content_new();
		add_file(content, "name", tests[i].type, tests[i].data,
			 tests[i].size);
		message = t_build(content);
		assert_has(message, t_strdup_printf(
			"Content-Transfer-Encoding: %s\r\n",
			tests[i].encoding));
		assert_has(message, tests[i].encoded);
		again = derive(NULL, message);
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
	struct mapi_content *content = content_new();
	struct mapi_content_attachment *att;
	const char *message;

	att = add_file(content, "a.txt", "text/plain", "x", 1);
	set_str(att->props, PIDTAG_TEXT_ATTACHMENT_CHARSET, "iso-8859-15");
	set_str(att->props, PIDTAG_DISPLAY_NAME, "What it is");
	set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "id@x");
	set_str(att->props, PIDTAG_ATTACH_CONTENT_LOCATION, "http://x/y");
	att = add_file(content, "b.txt", "text/plain", "x", 1);
	set_str(att->props, PIDTAG_TEXT_ATTACHMENT_CHARSET, "x\r\nBcc: y");
	set_str(att->props, PIDTAG_DISPLAY_NAME, "b.txt");
	set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "not an id");
	att = add_file(content, "c.ics", "text/calendar",
		       "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n", 33);
	set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "<with@brackets>");
	message = t_build(content);
	assert_has(message, "text/plain; charset=iso-8859-15;\r\n\tname=");
	assert_has(message, "Content-Description: What it is\r\n");
	assert_has(message, "Content-ID: <id@x>\r\n");
	assert_has(message, "Content-Location: http://x/y\r\n");
	assert_has(message, "text/plain;\r\n\tname=\"b.txt\"\r\n");
	assert_hasnt(message, "Content-Description: b.txt");
	assert_hasnt(message, "not an id");
	assert_hasnt(message, "Bcc");
	assert_has(message, "text/calendar; method=REQUEST;\r\n");
	assert_has(message, "Content-ID: <with@brackets>\r\n");
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
	unsigned int i, place;
	const char *message;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = content_new();
		att = add_file(content, "a.txt", "text/plain", "data", 4);
		set_int(att->props, PIDTAG_ATTACH_METHOD, tests[i].method);
		assert_int_equal(mime_build_attachment_places(content, 0,
							      &place), 0);
		assert_int_equal(place, tests[i].wanted ? 0 : UINT_MAX);
		message = t_build(content);
		assert_int_equal(strstr(message, "a.txt") != NULL,
				 tests[i].wanted);
	} T_END;
	/* a file without content */
	content = content_new();
	att = mapi_content_add_attachment(content, 0);
	set_str(att->props, PIDTAG_ATTACH_FILENAME, "A.TXT");
	set_int(att->props, PIDTAG_ATTACH_METHOD, 1);
	assert_has(t_build(content), "filename=\"A.TXT\"");
}

static void test_related(void **state)
{
	struct mapi_content *content = content_new(), *again;
	struct mapi_content_attachment *att;
	unsigned int places[4];
	const char *message;

	set_html(content, "<img src=\"cid:a\"><img src=\"cid:b\">", 65001);
	(void)add_file(content, "file.pdf", "application/pdf", "pdf", 3);
	att = add_file(content, "a.png", "image/png", "png", 3);
	set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "a");
	set_int(att->props, PIDTAG_ATTACH_FLAGS, 4);
	att = add_file(content, "b.css", "text/css", "css", 3);
	set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "b");
	att = add_file(content, "c.doc", "application/msword", "doc", 3);
	set_int(att->props, PIDTAG_ATTACH_FLAGS, 4);

	assert_int_equal(mime_build_attachment_places(content, 0, places), 0);
	assert_int_equal(places[0], 2);
	assert_int_equal(places[1], 0);
	assert_int_equal(places[2], 1);
	assert_int_equal(places[3], 3);
	message = t_build(content);
	assert_has(message, "multipart/mixed;");
	assert_has(message, "multipart/related;");
	assert_has(message, "type=\"multipart/alternative\"");
	assert_has(message, "Content-Disposition: inline;\r\n"
		   "\tfilename=\"a.png\"");
	assert_has(message, "Content-Disposition: attachment;\r\n"
		   "\tfilename=\"b.css\"");
	again = derive(NULL, message);
	assert_int_equal(again->attachment_count, 4);
	assert_string_equal(mapi_propset_get_string(again->attachments[0].props,
			PIDTAG_ATTACH_LONG_FILENAME), "a.png");
	assert_string_equal(mapi_propset_get_string(again->attachments[1].props,
			PIDTAG_ATTACH_LONG_FILENAME), "b.css");
	assert_string_equal(mapi_propset_get_string(again->attachments[2].props,
			PIDTAG_ATTACH_LONG_FILENAME), "file.pdf");
	talloc_free(talloc_parent(again));

	/* the HTML says it, the attachment doesn't */
	content = content_new();
	set_html(content, "<img src='CID:a%40b'>", 1252);
	att = add_file(content, "a.png", "image/png", "png", 3);
	set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "a@b");
	att = add_file(content, "b.txt", "text/plain", "png", 3);
	message = t_build(content);
	assert_has(message, "multipart/related;");
	assert_has(message, "Content-Disposition: inline;\r\n"
		   "\tfilename=\"a.png\"");
	content = content_new();
	set_html(content, "<img src='cid:b@a'>", 1252);
	att = add_file(content, "a.png", "image/png", "png", 3);
	set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "a@b");
	message = t_build(content);
	assert_hasnt(message, "multipart/related;");

	/* nothing shows it */
	content = content_new();
	set_str(content->props, PIDTAG_BODY, "text");
	att = add_file(content, "a.png", "image/png", "png", 3);
	set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "a");
	set_int(att->props, PIDTAG_ATTACH_FLAGS, 4);
	message = t_build(content);
	assert_hasnt(message, "multipart/related");
	assert_has(message, "Content-Disposition: attachment");
}

static void test_embedded(void **state)
{
	struct mapi_content *content = content_new(), *inner, *again;
	struct mapi_content_attachment *att;
	const char *message;
	unsigned int i, depth = 0;

	/* each level says its number */
	inner = content;
	for (i = 0; i < 40; i++) {
		att = mapi_content_add_attachment(inner, 0);
		set_int(att->props, PIDTAG_ATTACH_METHOD, 5);
		att->embedded = mapi_content_create(inner);
		inner = att->embedded;
		set_str(inner->props, PIDTAG_SUBJECT,
			t_strdup_printf("level %u", i));
		set_str(inner->props, PIDTAG_BODY, "text\r\n");
	}
	message = t_build(content);
	assert_has(message, "Content-Type: message/rfc822\r\n");
	assert_has(message, "Subject: level 29\r\n");
	assert_hasnt(message, "Subject: level 30\r\n");
	again = derive(NULL, message);
	for (inner = again; inner->attachment_count > 0;
	     inner = inner->attachments[0].embedded)
		depth++;
	assert_int_equal(depth, 30);
	assert_string_equal(mapi_propset_get_string(inner->props,
			PIDTAG_SUBJECT), "level 29");
	talloc_free(talloc_parent(again));
}

/* --- streams ---------------------------------------------------------------- */

static void test_streams(void **state)
{
	struct mapi_content *content = content_new(), *again;
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
	set_str(att->props, PIDTAG_ATTACH_LONG_FILENAME, "big.bin");
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
	unsigned int i, place;

	for (i = 0; i < N_ELEMENTS(tags); i++) {
		content = content_new();
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
		set_str(att->props, PIDTAG_ATTACH_CONTENT_ID, "a");
		assert_int_equal(mime_build_attachment_places(content, 0,
				&place), tags[i] == PIDTAG_HTML ? -1 : 0);
		talloc_free(content);
	}
	content = content_new();
	output = o_stream_create_error_str(ENOSPC, "full");
	assert_int_equal(mime_build(content, &params, output), -1);
	o_stream_ignore_last_errors(output);
	o_stream_destroy(&output);
	talloc_free(content);
}

/* --- special classes -------------------------------------------------------- */

static void test_smime_signed(void **state)
{
	static const char entity[] =
		"Content-Type: multipart/signed; protocol=\"application/"
		"pkcs7-signature\";\r\n\tboundary=b; micalg=sha-256\r\n"
		"Subject: not this one\r\n\r\n"
		"--b\r\nContent-Type: text/plain\r\n\r\nsigned  text \r\n"
		"--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nMIIB"
		"\r\n--b--\r\n";
	struct mapi_content *content = content_new(), *again;
	const struct mapi_value *data;
	const char *message;

	set_str(content->props, PIDTAG_SUBJECT, "the subject");
	set_str(content->props, PIDTAG_MESSAGE_CLASS,
		"IPM.Note.SMIME.MultipartSigned");
	set_str(content->props, PIDTAG_BODY, "a body that isn't written");
	add_file(content, "smime.p7m", "multipart/signed", entity,
		 strlen(entity));
	message = t_build(content);
	assert_has(message, "Subject: the subject\r\n");
	assert_hasnt(message, "not this one");
	assert_hasnt(message, "isn't written");
	assert_has(message, strstr(entity, "\r\n\r\n"));
	assert_has(message, "MIME-Version: 1.0\r\n");
	again = derive(NULL, message);
	assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_MESSAGE_CLASS),
		"IPM.Note.SMIME.MultipartSigned");
	data = mapi_propset_get(again->attachments[0].props,
				PIDTAG_ATTACH_DATA_BINARY);
	assert_has(t_strndup(data->u.bin.data, data->u.bin.len),
		   strstr(entity, "\r\n\r\n"));
	talloc_free(talloc_parent(again));

	/* what isn't signed isn't taken for it */
	content = content_new();
	set_str(content->props, PIDTAG_MESSAGE_CLASS,
		"IPM.Note.SMIME.MultipartSigned");
	add_file(content, "smime.p7m", NULL, "Bcc: x\r\n\r\ntext", 14);
	message = t_build(content);
	assert_has(message, "multipart/mixed");
	assert_hasnt(message, "Bcc");
}

static void test_smime_opaque(void **state)
{
	static const struct {
		const char *data;
		size_t size;
		const char *type;
	} tests[] = {
		{ "\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"
		  "\x02\xa0", 16, "pkcs7-mime; smime-type=signed-data;" },
		{ "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0",
		  14, "pkcs7-mime; smime-type=enveloped-data;" },
		{ "\x30\x50\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01"
		  "\x09\xa0", 16, "pkcs7-mime; smime-type=compressed-data;" },
		{ "\x30\xff", 2, "pkcs7-mime;\r\n" },
		{ "something", 9, "pkcs7-mime;\r\n" },
		{ "", 0, "pkcs7-mime;\r\n" },
	};
	struct mapi_content *content, *again;
	const struct mapi_value *data;
	const char *message;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = content_new();
		set_str(content->props, PIDTAG_MESSAGE_CLASS,
			"IPM.Note.SMIME");
		add_file(content, "smime.p7m", "application/pkcs7-mime",
			 tests[i].data, tests[i].size);
		message = t_build(content);
		assert_has(message, tests[i].type);
		again = derive(NULL, message);
		assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_MESSAGE_CLASS), "IPM.Note.SMIME");
		data = mapi_propset_get(again->attachments[0].props,
					PIDTAG_ATTACH_DATA_BINARY);
		assert_int_equal(data->u.bin.len, tests[i].size);
		assert_int_equal(memcmp(data->u.bin.data, tests[i].data,
					tests[i].size), 0);
		talloc_free(talloc_parent(again));
	} T_END;
}

static void test_delivery_report(void **state)
{
	static const struct {
		const char *class, *action, *status;
		int code;
	} tests[] = {
		{ "REPORT.IPM.Note.NDR", "failed", "5.1.1", 511 },
		{ "REPORT.IPM.Note.NDR", "failed", "5.0.0", 0 },
		{ "REPORT.IPM.Note.NDR", "failed", "5.0.0", 99999 },
		{ "REPORT.IPM.Note.DR", "delivered", "2.0.0", 0 },
		{ "REPORT.IPM.Note.Delayed.DR", "delayed", "4.4.7", 447 },
		{ "REPORT.IPM.Note.Relayed.DR", "relayed", "2.0.0", 0 },
		{ "REPORT.IPM.Note.Expanded.DR", "expanded", "2.0.0", 0 },
	};
	struct mapi_content *content, *again;
	struct mapi_content_recipient *recipient;
	const char *message;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = content_new();
		set_str(content->props, PIDTAG_MESSAGE_CLASS, tests[i].class);
		set_str(content->props, PIDTAG_BODY, "It says so.\r\n");
		set_str(content->props, PIDTAG_RECEIVED_BY_NAME, "Me");
		set_str(content->props, PIDTAG_RECEIVED_BY_EMAIL_ADDRESS,
			"me@example.com");
		set_str(content->props,
			PIDTAG_REPORTING_MESSAGE_TRANSFER_AGENT,
			"mx.example.com");
		recipient = mapi_content_add_recipient(content, 0);
		set_str(recipient->props, PIDTAG_DISPLAY_NAME, "J\xc3\xb6");
		set_str(recipient->props, PIDTAG_EMAIL_ADDRESS, "j@x.org");
		set_str(recipient->props, PIDTAG_SUPPLEMENTARY_INFO,
			"550 no\r\n\r\nFinal-Recipient: rfc822; other@x.org");
		if (tests[i].code != 0) {
			set_int(recipient->props,
				PIDTAG_NON_DELIVERY_REPORT_STATUS_CODE,
				tests[i].code);
		}
		message = t_build(content);
		assert_has(message, "multipart/report;");
		assert_has(message, "report-type=delivery-status");
		assert_has(message, "To: Me <me@example.com>\r\n");
		assert_has(message, "Reporting-MTA: dns; mx.example.com\r\n"
			   "\r\nFinal-Recipient: rfc822; j@x.org\r\n");
		assert_has(message, t_strdup_printf(
			"Action: %s\r\nStatus: %s\r\n", tests[i].action,
			tests[i].status));
		again = derive(NULL, message);
		assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_MESSAGE_CLASS), tests[i].class);
		assert_int_equal(again->recipient_count, 1);
		assert_string_equal(mapi_propset_get_string(
			again->recipients[0].props, PIDTAG_DISPLAY_NAME),
			"J\xc3\xb6");
		assert_string_equal(mapi_propset_get_string(
			again->recipients[0].props, PIDTAG_SUPPLEMENTARY_INFO),
			"550 no    Final-Recipient: rfc822; other@x.org");
		talloc_free(talloc_parent(again));
	} T_END;
}

static void test_disposition_report(void **state)
{
	static const char *const classes[][2] = {
		{ "REPORT.IPM.Note.IPNRN", "displayed" },
		{ "REPORT.IPM.Note.IPNNRN", "deleted" },
	};
	struct mapi_content *content, *again;
	struct mapi_content_recipient *recipient;
	const char *message;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(classes); i++) T_BEGIN {
		content = content_new();
		set_str(content->props, PIDTAG_MESSAGE_CLASS, classes[i][0]);
		set_str(content->props, PIDTAG_SENDER_EMAIL_ADDRESS, "me@x.org");
		set_str(content->props, PIDTAG_SENDER_ADDRESS_TYPE, "SMTP");
		set_str(content->props, PIDTAG_ORIGINAL_MESSAGE_ID, "<1@x>");
		recipient = mapi_content_add_recipient(content, 0);
		set_str(recipient->props, PIDTAG_EMAIL_ADDRESS, "you@x.org");
		message = t_build(content);
		assert_has(message, "To: <you@x.org>\r\n");
		assert_has(message, "report-type=disposition-notification");
		assert_has(message, "Final-Recipient: rfc822; me@x.org\r\n"
			   "Original-Message-ID: <1@x>\r\n");
		again = derive(NULL, message);
		assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_MESSAGE_CLASS), classes[i][0]);
		assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_REPORT_DISPOSITION), classes[i][1]);
		assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_ORIGINAL_MESSAGE_ID), "<1@x>");
		talloc_free(talloc_parent(again));
	} T_END;
}

/* Another class is a message like others. */
static void test_other_class(void **state)
{
	static const char *const classes[] = {
		"IPM.Note", "IPM.Appointment", "REPORT", "REPORT.NDRx", ".DR",
		"", "IPM.Note.SMIME", "x.SMIME.MultipartSigned",
	};
	struct mapi_content *content;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(classes); i++) T_BEGIN {
		content = content_new();
		set_str(content->props, PIDTAG_MESSAGE_CLASS, classes[i]);
		set_str(content->props, PIDTAG_BODY, "text");
		assert_has(t_build(content), "Content-Type: text/plain");
	} T_END;
}

/* --- boundaries ------------------------------------------------------------- */

static void test_boundaries(void **state)
{
	struct mime_build_params params = { .now = BUILD_TEST_NOW };
	struct mapi_content *content = content_new();
	buffer_t *one, *two, *seeded;

	set_str(content->props, PIDTAG_BODY, "text");
	set_str(content->props, PIDTAG_SUBJECT, "subject");
	add_file(content, "a.txt", "text/plain", "--=_000001_", 11);
	one = test_build(content, &params);
	two = test_build(content, &params);
	assert_true(buffer_cmp(one, two));
	/* a property that isn't in the message doesn't change it */
	set_int(content->props, PIDTAG_ICON_INDEX, 1);
	buffer_free(&two);
	two = test_build(content, &params);
	assert_true(buffer_cmp(one, two));
	params.boundary_seed = "seed";
	seeded = test_build(content, &params);
	assert_false(buffer_cmp(one, seeded));
	assert_has(str_c(one), "--=3D_000001_");
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
		cmocka_unit_test(test_smime_signed),
		cmocka_unit_test(test_smime_opaque),
		cmocka_unit_test(test_delivery_report),
		cmocka_unit_test(test_disposition_report),
		cmocka_unit_test(test_other_class),
		cmocka_unit_test(test_boundaries),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests_name("MAPI to MIME: parts", tests,
					  NULL, NULL);
	lib_deinit();
	return ret;
}
