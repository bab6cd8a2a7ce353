/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writing content: Content-Transfer-Encoding chosen by what is in it.
   [RFC2045] 6, [MS-OXCMAIL] 2.1.3.3.5

   Boundaries of multiparts contain "=_", which can't be in quoted-printable or
   base64. What has lines that could be taken for one isn't sent as it is. */

#include "lib.h"
#include "base64.h"
#include "buffer.h"
#include "istream.h"
#include "ostream.h"
#include "str.h"
#include "mime-build-private.h"
#include "mime-charset.h"
#include "mime-part-stream.h"

/* [RFC5322] 2.1.1: 998 */
#define MAX_PLAIN_LINE 990
/* of the beginning of a line that is looked at */
#define LINE_START_LEN 5
#define BOUNDARY_LINE_START "--=_"
/* [RFC2045] 6.7 (5), 6.8 */
#define QP_LINE_LEN 76
#define BASE64_LINE_BYTES 57

struct istream *mime_build_open(const struct mapi_content_prop *prop)
{
	if (prop == NULL)
		return NULL;
	if (prop->stream != NULL) {
		i_stream_ref(prop->stream);
		i_stream_seek(prop->stream, 0);
		return prop->stream;
	}
	if (prop->value.type != PTYP_BINARY && prop->value.type != PTYP_OBJECT)
		return NULL;
	return i_stream_create_from_data(prop->value.u.bin.data,
					 prop->value.u.bin.len);
}

/* --- what is in it ---------------------------------------------------------- */

struct line_scan {
	size_t len;
	unsigned char start[LINE_START_LEN];
	bool last_cr;
};

static void line_end(struct mime_build_scan *scan, struct line_scan *line)
{
	/* mbox, SMTP */
	if (line->len >= 5 && memcmp(line->start, "From ", 5) == 0)
		scan->unsafe = TRUE;
	if (line->len == 1 && line->start[0] == '.')
		scan->unsafe = TRUE;
	if (line->len >= strlen(BOUNDARY_LINE_START) &&
	    memcmp(line->start, BOUNDARY_LINE_START,
		   strlen(BOUNDARY_LINE_START)) == 0)
		scan->unsafe = TRUE;
	if (line->len > MAX_PLAIN_LINE)
		scan->unsafe = TRUE;
	line->len = 0;
}

static void
scan_byte(struct mime_build_scan *scan, struct line_scan *line,
	  unsigned char c)
{
	if (line->last_cr && c != '\n')
		scan->bare_cr = TRUE;
	switch (c) {
	case '\r':
	case '\n':
		if (c == '\n' && !line->last_cr)
			scan->bare_lf = TRUE;
		if (c == '\r' || !line->last_cr)
			line_end(scan, line);
		line->last_cr = c == '\r';
		return;
	case '\0':
		scan->nul = TRUE;
		break;
	case '=':
		scan->equals++;
		break;
	default:
		if (c >= 0x80)
			scan->high++;
		break;
	}
	line->last_cr = FALSE;
	if (line->len < LINE_START_LEN)
		line->start[line->len] = c;
	line->len++;
}

int mime_build_scan(struct istream *input, struct mime_build_scan *scan_r)
{
	struct mime_charset_probe probe;
	struct line_scan line;
	const unsigned char *data;
	size_t size, i;

	i_zero(scan_r);
	i_zero(&line);
	i_zero(&probe);
	i_stream_seek(input, 0);
	while (i_stream_read_more(input, &data, &size) > 0) {
		for (i = 0; i < size; i++)
			scan_byte(scan_r, &line, data[i]);
		mime_charset_probe_more(&probe, data, size);
		scan_r->size += size;
		i_stream_skip(input, size);
	}
	if (line.last_cr)
		scan_r->bare_cr = TRUE;
	line_end(scan_r, &line);
	if (probe.missing > 0)
		probe.invalid++;
	scan_r->not_utf8 = !mime_charset_probe_is_utf8(&probe);
	return input->stream_errno != 0 ? -1 : 0;
}

enum mime_build_encoding
mime_build_encoding_choose(const struct mime_build_scan *scan)
{
	if (scan->nul)
		return MIME_BUILD_BASE64;
	if (scan->high == 0 && !scan->bare_cr && !scan->bare_lf &&
	    !scan->unsafe)
		return MIME_BUILD_7BIT;
	/* which one is shorter */
	return (scan->high + scan->equals) * 2 <= scan->size / 3 ?
		MIME_BUILD_QUOTED_PRINTABLE : MIME_BUILD_BASE64;
}

const char *mime_build_encoding_name(enum mime_build_encoding encoding)
{
	switch (encoding) {
	case MIME_BUILD_7BIT:
		return "7bit";
	case MIME_BUILD_QUOTED_PRINTABLE:
		return "quoted-printable";
	case MIME_BUILD_BASE64:
		return "base64";
	}
	i_unreached();
}

/* --- writing ---------------------------------------------------------------- */

int mime_build_send(struct mime_build *ctx, const void *data, size_t size)
{
	ssize_t ret = o_stream_send(ctx->output, data, size);

	return ret < 0 || (size_t)ret != size ? -1 : 0;
}

int mime_build_send_header(struct mime_build *ctx, string_t *header)
{
	int ret;

	str_append(header, "\r\n");
	ret = mime_build_send(ctx, str_data(header), str_len(header));
	str_truncate(header, 0);
	return ret;
}

/* Takes pieces of any size. At the end, size is 0. */
struct encoder {
	void (*feed)(struct encoder *enc, const unsigned char *data,
		     size_t size, buffer_t *dest);
	/* base64: what isn't a whole line yet */
	unsigned char line[BASE64_LINE_BYTES];
	size_t line_len;
	/* quoted-printable: bytes in the line; what can't be written before
	   its next byte is known, -1 if nothing */
	size_t column;
	int pending;
};

static void plain_feed(struct encoder *enc, const unsigned char *data,
		       size_t size, buffer_t *dest)
{
	buffer_append(dest, data, size);
}

static void base64_line(struct encoder *enc, buffer_t *dest)
{
	if (enc->column > 0)
		str_append(dest, "\r\n");
	base64_encode(enc->line, enc->line_len, dest);
	enc->line_len = 0;
	enc->column = 1;
}

static void base64_feed(struct encoder *enc, const unsigned char *data,
			size_t size, buffer_t *dest)
{
	size_t add;

	if (size == 0 && enc->line_len > 0)
		base64_line(enc, dest);
	while (size > 0) {
		add = I_MIN(size, sizeof(enc->line) - enc->line_len);
		memcpy(enc->line + enc->line_len, data, add);
		enc->line_len += add;
		data += add;
		size -= add;
		if (enc->line_len == sizeof(enc->line))
			base64_line(enc, dest);
	}
}

static void qp_put(struct encoder *enc, unsigned char c, bool encode,
		   buffer_t *dest)
{
	size_t len = encode ? 3 : 1;

	/* with room for the = of a soft line break */
	if (enc->column + len > QP_LINE_LEN - 1) {
		str_append(dest, "=\r\n");
		enc->column = 0;
	}
	/* at the start of a line, what mail programs give a meaning */
	if (enc->column == 0 && !encode && (c == 'F' || c == '.')) {
		encode = TRUE;
		len = 3;
	}
	if (encode)
		str_printfa(dest, "=%02X", c);
	else
		buffer_append_c(dest, c);
	enc->column += len;
}

/* The pending byte, after which something other than a line's end comes. */
static void qp_flush(struct encoder *enc, bool at_end, buffer_t *dest)
{
	if (enc->pending >= 0) {
		/* a blank at the end gets lost, a CR isn't part of CRLF */
		qp_put(enc, enc->pending, at_end || enc->pending == '\r', dest);
	}
	enc->pending = -1;
}

static void qp_line_end(struct encoder *enc, buffer_t *dest)
{
	str_append(dest, "\r\n");
	enc->column = 0;
}

/* Pending is a blank, a CR, or a CR after a blank, which is written encoded. */
static void qp_feed(struct encoder *enc, const unsigned char *data,
		    size_t size, buffer_t *dest)
{
	size_t i;

	if (size == 0)
		qp_flush(enc, TRUE, dest);
	for (i = 0; i < size; i++) {
		unsigned char c = data[i];

		if (c == '\n' && enc->pending == '\r') {
			enc->pending = -1;
			qp_line_end(enc, dest);
			continue;
		}
		if (c == '\r' || c == ' ' || c == '\t') {
			qp_flush(enc, c == '\r', dest);
			enc->pending = c;
			continue;
		}
		qp_flush(enc, FALSE, dest);
		if (c == '\n') {
			/* a line's end of its own kind, also to be seen */
			qp_put(enc, c, TRUE, dest);
			str_append(dest, "=\r\n");
			enc->column = 0;
		} else {
			qp_put(enc, c, c < 0x20 || c >= 0x7f || c == '=', dest);
		}
	}
}

static int
encoder_send(struct mime_build *ctx, struct encoder *enc,
	     struct istream *input)
{
	const unsigned char *data;
	buffer_t *buf = buffer_create_dynamic(default_pool, 16384);
	size_t size;
	int ret = 0;

	while (ret == 0 && i_stream_read_more(input, &data, &size) > 0) {
		enc->feed(enc, data, size, buf);
		i_stream_skip(input, size);
		ret = mime_build_send(ctx, buf->data, buf->used);
		buffer_set_used_size(buf, 0);
	}
	if (ret == 0) {
		enc->feed(enc, NULL, 0, buf);
		ret = mime_build_send(ctx, buf->data, buf->used);
	}
	buffer_free(&buf);
	return ret < 0 || input->stream_errno != 0 ? -1 : 0;
}

int mime_build_send_encoded(struct mime_build *ctx, struct istream *input,
			    enum mime_build_encoding encoding)
{
	struct encoder enc;

	i_zero(&enc);
	enc.pending = -1;
	switch (encoding) {
	case MIME_BUILD_7BIT:
		enc.feed = plain_feed;
		break;
	case MIME_BUILD_QUOTED_PRINTABLE:
		enc.feed = qp_feed;
		break;
	case MIME_BUILD_BASE64:
		enc.feed = base64_feed;
		break;
	}
	i_stream_seek(input, 0);
	return encoder_send(ctx, &enc, input);
}

int mime_build_send_raw(struct mime_build *ctx, struct istream *input)
{
	struct encoder enc;
	int ret;

	i_zero(&enc);
	enc.feed = plain_feed;
	i_stream_ref(input);
	input = mime_stream_with_crlf(input);
	ret = encoder_send(ctx, &enc, input);
	i_stream_unref(&input);
	return ret;
}
