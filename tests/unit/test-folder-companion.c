/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Folders that clients make where IMAP clients don't see them. On all storage
   formats. */

#include "lib.h"
#include "mail-storage-private.h"
#include "mailbox-list-private.h"
#include "mail-namespace.h"
#include "mail-user.h"
#include "mapi-enums.h"
#include "mapi-folder-place.h"
#include "mapi-folder-write.h"
#include "mapi-props.h"
#include "mapi-search-folder.h"

#include <setjmp.h>
#include <cmocka.h>

#include "store-fixture.h"

static const char mail[] = "From: a@example.com\nSubject: x\n\nhello\n";

static enum mapi_error
try_create(struct fixture *f, mapi_id_t parent, const char *name,
	   bool open_existing, mapi_id_t *fid_r)
{
	struct mapi_folder *folder;
	enum mapi_error ret;

	ret = mapi_folder_create(f->mem, f->store, parent, name, "words",
				 open_existing, &folder);
	if (ret == EC_NONE) {
		*fid_r = folder->fid;
		talloc_free(folder);
	}
	return ret;
}

static mapi_id_t create(struct fixture *f, mapi_id_t parent, const char *name)
{
	mapi_id_t fid = 0;

	assert_int_equal(try_create(f, parent, name, FALSE, &fid), EC_NONE);
	return fid;
}

static struct mapi_folder_node *node_of(struct fixture *f, mapi_id_t fid)
{
	assert_int_equal(mapi_folder_tree_refresh(f->store), EC_NONE);
	return mapi_folder_tree_lookup(f->store, fid);
}

static void
assert_place(struct fixture *f, mapi_id_t fid, mapi_id_t parent,
	     const char *name)
{
	struct mapi_folder_node *node = node_of(f, fid);

	assert_non_null(node);
	assert_true(node->parent_fid == parent);
	assert_string_equal(node->display_name, name);
	assert_true(node->companion);
	assert_non_null(node->vname);
}

static void save(struct fixture *f, mapi_id_t fid)
{
	test_storage_save(f->ts, node_of(f, fid)->vname, mail,
			  sizeof(mail) - 1, 0, NULL, 1000000000);
}

static uint32_t count_of(struct fixture *f, mapi_id_t fid)
{
	const uint32_t tag = PIDTAG_CONTENT_COUNT;
	struct mapi_value value;

	assert_int_equal(mapi_folder_node_get_props(f->store, node_of(f, fid),
		f->mem, &tag, 1, SIZE_MAX, &value), EC_NONE);
	assert_int_equal(value.type, PTYP_INTEGER32);
	return value.u.i32;
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

static void test_create(void **state)
{
	struct fixture *f = *state;
	struct mapi_folder *folder;
	mapi_id_t a, b, c, again;
	unsigned int i;

	a = create(f, f->root, "A/with a separator");
	b = create(f, a, "B");
	c = create(f, f->finder, "B");
	assert_int_equal(try_create(f, f->root, "a/WITH a separator", FALSE,
				    &again), EC_DUPLICATE_NAME);
	assert_int_equal(try_create(f, f->root, "A/with a separator", TRUE,
				    &again), EC_NONE);
	assert_true(again == a);
	assert_int_equal(try_create(f, f->root, "", FALSE, &again),
			 EC_INVALID_PARAM);
	save(f, b);
	for (i = 0; i < 2; i++) {
		assert_place(f, a, f->root, "A/with a separator");
		assert_place(f, b, a, "B");
		assert_place(f, c, f->finder, "B");
		assert_int_equal(count_of(f, b), 1);
		fixture_reopen(f);
	}
	/* a mailbox that's gone is made anew */
	assert_int_equal(mapi_folder_open(f->mem, f->store, b, &folder),
			 EC_NONE);
	assert_int_equal(mapi_folder_open_mailbox(folder), EC_NONE);
	assert_non_null(folder->box);
	assert_int_equal(mailbox_delete(folder->box), 0);
	talloc_free(folder);
	fixture_reopen(f);
	assert_place(f, b, a, "B");
	assert_int_equal(count_of(f, b), 0);
}

static void test_move(void **state)
{
	struct fixture *f = *state;
	mapi_id_t a = create(f, f->root, "A"), b = create(f, a, "B");
	mapi_id_t inbox = mapi_store_special_fid(f->store, MAPI_SPECIAL_INBOX);
	mapi_id_t box = create(f, f->top, "Box");
	unsigned int i;

	save(f, b);
	assert_int_equal(mapi_folder_move(f->store, a, f->finder, "C"),
			 EC_NONE);
	assert_int_equal(mapi_folder_move(f->store, b, a, "D"), EC_NONE);
	for (i = 0; i < 2; i++) {
		assert_place(f, a, f->finder, "C");
		assert_place(f, b, a, "D");
		assert_int_equal(count_of(f, b), 1);
		fixture_reopen(f);
	}
	assert_int_equal(mapi_folder_move(f->store, a, b, ""),
			 EC_FOLDER_CYCLE);
	assert_int_equal(mapi_folder_move(f->store, b, f->finder, "c"),
			 EC_DUPLICATE_NAME);
	/* not from one tree to the other */
	assert_int_equal(mapi_folder_move(f->store, a, f->top, ""),
			 EC_ACCESS_DENIED);
	assert_int_equal(mapi_folder_move(f->store, a, inbox, ""),
			 EC_ACCESS_DENIED);
	assert_int_equal(mapi_folder_move(f->store, box, a, ""),
			 EC_ACCESS_DENIED);
	assert_int_equal(fixture_copy_folder(f, box, a, "", TRUE),
			 EC_ACCESS_DENIED);
	/* but out of it */
	assert_int_equal(fixture_copy_folder(f, a, f->top, "", TRUE),
			 EC_NONE);
	assert_true(exists(f, "C") && exists(f, "C/D"));
}

/* Two sessions move folders below each other at the same time. */
static void test_cycle(void **state)
{
	struct fixture *f = *state, other = { .ts = f->ts };
	mapi_id_t a = create(f, f->root, "A"), b = create(f, f->root, "B");
	mapi_id_t below = create(f, b, "Below");

	/* neither sees what the other one does: it's their trees that know */
	fixture_open(&other);
	assert_int_equal(mapi_folder_place_set(f->store, MAPI_PLACE_COMPANION,
		MAPI_ID_GLOBCNT(a), MAPI_ID_GLOBCNT(b), "A"), EC_NONE);
	assert_int_equal(mapi_folder_place_set(other.store,
		MAPI_PLACE_COMPANION, MAPI_ID_GLOBCNT(b), MAPI_ID_GLOBCNT(a),
		"B"), EC_NONE);
	assert_place(f, a, f->root, "A");
	assert_place(f, b, a, "B");
	assert_place(f, below, b, "Below");
	assert_place(&other, b, a, "B");
	fixture_close(&other);
}

static void test_depth(void **state)
{
	struct fixture *f = *state;
	mapi_id_t fid = f->root, other;
	enum mapi_error ret;
	unsigned int i;

	other = create(f, create(f, f->root, "Other"), "Sub");
	for (i = 0; i < 100; i++) {
		ret = try_create(f, fid, "x", FALSE, &fid);
		if (ret != EC_NONE)
			break;
	}
	assert_int_equal(ret, EC_TOO_COMPLEX);
	assert_int_equal(i, 63);
	assert_int_equal(mapi_folder_move(f->store, other, fid, ""),
			 EC_TOO_COMPLEX);
	assert_int_equal(mapi_folder_move(f->store,
		node_of(f, other)->parent_fid, node_of(f, fid)->parent_fid,
		""), EC_TOO_COMPLEX);
	assert_int_equal(mapi_folder_move(f->store, other,
		node_of(f, fid)->parent_fid, ""), EC_NONE);
}

static void test_delete(void **state)
{
	struct fixture *f = *state;
	mapi_id_t a = create(f, f->root, "A"), b = create(f, a, "B"), again;
	struct mapi_folder *folder;
	struct mailbox *box;
	const char *vname;
	bool partial;

	save(f, b);
	vname = t_strdup(node_of(f, b)->vname);
	assert_int_equal(mapi_folder_open(f->mem, f->store, b, &folder),
			 EC_NONE);
	assert_int_equal(mapi_folder_create_associated(folder, &box), EC_NONE);
	talloc_free(folder);
	assert_int_equal(mapi_search_folder_create(f->mem, f->store, b, "S",
		"", FALSE, &folder), EC_NONE);
	talloc_free(folder);

	assert_int_equal(mapi_folder_delete(f->store, a, 0, &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(mapi_folder_delete(f->store, a, DEL_FOLDERS,
					    &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(count_of(f, b), 1);
	assert_int_equal(mapi_folder_empty(f->store, b, FALSE, TRUE, &partial),
			 EC_NONE);
	assert_int_equal(count_of(f, b), 0);
	save(f, b);
	assert_int_equal(mapi_folder_delete(f->store, a,
		DEL_FOLDERS | DEL_MESSAGES, &partial), EC_NONE);
	assert_false(partial);
	assert_null(node_of(f, a));
	assert_null(node_of(f, b));
	assert_false(exists(f, vname));
	assert_int_equal(mapi_folder_delete(f->store, a, 0, &partial),
			 EC_NOT_FOUND);
	again = create(f, f->root, "A");
	assert_true(again != a);
	fixture_reopen(f);
	assert_null(node_of(f, b));
	assert_null(node_of(f, again)->first_child);
	assert_false(exists(f, vname));
	/* all that clients have made */
	(void)create(f, create(f, f->finder, "X"), "Y");
	assert_int_equal(mapi_folder_empty(f->store, f->finder, FALSE, TRUE,
					   &partial), EC_NONE);
	assert_null(node_of(f, f->finder)->first_child);
}

int main(int argc, char *argv[])
{
	static const struct fixture_test tests[] = {
		{ "creating", test_create },
		{ "moving", test_move },
		{ "moving below each other", test_cycle },
		{ "depth", test_depth },
		{ "deleting", test_delete },
	};

	return fixture_run(tests, N_ELEMENTS(tests), argc, argv);
}
