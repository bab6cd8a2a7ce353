/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ROP_TABLE_H
#define ROP_TABLE_H

/* What the handlers of tables share. */

#include "mapi-store.h"
#include "mapi-table.h"
#include "rop.h"

/* RopId, handle index, ReturnValue */
#define ROP_RESPONSE_HEADER_SIZE 6

static inline struct mapi_table *rop_table(struct rop_context *ctx)
{
	return (struct mapi_table *)ctx->object;
}

/* A table that the operation has opened is its output object. */
static inline void
rop_table_opened(struct rop_context *ctx, struct mapi_table *table)
{
	table->code_page = ctx->logon->code_page;
	ctx->output_object = &table->obj;
}

/* FALSE if a response with so many bytes after its header can't be sent now:
   for operations that must not be done twice, as moving the cursor. */
static inline bool
rop_table_response_fits(struct rop_context *ctx, size_t size)
{
	ctx->size_needed = ROP_RESPONSE_HEADER_SIZE + size;
	return ctx->response_space >= ctx->size_needed;
}

#endif
