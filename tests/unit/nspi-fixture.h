/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NSPI_FIXTURE_H
#define NSPI_FIXTURE_H

/* A small directory and requests to its address book, for test-nspi-*.c and
   fuzz-nspi.c. Include lib.h first. */

#include "mapi-directory-settings.h"
#include "mapi-entryid.h"
#include "mapi-props.h"
#include "mapihttp-codec.h"
#include "snapshot-build.h"
#include "nspi-handlers.h"

#include <stdlib.h>
#include <unistd.h>

#define FIXTURE_USERS 40
#define FIXTURE_DN "/o=Test/ou=Exchange Administrative Group " \
	"(FYDIBOHF23SPDLT)/cn=Recipients/cn="

struct nspi_fixture {
	struct nspi_context ctx;
	struct snapshot *snapshot;
	struct mapi_addressbook_settings set;
	char path[64];
	bool bound;
};

/* Users "User 00" to "User 39", user number 7 is "Jörg User" with manager
   user00; group "Everybody" of the first ten users, "Nobody" without any;
   contact, room, equipment; container "Berlin". */
static inline void
nspi_fixture_object(struct snapshot_builder *builder,
		    struct directory_object *object)
{
	object->id[0] = object->kind + 1;
	if (object->address != NULL) {
		object->addresses = &object->address;
		object->addresses_count = 1;
	}
	snapshot_builder_update(builder, object);
}

static inline void
nspi_fixture_users(struct snapshot_builder *builder)
{
	static const struct directory_link manager = {
		PIDTAG_ADDRESS_BOOK_MANAGER, "uid=user00,dc=example"
	};
	struct mapi_property props[2];

	for (unsigned int i = 0; i < FIXTURE_USERS; i++) T_BEGIN {
		struct directory_object user;
		const char *name = t_strdup_printf("user%02u", i);

		i_zero(&user);
		user.id[1] = i;
		user.kind = DIRECTORY_USER;
		user.dn = t_strdup_printf("uid=%s,dc=example", name);
		user.display_name = i == 7 ? "J\xc3\xb6rg User" :
			t_strdup_printf("User %02u", i);
		user.username = t_strdup_printf("%s@example.org", name);
		user.address = user.username;
		user.legacy_dn = t_strconcat(FIXTURE_DN, user.username, NULL);
		props[0].tag = PIDTAG_TITLE;
		props[0].value = mapi_value_str(i % 2 == 0 ? "Even" : "Odd");
		props[1].tag = PIDTAG_BUSINESS_TELEPHONE_NUMBER;
		props[1].value = mapi_value_str("+49 30 1");
		user.props = props;
		user.props_count = N_ELEMENTS(props);
		if (i == 7) {
			user.links = &manager;
			user.links_count = 1;
		}
		nspi_fixture_object(builder, &user);
	} T_END;
}

static inline void
nspi_fixture_others(struct snapshot_builder *builder)
{
	struct directory_link members[10];
	struct directory_object objects[] = {
		{ .kind = DIRECTORY_GROUP, .dn = "cn=everybody,dc=example",
		  .display_name = "Everybody",
		  .address = "everybody@example.org",
		  .legacy_dn = FIXTURE_DN "everybody",
		  .links = members, .links_count = N_ELEMENTS(members) },
		{ .kind = DIRECTORY_GROUP, .dn = "cn=nobody,dc=example",
		  .display_name = "Nobody",
		  .legacy_dn = FIXTURE_DN "nobody", .id = { 0, 1 } },
		{ .kind = DIRECTORY_CONTACT, .dn = "cn=carl,dc=example",
		  .display_name = "Carl Contact",
		  .address = "carl@example.net",
		  .legacy_dn = FIXTURE_DN "carl" },
		{ .kind = DIRECTORY_ROOM, .dn = "cn=room,dc=example",
		  .display_name = "Room 1", .username = "room1",
		  .address = "room1@example.org",
		  .legacy_dn = FIXTURE_DN "room1" },
		{ .kind = DIRECTORY_EQUIPMENT, .dn = "cn=beamer,dc=example",
		  .display_name = "Beamer", .username = "beamer",
		  .address = "beamer@example.org",
		  .legacy_dn = FIXTURE_DN "beamer" },
		{ .kind = DIRECTORY_CONTAINER, .dn = "ou=berlin,dc=example",
		  .display_name = "Berlin", .legacy_dn = FIXTURE_DN "berlin" },
	};

	T_BEGIN {
		for (unsigned int i = 0; i < N_ELEMENTS(members); i++) {
			members[i].tag = PIDTAG_ADDRESS_BOOK_MEMBER;
			members[i].dn = t_strdup_printf(
				"uid=user%02u,dc=example", i);
		}
		for (unsigned int i = 0; i < N_ELEMENTS(objects); i++)
			nspi_fixture_object(builder, &objects[i]);
	} T_END;
}

static inline void nspi_fixture_init(struct nspi_fixture *fix)
{
	static const char *const locales[] = { "en", NULL };
	static const uint32_t anr_tags[] = { PIDTAG_TITLE };
	struct snapshot_settings set = {
		.locales = locales, .anr_tags = anr_tags,
		.anr_tags_count = N_ELEMENTS(anr_tags),
	};
	struct snapshot_builder *builder;
	const char *error;
	int fd;

	i_zero(fix);
	i_strocpy(fix->path, "/tmp/test-nspi.XXXXXX", sizeof(fix->path));
	if ((fd = mkstemp(fix->path)) == -1)
		i_fatal("mkstemp() failed: %m");
	i_close_fd(&fd);
	i_unlink(fix->path);
	set.path = fix->path;
	builder = snapshot_builder_init(&set);
	nspi_fixture_users(builder);
	nspi_fixture_others(builder);
	if (snapshot_builder_write(builder, NULL, 0, &error) < 0)
		i_fatal("%s", error);
	snapshot_builder_deinit(&builder);
	if (snapshot_open(fix->path, &fix->snapshot, &error) <= 0)
		i_fatal("%s", error);
	fix->set.mapi_organization = "Test";
	fix->set.mapi_external_url = "https://mail.example.org";
	fix->ctx.set = &fix->set;
	fix->ctx.snapshot = fix->snapshot;
	fix->ctx.username = "user00@example.org";
	fix->ctx.mem = talloc_new(NULL);
	fix->bound = TRUE;
}

static inline void nspi_fixture_deinit(struct nspi_fixture *fix)
{
	snapshot_unref(&fix->snapshot);
	talloc_free(fix->ctx.mem);
	i_unlink(fix->path);
}

#endif
