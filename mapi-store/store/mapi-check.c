/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Checking a companion tree. Nothing of what is found here keeps anybody from
   working, but for bags that can't be read; it's what processes leave that die, what
   other protocols do without the mail plugin, and what bad disks do.

     orphaned-bag	its message is gone, and won't come back: deleted.
     left-behind-bag	its message is in another folder now: the bag follows.
     superseded-bag	there's a newer one: deleted.
     broken-bag		its content makes no sense: set aside; the message is then
			shown as its MIME form says.
     unreadable-bag	lib-storage can't read it: that's for doveadm force-resync.
     not-a-bag		a message among bags that isn't one: set aside.
     replaced-message	a newer version of it has been saved: deleted.
     orphaned-companion	messages, bags, rules etc. of a folder that is gone: deleted,
			after the bags of messages that have been moved away.
     unknown-companion	a mailbox that isn't known: only reported.
     search-remains	what a search folder that is gone had found: deleted.
     copy-remains	a copy of a folder that hasn't been finished: deleted.
     log-conflict	records that have lost to others: deleted.
     not-a-record	a message among them that isn't one: set aside.
     failed-mailbox	a mailbox that can't be opened: only reported.

   A folder is only taken for gone if the log knows its number and the name that it
   had last, and there's no mailbox of that name: not one that can't be opened. */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "store-compat.h"
#include "mapi-check-private.h"
#include "mapi-folder-place.h"
#include "mapi-search-folder-private.h"

#include <time.h>
#include <sys/stat.h>

static const char *const problem_names[MAPI_CHECK_PROBLEM_COUNT] = {
	[MAPI_CHECK_BAG_ORPHANED] = "orphaned-bag",
	[MAPI_CHECK_BAG_LEFT_BEHIND] = "left-behind-bag",
	[MAPI_CHECK_BAG_SUPERSEDED] = "superseded-bag",
	[MAPI_CHECK_BAG_BROKEN] = "broken-bag",
	[MAPI_CHECK_BAG_UNREADABLE] = "unreadable-bag",
	[MAPI_CHECK_BAG_INVALID] = "not-a-bag",
	[MAPI_CHECK_MESSAGE_REPLACED] = "replaced-message",
	[MAPI_CHECK_COMPANION_ORPHANED] = "orphaned-companion",
	[MAPI_CHECK_COMPANION_UNKNOWN] = "unknown-companion",
	[MAPI_CHECK_SEARCH_REMAINS] = "search-remains",
	[MAPI_CHECK_COPY_REMAINS] = "copy-remains",
	[MAPI_CHECK_LOG_CONFLICT] = "log-conflict",
	[MAPI_CHECK_LOG_INVALID] = "not-a-record",
	[MAPI_CHECK_MAILBOX_FAILED] = "failed-mailbox",
};

const char *mapi_check_problem_name(enum mapi_check_problem problem)
{
	i_assert(problem < MAPI_CHECK_PROBLEM_COUNT);
	return problem_names[problem];
}

/* --- reporting ----------------------------------------------------------------- */

void mapi_check_report(struct check *check, enum mapi_check_problem problem,
		       enum mapi_check_state state, const char *mailbox,
		       uint32_t uid, const char *detail)
{
	const struct mapi_check_finding finding = {
		.problem = problem,
		.state = state,
		.mailbox = mailbox,
		.uid = uid,
		.detail = detail == NULL ? "" : detail,
	};

	check->set->callback(&finding, check->set->context);
}

void mapi_check_report_result(struct check *check,
			      enum mapi_check_problem problem,
			      enum mapi_error result, const char *mailbox,
			      uint32_t uid, const char *detail)
{
	enum mapi_check_state state = MAPI_CHECK_FOUND;

	if (check->set->repair) {
		state = result == EC_NONE ? MAPI_CHECK_REPAIRED :
			MAPI_CHECK_FAILED;
	}
	mapi_check_report(check, problem, state, mailbox, uid, detail);
}

const char *mapi_check_leaf_vname(struct check *check, const struct leaf *leaf)
{
	return mapi_companion_vname(check->store->companion, leaf->name);
}

/* --- what there is --------------------------------------------------------------- */

static void leaf_parse(struct leaf *leaf)
{
	static const struct {
		const char *prefix;
		enum leaf_kind kind;
	} prefixes[] = {
		{ "folder-", LEAF_FOLDER },
		{ "fai-", LEAF_FAI },
		/* longer ones first */
		{ "bags-deleted-fai-", LEAF_BAGS_DELETED_FAI },
		{ "bags-deleted-", LEAF_BAGS_DELETED },
		{ "bags-fai-", LEAF_BAGS_FAI },
		{ "bags-", LEAF_BAGS },
		{ "rules-", LEAF_RULES },
		{ "deleted-fai-", LEAF_DELETED },
		{ "deleted-", LEAF_DELETED },
		{ "removed-", LEAF_REMOVED },
		{ "search-", LEAF_SEARCH },
	};
	unsigned int i;

	leaf->kind = LEAF_UNKNOWN;
	if (strcmp(leaf->name, MAPI_COMPANION_LOG) == 0 ||
	    strcmp(leaf->name, MAPI_COMPANION_BLOCKS) == 0 ||
	    strcmp(leaf->name, MAPI_COMPANION_NAMES) == 0 ||
	    strcmp(leaf->name, MAPI_COMPANION_VALUES) == 0 ||
	    strcmp(leaf->name, MAPI_COMPANION_PER_USER) == 0)
		leaf->kind = LEAF_STORE;
	else if (strcmp(leaf->name, MAPI_COMPANION_DAMAGED) == 0)
		leaf->kind = LEAF_DAMAGED;
	else if (str_begins(leaf->name, MAPI_COMPANION_COPY_PREFIX))
		leaf->kind = LEAF_COPY;
	for (i = 0; i < N_ELEMENTS(prefixes); i++) {
		if (str_begins(leaf->name, prefixes[i].prefix) &&
		    str_to_uint32(leaf->name + strlen(prefixes[i].prefix),
				  &leaf->number) == 0 && leaf->number != 0) {
			leaf->kind = prefixes[i].kind;
			break;
		}
	}
}

static enum mapi_error check_list_leafs(struct check *check)
{
	struct mapi_companion *comp = check->store->companion;
	struct mailbox_list_iterate_context *iter;
	const struct mailbox_info *info;
	struct leaf *leaf;
	const char *name;

	iter = mailbox_list_iter_init(comp->ns->list,
		t_strdup_printf("%s%c*", comp->root, comp->sep),
		MAILBOX_LIST_ITER_SKIP_ALIASES |
		MAILBOX_LIST_ITER_NO_AUTO_BOXES);
	while ((info = mailbox_list_iter_next(iter)) != NULL) {
		if ((info->flags & (MAILBOX_NOSELECT |
				    MAILBOX_NONEXISTENT)) != 0 ||
		    !mapi_companion_contains(comp, info->vname, &name))
			continue;
		leaf = array_append_space(&check->leafs);
		leaf->name = p_strdup(check->pool, name);
		leaf_parse(leaf);
	}
	return mailbox_list_iter_deinit(&iter) < 0 ?
		mapi_error_from_list(comp->ns->list) : EC_NONE;
}

enum mapi_error
mapi_check_open_mailbox(struct check *check, const char *vname,
			struct mailbox **box_r)
{
	struct mailbox *box;
	enum mapi_error error;

	*box_r = NULL;
	box = mailbox_alloc(check->store->companion->ns->list, vname,
			    MAILBOX_FLAG_DROP_RECENT |
			    MAILBOX_FLAG_IGNORE_ACLS);
	if (mailbox_open(box) == 0 && mailbox_sync(box, 0) == 0) {
		*box_r = box;
		return EC_NONE;
	}
	error = mapi_error_from_mailbox(box);
	mailbox_free(&box);
	if (error != EC_NOT_FOUND) {
		mapi_check_report(check, MAPI_CHECK_MAILBOX_FAILED,
				  MAPI_CHECK_FOUND, vname, 0, NULL);
		check->error = error;
	}
	return error;
}

static enum mapi_error
check_delete_mailbox(struct check *check, const char *vname)
{
	struct mailbox *box;
	enum mapi_error error = EC_NONE;

	box = mailbox_alloc(check->store->companion->ns->list, vname,
			    MAILBOX_FLAG_IGNORE_ACLS);
	if (mailbox_delete(box) < 0 &&
	    mailbox_get_last_mail_error(box) != MAIL_ERROR_NOTFOUND) {
		error = mapi_error_from_mailbox(box);
		if (error != EC_ERROR) {
			/* that has been logged */
			e_error(box->event, "mapi: Can't delete it: %s",
				mailbox_get_last_error(box, NULL));
		}
	}
	mailbox_free(&box);
	return error;
}

/* Somebody is just deleting it, or has been killed while he did: then lib-storage
   takes the deletion back after some minutes, and it's found by the next check. */
static bool
check_leaf_is_being_deleted(struct check *check, const struct leaf *leaf)
{
	struct mailbox *box;
	bool deleted;

	box = mapi_companion_alloc(check->store->companion, leaf->name,
				   MAILBOX_FLAG_READONLY);
	deleted = mailbox_open(box) < 0 &&
		mailbox_get_last_mail_error(box) == MAIL_ERROR_NOTFOUND;
	mailbox_free(&box);
	return deleted;
}

static void check_count(struct check *check, const struct leaf *leaf)
{
	struct mailbox_metadata metadata;
	struct mailbox_status status;
	struct mailbox *box;

	if (mapi_check_open_mailbox(check, mapi_check_leaf_vname(check, leaf),
				    &box) != EC_NONE)
		return;
	check->counts->companions++;
	if (mailbox_get_metadata(box, MAILBOX_METADATA_PHYSICAL_SIZE,
				 &metadata) == 0)
		check->counts->companion_size += metadata.physical_size;
	mailbox_get_open_status(box, STATUS_MESSAGES, &status);
	if (leaf->kind == LEAF_DAMAGED)
		check->counts->set_aside = status.messages;
	mailbox_free(&box);
}

/* --- folders ------------------------------------------------------------------ */

const struct mapi_tree_mailbox *
mapi_check_find_folder(struct check *check, uint32_t number)
{
	const struct mapi_tree_mailbox *mbox;

	array_foreach(&check->list.mailboxes, mbox) {
		if (mbox->number == number)
			return mbox;
	}
	return NULL;
}

/* Whether a folder that was no mailbox of the user's has been deleted */
static bool
check_placed_is_gone(struct check *check, enum mapi_folder_place_kind kind,
		     uint32_t number)
{
	unsigned int iter = 0;
	uint32_t placed, parent;
	const char *name;

	while (mapi_folder_place_next(check->store, kind, &iter, &placed,
				      &parent, &name)) {
		if (placed == number)
			return FALSE;
	}
	return TRUE;
}

bool mapi_check_mailbox_exists(struct check *check, const char *vname)
{
	enum mailbox_existence existence;
	struct mailbox *box;
	bool exists;

	box = mailbox_alloc(check->store->companion->ns->list, vname,
			    MAILBOX_FLAG_IGNORE_ACLS);
	exists = mailbox_exists(box, TRUE, &existence) < 0 ||
		existence != MAILBOX_EXISTENCE_NONE;
	mailbox_free(&box);
	return exists;
}

/* Certainly gone, and not only out of sight */
static bool check_folder_is_gone(struct check *check, uint32_t number)
{
	const struct mapi_idlog_rec *rec;
	const char *name;

	if (mapi_check_find_folder(check, number) != NULL)
		return FALSE;
	rec = mapi_idlog_find_number(check->store->log, number);
	if (rec != NULL && strcmp(rec->kind, MAPI_LOG_COMPANION) == 0) {
		return check_placed_is_gone(check, MAPI_PLACE_COMPANION,
					    number);
	}
	if (rec == NULL || strcmp(rec->kind, MAPI_LOG_FOLDER) != 0)
		return FALSE;
	name = mapi_folder_number_name(check->store, number);
	if (*name == '\0')
		return TRUE;
	return !mapi_check_mailbox_exists(check, name);
}

static bool check_search_is_gone(struct check *check, uint32_t number)
{
	const struct mapi_idlog_rec *rec;

	rec = mapi_idlog_find_number(check->store->log, number);
	return rec != NULL && strcmp(rec->kind, MAPI_LOG_SEARCH) == 0 &&
		check_placed_is_gone(check, MAPI_PLACE_SEARCH, number);
}

/* --- the parts of the tree ------------------------------------------------------- */

/* Of a folder that is gone */
static void check_gone_leaf(struct check *check, const struct leaf *leaf)
{
	const char *vname = mapi_check_leaf_vname(check, leaf);
	enum mapi_error error = EC_NONE;
	bool all = TRUE;

	if (leaf->kind == LEAF_BAGS)
		error = mapi_check_gone_bags(check, leaf, &all);
	if (error == EC_NONE && !all)
		error = EC_ERROR;
	if (error == EC_NONE && check->set->repair)
		error = check_delete_mailbox(check, vname);
	mapi_check_report_result(check, MAPI_CHECK_COMPANION_ORPHANED, error,
				 vname, 0, NULL);
}

static void check_search_leaf(struct check *check, const struct leaf *leaf)
{
	const char *vname = mapi_check_leaf_vname(check, leaf);
	enum mapi_error error = EC_NONE;

	if (!check_search_is_gone(check, leaf->number))
		return;
	if (check->set->repair)
		error = check_delete_mailbox(check, vname);
	mapi_check_report_result(check, MAPI_CHECK_SEARCH_REMAINS, error, vname,
				 0, NULL);
}

/* One that is being made right now is younger. */
static bool check_mailbox_is_old(struct check *check, const char *vname)
{
	struct mailbox *box;
	const char *path;
	struct stat st;
	bool old;

	box = mailbox_alloc(check->store->companion->ns->list, vname, 0);
	old = mailbox_get_path_to(box, MAILBOX_LIST_PATH_TYPE_MAILBOX,
				  &path) > 0 && stat(path, &st) == 0 &&
		st.st_mtime <= check->now - (time_t)check->set->min_age;
	mailbox_free(&box);
	return old;
}

/* Those below are listed after it. Its FAI messages and bags are of a folder that
   is gone then. */
static void check_copies(struct check *check)
{
	const struct leaf *leaf;
	enum mapi_error error = EC_NONE;
	unsigned int i;

	for (i = array_count(&check->leafs); i > 0; i--) T_BEGIN {
		const char *vname;

		leaf = array_idx(&check->leafs, i - 1);
		vname = mapi_check_leaf_vname(check, leaf);
		if (leaf->kind == LEAF_COPY &&
		    check_mailbox_is_old(check, vname) &&
		    !check_leaf_is_being_deleted(check, leaf)) {
			if (check->set->repair)
				error = check_delete_mailbox(check, vname);
			mapi_check_report_result(check, MAPI_CHECK_COPY_REMAINS,
						 error, vname, 0, NULL);
		}
	} T_END;
	if (check->set->repair)
		store_compat_list_refresh(check->store->companion->ns->list);
}

static void
check_log(struct check *check, struct mapi_idlog *log, const char *leaf,
	  unsigned int *records)
{
	const char *vname = mapi_companion_vname(check->store->companion, leaf);
	struct mapi_idlog_faults faults;
	enum mapi_error error;

	error = mapi_idlog_refresh(log);
	if (error != EC_NONE) {
		mapi_check_report(check, MAPI_CHECK_MAILBOX_FAILED,
				  MAPI_CHECK_FOUND, vname, 0, NULL);
		check->error = error;
		return;
	}
	mapi_idlog_examine(log, &faults);
	*records = faults.records;
	if (faults.conflicts == 0 && faults.invalid == 0)
		return;
	if (check->set->repair)
		error = mapi_idlog_mend(log);
	if (faults.conflicts > 0) {
		mapi_check_report_result(check, MAPI_CHECK_LOG_CONFLICT, error,
			vname, 0, t_strdup_printf("%u records",
						  faults.conflicts));
	}
	if (faults.invalid > 0) {
		mapi_check_report_result(check, MAPI_CHECK_LOG_INVALID, error,
			vname, 0, t_strdup_printf("%u messages",
						  faults.invalid));
	}
}

static void check_leaf(struct check *check, const struct leaf *leaf)
{
	if (check_leaf_is_being_deleted(check, leaf))
		return;
	switch (leaf->kind) {
	case LEAF_FOLDER:
	case LEAF_FAI:
	case LEAF_RULES:
	case LEAF_DELETED:
		if (check_folder_is_gone(check, leaf->number))
			check_gone_leaf(check, leaf);
		break;
	case LEAF_BAGS:
	case LEAF_BAGS_FAI:
	case LEAF_BAGS_DELETED:
	case LEAF_BAGS_DELETED_FAI:
		if (check_folder_is_gone(check, leaf->number))
			check_gone_leaf(check, leaf);
		else
			mapi_check_bags(check, leaf);
		break;
	case LEAF_SEARCH:
		check_search_leaf(check, leaf);
		break;
	case LEAF_UNKNOWN:
		mapi_check_report(check, MAPI_CHECK_COMPANION_UNKNOWN,
				  MAPI_CHECK_FOUND,
				  mapi_check_leaf_vname(check, leaf), 0, NULL);
		break;
	case LEAF_STORE:
	case LEAF_DAMAGED:
	case LEAF_COPY:
	case LEAF_REMOVED:
		break;
	}
}

/* Soft-deleted folders have messages, bags etc. as the others. */
static void check_add_removed(struct check *check)
{
	struct mapi_tree_mailbox *mbox;
	uint32_t number;

	array_foreach_elem(&check->list.removed, number) {
		if (mapi_check_find_folder(check, number) != NULL)
			continue;
		mbox = array_append_space(&check->list.mailboxes);
		mbox->number = number;
		mbox->vname = p_strdup(check->pool, mapi_companion_vname(
			check->store->companion,
			t_strdup_printf(MAPI_COMPANION_REMOVED, number)));
	}
}

/* The names of the tree first: it must not be that a folder isn't known whose bags
   are, because it has just been made. */
static enum mapi_error check_tree(struct check *check)
{
	const struct mapi_tree_mailbox *mbox;
	const struct leaf *leaf;
	unsigned int unused;
	enum mapi_error error;

	error = check_list_leafs(check);
	if (error == EC_NONE)
		error = mapi_folder_list_read(&check->list);
	if (error == EC_NONE)
		error = mapi_idlog_refresh(check->store->log);
	if (error != EC_NONE)
		return error;
	mapi_folder_list_find_numbers(&check->list);
	array_foreach(&check->list.mailboxes, mbox) {
		if (mbox->number != 0)
			check->counts->folders++;
	}
	check_add_removed(check);

	check_log(check, check->store->log, MAPI_COMPANION_LOG, &unused);
	check_log(check, check->store->blocks, MAPI_COMPANION_BLOCKS,
		  &check->counts->blocks);
	check_log(check, check->store->names, MAPI_COMPANION_NAMES,
		  &check->counts->named_properties);
	check_copies(check);
	array_foreach(&check->leafs, leaf) T_BEGIN {
		check_leaf(check, leaf);
	} T_END;
	array_foreach(&check->leafs, leaf) T_BEGIN {
		if (mapi_companion_exists(check->store->companion, leaf->name))
			check_count(check, leaf);
	} T_END;
	return check->error;
}

enum mapi_error
mapi_check_run(struct mail_user *user, const struct mapi_store_settings *set,
	       const struct mapi_check_settings *check_set,
	       struct mapi_check_counts *counts_r)
{
	struct check check = {
		.set = check_set, .counts = counts_r, .now = time(NULL),
	};
	enum mapi_error error;

	i_zero(counts_r);
	error = mapi_store_open_examined(NULL, user, set, &check.store);
	if (error == EC_NONE && check_set->repair) {
		/* folders that others have renamed or lost keep their numbers
		   only if that's noticed before anything is taken for gone */
		talloc_free(check.store);
		error = mapi_store_open(NULL, user, set, &check.store);
	}
	if (error != EC_NONE)
		return error == EC_NOT_FOUND ? EC_NONE : error;
	check.pool = pool_alloconly_create("mapi check", 4096);
	p_array_init(&check.leafs, check.pool, 32);
	mapi_folder_list_init(&check.list, check.store);
	T_BEGIN {
		error = check_tree(&check);
	} T_END;
	if (hash_table_is_created(check.guids))
		hash_table_destroy(&check.guids);
	mapi_folder_list_deinit(&check.list);
	pool_unref(&check.pool);
	talloc_free(check.store);
	return error;
}
