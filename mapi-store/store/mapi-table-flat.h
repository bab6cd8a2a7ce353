/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_TABLE_FLAT_H
#define MAPI_TABLE_FLAT_H

/* For sources of tables whose rows are numbered 0 to count - 1, all of which are
   there, as are those of a list in memory. The functions are vfuncs of such a
   source, of which struct mapi_flat_source is the first member; sync() and get()
   are its own. Those that take any source have its type. */

#include "mapi-table-private.h"

struct mapi_flat_source {
	struct mapi_table_source src;
	uint32_t count;
	/* what get() is to read */
	uint32_t selected;
};

uint32_t mapi_flat_count(struct mapi_table_source *src);
bool mapi_flat_exists(struct mapi_table_source *src, uint32_t row);
enum mapi_error
mapi_flat_list(struct mapi_table_source *src, TALLOC_CTX *mem,
	       const struct mapi_restriction *restriction,
	       uint32_t **rows_r, unsigned int *count_r, bool *exact_r);
enum mapi_error mapi_flat_select(struct mapi_table_source *src, uint32_t row);
void mapi_flat_end(struct mapi_table_source *src);

/* For any source of which the rows aren't messages or folders */
uint64_t mapi_flat_inst_id(struct mapi_table_source *src, uint32_t row);
bool mapi_flat_inst_id_to_row(struct mapi_table_source *src, uint64_t inst_id,
			      uint32_t *row_r);
bool mapi_flat_is_unread(struct mapi_table_source *src, uint32_t row);
int32_t mapi_flat_depth(struct mapi_table_source *src, uint32_t row);

#endif
