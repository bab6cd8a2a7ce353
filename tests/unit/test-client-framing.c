/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <string.h>

#include "client-framing.h"
#include "client-sha256.h"
#include "json-writer.h"

struct framing_case {
	const char *input;
	bool ok;
	unsigned int pending;
	/* of an additional header X-ElapsedTime */
	const char *elapsed;
	/* the error or the body */
	const char *result;
};

static const struct framing_case cases[] = {
	{ "PROCESSING\r\nDONE\r\n\r\nbody\r\n\r\n", true, 0, NULL,
	  "body\r\n\r\n" },
	{ "PROCESSING\r\nPENDING\r\nPENDING\r\nDONE\r\n"
	  "X-ElapsedTime: 17\r\nX-StartTime: Sun\r\n\r\nb", true, 2, "17", "b" },
	{ "PROCESSING\r\nDONE\r\nx-elapsedtime:0\r\n\r\n", true, 0, "0", "" },
	/* DONE belongs to the body then */
	{ "PROCESSING\r\nDONE\r\n\r\nDONE\r\n", true, 0, NULL, "DONE\r\n" },

	{ "", false, 0, NULL, "" },
	{ "<html>", false, 0, NULL, "" },
	{ "<html>\n", false, 0, NULL, "" },
	{ "PROCESSING\r\n", false, 0, NULL, "it ends before DONE" },
	{ "PROCESSING\r\nPENDING\r\n", false, 1, NULL, "it ends before DONE" },
	{ "PROCESSING\r\nDONE\r\n", false, 0, NULL,
	  "it ends before the empty line after DONE" },
	{ "PROCESSING\r\nDONE\r\nX-ElapsedTime: 1\r\n", false, 0, "1",
	  "it ends before the empty line after DONE" },
	{ "PROCESSING\nDONE\n\n", false, 0, NULL, "" },
	{ "PROCESSING\r\nDONE\n", false, 0, NULL,
	  "a line doesn't end with CRLF" },
	{ "PROCESSING\r\nWAITING\r\n", false, 0, NULL,
	  "a line before DONE is no meta-tag" },
	{ "PROCESSING\r\nPROCESSING\r\n", false, 0, NULL,
	  "PROCESSING came twice" },
	{ "PENDING\r\nPROCESSING\r\n", false, 1, NULL,
	  "PROCESSING came after PENDING" },
	{ "PROCESSING\r\nDONE\r\nno header\r\n\r\n", false, 0, NULL,
	  "a line after DONE is neither a header nor empty" },
};

static void test_framing_in_pieces_of(size_t piece)
{
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct framing_case *test = &cases[i];
		struct client_framing *framing = client_framing_new(NULL);
		size_t len = strlen(test->input), pos, n;
		const char *elapsed;

		for (pos = 0; pos < len; pos += n) {
			n = len - pos < piece ? len - pos : piece;
			if (!client_framing_feed(framing, 1 + pos,
						 test->input + pos, n))
				break;
		}
		assert_int_equal(client_framing_finish(framing), test->ok);
		assert_int_equal(framing->pending_count, test->pending);
		elapsed = client_framing_header(framing, "X-ElapsedTime");
		if (test->elapsed == NULL)
			assert_null(elapsed);
		else
			assert_string_equal(elapsed, test->elapsed);
		if (test->ok) {
			assert_int_equal(framing->body_len,
					 strlen(test->result));
			assert_memory_equal(framing->body_len == 0 ? "" :
					    (const char *)framing->body,
					    test->result, framing->body_len);
		} else {
			assert_string_equal(framing->error, test->result);
		}
		talloc_free(framing);
	}
}

static void test_framing(void **state)
{
	size_t piece;

	for (piece = 1; piece < 70; piece++)
		test_framing_in_pieces_of(piece);
}

static void test_framing_limits(void **state)
{
	struct client_framing *framing = client_framing_new(NULL);
	char line[CLIENT_FRAMING_MAX_LINE];

	memset(line, 'x', sizeof(line));
	assert_true(client_framing_feed(framing, 1, "PROCESSING\r\n", 12));
	assert_false(client_framing_feed(framing, 2.5, line, sizeof(line)));
	assert_string_equal(framing->error,
			    "a line is no text or has no end");
	assert_true(framing->longest_silence > 1.4 &&
		    framing->longest_silence < 1.6);
	talloc_free(framing);
}

static void test_sha256(void **state)
{
	/* FIPS 180-4's examples */
	static const struct {
		const char *input;
		unsigned int repeat;
		const char *hex;
	} tests[] = {
		{ "", 1, "e3b0c44298fc1c149afbf4c8996fb924"
			 "27ae41e4649b934ca495991b7852b855" },
		{ "abc", 1, "ba7816bf8f01cfea414140de5dae2223"
			    "b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  1, "248d6a61d20638b8e5c026930c3e6039"
		     "a33ce45964ff2167f6ecedd419db06c1" },
		{ "aaaaaaaaaa", 100000, "cdc76e5c9914fb9281a1c7e284d73e67"
					"f1809a48a497200e046d39ccc7112cd0" },
	};
	struct client_sha256 ctx;
	char hex[65];
	unsigned int i, n;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		client_sha256_init(&ctx);
		for (n = 0; n < tests[i].repeat; n++) {
			client_sha256_add(&ctx, tests[i].input,
					  strlen(tests[i].input));
		}
		client_sha256_hex(&ctx, hex);
		assert_string_equal(hex, tests[i].hex);
	}
}

static void test_json(void **state)
{
	struct json_writer jw;
	char buf[512];
	FILE *f = fmemopen(buf, sizeof(buf), "w");

	assert_non_null(f);
	jw_init(&jw, f);
	jw_open_object(&jw, NULL);
	jw_string(&jw, "a\"b", "\x01\\ \xc3\xa4 \xff\xed\xa0\x80 \xf0\x9f\x98\x80");
	jw_string(&jw, "none", NULL);
	jw_open_array(&jw, "list");
	jw_number(&jw, NULL, -5);
	jw_bool(&jw, NULL, true);
	jw_close_array(&jw);
	jw_id(&jw, "id", 0x1234);
	jw_hex(&jw, "hex", "\x00\xff", 2);
	jw_open_array(&jw, "empty");
	jw_close_array(&jw);
	jw_close_object(&jw);
	fclose(f);
	assert_string_equal(buf,
		"{\n \"a\\\"b\": \"\\u0001\\\\ \xc3\xa4 "
		"\\ufffd\\ufffd\\ufffd\\ufffd \xf0\x9f\x98\x80\",\n"
		" \"none\": null,\n \"list\": [\n  -5,\n  true],\n"
		" \"id\": \"0x0000000000001234\",\n \"hex\": \"00ff\",\n"
		" \"empty\": []}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_framing_limits),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
