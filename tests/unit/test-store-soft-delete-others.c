/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Soft deleting where others have to do with it: processes that die lose and double
   nothing, sessions see each other's deletions, and ids that are lost are made
   anew. */

#include "lib.h"
#include "array.h"
#include "store-compat.h"
#include "mapi-contents-table.h"
#include "mapi-dumpster.h"
#include "mapi-enums.h"
#include "mapi-message-edit.h"
#include "mapi-message-folder.h"
#include "mapi-message-move.h"
#include "mapi-message-write.h"
#include "mapi-props.h"
#include "soft-delete-common.h"

#include <setjmp.h>
#include <cmocka.h>

/* --- interruptions ---------------------------------------------------------- */

/* As if the process had died when copies were there and originals still were */
static void
interrupted_put(struct message_env *env, bool associated, uint32_t uid1,
		uint32_t uid2)
{
	struct mapi_message_folder *mfolder, *deleted_mfolder;
	struct mapi_message_transfer transfer;
	struct mapi_folder *folder, *deleted;
	ARRAY_TYPE(seq_range) uids;
	bool partial = FALSE;

	assert_int_equal(mapi_dumpster_create(env->store,
			MAPI_ID_GLOBCNT(env->inbox), associated), EC_NONE);
	assert_int_equal(mapi_message_folder_get(env->store, env->inbox,
			&mfolder, &folder), EC_NONE);
	assert_int_equal(mapi_message_folder_get_deleted(env->store, env->inbox,
			&deleted_mfolder, &deleted), EC_NONE);
	i_zero(&transfer);
	transfer.src = folder->box;
	transfer.dest = deleted->box;
	if (associated) {
		assert_int_equal(mapi_folder_open_associated(folder,
				&transfer.src), EC_NONE);
		assert_int_equal(mapi_folder_open_associated(deleted,
				&transfer.dest), EC_NONE);
	}
	transfer.src_bags = mapi_folder_bags(folder, associated);
	transfer.dest_bags = mapi_folder_bags(deleted, associated);
	transfer.deleted_from = folder;
	transfer.associated = associated;
	t_array_init(&uids, 1);
	seq_range_array_add_range(&uids, uid1, uid2);
	transfer.uids = &uids;
	assert_int_equal(mapi_message_transfer_run(&transfer, &partial),
			 EC_NONE);
	assert_false(partial);
	mapi_message_folder_release(&mfolder);
	mapi_message_folder_release(&deleted_mfolder);
}

static void interrupted(struct message_env *env)
{
	mapi_id_t mids[4], seen[4];

	mids[0] = sd_save_with_bag(env, FALSE);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	mids[2] = message_env_save(env, PLAIN, 0, NULL);
	mids[3] = message_env_save(env, PLAIN, 0, NULL);
	interrupted_put(env, FALSE, 1, 2);
	assert_int_equal(sd_count_messages(env, "INBOX"), 4);
	assert_int_equal(sd_count_companion(env, "deleted-%u", env->inbox), 2);

	/* who opens the folder first finds it */
	sd_open_store(env);
	assert_int_equal(sd_table_mids(env, env->inbox, 0, seen, 4), 2);
	assert_true(seen[0] == mids[2]);
	assert_int_equal(sd_count_companion(env, "bags-%u", env->inbox), 0);
	assert_int_equal(sd_table_mids(env, env->inbox,
			CONTENTS_TABLE_SOFT_DELETES, seen, 4), 2);
	assert_true(seen[0] == mids[0]);
	sd_assert_deleted_bag(env, mids[0], TRUE);

	/* or who looks at what has been deleted */
	interrupted_put(env, FALSE, 3, 3);
	assert_int_equal(sd_count_deleted(env, env->inbox), 3);
	assert_int_equal(sd_count_messages(env, "INBOX"), 1);
	/* or who deletes the next message */
	interrupted_put(env, FALSE, 4, 4);
	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	sd_delete(env, mids, 1);
	assert_int_equal(sd_count_messages(env, "INBOX"), 0);
	assert_int_equal(sd_count_deleted(env, env->inbox), 5);
	/* also one that the client doesn't know to be in both */
	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	interrupted_put(env, FALSE, MAPI_ID_GLOBCNT(mids[0]) & UINT32_MAX,
			MAPI_ID_GLOBCNT(mids[0]) & UINT32_MAX);
	bool partial;
	assert_int_equal(mapi_messages_soft_delete(env->store, env->inbox, mids,
						   1, &partial), EC_NONE);
	assert_int_equal(sd_count_messages(env, "INBOX"), 0);
	assert_int_equal(sd_count_deleted(env, env->inbox), 6);
}
static void test_interrupted(void **state)
{
	sd_for_all_drivers(interrupted);
}

static void interrupted_associated(struct message_env *env)
{
	(void)sd_save_with_bag(env, TRUE);
	interrupted_put(env, TRUE, 1, 1);
	sd_open_store(env);
	assert_int_equal(sd_table_mids(env, env->inbox,
			CONTENTS_TABLE_ASSOCIATED, NULL, 0), 0);
	assert_int_equal(sd_table_mids(env, env->inbox,
			CONTENTS_TABLE_ASSOCIATED | CONTENTS_TABLE_SOFT_DELETES,
			NULL, 0), 1);
}
static void test_interrupted_associated(void **state)
{
	sd_for_all_drivers(interrupted_associated);
}

/* A message that is in both and has been changed since is another one. */
static void interrupted_changed(struct message_env *env)
{
	const struct mapi_property prop = {
		PIDTAG_SUBJECT, mapi_value_str("changed")
	};
	struct mapi_message *msg;
	mapi_id_t mid = sd_save_with_bag(env, FALSE);
	enum mapi_error error = EC_NONE;

	interrupted_put(env, FALSE, 1, 1);
	msg = message_env_open(env, mid);
	mapi_message_set_writable(msg, TRUE);
	assert_int_equal(msg->obj.v->set_props(&msg->obj, &prop, 1, &error),
			 EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	talloc_free(msg);
	sd_open_store(env);
	assert_int_equal(sd_count_deleted(env, env->inbox), 1);
	msg = message_env_open(env, mid);
	assert_string_equal(sd_get_prop(env, msg, PIDTAG_SUBJECT).u.str,
			    "changed");
	talloc_free(msg);
}
static void test_interrupted_changed(void **state)
{
	sd_for_all_drivers(interrupted_changed);
}

/* --- others ----------------------------------------------------------------- */

static void two_sessions(struct message_env *env)
{
	struct mapi_store *first = env->store, *second;
	struct mapi_table *table;
	uint32_t row_count;
	mapi_id_t mids[3];
	bool partial;

	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	mids[2] = message_env_save(env, PLAIN, 0, NULL);
	assert_int_equal(mapi_store_open(env->mem, env->ts->user, &sd_settings,
					 &second), EC_NONE);
	/* which has seen the folder before */
	env->store = second;
	assert_int_equal(sd_table_mids(env, env->inbox, 0, NULL, 0), 3);
	env->store = first;
	sd_delete(env, mids, 1);
	assert_int_equal(mapi_contents_table_open(env->mem, second, env->inbox,
			CONTENTS_TABLE_SOFT_DELETES, &table, &row_count),
			 EC_NONE);
	assert_int_equal(row_count, 1);
	assert_int_equal(mapi_messages_soft_delete(second, env->inbox, mids, 2,
						   &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(sd_count_deleted(env, env->inbox), 2);
	/* one recovers what the other has deleted */
	assert_int_equal(mapi_messages_copy(first, env->inbox,
					    first, env->inbox,
			&mids[1], 1, TRUE, &partial), EC_NONE);
	assert_false(partial);
	env->store = second;
	assert_int_equal(sd_count_deleted(env, env->inbox), 1);
	assert_int_equal(sd_table_mids(env, env->inbox, 0, NULL, 0), 2);
	talloc_free(table);
	env->store = first;
	talloc_free(second);
}
static void test_two_sessions(void **state)
{
	sd_for_all_drivers(two_sessions);
}

/* Where the ids are lost, there are others; nothing else is lost. */
static void resync(struct message_env *env)
{
	mapi_id_t mids[2], seen[2];
	struct mailbox *box;
	unsigned int i;
	bool partial;

	mids[0] = sd_save_with_bag(env, FALSE);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	sd_delete(env, mids, 2);
	box = test_storage_open(env->ts, t_strdup_printf(
		"mapi-internal/deleted-%u",
		(unsigned int)MAPI_ID_GLOBCNT(env->inbox)));
	assert_int_equal(mailbox_sync(box, MAILBOX_SYNC_FLAG_FORCE_RESYNC), 0);
	mailbox_free(&box);
	sd_open_store(env);
	assert_int_equal(sd_table_mids(env, env->inbox,
			CONTENTS_TABLE_SOFT_DELETES, seen, 2), 2);
	for (i = 0; i < 2; i++) {
		sd_assert_deleted_bag(env, seen[i], i == 0);
		assert_true(mapi_store_mid_to_fid(env->store, seen[i]) ==
			    env->inbox);
	}
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, env->inbox,
			seen, 2, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_messages(env, "INBOX"), 2);
	assert_int_equal(sd_count_deleted(env, env->inbox), 0);
}
static void test_resync(void **state)
{
	sd_for_all_drivers(resync);
}

/* Rewritten messages have an id that isn't of their UID. */
static void rewritten(struct message_env *env)
{
	const struct mapi_property prop = {
		TAG_ONLY_IN_BAG, mapi_value_bool(TRUE)
	}, subject = { PIDTAG_SUBJECT, mapi_value_str("bagged") };
	mapi_id_t mid = message_env_save(env, PLAIN, 0, NULL), seen;
	struct mapi_message *msg = message_env_open(env, mid);
	enum mapi_error error = EC_NONE;
	bool partial;

	mapi_message_set_writable(msg, TRUE);
	assert_int_equal(msg->obj.v->set_props(&msg->obj, &subject, 1, &error),
			 EC_NONE);
	assert_int_equal(msg->obj.v->set_props(&msg->obj, &prop, 1, &error),
			 EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	assert_true(msg->mid == mid);
	talloc_free(msg);
	sd_delete(env, &mid, 1);
	sd_open_store(env);
	assert_int_equal(sd_table_mids(env, env->inbox,
			CONTENTS_TABLE_SOFT_DELETES, &seen, 1), 1);
	assert_true(seen == mid);
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, env->inbox,
			&mid, 1, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_table_mids(env, env->inbox, 0, &seen, 1), 1);
	assert_true(seen != mid);
	sd_assert_mid_bag(env, seen, TRUE);
	sd_open_store(env);
	sd_assert_mid_bag(env, seen, TRUE);
}
static void test_rewritten(void **state)
{
	sd_for_all_drivers(rewritten);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_interrupted_associated),
		cmocka_unit_test(test_interrupted_changed),
		cmocka_unit_test(test_two_sessions),
		cmocka_unit_test(test_resync),
		cmocka_unit_test(test_rewritten),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
