/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NSPI_ROWS_H
#define NSPI_ROWS_H

/* Rows of responses */

#include "nspi-props.h"

/* How values are wanted according to a STAT and enum nspi_retrieve_flags */
void nspi_getter_init(struct nspi_getter *getter,
		      const struct nspi_context *ctx,
		      const struct mapihttp_stat *stat, uint32_t flags);

/* The columns that a request wants: its own, or those that it gets without any
   [MS-OXNSPI] 3.1.4.1.8. EC_TABLE_TOO_BIG if there are too many. */
enum mapi_error nspi_columns_get(const struct nspi_context *ctx, bool has,
				 const struct mapihttp_tag_array *req,
				 struct mapihttp_tag_array *columns_r);

/* Rows under construction */
struct nspi_rows {
	const struct nspi_getter *getter;
	const struct mapihttp_tag_array *columns;
	uint32_t count, max;
	size_t size;
	struct mapi_property_row *rows;
};
void nspi_rows_init(struct nspi_rows *rows, const struct nspi_getter *getter,
		    const struct mapihttp_tag_array *columns, uint32_t max);
/* Adds a row, without values if there's no such object. FALSE if there's no
   place for another one after it. */
bool nspi_rows_add(struct nspi_rows *rows, uint32_t mid);

#endif
