/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "mail-storage.h"
#include "mapi-acl.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-store-private.h"

/* Rights that others can have in folders without an ACL: their messages are
   either all the user's to change, or none of them. */
#define INTERNAL_RIGHTS \
	(MAPI_RIGHTS_ALL & ~(RIGHTS_CREATE_SUB_FOLDER | RIGHTS_FOLDER_OWNER))
#define INTERNAL_WRITE_RIGHTS \
	(RIGHTS_CREATE | RIGHTS_EDIT_ANY | RIGHTS_DELETE_ANY)
#define SEARCH_RIGHTS \
	(MAPI_RIGHTS_ALL & ~(RIGHTS_CREATE | RIGHTS_CREATE_SUB_FOLDER))

bool mapi_store_is_delegate(const struct mapi_store *store)
{
	return store->acl != NULL && !mapi_acl_user_is_owner(store->acl);
}

uint32_t mapi_folder_acl(struct mapi_store *store,
			 const struct mapi_folder_node *node)
{
	if (store->acl == NULL)
		return MAPI_ACL_ALL;
	if (node->companion || node->search || node->path == NULL)
		return mapi_store_is_delegate(store) ? 0 : MAPI_ACL_ALL;
	return mapi_acl_my_rights(store->acl, node->path);
}

uint32_t mapi_folder_rights(struct mapi_store *store,
			    const struct mapi_folder_node *node)
{
	if (node->search) {
		return mapi_store_is_delegate(store) ? 0 : SEARCH_RIGHTS;
	}
	if (store->acl == NULL)
		return MAPI_RIGHTS_ALL;
	if (!node->companion) {
		uint32_t acl = mapi_folder_acl(store, node);

		/* FolderContact isn't a right */
		return acl == MAPI_ACL_ALL ? MAPI_RIGHTS_ALL :
			mapi_rights_from_acl(acl) & MAPI_RIGHTS_ALL;
	}
	if (!mapi_store_is_delegate(store))
		return MAPI_RIGHTS_ALL;
	/* what the owner has changed meanwhile */
	if (mapi_idlog_refresh(store->log) != EC_NONE)
		return 0;
	return INTERNAL_RIGHTS & mapi_permissions_noted_rights(store,
		mapi_folder_fid_to_number(node->fid));
}

enum mapi_error
mapi_folder_check_rights(struct mapi_folder *folder, uint32_t rights)
{
	const struct mapi_folder_node *node;

	if (folder->obj.store->acl == NULL)
		return EC_NONE;
	node = mapi_folder_node(folder);
	if (node == NULL)
		return EC_OBJECT_DELETED;
	return (mapi_folder_rights(folder->obj.store, node) & rights) ==
		rights ? EC_NONE : EC_ACCESS_DENIED;
}

uint32_t mapi_folder_access(struct mapi_store *store,
			    const struct mapi_folder_node *node)
{
	uint32_t access;

	access = mapi_rights_folder_access(mapi_folder_rights(store, node),
					   mapi_folder_acl(store, node));
	/* search folders can be deleted, special ones can't */
	if (node->special != MAPI_SPECIAL_NONE)
		access &= ~MAPI_ACCESS_DELETE;
	return access;
}

uint32_t mapi_folder_message_access(struct mapi_folder *folder,
				    bool associated)
{
	const struct mapi_folder_node *node = mapi_folder_node(folder);
	uint32_t rights = node == NULL ? 0 :
		mapi_folder_rights(folder->obj.store, node);

	return associated ? mapi_rights_associated_access(rights) :
		mapi_rights_message_access(rights);
}

enum mapi_error
mapi_folder_box_alloc(struct mapi_store *store,
		      const struct mapi_folder_node *node,
		      enum mailbox_flags flags, struct mailbox **box_r)
{
	uint32_t rights;

	if (node->companion) {
		rights = mapi_folder_rights(store, node);
		if ((rights & RIGHTS_READ_ANY) == 0)
			return EC_ACCESS_DENIED;
		if ((rights & INTERNAL_WRITE_RIGHTS) != INTERNAL_WRITE_RIGHTS)
			flags |= MAILBOX_FLAG_READONLY;
		flags |= MAILBOX_FLAG_IGNORE_ACLS;
	}
	*box_r = mailbox_alloc(store->companion->ns->list, node->vname, flags);
	return EC_NONE;
}

bool mapi_folder_internal_is_visible(struct mapi_store *store,
				     enum mapi_special_folder special,
				     uint32_t number)
{
	if (special == MAPI_SPECIAL_ROOT || special == MAPI_SPECIAL_IPM_SUBTREE ||
	    !mapi_store_is_delegate(store))
		return TRUE;
	return (mapi_permissions_noted_rights(store, number) &
		RIGHTS_FOLDER_VISIBLE) != 0;
}

bool mapi_folder_is_visible(struct mapi_store *store,
			    const struct mapi_folder_node *node)
{
	if (store->acl == NULL || node->search)
		return TRUE;
	if (node->companion) {
		return node->special == MAPI_SPECIAL_ROOT ||
			node->special == MAPI_SPECIAL_IPM_SUBTREE ||
			(mapi_folder_rights(store, node) &
			 RIGHTS_FOLDER_VISIBLE) != 0;
	}
	/* a parent that isn't a mailbox, or not one for the user, is there for
	   what is below it */
	return node->vname == NULL ||
		(mapi_folder_acl(store, node) & MAPI_ACL_LOOKUP) != 0;
}

static bool store_has_right(struct mapi_store *store, uint32_t rights)
{
	const struct mapi_folder_node *node;
	unsigned int iter = 0;

	while ((node = mapi_folder_tree_next(store, &iter)) != NULL) {
		if ((mapi_folder_rights(store, node) & rights) != 0)
			return TRUE;
	}
	return FALSE;
}

bool mapi_store_has_any_right(struct mapi_store *store)
{
	return store_has_right(store, RIGHTS_FOLDER_VISIBLE);
}

bool mapi_store_has_write_right(struct mapi_store *store)
{
	return !mapi_store_is_delegate(store) ||
		store_has_right(store, RIGHTS_CREATE | RIGHTS_EDIT_ANY |
				RIGHTS_CREATE_SUB_FOLDER |
				RIGHTS_FOLDER_OWNER);
}
