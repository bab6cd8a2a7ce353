/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ROP_HANDLER_TABLE_H
#define ROP_HANDLER_TABLE_H

struct rop_handler;

/* The handlers of rop-handlers.h by RopId; NULL where there's none. */
extern const struct rop_handler *const rop_handler_table[256];

#endif
