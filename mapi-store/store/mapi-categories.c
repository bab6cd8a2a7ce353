/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "base32.h"
#include "buffer.h"
#include "imap-arg.h"
#include "str.h"
#include "mapi-categories.h"
#include "mapi-wire.h"

#define KEYWORD_CATEGORY "$Cat:"
#define KEYWORD_LABEL "$label"

/* What Thunderbird calls $label1.. */
static const char *const label_names[] = {
	"Important", "Work", "Personal", "To Do", "Later",
};

/* Keywords that programs set for themselves, beside those with "$" */
static const char *const internal_keywords[] = {
	"Junk", "NonJunk", "NotJunk", "Forwarded", "Redirected", "MDNSent",
	NULL
};

static bool keyword_is_plain(const char *keyword)
{
	return keyword[0] != '$' && keyword[0] != '\\' &&
		!str_array_icase_find(internal_keywords, keyword);
}

static const char *label_find_name(const char *keyword)
{
	unsigned int num;

	if (strncasecmp(keyword, KEYWORD_LABEL, strlen(KEYWORD_LABEL)) != 0)
		return NULL;
	keyword += strlen(KEYWORD_LABEL);
	/* "01" is another keyword */
	if (strlen(keyword) != 1 || str_to_uint(keyword, &num) < 0 ||
	    num == 0 || num > N_ELEMENTS(label_names))
		return NULL;
	return label_names[num - 1];
}

/* --- to keywords ------------------------------------------------------------ */

/* Characters that stand for themselves behind KEYWORD_CATEGORY */
static bool unit_is_safe(unsigned int unit)
{
	return unit < 0x80 && !IS_ATOM_SPECIAL((char)unit) && unit != '&' &&
		unit != '_';
}

static bool category_is_atom(const char *category)
{
	for (; *category != '\0'; category++) {
		if (IS_ATOM_SPECIAL(*category))
			return FALSE;
	}
	return TRUE;
}

static void append_run(string_t *str, buffer_t *run)
{
	if (run->used == 0)
		return;
	str_append_c(str, '&');
	base32_encode(FALSE, run->data, run->used, str);
	str_append_c(str, '-');
	buffer_set_used_size(run, 0);
}

static const char *category_encode(const char *category)
{
	string_t *str = t_str_new(64);
	buffer_t *run = t_buffer_create(64);
	uint8_t *utf16;
	unsigned int unit;
	size_t size, i;

	str_append(str, KEYWORD_CATEGORY);
	utf16 = mapi_utf8_to_utf16(NULL, category, &size);
	if (utf16 == NULL)
		i_fatal_status(FATAL_OUTOFMEM, "talloc failed");
	for (i = 0; i < size; i += 2) {
		unit = utf16[i] | (utf16[i + 1] << 8);
		if (unit != ' ' && !unit_is_safe(unit)) {
			buffer_append_c(run, utf16[i + 1]);
			buffer_append_c(run, utf16[i]);
			continue;
		}
		append_run(str, run);
		str_append_c(str, unit == ' ' ? '_' : (char)unit);
	}
	append_run(str, run);
	talloc_free(utf16);
	return str_c(str);
}

const char *t_mapi_category_to_keyword(const char *category)
{
	unsigned int i;

	if (*category == '\0')
		return NULL;
	for (i = 0; i < N_ELEMENTS(label_names); i++) {
		if (strcasecmp(label_names[i], category) == 0)
			return t_strdup_printf(KEYWORD_LABEL"%u", i + 1);
	}
	if (category_is_atom(category) && keyword_is_plain(category))
		return category;
	return category_encode(category);
}

/* --- from keywords ---------------------------------------------------------- */

/* 0..31, or 32 if it's no digit */
static unsigned int base32_digit(char c)
{
	c = i_toupper(c);
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	return c >= '2' && c <= '7' ? c - '2' + 26 : 32;
}

/* Base32 up to the "-" as UTF-16LE. Returns what is behind, NULL if it's
   invalid. */
static const char *decode_run(const char *p, buffer_t *utf16)
{
	unsigned int digit, bits = 0, value = 0, unit;

	if (*p == '-')
		return NULL;
	for (; *p != '-'; p++) {
		digit = base32_digit(*p);
		if (digit == 32)
			return NULL;
		value = (value << 5) | digit;
		bits += 5;
		if (bits < 16)
			continue;
		bits -= 16;
		unit = (value >> bits) & 0xffff;
		value &= (1U << bits) - 1;
		if (unit == 0)
			return NULL;
		buffer_append_c(utf16, unit & 0xff);
		buffer_append_c(utf16, unit >> 8);
	}
	/* less than a digit that wasn't needed, and nothing in it */
	return bits < 5 && value == 0 ? p + 1 : NULL;
}

static const char *category_decode(TALLOC_CTX *mem, const char *p)
{
	buffer_t *utf16 = t_buffer_create(64);

	if (*p == '\0')
		return NULL;
	while (*p != '\0') {
		if (*p == '&') {
			p = decode_run(p + 1, utf16);
			if (p == NULL)
				return NULL;
			continue;
		}
		buffer_append_c(utf16, *p == '_' ? ' ' : *p);
		buffer_append_c(utf16, '\0');
		p++;
	}
	return mapi_utf16_to_utf8(mem, utf16->data, utf16->used);
}

const char *mapi_category_from_keyword(TALLOC_CTX *mem, const char *keyword)
{
	const char *name = label_find_name(keyword);

	if (name == NULL && keyword_is_plain(keyword))
		name = keyword;
	if (name != NULL)
		return talloc_strdup(mem, name);
	if (strncasecmp(keyword, KEYWORD_CATEGORY,
			strlen(KEYWORD_CATEGORY)) != 0)
		return NULL;
	T_BEGIN {
		name = category_decode(mem,
				       keyword + strlen(KEYWORD_CATEGORY));
	} T_END;
	return name;
}
