/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Chains of extended buffers; what is in them is taken for a ROP buffer and
   for auxiliary blocks, and packed again. */

#include "mapi-aux.h"
#include "mapi-rpcext.h"
#include "rop-codec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_payload(TALLOC_CTX *mem,
			  const struct rpc_ext_payload *payload)
{
	struct rpc_ext_payload payload2;
	struct rop_buffer buf;
	struct mapi_push push;
	struct mapi_pull pull;
	bool last;

	(void)rop_buffer_decode(mem, payload->data, payload->size, &buf);
	(void)mapi_aux_print(mem, payload->data, payload->size);
	mapi_push_init(&push, mem, 0);
	if (!mapi_push_rpc_ext(&push, payload->data, payload->size,
			       RPC_EXT_COMPRESSED | RPC_EXT_XOR_MAGIC))
		abort();
	mapi_pull_init(&pull, mem, push.data, push.size);
	if (!mapi_pull_rpc_ext(&pull, &payload2, &last) || last ||
	    payload2.size != payload->size ||
	    memcmp(payload2.data, payload->data, payload->size) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_ext_payload *payloads;
	TALLOC_CTX *mem = talloc_new(NULL);
	unsigned int count, i;

	if (mapi_rpc_ext_decode_chain(mem, data, size, 8, &payloads, &count)) {
		for (i = 0; i < count; i++)
			check_payload(mem, &payloads[i]);
	}
	talloc_free(mem);
	return 0;
}
