/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Expanding and collapsing categories, [MS-OXCTABL] 2.2.2.17 - 2.2.2.20.

   Which categories are open is kept by their ids, and only for those that
   aren't as ExpandedCount has them: a category that loses its last row and gets
   another one later is as it was.

   A collapse state, as the client keeps it, is

     4 bytes	COLLAPSE_STATE_MAGIC
     8 bytes	hash of the sort order
     8 + 4	PidTagInstID and PidTagInstanceNum of the row
     6 bytes	for each such category: its id without the low 16 bits

   with all numbers little-endian. */

#include "lib.h"
#include "buffer.h"
#include "mapi-table-private.h"

#include <stdlib.h>

#define COLLAPSE_STATE_MAGIC 0x31534344U	/* "DCS1" */
#define COLLAPSE_STATE_HEADER_SIZE (4 + 8 + 8 + 4)
#define COLLAPSE_STATE_ID_SIZE 6

static int uint64_cmp(const void *_a, const void *_b)
{
	const uint64_t *a = _a, *b = _b;

	return *a == *b ? 0 : (*a < *b ? -1 : 1);
}

static void category_toggle(struct mapi_table_private *priv, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < priv->toggled_count; i++) {
		if (priv->toggled[i] >= id)
			break;
	}
	if (i < priv->toggled_count && priv->toggled[i] == id) {
		memmove(priv->toggled + i, priv->toggled + i + 1,
			(--priv->toggled_count - i) * sizeof(id));
		return;
	}
	priv->toggled = talloc_realloc(priv, priv->toggled, uint64_t,
				       priv->toggled_count + 1);
	memmove(priv->toggled + i + 1, priv->toggled + i,
		(priv->toggled_count++ - i) * sizeof(id));
	priv->toggled[i] = id;
}

/* Finds a heading that is to be expanded or collapsed. */
static enum mapi_error
category_find(struct mapi_table *table, uint64_t id,
	      struct mapi_table_category **category_r, uint32_t *visible_r)
{
	struct mapi_table_private *priv = table->priv;
	enum mapi_error error;
	uint32_t i;

	if (!mapi_table_can(priv, MAPI_TABLE_CAN_SORT))
		return EC_NOT_SUPPORTED;
	if (priv->columns == NULL)
		return EC_NULL_OBJECT;
	error = mapi_table_refresh(table);
	if (error != EC_NONE)
		return error;
	for (i = 0; i < priv->category_count; i++) {
		if (priv->categories[i].id == id)
			break;
	}
	/* one within a collapsed category can't be seen: it isn't there */
	if (i == priv->category_count ||
	    !mapi_table_find_identity(priv, id, 0, visible_r))
		return EC_NOT_FOUND;
	*category_r = &priv->categories[i];
	return EC_NONE;
}

enum mapi_error
mapi_table_expand_row(struct mapi_table *table, TALLOC_CTX *mem,
		      uint64_t category_id, unsigned int max_rows,
		      mapi_table_row_callback_t *callback, void *context,
		      uint32_t *expanded_r)
{
	struct mapi_table_private *priv = table->priv;
	struct mapi_table_category *category;
	struct mapi_property_row row;
	uint32_t idx, i, old_count;
	enum mapi_error error;

	error = category_find(table, category_id, &category, &idx);
	if (error != EC_NONE)
		return error;
	if (category->expanded)
		return EC_NOT_COLLAPSED;

	old_count = priv->visible_count;
	category->expanded = TRUE;
	category_toggle(priv, category_id);
	mapi_table_visible_change(priv);
	*expanded_r = priv->visible_count - old_count;

	max_rows = I_MIN(max_rows, *expanded_r);
	if (max_rows == 0)
		return EC_NONE;
	/* that rows couldn't be read is seen when they are read again */
	if (mapi_table_rows_begin(priv, NULL, 0) != EC_NONE)
		return EC_NONE;
	for (i = 0; i < max_rows; i++) {
		if (mapi_table_row_get(priv, idx + 1 + i, mem, &row) != EC_NONE)
			break;
		if (!callback(&row, context))
			break;
	}
	mapi_table_rows_end(priv);
	return EC_NONE;
}

enum mapi_error
mapi_table_collapse_row(struct mapi_table *table, uint64_t category_id,
			uint32_t *collapsed_r)
{
	struct mapi_table_private *priv = table->priv;
	struct mapi_table_category *category;
	uint32_t idx, old_count;
	enum mapi_error error;

	error = category_find(table, category_id, &category, &idx);
	if (error != EC_NONE)
		return error;
	if (!category->expanded)
		return EC_NOT_EXPANDED;

	old_count = priv->visible_count;
	category->expanded = FALSE;
	category_toggle(priv, category_id);
	mapi_table_visible_change(priv);
	*collapsed_r = old_count - priv->visible_count;
	return EC_NONE;
}

static uint64_t table_sort_hash(const struct mapi_table_private *priv)
{
	return priv->sort == NULL ? 0 : priv->sort->hash;
}

enum mapi_error
mapi_table_get_collapse_state(struct mapi_table *table, TALLOC_CTX *mem,
			      uint64_t row_id, uint32_t row_instance,
			      const uint8_t **state_r, size_t *size_r)
{
	struct mapi_table_private *priv = table->priv;
	uint8_t *state, *p;
	unsigned int i;

	if (!mapi_table_can(priv, MAPI_TABLE_CAN_SORT))
		return EC_NOT_SUPPORTED;
	if (priv->columns == NULL)
		return EC_NULL_OBJECT;

	*size_r = COLLAPSE_STATE_HEADER_SIZE +
		priv->toggled_count * COLLAPSE_STATE_ID_SIZE;
	/* CollapseStateSize has 16 bits */
	if (*size_r > UINT16_MAX)
		return EC_TOO_COMPLEX;
	state = p = talloc_array(mem, uint8_t, *size_r);
	cpu32_to_le_unaligned(COLLAPSE_STATE_MAGIC, p);
	cpu64_to_le_unaligned(table_sort_hash(priv), p + 4);
	cpu64_to_le_unaligned(row_id, p + 12);
	cpu32_to_le_unaligned(row_instance, p + 20);
	p += COLLAPSE_STATE_HEADER_SIZE;
	for (i = 0; i < priv->toggled_count; i++) {
		uint8_t id[8];

		cpu64_to_le_unaligned(priv->toggled[i], id);
		memcpy(p, id + 2, COLLAPSE_STATE_ID_SIZE);
		p += COLLAPSE_STATE_ID_SIZE;
	}
	*state_r = state;
	return EC_NONE;
}

enum mapi_error
mapi_table_set_collapse_state(struct mapi_table *table, TALLOC_CTX *mem,
			      const uint8_t *state, size_t size,
			      const uint8_t **bookmark_r, size_t *size_r)
{
	struct mapi_table_private *priv = table->priv;
	uint64_t row_id;
	uint32_t row_instance, i, j, idx;
	enum mapi_error error;

	if (!mapi_table_can(priv, MAPI_TABLE_CAN_SORT))
		return EC_NOT_SUPPORTED;
	if (priv->columns == NULL)
		return EC_NULL_OBJECT;
	if (size < COLLAPSE_STATE_HEADER_SIZE ||
	    (size - COLLAPSE_STATE_HEADER_SIZE) % COLLAPSE_STATE_ID_SIZE != 0 ||
	    le32_to_cpu_unaligned(state) != COLLAPSE_STATE_MAGIC ||
	    le64_to_cpu_unaligned(state + 4) != table_sort_hash(priv))
		return EC_INVALID_PARAM;
	row_id = le64_to_cpu_unaligned(state + 12);
	row_instance = le32_to_cpu_unaligned(state + 20);

	error = mapi_table_refresh(table);
	if (error != EC_NONE)
		return error;

	TALLOC_FREE(priv->toggled);
	priv->toggled_count = (size - COLLAPSE_STATE_HEADER_SIZE) /
		COLLAPSE_STATE_ID_SIZE;
	priv->toggled = talloc_array(priv, uint64_t, priv->toggled_count);
	for (i = 0; i < priv->toggled_count; i++) {
		uint8_t id[8] = { 0, 0 };

		memcpy(id + 2, state + COLLAPSE_STATE_HEADER_SIZE +
		       i * COLLAPSE_STATE_ID_SIZE, COLLAPSE_STATE_ID_SIZE);
		priv->toggled[i] = le64_to_cpu_unaligned(id);
	}
	/* it comes from the client: it may be in any order */
	if (priv->toggled_count > 0) {
		qsort(priv->toggled, priv->toggled_count,
		      sizeof(*priv->toggled), uint64_cmp);
		for (i = j = 1; i < priv->toggled_count; i++) {
			if (priv->toggled[i] != priv->toggled[j - 1])
				priv->toggled[j++] = priv->toggled[i];
		}
		priv->toggled_count = j;
	}
	if (priv->visible != NULL) {
		mapi_table_categories_expand(priv);
		mapi_table_visible_change(priv);
	}

	/* The row may be gone, or hidden: then the next one */
	(void)mapi_table_find_identity(priv, row_id, row_instance, &idx);
	if (idx == UINT32_MAX)
		idx = 0;
	priv->position = idx;
	return mapi_table_bookmark_add(priv, row_id, row_instance, idx, TRUE,
				       mem, bookmark_r, size_r);
}
