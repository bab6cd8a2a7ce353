/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "unichar.h"
#include "store-compat.h"
#include "mapi-folder-place.h"
#include "mapi-folder-removed.h"
#include "mapi-folder-rights.h"
#include "mapi-search-folder-private.h"
#include "mapi-stored-props.h"

/* Making, moving and deleting search folders: each is one transaction of the
   log, so that there's nothing half done. */

#define COMMENT_MAX_SIZE 4096

bool mapi_folder_is_search(struct mapi_store *store, mapi_id_t fid)
{
	const struct mapi_folder_node *node =
		mapi_folder_tree_lookup(store, fid);

	return node != NULL && node->search;
}

/* --- creating -------------------------------------------------------------- */

static enum mapi_error
search_write(struct mapi_store *store, uint32_t parent, const char *name,
	     const char *comment, mapi_id_t *fid_r)
{
	enum mapi_error ret;
	uint32_t number;

	/* what it finds is for the owner to see */
	if (mapi_store_is_delegate(store))
		return EC_ACCESS_DENIED;
	ret = mapi_folder_place_create(store, MAPI_PLACE_SEARCH, parent, name,
				       comment, &number);
	if (ret != EC_NONE)
		return ret;
	*fid_r = MAPI_FOLDER_FID(number);
	return mapi_folder_tree_refresh(store);
}

static enum mapi_error
search_create(struct mapi_store *store, mapi_id_t parent_fid, const char *name,
	      const char *comment, bool open_existing, mapi_id_t *fid_r)
{
	const struct mapi_folder_node *parent, *node;
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
	if (node != NULL) {
		if (!open_existing || !node->search)
			return EC_DUPLICATE_NAME;
		*fid_r = node->fid;
		return EC_NONE;
	}
	return search_write(store, mapi_folder_fid_to_number(parent_fid), name,
			    comment, fid_r);
}

enum mapi_error
mapi_search_folder_create(TALLOC_CTX *parent, struct mapi_store *store,
			  mapi_id_t parent_fid, const char *name,
			  const char *comment, bool open_existing,
			  struct mapi_folder **folder_r)
{
	mapi_id_t fid = 0;
	enum mapi_error ret;

	T_BEGIN {
		ret = search_create(store, parent_fid, name, comment,
				    open_existing, &fid);
	} T_END;
	return ret != EC_NONE ? ret :
		mapi_folder_open(parent, store, fid, folder_r);
}

/* The folder is there when its claim is: what belongs to it is written after that,
   as the client would do it. */
enum mapi_error
mapi_search_folder_copy(struct mapi_store *store, mapi_id_t fid,
			mapi_id_t dest_fid, const char *name)
{
	struct mapi_stored_changes changes;
	uint32_t old = mapi_folder_fid_to_number(fid), number;
	mapi_id_t new_fid;
	enum mapi_error ret;

	ret = search_write(store, mapi_folder_fid_to_number(dest_fid),
			   t_strdup(name), "", &new_fid);
	if (ret != EC_NONE)
		return ret;
	number = mapi_folder_fid_to_number(new_fid);
	mapi_stored_begin(&changes, store);
	mapi_folder_copy_note(&changes, store, old, number, MAPI_LOG_CRITERIA);
	ret = mapi_folder_copy_props(&changes, store, old, number);
	if (ret == EC_NONE)
		ret = mapi_stored_commit(&changes);
	else
		mapi_stored_rollback(&changes);
	return ret != EC_NONE ? ret : mapi_folder_tree_refresh(store);
}

/* --- deleting -------------------------------------------------------------- */

static void search_delete_mailbox(struct mapi_store *store, const char *leaf)
{
	struct mailbox *box;

	if (!mapi_companion_exists(store->companion, leaf))
		return;
	box = mapi_companion_alloc(store->companion, leaf, 0);
	if (mailbox_delete(box) < 0 &&
	    mailbox_get_last_mail_error(box) != MAIL_ERROR_NOTFOUND)
		(void)mapi_error_from_mailbox(box);
	mailbox_free(&box);
}

/* The criteria aren't worth being kept. */
static enum mapi_error search_delete(struct mapi_store *store, uint32_t number)
{
	const char *key = t_strdup_printf("%u", number);
	struct mapi_idlog_new recs[2] = {
		{
			.type = MAPI_IDLOG_NOTE,
			.kind = MAPI_LOG_SEARCH_PLACE,
			.key = key,
			.value = "",
			.subject = t_strdup_printf(
				"search folder %u is deleted", number),
		}, {
			.type = MAPI_IDLOG_NOTE,
			.kind = MAPI_LOG_CRITERIA,
			.key = key,
			.value = "",
			.subject = t_strdup_printf(
				"criteria of search folder %u", number),
		}
	};
	unsigned int count = mapi_idlog_find(store->log, MAPI_LOG_CRITERIA,
					     key) == NULL ? 1 : 2;
	enum mapi_error ret;

	ret = mapi_idlog_write(store->log, recs, count);
	if (ret != EC_NONE)
		return ret;
	mapi_search_forget(store, MAPI_FOLDER_FID(number));
	search_delete_mailbox(store,
		t_strdup_printf(MAPI_COMPANION_SEARCH, number));
	search_delete_mailbox(store,
		t_strdup_printf(MAPI_COMPANION_FAI, number));
	mapi_stored_forget(store, number);
	return EC_NONE;
}

enum mapi_error
mapi_search_folder_remove(struct mapi_store *store, mapi_id_t fid)
{
	enum mapi_error ret;

	T_BEGIN {
		ret = search_delete(store, mapi_folder_fid_to_number(fid));
	} T_END;
	return ret;
}

enum mapi_error
mapi_search_folder_delete(struct mapi_store *store, mapi_id_t fid)
{
	enum mapi_error ret;

	ret = mapi_search_folder_remove(store, fid);
	return ret != EC_NONE ? ret : mapi_folder_tree_refresh(store);
}

static void
search_folders_collect(const struct mapi_folder_node *node,
		       ARRAY_TYPE(uint32_t) *numbers)
{
	const struct mapi_folder_node *child;
	uint32_t number;

	for (child = node->first_child; child != NULL;
	     child = child->next_sibling) {
		if (child->search) {
			number = mapi_folder_fid_to_number(child->fid);
			array_push_back(numbers, &number);
		}
		search_folders_collect(child, numbers);
	}
}

enum mapi_error
mapi_search_folders_delete_below(struct mapi_store *store,
				 const struct mapi_folder_node *node)
{
	ARRAY_TYPE(uint32_t) numbers;
	const uint32_t *number;
	enum mapi_error ret = EC_NONE;

	t_array_init(&numbers, 4);
	search_folders_collect(node, &numbers);
	array_foreach(&numbers, number) {
		ret = search_delete(store, *number);
		if (ret != EC_NONE)
			break;
	}
	return ret;
}

/* --- messages -------------------------------------------------------------- */

mapi_id_t mapi_search_real_folder(struct mapi_store *store, mapi_id_t fid,
				  mapi_id_t mid)
{
	mapi_id_t removed_fid;

	if (mapi_folder_is_search(store, fid))
		return mapi_store_mid_to_fid(store, mid);
	removed_fid = mapi_folder_removed_of(store, fid, mid);
	return removed_fid != 0 ? removed_fid : fid;
}

enum mapi_error
mapi_search_for_each_folder(struct mapi_store *store, const mapi_id_t *mids,
			    unsigned int count,
			    mapi_search_messages_func_t *func, void *context,
			    bool *partial_r)
{
	mapi_id_t *fids, *part;
	unsigned int i, j, n, done = 0;
	enum mapi_error ret = EC_NONE;
	bool partial;

	*partial_r = FALSE;
	fids = i_new(mapi_id_t, count + 1);
	part = i_new(mapi_id_t, count + 1);
	for (i = 0; i < count; i++) {
		fids[i] = mapi_store_mid_to_fid(store, mids[i]);
		if (fids[i] == 0)
			*partial_r = TRUE;
	}
	for (i = 0; i < count && ret == EC_NONE; i++) {
		mapi_id_t fid = fids[i];

		if (fid == 0)
			continue;
		for (j = i, n = 0; j < count; j++) {
			if (fids[j] == fid) {
				part[n++] = mids[j];
				fids[j] = 0;
			}
		}
		partial = FALSE;
		ret = func(store, fid, part, n, context, &partial);
		if (ret == EC_NOT_FOUND || ret == EC_OBJECT_DELETED) {
			/* the folder has gone */
			partial = TRUE;
			ret = EC_NONE;
		}
		if (partial || (ret != EC_NONE && done > 0))
			*partial_r = TRUE;
		done++;
	}
	i_free(fids);
	i_free(part);
	return ret;
}
