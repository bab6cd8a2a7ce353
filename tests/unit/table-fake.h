/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TABLE_FAKE_H
#define TABLE_FAKE_H

/* A source of table rows in memory, which tests change at will. */

#include "mapi-table-private.h"

#define FAKE_MAX_ROWS 400
#define FAKE_MAX_MULTI 3

/* properties of rows */
#define FAKE_TIME	0x0E060040U
#define FAKE_SIZE	0x0E080003U
#define FAKE_SUBJECT	0x0037001FU
#define FAKE_FROM	0x0042001FU
#define FAKE_MULTI	0x8001101FU
#define FAKE_MULTI_INST	0x8001301FU

struct fake_row {
	bool exists;
	uint64_t time;
	int32_t size;		/* -1: absent */
	const char *subject;	/* NULL: absent */
	const char *from;
	const char *multi[FAKE_MAX_MULTI];
	unsigned int multi_count;
	bool unread;
};

struct fake_source {
	struct mapi_table_source src;
	/* index is the row; row 0 isn't used */
	struct fake_row rows[FAKE_MAX_ROWS];
	unsigned int row_count;
	bool modified[FAKE_MAX_ROWS];
	bool vanished;

	uint32_t selected;
	bool reading;
	/* how often a row has been selected */
	unsigned int select_count;
	/* this row can't be read */
	uint32_t broken;
};

struct fake_source *fake_source_create(TALLOC_CTX *parent);
/* These are noticed by the table at its next operation. */
uint32_t fake_add(struct fake_source *fake, const struct fake_row *row);
void fake_modify(struct fake_source *fake, uint32_t row,
		 const struct fake_row *values);
void fake_remove(struct fake_source *fake, uint32_t row);

uint64_t fake_inst_id(uint32_t row);
/* Value of a property of a row; PTYP_ERROR_CODE if it has none. */
struct mapi_value fake_value(struct fake_row *row, uint32_t tag);

#endif
