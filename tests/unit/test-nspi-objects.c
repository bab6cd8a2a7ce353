/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "nspi-fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define UNKNOWN_MID 0x7fffffff
#define STRING8(tag) MAPI_TAG_AS(tag, PTYP_STRING8)

static struct nspi_fixture fix;

static int setup(void **state)
{
	nspi_fixture_init(&fix);
	return 0;
}

static int teardown(void **state)
{
	nspi_fixture_deinit(&fix);
	return 0;
}

static uint32_t mid_of(const char *dn)
{
	uint32_t mid = snapshot_find_legacy_dn(fix.snapshot,
				t_strconcat(FIXTURE_DN, dn, NULL));

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

/* --- Bind ------------------------------------------------------------------------ */

static void test_bind(void **state)
{
	struct mapihttp_bind_request req = { .has_state = 1 };
	struct mapihttp_bind_response resp;
	struct mapihttp_unbind_request unbind = { .reserved = 0 };
	struct mapihttp_unbind_response unbound;
	struct nspi_result result;

	fix.bound = FALSE;
	nspi_request(&fix.ctx, "QueryColumns", NULL, 0, &fix.bound, &result);
	assert_int_equal(result.code, NSPI_RESPONSE_CONTEXT_NOT_FOUND);
	nspi_request(&fix.ctx, "PING", NULL, 0, &fix.bound, &result);
	assert_int_equal(result.code, NSPI_RESPONSE_CONTEXT_NOT_FOUND);
	nspi_request(&fix.ctx, "Bind", NULL, 0, &fix.bound, &result);
	assert_int_equal(result.code, NSPI_RESPONSE_INVALID_BODY);
	nspi_request(&fix.ctx, "Connect", NULL, 0, &fix.bound, &result);
	assert_int_equal(result.code, NSPI_RESPONSE_INVALID_REQUEST_TYPE);

	req.state.code_page = NSPI_CODEPAGE_UNICODE;
	assert_int_equal(call("Bind", &req, &resp), EC_INVALID_CODEPAGE);
	assert_false(fix.bound);
	req.state.code_page = 65001;
	assert_int_equal(call("Bind", &req, &resp), EC_NONE);
	assert_true(fix.bound);
	assert_memory_equal(resp.server_guid.bytes,
		snapshot_info(fix.snapshot)->lineage.bytes, 16);
	nspi_request(&fix.ctx, "PING", NULL, 0, &fix.bound, &result);
	assert_int_equal(result.code, NSPI_RESPONSE_SUCCESS);
	assert_int_equal(result.body_size, 0);

	assert_int_equal(call("Unbind", &unbind, &unbound), 1);
	assert_int_equal(unbound.error_code, 1);
	assert_false(fix.bound);
	fix.bound = TRUE;
}

/* --- properties ------------------------------------------------------------------ */

static const struct mapi_value *
get_prop(uint32_t mid, uint32_t tag, uint32_t flags, uint32_t code_page)
{
	static struct mapihttp_get_props_response resp;
	struct mapihttp_get_props_request req = {
		.flags = flags, .has_state = 1, .has_property_tags = 1,
		.property_tags = { 1, &tag },
	};
	const struct mapi_property *prop;
	uint32_t error;

	req.state.current_rec = mid;
	req.state.code_page = code_page;
	error = call("GetProps", &req, &resp);
	assert_int_equal(resp.property_values.property_value_count, 1);
	prop = &resp.property_values.property_values[0];
	assert_int_equal(MAPI_TAG_ID(prop->tag), MAPI_TAG_ID(tag));
	assert_int_equal(MAPI_TAG_TYPE(prop->tag), prop->value.type);
	assert_int_equal(error, prop->value.type == PTYP_ERROR_CODE ?
			 EC_ERRORS_RETURNED : EC_NONE);
	return &prop->value;
}

static void check_str(uint32_t mid, uint32_t tag, const char *expected)
{
	const struct mapi_value *value = get_prop(mid, tag, 0, 1252);

	if (expected == NULL) {
		assert_int_equal(value->type, PTYP_ERROR_CODE);
		assert_int_equal(value->u.error, EC_NOT_FOUND);
		return;
	}
	assert_int_equal(value->type, MAPI_TAG_TYPE(tag));
	assert_string_equal(value->type == PTYP_STRING8 ? value->u.str8 :
			    value->u.str, expected);
}

static void check_i32(uint32_t mid, uint32_t tag, int32_t expected)
{
	const struct mapi_value *value = get_prop(mid, tag, 0, 1252);

	assert_int_equal(value->type, PTYP_INTEGER32);
	assert_int_equal(value->u.i32, expected);
}

static void test_strings(void **state)
{
	uint32_t mid = mid_of("user07@example.org");

	check_str(mid, PIDTAG_DISPLAY_NAME, "J\xc3\xb6rg User");
	check_str(mid, STRING8(PIDTAG_DISPLAY_NAME), "J\xf6rg User");
	check_str(mid, PIDTAG_TRANSMITTABLE_DISPLAY_NAME, "J\xc3\xb6rg User");
	check_str(mid, PIDTAG_ADDRESS_TYPE, "EX");
	check_str(mid, STRING8(PIDTAG_EMAIL_ADDRESS),
		  FIXTURE_DN "user07@example.org");
	check_str(mid, PIDTAG_SMTP_ADDRESS, "user07@example.org");
	check_str(mid, PIDTAG_ACCOUNT, "user07@example.org");
	check_str(mid, PIDTAG_TITLE, "Odd");
	check_str(mid, PIDTAG_PRIMARY_TELEPHONE_NUMBER, "+49 30 1");
	check_str(mid, PIDTAG_GIVEN_NAME, NULL);
	check_str(mid, PIDTAG_ADDRESS_BOOK_MANAGER_DISTINGUISHED_NAME,
		  FIXTURE_DN "user00@example.org");
	check_str(mid_of("carl"), PIDTAG_ADDRESS_BOOK_TARGET_ADDRESS,
		  "SMTP:carl@example.net");
	check_str(mid, PIDTAG_ADDRESS_BOOK_TARGET_ADDRESS, NULL);
	check_str(mid_of("carl"), PIDTAG_ADDRESS_BOOK_HOME_MESSAGE_DATABASE,
		  NULL);
	/* the first of many, and many of one */
	check_str(mid, MAPI_TAG_AS(PIDTAG_ADDRESS_BOOK_PROXY_ADDRESSES,
				   PTYP_STRING), "SMTP:user07@example.org");
	/* Greek has no umlauts. */
	assert_string_equal(get_prop(mid, STRING8(PIDTAG_DISPLAY_NAME), 0,
				     1253)->u.str8, "J?rg User");
	assert_string_equal(get_prop(mid, STRING8(PIDTAG_DISPLAY_NAME), 0,
				     65001)->u.str8, "J\xc3\xb6rg User");
}

static void test_multi_values(void **state)
{
	uint32_t mid = mid_of("user07@example.org");
	const struct mapi_value *value;

	value = get_prop(mid, PIDTAG_ADDRESS_BOOK_PROXY_ADDRESSES, 0, 1252);
	assert_int_equal(value->type, PTYP_MULTIPLE_STRING);
	assert_int_equal(value->u.mv.count, 1);
	value = get_prop(mid, MAPI_TAG_AS(PIDTAG_DISPLAY_NAME,
					  PTYP_MULTIPLE_STRING8), 0, 1252);
	assert_int_equal(value->u.mv.count, 1);
	assert_string_equal(value->u.mv.v.str8[0], "J\xf6rg User");
	value = get_prop(mid_of("everybody"),
			 MAPI_TAG_AS(PIDTAG_ADDRESS_BOOK_MEMBER,
				     PTYP_MULTIPLE_STRING), 0, 1252);
	assert_int_equal(value->u.mv.count, 10);
	assert_string_equal(value->u.mv.v.str[9],
			    FIXTURE_DN "user09@example.org");
}

static void test_types(void **state)
{
	static const struct {
		const char *dn;
		int32_t object_type, display_type, display_type_ex;
	} tests[] = {
		{ "user00@example.org", 6, 0, 0x40000000 },
		{ "everybody", 8, 1, 1 },
		{ "carl", 6, 6, 6 },
		{ "room1", 6, 0, 7 },
		{ "beamer", 6, 0, 8 },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(tests); i++) {
		uint32_t mid = mid_of(tests[i].dn);

		check_i32(mid, PIDTAG_OBJECT_TYPE, tests[i].object_type);
		check_i32(mid, PIDTAG_DISPLAY_TYPE, tests[i].display_type);
		check_i32(mid, PIDTAG_DISPLAY_TYPE_EX,
			  tests[i].display_type_ex);
		check_i32(mid, PIDTAG_ADDRESS_BOOK_CONTAINER_ID, 0);
	}
}

static void test_entry_ids(void **state)
{
	uint32_t mid = mid_of("everybody");
	const struct mapi_value *value;
	struct mapi_entry_id eid;

	value = get_prop(mid, PIDTAG_ENTRY_ID, 0, 1252);
	assert_int_equal(mapi_entry_id_parse(fix.ctx.mem, value->u.bin.data,
					     value->u.bin.len, &eid),
			 MAPI_ENTRY_ID_ADDRESSBOOK);
	assert_int_equal(eid.u.addressbook.type, MAPI_AB_DISTLIST);
	assert_string_equal(eid.u.addressbook.dn, FIXTURE_DN "everybody");

	value = get_prop(mid, PIDTAG_ENTRY_ID, NSPI_EPHEMERAL_IDS, 1252);
	assert_int_equal(mapi_entry_id_parse(fix.ctx.mem, value->u.bin.data,
					     value->u.bin.len, &eid),
			 MAPI_ENTRY_ID_EPHEMERAL);
	assert_int_equal(eid.u.ephemeral.mid, mid);
	assert_memory_equal(eid.u.ephemeral.provider.bytes,
		snapshot_info(fix.snapshot)->lineage.bytes, 16);

	/* these are permanent in any case */
	value = get_prop(mid, PIDTAG_RECORD_KEY, NSPI_EPHEMERAL_IDS, 1252);
	assert_int_equal(mapi_entry_id_parse(fix.ctx.mem, value->u.bin.data,
					     value->u.bin.len, &eid),
			 MAPI_ENTRY_ID_ADDRESSBOOK);
}

static void test_objects(void **state)
{
	uint32_t user00 = mid_of("user00@example.org");
	uint32_t user07 = mid_of("user07@example.org");

	assert_int_equal(get_prop(user07, PIDTAG_ADDRESS_BOOK_MANAGER, 0,
				  0)->type, PTYP_OBJECT);
	assert_int_equal(get_prop(user00, PIDTAG_ADDRESS_BOOK_MANAGER, 0,
				  0)->type, PTYP_ERROR_CODE);
	assert_int_equal(get_prop(user00, PIDTAG_ADDRESS_BOOK_REPORTS, 0,
				  0)->type, PTYP_OBJECT);
	assert_int_equal(get_prop(mid_of("nobody"), PIDTAG_ADDRESS_BOOK_MEMBER,
				  0, 0)->type, PTYP_OBJECT);
}

static bool has_tag(const struct mapihttp_tag_array *tags, uint32_t tag)
{
	bool found = FALSE;

	for (uint32_t i = 0; i < tags->property_tag_count; i++) {
		if (tags->property_tags[i] == tag) {
			assert_false(found);
			found = TRUE;
		}
	}
	return found;
}

static void test_get_prop_list(void **state)
{
	struct mapihttp_get_prop_list_request req = {
		.minimal_id = mid_of("user07@example.org"), .code_page = 1252,
	};
	struct mapihttp_get_prop_list_response resp;

	assert_int_equal(call("GetPropList", &req, &resp), EC_NONE);
	assert_true(has_tag(&resp.property_tags, STRING8(PIDTAG_TITLE)));
	assert_true(has_tag(&resp.property_tags, PIDTAG_ENTRY_ID));
	assert_true(has_tag(&resp.property_tags, PIDTAG_ADDRESS_BOOK_MANAGER));
	assert_false(has_tag(&resp.property_tags, PIDTAG_ADDRESS_BOOK_MEMBER));
	assert_false(has_tag(&resp.property_tags, PIDTAG_DISPLAY_NAME));
	for (uint32_t i = 0; i < resp.property_tags.property_tag_count; i++) {
		assert_int_not_equal(
			get_prop(req.minimal_id,
				 resp.property_tags.property_tags[i], 0,
				 1252)->type, PTYP_ERROR_CODE);
	}
	req.flags = NSPI_SKIP_OBJECTS;
	assert_int_equal(call("GetPropList", &req, &resp), EC_NONE);
	assert_false(has_tag(&resp.property_tags, PIDTAG_ADDRESS_BOOK_MANAGER));
	req.minimal_id = UNKNOWN_MID;
	assert_int_equal(call("GetPropList", &req, &resp), EC_INVALID_OBJECT);
	req.code_page = NSPI_CODEPAGE_UNICODE;
	assert_int_equal(call("GetPropList", &req, &resp), EC_NOT_SUPPORTED);
	assert_int_equal(resp.has_property_tags, 0);
}

static void test_get_props(void **state)
{
	uint32_t tags[] = { PIDTAG_DISPLAY_NAME, STRING8(PIDTAG_TITLE) };
	struct mapihttp_get_props_request req = { .has_state = 1 };
	struct mapihttp_get_props_response resp;

	req.state.current_rec = mid_of("user07@example.org");
	req.state.code_page = 1252;
	assert_int_equal(call("GetProps", &req, &resp), EC_NONE);
	assert_true(resp.property_values.property_value_count > 20);
	req.has_property_tags = 1;
	req.property_tags.property_tags = tags;
	req.property_tags.property_tag_count = 1;
	req.state.code_page = NSPI_CODEPAGE_UNICODE;
	assert_int_equal(call("GetProps", &req, &resp), EC_NONE);
	req.property_tags.property_tag_count = 2;
	assert_int_equal(call("GetProps", &req, &resp), EC_NOT_SUPPORTED);
	assert_int_equal(resp.has_property_values, 0);
	req.state.code_page = 0;
	req.state.current_rec = UNKNOWN_MID;
	assert_int_equal(call("GetProps", &req, &resp), EC_ERRORS_RETURNED);
	assert_int_equal(resp.property_values.property_value_count, 2);
	/* a position: the GAL's first row */
	req.state.current_rec = NSPI_MID_BEGINNING_OF_TABLE;
	assert_int_equal(call("GetProps", &req, &resp), EC_ERRORS_RETURNED);
	assert_string_equal(
		resp.property_values.property_values[0].value.u.str, "Beamer");
	req.state.container_id = UNKNOWN_MID;
	assert_int_equal(call("GetProps", &req, &resp), EC_INVALID_BOOKMARK);
}

static void test_query_columns(void **state)
{
	struct mapihttp_query_columns_request req = { .mapi_flags = 0 };
	struct mapihttp_query_columns_response resp;

	assert_int_equal(call("QueryColumns", &req, &resp), EC_NONE);
	assert_true(has_tag(&resp.columns, STRING8(PIDTAG_DISPLAY_NAME)));
	assert_true(has_tag(&resp.columns, STRING8(PIDTAG_GIVEN_NAME)));
	req.mapi_flags = 0x80000000U;
	assert_int_equal(call("QueryColumns", &req, &resp), EC_NONE);
	assert_true(has_tag(&resp.columns, PIDTAG_DISPLAY_NAME));
	assert_true(has_tag(&resp.columns,
			    PIDTAG_ADDRESS_BOOK_PROXY_ADDRESSES));
	assert_false(has_tag(&resp.columns, STRING8(PIDTAG_DISPLAY_NAME)));
}

static void test_modify(void **state)
{
	uint32_t tag = PIDTAG_TITLE;
	struct mapihttp_mod_props_request req = { .has_state = 1 };
	struct mapihttp_mod_props_response resp;
	struct mapihttp_mod_link_att_request link = {
		.property_tag = PIDTAG_TITLE,
	};
	struct mapihttp_mod_link_att_response link_resp;

	req.state.current_rec = mid_of("user07@example.org");
	assert_int_equal(call("ModProps", &req, &resp), EC_INVALID_PARAM);
	req.has_property_tags_to_remove = 1;
	req.property_tags_to_remove.property_tags = &tag;
	req.property_tags_to_remove.property_tag_count = 1;
	assert_int_equal(call("ModProps", &req, &resp), EC_ACCESS_DENIED);
	req.state.current_rec = UNKNOWN_MID;
	assert_int_equal(call("ModProps", &req, &resp), EC_INVALID_PARAM);
	req.state.current_rec = snapshot_find_dn(fix.snapshot,
						 "ou=berlin,dc=example");
	assert_int_equal(call("ModProps", &req, &resp), EC_INVALID_OBJECT);

	assert_int_equal(call("ModLinkAtt", &link, &link_resp), EC_NOT_FOUND);
	link.property_tag = PIDTAG_ADDRESS_BOOK_MEMBER;
	assert_int_equal(call("ModLinkAtt", &link, &link_resp),
			 EC_INVALID_PARAM);
	link.minimal_id = mid_of("everybody");
	assert_int_equal(call("ModLinkAtt", &link, &link_resp),
			 EC_ACCESS_DENIED);
}

/* --- names and restrictions -------------------------------------------------------- */

static void test_resolve_names(void **state)
{
	const char *names[] = {
		"user 03", "user", "unknown", "", "=SMTP:user04@example.org",
		"SMTP:carl@example.net", "carl", FIXTURE_DN "user05@example.org",
	};
	static const uint32_t expected[] = { 2, 1, 0, 0, 2, 2, 2, 2 };
	uint32_t tags[] = { PIDTAG_SMTP_ADDRESS, PIDTAG_ENTRY_ID };
	struct mapihttp_resolve_names_request req = {
		.reserved = 0x80000000U,
		.has_property_tags = 1,
		.property_tags = { N_ELEMENTS(tags), tags },
		.has_names = 1, .name_count = N_ELEMENTS(names),
		.name_values = names,
	};
	struct mapihttp_resolve_names_response resp;
	struct mapi_entry_id eid;

	assert_int_equal(call("ResolveNames", &req, &resp), EC_NONE);
	assert_int_equal(resp.minimal_id_count, N_ELEMENTS(names));
	for (unsigned int i = 0; i < N_ELEMENTS(names); i++)
		assert_int_equal(resp.minimal_ids[i], expected[i]);
	assert_int_equal(resp.row_count, 5);
	assert_string_equal(resp.row_data[0].values[0].u.str,
			    "user03@example.org");
	assert_string_equal(resp.row_data[1].values[0].u.str,
			    "user04@example.org");
	assert_string_equal(resp.row_data[4].values[0].u.str,
			    "user05@example.org");
	assert_int_equal(mapi_entry_id_parse(fix.ctx.mem,
				resp.row_data[0].values[1].u.bin.data,
				resp.row_data[0].values[1].u.bin.len, &eid),
			 MAPI_ENTRY_ID_ADDRESSBOOK);

	req.has_state = 1;
	req.state.container_id = snapshot_find_dn(fix.snapshot,
						  "ou=berlin,dc=example");
	assert_int_equal(call("ResolveNames", &req, &resp), EC_NONE);
	assert_int_equal(resp.row_count, 0);
	req.state.container_id = UNKNOWN_MID;
	assert_int_equal(call("ResolveNames", &req, &resp),
			 EC_INVALID_BOOKMARK);
	assert_int_equal(resp.has_minimal_ids, 0);
	req.state.code_page = NSPI_CODEPAGE_UNICODE;
	assert_int_equal(call("ResolveNames", &req, &resp), EC_NOT_SUPPORTED);
}

static uint32_t
match(struct mapi_restriction *res, uint32_t count,
      struct mapihttp_get_matches_response *resp_r)
{
	uint32_t tags[] = { PIDTAG_DISPLAY_NAME };
	struct mapihttp_get_matches_request req = {
		.has_state = 1, .has_filter = 1, .filter = res,
		.row_count = count, .has_columns = 1,
		.columns = { N_ELEMENTS(tags), tags },
	};

	req.state.current_rec = 77;
	return call("GetMatches", &req, resp_r);
}

static void test_get_matches(void **state)
{
	struct mapi_restriction title = { .type = RES_PROPERTY };
	struct mapi_restriction anr = { .type = RES_PROPERTY };
	struct mapi_restriction both[2], and = { .type = RES_AND };
	struct mapihttp_get_matches_response resp;

	title.u.property.relop = RELOP_EQ;
	title.u.property.tag = title.u.property.value.tag = PIDTAG_TITLE;
	title.u.property.value.value = mapi_value_str("odd");
	assert_int_equal(match(&title, 100, &resp), EC_NONE);
	assert_int_equal(resp.minimal_id_count, FIXTURE_USERS / 2);
	assert_int_equal(resp.row_count, FIXTURE_USERS / 2);
	assert_int_equal(resp.state.container_id, 77);
	assert_int_equal(resp.state.current_rec, 77);
	/* in the table's order: "Jörg User" is before "User 01" */
	assert_string_equal(resp.row_data[1].values[0].u.str, "User 01");
	assert_int_equal(match(&title, 5, &resp), EC_TABLE_TOO_BIG);
	assert_int_equal(resp.has_minimal_ids, 0);
	assert_int_equal(resp.has_columns_and_rows, 0);
	title.u.property.value.value = mapi_value_str("none");
	assert_int_equal(match(&title, 5, &resp), EC_NONE);
	assert_int_equal(resp.minimal_id_count, 0);

	anr.u.property.relop = RELOP_EQ;
	anr.u.property.tag = anr.u.property.value.tag = PIDTAG_ANR;
	anr.u.property.value.value = mapi_value_str("user 1");
	assert_int_equal(match(&anr, 100, &resp), EC_NONE);
	assert_int_equal(resp.minimal_id_count, 10);
	assert_string_equal(resp.row_data[9].values[0].u.str, "User 19");
	title.u.property.value.value = mapi_value_str("Even");
	both[0] = anr;
	both[1] = title;
	and.u.list.count = 2;
	and.u.list.items = both;
	assert_int_equal(match(&and, 100, &resp), EC_NONE);
	assert_int_equal(resp.minimal_id_count, 5);
	assert_string_equal(resp.row_data[4].values[0].u.str, "User 18");
}

static void test_get_matches_members(void **state)
{
	uint32_t tags[] = { PIDTAG_SMTP_ADDRESS };
	struct mapihttp_get_matches_request req = {
		.has_state = 1, .row_count = 100, .has_columns = 1,
		.columns = { N_ELEMENTS(tags), tags },
	};
	struct mapihttp_get_matches_response resp;

	req.state.container_id = PIDTAG_ADDRESS_BOOK_MEMBER;
	req.state.current_rec = mid_of("everybody");
	assert_int_equal(call("GetMatches", &req, &resp), EC_NONE);
	assert_int_equal(resp.minimal_id_count, 10);
	/* by display name: Jörg is the first */
	assert_int_equal(resp.minimal_ids[0], mid_of("user07@example.org"));
	assert_string_equal(resp.row_data[1].values[0].u.str,
			    "user00@example.org");
	req.row_count = 9;
	assert_int_equal(call("GetMatches", &req, &resp), EC_TABLE_TOO_BIG);
	req.state.sort_type = NSPI_SORT_DISPLAY_NAME_W;
	assert_int_equal(call("GetMatches", &req, &resp), EC_NOT_SUPPORTED);
	req.state.sort_type = NSPI_SORT_DISPLAY_NAME_RO;
	req.state.current_rec = mid_of("nobody");
	assert_int_equal(call("GetMatches", &req, &resp), EC_NONE);
	assert_int_equal(resp.minimal_id_count, 0);
	req.state.container_id = PIDTAG_TITLE;
	assert_int_equal(call("GetMatches", &req, &resp), EC_NOT_SUPPORTED);
	req.state.current_rec = UNKNOWN_MID;
	assert_int_equal(call("GetMatches", &req, &resp), EC_ERROR);
}

/* --- containers, URLs ------------------------------------------------------------------ */

static void test_get_special_table(void **state)
{
	struct mapihttp_get_special_table_request req = { .flags = 4 };
	struct mapihttp_get_special_table_response resp, again;
	const struct mapi_property *props;
	struct mapi_entry_id eid;
	bool berlin = FALSE;

	assert_int_equal(call("GetSpecialTable", &req, &resp), EC_NONE);
	assert_true(resp.rows_count > 1);
	props = resp.rows[0].property_values;
	assert_int_equal(resp.rows[0].property_value_count, 6);
	assert_int_equal(props[0].tag, PIDTAG_ENTRY_ID);
	assert_int_equal(mapi_entry_id_parse(fix.ctx.mem,
				props[0].value.u.bin.data,
				props[0].value.u.bin.len, &eid),
			 MAPI_ENTRY_ID_ADDRESSBOOK);
	assert_string_equal(eid.u.addressbook.dn, "/");
	assert_int_equal(props[3].tag, PIDTAG_ADDRESS_BOOK_CONTAINER_ID);
	assert_int_equal(props[3].value.u.i32, 0);
	assert_int_equal(props[4].tag, PIDTAG_DISPLAY_NAME);
	assert_null(props[4].value.u.str);

	/* every container can be opened by what the table says of it */
	for (uint32_t i = 1; i < resp.rows_count; i++) {
		struct mapihttp_update_stat_request stat = { .has_state = 1 };
		struct mapihttp_update_stat_response stat_resp;
		struct mapihttp_dn_to_mid_response dn_resp;
		struct mapihttp_dn_to_mid_request dn = {
			.has_names = 1, .name_count = 1,
			.name_values = &eid.u.addressbook.dn,
		};

		props = resp.rows[i].property_values;
		assert_int_equal(mapi_entry_id_parse(fix.ctx.mem,
					props[0].value.u.bin.data,
					props[0].value.u.bin.len, &eid),
				 MAPI_ENTRY_ID_ADDRESSBOOK);
		assert_int_equal(eid.u.addressbook.type, MAPI_AB_CONTAINER);
		assert_int_equal(call("DNToMId", &dn, &dn_resp), EC_NONE);
		assert_int_equal(dn_resp.minimal_ids[0],
				 (uint32_t)props[3].value.u.i32);
		stat.state.container_id = props[3].value.u.i32;
		assert_int_equal(call("UpdateStat", &stat, &stat_resp),
				 EC_NONE);
		if (strcmp(props[4].value.u.str, "Berlin") == 0)
			berlin = TRUE;
	}
	assert_true(berlin);

	req.has_version = 1;
	req.version = resp.version;
	assert_int_equal(call("GetSpecialTable", &req, &again), EC_NONE);
	assert_int_equal(again.rows_count, 0);
	assert_int_equal(again.version, resp.version);

	req.flags = 0;
	req.has_state = 1;
	req.has_version = 0;
	assert_int_equal(call("GetSpecialTable", &req, &again), EC_NONE);
	assert_int_equal(again.rows[1].property_values[4].tag,
			 STRING8(PIDTAG_DISPLAY_NAME));
	req.state.code_page = NSPI_CODEPAGE_UNICODE;
	assert_int_equal(call("GetSpecialTable", &req, &again),
			 EC_NOT_SUPPORTED);
	assert_int_equal(again.has_rows, 0);
	req.flags = 2;
	assert_int_equal(call("GetSpecialTable", &req, &again), EC_NONE);
	assert_int_equal(again.rows_count, 0);
}

/* Without a snapshot there's an empty global address list. */
static void test_no_snapshot(void **state)
{
	struct mapihttp_get_special_table_request req = { .flags = 4 };
	struct mapihttp_get_special_table_response resp;

	fix.ctx.snapshot = NULL;
	assert_int_equal(call("GetSpecialTable", &req, &resp), EC_NONE);
	assert_int_equal(resp.rows_count, 1);
	fix.ctx.snapshot = fix.snapshot;
}

static void test_urls(void **state)
{
	struct mapihttp_get_mailbox_url_request mailbox = {
		.server_dn = "/o=Test",
	};
	struct mapihttp_get_mailbox_url_response mailbox_resp;
	struct mapihttp_get_address_book_url_request book = {
		.user_dn = FIXTURE_DN "user00@example.org",
	};
	struct mapihttp_get_address_book_url_response book_resp;

	assert_int_equal(call("GetMailboxUrl", &mailbox, &mailbox_resp),
			 EC_NONE);
	assert_int_equal(call("GetAddressBookUrl", &book, &book_resp), EC_NONE);
	assert_string_equal(mailbox_resp.server_url,
		"https://mail.example.org/mapi/emsmdb/?MailboxId="
		"00000001-0000-0000-0000-000000000000@example.org");
	assert_string_equal(book_resp.server_url,
		"https://mail.example.org/mapi/nspi/?MailboxId="
		"00000001-0000-0000-0000-000000000000@example.org");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_multi_values),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_entry_ids),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_get_prop_list),
		cmocka_unit_test(test_get_props),
		cmocka_unit_test(test_query_columns),
		cmocka_unit_test(test_modify),
		cmocka_unit_test(test_resolve_names),
		cmocka_unit_test(test_get_matches),
		cmocka_unit_test(test_get_matches_members),
		cmocka_unit_test(test_get_special_table),
		cmocka_unit_test(test_no_snapshot),
		cmocka_unit_test(test_urls),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, setup, teardown);
	lib_deinit();
	return ret;
}
