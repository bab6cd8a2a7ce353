/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MAPI to MIME: signed and encrypted messages, reports. */

#include "lib.h"
#include "str.h"
#include "mapi-props.h"
#include "build-common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_smime_signed(void **state)
{
	static const char entity[] =
		"Content-Type: multipart/signed; protocol=\"application/"
		"pkcs7-signature\";\r\n\tboundary=b; micalg=sha-256\r\n"
		"Subject: not this one\r\n\r\n"
		"--b\r\nContent-Type: text/plain\r\n\r\nsigned  text \r\n"
		"--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nMIIB"
		"\r\n--b--\r\n";
	struct mapi_content *content = mapi_content_create(NULL), *again;
	const struct mapi_value *data;
	const char *message;

	test_set_str(content->props, PIDTAG_SUBJECT, "the subject");
	test_set_str(content->props, PIDTAG_MESSAGE_CLASS,
		"IPM.Note.SMIME.MultipartSigned");
	test_set_str(content->props, PIDTAG_BODY, "a body that isn't written");
	test_add_file(content, "smime.p7m", "multipart/signed", entity,
		 strlen(entity));
	message = t_test_build(content);
	test_assert_has(message, "Subject: the subject\r\n");
	test_assert_hasnt(message, "not this one");
	test_assert_hasnt(message, "isn't written");
	test_assert_has(message, strstr(entity, "\r\n\r\n"));
	test_assert_has(message, "MIME-Version: 1.0\r\n");
	again = t_derive_message(message);
	assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_MESSAGE_CLASS),
		"IPM.Note.SMIME.MultipartSigned");
	data = mapi_propset_get(again->attachments[0].props,
				PIDTAG_ATTACH_DATA_BINARY);
	test_assert_has(t_strndup(data->u.bin.data, data->u.bin.len),
		   strstr(entity, "\r\n\r\n"));
	talloc_free(talloc_parent(again));

	/* what isn't signed isn't taken for it */
	content = mapi_content_create(NULL);
	test_set_str(content->props, PIDTAG_MESSAGE_CLASS,
		"IPM.Note.SMIME.MultipartSigned");
	test_add_file(content, "smime.p7m", NULL, "Bcc: x\r\n\r\ntext", 14);
	message = t_test_build(content);
	test_assert_has(message, "multipart/mixed");
	test_assert_hasnt(message, "Bcc");
}

static void test_smime_opaque(void **state)
{
	static const struct {
		const char *data;
		size_t size;
		const char *type;
	} tests[] = {
		{ "\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"
		  "\x02\xa0", 16, "pkcs7-mime; smime-type=signed-data;" },
		{ "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0",
		  14, "pkcs7-mime; smime-type=enveloped-data;" },
		{ "\x30\x50\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01"
		  "\x09\xa0", 16, "pkcs7-mime; smime-type=compressed-data;" },
		{ "\x30\xff", 2, "pkcs7-mime;\r\n" },
		{ "something", 9, "pkcs7-mime;\r\n" },
		{ "", 0, "pkcs7-mime;\r\n" },
	};
	struct mapi_content *content, *again;
	const struct mapi_value *data;
	const char *message;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		test_set_str(content->props, PIDTAG_MESSAGE_CLASS,
			"IPM.Note.SMIME");
		test_add_file(content, "smime.p7m", "application/pkcs7-mime",
			 tests[i].data, tests[i].size);
		message = t_test_build(content);
		test_assert_has(message, tests[i].type);
		again = t_derive_message(message);
		assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_MESSAGE_CLASS), "IPM.Note.SMIME");
		data = mapi_propset_get(again->attachments[0].props,
					PIDTAG_ATTACH_DATA_BINARY);
		assert_int_equal(data->u.bin.len, tests[i].size);
		assert_int_equal(memcmp(data->u.bin.data, tests[i].data,
					tests[i].size), 0);
		talloc_free(talloc_parent(again));
	} T_END;
}

static void test_delivery_report(void **state)
{
	static const struct {
		const char *class, *action, *status;
		int code;
	} tests[] = {
		{ "REPORT.IPM.Note.NDR", "failed", "5.1.1", 511 },
		{ "REPORT.IPM.Note.NDR", "failed", "5.0.0", 0 },
		{ "REPORT.IPM.Note.NDR", "failed", "5.0.0", 99999 },
		{ "REPORT.IPM.Note.DR", "delivered", "2.0.0", 0 },
		{ "REPORT.IPM.Note.Delayed.DR", "delayed", "4.4.7", 447 },
		{ "REPORT.IPM.Note.Relayed.DR", "relayed", "2.0.0", 0 },
		{ "REPORT.IPM.Note.Expanded.DR", "expanded", "2.0.0", 0 },
	};
	struct mapi_content *content, *again;
	struct mapi_content_recipient *recipient;
	const char *message;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		test_set_str(content->props, PIDTAG_MESSAGE_CLASS, tests[i].class);
		test_set_str(content->props, PIDTAG_BODY, "It says so.\r\n");
		test_set_str(content->props, PIDTAG_RECEIVED_BY_NAME, "Me");
		test_set_str(content->props, PIDTAG_RECEIVED_BY_EMAIL_ADDRESS,
			"me@example.com");
		test_set_str(content->props,
			PIDTAG_REPORTING_MESSAGE_TRANSFER_AGENT,
			"mx.example.com");
		recipient = mapi_content_add_recipient(content, 0);
		test_set_str(recipient->props, PIDTAG_DISPLAY_NAME, "J\xc3\xb6");
		test_set_str(recipient->props, PIDTAG_EMAIL_ADDRESS, "j@x.org");
		test_set_str(recipient->props, PIDTAG_SUPPLEMENTARY_INFO,
			"550 no\r\n\r\nFinal-Recipient: rfc822; other@x.org");
		if (tests[i].code != 0) {
			test_set_int(recipient->props,
				PIDTAG_NON_DELIVERY_REPORT_STATUS_CODE,
				tests[i].code);
		}
		message = t_test_build(content);
		test_assert_has(message, "multipart/report;");
		test_assert_has(message, "report-type=delivery-status");
		test_assert_has(message, "To: Me <me@example.com>\r\n");
		test_assert_has(message, "Reporting-MTA: dns; mx.example.com\r\n"
			   "\r\nFinal-Recipient: rfc822; j@x.org\r\n");
		test_assert_has(message, t_strdup_printf(
			"Action: %s\r\nStatus: %s\r\n", tests[i].action,
			tests[i].status));
		again = t_derive_message(message);
		assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_MESSAGE_CLASS), tests[i].class);
		assert_int_equal(again->recipient_count, 1);
		assert_string_equal(mapi_propset_get_string(
			again->recipients[0].props, PIDTAG_DISPLAY_NAME),
			"J\xc3\xb6");
		assert_string_equal(mapi_propset_get_string(
			again->recipients[0].props, PIDTAG_SUPPLEMENTARY_INFO),
			"550 no    Final-Recipient: rfc822; other@x.org");
		talloc_free(talloc_parent(again));
	} T_END;
}

/* The status that a server gave, of which the status code hasn't all digits */
static void test_exact_status(void **state)
{
	static const struct {
		int code;
		const char *info, *status, *diagnostic;
	} tests[] = {
		{ 570, "<mx #5.7.26 smtp; 550 5.7.26 No>", "5.7.26",
		  "smtp; 550 5.7.26 No" },
		{ 0, "<mx #5.7.26 smtp; 550 5.7.26 No>", "5.7.26",
		  "smtp; 550 5.7.26 No" },
		{ 570, "<mx #5.7.26>", "5.7.26", NULL },
		/* that of somebody else */
		{ 511, "<mx #5.7.26>", "5.1.1", NULL },
		{ 511, "<mx #9.1.1>", "5.1.1", NULL },
		{ 0, "<mx #9.1.1>", "5.0.0", NULL },
		/* no Diagnostic-Code has such a form */
		{ 570, "<mx #5.7.0 550 No>", "5.7.0", NULL },
	};
	struct mapi_content *content, *again;
	struct mapi_content_recipient *recipient;
	const char *message;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		test_set_str(content->props, PIDTAG_MESSAGE_CLASS,
			     "REPORT.IPM.Note.NDR");
		recipient = mapi_content_add_recipient(content, 0);
		test_set_str(recipient->props, PIDTAG_EMAIL_ADDRESS, "j@x.org");
		test_set_str(recipient->props, PIDTAG_SUPPLEMENTARY_INFO,
			     tests[i].info);
		if (tests[i].code != 0) {
			test_set_int(recipient->props,
				PIDTAG_NON_DELIVERY_REPORT_STATUS_CODE,
				tests[i].code);
		}
		message = t_test_build(content);
		test_assert_has(message, t_strdup_printf("Status: %s\r\n",
							 tests[i].status));
		if (tests[i].diagnostic != NULL) {
			test_assert_has(message, t_strdup_printf(
				"Diagnostic-Code: %s\r\n",
				tests[i].diagnostic));
		} else {
			assert_null(strstr(message, "Diagnostic-Code"));
		}
		again = t_derive_message(message);
		assert_string_equal(mapi_propset_get_string(
			again->recipients[0].props, PIDTAG_SUPPLEMENTARY_INFO),
			tests[i].info);
		talloc_free(talloc_parent(again));
	} T_END;
}

static void test_disposition_report(void **state)
{
	static const char *const classes[][2] = {
		{ "REPORT.IPM.Note.IPNRN", "displayed" },
		{ "REPORT.IPM.Note.IPNNRN", "deleted" },
	};
	struct mapi_content *content, *again;
	struct mapi_content_recipient *recipient;
	const char *message;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(classes); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		test_set_str(content->props, PIDTAG_MESSAGE_CLASS, classes[i][0]);
		test_set_str(content->props, PIDTAG_SENDER_EMAIL_ADDRESS, "me@x.org");
		test_set_str(content->props, PIDTAG_SENDER_ADDRESS_TYPE, "SMTP");
		test_set_str(content->props, PIDTAG_ORIGINAL_MESSAGE_ID, "<1@x>");
		recipient = mapi_content_add_recipient(content, 0);
		test_set_str(recipient->props, PIDTAG_EMAIL_ADDRESS, "you@x.org");
		message = t_test_build(content);
		test_assert_has(message, "To: <you@x.org>\r\n");
		test_assert_has(message, "report-type=disposition-notification");
		test_assert_has(message, "Final-Recipient: rfc822; me@x.org\r\n"
			   "Original-Message-ID: <1@x>\r\n");
		again = t_derive_message(message);
		assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_MESSAGE_CLASS), classes[i][0]);
		assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_REPORT_DISPOSITION), classes[i][1]);
		assert_string_equal(mapi_propset_get_string(again->props,
			PIDTAG_ORIGINAL_MESSAGE_ID), "<1@x>");
		talloc_free(talloc_parent(again));
	} T_END;
}

/* Another class is a message like others. */
static void test_other_class(void **state)
{
	static const char *const classes[] = {
		"IPM.Note", "IPM.Appointment", "REPORT", "REPORT.NDRx", ".DR",
		"", "IPM.Note.SMIME", "x.SMIME.MultipartSigned",
	};
	struct mapi_content *content;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(classes); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		test_set_str(content->props, PIDTAG_MESSAGE_CLASS, classes[i]);
		test_set_str(content->props, PIDTAG_BODY, "text");
		test_assert_has(t_test_build(content), "Content-Type: text/plain");
	} T_END;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smime_signed),
		cmocka_unit_test(test_smime_opaque),
		cmocka_unit_test(test_delivery_report),
		cmocka_unit_test(test_exact_status),
		cmocka_unit_test(test_disposition_report),
		cmocka_unit_test(test_other_class),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests_name("MAPI to MIME: classes", tests,
					  NULL, NULL);
	lib_deinit();
	return ret;
}
