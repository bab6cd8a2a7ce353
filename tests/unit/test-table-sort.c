/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "buffer.h"
#include "mapi-errors.h"
#include "mapi-table-sort.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static struct mapi_value f64(double d)
{
	struct mapi_value v = { .type = PTYP_FLOATING64 };

	v.u.f64 = d;
	return v;
}
static struct mapi_value i16(int16_t i)
{
	struct mapi_value v = { .type = PTYP_INTEGER16 };

	v.u.i16 = i;
	return v;
}
static struct mapi_value guid(uint8_t first)
{
	struct mapi_value v = { .type = PTYP_GUID };

	v.u.guid.bytes[0] = first;
	v.u.guid.bytes[15] = 0xff;
	return v;
}

/* Each list is in ascending order; compares all pairs, in both directions. */
static void check_order(const struct mapi_value *const *values,
			unsigned int count)
{
	unsigned int i, j, desc;

	for (i = 0; i < count; i++) {
		for (j = 0; j < count; j++) T_BEGIN {
			int want = i == j ? 0 : (i < j ? -1 : 1), ret;

			assert_int_equal(mapi_table_value_cmp(values[i],
							      values[j]) < 0,
					 want < 0);
			assert_int_equal(mapi_table_value_cmp(values[i],
							      values[j]) > 0,
					 want > 0);
			for (desc = 0; desc < 2; desc++) {
				buffer_t *a = t_buffer_create(64);
				buffer_t *b = t_buffer_create(64);
				size_t len;

				mapi_sort_key_append(a, values[i], desc != 0);
				mapi_sort_key_append(b, values[j], desc != 0);
				/* no part is a prefix of another one */
				len = I_MIN(a->used, b->used);
				ret = memcmp(a->data, b->data, len);
				if (desc != 0)
					ret = -ret;
				assert_int_equal(ret < 0, want < 0);
				assert_int_equal(ret > 0, want > 0);
				/* and is found again before something else */
				len = a->used;
				buffer_append(a, "\0\xff\0", 3);
				assert_int_equal(mapi_sort_key_part_len(
					a->data, a->used, desc != 0), len);
			}
		} T_END;
	}
}

#define CHECK(...) \
	do { \
		const struct mapi_value list[] = { __VA_ARGS__ }; \
		const struct mapi_value *values[N_ELEMENTS(list) + 1] = \
			{ NULL }; \
		unsigned int n; \
		for (n = 0; n < N_ELEMENTS(list); n++) \
			values[n + 1] = &list[n]; \
		check_order(values, N_ELEMENTS(values)); \
	} while (0)

/* NULL is the least of each of these. */
static void test_order(void **state)
{
	CHECK(i16(-32768), i16(-1), i16(0), i16(1), i16(32767));
	CHECK(mapi_value_i32(INT32_MIN), mapi_value_i32(-1), mapi_value_i32(0),
	      mapi_value_i32(1), mapi_value_i32(256),
	      mapi_value_i32(INT32_MAX));
	CHECK(mapi_value_i64(INT64_MIN), mapi_value_i64(-256),
	      mapi_value_i64(0), mapi_value_i64(INT64_MAX));
	CHECK(mapi_value_time(0), mapi_value_time(1),
	      mapi_value_time(1ULL << 63), mapi_value_time(UINT64_MAX));
	CHECK(mapi_value_bool(FALSE), mapi_value_bool(TRUE));
	CHECK(f64(-1e300), f64(-1.5), f64(-1e-300), f64(0), f64(1e-300),
	      f64(2), f64(1e300));
	CHECK(mapi_value_str(""), mapi_value_str(" "), mapi_value_str("a"),
	      mapi_value_str("A b"), mapi_value_str("aa"),
	      /* as A and a diaeresis */
	      mapi_value_str("ägypten"), mapi_value_str("B"),
	      mapi_value_str("zz"), mapi_value_str("жук"));
	CHECK(mapi_value_bin("", 0), mapi_value_bin("\0", 1),
	      mapi_value_bin("\0\0", 2), mapi_value_bin("\0\1", 2),
	      mapi_value_bin("\1", 1), mapi_value_bin("a", 1),
	      mapi_value_bin("a\0", 2), mapi_value_bin("\xff", 1),
	      mapi_value_bin("\xff\xff", 2));
	CHECK(guid(0), guid(1), guid(0xff));
}

static void test_equal(void **state)
{
	struct mapi_value error = mapi_value_error(EC_NOT_FOUND), a, b;
	static const char *mv[] = { "X", "A" };
	struct mapi_value multi = { .type = PTYP_MULTIPLE_STRING };

	assert_int_equal(mapi_table_value_cmp(NULL, &error), 0);
	a = mapi_value_str("ÄRGER mit STRASSE");
	b = mapi_value_str("ärger Mit strasse");
	assert_int_equal(mapi_table_value_cmp(&a, &b), 0);
	/* composed and decomposed */
	a = mapi_value_str("\xC3\xA9");
	b = mapi_value_str("e\xCC\x81");
	assert_int_equal(mapi_table_value_cmp(&a, &b), 0);
	a = f64(0.0);
	b = f64(-0.0);
	assert_int_equal(mapi_table_value_cmp(&a, &b), 0);
	/* invalid UTF-8 and lone surrogates are ordered somehow */
	a = mapi_value_str("\xED\xA0\x80 x");
	b = mapi_value_str("\xff\xfe");
	assert_int_equal(mapi_table_value_cmp(&a, &a), 0);
	assert_int_equal(mapi_table_value_cmp(&b, &b), 0);
	/* multi-values by their first value */
	multi.u.mv.count = 2;
	multi.u.mv.v.str = mv;
	a = mapi_value_str("x");
	assert_int_equal(mapi_table_value_cmp(&multi, &a), 0);
}

static void test_items(void **state)
{
	/* keys of different lengths, one common prefix of 8 bytes */
	static const unsigned char keys[] = "abcdefgh1" "abcdefgh0" "abc";
	struct mapi_table_sort_item items[] = {
		{ .row = 9, .key_offset = 0, .key_len = 9 },
		{ .row = 4, .key_offset = 9, .key_len = 9 },
		{ .row = 3, .key_offset = 0, .key_len = 9, .instance = 1 },
		{ .row = 3, .key_offset = 0, .key_len = 9 },
		{ .row = 7, .key_offset = 18, .key_len = 3 },
	};
	static const struct {
		uint32_t row;
		uint16_t instance;
	} expected[] = { { 7, 0 }, { 4, 0 }, { 3, 0 }, { 3, 1 }, { 9, 0 } };
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(items); i++)
		mapi_table_sort_item_init(&items[i], keys);
	mapi_table_sort_items(items, N_ELEMENTS(items), keys, FALSE);
	for (i = 0; i < N_ELEMENTS(items); i++) {
		assert_int_equal(items[i].row, expected[i].row);
		assert_int_equal(items[i].instance, expected[i].instance);
	}
	/* equal keys the other way round */
	mapi_table_sort_items(items, N_ELEMENTS(items), keys, TRUE);
	assert_int_equal(items[0].row, 7);
	assert_int_equal(items[2].row, 9);
	assert_int_equal(items[3].row, 3);
	assert_int_equal(items[3].instance, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_items),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
