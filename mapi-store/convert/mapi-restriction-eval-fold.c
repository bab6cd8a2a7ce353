/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "unichar.h"
#include "mapi-restriction-eval.h"

/* precedes a character in a folded string that was lowercase, if case matters */
#define LOWERCASE_MARK '\001'

static bool chr_is_nonspacing(unichar_t chr)
{
	return (chr >= 0x0300 && chr <= 0x036F) ||
		(chr >= 0x1AB0 && chr <= 0x1AFF) ||
		(chr >= 0x1DC0 && chr <= 0x1DFF) ||
		(chr >= 0x20D0 && chr <= 0x20FF) ||
		(chr >= 0xFE20 && chr <= 0xFE2F);
}

/* chr_str and folded are for use by this only. dest may be on the data stack,
   so it can't be appended to in a frame of our own. */
static void fold_append_char(string_t *dest, unichar_t chr, bool case_matters,
			     string_t *chr_str, string_t *folded)
{
	const char *p, *end;
	/* only titlecase can be decomposed */
	bool lower = case_matters && uni_ucs4_to_titlecase(chr) != chr;
	unichar_t part;
	int len;

	str_truncate(chr_str, 0);
	str_truncate(folded, 0);
	uni_ucs4_to_utf8_c(chr, chr_str);
	(void)uni_utf8_to_decomposed_titlecase(str_data(chr_str),
					       str_len(chr_str), folded);
	p = str_c(folded);
	end = p + str_len(folded);
	for (; p < end; p += len) {
		len = uni_utf8_get_char_n(p, end - p, &part);
		if (len <= 0)
			break;
		if (chr_is_nonspacing(part))
			continue;
		if (lower && part < 0x80)
			part = i_tolower(part);
		else if (lower)
			str_append_c(dest, LOWERCASE_MARK);
		uni_ucs4_to_utf8_c(part, dest);
	}
}

void mapi_restriction_fold(string_t *dest, const char *str, uint16_t level)
{
	bool ignore_case = (level & (FL_IGNORECASE | FL_LOOSE)) != 0;
	bool ignore_nonspace = (level & (FL_IGNORENONSPACE | FL_LOOSE)) != 0;
	const unsigned char *p = (const unsigned char *)str;
	size_t len;
	unichar_t chr;
	int ret;

	for (len = 0; p[len] != '\0' && p[len] < 0x80; len++) ;
	if ((!ignore_case && !ignore_nonspace) ||
	    (p[len] == '\0' && !ignore_case)) {
		str_append(dest, str);
	} else if (p[len] == '\0') {
		unsigned char *space = buffer_append_space_unsafe(dest, len);
		size_t i;

		for (i = 0; i < len; i++)
			space[i] = i_toupper(p[i]);
	} else if (!ignore_nonspace) {
		len = strlen(str);
		(void)uni_utf8_to_decomposed_titlecase(str, len, dest);
	} else {
		string_t *chr_str = t_str_new(8), *folded = t_str_new(32);

		while (*p != '\0') {
			ret = uni_utf8_get_char((const char *)p, &chr);
			if (ret <= 0) {
				/* not UTF-8: as it is */
				str_append_c(dest, *p++);
				continue;
			}
			p += ret;
			fold_append_char(dest, chr, !ignore_case,
					 chr_str, folded);
		}
	}
}
