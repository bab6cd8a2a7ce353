/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-rpcext.h"

#include <string.h>

#define XOR_MAGIC 0xa5

/* A word of flags: nothing compressed is shorter. */
#define COMPRESSED_SIZE_MIN 4

static uint8_t *xor_copy(TALLOC_CTX *mem, const uint8_t *data, size_t size)
{
	uint8_t *copy = talloc_array(mem, uint8_t, size + 1);
	size_t i;

	for (i = 0; copy != NULL && i < size; i++)
		copy[i] = data[i] ^ XOR_MAGIC;
	return copy;
}

static const uint8_t *
decompress(struct mapi_pull *pull, const uint8_t *data, size_t size,
	   size_t actual)
{
	uint8_t *out;

	if (size < COMPRESSED_SIZE_MIN && actual > 0) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
		return NULL;
	}
	out = talloc_array(pull->mem, uint8_t, actual + 1);
	if (out == NULL) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
		return NULL;
	}
	if (!mapi_lz77_decompress(data, size, out, actual)) {
		talloc_free(out);
		(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
		return NULL;
	}
	return out;
}

bool mapi_pull_rpc_ext(struct mapi_pull *pull,
		       struct rpc_ext_payload *payload_r, bool *last_r)
{
	uint16_t version, flags, size, actual;
	uint8_t *plain = NULL;
	const uint8_t *data;

	memset(payload_r, 0, sizeof(*payload_r));
	*last_r = false;
	version = mapi_pull_u16(pull);
	flags = mapi_pull_u16(pull);
	size = mapi_pull_u16(pull);
	actual = mapi_pull_u16(pull);
	data = mapi_pull_bytes(pull, size);
	if (data == NULL)
		return false;
	if (version != 0 || (flags & ~(RPC_EXT_COMPRESSED | RPC_EXT_XOR_MAGIC |
				       RPC_EXT_LAST)) != 0 ||
	    ((flags & RPC_EXT_COMPRESSED) == 0 && size != actual))
		return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
	if ((flags & RPC_EXT_XOR_MAGIC) != 0) {
		data = plain = xor_copy(pull->mem, data, size);
		if (plain == NULL)
			return mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
	}
	if ((flags & RPC_EXT_COMPRESSED) != 0) {
		data = decompress(pull, data, size, actual);
		talloc_free(plain);
		if (data == NULL)
			return false;
	}
	payload_r->data = data;
	payload_r->size = actual;
	*last_r = (flags & RPC_EXT_LAST) != 0;
	return true;
}

bool mapi_rpc_ext_decode_chain(TALLOC_CTX *mem, const void *data, size_t size,
			       unsigned int max_count,
			       struct rpc_ext_payload **payloads_r,
			       unsigned int *count_r)
{
	struct rpc_ext_payload *payloads = NULL, *p;
	unsigned int count = 0;
	struct mapi_pull pull;
	bool last = size == 0;

	*payloads_r = NULL;
	*count_r = 0;
	mapi_pull_init(&pull, mem, data, size);
	while (!last) {
		if (count == max_count)
			return false;
		p = talloc_realloc(mem, payloads, struct rpc_ext_payload,
				   count + 1);
		if (p == NULL)
			return false;
		payloads = p;
		if (!mapi_pull_rpc_ext(&pull, &payloads[count], &last))
			return false;
		count++;
	}
	*payloads_r = payloads;
	*count_r = count;
	return mapi_pull_left(&pull) == 0;
}

bool mapi_push_rpc_ext(struct mapi_push *push, const void *data, size_t size,
		       unsigned int flags)
{
	uint8_t *compressed = NULL;
	size_t actual = size, start, i, csize;

	if (size > RPC_EXT_PAYLOAD_MAX)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	if (!mapi_push_ok(push))
		return false;
	if ((flags & RPC_EXT_COMPRESSED) != 0) {
		compressed = talloc_array(push->mem, uint8_t, size + 1);
		csize = compressed == NULL || size == 0 ? 0 :
			mapi_lz77_compress(data, size, compressed, size - 1);
		if (csize == 0) {
			flags &= ~(unsigned int)RPC_EXT_COMPRESSED;
		} else {
			data = compressed;
			size = csize;
		}
	}
	(void)mapi_push_u16(push, 0);
	(void)mapi_push_u16(push, (uint16_t)flags);
	(void)mapi_push_u16(push, (uint16_t)size);
	(void)mapi_push_u16(push, (uint16_t)actual);
	start = push->size;
	(void)mapi_push_bytes(push, data, size);
	talloc_free(compressed);
	if (!mapi_push_ok(push))
		return false;
	if ((flags & RPC_EXT_XOR_MAGIC) != 0 && !push->counting) {
		for (i = start; i < push->size; i++)
			push->data[i] ^= XOR_MAGIC;
	}
	return true;
}
