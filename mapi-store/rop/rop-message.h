/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ROP_MESSAGE_H
#define ROP_MESSAGE_H

/* What the operations on messages share. */

#include "rop.h"
#include "mapi-message.h"

/* CodePageId, with which a message is opened or created: 0x0FFF is the logon's. */
void rop_message_set_code_page(struct rop_context *ctx,
			       struct mapi_message *msg, uint16_t code_page);

#endif
