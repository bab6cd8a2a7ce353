/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "hostpid.h"
#include "addressbook-url.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define ID_URL "?MailboxId=03020100-0504-0706-0809-0a0b0c0d0e0f@example.org"

static const unsigned char id[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
};

static void test_url(void **state)
{
	static const struct {
		const char *external_url, *host, *base;
	} tests[] = {
		{ "https://mail.example.org", "other", "https://mail.example.org" },
		{ "https://mail.example.org:8443/", "other",
		  "https://mail.example.org:8443" },
		{ "", "mail.example.com:443", "https://mail.example.com:443" },
	};
	struct addressbook_url_params params = {
		.username = "alice@example.org", .id = id,
	};

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		params.external_url = tests[i].external_url;
		params.host = tests[i].host;
		assert_string_equal(
			addressbook_url(&params, ADDRESSBOOK_ENDPOINT_EMSMDB),
			t_strconcat(tests[i].base, "/mapi/emsmdb/" ID_URL,
				    NULL));
		assert_string_equal(
			addressbook_url(&params, ADDRESSBOOK_ENDPOINT_NSPI),
			t_strconcat(tests[i].base, "/mapi/nspi/" ID_URL, NULL));
	}
}

static void test_url_without_host(void **state)
{
	struct addressbook_url_params params = {
		.external_url = "", .username = "alice", .id = id,
	};

	assert_string_equal(addressbook_url_base(&params),
			    t_strconcat("https://", my_hostname, NULL));
	/* what the client says isn't believed if it makes no sense */
	params.host = "a\"><b>\xff";
	assert_string_equal(addressbook_url_base(&params),
			    t_strconcat("https://", my_hostname, NULL));
	params.host = "[::1]:8443";
	assert_string_equal(addressbook_mailbox_id(&params),
		"03020100-0504-0706-0809-0a0b0c0d0e0f@::1");
	params.host = "mail.example.com:8443";
	assert_string_equal(addressbook_mailbox_id(&params),
		"03020100-0504-0706-0809-0a0b0c0d0e0f@mail.example.com");
}

/* Users that aren't in the directory have URLs of their own, too. */
static void test_url_without_id(void **state)
{
	struct addressbook_url_params alice = {
		.external_url = "https://h", .username = "alice@x&y",
	}, bob = {
		.external_url = "https://h", .username = "bob@x&y",
	};
	const char *a = addressbook_mailbox_id(&alice);

	assert_string_equal(a, addressbook_mailbox_id(&alice));
	assert_string_not_equal(a, addressbook_mailbox_id(&bob));
	assert_int_equal(strlen(a), 36 + strlen("@x%26y"));
	assert_string_equal(a + 36, "@x%26y");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_url_without_host),
		cmocka_unit_test(test_url_without_id),
	};
	int ret;

	lib_init();
	hostpid_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
