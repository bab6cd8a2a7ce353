/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Checking a companion tree. Nothing of what is found here keeps anybody from
   working, but for bags that can't be read; it's what processes leave that die, what
   other protocols do without the mail plugin, and what bad disks do.

     orphaned-bag	its message is gone: deleted.
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
#include "mapi-bags-private.h"
#include "mapi-check.h"
#include "mapi-folder-list.h"
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

static const enum mapi_check_problem bag_problems[] = {
	[MAPI_BAG_ORPHANED] = MAPI_CHECK_BAG_ORPHANED,
	[MAPI_BAG_SUPERSEDED] = MAPI_CHECK_BAG_SUPERSEDED,
	[MAPI_BAG_BROKEN] = MAPI_CHECK_BAG_BROKEN,
	[MAPI_BAG_UNREADABLE] = MAPI_CHECK_BAG_UNREADABLE,
	[MAPI_BAG_INVALID] = MAPI_CHECK_BAG_INVALID,
	[MAPI_BAG_REPLACED] = MAPI_CHECK_MESSAGE_REPLACED,
};

/* A mailbox of the companion tree */
enum leaf_kind {
	/* of the store, and looked at elsewhere */
	LEAF_STORE,
	LEAF_DAMAGED,
	LEAF_FOLDER,
	LEAF_FAI,
	LEAF_BAGS,
	LEAF_BAGS_FAI,
	LEAF_BAGS_DELETED,
	LEAF_BAGS_DELETED_FAI,
	LEAF_RULES,
	LEAF_DELETED,
	LEAF_SEARCH,
	LEAF_COPY,
	LEAF_UNKNOWN,
};
struct leaf {
	const char *name;
	enum leaf_kind kind;
	uint32_t number;
};

struct check {
	struct mapi_store *store;
	const struct mapi_check_settings *set;
	struct mapi_check_counts *counts;
	pool_t pool;
	/* ioloop_time may be old: doveadm works without a loop */
	time_t now;

	struct mapi_folder_list list;
	ARRAY(struct leaf) leafs;
	/* GUIDs of the messages of all folders -> number of the folder; made at
	   the first orphan */
	HASH_TABLE(uint8_t *, void *) guids;
	enum mapi_error error;
};

const char *mapi_check_problem_name(enum mapi_check_problem problem)
{
	i_assert(problem < MAPI_CHECK_PROBLEM_COUNT);
	return problem_names[problem];
}

/* --- reporting ----------------------------------------------------------------- */

static void
check_report(struct check *check, enum mapi_check_problem problem,
	     enum mapi_check_state state, const char *mailbox, uint32_t uid,
	     const char *detail)
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

/* Reports what has been mended with this result, or what hasn't been tried. */
static void
check_report_result(struct check *check, enum mapi_check_problem problem,
		    enum mapi_error result, const char *mailbox, uint32_t uid,
		    const char *detail)
{
	enum mapi_check_state state = MAPI_CHECK_FOUND;

	if (check->set->repair) {
		state = result == EC_NONE ? MAPI_CHECK_REPAIRED :
			MAPI_CHECK_FAILED;
	}
	check_report(check, problem, state, mailbox, uid, detail);
}

static const char *check_leaf_vname(struct check *check, const struct leaf *leaf)
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

static enum mapi_error
check_open_mailbox(struct check *check, const char *vname, struct mailbox **box_r)
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
		check_report(check, MAPI_CHECK_MAILBOX_FAILED,
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

	if (check_open_mailbox(check, check_leaf_vname(check, leaf),
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

static const struct mapi_tree_mailbox *
check_find_folder(struct check *check, uint32_t number)
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

/* Also if it can't be opened, or if that can't be found out */
static bool check_mailbox_exists(struct check *check, const char *vname)
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

	if (check_find_folder(check, number) != NULL)
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
	return !check_mailbox_exists(check, name);
}

static bool check_search_is_gone(struct check *check, uint32_t number)
{
	const struct mapi_idlog_rec *rec;

	rec = mapi_idlog_find_number(check->store->log, number);
	return rec != NULL && strcmp(rec->kind, MAPI_LOG_SEARCH) == 0 &&
		check_placed_is_gone(check, MAPI_PLACE_SEARCH, number);
}

/* --- bags that were left behind -------------------------------------------------- */

struct read_guids {
	struct check *check;
	uint32_t number;
};

static void check_add_guid(uint8_t *guid, uint32_t uid ATTR_UNUSED, void *context)
{
	struct read_guids *ctx = context;

	if (hash_table_lookup(ctx->check->guids, guid) == NULL) {
		hash_table_insert(ctx->check->guids, guid,
				  POINTER_CAST(ctx->number));
	}
}

static void check_read_guids(struct check *check)
{
	struct read_guids ctx = { .check = check };
	const struct mapi_tree_mailbox *mbox;
	struct mailbox *box;
	enum mapi_error error;

	if (hash_table_is_created(check->guids))
		return;
	hash_table_create(&check->guids, default_pool, 0, guid_128_hash,
			  guid_128_cmp);
	array_foreach(&check->list.mailboxes, mbox) T_BEGIN {
		if (!mbox->noselect && mbox->number != 0 &&
		    check_open_mailbox(check, mbox->vname, &box) == EC_NONE) {
			ctx.number = mbox->number;
			error = bags_read_guids(box, check->pool,
						check_add_guid, &ctx);
			if (error != EC_NONE)
				check->error = error;
			mailbox_free(&box);
		}
	} T_END;
}

/* The folder that has the message of a bag which is nobody's in its own folder, if
   that folder has no bag for it; 0 if there's none. */
static uint32_t
check_find_message(struct check *check, const struct mapi_bag_fault *fault)
{
	struct mapi_bags *bags;
	const uint8_t *guid = fault->guid;
	uint32_t number;

	check_read_guids(check);
	number = POINTER_CAST_TO(hash_table_lookup(check->guids, guid),
				 uint32_t);
	if (number == 0)
		return 0;
	bags = mapi_bags_get(check->store, number, FALSE);
	return bags_refresh(bags, FALSE) == EC_NONE &&
		!mapi_bags_have_guid(bags, fault->guid) ? number : 0;
}

static enum mapi_error
check_carry_bag(struct check *check, struct mapi_bags *bags,
		const struct mapi_bag_fault *fault, uint32_t number)
{
	const char *guid = guid_128_to_string(fault->guid);
	const char *guids[] = { guid, guid, NULL };
	enum mapi_error error;

	error = mapi_bags_copy(bags, mapi_bags_get(check->store, number, FALSE),
			       guids);
	return error != EC_NONE ? error : mapi_bags_mend(bags, fault);
}

/* --- bags ------------------------------------------------------------------------- */

/* FALSE if it must not be deleted with its mailbox. */
static bool
check_bag_fault(struct check *check, struct mapi_bags *bags,
		const struct mapi_bag_fault *fault, const char *bags_vname,
		const char *vname)
{
	enum mapi_check_problem problem = bag_problems[fault->type];
	const struct mapi_tree_mailbox *mbox;
	enum mapi_error error = EC_NONE;
	const char *detail = fault->reason;
	uint32_t number = 0;

	if (fault->type == MAPI_BAG_ORPHANED && !bags->associated &&
	    !bags->deleted) {
		number = check_find_message(check, fault);
		if (number == 0 && check->error != EC_NONE) {
			/* not all folders could be looked at */
			check_report(check, problem, check->set->repair ?
				     MAPI_CHECK_FAILED : MAPI_CHECK_FOUND,
				     bags_vname, fault->uid, detail);
			return FALSE;
		}
	}
	if (number != 0) {
		mbox = check_find_folder(check, number);
		problem = MAPI_CHECK_BAG_LEFT_BEHIND;
		detail = t_strdup_printf("message is in %s", mbox->vname);
	}
	if (check->set->repair) {
		error = number != 0 ?
			check_carry_bag(check, bags, fault, number) :
			mapi_bags_mend(bags, fault);
	}
	check_report_result(check, problem, error,
			    fault->type == MAPI_BAG_REPLACED ? vname :
			    bags_vname, fault->uid, detail);
	return error == EC_NONE;
}

/* What has been replaced: mapi_bags_refresh() expunges it. */
static void
check_refresh_bags(struct check *check, struct mapi_bags *bags,
		   struct mailbox *box,
		   const ARRAY_TYPE(mapi_bag_fault) *faults, const char *vname)
{
	const struct mapi_bag_fault *fault;
	enum mapi_error error = EC_NONE;
	bool refreshed = FALSE;

	array_foreach(faults, fault) {
		if (fault->type != MAPI_BAG_REPLACED)
			continue;
		if (!refreshed)
			error = mapi_bags_refresh(bags, box);
		refreshed = TRUE;
		check_report_result(check, MAPI_CHECK_MESSAGE_REPLACED, error,
				    vname, fault->uid, NULL);
	}
}

/* vname: where the messages are. all_r is set if nothing is lost when the bags are
   deleted because their folder is gone. */
static enum mapi_error
check_bags_of(struct check *check, struct mapi_bags *bags, struct mailbox *box,
	      const char *bags_vname, const char *vname, bool *all_r)
{
	const struct mapi_bags_examine_settings exam_set = {
		.orphans_before = check->now - (time_t)check->set->min_age,
	};
	ARRAY_TYPE(mapi_bag_fault) faults;
	const struct mapi_bag_fault *fault;
	enum mapi_error error;
	unsigned int count;

	*all_r = TRUE;
	error = mapi_bags_examine(bags, box, &exam_set, check->pool, &faults,
				  &count);
	if (error == EC_NONE && check->set->repair && box != NULL) {
		/* their bags are superseded afterwards */
		check_refresh_bags(check, bags, box, &faults, vname);
		error = mapi_bags_examine(bags, box, &exam_set, check->pool,
					  &faults, &count);
	}
	if (error != EC_NONE)
		return error;
	check->counts->bags += count;
	array_foreach(&faults, fault) T_BEGIN {
		if (!check_bag_fault(check, bags, fault, bags_vname, vname))
			*all_r = FALSE;
	} T_END;
	return EC_NONE;
}

static struct mapi_bags *
check_leaf_bags(struct check *check, const struct leaf *leaf)
{
	bool associated = leaf->kind == LEAF_BAGS_FAI ||
		leaf->kind == LEAF_BAGS_DELETED_FAI;

	return leaf->kind == LEAF_BAGS_DELETED ||
		leaf->kind == LEAF_BAGS_DELETED_FAI ?
		mapi_bags_get_deleted(check->store, leaf->number, associated) :
		mapi_bags_get(check->store, leaf->number, associated);
}

/* Where the messages are that the bags are of */
static const char *
check_messages_vname(struct check *check, const struct leaf *leaf)
{
	const struct mapi_tree_mailbox *mbox;
	const char *name, *format;

	switch (leaf->kind) {
	case LEAF_BAGS_FAI:
		format = MAPI_COMPANION_FAI;
		break;
	case LEAF_BAGS_DELETED:
		format = MAPI_COMPANION_DELETED;
		break;
	case LEAF_BAGS_DELETED_FAI:
		format = MAPI_COMPANION_DELETED_FAI;
		break;
	default:
		mbox = check_find_folder(check, leaf->number);
		if (mbox != NULL)
			return mbox->vname;
		/* one that has lost its GUID */
		name = mapi_folder_number_name(check->store, leaf->number);
		if (*name != '\0')
			return name;
		format = MAPI_COMPANION_FOLDER;
		break;
	}
	return mapi_companion_vname(check->store->companion,
				    t_strdup_printf(format, leaf->number));
}

/* Bags of a folder that is there */
static void check_bags(struct check *check, const struct leaf *leaf)
{
	const char *vname = check_messages_vname(check, leaf);
	struct mapi_bags *bags;
	struct mailbox *box;
	enum mapi_error error;
	bool all;

	error = check_open_mailbox(check, vname, &box);
	if (error != EC_NONE && error != EC_NOT_FOUND)
		return;
	if (box == NULL && leaf->kind == LEAF_BAGS) {
		/* not one that is certainly gone: it's just being deleted, or
		   it's a mystery */
		if (check_mailbox_exists(check, vname))
			return;
		check_report(check, MAPI_CHECK_COMPANION_UNKNOWN,
			     MAPI_CHECK_FOUND, check_leaf_vname(check, leaf),
			     0, NULL);
		return;
	}
	bags = check_leaf_bags(check, leaf);
	error = check_bags_of(check, bags, box, check_leaf_vname(check, leaf),
			      vname, &all);
	if (error != EC_NONE)
		check->error = error;
	if (box != NULL)
		mailbox_free(&box);
}

/* --- the parts of the tree ------------------------------------------------------- */

/* Of a folder that is gone */
static void check_gone_leaf(struct check *check, const struct leaf *leaf)
{
	const char *vname = check_leaf_vname(check, leaf);
	struct mapi_bags *bags;
	enum mapi_error error = EC_NONE;
	bool all = TRUE;

	if (leaf->kind == LEAF_BAGS) {
		bags = mapi_bags_get(check->store, leaf->number, FALSE);
		error = check_bags_of(check, bags, NULL, vname, NULL, &all);
		bags_close(bags);
	}
	if (error == EC_NONE && !all)
		error = EC_ERROR;
	if (error == EC_NONE && check->set->repair)
		error = check_delete_mailbox(check, vname);
	check_report_result(check, MAPI_CHECK_COMPANION_ORPHANED, error, vname,
			    0, NULL);
}

static void check_search_leaf(struct check *check, const struct leaf *leaf)
{
	const char *vname = check_leaf_vname(check, leaf);
	enum mapi_error error = EC_NONE;

	if (!check_search_is_gone(check, leaf->number))
		return;
	if (check->set->repair)
		error = check_delete_mailbox(check, vname);
	check_report_result(check, MAPI_CHECK_SEARCH_REMAINS, error, vname, 0,
			    NULL);
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
		vname = check_leaf_vname(check, leaf);
		if (leaf->kind == LEAF_COPY &&
		    check_mailbox_is_old(check, vname) &&
		    !check_leaf_is_being_deleted(check, leaf)) {
			if (check->set->repair)
				error = check_delete_mailbox(check, vname);
			check_report_result(check, MAPI_CHECK_COPY_REMAINS,
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
		check_report(check, MAPI_CHECK_MAILBOX_FAILED,
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
		check_report_result(check, MAPI_CHECK_LOG_CONFLICT, error,
			vname, 0, t_strdup_printf("%u records",
						  faults.conflicts));
	}
	if (faults.invalid > 0) {
		check_report_result(check, MAPI_CHECK_LOG_INVALID, error,
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
			check_bags(check, leaf);
		break;
	case LEAF_SEARCH:
		check_search_leaf(check, leaf);
		break;
	case LEAF_UNKNOWN:
		check_report(check, MAPI_CHECK_COMPANION_UNKNOWN,
			     MAPI_CHECK_FOUND, check_leaf_vname(check, leaf), 0,
			     NULL);
		break;
	case LEAF_STORE:
	case LEAF_DAMAGED:
	case LEAF_COPY:
		break;
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
