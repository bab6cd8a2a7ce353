/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "mapi-enums.h"
#include "mapi-folder.h"
#include "mapi-rules.h"
#include "rop-handlers.h"

/* [MS-OXCFOLD] 3.2.5.1. OpenSoftDeleted allows soft-deleted folders to be
   opened, too; other flags are ignored. No folder is ghosted: that's about replicas
   of public folders. */
enum mapi_error rop_open_folder(struct rop_context *ctx,
				const struct rop_open_folder_request *req,
				struct rop_open_folder_response *resp_r)
{
	struct mapi_folder *folder;
	enum mapi_error ret;

	ret = mapi_folder_open(ctx->object_parent, ctx->object->store,
			       req->folder_id, &folder);
	if (ret != EC_NONE)
		return ret;
	if (mapi_folder_is_removed(folder) &&
	    (req->open_mode_flags & OPEN_FOLDER_OPEN_SOFT_DELETED) == 0) {
		talloc_free(folder);
		return EC_NOT_FOUND;
	}
	resp_r->has_rules = mapi_rules_exist(ctx->object->store,
					     req->folder_id) ? 1 : 0;
	ctx->output_object = &folder->obj;
	return EC_NONE;
}
