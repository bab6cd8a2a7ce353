/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "store-compat.h"
#include "mapi-enums.h"
#include "mapi-restriction.h"
#include "mapi-search-folder-private.h"

#include <stdlib.h>

/* What search folders have found.

   The results belong to the store; all tables of a search folder, its counts and
   its state are views of them. Each folder in the scope is a part. An update asks
   lib-storage for the status of each of them, which is in the mailbox list's
   index, and has those evaluated that have changed since they were the last
   time: messages that are new or have a higher MODSEQ, and rows that have gone.
   So once a search has been done, what it costs to look at it is a lookup for
   each folder, and its folders' changes.

   Tables follow by generations: each update that changes anything is one, a part
   knows its last, and which messages changed in which of the last ones (its
   journal). A table that saw it last before the journal begins has to take
   everything for changed.

   What has been found is stored when a static search has been done, when a search
   is stopped, and at the end of the session if it has changed.

   Static searches, and those that have been stopped, are evaluated only if they
   have never been. After that, rows go when their messages do. */

#define JOURNAL_MAX 4096

struct mapi_searches {
	struct mapi_search *list;
};

/* Searches that aren't stored are done again: errors are only logged. */
static int mapi_searches_destructor(struct mapi_searches *searches)
{
	struct mapi_search *search;

	for (search = searches->list; search != NULL; search = search->next) {
		if (search->dirty)
			(void)mapi_search_store(search);
	}
	return 0;
}

/* --- searches -------------------------------------------------------------- */

static void search_clear(struct mapi_search *search)
{
	unsigned int i;

	/* tables find out by comparing */
	search->generation++;
	for (i = 0; i < search->part_count; i++)
		talloc_free(search->parts[i]);
	TALLOC_FREE(search->parts);
	search->part_count = 0;
	search->partial = FALSE;
	search->dirty = FALSE;
	search->loaded = FALSE;
}

struct mapi_search *mapi_search_get(struct mapi_store *store, mapi_id_t fid)
{
	struct mapi_search *search;

	if (store->searches == NULL) {
		store->searches = talloc_zero(store, struct mapi_searches);
		talloc_set_destructor(store->searches,
				      mapi_searches_destructor);
	}
	for (search = store->searches->list; search != NULL;
	     search = search->next) {
		if (search->fid == fid)
			return search;
	}
	search = talloc_zero(store->searches, struct mapi_search);
	search->store = store;
	search->fid = fid;
	search->next = store->searches->list;
	store->searches->list = search;
	return search;
}

void mapi_search_forget(struct mapi_store *store, mapi_id_t fid)
{
	struct mapi_search *search = mapi_search_get(store, fid);

	/* Tables may still have it. */
	search_clear(search);
	TALLOC_FREE(search->criteria);
	search->criteria_number = 0;
}

/* --- parts ----------------------------------------------------------------- */

struct mapi_search_part *
mapi_search_find_part(struct mapi_search *search, mapi_id_t fid)
{
	unsigned int i;

	for (i = 0; i < search->part_count; i++) {
		if (search->parts[i]->fid == fid)
			return search->parts[i];
	}
	return NULL;
}

struct mapi_search_part *
mapi_search_add_part(struct mapi_search *search, mapi_id_t fid)
{
	struct mapi_search_part *part;

	search->parts = talloc_realloc(search, search->parts,
				       struct mapi_search_part *,
				       search->part_count + 1);
	part = talloc_zero(search, struct mapi_search_part);
	part->fid = fid;
	part->journal_start = search->generation;
	search->parts[search->part_count++] = part;
	return part;
}

static int search_row_cmp(const void *_key, const void *_row)
{
	const uint32_t *key = _key;
	const struct mapi_search_row *row = _row;

	return *key == row->uid ? 0 : (*key < row->uid ? -1 : 1);
}

struct mapi_search_row *
mapi_search_part_find(struct mapi_search_part *part, uint32_t uid)
{
	return part->row_count == 0 ? NULL :
		bsearch(&uid, part->rows, part->row_count,
			sizeof(*part->rows), search_row_cmp);
}

static void search_trim_journal(struct mapi_search_part *part)
{
	if (part->journal_count <= JOURNAL_MAX)
		return;
	TALLOC_FREE(part->journal);
	part->journal_count = part->journal_alloc = 0;
	part->journal_start = part->generation;
}

/* --- the scope ------------------------------------------------------------- */

struct search_scope {
	struct mapi_search *search;
	unsigned int count;
};

static void
scope_add(struct search_scope *scope, const struct mapi_folder_node *node,
	  bool recursive)
{
	const struct mapi_folder_node *child;
	struct mapi_search_part *part;

	if (node->search)
		return;
	part = mapi_search_find_part(scope->search, node->fid);
	if (node->vname != NULL && (part == NULL || !part->marked)) {
		if (scope->count == MAPI_SEARCH_MAX_FOLDERS) {
			scope->search->partial = TRUE;
			return;
		}
		scope->count++;
		if (part == NULL)
			part = mapi_search_add_part(scope->search, node->fid);
		part->marked = TRUE;
	}
	if (!recursive)
		return;
	for (child = node->first_child; child != NULL;
	     child = child->next_sibling)
		scope_add(scope, child, TRUE);
}

/* Adds parts for folders that are new in the scope and removes those that have
   gone. */
static bool search_update_scope(struct mapi_search *search)
{
	const struct mapi_search_criteria *criteria = search->criteria;
	const struct mapi_folder_node *node;
	struct search_scope scope = { .search = search };
	unsigned int i, kept = 0;
	bool changed;

	for (i = 0; i < search->part_count; i++)
		search->parts[i]->marked = FALSE;
	search->partial = FALSE;
	for (i = 0; i < criteria->scope_count; i++) {
		node = mapi_folder_tree_lookup(search->store,
					       criteria->scope[i]);
		if (node != NULL) {
			scope_add(&scope, node, (criteria->flags &
						 RECURSIVE_SEARCH) != 0);
		}
	}
	for (i = 0; i < search->part_count; i++) {
		if (search->parts[i]->marked)
			search->parts[kept++] = search->parts[i];
		else
			talloc_free(search->parts[i]);
	}
	changed = kept != search->part_count;
	search->part_count = kept;
	return changed;
}

/* A static search has no new folders. */
static bool search_drop_vanished(struct mapi_search *search)
{
	const struct mapi_folder_node *node;
	unsigned int i, kept = 0;
	bool changed;

	for (i = 0; i < search->part_count; i++) {
		node = mapi_folder_tree_lookup(search->store,
					       search->parts[i]->fid);
		if (node != NULL && node->vname != NULL)
			search->parts[kept++] = search->parts[i];
		else
			talloc_free(search->parts[i]);
	}
	changed = kept != search->part_count;
	search->part_count = kept;
	return changed;
}

/* --- updating -------------------------------------------------------------- */

/* FALSE if nobody knows */
static bool
part_get_status(struct mapi_search *search, const struct mapi_search_part *part,
		struct mapi_search_status *status_r)
{
	const struct mapi_folder_node *node =
		mapi_folder_tree_lookup(search->store, part->fid);
	struct mailbox_status status;
	struct mailbox *box;
	bool ok;

	i_zero(status_r);
	if (node == NULL || node->vname == NULL)
		return FALSE;
	box = mailbox_alloc(search->store->companion->ns->list, node->vname,
			    MAILBOX_FLAG_READONLY);
	ok = mailbox_get_status(box, STATUS_UIDVALIDITY | STATUS_UIDNEXT |
				STATUS_MESSAGES | STATUS_UNSEEN |
				STATUS_HIGHESTMODSEQ, &status) == 0;
	if (ok) {
		status_r->uidvalidity = status.uidvalidity;
		status_r->uidnext = status.uidnext;
		status_r->messages = status.messages;
		status_r->unseen = status.unseen;
		status_r->modseq = status.highest_modseq;
	}
	mailbox_free(&box);
	return ok;
}

static enum mapi_error
search_update_part(struct mapi_search *search, struct mapi_search_part *part,
		   bool *changed)
{
	struct mapi_search_status status;
	enum mapi_error ret;
	bool part_changed;

	if (part_get_status(search, part, &status) && part->uidvalidity != 0 &&
	    memcmp(&status, &part->status, sizeof(status)) == 0)
		return EC_NONE;
	ret = mapi_search_part_evaluate(search, part, &part_changed);
	if (ret == EC_NOT_FOUND || ret == EC_OBJECT_DELETED ||
	    ret == EC_ACCESS_DENIED) {
		/* It has been deleted just now, or nothing in it may be
		   read: no reason to keep the user from the others. */
		part_changed = part->row_count > 0;
		part->row_count = 0;
		ret = EC_NONE;
	}
	if (ret != EC_NONE)
		return ret;
	part->status = status;
	search->dirty = TRUE;
	if (part_changed) {
		part->generation = search->generation;
		search_trim_journal(part);
		*changed = TRUE;
	}
	return EC_NONE;
}

/* Notices new criteria. */
static void search_update_criteria(struct mapi_search *search)
{
	const struct mapi_idlog_rec *rec =
		mapi_search_criteria_rec(search->store, search->fid);
	struct mapi_search_criteria *criteria, *old = search->criteria;
	bool keep;

	if ((rec == NULL ? 0 : rec->changed) == search->criteria_number)
		return;
	criteria = rec == NULL ? NULL :
		mapi_search_criteria_decode(search, rec->value);
	/* only stopped: what has been found stays */
	keep = old != NULL && criteria != NULL && !criteria->running &&
		criteria->serial == old->serial + 1 &&
		criteria->flags == old->flags &&
		criteria->scope_count == old->scope_count &&
		memcmp(criteria->scope, old->scope, old->scope_count *
		       sizeof(*old->scope)) == 0 &&
		mapi_restriction_equal(criteria->restriction,
				       old->restriction);
	if (!keep)
		search_clear(search);
	else
		search->dirty = TRUE;
	talloc_free(old);
	search->criteria = criteria;
	search->criteria_number = rec == NULL ? 0 : rec->changed;
}

static void search_update_load(struct mapi_search *search)
{
	if (search->loaded || search->part_count > 0)
		return;
	search->loaded = TRUE;
	search->generation++;
	if (!mapi_search_load(search)) {
		search_clear(search);
		search->loaded = TRUE;
	}
}

/* With the tree as it is: nodes stay valid. */
static enum mapi_error search_update(struct mapi_search *search)
{
	bool fixed, changed;
	enum mapi_error ret = EC_NONE;
	unsigned int i;

	search_update_criteria(search);
	if (search->criteria == NULL)
		return EC_NONE;
	search_update_load(search);
	fixed = !search->criteria->running ||
		(search->criteria->flags & STATIC_SEARCH) != 0;
	search->generation++;
	if (fixed && search->part_count > 0)
		changed = search_drop_vanished(search);
	else
		changed = search_update_scope(search);
	for (i = 0; i < search->part_count && ret == EC_NONE; i++) T_BEGIN {
		ret = search_update_part(search, search->parts[i], &changed);
	} T_END;
	if (changed)
		search->dirty = TRUE;
	else if (ret == EC_NONE)
		search->generation--;
	return ret;
}

enum mapi_error mapi_search_update(struct mapi_search *search)
{
	enum mapi_error ret;

	ret = mapi_folder_tree_refresh(search->store);
	return ret != EC_NONE ? ret : search_update(search);
}

enum mapi_error
mapi_search_folder_get_counts(struct mapi_store *store, mapi_id_t fid,
			      uint32_t *messages_r, uint32_t *unread_r)
{
	struct mapi_search *search = mapi_search_get(store, fid);
	unsigned int i, j;
	enum mapi_error ret;

	*messages_r = *unread_r = 0;
	ret = search_update(search);
	if (ret != EC_NONE)
		return ret;
	for (i = 0; i < search->part_count; i++) {
		const struct mapi_search_part *part = search->parts[i];

		*messages_r += part->row_count;
		for (j = 0; j < part->row_count; j++) {
			if (part->rows[j].unread)
				(*unread_r)++;
		}
	}
	return EC_NONE;
}
