/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Property values, strings, times, property tables, MAPI/HTTP bodies. */

#include "mapi-convindex.h"
#include "mapi-http.h"
#include "mapi-props.h"
#include "mapi-rule.h"
#include "mapi-wire-private.h"
#include "wire-hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

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

static bool pull_hex(const char *hex, enum mapi_wire_form form, uint16_t type,
		     struct mapi_value *value_r)
{
	struct mapi_pull pull;
	size_t size;
	uint8_t *data = wire_hex(mem, hex, &size);

	mapi_pull_init(&pull, mem, data, size);
	pull.form = form;
	return mapi_pull_value(&pull, type, value_r) &&
		mapi_pull_left(&pull) == 0;
}

static void push_is(const struct mapi_value *value, enum mapi_wire_form form,
		    const char *hex)
{
	struct mapi_push push;
	size_t size;
	uint8_t *data = wire_hex(mem, hex, &size);

	mapi_push_init(&push, mem, 0);
	push.form = form;
	assert_true(mapi_push_value(&push, value));
	assert_int_equal(push.size, size);
	assert_memory_equal(push.data, data, size);
}

/* [MS-OXCDATA] 2.11.1: one value of each type, in both widths of counts */
static void test_types(void **state)
{
	static const struct {
		uint16_t type;
		const char *rop, *extended, *addressbook;
	} tests[] = {
		{ PTYP_INTEGER16, "fe ff", "fe ff", "fe ff" },
		{ PTYP_INTEGER32, "01 02 03 04", "01 02 03 04",
		  "01 02 03 04" },
		{ PTYP_FLOATING32, "00 00 c0 3f", "00 00 c0 3f",
		  "00 00 c0 3f" },
		{ PTYP_FLOATING64, "000000000000f83f", "000000000000f83f",
		  "000000000000f83f" },
		{ PTYP_CURRENCY, "1027000000000000", "1027000000000000",
		  "1027000000000000" },
		{ PTYP_ERROR_CODE, "0f010480", "0f010480", "0f010480" },
		{ PTYP_BOOLEAN, "01", "01", "01" },
		{ PTYP_INTEGER64, "0102030405060708", "0102030405060708",
		  "0102030405060708" },
		{ PTYP_STRING8, "616200", "616200", "ff 616200" },
		{ PTYP_STRING, "61002620 0000", "61002620 0000",
		  "ff 61002620 0000" },
		{ PTYP_TIME, "0102030405060708", "0102030405060708",
		  "0102030405060708" },
		{ PTYP_GUID, "000102030405060708090a0b0c0d0e0f",
		  "000102030405060708090a0b0c0d0e0f",
		  "000102030405060708090a0b0c0d0e0f" },
		{ PTYP_SERVER_ID, "0300 00aabb", "0300 00aabb", "0300 00aabb" },
		{ PTYP_BINARY, "0200 aabb", "02000000 aabb",
		  "ff 02000000 aabb" },
		{ PTYP_NULL, "", "", "" },
		{ PTYP_OBJECT, "", "", "00000000" },
		{ PTYP_MULTIPLE_INTEGER16, "02000000 0100 0200",
		  "02000000 0100 0200", "ff 02000000 0100 0200" },
		{ PTYP_MULTIPLE_INTEGER64, "01000000 0102030405060708",
		  "01000000 0102030405060708", "ff 01000000 0102030405060708" },
		{ PTYP_MULTIPLE_STRING8, "02000000 6100 00",
		  "02000000 6100 00", "ff 02000000 ff 6100 ff 00" },
		{ PTYP_MULTIPLE_STRING, "02000000 61000000 0000",
		  "02000000 61000000 0000",
		  "ff 02000000 ff 61000000 ff 0000" },
		{ PTYP_MULTIPLE_BINARY, "02000000 0100 aa 0000",
		  "02000000 01000000 aa 00000000",
		  "ff 02000000 ff 01000000 aa ff 00000000" },
		{ PTYP_MULTIPLE_GUID,
		  "01000000 000102030405060708090a0b0c0d0e0f",
		  "01000000 000102030405060708090a0b0c0d0e0f",
		  "ff 01000000 000102030405060708090a0b0c0d0e0f" },
		/* PidTagSubject exists */
		{ PTYP_RESTRICTION, "08 1f003700", "08 1f003700",
		  "08 1f003700" },
		/* one action: delete */
		{ PTYP_RULE_ACTION,
		  "0100 0900 0a 00000000 00000000",
		  "01000000 09000000 0a 00000000 00000000",
		  "01000000 09000000 0a 00000000 00000000" },
	};
	struct mapi_value value;
	unsigned int i;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (!pull_hex(tests[i].rop, MAPI_WIRE_ROP, tests[i].type,
			      &value))
			fail_msg("type 0x%04x", tests[i].type);
		assert_int_equal(value.type, tests[i].type);
		push_is(&value, MAPI_WIRE_ROP, tests[i].rop);
		assert_true(pull_hex(tests[i].extended, MAPI_WIRE_EXTENDED,
				     tests[i].type, &value));
		push_is(&value, MAPI_WIRE_EXTENDED, tests[i].extended);
		assert_true(pull_hex(tests[i].addressbook,
				     MAPI_WIRE_ADDRESSBOOK, tests[i].type,
				     &value));
		push_is(&value, MAPI_WIRE_ADDRESSBOOK, tests[i].addressbook);
	}
	/* column of a multi-value instance: single values */
	assert_true(pull_hex("61000000", MAPI_WIRE_ROP,
			     PTYP_MULTIPLE_STRING | PTYP_INSTANCE_FLAG,
			     &value));
	assert_int_equal(value.type, PTYP_STRING);
	/* absent in the address book */
	assert_true(pull_hex("00", MAPI_WIRE_ADDRESSBOOK, PTYP_STRING,
			     &value));
	assert_null(value.u.str);
	push_is(&value, MAPI_WIRE_ADDRESSBOOK, "00");
	/* any other byte is true */
	assert_true(pull_hex("55", MAPI_WIRE_ROP, PTYP_BOOLEAN, &value));
	assert_true(value.u.b);
	/* unknown types, counts that can't be */
	assert_false(pull_hex("00", MAPI_WIRE_ROP, 0x0009, &value));
	assert_false(pull_hex("01000000 00", MAPI_WIRE_ROP, 0x100b, &value));
	assert_false(pull_hex("ffffff7f 0000", MAPI_WIRE_ROP,
			      PTYP_MULTIPLE_STRING, &value));
	assert_false(pull_hex("00", MAPI_WIRE_ROP, PTYP_UNSPECIFIED, &value));
}

/* Absolute values of what has been read above */
static void test_meaning(void **state)
{
	struct mapi_value value;

	assert_true(pull_hex("fe ff", MAPI_WIRE_ROP, PTYP_INTEGER16, &value));
	assert_int_equal(value.u.i16, -2);
	assert_true(pull_hex("000000000000f83f", MAPI_WIRE_ROP,
			     PTYP_FLOATING64, &value));
	assert_true(value.u.f64 == 1.5);
	assert_true(pull_hex("61002620 0000", MAPI_WIRE_ROP, PTYP_STRING,
			     &value));
	assert_string_equal(value.u.str, "a\xe2\x80\xa6");
	assert_true(pull_hex("02000000 0100 aa 0000", MAPI_WIRE_ROP,
			     PTYP_MULTIPLE_BINARY, &value));
	assert_int_equal(value.u.mv.count, 2);
	assert_int_equal(value.u.mv.v.bin[0].len, 1);
	assert_int_equal(value.u.mv.v.bin[0].data[0], 0xaa);
	/* sizes, [MS-OXCDATA] 2.12.8 */
	value = mapi_value_str("a\xe2\x80\xa6");
	assert_int_equal(mapi_value_size(&value), 6);
	value = mapi_value_bin("xyz", 3);
	assert_int_equal(mapi_value_size(&value), 3);
	value = mapi_value_i32(0);
	assert_int_equal(mapi_value_size(&value), 4);
	value = mapi_value_bool(true);
	assert_int_equal(mapi_value_size(&value), 1);
}

/* --- Unicode -------------------------------------------------------------- */

static void test_unicode(void **state)
{
	static const struct {
		const char *utf16, *utf8;
	} tests[] = {
		{ "", "" },
		{ "4100 e400 ac20", "A\xc3\xa4\xe2\x82\xac" },
		/* U+1F600 */
		{ "3dd8 00de", "\xf0\x9f\x98\x80" },
		/* unpaired: high alone, low alone, wrong way round */
		{ "3dd8 4100", "\xed\xa0\xbd" "A" },
		{ "00de 4100", "\xed\xb8\x80" "A" },
		{ "00de 3dd8", "\xed\xb8\x80\xed\xa0\xbd" },
		{ "3dd8", "\xed\xa0\xbd" },
		{ "feff ffff", "\xef\xbf\xbe\xef\xbf\xbf" },
	};
	unsigned int i;
	size_t size, size2;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		uint8_t *data = wire_hex(mem, tests[i].utf16, &size), *back;
		char *str = mapi_utf16_to_utf8(mem, data, size);

		assert_string_equal(str, tests[i].utf8);
		assert_int_equal(mapi_utf16_size(str), size);
		back = mapi_utf8_to_utf16(mem, str, &size2);
		assert_int_equal(size2, size);
		assert_memory_equal(back, data, size);
	}
	/* up to a NUL; an odd byte is dropped */
	assert_string_equal(mapi_utf16_to_utf8(
		mem, (const uint8_t *)"a\0\0\0b\0", 6), "a");
	assert_string_equal(mapi_utf16_to_utf8(
		mem, (const uint8_t *)"a\0b", 3), "a");
}

/* Every byte that isn't part of UTF-8 becomes one U+FFFD. */
static void test_broken_utf8(void **state)
{
	static const struct {
		const char *utf8, *utf16;
	} tests[] = {
		{ "\x80", "fdff" },
		{ "a\xff" "b", "6100 fdff 6200" },
		{ "\xc3", "fdff" },
		{ "\xe2\x82", "fdff fdff" },
		{ "\xf0\x9f\x98", "fdff fdff fdff" },
		{ "\xc0\x80", "fdff fdff" },		/* overlong */
		{ "\xe0\x80\x80", "fdff fdff fdff" },
		{ "\xf4\x90\x80\x80", "fdff fdff fdff fdff" },
		{ "\xc3" "A", "fdff 4100" },
	};
	unsigned int i;
	size_t size, size2;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		uint8_t *data = wire_hex(mem, tests[i].utf16, &size);
		uint8_t *out = mapi_utf8_to_utf16(mem, tests[i].utf8, &size2);
		struct mapi_push push;

		assert_int_equal(size2, size);
		assert_memory_equal(out, data, size);
		mapi_push_init(&push, mem, 0);
		assert_true(mapi_push_utf16(&push, tests[i].utf8));
		assert_int_equal(push.size, size + 2);
		assert_memory_equal(push.data, data, size);
	}
}

/* [MS-OXCDATA] 2.11.7 */
static void test_typed_strings(void **state)
{
	static const struct {
		const char *str, *hex;
	} tests[] = {
		{ NULL, "00" },
		{ "", "01" },
		{ "RE: ", "03 52453a2000" },
		{ "\xc3\xa4\xc3\xbf", "03 e4ff 00" },
		{ "\xe2\x82\xac", "04 ac20 0000" },
		{ "\xc4\x80", "04 0001 0000" },
		{ "a\xff", "04 6100 fdff 0000" },
	};
	struct mapi_pull pull;
	struct mapi_push push;
	const char *str;
	unsigned int i;
	size_t size;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		uint8_t *data = wire_hex(mem, tests[i].hex, &size);

		mapi_push_init(&push, mem, 0);
		assert_true(mapi_push_typed_string(&push, tests[i].str));
		assert_int_equal(push.size, size);
		assert_memory_equal(push.data, data, size);
		mapi_pull_init(&pull, mem, data, size);
		str = mapi_pull_typed_string(&pull);
		if (tests[i].str == NULL)
			assert_null(str);
		else if (i < 6)
			assert_string_equal(str, tests[i].str);
		assert_int_equal(mapi_pull_left(&pull), 0);
		assert_true(mapi_pull_ok(&pull));
	}
	mapi_pull_init(&pull, mem, "\x02\xe4", 3);
	assert_string_equal(mapi_pull_typed_string(&pull), "\xc3\xa4");
	mapi_pull_init(&pull, mem, "\x05", 2);
	assert_null(mapi_pull_typed_string(&pull));
	assert_int_equal(pull.status, MAPI_WIRE_INVALID);
}

static void test_time(void **state)
{
	/* [MS-DTYP] 2.3.3: 100 ns since 1601 */
	assert_true(mapi_time_from_unix(0, 0) == 116444736000000000ULL);
	assert_true(mapi_time_from_unix(1000000000, 123456789) ==
		    126444736001234567ULL);
	assert_true(mapi_time_to_unix(116444736000000000ULL) == 0);
	assert_true(mapi_time_to_unix(116444735999999999ULL) == -1);
	assert_true(mapi_time_to_unix(0) == -11644473600);
	assert_true(mapi_time_from_unix(-11644473600, 0) == 0);
	assert_true(mapi_time_from_unix(-11644473601, 0) == 0);
	assert_true(mapi_time_from_unix(INT64_MIN, 0) == 0);
	assert_true(mapi_time_from_unix(INT64_MAX, 999999999) == INT64_MAX);
	assert_true(mapi_time_to_unix(UINT64_MAX) ==
		    mapi_time_to_unix(INT64_MAX));
}

static void test_guid(void **state)
{
	char buf[MAPI_GUID_STRING_SIZE];
	struct mapi_guid guid;

	assert_string_equal(mapi_guid_format(&PSETID_MEETING, buf),
			    "6ed8da90-450b-101b-98da-00aa003f1305");
	assert_true(mapi_guid_parse("6ED8DA90-450B-101B-98DA-00AA003F1305",
				    &guid));
	assert_memory_equal(&guid, &PSETID_MEETING, 16);
	/* first three fields little-endian */
	assert_memory_equal(guid.bytes, "\x90\xda\xd8\x6e\x0b\x45\x1b\x10"
			    "\x98\xda\x00\xaa\x00\x3f\x13\x05", 16);
	assert_false(mapi_guid_parse("6ED8DA90-450B-101B-98DA-00AA003F130",
				     &guid));
	assert_false(mapi_guid_parse("6ED8DA90-450B-101B-98DA-00AA003F13055",
				     &guid));
	assert_false(mapi_guid_parse("6ED8DA90+450B-101B-98DA-00AA003F1305",
				     &guid));
	assert_false(mapi_guid_parse("", &guid));
}

static void test_property_tables(void **state)
{
	struct mapi_property_name name = {
		.kind = MAPI_NAME_LID, .lid = 0x8503
	};
	const struct mapi_named_property_info *named, *info2;
	const struct mapi_property_info *info;
	unsigned int id, known = 0;

	info = mapi_property_info_by_id(0x0037);
	assert_int_equal(info->tag, 0x0037001f);
	assert_int_equal(info->tag, PIDTAG_SUBJECT);
	assert_string_equal(info->name, "PidTagSubject");
	assert_true(mapi_property_info_by_id(MAPI_TAG_ID(
		PIDTAG_CHANGE_KEY))->read_only);
	assert_false(mapi_property_info_by_id(MAPI_TAG_ID(
		PIDTAG_IMPORTANCE))->read_only);
	assert_null(mapi_property_info_by_id(0x0000));
	assert_null(mapi_property_info_by_id(0x7f00));
	for (id = 0; id < 0x10000; id++) {
		info = mapi_property_info_by_id((uint16_t)id);
		if (info == NULL)
			continue;
		assert_int_equal(MAPI_TAG_ID(info->tag), id);
		known++;
	}
	assert_true(known > 600);

	/* each entry is found by what it says */
	for (id = 0; id < mapi_named_property_infos_count; id++) {
		named = &mapi_named_property_infos[id];
		name.kind = named->kind;
		name.guid = *named->set;
		name.lid = named->lid;
		name.name = named->string;
		info2 = mapi_named_property_info_find(&name);
		assert_non_null(info2);
		assert_ptr_equal(info2->set, named->set);
		assert_int_equal(info2->lid, named->lid);
		if (named->string != NULL)
			assert_string_equal(info2->string, named->string);
	}
	name.kind = MAPI_NAME_LID;
	name.lid = 0x8503;
	name.guid = PSETID_COMMON;
	named = mapi_named_property_info_find(&name);
	assert_string_equal(named->name, "PidLidReminderSet");
	assert_int_equal(named->type, PTYP_BOOLEAN);
	name.guid = PSETID_TASK;
	assert_null(mapi_named_property_info_find(&name));
	name.kind = MAPI_NAME_STRING;
	name.guid = PS_INTERNET_HEADERS;
	name.name = "ACCEPT-language";
	assert_string_equal(mapi_named_property_info_find(&name)->name,
			    "PidNameAcceptLanguage");
	name.guid = PS_PUBLIC_STRINGS;
	name.name = "keywords";
	assert_null(mapi_named_property_info_find(&name));
	name.name = "Keywords";
	assert_string_equal(mapi_named_property_info_find(&name)->name,
			    "PidNameKeywords");
	assert_string_equal(mapi_error_name(0x8004010f), "EC_NOT_FOUND");
	assert_string_equal(mapi_error_name(0x000004b9), "EC_NULL_OBJECT");
	assert_string_equal(mapi_error_name(0), "EC_NONE");
	assert_null(mapi_error_name(0x12345678));
}

/* [MS-OXOMSG] 2.2.1.3 */
static void test_convindex(void **state)
{
	static const struct mapi_guid guid = { {
		0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
		0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff
	} };
	const uint64_t time = 0x01d5123456789abcULL;
	struct mapi_convindex index;
	struct mapi_binary bin, reply;
	size_t size;
	uint8_t *data;

	bin = mapi_convindex_build(mem, time, &guid);
	data = wire_hex(mem, "01 01d5123456 00112233445566778899aabbccddeeff",
			&size);
	assert_int_equal(bin.len, size);
	assert_memory_equal(bin.data, data, size);
	assert_true(mapi_convindex_parse(&bin, &index));
	assert_true(index.time == 0x01d5123456000000ULL);
	assert_memory_equal(&index.guid, &guid, 16);
	assert_int_equal(index.levels, 0);

	/* less than 1.7 years: 31 bits of units of 2^18 */
	reply = mapi_convindex_reply(mem, &bin, index.time + (5ULL << 18) + 7,
				     0x0b);
	assert_int_equal(reply.len, 27);
	assert_memory_equal(reply.data + 22, "\x00\x00\x00\x05\xb0", 5);
	/* more: the delta code, units of 2^23; level 1 */
	reply = mapi_convindex_reply(mem, &reply, index.time + (1ULL << 50),
				     0x01);
	assert_int_equal(reply.len, 32);
	assert_memory_equal(reply.data + 27, "\x88\x00\x00\x00\x11", 5);
	assert_true(mapi_convindex_parse(&reply, &index));
	assert_int_equal(index.levels, 2);
	/* a clock that goes backwards */
	reply = mapi_convindex_reply(mem, &bin, 0, 0);
	assert_memory_equal(reply.data + 22, "\x00\x00\x00\x00\x00", 5);

	/* the older form: six bytes of the time */
	data = wire_hex(mem, "01 d512345678 00112233445566778899aabbccddeeff",
			&size);
	bin.data = data;
	assert_true(mapi_convindex_parse(&bin, &index));
	assert_true(index.time == 0x01d5123456780000ULL);

	bin.len = 23;
	assert_false(mapi_convindex_parse(&bin, &index));
	assert_int_equal(mapi_convindex_reply(mem, &bin, time, 0).len, 0);
	bin.len = 22;
	data[0] = 2;
	assert_false(mapi_convindex_parse(&bin, &index));
}

/* --- rules ---------------------------------------------------------------- */

/* [MS-OXORULE] 2.2.5: move into a folder of this store */
static void test_rule_actions(void **state)
{
	static const char standard[] =
		"0100 2300 01 00000000 00000000"
		"01 0100 00 1500 01 010000000000000d 0000000000000000 00000000";
	struct mapi_value value;

	/* 9 + 1 + 3 + 2 + 21 = 36 = 0x24 */
	assert_false(pull_hex(standard, MAPI_WIRE_ROP, PTYP_RULE_ACTION,
			      &value));
	assert_true(pull_hex(
		"0100 2400 01 00000000 00000000"
		"01 0100 00 1500 01 010000000000000d 0000000000000000 00000000",
		MAPI_WIRE_ROP, PTYP_RULE_ACTION, &value));
	assert_int_equal(value.u.actions->count, 1);
	assert_int_equal(value.u.actions->actions[0].type, MAPI_OP_MOVE);
	assert_true(value.u.actions->actions[0].u.move.in_this_store);
	assert_int_equal(value.u.actions->actions[0].u.move.folder_eid.len,
			 21);
	/* bounce, extended: 32-bit counts */
	assert_true(pull_hex("01000000 0d000000 06 00000000 00000000 26000000",
			     MAPI_WIRE_EXTENDED, PTYP_RULE_ACTION, &value));
	assert_int_equal(value.u.actions->actions[0].u.bounce_code, 0x26);
	push_is(&value, MAPI_WIRE_EXTENDED,
		"01000000 0d000000 06 00000000 00000000 26000000");
}

/* TAG actions that set rule actions, a few hundred deep */
static void test_rule_actions_nested(void **state)
{
	struct mapi_rule_actions *actions = NULL;
	struct mapi_pull pull;
	struct mapi_push push;
	unsigned int i;

	for (i = 0; i < 300; i++) {
		struct mapi_rule_actions *outer =
			talloc_zero(mem, struct mapi_rule_actions);

		if (actions != NULL) {
			outer->count = 1;
			outer->actions = talloc_zero(mem, struct mapi_action);
			outer->actions->type = MAPI_OP_TAG;
			outer->actions->u.tag.tag = 0x668000fe;
			outer->actions->u.tag.value.type = PTYP_RULE_ACTION;
			outer->actions->u.tag.value.u.actions = actions;
		}
		actions = outer;
	}
	mapi_push_init(&push, mem, 0);
	push.form = MAPI_WIRE_EXTENDED;
	assert_false(mapi_push_rule_actions(&push, actions));
	assert_int_equal(push.status, MAPI_WIRE_TOO_DEEP);

	/* the same by hand: count, size, type.., tag */
	mapi_push_init(&push, mem, 0);
	for (i = 300; i > 0; i--) {
		(void)mapi_push_u32(&push, 1);
		(void)mapi_push_u32(&push, i * 21);
		(void)mapi_push_u8(&push, MAPI_OP_TAG);
		(void)mapi_push_u64(&push, 0);
		(void)mapi_push_u32(&push, 0x668000fe);
	}
	(void)mapi_push_u64(&push, 0);
	mapi_pull_init(&pull, mem, push.data, push.size);
	pull.form = MAPI_WIRE_EXTENDED;
	assert_null(mapi_pull_rule_actions(&pull));
	assert_int_equal(pull.status, MAPI_WIRE_TOO_DEEP);
}

/* --- MAPI/HTTP ------------------------------------------------------------ */

/* [MS-OXCMAPIHTTP] 2.2.4.1 */
static void test_connect(void **state)
{
	const struct mapihttp_codec *codec =
		mapihttp_codec_find(MAPIHTTP_EMSMDB, "connect");
	struct mapihttp_connect_request req;
	struct mapihttp_connect_response resp;
	struct mapi_push push;
	size_t size;
	uint8_t *data;

	assert_non_null(codec);
	assert_null(mapihttp_codec_find(MAPIHTTP_NSPI, "Connect"));
	assert_non_null(mapihttp_codec_find(MAPIHTTP_NSPI, "PING"));
	assert_non_null(mapihttp_codec_find(MAPIHTTP_EMSMDB, "PING"));
	data = wire_hex(mem, "2f6f3d7800 00000000 e4040000 09040000 07040000"
			"03000000 010203", &size);
	assert_int_equal(mapihttp_request_size(codec), sizeof(req));
	assert_int_equal(mapihttp_decode_request(mem, codec, data, size, &req),
			 EC_NONE);
	assert_string_equal(req.user_dn, "/o=x");
	assert_int_equal(req.default_code_page, 1252);
	assert_int_equal(req.lcid_sort, 1033);
	assert_int_equal(req.lcid_string, 1031);
	assert_int_equal(req.auxiliary_buffer_size, 3);
	assert_memory_equal(req.auxiliary_buffer, "\x01\x02\x03", 3);
	assert_int_equal(mapihttp_decode_request(mem, codec, data, size - 1,
						 &req), EC_RPC_FORMAT);

	memset(&resp, 0, sizeof(resp));
	resp.polls_max = 60000;
	resp.retry_count = 6;
	resp.retry_delay = 10000;
	resp.dn_prefix = "/o=";
	resp.display_name = "J";
	mapi_push_init(&push, mem, 0);
	assert_int_equal(mapihttp_encode_response(&push, codec, &resp),
			 EC_NONE);
	data = wire_hex(mem, "00000000 00000000 60ea0000 06000000 10270000"
			"2f6f3d00 4a000000 00000000", &size);
	assert_int_equal(push.size, size);
	assert_memory_equal(push.data, data, size);
	/* 2.2.4.1.3: a failure has its code and the auxiliary buffer only */
	resp.status_code = 5;
	mapi_push_init(&push, mem, 0);
	assert_int_equal(mapihttp_encode_response(&push, codec, &resp),
			 EC_NONE);
	data = wire_hex(mem, "05000000 00000000", &size);
	assert_int_equal(push.size, size);
	assert_memory_equal(push.data, data, size);
}

/* [MS-OXCMAPIHTTP] 2.2.5.5: a filter with and without presence byte */
static void test_get_matches(void **state)
{
	static const char *const filters[] = {
		"04 04 1f00fe39 1f00fe39 ff 6100 0000",
		"04 04 1f00fe39 ff 1f00fe39 ff 6100 0000",
	};
	const struct mapihttp_codec *codec =
		mapihttp_codec_find(MAPIHTTP_NSPI, "GetMatches");
	struct mapihttp_get_matches_request req;
	unsigned int i;
	size_t size;

	for (i = 0; i < 2; i++) {
		char *hex = talloc_asprintf(
			mem, "00000000 00 01 02000000 10000000 11000000"
			"00000000 01 %s 00 64000000 01 01000000 1f000130"
			"00000000", filters[i]);
		uint8_t *data = wire_hex(mem, hex, &size);

		assert_int_equal(mapihttp_decode_request(mem, codec, data,
							 size, &req), EC_NONE);
		assert_int_equal(req.minimal_id_count, 2);
		assert_int_equal(req.minimal_ids[1], 0x11);
		assert_int_equal(req.filter->type, RES_PROPERTY);
		assert_string_equal(req.filter->u.property.value.value.u.str,
				    "a");
		assert_int_equal(req.row_count, 100);
		assert_int_equal(req.columns.property_tag_count, 1);
		assert_int_equal(req.columns.property_tags[0], 0x3001001f);
	}
}

/* [MS-OXCMAPIHTTP] 2.2.1.7, 2.2.5.12.2: rows by the columns before them */
static void test_nspi_query_rows(void **state)
{
	static const char hex[] =
		"00000000 00000000 00 01"
		"02000000 1f000130 03000039"
		"02000000"
		"00 ff 4100 0000 06000000"
		"01 00 ff 4200 0000 0a 0f010480"
		"00000000";
	const struct mapihttp_codec *codec =
		mapihttp_codec_find(MAPIHTTP_NSPI, "QueryRows");
	struct mapihttp_query_rows_response resp;
	struct mapi_push push;
	size_t size;
	uint8_t *data = wire_hex(mem, hex, &size);

	assert_int_equal(mapihttp_decode_response(mem, codec, data, size,
						  &resp), EC_NONE);
	assert_int_equal(resp.row_count, 2);
	assert_string_equal(resp.row_data[0].values[0].u.str, "A");
	assert_int_equal(resp.row_data[0].values[1].u.i32, 6);
	assert_int_equal(resp.row_data[1].values[1].type, PTYP_ERROR_CODE);
	assert_int_equal(resp.row_data[1].values[1].u.error, EC_NOT_FOUND);
	mapi_push_init(&push, mem, 0);
	assert_int_equal(mapihttp_encode_response(&push, codec, &resp),
			 EC_NONE);
	assert_int_equal(push.size, size);
	assert_memory_equal(push.data, data, size);
	assert_non_null(strstr(mapihttp_print_response(mem, codec, &resp),
			       "PidTagDisplayName=\"B\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_unicode),
		cmocka_unit_test(test_broken_utf8),
		cmocka_unit_test(test_typed_strings),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_guid),
		cmocka_unit_test(test_property_tables),
		cmocka_unit_test(test_convindex),
		cmocka_unit_test(test_rule_actions),
		cmocka_unit_test(test_rule_actions_nested),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_get_matches),
		cmocka_unit_test(test_nspi_query_rows),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
