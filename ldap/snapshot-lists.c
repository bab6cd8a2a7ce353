/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Address lists: the global one, those that are always there, and the
   directory's containers. */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "snapshot-build-private.h"

#define LIST_NONE UINT32_MAX

struct list {
	struct snapshot_list_rec rec;
	const struct snapshot_chunk *chunk;
	/* indexes of lists */
	uint32_t parent, first_child, next_sibling;
	/* where the next row goes while they are filled in */
	uint32_t *next_row;
};

struct lists {
	const struct snapshot_builder *builder;
	/* the global one is first */
	ARRAY(struct list) lists;
	/* index + 1 by the container's DN */
	HASH_TABLE(const char *, void *) by_dn;
	/* in the order in which they are listed */
	ARRAY(uint32_t) order;
	/* the list of an object's own container, by slot */
	uint32_t *homes;
};

/* What is after the first comma of a normalised DN, NULL at the end */
static const char *dn_parent(const char *dn)
{
	for (; *dn != '\0'; dn++) {
		if (*dn == '\\' && dn[1] != '\0')
			dn++;
		else if (*dn == ',')
			return dn + 1;
	}
	return NULL;
}

static uint32_t lists_find_above(const struct lists *lists, const char *dn)
{
	void *value;

	while ((dn = dn_parent(dn)) != NULL) {
		value = hash_table_lookup(lists->by_dn, dn);
		if (value != NULL)
			return POINTER_CAST_TO(value, uint32_t) - 1;
	}
	return LIST_NONE;
}

static void
lists_add(struct lists *lists, uint32_t mid, const struct snapshot_chunk *chunk)
{
	struct list *list = array_append_space(&lists->lists);

	list->rec.mid = mid;
	list->rec.parent = SNAPSHOT_GAL;
	list->chunk = chunk;
	list->parent = list->first_child = list->next_sibling = LIST_NONE;
	if (chunk != NULL && chunk->builtin == 0) {
		hash_table_update(lists->by_dn,
				  snapshot_chunk_str(chunk, chunk->dn),
				  POINTER_CAST(array_count(&lists->lists)));
	}
}

/* Lists are added in the order of their names, so going backwards and putting
   each in front keeps that order among siblings. */
static void lists_make_tree(struct lists *lists)
{
	struct list *list, *parent;
	uint32_t i;

	for (i = array_count(&lists->lists); i-- > 0; ) {
		list = array_idx_modifiable(&lists->lists, i);
		if (list->chunk == NULL || list->chunk->builtin != 0)
			continue;
		list->parent = lists_find_above(lists,
			snapshot_chunk_str(list->chunk, list->chunk->dn));
		if (list->parent == LIST_NONE)
			continue;
		parent = array_idx_modifiable(&lists->lists, list->parent);
		list->rec.parent = parent->rec.mid;
		list->next_sibling = parent->first_child;
		parent->first_child = i;
		parent->rec.has_children = 1;
	}
}

static void lists_order_from(struct lists *lists, uint32_t idx, uint32_t depth)
{
	struct list *all = array_front_modifiable(&lists->lists);
	uint32_t child;

	array_push_back(&lists->order, &idx);
	all[idx].rec.depth = depth;
	/* as deep as DNs have parts, which their length bounds */
	for (child = all[idx].first_child; child != LIST_NONE;
	     child = all[child].next_sibling)
		lists_order_from(lists, child, depth + 1);
}

static uint32_t builtin_list_of(enum directory_kind kind)
{
	switch (kind) {
	case DIRECTORY_USER:
		return 1;
	case DIRECTORY_GROUP:
		return 2;
	case DIRECTORY_CONTACT:
		return 3;
	case DIRECTORY_ROOM:
	case DIRECTORY_EQUIPMENT:
		return 4;
	case DIRECTORY_CONTAINER:
	case DIRECTORY_KIND_COUNT:
		break;
	}
	return LIST_NONE;
}

static void lists_collect(struct lists *lists, const uint32_t *order,
			  uint64_t live)
{
	const struct snapshot_builder *builder = lists->builder;
	const struct snapshot_chunk *chunk;
	const struct list *all;
	unsigned int count;
	uint32_t slot;
	uint64_t i;

	lists_add(lists, SNAPSHOT_GAL, NULL);
	/* in the order of their slots, builtin_list_of() knows it */
	for (slot = 0; slot < builder->slots_count; slot++) {
		chunk = builder->slots[slot].chunk;
		if (chunk != NULL && chunk->builtin != 0)
			lists_add(lists, slot + SNAPSHOT_MID_FIRST, chunk);
	}
	for (i = 0; i < live; i++) {
		chunk = builder->slots[order[i]].chunk;
		if (chunk->kind == DIRECTORY_CONTAINER && chunk->builtin == 0)
			lists_add(lists, order[i] + SNAPSHOT_MID_FIRST, chunk);
	}
	lists_make_tree(lists);
	all = array_get(&lists->lists, &count);
	for (i = 0; i < count; i++) {
		if (all[i].parent == LIST_NONE)
			lists_order_from(lists, i, 0);
	}
}

/* Calls func for each list that the object is in. */
static void
lists_of_object(struct lists *lists, const struct snapshot_chunk *chunk,
		void (*func)(struct list *list, uint32_t slot))
{
	struct list *all = array_front_modifiable(&lists->lists);
	uint32_t idx;

	if (chunk->kind == DIRECTORY_CONTAINER)
		return;
	if ((chunk->hide & DIRECTORY_HIDE_FROM_GAL) == 0)
		func(&all[0], chunk->slot);
	if ((chunk->hide & DIRECTORY_HIDE_FROM_LISTS) != 0)
		return;
	func(&all[builtin_list_of(chunk->kind)], chunk->slot);
	for (idx = lists->homes[chunk->slot]; idx != LIST_NONE;
	     idx = all[idx].parent)
		func(&all[idx], chunk->slot);
}

static void list_count_row(struct list *list, uint32_t slot ATTR_UNUSED)
{
	list->rec.count++;
}

static void list_add_row(struct list *list, uint32_t slot)
{
	*list->next_row++ = slot;
}

static void
lists_fill(struct lists *lists, const uint32_t *order, uint64_t live,
	   struct snapshot_arrays *arrays)
{
	const struct snapshot_builder *builder = lists->builder;
	unsigned int locale, locales = builder->locales_count;
	uint64_t total = 0, i;
	uint32_t *rows;
	struct list *list;

	for (i = 0; i < live; i++) {
		lists_of_object(lists, builder->slots[order[i]].chunk,
				list_count_row);
	}
	array_foreach_modifiable(&lists->lists, list) {
		list->rec.rows = total;
		total += (uint64_t)list->rec.count * locales;
	}
	if (total >= UINT32_MAX)
		i_fatal("The directory's address lists are too large");
	rows = i_new(uint32_t, total + 1);
	for (locale = 0; locale < locales; locale++) {
		array_foreach_modifiable(&lists->lists, list) {
			list->next_row = rows + list->rec.rows +
				(uint64_t)locale * list->rec.count;
		}
		for (i = 0; i < live; i++) {
			lists_of_object(lists, builder->
				slots[order[locale * live + i]].chunk,
				list_add_row);
		}
	}
	arrays->sections[SNAPSHOT_ROWS].data = rows;
	arrays->sections[SNAPSHOT_ROWS].count = total;
}

void snapshot_arrays_make_lists(const struct snapshot_builder *builder,
				struct snapshot_arrays *arrays)
{
	const uint32_t *order = arrays->sections[SNAPSHOT_ORDER].data;
	uint64_t live = arrays->sections[SNAPSHOT_ORDER].count /
		builder->locales_count;
	const struct snapshot_chunk *chunk;
	struct snapshot_list_rec *recs;
	struct lists lists;
	const struct list *list;
	const uint32_t *idx;
	unsigned int i, count;
	uint32_t slot;

	i_zero(&lists);
	lists.builder = builder;
	i_array_init(&lists.lists, 64);
	i_array_init(&lists.order, 64);
	hash_table_create(&lists.by_dn, default_pool, 0, str_hash, strcmp);
	lists_collect(&lists, order, live);

	lists.homes = i_new(uint32_t, builder->slots_count + 1);
	for (slot = 0; slot < builder->slots_count; slot++) {
		chunk = builder->slots[slot].chunk;
		lists.homes[slot] = chunk == NULL ? LIST_NONE :
			lists_find_above(&lists,
				snapshot_chunk_str(chunk, chunk->dn));
	}
	lists_fill(&lists, order, live, arrays);

	count = array_count(&lists.order);
	recs = i_new(struct snapshot_list_rec, count);
	for (i = 0; i < count; i++) {
		idx = array_idx(&lists.order, i);
		list = array_idx(&lists.lists, *idx);
		recs[i] = list->rec;
	}
	arrays->sections[SNAPSHOT_LISTS].data = recs;
	arrays->sections[SNAPSHOT_LISTS].count = count;

	i_free(lists.homes);
	hash_table_destroy(&lists.by_dn);
	array_free(&lists.order);
	array_free(&lists.lists);
}
