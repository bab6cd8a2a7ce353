/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPITEST_BOOK_H
#define MAPITEST_BOOK_H

/* What the commands of the address book share. */

#include "client-nspi.h"
#include "json-writer.h"
#include "mapitest.h"

/* as many candidates of a name, members of a list as are asked for */
#define BOOK_MAX_MATCHES 1000

struct book {
	struct mapitest *test;
	struct client_nspi *nspi;
	/* the step that is being done and its failure */
	struct client_error error;
	/* what's printed with --json */
	struct json_writer jw;
	/* something that was asked for isn't there */
	bool not_found;
};

/* One of an address list; NULL where there's nothing */
struct book_entry {
	const char *name, *address, *phone, *department, *title, *office;
	/* PidTagEmailAddress: the legacy DN */
	const char *dn;
	uint32_t display_type, mid;
	/* PidTagDisplayTypeEx, [MS-OXOABK] 2.2.3.12; 0 if it isn't there */
	uint32_t display_type_ex;
};

/* The columns that book_entry_read() wants */
extern const struct client_nspi_columns book_columns;

/* Says what is done next. */
void book_step(struct book *book, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Says where the address book is, and binds. */
int book_begin(struct book *book);
int book_end(struct book *book);
/* Prints what's left to be said (violations, the failure) and returns the
   exit status. ret: -1 if the step has failed. */
int book_finish(struct book *book, int ret);

void book_entry_read(const struct mapi_property_row *row,
		     struct book_entry *entry_r);
/* A line, or an object */
void book_entry_print(struct book *book, const struct book_entry *entry);
/* "user", "list", "room", ... */
const char *book_entry_type(const struct book_entry *entry);

/* Whom a name means: *mid_r is CLIENT_MID_RESOLVED .., and entry_r is set if
   it's that. */
int book_resolve(struct book *book, const char *name, uint32_t *mid_r,
		 struct book_entry *entry_r);
/* All that a name may mean, at most max. */
int book_candidates(struct book *book, const char *name, uint32_t max,
		    struct client_nspi_rows *rows_r);
/* Whom a property of an object refers to */
int book_links(struct book *book, uint32_t mid, uint32_t tag,
	       struct client_nspi_rows *rows_r);

#endif
