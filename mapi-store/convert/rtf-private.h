/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTF_PRIVATE_H
#define RTF_PRIVATE_H

/* The parts of rtf_to_html() and rtf_to_text() */

#include "rtf-html.h"
#include "rtf-reader.h"

/* What was wrapped: HTML, or text. Appended to dest. */
void rtf_deencapsulate(const uint8_t *rtf, size_t size, bool html,
		       string_t *dest);

/* --- native RTF ------------------------------------------------------------- */

#define RTF_COLOR_NONE UINT32_MAX

struct rtf_format {
	bool bold, italic, underline, strike, hidden;
	/* 1: superscript, -1: subscript */
	int8_t script;
	/* half points; 0: whatever is usual */
	uint16_t size;
	/* 0xRRGGBB, or RTF_COLOR_NONE */
	uint32_t color, background;
	/* of the reader's; not NULL */
	const char *font;
};

struct rtf_paragraph {
	/* 'l', 'r', 'c', 'j' */
	char align;
	bool rtl, in_table;
	/* from the left; twips */
	int32_t indent;
};

/* What a native document becomes. All calls are made in the order of the
   document; format and par are those of what is written. */
struct rtf_sink {
	string_t *dest;
	const struct rtf_format *format;
	const struct rtf_paragraph *par;

	/* UTF-8, not empty */
	void (*text)(struct rtf_sink *sink, const unsigned char *data,
		     size_t size);
	void (*tab)(struct rtf_sink *sink);
	/* a line within a paragraph has ended; a paragraph, cell, row has */
	void (*line)(struct rtf_sink *sink);
	void (*paragraph)(struct rtf_sink *sink);
	void (*cell)(struct rtf_sink *sink);
	void (*row)(struct rtf_sink *sink);
	/* Links aren't nested. */
	void (*link_begin)(struct rtf_sink *sink, const char *url);
	void (*link_end)(struct rtf_sink *sink);
	void (*object)(struct rtf_sink *sink, const struct rtf_object *object);
	/* frees sink, too */
	void (*finish)(struct rtf_sink *sink);
};

struct rtf_sink *rtf_sink_html(string_t *dest);
struct rtf_sink *rtf_sink_text(string_t *dest);

/* Writes the document to sink, and finishes it. */
void rtf_native_convert(const uint8_t *rtf, size_t size,
			const struct rtf_objects *objects,
			struct rtf_sink *sink);

#endif
