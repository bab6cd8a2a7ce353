/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* RTF that wasn't made of something else, [MSFT-RTF]: what its text looks like,
   for a sink that writes it down. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "unichar.h"
#include "rtf-private.h"

#include <ctype.h>

/* longer addresses aren't links */
#define MAX_INSTRUCTION 4096
/* longer bullets are cut */
#define MAX_BULLET 64
#define MAX_COLORS 4096
#define MAX_FONT_SIZE 400
/* twips */
#define MAX_INDENT 20000

enum native_dest {
	NATIVE_DEST_BODY,
	NATIVE_DEST_COLORTBL,
	NATIVE_DEST_INSTRUCTION,
	NATIVE_DEST_BULLET,
};

/* of a group */
struct native_state {
	enum native_dest dest;
	struct rtf_format format;
	struct rtf_paragraph par;
	/* a link ends with it */
	bool is_link;
};

struct native {
	struct rtf_reader *reader;
	struct rtf_sink *sink;
	ARRAY(uint32_t) colors;
	uint32_t color;
	bool color_known;
	/* of the last field */
	string_t *instruction;
	bool in_link;
	/* of the paragraph that comes: its format isn't known before */
	string_t *bullet;
	const struct rtf_objects *objects;
	unsigned int object_idx;
	/* a blank stands for the object that other readers don't show */
	bool after_object;
};

static void state_reset_format(struct native_state *state)
{
	i_zero(&state->format);
	state->format.color = state->format.background = RTF_COLOR_NONE;
	state->format.font = "";
}

static void state_reset_paragraph(struct native_state *state)
{
	i_zero(&state->par);
	state->par.align = 'l';
}

/* --- colours ---------------------------------------------------------------- */

static void
native_color_word(struct native *n, const struct rtf_word *word, int32_t param)
{
	uint32_t value = param < 0 ? 0 : I_MIN(param, 255);

	switch (word->id) {
	case RTF_WORD_RED:
		n->color = (n->color & 0x00ffff) | value << 16;
		break;
	case RTF_WORD_GREEN:
		n->color = (n->color & 0xff00ff) | value << 8;
		break;
	case RTF_WORD_BLUE:
		n->color = (n->color & 0xffff00) | value;
		break;
	default:
		return;
	}
	n->color_known = TRUE;
}

static void
native_color_text(struct native *n, const unsigned char *data, size_t size)
{
	uint32_t color;
	size_t i;

	for (i = 0; i < size; i++) {
		if (data[i] != ';' || array_count(&n->colors) >= MAX_COLORS)
			continue;
		/* one that isn't said is whatever text has otherwise */
		color = n->color_known ? n->color : RTF_COLOR_NONE;
		array_push_back(&n->colors, &color);
		n->color = 0;
		n->color_known = FALSE;
	}
}

static uint32_t native_color(struct native *n, int32_t param)
{
	if (param < 0 || (uint32_t)param >= array_count(&n->colors))
		return RTF_COLOR_NONE;
	return *array_idx(&n->colors, param);
}

/* --- links ------------------------------------------------------------------ */

static bool url_is_safe(const char *url)
{
	static const char *const schemes[] = {
		"http://", "https://", "ftp://", "mailto:"
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(schemes); i++) {
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			return TRUE;
	}
	return FALSE;
}

/* A word of a field's instruction, which may be in quotes; on the data stack.
   NULL at the end */
static const char *t_instruction_word(const char **p)
{
	const char *start;
	size_t len;

	while (**p == ' ')
		(*p)++;
	if (**p == '\0')
		return NULL;
	start = *p;
	if (*start == '"') {
		start++;
		len = strcspn(start, "\"");
		*p = start + len + (start[len] == '"' ? 1 : 0);
	} else {
		len = strcspn(start, " ");
		*p = start + len;
	}
	return t_strndup(start, len);
}

/* HYPERLINK [\switches [argument]] "address" */
static const char *t_instruction_url(const char *instruction)
{
	const char *word = t_instruction_word(&instruction);

	if (word == NULL || strcasecmp(word, "HYPERLINK") != 0)
		return NULL;
	while ((word = t_instruction_word(&instruction)) != NULL) {
		if (word[0] != '\\')
			return url_is_safe(word) ? word : NULL;
		/* a place, a tip, a frame have an argument */
		if (word[1] == 'l' || word[1] == 'o' || word[1] == 't')
			(void)t_instruction_word(&instruction);
	}
	return NULL;
}

/* --- content ---------------------------------------------------------------- */

/* Everything that is written goes this way. */
static struct rtf_sink *native_sink(struct native *n)
{
	struct native_state *state = rtf_reader_state(n->reader);

	state->format.font = rtf_reader_font_name(n->reader);
	n->sink->format = &state->format;
	n->sink->par = &state->par;
	if (str_len(n->bullet) > 0) {
		str_append_c(n->bullet, ' ');
		n->sink->text(n->sink, str_data(n->bullet), str_len(n->bullet));
		str_truncate(n->bullet, 0);
	}
	return n->sink;
}

static void native_field_result(struct native *n, struct native_state *state)
{
	const char *url;

	if (state->dest != NATIVE_DEST_BODY || n->in_link ||
	    str_len(n->instruction) >= MAX_INSTRUCTION)
		return;
	T_BEGIN {
		url = t_instruction_url(str_c(n->instruction));
		if (url != NULL) {
			native_sink(n)->link_begin(n->sink, url);
			state->is_link = n->in_link = TRUE;
		}
	} T_END;
	str_truncate(n->instruction, 0);
}

static void
native_text(struct native *n, const unsigned char *data, size_t size)
{
	const struct native_state *state = rtf_reader_state(n->reader);
	bool after_object = n->after_object;

	n->after_object = FALSE;
	switch (state->dest) {
	case NATIVE_DEST_COLORTBL:
		native_color_text(n, data, size);
		return;
	case NATIVE_DEST_INSTRUCTION:
		if (str_len(n->instruction) < MAX_INSTRUCTION)
			str_append_data(n->instruction, data, size);
		return;
	case NATIVE_DEST_BULLET:
		if (str_len(n->bullet) < MAX_BULLET)
			str_append_data(n->bullet, data, size);
		return;
	case NATIVE_DEST_BODY:
		break;
	}
	if (after_object && data[0] == ' ') {
		data++;
		size--;
	}
	if (size > 0 && !state->format.hidden)
		native_sink(n)->text(n->sink, data, size);
}

static void native_char(struct native *n, unichar_t chr)
{
	unsigned char data[6];
	buffer_t buf;

	/* where a line or a word may be broken is nothing to be read */
	if (chr == 0xad || chr == 0x200b || chr == 0x2060)
		return;
	buffer_create_from_data(&buf, data, sizeof(data));
	uni_ucs4_to_utf8_c(chr, &buf);
	native_text(n, data, buf.used);
}

static void native_object(struct native *n)
{
	if (n->object_idx < n->objects->count) {
		native_sink(n)->object(n->sink,
			&n->objects->objects[n->object_idx++]);
	}
	n->after_object = TRUE;
}

/* --- control words ---------------------------------------------------------- */

static bool
native_format_word(struct native *n, struct rtf_format *format)
{
	struct rtf_reader *reader = n->reader;
	const struct rtf_word *word = reader->word;
	bool on = rtf_reader_word_is_on(reader);

	switch (word->id) {
	case RTF_WORD_B:
		format->bold = on;
		break;
	case RTF_WORD_I:
		format->italic = on;
		break;
	case RTF_WORD_UL:
		format->underline = on && word->value != 0;
		break;
	case RTF_WORD_STRIKE:
		format->strike = on;
		break;
	case RTF_WORD_SCRIPT:
		format->script = on ? (int)word->value : 0;
		break;
	case RTF_WORD_HIDDEN:
		format->hidden = on;
		break;
	case RTF_WORD_FS:
		format->size = reader->param <= 0 ? 0 :
			I_MIN(reader->param, MAX_FONT_SIZE);
		break;
	case RTF_WORD_CF:
		format->color = native_color(n, reader->param);
		break;
	case RTF_WORD_CB:
		/* the first one is none */
		format->background = reader->param <= 0 ? RTF_COLOR_NONE :
			native_color(n, reader->param);
		break;
	default:
		return FALSE;
	}
	return TRUE;
}

static bool
native_paragraph_word(struct native *n, struct native_state *state)
{
	struct rtf_reader *reader = n->reader;
	const struct rtf_word *word = reader->word;

	switch (word->id) {
	case RTF_WORD_PLAIN:
		state_reset_format(state);
		break;
	case RTF_WORD_PARD:
		state_reset_paragraph(state);
		break;
	case RTF_WORD_ALIGN:
		state->par.align = word->value;
		break;
	case RTF_WORD_LI:
		state->par.indent = reader->param < 0 ? 0 :
			I_MIN(reader->param, MAX_INDENT);
		break;
	case RTF_WORD_RTL:
		state->par.rtl = word->value != 0;
		break;
	case RTF_WORD_INTBL:
		state->par.in_table = TRUE;
		break;
	default:
		return FALSE;
	}
	return TRUE;
}

static bool
native_destination_word(struct native *n, struct native_state *state)
{
	switch (n->reader->word->id) {
	case RTF_WORD_COLORTBL:
		state->dest = NATIVE_DEST_COLORTBL;
		break;
	case RTF_WORD_FLDINST:
		state->dest = NATIVE_DEST_INSTRUCTION;
		str_truncate(n->instruction, 0);
		break;
	case RTF_WORD_FLDRSLT:
		native_field_result(n, state);
		break;
	case RTF_WORD_PNTEXT:
		state->dest = NATIVE_DEST_BULLET;
		str_truncate(n->bullet, 0);
		break;
	case RTF_WORD_HTMLTAG:
		/* in RTF that doesn't say that it has any */
		rtf_reader_skip_group(n->reader);
		break;
	default:
		return FALSE;
	}
	return TRUE;
}

static void native_content_word(struct native *n, struct native_state *state)
{
	switch (n->reader->word->id) {
	case RTF_WORD_PAR:
		native_sink(n)->paragraph(n->sink);
		break;
	case RTF_WORD_LINE:
		native_sink(n)->line(n->sink);
		break;
	case RTF_WORD_NESTCELL:
	case RTF_WORD_TAB:
		native_sink(n)->tab(n->sink);
		break;
	case RTF_WORD_NESTROW:
		native_sink(n)->line(n->sink);
		break;
	case RTF_WORD_CELL:
		state->par.in_table = TRUE;
		native_sink(n)->cell(n->sink);
		break;
	case RTF_WORD_ROW:
		native_sink(n)->row(n->sink);
		break;
	case RTF_WORD_OBJATTPH:
		native_object(n);
		break;
	default:
		break;
	}
}

static void native_word(struct native *n)
{
	struct native_state *state = rtf_reader_state(n->reader);

	if (native_format_word(n, &state->format) ||
	    native_paragraph_word(n, state) ||
	    native_destination_word(n, state))
		return;
	if (n->reader->word->id == RTF_WORD_CHAR) {
		native_char(n, n->reader->word->value);
		return;
	}
	n->after_object = FALSE;
	if (state->dest == NATIVE_DEST_COLORTBL)
		native_color_word(n, n->reader->word, n->reader->param);
	else if (state->dest == NATIVE_DEST_BODY && !state->format.hidden)
		native_content_word(n, state);
}

/* --- ------------------------------------------------------------------------ */

static void native_run(struct native *n)
{
	struct native_state *state;

	while (str_len(n->sink->dest) < RTF_OUTPUT_MAX) {
		switch (rtf_reader_next(n->reader)) {
		case RTF_EVENT_END:
			return;
		case RTF_EVENT_GROUP_BEGIN:
			state = rtf_reader_state(n->reader);
			state->is_link = FALSE;
			break;
		case RTF_EVENT_GROUP_END:
			state = rtf_reader_ended_state(n->reader);
			n->after_object = FALSE;
			if (state->is_link) {
				n->sink->link_end(n->sink);
				n->in_link = FALSE;
			}
			break;
		case RTF_EVENT_WORD:
			native_word(n);
			break;
		case RTF_EVENT_TEXT:
			native_text(n, n->reader->text, n->reader->text_size);
			break;
		}
	}
}

void rtf_native_convert(const uint8_t *rtf, size_t size,
			const struct rtf_objects *objects,
			struct rtf_sink *sink)
{
	static const struct rtf_objects no_objects = { NULL, 0 };
	struct native n;

	i_zero(&n);
	n.sink = sink;
	n.objects = objects != NULL ? objects : &no_objects;
	n.instruction = str_new(default_pool, 256);
	n.bullet = str_new(default_pool, MAX_BULLET * 2);
	i_array_init(&n.colors, 32);
	n.reader = rtf_reader_init(rtf, size, sizeof(struct native_state));
	state_reset_format(rtf_reader_state(n.reader));
	state_reset_paragraph(rtf_reader_state(n.reader));

	native_run(&n);
	sink->finish(sink);

	rtf_reader_deinit(&n.reader);
	array_free(&n.colors);
	str_free(&n.bullet);
	str_free(&n.instruction);
}
