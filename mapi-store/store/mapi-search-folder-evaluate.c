/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "mail-index-modseq.h"
#include "store-compat.h"
#include "mapi-contents-table.h"
#include "mapi-enums.h"
#include "mapi-search-folder-private.h"

/* Searching one folder.

   It's done as a contents table with the restriction does it: its source narrows
   the messages down by a lib-storage search as far as that can express the
   restriction, and the table's filter tests the rest. Only messages that have
   come or changed since the last time are tested, unless the mailbox has another
   UIDVALIDITY or a lower MODSEQ now. */

struct search_eval {
	TALLOC_CTX *mem;
	struct mapi_search *search;
	struct mapi_search_part *part;
	struct mapi_table *table;
	struct mapi_table_source *src;
	struct mapi_table_filter *filter;
	struct mailbox *box;
	struct mailbox_status status;

	/* nothing new is taken */
	bool fixed;
	/* all messages are tested, not only what has changed */
	bool full;
	/* UIDs to test, ascending */
	uint32_t *uids;
	unsigned int uid_count;
	/* they match, without being tested */
	bool exact;

	struct mapi_search_row *rows;
	unsigned int row_count, row_alloc;
	bool changed;
};

static void eval_journal(struct search_eval *eval, uint32_t uid)
{
	struct mapi_search_part *part = eval->part;

	eval->changed = TRUE;
	if (eval->full)
		return;
	if (part->journal_count == part->journal_alloc) {
		part->journal_alloc = I_MAX(16, part->journal_alloc * 2);
		part->journal = talloc_realloc(part, part->journal,
					       struct mapi_search_change,
					       part->journal_alloc);
	}
	part->journal[part->journal_count].uid = uid;
	part->journal[part->journal_count++].generation =
		eval->search->generation;
}

static void eval_add_row(struct search_eval *eval, uint32_t uid)
{
	struct mapi_search_row *row;

	if (eval->row_count == eval->row_alloc) {
		eval->row_alloc = I_MAX(64, eval->row_alloc * 2);
		eval->rows = talloc_realloc(eval->part, eval->rows,
					    struct mapi_search_row,
					    eval->row_alloc);
	}
	row = &eval->rows[eval->row_count++];
	row->uid = uid;
	row->unread = eval->src->v->is_unread(eval->src, uid);
	row->inst_id = eval->src->v->inst_id(eval->src, uid);
}

/* --- what to test ---------------------------------------------------------- */

/* UIDs from next_uid on, and those with a higher MODSEQ */
static void
eval_list_changed(struct search_eval *eval, uint32_t next_uid, uint64_t modseq)
{
	struct mail_index_view *view = eval->box->view;
	uint32_t seq = 1, seq2, uid;

	seq2 = mail_index_view_get_messages_count(view);
	if (eval->status.highest_modseq <= modseq) {
		mailbox_get_seq_range(eval->box, next_uid, (uint32_t)-1,
				      &seq, &seq2);
	}
	if (seq == 0 || seq > seq2)
		return;
	eval->uids = talloc_array(eval->mem, uint32_t, seq2 - seq + 1);
	for (; seq <= seq2; seq++) {
		mail_index_lookup_uid(view, seq, &uid);
		if (uid >= next_uid ||
		    mail_index_modseq_lookup(view, seq) > modseq)
			eval->uids[eval->uid_count++] = uid;
	}
}

static enum mapi_error eval_list(struct search_eval *eval)
{
	struct mapi_search_part *part = eval->part;
	const struct mailbox_status *status = &eval->status;

	mailbox_get_open_status(eval->box, STATUS_UIDVALIDITY |
				STATUS_HIGHESTMODSEQ | STATUS_UIDNEXT,
				&eval->status);
	if (part->uidvalidity == 0) {
		/* a static search that hasn't been done is done now */
		eval->fixed = FALSE;
	}
	eval->full = status->uidvalidity != part->uidvalidity ||
		status->highest_modseq < part->modseq ||
		status->uidnext < part->next_uid ||
		status->nonpermanent_modseqs ||
		mapi_table_filter_counts(eval->filter);
	if (status->uidvalidity != part->uidvalidity && part->row_count > 0) {
		/* other messages than there were */
		part->row_count = 0;
		eval->changed = TRUE;
	}
	if (!eval->full)
		eval_list_changed(eval, part->next_uid, part->modseq);
	else if (eval->fixed)
		eval_list_changed(eval, 1, 0);
	else {
		return eval->src->v->list(eval->src, eval->mem,
			mapi_table_filter_restriction(eval->filter),
			&eval->uids, &eval->uid_count, &eval->exact);
	}
	return EC_NONE;
}

/* --- testing --------------------------------------------------------------- */

static enum mapi_error
eval_match(struct search_eval *eval, uint32_t uid, bool *match_r)
{
	enum mapi_error ret;

	*match_r = eval->exact;
	if (eval->exact)
		return EC_NONE;
	if (eval->fixed) {
		*match_r = mapi_search_part_find(eval->part, uid) != NULL;
		return EC_NONE;
	}
	ret = eval->src->v->select(eval->src, uid);
	if (ret == EC_NONE)
		ret = mapi_table_filter_match(eval->filter, uid, match_r);
	if (ret == EC_NOT_FOUND || ret == EC_OBJECT_DELETED) {
		/* it's going to vanish */
		*match_r = FALSE;
		ret = EC_NONE;
	}
	return ret;
}

/* Old rows up to uid that aren't tested again */
static void
eval_keep_rows(struct search_eval *eval, unsigned int *old_idx, uint32_t uid)
{
	const struct mapi_search_row *old;

	for (; *old_idx < eval->part->row_count; (*old_idx)++) {
		old = &eval->part->rows[*old_idx];
		if (old->uid >= uid)
			break;
		/* with all messages listed, one that isn't doesn't match */
		if ((!eval->full || eval->fixed) &&
		    eval->src->v->exists(eval->src, old->uid))
			eval_add_row(eval, old->uid);
		else
			eval->changed = TRUE;
	}
}

static enum mapi_error eval_rows(struct search_eval *eval)
{
	struct mapi_search_part *part = eval->part;
	const struct mapi_search_row *old;
	unsigned int i, old_idx = 0;
	enum mapi_error ret;
	bool match, had;

	for (i = 0; i < eval->uid_count; i++) {
		eval_keep_rows(eval, &old_idx, eval->uids[i]);
		old = old_idx < part->row_count ? &part->rows[old_idx] : NULL;
		had = old != NULL && old->uid == eval->uids[i];
		ret = eval_match(eval, eval->uids[i], &match);
		if (ret != EC_NONE)
			return ret;
		if (had)
			old_idx++;
		if (match) {
			eval_add_row(eval, eval->uids[i]);
			eval_journal(eval, eval->uids[i]);
		} else if (had)
			eval->changed = TRUE;
	}
	eval_keep_rows(eval, &old_idx, (uint32_t)-1);
	return EC_NONE;
}

static enum mapi_error eval_test(struct search_eval *eval)
{
	struct mapi_table_program *const *programs;
	unsigned int count;
	enum mapi_error ret;

	programs = mapi_table_filter_programs(eval->filter, &count);
	ret = eval->src->v->begin(eval->src, programs, count);
	if (ret == EC_NONE) {
		mapi_table_filter_reset(eval->filter);
		ret = eval_rows(eval);
		eval->src->v->end(eval->src);
	}
	if (ret != EC_NONE)
		talloc_free(eval->rows);
	return ret;
}

static void eval_finish(struct search_eval *eval)
{
	struct mapi_search_part *part = eval->part;

	talloc_free(part->rows);
	part->rows = eval->rows;
	part->row_count = eval->row_count;
	if (eval->full) {
		part->journal_count = 0;
		part->journal_start = eval->search->generation;
	}
	part->uidvalidity = eval->status.uidvalidity;
	part->next_uid = eval->status.uidnext;
	part->modseq = eval->status.highest_modseq;
}

enum mapi_error
mapi_search_part_evaluate(struct mapi_search *search,
			  struct mapi_search_part *part, bool *changed_r)
{
	struct mapi_search_criteria *criteria = search->criteria;
	struct search_eval eval = {
		.search = search, .part = part,
		.fixed = !criteria->running ||
			(criteria->flags & STATIC_SEARCH) != 0,
	};
	enum mapi_error ret;

	*changed_r = FALSE;
	eval.mem = talloc_new(search);
	ret = mapi_contents_source_open(eval.mem, search->store, part->fid, 0,
					&eval.src);
	if (ret == EC_NONE) {
		eval.box = mapi_contents_source_box(eval.src);
		/* which owns the source */
		eval.table = mapi_table_create(eval.mem, search->store,
					       MAPI_TABLE_CONTENTS, eval.src);
		ret = eval.box == NULL ? EC_NOT_FOUND :
			mapi_table_filter_init(eval.table, eval.table->priv,
					       criteria->restriction,
					       &eval.filter);
	}
	if (ret == EC_NONE)
		ret = eval_list(&eval);
	if (ret == EC_NONE)
		ret = eval_test(&eval);
	if (ret == EC_NONE)
		eval_finish(&eval);
	else
		part->uidvalidity = 0;
	/* programs before their source */
	TALLOC_FREE(eval.filter);
	talloc_free(eval.mem);
	*changed_r = eval.changed;
	return ret;
}
