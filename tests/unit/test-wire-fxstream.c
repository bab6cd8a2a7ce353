/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Elements of FastTransfer streams: bytes by [MS-OXCFXICS] 2.2.4.1, wherever a
   stream is cut. */

#include "mapi-fxstream.h"
#include "mapi-props.h"
#include "mapi-restriction.h"
#include "wire-hex.h"
#include "wire-random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define LARGE_MIN 8

static TALLOC_CTX *mem;

static int setup(void **state)
{
	mem = talloc_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	talloc_free(mem);
	return 0;
}

/* Reads the one element that data is, given to the reader chunk bytes at a
   time. Its pieces are put together. */
static enum mapi_fx_event
read_one(const uint8_t *data, size_t size, size_t chunk,
	 struct mapi_fx_element *elem_r)
{
	struct mapi_fx_reader *reader =
		mapi_fx_reader_create(mem, LARGE_MIN, 0);
	enum mapi_fx_event event = MAPI_FX_MORE;
	struct mapi_fx_element elem;
	const uint8_t *part = data, *end = data + size;
	uint8_t *large = NULL;
	size_t left = 0, got = 0;

	assert_true(mapi_fx_reader_is_idle(reader));
	memset(elem_r, 0, sizeof(*elem_r));
	while (event == MAPI_FX_MORE || event == MAPI_FX_LARGE ||
	       event == MAPI_FX_DATA) {
		if (left == 0) {
			left = (size_t)(end - part) < chunk ?
				(size_t)(end - part) : chunk;
			if (left == 0)
				break;
		}
		event = mapi_fx_read(reader, &part, &left, &elem);
		if (event == MAPI_FX_MORE)
			assert_int_equal(left, 0);
		if (event == MAPI_FX_LARGE) {
			*elem_r = elem;
			large = talloc_array(mem, uint8_t, elem.size);
			elem_r->value.u.bin.len = elem.size;
			elem_r->value.u.bin.data = large;
		} else if (event == MAPI_FX_DATA) {
			assert_int_equal(elem.tag, elem_r->tag);
			memcpy(large + got, elem.value.u.bin.data,
			       elem.value.u.bin.len);
			got += elem.value.u.bin.len;
		} else if (event == MAPI_FX_PROPERTY ||
			   event == MAPI_FX_MARKER) {
			*elem_r = elem;
		}
	}
	if (event == MAPI_FX_INVALID) {
		assert_int_equal(mapi_fx_read(reader, &part, &left, &elem),
				 MAPI_FX_INVALID);
		return event;
	}
	assert_ptr_equal(part, end);
	assert_int_equal(left, 0);
	if (event == MAPI_FX_MORE)
		assert_false(mapi_fx_reader_is_idle(reader));
	else if (event == MAPI_FX_DATA || event == MAPI_FX_LARGE)
		assert_int_equal(mapi_fx_reader_is_idle(reader),
				 got == elem_r->size);
	else
		assert_true(mapi_fx_reader_is_idle(reader));
	return event;
}

static const struct mapi_property_name name_lid = {
	.kind = MAPI_NAME_LID, .lid = 0x8503,
	.guid = { { 0x08, 0x20, 0x06, 0x00, 0, 0, 0, 0,
		    0xc0, 0, 0, 0, 0, 0, 0, 0x46 } },
};
static const struct mapi_property_name name_string = {
	.kind = MAPI_NAME_STRING, .name = "Ab",
	.guid = { { 0x29, 0x03, 0x02, 0x00, 0, 0, 0, 0,
		    0xc0, 0, 0, 0, 0, 0, 0, 0x46 } },
};

static void
check_property(uint32_t tag, const struct mapi_property_name *name,
	       const struct mapi_value *value, const char *hex)
{
	struct mapi_fx_element elem;
	struct mapi_push push;
	enum mapi_fx_event event;
	size_t size, chunk;
	uint8_t *data = wire_hex(mem, hex, &size);

	mapi_push_init(&push, mem, 0);
	assert_true(mapi_fx_push_property(&push, tag, name, value));
	assert_int_equal(push.size, size);
	assert_memory_equal(push.data, data, size);
	for (chunk = 1; chunk <= size; chunk++) {
		event = read_one(data, size, chunk, &elem);
		assert_true(event == MAPI_FX_PROPERTY ||
			    event == MAPI_FX_DATA);
		assert_int_equal(elem.tag, tag);
		assert_true(mapi_value_equal(&elem.value, value));
		assert_int_equal(elem.name != NULL, name != NULL);
		if (name == NULL)
			continue;
		assert_int_equal(elem.name->kind, name->kind);
		assert_memory_equal(&elem.name->guid, &name->guid, 16);
		if (name->kind == MAPI_NAME_LID)
			assert_int_equal(elem.name->lid, name->lid);
		else
			assert_string_equal(elem.name->name, name->name);
	}
	/* cut off, it isn't complete */
	for (chunk = 1; chunk < size; chunk++) {
		event = read_one(data, chunk, size, &elem);
		assert_true(event == MAPI_FX_MORE ||
			    event == MAPI_FX_LARGE || event == MAPI_FX_DATA);
	}
}

static void test_single(void **state)
{
	struct mapi_value value = mapi_value_i32(0x01020304);

	check_property(0x0E070003, NULL, &value, "03 00 07 0e 04 03 02 01");
	value = mapi_value_bool(true);
	check_property(0x0E1B000B, NULL, &value, "0b 00 1b 0e 01 00");
	value = mapi_value_time(0x0102030405060708ULL);
	check_property(0x30080040, NULL, &value,
		       "40 00 08 30 08 07 06 05 04 03 02 01");
	value = mapi_value_str("h\xc3\xa9");
	check_property(0x0037001F, NULL, &value,
		       "1f 00 37 00 06 00 00 00 68 00 e9 00 00 00");
	value = mapi_value_str("");
	check_property(0x0037001F, NULL, &value,
		       "1f 00 37 00 02 00 00 00 00 00");
	memset(&value, 0, sizeof(value));
	value.type = PTYP_STRING8;
	value.u.str8 = "h\xe9";
	check_property(0x0037001E, NULL, &value,
		       "1e 00 37 00 03 00 00 00 68 e9 00");
	value = mapi_value_bin("\1\2\3", 3);
	check_property(0x300B0102, NULL, &value,
		       "02 01 0b 30 03 00 00 00 01 02 03");
	value = mapi_value_bin("", 0);
	check_property(0x300B0102, NULL, &value, "02 01 0b 30 00 00 00 00");
	/* more than LARGE_MIN */
	value = mapi_value_bin("123456789", 9);
	check_property(0x300B0102, NULL, &value,
		       "02 01 0b 30 09 00 00 00 31 32 33 34 35 36 37 38 39");
	value.type = PTYP_OBJECT;
	check_property(0x3701000D, NULL, &value,
		       "0d 00 01 37 09 00 00 00 31 32 33 34 35 36 37 38 39");
	/* never in pieces */
	value.type = PTYP_SERVER_ID;
	check_property(0x662B00FB, NULL, &value,
		       "fb 00 2b 66 09 00 00 00 31 32 33 34 35 36 37 38 39");
	memset(&value, 0, sizeof(value));
	value.type = PTYP_NULL;
	check_property(0x00370001, NULL, &value, "01 00 37 00");
	value = mapi_value_bin("\1", 1);
	/* the type doesn't say what the value is */
	check_property(MAPI_FX_TAG_IDSET_GIVEN, NULL, &value,
		       "03 00 17 40 01 00 00 00 01");
}

static void test_named(void **state)
{
	struct mapi_value value = mapi_value_bool(false);

	check_property(0x8001000B, &name_lid, &value,
		       "0b 00 01 80 08200600 0000 0000 c000 000000000046"
		       "00 03850000 00 00");
	value = mapi_value_bin("123456789", 9);
	check_property(0x80020102, &name_string, &value,
		       "02 01 02 80 29030200 0000 0000 c000 000000000046"
		       "01 4100 6200 0000 09000000 313233343536373839");
}

static void test_multiple(void **state)
{
	int16_t i16[] = { 1, -2 };
	const char *str[] = { "a", "" };
	struct mapi_binary bin[] = {
		{ 1, (const uint8_t *)"\7" }, { 0, (const uint8_t *)"" },
	};
	struct mapi_value value;

	memset(&value, 0, sizeof(value));
	value.u.mv.count = 2;
	value.type = PTYP_MULTIPLE_INTEGER16;
	value.u.mv.v.i16 = i16;
	check_property(0x66001002, NULL, &value,
		       "02 10 00 66 02 00 00 00 01 00 fe ff");
	value.type = PTYP_MULTIPLE_STRING;
	value.u.mv.v.str = str;
	check_property(0x6600101F, NULL, &value,
		       "1f 10 00 66 02 00 00 00 04 00 00 00 61 00 00 00"
		       "02 00 00 00 00 00");
	value.type = PTYP_MULTIPLE_BINARY;
	value.u.mv.v.bin = bin;
	check_property(0x66001102, NULL, &value,
		       "02 11 00 66 02 00 00 00 01 00 00 00 07 00 00 00 00");
	value.u.mv.count = 0;
	check_property(0x66001102, NULL, &value, "02 11 00 66 00 00 00 00");
}

static void test_markers(void **state)
{
	struct mapi_value value = mapi_value_i32(1);
	struct mapi_fx_element elem;
	struct mapi_push push;
	size_t size;
	uint8_t *data = wire_hex(mem, "03 00 0d 40", &size);

	mapi_push_init(&push, mem, 0);
	assert_true(mapi_fx_push_marker(&push, MAPI_FX_END_MESSAGE));
	assert_int_equal(push.size, size);
	assert_memory_equal(push.data, data, size);
	assert_int_equal(read_one(data, size, 1, &elem), MAPI_FX_MARKER);
	assert_int_equal(elem.tag, MAPI_FX_END_MESSAGE);
	assert_true(mapi_fx_is_marker(MAPI_FX_INCR_SYNC_GROUP_INFO));
	/* the same id with another type is a property */
	assert_false(mapi_fx_is_marker(0x400D001F));

	assert_false(mapi_fx_push_property(&push, 0x400D0003, NULL, &value));
	mapi_push_rollback(&push, 4);
	assert_false(mapi_fx_push_property(&push, 0x80010003, NULL, &value));
	mapi_push_rollback(&push, 4);
	assert_false(mapi_fx_push_property(&push, 0x00010003, &name_lid,
					   &value));
	mapi_push_rollback(&push, 4);
	assert_false(mapi_fx_push_large(&push, 0x0037001F, NULL, 9));
}

static void test_code_pages(void **state)
{
	struct mapi_fx_element elem;
	size_t size;
	uint8_t *data;

	data = wire_hex(mem, "b0 84 37 00 04 00 00 00 e9 00 00 00", &size);
	assert_int_equal(read_one(data, size, 3, &elem), MAPI_FX_PROPERTY);
	assert_int_equal(elem.tag, 0x003784b0);
	assert_int_equal(elem.value.type, PTYP_STRING);
	assert_string_equal(elem.value.u.str, "\xc3\xa9");
	data = wire_hex(mem, "e4 84 37 00 02 00 00 00 e9 00", &size);
	assert_int_equal(read_one(data, size, 3, &elem), MAPI_FX_PROPERTY);
	assert_int_equal(elem.value.type, PTYP_STRING8);
	assert_string_equal(elem.value.u.str8, "\xe9");
}

static void test_invalid(void **state)
{
	static const char *const tests[] = {
		/* types that there aren't */
		"00 00 37 00", "08 00 37 00", "01 10 37 00", "1f 30 37 00",
		/* kind of name */
		"03 00 00 80 00000000 0000 0000 0000 000000000000 ff",
		"03 00 00 80 00000000 0000 0000 0000 000000000000 02",
		/* half a unit */
		"1f 00 37 00 03 00 00 00 61 00 00",
		/* no restriction, and bytes after one */
		"fd 00 37 00 01 00 00 00 77",
		"fd 00 37 00 06 00 00 00 08 1f 00 37 00 00",
	};
	struct mapi_fx_element elem;
	size_t size;
	uint8_t *data;
	unsigned int i;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		data = wire_hex(mem, tests[i], &size);
		assert_int_equal(read_one(data, size, 1, &elem),
				 MAPI_FX_INVALID);
		assert_int_equal(read_one(data, size, size, &elem),
				 MAPI_FX_INVALID);
	}
}

static void test_limits(void **state)
{
	struct mapi_fx_reader *reader =
		mapi_fx_reader_create(mem, UINT32_MAX, 100);
	struct mapi_fx_element elem;
	uint8_t name[4 + 16 + 1 + MAPI_FX_NAME_SIZE_MAX + 4];
	size_t size, left;
	const uint8_t *data;

	/* 93 bytes after a header of 8 */
	data = wire_hex(mem, "02 01 0b 30 5d 00 00 00", &size);
	assert_int_equal(mapi_fx_read(reader, &data, &size, &elem),
			 MAPI_FX_INVALID);
	reader = mapi_fx_reader_create(mem, UINT32_MAX, 100);
	data = wire_hex(mem, "02 01 0b 30 5c 00 00 00", &size);
	assert_int_equal(mapi_fx_read(reader, &data, &size, &elem),
			 MAPI_FX_MORE);
	/* nothing is allocated for what hasn't come */
	reader = mapi_fx_reader_create(mem, 8, 0);
	data = wire_hex(mem, "1f 10 0b 30 ff ff ff ff ff ff ff ff", &size);
	assert_int_equal(mapi_fx_read(reader, &data, &size, &elem),
			 MAPI_FX_MORE);
	assert_true(talloc_total_size(reader) < 4096);
	/* a name that never ends */
	memset(name, 0x41, sizeof(name));
	memcpy(name, "\x03\x00\x00\x80", 4);
	name[20] = MAPI_NAME_STRING;
	data = name;
	left = sizeof(name);
	reader = mapi_fx_reader_create(mem, 8, 0);
	assert_int_equal(mapi_fx_read(reader, &data, &left, &elem),
			 MAPI_FX_INVALID);
}

/* Whatever value comes back from wherever the stream is cut. */
static void test_random(void **state)
{
	struct wire_random rnd;
	struct mapi_fx_element elem;
	struct mapi_property prop;
	struct mapi_push push;
	unsigned int i;

	wire_random_init(&rnd, mem, wire_random_seed());
	for (i = 0; i < 3000; i++) {
		rnd.mem = talloc_new(mem);
		wire_random_property(&rnd, &prop);
		if (mapi_fx_is_marker(prop.tag) ||
		    prop.tag == MAPI_FX_TAG_IDSET_GIVEN)
			continue;
		mapi_push_init(&push, rnd.mem, 0);
		assert_true(mapi_fx_push_property(&push, prop.tag,
				MAPI_TAG_IS_NAMED(prop.tag) ?
				&name_string : NULL, &prop.value));
		(void)read_one(push.data, push.size,
			       1 + wire_random_below(&rnd, push.size), &elem);
		assert_int_equal(elem.tag, prop.tag);
		assert_true(mapi_value_equal(&elem.value, &prop.value));
		talloc_free(rnd.mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_single, setup, teardown),
		cmocka_unit_test_setup_teardown(test_named, setup, teardown),
		cmocka_unit_test_setup_teardown(test_multiple, setup, teardown),
		cmocka_unit_test_setup_teardown(test_markers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_code_pages, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_invalid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
	};

	return cmocka_run_group_tests_name("FastTransfer elements", tests,
					   NULL, NULL);
}
