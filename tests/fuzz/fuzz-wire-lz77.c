/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The first two bytes are the size to decompress the rest to. Whatever it is,
   compressing it and decompressing that gives it back. */

#include "mapi-rpcext.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *data, size_t size)
{
	size_t max = size + size / 8 + 64, packed_size;
	uint8_t *packed = malloc(max), *out = malloc(size + 1);

	packed_size = mapi_lz77_compress(data, size, packed, max);
	if (packed_size == 0 ||
	    !mapi_lz77_decompress(packed, packed_size, out, size) ||
	    memcmp(out, data, size) != 0)
		abort();
	free(packed);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t out_size;
	uint8_t *out;

	if (size < 2)
		return 0;
	out_size = (size_t)data[0] | ((size_t)data[1] << 8);
	out = malloc(out_size + 1);
	if (mapi_lz77_decompress(data + 2, size - 2, out, out_size))
		check(out, out_size);
	check(data, size);
	free(out);
	return 0;
}
