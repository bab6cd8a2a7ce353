/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which message has which MID when processes have died while they replaced one, and
   which messages are expunged because of it: those that have been replaced, and
   no others. */

#include "lib.h"
#include "guid.h"
#include "istream.h"
#include "store-compat.h"
#include "mapi-bags.h"
#include "mapi-mail.h"
#include "mapi-message-edit.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

/* "a" is replaced by "b", "b" by "c"; their UIDs are 1, 2, 3 */
static const char *const guids[] = {
	"00000000000000000000000000000aaa",
	"00000000000000000000000000000bbb",
	"00000000000000000000000000000ccc",
};

struct mids_env {
	struct message_env *msg;
	/* as another session sees it */
	struct mapi_store *store;
	struct mapi_folder *folder;
	uint64_t first_mid;
	uint32_t uidvalidity;
};

static void save_message(struct mids_env *env, unsigned int i)
{
	static const char text[] = "Subject: x\r\n\r\nx\r\n";
	struct mailbox *box = test_storage_open(env->msg->ts, "INBOX");
	struct mailbox_transaction_context *trans;
	struct mail_save_context *ctx;
	struct istream *input;

	trans = mailbox_transaction_begin(box,
		MAILBOX_TRANSACTION_FLAG_EXTERNAL, __func__);
	ctx = mailbox_save_alloc(trans);
	mailbox_save_set_guid(ctx, guids[i]);
	input = i_stream_create_from_data(text, strlen(text));
	assert_int_equal(mapi_mail_save(&ctx, input), 0);
	i_stream_unref(&input);
	assert_int_equal(mailbox_transaction_commit(&trans), 0);
	mailbox_free(&box);
}

static void
save_bag(struct mids_env *env, unsigned int i, uint64_t mid, uint32_t uid_min)
{
	struct mapi_bag_new bag = {
		.guid = guids[i], .mid_globcnt = mid,
		.uidvalidity = env->uidvalidity, .uid_min = uid_min,
		.overlay = mapi_overlay_create(env->msg->mem),
	};

	assert_int_equal(mapi_bags_save(mapi_bags_get(env->msg->store,
		(uint32_t)MAPI_ID_GLOBCNT(env->msg->inbox), FALSE), &bag),
		EC_NONE);
}

/* A new session that looks at the folder */
static void look(struct mids_env *env)
{
	struct mailbox_status status;

	if (env->store != NULL)
		talloc_free(env->store);
	assert_int_equal(mapi_store_open(env->msg->mem, env->msg->ts->user,
		mapi_store_settings_get(env->msg->store), &env->store),
		EC_NONE);
	assert_int_equal(mapi_folder_open(env->store, env->store,
		env->msg->inbox, &env->folder), EC_NONE);
	assert_int_equal(mapi_folder_sync(env->folder), EC_NONE);
	mailbox_get_open_status(env->folder->box, STATUS_UIDVALIDITY, &status);
	env->uidvalidity = status.uidvalidity;
	env->first_mid = (uint64_t)env->folder->id_block << 32 | 1;
}

static bool is_there(struct mids_env *env, uint32_t uid)
{
	uint32_t seq;

	return mail_index_lookup_seq(env->folder->box->view, uid, &seq);
}

static uint32_t mid_uid(struct mids_env *env, uint64_t globcnt)
{
	bool associated;
	uint32_t uid;

	if (mapi_folder_mid_to_uid(env->folder,
				   MAPI_ID(MAPI_STORE_REPLID, globcnt),
				   &associated, &uid) != EC_NONE)
		return 0;
	return uid;
}

static struct mids_env *mids_begin(struct message_env *msg)
{
	struct mids_env *env = talloc_zero(msg->mem, struct mids_env);

	env->msg = msg;
	save_message(env, 0);
	look(env);
	return env;
}

/* --- interrupted replacing --------------------------------------------------- */

/* The bag of the new message is there, the message isn't. */
static void pending(struct message_env *msg)
{
	struct mids_env *env = mids_begin(msg);

	save_bag(env, 1, env->first_mid, 2);
	look(env);
	assert_true(is_there(env, 1));
	assert_int_equal(mid_uid(env, env->first_mid), 1);

	save_message(env, 1);
	look(env);
	assert_false(is_there(env, 1));
	assert_true(is_there(env, 2));
	assert_int_equal(mid_uid(env, env->first_mid), 2);

	/* the same a second time: the MID isn't that of its UID */
	save_bag(env, 2, env->first_mid, 3);
	look(env);
	assert_true(is_there(env, 2));
	assert_int_equal(mid_uid(env, env->first_mid), 2);
	assert_true(mapi_folder_mid(env->folder, FALSE, 2) ==
		    MAPI_ID(MAPI_STORE_REPLID, env->first_mid));

	save_message(env, 2);
	look(env);
	assert_false(is_there(env, 2));
	assert_true(is_there(env, 3));
	assert_int_equal(mid_uid(env, env->first_mid), 3);
}

static void test_pending(void **state)
{
	message_for_all_drivers(pending);
}

/* A session that is there all the while sees it, too. */
static void watched(struct message_env *msg)
{
	struct mids_env *env = mids_begin(msg);

	save_bag(env, 1, env->first_mid, 2);
	save_message(env, 1);
	assert_int_equal(mapi_folder_sync(env->folder), EC_NONE);
	assert_int_equal(mid_uid(env, env->first_mid), 2);
	save_bag(env, 2, env->first_mid, 3);
	assert_int_equal(mapi_folder_sync(env->folder), EC_NONE);
	assert_int_equal(mid_uid(env, env->first_mid), 2);
	save_message(env, 2);
	assert_int_equal(mapi_folder_sync(env->folder), EC_NONE);
	assert_int_equal(mid_uid(env, env->first_mid), 3);
	assert_false(is_there(env, 1));
	assert_false(is_there(env, 2));
}

static void test_watched(void **state)
{
	message_for_all_drivers(watched);
}

/* All three messages with one MID */
static void all_there(struct message_env *msg)
{
	struct mids_env *env = mids_begin(msg);

	save_message(env, 1);
	save_message(env, 2);
	save_bag(env, 1, env->first_mid, 2);
	save_bag(env, 2, env->first_mid, 3);
	look(env);
	assert_false(is_there(env, 1));
	assert_false(is_there(env, 2));
	assert_true(is_there(env, 3));
	assert_int_equal(mid_uid(env, env->first_mid), 3);
}

static void test_all_there(void **state)
{
	message_for_all_drivers(all_there);
}

/* --- two sessions at the same moment ------------------------------------------- */

static void change_property(struct mids_env *env, uint32_t uid)
{
	const struct mapi_property prop = {
		.tag = 0x6701001f, .value = mapi_value_str("changed"),
	};
	enum mapi_error error = EC_NONE;
	struct mapi_message *msg;

	assert_int_equal(mapi_message_open(env->store, env->store,
		env->msg->inbox, mapi_folder_mid(env->folder, FALSE, uid), &msg),
		EC_NONE);
	mapi_message_set_writable(msg, TRUE);
	assert_int_equal(msg->obj.v->set_props(&msg->obj, &prop, 1, &error),
			 EC_NONE);
	assert_int_equal(error, EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	talloc_free(msg);
}

/* Both versions stay, whatever is changed of them later that leaves them where they
   are. */
static void at_once(struct message_env *msg)
{
	struct mids_env *env = mids_begin(msg);
	unsigned int i;

	save_bag(env, 1, env->first_mid, 2);
	save_bag(env, 2, env->first_mid, 2);
	save_message(env, 1);
	save_message(env, 2);
	look(env);
	for (i = 0; i < 3; i++) {
		assert_false(is_there(env, 1));
		assert_true(is_there(env, 2));
		assert_true(is_there(env, 3));
		assert_int_equal(mid_uid(env, env->first_mid), 3);
		change_property(env, i == 1 ? 2 : 3);
		look(env);
	}
}

static void test_at_once(void **state)
{
	message_for_all_drivers(at_once);
}

/* --- what the user may not expunge ---------------------------------------------- */

/* As the ACL plugin does it */
static int
commit_denied(struct mailbox_transaction_context *t,
	      struct mail_transaction_commit_changes *changes_r)
{
	struct mailbox *box = t->box;

	i_zero(changes_r);
	mail_storage_set_error(box->storage, MAIL_ERROR_PERM, "denied");
	box->v.transaction_rollback(t);
	return -1;
}

static void save_other_bag(struct mids_env *env)
{
	struct mapi_bag_new bag = {
		.guid = "00000000000000000000000000000ddd",
		.overlay = mapi_overlay_create(env->msg->mem),
	};

	assert_int_equal(mapi_bags_save(mapi_bags_get(env->store,
		(uint32_t)MAPI_ID_GLOBCNT(env->msg->inbox), FALSE), &bag),
		EC_NONE);
}

/* A message that has been replaced and has to stay keeps its bag, by which the next
   one knows that it has been replaced. */
static void denied(struct message_env *msg)
{
	struct mids_env *env = mids_begin(msg);

	save_bag(env, 1, env->first_mid, 2);
	save_message(env, 1);
	look(env);
	assert_false(is_there(env, 1));

	save_bag(env, 2, env->first_mid, 3);
	save_message(env, 2);
	env->folder->box->v.transaction_commit = commit_denied;
	assert_int_equal(mapi_folder_sync(env->folder), EC_NONE);
	assert_true(is_there(env, 2));
	assert_int_equal(mid_uid(env, env->first_mid), 3);
	save_other_bag(env);

	look(env);
	assert_false(is_there(env, 2));
	assert_int_equal(mid_uid(env, env->first_mid), 3);
}

static void test_denied(void **state)
{
	message_for_all_drivers(denied);
}

/* --- MIDs that were made elsewhere --------------------------------------------- */

/* Their low 32 bits are the UID of a message that has nothing to do with it. */
static void foreign(struct message_env *msg)
{
	struct mids_env *env = mids_begin(msg);
	static const uint64_t mids[] = {
		/* reserved for clients; of a block that nobody has; of a folder
		   that has another block */
		0xf00000000001ULL, 0x700000000001ULL, 0x000200000001ULL,
	};
	unsigned int i;

	save_message(env, 1);
	for (i = 0; i < N_ELEMENTS(mids); i++) {
		if (mids[i] == env->first_mid)
			continue;
		save_bag(env, 1, mids[i], 2);
		look(env);
		assert_true(is_there(env, 1));
		assert_true(is_there(env, 2));
		assert_int_equal(mid_uid(env, mids[i]), 2);
		assert_int_equal(mid_uid(env, env->first_mid), 1);
	}
	/* another mailbox's UIDs */
	env->uidvalidity++;
	save_bag(env, 1, env->first_mid, 2);
	look(env);
	assert_true(is_there(env, 1));
	assert_true(is_there(env, 2));
}

static void test_foreign(void **state)
{
	message_for_all_drivers(foreign);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_watched),
		cmocka_unit_test(test_all_there),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
