/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Emptying a folder in steps, with other things done between them. */

#include "lib.h"
#include "mapi-enums.h"
#include "mapi-folder-write.h"
#include "mapi-message-write.h"
#include "soft-delete-common.h"

#include <setjmp.h>
#include <cmocka.h>

static struct mapi_folder_emptying *
begin(struct message_env *env, mapi_id_t fid, bool associated, bool hard)
{
	struct mapi_folder_emptying *emptying;
	unsigned int total;

	assert_int_equal(mapi_folder_empty_begin(env->mem, env->store, fid,
				associated, hard, &emptying, &total), EC_NONE);
	return emptying;
}

static void
step(struct mapi_folder_emptying *emptying, unsigned int max, bool more,
     unsigned int done, unsigned int total)
{
	struct mapi_folder_emptying_status status;

	assert_int_equal(mapi_folder_empty_step(emptying, max, &status), more);
	assert_int_equal(status.error, EC_NONE);
	assert_false(status.partial);
	assert_int_equal(status.done, done);
	assert_int_equal(status.total, total);
}

static void save_many(struct message_env *env, unsigned int count)
{
	while (count-- > 0)
		(void)message_env_save(env, PLAIN, 0, NULL);
}

static void expunge(struct message_env *env, mapi_id_t mid)
{
	bool partial;

	assert_int_equal(mapi_messages_delete(env->store, env->inbox, &mid, 1,
					      &partial), EC_NONE);
	assert_false(partial);
}

static void messages(struct message_env *env)
{
	struct mapi_folder_emptying *emptying;
	mapi_id_t mid, fai, left;
	unsigned int hard, cost;

	fai = sd_save_with_bag(env, TRUE);
	for (hard = 0; hard < 2; hard++) {
		cost = hard != 0 ? 1 : MAPI_MESSAGE_COPY_COST;
		save_many(env, 5);
		mid = sd_save_with_bag(env, FALSE);
		(void)sd_save_with_bag(env, FALSE);
		emptying = begin(env, env->inbox, FALSE, hard != 0);
		step(emptying, 3 * cost, TRUE, 3, 7);
		assert_int_equal(sd_count_messages(env, "INBOX"), 4);
		/* one goes, one comes */
		expunge(env, mid);
		left = message_env_save(env, PLAIN, 0, NULL);
		step(emptying, 2 * cost, TRUE, 5, 7);
		/* fewer than there were */
		step(emptying, 2 * cost, FALSE, 6, 7);
		talloc_free(emptying);
		assert_int_equal(sd_count_messages(env, "INBOX"), 1);
		assert_int_equal(sd_count_deleted(env, env->inbox),
				 hard != 0 ? 0 : 6);
		assert_int_equal(sd_count_companion(env, "bags-%u", env->inbox),
				 0);
		sd_assert_mid_bag(env, left, FALSE);
		expunge(env, left);
	}
	sd_assert_mid_bag(env, fai, TRUE);
	emptying = begin(env, env->inbox, TRUE, TRUE);
	step(emptying, 1, TRUE, 1, 1);
	step(emptying, 1, FALSE, 1, 1);
	assert_int_equal(sd_count_companion(env, "fai-%u", env->inbox), 0);
}

static void test_messages(void **state)
{
	sd_for_all_drivers(messages);
}

/* Nobody asks for the rest. */
static void abandoned(struct message_env *env)
{
	struct mapi_folder_emptying *emptying;
	bool partial;

	save_many(env, 5);
	emptying = begin(env, env->inbox, FALSE, FALSE);
	step(emptying, 2 * MAPI_MESSAGE_COPY_COST, TRUE, 2, 5);
	talloc_free(emptying);
	sd_open_store(env);
	assert_int_equal(sd_count_messages(env, "INBOX"), 3);
	assert_int_equal(sd_count_deleted(env, env->inbox), 2);
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, FALSE, FALSE,
					   &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(sd_count_deleted(env, env->inbox), 5);
}

static void test_abandoned(void **state)
{
	sd_for_all_drivers(abandoned);
}

/* UIDs mean other messages then. */
static void other_uidvalidity(struct message_env *env)
{
	struct mailbox_update update = { .uid_validity = 0 };
	struct mapi_folder_emptying *emptying;
	struct mailbox_status status;
	struct mailbox *box;

	save_many(env, 5);
	emptying = begin(env, env->inbox, FALSE, FALSE);
	step(emptying, 2 * MAPI_MESSAGE_COPY_COST, TRUE, 2, 5);
	box = mailbox_alloc(env->ts->user->namespaces->list, "INBOX", 0);
	assert_int_equal(mailbox_open(box), 0);
	mailbox_get_open_status(box, STATUS_UIDVALIDITY, &status);
	update.uid_validity = status.uidvalidity + 1000;
	assert_int_equal(mailbox_update(box, &update), 0);
	mailbox_free(&box);
	step(emptying, 100, FALSE, 2, 5);
	assert_int_equal(sd_count_messages(env, "INBOX"), 3);
}

static void test_other_uidvalidity(void **state)
{
	sd_for_all_drivers(other_uidvalidity);
}

static mapi_id_t
create(struct message_env *env, mapi_id_t parent_fid, const char *name)
{
	struct mapi_folder *folder;
	mapi_id_t fid;

	assert_int_equal(mapi_folder_create(env->mem, env->store, parent_fid,
					    name, "", FALSE, &folder), EC_NONE);
	fid = folder->fid;
	talloc_free(folder);
	return fid;
}

/* 20 folders are as much work as 6000 messages. Here each has one below it. */
static void subfolders(struct message_env *env)
{
	mapi_id_t trash = mapi_store_special_fid(env->store,
						 MAPI_SPECIAL_DELETED_ITEMS);
	struct mapi_folder_emptying *emptying;
	mapi_id_t fids[12], below[12], new;
	unsigned int i, left = 0;
	bool partial;

	for (i = 0; i < N_ELEMENTS(fids); i++) {
		fids[i] = create(env, trash, t_strdup_printf("%02u", i));
		below[i] = create(env, fids[i], "below");
	}
	emptying = begin(env, trash, FALSE, FALSE);
	step(emptying, 6000, TRUE, 10, 12);
	assert_int_equal(mapi_folder_tree_refresh(env->store), EC_NONE);
	for (i = 0; i < N_ELEMENTS(fids); i++) {
		if (mapi_folder_tree_lookup(env->store, fids[i]) == NULL)
			assert_null(mapi_folder_tree_lookup(env->store,
							    below[i]));
		else
			fids[left++] = fids[i];
	}
	assert_int_equal(left, 2);
	/* somebody else deletes one, and one comes */
	new = create(env, trash, "new");
	assert_int_equal(mapi_folder_delete(env->store, fids[0],
			DEL_MESSAGES | DEL_FOLDERS, &partial), EC_NONE);
	step(emptying, 6000, FALSE, 11, 12);
	assert_null(mapi_folder_tree_lookup(env->store, fids[1]));
	assert_non_null(mapi_folder_tree_lookup(env->store, new));
}

static void test_subfolders(void **state)
{
	sd_for_all_drivers(subfolders);
}

/* The folder itself goes. */
static void deleted(struct message_env *env)
{
	mapi_id_t top = mapi_store_special_fid(env->store,
					       MAPI_SPECIAL_IPM_SUBTREE);
	struct mapi_folder_emptying_status status;
	struct mapi_folder_emptying *emptying;
	mapi_id_t fid = create(env, top, "A");
	unsigned int total;
	bool partial;

	emptying = begin(env, fid, TRUE, FALSE);
	assert_int_equal(mapi_folder_delete(env->store, fid, 0, &partial),
			 EC_NONE);
	assert_false(mapi_folder_empty_step(emptying, 1, &status));
	assert_int_equal(status.error, EC_OBJECT_DELETED);
	assert_int_equal(mapi_folder_empty_begin(env->mem, env->store, fid,
			FALSE, FALSE, &emptying, &total), EC_OBJECT_DELETED);
}

static void test_deleted(void **state)
{
	sd_for_all_drivers(deleted);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_abandoned),
		cmocka_unit_test(test_other_uidvalidity),
		cmocka_unit_test(test_subfolders),
		cmocka_unit_test(test_deleted),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
