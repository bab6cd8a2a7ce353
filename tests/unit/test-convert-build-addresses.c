/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MAPI to MIME: who a message is from and to. */

#include "lib.h"
#include "str.h"
#include "mapi-entryid.h"
#include "mapi-props.h"
#include "mapi-recipient.h"
#include "mapi-wire.h"
#include "build-common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void set_bool(struct mapi_propset *props, uint32_t tag, bool b)
{
	struct mapi_value value = mapi_value_bool(b);

	assert_true(mapi_propset_set_value(props, tag, &value));
}

static void set_entry_id(struct mapi_propset *props, uint32_t tag,
			 struct mapi_binary bin)
{
	struct mapi_value value = mapi_value_bin(bin.data, bin.len);

	assert_true(mapi_propset_set_value(props, tag, &value));
}

static void
add_recipient(struct mapi_content *content, int type, const char *name,
	      const char *address_type, const char *address)
{
	struct mapi_content_recipient *recipient =
		mapi_content_add_recipient(content, content->recipient_count);

	test_set_int(recipient->props, PIDTAG_RECIPIENT_TYPE, type);
	if (name != NULL)
		test_set_str(recipient->props, PIDTAG_DISPLAY_NAME, name);
	if (address_type != NULL)
		test_set_str(recipient->props, PIDTAG_ADDRESS_TYPE, address_type);
	if (address != NULL)
		test_set_str(recipient->props, PIDTAG_EMAIL_ADDRESS, address);
}

static const char *
smtp_address(void *context, TALLOC_CTX *mem, const char *address_type,
	     const char *address)
{
	assert_string_equal(context, "context");
	if (strcmp(address_type, "EX") == 0 &&
	    strcmp(address, "/o=org/cn=known") == 0)
		return talloc_strdup(mem, "known@example.com");
	return NULL;
}

static void set_group(struct mapi_propset *props, bool sender, const char *name,
		      const char *type, const char *email, const char *smtp)
{
	if (name != NULL) {
		test_set_str(props, sender ? PIDTAG_SENDER_NAME :
			PIDTAG_SENT_REPRESENTING_NAME, name);
	}
	if (type != NULL) {
		test_set_str(props, sender ? PIDTAG_SENDER_ADDRESS_TYPE :
			PIDTAG_SENT_REPRESENTING_ADDRESS_TYPE, type);
	}
	if (email != NULL) {
		test_set_str(props, sender ? PIDTAG_SENDER_EMAIL_ADDRESS :
			PIDTAG_SENT_REPRESENTING_EMAIL_ADDRESS, email);
	}
	if (smtp != NULL) {
		test_set_str(props, sender ? PIDTAG_SENDER_SMTP_ADDRESS :
			PIDTAG_SENT_REPRESENTING_SMTP_ADDRESS, smtp);
	}
}

static void test_from(void **state)
{
	struct mime_build_params params = {
		.now = BUILD_TEST_NOW, .smtp_address = smtp_address,
		.context = "context",
	};
	struct mapi_content *content;
	TALLOC_CTX *mem = talloc_new(NULL);

	content = mapi_content_create(NULL);
	set_group(content->props, FALSE, "Boss", "SMTP", "boss@x.org", NULL);
	set_group(content->props, TRUE, "Me", "SMTP", "me@x.org", NULL);
	assert_string_equal(t_test_build_header(content, &params),
		"From: Boss <boss@x.org>\r\nSender: Me <me@x.org>\r\n");

	/* the same user */
	content = mapi_content_create(NULL);
	set_group(content->props, FALSE, "Me", "SMTP", "ME@x.org", NULL);
	set_group(content->props, TRUE, "I", "SMTP", "me@x.org", NULL);
	assert_string_equal(t_test_build_header(content, &params),
		"From: Me <ME@x.org>\r\n");

	/* zero-length properties count as absent */
	content = mapi_content_create(NULL);
	set_group(content->props, FALSE, "", "", "", "");
	set_group(content->props, TRUE, "Me", "SMTP", "me@x.org", NULL);
	assert_string_equal(t_test_build_header(content, &params),
		"From: Me <me@x.org>\r\n");

	/* the SMTP address first, then who is asked, then encapsulation */
	content = mapi_content_create(NULL);
	set_group(content->props, FALSE, "Me", "EX", "/o=org/cn=me",
		  "me@x.org");
	set_group(content->props, TRUE, "Known", "EX", "/o=org/cn=known", NULL);
	assert_string_equal(t_test_build_header(content, &params),
		"From: Me <me@x.org>\r\nSender: Known <known@example.com>\r\n");
	content = mapi_content_create(NULL);
	set_group(content->props, FALSE, "Who", "EX", "/o=org (x)/cn=who_ever",
		  NULL);
	set_group(content->props, TRUE, NULL, "SMTP", "me@x.org", NULL);
	assert_string_equal(t_test_build_header(content, &params),
		"From: Who <IMCEAEX-_o=org+20+28x+29_cn=who+5Fever@x.org>"
		"\r\nSender: <me@x.org>\r\n");
	content = mapi_content_create(NULL);
	set_group(content->props, FALSE, NULL, "FAX", "+49 (1)", NULL);
	assert_string_equal(t_test_build_header(content, NULL),
		"From: <IMCEAFAX-+2B49+20+281+29@imcea.invalid>\r\n");

	/* only an entry id */
	content = mapi_content_create(NULL);
	set_entry_id(content->props, PIDTAG_SENDER_ENTRY_ID,
		mapi_one_off_entry_id_build(mem, "One Off", "SMTP", "o@x.org"));
	assert_string_equal(t_test_build_header(content, &params),
		"From: One Off <o@x.org>\r\n");
	content = mapi_content_create(NULL);
	set_entry_id(content->props, PIDTAG_SENDER_ENTRY_ID,
		mapi_addressbook_entry_id_build(mem, 0, "/o=org/cn=known"));
	assert_string_equal(t_test_build_header(content, &params),
		"From: <known@example.com>\r\n");
	talloc_free(mem);
}

static void test_names(void **state)
{
	static const struct {
		const char *name, *address, *field;
	} tests[] = {
		{ "Ada Lovelace", "ada@x.org", "Ada Lovelace <ada@x.org>" },
		{ "Lovelace, Ada", "ada@x.org",
		  "\"Lovelace, Ada\" <ada@x.org>" },
		{ "The \"B\\oss\"", "b@x.org",
		  "\"The \\\"B\\\\oss\\\"\" <b@x.org>" },
		{ "two  blanks", "b@x.org", "\"two  blanks\" <b@x.org>" },
		{ "J\xc3\xb6rg", "j@x.org", "=?utf-8?b?SsO2cmc=?= <j@x.org>" },
		{ "=?utf-8?q?x?=", "j@x.org",
		  "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <j@x.org>" },
		{ "a@x.org", "a@x.org", "<a@x.org>" },
		{ NULL, "a@x.org", "<a@x.org>" },
		{ "x\r\nBcc: y", "a@x.org", "\"x  Bcc: y\" <a@x.org>" },
		{ "x", "a@x.org>,\r\n <b@y.org", "x <\"a@x.org>,   <b\"@y.org>" },
		{ "x", "a b@x.org", "x <\"a b\"@x.org>" },
		{ "x", "a..b@x.org", "x <\"a..b\"@x.org>" },
		{ "x", "a\"b@x.org", "x <\"a\\\"b\"@x.org>" },
		{ "x", "a@x.org\r\nBcc: c@d", "x <\"a@x.org  Bcc: c\"@d>" },
		{ "x", "a@[192.0.2.1]", "x <a@[192.0.2.1]>" },
		{ "x", "local", "x <local>" },
		/* nobody knows who that is */
		{ "Somebody", "", "Somebody:;" },
		{ "Some, body", NULL, "\"Some, body\":;" },
	};
	struct mapi_content *content;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		add_recipient(content, MAPI_TO, tests[i].name, "SMTP",
			      tests[i].address);
		assert_string_equal(t_test_build_header(content, NULL), t_strdup_printf(
			"To: %s\r\n", tests[i].field));
	} T_END;
}

static void test_recipients(void **state)
{
	struct mime_build_params params = {
		.now = BUILD_TEST_NOW, .smtp_address = smtp_address,
		.context = "context",
	};
	struct mapi_content *content = mapi_content_create(NULL), *again;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_content_recipient *recipient;
	buffer_t *buf;
	unsigned int i;

	add_recipient(content, MAPI_CC, "C", "SMTP", "c@x.org");
	add_recipient(content, MAPI_TO | MAPI_RECIPIENT_SUBMITTED, "A",
		      "SMTP", "a@x.org");
	add_recipient(content, MAPI_BCC, "B", "SMTP", "b@x.org");
	add_recipient(content, MAPI_TO, "K", "EX", "/o=org/cn=known");
	add_recipient(content, MAPI_ORIG, "O", "SMTP", "o@x.org");
	add_recipient(content, MAPI_TO, "Unresolved", "NONE", "Unresolved");
	recipient = mapi_content_add_recipient(content, 9);
	set_entry_id(recipient->props, PIDTAG_ENTRY_ID,
		mapi_one_off_entry_id_build(mem, "E", "SMTP", "e@x.org"));
	assert_string_equal(t_test_build_header(content, &params),
		"To: A <a@x.org>,\r\n K <known@example.com>,\r\n"
		" Unresolved:;,\r\n E <e@x.org>\r\n"
		"Cc: C <c@x.org>\r\n");
	params.with_bcc = TRUE;
	content = mapi_content_create(NULL);
	add_recipient(content, MAPI_BCC, "B", "SMTP", "b@x.org");
	assert_string_equal(t_test_build_header(content, &params), "Bcc: B <b@x.org>\r\n");

	content = mapi_content_create(mem);
	for (i = 0; i < 3000; i++) T_BEGIN {
		add_recipient(content, MAPI_TO, t_strdup_printf(
			"Recipient N\xc2\xb0 %u of many", i), "SMTP",
			t_strdup_printf("r%u@example.com", i));
	} T_END;
	buf = test_build(content, &params);
	assert_null(test_message_check(buf));
	again = test_derive(mem, buf->data, buf->used);
	assert_int_equal(again->recipient_count, 3000);
	for (i = 0; i < 3000; i++) {
		assert_string_equal(
			mapi_propset_get_string(again->recipients[i].props,
						PIDTAG_DISPLAY_NAME),
			mapi_propset_get_string(content->recipients[i].props,
						PIDTAG_DISPLAY_NAME));
	}
	buffer_free(&buf);
	talloc_free(mem);
}

static void test_reply_to(void **state)
{
	static const char *const broken[] = {
		"\x01\x00\x00\x00\x10\x00\x00\x00\xff\xff\xff\xff",
		"\xff\xff\xff\xff\x04\x00\x00\x00\x00\x00\x00\x00",
		"\x01\x00\x00",
	};
	struct mapi_content *content, *again;
	struct mapi_binary bin;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_push push;
	buffer_t *buf;
	unsigned int i;

	content = mapi_content_create(mem);
	mapi_push_init(&push, mem, 0);
	(void)mapi_push_u32(&push, 2);
	(void)mapi_push_u32(&push, 0);
	for (i = 0; i < 2; i++) {
		bin = mapi_one_off_entry_id_build(mem, i == 0 ? "Jos\xc3\xa9" :
			"", "SMTP", i == 0 ? "j@x.org" : "k@x.org");
		(void)mapi_push_u32(&push, bin.len);
		(void)mapi_push_bytes(&push, bin.data, bin.len);
		while (push.size % 4 != 0)
			(void)mapi_push_u8(&push, 0);
	}
	bin.data = push.data;
	bin.len = push.size;
	set_entry_id(content->props, PIDTAG_REPLY_RECIPIENT_ENTRIES, bin);
	test_set_str(content->props, PIDTAG_REPLY_RECIPIENT_NAMES, "Joe;Second");
	buf = test_build(content, NULL);
	assert_non_null(strstr(str_c(buf), "Reply-To: =?utf-8?b?Sm9zw6k=?= "
			       "<j@x.org>,\r\n Second <k@x.org>\r\n"));
	again = test_derive(mem, buf->data, buf->used);
	assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_REPLY_RECIPIENT_NAMES), "Jos\xc3\xa9;Second");
	buffer_free(&buf);

	for (i = 0; i < N_ELEMENTS(broken); i++) {
		content = mapi_content_create(NULL);
		bin.data = (const uint8_t *)broken[i];
		bin.len = i == 2 ? 3 : 12;
		set_entry_id(content->props, PIDTAG_REPLY_RECIPIENT_ENTRIES, bin);
		assert_string_equal(t_test_build_header(content, NULL), "");
	}
	talloc_free(mem);
}

static void test_receipts(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL);

	set_group(content->props, FALSE, "Me", "SMTP", "me@x.org", NULL);
	set_bool(content->props, PIDTAG_READ_RECEIPT_REQUESTED, TRUE);
	set_bool(content->props,
		 PIDTAG_ORIGINATOR_DELIVERY_REPORT_REQUESTED, TRUE);
	assert_string_equal(t_test_build_header(content, NULL),
		"From: Me <me@x.org>\r\n"
		"Disposition-Notification-To: Me <me@x.org>\r\n"
		"Return-Receipt-To: Me <me@x.org>\r\n");
	content = mapi_content_create(NULL);
	set_group(content->props, FALSE, "Me", "SMTP", "me@x.org", NULL);
	set_bool(content->props, PIDTAG_READ_RECEIPT_REQUESTED, TRUE);
	test_set_str(content->props, PIDTAG_READ_RECEIPT_EMAIL_ADDRESS, "r@x.org");
	set_bool(content->props,
		 PIDTAG_ORIGINATOR_DELIVERY_REPORT_REQUESTED, FALSE);
	assert_string_equal(t_test_build_header(content, NULL),
		"From: Me <me@x.org>\r\n"
		"Disposition-Notification-To: <r@x.org>\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_recipients),
		cmocka_unit_test(test_reply_to),
		cmocka_unit_test(test_receipts),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests_name("MAPI to MIME: addresses", tests,
					  NULL, NULL);
	lib_deinit();
	return ret;
}
