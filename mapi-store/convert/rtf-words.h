/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTF_WORDS_H
#define RTF_WORDS_H

/* The control words that mean something here, [MSFT-RTF] and [MS-OXRTFEX]. */

#include <stdint.h>
#include <stdbool.h>

enum rtf_word_id {
	/* a destination that has nothing to be shown */
	RTF_WORD_SKIP,
	/* a character, value */
	RTF_WORD_CHAR,

	/* --- what text is in: rtf-reader.c's alone but \plain */
	/* default code page of a character set, value */
	RTF_WORD_CHARSET,
	RTF_WORD_ANSICPG,
	RTF_WORD_DEFF,
	RTF_WORD_FONTTBL,
	RTF_WORD_F,
	RTF_WORD_FCHARSET,
	RTF_WORD_CPG,
	RTF_WORD_UC,
	RTF_WORD_U,
	RTF_WORD_PLAIN,

	/* --- encapsulation */
	RTF_WORD_HTMLTAG,
	RTF_WORD_HTMLRTF,

	/* --- characters */
	RTF_WORD_B,
	RTF_WORD_I,
	/* underlined: value, unless the parameter is 0 */
	RTF_WORD_UL,
	RTF_WORD_STRIKE,
	/* super- and subscript: value is 1, -1, 0 */
	RTF_WORD_SCRIPT,
	RTF_WORD_FS,
	RTF_WORD_CF,
	RTF_WORD_CB,
	/* text that isn't shown */
	RTF_WORD_HIDDEN,

	/* --- paragraphs and tables */
	RTF_WORD_PARD,
	RTF_WORD_PAR,
	RTF_WORD_LINE,
	RTF_WORD_TAB,
	/* alignment: value is 'l', 'r', 'c', 'j' */
	RTF_WORD_ALIGN,
	RTF_WORD_LI,
	/* from right to left: value */
	RTF_WORD_RTL,
	RTF_WORD_INTBL,
	RTF_WORD_CELL,
	RTF_WORD_ROW,
	/* tables within cells */
	RTF_WORD_NESTCELL,
	RTF_WORD_NESTROW,

	/* --- other destinations */
	RTF_WORD_COLORTBL,
	RTF_WORD_RED,
	RTF_WORD_GREEN,
	RTF_WORD_BLUE,
	/* bullet or number of a list's item */
	RTF_WORD_PNTEXT,
	RTF_WORD_FLDINST,
	RTF_WORD_FLDRSLT,
	/* where an attachment is shown */
	RTF_WORD_OBJATTPH,
};

struct rtf_word {
	const char *name;
	enum rtf_word_id id;
	uint32_t value;
};

/* NULL if it's none of them */
const struct rtf_word *rtf_word_find(const char *name);
/* Whether a group that begins with \* and it isn't to be skipped */
bool rtf_word_is_destination(const struct rtf_word *word);

#endif
