/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_RPCEXT_H
#define MAPI_RPCEXT_H

/* Extended buffers: RPC_HEADER_EXT and its payload, obfuscated (XOR 0xA5) and
   compressed (LZ77, "DIRECT2"). [MS-OXCRPC] 2.2.2.1, 3.1.4.11.1; [MS-XCA] 2.3,
   2.4 */

#include "mapi-wire.h"

#define RPC_HEADER_EXT_SIZE 8
enum rpc_header_ext_flags {
	RPC_EXT_COMPRESSED	= 0x0001,
	RPC_EXT_XOR_MAGIC	= 0x0002,
	RPC_EXT_LAST		= 0x0004,
};
/* Size and SizeActual have 16 bits. */
#define RPC_EXT_PAYLOAD_MAX 0xffff

/* Execute and Connect request flags, [MS-OXCRPC] 3.1.4.1, 3.1.4.2 */
enum mapi_execute_flags {
	MAPI_EXECUTE_NO_COMPRESSION	= 0x00000001,
	MAPI_EXECUTE_NO_XOR_MAGIC	= 0x00000002,
	MAPI_EXECUTE_CHAIN		= 0x00000004,
};

struct rpc_ext_payload {
	const uint8_t *data;
	size_t size;
};

/* Takes the next extended buffer off the pull, checks its header, removes
   obfuscation and decompresses. The payload is on pull->mem, or points into
   the pull's data where nothing had to be undone. *last_r tells whether the
   Last flag was set. false: malformed; the pull is in failed state. */
bool mapi_pull_rpc_ext(struct mapi_pull *pull,
		       struct rpc_ext_payload *payload_r, bool *last_r);
/* All of a chain (RopBuffer, AuxiliaryBuffer). The chain must end with the
   buffer that has the Last flag, and with data. Payloads are an array on mem,
   no more than max_count of them. An empty data is a chain of 0 buffers. */
bool mapi_rpc_ext_decode_chain(TALLOC_CTX *mem, const void *data, size_t size,
			       unsigned int max_count,
			       struct rpc_ext_payload **payloads_r,
			       unsigned int *count_r);
/* Appends one extended buffer. flags: which of COMPRESSED, XOR_MAGIC, LAST are
   wanted; COMPRESSED is left away again where it doesn't make the payload
   smaller. size is at most RPC_EXT_PAYLOAD_MAX. */
bool mapi_push_rpc_ext(struct mapi_push *push, const void *data, size_t size,
		       unsigned int flags);

/* [MS-XCA] plain LZ77. Decompresses until out_size bytes are there; false if
   the input is malformed or holds less. As there is no end mark, what follows
   in the input is ignored. */
bool mapi_lz77_decompress(const uint8_t *in, size_t in_size,
			  uint8_t *out, size_t out_size);
/* Returns the compressed size, or 0 if it would exceed out_size. */
size_t mapi_lz77_compress(const uint8_t *in, size_t in_size,
			  uint8_t *out, size_t out_size);

#endif
