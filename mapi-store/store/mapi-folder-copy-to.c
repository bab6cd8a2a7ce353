/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Copying what is in a folder into another one, [MS-OXCPRPT] 2.2.10: its messages, FAI
   messages and subfolders, for which properties stand. */

#include "lib.h"
#include "array.h"
#include "store-compat.h"
#include "mapi-folder-write-private.h"
#include "mapi-message-folder.h"
#include "mapi-message-write.h"
#include "mapi-object-copy.h"
#include "mapi-props.h"

static struct mapi_folder *copy_folder(struct mapi_object *obj)
{
	i_assert(obj->type == MAPI_OBJECT_FOLDER);
	return (struct mapi_folder *)obj;
}

bool mapi_folder_copy_is_sub_object(uint32_t tag)
{
	return tag == PIDTAG_CONTAINER_CONTENTS ||
		tag == PIDTAG_CONTAINER_HIERARCHY ||
		tag == PIDTAG_FOLDER_ASSOCIATED_CONTENTS;
}

/* --- messages --------------------------------------------------------------- */

static enum mapi_error
folder_get_mids(struct mapi_folder *folder, bool associated, TALLOC_CTX *mem,
		mapi_id_t **mids_r, unsigned int *count_r)
{
	struct mailbox *box = folder->box;
	enum mapi_error error = EC_NONE;
	uint32_t seq, uid;

	*count_r = 0;
	if (associated)
		error = mapi_folder_open_associated(folder, &box);
	if (error != EC_NONE || box == NULL)
		return error;
	*count_r = mail_index_view_get_messages_count(box->view);
	*mids_r = talloc_array(mem, mapi_id_t, *count_r);
	for (seq = 1; seq <= *count_r; seq++) {
		mail_index_lookup_uid(box->view, seq, &uid);
		(*mids_r)[seq - 1] = mapi_folder_mid(folder, associated, uid);
	}
	return EC_NONE;
}

static enum mapi_error
copy_messages(const struct mapi_copy *copy, bool associated)
{
	struct mapi_store *store = copy->source->store;
	mapi_id_t fid = copy_folder(copy->source)->fid;
	struct mapi_message_folder *mfolder;
	struct mapi_folder *folder;
	TALLOC_CTX *mem;
	mapi_id_t *mids;
	unsigned int count;
	enum mapi_error error;
	bool partial = FALSE;

	error = mapi_message_folder_get(store, fid, &mfolder, &folder);
	if (error != EC_NONE)
		return error;
	mem = talloc_new(NULL);
	error = folder_get_mids(folder, associated, mem, &mids, &count);
	mapi_message_folder_release(&mfolder);
	if (error == EC_NONE && count > 0) {
		error = mapi_messages_copy(store, fid, copy->dest->store,
					   copy_folder(copy->dest)->fid, mids,
					   count, copy->move, &partial);
	}
	talloc_free(mem);
	return error == EC_NONE && partial ? EC_PARTIAL_COMPLETION : error;
}

/* --- subfolders -------------------------------------------------------------- */

/* The rest is done also if one of them can't be. */
static enum mapi_error copy_subfolders(const struct mapi_copy *copy)
{
	struct mapi_store *store = copy->source->store;
	mapi_id_t dest_fid = copy_folder(copy->dest)->fid;
	const struct mapi_folder_node *node, *child;
	ARRAY(mapi_id_t) fids;
	enum mapi_error error, first = EC_NONE;
	bool partial;
	mapi_id_t fid;

	node = mapi_folder_node(copy_folder(copy->source));
	if (node == NULL)
		return EC_OBJECT_DELETED;
	t_array_init(&fids, 16);
	for (child = node->first_child; child != NULL;
	     child = child->next_sibling)
		array_push_back(&fids, &child->fid);
	array_foreach_elem(&fids, fid) {
		error = mapi_folder_transfer(store, fid, copy->dest->store,
					     dest_fid, "", TRUE, copy->move,
					     &partial);
		if (error == EC_NONE && partial)
			error = EC_PARTIAL_COMPLETION;
		if (error != EC_NONE && first == EC_NONE)
			first = error;
	}
	return first;
}

static enum mapi_error
check_subfolders(struct mapi_store *dest_store,
		 const struct mapi_folder_node *source,
		 const struct mapi_folder_node *dest)
{
	const struct mapi_folder_node *up, *child;
	enum mapi_error error = EC_NONE;

	for (up = dest; up != NULL; up = up->parent) {
		if (up == source)
			return EC_FOLDER_CYCLE;
	}
	for (child = source->first_child; child != NULL && error == EC_NONE;
	     child = child->next_sibling) T_BEGIN {
		if (mapi_folder_find_child(dest_store, dest,
					   child->display_name, NULL) != NULL)
			error = EC_DUPLICATE_NAME;
	} T_END;
	return error;
}

enum mapi_error
mapi_folder_copy_check(const struct mapi_copy *copy, const uint32_t *tags,
		       unsigned int count)
{
	struct mapi_store *dest_store = copy->dest->store;
	const struct mapi_folder_node *source, *dest;
	enum mapi_error error;
	unsigned int i;

	error = mapi_folder_tree_refresh(copy->source->store);
	if (error == EC_NONE && dest_store != copy->source->store)
		error = mapi_folder_tree_refresh(dest_store);
	if (error != EC_NONE)
		return error;
	source = mapi_folder_node(copy_folder(copy->source));
	dest = mapi_folder_node(copy_folder(copy->dest));
	if (source == NULL || dest == NULL)
		return EC_OBJECT_DELETED;
	if (source == dest)
		return EC_FOLDER_CYCLE;
	for (i = 0; i < count && error == EC_NONE; i++) {
		if (!mapi_folder_copy_is_sub_object(tags[i]))
			continue;
		/* what is in it are others' messages */
		if (source->search || dest->search)
			error = EC_NOT_SUPPORTED;
		else if (tags[i] == PIDTAG_CONTAINER_HIERARCHY)
			error = check_subfolders(dest_store, source, dest);
	}
	return error;
}

enum mapi_error
mapi_folder_copy_sub_object(const struct mapi_copy *copy, uint32_t tag)
{
	enum mapi_error error;

	if (tag != PIDTAG_CONTAINER_HIERARCHY) {
		return copy_messages(copy, tag ==
				     PIDTAG_FOLDER_ASSOCIATED_CONTENTS);
	}
	T_BEGIN {
		error = copy_subfolders(copy);
	} T_END;
	return error;
}
