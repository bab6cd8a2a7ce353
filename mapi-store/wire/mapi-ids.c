/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-wire.h"

#include <stdio.h>
#include <string.h>

static uint64_t swap48(uint64_t value)
{
	return ((value & 0xff) << 40) | ((value & 0xff00) << 24) |
		((value & 0xff0000) << 8) | ((value >> 8) & 0xff0000) |
		((value >> 24) & 0xff00) | ((value >> 40) & 0xff);
}

/* Both forms have the replica id in the low 16 bits; the GLOBCNT above it is
   big-endian on the wire. */
int64_t mapi_id_to_i64(mapi_id_t id)
{
	return (int64_t)((swap48(id >> 16) << 16) | (id & 0xffff));
}

mapi_id_t mapi_id_from_i64(int64_t value)
{
	uint64_t wire = (uint64_t)value;

	return (swap48(wire >> 16) << 16) | (wire & 0xffff);
}

/* where the bytes of the text form are in the wire form */
static const uint8_t guid_order[16] = {
	3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15
};

const char *mapi_guid_format(const struct mapi_guid *guid,
			     char buf[MAPI_GUID_STRING_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	char *p = buf;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		uint8_t b = guid->bytes[guid_order[i]];

		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[b >> 4];
		*p++ = hex[b & 0x0f];
	}
	*p = '\0';
	return buf;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool mapi_guid_parse(const char *str, struct mapi_guid *guid_r)
{
	unsigned int i;
	int high, low;

	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10) {
			if (*str++ != '-')
				return false;
		}
		high = hex_digit(str[0]);
		if (high < 0)
			return false;
		low = hex_digit(str[1]);
		if (low < 0)
			return false;
		guid_r->bytes[guid_order[i]] = (uint8_t)((high << 4) | low);
		str += 2;
	}
	return *str == '\0';
}

int mapi_guid_cmp(const struct mapi_guid *a, const struct mapi_guid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}
