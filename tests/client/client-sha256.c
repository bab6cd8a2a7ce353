/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-sha256.h"

#include <stdio.h>
#include <string.h>

static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t ror(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static void client_sha256_block(struct client_sha256 *ctx, const uint8_t *p)
{
	uint32_t w[64], s[8], t1, t2;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		w[i] = (uint32_t)p[i * 4] << 24 | p[i * 4 + 1] << 16 |
			p[i * 4 + 2] << 8 | p[i * 4 + 3];
	}
	for (; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] +
			(ror(a, 7) ^ ror(a, 18) ^ a >> 3) +
			(ror(b, 17) ^ ror(b, 19) ^ b >> 10);
	}
	memcpy(s, ctx->state, sizeof(s));
	for (i = 0; i < 64; i++) {
		t1 = s[7] + (ror(s[4], 6) ^ ror(s[4], 11) ^ ror(s[4], 25)) +
			((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
		t2 = (ror(s[0], 2) ^ ror(s[0], 13) ^ ror(s[0], 22)) +
			((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
		memmove(s + 1, s, 7 * sizeof(s[0]));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		ctx->state[i] += s[i];
}

void client_sha256_init(struct client_sha256 *ctx)
{
	static const uint32_t init[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(ctx->state, init, sizeof(init));
	ctx->len = 0;
}

void client_sha256_add(struct client_sha256 *ctx, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len > 0) {
		size_t used = ctx->len % 64, n = 64 - used;

		if (n > len)
			n = len;
		memcpy(ctx->block + used, p, n);
		ctx->len += n;
		p += n;
		len -= n;
		if (used + n == 64)
			client_sha256_block(ctx, ctx->block);
	}
}

void client_sha256_hex(struct client_sha256 *ctx, char hex_r[65])
{
	uint64_t bits = ctx->len * 8;
	uint8_t length[8];
	unsigned int i;

	client_sha256_add(ctx, "\x80", 1);
	while (ctx->len % 64 != 56)
		client_sha256_add(ctx, "", 1);
	for (i = 0; i < 8; i++)
		length[i] = bits >> (56 - i * 8);
	client_sha256_add(ctx, length, 8);
	for (i = 0; i < 8; i++)
		sprintf(hex_r + i * 8, "%08x", ctx->state[i]);
}
