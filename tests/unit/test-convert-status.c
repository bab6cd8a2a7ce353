/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Statuses of delivery reports, [MS-OXCMAIL] 2.2.3.7.1 */

#include "lib.h"
#include "mime-status.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static void test_codes(void **state)
{
	static const struct {
		const char *status;
		int32_t code, diag, reason;
	} tests[] = {
		{ "5.1.1", 511, 35, 1 },
		{ "5.1.2", 512, 48, 0 },
		{ "5.1.3", 513, 32, 0 },
		{ "5.1.4", 514, 1, 0 },
		{ "5.1.6", 516, 40, 0 },
		{ "5.1.0", 510, 0, 0 },
		{ "5.1.10", 510, 0, 0 },
		{ "5.2.1", 521, 38, 0 },
		{ "5.2.2", 522, 13, 0 },
		{ "5.2.3", 523, 13, 0 },
		{ "5.2.4", 524, 30, 0 },
		{ "4.4.7", 447, 5, 0 },
		{ "4.4.3", 443, -1, 6 },
		{ "5.7.1", 571, 29, 0 },
		{ "5.7.26", 570, 46, 0 },
		{ "5.7.999", 570, 46, 0 },
		{ "5.0.0", 500, -1, 0 },
		{ "5.10.1", 501, -1, 0 },
		{ "5.8.1", 581, -1, 0 },
		{ "2.0.0", 200, -1, 0 },
	};
	struct mime_status status;
	int32_t diag, reason;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		assert_true(mime_status_parse(tests[i].status, &status));
		assert_string_equal(t_mime_status(&status), tests[i].status);
		assert_int_equal(mime_status_code(&status), tests[i].code);
		mime_status_get_reason(&status, &diag, &reason);
		assert_int_equal(diag, tests[i].diag);
		assert_int_equal(reason, tests[i].reason);
	} T_END;
}

static void test_invalid(void **state)
{
	static const char *const tests[] = {
		"", ".", "..", "5", "5.1", "5.1.", "5..1", ".1.1", "5.1.1.1",
		"5.1.1000", "5.1000.1", "10.1.1", "0.1.1", "5.1.x", "5.1.-1",
		"5.1.1 ", " 5.1.1", "5.1.4294967297",
	};
	struct mime_status status;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		assert_false(mime_status_parse(tests[i], &status));
	} T_END;
}

static void test_info(void **state)
{
	static const struct {
		const char *mta, *status, *diagnostic, *info;
	} tests[] = {
		{ "mx.example.com", "5.7.26", "smtp; 550 5.7.26 No > <at all>",
		  "<mx.example.com #5.7.26 smtp; 550 5.7.26 No > <at all>>" },
		{ NULL, "5.1.1", "smtp; 550", "< #5.1.1 smtp; 550>" },
		{ "mx", "4.4.7", NULL, "<mx #4.4.7>" },
		{ NULL, "4.4.7", NULL, "< #4.4.7>" },
	};
	static const char *const others[] = {
		"", "<", ">", "<>", "< #>", "<mx #5.1>", "mx #5.1.1",
		"<mx #5.1.1", "mx #5.1.1>", "<mx#5.1.1>", "<mx #5.1.1000>",
		"smtp; 550 5.1.1 <a@example.com>", "550 #5.1.1",
	};
	struct mime_status status;
	const char *diagnostic;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		assert_true(mime_status_parse(tests[i].status, &status));
		assert_string_equal(t_mime_status_info(tests[i].mta, &status,
						       tests[i].diagnostic),
				    tests[i].info);
		i_zero(&status);
		assert_true(mime_status_info_parse(tests[i].info, &status,
						   &diagnostic));
		assert_string_equal(t_mime_status(&status), tests[i].status);
		assert_int_equal(diagnostic == NULL,
				 tests[i].diagnostic == NULL);
		if (diagnostic != NULL)
			assert_string_equal(diagnostic, tests[i].diagnostic);
	} T_END;
	for (i = 0; i < N_ELEMENTS(others); i++) T_BEGIN {
		assert_false(mime_status_info_parse(others[i], &status,
						    &diagnostic));
	} T_END;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_info),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
