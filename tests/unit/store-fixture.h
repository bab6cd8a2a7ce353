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

void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
/* Another session */
void fixture_reopen(struct fixture *f);
/* mapi_folder_transfer() within the store, by which all is copied */
enum mapi_error
fixture_copy_folder(struct fixture *f, mapi_id_t fid, mapi_id_t dest_fid,
		    const char *name, bool recursive);

struct fixture_test {
	const char *name;
	CMUnitTestFunction func;
};
/* Runs tests with each storage format, each with a fixture of its own as *state;
   or only those that the program's argument says: "*maildir*". Returns what main()
   is to return. */
int fixture_run(const struct fixture_test *tests, unsigned int count, int argc,
		char *argv[]);

#endif
