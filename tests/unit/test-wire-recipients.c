/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recipients: [MS-OXCDATA] 2.8.3 by its field table, and the operations that
   carry them. */

#include "mapi-rops.h"
#include "mapi-props.h"
#include "wire-rop-hex.h"

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

static enum mapi_error
decode(const char *hex, bool response, const struct rop_wire_context *ctx,
       void *v, size_t *left_r)
{
	return wire_rop_decode(mem, hex, response, ctx, v, left_r);
}

static void encode_is(const char *hex, bool response,
		      const struct rop_codec *codec, const void *v)
{
	wire_rop_encode_is(mem, hex, response, codec, v);
}

static struct mapi_recipient_row recipient(const char *hex)
{
	static const uint32_t columns[] = {
		PIDTAG_OBJECT_TYPE, PIDTAG_RECIPIENT_DISPLAY_NAME
	};
	struct mapi_recipient_row row;
	struct mapi_pull pull;
	struct mapi_push push;
	size_t size;
	uint8_t *data = wire_hex(mem, hex, &size);

	mapi_pull_init(&pull, mem, data, size);
	assert_true(mapi_pull_recipient_row(&pull, columns, 2, &row));
	assert_int_equal(mapi_pull_left(&pull), 0);
	mapi_push_init(&push, mem, 0);
	assert_true(mapi_push_recipient_row(&push, &row));
	assert_int_equal(push.size, size);
	assert_memory_equal(push.data, data, size);
	return row;
}

/* every flag, every type, in the order of 2.8.3.2 */
static void test_rows(void **state)
{
	struct mapi_recipient_row row;

	/* no type, O, E, D, T, I, Unicode */
	row = recipient("3886 78 00 6500 0000 6400 0000 6900 0000 7400 0000"
			"0000 00");
	assert_string_equal(row.address_type, "x");
	assert_string_equal(row.email_address, "e");
	assert_string_equal(row.display_name, "d");
	assert_string_equal(row.simple_display_name, "i");
	assert_string_equal(row.transmittable_display_name, "t");
	assert_int_equal(row.properties.count, 0);
	/* no type, no O: no address type */
	row = recipient("0800 6500 0000 00");
	assert_null(row.address_type);
	assert_string_equal(row.email_address, "e");
	assert_null(row.display_name);
	/* X500: prefix, display type, DN; O doesn't count here */
	row = recipient("1180 05 01 2f6300 4400 0100 00 06000000");
	assert_int_equal(row.address_prefix_used, 5);
	assert_int_equal(row.display_type, 1);
	assert_string_equal(row.x500dn, "/c");
	assert_string_equal(row.display_name, "D");
	assert_int_equal(row.properties.count, 1);
	assert_int_equal(row.properties.values[0].u.i32, 6);
	/* personal distribution lists: entry id, search key */
	row = recipient("0600 0200 aabb 0100 cc 0000 00");
	assert_int_equal(row.entry_id.len, 2);
	assert_int_equal(row.search_key.data[0], 0xcc);
	row = recipient("0702 0000 0000 0200 01 00 06000000 0a 0f010480");
	assert_int_equal(row.entry_id.len, 0);
	assert_int_equal(row.properties.values[1].u.error, EC_NOT_FOUND);
	/* MS Mail, SMTP, fax, POS have nothing of their own */
	row = recipient("0200 0000 00");
	row = recipient("0300 0000 00");
	row = recipient("0400 0000 00");
	row = recipient("0500 0000 00");
	assert_int_equal(row.flags, MAPI_RECIP_TYPE_POS);
}

static void test_row_malformed(void **state)
{
	static const char *const tests[] = {
		"", "03", "0300", "0300 0000",
		"0300 0300 00",			/* more than the columns */
		"0300 0000 02",			/* neither kind of row */
		"0300 0100 00 060000",
		"0100 00 00 2f63",		/* DN without NUL */
		"0802 6500 00",			/* UTF-16 without NUL */
		"0600 0500 aabb 0000 0000 00",
	};
	static const uint32_t columns[] = { PIDTAG_OBJECT_TYPE, 0x0037001f };
	struct mapi_recipient_row row;
	struct mapi_pull pull;
	unsigned int i;
	size_t size;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		uint8_t *data = wire_hex(mem, tests[i], &size);

		mapi_pull_init(&pull, mem, data, size);
		if (mapi_pull_recipient_row(&pull, columns, 2, &row))
			fail_msg("%s is accepted", tests[i]);
	}
}

/* [MS-OXCROPS] 2.2.6.1.2, [MS-OXCDATA] 2.8.3.2, 2.11.7 */
static void test_open_message(void **state)
{
	static const char hex[] =
		"03 01 00 00 00 00 01"
		/* absent prefix, "Hi" in reduced Unicode */
		"00 03 48 69 00"
		/* 1 recipient, 1 column: PidTagObjectType, 1 row */
		"01 00 01 00 03 00 fe 0f 01"
		/* To, code page 1252, reserved, size */
		"01 e4 04 00 00 15 00"
		/* SMTP, email, display name, same, Unicode */
		"5b 02 61 00 00 00 62 00 63 00 00 00 01 00 00 06 00 00 00";
	struct rop_open_message_response resp;
	const struct mapi_recipient_row *row;
	size_t left;

	assert_int_equal(decode(hex, true, NULL, &resp, &left),
			 EC_RPC_FORMAT);	/* size 0x15 is 2 too many */
	assert_int_equal(decode(
		"03 01 00 00 00 00 01 00 03 48 69 00"
		"01 00 01 00 03 00 fe 0f 01"
		"01 e4 04 00 00 13 00"
		"5b 02 61 00 00 00 62 00 63 00 00 00 01 00 00 06 00 00 00",
		true, NULL, &resp, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(resp.has_named_properties, 1);
	assert_null(resp.subject_prefix);
	assert_string_equal(resp.normalized_subject, "Hi");
	assert_int_equal(resp.recipient_columns[0], PIDTAG_OBJECT_TYPE);
	assert_int_equal(resp.recipient_rows[0].recipient_type, MAPI_TO);
	assert_int_equal(resp.recipient_rows[0].code_page_id, 1252);
	row = &resp.recipient_rows[0].recipient_row;
	assert_int_equal(row->flags, MAPI_RECIP_TYPE_SMTP | MAPI_RECIP_EMAIL |
			 MAPI_RECIP_DISPLAY_NAME | MAPI_RECIP_SAME_NAME |
			 MAPI_RECIP_UNICODE);
	assert_string_equal(row->email_address, "a");
	assert_string_equal(row->display_name, "bc");
	assert_null(row->transmittable_display_name);
	assert_int_equal(row->properties.values[0].u.i32, 6);
	encode_is(
		"03 01 00 00 00 00 01 00 03 48 69 00"
		"01 00 01 00 03 00 fe 0f 01"
		"01 e4 04 00 00 13 00"
		"5b 02 61 00 00 00 62 00 63 00 00 00 01 00 00 06 00 00 00",
		true, rop_codec_find(ROP_OPEN_MESSAGE), &resp);
}

/* [MS-OXCROPS] 2.2.6.5.1.1: a row without recipient deletes it */
static void test_modify_recipients(void **state)
{
	static const char hex[] =
		"0e 00 00 00 00 02 00"
		"07 00 00 00 00 00 00"
		"08 00 00 00 02 0c 00"
		"01 00 05 01 61 62 00 00 00 00 00 00";
	struct rop_modify_recipients_request req;
	size_t left;

	assert_int_equal(decode(hex, false, NULL, &req, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(req.recipient_rows[0].row_id, 7);
	assert_null(req.recipient_rows[0].recipient_row);
	assert_int_equal(req.recipient_rows[1].recipient_type, MAPI_CC);
	assert_non_null(req.recipient_rows[1].recipient_row);
	assert_int_equal(
		req.recipient_rows[1].recipient_row->address_prefix_used, 5);
	assert_string_equal(req.recipient_rows[1].recipient_row->x500dn, "ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_row_malformed),
		cmocka_unit_test(test_open_message),
		cmocka_unit_test(test_modify_recipients),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
