/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Restrictions on the contents tables of real mailboxes; attachment tables. */

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

/* Makes a restriction and tells by row what must match. */
static void
random_restriction(TALLOC_CTX *mem, unsigned int *seed, unsigned int depth,
		   const struct table_rows *rows, struct mapi_restriction *res_r,
		   bool *match)
{
	bool child_match[N_ELEMENTS(rows->times)];
	unsigned int i, j, kind = table_rnd(seed, depth == 0 ? 5 : 8);
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
		res_r->u.bitmask.relop = table_rnd(seed, 2);
		for (i = 0; i < rows->count; i++) {
			match[i] = rows->read[i] ==
				(res_r->u.bitmask.relop == BMR_NEZ);
		}
		return;
	case 1:
		value = table_rnd(seed, 2) == 0;
		relop = table_rnd(seed, 2) == 0 ? RELOP_EQ : RELOP_NE;
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
		time = mapi_time_from_unix(FIRST_TIME + table_rnd(seed, 22), 0) +
			table_rnd(seed, 3) * 5000000 - 5000000;
		relop = table_rnd(seed, 6);
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
		i_snprintf(subject, sizeof(subject), "%u", table_rnd(seed, 30));
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
	res_r->u.list.count = table_rnd(seed, 4);
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
	struct table_fixture f;
	struct mapi_table *table;
	struct mapi_restriction res;
	struct table_rows *all = talloc(NULL, struct table_rows);
	struct table_rows *found = talloc(all, struct table_rows);
	bool match[N_ELEMENTS(all->times)];
	unsigned int i, j, n;
	char subject[32];
	uint32_t count;

	printf("TABLE_SEED=%u\n", seed);
	fflush(stdout);
	table_fixture_init(&f, table_drivers[seed % N_ELEMENTS(table_drivers)]);
	for (i = 0; i < 40; i++) {
		i_snprintf(subject, sizeof(subject), "number %u", i);
		(void)table_save(&f, subject, FIRST_TIME + table_rnd(&seed, 20),
			   table_rnd(&seed, 2) == 0 ? MAIL_SEEN : 0);
	}
	table = table_open_inbox(&f, 0, &count);
	table_read_all(table, all);
	for (i = 0; i < 400; i++) {
		TALLOC_CTX *mem = talloc_new(NULL);

		random_restriction(mem, &seed, 3, all, &res, match);
		assert_int_equal(mapi_table_restrict(table, &res), EC_NONE);
		table_read_all(table, found);
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
	table_fixture_deinit(&f);
}

static bool attachment_add(struct mapi_property_row *row, void *context)
{
	struct table_rows *rows = context;

	assert_int_equal(row->values[0].u.i32, rows->count);
	i_snprintf(rows->subjects[rows->count], sizeof(*rows->subjects), "%s",
		   row->values[1].type == PTYP_STRING ?
		   row->values[1].u.str : "");
	rows->count++;
	return TRUE;
}

/* The attachments of a message, also after it has been released; restrictions
   on recipients and attachments. */
static void test_sub_objects(void **state)
{
	static const char mail[] =
		"From: Sender <sender@example.com>\n"
		"To: Anna <anna@example.com>\n"
		"Cc: Bert <bert@example.com>\n"
		"Subject: with attachments\n"
		"MIME-Version: 1.0\n"
		"Content-Type: multipart/mixed; boundary=x\n"
		"\n"
		"--x\n"
		"Content-Type: text/plain\n\nText\n"
		"--x\n"
		"Content-Type: application/pdf\n"
		"Content-Disposition: attachment; filename=first.pdf\n\n"
		"data\n"
		"--x\n"
		"Content-Type: application/zip\n"
		"Content-Disposition: attachment; filename=second.zip\n\n"
		"data\n"
		"--x--\n";
	static const uint32_t tags[] = {
		PIDTAG_ATTACH_NUMBER, PIDTAG_ATTACH_LONG_FILENAME,
	};
	struct mapi_restriction res = { .type = RES_SUBRESTRICTION };
	struct mapi_restriction child = { .type = RES_CONTENT };
	struct table_rows *rows = talloc_zero(NULL, struct table_rows);
	TALLOC_CTX *mem = talloc_new(rows), *parent;
	struct mapi_message *msg;
	struct mapi_table *table;
	struct table_fixture f;
	mapi_id_t fid;
	uint32_t count;
	uint8_t origin;
	unsigned int i;

	table_fixture_init(&f, "mdbox");
	(void)table_save(&f, "without", FIRST_TIME, 0);
	(void)test_storage_save(f.ts, "INBOX", mail, sizeof(mail) - 1, 0, NULL,
				FIRST_TIME);
	table = table_open_inbox(&f, 0, &count);
	table_read_all(table, rows);
	assert_int_equal(rows->count, 2);

	fid = mapi_store_special_fid(f.store, MAPI_SPECIAL_INBOX);
	parent = talloc_new(f.store);
	assert_int_equal(mapi_message_open(parent, f.store, fid,
			mapi_id_from_i64(rows->mids[1]), &msg), EC_NONE);
	struct mapi_table *attachments;
	assert_int_equal(mapi_attachment_table_open(parent, msg, 0x01,
						    &attachments),
			 EC_INVALID_PARAM);
	assert_int_equal(mapi_attachment_table_open(parent, msg, 0x40,
						    &attachments), EC_NONE);
	assert_int_equal(mapi_table_set_columns(attachments, tags, 2), EC_NONE);
	/* as sessions release objects */
	assert_int_equal(talloc_unlink(parent, msg), 0);
	rows->count = 0;
	assert_int_equal(mapi_table_query_rows(attachments, mem, TRUE, TRUE, 10,
			attachment_add, rows, &origin), EC_NONE);
	assert_int_equal(rows->count, 2);
	assert_string_equal(rows->subjects[0], "first.pdf");
	assert_string_equal(rows->subjects[1], "second.zip");
	assert_int_equal(origin, BOOKMARK_END);
	talloc_free(parent);

	static const struct {
		uint32_t sub_tag, tag;
		const char *wanted;
		unsigned int found;
	} tests[] = {
		{ PIDTAG_MESSAGE_RECIPIENTS, PIDTAG_DISPLAY_NAME, "anna", 1 },
		{ PIDTAG_MESSAGE_RECIPIENTS, PIDTAG_SMTP_ADDRESS,
		  "example.com", 2 },
		{ PIDTAG_MESSAGE_RECIPIENTS, PIDTAG_DISPLAY_NAME, "zoe", 0 },
		{ PIDTAG_MESSAGE_ATTACHMENTS, PIDTAG_ATTACH_LONG_FILENAME,
		  ".zip", 1 },
		{ PIDTAG_MESSAGE_ATTACHMENTS, PIDTAG_ATTACH_LONG_FILENAME,
		  ".doc", 0 },
	};
	res.u.sub.child = &child;
	child.u.content.fuzzy_low = FL_SUBSTRING;
	child.u.content.fuzzy_high = FL_IGNORECASE;
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		res.u.sub.tag = tests[i].sub_tag;
		child.u.content.tag = child.u.content.value.tag = tests[i].tag;
		child.u.content.value.value = mapi_value_str(tests[i].wanted);
		assert_int_equal(mapi_table_restrict(table, &res), EC_NONE);
		table_read_all(table, rows);
		if (rows->count != tests[i].found) {
			fail_msg("%s: found %u instead of %u", tests[i].wanted,
				 rows->count, tests[i].found);
		}
	}
	talloc_free(table);
	talloc_free(rows);
	table_fixture_deinit(&f);
}

struct conversation {
	unsigned int count;
	uint8_t ids[10][64];
	uint32_t id_len;
	int64_t mids[10], inst_ids[10];
};

static bool conversation_add(struct mapi_property_row *row, void *context)
{
	struct conversation *conv = context;
	unsigned int n = conv->count++;

	assert_true(n < N_ELEMENTS(conv->mids));
	assert_int_equal(row->values[0].type, PTYP_BINARY);
	conv->id_len = row->values[0].u.bin.len;
	assert_true(conv->id_len > 0 && conv->id_len <= sizeof(conv->ids[n]));
	memcpy(conv->ids[n], row->values[0].u.bin.data, conv->id_len);
	conv->mids[n] = row->values[1].u.i64;
	conv->inst_ids[n] = row->values[2].u.i64;
	return TRUE;
}

static void
read_conversation(struct mapi_table *table, struct conversation *conv)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	int32_t sought;
	uint8_t origin;
	bool less;

	i_zero(conv);
	assert_int_equal(mapi_table_seek(table, BOOKMARK_BEGINNING, 0, &less,
					 &sought), EC_NONE);
	assert_int_equal(mapi_table_query_rows(table, mem, TRUE, TRUE, 100,
			conversation_add, conv, &origin), EC_NONE);
	talloc_free(mem);
}

static void
save_to(struct table_fixture *f, const char *vname, const char *subject,
	unsigned int number)
{
	char buf[256];

	i_snprintf(buf, sizeof(buf), "From: a@example.com\nSubject: %s\n"
		   "Message-ID: <%u@example.com>\n\nText\n", subject, number);
	(void)test_storage_save(f->ts, vname, buf, strlen(buf), 0, NULL,
				FIRST_TIME + number);
}

/* Messages of a conversation in several folders, [MS-OXCFOLD] 2.2.1.14.1 */
static void test_conversation_members(void **state)
{
	static const uint32_t tags[] = {
		PIDTAG_CONVERSATION_ID, PIDTAG_MID, PIDTAG_INST_ID,
	};
	struct mapi_sort_order order = {
		PIDTAG_MESSAGE_DELIVERY_TIME, MAPI_SORT_ASCENDING,
	};
	struct mapi_restriction res = { .type = RES_PROPERTY };
	struct conversation all, some;
	struct table_fixture f;
	struct mapi_table *table;
	uint32_t count;
	uint8_t id[64];
	unsigned int i;

	table_fixture_init(&f, "sdbox");
	save_to(&f, "INBOX", "The plan", 1);
	save_to(&f, "Other", "Re: The plan", 2);
	save_to(&f, "INBOX", "Something else", 3);
	save_to(&f, "Other", "Lunch", 4);

	assert_int_equal(mapi_contents_table_open(f.store, f.store,
		mapi_store_special_fid(f.store, MAPI_SPECIAL_INBOX),
		CONTENTS_TABLE_CONVERSATION_MEMBERS, &table, &count),
		EC_NOT_SUPPORTED);
	assert_int_equal(mapi_contents_table_open(f.store, f.store,
		mapi_store_special_fid(f.store, MAPI_SPECIAL_ROOT),
		CONTENTS_TABLE_CONVERSATION_MEMBERS |
		CONTENTS_TABLE_USE_UNICODE | CONTENTS_TABLE_DEFERRED_ERRORS,
		&table, &count), EC_NONE);
	assert_int_equal(count, 4);
	assert_int_equal(mapi_table_set_columns(table, tags, 3), EC_NONE);
	assert_int_equal(mapi_table_sort(table, &order, 1, 0, 0), EC_NONE);
	read_conversation(table, &all);
	assert_int_equal(all.count, 4);
	for (i = 0; i < 4; i++) {
		assert_true(all.mids[i] == all.inst_ids[i]);
		assert_true(i == 0 || all.mids[i] != all.mids[0]);
	}
	assert_memory_equal(all.ids[0], all.ids[1], all.id_len);
	assert_memory_not_equal(all.ids[0], all.ids[2], all.id_len);

	memcpy(id, all.ids[0], all.id_len);
	res.u.property.relop = RELOP_EQ;
	res.u.property.tag = PIDTAG_CONVERSATION_ID;
	res.u.property.value.tag = PIDTAG_CONVERSATION_ID;
	res.u.property.value.value = mapi_value_bin(id, all.id_len);
	assert_int_equal(mapi_table_restrict(table, &res), EC_NONE);
	read_conversation(table, &some);
	assert_int_equal(some.count, 2);
	assert_true(some.mids[0] == all.mids[0]);
	assert_true(some.mids[1] == all.mids[1]);

	/* one comes, one goes */
	save_to(&f, "Other", "Re: The plan", 0);
	test_storage_expunge(f.ts, "INBOX", 1);
	read_conversation(table, &some);
	assert_int_equal(some.count, 2);
	assert_true(some.mids[1] == all.mids[1]);
	assert_true(some.mids[0] != all.mids[0]);

	talloc_free(table);
	table_fixture_deinit(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restrictions),
		cmocka_unit_test(test_sub_objects),
		cmocka_unit_test(test_conversation_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
