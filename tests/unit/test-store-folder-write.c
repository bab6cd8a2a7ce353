/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Creating, changing, moving, copying and deleting folders: what it does to the
   mailboxes, what it does to ids, and what is refused. On all storage formats. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "mail-storage-private.h"
#include "mailbox-list-private.h"
#include "mail-namespace.h"
#include "mail-user.h"
#include "mapi-enums.h"
#include "mapi-bags.h"
#include "mapi-folder-copy.h"
#include "mapi-message-folder.h"
#include "mapi-props.h"

#include <setjmp.h>
#include <cmocka.h>

#include "store-fixture.h"

static const char mail_text[] = "From: a@example.com\nSubject: x\n\nhello\n";

static mapi_id_t create(struct fixture *f, mapi_id_t parent, const char *name)
{
	struct mapi_folder *folder;
	mapi_id_t fid;

	enum mapi_error ret;

	ret = mapi_folder_create(f->mem, f->store, parent, name, "", FALSE,
				 &folder);
	if (ret != EC_NONE)
		fail_msg("creating \"%s\": 0x%x", name, ret);
	fid = folder->fid;
	talloc_free(folder);
	return fid;
}

static enum mapi_error
create_error(struct fixture *f, mapi_id_t parent, const char *name)
{
	struct mapi_folder *folder = NULL;
	enum mapi_error ret;

	ret = mapi_folder_create(f->mem, f->store, parent, name, "", FALSE,
				 &folder);
	if (ret == EC_NONE)
		talloc_free(folder);
	return ret;
}

static const char *vname_of(struct fixture *f, mapi_id_t fid)
{
	struct mapi_folder_node *node;

	assert_int_equal(mapi_folder_tree_refresh(f->store), EC_NONE);
	node = mapi_folder_tree_lookup(f->store, fid);
	return node == NULL || node->path == NULL ? "" : node->path;
}

static bool exists(struct fixture *f, const char *vname)
{
	struct mail_namespace *ns =
		mail_namespace_find_inbox(f->ts->user->namespaces);
	struct mailbox *box = mailbox_alloc(ns->list, vname, 0);
	enum mailbox_existence existence;

	assert_int_equal(mailbox_exists(box, FALSE, &existence), 0);
	mailbox_free(&box);
	return existence == MAILBOX_EXISTENCE_SELECT;
}

static bool subscribed(struct fixture *f, const char *vname)
{
	struct mail_namespace *ns =
		mail_namespace_find_inbox(f->ts->user->namespaces);
	struct mailbox *box;
	bool ret;

	assert_int_equal(mailbox_list_iter_subscriptions_refresh(ns->list), 0);
	box = mailbox_alloc(ns->list, vname, 0);
	ret = mailbox_is_subscribed(box);
	mailbox_free(&box);
	return ret;
}

static void save(struct fixture *f, const char *vname, unsigned int count)
{
	while (count-- > 0) {
		(void)test_storage_save(f->ts, vname, mail_text,
					strlen(mail_text), 0, NULL, 0);
	}
}

static unsigned int messages(struct fixture *f, const char *vname)
{
	struct mailbox *box = test_storage_open(f->ts, vname);
	struct mailbox_status status;

	mailbox_get_open_status(box, STATUS_MESSAGES, &status);
	mailbox_free(&box);
	return status.messages;
}

static const char *
get_str(struct fixture *f, mapi_id_t fid, uint32_t tag)
{
	struct mapi_folder_node *node = mapi_folder_tree_lookup(f->store, fid);
	struct mapi_value value;

	assert_non_null(node);
	assert_int_equal(mapi_folder_node_get_props(f->store, node, f->mem,
						    &tag, 1, SIZE_MAX, &value), EC_NONE);
	return value.type == PTYP_STRING ? value.u.str : NULL;
}

static int64_t change_number(struct fixture *f, mapi_id_t fid)
{
	struct mapi_folder_node *node = mapi_folder_tree_lookup(f->store, fid);
	uint32_t tag = PIDTAG_CHANGE_NUMBER;
	struct mapi_value value;

	assert_non_null(node);
	assert_int_equal(mapi_folder_node_get_props(f->store, node, f->mem,
						    &tag, 1, SIZE_MAX, &value), EC_NONE);
	return value.u.i64;
}

static mapi_id_t fid_of(struct fixture *f, const char *path)
{
	struct mapi_folder_node *node;

	assert_int_equal(mapi_folder_tree_refresh(f->store), EC_NONE);
	node = mapi_folder_tree_lookup_path(f->store, path);
	assert_non_null(node);
	return node->fid;
}

/* As an IMAP client would */
static void
rename_mailbox(struct fixture *f, const char *vname, const char *new_vname)
{
	struct mail_namespace *ns =
		mail_namespace_find_inbox(f->ts->user->namespaces);
	struct mailbox *src = mailbox_alloc(ns->list, vname, 0);
	struct mailbox *dest = mailbox_alloc(ns->list, new_vname, 0);

	assert_int_equal(mailbox_rename(src, dest), 0);
	mailbox_free(&src);
	mailbox_free(&dest);
}

static enum mapi_error
delete(struct fixture *f, mapi_id_t fid, uint8_t flags, bool *partial_r)
{
	return mapi_folder_delete(f->store, fid, flags, partial_r);
}

/* --- creating -------------------------------------------------------------- */

static void test_create(void **state)
{
	struct fixture *f = *state;
	struct mapi_folder *folder, *again;
	mapi_id_t fid, sub, in_inbox;

	assert_int_equal(mapi_folder_create(f->mem, f->store, f->top,
		"Gr\xc3\xbc\xc3\x9f""e", "For \xe2\x82\xac", FALSE, &folder),
		EC_NONE);
	fid = folder->fid;
	assert_true(exists(f, "Gr\xc3\xbc\xc3\x9f""e"));
	assert_true(subscribed(f, "Gr\xc3\xbc\xc3\x9f""e"));
	assert_string_equal(get_str(f, fid, PIDTAG_COMMENT),
			    "For \xe2\x82\xac");
	/* it can be used at once */
	assert_int_equal(mapi_folder_open_mailbox(folder), EC_NONE);
	assert_non_null(folder->box);

	assert_int_equal(create_error(f, f->top, "gr\xc3\x9c\xc3\x9f""E"),
			 EC_DUPLICATE_NAME);
	assert_int_equal(mapi_folder_create(f->mem, f->store, f->top,
		"Gr\xc3\x9c\xc3\x9f""e", "Other", TRUE, &again), EC_NONE);
	assert_true(again->fid == fid);
	/* an existing one stays as it is */
	assert_string_equal(get_str(f, fid, PIDTAG_COMMENT),
			    "For \xe2\x82\xac");

	sub = create(f, fid, "Sub");
	in_inbox = create(f, f->inbox, "Sub");
	assert_true(sub != in_inbox && sub != fid);
	assert_true(exists(f, "INBOX/Sub"));
	assert_true(mapi_folder_tree_lookup(f->store, sub)->parent_fid == fid);
	assert_true(mapi_folder_tree_lookup(f->store, in_inbox)->parent_fid ==
		    f->inbox);

	/* special folders are found by the name that clients see, and by that
	   of the mailbox */
	assert_int_equal(mapi_folder_create(f->mem, f->store, f->top,
		"Deleted Items", "", TRUE, &again), EC_NONE);
	assert_true(again->fid == f->trash);
	assert_int_equal(mapi_folder_create(f->mem, f->store, f->top,
		"trash", "", TRUE, &again), EC_NONE);
	assert_true(again->fid == f->trash);
	assert_int_equal(create_error(f, f->top, "inbox"), EC_DUPLICATE_NAME);

	fixture_reopen(f);
	assert_string_equal(vname_of(f, sub), "Gr\xc3\xbc\xc3\x9f""e/Sub");
	assert_string_equal(get_str(f, fid, PIDTAG_COMMENT),
			    "For \xe2\x82\xac");
}

static void test_names(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
		"",
		/* half of a surrogate pair, as the codec has it */
		"a\xed\xa0\xbd", "\xed\xb8\x80""b",
	};
	/* what mailboxes can't be called */
	static const char *const odd[] = {
		"x/y", "x:y/z", ".", "..", "/a", "a/", "a\nb", "\x01", "a\x7f",
		"a\xc2\x80", "a\xe2\x80\xa8""b", "\xef\xbf\xbd", "a\tb",
		/* to lib-storage somebody's home folder */
		"~", "~root",
	};
	mapi_id_t odd_fids[N_ELEMENTS(odd)];
	static const char *const good[] = {
		"a b", " a", "a&b", "a%", "a*", "\"", "\\", "'", "-",
		"\xf0\x9f\x98\x80", "\xe6\x97\xa5\xe6\x9c\xac", "#x", "a:b",
	};
	string_t *name = t_str_new(1024);
	struct mapi_folder *folder;
	unsigned int i;
	mapi_id_t fid;

	for (i = 0; i < N_ELEMENTS(bad); i++) {
		assert_int_equal(create_error(f, f->top, bad[i]),
				 EC_INVALID_PARAM);
	}
	for (i = 0; i < N_ELEMENTS(good); i++) {
		fid = create(f, f->top, good[i]);
		assert_string_equal(vname_of(f, fid), good[i]);
		assert_string_equal(get_str(f, fid, PIDTAG_DISPLAY_NAME),
				    good[i]);
	}
	for (i = 0; i < N_ELEMENTS(odd); i++)
		odd_fids[i] = create(f, f->top, odd[i]);
	/* Maildir++ has '.' between the names */
	fid = create(f, f->top, "a.b");
	assert_string_equal(vname_of(f, fid),
			    strcmp(f->ts->driver, "maildir") == 0 ?
			    "a-b (4)" : "a.b");
	assert_string_equal(get_str(f, fid, PIDTAG_DISPLAY_NAME), "a.b");
	fixture_reopen(f);
	assert_string_equal(vname_of(f, odd_fids[0]), "x-y");
	assert_string_equal(vname_of(f, odd_fids[1]), "x:y-z");
	for (i = 0; i < N_ELEMENTS(odd); i++) {
		assert_true(exists(f, vname_of(f, odd_fids[i])));
		assert_string_equal(get_str(f, odd_fids[i],
					    PIDTAG_DISPLAY_NAME), odd[i]);
		assert_int_equal(create_error(f, f->top, odd[i]),
				 EC_DUPLICATE_NAME);
	}

	/* too long at all; for a file name in modified UTF-7 */
	for (i = 0; i < 256; i++)
		str_append_c(name, 'x');
	assert_int_equal(create_error(f, f->top, str_c(name)),
			 EC_INVALID_PARAM);
	str_truncate(name, 200);
	fid = create(f, f->top, str_c(name));
	fid = create(f, fid, str_c(name));
	assert_string_equal(get_str(f, fid, PIDTAG_DISPLAY_NAME), str_c(name));
	if (strcmp(f->ts->driver, "maildir") == 0) {
		/* there's no room for any name */
		assert_int_equal(create_error(f, fid, "x"), EC_INVALID_PARAM);
	}
	str_truncate(name, 0);
	for (i = 0; i < 200; i++)
		str_append(name, "\xc3\xbc");
	fid = create(f, f->top, str_c(name));
	fixture_reopen(f);
	assert_string_equal(get_str(f, fid, PIDTAG_DISPLAY_NAME), str_c(name));
	str_append_c(name, 'x');
	odd_fids[0] = create(f, f->top, str_c(name));
	assert_string_equal(get_str(f, odd_fids[0], PIDTAG_DISPLAY_NAME),
			    str_c(name));
	assert_true(strcmp(vname_of(f, fid), vname_of(f, odd_fids[0])) != 0);
	/* never seen by anybody */
	assert_int_equal(create_error(f, f->top, "mapi-internal"),
			 EC_DUPLICATE_NAME);
	assert_int_equal(create_error(f, MAPI_ID(5, 0x7fff), "x"),
			 EC_OBJECT_DELETED);

	while (str_len(name) <= 4096)
		str_append_c(name, 'c');
	assert_int_equal(mapi_folder_create(f->mem, f->store, f->top, "y",
		str_c(name), FALSE, &folder), EC_TOO_BIG);
	assert_false(exists(f, "y"));
	assert_false(subscribed(f, "y"));
	assert_false(subscribed(f, "a\nb"));
}

/* --- renaming and moving ------------------------------------------------------ */

static void test_move(void **state)
{
	struct fixture *f = *state;
	struct mapi_folder *folder;
	mapi_id_t a, b, c, mid;
	int64_t cn;
	uint32_t uid;
	bool associated;

	a = create(f, f->top, "A");
	b = create(f, a, "B");
	c = create(f, f->top, "C");
	save(f, "A/B", 3);
	assert_int_equal(mapi_folder_open(f->mem, f->store, b, &folder),
			 EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	mid = mapi_folder_mid(folder, FALSE, 2);

	/* another name */
	cn = change_number(f, a);
	assert_int_equal(mapi_folder_move(f->store, a, f->top, "A2"), EC_NONE);
	assert_string_equal(vname_of(f, a), "A2");
	assert_string_equal(vname_of(f, b), "A2/B");
	assert_true(exists(f, "A2") && exists(f, "A2/B"));
	assert_false(exists(f, "A") || exists(f, "A/B"));
	assert_true(subscribed(f, "A2") && subscribed(f, "A2/B"));
	assert_false(subscribed(f, "A") || subscribed(f, "A/B"));
	assert_true(change_number(f, a) != cn);
	/* an open folder follows, and its messages' ids are the same */
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	assert_string_equal(folder->box->vname, "A2/B");
	assert_true(mapi_folder_mid(folder, FALSE, 2) == mid);
	assert_int_equal(mapi_folder_mid_to_uid(folder, mid, &associated, &uid),
			 EC_NONE);
	assert_int_equal(uid, 2);

	/* of which only the case differs */
	assert_int_equal(mapi_folder_move(f->store, a, f->top, "a2"), EC_NONE);
	assert_string_equal(vname_of(f, a), "a2");
	/* another parent, the same name */
	assert_int_equal(mapi_folder_move(f->store, a, f->trash, ""), EC_NONE);
	assert_string_equal(vname_of(f, b), "Trash/a2/B");
	/* both */
	assert_int_equal(mapi_folder_move(f->store, b, c, "BB"), EC_NONE);
	assert_string_equal(vname_of(f, b), "C/BB");
	assert_int_equal(messages(f, "C/BB"), 3);
	/* nothing at all */
	assert_int_equal(mapi_folder_move(f->store, b, c, "BB"), EC_NONE);

	fixture_reopen(f);
	assert_string_equal(vname_of(f, a), "Trash/a2");
	assert_string_equal(vname_of(f, b), "C/BB");
	assert_int_equal(mapi_folder_open(f->mem, f->store, b, &folder),
			 EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	assert_true(mapi_folder_mid(folder, FALSE, 2) == mid);
}

static void test_move_errors(void **state)
{
	struct fixture *f = *state;
	mapi_id_t a, b, c;
	unsigned int special;

	a = create(f, f->top, "A");
	b = create(f, a, "B");
	c = create(f, b, "C");
	(void)create(f, f->top, "Taken");

	assert_int_equal(mapi_folder_move(f->store, a, a, ""),
			 EC_FOLDER_CYCLE);
	assert_int_equal(mapi_folder_move(f->store, a, c, "x"),
			 EC_FOLDER_CYCLE);
	assert_int_equal(mapi_folder_move(f->store, b, f->top, "tAken"),
			 EC_DUPLICATE_NAME);
	assert_int_equal(mapi_folder_move(f->store, a, f->top, "Deleted Items"),
			 EC_DUPLICATE_NAME);
	assert_int_equal(mapi_folder_move(f->store, b, f->top, "x\xed\xa0\xbd"),
			 EC_INVALID_PARAM);
	assert_int_equal(mapi_folder_move(f->store, MAPI_ID(5, 0x7fff), f->top,
					  "x"), EC_NOT_FOUND);
	assert_int_equal(mapi_folder_move(f->store, b, MAPI_ID(5, 0x7fff),
					  "x"), EC_OBJECT_DELETED);
	for (special = 0; special < MAPI_SPECIAL_COUNT; special++) {
		mapi_id_t fid = mapi_store_special_fid(f->store, special);

		assert_true(fid != 0);
		assert_int_equal(mapi_folder_move(f->store, fid, a, "x"),
				 EC_ACCESS_DENIED);
	}
	assert_string_equal(vname_of(f, c), "A/B/C");
	assert_true(subscribed(f, "A/B/C"));
	assert_false(subscribed(f, "Taken/C"));
}

/* Parents that aren't mailboxes are nothing but a name. */
static void test_noselect(void **state)
{
	struct fixture *f = *state;
	struct mapi_folder_node *node;
	mapi_id_t parent, child;

	save(f, "None/Child", 1);
	assert_int_equal(mapi_folder_tree_refresh(f->store), EC_NONE);
	node = mapi_folder_tree_lookup_path(f->store, "None");
	assert_non_null(node);
	assert_null(node->vname);
	parent = node->fid;
	node = mapi_folder_tree_lookup_path(f->store, "None/Child");
	assert_non_null(node);
	child = node->fid;

	assert_int_equal(mapi_folder_move(f->store, parent, f->top, "Nobody"),
			 EC_NONE);
	assert_string_equal(vname_of(f, parent), "Nobody");
	assert_string_equal(vname_of(f, child), "Nobody/Child");
	assert_int_equal(messages(f, "Nobody/Child"), 1);
	fixture_reopen(f);
	assert_string_equal(vname_of(f, parent), "Nobody");
	assert_string_equal(vname_of(f, child), "Nobody/Child");
}

/* Names that mailboxes can't have, when folders are renamed, moved and copied */
static void test_odd_names(void **state)
{
	struct fixture *f = *state;
	mapi_id_t a, b, c;
	int64_t cn;

	a = create(f, f->top, "A");
	b = create(f, a, "B/C");
	assert_string_equal(vname_of(f, b), "A/B-C");
	cn = change_number(f, b);
	assert_int_equal(mapi_folder_move(f->store, b, a, "B/D"), EC_NONE);
	assert_string_equal(vname_of(f, b), "A/B-D");
	assert_string_equal(get_str(f, b, PIDTAG_DISPLAY_NAME), "B/D");
	assert_true(change_number(f, b) != cn);
	/* the mailbox keeps its name */
	assert_int_equal(mapi_folder_move(f->store, b, a, "B:D"), EC_NONE);
	assert_int_equal(mapi_folder_move(f->store, b, a, "B-D"), EC_NONE);
	assert_string_equal(vname_of(f, b), "A/B-D");
	assert_string_equal(get_str(f, b, PIDTAG_DISPLAY_NAME), "B-D");
	assert_int_equal(mapi_folder_move(f->store, b, a, "B/D"), EC_NONE);
	assert_string_equal(get_str(f, b, PIDTAG_DISPLAY_NAME), "B/D");
	assert_int_equal(mapi_folder_move(f->store, b, a, "b/d"), EC_NONE);
	assert_string_equal(get_str(f, b, PIDTAG_DISPLAY_NAME), "b/d");

	/* it goes where the folder goes */
	assert_int_equal(mapi_folder_move(f->store, a, f->inbox, "1/2"),
			 EC_NONE);
	assert_string_equal(vname_of(f, b), "INBOX/1-2/b-d");
	assert_string_equal(get_str(f, a, PIDTAG_DISPLAY_NAME), "1/2");
	assert_string_equal(get_str(f, b, PIDTAG_DISPLAY_NAME), "b/d");
	assert_int_equal(fixture_copy_folder(f, a, f->top, "3/4", TRUE),
			 EC_NONE);
	c = fid_of(f, "3-4");
	assert_string_equal(get_str(f, c, PIDTAG_DISPLAY_NAME), "3/4");
	c = fid_of(f, "3-4/b-d");
	assert_string_equal(get_str(f, c, PIDTAG_DISPLAY_NAME), "b/d");

	/* over IMAP it gets another name, which counts */
	rename_mailbox(f, "3-4/b-d", "3-4/new");
	fixture_reopen(f);
	assert_string_equal(get_str(f, c, PIDTAG_DISPLAY_NAME), "new");
	assert_string_equal(get_str(f, b, PIDTAG_DISPLAY_NAME), "b/d");
	rename_mailbox(f, "3-4/new", "moved");
	assert_string_equal(vname_of(f, c), "moved");
	assert_string_equal(get_str(f, c, PIDTAG_DISPLAY_NAME), "moved");
}

/* --- deleting ------------------------------------------------------------------ */

static void test_delete(void **state)
{
	struct fixture *f = *state;
	const uint8_t all = DEL_MESSAGES | DEL_FOLDERS;
	struct mapi_folder *folder;
	mapi_id_t a, b, again;
	bool partial;
	unsigned int special;

	a = create(f, f->top, "A");
	b = create(f, a, "B");
	save(f, "A/B", 2);
	assert_int_equal(mapi_folder_open(f->mem, f->store, b, &folder),
			 EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);

	/* [MS-OXCFOLD] 3.2.5.3: no error, but nothing happens */
	assert_int_equal(delete(f, a, DEL_MESSAGES, &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(delete(f, b, 0, &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(delete(f, a, DEL_FOLDERS, &partial), EC_NONE);
	assert_true(partial);
	assert_true(exists(f, "A/B"));
	assert_int_equal(messages(f, "A/B"), 2);

	assert_int_equal(delete(f, a, all, &partial), EC_NONE);
	assert_false(partial);
	assert_false(exists(f, "A") || exists(f, "A/B"));
	assert_false(subscribed(f, "A") || subscribed(f, "A/B"));
	assert_null(mapi_folder_tree_lookup(f->store, a));
	assert_null(mapi_folder_tree_lookup(f->store, b));
	assert_int_equal(mapi_folder_sync(folder), EC_OBJECT_DELETED);
	assert_int_equal(delete(f, a, all, &partial), EC_NOT_FOUND);

	/* ids aren't used again, and it begins empty */
	again = create(f, f->top, "A");
	assert_true(again != a && again != b);
	assert_int_equal(delete(f, again, 0, &partial), EC_NONE);
	assert_false(partial);
	fixture_reopen(f);
	assert_null(mapi_folder_tree_lookup(f->store, again));
	b = create(f, f->top, "A");
	assert_true(b != again && b != a);

	for (special = 0; special < MAPI_SPECIAL_COUNT; special++) {
		assert_int_equal(delete(f, mapi_store_special_fid(f->store,
				special), all, &partial),
			special == MAPI_SPECIAL_ROOT ?
			EC_NOT_SUPPORTED : EC_ACCESS_DENIED);
	}
	/* one that has a special folder below it */
	assert_int_equal(delete(f, MAPI_ID(5, 0x7fff), all, &partial),
			 EC_NOT_FOUND);
}

static void test_empty(void **state)
{
	struct fixture *f = *state;
	mapi_id_t a, b;
	bool partial;

	a = create(f, f->top, "A");
	b = create(f, a, "B");
	save(f, "A", 5);
	save(f, "A/B", 1);
	assert_int_equal(mapi_folder_empty(f->store, a, FALSE, TRUE, &partial),
			 EC_NONE);
	assert_false(partial);
	assert_int_equal(messages(f, "A"), 0);
	assert_null(mapi_folder_tree_lookup(f->store, b));
	assert_non_null(mapi_folder_tree_lookup(f->store, a));
	assert_true(subscribed(f, "A"));

	/* moved there, and then the folder is emptied: as Outlook does it */
	save(f, "A", 2);
	assert_int_equal(mapi_folder_move(f->store, a, f->trash, ""), EC_NONE);
	save(f, "Trash", 3);
	assert_int_equal(mapi_folder_empty(f->store, f->trash, TRUE, TRUE, &partial),
			 EC_NONE);
	assert_false(partial);
	assert_int_equal(messages(f, "Trash"), 0);
	assert_false(exists(f, "Trash/A"));

	assert_int_equal(mapi_folder_empty(f->store, f->top, FALSE, TRUE, &partial),
			 EC_NOT_SUPPORTED);
	assert_int_equal(mapi_folder_empty(f->store, a, FALSE, TRUE, &partial),
			 EC_OBJECT_DELETED);
}

/* --- copying ------------------------------------------------------------------- */

/* what of an abandoned copy would be left */
static unsigned int count_mailboxes(struct fixture *f, const char *pattern)
{
	struct mail_namespace *ns =
		mail_namespace_find_inbox(f->ts->user->namespaces);
	struct mailbox_list_iterate_context *iter;
	unsigned int count = 0;

	iter = mailbox_list_iter_init(ns->list, pattern,
				      MAILBOX_LIST_ITER_RETURN_NO_FLAGS);
	while (mailbox_list_iter_next(iter) != NULL)
		count++;
	assert_int_equal(mailbox_list_iter_deinit(&iter), 0);
	return count;
}

static void test_copy(void **state)
{
	struct fixture *f = *state;
	struct mapi_property props[] = {
		{ .tag = PIDTAG_CONTAINER_CLASS,
		  .value = mapi_value_str("IPF.Task") },
		{ .tag = PIDTAG_COMMENT, .value = mapi_value_str("words") },
	};
	enum mapi_error errors[N_ELEMENTS(props)];
	struct mapi_folder *folder;
	struct mailbox *box;
	mapi_id_t a, b, copied, copied_b;
	unsigned int i;

	a = create(f, f->top, "A");
	b = create(f, a, "B");
	save(f, "A", 2);
	save(f, "A/B", 3);
	test_storage_set_flags(f->ts, "A", 1, MODIFY_REPLACE,
			       MAIL_SEEN | MAIL_FLAGGED);
	save(f, t_strdup_printf("mapi-internal/fai-%u",
				(unsigned int)MAPI_ID_GLOBCNT(b)), 1);
	assert_int_equal(mapi_folder_open(f->mem, f->store, b, &folder),
			 EC_NONE);
	assert_int_equal(mapi_folder_set_props(&folder->obj, props, 2, errors),
			 EC_NONE);

	assert_int_equal(fixture_copy_folder(f, a, f->inbox, "Copy", TRUE),
			 EC_NONE);
	copied = fid_of(f, "INBOX/Copy");
	copied_b = fid_of(f, "INBOX/Copy/B");
	for (i = 0; i < 2; i++) {
		assert_true(fid_of(f, "A") == a && fid_of(f, "A/B") == b);
		assert_true(fid_of(f, "INBOX/Copy") == copied);
		assert_true(fid_of(f, "INBOX/Copy/B") == copied_b);
		assert_int_equal(messages(f, "A"), 2);
		assert_int_equal(messages(f, "INBOX/Copy"), 2);
		assert_int_equal(messages(f, "INBOX/Copy/B"), 3);
		assert_string_equal(get_str(f, copied_b, PIDTAG_COMMENT),
				    "words");
		assert_string_equal(get_str(f, copied_b,
					    PIDTAG_CONTAINER_CLASS),
				    "IPF.Task");
		assert_string_equal(get_str(f, copied, PIDTAG_CONTAINER_CLASS),
				    "IPF.Note");
		fixture_reopen(f);
	}
	assert_true(subscribed(f, "INBOX/Copy") &&
		    subscribed(f, "INBOX/Copy/B"));
	assert_int_equal(mapi_folder_open(f->mem, f->store, copied_b, &folder),
			 EC_NONE);
	assert_int_equal(mapi_folder_open_associated(folder, &box), EC_NONE);
	assert_non_null(box);
	box = test_storage_open(f->ts, "INBOX/Copy");
	assert_int_equal(mail_index_lookup(box->view, 1)->flags &
			 (MAIL_SEEN | MAIL_FLAGGED), MAIL_SEEN | MAIL_FLAGGED);
	mailbox_free(&box);

	/* without what is below it, and so into it */
	assert_int_equal(fixture_copy_folder(f, a, b, "", FALSE), EC_NONE);
	assert_int_equal(messages(f, "A/B/A"), 2);
	assert_false(exists(f, "A/B/A/B"));
	/* special folders */
	assert_int_equal(fixture_copy_folder(f, mapi_store_special_fid(
		f->store, MAPI_SPECIAL_CALENDAR), a, "", TRUE), EC_NONE);
	assert_string_equal(get_str(f, fid_of(f, "A/Calendar"),
		PIDTAG_CONTAINER_CLASS), "IPF.Appointment");
	assert_int_equal(count_mailboxes(f, "mapi-internal/copy-*"), 0);
}

static void save_bag(struct mapi_bags *bags, struct mail *mail)
{
	struct mapi_bag_new bag;
	const char *guid;

	assert_int_equal(mail_get_special(mail, MAIL_FETCH_GUID, &guid), 0);
	i_zero(&bag);
	bag.guid = guid;
	bag.overlay = mapi_overlay_create(NULL);
	assert_int_equal(mapi_bags_save(bags, &bag), EC_NONE);
	talloc_free((void *)bag.overlay);
}

/* What is changed after it has been copied isn't to be removed by a move. */
static void test_copy_changed(void **state)
{
	struct fixture *f = *state;
	struct mapi_folder_copy copy = {
		.src = f->store, .dest = f->store, .move = TRUE,
	};
	struct mailbox_transaction_context *trans;
	const struct mapi_folder_copied *copied;
	const struct mapi_mail_state *mail_state;
	struct mapi_message_folder *mfolder;
	struct mapi_folder *folder;
	struct mapi_bags *bags;
	struct mail *mail;
	mapi_id_t a;

	a = create(f, f->top, "A");
	save(f, "A", 3);
	assert_int_equal(mapi_folder_tree_refresh(f->store), EC_NONE);
	assert_int_equal(mapi_folder_copy_run(&copy,
		mapi_folder_tree_lookup(f->store, a),
		mapi_folder_tree_lookup(f->store, f->top), "B"), EC_NONE);
	assert_int_equal(messages(f, "B"), 3);
	assert_false(copy.partial);
	assert_int_equal(array_count(&copy.folders), 1);
	copied = array_front(&copy.folders);
	assert_int_equal(array_count(&copied->states[0]), 3);

	test_storage_set_flags(f->ts, "A", 2, MODIFY_ADD, MAIL_FLAGGED);
	assert_int_equal(mapi_message_folder_get(f->store, a, &mfolder,
						 &folder), EC_NONE);
	bags = mapi_folder_bags(folder, FALSE);
	trans = mailbox_transaction_begin(folder->box, 0, __func__);
	mail = mail_alloc(trans, 0, NULL);
	assert_true(mail_set_uid(mail, 3));
	save_bag(bags, mail);
	array_foreach(&copied->states[0], mail_state) {
		assert_true(mail_set_uid(mail, mail_state->uid));
		assert_int_equal(mapi_mail_state_is_same(mail, bags,
							 mail_state),
				 mail_state->uid == 1);
	}
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	mapi_message_folder_release(&mfolder);
}

static void test_copy_errors(void **state)
{
	struct fixture *f = *state;
	mapi_id_t a, b;

	a = create(f, f->top, "A");
	b = create(f, a, "B");
	save(f, "A/B", 1);
	assert_int_equal(fixture_copy_folder(f, a, b, "x", TRUE),
			 EC_FOLDER_CYCLE);
	assert_int_equal(fixture_copy_folder(f, a, a, "x", TRUE),
			 EC_FOLDER_CYCLE);
	assert_int_equal(fixture_copy_folder(f, a, f->top, "", TRUE),
			 EC_DUPLICATE_NAME);
	assert_int_equal(fixture_copy_folder(f, b, f->top, "sent items",
					     TRUE), EC_DUPLICATE_NAME);
	assert_int_equal(fixture_copy_folder(f, b, f->top, "x\xed\xa0\xbd",
					     TRUE), EC_INVALID_PARAM);
	assert_int_equal(fixture_copy_folder(f, f->top, a, "x", TRUE),
			 EC_NOT_SUPPORTED);
	assert_int_equal(fixture_copy_folder(f, MAPI_ID(5, 0x7fff), f->top,
					     "x", TRUE), EC_NOT_FOUND);
	assert_int_equal(fixture_copy_folder(f, b, MAPI_ID(5, 0x7fff),
					     "x", TRUE), EC_OBJECT_DELETED);
	assert_int_equal(count_mailboxes(f, "mapi-internal/copy-*"), 0);
	assert_int_equal(count_mailboxes(f, "x*"), 0);
	assert_false(subscribed(f, "x"));
}

/* --- properties ------------------------------------------------------------------ */

static void test_props(void **state)
{
	struct fixture *f = *state;
	struct mapi_property props[] = {
		{ .tag = PIDTAG_CONTAINER_CLASS,
		  .value = mapi_value_str("IPF.Contact") },
		{ .tag = PIDTAG_DISPLAY_NAME, .value = mapi_value_str("New") },
		{ .tag = PIDTAG_COMMENT, .value = mapi_value_str("words") },
		{ .tag = PIDTAG_ATTRIBUTE_HIDDEN,
		  .value = mapi_value_bool(TRUE) },
		{ .tag = PIDTAG_CONTENT_COUNT, .value = mapi_value_i32(7) },
		{ .tag = MAPI_TAG_AS(PIDTAG_COMMENT, PTYP_INTEGER32),
		  .value = mapi_value_i32(7) },
		{ .tag = MAPI_TAG_AS(PIDTAG_DISPLAY_NAME, PTYP_INTEGER32),
		  .value = mapi_value_i32(7) },
		{ .tag = 0x8001001f, .value = mapi_value_str("x") },
	};
	static const enum mapi_error wanted[] = {
		EC_NONE, EC_NONE, EC_NONE, EC_NONE, EC_COMPUTED,
		EC_UNEXPECTED_TYPE, EC_UNEXPECTED_TYPE, EC_INVALID_PARAM,
	};
	enum mapi_error errors[N_ELEMENTS(props)];
	struct mapi_folder *folder, *inbox;
	unsigned int i;
	mapi_id_t fid;
	int64_t cn;

	fid = create(f, f->top, "Old");
	(void)create(f, f->top, "Taken");
	assert_int_equal(mapi_folder_open(f->mem, f->store, fid, &folder),
			 EC_NONE);
	cn = change_number(f, fid);
	assert_int_equal(folder->obj.v->set_props(&folder->obj, props,
			 N_ELEMENTS(props), errors), EC_NONE);
	for (i = 0; i < N_ELEMENTS(props); i++)
		assert_int_equal(errors[i], wanted[i]);
	assert_true(change_number(f, fid) != cn);
	for (i = 0; i < 2; i++) {
		assert_string_equal(vname_of(f, fid), "New");
		assert_string_equal(get_str(f, fid, PIDTAG_COMMENT), "words");
		assert_string_equal(get_str(f, fid, PIDTAG_CONTAINER_CLASS),
				    "IPF.Contact");
		assert_true(mapi_folder_tree_lookup(f->store, fid)->hidden);
		fixture_reopen(f);
	}

	/* if the name can't be had, nothing is changed */
	props[1].value = mapi_value_str("taken");
	props[2].value = mapi_value_str("other words");
	assert_int_equal(mapi_folder_open(f->mem, f->store, fid, &folder),
			 EC_NONE);
	assert_int_equal(mapi_folder_set_props(&folder->obj, props, 3, errors),
			 EC_DUPLICATE_NAME);
	assert_string_equal(get_str(f, fid, PIDTAG_COMMENT), "words");
	props[1].value = mapi_value_str("");
	assert_int_equal(mapi_folder_set_props(&folder->obj, props, 3, errors),
			 EC_INVALID_PARAM);
	assert_int_equal(mapi_folder_open(f->mem, f->store, f->inbox, &inbox),
			 EC_NONE);
	/* of a special folder, it's not the mailbox's */
	props[1].value = mapi_value_str("Eingang/Post");
	assert_int_equal(mapi_folder_set_props(&inbox->obj, &props[1], 1,
					       errors), EC_NONE);
	for (i = 0; i < 2; i++) {
		assert_string_equal(get_str(f, f->inbox, PIDTAG_DISPLAY_NAME),
				    "Eingang/Post");
		assert_string_equal(vname_of(f, f->inbox), "INBOX");
		fixture_reopen(f);
	}
	assert_int_equal(create_error(f, f->top, "inbox"), EC_DUPLICATE_NAME);
	assert_int_equal(create_error(f, f->top, "eingang/post"),
			 EC_DUPLICATE_NAME);
	assert_int_equal(mapi_folder_open(f->mem, f->store, f->inbox, &inbox),
			 EC_NONE);
	props[1].value = mapi_value_str("TAKEN");
	assert_int_equal(mapi_folder_set_props(&inbox->obj, &props[1], 1,
					       errors), EC_DUPLICATE_NAME);
	props[1].value = mapi_value_str("Inbox");
	assert_int_equal(mapi_folder_set_props(&inbox->obj, &props[1], 1,
					       errors), EC_NONE);
	assert_string_equal(get_str(f, f->inbox, PIDTAG_DISPLAY_NAME),
			    "Inbox");
	assert_int_equal(mapi_folder_open(f->mem, f->store,
		mapi_store_special_fid(f->store, MAPI_SPECIAL_ROOT), &folder),
		EC_NONE);
	assert_int_equal(mapi_folder_set_props(&folder->obj, &props[1], 1,
					       errors), EC_ACCESS_DENIED);
}

int main(int argc, char *argv[])
{
	static const struct fixture_test tests[] = {
		{ "creating", test_create },
		{ "names", test_names },
		{ "names that mailboxes can't have", test_odd_names },
		{ "moving", test_move },
		{ "moving: errors", test_move_errors },
		{ "parents without mailbox", test_noselect },
		{ "deleting", test_delete },
		{ "emptying", test_empty },
		{ "copying", test_copy },
		{ "copying: changed meanwhile", test_copy_changed },
		{ "copying: errors", test_copy_errors },
		{ "properties", test_props },
	};

	return fixture_run(tests, N_ELEMENTS(tests), argc, argv);
}
