/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "mime-text-filters.h"

/* Longer lines are handed on in pieces, and are never taken for flowed: those
   have 78 characters. */
#define MAX_LINE_LEN 4096
/* deeper quoting is shown as that deep */
#define MAX_QUOTE_DEPTH 32

struct lines_filter {
	struct mime_filter filter;
	string_t *line;
	/* the previous line goes on, at this depth of quoting */
	unsigned int depth;
	bool flowed, delsp;
	bool in_paragraph;
	/* some of the line has been handed on */
	bool partial;
	bool last_cr;
};

static void append_quote(string_t *dest, unsigned int depth)
{
	unsigned int i;

	for (i = 0; i < depth; i++)
		str_append_c(dest, '>');
	if (depth > 0)
		str_append_c(dest, ' ');
}

static void end_paragraph(struct lines_filter *f, buffer_t *dest)
{
	if (f->in_paragraph)
		str_append(dest, "\r\n");
	f->in_paragraph = FALSE;
}

/* [RFC3676] 4.1-4.6 */
static void
flowed_line(struct lines_filter *f, const char *line, size_t len,
	    bool complete, buffer_t *dest)
{
	unsigned int depth = 0;
	bool soft, signature;

	while (len > 0 && *line == '>') {
		depth++;
		line++;
		len--;
	}
	depth = I_MIN(depth, MAX_QUOTE_DEPTH);
	if (len > 0 && *line == ' ') {
		/* stuffed */
		line++;
		len--;
	}
	signature = len == 3 && memcmp(line, "-- ", 3) == 0;
	soft = complete && len > 0 && line[len-1] == ' ' && !signature;

	if (f->in_paragraph && (depth != f->depth || signature))
		end_paragraph(f, dest);
	if (!f->in_paragraph)
		append_quote(dest, depth);
	if (soft && f->delsp)
		len--;
	str_append_data(dest, line, len);
	f->depth = depth;
	f->in_paragraph = TRUE;
	if (!soft && complete)
		end_paragraph(f, dest);
}

static void emit_line(struct lines_filter *f, bool complete, buffer_t *dest)
{
	if (!f->flowed || f->partial) {
		str_append_str(dest, f->line);
		if (complete) {
			str_append(dest, "\r\n");
			f->in_paragraph = FALSE;
		}
	} else {
		flowed_line(f, str_c(f->line), str_len(f->line), complete,
			    dest);
	}
	str_truncate(f->line, 0);
	f->partial = !complete;
}

static void
lines_feed(struct mime_filter *filter, const unsigned char *data, size_t size,
	   buffer_t *dest)
{
	struct lines_filter *f = container_of(filter, struct lines_filter,
					      filter);
	size_t i;

	for (i = 0; i < size; i++) {
		if (data[i] == '\n') {
			if (!f->last_cr)
				emit_line(f, TRUE, dest);
			f->last_cr = FALSE;
		} else if (data[i] == '\r') {
			emit_line(f, TRUE, dest);
			f->last_cr = TRUE;
		} else {
			f->last_cr = FALSE;
			if (str_len(f->line) >= MAX_LINE_LEN)
				emit_line(f, FALSE, dest);
			str_append_c(f->line, data[i]);
		}
	}
}

static void lines_finish(struct mime_filter *filter, buffer_t *dest)
{
	struct lines_filter *f = container_of(filter, struct lines_filter,
					      filter);

	if (str_len(f->line) > 0) {
		/* a last line without an end stays so */
		emit_line(f, FALSE, dest);
	}
}

static void lines_reset(struct mime_filter *filter)
{
	struct lines_filter *f = container_of(filter, struct lines_filter,
					      filter);

	str_truncate(f->line, 0);
	f->in_paragraph = f->partial = f->last_cr = FALSE;
}

static void lines_free(struct mime_filter *filter)
{
	struct lines_filter *f = container_of(filter, struct lines_filter,
					      filter);

	str_free(&f->line);
	i_free(f);
}

struct mime_filter *mime_text_lines_filter(bool flowed, bool delsp)
{
	static const struct mime_filter vfuncs = {
		lines_feed, lines_finish, lines_reset, lines_free
	};
	struct lines_filter *f = i_new(struct lines_filter, 1);

	f->filter = vfuncs;
	f->line = str_new(default_pool, 256);
	f->flowed = flowed;
	f->delsp = delsp;
	return &f->filter;
}

/* --- plain text to HTML ---------------------------------------------------- */

struct html_filter {
	struct mime_filter filter;
	bool document, begun;
	/* HTML would drop a blank here */
	bool after_blank;
	bool last_cr;
};

static void html_begin(struct html_filter *f, buffer_t *dest)
{
	if (f->begun)
		return;
	f->begun = TRUE;
	f->after_blank = TRUE;
	if (f->document) {
		str_append(dest, "<html>\r\n<head>\r\n"
			   "<meta http-equiv=\"Content-Type\" "
			   "content=\"text/html; charset=utf-8\">\r\n"
			   "</head>\r\n<body>\r\n");
	}
	str_append(dest, "<div>");
}

static void
html_feed(struct mime_filter *filter, const unsigned char *data, size_t size,
	  buffer_t *dest)
{
	struct html_filter *f = container_of(filter, struct html_filter,
					     filter);
	bool last_cr;
	size_t i;

	html_begin(f, dest);
	for (i = 0; i < size; i++) {
		last_cr = f->last_cr;
		f->last_cr = data[i] == '\r';
		switch (data[i]) {
		case '\n':
			if (last_cr)
				continue;
			/* fall through */
		case '\r':
			str_append(dest, "<br>\r\n");
			f->after_blank = TRUE;
			continue;
		case ' ':
			if (f->after_blank)
				str_append(dest, "&nbsp;");
			else
				str_append_c(dest, ' ');
			f->after_blank = TRUE;
			continue;
		case '\t':
			str_append(dest, "&nbsp; &nbsp; &nbsp; &nbsp; ");
			f->after_blank = TRUE;
			continue;
		case '&':
			str_append(dest, "&amp;");
			break;
		case '<':
			str_append(dest, "&lt;");
			break;
		case '>':
			str_append(dest, "&gt;");
			break;
		case '"':
			str_append(dest, "&quot;");
			break;
		default:
			/* other control characters aren't allowed in HTML */
			if (data[i] >= 0x20 && data[i] != 0x7f)
				str_append_c(dest, data[i]);
			break;
		}
		f->after_blank = FALSE;
	}
}

static void html_finish(struct mime_filter *filter, buffer_t *dest)
{
	struct html_filter *f = container_of(filter, struct html_filter,
					     filter);

	html_begin(f, dest);
	str_append(dest, "</div>\r\n");
	if (f->document)
		str_append(dest, "</body>\r\n</html>\r\n");
}

static void html_reset(struct mime_filter *filter)
{
	struct html_filter *f = container_of(filter, struct html_filter,
					     filter);

	f->begun = f->after_blank = f->last_cr = FALSE;
}

static void html_free(struct mime_filter *filter)
{
	struct html_filter *f = container_of(filter, struct html_filter,
					     filter);

	i_free(f);
}

struct mime_filter *mime_text_to_html_filter(bool document)
{
	static const struct mime_filter vfuncs = {
		html_feed, html_finish, html_reset, html_free
	};
	struct html_filter *f = i_new(struct html_filter, 1);

	f->filter = vfuncs;
	f->document = document;
	return &f->filter;
}
