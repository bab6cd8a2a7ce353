/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PidTagRtfCompressed: the examples of [MS-OXRTFCP], what is wrong with broken
   input, and that everything comes back as it was. */

#include "lib.h"
#include "buffer.h"
#include "hex-binary.h"
#include "rtf-compress.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#define HELLO "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
#define WXYZ "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"

/* those of the specification, and the second one uncompressed */
static const struct {
	const char *hex, *rtf;
} examples[] = {
	{ "2d0000002b0000004c5a4675f1c5c7a7"
	  "03000a00726370673132354232" "0af3" "2068656c"
	  "090020627705b06c647d0a800fa0", HELLO },
	{ "1a0000001c0000004c5a4675e2d44b51"
	  "410004205758595a0d6e7d010eb0", WXYZ },
	{ "28000000" "1c000000" "4d454c41" "00000000"
	  "7b5c727466312057" "58595a5758595a57" "58595a5758595a57"
	  "58595a7d", WXYZ },
};

/* what doesn't decompress, and why */
static const struct {
	const char *hex, *error;
} broken[] = {
	{ "", "Compressed RTF's header is truncated" },
	{ "2d0000002b0000004c5a4675f1c5c7",
	  "Compressed RTF's header is truncated" },
	/* COMPSIZE too large, and too small for the header itself */
	{ "1b0000001c0000004c5a4675e2d44b51"
	  "410004205758595a0d6e7d010eb0", "Compressed RTF is truncated" },
	{ "0b0000001c0000004c5a4675e2d44b51"
	  "410004205758595a0d6e7d010eb0", "Compressed RTF is truncated" },
	{ "ffffffff1c0000004c5a4675e2d44b51"
	  "410004205758595a0d6e7d010eb0", "Compressed RTF is truncated" },
	{ "1a0000001c0000004c5a4676e2d44b51"
	  "410004205758595a0d6e7d010eb0",
	  "Compressed RTF is of an unknown type" },
	{ "1a0000001c0000004c5a4675e2d44b51"
	  "410004205758595b0d6e7d010eb0",
	  "Compressed RTF has a wrong checksum" },
	{ "0d0000001c0000004c5a46750000000000",
	  "Compressed RTF is truncated" },
	{ "0d000000020000004d454c410000000041",
	  "Uncompressed RTF is truncated" },
};

static buffer_t *unhex(const char *hex)
{
	buffer_t *buf = t_buffer_create(256);

	assert_int_equal(hex_to_binary(hex, buf), 0);
	return buf;
}

static void test_examples(void **state)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(examples); i++) T_BEGIN {
		TALLOC_CTX *mem = talloc_new(NULL);
		buffer_t *buf = unhex(examples[i].hex);
		const char *error;
		uint8_t *rtf;
		size_t size;

		assert_int_equal(rtf_decompress(mem, buf->data, buf->used,
						1000, &rtf, &size, &error), 0);
		assert_int_equal(size, strlen(examples[i].rtf));
		assert_string_equal((const char *)rtf, examples[i].rtf);

		/* padding after COMPSIZE ([MS-OXRTFCP] 2.1.3.1.1) */
		buffer_append_zero(buf, 3);
		assert_int_equal(rtf_decompress(mem, buf->data, buf->used,
						1000, &rtf, &size, &error), 0);
		assert_int_equal(size, strlen(examples[i].rtf));

		/* the limit is in bytes of RTF */
		assert_int_equal(rtf_decompress(mem, buf->data, buf->used,
						size, &rtf, &size, &error), 0);
		assert_int_equal(rtf_decompress(mem, buf->data, buf->used,
						size - 1, &rtf, &size,
						&error), -1);
		assert_string_equal(error, "RTF is larger than allowed");
		talloc_free(mem);
	} T_END;
}

/* Compressing them gives the bytes of the examples. */
static void test_compress_examples(void **state)
{
	unsigned int i;

	for (i = 0; i < 2; i++) T_BEGIN {
		TALLOC_CTX *mem = talloc_new(NULL);
		uint8_t *data;
		size_t size;

		rtf_compress(mem, (const uint8_t *)examples[i].rtf,
			     strlen(examples[i].rtf), &data, &size);
		assert_string_equal(binary_to_hex(data, size),
				    examples[i].hex);
		talloc_free(mem);
	} T_END;
}

static void test_broken(void **state)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(broken); i++) T_BEGIN {
		buffer_t *buf = unhex(broken[i].hex);
		const char *error = NULL;
		uint8_t *rtf;
		size_t size;

		assert_int_equal(rtf_decompress(NULL, buf->data, buf->used,
						1000, &rtf, &size,
						&error), -1);
		assert_string_equal(error, broken[i].error);
		assert_null(rtf);
	} T_END;
}

/* A RAWSIZE that isn't true neither allocates nor cuts. */
static void test_raw_size(void **state)
{
	static const uint8_t sizes[][4] = {
		{ 0, 0, 0, 0 }, { 1, 0, 0, 0 }, { 0xFF, 0xFF, 0xFF, 0xFF },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	buffer_t *buf = unhex(examples[1].hex);
	const char *error;
	uint8_t *rtf;
	size_t size;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(sizes); i++) {
		buffer_write(buf, 4, sizes[i], 4);
		assert_int_equal(rtf_decompress(mem, buf->data, buf->used,
						SIZE_MAX, &rtf, &size,
						&error), 0);
		assert_string_equal((const char *)rtf, WXYZ);
		assert_true(talloc_total_size(mem) < 1024);
		talloc_free(rtf);
	}
	talloc_free(mem);
}

static unsigned int random_next(void)
{
	static uint32_t seed = 4711;

	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void check_round_trip(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *error;
	uint8_t *packed, *rtf;
	size_t packed_size, rtf_size;

	rtf_compress(mem, data, size, &packed, &packed_size);
	assert_true(packed_size <= size + size / 8 + 32);
	assert_int_equal(rtf_decompress(mem, packed, packed_size, size,
					&rtf, &rtf_size, &error), 0);
	assert_int_equal(rtf_size, size);
	assert_memory_equal(rtf, data, size);

	/* cut anywhere, it is an error */
	for (size_t cut = 0; cut < packed_size; cut += 1 + packed_size / 16) {
		assert_int_equal(rtf_decompress(mem, packed, cut, size, &rtf,
						&rtf_size, &error), -1);
	}
	talloc_free(mem);
}

/* Random data over alphabets of 1 to 256 bytes, so that there are matches of
   every length, near and far. */
static void test_round_trip(void **state)
{
	static const unsigned int alphabets[] = { 1, 2, 3, 5, 16, 64, 256 };
	uint8_t data[20000];
	unsigned int round, alphabet;
	size_t i, size;

	for (round = 0; round < 700; round++) {
		alphabet = alphabets[round % N_ELEMENTS(alphabets)];
		size = round < 70 ? round / 7 :
			random_next() % (round % 10 == 0 ? 20000 : 600);
		for (i = 0; i < size; i++) {
			/* repeat something earlier, now and then */
			if (i > 4200 && random_next() % 20 == 0) {
				size_t back = 1 + random_next() % 4200, len = 20;

				for (; len > 0 && i < size; len--, i++)
					data[i] = data[i - back];
				i--;
			} else {
				data[i] = random_next() % alphabet;
			}
		}
		check_round_trip(data, size);
	}
}

/* RTF shrinks; what is all the same, or hardly differs, is no special case. */
static void test_large(void **state)
{
	size_t i, size = 4 * 1024 * 1024, packed_size;
	TALLOC_CTX *mem = talloc_new(NULL);
	uint8_t *data = talloc_array(mem, uint8_t, size), *packed;

	for (i = 0; i < size; i++)
		data[i] = "\\par some text \\b bold\\b0  "[i % 27];
	rtf_compress(mem, data, size, &packed, &packed_size);
	assert_true(packed_size < size / 7);
	memset(data, 'x', size);
	check_round_trip(data, size);
	for (i = 0; i < size; i++)
		data[i] = "ab"[(i * i / 7) & 1];
	check_round_trip(data, size);
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_compress_examples),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_raw_size),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_large),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
