/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WIRE_HEX_H
#define WIRE_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* "01 02-0a" to bytes on mem; spaces and dashes as in the specifications'
   dumps. Aborts if it's something else. */
uint8_t *wire_hex(TALLOC_CTX *mem, const char *hex, size_t *size_r);

#endif
