/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "istream.h"
#include "istream-concat.h"
#include "message-part.h"
#include "message-part-data.h"
#include "mime-body.h"
#include "mime-charset.h"
#include "mime-part-info.h"
#include "mime-part-stream.h"
#include "mime-text.h"
#include "mime-text-filters.h"

/* How far text that says it's UTF-8 is looked at for being something else.
   Text without a label is read to its end. */
#define UTF8_PROBE_SIZE (256*1024)
/* where a HTML document says its character set, [HTML] 4.2.5.4 */
#define HTML_META_SIZE 1024

struct body_charset {
	struct mime_charset charset;
	bool known;
};

struct mime_body {
	const struct mime_structure *structure;
	/* of structure->bodies, and of their alternatives */
	struct body_charset *charsets, *alternative_charsets;
};

enum mime_native_body
mime_body_native(const struct mime_structure *structure)
{
	unsigned int i;

	/* A clear-signed message has MIME_NATIVE_CLEAR_SIGNED only where the
	   body hasn't been taken out of smime.p7m. */
	if (structure->body_count == 0)
		return MIME_NATIVE_UNDEFINED;
	for (i = 0; i < structure->body_count; i++) {
		if (structure->bodies[i].html)
			return MIME_NATIVE_HTML;
	}
	return MIME_NATIVE_PLAIN;
}

struct mime_body *
mime_body_init(TALLOC_CTX *parent, const struct mime_structure *structure)
{
	struct mime_body *body;
	unsigned int count = structure->body_count;

	body = mime_check_alloc(talloc_zero(parent, struct mime_body));
	body->structure = structure;
	body->charsets = mime_check_alloc(talloc_zero_array(body,
		struct body_charset, I_MAX(count, 1)));
	body->alternative_charsets = mime_check_alloc(talloc_zero_array(body,
		struct body_charset, I_MAX(count, 1)));
	return body;
}

/* --- character sets -------------------------------------------------------- */

/* <meta charset="..."> or <meta ... content="text/html; charset=..."> near the
   beginning; NULL if there's none. On the data stack. */
static const char *html_meta_charset(const unsigned char *data, size_t size)
{
	const char *str, *p;
	size_t len;

	str = t_strndup(data, I_MIN(size, HTML_META_SIZE));
	str = str_lcase(t_strdup_noconst(str));
	for (p = strstr(str, "<meta"); p != NULL; p = strstr(p, "<meta")) {
		const char *end = strchr(p, '>');
		const char *charset = strstr(p, "charset");

		p += 5;
		if (end == NULL)
			break;
		if (charset == NULL || charset > end)
			continue;
		charset += strlen("charset");
		charset += strspn(charset, " \t\r\n=\"'");
		len = strcspn(charset, " \t\r\n\"';/>");
		if (len > 0)
			return t_strndup(charset, len);
	}
	return NULL;
}

static int
charset_probe(struct istream *input, bool labelled,
	      struct mime_charset *charset)
{
	struct mime_charset_probe probe;
	const unsigned char *data;
	uoff_t seen = 0;
	size_t size;

	i_zero(&probe);
	while (i_stream_read_more(input, &data, &size) > 0) {
		mime_charset_probe_more(&probe, data, size);
		seen += size;
		i_stream_skip(input, size);
		if (labelled && seen >= UTF8_PROBE_SIZE)
			break;
	}
	mime_charset_decide(charset, &probe);
	return input->stream_errno != 0 ? -1 : 0;
}

static int
part_find_charset(const struct message_part *part, struct istream *message,
		  struct mime_charset *charset_r)
{
	struct istream *input;
	const unsigned char *data;
	const char *label;
	size_t size;
	int ret = 0;

	label = t_mime_part_param(part, "charset");
	if (label != NULL && (strcasecmp(label, "us-ascii") == 0 ||
			      strcasecmp(label, "x-unknown") == 0)) {
		/* also what BODYSTRUCTURE says where there's nothing */
		label = NULL;
	}
	mime_charset_find(label, charset_r);
	if (!charset_r->doubtful)
		return 0;

	input = mime_part_open_decoded(part, message);
	if (label == NULL && mime_part_is(part, "text", "html")) {
		(void)i_stream_read_bytes(input, &data, &size, HTML_META_SIZE);
		if (size > 0)
			label = html_meta_charset(data, size);
		if (label != NULL)
			mime_charset_find(label, charset_r);
	}
	if (charset_r->doubtful) {
		ret = charset_probe(input, label != NULL &&
				    charset_r->codepage == MIME_CODEPAGE_UTF8,
				    charset_r);
	}
	i_stream_unref(&input);
	return ret;
}

static int
find_charset(struct mime_body *body, const struct message_part *part,
	     struct istream *message, struct body_charset *charset)
{
	int ret;

	if (charset->known)
		return 0;
	T_BEGIN {
		ret = part_find_charset(part, message, &charset->charset);
		charset->charset.name =
			mime_strdup(body, charset->charset.name);
	} T_END;
	charset->known = ret == 0;
	return ret;
}

static struct istream *
open_utf8(struct mime_body *body, const struct message_part *part,
	  struct istream *message, struct body_charset *charset)
{
	struct istream *input;

	/* if this fails, so does the reading of the stream */
	(void)find_charset(body, part, message, charset);
	input = mime_part_open_decoded(part, message);
	mime_filter_push(&input, mime_charset_filter(charset->charset.name));
	return input;
}

/* --- text ------------------------------------------------------------------ */

static void push_lines_filter(struct istream **input,
			      const struct message_part *part)
{
	const char *format, *delsp;

	T_BEGIN {
		format = t_mime_part_param(part, "format");
		delsp = t_mime_part_param(part, "delsp");
		mime_filter_push(input, mime_text_lines_filter(
			format != NULL && strcasecmp(format, "flowed") == 0,
			delsp != NULL && strcasecmp(delsp, "yes") == 0));
	} T_END;
}

static struct istream *
open_part_text(struct mime_body *body, unsigned int i, struct istream *message)
{
	const struct mime_body_part *part = &body->structure->bodies[i];
	struct istream *input;

	if (part->alternative_text != NULL) {
		input = open_utf8(body, part->alternative_text, message,
				  &body->alternative_charsets[i]);
		push_lines_filter(&input, part->alternative_text);
		return input;
	}
	input = open_utf8(body, part->part, message, &body->charsets[i]);
	if (part->html)
		mime_filter_push(&input, mime_html_to_text_filter());
	else
		push_lines_filter(&input, part->part);
	return input;
}

static struct istream *
concat_parts(struct mime_body *body, struct istream *message,
	     struct istream *(*open)(struct mime_body *body, unsigned int i,
				     struct istream *message),
	     const char *before, const char *between, const char *after)
{
	unsigned int i, count = 0, parts = body->structure->body_count;
	struct istream **inputs, *input;

	inputs = t_new(struct istream *, parts * 2 + 2);
	inputs[count++] = i_stream_create_from_data(before, strlen(before));
	for (i = 0; i < parts; i++) {
		if (i > 0) {
			inputs[count++] = i_stream_create_from_data(between,
				strlen(between));
		}
		inputs[count++] = open(body, i, message);
	}
	inputs[count++] = i_stream_create_from_data(after, strlen(after));
	input = i_stream_create_concat(inputs);
	for (i = 0; i < count; i++)
		i_stream_unref(&inputs[i]);
	return input;
}

struct istream *
mime_body_open_text(struct mime_body *body, struct istream *message)
{
	struct istream *input;

	switch (body->structure->body_count) {
	case 0:
		return i_stream_create_from_data("", 0);
	case 1:
		return open_part_text(body, 0, message);
	}
	T_BEGIN {
		input = concat_parts(body, message, open_part_text,
				     "", "\r\n", "");
	} T_END;
	return input;
}

/* --- HTML ------------------------------------------------------------------ */

/* The one HTML part whose bytes are PidTagHtml's; NULL if HTML is made */
static const struct mime_body_part *single_html(const struct mime_body *body)
{
	const struct mime_body_part *part = body->structure->bodies;

	return body->structure->body_count == 1 && part->html &&
		part->part->body_size.physical_size > 0 ? part : NULL;
}

int mime_body_codepage(struct mime_body *body, struct istream *message,
		       uint32_t *codepage_r)
{
	const struct mime_body_part *part = single_html(body);

	*codepage_r = MIME_CODEPAGE_UTF8;
	if (part == NULL)
		return 0;
	if (find_charset(body, part->part, message, &body->charsets[0]) < 0)
		return -1;
	if (body->charsets[0].charset.codepage != 0)
		*codepage_r = body->charsets[0].charset.codepage;
	return 0;
}

static struct istream *
open_part_fragment(struct mime_body *body, unsigned int i,
		   struct istream *message)
{
	const struct mime_body_part *part = &body->structure->bodies[i];
	struct istream *input;

	input = open_utf8(body, part->part, message, &body->charsets[i]);
	if (!part->html) {
		push_lines_filter(&input, part->part);
		mime_filter_push(&input, mime_text_to_html_filter(FALSE));
	}
	return input;
}

static struct istream *
open_single(struct mime_body *body, struct istream *message)
{
	const struct mime_body_part *part = body->structure->bodies;
	struct istream *input;
	uint32_t codepage;

	if (single_html(body) == NULL) {
		/* text, or an empty HTML */
		input = open_utf8(body, part->part, message,
				  &body->charsets[0]);
		push_lines_filter(&input, part->part);
		mime_filter_push(&input, mime_text_to_html_filter(TRUE));
		return input;
	}
	if (mime_body_codepage(body, message, &codepage) < 0 ||
	    body->charsets[0].charset.codepage != 0)
		return mime_part_open_decoded(part->part, message);
	return open_utf8(body, part->part, message, &body->charsets[0]);
}

struct istream *
mime_body_open_html(struct mime_body *body, struct istream *message)
{
	struct istream *input, *empty;

	switch (body->structure->body_count) {
	case 0:
		empty = i_stream_create_from_data("", 0);
		input = i_stream_create_mime_filter(empty,
				mime_text_to_html_filter(TRUE));
		i_stream_unref(&empty);
		return input;
	case 1:
		return open_single(body, message);
	}
	/* Parts that are documents themselves are shown one after the other by
	   everything that shows HTML. */
	T_BEGIN {
		input = concat_parts(body, message, open_part_fragment,
			"<html>\r\n<head>\r\n"
			"<meta http-equiv=\"Content-Type\" "
			"content=\"text/html; charset=utf-8\">\r\n"
			"</head>\r\n<body>\r\n", "<br>\r\n",
			"\r\n</body>\r\n</html>\r\n");
	} T_END;
	return input;
}

struct istream *
mime_body_open_html_utf8(struct mime_body *body, struct istream *message)
{
	if (single_html(body) == NULL)
		return mime_body_open_html(body, message);
	return open_utf8(body, body->structure->bodies->part, message,
			 &body->charsets[0]);
}
