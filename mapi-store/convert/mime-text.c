/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "message-part-data.h"
#include "rfc822-parser.h"
#include "mime-charset.h"
#include "mime-text.h"
#include "mime-transfer.h"

#include <ctype.h>

#define MAX_CHARSET_LEN 64

/* Text of encoded words is gathered as long as they are in the same character
   set: senders cut multi-byte characters in two. */
struct decode_ctx {
	string_t *dest;
	buffer_t *bytes;
	char charset[MAX_CHARSET_LEN];
};

static void decode_flush(struct decode_ctx *ctx)
{
	if (ctx->bytes->used == 0)
		return;
	mime_charset_to_utf8(ctx->charset[0] == '\0' ? NULL : ctx->charset,
			     ctx->bytes->data, ctx->bytes->used, ctx->dest);
	buffer_set_used_size(ctx->bytes, 0);
}

static void decode_q(const char *text, size_t len, buffer_t *dest)
{
	static const char hex[] = "0123456789abcdef";
	const char *high, *low;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '_') {
			buffer_append_c(dest, ' ');
		} else if (text[i] == '=' && i + 2 < len &&
			   (high = strchr(hex, i_tolower(text[i+1]))) != NULL &&
			   (low = strchr(hex, i_tolower(text[i+2]))) != NULL &&
			   *high != '\0' && *low != '\0') {
			buffer_append_c(dest, (high - hex) << 4 | (low - hex));
			i += 2;
		} else {
			buffer_append_c(dest, text[i]);
		}
	}
}

/* str is after "=?". Returns the length of the rest of the encoded word, or 0
   if it isn't one. */
static size_t decode_word(struct decode_ctx *ctx, const char *str)
{
	const char *encoding, *text, *end;
	char charset[MAX_CHARSET_LEN];
	size_t len;

	encoding = strchr(str, '?');
	if (encoding == NULL || encoding[1] == '\0' || encoding[2] != '?')
		return 0;
	/* language may follow, [RFC2231] 5 */
	len = strcspn(str, "*?");
	if (len == 0 || len >= sizeof(charset))
		return 0;
	memcpy(charset, str, len);
	charset[len] = '\0';

	if (strchr("qQbB", encoding[1]) == NULL)
		return 0;
	text = encoding + 3;
	end = strstr(text, "?=");
	if (end == NULL)
		return 0;
	if (strcasecmp(charset, ctx->charset) != 0)
		decode_flush(ctx);
	i_strocpy(ctx->charset, charset, sizeof(ctx->charset));
	if (i_tolower(encoding[1]) == 'q')
		decode_q(text, end - text, ctx->bytes);
	else
		mime_filter_run(mime_transfer_filter(MIME_TRANSFER_BASE64),
				text, end - text, ctx->bytes);
	return end + 2 - str;
}

static bool is_blank(const char *str, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (str[i] != ' ' && str[i] != '\t')
			return FALSE;
	}
	return TRUE;
}

static void append_raw(struct decode_ctx *ctx, const char *str, size_t len)
{
	if (len == 0)
		return;
	decode_flush(ctx);
	ctx->charset[0] = '\0';
	buffer_append(ctx->bytes, str, len);
	decode_flush(ctx);
}

/* Where the last "?=" is; the start if there's none. */
static const char *last_word_end(const char *str)
{
	const char *p = str + strlen(str);

	while (--p > str) {
		if (*p == '=' && p[-1] == '?')
			return p - 1;
	}
	return str;
}

static const char *t_unfold(const char *raw)
{
	string_t *str;

	if (strpbrk(raw, "\r\n") == NULL)
		return raw;
	str = t_str_new(strlen(raw));
	for (; *raw != '\0'; raw++) {
		if (*raw != '\r' && *raw != '\n')
			str_append_c(str, *raw);
	}
	return str_c(str);
}

void mime_text_decode(const char *raw, string_t *dest)
{
	struct decode_ctx ctx;
	unsigned char *data;
	const char *str, *start, *word, *last;
	size_t i, len, old_len = str_len(dest);
	bool after_word = FALSE, skip;

	i_zero(&ctx);
	ctx.dest = dest;
	ctx.bytes = t_buffer_create(128);

	str = start = t_unfold(raw);
	last = last_word_end(str);
	while ((word = strstr(str, "=?")) != NULL && word + 2 < last) {
		/* blanks between encoded words aren't text */
		skip = after_word && is_blank(start, word - start);
		if (!skip)
			append_raw(&ctx, start, word - start);
		len = decode_word(&ctx, word + 2);
		if (len == 0) {
			if (!skip)
				start = word;
			str = word + 2;
			after_word = FALSE;
			continue;
		}
		str = start = word + 2 + len;
		after_word = TRUE;
	}
	append_raw(&ctx, start, strlen(start));
	decode_flush(&ctx);

	data = buffer_get_modifiable_data(dest, NULL);
	for (i = old_len; i < str_len(dest); i++) {
		if (data[i] < 0x20 || data[i] == 0x7f)
			data[i] = ' ';
	}
}

const char *t_mime_text_decode(const char *raw)
{
	string_t *str = t_str_new(128);
	const char *ret;
	size_t len;

	mime_text_decode(raw, str);
	len = str_len(str);
	while (len > 0 && str_c(str)[len-1] == ' ')
		len--;
	str_truncate(str, len);
	ret = str_c(str);
	while (*ret == ' ')
		ret++;
	return ret;
}

char *mime_text_decode_talloc(TALLOC_CTX *mem, const char *raw)
{
	char *ret;

	T_BEGIN {
		ret = mime_strdup(mem, t_mime_text_decode(raw));
	} T_END;
	return ret;
}

/* charset'language'percent-encoded */
static const char *t_extended_value(const char *value)
{
	string_t *bytes, *dest;
	const char *lang, *text, *charset = NULL;
	static const char hex[] = "0123456789abcdef";
	const char *high, *low;

	lang = strchr(value, '\'');
	text = lang == NULL ? NULL : strchr(lang + 1, '\'');
	if (text == NULL)
		text = value;
	else {
		charset = t_strdup_until(value, lang);
		text++;
	}
	bytes = t_str_new(64);
	for (; *text != '\0'; text++) {
		if (*text == '%' && text[1] != '\0' && text[2] != '\0' &&
		    (high = strchr(hex, i_tolower(text[1]))) != NULL &&
		    (low = strchr(hex, i_tolower(text[2]))) != NULL) {
			str_append_c(bytes, (high - hex) << 4 | (low - hex));
			text += 2;
		} else {
			str_append_c(bytes, *text);
		}
	}
	dest = t_str_new(64);
	mime_charset_to_utf8(charset == NULL || *charset == '\0' ?
			     NULL : charset, str_data(bytes), str_len(bytes),
			     dest);
	return str_c(dest);
}

const char *t_mime_param(const struct message_part_param *params,
			 unsigned int count, const char *name)
{
	const char *plain = NULL, *value;
	size_t len = strlen(name);
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (params[i].value == NULL ||
		    strncasecmp(params[i].name, name, len) != 0)
			continue;
		if (strcmp(params[i].name + len, "*") == 0) {
			value = t_mime_text_decode(
				t_extended_value(params[i].value));
			if (*value != '\0')
				return value;
		} else if (params[i].name[len] == '\0' && plain == NULL) {
			plain = params[i].value;
		}
	}
	if (plain == NULL)
		return NULL;
	plain = t_mime_text_decode(plain);
	return *plain == '\0' ? NULL : plain;
}

const char *t_mime_token(const char *raw)
{
	struct rfc822_parser_context parser;
	string_t *str = t_str_new(32);
	const char *end;

	rfc822_parser_init(&parser, (const unsigned char *)raw, strlen(raw),
			   NULL);
	rfc822_skip_lwsp(&parser);
	if (parser.data < parser.end && *parser.data == '"')
		(void)rfc822_parse_quoted_string(&parser, str);
	else {
		end = (const char *)parser.data;
		end += strcspn(end, " \t\r\n;(");
		str_append_data(str, parser.data,
				end - (const char *)parser.data);
		parser.data = (const unsigned char *)end;
	}
	rfc822_parser_deinit(&parser);
	return str_c(str);
}

size_t mime_utf8_cut(const char *str, size_t max)
{
	size_t len = strlen(str);

	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)str[max] & 0xc0) == 0x80)
		max--;
	return max;
}
