/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "mapi-table-flat.h"

static struct mapi_flat_source *flat_source(struct mapi_table_source *src)
{
	return container_of(src, struct mapi_flat_source, src);
}

uint32_t mapi_flat_count(struct mapi_table_source *src)
{
	return flat_source(src)->count;
}

bool mapi_flat_exists(struct mapi_table_source *src, uint32_t row)
{
	return row < flat_source(src)->count;
}

enum mapi_error
mapi_flat_list(struct mapi_table_source *src, TALLOC_CTX *mem,
	       const struct mapi_restriction *restriction,
	       uint32_t **rows_r, unsigned int *count_r, bool *exact_r)
{
	uint32_t i;

	*exact_r = FALSE;
	*count_r = flat_source(src)->count;
	*rows_r = talloc_array(mem, uint32_t, *count_r);
	for (i = 0; i < *count_r; i++)
		(*rows_r)[i] = i;
	return EC_NONE;
}

enum mapi_error mapi_flat_select(struct mapi_table_source *src, uint32_t row)
{
	flat_source(src)->selected = row;
	return mapi_flat_exists(src, row) ? EC_NONE : EC_NOT_FOUND;
}

void mapi_flat_end(struct mapi_table_source *src)
{
}

uint64_t mapi_flat_inst_id(struct mapi_table_source *src, uint32_t row)
{
	return (uint64_t)row << 16 | 1;
}

bool mapi_flat_inst_id_to_row(struct mapi_table_source *src, uint64_t inst_id,
			      uint32_t *row_r)
{
	*row_r = inst_id >> 16;
	return inst_id == mapi_flat_inst_id(src, *row_r);
}

bool mapi_flat_is_unread(struct mapi_table_source *src, uint32_t row)
{
	return FALSE;
}

int32_t mapi_flat_depth(struct mapi_table_source *src, uint32_t row)
{
	return 0;
}
