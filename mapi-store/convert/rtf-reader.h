/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTF_READER_H
#define RTF_READER_H

/* Reads an RTF document as groups, control words and UTF-8 text: knows of code
   pages, fonts' character sets, \u, and of what isn't shown. Whoever converts the
   document keeps a state per group here, which goes with the groups as RTF has
   it: a group begins with what is around it, and its end brings that back. */

#include "rtf-words.h"

/* Groups within groups; what is deeper is left out. HTML that is encapsulated has
   a level for each of its elements. */
#define RTF_MAX_DEPTH 4096
/* about as much text comes at once at most */
#define RTF_TEXT_CHUNK 4096
/* longer names of fonts are cut */
#define RTF_FONT_NAME_MAX 31

enum rtf_event {
	RTF_EVENT_END,
	/* A group has begun, or ended. Groups are always balanced: those that
	   are open at the end of the document end there, and what is after the
	   end of the first one isn't read. */
	RTF_EVENT_GROUP_BEGIN,
	RTF_EVENT_GROUP_END,
	/* reader->word. No event for words that aren't known, or are the
	   reader's own */
	RTF_EVENT_WORD,
	/* reader->text */
	RTF_EVENT_TEXT
};

struct rtf_reader {
	/* of the last event, valid until the next */
	const struct rtf_word *word;
	bool has_param;
	int32_t param;
	/* UTF-8 without control characters, not empty */
	const unsigned char *text;
	size_t text_size;

	struct rtf_reader_private *priv;
};

/* state_size: bytes of the converter's state per group; it begins as zeros. rtf
   must live as long as the reader. */
struct rtf_reader *
rtf_reader_init(const uint8_t *rtf, size_t size, size_t state_size);
void rtf_reader_deinit(struct rtf_reader **reader);

enum rtf_event rtf_reader_next(struct rtf_reader *reader);
/* The state of the group that is current; valid until the next event. */
void *rtf_reader_state(struct rtf_reader *reader);
/* After RTF_EVENT_GROUP_END: the state of the group that has ended */
void *rtf_reader_ended_state(struct rtf_reader *reader);

/* Leaves out the rest of the current group, but for its end. */
void rtf_reader_skip_group(struct rtf_reader *reader);
/* Text of the current group is in the document's code page, whatever the font. */
void rtf_reader_use_default_codepage(struct rtf_reader *reader);
/* Whether a \word is a toggle that switches on: "\b" and "\b1", not "\b0" */
bool rtf_reader_word_is_on(const struct rtf_reader *reader);

/* The name of the current font as letters, digits, blanks and hyphens; "" if it
   has none. */
const char *rtf_reader_font_name(struct rtf_reader *reader);

#endif
