/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPITEST_GAL_H
#define MAPITEST_GAL_H

/* Parts of "mapitest gal" */

#include "mapitest-book.h"

/* mapitest-gal-details.c: the one whom a name means. Returns 1; 0 if it's nobody
   or several, which is said then; -1 with book->error set. */
int gal_find(struct book *book, const char *name, struct book_entry *entry_r);
/* Prints all about somebody; name NULL = the user. */
int gal_details(struct book *book, const char *name);
/* mapitest-gal-check.c: asks about an address list's first rows in several ways
   and notes as violations where the answers differ. */
int gal_check(struct book *book, const char *name, uint32_t container);

#endif
