/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Search folders: what they find, how they follow what happens to their scope, what
   is remembered, and what is refused. On all storage formats. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "mail-storage-private.h"
#include "mail-namespace.h"
#include "mail-user.h"
#include "mapi-enums.h"
#include "mapi-folder-write.h"
#include "mapi-message-write.h"
#include "mapi-props.h"
#include "mapi-restriction.h"
#include "mapi-search-folder.h"
#include "mapi-table.h"

#include <setjmp.h>
#include <cmocka.h>

#include "store-fixture.h"

/* --- what tests do ---------------------------------------------------------- */

static mapi_id_t
make_search(struct fixture *f, mapi_id_t parent, const char *name)
{
	struct mapi_folder *folder;
	mapi_id_t fid;

	assert_int_equal(mapi_search_folder_create(f->mem, f->store, parent,
						   name, "", FALSE, &folder),
			 EC_NONE);
	fid = folder->fid;
	talloc_free(folder);
	return fid;
}

static mapi_id_t
make_folder(struct fixture *f, mapi_id_t parent, const char *name)
{
	struct mapi_folder *folder;
	mapi_id_t fid;

	assert_int_equal(mapi_folder_create(f->mem, f->store, parent, name, "",
					    FALSE, &folder), EC_NONE);
	fid = folder->fid;
	talloc_free(folder);
	return fid;
}

static uint32_t
save(struct fixture *f, const char *vname, const char *subject,
     enum mail_flags flags)
{
	uint32_t uid;

	T_BEGIN {
		const char *mail = t_strdup_printf("From: a@example.com\n"
			"Subject: %s\n\nbody of %s\n", subject, subject);

		uid = test_storage_save(f->ts, vname, mail, strlen(mail), flags,
					NULL, 0);
	} T_END;
	return uid;
}

/* Subjects that contain a string; with unread only unread messages */
static struct mapi_restriction *
restriction(struct fixture *f, const char *subject, bool unread)
{
	struct mapi_restriction *res, *item;

	res = talloc_zero(f->mem, struct mapi_restriction);
	res->type = RES_AND;
	res->u.list.items = talloc_zero_array(f->mem, struct mapi_restriction,
					      2);
	res->u.list.count = unread ? 2 : 1;
	item = &res->u.list.items[0];
	item->type = RES_CONTENT;
	item->u.content.fuzzy_low = FL_SUBSTRING;
	item->u.content.fuzzy_high = FL_IGNORECASE;
	item->u.content.tag = PIDTAG_SUBJECT;
	item->u.content.value.tag = PIDTAG_SUBJECT;
	item->u.content.value.value = mapi_value_str(subject);
	item = &res->u.list.items[1];
	item->type = RES_BITMASK;
	item->u.bitmask.tag = PIDTAG_MESSAGE_FLAGS;
	item->u.bitmask.mask = MSGFLAG_READ;
	item->u.bitmask.relop = BMR_EQZ;
	return res;
}

static enum mapi_error
set_criteria(struct fixture *f, mapi_id_t fid, struct mapi_restriction *res,
	     mapi_id_t scope, uint32_t flags)
{
	return mapi_search_folder_set_criteria(f->store, fid, res, 1252,
					       &scope, scope == 0 ? 0 : 1,
					       flags);
}


static bool add_row(struct mapi_property_row *row, void *context)
{
	string_t *str = context;

	if (str_len(str) > 0)
		str_append_c(str, ' ');
	str_append(str, row->values[0].u.str);
	return TRUE;
}

static struct mapi_table *open_table(struct fixture *f, mapi_id_t fid)
{
	static const uint32_t tags[] = { PIDTAG_SUBJECT };
	struct mapi_sort_order order = {
		.tag = PIDTAG_SUBJECT, .order = 0
	};
	struct mapi_table *table;
	uint32_t count;

	assert_int_equal(mapi_contents_table_open(f->mem, f->store, fid, 0,
						  &table, &count), EC_NONE);
	assert_int_equal(mapi_table_set_columns(table, tags, 1), EC_NONE);
	assert_int_equal(mapi_table_sort(table, &order, 1, 0, 0), EC_NONE);
	return table;
}

/* Subjects in a table, sorted */
static void
assert_rows(struct fixture *f, struct mapi_table *table, const char *wanted)
{
	bool less;
	int32_t sought;
	uint8_t origin;

	T_BEGIN {
		string_t *str = t_str_new(128);
		enum mapi_error ret;

		ret = mapi_table_seek(table, BOOKMARK_BEGINNING, 0, &less,
				      &sought);
		if (ret == EC_NONE) {
			ret = mapi_table_query_rows(table, f->mem, TRUE, TRUE,
						    1000, add_row, str,
						    &origin);
		}
		assert_int_equal(ret, EC_NONE);
		assert_string_equal(str_c(str), wanted);
	} T_END;
}

static void
assert_folder(struct fixture *f, mapi_id_t fid, const char *wanted)
{
	struct mapi_table *table = open_table(f, fid);

	assert_rows(f, table, wanted);
	talloc_free(table);
}

static void
assert_counts(struct fixture *f, mapi_id_t fid, uint32_t messages,
	      uint32_t unread)
{
	static const uint32_t tags[] = {
		PIDTAG_CONTENT_COUNT, PIDTAG_CONTENT_UNREAD_COUNT,
		PIDTAG_FOLDER_TYPE
	};
	struct mapi_value values[N_ELEMENTS(tags)];
	struct mapi_folder_node *node;

	assert_int_equal(mapi_folder_tree_refresh(f->store), EC_NONE);
	node = mapi_folder_tree_lookup(f->store, fid);
	assert_non_null(node);
	assert_int_equal(mapi_folder_node_get_props(f->store, node, f->mem,
			tags, N_ELEMENTS(tags), SIZE_MAX, values), EC_NONE);
	assert_int_equal(values[0].u.i32, messages);
	assert_int_equal(values[1].u.i32, unread);
	assert_int_equal(values[2].u.i32, FOLDER_SEARCH);
}

static uint32_t get_state(struct fixture *f, mapi_id_t fid)
{
	struct mapi_search_criteria *criteria;
	uint32_t state;

	assert_int_equal(mapi_search_folder_get_criteria(f->store, fid, f->mem,
							 &criteria, &state),
			 EC_NONE);
	return state;
}

/* --- tests ------------------------------------------------------------------ */

static void test_dynamic(void **state)
{
	struct fixture *f = *state;
	struct mapi_table *table;
	mapi_id_t fid, box;
	uint32_t uid1, uid2;

	uid1 = save(f, "INBOX", "apple", 0);
	(void)save(f, "INBOX", "pear", 0);
	box = make_folder(f, f->top, "Box");
	uid2 = save(f, "Box", "pineapple", MAIL_SEEN);
	fid = make_search(f, f->finder, "Apples");
	assert_folder(f, fid, "");
	assert_int_equal(set_criteria(f, fid, restriction(f, "APPLE", FALSE),
				      f->top, RESTART_SEARCH |
				      RECURSIVE_SEARCH), EC_NONE);
	assert_int_equal(get_state(f, fid) &
			 (SEARCH_RUNNING | SEARCH_REBUILD | SEARCH_RECURSIVE |
			  SEARCH_STATIC | SEARCH_COMPLETE),
			 SEARCH_RUNNING | SEARCH_RECURSIVE | SEARCH_COMPLETE);
	table = open_table(f, fid);
	assert_rows(f, table, "apple pineapple");
	assert_counts(f, fid, 2, 1);

	/* new messages, in new folders, too */
	(void)save(f, "Box", "apple2", 0);
	(void)save(f, "Box", "nothing", 0);
	(void)make_folder(f, box, "Inner");
	(void)save(f, "Box/Inner", "crab-apple", 0);
	assert_rows(f, table, "apple apple2 crab-apple pineapple");
	assert_counts(f, fid, 4, 3);

	/* only flags */
	test_storage_set_flags(f->ts, "INBOX", uid1, MODIFY_ADD, MAIL_SEEN);
	assert_counts(f, fid, 4, 2);
	test_storage_expunge(f->ts, "Box", uid2);
	assert_rows(f, table, "apple apple2 crab-apple");
	assert_int_equal(mapi_folder_move(f->store, box, f->inbox, "Moved"),
			 EC_NONE);
	assert_rows(f, table, "apple apple2 crab-apple");

	/* a folder less */
	{
		bool partial;

		assert_int_equal(mapi_folder_delete(f->store, box,
			DEL_MESSAGES | DEL_FOLDERS, &partial), EC_NONE);
	}
	assert_rows(f, table, "apple");
	fixture_reopen(f);
	assert_folder(f, fid, "apple");
}

/* Messages that stop matching and match again */
static void test_membership(void **state)
{
	struct fixture *f = *state;
	struct mapi_table *table;
	mapi_id_t fid;
	uint32_t uid;

	uid = save(f, "INBOX", "a1", 0);
	(void)save(f, "INBOX", "a2", 0);
	fid = make_search(f, f->finder, "Unread");
	assert_int_equal(set_criteria(f, fid, restriction(f, "a", TRUE),
				      f->inbox, RESTART_SEARCH), EC_NONE);
	table = open_table(f, fid);
	assert_rows(f, table, "a1 a2");
	test_storage_set_flags(f->ts, "INBOX", uid, MODIFY_ADD, MAIL_SEEN);
	assert_rows(f, table, "a2");
	test_storage_set_flags(f->ts, "INBOX", uid, MODIFY_REMOVE, MAIL_SEEN);
	assert_rows(f, table, "a1 a2");
	assert_int_equal(set_criteria(f, fid, restriction(f, "2", TRUE), 0, 0),
			 EC_NONE);
	assert_rows(f, table, "a2");
}

static void test_static(void **state)
{
	struct fixture *f = *state;
	struct mapi_table *table;
	mapi_id_t fid;
	uint32_t uid;

	uid = save(f, "INBOX", "a1", 0);
	(void)save(f, "INBOX", "a2", 0);
	fid = make_search(f, f->finder, "Static");
	assert_int_equal(set_criteria(f, fid, restriction(f, "a", TRUE),
				      f->inbox, RESTART_SEARCH | STATIC_SEARCH),
			 EC_NONE);
	/* before anybody has looked */
	(void)save(f, "INBOX", "a3", 0);
	test_storage_set_flags(f->ts, "INBOX", uid, MODIFY_ADD, MAIL_SEEN);
	assert_int_equal(get_state(f, fid) & (SEARCH_RUNNING | SEARCH_STATIC),
			 SEARCH_STATIC);
	table = open_table(f, fid);
	assert_rows(f, table, "a1 a2");
	(void)save(f, "INBOX", "a4", 0);
	assert_rows(f, table, "a1 a2");
	assert_counts(f, fid, 2, 1);
	fixture_reopen(f);
	assert_folder(f, fid, "a1 a2");
	test_storage_expunge(f->ts, "INBOX", uid);
	assert_folder(f, fid, "a2");
	assert_int_equal(set_criteria(f, fid, NULL, 0, RESTART_SEARCH |
				      STATIC_SEARCH), EC_NONE);
	assert_folder(f, fid, "a2 a3 a4");
	/* and from now on */
	assert_int_equal(set_criteria(f, fid, NULL, 0, RESTART_SEARCH),
			 EC_NONE);
	(void)save(f, "INBOX", "a5", 0);
	assert_folder(f, fid, "a2 a3 a4 a5");
	/* which stopping doesn't change, nor that it isn't static */
	assert_int_equal(set_criteria(f, fid, NULL, 0, STOP_SEARCH |
				      STATIC_SEARCH), EC_NONE);
	(void)save(f, "INBOX", "a6", 0);
	assert_folder(f, fid, "a2 a3 a4 a5 a6");
	assert_int_equal(get_state(f, fid) & (SEARCH_RUNNING | SEARCH_STATIC),
			 SEARCH_RUNNING);
	fixture_reopen(f);
	(void)save(f, "INBOX", "a7", 0);
	assert_folder(f, fid, "a2 a3 a4 a5 a6 a7");
}

static void test_criteria(void **state)
{
	struct fixture *f = *state;
	struct mapi_search_criteria *criteria;
	struct mapi_restriction *res;
	mapi_id_t fid, other, scope[3], *many;
	uint32_t flags;
	unsigned int i;

	fid = make_search(f, f->top, "Search");
	other = make_search(f, f->top, "Other");
	res = restriction(f, "\xc3\xa4", TRUE);
	assert_int_equal(mapi_search_folder_get_criteria(f->store, fid, f->mem,
							 &criteria, &flags),
			 EC_NOT_INITIALIZED);
	assert_int_equal(mapi_search_folder_get_criteria(f->store, f->inbox,
							 f->mem, &criteria,
							 &flags),
			 EC_NOT_SEARCH_FOLDER);
	assert_int_equal(set_criteria(f, f->inbox, res, f->top, 0),
			 EC_NOT_SEARCH_FOLDER);
	assert_int_equal(set_criteria(f, fid, NULL, f->top, RESTART_SEARCH),
			 EC_NOT_INITIALIZED);
	assert_int_equal(set_criteria(f, fid, res, 0, RESTART_SEARCH),
			 EC_NOT_INITIALIZED);
	assert_int_equal(set_criteria(f, fid, res, fid, RESTART_SEARCH),
			 EC_SEARCH_FOLDER_SCOPE_VIOLATION);
	assert_int_equal(set_criteria(f, fid, res, other, RESTART_SEARCH),
			 EC_SEARCH_FOLDER_SCOPE_VIOLATION);
	assert_int_equal(set_criteria(f, fid, res, MAPI_ID(2, 1), 0),
			 EC_SEARCH_FOLDER_SCOPE_VIOLATION);
	assert_int_equal(set_criteria(f, fid, res,
				      MAPI_ID(MAPI_STORE_REPLID, 0xffff), 0),
			 EC_NOT_FOUND);
	assert_int_equal(set_criteria(f, fid, res, f->inbox, STOP_SEARCH |
				      RESTART_SEARCH), EC_INVALID_PARAM);
	assert_int_equal(set_criteria(f, fid, res, f->inbox, SHALLOW_SEARCH |
				      RECURSIVE_SEARCH), EC_INVALID_PARAM);
	assert_int_equal(set_criteria(f, fid, res, f->inbox,
				      CONTENT_INDEXED_SEARCH |
				      NON_CONTENT_INDEXED_SEARCH),
			 EC_INVALID_PARAM);
	many = talloc_array(f->mem, mapi_id_t, MAPI_SEARCH_MAX_SCOPE + 1);
	for (i = 0; i <= MAPI_SEARCH_MAX_SCOPE; i++)
		many[i] = f->inbox;
	assert_int_equal(mapi_search_folder_set_criteria(f->store, fid, res,
			1252, many, MAPI_SEARCH_MAX_SCOPE + 1, 0),
			 EC_TOO_COMPLEX);

	scope[0] = f->top;
	scope[1] = scope[2] = f->inbox;
	assert_int_equal(mapi_search_folder_set_criteria(f->store, fid, res,
			1252, scope, 3, RESTART_SEARCH | RECURSIVE_SEARCH),
			 EC_NONE);
	fixture_reopen(f);
	assert_int_equal(mapi_search_folder_get_criteria(f->store, fid, f->mem,
							 &criteria, &flags),
			 EC_NONE);
	res = restriction(f, "\xc3\xa4", TRUE);
	assert_true(mapi_restriction_equal(criteria->restriction, res));
	assert_int_equal(criteria->scope_count, 2);
	assert_int_equal(criteria->scope[0], f->top);
	assert_int_equal(criteria->scope[1], f->inbox);
	assert_true(criteria->running);

	/* what is set already isn't set again */
	i = criteria->serial;
	assert_int_equal(mapi_search_folder_set_criteria(f->store, fid, res,
			1252, scope, 3, RESTART_SEARCH | RECURSIVE_SEARCH),
			 EC_NONE);
	assert_int_equal(mapi_search_folder_get_criteria(f->store, fid, f->mem,
							 &criteria, &flags),
			 EC_NONE);
	assert_int_equal(criteria->serial, i);

	/* too long */
	res->u.list.items[0].u.content.value.value.u.str = talloc_asprintf(
		f->mem, "%0*d", MAPI_SEARCH_MAX_RESTRICTION, 0);
	assert_int_equal(set_criteria(f, fid, res, f->top, RESTART_SEARCH),
			 EC_TOO_COMPLEX);
}

static const struct mapi_folder_node *
lookup(struct fixture *f, mapi_id_t fid)
{
	assert_int_equal(mapi_folder_tree_refresh(f->store), EC_NONE);
	return mapi_folder_tree_lookup(f->store, fid);
}

static void test_folders(void **state)
{
	struct fixture *f = *state;
	struct mapi_folder *folder;
	mapi_id_t fid, box, copy, moved;
	bool partial;

	fid = make_search(f, f->top, "Search");
	box = make_folder(f, f->top, "Box");
	assert_int_equal(set_criteria(f, fid, restriction(f, "a", FALSE),
				      f->inbox, RESTART_SEARCH), EC_NONE);
	/* nothing can be made in it or put into it */
	assert_int_equal(mapi_search_folder_create(f->mem, f->store, fid, "x",
			"", FALSE, &folder), EC_SEARCH_FOLDER);
	assert_int_equal(mapi_folder_create(f->mem, f->store, fid, "x", "",
					    FALSE, &folder), EC_SEARCH_FOLDER);
	assert_int_equal(mapi_folder_move(f->store, box, fid, ""),
			 EC_SEARCH_FOLDER);
	assert_int_equal(fixture_copy_folder(f, box, fid, "", TRUE),
			 EC_SEARCH_FOLDER);
	assert_int_equal(mapi_folder_empty(f->store, fid, FALSE, TRUE, &partial),
			 EC_NOT_SUPPORTED);
	/* names */
	assert_int_equal(mapi_search_folder_create(f->mem, f->store, f->top,
			"search", "", FALSE, &folder), EC_DUPLICATE_NAME);
	assert_int_equal(mapi_search_folder_create(f->mem, f->store, f->top,
			"Box", "", TRUE, &folder), EC_DUPLICATE_NAME);
	assert_int_equal(mapi_folder_create(f->mem, f->store, f->top,
			"Search", "", TRUE, &folder), EC_DUPLICATE_NAME);
	assert_int_equal(mapi_search_folder_create(f->mem, f->store, f->top,
			"Search", "", TRUE, &folder), EC_NONE);
	assert_int_equal(folder->fid, fid);
	assert_int_equal(mapi_search_folder_create(f->mem, f->store, f->top,
			"", "", TRUE, &folder), EC_INVALID_PARAM);

	/* moved and renamed */
	assert_int_equal(mapi_folder_move(f->store, fid, box, "New name"),
			 EC_NONE);
	fixture_reopen(f);
	assert_string_equal(lookup(f, fid)->display_name, "New name");
	assert_int_equal(lookup(f, fid)->parent_fid, box);
	/* a copy has the same criteria */
	assert_int_equal(fixture_copy_folder(f, fid, f->finder, "Copy",
					     TRUE), EC_NONE);
	copy = lookup(f, f->finder)->first_child->fid;
	(void)save(f, "INBOX", "a", 0);
	assert_folder(f, copy, "a");
	/* folders with search folders below them */
	assert_int_equal(fixture_copy_folder(f, box, f->inbox, "Boxcopy",
					     TRUE), EC_NONE);
	assert_int_equal(mapi_folder_move(f->store, box, f->inbox, ""),
			 EC_NONE);
	assert_int_equal(lookup(f, fid)->parent_fid, box);
	moved = make_search(f, box, "Second");
	assert_int_equal(mapi_folder_delete(f->store, box, DEL_MESSAGES,
					    &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(mapi_folder_delete(f->store, fid, 0, &partial),
			 EC_NONE);
	assert_false(partial);
	assert_null(lookup(f, fid));
	assert_int_equal(mapi_folder_delete(f->store, box, DEL_FOLDERS,
					    &partial), EC_NONE);
	assert_false(partial);
	assert_null(lookup(f, moved));
	assert_null(lookup(f, box));
	fixture_reopen(f);
	assert_null(lookup(f, fid));
	assert_null(lookup(f, moved));
	assert_non_null(lookup(f, copy));
}

/* Operations on messages that are named by the search folder */
static void test_messages(void **state)
{
	struct fixture *f = *state;
	struct mapi_read_change change = { .set_read = TRUE };
	struct mapi_folder *inbox, *box;
	mapi_id_t fid, box_fid, mids[3];
	uint32_t status;
	bool partial;

	(void)save(f, "INBOX", "a1", 0);
	box_fid = make_folder(f, f->top, "Box");
	(void)save(f, "Box", "a2", 0);
	fid = make_search(f, f->finder, "Search");
	assert_int_equal(set_criteria(f, fid, restriction(f, "a", FALSE),
				      f->top, RESTART_SEARCH |
				      RECURSIVE_SEARCH), EC_NONE);
	assert_counts(f, fid, 2, 2);
	assert_int_equal(mapi_folder_open(f->mem, f->store, f->inbox, &inbox),
			 EC_NONE);
	assert_int_equal(mapi_folder_open(f->mem, f->store, box_fid, &box),
			 EC_NONE);
	assert_int_equal(mapi_folder_open_mailbox(inbox), EC_NONE);
	assert_int_equal(mapi_folder_open_mailbox(box), EC_NONE);
	mids[0] = mapi_folder_mid(inbox, FALSE, 1);
	mids[1] = mapi_folder_mid(box, FALSE, 1);
	mids[2] = MAPI_ID(MAPI_STORE_REPLID, 0xee0000000001ULL);
	assert_int_equal(mapi_search_real_folder(f->store, fid, mids[1]),
			 box_fid);
	assert_int_equal(mapi_search_real_folder(f->store, fid, mids[2]), 0);
	assert_int_equal(mapi_search_real_folder(f->store, box_fid, mids[0]),
			 box_fid);

	assert_int_equal(mapi_messages_set_read(f->store, fid, mids, 2,
						&change, &partial), EC_NONE);
	assert_false(partial);
	assert_counts(f, fid, 2, 0);
	assert_int_equal(mapi_message_set_status(f->store, fid, mids[1], 2, 2,
						 &status), EC_NONE);
	assert_int_equal(mapi_message_get_status(f->store, box_fid, mids[1],
						 &status), EC_NONE);
	assert_int_equal(status, 2);
	assert_int_equal(mapi_message_get_status(f->store, fid, mids[2],
						 &status), EC_NOT_FOUND);
	assert_int_equal(mapi_messages_copy(f->store, f->inbox,
					    f->store, fid, mids, 1,
					    TRUE, &partial), EC_SEARCH_FOLDER);
	assert_int_equal(mapi_messages_copy(f->store, fid,
					    f->store, f->inbox, mids + 1,
					    2, FALSE, &partial), EC_NONE);
	assert_true(partial);
	assert_folder(f, fid, "a1 a2 a2");
	assert_int_equal(mapi_messages_delete(f->store, fid, mids, 2,
					      &partial), EC_NONE);
	assert_false(partial);
	assert_folder(f, fid, "a2");
}

/* More folders than are open at once, and RES_COUNT */
static void test_many(void **state)
{
	struct fixture *f = *state;
	struct mapi_restriction *res;
	struct mapi_table *table;
	mapi_id_t fid;
	unsigned int i;
	char name[16], subject[16];

	for (i = 0; i < 40; i++) {
		i_snprintf(name, sizeof(name), "F%u", i);
		(void)make_folder(f, f->top, name);
		i_snprintf(subject, sizeof(subject), "a%02u", 39 - i);
		(void)save(f, name, subject, 0);
		i_snprintf(subject, sizeof(subject), "a%02u", 79 - i);
		(void)save(f, name, subject, 0);
	}
	fid = make_search(f, f->finder, "Search");
	assert_int_equal(set_criteria(f, fid, restriction(f, "a", FALSE),
				      f->top, RESTART_SEARCH |
				      RECURSIVE_SEARCH), EC_NONE);
	table = open_table(f, fid);
	T_BEGIN {
		string_t *str = t_str_new(512);

		for (i = 0; i < 80; i++)
			str_printfa(str, i == 0 ? "a%02u" : " a%02u", i);
		assert_rows(f, table, str_c(str));
	} T_END;
	res = talloc_zero(f->mem, struct mapi_restriction);
	res->type = RES_COUNT;
	res->u.count.count = 1;
	res->u.count.child = restriction(f, "a", FALSE);
	assert_int_equal(set_criteria(f, fid, res, f->inbox, RESTART_SEARCH),
			 EC_NONE);
	(void)save(f, "INBOX", "a1", 0);
	(void)save(f, "INBOX", "a2", 0);
	assert_rows(f, table, "a1");
	test_storage_expunge(f->ts, "INBOX", 1);
	assert_rows(f, table, "a2");
}

int main(int argc, char *argv[])
{
	static const struct fixture_test tests[] = {
		{ "dynamic", test_dynamic },
		{ "membership", test_membership },
		{ "static", test_static },
		{ "criteria", test_criteria },
		{ "folders", test_folders },
		{ "messages", test_messages },
		{ "many", test_many },
	};

	return fixture_run(tests, N_ELEMENTS(tests), argc, argv);
}
