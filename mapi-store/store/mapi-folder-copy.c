/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "guid.h"
#include "mail-search-build.h"
#include "store-compat.h"
#include "mapi-bags.h"
#include "mapi-folder-list.h"
#include "mapi-folder-rights.h"
#include "mapi-folder-write-private.h"
#include "mapi-rules.h"
#include "mapi-search-folder-private.h"
#include "mapi-stored-props.h"

/* Copying folders.

   A copy is made where nobody sees it, in the companion tree, and is then renamed
   to where it belongs: (1) for each folder the mailbox is created below
   "copy-<random>" and the messages are copied into it, (2) its GUID gets a number,
   and (3) with that number go its properties, FAI messages, bags and rules; (4)
   the names that it will have are subscribed to; (5) the top one is renamed, with
   all below it.
   Before (5) there's no copy, and what is left in the companion tree by a process
   that dies is found by its name; after it, the copy is complete. Maildir++ needs
   a rename() for each of the folders in (5): there those below can be left in the
   companion tree. The numbers are claimed for mailboxes of names that nothing else
   ever has, so that no other folder is taken for a copy that has vanished
   (mapi-folder-list.c). */

/* How often messages are copied anew because one vanished meanwhile */
#define COPY_ATTEMPTS_MAX 5

struct folder_copied {
	struct mapi_folder_item src;
	/* below the top one: "" for itself */
	const char *name;
	/* what it's called, whatever the mailbox's name is */
	const char *display;
	bool created;
	/* 0 as long as it has none */
	uint32_t number;
};

struct folder_copy {
	struct mapi_store *store;
	/* the mailbox as it is made, as it will be */
	const char *temp, *vname;
	ARRAY(struct folder_copied) folders;
};

/* --- messages ---------------------------------------------------------------- */

/* *vanished_r: nothing has been copied because of it. */
static enum mapi_error
copy_once(struct mailbox *src, struct mailbox *dest, bool *vanished_r)
{
	struct mailbox_transaction_context *src_trans, *dest_trans;
	struct mail_search_context *search_ctx;
	struct mail_search_args *args;
	struct mail_save_context *save_ctx;
	struct mail *mail;
	enum mapi_error ret = EC_NONE;

	*vanished_r = FALSE;
	src_trans = mailbox_transaction_begin(src, 0, "MAPI copy folder");
	dest_trans = mailbox_transaction_begin(dest,
		MAILBOX_TRANSACTION_FLAG_EXTERNAL |
		MAILBOX_TRANSACTION_FLAG_ASSIGN_UIDS, "MAPI copy folder");
	args = mail_search_build_init();
	mail_search_build_add_all(args);
	search_ctx = mailbox_search_init(src_trans, args, NULL, 0, NULL);
	mail_search_args_unref(&args);
	while (ret == EC_NONE && mailbox_search_next(search_ctx, &mail)) {
		save_ctx = mailbox_save_alloc(dest_trans);
		mailbox_save_copy_flags(save_ctx, mail);
		if (mailbox_copy(&save_ctx, mail) < 0) {
			*vanished_r = mail->expunged;
			ret = mail->expunged ? EC_OBJECT_DELETED :
				mapi_error_from_mailbox(dest);
		}
	}
	if (mailbox_search_deinit(&search_ctx) < 0 && ret == EC_NONE)
		ret = mapi_error_from_mailbox(src);
	if (ret != EC_NONE)
		mailbox_transaction_rollback(&dest_trans);
	else if (mailbox_transaction_commit(&dest_trans) < 0)
		ret = mapi_error_from_mailbox(dest);
	(void)mailbox_transaction_commit(&src_trans);
	return ret;
}

static enum mapi_error
copy_messages(struct mailbox *src, struct mailbox *dest)
{
	enum mapi_error ret;
	unsigned int i = 0;
	bool vanished;

	do {
		if (mailbox_sync(src, 0) < 0)
			return mapi_error_from_mailbox(src);
		ret = copy_once(src, dest, &vanished);
	} while (vanished && ++i < COPY_ATTEMPTS_MAX);
	return ret;
}

static struct mailbox *
copy_open_source(struct mapi_store *store, const char *vname)
{
	return mailbox_alloc(store->companion->ns->list, vname,
			     MAILBOX_FLAG_READONLY | MAILBOX_FLAG_DROP_RECENT);
}

/* --- one folder ---------------------------------------------------------------- */

static const char *
copied_temp(const struct folder_copy *copy, const struct folder_copied *folder)
{
	return t_strconcat(copy->temp, folder->name, NULL);
}

/* (1) */
static enum mapi_error
copy_mailbox(struct folder_copy *copy, struct folder_copied *folder,
	     guid_128_t guid_r)
{
	struct mailbox_metadata metadata;
	struct mailbox *src, *dest;
	enum mapi_error ret = EC_NONE;

	dest = mailbox_alloc(copy->store->companion->ns->list,
			     copied_temp(copy, folder),
			     MAILBOX_FLAG_DROP_RECENT);
	if (mailbox_create(dest, NULL, FALSE) < 0)
		ret = mapi_error_from_mailbox(dest);
	else {
		folder->created = TRUE;
		if (mailbox_open(dest) < 0 || mailbox_sync(dest, 0) < 0 ||
		    mailbox_get_metadata(dest, MAILBOX_METADATA_GUID,
					 &metadata) < 0)
			ret = mapi_error_from_mailbox(dest);
		else
			guid_128_copy(guid_r, metadata.guid);
	}
	if (ret == EC_NONE && folder->src.vname != NULL) {
		src = copy_open_source(copy->store, folder->src.vname);
		ret = mailbox_open(src) < 0 ? mapi_error_from_mailbox(src) :
			copy_messages(src, dest);
		mailbox_free(&src);
	}
	mailbox_free(&dest);
	return ret;
}

/* (2) */
static enum mapi_error
copy_allot(struct folder_copy *copy, struct folder_copied *folder,
	   const guid_128_t guid)
{
	const struct mapi_idlog_rec *rec;
	enum mapi_error ret;

	ret = mapi_idlog_write_one(copy->store->log, MAPI_IDLOG_CLAIM,
		MAPI_LOG_FOLDER,
		t_strconcat("g", guid_128_to_string(guid), NULL),
		copied_temp(copy, folder), &rec,
		"folder number of mailbox %s",
		t_strconcat(copy->vname, folder->name, NULL));
	if (ret == EC_NONE)
		folder->number = rec->number;
	return ret;
}

/* (3) The container class is noted also where the source has it for what it is:
   the copy of Calendar is another calendar. */
static enum mapi_error
copy_properties(struct folder_copy *copy, const struct folder_copied *folder)
{
	const struct mapi_folder_node *node =
		mapi_folder_tree_lookup(copy->store, folder->src.fid);
	struct mapi_stored_changes changes;
	const char *display;
	enum mapi_error ret;

	mapi_stored_begin(&changes, copy->store);
	ret = mapi_folder_copy_props(&changes, folder->src.number,
				     folder->number);
	if (ret != EC_NONE) {
		mapi_stored_rollback(&changes);
		return ret;
	}
	display = mapi_folder_display_value(copy->store,
		t_strconcat(copy->vname, folder->name, NULL), folder->display);
	if (*display != '\0') {
		mapi_folder_note(&changes, folder->number, MAPI_LOG_DISPLAY,
				 display);
	}
	if (node != NULL && node->special != MAPI_SPECIAL_NONE &&
	    mapi_idlog_find(copy->store->log, MAPI_LOG_CLASS,
			    t_strdup_printf("%u",
					    folder->src.number)) == NULL) {
		mapi_folder_note(&changes, folder->number, MAPI_LOG_CLASS,
				 t_strdup(node->container_class));
	}
	return mapi_stored_commit(&changes);
}

static enum mapi_error
copy_associated(struct folder_copy *copy, const struct folder_copied *folder)
{
	const struct mapi_companion *comp = copy->store->companion;
	struct mailbox *src, *dest;
	enum mapi_error ret = EC_NONE;

	src = copy_open_source(copy->store, mapi_companion_vname(comp,
		t_strdup_printf(MAPI_COMPANION_FAI, folder->src.number)));
	if (mailbox_open(src) < 0) {
		if (mailbox_get_last_mail_error(src) != MAIL_ERROR_NOTFOUND)
			ret = mapi_error_from_mailbox(src);
		mailbox_free(&src);
		return ret;
	}
	ret = mapi_companion_open(comp,
		t_strdup_printf(MAPI_COMPANION_FAI, folder->number),
		TRUE, NULL, &dest);
	if (ret == EC_NONE) {
		ret = copy_messages(src, dest);
		mailbox_free(&dest);
	}
	mailbox_free(&src);
	return ret;
}

static enum mapi_error
copy_bags(struct folder_copy *copy, const struct folder_copied *folder)
{
	enum mapi_error ret = EC_NONE;
	unsigned int i;

	for (i = 0; i < 2 && ret == EC_NONE; i++) {
		ret = mapi_bags_copy_all(
			mapi_bags_get(copy->store, folder->src.number, i > 0),
			mapi_bags_get(copy->store, folder->number, i > 0));
	}
	return ret;
}

/* --- all of them ---------------------------------------------------------------- */

static enum mapi_error copy_make(struct folder_copy *copy)
{
	struct folder_copied *folder;
	guid_128_t guid;
	enum mapi_error ret;

	array_foreach_modifiable(&copy->folders, folder) {
		ret = copy_mailbox(copy, folder, guid);
		if (ret == EC_NONE)
			ret = copy_allot(copy, folder, guid);
		if (ret == EC_NONE)
			ret = copy_properties(copy, folder);
		if (ret == EC_NONE)
			ret = copy_associated(copy, folder);
		if (ret == EC_NONE)
			ret = copy_bags(copy, folder);
		if (ret == EC_NONE) {
			ret = mapi_rules_copy(copy->store, folder->src.number,
					      folder->number);
		}
		if (ret != EC_NONE)
			return ret;
	}
	return EC_NONE;
}

/* (4), (5) */
static enum mapi_error copy_show(struct folder_copy *copy)
{
	struct mailbox_list *list = copy->store->companion->ns->list;
	const struct folder_copied *folder;
	ARRAY_TYPE(const_string) names;
	struct mailbox *src, *dest;
	const char *name;
	enum mapi_error ret = EC_NONE;

	t_array_init(&names, 8);
	array_foreach(&copy->folders, folder) {
		name = t_strconcat(copy->vname, folder->name, NULL);
		if (mapi_folder_set_subscribed(copy->store, name, TRUE))
			array_push_back(&names, &name);
	}
	src = mailbox_alloc(list, copy->temp, 0);
	dest = mailbox_alloc(list, copy->vname, 0);
	if (mailbox_rename(src, dest) < 0)
		ret = mapi_error_from_mailbox(src);
	mailbox_free(&src);
	mailbox_free(&dest);
	/* another one's, if there's a folder of that name all of a sudden */
	if (ret != EC_NONE && ret != EC_DUPLICATE_NAME) {
		array_foreach_elem(&names, name) {
			(void)mapi_folder_set_subscribed(copy->store, name,
							 FALSE);
		}
	}
	store_compat_list_refresh(list);
	return ret;
}

static void copy_abandon(struct folder_copy *copy)
{
	const struct folder_copied *folder;
	struct mapi_folder_item item;
	unsigned int i;

	for (i = array_count(&copy->folders); i > 0; i--) {
		folder = array_idx(&copy->folders, i - 1);
		if (!folder->created)
			continue;
		i_zero(&item);
		item.path = copied_temp(copy, folder);
		item.number = folder->number;
		(void)mapi_folder_mailbox_delete(copy->store, &item, FALSE);
	}
}

/* The last part of the mailbox's name */
static const char *
copy_leaf(struct mapi_store *store, const struct mapi_folder_item *item)
{
	/* what special folders are called may be what others' mailboxes are */
	return item->path != NULL && item->special == MAPI_SPECIAL_NONE ?
		mapi_folder_list_leaf(store->companion->ns, item->path) :
		mapi_folder_leaf_encode(store, item->name);
}

/* What is to be copied, and whether all of it can have the names. */
static enum mapi_error
copy_prepare(struct folder_copy *copy, const struct mapi_folder_node *node,
	     const char *top_name, bool recursive)
{
	ARRAY_TYPE(mapi_folder_item) items;
	ARRAY_TYPE(const_string) names;
	const struct mapi_folder_item *item;
	struct folder_copied *folder;
	const char *name;
	char sep = mail_namespace_get_sep(copy->store->companion->ns);
	enum mapi_error ret;

	t_array_init(&copy->folders, 8);
	t_array_init(&items, 8);
	t_array_init(&names, 8);
	mapi_folder_items_add(copy->store, node, FALSE, &items);
	array_foreach(&items, item) {
		if (item->depth > 0 && !recursive)
			break;
		name = item->depth == 0 ? "" :
			t_strdup_printf("%s%c%s",
				array_idx_elem(&names, item->depth - 1), sep,
				copy_leaf(copy->store, item));
		array_idx_set(&names, item->depth, &name);
		folder = array_append_space(&copy->folders);
		folder->src = *item;
		folder->name = name;
		folder->display = item->depth == 0 ? top_name : item->name;
		ret = mapi_folder_vname_check(copy->store,
			t_strconcat(copy->vname, name, NULL));
		if (ret == EC_NONE) {
			ret = mapi_folder_vname_check(copy->store,
				copied_temp(copy, folder));
		}
		if (ret != EC_NONE)
			return ret;
	}
	return EC_NONE;
}

static enum mapi_error
folder_copy(struct mapi_store *store, mapi_id_t fid, mapi_id_t dest_fid,
	    const char *name, bool recursive)
{
	const struct mapi_folder_node *node, *dest, *up;
	struct folder_copy copy;
	enum mapi_error ret;

	ret = mapi_folder_tree_refresh(store);
	if (ret != EC_NONE)
		return ret;
	node = mapi_folder_tree_lookup(store, fid);
	dest = mapi_folder_tree_lookup(store, dest_fid);
	if (node == NULL)
		return EC_NOT_FOUND;
	if (dest == NULL)
		return EC_OBJECT_DELETED;
	if (node->special == MAPI_SPECIAL_ROOT ||
	    node->special == MAPI_SPECIAL_IPM_SUBTREE)
		return EC_NOT_SUPPORTED;
	if (dest->search)
		return EC_SEARCH_FOLDER;
	for (up = dest; up != NULL && recursive; up = up->parent) {
		if (up == node)
			return EC_FOLDER_CYCLE;
	}
	if (*name == '\0')
		name = node->display_name;
	ret = mapi_folder_name_check(name);
	if (ret != EC_NONE)
		return ret;
	if (mapi_folder_find_child(store, dest, name, NULL) != NULL)
		return EC_DUPLICATE_NAME;
	if (node->search)
		return mapi_search_folder_copy(store, fid, dest_fid, name);

	i_zero(&copy);
	copy.store = store;
	copy.temp = mapi_companion_vname(store->companion,
		t_strdup_printf(MAPI_COMPANION_COPY_PREFIX"%08x", i_rand()));
	ret = mapi_folder_child_vname(store, dest, name, NULL, &copy.vname);
	if (ret == EC_NONE)
		ret = copy_prepare(&copy, node, t_strdup(name), recursive);
	if (ret != EC_NONE)
		return ret;
	ret = copy_make(&copy);
	if (ret == EC_NONE)
		ret = copy_show(&copy);
	if (ret != EC_NONE) {
		copy_abandon(&copy);
		return ret;
	}
	return mapi_folder_tree_refresh(store);
}

enum mapi_error
mapi_folder_copy(struct mapi_store *store, mapi_id_t fid, mapi_id_t dest_fid,
		 const char *name, bool recursive)
{
	enum mapi_error ret;

	/* it's put together among what is the owner's, and nobody has been
	   given rights in it */
	if (mapi_store_is_delegate(store))
		return EC_NOT_SUPPORTED;
	T_BEGIN {
		ret = folder_copy(store, fid, dest_fid, t_strdup(name),
				  recursive);
	} T_END;
	return ret;
}
