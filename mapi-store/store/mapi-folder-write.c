/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "unichar.h"
#include "store-compat.h"
#include "mapi-acl.h"
#include "mapi-folder-list.h"
#include "mapi-folder-removed.h"
#include "mapi-folder-rights.h"
#include "mapi-folder-write-private.h"
#include "mapi-search-folder-private.h"
#include "mapi-stored-props.h"

/* Creating, renaming and moving folders. What is here about mailboxes isn't about
   folders in the companion tree: each of their changes is one transaction of the
   allocation log (mapi-folder-companion.c).

   Each is one step for lib-storage, mailbox_create() or mailbox_rename(), and
   whatever else belongs to it is written around that step so that a process which
   dies at any point leaves either what was or what should be:

   Creating: (1) the name is subscribed to, (2) the mailbox is created, (3) it gets
   its number, (4) its comment is noted, and its name if the mailbox can't have
   it (mapi-folder-name.c). Dying after (1) leaves a subscription to
   something that doesn't exist, which IMAP allows for; there's never a folder
   that IMAP clients don't show. After (2) there's a folder as if created over IMAP,
   which gets its number whenever folders are listed next.

   Renaming: (1) new names are subscribed to where the old ones are, (2) parents
   that aren't mailboxes have no other identity than their name, so their new
   names become aliases of their numbers, (3) the mailbox is renamed, with all below
   it, (4) the old names are unsubscribed from, (5) the new name is noted with the
   number, which is what makes it a change of the folder, as it would be noted by
   whoever lists the folders next, and so is one that the mailbox can't have. Dying
   before (3) leaves subscriptions and aliases of names that nothing has, after it
   subscriptions of ones that nothing has any more.

   (3) is one rename() for the "fs" layout that dbox has; for Maildir++ it's one
   for each subfolder, whose names lib-storage changes one after the other. */

#define COMMENT_MAX_SIZE 4096

/* --- nodes ----------------------------------------------------------------- */

static void
items_add(struct mapi_store *store, const struct mapi_folder_node *node,
	  bool post_order, unsigned int depth,
	  ARRAY_TYPE(mapi_folder_item) *items)
{
	const struct mapi_folder_node *child;
	struct mapi_folder_item item;

	i_zero(&item);
	item.fid = node->fid;
	item.number = mapi_folder_fid_to_number(node->fid);
	item.parent = mapi_folder_fid_to_number(node->parent_fid);
	item.special = node->special;
	item.companion = node->companion;
	item.path = t_strdup(node->path);
	item.vname = t_strdup(node->vname);
	item.name = t_strdup(node->display_name);
	item.depth = depth;
	if (!post_order)
		array_push_back(items, &item);
	for (child = node->first_child; child != NULL;
	     child = child->next_sibling) {
		if (!child->search)
			items_add(store, child, post_order, depth + 1, items);
	}
	if (post_order)
		array_push_back(items, &item);
}

void mapi_folder_items_add(struct mapi_store *store,
			   const struct mapi_folder_node *node, bool post_order,
			   ARRAY_TYPE(mapi_folder_item) *items)
{
	items_add(store, node, post_order, 0, items);
}

bool mapi_folder_has_special(const struct mapi_folder_node *node)
{
	const struct mapi_folder_node *child;

	if (node->special != MAPI_SPECIAL_NONE)
		return TRUE;
	for (child = node->first_child; child != NULL;
	     child = child->next_sibling) {
		if (mapi_folder_has_special(child))
			return TRUE;
	}
	return FALSE;
}

/* --- mailboxes -------------------------------------------------------------- */

static bool folder_is_subscribed(struct mapi_store *store, const char *vname)
{
	struct mailbox_list *list = store->companion->ns->list;
	struct mailbox *box;
	bool ret;

	if (mailbox_list_iter_subscriptions_refresh(list) < 0) {
		(void)mapi_error_from_list(list);
		return FALSE;
	}
	box = mailbox_alloc(list, vname, 0);
	ret = mailbox_is_subscribed(box);
	mailbox_free(&box);
	return ret;
}

bool mapi_folder_set_subscribed(struct mapi_store *store, const char *vname,
				bool set)
{
	struct mailbox *box;
	bool changed;

	if (folder_is_subscribed(store, vname) == set)
		return FALSE;
	box = mailbox_alloc(store->companion->ns->list, vname, 0);
	changed = mailbox_set_subscribed(box, set) == 0;
	if (!changed)
		(void)mapi_error_from_mailbox(box);
	mailbox_free(&box);
	return changed;
}

static enum mapi_error
folder_mailbox_create(struct mapi_store *store, const char *vname)
{
	struct mailbox *box;
	enum mapi_error ret = EC_NONE;
	bool subscribed;

	subscribed = mapi_folder_set_subscribed(store, vname, TRUE);
	box = mailbox_alloc(store->companion->ns->list, vname, 0);
	if (mailbox_create(box, NULL, FALSE) < 0) {
		ret = mapi_error_from_mailbox(box);
		/* If another session has just created it, it's subscribed to
		   by right. */
		if (subscribed && ret != EC_DUPLICATE_NAME)
			(void)mapi_folder_set_subscribed(store, vname, FALSE);
	}
	mailbox_free(&box);
	store_compat_list_refresh(store->companion->ns->list);
	return ret;
}

/* path is that of an item below the one that gets the name vname */
static const char *
renamed_path(const struct mapi_folder_item *root, const char *path,
	     const char *vname)
{
	return t_strconcat(vname, path + strlen(root->path), NULL);
}

static enum mapi_error
rename_alias_noselect(struct mapi_store *store,
		      const ARRAY_TYPE(mapi_folder_item) *items,
		      const char *vname)
{
	const struct mapi_folder_item *item;
	ARRAY_TYPE(mapi_idlog_new) recs;
	struct mapi_idlog_new *rec;
	const char *path;

	t_array_init(&recs, 8);
	array_foreach(items, item) {
		if (item->vname != NULL)
			continue;
		path = renamed_path(array_front(items), item->path, vname);
		rec = array_append_space(&recs);
		rec->type = MAPI_IDLOG_NOTE;
		rec->kind = MAPI_LOG_ALIAS;
		rec->key = t_strconcat("d", path, NULL);
		rec->value = t_strdup_printf("%u", item->number);
		rec->subject = t_strdup_printf("folder number of %s", path);
	}
	if (array_count(&recs) == 0)
		return EC_NONE;
	return mapi_idlog_write(store->log, array_front_modifiable(&recs),
				array_count(&recs));
}

enum mapi_error
mapi_folder_mailbox_rename(struct mapi_store *store,
			   const ARRAY_TYPE(mapi_folder_item) *items,
			   const char *vname)
{
	struct mailbox_list *list = store->companion->ns->list;
	const struct mapi_folder_item *item, *root = array_front(items);
	ARRAY_TYPE(const_string) old_names, new_names;
	struct mailbox *src, *dest;
	const char *name;
	enum mapi_error ret;

	t_array_init(&old_names, 8);
	t_array_init(&new_names, 8);
	array_foreach(items, item) {
		name = renamed_path(root, item->path, vname);
		if (folder_is_subscribed(store, item->path)) {
			array_push_back(&old_names, &item->path);
			if (mapi_folder_set_subscribed(store, name, TRUE))
				array_push_back(&new_names, &name);
		}
	}
	ret = rename_alias_noselect(store, items, vname);
	if (ret == EC_NONE) {
		src = mailbox_alloc(list, root->path, 0);
		dest = mailbox_alloc(list, vname, 0);
		if (mailbox_rename(src, dest) < 0)
			ret = mapi_error_from_mailbox(src);
		mailbox_free(&src);
		mailbox_free(&dest);
	}
	/* new names are somebody else's if there are such folders now */
	if (ret != EC_DUPLICATE_NAME) {
		array_foreach_elem(ret == EC_NONE ? &old_names : &new_names,
				   name)
			(void)mapi_folder_set_subscribed(store, name, FALSE);
	}
	store_compat_list_refresh(list);
	if (ret == EC_NONE && store->acl != NULL)
		mapi_acl_renamed(store->acl);
	return ret;
}

/* --- creating ---------------------------------------------------------------- */

/* What belongs to a mailbox that has just been created. It has the ACL of its parent,
   and so the rest of its permissions list. */
static enum mapi_error
folder_note_new(struct mapi_store *store, uint32_t parent_number,
		const char *vname, const char *name, const char *comment)
{
	struct mapi_stored_changes changes;
	struct mapi_folder_node *node;
	const char *display, *permissions;
	uint32_t number;
	enum mapi_error ret;

	node = mapi_folder_tree_lookup_path(store, vname);
	if (node == NULL) {
		/* A name that can be created, but isn't listed. */
		struct mailbox *box =
			mailbox_alloc(store->companion->ns->list, vname, 0);

		if (mailbox_delete_empty(box) < 0)
			(void)mapi_error_from_mailbox(box);
		mailbox_free(&box);
		(void)mapi_folder_set_subscribed(store, vname, FALSE);
		return EC_INVALID_PARAM;
	}
	number = mapi_folder_fid_to_number(node->fid);
	display = mapi_folder_display_value(store, vname, name);
	permissions = mapi_permissions_note(store, parent_number);
	mapi_stored_begin(&changes, store);
	if (*permissions != '\0') {
		mapi_folder_note(&changes, number, MAPI_LOG_PERMISSIONS,
				 permissions);
	}
	if (*comment != '\0')
		mapi_folder_note(&changes, number, MAPI_LOG_COMMENT, comment);
	if (*display != '\0')
		mapi_folder_note(&changes, number, MAPI_LOG_DISPLAY, display);
	if (array_count(&changes.recs) == 0)
		return EC_NONE;
	ret = mapi_stored_commit(&changes);
	return ret == EC_NONE ? mapi_folder_tree_refresh(store) : ret;
}

/* Its mailbox is created when the tree is refreshed. */
static enum mapi_error
folder_create_companion(struct mapi_store *store,
			const struct mapi_folder_node *parent,
			const char *name, const char *comment,
			mapi_id_t *fid_r)
{
	enum mapi_error ret;
	uint32_t number;

	ret = mapi_folder_companion_check_depth(parent, NULL);
	if (ret == EC_NONE) {
		ret = mapi_folder_place_create(store, MAPI_PLACE_COMPANION,
			mapi_folder_fid_to_number(parent->fid), name, comment,
			&number);
	}
	if (ret != EC_NONE)
		return ret;
	*fid_r = MAPI_FOLDER_FID(number);
	return mapi_folder_tree_refresh(store);
}

static enum mapi_error
folder_create(struct mapi_store *store, mapi_id_t parent_fid, const char *name,
	      const char *comment, bool open_existing, mapi_id_t *fid_r)
{
	struct mapi_folder_node *parent, *node;
	const char *vname;
	enum mapi_error ret;

	ret = mapi_folder_name_check(name);
	if (ret == EC_NONE && !uni_utf8_str_is_valid(comment))
		ret = EC_INVALID_PARAM;
	if (ret == EC_NONE && strlen(comment) > COMMENT_MAX_SIZE)
		ret = EC_TOO_BIG;
	if (ret == EC_NONE)
		ret = mapi_folder_tree_refresh(store);
	if (ret != EC_NONE)
		return ret;
	parent = mapi_folder_tree_lookup(store, parent_fid);
	if (parent == NULL)
		return EC_OBJECT_DELETED;
	if (parent->search)
		return EC_SEARCH_FOLDER;
	node = mapi_folder_find_child(store, parent, name, NULL);
	if (node == NULL &&
	    (mapi_folder_acl(store, parent) & MAPI_ACL_CREATE) == 0)
		return EC_ACCESS_DENIED;
	if (node == NULL && mapi_folder_is_companion_parent(parent)) {
		return folder_create_companion(store, parent, name, comment,
					       fid_r);
	}
	if (node == NULL) {
		ret = mapi_folder_child_vname(store, parent, name, NULL,
					      &vname);
		if (ret != EC_NONE)
			return ret;
		ret = folder_mailbox_create(store, vname);
		if (ret == EC_DUPLICATE_NAME && open_existing) {
			/* somebody else has just done it */
			comment = "";
			ret = EC_NONE;
		}
		if (ret == EC_NONE)
			ret = mapi_folder_tree_refresh(store);
		if (ret == EC_NONE)
			ret = folder_note_new(store,
				mapi_folder_fid_to_number(parent_fid), vname,
				name, comment);
		if (ret != EC_NONE)
			return ret;
		node = mapi_folder_tree_lookup_path(store, vname);
	} else if (!open_existing || node->search)
		return EC_DUPLICATE_NAME;
	*fid_r = node == NULL ? 0 : node->fid;
	return EC_NONE;
}

enum mapi_error
mapi_folder_create(TALLOC_CTX *parent, struct mapi_store *store,
		   mapi_id_t parent_fid, const char *name, const char *comment,
		   bool open_existing, struct mapi_folder **folder_r)
{
	mapi_id_t fid;
	enum mapi_error ret;

	T_BEGIN {
		ret = folder_create(store, parent_fid, name, comment,
				    open_existing, &fid);
	} T_END;
	return ret != EC_NONE ? ret :
		mapi_folder_open(parent, store, fid, folder_r);
}

/* --- moving ------------------------------------------------------------------ */

static enum mapi_error
folder_rename_items(struct mapi_store *store,
		    const ARRAY_TYPE(mapi_folder_item) *items,
		    const char *vname)
{
	const struct mapi_folder_item *item;
	enum mapi_error ret;
	unsigned int i;

	for (i = 1; i < array_count(items); i++) {
		item = array_idx(items, i);
		ret = mapi_folder_vname_check(store,
			renamed_path(array_front(items), item->path, vname));
		if (ret != EC_NONE)
			return ret;
	}
	return mapi_folder_mailbox_rename(store, items, vname);
}

/* Out of the soft-deleted ones, which were mailboxes */
static enum mapi_error
folder_recover(struct mapi_store *store, const struct mapi_folder_node *node,
	       const struct mapi_folder_node *dest, const char *name)
{
	enum mapi_error ret, ret2;

	if (mapi_folder_is_companion_parent(dest) ||
	    (mapi_folder_acl(store, dest) & MAPI_ACL_CREATE) == 0)
		return EC_ACCESS_DENIED;
	ret = mapi_folder_name_check(name);
	if (ret != EC_NONE)
		return ret;
	if (mapi_folder_find_child(store, dest, name, NULL) != NULL)
		return EC_DUPLICATE_NAME;
	ret = mapi_folder_removed_recover(store, node, dest, name);
	ret2 = mapi_folder_tree_refresh(store);
	return ret != EC_NONE ? ret : ret2;
}

static enum mapi_error
folder_move(struct mapi_store *store, mapi_id_t fid, mapi_id_t dest_fid,
	    const char *name)
{
	const struct mapi_folder_node *node, *dest, *up;
	ARRAY_TYPE(mapi_folder_item) items;
	const char *vname, *display;
	enum mapi_error ret;

	ret = mapi_folder_tree_refresh(store);
	if (ret != EC_NONE)
		return ret;
	node = mapi_folder_tree_lookup_any(store, fid);
	dest = mapi_folder_tree_lookup(store, dest_fid);
	if (node == NULL)
		return EC_NOT_FOUND;
	if (dest == NULL)
		return EC_OBJECT_DELETED;
	if (*name == '\0')
		name = node->display_name;
	if (dest->search)
		return EC_SEARCH_FOLDER;
	if (node->removed != 0)
		return folder_recover(store, node, dest, t_strdup(name));
	if (dest == node->parent && strcmp(name, node->display_name) == 0)
		return EC_NONE;
	if (node->special != MAPI_SPECIAL_NONE ||
	    (dest != node->parent && mapi_folder_has_special(node)))
		return EC_ACCESS_DENIED;
	if (!node->search &&
	    node->companion != mapi_folder_is_companion_parent(dest))
		return EC_ACCESS_DENIED;
	for (up = dest; up != NULL; up = up->parent) {
		if (up == node)
			return EC_FOLDER_CYCLE;
	}
	if ((mapi_folder_acl(store, node) & MAPI_ACL_DELETE) == 0 ||
	    (mapi_folder_acl(store, dest) & MAPI_ACL_CREATE) == 0)
		return EC_ACCESS_DENIED;
	ret = mapi_folder_name_check(name);
	if (ret != EC_NONE)
		return ret;
	if (mapi_folder_find_child(store, dest, name, node) != NULL)
		return EC_DUPLICATE_NAME;
	if (node->search) {
		ret = mapi_folder_place_set(store, MAPI_PLACE_SEARCH,
			mapi_folder_fid_to_number(fid),
			mapi_folder_fid_to_number(dest_fid), t_strdup(name));
		return ret != EC_NONE ? ret : mapi_folder_tree_refresh(store);
	}
	if (node->companion) {
		ret = mapi_folder_companion_check_depth(dest, node);
		if (ret == EC_NONE) {
			ret = mapi_folder_place_set(store, MAPI_PLACE_COMPANION,
				mapi_folder_fid_to_number(fid),
				mapi_folder_fid_to_number(dest_fid),
				t_strdup(name));
		}
		return ret != EC_NONE ? ret : mapi_folder_tree_refresh(store);
	}
	ret = mapi_folder_child_vname(store, dest, name, node, &vname);
	if (ret != EC_NONE)
		return ret;

	display = mapi_folder_display_value(store, vname, t_strdup(name));
	if (strcmp(vname, node->path) != 0) {
		t_array_init(&items, 8);
		mapi_folder_items_add(store, node, FALSE, &items);
		ret = folder_rename_items(store, &items, vname);
	}
	if (ret == EC_NONE) {
		ret = mapi_folder_note_display(store,
			mapi_folder_fid_to_number(fid), display);
	}
	return ret != EC_NONE ? ret : mapi_folder_tree_refresh(store);
}

enum mapi_error
mapi_folder_move(struct mapi_store *store, mapi_id_t fid, mapi_id_t dest_fid,
		 const char *name)
{
	enum mapi_error ret;

	T_BEGIN {
		ret = folder_move(store, fid, dest_fid, t_strdup(name));
	} T_END;
	return ret;
}
