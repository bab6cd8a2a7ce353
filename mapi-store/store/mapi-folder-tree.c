/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "hash.h"
#include "guid.h"
#include "sort.h"
#include "str.h"
#include "store-compat.h"
#include "mapi-store-private.h"

/* The folder tree is made of the list of the inbox namespace's mailboxes and of
   the internal special folders.

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

   The log also remembers the name that the tree saw last, so that a renaming by
   others is noticed by whoever lists first, and becomes a change of the folder:
   its change number is the number of the newest record about it.

   Refreshing lists the mailboxes, with their GUIDs, out of Dovecot's mailbox list
   index. Where nothing differs from the last time, the tree stays as it is and
   pointers to nodes stay valid. Otherwise missing numbers are allotted in one
   transaction, special folders are looked for, and all nodes are made anew. */

struct mapi_folder_tree {
	/* what the nodes were made of */
	pool_t list_pool;
	ARRAY_TYPE(mapi_tree_mailbox) mailboxes;
	/* folder numbers that have a mailbox in the companion tree */
	ARRAY_TYPE(uint32_t) companions;
	unsigned int log_generation;

	pool_t pool;
	HASH_TABLE(void *, struct mapi_folder_node *) nodes;
	ARRAY(struct mapi_folder_node *) all_nodes;
	HASH_TABLE(const char *, struct mapi_folder_node *) by_vname;
	struct mapi_folder_node *special[MAPI_SPECIAL_COUNT];
};

static int mapi_folder_tree_destructor(struct mapi_folder_tree *tree)
{
	hash_table_destroy(&tree->nodes);
	hash_table_destroy(&tree->by_vname);
	pool_unref(&tree->list_pool);
	pool_unref(&tree->pool);
	return 0;
}

void mapi_folder_tree_init(struct mapi_store *store)
{
	struct mapi_folder_tree *tree;

	tree = store->tree = talloc_zero(store, struct mapi_folder_tree);
	hash_table_create_direct(&tree->nodes, default_pool, 64);
	hash_table_create(&tree->by_vname, default_pool, 64, str_hash, strcmp);
	talloc_set_destructor(tree, mapi_folder_tree_destructor);
}

uint32_t mapi_folder_fid_to_number(mapi_id_t fid)
{
	uint64_t globcnt = MAPI_ID_GLOBCNT(fid);

	if (MAPI_ID_REPLID(fid) != MAPI_STORE_REPLID || globcnt > UINT32_MAX)
		return 0;
	return globcnt;
}

/* --- listing ------------------------------------------------------------- */

struct tree_list {
	struct mapi_store *store;
	struct mail_namespace *ns;
	pool_t pool;
	ARRAY_TYPE(mapi_tree_mailbox) mailboxes;
	ARRAY_TYPE(uint32_t) companions;
	HASH_TABLE(const char *, const char *) vnames;
};

static void
tree_list_add(struct tree_list *list, const char *vname, bool noselect,
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
tree_list_get_guid(struct tree_list *list, const char *vname,
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
tree_list_add_companion(struct tree_list *list, const char *leaf)
{
	uint32_t number;

	if (str_begins(leaf, "folder-") &&
	    str_to_uint32(leaf + strlen("folder-"), &number) == 0)
		array_push_back(&list->companions, &number);
}

/* vname of the parent, or NULL if the parent is the IPM subtree */
static const char *
tree_parent_vname(struct mail_namespace *ns, const char *vname)
{
	const char *p, *name = vname;

	if (strcmp(vname, "INBOX") == 0)
		return NULL;
	if (strncmp(vname, ns->prefix, ns->prefix_len) == 0)
		name += ns->prefix_len;
	p = strrchr(name, mail_namespace_get_sep(ns));
	return p == NULL || p == name ? NULL : t_strdup_until(vname, p);
}

static const char *
tree_leaf_name(struct mail_namespace *ns, const char *vname)
{
	const char *p, *name = vname;

	if (strncmp(vname, ns->prefix, ns->prefix_len) == 0)
		name += ns->prefix_len;
	p = strrchr(name, mail_namespace_get_sep(ns));
	return p == NULL || p[1] == '\0' ? name : p + 1;
}

static void tree_list_add_parents(struct tree_list *list)
{
	const struct mapi_tree_mailbox *mbox;
	const char *vname;
	unsigned int i;

	/* those added are looked at, too */
	for (i = 0; i < array_count(&list->mailboxes); i++) T_BEGIN {
		mbox = array_idx(&list->mailboxes, i);
		vname = tree_parent_vname(list->ns, mbox->vname);
		if (vname != NULL &&
		    hash_table_lookup(list->vnames, vname) == NULL) {
			tree_list_add(list, vname, TRUE, NULL,
				      t_strconcat("d", vname, NULL));
		}
	} T_END;
}

static enum mapi_error tree_list_read(struct tree_list *list)
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
	return EC_NONE;
}

static bool
tree_list_equals(const struct tree_list *list,
		 const struct mapi_folder_tree *tree)
{
	const struct mapi_tree_mailbox *a, *b;
	unsigned int i, count, count2;

	if (tree->list_pool == NULL ||
	    !array_cmp(&list->companions, &tree->companions))
		return FALSE;
	a = array_get(&list->mailboxes, &count);
	b = array_get(&tree->mailboxes, &count2);
	if (count != count2)
		return FALSE;
	for (i = 0; i < count; i++) {
		if (strcmp(a[i].vname, b[i].vname) != 0 ||
		    strcmp(a[i].key, b[i].key) != 0 ||
		    null_strcmp(a[i].special_use, b[i].special_use) != 0)
			return FALSE;
	}
	return TRUE;
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

/* A mailbox whose place has been taken by an alias can come back, from a backup
   say. It's another folder then: its key gets a '+'. */
static void tree_list_find_numbers(struct tree_list *list)
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

static const char *tree_number_name(struct mapi_store *store, uint32_t number)
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
	static const char *const kinds[] = { MAPI_LOG_NAME, MAPI_LOG_CLASS };
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
tree_find_orphan(struct tree_list *list, const char *vname)
{
	const struct mapi_idlog_rec *rec;
	const struct mapi_tree_mailbox *mbox;
	unsigned int iter = 0;
	uint32_t found = 0;

	while ((rec = mapi_idlog_next(list->store->log, MAPI_LOG_FOLDER,
				      &iter)) != NULL) T_BEGIN {
		/* the newest, if there are several */
		if (strcmp(tree_number_name(list->store, rec->number),
			   vname) == 0)
			found = rec->number;
	} T_END;
	if (found == 0)
		return 0;
	array_foreach(&list->mailboxes, mbox) {
		if (mbox->number == found)
			return 0;
	}
	return found;
}

static enum mapi_error tree_list_allot(struct tree_list *list)
{
	ARRAY(struct mapi_idlog_new) recs;
	struct mapi_idlog_new *rec;
	struct mapi_tree_mailbox *mbox;
	enum mapi_error ret;
	const char *name;
	uint32_t number;

	t_array_init(&recs, 32);
	tree_list_find_numbers(list);
	array_foreach_modifiable(&list->mailboxes, mbox) {
		if (mbox->number == 0) {
			number = tree_find_orphan(list, mbox->vname);
			rec = array_append_space(&recs);
			rec->key = mbox->id_key;
			rec->type = MAPI_IDLOG_CLAIM;
			rec->kind = MAPI_LOG_FOLDER;
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
		name = tree_number_name(list->store, mbox->number);
		if (strcmp(name, mbox->vname) != 0) {
			rec = array_append_space(&recs);
			rec->type = MAPI_IDLOG_NOTE;
			rec->kind = MAPI_LOG_NAME;
			rec->key = t_strdup_printf("%u", mbox->number);
			rec->value = mbox->vname;
			rec->subject = t_strdup_printf(
				"folder %u is now mailbox %s",
				mbox->number, mbox->vname);
		}
	}
	if (array_count(&recs) == 0)
		return EC_NONE;
	ret = mapi_idlog_write(list->store->log, array_front_modifiable(&recs),
			       array_count(&recs));
	if (ret != EC_NONE)
		return ret;
	array_foreach_modifiable(&list->mailboxes, mbox) {
		mbox->number = tree_key_number(list->store, mbox->id_key);
		i_assert(mbox->number != 0);
	}
	return EC_NONE;
}

/* --- nodes --------------------------------------------------------------- */

static void
tree_node_insert(struct mapi_folder_tree *tree, struct mapi_folder_node *node)
{
	void *key = POINTER_CAST(mapi_folder_fid_to_number(node->fid));

	i_assert(hash_table_lookup(tree->nodes, key) == NULL);
	hash_table_insert(tree->nodes, key, node);
	array_push_back(&tree->all_nodes, &node);
}

static void
tree_node_link(struct mapi_folder_node *node, struct mapi_folder_node *parent)
{
	struct mapi_folder_node **p;

	node->parent = parent;
	if (parent == NULL) {
		node->parent_fid = node->fid;
		return;
	}
	node->parent_fid = parent->fid;
	parent->child_count++;
	for (p = &parent->first_child; *p != NULL; p = &(*p)->next_sibling) ;
	*p = node;
}

static void tree_build_internal(struct mapi_store *store)
{
	struct mapi_folder_tree *tree = store->tree;
	const struct mapi_special_info *info;
	struct mapi_folder_node *node;
	const uint32_t *companion;
	uint32_t number;
	unsigned int i;

	for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
		info = &mapi_special_infos[i];
		if (!info->internal)
			continue;
		number = mapi_special_number(store, i);
		node = p_new(tree->pool, struct mapi_folder_node, 1);
		node->fid = MAPI_FOLDER_FID(number);
		node->special = i;
		node->display_name = info->display_name;
		node->container_class = info->container_class;
		node->companion = TRUE;
		array_foreach(&tree->companions, companion) {
			if (*companion == number) {
				node->vname = p_strdup(tree->pool,
					mapi_companion_vname(store->companion,
						t_strdup_printf(
							MAPI_COMPANION_FOLDER,
							number)));
			}
		}
		tree->special[i] = node;
		tree_node_insert(tree, node);
	}
	for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
		info = &mapi_special_infos[i];
		if (info->internal) {
			tree_node_link(tree->special[i],
				       info->parent == MAPI_SPECIAL_NONE ? NULL :
				       tree->special[info->parent]);
		}
	}
}

static const char *
tree_container_class(struct mapi_store *store, uint32_t number,
		     enum mapi_special_folder special)
{
	const struct mapi_idlog_rec *rec;

	rec = mapi_idlog_find(store->log, MAPI_LOG_CLASS,
			      t_strdup_printf("%u", number));
	if (rec != NULL)
		return rec->value;
	return special == MAPI_SPECIAL_NONE ? "IPF.Note" :
		mapi_special_infos[special].container_class;
}

static void tree_build_mailboxes(struct mapi_store *store)
{
	struct mapi_folder_tree *tree = store->tree;
	const struct mapi_tree_mailbox *mbox;
	struct mapi_folder_node *node;
	unsigned int i;

	array_foreach(&tree->mailboxes, mbox) {
		node = p_new(tree->pool, struct mapi_folder_node, 1);
		node->fid = MAPI_FOLDER_FID(mbox->number);
		node->special = MAPI_SPECIAL_NONE;
		for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
			if (!mapi_special_infos[i].internal &&
			    mapi_special_number(store, i) == mbox->number &&
			    !mbox->noselect) {
				node->special = i;
				tree->special[i] = node;
			}
		}
		node->display_name = p_strdup(tree->pool,
			tree_leaf_name(store->companion->ns, mbox->vname));
		node->container_class = p_strdup(tree->pool,
			tree_container_class(store, mbox->number,
					     node->special));
		if (!mbox->noselect)
			node->vname = p_strdup(tree->pool, mbox->vname);
		tree_node_insert(tree, node);
		hash_table_insert(tree->by_vname, mbox->vname, node);
	}
	array_foreach(&tree->mailboxes, mbox) T_BEGIN {
		struct mapi_folder_node *parent = NULL;
		const char *vname =
			tree_parent_vname(store->companion->ns, mbox->vname);

		node = hash_table_lookup(tree->by_vname, mbox->vname);
		if (vname != NULL)
			parent = hash_table_lookup(tree->by_vname, vname);
		if (parent == NULL)
			parent = tree->special[MAPI_SPECIAL_IPM_SUBTREE];
		tree_node_link(node, parent);
	} T_END;
}

/* Special folders have the names that Outlook gives them, whatever the mailbox
   is called, unless another folder beside it has that name. */
static void tree_name_specials(struct mapi_folder_tree *tree)
{
	struct mapi_folder_node *node, *sibling;
	const char *name;
	unsigned int i;

	for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
		node = tree->special[i];
		if (node == NULL || node->parent == NULL)
			continue;
		name = mapi_special_infos[i].display_name;
		sibling = node->parent->first_child;
		for (; sibling != NULL; sibling = sibling->next_sibling) {
			if (sibling != node &&
			    strcasecmp(sibling->display_name, name) == 0)
				break;
		}
		if (sibling == NULL)
			node->display_name = name;
		else if (mapi_special_infos[i].internal) {
			node->display_name = p_strconcat(tree->pool, name,
							 " (Outlook)", NULL);
		}
	}
}

static void
mapi_folder_tree_rebuild(struct mapi_store *store, struct tree_list *list)
{
	struct mapi_folder_tree *tree = store->tree;

	hash_table_clear(tree->nodes, TRUE);
	hash_table_clear(tree->by_vname, TRUE);
	i_zero(&tree->special);
	pool_unref(&tree->list_pool);
	pool_unref(&tree->pool);

	tree->list_pool = list->pool;
	pool_ref(tree->list_pool);
	tree->mailboxes = list->mailboxes;
	tree->companions = list->companions;
	tree->log_generation = mapi_idlog_generation(store->log);

	tree->pool = pool_alloconly_create("mapi folder tree", 8192);
	p_array_init(&tree->all_nodes, tree->pool, 64);
	tree_build_internal(store);
	tree_build_mailboxes(store);
	tree_name_specials(tree);
}

/* --- refreshing ---------------------------------------------------------- */

static enum mapi_error
tree_create_companions(struct tree_list *list, bool *created_r)
{
	const struct mapi_special_info *info;
	struct mailbox *box;
	enum mapi_error ret;
	uint32_t number;
	unsigned int i;

	*created_r = FALSE;
	for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
		info = &mapi_special_infos[i];
		if (!info->internal || !info->mailbox)
			continue;
		number = mapi_special_number(list->store, i);
		if (array_lsearch(&list->companions, &number,
				  uint32_cmp) != NULL)
			continue;
		ret = mapi_companion_open(list->store->companion,
			t_strdup_printf(MAPI_COMPANION_FOLDER, number),
			TRUE, NULL, &box);
		if (ret != EC_NONE)
			return ret;
		mailbox_free(&box);
		*created_r = TRUE;
	}
	return EC_NONE;
}

static void tree_list_init(struct tree_list *list, struct mapi_store *store)
{
	i_zero(list);
	list->store = store;
	list->ns = store->companion->ns;
	list->pool = pool_alloconly_create("mapi folder list", 4096);
	p_array_init(&list->mailboxes, list->pool, 32);
	p_array_init(&list->companions, list->pool, 16);
	hash_table_create(&list->vnames, default_pool, 64, str_hash, strcmp);
}

static void tree_list_deinit(struct tree_list *list)
{
	hash_table_destroy(&list->vnames);
	pool_unref(&list->pool);
}

/* again_r: mailboxes have been created, list once more */
static enum mapi_error
mapi_folder_tree_refresh_once(struct mapi_store *store, bool last,
			      bool *again_r)
{
	struct mapi_folder_tree *tree = store->tree;
	struct tree_list list;
	bool created1 = FALSE, created2 = FALSE;
	enum mapi_error ret;

	*again_r = FALSE;
	tree_list_init(&list, store);
	ret = tree_list_read(&list);
	if (ret == EC_NONE && tree_list_equals(&list, tree) &&
	    tree->log_generation == mapi_idlog_generation(store->log)) {
		tree_list_deinit(&list);
		return EC_NONE;
	}
	if (ret == EC_NONE)
		ret = tree_list_allot(&list);
	if (ret == EC_NONE && !last)
		ret = tree_create_companions(&list, &created1);
	if (ret == EC_NONE && !last) {
		ret = mapi_special_folders_find(store, &list.mailboxes,
						&created2);
	}
	if (ret == EC_NONE) {
		if (created1 || created2)
			*again_r = TRUE;
		else
			mapi_folder_tree_rebuild(store, &list);
	}
	tree_list_deinit(&list);
	return ret;
}

enum mapi_error mapi_folder_tree_refresh(struct mapi_store *store)
{
	enum mapi_error ret;
	unsigned int i;
	bool again = TRUE;

	T_BEGIN {
		ret = mapi_idlog_refresh(store->log);
		if (ret == EC_NONE)
			ret = mapi_special_internal_allot(store);
		for (i = 0; i <= 3 && again && ret == EC_NONE; i++) {
			ret = mapi_folder_tree_refresh_once(store, i == 3,
							    &again);
		}
	} T_END;
	return ret;
}

struct mapi_folder_node *
mapi_folder_tree_lookup(struct mapi_store *store, mapi_id_t fid)
{
	uint32_t number = mapi_folder_fid_to_number(fid);

	return number == 0 ? NULL :
		hash_table_lookup(store->tree->nodes, POINTER_CAST(number));
}

mapi_id_t mapi_folder_tree_special(struct mapi_store *store,
				   enum mapi_special_folder special)
{
	const struct mapi_folder_node *node = store->tree->special[special];

	return node == NULL ? 0 : node->fid;
}

struct mapi_folder_node *
mapi_folder_tree_next(struct mapi_store *store, unsigned int *iter)
{
	if (*iter >= array_count(&store->tree->all_nodes))
		return NULL;
	return array_idx_elem(&store->tree->all_nodes, (*iter)++);
}
