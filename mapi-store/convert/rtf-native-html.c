/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Native RTF as a HTML document. RTF has no elements that nest: what is open is
   closed and opened anew when something else begins. */

#include "lib.h"
#include "str.h"
#include "rtf-private.h"

struct html_sink {
	struct rtf_sink sink;
	bool in_table, in_row, in_cell, in_paragraph, in_link, in_format;
	/* of in_format */
	struct rtf_format open;
	/* another blank would be taken for the same */
	bool after_blank;
};

static struct html_sink *html_sink(struct rtf_sink *sink)
{
	return container_of(sink, struct html_sink, sink);
}

static void html_append(struct html_sink *html, const char *str)
{
	str_append(html->sink.dest, str);
}

static void
html_append_escaped(struct html_sink *html, const unsigned char *data,
		    size_t size)
{
	string_t *dest = html->sink.dest;
	size_t i;

	for (i = 0; i < size; i++) {
		switch (data[i]) {
		case '<':
			str_append(dest, "&lt;");
			break;
		case '>':
			str_append(dest, "&gt;");
			break;
		case '&':
			str_append(dest, "&amp;");
			break;
		case '"':
			str_append(dest, "&quot;");
			break;
		case ' ':
			str_append(dest, html->after_blank ? "&nbsp;" : " ");
			break;
		default:
			str_append_c(dest, data[i]);
			break;
		}
		html->after_blank = data[i] == ' ' && !html->after_blank;
	}
}

static void html_append_attr(struct html_sink *html, const char *value)
{
	html->after_blank = FALSE;
	html_append_escaped(html, (const unsigned char *)value, strlen(value));
}

/* --- characters ------------------------------------------------------------- */

static bool
format_equals(const struct rtf_format *a, const struct rtf_format *b)
{
	return a->bold == b->bold && a->italic == b->italic &&
		a->underline == b->underline && a->strike == b->strike &&
		a->script == b->script && a->size == b->size &&
		a->color == b->color && a->background == b->background &&
		strcmp(a->font, b->font) == 0;
}

static bool format_has_style(const struct rtf_format *format)
{
	return format->size != 0 || format->color != RTF_COLOR_NONE ||
		format->background != RTF_COLOR_NONE || *format->font != '\0';
}

static void html_close_format(struct html_sink *html)
{
	const struct rtf_format *format = &html->open;

	if (!html->in_format)
		return;
	html->in_format = FALSE;
	if (format_has_style(format))
		html_append(html, "</span>");
	if (format->script != 0)
		html_append(html, format->script > 0 ? "</sup>" : "</sub>");
	if (format->strike)
		html_append(html, "</s>");
	if (format->underline)
		html_append(html, "</u>");
	if (format->italic)
		html_append(html, "</i>");
	if (format->bold)
		html_append(html, "</b>");
}

static void html_open_style(struct html_sink *html)
{
	const struct rtf_format *format = &html->open;
	const char *between = "";

	html_append(html, "<span style=\"");
	if (*format->font != '\0') {
		/* letters, digits, blanks and hyphens */
		str_printfa(html->sink.dest, "font-family:'%s'", format->font);
		between = ";";
	}
	if (format->size != 0) {
		str_printfa(html->sink.dest, "%sfont-size:%u%spt", between,
			    format->size / 2,
			    format->size % 2 != 0 ? ".5" : "");
		between = ";";
	}
	if (format->color != RTF_COLOR_NONE) {
		str_printfa(html->sink.dest, "%scolor:#%06x", between,
			    format->color);
		between = ";";
	}
	if (format->background != RTF_COLOR_NONE) {
		str_printfa(html->sink.dest, "%sbackground-color:#%06x",
			    between, format->background);
	}
	html_append(html, "\">");
}

static void html_open_format(struct html_sink *html)
{
	const struct rtf_format *format = html->sink.format;

	if (html->in_format && format_equals(&html->open, format))
		return;
	html_close_format(html);
	html->open = *format;
	html->in_format = TRUE;
	if (format->bold)
		html_append(html, "<b>");
	if (format->italic)
		html_append(html, "<i>");
	if (format->underline)
		html_append(html, "<u>");
	if (format->strike)
		html_append(html, "<s>");
	if (format->script != 0)
		html_append(html, format->script > 0 ? "<sup>" : "<sub>");
	if (format_has_style(format))
		html_open_style(html);
}

/* --- paragraphs and tables -------------------------------------------------- */

static void html_close_link(struct html_sink *html)
{
	html_close_format(html);
	if (html->in_link)
		html_append(html, "</a>");
	html->in_link = FALSE;
}

static void html_close_paragraph(struct html_sink *html)
{
	html_close_link(html);
	if (html->in_paragraph)
		html_append(html, "</div>\r\n");
	html->in_paragraph = FALSE;
}

static void html_close_cell(struct html_sink *html)
{
	html_close_paragraph(html);
	if (html->in_cell)
		html_append(html, "</td>");
	html->in_cell = FALSE;
}

static void html_close_row(struct html_sink *html)
{
	html_close_cell(html);
	if (html->in_row)
		html_append(html, "</tr>\r\n");
	html->in_row = FALSE;
}

static void html_close_table(struct html_sink *html)
{
	html_close_row(html);
	if (html->in_table)
		html_append(html, "</table>\r\n");
	html->in_table = FALSE;
}

static void html_open_cell(struct html_sink *html)
{
	if (!html->in_table)
		html_append(html, "<table>\r\n");
	if (!html->in_row)
		html_append(html, "<tr>");
	if (!html->in_cell)
		html_append(html, "<td>");
	html->in_table = html->in_row = html->in_cell = TRUE;
}

static void html_open_paragraph_tag(struct html_sink *html)
{
	const struct rtf_paragraph *par = html->sink.par;
	const char *align = NULL;

	switch (par->align) {
	case 'r':
		align = "right";
		break;
	case 'c':
		align = "center";
		break;
	case 'j':
		align = "justify";
		break;
	}
	html_append(html, "<div");
	if (par->rtl)
		html_append(html, " dir=\"rtl\"");
	if (align != NULL || par->indent > 0) {
		html_append(html, " style=\"");
		if (align != NULL)
			str_printfa(html->sink.dest, "text-align:%s", align);
		if (par->indent > 0) {
			str_printfa(html->sink.dest, "%smargin-left:%dpt",
				    align != NULL ? ";" : "", par->indent / 20);
		}
		html_append(html, "\"");
	}
	html_append(html, ">");
}

static void html_open_paragraph(struct html_sink *html)
{
	if (html->in_paragraph)
		return;
	if (html->sink.par->in_table)
		html_open_cell(html);
	else
		html_close_table(html);
	html_open_paragraph_tag(html);
	html->in_paragraph = TRUE;
	html->after_blank = TRUE;
}

/* --- the sink --------------------------------------------------------------- */

static void
html_text(struct rtf_sink *sink, const unsigned char *data, size_t size)
{
	struct html_sink *html = html_sink(sink);

	html_open_paragraph(html);
	html_open_format(html);
	html_append_escaped(html, data, size);
}

static void html_tab(struct rtf_sink *sink)
{
	struct html_sink *html = html_sink(sink);

	html_open_paragraph(html);
	html_open_format(html);
	html_append(html, "<span style=\"white-space:pre\">\t</span>");
	html->after_blank = FALSE;
}

static void html_line(struct rtf_sink *sink)
{
	struct html_sink *html = html_sink(sink);

	html_open_paragraph(html);
	html_append(html, "<br>\r\n");
	html->after_blank = TRUE;
}

static void html_paragraph(struct rtf_sink *sink)
{
	struct html_sink *html = html_sink(sink);

	if (!html->in_paragraph) {
		/* an empty line */
		html_open_paragraph(html);
		html_append(html, "<br>");
	}
	html_close_paragraph(html);
}

static void html_cell(struct rtf_sink *sink)
{
	struct html_sink *html = html_sink(sink);

	html_close_paragraph(html);
	html_open_cell(html);
	html_close_cell(html);
}

static void html_row(struct rtf_sink *sink)
{
	html_close_row(html_sink(sink));
}

static void html_link_begin(struct rtf_sink *sink, const char *url)
{
	struct html_sink *html = html_sink(sink);

	html_open_paragraph(html);
	html_close_format(html);
	html_append(html, "<a href=\"");
	html_append_attr(html, url);
	html_append(html, "\">");
	html->in_link = TRUE;
}

static void html_link_end(struct rtf_sink *sink)
{
	html_close_link(html_sink(sink));
}

static void
html_object(struct rtf_sink *sink, const struct rtf_object *object)
{
	struct html_sink *html = html_sink(sink);

	html_open_paragraph(html);
	html_open_format(html);
	if (object->content_id == NULL) {
		html_append(html, "&lt;&lt;");
		html_append_attr(html, object->name);
		html_append(html, "&gt;&gt;");
	} else {
		html_append(html, "<img src=\"cid:");
		html_append_attr(html, object->content_id);
		html_append(html, "\" alt=\"");
		html_append_attr(html, object->name);
		html_append(html, "\">");
	}
	html->after_blank = FALSE;
}

static void html_finish(struct rtf_sink *sink)
{
	struct html_sink *html = html_sink(sink);

	html_close_table(html);
	html_append(html, "</body>\r\n</html>\r\n");
	i_free(html);
}

struct rtf_sink *rtf_sink_html(string_t *dest)
{
	struct html_sink *html = i_new(struct html_sink, 1);

	html->sink = (struct rtf_sink) {
		.dest = dest,
		.text = html_text,
		.tab = html_tab,
		.line = html_line,
		.paragraph = html_paragraph,
		.cell = html_cell,
		.row = html_row,
		.link_begin = html_link_begin,
		.link_end = html_link_end,
		.object = html_object,
		.finish = html_finish,
	};
	html_append(html, "<html>\r\n<head>\r\n"
		    "<meta http-equiv=\"Content-Type\" "
		    "content=\"text/html; charset=utf-8\">\r\n"
		    "</head>\r\n<body>\r\n");
	return &html->sink;
}
