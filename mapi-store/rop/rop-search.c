/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Criteria of search folders, [MS-OXCFOLD] 2.2.1.4, 2.2.1.5. */

#include "lib.h"
#include "mapi-codepage.h"
#include "mapi-restriction.h"
#include "mapi-search-folder.h"
#include "rop-handlers.h"

/* RopId, handle index, ReturnValue */
#define RESPONSE_HEADER_SIZE 6

enum mapi_error
rop_set_search_criteria(struct rop_context *ctx,
			const struct rop_set_search_criteria_request *req,
			struct rop_set_search_criteria_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;

	if (ctx->response_space < RESPONSE_HEADER_SIZE) {
		ctx->size_needed = RESPONSE_HEADER_SIZE;
		return EC_BUFFER_TOO_SMALL;
	}
	return mapi_search_folder_set_criteria(folder->obj.store, folder->fid,
		req->restriction_data, ctx->logon->code_page,
		req->folder_ids, req->folder_id_count, req->search_flags);
}

/* --- 8-bit strings ---------------------------------------------------------- */

static void value_to_string8(struct rop_context *ctx, struct mapi_value *value)
{
	uint32_t i;

	switch (value->type) {
	case PTYP_STRING:
		value->type = PTYP_STRING8;
		value->u.str = mapi_codepage_from_utf8(ctx->mem,
			ctx->logon->code_page, value->u.str);
		break;
	case PTYP_MULTIPLE_STRING:
		value->type = PTYP_MULTIPLE_STRING8;
		for (i = 0; i < value->u.mv.count; i++) {
			value->u.mv.v.str[i] = mapi_codepage_from_utf8(ctx->mem,
				ctx->logon->code_page, value->u.mv.v.str[i]);
		}
		break;
	default:
		break;
	}
}

static uint32_t tag_to_string8(uint32_t tag)
{
	switch (MAPI_TAG_TYPE(tag)) {
	case PTYP_STRING:
		return MAPI_TAG_AS(tag, PTYP_STRING8);
	case PTYP_MULTIPLE_STRING:
		return MAPI_TAG_AS(tag, PTYP_MULTIPLE_STRING8);
	}
	return tag;
}

static void
property_to_string8(struct rop_context *ctx, uint32_t *tag,
		    struct mapi_property *prop)
{
	if (tag != NULL)
		*tag = tag_to_string8(*tag);
	prop->tag = tag_to_string8(prop->tag);
	value_to_string8(ctx, &prop->value);
}

static void
restriction_to_string8(struct rop_context *ctx, struct mapi_restriction *res)
{
	uint32_t i;

	if (res == NULL)
		return;
	switch (res->type) {
	case RES_AND:
	case RES_OR:
		for (i = 0; i < res->u.list.count; i++)
			restriction_to_string8(ctx, &res->u.list.items[i]);
		break;
	case RES_NOT:
		restriction_to_string8(ctx, res->u.child);
		break;
	case RES_CONTENT:
		property_to_string8(ctx, &res->u.content.tag,
				    &res->u.content.value);
		break;
	case RES_PROPERTY:
		property_to_string8(ctx, &res->u.property.tag,
				    &res->u.property.value);
		break;
	case RES_COMPAREPROPS:
		res->u.compare.tag1 = tag_to_string8(res->u.compare.tag1);
		res->u.compare.tag2 = tag_to_string8(res->u.compare.tag2);
		break;
	case RES_SIZE:
		res->u.size.tag = tag_to_string8(res->u.size.tag);
		break;
	case RES_EXIST:
		res->u.exist.tag = tag_to_string8(res->u.exist.tag);
		break;
	case RES_SUBRESTRICTION:
		restriction_to_string8(ctx, res->u.sub.child);
		break;
	case RES_COMMENT:
		for (i = 0; i < res->u.comment.count; i++) {
			property_to_string8(ctx, NULL,
					    &res->u.comment.values[i]);
		}
		restriction_to_string8(ctx, res->u.comment.child);
		break;
	case RES_COUNT:
		restriction_to_string8(ctx, res->u.count.child);
		break;
	case RES_BITMASK:
	case RES_NULL:
		break;
	}
}

/* --- getting ---------------------------------------------------------------- */

enum mapi_error
rop_get_search_criteria(struct rop_context *ctx,
			const struct rop_get_search_criteria_request *req,
			struct rop_get_search_criteria_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;
	struct mapi_search_criteria *criteria;
	enum mapi_error ret;

	ret = mapi_search_folder_get_criteria(folder->obj.store, folder->fid,
					      ctx->mem, &criteria,
					      &resp_r->search_flags);
	if (ret != EC_NONE)
		return ret;
	resp_r->logon_id = ctx->logon_id;
	if (req->include_restriction != 0) {
		if (req->use_unicode == 0)
			restriction_to_string8(ctx, criteria->restriction);
		resp_r->restriction_data = criteria->restriction;
	}
	if (req->include_folders != 0) {
		resp_r->folder_ids = criteria->scope;
		resp_r->folder_id_count = criteria->scope_count;
	}
	return EC_NONE;
}
