/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Native RTF as plain text */

#include "lib.h"
#include "str.h"
#include "rtf-private.h"

struct text_sink {
	struct rtf_sink sink;
	/* address of the link we're in, and where its text began */
	char *url;
	size_t link_start;
	/* the last character is the end of a cell */
	bool after_cell;
};

static struct text_sink *text_sink(struct rtf_sink *sink)
{
	struct text_sink *text = container_of(sink, struct text_sink, sink);

	text->after_cell = FALSE;
	return text;
}

static void
text_text(struct rtf_sink *sink, const unsigned char *data, size_t size)
{
	str_append_data(text_sink(sink)->sink.dest, data, size);
}

static void text_tab(struct rtf_sink *sink)
{
	str_append_c(text_sink(sink)->sink.dest, '\t');
}

static void text_line(struct rtf_sink *sink)
{
	str_append(text_sink(sink)->sink.dest, "\r\n");
}

static void text_cell(struct rtf_sink *sink)
{
	struct text_sink *text = text_sink(sink);

	str_append_c(sink->dest, '\t');
	text->after_cell = TRUE;
}

static void text_row(struct rtf_sink *sink)
{
	struct text_sink *text = container_of(sink, struct text_sink, sink);

	/* between cells, not after them */
	if (text->after_cell)
		str_truncate(sink->dest, str_len(sink->dest) - 1);
	text_line(sink);
}

static void text_link_begin(struct rtf_sink *sink, const char *url)
{
	struct text_sink *text = text_sink(sink);

	i_free(text->url);
	text->url = i_strdup(url);
	text->link_start = str_len(sink->dest);
}

static void text_link_end(struct rtf_sink *sink)
{
	struct text_sink *text = text_sink(sink);
	const char *shown, *url = text->url;

	/* rows take back what cells have written */
	shown = text->link_start < str_len(sink->dest) ?
		str_c(sink->dest) + text->link_start : "";
	/* text that is the address needs no address beside it */
	if (strcmp(shown, url) != 0 &&
	    (strncasecmp(url, "mailto:", 7) != 0 || strcmp(shown, url + 7) != 0))
		str_printfa(sink->dest, "%s<%s>", *shown == '\0' ? "" : " ",
			    url);
	i_free(text->url);
}

static void
text_object(struct rtf_sink *sink, const struct rtf_object *object)
{
	str_printfa(text_sink(sink)->sink.dest, "<<%s>>", object->name);
}

static void text_finish(struct rtf_sink *sink)
{
	struct text_sink *text = text_sink(sink);

	i_free(text->url);
	i_free(text);
}

struct rtf_sink *rtf_sink_text(string_t *dest)
{
	struct text_sink *text = i_new(struct text_sink, 1);

	text->sink = (struct rtf_sink) {
		.dest = dest,
		.text = text_text,
		.tab = text_tab,
		.line = text_line,
		.paragraph = text_line,
		.cell = text_cell,
		.row = text_row,
		.link_begin = text_link_begin,
		.link_end = text_link_end,
		.object = text_object,
		.finish = text_finish,
	};
	return &text->sink;
}
