/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Folders that clients have made where IMAP clients don't see them, below the Root
   for example. Their names and places are records (mapi-folder-place.h), and each
   change of these is one transaction.

   Deleting one: (1) the mailbox is deleted, (2) it's noted that the folder is, (3)
   what is left of it is deleted. A folder without its mailbox gets an empty one when
   folders are listed next, so that dying after (1) leaves an empty folder, and
   another session may have made one before (2). Dying after (2) leaves garbage that
   nobody sees. */

#include "lib.h"
#include "store-compat.h"
#include "mapi-dumpster.h"
#include "mapi-folder-write-private.h"
#include "mapi-stored-props.h"

#define COMPANION_MAX_DEPTH 64

bool mapi_folder_is_companion_parent(const struct mapi_folder_node *node)
{
	return node->companion && node->special != MAPI_SPECIAL_IPM_SUBTREE;
}

/* How many levels a folder has, its own included */
static unsigned int folder_levels(const struct mapi_folder_node *node)
{
	const struct mapi_folder_node *child;
	unsigned int levels = 0;

	for (child = node->first_child; child != NULL;
	     child = child->next_sibling)
		levels = I_MAX(levels, folder_levels(child));
	return levels + 1;
}

enum mapi_error
mapi_folder_companion_check_depth(const struct mapi_folder_node *parent,
				  const struct mapi_folder_node *node)
{
	unsigned int depth = node == NULL ? 1 : folder_levels(node);

	for (; parent != NULL; parent = parent->parent)
		depth++;
	return depth > COMPANION_MAX_DEPTH ? EC_TOO_COMPLEX : EC_NONE;
}

/* Returns -1 if it isn't deleted; it not being there is fine. */
static int
companion_delete(struct mapi_store *store, const char *leaf, bool if_empty,
		 enum mapi_error *error_r)
{
	struct mailbox *box;
	int ret;

	box = mapi_companion_alloc(store->companion, leaf, 0);
	ret = if_empty ? mailbox_delete_empty(box) : mailbox_delete(box);
	if (ret < 0) {
		switch (mailbox_get_last_mail_error(box)) {
		case MAIL_ERROR_NOTFOUND:
			ret = 0;
			break;
		case MAIL_ERROR_EXISTS:
			*error_r = EC_FOLDER_HAS_CONTENTS;
			break;
		default:
			*error_r = mapi_error_from_mailbox(box);
			break;
		}
	}
	mailbox_free(&box);
	return ret;
}

void mapi_folder_delete_associated(struct mapi_store *store, uint32_t number,
				   bool keep_bags)
{
	/* the last one may be kept */
	static const char *const leafs[] = {
		MAPI_COMPANION_FAI, MAPI_COMPANION_BAGS_FAI,
		MAPI_COMPANION_RULES, MAPI_COMPANION_BAGS,
	};
	unsigned int i, count = N_ELEMENTS(leafs) - (keep_bags ? 1 : 0);

	for (i = 0; i < count; i++) {
		mapi_companion_delete(store->companion,
				      t_strdup_printf(leafs[i], number));
	}
	mapi_dumpster_delete(store, number);
	mapi_stored_forget(store, number);
}

enum mapi_error
mapi_folder_companion_delete(struct mapi_store *store,
			     const struct mapi_folder_item *item, bool if_empty)
{
	const char *leaf = t_strdup_printf(MAPI_COMPANION_FOLDER, item->number);
	enum mapi_error error;

	if (companion_delete(store, leaf, if_empty, &error) < 0)
		return error;
	error = mapi_folder_place_delete(store, MAPI_PLACE_COMPANION,
					 item->number);
	if (error != EC_NONE)
		return error;
	mapi_companion_delete(store->companion, leaf);
	mapi_folder_delete_associated(store, item->number, FALSE);
	store_compat_list_refresh(store->companion->ns->list);
	return EC_NONE;
}
