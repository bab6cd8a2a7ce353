/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* RTF to HTML and text: what was wrapped in it ([MS-OXRTFEX]), and what is RTF
   itself, as Outlook, Word and WordPad write it. */

#include "lib.h"
#include "str.h"
#include "rtf-html.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#define HTML_HEAD "<html>\r\n<head>\r\n" \
	"<meta http-equiv=\"Content-Type\" content=\"text/html; " \
	"charset=utf-8\">\r\n</head>\r\n<body>\r\n"
#define HTML_TAIL "</body>\r\n</html>\r\n"

struct vector {
	const char *rtf;
	/* NULL: not looked at */
	const char *html, *text;
};

static void
check(const char *rtf, const struct rtf_objects *objects, const char *html,
      const char *text)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *result;
	size_t size;

	if (html != NULL) {
		assert_int_equal(rtf_to_html(mem, (const uint8_t *)rtf,
			strlen(rtf), objects, &result, &size), 0);
		assert_string_equal(result, html);
		assert_int_equal(size, strlen(html));
	}
	if (text != NULL) {
		assert_int_equal(rtf_to_text(mem, (const uint8_t *)rtf,
			strlen(rtf), objects, &result, &size), 0);
		assert_string_equal(result, text);
		assert_int_equal(size, strlen(text));
	}
	talloc_free(mem);
}

static void check_vectors(const struct vector *vectors, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		check(vectors[i].rtf, NULL, vectors[i].html, vectors[i].text);
}

/* the content of a native document's HTML */
static void check_native(const struct vector *vectors, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) T_BEGIN {
		check(vectors[i].rtf, NULL, vectors[i].html == NULL ? NULL :
		      t_strconcat(HTML_HEAD, vectors[i].html, HTML_TAIL, NULL),
		      vectors[i].text);
	} T_END;
}

/* --- kinds ------------------------------------------------------------------ */

static void test_kind(void **state)
{
	static const struct {
		const char *rtf;
		enum rtf_kind kind;
	} kinds[] = {
		{ "", RTF_KIND_NONE },
		{ "{", RTF_KIND_NONE },
		{ "text", RTF_KIND_NONE },
		{ "{\\ansi\\rtf1}", RTF_KIND_NONE },
		{ "<html>", RTF_KIND_NONE },
		{ "{\\rtf1", RTF_KIND_NATIVE },
		{ "{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 \\deff0}",
		  RTF_KIND_HTML },
		{ "{\\rtf1\\ansi\\fromtext}", RTF_KIND_TEXT },
		/* another version isn't known */
		{ "{\\rtf1\\fromhtml2}", RTF_KIND_NATIVE },
		{ "{\\rtf1\\fromhtml0}", RTF_KIND_NATIVE },
		/* the tenth token is the last that is looked at, and text
		   ends the search */
		{ "{\\rtf1\\a\\a\\a\\a\\a\\a\\a\\fromhtml1}", RTF_KIND_HTML },
		{ "{\\rtf1\\a\\a\\a\\a\\a\\a\\a\\a\\fromhtml1}",
		  RTF_KIND_NATIVE },
		{ "{\\rtf1 x\\fromhtml1}", RTF_KIND_NATIVE },
		{ "{\\rtf1{\\fonttbl{\\f0 A;}}\\fromhtml1}", RTF_KIND_NATIVE },
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(kinds); i++) {
		assert_int_equal(rtf_kind((const uint8_t *)kinds[i].rtf,
					  strlen(kinds[i].rtf)),
				 kinds[i].kind);
	}
}

static void test_not_rtf(void **state)
{
	const uint8_t *text = (const uint8_t *)"no RTF";
	char *result;
	size_t size;

	assert_int_equal(rtf_to_html(NULL, text, 6, NULL, &result, &size), -1);
	assert_int_equal(rtf_to_text(NULL, text, 6, NULL, &result, &size), -1);
}

/* --- encapsulation ---------------------------------------------------------- */

/* after the example in [MS-OXRTFEX] */
static const char spec_rtf[] =
	"{\\rtf1\\ANSI\\ansicpg1251\\fromhtml1 \\deff0\r\n"
	"{\\fonttbl {\\f0\\fmodern Courier New;}{\\f1\\fswiss Arial;}"
	"{\\f2\\fswiss\\fcharset0 Arial;}}\r\n"
	"{\\colortbl\\red0\\green0\\blue0;\\red0\\green0\\blue255;}\r\n"
	"{\\*\\htmltag64}\r\n"
	"\\uc1\\pard\\plain\\deftab360 \\f0\\fs24\r\n"
	"{\\*\\htmltag <HTML><head>\\par\r\n<style>\\par\r\n<!--\\par\r\n"
	" /* Style Definitions */\\par\r\n"
	" p.MsoNormal, li.MsoNormal \\{font-family:Arial;\\}\\par\r\n"
	"-->\\par\r\n</style>\\par\r\n"
	"\\tab <!-- This is a HTML comment.\\par\r\n"
	"There is a horizontal tab (%x09) character before the comment, "
	"\\par\r\nand some new line inside the comment. -->\\par\r\n"
	"</head>\\par\r\n<body>\\par\r\n<p\\par\r\nclass=\"MsoNormal\">}\r\n"
	"{\\htmlrtf \\f1 \\htmlrtf0 Note the line break inside a P tag. "
	"{\\*\\htmltag <b>}{\\htmlrtf \\b \\htmlrtf0 This is a bold text"
	"{\\*\\htmltag </b>}} \\htmlrtf\\par\\htmlrtf0}\r\n"
	"\\htmlrtf \\par \\htmlrtf0\r\n"
	"{\\*\\htmltag </p>\\par\r\n<p class=\"MsoNormal\">\\par}\r\n"
	"{\\htmlrtf \\f1 \\htmlrtf0 This is a normal text with a character "
	"references:{\\*\\htmltag &nbsp;}\\htmlrtf \\'a0\\htmlrtf0  "
	"{\\*\\htmltag &lt;}\\htmlrtf <\\htmlrtf0  "
	"{\\*\\htmltag &uml;}\\htmlrtf {\\f2\\'a8}\\htmlrtf0"
	"{\\*\\htmltag <br>\\par}\\htmlrtf\\line\\htmlrtf0\r\n"
	"characters which have special meaning in RTF: \\{\\}\\\\"
	"{\\*\\htmltag <br>\\par}\\htmlrtf\\line\\htmlrtf0\\htmlrtf\\par"
	"\\htmlrtf0}\r\n"
	"{\\*\\htmltag </p>\\par\r\n<ol>\\par\r\n"
	"    <li class=\"MsoNormal\">}{\\htmlrtf "
	"{{\\*\\pn\\pnlvlbody\\pndec\\pnstart1\\pnindent360{\\pntxta.}}"
	"\\li360\\fi-360{\\pntext 1.\\tab} \\f1 \\htmlrtf0 "
	"This is a list item}\\htmlrtf\\par\\htmlrtf0}\r\n"
	"{\\*\\htmltag \\par\r\n</ol>\\par\r\n</body>\\par\r\n</HTML>\\par }}";
static const char spec_html[] =
	"<HTML><head>\r\n<style>\r\n<!--\r\n /* Style Definitions */\r\n"
	" p.MsoNormal, li.MsoNormal {font-family:Arial;}\r\n-->\r\n"
	"</style>\r\n\t<!-- This is a HTML comment.\r\n"
	"There is a horizontal tab (%x09) character before the comment, \r\n"
	"and some new line inside the comment. -->\r\n</head>\r\n<body>\r\n"
	"<p\r\nclass=\"MsoNormal\">Note the line break inside a P tag. "
	"<b>This is a bold text</b> </p>\r\n<p class=\"MsoNormal\">\r\n"
	"This is a normal text with a character references:&nbsp; &lt; "
	"&uml;<br>\r\ncharacters which have special meaning in RTF: {}\\"
	"<br>\r\n</p>\r\n<ol>\r\n    <li class=\"MsoNormal\">"
	"This is a list item\r\n</ol>\r\n</body>\r\n</HTML>\r\n";

#define FROMHTML "{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 \\deff0" \
	"{\\fonttbl{\\f0\\fswiss Arial;}{\\f1\\fmodern\\fcharset204 Cour;}" \
	"{\\f2\\fnil\\fcharset128 MS;}{\\f3\\fnil\\fcharset2 Symbol;}}" \
	"{\\colortbl\\red0\\green0\\blue0;}\\uc1\\pard\\plain\\f0 "

static void test_html(void **state)
{
	static const struct vector vectors[] = {
		{ spec_rtf, spec_html, NULL },
		{ FROMHTML "{\\*\\htmltag64 <p>}a\\par b\\line c\\tab d"
		  "{\\*\\htmltag72 </p>}}",
		  "<p>a\r\nb\r\nc\td</p>", "a b c d\r\n" },
		/* as entities outside of tags, as characters inside */
		{ FROMHTML "\\lquote\\rquote\\ldblquote\\rdblquote\\bullet"
		  "\\endash\\emdash\\~\\_\\-{\\*\\htmltag84 \\lquote\\~x}}",
		  "&lsquo;&rsquo;&ldquo;&rdquo;&bull;&ndash;&mdash;&nbsp;"
		  "\xe2\x80\x91&shy;\xe2\x80\x98\xc2\xa0x", NULL },
		/* \htmlrtf goes with the group */
		{ FROMHTML "a{\\htmlrtf b{c}\\htmlrtf0 d}e"
		  "\\htmlrtf1 f{g{\\htmlrtf0 h}i}j\\htmlrtf0 k}",
		  "adehk", NULL },
		/* ... and suppresses tags, too, but not the change of fonts */
		{ FROMHTML "\\htmlrtf{\\*\\htmltag84 <i>}\\f1\\htmlrtf0 \\'e4}",
		  "\xd0\xb4", NULL },
		/* tags are in the document's code page */
		{ FROMHTML "\\f1\\'e4{\\*\\htmltag84 <a title=\"\\'e4\">}"
		  "\\'e4}", "\xd0\xb4<a title=\"\xc3\xa4\">\xd0\xb4", NULL },
		/* copies with rewritten addresses, lists' bullets, other
		   destinations */
		{ FROMHTML "{\\*\\mhtmltag84 <img src=\"x\">}"
		  "{\\*\\htmltag84 <img>}{\\pntext\\'b7\\tab}"
		  "{\\*\\unknown text}{\\pict 00ff}x}",
		  "<img>x", NULL },
		{ FROMHTML "{\\*\\htmltag84 <img src=\"cid:1\">}"
		  "\\htmlrtf {\\objattph\\'20}\\htmlrtf0 }",
		  "<img src=\"cid:1\">", NULL },
		/* cut, and not closed */
		{ FROMHTML "{\\*\\htmltag64 <p>}text{\\*\\htmltag72 </p",
		  "<p>text</p", "text\r\n" },
		{ FROMHTML "a}b{c}", "a", "a\r\n" },
	};

	check_vectors(vectors, N_ELEMENTS(vectors));
}

#define FROMTEXT "{\\rtf1\\ansi\\ansicpg1252\\fromtext \\fbidi \\deff0" \
	"{\\fonttbl\r\n{\\f0\\fswiss Arial;}\r\n{\\f1\\fmodern Courier New;}" \
	"\r\n{\\f2\\fnil\\fcharset2 Symbol;}}\r\n" \
	"{\\colortbl\\red0\\green0\\blue0;\\red0\\green0\\blue255;}\r\n" \
	"\\uc1\\pard\\plain\\deftab360 \\f0\\fs20 "

static void test_text(void **state)
{
	static const struct vector vectors[] = {
		{ FROMTEXT "one\\par\r\n\\par\r\ntwo \\{\\}\\\\\\tab <3>\\par\r\n}",
		  NULL, "one\r\n\r\ntwo {}\\\t<3>\r\n" },
		{ FROMTEXT "gr\\'fc\\'dfe \\u8364? \\lquote x\\rquote}",
		  NULL, "gr\xc3\xbc\xc3\x9f""e \xe2\x82\xac "
		  "\xe2\x80\x98x\xe2\x80\x99" },
		{ FROMTEXT "{\\*\\htmltag64 <p>}x{\\pntext y}}", NULL, "x" },
		{ FROMTEXT "}", NULL, "" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	char *html;
	size_t size;

	check_vectors(vectors, N_ELEMENTS(vectors));
	assert_int_equal(rtf_to_html(mem, (const uint8_t *)vectors[0].rtf,
		strlen(vectors[0].rtf), NULL, &html, &size), 0);
	assert_non_null(strstr(html, "&lt;3&gt;"));
	assert_non_null(strstr(html, "charset=utf-8"));
	talloc_free(mem);
}

/* --- code pages ------------------------------------------------------------- */

static void test_codepages(void **state)
{
	static const struct vector vectors[] = {
		/* the document's, by number and by name */
		{ "{\\rtf1\\ansi\\ansicpg1251 \\'cf\\'f0}", NULL,
		  "\xd0\x9f\xd1\x80" },
		{ "{\\rtf1\\mac \\'8a}", NULL, "\xc3\xa4" },
		{ "{\\rtf1\\pc \\'84}", NULL, "\xc3\xa4" },
		{ "{\\rtf1\\ansi \\'80}", NULL, "\xe2\x82\xac" },
		/* unknown ones are none */
		{ "{\\rtf1\\ansi\\ansicpg99999 \\'e4}", NULL, "\xc3\xa4" },
		{ "{\\rtf1\\ansi\\ansicpg1255 \\'f9\\'ed}", NULL,
		  "\xd7\xa9\xd7\x9d" },
		{ "{\\rtf1\\ansi\\ansicpg0 \\'e4}", NULL, "\xc3\xa4" },
		{ "{\\rtf1\\ansi\\ansicpg65001 \\'c3\\'a4}", NULL, "\xc3\xa4" },
		/* a state that goes on isn't had in RTF */
		{ "{\\rtf1\\ansi\\ansicpg65000 a+AOQ-}", NULL, "a+AOQ-" },
		/* bytes as they are */
		{ "{\\rtf1\\ansi\\ansicpg1252 \xe4}", NULL, "\xc3\xa4" },
		/* fonts' character sets and code pages, \plain, \deff */
		{ "{\\rtf1\\ansi\\ansicpg1252\\deff2{\\fonttbl"
		  "{\\f0\\fcharset204 A;}{\\f1\\fcharset161 B;}{\\f2 C;}"
		  "{\\f3\\cpg1250 D;}}\\'e4\\f0\\'e4{\\f1\\'e4}\\'e4\\f3\\'b9"
		  "\\plain\\'e4\\f99\\'e4}", NULL,
		  "\xc3\xa4\xd0\xb4\xce\xb4\xd0\xb4\xc4\x85\xc3\xa4\xc3\xa4" },
		{ "{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0\\fcharset204 A;}}\\'e4}",
		  NULL, "\xd0\xb4" },
		/* a table without groups */
		{ "{\\rtf1\\ansi{\\fonttbl\\f0\\fcharset204 A;\\f1\\fnil B;}"
		  "\\f1\\'e4\\f0\\'e4}", NULL, "\xc3\xa4\xd0\xb4" },
		/* double bytes, however they are cut; the second one may be
		   one that has a meaning */
		{ "{\\rtf1\\ansi\\ansicpg932 \\'83\\'65\\'83e\\'83\r\n\\'58"
		  "\\'83\\\\\x83\\'67}", NULL,
		  "\xe3\x83\x86\xe3\x83\x86\xe3\x82\xb9\xe3\x82\xbd"
		  "\xe3\x83\x88" },
		{ "{\\rtf1\\ansi\\ansicpg936 \\'d6\\'d0\\'ce\\'c4}", NULL,
		  "\xe4\xb8\xad\xe6\x96\x87" },
		{ "{\\rtf1\\ansi\\ansicpg949 \\'c7\\'d1}", NULL,
		  "\xed\x95\x9c" },
		{ "{\\rtf1\\ansi\\ansicpg950 \\'a4\\'a4}", NULL,
		  "\xe4\xb8\xad" },
		/* half a character stays one */
		{ "{\\rtf1\\ansi\\ansicpg932 a\\'83{b}}", NULL,
		  "a\xef\xbf\xbd""b" },
		/* as Word has it, [MSFT-RTF] \loch \hich \dbch */
		{ "{\\rtf1\\ansi\\ansicpg932{\\fonttbl{\\f0\\fcharset0 T;}"
		  "{\\f11\\fcharset128 M;}}\\loch\\af0\\hich\\af0\\dbch\\f11 "
		  "\\'83\\'65\\hich\\af0\\dbch\\af11\\loch\\f0 \\'e4}", NULL,
		  "\xe3\x83\x86\xc3\xa4" },
		/* symbols */
		{ "{\\rtf1{\\fonttbl{\\f0\\fcharset2 Symbol;}}\\f0\\'b7 a}",
		  NULL, "\xe2\x80\xa2 a" },
	};

	check_vectors(vectors, N_ELEMENTS(vectors));
}

static void test_unicode(void **state)
{
	static const struct vector vectors[] = {
		{ "{\\rtf1\\u228?\\u8364 Ex\\u-10187?x}", NULL,
		  "\xc3\xa4\xe2\x82\xacx\xef\xbf\xbdx" },
		/* what stands for it to those who don't know it */
		{ "{\\rtf1\\uc0\\u228 a\\uc2\\u228 bca{\\uc0\\u228 d}"
		  "\\u228 \\'41\\'42a}", NULL,
		  "\xc3\xa4""a\xc3\xa4""a\xc3\xa4""d\xc3\xa4""a" },
		{ "{\\rtf1\\u228\\{a\\u228 {?}\\u228\\par?}", NULL,
		  "\xc3\xa4""a\xc3\xa4?\xc3\xa4\r\n?" },
		/* double bytes */
		{ "{\\rtf1\\ansi\\ansicpg932\\uc2\\u12486\\'83\\'65\\u12488"
		  "\\'83g!}", NULL, "\xe3\x83\x86\xe3\x83\x88!" },
		/* pairs of surrogates, signed as Outlook writes them, and
		   not */
		{ "{\\rtf1\\u-10179?\\u-8704?\\u55357?\\u56832?\\uc0"
		  "\\u-10179\\u-8704 }", NULL,
		  "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80" },
		/* halves */
		{ "{\\rtf1\\u-10179?x\\u-8704?y{\\u-10179?}\\u-8704?}", NULL,
		  "\xef\xbf\xbdx\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbd" },
		{ "{\\rtf1\\u-10179?\\u-10179?\\u-8704?}", NULL,
		  "\xef\xbf\xbd\xf0\x9f\x98\x80" },
		/* no characters */
		{ "{\\rtf1 a\\u0?\\u10?\\u128?\\u1114112?\\u2147483647?b}",
		  NULL, "a\xef\xbf\xbd\xef\xbf\xbd""b" },
		{ "{\\rtf1 a\\u99999999999999999999?b}", NULL,
		  "a\xef\xbf\xbd""b" },
	};

	check_vectors(vectors, N_ELEMENTS(vectors));
}

/* --- syntax ----------------------------------------------------------------- */

static void test_syntax(void **state)
{
	static const struct vector vectors[] = {
		{ "{\\rtf1 a\r\nb\nc}", NULL, "abc" },
		{ "{\\rtf1 a\\\r\nb\\\nc\\\rd\te\\\tf}", NULL,
		  "a\r\nb\r\nc\r\nd\te\tf" },
		/* one blank belongs to the word */
		{ "{\\rtf1\\b a\\b0  b\\b c}", NULL, "a bc" },
		{ "{\\rtf1\\b1a\\b-1b\\b-c}", NULL, "ab-c" },
		/* words that nobody knows, symbols, broken escapes */
		{ "{\\rtf1\\foo\\barbarbarbarbarbarbarbarbarbarbarbarbarbar5 "
		  "a\\:\\|\\;b\\'zzc\\'4}", NULL, "abzzc4" },
		{ "{\\rtf1 a{\\*\\foo b{c}\\'64}d{\\*\\b e}f{\\* g}}", NULL,
		  "adf g" },
		/* a star without a word of it */
		{ "{\\rtf1 a{\\*{\\foo b}c}d}", NULL, "abcd" },
		/* data that isn't RTF */
		{ "{\\rtf1 a\\bin4 {}}}\\b c}", NULL, "ac" },
		{ "{\\rtf1 a{\\pict\\bin2147483647 x}b}", NULL, "a" },
		{ "{\\rtf1 a\\bin-5 b\\bin c}", NULL, "abc" },
		/* more ends than beginnings, and fewer */
		{ "{\\rtf1 a}}}b", NULL, "a" },
		{ "{\\rtf1 a{b{{{c", NULL, "abc" },
		{ "{\\rtf1 a\\", NULL, "a" },
		{ "{\\rtf1 a\\'", NULL, "a" },
		/* what isn't shown */
		{ "{\\rtf1{\\info{\\title t}{\\author a}}{\\stylesheet{s;}}"
		  "{\\header h}{\\footer f}{\\*\\generator g;}a\\v b\\v0 c"
		  "{\\deleted d}{\\footnote e}{\\*\\bkmkstart x}"
		  "{\\object\\objemb{\\*\\objdata 00}{\\result r}}}",
		  NULL, "acr" },
		{ "{\\rtf1 a\\-b\\zwbo c\\_d\\~e}", NULL,
		  "abc\xe2\x80\x91""d\xc2\xa0""e" },
	};

	check_vectors(vectors, N_ELEMENTS(vectors));
}

/* Depth is bounded; what is deeper is missing, and nothing else. */
static void test_depth(void **state)
{
	const unsigned int depth = 1000000;
	string_t *rtf = str_new(default_pool, depth * 3);
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text;
	size_t size;
	unsigned int i;

	str_append(rtf, "{\\rtf1 a");
	for (i = 0; i < depth; i++)
		str_append(rtf, i == 4000 ? "{b" : "{");
	str_append(rtf, "deep");
	for (i = 0; i < depth; i++)
		str_append(rtf, "}");
	str_append(rtf, "c}");
	assert_int_equal(rtf_to_text(mem, str_data(rtf), str_len(rtf), NULL,
				     &text, &size), 0);
	assert_string_equal(text, "abc");
	talloc_free(mem);
	str_free(&rtf);
}

/* What would be too long is cut, and still a document. */
static void test_cut(void **state)
{
	const unsigned int count = 1500000;
	string_t *rtf = str_new(default_pool, count * 5 + 100);
	TALLOC_CTX *mem = talloc_new(NULL);
	char *html;
	size_t size;
	unsigned int i;

	str_append(rtf, "{\\rtf1 ");
	for (i = 0; i < count; i++)
		str_append(rtf, "\\par ");
	str_append(rtf, "}");
	assert_int_equal(rtf_to_html(mem, str_data(rtf), str_len(rtf), NULL,
				     &html, &size), 0);
	assert_true(size >= RTF_OUTPUT_MAX);
	assert_true(size < RTF_OUTPUT_MAX + RTF_OUTPUT_MAX / 10);
	assert_string_equal(html + size - strlen(HTML_TAIL), HTML_TAIL);
	talloc_free(mem);
	str_free(&rtf);
}

/* --- native ----------------------------------------------------------------- */

#define DIV(text) "<div>" text "</div>\r\n"
#define CALIBRI "<span style=\"font-family:'Calibri';font-size:11pt\">"

static void test_paragraphs(void **state)
{
	static const struct vector vectors[] = {
		{ "{\\rtf1 }", "", "" },
		{ "{\\rtf1 a\\par\\par b\\par}",
		  DIV("a") DIV("<br>") DIV("b"), "a\r\n\r\nb\r\n" },
		{ "{\\rtf1 a\\line b\\page c\\sect d}",
		  DIV("a<br>\r\nb") DIV("c") DIV("d"),
		  "a\r\nb\r\nc\r\nd" },
		{ "{\\rtf1\\qc a\\par\\pard\\qr b\\par\\qj c\\par\\ql d\\par"
		  "\\pard\\li720\\rtlpar e\\par\\li-5\\ltrpar f}",
		  "<div style=\"text-align:center\">a</div>\r\n"
		  "<div style=\"text-align:right\">b</div>\r\n"
		  "<div style=\"text-align:justify\">c</div>\r\n"
		  DIV("d")
		  "<div dir=\"rtl\" style=\"margin-left:36pt\">e</div>\r\n"
		  DIV("f"), NULL },
		/* blanks that count, markup that doesn't */
		{ "{\\rtf1  a  b   c\\line  d\\tab e&<\"'>}",
		  DIV("&nbsp;a &nbsp;b &nbsp; c<br>\r\n&nbsp;d"
		      "<span style=\"white-space:pre\">\t</span>"
		      "e&amp;&lt;&quot;'&gt;"),
		  " a  b   c\r\n d\te&<\"'>" },
	};

	check_native(vectors, N_ELEMENTS(vectors));
}

static void test_formats(void **state)
{
	static const struct vector vectors[] = {
		{ "{\\rtf1 a\\b b\\i c\\b0 d{\\ul e}\\plain f}",
		  DIV("a<b>b</b><b><i>c</i></b><i>d</i><i><u>e</u></i>f"),
		  "abcdef" },
		{ "{\\rtf1\\strike a\\strike0\\super b\\sub c\\nosupersub d"
		  "\\uldb e\\ulnone f\\ul0 g}",
		  DIV("<s>a</s><sup>b</sup><sub>c</sub>d<u>e</u>fg"), NULL },
		/* a format without text is none */
		{ "{\\rtf1\\b\\b0 a\\b\\par\\b0 b}", DIV("a") DIV("b"), NULL },
		{ "{\\rtf1\\b a\\par b}", DIV("<b>a</b>") DIV("<b>b</b>"),
		  NULL },
		{ "{\\rtf1\\deff0{\\fonttbl{\\f0\\fswiss Arial;}"
		  "{\\f1\\fmodern\\fcharset0 Courier New{\\*\\falt Mono};}"
		  "{\\f2 x'</style>\\\"\\'82;}{\\f3 ;}}"
		  "{\\colortbl;\\red255\\green0\\blue0;\\red0\\green300\\blue-1;}"
		  "a\\f1\\fs20 b\\cf1 c\\cf2\\highlight1 d\\cf0\\highlight0"
		  "\\fs21 e\\f2\\fs0 f\\f3 g\\cf99 h}",
		  DIV("<span style=\"font-family:'Arial'\">a</span>"
		      "<span style=\"font-family:'Courier New';"
		      "font-size:10pt\">b</span>"
		      "<span style=\"font-family:'Courier New';font-size:10pt;"
		      "color:#ff0000\">c</span>"
		      "<span style=\"font-family:'Courier New';font-size:10pt;"
		      "color:#00ff00;background-color:#ff0000\">d</span>"
		      "<span style=\"font-family:'Courier New';"
		      "font-size:10.5pt\">e</span>"
		      "<span style=\"font-family:'xstyle'\">f</span>gh"), NULL },
		{ "{\\rtf1\\lquote a\\rquote\\emdash\\bullet}",
		  DIV("\xe2\x80\x98""a\xe2\x80\x99\xe2\x80\x94\xe2\x80\xa2"),
		  "\xe2\x80\x98""a\xe2\x80\x99\xe2\x80\x94\xe2\x80\xa2" },
	};

	check_native(vectors, N_ELEMENTS(vectors));
}

/* as Word writes it, with all that it has to say about itself */
static void test_word(void **state)
{
	static const struct vector vectors[] = {
		{ "{\\rtf1\\adeflang1025\\ansi\\ansicpg1252\\uc1\\adeff31507"
		  "\\deff0\\stshfdbch31506\\deflang1031\\themelang1031"
		  "{\\fonttbl{\\f0\\fbidi \\froman\\fcharset0\\fprq2"
		  "{\\*\\panose 02020603050405020304}Times New Roman;}"
		  "{\\f3\\fbidi \\froman\\fcharset2\\fprq2 Symbol;}"
		  "{\\fhiminor\\f31506\\fbidi \\fswiss\\fcharset0 Calibri;}}\r\n"
		  "{\\colortbl;\\red0\\green0\\blue0;\\red0\\green0\\blue255;"
		  "\\cfollowedhyperlink\\ctint255\\cshade255\\red128\\green0"
		  "\\blue128;}{\\*\\defchp \\f31506\\fs22 }"
		  "{\\*\\defpap \\ql \\li0\\ri0\\sa160 }\\noqfpromote "
		  "{\\stylesheet{\\ql \\li0\\snext0 \\sqformat Normal;}"
		  "{\\*\\cs10 \\additive Default Paragraph Font;}}\r\n"
		  "{\\*\\rsidtbl \\rsid1234}{\\mmathPr\\mmathFont34}"
		  "{\\info{\\author A}{\\creatim\\yr2024\\mo1}{\\version2}}"
		  "{\\*\\xmlnstbl {\\xmlns1 http://example.org/}}\\paperw11906"
		  "{\\*\\template C:\\\\\\\\Normal.dotm}\\ltrpar \\sectd "
		  "{\\*\\pnseclvl1\\pnucrm\\pnstart1{\\pntxta .}}\r\n"
		  "\\pard\\plain \\ltrpar\\ql \\li0\\itap0 \\rtlch\\fcs1 "
		  "\\af31507\\afs22\\alang1025 \\ltrch\\fcs0 \\f31506\\fs22 "
		  "{\\rtlch\\fcs1 \\af31507 \\ltrch\\fcs0 \\insrsid1 Hallo }"
		  "{\\rtlch\\fcs1 \\ab\\af31507 \\ltrch\\fcs0 \\b Welt}"
		  "{\\insrsid1 , gr\\'fc\\'df.\r\n\\par }"
		  "\\pard \\ltrpar\\fi-360\\li720{\\*\\pn \\pnlvlbody\\ilvl0}"
		  "\\ls1\\lin720 {\\listtext\\pard\\plain\\ltrpar \\f3 "
		  "\\loch\\af3\\dbch\\af31506\\hich\\f3 \\'b7\\tab}"
		  "{\\insrsid1 Punkt\r\n\\par }\\pard \\ltrpar\\li0 "
		  "{\\field\\fldedit{\\*\\fldinst {\\insrsid1  HYPERLINK "
		  "\"https://example.org/\" }{{\\*\\datafield 00d0c9ea}}}"
		  "{\\fldrslt {\\cs15\\ul\\cf2 link}}}\\sectd \\par "
		  "{\\*\\themedata 504b}{\\*\\latentstyles\\lsdstimax376"
		  "{\\lsdlockedexcept \\lsdqformat1 Normal;}}}",
		  DIV(CALIBRI "Hallo </span><b>" CALIBRI "Welt</span></b>"
		      CALIBRI ", gr\xc3\xbc\xc3\x9f.</span>")
		  "<div style=\"margin-left:36pt\">" CALIBRI
		  "\xe2\x80\xa2 Punkt</span></div>\r\n"
		  DIV("<a href=\"https://example.org/\"><u><span style=\""
		      "font-family:'Calibri';font-size:11pt;color:#0000ff\">"
		      "link</span></u></a>"),
		  "Hallo Welt, gr\xc3\xbc\xc3\x9f.\r\n"
		  "\xe2\x80\xa2 Punkt\r\nlink <https://example.org/>\r\n" },
	};

	check_native(vectors, N_ELEMENTS(vectors));
}

/* as WordPad and Outlook write them */
static void test_lists(void **state)
{
	static const struct vector vectors[] = {
		{ "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fnil;}"
		  "{\\f1\\fnil\\fcharset2 Symbol;}}"
		  "\\pard{\\pntext\\f1\\'B7\\tab}{\\*\\pn\\pnlvlblt\\pnf1"
		  "\\pnindent0{\\pntxtb\\'B7}}\\fi-360\\li720 one\\par\r\n"
		  "{\\pntext\\f1\\'B7\\tab}two\\par\r\n\\pard three\\par}",
		  "<div style=\"margin-left:36pt\">\xe2\x80\xa2 one</div>\r\n"
		  "<div style=\"margin-left:36pt\">\xe2\x80\xa2 two</div>\r\n"
		  DIV("three"),
		  "\xe2\x80\xa2 one\r\n\xe2\x80\xa2 two\r\nthree\r\n" },
		{ "{\\rtf1{\\*\\listtable{\\list{\\listlevel{\\leveltext "
		  "\\'02\\'00.;}}}}{\\listtext 1.\\tab}a\\par"
		  "{\\listtext 2.\\tab}\\par}",
		  DIV("1. a") DIV("2. "), "1. a\r\n2. \r\n" },
	};

	check_native(vectors, N_ELEMENTS(vectors));
}

static void test_tables(void **state)
{
	static const struct vector vectors[] = {
		{ "{\\rtf1 before\\par\\trowd\\cellx1000\\cellx2000"
		  "\\pard\\intbl a\\cell b\\par c\\cell\\row"
		  "\\trowd\\pard\\intbl\\cell d\\cell\\row\\pard after\\par}",
		  DIV("before")
		  "<table>\r\n<tr><td>" DIV("a") "</td><td>" DIV("b") DIV("c")
		  "</td></tr>\r\n<tr><td></td><td>" DIV("d")
		  "</td></tr>\r\n</table>\r\n" DIV("after"),
		  "before\r\na\tb\r\nc\r\n\td\r\nafter\r\n" },
		/* not closed; without \intbl */
		{ "{\\rtf1 a\\cell b",
		  DIV("a") "<table>\r\n<tr><td></td><td>" DIV("b")
		  "</td></tr>\r\n</table>\r\n", "a\tb" },
		{ "{\\rtf1\\row\\row x}", DIV("x"), "\r\n\r\nx" },
		/* tables in cells */
		{ "{\\rtf1\\intbl a{\\nestcell b\\nestcell{\\*\\nesttableprops"
		  "\\trowd\\nestrow}{\\nonesttables\\par}}\\cell\\row}",
		  "<table>\r\n<tr><td>"
		  DIV("a<span style=\"white-space:pre\">\t</span>b"
		      "<span style=\"white-space:pre\">\t</span>")
		  "</td></tr>\r\n</table>\r\n", "a\tb\t\r\n" },
	};

	check_native(vectors, N_ELEMENTS(vectors));
}

static void test_links(void **state)
{
	static const struct vector vectors[] = {
		{ "{\\rtf1 x{\\field{\\*\\fldinst{HYPERLINK "
		  "\"http://example.org/?a=1&b=2\"}}{\\fldrslt{\\ul\\cf2 here}"
		  "}}y}",
		  DIV("x<a href=\"http://example.org/?a=1&amp;b=2\"><u>here"
		      "</u></a>y"),
		  "xhere <http://example.org/?a=1&b=2>y" },
		{ "{\\rtf1{\\field{\\*\\fldinst HYPERLINK mailto:a@example.org "
		  "}{\\fldrslt a@example.org}} b}",
		  DIV("<a href=\"mailto:a@example.org\">a@example.org</a> b"),
		  "a@example.org b" },
		{ "{\\rtf1{\\field{\\*\\fldinst HYPERLINK \\\\l \"there\" "
		  "\\\\o \"a tip\" \"https://x.example/\"}{\\fldrslt t}}}",
		  DIV("<a href=\"https://x.example/\">t</a>"),
		  "t <https://x.example/>" },
		/* nowhere to go, or not where it's safe; other fields */
		{ "{\\rtf1{\\field{\\*\\fldinst HYPERLINK \\\\l \"there\"}"
		  "{\\fldrslt a}}{\\field{\\*\\fldinst HYPERLINK "
		  "\"javascript:alert(1)\"}{\\fldrslt b}}"
		  "{\\field{\\*\\fldinst PAGE}{\\fldrslt c}}"
		  "{\\field{\\*\\fldinst}{\\fldrslt d}}{\\fldrslt e}}",
		  DIV("abcde"), "abcde" },
		/* one in another; over the end of a paragraph; nothing in it */
		{ "{\\rtf1{\\field{\\*\\fldinst HYPERLINK \"http://a/\"}"
		  "{\\fldrslt a{\\field{\\*\\fldinst HYPERLINK \"http://b/\"}"
		  "{\\fldrslt b}}c}}d}",
		  DIV("<a href=\"http://a/\">abc</a>d"), "abc <http://a/>d" },
		{ "{\\rtf1{\\field{\\*\\fldinst HYPERLINK \"http://a/\"}"
		  "{\\fldrslt a\\par b}}c}",
		  DIV("<a href=\"http://a/\">a</a>") DIV("bc"),
		  "a\r\nb <http://a/>c" },
		{ "{\\rtf1{\\field{\\*\\fldinst HYPERLINK \"http://a/\"}"
		  "{\\fldrslt}}}",
		  DIV("<a href=\"http://a/\"></a>"), "<http://a/>" },
		{ "{\\rtf1{\\field{\\*\\fldinst HYPERLINK \"http://a/\"}"
		  "{\\fldrslt{\\trowd\\intbl a\\cell}{\\row}}}b}",
		  NULL, "a <http://a/>\r\nb" },
	};

	/* (the last: what the end of a row takes away may be a link's) */
	check_native(vectors, N_ELEMENTS(vectors) - 1);
	check(vectors[N_ELEMENTS(vectors) - 1].rtf, NULL, NULL,
	      "a\r\n <http://a/>b");
}

/* places of attachments, [MS-OXRTFEX] 2.2.3.4 */
static void test_objects(void **state)
{
	static const struct rtf_object objects[] = {
		{ "a <b>.png", "id1@x" }, { "report.pdf", NULL },
	};
	const struct rtf_objects both = { objects, 2 }, one = { objects, 1 };
	const char *rtf = "{\\rtf1 x\\objattph\\'20y{\\objattph } z}";

	assert_int_equal(rtf_object_places((const uint8_t *)rtf, strlen(rtf)),
			 2);
	assert_int_equal(rtf_object_places((const uint8_t *)"{\\objattphs}",
					   12), 0);
	check(rtf, &both, HTML_HEAD
	      DIV("x<img src=\"cid:id1@x\" alt=\"a &lt;b&gt;.png\">y"
		  "&lt;&lt;report.pdf&gt;&gt; z") HTML_TAIL,
	      "x<<a <b>.png>>y<<report.pdf>> z");
	check(rtf, &one, NULL, "x<<a <b>.png>>y z");
	check(rtf, NULL, HTML_HEAD DIV("xy z") HTML_TAIL, "xy z");
}

/* --- writing ---------------------------------------------------------------- */

static void check_round_trip(bool html, const char *input, const char *expected)
{
	const uint8_t *data = (const uint8_t *)input;
	TALLOC_CTX *mem = talloc_new(NULL);
	size_t i, rtf_size, size;
	uint8_t *rtf;
	char *output;

	if (html) {
		rtf_from_html(mem, data, strlen(input), &rtf, &rtf_size);
		assert_int_equal(rtf_kind(rtf, rtf_size), RTF_KIND_HTML);
		assert_int_equal(rtf_to_html(mem, rtf, rtf_size, NULL,
					     &output, &size), 0);
	} else {
		rtf_from_text(mem, data, strlen(input), &rtf, &rtf_size);
		assert_int_equal(rtf_kind(rtf, rtf_size), RTF_KIND_TEXT);
		assert_int_equal(rtf_to_text(mem, rtf, rtf_size, NULL,
					     &output, &size), 0);
	}
	assert_int_equal(rtf[rtf_size], '\0');
	for (i = 0; i < rtf_size; i++)
		assert_true(rtf[i] > 0 && rtf[i] < 0x80);
	assert_string_equal(output, expected);
	talloc_free(mem);
}

static void test_from_text(void **state)
{
	static const char *const texts[] = {
		"", "a", "a\r\n", "\r\n\r\n", "a {b} \\c\\par\td \r\n e",
		"gr\xc3\xbc\xc3\x9f""e \xe2\x82\xac \xf0\x9f\x98\x80\xed\x95\x9c",
		"-1 5?", "\xc3\xa4?\xc3\xa4""5 \xc3\xa4\\'41", " \t \r\n ",
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(texts); i++)
		check_round_trip(FALSE, texts[i], texts[i]);
	check_round_trip(FALSE, "a\nb\rc\x01\xff\x7f" "d\xc2\x85",
			 "a\r\nb\r\nc\xef\xbf\xbd" "d");
}

static void test_from_html(void **state)
{
	static const char *const documents[] = {
		"", "text", "<html><head><title>T & {t}</title>\r\n"
		"<style>\r\np { color: red }\r\n</style></head>\r\n"
		"<body class=\"a>b\">\r\n  <p>one  two\r\n\t three<br>\r\n"
		"&nbsp;&lt;&amp;&#8364;&#x20ac;&#0;&bogus;& &;\r\n</p>"
		"<!-- <p> \r\n -->\r\n</body></html>\r\n",
		"<pre>\r\n a\r\n\tb\r\n</pre>", "a < b > c </ d <3 <",
		"<ul><li>a<li>b</ul><table><tr><td>x<td>y</table>",
		"<b>bold</b><i>it</i><u>ul</u>\xe2\x80\x98\xf0\x9f\x98\x80",
		"<p title=\"unterminated>text</p>", "<!-- unterminated",
		"<script>if (a<b) { x = '</p>' }</script>y", "<style>x",
		"<![if !vml]><p>x<![endif]><?xml:namespace ?>", "&", "<", "&#",
		"\\{}\\par{\\*\\htmltag64 <p>}", "<o:p></o:p>\r\n \r\n",
		spec_html,
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(documents); i++)
		check_round_trip(TRUE, documents[i], documents[i]);
	check_round_trip(TRUE, "<p>\na\rb\x02</p\n>", "<p>\r\na\r\nb</p\r\n>");
}

/* What it is to those who don't know of the wrapping: the same RTF without the
   word that says so */
static void test_from_html_shown(void **state)
{
	static const char html[] =
		"<html><head><title>T</title><style>p {}</style></head>"
		"<body>\r\n<p>one\r\n  <b>two</b>&nbsp;&lt;</p>\r\n"
		"<div>three<br>four</div><ul><li>five</ul>"
		"<table><tr><td>a<td>b</tr></table></body></html>";
	TALLOC_CTX *mem = talloc_new(NULL);
	uint8_t *rtf;
	char *text;
	size_t size;

	rtf_from_html(mem, (const uint8_t *)html, strlen(html), &rtf, &size);
	memcpy(strstr((char *)rtf, "\\fromhtml1"), "\\fromhtml9", 10);
	assert_int_equal(rtf_to_text(mem, rtf, size, NULL, &text, &size), 0);
	assert_string_equal(text, "one two\xc2\xa0<\r\nthree\r\nfour\r\n"
			    "\xe2\x80\xa2\tfive\r\na\tb\r\n");
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind),
		cmocka_unit_test(test_not_rtf),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_codepages),
		cmocka_unit_test(test_unicode),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_paragraphs),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_word),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_from_text),
		cmocka_unit_test(test_from_html),
		cmocka_unit_test(test_from_html_shown),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
