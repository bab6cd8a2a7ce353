/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages as rows of tables. */

#include "lib.h"
#include "str.h"
#include "mail-storage-private.h"
#include "mapi-mailprops.h"
#include "mapi-props.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

/* Its class is in the report, and which report it is in the structure. */
static const char report_sample[] =
	"From: postmaster@example.org\r\n"
	"To: User <user@example.com>\r\n"
	"Subject: Undelivered\r\n"
	"Message-ID: <2@example.org>\r\n"
	"MIME-Version: 1.0\r\n"
	"Content-Type: multipart/report; report-type=delivery-status;\r\n"
	" boundary=a\r\n"
	"\r\n"
	"--a\r\n"
	"Content-Type: text/plain\r\n"
	"\r\n"
	"It was refused.\r\n"
	"--a\r\n"
	"Content-Type: message/delivery-status\r\n"
	"\r\n"
	"Reporting-MTA: dns; mx.example.org\r\n"
	"\r\n"
	"Final-Recipient: rfc822; other@example.net\r\n"
	"Action: failed\r\n"
	"Status: 5.1.1\r\n"
	"--a--\r\n";

static const char signed_sample[] =
	"From: other@example.net\r\n"
	"Subject: signed\r\n"
	"MIME-Version: 1.0\r\n"
	"Content-Type: multipart/signed; micalg=sha-256; boundary=a;\r\n"
	" protocol=\"application/pkcs7-signature\"\r\n"
	"\r\n"
	"--a\r\n"
	"Content-Type: text/plain\r\n"
	"\r\n"
	"Signed text.\r\n"
	"--a\r\n"
	"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n"
	"Content-Transfer-Encoding: base64\r\n"
	"\r\n"
	"MIIB\r\n"
	"--a--\r\n";

static const struct {
	const char *message;
	const char *class;
	/* its rows can be had without opening it again */
	bool cached;
} row_samples[] = {
	{ message_sample, "IPM.Note", TRUE },
	{ signed_sample, "IPM.Note.SMIME.MultipartSigned", TRUE },
	{ report_sample, "REPORT.IPM.Note.NDR", FALSE },
};

/* Rows of tables: the same values, and no file is opened for them once the
   cache has been filled. */
static void
test_mailprops_of(const char *driver, const char *message, const char *class,
		  bool cached)
{
	static const uint32_t tags[] = {
		PIDTAG_MID, PIDTAG_SUBJECT, PIDTAG_NORMALIZED_SUBJECT,
		PIDTAG_MESSAGE_CLASS, PIDTAG_MESSAGE_FLAGS,
		PIDTAG_HAS_ATTACHMENTS, PIDTAG_MESSAGE_SIZE,
		PIDTAG_MESSAGE_DELIVERY_TIME, PIDTAG_CLIENT_SUBMIT_TIME,
		PIDTAG_LAST_MODIFICATION_TIME, PIDTAG_SENDER_NAME,
		PIDTAG_SENT_REPRESENTING_NAME, PIDTAG_DISPLAY_TO,
		PIDTAG_DISPLAY_CC, PIDTAG_IMPORTANCE, PIDTAG_SENSITIVITY,
		PIDTAG_CONVERSATION_TOPIC, PIDTAG_CONVERSATION_INDEX,
		PIDTAG_CONVERSATION_ID, PIDTAG_ICON_INDEX, PIDTAG_FLAG_STATUS,
		PIDTAG_ENTRY_ID, PIDTAG_CHANGE_KEY, PIDTAG_SEARCH_KEY,
		PIDTAG_INTERNET_MESSAGE_ID,
	};
	struct mapi_value values[N_ELEMENTS(tags)], other[N_ELEMENTS(tags)];
	struct mailbox_header_lookup_ctx *headers;
	struct mailbox_transaction_context *t;
	struct mapi_mailprops *props;
	struct mapi_folder *folder;
	struct mail *mail;
	unsigned int j, round, fetch;
	struct message_env env;
	struct mapi_message *msg;

	message_env_init(&env, driver);
	msg = message_env_open(&env, message_env_save(&env, message, 0, NULL));
	assert_int_equal(msg->obj.v->get_props(&msg->obj, env.mem, tags,
					       N_ELEMENTS(tags), SIZE_MAX,
					       other), EC_NONE);
	talloc_free(msg);
	for (round = 0; round < 3; round++) {
		assert_int_equal(mapi_folder_open(env.mem, env.store,
						  env.inbox, &folder), EC_NONE);
		assert_int_equal(mapi_folder_sync(folder), EC_NONE);
		props = mapi_mailprops_init(folder, folder, FALSE, tags,
					    N_ELEMENTS(tags));
		mapi_mailprops_wanted(props, &fetch, &headers);
		t = mailbox_transaction_begin(folder->box, 0, "test");
		mail = mail_alloc(t, fetch, headers);
		assert_true(mail_set_uid(mail, 1));
		assert_int_equal(mapi_mailprops_get(props, mail, env.mem,
						    SIZE_MAX, values), EC_NONE);
		for (j = 0; j < N_ELEMENTS(tags); j++) {
			assert_string_equal(message_value_str(&values[j]),
					    message_value_str(&other[j]));
			if (tags[j] == PIDTAG_MESSAGE_CLASS)
				assert_string_equal(values[j].u.str, class);
		}
		if (round > 0 && cached) {
			assert_int_equal(t->stats.open_lookup_count, 0);
			assert_int_equal(t->stats.stat_lookup_count +
					 t->stats.fstat_lookup_count, 0);
		}
		mail_free(&mail);
		assert_int_equal(mailbox_transaction_commit(&t), 0);
		talloc_free(folder);
	}
	message_env_deinit(&env);
}

static void test_mailprops(void **state)
{
	unsigned int i, j;

	for (i = 0; i < N_ELEMENTS(message_drivers); i++) {
		for (j = 0; j < N_ELEMENTS(row_samples); j++) T_BEGIN {
			test_mailprops_of(message_drivers[i],
					  row_samples[j].message,
					  row_samples[j].class,
					  row_samples[j].cached);
		} T_END;
	}
}

static void test_mailprops_truncate(void **state)
{
	static const uint32_t tags[] = {
		PIDTAG_SUBJECT, PIDTAG_BODY, PIDTAG_INTERNET_MESSAGE_ID,
	};
	struct mapi_value values[N_ELEMENTS(tags)];
	struct mailbox_transaction_context *t;
	string_t *str = str_new(default_pool, 1024);
	struct mapi_mailprops *props;
	struct mapi_folder *folder;
	struct mail *mail;
	unsigned int i;
	struct message_env env;

	str_append(str, "Subject: ");
	for (i = 0; i < 300; i++)
		str_append(str, "\xC3\xBC");
	str_append(str, "\r\nMIME-Version: 1.0\r\n"
		   "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	for (i = 0; i < 20000; i++)
		str_append(str, "\xF0\x9F\x98\x80");

	message_env_init(&env, "sdbox");
	(void)message_env_save(&env, str_c(str), 0, NULL);
	assert_int_equal(mapi_folder_open(env.mem, env.store, env.inbox,
					  &folder), EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	props = mapi_mailprops_init(folder, folder, FALSE, tags,
				    N_ELEMENTS(tags));
	t = mailbox_transaction_begin(folder->box, 0, "test");
	mail = mail_alloc(t, 0, NULL);
	assert_true(mail_set_uid(mail, 1));
	assert_int_equal(mapi_mailprops_get(props, mail, env.mem, 510, values),
			 EC_NONE);
	assert_int_equal(values[0].type, PTYP_STRING);
	assert_int_equal(strlen(values[0].u.str), 255 * 2);
	assert_int_equal(values[1].type, PTYP_STRING);
	assert_int_equal(strlen(values[1].u.str), 127 * 4);
	mail_free(&mail);
	mailbox_transaction_rollback(&t);
	message_env_deinit(&env);
	str_free(&str);
}

/* With an argument: only the tests whose names match it (a pattern). */
int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mailprops),
		cmocka_unit_test(test_mailprops_truncate),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
