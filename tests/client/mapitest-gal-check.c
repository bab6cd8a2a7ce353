/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks the same in several ways and compares the answers. Outlook mixes these
   ways as it scrolls, types and opens dialogs, and shows wrong rows or crashes if
   they don't agree. A difference is a violation. */

#include "mapitest-gal.h"
#include "mapitest-output.h"
#include "mapi-props.h"
#include "mapi-restriction.h"

#include <string.h>
#include <strings.h>

#define CHECK_ROWS 50
/* an MId that no server has given out */
#define MID_UNKNOWN 0x7ffffff0

struct check {
	struct book *book;
	TALLOC_CTX *mem;
	const char *name;
	uint32_t container;
	/* the list's first rows, by which all the rest is judged */
	struct book_entry *entries;
	struct client_nspi_rows rows;
	uint32_t *mids, *reversed;
	unsigned int questions;
};

static void __attribute__((format(printf, 2, 3)))
check_step(struct check *check, const char *format, ...)
{
	va_list args;
	char *what;

	va_start(args, format);
	what = talloc_vasprintf(check->mem, format, args);
	va_end(args);
	book_step(check->book, "check %s: %s", check->name, what);
	check->questions++;
}

/* Compares, and says what differs. */
static void __attribute__((format(printf, 3, 4)))
check_that(struct check *check, bool ok, const char *format, ...)
{
	va_list args;
	char *what;

	if (ok)
		return;
	va_start(args, format);
	what = talloc_vasprintf(check->mem, format, args);
	va_end(args);
	client_http_violation(check->book->nspi->http, "%s: %s", check->name,
			      what);
}

static void check_stat(struct check *check, struct mapihttp_stat *stat)
{
	client_nspi_stat_init(stat);
	stat->container_id = check->container;
}

/* --- rows -----------------------------------------------------------------*/
static int check_read(struct check *check)
{
	struct book *book = check->book;
	struct mapihttp_stat stat;
	uint32_t i;

	check_stat(check, &stat);
	check_step(check, "read the first %d rows", CHECK_ROWS);
	if (client_nspi_query_rows(book->nspi, check->mem, &stat, NULL,
				   CHECK_ROWS, &book_columns, &check->rows,
				   &book->error) < 0)
		return -1;
	check->entries = talloc_zero_array(check->mem, struct book_entry,
					   check->rows.count);
	check->mids = talloc_zero_array(check->mem, uint32_t,
					check->rows.count);
	check->reversed = talloc_zero_array(check->mem, uint32_t,
					    check->rows.count);
	for (i = 0; i < check->rows.count; i++) {
		struct book_entry *entry = &check->entries[i];

		book_entry_read(&check->rows.rows[i], entry);
		check_that(check, entry->mid != 0 && entry->dn != NULL &&
			   entry->name != NULL && entry->name[0] != '\0',
			   "row %u lacks its instance key, DN or name", i + 1);
		if (entry->dn == NULL)
			entry->dn = "";
		if (entry->name == NULL)
			entry->name = "";
		check->mids[i] = entry->mid;
		check->reversed[check->rows.count - 1 - i] = entry->mid;
	}
	return 0;
}

static int check_explicit(struct check *check)
{
	const struct client_nspi_mids table = {
		check->reversed, check->rows.count,
	};
	struct client_nspi_rows rows;
	struct book_entry entry;
	struct mapihttp_stat stat;

	check_stat(check, &stat);
	check_step(check, "read rows by their MIds");
	if (client_nspi_query_rows(check->book->nspi, check->mem, &stat, &table,
				   table.count, &book_columns, &rows,
				   &check->book->error) < 0)
		return -1;
	check_that(check, rows.count == table.count,
		   "%u rows for %u MIds", rows.count, table.count);
	for (uint32_t i = 0; i < rows.count && i < table.count; i++) {
		book_entry_read(&rows.rows[i], &entry);
		check_that(check, entry.mid == check->reversed[i],
			   "row %u by its MId 0x%x is another object's", i + 1,
			   check->reversed[i]);
	}
	return 0;
}

static int check_props(struct check *check)
{
	const struct mapi_property_row *row = &check->rows.rows[0];
	struct mapihttp_property_list props;

	check_step(check, "read the properties of the first row's object");
	if (client_nspi_get_props(check->book->nspi, check->mem, check->mids[0],
				  0, &book_columns, &props,
				  &check->book->error) < 0)
		return -1;
	for (uint32_t i = 0; i < row->count &&
		     i < props.property_value_count; i++) {
		check_that(check, mapi_value_equal(&row->values[i],
			&props.property_values[i].value),
			"0x%08x is another in GetProps than in QueryRows",
			row->columns[i]);
	}
	return 0;
}

/* --- positions ------------------------------------------------------------*/
static int check_move(struct check *check)
{
	uint32_t last = check->rows.count - 1;
	struct mapihttp_stat stat;
	int32_t moved;

	check_stat(check, &stat);
	stat.delta = last;
	check_step(check, "move down and up");
	if (client_nspi_update_stat(check->book->nspi, &stat, &moved,
				    &check->book->error) < 0)
		return -1;
	check_that(check, stat.current_rec == check->mids[last] &&
		   moved == (int32_t)last && stat.num_pos == last,
		   "%u rows down from the beginning is MId 0x%x at %u, moved "
		   "by %d, but row %u is MId 0x%x", last, stat.current_rec,
		   stat.num_pos, moved, last + 1, check->mids[last]);
	stat.delta = -(int32_t)last;
	if (client_nspi_update_stat(check->book->nspi, &stat, &moved,
				    &check->book->error) < 0)
		return -1;
	check_that(check, stat.num_pos == 0 && moved == -(int32_t)last,
		   "%u rows up again is row %u, moved by %d", last,
		   stat.num_pos + 1, moved);
	stat.delta = 0x7fffffff;
	if (client_nspi_update_stat(check->book->nspi, &stat, NULL,
				    &check->book->error) < 0)
		return -1;
	check_that(check, stat.current_rec == CLIENT_MID_END &&
		   stat.num_pos == stat.total_recs,
		   "behind the end is MId 0x%x at %u of %u", stat.current_rec,
		   stat.num_pos, stat.total_recs);
	return 0;
}

/* A scroll bar's position, [MS-OXNSPI] 3.1.4.5.2 */
static int check_fraction(struct check *check)
{
	struct client_nspi_rows rows;
	struct mapihttp_stat stat;
	struct book_entry entry;
	uint32_t middle;

	check_stat(check, &stat);
	check_step(check, "go to a fraction");
	if (client_nspi_update_stat(check->book->nspi, &stat, NULL,
				    &check->book->error) < 0)
		return -1;
	middle = check->rows.count / 2;
	stat.current_rec = CLIENT_MID_CURRENT;
	stat.num_pos = middle;
	if (client_nspi_query_rows(check->book->nspi, check->mem, &stat, NULL,
				   1, &book_columns, &rows,
				   &check->book->error) < 0)
		return -1;
	memset(&entry, 0, sizeof(entry));
	if (rows.count > 0)
		book_entry_read(&rows.rows[0], &entry);
	check_that(check, entry.mid == check->mids[middle],
		   "at %u of %u is MId 0x%x, but row %u is 0x%x", middle,
		   stat.total_recs, entry.mid, middle + 1,
		   check->mids[middle]);
	return 0;
}

static int check_seek(struct check *check)
{
	uint32_t last = check->rows.count - 1, i;
	const char *name = check->entries[last].name;
	struct client_nspi_rows rows;
	struct mapihttp_stat stat;

	check_stat(check, &stat);
	check_step(check, "seek '%s'", name);
	if (client_nspi_seek_entries(check->book->nspi, check->mem, &stat, name,
				     NULL, &rows, &check->book->error) < 0)
		return -1;
	/* others of the same name may be before it */
	for (i = 0; i < last; i++) {
		if (check->mids[i] == stat.current_rec)
			break;
	}
	check_that(check, check->mids[i] == stat.current_rec &&
		   stat.num_pos == i &&
		   strcasecmp(check->entries[i].name, name) == 0,
		   "seeking '%s' leads to MId 0x%x at %u", name,
		   stat.current_rec, stat.num_pos);
	return 0;
}

/* --- order ----------------------------------------------------------------*/
static int check_compare(struct check *check)
{
	static const struct {
		unsigned int a, b;
	} pairs[] = { { 0, 1 }, { 1, 0 }, { 0, 0 } };
	struct mapihttp_stat stat;
	int32_t result, wanted;
	unsigned int i;

	check_stat(check, &stat);
	check_step(check, "compare rows");
	for (i = check->rows.count > 1 ? 0 : 2; i < 3; i++) {
		if (client_nspi_compare_mids(check->book->nspi, &stat,
					     check->mids[pairs[i].a],
					     check->mids[pairs[i].b], &result,
					     &check->book->error) < 0)
			return -1;
		wanted = (int32_t)pairs[i].a - (int32_t)pairs[i].b;
		check_that(check, wanted < 0 ? result < 0 : wanted > 0 ?
			   result > 0 : result == 0,
			   "rows %u and %u compare as %d", pairs[i].a + 1,
			   pairs[i].b + 1, result);
	}
	return 0;
}

static int check_resort(struct check *check)
{
	const struct client_nspi_mids table = {
		check->reversed, check->rows.count,
	};
	struct client_nspi_mids mids;
	struct mapihttp_stat stat;

	check_stat(check, &stat);
	check_step(check, "sort rows");
	if (client_nspi_resort(check->book->nspi, check->mem, &stat, &table,
			       &mids, &check->book->error) < 0)
		return -1;
	check_that(check, mids.count == check->rows.count &&
		   memcmp(mids.mids, check->mids,
			  mids.count * sizeof(mids.mids[0])) == 0,
		   "sorting the rows gives another order than they have");
	return 0;
}

/* --- names ----------------------------------------------------------------*/
static int check_dns(struct check *check)
{
	const char **dns = talloc_array(check->mem, const char *,
					check->rows.count);
	struct client_nspi_mids mids;

	for (uint32_t i = 0; i < check->rows.count; i++)
		dns[i] = check->entries[i].dn;
	check_step(check, "find MIds by DNs");
	if (client_nspi_dn_to_mid(check->book->nspi, check->mem, dns,
				  check->rows.count, &mids,
				  &check->book->error) < 0)
		return -1;
	for (uint32_t i = 0; i < mids.count; i++) {
		check_that(check, mids.mids[i] == check->mids[i],
			   "the MId of %s is 0x%x, but 0x%x in its row", dns[i],
			   mids.mids[i], check->mids[i]);
	}
	return 0;
}

static int check_addresses(struct check *check)
{
	const char **names = talloc_array(check->mem, const char *,
					  check->rows.count);
	const struct book_entry **entries =
		talloc_array(check->mem, const struct book_entry *,
			     check->rows.count);
	struct client_nspi_mids mids;
	struct client_nspi_rows rows;
	struct book_entry entry;
	uint32_t count = 0, row = 0;

	for (uint32_t i = 0; i < check->rows.count; i++) {
		if (check->entries[i].address == NULL)
			continue;
		entries[count] = &check->entries[i];
		names[count++] = talloc_asprintf(check->mem, "=SMTP:%s",
			check->entries[i].address);
	}
	check_step(check, "resolve addresses");
	if (client_nspi_resolve_names(check->book->nspi, check->mem, names,
				      count, &book_columns, &mids, &rows,
				      &check->book->error) < 0)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		check_that(check, mids.mids[i] == CLIENT_MID_RESOLVED,
			   "%s is %s", names[i], mids.mids[i] ==
			   CLIENT_MID_AMBIGUOUS ? "ambiguous" : "not found");
		if (mids.mids[i] != CLIENT_MID_RESOLVED)
			continue;
		book_entry_read(&rows.rows[row++], &entry);
		check_that(check, entry.mid == entries[i]->mid,
			   "%s resolves to another object", names[i]);
	}
	return 0;
}

/* A search in all columns is a restriction, as is this one. */
static int check_filter(struct check *check)
{
	struct mapi_restriction filter = { .type = RES_PROPERTY };
	struct client_nspi_mids mids;
	struct client_nspi_rows rows;
	struct mapihttp_stat stat;
	uint32_t i;

	filter.u.property.relop = RELOP_EQ;
	filter.u.property.tag = PIDTAG_DISPLAY_NAME;
	filter.u.property.value.tag = PIDTAG_DISPLAY_NAME;
	filter.u.property.value.value =
		mapi_value_str(check->entries[0].name);
	check_stat(check, &stat);
	check_step(check, "search by name");
	if (client_nspi_get_matches(check->book->nspi, check->mem, &stat,
				    &filter, CHECK_ROWS, &book_columns, &mids,
				    &rows, &check->book->error) < 0) {
		/* servers may refuse what takes too long */
		return check->book->error.ec == EC_TOO_COMPLEX ||
			check->book->error.ec == EC_TABLE_TOO_BIG ? 0 : -1;
	}
	for (i = 0; i < mids.count; i++) {
		if (mids.mids[i] == check->mids[0])
			break;
	}
	check_that(check, i < mids.count, "searching '%s' doesn't find it",
		   check->entries[0].name);
	return 0;
}

/* --- the rest -------------------------------------------------------------*/
static int check_hierarchy(struct check *check)
{
	struct mapihttp_property_list *rows;
	uint32_t version = 0, count, first;

	check_step(check, "read the hierarchy by its version");
	if (client_nspi_special_table(check->book->nspi, check->mem,
				      CLIENT_NSPI_UNICODE_STRINGS, &version,
				      &rows, &count, &check->book->error) < 0)
		return -1;
	first = count == 0 ? 1 : client_nspi_number(&rows[0],
		PIDTAG_ADDRESS_BOOK_CONTAINER_ID);
	check_that(check, first == 0,
		   "the hierarchy doesn't begin with the global address list");
	if (client_nspi_special_table(check->book->nspi, check->mem,
				      CLIENT_NSPI_UNICODE_STRINGS, &version,
				      &rows, &count, &check->book->error) < 0)
		return -1;
	check_that(check, count == 0, "the hierarchy comes again although its "
		   "version is the same");
	return client_nspi_special_table(check->book->nspi, check->mem,
					 CLIENT_NSPI_UNICODE_STRINGS |
					 CLIENT_NSPI_CREATION_TEMPLATES,
					 &version, &rows, &count,
					 &check->book->error);
}

static int check_columns(struct check *check)
{
	struct client_nspi_columns tags;
	bool found = false;
	uint16_t type;

	check_step(check, "ask for all columns");
	if (client_nspi_query_columns(check->book->nspi, check->mem,
				      CLIENT_NSPI_UNICODE_TYPES, &tags,
				      &check->book->error) < 0)
		return -1;
	for (uint32_t i = 0; i < tags.count; i++) {
		type = MAPI_TAG_TYPE(tags.tags[i]);
		if (tags.tags[i] == PIDTAG_DISPLAY_NAME)
			found = true;
		check_that(check, type != PTYP_STRING8 &&
			   type != PTYP_MULTIPLE_STRING8,
			   "column 0x%08x is no Unicode", tags.tags[i]);
	}
	check_that(check, found, "no column for names");
	return 0;
}

/* Not compared with the URL in use: which of a server's names it gives out is the
   operator's decision. */
static void
check_url(struct check *check, const char *endpoint, const char *url)
{
	struct book *book = check->book;

	check_that(check, strncmp(url, "https://", 8) == 0,
		   "the URL of the %s is '%s'", endpoint, url);
	if (book->test->json) {
		jw_string(&book->jw, talloc_asprintf(check->mem, "%s_url",
						     endpoint), url);
		return;
	}
	printf("%sClients are sent to the %s at ",
	       strcmp(endpoint, "mailbox") == 0 ? "" : "\n", endpoint);
	mapitest_put(url);
	putchar('\n');
}

/* [MS-OXCMAPIHTTP] 2.2.5.18, 2.2.5.19: where Outlook goes for a mailbox of which
   it has the server's DN, and for the address book. */
static int check_addressbook_url(struct check *check, const char *user_dn)
{
	struct mapihttp_get_address_book_url_request req = {
		.user_dn = user_dn,
	};
	struct mapihttp_get_address_book_url_response resp;

	check_step(check, "ask for the address book's URL");
	if (client_nspi_call(check->book->nspi, check->mem, "GetAddressBookUrl",
			     &req, &resp, &check->book->error) < 0)
		return -1;
	check_url(check, "addressbook", resp.server_url);
	return 0;
}

static int check_mailbox_url(struct check *check, const char *server_dn)
{
	struct mapihttp_get_mailbox_url_request req = {
		.server_dn = server_dn,
	};
	struct mapihttp_get_mailbox_url_response resp;

	check_step(check, "ask for the mailbox's URL");
	if (client_nspi_call(check->book->nspi, check->mem, "GetMailboxUrl",
			     &req, &resp, &check->book->error) < 0)
		return -1;
	check_url(check, "mailbox", resp.server_url);
	return 0;
}

static int check_urls(struct check *check)
{
	static const uint32_t tags[] = {
		MAPI_TAG_AS(PIDTAG_ADDRESS_BOOK_HOME_MESSAGE_DATABASE,
			    PTYP_STRING),
	};
	static const struct client_nspi_columns columns = { tags, 1 };
	const char *dn = check->book->test->dn, *database, *end;
	struct mapihttp_property_list props;
	struct client_nspi_mids mids;

	if (check_addressbook_url(check, dn) < 0)
		return -1;
	check_step(check, "find the user's server");
	if (client_nspi_dn_to_mid(check->book->nspi, check->mem, &dn, 1, &mids,
				  &check->book->error) < 0)
		return -1;
	if (mids.mids[0] == 0)
		return 0;
	if (client_nspi_get_props(check->book->nspi, check->mem, mids.mids[0],
				  0, &columns, &props,
				  &check->book->error) < 0)
		return -1;
	database = client_nspi_string(&props, tags[0]);
	check_that(check, database != NULL, "the user has no mail database");
	if (database == NULL)
		return 0;
	/* the database is the server's last part */
	end = strrchr(database, '/');
	return check_mailbox_url(check, end == NULL ? database :
				 talloc_strndup(check->mem, database,
						end - database));
}

/* What isn't there must be refused, and with no rows. */
static int check_unknown(struct check *check)
{
	struct client_nspi_rows rows;
	struct mapihttp_stat stat;

	for (unsigned int i = 0; i < 2; i++) {
		check_stat(check, &stat);
		if (i == 0)
			stat.current_rec = MID_UNKNOWN;
		else
			stat.container_id = MID_UNKNOWN;
		check_step(check, "ask for what isn't there");
		if (client_nspi_query_rows(check->book->nspi, check->mem, &stat,
					   NULL, 1, &book_columns, &rows,
					   &check->book->error) == 0) {
			check_that(check, false, "rows %s that doesn't exist",
				   i == 0 ? "at an MId" : "of a container");
		} else if (check->book->error.failure != CLIENT_FAIL_STATUS) {
			return -1;
		}
	}
	return 0;
}

int gal_check(struct book *book, const char *name, uint32_t container)
{
	/* those after the first need a row */
	static int (*const checks[])(struct check *check) = {
		check_explicit, check_props, check_move, check_fraction,
		check_seek, check_compare, check_resort, check_dns,
		check_addresses, check_filter, check_hierarchy, check_columns,
		check_urls, check_unknown,
	};
	struct check check = {
		.book = book, .name = name, .container = container,
		.mem = talloc_new(book->test->mem),
	};
	unsigned int before = book->nspi->http->violation_count;
	int ret = check_read(&check);

	for (unsigned int i = 0; i < sizeof(checks) / sizeof(checks[0]) &&
		     ret == 0 && check.rows.count > 0; i++)
		ret = checks[i](&check);
	if (ret == 0 && book->test->json) {
		jw_number(&book->jw, "checks", check.questions);
	} else if (ret == 0) {
		printf("Checks of %s: %u questions, %u differences\n", name,
		       check.questions,
		       book->nspi->http->violation_count - before);
	}
	talloc_free(check.mem);
	return ret;
}
