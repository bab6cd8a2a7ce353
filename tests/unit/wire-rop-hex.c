/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire-rop-hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum mapi_error
wire_rop_decode(TALLOC_CTX *mem, const char *hex, bool response,
		const struct rop_wire_context *ctx, void *v, size_t *left_r)
{
	const struct rop_codec *codec;
	struct mapi_pull pull;
	enum mapi_error ret;
	uint8_t *data;
	size_t size;

	data = wire_hex(mem, hex, &size);
	codec = rop_codec_find(data[0]);
	assert_non_null(codec);
	mapi_pull_init(&pull, mem, data, size);
	ret = response ? rop_decode_response(&pull, codec, ctx, v) :
		rop_decode_request(&pull, codec, ctx, v);
	*left_r = mapi_pull_left(&pull);
	return ret;
}

void wire_rop_encode_is(TALLOC_CTX *mem, const char *hex, bool response,
			const struct rop_codec *codec, const void *v)
{
	struct mapi_push push;
	uint8_t *data;
	size_t size;

	data = wire_hex(mem, hex, &size);
	mapi_push_init(&push, mem, 0);
	assert_int_equal(response ?
			 rop_encode_response(&push, codec, NULL, v) :
			 rop_encode_request(&push, codec, NULL, v), EC_NONE);
	assert_int_equal(push.size, size);
	assert_memory_equal(push.data, data, size);
}
