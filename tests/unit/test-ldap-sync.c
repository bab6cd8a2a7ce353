/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "hex-binary.h"
#include "buffer.h"
#include "ldap-sync.h"

#include <lber.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define UUID1 "000102030405060708090a0b0c0d0e0f"
#define UUID2 "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"

static struct berval from_hex(const char *hex)
{
	buffer_t *buf = t_buffer_create(64);
	struct berval bv;

	assert_int_equal(hex_to_binary(hex, buf), 0);
	bv.bv_val = buffer_get_modifiable_data(buf, NULL);
	bv.bv_len = buf->used;
	return bv;
}

static void assert_cookie(const struct mapi_binary *cookie, const char *str)
{
	if (str == NULL) {
		assert_null(cookie->data);
		return;
	}
	assert_non_null(cookie->data);
	assert_int_equal(cookie->len, strlen(str));
	assert_memory_equal(cookie->data, str, strlen(str));
}

static void test_request(void **state ATTR_UNUSED)
{
	struct mapi_binary cookie = { .data = (const void *)"abc", .len = 3 };
	struct mapi_binary value;

	value = ldap_sync_request(NULL);
	assert_string_equal(binary_to_hex(value.data, value.len),
			    "30030a0103");
	value = ldap_sync_request(&cookie);
	assert_string_equal(binary_to_hex(value.data, value.len),
			    "30080a01030403616263");
}

static void test_entry(void **state ATTR_UNUSED)
{
	static const struct {
		const char *hex;
		int ret;
		enum ldap_sync_state state;
		const char *cookie;
	} tests[] = {
		{ "30150a01010410"UUID1, 0, LDAP_SYNC_STATE_ADD, NULL },
		{ "30150a01000410"UUID1, 0, LDAP_SYNC_STATE_PRESENT, NULL },
		{ "301a0a01030410"UUID1"0403616263", 0,
		  LDAP_SYNC_STATE_DELETE, "abc" },
		/* an empty cookie is one */
		{ "30170a01020410"UUID1"0400", 0, LDAP_SYNC_STATE_MODIFY, "" },
		/* no such state */
		{ "30150a01040410"UUID1, -1, 0, NULL },
		{ "30150a01ff0410"UUID1, -1, 0, NULL },
		/* a UUID that's too short, is missing, is cut */
		{ "30140a0101040f000102030405060708090a0b0c0d0e", -1, 0, NULL },
		{ "30030a0101", -1, 0, NULL },
		{ "30150a010104100001", -1, 0, NULL },
		{ "", -1, 0, NULL },
		{ "04", -1, 0, NULL },
		{ "30840fffffff0a0101", -1, 0, NULL },
	};
	struct ldap_sync_entry entry;
	struct berval value;
	const char *error;

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		value = from_hex(tests[i].hex);
		error = NULL;
		assert_int_equal(ldap_sync_entry_parse(&value, &entry, &error),
				 tests[i].ret);
		if (tests[i].ret < 0) {
			assert_non_null(error);
			continue;
		}
		assert_int_equal(entry.state, tests[i].state);
		assert_string_equal(binary_to_hex(entry.uuid,
						  sizeof(entry.uuid)), UUID1);
		assert_cookie(&entry.cookie, tests[i].cookie);
	}
}

static void test_info(void **state ATTR_UNUSED)
{
	static const struct {
		const char *hex;
		int ret;
		enum ldap_sync_info_type type;
		const char *cookie;
		bool done, deleted;
		unsigned int uuids;
	} tests[] = {
		{ "8003616263", 0, LDAP_SYNC_INFO_NEW_COOKIE, "abc",
		  FALSE, FALSE, 0 },
		/* refreshDone is TRUE unless said otherwise */
		{ "a100", 0, LDAP_SYNC_INFO_REFRESH_DELETE, NULL,
		  TRUE, FALSE, 0 },
		{ "a2050403616263", 0, LDAP_SYNC_INFO_REFRESH_PRESENT, "abc",
		  TRUE, FALSE, 0 },
		{ "a203010100", 0, LDAP_SYNC_INFO_REFRESH_PRESENT, NULL,
		  FALSE, FALSE, 0 },
		{ "a1080403616263010100", 0, LDAP_SYNC_INFO_REFRESH_DELETE,
		  "abc", FALSE, FALSE, 0 },
		{ "a3023100", 0, LDAP_SYNC_INFO_ID_SET, NULL,
		  FALSE, FALSE, 0 },
		{ "a32631240410"UUID1"0410"UUID2, 0, LDAP_SYNC_INFO_ID_SET,
		  NULL, FALSE, FALSE, 2 },
		{ "a31c04036162630101ff31120410"UUID1, 0,
		  LDAP_SYNC_INFO_ID_SET, "abc", FALSE, TRUE, 1 },
		/* a UUID of 3 bytes, none at all, no such choice */
		{ "a30731050403010203", -1, 0, NULL, FALSE, FALSE, 0 },
		{ "a300", -1, 0, NULL, FALSE, FALSE, 0 },
		{ "a400", -1, 0, NULL, FALSE, FALSE, 0 },
		{ "a205040361", -1, 0, NULL, FALSE, FALSE, 0 },
		{ "", -1, 0, NULL, FALSE, FALSE, 0 },
	};
	struct ldap_sync_info info;
	struct berval value;
	const char *error;

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		value = from_hex(tests[i].hex);
		error = NULL;
		assert_int_equal(ldap_sync_info_parse(&value, &info, &error),
				 tests[i].ret);
		if (tests[i].ret < 0) {
			assert_non_null(error);
			continue;
		}
		assert_int_equal(info.type, tests[i].type);
		assert_cookie(&info.cookie, tests[i].cookie);
		assert_int_equal(info.refresh_done, tests[i].done);
		assert_int_equal(info.deleted, tests[i].deleted);
		assert_int_equal(info.uuids_count, tests[i].uuids);
		if (info.uuids_count == 2) {
			assert_string_equal(binary_to_hex(info.uuids, 32),
					    UUID1 UUID2);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_info),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
