/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Copying properties of objects, [MS-OXCPRPT] 2.2.10, 2.2.11, 3.2.5.7, 3.2.5.8.

   What may be executed asynchronously (WantAsynchronous) is executed at once. */

#include "lib.h"
#include "mapi-enums.h"
#include "mapi-object-copy.h"
#include "rop-handlers.h"

/* PropertyProblemCount; PropertyProblem */
#define PROBLEMS_SIZE(count) (2 + (count) * 10)
/* What could not be copied is limited by what the object has, which the handler
   doesn't know. The response isn't longer than that. */
#define COPY_TO_PROBLEMS_MAX 100

static enum mapi_error
copy_init(struct rop_context *ctx, uint8_t flags, struct mapi_copy *copy_r)
{
	if ((flags & ~(COPY_FLAG_MOVE | COPY_FLAG_NO_OVERWRITE)) != 0)
		return EC_INVALID_PARAM;
	i_zero(copy_r);
	copy_r->source = ctx->object;
	copy_r->dest = ctx->second_object;
	copy_r->move = (flags & COPY_FLAG_MOVE) != 0;
	copy_r->no_overwrite = (flags & COPY_FLAG_NO_OVERWRITE) != 0;
	return (copy_r->dest->type & (MAPI_OBJECT_FOLDER | MAPI_OBJECT_MESSAGE |
				      MAPI_OBJECT_ATTACHMENT)) == 0 ?
		EC_NOT_SUPPORTED : EC_NONE;
}

enum mapi_error
rop_copy_properties(struct rop_context *ctx,
		    const struct rop_copy_properties_request *req,
		    struct rop_copy_properties_response *resp_r)
{
	struct rop_property_problem *problem;
	enum mapi_error error, *errors;
	struct mapi_copy copy;
	unsigned int i, count = req->property_tag_count;

	if (!rop_response_fits(ctx, PROBLEMS_SIZE(count)))
		return EC_BUFFER_TOO_SMALL;
	if (ctx->second_object == NULL) {
		/* [MS-OXCROPS] 2.2.8.11.3: Null Destination Failure */
		resp_r->dest_handle_index = req->hdr.output_index;
		return EC_DST_NULL_OBJECT;
	}
	error = copy_init(ctx, req->copy_flags, &copy);
	if (error != EC_NONE)
		return error;
	errors = talloc_zero_array(ctx->mem, enum mapi_error, count);
	error = mapi_object_copy_props(&copy, req->property_tags, count,
				       errors);
	if (error != EC_NONE)
		return error;
	resp_r->property_problems =
		talloc_zero_array(ctx->mem, struct rop_property_problem, count);
	for (i = 0; i < count; i++) {
		if (errors[i] == EC_NONE)
			continue;
		problem = &resp_r->property_problems[
			resp_r->property_problem_count++];
		problem->index = i;
		problem->property_tag = req->property_tags[i];
		problem->error_code = errors[i];
	}
	return EC_NONE;
}

enum mapi_error
rop_copy_to(struct rop_context *ctx, const struct rop_copy_to_request *req,
	    struct rop_copy_to_response *resp_r)
{
	struct mapi_copy_problem *problems;
	struct rop_property_problem *problem;
	struct mapi_copy copy;
	enum mapi_error error;
	unsigned int i, count;

	if (!rop_response_fits(ctx, PROBLEMS_SIZE(COPY_TO_PROBLEMS_MAX)))
		return EC_BUFFER_TOO_SMALL;
	if (ctx->second_object == NULL) {
		/* [MS-OXCROPS] 2.2.8.12.3: Null Destination Failure */
		resp_r->dest_handle_index = req->hdr.output_index;
		return EC_DST_NULL_OBJECT;
	}
	error = copy_init(ctx, req->copy_flags, &copy);
	if (error == EC_NONE) {
		error = mapi_object_copy_to(&copy, ctx->mem,
					    req->excluded_tags,
					    req->excluded_tag_count,
					    req->want_sub_objects != 0,
					    &problems, &count);
	}
	if (error != EC_NONE)
		return error;
	count = I_MIN(count, COPY_TO_PROBLEMS_MAX);
	resp_r->property_problems =
		talloc_zero_array(ctx->mem, struct rop_property_problem, count);
	for (i = 0; i < count; i++) {
		problem = &resp_r->property_problems[
			resp_r->property_problem_count++];
		/* there's no list of the client's that it could count in */
		problem->index = i;
		problem->property_tag = problems[i].tag;
		problem->error_code = problems[i].error;
	}
	return EC_NONE;
}
