/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "nspi-fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define UNKNOWN_MID 0x7fffffff

static struct nspi_fixture fix;
/* MIds of the GAL in its order, as the whole table has told them */
static uint32_t gal[200];
static uint32_t gal_count;

static uint32_t mid_of(const char *name)
{
	const char *address = t_strconcat(name, "@example.org", NULL);
	uint32_t mid = snapshot_find_address(fix.snapshot, address);

	assert_int_not_equal(mid, 0);
	return mid;
}

/* Sends a request as a client would. Returns the ErrorCode. */
static uint32_t call(const char *type, const void *req, void *resp_r)
{
	const struct mapihttp_codec *codec =
		mapihttp_codec_find(MAPIHTTP_NSPI, type);
	struct nspi_result result;
	struct mapi_push push;

	mapi_push_init(&push, fix.ctx.mem, 0);
	assert_int_equal(mapihttp_encode_request(&push, codec, req), EC_NONE);
	nspi_request(&fix.ctx, type, push.data, push.size, &fix.bound, &result);
	assert_int_equal(result.code, NSPI_RESPONSE_SUCCESS);
	memset(resp_r, 0, mapihttp_response_size(codec));
	assert_int_equal(mapihttp_decode_response(fix.ctx.mem, codec,
				result.body, result.body_size, resp_r),
			 EC_NONE);
	return result.error;
}

static const uint32_t columns[] = { PIDTAG_INSTANCE_KEY, PIDTAG_DISPLAY_NAME };

static uint32_t
query(const struct mapihttp_stat *stat, uint32_t count,
      struct mapihttp_query_rows_response *resp_r)
{
	struct mapihttp_query_rows_request req = {
		.has_state = 1, .state = *stat, .row_count = count,
		.has_columns = 1,
		.columns = { N_ELEMENTS(columns), (uint32_t *)columns },
	};

	return call("QueryRows", &req, resp_r);
}

static uint32_t row_mid(const struct mapi_property_row *row)
{
	assert_int_equal(row->values[0].type, PTYP_BINARY);
	assert_int_equal(row->values[0].u.bin.len, 4);
	return le32_to_cpu_unaligned(row->values[0].u.bin.data);
}

static int setup(void **state)
{
	struct mapihttp_query_rows_response resp;
	struct mapihttp_stat stat = { .current_rec = 0 };

	nspi_fixture_init(&fix);
	assert_int_equal(query(&stat, 1000, &resp), EC_NONE);
	gal_count = resp.row_count;
	for (uint32_t i = 0; i < gal_count; i++)
		gal[i] = row_mid(&resp.row_data[i]);
	/* all but the container */
	assert_int_equal(gal_count, FIXTURE_USERS + 5);
	return 0;
}

static int teardown(void **state)
{
	nspi_fixture_deinit(&fix);
	return 0;
}

/* --- positions, against a model ---------------------------------------------- */

/* Where a STAT is: -1 if it's nowhere */
static int64_t model_row(const struct mapihttp_stat *stat)
{
	int64_t row = -1;

	switch (stat->current_rec) {
	case NSPI_MID_BEGINNING_OF_TABLE:
		row = 0;
		break;
	case NSPI_MID_END_OF_TABLE:
		row = gal_count;
		break;
	case NSPI_MID_CURRENT:
		row = stat->total_recs == 0 ? stat->num_pos :
			(double)stat->num_pos * gal_count / stat->total_recs;
		row = I_MIN(row, gal_count);
		break;
	default:
		for (uint32_t i = 0; i < gal_count; i++) {
			if (gal[i] == stat->current_rec)
				row = i;
		}
	}
	return row;
}

static int64_t model_clamp(int64_t row)
{
	return row < 0 ? 0 : row > (int64_t)gal_count ? (int64_t)gal_count : row;
}

static void check_stat(const struct mapihttp_stat *got, int64_t row)
{
	assert_int_equal(got->num_pos, row);
	assert_int_equal(got->total_recs, gal_count);
	assert_int_equal(got->delta, 0);
	assert_int_equal(got->current_rec, row == gal_count ?
			 NSPI_MID_END_OF_TABLE : gal[row]);
	assert_int_equal(got->sort_locale, 0x409);
	assert_int_equal(got->code_page, 1252);
}

static void random_stat(struct mapihttp_stat *stat_r)
{
	static const uint32_t special[] = {
		NSPI_MID_BEGINNING_OF_TABLE, NSPI_MID_CURRENT,
		NSPI_MID_END_OF_TABLE, UNKNOWN_MID,
	};
	unsigned int what = i_rand_limit(8);

	i_zero(stat_r);
	stat_r->code_page = 1252;
	stat_r->sort_locale = 0x409;
	stat_r->current_rec = what < 4 ? special[what] :
		gal[i_rand_limit(gal_count)];
	stat_r->total_recs = i_rand_limit(3) == 0 ? 0 : i_rand_limit(100);
	stat_r->num_pos = stat_r->total_recs == 0 ? i_rand_limit(100) :
		i_rand_limit(1000000) % (stat_r->total_recs + 1);
	stat_r->delta = i_rand_limit(3) == 0 ? 0 : (int)i_rand_limit(121) - 60;
	if (i_rand_limit(20) == 0)
		stat_r->delta = i_rand_limit(2) == 0 ? INT32_MIN : INT32_MAX;
}

static void test_update_stat(void **state)
{
	struct mapihttp_update_stat_request req;
	struct mapihttp_update_stat_response resp;
	int64_t row, moved;

	for (unsigned int i = 0; i < 5000; i++) {
		i_zero(&req);
		req.has_state = 1;
		req.delta_requested = i % 2;
		random_stat(&req.state);
		row = model_row(&req.state);
		if (row < 0) {
			assert_int_equal(call("UpdateStat", &req, &resp),
					 EC_NOT_FOUND);
			assert_int_equal(resp.has_state, 0);
			continue;
		}
		assert_int_equal(call("UpdateStat", &req, &resp), EC_NONE);
		moved = model_clamp(row + req.state.delta);
		check_stat(&resp.state, moved);
		assert_int_equal(resp.has_delta != 0, i % 2 != 0);
		if (resp.has_delta != 0)
			assert_int_equal(resp.delta, moved - row);
	}
}

static void test_query_rows(void **state)
{
	struct mapihttp_query_rows_response resp;
	struct mapihttp_stat stat;
	int64_t row;
	uint32_t count, expected;

	for (unsigned int i = 0; i < 3000; i++) {
		random_stat(&stat);
		if (stat.total_recs == 0)
			stat.total_recs = gal_count;
		stat.num_pos = I_MIN(stat.num_pos, stat.total_recs);
		count = 1 + i_rand_limit(60);
		row = model_row(&stat);
		if (row < 0) {
			assert_int_equal(query(&stat, count, &resp),
					 EC_NOT_FOUND);
			assert_int_equal(resp.has_state, 0);
			assert_int_equal(resp.has_columns_and_rows, 0);
			continue;
		}
		assert_int_equal(query(&stat, count, &resp), EC_NONE);
		row = model_clamp(row + stat.delta);
		expected = I_MIN(count, gal_count - row);
		assert_int_equal(resp.row_count, expected);
		for (uint32_t j = 0; j < expected; j++) {
			assert_int_equal(row_mid(&resp.row_data[j]),
					 gal[row + j]);
		}
		check_stat(&resp.state, row + expected);
	}
}

/* Outlook 2010 asks for the last page by a position behind the end. */
static void test_query_rows_behind_end(void **state)
{
	struct mapihttp_query_rows_response resp;
	struct mapihttp_stat stat = {
		.current_rec = NSPI_MID_CURRENT, .num_pos = gal_count + 5,
		.total_recs = gal_count,
	};

	assert_int_equal(query(&stat, 10, &resp), EC_NONE);
	assert_int_equal(resp.row_count, 10);
	assert_int_equal(row_mid(&resp.row_data[9]), gal[gal_count - 1]);
}

static void test_query_rows_explicit(void **state)
{
	uint32_t mids[] = { gal[3], UNKNOWN_MID, gal[1], gal[2] };
	struct mapihttp_query_rows_request req = {
		.explicit_table_count = N_ELEMENTS(mids),
		.explicit_table = mids, .row_count = 3,
	};
	struct mapihttp_query_rows_response resp;

	/* default columns, no state */
	assert_int_equal(call("QueryRows", &req, &resp), EC_NONE);
	assert_int_equal(resp.row_count, 3);
	assert_int_equal(resp.columns.property_tag_count, 7);
	assert_int_equal(resp.columns.property_tags[3],
			 MAPI_TAG_AS(PIDTAG_DISPLAY_NAME, PTYP_STRING8));
	assert_int_equal(resp.row_data[0].values[3].type, PTYP_STRING8);
	for (unsigned int i = 0; i < 7; i++) {
		assert_int_equal(resp.row_data[1].values[i].type,
				 PTYP_ERROR_CODE);
	}
}

static void test_query_rows_errors(void **state)
{
	uint32_t many[NSPI_MAX_COLUMNS + 1] = { 0 };
	struct mapihttp_query_rows_request req = { .row_count = 0 };
	struct mapihttp_query_rows_response resp;

	assert_int_equal(call("QueryRows", &req, &resp), EC_INVALID_PARAM);
	req.row_count = 1;
	req.has_state = 1;
	req.state.code_page = NSPI_CODEPAGE_UNICODE;
	assert_int_equal(call("QueryRows", &req, &resp), EC_NOT_SUPPORTED);
	req.state.code_page = 65001;
	req.state.container_id = UNKNOWN_MID;
	assert_int_equal(call("QueryRows", &req, &resp), EC_INVALID_BOOKMARK);
	assert_int_equal(resp.has_state, 0);
	assert_int_equal(resp.has_columns_and_rows, 0);
	req.state.container_id = 0;
	assert_int_equal(call("QueryRows", &req, &resp), EC_NONE);
	req.has_columns = 1;
	req.columns.property_tags = many;
	req.columns.property_tag_count = N_ELEMENTS(many);
	assert_int_equal(call("QueryRows", &req, &resp), EC_TABLE_TOO_BIG);
}

/* A container without objects is a table without rows. */
static void test_query_rows_empty(void **state)
{
	struct mapihttp_query_rows_response resp;
	struct mapihttp_stat stat = { .current_rec = 0 };

	stat.container_id = snapshot_find_dn(fix.snapshot,
					     "ou=berlin,dc=example");
	assert_int_not_equal(stat.container_id, 0);
	assert_int_equal(query(&stat, 10, &resp), EC_NONE);
	assert_int_equal(resp.row_count, 0);
	assert_int_equal(resp.state.current_rec, NSPI_MID_END_OF_TABLE);

	/* so is an address book without a snapshot */
	fix.ctx.snapshot = NULL;
	stat.container_id = 0;
	assert_int_equal(query(&stat, 10, &resp), EC_NONE);
	assert_int_equal(resp.row_count, 0);
	fix.ctx.snapshot = fix.snapshot;
}

/* --- SeekEntries ----------------------------------------------------------------- */

static void test_seek_entries(void **state)
{
	struct mapihttp_seek_entries_request req = {
		.has_state = 1, .has_target = 1,
		.has_columns = 1,
		.columns = { N_ELEMENTS(columns), (uint32_t *)columns },
	};
	struct mapihttp_seek_entries_response resp;

	req.target.tag = PIDTAG_DISPLAY_NAME;
	for (unsigned int i = 0; i < FIXTURE_USERS; i++) {
		if (i == 7)
			continue;
		req.target.value = mapi_value_str(
			t_strdup_printf("user %02u", i));
		assert_int_equal(call("SeekEntries", &req, &resp), EC_NONE);
		assert_int_equal(resp.state.current_rec,
			mid_of(t_strdup_printf("user%02u", i)));
		assert_int_equal(gal[resp.state.num_pos],
				 resp.state.current_rec);
		assert_int_equal(resp.state.total_recs, gal_count);
		assert_int_equal(row_mid(&resp.row_data[0]),
				 resp.state.current_rec);
		assert_int_equal(resp.row_count,
				 gal_count - resp.state.num_pos);
	}
	/* as an 8-bit string in the STAT's code page */
	req.state.code_page = 1252;
	req.target.tag = MAPI_TAG_AS(PIDTAG_DISPLAY_NAME, PTYP_STRING8);
	req.target.value.type = PTYP_STRING8;
	req.target.value.u.str8 = "J\xf6rg";
	assert_int_equal(call("SeekEntries", &req, &resp), EC_NONE);
	assert_int_equal(resp.state.current_rec, mid_of("user07"));
}

static void test_seek_entries_explicit(void **state)
{
	uint32_t mids[] = { gal[2], gal[5], gal[9] };
	struct mapihttp_query_rows_response rows;
	struct mapihttp_seek_entries_request req = {
		.has_state = 1, .has_target = 1, .has_explicit_table = 1,
		.explicit_table_count = 3, .explicit_table = mids,
	};
	struct mapihttp_seek_entries_response resp;
	struct mapihttp_stat stat = { .current_rec = gal[4] };

	assert_int_equal(query(&stat, 1, &rows), EC_NONE);
	req.target.tag = PIDTAG_DISPLAY_NAME;
	req.target.value = rows.row_data[0].values[1];
	assert_int_equal(call("SeekEntries", &req, &resp), EC_NONE);
	assert_int_equal(resp.state.current_rec, gal[5]);
	assert_int_equal(resp.state.num_pos, 1);
	assert_int_equal(resp.state.total_recs, 3);
	assert_int_equal(resp.has_columns_and_rows, 0);
}

static void test_seek_entries_errors(void **state)
{
	struct mapihttp_seek_entries_request req = {
		.has_state = 1, .has_target = 1,
	};
	struct mapihttp_seek_entries_response resp;

	req.target.tag = PIDTAG_DISPLAY_NAME;
	req.target.value = mapi_value_str("zzz");
	assert_int_equal(call("SeekEntries", &req, &resp), EC_NOT_FOUND);
	assert_int_equal(resp.has_state, 0);
	req.state.sort_type = NSPI_SORT_PHONETIC_DISPLAY_NAME;
	assert_int_equal(call("SeekEntries", &req, &resp), EC_ERROR);
	req.state.sort_type = 0;
	req.target.tag = PIDTAG_TITLE;
	assert_int_equal(call("SeekEntries", &req, &resp), EC_ERROR);
	req.state.container_id = UNKNOWN_MID;
	assert_int_equal(call("SeekEntries", &req, &resp), EC_INVALID_BOOKMARK);
	req.reserved = 1;
	assert_int_equal(call("SeekEntries", &req, &resp), EC_INVALID_PARAM);
	req.state.code_page = NSPI_CODEPAGE_UNICODE;
	assert_int_equal(call("SeekEntries", &req, &resp), EC_NOT_SUPPORTED);
}

/* --- the rest ---------------------------------------------------------------------- */

static void test_resort_restriction(void **state)
{
	uint32_t mids[] = { gal[8], UNKNOWN_MID, gal[1], gal[4] };
	struct mapihttp_resort_restriction_request req = {
		.has_state = 1, .has_minimal_ids = 1,
		.minimal_id_count = N_ELEMENTS(mids), .minimal_ids = mids,
	};
	struct mapihttp_resort_restriction_response resp;

	req.state.current_rec = gal[4];
	assert_int_equal(call("ResortRestriction", &req, &resp), EC_NONE);
	assert_int_equal(resp.minimal_id_count, 3);
	assert_int_equal(resp.minimal_ids[0], gal[1]);
	assert_int_equal(resp.minimal_ids[1], gal[4]);
	assert_int_equal(resp.minimal_ids[2], gal[8]);
	assert_int_equal(resp.state.current_rec, gal[4]);
	assert_int_equal(resp.state.num_pos, 1);
	assert_int_equal(resp.state.total_recs, 3);
	req.state.current_rec = gal[0];
	assert_int_equal(call("ResortRestriction", &req, &resp), EC_NONE);
	assert_int_equal(resp.state.current_rec, NSPI_MID_BEGINNING_OF_TABLE);
	assert_int_equal(resp.state.num_pos, 0);
	req.state.sort_type = NSPI_SORT_PHONETIC_DISPLAY_NAME;
	assert_int_equal(call("ResortRestriction", &req, &resp), EC_ERROR);
	assert_int_equal(resp.has_minimal_ids, 0);
}

static void test_compare_mids(void **state)
{
	struct mapihttp_compare_mids_request req = {
		.minimal_id1 = gal[2], .minimal_id2 = gal[3],
	};
	struct mapihttp_compare_mids_response resp;

	assert_int_equal(call("CompareMIds", &req, &resp), EC_NONE);
	assert_true(resp.result < 0);
	req.minimal_id1 = gal[4];
	assert_int_equal(call("CompareMIds", &req, &resp), EC_NONE);
	assert_true(resp.result > 0);
	req.minimal_id2 = gal[4];
	assert_int_equal(call("CompareMIds", &req, &resp), EC_NONE);
	assert_int_equal(resp.result, 0);
	req.minimal_id2 = UNKNOWN_MID;
	assert_int_equal(call("CompareMIds", &req, &resp), EC_ERROR);
}

static void test_dn_to_mid(void **state)
{
	const char *names[] = {
		FIXTURE_DN "user03@example.org", "/o=Test/cn=unknown", "",
		FIXTURE_DN "USER03@EXAMPLE.ORG", "/guid=00", "/",
	};
	struct mapihttp_dn_to_mid_request req = {
		.has_names = 1, .name_count = N_ELEMENTS(names),
		.name_values = names,
	};
	struct mapihttp_dn_to_mid_response resp;

	assert_int_equal(call("DNToMId", &req, &resp), EC_NONE);
	assert_int_equal(resp.minimal_id_count, N_ELEMENTS(names));
	assert_int_equal(resp.minimal_ids[0], mid_of("user03"));
	assert_int_equal(resp.minimal_ids[1], 0);
	assert_int_equal(resp.minimal_ids[2], 0);
	assert_int_equal(resp.minimal_ids[3], mid_of("user03"));
	assert_int_equal(resp.minimal_ids[4], 0);
	assert_int_equal(resp.minimal_ids[5], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_update_stat),
		cmocka_unit_test(test_query_rows),
		cmocka_unit_test(test_query_rows_behind_end),
		cmocka_unit_test(test_query_rows_explicit),
		cmocka_unit_test(test_query_rows_errors),
		cmocka_unit_test(test_query_rows_empty),
		cmocka_unit_test(test_seek_entries),
		cmocka_unit_test(test_seek_entries_explicit),
		cmocka_unit_test(test_seek_entries_errors),
		cmocka_unit_test(test_resort_restriction),
		cmocka_unit_test(test_compare_mids),
		cmocka_unit_test(test_dn_to_mid),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, setup, teardown);
	lib_deinit();
	return ret;
}
