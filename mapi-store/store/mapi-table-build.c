/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Making a table's rows: from the source's rows, the restriction leaves some
   out, multi-value instances multiply them, sorting orders them, categories
   put headings above them.

   Values that are sorted by are read once, are turned into sort keys, and are
   forgotten when the rows are in order: a table keeps 4 bytes for each row.
   When few rows have changed, they are put where binary search finds their
   place, for which a handful of other rows is read again. Tables with
   categories or instances are always built anew. */

#include "lib.h"
#include "buffer.h"
#include "mapi-table-private.h"

#include <stdlib.h>

/* values of a row that are longer than this aren't told apart */
#define MAX_KEY_VALUE_SIZE 510
/* A change of more than one row in that many isn't worth searching for the
   place of each. */
#define UPDATE_MAX_FRACTION 8
#define UPDATE_MIN_ROWS 16

struct table_build {
	struct mapi_table_private *priv;
	TALLOC_CTX *mem;
	/* for the values of one row */
	TALLOC_CTX *scratch;
	/* what to read: the sort columns, the extreme column, the multi-value
	   that is instanced */
	struct mapi_table_program *program;
	uint32_t *tags;
	struct mapi_value *values;
	unsigned int tag_count, extreme_idx, mv_idx;
	bool reading;
	/* rows are known to match the restriction */
	bool filtered;

	buffer_t *keys;
	struct mapi_table_sort_item *items;
	unsigned int item_count, item_alloc;
};

static void
build_init(struct table_build *build, struct mapi_table_private *priv)
{
	const struct mapi_table_sort *sort = priv->sort;
	unsigned int i;

	i_zero(build);
	build->priv = priv;
	build->mem = talloc_new(priv);
	build->scratch = talloc_pool(build->mem, 8192);
	build->keys = buffer_create_dynamic(default_pool, 4096);
	build->mv_idx = build->extreme_idx = UINT_MAX;

	build->tags = talloc_array(build->mem, uint32_t,
				   (sort == NULL ? 0 : sort->key_count) + 2);
	for (i = 0; sort != NULL && i < sort->key_count; i++) {
		if (sort->keys[i].instance)
			build->mv_idx = i;
		build->tags[build->tag_count++] = sort->keys[i].tag;
	}
	if (sort != NULL && sort->extreme_tag != 0) {
		build->extreme_idx = build->tag_count;
		build->tags[build->tag_count++] = sort->extreme_tag;
	}
	if (priv->mv_tag != 0 && build->mv_idx == UINT_MAX) {
		build->mv_idx = build->tag_count;
		build->tags[build->tag_count++] = priv->mv_tag;
	}
	build->values = talloc_zero_array(build->mem, struct mapi_value,
					  I_MAX(build->tag_count, 1));
	if (build->tag_count > 0) {
		build->program = priv->src->v->compile(priv->src, build->mem,
						       build->tags,
						       build->tag_count);
	}
}

static enum mapi_error build_begin(struct table_build *build)
{
	struct mapi_table_program *const *filter_programs = NULL;
	struct mapi_table_program **programs;
	struct mapi_table_private *priv = build->priv;
	unsigned int count = 0;
	enum mapi_error error;

	if (priv->filter != NULL) {
		mapi_table_filter_reset(priv->filter);
		filter_programs = mapi_table_filter_programs(priv->filter,
							     &count);
	}
	programs = talloc_array(build->mem, struct mapi_table_program *,
				count + 1);
	if (count > 0)
		memcpy(programs, filter_programs, count * sizeof(*programs));
	if (build->program != NULL)
		programs[count++] = build->program;
	error = priv->src->v->begin(priv->src, programs, count);
	build->reading = error == EC_NONE;
	return error;
}

static void build_deinit(struct table_build *build)
{
	if (build->reading)
		build->priv->src->v->end(build->priv->src);
	buffer_free(&build->keys);
	talloc_free(build->mem);
}

/* Reads the values of the selected row. */
static enum mapi_error build_read(struct table_build *build)
{
	struct mapi_table_source *src = build->priv->src;
	unsigned int i;

	if (src->v->get_number != NULL) {
		for (i = 0; i < build->tag_count; i++) {
			if (!src->v->get_number(src, build->tags[i],
						&build->values[i]))
				break;
		}
		if (i == build->tag_count)
			return EC_NONE;
	}
	talloc_free_children(build->scratch);
	return src->v->get(src, build->program, build->scratch,
			   MAX_KEY_VALUE_SIZE, build->values);
}

/* Adds an item for one instance of the row that has been read. */
static void
build_add_item(struct table_build *build, uint32_t row, unsigned int instance)
{
	const struct mapi_table_sort *sort = build->priv->sort;
	struct mapi_table_sort_item *item;
	struct mapi_value element;
	unsigned int i;

	if (build->item_count == build->item_alloc) {
		build->item_alloc = I_MAX(64, build->item_alloc * 2);
		build->items = talloc_realloc(build->mem, build->items,
					      struct mapi_table_sort_item,
					      build->item_alloc);
	}
	item = &build->items[build->item_count++];
	i_zero(item);
	item->row = row;
	item->instance = instance;
	item->key_offset = build->keys->used;
	for (i = 0; sort != NULL && i < sort->key_count; i++) {
		const struct mapi_value *value = &build->values[i];

		if (sort->keys[i].instance) {
			value = mapi_table_mv_element(value, instance,
						      &element) ?
				&element : NULL;
		}
		mapi_sort_key_append(build->keys, value,
				     sort->keys[i].descending);
	}
	item->key_len = build->keys->used - item->key_offset;
	item->extreme_offset = build->keys->used;
	if (build->extreme_idx != UINT_MAX) {
		mapi_sort_key_append(build->keys,
			&build->values[build->extreme_idx],
			sort->keys[sort->category_count - 1].descending);
	}
	item->extreme_len = build->keys->used - item->extreme_offset;
}

/* Adds the row's items, if it matches the restriction. */
static enum mapi_error build_add_row(struct table_build *build, uint32_t row)
{
	struct mapi_table_private *priv = build->priv;
	unsigned int i, count = 1;
	enum mapi_error error;
	bool match = TRUE;

	error = priv->src->v->select(priv->src, row);
	if (error == EC_NONE && priv->filter != NULL && !build->filtered)
		error = mapi_table_filter_match(priv->filter, row, &match);
	if (error == EC_NONE && match && build->program != NULL)
		error = build_read(build);
	if (error == EC_NOT_FOUND || error == EC_OBJECT_DELETED) {
		/* it will be noticed to have vanished */
		return EC_NONE;
	}
	if (error != EC_NONE || !match)
		return error;

	if (priv->mv_tag != 0) {
		count = mapi_table_mv_count(&build->values[build->mv_idx]);
		count = I_MAX(count, 1);
		count = I_MIN(count, UINT16_MAX);
	}
	for (i = 0; i < count; i++)
		build_add_item(build, row, i);
	/* offsets have 32 bits */
	return build->keys->used > UINT32_MAX / 2 ? EC_TABLE_TOO_BIG : EC_NONE;
}

/* Rows that are equal come in the direction of the last column, so that of
   messages that came in the same second the newest is on top in a list that
   has the newest on top. */
static bool rows_descending(const struct mapi_table_private *priv)
{
	return priv->sort != NULL && priv->sort->key_count > 0 &&
		priv->sort->keys[priv->sort->key_count - 1].descending;
}

static void build_sort(struct table_build *build)
{
	const unsigned char *keys = build->keys->data;
	unsigned int i;

	for (i = 0; i < build->item_count; i++)
		mapi_table_sort_item_init(&build->items[i], keys);
	mapi_table_sort_items(build->items, build->item_count, keys,
			      rows_descending(build->priv));
}

static void build_finish(struct table_build *build)
{
	struct mapi_table_private *priv = build->priv;
	unsigned int i;

	if (priv->sort != NULL)
		build_sort(build);
	mapi_table_categories_build(priv, build->items, build->item_count,
				    build->keys->data);

	priv->leaves = talloc_array(priv, uint32_t, build->item_count);
	priv->leaf_count = build->item_count;
	for (i = 0; i < build->item_count; i++)
		priv->leaves[i] = build->items[i].row;
	if (priv->mv_tag == 0)
		return;
	priv->instances = talloc_array(priv, uint16_t, build->item_count);
	for (i = 0; i < build->item_count; i++)
		priv->instances[i] = build->items[i].instance;
}

enum mapi_error mapi_table_build(struct mapi_table_private *priv)
{
	struct table_build build;
	uint32_t *rows;
	unsigned int i, count;
	enum mapi_error error;

	i_assert(priv->leaves == NULL && priv->categories == NULL);

	priv->mv_tag = 0;
	if (priv->sort != NULL && priv->sort->mv_tag != 0)
		priv->mv_tag = priv->sort->mv_tag;
	else if (priv->columns != NULL)
		priv->mv_tag = priv->columns->mv_tag;

	build_init(&build, priv);
	error = priv->src->v->list(priv->src, build.mem, priv->filter == NULL ?
			NULL : mapi_table_filter_restriction(priv->filter),
			&rows, &count, &build.filtered);
	if (error == EC_NONE && build.program == NULL &&
	    (priv->filter == NULL || build.filtered)) {
		/* nothing needs to be known of the rows */
		priv->leaves = talloc_steal(priv, rows);
		priv->leaf_count = count;
	} else if (error == EC_NONE) {
		error = build_begin(&build);
		for (i = 0; i < count && error == EC_NONE; i++)
			error = build_add_row(&build, rows[i]);
		if (error == EC_NONE)
			build_finish(&build);
	}
	build_deinit(&build);
	if (error == EC_NONE)
		mapi_table_visible_build(priv);
	return error;
}

/* --- small changes -------------------------------------------------------- */

static int uint32_cmp(const void *_a, const void *_b)
{
	const uint32_t *a = _a, *b = _b;

	return *a == *b ? 0 : (*a < *b ? -1 : 1);
}

/* Compares an item with a row that is already in its place. */
static enum mapi_error
update_cmp(struct table_build *build, const struct mapi_table_sort_item *item,
	   uint32_t row, int *cmp_r)
{
	struct mapi_table_private *priv = build->priv;
	unsigned int item_count = build->item_count;
	size_t keys_used = build->keys->used;
	struct mapi_table_sort_item key = *item, other;
	enum mapi_error error;

	if (priv->sort == NULL) {
		*cmp_r = item->row < row ? -1 : 1;
		return EC_NONE;
	}
	error = priv->src->v->select(priv->src, row);
	if (error == EC_NONE)
		error = build_read(build);
	if (error != EC_NONE)
		return error;
	build_add_item(build, row, 0);
	other = build->items[item_count];
	mapi_table_sort_item_init(&other, build->keys->data);
	*cmp_r = mapi_table_sort_item_cmp(&key, &other, build->keys->data,
					  rows_descending(priv));
	/* forget it again */
	build->item_count = item_count;
	buffer_set_used_size(build->keys, keys_used);
	return EC_NONE;
}

/* Finds where in the rows that stay each new item belongs, and merges. */
static enum mapi_error
update_merge(struct table_build *build, const uint32_t *rows,
	     unsigned int count)
{
	struct mapi_table_private *priv = build->priv;
	unsigned int i, left = 0, right, mid, copied = 0;
	enum mapi_error error = EC_NONE;
	int cmp;

	priv->leaves = talloc_array(priv, uint32_t, count + build->item_count);
	for (i = 0; i < build->item_count; i++) {
		/* items are sorted: the next one is after this one */
		for (right = count; left < right; ) {
			mid = left + (right - left) / 2;
			error = update_cmp(build, &build->items[i], rows[mid],
					   &cmp);
			if (error != EC_NONE)
				return error;
			if (cmp < 0)
				right = mid;
			else
				left = mid + 1;
		}
		if (left > copied) {
			memcpy(priv->leaves + priv->leaf_count, rows + copied,
			       (left - copied) * sizeof(*rows));
		}
		priv->leaf_count += left - copied;
		copied = left;
		priv->leaves[priv->leaf_count++] = build->items[i].row;
	}
	if (count > copied) {
		memcpy(priv->leaves + priv->leaf_count, rows + copied,
		       (count - copied) * sizeof(*rows));
	}
	priv->leaf_count += count - copied;
	return EC_NONE;
}

static enum mapi_error
update_rows(struct table_build *build, const struct mapi_table_marks *marks,
	    const struct mapi_table_changes *changes)
{
	struct mapi_table_private *priv = build->priv;
	const uint32_t *old, *touched;
	uint32_t *rows, old_count, i;
	unsigned int count = 0;
	enum mapi_error error;
	bool *known, stay;

	/* rows that are modified stay where they are if nothing that decides
	   on it can change */
	stay = priv->filter == NULL &&
		(priv->sort == NULL || priv->sort->constant);
	known = talloc_zero_array(build->mem, bool,
				  I_MAX(changes->touched_count, 1));

	old = mapi_table_marks_leaves(marks, &old_count);
	rows = talloc_array(build->mem, uint32_t, I_MAX(old_count, 1));
	for (i = 0; i < old_count; i++) {
		if (changes->vanished &&
		    !priv->src->v->exists(priv->src, old[i]))
			continue;
		touched = changes->touched_count == 0 ? NULL :
			bsearch(&old[i], changes->touched,
				changes->touched_count, sizeof(old[i]),
				uint32_cmp);
		if (touched != NULL) {
			if (!stay)
				continue;
			known[touched - changes->touched] = TRUE;
		}
		rows[count++] = old[i];
	}

	error = build_begin(build);
	for (i = 0; i < changes->touched_count && error == EC_NONE; i++) {
		if (!known[i])
			error = build_add_row(build, changes->touched[i]);
	}
	if (error != EC_NONE)
		return error;
	build_sort(build);
	return update_merge(build, rows, count);
}

enum mapi_error
mapi_table_update(struct mapi_table_private *priv,
		  const struct mapi_table_marks *marks,
		  const struct mapi_table_changes *changes)
{
	struct table_build build;
	uint32_t old_count;
	enum mapi_error error;

	(void)mapi_table_marks_leaves(marks, &old_count);
	if (changes->all || priv->mv_tag != 0 ||
	    (priv->sort != NULL && priv->sort->category_count > 0) ||
	    (priv->filter != NULL && mapi_table_filter_counts(priv->filter)) ||
	    changes->touched_count >
	    old_count / UPDATE_MAX_FRACTION + UPDATE_MIN_ROWS)
		return mapi_table_build(priv);

	build_init(&build, priv);
	error = update_rows(&build, marks, changes);
	build_deinit(&build);
	if (error == EC_NOT_FOUND || error == EC_OBJECT_DELETED) {
		/* rows to compare with are just vanishing */
		TALLOC_FREE(priv->leaves);
		priv->leaf_count = 0;
		return mapi_table_build(priv);
	}
	if (error == EC_NONE)
		mapi_table_visible_build(priv);
	return error;
}
