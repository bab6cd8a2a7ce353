/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Criteria of search folders, [MS-OXCFOLD] 2.2.1.4, 2.2.1.5. */

#include "lib.h"
#include "mapi-search-folder.h"
#include "mapi-string8.h"
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
		if (req->use_unicode == 0) {
			mapi_restriction_to_string8(ctx->mem,
				ctx->logon->code_page, criteria->restriction);
		}
		resp_r->restriction_data = criteria->restriction;
	}
	if (req->include_folders != 0) {
		resp_r->folder_ids = criteria->scope;
		resp_r->folder_id_count = criteria->scope_count;
	}
	return EC_NONE;
}
