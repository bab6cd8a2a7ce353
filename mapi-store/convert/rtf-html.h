/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTF_HTML_H
#define RTF_HTML_H

/* RTF <-> HTML and plain text. RTF in mail is mostly a wrapping of something
   else: Outlook puts the HTML or the text that a body was into RTF so that it
   can be taken out again ([MS-OXRTFEX]). What isn't such a wrapping ("native")
   is converted.

   RTF here is not compressed; see rtf-compress.h. All HTML and text are UTF-8
   without NULs, lines end with CRLF; results are allocated from mem and end
   with a NUL. Nothing here fails for malformed RTF that begins as RTF has to:
   what isn't understood is skipped, what is cut ends there. Memory and time are
   proportional to the input. */

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <talloc.h>

/* HTML and text are cut when they are about as long. */
#define RTF_OUTPUT_MAX (16 * 1024 * 1024)

enum rtf_kind {
	/* doesn't begin with "{\rtf": not RTF */
	RTF_KIND_NONE,
	/* RTF that some program wrote as such */
	RTF_KIND_NATIVE,
	/* HTML is wrapped in it: \fromhtml1, [MS-OXRTFEX] 2.1.3.1 */
	RTF_KIND_HTML,
	/* text is wrapped in it: \fromtext, [MS-OXRTFEX] 2.1.3.2 */
	RTF_KIND_TEXT
};

/* What the first ten tokens of the RTF say ([MS-OXRTFEX] 2.2.3.1). */
enum rtf_kind rtf_kind(const uint8_t *rtf, size_t size);

/* How many places for attachments (\objattph) the RTF has, [MS-OXRTFEX]
   2.2.3.4. If that's another number than that of attachments which say that they
   have such a place, nobody knows which is which. */
unsigned int rtf_object_places(const uint8_t *rtf, size_t size);

/* Attachments that native RTF shows, in the order of its places for them. */
struct rtf_objects {
	const struct rtf_object *objects;
	unsigned int count;
};
struct rtf_object {
	/* what it's called; UTF-8, may be empty */
	const char *name;
	/* of an image that the HTML is to show, else NULL */
	const char *content_id;
};

/* Any RTF as an HTML document.
   RTF_KIND_HTML: the HTML that was wrapped, to the letter as far as the wrapping
   kept it ([MS-OXRTFEX] 2.2.3.2). A <meta charset> of it is left as it was,
   although the document is now UTF-8: who sends it says so outside (MIME's
   charset, PidTagInternetCodepage), which comes before it.
   RTF_KIND_TEXT and RTF_KIND_NATIVE: a new document with "utf-8" in its <meta>;
   of native RTF: paragraphs, alignment and indent, bold, italic, underlined,
   struck out, super- and subscript, colours, font faces and sizes, tables, list
   items with the bullet or number that the RTF has as text, links with a scheme
   that is safe to follow. Pictures, embedded objects and footnotes are left out.
   objects may be NULL.
   Returns -1 if it isn't RTF. */
int rtf_to_html(TALLOC_CTX *mem, const uint8_t *rtf, size_t size,
		const struct rtf_objects *objects, char **html_r,
		size_t *size_r);

/* Any RTF as plain text; as above.
   RTF_KIND_TEXT: the text that was wrapped ([MS-OXRTFEX] 2.2.3.3).
   RTF_KIND_NATIVE: paragraphs are lines, cells of a table are separated by
   tabs, the address of a link follows its text in <> where it differs.
   RTF_KIND_HTML: the text of the HTML, by the same rules as everywhere else
   (mime_html_to_text_filter()). */
int rtf_to_text(TALLOC_CTX *mem, const uint8_t *rtf, size_t size,
		const struct rtf_objects *objects, char **text_r,
		size_t *size_r);

/* HTML wrapped in RTF ([MS-OXRTFEX] 2.1.3.1): rtf_to_html() gives it back,
   with every line end as CRLF, without control characters, and with U+FFFD for
   what isn't UTF-8. A program that doesn't know of the wrapping shows the text
   with its paragraphs, bold, italic and underlined. *rtf_r is pure ASCII. */
void rtf_from_html(TALLOC_CTX *mem, const uint8_t *html, size_t size,
		   uint8_t **rtf_r, size_t *size_r);
/* and the same for text: \fromtext */
void rtf_from_text(TALLOC_CTX *mem, const uint8_t *text, size_t size,
		   uint8_t **rtf_r, size_t *size_r);

#endif
