/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Creating, deleting, moving, copying and emptying folders, [MS-OXCFOLD]
   2.2.1.2, 2.2.1.3, 2.2.1.7 to 2.2.1.10.

   Where the client allows for asynchronous execution (WantAsynchronous), the
   operation is executed at once nevertheless and answered with its own response
   instead of RopProgress's, as [MS-OXCFOLD] 3.2.5 lets a server do. */

#include "lib.h"
#include "mapi-codepage.h"
#include "mapi-enums.h"
#include "mapi-folder-write.h"
#include "mapi-search-folder.h"
#include "mapi-store.h"
#include "rop-handlers.h"

/* RopId, handle index, ReturnValue */
#define RESPONSE_HEADER_SIZE 6

/* Nothing may be changed if the response doesn't fit: it would be done again. */
static bool response_fits(struct rop_context *ctx, size_t size)
{
	size += RESPONSE_HEADER_SIZE;
	if (size <= ctx->response_space)
		return TRUE;
	ctx->size_needed = size;
	return FALSE;
}

static const char *
rop_string(struct rop_context *ctx, uint8_t use_unicode, const char *str)
{
	return use_unicode != 0 ? str :
		mapi_codepage_to_utf8(ctx->mem, ctx->logon->code_page, str);
}

/* IsExistingFolder is about public folders: it's zero here even if the folder
   existed, 2.2.1.2.2. */
enum mapi_error
rop_create_folder(struct rop_context *ctx,
		  const struct rop_create_folder_request *req,
		  struct rop_create_folder_response *resp_r)
{
	struct mapi_folder *parent = (struct mapi_folder *)ctx->object;
	struct mapi_folder *folder;
	const char *name, *comment;
	enum mapi_error ret;

	if (!response_fits(ctx, sizeof(resp_r->folder_id) +
			   sizeof(resp_r->is_existing_folder)))
		return EC_BUFFER_TOO_SMALL;
	name = rop_string(ctx, req->use_unicode_strings, req->display_name);
	comment = rop_string(ctx, req->use_unicode_strings, req->comment);
	switch (req->folder_type) {
	case FOLDER_TYPE_GENERIC_FOLDER:
		ret = mapi_folder_create(ctx->object_parent, parent->obj.store,
					 parent->fid, name, comment,
					 req->open_existing != 0, &folder);
		break;
	case FOLDER_TYPE_SEARCH_FOLDER:
		ret = mapi_search_folder_create(ctx->object_parent,
			parent->obj.store, parent->fid, name, comment,
			req->open_existing != 0, &folder);
		break;
	default:
		return EC_INVALID_PARAM;
	}
	if (ret != EC_NONE)
		return ret;
	resp_r->folder_id = folder->fid;
	ctx->output_object = &folder->obj;
	return EC_NONE;
}

/* The folder is found by its id alone, wherever it is. */
enum mapi_error
rop_delete_folder(struct rop_context *ctx,
		  const struct rop_delete_folder_request *req,
		  struct rop_delete_folder_response *resp_r)
{
	enum mapi_error ret;
	bool partial;

	if (!response_fits(ctx, sizeof(resp_r->partial_completion)))
		return EC_BUFFER_TOO_SMALL;
	if ((req->delete_folder_flags &
	     ~(DEL_MESSAGES | DEL_FOLDERS | DELETE_HARD_DELETE)) != 0)
		return EC_INVALID_PARAM;
	ret = mapi_folder_delete(ctx->object->store, req->folder_id,
				 req->delete_folder_flags, &partial);
	resp_r->partial_completion = partial ? 1 : 0;
	return ret;
}

/* The destination, with what all responses to a handle that isn't one have in
   common: [MS-OXCROPS] 2.2.4.7.3, 2.2.4.8.3. */
static enum mapi_error
rop_dest_folder(struct rop_context *ctx, const struct rop_request_header *hdr,
		uint32_t *dest_handle_index, struct mapi_folder **dest_r)
{
	*dest_r = (struct mapi_folder *)ctx->second_object;
	if (*dest_r == NULL) {
		*dest_handle_index = hdr->output_index;
		return EC_DST_NULL_OBJECT;
	}
	return (*dest_r)->obj.type != MAPI_OBJECT_FOLDER ? EC_NOT_SUPPORTED :
		EC_NONE;
}

enum mapi_error
rop_move_folder(struct rop_context *ctx,
		const struct rop_move_folder_request *req,
		struct rop_move_folder_response *resp_r)
{
	struct mapi_folder *dest;
	enum mapi_error ret;
	bool partial;

	if (!response_fits(ctx, sizeof(resp_r->dest_handle_index) +
			   sizeof(resp_r->partial_completion)))
		return EC_BUFFER_TOO_SMALL;
	ret = rop_dest_folder(ctx, &req->hdr, &resp_r->dest_handle_index,
			      &dest);
	if (ret != EC_NONE)
		return ret;
	ret = mapi_folder_transfer(ctx->object->store, req->folder_id,
		dest->obj.store, dest->fid,
		rop_string(ctx, req->use_unicode, req->new_folder_name),
		TRUE, TRUE, &partial);
	resp_r->partial_completion = partial ? 1 : 0;
	return ret;
}

enum mapi_error
rop_copy_folder(struct rop_context *ctx,
		const struct rop_copy_folder_request *req,
		struct rop_copy_folder_response *resp_r)
{
	struct mapi_folder *dest;
	enum mapi_error ret;
	bool partial;

	if (!response_fits(ctx, sizeof(resp_r->dest_handle_index) +
			   sizeof(resp_r->partial_completion)))
		return EC_BUFFER_TOO_SMALL;
	ret = rop_dest_folder(ctx, &req->hdr, &resp_r->dest_handle_index,
			      &dest);
	if (ret != EC_NONE)
		return ret;
	ret = mapi_folder_transfer(ctx->object->store, req->folder_id,
		dest->obj.store, dest->fid,
		rop_string(ctx, req->use_unicode, req->new_folder_name),
		req->want_recursive != 0, FALSE, &partial);
	resp_r->partial_completion = partial ? 1 : 0;
	return ret;
}

static enum mapi_error
rop_folder_empty(struct rop_context *ctx, uint8_t want_delete_associated,
		 bool hard, uint8_t *partial_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;
	enum mapi_error ret;
	bool partial;

	if (!response_fits(ctx, sizeof(*partial_r)))
		return EC_BUFFER_TOO_SMALL;
	ret = mapi_folder_empty(folder->obj.store, folder->fid,
				want_delete_associated != 0, hard, &partial);
	*partial_r = partial ? 1 : 0;
	return ret;
}

enum mapi_error
rop_empty_folder(struct rop_context *ctx,
		 const struct rop_empty_folder_request *req,
		 struct rop_empty_folder_response *resp_r)
{
	return rop_folder_empty(ctx, req->want_delete_associated, FALSE,
				&resp_r->partial_completion);
}

enum mapi_error
rop_hard_delete_messages_and_subfolders(struct rop_context *ctx,
	const struct rop_hard_delete_messages_and_subfolders_request *req,
	struct rop_hard_delete_messages_and_subfolders_response *resp_r)
{
	return rop_folder_empty(ctx, req->want_delete_associated, TRUE,
				&resp_r->partial_completion);
}
