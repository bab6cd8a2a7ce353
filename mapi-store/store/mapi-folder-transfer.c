/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-folder-write-private.h"
#include "mapi-object-copy.h"
#include "mapi-props.h"

/* Moving and copying folders from one mailbox to another.

   A copy within a store is made where nobody sees it (mapi-folder-copy.c), in the
   companion tree, in which others than the owner have no rights, and a mailbox can't
   be renamed to another user's. So here a folder is created where it belongs and
   filled, with what the user may read and write and nothing else. A process that dies
   leaves a part of the copy; when moving, each message and each folder is there before
   it's removed here, and a folder is removed only when it's empty. */

#define MOVE_RIGHTS \
	(RIGHTS_READ_ANY | RIGHTS_DELETE_ANY | RIGHTS_FOLDER_OWNER)

struct folder_transfer {
	struct mapi_store *src, *dest;
	bool recursive, move, partial;
};

struct transfer_child {
	mapi_id_t fid;
	const char *name;
};
ARRAY_DEFINE_TYPE(transfer_child, struct transfer_child);

/* --- may it be done? --------------------------------------------------------- */

/* What can't be read below a folder that is copied isn't copied. */
static enum mapi_error
transfer_check_rights(const struct folder_transfer *transfer,
		      const struct mapi_folder_node *node)
{
	struct mapi_store *store = transfer->src;
	ARRAY_TYPE(mapi_folder_item) items;
	const struct mapi_folder_item *item;
	uint32_t rights = transfer->move ? MOVE_RIGHTS : RIGHTS_READ_ANY;

	t_array_init(&items, 8);
	mapi_folder_items_add(store, node, FALSE, &items);
	array_foreach(&items, item) {
		node = mapi_folder_tree_lookup(store, item->fid);
		if ((mapi_folder_rights(store, node) & rights) != rights)
			return EC_ACCESS_DENIED;
		if (!transfer->move)
			return EC_NONE;
		if ((mapi_folder_acl(store, node) & MAPI_ACL_DELETE) == 0)
			return EC_ACCESS_DENIED;
	}
	return EC_NONE;
}

static enum mapi_error
transfer_check(const struct folder_transfer *transfer,
	       const struct mapi_folder_node *node,
	       const struct mapi_folder_node *dest)
{
	const struct mapi_folder_node *up;

	if (node == NULL)
		return EC_NOT_FOUND;
	if (dest == NULL)
		return EC_OBJECT_DELETED;
	if (node->special == MAPI_SPECIAL_ROOT ||
	    node->special == MAPI_SPECIAL_IPM_SUBTREE || node->search)
		return EC_NOT_SUPPORTED;
	if (dest->search)
		return EC_SEARCH_FOLDER;
	if (transfer->move && mapi_folder_has_special(node))
		return EC_ACCESS_DENIED;
	for (up = dest; up != NULL && transfer->recursive; up = up->parent) {
		if (up == node)
			return EC_FOLDER_CYCLE;
	}
	return transfer_check_rights(transfer, node);
}

/* --- one folder --------------------------------------------------------------- */

static void
transfer_get_children(struct folder_transfer *transfer,
		      const struct mapi_folder_node *node,
		      ARRAY_TYPE(transfer_child) *children)
{
	const struct mapi_folder_node *child;
	struct transfer_child *item;

	for (child = node->first_child; child != NULL;
	     child = child->next_sibling) {
		if (child->search) {
			transfer->partial = TRUE;
			continue;
		}
		item = array_append_space(children);
		item->fid = child->fid;
		item->name = t_strdup(child->display_name);
	}
}

static enum mapi_error
transfer_properties(const struct mapi_copy *copy, TALLOC_CTX *mem)
{
	static const uint32_t excluded[] = { PIDTAG_DISPLAY_NAME };
	const struct mapi_copy props = {
		.source = copy->source, .dest = copy->dest,
	};
	struct mapi_copy_problem *problems;
	enum mapi_error error;
	unsigned int count;

	error = mapi_object_copy_to(&props, mem, excluded,
				    N_ELEMENTS(excluded), FALSE, &problems,
				    &count);
	return error == EC_NONE && count > 0 ? EC_PARTIAL_COMPLETION : error;
}

/* The FAI messages first: fewer may do that. */
static enum mapi_error
transfer_content(const struct mapi_copy *copy, TALLOC_CTX *mem)
{
	static const uint32_t tags[] = {
		PIDTAG_FOLDER_ASSOCIATED_CONTENTS, PIDTAG_CONTAINER_CONTENTS,
	};
	enum mapi_error error, first;
	unsigned int i;

	first = transfer_properties(copy, mem);
	for (i = 0; i < N_ELEMENTS(tags); i++) {
		error = mapi_folder_copy_sub_object(copy, tags[i]);
		if (error != EC_NONE && first == EC_NONE)
			first = error;
	}
	return first;
}

/* *error is that of the first thing that has failed. */
static void
transfer_failed(struct folder_transfer *transfer, enum mapi_error error,
		enum mapi_error *first)
{
	if (error == EC_NONE)
		return;
	transfer->partial = TRUE;
	if (error != EC_PARTIAL_COMPLETION && *first == EC_NONE)
		*first = error;
}

static enum mapi_error
transfer_folder(struct folder_transfer *transfer, mapi_id_t fid,
		mapi_id_t dest_fid, const char *name)
{
	ARRAY_TYPE(transfer_child) children;
	const struct transfer_child *child;
	struct mapi_folder *source, *dest;
	struct mapi_folder_node *node;
	struct mapi_copy copy = { .move = transfer->move };
	enum mapi_error error, first = EC_NONE;
	TALLOC_CTX *mem = talloc_new(NULL);
	bool left = FALSE;

	t_array_init(&children, 8);
	error = mapi_folder_open(mem, transfer->src, fid, &source);
	if (error == EC_NONE) {
		node = mapi_folder_node(source);
		if (node == NULL)
			error = EC_OBJECT_DELETED;
		else if (transfer->recursive)
			transfer_get_children(transfer, node, &children);
	}
	if (error == EC_NONE)
		error = mapi_folder_check_rights(source, RIGHTS_READ_ANY);
	if (error == EC_NONE) {
		error = mapi_folder_create(mem, transfer->dest, dest_fid, name,
					   "", FALSE, &dest);
	}
	if (error != EC_NONE) {
		talloc_free(mem);
		return error;
	}
	copy.source = &source->obj;
	copy.dest = &dest->obj;
	transfer_failed(transfer, transfer_content(&copy, mem), &first);
	array_foreach(&children, child) {
		transfer_failed(transfer,
				transfer_folder(transfer, child->fid, dest->fid,
						child->name), &first);
	}
	talloc_free(mem);
	if (transfer->move) {
		/* without these flags only if there's nothing in it */
		transfer_failed(transfer,
				mapi_folder_delete(transfer->src, fid, 0,
						   &left), &first);
		if (left)
			transfer->partial = TRUE;
	}
	return first;
}

static enum mapi_error
folder_transfer(struct folder_transfer *transfer, mapi_id_t fid,
		mapi_id_t dest_fid, const char *name)
{
	const struct mapi_folder_node *node;
	enum mapi_error error;

	error = mapi_folder_tree_refresh(transfer->src);
	if (error == EC_NONE && transfer->dest != transfer->src)
		error = mapi_folder_tree_refresh(transfer->dest);
	if (error != EC_NONE)
		return error;
	node = mapi_folder_tree_lookup(transfer->src, fid);
	error = transfer_check(transfer, node,
			       mapi_folder_tree_lookup(transfer->dest,
						       dest_fid));
	if (error != EC_NONE)
		return error;
	if (*name == '\0')
		name = t_strdup(node->display_name);
	return transfer_folder(transfer, fid, dest_fid, name);
}

enum mapi_error
mapi_folder_transfer(struct mapi_store *store, mapi_id_t fid,
		     struct mapi_store *dest_store, mapi_id_t dest_fid,
		     const char *name, bool recursive, bool move,
		     bool *partial_r)
{
	struct folder_transfer transfer = {
		.src = store, .dest = dest_store,
		.recursive = recursive, .move = move,
	};
	enum mapi_error error;

	*partial_r = FALSE;
	if (store == dest_store && move)
		return mapi_folder_move(store, fid, dest_fid, name);
	if (store == dest_store && !mapi_store_is_delegate(store)) {
		return mapi_folder_copy(store, fid, dest_fid, name,
					recursive);
	}
	T_BEGIN {
		error = folder_transfer(&transfer, fid, dest_fid,
					t_strdup(name));
	} T_END;
	*partial_r = transfer.partial;
	return error;
}
