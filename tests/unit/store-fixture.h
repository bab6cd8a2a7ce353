/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

/* A store over real mailboxes for a cmocka test: include "lib.h", the C library's
   headers of cmocka.h and that one first. */

#include "mapi-store.h"
#include "test-storage-common.h"

struct fixture {
	struct test_storage *ts;
	struct mapi_store *store;
	/* what is on it is freed when the session ends */
	TALLOC_CTX *mem;
	mapi_id_t root, top, finder, inbox, trash;
};

/* The formats, each of which tests run with: a test's initial state */
extern const char *const fixture_drivers[3];

void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
/* Another session */
void fixture_reopen(struct fixture *f);

/* For cmocka: *state is the format's name, then the fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

#endif
