/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "mime-html-writer.h"

/* what is remembered of a link's text, to see if it is its address */
#define MAX_LINK_TEXT 256

enum html_tag_flags {
	/* begins and ends on a line of its own */
	TAG_BLOCK	= 0x01,
	/* has an empty line before and after it */
	TAG_PARAGRAPH	= 0x02,
	/* its content is no text for readers */
	TAG_HIDDEN	= 0x04,
	/* its content isn't markup */
	TAG_RAW		= 0x08,
};

struct html_tag {
	const char *name;
	enum html_tag_flags flags;
};

static const struct html_tag tags[] = {
	{ "address", TAG_BLOCK }, { "article", TAG_BLOCK },
	{ "blockquote", TAG_PARAGRAPH }, { "body", TAG_BLOCK },
	{ "center", TAG_BLOCK }, { "dd", TAG_BLOCK }, { "div", TAG_BLOCK },
	{ "dl", TAG_PARAGRAPH }, { "dt", TAG_BLOCK },
	{ "fieldset", TAG_BLOCK }, { "footer", TAG_BLOCK },
	{ "form", TAG_BLOCK }, { "h1", TAG_PARAGRAPH },
	{ "h2", TAG_PARAGRAPH }, { "h3", TAG_PARAGRAPH },
	{ "h4", TAG_PARAGRAPH }, { "h5", TAG_PARAGRAPH },
	{ "h6", TAG_PARAGRAPH }, { "header", TAG_BLOCK },
	{ "main", TAG_BLOCK }, { "nav", TAG_BLOCK },
	{ "ol", TAG_BLOCK }, { "p", TAG_PARAGRAPH },
	{ "pre", TAG_PARAGRAPH }, { "script", TAG_RAW },
	{ "section", TAG_BLOCK }, { "style", TAG_RAW },
	{ "table", TAG_BLOCK }, { "textarea", TAG_BLOCK },
	{ "title", TAG_RAW }, { "tr", TAG_BLOCK }, { "ul", TAG_BLOCK },
	{ "xml", TAG_HIDDEN }, { "noframes", TAG_RAW },
};

static void want_newlines(struct html_writer *w, unsigned int count)
{
	if (!w->begun)
		return;
	if (w->newlines_wanted < count)
		w->newlines_wanted = count;
	w->blank_wanted = FALSE;
}

static void flush_wanted(struct html_writer *w, string_t *dest)
{
	while (w->newlines_done < w->newlines_wanted) {
		str_append(dest, "\r\n");
		w->newlines_done++;
	}
	w->newlines_wanted = 0;
	if (w->blank_wanted && w->begun && w->newlines_done == 0)
		str_append_c(dest, ' ');
	w->blank_wanted = FALSE;
}

/* str isn't empty and has no line ends in it */
static void
put_string(struct html_writer *w, const char *str, size_t len, string_t *dest)
{
	flush_wanted(w, dest);
	str_append_data(dest, str, len);
	w->begun = TRUE;
	w->newlines_done = 0;
}

static void put_newline(struct html_writer *w, string_t *dest)
{
	flush_wanted(w, dest);
	str_append(dest, "\r\n");
	w->begun = TRUE;
	w->newlines_done++;
}

void html_writer_byte(struct html_writer *w, unsigned char c, string_t *dest)
{
	if (w->hidden > 0)
		return;
	if (c == '\r' && w->pre > 0)
		return;
	if (w->pre > 0 && c == '\n') {
		put_newline(w, dest);
		return;
	}
	if (w->pre == 0 && (c == ' ' || c == '\r' || c == '\n' ||
			    c == '\t' || c == '\f')) {
		w->blank_wanted = TRUE;
		return;
	}
	if (c < 0x20 && c != '\t')
		return;
	put_string(w, (const char *)&c, 1, dest);
	if (w->in_link && str_len(w->link_text) < MAX_LINK_TEXT)
		str_append_c(w->link_text, c);
}

void html_writer_char(struct html_writer *w, unichar_t chr, string_t *dest)
{
	unsigned char buf_data[8];
	buffer_t buf;
	const unsigned char *p;
	size_t i;

	/* a no-break space is a blank, but isn't collapsed */
	if (chr == 0xa0) {
		if (w->hidden == 0)
			put_string(w, " ", 1, dest);
		return;
	}
	/* soft hyphens and other invisible characters, which newsletters
	   are full of */
	if (chr == 0xad || chr == 0x200b || chr == 0x200c || chr == 0xfeff)
		return;
	if (chr < 0x20 && chr != '\t' && chr != '\n')
		return;
	buffer_create_from_data(&buf, buf_data, sizeof(buf_data));
	uni_ucs4_to_utf8_c(chr, &buf);
	p = buf.data;
	for (i = 0; i < buf.used; i++)
		html_writer_byte(w, p[i], dest);
}

static const struct html_tag *tag_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tags); i++) {
		if (strcmp(tags[i].name, name) == 0)
			return &tags[i];
	}
	return NULL;
}

static void link_end(struct html_writer *w, string_t *dest)
{
	static const char *const schemes[] = {
		"http://", "https://", "ftp://", "mailto:"
	};
	const char *href = str_c(w->href), *text = str_c(w->link_text);
	unsigned int i;

	if (!w->in_link)
		return;
	w->in_link = FALSE;
	for (i = 0; i < N_ELEMENTS(schemes); i++) {
		if (strncasecmp(href, schemes[i], strlen(schemes[i])) == 0)
			break;
	}
	if (i == N_ELEMENTS(schemes))
		return;
	/* text that is the address needs no address beside it */
	if (*text == '\0' || strcmp(text, href) == 0 ||
	    strcmp(text, href + strlen(schemes[i])) == 0)
		return;
	w->blank_wanted = TRUE;
	put_string(w, "<", 1, dest);
	put_string(w, href, strlen(href), dest);
	put_string(w, ">", 1, dest);
}

static void list_item(struct html_writer *w, string_t *dest)
{
	struct html_list *list = w->list_depth == 0 ? NULL :
		&w->lists[w->list_depth - 1];
	char number[MAX_INT_STRLEN + 2];
	unsigned int i;

	want_newlines(w, 1);
	for (i = 1; i < w->list_depth; i++)
		put_string(w, "  ", 2, dest);
	if (list != NULL && list->ordered) {
		i_snprintf(number, sizeof(number), "%u.", ++list->number);
		put_string(w, number, strlen(number), dest);
	} else {
		put_string(w, "*", 1, dest);
	}
	w->blank_wanted = TRUE;
}

static bool name_is(const char *name, const char *other)
{
	return strcmp(name, other) == 0;
}

static void
tag_special(struct html_writer *w, const char *name, bool end_tag,
	    const char *href, const char *alt, string_t *dest)
{
	if (name_is(name, "a")) {
		link_end(w, dest);
		if (!end_tag && *href != '\0') {
			w->in_link = TRUE;
			str_truncate(w->href, 0);
			str_append(w->href, href);
			str_truncate(w->link_text, 0);
		}
	} else if (name_is(name, "pre") || name_is(name, "textarea")) {
		if (!end_tag)
			w->pre++;
		else if (w->pre > 0)
			w->pre--;
	} else if (name_is(name, "ul") || name_is(name, "ol")) {
		if (end_tag) {
			if (w->list_depth > 0)
				w->list_depth--;
		} else if (w->list_depth < HTML_MAX_LIST_DEPTH) {
			w->lists[w->list_depth].ordered = name_is(name, "ol");
			w->lists[w->list_depth++].number = 0;
		}
	} else if (end_tag) {
		return;
	} else if (name_is(name, "br")) {
		put_newline(w, dest);
	} else if (name_is(name, "hr")) {
		want_newlines(w, 1);
		put_string(w, "________________________________", 32, dest);
		want_newlines(w, 1);
	} else if (name_is(name, "li")) {
		list_item(w, dest);
	} else if (name_is(name, "td") || name_is(name, "th")) {
		/* not before the first cell of a row */
		if (w->begun && w->newlines_wanted == 0 &&
		    w->newlines_done == 0) {
			w->blank_wanted = FALSE;
			put_string(w, "\t", 1, dest);
		}
	} else if (name_is(name, "img") && *alt != '\0') {
		put_string(w, "[", 1, dest);
		put_string(w, alt, strlen(alt), dest);
		put_string(w, "]", 1, dest);
	}
}

bool html_writer_tag(struct html_writer *w, const char *name, bool end_tag,
		     const char *href, const char *alt, string_t *dest)
{
	const struct html_tag *tag = tag_find(name);
	enum html_tag_flags flags = tag == NULL ? 0 : tag->flags;

	if ((flags & TAG_RAW) != 0)
		return !end_tag;
	if ((flags & TAG_HIDDEN) != 0) {
		if (!end_tag)
			w->hidden++;
		else if (w->hidden > 0)
			w->hidden--;
	}
	if (w->hidden > 0)
		return FALSE;
	if ((flags & TAG_PARAGRAPH) != 0)
		want_newlines(w, 2);
	else if ((flags & TAG_BLOCK) != 0)
		want_newlines(w, 1);
	tag_special(w, name, end_tag, href, alt, dest);
	return FALSE;
}

void html_writer_finish(struct html_writer *w, string_t *dest)
{
	link_end(w, dest);
	if (w->begun) {
		w->newlines_wanted = 1;
		w->blank_wanted = FALSE;
		flush_wanted(w, dest);
	}
}

void html_writer_init(struct html_writer *w)
{
	i_zero(w);
	w->href = str_new(default_pool, 128);
	w->link_text = str_new(default_pool, 128);
}

void html_writer_reset(struct html_writer *w)
{
	string_t *href = w->href, *link_text = w->link_text;

	i_zero(w);
	w->href = href;
	w->link_text = link_text;
}

void html_writer_deinit(struct html_writer *w)
{
	str_free(&w->href);
	str_free(&w->link_text);
}
