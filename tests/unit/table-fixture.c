/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "table-fixture.h"
#include "mapi-props.h"
#include "mapi-restriction.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

const char *const table_drivers[TABLE_DRIVER_COUNT] = {
	"maildir", "sdbox", "mdbox"
};

void
table_fixture_init(struct table_fixture *f, const char *driver)
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

void table_fixture_deinit(struct table_fixture *f)
{
	talloc_free(f->store);
	test_storage_deinit(&f->ts);
}

uint32_t
table_save(struct table_fixture *f, const char *subject, time_t received,
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

static bool table_rows_add(struct mapi_property_row *row, void *context)
{
	struct table_rows *rows = context;
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

void
table_read_rows(struct mapi_table *table, unsigned int count,
		struct table_rows *rows)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	uint8_t origin;

	i_zero(rows);
	assert_int_equal(mapi_table_query_rows(table, mem, TRUE, TRUE, count,
					       table_rows_add, rows, &origin),
			 EC_NONE);
	talloc_free(mem);
}

void table_read_all(struct mapi_table *table, struct table_rows *rows)
{
	int32_t sought;
	bool less;

	assert_int_equal(mapi_table_seek(table, BOOKMARK_BEGINNING, 0, &less,
					 &sought), EC_NONE);
	table_read_rows(table, 65535, rows);
}

struct mapi_table *
table_open_inbox(struct table_fixture *f, uint8_t flags, uint32_t *count_r)
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

void
table_sort_by_time(struct mapi_table *table, uint8_t order)
{
	struct mapi_sort_order orders[1] = {
		{ PIDTAG_MESSAGE_DELIVERY_TIME, order },
	};

	assert_int_equal(mapi_table_sort(table, orders, 1, 0, 0), EC_NONE);
}

unsigned int table_rnd(unsigned int *seed, unsigned int max)
{
	*seed = *seed * 1103515245U + 12345U;
	return (*seed >> 16) % max;
}
