/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tables: what they show and where in them the client is, [MS-OXCTABL]
   2.2.2.1 - 2.2.2.16; opening those of folders, [MS-OXCFOLD] 2.2.1.13 and
   2.2.1.14. Rows are in rop-table-rows.c. */

#include "lib.h"
#include "rop-handlers.h"
#include "mapi-folder.h"
#include "mapi-table.h"
#include "rop-table.h"

/* --- opening -------------------------------------------------------------- */

enum mapi_error
rop_get_hierarchy_table(struct rop_context *ctx,
			const struct rop_get_hierarchy_table_request *req,
			struct rop_get_hierarchy_table_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;
	struct mapi_table *table;
	enum mapi_error error;

	error = mapi_hierarchy_table_open(ctx->object_parent, folder->obj.store,
					  folder->fid, req->table_flags,
					  &table, &resp_r->row_count);
	if (error == EC_NONE)
		rop_table_opened(ctx, table);
	return error;
}

enum mapi_error
rop_get_contents_table(struct rop_context *ctx,
		       const struct rop_get_contents_table_request *req,
		       struct rop_get_contents_table_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;
	struct mapi_table *table;
	enum mapi_error error;

	error = mapi_contents_table_open(ctx->object_parent, folder->obj.store,
					 folder->fid, req->table_flags,
					 &table, &resp_r->row_count);
	if (error == EC_NONE)
		rop_table_opened(ctx, table);
	return error;
}

/* --- columns, order, restriction ------------------------------------------ */

/* Asynchronous operations are complete when they are answered, as Exchange has
   it since 2010. */
static bool rop_table_flags_valid(uint8_t flags)
{
	return (flags & ~TBL_ASYNC) == 0;
}

enum mapi_error
rop_set_columns(struct rop_context *ctx,
		const struct rop_set_columns_request *req,
		struct rop_set_columns_response *resp_r)
{
	if (!rop_table_flags_valid(req->set_columns_flags))
		return EC_INVALID_PARAM;
	resp_r->table_status = TBLSTAT_COMPLETE;
	return mapi_table_set_columns(rop_table(ctx), req->property_tags,
				      req->property_tag_count);
}

enum mapi_error
rop_sort_table(struct rop_context *ctx,
	       const struct rop_sort_table_request *req,
	       struct rop_sort_table_response *resp_r)
{
	if (!rop_table_flags_valid(req->sort_table_flags))
		return EC_INVALID_PARAM;
	resp_r->table_status = TBLSTAT_COMPLETE;
	return mapi_table_sort(rop_table(ctx), req->sort_orders,
			       req->sort_order_count, req->category_count,
			       req->expanded_count);
}

enum mapi_error
rop_restrict(struct rop_context *ctx, const struct rop_restrict_request *req,
	     struct rop_restrict_response *resp_r)
{
	if (!rop_table_flags_valid(req->restrict_flags))
		return EC_INVALID_PARAM;
	resp_r->table_status = TBLSTAT_COMPLETE;
	return mapi_table_restrict(rop_table(ctx), req->restriction_data);
}

enum mapi_error
rop_reset_table(struct rop_context *ctx,
		const struct rop_reset_table_request *req,
		struct rop_reset_table_response *resp_r)
{
	return mapi_table_reset(rop_table(ctx));
}

enum mapi_error
rop_query_columns_all(struct rop_context *ctx,
		      const struct rop_query_columns_all_request *req,
		      struct rop_query_columns_all_response *resp_r)
{
	const uint32_t *tags;
	unsigned int count;
	enum mapi_error error;

	error = mapi_table_query_columns_all(rop_table(ctx), &tags, &count);
	if (error != EC_NONE)
		return error;
	resp_r->property_tag_count = count;
	resp_r->property_tags = talloc_memdup(ctx->mem, tags,
					      count * sizeof(*tags));
	return EC_NONE;
}

enum mapi_error
rop_get_status(struct rop_context *ctx,
	       const struct rop_get_status_request *req,
	       struct rop_get_status_response *resp_r)
{
	resp_r->table_status = mapi_table_get_status(rop_table(ctx));
	return EC_NONE;
}

enum mapi_error
rop_abort(struct rop_context *ctx, const struct rop_abort_request *req,
	  struct rop_abort_response *resp_r)
{
	return mapi_table_abort(rop_table(ctx));
}

/* --- positions ------------------------------------------------------------ */

enum mapi_error
rop_query_position(struct rop_context *ctx,
		   const struct rop_query_position_request *req,
		   struct rop_query_position_response *resp_r)
{
	return mapi_table_query_position(rop_table(ctx), &resp_r->numerator,
					 &resp_r->denominator);
}

enum mapi_error
rop_seek_row(struct rop_context *ctx, const struct rop_seek_row_request *req,
	     struct rop_seek_row_response *resp_r)
{
	bool sought_less;
	enum mapi_error error;

	if (!rop_table_response_fits(ctx, 1 + 4))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_table_seek(rop_table(ctx), req->origin, req->row_count,
				&sought_less, &resp_r->rows_sought);
	if (error == EC_NONE)
		resp_r->has_sought_less = sought_less ? 1 : 0;
	return error;
}

enum mapi_error
rop_seek_row_bookmark(struct rop_context *ctx,
		      const struct rop_seek_row_bookmark_request *req,
		      struct rop_seek_row_bookmark_response *resp_r)
{
	bool gone, sought_less;
	enum mapi_error error;

	error = mapi_table_seek_bookmark(rop_table(ctx), req->bookmark,
					 req->bookmark_size, req->row_count,
					 &gone, &sought_less,
					 &resp_r->rows_sought);
	if (error == EC_NONE) {
		resp_r->row_no_longer_visible = gone ? 1 : 0;
		resp_r->has_sought_less = sought_less ? 1 : 0;
	}
	return error;
}

enum mapi_error
rop_seek_row_fractional(struct rop_context *ctx,
			const struct rop_seek_row_fractional_request *req,
			struct rop_seek_row_fractional_response *resp_r)
{
	return mapi_table_seek_fractional(rop_table(ctx), req->numerator,
					  req->denominator);
}

enum mapi_error
rop_create_bookmark(struct rop_context *ctx,
		    const struct rop_create_bookmark_request *req,
		    struct rop_create_bookmark_response *resp_r)
{
	size_t size;
	enum mapi_error error;

	error = mapi_table_create_bookmark(rop_table(ctx), ctx->mem,
					   &resp_r->bookmark, &size);
	if (error == EC_NONE)
		resp_r->bookmark_size = size;
	return error;
}

enum mapi_error
rop_free_bookmark(struct rop_context *ctx,
		  const struct rop_free_bookmark_request *req,
		  struct rop_free_bookmark_response *resp_r)
{
	return mapi_table_free_bookmark(rop_table(ctx), req->bookmark,
					req->bookmark_size);
}
