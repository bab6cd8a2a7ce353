/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-wire.h"

#include <string.h>

/* UTF-16LE <-> WTF-8: UTF-8 in which an unpaired surrogate is written as if it
   were a character. Both ways lose nothing of what can come by the wire. */

#define REPLACEMENT 0xfffd

static uint32_t get_unit(const uint8_t *p)
{
	return (uint32_t)p[0] | ((uint32_t)p[1] << 8);
}

char *mapi_utf16_to_utf8(TALLOC_CTX *mem, const uint8_t *data, size_t size)
{
	size_t i, len = 0;
	uint32_t c, trail;
	char *str, *p;

	/* first pass: how long is it? A pair makes 4 bytes, 2 for a unit. */
	for (i = 0; i + 1 < size; i += 2) {
		c = get_unit(data + i);
		if (c == 0)
			break;
		len += c < 0x80 ? 1 : (c < 0x800 ? 2 : 3);
	}
	size = i;
	str = talloc_array(mem, char, len + 1);
	if (str == NULL)
		return NULL;
	p = str;
	for (i = 0; i < size; i += 2) {
		c = get_unit(data + i);
		if (c >= 0xd800 && c < 0xdc00 && i + 2 < size) {
			trail = get_unit(data + i + 2);
			if (trail >= 0xdc00 && trail < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) +
					(trail - 0xdc00);
				i += 2;
			}
		}
		if (c < 0x80) {
			*p++ = (char)c;
		} else if (c < 0x800) {
			*p++ = (char)(0xc0 | (c >> 6));
			*p++ = (char)(0x80 | (c & 0x3f));
		} else if (c < 0x10000) {
			*p++ = (char)(0xe0 | (c >> 12));
			*p++ = (char)(0x80 | ((c >> 6) & 0x3f));
			*p++ = (char)(0x80 | (c & 0x3f));
		} else {
			*p++ = (char)(0xf0 | (c >> 18));
			*p++ = (char)(0x80 | ((c >> 12) & 0x3f));
			*p++ = (char)(0x80 | ((c >> 6) & 0x3f));
			*p++ = (char)(0x80 | (c & 0x3f));
		}
	}
	*p = '\0';
	return str;
}

/* The next character of a NUL-terminated string that isn't at its end.
   Surrogates are let through; anything else that isn't UTF-8 is one replacement
   character per byte. */
static uint32_t next_char(const uint8_t **_p)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *p = *_p;
	unsigned int len, i;
	uint32_t c;

	*_p = p + 1;
	if (p[0] < 0x80)
		return p[0];
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return REPLACEMENT;
	len = p[0] < 0xe0 ? 2 : (p[0] < 0xf0 ? 3 : 4);
	c = p[0] & (0x7fU >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return REPLACEMENT;
		c = (c << 6) | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff)
		return REPLACEMENT;
	*_p = p + len;
	return c;
}

size_t mapi_utf16_size(const char *str)
{
	const uint8_t *p = (const uint8_t *)str;
	size_t units = 0;

	while (*p != '\0') {
		if (*p < 0x80) {
			units++;
			p++;
		} else {
			units += next_char(&p) >= 0x10000 ? 2 : 1;
		}
	}
	return units * 2;
}

uint8_t *mapi_utf8_to_utf16(TALLOC_CTX *mem, const char *str, size_t *size_r)
{
	const uint8_t *p = (const uint8_t *)str;
	size_t size = mapi_utf16_size(str);
	uint8_t *utf16, *out;
	uint32_t c, lead;

	*size_r = 0;
	/* never 0 bytes, which talloc would take for an error or a freeing */
	utf16 = talloc_array(mem, uint8_t, size + 2);
	if (utf16 == NULL)
		return NULL;
	for (out = utf16; *p != '\0'; ) {
		c = next_char(&p);
		if (c >= 0x10000) {
			lead = 0xd800 + ((c - 0x10000) >> 10);
			*out++ = (uint8_t)lead;
			*out++ = (uint8_t)(lead >> 8);
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		*out++ = (uint8_t)c;
		*out++ = (uint8_t)(c >> 8);
	}
	out[0] = out[1] = 0;
	*size_r = size;
	return utf16;
}
