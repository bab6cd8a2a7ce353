/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text is bytes in the code page of the current font, which the font table gives
   as a character set or as a code page, or in that of the document. A character
   of a double-byte code page may be cut anywhere: into \'hh, into plain bytes, at
   a line end. So bytes are fed to a converter as they come, and whatever isn't
   text ends the run. */

#include "lib.h"
#include "hash.h"
#include "str.h"
#include "unichar.h"
#include "mapi-codepage.h"
#include "mime-charset.h"
#include "rtf-reader.h"
#include "rtf-tokens.h"

#include <ctype.h>

/* no document has more, and no font table more fonts */
#define MAX_CODEPAGES 64
#define MAX_FONTS 4096
#define UC_MAX 255

struct rtf_font {
	char name[RTF_FONT_NAME_MAX + 1];
	unsigned int name_len;
	/* 0: the document's */
	uint32_t codepage;
	bool symbol;
};

/* The converter's state follows. */
struct rtf_reader_group {
	/* -1: the document's default */
	int32_t font;
	/* bytes that stand for a \u to those who don't know it */
	unsigned int uc;
	bool in_fonttbl, use_default_codepage;
};
#define GROUP_STATE_OFFSET MEM_ALIGN(sizeof(struct rtf_reader_group))

struct rtf_codec {
	uint32_t codepage;
	struct mime_filter *filter;
};

struct rtf_reader_private {
	struct rtf_tokens tokens;
	struct rtf_token token;
	/* token hasn't been used yet */
	bool token_waits;
	string_t *text;

	unsigned char *groups;
	size_t group_size;
	unsigned int depth, groups_allocated;
	/* The rest of the current group is left out; groups in what is left
	   out */
	bool skip_group;
	unsigned int skip_depth;
	/* \* has been read, and a word is expected */
	bool star;

	/* font number -> struct rtf_font *; the one that is being defined */
	HASH_TABLE(void *, struct rtf_font *) fonts;
	struct rtf_font *new_font;
	pool_t pool;
	uint32_t default_codepage;
	int32_t default_font;

	struct rtf_codec codecs[MAX_CODEPAGES];
	unsigned int codec_count;
	/* that has got bytes since the run began */
	struct rtf_codec *codec;
	/* of a pair; 0: none */
	unichar_t high_surrogate;
	/* what is left of a \u's substitute */
	unsigned int substitutes;
};

/* [MSFT-RTF]: character sets as code pages */
static const struct {
	uint8_t charset;
	uint16_t codepage;
} charsets[] = {
	{ 0, 1252 }, { 77, 10000 }, { 128, 932 }, { 129, 949 }, { 134, 936 },
	{ 136, 950 }, { 161, 1253 }, { 162, 1254 }, { 163, 1258 },
	{ 177, 1255 }, { 178, 1256 }, { 186, 1257 }, { 204, 1251 },
	{ 222, 874 }, { 238, 1250 }, { 254, 437 }, { 255, 850 },
};
#define CHARSET_SYMBOL 2

/* What fonts of symbols (Symbol, Wingdings) have where lists take their bullets
   from; the rest is letters in most of them */
static const struct {
	uint8_t chr;
	unichar_t unicode;
} symbols[] = {
	{ 0x76, 0x2756 }, { 0xa7, 0x25aa }, { 0xa8, 0x25fb }, { 0xb7, 0x2022 },
	{ 0xd8, 0x27a2 }, { 0xe0, 0x2192 }, { 0xfc, 0x2713 },
};

static const struct rtf_word *const symbol_words[] = {
	&(const struct rtf_word){ "~", RTF_WORD_CHAR, 0xa0 },
	&(const struct rtf_word){ "_", RTF_WORD_CHAR, 0x2011 },
	&(const struct rtf_word){ "-", RTF_WORD_CHAR, 0xad },
};

/* --- groups ----------------------------------------------------------------- */

static struct rtf_reader_group *
reader_group_at(struct rtf_reader_private *priv, unsigned int depth)
{
	return (void *)(priv->groups + depth * priv->group_size);
}

static struct rtf_reader_group *reader_group(struct rtf_reader_private *priv)
{
	return reader_group_at(priv, priv->depth);
}

static void reader_group_push(struct rtf_reader_private *priv)
{
	unsigned int old = priv->groups_allocated;

	/* one more, for rtf_reader_ended_state() */
	if (priv->depth + 2 > old) {
		priv->groups_allocated = I_MAX(old * 2, 32);
		priv->groups = i_realloc(priv->groups, old * priv->group_size,
			priv->groups_allocated * priv->group_size);
	}
	memcpy(reader_group_at(priv, priv->depth + 1), reader_group(priv),
	       priv->group_size);
	priv->depth++;
}

void *rtf_reader_state(struct rtf_reader *reader)
{
	return PTR_OFFSET(reader_group(reader->priv), GROUP_STATE_OFFSET);
}

void *rtf_reader_ended_state(struct rtf_reader *reader)
{
	struct rtf_reader_private *priv = reader->priv;

	return PTR_OFFSET(reader_group_at(priv, priv->depth + 1),
			  GROUP_STATE_OFFSET);
}

void rtf_reader_skip_group(struct rtf_reader *reader)
{
	reader->priv->skip_group = TRUE;
}

void rtf_reader_use_default_codepage(struct rtf_reader *reader)
{
	reader_group(reader->priv)->use_default_codepage = TRUE;
}

bool rtf_reader_word_is_on(const struct rtf_reader *reader)
{
	return !reader->has_param || reader->param != 0;
}

/* --- fonts ------------------------------------------------------------------ */

static struct rtf_font *
reader_font_find(struct rtf_reader_private *priv, int32_t num)
{
	/* no number is NULL */
	return hash_table_lookup(priv->fonts,
				 POINTER_CAST((unsigned int)num + 1UL));
}

static struct rtf_font *reader_font(struct rtf_reader_private *priv)
{
	int32_t num = reader_group(priv)->font;

	return reader_font_find(priv, num >= 0 ? num : priv->default_font);
}

const char *rtf_reader_font_name(struct rtf_reader *reader)
{
	const struct rtf_font *font = reader_font(reader->priv);

	return font == NULL ? "" : font->name;
}

static void reader_font_begin(struct rtf_reader_private *priv, int32_t num)
{
	struct rtf_font *font;

	priv->new_font = NULL;
	if (num < 0 || hash_table_count(priv->fonts) >= MAX_FONTS)
		return;
	font = reader_font_find(priv, num);
	if (font == NULL) {
		font = p_new(priv->pool, struct rtf_font, 1);
		hash_table_insert(priv->fonts,
				  POINTER_CAST((unsigned int)num + 1UL), font);
	}
	i_zero(font);
	priv->new_font = font;
}

static void
reader_font_set_charset(struct rtf_reader_private *priv, int32_t charset)
{
	unsigned int i;

	if (priv->new_font == NULL)
		return;
	priv->new_font->symbol = charset == CHARSET_SYMBOL;
	for (i = 0; i < N_ELEMENTS(charsets); i++) {
		if (charsets[i].charset == charset)
			priv->new_font->codepage = charsets[i].codepage;
	}
}

static void
reader_font_add_name(struct rtf_reader_private *priv, const uint8_t *data,
		     size_t size)
{
	struct rtf_font *font = priv->new_font;
	size_t i;

	for (i = 0; font != NULL && i < size; i++) {
		if (data[i] == ';') {
			/* "{\fonttbl\f0 A;\f1 B;}" is a table, too */
			while (font->name_len > 0 &&
			       font->name[font->name_len - 1] == ' ')
				font->name[--font->name_len] = '\0';
			priv->new_font = font = NULL;
		} else if (font->name_len < RTF_FONT_NAME_MAX &&
			   (i_isalnum(data[i]) || data[i] == '-' ||
			    (data[i] == ' ' && font->name_len > 0))) {
			font->name[font->name_len++] = data[i];
		}
	}
}

/* --- text ------------------------------------------------------------------- */

/* Code pages in which what has been written before doesn't matter */
static bool codepage_is_usable(uint32_t codepage)
{
	return mapi_codepage_is_known(codepage) && codepage != 65000 &&
		(codepage < 50220 || codepage > 50229);
}

static struct rtf_codec *reader_codec(struct rtf_reader_private *priv)
{
	const struct rtf_font *font = reader_font(priv);
	uint32_t codepage = priv->default_codepage;
	struct rtf_codec *codec;
	unsigned int i;

	if (font != NULL && font->codepage != 0 &&
	    !reader_group(priv)->use_default_codepage)
		codepage = font->codepage;
	for (i = 0; i < priv->codec_count; i++) {
		if (priv->codecs[i].codepage == codepage)
			return &priv->codecs[i];
	}
	if (i == MAX_CODEPAGES)
		return &priv->codecs[0];
	codec = &priv->codecs[priv->codec_count++];
	codec->codepage = codepage;
	codec->filter = mime_charset_filter(mapi_codepage_charset(codepage));
	return codec;
}

static void reader_end_surrogate(struct rtf_reader_private *priv)
{
	if (priv->high_surrogate != 0)
		str_append(priv->text, UNICODE_REPLACEMENT_CHAR_UTF8);
	priv->high_surrogate = 0;
}

/* What isn't complete yet never will be. */
static void reader_end_run(struct rtf_reader_private *priv)
{
	reader_end_surrogate(priv);
	if (priv->codec == NULL)
		return;
	priv->codec->filter->finish(priv->codec->filter, priv->text);
	priv->codec->filter->reset(priv->codec->filter);
	priv->codec = NULL;
}

static void reader_add_symbol(struct rtf_reader_private *priv, uint8_t chr)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(symbols); i++) {
		if (symbols[i].chr == chr) {
			uni_ucs4_to_utf8_c(symbols[i].unicode, priv->text);
			return;
		}
	}
	if (chr < 0x7f || chr > 0x9f)
		uni_ucs4_to_utf8_c(chr, priv->text);
}

static void
reader_add_bytes(struct rtf_reader_private *priv, const uint8_t *data,
		 size_t size)
{
	const struct rtf_font *font = reader_font(priv);
	size_t i;

	i = I_MIN(priv->substitutes, size);
	priv->substitutes -= i;
	data += i;
	size -= i;
	if (size == 0)
		return;
	reader_end_surrogate(priv);
	if (font != NULL && font->symbol &&
	    !reader_group(priv)->use_default_codepage) {
		for (i = 0; i < size; i++)
			reader_add_symbol(priv, data[i]);
		return;
	}
	priv->codec = reader_codec(priv);
	priv->codec->filter->feed(priv->codec->filter, data, size, priv->text);
}

/* \uN: UTF-16 as a signed number, [MSFT-RTF]; larger numbers are what they are */
static void reader_add_unicode(struct rtf_reader_private *priv, int32_t num)
{
	unichar_t chr = num < 0 ? (num & 0xffff) : num;
	struct rtf_codec *codec = priv->codec;
	unichar_t high = priv->high_surrogate;

	priv->high_surrogate = 0;
	if (codec != NULL)
		reader_end_run(priv);
	priv->substitutes = reader_group(priv)->uc;
	if (UTF16_VALID_LOW_SURROGATE(chr) && high != 0) {
		chr = UTF16_SURROGATE_BASE + (((high & 0x3ff) << 10) |
					      (chr & 0x3ff));
		uni_ucs4_to_utf8_c(chr, priv->text);
		return;
	}
	if (high != 0)
		str_append(priv->text, UNICODE_REPLACEMENT_CHAR_UTF8);
	if (UTF16_VALID_HIGH_SURROGATE(chr))
		priv->high_surrogate = chr;
	else if (!uni_is_valid_ucs4(chr))
		str_append(priv->text, UNICODE_REPLACEMENT_CHAR_UTF8);
	else if (chr >= 0x20 && (chr < 0x7f || chr > 0x9f))
		uni_ucs4_to_utf8_c(chr, priv->text);
}

static bool token_is_word(const struct rtf_token *token, const char *word)
{
	return token->type == RTF_TOKEN_WORD && strcmp(token->word, word) == 0;
}

/* Uses the token up if it's text that is shown, or that isn't. */
static bool reader_token_is_text(struct rtf_reader_private *priv)
{
	struct rtf_token *token = &priv->token;
	const uint8_t *data = token->text;
	size_t size = token->size;

	switch (token->type) {
	case RTF_TOKEN_BYTE:
		if (token->chr < 0x20 && priv->substitutes == 0) {
			/* no control character is text */
			return token->chr != '\t';
		}
		data = &token->chr;
		size = 1;
		break;
	case RTF_TOKEN_TEXT:
		break;
	case RTF_TOKEN_WORD:
		if (!token_is_word(token, "u") || !token->has_param)
			return FALSE;
		if (priv->skip_group || priv->skip_depth > 0 ||
		    reader_group(priv)->in_fonttbl)
			return TRUE;
		reader_add_unicode(priv, token->param);
		return TRUE;
	default:
		return FALSE;
	}
	if (priv->skip_group || priv->skip_depth > 0 || priv->depth == 0)
		return TRUE;
	priv->star = FALSE;
	if (reader_group(priv)->in_fonttbl)
		reader_font_add_name(priv, data, size);
	else
		reader_add_bytes(priv, data, size);
	return TRUE;
}

/* --- control words ---------------------------------------------------------- */

static void
reader_set_codepage(struct rtf_reader_private *priv, int32_t codepage)
{
	if (codepage > 0 && codepage_is_usable(codepage))
		priv->default_codepage = codepage;
}

/* What the reader itself has to know. Returns TRUE if nobody else does. */
static bool reader_own_word(struct rtf_reader_private *priv,
			    const struct rtf_word *word, int32_t param)
{
	struct rtf_reader_group *group = reader_group(priv);

	switch (word->id) {
	case RTF_WORD_SKIP:
		priv->skip_group = TRUE;
		return TRUE;
	case RTF_WORD_CHARSET:
		reader_set_codepage(priv, word->value);
		return TRUE;
	case RTF_WORD_ANSICPG:
		reader_set_codepage(priv, param);
		return TRUE;
	case RTF_WORD_DEFF:
		priv->default_font = param;
		return TRUE;
	case RTF_WORD_FONTTBL:
		group->in_fonttbl = TRUE;
		return TRUE;
	case RTF_WORD_F:
		if (group->in_fonttbl)
			reader_font_begin(priv, param);
		else
			group->font = I_MAX(param, 0);
		return TRUE;
	case RTF_WORD_FCHARSET:
		reader_font_set_charset(priv, param);
		return TRUE;
	case RTF_WORD_CPG:
		if (priv->new_font != NULL && param > 0 &&
		    codepage_is_usable(param))
			priv->new_font->codepage = param;
		return TRUE;
	case RTF_WORD_UC:
		group->uc = param < 0 ? 0 : I_MIN(param, UC_MAX);
		return TRUE;
	case RTF_WORD_U:
		return TRUE;
	case RTF_WORD_PLAIN:
		group->font = -1;
		return FALSE;
	default:
		return group->in_fonttbl;
	}
}

static bool
reader_word(struct rtf_reader *reader, const struct rtf_word *word)
{
	struct rtf_reader_private *priv = reader->priv;
	struct rtf_token *token = &priv->token;
	bool star = priv->star;

	priv->star = FALSE;
	if (star && (word == NULL || !rtf_word_is_destination(word))) {
		priv->skip_group = TRUE;
		return FALSE;
	}
	if (word == NULL || reader_own_word(priv, word, token->param))
		return FALSE;
	reader->word = word;
	reader->has_param = token->has_param;
	reader->param = token->param;
	return TRUE;
}

static const struct rtf_word *symbol_word_find(uint8_t chr)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(symbol_words); i++) {
		if (symbol_words[i]->name[0] == (char)chr)
			return symbol_words[i];
	}
	return NULL;
}

/* A token that isn't text. FALSE if it's no event. */
static bool
reader_handle_token(struct rtf_reader *reader, enum rtf_event *event_r)
{
	struct rtf_reader_private *priv = reader->priv;
	struct rtf_token *token = &priv->token;
	bool skipping = priv->skip_group || priv->skip_depth > 0;

	priv->substitutes = 0;
	switch (token->type) {
	case RTF_TOKEN_GROUP_BEGIN:
		priv->star = FALSE;
		if (skipping || priv->depth == RTF_MAX_DEPTH) {
			priv->skip_depth++;
			return FALSE;
		}
		reader_group_push(priv);
		*event_r = RTF_EVENT_GROUP_BEGIN;
		return TRUE;
	case RTF_TOKEN_GROUP_END:
		priv->star = FALSE;
		if (priv->skip_depth > 0) {
			priv->skip_depth--;
			return FALSE;
		}
		if (priv->depth == 0)
			return FALSE;
		priv->skip_group = FALSE;
		priv->depth--;
		if (priv->depth == 0) {
			/* what follows is no RTF */
			priv->tokens.pos = priv->tokens.size;
		}
		*event_r = RTF_EVENT_GROUP_END;
		return TRUE;
	default:
		break;
	}
	if (skipping || priv->depth == 0)
		return FALSE;
	*event_r = RTF_EVENT_WORD;
	switch (token->type) {
	case RTF_TOKEN_BYTE:
		return reader_word(reader, rtf_word_find("tab"));
	case RTF_TOKEN_SYMBOL:
		if (token->chr == '*') {
			priv->star = TRUE;
			return FALSE;
		}
		return reader_word(reader, symbol_word_find(token->chr));
	case RTF_TOKEN_WORD:
		return reader_word(reader, rtf_word_find(token->word));
	default:
		i_unreached();
	}
}

static enum rtf_event reader_end(struct rtf_reader_private *priv)
{
	if (priv->depth == 0)
		return RTF_EVENT_END;
	priv->depth--;
	return RTF_EVENT_GROUP_END;
}

enum rtf_event rtf_reader_next(struct rtf_reader *reader)
{
	struct rtf_reader_private *priv = reader->priv;
	enum rtf_event event;

	str_truncate(priv->text, 0);
	for (;;) {
		if (!priv->token_waits)
			rtf_tokens_next(&priv->tokens, &priv->token);
		priv->token_waits = FALSE;
		if (reader_token_is_text(priv)) {
			if (str_len(priv->text) < RTF_TEXT_CHUNK)
				continue;
		} else {
			reader_end_run(priv);
			priv->token_waits = str_len(priv->text) > 0;
		}
		if (str_len(priv->text) > 0) {
			reader->text = str_data(priv->text);
			reader->text_size = str_len(priv->text);
			return RTF_EVENT_TEXT;
		}
		if (priv->token.type == RTF_TOKEN_END)
			return reader_end(priv);
		if (reader_handle_token(reader, &event))
			return event;
	}
}

/* --- ------------------------------------------------------------------------ */

struct rtf_reader *
rtf_reader_init(const uint8_t *rtf, size_t size, size_t state_size)
{
	struct rtf_reader *reader = i_new(struct rtf_reader, 1);
	struct rtf_reader_private *priv = i_new(struct rtf_reader_private, 1);

	reader->priv = priv;
	rtf_tokens_init(&priv->tokens, rtf, size);
	priv->text = str_new(default_pool, RTF_TEXT_CHUNK * 2);
	priv->group_size = GROUP_STATE_OFFSET + MEM_ALIGN(state_size);
	priv->groups_allocated = 32;
	priv->groups = i_malloc(priv->groups_allocated * priv->group_size);
	reader_group(priv)->font = -1;
	reader_group(priv)->uc = 1;
	priv->default_codepage = MIME_CODEPAGE_DEFAULT;
	priv->pool = pool_alloconly_create("RTF fonts", 4096);
	hash_table_create_direct(&priv->fonts, default_pool, 0);
	return reader;
}

void rtf_reader_deinit(struct rtf_reader **_reader)
{
	struct rtf_reader *reader = *_reader;
	struct rtf_reader_private *priv = reader->priv;
	unsigned int i;

	*_reader = NULL;
	for (i = 0; i < priv->codec_count; i++)
		priv->codecs[i].filter->free(priv->codecs[i].filter);
	hash_table_destroy(&priv->fonts);
	pool_unref(&priv->pool);
	str_free(&priv->text);
	i_free(priv->groups);
	i_free(priv);
	i_free(reader);
}
