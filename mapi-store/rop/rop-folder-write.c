/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Creating, deleting, moving, copying and emptying folders, [MS-OXCFOLD]
   2.2.1.2, 2.2.1.3, 2.2.1.7 to 2.2.1.10.

   Where the client allows for asynchronous execution (WantAsynchronous), emptying
   goes on after the request (rop-operation.h). Other operations are executed at once
   nevertheless and answered with their own responses instead of RopProgress's, as
   [MS-OXCFOLD] 3.2.5 lets a server do: mostly they are renames, and half a copy of a
   folder isn't shown to anybody. */

#include "lib.h"
#include "mapi-codepage.h"
#include "mapi-enums.h"
#include "mapi-folder-write.h"
#include "mapi-message-write.h"
#include "mapi-search-folder.h"
#include "mapi-store.h"
#include "rop-handlers.h"
#include "rop-operation.h"

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

	if (!rop_response_fits(ctx, sizeof(resp_r->folder_id) +
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

	if (!rop_response_fits(ctx, sizeof(resp_r->partial_completion)))
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

	if (!rop_response_fits(ctx, sizeof(resp_r->dest_handle_index) +
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

	if (!rop_response_fits(ctx, sizeof(resp_r->dest_handle_index) +
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

struct empty_operation {
	struct rop_operation op;
	struct mapi_folder_emptying *emptying;
	/* work of a slice */
	unsigned int slice;
};

static unsigned int empty_operation_slice(unsigned int total, bool hard)
{
	unsigned int cost = hard ? 1 : MAPI_MESSAGE_COPY_COST;

	return I_MAX(ROP_OPERATION_SLICE,
		     (total / ROP_OPERATION_SLICES_MAX + 1) * cost);
}

static bool
empty_operation_run(struct rop_operation *op,
		    struct mapi_folder *folder ATTR_UNUSED,
		    struct mapi_folder *dest ATTR_UNUSED)
{
	struct empty_operation *eop =
		container_of(op, struct empty_operation, op);
	struct mapi_folder_emptying_status status;
	bool more;

	more = mapi_folder_empty_step(eop->emptying, eop->slice, &status);
	op->done = status.done;
	op->total = status.total;
	op->partial = status.partial;
	op->error = status.error;
	return more;
}

static enum mapi_error
rop_folder_empty(struct rop_context *ctx, const struct rop_request_header *hdr,
		 uint8_t want_asynchronous, uint8_t want_delete_associated,
		 bool hard, uint8_t *partial_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;
	bool asynchronous = rop_operation_is_allowed(ctx, want_asynchronous);
	struct empty_operation *eop;
	enum mapi_error ret;
	bool partial;

	if (!rop_operation_fits(ctx, asynchronous, sizeof(*partial_r)))
		return EC_BUFFER_TOO_SMALL;
	if (!asynchronous) {
		ret = mapi_folder_empty(folder->obj.store, folder->fid,
					want_delete_associated != 0, hard,
					&partial);
		*partial_r = partial ? 1 : 0;
		return ret;
	}
	eop = talloc_zero(ctx->mem, struct empty_operation);
	ret = mapi_folder_empty_begin(eop, folder->obj.store, folder->fid,
				      want_delete_associated != 0, hard,
				      &eop->emptying, &eop->op.total);
	if (ret != EC_NONE)
		return ret;
	eop->slice = empty_operation_slice(eop->op.total, hard);
	eop->op.rop_id = hdr->rop_id;
	eop->op.run = empty_operation_run;
	return rop_operation_start(ctx, &eop->op, partial_r);
}

enum mapi_error
rop_empty_folder(struct rop_context *ctx,
		 const struct rop_empty_folder_request *req,
		 struct rop_empty_folder_response *resp_r)
{
	return rop_folder_empty(ctx, &req->hdr, req->want_asynchronous,
				req->want_delete_associated, FALSE,
				&resp_r->partial_completion);
}

enum mapi_error
rop_hard_delete_messages_and_subfolders(struct rop_context *ctx,
	const struct rop_hard_delete_messages_and_subfolders_request *req,
	struct rop_hard_delete_messages_and_subfolders_response *resp_r)
{
	return rop_folder_empty(ctx, &req->hdr, req->want_asynchronous,
				req->want_delete_associated, TRUE,
				&resp_r->partial_completion);
}
