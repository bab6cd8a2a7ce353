/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Permissions lists on mailboxes with Dovecot's ACL plugin, and what they mean
   for somebody else who opens the mailbox. */

#include "lib.h"
#include "module-dir.h"
#include "mail-user.h"
#include "mail-storage-service.h"
#include "mapi-acl.h"
#include "mapi-entryid.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-permissions.h"
#include "mapi-store-private.h"
#include "test-storage-common.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define OWNER "user@example.com"
#define DN_PREFIX "/o=Org/ou=Exchange Administrative Group " \
	"(FYDIBOHF23SPDLT)/cn=Recipients/cn="

#define ACL_FIELDS \
	"mail_plugins=acl", \
	"plugin/acl=vfile::cache_secs=0"

static const char *const owner_fields[] = { ACL_FIELDS, NULL };
static const char *const bob_fields[] = {
	ACL_FIELDS, "plugin/acl_user=bob", "plugin/acl_groups=", NULL
};
static const char *const staff_fields[] = {
	ACL_FIELDS, "plugin/acl_user=carol", "plugin/acl_groups=staff,it", NULL
};
static const char *const plain_fields[] = { "plugin/acl_user=bob", NULL };

static const struct mapi_store_settings owner_set = {
	.companion_root = "mapi-internal",
	.organization = "Org",
	.email_address = OWNER,
};

struct fixture {
	struct test_storage *ts;
	struct mapi_store *store;
	struct mapi_store_settings set;
	TALLOC_CTX *mem;
};

static void load_acl_plugin(void)
{
	static const struct module_dir_load_settings set = {
		.setting_name = "mail_plugins",
	};

	mail_storage_service_modules =
		module_dir_load(DOVECOT_MODULEDIR, "acl", &set);
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
	static const char *const names[] = {
		"INBOX", "Open", "Shut", "Upper", "Upper/Lower",
	};
	struct fixture *f = i_new(struct fixture, 1);
	unsigned int i;

	load_acl_plugin();
	f->ts = test_storage_init_fields("sdbox", owner_fields);
	for (i = 0; i < N_ELEMENTS(names); i++) {
		(void)test_storage_save(f->ts, names[i], mail, strlen(mail), 0,
					NULL, 0);
	}
	f->mem = talloc_new(NULL);
	f->set = owner_set;
	assert_int_equal(mapi_store_open(NULL, f->ts->user, &f->set,
					 &f->store), EC_NONE);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	talloc_free(f->mem);
	TALLOC_FREE(f->store);
	test_storage_deinit(&f->ts);
	i_free(f);
	return 0;
}

/* Somebody logs in: delegate as whom, NULL the owner */
static enum mapi_error
relogin(struct fixture *f, const char *const *fields, const char *delegate)
{
	talloc_free_children(f->mem);
	TALLOC_FREE(f->store);
	f->ts->fields = fields;
	test_storage_relogin(f->ts);
	f->set.delegate = delegate;
	return mapi_store_open(NULL, f->ts->user, &f->set, &f->store);
}

static struct mapi_folder *
open_path(struct fixture *f, const char *path)
{
	struct mapi_folder_node *node =
		mapi_folder_tree_lookup_path(f->store, path);
	struct mapi_folder *folder;

	assert_non_null(node);
	assert_int_equal(mapi_folder_open(f->mem, f->store, node->fid,
					  &folder), EC_NONE);
	return folder;
}

static struct mapi_folder *
open_special(struct fixture *f, enum mapi_special_folder special)
{
	struct mapi_folder *folder;

	assert_int_equal(mapi_folder_open(f->mem, f->store,
				mapi_store_special_fid(f->store, special),
				&folder), EC_NONE);
	return folder;
}

static enum mapi_error
give(struct fixture *f, struct mapi_folder *folder, const char *name,
     uint32_t rights)
{
	struct mapi_permission_change change = {
		.op = MAPI_PERMISSION_ADD, .rights = rights,
		.entry_id = mapi_addressbook_entry_id_build(f->mem,
			MAPI_AB_LOCAL_USER,
			talloc_asprintf(f->mem, DN_PREFIX"%s", name)),
	};

	return mapi_permissions_change(folder, &change, 1, FALSE, TRUE);
}

/* UINT32_MAX if he isn't in the list */
static uint32_t
listed_rights(struct fixture *f, struct mapi_folder *folder, const char *id)
{
	struct mapi_permissions perms;
	unsigned int i;

	assert_int_equal(mapi_permissions_get(folder, f->mem, &perms), EC_NONE);
	assert_true(perms.count >= 2);
	assert_int_equal(perms.members[0].member_id, MAPI_MEMBER_DEFAULT);
	assert_int_equal(perms.members[1].member_id, MAPI_MEMBER_ANONYMOUS);
	for (i = 0; i < perms.count; i++) {
		if (strcmp(perms.members[i].id, id) == 0)
			return perms.members[i].rights;
	}
	return UINT32_MAX;
}

static void test_list(void **state)
{
	struct fixture *f = *state;
	struct mapi_folder *folder = open_path(f, "Open");
	uint32_t rights = 0x41b | RIGHTS_FOLDER_CONTACT;

	assert_int_equal(listed_rights(f, folder, "authenticated"), 0);
	assert_int_equal(listed_rights(f, folder, "anyone"), 0);
	assert_int_equal(listed_rights(f, folder, "user=bob"), UINT32_MAX);

	/* what an ACL can't say is there after another login, too */
	assert_int_equal(give(f, folder, "bob", rights), EC_NONE);
	assert_int_equal(give(f, folder, "$staff", 0x401), EC_NONE);
	assert_int_equal(give(f, folder, "nobody", 0), EC_NONE);
	assert_int_equal(relogin(f, owner_fields, NULL), EC_NONE);
	folder = open_path(f, "Open");
	assert_int_equal(listed_rights(f, folder, "user=bob"), rights);
	assert_int_equal(listed_rights(f, folder, "group=staff"), 0x401);
	assert_int_equal(listed_rights(f, folder, "user=nobody"), 0);

	/* as soon as the ACL is another one it's that */
	assert_int_equal(mapi_acl_set(
		mapi_acl_init(f->mem, mail_namespace_find_inbox(
					f->ts->user->namespaces)),
		"Open", "user=bob", MAPI_ACL_LOOKUP | MAPI_ACL_READ), EC_NONE);
	assert_int_equal(listed_rights(f, folder, "user=bob"),
			 0x401 | MAPI_RIGHTS_FREE_BUSY);
	/* nobody may be given what the operator doesn't allow */
	assert_int_equal(mapi_permissions_change(folder,
		&(struct mapi_permission_change) {
			.op = MAPI_PERMISSION_MODIFY,
			.member_id = MAPI_MEMBER_DEFAULT, .rights = 0x401,
		}, 1, FALSE, TRUE), EC_ACCESS_DENIED);
	assert_int_equal(mapi_permissions_change(folder,
		&(struct mapi_permission_change) {
			.op = MAPI_PERMISSION_MODIFY,
			.member_id = MAPI_MEMBER_DEFAULT, .rights = 0x800,
		}, 1, FALSE, TRUE), EC_NONE);
	assert_int_equal(listed_rights(f, folder, "authenticated"), 0x800);
}

/* PidTagAccess of the first message of an open folder */
static uint32_t first_access(struct mapi_folder *folder)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	uint32_t access;

	trans = mailbox_transaction_begin(folder->box, 0, "test");
	mail = mail_alloc(trans, 0, NULL);
	mail_set_seq(mail, 1);
	access = mapi_mail_access(folder, FALSE, mail);
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&trans), 0);
	return access;
}

static void test_delegate(void **state)
{
	struct fixture *f = *state;
	struct mapi_folder *folder;
	struct mapi_folder_node *node;
	mapi_id_t shut, outbox;

	/* whatever is told to the store */
	assert_int_equal(relogin(f, bob_fields, "bob"), EC_LOGIN_PERM);
	assert_int_equal(relogin(f, bob_fields, "carol"), EC_ACCESS_DENIED);
	assert_int_equal(relogin(f, owner_fields, "bob"), EC_ACCESS_DENIED);
	assert_int_equal(relogin(f, plain_fields, "bob"), EC_ACCESS_DENIED);

	assert_int_equal(relogin(f, owner_fields, NULL), EC_NONE);
	shut = open_path(f, "Shut")->fid;
	outbox = mapi_store_special_fid(f->store, MAPI_SPECIAL_OUTBOX);
	assert_int_equal(give(f, open_path(f, "Open"), "bob", 0x401), EC_NONE);
	assert_int_equal(give(f, open_path(f, "Upper/Lower"), "bob", 0x400),
			 EC_NONE);

	assert_int_equal(relogin(f, bob_fields, "bob"), EC_NONE);
	assert_true(mapi_store_is_delegate(f->store));
	folder = open_path(f, "Open");
	assert_int_equal(mapi_folder_check_rights(folder, RIGHTS_READ_ANY),
			 EC_NONE);
	assert_int_equal(mapi_folder_check_rights(folder, RIGHTS_CREATE),
			 EC_ACCESS_DENIED);
	assert_int_equal(mapi_folder_open_mailbox(folder), EC_NONE);
	assert_non_null(folder->box);
	assert_int_equal(first_access(folder), MAPI_ACCESS_READ);
	assert_int_equal(give(f, folder, "carol", 0x401), EC_ACCESS_DENIED);

	/* seen, but not read; and what is above it */
	folder = open_path(f, "Upper/Lower");
	assert_int_equal(mapi_folder_open_mailbox(folder), EC_ACCESS_DENIED);
	folder = open_path(f, "Upper");
	assert_int_equal(mapi_folder_open_mailbox(folder), EC_NONE);
	assert_null(folder->box);
	/* neither the name nor the number */
	assert_null(mapi_folder_tree_lookup_path(f->store, "Shut"));
	assert_int_equal(mapi_folder_open(f->mem, f->store, shut, &folder),
			 EC_NOT_FOUND);
	/* its number is known, but it isn't there */
	assert_int_equal(mapi_store_special_fid(f->store,
				MAPI_SPECIAL_OUTBOX), outbox);
	assert_int_equal(mapi_folder_open(f->mem, f->store, outbox, &folder),
			 EC_NOT_FOUND);
	node = mapi_folder_node(open_special(f, MAPI_SPECIAL_IPM_SUBTREE));
	assert_int_equal(node->child_count, 2);
	node = mapi_folder_node(open_special(f, MAPI_SPECIAL_ROOT));
	assert_int_equal(node->child_count, 1);
	assert_int_equal(mapi_folder_rights(f->store, node), 0);

	/* the owner's numbers are still the same */
	assert_int_equal(relogin(f, owner_fields, NULL), EC_NONE);
	assert_int_equal(open_path(f, "Shut")->fid, shut);
}

/* Folders without an ACL: who is named counts more than the groups he is in. */
static void test_internal(void **state)
{
	struct fixture *f = *state;
	struct mapi_folder *folder;

	folder = open_special(f, MAPI_SPECIAL_FREEBUSY_DATA);
	assert_int_equal(give(f, folder, "$staff", 0x400), EC_NONE);
	assert_int_equal(give(f, folder, "$it", 0x401), EC_NONE);
	assert_int_equal(give(f, folder, "$others", 0x47b), EC_NONE);
	assert_int_equal(relogin(f, bob_fields, "bob"), EC_LOGIN_PERM);
	assert_int_equal(relogin(f, staff_fields, "carol"), EC_NONE);
	folder = open_special(f, MAPI_SPECIAL_FREEBUSY_DATA);
	assert_int_equal(mapi_folder_rights(f->store, mapi_folder_node(folder)),
			 0x401);

	assert_int_equal(relogin(f, owner_fields, NULL), EC_NONE);
	folder = open_special(f, MAPI_SPECIAL_FREEBUSY_DATA);
	assert_int_equal(give(f, folder, "carol", 0x5fb), EC_NONE);
	assert_int_equal(listed_rights(f, folder, "user=carol"), 0x5fb);
	assert_int_equal(relogin(f, staff_fields, "carol"), EC_NONE);
	folder = open_special(f, MAPI_SPECIAL_FREEBUSY_DATA);
	/* such folders aren't owned by others, and nothing is made in them */
	assert_int_equal(mapi_folder_rights(f->store, mapi_folder_node(folder)),
			 0x47b);
}

static uint32_t rights_in(struct fixture *f, const char *path)
{
	return mapi_folder_rights(f->store, mapi_folder_tree_lookup_path(
						f->store, path));
}

/* The list says more than the ACL: which of the entries counts is as if it was an
   ACL. */
static void test_owned(void **state)
{
	struct fixture *f = *state;
	struct mapi_folder *folder;

	assert_int_equal(give(f, open_path(f, "Open"), "$staff", 0x40b),
			 EC_NONE);
	assert_int_equal(give(f, open_path(f, "Open"), "$it", 0x413), EC_NONE);
	assert_int_equal(give(f, open_path(f, "Shut"), "$staff", 0x41b),
			 EC_NONE);
	assert_int_equal(give(f, open_path(f, "Shut"), "carol", 0x403),
			 EC_NONE);
	assert_int_equal(give(f, open_path(f, "Upper"), "carol", 0x41b),
			 EC_NONE);
	assert_int_equal(give(f, open_path(f, "Upper/Lower"), "bob", 0x41b),
			 EC_NONE);

	assert_int_equal(relogin(f, staff_fields, "carol"), EC_NONE);
	/* groups together, but not with whom they are named besides */
	assert_int_equal(rights_in(f, "Open"), 0x41b);
	assert_int_equal(rights_in(f, "Shut"), 0x403);
	assert_int_equal(rights_in(f, "Upper"), 0x41b);
	assert_true(mapi_folder_is_for_own(f->store, open_path(f, "Open")->fid,
					   MAPI_MESSAGE_USE_EDIT));
	assert_false(mapi_folder_is_for_own(f->store,
					    open_path(f, "Shut")->fid,
					    MAPI_MESSAGE_USE_EDIT));
	assert_true(mapi_folder_is_for_own(f->store, open_path(f, "Shut")->fid,
					   MAPI_MESSAGE_USE_CREATE));
	/* others' messages, and those of whom nobody knows it */
	folder = open_path(f, "Open");
	assert_int_equal(mapi_folder_open_mailbox(folder), EC_NONE);
	assert_int_equal(first_access(folder), MAPI_ACCESS_READ);

	assert_int_equal(relogin(f, bob_fields, "bob"), EC_NONE);
	assert_int_equal(rights_in(f, "Upper/Lower"), 0x41b);

	/* another ACL, whose letters have no more to say than before */
	assert_int_equal(relogin(f, owner_fields, NULL), EC_NONE);
	assert_int_equal(mapi_acl_set(f->store->acl, "Upper", "user=carol",
				      MAPI_ACL_LOOKUP | MAPI_ACL_READ |
				      MAPI_ACL_INSERT), EC_NONE);
	assert_int_equal(relogin(f, staff_fields, "carol"), EC_NONE);
	assert_int_equal(rights_in(f, "Upper"), 0x403);
	/* the owner himself has all rights, whatever lists say */
	assert_int_equal(relogin(f, owner_fields, NULL), EC_NONE);
	assert_false(mapi_folder_is_for_own(f->store,
					    open_path(f, "Open")->fid,
					    MAPI_MESSAGE_USE_EDIT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delegate, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_internal, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_owned, setup, teardown),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
