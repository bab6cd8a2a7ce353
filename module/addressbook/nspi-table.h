/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NSPI_TABLE_H
#define NSPI_TABLE_H

/* Tables of rows and positions in them, [MS-OXNSPI] 3.1.4.5. Everything here is
   O(1) or O(log n). */

#include "nspi.h"

struct nspi_table {
	/* no snapshot: no rows */
	bool empty;
	struct snapshot_table rows;
	uint32_t count;
};

/* Opens the address list that the STAT is about. EC_INVALID_BOOKMARK if there's
   no such container. */
enum mapi_error nspi_table_open(const struct nspi_context *ctx,
				const struct mapihttp_stat *stat,
				struct nspi_table *table_r);
/* idx < count */
uint32_t nspi_table_mid(const struct nspi_table *table, uint32_t idx);
/* FALSE if it isn't in the table */
bool nspi_table_find(const struct nspi_table *table, uint32_t mid,
		     uint32_t *idx_r);
/* The first row whose display name isn't before name; count if there's none */
uint32_t nspi_table_seek(const struct nspi_table *table, const char *name);

/* The row that CurrentRec and NumPos are at, without Delta: 0..count, 3.1.4.5.1
   and 3.1.4.5.2. EC_NOT_FOUND if CurrentRec isn't in the table. */
enum mapi_error nspi_table_locate(const struct nspi_table *table,
				  const struct mapihttp_stat *stat,
				  uint32_t *row_r);
/* Moves a row by Delta, staying within 0..count. */
uint32_t nspi_table_move(const struct nspi_table *table, uint32_t row,
			 int32_t delta);
/* Makes row the STAT's position, with a Delta of 0. */
void nspi_table_set_position(const struct nspi_table *table, uint32_t row,
			     struct mapihttp_stat *stat);

#endif
