/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* HTML to plain text.

   The input is cut into text, tags, comments and entities by a state machine
   that looks at each byte once and remembers no more than a tag's name, an
   attribute's value and an entity, all of bounded size. It is no HTML parser:
   elements needn't nest, and nothing in the input is an error. What becomes of
   text and tags is mime-html-writer.c's. */

#include "lib.h"
#include "str.h"
#include "unichar.h"
#include "mime-html-writer.h"
#include "mime-text-filters.h"

#include <ctype.h>

#define MAX_NAME_LEN 15
#define MAX_ATTR_LEN 2048
#define MAX_ENTITY_LEN 31

enum html_state {
	HTML_TEXT,
	HTML_ENTITY,
	/* after < */
	HTML_TAG_OPEN,
	HTML_TAG_NAME,
	/* in a tag, before an attribute */
	HTML_TAG,
	HTML_ATTR_NAME,
	HTML_ATTR_EQUALS,
	HTML_ATTR_VALUE_START,
	HTML_ATTR_VALUE,
	/* <! and <? up to > */
	HTML_DECLARATION,
	HTML_COMMENT,
	/* in script, style, ...: up to the end tag */
	HTML_RAW,
};

struct html_filter {
	struct mime_filter filter;
	enum html_state state;

	char name[MAX_NAME_LEN + 1];
	unsigned int name_len;
	bool end_tag;
	char attr_name[MAX_NAME_LEN + 1];
	unsigned int attr_name_len;
	char quote;
	/* value of the attribute that is looked for: href of a, alt of img */
	string_t *attr;
	bool attr_wanted;
	char entity[MAX_ENTITY_LEN + 1];
	unsigned int entity_len;
	/* what an entity returns to */
	enum html_state entity_state;
	/* comments: dashes seen last; raw text: matched of the end tag */
	unsigned int matched;
	char raw_name[MAX_NAME_LEN + 1];

	struct html_writer writer;
};

/* --- entities -------------------------------------------------------------- */

static unsigned int entity_value(const char *name, unsigned int len)
{
	unsigned int i, digit, base = 10, value = 0;

	if (len == 0 || name[0] != '#')
		return mime_html_entity(name, len);
	i = 1;
	if (len > 1 && (name[1] == 'x' || name[1] == 'X')) {
		base = 16;
		i = 2;
	}
	if (i == len)
		return 0;
	for (; i < len; i++) {
		if (i_isdigit(name[i]))
			digit = name[i] - '0';
		else if (base == 16 && i_isxdigit(name[i]))
			digit = i_tolower(name[i]) - 'a' + 10;
		else
			return 0;
		value = value * base + digit;
		if (value > 0x10ffff)
			return 0xfffd;
	}
	if (value >= 0x80 && value <= 0x9f) {
		/* meant as windows-1252; these three are the usual ones */
		return value == 0x96 || value == 0x97 ? '-' :
			(value == 0x92 ? '\'' : 0xfffd);
	}
	return uni_is_valid_ucs4(value) ? value : 0xfffd;
}

static void
entity_done(struct html_filter *f, bool terminated, buffer_t *dest)
{
	unsigned int i, value = entity_value(f->entity, f->entity_len);

	f->state = f->entity_state;
	if (f->entity_state == HTML_ATTR_VALUE) {
		if (!f->attr_wanted || str_len(f->attr) >= MAX_ATTR_LEN)
			return;
		if (value >= 0x20)
			uni_ucs4_to_utf8_c(value, f->attr);
		else {
			str_append_c(f->attr, '&');
			str_append_data(f->attr, f->entity, f->entity_len);
			if (terminated)
				str_append_c(f->attr, ';');
		}
		return;
	}
	if (value != 0) {
		html_writer_char(&f->writer, value, dest);
		return;
	}
	html_writer_byte(&f->writer, '&', dest);
	for (i = 0; i < f->entity_len; i++)
		html_writer_byte(&f->writer, f->entity[i], dest);
	if (terminated)
		html_writer_byte(&f->writer, ';', dest);
}

/* --- the state machine ----------------------------------------------------- */

static bool name_is(const struct html_filter *f, const char *name)
{
	return strcmp(f->name, name) == 0;
}

static void tag_done(struct html_filter *f, buffer_t *dest)
{
	const char *attr;
	size_t len;

	/* A value that was too long may have been cut within a character. */
	(void)uni_utf8_partial_strlen_n(str_data(f->attr), str_len(f->attr),
					&len);
	str_truncate(f->attr, len);
	attr = str_c(f->attr);

	f->state = HTML_TEXT;
	if (html_writer_tag(&f->writer, f->name, f->end_tag,
			    name_is(f, "a") ? attr : "",
			    name_is(f, "img") ? attr : "", dest)) {
		f->state = HTML_RAW;
		f->matched = 0;
		i_strocpy(f->raw_name, f->name, sizeof(f->raw_name));
	}
}

static void attr_begin(struct html_filter *f, char c)
{
	f->attr_name[0] = i_tolower(c);
	f->attr_name_len = 1;
	f->state = HTML_ATTR_NAME;
}

static void attr_value_begin(struct html_filter *f, char quote)
{
	f->quote = quote;
	f->attr_name[f->attr_name_len] = '\0';
	f->attr_wanted = !f->end_tag &&
		((name_is(f, "a") && strcmp(f->attr_name, "href") == 0) ||
		 (name_is(f, "img") && strcmp(f->attr_name, "alt") == 0));
	if (f->attr_wanted)
		str_truncate(f->attr, 0);
	f->state = HTML_ATTR_VALUE;
}

static void attr_value_byte(struct html_filter *f, unsigned char c)
{
	if (!f->attr_wanted || str_len(f->attr) >= MAX_ATTR_LEN)
		return;
	if (c == '\r' || c == '\n')
		return;
	str_append_c(f->attr, c < 0x20 ? ' ' : c);
}

static void tag_begin(struct html_filter *f, char c, bool end_tag)
{
	f->end_tag = end_tag;
	f->name[0] = i_tolower(c);
	f->name_len = 1;
	str_truncate(f->attr, 0);
	f->state = HTML_TAG_NAME;
}

/* FALSE if the byte isn't used up: the state has changed. */
static bool feed_byte(struct html_filter *f, unsigned char c, buffer_t *dest)
{
	bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n' ||
		c == '\f';

	switch (f->state) {
	case HTML_TEXT:
		if (c == '<') {
			f->state = HTML_TAG_OPEN;
			f->end_tag = FALSE;
		} else if (c == '&') {
			f->entity_state = HTML_TEXT;
			f->entity_len = 0;
			f->state = HTML_ENTITY;
		} else {
			html_writer_byte(&f->writer, c, dest);
		}
		return TRUE;
	case HTML_ENTITY:
		if (c == ';') {
			entity_done(f, TRUE, dest);
			return TRUE;
		}
		if (f->entity_len < MAX_ENTITY_LEN &&
		    (i_isalnum(c) || (c == '#' && f->entity_len == 0))) {
			f->entity[f->entity_len++] = c;
			return TRUE;
		}
		entity_done(f, FALSE, dest);
		return FALSE;
	case HTML_TAG_OPEN:
		if (c == '/' && !f->end_tag) {
			f->end_tag = TRUE;
		} else if (i_isalpha(c)) {
			tag_begin(f, c, f->end_tag);
		} else if ((c == '!' || c == '?') && !f->end_tag) {
			f->state = HTML_DECLARATION;
			f->matched = 0;
		} else {
			/* a lone < */
			f->state = HTML_TEXT;
			html_writer_byte(&f->writer, '<', dest);
			if (f->end_tag)
				html_writer_byte(&f->writer, '/', dest);
			return FALSE;
		}
		return TRUE;
	case HTML_TAG_NAME:
		if (c == '>' || c == '/' || blank) {
			f->name[f->name_len] = '\0';
			f->state = HTML_TAG;
			return FALSE;
		}
		if (f->name_len < MAX_NAME_LEN)
			f->name[f->name_len++] = i_tolower(c);
		return TRUE;
	case HTML_TAG:
		if (c == '>')
			tag_done(f, dest);
		else if (!blank && c != '/')
			attr_begin(f, c);
		return TRUE;
	case HTML_ATTR_NAME:
		if (c == '=')
			f->state = HTML_ATTR_VALUE_START;
		else if (blank)
			f->state = HTML_ATTR_EQUALS;
		else if (c == '>' || c == '/') {
			f->state = HTML_TAG;
			return FALSE;
		} else if (f->attr_name_len < MAX_NAME_LEN) {
			f->attr_name[f->attr_name_len++] = i_tolower(c);
		}
		return TRUE;
	case HTML_ATTR_EQUALS:
		if (c == '=')
			f->state = HTML_ATTR_VALUE_START;
		else if (!blank) {
			f->state = HTML_TAG;
			return FALSE;
		}
		return TRUE;
	case HTML_ATTR_VALUE_START:
		if (blank)
			return TRUE;
		if (c == '"' || c == '\'') {
			attr_value_begin(f, c);
			return TRUE;
		}
		attr_value_begin(f, '\0');
		return FALSE;
	case HTML_ATTR_VALUE:
		if (f->quote != '\0' ? c == f->quote : (blank || c == '>')) {
			f->state = HTML_TAG;
			return f->quote != '\0';
		}
		if (c == '&') {
			f->entity_state = HTML_ATTR_VALUE;
			f->entity_len = 0;
			f->state = HTML_ENTITY;
		} else {
			attr_value_byte(f, c);
		}
		return TRUE;
	case HTML_DECLARATION:
		if (c == '-' && f->matched < 2) {
			/* (matched stays: "<!-->" is a comment, too) */
			if (++f->matched == 2)
				f->state = HTML_COMMENT;
		} else if (c == '>') {
			f->state = HTML_TEXT;
		} else {
			/* not a comment any more */
			f->matched = 3;
		}
		return TRUE;
	case HTML_COMMENT:
		if (c == '-')
			f->matched = I_MIN(f->matched + 1, 2);
		else if (c == '>' && f->matched == 2)
			f->state = HTML_TEXT;
		else
			f->matched = 0;
		return TRUE;
	case HTML_RAW:
		/* "</name" */
		if (f->matched >= 2 && f->raw_name[f->matched-2] == '\0') {
			if (c == '>')
				f->state = HTML_TEXT;
			else if (!blank && c != '/')
				f->matched = 0;
		} else if (c == '<') {
			f->matched = 1;
		} else if ((f->matched == 1 && c == '/') ||
			   (f->matched >= 2 &&
			    i_tolower(c) == f->raw_name[f->matched-2])) {
			f->matched++;
		} else {
			f->matched = 0;
		}
		return TRUE;
	}
	i_unreached();
}

static void
html_feed(struct mime_filter *filter, const unsigned char *data, size_t size,
	  buffer_t *dest)
{
	struct html_filter *f = container_of(filter, struct html_filter,
					     filter);
	size_t i;

	for (i = 0; i < size; i++) {
		while (!feed_byte(f, data[i], dest)) ;
	}
}

static void html_finish(struct mime_filter *filter, buffer_t *dest)
{
	struct html_filter *f = container_of(filter, struct html_filter,
					     filter);

	if (f->state == HTML_ENTITY && f->entity_state == HTML_TEXT)
		entity_done(f, FALSE, dest);
	else if (f->state == HTML_TAG_OPEN)
		html_writer_byte(&f->writer, '<', dest);
	html_writer_finish(&f->writer, dest);
}

static void html_reset(struct mime_filter *filter)
{
	struct html_filter *f = container_of(filter, struct html_filter,
					     filter);
	struct html_filter old = *f;

	i_zero(f);
	f->filter = old.filter;
	f->attr = old.attr;
	str_truncate(f->attr, 0);
	f->writer = old.writer;
	html_writer_reset(&f->writer);
}

static void html_free(struct mime_filter *filter)
{
	struct html_filter *f = container_of(filter, struct html_filter,
					     filter);

	str_free(&f->attr);
	html_writer_deinit(&f->writer);
	i_free(f);
}

struct mime_filter *mime_html_to_text_filter(void)
{
	static const struct mime_filter vfuncs = {
		html_feed, html_finish, html_reset, html_free
	};
	struct html_filter *f = i_new(struct html_filter, 1);

	f->filter = vfuncs;
	f->attr = str_new(default_pool, 128);
	html_writer_init(&f->writer);
	return &f->filter;
}
