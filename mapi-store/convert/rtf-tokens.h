/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RTF_TOKENS_H
#define RTF_TOKENS_H

/* The syntax of RTF: bytes cut into groups, control words and text. Nothing here
   knows what a control word means, but \bin, whose data isn't RTF. Anything is
   cut into tokens: there are no errors. */

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

/* longer control words are cut; there are none */
#define RTF_WORD_MAX 31

enum rtf_token_type {
	RTF_TOKEN_END,
	RTF_TOKEN_GROUP_BEGIN,
	RTF_TOKEN_GROUP_END,
	/* \name, \nameN */
	RTF_TOKEN_WORD,
	/* \ and something that is neither a letter nor one of \ { } ' */
	RTF_TOKEN_SYMBOL,
	/* \'hh */
	RTF_TOKEN_BYTE,
	/* Bytes in whatever code page is current, without line ends and other
	   control characters but tabs, each of which is a token of its own;
	   also \\ \{ \} */
	RTF_TOKEN_TEXT
};

struct rtf_token {
	enum rtf_token_type type;
	/* RTF_TOKEN_WORD: a backslash before a line end is \par, a tab is
	   \tab */
	char word[RTF_WORD_MAX + 1];
	bool has_param;
	int32_t param;
	/* RTF_TOKEN_SYMBOL, RTF_TOKEN_BYTE */
	uint8_t chr;
	/* RTF_TOKEN_TEXT: points into the input */
	const uint8_t *text;
	size_t size;
};

struct rtf_tokens {
	const uint8_t *data;
	size_t size, pos;
};

/* data must live as long as the tokens are read. */
void rtf_tokens_init(struct rtf_tokens *tokens, const uint8_t *data,
		     size_t size);
void rtf_tokens_next(struct rtf_tokens *tokens, struct rtf_token *token_r);

#endif
