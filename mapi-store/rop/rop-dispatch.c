/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A ROP buffer is parsed completely before the first of its requests is
   executed, since one that can't be parsed fails the Execute ([MS-OXCROPS]
   3.2.5.1) and the client then believes that none of it has happened.

   Output space: whatever happens, the requests that aren't executed must fit
   into the output, in a RopBufferTooSmall. So before each request the space
   that is left is at least rop_dispatch_reserve() of it, and its response may
   take what is left but for the reserve of the requests after it. A response
   that doesn't fit becomes RopBufferTooSmall and the client sends the rest
   again with nothing before it - which can't help if there was nothing before
   it already and the output is as large as it can get. Then the operation
   fails with EC_BUFFER_TOO_SMALL, or the client would go on forever. */

#include "lib.h"
#include "lib-event.h"

#include "mapi-session.h"
#include "mapi-rops.h"
#include "mapi-rpcext.h"
#include "rop.h"
#include "rop-dispatch.h"
#include "rop-operation.h"

/* RopId, SizeNeeded */
#define ROP_BUFFER_TOO_SMALL_MIN_SIZE 3
/* extended buffers in one Execute, [MS-OXCRPC] 3.1.4.2.1.2.2 */
#define ROP_CHAIN_MAX 96

struct rop_request {
	const struct rop_codec *codec;
	/* decoded; begins with the header */
	const struct rop_request_header *req;
	/* where in the buffer */
	size_t offset, size;
	/* of a part of it that isn't needed to understand the others */
	enum mapi_error error;
};

/* One extended buffer's payload on its way through. */
struct rop_dispatch {
	struct mapi_session *session;
	TALLOC_CTX *mem;

	/* RopsList without RopSize */
	const uint8_t *rops;
	size_t rops_size;
	struct rop_request *requests;
	unsigned int count;
	/* of the same Execute, after which this one is executed */
	const struct rop_dispatch *next;

	/* the Server object handle table */
	uint32_t handles[ROP_HANDLES_MAX];
	unsigned int handle_count;

	/* RopsList of the output */
	struct mapi_push out;
	/* bytes that RopSize, RopsList and handle table may take together */
	size_t limit;
};

static enum mapi_error
rop_dispatch_parse_request(struct rop_dispatch *buf, struct mapi_pull *pull,
			   struct rop_request *request)
{
	const struct rop_codec *codec;
	unsigned int output_index;
	void *req;

	/* A client must not send reserved numbers nor the server's:
	   [MS-OXCROPS] 2.2.2 */
	codec = rop_codec_find(pull->data[pull->pos]);
	if (codec == NULL || codec->request == NULL)
		return EC_RPC_FORMAT;
	request->codec = codec;
	request->offset = pull->pos;
	req = talloc_zero_size(buf->mem, rop_request_size(codec));
	if (req == NULL)
		return EC_MEMORY;
	request->error = rop_decode_request(pull, codec, NULL, req);
	if (!mapi_pull_ok(pull))
		return request->error;
	request->req = req;
	request->size = pull->pos - request->offset;

	/* The table must have a place for every new handle: [MS-OXCROPS]
	   3.2.5.2 */
	if ((codec->flags & ROP_OUTPUT) != 0) {
		output_index = request->req->output_index;
		while (buf->handle_count <= output_index &&
		       output_index < ROP_HANDLES_MAX)
			buf->handles[buf->handle_count++] = ROP_HANDLE_NONE;
	}
	return EC_NONE;
}

static enum mapi_error
rop_dispatch_parse(struct rop_dispatch *buf, const struct rop_buffer *input)
{
	struct mapi_pull pull;
	unsigned int allocated = 0;
	enum mapi_error ret;

	buf->rops = input->rops;
	buf->rops_size = input->rops_size;
	buf->handle_count = input->handle_count;
	memcpy(buf->handles, input->handles,
	       input->handle_count * sizeof(buf->handles[0]));

	mapi_pull_init(&pull, buf->mem, buf->rops, buf->rops_size);
	while (mapi_pull_left(&pull) > 0) {
		if (buf->count == allocated) {
			allocated = I_MAX(8, allocated * 2);
			buf->requests = talloc_realloc(buf->mem, buf->requests,
						       struct rop_request,
						       allocated);
			if (buf->requests == NULL)
				return EC_MEMORY;
		}
		ret = rop_dispatch_parse_request(buf, &pull,
						 &buf->requests[buf->count]);
		if (ret != EC_NONE)
			return ret;
		buf->count++;
	}
	return EC_NONE;
}

/* Space that RopBufferTooSmall needs if request i and those after it aren't
   executed. */
static size_t rop_dispatch_reserve(const struct rop_dispatch *buf, unsigned int i)
{
	if (i == buf->count)
		return 0;
	return ROP_BUFFER_TOO_SMALL_MIN_SIZE + buf->rops_size -
		buf->requests[i].offset;
}

/* Space that the whole extended buffer needs if nothing of it is executed. */
static size_t rop_dispatch_min_size(const struct rop_dispatch *buf)
{
	return RPC_HEADER_EXT_SIZE + sizeof(uint16_t) +
		rop_dispatch_reserve(buf, 0) +
		buf->handle_count * sizeof(uint32_t);
}

/* Space for the response to request i. */
static size_t rop_dispatch_space(const struct rop_dispatch *buf, unsigned int i)
{
	size_t used = sizeof(uint16_t) + buf->out.size +
		rop_dispatch_reserve(buf, i + 1) +
		buf->handle_count * sizeof(uint32_t);

	return used >= buf->limit ? 0 : buf->limit - used;
}

static bool
rop_dispatch_object(struct rop_dispatch *buf, uint8_t logon_id, uint8_t index,
		  struct mapi_object **object_r, uint32_t *handle_r)
{
	if (index >= buf->handle_count)
		return FALSE;
	*handle_r = buf->handles[index];
	*object_r = mapi_session_object(buf->session, logon_id, *handle_r);
	return *object_r != NULL;
}

static void
rop_dispatch_release(struct rop_dispatch *buf,
		   const struct rop_request_header *hdr)
{
	/* There's no response, not even to an error. */
	if (hdr->input_index >= buf->handle_count)
		return;
	(void)mapi_session_release(buf->session, hdr->logon_id,
				   buf->handles[hdr->input_index]);
	buf->handles[hdr->input_index] = ROP_HANDLE_NONE;
}

static enum mapi_error
rop_dispatch_resolve(struct rop_dispatch *buf,
		     const struct rop_request *request,
		     const struct rop_handler *handler,
		     struct rop_context *ctx)
{
	const struct rop_request_header *hdr = request->req;
	uint32_t handle;

	ctx->logon_id = hdr->logon_id;
	if ((request->codec->flags & ROP_OUTPUT) != 0 &&
	    hdr->output_index >= buf->handle_count)
		return EC_NULL_OBJECT;
	if ((request->codec->flags & ROP_INPUT) == 0) {
		/* RopLogon: the new logon's */
		ctx->object_parent = talloc_new(buf->session);
		return EC_NONE;
	}

	ctx->logon = mapi_session_logon(buf->session, hdr->logon_id);
	if (ctx->logon == NULL)
		return EC_NULL_OBJECT;
	ctx->object_parent = mapi_session_logon_mem(buf->session,
						    hdr->logon_id);
	if (!rop_dispatch_object(buf, hdr->logon_id, hdr->input_index,
			       &ctx->object, &ctx->handle))
		return EC_NULL_OBJECT;
	if ((handler->object_types & ctx->object->type) == 0)
		return EC_NOT_SUPPORTED;
	if ((request->codec->flags & ROP_RESPONSE) != 0) {
		(void)rop_dispatch_object(buf, hdr->logon_id, hdr->output_index,
					&ctx->second_object, &handle);
	} else if ((request->codec->flags & ROP_DEST) != 0 &&
		   hdr->output_index < buf->handle_count) {
		/* LogonId is the source's: the destination may be in another
		   mailbox */
		ctx->second_handle = buf->handles[hdr->output_index];
		ctx->second_object = mapi_session_any_object(buf->session,
			ctx->second_handle);
	}
	return EC_NONE;
}

/* Gives ctx->output_object a handle, which goes to its place in the table. */
static enum mapi_error
rop_dispatch_add_output(struct rop_dispatch *buf,
		      const struct rop_request_header *hdr,
		      struct rop_context *ctx)
{
	enum mapi_error ret;
	uint32_t handle;

	ret = mapi_session_add_object(buf->session, hdr->logon_id,
				      ctx->output_object, &handle);
	if (ret != EC_NONE)
		return ret;
	ctx->output_object = NULL;
	buf->handles[hdr->output_index] = handle;
	return EC_NONE;
}

/* Whether there are requests after number i that end an operation of the logon:
   rop-operation.h. A handle that is released may be the operation's, so all are taken
   for it. */
static bool
rop_dispatch_is_followed(const struct rop_dispatch *buf, unsigned int i,
			 uint8_t logon_id)
{
	const struct rop_request_header *hdr;

	for (i++; buf != NULL; buf = buf->next, i = 0) {
		for (; i < buf->count; i++) {
			hdr = buf->requests[i].req;
			if (hdr->logon_id == logon_id &&
			    hdr->rop_id != ROP_PROGRESS)
				return TRUE;
		}
	}
	return FALSE;
}

/* Appends the response, of the request's operation or of the one that codec is. On
   errors there's nothing in out. */
static enum mapi_error
rop_dispatch_respond_as(struct rop_dispatch *buf,
			const struct rop_request *request,
			const struct rop_codec *codec,
			struct rop_response_header *resp, size_t limit)
{
	const struct rop_request_header *hdr = request->req;

	resp->handle_index = (codec->flags & ROP_ANSWERS_OUTPUT) != 0 ?
		hdr->output_index : hdr->input_index;
	buf->out.limit = buf->out.size + limit;
	return rop_encode_response(&buf->out, codec, NULL, resp);
}

static enum mapi_error
rop_dispatch_respond(struct rop_dispatch *buf,
		     const struct rop_request *request,
		     struct rop_response_header *resp, size_t limit)
{
	return rop_dispatch_respond_as(buf, request, request->codec, resp,
				       limit);
}

static enum mapi_error
rop_dispatch_fail(struct rop_dispatch *buf, const struct rop_request *request,
		  struct rop_response_header *resp, size_t limit,
		  enum mapi_error error)
{
	resp->return_value = error;
	return rop_dispatch_respond(buf, request, resp, limit) == EC_NONE ?
		error : EC_BUFFER_TOO_SMALL;
}

/* [MS-OXCROPS] 2.2.15.1, 3.2.5.4: with request i and all after it */
static void
rop_dispatch_too_small(struct rop_dispatch *buf, unsigned int i,
		     size_t size_needed)
{
	const struct rop_request *request = &buf->requests[i];
	struct rop_buffer_too_small_response resp;

	/* for a buffer of its own, with everything around it */
	size_needed += RPC_HEADER_EXT_SIZE + sizeof(uint16_t) +
		rop_dispatch_reserve(buf, i + 1) +
		buf->handle_count * sizeof(uint32_t);
	size_needed = I_MIN(size_needed, RPC_HEADER_EXT_SIZE +
			    ROP_PAYLOAD_MAX);

	i_zero(&resp);
	resp.size_needed = size_needed;
	resp.request_buffers_size = buf->rops_size - request->offset;
	resp.request_buffers = buf->rops + request->offset;
	buf->out.limit = buf->limit;
	if (rop_encode_response(&buf->out,
				rop_codec_find(ROP_BUFFER_TOO_SMALL),
				NULL, &resp) != EC_NONE)
		i_unreached();
}

/* Calls the handler. Its response is in out then, or the error says why
   not: EC_BUFFER_TOO_SMALL with needed_r. */
static enum mapi_error
rop_dispatch_call(struct rop_dispatch *buf, const struct rop_request *request,
		  struct rop_context *ctx, struct rop_response_header *resp,
		  size_t *needed_r, struct event *event)
{
	const struct rop_request_header *hdr = request->req;
	const struct rop_handler *handler;
	size_t old_size = buf->out.size;
	enum mapi_error error, ret;

	*needed_r = 0;
	handler = mapi_session_handler(buf->session, hdr->rop_id);
	if (handler == NULL)
		error = EC_NOT_SUPPORTED;
	else
		error = rop_dispatch_resolve(buf, request, handler, ctx);
	if (error == EC_NONE)
		error = request->error;
	if (error == EC_NONE) {
		error = handler->func(ctx, hdr, resp);
		i_assert(error == EC_NONE || ctx->output_object == NULL);
		if (error == EC_BUFFER_TOO_SMALL) {
			*needed_r = ctx->size_needed;
			return error;
		}
	}

	if (ctx->answer != NULL) {
		/* the handler has made sure that it fits */
		ctx->answer->return_value = error;
		ret = rop_dispatch_respond_as(buf, request,
			rop_codec_find(ctx->answer_id), ctx->answer,
			ctx->response_space);
		i_assert(ret == EC_NONE);
		return error;
	}
	resp->return_value = error;
	ret = rop_dispatch_respond(buf, request, resp, ctx->response_space);
	if (ret == EC_BUFFER_TOO_SMALL) {
		/* how much would it have been? */
		if (rop_dispatch_respond(buf, request, resp,
					 ROP_PAYLOAD_MAX) == EC_NONE) {
			*needed_r = buf->out.size - old_size;
			mapi_push_rollback(&buf->out, old_size);
		}
		return ret;
	}
	if (ret != EC_NONE) {
		e_error(event, "%s: Response can't be encoded: %s",
			request->codec->name, mapi_error_name(ret));
		return rop_dispatch_fail(buf, request, resp,
					 ctx->response_space, EC_ERROR);
	}
	if (ctx->output_object != NULL) {
		error = rop_dispatch_add_output(buf, hdr, ctx);
		if (error != EC_NONE) {
			mapi_push_rollback(&buf->out, old_size);
			return rop_dispatch_fail(buf, request, resp,
						 ctx->response_space, error);
		}
	}
	return error;
}

/* Returns FALSE if the request has not been executed because there's not
   enough space for the response. */
static bool
rop_dispatch_one(struct rop_dispatch *buf, unsigned int i)
{
	const struct rop_request *request = &buf->requests[i];
	const struct rop_request_header *hdr = request->req;
	struct rop_response_header *resp;
	struct rop_context ctx;
	struct event *event;
	enum mapi_error error;
	size_t needed, old_size = buf->out.size;

	if (hdr->rop_id == ROP_RELEASE) {
		rop_dispatch_release(buf, hdr);
		return TRUE;
	}

	i_zero(&ctx);
	ctx.mem = talloc_new(buf->mem);
	ctx.session = buf->session;
	ctx.followed = hdr->rop_id != ROP_PROGRESS &&
		rop_dispatch_is_followed(buf, i, hdr->logon_id);
	ctx.response_space = rop_dispatch_space(buf, i);
	resp = talloc_zero_size(ctx.mem, rop_response_size(request->codec));
	if (ctx.mem == NULL || resp == NULL)
		i_fatal_status(FATAL_OUTOFMEM, "talloc() failed");

	/* [MS-OXCPRPT] 3.1.5 */
	if (hdr->rop_id != ROP_PROGRESS)
		rop_operation_interrupt(buf->session, hdr->logon_id);
	event = event_create(mapi_session_event(buf->session));
	error = rop_dispatch_call(buf, request, &ctx, resp, &needed, event);
	if (buf->out.size == old_size && old_size == 0 &&
	    buf->limit >= ROP_PAYLOAD_MAX) {
		/* the next time would be just the same */
		error = rop_dispatch_fail(buf, request, resp,
					  ctx.response_space, error);
	}
	if (ctx.output_object != NULL)
		talloc_free(ctx.output_object);
	if (ctx.object_parent != NULL && ctx.object_parent !=
	    mapi_session_logon_mem(buf->session, hdr->logon_id)) {
		/* the logon has failed */
		talloc_free(ctx.object_parent);
	}
	talloc_free(ctx.mem);

	event_add_str(event, "rop", request->codec->name);
	event_add_str(event, "error", mapi_error_name(error));
	event_add_int(event, "bytes_in", request->size);
	event_add_int(event, "bytes_out", buf->out.size - old_size);
	e_debug(event_create_passthrough(event)->
			set_name("mapi_rop_finished")->event(),
		"%s (logon %u): %s, %zu bytes in, %zu out",
		request->codec->name, hdr->logon_id, mapi_error_name(error),
		request->size, buf->out.size - old_size);
	event_unref(&event);

	if (buf->out.size == old_size) {
		rop_dispatch_too_small(buf, i, needed);
		return FALSE;
	}
	return TRUE;
}

/* Executes one payload and appends its output, an extended buffer. limit is
   what it may have in all. */
static enum mapi_error
rop_dispatch_run(struct rop_dispatch *buf, struct mapi_push *output,
		 size_t limit, bool last)
{
	struct rop_buffer result;
	struct mapi_push payload;
	bool executed = TRUE;

	/* Who sends more than a payload may have gets as much back if need
	   be. */
	limit -= RPC_HEADER_EXT_SIZE;
	buf->limit = rop_dispatch_min_size(buf) - RPC_HEADER_EXT_SIZE <=
		ROP_PAYLOAD_MAX ? ROP_PAYLOAD_MAX : RPC_EXT_PAYLOAD_MAX;
	buf->limit = I_MIN(buf->limit, limit);
	mapi_push_init(&buf->out, buf->mem, 0);
	for (unsigned int i = 0; i < buf->count && executed; i++) T_BEGIN {
		executed = rop_dispatch_one(buf, i);
	} T_END;

	i_zero(&result);
	result.rops = buf->out.data;
	result.rops_size = buf->out.size;
	result.handles = buf->handles;
	result.handle_count = buf->handle_count;
	mapi_push_init(&payload, buf->mem, buf->limit);
	if (!rop_buffer_encode(&payload, &result))
		return mapi_wire_error(payload.status);
	/* The connection is encrypted and, where that's worth it, compressed
	   already. */
	if (!mapi_push_rpc_ext(output, payload.data, payload.size,
			       last ? RPC_EXT_LAST : 0))
		return mapi_wire_error(output->status);
	return EC_NONE;
}

enum mapi_error
rop_dispatch_execute(struct mapi_session *session, TALLOC_CTX *mem,
		     const struct rop_execute_request *req,
		     struct rop_execute_response *resp_r)
{
	struct rpc_ext_payload *payloads;
	struct rop_dispatch *bufs;
	struct rop_buffer input;
	struct mapi_push output;
	size_t min_size, limit = I_MIN(req->max_rop_out, ROP_BUFFER_MAX);
	unsigned int i, count;
	enum mapi_error ret;

	i_zero(resp_r);
	if (req->rop_buffer_size < RPC_HEADER_EXT_SIZE ||
	    req->rop_buffer_size > ROP_BUFFER_MAX ||
	    limit < RPC_HEADER_EXT_SIZE)
		return EC_RPC_FAILED;
	if (!mapi_rpc_ext_decode_chain(mem, req->rop_buffer,
				       req->rop_buffer_size,
				       ROP_CHAIN_MAX, &payloads, &count))
		return EC_RPC_FORMAT;

	min_size = 0;
	bufs = talloc_zero_array(mem, struct rop_dispatch, count);
	if (bufs == NULL)
		return EC_MEMORY;
	for (i = 0; i < count; i++) {
		if (!rop_buffer_decode(mem, payloads[i].data, payloads[i].size,
				       &input))
			return EC_RPC_FORMAT;
		bufs[i].session = session;
		bufs[i].mem = mem;
		bufs[i].next = i + 1 < count ? &bufs[i + 1] : NULL;
		ret = rop_dispatch_parse(&bufs[i], &input);
		if (ret != EC_NONE)
			return ret;
		if (rop_dispatch_min_size(&bufs[i]) >
		    RPC_HEADER_EXT_SIZE + RPC_EXT_PAYLOAD_MAX)
			return EC_BUFFER_TOO_SMALL;
		min_size += rop_dispatch_min_size(&bufs[i]);
	}
	if (min_size > limit)
		return EC_BUFFER_TOO_SMALL;

	mapi_push_init(&output, mem, limit);
	for (i = 0; i < count; i++) {
		min_size -= rop_dispatch_min_size(&bufs[i]);
		ret = rop_dispatch_run(&bufs[i], &output,
				       limit - output.size - min_size,
				       i + 1 == count);
		if (ret != EC_NONE)
			return ret;
	}
	resp_r->rop_buffer = output.data;
	resp_r->rop_buffer_size = output.size;
	return EC_NONE;
}
