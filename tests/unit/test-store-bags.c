/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is left by processes that died while they replaced a message, or that
   replaced the same one at once. */

#include "lib.h"
#include "guid.h"
#include "istream.h"
#include "str.h"
#include "mail-storage-private.h"
#include "mapi-bags.h"
#include "mapi-mail.h"
#include "mapi-message-edit.h"
#include "mapi-props.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define PLAIN "From: a@example.org\r\nSubject: plain\r\n\r\nbody\r\n"
/* only in bags */
#define TAG_BAG MAPI_TAG(0x6701, PTYP_STRING)

static void set_string(struct mapi_message *msg, uint32_t tag, const char *str)
{
	const struct mapi_property prop = {
		.tag = tag, .value = mapi_value_str(str),
	};
	enum mapi_error error;

	assert_int_equal(msg->obj.v->set_props(&msg->obj, &prop, 1, &error),
			 EC_NONE);
	assert_int_equal(error, EC_NONE);
}

/* A message of UID 2 with the MID that UID 1 had, which it has replaced */
static mapi_id_t save_replaced(struct message_env *env)
{
	struct mapi_message *msg;
	mapi_id_t mid;

	assert_int_equal(mapi_message_create_new(env->mem, env->store,
						 env->inbox, FALSE, &msg),
			 EC_NONE);
	set_string(msg, PIDTAG_SUBJECT, "one");
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	set_string(msg, PIDTAG_SUBJECT, "two");
	set_string(msg, TAG_BAG, "two");
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	mid = msg->mid;
	talloc_free(msg);
	return mid;
}

/* A bag of a message that is to replace the one of that id; UIDNEXT is uid_min.
   Returns its GUID. */
static const char *
write_bag(struct message_env *env, mapi_id_t mid, uint32_t uid_min,
	  const char *value)
{
	struct mapi_overlay *overlay = mapi_overlay_create(env->mem);
	struct mapi_content_prop prop = {
		.tag = TAG_BAG, .value = mapi_value_str(value),
	};
	struct mailbox *box = test_storage_open(env->ts, "INBOX");
	struct mailbox_status status;
	struct mapi_bag_new bag;
	guid_128_t guid;

	assert_true(mapi_overlay_set(overlay, &prop));
	mailbox_get_open_status(box, STATUS_UIDVALIDITY, &status);
	mailbox_free(&box);
	guid_128_generate(guid);
	i_zero(&bag);
	bag.guid = t_strdup(guid_128_to_string(guid));
	bag.mid_globcnt = MAPI_ID_GLOBCNT(mid);
	bag.uidvalidity = status.uidvalidity;
	bag.uid_min = uid_min;
	bag.overlay = overlay;
	assert_int_equal(mapi_bags_save(mapi_bags_get(env->store,
				MAPI_ID_GLOBCNT(env->inbox), FALSE), &bag),
			 EC_NONE);
	return bag.guid;
}

static void write_mail(struct message_env *env, const char *guid)
{
	struct mailbox *box = test_storage_open(env->ts, "INBOX");
	struct mailbox_transaction_context *t;
	struct mail_save_context *ctx;
	struct istream *input = i_stream_create_from_data(PLAIN,
							  strlen(PLAIN));

	t = mailbox_transaction_begin(box, MAILBOX_TRANSACTION_FLAG_EXTERNAL,
				      __func__);
	ctx = mailbox_save_alloc(t);
	mailbox_save_set_guid(ctx, guid);
	assert_int_equal(mapi_mail_save(&ctx, input), 0);
	assert_int_equal(mailbox_transaction_commit(&t), 0);
	i_stream_unref(&input);
	mailbox_free(&box);
}

/* Another session */
static void reopen(struct message_env *env)
{
	talloc_free(env->store);
	test_storage_relogin(env->ts);
	message_env_reopen(env);
}

struct expected {
	uint32_t uid;
	/* it's the MID that all of this is about */
	bool same;
	/* the bag's; NULL if there's none */
	const char *value;
};

/* All messages as another session sees them */
static void
check(struct message_env *env, mapi_id_t mid, const struct expected *expected,
      unsigned int count)
{
	struct mapi_folder *folder;
	struct mapi_message *msg;
	struct mapi_value value;
	uint32_t uid, tag = TAG_BAG;
	unsigned int i;
	mapi_id_t mids[4];

	reopen(env);
	assert_int_equal(mapi_folder_open(env->mem, env->store, env->inbox,
					  &folder), EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	assert_int_equal(mail_index_view_get_messages_count(folder->box->view),
			 count);
	for (i = 0; i < count; i++) {
		mail_index_lookup_uid(folder->box->view, i + 1, &uid);
		assert_int_equal(uid, expected[i].uid);
		mids[i] = mapi_folder_mid(folder, FALSE, uid);
		assert_int_equal(mids[i] == mid, expected[i].same);
	}
	talloc_free(folder);
	for (i = 0; i < count; i++) {
		msg = message_env_open(env, mids[i]);
		assert_int_equal(msg->obj.v->get_props(&msg->obj, env->mem,
				&tag, 1, SIZE_MAX, &value), EC_NONE);
		assert_string_equal(message_value_str(&value),
				    expected[i].value == NULL ?
				    "EC_NOT_FOUND" : expected[i].value);
		talloc_free(msg);
	}
}

/* It died between writing the bag and the message: it has replaced nothing. Then
   between the message and the removal of what it replaces. */
static void interrupted(struct message_env *env)
{
	static const struct expected before[] = { { 2, TRUE, "two" } };
	static const struct expected after[] = { { 3, TRUE, "four" } };
	mapi_id_t mid = save_replaced(env);
	const char *guid;

	(void)write_bag(env, mid, 3, "three");
	check(env, mid, before, 1);
	guid = write_bag(env, mid, 3, "four");
	check(env, mid, before, 1);
	write_mail(env, guid);
	check(env, mid, after, 1);
}

static void test_interrupted(void **state)
{
	message_for_all_drivers(interrupted);
}

/* The one who has written a bag goes on. */
static void goes_on(struct message_env *env)
{
	static const struct expected after[] = { { 3, TRUE, "next" } };
	mapi_id_t mid = save_replaced(env);
	struct mapi_message *msg;

	(void)write_bag(env, mid, 3, "three");
	msg = message_env_open(env, mid);
	mapi_message_set_writable(msg, TRUE);
	set_string(msg, PIDTAG_SUBJECT, "next");
	set_string(msg, TAG_BAG, "next");
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	assert_true(msg->mid == mid);
	talloc_free(msg);
	check(env, mid, after, 1);
}

static void test_goes_on(void **state)
{
	message_for_all_drivers(goes_on);
}

/* Two replace it without knowing of each other: nothing is lost. */
static void at_once(struct message_env *env)
{
	static const struct expected after[] = {
		{ 3, FALSE, "first" }, { 4, TRUE, "second" },
	};
	static const struct expected other[] = {
		{ 3, TRUE, "first" }, { 4, FALSE, "second" },
	};
	mapi_id_t mid = save_replaced(env);
	const char *first, *second;

	first = write_bag(env, mid, 3, "first");
	second = write_bag(env, mid, 3, "second");
	write_mail(env, first);
	check(env, mid, other, 1);
	write_mail(env, second);
	check(env, mid, after, 2);
	/* the same for who has seen neither before */
	check(env, mid, after, 2);
}

static void test_at_once(void **state)
{
	message_for_all_drivers(at_once);
}

/* The newest bag of the Inbox's messages as it is */
static const char *read_bag(struct message_env *env, const char *mailbox)
{
	struct mailbox *box = test_storage_open(env->ts, mailbox);
	struct mailbox_transaction_context *t;
	struct istream *input;
	const unsigned char *data;
	string_t *str = t_str_new(1024);
	struct mail *mail;
	size_t size;

	t = mailbox_transaction_begin(box, 0, __func__);
	mail = mail_alloc(t, 0, NULL);
	mail_set_seq(mail, mail_index_view_get_messages_count(box->view));
	assert_int_equal(mail_get_stream(mail, NULL, NULL, &input), 0);
	while (i_stream_read_more(input, &data, &size) > 0) {
		str_append_data(str, data, size);
		i_stream_skip(input, size);
	}
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&t), 0);
	mailbox_free(&box);
	return str_c(str);
}

static void
change_bag(struct message_env *env, mapi_id_t mid, const char *value)
{
	struct mapi_message *msg = message_env_open(env, mid);

	mapi_message_set_writable(msg, TRUE);
	set_string(msg, TAG_BAG, value);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	talloc_free(msg);
}

/* A bag that has been replaced is there again, as the last one: an mdbox does that
   if it's rebuilt. */
static void brought_back(struct message_env *env)
{
	static const struct expected three[] = { { 2, TRUE, "three" } };
	static const struct expected four[] = { { 2, TRUE, "four" } };
	const char *mailbox = t_strdup_printf("mapi-internal/bags-%u",
		(unsigned int)MAPI_ID_GLOBCNT(env->inbox));
	mapi_id_t mid = save_replaced(env);
	const char *old = read_bag(env, mailbox);

	change_bag(env, mid, "three");
	(void)test_storage_save(env->ts, mailbox, old, strlen(old), 0, NULL, 0);
	check(env, mid, three, 1);
	change_bag(env, mid, "four");
	check(env, mid, four, 1);
	(void)test_storage_save(env->ts, mailbox, old, strlen(old), 0, NULL, 0);
	check(env, mid, four, 1);
}

static void test_brought_back(void **state)
{
	message_for_all_drivers(brought_back);
}

/* The GUID of the Inbox's last message */
static const char *read_guid(struct message_env *env)
{
	struct mailbox *box = test_storage_open(env->ts, "INBOX");
	struct mailbox_transaction_context *t;
	struct mail *mail;
	const char *guid;

	t = mailbox_transaction_begin(box, 0, __func__);
	mail = mail_alloc(t, 0, NULL);
	mail_set_seq(mail, mail_index_view_get_messages_count(box->view));
	assert_int_equal(mail_get_special(mail, MAIL_FETCH_GUID, &guid), 0);
	guid = t_strdup(guid);
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&t), 0);
	mailbox_free(&box);
	return guid;
}

static void
move_bag(struct mapi_bags *src, struct mapi_bags *dest, const char *guid)
{
	const char *const guids[] = { guid, guid, NULL };

	assert_int_equal(mapi_bags_copy(src, dest, guids, NULL), EC_NONE);
	assert_int_equal(mapi_bags_delete(src, guids + 1), EC_NONE);
}

/* The same after the message has been elsewhere: its bag there may have forgotten
   what it's about, but not how often it has been changed. */
static void brought_back_moved(struct message_env *env)
{
	static const struct expected five[] = { { 2, FALSE, "five" } };
	uint32_t number = MAPI_ID_GLOBCNT(env->inbox);
	const char *mailbox = t_strdup_printf("mapi-internal/bags-%u", number);
	struct mapi_bag_new bag;
	struct mapi_bags *bags, *others;
	struct mapi_content_prop prop = {
		.tag = TAG_BAG, .value = mapi_value_str("five"),
	};
	struct mapi_overlay *overlay = mapi_overlay_create(env->mem);
	mapi_id_t mid = save_replaced(env);
	const char *old, *guid = read_guid(env);

	change_bag(env, mid, "three");
	change_bag(env, mid, "four");
	old = read_bag(env, mailbox);

	bags = mapi_bags_get(env->store, number, FALSE);
	others = mapi_bags_get(env->store, number + 1000, FALSE);
	move_bag(bags, others, guid);

	reopen(env);
	bags = mapi_bags_get(env->store, number, FALSE);
	others = mapi_bags_get(env->store, number + 1000, FALSE);
	assert_true(mapi_overlay_set(overlay, &prop));
	i_zero(&bag);
	bag.guid = guid;
	bag.overlay = overlay;
	assert_int_equal(mapi_bags_save(others, &bag), EC_NONE);
	move_bag(others, bags, guid);
	check(env, mid, five, 1);

	(void)test_storage_save(env->ts, mailbox, old, strlen(old), 0, NULL, 0);
	check(env, mid, five, 1);
}

static void test_brought_back_moved(void **state)
{
	message_for_all_drivers(brought_back_moved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_brought_back),
		cmocka_unit_test(test_brought_back_moved),
	};

	return cmocka_run_group_tests_name("bags", tests, NULL, NULL);
}
