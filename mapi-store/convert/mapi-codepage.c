/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "buffer.h"
#include "str.h"
#include "istream.h"
#include "mapi-codepage.h"
#include "mapi-stream-charset.h"
#include "mime-charset.h"

static const struct {
	uint32_t code_page;
	const char *charset;
} codepages[] = {
	{ 437, "CP437" }, { 737, "CP737" }, { 775, "CP775" },
	{ 850, "CP850" }, { 852, "CP852" }, { 855, "CP855" },
	{ 857, "CP857" }, { 862, "CP862" }, { 866, "CP866" },
	{ 874, "CP874" }, { 932, "CP932" }, { 936, "GBK" },
	{ 949, "CP949" }, { 950, "BIG5" },
	{ 1250, "CP1250" }, { 1251, "CP1251" }, { 1252, "CP1252" },
	{ 1253, "CP1253" }, { 1254, "CP1254" }, { 1255, "CP1255" },
	{ 1256, "CP1256" }, { 1257, "CP1257" }, { 1258, "CP1258" },
	{ 10000, "MACINTOSH" }, { MAPI_CODEPAGE_ASCII, "US-ASCII" },
	{ 20261, "T.61-8BIT" }, { 20866, "KOI8-R" },
	{ 20932, "EUC-JP" }, { 20936, "GB2312" }, { 21866, "KOI8-U" },
	{ 28591, "ISO-8859-1" }, { 28592, "ISO-8859-2" },
	{ 28593, "ISO-8859-3" }, { 28594, "ISO-8859-4" },
	{ 28595, "ISO-8859-5" }, { 28596, "ISO-8859-6" },
	{ 28597, "ISO-8859-7" }, { 28598, "ISO-8859-8" },
	{ 28599, "ISO-8859-9" }, { 28603, "ISO-8859-13" },
	{ 28605, "ISO-8859-15" }, { 38598, "ISO-8859-8" },
	{ 50220, "ISO-2022-JP" }, { 50221, "ISO-2022-JP" },
	{ 50222, "ISO-2022-JP" }, { 50225, "ISO-2022-KR" },
	{ 51932, "EUC-JP" }, { 51936, "EUC-CN" }, { 51949, "EUC-KR" },
	{ 54936, "GB18030" }, { 65000, "UTF-7" },
	{ MAPI_CODEPAGE_UTF8, "UTF-8" },
};

static const char *codepage_find(uint32_t code_page)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(codepages); i++) {
		if (codepages[i].code_page == code_page)
			return codepages[i].charset;
	}
	return NULL;
}

const char *mapi_codepage_charset(uint32_t code_page)
{
	const char *charset = codepage_find(code_page);

	return charset != NULL ? charset : "CP1252";
}

bool mapi_codepage_is_known(uint32_t code_page)
{
	return codepage_find(code_page) != NULL;
}

static bool str_is_ascii(const char *str)
{
	for (; *str != '\0'; str++) {
		if ((unsigned char)*str >= 0x80)
			return FALSE;
	}
	return TRUE;
}

const char *mapi_codepage_from_utf8(TALLOC_CTX *mem, uint32_t code_page,
				    const char *str)
{
	const char *charset = mapi_codepage_charset(code_page);
	struct istream *input, *conv;
	const unsigned char *data;
	size_t size;
	string_t *dest;
	char *ret;

	if (code_page == MAPI_CODEPAGE_UTF8 || str_is_ascii(str))
		return talloc_strdup(mem, str);
	T_BEGIN {
		dest = t_str_new(128);
		input = i_stream_create_from_data(str, strlen(str));
		conv = i_stream_create_from_utf8(input, charset);
		/* without a table for it, what is ASCII gets through */
		if (conv == NULL)
			conv = i_stream_create_from_utf8(input, "US-ASCII");
		i_assert(conv != NULL);
		while (i_stream_read_more(conv, &data, &size) > 0) {
			str_append_data(dest, data, size);
			i_stream_skip(conv, size);
		}
		i_stream_unref(&conv);
		i_stream_unref(&input);
		ret = talloc_strdup(mem, str_c(dest));
	} T_END;
	return ret;
}

const char *mapi_codepage_to_utf8(TALLOC_CTX *mem, uint32_t code_page,
				  const char *str8)
{
	buffer_t *dest;
	char *ret;

	if (code_page != MAPI_CODEPAGE_UTF8 && str_is_ascii(str8))
		return talloc_strdup(mem, str8);
	T_BEGIN {
		dest = t_str_new(128);
		mime_filter_run(mime_charset_filter(
					mapi_codepage_charset(code_page)),
				str8, strlen(str8), dest);
		ret = talloc_strdup(mem, str_c(dest));
	} T_END;
	return ret;
}
