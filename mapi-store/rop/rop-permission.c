/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Permissions of folders, [MS-OXCPERM] */

#include "lib.h"
#include "mapi-enums.h"
#include "mapi-permissions.h"
#include "mapi-props.h"
#include "rop-handlers.h"
#include "rop-table.h"

/* [MS-OXCPERM] 2.2.1 */
enum mapi_error
rop_get_permissions_table(struct rop_context *ctx,
			  const struct rop_get_permissions_table_request *req,
			  struct rop_get_permissions_table_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;
	struct mapi_table *table;
	enum mapi_error error;

	error = mapi_permission_table_open(ctx->object_parent, folder,
					   req->table_flags, &table);
	if (error == EC_NONE)
		rop_table_opened(ctx, table);
	return error;
}

static const struct mapi_value *
permission_data_find(const struct rop_permission_data *data, uint32_t tag)
{
	unsigned int i;

	for (i = 0; i < data->property_value_count; i++) {
		if (data->property_values[i].tag == tag)
			return &data->property_values[i].value;
	}
	return NULL;
}

/* [MS-OXCPERM] 2.2.2.1: which properties there have to be */
static enum mapi_error
permission_change_parse(const struct rop_permission_data *data,
			struct mapi_permission_change *change_r)
{
	const struct mapi_value *entry_id, *member_id, *rights;

	i_zero(change_r);
	entry_id = permission_data_find(data, PIDTAG_ENTRY_ID);
	member_id = permission_data_find(data, PIDTAG_MEMBER_ID);
	rights = permission_data_find(data, PIDTAG_MEMBER_RIGHTS);

	switch (data->permission_data_flags) {
	case PERMISSION_DATA_ADD_ROW:
		change_r->op = MAPI_PERMISSION_ADD;
		if (entry_id == NULL && member_id == NULL)
			return EC_INVALID_PARAM;
		break;
	case PERMISSION_DATA_MODIFY_ROW:
		change_r->op = MAPI_PERMISSION_MODIFY;
		break;
	case PERMISSION_DATA_REMOVE_ROW:
		change_r->op = MAPI_PERMISSION_REMOVE;
		break;
	default:
		return EC_INVALID_PARAM;
	}
	if (change_r->op != MAPI_PERMISSION_ADD && member_id == NULL)
		return EC_INVALID_PARAM;
	if (change_r->op != MAPI_PERMISSION_REMOVE && rights == NULL)
		return EC_INVALID_PARAM;
	if (entry_id != NULL)
		change_r->entry_id = entry_id->u.bin;
	if (member_id != NULL)
		change_r->member_id = member_id->u.i64;
	if (rights != NULL)
		change_r->rights = rights->u.i32;
	return EC_NONE;
}

/* [MS-OXCPERM] 2.2.2, 3.2.5.2 */
enum mapi_error
rop_modify_permissions(struct rop_context *ctx,
		       const struct rop_modify_permissions_request *req,
		       struct rop_modify_permissions_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;
	struct mapi_permission_change *changes;
	enum mapi_error error;
	unsigned int i;

	if ((req->modify_flags & ~(MODIFY_PERMISSIONS_REPLACE_ROWS |
				   MODIFY_PERMISSIONS_INCLUDE_FREE_BUSY)) != 0)
		return EC_INVALID_PARAM;
	changes = talloc_array(ctx->mem, struct mapi_permission_change,
			       req->modify_count);
	for (i = 0; i < req->modify_count; i++) {
		error = permission_change_parse(&req->permissions_data[i],
						&changes[i]);
		if (error != EC_NONE)
			return error;
	}
	return mapi_permissions_change(folder, changes, req->modify_count,
		(req->modify_flags & MODIFY_PERMISSIONS_REPLACE_ROWS) != 0,
		(req->modify_flags &
		 MODIFY_PERMISSIONS_INCLUDE_FREE_BUSY) != 0);
}
