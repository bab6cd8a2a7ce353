/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TABLE_MODEL_H
#define TABLE_MODEL_H

/* What a table must show, worked out naively: all rows are filtered, sorted
   (insertion sort, comparing values) and grouped again every time. */

#include "table-fake.h"

#define MODEL_MAX_VISIBLE (FAKE_MAX_ROWS * FAKE_MAX_MULTI * 3)
#define MODEL_MAX_KEYS 4
#define MODEL_MAX_BOOKMARKS 6

struct model_leaf {
	uint32_t row;
	uint16_t instance;
};

struct model_visible {
	bool heading;
	unsigned int level;	/* of headings */
	unsigned int first, count; /* leaves below a heading */
	unsigned int extreme;	/* leaf */
	bool expanded;
	/* headings: made from values, to be recognised again */
	char key[256];
	struct model_leaf leaf;
};

struct model_table {
	struct model_visible visible[MODEL_MAX_VISIBLE];
	unsigned int count;
	struct model_leaf leaves[FAKE_MAX_ROWS * FAKE_MAX_MULTI];
	unsigned int leaf_count;
};

struct model_bookmark {
	bool used, at_row, heading;
	char key[256];
	struct model_leaf leaf;
	unsigned int position;
	uint8_t data[16];
	size_t size;
};

struct model {
	struct fake_source *fake;
	struct mapi_table *table;
	TALLOC_CTX *mem;

	struct mapi_sort_order orders[MODEL_MAX_KEYS];
	unsigned int order_count, category_count, expanded_count;
	bool mv_columns;
	/* restriction: size >= this; -2 none */
	int32_t min_size;

	/* keys of categories that aren't in their first state */
	char toggled[64][256];
	unsigned int toggled_count;

	struct model_table now;
	unsigned int position;
	struct model_bookmark bookmarks[MODEL_MAX_BOOKMARKS];
};

/* tag may be FAKE_MULTI_INST: the leaf's single value */
struct mapi_value
model_value(struct model *m, const struct model_leaf *leaf, uint32_t tag);
/* Are the innermost categories ordered by another column's extremes? */
bool model_has_extreme(struct model *m);
/* Index of the visible row that is the same as v; -1 if there's none. */
int model_find(const struct model_table *t, const struct model_visible *v);
/* Something has changed: makes everything anew and moves positions; sorted_anew
   if the table forgets them. */
void model_update(struct model *m, bool sorted_anew);

#endif
