/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Soft-deleted folders over real mailboxes: how long they are kept, where they are, and
   what a process that dies leaves. tests/integration/test-soft-delete-folders.py has
   what clients see of them. */

#include "lib.h"
#include "ioloop.h"
#include "store-compat.h"
#include "mapi-check.h"
#include "mapi-enums.h"
#include "mapi-folder-removed.h"
#include "mapi-message-edit.h"
#include "mapi-message-write.h"
#include "mapi-props.h"
#include "mapi-table.h"
#include "soft-delete-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define TOP "Projects"

static mapi_id_t removed_fid(struct message_env *env, const char *name)
{
	struct mapi_folder_node *node;
	unsigned int iter = 0;

	assert_int_equal(mapi_folder_tree_refresh(env->store), EC_NONE);
	while ((node = mapi_folder_tree_next_removed(env->store,
						     &iter)) != NULL) {
		if (strcmp(node->display_name, name) == 0)
			return node->fid;
	}
	return 0;
}

static void make(struct message_env *env, mapi_id_t *top_r, mapi_id_t *sub_r)
{
	(void)test_storage_save(env->ts, TOP"/Sub", PLAIN, strlen(PLAIN), 0,
				NULL, MESSAGE_RECEIVED);
	(void)test_storage_save(env->ts, TOP, PLAIN, strlen(PLAIN), 0, NULL,
				MESSAGE_RECEIVED);
	*top_r = message_env_folder(env, TOP);
	*sub_r = message_env_folder(env, "Sub");
}

static void soft_delete(struct message_env *env, mapi_id_t fid)
{
	bool partial;

	assert_int_equal(mapi_folder_delete(env->store, fid, DEL_MESSAGES |
					    DEL_FOLDERS, &partial), EC_NONE);
	assert_false(partial);
}

static mapi_id_t subtree(struct message_env *env)
{
	return mapi_store_special_fid(env->store, MAPI_SPECIAL_IPM_SUBTREE);
}

static mapi_id_t trash(struct message_env *env)
{
	return mapi_store_special_fid(env->store, MAPI_SPECIAL_DELETED_ITEMS);
}

static unsigned int count_removed(struct message_env *env, mapi_id_t fid)
{
	struct mapi_table *table;
	uint32_t count;

	assert_int_equal(mapi_hierarchy_table_open(env->mem, env->store, fid,
			HIERARCHY_TABLE_SOFT_DELETES, &table, &count), EC_NONE);
	talloc_free(table);
	return count;
}

static void check_found(const struct mapi_check_finding *finding, void *context)
{
	unsigned int *count = context;

	(*count)++;
}

/* How many problems there are */
static unsigned int check(struct message_env *env, bool repair)
{
	struct mapi_check_counts counts;
	unsigned int count = 0;
	const struct mapi_check_settings set = {
		.repair = repair, .callback = check_found, .context = &count,
	};

	assert_int_equal(mapi_check_run(env->ts->user, &sd_settings, &set,
					&counts), EC_NONE);
	return count;
}

/* --- ------------------------------------------------------------------------- */

/* A folder is kept from its deletion on, and what was deleted from it before from
   that deletion on. */
static void expire(struct message_env *env)
{
	mapi_id_t top, sub, mid, seen[4];
	struct mapi_message *msg;
	time_t start = ioloop_time;
	bool partial;

	make(env, &top, &sub);
	assert_int_equal(mapi_message_create_new(env->mem, env->store, sub,
						 FALSE, &msg), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	mid = msg->mid;
	talloc_free(msg);
	assert_int_equal(mapi_messages_soft_delete(env->store, sub, &mid, 1,
						   &partial), EC_NONE);
	ioloop_time = start + 4 * DAYS;
	soft_delete(env, top);
	ioloop_time = start + 10 * DAYS;
	sd_open_store(env);
	assert_int_equal(count_removed(env, subtree(env)), 1);
	assert_int_equal(sd_table_mids(env, trash(env),
			CONTENTS_TABLE_SOFT_DELETES, seen, 4), 3);
	ioloop_time = start + 15 * DAYS;
	assert_int_equal(sd_table_mids(env, trash(env),
			CONTENTS_TABLE_SOFT_DELETES, seen, 4), 2);
	assert_int_equal(sd_count_companion(env, "deleted-%u", sub), 0);
	assert_int_equal(sd_count_companion(env, "removed-%u", sub), 1);
	/* the first who looks */
	ioloop_time = start + 19 * DAYS;
	assert_int_equal(count_removed(env, subtree(env)), 0);
	assert_int_equal(sd_count_companion(env, "removed-%u", sub), 0);
	assert_int_equal(sd_count_companion(env, "removed-%u", top), 0);
	assert_true(removed_fid(env, TOP) == 0);
	assert_int_equal(sd_table_mids(env, trash(env),
			CONTENTS_TABLE_SOFT_DELETES, seen, 4), 0);

	/* or the end of a session */
	make(env, &top, &sub);
	soft_delete(env, top);
	ioloop_time += 15 * DAYS;
	sd_open_store(env);
	assert_true(removed_fid(env, TOP) == 0);
	assert_int_equal(sd_count_companion(env, "removed-%u", top), 0);
}
static void test_expire(void **state)
{
	sd_for_all_drivers(expire);
}

/* What a session believes to be old may have been recovered by another one, and
   deleted once more. */
static void expire_late(struct message_env *env)
{
	struct mapi_store *store = env->store, *other;
	mapi_id_t top, sub;

	make(env, &top, &sub);
	soft_delete(env, top);
	assert_int_equal(mapi_store_open(env->mem, env->ts->user, &sd_settings,
					 &other), EC_NONE);
	ioloop_time += 15 * DAYS;
	/* without being seen as old: nobody has looked */
	assert_int_equal(mapi_folder_move(store, top, subtree(env), ""),
			 EC_NONE);
	mapi_folder_removed_expire(other);
	assert_true(message_env_folder(env, TOP) == top);
	assert_int_equal(sd_count_messages(env, TOP), 1);
	soft_delete(env, top);
	mapi_folder_removed_expire(other);
	assert_int_equal(sd_count_companion(env, "removed-%u", top), 1);
	talloc_free(other);
	assert_int_equal(sd_count_companion(env, "removed-%u", top), 1);
}
static void test_expire_late(void **state)
{
	sd_for_all_drivers(expire_late);
}

/* --- processes that die ------------------------------------------------------- */

static void
rename_box(struct message_env *env, const char *vname, const char *new_vname)
{
	struct mailbox_list *list = env->ts->user->namespaces->list;
	struct mailbox *src = mailbox_alloc(list, vname, 0);
	struct mailbox *dest = mailbox_alloc(list, new_vname, 0);

	assert_int_equal(mailbox_rename(src, dest), 0);
	mailbox_free(&src);
	mailbox_free(&dest);
	sd_open_store(env);
}

static const char *removed_name(mapi_id_t fid)
{
	return t_strdup_printf("mapi-internal/"MAPI_COMPANION_REMOVED,
			       (unsigned int)MAPI_ID_GLOBCNT(fid));
}

static void interrupted(struct message_env *env)
{
	mapi_id_t top, sub;

	make(env, &top, &sub);
	soft_delete(env, top);
	/* before the renaming, after it's been noted */
	rename_box(env, removed_name(top), TOP);
	assert_true(message_env_folder(env, TOP) == top);
	assert_true(removed_fid(env, TOP) == 0);
	/* what was deleted with it is below it, deleted */
	assert_true(removed_fid(env, "Sub") == sub);
	assert_int_equal(count_removed(env, top), 1);
	assert_int_equal(count_removed(env, subtree(env)), 0);
	assert_int_equal(check(env, TRUE), 0);
	/* done again, it's whole */
	soft_delete(env, top);
	assert_int_equal(count_removed(env, top), 1);
	assert_int_equal(mapi_folder_move(env->store, top, subtree(env),
					  "Other"), EC_NONE);
	assert_true(message_env_folder(env, "Other") == top);
	assert_int_equal(count_removed(env, top), 0);
	assert_int_equal(sd_count_messages(env, "Other/Sub"), 1);
	assert_true(message_env_folder(env, "Sub") == sub);
}
static void test_interrupted(void **state)
{
	sd_for_all_drivers(interrupted);
}

/* A mailbox of that name which the log knows nothing of is nobody's. */
static void unknown(struct message_env *env)
{
	mapi_id_t top, sub;

	make(env, &top, &sub);
	rename_box(env, TOP"/Sub", removed_name(sub));
	assert_true(message_env_folder(env, "Sub") == 0);
	assert_true(removed_fid(env, "Sub") == 0);
	/* and its number isn't given to another one of its name */
	(void)test_storage_save(env->ts, TOP"/Sub", PLAIN, strlen(PLAIN), 0,
				NULL, MESSAGE_RECEIVED);
	assert_true(message_env_folder(env, "Sub") != sub);
	rename_box(env, removed_name(sub), "Back");
	assert_true(message_env_folder(env, "Back") == sub);
}
static void test_unknown(void **state)
{
	sd_for_all_drivers(unknown);
}

/* --- ------------------------------------------------------------------------- */

/* Where IMAP clients see no folders, only messages are kept. */
static void companion(struct message_env *env)
{
	mapi_id_t root = mapi_store_special_fid(env->store, MAPI_SPECIAL_ROOT);
	struct mapi_folder *folder;
	struct mapi_message *msg;
	mapi_id_t fid, mid, seen[2];

	assert_int_equal(mapi_folder_create(env->mem, env->store, root, "Inner",
					    "", FALSE, &folder), EC_NONE);
	fid = folder->fid;
	talloc_free(folder);
	assert_int_equal(mapi_message_create_new(env->mem, env->store, fid,
						 FALSE, &msg), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	mid = msg->mid;
	talloc_free(msg);
	soft_delete(env, fid);
	assert_true(removed_fid(env, "Inner") == 0);
	assert_int_equal(sd_table_mids(env, trash(env),
			CONTENTS_TABLE_SOFT_DELETES, seen, 2), 1);
	assert_true(seen[0] == mid);
	assert_int_equal(sd_count_companion(env, "deleted-%u", trash(env)), 1);
}
static void test_companion(void **state)
{
	sd_for_all_drivers(companion);
}

static void disabled(struct message_env *env)
{
	mapi_id_t top, sub;

	make(env, &top, &sub);
	sd_settings.deleted_retention = 0;
	soft_delete(env, top);
	assert_true(removed_fid(env, TOP) == 0);
	assert_int_equal(sd_count_companion(env, "removed-%u", top), 0);
	assert_int_equal(sd_count_deleted(env, trash(env)), 0);
}
static void test_disabled(void **state)
{
	sd_for_all_drivers(disabled);
}

/* Only an empty folder may be deleted, and is kept, too. */
static void delete_empty(struct message_env *env)
{
	mapi_id_t top, sub, mids[1];
	bool partial;

	make(env, &top, &sub);
	assert_int_equal(mapi_folder_delete(env->store, sub, DEL_FOLDERS,
					    &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(sd_table_mids(env, sub, 0, mids, 1), 1);
	assert_int_equal(mapi_messages_soft_delete(env->store, sub, mids, 1,
						   &partial), EC_NONE);
	assert_int_equal(mapi_folder_delete(env->store, sub, DEL_FOLDERS,
					    &partial), EC_NONE);
	assert_false(partial);
	assert_true(removed_fid(env, "Sub") == sub);
	assert_int_equal(sd_count_companion(env, "deleted-%u", sub), 1);
	assert_int_equal(sd_count_deleted(env, trash(env)), 1);
	/* somebody who has deleted it by another protocol at the same time */
	assert_int_equal(mapi_folder_delete(env->store, sub, DEL_FOLDERS,
					    &partial), EC_NOT_FOUND);
	assert_int_equal(mapi_folder_move(env->store, sub, top, ""), EC_NONE);
	assert_int_equal(sd_count_deleted(env, sub), 1);
}
static void test_empty(void **state)
{
	sd_for_all_drivers(delete_empty);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expire),
		cmocka_unit_test(test_expire_late),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_companion),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_empty),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
