/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Soft-deleted folders.

   The mailbox of such a folder is renamed into the companion tree, where IMAP
   clients don't see it, to "removed-<folder number>". Nothing is copied. All else that
   is the folder's has its number in its name or its key and stays where it is: FAI
   messages, bags, rules, properties, permissions, and what had been deleted from it
   before. So a folder that is recovered is what it was, with its id and those of its
   messages. Where it was, what it was called, and since when it's deleted is a note
   in the log:

     removed	folder number	parent's number, seconds since 1970 in hex, "t" or "s",
				name, with spaces between; "" if it's over

   "s" stands for a folder that was deleted with its parent, and is recovered
   with it.

   It's the mailbox that decides: a folder is soft deleted if there's a mailbox of
   that name. Deleting is: (1) the note is written, and that the number has no name
   any more (mapi-folder-delete.c has the reason), (2) the mailbox is renamed, (3) its
   name is unsubscribed from. Dying after (1) leaves the folder as it was, and a note
   that says nothing. Recovering is: (1) the new name is subscribed to, (2) the mailbox
   is renamed; what it's called, if that isn't the mailbox's name, is noted before and
   holds from then on. Of several folders those below are deleted first, and
   recovered last: in between they are in the place that they are said to have been
   in. Deleting for good is deleting the mailbox and then what belongs to it, of which
   there's garbage if the process dies: "doveadm mapi check" collects it.

   Renaming takes along what is below a mailbox. There is nothing, unless it's made by
   others just then, or they hide it from the user: in the first case the renaming is
   taken back, in the second the folder isn't kept. */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "store-compat.h"
#include "mapi-acl.h"
#include "mapi-dumpster.h"
#include "mapi-folder-list.h"
#include "mapi-folder-removed.h"
#include "mapi-folder-rights.h"

static const char *removed_vname(struct mapi_store *store, uint32_t number)
{
	return mapi_companion_vname(store->companion,
		t_strdup_printf(MAPI_COMPANION_REMOVED, number));
}

/* --- notes ------------------------------------------------------------------ */

static bool
removal_parse(const char *value, struct mapi_folder_removal *removal_r)
{
	const char *const *args = t_strsplit(value, " ");
	uint64_t date;

	/* the name may have spaces, too */
	if (str_array_length(args) < 4 ||
	    str_to_uint32(args[0], &removal_r->parent) < 0 ||
	    str_to_uint64_hex(args[1], &date) < 0 || date == 0 ||
	    (strcmp(args[2], "t") != 0 && strcmp(args[2], "s") != 0))
		return FALSE;
	removal_r->date = date;
	removal_r->top = *args[2] == 't';
	removal_r->name = value + strlen(args[0]) + strlen(args[1]) +
		strlen(args[2]) + 3;
	return *removal_r->name != '\0';
}

bool mapi_folder_removal_find(struct mapi_store *store, uint32_t number,
			      struct mapi_folder_removal *removal_r)
{
	const struct mapi_idlog_rec *rec;
	bool found;

	i_zero(removal_r);
	T_BEGIN {
		rec = mapi_idlog_find(store->log, MAPI_LOG_REMOVED,
				      t_strdup_printf("%u", number));
		found = rec != NULL && removal_parse(rec->value, removal_r);
	} T_END;
	return found;
}

static enum mapi_error
removal_note(struct mapi_store *store, const struct mapi_folder_item *item)
{
	const char *key = t_strdup_printf("%u", item->number);
	struct mapi_idlog_new recs[] = {
		{ .type = MAPI_IDLOG_NOTE, .kind = MAPI_LOG_REMOVED,
		  .key = key,
		  .value = t_strdup_printf("%u %llx %c %s", item->parent,
				(unsigned long long)ioloop_time,
				item->depth == 0 ? 't' : 's', item->name),
		  .subject = t_strdup_printf("folder %u is soft deleted",
					     item->number) },
		{ .type = MAPI_IDLOG_NOTE, .kind = MAPI_LOG_NAME,
		  .key = key, .value = "",
		  .subject = t_strdup_printf("folder %u is deleted",
					     item->number) },
	};

	return mapi_idlog_write(store->log, recs, N_ELEMENTS(recs));
}

static enum mapi_error
removal_forget(struct mapi_store *store, uint32_t number)
{
	return mapi_idlog_write_one(store->log, MAPI_IDLOG_NOTE,
				    MAPI_LOG_REMOVED,
				    t_strdup_printf("%u", number), "", NULL,
				    "folder %u isn't soft deleted any more",
				    number);
}

/* --- deleting ----------------------------------------------------------------- */

enum mapi_error
mapi_folder_removal_prepare(struct mapi_store *store,
			    const ARRAY_TYPE(mapi_folder_item) *items,
			    bool *made_r)
{
	const struct mapi_folder_item *item;
	struct mailbox *box;
	enum mapi_error ret = EC_NONE;

	*made_r = FALSE;
	array_foreach(items, item) {
		if (item->companion || item->vname != NULL)
			continue;
		box = mailbox_alloc(store->companion->ns->list, item->path, 0);
		if (mailbox_create(box, NULL, FALSE) == 0)
			*made_r = TRUE;
		else if (mailbox_get_last_mail_error(box) != MAIL_ERROR_EXISTS)
			ret = mapi_error_from_mailbox(box);
		mailbox_free(&box);
		if (ret != EC_NONE)
			return ret;
	}
	if (!*made_r)
		return EC_NONE;
	store_compat_list_refresh(store->companion->ns->list);
	return mapi_folder_tree_refresh(store);
}

/* Mailboxes that others hide from the user are listed, too. */
static bool mailbox_is_parent(struct mapi_store *store, const char *vname)
{
	struct mail_namespace *ns = store->companion->ns;
	struct mailbox_list_iterate_context *iter;
	const struct mailbox_info *info;
	const char *prefix = t_strdup_printf("%s%c", vname,
					     mail_namespace_get_sep(ns));
	bool found = FALSE;

	mapi_acl_suspend(store->acl);
	/* characters of the name may match more */
	iter = mailbox_list_iter_init(ns->list, t_strconcat(prefix, "*", NULL),
				      MAILBOX_LIST_ITER_SKIP_ALIASES |
				      MAILBOX_LIST_ITER_NO_AUTO_BOXES);
	while (!found && (info = mailbox_list_iter_next(iter)) != NULL) {
		found = str_begins(info->vname, prefix) &&
			(info->flags & MAILBOX_NONEXISTENT) == 0;
	}
	if (mailbox_list_iter_deinit(&iter) < 0) {
		(void)mapi_error_from_list(ns->list);
		found = TRUE;
	}
	mapi_acl_resume(store->acl);
	return found;
}

bool mapi_folder_can_be_removed(struct mapi_store *store,
				const struct mapi_folder_item *item)
{
	return mapi_dumpster_is_enabled(store) &&
		!mapi_store_is_delegate(store) && !item->companion &&
		item->vname != NULL &&
		!mailbox_is_parent(store, item->vname);
}

static enum mapi_error
removed_rename(struct mapi_store *store, const char *vname, const char *dest_vname)
{
	struct mailbox_list *list = store->companion->ns->list;
	struct mailbox *src, *dest;
	enum mapi_error ret = EC_NONE;

	src = mailbox_alloc(list, vname, 0);
	dest = mailbox_alloc(list, dest_vname, 0);
	if (mailbox_rename(src, dest) < 0)
		ret = mapi_error_from_mailbox(src);
	mailbox_free(&src);
	mailbox_free(&dest);
	store_compat_list_refresh(list);
	return ret;
}

enum mapi_error
mapi_folder_remove(struct mapi_store *store,
		   const struct mapi_folder_item *item)
{
	const char *vname = removed_vname(store, item->number);
	enum mapi_error ret;

	ret = removal_note(store, item);
	if (ret == EC_NONE)
		ret = removed_rename(store, item->path, vname);
	if (ret == EC_NOT_FOUND) {
		/* somebody else was faster */
		return EC_NONE;
	}
	if (ret == EC_NONE && mailbox_is_parent(store, vname)) {
		ret = removed_rename(store, vname, item->path);
		return ret != EC_NONE ? ret : EC_FOLDER_HAS_CONTENTS;
	}
	if (ret != EC_NONE)
		return ret;
	(void)mapi_folder_set_subscribed(store, item->path, FALSE);
	/* another session may have noted the name again in between */
	ret = mapi_idlog_refresh(store->log);
	if (ret == EC_NONE &&
	    *mapi_folder_number_name(store, item->number) != '\0')
		ret = removal_note(store, item);
	return ret;
}

/* --- for good ------------------------------------------------------------------ */

static enum mapi_error
removed_delete_mailbox(struct mapi_store *store, const char *vname)
{
	struct mailbox *box;
	enum mapi_error ret = EC_NONE;

	box = mailbox_alloc(store->companion->ns->list, vname,
			    MAILBOX_FLAG_IGNORE_ACLS);
	if (mailbox_delete(box) < 0)
		ret = mapi_error_from_mailbox(box);
	mailbox_free(&box);
	return ret;
}

enum mapi_error
mapi_folder_removed_purge(struct mapi_store *store, uint32_t number)
{
	struct mapi_folder_item item = {
		.number = number, .path = removed_vname(store, number),
	};
	bool keep_bags = mapi_folder_has_left_bags(store, &item);
	enum mapi_error ret;

	ret = removed_delete_mailbox(store, item.path);
	if (ret == EC_DUPLICATE_NAME &&
	    mapi_folder_unmark_deleted(store, &item))
		ret = removed_delete_mailbox(store, item.path);
	store_compat_list_refresh(store->companion->ns->list);
	/* What belongs to it isn't touched unless it's this process that has
	   deleted it: another one may have recovered it. */
	if (ret != EC_NONE)
		return ret == EC_NOT_FOUND ? EC_NONE : ret;
	mapi_folder_delete_associated(store, number, keep_bags);
	return removal_forget(store, number);
}

enum mapi_error
mapi_folder_removed_purge_below(struct mapi_store *store, mapi_id_t fid)
{
	const struct mapi_folder_node *node, *up;
	enum mapi_error ret = EC_NONE;
	unsigned int iter = 0;

	while (ret == EC_NONE &&
	       (node = mapi_folder_tree_next_removed(store, &iter)) != NULL) {
		for (up = node->parent; up != NULL && up->fid != fid; )
			up = up->parent;
		if (up != NULL) T_BEGIN {
			ret = mapi_folder_removed_purge(store,
				mapi_folder_fid_to_number(node->fid));
		} T_END;
	}
	return ret;
}

void mapi_folder_removed_expire(struct mapi_store *store)
{
	const struct mapi_folder_node *node;
	struct mapi_folder_removal removal;
	time_t limit = ioloop_time - (time_t)store->set->deleted_retention;
	unsigned int iter = 0;
	uint32_t number;

	if (!mapi_dumpster_is_enabled(store) || mapi_store_is_delegate(store))
		return;
	while ((node = mapi_folder_tree_next_removed(store, &iter)) != NULL) {
		if (node->removed > limit)
			continue;
		/* unless another session has recovered it, and deleted it once
		   more */
		number = mapi_folder_fid_to_number(node->fid);
		if (mapi_idlog_refresh(store->log) == EC_NONE &&
		    mapi_folder_removal_find(store, number, &removal) &&
		    removal.date <= limit) T_BEGIN {
			(void)mapi_folder_removed_purge(store, number);
		} T_END;
	}
}

/* --- their messages in Deleted Items ------------------------------------------- */

mapi_id_t mapi_folder_removed_of(struct mapi_store *store, mapi_id_t fid,
				 mapi_id_t mid)
{
	unsigned int iter = 0;

	if (fid != mapi_folder_tree_special(store,
					    MAPI_SPECIAL_DELETED_ITEMS) ||
	    mapi_folder_tree_next_removed(store, &iter) == NULL)
		return 0;
	fid = mapi_store_mid_to_fid(store, mid);
	return fid != 0 &&
		mapi_folder_tree_lookup_removed(store, fid) != NULL ? fid : 0;
}

bool mapi_folder_removed_of_any(struct mapi_store *store, mapi_id_t fid,
				const mapi_id_t *mids, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (mapi_folder_removed_of(store, fid, mids[i]) != 0)
			return TRUE;
	}
	return FALSE;
}

enum mapi_error
mapi_folder_removed_for_each(struct mapi_store *store, mapi_id_t fid,
			     const mapi_id_t *mids, unsigned int count,
			     mapi_search_messages_func_t *func, void *context,
			     bool *partial_r)
{
	ARRAY(mapi_id_t) own, others;
	enum mapi_error error = EC_NONE;
	bool partial = FALSE;
	unsigned int i;

	*partial_r = FALSE;
	i_array_init(&own, count);
	i_array_init(&others, count);
	for (i = 0; i < count; i++) {
		if (mapi_folder_removed_of(store, fid, mids[i]) != 0)
			array_push_back(&others, &mids[i]);
		else
			array_push_back(&own, &mids[i]);
	}
	if (array_count(&own) > 0) {
		error = func(store, fid, array_front(&own), array_count(&own),
			     context, partial_r);
	}
	if (error == EC_NONE && array_count(&others) > 0) {
		error = mapi_search_for_each_folder(store, array_front(&others),
			array_count(&others), func, context, &partial);
		if (partial || (error != EC_NONE && array_count(&own) > 0))
			*partial_r = TRUE;
	}
	array_free(&own);
	array_free(&others);
	return error;
}

/* --- recovering ---------------------------------------------------------------- */

/* The last part of the mailbox's name: what it was if that differs from what it's
   called */
static const char *
recover_leaf(struct mapi_store *store, const struct mapi_folder_item *item)
{
	const struct mapi_idlog_rec *rec;
	const char *p;

	rec = mapi_idlog_find(store->log, MAPI_LOG_DISPLAY,
			      t_strdup_printf("%u", item->number));
	p = rec == NULL ? NULL : strchr(rec->value, '\t');
	return p != NULL && strcmp(p + 1, item->name) == 0 ?
		t_strdup_until(rec->value, p) :
		mapi_folder_leaf_encode(store, item->name);
}

/* Names of the mailboxes: parents come first. */
static enum mapi_error
recover_get_names(struct mapi_store *store,
		  const ARRAY_TYPE(mapi_folder_item) *items, const char *vname,
		  ARRAY_TYPE(const_string) *names)
{
	const struct mapi_folder_item *item;
	ARRAY_TYPE(const_string) path;
	char sep = mail_namespace_get_sep(store->companion->ns);
	enum mapi_error ret;

	t_array_init(&path, 8);
	array_foreach(items, item) {
		if (item->depth > 0) {
			vname = t_strdup_printf("%s%c%s",
				array_idx_elem(&path, item->depth - 1), sep,
				recover_leaf(store, item));
		}
		array_idx_set(&path, item->depth, &vname);
		array_push_back(names, &vname);
		ret = mapi_folder_vname_check(store, vname);
		if (ret != EC_NONE)
			return ret;
	}
	return EC_NONE;
}

static enum mapi_error
recover_one(struct mapi_store *store, const struct mapi_folder_item *item,
	    const char *vname, const char *name)
{
	const struct mapi_folder_item removed = {
		.number = item->number,
		.path = removed_vname(store, item->number),
	};
	enum mapi_error ret;
	bool subscribed;

	/* by a process that was killed before it could delete it for good */
	(void)mapi_folder_unmark_deleted(store, &removed);
	ret = mapi_folder_note_display(store, item->number,
		mapi_folder_display_value(store, vname, name));
	if (ret != EC_NONE)
		return ret;
	subscribed = mapi_folder_set_subscribed(store, vname, TRUE);
	ret = removed_rename(store, removed.path, vname);
	if (ret != EC_NONE) {
		if (subscribed && ret != EC_DUPLICATE_NAME)
			(void)mapi_folder_set_subscribed(store, vname, FALSE);
		return ret;
	}
	return removal_forget(store, item->number);
}

enum mapi_error
mapi_folder_removed_recover(struct mapi_store *store,
			    const struct mapi_folder_node *node,
			    const struct mapi_folder_node *dest,
			    const char *name)
{
	ARRAY_TYPE(mapi_folder_item) items;
	ARRAY_TYPE(const_string) names;
	const struct mapi_folder_item *item;
	const char *vname;
	unsigned int i;
	enum mapi_error ret;

	ret = mapi_folder_child_vname(store, dest, name, NULL, &vname);
	if (ret != EC_NONE)
		return ret;
	t_array_init(&items, 8);
	t_array_init(&names, 8);
	mapi_folder_items_add(store, node, FALSE, &items);
	ret = recover_get_names(store, &items, vname, &names);
	for (i = 0; i < array_count(&items) && ret == EC_NONE; i++) {
		item = array_idx(&items, i);
		ret = recover_one(store, item, array_idx_elem(&names, i),
				  i == 0 ? name : item->name);
	}
	return ret;
}
