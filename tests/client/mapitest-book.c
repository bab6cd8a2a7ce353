/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapitest-book.h"
#include "mapitest-output.h"
#include "mapi-props.h"
#include "mapi-restriction.h"

#include <stdarg.h>
#include <string.h>

#define NAME_COLUMNS 26
#define ADDRESS_COLUMNS 30
#define PHONE_COLUMNS 18

#define DISPLAY_TYPE_EX_MASK		0xff
#define DISPLAY_TYPE_EX_ROOM		7
#define DISPLAY_TYPE_EX_EQUIPMENT	8

static const uint32_t column_tags[] = {
	PIDTAG_INSTANCE_KEY, PIDTAG_DISPLAY_TYPE, PIDTAG_DISPLAY_NAME,
	PIDTAG_SMTP_ADDRESS, PIDTAG_EMAIL_ADDRESS,
	PIDTAG_BUSINESS_TELEPHONE_NUMBER, PIDTAG_DEPARTMENT_NAME,
	PIDTAG_TITLE, PIDTAG_OFFICE_LOCATION, PIDTAG_DISPLAY_TYPE_EX,
};
const struct client_nspi_columns book_columns = {
	column_tags, sizeof(column_tags) / sizeof(column_tags[0]),
};

void book_step(struct book *book, const char *format, ...)
{
	va_list args;

	client_error_clear(&book->error);
	va_start(args, format);
	vsnprintf(book->error.step, sizeof(book->error.step), format, args);
	va_end(args);
}

int book_begin(struct book *book)
{
	struct mapitest *test = book->test;
	const char *challenges, *peer;
	char guid[MAPI_GUID_STRING_SIZE];

	if (test->json) {
		jw_init(&book->jw, stdout);
		jw_open_object(&book->jw, NULL);
		jw_string(&book->jw, "url", test->params.url);
		jw_string(&book->jw, "user", test->params.user);
	}
	book->nspi = client_nspi_new(test->mem, &test->params);
	book->nspi->trace = test->verbose ? stderr : NULL;
	book_step(book, "reach %s", test->params.url);
	if (client_connection_probe(book->nspi->conn, test->mem, &challenges,
				    &book->error) < 0)
		return -1;
	book_step(book, "bind to the address book as %s", test->params.user);
	if (client_nspi_bind(book->nspi, &book->error) < 0)
		return -1;
	(void)mapi_guid_format(&book->nspi->server_guid, guid);
	if (test->json) {
		jw_string(&book->jw, "challenges", challenges);
		jw_string(&book->jw, "server_guid", guid);
		return 0;
	}
	peer = client_connection_peer(book->nspi->conn, test->mem);
	printf("Address book\n"
	       "  URL              %s (%s)\n"
	       "  authentication   %s\n"
	       "  user             %s\n"
	       "  server GUID      %s\n",
	       test->params.url, peer, challenges, test->params.user, guid);
	return 0;
}

int book_end(struct book *book)
{
	book_step(book, "unbind");
	return client_nspi_unbind(book->nspi, &book->error);
}

int book_finish(struct book *book, int ret)
{
	const struct client_http *http = book->nspi->http;

	if (book->test->json) {
		/* a failure within something leaves it open: arrays are in the
		   object, and objects in them */
		while (book->jw.depth > 1) {
			if (book->jw.depth % 2 == 0)
				jw_close_array(&book->jw);
			else
				jw_close_object(&book->jw);
		}
		mapitest_json_lines(&book->jw, "violations", http->violations,
				    http->violation_count);
		if (ret < 0)
			mapitest_json_error(&book->jw, &book->error);
		jw_close_object(&book->jw);
	} else {
		mapitest_put_lines(MAPITEST_VIOLATIONS, http->violations,
				   http->violation_count);
	}
	if (ret < 0)
		return mapitest_fail(&book->error);
	return book->not_found ? MAPITEST_NOT_FOUND : MAPITEST_OK;
}

/* --- entries --------------------------------------------------------------*/
static const char *
row_string(const struct mapi_property_row *row, uint32_t tag)
{
	const struct mapi_value *value = client_row_value(row, tag);

	return value == NULL ? NULL : value->u.str;
}

void book_entry_read(const struct mapi_property_row *row,
		     struct book_entry *entry_r)
{
	entry_r->name = row_string(row, PIDTAG_DISPLAY_NAME);
	entry_r->address = row_string(row, PIDTAG_SMTP_ADDRESS);
	entry_r->phone = row_string(row, PIDTAG_BUSINESS_TELEPHONE_NUMBER);
	entry_r->department = row_string(row, PIDTAG_DEPARTMENT_NAME);
	entry_r->title = row_string(row, PIDTAG_TITLE);
	entry_r->office = row_string(row, PIDTAG_OFFICE_LOCATION);
	entry_r->dn = row_string(row, PIDTAG_EMAIL_ADDRESS);
	entry_r->display_type = client_row_number(row, PIDTAG_DISPLAY_TYPE);
	entry_r->display_type_ex =
		client_row_number(row, PIDTAG_DISPLAY_TYPE_EX);
	entry_r->mid = client_nspi_row_mid(row);
}

const char *book_entry_type(const struct book_entry *entry)
{
	switch (entry->display_type) {
	case CLIENT_DT_MAILUSER:
		switch (entry->display_type_ex & DISPLAY_TYPE_EX_MASK) {
		case DISPLAY_TYPE_EX_ROOM:
			return "room";
		case DISPLAY_TYPE_EX_EQUIPMENT:
			return "equipment";
		}
		return "user";
	case CLIENT_DT_DISTLIST:
	case CLIENT_DT_PRIVATE_DISTLIST:
		return "list";
	case CLIENT_DT_FORUM:
		return "public folder";
	case CLIENT_DT_AGENT:
		return "agent";
	case CLIENT_DT_ORGANIZATION:
		return "organisation";
	case CLIENT_DT_REMOTE_MAILUSER:
		return "contact";
	case CLIENT_DT_CONTAINER:
		return "address list";
	default:
		return "other";
	}
}

static void json_entry(struct json_writer *jw, const struct book_entry *entry)
{
	jw_open_object(jw, NULL);
	jw_string(jw, "name", entry->name);
	jw_string(jw, "address", entry->address);
	jw_string(jw, "type", book_entry_type(entry));
	jw_string(jw, "phone", entry->phone);
	jw_string(jw, "department", entry->department);
	jw_string(jw, "title", entry->title);
	jw_string(jw, "office", entry->office);
	jw_string(jw, "dn", entry->dn);
	jw_number(jw, "mid", entry->mid);
	jw_close_object(jw);
}

void book_entry_print(struct book *book, const struct book_entry *entry)
{
	const char *type = book_entry_type(entry);

	if (book->test->json) {
		json_entry(&book->jw, entry);
		return;
	}
	fputs("  ", stdout);
	mapitest_put_cell(entry->name, NAME_COLUMNS, true);
	putchar(' ');
	mapitest_put_cell(entry->address, ADDRESS_COLUMNS, true);
	putchar(' ');
	mapitest_put_cell(entry->phone, PHONE_COLUMNS, true);
	putchar(' ');
	if (strcmp(type, "user") != 0) {
		printf("(%s)%s", type, entry->department == NULL ? "" : " ");
	}
	mapitest_put(entry->department);
	putchar('\n');
}

/* --- names and links ------------------------------------------------------*/
int book_resolve(struct book *book, const char *name, uint32_t *mid_r,
		 struct book_entry *entry_r)
{
	struct client_nspi_mids mids;
	struct client_nspi_rows rows;

	if (client_nspi_resolve_names(book->nspi, book->test->mem, &name, 1,
				      &book_columns, &mids, &rows,
				      &book->error) < 0)
		return -1;
	*mid_r = mids.mids[0];
	if (*mid_r == CLIENT_MID_RESOLVED)
		book_entry_read(&rows.rows[0], entry_r);
	return 0;
}

int book_candidates(struct book *book, const char *name, uint32_t max,
		    struct client_nspi_rows *rows_r)
{
	/* what Outlook asks with for its list of suggestions */
	struct mapi_restriction filter = { .type = RES_PROPERTY };
	struct client_nspi_mids mids;
	struct mapihttp_stat stat;

	filter.u.property.relop = RELOP_EQ;
	filter.u.property.tag = PIDTAG_ANR;
	filter.u.property.value.tag = PIDTAG_ANR;
	filter.u.property.value.value = mapi_value_str(name);
	client_nspi_stat_init(&stat);
	return client_nspi_get_matches(book->nspi, book->test->mem, &stat,
				       &filter, max, &book_columns, &mids,
				       rows_r, &book->error);
}

int book_links(struct book *book, uint32_t mid, uint32_t tag,
	       struct client_nspi_rows *rows_r)
{
	struct client_nspi_mids mids;
	struct mapihttp_stat stat;

	client_nspi_stat_init(&stat);
	stat.container_id = tag;
	stat.current_rec = mid;
	return client_nspi_get_matches(book->nspi, book->test->mem, &stat, NULL,
				       BOOK_MAX_MATCHES, &book_columns, &mids,
				       rows_r, &book->error);
}
