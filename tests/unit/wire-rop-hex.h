/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WIRE_ROP_HEX_H
#define WIRE_ROP_HEX_H

/* Operations as the specifications dump them (see wire_hex()). */

#include "mapi-rops.h"
#include "wire-hex.h"

/* Reads the request or response that the first byte names. left_r is how many
   bytes there were after it. */
enum mapi_error
wire_rop_decode(TALLOC_CTX *mem, const char *hex, bool response,
		const struct rop_wire_context *ctx, void *v, size_t *left_r);
/* Asserts that v is written so. */
void wire_rop_encode_is(TALLOC_CTX *mem, const char *hex, bool response,
			const struct rop_codec *codec, const void *v);

#endif
