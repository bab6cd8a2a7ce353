/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requests and responses of all operations. The first byte chooses: bit 0
   request or response, bit 1 private or public logon. What can be read must be
   written and read again the same, and takes no more memory than a multiple of
   the input. */

#include "mapi-rops.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t columns[] = {
	0x67480014, 0x674a0014, 0x0037001f, 0x0e060040, 0x0e1b000b, 0x00000000,
	0x8001301f, 0x30010102, 0x0e080003, 0x3001001e, 0x667900fd, 0x668000fe,
};

static void check(TALLOC_CTX *mem, const struct rop_codec *codec,
		  const struct rop_wire_context *ctx, const void *v,
		  bool response)
{
	size_t size = response ? rop_response_size(codec) :
		rop_request_size(codec);
	void *v2 = talloc_zero_size(mem, size);
	struct mapi_push push, push2;
	struct mapi_pull pull;
	enum mapi_error ret;

	mapi_push_init(&push, mem, 0);
	ret = response ? rop_encode_response(&push, codec, ctx, v) :
		rop_encode_request(&push, codec, ctx, v);
	if (ret != EC_NONE)
		abort();
	mapi_pull_init(&pull, mem, push.data, push.size);
	ret = response ? rop_decode_response(&pull, codec, ctx, v2) :
		rop_decode_request(&pull, codec, ctx, v2);
	if (ret != EC_NONE || mapi_pull_left(&pull) != 0)
		abort();
	mapi_push_init(&push2, mem, 0);
	ret = response ? rop_encode_response(&push2, codec, ctx, v2) :
		rop_encode_request(&push2, codec, ctx, v2);
	if (ret != EC_NONE || push2.size != push.size ||
	    memcmp(push.data, push2.data, push.size) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rop_wire_context ctx = {
		.columns = columns,
		.column_count = sizeof(columns) / sizeof(columns[0]),
	};
	struct mapi_pull pull;
	TALLOC_CTX *mem;
	bool response;

	if (size < 2)
		return 0;
	response = (data[0] & 1) != 0;
	ctx.public_logon = (data[0] & 2) != 0;
	mem = talloc_new(NULL);
	mapi_pull_init(&pull, mem, data + 1, size - 1);
	while (mapi_pull_left(&pull) > 0) {
		const struct rop_codec *codec =
			rop_codec_find(pull.data[pull.pos]);
		size_t v_size, before;
		enum mapi_error ret;
		void *v;

		if (codec == NULL)
			break;
		v_size = response ? rop_response_size(codec) :
			rop_request_size(codec);
		if (v_size == 0)
			break;
		v = talloc_zero_size(mem, v_size);
		before = talloc_total_size(mem);
		ret = response ? rop_decode_response(&pull, codec, &ctx, v) :
			rop_decode_request(&pull, codec, &ctx, v);
		if (talloc_total_size(mem) - before > size * 256 + 4096)
			abort();
		if (ret != EC_NONE)
			break;
		talloc_free(response ?
			    rop_print_response(mem, codec, &ctx, v) :
			    rop_print_request(mem, codec, &ctx, v));
		check(mem, codec, &ctx, v, response);
	}
	talloc_free(mem);
	return 0;
}
