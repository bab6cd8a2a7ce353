/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "store-compat.h"
#include "mapi-bags.h"
#include "mapi-dumpster.h"
#include "mapi-enums.h"
#include "mapi-folder-removed.h"
#include "mapi-folder-rights.h"
#include "mapi-search-folder-private.h"

/* Deleting folders. Those that are soft deleted are kept as they are
   (mapi-folder-removed.h). Of what can't be kept as a folder (one that IMAP clients
   don't see, one that others than the owner delete, one that is moved to another
   mailbox) the messages are, in the dumpster of Deleted Items (mapi-dumpster.h), where
   users look for them, and with them those that had been deleted from it before.
   What follows is about deleting for good.

   Several folders are deleted one by one, a folder after its subfolders, so that
   a process that dies leaves a smaller tree, all of it whole. For one folder
   (1) its number is noted as having no name, (2) the mailbox is deleted, (3) the
   name is unsubscribed from, (4) the FAI messages, the bags and the rules are
   deleted. (1) is because a
   new folder takes the number of one that has lost its mailbox if it had the same
   name (mapi-folder-list.c), and this id must not be used again; if (2) doesn't
   happen, the name is noted again when folders are listed next. Dying before (4)
   leaves these of no folder, which nobody sees, and its properties, which a later
   session deletes. Left are also bags if some of their messages weren't in the folder
   any more: an IMAP client may have moved them to another one. "doveadm mapi check"
   knows. */

static enum mapi_error
delete_note(struct mapi_store *store, const struct mapi_folder_item *item)
{
	return mapi_idlog_write_one(store->log, MAPI_IDLOG_NOTE, MAPI_LOG_NAME,
				    t_strdup_printf("%u", item->number), "",
				    NULL, "folder %u is deleted",
				    item->number);
}

bool mapi_folder_has_left_bags(struct mapi_store *store,
			       const struct mapi_folder_item *item)
{
	struct mapi_bags *bags = mapi_bags_get(store, item->number, FALSE);
	struct mailbox *box;
	bool left = TRUE;

	if (!mapi_companion_exists(store->companion,
			t_strdup_printf(MAPI_COMPANION_BAGS, item->number)))
		return FALSE;
	box = mailbox_alloc(store->companion->ns->list, item->path,
			    MAILBOX_FLAG_READONLY);
	if (mailbox_open(box) == 0 && mailbox_sync(box, 0) == 0)
		left = mapi_bags_have_orphans(bags, box);
	mailbox_free(&box);
	return left;
}

bool mapi_folder_unmark_deleted(struct mapi_store *store,
				const struct mapi_folder_item *item)
{
	struct mailbox *box;
	bool unmarked;

	box = mailbox_alloc(store->companion->ns->list, item->path,
			    MAILBOX_FLAG_OPEN_DELETED);
	unmarked = mailbox_open(box) == 0 &&
		mail_index_is_deleted(box->index) &&
		mailbox_mark_index_deleted(box, FALSE) == 0;
	mailbox_free(&box);
	return unmarked;
}

static enum mapi_error
folder_delete_mailbox(struct mapi_store *store,
		      const struct mapi_folder_item *item, bool if_empty)
{
	struct mailbox *box;
	enum mapi_error ret = EC_NONE;
	int result;

	box = mailbox_alloc(store->companion->ns->list, item->path, 0);
	result = if_empty ? mailbox_delete_empty(box) : mailbox_delete(box);
	if (result < 0) {
		switch (mailbox_get_last_mail_error(box)) {
		case MAIL_ERROR_NOTFOUND:
			/* A parent that was there for its subfolders only, or
			   somebody else was faster. */
			break;
		case MAIL_ERROR_EXISTS:
			ret = EC_FOLDER_HAS_CONTENTS;
			break;
		default:
			ret = mapi_error_from_mailbox(box);
			break;
		}
	}
	mailbox_free(&box);
	return ret;
}

enum mapi_error
mapi_folder_mailbox_delete(struct mapi_store *store,
			   const struct mapi_folder_item *item, bool if_empty)
{
	enum mapi_error ret = EC_NONE;
	bool keep_bags = FALSE;

	if (item->number != 0) {
		keep_bags = mapi_folder_has_left_bags(store, item);
		ret = delete_note(store, item);
	}
	if (ret != EC_NONE)
		return ret;
	ret = folder_delete_mailbox(store, item, if_empty);
	if (ret == EC_FOLDER_HAS_CONTENTS &&
	    mapi_folder_unmark_deleted(store, item))
		ret = folder_delete_mailbox(store, item, if_empty);
	store_compat_list_refresh(store->companion->ns->list);
	if (ret != EC_NONE)
		return ret;
	(void)mapi_folder_set_subscribed(store, item->path, FALSE);
	if (item->number == 0)
		return EC_NONE;
	mapi_folder_delete_associated(store, item->number, keep_bags);
	/* another session may have noted the name again in between */
	ret = mapi_idlog_refresh(store->log);
	return ret != EC_NONE ? ret : delete_note(store, item);
}

/* Frees the mailbox. */
static enum mapi_error box_get_count(struct mailbox *box, uint32_t *count)
{
	struct mailbox_status status;
	enum mapi_error ret = EC_NONE;

	if (mailbox_get_status(box, STATUS_MESSAGES, &status) == 0)
		*count += status.messages;
	else if (mailbox_get_last_mail_error(box) != MAIL_ERROR_NOTFOUND)
		ret = mapi_error_from_mailbox(box);
	mailbox_free(&box);
	return ret;
}

/* Messages and FAI messages */
static enum mapi_error
item_get_count(struct mapi_store *store, const struct mapi_folder_item *item,
	       uint32_t *count)
{
	const char *leaf = t_strdup_printf(MAPI_COMPANION_FAI, item->number);
	enum mapi_error ret = EC_NONE;

	if (item->vname != NULL) {
		ret = box_get_count(mailbox_alloc(store->companion->ns->list,
						  item->vname,
						  MAILBOX_FLAG_READONLY),
				    count);
	}
	return ret != EC_NONE ? ret : box_get_count(
		mapi_companion_alloc(store->companion, leaf,
				     MAILBOX_FLAG_READONLY), count);
}

/* Before anything is deleted: search folders below it aren't the mailbox's. */
static enum mapi_error
items_check_rights(struct mapi_store *store,
		   const ARRAY_TYPE(mapi_folder_item) *items)
{
	const struct mapi_folder_item *item;
	const struct mapi_folder_node *node;

	array_foreach(items, item) {
		node = mapi_folder_tree_lookup(store, item->fid);
		if (node == NULL)
			return EC_OBJECT_DELETED;
		if ((mapi_folder_acl(store, node) & MAPI_ACL_DELETE) == 0)
			return EC_ACCESS_DENIED;
	}
	return EC_NONE;
}

/* Others who delete folders of the user's may have no right to put anything there:
   they delete for good. With if_empty what has come meanwhile keeps the folder from
   being deleted. */
static enum mapi_error
folder_keep_messages(struct mapi_store *store,
		     const struct mapi_folder_item *item, bool if_empty)
{
	mapi_id_t fid = mapi_folder_tree_special(store,
						 MAPI_SPECIAL_DELETED_ITEMS);
	const struct mapi_folder_node *node =
		fid == 0 ? NULL : mapi_folder_tree_lookup(store, fid);
	enum mapi_error ret = EC_NONE;
	uint32_t rights;
	unsigned int i;
	bool associated;

	if (node == NULL)
		return EC_NONE;
	rights = mapi_folder_rights(store, node);
	/* what has just been deleted last */
	for (i = 0; i < (if_empty ? 2 : 4) && ret == EC_NONE; i++) {
		associated = i % 2 > 0;
		if ((rights & (associated ? RIGHTS_FOLDER_OWNER :
			       RIGHTS_DELETE_ANY)) != 0) {
			ret = mapi_dumpster_put_folder(store, item->fid,
						       associated, i < 2, fid);
		}
	}
	return ret;
}

static enum mapi_error
folder_delete_item(struct mapi_store *store,
		   const struct mapi_folder_item *item, bool if_empty,
		   enum mapi_folder_keep keep)
{
	enum mapi_error ret = EC_NONE;

	if (keep == MAPI_KEEP_FOLDER && mapi_folder_can_be_removed(store, item)) {
		ret = mapi_folder_remove(store, item);
		/* by whom the companion tree has been closed to the user */
		if (ret != EC_ACCESS_DENIED)
			return ret;
		ret = EC_NONE;
	}
	if (keep != MAPI_KEEP_NOTHING)
		ret = folder_keep_messages(store, item, if_empty);
	if (ret != EC_NONE)
		return ret;
	return item->companion ?
		mapi_folder_companion_delete(store, item, if_empty) :
		mapi_folder_mailbox_delete(store, item, if_empty);
}

/* The folder, unless it's gone, and all below it: those below come first. Folders that
   are to be kept and have no mailbox get one. */
static enum mapi_error
folder_get_items(struct mapi_store *store, mapi_id_t fid,
		 enum mapi_folder_keep keep,
		 ARRAY_TYPE(mapi_folder_item) *items)
{
	const struct mapi_folder_node *node =
		mapi_folder_tree_lookup(store, fid);
	enum mapi_error ret;
	bool made;

	if (node == NULL)
		return EC_OBJECT_DELETED;
	mapi_folder_items_add(store, node, TRUE, items);
	ret = items_check_rights(store, items);
	if (ret != EC_NONE || keep != MAPI_KEEP_FOLDER)
		return ret;
	ret = mapi_folder_removal_prepare(store, items, &made);
	if (ret != EC_NONE || !made)
		return ret;
	node = mapi_folder_tree_lookup(store, fid);
	if (node == NULL)
		return EC_OBJECT_DELETED;
	array_clear(items);
	mapi_folder_items_add(store, node, TRUE, items);
	return EC_NONE;
}

enum mapi_error
mapi_folder_delete_tree(struct mapi_store *store, mapi_id_t fid, bool if_empty,
			enum mapi_folder_keep keep, bool *partial)
{
	ARRAY_TYPE(mapi_folder_item) items;
	const struct mapi_folder_node *node;
	const struct mapi_folder_item *item;
	enum mapi_error ret;
	uint32_t count = 0;
	bool deleted = FALSE;

	if (!mapi_dumpster_is_enabled(store))
		keep = MAPI_KEEP_NOTHING;
	else if (keep == MAPI_KEEP_FOLDER && mapi_store_is_delegate(store))
		keep = MAPI_KEEP_MESSAGES;
	t_array_init(&items, 8);
	ret = folder_get_items(store, fid, keep, &items);
	if (ret != EC_NONE)
		return ret;
	if (if_empty) {
		array_foreach(&items, item) {
			ret = item_get_count(store, item, &count);
			if (ret != EC_NONE)
				return ret;
		}
		if (count > 0) {
			*partial = TRUE;
			return EC_NONE;
		}
	}
	node = mapi_folder_tree_lookup(store, fid);
	i_assert(node != NULL);
	ret = mapi_search_folders_delete_below(store, node);
	if (ret == EC_NONE && keep == MAPI_KEEP_NOTHING)
		ret = mapi_folder_removed_purge_below(store, fid);
	if (ret != EC_NONE)
		return ret;
	array_foreach(&items, item) {
		ret = folder_delete_item(store, item, if_empty, keep);
		if (ret != EC_NONE)
			break;
		deleted = TRUE;
	}
	if (ret == EC_FOLDER_HAS_CONTENTS) {
		/* a message has come meanwhile */
		*partial = TRUE;
		ret = EC_NONE;
	}
	if (ret != EC_NONE && deleted)
		*partial = TRUE;
	return ret;
}

/* One that is soft deleted already, for good */
static enum mapi_error
folder_delete_removed(struct mapi_store *store, mapi_id_t fid, uint8_t flags,
		      bool *partial)
{
	const struct mapi_folder_node *node =
		mapi_folder_tree_lookup_removed(store, fid);
	ARRAY_TYPE(mapi_folder_item) items;
	const struct mapi_folder_item *item;
	enum mapi_error ret = EC_NONE;
	uint32_t count = 0;

	if (node == NULL || (flags & DELETE_HARD_DELETE) == 0)
		return EC_NOT_FOUND;
	t_array_init(&items, 8);
	mapi_folder_items_add(store, node, TRUE, &items);
	array_foreach(&items, item) {
		if (ret == EC_NONE && (flags & DEL_MESSAGES) == 0)
			ret = item_get_count(store, item, &count);
	}
	if (ret == EC_NONE &&
	    (count > 0 ||
	     (array_count(&items) > 1 && (flags & DEL_FOLDERS) == 0))) {
		*partial = TRUE;
		return EC_NONE;
	}
	if (ret == EC_NONE)
		ret = mapi_folder_removed_purge_below(store, fid);
	return ret != EC_NONE ? ret :
		mapi_folder_removed_purge(store,
					  mapi_folder_fid_to_number(fid));
}

static enum mapi_error
folder_delete(struct mapi_store *store, mapi_id_t fid, uint8_t flags,
	      enum mapi_folder_keep keep, bool *partial)
{
	const struct mapi_folder_node *node;
	enum mapi_error ret, ret2;

	ret = mapi_folder_tree_refresh(store);
	if (ret != EC_NONE)
		return ret;
	node = mapi_folder_tree_lookup(store, fid);
	if (node == NULL) {
		ret = folder_delete_removed(store, fid, flags, partial);
		ret2 = mapi_folder_tree_refresh(store);
		return ret != EC_NONE ? ret : ret2;
	}
	if (node->special == MAPI_SPECIAL_ROOT)
		return EC_NOT_SUPPORTED;
	/* whose messages aren't its own */
	if (node->search)
		return mapi_search_folder_delete(store, fid);
	if (mapi_folder_has_special(node))
		return EC_ACCESS_DENIED;
	if (node->first_child != NULL && (flags & DEL_FOLDERS) == 0) {
		*partial = TRUE;
		return EC_NONE;
	}
	ret = mapi_folder_delete_tree(store, fid, (flags & DEL_MESSAGES) == 0,
				 keep, partial);
	ret2 = mapi_folder_tree_refresh(store);
	return ret != EC_NONE ? ret : ret2;
}

enum mapi_error
mapi_folder_delete(struct mapi_store *store, mapi_id_t fid, uint8_t flags,
		   bool *partial_r)
{
	enum mapi_error ret;

	*partial_r = FALSE;
	T_BEGIN {
		ret = folder_delete(store, fid, flags,
				    (flags & DELETE_HARD_DELETE) != 0 ?
				    MAPI_KEEP_NOTHING : MAPI_KEEP_FOLDER,
				    partial_r);
	} T_END;
	return ret;
}

enum mapi_error
mapi_folder_delete_moved(struct mapi_store *store, mapi_id_t fid,
			 bool *partial_r)
{
	enum mapi_error ret;

	*partial_r = FALSE;
	T_BEGIN {
		ret = folder_delete(store, fid, 0, MAPI_KEEP_MESSAGES, partial_r);
	} T_END;
	return ret;
}
