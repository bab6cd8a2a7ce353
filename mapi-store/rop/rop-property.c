/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading properties of objects, [MS-OXCPRPT] 2.2.2 - 2.2.4, 3.2.5.1 - 3.2.5.3 */

#include "lib.h"
#include "rop-handlers.h"
#include "mapi-message.h"
#include "mapi-object-props.h"
#include "mapi-store.h"

/* RopId, handle index, ReturnValue */
#define RESPONSE_HEADER_SIZE 6
/* A response that doesn't fit into the rest of a buffer, but into one of its
   own: 32 KB less RPC_HEADER_EXT, the ROP list's size and some handles. */
#define RESPONSE_SIZE_FRESH 32000

static size_t rop_value_limit(uint16_t property_size_limit)
{
	return property_size_limit != 0 ? property_size_limit :
		RESPONSE_SIZE_FRESH;
}

static void
rop_props_options(struct rop_context *ctx, uint16_t size_limit,
		  uint16_t want_unicode, struct mapi_props_options *options_r)
{
	options_r->max_size = rop_value_limit(size_limit);
	options_r->code_page = mapi_object_code_page(ctx->object);
	if (options_r->code_page == 0)
		options_r->code_page = ctx->logon->code_page;
	options_r->unicode = want_unicode != 0;
}

/* A row that is too long even for a buffer of its own loses its largest values:
   the client must read these as streams. */
static void
rop_property_row_shrink(struct mapi_property_row *row, size_t max_size)
{
	unsigned int i, largest;
	size_t size, largest_size;

	while (mapi_property_row_size(row) > max_size) {
		largest_size = 0;
		largest = 0;
		for (i = 0; i < row->count; i++) {
			if (row->values[i].type == PTYP_ERROR_CODE)
				continue;
			size = mapi_value_wire_size(&row->values[i]);
			if (size > largest_size) {
				largest_size = size;
				largest = i;
			}
		}
		if (largest_size <= 8)
			break;
		row->values[largest] = mapi_value_error(EC_NOT_ENOUGH_MEMORY);
	}
}

enum mapi_error
rop_get_properties_specific(struct rop_context *ctx,
			    const struct rop_get_properties_specific_request *req,
			    struct rop_get_properties_specific_response *resp_r)
{
	struct mapi_property_row *row = &resp_r->row_data;
	struct mapi_props_options options;
	enum mapi_error error;

	rop_props_options(ctx, req->property_size_limit, req->want_unicode,
			  &options);
	row->count = req->property_tag_count;
	row->columns = req->property_tags;
	row->values = talloc_zero_array(ctx->mem, struct mapi_value,
					row->count);
	error = mapi_object_get_props(ctx->object, ctx->mem, &options,
				      row->columns, row->count, row->values);
	if (error != EC_NONE)
		return error;
	rop_property_row_shrink(row, I_MAX(ctx->response_space,
					   RESPONSE_SIZE_FRESH) -
				RESPONSE_HEADER_SIZE);
	return EC_NONE;
}

enum mapi_error
rop_get_properties_all(struct rop_context *ctx,
		       const struct rop_get_properties_all_request *req,
		       struct rop_get_properties_all_response *resp_r)
{
	size_t size, max_size, largest_size, total = RESPONSE_HEADER_SIZE + 2;
	struct mapi_props_options options;
	struct mapi_property *props;
	unsigned int i, largest, count;
	enum mapi_error error;

	rop_props_options(ctx, req->property_size_limit, req->want_unicode,
			  &options);
	error = mapi_object_get_all_props(ctx->object, ctx->mem, &options,
					  &props, &count);
	if (error != EC_NONE)
		return error;
	max_size = I_MAX(ctx->response_space, RESPONSE_SIZE_FRESH);
	for (i = 0; i < count; i++)
		total += 4 + mapi_value_wire_size(&props[i].value);
	while (total > max_size) {
		largest_size = 0;
		largest = 0;
		for (i = 0; i < count; i++) {
			size = mapi_value_wire_size(&props[i].value);
			if (size > largest_size) {
				largest_size = size;
				largest = i;
			}
		}
		if (largest_size <= 8)
			break;
		props[largest].tag = MAPI_TAG_AS(props[largest].tag,
						 PTYP_ERROR_CODE);
		props[largest].value = mapi_value_error(EC_NOT_ENOUGH_MEMORY);
		total -= largest_size - 4;
	}
	resp_r->property_value_count = count;
	resp_r->property_values = props;
	return EC_NONE;
}

enum mapi_error
rop_get_properties_list(struct rop_context *ctx,
			const struct rop_get_properties_list_request *req,
			struct rop_get_properties_list_response *resp_r)
{
	const uint32_t *tags;
	unsigned int count;
	enum mapi_error error;

	error = ctx->object->v->list_props(ctx->object, ctx->mem, &tags,
					   &count);
	if (error != EC_NONE)
		return error;
	resp_r->property_tag_count = count;
	resp_r->property_tags = talloc_memdup(ctx->mem, tags,
					      count * sizeof(*tags));
	return EC_NONE;
}
