/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-rop.h"

#include <inttypes.h>
#include <string.h>

struct client_release {
	uint8_t logon_id;
	uint32_t handle;
};

struct client_request {
	const struct rop_codec *codec;
	/* as it is on the wire */
	const uint8_t *data;
	size_t size;
	struct rop_request_header hdr;
	struct rop_wire_context context;
	struct rop_response_header *response;
};

struct client_batch {
	struct client_session *session;
	uint32_t handles[ROP_HANDLES_MAX];
	unsigned int handle_count;
	struct client_request *requests;
	unsigned int count;
	/* requests before this one are answered */
	unsigned int done;
	unsigned int executes;
	/* the first that couldn't be added */
	const char *failure;
};

struct client_batch *client_batch_new(struct client_session *session,
				      TALLOC_CTX *mem)
{
	struct client_batch *batch = talloc_zero(mem, struct client_batch);
	struct rop_release_request release = { .hdr.rop_id = ROP_RELEASE };
	unsigned int i;

	batch->session = session;
	for (i = 0; i < session->release_count && i < ROP_HANDLES_MAX / 2;
	     i++) {
		release.hdr.logon_id = session->releases[i].logon_id;
		release.hdr.input_index =
			client_batch_handle(batch, session->releases[i].handle);
		client_batch_add(batch, &release, NULL, 0);
	}
	session->release_count -= i;
	if (session->release_count > 0) {
		memmove(session->releases, session->releases + i,
			session->release_count * sizeof(*session->releases));
	}
	return batch;
}

void client_session_release(struct client_session *session, uint8_t logon_id,
			    uint32_t handle)
{
	struct client_release *release;

	session->releases = talloc_realloc(session, session->releases,
					   struct client_release,
					   session->release_count + 1);
	release = &session->releases[session->release_count++];
	release->logon_id = logon_id;
	release->handle = handle;
}

static uint8_t client_batch_new_slot(struct client_batch *batch, uint32_t value)
{
	if (batch->handle_count == ROP_HANDLES_MAX) {
		batch->failure = "more than 255 handles in one batch";
		return 0;
	}
	batch->handles[batch->handle_count] = value;
	return batch->handle_count++;
}

uint8_t client_batch_handle(struct client_batch *batch, uint32_t handle)
{
	unsigned int i;

	for (i = 0; i < batch->handle_count; i++) {
		if (batch->handles[i] == handle && handle != ROP_HANDLE_NONE)
			return i;
	}
	return client_batch_new_slot(batch, handle);
}

uint8_t client_batch_output(struct client_batch *batch)
{
	return client_batch_new_slot(batch, ROP_HANDLE_NONE);
}

unsigned int client_batch_add(struct client_batch *batch, const void *request,
			      const uint32_t *columns, uint32_t column_count)
{
	const struct rop_request_header *hdr = request;
	struct client_request *req;
	struct mapi_push push;

	batch->requests = talloc_realloc(batch, batch->requests,
					 struct client_request,
					 batch->count + 1);
	req = &batch->requests[batch->count];
	memset(req, 0, sizeof(*req));
	req->codec = rop_codec_find(hdr->rop_id);
	req->hdr = *hdr;
	req->context.columns = columns;
	req->context.column_count = column_count;

	mapi_push_init(&push, batch, 0);
	if (req->codec == NULL || req->codec->request == NULL)
		batch->failure = "no such ROP";
	else if (rop_encode_request(&push, req->codec, &req->context,
				    request) != EC_NONE)
		batch->failure = req->codec->name;
	req->data = push.data;
	req->size = push.size;
	if (batch->session->trace != NULL && req->codec != NULL) {
		char *text = rop_print_request(batch, req->codec,
					       &req->context, request);

		fprintf(batch->session->trace, "-> %s\n", text);
		talloc_free(text);
	}
	return batch->count++;
}

/* --- answers --------------------------------------------------------------*/
static void
client_batch_trace(struct client_batch *batch, const struct rop_codec *codec,
		   const struct rop_wire_context *context, const void *response)
{
	char *text;

	if (batch->session->trace == NULL)
		return;
	text = rop_print_response(batch, codec, context, response);
	fprintf(batch->session->trace, "<- %s\n", text);
	talloc_free(text);
}

static int
client_batch_pull_response(struct client_batch *batch, struct mapi_pull *pull,
			   const struct rop_codec *codec,
			   const struct rop_wire_context *context,
			   struct rop_response_header **response_r,
			   struct client_error *error_r)
{
	*response_r = talloc_zero_size(batch, rop_response_size(codec));
	if (rop_decode_response(pull, codec, context, *response_r) != EC_NONE) {
		snprintf(error_r->rop, sizeof(error_r->rop), "%s", codec->name);
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			"its response can't be decoded (at byte %zu of %zu)",
			pull->pos, pull->size);
	}
	client_batch_trace(batch, codec, context, *response_r);
	return 0;
}

static int
client_batch_unexpected(const struct client_request *req, uint8_t rop_id,
			struct client_error *error_r)
{
	const struct rop_codec *codec = rop_codec_find(rop_id);

	snprintf(error_r->rop, sizeof(error_r->rop), "%s", req->codec->name);
	return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
		"the next response is that of 0x%02X (%s)", rop_id,
		codec == NULL ? "reserved" : codec->name);
}

static uint8_t client_request_answer_index(const struct client_request *req)
{
	return (req->codec->flags & ROP_ANSWERS_OUTPUT) != 0 ?
		req->hdr.output_index : req->hdr.input_index;
}

/* Responses of one ROP buffer. *stop_r: the server has done no more. */
static int
client_batch_parse(struct client_batch *batch, const struct rop_buffer *buffer,
		   bool *stop_r, struct client_error *error_r)
{
	struct rop_response_header *response;
	const struct rop_codec *codec;
	struct client_request *req;
	struct mapi_pull pull;
	uint8_t id;

	mapi_pull_init(&pull, batch, buffer->rops, buffer->rops_size);
	while (mapi_pull_left(&pull) > 0) {
		id = pull.data[pull.pos];
		codec = rop_codec_find(id);
		if (codec != NULL && (codec->flags & ROP_SERVER_ONLY) != 0) {
			if (client_batch_pull_response(batch, &pull, codec,
						       NULL, &response,
						       error_r) < 0)
				return -1;
			if (id == ROP_BUFFER_TOO_SMALL || id == ROP_BACKOFF)
				*stop_r = true;
			continue;
		}
		while (batch->done < batch->count &&
		       batch->requests[batch->done].codec->response == NULL)
			batch->done++;
		if (batch->done == batch->count) {
			return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
				"%zu bytes follow the last response (0x%02X)",
				mapi_pull_left(&pull), id);
		}
		req = &batch->requests[batch->done];
		if (id != req->codec->response_id)
			return client_batch_unexpected(req, id, error_r);
		if (client_batch_pull_response(batch, &pull, req->codec,
					       &req->context, &response,
					       error_r) < 0)
			return -1;
		req->response = response;
		batch->done++;
		if (response->handle_index !=
		    client_request_answer_index(req)) {
			client_http_violation(batch->session->http,
				"%s: the response's handle index isn't the "
				"request's", req->codec->name);
		}
	}
	return 0;
}

static int
client_batch_read(struct client_batch *batch, const struct mapi_binary *data,
		  bool *stop_r, struct client_error *error_r)
{
	struct rop_buffer buffer;
	unsigned int i;

	if (!rop_buffer_decode(batch, data->data, data->len, &buffer)) {
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			"the ROP buffer in the answer is malformed");
	}
	if (client_batch_parse(batch, &buffer, stop_r, error_r) < 0)
		return -1;
	for (i = 0; i < buffer.handle_count && i < batch->handle_count; i++) {
		/* a slot that is in use stays: what the server puts there for
		   a failed operation says nothing */
		if (buffer.handles[i] != ROP_HANDLE_NONE)
			batch->handles[i] = buffer.handles[i];
	}
	return 0;
}

static int
client_batch_send(struct client_batch *batch, struct client_error *error_r)
{
	struct client_session *session = batch->session;
	unsigned int i, count, first = batch->done;
	struct mapi_binary *buffers;
	struct rop_buffer buffer;
	struct mapi_push rops, push;
	bool stop = false;

	mapi_push_init(&rops, batch, 0);
	for (i = first; i < batch->count; i++) {
		/* RopSize and the handle table need room, too */
		if (rops.size + batch->requests[i].size >
		    0xffff - 2 - 4 * ROP_HANDLES_MAX)
			break;
		mapi_push_bytes(&rops, batch->requests[i].data,
				batch->requests[i].size);
	}
	buffer.rops = rops.data;
	buffer.rops_size = rops.size;
	buffer.handles = batch->handles;
	buffer.handle_count = batch->handle_count;
	mapi_push_init(&push, batch, 0);
	rop_buffer_encode(&push, &buffer);

	batch->executes++;
	if (client_session_execute(session, batch, push.data, push.size,
				   &buffers, &count, error_r) < 0)
		return -1;
	if (count == 0) {
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
					"the answer has no ROP buffer");
	}
	for (i = 0; i < count; i++) {
		if (client_batch_read(batch, &buffers[i], &stop, error_r) < 0)
			return -1;
	}
	while (batch->done < batch->count &&
	       batch->requests[batch->done].codec->response == NULL)
		batch->done++;
	if (batch->done == first || (!stop && batch->done < batch->count &&
				     rops.size < 0x7fff)) {
		snprintf(error_r->rop, sizeof(error_r->rop), "%s",
			 batch->requests[batch->done].codec->name);
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			stop ? "its response doesn't fit into MaxRopOut" :
			"no response, although the server didn't say that it "
			"stopped");
	}
	return 0;
}

int client_batch_execute(struct client_batch *batch,
			 struct client_error *error_r)
{
	if (batch->failure != NULL) {
		return client_error_set(error_r, CLIENT_FAIL_LOCAL,
			"a request can't be encoded: %s", batch->failure);
	}
	while (batch->done < batch->count) {
		if (client_batch_send(batch, error_r) < 0)
			return -1;
	}
	return 0;
}

const void *client_batch_response(struct client_batch *batch, unsigned int n)
{
	return batch->requests[n].response;
}

uint32_t client_batch_value(struct client_batch *batch, unsigned int n)
{
	const struct client_request *req = &batch->requests[n];

	return req->response == NULL ? EC_NONE : req->response->return_value;
}

uint32_t client_batch_slot(struct client_batch *batch, uint8_t slot)
{
	return batch->handles[slot];
}

int client_batch_check(struct client_batch *batch, unsigned int n,
		       struct client_error *error_r)
{
	const struct client_request *req = &batch->requests[n];
	uint32_t value = client_batch_value(batch, n);

	if (value == EC_NONE)
		return 0;
	snprintf(error_r->rop, sizeof(error_r->rop), "%s", req->codec->name);
	error_r->ec = value;
	return client_error_set(error_r, CLIENT_FAIL_ROP,
				"the server answered with an error");
}

int client_batch_run(struct client_batch *batch, unsigned int n,
		     struct client_error *error_r)
{
	if (client_batch_execute(batch, error_r) < 0 ||
	    client_batch_check(batch, n, error_r) < 0) {
		talloc_free(batch);
		return -1;
	}
	return 0;
}

unsigned int client_batch_executes(const struct client_batch *batch)
{
	return batch->executes;
}
