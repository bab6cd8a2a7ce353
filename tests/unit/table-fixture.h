/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TABLE_FIXTURE_H
#define TABLE_FIXTURE_H

/* A store with real mail for tests of tables. Include "lib.h" first. */

#include "test-storage-common.h"
#include "mapi-store.h"
#include "mapi-table.h"

#define FIRST_TIME 1600000000

#define TABLE_DRIVER_COUNT 3
extern const char *const table_drivers[TABLE_DRIVER_COUNT];

struct table_fixture {
	struct test_storage *ts;
	struct mapi_store_settings set;
	struct mapi_store *store;
};

struct table_rows {
	/* of each row */
	char subjects[400][64];
	uint64_t times[400];
	int64_t mids[400];
	bool read[400];
	int32_t depths[400];
	unsigned int count;
};

void table_fixture_init(struct table_fixture *f, const char *driver);
void table_fixture_deinit(struct table_fixture *f);
/* Saves a message into INBOX and returns its UID. */
uint32_t table_save(struct table_fixture *f, const char *subject,
		    time_t received, enum mail_flags flags);

/* Opens INBOX' contents table and sets columns that table_read_rows() reads. */
struct mapi_table *
table_open_inbox(struct table_fixture *f, uint8_t flags, uint32_t *count_r);
void table_sort_by_time(struct mapi_table *table, uint8_t order);
/* The next count rows; all of them. */
void table_read_rows(struct mapi_table *table, unsigned int count,
		     struct table_rows *rows);
void table_read_all(struct mapi_table *table, struct table_rows *rows);

/* A number below max, and the next seed. */
unsigned int table_rnd(unsigned int *seed, unsigned int max);

#endif
