/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Deleting what is in a folder: its subfolders one after the other, then its
   messages, then its FAI messages, each message and each subfolder as if it were
   deleted alone. So it can end at any of them, and be done in steps. What is soft
   deleted is kept: messages in the folder's dumpster (mapi-dumpster.h), subfolders as
   mapi-folder-delete.c has it. What is deleted for good goes with what was soft
   deleted before. */

#include "lib.h"
#include "store-compat.h"
#include "mapi-dumpster.h"
#include "mapi-enums.h"
#include "mapi-folder-removed.h"
#include "mapi-folder-rights.h"
#include "mapi-message-list.h"
#include "mapi-message-write.h"
#include "mapi-search-folder-private.h"

/* Deleting a subfolder is as much work as expunging so many messages. */
#define SUBFOLDER_COST 300

enum emptying_part {
	PART_SUBFOLDERS,
	PART_MESSAGES,
	/* those that have been soft deleted before */
	PART_SOFT_DELETED,
	PART_ASSOCIATED,
	PART_SOFT_DELETED_ASSOCIATED,
	PART_END,
};

struct mapi_folder_emptying {
	struct mapi_store *store;
	mapi_id_t fid;
	bool associated, hard;

	enum emptying_part part;
	mapi_id_t *subfolders;
	unsigned int subfolder_count, subfolder_idx;
	struct mapi_message_slice slice;

	/* .error is the first one */
	struct mapi_folder_emptying_status status;
};

/* Opens what the first step is going to need. What can't be opened is an error of the
   step that is about it. */
static unsigned int messages_count(struct mapi_folder_emptying *e)
{
	struct mapi_message_folder *mfolder;
	struct mapi_folder *folder;
	struct mailbox *fai_box = NULL;
	unsigned int count = 0;

	if (mapi_message_folder_get(e->store, e->fid, &mfolder,
				    &folder) != EC_NONE)
		return 0;
	if (folder->box != NULL)
		count = mail_index_view_get_messages_count(folder->box->view);
	if (e->associated &&
	    mapi_folder_open_associated(folder, &fai_box) == EC_NONE &&
	    fai_box != NULL)
		count += mail_index_view_get_messages_count(fai_box->view);
	mapi_message_folder_release(&mfolder);
	return count;
}

static enum mapi_error
folder_check(struct mapi_store *store, mapi_id_t fid,
	     const struct mapi_folder_node **node_r)
{
	const struct mapi_folder_node *node;
	enum mapi_error ret;

	ret = mapi_folder_tree_refresh(store);
	if (ret != EC_NONE)
		return ret;
	*node_r = node = mapi_folder_tree_lookup(store, fid);
	if (node == NULL)
		return EC_OBJECT_DELETED;
	if (node->special == MAPI_SPECIAL_ROOT ||
	    node->special == MAPI_SPECIAL_IPM_SUBTREE || node->search)
		return EC_NOT_SUPPORTED;
	return EC_NONE;
}

enum mapi_error
mapi_folder_empty_begin(TALLOC_CTX *parent, struct mapi_store *store,
			mapi_id_t fid, bool associated, bool hard,
			struct mapi_folder_emptying **emptying_r,
			unsigned int *total_r)
{
	const struct mapi_folder_node *node, *child;
	struct mapi_folder_emptying *e;
	enum mapi_error ret;

	ret = folder_check(store, fid, &node);
	if (ret != EC_NONE)
		return ret;
	e = talloc_zero(parent, struct mapi_folder_emptying);
	if (e == NULL)
		i_fatal_status(FATAL_OUTOFMEM, "talloc() failed");
	e->store = store;
	e->fid = fid;
	e->associated = associated;
	e->hard = hard;
	for (child = node->first_child; child != NULL;
	     child = child->next_sibling)
		e->subfolder_count++;
	e->subfolders = talloc_array(e, mapi_id_t, e->subfolder_count);
	for (child = node->first_child; child != NULL;
	     child = child->next_sibling)
		e->subfolders[e->subfolder_idx++] = child->fid;
	e->subfolder_idx = 0;
	T_BEGIN {
		e->status.total = e->subfolder_count + messages_count(e);
	} T_END;
	*emptying_r = e;
	*total_r = e->status.total;
	return EC_NONE;
}

static void
emptying_error(struct mapi_folder_emptying *e, enum mapi_error error)
{
	if (error != EC_NONE && e->status.error == EC_NONE)
		e->status.error = error;
	if (error != EC_NONE && e->status.done > 0)
		e->status.partial = TRUE;
}

static unsigned int node_count(const struct mapi_folder_node *node)
{
	const struct mapi_folder_node *child;
	unsigned int count = 1;

	for (child = node->first_child; child != NULL;
	     child = child->next_sibling)
		count += node_count(child);
	return count;
}

/* Those that can't be deleted are left. */
static unsigned int empty_subfolder(struct mapi_folder_emptying *e)
{
	mapi_id_t fid = e->subfolders[e->subfolder_idx++];
	const struct mapi_folder_node *node =
		mapi_folder_tree_lookup(e->store, fid);
	unsigned int count;
	enum mapi_error ret;

	if (node == NULL) {
		/* somebody else was faster */
		return 0;
	}
	if (mapi_folder_has_special(node)) {
		e->status.partial = TRUE;
		return 0;
	}
	count = node_count(node);
	ret = node->search ? mapi_search_folder_remove(e->store, fid) :
		mapi_folder_delete_tree(e->store, fid, FALSE, e->hard ?
					MAPI_KEEP_NOTHING : MAPI_KEEP_FOLDER,
					&e->status.partial);
	if (ret != EC_NONE)
		e->status.partial = TRUE;
	emptying_error(e, ret);
	e->status.done++;
	return count * SUBFOLDER_COST;
}

static unsigned int
empty_messages(struct mapi_folder_emptying *e, bool associated, unsigned int max)
{
	const struct mapi_folder_node *node =
		mapi_folder_tree_lookup(e->store, e->fid);
	bool hard = e->hard || !mapi_dumpster_is_enabled(e->store);
	unsigned int count = 0, cost = hard ? 1 : MAPI_MESSAGE_COPY_COST;
	enum mapi_error ret;

	if (node == NULL)
		ret = EC_OBJECT_DELETED;
	else if (associated && hard &&
		 (mapi_folder_rights(e->store, node) &
		  RIGHTS_FOLDER_OWNER) == 0)
		ret = EC_ACCESS_DENIED;
	else {
		ret = mapi_messages_delete_slice(e->store, e->fid, associated,
						 hard, &e->slice,
						 I_MAX(max / cost, 1), &count,
						 &e->status.partial);
	}
	emptying_error(e, ret);
	e->status.done += count;
	if (ret != EC_NONE) {
		/* those that were soft deleted stay, too */
		e->part++;
	}
	if (ret != EC_NONE || e->slice.next_uid > e->slice.last_uid) {
		i_zero(&e->slice);
		e->part++;
	}
	return count * cost;
}

static void empty_soft_deleted(struct mapi_folder_emptying *e, bool associated)
{
	if (e->hard || !mapi_dumpster_is_enabled(e->store)) {
		emptying_error(e, mapi_dumpster_empty(e->store, e->fid,
						      associated,
						      &e->status.partial));
	}
	if (e->hard && !associated) {
		emptying_error(e, mapi_folder_removed_purge_below(e->store,
								  e->fid));
	}
	e->part++;
}

/* Returns how much work it was. */
static unsigned int
empty_part(struct mapi_folder_emptying *e, unsigned int max)
{
	switch (e->part) {
	case PART_SUBFOLDERS:
		if (e->subfolder_idx < e->subfolder_count)
			return empty_subfolder(e);
		e->part++;
		return 0;
	case PART_MESSAGES:
		return empty_messages(e, FALSE, max);
	case PART_SOFT_DELETED:
		empty_soft_deleted(e, FALSE);
		return 0;
	case PART_ASSOCIATED:
		if (e->associated)
			return empty_messages(e, TRUE, max);
		e->part = PART_END;
		return 0;
	case PART_SOFT_DELETED_ASSOCIATED:
		empty_soft_deleted(e, TRUE);
		return 0;
	case PART_END:
		break;
	}
	i_unreached();
}

bool mapi_folder_empty_step(struct mapi_folder_emptying *e, unsigned int max,
			    struct mapi_folder_emptying_status *status_r)
{
	enum mapi_error ret;
	unsigned int work;

	i_assert(e->part < PART_END && max > 0);
	/* it may be long ago that the last one was */
	ret = mapi_folder_tree_refresh(e->store);
	if (ret != EC_NONE) {
		emptying_error(e, ret);
		e->part = PART_END;
	}
	while (e->part < PART_END && max > 0) T_BEGIN {
		work = empty_part(e, max);
		max -= I_MIN(work, max);
	} T_END;
	if (e->part == PART_END && ret == EC_NONE)
		emptying_error(e, mapi_folder_tree_refresh(e->store));
	e->status.total = I_MAX(e->status.total, e->status.done);
	*status_r = e->status;
	return e->part < PART_END;
}

enum mapi_error
mapi_folder_empty(struct mapi_store *store, mapi_id_t fid, bool associated,
		  bool hard, bool *partial_r)
{
	struct mapi_folder_emptying_status status;
	struct mapi_folder_emptying *emptying;
	unsigned int total;
	enum mapi_error ret;

	*partial_r = FALSE;
	ret = mapi_folder_empty_begin(NULL, store, fid, associated, hard,
				      &emptying, &total);
	if (ret != EC_NONE)
		return ret;
	while (mapi_folder_empty_step(emptying, UINT_MAX, &status)) ;
	talloc_free(emptying);
	*partial_r = status.partial;
	return status.error;
}
