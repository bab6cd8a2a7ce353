/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-props.h"
#include "nspi-handlers.h"
#include "nspi-table.h"
#include "nspi-rows.h"

/* QueryColumns, [MS-OXNSPI] 2.2.1.13 */
#define NSPI_UNICODE_PROPTYPES 0x80000000U

/* The MId that CurrentRec stands for: that of an object, wherever it is, or a
   position in the container. 0 if there's none. */
static uint32_t
nspi_current_mid(const struct nspi_table *table,
		 const struct mapihttp_stat *stat)
{
	uint32_t row;

	if (stat->current_rec > NSPI_MID_END_OF_TABLE)
		return stat->current_rec;
	if (nspi_table_locate(table, stat, &row) != EC_NONE)
		return 0;
	row = nspi_table_move(table, row, stat->delta);
	return row < table->count ? nspi_table_mid(table, row) : 0;
}

/* 3.1.4.1.6 */
enum mapi_error
nspi_get_prop_list(struct nspi_context *ctx,
		   const struct mapihttp_get_prop_list_request *req,
		   struct mapihttp_get_prop_list_response *resp)
{
	struct nspi_getter getter = {
		.ctx = ctx, .code_page = req->code_page,
	};
	struct snapshot_object object;

	/* All strings are 8-bit ones here. */
	if (req->code_page == NSPI_CODEPAGE_UNICODE)
		return EC_NOT_SUPPORTED;
	if (!nspi_object_get(ctx, req->minimal_id, &object))
		return EC_INVALID_OBJECT;
	resp->has_property_tags = NSPI_TRUE;
	resp->property_tags.property_tags =
		nspi_property_list(&getter, &object,
				   (req->flags & NSPI_SKIP_OBJECTS) != 0,
				   PTYP_STRING8,
				   &resp->property_tags.property_tag_count);
	return EC_NONE;
}

static bool nspi_tags_have_string8(const struct mapihttp_tag_array *tags)
{
	for (uint32_t i = 0; i < tags->property_tag_count; i++) {
		if (MAPI_TAG_TYPE(tags->property_tags[i]) == PTYP_STRING8 ||
		    MAPI_TAG_TYPE(tags->property_tags[i]) ==
		    PTYP_MULTIPLE_STRING8)
			return TRUE;
	}
	return FALSE;
}

/* The properties that are wanted */
static enum mapi_error
nspi_get_props_tags(const struct nspi_getter *getter,
		    const struct mapihttp_get_props_request *req,
		    const struct snapshot_object *object,
		    struct mapihttp_tag_array *tags_r)
{
	bool unicode = req->state.code_page == NSPI_CODEPAGE_UNICODE;

	if (req->has_property_tags != 0) {
		*tags_r = req->property_tags;
		if (unicode && nspi_tags_have_string8(tags_r))
			return EC_NOT_SUPPORTED;
		return tags_r->property_tag_count <= NSPI_MAX_COLUMNS ?
			EC_NONE : EC_TABLE_TOO_BIG;
	}
	if (object == NULL)
		return EC_INVALID_OBJECT;
	tags_r->property_tags =
		nspi_property_list(getter, object,
				   (req->flags & NSPI_SKIP_OBJECTS) != 0,
				   unicode ? PTYP_STRING : PTYP_STRING8,
				   &tags_r->property_tag_count);
	return EC_NONE;
}

/* 3.1.4.1.7 */
enum mapi_error
nspi_get_props(struct nspi_context *ctx,
	       const struct mapihttp_get_props_request *req,
	       struct mapihttp_get_props_response *resp)
{
	struct mapihttp_tag_array tags;
	struct mapi_property *props, *prop;
	struct nspi_getter getter;
	struct nspi_table table;
	struct snapshot_object object;
	enum mapi_error ret;
	bool exists;

	if ((ret = nspi_table_open(ctx, &req->state, &table)) != EC_NONE)
		return ret;
	nspi_getter_init(&getter, ctx, &req->state, req->flags);
	exists = nspi_object_get(ctx, nspi_current_mid(&table, &req->state),
				 &object);
	ret = nspi_get_props_tags(&getter, req, exists ? &object : NULL, &tags);
	if (ret != EC_NONE)
		return ret;

	props = talloc_array(ctx->mem, struct mapi_property,
			     tags.property_tag_count);
	for (uint32_t i = 0; i < tags.property_tag_count; i++) {
		prop = &props[i];
		if (exists) {
			nspi_property_get(&getter, &object,
					  tags.property_tags[i], &prop->value);
		} else {
			prop->value = mapi_value_error(EC_NOT_FOUND);
		}
		prop->tag = MAPI_TAG_AS(tags.property_tags[i],
					prop->value.type);
		if (prop->value.type == PTYP_ERROR_CODE)
			ret = EC_ERRORS_RETURNED;
	}
	resp->code_page = req->state.code_page;
	resp->has_property_values = NSPI_TRUE;
	resp->property_values.property_value_count = tags.property_tag_count;
	resp->property_values.property_values = props;
	return ret;
}

/* 3.1.4.1.5 */
enum mapi_error
nspi_query_columns(struct nspi_context *ctx,
		   const struct mapihttp_query_columns_request *req,
		   struct mapihttp_query_columns_response *resp)
{
	bool unicode = (req->mapi_flags & NSPI_UNICODE_PROPTYPES) != 0;

	resp->has_columns = NSPI_TRUE;
	resp->columns.property_tags =
		nspi_property_columns(ctx->mem,
				      unicode ? PTYP_STRING : PTYP_STRING8,
				      &resp->columns.property_tag_count);
	return EC_NONE;
}
