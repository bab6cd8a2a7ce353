/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What Outlook's dialog shows of somebody, [MS-OXOABK] 2.2.3 to 2.2.9 */

#include "mapitest-gal.h"
#include "mapitest-output.h"
#include "mapi-print.h"
#include "mapi-property-info.h"
#include "mapi-props.h"

#include <string.h>

#define LCID_ENGLISH 0x0409

static const struct {
	const char *name;
	uint32_t tag;
} links[] = {
	{ "manager", PIDTAG_ADDRESS_BOOK_MANAGER },
	{ "reports", PIDTAG_ADDRESS_BOOK_REPORTS },
	{ "member_of", PIDTAG_ADDRESS_BOOK_IS_MEMBER_OF_DISTRIBUTION_LIST },
};

int gal_find(struct book *book, const char *name, struct book_entry *entry_r)
{
	uint32_t mid;

	book_step(book, "resolve '%s'", name);
	if (book_resolve(book, name, &mid, entry_r) < 0)
		return -1;
	if (mid == CLIENT_MID_RESOLVED)
		return 1;
	book->not_found = true;
	fflush(stdout);
	fprintf(stderr, "mapitest: NOT FOUND: %s '%s'%s.\n",
		mid == CLIENT_MID_AMBIGUOUS ? "several may be meant by" :
		"nobody is called", name, mid == CLIENT_MID_AMBIGUOUS ?
		" (mapitest resolve lists them)" : "");
	return 0;
}

/* The user by the DN; by name if the DN has been made up. */
static int gal_find_self(struct book *book, struct book_entry *entry_r)
{
	struct mapitest *test = book->test;
	struct client_nspi_mids mids;
	struct client_nspi_rows rows;
	struct mapihttp_stat stat;

	book_step(book, "find the user's own entry");
	if (client_nspi_dn_to_mid(book->nspi, test->mem, &test->dn, 1, &mids,
				  &book->error) < 0)
		return -1;
	if (mids.mids[0] == 0)
		return gal_find(book, test->params.user, entry_r);
	client_nspi_stat_init(&stat);
	if (client_nspi_query_rows(book->nspi, test->mem, &stat, &mids, 1,
				   &book_columns, &rows, &book->error) < 0)
		return -1;
	if (rows.count != 1) {
		return client_error_set(&book->error, CLIENT_FAIL_PROTOCOL,
			"%u rows for one MId", rows.count);
	}
	book_entry_read(&rows.rows[0], entry_r);
	return 1;
}

/* --- properties -----------------------------------------------------------*/
static char *
value_text(TALLOC_CTX *mem, const struct mapi_value *value)
{
	char *text = talloc_strdup(mem, "");

	switch (value->type) {
	case PTYP_STRING:
		return talloc_strdup(mem, value->u.str == NULL ? "" :
				     value->u.str);
	case PTYP_MULTIPLE_STRING:
		for (uint32_t i = 0; i < value->u.mv.count; i++) {
			text = talloc_asprintf_append(text, "%s%s",
				i == 0 ? "" : ", ",
				value->u.mv.v.str[i]);
		}
		return text;
	case PTYP_BINARY:
		return talloc_asprintf(mem, "%u bytes", value->u.bin.len);
	case PTYP_MULTIPLE_BINARY:
		return talloc_asprintf(mem, "%u of them", value->u.mv.count);
	default:
		mapi_value_print(&text, value);
		return text;
	}
}

/* Not what is a table of its own or couldn't be had */
static bool is_shown(const struct mapi_property *prop)
{
	return prop->value.type != PTYP_ERROR_CODE &&
		prop->value.type != PTYP_OBJECT &&
		prop->value.type != PTYP_NULL;
}

static void
print_props(struct book *book, const struct mapihttp_property_list *props)
{
	const struct mapi_property_info *info;
	const struct mapi_property *prop;
	char number[16];
	const char *name, *text;

	if (book->test->json)
		jw_open_object(&book->jw, "properties");
	for (uint32_t i = 0; i < props->property_value_count; i++) {
		prop = &props->property_values[i];
		if (!is_shown(prop))
			continue;
		info = mapi_property_info_by_id(MAPI_TAG_ID(prop->tag));
		snprintf(number, sizeof(number), "0x%08x", prop->tag);
		name = info == NULL ? number : info->name;
		text = value_text(book->test->mem, &prop->value);
		if (book->test->json) {
			jw_string(&book->jw, name, text);
			continue;
		}
		if (strncmp(name, "PidTag", 6) == 0)
			name += 6;
		printf("  %-34s ", name);
		mapitest_put(text);
		putchar('\n');
	}
	if (book->test->json)
		jw_close_object(&book->jw);
}

static int print_links(struct book *book, const struct book_entry *entry)
{
	struct client_nspi_rows rows;
	struct book_entry other;

	for (unsigned int i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		book_step(book, "list %s of %s", links[i].name, entry->name);
		if (book_links(book, entry->mid, links[i].tag, &rows) < 0) {
			if (book->error.ec != EC_TABLE_TOO_BIG)
				return -1;
			rows.count = 0;
		}
		if (book->test->json)
			jw_open_array(&book->jw, links[i].name);
		else if (rows.count > 0)
			printf("  %-34s ", links[i].name);
		for (uint32_t j = 0; j < rows.count; j++) {
			book_entry_read(&rows.rows[j], &other);
			if (book->test->json) {
				jw_string(&book->jw, NULL, other.name);
				continue;
			}
			fputs(j == 0 ? "" : ", ", stdout);
			mapitest_put(other.name);
		}
		if (book->test->json)
			jw_close_array(&book->jw);
		else if (rows.count > 0)
			putchar('\n');
	}
	return 0;
}

/* The dialog's layout. A server may have none: Outlook has no details then. */
static int print_template(struct book *book, const struct book_entry *entry)
{
	struct mapihttp_property_list props = { .property_value_count = 0 };
	const struct mapi_value *value = NULL;
	char text[80];

	book_step(book, "read the template of the details dialog");
	if (client_nspi_template_info(book->nspi, book->test->mem,
				      CLIENT_NSPI_TEMPLATE,
				      entry->display_type, NULL, LCID_ENGLISH,
				      &props, &book->error) == 0) {
		value = client_nspi_value(&props, PIDTAG_TEMPLATE_DATA);
		snprintf(text, sizeof(text), "%u bytes",
			 value == NULL ? 0 : value->u.bin.len);
	} else if (book->error.failure == CLIENT_FAIL_STATUS) {
		snprintf(text, sizeof(text), "none (0x%08x, %s)",
			 book->error.ec, mapi_error_name(book->error.ec));
	} else {
		return -1;
	}
	if (book->test->json)
		jw_string(&book->jw, "template", text);
	else
		printf("  %-34s %s\n", "template of the dialog", text);
	return 0;
}

/* All that the object has, with strings as Unicode: without columns they'd come
   in a code page. */
static int
read_props(struct book *book, const struct book_entry *entry,
	   struct mapihttp_property_list *props_r)
{
	struct client_nspi_columns tags;
	uint32_t *columns;

	book_step(book, "list the properties of %s", entry->name);
	if (client_nspi_get_prop_list(book->nspi, book->test->mem, entry->mid,
				      CLIENT_NSPI_SKIP_OBJECTS, &tags,
				      &book->error) < 0)
		return -1;
	columns = talloc_array(book->test->mem, uint32_t, tags.count);
	for (uint32_t i = 0; i < tags.count; i++) {
		uint16_t type = MAPI_TAG_TYPE(tags.tags[i]);

		if (type == PTYP_STRING8)
			type = PTYP_STRING;
		else if (type == PTYP_MULTIPLE_STRING8)
			type = PTYP_MULTIPLE_STRING;
		columns[i] = MAPI_TAG_AS(tags.tags[i], type);
	}
	tags.tags = columns;
	book_step(book, "read the properties of %s", entry->name);
	return client_nspi_get_props(book->nspi, book->test->mem, entry->mid,
				     0, &tags, props_r, &book->error);
}

int gal_details(struct book *book, const char *name)
{
	struct mapihttp_property_list props;
	struct book_entry entry;
	int ret = name == NULL ? gal_find_self(book, &entry) :
		gal_find(book, name, &entry);

	if (ret <= 0)
		return ret;
	if (read_props(book, &entry, &props) < 0)
		return -1;
	if (book->test->json) {
		jw_string(&book->jw, "details_of", entry.name);
	} else {
		printf("\nDetails of ");
		mapitest_put(entry.name);
		putchar('\n');
	}
	print_props(book, &props);
	if (print_links(book, &entry) < 0)
		return -1;
	return print_template(book, &entry);
}
