/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Categories, [MS-OXCTABL] 2.2.2.3.1: a heading row above each run of rows
   with equal values in the first CategoryCount sort columns.

   priv->categories has all headings in preorder: a category is followed by
   those within it, and .next is the index of the first one that isn't. Its
   leaves are contiguous in priv->leaves whatever its level. Which of all these
   rows can be seen is priv->visible, made anew whenever a category opens or
   closes.

   A category's id is a hash of the sort order, the level and the values of
   its columns. So it's the same in every table that is sorted in the same way,
   which is what makes a collapse state portable from one table to another;
   and its low 16 bits, where ids of messages and folders have their replica
   id, are 0. */

#define _GNU_SOURCE /* qsort_r() */
#include "lib.h"
#include "mapi-table-private.h"

#include <stdlib.h>

struct category_group {
	/* items of one innermost category */
	uint32_t first, count;
	/* index of the group with which the category around it starts */
	uint32_t parent;
	/* the item with the extreme value */
	uint32_t extreme;
};

struct category_context {
	struct mapi_table_private *priv;
	struct mapi_table_sort_item *items;
	unsigned int count;
	const unsigned char *keys;
};

static uint64_t fnv1a(uint64_t hash, const void *_data, size_t size)
{
	const unsigned char *data = _data;
	size_t i;

	for (i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 0x100000001b3ULL;
	return hash;
}

static uint64_t
category_id(const struct mapi_table_sort *sort, unsigned int level,
	    const unsigned char *key, size_t len)
{
	uint64_t id = fnv1a(sort->hash, &level, sizeof(level));

	id = fnv1a(id, key, len);
	/* all bits of the hash take part */
	id ^= id << 24;
	id &= ~0xffffULL;
	return id == 0 ? 0x10000 : id;
}

/* How many bytes of the item's key the first levels category columns take. */
static uint32_t
category_key_len(const struct category_context *ctx,
		 const struct mapi_table_sort_item *item, unsigned int levels)
{
	const struct mapi_table_sort *sort = ctx->priv->sort;
	uint32_t pos = 0;
	unsigned int i;

	for (i = 0; i < levels; i++) {
		pos += mapi_sort_key_part_len(ctx->keys + item->key_offset +
					      pos, item->key_len - pos,
					      sort->keys[i].descending);
	}
	return pos;
}

/* TRUE if both are in the same category of the given level. */
static bool
category_equal(const struct category_context *ctx,
	       const struct mapi_table_sort_item *a,
	       const struct mapi_table_sort_item *b, unsigned int levels)
{
	uint32_t len = category_key_len(ctx, a, levels);

	/* parts aren't prefixes of others: if that many bytes are equal, so
	   is the length of the same parts of b */
	return len <= b->key_len &&
		memcmp(ctx->keys + a->key_offset,
		       ctx->keys + b->key_offset, len) == 0;
}

static int
extreme_cmp(const struct category_context *ctx,
	    const struct mapi_table_sort_item *a,
	    const struct mapi_table_sort_item *b)
{
	return memcmp(ctx->keys + a->extreme_offset,
		      ctx->keys + b->extreme_offset,
		      I_MIN(a->extreme_len, b->extreme_len));
}

static int category_group_cmp(const void *_a, const void *_b, void *_ctx)
{
	const struct category_group *a = _a, *b = _b;
	const struct category_context *ctx = _ctx;
	int ret;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	ret = extreme_cmp(ctx, &ctx->items[a->extreme],
			  &ctx->items[b->extreme]);
	if (ret != 0)
		return ret;
	return a->first < b->first ? -1 : 1;
}

/* The extreme columns are encoded in the direction in which categories are
   ordered by them. */
static bool extreme_is_last(const struct mapi_table_sort *sort)
{
	return sort->keys[sort->category_count - 1].descending ==
		sort->extreme_minimum;
}

/* Reorders the innermost categories by their extreme values. */
static void categories_order_by_extreme(struct category_context *ctx)
{
	const struct mapi_table_sort *sort = ctx->priv->sort;
	struct mapi_table_sort_item *ordered;
	struct category_group *groups;
	unsigned int i, group_count = 0, pos = 0;
	bool last = extreme_is_last(sort);
	int cmp;

	groups = talloc_array(NULL, struct category_group, ctx->count);
	for (i = 0; i < ctx->count; i++) {
		struct category_group *group;

		if (i > 0 && category_equal(ctx, &ctx->items[i - 1],
					    &ctx->items[i],
					    sort->category_count)) {
			group = &groups[group_count - 1];
			group->count++;
			cmp = extreme_cmp(ctx, &ctx->items[i],
					  &ctx->items[group->extreme]);
			if (last ? cmp > 0 : cmp < 0)
				group->extreme = i;
			continue;
		}
		group = &groups[group_count];
		group->first = group->extreme = i;
		group->count = 1;
		if (i > 0 && category_equal(ctx, &ctx->items[i - 1],
					    &ctx->items[i],
					    sort->category_count - 1))
			group->parent = groups[group_count - 1].parent;
		else
			group->parent = group_count;
		group_count++;
	}
	qsort_r(groups, group_count, sizeof(*groups), category_group_cmp, ctx);

	ordered = talloc_array(groups, struct mapi_table_sort_item, ctx->count);
	for (i = 0; i < group_count; i++) {
		memcpy(ordered + pos, ctx->items + groups[i].first,
		       groups[i].count * sizeof(*ordered));
		pos += groups[i].count;
	}
	memcpy(ctx->items, ordered, ctx->count * sizeof(*ordered));
	talloc_free(groups);
}

static int uint64_cmp(const void *_a, const void *_b)
{
	const uint64_t *a = _a, *b = _b;

	return *a == *b ? 0 : (*a < *b ? -1 : 1);
}

static bool category_is_expanded(struct mapi_table_private *priv,
				 const struct mapi_table_category *category)
{
	bool expanded = category->level < priv->sort->expanded_count;

	if (priv->toggled_count > 0 &&
	    bsearch(&category->id, priv->toggled, priv->toggled_count,
		    sizeof(category->id), uint64_cmp) != NULL)
		expanded = !expanded;
	return expanded;
}

void mapi_table_categories_expand(struct mapi_table_private *priv)
{
	uint32_t i;

	for (i = 0; i < priv->category_count; i++) {
		priv->categories[i].expanded =
			category_is_expanded(priv, &priv->categories[i]);
	}
}

static void
categories_set_extremes(struct category_context *ctx)
{
	struct mapi_table_private *priv = ctx->priv;
	bool last = extreme_is_last(priv->sort);
	uint32_t i, j;
	int cmp;

	for (i = 0; i < priv->category_count; i++) {
		struct mapi_table_category *category = &priv->categories[i];

		for (j = 1; j < category->leaf_count; j++) {
			uint32_t leaf = category->first_leaf + j;

			cmp = extreme_cmp(ctx, &ctx->items[leaf],
					  &ctx->items[category->extreme_leaf]);
			if (last ? cmp > 0 : cmp < 0)
				category->extreme_leaf = leaf;
		}
	}
}

void mapi_table_categories_build(struct mapi_table_private *priv,
				 struct mapi_table_sort_item *items,
				 unsigned int count, const unsigned char *keys)
{
	const struct mapi_table_sort *sort = priv->sort;
	struct category_context ctx = {
		.priv = priv,
		.items = items,
		.count = count,
		.keys = keys,
	};
	uint32_t *open, alloc = 0;
	unsigned int i, j, level;

	TALLOC_FREE(priv->categories);
	priv->category_count = 0;
	if (sort == NULL || sort->category_count == 0)
		return;

	if (sort->extreme_tag != 0 && count > 0)
		categories_order_by_extreme(&ctx);

	open = talloc_array(NULL, uint32_t, sort->category_count);
	for (i = 0; i < count; i++) {
		level = 0;
		if (i > 0) {
			while (level < sort->category_count &&
			       category_equal(&ctx, &items[i - 1], &items[i],
					      level + 1))
				level++;
		}
		for (j = 0; j < level; j++)
			priv->categories[open[j]].leaf_count++;
		/* those that were open on the other levels end here */
		for (j = level; i > 0 && j < sort->category_count; j++)
			priv->categories[open[j]].next = priv->category_count;
		for (; level < sort->category_count; level++) {
			struct mapi_table_category *category;

			if (priv->category_count == alloc) {
				alloc = alloc == 0 ? 64 : alloc * 2;
				priv->categories = talloc_realloc(priv,
					priv->categories,
					struct mapi_table_category, alloc);
			}
			open[level] = priv->category_count++;
			category = &priv->categories[open[level]];
			i_zero(category);
			category->level = level;
			category->first_leaf = i;
			category->extreme_leaf = i;
			category->leaf_count = 1;
			category->id = category_id(sort, level,
				keys + items[i].key_offset,
				category_key_len(&ctx, &items[i], level + 1));
			category->expanded =
				category_is_expanded(priv, category);
		}
	}
	if (count > 0) {
		for (level = 0; level < sort->category_count; level++) {
			priv->categories[open[level]].next =
				priv->category_count;
		}
	}
	talloc_free(open);
	if (sort->extreme_tag != 0)
		categories_set_extremes(&ctx);
}

void mapi_table_visible_build(struct mapi_table_private *priv)
{
	uint32_t i, j, count = 0;

	TALLOC_FREE(priv->visible);
	if (priv->sort == NULL || priv->sort->category_count == 0) {
		priv->visible_count = priv->leaf_count;
		return;
	}
	/* at most */
	priv->visible = talloc_array(priv, uint32_t,
				     priv->category_count + priv->leaf_count);
	for (i = 0; i < priv->category_count; ) {
		struct mapi_table_category *category = &priv->categories[i];

		priv->visible[count++] = i | MAPI_TABLE_HEADING;
		if (!category->expanded) {
			i = category->next;
			continue;
		}
		if (category->level + 1U == priv->sort->category_count) {
			for (j = 0; j < category->leaf_count; j++)
				priv->visible[count++] =
					category->first_leaf + j;
		}
		i++;
	}
	priv->visible_count = count;
}
