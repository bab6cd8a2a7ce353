/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "mapi-enums.h"
#include "mapi-rights.h"

static const struct {
	/* from ACLs: if they have this one ... */
	uint32_t acl;
	/* ... these are the rights */
	uint32_t rights;
	/* from rights: with this one ... */
	uint32_t right;
	/* ... these are the ACLs */
	uint32_t acls;
} rights_map[] = {
	{ MAPI_ACL_LOOKUP, RIGHTS_FOLDER_VISIBLE,
	  RIGHTS_FOLDER_VISIBLE, MAPI_ACL_LOOKUP },
	{ MAPI_ACL_READ, RIGHTS_READ_ANY | MAPI_RIGHTS_FREE_BUSY,
	  RIGHTS_READ_ANY, MAPI_ACL_READ },
	{ MAPI_ACL_INSERT, RIGHTS_CREATE,
	  RIGHTS_CREATE, MAPI_ACL_INSERT | MAPI_ACL_POST },
	{ MAPI_ACL_WRITE, RIGHTS_EDIT_ANY | RIGHTS_EDIT_OWNED,
	  RIGHTS_EDIT_ANY, MAPI_ACL_WRITE | MAPI_ACL_WRITE_SEEN },
	{ MAPI_ACL_EXPUNGE, RIGHTS_DELETE_ANY | RIGHTS_DELETE_OWNED,
	  RIGHTS_DELETE_ANY, MAPI_ACL_EXPUNGE | MAPI_ACL_WRITE_DELETED },
	{ MAPI_ACL_CREATE, RIGHTS_CREATE_SUB_FOLDER,
	  RIGHTS_CREATE_SUB_FOLDER, MAPI_ACL_CREATE },
	{ MAPI_ACL_ADMIN, RIGHTS_FOLDER_OWNER,
	  RIGHTS_FOLDER_OWNER, MAPI_ACL_ADMIN | MAPI_ACL_DELETE },
};

uint32_t mapi_rights_to_acl(uint32_t rights)
{
	uint32_t acl = 0;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(rights_map); i++) {
		if ((rights & rights_map[i].right) != 0)
			acl |= rights_map[i].acls;
	}
	return acl;
}

uint32_t mapi_rights_from_acl(uint32_t acl)
{
	uint32_t rights = 0;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(rights_map); i++) {
		if ((acl & rights_map[i].acl) != 0)
			rights |= rights_map[i].rights;
	}
	return rights;
}

uint32_t mapi_rights_normalize(uint32_t rights)
{
	rights &= MAPI_RIGHTS_MEMBER_ALL;
	if ((rights & RIGHTS_EDIT_ANY) != 0)
		rights |= RIGHTS_EDIT_OWNED;
	if ((rights & RIGHTS_DELETE_ANY) != 0)
		rights |= RIGHTS_DELETE_OWNED;
	if ((rights & RIGHTS_FREE_BUSY_DETAILED) != 0)
		rights |= RIGHTS_FREE_BUSY_SIMPLE;
	return rights;
}

uint32_t mapi_rights_folder_access(uint32_t rights, uint32_t acl)
{
	uint32_t access = 0;

	if ((rights & RIGHTS_FOLDER_OWNER) != 0) {
		access |= MAPI_ACCESS_MODIFY |
			MAPI_ACCESS_CREATE_ASSOCIATED;
	}
	if ((rights & RIGHTS_READ_ANY) != 0)
		access |= MAPI_ACCESS_READ;
	if ((rights & RIGHTS_CREATE_SUB_FOLDER) != 0)
		access |= MAPI_ACCESS_CREATE_HIERARCHY;
	if ((rights & RIGHTS_CREATE) != 0)
		access |= MAPI_ACCESS_CREATE_CONTENTS;
	if ((acl & MAPI_ACL_DELETE) != 0)
		access |= MAPI_ACCESS_DELETE;
	return access;
}

uint32_t mapi_rights_message_access(uint32_t rights, bool own)
{
	uint32_t access = MAPI_ACCESS_READ;

	if ((rights & RIGHTS_EDIT_ANY) != 0 ||
	    (own && (rights & RIGHTS_EDIT_OWNED) != 0))
		access |= MAPI_ACCESS_MODIFY;
	if ((rights & RIGHTS_DELETE_ANY) != 0 ||
	    (own && (rights & RIGHTS_DELETE_OWNED) != 0))
		access |= MAPI_ACCESS_DELETE;
	return access;
}

uint32_t mapi_rights_associated_access(uint32_t rights)
{
	return (rights & RIGHTS_FOLDER_OWNER) == 0 ? MAPI_ACCESS_READ :
		MAPI_ACCESS_READ | MAPI_ACCESS_MODIFY | MAPI_ACCESS_DELETE;
}
