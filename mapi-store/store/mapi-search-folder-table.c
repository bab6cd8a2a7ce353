/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Contents tables of search folders: rows are what the search has found
   (mapi-search-folder-results.c), read through contents tables' sources of the
   folders where the messages are.

   This source numbers messages as it meets them. It follows the results' parts by
   their generations, and opens a folder when a row of it is read; only so many stay
   open, since a scope may be larger than the number of files that a process may
   have open. */

#include "lib.h"
#include "llist.h"
#include "mapi-contents-table.h"
#include "mapi-search-folder-private.h"

#include <stdlib.h>

#define OPEN_FOLDERS_MAX 16

struct search_part_row {
	uint32_t uid, row;
};

struct search_part {
	mapi_id_t fid;
	unsigned int generation;
	/* in the order of UIDs; those that are gone, too */
	struct search_part_row *rows;
	unsigned int row_count;

	/* NULL unless rows are read or have been lately */
	struct mapi_table_source *src;
	bool reading;
	unsigned int used;
};

struct search_row {
	uint64_t inst_id;
	uint32_t part, uid;
	bool unread, gone;
};

struct mapi_table_program {
	struct mapi_table_program *prev, *next;
	struct search_source *ssrc;
	uint32_t *tags;
	unsigned int tag_count;
	/* one for each part, NULL until it's needed */
	struct mapi_table_program **parts;
	unsigned int part_count;
};

struct search_source {
	struct mapi_table_source src;
	struct mapi_store *store;
	mapi_id_t fid;
	unsigned int generation;

	struct search_part *parts;
	unsigned int part_count, open_count, clock;
	/* index is the row */
	struct search_row *rows;
	unsigned int row_count, row_alloc, alive_count;
	struct mapi_table_program *programs;

	/* between begin and end */
	struct mapi_table_program **reading;
	unsigned int reading_count;
	struct search_part *selected;
};

/* --- following the results -------------------------------------------------- */

static struct search_part *
search_get_part(struct search_source *ssrc, mapi_id_t fid)
{
	struct search_part *part;
	unsigned int i;

	for (i = 0; i < ssrc->part_count; i++) {
		if (ssrc->parts[i].fid == fid)
			return &ssrc->parts[i];
	}
	ssrc->parts = talloc_realloc(ssrc, ssrc->parts, struct search_part,
				     ssrc->part_count + 1);
	part = &ssrc->parts[ssrc->part_count++];
	i_zero(part);
	part->fid = fid;
	return part;
}

static uint32_t
search_add_row(struct search_source *ssrc, unsigned int part_idx)
{
	if (ssrc->row_count == ssrc->row_alloc) {
		ssrc->row_alloc = I_MAX(64, ssrc->row_alloc * 2);
		ssrc->rows = talloc_realloc(ssrc, ssrc->rows,
					    struct search_row,
					    ssrc->row_alloc);
	}
	i_zero(&ssrc->rows[ssrc->row_count]);
	ssrc->rows[ssrc->row_count].part = part_idx;
	ssrc->rows[ssrc->row_count].gone = TRUE;
	return ssrc->row_count++;
}

static void
search_touch(struct mapi_table_changes *changes, TALLOC_CTX *mem, uint32_t row)
{
	unsigned int count = changes->touched_count;

	/* grows when it's full: at 16, 32, 64.. */
	if (count == 0 || (count >= 16 && (count & (count - 1)) == 0)) {
		changes->touched = talloc_realloc(mem, changes->touched,
						  uint32_t,
						  I_MAX(16, count * 2));
	}
	changes->touched[changes->touched_count++] = row;
}

static void
search_row_gone(struct search_source *ssrc, uint32_t row,
		struct mapi_table_changes *changes)
{
	if (ssrc->rows[row].gone)
		return;
	ssrc->rows[row].gone = TRUE;
	ssrc->alive_count--;
	changes->vanished = TRUE;
}

/* A row is there, and has this been so before? */
static void
search_row_there(struct search_source *ssrc, uint32_t row,
		 const struct mapi_search_row *found, TALLOC_CTX *mem,
		 struct mapi_table_changes *changes)
{
	struct search_row *rec = &ssrc->rows[row];

	rec->uid = found->uid;
	rec->inst_id = found->inst_id;
	rec->unread = found->unread;
	if (rec->gone) {
		rec->gone = FALSE;
		ssrc->alive_count++;
		search_touch(changes, mem, row);
	}
}

/* Makes the part's rows those that have been found (NULL: none). */
static void
search_merge_part(struct search_source *ssrc, unsigned int part_idx,
		  const struct mapi_search_part *found, TALLOC_CTX *mem,
		  struct mapi_table_changes *changes)
{
	struct search_part *part = &ssrc->parts[part_idx];
	unsigned int found_count = found == NULL ? 0 : found->row_count;
	struct search_part_row *rows;
	unsigned int i = 0, j = 0, count = 0;

	rows = talloc_array(ssrc, struct search_part_row,
			    part->row_count + found_count + 1);
	while (i < part->row_count || j < found_count) {
		if (j == found_count ||
		    (i < part->row_count &&
		     part->rows[i].uid < found->rows[j].uid)) {
			search_row_gone(ssrc, part->rows[i].row, changes);
			rows[count++] = part->rows[i++];
			continue;
		}
		rows[count].uid = found->rows[j].uid;
		/* a message of another id isn't the same, though it has the
		   same UID after UIDVALIDITY has changed */
		if (i < part->row_count &&
		    part->rows[i].uid == found->rows[j].uid) {
			uint32_t row = part->rows[i++].row;

			if (ssrc->rows[row].inst_id == found->rows[j].inst_id)
				rows[count].row = row;
			else {
				search_row_gone(ssrc, row, changes);
				rows[count].row =
					search_add_row(ssrc, part_idx);
			}
		} else
			rows[count].row = search_add_row(ssrc, part_idx);
		search_row_there(ssrc, rows[count].row, &found->rows[j++], mem,
				 changes);
		count++;
	}
	talloc_free(part->rows);
	part->rows = rows;
	part->row_count = count;
}

static int part_row_cmp(const void *_a, const void *_b)
{
	const struct search_part_row *a = _a, *b = _b;

	return a->uid == b->uid ? 0 : (a->uid < b->uid ? -1 : 1);
}

/* Rows that were there and have changed. */
static void
search_touch_changed(struct search_source *ssrc, struct search_part *part,
		     const struct mapi_search_part *found, TALLOC_CTX *mem,
		     struct mapi_table_changes *changes)
{
	unsigned int i;

	if (part->generation < found->journal_start) {
		changes->all = TRUE;
		return;
	}
	for (i = found->journal_count; i > 0; i--) {
		struct search_part_row key, *row;

		if (found->journal[i - 1].generation <= part->generation)
			break;
		key.uid = found->journal[i - 1].uid;
		row = bsearch(&key, part->rows, part->row_count, sizeof(key),
			      part_row_cmp);
		if (row != NULL && !ssrc->rows[row->row].gone)
			search_touch(changes, mem, row->row);
	}
}

static int uint32_cmp(const void *_a, const void *_b)
{
	const uint32_t *a = _a, *b = _b;

	return *a == *b ? 0 : (*a < *b ? -1 : 1);
}

static void search_sort_touched(struct mapi_table_changes *changes)
{
	unsigned int i, count = 0;

	if (changes->touched_count < 2)
		return;
	qsort(changes->touched, changes->touched_count,
	      sizeof(*changes->touched), uint32_cmp);
	for (i = 1; i < changes->touched_count; i++) {
		if (changes->touched[i] != changes->touched[count])
			changes->touched[++count] = changes->touched[i];
	}
	changes->touched_count = count + 1;
}

static void
search_close_part(struct search_source *ssrc, struct search_part *part);

static void
search_follow_part(struct search_source *ssrc, struct search_part *part,
		   const struct mapi_search_part *found, TALLOC_CTX *mem,
		   struct mapi_table_changes *changes)
{
	struct mapi_table_changes ignored;

	search_merge_part(ssrc, part - ssrc->parts, found, mem, changes);
	if (found != NULL && part->generation != 0)
		search_touch_changed(ssrc, part, found, mem, changes);
	part->generation = found == NULL ? 0 : found->generation;
	if (part->src == NULL)
		return;
	/* what has been found must be in the view that is read */
	if (found == NULL ||
	    part->src->v->sync(part->src, mem, &ignored) != EC_NONE)
		search_close_part(ssrc, part);
}

static enum mapi_error
search_sync(struct mapi_table_source *src, TALLOC_CTX *mem,
	    struct mapi_table_changes *changes_r)
{
	struct search_source *ssrc = (struct search_source *)src;
	struct mapi_search *search = mapi_search_get(ssrc->store, ssrc->fid);
	enum mapi_error error;
	unsigned int i;

	i_zero(changes_r);
	error = mapi_search_update(search);
	if (error != EC_NONE || search->generation == ssrc->generation)
		return error;
	for (i = 0; i < search->part_count; i++) {
		struct mapi_search_part *found = search->parts[i];
		struct search_part *part = search_get_part(ssrc, found->fid);

		if (part->generation != found->generation) {
			search_follow_part(ssrc, part, found, mem, changes_r);
		}
	}
	for (i = 0; i < ssrc->part_count; i++) {
		if (ssrc->parts[i].generation != 0 &&
		    mapi_search_find_part(search, ssrc->parts[i].fid) == NULL) {
			search_follow_part(ssrc, &ssrc->parts[i], NULL, mem,
					   changes_r);
		}
	}
	ssrc->generation = search->generation;
	search_sort_touched(changes_r);
	changes_r->changed = changes_r->all || changes_r->vanished ||
		changes_r->touched_count > 0;
	return EC_NONE;
}

/* --- which rows there are ---------------------------------------------------- */

static uint32_t search_count(struct mapi_table_source *src)
{
	return ((struct search_source *)src)->alive_count;
}

static bool search_exists(struct mapi_table_source *src, uint32_t row)
{
	struct search_source *ssrc = (struct search_source *)src;

	return row < ssrc->row_count && !ssrc->rows[row].gone;
}

static enum mapi_error
search_list(struct mapi_table_source *src, TALLOC_CTX *mem,
	    const struct mapi_restriction *restriction,
	    uint32_t **rows_r, unsigned int *count_r, bool *exact_r)
{
	struct search_source *ssrc = (struct search_source *)src;
	uint32_t i;

	*exact_r = FALSE;
	*count_r = 0;
	*rows_r = talloc_array(mem, uint32_t, ssrc->alive_count + 1);
	for (i = 0; i < ssrc->row_count; i++) {
		if (!ssrc->rows[i].gone)
			(*rows_r)[(*count_r)++] = i;
	}
	return EC_NONE;
}

static uint64_t search_inst_id(struct mapi_table_source *src, uint32_t row)
{
	return ((struct search_source *)src)->rows[row].inst_id;
}

static bool
search_inst_id_to_row(struct mapi_table_source *src, uint64_t inst_id,
		      uint32_t *row_r)
{
	struct search_source *ssrc = (struct search_source *)src;
	uint32_t i;

	for (i = 0; i < ssrc->row_count; i++) {
		if (ssrc->rows[i].inst_id == inst_id && !ssrc->rows[i].gone) {
			*row_r = i;
			return TRUE;
		}
	}
	return FALSE;
}

static bool search_is_unread(struct mapi_table_source *src, uint32_t row)
{
	return ((struct search_source *)src)->rows[row].unread;
}

static int32_t search_depth(struct mapi_table_source *src, uint32_t row)
{
	return 0;
}

/* --- reading rows ------------------------------------------------------------ */

static int search_program_destructor(struct mapi_table_program *program)
{
	DLLIST_REMOVE(&program->ssrc->programs, program);
	return 0;
}

static struct mapi_table_program *
search_compile(struct mapi_table_source *src, TALLOC_CTX *parent,
	       const uint32_t *tags, unsigned int count)
{
	struct search_source *ssrc = (struct search_source *)src;
	struct mapi_table_program *program;

	program = talloc_zero(parent, struct mapi_table_program);
	program->ssrc = ssrc;
	program->tags = talloc_array(program, uint32_t, count + 1);
	if (count > 0)
		memcpy(program->tags, tags, count * sizeof(*tags));
	program->tag_count = count;
	DLLIST_PREPEND(&ssrc->programs, program);
	talloc_set_destructor(program, search_program_destructor);
	return program;
}

static struct mapi_table_program *
search_part_program(struct mapi_table_program *program, unsigned int idx)
{
	struct mapi_table_source *src = program->ssrc->parts[idx].src;

	if (idx >= program->part_count) {
		program->parts = talloc_realloc(program, program->parts,
						struct mapi_table_program *,
						idx + 1);
		while (program->part_count <= idx)
			program->parts[program->part_count++] = NULL;
	}
	if (program->parts[idx] == NULL) {
		program->parts[idx] = src->v->compile(src, program,
						      program->tags,
						      program->tag_count);
	}
	return program->parts[idx];
}

static void
search_close_part(struct search_source *ssrc, struct search_part *part)
{
	struct mapi_table_program *program;
	unsigned int idx = part - ssrc->parts;

	if (part->reading)
		part->src->v->end(part->src);
	part->reading = FALSE;
	if (ssrc->selected == part)
		ssrc->selected = NULL;
	for (program = ssrc->programs; program != NULL;
	     program = program->next) {
		if (idx < program->part_count)
			TALLOC_FREE(program->parts[idx]);
	}
	TALLOC_FREE(part->src);
	ssrc->open_count--;
}

/* Closes the one that hasn't been used for longest. */
static void search_close_oldest(struct search_source *ssrc)
{
	struct search_part *oldest = NULL;
	unsigned int i;

	for (i = 0; i < ssrc->part_count; i++) {
		struct search_part *part = &ssrc->parts[i];

		if (part->src != NULL &&
		    (oldest == NULL || part->used < oldest->used))
			oldest = part;
	}
	if (oldest != NULL)
		search_close_part(ssrc, oldest);
}

static enum mapi_error
search_begin(struct mapi_table_source *src,
	     struct mapi_table_program *const *programs, unsigned int count)
{
	struct search_source *ssrc = (struct search_source *)src;

	/* parts begin when one of their rows is selected */
	ssrc->reading = talloc_array(ssrc, struct mapi_table_program *,
				     count + 1);
	if (count > 0)
		memcpy(ssrc->reading, programs, count * sizeof(*programs));
	ssrc->reading_count = count;
	return EC_NONE;
}

static void search_end(struct mapi_table_source *src)
{
	struct search_source *ssrc = (struct search_source *)src;
	unsigned int i;

	for (i = 0; i < ssrc->part_count; i++) {
		if (ssrc->parts[i].reading)
			ssrc->parts[i].src->v->end(ssrc->parts[i].src);
		ssrc->parts[i].reading = FALSE;
	}
	ssrc->selected = NULL;
	TALLOC_FREE(ssrc->reading);
	ssrc->reading_count = 0;
}

static enum mapi_error
search_part_begin(struct search_source *ssrc, struct search_part *part)
{
	struct mapi_table_program **programs;
	enum mapi_error error;
	unsigned int i;

	if (part->src == NULL) {
		if (ssrc->open_count >= OPEN_FOLDERS_MAX)
			search_close_oldest(ssrc);
		error = mapi_contents_source_open(ssrc, ssrc->store, part->fid,
						  0, &part->src);
		if (error != EC_NONE)
			return error;
		ssrc->open_count++;
	}
	part->used = ++ssrc->clock;
	if (part->reading)
		return EC_NONE;
	programs = talloc_array(ssrc->reading, struct mapi_table_program *,
				ssrc->reading_count + 1);
	for (i = 0; i < ssrc->reading_count; i++) {
		programs[i] = search_part_program(ssrc->reading[i],
						  part - ssrc->parts);
	}
	error = part->src->v->begin(part->src, programs, ssrc->reading_count);
	part->reading = error == EC_NONE;
	return error;
}

static enum mapi_error search_select(struct mapi_table_source *src, uint32_t row)
{
	struct search_source *ssrc = (struct search_source *)src;
	struct search_row *rec = &ssrc->rows[row];
	struct search_part *part = &ssrc->parts[rec->part];
	enum mapi_error error;

	if (rec->gone)
		return EC_NOT_FOUND;
	error = search_part_begin(ssrc, part);
	if (error != EC_NONE)
		return error;
	ssrc->selected = part;
	/* the mailbox may have been made anew since */
	if (part->src->v->inst_id(part->src, rec->uid) != rec->inst_id)
		return EC_NOT_FOUND;
	return part->src->v->select(part->src, rec->uid);
}

static enum mapi_error
search_get(struct mapi_table_source *src, struct mapi_table_program *program,
	   TALLOC_CTX *mem, size_t max_size, struct mapi_value *values_r)
{
	struct search_source *ssrc = (struct search_source *)src;
	struct mapi_table_source *part = ssrc->selected->src;

	return part->v->get(part, search_part_program(program,
				ssrc->selected - ssrc->parts),
			    mem, max_size, values_r);
}

static bool
search_get_number(struct mapi_table_source *src, uint32_t tag,
		  struct mapi_value *value_r)
{
	struct mapi_table_source *part =
		((struct search_source *)src)->selected->src;

	return part->v->get_number(part, tag, value_r);
}

static enum mapi_error
search_sub_count(struct mapi_table_source *src, TALLOC_CTX *mem,
		 uint32_t sub_tag, unsigned int *count_r)
{
	struct mapi_table_source *part =
		((struct search_source *)src)->selected->src;

	return part->v->sub_count(part, mem, sub_tag, count_r);
}

static enum mapi_error
search_sub_get(struct mapi_table_source *src, TALLOC_CTX *mem,
	       uint32_t sub_tag, unsigned int idx, uint32_t tag,
	       struct mapi_value *value_r)
{
	struct mapi_table_source *part =
		((struct search_source *)src)->selected->src;

	return part->v->sub_get(part, mem, sub_tag, idx, tag, value_r);
}

static const struct mapi_table_source_vfuncs search_vfuncs = {
	.sync = search_sync,
	.count = search_count,
	.exists = search_exists,
	.list = search_list,
	.compile = search_compile,
	.begin = search_begin,
	.end = search_end,
	.select = search_select,
	.get = search_get,
	.get_number = search_get_number,
	.inst_id = search_inst_id,
	.inst_id_to_row = search_inst_id_to_row,
	.is_unread = search_is_unread,
	.depth = search_depth,
	.sub_count = search_sub_count,
	.sub_get = search_sub_get,
	.all_columns = mapi_contents_table_columns,
	.is_constant = mapi_contents_table_is_constant,
	.is_apart = mapi_contents_table_is_apart,
};

enum mapi_error
mapi_search_source_open(TALLOC_CTX *parent, struct mapi_store *store,
			mapi_id_t fid, struct mapi_table_source **src_r)
{
	struct search_source *ssrc;
	struct mapi_table_changes changes;
	TALLOC_CTX *mem = talloc_new(NULL);
	enum mapi_error error;

	ssrc = talloc_zero(parent, struct search_source);
	ssrc->src.v = &search_vfuncs;
	ssrc->store = store;
	ssrc->fid = fid;
	error = search_sync(&ssrc->src, mem, &changes);
	talloc_free(mem);
	if (error != EC_NONE) {
		talloc_free(ssrc);
		return error;
	}
	*src_r = &ssrc->src;
	return EC_NONE;
}
