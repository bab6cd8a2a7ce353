/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What clients ask a private mailbox about public folders, [MS-OXCSTOR] 2.2.1.7,
   2.2.1.10 - 2.2.1.13. There are none here, but they may be elsewhere. */

#include "lib.h"
#include "mapi-folder-rights.h"
#include "mapi-per-user.h"
#include "rop-handlers.h"

/* What Exchange has for MaxDataSize, both by default and at most */
#define PER_USER_DATA_MAX 4096

/* [MS-OXCSTOR] 3.2.5.7 */
enum mapi_error
rop_public_folder_is_ghosted(
	struct rop_context *ctx,
	const struct rop_public_folder_is_ghosted_request *req,
	struct rop_public_folder_is_ghosted_response *resp_r)
{
	resp_r->is_ghosted = 0;
	return EC_NONE;
}

/* What the owner has read is nobody else's business. */
static enum mapi_error per_user_check(struct rop_context *ctx)
{
	return mapi_store_is_delegate(ctx->object->store) ?
		EC_ACCESS_DENIED : EC_NONE;
}

enum mapi_error
rop_get_per_user_long_term_ids(
	struct rop_context *ctx,
	const struct rop_get_per_user_long_term_ids_request *req,
	struct rop_get_per_user_long_term_ids_response *resp_r)
{
	unsigned int count;
	enum mapi_error error;

	error = per_user_check(ctx);
	if (error != EC_NONE)
		return error;
	error = mapi_per_user_get_folders(ctx->object->store,
					  &req->database_guid, ctx->mem,
					  &resp_r->long_term_ids, &count);
	if (error == EC_NONE)
		resp_r->long_term_id_count = count;
	return error;
}

enum mapi_error
rop_get_per_user_guid(struct rop_context *ctx,
		      const struct rop_get_per_user_guid_request *req,
		      struct rop_get_per_user_guid_response *resp_r)
{
	enum mapi_error error = per_user_check(ctx);

	return error != EC_NONE ? error :
		mapi_per_user_get_database(ctx->object->store,
					   &req->long_term_id,
					   &resp_r->database_guid);
}

enum mapi_error
rop_read_per_user_information(
	struct rop_context *ctx,
	const struct rop_read_per_user_information_request *req,
	struct rop_read_per_user_information_response *resp_r)
{
	size_t size, max_size = PER_USER_DATA_MAX;
	const void *data;
	enum mapi_error error;

	error = per_user_check(ctx);
	if (error != EC_NONE)
		return error;
	error = mapi_per_user_read(ctx->object->store, &req->folder_id,
				   ctx->mem, &data, &size);
	if (error != EC_NONE)
		return error;
	if (req->data_offset > size)
		return EC_ERROR;
	if (req->max_data_size > 0)
		max_size = I_MIN(max_size, req->max_data_size);
	size -= req->data_offset;
	resp_r->has_finished = size <= max_size ? 1 : 0;
	resp_r->data_size = I_MIN(size, max_size);
	if (resp_r->data_size > 0)
		resp_r->data = CONST_PTR_OFFSET(data, req->data_offset);
	return EC_NONE;
}

enum mapi_error
rop_write_per_user_information(
	struct rop_context *ctx,
	const struct rop_write_per_user_information_request *req,
	struct rop_write_per_user_information_response *resp_r)
{
	enum mapi_error error = per_user_check(ctx);

	if (error != EC_NONE)
		return error;
	if (!rop_response_fits(ctx, 0))
		return EC_BUFFER_TOO_SMALL;
	return mapi_per_user_write(&ctx->logon->per_user_write, ctx->logon,
				   ctx->object->store, &req->folder_id,
				   req->data_offset, req->data, req->data_size,
				   &req->repl_guid, req->has_finished != 0);
}
