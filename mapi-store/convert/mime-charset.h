/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_CHARSET_H
#define MIME_CHARSET_H

/* Character sets of bodies and headers, and what to make of wrong labels.

   Labels are read as the superset that senders mean by them: iso-8859-1 is
   windows-1252, gb2312 is GB18030, ks_c_5601-1987 is code page 949, shift_jis
   is code page 932. Bytes without a label, or with one that can't be right,
   are UTF-8 if they are valid UTF-8, else windows-1252. */

#include "mime-filter.h"

#define MIME_CODEPAGE_UTF8 65001
#define MIME_CODEPAGE_DEFAULT 1252

struct mime_charset {
	/* as iconv(3) knows it */
	const char *name;
	/* The Windows code page whose bytes these are; 0 if there's none that
	   clients could be told */
	uint32_t codepage;
	/* the label isn't to be believed before the bytes have been seen:
	   unknown, us-ascii or utf-8 */
	bool doubtful;
};

/* label may be NULL. An unknown one gives windows-1252, doubtful. name is a
   static string, or label itself. */
void mime_charset_find(const char *label, struct mime_charset *charset_r);

/* Looks at bytes to find out whether they are UTF-8. */
struct mime_charset_probe {
	/* complete sequences of more than one byte, and bytes that aren't part
	   of any */
	uint64_t valid, invalid;
	/* of the current sequence: bytes missing, lowest and highest next */
	unsigned int missing;
	unsigned char low, high;
};
void mime_charset_probe_more(struct mime_charset_probe *probe,
			     const unsigned char *data, size_t size);
/* A few broken bytes among good UTF-8 leave it UTF-8. */
bool mime_charset_probe_is_utf8(const struct mime_charset_probe *probe);
/* The character set of bytes that the probe has seen, labelled as charset,
   which is doubtful. */
void mime_charset_decide(struct mime_charset *charset,
			 const struct mime_charset_probe *probe);

/* Converts to UTF-8. What is invalid becomes U+FFFD, NULs are dropped. name:
   from mime_charset_find() */
struct mime_filter *mime_charset_filter(const char *name);

/* Appends bytes as UTF-8; decides on doubtful labels itself. */
void mime_charset_to_utf8(const char *label, const unsigned char *data,
			  size_t size, buffer_t *dest);

/* The number of a code page that MAPI clients know the label by, or 0 */
uint32_t mime_charset_codepage(const char *label);

#endif
