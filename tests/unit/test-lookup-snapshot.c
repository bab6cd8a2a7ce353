/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the lookup socket finds in a snapshot of the directory. */

#include "lib.h"
#include "lookup.h"
#include "mapi-props.h"
#include "snapshot.h"
#include "snapshot-build.h"

#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static const char *const bob_addresses[] = {
	"bob@example.com", "robert@example.com"
};
static const char *const staff_addresses[] = { "staff@example.com" };
static const char *const remote_addresses[] = { "remote@example.net" };

static const struct directory_link bob_links[] = {
	{ PIDTAG_ADDRESS_BOOK_PUBLIC_DELEGATES, "cn=remote,dc=x" },
	{ PIDTAG_ADDRESS_BOOK_MANAGER, "cn=staff,dc=x" },
	{ PIDTAG_ADDRESS_BOOK_PUBLIC_DELEGATES, "cn=gone,dc=x" },
	{ PIDTAG_ADDRESS_BOOK_PUBLIC_DELEGATES, "cn=staff,dc=x" },
};

static const struct directory_object objects[] = {
	{ .id = { 1 }, .kind = DIRECTORY_USER, .dn = "cn=bob,dc=x",
	  .display_name = "Bob Builder", .username = "bob",
	  .address = "bob@example.com", .addresses = bob_addresses,
	  .addresses_count = 2, .legacy_dn = "/o=Old/cn=bob",
	  .links = bob_links, .links_count = N_ELEMENTS(bob_links) },
	/* hidden everywhere */
	{ .id = { 2 }, .kind = DIRECTORY_GROUP,
	  .hide = DIRECTORY_HIDE_FROM_GAL | DIRECTORY_HIDE_FROM_LISTS |
		DIRECTORY_HIDE_FROM_RESOLVE,
	  .dn = "cn=staff,dc=x", .display_name = "Staff",
	  .address = "staff@example.com", .addresses = staff_addresses,
	  .addresses_count = 1, .legacy_dn = "/o=Old/cn=staff" },
	{ .id = { 3 }, .kind = DIRECTORY_CONTACT, .dn = "cn=remote,dc=x",
	  .display_name = "Remote", .address = "remote@example.net",
	  .addresses = remote_addresses, .addresses_count = 1,
	  .legacy_dn = "/o=Old/cn=remote" },
	{ .id = { 4 }, .kind = DIRECTORY_CONTAINER, .dn = "ou=unit,dc=x",
	  .display_name = "Unit", .legacy_dn = "/o=Old/ou=unit" },
};

static struct snapshot *make_snapshot(const char *path)
{
	static const char *const locales[] = { "en", NULL };
	struct snapshot_settings set = { .path = path, .locales = locales };
	struct snapshot_builder *builder;
	struct snapshot *snapshot;
	const char *error;
	unsigned int i;

	builder = snapshot_builder_init(&set);
	for (i = 0; i < N_ELEMENTS(objects); i++)
		snapshot_builder_update(builder, &objects[i]);
	assert_int_equal(snapshot_builder_write(builder, NULL, 0, &error), 0);
	snapshot_builder_deinit(&builder);
	assert_int_equal(snapshot_open(path, &snapshot, &error), 1);
	return snapshot;
}

static void
assert_found(const struct snapshot *snapshot, enum mapi_directory_key key,
	     const char *value, unsigned int idx, uint32_t object_type,
	     uint32_t display_type)
{
	struct mapi_directory_object object;

	assert_true(lookup_snapshot_find(snapshot, key, value, &object));
	assert_string_equal(object.legacy_dn, objects[idx].legacy_dn);
	assert_string_equal(object.name, objects[idx].display_name);
	assert_string_equal(object.address, objects[idx].address);
	if (objects[idx].username == NULL)
		assert_null(object.username);
	else
		assert_string_equal(object.username, objects[idx].username);
	assert_int_equal(object.object_type, object_type);
	assert_int_equal(object.display_type, display_type);
}

static void test_find(void **state)
{
	static const struct {
		enum mapi_directory_key key;
		const char *value;
	} unknown[] = {
		{ MAPI_DIRECTORY_ADDRESS, "bob@example.org" },
		{ MAPI_DIRECTORY_ADDRESS, "bob" },
		{ MAPI_DIRECTORY_ADDRESS, "" },
		{ MAPI_DIRECTORY_USERNAME, "staff" },
		{ MAPI_DIRECTORY_USERNAME, "bob@example.com" },
		{ MAPI_DIRECTORY_LEGACY_DN, "/o=Old/cn=bo" },
		/* can't be a recipient */
		{ MAPI_DIRECTORY_LEGACY_DN, "/o=Old/ou=unit" },
	};
	char dir[] = "/tmp/test-lookup-XXXXXX";
	struct mapi_directory_object object;
	struct snapshot *snapshot;
	const char *path;
	unsigned int i;

	assert_non_null(mkdtemp(dir));
	path = t_strconcat(dir, "/snapshot", NULL);
	snapshot = make_snapshot(path);
	assert_found(snapshot, MAPI_DIRECTORY_ADDRESS, "BOB@example.com",
		     0, 6, 0);
	/* another address of his: the primary one is told */
	assert_found(snapshot, MAPI_DIRECTORY_ADDRESS, "robert@example.com",
		     0, 6, 0);
	assert_found(snapshot, MAPI_DIRECTORY_USERNAME, "bob", 0, 6, 0);
	assert_found(snapshot, MAPI_DIRECTORY_LEGACY_DN, "/O=OLD/CN=BOB",
		     0, 6, 0);
	assert_found(snapshot, MAPI_DIRECTORY_ADDRESS, "staff@example.com",
		     1, 8, 1);
	assert_found(snapshot, MAPI_DIRECTORY_LEGACY_DN, "/o=Old/cn=remote",
		     2, 6, 6);
	assert_true(lookup_snapshot_find(snapshot, MAPI_DIRECTORY_USERNAME,
					 "bob", &object));
	assert_string_equal(t_strarray_join(object.delegates, " "),
			    "/o=Old/cn=remote /o=Old/cn=staff");
	assert_true(lookup_snapshot_find(snapshot, MAPI_DIRECTORY_ADDRESS,
					 "staff@example.com", &object));
	assert_null(object.delegates);
	for (i = 0; i < N_ELEMENTS(unknown); i++) {
		assert_false(lookup_snapshot_find(snapshot, unknown[i].key,
						  unknown[i].value, &object));
		/* as it is before the directory has been read */
		assert_false(lookup_snapshot_find(NULL, unknown[i].key,
						  unknown[i].value, &object));
	}
	snapshot_unref(&snapshot);
	(void)unlink(path);
	(void)rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
