/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "snapshot-format.h"

/* Rows are ordered by rank, an object's place in the order of all of a locale,
   so where a row is is found by comparing numbers. */

static uint32_t
snapshot_rank(const struct snapshot *snapshot, unsigned int locale,
	      uint32_t slot)
{
	const uint32_t *ranks = snapshot_section(snapshot, SNAPSHOT_RANKS);
	uint64_t slots = snapshot_count(snapshot, SNAPSHOT_SLOTS);

	return slot < slots ? ranks[locale * slots + slot] : UINT32_MAX;
}

unsigned int snapshot_lists_count(const struct snapshot *snapshot)
{
	return snapshot_count(snapshot, SNAPSHOT_LISTS);
}

void snapshot_list_get(const struct snapshot *snapshot, unsigned int idx,
		       struct snapshot_list *list_r)
{
	const struct snapshot_list_rec *recs =
		snapshot_section(snapshot, SNAPSHOT_LISTS);
	struct snapshot_object object;

	i_assert(idx < snapshot_lists_count(snapshot));
	i_zero(list_r);
	list_r->mid = recs[idx].mid;
	list_r->parent = recs[idx].parent;
	list_r->depth = recs[idx].depth;
	list_r->has_children = recs[idx].has_children != 0;
	list_r->count = recs[idx].count;
	list_r->name = list_r->mid != SNAPSHOT_GAL &&
		snapshot_get(snapshot, list_r->mid, &object) ?
		object.display_name : "";
}

bool snapshot_table_open(const struct snapshot *snapshot, uint32_t container,
			 uint32_t lcid, struct snapshot_table *table_r)
{
	const struct snapshot_list_rec *recs =
		snapshot_section(snapshot, SNAPSHOT_LISTS);
	const uint32_t *rows = snapshot_section(snapshot, SNAPSHOT_ROWS);
	uint64_t rows_count = snapshot_count(snapshot, SNAPSHOT_ROWS);
	unsigned int i, count = snapshot_lists_count(snapshot);

	i_zero(table_r);
	for (i = 0; i < count; i++) {
		if (recs[i].mid == container)
			break;
	}
	if (i == count)
		return FALSE;
	table_r->snapshot = snapshot;
	table_r->locale = snapshot_locale(snapshot, lcid);
	if ((uint64_t)recs[i].rows + (uint64_t)recs[i].count *
	    snapshot->header->locales_count <= rows_count) {
		table_r->count = recs[i].count;
		table_r->rows = rows + recs[i].rows +
			(uint64_t)table_r->locale * recs[i].count;
	}
	return TRUE;
}

uint32_t snapshot_table_mid(const struct snapshot_table *table, uint32_t idx)
{
	const uint32_t *rows = table->rows;

	i_assert(idx < table->count);
	return rows[idx] + SNAPSHOT_MID_FIRST;
}

bool snapshot_table_find(const struct snapshot_table *table, uint32_t mid,
			 uint32_t *idx_r)
{
	const uint32_t *rows = table->rows;
	uint32_t left = 0, right = table->count, idx, rank;

	if (mid < SNAPSHOT_MID_FIRST)
		return FALSE;
	rank = snapshot_rank(table->snapshot, table->locale,
			     mid - SNAPSHOT_MID_FIRST);
	while (left < right) {
		idx = left + (right - left) / 2;
		if (snapshot_rank(table->snapshot, table->locale,
				  rows[idx]) < rank)
			left = idx + 1;
		else
			right = idx;
	}
	*idx_r = left;
	return left < table->count && rows[left] == mid - SNAPSHOT_MID_FIRST;
}

static const char *
snapshot_slot_name(const struct snapshot *snapshot, uint32_t slot)
{
	const struct snapshot_chunk *chunk = snapshot_chunk_get(snapshot, slot);

	return chunk == NULL ? "" :
		snapshot_chunk_str(chunk, chunk->display_name);
}

uint32_t snapshot_table_seek(const struct snapshot_table *table,
			     const char *name)
{
	const uint32_t *rows = table->rows;
	struct UCollator *coll;
	uint32_t left = 0, right = table->count, idx;

	if (table->count == 0)
		return 0;
	coll = snapshot_collator(table->snapshot, table->locale);
	while (left < right) {
		idx = left + (right - left) / 2;
		if (snapshot_collate(coll,
				     snapshot_slot_name(table->snapshot,
							rows[idx]), name) < 0)
			left = idx + 1;
		else
			right = idx;
	}
	return left;
}

struct snapshot_ranked {
	uint32_t rank, mid;
};

static int snapshot_ranked_cmp(const void *_a, const void *_b)
{
	const struct snapshot_ranked *a = _a, *b = _b;

	return a->rank < b->rank ? -1 : (a->rank > b->rank ? 1 : 0);
}

unsigned int snapshot_sort(const struct snapshot *snapshot, uint32_t lcid,
			   uint32_t *mids, unsigned int count)
{
	unsigned int i, to = 0, locale = snapshot_locale(snapshot, lcid);
	struct snapshot_ranked *ranked;

	if (count == 0)
		return 0;
	ranked = i_new(struct snapshot_ranked, count);
	for (i = 0; i < count; i++) {
		if (mids[i] < SNAPSHOT_MID_FIRST ||
		    snapshot_chunk_get(snapshot,
				mids[i] - SNAPSHOT_MID_FIRST) == NULL)
			continue;
		ranked[to].mid = mids[i];
		ranked[to++].rank = snapshot_rank(snapshot, locale,
						mids[i] - SNAPSHOT_MID_FIRST);
	}
	qsort(ranked, to, sizeof(*ranked), snapshot_ranked_cmp);
	for (i = 0; i < to; i++)
		mids[i] = ranked[i].mid;
	i_free(ranked);
	return to;
}
