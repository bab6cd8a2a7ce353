/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What tables answer in which state, and what rows look like: cases that
   [MS-OXCTABL] names. Rows are in memory. */

#include "lib.h"
#include "mapi-props.h"
#include "table-fake.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define TAG(id, type) MAPI_TAG(id, type)

static const uint32_t default_columns[] = {
	PIDTAG_INST_ID, FAKE_SUBJECT, FAKE_SIZE,
};

struct result {
	unsigned int count, limit;
	struct mapi_property_row rows[100];
};

static bool result_add(struct mapi_property_row *row, void *context)
{
	struct result *result = context;

	if (result->limit != 0 && result->count == result->limit)
		return FALSE;
	assert_true(result->count < N_ELEMENTS(result->rows));
	result->rows[result->count++] = *row;
	return TRUE;
}

static struct mapi_table *
make_table(TALLOC_CTX *mem, enum mapi_table_kind kind, unsigned int rows,
	   struct fake_source **fake_r)
{
	struct fake_row row;
	unsigned int i;

	*fake_r = fake_source_create(mem);
	for (i = 0; i < rows; i++) {
		i_zero(&row);
		row.size = i;
		row.time = i;
		row.subject = talloc_asprintf(*fake_r, "subject %u", i);
		fake_add(*fake_r, &row);
	}
	return mapi_table_create(mem, NULL, kind, &(*fake_r)->src);
}

static enum mapi_error
query(struct mapi_table *table, TALLOC_CTX *mem, unsigned int count,
      struct result *result, uint8_t *origin_r)
{
	result->count = 0;
	return mapi_table_query_rows(table, mem, TRUE, TRUE, count, result_add,
				     result, origin_r);
}

/* [MS-OXCTABL] 3.2.5.2: these fail before RopSetColumns */
static void test_no_columns(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct fake_source *fake;
	struct mapi_table *table = make_table(mem, MAPI_TABLE_CONTENTS, 3,
					      &fake);
	struct result result = { .limit = 0 };
	const uint8_t *data;
	uint32_t n, n2;
	int32_t sought;
	size_t size;
	uint8_t origin;
	bool gone, less;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(query(table, mem, 1, &result, &origin),
				 EC_NULL_OBJECT);
		assert_int_equal(mapi_table_find_row(table, mem, TRUE, NULL, 0,
				NULL, 0, result_add, &result, &gone),
				EC_NULL_OBJECT);
		assert_int_equal(mapi_table_expand_row(table, mem, 0x10000, 0,
				result_add, &result, &n), EC_NULL_OBJECT);
		assert_int_equal(mapi_table_collapse_row(table, 0x10000, &n),
				 EC_NULL_OBJECT);
		assert_int_equal(mapi_table_create_bookmark(table, mem, &data,
							    &size), EC_NONE);
		assert_int_equal(mapi_table_free_bookmark(table, data, size),
				 EC_NULL_OBJECT);
		assert_int_equal(mapi_table_seek_bookmark(table, data, size, 0,
				&gone, &less, &sought), EC_NULL_OBJECT);
		assert_int_equal(mapi_table_get_collapse_state(table, mem, 0, 0,
				&data, &size), EC_NULL_OBJECT);
		assert_int_equal(mapi_table_set_collapse_state(table, mem,
				data, size, &data, &size), EC_NULL_OBJECT);
		/* and these don't */
		assert_int_equal(mapi_table_seek(table, BOOKMARK_END, -1, &less,
						 &sought), EC_NONE);
		assert_int_equal(sought, -1);
		assert_int_equal(mapi_table_seek_fractional(table, 1, 3),
				 EC_NONE);
		assert_int_equal(mapi_table_query_position(table, &n, &n2),
				 EC_NONE);
		assert_int_equal(n, 1);
		assert_int_equal(n2, 3);

		/* and again after RopResetTable */
		assert_int_equal(mapi_table_set_columns(table, default_columns,
				N_ELEMENTS(default_columns)), EC_NONE);
		assert_int_equal(query(table, mem, 10, &result, &origin),
				 EC_NONE);
		assert_int_equal(result.count, 2);
		assert_int_equal(mapi_table_reset(table), EC_NONE);
		assert_int_equal(mapi_table_query_position(table, &n, &n2),
				 EC_NONE);
		assert_int_equal(n, 0);
	}
	talloc_free(mem);
}

static void test_columns(void **state)
{
	static const struct {
		uint32_t tag;
		enum mapi_error error;
	} tests[] = {
		{ TAG(0x0037, PTYP_STRING), EC_NONE },
		{ TAG(0x0037, PTYP_STRING8), EC_NONE },
		{ TAG(0x0037, PTYP_UNSPECIFIED), EC_INVALID_PARAM },
		{ TAG(0x0037, PTYP_ERROR_CODE), EC_INVALID_PARAM },
		{ TAG(0x0037, 0x0099), EC_INVALID_PARAM },
		{ TAG(0x8001, PTYP_MULTIPLE_STRING), EC_NONE },
		{ TAG(0x8001, 0x301F), EC_NONE },
		/* an instance of what isn't a multi-value */
		{ TAG(0x8001, 0x201F), EC_INVALID_PARAM },
		/* two properties with instances */
		{ TAG(0x8002, 0x301F), EC_TOO_COMPLEX },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct fake_source *fake;
	struct mapi_table *table = make_table(mem, MAPI_TABLE_CONTENTS, 3,
					      &fake);
	struct result result = { .limit = 0 };
	uint32_t tags[2] = { FAKE_MULTI_INST };
	uint8_t origin;
	unsigned int i;

	assert_int_equal(mapi_table_set_columns(table, tags, 0),
			 EC_INVALID_PARAM);
	assert_int_equal(mapi_table_get_status(table), TBLSTAT_SETCOL_ERROR);
	assert_int_equal(query(table, mem, 1, &result, &origin),
			 EC_NULL_OBJECT);
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		tags[1] = tests[i].tag;
		assert_int_equal(mapi_table_set_columns(table, tags, 2),
				 tests[i].error);
		assert_int_equal(mapi_table_get_status(table),
				 tests[i].error == EC_NONE ? TBLSTAT_COMPLETE :
				 TBLSTAT_SETCOL_ERROR);
	}
	/* the last good ones are still there */
	assert_int_equal(query(table, mem, 1, &result, &origin), EC_NONE);
	assert_int_equal(result.rows[0].count, 2);
	talloc_free(mem);
}

static void test_sort_errors(void **state)
{
	static const struct {
		struct mapi_sort_order orders[3];
		unsigned int count, categories, expanded;
		enum mapi_error error;
	} tests[] = {
		{ { { FAKE_SIZE, 0 } }, 1, 0, 0, EC_NONE },
		{ { { FAKE_SIZE, 0 } }, 1, 1, 1, EC_NONE },
		{ { { FAKE_SIZE, 0 } }, 1, 2, 0, EC_INVALID_PARAM },
		{ { { FAKE_SIZE, 0 } }, 1, 0, 1, EC_INVALID_PARAM },
		{ { { FAKE_SIZE, 2 } }, 1, 0, 0, EC_INVALID_PARAM },
		{ { { TAG(0x37, 0), 0 } }, 1, 0, 0, EC_INVALID_PARAM },
		/* maximum only right after the categories */
		{ { { FAKE_SIZE, 4 } }, 1, 0, 0, EC_INVALID_PARAM },
		{ { { FAKE_SIZE, 4 } }, 1, 1, 0, EC_INVALID_PARAM },
		{ { { FAKE_SIZE, 1 }, { FAKE_TIME, 4 } }, 2, 1, 0, EC_NONE },
		{ { { FAKE_SIZE, 1 }, { FAKE_TIME, 0 }, { FAKE_TIME, 4 } },
		  3, 1, 0, EC_INVALID_PARAM },
		{ { { FAKE_SIZE, 1 }, { FAKE_TIME, 0 }, { FAKE_TIME, 8 } },
		  3, 2, 0, EC_NONE },
		/* the same column twice */
		{ { { FAKE_SIZE, 1 }, { FAKE_SIZE, 0 } }, 2, 1, 1, EC_NONE },
		{ { { FAKE_MULTI_INST, 1 }, { TAG(0x8002, 0x301F), 0 } },
		  2, 0, 0, EC_TOO_COMPLEX },
		/* no order at all */
		{ { { 0, 0 } }, 0, 0, 0, EC_NONE },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct fake_source *fake;
	struct mapi_table *table = make_table(mem, MAPI_TABLE_CONTENTS, 3,
					      &fake);
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		assert_int_equal(mapi_table_sort(table, tests[i].orders,
						 tests[i].count,
						 tests[i].categories,
						 tests[i].expanded),
				 tests[i].error);
		assert_int_equal(mapi_table_get_status(table),
				 tests[i].error == EC_NONE ? TBLSTAT_COMPLETE :
				 TBLSTAT_SORT_ERROR);
	}
	talloc_free(mem);
}

/* Which operations which tables have */
static void test_kinds(void **state)
{
	static const enum mapi_table_kind kinds[] = {
		MAPI_TABLE_HIERARCHY, MAPI_TABLE_ATTACHMENTS,
		MAPI_TABLE_PERMISSIONS,
	};
	struct mapi_sort_order order = { FAKE_SIZE, 0 };
	struct mapi_restriction res = { .type = RES_NULL };
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(kinds); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct fake_source *fake;
		struct mapi_table *table = make_table(mem, kinds[i], 2, &fake);
		enum mapi_error no_attach = kinds[i] == MAPI_TABLE_HIERARCHY ?
			EC_NONE : EC_NOT_SUPPORTED;
		struct result result = { .limit = 0 };
		const uint8_t *data = NULL;
		const uint32_t *tags;
		unsigned int count;
		size_t size = 0;
		uint32_t n;
		uint8_t origin;
		bool gone;

		assert_int_equal(mapi_table_set_columns(table, default_columns,
				N_ELEMENTS(default_columns)), EC_NONE);
		assert_int_equal(query(table, mem, 10, &result, &origin),
				 EC_NONE);
		assert_int_equal(result.count, 2);
		assert_int_equal(origin, BOOKMARK_END);
		assert_int_equal(mapi_table_query_columns_all(table, &tags,
							      &count), EC_NONE);
		assert_true(count > 0);

		assert_int_equal(mapi_table_restrict(table, &res), no_attach);
		assert_int_equal(mapi_table_create_bookmark(table, mem, &data,
							    &size), no_attach);
		assert_int_equal(mapi_table_free_bookmark(table, data, size),
				 no_attach);
		assert_int_equal(mapi_table_find_row(table, mem, TRUE, NULL,
				BOOKMARK_BEGINNING, NULL, 0, result_add,
				&result, &gone), no_attach);
		assert_int_equal(mapi_table_abort(table),
				 kinds[i] == MAPI_TABLE_HIERARCHY ?
				 EC_UNABLE_TO_ABORT : EC_NOT_SUPPORTED);

		assert_int_equal(mapi_table_sort(table, &order, 1, 0, 0),
				 EC_NOT_SUPPORTED);
		assert_int_equal(mapi_table_reset(table), EC_NOT_SUPPORTED);
		assert_int_equal(mapi_table_expand_row(table, mem, 0, 0,
				result_add, &result, &n), EC_NOT_SUPPORTED);
		assert_int_equal(mapi_table_collapse_row(table, 0, &n),
				 EC_NOT_SUPPORTED);
		assert_int_equal(mapi_table_get_collapse_state(table, mem, 0,
				0, &data, &size), EC_NOT_SUPPORTED);
		assert_int_equal(mapi_table_set_collapse_state(table, mem,
				data, size, &data, &size), EC_NOT_SUPPORTED);
		talloc_free(mem);
	}
}

static void test_positions(void **state)
{
	static const uint8_t unknown[4] = { 0xff, 0, 0, 0 };
	TALLOC_CTX *mem = talloc_new(NULL);
	struct fake_source *fake;
	struct mapi_table *table = make_table(mem, MAPI_TABLE_CONTENTS, 5,
					      &fake);
	struct mapi_sort_order order = { FAKE_SIZE, MAPI_SORT_DESCENDING };
	struct result result = { .limit = 0 };
	const uint8_t *data;
	size_t size;
	int32_t sought;
	uint8_t origin;
	bool gone, less;
	unsigned int i;
	enum mapi_error error;

	assert_int_equal(mapi_table_set_columns(table, default_columns,
			N_ELEMENTS(default_columns)), EC_NONE);
	assert_int_equal(mapi_table_seek(table, BOOKMARK_CUSTOM, 0, &less,
					 &sought), EC_INVALID_PARAM);
	assert_int_equal(mapi_table_seek_fractional(table, 1, 0),
			 EC_INVALID_PARAM);
	assert_int_equal(mapi_table_find_row(table, mem, TRUE, NULL, 4, NULL,
			0, result_add, &result, &gone), EC_INVALID_PARAM);
	assert_int_equal(mapi_table_seek_bookmark(table, unknown,
			sizeof(unknown), 0, &gone, &less, &sought),
			EC_INVALID_BOOKMARK);
	assert_int_equal(mapi_table_seek_bookmark(table, unknown, 1, 0, &gone,
			&less, &sought), EC_INVALID_BOOKMARK);

	/* sorting, restricting and resetting make bookmarks invalid */
	for (i = 0; i < 3; i++) {
		assert_int_equal(mapi_table_create_bookmark(table, mem, &data,
							    &size), EC_NONE);
		if (i == 0)
			error = mapi_table_sort(table, &order, 1, 0, 0);
		else if (i == 1)
			error = mapi_table_restrict(table, NULL);
		else {
			error = mapi_table_reset(table);
			assert_int_equal(mapi_table_set_columns(table,
				default_columns,
				N_ELEMENTS(default_columns)), EC_NONE);
		}
		assert_int_equal(error, EC_NONE);
		assert_int_equal(mapi_table_seek_bookmark(table, data, size, 0,
				&gone, &less, &sought), EC_INVALID_BOOKMARK);
		assert_int_equal(mapi_table_find_row(table, mem, TRUE, NULL,
				BOOKMARK_CUSTOM, data, size, result_add,
				&result, &gone), EC_INVALID_BOOKMARK);
		assert_int_equal(mapi_table_free_bookmark(table, data, size),
				 EC_INVALID_BOOKMARK);
	}

	/* the bookmark of a row that goes away finds the next one */
	assert_int_equal(mapi_table_seek(table, BOOKMARK_BEGINNING, 2, &less,
					 &sought), EC_NONE);
	assert_int_equal(mapi_table_create_bookmark(table, mem, &data, &size),
			 EC_NONE);
	fake_remove(fake, 3);
	result.count = 0;
	assert_int_equal(mapi_table_find_row(table, mem, TRUE, NULL,
			BOOKMARK_CUSTOM, data, size, result_add, &result,
			&gone), EC_NONE);
	assert_true(gone);
	assert_int_equal(result.count, 1);
	assert_int_equal(result.rows[0].values[2].u.i32, 3);
	/* backwards the row of the bookmark isn't looked at */
	result.count = 0;
	assert_int_equal(mapi_table_find_row(table, mem, FALSE, NULL,
			BOOKMARK_CUSTOM, data, size, result_add, &result,
			&gone), EC_NONE);
	assert_int_equal(result.rows[0].values[2].u.i32, 1);

	/* reading backwards: the rows next to the cursor, nearest first */
	assert_int_equal(mapi_table_seek(table, BOOKMARK_END, 0, &less,
					 &sought), EC_NONE);
	result.count = 0;
	result.limit = 2;
	assert_int_equal(mapi_table_query_rows(table, mem, TRUE, FALSE, 3,
			result_add, &result, &origin), EC_NONE);
	assert_int_equal(result.count, 2);
	assert_int_equal(result.rows[0].values[2].u.i32, 4);
	assert_int_equal(result.rows[1].values[2].u.i32, 3);
	assert_int_equal(origin, BOOKMARK_CURRENT);
	talloc_free(mem);
}

static void test_rows(void **state)
{
	static const uint32_t columns[] = {
		FAKE_SUBJECT, MAPI_TAG_AS(FAKE_SUBJECT, PTYP_STRING8),
		MAPI_TAG_AS(FAKE_SUBJECT, PTYP_BINARY), PIDTAG_INSTANCE_KEY,
		PIDTAG_ROW_TYPE, FAKE_MULTI_INST, PIDTAG_INSTANCE_NUM,
		PIDTAG_CONTENT_COUNT,
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct fake_source *fake;
	struct mapi_table *table = make_table(mem, MAPI_TABLE_CONTENTS, 3,
					      &fake);
	struct result result = { .limit = 0 };
	struct fake_row row;
	struct mapi_value *values;
	char longest[1001];
	uint8_t origin;
	unsigned int i;

	/* 400 characters of 2 bytes in UTF-8, and 1 of 4 bytes at the place
	   where it's cut */
	for (i = 0; i < 254; i++)
		memcpy(longest + i * 2, "\xC3\xA4", 2);
	memcpy(longest + 508, "\xF0\x9F\x98\x80", 4);
	memset(longest + 512, 'x', 400);
	longest[912] = '\0';
	row = fake->rows[1];
	row.subject = longest;
	row.multi_count = 2;
	row.multi[0] = "one";
	row.multi[1] = "two";
	fake_modify(fake, 1, &row);
	fake->broken = 2;

	assert_int_equal(mapi_table_set_columns(table, columns,
						N_ELEMENTS(columns)), EC_NONE);
	assert_int_equal(query(table, mem, 10, &result, &origin), EC_NONE);
	/* two instances of the first row, none of the one that can't be read */
	assert_int_equal(result.count, 3);
	assert_int_equal(origin, BOOKMARK_END);
	for (i = 0; i < 2; i++) {
		values = result.rows[i].values;
		/* the whole of a character or nothing: 254 units, not 255 */
		assert_int_equal(strlen(values[0].u.str), 508);
		assert_int_equal(values[1].type, PTYP_STRING);
		/* of another type than the property: it isn't there */
		assert_int_equal(values[2].type, PTYP_ERROR_CODE);
		assert_int_equal(values[2].u.error, EC_NOT_FOUND);
		assert_int_equal(values[3].u.bin.len, 12);
		assert_int_equal(values[4].u.i32, TBL_LEAF_ROW);
		assert_string_equal(values[5].u.str, i == 0 ? "one" : "two");
		assert_int_equal(result.rows[i].columns[5],
				 TAG(0x8001, PTYP_STRING));
		assert_int_equal(values[6].u.i32, i);
		assert_int_equal(values[7].u.error, EC_NOT_FOUND);
	}
	assert_memory_not_equal(result.rows[0].values[3].u.bin.data,
				result.rows[1].values[3].u.bin.data, 12);
	values = result.rows[2].values;
	assert_string_equal(values[0].u.str, "subject 2");
	assert_int_equal(values[5].u.error, EC_NOT_FOUND);
	/* what was made can be sent */
	for (i = 0; i < 3; i++) {
		result.rows[i].values[1] = mapi_value_error(EC_NOT_FOUND);
		assert_true(mapi_property_row_size(&result.rows[i]) > 0);
	}

	/* not even one row fits: the cursor stays */
	result.limit = 1;
	result.count = 1;
	assert_int_equal(mapi_table_reset(table), EC_NONE);
	assert_int_equal(mapi_table_set_columns(table, columns, 1), EC_NONE);
	assert_int_equal(mapi_table_query_rows(table, mem, TRUE, TRUE, 5,
			result_add, &result, &origin), EC_BUFFER_TOO_SMALL);
	result.limit = 0;
	assert_int_equal(query(table, mem, 5, &result, &origin), EC_NONE);
	assert_int_equal(result.count, 2);
	talloc_free(mem);
}

/* Nothing is read that isn't needed. */
static void test_laziness(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct fake_source *fake;
	struct mapi_table *table = make_table(mem, MAPI_TABLE_CONTENTS, 300,
					      &fake);
	struct mapi_sort_order order = { FAKE_TIME, MAPI_SORT_DESCENDING };
	struct result result = { .limit = 0 };
	struct fake_row row;
	uint32_t position, count;
	uint8_t origin;

	assert_int_equal(mapi_table_set_columns(table, default_columns,
			N_ELEMENTS(default_columns)), EC_NONE);
	/* without order and restriction: the rows that are returned */
	assert_int_equal(query(table, mem, 20, &result, &origin), EC_NONE);
	assert_int_equal(fake->select_count, 20);
	/* all of them once to sort them, when rows are needed */
	fake->select_count = 0;
	assert_int_equal(mapi_table_sort(table, &order, 1, 0, 0), EC_NONE);
	assert_int_equal(mapi_table_restrict(table, NULL), EC_NONE);
	assert_int_equal(fake->select_count, 0);
	assert_int_equal(query(table, mem, 20, &result, &origin), EC_NONE);
	assert_int_equal(fake->select_count, 320);
	/* a new row is put in its place by binary search */
	i_zero(&row);
	row.time = 150;
	fake->select_count = 0;
	fake_add(fake, &row);
	assert_int_equal(mapi_table_query_position(table, &position, &count),
			 EC_NONE);
	assert_int_equal(count, 301);
	assert_true(fake->select_count <= 11);
	/* what doesn't decide on the order may change for free */
	fake->select_count = 0;
	row.subject = "changed";
	fake_modify(fake, 301, &row);
	assert_int_equal(mapi_table_query_position(table, &position, &count),
			 EC_NONE);
	assert_int_equal(fake->select_count, 0);
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_columns),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_sort_errors),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_positions),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_laziness),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
