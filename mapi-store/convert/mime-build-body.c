/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bodies. [MS-OXCMAIL] 2.1.3.3, [MS-OXBBODY] 2.1.3

   HTML is written with its own bytes in its own character set, where that has a
   name, so that it's read back as it was saved. Plain text is UTF-8. HTML gets
   a plain text beside it: the one that was saved with it, else one that is made
   from it, as readers would have to. Where there's neither HTML nor text that
   counts, they are made of RTF. */

#include "lib.h"
#include "istream.h"
#include "str.h"
#include "mapi-codepage.h"
#include "mime-body.h"
#include "mime-build-private.h"
#include "mime-charset.h"
#include "mime-text-filters.h"

/* how to name bytes in a Windows code page, [MS-UCODEREF] 2.2.1 */
static const struct {
	uint32_t codepage;
	const char *label;
} labels[] = {
	{ 65001, "utf-8" }, { 1252, "windows-1252" },
	{ 28591, "iso-8859-1" }, { 28605, "iso-8859-15" },
	{ 1250, "windows-1250" }, { 1251, "windows-1251" },
	{ 1253, "windows-1253" }, { 1254, "windows-1254" },
	{ 1255, "windows-1255" }, { 1256, "windows-1256" },
	{ 1257, "windows-1257" }, { 1258, "windows-1258" },
	{ 874, "windows-874" }, { 28592, "iso-8859-2" },
	{ 28593, "iso-8859-3" }, { 28594, "iso-8859-4" },
	{ 28595, "iso-8859-5" }, { 28596, "iso-8859-6" },
	{ 28597, "iso-8859-7" }, { 28598, "iso-8859-8" },
	{ 28599, "iso-8859-9" }, { 28603, "iso-8859-13" },
	{ 20866, "koi8-r" }, { 21866, "koi8-u" },
	{ 437, "ibm437" }, { 850, "ibm850" }, { 852, "ibm852" },
	{ 866, "cp866" }, { 10000, "macintosh" },
	{ 936, "gbk" }, { 54936, "gb18030" }, { 950, "big5" },
	{ 949, "ks_c_5601-1987" }, { 51949, "euc-kr" },
	{ 932, "shift_jis" }, { 50220, "iso-2022-jp" },
	{ 50221, "iso-2022-jp" }, { 50222, "iso-2022-jp" },
	{ 51932, "euc-jp" }, { 20932, "euc-jp" }, { 50225, "iso-2022-kr" },
};

static const char *codepage_label(uint32_t codepage)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(labels); i++) {
		if (labels[i].codepage == codepage)
			return labels[i].label;
	}
	return NULL;
}

/* --- which bodies ----------------------------------------------------------- */

static bool has_html(const struct mapi_propset *props)
{
	const struct mapi_content_prop *prop =
		mapi_propset_find(props, PIDTAG_HTML);

	if (prop == NULL)
		return FALSE;
	if (prop->stream != NULL)
		return TRUE;
	switch (prop->value.type) {
	case PTYP_BINARY:
		return prop->value.u.bin.len > 0;
	case PTYP_STRING:
		return *prop->value.u.str != '\0';
	}
	return FALSE;
}

int mime_build_bodies_init(struct mime_build *ctx,
			   const struct mapi_content *content,
			   struct mime_build_bodies *bodies_r)
{
	const struct mapi_value *native;

	i_zero(bodies_r);
	bodies_r->content = content;
	bodies_r->text =
		mapi_propset_get_string(content->props, PIDTAG_BODY) != NULL;
	bodies_r->html = has_html(content->props);
	native = mapi_propset_get(content->props, PIDTAG_NATIVE_BODY);
	if (bodies_r->text && native != NULL &&
	    native->u.i32 == MIME_NATIVE_PLAIN)
		bodies_r->html = FALSE;
	return mime_build_bodies_add_rtf(ctx, bodies_r);
}

void mime_build_bodies_deinit(struct mime_build_bodies *bodies)
{
	TALLOC_FREE(bodies->rtf_mem);
}

/* --- their bytes ------------------------------------------------------------ */

struct istream *mime_build_open_html(const struct mime_build_bodies *bodies,
				     const char **label_r)
{
	const struct mapi_propset *props = bodies->content->props;
	const struct mapi_content_prop *prop =
		mapi_propset_find(props, PIDTAG_HTML);
	const struct mapi_value *codepage;
	struct istream *input;
	uint32_t cp;

	*label_r = "utf-8";
	if (bodies->rtf_html != NULL) {
		return i_stream_create_from_data(bodies->rtf_html,
						 bodies->rtf_html_size);
	}
	if (prop->stream == NULL && prop->value.type == PTYP_STRING) {
		/* PidTagBodyHtml */
		input = i_stream_create_from_data(prop->value.u.str,
						  strlen(prop->value.u.str));
		mime_filter_push(&input, mime_charset_filter("UTF-8"));
		return input;
	}
	input = mime_build_open(prop);
	codepage = mapi_propset_get(props, PIDTAG_INTERNET_CODEPAGE);
	cp = codepage == NULL ? MIME_CODEPAGE_UTF8 : (uint32_t)codepage->u.i32;
	*label_r = codepage_label(cp);
	if (*label_r == NULL && mapi_codepage_is_known(cp) &&
	    cp != MAPI_CODEPAGE_ASCII) {
		mime_filter_push(&input, mime_charset_filter(
			mapi_codepage_charset(cp)));
		*label_r = "utf-8";
	}
	return input;
}

/* Where nothing, or something wrong, says what the bytes are */
static const char *
html_label(const char *label, const struct mime_build_scan *scan)
{
	if (label != NULL && strcmp(label, "utf-8") != 0)
		return label;
	return scan->not_utf8 ? "windows-1252" : "utf-8";
}

static struct istream *open_text(const struct mime_build_bodies *bodies)
{
	struct istream *input;
	const char *text;

	if (bodies->rtf_text != NULL) {
		return i_stream_create_from_data(bodies->rtf_text,
						 bodies->rtf_text_size);
	}
	text = mapi_propset_get_string(bodies->content->props, PIDTAG_BODY);
	input = i_stream_create_from_data(text, strlen(text));
	mime_filter_push(&input, mime_charset_filter("UTF-8"));
	mime_filter_push(&input, mime_text_lines_filter(FALSE, FALSE));
	return input;
}

/* Plain text made of HTML */
static int
open_html_text(const struct mime_build_bodies *bodies,
	       struct istream **input_r)
{
	struct mime_build_scan scan;
	struct mime_charset charset;
	struct istream *input;
	const char *label;

	input = mime_build_open_html(bodies, &label);
	if (mime_build_scan(input, &scan) < 0) {
		i_stream_unref(&input);
		return -1;
	}
	i_stream_seek(input, 0);
	mime_charset_find(html_label(label, &scan), &charset);
	mime_filter_push(&input, mime_charset_filter(charset.name));
	mime_filter_push(&input, mime_html_to_text_filter());
	*input_r = input;
	return 0;
}

/* --- writing ---------------------------------------------------------------- */

static int
send_body(struct mime_build *ctx, struct istream *input, const char *type,
	  const char *charset, const struct mime_build_scan *scan,
	  string_t *header)
{
	enum mime_build_encoding encoding = mime_build_encoding_choose(scan);

	str_printfa(header, "Content-Type: %s; charset=%s\r\n"
		    "Content-Transfer-Encoding: %s\r\n", type, charset,
		    mime_build_encoding_name(encoding));
	if (mime_build_send_header(ctx, header) < 0)
		return -1;
	return mime_build_send_encoded(ctx, input, encoding);
}

static int
send_text(struct mime_build *ctx, const struct mime_build_bodies *bodies,
	  string_t *header)
{
	struct mime_build_scan scan;
	struct istream *input;
	int ret;

	if (bodies->text)
		input = open_text(bodies);
	else if (!bodies->html)
		input = i_stream_create_from_data("", 0);
	else if (open_html_text(bodies, &input) < 0)
		return -1;
	ret = mime_build_scan(input, &scan);
	if (ret == 0) {
		ret = send_body(ctx, input, "text/plain", "utf-8", &scan,
				header);
	}
	i_stream_unref(&input);
	return ret;
}

static int
send_html(struct mime_build *ctx, const struct mime_build_bodies *bodies,
	  string_t *header)
{
	struct mime_build_scan scan;
	struct istream *input;
	const char *label;
	int ret;

	input = mime_build_open_html(bodies, &label);
	ret = mime_build_scan(input, &scan);
	if (ret == 0) {
		ret = send_body(ctx, input, "text/html",
				html_label(label, &scan), &scan, header);
	}
	i_stream_unref(&input);
	return ret;
}

int mime_build_send_bodies(struct mime_build *ctx,
			   const struct mime_build_bodies *bodies,
			   string_t *header)
{
	const char *boundary;

	if (!bodies->html)
		return send_text(ctx, bodies, header);
	if (mime_build_multipart_begin(ctx, header, "alternative", NULL,
				       &boundary) < 0 ||
	    mime_build_multipart_next(ctx, boundary, TRUE) < 0 ||
	    send_text(ctx, bodies, header) < 0 ||
	    mime_build_multipart_next(ctx, boundary, FALSE) < 0 ||
	    send_html(ctx, bodies, header) < 0)
		return -1;
	return mime_build_multipart_end(ctx, boundary);
}
