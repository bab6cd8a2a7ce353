/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ids: that they stay what they are whatever happens to the mailboxes, that
   nothing gets an id that something else had, and that sessions that allot at
   once agree. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "guid.h"
#include "mail-storage.h"
#include "mail-namespace.h"
#include "mail-user.h"
#include "mail-storage-private.h"
#include "mapi-folder.h"
#include "mapi-props.h"
#include "test-storage-common.h"

#include <glob.h>
#include <signal.h>
#include <unistd.h>
#include <sys/wait.h>
#include <setjmp.h>
#include <cmocka.h>

static const struct mapi_store_settings store_set = {
	.companion_root = "mapi-internal",
	.organization = "Test",
	.display_name = "",
	.email_address = "user@example.com",
};

static const char mail[] = "From: a@example.com\nSubject: x\n\nhello\n";

static const char *const drivers[] = { "maildir", "sdbox", "mdbox" };

static struct mapi_store *open_store(struct test_storage *ts)
{
	struct mapi_store *store;

	assert_int_equal(mapi_store_open(NULL, ts->user, &store_set, &store),
			 EC_NONE);
	return store;
}

static struct mapi_store *
reopen_store(struct test_storage *ts, struct mapi_store *store)
{
	talloc_free(store);
	test_storage_relogin(ts);
	return open_store(ts);
}

static mapi_id_t find_fid(struct mapi_store *store, const char *vname)
{
	struct mapi_folder_node *node;
	unsigned int iter = 0;

	while ((node = mapi_folder_tree_next(store, &iter)) != NULL) {
		if (node->vname != NULL && strcmp(node->vname, vname) == 0)
			return node->fid;
	}
	return 0;
}

static struct mapi_folder *
open_folder(struct mapi_store *store, const char *vname)
{
	struct mapi_folder *folder;

	assert_int_equal(mapi_folder_open(NULL, store, find_fid(store, vname),
					  &folder), EC_NONE);
	assert_null(folder->box);
	assert_int_equal(mapi_folder_open_mailbox(folder), EC_NONE);
	assert_non_null(folder->box);
	return folder;
}

/* id and change block of a mailbox, as a new session sees them */
struct blocks {
	mapi_id_t fid;
	uint16_t id, change;
	mapi_id_t mid;
};

static void
get_blocks(struct mapi_store *store, const char *vname, struct blocks *blocks_r)
{
	struct mapi_folder *folder = open_folder(store, vname);

	i_zero(blocks_r);
	blocks_r->fid = folder->fid;
	blocks_r->id = folder->id_block;
	blocks_r->change = folder->change_block;
	blocks_r->mid = mapi_folder_mid(folder, FALSE, 1);
	assert_true(blocks_r->id != 0 && blocks_r->change != 0);
	assert_true(mapi_store_mid_to_fid(store, blocks_r->mid) == folder->fid);
	talloc_free(folder);
}

static void save_mails(struct test_storage *ts, const char *vname,
		       unsigned int count)
{
	while (count-- > 0) {
		(void)test_storage_save(ts, vname, mail, strlen(mail), 0,
					NULL, 0);
	}
}

static void touch_flags(struct test_storage *ts, const char *vname,
			uint32_t uid, unsigned int count)
{
	while (count-- > 0) {
		test_storage_set_flags(ts, vname, uid, count % 2 == 0 ?
				       MODIFY_ADD : MODIFY_REMOVE,
				       MAIL_FLAGGED);
	}
}

static void force_resync(struct test_storage *ts, const char *vname)
{
	struct mail_namespace *ns =
		mail_namespace_find(ts->user->namespaces, vname);
	struct mailbox *box = mailbox_alloc(ns->list, vname, MAILBOX_FLAG_FSCK);

	/* as doveadm force-resync does */
	if (mailbox_open(box) < 0 ||
	    mailbox_sync(box, MAILBOX_SYNC_FLAG_FORCE_RESYNC |
			 MAILBOX_SYNC_FLAG_FIX_INCONSISTENT) < 0) {
		fail_msg("resync of %s failed: %s", vname,
			 mailbox_get_last_internal_error(box, NULL));
	}
	mailbox_free(&box);
}

static void delete_index(struct test_storage *ts, const char *vname)
{
	struct mailbox *box = test_storage_open(ts, vname);
	const char *path, *pattern;
	glob_t g;
	size_t i;

	assert_true(mailbox_get_path_to(box, MAILBOX_LIST_PATH_TYPE_INDEX,
					&path) > 0);
	pattern = t_strdup_printf("%s/dovecot.index*", path);
	mailbox_free(&box);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	for (i = 0; i < g.gl_pathc; i++)
		assert_int_equal(unlink(g.gl_pathv[i]), 0);
	globfree(&g);
	/* this process must not remember it either */
	test_storage_relogin(ts);
}

static void test_messages(void **state)
{
	struct test_storage *ts = test_storage_init(*state);
	struct mapi_store *store;
	struct mapi_folder *folder, *other;
	mapi_id_t mid1, mid2, cn1, cn2;
	struct mailbox_status status;
	bool associated;
	uint32_t uid;

	save_mails(ts, "INBOX", 2);
	save_mails(ts, "Other", 1);
	store = open_store(ts);
	folder = open_folder(store, "INBOX");
	other = open_folder(store, "Other");
	assert_int_equal(folder->special, MAPI_SPECIAL_INBOX);

	mid1 = mapi_folder_mid(folder, FALSE, 1);
	mid2 = mapi_folder_mid(folder, FALSE, 2);
	assert_true(mid1 < mid2);
	assert_int_equal(mapi_folder_mid_to_uid(folder, mid2, &associated,
						&uid), EC_NONE);
	assert_int_equal(uid, 2);
	assert_false(associated);
	assert_int_equal(mapi_folder_mid_to_uid(other, mid2, &associated, &uid),
			 EC_NOT_FOUND);
	assert_true(mapi_store_mid_to_fid(store, mid2) == folder->fid);
	assert_true(mapi_store_mid_to_fid(store, mapi_folder_mid(other, FALSE,
			1)) == other->fid);
	assert_true(mapi_store_mid_to_fid(store, MAPI_ID(5,
			0xE000ULL << 32 | 1)) == 0);
	assert_true(mapi_store_mid_to_fid(store, folder->fid) == 0);
	assert_true(mapi_store_mid_to_fid(store, MAPI_ID(6,
			MAPI_ID_GLOBCNT(mid2))) == 0);

	/* changes by others grow the change number */
	mailbox_get_open_status(folder->box, STATUS_HIGHESTMODSEQ, &status);
	cn1 = mapi_folder_cn(folder, FALSE, status.highest_modseq);
	test_storage_set_flags(ts, "INBOX", 1, MODIFY_ADD, MAIL_SEEN);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	mailbox_get_open_status(folder->box, STATUS_HIGHESTMODSEQ, &status);
	cn2 = mapi_folder_cn(folder, FALSE, status.highest_modseq);
	assert_true(cn1 < cn2);
	talloc_free(folder);
	talloc_free(other);

	/* no mailbox, no messages */
	assert_int_equal(mapi_folder_open(NULL, store, mapi_store_special_fid(
		store, MAPI_SPECIAL_ROOT), &folder), EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	assert_null(folder->box);
	assert_int_equal(mapi_folder_mid_to_uid(folder, mid2, &associated,
						&uid), EC_NOT_FOUND);
	talloc_free(folder);
	assert_int_equal(mapi_folder_open(NULL, store, MAPI_ID(5, 999999),
					  &folder), EC_NOT_FOUND);
	assert_int_equal(mapi_folder_open(NULL, store, 0, &folder),
			 EC_NOT_FOUND);
	talloc_free(store);
	test_storage_deinit(&ts);
}

static void test_stable(void **state)
{
	struct test_storage *ts = test_storage_init(*state);
	struct mapi_store *store;
	struct blocks before, after, inbox;
	unsigned int i;

	save_mails(ts, "Box", 3);
	touch_flags(ts, "Box", 1, 5);
	store = open_store(ts);
	get_blocks(store, "Box", &before);
	get_blocks(store, "INBOX", &inbox);
	assert_int_not_equal(before.id, inbox.id);
	assert_int_not_equal(before.change, inbox.change);

	for (i = 0; i < 2; i++) {
		store = reopen_store(ts, store);
		get_blocks(store, "Box", &after);
		assert_memory_equal(&before, &after, sizeof(before));
	}
	/* dbox formats drop the index extension, and keep MODSEQs */
	force_resync(ts, "Box");
	force_resync(ts, "mapi-internal/allotments");
	force_resync(ts, "mapi-internal/blocks");
	store = reopen_store(ts, store);
	get_blocks(store, "Box", &after);
	assert_memory_equal(&before, &after, sizeof(before));
	get_blocks(store, "INBOX", &after);
	assert_memory_equal(&inbox, &after, sizeof(before));
	talloc_free(store);
	test_storage_deinit(&ts);
}

static void test_uidvalidity(void **state)
{
	struct test_storage *ts = test_storage_init(*state);
	struct mailbox_update update = { .uid_validity = 0 };
	struct mailbox_status status;
	struct mapi_store *store;
	struct blocks before, after, again;
	struct mailbox *box;

	save_mails(ts, "Box", 1);
	store = open_store(ts);
	get_blocks(store, "Box", &before);
	talloc_free(store);

	box = test_storage_open(ts, "Box");
	mailbox_get_open_status(box, STATUS_UIDVALIDITY, &status);
	update.uid_validity = status.uidvalidity + 1000;
	assert_int_equal(mailbox_update(box, &update), 0);
	mailbox_free(&box);

	test_storage_relogin(ts);
	store = open_store(ts);
	get_blocks(store, "Box", &after);
	assert_true(before.fid == after.fid);
	assert_int_not_equal(before.id, after.id);
	assert_true(before.mid != after.mid);
	store = reopen_store(ts, store);
	get_blocks(store, "Box", &again);
	assert_memory_equal(&after, &again, sizeof(after));
	talloc_free(store);
	test_storage_deinit(&ts);
}

/* It happens to a mailbox that is open. */
static void test_uidvalidity_live(void **state)
{
	struct test_storage *ts = test_storage_init(*state);
	struct mailbox_update update = { .uid_validity = 0 };
	struct mailbox_transaction_context *t;
	struct mailbox_status status;
	struct mapi_store *store;
	struct mapi_folder *folder;
	struct mailbox *box;
	uint16_t id_block;

	save_mails(ts, "Box", 1);
	store = open_store(ts);
	folder = open_folder(store, "Box");
	id_block = folder->id_block;

	box = test_storage_open(ts, "Box");
	mailbox_get_open_status(box, STATUS_UIDVALIDITY, &status);
	update.uid_validity = status.uidvalidity + 1000;
	assert_int_equal(mailbox_update(box, &update), 0);
	mailbox_free(&box);
	save_mails(ts, "Box", 1);

	t = mailbox_transaction_begin(folder->box, 0, "test");
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	assert_int_equal(folder->id_block, id_block);
	mailbox_transaction_rollback(&t);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	assert_non_null(folder->box);
	assert_int_not_equal(folder->id_block, id_block);
	mailbox_get_open_status(folder->box, STATUS_MESSAGES, &status);
	assert_int_equal(status.messages, 2);
	talloc_free(folder);
	talloc_free(store);
	test_storage_deinit(&ts);
}

static void test_lost_index(void **state)
{
	struct test_storage *ts = test_storage_init(*state);
	struct mapi_store *store;
	struct blocks before, after, again;

	save_mails(ts, "Box", 2);
	touch_flags(ts, "Box", 1, 10);
	store = open_store(ts);
	get_blocks(store, "Box", &before);
	talloc_free(store);

	delete_index(ts, "Box");
	if (strcmp(ts->driver, "maildir") != 0)
		force_resync(ts, "Box");
	test_storage_relogin(ts);
	store = open_store(ts);
	get_blocks(store, "Box", &after);
	/* the folder is the same, even where its GUID is gone */
	assert_true(before.fid == after.fid);
	/* what clients have seen as changes means nothing any more */
	assert_int_not_equal(before.change, after.change);
	if (strcmp(ts->driver, "maildir") == 0)
		assert_int_equal(before.id, after.id);
	else
		assert_int_not_equal(before.id, after.id);
	store = reopen_store(ts, store);
	get_blocks(store, "Box", &again);
	assert_memory_equal(&after, &again, sizeof(after));
	talloc_free(store);
	test_storage_deinit(&ts);
}

/* The logs are mailboxes as well, and lose their index at the same time. */
static void test_lost_log_index(void **state)
{
	struct test_storage *ts = test_storage_init(*state);
	struct mapi_guid replica;
	struct mapi_store *store;
	struct blocks before, after;

	save_mails(ts, "Box", 1);
	store = open_store(ts);
	replica = *mapi_store_replica_guid(store);
	get_blocks(store, "Box", &before);
	talloc_free(store);

	delete_index(ts, "mapi-internal/allotments");
	delete_index(ts, "mapi-internal/blocks");
	if (strcmp(ts->driver, "maildir") != 0) {
		force_resync(ts, "mapi-internal/allotments");
		force_resync(ts, "mapi-internal/blocks");
	}
	test_storage_relogin(ts);
	store = open_store(ts);
	assert_memory_equal(&replica, mapi_store_replica_guid(store),
			    sizeof(replica));
	get_blocks(store, "Box", &after);
	assert_memory_equal(&before, &after, sizeof(before));
	talloc_free(store);
	test_storage_deinit(&ts);
}

static unsigned int count_messages(struct test_storage *ts, const char *vname)
{
	struct mailbox *box = test_storage_open(ts, vname);
	struct mailbox_status status;

	mailbox_get_open_status(box, STATUS_MESSAGES, &status);
	mailbox_free(&box);
	return status.messages;
}

/* What sessions note at their end replaces what earlier ones noted. */
static void test_compact(void **state)
{
	struct test_storage *ts = test_storage_init(*state);
	struct mapi_store *store;
	struct blocks before, after;
	struct mapi_folder *folder;
	unsigned int i, count = 0;
	uint64_t first, next;

	save_mails(ts, "Box", 1);
	store = open_store(ts);
	get_blocks(store, "Box", &before);
	assert_int_equal(mapi_store_reserve_ids(store, 10, &first), EC_NONE);
	for (i = 0; i < 5; i++) {
		folder = open_folder(store, "Box");
		touch_flags(ts, "Box", 1, 3);
		assert_int_equal(mapi_folder_sync(folder), EC_NONE);
		talloc_free(folder);
		store = reopen_store(ts, store);
		if (i == 0)
			count = count_messages(ts, "mapi-internal/allotments");
	}
	assert_int_equal(count_messages(ts, "mapi-internal/allotments"), count);
	assert_int_equal(mapi_store_reserve_ids(store, 10, &next), EC_NONE);
	assert_true(next == first + 10);
	/* the last session's note is known to the next one */
	force_resync(ts, "Box");
	store = reopen_store(ts, store);
	get_blocks(store, "Box", &after);
	assert_memory_equal(&before, &after, sizeof(before));
	talloc_free(store);
	test_storage_deinit(&ts);
}

static void test_associated(void **state)
{
	struct test_storage *ts = test_storage_init(*state);
	static const uint32_t tags[] = {
		PIDTAG_ASSOCIATED_CONTENT_COUNT, PIDTAG_CONTENT_COUNT
	};
	struct mapi_value values[2];
	struct mapi_store *store = open_store(ts);
	struct mapi_folder *folder = open_folder(store, "INBOX");
	struct mailbox *box;
	bool associated;
	mapi_id_t mid;
	uint32_t uid;

	assert_int_equal(mapi_folder_open_associated(folder, &box), EC_NONE);
	assert_null(box);
	save_mails(ts, t_strdup_printf("mapi-internal/fai-%u",
			(unsigned int)MAPI_ID_GLOBCNT(folder->fid)), 3);
	assert_int_equal(mapi_folder_open_associated(folder, &box), EC_NONE);
	assert_non_null(box);
	mid = mapi_folder_mid(folder, TRUE, 2);
	assert_true(mid != mapi_folder_mid(folder, FALSE, 2));
	assert_int_equal(mapi_folder_mid_to_uid(folder, mid, &associated, &uid),
			 EC_NONE);
	assert_true(associated);
	assert_int_equal(uid, 2);
	assert_true(mapi_store_mid_to_fid(store, mid) == folder->fid);
	assert_int_equal(mapi_folder_node_get_props(store,
		mapi_folder_node(folder), folder, tags, 2, SIZE_MAX,
		values), EC_NONE);
	assert_int_equal(values[0].u.i32, 3);
	assert_int_equal(values[1].u.i32, 0);
	talloc_free(folder);
	talloc_free(store);
	test_storage_deinit(&ts);
}

static void test_replids(void **state)
{
	struct test_storage *ts = test_storage_init(*state);
	struct mapi_store *store = open_store(ts);
	struct mapi_guid a = { { 1, 2, 3 } }, b = { { 4, 5, 6 } }, guid;
	uint16_t replid_a, replid_b, replid;
	uint64_t first, second;

	assert_int_equal(mapi_store_guid_to_replid(store, &a, &replid_a),
			 EC_NONE);
	assert_int_equal(mapi_store_guid_to_replid(store, &b, &replid_b),
			 EC_NONE);
	assert_int_not_equal(replid_a, replid_b);
	assert_true(replid_a > 5 && replid_b > 5);
	assert_int_equal(mapi_store_guid_to_replid(store,
		mapi_store_replica_guid(store), &replid), EC_NONE);
	assert_int_equal(replid, 5);
	memset(&guid, 0, sizeof(guid));
	assert_int_equal(mapi_store_guid_to_replid(store, &guid, &replid),
			 EC_INVALID_PARAM);
	assert_int_equal(mapi_store_replid_to_guid(store, 4, &guid),
			 EC_NOT_FOUND);
	assert_int_equal(mapi_store_replid_to_guid(store, 1000, &guid),
			 EC_NOT_FOUND);

	assert_int_equal(mapi_store_reserve_ids(store, 0x10000, &first),
			 EC_NONE);
	assert_true(first >> 32 >= 0xf000);
	store = reopen_store(ts, store);
	assert_int_equal(mapi_store_reserve_ids(store, 1, &second), EC_NONE);
	assert_true(second == first + 0x10000);
	assert_int_equal(mapi_store_reserve_ids(store, 0, &second),
			 EC_INVALID_PARAM);

	assert_int_equal(mapi_store_guid_to_replid(store, &b, &replid),
			 EC_NONE);
	assert_int_equal(replid, replid_b);
	assert_int_equal(mapi_store_replid_to_guid(store, replid_a, &guid),
			 EC_NONE);
	assert_memory_equal(&guid, &a, sizeof(a));
	talloc_free(store);
	test_storage_deinit(&ts);
}

static void test_names(void **state)
{
	struct test_storage *ts = test_storage_init(*state);
	struct mapi_store *store = open_store(ts);
	struct mapi_property_name names[] = {
		{ .kind = MAPI_NAME_LID, .guid = PSETID_COMMON, .lid = 0x8503 },
		{ .kind = MAPI_NAME_LID, .guid = PSETID_TASK, .lid = 0x8503 },
		{ .kind = MAPI_NAME_STRING, .guid = PS_PUBLIC_STRINGS,
		  .name = "Keywords" },
		{ .kind = MAPI_NAME_STRING, .guid = PS_PUBLIC_STRINGS,
		  .name = "keywords" },
		{ .kind = MAPI_NAME_STRING, .guid = PS_INTERNET_HEADERS,
		  .name = "X-Foo" },
		{ .kind = MAPI_NAME_STRING, .guid = PS_INTERNET_HEADERS,
		  .name = "x-foo" },
		{ .kind = MAPI_NAME_STRING, .guid = PS_PUBLIC_STRINGS,
		  .name = "" },
		{ .kind = MAPI_NAME_STRING, .guid = PS_PUBLIC_STRINGS,
		  .name = "Grüße % \t\n" },
		{ .kind = MAPI_NAME_LID, .guid = PS_MAPI, .lid = 0x37 },
		{ .kind = MAPI_NAME_STRING, .guid = PS_MAPI, .name = "x" },
	};
	struct mapi_property_name back[N_ELEMENTS(names)];
	const struct mapi_property_name *list;
	uint16_t ids[N_ELEMENTS(names)], ids2[N_ELEMENTS(names)];
	const uint16_t *list_ids;
	unsigned int i, j, count;
	TALLOC_CTX *mem = talloc_new(NULL);

	assert_int_equal(mapi_store_names_to_ids(store, names,
		N_ELEMENTS(names), FALSE, ids), EC_NONE);
	for (i = 0; i < N_ELEMENTS(names); i++)
		assert_int_equal(ids[i], i == 8 ? 0x37 : 0);
	assert_int_equal(mapi_store_names_to_ids(store, names,
		N_ELEMENTS(names), TRUE, ids), EC_NONE);
	assert_int_equal(ids[8], 0x37);
	assert_int_equal(ids[9], 0);
	assert_int_equal(ids[4], ids[5]);
	for (i = 0; i < 8; i++) {
		/* none is wasted on a name that is there twice */
		assert_true(ids[i] > 0x8000 && ids[i] <= 0x8000 + 7);
		for (j = 0; j < i; j++) {
			if (i != 5 || j != 4)
				assert_int_not_equal(ids[i], ids[j]);
		}
	}

	store = reopen_store(ts, store);
	assert_int_equal(mapi_store_names_to_ids(store, names,
		N_ELEMENTS(names), FALSE, ids2), EC_NONE);
	assert_memory_equal(ids, ids2, sizeof(ids));
	assert_int_equal(mapi_store_ids_to_names(store, mem, ids, 9, back),
			 EC_NONE);
	for (i = 0; i < 9; i++) {
		assert_int_equal(back[i].kind, names[i].kind);
		assert_memory_equal(&back[i].guid, &names[i].guid,
				    sizeof(struct mapi_guid));
		if (names[i].kind == MAPI_NAME_LID)
			assert_int_equal(back[i].lid, names[i].lid);
		else {
			assert_string_equal(back[i].name, i == 4 ? "x-foo" :
					    names[i].name);
		}
	}
	ids2[0] = 0xfff0;
	assert_int_equal(mapi_store_ids_to_names(store, mem, ids2, 1, back),
			 EC_NONE);
	assert_int_equal(back[0].kind, MAPI_NAME_NONE);

	assert_int_equal(mapi_store_names_list(store, mem, NULL, &list_ids,
					       &list, &count), EC_NONE);
	assert_int_equal(count, 7);
	assert_int_equal(mapi_store_names_list(store, mem, &PSETID_TASK,
					       &list_ids, &list, &count),
			 EC_NONE);
	assert_int_equal(count, 1);
	assert_int_equal(list_ids[0], ids[1]);
	assert_int_equal(list[0].lid, 0x8503);
	talloc_free(mem);
	talloc_free(store);
	test_storage_deinit(&ts);
}

/* --- several sessions at once ------------------------------------------------ */

#define CHILDREN 4
#define RANGES 8

struct child_result {
	struct mapi_guid replica, mailbox;
	mapi_id_t special[MAPI_SPECIAL_COUNT];
	struct blocks inbox, box;
	uint16_t names[20];
	uint16_t replid;
	/* differs between children */
	uint64_t ranges[RANGES];
};

static void child_run(struct test_storage *ts, unsigned int nr,
		      struct child_result *result)
{
	struct mapi_guid guid = { { 9, 9, 9 } };
	struct mapi_property_name names[N_ELEMENTS(result->names)];
	uint16_t ids[N_ELEMENTS(names)];
	struct mapi_store *store;
	unsigned int i;
	char c;

	/* all begin when the pipe closes */
	if (read(STDIN_FILENO, &c, 1) != 0)
		_exit(2);
	i_zero(result);
	store = open_store(ts);
	result->replica = *mapi_store_replica_guid(store);
	result->mailbox = *mapi_store_mailbox_guid(store);
	for (i = 0; i < MAPI_SPECIAL_COUNT; i++)
		result->special[i] = mapi_store_special_fid(store, i);
	i_zero(&names);
	for (i = 0; i < N_ELEMENTS(names); i++) {
		/* each in another order */
		names[i].kind = MAPI_NAME_LID;
		names[i].guid = PSETID_COMMON;
		names[i].lid = (i + nr * 5) % N_ELEMENTS(names);
	}
	assert_int_equal(mapi_store_names_to_ids(store, names,
		N_ELEMENTS(names), TRUE, ids), EC_NONE);
	for (i = 0; i < N_ELEMENTS(names); i++)
		result->names[names[i].lid] = ids[i];
	assert_int_equal(mapi_store_guid_to_replid(store, &guid,
						   &result->replid), EC_NONE);
	for (i = 0; i < RANGES; i++) {
		assert_int_equal(mapi_store_reserve_ids(store, 100,
							&result->ranges[i]),
				 EC_NONE);
	}
	get_blocks(store, nr % 2 == 0 ? "INBOX" : "Box", &result->inbox);
	get_blocks(store, "Box", &result->box);
	get_blocks(store, "INBOX", &result->inbox);
	talloc_free(store);
}

/* A forked process would share what makes GUIDs and temporary file names unique:
   it has to be executed. argv: CHILD_ARG driver home nr */
#define CHILD_ARG "--child"

/* Allots until it's killed, and says what it got. */
#define CHILD_KILLED 9
struct allotted {
	uint64_t range;
	uint16_t id, unused[3];
};

static void child_allot(struct test_storage *ts)
{
	struct mapi_store *store = open_store(ts);
	struct mapi_property_name name = {
		.kind = MAPI_NAME_LID, .guid = PSETID_COMMON
	};
	struct allotted allotted;

	for (name.lid = 1;; name.lid++) {
		i_zero(&allotted);
		if (mapi_store_reserve_ids(store, 10, &allotted.range) !=
		    EC_NONE ||
		    mapi_store_names_to_ids(store, &name, 1, TRUE,
					    &allotted.id) != EC_NONE)
			_exit(6);
		if (write(STDOUT_FILENO, &allotted, sizeof(allotted)) !=
		    sizeof(allotted))
			_exit(7);
	}
}

static int child_main(char *argv[])
{
	struct child_result result;
	struct test_storage *ts = test_storage_init_home(argv[2], argv[3]);

	if (argv[4][0] - '0' == CHILD_KILLED)
		child_allot(ts);
	child_run(ts, argv[4][0] - '0', &result);
	test_storage_close(&ts);
	if (write(STDOUT_FILENO, &result, sizeof(result)) != sizeof(result))
		return 3;
	return 0;
}

static void child_exec(struct test_storage *ts, unsigned int nr,
		       const int start[2], const int out[2])
{
	char nr_str[] = { '0' + nr, '\0' };

	if (dup2(start[0], STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0)
		_exit(4);
	(void)close(start[0]);
	(void)close(start[1]);
	(void)close(out[0]);
	(void)close(out[1]);
	execl("/proc/self/exe", "test-store-ids", CHILD_ARG, ts->driver,
	      ts->home, nr_str, NULL);
	_exit(5);
}

static void test_concurrent(void **state)
{
	struct test_storage *ts = test_storage_init(*state);
	struct child_result results[CHILDREN];
	int start[2], out[2], status;
	unsigned int i, j;
	uint64_t *a, *b;
	pid_t pid;

	save_mails(ts, "INBOX", 1);
	save_mails(ts, "Box", 1);
	assert_int_equal(pipe(start), 0);
	assert_int_equal(pipe(out), 0);
	for (i = 0; i < CHILDREN; i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			child_exec(ts, i, start, out);
	}
	(void)close(start[0]);
	(void)close(start[1]);
	for (i = 0; i < CHILDREN; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	/* less than a pipe holds */
	for (i = 0; i < CHILDREN; i++) {
		assert_int_equal(read(out[0], &results[i], sizeof(results[i])),
				 sizeof(results[i]));
	}
	(void)close(out[0]);
	(void)close(out[1]);

	for (i = 1; i < CHILDREN; i++) {
		assert_memory_equal(&results[0], &results[i],
			offsetof(struct child_result, ranges));
	}
	a = results[0].ranges;
	for (i = 0; i < CHILDREN * RANGES; i++) {
		a = &results[i / RANGES].ranges[i % RANGES];
		for (j = 0; j < i; j++) {
			b = &results[j / RANGES].ranges[j % RANGES];
			assert_true(*a >= *b + 100 || *b >= *a + 100);
		}
	}
	test_storage_deinit(&ts);
}

/* Dovecot breaks lock files of a killed process after some minutes. Don't wait
   for it. */
static void remove_stale_locks(struct test_storage *ts)
{
	assert_int_equal(system(t_strdup_printf("find %s -name '*.lock' "
		"-delete -o -name '*.newlock' -delete", ts->home)), 0);
}

static void
run_and_kill(struct test_storage *ts, unsigned int count,
	     ARRAY_TYPE(uint64_t) *ranges, uint16_t *ids)
{
	struct allotted allotted;
	int start[2], out[2], status;
	unsigned int i, lid = 0;
	pid_t pid;

	assert_int_equal(pipe(start), 0);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child_exec(ts, CHILD_KILLED, start, out);
	(void)close(start[0]);
	(void)close(start[1]);
	(void)close(out[1]);
	for (i = 0; i < count; i++) {
		assert_int_equal(read(out[0], &allotted, sizeof(allotted)),
				 sizeof(allotted));
		array_push_back(ranges, &allotted.range);
		/* those that were there have the id that they had */
		lid++;
		if (ids[lid] == 0)
			ids[lid] = allotted.id;
		assert_int_equal(ids[lid], allotted.id);
	}
	/* somewhere in the middle of the next one */
	usleep(i_rand_limit(3000));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* what it has said before it died counts */
	while (read(out[0], &allotted, sizeof(allotted)) == sizeof(allotted)) {
		array_push_back(ranges, &allotted.range);
		lid++;
		if (ids[lid] == 0)
			ids[lid] = allotted.id;
		assert_int_equal(ids[lid], allotted.id);
	}
	(void)close(out[0]);
	remove_stale_locks(ts);
}

static void test_killed(void **state)
{
	struct test_storage *ts = test_storage_init(*state);
	ARRAY_TYPE(uint64_t) ranges;
	uint16_t ids[10000];
	const uint64_t *range;
	unsigned int i, j, count;

	i_array_init(&ranges, 256);
	i_zero(&ids);
	for (i = 0; i < 8; i++)
		run_and_kill(ts, 1 + i * 2, &ranges, ids);
	range = array_get(&ranges, &count);
	for (i = 0; i < count; i++) {
		for (j = 0; j < i; j++) {
			assert_true(range[i] >= range[j] + 10 ||
				    range[j] >= range[i] + 10);
		}
	}
	for (i = 1; i < N_ELEMENTS(ids) && ids[i] != 0; i++) {
		for (j = 1; j < i; j++)
			assert_int_not_equal(ids[i], ids[j]);
	}
	array_free(&ranges);
	test_storage_deinit(&ts);
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		CMUnitTestFunction func;
	} tests[] = {
		{ "messages", test_messages },
		{ "stable", test_stable },
		{ "UIDVALIDITY", test_uidvalidity },
		{ "UIDVALIDITY while open", test_uidvalidity_live },
		{ "lost index", test_lost_index },
		{ "lost index of logs", test_lost_log_index },
		{ "compacted log", test_compact },
		{ "associated messages", test_associated },
		{ "replica ids", test_replids },
		{ "named properties", test_names },
		{ "concurrent sessions", test_concurrent },
		{ "killed sessions", test_killed },
	};
	struct CMUnitTest all[N_ELEMENTS(tests) * N_ELEMENTS(drivers)];
	char names[N_ELEMENTS(all)][64];
	unsigned int i, j, n = 0;

	if (argc == 5 && strcmp(argv[1], CHILD_ARG) == 0)
		return child_main(argv);
	/* "test-store-ids '*maildir*'" */
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);

	memset(all, 0, sizeof(all));
	for (i = 0; i < N_ELEMENTS(drivers); i++) {
		for (j = 0; j < N_ELEMENTS(tests); j++, n++) {
			(void)snprintf(names[n], sizeof(names[n]), "%s (%s)",
				       tests[j].name, drivers[i]);
			all[n].name = names[n];
			all[n].test_func = tests[j].func;
			all[n].initial_state = (void *)drivers[i];
		}
	}
	return cmocka_run_group_tests(all, NULL, NULL);
}
