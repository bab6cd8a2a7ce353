/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "mime-text.h"
#include "mime-text-filters.h"
#include "rtf-private.h"
#include "rtf-tokens.h"

/* [MS-OXRTFEX] 2.2.3.1 */
#define KIND_TOKENS 10

enum rtf_kind rtf_kind(const uint8_t *rtf, size_t size)
{
	struct rtf_tokens tokens;
	struct rtf_token token;
	unsigned int i;

	rtf_tokens_init(&tokens, rtf, size);
	rtf_tokens_next(&tokens, &token);
	if (token.type != RTF_TOKEN_GROUP_BEGIN)
		return RTF_KIND_NONE;
	rtf_tokens_next(&tokens, &token);
	if (token.type != RTF_TOKEN_WORD || strcmp(token.word, "rtf") != 0)
		return RTF_KIND_NONE;
	for (i = 2; i < KIND_TOKENS; i++) {
		rtf_tokens_next(&tokens, &token);
		if (token.type == RTF_TOKEN_GROUP_BEGIN)
			continue;
		if (token.type != RTF_TOKEN_WORD)
			break;
		if (strcmp(token.word, "fromhtml") == 0 && token.param == 1)
			return RTF_KIND_HTML;
		if (strcmp(token.word, "fromtext") == 0)
			return RTF_KIND_TEXT;
	}
	return RTF_KIND_NATIVE;
}

unsigned int rtf_object_places(const uint8_t *rtf, size_t size)
{
	struct rtf_tokens tokens;
	struct rtf_token token;
	unsigned int count = 0;

	rtf_tokens_init(&tokens, rtf, size);
	do {
		rtf_tokens_next(&tokens, &token);
		if (token.type == RTF_TOKEN_WORD &&
		    strcmp(token.word, "objattph") == 0)
			count++;
	} while (token.type != RTF_TOKEN_END);
	return count;
}

static void run_filter(struct mime_filter *filter, string_t *str)
{
	string_t *dest = str_new(default_pool, str_len(str) + 1024);

	mime_filter_run(filter, str_data(str), str_len(str), dest);
	str_truncate(str, 0);
	str_append_str(str, dest);
	str_free(&dest);
}

static void
set_result(TALLOC_CTX *mem, string_t *str, char **str_r, size_t *size_r)
{
	*size_r = str_len(str);
	*str_r = mime_check_alloc(talloc_memdup(mem, str_c(str),
						str_len(str) + 1));
	str_free(&str);
}

int rtf_to_html(TALLOC_CTX *mem, const uint8_t *rtf, size_t size,
		const struct rtf_objects *objects, char **html_r,
		size_t *size_r)
{
	enum rtf_kind kind = rtf_kind(rtf, size);
	string_t *str;

	if (kind == RTF_KIND_NONE)
		return -1;
	str = str_new(default_pool, I_MIN(size, RTF_OUTPUT_MAX) + 256);
	switch (kind) {
	case RTF_KIND_NONE:
		i_unreached();
	case RTF_KIND_HTML:
		rtf_deencapsulate(rtf, size, TRUE, str);
		break;
	case RTF_KIND_TEXT:
		rtf_deencapsulate(rtf, size, FALSE, str);
		run_filter(mime_text_to_html_filter(TRUE), str);
		break;
	case RTF_KIND_NATIVE:
		rtf_native_convert(rtf, size, objects, rtf_sink_html(str));
		break;
	}
	set_result(mem, str, html_r, size_r);
	return 0;
}

int rtf_to_text(TALLOC_CTX *mem, const uint8_t *rtf, size_t size,
		const struct rtf_objects *objects, char **text_r,
		size_t *size_r)
{
	enum rtf_kind kind = rtf_kind(rtf, size);
	string_t *str;

	if (kind == RTF_KIND_NONE)
		return -1;
	str = str_new(default_pool, I_MIN(size, RTF_OUTPUT_MAX) + 256);
	switch (kind) {
	case RTF_KIND_NONE:
		i_unreached();
	case RTF_KIND_HTML:
		rtf_deencapsulate(rtf, size, TRUE, str);
		run_filter(mime_html_to_text_filter(), str);
		break;
	case RTF_KIND_TEXT:
		rtf_deencapsulate(rtf, size, FALSE, str);
		break;
	case RTF_KIND_NATIVE:
		rtf_native_convert(rtf, size, objects, rtf_sink_text(str));
		break;
	}
	set_result(mem, str, text_r, size_r);
	return 0;
}
