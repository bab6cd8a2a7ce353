/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_HTML_WRITER_H
#define MIME_HTML_WRITER_H

/* The output side of HTML to text: what text and tags do to plain text. Blanks
   are collapsed and held back until something follows them; line ends are
   requested (how many there have to be at least) and written when something
   follows, too. Private to mime-html-to-text.c. */

#include "lib.h"
#include "unichar.h"

#define HTML_MAX_LIST_DEPTH 8

struct html_list {
	bool ordered;
	unsigned int number;
};

struct html_writer {
	/* address of the link we're in, and the beginning of its text */
	string_t *href, *link_text;
	bool in_link;
	/* depth of elements whose text isn't shown, or is as it is */
	unsigned int hidden, pre;
	struct html_list lists[HTML_MAX_LIST_DEPTH];
	unsigned int list_depth;

	/* something has been written; line ends that it ended with, that have
	   to come before the next, and whether a blank has */
	bool begun;
	unsigned int newlines_done, newlines_wanted;
	bool blank_wanted;
};

void html_writer_init(struct html_writer *w);
void html_writer_reset(struct html_writer *w);
void html_writer_deinit(struct html_writer *w);

/* A byte of text */
void html_writer_byte(struct html_writer *w, unsigned char c, string_t *dest);
/* A character that an entity stands for */
void html_writer_char(struct html_writer *w, unichar_t chr, string_t *dest);
/* A tag, its name in lower case, with the attributes that matter ("" if it
   hasn't them). Returns TRUE if what follows up to the end tag isn't markup. */
bool html_writer_tag(struct html_writer *w, const char *name, bool end_tag,
		     const char *href, const char *alt, string_t *dest);
void html_writer_finish(struct html_writer *w, string_t *dest);

#endif
