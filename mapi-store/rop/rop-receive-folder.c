/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Receive folders, [MS-OXCSTOR] 2.2.1.2 - 2.2.1.4 */

#include "lib.h"
#include "mapi-props.h"
#include "mapi-receive-folder.h"
#include "rop-handlers.h"

/* [MS-OXCSTOR] 3.2.5.2 */
enum mapi_error
rop_get_receive_folder(struct rop_context *ctx,
		       const struct rop_get_receive_folder_request *req,
		       struct rop_get_receive_folder_response *resp_r)
{
	struct mapi_receive_folder folder;
	enum mapi_error error;

	error = mapi_receive_folder_find(ctx->object->store, ctx->mem,
		req->message_class == NULL ? "" : req->message_class, &folder);
	if (error != EC_NONE)
		return error;
	resp_r->folder_id = folder.fid;
	resp_r->explicit_message_class = folder.message_class;
	return EC_NONE;
}

/* [MS-OXCSTOR] 3.2.5.3 */
enum mapi_error
rop_set_receive_folder(struct rop_context *ctx,
		       const struct rop_set_receive_folder_request *req,
		       struct rop_set_receive_folder_response *resp_r)
{
	if (!rop_response_fits(ctx, 0))
		return EC_BUFFER_TOO_SMALL;
	return mapi_receive_folder_set(ctx->object->store,
		req->message_class == NULL ? "" : req->message_class,
		req->folder_id);
}

/* [MS-OXCSTOR] 3.2.5.4 */
enum mapi_error
rop_get_receive_folder_table(
	struct rop_context *ctx,
	const struct rop_get_receive_folder_table_request *req,
	struct rop_get_receive_folder_table_response *resp_r)
{
	static const uint32_t columns[] = {
		PIDTAG_FOLDER_ID,
		MAPI_TAG_AS(PIDTAG_MESSAGE_CLASS, PTYP_STRING8),
		PIDTAG_LAST_MODIFICATION_TIME,
	};
	struct mapi_receive_folder *folders;
	struct mapi_value *values;
	enum mapi_error error;
	unsigned int i, count;

	error = mapi_receive_folders_list(ctx->object->store, ctx->mem,
					  &folders, &count);
	if (error != EC_NONE)
		return error;
	resp_r->row_count = count;
	resp_r->rows = talloc_array(ctx->mem, struct mapi_property_row, count);
	for (i = 0; i < count; i++) {
		values = talloc_zero_array(ctx->mem, struct mapi_value,
					   N_ELEMENTS(columns));
		values[0] = mapi_value_i64(mapi_id_to_i64(folders[i].fid));
		values[1].type = PTYP_STRING8;
		values[1].u.str8 = folders[i].message_class;
		values[2] = mapi_value_time(folders[i].changed);
		resp_r->rows[i].count = N_ELEMENTS(columns);
		resp_r->rows[i].columns = columns;
		resp_r->rows[i].values = values;
	}
	return EC_NONE;
}
