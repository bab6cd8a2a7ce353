/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stores and folder trees of real mailboxes, in each storage format and with
   the namespaces that administrators use. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "mail-storage.h"
#include "mail-namespace.h"
#include "mail-user.h"
#include "mapi-folder.h"
#include "test-storage-common.h"

#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

static const struct mapi_store_settings store_set = {
	.companion_root = "mapi-internal",
	.organization = "Test",
	.display_name = "",
	.email_address = "user@example.com",
};

struct variant {
	const char *name, *driver;
	const char *const *fields;
	const char *prefix;
	char sep;
};

static const char *const fields_inbox_prefix[] = {
	"namespace/inbox/prefix=INBOX.", "namespace/inbox/separator=.", NULL
};
static const char *const fields_fs[] = {
	"mail=maildir:~/mail:LAYOUT=fs", NULL
};
static const char *const fields_inbox_prefix_slash[] = {
	"namespace/inbox/prefix=INBOX/", NULL
};
static const char *const fields_two_namespaces[] = {
	"namespace=inbox root",
	"namespace/inbox/prefix=Mail/",
	"namespace/root/prefix=", "namespace/root/separator=/",
	"namespace/root/location=sdbox:~/other",
	"namespace/root/hidden=yes", "namespace/root/list=no", NULL
};
static const char *const fields_no_list_index[] = {
	"mailbox_list_index=no", NULL
};

static const struct variant variants[] = {
	{ "maildir", "maildir", NULL, "", '/' },
	{ "sdbox", "sdbox", NULL, "", '/' },
	{ "mdbox", "mdbox", NULL, "", '/' },
	{ "maildir, INBOX.", "maildir", fields_inbox_prefix, "INBOX.", '.' },
	{ "maildir, layout fs", "maildir", fields_fs, "", '/' },
	{ "sdbox, INBOX/", "sdbox", fields_inbox_prefix_slash, "INBOX/", '/' },
	{ "sdbox, two namespaces", "sdbox", fields_two_namespaces, "Mail/",
	  '/' },
	{ "sdbox, no list index", "sdbox", fields_no_list_index, "", '/' },
};

static const char *vname(const struct variant *v, const char *name)
{
	string_t *str = t_str_new(64);

	str_append(str, v->prefix);
	for (; *name != '\0'; name++)
		str_append_c(str, *name == '/' ? v->sep : *name);
	return str_c(str);
}

static struct mapi_store *open_store(struct test_storage *ts)
{
	struct mapi_store *store;

	assert_int_equal(mapi_store_open(NULL, ts->user, &store_set, &store),
			 EC_NONE);
	return store;
}

static void make_mailbox(struct test_storage *ts, const char *name)
{
	struct mailbox *box = test_storage_open(ts, name);

	mailbox_free(&box);
}

static struct mapi_folder_node *
find_child(struct mapi_folder_node *node, const char *name)
{
	struct mapi_folder_node *child;

	for (child = node->first_child; child != NULL;
	     child = child->next_sibling) {
		if (strcmp(child->display_name, name) == 0)
			return child;
	}
	return NULL;
}

static struct mapi_folder_node *
special_node(struct mapi_store *store, enum mapi_special_folder special)
{
	return mapi_folder_tree_lookup(store,
		mapi_store_special_fid(store, special));
}

static struct mapi_folder_node *ipm_child(struct mapi_store *store,
					  const char *name)
{
	return find_child(special_node(store, MAPI_SPECIAL_IPM_SUBTREE), name);
}

/* "fid name class" of all folders, sorted by tree order */
static void describe(struct mapi_folder_node *node, unsigned int depth,
		     string_t *str)
{
	str_printfa(str, "%*s%"PRIx64" %s [%s] %s\n", depth, "", node->fid,
		    node->display_name, node->container_class,
		    node->vname == NULL ? "-" : node->vname);
	for (node = node->first_child; node != NULL; node = node->next_sibling)
		describe(node, depth + 1, str);
}

static const char *describe_tree(struct mapi_store *store)
{
	string_t *str = t_str_new(1024);

	describe(special_node(store, MAPI_SPECIAL_ROOT), 0, str);
	return str_c(str);
}

static void test_new_store(void **state)
{
	static const struct {
		enum mapi_special_folder special;
		const char *name, *class;
	} folders[] = {
		{ MAPI_SPECIAL_INBOX, "Inbox", "IPF.Note" },
		{ MAPI_SPECIAL_OUTBOX, "Outbox", "IPF.Note" },
		{ MAPI_SPECIAL_SENT_ITEMS, "Sent Items", "IPF.Note" },
		{ MAPI_SPECIAL_DELETED_ITEMS, "Deleted Items", "IPF.Note" },
		{ MAPI_SPECIAL_DRAFTS, "Drafts", "IPF.Note" },
		{ MAPI_SPECIAL_JUNK, "Junk Email", "IPF.Note" },
		{ MAPI_SPECIAL_CALENDAR, "Calendar", "IPF.Appointment" },
		{ MAPI_SPECIAL_CONTACTS, "Contacts", "IPF.Contact" },
		{ MAPI_SPECIAL_JOURNAL, "Journal", "IPF.Journal" },
		{ MAPI_SPECIAL_NOTES, "Notes", "IPF.StickyNote" },
		{ MAPI_SPECIAL_TASKS, "Tasks", "IPF.Task" },
	};
	const struct variant *v = *state;
	struct test_storage *ts =
		test_storage_init_fields(v->driver, v->fields);
	struct mapi_store *store = open_store(ts);
	struct mapi_folder_node *node, *root;
	unsigned int i;

	root = special_node(store, MAPI_SPECIAL_ROOT);
	assert_non_null(root);
	assert_null(root->parent);
	for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
		node = special_node(store, i);
		assert_non_null(node);
		assert_int_equal(node->special, i);
		assert_int_equal(MAPI_ID_REPLID(node->fid), MAPI_STORE_REPLID);
		assert_true(MAPI_ID_GLOBCNT(node->fid) >> 32 == 0);
		while (node->parent != NULL) {
			assert_int_equal(node->parent_fid, node->parent->fid);
			node = node->parent;
		}
		assert_ptr_equal(node, root);
	}
	for (i = 0; i < N_ELEMENTS(folders); i++) {
		node = special_node(store, folders[i].special);
		assert_string_equal(node->display_name, folders[i].name);
		assert_string_equal(node->container_class, folders[i].class);
		assert_ptr_equal(node->parent,
				 special_node(store, MAPI_SPECIAL_IPM_SUBTREE));
		assert_non_null(node->vname);
	}
	assert_int_equal(special_node(store, MAPI_SPECIAL_IPM_SUBTREE)->
			 child_count, N_ELEMENTS(folders));
	talloc_free(store);
	test_storage_deinit(&ts);
}

static void test_stable(void **state)
{
	const struct variant *v = *state;
	struct test_storage *ts =
		test_storage_init_fields(v->driver, v->fields);
	struct mapi_store *store;
	struct mapi_guid replica, mailbox;
	const char *before;
	unsigned int i;

	make_mailbox(ts, vname(v, "Work"));
	make_mailbox(ts, vname(v, "Work/Alpha"));
	make_mailbox(ts, vname(v, "Lists/dovecot"));
	make_mailbox(ts, vname(v, "Grüße"));
	store = open_store(ts);
	before = t_strdup(describe_tree(store));
	replica = *mapi_store_replica_guid(store);
	mailbox = *mapi_store_mailbox_guid(store);
	assert_memory_not_equal(&replica, &mailbox, sizeof(replica));
	assert_non_null(find_child(ipm_child(store, "Work"), "Alpha"));
	/* a parent that is no mailbox */
	assert_non_null(ipm_child(store, "Lists"));
	assert_non_null(find_child(ipm_child(store, "Lists"), "dovecot"));
	assert_non_null(ipm_child(store, "Grüße"));
	/* nothing of the companion tree is in it */
	assert_null(ipm_child(store, "mapi-internal"));
	talloc_free(store);

	for (i = 0; i < 3; i++) {
		test_storage_relogin(ts);
		store = open_store(ts);
		assert_string_equal(describe_tree(store), before);
		assert_memory_equal(mapi_store_replica_guid(store), &replica,
				    sizeof(replica));
		assert_memory_equal(mapi_store_mailbox_guid(store), &mailbox,
				    sizeof(mailbox));
		assert_int_equal(mapi_folder_tree_refresh(store), EC_NONE);
		assert_string_equal(describe_tree(store), before);
		talloc_free(store);
	}
	test_storage_deinit(&ts);
}

static void rename_mailbox(struct test_storage *ts, const char *from,
			   const char *to)
{
	struct mail_namespace *ns =
		mail_namespace_find(ts->user->namespaces, from);
	struct mailbox *src = mailbox_alloc(ns->list, from, 0);
	struct mailbox *dest = mailbox_alloc(ns->list, to, 0);

	assert_int_equal(mailbox_rename(src, dest), 0);
	mailbox_free(&src);
	mailbox_free(&dest);
}

static void delete_mailbox(struct test_storage *ts, const char *name)
{
	struct mail_namespace *ns =
		mail_namespace_find(ts->user->namespaces, name);
	struct mailbox *box = mailbox_alloc(ns->list, name, 0);

	assert_int_equal(mailbox_delete(box), 0);
	mailbox_free(&box);
}

static void test_rename(void **state)
{
	const struct variant *v = *state;
	struct test_storage *ts =
		test_storage_init_fields(v->driver, v->fields);
	struct mapi_store *store;
	struct mapi_folder_node *node;
	mapi_id_t fid, sent_fid, second_fid;
	const char *sent;

	make_mailbox(ts, vname(v, "One"));
	store = open_store(ts);
	fid = ipm_child(store, "One")->fid;
	node = special_node(store, MAPI_SPECIAL_SENT_ITEMS);
	sent_fid = node->fid;
	sent = t_strdup(node->vname);

	rename_mailbox(ts, vname(v, "One"), vname(v, "Two"));
	rename_mailbox(ts, sent, vname(v, "Gesendet"));
	/* another one with the old name is another one */
	make_mailbox(ts, vname(v, "One"));
	assert_int_equal(mapi_folder_tree_refresh(store), EC_NONE);
	node = mapi_folder_tree_lookup(store, fid);
	assert_non_null(node);
	assert_string_equal(node->display_name, "Two");
	node = mapi_folder_tree_lookup(store, sent_fid);
	assert_string_equal(node->display_name, "Sent Items");
	assert_string_equal(node->vname, vname(v, "Gesendet"));
	assert_int_equal(mapi_store_special_fid(store, MAPI_SPECIAL_SENT_ITEMS),
			 sent_fid);
	second_fid = ipm_child(store, "One")->fid;
	assert_int_not_equal(second_fid, fid);

	/* deleted and made again between two looks: for clients, it's the same
	   folder with other messages */
	delete_mailbox(ts, vname(v, "Two"));
	make_mailbox(ts, vname(v, "Two"));
	assert_int_equal(mapi_folder_tree_refresh(store), EC_NONE);
	assert_int_equal(ipm_child(store, "Two")->fid, fid);

	delete_mailbox(ts, vname(v, "Two"));
	assert_int_equal(mapi_folder_tree_refresh(store), EC_NONE);
	assert_null(mapi_folder_tree_lookup(store, fid));
	talloc_free(store);
	test_storage_deinit(&ts);
}

static void test_special_deleted(void **state)
{
	const struct variant *v = *state;
	struct test_storage *ts =
		test_storage_init_fields(v->driver, v->fields);
	struct mapi_store *store = open_store(ts);
	mapi_id_t fid;

	/* Journal isn't needed */
	delete_mailbox(ts, t_strdup(special_node(store,
			MAPI_SPECIAL_JOURNAL)->vname));
	/* Deleted Items is */
	fid = mapi_store_special_fid(store, MAPI_SPECIAL_DELETED_ITEMS);
	assert_true(fid != 0);
	delete_mailbox(ts, t_strdup(special_node(store,
			MAPI_SPECIAL_DELETED_ITEMS)->vname));
	assert_int_equal(mapi_folder_tree_refresh(store), EC_NONE);
	assert_int_equal(mapi_store_special_fid(store, MAPI_SPECIAL_JOURNAL),
			 0);
	assert_int_equal(mapi_store_special_fid(store,
			MAPI_SPECIAL_DELETED_ITEMS), fid);
	talloc_free(store);

	test_storage_relogin(ts);
	store = open_store(ts);
	assert_int_equal(mapi_store_special_fid(store, MAPI_SPECIAL_JOURNAL),
			 0);
	assert_null(ipm_child(store, "Journal"));
	assert_non_null(special_node(store, MAPI_SPECIAL_DELETED_ITEMS));

	/* until somebody makes one */
	make_mailbox(ts, vname(v, "Journal"));
	assert_int_equal(mapi_folder_tree_refresh(store), EC_NONE);
	assert_non_null(special_node(store, MAPI_SPECIAL_JOURNAL));
	talloc_free(store);
	test_storage_deinit(&ts);
}

static void test_special_existing(void **state)
{
	static const char *const fields[] = {
		"namespace/inbox/mailbox=Entwuerfe Papierkorb",
		"namespace/inbox/mailbox/Entwuerfe/name=Entwuerfe",
		"namespace/inbox/mailbox/Entwuerfe/special_use=\\Drafts",
		"namespace/inbox/mailbox/Papierkorb/name=Papierkorb",
		"namespace/inbox/mailbox/Papierkorb/special_use=\\Trash",
		NULL
	};
	static const char mail[] = "Subject: x\n\nx\n";
	struct test_storage *ts = test_storage_init_fields("sdbox", fields);
	struct mapi_store *store;
	struct mapi_folder_node *node;

	make_mailbox(ts, "Entwuerfe");
	make_mailbox(ts, "Drafts");
	make_mailbox(ts, "Sent Items");
	make_mailbox(ts, "Spam");
	/* a folder with mail is no calendar; an empty one may be */
	(void)test_storage_save(ts, "Calendar", mail, strlen(mail), 0, NULL, 0);
	make_mailbox(ts, "Tasks");
	store = open_store(ts);

	/* by attribute, before the name */
	node = special_node(store, MAPI_SPECIAL_DRAFTS);
	assert_string_equal(node->vname, "Entwuerfe");
	/* "Drafts" is beside it */
	assert_string_equal(node->display_name, "Entwuerfe");
	assert_non_null(ipm_child(store, "Drafts"));
	/* by name */
	node = special_node(store, MAPI_SPECIAL_SENT_ITEMS);
	assert_string_equal(node->vname, "Sent Items");
	node = special_node(store, MAPI_SPECIAL_JUNK);
	assert_string_equal(node->vname, "Spam");
	assert_string_equal(node->display_name, "Junk Email");
	node = special_node(store, MAPI_SPECIAL_TASKS);
	assert_string_equal(node->vname, "Tasks");
	/* created with the configured name */
	node = special_node(store, MAPI_SPECIAL_DELETED_ITEMS);
	assert_string_equal(node->vname, "Papierkorb");
	assert_string_equal(node->display_name, "Deleted Items");
	/* created beside what has its name */
	node = special_node(store, MAPI_SPECIAL_CALENDAR);
	assert_string_equal(node->vname, "Calendar (Outlook)");
	assert_string_equal(node->container_class, "IPF.Appointment");
	assert_string_equal(ipm_child(store, "Calendar")->container_class,
			    "IPF.Note");
	talloc_free(store);
	test_storage_deinit(&ts);
}

/* An administrator has copied a Maildir with everything in it. */
static void test_same_guid(void **state)
{
	static const char *const names[] = { "One", "Two", "Zero" };
	struct test_storage *ts = test_storage_init("maildir");
	struct mapi_folder *folders[N_ELEMENTS(names)];
	struct mapi_store *store;
	const char *before;
	mapi_id_t fid;
	unsigned int i, j;

	make_mailbox(ts, "One");
	store = open_store(ts);
	fid = ipm_child(store, "One")->fid;
	talloc_free(store);
	assert_int_equal(system(t_strdup_printf(
		"cd %s/mail && cp -r .One .Two && cp -r .One .Zero",
		ts->home)), 0);
	test_storage_relogin(ts);
	store = open_store(ts);
	assert_non_null(ipm_child(store, "One"));
	assert_non_null(ipm_child(store, "Two"));
	assert_non_null(ipm_child(store, "Zero"));
	assert_true(ipm_child(store, "One")->fid == fid ||
		    ipm_child(store, "Two")->fid == fid ||
		    ipm_child(store, "Zero")->fid == fid);
	before = t_strdup(describe_tree(store));
	for (i = 0; i < 2; i++) {
		talloc_free(store);
		test_storage_relogin(ts);
		store = open_store(ts);
		assert_string_equal(describe_tree(store), before);
	}
	/* and no two messages with one id */
	for (i = 0; i < N_ELEMENTS(folders); i++) {
		assert_int_equal(mapi_folder_open(store, store,
			ipm_child(store, names[i])->fid, &folders[i]), EC_NONE);
		assert_int_equal(mapi_folder_open_mailbox(folders[i]), EC_NONE);
		for (j = 0; j < i; j++) {
			assert_int_not_equal(folders[i]->id_block,
					     folders[j]->id_block);
			assert_int_not_equal(folders[i]->change_block,
					     folders[j]->change_block);
		}
	}
	talloc_free(store);
	test_storage_deinit(&ts);
}

int main(void)
{
	static const struct {
		const char *name;
		CMUnitTestFunction func;
	} tests[] = {
		{ "new store", test_new_store },
		{ "stable ids", test_stable },
		{ "renaming and deleting", test_rename },
		{ "deleted special folders", test_special_deleted },
	};
	struct CMUnitTest all[N_ELEMENTS(tests) * N_ELEMENTS(variants) + 2];
	char names[N_ELEMENTS(all)][64];
	unsigned int i, j, n = 0;

	memset(all, 0, sizeof(all));
	for (i = 0; i < N_ELEMENTS(variants); i++) {
		for (j = 0; j < N_ELEMENTS(tests); j++, n++) {
			(void)snprintf(names[n], sizeof(names[n]), "%s (%s)",
				       tests[j].name, variants[i].name);
			all[n].name = names[n];
			all[n].test_func = tests[j].func;
			all[n].initial_state = (void *)&variants[i];
		}
	}
	all[n].name = "existing special folders";
	all[n++].test_func = test_special_existing;
	all[n].name = "mailboxes with the same GUID";
	all[n++].test_func = test_same_guid;
	return cmocka_run_group_tests(all, NULL, NULL);
}
