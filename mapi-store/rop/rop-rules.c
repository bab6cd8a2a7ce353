/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules, [MS-OXORULE] 2.2.1 - 2.2.3. */

#include "lib.h"
#include "mapi-deferred-actions.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-rules.h"
#include "rop-handlers.h"
#include "rop-table.h"

enum mapi_error
rop_get_rules_table(struct rop_context *ctx,
		    const struct rop_get_rules_table_request *req,
		    struct rop_get_rules_table_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;
	struct mapi_table *table;
	enum mapi_error error;

	error = mapi_folder_check_rights(folder, RIGHTS_FOLDER_OWNER);
	if (error != EC_NONE)
		return error;
	error = mapi_rules_table_open(ctx->object_parent, folder->obj.store,
				      folder->fid, req->table_flags,
				      ctx->logon->code_page, &table);
	if (error == EC_NONE)
		rop_table_opened(ctx, table);
	return error;
}

enum mapi_error
rop_modify_rules(struct rop_context *ctx,
		 const struct rop_modify_rules_request *req,
		 struct rop_modify_rules_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;
	struct mapi_rule_change *changes;
	enum mapi_error error;
	unsigned int i;

	error = mapi_folder_check_rights(folder, RIGHTS_FOLDER_OWNER);
	if (error != EC_NONE)
		return error;
	if ((req->modify_rules_flags & ~MODIFY_RULES_R) != 0)
		return EC_INVALID_PARAM;
	if (!rop_response_fits(ctx, 0))
		return EC_BUFFER_TOO_SMALL;
	changes = talloc_zero_array(ctx->mem, struct mapi_rule_change,
				    req->rules_count);
	for (i = 0; i < req->rules_count; i++) {
		changes[i].flags = req->rules_data[i].rule_data_flags;
		changes[i].props = req->rules_data[i].property_values;
		changes[i].prop_count =
			req->rules_data[i].property_value_count;
	}
	return mapi_rules_modify(folder->obj.store, folder->fid,
				 (req->modify_rules_flags &
				  MODIFY_RULES_R) != 0,
				 changes, req->rules_count,
				 ctx->logon->code_page);
}

enum mapi_error
rop_update_deferred_action_messages(
	struct rop_context *ctx,
	const struct rop_update_deferred_action_messages_request *req,
	struct rop_update_deferred_action_messages_response *resp_r)
{
	const struct mapi_binary server_eid = {
		req->server_entry_id_size, req->server_entry_id
	};
	const struct mapi_binary client_eid = {
		req->client_entry_id_size, req->client_entry_id
	};

	if (!rop_response_fits(ctx, 0))
		return EC_BUFFER_TOO_SMALL;
	return mapi_deferred_actions_update(ctx->object->store, &server_eid,
					    &client_eid);
}
