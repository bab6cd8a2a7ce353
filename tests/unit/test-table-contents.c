/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Contents and hierarchy tables over real mailboxes. */

#include "lib.h"
#include "table-fixture.h"
#include "mapi-props.h"
#include "mapi-restriction.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

static void test_contents_driver(const char *driver)
{
	struct table_fixture f;
	struct mapi_table *table;
	struct mapi_restriction res;
	struct table_rows *rows = talloc(NULL, struct table_rows), *page;
	uint32_t uids[101], count, i, position;
	char subject[32];
	const uint8_t *bookmark;
	size_t bookmark_size;
	int32_t sought;
	bool gone, less;

	page = talloc(rows, struct table_rows);
	table_fixture_init(&f, driver);
	/* the times are a permutation of 0..100, three of each second */
	for (i = 0; i < N_ELEMENTS(uids); i++) {
		i_snprintf(subject, sizeof(subject), "message-%03u", i);
		uids[i] = table_save(&f, subject, FIRST_TIME + (i * 37 % 101) / 3,
			       i % 4 == 0 ? MAIL_SEEN : 0);
	}

	table = table_open_inbox(&f, 0, &count);
	assert_int_equal(count, N_ELEMENTS(uids));
	/* as they came */
	table_read_all(table, rows);
	assert_int_equal(rows->count, N_ELEMENTS(uids));
	for (i = 0; i < rows->count; i++) {
		i_snprintf(subject, sizeof(subject), "message-%03u", i);
		assert_string_equal(rows->subjects[i], subject);
	}

	table_sort_by_time(table, MAPI_SORT_DESCENDING);
	table_read_rows(table, 50, page);
	assert_int_equal(page->count, 50);
	table_read_all(table, rows);
	assert_int_equal(rows->count, N_ELEMENTS(uids));
	for (i = 1; i < rows->count; i++) {
		assert_true(rows->times[i - 1] >= rows->times[i]);
		/* of the same second the newest first */
		if (rows->times[i - 1] == rows->times[i]) {
			assert_true(strcmp(rows->subjects[i - 1],
					   rows->subjects[i]) > 0);
		}
		if (i < 50) {
			assert_string_equal(rows->subjects[i],
					    page->subjects[i]);
		}
	}

	/* a new one between others, while the cursor is after it */
	assert_int_equal(mapi_table_seek(table, BOOKMARK_BEGINNING, 60, &less,
					 &sought), EC_NONE);
	assert_int_equal(mapi_table_create_bookmark(table, rows, &bookmark,
						    &bookmark_size), EC_NONE);
	(void)table_save(&f, "new", FIRST_TIME + 30, 0);
	table_read_rows(table, 1, page);
	assert_string_equal(page->subjects[0], rows->subjects[60]);
	assert_int_equal(mapi_table_query_position(table, &position, &count),
			 EC_NONE);
	assert_int_equal(position, 62);
	assert_int_equal(count, N_ELEMENTS(uids) + 1);
	table_read_all(table, page);
	for (i = 0; i < page->count; i++) {
		if (strcmp(page->subjects[i], "new") == 0)
			break;
	}
	assert_true(i < page->count);
	assert_true(page->times[i - 1] > page->times[i]);
	assert_true(page->times[i + 1] == page->times[i]);

	/* the bookmark's row goes away, and others with it */
	for (i = 0; i < N_ELEMENTS(uids); i++) {
		i_snprintf(subject, sizeof(subject), "message-%03u", i);
		if (strcmp(subject, rows->subjects[60]) == 0 ||
		    strcmp(subject, rows->subjects[0]) == 0)
			test_storage_expunge(f.ts, "INBOX", uids[i]);
	}
	assert_int_equal(mapi_table_seek_bookmark(table, bookmark,
			bookmark_size, 0, &gone, &less, &sought), EC_NONE);
	assert_true(gone);
	table_read_rows(table, 1, page);
	assert_string_equal(page->subjects[0], rows->subjects[61]);
	table_read_all(table, page);
	assert_int_equal(page->count, N_ELEMENTS(uids) - 1);

	/* unread ones; then one is read elsewhere */
	i_zero(&res);
	res.type = RES_BITMASK;
	res.u.bitmask.relop = BMR_EQZ;
	res.u.bitmask.tag = PIDTAG_MESSAGE_FLAGS;
	res.u.bitmask.mask = MSGFLAG_READ;
	assert_int_equal(mapi_table_restrict(table, &res), EC_NONE);
	table_read_all(table, rows);
	for (i = 0; i < rows->count; i++)
		assert_false(rows->read[i]);
	for (i = 0, count = 0; i < page->count; i++)
		count += page->read[i] ? 0 : 1;
	assert_int_equal(rows->count, count);
	for (i = 0; i < N_ELEMENTS(uids); i++) {
		i_snprintf(subject, sizeof(subject), "message-%03u", i);
		if (strcmp(subject, rows->subjects[5]) == 0)
			break;
	}
	test_storage_set_flags(f.ts, "INBOX", uids[i], MODIFY_ADD, MAIL_SEEN);
	table_read_all(table, page);
	assert_int_equal(page->count, rows->count - 1);
	assert_string_equal(page->subjects[4], rows->subjects[4]);
	assert_string_equal(page->subjects[5], rows->subjects[6]);
	/* and unread again */
	test_storage_set_flags(f.ts, "INBOX", uids[i], MODIFY_REMOVE,
			       MAIL_SEEN);
	table_read_all(table, page);
	assert_int_equal(page->count, rows->count);
	assert_string_equal(page->subjects[5], rows->subjects[5]);

	/* a search in what isn't in the index */
	i_zero(&res);
	res.type = RES_CONTENT;
	res.u.content.fuzzy_low = FL_SUBSTRING;
	res.u.content.fuzzy_high = FL_IGNORECASE;
	res.u.content.tag = PIDTAG_SUBJECT;
	res.u.content.value.tag = PIDTAG_SUBJECT;
	res.u.content.value.value = mapi_value_str("SAGE-03");
	assert_int_equal(mapi_table_restrict(table, &res), EC_NONE);
	table_read_all(table, rows);
	assert_true(rows->count >= 8 && rows->count <= 10);

	/* nothing has been deleted, and there are no such messages */
	talloc_free(table);
	table = table_open_inbox(&f, CONTENTS_TABLE_SOFT_DELETES, &count);
	assert_int_equal(count, 0);
	table_read_all(table, rows);
	assert_int_equal(rows->count, 0);
	talloc_free(table);
	table = table_open_inbox(&f, CONTENTS_TABLE_ASSOCIATED, &count);
	assert_int_equal(count, 0);
	talloc_free(table);
	assert_int_equal(mapi_contents_table_open(f.store, f.store,
		mapi_store_special_fid(f.store, MAPI_SPECIAL_INBOX), 0x01,
		&table, &count), EC_INVALID_PARAM);

	talloc_free(rows);
	table_fixture_deinit(&f);
}

static void test_contents(void **state)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(table_drivers); i++) {
		printf("%s\n", table_drivers[i]);
		fflush(stdout);
		test_contents_driver(table_drivers[i]);
	}
}

static void setup_view(struct mapi_table *table, unsigned int view)
{
	static const uint32_t tags[] = {
		PIDTAG_SUBJECT, PIDTAG_MESSAGE_DELIVERY_TIME,
		PIDTAG_MESSAGE_FLAGS,
	};
	struct mapi_sort_order orders[] = {
		{ PIDTAG_MESSAGE_FLAGS, MAPI_SORT_ASCENDING },
		{ PIDTAG_MESSAGE_DELIVERY_TIME, MAPI_SORT_DESCENDING },
	};
	struct mapi_restriction res = { .type = RES_BITMASK };

	assert_int_equal(mapi_table_set_columns(table, tags,
						N_ELEMENTS(tags)), EC_NONE);
	switch (view) {
	case 0:
		/* as the messages come */
		break;
	case 1:
		table_sort_by_time(table, MAPI_SORT_DESCENDING);
		break;
	case 2:
		res.u.bitmask.tag = PIDTAG_MESSAGE_FLAGS;
		res.u.bitmask.mask = MSGFLAG_READ;
		assert_int_equal(mapi_table_restrict(table, &res), EC_NONE);
		table_sort_by_time(table, MAPI_SORT_ASCENDING);
		break;
	case 3:
		/* flags aren't constant */
		assert_int_equal(mapi_table_sort(table, orders, 2, 0, 0),
				 EC_NONE);
		break;
	case 4:
		assert_int_equal(mapi_table_sort(table, orders, 2, 1, 1),
				 EC_NONE);
		break;
	}
}

/* A table that is kept open shows the same as one that is opened anew, whatever
   happens to the mailbox. */
static void test_changes(void **state)
{
	enum { VIEWS = 5, ROUNDS = 60 };
	const char *env = getenv("TABLE_SEED");
	unsigned int seed = env != NULL ? strtoul(env, NULL, 10) :
		(unsigned int)time(NULL);
	struct table_fixture f;
	struct mapi_table *tables[VIEWS], *fresh;
	struct table_rows *kept = talloc(NULL, struct table_rows);
	struct table_rows *anew = talloc(kept, struct table_rows);
	uint32_t uids[400], count;
	char subject[32];
	unsigned int i, j, k, op, victim, uid_count = 0;

	printf("TABLE_SEED=%u\n", seed);
	fflush(stdout);
	table_fixture_init(&f, table_drivers[seed % N_ELEMENTS(table_drivers)]);
	for (i = 0; i < VIEWS; i++) {
		tables[i] = table_open_inbox(&f, 0, &count);
		setup_view(tables[i], i);
	}
	for (i = 0; i < ROUNDS; i++) {
		for (j = 1 + table_rnd(&seed, 3); j > 0; j--) {
			op = table_rnd(&seed, 4);
			victim = uid_count == 0 ? 0 : table_rnd(&seed, uid_count);
			if (op == 0 || uid_count == 0) {
				i_snprintf(subject, sizeof(subject),
					   "message-%03u", i * 3 + j);
				uids[uid_count++] = table_save(&f, subject,
					FIRST_TIME + table_rnd(&seed, 20),
					table_rnd(&seed, 2) == 0 ? MAIL_SEEN : 0);
			} else if (op == 1) {
				test_storage_expunge(f.ts, "INBOX",
						     uids[victim]);
				uids[victim] = uids[--uid_count];
			} else {
				test_storage_set_flags(f.ts, "INBOX",
					uids[victim], op == 2 ? MODIFY_ADD :
					MODIFY_REMOVE, MAIL_SEEN);
			}
		}
		for (j = 0; j < VIEWS; j++) {
			/* not every table at every change */
			if (table_rnd(&seed, 3) == 0)
				continue;
			table_read_all(tables[j], kept);
			fresh = table_open_inbox(&f, 0, &count);
			assert_int_equal(count, uid_count);
			setup_view(fresh, j);
			table_read_all(fresh, anew);
			talloc_free(fresh);
			assert_int_equal(kept->count, anew->count);
			for (k = 0; k < kept->count; k++) {
				assert_string_equal(kept->subjects[k],
						    anew->subjects[k]);
				assert_int_equal(kept->read[k], anew->read[k]);
			}
		}
	}
	for (i = 0; i < VIEWS; i++)
		talloc_free(tables[i]);
	talloc_free(kept);
	table_fixture_deinit(&f);
}

static void test_hierarchy(void **state)
{
	static const uint32_t tags[] = {
		PIDTAG_FOLDER_ID, PIDTAG_INST_ID, PIDTAG_DISPLAY_NAME,
		PIDTAG_DEPTH,
	};
	struct table_fixture f;
	struct mapi_table *table;
	struct table_rows *rows = talloc(NULL, struct table_rows);
	struct mapi_sort_order order = {
		PIDTAG_DISPLAY_NAME, MAPI_SORT_ASCENDING
	};
	struct mailbox *box;
	unsigned int i, before;
	uint32_t count;
	mapi_id_t fid;

	table_fixture_init(&f, "sdbox");
	fid = mapi_store_special_fid(f.store, MAPI_SPECIAL_IPM_SUBTREE);
	assert_int_equal(mapi_hierarchy_table_open(f.store, f.store, fid, 0x01,
						   &table, &count),
			 EC_NOT_SUPPORTED);
	assert_int_equal(mapi_hierarchy_table_open(f.store, f.store, fid,
			HIERARCHY_TABLE_DEPTH, &table, &count), EC_NONE);
	/* nothing else before the columns are known */
	assert_int_equal(mapi_table_set_columns(table, tags,
						N_ELEMENTS(tags)), EC_NONE);
	assert_int_equal(mapi_table_sort(table, &order, 1, 0, 0),
			 EC_NOT_SUPPORTED);
	assert_int_equal(mapi_table_reset(table), EC_NOT_SUPPORTED);
	table_read_all(table, rows);
	assert_int_equal(rows->count, count);
	for (i = 0; i < rows->count; i++) {
		assert_true(rows->depths[i] >= 1);
		if (strcmp(rows->subjects[i], "Inbox") == 0)
			break;
	}
	assert_true(i < rows->count);
	assert_int_equal(rows->depths[i], 1);

	/* a new folder appears */
	before = rows->count;
	box = test_storage_open(f.ts, "Project");
	mailbox_free(&box);
	table_read_all(table, rows);
	assert_int_equal(rows->count, before + 1);
	for (i = 0; i < rows->count; i++) {
		if (strcmp(rows->subjects[i], "Project") == 0)
			break;
	}
	assert_true(i < rows->count);

	talloc_free(table);
	talloc_free(rows);
	table_fixture_deinit(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_hierarchy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
