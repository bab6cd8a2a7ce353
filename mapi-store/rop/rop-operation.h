/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ROP_OPERATION_H
#define ROP_OPERATION_H

/* Remote operations that go on after the request that has begun them:
   [MS-OXCFOLD] 3.1.5.2, [MS-OXCMSG] 3.2.5.10, [MS-OXCPRPT] 2.2.23, 3.1.5,
   3.2.5.20.

   A client that allows for it (WantAsynchronous) gets a RopProgress response
   while there is something left to do, and asks with RopProgress requests until
   it gets the operation's own response. Each of these requests, the first one
   included, does a slice of the work; nothing is done between them. So other
   requests wait for a slice at most, and what nobody asks for any more isn't
   done behind anyone's back. What a slice has done is durable. An operation that
   ends early has done what its slices have done, and has PartialCompletion set.

   It ends early if the client cancels it (WantCancel), if a folder that it works
   on is released, and with any other operation of the same logon, of which there
   is one at a time. RopRelease of anything else doesn't count: clients keep it
   until they have something else to send. */

#include "rop.h"

struct mapi_folder;

/* The work of a slice: so many messages whose flags are changed or that are
   expunged, or fewer where it's more work (MAPI_MESSAGE_COPY_COST). That's some
   10 ms, or seconds where everything is slow. What is smaller is done at once. Each
   slice is a transaction, and costs something for each message that the folder
   has, above all in a Maildir, which is read again. So it's to be large, and what
   concerns a whole folder is divided into no more than ROP_OPERATION_SLICES_MAX
   slices. */
#define ROP_OPERATION_SLICE 6000
#define ROP_OPERATION_SLICES_MAX 10

/* What a handler makes of the request, as the first member of a struct of its own. It's
   the only thing that the work may refer to. */
struct rop_operation {
	/* whose response there will be */
	uint8_t rop_id;
	/* messages and the like, approximately */
	unsigned int done, total;
	/* for the response */
	bool partial;
	enum mapi_error error;

	/* Does a slice, and changes the above. Returns FALSE if that was the last
	   one. dest is NULL unless the request has one. */
	bool (*run)(struct rop_operation *op, struct mapi_folder *folder,
		    struct mapi_folder *dest);

	/* the rest is rop-operation.c's */
	uint32_t handle, dest_handle;
	bool finished;
};

/* Whether the operation may go on after this request: the client allows for it, and
   does nothing else in the same Execute. */
bool rop_operation_is_allowed(const struct rop_context *ctx,
			      uint8_t want_asynchronous);
/* rop_response_fits() for a response that, if so, may be RopProgress's instead. */
bool rop_operation_fits(struct rop_context *ctx, bool asynchronous, size_t size);
/* Begins with op, a child of ctx->mem. What it returns is the result of the handler:
   the operation's own if the first slice was all. */
enum mapi_error
rop_operation_start(struct rop_context *ctx, struct rop_operation *op,
		    uint8_t *partial_r);
/* Another operation of the logon is going to be executed. */
void rop_operation_interrupt(struct mapi_session *session, uint8_t logon_id);

#endif
