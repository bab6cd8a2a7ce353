/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Message objects over real mailboxes: their properties and recipients. */

#include "lib.h"
#include "mapi-object-props.h"
#include "mapi-props.h"
#include "mapi-wire.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

static void test_message_props(void **state)
{
	static const struct message_expected expected[] = {
		{ PIDTAG_MESSAGE_CLASS, "IPM.Note" },
		{ PIDTAG_SUBJECT, "Re: Lunch" },
		{ PIDTAG_SUBJECT_PREFIX, "Re: " },
		{ PIDTAG_NORMALIZED_SUBJECT, "Lunch" },
		{ PIDTAG_CONVERSATION_TOPIC, "Lunch" },
		{ PIDTAG_SENDER_NAME, "J\xC3\xBCrgen" },
		{ PIDTAG_SENDER_ADDRESS_TYPE, "SMTP" },
		{ PIDTAG_SENDER_EMAIL_ADDRESS, "juergen@example.org" },
		{ PIDTAG_SENT_REPRESENTING_NAME, "J\xC3\xBCrgen" },
		{ PIDTAG_SENT_REPRESENTING_SMTP_ADDRESS,
		  "juergen@example.org" },
		{ MAPI_TAG_AS(PIDTAG_SENDER_NAME, PTYP_STRING8),
		  "8:J\xFCrgen" },
		{ MAPI_TAG_AS(PIDTAG_SENDER_NAME, PTYP_UNSPECIFIED),
		  "J\xC3\xBCrgen" },
		{ MAPI_TAG_AS(PIDTAG_SENDER_NAME, PTYP_BINARY),
		  "EC_PROP_TYPE" },
		{ MAPI_TAG_AS(PIDTAG_SENDER_NAME, 0x7777), "EC_INVALID_TYPE" },
		{ PIDTAG_DISPLAY_TO, "User; Other, One" },
		{ PIDTAG_DISPLAY_CC, "third@example.net" },
		{ PIDTAG_DISPLAY_BCC, "" },
		{ PIDTAG_CLIENT_SUBMIT_TIME, "1700470800" },
		{ PIDTAG_MESSAGE_DELIVERY_TIME, "1700000000" },
		{ PIDTAG_IMPORTANCE, "2" },
		{ PIDTAG_SENSITIVITY, "2" },
		{ PIDTAG_INTERNET_MESSAGE_ID, "<1@example.org>" },
		{ PIDTAG_IN_REPLY_TO_ID, "<0@example.org>" },
		{ PIDTAG_INTERNET_REFERENCES,
		  "<-1@example.org> <0@example.org>" },
		{ PIDTAG_READ_RECEIPT_REQUESTED, "yes" },
		/* unmodified, attachments, receipt to be sent */
		{ PIDTAG_MESSAGE_FLAGS, "274" },
		{ PIDTAG_READ, "no" },
		{ PIDTAG_MESSAGE_STATUS, "0" },
		{ PIDTAG_HAS_ATTACHMENTS, "yes" },
		{ PIDTAG_MESSAGE_SIZE, "1186" },
		{ MAPI_TAG_AS(PIDTAG_MESSAGE_SIZE, PTYP_INTEGER64), "1186" },
		{ PIDTAG_OBJECT_TYPE, "5" },
		{ PIDTAG_ACCESS, "7" },
		{ PIDTAG_ACCESS_LEVEL, "1" },
		{ PIDTAG_ASSOCIATED, "no" },
		{ PIDTAG_HAS_NAMED_PROPERTIES, "yes" },
		{ PIDTAG_ICON_INDEX, "-1" },
		{ PIDTAG_FLAG_STATUS, "EC_NOT_FOUND" },
		{ PIDTAG_LAST_VERB_EXECUTED, "EC_NOT_FOUND" },
		{ PIDTAG_MESSAGE_TO_ME, "yes" },
		{ PIDTAG_MESSAGE_CC_ME, "no" },
		{ PIDTAG_MESSAGE_RECIPIENT_ME, "yes" },
		{ PIDTAG_RECEIVED_BY_NAME, "User" },
		{ PIDTAG_RECEIVED_BY_SMTP_ADDRESS, "user@example.com" },
		{ PIDTAG_NATIVE_BODY, "3" },
		{ PIDTAG_RTF_IN_SYNC, "no" },
		{ PIDTAG_INTERNET_CODEPAGE, "65001" },
		{ PIDTAG_BODY, "Gr\xC3\xBC\xC3\x9F" "e" },
		{ MAPI_TAG_AS(PIDTAG_BODY, PTYP_STRING8), "8:Gr\xFC\xDF" "e" },
		{ PIDTAG_BODY_HTML, "<html><body><p>Hello</p></body></html>" },
		{ PIDTAG_START_DATE, "EC_NOT_FOUND" },
		{ MAPI_TAG(0xFFFE, PTYP_STRING), "EC_NOT_FOUND" },
	};
	struct message_env env;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(message_drivers); i++) T_BEGIN {
		message_env_init(&env, message_drivers[i]);
		struct mapi_message *msg =
			message_env_open(&env, message_env_save(&env, message_sample, 0, NULL));
		ASSERT_PROPS(&msg->obj, expected);
		message_env_deinit(&env);
	} T_END;
}

/* What PidTagNativeBody is beside these tags, of a message with a text body
   only and of one with HTML */
static void test_message_native_body(void **state)
{
	static const char text_mail[] = "Subject: x\r\n\r\nbody\r\n";
	static const char html_mail[] = "Subject: x\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/html\r\n\r\n<p>body</p>\r\n";
	static const struct {
		uint32_t tags[3];
		unsigned int count;
		int32_t text, html;
	} tests[] = {
		{ { 0 }, 0, 1, 3 },
		{ { PIDTAG_RTF_IN_SYNC }, 1, 1, 3 },
		{ { PIDTAG_BODY }, 1, 1, 1 },
		{ { MAPI_TAG_AS(PIDTAG_BODY, PTYP_STRING8) }, 1, 1, 1 },
		{ { PIDTAG_HTML }, 1, 3, 3 },
		{ { PIDTAG_BODY_HTML, PIDTAG_RTF_COMPRESSED }, 2, 3, 3 },
		{ { PIDTAG_BODY, PIDTAG_RTF_COMPRESSED }, 2, 1, 2 },
		{ { PIDTAG_BODY, PIDTAG_HTML }, 2, 1, 3 },
		{ { PIDTAG_RTF_COMPRESSED }, 1, 2, 2 },
		{ { PIDTAG_BODY, PIDTAG_HTML, PIDTAG_RTF_COMPRESSED }, 3, 1, 3 },
	};
	struct mapi_message *text, *html;
	struct mapi_value values[4];
	struct message_env env;
	uint32_t tags[4];
	unsigned int i, n;

	message_env_init(&env, "sdbox");
	text = message_env_open(&env,
		message_env_save(&env, text_mail, 0, NULL));
	html = message_env_open(&env,
		message_env_save(&env, html_mail, 0, NULL));
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		n = tests[i].count;
		memcpy(tags, tests[i].tags, n * sizeof(tags[0]));
		tags[n] = PIDTAG_NATIVE_BODY;
		assert_int_equal(text->obj.v->get_props(&text->obj, env.mem,
			tags, n + 1, SIZE_MAX, values), EC_NONE);
		assert_int_equal(values[n].type, PTYP_INTEGER32);
		assert_int_equal(values[n].u.i32, tests[i].text);
		assert_int_equal(html->obj.v->get_props(&html->obj, env.mem,
			tags, n + 1, SIZE_MAX, values), EC_NONE);
		assert_int_equal(values[n].u.i32, tests[i].html);
	}
	message_env_deinit(&env);
}

static void test_message_identity(void **state)
{
	static const uint32_t tags[] = {
		PIDTAG_MID, PIDTAG_FOLDER_ID, PIDTAG_ENTRY_ID,
		PIDTAG_PARENT_ENTRY_ID, PIDTAG_RECORD_KEY, PIDTAG_SEARCH_KEY,
		PIDTAG_SOURCE_KEY, PIDTAG_PARENT_SOURCE_KEY, PIDTAG_CHANGE_KEY,
		PIDTAG_PREDECESSOR_CHANGE_LIST, PIDTAG_CHANGE_NUMBER,
		PIDTAG_CREATION_TIME, PIDTAG_LAST_MODIFICATION_TIME,
	};
	static const uint16_t sizes[] = {
		0, 0, 70, 46, 70, 16, 22, 22, 22, 23, 0, 0, 0
	};
	struct mapi_value values[N_ELEMENTS(tags)];
	struct message_env env;
	unsigned int i, j;

	for (i = 0; i < N_ELEMENTS(message_drivers); i++) T_BEGIN {
		message_env_init(&env, message_drivers[i]);
		mapi_id_t mid = message_env_save(&env, message_sample, 0, NULL);
		struct mapi_message *msg = message_env_open(&env, mid);
		assert_int_equal(msg->obj.v->get_props(&msg->obj, env.mem,
				tags, N_ELEMENTS(tags), SIZE_MAX, values),
				EC_NONE);
		for (j = 0; j < N_ELEMENTS(tags); j++) {
			assert_int_equal(values[j].type,
					 MAPI_TAG_TYPE(tags[j]));
			if (values[j].type == PTYP_BINARY)
				assert_int_equal(values[j].u.bin.len, sizes[j]);
		}
		assert_true(mapi_id_from_i64(values[0].u.i64) == mid);
		assert_true(mapi_id_from_i64(values[1].u.i64) == env.inbox);
		assert_true(mapi_time_to_unix(values[11].u.time) > MESSAGE_RECEIVED);
		message_env_deinit(&env);
	} T_END;
}
static void test_message_flags(void **state)
{
	static const char *const keywords[] = {
		"Red", "$Forwarded", "Junk", "My_project", NULL
	};
	struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .guid = PS_PUBLIC_STRINGS,
		.name = "Keywords",
	};
	struct message_env env;
	uint16_t id;

	message_env_init(&env, "sdbox");
	mapi_id_t mid = message_env_save(&env, message_sample,
				 MAIL_SEEN | MAIL_ANSWERED | MAIL_FLAGGED,
				 keywords);
	struct mapi_message *msg = message_env_open(&env, mid);
	assert_int_equal(mapi_store_names_to_ids(env.store, &name, 1, TRUE,
						 &id), EC_NONE);
	const struct message_expected expected[] = {
		/* read, unmodified, attachments, was read */
		{ PIDTAG_MESSAGE_FLAGS, "1043" },
		{ PIDTAG_READ, "yes" },
		{ PIDTAG_FLAG_STATUS, "2" },
		{ PIDTAG_FOLLOWUP_ICON, "6" },
		{ PIDTAG_LAST_VERB_EXECUTED, "104" },
		{ PIDTAG_ICON_INDEX, "262" },
		{ MAPI_TAG(id, PTYP_MULTIPLE_STRING), "[Red][My_project]" },
		{ MAPI_TAG(id, PTYP_UNSPECIFIED), "[Red][My_project]" },
		/* no such name */
		{ MAPI_TAG(id + 100, PTYP_STRING), "EC_NOT_FOUND" },
	};
	ASSERT_PROPS(&msg->obj, expected);
	talloc_free(msg);

	/* a draft */
	msg = message_env_open(&env, message_env_save(&env, "Subject: x\r\n\r\n",
				      MAIL_DRAFT | MAIL_SEEN, NULL));
	const struct message_expected expected_draft[] = {
		{ PIDTAG_MESSAGE_FLAGS, "1033" },
		{ PIDTAG_HAS_ATTACHMENTS, "no" },
		{ PIDTAG_SUBJECT, "x" },
		{ PIDTAG_BODY, "" },
	};
	ASSERT_PROPS(&msg->obj, expected_draft);
	message_env_deinit(&env);
}
static void test_message_recipients(void **state)
{
	static const struct {
		unsigned int type;
		const char *name, *address;
	} expected[] = {
		{ MAPI_TO, "User", "user@example.com" },
		{ MAPI_TO, "Other, One", "other@example.net" },
		{ MAPI_CC, "third@example.net", "third@example.net" },
	};
	const struct mapi_recipient_row *rows;
	unsigned int i, count;
	struct message_env env;

	message_env_init(&env, "sdbox");
	struct mapi_message *msg =
		message_env_open(&env, message_env_save(&env, message_sample, 0, NULL));
	assert_int_equal(mapi_message_recipients(msg, &rows, &count), EC_NONE);
	assert_int_equal(count, N_ELEMENTS(expected));
	for (i = 0; i < count; i++) {
		assert_int_equal(rows[i].row_id, i);
		assert_int_equal(rows[i].recipient_type, expected[i].type);
		assert_string_equal(rows[i].display_name, expected[i].name);
		assert_string_equal(rows[i].email_address,
				    expected[i].address);
		assert_true(rows[i].properties.count > 0);
		assert_true(mapi_property_row_size(&rows[i].properties) > 0);
	}
	message_env_deinit(&env);
}
static struct mapi_value
row_value(const struct mapi_recipient_row *row, uint32_t tag)
{
	unsigned int i;

	for (i = 0; i < row->properties.count; i++) {
		if (row->properties.columns[i] == tag)
			return row->properties.values[i];
	}
	return mapi_value_error(EC_NOT_FOUND);
}

/* Those that a delivery report is about, and why */
static void test_message_reported(void **state)
{
	static const char mail[] = "Subject: Undelivered\r\n"
		"MIME-Version: 1.0\r\nContent-Type: multipart/report; "
		"report-type=delivery-status; boundary=x\r\n\r\n"
		"--x\r\n\r\nSorry\r\n--x\r\n"
		"Content-Type: message/delivery-status\r\n\r\n"
		"Reporting-MTA: dns; mta.example.com\r\n\r\n"
		"Final-Recipient: rfc822; bob@example.net\r\n"
		"Action: failed\r\nStatus: 5.1.1\r\n"
		"Remote-MTA: dns; mx.example.net\r\n"
		"Diagnostic-Code: smtp; 550 Unknown\r\n\r\n--x--\r\n";
	const struct mapi_recipient_row *rows;
	struct message_env env;
	struct mapi_message *msg;
	unsigned int count;

	message_env_init(&env, message_drivers[0]);
	msg = message_env_open(&env, message_env_save(&env, mail, 0, NULL));
	assert_int_equal(mapi_message_recipients(msg, &rows, &count), EC_NONE);
	assert_int_equal(count, 1);
	assert_string_equal(rows[0].email_address, "bob@example.net");
	assert_int_equal(row_value(&rows[0],
		PIDTAG_NON_DELIVERY_REPORT_STATUS_CODE).u.i32, 511);
	assert_int_equal(row_value(&rows[0],
		PIDTAG_NON_DELIVERY_REPORT_DIAG_CODE).u.i32, 35);
	assert_int_equal(row_value(&rows[0],
		PIDTAG_NON_DELIVERY_REPORT_REASON_CODE).u.i32, 1);
	assert_string_equal(row_value(&rows[0],
		PIDTAG_REMOTE_MESSAGE_TRANSFER_AGENT).u.str, "mx.example.net");
	assert_string_equal(row_value(&rows[0],
		PIDTAG_SUPPLEMENTARY_INFO).u.str,
		"<mx.example.net #5.1.1 smtp; 550 Unknown>");
	message_env_deinit(&env);
}

static void test_message_list(void **state)
{
	const struct mapi_props_options options = {
		.max_size = 30000, .code_page = 1252, .unicode = TRUE,
	};
	struct mapi_property *props;
	const uint32_t *tags;
	unsigned int i, j, count, prop_count;
	struct message_env env;

	message_env_init(&env, "sdbox");
	struct mapi_message *msg =
		message_env_open(&env, message_env_save(&env, message_sample, 0, NULL));
	assert_int_equal(msg->obj.v->list_props(&msg->obj, env.mem, &tags,
						&count), EC_NONE);
	assert_true(count > 60);
	for (i = 0; i < count; i++) {
		for (j = i + 1; j < count; j++) {
			assert_int_not_equal(MAPI_TAG_ID(tags[i]),
					     MAPI_TAG_ID(tags[j]));
		}
	}
	assert_int_equal(mapi_object_get_all_props(&msg->obj, env.mem, &options,
						   &props, &prop_count),
			 EC_NONE);
	/* whatever is listed is there */
	assert_int_equal(prop_count, count);
	for (i = 0; i < count; i++)
		assert_int_equal(props[i].tag, tags[i]);
	message_env_deinit(&env);
}
static void test_message_gone(void **state)
{
	struct mapi_message *msg;
	struct message_env env;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(message_drivers); i++) T_BEGIN {
		static const uint32_t tag = PIDTAG_BODY;
		struct mapi_value value;
		enum mapi_error error;

		message_env_init(&env, message_drivers[i]);
		mapi_id_t mid = message_env_save(&env, message_sample, 0, NULL);
		struct mapi_message *open_msg = message_env_open(&env, mid);

		test_storage_expunge(env.ts, "INBOX", 1);
		assert_int_equal(mapi_message_open(env.mem, env.store,
					env.inbox, mid, &msg), EC_NOT_FOUND);
		assert_int_equal(mapi_message_open(env.mem, env.store,
					env.inbox, mid + (1 << 16), &msg),
				 EC_NOT_FOUND);
		assert_int_equal(mapi_message_open(env.mem, env.store,
					mid, mid, &msg), EC_NOT_FOUND);
		/* A maildir has lost the file. mdbox files are purged later,
		   and an sdbox file is open already. */
		error = open_msg->obj.v->get_props(&open_msg->obj, env.mem,
						   &tag, 1, SIZE_MAX, &value);
		assert_int_equal(error, strcmp(message_drivers[i], "maildir") == 0 ?
				 EC_OBJECT_DELETED : EC_NONE);
		message_env_deinit(&env);
	} T_END;
}
/* With an argument: only the tests whose names match it (a pattern). */
int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_props),
		cmocka_unit_test(test_message_native_body),
		cmocka_unit_test(test_message_identity),
		cmocka_unit_test(test_message_flags),
		cmocka_unit_test(test_message_recipients),
		cmocka_unit_test(test_message_reported),
		cmocka_unit_test(test_message_list),
		cmocka_unit_test(test_message_gone),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
