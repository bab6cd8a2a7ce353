/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Hierarchy tables, [MS-OXCFOLD] 2.2.1.13: the folders below a folder.

   The tree belongs to the store and its nodes live until it's read again, so
   rows are numbers that the table gives to FIDs as it meets them, and nodes are
   looked up whenever they are needed. */

#include "lib.h"
#include "mapi-folder-removed.h"
#include "mapi-props.h"
#include "mapi-table-tags.h"

#include <stdlib.h>

#define HIERARCHY_TABLE_FLAGS \
	(HIERARCHY_TABLE_DEPTH | HIERARCHY_TABLE_DEFERRED_ERRORS | \
	 HIERARCHY_TABLE_NO_NOTIFICATIONS | HIERARCHY_TABLE_SOFT_DELETES | \
	 HIERARCHY_TABLE_USE_UNICODE | HIERARCHY_TABLE_SUPPRESSES_NOTIFICATIONS)

struct hierarchy_row {
	mapi_id_t fid;
	/* levels below the table's folder: 1 for its children */
	int32_t depth;
};

struct hierarchy_source {
	struct mapi_table_source src;
	struct mapi_store *store;
	mapi_id_t fid;
	/* removed: soft-deleted folders, not those that there are */
	bool deep, removed;

	/* index is the row; never shrinks */
	struct hierarchy_row *rows;
	unsigned int row_count;
	/* rows that there are, in the tree's order */
	uint32_t *list;
	unsigned int list_count;
	/* names and order, so that a change is noticed */
	uint64_t hash;

	struct mapi_folder_node *selected;
};

static uint32_t
hierarchy_row(struct hierarchy_source *hsrc, mapi_id_t fid, int32_t depth)
{
	/* where it is unless folders have come or gone */
	unsigned int i = hsrc->list_count;

	if (i >= hsrc->row_count || hsrc->rows[i].fid != fid) {
		for (i = 0; i < hsrc->row_count; i++) {
			if (hsrc->rows[i].fid == fid)
				break;
		}
	}
	if (i == hsrc->row_count) {
		hsrc->rows = talloc_realloc(hsrc, hsrc->rows,
					    struct hierarchy_row,
					    hsrc->row_count + 1);
		hsrc->rows[hsrc->row_count++].fid = fid;
	}
	hsrc->rows[i].depth = depth;
	return i;
}

static uint64_t hash_add(uint64_t hash, const void *_data, size_t size)
{
	const unsigned char *data = _data;

	while (size-- > 0)
		hash = (hash ^ *data++) * 0x100000001b3ULL;
	return hash;
}

static void
hierarchy_add(struct hierarchy_source *hsrc,
	      const struct mapi_folder_node *node, int32_t depth)
{
	const struct mapi_folder_node *child;

	hsrc->list = talloc_realloc(hsrc, hsrc->list, uint32_t,
				    hsrc->list_count + 1);
	hsrc->list[hsrc->list_count] = hierarchy_row(hsrc, node->fid, depth);
	hsrc->list_count++;
	hsrc->hash = hash_add(hsrc->hash, &node->fid, sizeof(node->fid));
	hsrc->hash = hash_add(hsrc->hash, &depth, sizeof(depth));
	hsrc->hash = hash_add(hsrc->hash, node->display_name,
			      strlen(node->display_name) + 1);
	for (child = node->first_child; child != NULL && hsrc->deep;
	     child = child->next_sibling)
		hierarchy_add(hsrc, child, depth + 1);
}

/* What has been deleted by itself, and what is below that. Below a folder that is
   soft deleted itself there is what was deleted with it, too. */
static void hierarchy_add_removed(struct hierarchy_source *hsrc)
{
	const struct mapi_folder_node *node, *up;
	unsigned int iter = 0;
	int32_t depth;

	while ((node = mapi_folder_tree_next_removed(hsrc->store,
						     &iter)) != NULL) {
		if (!node->removed_top)
			continue;
		depth = 1;
		for (up = node->parent; up != NULL && up->fid != hsrc->fid;
		     up = up->parent)
			depth++;
		if (up != NULL && (depth == 1 || hsrc->deep))
			hierarchy_add(hsrc, node, depth);
	}
}

static enum mapi_error hierarchy_read(struct hierarchy_source *hsrc)
{
	const struct mapi_folder_node *node, *child;
	enum mapi_error error;

	error = mapi_folder_tree_refresh(hsrc->store);
	if (error != EC_NONE)
		return error;
	node = mapi_folder_tree_lookup_any(hsrc->store, hsrc->fid);
	if (node == NULL)
		return EC_OBJECT_DELETED;
	hsrc->list_count = 0;
	hsrc->hash = 0xcbf29ce484222325ULL;
	if (hsrc->removed)
		hierarchy_add_removed(hsrc);
	if (!hsrc->removed || node->removed != 0) {
		for (child = node->first_child; child != NULL;
		     child = child->next_sibling)
			hierarchy_add(hsrc, child, 1);
	}
	return EC_NONE;
}

static enum mapi_error
hierarchy_sync(struct mapi_table_source *src, TALLOC_CTX *mem,
	       struct mapi_table_changes *changes_r)
{
	struct hierarchy_source *hsrc = (struct hierarchy_source *)src;
	uint64_t old_hash = hsrc->hash;
	enum mapi_error error;

	error = hierarchy_read(hsrc);
	if (error != EC_NONE)
		return error;
	changes_r->changed = changes_r->all = hsrc->hash != old_hash;
	return EC_NONE;
}

static uint32_t hierarchy_count(struct mapi_table_source *src)
{
	return ((struct hierarchy_source *)src)->list_count;
}

static bool hierarchy_exists(struct mapi_table_source *src, uint32_t row)
{
	struct hierarchy_source *hsrc = (struct hierarchy_source *)src;
	unsigned int i;

	for (i = 0; i < hsrc->list_count; i++) {
		if (hsrc->list[i] == row)
			return TRUE;
	}
	return FALSE;
}

static enum mapi_error
hierarchy_list(struct mapi_table_source *src, TALLOC_CTX *mem,
	       const struct mapi_restriction *restriction,
	       uint32_t **rows_r, unsigned int *count_r, bool *exact_r)
{
	struct hierarchy_source *hsrc = (struct hierarchy_source *)src;

	*exact_r = FALSE;
	*count_r = hsrc->list_count;
	*rows_r = talloc_array(mem, uint32_t, hsrc->list_count);
	if (hsrc->list_count > 0) {
		memcpy(*rows_r, hsrc->list,
		       hsrc->list_count * sizeof(*hsrc->list));
	}
	return EC_NONE;
}

static void hierarchy_end(struct mapi_table_source *src)
{
	((struct hierarchy_source *)src)->selected = NULL;
}

static enum mapi_error
hierarchy_select(struct mapi_table_source *src, uint32_t row)
{
	struct hierarchy_source *hsrc = (struct hierarchy_source *)src;

	i_assert(row < hsrc->row_count);
	hsrc->selected = mapi_folder_tree_lookup_any(hsrc->store,
						     hsrc->rows[row].fid);
	return hsrc->selected == NULL ? EC_NOT_FOUND : EC_NONE;
}

static enum mapi_error
hierarchy_get(struct mapi_table_source *src,
	      struct mapi_table_program *program, TALLOC_CTX *mem,
	      size_t max_size, struct mapi_value *values_r)
{
	struct hierarchy_source *hsrc = (struct hierarchy_source *)src;

	return mapi_folder_node_get_props(hsrc->store, hsrc->selected, mem,
					  program->tags, program->count,
					  max_size, values_r);
}

static uint64_t hierarchy_inst_id(struct mapi_table_source *src, uint32_t row)
{
	struct hierarchy_source *hsrc = (struct hierarchy_source *)src;

	return (uint64_t)mapi_id_to_i64(hsrc->rows[row].fid);
}

static bool
hierarchy_inst_id_to_row(struct mapi_table_source *src, uint64_t inst_id,
			 uint32_t *row_r)
{
	struct hierarchy_source *hsrc = (struct hierarchy_source *)src;
	mapi_id_t fid = mapi_id_from_i64((int64_t)inst_id);
	unsigned int i;

	for (i = 0; i < hsrc->row_count; i++) {
		if (hsrc->rows[i].fid == fid) {
			*row_r = i;
			return TRUE;
		}
	}
	return FALSE;
}

static bool hierarchy_is_unread(struct mapi_table_source *src, uint32_t row)
{
	return FALSE;
}

static int32_t hierarchy_depth(struct mapi_table_source *src, uint32_t row)
{
	return ((struct hierarchy_source *)src)->rows[row].depth;
}

static const uint32_t *hierarchy_all_columns(unsigned int *count_r)
{
	static const uint32_t columns[] = {
		PIDTAG_INST_ID,
		PIDTAG_INSTANCE_NUM,
		PIDTAG_INSTANCE_KEY,
		PIDTAG_ROW_TYPE,
		PIDTAG_DEPTH,
		PIDTAG_FOLDER_ID,
		PIDTAG_PARENT_FOLDER_ID,
		PIDTAG_ENTRY_ID,
		PIDTAG_PARENT_ENTRY_ID,
		PIDTAG_RECORD_KEY,
		PIDTAG_SOURCE_KEY,
		PIDTAG_PARENT_SOURCE_KEY,
		PIDTAG_CHANGE_KEY,
		PIDTAG_PREDECESSOR_CHANGE_LIST,
		PIDTAG_CHANGE_NUMBER,
		PIDTAG_STORE_ENTRY_ID,
		PIDTAG_STORE_RECORD_KEY,
		PIDTAG_MAPPING_SIGNATURE,
		PIDTAG_OBJECT_TYPE,
		PIDTAG_DISPLAY_NAME,
		PIDTAG_COMMENT,
		PIDTAG_CONTAINER_CLASS,
		PIDTAG_FOLDER_TYPE,
		PIDTAG_FOLDER_FLAGS,
		PIDTAG_CONTENT_COUNT,
		PIDTAG_CONTENT_UNREAD_COUNT,
		PIDTAG_ASSOCIATED_CONTENT_COUNT,
		PIDTAG_MESSAGE_SIZE,
		PIDTAG_MESSAGE_SIZE_EXTENDED,
		PIDTAG_SUBFOLDERS,
		PIDTAG_ACCESS,
		PIDTAG_ACCESS_LEVEL,
		PIDTAG_RIGHTS,
		PIDTAG_ATTRIBUTE_HIDDEN,
		PIDTAG_ATTRIBUTE_READ_ONLY,
		PIDTAG_CREATION_TIME,
		PIDTAG_LAST_MODIFICATION_TIME,
		PIDTAG_LOCAL_COMMIT_TIME_MAX,
		PIDTAG_HIERARCHY_CHANGE_NUMBER,
	};

	*count_r = N_ELEMENTS(columns);
	return columns;
}

static const struct mapi_table_source_vfuncs hierarchy_vfuncs = {
	.sync = hierarchy_sync,
	.count = hierarchy_count,
	.exists = hierarchy_exists,
	.list = hierarchy_list,
	.compile = mapi_table_tags_compile,
	.begin = mapi_table_tags_begin,
	.end = hierarchy_end,
	.select = hierarchy_select,
	.get = hierarchy_get,
	.inst_id = hierarchy_inst_id,
	.inst_id_to_row = hierarchy_inst_id_to_row,
	.is_unread = hierarchy_is_unread,
	.depth = hierarchy_depth,
	.all_columns = hierarchy_all_columns,
};

enum mapi_error
mapi_hierarchy_table_open(TALLOC_CTX *parent, struct mapi_store *store,
			  mapi_id_t fid, uint8_t flags,
			  struct mapi_table **table_r, uint32_t *row_count_r)
{
	struct hierarchy_source *hsrc;
	enum mapi_error error;

	/* [MS-OXCFOLD] 3.2.5.13 */
	if ((flags & ~HIERARCHY_TABLE_FLAGS) != 0)
		return EC_NOT_SUPPORTED;
	hsrc = talloc_zero(parent, struct hierarchy_source);
	hsrc->src.v = &hierarchy_vfuncs;
	hsrc->store = store;
	hsrc->fid = fid;
	hsrc->deep = (flags & HIERARCHY_TABLE_DEPTH) != 0;
	hsrc->removed = (flags & HIERARCHY_TABLE_SOFT_DELETES) != 0;
	error = hierarchy_read(hsrc);
	if (error == EC_NONE && hsrc->removed) {
		mapi_folder_removed_expire(store);
		error = hierarchy_read(hsrc);
	}
	if (error != EC_NONE) {
		talloc_free(hsrc);
		return error;
	}
	*table_r = mapi_table_create(parent, store, MAPI_TABLE_HIERARCHY,
				     &hsrc->src);
	*row_count_r = hsrc->list_count;
	return EC_NONE;
}
