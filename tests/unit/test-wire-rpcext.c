/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Extended buffers, compression, auxiliary blocks. */

#include "mapi-aux.h"
#include "mapi-rpcext.h"
#include "wire-hex.h"
#include "wire-random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static TALLOC_CTX *mem;
static uint64_t seed;

static int setup(void **state)
{
	mem = talloc_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(mem);
	return 0;
}

/* [MS-XCA] 3.1 */
static void test_lz77_examples(void **state)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz";
	uint8_t *data, out[300], abc[300], packed[400];
	size_t size, i;

	data = wire_hex(mem, "3f 00 00 00 61 62 63 64 65 66 67 68 69 6a 6b 6c "
			"6d 6e 6f 70 71 72 73 74 75 76 77 78 79 7a", &size);
	assert_true(mapi_lz77_decompress(data, size, out, 26));
	assert_memory_equal(out, alphabet, 26);
	assert_int_equal(mapi_lz77_compress((const uint8_t *)alphabet, 26,
					    packed, sizeof(packed)), size);
	assert_memory_equal(packed, data, size);

	for (i = 0; i < sizeof(abc); i++)
		abc[i] = "abc"[i % 3];
	data = wire_hex(mem, "ff ff ff 1f 61 62 63 17 00 0f ff 26 01", &size);
	assert_true(mapi_lz77_decompress(data, size, out, sizeof(out)));
	assert_memory_equal(out, abc, sizeof(abc));
	assert_int_equal(mapi_lz77_compress(abc, sizeof(abc), packed,
					    sizeof(packed)), size);
	assert_memory_equal(packed, data, size);
}

/* The lengths of [MS-XCA] 2.4.4, by hand */
static void test_lz77_lengths(void **state)
{
	static const struct {
		const char *hex;
		size_t size;
	} tests[] = {
		/* a literal, then a match of distance 1 */
		{ "ffffff7f 61 0000", 1 + 3 },
		{ "ffffff7f 61 0600", 1 + 9 },
		{ "ffffff7f 61 0700 00", 1 + 10 },
		{ "ffffff7f 61 0700 0e", 1 + 24 },
		{ "ffffff7f 61 0700 0f 00", 1 + 25 },
		{ "ffffff7f 61 0700 0f fe", 1 + 279 },
		{ "ffffff7f 61 0700 0f ff 1501", 1 + 280 },
		{ "ffffff7f 61 0700 0f ff ffff", 1 + 65538 },
		{ "ffffff7f 61 0700 0f ff 0000 00000100", 1 + 65539 },
		/* two matches share a byte of nibbles */
		{ "ffffff7f 61 0700 21 0700", 1 + 11 + 12 },
	};
	unsigned int i;
	size_t size, n;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		uint8_t *data = wire_hex(mem, tests[i].hex, &size);
		uint8_t *out = malloc(tests[i].size + 1);

		assert_true(mapi_lz77_decompress(data, size, out,
						 tests[i].size));
		for (n = 0; n < tests[i].size; n++)
			assert_int_equal(out[n], 'a');
		/* one more isn't there */
		assert_false(mapi_lz77_decompress(data, size, out,
						  tests[i].size + 1));
		/* a match may not be longer than what is left */
		assert_false(mapi_lz77_decompress(data, size, out,
						  tests[i].size - 1));
		free(out);
	}
}

static void test_lz77_malformed(void **state)
{
	static const char *const tests[] = {
		"", "ff", "ffffffff", "ffffffff 00",
		"ffffffff 0000",		/* nothing to refer to */
		"ffffff7f 61 0800",		/* distance 2 of 1 */
		"ffffff7f 61 0700",		/* the nibble is missing */
		"ffffff7f 61 0700 0f",
		"ffffff7f 61 0700 0f ff 00",
		"ffffff7f 61 0700 0f ff 1500",	/* below what a byte holds */
		"ffffff7f 61 0700 0f ff 0000 0000",
		"ffffff7f 61 0700 0f ff 0000 00000000",
		"ffffff7f 61 0700 0f ff 0000 ffffffff",
	};
	uint8_t out[100];
	unsigned int i;
	size_t size;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		uint8_t *data = wire_hex(mem, tests[i], &size);

		if (mapi_lz77_decompress(data, size, out, sizeof(out)))
			fail_msg("%s is accepted", tests[i]);
	}
}

/* data of some repetition */
static void random_data(struct wire_random *rnd, uint8_t *data, size_t size)
{
	size_t pos = 0, n, from;
	unsigned int alphabet = 1 + wire_random_below(rnd, 256);

	while (pos < size) {
		n = 1 + wire_random_below(rnd, wire_random_below(rnd, 20) == 0 ?
					  3000 : 30);
		if (n > size - pos)
			n = size - pos;
		if (pos > 0 && wire_random_below(rnd, 2) == 0) {
			from = wire_random_below(rnd, (unsigned int)pos);
			for (; n > 0; n--)
				data[pos++] = data[from++];
		} else {
			for (; n > 0; n--) {
				data[pos++] = (uint8_t)
					wire_random_below(rnd, alphabet);
			}
		}
	}
}

static void test_rpc_ext_roundtrip(void **state)
{
	unsigned int round;

	for (round = 0; round < 300; round++) {
		TALLOC_CTX *tmp = talloc_new(mem);
		struct rpc_ext_payload payload;
		struct wire_random rnd;
		struct mapi_push push;
		struct mapi_pull pull;
		unsigned int flags, i;
		uint8_t *data, *copy;
		size_t size, cut;
		bool last;

		wire_random_init(&rnd, tmp, seed + round);
		size = wire_random_below(&rnd, round % 10 == 0 ?
					 RPC_EXT_PAYLOAD_MAX + 1 : 300);
		if (round == 0)
			size = RPC_EXT_PAYLOAD_MAX;
		flags = wire_random_below(&rnd, 8);
		data = talloc_array(tmp, uint8_t, size + 1);
		random_data(&rnd, data, size);
		mapi_push_init(&push, tmp, 0);
		assert_true(mapi_push_rpc_ext(&push, data, size, flags));
		/* of exactly that size, for the sanitizer */
		copy = malloc(push.size);
		memcpy(copy, push.data, push.size);
		mapi_pull_init(&pull, tmp, copy, push.size);
		if (!mapi_pull_rpc_ext(&pull, &payload, &last))
			fail_msg("seed %llu",
				 (unsigned long long)seed + round);
		assert_int_equal(pull.pos, push.size);
		assert_int_equal(last, (flags & RPC_EXT_LAST) != 0);
		assert_int_equal(payload.size, size);
		assert_memory_equal(payload.data, data, size);
		for (i = 0; i < 20; i++) {
			cut = wire_random_below(&rnd,
						(unsigned int)push.size);
			mapi_pull_init(&pull, tmp, copy, cut);
			assert_false(mapi_pull_rpc_ext(&pull, &payload,
						       &last));
		}
		free(copy);
		talloc_free(tmp);
	}
}

/* [MS-OXCRPC] 2.2.2.1 by its field table: Version, Flags, Size, SizeActual */
static void test_rpc_ext_header(void **state)
{
	static const struct {
		const char *hex;
		bool ok;
	} tests[] = {
		{ "0000 0400 0300 0300 010002", true },
		/* 01 00 02 XOR a5 */
		{ "0000 0600 0300 0300 a4a5a7", true },
		{ "0000 0500 0700 0300 ffffff1f010002", true },
		{ "0000 0700 0700 0300 5a5a5abaa4a5a7", true },
		{ "0100 0400 0300 0300 010002", false },	/* Version */
		{ "0000 0c00 0300 0300 010002", false },	/* Flags */
		{ "0000 0400 0300 0400 010002", false },	/* SizeActual */
		{ "0000 0400 0400 0400 010002", false },	/* Size */
		{ "0000 0500 0300 0300 010002", false },
	};
	struct rpc_ext_payload payload;
	struct mapi_pull pull;
	unsigned int i;
	bool last;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		size_t size;
		uint8_t *data = wire_hex(mem, tests[i].hex, &size);

		mapi_pull_init(&pull, mem, data, size);
		if (mapi_pull_rpc_ext(&pull, &payload, &last) != tests[i].ok)
			fail_msg("%s", tests[i].hex);
		if (!tests[i].ok)
			continue;
		assert_true(last);
		assert_int_equal(payload.size, 3);
		assert_memory_equal(payload.data, "\x01\x00\x02", 3);
	}
}

static void test_chain(void **state)
{
	struct rpc_ext_payload *payloads;
	struct mapi_push push;
	unsigned int count;

	mapi_push_init(&push, mem, 0);
	assert_true(mapi_push_rpc_ext(&push, "abc", 3, 0));
	assert_true(mapi_push_rpc_ext(&push, "", 0, RPC_EXT_XOR_MAGIC));
	assert_true(mapi_push_rpc_ext(&push, "de", 2, RPC_EXT_XOR_MAGIC |
				      RPC_EXT_LAST));
	assert_true(mapi_rpc_ext_decode_chain(mem, push.data, push.size, 3,
					      &payloads, &count));
	assert_int_equal(count, 3);
	assert_memory_equal(payloads[0].data, "abc", 3);
	assert_int_equal(payloads[1].size, 0);
	assert_memory_equal(payloads[2].data, "de", 2);
	/* more than wanted, no last one, bytes behind the last one */
	assert_false(mapi_rpc_ext_decode_chain(mem, push.data, push.size, 2,
					       &payloads, &count));
	assert_false(mapi_rpc_ext_decode_chain(mem, push.data, 11, 3,
					       &payloads, &count));
	assert_true(mapi_push_u8(&push, 0));
	assert_false(mapi_rpc_ext_decode_chain(mem, push.data, push.size, 9,
					       &payloads, &count));
	assert_true(mapi_rpc_ext_decode_chain(mem, NULL, 0, 3, &payloads,
					      &count));
	assert_int_equal(count, 0);
	assert_false(mapi_push_rpc_ext(&push, push.data,
				       RPC_EXT_PAYLOAD_MAX + 1, 0));
}

/* [MS-OXCRPC] 2.2.2.2 */
static void test_aux(void **state)
{
	/* AUX_PERF_CLIENTINFO: the machine's name is at 32, the user's at 38,
	   the address at 42; an unknown block; AUX_PERF_SESSIONINFO version 2
	   that is too short for its fields */
	static const char hex[] =
		"2e00 01 02 10000000 0300 2000 2600 0400 2a00 0000 0000 0000"
		"0000 0000 0200 0000 500043000000 75000000 7f000001"
		"0600 01 77 aabb"
		"0500 02 04 01";
	struct mapi_aux_session_info session;
	struct mapi_aux_client_info info;
	struct mapi_aux_block *blocks;
	struct mapi_push push;
	unsigned int count;
	uint8_t *data;
	size_t size;

	data = wire_hex(mem, hex, &size);
	assert_true(mapi_aux_decode(mem, data, size, &blocks, &count));
	assert_int_equal(count, 3);
	assert_true(mapi_aux_client_info(mem, &blocks[0], &info));
	assert_int_equal(info.client_mode, 2);
	assert_string_equal(info.machine_name, "PC");
	assert_string_equal(info.user_name, "u");
	assert_null(info.adapter_name);
	assert_int_equal(info.client_ip.len, 4);
	assert_memory_equal(info.client_ip.data, "\x7f\x00\x00\x01", 4);
	assert_false(mapi_aux_client_info(mem, &blocks[1], &info));
	assert_int_equal(blocks[1].type, 0x77);
	assert_false(mapi_aux_session_info(&blocks[2], &session));
	assert_string_equal(mapi_aux_print(mem, data, size),
		"AUX_PERF_CLIENTINFO AdapterSpeed=0x10 ClientID=3 "
		"MachineNameOffset=32 UserNameOffset=38 ClientIPSize=4 "
		"ClientIPOffset=42 ClientIPMaskSize=0 ClientIPMaskOffset=0 "
		"AdapterNameOffset=0 MacAddressSize=0 MacAddressOffset=0 "
		"ClientMode=2 Reserved=0 MachineName=\"PC\" UserName=\"u\" "
		"ClientIP=<4:7f000001> ClientIPMask=<0:> AdapterName=NULL "
		"MacAddress=<0:>\n"
		"AUX 0x77 version 1 <2:aabb>\n"
		"AUX_PERF_SESSIONINFO_V2 SessionID=0 cut short\n");
	/* offsets that point nowhere */
	data[10] = 0xff;
	assert_true(mapi_aux_client_info(mem, &blocks[0], &info));
	assert_null(info.machine_name);
	assert_false(mapi_aux_decode(mem, data, size - 1, &blocks, &count));
	assert_int_equal(count, 2);

	mapi_push_init(&push, mem, 0);
	assert_true(mapi_push_aux_exorginfo(
		&push, MAPI_AUX_USE_AUTODISCOVER_FOR_PF));
	assert_true(mapi_push_aux_client_control(
		&push, MAPI_AUX_ENABLE_COMPRESSION, 0x1000));
	data = wire_hex(mem, "0800 01 17 02000000"
			"0c00 01 0a 04000000 00100000", &size);
	assert_int_equal(push.size, size);
	assert_memory_equal(push.data, data, size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lz77_examples),
		cmocka_unit_test(test_lz77_lengths),
		cmocka_unit_test(test_lz77_malformed),
		cmocka_unit_test(test_rpc_ext_roundtrip),
		cmocka_unit_test(test_rpc_ext_header),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_aux),
	};

	seed = wire_random_seed();
	return cmocka_run_group_tests(tests, setup, teardown);
}
