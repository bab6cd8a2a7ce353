/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Wrapping text and HTML in RTF, [MS-OXRTFEX] 2.1.3, so that rtf-deencapsulate.c
   and every other reader that knows of it finds it again as it was. Readers that
   don't know of it skip the groups with tags and show the text between them;
   what they need in addition is between \htmlrtf and \htmlrtf0.

   The input is cut at < and & only: whatever HTML it is, what isn't text goes into
   groups as it stands. */

#include "lib.h"
#include "str.h"
#include "unichar.h"
#include "mime-text.h"
#include "mime-text-filters.h"
#include "rtf-html.h"

#include <ctype.h>

#define MAX_TAG_NAME 15
#define MAX_ENTITY_LEN 31

/* [MS-OXRTFEX] 2.1.3.1.4.1: HTMLTagParameter, which readers needn't look at */
#define TAG_IN_HEAD 0x01
#define TAG_END 0x08
#define TAG_TEXT 0x54

static const char rtf_fonts[] =
	"\\fbidi \\deff0{\\fonttbl\r\n"
	"{\\f0\\fswiss\\fcharset0 Arial;}\r\n"
	"{\\f1\\fmodern Courier New;}\r\n"
	"{\\f2\\fnil\\fcharset2 Symbol;}}\r\n"
	"{\\colortbl\\red0\\green0\\blue0;\\red0\\green0\\blue255;}\r\n"
	"\\uc1\\pard\\plain\\deftab360 ";

enum html_tag_effect {
	EFFECT_NONE,
	/* begins a line, and so does what is after it */
	EFFECT_BLOCK,
	EFFECT_LINE,
	EFFECT_CELL,
	EFFECT_ITEM,
	EFFECT_HEAD,
	EFFECT_BODY,
	EFFECT_PRE,
	/* what is in it isn't markup and isn't shown */
	EFFECT_RAW,
	/* toggles */
	EFFECT_BOLD,
	EFFECT_ITALIC,
	EFFECT_UNDERLINE,
};

static const struct html_tag {
	const char *name;
	enum html_tag_effect effect;
	uint8_t parameter;
} html_tags[] = {
	{ "html", EFFECT_NONE, 0x12 },
	{ "head", EFFECT_HEAD, 0x22 },
	{ "body", EFFECT_BODY, 0x32 },
	{ "p", EFFECT_BLOCK, 0x40 },
	{ "div", EFFECT_BLOCK, 0x60 },
	{ "br", EFFECT_LINE, 0x74 },
	{ "b", EFFECT_BOLD, 0x94 },
	{ "strong", EFFECT_BOLD, 0x94 },
	{ "i", EFFECT_ITALIC, 0x94 },
	{ "em", EFFECT_ITALIC, 0x94 },
	{ "u", EFFECT_UNDERLINE, 0x94 },
	{ "font", EFFECT_NONE, 0x94 },
	{ "span", EFFECT_NONE, 0x94 },
	{ "pre", EFFECT_PRE, 0x50 },
	{ "li", EFFECT_ITEM, 0x50 },
	{ "td", EFFECT_CELL, 0x50 },
	{ "th", EFFECT_CELL, 0x50 },
	{ "tr", EFFECT_BLOCK, 0x50 },
	{ "table", EFFECT_BLOCK, 0x50 },
	{ "ul", EFFECT_BLOCK, 0x50 },
	{ "ol", EFFECT_BLOCK, 0x50 },
	{ "dt", EFFECT_BLOCK, 0x50 },
	{ "dd", EFFECT_BLOCK, 0x50 },
	{ "hr", EFFECT_BLOCK, 0x50 },
	{ "blockquote", EFFECT_BLOCK, 0x50 },
	{ "h1", EFFECT_BLOCK, 0x50 }, { "h2", EFFECT_BLOCK, 0x50 },
	{ "h3", EFFECT_BLOCK, 0x50 }, { "h4", EFFECT_BLOCK, 0x50 },
	{ "h5", EFFECT_BLOCK, 0x50 }, { "h6", EFFECT_BLOCK, 0x50 },
	{ "style", EFFECT_RAW, 0xf0 },
	{ "script", EFFECT_RAW, 0xf0 },
	{ "title", EFFECT_RAW, 0xf0 },
};
static const struct html_tag html_other_tag = { "", EFFECT_NONE, 0x50 };

struct encapsulate {
	string_t *rtf;
	/* valid UTF-8 */
	const char *pos, *end;
	bool in_head;
	/* text shows spaces and line ends as they are */
	bool in_pre;
	/* nothing to be shown since the last line end */
	bool at_line_start;
};

/* --- characters ------------------------------------------------------------- */

static void append_utf16(string_t *rtf, unsigned int unit)
{
	/* those who don't know \u show the question mark */
	str_printfa(rtf, "\\u%d?", unit > INT16_MAX ? (int)unit - 0x10000 :
		    (int)unit);
}

static void append_unicode(string_t *rtf, unichar_t chr)
{
	if (chr < 0x10000) {
		append_utf16(rtf, chr);
	} else {
		append_utf16(rtf, UTF16_SURROGATE_HIGH(chr));
		append_utf16(rtf, UTF16_SURROGATE_LOW(chr));
	}
}

/* One character that isn't a line end, at *pos */
static void append_char(string_t *rtf, const char **pos)
{
	unsigned char c = **pos;
	unichar_t chr;

	if (c >= 0x80) {
		/* (the whole string has been found to be valid) */
		*pos += uni_utf8_get_char(*pos, &chr);
		if (chr > 0x9f)
			append_unicode(rtf, chr);
		return;
	}
	(*pos)++;
	switch (c) {
	case '\\':
	case '{':
	case '}':
		str_append_c(rtf, '\\');
		str_append_c(rtf, c);
		break;
	case '\t':
		str_append(rtf, "\\tab ");
		break;
	default:
		if (c >= 0x20 && c != 0x7f)
			str_append_c(rtf, c);
		break;
	}
}

/* Whether there is a line end at *pos, which is skipped then */
static bool skip_line_end(const char **pos)
{
	if (**pos != '\r' && **pos != '\n')
		return FALSE;
	if ((*pos)[0] == '\r' && (*pos)[1] == '\n')
		(*pos)++;
	(*pos)++;
	return TRUE;
}

/* Up to end, with every line end as \par */
static void append_all(string_t *rtf, const char **pos, const char *end)
{
	while (*pos < end) {
		if (skip_line_end(pos))
			str_append(rtf, "\\par\r\n");
		else
			append_char(rtf, pos);
	}
}

/* --- HTML ------------------------------------------------------------------- */

/* For readers that don't know of HTML */
static void rtf_only(struct encapsulate *e, const char *rtf)
{
	str_printfa(e->rtf, "\\htmlrtf %s\\htmlrtf0 ", rtf);
}

static void html_begin_line(struct encapsulate *e)
{
	if (!e->at_line_start)
		rtf_only(e, "\\par");
	e->at_line_start = TRUE;
}

/* What is up to end goes into a group of its own. */
static void
html_group(struct encapsulate *e, unsigned int parameter, const char *end)
{
	str_printfa(e->rtf, "{\\*\\htmltag%u ", parameter |
		    (e->in_head ? TAG_IN_HEAD : 0));
	append_all(e->rtf, &e->pos, end);
	str_append_c(e->rtf, '}');
}

static const struct html_tag *html_tag_find(const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(html_tags); i++) {
		if (strlen(html_tags[i].name) == len &&
		    strncasecmp(html_tags[i].name, name, len) == 0)
			return &html_tags[i];
	}
	return &html_other_tag;
}

/* Behind the > of a tag, or at the end */
static const char *html_tag_end(const struct encapsulate *e)
{
	const char *p;
	char quote = '\0';

	for (p = e->pos; p < e->end; p++) {
		if (quote != '\0') {
			if (*p == quote)
				quote = '\0';
		} else if (*p == '"' || *p == '\'') {
			quote = *p;
		} else if (*p == '>') {
			return p + 1;
		}
	}
	return e->end;
}

/* The end tag of an element with raw text, or the end */
static const char *
html_raw_end(const struct encapsulate *e, const struct html_tag *tag)
{
	const char *p = e->pos;
	size_t len = strlen(tag->name);

	while ((p = memchr(p, '<', e->end - p)) != NULL) {
		if (p[1] == '/' && strncasecmp(p + 2, tag->name, len) == 0)
			return p;
		p++;
	}
	return e->end;
}

static void
html_toggle(struct encapsulate *e, const char *word, bool end_tag)
{
	rtf_only(e, t_strconcat(word, end_tag ? "0" : "", NULL));
}

static void
html_tag_effect(struct encapsulate *e, const struct html_tag *tag, bool end_tag)
{
	switch (tag->effect) {
	case EFFECT_NONE:
		break;
	case EFFECT_BLOCK:
		html_begin_line(e);
		break;
	case EFFECT_LINE:
		rtf_only(e, "\\line");
		e->at_line_start = TRUE;
		break;
	case EFFECT_CELL:
		if (!end_tag && !e->at_line_start)
			rtf_only(e, "\\tab");
		break;
	case EFFECT_ITEM:
		html_begin_line(e);
		if (!end_tag)
			rtf_only(e, "\\bullet\\tab");
		break;
	case EFFECT_HEAD:
		e->in_head = !end_tag;
		break;
	case EFFECT_BODY:
		e->in_head = FALSE;
		break;
	case EFFECT_PRE:
		html_begin_line(e);
		e->in_pre = !end_tag;
		break;
	case EFFECT_RAW:
		if (!end_tag)
			html_group(e, tag->parameter, html_raw_end(e, tag));
		break;
	case EFFECT_BOLD:
		html_toggle(e, "\\b", end_tag);
		break;
	case EFFECT_ITALIC:
		html_toggle(e, "\\i", end_tag);
		break;
	case EFFECT_UNDERLINE:
		html_toggle(e, "\\ul", end_tag);
		break;
	}
}

/* At <. FALSE if that's just a character */
static bool html_markup(struct encapsulate *e)
{
	const struct html_tag *tag;
	const char *name = e->pos + 1, *end;
	bool end_tag = FALSE;
	size_t len;

	if (str_begins(e->pos, "<!--")) {
		end = strstr(e->pos, "-->");
		html_group(e, html_other_tag.parameter,
			   end == NULL ? e->end : end + 3);
		return TRUE;
	}
	if (*name == '/') {
		end_tag = TRUE;
		name++;
	} else if (*name == '!' || *name == '?') {
		html_group(e, html_other_tag.parameter, html_tag_end(e));
		return TRUE;
	}
	if (!i_isalpha(*name))
		return FALSE;
	for (len = 1; len <= MAX_TAG_NAME && i_isalnum(name[len]); len++) ;
	tag = html_tag_find(name, len);
	if (tag->effect == EFFECT_BODY)
		e->in_head = FALSE;
	html_group(e, tag->parameter | (end_tag ? TAG_END : 0),
		   html_tag_end(e));
	T_BEGIN {
		html_tag_effect(e, tag, end_tag);
	} T_END;
	return TRUE;
}

/* The character that a reference stands for; 0 if it's none */
static unichar_t html_reference(const char *name, size_t len)
{
	uint32_t chr;

	if (len < 2 || name[0] != '#')
		return mime_html_entity(name, len);
	if ((name[1] != 'x' && name[1] != 'X' ?
	     str_to_uint32(t_strndup(name + 1, len - 1), &chr) :
	     str_to_uint32_hex(t_strndup(name + 2, len - 2), &chr)) < 0 ||
	    !uni_is_valid_ucs4(chr))
		return 0;
	return chr;
}

/* At &. FALSE if that's just a character */
static bool html_entity(struct encapsulate *e)
{
	const char *p = e->pos + 1;
	unichar_t chr;
	size_t len = *p == '#' ? 1 : 0;

	while (len < MAX_ENTITY_LEN && i_isalnum(p[len]))
		len++;
	if (p[len] != ';')
		return FALSE;
	T_BEGIN {
		chr = html_reference(p, len);
	} T_END;
	if (chr == 0)
		return FALSE;
	html_group(e, TAG_TEXT, p + len + 1);
	str_append(e->rtf, "\\htmlrtf ");
	if (chr < 0x80) {
		const char data[] = { chr, '\0' }, *pos = data;

		append_char(e->rtf, &pos);
	} else {
		append_unicode(e->rtf, chr);
	}
	str_append(e->rtf, "\\htmlrtf0 ");
	e->at_line_start = FALSE;
	return TRUE;
}

/* At a line end: with the blanks after it, it's no more than a blank. */
static void html_line_end(struct encapsulate *e)
{
	const char *end = e->pos;

	if (e->in_pre) {
		(void)skip_line_end(&e->pos);
		str_append(e->rtf, "\\par\r\n");
		e->at_line_start = TRUE;
		return;
	}
	while (*end == '\r' || *end == '\n' || *end == ' ' || *end == '\t')
		end++;
	html_group(e, 0, end);
	if (!e->at_line_start)
		rtf_only(e, " ");
}

static void html_text(struct encapsulate *e)
{
	if (*e->pos != ' ' && *e->pos != '\t')
		e->at_line_start = FALSE;
	append_char(e->rtf, &e->pos);
}

static void html_run(struct encapsulate *e)
{
	const char *p;

	while (e->pos < e->end) {
		if (*e->pos == '<' && html_markup(e))
			continue;
		if (e->in_head) {
			/* nothing in it is to be shown */
			p = memchr(e->pos + 1, '<', e->end - e->pos - 1);
			html_group(e, 0, p == NULL ? e->end : p);
		} else if (*e->pos == '\r' || *e->pos == '\n') {
			html_line_end(e);
		} else if (*e->pos != '&' || !html_entity(e)) {
			html_text(e);
		}
	}
}

/* --- ------------------------------------------------------------------------ */

/* Valid UTF-8 without NULs */
static string_t *clean_input(const uint8_t *data, size_t size)
{
	string_t *valid = str_new(default_pool, size + 1);
	string_t *str;
	const char *p;
	size_t len;

	if (uni_utf8_get_valid_data(data, size, valid))
		str_append_data(valid, data, size);
	if (memchr(str_data(valid), '\0', str_len(valid)) == NULL)
		return valid;
	str = str_new(default_pool, str_len(valid));
	for (p = str_c(valid); p < str_c(valid) + str_len(valid);
	     p += len + 1) {
		len = strlen(p);
		str_append_data(str, p, len);
	}
	str_free(&valid);
	return str;
}

static void
set_result(TALLOC_CTX *mem, string_t *rtf, uint8_t **rtf_r, size_t *size_r)
{
	*size_r = str_len(rtf);
	*rtf_r = mime_check_alloc(talloc_memdup(mem, str_c(rtf),
						str_len(rtf) + 1));
	str_free(&rtf);
}

void rtf_from_html(TALLOC_CTX *mem, const uint8_t *html, size_t size,
		   uint8_t **rtf_r, size_t *size_r)
{
	string_t *input = clean_input(html, size);
	struct encapsulate e;

	i_zero(&e);
	e.pos = str_c(input);
	e.end = e.pos + str_len(input);
	e.at_line_start = TRUE;
	e.rtf = str_new(default_pool, str_len(input) * 2 + 512);
	str_printfa(e.rtf, "{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 %s\\f0\\fs24 ",
		    rtf_fonts);
	/* before any text, [MS-OXRTFEX] 2.2.2 */
	str_append(e.rtf, "{\\*\\htmltag64}\r\n");
	html_run(&e);
	str_append(e.rtf, "}\r\n");
	str_free(&input);
	set_result(mem, e.rtf, rtf_r, size_r);
}

void rtf_from_text(TALLOC_CTX *mem, const uint8_t *text, size_t size,
		   uint8_t **rtf_r, size_t *size_r)
{
	string_t *input = clean_input(text, size);
	string_t *rtf = str_new(default_pool, str_len(input) * 2 + 512);
	const char *pos = str_c(input);

	str_printfa(rtf, "{\\rtf1\\ansi\\ansicpg1252\\fromtext %s\\f0\\fs20 ",
		    rtf_fonts);
	append_all(rtf, &pos, pos + str_len(input));
	str_append(rtf, "}\r\n");
	str_free(&input);
	set_result(mem, rtf, rtf_r, size_r);
}
