/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "hash.h"
#include "sort.h"
#include "str.h"
#include "store-compat.h"
#include "mapi-folder-list.h"
#include "mapi-folder-place.h"
#include "mapi-folder-removed.h"
#include "mapi-folder-rights.h"

/* The folder tree is made of the list of the inbox namespace's mailboxes
   (mapi-folder-list.h), of the internal special folders, and of search folders and
   others that IMAP clients don't see (mapi-folder-place.h).

   Refreshing lists the mailboxes, with their GUIDs, out of Dovecot's mailbox list
   index. Where nothing differs from the last time, the tree stays as it is and
   pointers to nodes stay valid. Otherwise missing numbers are allotted in one
   transaction, special folders are looked for, and all nodes are made anew. */

struct mapi_folder_tree {
	/* what the nodes were made of */
	struct mapi_folder_list list;
	unsigned int log_generation;

	pool_t pool;
	/* soft-deleted folders are apart from the others */
	HASH_TABLE(void *, struct mapi_folder_node *) nodes, removed_nodes;
	ARRAY(struct mapi_folder_node *) all_nodes, removed;
	HASH_TABLE(const char *, struct mapi_folder_node *) by_vname;
	/* NULL also for those that the user may not see */
	struct mapi_folder_node *special[MAPI_SPECIAL_COUNT];
	/* 0 if there's none */
	uint32_t special_numbers[MAPI_SPECIAL_COUNT];
};

static int mapi_folder_tree_destructor(struct mapi_folder_tree *tree)
{
	hash_table_destroy(&tree->nodes);
	hash_table_destroy(&tree->removed_nodes);
	hash_table_destroy(&tree->by_vname);
	mapi_folder_list_deinit(&tree->list);
	pool_unref(&tree->pool);
	return 0;
}

void mapi_folder_tree_init(struct mapi_store *store)
{
	struct mapi_folder_tree *tree;

	tree = store->tree = talloc_zero(store, struct mapi_folder_tree);
	hash_table_create_direct(&tree->nodes, default_pool, 64);
	hash_table_create_direct(&tree->removed_nodes, default_pool, 0);
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

static bool tree_is_hidden(struct mapi_store *store, uint32_t number)
{
	const struct mapi_idlog_rec *rec;

	rec = mapi_idlog_find(store->log, MAPI_LOG_HIDDEN,
			      t_strdup_printf("%u", number));
	return rec != NULL && strcmp(rec->value, "1") == 0;
}

/* NULL if it has none (yet) */
static const char *
tree_companion_vname(struct mapi_store *store, uint32_t number)
{
	struct mapi_folder_tree *tree = store->tree;

	if (array_lsearch(&tree->list.companions, &number, uint32_cmp) == NULL)
		return NULL;
	return p_strdup(tree->pool, mapi_companion_vname(store->companion,
		t_strdup_printf(MAPI_COMPANION_FOLDER, number)));
}

static void tree_build_internal(struct mapi_store *store)
{
	struct mapi_folder_tree *tree = store->tree;
	const struct mapi_special_info *info;
	struct mapi_folder_node *node;
	uint32_t number;
	unsigned int i;

	for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
		info = &mapi_special_infos[i];
		if (!info->internal)
			continue;
		number = mapi_special_number(store, i);
		tree->special_numbers[i] = number;
		if (!mapi_folder_internal_is_visible(store, i, number))
			continue;
		node = p_new(tree->pool, struct mapi_folder_node, 1);
		node->fid = MAPI_FOLDER_FID(number);
		node->special = i;
		node->display_name = info->display_name;
		node->container_class = p_strdup(tree->pool,
			tree_container_class(store, number, i));
		node->hidden = tree_is_hidden(store, number);
		node->companion = TRUE;
		node->vname = tree_companion_vname(store, number);
		tree->special[i] = node;
		tree_node_insert(tree, node);
	}
	for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
		info = &mapi_special_infos[i];
		if (tree->special[i] != NULL) {
			tree_node_link(tree->special[i],
				       info->parent == MAPI_SPECIAL_NONE ? NULL :
				       tree->special[info->parent]);
		}
	}
}

static void tree_build_mailboxes(struct mapi_store *store)
{
	struct mapi_folder_tree *tree = store->tree;
	const struct mapi_tree_mailbox *mbox;
	struct mapi_folder_node *node;
	const char *leaf, *name;
	unsigned int i;

	array_foreach(&tree->list.mailboxes, mbox) {
		enum mapi_special_folder special = MAPI_SPECIAL_NONE;

		for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
			if (!mapi_special_infos[i].internal &&
			    mapi_special_number(store, i) == mbox->number &&
			    !mbox->noselect) {
				special = i;
				tree->special_numbers[i] = mbox->number;
			}
		}
		if (!mbox->visible && !mbox->has_visible)
			continue;
		node = p_new(tree->pool, struct mapi_folder_node, 1);
		node->fid = MAPI_FOLDER_FID(mbox->number);
		node->special = special;
		if (special != MAPI_SPECIAL_NONE)
			tree->special[special] = node;
		leaf = mapi_folder_list_leaf(store->companion->ns, mbox->vname);
		name = mapi_folder_display_name(store, mbox->number, leaf);
		node->display_name = p_strdup(tree->pool,
					      name != NULL ? name : leaf);
		node->container_class = p_strdup(tree->pool,
			tree_container_class(store, mbox->number,
					     node->special));
		node->path = p_strdup(tree->pool, mbox->vname);
		if (!mbox->noselect && mbox->visible)
			node->vname = node->path;
		node->hidden = tree_is_hidden(store, mbox->number);
		tree_node_insert(tree, node);
		hash_table_insert(tree->by_vname, mbox->vname, node);
	}
	array_foreach(&tree->list.mailboxes, mbox) T_BEGIN {
		struct mapi_folder_node *parent = NULL;
		const char *vname =
			mapi_folder_list_parent(store->companion->ns, mbox->vname);

		node = hash_table_lookup(tree->by_vname, mbox->vname);
		if (vname != NULL)
			parent = hash_table_lookup(tree->by_vname, vname);
		if (parent == NULL)
			parent = tree->special[MAPI_SPECIAL_IPM_SUBTREE];
		if (node != NULL)
			tree_node_link(node, parent);
	} T_END;
}

/* A folder that is no mailbox of the user's */
static struct mapi_folder_node *
tree_add_placed(struct mapi_store *store, uint32_t number, const char *name,
		struct mapi_folder_node *parent)
{
	struct mapi_folder_tree *tree = store->tree;
	struct mapi_folder_node *node;

	node = p_new(tree->pool, struct mapi_folder_node, 1);
	node->fid = MAPI_FOLDER_FID(number);
	node->special = MAPI_SPECIAL_NONE;
	node->display_name = p_strdup(tree->pool, name);
	node->container_class = p_strdup(tree->pool,
		tree_container_class(store, number, node->special));
	node->hidden = tree_is_hidden(store, number);
	tree_node_insert(tree, node);
	tree_node_link(node, parent);
	return node;
}

/* Adds those whose parent is there, and returns how many. orphan: the first one that
   hasn't got one is below that folder. */
static unsigned int
tree_add_companions(struct mapi_store *store, struct mapi_folder_node *orphan)
{
	struct mapi_folder_tree *tree = store->tree;
	struct mapi_folder_node *node, *parent;
	uint32_t number, parent_number;
	unsigned int iter = 0, count = 0;
	const char *name;

	while (mapi_folder_place_next(store, MAPI_PLACE_COMPANION, &iter,
				      &number, &parent_number, &name)) {
		if (hash_table_lookup(tree->nodes,
				      POINTER_CAST(number)) != NULL ||
		    !mapi_folder_internal_is_visible(store, MAPI_SPECIAL_NONE,
						     number))
			continue;
		parent = hash_table_lookup(tree->nodes,
					   POINTER_CAST(parent_number));
		if (parent == NULL) {
			parent = orphan;
			orphan = NULL;
		}
		if (parent == NULL || !parent->companion)
			continue;
		node = tree_add_placed(store, number, name, parent);
		node->companion = TRUE;
		node->vname = tree_companion_vname(store, number);
		count++;
	}
	return count;
}

/* One that has been made while its parent was deleted is below the Root, and so are
   two that have been moved below each other at the same time. */
static void tree_build_companions(struct mapi_store *store)
{
	struct mapi_folder_node *root = store->tree->special[MAPI_SPECIAL_ROOT];

	/* which others don't see if they may not see its parent */
	if (mapi_store_is_delegate(store))
		root = NULL;
	do {
		while (tree_add_companions(store, NULL) > 0) ;
	} while (tree_add_companions(store, root) > 0);
}

/* Those whose parent is gone are out of reach. They are the owner's: what they
   find isn't all for others to see. */
static void tree_build_searches(struct mapi_store *store)
{
	struct mapi_folder_tree *tree = store->tree;
	struct mapi_folder_node *parent;
	uint32_t number, parent_number;
	unsigned int iter = 0;
	const char *name;

	if (mapi_store_is_delegate(store))
		return;
	while (mapi_folder_place_next(store, MAPI_PLACE_SEARCH, &iter, &number,
				      &parent_number, &name)) {
		parent = hash_table_lookup(tree->nodes,
					   POINTER_CAST(parent_number));
		if (parent != NULL && !parent->search) {
			tree_add_placed(store, number, name,
					parent)->search = TRUE;
		}
	}
}

/* --- soft-deleted folders ------------------------------------------------ */

static void tree_add_removed(struct mapi_store *store, uint32_t number)
{
	struct mapi_folder_tree *tree = store->tree;
	struct mapi_folder_removal removal;
	struct mapi_folder_node *node;

	/* it's there, in spite of the mailbox */
	if (hash_table_lookup(tree->nodes, POINTER_CAST(number)) != NULL ||
	    !mapi_folder_removal_find(store, number, &removal))
		return;
	node = p_new(tree->pool, struct mapi_folder_node, 1);
	node->fid = MAPI_FOLDER_FID(number);
	node->special = MAPI_SPECIAL_NONE;
	node->display_name = p_strdup(tree->pool, removal.name);
	node->container_class = p_strdup(tree->pool,
		tree_container_class(store, number, node->special));
	node->hidden = tree_is_hidden(store, number);
	node->companion = TRUE;
	node->vname = p_strdup(tree->pool, mapi_companion_vname(store->companion,
		t_strdup_printf(MAPI_COMPANION_REMOVED, number)));
	node->removed = removal.date;
	hash_table_insert(tree->removed_nodes, POINTER_CAST(number), node);
	array_push_back(&tree->removed, &node);
}

/* NULL for a folder that is below node, as two can be whose notes are of different
   times */
static struct mapi_folder_node *
tree_find_removed_parent(struct mapi_store *store, uint32_t number,
			 const struct mapi_folder_node *node)
{
	struct mapi_folder_node *parent, *up;

	parent = mapi_folder_tree_lookup_removed(store,
						 MAPI_FOLDER_FID(number));
	for (up = parent; up != NULL; up = up->parent) {
		if (up == node)
			return NULL;
	}
	return parent;
}

/* Where the parent is gone, they are looked for in Deleted Items. */
static void
tree_link_removed(struct mapi_store *store, struct mapi_folder_node *node)
{
	struct mapi_folder_tree *tree = store->tree;
	struct mapi_folder_removal removal;
	struct mapi_folder_node *parent, *removed;

	if (!mapi_folder_removal_find(store,
			mapi_folder_fid_to_number(node->fid), &removal))
		i_unreached();
	parent = hash_table_lookup(tree->nodes, POINTER_CAST(removal.parent));
	removed = parent != NULL ? NULL :
		tree_find_removed_parent(store, removal.parent, node);
	if (removed != NULL && !removal.top) {
		tree_node_link(node, removed);
		return;
	}
	if (parent == NULL)
		parent = removed;
	if (parent == NULL)
		parent = tree->special[MAPI_SPECIAL_DELETED_ITEMS];
	if (parent == NULL)
		parent = tree->special[MAPI_SPECIAL_IPM_SUBTREE];
	node->removed_top = TRUE;
	node->parent = parent;
	node->parent_fid = parent->fid;
}

/* They are the owner's, who may recover them. */
static void tree_build_removed(struct mapi_store *store)
{
	struct mapi_folder_tree *tree = store->tree;
	struct mapi_folder_node *node;
	uint32_t number;

	if (mapi_store_is_delegate(store))
		return;
	array_foreach_elem(&tree->list.removed, number) T_BEGIN {
		tree_add_removed(store, number);
	} T_END;
	array_foreach_elem(&tree->removed, node)
		tree_link_removed(store, node);
}

/* Special folders have the names that Outlook has given them, or usually gives them,
   whatever the mailbox is called, unless another folder beside it has that name. */
static void tree_name_specials(struct mapi_store *store)
{
	struct mapi_folder_tree *tree = store->tree;
	struct mapi_folder_node *node, *sibling;
	const char *name;
	unsigned int i;

	for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
		node = tree->special[i];
		if (node == NULL || node->parent == NULL)
			continue;
		name = mapi_folder_display_name(store,
			mapi_folder_fid_to_number(node->fid), "");
		name = name != NULL ? p_strdup(tree->pool, name) :
			mapi_special_infos[i].display_name;
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
mapi_folder_tree_rebuild(struct mapi_store *store, struct mapi_folder_list *list)
{
	struct mapi_folder_tree *tree = store->tree;

	hash_table_clear(tree->nodes, TRUE);
	hash_table_clear(tree->removed_nodes, TRUE);
	hash_table_clear(tree->by_vname, TRUE);
	i_zero(&tree->special);
	i_zero(&tree->special_numbers);
	pool_unref(&tree->pool);

	mapi_folder_list_deinit(&tree->list);
	tree->list = *list;
	i_zero(list);
	tree->log_generation = mapi_idlog_generation(store->log);

	tree->pool = pool_alloconly_create("mapi folder tree", 8192);
	p_array_init(&tree->all_nodes, tree->pool, 64);
	p_array_init(&tree->removed, tree->pool, 8);
	tree_build_internal(store);
	tree_build_mailboxes(store);
	tree_build_companions(store);
	tree_build_searches(store);
	tree_build_removed(store);
	tree_name_specials(store);
}

/* --- refreshing ---------------------------------------------------------- */

static enum mapi_error
tree_create_companion(struct mapi_folder_list *list, uint32_t number,
		      bool *created)
{
	struct mailbox *box;
	enum mapi_error ret;

	if (array_lsearch(&list->companions, &number, uint32_cmp) != NULL)
		return EC_NONE;
	ret = mapi_companion_open(list->store->companion,
		t_strdup_printf(MAPI_COMPANION_FOLDER, number), TRUE, NULL,
		&box);
	if (ret != EC_NONE)
		return ret;
	mailbox_free(&box);
	*created = TRUE;
	return EC_NONE;
}

static enum mapi_error
tree_create_companions(struct mapi_folder_list *list, bool *created_r)
{
	struct mapi_store *store = list->store;
	enum mapi_error ret = EC_NONE;
	uint32_t number, parent;
	unsigned int i, iter = 0;
	const char *name;

	*created_r = FALSE;
	for (i = 0; i < MAPI_SPECIAL_COUNT && ret == EC_NONE; i++) {
		if (mapi_special_infos[i].internal &&
		    mapi_special_infos[i].mailbox) {
			ret = tree_create_companion(list,
				mapi_special_number(store, i), created_r);
		}
	}
	while (ret == EC_NONE &&
	       mapi_folder_place_next(store, MAPI_PLACE_COMPANION, &iter,
				      &number, &parent, &name))
		ret = tree_create_companion(list, number, created_r);
	return ret;
}

/* again_r: mailboxes have been created, by this session or by another one that has
   noted it in the log since they were listed: list once more */
static enum mapi_error
mapi_folder_tree_refresh_once(struct mapi_store *store, bool last,
			      bool *again_r)
{
	struct mapi_folder_tree *tree = store->tree;
	struct mapi_folder_list list;
	unsigned int generation = mapi_idlog_generation(store->log);
	bool created1 = FALSE, created2 = FALSE;
	enum mapi_error ret;

	*again_r = FALSE;
	mapi_folder_list_init(&list, store);
	ret = mapi_folder_list_read(&list);
	if (ret == EC_NONE && tree->pool != NULL &&
	    mapi_folder_list_equals(&list, &tree->list) &&
	    tree->log_generation == mapi_idlog_generation(store->log)) {
		mapi_folder_list_deinit(&list);
		return EC_NONE;
	}
	if (ret == EC_NONE)
		ret = mapi_folder_list_allot(&list);
	if (ret == EC_NONE && !last)
		ret = tree_create_companions(&list, &created1);
	if (ret == EC_NONE && !last) {
		ret = mapi_special_folders_find(store, &list.mailboxes,
						&created2);
	}
	if (ret == EC_NONE) {
		if (created1 || created2 ||
		    (!last && mapi_idlog_generation(store->log) != generation))
			*again_r = TRUE;
		else
			mapi_folder_tree_rebuild(store, &list);
	}
	mapi_folder_list_deinit(&list);
	return ret;
}

/* How often mailboxes are listed, at most, because some of them have been created.
   Another session that creates the same ones may not be done with them at once. At the
   first time they are waited for, as clients keep what ids RopLogon gives special
   folders; later they are found by the next listing. */
#define LIST_ROUNDS_MAX 4
#define LIST_ROUNDS_FIRST_MAX 24
#define LIST_WAIT_USECS (10*1000)

enum mapi_error mapi_folder_tree_refresh(struct mapi_store *store)
{
	unsigned int i, rounds = store->tree->pool == NULL ?
		LIST_ROUNDS_FIRST_MAX : LIST_ROUNDS_MAX;
	enum mapi_error ret;
	bool again = TRUE;

	T_BEGIN {
		ret = mapi_idlog_refresh(store->log);
		if (ret == EC_NONE)
			ret = mapi_special_internal_allot(store);
		for (i = 1; i <= rounds && again && ret == EC_NONE; i++) {
			if (i > LIST_ROUNDS_MAX)
				usleep(LIST_WAIT_USECS);
			if (i > 1)
				store_compat_list_refresh(store->companion->ns->list);
			ret = mapi_folder_tree_refresh_once(store, i == rounds,
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

struct mapi_folder_node *
mapi_folder_tree_lookup_path(struct mapi_store *store, const char *path)
{
	return hash_table_lookup(store->tree->by_vname, path);
}

mapi_id_t mapi_folder_tree_special(struct mapi_store *store,
				   enum mapi_special_folder special)
{
	/* its id is told to everybody, as clients need those of RopLogon */
	uint32_t number = store->tree->special_numbers[special];

	return number == 0 ? 0 : MAPI_FOLDER_FID(number);
}

struct mapi_folder_node *
mapi_folder_tree_next(struct mapi_store *store, unsigned int *iter)
{
	if (*iter >= array_count(&store->tree->all_nodes))
		return NULL;
	return array_idx_elem(&store->tree->all_nodes, (*iter)++);
}

struct mapi_folder_node *
mapi_folder_tree_lookup_removed(struct mapi_store *store, mapi_id_t fid)
{
	uint32_t number = mapi_folder_fid_to_number(fid);

	return number == 0 ? NULL :
		hash_table_lookup(store->tree->removed_nodes,
				  POINTER_CAST(number));
}

struct mapi_folder_node *
mapi_folder_tree_lookup_any(struct mapi_store *store, mapi_id_t fid)
{
	struct mapi_folder_node *node = mapi_folder_tree_lookup(store, fid);

	return node != NULL ? node :
		mapi_folder_tree_lookup_removed(store, fid);
}

struct mapi_folder_node *
mapi_folder_tree_next_removed(struct mapi_store *store, unsigned int *iter)
{
	/* a store that is only examined has none */
	if (store->tree == NULL || store->tree->pool == NULL ||
	    *iter >= array_count(&store->tree->removed))
		return NULL;
	return array_idx_elem(&store->tree->removed, (*iter)++);
}
