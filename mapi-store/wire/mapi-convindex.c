/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-convindex.h"

#include <string.h>

#define FIRST_BYTE 0x01
#define GUID_OFFSET 6

/* The delta of a level: 31 bits of the time since the header's, not counting
   the high ones that are 0 anyway. Up to 2^49 units (1.7 years) it's in units
   of 2^18, beyond that, with the delta code set, in units of 2^23. */
#define DELTA_SHORT_LIMIT (UINT64_C(1) << 49)
#define DELTA_SHORT_SHIFT 18
#define DELTA_LONG_SHIFT 23
#define DELTA_MASK 0x7fffffffU
#define DELTA_CODE 0x80000000U

/* The GUID's first three fields are big-endian. */
static void guid_swap(uint8_t out[16], const uint8_t in[16])
{
	static const uint8_t order[16] = {
		3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15
	};
	unsigned int i;

	for (i = 0; i < 16; i++)
		out[i] = in[order[i]];
}

bool mapi_convindex_parse(const struct mapi_binary *bin,
			  struct mapi_convindex *index_r)
{
	const uint8_t *p = bin->data;
	unsigned int i;

	memset(index_r, 0, sizeof(*index_r));
	if (bin->len < MAPI_CONVINDEX_HEADER_SIZE ||
	    (bin->len - MAPI_CONVINDEX_HEADER_SIZE) %
	    MAPI_CONVINDEX_LEVEL_SIZE != 0 || p[0] != FIRST_BYTE)
		return false;
	for (i = 0; i < GUID_OFFSET; i++)
		index_r->time = (index_r->time << 8) | p[i];
	/* 0x0101 as a time of its own would be before 1850. */
	if (p[1] == FIRST_BYTE)
		index_r->time = (index_r->time & 0xffffffffffULL) << 24;
	else
		index_r->time <<= 16;
	guid_swap(index_r->guid.bytes, p + GUID_OFFSET);
	index_r->levels = (bin->len - MAPI_CONVINDEX_HEADER_SIZE) /
		MAPI_CONVINDEX_LEVEL_SIZE;
	return true;
}

struct mapi_binary mapi_convindex_build(TALLOC_CTX *mem, uint64_t time,
					const struct mapi_guid *guid)
{
	struct mapi_binary bin = { 0, NULL };
	uint8_t *p = talloc_array(mem, uint8_t, MAPI_CONVINDEX_HEADER_SIZE);
	unsigned int i;

	if (p == NULL)
		return bin;
	p[0] = FIRST_BYTE;
	for (i = 1; i < GUID_OFFSET; i++)
		p[i] = (uint8_t)(time >> (64 - 8 * i));
	guid_swap(p + GUID_OFFSET, guid->bytes);
	bin.data = p;
	bin.len = MAPI_CONVINDEX_HEADER_SIZE;
	return bin;
}

struct mapi_binary mapi_convindex_reply(TALLOC_CTX *mem,
					const struct mapi_binary *parent,
					uint64_t time, uint8_t random)
{
	struct mapi_binary bin = { 0, NULL };
	struct mapi_convindex index;
	uint64_t delta;
	uint32_t code;
	uint8_t *p;

	if (!mapi_convindex_parse(parent, &index) ||
	    parent->len > UINT32_MAX - MAPI_CONVINDEX_LEVEL_SIZE)
		return bin;
	delta = time > index.time ? time - index.time : 0;
	if (delta < DELTA_SHORT_LIMIT) {
		code = (uint32_t)(delta >> DELTA_SHORT_SHIFT) & DELTA_MASK;
	} else {
		code = (uint32_t)(delta >> DELTA_LONG_SHIFT) & DELTA_MASK;
		code |= DELTA_CODE;
	}
	p = talloc_array(mem, uint8_t,
			 parent->len + MAPI_CONVINDEX_LEVEL_SIZE);
	if (p == NULL)
		return bin;
	bin.data = p;
	bin.len = parent->len + MAPI_CONVINDEX_LEVEL_SIZE;
	memcpy(p, parent->data, parent->len);
	p += parent->len;
	p[0] = (uint8_t)(code >> 24);
	p[1] = (uint8_t)(code >> 16);
	p[2] = (uint8_t)(code >> 8);
	p[3] = (uint8_t)code;
	/* four random bits, four bits of the level */
	p[4] = (uint8_t)((random << 4) | (index.levels & 0x0f));
	return bin;
}
