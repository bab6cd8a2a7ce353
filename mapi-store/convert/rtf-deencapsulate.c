/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Taking out of RTF what was wrapped in it, [MS-OXRTFEX] 2.2.3.2, 2.2.3.3. What
   HTML has as tags is in groups that other readers skip ({\*\htmltag64 <p>}), its
   text is the RTF's text, and what is there for the other readers is between
   \htmlrtf and \htmlrtf0. */

#include "lib.h"
#include "str.h"
#include "unichar.h"
#include "rtf-private.h"

struct deencapsulate_state {
	/* \htmlrtf: for other readers */
	bool rtf_only;
	bool in_tag;
};

/* What HTML's text has as entities */
static const struct {
	unichar_t chr;
	const char *entity;
} entities[] = {
	{ 0xa0, "&nbsp;" }, { 0xad, "&shy;" }, { 0x2013, "&ndash;" },
	{ 0x2014, "&mdash;" }, { 0x2018, "&lsquo;" }, { 0x2019, "&rsquo;" },
	{ 0x201c, "&ldquo;" }, { 0x201d, "&rdquo;" }, { 0x2022, "&bull;" },
};

static void
deencapsulate_char(const struct deencapsulate_state *state, bool html,
		   unichar_t chr, string_t *dest)
{
	unsigned int i;

	if (html && !state->in_tag) {
		for (i = 0; i < N_ELEMENTS(entities); i++) {
			if (entities[i].chr == chr) {
				str_append(dest, entities[i].entity);
				return;
			}
		}
	}
	uni_ucs4_to_utf8_c(chr, dest);
}

static void
deencapsulate_word(struct rtf_reader *reader, bool html, string_t *dest)
{
	struct deencapsulate_state *state = rtf_reader_state(reader);

	switch (reader->word->id) {
	case RTF_WORD_HTMLRTF:
		state->rtf_only = rtf_reader_word_is_on(reader);
		return;
	case RTF_WORD_HTMLTAG:
		if (!html) {
			rtf_reader_skip_group(reader);
			return;
		}
		state->in_tag = TRUE;
		/* a font is nothing that a tag could have */
		rtf_reader_use_default_codepage(reader);
		return;
	case RTF_WORD_COLORTBL:
	case RTF_WORD_PNTEXT:
	case RTF_WORD_FLDINST:
		rtf_reader_skip_group(reader);
		return;
	default:
		break;
	}
	if (state->rtf_only)
		return;
	switch (reader->word->id) {
	case RTF_WORD_PAR:
	case RTF_WORD_LINE:
		str_append(dest, "\r\n");
		break;
	case RTF_WORD_TAB:
		str_append_c(dest, '\t');
		break;
	case RTF_WORD_CHAR:
		deencapsulate_char(state, html, reader->word->value, dest);
		break;
	default:
		break;
	}
}

void rtf_deencapsulate(const uint8_t *rtf, size_t size, bool html,
		       string_t *dest)
{
	const struct deencapsulate_state *state;
	struct rtf_reader *reader;
	enum rtf_event event;

	reader = rtf_reader_init(rtf, size, sizeof(*state));
	while ((event = rtf_reader_next(reader)) != RTF_EVENT_END &&
	       str_len(dest) < RTF_OUTPUT_MAX) {
		if (event == RTF_EVENT_WORD)
			deencapsulate_word(reader, html, dest);
		if (event != RTF_EVENT_TEXT)
			continue;
		state = rtf_reader_state(reader);
		if (!state->rtf_only)
			str_append_data(dest, reader->text, reader->text_size);
	}
	rtf_reader_deinit(&reader);
}
