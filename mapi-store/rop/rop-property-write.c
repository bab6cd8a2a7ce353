/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changing properties of objects, [MS-OXCPRPT] 2.2.5 - 2.2.8, 3.2.5.4 - 3.2.5.6 */

#include "lib.h"
#include "mapi-codepage.h"
#include "mapi-object-props.h"
#include "mapi-store.h"
#include "rop-handlers.h"

/* PropertyProblem; PropertyProblemCount */
#define PROBLEM_SIZE 10
#define PROBLEMS_SIZE(count) (2 + (count) * PROBLEM_SIZE)

static const char *
rop_string8_to_utf8(struct rop_context *ctx, const char *str)
{
	uint32_t code_page = mapi_object_code_page(ctx->object);

	return mapi_codepage_to_utf8(ctx->mem, code_page != 0 ? code_page :
				     ctx->logon->code_page, str);
}

/* Objects have Unicode strings only. */
static void
rop_property_to_unicode(struct rop_context *ctx, struct mapi_property *prop)
{
	struct mapi_value *value = &prop->value;
	const char **strings;
	uint32_t i;

	if (MAPI_TAG_TYPE(prop->tag) != value->type)
		return;
	switch (value->type) {
	case PTYP_STRING8:
		value->u.str = rop_string8_to_utf8(ctx, value->u.str8);
		value->type = PTYP_STRING;
		break;
	case PTYP_MULTIPLE_STRING8:
		strings = talloc_array(ctx->mem, const char *,
				       value->u.mv.count);
		for (i = 0; i < value->u.mv.count; i++) {
			strings[i] = rop_string8_to_utf8(ctx,
						value->u.mv.v.str8[i]);
		}
		value->u.mv.v.str = strings;
		value->type = PTYP_MULTIPLE_STRING;
		break;
	default:
		return;
	}
	prop->tag = MAPI_TAG_AS(prop->tag, value->type);
}

static void
rop_get_problems(struct rop_context *ctx, const uint32_t *tags,
		 const enum mapi_error *errors, uint16_t count,
		 struct rop_property_problem **problems_r,
		 uint16_t *problem_count_r)
{
	struct rop_property_problem *problem;
	unsigned int i;

	*problems_r = talloc_zero_array(ctx->mem, struct rop_property_problem,
					count);
	for (i = 0; i < count; i++) {
		if (errors[i] == EC_NONE)
			continue;
		problem = &(*problems_r)[(*problem_count_r)++];
		problem->index = i;
		problem->property_tag = tags[i];
		problem->error_code = errors[i];
	}
}

static enum mapi_error
rop_set_values(struct rop_context *ctx, const struct mapi_property *values,
	       uint16_t count, struct rop_property_problem **problems_r,
	       uint16_t *problem_count_r)
{
	struct mapi_property *props;
	enum mapi_error *errors, ret;
	unsigned int i;
	uint32_t *tags;

	if (ctx->object->v->set_props == NULL)
		return EC_NOT_SUPPORTED;
	if (!rop_response_fits(ctx, PROBLEMS_SIZE(count)))
		return EC_BUFFER_TOO_SMALL;

	props = talloc_zero_array(ctx->mem, struct mapi_property, count);
	errors = talloc_zero_array(ctx->mem, enum mapi_error, count);
	tags = talloc_array(ctx->mem, uint32_t, count);
	for (i = 0; i < count; i++) {
		props[i] = values[i];
		tags[i] = values[i].tag;
		rop_property_to_unicode(ctx, &props[i]);
	}
	ret = ctx->object->v->set_props(ctx->object, props, count, errors);
	if (ret != EC_NONE)
		return ret;
	rop_get_problems(ctx, tags, errors, count, problems_r,
			 problem_count_r);
	return EC_NONE;
}

static enum mapi_error
rop_delete_values(struct rop_context *ctx, const uint32_t *tags,
		  uint16_t count, struct rop_property_problem **problems_r,
		  uint16_t *problem_count_r)
{
	enum mapi_error *errors, ret;

	if (ctx->object->v->delete_props == NULL)
		return EC_NOT_SUPPORTED;
	if (!rop_response_fits(ctx, PROBLEMS_SIZE(count)))
		return EC_BUFFER_TOO_SMALL;
	errors = talloc_zero_array(ctx->mem, enum mapi_error, count);
	ret = ctx->object->v->delete_props(ctx->object, tags, count, errors);
	if (ret != EC_NONE)
		return ret;
	rop_get_problems(ctx, tags, errors, count, problems_r,
			 problem_count_r);
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

enum mapi_error
rop_delete_properties(struct rop_context *ctx,
		      const struct rop_delete_properties_request *req,
		      struct rop_delete_properties_response *resp_r)
{
	return rop_delete_values(ctx, req->property_tags,
				 req->property_tag_count,
				 &resp_r->property_problems,
				 &resp_r->property_problem_count);
}

enum mapi_error
rop_delete_properties_no_replicate(struct rop_context *ctx,
	const struct rop_delete_properties_no_replicate_request *req,
	struct rop_delete_properties_no_replicate_response *resp_r)
{
	return rop_delete_values(ctx, req->property_tags,
				 req->property_tag_count,
				 &resp_r->property_problems,
				 &resp_r->property_problem_count);
}
