/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "buffer.h"
#include "str.h"
#include "snapshot-format.h"

#include <unicode/uchar.h>
#include <unicode/ucol.h>
#include <unicode/uloc.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

static bool text_is_ascii(const char *str)
{
	for (; *str != '\0'; str++) {
		if ((unsigned char)*str >= 0x80)
			return FALSE;
	}
	return TRUE;
}

/* str as UTF-16 on the data stack; NULL if it's too long or isn't UTF-8 */
static UChar *t_text_utf16(const char *str, int32_t *len_r)
{
	size_t size = strlen(str);
	UErrorCode status = U_ZERO_ERROR;
	UChar *dest;

	if (size > INT32_MAX / 8)
		return NULL;
	dest = t_new(UChar, size + 1);
	u_strFromUTF8(dest, size + 1, len_r, str, size, &status);
	return U_FAILURE(status) ? NULL : dest;
}

static const char *t_text_decompose(const char *str)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&status);
	UChar *src, *folded, *norm;
	int32_t len, folded_len, norm_len, from, to, i;
	UChar32 chr;
	char *dest;
	int32_t dest_len;

	src = t_text_utf16(str, &len);
	if (src == NULL || U_FAILURE(status))
		return t_str_lcase(str);
	folded = t_new(UChar, len * 3 + 1);
	folded_len = u_strFoldCase(folded, len * 3 + 1, src, len,
				   U_FOLD_CASE_DEFAULT, &status);
	/* one character becomes at most 18 */
	norm = t_new(UChar, folded_len * 18 + 1);
	norm_len = unorm2_normalize(nfkd, folded, folded_len, norm,
				    folded_len * 18 + 1, &status);
	if (U_FAILURE(status))
		return t_str_lcase(str);
	for (i = to = 0; i < norm_len; ) {
		from = i;
		U16_NEXT(norm, i, norm_len, chr);
		if (u_charType(chr) == U_NON_SPACING_MARK)
			continue;
		while (from < i)
			norm[to++] = norm[from++];
	}
	dest = t_malloc_no0(to * 3 + 1);
	u_strToUTF8(dest, to * 3 + 1, &dest_len, norm, to, &status);
	return U_FAILURE(status) ? t_str_lcase(str) : dest;
}

const char *snapshot_fold(const char *str)
{
	string_t *dest = t_str_new(64);
	bool blank = FALSE;

	str = text_is_ascii(str) ? t_str_lcase(str) : t_text_decompose(str);
	for (; *str != '\0'; str++) {
		if (*str == ' ' || *str == '\t') {
			blank = TRUE;
			continue;
		}
		if (blank && str_len(dest) > 0)
			str_append_c(dest, ' ');
		blank = FALSE;
		str_append_c(dest, *str);
	}
	return str_c(dest);
}

static bool text_is_word(unsigned char c)
{
	return i_isalnum(c) || c >= 0x80;
}

const char *snapshot_next_word(const char *p)
{
	while (text_is_word(*p))
		p++;
	while (*p != '\0' && !text_is_word(*p))
		p++;
	return *p == '\0' ? NULL : p;
}

struct UCollator *snapshot_collator_open(const char *locale)
{
	UErrorCode status = U_ZERO_ERROR;
	UCollator *coll;
	char id[ULOC_FULLNAME_CAPACITY];

	(void)uloc_forLanguageTag(locale, id, sizeof(id), NULL, &status);
	if (U_FAILURE(status)) {
		id[0] = '\0';
		status = U_ZERO_ERROR;
	}
	coll = ucol_open(id, &status);
	if (U_FAILURE(status))
		i_fatal("ICU has no collation data: %s", u_errorName(status));
	return coll;
}

void snapshot_collator_close(struct UCollator **coll)
{
	if (*coll != NULL)
		ucol_close(*coll);
	*coll = NULL;
}

int snapshot_collate(struct UCollator *coll, const char *a, const char *b)
{
	UErrorCode status = U_ZERO_ERROR;
	UCollationResult ret;

	ret = ucol_strcollUTF8(coll, a, -1, b, -1, &status);
	if (U_FAILURE(status))
		return strcmp(a, b);
	return ret == UCOL_LESS ? -1 : (ret == UCOL_GREATER ? 1 : 0);
}

void snapshot_collation_key(struct UCollator *coll, const char *str,
			    buffer_t *dest)
{
	T_BEGIN {
		int32_t len = 0, size, capacity;
		UChar *src = t_text_utf16(str, &len);
		size_t start = dest->used;
		uint8_t *data;

		if (src == NULL)
			buffer_append(dest, str, strlen(str));
		else {
			capacity = len * 4 + 16;
			data = buffer_append_space_unsafe(dest, capacity);
			size = ucol_getSortKey(coll, src, len, data, capacity);
			if (size > capacity) {
				buffer_set_used_size(dest, start);
				data = buffer_append_space_unsafe(dest, size);
				(void)ucol_getSortKey(coll, src, len, data,
						      size);
			}
			buffer_set_used_size(dest, start + size);
		}
	} T_END;
}

struct UCollator *snapshot_collator(const struct snapshot *snapshot,
				    unsigned int locale)
{
	/* opened when needed, which changes nothing that can be seen */
	struct snapshot *s = (struct snapshot *)snapshot;

	i_assert(locale < SNAPSHOT_MAX_LOCALES);
	if (s->collators[locale] == NULL) {
		s->collators[locale] =
			snapshot_collator_open(s->header->locales[locale]);
	}
	return s->collators[locale];
}

unsigned int snapshot_locale(const struct snapshot *snapshot, uint32_t lcid)
{
	const struct snapshot_header *header = snapshot->header;
	UErrorCode status = U_ZERO_ERROR;
	char id[ULOC_FULLNAME_CAPACITY], tag[ULOC_FULLNAME_CAPACITY];
	size_t len;
	unsigned int i;

	if (header->locales_count == 1)
		return 0;
	(void)uloc_getLocaleForLCID(lcid, id, sizeof(id), &status);
	(void)uloc_toLanguageTag(id, tag, sizeof(tag), FALSE, &status);
	if (U_FAILURE(status))
		return 0;
	for (i = 0; i < header->locales_count; i++) {
		if (strcasecmp(header->locales[i], tag) == 0)
			return i;
	}
	len = strcspn(tag, "-");
	for (i = 0; i < header->locales_count; i++) {
		if (strncasecmp(header->locales[i], tag, len) == 0 &&
		    (header->locales[i][len] == '\0' ||
		     header->locales[i][len] == '-'))
			return i;
	}
	return 0;
}
