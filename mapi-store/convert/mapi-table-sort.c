/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Encoding of a part: one byte that says what follows, then

   0x01				absent
   0x02 8 bytes			numbers, big-endian, made unsigned
   0x03 16 bytes		GUIDs
   0x04 bytes, 0x00 0x00	strings and binaries; 0x00 is 0x00 0x01 within

   A number is made unsigned by flipping its sign bit; a floating point number
   additionally has its other bits flipped if negative. Types never mix within
   a column, except that a value may be absent. */

#define _GNU_SOURCE /* qsort_r() */
#include "lib.h"
#include "buffer.h"
#include "str.h"
#include "unichar.h"
#include "mapi-table-sort.h"

#include <stdlib.h>

enum sort_key_type {
	SORT_KEY_ABSENT	= 0x01,
	SORT_KEY_NUMBER	= 0x02,
	SORT_KEY_GUID	= 0x03,
	SORT_KEY_BYTES	= 0x04,
};

static void sort_key_number(buffer_t *key, uint64_t number)
{
	unsigned char data[9] = { SORT_KEY_NUMBER };

	cpu64_to_be_unaligned(number, data + 1);
	buffer_append(key, data, sizeof(data));
}

static void sort_key_signed(buffer_t *key, int64_t number)
{
	sort_key_number(key, (uint64_t)number ^ (1ULL << 63));
}

static void sort_key_double(buffer_t *key, double number)
{
	uint64_t bits;

	/* -0 equals 0 */
	if (number == 0)
		number = 0;
	memcpy(&bits, &number, sizeof(bits));
	if ((bits & (1ULL << 63)) != 0)
		bits = ~bits;
	else
		bits |= 1ULL << 63;
	sort_key_number(key, bits);
}

static void
sort_key_bytes(buffer_t *key, const unsigned char *data, size_t size)
{
	size_t i, start = 0;

	buffer_append_c(key, SORT_KEY_BYTES);
	for (i = 0; i < size; i++) {
		if (data[i] != '\0')
			continue;
		buffer_append(key, data + start, i - start);
		buffer_append(key, "\0\1", 2);
		start = i + 1;
	}
	buffer_append(key, data + start, size - start);
	buffer_append(key, "\0\0", 2);
}

static void sort_key_string(buffer_t *key, const char *str)
{
	size_t i, len = strlen(str);
	bool ascii = TRUE;

	for (i = 0; i < len && ascii; i++)
		ascii = (unsigned char)str[i] < 0x80;
	if (ascii) {
		/* the usual case needs no tables */
		unsigned char *p;

		buffer_append_c(key, SORT_KEY_BYTES);
		p = buffer_append_space_unsafe(key, len);
		for (i = 0; i < len; i++)
			p[i] = i_toupper(str[i]);
		buffer_append(key, "\0\0", 2);
	} else {
		/* not on the data stack: key may be there, and then it can't
		   become larger in another frame */
		string_t *folded = str_new(default_pool, len * 2);

		/* what isn't valid UTF-8 becomes a replacement character */
		(void)uni_utf8_to_decomposed_titlecase(str, len, folded);
		sort_key_bytes(key, str_data(folded), str_len(folded));
		str_free(&folded);
	}
}

static void sort_key_value(buffer_t *key, const struct mapi_value *value)
{
	if (value == NULL) {
		buffer_append_c(key, SORT_KEY_ABSENT);
		return;
	}
	if ((value->type & PTYP_MULTIPLE_FLAG) != 0) {
		struct mapi_value first;

		if (mapi_table_mv_element(value, 0, &first))
			sort_key_value(key, &first);
		else
			buffer_append_c(key, SORT_KEY_ABSENT);
		return;
	}

	switch (value->type) {
	case PTYP_INTEGER16:
		sort_key_signed(key, value->u.i16);
		break;
	case PTYP_INTEGER32:
		sort_key_signed(key, value->u.i32);
		break;
	case PTYP_INTEGER64:
	case PTYP_CURRENCY:
		sort_key_signed(key, value->u.i64);
		break;
	case PTYP_FLOATING32:
		sort_key_double(key, value->u.f32);
		break;
	case PTYP_FLOATING64:
	case PTYP_FLOATING_TIME:
		sort_key_double(key, value->u.f64);
		break;
	case PTYP_BOOLEAN:
		sort_key_number(key, value->u.b ? 1 : 0);
		break;
	case PTYP_TIME:
		sort_key_number(key, value->u.time);
		break;
	case PTYP_STRING:
		sort_key_string(key, value->u.str);
		break;
	case PTYP_STRING8:
		sort_key_string(key, value->u.str8);
		break;
	case PTYP_BINARY:
	case PTYP_SERVER_ID:
		sort_key_bytes(key, value->u.bin.data, value->u.bin.len);
		break;
	case PTYP_GUID:
		buffer_append_c(key, SORT_KEY_GUID);
		buffer_append(key, value->u.guid.bytes,
			      sizeof(value->u.guid.bytes));
		break;
	default:
		buffer_append_c(key, SORT_KEY_ABSENT);
		break;
	}
}

void mapi_sort_key_append(struct buffer *key, const struct mapi_value *value,
			  bool descending)
{
	size_t i, start = key->used;

	sort_key_value(key, value);
	if (descending) {
		unsigned char *p = buffer_get_space_unsafe(key, start,
							   key->used - start);

		for (i = 0; start + i < key->used; i++)
			p[i] ^= 0xff;
	}
}

size_t mapi_sort_key_part_len(const unsigned char *key, size_t len,
			      bool descending)
{
	unsigned char mask = descending ? 0xff : 0;
	size_t i;

	i_assert(len > 0);
	switch (key[0] ^ mask) {
	case SORT_KEY_ABSENT:
		return 1;
	case SORT_KEY_NUMBER:
		return 1 + 8;
	case SORT_KEY_GUID:
		return 1 + 16;
	case SORT_KEY_BYTES:
		for (i = 1; i + 1 < len; i++) {
			if ((key[i] ^ mask) != 0)
				continue;
			if ((key[i + 1] ^ mask) == 0)
				return i + 2;
			i++;
		}
		break;
	}
	i_panic("mapi-table: broken sort key");
}

void mapi_table_sort_item_init(struct mapi_table_sort_item *item,
			       const unsigned char *keys)
{
	unsigned char data[sizeof(uint64_t)] = { 0 };

	/* Zeros stand for what is beyond the end of a key: it makes no
	   difference since no key is a prefix of another one. */
	memcpy(data, keys + item->key_offset,
	       I_MIN(sizeof(data), item->key_len));
	item->prefix = be64_to_cpu_unaligned(data);
}

int mapi_table_sort_item_cmp(const struct mapi_table_sort_item *a,
			     const struct mapi_table_sort_item *b,
			     const unsigned char *keys, bool rows_descending)
{
	int ret;

	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	if (a->key_len > 0 && b->key_len > 0) {
		ret = memcmp(keys + a->key_offset, keys + b->key_offset,
			     I_MIN(a->key_len, b->key_len));
		if (ret != 0)
			return ret;
	}
	if (a->row != b->row)
		return (a->row < b->row) != rows_descending ? -1 : 1;
	return (int)a->instance - (int)b->instance;
}

static int sort_item_cmp_up(const void *a, const void *b, void *keys)
{
	return mapi_table_sort_item_cmp(a, b, keys, FALSE);
}

static int sort_item_cmp_down(const void *a, const void *b, void *keys)
{
	return mapi_table_sort_item_cmp(a, b, keys, TRUE);
}

void mapi_table_sort_items(struct mapi_table_sort_item *items,
			   unsigned int count, const unsigned char *keys,
			   bool rows_descending)
{
	if (count > 1) {
		qsort_r(items, count, sizeof(*items), rows_descending ?
			sort_item_cmp_down : sort_item_cmp_up, (void *)keys);
	}
}

static bool value_is_absent(const struct mapi_value *value)
{
	return value == NULL || value->type == PTYP_ERROR_CODE;
}

int mapi_table_value_cmp(const struct mapi_value *a,
			 const struct mapi_value *b)
{
	int ret;

	if (value_is_absent(a) || value_is_absent(b))
		return (value_is_absent(b) ? 1 : 0) -
			(value_is_absent(a) ? 1 : 0);

	T_BEGIN {
		buffer_t *key_a = t_buffer_create(128);
		buffer_t *key_b = t_buffer_create(128);

		mapi_sort_key_append(key_a, a, FALSE);
		mapi_sort_key_append(key_b, b, FALSE);
		ret = memcmp(key_a->data, key_b->data,
			     I_MIN(key_a->used, key_b->used));
	} T_END;
	return ret;
}

unsigned int mapi_table_mv_count(const struct mapi_value *value)
{
	return (value->type & PTYP_MULTIPLE_FLAG) == 0 ? 0 : value->u.mv.count;
}

bool mapi_table_mv_element(const struct mapi_value *value, unsigned int idx,
			   struct mapi_value *element_r)
{
	if (idx >= mapi_table_mv_count(value))
		return FALSE;

	i_zero(element_r);
	element_r->type = value->type & ~PTYP_MULTIPLE_FLAG;
	switch (element_r->type) {
	case PTYP_INTEGER16:
		element_r->u.i16 = value->u.mv.v.i16[idx];
		break;
	case PTYP_INTEGER32:
		element_r->u.i32 = value->u.mv.v.i32[idx];
		break;
	case PTYP_FLOATING32:
		element_r->u.f32 = value->u.mv.v.f32[idx];
		break;
	case PTYP_FLOATING64:
	case PTYP_FLOATING_TIME:
		element_r->u.f64 = value->u.mv.v.f64[idx];
		break;
	case PTYP_CURRENCY:
	case PTYP_INTEGER64:
		element_r->u.i64 = value->u.mv.v.i64[idx];
		break;
	case PTYP_STRING:
		element_r->u.str = value->u.mv.v.str[idx];
		break;
	case PTYP_STRING8:
		element_r->u.str8 = value->u.mv.v.str8[idx];
		break;
	case PTYP_TIME:
		element_r->u.time = value->u.mv.v.time[idx];
		break;
	case PTYP_GUID:
		element_r->u.guid = value->u.mv.v.guid[idx];
		break;
	case PTYP_BINARY:
		element_r->u.bin = value->u.mv.v.bin[idx];
		break;
	default:
		return FALSE;
	}
	return TRUE;
}
