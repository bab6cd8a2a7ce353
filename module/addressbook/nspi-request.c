/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-channel.h"
#include "mapihttp-codec.h"
#include "nspi-handlers.h"

/* what a frame can hold, less its header */
#define NSPI_MAX_BODY (MAPI_CHANNEL_MAX_PAYLOAD - 1024)

#define NSPI_CALL(type, name) \
static enum mapi_error \
nspi_call_##name(struct nspi_context *ctx, const void *req, void *resp) \
{ \
	return nspi_##name(ctx, req, resp); \
}
NSPI_HANDLERS(NSPI_CALL)

static const struct nspi_command {
	const char *request_type;
	enum mapi_error (*func)(struct nspi_context *ctx, const void *req,
				void *resp);
	size_t error_code_offset;
} nspi_commands[] = {
#define NSPI_COMMAND(type, name) \
	{ type, nspi_call_##name, \
	  offsetof(struct mapihttp_##name##_response, error_code) },
	NSPI_HANDLERS(NSPI_COMMAND)
};

static const struct nspi_command *nspi_command_find(const char *request_type)
{
	for (unsigned int i = 0; i < N_ELEMENTS(nspi_commands); i++) {
		if (strcasecmp(nspi_commands[i].request_type,
			       request_type) == 0)
			return &nspi_commands[i];
	}
	return NULL;
}

static void
nspi_respond(struct nspi_context *ctx, const struct mapihttp_codec *codec,
	     const void *resp, struct nspi_result *result_r)
{
	struct mapi_push push;

	mapi_push_init(&push, ctx->mem, NSPI_MAX_BODY);
	if (mapihttp_encode_response(&push, codec, resp) != EC_NONE) {
		result_r->code = NSPI_RESPONSE_UNKNOWN_FAILURE;
		return;
	}
	result_r->body = push.data;
	result_r->body_size = push.size;
}

void nspi_request(struct nspi_context *ctx, const char *request_type,
		  const uint8_t *body, size_t body_size, bool *bound,
		  struct nspi_result *result_r)
{
	const struct nspi_command *cmd;
	const struct mapihttp_codec *codec;
	void *req, *resp;
	size_t resp_size;

	i_zero(result_r);
	if (strcasecmp(request_type, "PING") == 0) {
		/* it has no bodies; it has kept the session alive */
		if (!*bound)
			result_r->code = NSPI_RESPONSE_CONTEXT_NOT_FOUND;
		return;
	}
	cmd = nspi_command_find(request_type);
	if (cmd == NULL) {
		result_r->code = NSPI_RESPONSE_INVALID_REQUEST_TYPE;
		return;
	}
	if (!*bound && cmd->func != nspi_call_bind) {
		result_r->code = NSPI_RESPONSE_CONTEXT_NOT_FOUND;
		return;
	}
	codec = mapihttp_codec_find(MAPIHTTP_NSPI, cmd->request_type);
	resp_size = mapihttp_response_size(codec);
	req = talloc_zero_size(ctx->mem, mapihttp_request_size(codec));
	resp = talloc_zero_size(ctx->mem, resp_size);
	if (req == NULL || resp == NULL)
		i_fatal_status(FATAL_OUTOFMEM, "talloc() failed");
	if (mapihttp_decode_request(ctx->mem, codec, body, body_size,
				    req) != EC_NONE) {
		result_r->code = NSPI_RESPONSE_INVALID_BODY;
		return;
	}
	result_r->error = cmd->func(ctx, req, resp);
	if (cmd->func == nspi_call_bind && result_r->error == EC_NONE)
		*bound = TRUE;
	else if (cmd->func == nspi_call_unbind)
		*bound = FALSE;
	if (result_r->error == EC_NONE && ctx->change != NULL) {
		result_r->change = ctx->change;
		return;
	}
	if (result_r->error != EC_NONE &&
	    result_r->error != EC_ERRORS_RETURNED)
		memset(resp, 0, resp_size);
	*(uint32_t *)PTR_OFFSET(resp, cmd->error_code_offset) =
		result_r->error;
	nspi_respond(ctx, codec, resp, result_r);
}

void nspi_change_finish(struct nspi_context *ctx, const char *request_type,
			enum mapi_error error, struct nspi_result *result_r)
{
	const struct nspi_command *cmd = nspi_command_find(request_type);
	const struct mapihttp_codec *codec =
		mapihttp_codec_find(MAPIHTTP_NSPI, cmd->request_type);
	void *resp = talloc_zero_size(ctx->mem, mapihttp_response_size(codec));

	i_zero(result_r);
	result_r->error = error;
	*(uint32_t *)PTR_OFFSET(resp, cmd->error_code_offset) = error;
	nspi_respond(ctx, codec, resp, result_r);
}
