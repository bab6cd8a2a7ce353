/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ROP_H
#define ROP_H

/* What a remote operation's handler sees. A handler is thin: its request is
   decoded, its input objects are looked up and of a type that the operation
   allows, the logon exists. It calls the store, fills the response and returns
   the error code that the specification names for the case. Encoding, handles
   and output space are the dispatcher's business (rop-dispatch.h). */

#include "mapi-object.h"

struct mapi_session;
struct mapi_logon;

struct rop_context {
	/* For the response and for scratch. Freed after the response has been
	   encoded. */
	TALLOC_CTX *mem;
	/* Parent for objects that the client gets a handle of. */
	TALLOC_CTX *object_parent;

	struct mapi_session *session;
	/* LogonId of the request, and the logon that it stands for: NULL only
	   in RopLogon */
	uint8_t logon_id;
	struct mapi_logon *logon;

	/* The object behind InputHandleIndex (SourceHandleIndex), of one of
	   the types in the operation's row; NULL only in RopLogon. */
	struct mapi_object *object;
	/* its handle */
	uint32_t handle;
	/* The second object of operations that have two: behind DestHandleIndex,
	   of any logon, or, for RopSaveChangesMessage, RopSaveChangesAttachment
	   and RopSetMessageReadFlag, behind ResponseHandleIndex. Else NULL. Its
	   type isn't checked. */
	struct mapi_object *second_object;
	/* its handle if it's a destination */
	uint32_t second_handle;
	/* The client has sent further operations on the logon with this one, which
	   are executed next. */
	bool followed;

	/* How many bytes the whole response, with its header, may have. A
	   handler whose operation has no limit of its own (RopQueryRows,
	   RopReadStream) fills no more than this. */
	size_t response_space;

	/* Set by the handler together with EC_NONE: the new object that gets a
	   handle (OutputHandleIndex), a child of object_parent. The dispatcher
	   owns it from then on. */
	struct mapi_object *output_object;
	/* Set by the handler if the client is to get another operation's response:
	   its RopId and the response, on mem (rop-operation.h). What the handler
	   returns is its return value. */
	uint8_t answer_id;
	struct rop_response_header *answer;
	/* Set by the handler together with EC_BUFFER_TOO_SMALL: size of the
	   response that would be needed; 0 if unknown. */
	size_t size_needed;
};

/* A handler for the operation X has the form

     enum mapi_error rop_x(struct rop_context *ctx,
			   const struct rop_x_request *req,
			   struct rop_x_response *resp_r);

   resp_r is zeroed before the call; its header is the dispatcher's to fill.
   Anything it points to belongs to ctx->mem or lives at least until the next
   operation. It is encoded in the operation's failure layout if an error is
   returned, so fields that are there also on failure (PartialCompletion)
   should be set.

   EC_BUFFER_TOO_SMALL means that response_space isn't enough and that nothing
   has been changed: the client gets RopBufferTooSmall with this and all
   further requests in it and sends them again. A handler that changes state
   must make sure beforehand that its response fits; one that changes nothing
   (RopGetPropertiesAll) need not look at response_space at all: the dispatcher
   does the same for it when the response turns out to be too long, and frees
   output_object then. */
typedef enum mapi_error
rop_handler_func_t(struct rop_context *ctx, const void *req, void *resp_r);

struct rop_handler {
	/* RopId */
	uint8_t id;
	/* bits of enum mapi_object_type that the input object may have */
	uint32_t object_types;
	rop_handler_func_t *func;
};

/* any type of object */
#define MAPI_OBJECT_ANY 0xffffffffU

#endif
