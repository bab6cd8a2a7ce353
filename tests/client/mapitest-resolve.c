/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapitest-book.h"
#include "mapitest-output.h"

#include <string.h>

/* of an ambiguous name; Outlook shows 100 */
#define MAX_CANDIDATES 100

static int resolve_ambiguous(struct book *book, const char *name)
{
	struct client_nspi_rows rows = { .count = 0 };
	struct book_entry entry;
	bool too_many = false;

	book->not_found = true;
	book_step(book, "list whom '%s' may mean", name);
	if (book_candidates(book, name, MAX_CANDIDATES, &rows) < 0) {
		if (book->error.ec != EC_TABLE_TOO_BIG)
			return -1;
		too_many = true;
	}
	if (book->test->json) {
		jw_bool(&book->jw, "too_many", too_many);
		jw_open_array(&book->jw, "candidates");
	} else if (too_many) {
		printf("ambiguous, more than %d candidates\n", MAX_CANDIDATES);
	} else {
		printf("ambiguous, %u candidates:\n", rows.count);
	}
	for (uint32_t i = 0; i < rows.count; i++) {
		book_entry_read(&rows.rows[i], &entry);
		book_entry_print(book, &entry);
	}
	if (book->test->json)
		jw_close_array(&book->jw);
	if (!too_many && rows.count < 2) {
		client_http_violation(book->nspi->http,
			"ResolveNames: '%s' is ambiguous, but GetMatches finds "
			"%u", name, rows.count);
	}
	return 0;
}

static int
resolve_print(struct book *book, const char *name, uint32_t mid,
	      const struct mapi_property_row *row)
{
	static const char *const results[] = {
		"not found", "ambiguous", "resolved",
	};
	struct book_entry entry;
	int ret = 0;

	if (book->test->json) {
		jw_open_object(&book->jw, NULL);
		jw_string(&book->jw, "name", name);
		jw_string(&book->jw, "result", results[mid]);
	} else {
		putchar('\n');
		mapitest_put(name);
		fputs(": ", stdout);
	}
	switch (mid) {
	case CLIENT_MID_RESOLVED:
		book_entry_read(row, &entry);
		if (book->test->json)
			jw_open_array(&book->jw, "candidates");
		else
			printf("resolved, %s\n",
			       book_entry_type(&entry));
		book_entry_print(book, &entry);
		if (book->test->json)
			jw_close_array(&book->jw);
		break;
	case CLIENT_MID_AMBIGUOUS:
		ret = resolve_ambiguous(book, name);
		break;
	default:
		book->not_found = true;
		if (!book->test->json)
			printf("not found\n");
		break;
	}
	if (book->test->json && ret == 0)
		jw_close_object(&book->jw);
	return ret;
}

static int
resolve(struct book *book, const char *const *names, uint32_t count)
{
	struct client_nspi_mids mids;
	struct client_nspi_rows rows;
	uint32_t row = 0;

	if (book_begin(book) < 0)
		return -1;
	book_step(book, "resolve %u names", count);
	if (client_nspi_resolve_names(book->nspi, book->test->mem, names, count,
				      &book_columns, &mids, &rows,
				      &book->error) < 0)
		return -1;
	if (book->test->json)
		jw_open_array(&book->jw, "names");
	for (uint32_t i = 0; i < count; i++) {
		if (resolve_print(book, names[i], mids.mids[i],
				  mids.mids[i] == CLIENT_MID_RESOLVED ?
				  &rows.rows[row++] : NULL) < 0)
			return -1;
	}
	if (book->test->json)
		jw_close_array(&book->jw);
	return book_end(book);
}

int mapitest_resolve(struct mapitest *test)
{
	struct book book = { .test = test };

	for (int i = 0; i < test->argc; i++) {
		if (strncmp(test->argv[i], "--", 2) == 0) {
			fprintf(stderr, "mapitest: resolve: what's %s?\n",
				test->argv[i]);
			return MAPITEST_USAGE;
		}
	}
	if (test->argc == 0) {
		fprintf(stderr, "mapitest: resolve: which names?\n");
		return MAPITEST_USAGE;
	}
	if (mapitest_locate(test, MAPITEST_ADDRESSBOOK) != MAPITEST_OK)
		return MAPITEST_FAILED;
	return book_finish(&book, resolve(&book,
					  (const char *const *)test->argv,
					  test->argc));
}
