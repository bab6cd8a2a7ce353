/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "rtf-tokens.h"

#include <ctype.h>

/* digits of a parameter that count */
#define PARAM_DIGITS_MAX 10

void rtf_tokens_init(struct rtf_tokens *tokens, const uint8_t *data,
		     size_t size)
{
	i_zero(tokens);
	tokens->data = data;
	tokens->size = size;
}

static bool tokens_have(const struct rtf_tokens *tokens)
{
	return tokens->pos < tokens->size;
}

static void token_set_word(struct rtf_token *token, const char *word)
{
	token->type = RTF_TOKEN_WORD;
	i_strocpy(token->word, word, sizeof(token->word));
}

static void tokens_read_param(struct rtf_tokens *tokens,
			      struct rtf_token *token)
{
	size_t pos = tokens->pos, digits;
	bool negative = FALSE;
	int64_t value = 0;

	if (pos < tokens->size && tokens->data[pos] == '-') {
		negative = TRUE;
		pos++;
	}
	for (digits = 0; pos < tokens->size && i_isdigit(tokens->data[pos]);
	     pos++, digits++) {
		if (digits < PARAM_DIGITS_MAX)
			value = value * 10 + tokens->data[pos] - '0';
	}
	if (digits == 0)
		return;
	if (negative)
		value = -value;
	token->has_param = TRUE;
	token->param = value < INT32_MIN ? INT32_MIN :
		(value > INT32_MAX ? INT32_MAX : value);
	tokens->pos = pos;
}

static void tokens_read_word(struct rtf_tokens *tokens,
			     struct rtf_token *token)
{
	size_t len = 0;

	token->type = RTF_TOKEN_WORD;
	for (; tokens_have(tokens) &&
	     i_isalpha(tokens->data[tokens->pos]); tokens->pos++) {
		if (len < RTF_WORD_MAX)
			token->word[len++] = tokens->data[tokens->pos];
	}
	token->word[len] = '\0';
	tokens_read_param(tokens, token);
	/* a space that ends a control word belongs to it */
	if (tokens_have(tokens) && tokens->data[tokens->pos] == ' ')
		tokens->pos++;
	if (strcmp(token->word, "bin") == 0 && token->param > 0) {
		tokens->pos += I_MIN((size_t)token->param,
				     tokens->size - tokens->pos);
	}
}

static int hex_digit(uint8_t c)
{
	if (i_isdigit(c))
		return c - '0';
	if (i_isxdigit(c))
		return i_tolower(c) - 'a' + 10;
	return -1;
}

/* after \' */
static bool tokens_read_byte(struct rtf_tokens *tokens,
			     struct rtf_token *token)
{
	int high, low;

	if (tokens->size - tokens->pos < 2)
		return FALSE;
	high = hex_digit(tokens->data[tokens->pos]);
	low = hex_digit(tokens->data[tokens->pos + 1]);
	if (high < 0 || low < 0)
		return FALSE;
	tokens->pos += 2;
	token->type = RTF_TOKEN_BYTE;
	token->chr = high << 4 | low;
	return TRUE;
}

/* after a backslash. FALSE if it's nothing at all. */
static bool tokens_read_control(struct rtf_tokens *tokens,
				struct rtf_token *token)
{
	uint8_t c;

	if (!tokens_have(tokens))
		return FALSE;
	c = tokens->data[tokens->pos];
	if (i_isalpha(c)) {
		tokens_read_word(tokens, token);
		return TRUE;
	}
	tokens->pos++;
	switch (c) {
	case '\'':
		return tokens_read_byte(tokens, token);
	case '\\':
	case '{':
	case '}':
		token->type = RTF_TOKEN_TEXT;
		token->text = &tokens->data[tokens->pos - 1];
		token->size = 1;
		return TRUE;
	case '\r':
	case '\n':
		if (c == '\r' && tokens_have(tokens) &&
		    tokens->data[tokens->pos] == '\n')
			tokens->pos++;
		token_set_word(token, "par");
		return TRUE;
	case '\t':
		token_set_word(token, "tab");
		return TRUE;
	default:
		token->type = RTF_TOKEN_SYMBOL;
		token->chr = c;
		return TRUE;
	}
}

static bool is_text(uint8_t c)
{
	return c >= 0x20 && c != '\\' && c != '{' && c != '}';
}

void rtf_tokens_next(struct rtf_tokens *tokens, struct rtf_token *token_r)
{
	uint8_t c;

	/* not all of it: there are many tokens */
	token_r->has_param = FALSE;
	token_r->param = 0;
	while (tokens_have(tokens)) {
		c = tokens->data[tokens->pos];
		if (is_text(c)) {
			token_r->type = RTF_TOKEN_TEXT;
			token_r->text = &tokens->data[tokens->pos];
			while (tokens_have(tokens) &&
			       is_text(tokens->data[tokens->pos]))
				tokens->pos++;
			token_r->size = &tokens->data[tokens->pos] -
				token_r->text;
			return;
		}
		tokens->pos++;
		switch (c) {
		case '{':
			token_r->type = RTF_TOKEN_GROUP_BEGIN;
			return;
		case '}':
			token_r->type = RTF_TOKEN_GROUP_END;
			return;
		case '\t':
			token_set_word(token_r, "tab");
			return;
		case '\\':
			if (tokens_read_control(tokens, token_r))
				return;
			break;
		}
	}
	token_r->type = RTF_TOKEN_END;
}
