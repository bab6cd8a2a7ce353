/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_STREAM_CHARSET_H
#define MAPI_STREAM_CHARSET_H

struct istream;

/* A stream of UTF-8 text in another character set, converted as it is read.
   charset is a name that iconv(3) knows. Characters that the character set
   lacks, and bytes that aren't UTF-8, become its replacement ('?', U+FFFD in
   Unicode). Seeking backwards reads again from the start. NULL if iconv doesn't
   know the character set. */
struct istream *
i_stream_create_from_utf8(struct istream *input, const char *charset);

#endif
