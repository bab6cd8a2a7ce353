/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-rops.h"
#include "mapi-props.h"
#include "mapi-wire-private.h"
#include "mapi-print.h"

#include <string.h>

/* RopGetReceiveFolderTable has fixed columns, [MS-OXCROPS] 2.2.3.4.2 */
static const uint32_t receive_folder_columns[] = {
	PIDTAG_FOLDER_ID,
	MAPI_TAG_AS(PIDTAG_MESSAGE_CLASS, PTYP_STRING8),
	PIDTAG_LAST_MODIFICATION_TIME,
};
static const struct rop_wire_context receive_folder_context = {
	.columns = receive_folder_columns,
	.column_count = 3,
};

const struct rop_codec *rop_codec_find(uint8_t rop_id)
{
	return rop_codecs[rop_id].name == NULL ? NULL : &rop_codecs[rop_id];
}

size_t rop_request_size(const struct rop_codec *codec)
{
	return codec->request == NULL ? 0 : codec->request->size;
}

size_t rop_response_size(const struct rop_codec *codec)
{
	return codec->response == NULL ? 0 : codec->response->size;
}

static enum mapi_error
decode(struct mapi_pull *pull, const struct wire_struct *type, uint8_t rop_id,
       const struct rop_wire_context *ctx, void *v)
{
	enum mapi_error error;

	if (type == NULL)
		return EC_RPC_FORMAT;
	if (!wire_pull_struct(pull, type, ctx, v, &error))
		return mapi_wire_error(pull->status);
	/* RopId is the first member of the header, and that of the struct. */
	if (*(const uint8_t *)v != rop_id) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
		return EC_RPC_FORMAT;
	}
	return error;
}

enum mapi_error
rop_decode_request(struct mapi_pull *pull, const struct rop_codec *codec,
		   const struct rop_wire_context *ctx, void *req_r)
{
	return decode(pull, codec->request, codec->id, ctx, req_r);
}

enum mapi_error
rop_decode_response(struct mapi_pull *pull, const struct rop_codec *codec,
		    const struct rop_wire_context *ctx, void *resp_r)
{
	if (codec->id == ROP_GET_RECEIVE_FOLDER_TABLE &&
	    (ctx == NULL || ctx->columns == NULL))
		ctx = &receive_folder_context;
	return decode(pull, codec->response, codec->response_id, ctx, resp_r);
}

static enum mapi_error
encode(struct mapi_push *push, const struct wire_struct *type, uint8_t rop_id,
       const struct rop_wire_context *ctx, const void *v)
{
	size_t mark = push->size;
	enum mapi_error error;

	if (type == NULL)
		return EC_RPC_FORMAT;
	if (!wire_push_struct(push, type, ctx, v)) {
		error = mapi_wire_error(push->status);
		mapi_push_rollback(push, mark);
		return error;
	}
	if (!push->counting)
		push->data[mark] = rop_id;
	return EC_NONE;
}

enum mapi_error
rop_encode_request(struct mapi_push *push, const struct rop_codec *codec,
		   const struct rop_wire_context *ctx, const void *req)
{
	return encode(push, codec->request, codec->id, ctx, req);
}

enum mapi_error
rop_encode_response(struct mapi_push *push, const struct rop_codec *codec,
		    const struct rop_wire_context *ctx, const void *resp)
{
	return encode(push, codec->response, codec->response_id, ctx, resp);
}

static char *print(TALLOC_CTX *mem, const struct rop_codec *codec,
		   const struct wire_struct *type,
		   const struct rop_wire_context *ctx, const void *v)
{
	char *str = talloc_strdup(mem, codec->name);

	if (type != NULL)
		wire_print_struct(&str, type, ctx, v);
	return str;
}

char *rop_print_request(TALLOC_CTX *mem, const struct rop_codec *codec,
			const struct rop_wire_context *ctx, const void *req)
{
	return print(mem, codec, codec->request, ctx, req);
}

char *rop_print_response(TALLOC_CTX *mem, const struct rop_codec *codec,
			 const struct rop_wire_context *ctx, const void *resp)
{
	return print(mem, codec, codec->response, ctx, resp);
}

bool rop_buffer_decode(TALLOC_CTX *mem, const uint8_t *data, size_t size,
		       struct rop_buffer *buf_r)
{
	struct mapi_pull pull;
	unsigned int i;
	uint16_t rop_size;

	memset(buf_r, 0, sizeof(*buf_r));
	mapi_pull_init(&pull, mem, data, size);
	rop_size = mapi_pull_u16(&pull);
	if (rop_size < 2)
		return false;
	buf_r->rops_size = rop_size - 2U;
	buf_r->rops = mapi_pull_bytes(&pull, buf_r->rops_size);
	if (buf_r->rops == NULL || mapi_pull_left(&pull) % 4 != 0 ||
	    mapi_pull_left(&pull) / 4 > ROP_HANDLES_MAX)
		return false;
	buf_r->handle_count = (unsigned int)(mapi_pull_left(&pull) / 4);
	/* one more, as an array of none is none */
	buf_r->handles = talloc_array(mem, uint32_t, buf_r->handle_count + 1);
	if (buf_r->handles == NULL)
		return false;
	for (i = 0; i < buf_r->handle_count; i++)
		buf_r->handles[i] = mapi_pull_u32(&pull);
	return true;
}

bool rop_buffer_encode(struct mapi_push *push, const struct rop_buffer *buf)
{
	unsigned int i;

	if (buf->rops_size > UINT16_MAX - 2U)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	(void)mapi_push_u16(push, (uint16_t)(buf->rops_size + 2));
	(void)mapi_push_bytes(push, buf->rops, buf->rops_size);
	for (i = 0; i < buf->handle_count; i++)
		(void)mapi_push_u32(push, buf->handles[i]);
	return mapi_push_ok(push);
}
