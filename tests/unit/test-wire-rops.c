/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Operations as the specifications' examples and field tables have them. */

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

/* [MS-OXCTABL] 4.5.3.1 */
static void test_query_rows_request(void **state)
{
	static const char hex[] = "15 00 00 00 01 32 00";
	struct rop_query_rows_request req;
	size_t left;

	assert_int_equal(decode(hex, false, NULL, &req, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(req.hdr.rop_id, ROP_QUERY_ROWS);
	assert_int_equal(req.hdr.input_index, 0);
	assert_int_equal(req.query_rows_flags, 0);
	assert_int_equal(req.forward_read, 1);
	assert_int_equal(req.row_count, 50);
	encode_is(hex, false, rop_codec_find(ROP_QUERY_ROWS), &req);
}

/* [MS-OXORULE] 4.2.2: one row of a rules table */
static void test_query_rows_response(void **state)
{
	static const char hex[] =
		"15 01 00 00 00 00 02 01-00 00 01 00 00 00 01 3f"
		"f8 56 10 00 01 00 00 00-01 00 00 00 55 55 55 55"
		"d1 44 e3 40 50 00 72 00-6f 00 6a 00 65 00 63 00"
		"74 00 20 00 58 00 00 00";
	static const uint32_t columns[] = {
		PIDTAG_RULE_ID, PIDTAG_RULE_PROVIDER_DATA, PIDTAG_RULE_NAME
	};
	struct rop_wire_context ctx = {
		.columns = columns, .column_count = 3
	};
	struct rop_query_rows_response resp;
	size_t left;

	assert_int_equal(decode(hex, true, &ctx, &resp, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(resp.hdr.handle_index, 1);
	assert_int_equal(resp.origin, 2);
	assert_int_equal(resp.row_count, 1);
	assert_int_equal(resp.row_data[0].count, 3);
	assert_int_equal(resp.row_data[0].values[0].type, PTYP_INTEGER64);
	assert_true(resp.row_data[0].values[0].u.i64 == 0x56f83f0100000001);
	assert_int_equal(resp.row_data[0].values[1].u.bin.len, 16);
	assert_string_equal(resp.row_data[0].values[2].u.str, "Project X");
	encode_is(hex, true, rop_codec_find(ROP_QUERY_ROWS), &resp);
	/* flag, 8, 2 + 16, 20 */
	assert_int_equal(mapi_property_row_size(&resp.row_data[0]), 47);
}

/* [MS-OXCTABL] 4.3.2 */
static void test_sort_table_response(void **state)
{
	struct rop_sort_table_response resp;
	size_t left;

	assert_int_equal(decode("13 01 00 00 00 00 00", true, NULL, &resp,
				&left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(resp.table_status, 0);
	/* a failure has no TableStatus, [MS-OXCROPS] 2.2.5.2.3 */
	assert_int_equal(decode("13 01 17 01 04 80 00", true, NULL, &resp,
				&left), EC_NONE);
	assert_int_equal(left, 1);
	assert_int_equal(resp.hdr.return_value, EC_TOO_COMPLEX);
}

/* [MS-OXCPRPT] 4.3.1 */
static void test_set_properties(void **state)
{
	static const char hex[] =
		"0A 00 00 24 00 02 00 1F-00 3D 00 00 00 1F 00 1D"
		"0E 48 00 65 00 6C 00 6C-00 6F 00 20 00 57 00 6F"
		"00 72 00 6C 00 64 00 00-00";
	struct rop_set_properties_request req;
	size_t left;

	assert_int_equal(decode(hex, false, NULL, &req, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(req.property_value_size, 0x24);
	assert_int_equal(req.property_value_count, 2);
	assert_int_equal(req.property_values[0].tag, PIDTAG_SUBJECT_PREFIX);
	assert_string_equal(req.property_values[0].value.u.str, "");
	assert_int_equal(req.property_values[1].tag,
			 PIDTAG_NORMALIZED_SUBJECT);
	assert_string_equal(req.property_values[1].value.u.str, "Hello World");
	/* the size is the encoder's to find out */
	req.property_value_size = 0;
	encode_is(hex, false, rop_codec_find(ROP_SET_PROPERTIES), &req);
}

/* [MS-OXCFOLD] 4.5.1 */
static void test_move_folder(void **state)
{
	static const char hex[] =
		"35 00 01 02 01 01 01 00-00 00 0E 8E DF 36 46 00"
		"6F 00 6C 00 64 00 65 00-72 00 31 00 00 00";
	struct rop_move_folder_request req;
	struct rop_move_folder_response resp;
	size_t left;

	assert_int_equal(decode(hex, false, NULL, &req, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(req.hdr.input_index, 1);
	assert_int_equal(req.hdr.output_index, 2);
	assert_int_equal(req.want_asynchronous, 1);
	assert_int_equal(MAPI_ID_REPLID(req.folder_id), 1);
	assert_true(MAPI_ID_GLOBCNT(req.folder_id) == 0x00000e8edf36);
	assert_string_equal(req.new_folder_name, "Folder1");
	encode_is(hex, false, rop_codec_find(ROP_MOVE_FOLDER), &req);

	/* 2.2.4.7.3: only without destination there's a handle index */
	assert_int_equal(decode("35 01 00 00 00 00 01", true, NULL, &resp,
				&left), EC_NONE);
	assert_int_equal(resp.partial_completion, 1);
	assert_int_equal(decode("35 01 03 05 00 00 02 00 00 00 01", true,
				NULL, &resp, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(resp.dest_handle_index, 2);
	assert_int_equal(resp.partial_completion, 1);
	encode_is("35 01 03 05 00 00 02 00 00 00 01", true,
		  rop_codec_find(ROP_MOVE_FOLDER), &resp);
}

/* [MS-OXCROPS] 2.2.3.1: private, public, redirected, refused */
static void test_logon(void **state)
{
	static const char request[] =
		"fe 03 01 01 0c 00 00 21 00 00 00 00 04 00 2f 6f 3d 00";
	static const char redirect[] =
		"fe 01 78 04 00 00 01 04 73 72 76 00";
	const struct rop_codec *codec = rop_codec_find(ROP_LOGON);
	struct rop_logon_request req;
	struct rop_logon_response resp, resp2;
	struct mapi_push push;
	struct mapi_pull pull;
	size_t left;

	assert_int_equal(decode(request, false, NULL, &req, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(req.hdr.logon_id, 3);
	assert_int_equal(req.hdr.output_index, 1);
	assert_int_equal(req.logon_flags, 1);
	assert_int_equal(req.open_flags, 0x2100000c);
	assert_string_equal(req.essdn, "/o=");
	encode_is(request, false, codec, &req);

	assert_int_equal(decode(redirect, true, NULL, &resp, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_string_equal(resp.server_name, "srv");
	encode_is(redirect, true, codec, &resp);
	assert_int_equal(decode("fe 01 eb 03 00 00", true, NULL, &resp, &left),
			 EC_NONE);
	assert_null(resp.server_name);

	/* 160 and 166 bytes by the field tables 2.2.3.1.2, 2.2.3.1.3 */
	memset(&resp, 0, sizeof(resp));
	resp.logon_flags = 1;
	resp.folder_ids[12] = MAPI_ID(1, 0x123456);
	resp.repl_id = 0x0102;
	resp.logon_time.year = 2026;
	mapi_push_init(&push, mem, 0);
	assert_int_equal(rop_encode_response(&push, codec, NULL, &resp),
			 EC_NONE);
	assert_int_equal(push.size, 6 + 1 + 13 * 8 + 1 + 16 + 2 + 16 + 8 + 8 +
			 4);
	mapi_pull_init(&pull, mem, push.data, push.size);
	assert_int_equal(rop_decode_response(&pull, codec, NULL, &resp2),
			 EC_NONE);
	assert_true(resp2.folder_ids[12] == MAPI_ID(1, 0x123456));
	assert_int_equal(resp2.logon_time.year, 2026);
	/* the last FolderId: replica id, GLOBCNT big-endian */
	assert_memory_equal(push.data + 7 + 12 * 8,
			    "\x01\x00\x00\x00\x00\x12\x34\x56", 8);

	resp.logon_flags = 0;
	mapi_push_init(&push, mem, 0);
	assert_int_equal(rop_encode_response(&push, codec, NULL, &resp),
			 EC_NONE);
	assert_int_equal(push.size, 6 + 1 + 13 * 8 + 2 + 16 + 16);
}

/* [MS-OXCROPS] 2.2.6.9.2: the response has the RopId of another operation */
static void test_get_message_status(void **state)
{
	const struct rop_codec *codec = rop_codec_find(ROP_GET_MESSAGE_STATUS);
	struct rop_get_message_status_response resp;
	struct mapi_pull pull;
	uint8_t *data;
	size_t size;

	memset(&resp, 0, sizeof(resp));
	resp.hdr.rop_id = ROP_GET_MESSAGE_STATUS;
	resp.hdr.handle_index = 2;
	resp.message_status_flags = 0x1000;
	encode_is("20 02 00 00 00 00 00 10 00 00", true, codec, &resp);
	data = wire_hex(mem, "20 02 00 00 00 00 00 10 00 00", &size);
	mapi_pull_init(&pull, mem, data, size);
	assert_int_equal(rop_decode_response(&pull, codec, NULL, &resp),
			 EC_NONE);
	assert_int_equal(resp.message_status_flags, 0x1000);
	/* the request's number isn't that of a response */
	data[0] = ROP_GET_MESSAGE_STATUS;
	mapi_pull_init(&pull, mem, data, size);
	assert_int_equal(rop_decode_response(&pull, codec, NULL, &resp),
			 EC_RPC_FORMAT);
}

/* [MS-OXCROPS] 2.2.6.3: the handle indexes stand the other way round */
static void test_save_changes(void **state)
{
	struct rop_save_changes_message_request req;
	struct rop_save_changes_message_response resp;
	size_t left;

	assert_int_equal(decode("0c 00 05 06 0a", false, NULL, &req, &left),
			 EC_NONE);
	assert_int_equal(req.hdr.output_index, 5);
	assert_int_equal(req.hdr.input_index, 6);
	assert_int_equal(req.save_flags, 0x0a);
	assert_int_equal(decode("0c 05 00 00 00 00 06 "
				"01 00 00 00 00 00 01 02", true, NULL, &resp,
				&left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(resp.hdr.handle_index, 5);
	assert_int_equal(resp.input_handle_index, 6);
	assert_true(resp.message_id == MAPI_ID(1, 0x102));
}

/* [MS-OXCROPS] 2.2.5.3, [MS-OXCDATA] 2.12: subject contains "ab", any case,
   and importance is high */
static void test_restrict(void **state)
{
	static const char hex[] =
		"14 00 01 00 25 00"
		"00 02 00"
		"03 01 00 01 00 1f 00 37 00 1f 00 37 00 61 00 62 00 00 00"
		"04 04 03 00 17 00 03 00 17 00 02 00 00 00";
	struct rop_restrict_request req;
	const struct mapi_restriction *res;
	size_t left;
	char *str;

	/* 3 + 19 + 14 is 0x24: one byte more in the region is skipped */
	assert_int_equal(decode("14 00 01 00 25 00"
		"00 02 00"
		"03 01 00 01 00 1f 00 37 00 1f 00 37 00 61 00 62 00 00 00"
		"04 04 03 00 17 00 03 00 17 00 02 00 00 00 ff", false, NULL,
		&req, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(decode(hex, false, NULL, &req, &left),
			 EC_RPC_FORMAT);

	assert_int_equal(decode("14 00 01 00 24 00"
		"00 02 00"
		"03 01 00 01 00 1f 00 37 00 1f 00 37 00 61 00 62 00 00 00"
		"04 04 03 00 17 00 03 00 17 00 02 00 00 00", false, NULL,
		&req, &left), EC_NONE);
	res = req.restriction_data;
	assert_non_null(res);
	assert_int_equal(res->type, RES_AND);
	assert_int_equal(res->u.list.count, 2);
	assert_int_equal(res->u.list.items[0].type, RES_CONTENT);
	assert_int_equal(res->u.list.items[0].u.content.fuzzy_low,
			 FL_SUBSTRING);
	assert_int_equal(res->u.list.items[0].u.content.fuzzy_high,
			 FL_IGNORECASE);
	assert_string_equal(
		res->u.list.items[0].u.content.value.value.u.str, "ab");
	assert_int_equal(res->u.list.items[1].u.property.relop, RELOP_EQ);
	assert_int_equal(res->u.list.items[1].u.property.value.value.u.i32, 2);
	str = talloc_strdup(mem, "");
	mapi_restriction_print(&str, res);
	assert_string_equal(str, "AND(PidTagSubject contains/0x1 \"ab\", "
			    "PidTagImportance == 2)");
	/* no restriction at all */
	assert_int_equal(decode("14 00 01 00 00 00", false, NULL, &req, &left),
			 EC_NONE);
	assert_null(req.restriction_data);
}

/* A restriction that can't be used costs its own operation only. */
static void test_restrict_malformed(void **state)
{
	struct rop_restrict_request req;
	struct rop_find_row_request find;
	struct mapi_pull pull;
	uint8_t buf[6 + 1000 + 4];
	size_t left;

	/* type 0x77 */
	assert_int_equal(decode("14 00 01 00 01 00 77 81", false, NULL, &req,
				&left), EC_INVALID_PARAM);
	assert_null(req.restriction_data);
	assert_int_equal(left, 1);
	/* what is behind it is still read */
	assert_int_equal(decode("4f 00 01 00 02 00 00 09 01 00 00", false, NULL,
				&find, &left), EC_INVALID_PARAM);
	assert_int_equal(find.origin, 1);
	assert_int_equal(left, 0);

	/* NOT NOT NOT ... */
	memset(buf, 0x02, sizeof(buf));
	memcpy(buf, "\x14\x00\x01\x00\xe8\x03", 6);
	mapi_pull_init(&pull, mem, buf, sizeof(buf));
	assert_int_equal(rop_decode_request(&pull, rop_codec_find(ROP_RESTRICT),
					    NULL, &req), EC_TOO_COMPLEX);
	assert_int_equal(pull.pos, 6 + 1000);
	assert_null(req.restriction_data);
}

/* However many elements the lists in a malformed restriction promise, the
   operations after it are still read. */
static void test_restrict_promises(void **state)
{
	struct rop_restrict_request req;
	struct rop_set_columns_request columns;
	struct mapi_pull pull;
	uint8_t buf[6 + 300 + 6 + 40 * 4];
	unsigned int i;

	memset(buf, 0, sizeof(buf));
	memcpy(buf, "\x14\x00\x01\x00\x2c\x01", 6);
	/* AND of 59 children, of which the first is AND of 58, ... */
	for (i = 0; i + 8 <= 300; i += 3) {
		buf[6 + i] = RES_AND;
		buf[6 + i + 1] = (uint8_t)((300 - i - 3) / 5);
	}
	memcpy(buf + 306, "\x12\x00\x01\x00\x28\x00", 6);

	mapi_pull_init(&pull, mem, buf, sizeof(buf));
	assert_int_equal(rop_decode_request(&pull, rop_codec_find(ROP_RESTRICT),
					    NULL, &req), EC_INVALID_PARAM);
	assert_null(req.restriction_data);
	assert_int_equal(rop_decode_request(&pull,
					    rop_codec_find(ROP_SET_COLUMNS),
					    NULL, &columns), EC_NONE);
	assert_int_equal(columns.property_tag_count, 40);
	assert_int_equal(mapi_pull_left(&pull), 0);
}

/* [MS-OXCROPS] 2.2.9.2.1, 2.2.12.4: the second size is there if the first one
   says so */
static void test_read_stream(void **state)
{
	struct rop_read_stream_request req;
	struct rop_fast_transfer_source_get_buffer_request fx;
	size_t left;

	assert_int_equal(decode("2c 00 01 00 10 00", false, NULL, &req, &left),
			 EC_NONE);
	assert_int_equal(left, 1);
	assert_int_equal(req.byte_count, 0x1000);
	assert_int_equal(decode("2c 00 01 be ba 00 00 10 00", false, NULL,
				&req, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(req.maximum_byte_count, 0x100000);
	assert_int_equal(decode("4e 00 01 be ba 00 80", false, NULL, &fx,
				&left), EC_NONE);
	assert_int_equal(fx.maximum_buffer_size, 0x8000);
}

/* [MS-OXCROPS] 2.2.6.11: client data for public folders only */
static void test_public_logon(void **state)
{
	struct rop_wire_context ctx = { .public_logon = true };
	struct rop_set_message_read_flag_request req;
	size_t left;

	assert_int_equal(decode("11 00 01 02 01", false, NULL, &req, &left),
			 EC_NONE);
	assert_int_equal(decode("11 00 01 02 01", false, &ctx, &req, &left),
			 EC_RPC_FORMAT);
	assert_int_equal(decode("11 00 01 02 01 000102030405060708090a0b"
				"0c0d0e0f1011121314151617", false, &ctx, &req,
				&left), EC_NONE);
	assert_int_equal(req.client_data[23], 0x17);
}

/* [MS-OXCNOTIF] 2.2.1.4.1.2 */
static void test_notify(void **state)
{
	/* new mail: flags M | 0x0002, fid, mid, message flags, class */
	static const char new_mail[] =
		"2a 05 00 00 00 00 02 80"
		"01 00 00 00 00 00 00 0d 01 00 00 00 00 00 01 02"
		"00 00 00 00 00 49 50 4d 00";
	/* hierarchy row deleted: no M, event 4, fid */
	static const char row_deleted[] =
		"2a 05 00 00 00 00 00 01 04 00 01 00 00 00 00 00 00 0d";
	struct rop_notify_response resp;
	size_t left;

	assert_int_equal(decode(new_mail, true, NULL, &resp, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(resp.notification_handle, 5);
	assert_true(resp.notification_data.message_id == MAPI_ID(1, 0x102));
	assert_string_equal(resp.notification_data.message_class, "IPM");
	encode_is(new_mail, true, rop_codec_find(ROP_NOTIFY), &resp);
	assert_int_equal(decode(row_deleted, true, NULL, &resp, &left),
			 EC_NONE);
	assert_int_equal(left, 0);
	assert_true(resp.notification_data.table_row_folder_id ==
		    MAPI_ID(1, 13));
}

/* [MS-OXCROPS] 2.2.15.1 */
static void test_buffer_too_small(void **state)
{
	struct rop_buffer_too_small_response resp;

	memset(&resp, 0, sizeof(resp));
	resp.size_needed = 0x8000;
	resp.request_buffers = (const uint8_t *)"\x01\x00\x02";
	resp.request_buffers_size = 3;
	encode_is("ff 00 80 01 00 02", true,
		  rop_codec_find(ROP_BUFFER_TOO_SMALL), &resp);
}

/* [MS-OXCROPS] 2.2.3.4.2: fixed columns */
static void test_receive_folder_table(void **state)
{
	struct rop_get_receive_folder_table_response resp;
	size_t left;

	assert_int_equal(decode(
		"68 00 00 00 00 00 01 00 00 00 00"
		"01 00 00 00 00 00 00 0d 49 50 4d 00 01 02 03 04 05 06 07 08",
		true, NULL, &resp, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_true(mapi_id_from_i64(resp.rows[0].values[0].u.i64) ==
		    MAPI_ID(1, 13));
	assert_string_equal(resp.rows[0].values[1].u.str8, "IPM");
	assert_true(resp.rows[0].values[2].u.time == 0x0807060504030201);
}

/* [MS-OXCDATA] 2.6.1, [MS-OXCROPS] 2.2.8.1: reminder set, and a header */
static void test_property_names(void **state)
{
	static const char hex[] =
		"56 00 00 02 02 00"
		"00 08 20 06 00 00 00 00 00 c0 00 00 00 00 00 00 46 03 85 00 00"
		"01 86 03 02 00 00 00 00 00 c0 00 00 00 00 00 00 46 06 "
		"58 00 2d 00 00 00";
	struct rop_get_property_ids_from_names_request req;
	size_t left;

	assert_int_equal(decode(hex, false, NULL, &req, &left), EC_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(req.flags, 2);
	assert_int_equal(req.property_names[0].kind, MAPI_NAME_LID);
	assert_int_equal(req.property_names[0].lid, PIDLID_REMINDER_SET);
	assert_memory_equal(&req.property_names[0].guid, &PSETID_COMMON, 16);
	assert_int_equal(req.property_names[1].kind, MAPI_NAME_STRING);
	assert_string_equal(req.property_names[1].name, "X-");
	assert_memory_equal(&req.property_names[1].guid, &PS_INTERNET_HEADERS,
			    16);
	encode_is(hex, false,
		  rop_codec_find(ROP_GET_PROPERTY_IDS_FROM_NAMES), &req);
}

static void test_counts(void **state)
{
	struct rop_set_columns_request req;
	size_t left;

	/* 65535 columns in 4 bytes: nothing is allocated for them */
	assert_int_equal(decode("12 00 00 00 ff ff 1f 00 37 00", false, NULL,
				&req, &left), EC_RPC_FORMAT);
	assert_null(req.property_tags);
}

/* Encoding doesn't leave half a response behind. */
static void test_limit(void **state)
{
	const struct rop_codec *codec = rop_codec_find(ROP_READ_STREAM);
	struct rop_read_stream_response resp;
	struct mapi_push push;
	uint8_t data[100];

	memset(data, 'x', sizeof(data));
	memset(&resp, 0, sizeof(resp));
	resp.data = data;
	resp.data_size = sizeof(data);
	mapi_push_init(&push, mem, 110);
	assert_true(mapi_push_u16(&push, 0));
	assert_int_equal(rop_encode_response(&push, codec, NULL, &resp),
			 EC_NONE);
	assert_int_equal(push.size, 110);
	push.limit = 160;
	assert_int_equal(rop_encode_response(&push, codec, NULL, &resp),
			 EC_BUFFER_TOO_SMALL);
	assert_int_equal(push.size, 110);
	assert_true(mapi_push_ok(&push));
	resp.data_size = 0;
	assert_int_equal(rop_encode_response(&push, codec, NULL, &resp),
			 EC_NONE);
}

/* Values that aren't of their column's type are nobody's to guess. */
static void test_row_types(void **state)
{
	uint32_t columns[] = { PIDTAG_SUBJECT, PIDTAG_IMPORTANCE, 0x66700000 };
	struct mapi_value values[3];
	struct mapi_property_row row = { 3, columns, values };
	struct mapi_push push;
	uint8_t *data;
	size_t size;

	values[0] = mapi_value_str("a");
	values[1] = mapi_value_i32(1);
	values[2] = mapi_value_bool(true);
	mapi_push_init(&push, mem, 0);
	assert_true(mapi_push_property_row(&push, &row));
	data = wire_hex(mem, "00 61 00 00 00 01 00 00 00 0b 00 01", &size);
	assert_int_equal(push.size, size);
	assert_memory_equal(push.data, data, size);

	/* [MS-OXCDATA] 2.8.1.2 */
	values[0] = mapi_value_error(EC_NOT_FOUND);
	mapi_push_init(&push, mem, 0);
	assert_true(mapi_push_property_row(&push, &row));
	data = wire_hex(mem, "01 0a 0f 01 04 80 00 01 00 00 00 0b 00 00 01",
			&size);
	assert_int_equal(push.size, size);
	assert_memory_equal(push.data, data, size);

	values[0] = mapi_value_i32(1);
	mapi_push_init(&push, mem, 0);
	assert_false(mapi_push_property_row(&push, &row));
	assert_int_equal(push.status, MAPI_WIRE_INVALID);
}

/* [MS-OXCROPS] 2.2.1 */
static void test_rop_buffer(void **state)
{
	struct rop_buffer buf;
	struct mapi_push push;
	uint8_t *data;
	size_t size;

	data = wire_hex(mem, "05 00 01 00 02 ff ff ff ff 07 00 00 00", &size);
	assert_true(rop_buffer_decode(mem, data, size, &buf));
	assert_int_equal(buf.rops_size, 3);
	assert_memory_equal(buf.rops, "\x01\x00\x02", 3);
	assert_int_equal(buf.handle_count, 2);
	assert_int_equal(buf.handles[0], ROP_HANDLE_NONE);
	assert_int_equal(buf.handles[1], 7);
	mapi_push_init(&push, mem, 0);
	assert_true(rop_buffer_encode(&push, &buf));
	assert_int_equal(push.size, size);
	assert_memory_equal(push.data, data, size);

	/* handles that aren't whole, a size that doesn't count itself or is
	   more than there is */
	assert_false(rop_buffer_decode(mem, data, size - 1, &buf));
	data = wire_hex(mem, "01 00", &size);
	assert_false(rop_buffer_decode(mem, data, size, &buf));
	data = wire_hex(mem, "05 00 01 00", &size);
	assert_false(rop_buffer_decode(mem, data, size, &buf));
	assert_false(rop_buffer_decode(mem, data, 0, &buf));
}

static void test_print(void **state)
{
	struct rop_open_folder_request req;
	size_t left;
	char *str;

	assert_int_equal(decode("02 00 01 02 01 00 00 00 00 00 00 0d 00",
				false, NULL, &req, &left), EC_NONE);
	str = rop_print_request(mem, rop_codec_find(ROP_OPEN_FOLDER), NULL,
				&req);
	assert_string_equal(str, "RopOpenFolder LogonId=0 InputHandleIndex=1 "
			    "OutputHandleIndex=2 FolderId=1:0xd "
			    "OpenModeFlags=0");
}

static void test_lookup(void **state)
{
	const struct rop_codec *codec = rop_codec_find(ROP_OPEN_FOLDER);

	assert_null(rop_codec_find(0x00));
	assert_null(rop_codec_find(0x28));
	assert_int_equal(codec->flags,
			 ROP_INPUT | ROP_OUTPUT | ROP_ANSWERS_OUTPUT);
	assert_int_equal(rop_request_size(codec),
			 sizeof(struct rop_open_folder_request));
	assert_int_equal(rop_codec_find(ROP_RELEASE)->flags, ROP_INPUT);
	assert_int_equal(rop_response_size(rop_codec_find(ROP_RELEASE)), 0);
	assert_int_equal(rop_codec_find(ROP_LOGON)->flags,
			 ROP_OUTPUT | ROP_ANSWERS_OUTPUT);
	assert_int_equal(rop_codec_find(ROP_COPY_TO)->flags,
			 ROP_INPUT | ROP_DEST);
	assert_int_equal(rop_codec_find(ROP_SAVE_CHANGES_MESSAGE)->flags,
			 ROP_INPUT | ROP_RESPONSE | ROP_ANSWERS_OUTPUT);
	assert_int_equal(rop_codec_find(ROP_NOTIFY)->flags, ROP_SERVER_ONLY);
	assert_int_equal(rop_codec_find(ROP_GET_MESSAGE_STATUS)->response_id,
			 ROP_SET_MESSAGE_STATUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query_rows_request),
		cmocka_unit_test(test_query_rows_response),
		cmocka_unit_test(test_sort_table_response),
		cmocka_unit_test(test_set_properties),
		cmocka_unit_test(test_move_folder),
		cmocka_unit_test(test_logon),
		cmocka_unit_test(test_get_message_status),
		cmocka_unit_test(test_save_changes),
		cmocka_unit_test(test_restrict),
		cmocka_unit_test(test_restrict_malformed),
		cmocka_unit_test(test_restrict_promises),
		cmocka_unit_test(test_read_stream),
		cmocka_unit_test(test_public_logon),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_buffer_too_small),
		cmocka_unit_test(test_receive_folder_table),
		cmocka_unit_test(test_property_names),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_row_types),
		cmocka_unit_test(test_rop_buffer),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_lookup),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
