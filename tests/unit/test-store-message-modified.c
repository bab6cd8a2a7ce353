/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When and by whom a message has been modified, as message objects and rows of
   tables say it: whatever a client saves, also if it's flags alone. */

#include "lib.h"
#include "ioloop.h"
#include "mail-storage-private.h"
#include "time-util.h"
#include "mapi-entryid.h"
#include "mapi-mailprops.h"
#include "mapi-message-edit.h"
#include "mapi-message-write.h"
#include "mapi-enums.h"
#include "mapi-props.h"
#include "mapi-wire.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define PLAIN "From: a@example.org\r\nSubject: plain\r\n\r\nbody\r\n"
#define TAG_BAG 0x6701001f

static const uint32_t tags[] = {
	PIDTAG_LAST_MODIFICATION_TIME, PIDTAG_LAST_MODIFIER_NAME,
	PIDTAG_LAST_MODIFIER_ENTRY_ID,
};

struct modified_env {
	struct message_env *env;
	mapi_id_t mid;
};

static struct modified_env *modified_begin(struct message_env *msg_env)
{
	struct modified_env *env =
		talloc_zero(msg_env->mem, struct modified_env);

	env->env = msg_env;
	env->mid = message_env_save(msg_env, PLAIN, 0, NULL);
	return env;
}

static void
message_values(struct modified_env *env, struct mapi_value *values_r)
{
	struct mapi_message *msg = message_env_open(env->env, env->mid);

	assert_int_equal(msg->obj.v->get_props(&msg->obj, env->env->mem, tags,
					       N_ELEMENTS(tags), SIZE_MAX,
					       values_r), EC_NONE);
	talloc_free(msg);
}

/* The same of the folder's only row */
static void row_values(struct modified_env *env, struct mapi_value *values_r)
{
	struct mailbox_transaction_context *t;
	struct mapi_mailprops *props;
	struct mapi_folder *folder;
	struct mail *mail;

	assert_int_equal(mapi_folder_open(env->env->mem, env->env->store,
					  env->env->inbox, &folder), EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	props = mapi_mailprops_init(folder, folder, FALSE, tags,
				    N_ELEMENTS(tags));
	t = mailbox_transaction_begin(folder->box, 0, __func__);
	mail = mail_alloc(t, 0, NULL);
	mail_set_seq(mail, 1);
	assert_int_equal(mapi_mailprops_get(props, mail, env->env->mem, 510,
					    values_r), EC_NONE);
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&t), 0);
	talloc_free(folder);
}

/* Returns when the message has been modified. owned: by the owner, else by
   nobody */
static uint64_t check(struct modified_env *env, bool owned)
{
	const struct mapi_store_settings *set =
		mapi_store_settings_get(env->env->store);
	struct mapi_value values[N_ELEMENTS(tags)], row[N_ELEMENTS(tags)];
	struct mapi_binary bin;
	unsigned int i;

	message_values(env, values);
	row_values(env, row);
	assert_int_equal(values[0].type, PTYP_TIME);
	if (owned) {
		assert_string_equal(values[1].u.str, set->display_name);
		bin = mapi_addressbook_entry_id_build(env->env->mem,
			MAPI_AB_LOCAL_USER, mapi_store_owner_dn(env->env->store));
		assert_int_equal(values[2].u.bin.len, bin.len);
		assert_memory_equal(values[2].u.bin.data, bin.data, bin.len);
	} else {
		assert_int_equal(values[1].type, PTYP_ERROR_CODE);
		assert_int_equal(values[2].type, PTYP_ERROR_CODE);
	}
	for (i = 0; i < N_ELEMENTS(tags); i++)
		assert_true(mapi_value_equal(&row[i], &values[i]));
	return values[0].u.time;
}

/* A minute later; returns when that is */
static uint64_t tick(void)
{
	ioloop_timeval.tv_sec += 60;
	ioloop_time = ioloop_timeval.tv_sec;
	return mapi_time_from_unix(ioloop_timeval.tv_sec,
				   ioloop_timeval.tv_usec * 1000);
}

static void
save(struct modified_env *env, uint32_t tag, struct mapi_value value)
{
	const struct mapi_property prop = { .tag = tag, .value = value };
	struct mapi_message *msg = message_env_open(env->env, env->mid);
	enum mapi_error error;

	mapi_message_set_writable(msg, TRUE);
	assert_int_equal(msg->obj.v->set_props(&msg->obj, &prop, 1, &error),
			 EC_NONE);
	assert_int_equal(error, EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	assert_true(msg->mid == env->mid);
	talloc_free(msg);
}

static void set_flag(struct modified_env *env, int32_t status)
{
	save(env, PIDTAG_FLAG_STATUS, mapi_value_i32(status));
}

static void
imap_store(struct modified_env *env, enum modify_type type,
	   enum mail_flags flags)
{
	struct mailbox *box = test_storage_open(env->env->ts, "INBOX");
	struct mailbox_transaction_context *t;
	struct mail *mail;

	t = mailbox_transaction_begin(box, 0, __func__);
	mail = mail_alloc(t, 0, NULL);
	mail_set_seq(mail, 1);
	mail_update_flags(mail, type, flags);
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&t), 0);
	assert_int_equal(mailbox_sync(box, 0), 0);
	mailbox_free(&box);
}

static void set_read(struct modified_env *env)
{
	struct mapi_read_change change;
	bool partial;

	assert_int_equal(mapi_read_change_parse(0, &change), EC_NONE);
	assert_int_equal(mapi_messages_set_read(env->env->store, env->env->inbox,
						&env->mid, 1, &change,
						&partial), EC_NONE);
}

/* --- -------------------------------------------------------------------------- */

static void modified(struct message_env *msg_env)
{
	struct modified_env *env = modified_begin(msg_env);
	uint64_t now;

	i_gettimeofday(&ioloop_timeval);
	assert_true(check(env, FALSE) <= tick());
	set_read(env);
	assert_true(check(env, FALSE) < tick());

	/* flags alone: there's no bag */
	now = tick();
	set_flag(env, 2);
	assert_true(check(env, TRUE) == now);
	/* nothing changes */
	(void)tick();
	set_flag(env, 2);
	assert_true(check(env, TRUE) == now);
	/* ... and what others change can't be known */
	imap_store(env, MODIFY_REMOVE, MAIL_FLAGGED);
	set_read(env);
	assert_true(check(env, TRUE) == now);

	/* a bag, which says nothing of flags */
	now = tick();
	save(env, TAG_BAG, mapi_value_str("bag"));
	assert_true(check(env, TRUE) == now);
	now = tick();
	set_flag(env, 2);
	assert_true(check(env, TRUE) == now);
	/* a bag with flags */
	now = tick();
	set_flag(env, 1);
	assert_true(check(env, TRUE) == now);
	now = tick();
	set_flag(env, 2);
	assert_true(check(env, TRUE) == now);

	/* another message in its place */
	now = tick();
	save(env, PIDTAG_SUBJECT, mapi_value_str("other"));
	assert_true(check(env, TRUE) == now);
	now = tick();
	save(env, PIDTAG_LAST_VERB_EXECUTED, mapi_value_i32(102));
	assert_true(check(env, TRUE) == now);
}

static void test_modified(void **state)
{
	message_for_all_drivers(modified);
}

/* They are the server's to set. */
static void read_only(struct message_env *msg_env)
{
	struct modified_env *env = modified_begin(msg_env);
	const struct mapi_property props[] = {
		{ PIDTAG_LAST_MODIFICATION_TIME, mapi_value_time(1) },
		{ PIDTAG_LAST_MODIFIER_NAME, mapi_value_str("x") },
		{ PIDTAG_LAST_MODIFIER_ENTRY_ID, mapi_value_bin("x", 1) },
	};
	struct mapi_message *msg = message_env_open(env->env, env->mid);
	enum mapi_error errors[N_ELEMENTS(props)];
	unsigned int i;

	mapi_message_set_writable(msg, TRUE);
	assert_int_equal(msg->obj.v->set_props(&msg->obj, props,
			 N_ELEMENTS(props), errors), EC_NONE);
	for (i = 0; i < N_ELEMENTS(props); i++)
		assert_int_equal(errors[i], EC_COMPUTED);
}

static void test_read_only(void **state)
{
	message_for_all_drivers(read_only);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modified),
		cmocka_unit_test(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
