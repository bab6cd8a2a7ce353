/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changing properties of objects, [MS-OXCPRPT] 2.2.5, 2.2.6, 3.2.5.4, 3.2.5.5 */

#include "lib.h"
#include "mapi-codepage.h"
#include "mapi-object-props.h"
#include "mapi-store.h"
#include "rop-handlers.h"

/* RopId, handle index, ReturnValue, PropertyProblemCount */
#define RESPONSE_HEADER_SIZE 8
#define PROBLEM_SIZE 10

/* Objects have Unicode strings only. */
static void
rop_property_to_unicode(struct rop_context *ctx, struct mapi_property *prop)
{
	uint32_t code_page = mapi_object_code_page(ctx->object);

	if (prop->value.type != PTYP_STRING8 ||
	    MAPI_TAG_TYPE(prop->tag) != PTYP_STRING8)
		return;
	if (code_page == 0)
		code_page = ctx->logon->code_page;
	prop->value.u.str = mapi_codepage_to_utf8(ctx->mem, code_page,
						  prop->value.u.str8);
	prop->value.type = PTYP_STRING;
	prop->tag = MAPI_TAG_AS(prop->tag, PTYP_STRING);
}

static enum mapi_error
rop_set_values(struct rop_context *ctx, const struct mapi_property *values,
	       uint16_t count, struct rop_property_problem **problems_r,
	       uint16_t *problem_count_r)
{
	struct rop_property_problem *problem;
	struct mapi_property *props;
	enum mapi_error *errors, ret;
	unsigned int i;

	if (ctx->object->v->set_props == NULL)
		return EC_NOT_SUPPORTED;
	ctx->size_needed = RESPONSE_HEADER_SIZE + count * PROBLEM_SIZE;
	if (ctx->size_needed > ctx->response_space)
		return EC_BUFFER_TOO_SMALL;

	props = talloc_zero_array(ctx->mem, struct mapi_property, count);
	errors = talloc_zero_array(ctx->mem, enum mapi_error, count);
	for (i = 0; i < count; i++) {
		props[i] = values[i];
		rop_property_to_unicode(ctx, &props[i]);
	}
	ret = ctx->object->v->set_props(ctx->object, props, count, errors);
	if (ret != EC_NONE)
		return ret;
	*problems_r = talloc_zero_array(ctx->mem, struct rop_property_problem,
					count);
	for (i = 0; i < count; i++) {
		if (errors[i] == EC_NONE)
			continue;
		problem = &(*problems_r)[(*problem_count_r)++];
		problem->index = i;
		problem->property_tag = values[i].tag;
		problem->error_code = errors[i];
	}
	return EC_NONE;
}

enum mapi_error
rop_set_properties(struct rop_context *ctx,
		   const struct rop_set_properties_request *req,
		   struct rop_set_properties_response *resp_r)
{
	return rop_set_values(ctx, req->property_values,
			      req->property_value_count,
			      &resp_r->property_problems,
			      &resp_r->property_problem_count);
}

/* What differs is only for public folders, of which there are no replicas. */
enum mapi_error
rop_set_properties_no_replicate(struct rop_context *ctx,
	const struct rop_set_properties_no_replicate_request *req,
	struct rop_set_properties_no_replicate_response *resp_r)
{
	return rop_set_values(ctx, req->property_values,
			      req->property_value_count,
			      &resp_r->property_problems,
			      &resp_r->property_problem_count);
}
