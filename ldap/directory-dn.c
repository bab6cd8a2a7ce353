/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "hex-dec.h"
#include "directory-map.h"

static bool dn_is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
		(c >= 'A' && c <= 'F');
}

static void dn_append(string_t *dest, char c)
{
	if (c == '\0') {
		str_append(dest, "\\00");
		return;
	}
	if (strchr(",+\"\\<>;=#", c) != NULL)
		str_append_c(dest, '\\');
	str_append_c(dest, i_tolower(c));
}

static void dn_trim(string_t *dest, size_t keep)
{
	while (str_len(dest) > keep && str_c(dest)[str_len(dest) - 1] == ' ')
		str_truncate(dest, str_len(dest) - 1);
}

const char *directory_dn_normalize(const char *dn)
{
	string_t *dest = t_str_new(128);
	/* what ends with an escaped space keeps it */
	size_t keep = 0;

	while (*dn == ' ')
		dn++;
	for (; *dn != '\0'; dn++) {
		if (*dn == '\\' && dn_is_hex(dn[1]) && dn_is_hex(dn[2])) {
			dn_append(dest, hex2dec((const unsigned char *)dn + 1,
						2));
			keep = str_len(dest);
			dn += 2;
		} else if (*dn == '\\' && dn[1] != '\0') {
			dn_append(dest, *++dn);
			keep = str_len(dest);
		} else if (*dn == ',' || *dn == ';' || *dn == '+' ||
			   *dn == '=') {
			dn_trim(dest, keep);
			str_append_c(dest, *dn == ';' ? ',' : *dn);
			keep = str_len(dest);
			while (dn[1] == ' ')
				dn++;
		} else {
			str_append_c(dest, i_tolower(*dn));
		}
	}
	dn_trim(dest, keep);
	return str_c(dest);
}
