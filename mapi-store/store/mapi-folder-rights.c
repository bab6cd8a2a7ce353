/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "mail-storage.h"
#include "mail-user.h"
#include "mapi-acl.h"
#include "mapi-bags.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-store-private.h"

/* Rights that others can have in folders without an ACL: messages are put there by
   who may change all of them. */
#define INTERNAL_RIGHTS \
	(MAPI_RIGHTS_ALL & ~(RIGHTS_CREATE_SUB_FOLDER | RIGHTS_FOLDER_OWNER))
#define INTERNAL_WRITE_RIGHTS \
	(RIGHTS_CREATE | RIGHTS_EDIT_ANY | RIGHTS_DELETE_ANY)
#define OWNED_RIGHTS (RIGHTS_EDIT_OWNED | RIGHTS_DELETE_OWNED)
/* Whoever has one of these may have messages of his own in a folder, and read
   them. */
#define OWN_FOLDER_RIGHTS (RIGHTS_READ_ANY | RIGHTS_CREATE | OWNED_RIGHTS)
#define SEARCH_RIGHTS \
	(MAPI_RIGHTS_ALL & ~(RIGHTS_CREATE | RIGHTS_CREATE_SUB_FOLDER))

static const struct {
	/* RIGHTS_* to all messages, and to the own ones */
	uint32_t any, owned;
	/* MAPI_ACL_* that are the right to all of them, too */
	uint32_t acl;
} message_uses[] = {
	[MAPI_MESSAGE_USE_READ] = {
		RIGHTS_READ_ANY, RIGHTS_CREATE | OWNED_RIGHTS, 0
	},
	[MAPI_MESSAGE_USE_CREATE] = {
		RIGHTS_READ_ANY | RIGHTS_EDIT_ANY | RIGHTS_DELETE_ANY,
		RIGHTS_CREATE, 0
	},
	[MAPI_MESSAGE_USE_SET_READ] = {
		RIGHTS_EDIT_ANY, RIGHTS_EDIT_OWNED, MAPI_ACL_WRITE_SEEN
	},
	[MAPI_MESSAGE_USE_EDIT] = {
		RIGHTS_EDIT_ANY, RIGHTS_EDIT_OWNED, 0
	},
	[MAPI_MESSAGE_USE_DELETE] = {
		RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED, 0
	},
};

bool mapi_store_is_delegate(const struct mapi_store *store)
{
	return store->acl != NULL && !mapi_acl_user_is_owner(store->acl);
}

const char *mapi_store_username(const struct mapi_store *store)
{
	return store->acl == NULL ? store->user->username :
		mapi_acl_username(store->acl);
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

static uint32_t
mapi_folder_mailbox_rights(struct mapi_store *store,
			   const struct mapi_folder_node *node)
{
	uint32_t rights, acl = mapi_folder_acl(store, node);

	/* FolderContact isn't a right */
	if (acl == MAPI_ACL_ALL)
		return MAPI_RIGHTS_ALL;
	rights = mapi_rights_from_acl(acl) & MAPI_RIGHTS_ALL;
	if (node->path != NULL && mapi_store_is_delegate(store) &&
	    (rights & OWNED_RIGHTS) != OWNED_RIGHTS) {
		rights |= OWNED_RIGHTS & mapi_permissions_noted_rights(store,
			mapi_folder_fid_to_number(node->fid), node->path);
	}
	return rights;
}

uint32_t mapi_folder_rights(struct mapi_store *store,
			    const struct mapi_folder_node *node)
{
	if (node->search) {
		return mapi_store_is_delegate(store) ? 0 : SEARCH_RIGHTS;
	}
	if (store->acl == NULL)
		return MAPI_RIGHTS_ALL;
	if (!node->companion)
		return mapi_folder_mailbox_rights(store, node);
	if (!mapi_store_is_delegate(store))
		return MAPI_RIGHTS_ALL;
	/* what the owner has changed meanwhile */
	if (mapi_idlog_refresh(store->log) != EC_NONE)
		return 0;
	return INTERNAL_RIGHTS & mapi_permissions_noted_rights(store,
		mapi_folder_fid_to_number(node->fid), NULL);
}

/* Sees what the owner has changed of lists beyond their ACLs. */
static enum mapi_error mapi_rights_refresh(struct mapi_store *store)
{
	return mapi_store_is_delegate(store) ?
		mapi_idlog_refresh(store->log) : EC_NONE;
}

enum mapi_error mapi_folder_check_readable(struct mapi_folder *folder)
{
	const struct mapi_folder_node *node;
	enum mapi_error error;

	if (!folder->own)
		return mapi_folder_check_rights(folder, RIGHTS_READ_ANY);
	error = mapi_rights_refresh(folder->obj.store);
	if (error != EC_NONE)
		return error;
	node = mapi_folder_node(folder);
	if (node == NULL)
		return EC_OBJECT_DELETED;
	return (mapi_folder_rights(folder->obj.store, node) &
		OWN_FOLDER_RIGHTS) != 0 ? EC_NONE : EC_ACCESS_DENIED;
}

enum mapi_error
mapi_folder_check_rights(struct mapi_folder *folder, uint32_t rights)
{
	struct mapi_store *store = folder->obj.store;
	const struct mapi_folder_node *node;
	enum mapi_error error;

	if (store->acl == NULL)
		return EC_NONE;
	error = mapi_rights_refresh(store);
	if (error != EC_NONE)
		return error;
	node = mapi_folder_node(folder);
	if (node == NULL)
		return EC_OBJECT_DELETED;
	return (mapi_folder_rights(store, node) & rights) == rights ?
		EC_NONE : EC_ACCESS_DENIED;
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

bool mapi_folder_is_for_own(struct mapi_store *store, mapi_id_t fid,
			    enum mapi_message_use use)
{
	const struct mapi_folder_node *node;
	uint32_t rights;

	if (!mapi_store_is_delegate(store) ||
	    mapi_rights_refresh(store) != EC_NONE)
		return FALSE;
	node = mapi_folder_tree_lookup(store, fid);
	if (node == NULL ||
	    (mapi_folder_acl(store, node) & message_uses[use].acl) != 0)
		return FALSE;
	rights = mapi_folder_rights(store, node);
	return (rights & message_uses[use].any) != message_uses[use].any &&
		(rights & message_uses[use].owned) != 0;
}

bool mapi_mail_is_own(struct mapi_folder *folder, struct mail *mail)
{
	return null_strcmp(mapi_bags_find_creator(mapi_folder_bags(folder,
								   FALSE), mail),
			   mapi_store_username(folder->obj.store)) == 0;
}

uint32_t mapi_mail_access(struct mapi_folder *folder, bool associated,
			  struct mail *mail)
{
	const struct mapi_folder_node *node = mapi_folder_node(folder);
	uint32_t access, rights = node == NULL ? 0 :
		mapi_folder_rights(folder->obj.store, node);
	bool readonly = mailbox_is_readonly(mail->box);

	if (associated) {
		access = mapi_rights_associated_access(readonly ? 0 : rights);
	} else {
		/* as the ACL has it */
		if (readonly)
			rights &= ~(RIGHTS_EDIT_ANY | RIGHTS_DELETE_ANY);
		access = mapi_rights_message_access(rights, FALSE);
		if (!folder->deleted &&
		    access != mapi_rights_message_access(rights, TRUE) &&
		    mapi_mail_is_own(folder, mail))
			access = mapi_rights_message_access(rights, TRUE);
	}
	/* what is soft deleted isn't to be changed */
	if (folder->deleted || (node != NULL && node->removed != 0))
		access &= ~MAPI_ACCESS_MODIFY;
	return access;
}

enum mapi_error
mapi_folder_box_alloc(struct mapi_store *store,
		      const struct mapi_folder_node *node, bool own,
		      enum mailbox_flags flags, struct mailbox **box_r)
{
	uint32_t rights;

	if (node->companion || own) {
		rights = mapi_folder_rights(store, node);
		if ((rights & (own ? OWN_FOLDER_RIGHTS : RIGHTS_READ_ANY)) == 0)
			return EC_ACCESS_DENIED;
		if (!own && (rights & INTERNAL_WRITE_RIGHTS) !=
		    INTERNAL_WRITE_RIGHTS)
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
	return (mapi_permissions_noted_rights(store, number, NULL) &
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
				RIGHTS_EDIT_OWNED | RIGHTS_CREATE_SUB_FOLDER |
				RIGHTS_FOLDER_OWNER);
}
