/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tables: rows and categories, [MS-OXCTABL] 2.2.2.5, 2.2.2.14, 2.2.2.17 -
   2.2.2.20. As many rows are sent as fit into the response. */

#include "lib.h"
#include "rop-handlers.h"
#include "mapi-object-props.h"
#include "mapi-store.h"
#include "mapi-table.h"
#include "rop-table.h"

/* enough for a page of Outlook's usual columns */
#define ROWS_POOL_SIZE (32 * 1024)

/* [MS-OXCTABL] 2.2.2.5.1 */
#define QUERY_ROWS_FLAGS \
	(QUERY_ROWS_NO_ADVANCE | QUERY_ROWS_ENABLE_PACKED_BUFFERS)

struct rop_rows {
	TALLOC_CTX *mem;
	struct mapi_props_options options;
	struct mapi_property_row *rows;
	unsigned int count, alloc;
	size_t space_left;
	/* of the first row, if it didn't fit */
	size_t size_needed;
};

static void
rop_rows_init(struct rop_rows *rows, struct rop_context *ctx,
	      size_t response_size)
{
	i_zero(rows);
	/* one allocation for all the small values */
	rows->mem = talloc_pool(ctx->mem, ROWS_POOL_SIZE);
	rows->options.max_size = SIZE_MAX;
	rows->options.code_page = ctx->logon->code_page;
	rows->options.unicode = TRUE;
	response_size += ROP_RESPONSE_HEADER_SIZE;
	rows->space_left = ctx->response_space < response_size ? 0 :
		ctx->response_space - response_size;
}

/* Strings as the columns want them. */
static void
rop_row_convert(struct rop_rows *rows, struct mapi_property_row *row)
{
	uint32_t i;

	for (i = 0; i < row->count; i++) {
		switch (MAPI_TAG_TYPE(row->columns[i])) {
		case PTYP_STRING8:
		case PTYP_MULTIPLE_STRING8:
			mapi_value_convert(rows->mem, &rows->options,
					   row->columns[i], &row->values[i]);
			break;
		}
	}
}

static bool rop_rows_add(struct mapi_property_row *row, void *context)
{
	struct rop_rows *rows = context;
	size_t size;

	rop_row_convert(rows, row);
	size = mapi_property_row_size(row);
	if (size > rows->space_left) {
		if (rows->count == 0)
			rows->size_needed = size;
		return FALSE;
	}
	rows->space_left -= size;
	if (rows->count == rows->alloc) {
		rows->alloc = I_MAX(64, rows->alloc * 2);
		rows->rows = talloc_realloc(rows->mem, rows->rows,
					    struct mapi_property_row,
					    rows->alloc);
	}
	rows->rows[rows->count++] = *row;
	return TRUE;
}

static void rop_rows_reverse(struct rop_rows *rows)
{
	struct mapi_property_row tmp;
	unsigned int i;

	for (i = 0; i < rows->count / 2; i++) {
		tmp = rows->rows[i];
		rows->rows[i] = rows->rows[rows->count - 1 - i];
		rows->rows[rows->count - 1 - i] = tmp;
	}
}

enum mapi_error
rop_query_rows(struct rop_context *ctx,
	       const struct rop_query_rows_request *req,
	       struct rop_query_rows_response *resp_r)
{
	const size_t response_size = 1 + 2;
	struct rop_rows rows;
	enum mapi_error error;

	if ((req->query_rows_flags & ~QUERY_ROWS_FLAGS) != 0 ||
	    req->forward_read > 1 || req->row_count == 0)
		return EC_INVALID_PARAM;

	rop_rows_init(&rows, ctx, response_size);
	error = mapi_table_query_rows(rop_table(ctx), rows.mem,
		(req->query_rows_flags & QUERY_ROWS_NO_ADVANCE) == 0,
		req->forward_read != 0, req->row_count,
		rop_rows_add, &rows, &resp_r->origin);
	if (error == EC_BUFFER_TOO_SMALL) {
		ctx->size_needed = ROP_RESPONSE_HEADER_SIZE + response_size +
			rows.size_needed;
	}
	if (error != EC_NONE)
		return error;
	if (req->forward_read == 0)
		rop_rows_reverse(&rows);
	resp_r->row_count = rows.count;
	resp_r->row_data = rows.rows;
	return EC_NONE;
}

enum mapi_error
rop_find_row(struct rop_context *ctx, const struct rop_find_row_request *req,
	     struct rop_find_row_response *resp_r)
{
	struct rop_rows rows;
	enum mapi_error error;
	bool gone;

	if ((req->find_row_flags & ~FIND_ROW_BACKWARDS) != 0)
		return EC_INVALID_PARAM;

	if (!rop_table_response_fits(ctx, 1 + 1))
		return EC_BUFFER_TOO_SMALL;
	rop_rows_init(&rows, ctx, 1 + 1);
	error = mapi_table_find_row(rop_table(ctx), rows.mem,
		(req->find_row_flags & FIND_ROW_BACKWARDS) == 0,
		req->restriction_data, req->origin, req->bookmark,
		req->bookmark_size, rop_rows_add, &rows, &gone);
	if (error != EC_NONE)
		return error;
	resp_r->row_no_longer_visible = gone ? 1 : 0;
	resp_r->has_row_data = rows.count > 0 ? 1 : 0;
	if (rows.count > 0)
		resp_r->row_data = rows.rows[0];
	return EC_NONE;
}

enum mapi_error
rop_expand_row(struct rop_context *ctx,
	       const struct rop_expand_row_request *req,
	       struct rop_expand_row_response *resp_r)
{
	const size_t response_size = 4 + 2;
	struct rop_rows rows;
	enum mapi_error error;

	if (!rop_table_response_fits(ctx, response_size))
		return EC_BUFFER_TOO_SMALL;
	rop_rows_init(&rows, ctx, response_size);
	error = mapi_table_expand_row(rop_table(ctx), rows.mem,
				      (uint64_t)mapi_id_to_i64(req->category_id),
				      req->max_row_count, rop_rows_add, &rows,
				      &resp_r->expanded_row_count);
	if (error != EC_NONE)
		return error;
	resp_r->row_count = rows.count;
	resp_r->row_data = rows.rows;
	return EC_NONE;
}

enum mapi_error
rop_collapse_row(struct rop_context *ctx,
		 const struct rop_collapse_row_request *req,
		 struct rop_collapse_row_response *resp_r)
{
	if (!rop_table_response_fits(ctx, 4))
		return EC_BUFFER_TOO_SMALL;
	return mapi_table_collapse_row(rop_table(ctx),
				       (uint64_t)mapi_id_to_i64(req->category_id),
				       &resp_r->collapsed_row_count);
}

enum mapi_error
rop_get_collapse_state(struct rop_context *ctx,
		       const struct rop_get_collapse_state_request *req,
		       struct rop_get_collapse_state_response *resp_r)
{
	size_t size;
	enum mapi_error error;

	error = mapi_table_get_collapse_state(rop_table(ctx), ctx->mem,
					      (uint64_t)mapi_id_to_i64(req->row_id),
					      req->row_instance_number,
					      &resp_r->collapse_state, &size);
	if (error == EC_NONE)
		resp_r->collapse_state_size = size;
	return error;
}

enum mapi_error
rop_set_collapse_state(struct rop_context *ctx,
		       const struct rop_set_collapse_state_request *req,
		       struct rop_set_collapse_state_response *resp_r)
{
	size_t size;
	enum mapi_error error;

	error = mapi_table_set_collapse_state(rop_table(ctx), ctx->mem,
					      req->collapse_state,
					      req->collapse_state_size,
					      &resp_r->bookmark, &size);
	if (error == EC_NONE)
		resp_r->bookmark_size = size;
	return error;
}
