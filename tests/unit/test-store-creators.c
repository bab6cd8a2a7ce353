/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who has created a message, as its bag says it, and what becomes of that when bags
   are replaced and copied. */

#include "lib.h"
#include "mail-storage-private.h"
#include "mapi-bags.h"
#include "mapi-folder.h"
#include "mapi-message-edit.h"
#include "mapi-message-write.h"
#include "mapi-props.h"
#include "message-common.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define OWNER "user@example.com"
#define PLAIN "From: a@example.org\r\nSubject: plain\r\n\r\nbody\r\n"
#define TAG_BAG MAPI_TAG(0x6701, PTYP_STRING)
/* of a folder that needn't be there */
#define OTHER_FOLDER 1000

static const char *const names[] = {
	"bob", "bob@example.org", "a b", "100%", "%41", "j\303\274rgen",
	"a\tb\n\"c\"", "<>:;/?#[]!$&'()*+,=",
};

static struct mapi_bags *bags_of(struct message_env *env, uint32_t number)
{
	return mapi_bags_get(env->store, number, FALSE);
}

static uint32_t inbox_number(struct message_env *env)
{
	return MAPI_ID_GLOBCNT(env->inbox);
}

static void reopen(struct message_env *env)
{
	talloc_free(env->store);
	test_storage_relogin(env->ts);
	message_env_reopen(env);
}

/* The creator of the Inbox's last message as bags say it; guid_r may be NULL. */
static const char *
last_creator(struct message_env *env, struct mapi_bags *bags,
	     const char **guid_r)
{
	struct mailbox *box = test_storage_open(env->ts, "INBOX");
	struct mailbox_transaction_context *trans;
	const char *creator, *guid;
	struct mail *mail;

	trans = mailbox_transaction_begin(box, 0, "test");
	mail = mail_alloc(trans, 0, NULL);
	mail_set_seq(mail, mail_index_view_get_messages_count(box->view));
	creator = t_strdup(mapi_bags_find_creator(bags, mail));
	assert_int_equal(mail_get_special(mail, MAIL_FETCH_GUID, &guid), 0);
	if (guid_r != NULL)
		*guid_r = t_strdup(guid);
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&trans), 0);
	mailbox_free(&box);
	return creator;
}

/* As another session has it */
static void
assert_creator(struct message_env *env, uint32_t number, const char *creator)
{
	const char *guids[] = { NULL };

	reopen(env);
	/* reads them */
	assert_int_equal(mapi_bags_delete(bags_of(env, number), guids),
			 EC_NONE);
	if (creator == NULL)
		assert_null(last_creator(env, bags_of(env, number), NULL));
	else {
		assert_string_equal(last_creator(env, bags_of(env, number),
						 NULL), creator);
	}
}

static enum mapi_error
set_string(struct mapi_message *msg, uint32_t tag, const char *str)
{
	const struct mapi_property prop = {
		.tag = tag, .value = mapi_value_str(str),
	};
	enum mapi_error error;

	assert_int_equal(msg->obj.v->set_props(&msg->obj, &prop, 1, &error),
			 EC_NONE);
	return error;
}

static void save_with(struct mapi_message *msg, uint32_t tag, const char *str)
{
	assert_int_equal(set_string(msg, tag, str), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
}

static struct mapi_message *create(struct message_env *env)
{
	struct mapi_message *msg;

	assert_int_equal(mapi_message_create_new(env->mem, env->store,
						 env->inbox, FALSE, &msg),
			 EC_NONE);
	return msg;
}

static void created(struct message_env *env)
{
	static const struct message_expected known[] = {
		{ PIDTAG_CREATOR_NAME, "User" },
	}, unknown[] = {
		{ PIDTAG_CREATOR_NAME, "EC_NOT_FOUND" },
		{ PIDTAG_CREATOR_ENTRY_ID, "EC_NOT_FOUND" },
	};
	struct mapi_message *msg = create(env);
	mapi_id_t mid;

	ASSERT_PROPS(&msg->obj, known);
	assert_int_equal(set_string(msg, PIDTAG_CREATOR_NAME, "x"),
			 EC_COMPUTED);
	save_with(msg, PIDTAG_SUBJECT, "one");
	ASSERT_PROPS(&msg->obj, known);
	mid = msg->mid;
	talloc_free(msg);
	assert_creator(env, inbox_number(env), OWNER);
	/* its bag alone, then the message */
	msg = message_env_open(env, mid);
	mapi_message_set_writable(msg, TRUE);
	save_with(msg, TAG_BAG, "x");
	assert_int_equal(set_string(msg, PIDTAG_CREATOR_NAME, "x"),
			 EC_COMPUTED);
	save_with(msg, PIDTAG_SUBJECT, "two");
	ASSERT_PROPS(&msg->obj, known);
	talloc_free(msg);
	assert_creator(env, inbox_number(env), OWNER);

	/* who changes a message that has been delivered hasn't created it */
	mid = message_env_save(env, PLAIN, 0, NULL);
	msg = message_env_open(env, mid);
	ASSERT_PROPS(&msg->obj, unknown);
	mapi_message_set_writable(msg, TRUE);
	save_with(msg, TAG_BAG, "x");
	save_with(msg, PIDTAG_SUBJECT, "changed");
	ASSERT_PROPS(&msg->obj, unknown);
	talloc_free(msg);
	assert_creator(env, inbox_number(env), NULL);
}

static void test_created(void **state)
{
	message_for_all_drivers(created);
}

static void
copy_bag(struct message_env *env, const char *guid, const char *creator)
{
	const char *const guids[] = { guid, guid, NULL };

	assert_int_equal(mapi_bags_copy(bags_of(env, inbox_number(env)),
					bags_of(env, OTHER_FOLDER), guids,
					creator), EC_NONE);
}

static void copied(struct message_env *env)
{
	struct mapi_message *msg = create(env);
	const char *guid;
	unsigned int i;

	save_with(msg, PIDTAG_SUBJECT, "one");
	talloc_free(msg);
	(void)last_creator(env, bags_of(env, inbox_number(env)), &guid);
	copy_bag(env, guid, NULL);
	assert_creator(env, OTHER_FOLDER, OWNER);
	for (i = 0; i < N_ELEMENTS(names); i++) {
		copy_bag(env, guid, names[i]);
		assert_creator(env, OTHER_FOLDER, names[i]);
	}
	copy_bag(env, guid, "");
	assert_creator(env, OTHER_FOLDER, NULL);

	/* of a message that has no bag */
	(void)message_env_save(env, PLAIN, 0, NULL);
	(void)last_creator(env, bags_of(env, inbox_number(env)), &guid);
	copy_bag(env, guid, NULL);
	copy_bag(env, guid, "");
	assert_int_equal(mapi_bags_find_guid(bags_of(env, OTHER_FOLDER), guid),
			 0);
	copy_bag(env, guid, "bob");
	assert_creator(env, OTHER_FOLDER, "bob");
}

static void test_copied(void **state)
{
	message_for_all_drivers(copied);
}

/* The owner's copy beside the original is whose that is. */
static void copied_here(struct message_env *env)
{
	struct mapi_message *msg = create(env);
	mapi_id_t mid;
	bool partial;

	save_with(msg, PIDTAG_SUBJECT, "one");
	mid = msg->mid;
	talloc_free(msg);
	assert_int_equal(mapi_messages_copy(env->store, env->inbox, env->store,
					    env->inbox, &mid, 1, FALSE,
					    &partial), EC_NONE);
	assert_false(partial);
	assert_creator(env, inbox_number(env), OWNER);
}

static void test_copied_here(void **state)
{
	message_for_all_drivers(copied_here);
}

/* Bags that say nothing of it, and some that nobody writes */
static void test_header(void **state)
{
	static const struct {
		const char *field, *creator;
	} fields[] = {
		{ "", NULL }, { " ", NULL }, { " bob", "bob" },
		{ " bob bob", "bob" }, { " %", NULL }, { " %zz", NULL },
		{ " %00", NULL }, { " b%6fb", "bob" },
	};
	struct message_env env;
	const char *guid, *vname, *data;
	unsigned int i;

	message_env_init(&env, "sdbox");
	(void)message_env_save(&env, PLAIN, 0, NULL);
	(void)last_creator(&env, bags_of(&env, inbox_number(&env)), &guid);
	copy_bag(&env, guid, "nobody");
	vname = t_strdup_printf("mapi-internal/bags-%u", OTHER_FOLDER);
	for (i = 0; i < N_ELEMENTS(fields); i++) T_BEGIN {
		data = t_strdup_printf("X-MAPI-Bag: %s 0 0 0 %u%s\r\n\r\n",
				       guid, i + 10, fields[i].field);
		(void)test_storage_save(env.ts, vname, data, strlen(data), 0,
					NULL, 0);
		assert_creator(&env, OTHER_FOLDER, fields[i].creator);
	} T_END;
	message_env_deinit(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_created),
		cmocka_unit_test(test_copied),
		cmocka_unit_test(test_copied_here),
		cmocka_unit_test(test_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
