/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the login process takes from headers. */

#include "lib.h"
#include "mapihttp-headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define HEX_1 "000102030405060708090a0b0c0d0e0f" \
	"101112131415161718191a1b1c1d1e1f"
#define HEX_2 "ffffffffffffffffffffffffffffffff" \
	"ffffffffffffffffffffffffffffffff"

static void test_cookies(void **state)
{
	static const struct {
		const char *header;
		bool valid, context, sequence;
		/* of the secret */
		unsigned char last_byte;
		uint64_t number;
	} tests[] = {
		{ NULL, TRUE, FALSE, FALSE, 0, 0 },
		{ "", TRUE, FALSE, FALSE, 0, 0 },
		{ ";; ; =", TRUE, FALSE, FALSE, 0, 0 },
		{ "a=b; MapiContextX=zz; Mapi=1", TRUE, FALSE, FALSE, 0, 0 },
		{ "MapiContext="HEX_1, TRUE, TRUE, FALSE, 0x1f, 0 },
		{ "MapiContext="HEX_1"; MapiSequence=17",
		  TRUE, TRUE, TRUE, 0x1f, 17 },
		{ "MapiSequence=17;MapiContext="HEX_1,
		  TRUE, TRUE, TRUE, 0x1f, 17 },
		{ "x=y; MapiSequence=18446744073709551615", TRUE, FALSE, TRUE,
		  0, UINT64_MAX },
		/* the first one counts */
		{ "MapiContext="HEX_1"; MapiContext="HEX_2,
		  TRUE, TRUE, FALSE, 0x1f, 0 },
		{ "MapiSequence=1; MapiSequence=2",
		  TRUE, FALSE, TRUE, 0, 1 },
		/* not what we gave out */
		{ "MapiContext=", FALSE },
		{ "MapiContext=00", FALSE },
		{ "MapiContext="HEX_1"00", FALSE },
		{ "MapiContext=\""HEX_1"\"", FALSE },
		{ "MapiContext=g00102030405060708090a0b0c0d0e0f"
		  "101112131415161718191a1b1c1d1e1f", FALSE },
		{ "MapiSequence=", FALSE },
		{ "MapiSequence=-1", FALSE },
		{ "MapiSequence=1x", FALSE },
		{ "MapiSequence=18446744073709551616", FALSE },
		{ "MapiContext="HEX_1"; MapiSequence=x", FALSE },
	};
	struct mapihttp_cookies cookies;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		bool valid = mapihttp_cookies_parse(tests[i].header, &cookies);

		print_message("%s\n", tests[i].header == NULL ? "NULL" :
			      tests[i].header);
		assert_int_equal(valid, tests[i].valid);
		if (valid) {
			assert_int_equal(cookies.have_context,
					 tests[i].context);
			assert_int_equal(cookies.have_sequence,
					 tests[i].sequence);
			assert_int_equal(
				cookies.secret[MAPIHTTP_SECRET_SIZE - 1],
				tests[i].last_byte);
			assert_true(cookies.sequence == tests[i].number);
		}
	} T_END;
}

static void test_secret(void **state)
{
	struct mapihttp_cookies cookies;
	unsigned int i;

	assert_true(mapihttp_cookies_parse("MapiContext="HEX_1, &cookies));
	for (i = 0; i < MAPIHTTP_SECRET_SIZE; i++)
		assert_int_equal(cookies.secret[i], i);
}

static void test_ids(void **state)
{
	char longest[258];

	assert_true(mapihttp_id_is_valid(
		"{C715155F-2BE8-44E0-BD34-2960065754C8}:10"));
	assert_true(mapihttp_id_is_valid("x y"));
	assert_false(mapihttp_id_is_valid(""));
	/* what would be another header when it is echoed */
	assert_false(mapihttp_id_is_valid("a\r\nSet-Cookie: b"));
	assert_false(mapihttp_id_is_valid("a\x7f"));
	assert_false(mapihttp_id_is_valid("gr\xc3\xbc\xc3\x9f"));
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	assert_true(mapihttp_id_is_valid(longest));
	longest[256] = 'x';
	longest[257] = '\0';
	assert_false(mapihttp_id_is_valid(longest));
}

static void test_basic(void **state)
{
	static const struct {
		const char *data;
		size_t size;
		/* NULL if invalid */
		const char *username, *password;
	} tests[] = {
#define D(text) text, sizeof(text) - 1
		{ D("user:password"), "user", "password" },
		{ D("user@example.org:"), "user@example.org", "" },
		{ D("user:pass:word"), "user", "pass:word" },
		{ D("user::"), "user", ":" },
		{ D("u:gr\xc3\xbc\xc3\x9f"), "u", "gr\xc3\xbc\xc3\x9f" },
		{ D("DOMAIN\\user:x"), "DOMAIN\\user", "x" },
		{ D(""), NULL, NULL },
		{ D("user"), NULL, NULL },
		{ D(":password"), NULL, NULL },
		{ D("us\0er:password"), NULL, NULL },
		{ D("user:pass\0word"), NULL, NULL },
		{ D("user:password\0"), NULL, NULL },
#undef D
	};
	const char *username, *password;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		bool valid = mapihttp_basic_parse(
			(const unsigned char *)tests[i].data, tests[i].size,
			&username, &password);

		print_message("%s\n", tests[i].data);
		assert_int_equal(valid, tests[i].username != NULL);
		if (valid) {
			assert_string_equal(username, tests[i].username);
			assert_string_equal(password, tests[i].password);
		}
	} T_END;
}

static void test_names(void **state)
{
	assert_string_equal(mapihttp_code_name(MAPIHTTP_SUCCESS), "Success");
	assert_string_equal(mapihttp_code_name(MAPIHTTP_CONTEXT_NOT_FOUND),
			    "Context Not Found");
	assert_string_equal(mapihttp_code_name(MAPIHTTP_ENDPOINT_SHUTTING_DOWN),
			    "Endpoint Shutting Down");
	assert_string_equal(mapihttp_code_name(19), "Unknown");
	assert_string_equal(mapihttp_code_name(UINT_MAX), "Unknown");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_basic),
		cmocka_unit_test(test_names),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
