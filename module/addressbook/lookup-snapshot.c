/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mapi-props.h"
#include "snapshot.h"
#include "lookup.h"

/* PidTagObjectType and PidTagDisplayType of what can be a recipient, [MS-OXOABK]
   2.2.3.10, 2.2.3.11. Rooms and equipment are mail users to who doesn't know
   PidTagDisplayTypeEx. */
static const struct {
	uint32_t object_type, display_type;
} lookup_kinds[DIRECTORY_KIND_COUNT] = {
	[DIRECTORY_USER] = { 6, 0 },
	[DIRECTORY_GROUP] = { 8, 1 },
	[DIRECTORY_CONTACT] = { 6, 6 },
	[DIRECTORY_ROOM] = { 6, 0 },
	[DIRECTORY_EQUIPMENT] = { 6, 0 },
};

/* More than anybody has */
#define DELEGATES_MAX 100

static const char *const *
t_find_delegates(const struct snapshot *snapshot,
		 const struct snapshot_object *object)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct snapshot_object delegate;
	ARRAY_TYPE(const_string) dns;
	const uint32_t *mids;
	unsigned int i, count;

	count = snapshot_object_links(object,
				      PIDTAG_ADDRESS_BOOK_PUBLIC_DELEGATES,
				      mem, &mids);
	t_array_init(&dns, 8);
	for (i = 0; i < count && i < DELEGATES_MAX; i++) {
		if (snapshot_get(snapshot, mids[i], &delegate))
			array_push_back(&dns, &delegate.legacy_dn);
	}
	talloc_free(mem);
	if (array_count(&dns) == 0)
		return NULL;
	array_append_zero(&dns);
	return array_front(&dns);
}

bool lookup_snapshot_find(const struct snapshot *snapshot,
			  enum mapi_directory_key key, const char *value,
			  struct mapi_directory_object *object_r)
{
	struct snapshot_object object;
	uint32_t mid = 0;

	if (snapshot == NULL)
		return FALSE;
	switch (key) {
	case MAPI_DIRECTORY_ADDRESS:
		mid = snapshot_find_address(snapshot, value);
		break;
	case MAPI_DIRECTORY_LEGACY_DN:
		mid = snapshot_find_legacy_dn(snapshot, value);
		break;
	case MAPI_DIRECTORY_USERNAME:
		mid = snapshot_find_username(snapshot, value);
		break;
	case MAPI_DIRECTORY_KEY_COUNT:
		i_unreached();
	}
	if (mid == 0 || !snapshot_get(snapshot, mid, &object) ||
	    object.kind >= DIRECTORY_CONTAINER)
		return FALSE;
	object_r->legacy_dn = object.legacy_dn;
	object_r->name = object.display_name;
	object_r->address = object.address;
	object_r->username = object.username;
	object_r->delegates = t_find_delegates(snapshot, &object);
	object_r->object_type = lookup_kinds[object.kind].object_type;
	object_r->display_type = lookup_kinds[object.kind].display_type;
	return TRUE;
}
