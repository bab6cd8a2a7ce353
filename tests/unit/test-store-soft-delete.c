/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Soft-deleted messages over real mailboxes: they're what they were, and nobody sees
   them who doesn't ask. */

#include "lib.h"
#include "ioloop.h"
#include "store-compat.h"
#include "mapi-companion.h"
#include "mapi-dumpster.h"
#include "mapi-enums.h"
#include "mapi-folder-write.h"
#include "mapi-message-edit.h"
#include "mapi-message-write.h"
#include "mapi-object-props.h"
#include "mapi-props.h"
#include "mapi-search-folder.h"
#include "soft-delete-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define DEST "Projects"

/* --- ------------------------------------------------------------------------- */

static void look(struct message_env *env)
{
	struct mapi_message *msg;
	struct mapi_value value, modified;
	mapi_id_t mids[3], seen[3];
	unsigned int i;

	mids[0] = message_env_save(env, PLAIN, MAIL_SEEN, NULL);
	mids[1] = sd_save_with_bag(env, FALSE);
	mids[2] = message_env_save(env, PLAIN, 0, NULL);
	assert_int_equal(sd_count_deleted(env, env->inbox), 0);
	sd_delete(env, mids, 2);
	assert_int_equal(sd_count_messages(env, "INBOX"), 1);
	assert_int_equal(sd_table_mids(env, env->inbox, 0, seen, 3), 1);
	assert_true(seen[0] == mids[2]);

	/* with their ids, also for another session */
	for (i = 0; i < 2; i++) {
		assert_int_equal(sd_table_mids(env, env->inbox,
				CONTENTS_TABLE_SOFT_DELETES, seen, 3), 2);
		assert_true(seen[0] == mids[0]);
		assert_true(seen[1] == mids[1]);
		assert_int_equal(sd_count_companion(env, "bags-%u", env->inbox),
				 0);
		assert_int_equal(sd_count_companion(env, "bags-deleted-%u",
						    env->inbox), 1);
		sd_open_store(env);
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(mapi_message_open(env->mem, env->store,
				env->inbox, mids[i], &msg), EC_NOT_FOUND);
		assert_int_equal(mapi_message_open_deleted(env->mem, env->store,
				env->inbox, mids[i], &msg), EC_NONE);
		assert_false(mapi_message_is_writable(msg));
		sd_assert_bag(env, msg, i == 1);
		value = sd_get_prop(env, msg, PIDTAG_DELETED_ON);
		modified = sd_get_prop(env, msg, PIDTAG_LAST_MODIFICATION_TIME);
		assert_int_equal(value.type, PTYP_TIME);
		assert_true(value.u.time == modified.u.time);
		assert_in_range(mapi_time_to_unix(value.u.time),
				ioloop_time - 60, ioloop_time + 60);
		talloc_free(msg);
	}
	assert_int_equal(mapi_message_open_deleted(env->mem, env->store,
			env->inbox, mids[2], &msg), EC_NOT_FOUND);
	msg = message_env_open(env, mids[2]);
	value = sd_get_prop(env, msg, PIDTAG_DELETED_ON);
	assert_int_equal(value.type, PTYP_ERROR_CODE);
	talloc_free(msg);
}
static void test_look(void **state)
{
	sd_for_all_drivers(look);
}

static void again(struct message_env *env)
{
	mapi_id_t mids[2];
	bool partial;

	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	sd_delete(env, mids, 1);
	assert_int_equal(mapi_messages_soft_delete(env->store, env->inbox, mids,
						   2, &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(sd_count_deleted(env, env->inbox), 2);
	assert_int_equal(sd_count_messages(env, "INBOX"), 0);
}
static void test_again(void **state)
{
	sd_for_all_drivers(again);
}

/* --- taking out ------------------------------------------------------------- */

static void recover(struct message_env *env)
{
	struct mailbox *box = test_storage_open(env->ts, DEST);
	mapi_id_t mids[3], seen[3], dest = message_env_folder(env, DEST);
	struct mapi_message *msg;
	bool partial;

	mailbox_free(&box);
	mids[0] = sd_save_with_bag(env, FALSE);
	mids[1] = message_env_save(env, PLAIN, MAIL_FLAGGED, NULL);
	mids[2] = sd_save_with_bag(env, FALSE);
	sd_delete(env, mids, 3);

	/* elsewhere; one that isn't anywhere with it */
	seen[0] = mids[0];
	seen[1] = MAPI_ID(MAPI_STORE_REPLID, MAPI_ID_GLOBCNT(mids[2]) + 5);
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, dest, seen,
					    2, TRUE, &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(sd_count_deleted(env, env->inbox), 2);
	assert_int_equal(sd_table_mids(env, dest, 0, seen, 3), 1);
	assert_int_equal(mapi_message_open(env->mem, env->store, dest, seen[0],
					   &msg), EC_NONE);
	sd_assert_bag(env, msg, TRUE);
	assert_int_equal(sd_get_prop(env, msg, PIDTAG_DELETED_ON).type,
			 PTYP_ERROR_CODE);
	talloc_free(msg);

	/* where they were, a copy first; the ids are new */
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, env->inbox,
			&mids[2], 1, FALSE, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_deleted(env, env->inbox), 2);
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, env->inbox,
			&mids[1], 2, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_deleted(env, env->inbox), 0);
	assert_int_equal(sd_table_mids(env, env->inbox, 0, seen, 3), 3);
	assert_int_equal(sd_count_companion(env, "bags-deleted-%u", env->inbox),
			 0);
	/* each copy has a bag of its own */
	assert_int_equal(sd_count_companion(env, "bags-%u", env->inbox), 2);
	sd_assert_mid_bag(env, seen[0], TRUE);
	sd_assert_mid_bag(env, seen[1], FALSE);
	sd_assert_mid_bag(env, seen[2], TRUE);
	assert_int_equal(mapi_message_open(env->mem, env->store, env->inbox,
					   mids[1], &msg), EC_NOT_FOUND);
	/* and once more */
	sd_delete(env, seen, 3);
	assert_int_equal(sd_count_deleted(env, env->inbox), 3);
}
static void test_recover(void **state)
{
	sd_for_all_drivers(recover);
}

static void purge(struct message_env *env)
{
	mapi_id_t mids[4];
	bool partial;

	mids[0] = sd_save_with_bag(env, FALSE);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	mids[2] = message_env_save(env, PLAIN, 0, NULL);
	mids[3] = message_env_save(env, PLAIN, 0, NULL);
	sd_delete(env, mids, 3);
	/* both kinds at once */
	assert_int_equal(mapi_messages_delete(env->store, env->inbox, mids, 1,
					      &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_companion(env, "bags-deleted-%u", env->inbox),
			 0);
	assert_int_equal(mapi_messages_delete(env->store, env->inbox, &mids[2],
					      2, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_deleted(env, env->inbox), 1);
	assert_int_equal(sd_count_messages(env, "INBOX"), 0);
	assert_int_equal(mapi_messages_delete(env->store, env->inbox, mids, 4,
					      &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(sd_count_deleted(env, env->inbox), 0);
}
static void test_purge(void **state)
{
	sd_for_all_drivers(purge);
}

static void empty(struct message_env *env)
{
	mapi_id_t mids[3];
	bool partial;

	/* there has never been a message in it */
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, TRUE, FALSE,
					   &partial), EC_NONE);
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, TRUE, TRUE,
					   &partial), EC_NONE);
	assert_false(partial);
	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	mids[1] = sd_save_with_bag(env, TRUE);
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, FALSE, FALSE,
					   &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_messages(env, "INBOX"), 0);
	assert_int_equal(sd_count_deleted(env, env->inbox), 1);
	assert_int_equal(sd_count_companion(env, "fai-%u", env->inbox), 1);
	mids[2] = message_env_save(env, PLAIN, 0, NULL);
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, TRUE, FALSE,
					   &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_deleted(env, env->inbox), 2);
	assert_int_equal(sd_table_mids(env, env->inbox,
			CONTENTS_TABLE_SOFT_DELETES | CONTENTS_TABLE_ASSOCIATED,
			mids, 3), 1);
	assert_int_equal(sd_count_companion(env, "fai-%u", env->inbox), 0);

	/* FAI messages come back as such */
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, env->inbox,
			mids, 1, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_companion(env, "fai-%u", env->inbox), 1);
	assert_int_equal(sd_table_mids(env, env->inbox,
			CONTENTS_TABLE_ASSOCIATED, mids, 3), 1);
	sd_assert_mid_bag(env, mids[0], TRUE);

	/* for good */
	sd_delete(env, mids, 1);
	(void)message_env_save(env, PLAIN, 0, NULL);
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, FALSE, TRUE,
					   &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_messages(env, "INBOX"), 0);
	assert_int_equal(sd_count_deleted(env, env->inbox), 0);
	assert_int_equal(sd_count_companion(env, "deleted-fai-%u",
					    env->inbox), 1);
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, TRUE, TRUE,
					   &partial), EC_NONE);
	assert_int_equal(sd_count_companion(env, "deleted-fai-%u",
					    env->inbox), 0);
	assert_int_equal(sd_count_companion(env, "bags-deleted-fai-%u",
					    env->inbox), 0);
}
static void test_empty(void **state)
{
	sd_for_all_drivers(empty);
}

/* --- deleted folders --------------------------------------------------------- */

static mapi_id_t make_folder(struct message_env *env, unsigned int messages)
{
	unsigned int i;

	for (i = 0; i < messages; i++) {
		(void)test_storage_save(env->ts, DEST"/Sub", PLAIN,
					strlen(PLAIN), MAIL_FLAGGED, NULL,
					MESSAGE_RECEIVED);
	}
	(void)test_storage_save(env->ts, DEST, PLAIN, strlen(PLAIN), 0, NULL,
				MESSAGE_RECEIVED);
	return message_env_folder(env, DEST);
}

static void deleted_folder(struct message_env *env)
{
	mapi_id_t trash = mapi_store_special_fid(env->store,
						 MAPI_SPECIAL_DELETED_ITEMS);
	mapi_id_t fid = make_folder(env, 2), sub, fai, mids[3], seen[4];
	struct mapi_message *msg;
	unsigned int i, j;
	bool partial;

	sub = message_env_folder(env, "Sub");
	assert_int_equal(sd_table_mids(env, sub, 0, mids, 2), 2);
	assert_int_equal(sd_table_mids(env, fid, 0, &mids[2], 1), 1);
	/* with a bag */
	assert_int_equal(mapi_message_create_new(env->mem, env->store, sub,
						 FALSE, &msg), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	talloc_free(msg);
	assert_int_equal(mapi_message_create_new(env->mem, env->store, fid,
						 TRUE, &msg), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	fai = msg->mid;
	talloc_free(msg);

	/* not empty: nothing happens */
	assert_int_equal(mapi_folder_delete(env->store, fid, 0, &partial),
			 EC_NONE);
	assert_true(partial);
	assert_int_equal(sd_count_deleted(env, trash), 0);
	assert_int_equal(mapi_folder_delete(env->store, fid, DEL_MESSAGES |
					    DEL_FOLDERS, &partial), EC_NONE);
	assert_false(partial);
	assert_true(message_env_folder(env, DEST) == 0);
	assert_true(message_env_folder(env, "Sub") == 0);
	/* as it is, but Deleted Items shows them, too */
	assert_int_equal(sd_count_companion(env, "removed-%u", sub), 3);
	assert_int_equal(sd_count_companion(env, "bags-%u", sub), 1);
	assert_int_equal(sd_count_companion(env, "removed-%u", fid), 1);
	assert_int_equal(sd_count_companion(env, "fai-%u", fid), 1);
	assert_int_equal(sd_count_companion(env, "deleted-%u", trash), 0);
	sd_open_store(env);
	assert_int_equal(sd_table_mids(env, trash, CONTENTS_TABLE_SOFT_DELETES |
				       CONTENTS_TABLE_ASSOCIATED, seen, 4), 1);
	assert_true(seen[0] == fai);
	assert_int_equal(sd_table_mids(env, trash, CONTENTS_TABLE_SOFT_DELETES,
				       seen, 4), 4);
	for (i = 0; i < 3; i++) {
		for (j = 0; j < 4 && seen[j] != mids[i]; j++) ;
		assert_true(j < 4);
		assert_true(mapi_search_real_folder(env->store, trash,
				mids[i]) == (i < 2 ? sub : fid));
	}

	assert_int_equal(mapi_messages_copy(env->store, trash,
					    env->store, env->inbox, seen,
					    4, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_messages(env, "INBOX"), 4);
	assert_int_equal(sd_count_deleted(env, trash), 0);

	/* another one of its name */
	assert_true(make_folder(env, 1) != fid);
	assert_int_equal(mapi_folder_delete(env->store, message_env_folder(env, DEST),
			DEL_MESSAGES | DEL_FOLDERS | DELETE_HARD_DELETE,
			&partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_deleted(env, trash), 0);
}
static void test_deleted_folder(void **state)
{
	sd_for_all_drivers(deleted_folder);
}

/* What has been deleted from a folder stays deleted since then when the folder is moved
   to another mailbox, and is kept only as long. */
static void deleted_before(struct message_env *env)
{
	mapi_id_t fid, trash, mids[4], seen[4];
	time_t start = ioloop_time;
	struct mapi_message *msg;
	struct mapi_value value;
	unsigned int i;
	bool partial;

	trash = mapi_store_special_fid(env->store, MAPI_SPECIAL_DELETED_ITEMS);
	(void)make_folder(env, 1);
	fid = message_env_folder(env, "Sub");
	assert_int_equal(sd_table_mids(env, fid, 0, mids, 1), 1);
	for (i = 1; i < 3; i++) {
		assert_int_equal(mapi_message_create_new(env->mem, env->store,
				fid, i == 2, &msg), EC_NONE);
		assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
		mids[i] = msg->mid;
		talloc_free(msg);
	}
	assert_int_equal(mapi_messages_soft_delete(env->store, fid, mids, 2,
						   &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_companion(env, "bags-deleted-%u", fid), 1);
	/* something younger is there already */
	ioloop_time = start + 2 * DAYS;
	mids[3] = message_env_save(env, PLAIN, 0, NULL);
	assert_int_equal(mapi_messages_copy(env->store, env->inbox, env->store,
			trash, &mids[3], 1, TRUE, &partial), EC_NONE);
	assert_int_equal(mapi_folder_empty(env->store, trash, FALSE, FALSE,
					   &partial), EC_NONE);

	ioloop_time = start + 4 * DAYS;
	/* an FAI message is left */
	assert_int_equal(mapi_folder_delete_moved(env->store, fid, &partial),
			 EC_NONE);
	assert_true(partial);
	assert_int_equal(mapi_messages_soft_delete(env->store, fid, &mids[2], 1,
						   &partial), EC_NONE);
	/* interrupted */
	assert_int_equal(mapi_dumpster_put_folder(env->store, fid, FALSE, TRUE,
						  trash), EC_NONE);
	sd_open_store(env);
	assert_int_equal(mapi_folder_delete_moved(env->store, fid, &partial),
			 EC_NONE);
	assert_false(partial);
	assert_true(message_env_folder(env, "Sub") == 0);
	assert_int_equal(sd_count_companion(env, "deleted-%u", fid), 0);
	assert_int_equal(sd_count_companion(env, "bags-deleted-%u", fid), 0);
	sd_open_store(env);
	assert_int_equal(sd_table_mids(env, trash, CONTENTS_TABLE_SOFT_DELETES,
				       seen, 4), 3);
	assert_true(seen[1] == mids[0] && seen[2] == mids[1]);
	assert_int_equal(sd_table_mids(env, trash, CONTENTS_TABLE_SOFT_DELETES |
				       CONTENTS_TABLE_ASSOCIATED, seen, 1), 1);
	assert_true(seen[0] == mids[2]);
	for (i = 0; i < 2; i++) {
		assert_int_equal(mapi_message_open_deleted(env->mem, env->store,
				trash, mids[i], &msg), EC_NONE);
		value = sd_get_prop(env, msg, PIDTAG_DELETED_ON);
		assert_in_range(mapi_time_to_unix(value.u.time), start,
				start + DAYS);
		value = sd_get_prop(env, msg, PIDTAG_LAST_MODIFICATION_TIME);
		assert_in_range(mapi_time_to_unix(value.u.time), start,
				start + DAYS);
		talloc_free(msg);
	}
	/* they are expired first, though they aren't the first there */
	ioloop_time = start + 15 * DAYS;
	assert_int_equal(sd_table_mids(env, trash, CONTENTS_TABLE_SOFT_DELETES,
				       seen, 4), 1);
	assert_true(seen[0] != mids[0] && seen[0] != mids[1]);
	assert_int_equal(sd_count_companion(env, "bags-deleted-%u", trash), 0);
	ioloop_time = start + 17 * DAYS;
	assert_int_equal(sd_count_deleted(env, trash), 0);
	ioloop_time = start;
}
static void test_deleted_before(void **state)
{
	sd_for_all_drivers(deleted_before);
}

/* --- properties of the folder and of the store ------------------------------- */

static void
assert_totals(struct message_env *env, struct mapi_object *obj,
	      unsigned int count, unsigned int fai_count)
{
	static const uint32_t tags[] = {
		PIDTAG_DELETED_MESSAGE_COUNT,
		PIDTAG_DELETED_ASSOCIATED_MESSAGE_COUNT,
		PIDTAG_DELETED_MESSAGE_SIZE_EXTENDED,
		PIDTAG_DELETED_NORMAL_MESSAGE_SIZE_EXTENDED,
		PIDTAG_DELETED_ASSOCIATED_MESSAGE_SIZE_EXTENDED,
	};
	struct mapi_value values[N_ELEMENTS(tags)];
	int64_t sum;

	assert_int_equal(obj->v->get_props(obj, env->mem, tags,
			N_ELEMENTS(tags), SIZE_MAX, values), EC_NONE);
	assert_int_equal(values[0].type, PTYP_INTEGER32);
	assert_int_equal(values[0].u.i32, count);
	assert_int_equal(values[1].u.i32, fai_count);
	assert_int_equal(values[2].type, PTYP_INTEGER64);
	assert_int_equal(values[3].u.i64, count * strlen(PLAIN));
	assert_true((values[4].u.i64 > 0) == (fai_count > 0));
	sum = values[3].u.i64 + values[4].u.i64;
	assert_true(values[2].u.i64 == sum);
}

static void properties(struct message_env *env)
{
	static const uint32_t total = PIDTAG_DELETED_COUNT_TOTAL;
	struct mapi_folder *folder;
	struct mapi_logon *logon;
	struct mapi_value value;
	mapi_id_t mids[3];

	assert_int_equal(mapi_folder_open(env->mem, env->store, env->inbox,
					  &folder), EC_NONE);
	assert_int_equal(mapi_logon_open(env->mem, env->store, &logon),
			 EC_NONE);
	assert_totals(env, &folder->obj, 0, 0);
	assert_totals(env, &logon->obj, 0, 0);
	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	mids[2] = sd_save_with_bag(env, TRUE);
	(void)message_env_save(env, PLAIN, 0, NULL);
	sd_delete(env, mids, 3);
	assert_totals(env, &folder->obj, 2, 1);
	assert_totals(env, &logon->obj, 2, 1);
	assert_int_equal(folder->obj.v->get_props(&folder->obj, env->mem,
			&total, 1, SIZE_MAX, &value), EC_NONE);
	assert_int_equal(value.u.i32, 2);
	talloc_free(folder);
	talloc_free(logon);
}
static void test_properties(void **state)
{
	sd_for_all_drivers(properties);
}

/* --- time ------------------------------------------------------------------- */

static void expire(struct message_env *env)
{
	mapi_id_t mids[3], seen[2];
	time_t start = ioloop_time;

	mids[0] = sd_save_with_bag(env, FALSE);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	mids[2] = message_env_save(env, PLAIN, 0, NULL);
	sd_delete(env, mids, 2);
	ioloop_time = start + 10 * DAYS;
	assert_int_equal(sd_count_deleted(env, env->inbox), 2);
	sd_delete(env, &mids[2], 1);
	ioloop_time = start + 15 * DAYS;
	assert_int_equal(sd_table_mids(env, env->inbox,
			CONTENTS_TABLE_SOFT_DELETES, seen, 2), 1);
	assert_true(seen[0] == mids[2]);
	assert_int_equal(sd_count_companion(env, "bags-deleted-%u", env->inbox),
			 0);
	/* Without anybody looking: a session ends. */
	ioloop_time = start + 20 * DAYS;
	sd_open_store(env);
	assert_int_equal(sd_count_companion(env, "deleted-%u", env->inbox), 1);
	ioloop_time = start + 25 * DAYS;
	sd_open_store(env);
	assert_int_equal(sd_count_companion(env, "deleted-%u", env->inbox), 0);
}
static void test_expire(void **state)
{
	sd_for_all_drivers(expire);
}

/* The administrator's doveadm expunge leaves bags. */
static void expunged_by_others(struct message_env *env)
{
	mapi_id_t mids[2];

	mids[0] = sd_save_with_bag(env, FALSE);
	mids[1] = sd_save_with_bag(env, FALSE);
	sd_delete(env, mids, 2);
	test_storage_expunge(env->ts, t_strdup_printf(
		"mapi-internal/deleted-%u",
		(unsigned int)MAPI_ID_GLOBCNT(env->inbox)), 1);
	assert_int_equal(sd_count_companion(env, "bags-deleted-%u", env->inbox),
			 2);
	assert_int_equal(sd_count_deleted(env, env->inbox), 1);
	assert_int_equal(sd_count_companion(env, "bags-deleted-%u", env->inbox),
			 1);
}
static void test_expunged_by_others(void **state)
{
	sd_for_all_drivers(expunged_by_others);
}

static void disabled(struct message_env *env)
{
	mapi_id_t mids[2];
	bool partial;

	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	sd_delete(env, mids, 1);
	sd_settings.deleted_retention = 0;
	sd_delete(env, &mids[1], 1);
	(void)message_env_save(env, PLAIN, 0, NULL);
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, TRUE, FALSE,
					   &partial), EC_NONE);
	assert_int_equal(sd_count_messages(env, "INBOX"), 0);
	assert_int_equal(sd_count_companion(env, "deleted-%u", env->inbox), 0);
}
static void test_disabled(void **state)
{
	sd_for_all_drivers(disabled);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_recover),
		cmocka_unit_test(test_purge),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_deleted_folder),
		cmocka_unit_test(test_deleted_before),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_expire),
		cmocka_unit_test(test_expunged_by_others),
		cmocka_unit_test(test_disabled),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
