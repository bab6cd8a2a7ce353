/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Positions in a table: the cursor and bookmarks, [MS-OXCTABL] 2.2.2.8 -
   2.2.2.12.

   A position is an index into the visible rows, and stands for the row there.
   When rows change, a position moves with its row; if the row isn't visible any
   more, to the next one that was there before and still is. The cursor at the
   beginning or the end of the table stays there.

   A bookmark remembers its row's identity, too (PidTagInstID and PidTag-
   InstanceNum), by which it finds out that the row is gone, or is back after
   its category has been expanded again. */

#include "lib.h"
#include "mapi-table-private.h"

#include <stdlib.h>

/* what a client is told a bookmark is */
#define BOOKMARK_SIZE sizeof(uint32_t)
#define MAX_BOOKMARKS 4096

struct mapi_table_marks {
	/* rows as they were */
	uint32_t *leaves, *visible;
	uint16_t *instances;
	struct mapi_table_category *categories;
	uint32_t leaf_count, leaf_alloc, visible_count, category_count;
};

/* An index of the rows that exist now */
struct row_index_entry {
	uint64_t id;
	uint16_t instance;
	/* what is in priv->visible */
	uint32_t visible;
};
struct row_index {
	struct row_index_entry *entries;
	unsigned int count;
};

/* --- the order of visible rows -------------------------------------------- */

static uint32_t visible_get(const struct mapi_table_private *priv, uint32_t idx)
{
	i_assert(idx < priv->visible_count);
	return priv->visible == NULL ? idx : priv->visible[idx];
}

/* Compares as the rows stand one below the other if all are visible. */
static int visible_cmp(const struct mapi_table_private *priv,
		       uint32_t a, uint32_t b)
{
	bool a_heading = (a & MAPI_TABLE_HEADING) != 0;
	bool b_heading = (b & MAPI_TABLE_HEADING) != 0;
	uint32_t a_leaf = a, b_leaf = b;

	a &= ~MAPI_TABLE_HEADING;
	b &= ~MAPI_TABLE_HEADING;
	if (a_heading && b_heading)
		return a == b ? 0 : (a < b ? -1 : 1);
	if (a_heading)
		a_leaf = priv->categories[a].first_leaf;
	if (b_heading)
		b_leaf = priv->categories[b].first_leaf;
	if (a_leaf != b_leaf)
		return a_leaf < b_leaf ? -1 : 1;
	return a_heading == b_heading ? 0 : (a_heading ? -1 : 1);
}

/* Index of the first visible row that isn't above the given one; TRUE if it's
   that itself. */
static bool visible_find(const struct mapi_table_private *priv,
			 uint32_t visible, uint32_t *idx_r)
{
	uint32_t left = 0, right = priv->visible_count;

	while (left < right) {
		uint32_t mid = left + (right - left) / 2;

		if (visible_cmp(priv, visible_get(priv, mid), visible) < 0)
			left = mid + 1;
		else
			right = mid;
	}
	*idx_r = left;
	return left < priv->visible_count &&
		visible_get(priv, left) == visible;
}

static void
visible_identity(struct mapi_table_private *priv, uint32_t visible,
		 const struct mapi_table_marks *old,
		 uint64_t *inst_id_r, uint16_t *instance_r)
{
	const uint32_t *leaves = old != NULL ? old->leaves : priv->leaves;
	const uint16_t *instances =
		old != NULL ? old->instances : priv->instances;
	const struct mapi_table_category *categories =
		old != NULL ? old->categories : priv->categories;

	*instance_r = 0;
	if ((visible & MAPI_TABLE_HEADING) != 0)
		*inst_id_r = categories[visible & ~MAPI_TABLE_HEADING].id;
	else {
		*inst_id_r = priv->src->v->inst_id(priv->src, leaves[visible]);
		if (instances != NULL)
			*instance_r = instances[visible];
	}
}

void mapi_table_row_identity(struct mapi_table_private *priv, uint32_t idx,
			     uint64_t *inst_id_r, uint16_t *instance_r)
{
	visible_identity(priv, visible_get(priv, idx), NULL,
			 inst_id_r, instance_r);
}

bool mapi_table_find_identity(struct mapi_table_private *priv,
			      uint64_t inst_id, uint16_t instance,
			      uint32_t *idx_r)
{
	uint32_t i, row;

	*idx_r = UINT32_MAX;
	for (i = 0; i < priv->category_count; i++) {
		if (priv->categories[i].id == inst_id)
			return visible_find(priv, i | MAPI_TABLE_HEADING,
					    idx_r);
	}
	if (!priv->src->v->inst_id_to_row(priv->src, inst_id, &row))
		return FALSE;
	for (i = 0; i < priv->leaf_count; i++) {
		if (priv->leaves[i] == row &&
		    (priv->instances == NULL ? 0 : priv->instances[i]) ==
		    instance)
			return visible_find(priv, i, idx_r);
	}
	return FALSE;
}

/* --- rows change ---------------------------------------------------------- */

static int row_index_cmp(const void *_a, const void *_b)
{
	const struct row_index_entry *a = _a, *b = _b;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return (int)a->instance - (int)b->instance;
}

static void
row_index_init(struct row_index *index, TALLOC_CTX *mem,
	       struct mapi_table_private *priv)
{
	uint32_t i;

	index->count = priv->category_count + priv->leaf_count;
	index->entries = talloc_array(mem, struct row_index_entry,
				      index->count);
	for (i = 0; i < index->count; i++) {
		struct row_index_entry *entry = &index->entries[i];

		entry->visible = i < priv->category_count ?
			(i | MAPI_TABLE_HEADING) : i - priv->category_count;
		visible_identity(priv, entry->visible, NULL,
				 &entry->id, &entry->instance);
	}
	if (index->count > 1) {
		qsort(index->entries, index->count, sizeof(*index->entries),
		      row_index_cmp);
	}
}

struct mapi_table_marks *
mapi_table_marks_save(struct mapi_table_private *priv)
{
	struct mapi_table_marks *marks;

	marks = talloc_zero(priv, struct mapi_table_marks);
	marks->leaves = talloc_steal(marks, priv->leaves);
	marks->instances = talloc_steal(marks, priv->instances);
	marks->visible = talloc_steal(marks, priv->visible);
	marks->categories = talloc_steal(marks, priv->categories);
	marks->leaf_count = priv->leaf_count;
	marks->leaf_alloc = priv->leaf_alloc;
	marks->visible_count = priv->visible_count;
	marks->category_count = priv->category_count;

	priv->leaves = priv->visible = NULL;
	priv->instances = NULL;
	priv->categories = NULL;
	priv->leaf_count = priv->leaf_alloc = 0;
	priv->visible_count = priv->category_count = 0;
	return marks;
}

const uint32_t *
mapi_table_marks_leaves(const struct mapi_table_marks *marks, uint32_t *count_r)
{
	*count_r = marks->leaf_count;
	return marks->leaves;
}

void mapi_table_marks_undo(struct mapi_table_private *priv,
			   struct mapi_table_marks **_marks)
{
	struct mapi_table_marks *marks = *_marks;

	*_marks = NULL;
	TALLOC_FREE(priv->leaves);
	TALLOC_FREE(priv->instances);
	TALLOC_FREE(priv->visible);
	TALLOC_FREE(priv->categories);
	priv->leaves = talloc_steal(priv, marks->leaves);
	priv->instances = talloc_steal(priv, marks->instances);
	priv->visible = talloc_steal(priv, marks->visible);
	priv->categories = talloc_steal(priv, marks->categories);
	priv->leaf_count = marks->leaf_count;
	priv->leaf_alloc = marks->leaf_alloc;
	priv->visible_count = marks->visible_count;
	priv->category_count = marks->category_count;
	talloc_free(marks);
}

/* Where the row that was at idx, or the next one that still exists, is now. */
static uint32_t
position_renew(struct mapi_table_private *priv,
	       const struct mapi_table_marks *old, struct row_index *index,
	       uint32_t idx)
{
	struct row_index_entry key, *entry;
	uint32_t new_idx;

	if (index->entries == NULL)
		row_index_init(index, priv, priv);
	for (; idx < old->visible_count; idx++) {
		uint32_t visible = old->visible == NULL ? idx :
			old->visible[idx];

		visible_identity(priv, visible, old, &key.id, &key.instance);
		entry = index->count == 0 ? NULL :
			bsearch(&key, index->entries, index->count,
				sizeof(key), row_index_cmp);
		if (entry != NULL &&
		    visible_find(priv, entry->visible, &new_idx))
			return new_idx;
	}
	return priv->visible_count;
}

void mapi_table_marks_restore(struct mapi_table_private *priv,
			      struct mapi_table_marks **_marks)
{
	struct mapi_table_marks *marks = *_marks;
	struct row_index index;
	unsigned int i;

	*_marks = NULL;
	i_zero(&index);
	if (priv->position >= marks->visible_count && marks->visible_count > 0)
		priv->position = priv->visible_count;
	else if (priv->position > 0) {
		priv->position = position_renew(priv, marks, &index,
						priv->position);
	}
	for (i = 0; i < priv->bookmark_count; i++) {
		struct mapi_table_bookmark *bookmark = &priv->bookmarks[i];

		bookmark->position = !bookmark->at_row ? priv->visible_count :
			position_renew(priv, marks, &index,
				       bookmark->position);
	}
	talloc_free(index.entries);
	talloc_free(marks);
}

void mapi_table_visible_change(struct mapi_table_private *priv)
{
	uint32_t *old = talloc_steal(NULL, priv->visible), idx;
	uint32_t old_count = priv->visible_count;
	unsigned int i;

	i_assert(old != NULL);
	priv->visible = NULL;
	mapi_table_visible_build(priv);

	if (priv->position >= old_count && old_count > 0)
		priv->position = priv->visible_count;
	else if (old_count > 0) {
		(void)visible_find(priv, old[priv->position], &idx);
		priv->position = idx;
	}
	for (i = 0; i < priv->bookmark_count; i++) {
		struct mapi_table_bookmark *bookmark = &priv->bookmarks[i];

		if (bookmark->position >= old_count)
			bookmark->position = priv->visible_count;
		else {
			(void)visible_find(priv, old[bookmark->position],
					   &bookmark->position);
		}
	}
	talloc_free(old);
}

/* --- bookmarks ------------------------------------------------------------ */

void mapi_table_bookmarks_invalidate(struct mapi_table_private *priv)
{
	/* their ids aren't used again, so they aren't found any more */
	TALLOC_FREE(priv->bookmarks);
	priv->bookmark_count = 0;
}

enum mapi_error
mapi_table_bookmark_add(struct mapi_table_private *priv, uint64_t inst_id,
			uint16_t instance, uint32_t position, bool at_row,
			TALLOC_CTX *mem, const uint8_t **data_r, size_t *size_r)
{
	struct mapi_table_bookmark *bookmark;
	uint8_t *data;

	if (priv->bookmark_count >= MAX_BOOKMARKS)
		return EC_UNABLE_TO_COMPLETE;
	priv->bookmarks = talloc_realloc(priv, priv->bookmarks,
					 struct mapi_table_bookmark,
					 priv->bookmark_count + 1);
	bookmark = &priv->bookmarks[priv->bookmark_count++];
	i_zero(bookmark);
	bookmark->id = ++priv->last_bookmark_id;
	bookmark->position = position;
	bookmark->inst_id = inst_id;
	bookmark->instance = instance;
	bookmark->at_row = at_row;

	data = talloc_array(mem, uint8_t, BOOKMARK_SIZE);
	cpu32_to_le_unaligned(bookmark->id, data);
	*data_r = data;
	*size_r = BOOKMARK_SIZE;
	return EC_NONE;
}

static struct mapi_table_bookmark *
bookmark_find(struct mapi_table_private *priv, const uint8_t *data, size_t size)
{
	uint32_t id;
	unsigned int i;

	if (size != BOOKMARK_SIZE)
		return NULL;
	id = le32_to_cpu_unaligned(data);
	for (i = 0; i < priv->bookmark_count; i++) {
		if (priv->bookmarks[i].id == id)
			return &priv->bookmarks[i];
	}
	return NULL;
}

enum mapi_error
mapi_table_bookmark_resolve(struct mapi_table_private *priv,
			    const uint8_t *data, size_t size,
			    uint32_t *position_r, bool *gone_r)
{
	struct mapi_table_bookmark *bookmark;
	uint64_t inst_id;
	uint16_t instance;
	uint32_t idx;

	*gone_r = FALSE;
	bookmark = bookmark_find(priv, data, size);
	if (bookmark == NULL)
		return EC_INVALID_BOOKMARK;
	if (!bookmark->at_row) {
		*position_r = priv->visible_count;
		return EC_NONE;
	}
	if (bookmark->position < priv->visible_count) {
		mapi_table_row_identity(priv, bookmark->position,
					&inst_id, &instance);
		if (inst_id == bookmark->inst_id &&
		    instance == bookmark->instance) {
			*position_r = bookmark->position;
			return EC_NONE;
		}
	}
	if (!mapi_table_find_identity(priv, bookmark->inst_id,
				      bookmark->instance, &idx))
		*gone_r = TRUE;
	if (idx != UINT32_MAX)
		bookmark->position = idx;
	*position_r = bookmark->position;
	return EC_NONE;
}

enum mapi_error
mapi_table_create_bookmark(struct mapi_table *table, TALLOC_CTX *mem,
			   const uint8_t **data_r, size_t *size_r)
{
	struct mapi_table_private *priv = table->priv;
	uint64_t inst_id = 0;
	uint16_t instance = 0;
	bool at_row;
	enum mapi_error error;

	if (!mapi_table_can(priv, MAPI_TABLE_CAN_BOOKMARK))
		return EC_NOT_SUPPORTED;
	error = mapi_table_refresh(table);
	if (error != EC_NONE)
		return error;
	at_row = priv->position < priv->visible_count;
	if (at_row) {
		mapi_table_row_identity(priv, priv->position,
					&inst_id, &instance);
	}
	return mapi_table_bookmark_add(priv, inst_id, instance, priv->position,
				       at_row, mem, data_r, size_r);
}

enum mapi_error
mapi_table_free_bookmark(struct mapi_table *table,
			 const uint8_t *data, size_t size)
{
	struct mapi_table_private *priv = table->priv;
	struct mapi_table_bookmark *bookmark;

	if (!mapi_table_can(priv, MAPI_TABLE_CAN_BOOKMARK))
		return EC_NOT_SUPPORTED;
	if (priv->columns == NULL)
		return EC_NULL_OBJECT;
	bookmark = bookmark_find(priv, data, size);
	if (bookmark == NULL)
		return EC_INVALID_BOOKMARK;
	*bookmark = priv->bookmarks[--priv->bookmark_count];
	return EC_NONE;
}

/* --- the cursor ----------------------------------------------------------- */

static void
position_seek(struct mapi_table_private *priv, uint32_t from, int32_t rows,
	      bool *sought_less_r, int32_t *sought_r)
{
	int64_t position = (int64_t)from + rows;

	if (position < 0)
		position = 0;
	if (position > (int64_t)priv->visible_count)
		position = priv->visible_count;
	*sought_r = (int32_t)(position - (int64_t)from);
	*sought_less_r = *sought_r != rows;
	priv->position = (uint32_t)position;
}

enum mapi_error
mapi_table_origin(struct mapi_table_private *priv, uint8_t origin,
		  uint32_t *position_r)
{
	switch (origin) {
	case BOOKMARK_BEGINNING:
		*position_r = 0;
		return EC_NONE;
	case BOOKMARK_CURRENT:
		*position_r = priv->position;
		return EC_NONE;
	case BOOKMARK_END:
		*position_r = priv->visible_count;
		return EC_NONE;
	}
	return EC_INVALID_PARAM;
}

enum mapi_error
mapi_table_seek(struct mapi_table *table, uint8_t origin, int32_t rows,
		bool *sought_less_r, int32_t *sought_r)
{
	uint32_t from;
	enum mapi_error error;

	if (origin > BOOKMARK_END)
		return EC_INVALID_PARAM;
	error = mapi_table_refresh(table);
	if (error == EC_NONE)
		error = mapi_table_origin(table->priv, origin, &from);
	if (error != EC_NONE)
		return error;
	position_seek(table->priv, from, rows, sought_less_r, sought_r);
	return EC_NONE;
}

enum mapi_error
mapi_table_seek_bookmark(struct mapi_table *table,
			 const uint8_t *data, size_t size, int32_t rows,
			 bool *gone_r, bool *sought_less_r, int32_t *sought_r)
{
	struct mapi_table_private *priv = table->priv;
	uint32_t from;
	enum mapi_error error;

	if (!mapi_table_can(priv, MAPI_TABLE_CAN_BOOKMARK))
		return EC_NOT_SUPPORTED;
	if (priv->columns == NULL)
		return EC_NULL_OBJECT;
	error = mapi_table_refresh(table);
	if (error == EC_NONE) {
		error = mapi_table_bookmark_resolve(priv, data, size,
						    &from, gone_r);
	}
	if (error != EC_NONE)
		return error;
	position_seek(priv, from, rows, sought_less_r, sought_r);
	return EC_NONE;
}

enum mapi_error
mapi_table_seek_fractional(struct mapi_table *table, uint32_t numerator,
			   uint32_t denominator)
{
	struct mapi_table_private *priv = table->priv;
	enum mapi_error error;

	if (denominator == 0)
		return EC_INVALID_PARAM;
	error = mapi_table_refresh(table);
	if (error != EC_NONE)
		return error;
	if (numerator >= denominator)
		priv->position = priv->visible_count;
	else {
		priv->position = (uint64_t)numerator * priv->visible_count /
			denominator;
	}
	return EC_NONE;
}

enum mapi_error
mapi_table_query_position(struct mapi_table *table, uint32_t *position_r,
			  uint32_t *count_r)
{
	enum mapi_error error;

	error = mapi_table_refresh(table);
	if (error != EC_NONE)
		return error;
	*position_r = table->priv->position;
	*count_r = table->priv->visible_count;
	return EC_NONE;
}
