/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LZFu: literals and references into a circular dictionary of 4096 bytes that
   begins with words of RTF headers. A control byte announces the kind of the
   next eight tokens, lowest bit first. A reference is two bytes, big-endian: 12
   bits of position in the dictionary and 4 bits of length - 2; the one to the
   position that would be written next ends the data ([MS-OXRTFCP] 2.1.3.1).

   A reference may reach into what it is itself writing, and to parts of the
   dictionary that haven't been written: they are taken as spaces. */

#include "lib.h"
#include "crc32.h"
#include "mime-text.h"
#include "rtf-compress.h"

#define RTF_TYPE_LZFU 0x75465A4C
#define RTF_TYPE_MELA 0x414C454D

#define DICT_SIZE 4096
#define DICT_MASK (DICT_SIZE - 1)
#define MIN_MATCH 2
#define MAX_MATCH 17

/* how many places with the same beginning are compared at most */
#define MAX_CHAIN 64
#define HASH_SIZE 4096
#define NO_POS UINT32_MAX

static const char dict_preset[] =
	"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}"
	"{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
	"MS Sans SerifSymbolArialTimes New RomanCourier"
	"{\\colortbl\\red0\\green0\\blue0\r\n\\par "
	"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
#define DICT_PRESET_SIZE (sizeof(dict_preset) - 1)

static uint32_t get_le32(const uint8_t *data)
{
	return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
		(uint32_t)data[3] << 24;
}

static void put_le32(uint8_t *data, uint32_t value)
{
	data[0] = value & 0xFF;
	data[1] = (value >> 8) & 0xFF;
	data[2] = (value >> 16) & 0xFF;
	data[3] = value >> 24;
}

/* [MS-OXRTFCP] 2.1.3.2: the polynomial and table of [RFC1952]'s CRC-32, but
   neither begun with nor ended by an inversion, which Dovecot's does: begun
   with ~0 it inverts to 0. */
static uint32_t rtf_crc(const uint8_t *data, size_t size)
{
	return ~crc32_data_more(UINT32_MAX, data, size);
}

static void dict_init(uint8_t dict[DICT_SIZE])
{
	memset(dict, ' ', DICT_SIZE);
	memcpy(dict, dict_preset, DICT_PRESET_SIZE);
}

/* Returns FALSE if the data ended before its end mark. At most out_size bytes
   are written; *out_r is set to how many there are, which may be out_size + 1
   for "more". */
static bool rtf_lzfu_decode(const uint8_t *data, size_t size, uint8_t *out,
			    size_t out_size, size_t *out_r)
{
	uint8_t dict[DICT_SIZE];
	unsigned int write_pos = DICT_PRESET_SIZE, read_pos, len, bit;
	size_t i = 0, n = 0;
	uint8_t control;

	dict_init(dict);
	*out_r = 0;
	while (i < size) {
		control = data[i++];
		for (bit = 0; bit < 8; bit++, control >>= 1) {
			if ((control & 1) == 0) {
				if (i == size)
					return FALSE;
				len = 1;
				dict[write_pos] = data[i++];
				read_pos = write_pos;
			} else {
				if (size - i < 2)
					return FALSE;
				read_pos = data[i] << 4 | data[i + 1] >> 4;
				len = (data[i + 1] & 0x0F) + MIN_MATCH;
				i += 2;
				if (read_pos == write_pos)
					return TRUE;
			}
			for (; len > 0; len--) {
				if (n == out_size) {
					*out_r = n + 1;
					return TRUE;
				}
				out[n++] = dict[write_pos] = dict[read_pos];
				*out_r = n;
				write_pos = (write_pos + 1) & DICT_MASK;
				read_pos = (read_pos + 1) & DICT_MASK;
			}
		}
	}
	return FALSE;
}

static int rtf_lzfu_decompress(TALLOC_CTX *mem, const uint8_t *data,
			       size_t size, size_t raw_size, size_t max_size,
			       uint8_t **rtf_r, size_t *size_r,
			       const char **error_r)
{
	/* a control byte and eight references are 17 bytes and make 136 */
	size_t out_size = I_MIN(size * 8 + 8, max_size);
	uint8_t *out;
	size_t used;
	bool ended;

	/* Most of the time RAWSIZE is right. */
	if (raw_size < out_size)
		out_size = raw_size;
	for (;;) {
		out = mime_check_alloc(talloc_size(mem, out_size + 1));
		ended = rtf_lzfu_decode(data, size, out, out_size, &used);
		if (used <= out_size)
			break;
		talloc_free(out);
		if (out_size == max_size) {
			*error_r = "RTF is larger than allowed";
			return -1;
		}
		out_size = I_MIN(size * 8 + 8, max_size);
	}
	if (!ended && used < raw_size) {
		*error_r = "Compressed RTF is truncated";
		talloc_free(out);
		return -1;
	}
	if (used < out_size)
		out = mime_check_alloc(talloc_realloc_size(mem, out, used + 1));
	out[used] = '\0';
	*rtf_r = out;
	*size_r = used;
	return 0;
}

int rtf_decompress(TALLOC_CTX *mem, const uint8_t *data, size_t size,
		   size_t max_size, uint8_t **rtf_r, size_t *size_r,
		   const char **error_r)
{
	size_t content_size, raw_size;
	uint32_t type;

	*rtf_r = NULL;
	*size_r = 0;
	if (size < RTF_COMPRESS_HEADER_SIZE) {
		*error_r = "Compressed RTF's header is truncated";
		return -1;
	}
	/* what COMPSIZE counts begins after itself */
	content_size = get_le32(data);
	raw_size = get_le32(data + 4);
	type = get_le32(data + 8);
	if (content_size < RTF_COMPRESS_HEADER_SIZE - 4 ||
	    content_size > size - 4) {
		*error_r = "Compressed RTF is truncated";
		return -1;
	}
	content_size -= RTF_COMPRESS_HEADER_SIZE - 4;

	if (type == RTF_TYPE_LZFU) {
		if (rtf_crc(data + RTF_COMPRESS_HEADER_SIZE, content_size) !=
		    get_le32(data + 12)) {
			*error_r = "Compressed RTF has a wrong checksum";
			return -1;
		}
		return rtf_lzfu_decompress(mem, data + RTF_COMPRESS_HEADER_SIZE,
					   content_size, raw_size, max_size,
					   rtf_r, size_r, error_r);
	}
	if (type != RTF_TYPE_MELA) {
		*error_r = "Compressed RTF is of an unknown type";
		return -1;
	}
	/* [MS-OXRTFCP] 2.2.3: RAWSIZE bytes of CONTENTS */
	if (raw_size > content_size) {
		*error_r = "Uncompressed RTF is truncated";
		return -1;
	}
	if (raw_size > max_size) {
		*error_r = "RTF is larger than allowed";
		return -1;
	}
	*rtf_r = mime_check_alloc(talloc_size(mem, raw_size + 1));
	memcpy(*rtf_r, data + RTF_COMPRESS_HEADER_SIZE, raw_size);
	(*rtf_r)[raw_size] = '\0';
	*size_r = raw_size;
	return 0;
}

/* Positions count from the beginning of preset and input together; those of the
   dictionary are their lowest 12 bits. Places with the same hash of two bytes
   are chained, newest first. */
struct rtf_compressor {
	const uint8_t *input;
	size_t end;
	uint32_t head[HASH_SIZE], prev[DICT_SIZE];

	uint8_t *out;
	size_t out_used;
	/* where the control byte is, and how many of its bits are taken */
	size_t control;
	unsigned int bits;
};

static inline uint8_t rtf_byte(const struct rtf_compressor *c, size_t pos)
{
	return pos < DICT_PRESET_SIZE ? (uint8_t)dict_preset[pos] :
		c->input[pos - DICT_PRESET_SIZE];
}

static inline unsigned int rtf_hash(const struct rtf_compressor *c, size_t pos)
{
	return (rtf_byte(c, pos) << 4 ^ rtf_byte(c, pos + 1)) &
		(HASH_SIZE - 1);
}

static void rtf_remember(struct rtf_compressor *c, size_t pos)
{
	unsigned int hash;

	if (pos + 1 >= c->end)
		return;
	hash = rtf_hash(c, pos);
	c->prev[pos & DICT_MASK] = c->head[hash];
	c->head[hash] = pos;
}

/* Length of the longest match of what's at pos, and where it is. A match may
   run into pos: it is written while it is read. It may not begin DICT_SIZE
   bytes back, which would be the end mark. */
static unsigned int
rtf_match(const struct rtf_compressor *c, size_t pos, size_t *match_r)
{
	unsigned int len, best = 0, chain, max;
	size_t at;

	if (pos + 1 >= c->end)
		return 0;
	max = I_MIN(c->end - pos, MAX_MATCH);
	at = c->head[rtf_hash(c, pos)];
	for (chain = 0; chain < MAX_CHAIN && at != NO_POS &&
	     pos - at < DICT_SIZE; chain++) {
		for (len = 0; len < max; len++) {
			if (rtf_byte(c, at + len) != rtf_byte(c, pos + len))
				break;
		}
		/* the oldest of the longest, as the specification's search of
		   the dictionary from its beginning finds it */
		if (len >= best) {
			best = len;
			*match_r = at;
			if (best == MAX_MATCH)
				break;
		}
		/* not used again yet: less than DICT_SIZE bytes back */
		at = c->prev[at & DICT_MASK];
	}
	return best < MIN_MATCH ? 0 : best;
}

static void rtf_token(struct rtf_compressor *c, bool reference)
{
	if (c->bits == 8) {
		c->control = c->out_used++;
		c->out[c->control] = 0;
		c->bits = 0;
	}
	if (reference)
		c->out[c->control] |= 1 << c->bits;
	c->bits++;
}

static void rtf_reference(struct rtf_compressor *c, size_t pos,
			  unsigned int len)
{
	rtf_token(c, TRUE);
	pos &= DICT_MASK;
	c->out[c->out_used++] = pos >> 4;
	c->out[c->out_used++] = (pos & 0x0F) << 4 | (len - MIN_MATCH);
}

static void rtf_lzfu_compress(struct rtf_compressor *c)
{
	size_t pos, match = 0;
	unsigned int len;

	memset(c->head, 0xFF, sizeof(c->head));
	for (pos = 0; pos < DICT_PRESET_SIZE; pos++)
		rtf_remember(c, pos);
	while (pos < c->end) {
		len = rtf_match(c, pos, &match);
		if (len == 0) {
			rtf_token(c, FALSE);
			c->out[c->out_used++] = rtf_byte(c, pos);
			len = 1;
		} else {
			rtf_reference(c, match, len);
		}
		for (; len > 0; len--)
			rtf_remember(c, pos++);
	}
	rtf_reference(c, pos, MIN_MATCH);
}

void rtf_compress(TALLOC_CTX *mem, const uint8_t *rtf, size_t size,
		  uint8_t **data_r, size_t *size_r)
{
	struct rtf_compressor *c;

	i_assert(size <= RTF_COMPRESS_MAX);
	c = mime_check_alloc(talloc_zero(mem, struct rtf_compressor));
	c->input = rtf;
	c->end = DICT_PRESET_SIZE + size;
	c->out = mime_check_alloc(talloc_size(mem, size + size / 8 + 32));
	c->out_used = RTF_COMPRESS_HEADER_SIZE;
	c->bits = 8;
	rtf_lzfu_compress(c);
	i_assert(c->out_used <= size + size / 8 + 32);

	put_le32(c->out, c->out_used - 4);
	put_le32(c->out + 4, size);
	put_le32(c->out + 8, RTF_TYPE_LZFU);
	put_le32(c->out + 12, rtf_crc(c->out + RTF_COMPRESS_HEADER_SIZE,
				      c->out_used - RTF_COMPRESS_HEADER_SIZE));
	*size_r = c->out_used;
	*data_r = mime_check_alloc(talloc_realloc_size(mem, c->out,
						       c->out_used));
	talloc_free(c);
}
