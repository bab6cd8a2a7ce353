/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_TABLE_SORT_H
#define MAPI_TABLE_SORT_H

/* Sort keys: property values as bytes that compare with memcmp() the way the
   values do.

   A key is a sequence of parts, one for each value. No part is a prefix of
   another one, so comparing whole keys compares the parts in their order, and
   parts may be found again by walking over the key.

   - An absent value is less than any other, as Exchange has it.
   - Strings are compared as i;unicode-casemap does: without case, decomposed.
   - A part for descending order has all its bytes inverted. */

#include "mapi-value.h"

struct buffer;

/* A row while it is being sorted. */
struct mapi_table_sort_item {
	uint32_t row;
	uint16_t instance;
	/* of the key in the buffer of keys */
	uint32_t key_offset, key_len;
	/* the key of the column by which categories are ordered; len 0 if
	   there's none */
	uint32_t extreme_offset, extreme_len;
	/* first bytes of the key, so that most comparisons need no more */
	uint64_t prefix;
};

/* Appends the part for a value; NULL, PTYP_ERROR_CODE and types that have no
   order are absent values. Of a multi-value the first value is taken. */
void mapi_sort_key_append(struct buffer *key, const struct mapi_value *value,
			  bool descending);
/* Length of the part that key starts with. descending must be what it was made
   with. */
size_t mapi_sort_key_part_len(const unsigned char *key, size_t len,
			      bool descending);

/* Sets prefix from the key. */
void mapi_table_sort_item_init(struct mapi_table_sort_item *item,
			       const unsigned char *keys);
/* Sorts by key, then row (upwards or downwards), then instance: a total order,
   so that a row is always found where it was before. */
void mapi_table_sort_items(struct mapi_table_sort_item *items,
			   unsigned int count, const unsigned char *keys,
			   bool rows_descending);
int mapi_table_sort_item_cmp(const struct mapi_table_sort_item *a,
			     const struct mapi_table_sort_item *b,
			     const unsigned char *keys, bool rows_descending);

/* Compares as sort keys do. 0 also for values that can't be ordered. Both
   must have the same type or be absent (NULL or PTYP_ERROR_CODE). */
int mapi_table_value_cmp(const struct mapi_value *a,
			 const struct mapi_value *b);

/* The single values of a multi-value: their number, and one of them without
   copying what it points to. FALSE if there's no such element or value isn't a
   multi-value. */
unsigned int mapi_table_mv_count(const struct mapi_value *value);
bool mapi_table_mv_element(const struct mapi_value *value, unsigned int idx,
			   struct mapi_value *element_r);

#endif
