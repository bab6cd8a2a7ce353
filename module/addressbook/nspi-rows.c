/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-props.h"
#include "nspi-handlers.h"
#include "nspi-table.h"
#include "nspi-rows.h"

/* What SeekEntries returns, which is asked for a window's first page */
#define NSPI_SEEK_ROWS 50

void nspi_getter_init(struct nspi_getter *getter,
		      const struct nspi_context *ctx,
		      const struct mapihttp_stat *stat, uint32_t flags)
{
	i_zero(getter);
	getter->ctx = ctx;
	getter->code_page = stat->code_page;
	getter->ephemeral = (flags & NSPI_EPHEMERAL_IDS) != 0;
}

enum mapi_error nspi_columns_get(const struct nspi_context *ctx, bool has,
				 const struct mapihttp_tag_array *req,
				 struct mapihttp_tag_array *columns_r)
{
	static const uint32_t default_columns[] = {
		PIDTAG_ADDRESS_BOOK_CONTAINER_ID,
		PIDTAG_OBJECT_TYPE,
		PIDTAG_DISPLAY_TYPE,
		MAPI_TAG_AS(PIDTAG_DISPLAY_NAME, PTYP_STRING8),
		MAPI_TAG_AS(PIDTAG_PRIMARY_TELEPHONE_NUMBER, PTYP_STRING8),
		MAPI_TAG_AS(PIDTAG_DEPARTMENT_NAME, PTYP_STRING8),
		MAPI_TAG_AS(PIDTAG_OFFICE_LOCATION, PTYP_STRING8),
	};

	if (has) {
		*columns_r = *req;
		return req->property_tag_count <= NSPI_MAX_COLUMNS ?
			EC_NONE : EC_TABLE_TOO_BIG;
	}
	columns_r->property_tag_count = N_ELEMENTS(default_columns);
	columns_r->property_tags =
		talloc_memdup(ctx->mem, default_columns,
			      sizeof(default_columns));
	return EC_NONE;
}

void nspi_rows_init(struct nspi_rows *rows, const struct nspi_getter *getter,
		    const struct mapihttp_tag_array *columns, uint32_t max)
{
	i_zero(rows);
	rows->getter = getter;
	rows->columns = columns;
	rows->max = I_MIN(max, NSPI_MAX_ROWS);
	rows->rows = talloc_array(getter->ctx->mem, struct mapi_property_row,
				  rows->max);
}

bool nspi_rows_add(struct nspi_rows *rows, uint32_t mid)
{
	const struct nspi_context *ctx = rows->getter->ctx;
	const struct mapihttp_tag_array *columns = rows->columns;
	struct mapi_property_row *row = &rows->rows[rows->count++];
	struct snapshot_object object;
	bool exists = nspi_object_get(ctx, mid, &object);

	i_assert(rows->count <= rows->max);
	row->count = columns->property_tag_count;
	row->columns = columns->property_tags;
	row->values = talloc_array(ctx->mem, struct mapi_value, row->count);
	for (uint32_t i = 0; i < row->count; i++) {
		if (exists) {
			nspi_property_get(rows->getter, &object,
					  row->columns[i], &row->values[i]);
		} else {
			row->values[i] = mapi_value_error(EC_NOT_FOUND);
		}
		rows->size += mapi_value_size(&row->values[i]);
	}
	return rows->count < rows->max && rows->size < NSPI_MAX_ROWS_SIZE;
}

/* --- requests ---------------------------------------------------------------- */

/* [MS-OXNSPI] 3.1.4.1.4 */
enum mapi_error
nspi_update_stat(struct nspi_context *ctx,
		 const struct mapihttp_update_stat_request *req,
		 struct mapihttp_update_stat_response *resp)
{
	struct nspi_table table;
	enum mapi_error ret;
	uint32_t row, moved;

	if (req->state.code_page == NSPI_CODEPAGE_UNICODE)
		return EC_NOT_SUPPORTED;
	if ((ret = nspi_table_open(ctx, &req->state, &table)) != EC_NONE ||
	    (ret = nspi_table_locate(&table, &req->state, &row)) != EC_NONE)
		return ret;
	moved = nspi_table_move(&table, row, req->state.delta);
	resp->has_state = NSPI_TRUE;
	resp->state = req->state;
	nspi_table_set_position(&table, moved, &resp->state);
	if (req->delta_requested != 0) {
		resp->has_delta = NSPI_TRUE;
		resp->delta = (int32_t)((int64_t)moved - row);
	}
	return EC_NONE;
}

/* Rows of the STAT's table from its position on, and the new position */
static enum mapi_error
nspi_query_table(struct nspi_context *ctx, const struct mapihttp_stat *stat,
		 uint32_t count, struct nspi_rows *rows,
		 const struct nspi_getter *getter,
		 const struct mapihttp_tag_array *columns,
		 struct mapihttp_stat *stat_r)
{
	struct nspi_table table;
	enum mapi_error ret;
	uint32_t row;

	if ((ret = nspi_table_open(ctx, stat, &table)) != EC_NONE ||
	    (ret = nspi_table_locate(&table, stat, &row)) != EC_NONE)
		return ret;
	if (stat->current_rec == NSPI_MID_CURRENT &&
	    stat->num_pos > stat->total_recs && row == table.count) {
		/* Outlook 2010 asks so for the last page. */
		row -= I_MIN(row, count);
	}
	row = nspi_table_move(&table, row, stat->delta);
	count = I_MIN(count, table.count - row);
	nspi_rows_init(rows, getter, columns, count);
	while (rows->count < count) {
		if (!nspi_rows_add(rows, nspi_table_mid(&table,
							row + rows->count)))
			break;
	}
	*stat_r = *stat;
	nspi_table_set_position(&table, row + rows->count, stat_r);
	return EC_NONE;
}

static void
nspi_query_explicit(const uint32_t *mids, uint32_t count,
		    struct nspi_rows *rows, const struct nspi_getter *getter,
		    const struct mapihttp_tag_array *columns)
{
	nspi_rows_init(rows, getter, columns, count);
	while (rows->count < count) {
		if (!nspi_rows_add(rows, mids[rows->count]))
			break;
	}
}

/* 3.1.4.1.8 */
enum mapi_error
nspi_query_rows(struct nspi_context *ctx,
		const struct mapihttp_query_rows_request *req,
		struct mapihttp_query_rows_response *resp)
{
	struct nspi_getter getter;
	struct nspi_rows rows;
	enum mapi_error ret;

	if (req->state.code_page == NSPI_CODEPAGE_UNICODE)
		return EC_NOT_SUPPORTED;
	if (req->explicit_table_count == 0 && req->row_count == 0)
		return EC_INVALID_PARAM;
	ret = nspi_columns_get(ctx, req->has_columns != 0, &req->columns,
			       &resp->columns);
	if (ret != EC_NONE)
		return ret;
	nspi_getter_init(&getter, ctx, &req->state, req->flags);
	resp->state = req->state;
	if (req->explicit_table_count > 0) {
		nspi_query_explicit(req->explicit_table,
				    I_MIN(req->explicit_table_count,
					  req->row_count),
				    &rows, &getter, &resp->columns);
	} else {
		ret = nspi_query_table(ctx, &req->state, req->row_count, &rows,
				       &getter, &resp->columns, &resp->state);
		if (ret != EC_NONE)
			return ret;
	}
	resp->has_state = NSPI_TRUE;
	resp->has_columns_and_rows = NSPI_TRUE;
	resp->row_count = rows.count;
	resp->row_data = rows.rows;
	return EC_NONE;
}

/* The first of the MIds that is at row or behind it in the table; count if
   there's none. Those that aren't in the table aren't looked at. */
static uint32_t
nspi_explicit_seek(const struct nspi_table *table, const uint32_t *mids,
		   uint32_t count, uint32_t row)
{
	uint32_t i, idx;

	for (i = 0; i < count; i++) {
		if (nspi_table_find(table, mids[i], &idx) && idx >= row)
			break;
	}
	return i;
}

/* 3.1.4.1.9 */
enum mapi_error
nspi_seek_entries(struct nspi_context *ctx,
		  const struct mapihttp_seek_entries_request *req,
		  struct mapihttp_seek_entries_response *resp)
{
	const struct mapi_value *target = &req->target.value;
	struct nspi_getter getter;
	struct nspi_table table;
	struct nspi_rows rows;
	enum mapi_error ret;
	const char *name;
	uint32_t row, pos, count;
	bool is_explicit = req->has_explicit_table != 0;

	if (req->state.code_page == NSPI_CODEPAGE_UNICODE)
		return EC_NOT_SUPPORTED;
	if (req->reserved != 0)
		return EC_INVALID_PARAM;
	if ((ret = nspi_table_open(ctx, &req->state, &table)) != EC_NONE)
		return ret;
	if (req->state.sort_type != NSPI_SORT_DISPLAY_NAME)
		return EC_ERROR;
	nspi_getter_init(&getter, ctx, &req->state, NSPI_EPHEMERAL_IDS);
	if (req->has_target == 0)
		return EC_ERROR;
	if (req->target.tag == PIDTAG_DISPLAY_NAME)
		name = target->u.str;
	else if (req->target.tag ==
		 MAPI_TAG_AS(PIDTAG_DISPLAY_NAME, PTYP_STRING8)) {
		name = target->u.str8 == NULL ? NULL :
			nspi_string8_to_utf8(&getter, target->u.str8);
	} else {
		return EC_ERROR;
	}
	row = nspi_table_seek(&table, name == NULL ? "" : name);
	count = is_explicit ? req->explicit_table_count : table.count;
	pos = !is_explicit ? row :
		nspi_explicit_seek(&table, req->explicit_table, count, row);
	if (pos >= count)
		return EC_NOT_FOUND;

	resp->state = req->state;
	resp->state.current_rec = is_explicit ? req->explicit_table[pos] :
		nspi_table_mid(&table, pos);
	resp->state.num_pos = pos;
	resp->state.total_recs = count;
	resp->has_state = NSPI_TRUE;
	if (req->has_columns == 0)
		return EC_NONE;

	ret = nspi_columns_get(ctx, TRUE, &req->columns, &resp->columns);
	if (ret != EC_NONE)
		return ret;
	if (is_explicit) {
		nspi_query_explicit(req->explicit_table + pos, count - pos,
				    &rows, &getter, &resp->columns);
	} else {
		struct mapihttp_stat stat = resp->state;

		stat.delta = 0;
		ret = nspi_query_table(ctx, &stat, NSPI_SEEK_ROWS, &rows,
				       &getter, &resp->columns, &stat);
		if (ret != EC_NONE)
			return ret;
	}
	resp->has_columns_and_rows = NSPI_TRUE;
	resp->row_count = rows.count;
	resp->row_data = rows.rows;
	return EC_NONE;
}

/* 3.1.4.1.11 */
enum mapi_error
nspi_resort_restriction(struct nspi_context *ctx,
			const struct mapihttp_resort_restriction_request *req,
			struct mapihttp_resort_restriction_response *resp)
{
	uint32_t count = req->minimal_id_count;
	uint32_t *mids;

	if (req->state.code_page == NSPI_CODEPAGE_UNICODE)
		return EC_NOT_SUPPORTED;
	if (req->state.sort_type != NSPI_SORT_DISPLAY_NAME)
		return EC_ERROR;
	if (req->has_minimal_ids == 0)
		return EC_INVALID_PARAM;
	mids = talloc_array(ctx->mem, uint32_t, count);
	if (count > 0)
		memcpy(mids, req->minimal_ids, sizeof(*mids) * count);
	count = ctx->snapshot == NULL ? 0 :
		snapshot_sort(ctx->snapshot, req->state.sort_locale, mids,
			      count);
	resp->has_minimal_ids = NSPI_TRUE;
	resp->minimal_id_count = count;
	resp->minimal_ids = mids;

	resp->has_state = NSPI_TRUE;
	resp->state = req->state;
	resp->state.total_recs = count;
	resp->state.current_rec = NSPI_MID_BEGINNING_OF_TABLE;
	resp->state.num_pos = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (mids[i] == req->state.current_rec) {
			resp->state.current_rec = mids[i];
			resp->state.num_pos = i;
			break;
		}
	}
	return EC_NONE;
}

/* 3.1.4.1.12 */
enum mapi_error
nspi_compare_mids(struct nspi_context *ctx,
		  const struct mapihttp_compare_mids_request *req,
		  struct mapihttp_compare_mids_response *resp)
{
	struct nspi_table table;
	enum mapi_error ret;
	uint32_t row1, row2;

	if (req->state.code_page == NSPI_CODEPAGE_UNICODE)
		return EC_NOT_SUPPORTED;
	if ((ret = nspi_table_open(ctx, &req->state, &table)) != EC_NONE)
		return ret;
	if (!nspi_table_find(&table, req->minimal_id1, &row1) ||
	    !nspi_table_find(&table, req->minimal_id2, &row2))
		return EC_ERROR;
	resp->result = row1 < row2 ? -1 : row1 > row2 ? 1 : 0;
	return EC_NONE;
}

/* 3.1.4.1.13 */
enum mapi_error
nspi_dn_to_mid(struct nspi_context *ctx,
	       const struct mapihttp_dn_to_mid_request *req,
	       struct mapihttp_dn_to_mid_response *resp)
{
	resp->has_minimal_ids = NSPI_TRUE;
	resp->minimal_id_count = req->name_count;
	resp->minimal_ids = talloc_array(ctx->mem, uint32_t, req->name_count);
	for (uint32_t i = 0; i < req->name_count; i++) {
		resp->minimal_ids[i] =
			nspi_mid_of_dn(ctx, req->name_values[i]);
	}
	return EC_NONE;
}
