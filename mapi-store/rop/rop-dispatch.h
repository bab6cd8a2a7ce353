/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ROP_DISPATCH_H
#define ROP_DISPATCH_H

/* Execute: from the RopBuffer of the request to the one of the response.
   [MS-OXCMAPIHTTP] 2.2.4.2, [MS-OXCRPC] 3.1.4.2, [MS-OXCROPS] 2.2.1, 3.2.5 */

#include "mapi-session.h"

/* What one extended buffer carries at most, [MS-OXCRPC] 3.1.4.2.1 */
#define ROP_PAYLOAD_MAX 0x8000
/* Larger RopBuffers and MaxRopOuts don't exist: [MS-OXCRPC] 2.2.1.2
   BIG_RANGE_ULONG. A client that asks for more output gets this much. */
#define ROP_BUFFER_MAX 0x40000

struct rop_execute_request {
	uint32_t flags;
	/* chain of extended buffers */
	const uint8_t *rop_buffer;
	size_t rop_buffer_size;
	uint32_t max_rop_out;
};

/* On mem. Empty if the Execute failed. */
struct rop_execute_response {
	const uint8_t *rop_buffer;
	size_t rop_buffer_size;
};

/* Returns the ErrorCode of the Execute response, which says nothing about how
   the single operations went: EC_RPC_FORMAT if the buffer or one of its
   requests can't be parsed: then nothing has been executed;
   EC_RPC_FAILED if the sizes are impossible; EC_BUFFER_TOO_SMALL if MaxRopOut
   has not even space to tell what has not been executed. */
enum mapi_error
rop_dispatch_execute(struct mapi_session *session, TALLOC_CTX *mem,
		     const struct rop_execute_request *req,
		     struct rop_execute_response *resp_r);

#endif
