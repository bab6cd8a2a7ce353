/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
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
	object_r->object_type = lookup_kinds[object.kind].object_type;
	object_r->display_type = lookup_kinds[object.kind].display_type;
	return TRUE;
}
