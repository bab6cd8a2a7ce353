/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "nspi-table.h"

enum mapi_error nspi_table_open(const struct nspi_context *ctx,
				const struct mapihttp_stat *stat,
				struct nspi_table *table_r)
{
	i_zero(table_r);
	if (ctx->snapshot == NULL) {
		table_r->empty = TRUE;
		return stat->container_id == SNAPSHOT_GAL ? EC_NONE :
			EC_INVALID_BOOKMARK;
	}
	if (!snapshot_table_open(ctx->snapshot, stat->container_id,
				 stat->sort_locale, &table_r->rows))
		return EC_INVALID_BOOKMARK;
	table_r->count = table_r->rows.count;
	return EC_NONE;
}

uint32_t nspi_table_mid(const struct nspi_table *table, uint32_t idx)
{
	i_assert(idx < table->count);
	return snapshot_table_mid(&table->rows, idx);
}

bool nspi_table_find(const struct nspi_table *table, uint32_t mid,
		     uint32_t *idx_r)
{
	return !table->empty &&
		snapshot_table_find(&table->rows, mid, idx_r);
}

uint32_t nspi_table_seek(const struct nspi_table *table, const char *name)
{
	return table->empty ? 0 : snapshot_table_seek(&table->rows, name);
}

/* The client has seen a table of TotalRecs rows, which may have more or less of
   them now. One that hasn't seen any yet means the row itself. */
static uint32_t
nspi_table_locate_fraction(const struct nspi_table *table,
			   const struct mapihttp_stat *stat)
{
	uint64_t row = stat->num_pos;

	if (stat->total_recs != 0)
		row = row * table->count / stat->total_recs;
	return I_MIN(row, table->count);
}

enum mapi_error nspi_table_locate(const struct nspi_table *table,
				  const struct mapihttp_stat *stat,
				  uint32_t *row_r)
{
	switch (stat->current_rec) {
	case NSPI_MID_BEGINNING_OF_TABLE:
		*row_r = 0;
		return EC_NONE;
	case NSPI_MID_CURRENT:
		*row_r = nspi_table_locate_fraction(table, stat);
		return EC_NONE;
	case NSPI_MID_END_OF_TABLE:
		*row_r = table->count;
		return EC_NONE;
	}
	return nspi_table_find(table, stat->current_rec, row_r) ?
		EC_NONE : EC_NOT_FOUND;
}

uint32_t nspi_table_move(const struct nspi_table *table, uint32_t row,
			 int32_t delta)
{
	int64_t moved = (int64_t)row + delta;

	if (moved < 0)
		return 0;
	return I_MIN(moved, (int64_t)table->count);
}

void nspi_table_set_position(const struct nspi_table *table, uint32_t row,
			     struct mapihttp_stat *stat)
{
	stat->current_rec = row >= table->count ? NSPI_MID_END_OF_TABLE :
		nspi_table_mid(table, row);
	stat->num_pos = row;
	stat->total_recs = table->count;
	stat->delta = 0;
}
