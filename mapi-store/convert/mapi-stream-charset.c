/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "istream-private.h"
#include "unichar.h"
#include "mapi-stream-charset.h"

#include <iconv.h>

/* The longest that one character of input can become */
#define MAX_OUTPUT_CHAR 32

struct from_utf8_istream {
	struct istream_private istream;
	iconv_t cd;
	/* what stands for a character that cannot be had, in UTF-8 */
	const char *replacement;
	bool finished:1;
};

static void
i_stream_from_utf8_close(struct iostream_private *stream, bool close_parent)
{
	struct from_utf8_istream *cstream =
		container_of(stream, struct from_utf8_istream,
			     istream.iostream);

	if (cstream->cd != (iconv_t)-1) {
		iconv_close(cstream->cd);
		cstream->cd = (iconv_t)-1;
	}
	if (close_parent)
		i_stream_close(cstream->istream.parent);
}

/* Writes the replacement for a character; FALSE if there's no room. */
static bool
from_utf8_replace(struct from_utf8_istream *cstream, char **dest,
		  size_t *destleft)
{
	char *src = (char *)cstream->replacement;
	size_t srcleft = strlen(src);

	if (*destleft < MAX_OUTPUT_CHAR)
		return FALSE;
	(void)iconv(cstream->cd, &src, &srcleft, dest, destleft);
	return TRUE;
}

/* Converts as much as possible; returns the number of bytes used of the
   input. final: the input ends here. */
static size_t
from_utf8_convert(struct from_utf8_istream *cstream,
		  const unsigned char *data, size_t size, bool final,
		  char **dest, size_t *destleft)
{
	char *src = (char *)data;
	size_t srcleft = size;

	while (srcleft > 0) {
		if (iconv(cstream->cd, &src, &srcleft, dest,
			  destleft) != (size_t)-1 || errno == E2BIG)
			break;
		if (errno == EINVAL && !final)
			break; /* incomplete character */
		/* EILSEQ: not UTF-8, or not in the character set */
		if (!from_utf8_replace(cstream, dest, destleft))
			break;
		unichar_t chr;
		int len = uni_utf8_get_char_n(src, srcleft, &chr);
		if (len <= 0)
			len = 1;
		src += len;
		srcleft -= len;
	}
	return size - srcleft;
}

static ssize_t i_stream_from_utf8_read(struct istream_private *stream)
{
	struct from_utf8_istream *cstream =
		container_of(stream, struct from_utf8_istream, istream);
	const unsigned char *data;
	size_t size, avail, used, destleft;
	char *dest;
	ssize_t ret;
	bool final = FALSE;

	for (;;) {
		if (cstream->finished) {
			stream->istream.eof = TRUE;
			return -1;
		}
		data = i_stream_get_data(stream->parent, &size);
		if (size < 16) {
			/* a character may be split */
			ret = i_stream_read_memarea(stream->parent);
			if (ret == 0)
				return 0;
			if (ret == -1) {
				if (stream->parent->stream_errno != 0) {
					stream->istream.stream_errno =
						stream->parent->stream_errno;
					return -1;
				}
				final = TRUE;
			}
			data = i_stream_get_data(stream->parent, &size);
		}
		if (!i_stream_try_alloc(stream, 4096, &avail))
			return -2;
		if (avail < MAX_OUTPUT_CHAR) {
			/* the caller must use up what it has first */
			return -2;
		}
		dest = (char *)stream->w_buffer + stream->pos;
		destleft = avail;
		used = from_utf8_convert(cstream, data, size, final,
					 &dest, &destleft);
		i_stream_skip(stream->parent, used);
		if (final && used == size &&
		    iconv(cstream->cd, NULL, NULL, &dest,
			  &destleft) != (size_t)-1)
			cstream->finished = TRUE;
		if (destleft < avail) {
			stream->pos += avail - destleft;
			return avail - destleft;
		}
	}
}

static void
i_stream_from_utf8_seek(struct istream_private *stream, uoff_t v_offset,
			bool mark ATTR_UNUSED)
{
	struct from_utf8_istream *cstream =
		container_of(stream, struct from_utf8_istream, istream);

	if (i_stream_nonseekable_try_seek(stream, v_offset))
		return;
	/* start again */
	cstream->finished = FALSE;
	(void)iconv(cstream->cd, NULL, NULL, NULL, NULL);
	if (!i_stream_nonseekable_try_seek(stream, v_offset))
		i_unreached();
}

static iconv_t from_utf8_iconv_open(const char *charset)
{
	iconv_t cd;
	const char *translit = t_strconcat(charset, "//TRANSLIT", NULL);

	cd = iconv_open(translit, "UTF-8");
	if (cd == (iconv_t)-1)
		cd = iconv_open(charset, "UTF-8");
	return cd;
}

struct istream *
i_stream_create_from_utf8(struct istream *input, const char *charset)
{
	struct from_utf8_istream *cstream;
	iconv_t cd;

	T_BEGIN {
		cd = from_utf8_iconv_open(charset);
	} T_END;
	if (cd == (iconv_t)-1)
		return NULL;

	cstream = i_new(struct from_utf8_istream, 1);
	cstream->cd = cd;
	cstream->replacement = str_begins(charset, "UTF") ?
		UNICODE_REPLACEMENT_CHAR_UTF8 : "?";
	cstream->istream.max_buffer_size = input->real_stream->max_buffer_size;
	cstream->istream.iostream.close = i_stream_from_utf8_close;
	cstream->istream.read = i_stream_from_utf8_read;
	cstream->istream.seek = i_stream_from_utf8_seek;
	cstream->istream.istream.readable_fd = FALSE;
	cstream->istream.istream.blocking = input->blocking;
	cstream->istream.istream.seekable = input->seekable;
	return i_stream_create(&cstream->istream, input,
			       i_stream_get_fd(input), 0);
}
