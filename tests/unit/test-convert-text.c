/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The converters of text, by tables: each case whole, and byte by byte. */

#include "lib.h"
#include "buffer.h"
#include "istream.h"
#include "str.h"
#include "unichar.h"
#include "message-part-data.h"
#include "mapi-props.h"
#include "mime-charset.h"
#include "mime-filter.h"
#include "mime-headers.h"
#include "mime-part-info.h"
#include "mime-text.h"
#include "mime-text-filters.h"
#include "mime-transfer.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static struct mime_filter *flowed_filter(void)
{
	return mime_text_lines_filter(TRUE, FALSE);
}
static struct mime_filter *delsp_filter(void)
{
	return mime_text_lines_filter(TRUE, TRUE);
}
static struct mime_filter *lines_filter(void)
{
	return mime_text_lines_filter(FALSE, FALSE);
}
static struct mime_filter *fragment_filter(void)
{
	return mime_text_to_html_filter(FALSE);
}
static struct mime_filter *base64_filter(void)
{
	return mime_transfer_filter(MIME_TRANSFER_BASE64);
}
static struct mime_filter *qp_filter(void)
{
	return mime_transfer_filter(MIME_TRANSFER_QUOTED_PRINTABLE);
}
static struct mime_filter *uu_filter(void)
{
	return mime_transfer_filter(MIME_TRANSFER_UUENCODE);
}
static struct mime_filter *utf8_filter(void)
{
	return mime_charset_filter("UTF-8");
}
static struct mime_filter *gb18030_filter(void)
{
	return mime_charset_filter("GB18030");
}
static struct mime_filter *jis_filter(void)
{
	return mime_charset_filter("ISO-2022-JP");
}

static struct mime_filter *hebrew_filter(void)
{
	return mime_charset_filter("CP1255");
}

static const struct {
	struct mime_filter *(*create)(void);
	const char *input, *output;
} cases[] = {
	/* line ends */
	{ lines_filter, "a\nb\r\nc\rd", "a\r\nb\r\nc\r\nd" },
	{ lines_filter, "\n\r\n\r\r\n", "\r\n\r\n\r\n\r\n" },
	{ lines_filter, "", "" },
	/* [RFC3676] 4.1: soft breaks; 4.2: a fixed line; 4.3: the signature;
	   4.4: stuffing; 4.5: quoting */
	{ flowed_filter, "a \nb\nc\n", "a b\r\nc\r\n" },
	{ flowed_filter, "a \n-- \nsig\n", "a \r\n-- \r\nsig\r\n" },
	{ flowed_filter, " >no\n From x\n  two\n",
	  ">no\r\nFrom x\r\n two\r\n" },
	{ flowed_filter, "> a \n> b\n>> c \nd\n",
	  "> a b\r\n>> c \r\nd\r\n" },
	{ flowed_filter, "a \n\nb\n", "a \r\nb\r\n" },
	{ flowed_filter, "last ", "last " },
	{ delsp_filter, "so \nft\n", "soft\r\n" },
	{ delsp_filter, "-- \nx\n", "-- \r\nx\r\n" },
	/* to HTML */
	{ fragment_filter, "", "<div></div>\r\n" },
	{ fragment_filter, "a<b>&\"\x01\n c",
	  "<div>a&lt;b&gt;&amp;&quot;<br>\r\n&nbsp;c</div>\r\n" },
	{ fragment_filter, "a\r\nb", "<div>a<br>\r\nb</div>\r\n" },
	/* from HTML */
	{ mime_html_to_text_filter, "", "" },
	{ mime_html_to_text_filter, "  a\n b  ", "a b\r\n" },
	{ mime_html_to_text_filter, "<p>a<p>b", "a\r\n\r\nb\r\n" },
	{ mime_html_to_text_filter, "a<br><br/>b", "a\r\n\r\nb\r\n" },
	{ mime_html_to_text_filter, "a<div>b</div>c", "a\r\nb\r\nc\r\n" },
	{ mime_html_to_text_filter, "a<!-- x > y -->b<!doctype c>d",
	  "abd\r\n" },
	{ mime_html_to_text_filter, "<!-->a", "a\r\n" },
	{ mime_html_to_text_filter, "<!--[if mso]><p>x</p><![endif]-->a",
	  "a\r\n" },
	{ mime_html_to_text_filter,
	  "<STYLE>a</b></STYLE >x<script>'</scripty>'</script>y", "xy\r\n" },
	{ mime_html_to_text_filter, "&lt;&amp;&gt;&quot;&apos;&nbsp;x",
	  "<&>\"' x\r\n" },
	{ mime_html_to_text_filter, "&#65;&#x42;&#X43;&#0;&#xD800;&#99999999;",
	  "ABC&#0;\xEF\xBF\xBD\xEF\xBF\xBD\r\n" },
	{ mime_html_to_text_filter, "&eacute&eacute;&AMP;&;&x",
	  "\xC3\xA9\xC3\xA9&AMP;&;&x\r\n" },
	{ mime_html_to_text_filter, "1 < 2 </3 <", "1 < 2 </3 <\r\n" },
	{ mime_html_to_text_filter,
	  "<a href='http://x/'>X</a><a href=mailto:a@b>a@b</a>",
	  "X <http://x/>a@b\r\n" },
	{ mime_html_to_text_filter,
	  "<a title=\"a>b\" href = \"https://x/?a&amp;b&c\" >t</a >",
	  "t <https://x/?a&b&c>\r\n" },
	{ mime_html_to_text_filter, "<a href=javascript:x>t</a>", "t\r\n" },
	{ mime_html_to_text_filter, "<a href=http://a/>x<a href=http://b/>y",
	  "x <http://a/>y <http://b/>\r\n" },
	{ mime_html_to_text_filter, "<img alt='P &amp; Q'><img alt=''>",
	  "[P & Q]\r\n" },
	{ mime_html_to_text_filter, "<ol><li>x<li>y</ol>z",
	  "1. x\r\n2. y\r\nz\r\n" },
	{ mime_html_to_text_filter, "<td>a<td>b<tr><td>c", "a\tb\r\nc\r\n" },
	{ mime_html_to_text_filter, "<pre>a\n  b</pre>", "a\r\n  b\r\n" },
	{ mime_html_to_text_filter, "zero\xE2\x80\x8Bwidth&shy;", "zero"
	  "\xE2\x80\x8Bwidth\r\n" },
	{ mime_html_to_text_filter, "<o:p>x</o:p>", "x\r\n" },
	/* [RFC2045] 6.8 */
	{ base64_filter, "SGVsbG8=", "Hello" },
	{ base64_filter, "SGVs\r\nbG8", "Hello" },
	{ base64_filter, "SGk=SGk=", "HiHi" },
	{ base64_filter, "S*G-k", "Hi" },
	{ base64_filter, "S", "" },
	/* [RFC2045] 6.7 */
	{ qp_filter, "a=3Db=\r\nc", "a=bc" },
	{ qp_filter, "a  \r\nb\t\n", "a\r\nb\n" },
	{ qp_filter, "=e4=E4", "\xE4\xE4" },
	{ qp_filter, "=X =4 == \n=4", "=X =4 ==4" },
	{ qp_filter, "a= \t\r\nb=", "ab" },
	{ uu_filter, "text\nbegin 644 x\n#0V%T\n`\nend\n#0V%T\n", "Cat" },
	{ uu_filter, "begin 644 x\r\n%:&5L;&\\\r\n`\r\nend", "hello" },
	/* character sets */
	{ utf8_filter, "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\xA7\x80",
	  "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\xA7\x80" },
	{ utf8_filter, "a\xC3", "a\xEF\xBF\xBD" },
	{ gb18030_filter, "\xD6\xD0\x81\x30\x81\x30",
	  "\xE4\xB8\xAD\xC2\x80" },
	/* the last letter isn't followed by anything that could be an accent */
	{ hebrew_filter, "\xF9\xEC\xE5\xED", "\xD7\xA9\xD7\x9C\xD7\x95"
	  "\xD7\x9D" },
	{ hebrew_filter, "\xF9", "\xD7\xA9" },
	{ hebrew_filter, "\xF9\xD1", "\xEF\xAC\xAA" },
	{ hebrew_filter, "a ", "a " },
	{ hebrew_filter, "", "" },
	{ jis_filter, "\x1B$BF|K\\\x1B(Ba", "\xE6\x97\xA5\xE6\x9C\xAC""a" },
};

static void test_filters(void **state)
{
	struct mime_filter *filter;
	buffer_t *whole = buffer_create_dynamic(default_pool, 128);
	buffer_t *pieces = buffer_create_dynamic(default_pool, 128);
	unsigned int i;
	size_t pos;

	for (i = 0; i < N_ELEMENTS(cases); i++) {
		const char *input = cases[i].input;
		size_t len = strlen(input);

		buffer_set_used_size(whole, 0);
		mime_filter_run(cases[i].create(), input, len, whole);
		assert_string_equal(str_c(whole), cases[i].output);

		buffer_set_used_size(pieces, 0);
		filter = cases[i].create();
		for (pos = 0; pos < len; pos++) {
			filter->feed(filter, (const unsigned char *)input + pos,
				     1, pieces);
		}
		filter->finish(filter, pieces);
		filter->free(filter);
		assert_string_equal(str_c(pieces), cases[i].output);
	}
	buffer_free(&whole);
	buffer_free(&pieces);
}

/* A stream of filters that is read through a small window */
static void test_stream(void **state)
{
	struct istream *input, *file;
	const unsigned char *data;
	size_t size, total = 0;
	string_t *text = str_new(default_pool, 1024);
	unsigned int i;

	for (i = 0; i < 5000; i++)
		str_printfa(text, "line %u =C3=A4\r\n", i);
	file = i_stream_create_from_data(str_data(text), str_len(text));
	input = i_stream_create_limit(file, UOFF_T_MAX);
	mime_filter_push(&input,
		mime_transfer_filter(MIME_TRANSFER_QUOTED_PRINTABLE));
	mime_filter_push(&input, mime_charset_filter("UTF-8"));
	mime_filter_push(&input, mime_text_to_html_filter(FALSE));
	i_stream_set_max_buffer_size(input, 64);
	while (i_stream_read_more(input, &data, &size) > 0) {
		assert_true(size <= 64);
		/* somebody else reads the file, too */
		i_stream_seek(file, total % 1000);
		total += size;
		i_stream_skip(input, size);
	}
	assert_int_equal(input->stream_errno, 0);
	assert_true(input->eof);
	/* each line: "line N X<br>\r\n" */
	assert_int_equal(total, strlen("<div></div>\r\n") +
			 5000 * strlen("line  ..<br>\r\n") +
			 10 + 90*2 + 900*3 + 4000*4);
	i_stream_unref(&input);
	i_stream_unref(&file);
	str_free(&text);
}

static void test_charsets(void **state)
{
	static const struct {
		const char *label;
		uint32_t codepage;
	} labels[] = {
		{ "UTF-8", 65001 }, { "us-ascii", 65001 },
		{ "ISO-8859-1", 1252 }, { "windows-1252", 1252 },
		{ "iso-8859-2", 28592 }, { "KOI8-R", 20866 },
		{ "GB2312", 54936 }, { "ks_c_5601-1987", 949 },
		{ "Shift_JIS", 932 }, { "iso-2022-jp", 50220 },
		{ "x-unheard-of", 0 }, { "../../etc/passwd", 0 },
		{ "", 0 },
	};
	struct mime_charset charset;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(labels); i++) {
		assert_int_equal(mime_charset_codepage(labels[i].label),
				 labels[i].codepage);
	}
	assert_int_equal(mime_charset_codepage(NULL), 0);
	/* one that only iconv knows */
	mime_charset_find("TSCII", &charset);
	assert_int_equal(charset.codepage, 0);
	assert_false(charset.doubtful);
}

static void test_filenames(void **state)
{
	static const struct {
		const char *name, *sane, *shortened, *extension;
	} names[] = {
		{ "a.txt", "a.txt", "A.TXT", ".txt" },
		{ "My Report.final.docx", "My Report.final.docx",
		  "MYREPO~1.DOC", ".docx" },
		{ "a/b\\c:d", "a_b_c_d", "A_B_C_D", "" },
		{ "12345678.abc", "12345678.abc", "12345678.ABC", ".abc" },
		{ "123456789.abc", "123456789.abc", "123456~1.ABC", ".abc" },
		{ " .. ", "", "_", "" },
		{ ".bashrc", ".bashrc", "BASHRC~1", "" },
		{ "\xE6\x97\xA5.pdf", "\xE6\x97\xA5.pdf", "_~1.PDF", ".pdf" },
		{ "x.", "x", "X", "" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	string_t *str = t_str_new(400);
	unsigned int i;
	char *sane;

	for (i = 0; i < N_ELEMENTS(names); i++) {
		sane = mime_filename_sanitize(mem, names[i].name);
		assert_string_equal(sane, names[i].sane);
		assert_string_equal(mime_filename_short(mem, sane),
				    names[i].shortened);
		assert_string_equal(mime_filename_extension(sane),
				    names[i].extension);
	}
	/* long names keep their extension */
	for (i = 0; i < 150; i++)
		str_append(str, "\xC3\xA4");
	str_append(str, ".html");
	sane = mime_filename_sanitize(mem, str_c(str));
	assert_true(strlen(sane) <= 200);
	assert_string_equal(mime_filename_extension(sane), ".html");
	assert_int_equal((unsigned char)sane[strlen(sane) - 6], 0xA4);
	talloc_free(mem);
}

static void test_params(void **state)
{
	static const struct message_part_param params[] = {
		{ "empty", "" },
		{ "plain", "x" },
		{ "word", "=?utf-8?q?=C3=A4?=" },
		{ "both", "plain" },
		{ "both*", "iso-8859-1'de'%E4%zz" },
		{ "nolang*", "%41" },
	};
	unsigned int n = N_ELEMENTS(params);

	assert_null(t_mime_param(params, n, "missing"));
	assert_null(t_mime_param(params, n, "empty"));
	assert_null(t_mime_param(params, n, "plai"));
	assert_string_equal(t_mime_param(params, n, "PLAIN"), "x");
	assert_string_equal(t_mime_param(params, n, "word"), "\xC3\xA4");
	assert_string_equal(t_mime_param(params, n, "both"), "\xC3\xA4%zz");
	assert_string_equal(t_mime_param(params, n, "nolang"), "A");
}

/* --- header sources -------------------------------------------------------- */

static unsigned int wanted_count;
static void count_wanted(const char *name, void *context)
{
	if (strcmp(name, context) == 0)
		wanted_count++;
}

static int
broken_get_raw(struct mime_header_source *source, const char *name,
	       const char *const **values_r)
{
	return -1;
}

static void test_header_source(void **state)
{
	static const uint32_t tags[] = {
		PIDTAG_SUBJECT, PIDTAG_SENDER_NAME, 0x0037001E, 0x0FFF0102,
	};
	struct mime_header_source broken = { .get_raw = broken_get_raw };
	struct mapi_value value;
	TALLOC_CTX *mem = talloc_new(NULL);
	enum mime_prop_result result;
	unsigned int i;
	uint32_t tag;

	mime_headers_wanted(tags, 4, count_wanted, "Subject");
	assert_int_equal(wanted_count, 2);
	wanted_count = 0;
	mime_headers_wanted(tags, 4, count_wanted, "From");
	assert_int_equal(wanted_count, 1);

	assert_int_equal(mime_headers_get_prop(&broken, mem, 0x0FFF0102,
					       &value), MIME_PROP_UNKNOWN);
	/* a source that fails is no message without properties */
	for (i = 0; mime_headers_prop_at(i, &tag); i++) {
		result = mime_headers_get_prop(&broken, mem, tag, &value);
		if (tag == PIDTAG_TRANSPORT_MESSAGE_HEADERS)
			assert_int_equal(result, MIME_PROP_NEED_MESSAGE);
		else
			assert_int_equal(result, MIME_PROP_FAILED);
		assert_true(mime_headers_has_prop(tag));
	}
	assert_true(i > 40);
	talloc_free(mem);
}

/* A link that is longer than what is kept of it is cut between characters. */
static void test_html_long_link(void **state)
{
	string_t *html = t_str_new(8192);
	buffer_t *text = t_buffer_create(8192);

	for (unsigned int pad = 0; pad < 3; pad++) {
		str_truncate(html, 0);
		buffer_set_used_size(text, 0);
		str_append(html, "<a href=\"http://");
		for (unsigned int i = 0; i < pad; i++)
			str_append_c(html, 'x');
		for (unsigned int i = 0; i < 1500; i++)
			str_append(html, "\xe2\x80\xba");
		str_append(html, "\">t</a>");
		mime_filter_run(mime_html_to_text_filter(), str_data(html),
				str_len(html), text);
		assert_true(uni_utf8_data_is_valid(text->data, text->used));
		assert_true(text->used > 1500);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_charsets),
		cmocka_unit_test(test_html_long_link),
		cmocka_unit_test(test_filenames),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_header_source),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
