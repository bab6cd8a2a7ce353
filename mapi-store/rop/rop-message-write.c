/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations on messages that change nothing of their content: read state,
   status ([MS-OXCMSG] 2.2.3.8 to 2.2.3.11), moving, copying and deleting
   ([MS-OXCFOLD] 2.2.1.6, 2.2.1.11, 2.2.1.12).

   Where the client allows for asynchronous execution (WantAsynchronous), what is
   done to many messages goes on after the request (rop-operation.h). Messages
   that aren't there (any more) make the operation complete partially; it doesn't
   fail: clients do such things to messages that they have just moved. */

#include "lib.h"
#include "sort.h"
#include "rop-handlers.h"
#include "rop-operation.h"
#include "mapi-enums.h"
#include "mapi-message-write.h"
#include "mapi-receipt.h"
#include "mapi-store.h"

/* --- many messages ---------------------------------------------------------- */

/* What is to be done to some messages of a folder */
struct message_work {
	enum mapi_error (*func)(const struct message_work *work,
				struct mapi_folder *folder,
				struct mapi_folder *dest,
				const mapi_id_t *mids, unsigned int count,
				bool *partial_r);
	/* messages of a slice */
	unsigned int slice;
	struct mapi_read_change read;
	bool move, hard, notify_non_read;
};

struct message_operation {
	struct rop_operation op;
	struct message_work work;
	/* total of them */
	mapi_id_t *mids;
	/* some slices have done something, others weren't allowed to */
	bool worked, denied;
};

static int mid_cmp(const mapi_id_t *mid1, const mapi_id_t *mid2)
{
	return *mid1 < *mid2 ? -1 : *mid1 > *mid2 ? 1 : 0;
}

/* In the order of their UIDs, as messages are copied and moved if it's done at
   once, and without those that come twice, which wouldn't be there any more for
   the second slice. */
static unsigned int
message_ids_sort(mapi_id_t *mids, unsigned int count)
{
	unsigned int i, n = 0;

	i_qsort(mids, count, sizeof(*mids), mid_cmp);
	for (i = 0; i < count; i++) {
		if (n == 0 || mids[n - 1] != mids[i])
			mids[n++] = mids[i];
	}
	return n;
}

/* Does the next slice that isn't denied: the user may be allowed to do it to some of
   the messages only, and it's for all that the operation fails or not. */
static enum mapi_error
message_operation_work(struct message_operation *mop,
		       struct mapi_folder *folder, struct mapi_folder *dest)
{
	struct rop_operation *op = &mop->op;
	unsigned int count;
	enum mapi_error error = EC_ACCESS_DENIED;
	bool partial;

	while (error == EC_ACCESS_DENIED && op->done < op->total) {
		count = I_MIN(op->total - op->done, mop->work.slice);
		partial = FALSE;
		error = mop->work.func(&mop->work, folder, dest,
				       mop->mids + op->done, count, &partial);
		op->done += count;
		if (partial)
			op->partial = TRUE;
		if (error == EC_NONE)
			mop->worked = TRUE;
		else if (error == EC_ACCESS_DENIED)
			mop->denied = TRUE;
	}
	return error == EC_ACCESS_DENIED && mop->worked ? EC_NONE : error;
}

static bool
message_operation_run(struct rop_operation *op, struct mapi_folder *folder,
		      struct mapi_folder *dest)
{
	struct message_operation *mop =
		container_of(op, struct message_operation, op);

	op->error = message_operation_work(mop, folder, dest);
	if (mop->worked && (op->error != EC_NONE || mop->denied))
		op->partial = TRUE;
	return op->error == EC_NONE && op->done < op->total;
}

static enum mapi_error
messages_work(struct rop_context *ctx, const struct message_work *work,
	      const struct rop_request_header *hdr, bool asynchronous,
	      const mapi_id_t *mids, unsigned int count, uint8_t *partial_r)
{
	struct message_operation *mop;
	enum mapi_error error;
	bool partial = FALSE;

	if (!asynchronous || count <= work->slice) {
		error = work->func(work, (struct mapi_folder *)ctx->object,
				   (struct mapi_folder *)ctx->second_object,
				   mids, count, &partial);
		*partial_r = partial ? 1 : 0;
		return error;
	}
	mop = talloc_zero(ctx->mem, struct message_operation);
	mop->op.rop_id = hdr->rop_id;
	mop->op.run = message_operation_run;
	mop->work = *work;
	mop->mids = talloc_memdup(mop, mids, sizeof(*mids) * count);
	mop->op.total = message_ids_sort(mop->mids, count);
	return rop_operation_start(ctx, &mop->op, partial_r);
}

static enum mapi_error
work_set_read(const struct message_work *work, struct mapi_folder *folder,
	      struct mapi_folder *dest ATTR_UNUSED, const mapi_id_t *mids,
	      unsigned int count, bool *partial_r)
{
	return mapi_messages_set_read(folder->obj.store, folder->fid, mids,
				      count, &work->read, partial_r);
}

/* Clients that haven't said that they can are never told to ask for progress of this
   one: [MS-OXCMSG] 3.2.5.10. */
enum mapi_error
rop_set_read_flags(struct rop_context *ctx,
		   const struct rop_set_read_flags_request *req,
		   struct rop_set_read_flags_response *resp_r)
{
	struct message_work work = {
		.func = work_set_read,
		.slice = ROP_OPERATION_SLICE,
	};
	bool asynchronous =
		rop_operation_is_allowed(ctx, req->want_asynchronous) &&
		(ctx->logon->open_flags & LOGON_OPEN_SUPPORT_PROGRESS) != 0;
	enum mapi_error error;

	if (!rop_operation_fits(ctx, asynchronous,
				sizeof(resp_r->partial_completion)))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_read_change_parse(req->read_flags, &work.read);
	if (error != EC_NONE)
		return error;
	return messages_work(ctx, &work, &req->hdr, asynchronous,
			     req->message_ids, req->message_id_count,
			     &resp_r->partial_completion);
}

static enum mapi_error
work_copy(const struct message_work *work, struct mapi_folder *folder,
	  struct mapi_folder *dest, const mapi_id_t *mids, unsigned int count,
	  bool *partial_r)
{
	return mapi_messages_copy(folder->obj.store, folder->fid,
				  dest->obj.store, dest->fid, mids, count,
				  work->move, partial_r);
}

enum mapi_error
rop_move_copy_messages(struct rop_context *ctx,
		       const struct rop_move_copy_messages_request *req,
		       struct rop_move_copy_messages_response *resp_r)
{
	const struct message_work work = {
		.func = work_copy,
		.slice = ROP_OPERATION_SLICE / MAPI_MESSAGE_COPY_COST,
		.move = req->want_copy == 0,
	};
	bool asynchronous =
		rop_operation_is_allowed(ctx, req->want_asynchronous);

	if (!rop_operation_fits(ctx, asynchronous,
				sizeof(resp_r->dest_handle_index) +
				sizeof(resp_r->partial_completion)))
		return EC_BUFFER_TOO_SMALL;
	if (ctx->second_object == NULL) {
		/* [MS-OXCROPS] 2.2.4.6.3: Null Destination Failure */
		resp_r->dest_handle_index = req->hdr.output_index;
		return EC_DST_NULL_OBJECT;
	}
	if (ctx->second_object->type != MAPI_OBJECT_FOLDER)
		return EC_NOT_SUPPORTED;
	return messages_work(ctx, &work, &req->hdr, asynchronous,
			     req->message_ids, req->message_id_count,
			     &resp_r->partial_completion);
}

static enum mapi_error
work_delete(const struct message_work *work, struct mapi_folder *folder,
	    struct mapi_folder *dest ATTR_UNUSED, const mapi_id_t *mids,
	    unsigned int count, bool *partial_r)
{
	if (work->notify_non_read) {
		return mapi_messages_delete_notify(folder->obj.store,
						   folder->fid, mids, count,
						   work->hard, partial_r);
	}
	return work->hard ?
		mapi_messages_delete(folder->obj.store, folder->fid, mids,
				     count, partial_r) :
		mapi_messages_soft_delete(folder->obj.store, folder->fid, mids,
					  count, partial_r);
}

static enum mapi_error
messages_delete(struct rop_context *ctx, bool hard,
		const struct rop_request_header *hdr, uint8_t want_asynchronous,
		uint8_t notify_non_read, const mapi_id_t *mids,
		unsigned int count, uint8_t *partial_r)
{
	const struct message_work work = {
		.func = work_delete,
		.slice = hard ? ROP_OPERATION_SLICE :
			ROP_OPERATION_SLICE / MAPI_MESSAGE_COPY_COST,
		.hard = hard,
		.notify_non_read = notify_non_read != 0,
	};
	bool asynchronous = rop_operation_is_allowed(ctx, want_asynchronous);

	if (!rop_operation_fits(ctx, asynchronous, sizeof(*partial_r)))
		return EC_BUFFER_TOO_SMALL;
	return messages_work(ctx, &work, hdr, asynchronous, mids, count,
			     partial_r);
}

enum mapi_error
rop_delete_messages(struct rop_context *ctx,
		    const struct rop_delete_messages_request *req,
		    struct rop_delete_messages_response *resp_r)
{
	return messages_delete(ctx, FALSE, &req->hdr, req->want_asynchronous,
			       req->notify_non_read, req->message_ids,
			       req->message_id_count,
			       &resp_r->partial_completion);
}

enum mapi_error
rop_hard_delete_messages(struct rop_context *ctx,
			 const struct rop_hard_delete_messages_request *req,
			 struct rop_hard_delete_messages_response *resp_r)
{
	return messages_delete(ctx, TRUE, &req->hdr, req->want_asynchronous,
			       req->notify_non_read, req->message_ids,
			       req->message_id_count,
			       &resp_r->partial_completion);
}

/* --- one message ------------------------------------------------------------ */

/* ReadStatusChanged is for logons to public folders only, and so are the fields
   that follow it: [MS-OXCROPS] 2.2.6.11.2, [MS-OXCMSG] 2.2.3.11.2. */
enum mapi_error
rop_set_message_read_flag(struct rop_context *ctx,
			  const struct rop_set_message_read_flag_request *req,
			  struct rop_set_message_read_flag_response *resp_r)
{
	struct mapi_message *msg = (struct mapi_message *)ctx->object;
	struct mapi_read_change change;
	enum mapi_error error;

	if (!rop_response_fits(ctx, sizeof(resp_r->read_status_changed)))
		return EC_BUFFER_TOO_SMALL;
	error = mapi_read_change_parse(req->read_flags, &change);
	if (error == EC_NONE)
		error = mapi_message_set_read(msg, &change);
	resp_r->read_status_changed = 0;
	return error;
}

/* The message needn't be open. */
enum mapi_error
rop_get_message_status(struct rop_context *ctx,
		       const struct rop_get_message_status_request *req,
		       struct rop_get_message_status_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;

	return mapi_message_get_status(folder->obj.store, folder->fid,
				       req->message_id,
				       &resp_r->message_status_flags);
}

/* The answer is what was set before, as IMAPIFolder::SetMessageStatus gives it
   to its caller. */
enum mapi_error
rop_set_message_status(struct rop_context *ctx,
		       const struct rop_set_message_status_request *req,
		       struct rop_set_message_status_response *resp_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)ctx->object;

	if (!rop_response_fits(ctx, sizeof(resp_r->message_status_flags)))
		return EC_BUFFER_TOO_SMALL;
	return mapi_message_set_status(folder->obj.store, folder->fid,
				       req->message_id,
				       req->message_status_flags,
				       req->message_status_mask,
				       &resp_r->message_status_flags);
}
