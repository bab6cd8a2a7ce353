/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-enums.h"
#include "mapi-rights.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define READER (MAPI_ACL_LOOKUP | MAPI_ACL_READ)
#define WRITER (READER | MAPI_ACL_WRITE | MAPI_ACL_WRITE_SEEN)
#define BUSY (RIGHTS_FREE_BUSY_SIMPLE | RIGHTS_FREE_BUSY_DETAILED)

/* Values of [MS-OXCPERM] 2.2.7 in numbers, so that they are checked, too */
static void test_to_acl(void **state)
{
	static const struct {
		uint32_t rights, acl;
	} tests[] = {
		{ 0, 0 },
		{ 0x400, MAPI_ACL_LOOKUP },
		{ 0x401, READER },			/* Reviewer */
		{ 0x402, MAPI_ACL_LOOKUP | MAPI_ACL_INSERT | MAPI_ACL_POST },
		/* Author: what is only for own messages has no letter */
		{ 0x41b, READER | MAPI_ACL_INSERT | MAPI_ACL_POST },
		{ 0x421, WRITER },
		{ 0x441, READER | MAPI_ACL_WRITE_DELETED | MAPI_ACL_EXPUNGE },
		{ 0x80, MAPI_ACL_CREATE },
		{ 0x100, MAPI_ACL_ADMIN | MAPI_ACL_DELETE },
		{ 0x218, 0 },
		{ 0x1800, 0 },
		{ 0x5fb, MAPI_ACL_ALL },		/* Owner */
		{ 0xffffe004, 0 },
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		assert_int_equal(mapi_rights_to_acl(tests[i].rights),
				 tests[i].acl);
	}
}

static void test_from_acl(void **state)
{
	assert_int_equal(mapi_rights_from_acl(0), 0);
	assert_int_equal(mapi_rights_from_acl(READER), 0x401 | BUSY);
	/* letters that are of no use alone */
	assert_int_equal(mapi_rights_from_acl(READER | MAPI_ACL_WRITE_SEEN |
					      MAPI_ACL_WRITE_DELETED |
					      MAPI_ACL_POST | MAPI_ACL_DELETE),
			 0x401 | BUSY);
	assert_int_equal(mapi_rights_from_acl(MAPI_ACL_WRITE), 0x28);
	assert_int_equal(mapi_rights_from_acl(MAPI_ACL_EXPUNGE), 0x50);
	assert_int_equal(mapi_rights_from_acl(MAPI_ACL_ALL), 0x5fb | BUSY);
}

/* Whatever can be said in both ways is the same again. */
static void test_round_trip(void **state)
{
	static const uint32_t bits[] = {
		RIGHTS_READ_ANY | BUSY, RIGHTS_CREATE,
		RIGHTS_EDIT_ANY | RIGHTS_EDIT_OWNED,
		RIGHTS_DELETE_ANY | RIGHTS_DELETE_OWNED,
		RIGHTS_CREATE_SUB_FOLDER, RIGHTS_FOLDER_OWNER,
		RIGHTS_FOLDER_VISIBLE,
	};
	uint32_t rights, acl;
	unsigned int i, mask;

	for (mask = 0; mask < 1U << N_ELEMENTS(bits); mask++) {
		rights = 0;
		for (i = 0; i < N_ELEMENTS(bits); i++) {
			if ((mask & (1U << i)) != 0)
				rights |= bits[i];
		}
		acl = mapi_rights_to_acl(rights);
		assert_int_equal(mapi_rights_from_acl(acl), rights);
	}
	/* nobody gets more by being looked at */
	for (acl = 0; acl <= MAPI_ACL_ALL; acl++) {
		rights = mapi_rights_from_acl(acl);
		assert_int_equal(mapi_rights_from_acl(
					mapi_rights_to_acl(rights)), rights);
	}
}

static void test_normalize(void **state)
{
	assert_int_equal(mapi_rights_normalize(0xffffffff), 0x1ffb);
	assert_int_equal(mapi_rights_normalize(RIGHTS_EDIT_ANY), 0x28);
	assert_int_equal(mapi_rights_normalize(RIGHTS_DELETE_ANY), 0x50);
	assert_int_equal(mapi_rights_normalize(RIGHTS_FREE_BUSY_DETAILED),
			 0x1800);
	assert_int_equal(mapi_rights_normalize(0x41b), 0x41b);
}

static void test_access(void **state)
{
	assert_int_equal(mapi_rights_folder_access(MAPI_RIGHTS_ALL,
						   MAPI_ACL_ALL), 0x3f);
	assert_int_equal(mapi_rights_folder_access(0x401, READER), 0x02);
	assert_int_equal(mapi_rights_folder_access(0x402, 0), 0x10);
	assert_int_equal(mapi_rights_folder_access(0x480, 0), 0x08);
	assert_int_equal(mapi_rights_folder_access(0, MAPI_ACL_DELETE), 0x04);
	assert_int_equal(mapi_rights_folder_access(0x100, 0), 0x21);

	assert_int_equal(mapi_rights_message_access(0x41b, FALSE), 0x02);
	assert_int_equal(mapi_rights_message_access(0x421, FALSE), 0x03);
	assert_int_equal(mapi_rights_message_access(0x441, FALSE), 0x06);
	assert_int_equal(mapi_rights_message_access(0x41b, TRUE), 0x07);
	assert_int_equal(mapi_rights_message_access(0x409, TRUE), 0x03);
	assert_int_equal(mapi_rights_message_access(0x411, TRUE), 0x06);
	assert_int_equal(mapi_rights_message_access(0x403, TRUE), 0x02);
	assert_int_equal(mapi_rights_associated_access(0x4fb), 0x02);
	assert_int_equal(mapi_rights_associated_access(0x501), 0x07);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_acl),
		cmocka_unit_test(test_from_acl),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_normalize),
		cmocka_unit_test(test_access),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
