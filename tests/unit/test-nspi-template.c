/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decodes templates by what [MS-OXOABKT] 2.2.2.1 says, without a look at the
   tables they are made from. */

#include "lib.h"
#include "nspi-fixture.h"
#include "nspi-props.h"

#include <ctype.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define LCID_ENGLISH 0x0409
#define LCID_GERMAN 0x0407
#define LCID_AUSTRIAN 0x0C07
#define LCID_FRENCH 0x040C
#define DT_SEARCH 0x200

#define TI_TEMPLATE 0x01
#define TI_SCRIPT 0x04
#define TI_EMT 0x10
#define TI_HELPFILE_NAME 0x20
#define TI_HELPFILE_CONTENTS 0x40

#define TEMPLATE_DN "/o=Test/cn=addressing/cn=display-templates"

/* what clients' dialogs have for a page */
#define PAGE_WIDTH 366
#define PAGE_HEIGHT 153
#define MAX_ROWS 100

enum { LABEL = 0, EDIT = 1, LISTBOX = 2, CHECKBOX = 5, GROUPBOX = 6, BUTTON = 7,
       PAGE = 8, MV_LISTBOX = 11, MV_DROPDOWN = 12 };

struct row {
	uint32_t x, width, y, height, type, flags, tag, size, string;
	const char *text;
};

static struct nspi_fixture fix;

static const uint32_t display_types[] = {
	0, 1, 2, 3, 4, 6, 7, 8, DT_SEARCH
};
static const uint32_t lcids[] = {
	LCID_ENGLISH, LCID_GERMAN, LCID_AUSTRIAN, LCID_FRENCH, 0x0411, 0x0809
};
/* 20261 is CP_TELETEX, which all servers have to know */
static const uint32_t code_pages[] = {
	1252, 65001, 932, 1251, 28591, 20127, 20261, 437, 874, 936, 949, 950,
	1250, 1253, 1254, 1255, 1256, 1257, 1258, 50220, 50225, 54936, 65000
};

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

/* --- requests ------------------------------------------------------------------- */

static struct mapihttp_get_template_info_request
request(uint32_t flags, uint32_t display_type, uint32_t lcid,
	uint32_t code_page)
{
	struct mapihttp_get_template_info_request req = {
		.flags = flags, .display_type = display_type,
		.locale_id = lcid, .code_page = code_page,
	};

	return req;
}

static uint32_t call(const struct mapihttp_get_template_info_request *req,
		     struct mapihttp_get_template_info_response *resp_r)
{
	const struct mapihttp_codec *codec =
		mapihttp_codec_find(MAPIHTTP_NSPI, "GetTemplateInfo");
	struct nspi_result result;
	struct mapi_push push;

	mapi_push_init(&push, fix.ctx.mem, 0);
	assert_int_equal(mapihttp_encode_request(&push, codec, req), EC_NONE);
	nspi_request(&fix.ctx, "GetTemplateInfo", push.data, push.size,
		     &fix.bound, &result);
	assert_int_equal(result.code, NSPI_RESPONSE_SUCCESS);
	i_zero(resp_r);
	assert_int_equal(mapihttp_decode_response(fix.ctx.mem, codec,
				result.body, result.body_size, resp_r),
			 EC_NONE);
	assert_int_equal(resp_r->error_code, result.error);
	if (result.error != EC_NONE)
		assert_int_equal(resp_r->has_row, 0);
	return result.error;
}

static void check_error(uint32_t display_type, uint32_t lcid,
			uint32_t code_page, uint32_t error)
{
	struct mapihttp_get_template_info_request req =
		request(TI_TEMPLATE, display_type, lcid, code_page);
	struct mapihttp_get_template_info_response resp;

	assert_int_equal(call(&req, &resp), error);
}

static struct mapi_binary
get(uint32_t display_type, uint32_t lcid, uint32_t code_page)
{
	struct mapihttp_get_template_info_request req =
		request(TI_TEMPLATE, display_type, lcid, code_page);
	struct mapihttp_get_template_info_response resp;

	assert_int_equal(call(&req, &resp), EC_NONE);
	assert_int_equal(resp.code_page, code_page);
	assert_int_not_equal(resp.has_row, 0);
	assert_int_equal(resp.row.property_value_count, 1);
	assert_int_equal(resp.row.property_values[0].tag,
			 PIDTAG_TEMPLATE_DATA);
	return resp.row.property_values[0].value.u.bin;
}

/* --- decoding ------------------------------------------------------------------- */

static uint32_t get32(const struct mapi_binary *bin, size_t pos)
{
	assert_true(pos + 4 <= bin->len);
	return bin->data[pos] | bin->data[pos + 1] << 8 |
		bin->data[pos + 2] << 16 | (uint32_t)bin->data[pos + 3] << 24;
}

/* All strings are one after another, each ends before the next one. */
static void read_string(const struct mapi_binary *bin, struct row *row,
			size_t *next)
{
	if (row->type == MV_DROPDOWN) {
		assert_int_equal(row->string, 0);
		row->text = "";
		return;
	}
	assert_int_equal(row->string, *next);
	assert_true(row->string < bin->len);
	assert_non_null(memchr(bin->data + row->string, 0,
			       bin->len - row->string));
	row->text = (const char *)bin->data + row->string;
	*next += strlen(row->text) + 1;
}

static unsigned int decode(const struct mapi_binary *bin, struct row *rows)
{
	uint32_t i, count;
	size_t pos = 8, strings;

	assert_int_equal(get32(bin, 0), 1);
	count = get32(bin, 4);
	assert_in_range(count, 2, MAX_ROWS);
	strings = 8 + 36 * (size_t)count;
	assert_true(strings < bin->len);
	for (i = 0; i < count; i++) {
		rows[i].x = get32(bin, pos);
		rows[i].width = get32(bin, pos + 4);
		rows[i].y = get32(bin, pos + 8);
		rows[i].height = get32(bin, pos + 12);
		rows[i].type = get32(bin, pos + 16);
		rows[i].flags = get32(bin, pos + 20);
		rows[i].tag = get32(bin, pos + 24);
		rows[i].size = get32(bin, pos + 28);
		rows[i].string = get32(bin, pos + 32);
		read_string(bin, &rows[i], &strings);
		pos += 36;
	}
	assert_int_equal(strings, bin->len);
	return count;
}

/* --- checks of rows ----------------------------------------------------------- */

static bool is_column(uint32_t tag)
{
	uint32_t i, count, *tags;

	tags = nspi_property_columns(fix.ctx.mem, PTYP_STRING8, &count);
	for (i = 0; i < count; i++) {
		if (tags[i] == tag)
			return TRUE;
	}
	return FALSE;
}

static void check_control(const struct row *row)
{
	uint32_t type = MAPI_TAG_TYPE(row->tag);

	if (row->type != EDIT)
		assert_int_equal(row->size, 0);
	switch (row->type) {
	case LABEL:
	case GROUPBOX:
	case PAGE:
		assert_int_equal(row->tag, 0);
		assert_int_equal(row->flags, 0);
		assert_in_range(strlen(row->text), 1, 127);
		return;
	case BUTTON:
		/* not a property of the object's */
		assert_int_equal(row->tag,
				 PIDTAG_ADDRESS_BOOK_MANAGE_DISTRIBUTION_LIST);
		assert_int_equal(row->flags, 0);
		assert_in_range(strlen(row->text), 1, 127);
		return;
	case EDIT:
		assert_int_equal(type, PTYP_STRING8);
		assert_in_range(row->size, 1, 1024);
		assert_string_equal(row->text, "*");
		break;
	case LISTBOX:
		assert_int_equal(type, PTYP_OBJECT);
		assert_int_equal(row->flags, 0);
		assert_string_equal(row->text, "*");
		break;
	case MV_LISTBOX:
		assert_string_equal(row->text, "*");
		/* fall through */
	case MV_DROPDOWN:
		assert_int_equal(type, PTYP_MULTIPLE_STRING8);
		assert_int_equal(row->flags, 0);
		break;
	default:
		fail_msg("control type %u", row->type);
	}
	assert_true(is_column(row->tag));
}

static uint32_t shown_height(const struct row *row)
{
	/* what drops down is over others then */
	return row->type == MV_DROPDOWN ? 12 : row->height;
}

static bool overlap(const struct row *a, const struct row *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width &&
		a->y < b->y + shown_height(b) && b->y < a->y + shown_height(a);
}

static bool is_inside(const struct row *row, const struct row *box)
{
	return row->x > box->x && row->y > box->y &&
		row->x + row->width < box->x + box->width &&
		row->y + shown_height(row) < box->y + box->height;
}

static void check_place(const struct row *page, const struct row *row)
{
	const struct row *other;

	assert_true(row->width > 0 && row->height >= 8);
	assert_true(row->x + row->width <= PAGE_WIDTH);
	assert_true(row->y + shown_height(row) <= PAGE_HEIGHT);
	for (other = page + 1; other < row; other++) {
		if (!overlap(row, other))
			continue;
		assert_int_equal(other->type, GROUPBOX);
		assert_true(is_inside(row, other));
	}
}

/* The character that selects the control, 0 if there's none */
static int shortcut(const char *label)
{
	const char *p = strchr(label, '&');

	if (p == NULL)
		return 0;
	assert_null(strchr(p + 1, '&'));
	assert_true(isalpha((unsigned char)p[1]));
	return tolower((unsigned char)p[1]);
}

static void check_page(const struct row *page, const struct row *end)
{
	bool used[256] = { FALSE };
	const struct row *row;
	int c;

	assert_int_equal(page->type, PAGE);
	assert_int_equal(page->x + page->y + page->width + page->height, 0);
	assert_int_equal(shortcut(page->text), 0);
	assert_true(page + 1 < end);
	for (row = page + 1; row < end; row++) {
		check_place(page, row);
		if (row->type != LABEL && row->type != BUTTON)
			continue;
		c = shortcut(row->text);
		assert_true(c != 0 && !used[c]);
		used[c] = TRUE;
		if (row->type == BUTTON)
			continue;
		/* it selects the one that follows */
		assert_true(row + 1 < end);
		assert_int_not_equal(row[1].tag, 0);
		assert_true(row[1].y + 12 >= row->y);
	}
}

static void check_template(uint32_t display_type, uint32_t lcid,
			   uint32_t code_page)
{
	struct mapi_binary bin = get(display_type, lcid, code_page);
	struct row rows[MAX_ROWS];
	unsigned int i, page = 0, count = decode(&bin, rows);

	for (i = 0; i < count; i++) {
		check_control(&rows[i]);
		/* there's something to enter in the search only */
		assert_int_equal((rows[i].flags & 2) != 0,
				 rows[i].type == EDIT &&
				 display_type == DT_SEARCH);
		assert_int_equal(rows[i].flags & ~0x23U, 0);
		if (i > 0 && rows[i].type == PAGE) {
			check_page(&rows[page], &rows[i]);
			page = i;
		}
	}
	check_page(&rows[page], &rows[count]);
}

static void check_templates(void)
{
	unsigned int type, lcid, code_page;

	for (type = 0; type < N_ELEMENTS(display_types); type++) {
		for (lcid = 0; lcid < N_ELEMENTS(lcids); lcid++) {
			for (code_page = 0; code_page < N_ELEMENTS(code_pages);
			     code_page++) {
				check_template(display_types[type],
					       lcids[lcid],
					       code_pages[code_page]);
			}
		}
	}
}

static void test_all(void **state)
{
	check_templates();
	fix.set.mapi_ldap_write = TRUE;
	check_templates();
	fix.set.mapi_ldap_write = FALSE;
}

/* --- content -------------------------------------------------------------------- */

static bool shows(uint32_t display_type, uint16_t type, uint32_t tag)
{
	struct mapi_binary bin = get(display_type, LCID_ENGLISH, 1252);
	struct row rows[MAX_ROWS];
	unsigned int i, count = decode(&bin, rows);

	for (i = 0; i < count; i++) {
		if (rows[i].type == type &&
		    MAPI_TAG_ID(rows[i].tag) == MAPI_TAG_ID(tag))
			return TRUE;
	}
	return FALSE;
}

static bool has_text(uint32_t display_type, uint32_t lcid, uint32_t code_page,
		     const char *text)
{
	struct mapi_binary bin = get(display_type, lcid, code_page);
	struct row rows[MAX_ROWS];
	unsigned int i, count = decode(&bin, rows);

	for (i = 0; i < count; i++) {
		if (strcmp(rows[i].text, text) == 0)
			return TRUE;
	}
	return FALSE;
}

static void test_content(void **state)
{
	static const uint32_t edits[] = {
		PIDTAG_DISPLAY_NAME, PIDTAG_GIVEN_NAME, PIDTAG_SURNAME,
		PIDTAG_INITIALS, PIDTAG_ACCOUNT, PIDTAG_SMTP_ADDRESS,
		PIDTAG_TITLE, PIDTAG_COMPANY_NAME, PIDTAG_DEPARTMENT_NAME,
		PIDTAG_OFFICE_LOCATION, PIDTAG_ASSISTANT,
		PIDTAG_STREET_ADDRESS, PIDTAG_POSTAL_CODE, PIDTAG_LOCALITY,
		PIDTAG_STATE_OR_PROVINCE, PIDTAG_COUNTRY,
		PIDTAG_BUSINESS_TELEPHONE_NUMBER,
		PIDTAG_HOME_TELEPHONE_NUMBER, PIDTAG_MOBILE_TELEPHONE_NUMBER,
		PIDTAG_PRIMARY_FAX_NUMBER, PIDTAG_PAGER_TELEPHONE_NUMBER,
		PIDTAG_ASSISTANT_TELEPHONE_NUMBER, PIDTAG_COMMENT,
	};
	static const uint32_t people[] = { 0, 6, 7, 8 };
	static const uint32_t groups[] = { 1 };
	static const uint32_t others[] = { 2, 3, 4 };

	for (unsigned int i = 0; i < N_ELEMENTS(people); i++) {
		for (unsigned int j = 0; j < N_ELEMENTS(edits); j++)
			assert_true(shows(people[i], EDIT, edits[j]));
		assert_true(shows(people[i], LISTBOX,
				  PIDTAG_ADDRESS_BOOK_MANAGER));
		assert_true(shows(people[i], LISTBOX,
				  PIDTAG_ADDRESS_BOOK_REPORTS));
		assert_true(shows(people[i], LISTBOX,
			PIDTAG_ADDRESS_BOOK_IS_MEMBER_OF_DISTRIBUTION_LIST));
		assert_true(shows(people[i], MV_LISTBOX,
				  PIDTAG_ADDRESS_BOOK_PROXY_ADDRESSES));
		assert_true(shows(people[i], MV_DROPDOWN,
				  PIDTAG_HOME2_TELEPHONE_NUMBERS));
		assert_false(shows(people[i], LISTBOX,
				   PIDTAG_ADDRESS_BOOK_MEMBER));
	}
	assert_true(shows(groups[0], EDIT, PIDTAG_DISPLAY_NAME));
	assert_true(shows(groups[0], EDIT, PIDTAG_ACCOUNT));
	assert_true(shows(groups[0], EDIT, PIDTAG_COMMENT));
	assert_true(shows(groups[0], LISTBOX, PIDTAG_ADDRESS_BOOK_OWNER));
	assert_true(shows(groups[0], LISTBOX, PIDTAG_ADDRESS_BOOK_MEMBER));
	assert_true(shows(groups[0], MV_LISTBOX,
			  PIDTAG_ADDRESS_BOOK_PROXY_ADDRESSES));
	assert_false(shows(groups[0], EDIT, PIDTAG_GIVEN_NAME));
	for (unsigned int i = 0; i < N_ELEMENTS(others); i++) {
		assert_true(shows(others[i], EDIT, PIDTAG_DISPLAY_NAME));
		assert_true(shows(others[i], EDIT, PIDTAG_ACCOUNT));
		assert_true(shows(others[i], EDIT, PIDTAG_SMTP_ADDRESS));
		assert_true(shows(others[i], EDIT, PIDTAG_COMMENT));
		assert_true(shows(others[i], LISTBOX,
			PIDTAG_ADDRESS_BOOK_IS_MEMBER_OF_DISTRIBUTION_LIST));
		assert_true(shows(others[i], MV_LISTBOX,
				  PIDTAG_ADDRESS_BOOK_PROXY_ADDRESSES));
		assert_false(shows(others[i], EDIT, PIDTAG_GIVEN_NAME));
		assert_false(shows(others[i], LISTBOX,
				   PIDTAG_ADDRESS_BOOK_MEMBER));
	}
	assert_true(shows(DT_SEARCH, EDIT, PIDTAG_SURNAME));
	assert_false(shows(DT_SEARCH, EDIT, PIDTAG_COMMENT));
}

static void test_writable(void **state)
{
	static const uint32_t tag =
		PIDTAG_ADDRESS_BOOK_MANAGE_DISTRIBUTION_LIST;

	assert_false(shows(1, BUTTON, tag));
	fix.set.mapi_ldap_write = TRUE;
	assert_true(shows(1, BUTTON, tag));
	assert_true(shows(1, LISTBOX, PIDTAG_ADDRESS_BOOK_MEMBER));
	assert_false(shows(0, BUTTON, tag));
	fix.set.mapi_ldap_write = FALSE;
}

static void test_languages(void **state)
{
	assert_true(has_text(0, LCID_ENGLISH, 1252, "General"));
	assert_true(has_text(0, LCID_FRENCH, 1252, "General"));
	assert_true(has_text(0, LCID_GERMAN, 1252, "Allgemein"));
	assert_true(has_text(0, LCID_AUSTRIAN, 1252, "Allgemein"));
	assert_false(has_text(0, LCID_GERMAN, 1252, "General"));
	/* the system's and the user's default */
	assert_true(has_text(0, 0, 1252, "General"));
	assert_true(has_text(0, 0x400, 1252, "General"));
	/* what clients have for locales without a number of their own */
	assert_true(has_text(0, 0xC00, 1252, "General"));
	assert_true(has_text(0, 0x1000, 1252, "General"));
	assert_true(has_text(0, 0x2000, 1252, "General"));
	/* a language without a country */
	assert_true(has_text(0, 0x7, 1252, "Allgemein"));
	/* with a sort order of its own */
	assert_true(has_text(0, LCID_GERMAN | 0x10000, 1252, "Allgemein"));
	/* in the code page */
	assert_true(has_text(0, LCID_GERMAN, 1252, "B\xfc&ro:"));
	assert_true(has_text(0, LCID_GERMAN, 65001, "B\xc3\xbc&ro:"));
	assert_true(has_text(0, LCID_GERMAN, 20261, "B\xc8u&ro:"));
	/* whose characters aren't in it */
	assert_true(has_text(0, LCID_GERMAN, 1251, "&Office:"));
	assert_true(has_text(0, LCID_GERMAN, 20127, "General"));
}

/* --- errors ---------------------------------------------------------------------- */

static void test_errors(void **state)
{
	check_error(0, LCID_ENGLISH, NSPI_CODEPAGE_UNICODE,
		    EC_INVALID_CODEPAGE);
	check_error(0, LCID_ENGLISH, 0, EC_INVALID_CODEPAGE);
	check_error(0, LCID_ENGLISH, 4711, EC_INVALID_CODEPAGE);
	check_error(0, 0x3FF, 4711, EC_INVALID_CODEPAGE);

	check_error(0, 0x3FF, 1252, EC_INVALID_LOCALE);
	check_error(0, 0xFFFFFFFF, 1252, EC_INVALID_LOCALE);
	check_error(0, 0x00100409, 1252, EC_INVALID_LOCALE);

	/* no dialogs for these */
	check_error(5, LCID_ENGLISH, 1252, EC_INVALID_LOCALE);
	check_error(9, LCID_ENGLISH, 1252, EC_INVALID_LOCALE);
	check_error(0x100, LCID_ENGLISH, 1252, EC_INVALID_LOCALE);
	check_error(0x101, LCID_ENGLISH, 1252, EC_INVALID_LOCALE);
	check_error(0x102, LCID_ENGLISH, 1252, EC_INVALID_LOCALE);
	check_error(0xFFFFFFFF, LCID_ENGLISH, 1252, EC_INVALID_LOCALE);
}

static void check_row(uint32_t flags, unsigned int count, uint32_t last_tag)
{
	struct mapihttp_get_template_info_request req =
		request(flags, 1, LCID_ENGLISH, 1252);
	struct mapihttp_get_template_info_response resp;

	assert_int_equal(call(&req, &resp), EC_NONE);
	assert_int_not_equal(resp.has_row, 0);
	assert_int_equal(resp.row.property_value_count, count);
	if (count > 0) {
		assert_int_equal(resp.row.property_values[count - 1].tag,
				 last_tag);
	}
	if (last_tag == PIDTAG_SCRIPT_DATA) {
		/* a count of no instructions */
		assert_int_equal(resp.row.property_values[count - 1].
				 value.u.bin.len, 4);
		assert_memory_equal(resp.row.property_values[count - 1].
				    value.u.bin.data, "\0\0\0\0", 4);
	}
}

static void test_flags(void **state)
{
	check_row(0, 0, 0);
	check_row(TI_TEMPLATE, 1, PIDTAG_TEMPLATE_DATA);
	check_row(TI_SCRIPT, 1, PIDTAG_SCRIPT_DATA);
	check_row(TI_TEMPLATE | TI_SCRIPT, 2, PIDTAG_SCRIPT_DATA);
	/* there's none of these */
	check_row(TI_EMT | TI_HELPFILE_NAME | TI_HELPFILE_CONTENTS, 0, 0);
	check_row(0xFFFFFFFF & ~TI_SCRIPT, 1, PIDTAG_TEMPLATE_DATA);
	check_row(TI_TEMPLATE | TI_HELPFILE_NAME | TI_HELPFILE_CONTENTS, 1,
		  PIDTAG_TEMPLATE_DATA);
}

static uint32_t get_by_dn(const char *dn, struct mapi_binary *bin_r)
{
	struct mapihttp_get_template_info_request req =
		request(TI_TEMPLATE, 0xFFFF, 0xFFFFFFFF, 1252);
	struct mapihttp_get_template_info_response resp;
	uint32_t error;

	req.has_template_dn = 1;
	req.template_dn = dn;
	if ((error = call(&req, &resp)) == EC_NONE)
		*bin_r = resp.row.property_values[0].value.u.bin;
	return error;
}

static void check_dn(const char *dn, uint32_t display_type, uint32_t lcid)
{
	struct mapi_binary expected = get(display_type, lcid, 1252), bin;

	assert_int_equal(get_by_dn(dn, &bin), EC_NONE);
	assert_int_equal(bin.len, expected.len);
	assert_memory_equal(bin.data, expected.data, bin.len);
}

static void test_dn(void **state)
{
	static const char *const wrong[] = {
		"", "/", "/o=Test", TEMPLATE_DN, TEMPLATE_DN "/cn=409",
		TEMPLATE_DN "/cn=409/cn=", TEMPLATE_DN "/cn=/cn=0",
		TEMPLATE_DN "/cn=409/cn=0/", TEMPLATE_DN "/cn=409/cn=0/cn=0",
		TEMPLATE_DN "/cn=409/cn=x", TEMPLATE_DN "/cn=409/cn=5",
		TEMPLATE_DN "/cn=3ff/cn=0", TEMPLATE_DN "/cn=100000409/cn=0",
		TEMPLATE_DN "/cn=409/cn=100000000",
		"/o=Other/cn=addressing/cn=display-templates/cn=409/cn=0",
		FIXTURE_DN "user00@example.org",
	};
	struct mapi_binary bin;

	check_dn(TEMPLATE_DN "/cn=409/cn=0", 0, LCID_ENGLISH);
	check_dn(TEMPLATE_DN "/cn=407/cn=1", 1, LCID_GERMAN);
	check_dn("/O=TEST/CN=Addressing/CN=Display-Templates/CN=40C/CN=200",
		 DT_SEARCH, LCID_FRENCH);
	for (unsigned int i = 0; i < N_ELEMENTS(wrong); i++)
		assert_int_equal(get_by_dn(wrong[i], &bin), EC_INVALID_LOCALE);
}

static void test_without_snapshot(void **state)
{
	fix.ctx.snapshot = NULL;
	check_template(0, LCID_ENGLISH, 1252);
	fix.ctx.snapshot = fix.snapshot;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_writable),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_dn),
		cmocka_unit_test(test_without_snapshot),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, setup, teardown);
	lib_deinit();
	return ret;
}
