/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The messages of several folders: of all that have mailboxes, for contents tables with
   ConversationMembers ([MS-OXCFOLD] 2.2.1.14.1), which the client then restricts
   to a conversation; or what is shown as deleted in Deleted Items, which are also the
   messages of soft-deleted folders (mapi-folder-removed.h).

   Each folder is a source of its own; this one numbers all their rows as it
   meets them. A folder's UIDs come in ascending order, so its list of rows is
   sorted without doing anything. */

#include "lib.h"
#include "array.h"
#include "mapi-contents-table.h"
#include "mapi-dumpster.h"
#include "mapi-enums.h"
#include "mapi-folder-removed.h"

#include <stdlib.h>

struct all_part_row {
	uint32_t uid, row;
};

struct all_part {
	struct mapi_table_source *src;
	struct all_part_row *rows;
	unsigned int row_count, row_alloc;
	bool reading;
	/* of a soft-deleted folder; 0 for others */
	mapi_id_t removed_fid;
	/* which has been recovered, or is gone */
	bool gone;
};

struct all_row {
	uint32_t part, uid;
};

struct mapi_table_program {
	/* one for each part */
	struct mapi_table_program **parts;
};

struct all_source {
	struct mapi_table_source src;
	struct mapi_store *store;
	struct all_part *parts;
	unsigned int part_count;
	/* index is the row */
	struct all_row *rows;
	unsigned int row_count, row_alloc;

	/* between begin and end */
	struct mapi_table_program **programs;
	unsigned int program_count;
	struct all_part *selected;
};

static void
all_add_row(struct all_source *all, unsigned int part_idx, uint32_t uid)
{
	struct all_part *part = &all->parts[part_idx];

	if (part->row_count == part->row_alloc) {
		part->row_alloc = I_MAX(64, part->row_alloc * 2);
		part->rows = talloc_realloc(all, part->rows,
					    struct all_part_row,
					    part->row_alloc);
	}
	if (all->row_count == all->row_alloc) {
		all->row_alloc = I_MAX(64, all->row_alloc * 2);
		all->rows = talloc_realloc(all, all->rows, struct all_row,
					   all->row_alloc);
	}
	part->rows[part->row_count].uid = uid;
	part->rows[part->row_count++].row = all->row_count;
	all->rows[all->row_count].part = part_idx;
	all->rows[all->row_count++].uid = uid;
}

static int part_row_cmp(const void *_a, const void *_b)
{
	const struct all_part_row *a = _a, *b = _b;

	return a->uid == b->uid ? 0 : (a->uid < b->uid ? -1 : 1);
}

static bool
all_find_row(struct all_part *part, uint32_t uid, uint32_t *row_r)
{
	struct all_part_row key = { .uid = uid }, *found;

	found = part->row_count == 0 ? NULL :
		bsearch(&key, part->rows, part->row_count, sizeof(key),
			part_row_cmp);
	if (found == NULL)
		return FALSE;
	*row_r = found->row;
	return TRUE;
}

static struct all_part *all_part_of(struct all_source *all, uint32_t row)
{
	i_assert(row < all->row_count);
	return &all->parts[all->rows[row].part];
}

static int uint32_cmp(const void *_a, const void *_b)
{
	const uint32_t *a = _a, *b = _b;

	return *a == *b ? 0 : (*a < *b ? -1 : 1);
}

static enum mapi_error
all_sync(struct mapi_table_source *src, TALLOC_CTX *mem,
	 struct mapi_table_changes *changes_r)
{
	struct all_source *all = (struct all_source *)src;
	struct mapi_table_changes changes;
	uint32_t row;
	unsigned int i, j;
	enum mapi_error error;

	i_zero(changes_r);
	for (i = 0; i < all->part_count; i++) {
		struct all_part *part = &all->parts[i];

		if (part->gone)
			continue;
		if (part->removed_fid != 0 &&
		    mapi_folder_tree_lookup_removed(all->store,
					part->removed_fid) == NULL) {
			part->gone = TRUE;
			changes_r->changed = changes_r->vanished = TRUE;
			continue;
		}
		error = part->src->v->sync(part->src, mem, &changes);
		if (error != EC_NONE)
			return error;
		if (!changes.changed)
			continue;
		changes_r->changed = TRUE;
		if (changes.vanished)
			changes_r->vanished = TRUE;
		changes_r->touched = talloc_realloc(mem, changes_r->touched,
			uint32_t, changes_r->touched_count +
			changes.touched_count);
		for (j = 0; j < changes.touched_count; j++) {
			if (!all_find_row(part, changes.touched[j], &row)) {
				row = all->row_count;
				all_add_row(all, i, changes.touched[j]);
			}
			changes_r->touched[changes_r->touched_count++] = row;
		}
	}
	if (changes_r->touched_count > 1) {
		qsort(changes_r->touched, changes_r->touched_count,
		      sizeof(*changes_r->touched), uint32_cmp);
	}
	return EC_NONE;
}

static uint32_t all_count(struct mapi_table_source *src)
{
	struct all_source *all = (struct all_source *)src;
	uint32_t count = 0;
	unsigned int i;

	for (i = 0; i < all->part_count; i++) {
		if (!all->parts[i].gone)
			count += all->parts[i].src->v->count(all->parts[i].src);
	}
	return count;
}

static bool all_exists(struct mapi_table_source *src, uint32_t row)
{
	struct all_source *all = (struct all_source *)src;
	struct all_part *part = all_part_of(all, row);

	return !part->gone &&
		part->src->v->exists(part->src, all->rows[row].uid);
}

/* In the order in which they got their numbers: new ones come last, as they do
   when they are put to the others. */
static enum mapi_error
all_list(struct mapi_table_source *src, TALLOC_CTX *mem,
	 const struct mapi_restriction *restriction,
	 uint32_t **rows_r, unsigned int *count_r, bool *exact_r)
{
	struct all_source *all = (struct all_source *)src;
	uint32_t i;

	*exact_r = FALSE;
	*count_r = 0;
	*rows_r = talloc_array(mem, uint32_t, I_MAX(all->row_count, 1));
	for (i = 0; i < all->row_count; i++) {
		if (all_exists(src, i))
			(*rows_r)[(*count_r)++] = i;
	}
	return EC_NONE;
}

static struct mapi_table_program *
all_compile(struct mapi_table_source *src, TALLOC_CTX *parent,
	    const uint32_t *tags, unsigned int count)
{
	struct all_source *all = (struct all_source *)src;
	struct mapi_table_program *program;
	unsigned int i;

	program = talloc_zero(parent, struct mapi_table_program);
	program->parts = talloc_array(program, struct mapi_table_program *,
				      all->part_count + 1);
	for (i = 0; i < all->part_count; i++) {
		struct mapi_table_source *part = all->parts[i].src;

		program->parts[i] = part->v->compile(part, program, tags,
						     count);
	}
	return program;
}

static enum mapi_error
all_begin(struct mapi_table_source *src,
	  struct mapi_table_program *const *programs, unsigned int count)
{
	struct all_source *all = (struct all_source *)src;

	/* parts begin when one of their rows is selected */
	all->programs = talloc_array(all, struct mapi_table_program *,
				     count + 1);
	if (count > 0)
		memcpy(all->programs, programs, count * sizeof(*programs));
	all->program_count = count;
	return EC_NONE;
}

static void all_end(struct mapi_table_source *src)
{
	struct all_source *all = (struct all_source *)src;
	unsigned int i;

	for (i = 0; i < all->part_count; i++) {
		if (all->parts[i].reading)
			all->parts[i].src->v->end(all->parts[i].src);
		all->parts[i].reading = FALSE;
	}
	all->selected = NULL;
	TALLOC_FREE(all->programs);
}

static enum mapi_error all_select(struct mapi_table_source *src, uint32_t row)
{
	struct all_source *all = (struct all_source *)src;
	struct all_part *part = all_part_of(all, row);
	struct mapi_table_program **programs;
	enum mapi_error error;
	unsigned int i;

	if (part->gone)
		return EC_NOT_FOUND;
	if (!part->reading) {
		programs = talloc_array(all->programs,
					struct mapi_table_program *,
					all->program_count + 1);
		for (i = 0; i < all->program_count; i++) {
			programs[i] = all->programs[i]->
				parts[all->rows[row].part];
		}
		error = part->src->v->begin(part->src, programs,
					    all->program_count);
		if (error != EC_NONE)
			return error;
		part->reading = TRUE;
	}
	all->selected = part;
	return part->src->v->select(part->src, all->rows[row].uid);
}

static enum mapi_error
all_get(struct mapi_table_source *src, struct mapi_table_program *program,
	TALLOC_CTX *mem, size_t max_size, struct mapi_value *values_r)
{
	struct all_source *all = (struct all_source *)src;
	struct all_part *part = all->selected;

	return part->src->v->get(part->src, program->parts[part - all->parts],
				 mem, max_size, values_r);
}

static bool
all_get_number(struct mapi_table_source *src, uint32_t tag,
	       struct mapi_value *value_r)
{
	struct mapi_table_source *part =
		((struct all_source *)src)->selected->src;

	return part->v->get_number(part, tag, value_r);
}

static uint64_t all_inst_id(struct mapi_table_source *src, uint32_t row)
{
	struct all_source *all = (struct all_source *)src;
	struct all_part *part = all_part_of(all, row);

	return part->src->v->inst_id(part->src, all->rows[row].uid);
}

static bool
all_inst_id_to_row(struct mapi_table_source *src, uint64_t inst_id,
		   uint32_t *row_r)
{
	struct all_source *all = (struct all_source *)src;
	uint32_t uid;
	unsigned int i;

	for (i = 0; i < all->part_count; i++) {
		struct all_part *part = &all->parts[i];

		if (part->src->v->inst_id_to_row(part->src, inst_id, &uid))
			return all_find_row(part, uid, row_r);
	}
	return FALSE;
}

static bool all_is_unread(struct mapi_table_source *src, uint32_t row)
{
	struct all_source *all = (struct all_source *)src;
	struct all_part *part = all_part_of(all, row);

	return part->src->v->is_unread(part->src, all->rows[row].uid);
}

static int32_t all_depth(struct mapi_table_source *src, uint32_t row)
{
	return 0;
}

static enum mapi_error
all_sub_count(struct mapi_table_source *src, TALLOC_CTX *mem,
	      uint32_t sub_tag, unsigned int *count_r)
{
	struct mapi_table_source *part =
		((struct all_source *)src)->selected->src;

	return part->v->sub_count(part, mem, sub_tag, count_r);
}

static enum mapi_error
all_sub_get(struct mapi_table_source *src, TALLOC_CTX *mem, uint32_t sub_tag,
	    unsigned int idx, uint32_t tag, struct mapi_value *value_r)
{
	struct mapi_table_source *part =
		((struct all_source *)src)->selected->src;

	return part->v->sub_get(part, mem, sub_tag, idx, tag, value_r);
}

static const struct mapi_table_source_vfuncs all_vfuncs = {
	.sync = all_sync,
	.count = all_count,
	.exists = all_exists,
	.list = all_list,
	.compile = all_compile,
	.begin = all_begin,
	.end = all_end,
	.select = all_select,
	.get = all_get,
	.get_number = all_get_number,
	.inst_id = all_inst_id,
	.inst_id_to_row = all_inst_id_to_row,
	.is_unread = all_is_unread,
	.depth = all_depth,
	.sub_count = all_sub_count,
	.sub_get = all_sub_get,
	.all_columns = mapi_contents_table_columns,
	.is_constant = mapi_contents_table_is_constant,
	.is_apart = mapi_contents_table_is_apart,
};

/* What is to be one part */
struct all_folder {
	mapi_id_t fid;
	uint8_t flags;
	bool removed;
};
ARRAY_DEFINE_TYPE(all_folder, struct all_folder);

static void
all_add_folder(ARRAY_TYPE(all_folder) *folders, mapi_id_t fid, uint8_t flags,
	       bool removed)
{
	struct all_folder *folder = array_append_space(folders);

	folder->fid = fid;
	folder->flags = flags;
	folder->removed = removed;
}

/* All folders below node that users have mail in */
static void
all_add_folders(ARRAY_TYPE(all_folder) *folders,
		const struct mapi_folder_node *parent)
{
	const struct mapi_folder_node *node;

	for (node = parent->first_child; node != NULL;
	     node = node->next_sibling) {
		if (node->vname != NULL && !node->companion)
			all_add_folder(folders, node->fid, 0, FALSE);
		all_add_folders(folders, node);
	}
}

static enum mapi_error
all_open_part(struct all_source *all, const struct all_folder *folder)
{
	struct mapi_table_source *part;
	uint32_t *uids;
	unsigned int i, count;
	enum mapi_error error;
	bool exact;

	error = mapi_contents_source_open(all, all->store, folder->fid,
					  folder->flags, &part);
	if (error != EC_NONE)
		return error;
	error = part->v->list(part, all, NULL, &uids, &count, &exact);
	if (error != EC_NONE)
		return error;
	if (folder->removed)
		all->parts[all->part_count].removed_fid = folder->fid;
	all->parts[all->part_count++].src = part;
	for (i = 0; i < count; i++)
		all_add_row(all, all->part_count - 1, uids[i]);
	talloc_free(uids);
	return EC_NONE;
}

static enum mapi_error
all_open(TALLOC_CTX *parent, struct mapi_store *store,
	 const ARRAY_TYPE(all_folder) *folders, struct mapi_table_source **src_r)
{
	const struct all_folder *folder;
	struct all_source *all;
	enum mapi_error error = EC_NONE;

	all = talloc_zero(parent, struct all_source);
	all->src.v = &all_vfuncs;
	all->store = store;
	all->parts = talloc_zero_array(all, struct all_part,
				       array_count(folders) + 1);
	array_foreach(folders, folder) {
		error = all_open_part(all, folder);
		/* it has been deleted just now, or isn't for the user to
		   read */
		if (error == EC_NOT_FOUND || error == EC_OBJECT_DELETED ||
		    error == EC_ACCESS_DENIED)
			error = EC_NONE;
		if (error != EC_NONE) {
			talloc_free(all);
			return error;
		}
	}
	*src_r = &all->src;
	return EC_NONE;
}

enum mapi_error
mapi_contents_source_open_all(TALLOC_CTX *parent, struct mapi_store *store,
			      struct mapi_table_source **src_r)
{
	ARRAY_TYPE(all_folder) folders;
	struct mapi_folder_node *root;
	enum mapi_error error;

	error = mapi_folder_tree_refresh(store);
	if (error != EC_NONE)
		return error;
	root = mapi_folder_tree_lookup(store,
		mapi_store_special_fid(store, MAPI_SPECIAL_ROOT));
	if (root == NULL)
		return EC_NOT_FOUND;
	/* nodes don't live as long as opening folders takes */
	i_array_init(&folders, 32);
	all_add_folders(&folders, root);
	error = all_open(parent, store, &folders, src_r);
	array_free(&folders);
	return error;
}

enum mapi_error
mapi_contents_source_open_removed(TALLOC_CTX *parent, struct mapi_store *store,
				  mapi_id_t fid, uint8_t flags,
				  struct mapi_table_source **src_r)
{
	const uint8_t own_flags = flags & ~CONTENTS_TABLE_SOFT_DELETES;
	const bool associated = (flags & CONTENTS_TABLE_ASSOCIATED) != 0;
	ARRAY_TYPE(all_folder) folders;
	const struct mapi_folder_node *node;
	unsigned int iter = 0;
	enum mapi_error error;

	error = mapi_folder_tree_refresh(store);
	if (error != EC_NONE)
		return error;
	if (mapi_folder_tree_next_removed(store, &iter) == NULL) {
		return mapi_contents_source_open(parent, store, fid, flags,
						 src_r);
	}
	/* they are the owner's, who may read them */
	mapi_folder_removed_expire(store);
	error = mapi_folder_tree_refresh(store);
	if (error != EC_NONE)
		return error;
	iter = 0;
	i_array_init(&folders, 32);
	all_add_folder(&folders, fid, flags, FALSE);
	while ((node = mapi_folder_tree_next_removed(store, &iter)) != NULL) {
		all_add_folder(&folders, node->fid, own_flags, TRUE);
		if (mapi_dumpster_exists(store, node->fid, associated))
			all_add_folder(&folders, node->fid, flags, TRUE);
	}
	error = all_open(parent, store, &folders, src_r);
	array_free(&folders);
	return error;
}
