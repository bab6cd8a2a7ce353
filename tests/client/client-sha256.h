/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_SHA256_H
#define CLIENT_SHA256_H

/* SHA-256, FIPS 180-4: to compare what came by MAPI with what came by IMAP. */

#include <stddef.h>
#include <stdint.h>

struct client_sha256 {
	uint32_t state[8];
	uint64_t len;
	uint8_t block[64];
};

void client_sha256_init(struct client_sha256 *ctx);
void client_sha256_add(struct client_sha256 *ctx, const void *data, size_t len);
/* 64 lower case hex digits and a NUL */
void client_sha256_hex(struct client_sha256 *ctx, char hex_r[65]);

#endif
