/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Soft-deleted messages over real mailboxes: they're what they were, nobody sees
   them who doesn't ask, and a process that dies loses and doubles nothing. */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "store-compat.h"
#include "mapi-companion.h"
#include "mapi-contents-table.h"
#include "mapi-dumpster.h"
#include "mapi-enums.h"
#include "mapi-folder-write.h"
#include "mapi-message-edit.h"
#include "mapi-message-folder.h"
#include "mapi-message-move.h"
#include "mapi-message-write.h"
#include "mapi-object-props.h"
#include "mapi-props.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define PLAIN "From: a@example.org\r\nSubject: plain\r\n\r\nbody\r\n"
#define DEST "Projects"
#define DAYS (24 * 60 * 60)
/* no MIME form has it */
#define TAG_ONLY_IN_BAG 0x0c17000b

static struct mapi_store_settings set;

static void open_store(struct message_env *env)
{
	talloc_free(env->store);
	assert_int_equal(mapi_store_open(env->mem, env->ts->user, &set,
					 &env->store), EC_NONE);
}

static void for_all_drivers(void (*func)(struct message_env *env))
{
	struct message_env env;
	time_t now = ioloop_time;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(message_drivers); i++) T_BEGIN {
		print_message("%s\n", message_drivers[i]);
		message_env_init(&env, message_drivers[i]);
		set = *mapi_store_settings_get(env.store);
		set.deleted_retention = 14 * DAYS;
		open_store(&env);
		func(&env);
		message_env_deinit(&env);
		ioloop_time = now;
	} T_END;
}

static mapi_id_t folder_fid(struct message_env *env, const char *name)
{
	struct mapi_folder_node *node;
	unsigned int iter = 0;

	assert_int_equal(mapi_folder_tree_refresh(env->store), EC_NONE);
	while ((node = mapi_folder_tree_next(env->store, &iter)) != NULL) {
		if (strcmp(node->display_name, name) == 0)
			return node->fid;
	}
	return 0;
}

static unsigned int count_messages(struct message_env *env, const char *vname)
{
	struct mailbox *box = mailbox_alloc(env->ts->user->namespaces->list,
					    vname, 0);
	struct mailbox_status status;

	i_zero(&status);
	if (mailbox_open(box) == 0) {
		assert_int_equal(mailbox_sync(box, 0), 0);
		mailbox_get_open_status(box, STATUS_MESSAGES, &status);
	}
	mailbox_free(&box);
	return status.messages;
}

static unsigned int
count_companion(struct message_env *env, const char *format, mapi_id_t fid)
{
	return count_messages(env, t_strconcat("mapi-internal/",
		t_strdup_printf(format, (unsigned int)MAPI_ID_GLOBCNT(fid)),
		NULL));
}

struct rows {
	mapi_id_t *mids;
	unsigned int count, max;
};

static bool add_row(struct mapi_property_row *row, void *context)
{
	struct rows *rows = context;

	if (rows->count < rows->max)
		rows->mids[rows->count] = mapi_id_from_i64(row->values[0].u.i64);
	rows->count++;
	return TRUE;
}

/* How many rows a table with these flags has; the first ones' MIDs */
static unsigned int
table_mids(struct message_env *env, mapi_id_t fid, uint8_t flags,
	   mapi_id_t *mids_r, unsigned int max)
{
	static const uint32_t tags[] = { PIDTAG_MID };
	struct rows rows = { .mids = mids_r, .max = max };
	struct mapi_table *table;
	uint32_t row_count;
	uint8_t origin;

	assert_int_equal(mapi_contents_table_open(env->mem, env->store, fid,
				flags, &table, &row_count), EC_NONE);
	assert_int_equal(mapi_table_set_columns(table, tags, 1), EC_NONE);
	assert_int_equal(mapi_table_query_rows(table, env->mem, TRUE, TRUE,
				1000, add_row, &rows, &origin), EC_NONE);
	assert_int_equal(rows.count, row_count);
	talloc_free(table);
	return rows.count;
}

static unsigned int count_deleted(struct message_env *env, mapi_id_t fid)
{
	return table_mids(env, fid, CONTENTS_TABLE_SOFT_DELETES, NULL, 0);
}

static void
soft_delete(struct message_env *env, const mapi_id_t *mids, unsigned int count)
{
	bool partial;

	assert_int_equal(mapi_messages_soft_delete(env->store, env->inbox, mids,
						   count, &partial), EC_NONE);
	assert_false(partial);
}

/* With something that only its bag has */
static mapi_id_t save_with_bag(struct message_env *env, bool associated)
{
	const struct mapi_property props[] = {
		{ PIDTAG_SUBJECT, mapi_value_str("bagged") },
		{ TAG_ONLY_IN_BAG, mapi_value_bool(TRUE) },
	};
	enum mapi_error errors[N_ELEMENTS(props)];
	struct mapi_message *msg;
	mapi_id_t mid;

	assert_int_equal(mapi_message_create_new(env->mem, env->store,
			env->inbox, associated, &msg), EC_NONE);
	i_zero(&errors);
	assert_int_equal(msg->obj.v->set_props(&msg->obj, props,
			N_ELEMENTS(props), errors), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	mid = msg->mid;
	talloc_free(msg);
	return mid;
}

static struct mapi_value
get_prop(struct message_env *env, struct mapi_message *msg, uint32_t tag)
{
	struct mapi_value value;

	assert_int_equal(msg->obj.v->get_props(&msg->obj, env->mem, &tag, 1,
					       SIZE_MAX, &value), EC_NONE);
	return value;
}

static void
assert_bag(struct message_env *env, struct mapi_message *msg, bool has)
{
	struct mapi_value value = get_prop(env, msg, TAG_ONLY_IN_BAG);

	assert_int_equal(value.type, has ? PTYP_BOOLEAN : PTYP_ERROR_CODE);
	value = get_prop(env, msg, PIDTAG_SUBJECT);
	assert_string_equal(value.u.str, has ? "bagged" : "plain");
}

static void assert_mid_bag(struct message_env *env, mapi_id_t mid, bool has)
{
	struct mapi_message *msg = message_env_open(env, mid);

	assert_bag(env, msg, has);
	talloc_free(msg);
}

static void
assert_deleted_bag(struct message_env *env, mapi_id_t mid, bool has)
{
	struct mapi_message *msg;

	assert_int_equal(mapi_message_open_deleted(env->mem, env->store,
			env->inbox, mid, &msg), EC_NONE);
	assert_bag(env, msg, has);
	talloc_free(msg);
}

/* --- ------------------------------------------------------------------------- */

static void look(struct message_env *env)
{
	struct mapi_message *msg;
	struct mapi_value value, modified;
	mapi_id_t mids[3], seen[3];
	unsigned int i;

	mids[0] = message_env_save(env, PLAIN, MAIL_SEEN, NULL);
	mids[1] = save_with_bag(env, FALSE);
	mids[2] = message_env_save(env, PLAIN, 0, NULL);
	assert_int_equal(count_deleted(env, env->inbox), 0);
	soft_delete(env, mids, 2);
	assert_int_equal(count_messages(env, "INBOX"), 1);
	assert_int_equal(table_mids(env, env->inbox, 0, seen, 3), 1);
	assert_true(seen[0] == mids[2]);

	/* with their ids, also for another session */
	for (i = 0; i < 2; i++) {
		assert_int_equal(table_mids(env, env->inbox,
				CONTENTS_TABLE_SOFT_DELETES, seen, 3), 2);
		assert_true(seen[0] == mids[0]);
		assert_true(seen[1] == mids[1]);
		assert_int_equal(count_companion(env, "bags-%u", env->inbox),
				 0);
		assert_int_equal(count_companion(env, "bags-deleted-%u",
						 env->inbox), 1);
		open_store(env);
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(mapi_message_open(env->mem, env->store,
				env->inbox, mids[i], &msg), EC_NOT_FOUND);
		assert_int_equal(mapi_message_open_deleted(env->mem, env->store,
				env->inbox, mids[i], &msg), EC_NONE);
		assert_false(mapi_message_is_writable(msg));
		assert_bag(env, msg, i == 1);
		value = get_prop(env, msg, PIDTAG_DELETED_ON);
		modified = get_prop(env, msg, PIDTAG_LAST_MODIFICATION_TIME);
		assert_int_equal(value.type, PTYP_TIME);
		assert_true(value.u.time == modified.u.time);
		assert_in_range(mapi_time_to_unix(value.u.time),
				ioloop_time - 60, ioloop_time + 60);
		talloc_free(msg);
	}
	assert_int_equal(mapi_message_open_deleted(env->mem, env->store,
			env->inbox, mids[2], &msg), EC_NOT_FOUND);
	msg = message_env_open(env, mids[2]);
	value = get_prop(env, msg, PIDTAG_DELETED_ON);
	assert_int_equal(value.type, PTYP_ERROR_CODE);
	talloc_free(msg);
}
static void test_look(void **state)
{
	for_all_drivers(look);
}

static void again(struct message_env *env)
{
	mapi_id_t mids[2];
	bool partial;

	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	soft_delete(env, mids, 1);
	assert_int_equal(mapi_messages_soft_delete(env->store, env->inbox, mids,
						   2, &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(count_deleted(env, env->inbox), 2);
	assert_int_equal(count_messages(env, "INBOX"), 0);
}
static void test_again(void **state)
{
	for_all_drivers(again);
}

/* --- taking out ------------------------------------------------------------- */

static void recover(struct message_env *env)
{
	struct mailbox *box = test_storage_open(env->ts, DEST);
	mapi_id_t mids[3], seen[3], dest = folder_fid(env, DEST);
	struct mapi_message *msg;
	bool partial;

	mailbox_free(&box);
	mids[0] = save_with_bag(env, FALSE);
	mids[1] = message_env_save(env, PLAIN, MAIL_FLAGGED, NULL);
	mids[2] = save_with_bag(env, FALSE);
	soft_delete(env, mids, 3);

	/* elsewhere; one that isn't anywhere with it */
	seen[0] = mids[0];
	seen[1] = MAPI_ID(MAPI_STORE_REPLID, MAPI_ID_GLOBCNT(mids[2]) + 5);
	assert_int_equal(mapi_messages_copy(env->store, env->inbox, dest, seen,
					    2, TRUE, &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(count_deleted(env, env->inbox), 2);
	assert_int_equal(table_mids(env, dest, 0, seen, 3), 1);
	assert_int_equal(mapi_message_open(env->mem, env->store, dest, seen[0],
					   &msg), EC_NONE);
	assert_bag(env, msg, TRUE);
	assert_int_equal(get_prop(env, msg, PIDTAG_DELETED_ON).type,
			 PTYP_ERROR_CODE);
	talloc_free(msg);

	/* where they were, a copy first; the ids are new */
	assert_int_equal(mapi_messages_copy(env->store, env->inbox, env->inbox,
			&mids[2], 1, FALSE, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(count_deleted(env, env->inbox), 2);
	assert_int_equal(mapi_messages_copy(env->store, env->inbox, env->inbox,
			&mids[1], 2, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(count_deleted(env, env->inbox), 0);
	assert_int_equal(table_mids(env, env->inbox, 0, seen, 3), 3);
	assert_int_equal(count_companion(env, "bags-deleted-%u", env->inbox),
			 0);
	/* each copy has a bag of its own */
	assert_int_equal(count_companion(env, "bags-%u", env->inbox), 2);
	assert_mid_bag(env, seen[0], TRUE);
	assert_mid_bag(env, seen[1], FALSE);
	assert_mid_bag(env, seen[2], TRUE);
	assert_int_equal(mapi_message_open(env->mem, env->store, env->inbox,
					   mids[1], &msg), EC_NOT_FOUND);
	/* and once more */
	soft_delete(env, seen, 3);
	assert_int_equal(count_deleted(env, env->inbox), 3);
}
static void test_recover(void **state)
{
	for_all_drivers(recover);
}

static void purge(struct message_env *env)
{
	mapi_id_t mids[4];
	bool partial;

	mids[0] = save_with_bag(env, FALSE);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	mids[2] = message_env_save(env, PLAIN, 0, NULL);
	mids[3] = message_env_save(env, PLAIN, 0, NULL);
	soft_delete(env, mids, 3);
	/* both kinds at once */
	assert_int_equal(mapi_messages_delete(env->store, env->inbox, mids, 1,
					      &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(count_companion(env, "bags-deleted-%u", env->inbox),
			 0);
	assert_int_equal(mapi_messages_delete(env->store, env->inbox, &mids[2],
					      2, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(count_deleted(env, env->inbox), 1);
	assert_int_equal(count_messages(env, "INBOX"), 0);
	assert_int_equal(mapi_messages_delete(env->store, env->inbox, mids, 4,
					      &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(count_deleted(env, env->inbox), 0);
}
static void test_purge(void **state)
{
	for_all_drivers(purge);
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
	mids[1] = save_with_bag(env, TRUE);
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, FALSE, FALSE,
					   &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(count_messages(env, "INBOX"), 0);
	assert_int_equal(count_deleted(env, env->inbox), 1);
	assert_int_equal(count_companion(env, "fai-%u", env->inbox), 1);
	mids[2] = message_env_save(env, PLAIN, 0, NULL);
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, TRUE, FALSE,
					   &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(count_deleted(env, env->inbox), 2);
	assert_int_equal(table_mids(env, env->inbox,
			CONTENTS_TABLE_SOFT_DELETES | CONTENTS_TABLE_ASSOCIATED,
			mids, 3), 1);
	assert_int_equal(count_companion(env, "fai-%u", env->inbox), 0);

	/* FAI messages come back as such */
	assert_int_equal(mapi_messages_copy(env->store, env->inbox, env->inbox,
			mids, 1, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(count_companion(env, "fai-%u", env->inbox), 1);
	assert_int_equal(table_mids(env, env->inbox, CONTENTS_TABLE_ASSOCIATED,
				    mids, 3), 1);
	assert_mid_bag(env, mids[0], TRUE);

	/* for good */
	soft_delete(env, mids, 1);
	(void)message_env_save(env, PLAIN, 0, NULL);
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, FALSE, TRUE,
					   &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(count_messages(env, "INBOX"), 0);
	assert_int_equal(count_deleted(env, env->inbox), 0);
	assert_int_equal(count_companion(env, "deleted-fai-%u", env->inbox), 1);
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, TRUE, TRUE,
					   &partial), EC_NONE);
	assert_int_equal(count_companion(env, "deleted-fai-%u", env->inbox), 0);
	assert_int_equal(count_companion(env, "bags-deleted-fai-%u",
					 env->inbox), 0);
}
static void test_empty(void **state)
{
	for_all_drivers(empty);
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
	return folder_fid(env, DEST);
}

static void deleted_folder(struct message_env *env)
{
	mapi_id_t trash = mapi_store_special_fid(env->store,
						 MAPI_SPECIAL_DELETED_ITEMS);
	mapi_id_t fid = make_folder(env, 2), sub, mids[3], seen[4];
	struct mapi_message *msg;
	bool partial;

	sub = folder_fid(env, "Sub");
	assert_int_equal(table_mids(env, sub, 0, mids, 2), 2);
	assert_int_equal(table_mids(env, fid, 0, &mids[2], 1), 1);
	/* with a bag */
	assert_int_equal(mapi_message_create_new(env->mem, env->store, sub,
						 FALSE, &msg), EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	talloc_free(msg);

	/* not empty: nothing happens */
	assert_int_equal(mapi_folder_delete(env->store, fid, 0, &partial),
			 EC_NONE);
	assert_true(partial);
	assert_int_equal(count_deleted(env, trash), 0);
	/* interrupted before the first mailbox was deleted */
	assert_int_equal(mapi_dumpster_put_folder(env->store, sub, trash),
			 EC_NONE);
	assert_int_equal(count_deleted(env, trash), 3);
	open_store(env);

	assert_int_equal(mapi_folder_delete(env->store, fid, DEL_MESSAGES |
					    DEL_FOLDERS, &partial), EC_NONE);
	assert_false(partial);
	assert_true(folder_fid(env, DEST) == 0);
	assert_true(folder_fid(env, "Sub") == 0);
	assert_int_equal(table_mids(env, trash, CONTENTS_TABLE_SOFT_DELETES,
				    seen, 4), 4);
	assert_true(seen[0] == mids[0]);
	assert_true(seen[3] == mids[2]);
	assert_int_equal(count_companion(env, "bags-deleted-%u", trash), 1);
	assert_int_equal(mapi_message_open_deleted(env->mem, env->store, trash,
						   mids[1], &msg), EC_NONE);
	talloc_free(msg);

	assert_int_equal(mapi_messages_copy(env->store, trash, env->inbox, seen,
					    4, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(count_messages(env, "INBOX"), 4);
	assert_int_equal(count_deleted(env, trash), 0);

	/* another one of its name */
	assert_true(make_folder(env, 1) != fid);
	assert_int_equal(mapi_folder_delete(env->store, folder_fid(env, DEST),
			DEL_MESSAGES | DEL_FOLDERS | DELETE_HARD_DELETE,
			&partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(count_deleted(env, trash), 0);
}
static void test_deleted_folder(void **state)
{
	for_all_drivers(deleted_folder);
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
	mids[2] = save_with_bag(env, TRUE);
	(void)message_env_save(env, PLAIN, 0, NULL);
	soft_delete(env, mids, 3);
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
	for_all_drivers(properties);
}

/* --- time ------------------------------------------------------------------- */

static void expire(struct message_env *env)
{
	mapi_id_t mids[3], seen[2];
	time_t start = ioloop_time;

	mids[0] = save_with_bag(env, FALSE);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	mids[2] = message_env_save(env, PLAIN, 0, NULL);
	soft_delete(env, mids, 2);
	ioloop_time = start + 10 * DAYS;
	assert_int_equal(count_deleted(env, env->inbox), 2);
	soft_delete(env, &mids[2], 1);
	ioloop_time = start + 15 * DAYS;
	assert_int_equal(table_mids(env, env->inbox,
			CONTENTS_TABLE_SOFT_DELETES, seen, 2), 1);
	assert_true(seen[0] == mids[2]);
	assert_int_equal(count_companion(env, "bags-deleted-%u", env->inbox),
			 0);
	/* Without anybody looking: a session ends. */
	ioloop_time = start + 20 * DAYS;
	open_store(env);
	assert_int_equal(count_companion(env, "deleted-%u", env->inbox), 1);
	ioloop_time = start + 25 * DAYS;
	open_store(env);
	assert_int_equal(count_companion(env, "deleted-%u", env->inbox), 0);
}
static void test_expire(void **state)
{
	for_all_drivers(expire);
}

/* The administrator's doveadm expunge leaves bags. */
static void expunged_by_others(struct message_env *env)
{
	mapi_id_t mids[2];

	mids[0] = save_with_bag(env, FALSE);
	mids[1] = save_with_bag(env, FALSE);
	soft_delete(env, mids, 2);
	test_storage_expunge(env->ts, t_strdup_printf(
		"mapi-internal/deleted-%u",
		(unsigned int)MAPI_ID_GLOBCNT(env->inbox)), 1);
	assert_int_equal(count_companion(env, "bags-deleted-%u", env->inbox),
			 2);
	assert_int_equal(count_deleted(env, env->inbox), 1);
	assert_int_equal(count_companion(env, "bags-deleted-%u", env->inbox),
			 1);
}
static void test_expunged_by_others(void **state)
{
	for_all_drivers(expunged_by_others);
}

static void disabled(struct message_env *env)
{
	mapi_id_t mids[2];
	bool partial;

	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	soft_delete(env, mids, 1);
	set.deleted_retention = 0;
	soft_delete(env, &mids[1], 1);
	(void)message_env_save(env, PLAIN, 0, NULL);
	assert_int_equal(mapi_folder_empty(env->store, env->inbox, TRUE, FALSE,
					   &partial), EC_NONE);
	assert_int_equal(count_messages(env, "INBOX"), 0);
	assert_int_equal(count_companion(env, "deleted-%u", env->inbox), 0);
}
static void test_disabled(void **state)
{
	for_all_drivers(disabled);
}

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

	mids[0] = save_with_bag(env, FALSE);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	mids[2] = message_env_save(env, PLAIN, 0, NULL);
	mids[3] = message_env_save(env, PLAIN, 0, NULL);
	interrupted_put(env, FALSE, 1, 2);
	assert_int_equal(count_messages(env, "INBOX"), 4);
	assert_int_equal(count_companion(env, "deleted-%u", env->inbox), 2);

	/* who opens the folder first finds it */
	open_store(env);
	assert_int_equal(table_mids(env, env->inbox, 0, seen, 4), 2);
	assert_true(seen[0] == mids[2]);
	assert_int_equal(count_companion(env, "bags-%u", env->inbox), 0);
	assert_int_equal(table_mids(env, env->inbox,
			CONTENTS_TABLE_SOFT_DELETES, seen, 4), 2);
	assert_true(seen[0] == mids[0]);
	assert_deleted_bag(env, mids[0], TRUE);

	/* or who looks at what has been deleted */
	interrupted_put(env, FALSE, 3, 3);
	assert_int_equal(count_deleted(env, env->inbox), 3);
	assert_int_equal(count_messages(env, "INBOX"), 1);
	/* or who deletes the next message */
	interrupted_put(env, FALSE, 4, 4);
	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	soft_delete(env, mids, 1);
	assert_int_equal(count_messages(env, "INBOX"), 0);
	assert_int_equal(count_deleted(env, env->inbox), 5);
	/* also one that the client doesn't know to be in both */
	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	interrupted_put(env, FALSE, MAPI_ID_GLOBCNT(mids[0]) & UINT32_MAX,
			MAPI_ID_GLOBCNT(mids[0]) & UINT32_MAX);
	bool partial;
	assert_int_equal(mapi_messages_soft_delete(env->store, env->inbox, mids,
						   1, &partial), EC_NONE);
	assert_int_equal(count_messages(env, "INBOX"), 0);
	assert_int_equal(count_deleted(env, env->inbox), 6);
}
static void test_interrupted(void **state)
{
	for_all_drivers(interrupted);
}

static void interrupted_associated(struct message_env *env)
{
	(void)save_with_bag(env, TRUE);
	interrupted_put(env, TRUE, 1, 1);
	open_store(env);
	assert_int_equal(table_mids(env, env->inbox, CONTENTS_TABLE_ASSOCIATED,
				    NULL, 0), 0);
	assert_int_equal(table_mids(env, env->inbox, CONTENTS_TABLE_ASSOCIATED |
				    CONTENTS_TABLE_SOFT_DELETES, NULL, 0), 1);
}
static void test_interrupted_associated(void **state)
{
	for_all_drivers(interrupted_associated);
}

/* A message that is in both and has been changed since is another one. */
static void interrupted_changed(struct message_env *env)
{
	const struct mapi_property prop = {
		PIDTAG_SUBJECT, mapi_value_str("changed")
	};
	struct mapi_message *msg;
	mapi_id_t mid = save_with_bag(env, FALSE);
	enum mapi_error error = EC_NONE;

	interrupted_put(env, FALSE, 1, 1);
	msg = message_env_open(env, mid);
	mapi_message_set_writable(msg, TRUE);
	assert_int_equal(msg->obj.v->set_props(&msg->obj, &prop, 1, &error),
			 EC_NONE);
	assert_int_equal(mapi_message_save(msg, FALSE), EC_NONE);
	talloc_free(msg);
	open_store(env);
	assert_int_equal(count_deleted(env, env->inbox), 1);
	msg = message_env_open(env, mid);
	assert_string_equal(get_prop(env, msg, PIDTAG_SUBJECT).u.str,
			    "changed");
	talloc_free(msg);
}
static void test_interrupted_changed(void **state)
{
	for_all_drivers(interrupted_changed);
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
	assert_int_equal(mapi_store_open(env->mem, env->ts->user, &set,
					 &second), EC_NONE);
	/* which has seen the folder before */
	env->store = second;
	assert_int_equal(table_mids(env, env->inbox, 0, NULL, 0), 3);
	env->store = first;
	soft_delete(env, mids, 1);
	assert_int_equal(mapi_contents_table_open(env->mem, second, env->inbox,
			CONTENTS_TABLE_SOFT_DELETES, &table, &row_count),
			 EC_NONE);
	assert_int_equal(row_count, 1);
	assert_int_equal(mapi_messages_soft_delete(second, env->inbox, mids, 2,
						   &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(count_deleted(env, env->inbox), 2);
	/* one recovers what the other has deleted */
	assert_int_equal(mapi_messages_copy(first, env->inbox, env->inbox,
			&mids[1], 1, TRUE, &partial), EC_NONE);
	assert_false(partial);
	env->store = second;
	assert_int_equal(count_deleted(env, env->inbox), 1);
	assert_int_equal(table_mids(env, env->inbox, 0, NULL, 0), 2);
	talloc_free(table);
	env->store = first;
	talloc_free(second);
}
static void test_two_sessions(void **state)
{
	for_all_drivers(two_sessions);
}

/* Where the ids are lost, there are others; nothing else is lost. */
static void resync(struct message_env *env)
{
	mapi_id_t mids[2], seen[2];
	struct mailbox *box;
	unsigned int i;
	bool partial;

	mids[0] = save_with_bag(env, FALSE);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	soft_delete(env, mids, 2);
	box = test_storage_open(env->ts, t_strdup_printf(
		"mapi-internal/deleted-%u",
		(unsigned int)MAPI_ID_GLOBCNT(env->inbox)));
	assert_int_equal(mailbox_sync(box, MAILBOX_SYNC_FLAG_FORCE_RESYNC), 0);
	mailbox_free(&box);
	open_store(env);
	assert_int_equal(table_mids(env, env->inbox,
			CONTENTS_TABLE_SOFT_DELETES, seen, 2), 2);
	for (i = 0; i < 2; i++) {
		assert_deleted_bag(env, seen[i], i == 0);
		assert_true(mapi_store_mid_to_fid(env->store, seen[i]) ==
			    env->inbox);
	}
	assert_int_equal(mapi_messages_copy(env->store, env->inbox, env->inbox,
			seen, 2, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(count_messages(env, "INBOX"), 2);
	assert_int_equal(count_deleted(env, env->inbox), 0);
}
static void test_resync(void **state)
{
	for_all_drivers(resync);
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
	soft_delete(env, &mid, 1);
	open_store(env);
	assert_int_equal(table_mids(env, env->inbox,
			CONTENTS_TABLE_SOFT_DELETES, &seen, 1), 1);
	assert_true(seen == mid);
	assert_int_equal(mapi_messages_copy(env->store, env->inbox, env->inbox,
			&mid, 1, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_int_equal(table_mids(env, env->inbox, 0, &seen, 1), 1);
	assert_true(seen != mid);
	assert_mid_bag(env, seen, TRUE);
	open_store(env);
	assert_mid_bag(env, seen, TRUE);
}
static void test_rewritten(void **state)
{
	for_all_drivers(rewritten);
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
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_expire),
		cmocka_unit_test(test_expunged_by_others),
		cmocka_unit_test(test_disabled),
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
