/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "charset-utf8.h"
#include "unichar.h"
#include "mime-charset.h"

#include <ctype.h>

#define MAX_LABEL_LEN 40

/* [MS-UCODEREF] 2.2.1 has the numbers of code pages. Where name is a superset
   that the label doesn't name, codepage is the superset's. */
static const struct {
	const char *label;
	const char *name;
	uint32_t codepage;
} charsets[] = {
	{ "utf-8", "UTF-8", 65001 },
	{ "utf8", "UTF-8", 65001 },
	{ "unicode-1-1-utf-8", "UTF-8", 65001 },
	{ "us-ascii", "UTF-8", 65001 },
	{ "ascii", "UTF-8", 65001 },
	{ "ansi_x3.4-1968", "UTF-8", 65001 },
	{ "iso-8859-1", "CP1252", 1252 },
	{ "iso8859-1", "CP1252", 1252 },
	{ "iso_8859-1", "CP1252", 1252 },
	{ "latin1", "CP1252", 1252 },
	{ "l1", "CP1252", 1252 },
	{ "windows-1252", "CP1252", 1252 },
	{ "cp1252", "CP1252", 1252 },
	{ "x-ansi", "CP1252", 1252 },
	{ "ansi", "CP1252", 1252 },
	{ "windows-1250", "CP1250", 1250 },
	{ "cp1250", "CP1250", 1250 },
	{ "windows-1251", "CP1251", 1251 },
	{ "cp1251", "CP1251", 1251 },
	{ "windows-1253", "CP1253", 1253 },
	{ "windows-1254", "CP1254", 1254 },
	{ "iso-8859-9", "CP1254", 1254 },
	{ "latin5", "CP1254", 1254 },
	{ "windows-1255", "CP1255", 1255 },
	{ "iso-8859-8-i", "CP1255", 1255 },
	{ "windows-1256", "CP1256", 1256 },
	{ "windows-1257", "CP1257", 1257 },
	{ "windows-1258", "CP1258", 1258 },
	{ "windows-874", "CP874", 874 },
	{ "iso-8859-11", "CP874", 874 },
	{ "tis-620", "CP874", 874 },
	{ "iso-8859-2", "ISO-8859-2", 28592 },
	{ "latin2", "ISO-8859-2", 28592 },
	{ "iso-8859-3", "ISO-8859-3", 28593 },
	{ "iso-8859-4", "ISO-8859-4", 28594 },
	{ "iso-8859-5", "ISO-8859-5", 28595 },
	{ "iso-8859-6", "ISO-8859-6", 28596 },
	{ "iso-8859-7", "ISO-8859-7", 28597 },
	{ "iso-8859-8", "ISO-8859-8", 28598 },
	{ "iso-8859-13", "ISO-8859-13", 28603 },
	{ "iso-8859-15", "ISO-8859-15", 28605 },
	{ "latin9", "ISO-8859-15", 28605 },
	{ "koi8-r", "KOI8-R", 20866 },
	{ "koi8-u", "KOI8-U", 21866 },
	{ "ibm437", "CP437", 437 },
	{ "ibm850", "CP850", 850 },
	{ "cp850", "CP850", 850 },
	{ "ibm852", "CP852", 852 },
	{ "cp866", "CP866", 866 },
	{ "ibm866", "CP866", 866 },
	{ "macintosh", "MACINTOSH", 10000 },
	{ "gb2312", "GB18030", 54936 },
	{ "gb_2312-80", "GB18030", 54936 },
	{ "gbk", "GB18030", 54936 },
	{ "x-gbk", "GB18030", 54936 },
	{ "cp936", "GB18030", 54936 },
	{ "gb18030", "GB18030", 54936 },
	{ "big5", "CP950", 950 },
	{ "big5-tw", "CP950", 950 },
	{ "big5_tw", "CP950", 950 },
	{ "x-x-big5", "CP950", 950 },
	{ "cn-big5", "CP950", 950 },
	{ "big5-hkscs", "BIG5-HKSCS", 0 },
	{ "ks_c_5601-1987", "CP949", 949 },
	{ "ks_c_5601", "CP949", 949 },
	{ "ksc5601", "CP949", 949 },
	{ "euc-kr", "CP949", 949 },
	{ "uhc", "CP949", 949 },
	{ "cp949", "CP949", 949 },
	{ "windows-949", "CP949", 949 },
	{ "shift_jis", "CP932", 932 },
	{ "shift-jis", "CP932", 932 },
	{ "sjis", "CP932", 932 },
	{ "x-sjis", "CP932", 932 },
	{ "ms_kanji", "CP932", 932 },
	{ "cp932", "CP932", 932 },
	{ "windows-31j", "CP932", 932 },
	{ "iso-2022-jp", "ISO-2022-JP", 50220 },
	{ "iso-2022-jp-ms", "ISO-2022-JP", 50220 },
	{ "csiso2022jp", "ISO-2022-JP", 50220 },
	{ "euc-jp", "EUC-JP-MS", 51932 },
	{ "iso-2022-kr", "ISO-2022-KR", 50225 },
	/* HTML isn't handed on in these: markup hides in them */
	{ "utf-7", "UTF-7", 0 },
	{ "unicode-1-1-utf-7", "UTF-7", 0 },
	{ "utf-16", "UTF-16", 0 },
	{ "utf-16le", "UTF-16LE", 0 },
	{ "utf-16be", "UTF-16BE", 0 },
};

static bool label_is_sane(const char *label)
{
	size_t i;

	for (i = 0; label[i] != '\0'; i++) {
		if (i >= MAX_LABEL_LEN ||
		    (!i_isalnum(label[i]) && strchr("-_.:", label[i]) == NULL))
			return FALSE;
	}
	return i > 0;
}

void mime_charset_find(const char *label, struct mime_charset *charset_r)
{
	struct charset_translation *trans;
	unsigned int i;

	i_zero(charset_r);
	charset_r->name = "CP1252";
	charset_r->codepage = MIME_CODEPAGE_DEFAULT;
	charset_r->doubtful = TRUE;
	if (label == NULL)
		return;
	while (*label == ' ' || *label == '\t')
		label++;
	for (i = 0; i < N_ELEMENTS(charsets); i++) {
		if (strcasecmp(label, charsets[i].label) == 0) {
			charset_r->name = charsets[i].name;
			charset_r->codepage = charsets[i].codepage;
			charset_r->doubtful =
				charsets[i].codepage == MIME_CODEPAGE_UTF8;
			return;
		}
	}
	if (label_is_sane(label) &&
	    charset_to_utf8_begin(label, NULL, &trans) == 0) {
		charset_to_utf8_end(&trans);
		charset_r->name = label;
		charset_r->codepage = 0;
		charset_r->doubtful = FALSE;
	}
}

uint32_t mime_charset_codepage(const char *label)
{
	struct mime_charset charset;

	mime_charset_find(label, &charset);
	return charset.doubtful && charset.codepage != MIME_CODEPAGE_UTF8 ?
		0 : charset.codepage;
}

void mime_charset_probe_more(struct mime_charset_probe *probe,
			     const unsigned char *data, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		unsigned char c = data[i];

		if (probe->missing > 0) {
			if (c >= probe->low && c <= probe->high) {
				probe->low = 0x80;
				probe->high = 0xbf;
				if (--probe->missing == 0)
					probe->valid++;
				continue;
			}
			probe->invalid++;
			probe->missing = 0;
		}
		if (c < 0x80)
			continue;
		/* [RFC3629] 4 */
		probe->low = 0x80;
		probe->high = 0xbf;
		if (c >= 0xc2 && c <= 0xdf)
			probe->missing = 1;
		else if (c >= 0xe0 && c <= 0xef) {
			probe->missing = 2;
			if (c == 0xe0)
				probe->low = 0xa0;
			else if (c == 0xed)
				probe->high = 0x9f;
		} else if (c >= 0xf0 && c <= 0xf4) {
			probe->missing = 3;
			if (c == 0xf0)
				probe->low = 0x90;
			else if (c == 0xf4)
				probe->high = 0x8f;
		} else {
			probe->invalid++;
		}
	}
}

bool mime_charset_probe_is_utf8(const struct mime_charset_probe *probe)
{
	return probe->invalid == 0 || probe->invalid < probe->valid / 2;
}

void mime_charset_decide(struct mime_charset *charset,
			 const struct mime_charset_probe *probe)
{
	bool utf8 = mime_charset_probe_is_utf8(probe);

	charset->name = utf8 ? "UTF-8" : "CP1252";
	charset->codepage = utf8 ? MIME_CODEPAGE_UTF8 : MIME_CODEPAGE_DEFAULT;
	charset->doubtful = FALSE;
}

/* --- conversion ------------------------------------------------------------ */

struct charset_filter {
	struct mime_filter filter;
	struct charset_translation *trans;
	/* iconv keeps a letter until it knows whether the next byte is an accent
	   on it */
	bool combines;
	/* the beginning of a character that isn't complete yet */
	unsigned char pending[CHARSET_MAX_PENDING_BUF_SIZE];
	size_t pending_len;
};

static void drop_nuls(buffer_t *dest, size_t start)
{
	unsigned char *data = buffer_get_modifiable_data(dest, NULL);
	size_t i, to;

	if (memchr(data + start, '\0', dest->used - start) == NULL)
		return;
	for (i = to = start; i < dest->used; i++) {
		if (data[i] != '\0')
			data[to++] = data[i];
	}
	buffer_set_used_size(dest, to);
}

static void
charset_feed(struct mime_filter *filter, const unsigned char *data, size_t size,
	     buffer_t *dest)
{
	struct charset_filter *f = container_of(filter, struct charset_filter,
						filter);
	unsigned char buf[CHARSET_MAX_PENDING_BUF_SIZE * 2];
	size_t start = dest->used, len, left, add;

	while (f->pending_len > 0 && size > 0) {
		add = I_MIN(size, sizeof(buf) - f->pending_len);
		memcpy(buf, f->pending, f->pending_len);
		memcpy(buf + f->pending_len, data, add);
		len = left = f->pending_len + add;
		(void)charset_to_utf8(f->trans, buf, &left, dest);
		i_assert(left <= len);
		if (left < f->pending_len) {
			/* still not complete: it takes all of the input, or
			   it's not going to be a character */
			left = len - left;
			if (left > sizeof(f->pending)) {
				f->pending_len = 0;
				str_append(dest, UNICODE_REPLACEMENT_CHAR_UTF8);
			} else {
				memcpy(f->pending, buf + len - left, left);
				f->pending_len = left;
			}
			data += add;
			size -= add;
			continue;
		}
		data += left - f->pending_len;
		size -= left - f->pending_len;
		f->pending_len = 0;
	}
	while (size > 0) {
		len = size;
		(void)charset_to_utf8(f->trans, data, &len, dest);
		data += len;
		size -= len;
		if (size <= sizeof(f->pending)) {
			memcpy(f->pending, data, size);
			f->pending_len = size;
			break;
		}
		if (len == 0) {
			/* it makes no progress: skip a byte */
			str_append(dest, UNICODE_REPLACEMENT_CHAR_UTF8);
			data++;
			size--;
		}
	}
	drop_nuls(dest, start);
}

/* lib-charset has no function for it. */
static void charset_flush(struct charset_filter *f, buffer_t *dest)
{
	static const unsigned char blank[] = { ' ' };
	size_t size = sizeof(blank);

	(void)charset_to_utf8(f->trans, blank, &size, dest);
	i_assert(dest->used > 0);
	buffer_set_used_size(dest, dest->used - 1);
}

static void charset_finish(struct mime_filter *filter, buffer_t *dest)
{
	struct charset_filter *f = container_of(filter, struct charset_filter,
						filter);

	if (f->pending_len > 0)
		str_append(dest, UNICODE_REPLACEMENT_CHAR_UTF8);
	else if (f->combines)
		charset_flush(f, dest);
	f->pending_len = 0;
}

static void charset_reset(struct mime_filter *filter)
{
	struct charset_filter *f = container_of(filter, struct charset_filter,
						filter);

	charset_to_utf8_reset(f->trans);
	f->pending_len = 0;
}

static void charset_free(struct mime_filter *filter)
{
	struct charset_filter *f = container_of(filter, struct charset_filter,
						filter);

	charset_to_utf8_end(&f->trans);
	i_free(f);
}

static bool charset_combines(const char *name)
{
	static const char *const names[] = { "CP1255", "CP1258" };
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(names); i++) {
		if (strcasecmp(name, names[i]) == 0)
			return TRUE;
	}
	return FALSE;
}

struct mime_filter *mime_charset_filter(const char *name)
{
	static const struct mime_filter vfuncs = {
		charset_feed, charset_finish, charset_reset, charset_free
	};
	struct charset_filter *f = i_new(struct charset_filter, 1);

	f->filter = vfuncs;
	if (charset_to_utf8_begin(name, NULL, &f->trans) < 0 &&
	    charset_to_utf8_begin("CP1252", NULL, &f->trans) < 0) {
		/* an iconv without tables: what is UTF-8 gets through */
		f->trans = charset_utf8_to_utf8_begin(NULL);
	} else {
		f->combines = charset_combines(name);
	}
	return &f->filter;
}

void mime_charset_to_utf8(const char *label, const unsigned char *data,
			  size_t size, buffer_t *dest)
{
	struct mime_charset charset;
	struct mime_charset_probe probe;

	mime_charset_find(label, &charset);
	if (charset.doubtful) {
		i_zero(&probe);
		mime_charset_probe_more(&probe, data, size);
		if (probe.missing > 0)
			probe.invalid++;
		mime_charset_decide(&charset, &probe);
	}
	mime_filter_run(mime_charset_filter(charset.name), data, size, dest);
}
