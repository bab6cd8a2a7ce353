/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-store.h"
#include "rop-handlers.h"

static bool names_are_valid(const struct mapi_property_name *names,
			    unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (names[i].kind != MAPI_NAME_LID &&
		    (names[i].kind != MAPI_NAME_STRING ||
		     names[i].name == NULL))
			return FALSE;
	}
	return TRUE;
}

/* [MS-OXCPRPT] 3.2.5.10 */
enum mapi_error rop_get_property_ids_from_names(
	struct rop_context *ctx,
	const struct rop_get_property_ids_from_names_request *req,
	struct rop_get_property_ids_from_names_response *resp_r)
{
	struct mapi_store *store = ctx->object->store;
	const struct mapi_property_name *names;
	const uint16_t *ids;
	enum mapi_error ret;
	unsigned int count;

	if (req->property_name_count == 0) {
		/* all that are registered */
		ret = mapi_store_names_list(store, ctx->mem, NULL, &ids, &names,
					    &count);
		if (ret != EC_NONE)
			return ret;
		resp_r->property_id_count = count;
		resp_r->property_ids = talloc_memdup(ctx->mem, ids,
						     count * sizeof(*ids));
		return EC_NONE;
	}
	if (!names_are_valid(req->property_names, req->property_name_count))
		return EC_INVALID_PARAM;

	resp_r->property_id_count = req->property_name_count;
	resp_r->property_ids = talloc_zero_array(ctx->mem, uint16_t,
						 req->property_name_count);
	ret = mapi_store_names_to_ids(store, req->property_names,
				      req->property_name_count,
				      (req->flags & NAME_FLAG_CREATE) != 0 &&
				      mapi_store_has_write_right(store),
				      resp_r->property_ids);
	if (ret == EC_NP_QUOTA_EXCEEDED) {
		/* 2.2.12.2: names that can't be registered have the id 0 */
		ret = mapi_store_names_to_ids(store, req->property_names,
					      req->property_name_count, FALSE,
					      resp_r->property_ids);
	}
	return ret;
}

/* [MS-OXCPRPT] 3.2.5.9 */
enum mapi_error rop_get_names_from_property_ids(
	struct rop_context *ctx,
	const struct rop_get_names_from_property_ids_request *req,
	struct rop_get_names_from_property_ids_response *resp_r)
{
	resp_r->property_name_count = req->property_id_count;
	resp_r->property_names = talloc_zero_array(ctx->mem,
						   struct mapi_property_name,
						   req->property_id_count);
	return mapi_store_ids_to_names(ctx->object->store, ctx->mem,
				       req->property_ids,
				       req->property_id_count,
				       resp_r->property_names);
}

/* The named properties of an object: all that the store knows for a logon,
   else those that it has a value of. */
static enum mapi_error
object_names_list(struct rop_context *ctx, const uint16_t **ids_r,
		  const struct mapi_property_name **names_r,
		  unsigned int *count_r)
{
	struct mapi_object *obj = ctx->object;
	struct mapi_property_name *names;
	const uint32_t *tags;
	unsigned int i, tag_count, count = 0;
	enum mapi_error ret;
	uint16_t *ids;

	if (obj->type == MAPI_OBJECT_LOGON) {
		return mapi_store_names_list(obj->store, ctx->mem, NULL,
					     ids_r, names_r, count_r);
	}
	ret = obj->v->list_props(obj, ctx->mem, &tags, &tag_count);
	if (ret != EC_NONE)
		return ret;
	ids = talloc_array(ctx->mem, uint16_t, tag_count);
	names = talloc_array(ctx->mem, struct mapi_property_name, tag_count);
	for (i = 0; i < tag_count; i++) {
		if (MAPI_TAG_IS_NAMED(tags[i]))
			ids[count++] = MAPI_TAG_ID(tags[i]);
	}
	*ids_r = ids;
	*names_r = names;
	*count_r = count;
	return mapi_store_ids_to_names(obj->store, ctx->mem, ids, count, names);
}

/* [MS-OXCPRPT] 3.2.5.7 */
enum mapi_error rop_query_named_properties(
	struct rop_context *ctx,
	const struct rop_query_named_properties_request *req,
	struct rop_query_named_properties_response *resp_r)
{
	const struct mapi_property_name *names;
	const uint16_t *ids;
	unsigned int i, count;
	enum mapi_error ret;

	ret = object_names_list(ctx, &ids, &names, &count);
	if (ret != EC_NONE)
		return ret;
	resp_r->property_ids = talloc_array(ctx->mem, uint16_t, count);
	resp_r->property_names = talloc_array(ctx->mem,
					      struct mapi_property_name, count);
	for (i = 0; i < count; i++) {
		if (names[i].kind == MAPI_NAME_NONE ||
		    (names[i].kind == MAPI_NAME_STRING &&
		     (req->query_flags & QUERY_NAMED_NO_STRINGS) != 0) ||
		    (names[i].kind == MAPI_NAME_LID &&
		     (req->query_flags & QUERY_NAMED_NO_IDS) != 0) ||
		    (req->has_guid != 0 &&
		     memcmp(&names[i].guid, &req->property_guid,
			    sizeof(names[i].guid)) != 0))
			continue;
		resp_r->property_ids[resp_r->id_count] = ids[i];
		resp_r->property_names[resp_r->id_count++] = names[i];
	}
	return EC_NONE;
}
