/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Properties of folders and of the store. */

#include "lib.h"
#include "array.h"
#include "module-dir.h"
#include "mail-storage.h"
#include "mail-storage-service.h"
#include "mail-user.h"
#include "mapi-folder.h"
#include "mapi-entryid.h"
#include "mapi-props.h"
#include "mapi-store-quota.h"
#include "mapi-stream.h"
#include "test-storage-common.h"

#include <time.h>
#include <setjmp.h>
#include <cmocka.h>

static const struct mapi_store_settings store_set = {
	.companion_root = "mapi-internal",
	.organization = "Test",
	.display_name = "The User",
	.email_address = "user@example.com",
};

struct fixture {
	struct test_storage *ts;
	struct mapi_store *store;
	TALLOC_CTX *mem;
};

static const char *const quota_fields[] = {
	"mail_plugins=quota",
	"plugin/quota_vsizes=yes",
	/* hidden and not enforced: not for clients */
	"plugin/quota=count:Hidden:hidden",
	"plugin/quota_rule=*:storage=1M",
	"plugin/quota2=count:Soft:noenforcing",
	"plugin/quota2_rule=*:storage=1M",
	"plugin/quota3=count:User quota",
	"plugin/quota3_rule=*:storage=2M",
	"plugin/quota3_warning=storage=95%% true",
	"plugin/quota3_warning2=storage=75%% true",
	"plugin/quota3_warning3=-storage=50%% true",
	/* more than the one before */
	"plugin/quota4=count:Large",
	"plugin/quota4_rule=*:storage=3M",
	NULL
};

/* The plugin as the worker has it if it's in mail_plugins. Closing the storage
   unloads it. */
static void load_quota_plugin(void)
{
	static const struct module_dir_load_settings set = {
		.setting_name = "mail_plugins",
	};

	mail_storage_service_modules =
		module_dir_load(DOVECOT_MODULEDIR, "quota", &set);
	module_dir_init(mail_storage_service_modules);
}

static int group_setup(void **state)
{
	/* initialises the library */
	struct test_storage *ts = test_storage_init("sdbox");

	test_storage_close(&ts);
	return 0;
}

static int setup(void **state)
{
	static const char mail[] = "From: a@example.com\nSubject: x\n\nhello\n";
	struct fixture *f = i_new(struct fixture, 1);

	load_quota_plugin();
	f->ts = test_storage_init_fields("sdbox", quota_fields);
	f->mem = talloc_new(NULL);
	(void)test_storage_save(f->ts, "INBOX", mail, strlen(mail), 0, NULL, 0);
	(void)test_storage_save(f->ts, "INBOX", mail, strlen(mail), MAIL_SEEN,
				NULL, 0);
	(void)test_storage_save(f->ts, "Work/Alpha", mail, strlen(mail), 0,
				NULL, 0);
	if (mapi_store_open(NULL, f->ts->user, &store_set, &f->store) !=
	    EC_NONE)
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	talloc_free(f->mem);
	talloc_free(f->store);
	test_storage_deinit(&f->ts);
	i_free(f);
	return 0;
}

static struct mapi_value
folder_prop(struct fixture *f, mapi_id_t fid, uint32_t tag)
{
	struct mapi_value value;
	struct mapi_folder *folder;

	assert_int_equal(mapi_folder_open(f->mem, f->store, fid, &folder),
			 EC_NONE);
	assert_int_equal(folder->obj.type, MAPI_OBJECT_FOLDER);
	assert_int_equal(folder->obj.v->get_props(&folder->obj, f->mem, &tag, 1,
						  SIZE_MAX, &value), EC_NONE);
	/* nothing that's asked for here opens the mailbox */
	assert_null(folder->box);
	talloc_free(folder);
	if (value.type != PTYP_ERROR_CODE)
		assert_int_equal(value.type, MAPI_TAG_TYPE(tag));
	return value;
}

static struct mapi_value
special_prop(struct fixture *f, enum mapi_special_folder special, uint32_t tag)
{
	return folder_prop(f, mapi_store_special_fid(f->store, special), tag);
}

static mapi_id_t child_fid(struct fixture *f, mapi_id_t parent,
			   const char *name)
{
	struct mapi_folder_node *node =
		mapi_folder_tree_lookup(f->store, parent);

	for (node = node->first_child; node != NULL; node = node->next_sibling)
		if (strcmp(node->display_name, name) == 0)
			return node->fid;
	return 0;
}

static void assert_not_found(struct mapi_value value)
{
	assert_int_equal(value.type, PTYP_ERROR_CODE);
	assert_int_equal(value.u.error, EC_NOT_FOUND);
}

static void assert_folder_entryid(struct fixture *f, struct mapi_binary bin,
				  mapi_id_t fid)
{
	struct mapi_entry_id eid;

	assert_int_equal(mapi_entry_id_parse(f->mem, bin.data, bin.len, &eid),
			 MAPI_ENTRY_ID_FOLDER);
	assert_int_equal(bin.len, 46);
	assert_memory_equal(&eid.u.object.provider,
			    mapi_store_mailbox_guid(f->store), 16);
	assert_memory_equal(&eid.u.object.folder.guid,
			    mapi_store_replica_guid(f->store), 16);
	assert_int_equal(eid.u.object.folder.globcnt, MAPI_ID_GLOBCNT(fid));
	assert_int_equal(eid.u.object.type, MAPI_EITLT_PRIVATE_FOLDER);
}

static void test_ids(void **state)
{
	struct fixture *f = *state;
	mapi_id_t root = mapi_store_special_fid(f->store, MAPI_SPECIAL_ROOT);
	mapi_id_t ipm = mapi_store_special_fid(f->store,
					       MAPI_SPECIAL_IPM_SUBTREE);
	mapi_id_t inbox = mapi_store_special_fid(f->store, MAPI_SPECIAL_INBOX);
	struct mapi_long_term_id ltid;
	struct mapi_value value;

	assert_folder_entryid(f, folder_prop(f, inbox, PIDTAG_ENTRY_ID).u.bin,
			      inbox);
	assert_folder_entryid(f, folder_prop(f, inbox,
			      PIDTAG_PARENT_ENTRY_ID).u.bin, ipm);
	assert_folder_entryid(f, folder_prop(f, root,
			      PIDTAG_PARENT_ENTRY_ID).u.bin, root);
	/* on the wire the replica id comes first and GLOBCNT is big-endian */
	value = folder_prop(f, inbox, PIDTAG_FOLDER_ID);
	assert_int_equal(value.u.i64 & 0xffff, 5);
	assert_int_equal((uint64_t)value.u.i64 >> 56,
			 MAPI_ID_GLOBCNT(inbox) & 0xff);
	value = folder_prop(f, inbox, PIDTAG_SOURCE_KEY);
	assert_true(mapi_gid_parse(&value.u.bin, &ltid));
	assert_int_equal(ltid.globcnt, MAPI_ID_GLOBCNT(inbox));
	assert_memory_equal(&ltid.guid, mapi_store_replica_guid(f->store), 16);
	value = folder_prop(f, inbox, PIDTAG_PARENT_SOURCE_KEY);
	assert_true(mapi_gid_parse(&value.u.bin, &ltid));
	assert_int_equal(ltid.globcnt, MAPI_ID_GLOBCNT(ipm));
	assert_int_equal(folder_prop(f, root,
				     PIDTAG_PARENT_SOURCE_KEY).u.bin.len, 0);
	value = folder_prop(f, inbox, PIDTAG_STORE_RECORD_KEY);
	assert_int_equal(value.u.bin.len, 16);
	assert_memory_equal(value.u.bin.data,
			    mapi_store_mailbox_guid(f->store), 16);
}

static void test_change(void **state)
{
	struct fixture *f = *state;
	mapi_id_t work = child_fid(f, mapi_store_special_fid(f->store,
		MAPI_SPECIAL_IPM_SUBTREE), "Work");
	mapi_id_t alpha = child_fid(f, work, "Alpha");
	struct mapi_value key1, key2, pcl;
	struct mapi_long_term_id before, after;
	struct mailbox *src, *dest;
	struct mail_namespace *ns =
		mail_namespace_find_inbox(f->ts->user->namespaces);

	key1 = folder_prop(f, alpha, PIDTAG_CHANGE_KEY);
	src = mailbox_alloc(ns->list, "Work/Alpha", 0);
	dest = mailbox_alloc(ns->list, "Beta", 0);
	assert_int_equal(mailbox_rename(src, dest), 0);
	mailbox_free(&src);
	mailbox_free(&dest);
	assert_int_equal(mapi_folder_tree_refresh(f->store), EC_NONE);

	key2 = folder_prop(f, alpha, PIDTAG_CHANGE_KEY);
	assert_true(mapi_gid_parse(&key1.u.bin, &before));
	assert_true(mapi_gid_parse(&key2.u.bin, &after));
	assert_true(after.globcnt > before.globcnt);
	pcl = folder_prop(f, alpha, PIDTAG_PREDECESSOR_CHANGE_LIST);
	assert_int_equal(pcl.u.bin.len, 23);
	assert_int_equal(pcl.u.bin.data[0], 22);
	assert_memory_equal(pcl.u.bin.data + 1, key2.u.bin.data, 22);
	assert_string_equal(folder_prop(f, alpha, PIDTAG_DISPLAY_NAME).u.str,
			    "Beta");
}

static void test_counts(void **state)
{
	struct fixture *f = *state;
	mapi_id_t inbox = mapi_store_special_fid(f->store, MAPI_SPECIAL_INBOX);
	mapi_id_t work = child_fid(f, mapi_store_special_fid(f->store,
		MAPI_SPECIAL_IPM_SUBTREE), "Work");
	uint64_t now = mapi_time_from_unix(time(NULL), 0);
	struct mapi_value value;

	assert_int_equal(folder_prop(f, inbox, PIDTAG_CONTENT_COUNT).u.i32, 2);
	assert_int_equal(folder_prop(f, inbox,
				     PIDTAG_CONTENT_UNREAD_COUNT).u.i32, 1);
	assert_int_equal(folder_prop(f, inbox,
				     PIDTAG_ASSOCIATED_CONTENT_COUNT).u.i32, 0);
	assert_true(folder_prop(f, inbox,
				PIDTAG_MESSAGE_SIZE_EXTENDED).u.i64 > 70);
	assert_int_equal(folder_prop(f, inbox, PIDTAG_MESSAGE_SIZE).u.i32,
			 folder_prop(f, inbox,
				     PIDTAG_MESSAGE_SIZE_EXTENDED).u.i64);
	assert_false(folder_prop(f, inbox, PIDTAG_SUBFOLDERS).u.b);
	assert_true(folder_prop(f, work, PIDTAG_SUBFOLDERS).u.b);
	assert_int_equal(folder_prop(f, work, PIDTAG_CONTENT_COUNT).u.i32, 0);
	value = folder_prop(f, inbox, PIDTAG_LOCAL_COMMIT_TIME_MAX);
	assert_true(value.u.time <= now + 600000000 &&
		    value.u.time >= now - 3000000000ULL);
	value = folder_prop(f, inbox, PIDTAG_CREATION_TIME);
	assert_true(value.u.time <= now + 600000000 &&
		    value.u.time >= now - 3000000000ULL);
	/* others change it */
	test_storage_set_flags(f->ts, "INBOX", 1, MODIFY_ADD, MAIL_SEEN);
	assert_int_equal(folder_prop(f, inbox,
				     PIDTAG_CONTENT_UNREAD_COUNT).u.i32, 0);
}

static void test_pointers(void **state)
{
	static const struct {
		uint32_t tag;
		enum mapi_special_folder special;
	} pointers[] = {
		{ 0x36D00102, MAPI_SPECIAL_CALENDAR },
		{ 0x36D10102, MAPI_SPECIAL_CONTACTS },
		{ 0x36D20102, MAPI_SPECIAL_JOURNAL },
		{ 0x36D30102, MAPI_SPECIAL_NOTES },
		{ 0x36D40102, MAPI_SPECIAL_TASKS },
		{ 0x36D70102, MAPI_SPECIAL_DRAFTS },
	};
	static const enum mapi_special_folder where[] = {
		MAPI_SPECIAL_ROOT, MAPI_SPECIAL_INBOX
	};
	struct fixture *f = *state;
	struct mapi_value value;
	unsigned int i, j;

	for (j = 0; j < N_ELEMENTS(where); j++) {
		for (i = 0; i < N_ELEMENTS(pointers); i++) {
			value = special_prop(f, where[j], pointers[i].tag);
			assert_folder_entryid(f, value.u.bin,
				mapi_store_special_fid(f->store,
						       pointers[i].special));
		}
		value = special_prop(f, where[j], 0x36D81102);
		assert_int_equal(value.u.mv.count, 5);
		assert_int_equal(value.u.mv.v.bin[0].len, 0);
		assert_folder_entryid(f, value.u.mv.v.bin[4],
			mapi_store_special_fid(f->store, MAPI_SPECIAL_JUNK));
		value = special_prop(f, where[j], 0x36E41102);
		assert_int_equal(value.u.mv.count, 4);
		assert_folder_entryid(f, value.u.mv.v.bin[3],
			mapi_store_special_fid(f->store,
					       MAPI_SPECIAL_FREEBUSY_DATA));
	}
	assert_not_found(special_prop(f, MAPI_SPECIAL_IPM_SUBTREE, 0x36D00102));
}

static void test_misc(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(special_prop(f, MAPI_SPECIAL_ROOT,
				      PIDTAG_FOLDER_TYPE).u.i32, 0);
	assert_int_equal(special_prop(f, MAPI_SPECIAL_INBOX,
				      PIDTAG_FOLDER_TYPE).u.i32, 1);
	assert_string_equal(special_prop(f, MAPI_SPECIAL_CALENDAR,
					 PIDTAG_CONTAINER_CLASS).u.str,
			    "IPF.Appointment");
	assert_string_equal(special_prop(f, MAPI_SPECIAL_CALENDAR,
		PIDTAG_DEFAULT_POST_MESSAGE_CLASS).u.str, "IPM.Appointment");
	assert_not_found(special_prop(f, MAPI_SPECIAL_ROOT,
				      PIDTAG_CONTAINER_CLASS));
	assert_not_found(special_prop(f, MAPI_SPECIAL_ROOT, PIDTAG_SUBJECT));
	assert_int_equal(special_prop(f, MAPI_SPECIAL_INBOX,
				      PIDTAG_OBJECT_TYPE).u.i32, 3);
	/* a special folder can't be deleted */
	assert_int_equal(special_prop(f, MAPI_SPECIAL_INBOX,
				      PIDTAG_ACCESS).u.i32, 0x3b);
	assert_int_equal(folder_prop(f, child_fid(f, mapi_store_special_fid(
		f->store, MAPI_SPECIAL_IPM_SUBTREE), "Work"),
		PIDTAG_ACCESS).u.i32, 0x3f);
}

static void check_list(struct fixture *f, struct mapi_object *obj)
{
	const uint32_t *tags;
	struct mapi_value *values;
	unsigned int i, j, count;

	assert_int_equal(obj->v->list_props(obj, f->mem, &tags, &count),
			 EC_NONE);
	values = talloc_array(f->mem, struct mapi_value, count);
	assert_int_equal(obj->v->get_props(obj, f->mem, tags, count, SIZE_MAX,
					   values), EC_NONE);
	for (i = 0; i < count; i++) {
		if (values[i].type != MAPI_TAG_TYPE(tags[i]))
			fail_msg("%08x has type %04x", tags[i], values[i].type);
		for (j = 0; j < i; j++) {
			/* clients don't merge duplicates */
			assert_int_not_equal(tags[i], tags[j]);
		}
	}
	assert_true(count > 30);
}

/* What is in the list has a value of the type that the list says. */
static void test_lists(void **state)
{
	struct fixture *f = *state;
	struct mapi_folder_node *node;
	struct mapi_folder *folder;
	struct mapi_logon *logon;
	unsigned int iter = 0;

	while ((node = mapi_folder_tree_next(f->store, &iter)) != NULL) {
		assert_int_equal(mapi_folder_open(f->mem, f->store, node->fid,
						  &folder), EC_NONE);
		check_list(f, &folder->obj);
		talloc_free(folder);
	}
	assert_int_equal(mapi_logon_open(f->mem, f->store, &logon), EC_NONE);
	check_list(f, &logon->obj);
	talloc_free(logon);
}

static void test_logon(void **state)
{
	static const uint32_t tags[] = {
		PIDTAG_MAILBOX_OWNER_NAME, PIDTAG_MAPPING_SIGNATURE,
		PIDTAG_RECORD_KEY, PIDTAG_MAILBOX_OWNER_ENTRY_ID,
		PIDTAG_STORE_ENTRY_ID, PIDTAG_PROHIBIT_SEND_QUOTA,
		PIDTAG_LOCALE_ID, PIDTAG_SERIALIZED_REPLID_GUID_MAP,
		PIDTAG_MESSAGE_SIZE_EXTENDED, PIDTAG_OBJECT_TYPE,
		PIDTAG_PROHIBIT_RECEIVE_QUOTA, 0x3FF50003,
		PIDTAG_CONTENT_COUNT, PIDTAG_STORE_STATE,
	};
	static const char dn[] = "/o=Test/ou=Exchange Administrative Group "
		"(FYDIBOHF23SPDLT)/cn=Recipients/cn=user@example.com";
	struct fixture *f = *state;
	struct mapi_value values[N_ELEMENTS(tags)];
	struct mapi_entry_id eid;
	struct mapi_logon *logon;
	struct mapi_stream *stream;

	assert_int_equal(mapi_logon_open(f->mem, f->store, &logon), EC_NONE);
	logon->locale_string = 1031;
	assert_int_equal(logon->obj.v->get_props(&logon->obj, f->mem, tags,
		N_ELEMENTS(tags), SIZE_MAX, values), EC_NONE);
	assert_string_equal(values[0].u.str, "The User");
	assert_memory_equal(values[1].u.bin.data,
			    mapi_store_replica_guid(f->store), 16);
	assert_memory_equal(values[2].u.bin.data,
			    mapi_store_mailbox_guid(f->store), 16);
	assert_int_equal(mapi_entry_id_parse(f->mem, values[3].u.bin.data,
		values[3].u.bin.len, &eid), MAPI_ENTRY_ID_ADDRESSBOOK);
	assert_string_equal(eid.u.addressbook.dn, dn);
	assert_string_equal(mapi_store_owner_dn(f->store), dn);
	assert_int_equal(mapi_entry_id_parse(f->mem, values[4].u.bin.data,
		values[4].u.bin.len, &eid), MAPI_ENTRY_ID_STORE);
	assert_string_equal(eid.u.store.mailbox_dn, dn);
	assert_int_equal(values[5].u.i32, 2048);
	assert_int_equal(values[6].u.i32, 1031);
	assert_not_found(values[7]);
	assert_true(values[8].u.i64 > 100);
	assert_int_equal(values[9].u.i32, 1);
	assert_int_equal(values[10].u.i32, 2048);
	/* PR_STORAGE_QUOTA_LIMIT: three quarters of it */
	assert_int_equal(values[11].u.i32, 1536);
	assert_int_equal(values[12].u.i32, 3);
	assert_int_equal(values[13].u.i32, 0);

	assert_int_equal(logon->obj.v->open_stream(&logon->obj, f->mem,
		PIDTAG_RECORD_KEY, &stream), EC_NONE);
	talloc_free(stream);
	assert_int_equal(logon->obj.v->open_stream(&logon->obj, f->mem,
		PIDTAG_HTML, &stream), EC_NOT_FOUND);
	talloc_free(logon);
}

/* Nobody enforces quota_rule without the plugin. */
static void test_quota_not_loaded(void **state)
{
	static const char *const fields[] = {
		"plugin/quota=count:User quota",
		"plugin/quota_rule=*:storage=2M",
		NULL
	};
	struct test_storage *ts = test_storage_init_fields("sdbox", fields);
	struct mapi_store_quota quota;

	assert_int_equal(mapi_store_quota_get(ts->user, &quota), 0);
	test_storage_close(&ts);
}

/* A plugin that is loaded, but not for this user. */
static void test_quota_not_enabled(void **state)
{
	static const char *const fields[] = {
		"plugin/quota=count:User quota",
		"plugin/quota_rule=*:storage=2M",
		NULL
	};
	struct mapi_store_quota quota;
	struct test_storage *ts;

	load_quota_plugin();
	ts = test_storage_init_fields("sdbox", fields);
	assert_int_equal(mapi_store_quota_get(ts->user, &quota), 0);
	test_storage_close(&ts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pointers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_misc, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_logon, setup, teardown),
		cmocka_unit_test(test_quota_not_loaded),
		cmocka_unit_test(test_quota_not_enabled),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
