/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MAPI to MIME: header fields. */

#include "lib.h"
#include "str.h"
#include "mapi-entryid.h"
#include "mapi-props.h"
#include "build-common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void set_time(struct mapi_propset *props, uint32_t tag, int64_t t)
{
	struct mapi_value value = mapi_value_time(mapi_time_from_unix(t, 0));

	assert_true(mapi_propset_set_value(props, tag, &value));
}

static void
set_named(struct mapi_propset *props, uint16_t id, const struct mapi_guid *guid,
	  const char *name, uint32_t lid, const char *str)
{
	const struct mapi_property_name prop_name = {
		.kind = name != NULL ? MAPI_NAME_STRING : MAPI_NAME_LID,
		.guid = *guid, .lid = lid, .name = name,
	};
	const struct mapi_content_prop prop = {
		.tag = MAPI_TAG(id, PTYP_STRING),
		.name = &prop_name,
		.value = mapi_value_str(str),
	};

	assert_true(mapi_propset_set(props, &prop));
}

static void test_subject(void **state)
{
	static const struct {
		const char *subject, *field;
	} tests[] = {
		{ "", "" },
		{ "   ", "" },
		{ "plain", "Subject: plain\r\n" },
		{ "a\r\nBcc: victim@example.com",
		  "Subject: a  Bcc: victim@example.com\r\n" },
		{ "a\rb\nc\td\x01\x7f", "Subject: a b c d\r\n" },
		{ "\x01\x05Re: subject", "Subject: Re: subject\r\n" },
		{ "Gr\xc3\xbc\xc3\x9f""e", "Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\n" },
		{ "mostly ASCII but for an \xc3\xa4",
		  "Subject: =?utf-8?q?mostly_ASCII_but_for_an_=C3=A4?=\r\n" },
		{ "looks =?utf-8?q?encoded?=",
		  "Subject: =?utf-8?b?bG9va3MgPT91dGYtOD9xP2VuY29kZWQ/PQ==?="
		  "\r\n" },
		{ "invalid \xff here", "Subject: =?utf-8?q?invalid_=EF=BF=BD_"
		  "here?=\r\n" },
		{ "one two three four five six seven eight nine ten eleven "
		  "twelve thirteen fourteen",
		  "Subject: one two three four five six seven eight nine ten "
		  "eleven twelve\r\n thirteen fourteen\r\n" },
		{ "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		  "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		  "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
		  "Subject: =?utf-8?b?w6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpM"
		  "Okw6TDpMOkw6Q=?=\r\n =?utf-8?b?w6TDpA==?=\r\n" },
	};
	struct mapi_content *content;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		test_set_str(content->props, PIDTAG_SUBJECT, tests[i].subject);
		assert_string_equal(t_test_build_header(content, NULL), tests[i].field);
	} T_END;
	content = mapi_content_create(NULL);
	test_set_str(content->props, PIDTAG_SUBJECT_PREFIX, "Re: ");
	test_set_str(content->props, PIDTAG_NORMALIZED_SUBJECT, "it");
	assert_string_equal(t_test_build_header(content, NULL), "Subject: Re: it\r\n");
}

/* However long, and wherever it can be folded */
static void test_long_text(void **state)
{
	struct mapi_content *content, *again;
	TALLOC_CTX *mem = talloc_new(NULL);
	string_t *text;
	buffer_t *buf;
	unsigned int i, kind;

	for (kind = 0; kind < 4; kind++) T_BEGIN {
		text = t_str_new(50000);
		for (i = 0; i < 5000; i++) {
			if (kind == 0)
				str_append_c(text, 'x');
			else if (kind == 1)
				str_append(text, i % 7 == 0 ? "\xe2\x82\xac" :
					   "a");
			else if (kind == 2)
				str_append(text, i % 10 == 0 ? " " : "w");
			else
				str_append(text, i % 1000 == 0 ? "y" : " ");
		}
		str_append_c(text, '.');
		content = mapi_content_create(mem);
		test_set_str(content->props, PIDTAG_SUBJECT,
			str_c(text) + (kind == 2 ? 1 : 0));
		buf = test_build(content, NULL);
		assert_null(test_message_check(buf));
		again = test_derive(mem, buf->data, buf->used);
		assert_string_equal(mapi_propset_get_string(again->props,
				PIDTAG_SUBJECT),
			mapi_propset_get_string(content->props,
						PIDTAG_SUBJECT));
		buffer_free(&buf);
	} T_END;
	talloc_free(mem);
}

static void test_text_fields(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL);
	struct mapi_propset *props = content->props;

	test_set_str(props, PIDTAG_INTERNET_MESSAGE_ID, "<1@x>");
	test_set_str(props, PIDTAG_IN_REPLY_TO_ID, "<0@x>");
	test_set_str(props, PIDTAG_INTERNET_REFERENCES, "<a@x>\r\n\t<0@x>");
	test_set_str(props, PIDTAG_CONVERSATION_TOPIC, "Topic");
	test_set_str(props, PIDTAG_INTERNET_ORGANIZATION, "Us");
	test_set_str(props, PIDTAG_LIST_HELP, "<http://x/h>");
	test_set_str(props, PIDTAG_LIST_SUBSCRIBE, "<http://x/s>");
	test_set_str(props, PIDTAG_LIST_UNSUBSCRIBE, "<http://x/u>");
	test_set_str(props, PIDTAG_BODY_CONTENT_ID, "<c@x>");
	test_set_str(props, PIDTAG_BODY_CONTENT_LOCATION, "http://x/b");
	assert_string_equal(t_test_build_header(content, NULL),
		"Message-ID: <1@x>\r\n"
		"In-Reply-To: <0@x>\r\n"
		"References: <a@x>   <0@x>\r\n"
		"Thread-Topic: Topic\r\n"
		"Organization: Us\r\n"
		"List-Help: <http://x/h>\r\n"
		"List-Subscribe: <http://x/s>\r\n"
		"List-Unsubscribe: <http://x/u>\r\n"
		"Content-ID: <c@x>\r\n"
		"Content-Location: http://x/b\r\n");
	content = mapi_content_create(NULL);
	test_set_str(content->props, PIDTAG_INTERNET_MESSAGE_ID, "no-brackets@x");
	assert_string_equal(t_test_build_header(content, NULL),
			    "Message-ID: <no-brackets@x>\r\n");
}

static void test_values(void **state)
{
	static const struct {
		uint32_t tag;
		int value;
		const char *field;
	} tests[] = {
		{ PIDTAG_IMPORTANCE, 0,
		  "Importance: low\r\nX-Priority: 5\r\n" },
		{ PIDTAG_IMPORTANCE, 1, "" },
		{ PIDTAG_IMPORTANCE, 2,
		  "Importance: high\r\nX-Priority: 1\r\n" },
		{ PIDTAG_IMPORTANCE, 3, "" },
		{ PIDTAG_PRIORITY, -1,
		  "Importance: normal\r\nPriority: non-urgent\r\n" },
		{ PIDTAG_PRIORITY, 0, "" },
		{ PIDTAG_PRIORITY, 1,
		  "Importance: normal\r\nPriority: urgent\r\n" },
		{ PIDTAG_SENSITIVITY, 0, "" },
		{ PIDTAG_SENSITIVITY, 1, "Sensitivity: Personal\r\n" },
		{ PIDTAG_SENSITIVITY, 2, "Sensitivity: Private\r\n" },
		{ PIDTAG_SENSITIVITY, 3,
		  "Sensitivity: Company-Confidential\r\n" },
		{ PIDTAG_SENSITIVITY, 4, "" },
		{ PIDTAG_SENSITIVITY, -1, "" },
		{ PIDTAG_AUTO_RESPONSE_SUPPRESS, 0,
		  "X-Auto-Response-Suppress: None\r\n" },
		{ PIDTAG_AUTO_RESPONSE_SUPPRESS, -1,
		  "X-Auto-Response-Suppress: All\r\n" },
		{ PIDTAG_AUTO_RESPONSE_SUPPRESS, 0x1A,
		  "X-Auto-Response-Suppress: NDR, NRN, OOF\r\n" },
		{ PIDTAG_AUTO_RESPONSE_SUPPRESS, 0x25,
		  "X-Auto-Response-Suppress: DR, RN, AutoReply\r\n" },
		{ PIDTAG_MESSAGE_LOCALE_ID, 0x0407,
		  "Content-Language: de-de\r\n" },
		{ PIDTAG_MESSAGE_LOCALE_ID, 0x7777, "" },
	};
	struct mapi_content *content;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		test_set_int(content->props, tests[i].tag, tests[i].value);
		assert_string_equal(t_test_build_header(content, NULL), tests[i].field);
	} T_END;
}

/* Whom a read receipt is sent to, [MS-OXOMSG] 2.2.2.26 */
static void test_receipt(void **state)
{
	static const struct {
		bool requested;
		const char *receipt_name, *receipt, *report, *sender;
		const char *to;
	} tests[] = {
		{ TRUE, "Me", "r@x.org", NULL, "s@x.org", "Me <r@x.org>" },
		{ TRUE, NULL, NULL, "p@x.org", "s@x.org", "Report <p@x.org>" },
		{ TRUE, "Me", "r@x.org", "p@x.org", NULL, "Me <r@x.org>" },
		{ TRUE, NULL, NULL, NULL, "s@x.org", "<s@x.org>" },
		/* a name alone is nobody */
		{ TRUE, "Me", NULL, NULL, "s@x.org", "<s@x.org>" },
		{ TRUE, NULL, NULL, NULL, NULL, "<f@x.org>" },
		{ FALSE, "Me", "r@x.org", "p@x.org", "s@x.org", NULL },
	};
	struct mapi_content *content;
	struct mapi_propset *props;
	struct mapi_value requested;
	struct mapi_binary bin;
	const char *header;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		props = content->props;
		requested = mapi_value_bool(tests[i].requested);
		assert_true(mapi_propset_set_value(props,
			PIDTAG_READ_RECEIPT_REQUESTED, &requested));
		test_set_str(props, PIDTAG_SENT_REPRESENTING_SMTP_ADDRESS,
			     "f@x.org");
		if (tests[i].receipt_name != NULL) {
			test_set_str(props, PIDTAG_READ_RECEIPT_NAME,
				     tests[i].receipt_name);
		}
		if (tests[i].receipt != NULL) {
			test_set_str(props, PIDTAG_READ_RECEIPT_SMTP_ADDRESS,
				     tests[i].receipt);
		}
		if (tests[i].report != NULL) {
			bin = mapi_one_off_entry_id_build(content, "Report",
				"SMTP", tests[i].report);
			test_set_bin(props, PIDTAG_REPORT_ENTRY_ID, bin.data,
				     bin.len);
		}
		if (tests[i].sender != NULL) {
			test_set_str(props, PIDTAG_SENDER_SMTP_ADDRESS,
				     tests[i].sender);
		}
		header = t_test_build_header(content, NULL);
		if (tests[i].to == NULL) {
			test_assert_hasnt(header, "Disposition");
		} else {
			test_assert_has(header, t_strdup_printf(
				"Disposition-Notification-To: %s\r\n",
				tests[i].to));
		}
	} T_END;
}

static void test_dates(void **state)
{
	struct mime_build_params params = { .now = 86400 };
	struct mapi_content *content;
	struct mapi_value value;

	content = mapi_content_create(NULL);
	set_time(content->props, PIDTAG_CLIENT_SUBMIT_TIME, 1709207999);
	set_time(content->props, PIDTAG_MESSAGE_DELIVERY_TIME, 1709208000);
	set_time(content->props, PIDTAG_EXPIRY_TIME, 4102444800);
	assert_string_equal(t_test_build_header(content, NULL),
		"Date: Thu, 29 Feb 2024 11:59:59 +0000\r\n"
		"Expires: Fri, 01 Jan 2100 00:00:00 +0000\r\n");

	content = mapi_content_create(NULL);
	set_time(content->props, PIDTAG_MESSAGE_DELIVERY_TIME, 1709208000);
	assert_string_equal(t_test_build_header(content, NULL),
		"Date: Thu, 29 Feb 2024 12:00:00 +0000\r\n");

	/* times that no date can say */
	content = mapi_content_create(NULL);
	value = mapi_value_time(INT64_MAX);
	assert_true(mapi_propset_set_value(content->props,
		PIDTAG_CLIENT_SUBMIT_TIME, &value));
	value = mapi_value_time(0);
	assert_true(mapi_propset_set_value(content->props,
		PIDTAG_MESSAGE_DELIVERY_TIME, &value));
	assert_string_equal(t_test_build_header(content, &params),
		"Date: Fri, 02 Jan 1970 00:00:00 +0000\r\n");
}

static void test_named(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL);
	struct mapi_propset *props = content->props;

	set_named(props, 0x8001, &PS_INTERNET_HEADERS, "X-Mailer", 0, "It");
	set_named(props, 0x8002, &PS_INTERNET_HEADERS, "content-class", 0,
		  "urn:content-classes:x");
	/* what others say */
	set_named(props, 0x8003, &PS_INTERNET_HEADERS, "Content-Type", 0, "x");
	set_named(props, 0x8004, &PS_INTERNET_HEADERS, "mime-version", 0, "2");
	set_named(props, 0x8005, &PS_INTERNET_HEADERS, "bcc", 0, "x@y.org");
	set_named(props, 0x8006, &PS_INTERNET_HEADERS, "Subject", 0, "no");
	/* no names */
	set_named(props, 0x8007, &PS_INTERNET_HEADERS, "X-A: b\r\nX-C", 0, "d");
	set_named(props, 0x8008, &PS_INTERNET_HEADERS, "", 0, "d");
	set_named(props, 0x8009, &PS_INTERNET_HEADERS, "X Y", 0, "d");
	/* no header fields */
	set_named(props, 0x800A, &PSETID_COMMON, "X-Not", 0, "d");
	set_named(props, 0x800B, &PS_INTERNET_HEADERS, "x-mailer", 0, "again");
	set_named(props, 0x800C, &PS_INTERNET_HEADERS, "X-Inject", 0,
		  "a\r\n\r\nbody");
	assert_string_equal(t_test_build_header(content, NULL),
		"X-Mailer: It\r\n"
		"content-class: urn:content-classes:x\r\n"
		"X-Inject: a    body\r\n");

	/* flags are shown only with what is to be done */
	content = mapi_content_create(NULL);
	set_time(content->props, PIDTAG_REPLY_TIME, 0);
	assert_string_equal(t_test_build_header(content, NULL), "");
	content = mapi_content_create(NULL);
	set_time(content->props, PIDTAG_REPLY_TIME, 0);
	set_named(content->props, 0x8001, &PIDLID_FLAG_REQUEST_PSET, NULL,
		  PIDLID_FLAG_REQUEST, "Follow up");
	assert_string_equal(t_test_build_header(content, NULL),
		"X-Message-Flag: Follow up\r\n"
		"Reply-By: Thu, 01 Jan 1970 00:00:00 +0000\r\n");
}

static const char received[] =
	"Return-Path: <bounce@x.org>\r\n"
	"Received: from a by b;\r\n\tMon, 1 Jan 2024 01:00:00 +0100\r\n"
	"DKIM-Signature: v=1; a=rsa-sha256;\r\n b=abc\r\n"
	"From: \"Ada L.\" (a comment) <ada@x.org>, other@x.org\r\n"
	"To: friends: me@x.org, You <you@x.org>;\r\n"
	"Date: Mon, 1 Jan 2024 01:00:00 +0100 (CET)\r\n"
	"subject:  =?iso-8859-1?q?gr=FC=DFe?= \r\n"
	"X-Priority: 3\r\n"
	"List-Id: <list.x.org>\r\n"
	"MIME-Version: 1.0\r\n"
	"Content-Type: text/plain; charset=x\r\n"
	"Content-Transfer-Encoding: x\r\n"
	"Content-Class: urn:x\r\n"
	"X-Eight: caf\xc3\xa9\r\n"
	"X-Empty:\r\n"
	"Received: from c by d\r\n";

static struct mapi_content *derive_received(TALLOC_CTX *mem)
{
	struct mapi_content *content;

	content = test_derive(mem, received, strlen(received));
	assert_string_equal(mapi_propset_get_string(content->props,
			PIDTAG_TRANSPORT_MESSAGE_HEADERS), received);
	return content;
}

static const char *t_build_received(struct mapi_content *content)
{
	buffer_t *buf = test_build(content, NULL);
	const char *ret;

	assert_null(test_message_check(buf));
	ret = t_strdup_until(str_c(buf), strstr(str_c(buf), "MIME-Version:"));
	buffer_free(&buf);
	return ret;
}

static void test_received(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_content *content = derive_received(mem);
	const char *header;

	/* nothing has changed */
	assert_string_equal(t_build_received(content),
		"Return-Path: <bounce@x.org>\r\n"
		"Received: from a by b;\r\n\tMon, 1 Jan 2024 01:00:00 +0100\r\n"
		"DKIM-Signature: v=1; a=rsa-sha256;\r\n b=abc\r\n"
		"From: \"Ada L.\" (a comment) <ada@x.org>, other@x.org\r\n"
		"To: friends: me@x.org, You <you@x.org>;\r\n"
		"Date: Mon, 1 Jan 2024 01:00:00 +0100 (CET)\r\n"
		"subject:  =?iso-8859-1?q?gr=FC=DFe?= \r\n"
		"X-Priority: 3\r\n"
		"List-Id: <list.x.org>\r\n"
		"Content-Class: urn:x\r\n"
		"X-Eight: =?utf-8?b?Y2Fmw6k=?=\r\n"
		"X-Empty:\r\n"
		"Received: from c by d\r\n");

	/* what changes is in the same place, once */
	test_set_str(content->props, PIDTAG_SUBJECT, "changed");
	test_set_str(content->props, PIDTAG_SENT_REPRESENTING_NAME, "Eve");
	test_set_int(content->props, PIDTAG_IMPORTANCE, 2);
	test_set_str(content->recipients[0].props, PIDTAG_EMAIL_ADDRESS,
		"him@x.org");
	test_set_str(content->recipients[0].props, PIDTAG_SMTP_ADDRESS,
		"him@x.org");
	set_named(content->props, 0x8001, &PS_INTERNET_HEADERS, "LIST-ID", 0,
		  "new");
	header = t_build_received(content);
	assert_string_equal(header,
		"Return-Path: <bounce@x.org>\r\n"
		"Received: from a by b;\r\n\tMon, 1 Jan 2024 01:00:00 +0100\r\n"
		"DKIM-Signature: v=1; a=rsa-sha256;\r\n b=abc\r\n"
		"From: Eve <ada@x.org>\r\n"
		"To: \"me@x.org\" <him@x.org>,\r\n You <you@x.org>\r\n"
		"Date: Mon, 1 Jan 2024 01:00:00 +0100 (CET)\r\n"
		"Subject: changed\r\n"
		"Importance: high\r\nX-Priority: 1\r\n"
		"LIST-ID: new\r\n"
		"Content-Class: urn:x\r\n"
		"X-Eight: =?utf-8?b?Y2Fmw6k=?=\r\n"
		"X-Empty:\r\n"
		"Received: from c by d\r\n"
		"Thread-Topic: =?utf-8?b?Z3LDvMOfZQ==?=\r\n");
	talloc_free(mem);

	/* removed */
	mem = talloc_new(NULL);
	content = derive_received(mem);
	mapi_propset_remove(content->props, PIDTAG_SUBJECT);
	mapi_propset_remove(content->props, PIDTAG_SUBJECT_PREFIX);
	mapi_propset_remove(content->props, PIDTAG_NORMALIZED_SUBJECT);
	content->recipient_count = 0;
	header = t_build_received(content);
	assert_null(strstr(header, "subject"));
	assert_null(strstr(header, "To:"));
	talloc_free(mem);
}

/* The header of a property is as hostile as any other. */
static void test_received_broken(void **state)
{
	static const struct {
		const char *headers, *result;
	} tests[] = {
		{ "X-A: b\nX-C: d\rX-E: f", "X-A: b\r\nX-C: dX-E: f\r\n" },
		{ "\rX-A: b\r\r\nX-C: d\r\n", "X-A: b\r\nX-C: d\r\n" },
		{ "X-A: b\r\n\r\nX-C: the body\r\n", "X-A: b\r\n" },
		{ "From me Mon Jan\r\nX-A: b\r\n", "X-A: b\r\n" },
		{ "no field\r\nX-A: b\r\n : x\r\n", "X-A: b\r\n : x\r\n" },
		{ "X A: b\r\nX-C: d", "X-C: d\r\n" },
		{ "X-A: b\r\n \t \r\n c\r\n", "X-A: b\r\n c\r\n" },
		{ "X-A\t: b\r\n", "X-A: b\r\n" },
		{ " X-A: b\r\nX-C: d\r\n", "X-C: d\r\n" },
		{ "X-A: b\x01""c\r\n", "X-A: b c\r\n" },
		{ "Bcc: x@y.org\r\nTo: z@y.org\r\n", "" },
	};
	struct mapi_content *content;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		content = mapi_content_create(NULL);
		test_set_str(content->props, PIDTAG_TRANSPORT_MESSAGE_HEADERS,
			tests[i].headers);
		assert_string_equal(t_test_build_header(content, NULL), tests[i].result);
	} T_END;
}

static void test_received_long(void **state)
{
	struct mapi_content *content = mapi_content_create(NULL);
	string_t *str = t_str_new(20000);
	unsigned int i;

	str_append(str, "X-Words:");
	for (i = 0; i < 1000; i++)
		str_append(str, " word");
	str_append(str, "\r\nX-Word: ");
	for (i = 0; i < 2000; i++)
		str_append_c(str, 'x');
	str_append(str, "\r\nX-End: .\r\n");
	test_set_str(content->props, PIDTAG_TRANSPORT_MESSAGE_HEADERS, str_c(str));
	assert_non_null(strstr(t_test_build_header(content, NULL), "\r\nX-End: .\r\n"));
}

/* What was received as Bcc isn't sent on. */
static void test_received_bcc(void **state)
{
	static const char text[] =
		"To: a@x.org\r\nBcc: b@x.org\r\nCc: c@x.org\r\n";
	struct mime_build_params params = { .now = BUILD_TEST_NOW };
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_content *content = test_derive(mem, text, strlen(text));
	buffer_t *buf = test_build(content, &params);

	assert_null(strstr(str_c(buf), "b@x.org"));
	assert_non_null(strstr(str_c(buf), "c@x.org"));
	buffer_free(&buf);
	params.with_bcc = TRUE;
	buf = test_build(content, &params);
	assert_non_null(strstr(str_c(buf), "Bcc: b@x.org"));
	buffer_free(&buf);
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subject),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_text_fields),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_receipt),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_received),
		cmocka_unit_test(test_received_broken),
		cmocka_unit_test(test_received_long),
		cmocka_unit_test(test_received_bcc),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests_name("MAPI to MIME: header", tests,
					  NULL, NULL);
	lib_deinit();
	return ret;
}
