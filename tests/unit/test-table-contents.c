/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Contents and hierarchy tables over real mailboxes. */

#include "lib.h"
#include "test-storage-common.h"
#include "mapi-props.h"
#include "mapi-restriction.h"
#include "mapi-store.h"
#include "mapi-table.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define FIRST_TIME 1600000000

static const char *const drivers[] = { "maildir", "sdbox", "mdbox" };

struct fixture {
	struct test_storage *ts;
	struct mapi_store_settings set;
	struct mapi_store *store;
};

struct rows {
	/* of each row */
	char subjects[400][64];
	uint64_t times[400];
	int64_t mids[400];
	bool read[400];
	int32_t depths[400];
	unsigned int count;
};

static void
fixture_init(struct fixture *f, const char *driver)
{
	i_zero(f);
	f->ts = test_storage_init(driver);
	f->set.companion_root = "mapi-internal";
	f->set.organization = "Example";
	f->set.display_name = "User";
	f->set.email_address = "user@example.com";
	assert_int_equal(mapi_store_open(NULL, f->ts->user, &f->set, &f->store),
			 EC_NONE);
}

static void fixture_deinit(struct fixture *f)
{
	talloc_free(f->store);
	test_storage_deinit(&f->ts);
}

static uint32_t
save(struct fixture *f, const char *subject, time_t received,
     enum mail_flags flags)
{
	char buf[512];
	int len;

	len = i_snprintf(buf, sizeof(buf),
		"From: Sender <sender@example.com>\n"
		"To: User <user@example.com>\n"
		"Subject: %s\n"
		"Date: Mon, 14 Sep 2020 12:00:00 +0000\n"
		"Message-ID: <%s@example.com>\n"
		"\n"
		"Body of %s\n", subject, subject, subject);
	len = strlen(buf);
	return test_storage_save(f->ts, "INBOX", buf, len, flags, NULL,
				 received);
}

static bool rows_add(struct mapi_property_row *row, void *context)
{
	struct rows *rows = context;
	unsigned int i, n = rows->count++;

	assert_true(n < N_ELEMENTS(rows->times));
	for (i = 0; i < row->count; i++) {
		const struct mapi_value *value = &row->values[i];

		if (value->type == PTYP_ERROR_CODE)
			continue;
		switch (row->columns[i]) {
		case PIDTAG_SUBJECT:
		case PIDTAG_DISPLAY_NAME:
			i_snprintf(rows->subjects[n], sizeof(*rows->subjects),
				   "%s", value->u.str);
			break;
		case PIDTAG_MESSAGE_DELIVERY_TIME:
			rows->times[n] = value->u.time;
			break;
		case PIDTAG_MID:
		case PIDTAG_FOLDER_ID:
			rows->mids[n] = value->u.i64;
			break;
		case PIDTAG_INST_ID:
			/* comes after the id */
			assert_true(value->u.i64 == rows->mids[n]);
			break;
		case PIDTAG_MESSAGE_FLAGS:
			rows->read[n] = (value->u.i32 & MSGFLAG_READ) != 0;
			break;
		case PIDTAG_DEPTH:
			rows->depths[n] = value->u.i32;
			break;
		}
	}
	return TRUE;
}

static void
read_rows(struct mapi_table *table, unsigned int count, struct rows *rows)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	uint8_t origin;

	i_zero(rows);
	assert_int_equal(mapi_table_query_rows(table, mem, TRUE, TRUE, count,
					       rows_add, rows, &origin),
			 EC_NONE);
	talloc_free(mem);
}

static void read_all(struct mapi_table *table, struct rows *rows)
{
	int32_t sought;
	bool less;

	assert_int_equal(mapi_table_seek(table, BOOKMARK_BEGINNING, 0, &less,
					 &sought), EC_NONE);
	read_rows(table, 65535, rows);
}

static struct mapi_table *
open_inbox(struct fixture *f, uint8_t flags, uint32_t *count_r)
{
	static const uint32_t tags[] = {
		PIDTAG_MID, PIDTAG_INST_ID, PIDTAG_SUBJECT,
		PIDTAG_MESSAGE_DELIVERY_TIME, PIDTAG_MESSAGE_FLAGS,
	};
	struct mapi_table *table;

	assert_int_equal(mapi_contents_table_open(f->store, f->store,
		mapi_store_special_fid(f->store, MAPI_SPECIAL_INBOX), flags,
		&table, count_r), EC_NONE);
	assert_int_equal(mapi_table_set_columns(table, tags,
						N_ELEMENTS(tags)), EC_NONE);
	return table;
}

static void
sort_by_time(struct mapi_table *table, uint8_t order)
{
	struct mapi_sort_order orders[1] = {
		{ PIDTAG_MESSAGE_DELIVERY_TIME, order },
	};

	assert_int_equal(mapi_table_sort(table, orders, 1, 0, 0), EC_NONE);
}

static void test_contents_driver(const char *driver)
{
	struct fixture f;
	struct mapi_table *table;
	struct mapi_restriction res;
	struct rows *rows = talloc(NULL, struct rows), *page;
	uint32_t uids[101], count, i, position;
	char subject[32];
	const uint8_t *bookmark;
	size_t bookmark_size;
	int32_t sought;
	bool gone, less;

	page = talloc(rows, struct rows);
	fixture_init(&f, driver);
	/* the times are a permutation of 0..100, three of each second */
	for (i = 0; i < N_ELEMENTS(uids); i++) {
		i_snprintf(subject, sizeof(subject), "message-%03u", i);
		uids[i] = save(&f, subject, FIRST_TIME + (i * 37 % 101) / 3,
			       i % 4 == 0 ? MAIL_SEEN : 0);
	}

	table = open_inbox(&f, 0, &count);
	assert_int_equal(count, N_ELEMENTS(uids));
	/* as they came */
	read_all(table, rows);
	assert_int_equal(rows->count, N_ELEMENTS(uids));
	for (i = 0; i < rows->count; i++) {
		i_snprintf(subject, sizeof(subject), "message-%03u", i);
		assert_string_equal(rows->subjects[i], subject);
	}

	sort_by_time(table, MAPI_SORT_DESCENDING);
	read_rows(table, 50, page);
	assert_int_equal(page->count, 50);
	read_all(table, rows);
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
	(void)save(&f, "new", FIRST_TIME + 30, 0);
	read_rows(table, 1, page);
	assert_string_equal(page->subjects[0], rows->subjects[60]);
	assert_int_equal(mapi_table_query_position(table, &position, &count),
			 EC_NONE);
	assert_int_equal(position, 62);
	assert_int_equal(count, N_ELEMENTS(uids) + 1);
	read_all(table, page);
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
	read_rows(table, 1, page);
	assert_string_equal(page->subjects[0], rows->subjects[61]);
	read_all(table, page);
	assert_int_equal(page->count, N_ELEMENTS(uids) - 1);

	/* unread ones; then one is read elsewhere */
	i_zero(&res);
	res.type = RES_BITMASK;
	res.u.bitmask.relop = BMR_EQZ;
	res.u.bitmask.tag = PIDTAG_MESSAGE_FLAGS;
	res.u.bitmask.mask = MSGFLAG_READ;
	assert_int_equal(mapi_table_restrict(table, &res), EC_NONE);
	read_all(table, rows);
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
	read_all(table, page);
	assert_int_equal(page->count, rows->count - 1);
	assert_string_equal(page->subjects[4], rows->subjects[4]);
	assert_string_equal(page->subjects[5], rows->subjects[6]);
	/* and unread again */
	test_storage_set_flags(f.ts, "INBOX", uids[i], MODIFY_REMOVE,
			       MAIL_SEEN);
	read_all(table, page);
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
	read_all(table, rows);
	assert_true(rows->count >= 8 && rows->count <= 10);

	/* nothing has been deleted, and there are no such messages */
	talloc_free(table);
	table = open_inbox(&f, CONTENTS_TABLE_SOFT_DELETES, &count);
	assert_int_equal(count, 0);
	read_all(table, rows);
	assert_int_equal(rows->count, 0);
	talloc_free(table);
	table = open_inbox(&f, CONTENTS_TABLE_ASSOCIATED, &count);
	assert_int_equal(count, 0);
	talloc_free(table);
	assert_int_equal(mapi_contents_table_open(f.store, f.store,
		mapi_store_special_fid(f.store, MAPI_SPECIAL_INBOX), 0x01,
		&table, &count), EC_INVALID_PARAM);

	talloc_free(rows);
	fixture_deinit(&f);
}

static void test_contents(void **state)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(drivers); i++) {
		printf("%s\n", drivers[i]);
		fflush(stdout);
		test_contents_driver(drivers[i]);
	}
}

static unsigned int rnd(unsigned int *seed, unsigned int max)
{
	*seed = *seed * 1103515245U + 12345U;
	return (*seed >> 16) % max;
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
		sort_by_time(table, MAPI_SORT_DESCENDING);
		break;
	case 2:
		res.u.bitmask.tag = PIDTAG_MESSAGE_FLAGS;
		res.u.bitmask.mask = MSGFLAG_READ;
		assert_int_equal(mapi_table_restrict(table, &res), EC_NONE);
		sort_by_time(table, MAPI_SORT_ASCENDING);
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
	struct fixture f;
	struct mapi_table *tables[VIEWS], *fresh;
	struct rows *kept = talloc(NULL, struct rows);
	struct rows *anew = talloc(kept, struct rows);
	uint32_t uids[400], count;
	char subject[32];
	unsigned int i, j, k, op, victim, uid_count = 0;

	printf("TABLE_SEED=%u\n", seed);
	fflush(stdout);
	fixture_init(&f, drivers[seed % N_ELEMENTS(drivers)]);
	for (i = 0; i < VIEWS; i++) {
		tables[i] = open_inbox(&f, 0, &count);
		setup_view(tables[i], i);
	}
	for (i = 0; i < ROUNDS; i++) {
		for (j = 1 + rnd(&seed, 3); j > 0; j--) {
			op = rnd(&seed, 4);
			victim = uid_count == 0 ? 0 : rnd(&seed, uid_count);
			if (op == 0 || uid_count == 0) {
				i_snprintf(subject, sizeof(subject),
					   "message-%03u", i * 3 + j);
				uids[uid_count++] = save(&f, subject,
					FIRST_TIME + rnd(&seed, 20),
					rnd(&seed, 2) == 0 ? MAIL_SEEN : 0);
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
			if (rnd(&seed, 3) == 0)
				continue;
			read_all(tables[j], kept);
			fresh = open_inbox(&f, 0, &count);
			assert_int_equal(count, uid_count);
			setup_view(fresh, j);
			read_all(fresh, anew);
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
	fixture_deinit(&f);
}

/* --- random restrictions -------------------------------------------------- */

/* Makes a restriction and tells by row what must match. */
static void
random_restriction(TALLOC_CTX *mem, unsigned int *seed, unsigned int depth,
		   const struct rows *rows, struct mapi_restriction *res_r,
		   bool *match)
{
	bool child_match[N_ELEMENTS(rows->times)];
	unsigned int i, j, kind = rnd(seed, depth == 0 ? 5 : 8);
	uint64_t time;
	char subject[8];
	uint8_t relop;
	bool value;

	i_zero(res_r);
	switch (kind) {
	case 0:
		res_r->type = RES_BITMASK;
		res_r->u.bitmask.tag = PIDTAG_MESSAGE_FLAGS;
		res_r->u.bitmask.mask = MSGFLAG_READ;
		res_r->u.bitmask.relop = rnd(seed, 2);
		for (i = 0; i < rows->count; i++) {
			match[i] = rows->read[i] ==
				(res_r->u.bitmask.relop == BMR_NEZ);
		}
		return;
	case 1:
		value = rnd(seed, 2) == 0;
		relop = rnd(seed, 2) == 0 ? RELOP_EQ : RELOP_NE;
		res_r->type = RES_PROPERTY;
		res_r->u.property.tag = PIDTAG_READ;
		res_r->u.property.relop = relop;
		res_r->u.property.value.tag = PIDTAG_READ;
		res_r->u.property.value.value = mapi_value_bool(value);
		for (i = 0; i < rows->count; i++) {
			match[i] = (rows->read[i] == value) ==
				(relop == RELOP_EQ);
		}
		return;
	case 2:
	case 3:
		time = mapi_time_from_unix(FIRST_TIME + rnd(seed, 22), 0) +
			rnd(seed, 3) * 5000000 - 5000000;
		relop = rnd(seed, 6);
		res_r->type = RES_PROPERTY;
		res_r->u.property.tag = PIDTAG_MESSAGE_DELIVERY_TIME;
		res_r->u.property.relop = relop;
		res_r->u.property.value.tag = PIDTAG_MESSAGE_DELIVERY_TIME;
		res_r->u.property.value.value = mapi_value_time(time);
		for (i = 0; i < rows->count; i++) {
			uint64_t t = rows->times[i];

			match[i] = relop == RELOP_LT ? t < time :
				relop == RELOP_LE ? t <= time :
				relop == RELOP_GT ? t > time :
				relop == RELOP_GE ? t >= time :
				relop == RELOP_EQ ? t == time : t != time;
		}
		return;
	case 4:
		i_snprintf(subject, sizeof(subject), "%u", rnd(seed, 30));
		res_r->type = RES_CONTENT;
		res_r->u.content.fuzzy_low = FL_SUBSTRING;
		res_r->u.content.tag = PIDTAG_SUBJECT;
		res_r->u.content.value.tag = PIDTAG_SUBJECT;
		res_r->u.content.value.value =
			mapi_value_str(talloc_strdup(mem, subject));
		for (i = 0; i < rows->count; i++) {
			match[i] = strstr(rows->subjects[i], subject) != NULL;
		}
		return;
	case 5:
		res_r->type = RES_NOT;
		res_r->u.child = talloc(mem, struct mapi_restriction);
		random_restriction(mem, seed, depth - 1, rows, res_r->u.child,
				   match);
		for (i = 0; i < rows->count; i++)
			match[i] = !match[i];
		return;
	}
	res_r->type = kind == 6 ? RES_AND : RES_OR;
	res_r->u.list.count = rnd(seed, 4);
	res_r->u.list.items = talloc_array(mem, struct mapi_restriction,
					   I_MAX(1, res_r->u.list.count));
	for (i = 0; i < rows->count; i++)
		match[i] = kind == 6;
	for (j = 0; j < res_r->u.list.count; j++) {
		random_restriction(mem, seed, depth - 1, rows,
				   &res_r->u.list.items[j], child_match);
		for (i = 0; i < rows->count; i++) {
			match[i] = kind == 6 ? match[i] && child_match[i] :
				match[i] || child_match[i];
		}
	}
}

/* What lib-storage searches for must not leave out what matches, nor let
   anything else in. */
static void test_restrictions(void **state)
{
	const char *env = getenv("TABLE_SEED");
	unsigned int seed = env != NULL ? strtoul(env, NULL, 10) :
		(unsigned int)time(NULL);
	struct fixture f;
	struct mapi_table *table;
	struct mapi_restriction res;
	struct rows *all = talloc(NULL, struct rows);
	struct rows *found = talloc(all, struct rows);
	bool match[N_ELEMENTS(all->times)];
	unsigned int i, j, n;
	char subject[32];
	uint32_t count;

	printf("TABLE_SEED=%u\n", seed);
	fflush(stdout);
	fixture_init(&f, drivers[seed % N_ELEMENTS(drivers)]);
	for (i = 0; i < 40; i++) {
		i_snprintf(subject, sizeof(subject), "number %u", i);
		(void)save(&f, subject, FIRST_TIME + rnd(&seed, 20),
			   rnd(&seed, 2) == 0 ? MAIL_SEEN : 0);
	}
	table = open_inbox(&f, 0, &count);
	read_all(table, all);
	for (i = 0; i < 400; i++) {
		TALLOC_CTX *mem = talloc_new(NULL);

		random_restriction(mem, &seed, 3, all, &res, match);
		assert_int_equal(mapi_table_restrict(table, &res), EC_NONE);
		read_all(table, found);
		for (j = n = 0; j < all->count; j++) {
			if (!match[j])
				continue;
			if (n >= found->count ||
			    strcmp(found->subjects[n], all->subjects[j]) != 0)
				break;
			n++;
		}
		if (j < all->count || n < found->count) {
			char *text = talloc_strdup(mem, "");

			mapi_restriction_print(&text, &res);
			fail_msg("%u: %s is wrong at %s", i, text,
				 all->subjects[j]);
		}
		talloc_free(mem);
	}
	talloc_free(table);
	talloc_free(all);
	fixture_deinit(&f);
}

static void test_hierarchy(void **state)
{
	static const uint32_t tags[] = {
		PIDTAG_FOLDER_ID, PIDTAG_INST_ID, PIDTAG_DISPLAY_NAME,
		PIDTAG_DEPTH,
	};
	struct fixture f;
	struct mapi_table *table;
	struct rows *rows = talloc(NULL, struct rows);
	struct mapi_sort_order order = {
		PIDTAG_DISPLAY_NAME, MAPI_SORT_ASCENDING
	};
	struct mailbox *box;
	unsigned int i, before;
	uint32_t count;
	mapi_id_t fid;

	fixture_init(&f, "sdbox");
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
	read_all(table, rows);
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
	read_all(table, rows);
	assert_int_equal(rows->count, before + 1);
	for (i = 0; i < rows->count; i++) {
		if (strcmp(rows->subjects[i], "Project") == 0)
			break;
	}
	assert_true(i < rows->count);

	talloc_free(table);
	talloc_free(rows);
	fixture_deinit(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_restrictions),
		cmocka_unit_test(test_hierarchy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
