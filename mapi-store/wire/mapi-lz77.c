/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plain LZ77, [MS-XCA] 2.3 and 2.4, which is the DIRECT2 encoding of
   [MS-OXCRPC] 3.1.4.11.1.2.

   A stream of symbols. Before every 32 of them stands a little-endian 32-bit
   word of flags, most significant bit first: 0 for a literal byte, 1 for a
   match. A match is a 16-bit word: 13 bits distance - 1, 3 bits length - 3. A
   length of 7 there means more: a nibble (two matches share a byte, the first
   one takes the low half), if that is 15 a byte, if that is 255 a 16-bit word
   with the whole length - 3, if that is 0 a 32-bit word with it. */

#include "mapi-rpcext.h"

#include <string.h>

#define MIN_MATCH 3
#define WINDOW_SIZE 8192
#define LENGTH_NIBBLE 7
#define LENGTH_BYTE (7 + 15)
#define LENGTH_WORD (7 + 15 + 255)

#define HASH_BITS 12
/* how many earlier places with the same hash are tried */
#define MAX_CHAIN 16

/* --- decompression -------------------------------------------------------- */

struct lz77_in {
	const uint8_t *p, *end;
	/* byte whose high nibble isn't used yet */
	const uint8_t *nibble;
};

/* The length code - 3 of a match whose 3 bits are all set */
static bool get_long_length(struct lz77_in *in, uint32_t *len_r)
{
	uint32_t len;

	if (in->nibble == NULL) {
		if (in->p == in->end)
			return false;
		in->nibble = in->p;
		len = *in->p++ & 0x0f;
	} else {
		len = *in->nibble >> 4;
		in->nibble = NULL;
	}
	*len_r = len + LENGTH_NIBBLE;
	if (len < 15)
		return true;
	if (in->p == in->end)
		return false;
	len = *in->p++;
	*len_r = len + LENGTH_BYTE;
	if (len < 255)
		return true;
	if (in->end - in->p < 2)
		return false;
	len = (uint32_t)in->p[0] | ((uint32_t)in->p[1] << 8);
	in->p += 2;
	if (len == 0) {
		if (in->end - in->p < 4)
			return false;
		len = (uint32_t)in->p[0] | ((uint32_t)in->p[1] << 8) |
			((uint32_t)in->p[2] << 16) |
			((uint32_t)in->p[3] << 24);
		in->p += 4;
	}
	*len_r = len;
	return len >= LENGTH_BYTE;
}

bool mapi_lz77_decompress(const uint8_t *input, size_t in_size,
			  uint8_t *out, size_t out_size)
{
	struct lz77_in in = { input, input + in_size, NULL };
	size_t pos = 0, distance;
	unsigned int left = 0;
	uint32_t flags = 0, len;

	while (pos < out_size) {
		if (left == 0) {
			if (in.end - in.p < 4)
				return false;
			flags = (uint32_t)in.p[0] | ((uint32_t)in.p[1] << 8) |
				((uint32_t)in.p[2] << 16) |
				((uint32_t)in.p[3] << 24);
			in.p += 4;
			left = 32;
		}
		left--;
		if ((flags & (1U << left)) == 0) {
			if (in.p == in.end)
				return false;
			out[pos++] = *in.p++;
			continue;
		}
		if (in.end - in.p < 2)
			return false;
		distance = (size_t)(in.p[0] >> 3 | in.p[1] << 5) + 1;
		len = in.p[0] & 7;
		in.p += 2;
		if (len == LENGTH_NIBBLE && !get_long_length(&in, &len))
			return false;
		if (distance > pos || len > out_size - pos ||
		    out_size - pos - len < MIN_MATCH)
			return false;
		/* The match may overlap what it makes. */
		for (len += MIN_MATCH; len > 0; len--, pos++)
			out[pos] = out[pos - distance];
	}
	return true;
}

/* --- compression ---------------------------------------------------------- */

struct lz77_out {
	uint8_t *data, *p, *end;
	uint8_t *flags_pos;
	uint32_t flags;
	unsigned int count;
	uint8_t *nibble;
};

static void put_le(uint8_t *p, uint32_t value, unsigned int size)
{
	for (; size > 0; size--, value >>= 8)
		*p++ = (uint8_t)value;
}

/* Room for n bytes and another word of flags */
static bool out_has_room(const struct lz77_out *out, size_t n)
{
	return (size_t)(out->end - out->p) >= n + 4;
}

static void put_flag(struct lz77_out *out, bool match)
{
	out->flags = (out->flags << 1) | (match ? 1 : 0);
	if (++out->count == 32) {
		put_le(out->flags_pos, out->flags, 4);
		out->flags_pos = out->p;
		out->p += 4;
		out->count = 0;
	}
}

static void put_match(struct lz77_out *out, size_t distance, size_t length)
{
	uint32_t len = (uint32_t)(length - MIN_MATCH), nibble;

	put_le(out->p, (uint32_t)((distance - 1) << 3) |
	       (len < LENGTH_NIBBLE ? len : LENGTH_NIBBLE), 2);
	out->p += 2;
	if (len < LENGTH_NIBBLE)
		return;
	nibble = len < LENGTH_BYTE ? len - LENGTH_NIBBLE : 15;
	if (out->nibble == NULL) {
		out->nibble = out->p;
		*out->p++ = (uint8_t)nibble;
	} else {
		*out->nibble |= (uint8_t)(nibble << 4);
		out->nibble = NULL;
	}
	if (len < LENGTH_BYTE)
		return;
	if (len < LENGTH_WORD) {
		*out->p++ = (uint8_t)(len - LENGTH_BYTE);
		return;
	}
	*out->p++ = 255;
	if (len <= UINT16_MAX) {
		put_le(out->p, len, 2);
		out->p += 2;
	} else {
		put_le(out->p, 0, 2);
		put_le(out->p + 2, len, 4);
		out->p += 6;
	}
}

static unsigned int hash3(const uint8_t *p)
{
	uint32_t v = (uint32_t)p[0] | ((uint32_t)p[1] << 8) |
		((uint32_t)p[2] << 16);

	return (v * 2654435761U) >> (32 - HASH_BITS);
}

struct lz77_window {
	/* position + 1 of the last place with that hash; 0 = none */
	uint32_t head[1 << HASH_BITS];
	/* by position modulo the window: the place before it */
	uint32_t prev[WINDOW_SIZE];
};

static void window_insert(struct lz77_window *win, const uint8_t *in,
			  size_t pos)
{
	unsigned int hash = hash3(in + pos);

	win->prev[pos % WINDOW_SIZE] = win->head[hash];
	win->head[hash] = (uint32_t)pos + 1;
}

static size_t window_find(const struct lz77_window *win, const uint8_t *in,
			  size_t in_size, size_t pos, size_t *distance_r)
{
	uint32_t next = win->head[hash3(in + pos)];
	size_t best = 0, len, cand;
	unsigned int tries;

	for (tries = 0; next != 0 && tries < MAX_CHAIN; tries++) {
		cand = next - 1;
		if (pos - cand > WINDOW_SIZE)
			break;
		for (len = 0; pos + len < in_size &&
		     in[cand + len] == in[pos + len]; len++) ;
		if (len > best) {
			best = len;
			*distance_r = pos - cand;
		}
		next = win->prev[cand % WINDOW_SIZE];
		/* The ring has been overwritten there. */
		if (next > cand)
			break;
	}
	return best;
}

size_t mapi_lz77_compress(const uint8_t *in, size_t in_size,
			  uint8_t *out_data, size_t out_size)
{
	struct lz77_out out;
	struct lz77_window *win;
	size_t pos = 0, len, distance = 0;

	if (out_size < 4 || in_size > UINT32_MAX - 1)
		return 0;
	win = talloc_zero(NULL, struct lz77_window);
	if (win == NULL)
		return 0;
	memset(&out, 0, sizeof(out));
	out.data = out.flags_pos = out_data;
	out.p = out_data + 4;
	out.end = out_data + out_size;
	while (pos < in_size) {
		/* the longest match takes 2 + 1 + 1 + 6 bytes */
		if (!out_has_room(&out, 10)) {
			talloc_free(win);
			return 0;
		}
		len = in_size - pos < MIN_MATCH ? 0 :
			window_find(win, in, in_size, pos, &distance);
		if (len < MIN_MATCH) {
			*out.p++ = in[pos];
			put_flag(&out, false);
			len = 1;
		} else {
			put_match(&out, distance, len);
			put_flag(&out, true);
		}
		for (; len > 0; len--, pos++) {
			if (in_size - pos >= MIN_MATCH)
				window_insert(win, in, pos);
		}
	}
	talloc_free(win);
	/* flags that stand for nothing are set */
	if (out.count == 0)
		put_le(out.flags_pos, 0xffffffffU, 4);
	else {
		put_le(out.flags_pos, (out.flags << (32 - out.count)) |
		       ((1U << (32 - out.count)) - 1), 4);
	}
	return (size_t)(out.p - out.data);
}
