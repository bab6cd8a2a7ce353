/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "rop-handlers.h"
#include "rop-handler-table.h"

/* A function for each handler that takes what all have in common, so that they
   can be called through one type of pointer. */
#define ROP_HANDLER_DEFINE(NAME, name, types) \
	static enum mapi_error \
	rop_##name##_call(struct rop_context *ctx, const void *req, \
			  void *resp_r) \
	{ \
		return rop_##name(ctx, \
			(const struct rop_##name##_request *)req, \
			(struct rop_##name##_response *)resp_r); \
	} \
	static const struct rop_handler rop_##name##_handler = { \
		.id = ROP_##NAME, \
		.object_types = (types), \
		.func = rop_##name##_call, \
	};
ROP_HANDLERS(ROP_HANDLER_DEFINE)

#define ROP_HANDLER_ROW(NAME, name, types) \
	[ROP_##NAME] = &rop_##name##_handler,
const struct rop_handler *const rop_handler_table[256] = {
	ROP_HANDLERS(ROP_HANDLER_ROW)
};
