/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "hash.h"
#include "guid.h"
#include "sort.h"
#include "store-compat.h"
#include "mapi-acl.h"
#include "mapi-folder-list.h"
#include "mapi-folder-place.h"

/* The user's mailboxes and their folder numbers.

   Identity. A folder's number (the GLOBCNT of its FID) is allotted in the log
   to its key:

     g<mailbox GUID>	a mailbox: survives renaming
     d<vname>		a parent that isn't a mailbox: it has no other identity

   A key that nobody knows is usually a new folder. But if a known folder of the
   same name has just lost its mailbox, it is that folder: an sdbox has lost its
   index and with it its GUID, the mailbox was deleted and created again, or a
   parent became a mailbox or stopped being one. The key becomes an alias of the
   number, and clients keep the folder instead of seeing one vanish and another
   of the same name appear (its messages get a new id block in any case).

   Two mailboxes with one GUID, as after copying a Maildir by hand, or an old one
   that comes back from a backup after its number has got another alias: one of
   them gets a key with a '+' behind it, and a number of its own.

   A folder that was deleted by MAPI is no longer known by any name, so that
   another one of its name isn't taken for it.

   The log also remembers the name that was seen last, so that a renaming by
   others is noticed by whoever lists first, and becomes a change of the folder:
   its change number is the number of the newest record about it. */

/* as many mailboxes may have the same GUID */
#define ALLOT_MAX_ROUNDS 20

void mapi_folder_list_init(struct mapi_folder_list *list,
			   struct mapi_store *store)
{
	i_zero(list);
	list->store = store;
	list->ns = store->companion->ns;
	list->pool = pool_alloconly_create("mapi folder list", 4096);
	p_array_init(&list->mailboxes, list->pool, 32);
	p_array_init(&list->companions, list->pool, 16);
	p_array_init(&list->removed, list->pool, 8);
	hash_table_create(&list->vnames, default_pool, 64, str_hash, strcmp);
}

void mapi_folder_list_deinit(struct mapi_folder_list *list)
{
	hash_table_destroy(&list->vnames);
	pool_unref(&list->pool);
}

bool mapi_folder_list_equals(const struct mapi_folder_list *list,
			     const struct mapi_folder_list *list2)
{
	const struct mapi_tree_mailbox *a, *b;
	unsigned int i, count, count2;

	if (!array_cmp(&list->companions, &list2->companions) ||
	    !array_cmp(&list->removed, &list2->removed))
		return FALSE;
	a = array_get(&list->mailboxes, &count);
	b = array_get(&list2->mailboxes, &count2);
	if (count != count2)
		return FALSE;
	for (i = 0; i < count; i++) {
		if (strcmp(a[i].vname, b[i].vname) != 0 ||
		    strcmp(a[i].key, b[i].key) != 0 ||
		    null_strcmp(a[i].special_use, b[i].special_use) != 0 ||
		    a[i].visible != b[i].visible ||
		    a[i].has_visible != b[i].has_visible)
			return FALSE;
	}
	return TRUE;
}

/* --- listing ------------------------------------------------------------- */

static void
tree_list_add(struct mapi_folder_list *list, const char *vname, bool noselect,
	      const char *special_use, const char *key)
{
	struct mapi_tree_mailbox *mbox;

	mbox = array_append_space(&list->mailboxes);
	mbox->vname = p_strdup(list->pool, vname);
	mbox->noselect = noselect;
	mbox->special_use = p_strdup(list->pool, special_use);
	mbox->key = mbox->id_key = p_strdup(list->pool, key);
	hash_table_insert(list->vnames, mbox->vname, mbox->vname);
}

/* Returns 1 if ok, 0 if the mailbox is to be left out. */
static int
tree_list_get_guid(struct mapi_folder_list *list, const char *vname,
		   const char **key_r)
{
	struct mailbox_metadata metadata;
	struct mailbox *box;
	int ret = 1;

	box = mailbox_alloc(list->ns->list, vname, 0);
	if (mailbox_get_metadata(box, MAILBOX_METADATA_GUID, &metadata) < 0) {
		/* It has just been deleted, or isn't visible to the user, or is
		   broken: no reason to keep him from the others. */
		(void)mapi_error_from_mailbox(box);
		ret = 0;
	} else {
		*key_r = t_strconcat("g", guid_128_to_string(metadata.guid),
				     NULL);
	}
	mailbox_free(&box);
	return ret;
}

static void
tree_list_add_companion(struct mapi_folder_list *list, const char *leaf)
{
	uint32_t number;

	if (str_begins(leaf, "folder-") &&
	    str_to_uint32(leaf + strlen("folder-"), &number) == 0)
		array_push_back(&list->companions, &number);
	else if (str_begins(leaf, "removed-") &&
		 str_to_uint32(leaf + strlen("removed-"), &number) == 0 &&
		 number != 0)
		array_push_back(&list->removed, &number);
}

const char *
mapi_folder_list_parent(struct mail_namespace *ns, const char *vname)
{
	const char *p, *name = vname;

	if (strcmp(vname, "INBOX") == 0)
		return NULL;
	if (strncmp(vname, ns->prefix, ns->prefix_len) == 0)
		name += ns->prefix_len;
	p = strrchr(name, mail_namespace_get_sep(ns));
	return p == NULL || p == name ? NULL : t_strdup_until(vname, p);
}

const char *
mapi_folder_list_leaf(struct mail_namespace *ns, const char *vname)
{
	const char *p, *name = vname;

	if (strncmp(vname, ns->prefix, ns->prefix_len) == 0)
		name += ns->prefix_len;
	p = strrchr(name, mail_namespace_get_sep(ns));
	return p == NULL || p[1] == '\0' ? name : p + 1;
}

static void tree_list_add_parents(struct mapi_folder_list *list)
{
	const struct mapi_tree_mailbox *mbox;
	const char *vname;
	unsigned int i;

	/* those added are looked at, too */
	for (i = 0; i < array_count(&list->mailboxes); i++) T_BEGIN {
		mbox = array_idx(&list->mailboxes, i);
		vname = mapi_folder_list_parent(list->ns, mbox->vname);
		if (vname != NULL &&
		    hash_table_lookup(list->vnames, vname) == NULL) {
			tree_list_add(list, vname, TRUE, NULL,
				      t_strconcat("d", vname, NULL));
		}
	} T_END;
}

/* --- visibility ------------------------------------------------------------ */

/* The tree has all mailboxes, so that each keeps its number and its role whoever
   looks. Those that the user may not see are left out when nodes are made of
   them; but what is above one that he sees is shown, as IMAP does. */
static void tree_list_find_visible(struct mapi_folder_list *list)
{
	HASH_TABLE(const char *, struct mapi_tree_mailbox *) names;
	const struct mapi_acl *acl = list->store->acl;
	struct mapi_tree_mailbox *mbox, *parent;
	const char *vname;

	hash_table_create(&names, default_pool, 64, str_hash, strcmp);
	array_foreach_modifiable(&list->mailboxes, mbox) {
		mbox->visible = acl == NULL ||
			(mapi_acl_my_rights(acl, mbox->vname) &
			 MAPI_ACL_LOOKUP) != 0;
		hash_table_update(names, mbox->vname, mbox);
	}
	array_foreach_modifiable(&list->mailboxes, mbox) T_BEGIN {
		vname = !mbox->visible ? NULL :
			mapi_folder_list_parent(list->ns, mbox->vname);
		for (; vname != NULL;
		     vname = mapi_folder_list_parent(list->ns, vname)) {
			parent = hash_table_lookup(names, vname);
			if (parent == NULL || parent->has_visible)
				break;
			parent->has_visible = TRUE;
		}
	} T_END;
	hash_table_destroy(&names);
}

static enum mapi_error tree_list_read_all(struct mapi_folder_list *list)
{
	struct mailbox_list_iterate_context *iter;
	const struct mailbox_info *info;

	iter = mailbox_list_iter_init(list->ns->list, "*",
				      MAILBOX_LIST_ITER_SKIP_ALIASES |
				      MAILBOX_LIST_ITER_RETURN_SPECIALUSE);
	while ((info = mailbox_list_iter_next(iter)) != NULL) T_BEGIN {
		const char *leaf, *key;

		if (mapi_companion_contains(list->store->companion, info->vname,
					    &leaf)) {
			tree_list_add_companion(list, leaf);
		} else if ((info->flags & (MAILBOX_NOSELECT |
					   MAILBOX_NONEXISTENT)) != 0) {
			/* a parent; without children it's nothing */
			if ((info->flags & MAILBOX_NONEXISTENT) == 0) {
				tree_list_add(list, info->vname, TRUE, NULL,
					t_strconcat("d", info->vname, NULL));
			}
		} else if (tree_list_get_guid(list, info->vname, &key) > 0) {
			tree_list_add(list, info->vname, FALSE,
				      info->special_use, key);
		}
	} T_END;
	if (mailbox_list_iter_deinit(&iter) < 0)
		return mapi_error_from_list(list->ns->list);
	tree_list_add_parents(list);
	hash_table_destroy(&list->vnames);
	return EC_NONE;
}

enum mapi_error mapi_folder_list_read(struct mapi_folder_list *list)
{
	enum mapi_error ret;

	mapi_acl_suspend(list->store->acl);
	ret = tree_list_read_all(list);
	mapi_acl_resume(list->store->acl);
	if (ret == EC_NONE)
		tree_list_find_visible(list);
	return ret;
}

/* --- numbers ------------------------------------------------------------- */

static uint32_t tree_key_number(struct mapi_store *store, const char *key)
{
	const struct mapi_idlog_rec *rec;
	uint32_t number;

	rec = mapi_idlog_find(store->log, MAPI_LOG_ALIAS, key);
	if (rec != NULL && str_to_uint32(rec->value, &number) == 0)
		return number;
	rec = mapi_idlog_find(store->log, MAPI_LOG_FOLDER, key);
	return rec == NULL ? 0 : rec->number;
}

uint32_t
mapi_folder_guid_to_number(struct mapi_store *store, const guid_128_t guid)
{
	uint32_t number;

	T_BEGIN {
		number = tree_key_number(store, t_strconcat("g",
			guid_128_to_string(guid), NULL));
	} T_END;
	return number;
}

/* A mailbox whose place has been taken by an alias can come back, from a backup
   say. It's another folder then: its key gets a '+'. */
void mapi_folder_list_find_numbers(struct mapi_folder_list *list)
{
	HASH_TABLE(void *, struct mapi_tree_mailbox *) owners;
	struct mapi_tree_mailbox *mbox, *owner, *loser;
	bool again;

	array_foreach_modifiable(&list->mailboxes, mbox)
		mbox->number = tree_key_number(list->store, mbox->id_key);
	hash_table_create_direct(&owners, default_pool, 64);
	do {
		again = FALSE;
		hash_table_clear(owners, TRUE);
		array_foreach_modifiable(&list->mailboxes, mbox) {
			void *key = POINTER_CAST(mbox->number);

			if (mbox->number == 0)
				continue;
			owner = hash_table_lookup(owners, key);
			if (owner == NULL) {
				hash_table_insert(owners, key, mbox);
				continue;
			}
			loser = mapi_idlog_find(list->store->log,
						MAPI_LOG_ALIAS,
						mbox->id_key) == NULL ?
				mbox : owner;
			loser->id_key = p_strconcat(list->pool, loser->id_key,
						    "+", NULL);
			loser->number = tree_key_number(list->store,
							loser->id_key);
			again = TRUE;
			break;
		}
	} while (again);
	hash_table_destroy(&owners);
}

const char *mapi_folder_number_name(struct mapi_store *store, uint32_t number)
{
	const struct mapi_idlog_rec *rec;

	rec = mapi_idlog_find(store->log, MAPI_LOG_NAME,
			      t_strdup_printf("%u", number));
	if (rec == NULL)
		rec = mapi_idlog_find_number(store->log, number);
	return rec == NULL ? "" : rec->value;
}

mapi_id_t mapi_folder_number_cn(struct mapi_store *store, uint32_t number)
{
	static const char *const kinds[] = {
		MAPI_LOG_NAME, MAPI_LOG_CLASS, MAPI_LOG_COMMENT,
		MAPI_LOG_HIDDEN, MAPI_LOG_MODIFIED, MAPI_LOG_SEARCH_PLACE,
		MAPI_LOG_COMPANION_PLACE, MAPI_LOG_DISPLAY
	};
	const struct mapi_idlog_rec *rec;
	uint32_t changed = number;
	unsigned int i;

	T_BEGIN {
		const char *key = t_strdup_printf("%u", number);

		for (i = 0; i < N_ELEMENTS(kinds); i++) {
			rec = mapi_idlog_find(store->log, kinds[i], key);
			if (rec != NULL && changed < rec->changed)
				changed = rec->changed;
		}
	} T_END;
	return MAPI_FOLDER_FID(changed);
}

/* The folder of this name that has lost its mailbox; 0 if there's none. */
static uint32_t
tree_find_orphan(struct mapi_folder_list *list, const char *vname)
{
	const struct mapi_idlog_rec *rec;
	const struct mapi_tree_mailbox *mbox;
	unsigned int iter = 0;
	uint32_t found = 0;

	while ((rec = mapi_idlog_next(list->store->log, MAPI_LOG_FOLDER,
				      &iter)) != NULL) T_BEGIN {
		/* the newest, if there are several */
		if (strcmp(mapi_folder_number_name(list->store, rec->number),
			   vname) == 0)
			found = rec->number;
	} T_END;
	if (found == 0 ||
	    array_lsearch(&list->removed, &found, uint32_cmp) != NULL)
		return 0;
	array_foreach(&list->mailboxes, mbox) {
		if (mbox->number == found)
			return 0;
	}
	return found;
}

/* recs: what has to be written, nothing if all is well */
static void
tree_list_get_missing(struct mapi_folder_list *list,
		      ARRAY_TYPE(mapi_idlog_new) *recs)
{
	struct mapi_tree_mailbox *mbox;
	struct mapi_idlog_new *rec;
	const char *name;
	uint32_t number;

	array_foreach_modifiable(&list->mailboxes, mbox) {
		if (mbox->number == 0) {
			number = tree_find_orphan(list, mbox->vname);
			rec = array_append_space(recs);
			rec->type = MAPI_IDLOG_CLAIM;
			rec->kind = MAPI_LOG_FOLDER;
			rec->key = mbox->id_key;
			rec->value = mbox->vname;
			rec->subject = t_strconcat("folder number of mailbox ",
						   mbox->vname, NULL);
			if (number != 0) {
				rec->type = MAPI_IDLOG_NOTE;
				rec->kind = MAPI_LOG_ALIAS;
				rec->value = t_strdup_printf("%u", number);
				mbox->number = number;
			}
			continue;
		}
		name = mapi_folder_number_name(list->store, mbox->number);
		if (strcmp(name, mbox->vname) != 0) {
			rec = array_append_space(recs);
			rec->type = MAPI_IDLOG_NOTE;
			rec->kind = MAPI_LOG_NAME;
			rec->key = t_strdup_printf("%u", mbox->number);
			rec->value = mbox->vname;
			rec->subject = t_strdup_printf(
				"folder %u is now mailbox %s",
				mbox->number, mbox->vname);
		}
	}
}

enum mapi_error mapi_folder_list_allot(struct mapi_folder_list *list)
{
	ARRAY_TYPE(mapi_idlog_new) recs;
	enum mapi_error ret;
	unsigned int i;

	for (i = 0; i < ALLOT_MAX_ROUNDS; i++) {
		t_array_init(&recs, 32);
		mapi_folder_list_find_numbers(list);
		tree_list_get_missing(list, &recs);
		if (array_count(&recs) == 0)
			return EC_NONE;
		ret = mapi_idlog_write(list->store->log,
				       array_front_modifiable(&recs),
				       array_count(&recs));
		if (ret != EC_NONE)
			return ret;
	}
	e_error(list->store->user->event, "mapi: Too many mailboxes have "
		"the same GUID");
	return EC_CORRUPT_DATA;
}
