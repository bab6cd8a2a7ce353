/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* HTML to plain text.

   The input is cut into text, tags, comments and entities by a state machine
   that looks at each byte once and remembers no more than a tag's name, an
   attribute's value and an entity, all of bounded size. The output side has the
   few rules that plain text needs: blanks are collapsed and held back until
   something follows them, line breaks are requested (how many there have to be
   at least) and written when something follows, too. It is no HTML parser:
   elements needn't nest, and nothing in the input is an error. */

#include "lib.h"
#include "str.h"
#include "unichar.h"
#include "mime-text-filters.h"

#define MAX_NAME_LEN 15
#define MAX_ATTR_LEN 2048
#define MAX_ENTITY_LEN 31
#define MAX_LIST_DEPTH 8
/* what is remembered of a link's text, to see if it is its address */
#define MAX_LINK_TEXT 256

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

struct html_list {
	bool ordered;
	unsigned int number;
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
	/* value of the attribute that is looked for: href, alt */
	string_t *attr;
	bool attr_wanted;
	char entity[MAX_ENTITY_LEN + 1];
	unsigned int entity_len;
	/* what an entity returns to */
	enum html_state entity_state;
	/* comments: dashes seen last; raw text: matched of the end tag */
	unsigned int matched;
	char raw_name[MAX_NAME_LEN + 1];

	string_t *href, *link_text;
	bool in_link;
	/* alt of an img */
	string_t *alt;
	unsigned int hidden;
	unsigned int pre;
	struct html_list lists[MAX_LIST_DEPTH];
	unsigned int list_depth;

	/* output: something has been written; line ends that it ended with,
	   that have to come before the next, and whether a blank has */
	bool begun;
	unsigned int newlines_done, newlines_wanted;
	bool blank_wanted;
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

/* --- output ---------------------------------------------------------------- */

static void want_newlines(struct html_filter *f, unsigned int count)
{
	if (!f->begun)
		return;
	if (f->newlines_wanted < count)
		f->newlines_wanted = count;
	f->blank_wanted = FALSE;
}

static void flush_wanted(struct html_filter *f, buffer_t *dest)
{
	while (f->newlines_done < f->newlines_wanted) {
		str_append(dest, "\r\n");
		f->newlines_done++;
	}
	f->newlines_wanted = 0;
	if (f->blank_wanted && f->begun && f->newlines_done == 0)
		str_append_c(dest, ' ');
	f->blank_wanted = FALSE;
}

/* str isn't empty and has no line ends in it */
static void
put_string(struct html_filter *f, const char *str, size_t len, buffer_t *dest)
{
	flush_wanted(f, dest);
	str_append_data(dest, str, len);
	f->begun = TRUE;
	f->newlines_done = 0;
}

static void put_newline(struct html_filter *f, buffer_t *dest)
{
	flush_wanted(f, dest);
	str_append(dest, "\r\n");
	f->begun = TRUE;
	f->newlines_done++;
}

static void put_byte(struct html_filter *f, unsigned char c, buffer_t *dest)
{
	if (f->hidden > 0)
		return;
	if (c == '\r')
		return;
	if (f->pre > 0 && c == '\n') {
		put_newline(f, dest);
		return;
	}
	if (f->pre == 0 && (c == ' ' || c == '\n' || c == '\t' || c == '\f')) {
		f->blank_wanted = TRUE;
		return;
	}
	if (c < 0x20 && c != '\t')
		return;
	put_string(f, (const char *)&c, 1, dest);
	if (f->in_link && str_len(f->link_text) < MAX_LINK_TEXT)
		str_append_c(f->link_text, c);
}

static void put_char(struct html_filter *f, unichar_t chr, buffer_t *dest)
{
	unsigned char buf_data[8];
	buffer_t buf;
	const unsigned char *p;
	size_t i;

	/* a no-break space is a blank, but isn't collapsed */
	if (chr == 0xa0) {
		if (f->hidden == 0)
			put_string(f, " ", 1, dest);
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
		put_byte(f, p[i], dest);
}

/* --- tags ------------------------------------------------------------------ */

static bool name_is(const struct html_filter *f, const char *name)
{
	return strcmp(f->name, name) == 0;
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

static void link_end(struct html_filter *f, buffer_t *dest)
{
	static const char *const schemes[] = {
		"http://", "https://", "ftp://", "mailto:"
	};
	const char *href = str_c(f->href), *text = str_c(f->link_text);
	unsigned int i;

	if (!f->in_link)
		return;
	f->in_link = FALSE;
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
	f->blank_wanted = TRUE;
	put_string(f, "<", 1, dest);
	put_string(f, href, strlen(href), dest);
	put_string(f, ">", 1, dest);
}

static void list_item(struct html_filter *f, buffer_t *dest)
{
	struct html_list *list = f->list_depth == 0 ? NULL :
		&f->lists[f->list_depth - 1];
	char number[MAX_INT_STRLEN + 2];
	unsigned int i;

	want_newlines(f, 1);
	for (i = 1; i < f->list_depth; i++)
		put_string(f, "  ", 2, dest);
	if (list != NULL && list->ordered) {
		i_snprintf(number, sizeof(number), "%u.", ++list->number);
		put_string(f, number, strlen(number), dest);
	} else {
		put_string(f, "*", 1, dest);
	}
	f->blank_wanted = TRUE;
}

static void tag_special(struct html_filter *f, buffer_t *dest)
{
	if (name_is(f, "a")) {
		link_end(f, dest);
		if (!f->end_tag && str_len(f->href) > 0) {
			f->in_link = TRUE;
			str_truncate(f->link_text, 0);
		}
	} else if (name_is(f, "pre") || name_is(f, "textarea")) {
		if (!f->end_tag)
			f->pre++;
		else if (f->pre > 0)
			f->pre--;
	} else if (name_is(f, "ul") || name_is(f, "ol")) {
		if (f->end_tag) {
			if (f->list_depth > 0)
				f->list_depth--;
		} else if (f->list_depth < MAX_LIST_DEPTH) {
			f->lists[f->list_depth].ordered = name_is(f, "ol");
			f->lists[f->list_depth++].number = 0;
		}
	} else if (f->end_tag) {
		return;
	} else if (name_is(f, "br")) {
		put_newline(f, dest);
	} else if (name_is(f, "hr")) {
		want_newlines(f, 1);
		put_string(f, "________________________________", 32, dest);
		want_newlines(f, 1);
	} else if (name_is(f, "li")) {
		list_item(f, dest);
	} else if (name_is(f, "td") || name_is(f, "th")) {
		/* not before the first cell of a row */
		if (f->begun && f->newlines_wanted == 0 &&
		    f->newlines_done == 0) {
			f->blank_wanted = FALSE;
			put_string(f, "\t", 1, dest);
		}
	} else if (name_is(f, "img") && str_len(f->alt) > 0) {
		put_string(f, "[", 1, dest);
		put_string(f, str_c(f->alt), str_len(f->alt), dest);
		put_string(f, "]", 1, dest);
	}
}

static void tag_done(struct html_filter *f, buffer_t *dest)
{
	const struct html_tag *tag;

	f->state = HTML_TEXT;
	tag = tag_find(f->name);
	if (tag != NULL && (tag->flags & TAG_HIDDEN) != 0) {
		if (!f->end_tag)
			f->hidden++;
		else if (f->hidden > 0)
			f->hidden--;
	}
	if (tag != NULL && (tag->flags & TAG_RAW) != 0) {
		if (!f->end_tag) {
			f->state = HTML_RAW;
			f->matched = 0;
			i_strocpy(f->raw_name, f->name, sizeof(f->raw_name));
		}
		return;
	}
	if (f->hidden > 0)
		return;
	if (tag != NULL) {
		want_newlines(f, (tag->flags & TAG_PARAGRAPH) != 0 ? 2 :
			      ((tag->flags & TAG_BLOCK) != 0 ? 1 : 0));
	}
	tag_special(f, dest);
}

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
		put_char(f, value, dest);
		return;
	}
	put_byte(f, '&', dest);
	for (i = 0; i < f->entity_len; i++)
		put_byte(f, f->entity[i], dest);
	if (terminated)
		put_byte(f, ';', dest);
}

/* --- the state machine ----------------------------------------------------- */

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
	if (f->attr_wanted) {
		f->attr = name_is(f, "a") ? f->href : f->alt;
		str_truncate(f->attr, 0);
	}
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
	str_truncate(f->alt, 0);
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
			put_byte(f, c, dest);
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
			put_byte(f, '<', dest);
			if (f->end_tag)
				put_byte(f, '/', dest);
			return FALSE;
		}
		return TRUE;
	case HTML_TAG_NAME:
		if (c == '>' || c == '/' || blank) {
			f->name[f->name_len] = '\0';
			if (name_is(f, "a") && !f->end_tag) {
				link_end(f, dest);
				str_truncate(f->href, 0);
			}
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
		put_byte(f, '<', dest);
	link_end(f, dest);
	if (f->begun) {
		f->newlines_wanted = 1;
		f->blank_wanted = FALSE;
		flush_wanted(f, dest);
	}
}

static void html_reset(struct mime_filter *filter)
{
	struct html_filter *f = container_of(filter, struct html_filter,
					     filter);
	struct html_filter old = *f;

	i_zero(f);
	f->filter = old.filter;
	f->href = old.href;
	f->link_text = old.link_text;
	f->alt = f->attr = old.alt;
	str_truncate(f->href, 0);
	str_truncate(f->link_text, 0);
	str_truncate(f->alt, 0);
}

static void html_free(struct mime_filter *filter)
{
	struct html_filter *f = container_of(filter, struct html_filter,
					     filter);

	str_free(&f->href);
	str_free(&f->link_text);
	str_free(&f->alt);
	i_free(f);
}

struct mime_filter *mime_html_to_text_filter(void)
{
	static const struct mime_filter vfuncs = {
		html_feed, html_finish, html_reset, html_free
	};
	struct html_filter *f = i_new(struct html_filter, 1);

	f->filter = vfuncs;
	f->href = str_new(default_pool, 128);
	f->link_text = str_new(default_pool, 128);
	f->alt = str_new(default_pool, 64);
	f->attr = f->alt;
	return &f->filter;
}
