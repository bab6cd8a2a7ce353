/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mapi-folder.h"
#include "mapi-folder-write.h"
#include "store-fixture.h"

static const struct mapi_store_settings store_set = {
	.companion_root = "mapi-internal",
	.organization = "Test",
	.display_name = "",
	.email_address = "user@example.com",
};

static const char *const drivers[] = { "maildir", "sdbox", "mdbox" };

void fixture_open(struct fixture *f)
{
	assert_int_equal(mapi_store_open(NULL, f->ts->user, &store_set,
					 &f->store), EC_NONE);
	mapi_store_set_code_page(f->store, 1252);
	f->mem = talloc_new(NULL);
	f->root = mapi_store_special_fid(f->store, MAPI_SPECIAL_ROOT);
	f->top = mapi_store_special_fid(f->store, MAPI_SPECIAL_IPM_SUBTREE);
	f->finder = mapi_store_special_fid(f->store, MAPI_SPECIAL_FINDER);
	f->inbox = mapi_store_special_fid(f->store, MAPI_SPECIAL_INBOX);
	f->trash = mapi_store_special_fid(f->store, MAPI_SPECIAL_DELETED_ITEMS);
}

void fixture_close(struct fixture *f)
{
	talloc_free(f->mem);
	talloc_free(f->store);
}

void fixture_reopen(struct fixture *f)
{
	fixture_close(f);
	test_storage_relogin(f->ts);
	fixture_open(f);
}

enum mapi_error
fixture_copy_folder(struct fixture *f, mapi_id_t fid, mapi_id_t dest_fid,
		    const char *name, bool recursive)
{
	enum mapi_error error;
	bool partial;

	error = mapi_folder_transfer(f->store, fid, f->store, dest_fid, name,
				     recursive, FALSE, &partial);
	assert_true(error != EC_NONE || !partial);
	return error;
}

static int fixture_setup(void **state)
{
	struct fixture *f = i_new(struct fixture, 1);

	f->ts = test_storage_init(*state);
	fixture_open(f);
	*state = f;
	return 0;
}

static int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	fixture_close(f);
	test_storage_deinit(&f->ts);
	i_free(f);
	return 0;
}

int fixture_run(const struct fixture_test *tests, unsigned int count, int argc,
		char *argv[])
{
	struct CMUnitTest *all;
	unsigned int i, j, n = 0;
	int ret;

	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	all = i_new(struct CMUnitTest, N_ELEMENTS(drivers) * count);
	for (i = 0; i < N_ELEMENTS(drivers); i++) {
		for (j = 0; j < count; j++, n++) {
			all[n].name = i_strdup_printf("%s (%s)", tests[j].name,
						      drivers[i]);
			all[n].test_func = tests[j].func;
			all[n].setup_func = fixture_setup;
			all[n].teardown_func = fixture_teardown;
			all[n].initial_state = (void *)drivers[i];
		}
	}
	/* what cmocka_run_group_tests() calls; the array's size isn't known to
	   the compiler */
	ret = _cmocka_run_group_tests("tests", all, n, NULL, NULL);
	while (n-- > 0)
		i_free(*(char **)&all[n].name);
	i_free(all);
	return ret;
}
