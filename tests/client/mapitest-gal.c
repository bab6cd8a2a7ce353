/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapitest-book.h"
#include "mapitest-gal.h"
#include "mapitest-output.h"
#include "mapi-props.h"

#include <string.h>
#include <strings.h>

#define DEFAULT_ROWS 10
/* asked for at once */
#define PAGE_ROWS 200
/* what Outlook calls the list without name */
#define GAL_NAME "Global Address List"

struct gal_options {
	const char *list, *search, *details, *members;
	unsigned int rows;
	bool check;
};

struct gal_list {
	const char *name;
	uint32_t mid, depth, rows;
};

struct gal {
	struct book book;
	struct gal_options options;
	struct gal_list *lists;
	uint32_t list_count;
	/* the list that was chosen */
	const struct gal_list *list;
	/* the first distribution list among the rows, name NULL if none */
	struct book_entry distlist;
};

/* --- address lists --------------------------------------------------------*/
static int gal_count_rows(struct gal *gal, struct gal_list *list)
{
	struct mapihttp_stat stat;

	client_nspi_stat_init(&stat);
	stat.container_id = list->mid;
	book_step(&gal->book, "count the rows of %s", list->name);
	if (client_nspi_update_stat(gal->book.nspi, &stat, NULL,
				    &gal->book.error) < 0)
		return -1;
	list->rows = stat.total_recs;
	return 0;
}

static void gal_print_lists(struct gal *gal)
{
	struct json_writer *jw = &gal->book.jw;

	if (!gal->book.test->json) {
		printf("\nAddress lists\n");
		for (uint32_t i = 0; i < gal->list_count; i++) {
			printf("  %*s", (int)gal->lists[i].depth * 2, "");
			mapitest_put(gal->lists[i].name);
			printf(" (%u)\n", gal->lists[i].rows);
		}
		return;
	}
	jw_open_array(jw, "lists");
	for (uint32_t i = 0; i < gal->list_count; i++) {
		jw_open_object(jw, NULL);
		jw_string(jw, "name", gal->lists[i].name);
		jw_number(jw, "mid", gal->lists[i].mid);
		jw_number(jw, "depth", gal->lists[i].depth);
		jw_number(jw, "rows", gal->lists[i].rows);
		jw_close_object(jw);
	}
	jw_close_array(jw);
}

static int gal_read_lists(struct gal *gal)
{
	struct book *book = &gal->book;
	TALLOC_CTX *mem = book->test->mem;
	struct mapihttp_property_list *rows;
	uint32_t version = 0;

	book_step(book, "read the hierarchy of address lists");
	if (client_nspi_special_table(book->nspi, mem,
				      CLIENT_NSPI_UNICODE_STRINGS, &version,
				      &rows, &gal->list_count,
				      &book->error) < 0)
		return -1;
	if (gal->list_count == 0) {
		return client_error_set(&book->error, CLIENT_FAIL_PROTOCOL,
			"the hierarchy is empty: there's always a global "
			"address list");
	}
	gal->lists = talloc_zero_array(mem, struct gal_list, gal->list_count);
	for (uint32_t i = 0; i < gal->list_count; i++) {
		struct gal_list *list = &gal->lists[i];

		list->name = client_nspi_string(&rows[i], PIDTAG_DISPLAY_NAME);
		list->mid = client_nspi_number(&rows[i],
			PIDTAG_ADDRESS_BOOK_CONTAINER_ID);
		list->depth = client_nspi_number(&rows[i], PIDTAG_DEPTH);
		if (list->name == NULL || list->name[0] == '\0')
			list->name = list->mid == 0 ? GAL_NAME : "(no name)";
		/* what is printed stays within bounds */
		if (list->depth > 20)
			list->depth = 20;
		if (gal_count_rows(gal, list) < 0)
			return -1;
	}
	gal_print_lists(gal);
	return 0;
}

/* Returns false if there's no such list. */
static bool gal_choose_list(struct gal *gal)
{
	const char *wanted = gal->options.list;

	if (wanted == NULL) {
		gal->list = &gal->lists[0];
		return true;
	}
	for (uint32_t i = 0; i < gal->list_count; i++) {
		if (strcasecmp(gal->lists[i].name, wanted) == 0) {
			gal->list = &gal->lists[i];
			return true;
		}
	}
	fflush(stdout);
	fprintf(stderr, "mapitest: NOT FOUND: there's no address list '%s'.\n",
		wanted);
	gal->book.not_found = true;
	return false;
}

/* --- rows -----------------------------------------------------------------*/
static void gal_print_row(struct gal *gal, const struct mapi_property_row *row)
{
	struct book_entry entry;

	book_entry_read(row, &entry);
	if (entry.display_type == CLIENT_DT_DISTLIST && entry.name != NULL &&
	    gal->distlist.name == NULL) {
		gal->distlist.mid = entry.mid;
		gal->distlist.name = talloc_strdup(gal->book.test->mem,
						   entry.name);
	}
	book_entry_print(&gal->book, &entry);
}

/* Goes to where --search says. Returns 0 if nobody is there. */
static int gal_seek(struct gal *gal, struct mapihttp_stat *stat)
{
	struct book *book = &gal->book;
	struct client_nspi_rows rows;

	book_step(book, "seek '%s' in %s", gal->options.search, gal->list->name);
	if (client_nspi_seek_entries(book->nspi, book->test->mem, stat,
				     gal->options.search, &book_columns, &rows,
				     &book->error) == 0)
		return 1;
	if (book->error.failure != CLIENT_FAIL_STATUS ||
	    book->error.ec != EC_NOT_FOUND)
		return -1;
	book->not_found = true;
	fflush(stdout);
	fprintf(stderr, "mapitest: NOT FOUND: %s has nobody from '%s' on.\n",
		gal->list->name, gal->options.search);
	return 0;
}

/* Prints up to count rows. Returns how many, 0 at the end. */
static int
gal_read_page(struct gal *gal, struct mapihttp_stat *stat, uint32_t count)
{
	struct book *book = &gal->book;
	TALLOC_CTX *mem = talloc_new(book->test->mem);
	struct client_nspi_rows rows;
	uint32_t before = stat->current_rec;
	int ret;

	book_step(book, "read rows of %s from row %u on", gal->list->name,
		  stat->num_pos + 1);
	ret = client_nspi_query_rows(book->nspi, mem, stat, NULL, count,
				     &book_columns, &rows, &book->error);
	if (ret == 0) {
		for (uint32_t i = 0; i < rows.count; i++)
			gal_print_row(gal, &rows.rows[i]);
		/* fewer than asked for may come before the end, too */
		ret = stat->current_rec == CLIENT_MID_END ? 0 : rows.count;
		if (ret > 0 && stat->current_rec == before) {
			ret = client_error_set(&book->error,
				CLIENT_FAIL_PROTOCOL, "rows came, but the "
				"position is the same as before");
		}
	}
	talloc_free(mem);
	return ret;
}

static int gal_read_rows(struct gal *gal)
{
	struct book *book = &gal->book;
	struct mapihttp_stat stat;
	uint32_t left = gal->options.rows;
	int ret = 1;

	client_nspi_stat_init(&stat);
	stat.container_id = gal->list->mid;
	if (gal->options.search != NULL && (ret = gal_seek(gal, &stat)) <= 0)
		return ret;
	if (book->test->json) {
		jw_string(&book->jw, "list", gal->list->name);
		jw_number(&book->jw, "position", stat.num_pos);
		jw_open_array(&book->jw, "rows");
	} else {
		printf("\n%s, %u rows, from row %u on\n", gal->list->name,
		       gal->list->rows, stat.num_pos + 1);
	}
	while (left > 0 && ret > 0) {
		ret = gal_read_page(gal, &stat,
				    left < PAGE_ROWS ? left : PAGE_ROWS);
		if (left != MAPITEST_ALL && ret > 0)
			left -= (uint32_t)ret < left ? (uint32_t)ret : left;
	}
	if (ret < 0)
		return -1;
	if (book->test->json)
		jw_close_array(&book->jw);
	return 0;
}

/* --- members --------------------------------------------------------------*/
static int gal_print_members(struct gal *gal, const struct book_entry *list)
{
	struct book *book = &gal->book;
	struct client_nspi_rows rows = { .count = 0 };
	bool too_many = false;

	book_step(book, "list the members of %s", list->name);
	if (book_links(book, list->mid, PIDTAG_ADDRESS_BOOK_MEMBER,
		       &rows) < 0) {
		if (book->error.ec != EC_TABLE_TOO_BIG)
			return -1;
		too_many = true;
	}
	if (book->test->json) {
		jw_string(&book->jw, "members_of", list->name);
		jw_bool(&book->jw, "too_many_members", too_many);
		jw_open_array(&book->jw, "members");
	} else {
		printf("\nMembers of ");
		mapitest_put(list->name);
		printf(", %s%u\n", too_many ? "more than " : "",
		       too_many ? BOOK_MAX_MATCHES : rows.count);
	}
	for (uint32_t i = 0; i < rows.count; i++)
		gal_print_row(gal, &rows.rows[i]);
	if (book->test->json)
		jw_close_array(&book->jw);
	return 0;
}

static int gal_members(struct gal *gal)
{
	struct book *book = &gal->book;
	struct book_entry list;

	if (gal->options.members != NULL) {
		int ret = gal_find(book, gal->options.members, &list);

		return ret <= 0 ? ret : gal_print_members(gal, &list);
	}
	if (gal->distlist.name != NULL) {
		return gal_print_members(gal, &gal->distlist);
	}
	return 0;
}

/* --- the command ----------------------------------------------------------*/
static int gal_run(struct gal *gal)
{
	if (book_begin(&gal->book) < 0 || gal_read_lists(gal) < 0)
		return -1;
	if (gal_choose_list(gal) &&
	    (gal_read_rows(gal) < 0 ||
	     gal_details(&gal->book, gal->options.details) < 0 ||
	     gal_members(gal) < 0 ||
	     (gal->options.check &&
	      gal_check(&gal->book, gal->list->name, gal->list->mid) < 0)))
		return -1;
	return book_end(&gal->book);
}

int mapitest_gal(struct mapitest *test)
{
	struct gal gal = {
		.book.test = test, .options.rows = DEFAULT_ROWS,
	};
	struct gal_options *options = &gal.options;
	int i;

	for (i = 0; i < test->argc; i += 2) {
		const char *arg = test->argv[i];
		const char *value = test->argv[i + 1];

		if (strcmp(arg, "--check") == 0) {
			options->check = true;
			i--;
		} else if (value != NULL && strcmp(arg, "--list") == 0)
			options->list = value;
		else if (value != NULL && strcmp(arg, "--search") == 0)
			options->search = value;
		else if (value != NULL && strcmp(arg, "--details") == 0)
			options->details = value;
		else if (value != NULL && strcmp(arg, "--members") == 0)
			options->members = value;
		else if (value == NULL || strcmp(arg, "--rows") != 0 ||
			 !mapitest_parse_count(value, &options->rows)) {
			fprintf(stderr, "mapitest: gal: what's %s?\n", arg);
			return MAPITEST_USAGE;
		}
	}
	if (mapitest_locate(test, MAPITEST_ADDRESSBOOK) != MAPITEST_OK)
		return MAPITEST_FAILED;
	return book_finish(&gal.book, gal_run(&gal));
}
