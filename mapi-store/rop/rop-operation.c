/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-session.h"
#include "rop-handlers.h"
#include "rop-operation.h"

/* LogonId, CompletedTaskCount, TotalTaskCount */
#define PROGRESS_SIZE (1 + 4 + 4)

/* Where PartialCompletion is in the responses of operations that are executed
   asynchronously */
#define OPERATION(NAME, name) \
	{ ROP_##NAME, offsetof(struct rop_##name##_response, \
			       partial_completion) }
static const struct {
	uint8_t rop_id;
	size_t partial_offset;
} operations[] = {
	OPERATION(DELETE_MESSAGES, delete_messages),
	OPERATION(HARD_DELETE_MESSAGES, hard_delete_messages),
	OPERATION(MOVE_COPY_MESSAGES, move_copy_messages),
	OPERATION(SET_READ_FLAGS, set_read_flags),
	OPERATION(EMPTY_FOLDER, empty_folder),
	OPERATION(HARD_DELETE_MESSAGES_AND_SUBFOLDERS,
		  hard_delete_messages_and_subfolders),
};

bool rop_operation_is_allowed(const struct rop_context *ctx,
			      uint8_t want_asynchronous)
{
	return want_asynchronous != 0 && !ctx->followed;
}

bool rop_operation_fits(struct rop_context *ctx, bool asynchronous, size_t size)
{
	return rop_response_fits(ctx, asynchronous ?
				 I_MAX(size, PROGRESS_SIZE) : size);
}

/* Nothing of it is needed any more but for the response. */
static void rop_operation_finish(struct rop_operation *op)
{
	op->finished = TRUE;
	talloc_free_children(op);
}

static void rop_operation_abort(struct rop_operation *op)
{
	if (op->finished)
		return;
	op->partial = TRUE;
	rop_operation_finish(op);
}

/* Handles aren't given out again, so that they are those of the folders that the
   operation began with. */
static void
rop_operation_run(struct rop_context *ctx, struct rop_operation *op)
{
	struct mapi_object *obj, *dest = NULL;

	obj = mapi_session_object(ctx->session, ctx->logon_id, op->handle);
	if (op->dest_handle != 0) {
		dest = mapi_session_any_object(ctx->session, op->dest_handle);
		if (dest == NULL)
			obj = NULL;
	}
	if (obj == NULL) {
		rop_operation_abort(op);
		return;
	}
	i_assert(obj->type == MAPI_OBJECT_FOLDER);
	if (!op->run(op, (struct mapi_folder *)obj, (struct mapi_folder *)dest))
		rop_operation_finish(op);
}

static void
rop_progress_fill(const struct rop_context *ctx, const struct rop_operation *op,
		  struct rop_progress_response *resp_r)
{
	resp_r->logon_id = ctx->logon_id;
	resp_r->completed_task_count = op->done;
	resp_r->total_task_count = I_MAX(op->total, op->done);
}

enum mapi_error
rop_operation_start(struct rop_context *ctx, struct rop_operation *op,
		    uint8_t *partial_r)
{
	struct rop_progress_response *resp;

	op->handle = ctx->handle;
	op->dest_handle = ctx->second_object == NULL ? 0 : ctx->second_handle;
	rop_operation_run(ctx, op);
	if (op->finished) {
		*partial_r = op->partial ? 1 : 0;
		return op->error;
	}
	mapi_session_set_operation(ctx->session, ctx->logon_id, op);
	resp = talloc_zero(ctx->mem, struct rop_progress_response);
	rop_progress_fill(ctx, op, resp);
	ctx->answer_id = ROP_PROGRESS;
	ctx->answer = &resp->hdr;
	return EC_NONE;
}

void rop_operation_interrupt(struct mapi_session *session, uint8_t logon_id)
{
	struct rop_operation *op = mapi_session_operation(session, logon_id);

	if (op != NULL)
		rop_operation_abort(op);
}

/* The operation's own response instead of RopProgress's */
static enum mapi_error
rop_progress_end(struct rop_context *ctx, struct rop_operation *op)
{
	enum mapi_error error = op->error;
	unsigned int i;

	for (i = 0; operations[i].rop_id != op->rop_id; i++)
		i_assert(i + 1 < N_ELEMENTS(operations));
	ctx->answer_id = op->rop_id;
	ctx->answer = talloc_zero_size(ctx->mem,
		rop_response_size(rop_codec_find(op->rop_id)));
	if (op->partial) {
		*(uint8_t *)PTR_OFFSET(ctx->answer,
				       operations[i].partial_offset) = 1;
	}
	mapi_session_set_operation(ctx->session, ctx->logon_id, NULL);
	return error;
}

/* By [MS-OXCROPS] 3.1.5.2 it is sent with the handles that the operation was sent
   with. As there is one operation for each logon, it's found by that. */
enum mapi_error rop_progress(struct rop_context *ctx,
			     const struct rop_progress_request *req,
			     struct rop_progress_response *resp_r)
{
	struct rop_operation *op =
		mapi_session_operation(ctx->session, ctx->logon_id);

	if (op == NULL)
		return EC_NOT_FOUND;
	if (!rop_response_fits(ctx, PROGRESS_SIZE))
		return EC_BUFFER_TOO_SMALL;
	if (req->want_cancel != 0)
		rop_operation_abort(op);
	else if (!op->finished)
		rop_operation_run(ctx, op);
	if (op->finished)
		return rop_progress_end(ctx, op);
	rop_progress_fill(ctx, op, resp_r);
	return EC_NONE;
}
