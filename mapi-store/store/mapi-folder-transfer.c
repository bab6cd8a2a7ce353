/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "store-compat.h"
#include "mapi-bags.h"
#include "mapi-enums.h"
#include "mapi-folder-copy.h"
#include "mapi-folder-rights.h"
#include "mapi-message-folder.h"
#include "mapi-search-folder-private.h"

/* Copying folders, and moving them from one mailbox to another.

   A mailbox can't be renamed to another user's. So what is moved there is copied, in
   one piece (mapi-folder-copy.c), and then removed here: what has been copied is
   expunged, folder by folder from the bottom, and a folder is deleted when nothing is
   left in it. What has come meanwhile stays, and so does what others have changed, but
   for what they change in the moment when it's expunged.
   A process that dies leaves either what there was, or the copy and what is left of
   the original. */

#define MOVE_RIGHTS \
	(RIGHTS_READ_ANY | RIGHTS_DELETE_ANY | RIGHTS_FOLDER_OWNER)

/* --- may it be done? --------------------------------------------------------- */

/* All that is to be moved, before anything is done */
static enum mapi_error
move_check_rights(struct mapi_store *store, const struct mapi_folder_node *node)
{
	ARRAY_TYPE(mapi_folder_item) items;
	const struct mapi_folder_item *item;

	t_array_init(&items, 8);
	mapi_folder_items_add(store, node, FALSE, &items);
	array_foreach(&items, item) {
		node = mapi_folder_tree_lookup(store, item->fid);
		if ((mapi_folder_rights(store, node) & MOVE_RIGHTS) !=
		    MOVE_RIGHTS ||
		    (mapi_folder_acl(store, node) & MAPI_ACL_DELETE) == 0)
			return EC_ACCESS_DENIED;
	}
	return EC_NONE;
}

static enum mapi_error
transfer_check(const struct mapi_folder_copy *copy,
	       const struct mapi_folder_node *node,
	       const struct mapi_folder_node *dest)
{
	const struct mapi_folder_node *up;

	if (node == NULL)
		return EC_NOT_FOUND;
	if (dest == NULL)
		return EC_OBJECT_DELETED;
	if (node->special == MAPI_SPECIAL_ROOT ||
	    node->special == MAPI_SPECIAL_IPM_SUBTREE)
		return EC_NOT_SUPPORTED;
	/* what is in it is another one's, and isn't shown to others */
	if (node->search && (copy->src != copy->dest ||
			     mapi_store_is_delegate(copy->src)))
		return EC_NOT_SUPPORTED;
	if (dest->search)
		return EC_SEARCH_FOLDER;
	if (copy->move && mapi_folder_has_special(node))
		return EC_ACCESS_DENIED;
	for (up = dest; up != NULL && copy->recursive; up = up->parent) {
		if (up == node)
			return EC_FOLDER_CYCLE;
	}
	return copy->move ? move_check_rights(copy->src, node) : EC_NONE;
}

static bool node_has_search(const struct mapi_folder_node *node)
{
	const struct mapi_folder_node *child;

	for (child = node->first_child; child != NULL;
	     child = child->next_sibling) {
		if (child->search || node_has_search(child))
			return TRUE;
	}
	return FALSE;
}

/* --- removing what has been moved ------------------------------------------------ */

/* guids: of those that have a bag */
static bool
expunge_copied(struct mailbox *box, struct mapi_bags *bags,
	       const ARRAY_TYPE(mapi_mail_state) *states,
	       ARRAY_TYPE(const_string) *guids)
{
	struct mailbox_transaction_context *trans;
	const struct mapi_mail_state *state;
	struct mail *mail;
	const char *guid;
	bool all = TRUE;

	trans = mailbox_transaction_begin(box, 0, "MAPI move folder");
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	array_foreach(states, state) {
		if (!mail_set_uid(mail, state->uid))
			continue;
		if (!mapi_mail_state_is_same(mail, bags, state)) {
			all = FALSE;
			continue;
		}
		if (state->bag_uid != 0 &&
		    mail_get_special(mail, MAIL_FETCH_GUID, &guid) == 0) {
			guid = t_strdup(guid);
			array_push_back(guids, &guid);
		}
		mail_expunge(mail);
	}
	mail_free(&mail);
	return mailbox_transaction_commit(&trans) == 0 && all;
}

/* FALSE if something is left of what has been copied. */
static bool
move_remove_messages(struct mailbox *box, struct mapi_bags *bags,
		     const ARRAY_TYPE(mapi_mail_state) *states)
{
	ARRAY_TYPE(const_string) guids;
	const struct mapi_mail_state *state;
	uint32_t seq;
	bool all;

	t_array_init(&guids, 8);
	all = expunge_copied(box, bags, states, &guids);
	if (mailbox_sync(box, MAILBOX_SYNC_FLAG_EXPUNGE) < 0) {
		(void)mapi_error_from_mailbox(box);
		return FALSE;
	}
	array_foreach(states, state) {
		/* what the user has no right to expunge stays without an
		   error */
		if (mail_index_lookup_seq(box->view, state->uid, &seq))
			return FALSE;
	}
	array_append_zero(&guids);
	if (array_count(&guids) > 1)
		(void)mapi_bags_delete(bags, array_front(&guids));
	return all;
}

static enum mapi_error
move_remove(struct mapi_folder_copy *copy,
	    const struct mapi_folder_copied *folder)
{
	struct mapi_message_folder *mfolder;
	struct mapi_folder *src;
	struct mailbox *box;
	enum mapi_error error;
	unsigned int i;
	bool left;

	error = mapi_message_folder_get(copy->src, folder->src.fid, &mfolder,
					&src);
	if (error != EC_NONE)
		return error;
	for (i = 0; i < N_ELEMENTS(folder->states) && error == EC_NONE; i++) {
		box = src->box;
		if (array_count(&folder->states[i]) == 0)
			continue;
		if (i > 0)
			error = mapi_folder_open_associated(src, &box);
		if (error == EC_NONE && box != NULL &&
		    !move_remove_messages(box, mapi_folder_bags(src, i > 0),
					  &folder->states[i]))
			error = EC_PARTIAL_COMPLETION;
	}
	mapi_message_folder_release(&mfolder);
	if (error != EC_NONE)
		return error;
	error = mapi_folder_delete_moved(copy->src, folder->src.fid, &left);
	return error == EC_NONE && left ? EC_PARTIAL_COMPLETION : error;
}

/* --- ------------------------------------------------------------------------ */

static enum mapi_error
folder_transfer(struct mapi_folder_copy *copy, mapi_id_t fid,
		mapi_id_t dest_fid, const char *name)
{
	const struct mapi_folder_node *node, *dest;
	enum mapi_error error;
	unsigned int i;

	error = mapi_folder_tree_refresh(copy->src);
	if (error == EC_NONE && copy->dest != copy->src)
		error = mapi_folder_tree_refresh(copy->dest);
	if (error != EC_NONE)
		return error;
	node = copy->src == copy->dest ?
		mapi_folder_tree_lookup_any(copy->src, fid) :
		mapi_folder_tree_lookup(copy->src, fid);
	dest = mapi_folder_tree_lookup(copy->dest, dest_fid);
	error = transfer_check(copy, node, dest);
	if (error != EC_NONE)
		return error;
	if (*name == '\0')
		name = t_strdup(node->display_name);
	error = mapi_folder_name_check(name);
	if (error != EC_NONE)
		return error;
	if (mapi_folder_find_child(copy->dest, dest, name, NULL) != NULL)
		return EC_DUPLICATE_NAME;
	if (node->search)
		return mapi_search_folder_copy(copy->src, fid, dest_fid, name);
	if (copy->recursive && node_has_search(node) &&
	    (copy->src != copy->dest || mapi_store_is_delegate(copy->src)))
		copy->partial = TRUE;

	error = mapi_folder_copy_run(copy, node, dest, name);
	if (error != EC_NONE)
		return error;
	for (i = array_count(&copy->folders); i > 0 && copy->move; i--) T_BEGIN {
		error = move_remove(copy, array_idx(&copy->folders, i - 1));
		if (error != EC_NONE)
			mapi_folder_copy_failed(copy, error);
	} T_END;
	return copy->error;
}

enum mapi_error
mapi_folder_transfer(struct mapi_store *store, mapi_id_t fid,
		     struct mapi_store *dest_store, mapi_id_t dest_fid,
		     const char *name, bool recursive, bool move,
		     bool *partial_r)
{
	struct mapi_folder_copy copy = {
		.src = store, .dest = dest_store,
		.recursive = recursive, .move = move,
	};
	enum mapi_error error;

	*partial_r = FALSE;
	if (store == dest_store && move)
		return mapi_folder_move(store, fid, dest_fid, name);
	T_BEGIN {
		error = folder_transfer(&copy, fid, dest_fid, t_strdup(name));
	} T_END;
	*partial_r = copy.partial;
	return error;
}
