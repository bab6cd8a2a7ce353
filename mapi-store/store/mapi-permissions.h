/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_PERMISSIONS_H
#define MAPI_PERMISSIONS_H

/* The permissions list of a folder, [MS-OXCPERM], and what it means for the
   user of the store. How it is kept is at the head of mapi-permissions.c. */

#include "mapi-folder.h"
#include "mapi-rights.h"

struct mapi_table;

/* PidTagMemberId of the two entries that every list has, [MS-OXCPERM] 2.2.5:
   of users that aren't listed, and of those who haven't logged in */
#define MAPI_MEMBER_DEFAULT 0
#define MAPI_MEMBER_ANONYMOUS (-1)

struct mapi_permission {
	int64_t member_id;
	/* as of struct mapi_acl_entry */
	const char *id;
	/* RIGHTS_*, with those about free/busy times */
	uint32_t rights;
	/* the administrator's: can't be changed */
	bool fixed;
};
struct mapi_permissions {
	struct mapi_permission *members;
	unsigned int count;
};

/* The list, default and anonymous first, allocated from mem. EC_ACCESS_DENIED
   unless the user sees the folder (FolderVisible) or owns it (FolderOwner). */
enum mapi_error
mapi_permissions_get(struct mapi_folder *folder, TALLOC_CTX *mem,
		     struct mapi_permissions *perms_r);

enum mapi_permission_op {
	MAPI_PERMISSION_ADD,
	MAPI_PERMISSION_MODIFY,
	MAPI_PERMISSION_REMOVE,
};
struct mapi_permission_change {
	enum mapi_permission_op op;
	/* adding: PidTagEntryId of a user; empty for the members that every
	   list has, which member_id tells then */
	struct mapi_binary entry_id;
	/* modifying, removing */
	int64_t member_id;
	/* not for removing */
	uint32_t rights;
};

/* Changes the list, durably. replace: whoever isn't among changes, all of which
   add, is removed, but for the default entry. free_busy: the rights say what
   is to be seen of free and busy times; otherwise that stays as it is, or
   follows from ReadAny. Changes of members that aren't in the list are ignored.
   Nothing is changed if a change isn't possible: EC_ACCESS_DENIED (also if the user
   doesn't own the folder), EC_UNKNOWN_USER, EC_INVALID_PARAM, EC_NOT_SUPPORTED
   (folders that have no ACL). */
enum mapi_error
mapi_permissions_change(struct mapi_folder *folder,
			const struct mapi_permission_change *changes,
			unsigned int count, bool replace, bool free_busy);

/* What ACLs can't say of the permissions of a folder, to be noted of a copy of it in
   another store, for whom mapi_acl_copy() gives them to; "" if there's nothing. On the
   data stack */
const char *
mapi_permissions_moved_note(struct mapi_store *store, uint32_t number,
			    struct mapi_store *dest_store);

/* The table of RopGetPermissionsTable, [MS-OXCPERM] 2.2.1: the list as it is
   now. If the user may not see it, there's a table nevertheless, whose rows are
   EC_ACCESS_DENIED ([MS-OXCPERM] 3.2.5.1). */
enum mapi_error
mapi_permission_table_open(TALLOC_CTX *parent, struct mapi_folder *folder,
			   uint8_t flags, struct mapi_table **table_r);

#endif
