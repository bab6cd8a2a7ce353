/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PidTagRtfCompressed. The input is taken as one; as the compressed bytes of one,
   with a header that is right, which no fuzzer would find; and as RTF:
   compressing it and decompressing that gives it back, and so does what has been
   decompressed. */

#include "lib.h"
#include "crc32.h"
#include "rtf-compress.h"

#include <stdlib.h>

#define MAX_RTF (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	lib_init();
	return 0;
}

static void check_round_trip(TALLOC_CTX *mem, const uint8_t *rtf, size_t size)
{
	const char *error;
	uint8_t *packed, *copy;
	size_t packed_size, copy_size;

	rtf_compress(mem, rtf, size, &packed, &packed_size);
	if (rtf_decompress(mem, packed, packed_size, size, &copy, &copy_size,
			   &error) < 0 ||
	    copy_size != size || memcmp(copy, rtf, size) != 0)
		abort();
}

static void check(TALLOC_CTX *mem, const uint8_t *data, size_t size)
{
	const char *error;
	uint8_t *rtf;
	size_t rtf_size;

	if (rtf_decompress(mem, data, size, MAX_RTF, &rtf, &rtf_size,
			   &error) < 0) {
		if (rtf != NULL || error == NULL)
			abort();
		return;
	}
	if (rtf_size > MAX_RTF || rtf[rtf_size] != '\0')
		abort();
	check_round_trip(mem, rtf, rtf_size);
}

static void put_le32(uint8_t *data, uint32_t value)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		data[i] = (value >> (i * 8)) & 0xFF;
}

static void
check_content(TALLOC_CTX *mem, const uint8_t *data, size_t size)
{
	uint8_t *packed = talloc_zero_array(mem, uint8_t,
					    RTF_COMPRESS_HEADER_SIZE + size);

	put_le32(packed, RTF_COMPRESS_HEADER_SIZE - 4 + size);
	put_le32(packed + 4, size > 0 ? data[0] * 16 : 0);
	memcpy(packed + 8, "LZFu", 4);
	put_le32(packed + 12, ~crc32_data_more(UINT32_MAX, data, size));
	if (size > 0)
		memcpy(packed + RTF_COMPRESS_HEADER_SIZE, data, size);
	check(mem, packed, RTF_COMPRESS_HEADER_SIZE + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	check(mem, data, size);
	check_content(mem, data, size);
	check_round_trip(mem, data, size);
	talloc_free(mem);
	return 0;
}
