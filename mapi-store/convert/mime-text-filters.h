/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_TEXT_FILTERS_H
#define MIME_TEXT_FILTERS_H

/* Converters of body text. All take and give UTF-8, in linear time and in
   memory that doesn't grow with the input. */

#include "mime-filter.h"

/* Line ends of any kind to CRLF. With flowed, paragraphs of format=flowed are
   put together again ([RFC3676]), without the space before a soft line break
   if delsp. */
struct mime_filter *mime_text_lines_filter(bool flowed, bool delsp);

/* Plain text to HTML. With document, a whole document; else what can stand in
   one's body. */
struct mime_filter *mime_text_to_html_filter(bool document);

/* HTML to plain text with CRLF line ends: tags, comments, scripts and styles
   dropped, entities and line structure turned into text, addresses of links
   kept. */
struct mime_filter *mime_html_to_text_filter(void);

/* Code point of a named entity (len bytes, no & and ;); 0 if unknown */
unsigned int mime_html_entity(const char *name, size_t len);

#endif
