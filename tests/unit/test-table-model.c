/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tables against a naive model: random operations on a table over rows in
   memory; after each of them the whole table, its cursor and its bookmarks must
   be what the model says. The model has no incremental anything: it filters,
   sorts (insertion sort, comparing values) and groups all rows every time.

   Replay a failure with TABLE_SEED=n. */

#include "lib.h"
#include "mapi-props.h"
#include "table-model.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <cmocka.h>

#define RUNS 100
#define OPS 150

static unsigned int seed;

static unsigned int rnd(unsigned int max)
{
	seed = seed * 1103515245U + 12345U;
	return (seed >> 16) % max;
}

/* --- comparing ------------------------------------------------------------ */

struct check {
	struct model *m;
	unsigned int next;
	int step;
	unsigned int rows, limit;
};

static uint64_t heading_ids[MODEL_MAX_VISIBLE];

static void
check_row(struct model *m, unsigned int idx,
	  const struct mapi_property_row *row)
{
	const struct model_visible *v = &m->now.visible[idx];
	const struct model_leaf *leaf = v->heading ?
		&m->now.leaves[v->first] : &v->leaf;
	struct mapi_value expected;
	unsigned int i, j, unread = 0;

	assert_true(idx < m->now.count);
	for (i = 0; i < row->count; i++) {
		uint32_t tag = row->columns[i];
		const struct mapi_value *value = &row->values[i];

		switch (tag) {
		case PIDTAG_INST_ID:
			if (v->heading) {
				assert_int_equal(value->u.i64 & 0xffff, 0);
				heading_ids[idx] = value->u.i64;
			} else {
				assert_true((uint64_t)value->u.i64 ==
					    fake_inst_id(v->leaf.row));
			}
			continue;
		case PIDTAG_INSTANCE_NUM:
			assert_int_equal(value->u.i32, v->heading ? 0 :
					 v->leaf.instance);
			continue;
		case PIDTAG_ROW_TYPE:
			assert_int_equal(value->u.i32, !v->heading ? 1 :
					 v->expanded ? 3 : 4);
			continue;
		case PIDTAG_DEPTH:
			assert_int_equal(value->u.i32, v->heading ? v->level :
					 m->category_count);
			continue;
		case PIDTAG_CONTENT_COUNT:
			if (!v->heading) {
				assert_int_equal(value->type, PTYP_ERROR_CODE);
				continue;
			}
			assert_int_equal(value->u.i32, v->count);
			continue;
		case PIDTAG_CONTENT_UNREAD_COUNT:
			if (!v->heading) {
				assert_int_equal(value->u.error, EC_NOT_FOUND);
				continue;
			}
			for (j = 0; j < v->count; j++) {
				if (m->fake->rows[m->now.leaves[v->first +
						  j].row].unread)
					unread++;
			}
			assert_int_equal(value->u.i32, unread);
			continue;
		}
		if (m->mv_columns && MAPI_TAG_ID(tag) ==
		    MAPI_TAG_ID(FAKE_MULTI_INST)) {
			assert_int_equal(tag, MAPI_TAG_AS(tag, PTYP_STRING));
			tag = FAKE_MULTI_INST;
		}
		if (!v->heading)
			expected = model_value(m, leaf, tag);
		else {
			expected = mapi_value_error(EC_NOT_FOUND);
			for (j = 0; j <= v->level; j++) {
				if (m->orders[j].tag == tag) {
					expected = model_value(m, leaf, tag);
					break;
				}
			}
			if (j > v->level && model_has_extreme(m) &&
			    m->orders[m->category_count].tag == tag) {
				expected = model_value(m,
					&m->now.leaves[v->extreme], tag);
			}
		}
		if (expected.type == PTYP_STRING && v->heading &&
		    value->type == PTYP_STRING) {
			/* of which leaf isn't said */
			assert_int_equal(strcasecmp(value->u.str,
						    expected.u.str), 0);
		} else {
			assert_true(mapi_value_equal(value, &expected));
		}
	}
}

static bool check_callback(struct mapi_property_row *row, void *context)
{
	struct check *check = context;

	if (check->rows == check->limit)
		return FALSE;
	check_row(check->m, check->next, row);
	check->next += check->step;
	check->rows++;
	return TRUE;
}

/* The whole table, and where the cursor is. */
static void check_all(struct model *m)
{
	struct check check = { .m = m, .step = 1, .limit = UINT_MAX };
	TALLOC_CTX *mem = talloc_new(m->mem);
	uint32_t position, count;
	int32_t sought;
	uint8_t origin;
	bool less;

	assert_int_equal(mapi_table_query_position(m->table, &position,
						   &count), EC_NONE);
	assert_int_equal(count, m->now.count);
	assert_int_equal(position, m->position);

	assert_int_equal(mapi_table_seek(m->table, BOOKMARK_BEGINNING, 0,
					 &less, &sought), EC_NONE);
	assert_int_equal(mapi_table_query_rows(m->table, mem, FALSE, TRUE,
					       65535, check_callback, &check,
					       &origin), EC_NONE);
	assert_int_equal(check.rows, m->now.count);
	assert_int_equal(origin, BOOKMARK_END);
	assert_int_equal(mapi_table_seek(m->table, BOOKMARK_BEGINNING,
					 m->position, &less, &sought),
			 EC_NONE);
	assert_false(less);
	talloc_free(mem);
}

/* --- random operations ---------------------------------------------------- */

static const char *const words[] = {
	"alpha", "Alpha", "beta", "BETA", "gamma", "delta", "", "zeta9", "a",
	"abc def", NULL,
};

static void random_row(struct fake_row *row)
{
	unsigned int i;

	i_zero(row);
	row->time = rnd(30) * 10000000ULL;
	row->size = (int)rnd(12) - 1;
	row->subject = words[rnd(N_ELEMENTS(words))];
	row->from = words[rnd(4)];
	row->multi_count = rnd(FAKE_MAX_MULTI + 1);
	for (i = 0; i < row->multi_count; i++)
		row->multi[i] = words[rnd(N_ELEMENTS(words) - 1)];
	row->unread = rnd(2) == 0;
}

static void set_columns(struct model *m, bool mv)
{
	uint32_t tags[] = {
		FAKE_SUBJECT, PIDTAG_INST_ID, PIDTAG_INSTANCE_NUM, FAKE_TIME,
		PIDTAG_ROW_TYPE, PIDTAG_DEPTH, FAKE_SIZE, PIDTAG_CONTENT_COUNT,
		PIDTAG_CONTENT_UNREAD_COUNT, FAKE_FROM, FAKE_MULTI_INST,
	};
	bool sort_mv = FALSE, change;
	unsigned int i;

	for (i = 0; i < m->order_count; i++)
		sort_mv = sort_mv || m->orders[i].tag == FAKE_MULTI_INST;
	change = mv != m->mv_columns && !sort_mv;
	m->mv_columns = mv;
	assert_int_equal(mapi_table_set_columns(m->table, tags,
						N_ELEMENTS(tags) - (mv ? 0 : 1)),
			 EC_NONE);
	if (change)
		model_update(m, TRUE);
}

static void op_sort(struct model *m)
{
	static const uint32_t tags[] = {
		FAKE_TIME, FAKE_SIZE, FAKE_SUBJECT, FAKE_FROM,
		FAKE_MULTI_INST
	};
	unsigned int i, n = rnd(MODEL_MAX_KEYS + 1);
	bool have_mv = FALSE;

	m->category_count = n == 0 ? 0 : rnd(n + 1);
	if (rnd(3) == 0)
		m->category_count = 0;
	m->expanded_count = rnd(m->category_count + 1);
	for (i = 0; i < n; i++) {
		do {
			m->orders[i].tag = tags[rnd(N_ELEMENTS(tags))];
		} while (m->orders[i].tag == FAKE_MULTI_INST && have_mv);
		have_mv = have_mv || m->orders[i].tag == FAKE_MULTI_INST;
		m->orders[i].order = rnd(2) == 0 ? MAPI_SORT_ASCENDING :
			MAPI_SORT_DESCENDING;
		if (i == m->category_count && i > 0 && rnd(2) == 0 &&
		    m->orders[i].tag != FAKE_MULTI_INST) {
			m->orders[i].order = rnd(2) == 0 ?
				MAPI_SORT_MAXIMUM_CATEGORY :
				MAPI_SORT_MINIMUM_CATEGORY;
		}
	}
	m->order_count = n;
	m->toggled_count = 0;
	assert_int_equal(mapi_table_sort(m->table, m->orders, n,
					 m->category_count, m->expanded_count),
			 EC_NONE);
	model_update(m, TRUE);
}

static void op_restrict(struct model *m)
{
	struct mapi_restriction res = { .type = RES_PROPERTY };

	m->min_size = (int)rnd(8) - 2;
	res.u.property.relop = RELOP_GE;
	res.u.property.tag = FAKE_SIZE;
	res.u.property.value.tag = FAKE_SIZE;
	res.u.property.value.value = mapi_value_i32(m->min_size);
	if (m->min_size == -1)
		m->min_size = -2;
	assert_int_equal(mapi_table_restrict(m->table, m->min_size == -2 ?
					     NULL : &res), EC_NONE);
	model_update(m, TRUE);
}

static void op_change_rows(struct model *m)
{
	struct fake_row row;
	unsigned int i, n = rnd(10) == 0 ? 40 : 1 + rnd(3);

	for (i = 0; i < n; i++) {
		uint32_t idx = 1 + rnd(m->fake->row_count);

		random_row(&row);
		switch (rnd(3)) {
		case 0:
			if (m->fake->row_count + 2 < FAKE_MAX_ROWS)
				fake_add(m->fake, &row);
			break;
		case 1:
			if (m->fake->rows[idx].exists)
				fake_modify(m->fake, idx, &row);
			break;
		case 2:
			if (m->fake->rows[idx].exists)
				fake_remove(m->fake, idx);
			break;
		}
	}
	model_update(m, FALSE);
}

static void op_query_rows(struct model *m)
{
	struct check check = { .m = m };
	TALLOC_CTX *mem = talloc_new(m->mem);
	bool forward = rnd(2) == 0, advance = rnd(3) != 0;
	unsigned int want = 1 + rnd(20), have, got;
	uint8_t origin = 0xff;
	enum mapi_error error;

	check.limit = rnd(4) == 0 ? rnd(4) : UINT_MAX;
	check.step = forward ? 1 : -1;
	check.next = forward ? m->position : m->position - 1;
	have = forward ? m->now.count - m->position : m->position;
	got = I_MIN(I_MIN(want, have), check.limit);

	error = mapi_table_query_rows(m->table, mem, advance, forward, want,
				      check_callback, &check, &origin);
	talloc_free(mem);
	if (check.limit == 0 && have > 0) {
		assert_int_equal(error, EC_BUFFER_TOO_SMALL);
		return;
	}
	assert_int_equal(error, EC_NONE);
	assert_int_equal(check.rows, got);
	if (got == have) {
		assert_int_equal(origin, forward ? BOOKMARK_END :
				 BOOKMARK_BEGINNING);
	} else {
		assert_int_equal(origin, BOOKMARK_CURRENT);
	}
	if (advance)
		m->position += forward ? got : -got;
}

static void op_seek(struct model *m)
{
	int32_t rows = (int)rnd(61) - 30, sought;
	uint8_t origin = rnd(3);
	int from, to;
	uint32_t num, den;
	bool less;

	if (rnd(4) == 0) {
		num = rnd(12);
		den = 1 + rnd(10);
		assert_int_equal(mapi_table_seek_fractional(m->table, num, den),
				 EC_NONE);
		m->position = num >= den ? m->now.count :
			num * m->now.count / den;
		return;
	}
	if (rnd(20) == 0)
		rows = rnd(2) == 0 ? INT32_MAX : INT32_MIN;
	from = origin == BOOKMARK_BEGINNING ? 0 : origin == BOOKMARK_END ?
		(int)m->now.count : (int)m->position;
	assert_int_equal(mapi_table_seek(m->table, origin, rows, &less,
					 &sought), EC_NONE);
	if (rows > 0)
		to = rows > (int)m->now.count - from ? (int)m->now.count :
			from + rows;
	else
		to = rows < -from ? 0 : from + rows;
	m->position = to;
	assert_int_equal(sought, to - from);
	assert_int_equal(less, to - from != rows);
}

static void op_bookmark(struct model *m)
{
	struct model_bookmark *b = &m->bookmarks[rnd(MODEL_MAX_BOOKMARKS)];
	struct model_visible v;
	const uint8_t *data;
	int32_t sought;
	bool gone, less;
	int idx;

	if (!b->used) {
		assert_int_equal(mapi_table_create_bookmark(m->table, m->mem,
							    &data, &b->size),
				 EC_NONE);
		assert_true(b->size <= sizeof(b->data));
		memcpy(b->data, data, b->size);
		b->used = TRUE;
		b->at_row = m->position < m->now.count;
		if (b->at_row) {
			b->heading = m->now.visible[m->position].heading;
			memcpy(b->key, m->now.visible[m->position].key,
			       sizeof(b->key));
			b->leaf = m->now.visible[m->position].leaf;
		}
		return;
	}
	if (rnd(4) == 0) {
		assert_int_equal(mapi_table_free_bookmark(m->table, b->data,
							  b->size), EC_NONE);
		assert_int_equal(mapi_table_free_bookmark(m->table, b->data,
							  b->size),
				 EC_INVALID_BOOKMARK);
		b->used = FALSE;
		return;
	}
	assert_int_equal(mapi_table_seek_bookmark(m->table, b->data, b->size,
						  0, &gone, &less, &sought),
			 EC_NONE);
	if (!b->at_row) {
		assert_false(gone);
		m->position = m->now.count;
		return;
	}
	i_zero(&v);
	v.heading = b->heading;
	v.leaf = b->leaf;
	memcpy(v.key, b->key, sizeof(v.key));
	idx = model_find(&m->now, &v);
	assert_int_equal(gone, idx < 0);
	if (idx >= 0)
		m->position = idx;
	else {
		uint32_t position, count;

		/* somewhere in the table */
		assert_int_equal(mapi_table_query_position(m->table, &position,
							   &count), EC_NONE);
		assert_true(position <= m->now.count);
		m->position = position;
	}
}

static bool find_callback(struct mapi_property_row *row, void *context)
{
	struct check *check = context;

	check->rows++;
	check_row(check->m, check->next, row);
	return TRUE;
}

static void op_find(struct model *m)
{
	struct check check = { .m = m };
	struct mapi_restriction res = { .type = RES_PROPERTY };
	TALLOC_CTX *mem = talloc_new(m->mem);
	bool forward = rnd(2) == 0, gone;
	uint8_t origin = rnd(3);
	int from, i, found = -1, size = rnd(12);
	enum mapi_error error;

	res.u.property.relop = RELOP_EQ;
	res.u.property.tag = FAKE_SIZE;
	res.u.property.value.tag = FAKE_SIZE;
	res.u.property.value.value = mapi_value_i32(size);

	from = origin == BOOKMARK_BEGINNING ? 0 : origin == BOOKMARK_END ?
		(int)m->now.count : (int)m->position;
	for (i = forward ? from : from - 1;
	     i >= 0 && i < (int)m->now.count && found < 0;
	     i += forward ? 1 : -1) {
		struct model_visible *v = &m->now.visible[i];
		struct mapi_value value = mapi_value_error(EC_NOT_FOUND);
		unsigned int j;

		if (!v->heading)
			value = model_value(m, &v->leaf, FAKE_SIZE);
		else {
			for (j = 0; j <= v->level; j++) {
				if (m->orders[j].tag == FAKE_SIZE)
					break;
			}
			if (j <= v->level) {
				value = model_value(m, &m->now.leaves[v->first],
						    FAKE_SIZE);
			} else if (model_has_extreme(m) &&
				   m->orders[m->category_count].tag ==
				   FAKE_SIZE) {
				value = model_value(m,
					&m->now.leaves[v->extreme], FAKE_SIZE);
			}
		}
		if (value.type == PTYP_INTEGER32 && value.u.i32 == size)
			found = i;
	}
	check.next = found;
	error = mapi_table_find_row(m->table, mem, forward, &res, origin, NULL,
				    0, find_callback, &check, &gone);
	assert_int_equal(error, found < 0 ? EC_NOT_FOUND : EC_NONE);
	assert_int_equal(check.rows, found < 0 ? 0 : 1);
	if (found >= 0)
		m->position = found;
	talloc_free(mem);
}

static void op_toggle(struct model *m)
{
	struct check check = { .m = m, .step = 1, .limit = UINT_MAX };
	TALLOC_CTX *mem = talloc_new(m->mem);
	unsigned int idx, i, old_count = m->now.count;
	uint32_t changed = 0;
	struct model_visible v;
	bool was_expanded;
	uint64_t id;

	if (m->now.count == 0 || m->toggled_count + 1 >= 64)
		return;
	check_all(m);
	idx = rnd(m->now.count);
	v = m->now.visible[idx];
	if (!v.heading) {
		id = fake_inst_id(v.leaf.row);
		assert_int_equal(mapi_table_collapse_row(m->table, id,
							 &changed),
				 EC_NOT_FOUND);
		return;
	}
	id = heading_ids[idx];
	was_expanded = v.expanded;
	if (was_expanded) {
		assert_int_equal(mapi_table_expand_row(m->table, mem, id, 0,
				check_callback, &check, &changed),
				EC_NOT_COLLAPSED);
		assert_int_equal(mapi_table_collapse_row(m->table, id,
							 &changed), EC_NONE);
	} else {
		assert_int_equal(mapi_table_collapse_row(m->table, id,
							 &changed),
				 EC_NOT_EXPANDED);
	}
	for (i = 0; i < m->toggled_count; i++) {
		if (strcmp(m->toggled[i], v.key) == 0)
			break;
	}
	if (i < m->toggled_count) {
		memcpy(m->toggled[i], m->toggled[--m->toggled_count],
		       sizeof(m->toggled[i]));
	} else {
		memcpy(m->toggled[m->toggled_count++], v.key, sizeof(v.key));
	}
	model_update(m, FALSE);
	if (!was_expanded) {
		check.next = idx + 1;
		check.limit = 1 + rnd(5);
		assert_int_equal(mapi_table_expand_row(m->table, mem, id, 3,
				check_callback, &check, &changed), EC_NONE);
		assert_int_equal(changed, m->now.count - old_count);
		assert_int_equal(check.rows, I_MIN(I_MIN(3, changed),
						   check.limit));
	} else {
		assert_int_equal(changed, old_count - m->now.count);
	}
	talloc_free(mem);
}

static void op_collapse_state(struct model *m)
{
	TALLOC_CTX *mem = talloc_new(m->mem);
	const uint8_t *state, *bookmark;
	size_t size, bookmark_size;
	uint64_t id = 0;
	uint32_t instance = 0;
	unsigned int idx;

	if (m->now.count == 0)
		return;
	check_all(m);
	idx = rnd(m->now.count);
	if (m->now.visible[idx].heading)
		id = heading_ids[idx];
	else {
		id = fake_inst_id(m->now.visible[idx].leaf.row);
		instance = m->now.visible[idx].leaf.instance;
	}
	assert_int_equal(mapi_table_get_collapse_state(m->table, mem, id,
						       instance, &state,
						       &size), EC_NONE);
	/* forget it, then set it */
	assert_int_equal(mapi_table_sort(m->table, m->orders, m->order_count,
					 m->category_count, m->expanded_count),
			 EC_NONE);
	model_update(m, TRUE);
	assert_int_equal(mapi_table_set_collapse_state(m->table, mem, state,
						       size, &bookmark,
						       &bookmark_size),
			 EC_NONE);
	m->position = idx;
	assert_int_equal(mapi_table_free_bookmark(m->table, bookmark,
						  bookmark_size), EC_NONE);
	/* broken ones are refused */
	assert_int_equal(mapi_table_set_collapse_state(m->table, mem, state,
						       size - 1, &bookmark,
						       &bookmark_size),
			 EC_INVALID_PARAM);
	talloc_free(mem);
}

static void run(unsigned int run_seed)
{
	struct model *m = talloc_zero(NULL, struct model);
	struct fake_row row;
	unsigned int i, n, op;

	seed = run_seed;
	m->mem = m;
	m->min_size = -2;
	m->fake = fake_source_create(m);
	m->table = mapi_table_create(m, NULL, MAPI_TABLE_CONTENTS,
				     &m->fake->src);
	n = 1 + rnd(60);
	for (i = 0; i < n; i++) {
		random_row(&row);
		fake_add(m->fake, &row);
	}
	set_columns(m, FALSE);
	model_update(m, TRUE);
	for (i = 0; i < OPS; i++) {
		switch ((op = rnd(14))) {
		case 0:
			op_sort(m);
			break;
		case 1:
			if (rnd(2) == 0)
				op_restrict(m);
			break;
		case 2:
		case 3:
			op_change_rows(m);
			break;
		case 4:
		case 5:
			op_query_rows(m);
			break;
		case 6:
		case 7:
			op_seek(m);
			break;
		case 8:
		case 9:
			op_bookmark(m);
			break;
		case 10:
			op_find(m);
			break;
		case 11:
			op_toggle(m);
			break;
		case 12:
			op_collapse_state(m);
			break;
		case 13:
			if (rnd(3) == 0)
				set_columns(m, rnd(2) == 0);
			break;
		}
		if (getenv("TABLE_VERBOSE") != NULL) {
			unsigned int k;

			printf("%u: op %u, %u rows, at %u, order", i, op,
			       m->now.count, m->position);
			for (k = 0; k < m->order_count; k++) {
				printf(" %x:%u", m->orders[k].tag,
				       m->orders[k].order);
			}
			printf(" (%u, %u)\n", m->category_count,
			       m->expanded_count);
			fflush(stdout);
		}
		check_all(m);
	}
	talloc_free(m);
}

static void test_random_operations(void **state)
{
	const char *env = getenv("TABLE_SEED");
	unsigned int i, first = env != NULL ? strtoul(env, NULL, 10) :
		(unsigned int)time(NULL);

	for (i = 0; i < (env != NULL ? 1 : RUNS); i++) {
		printf("TABLE_SEED=%u\n", first + i);
		fflush(stdout);
		run(first + i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_operations),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
