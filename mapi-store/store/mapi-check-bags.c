/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bags of a folder against its messages: orphans, of which some are left behind by
   messages that are in other folders now, and what can't be read or has been
   replaced. */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "store-compat.h"
#include "mapi-bags-private.h"
#include "mapi-check-private.h"

static const enum mapi_check_problem bag_problems[] = {
	[MAPI_BAG_ORPHANED] = MAPI_CHECK_BAG_ORPHANED,
	[MAPI_BAG_SUPERSEDED] = MAPI_CHECK_BAG_SUPERSEDED,
	[MAPI_BAG_BROKEN] = MAPI_CHECK_BAG_BROKEN,
	[MAPI_BAG_UNREADABLE] = MAPI_CHECK_BAG_UNREADABLE,
	[MAPI_BAG_INVALID] = MAPI_CHECK_BAG_INVALID,
	[MAPI_BAG_REPLACED] = MAPI_CHECK_MESSAGE_REPLACED,
};

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
		    mapi_check_open_mailbox(check, mbox->vname,
					    &box) == EC_NONE) {
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
			       guids, NULL);
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
			mapi_check_report(check, problem, check->set->repair ?
					  MAPI_CHECK_FAILED : MAPI_CHECK_FOUND,
					  bags_vname, fault->uid, detail);
			return FALSE;
		}
	}
	if (number != 0) {
		mbox = mapi_check_find_folder(check, number);
		problem = MAPI_CHECK_BAG_LEFT_BEHIND;
		detail = t_strdup_printf("message is in %s", mbox->vname);
	}
	if (check->set->repair) {
		error = number != 0 ?
			check_carry_bag(check, bags, fault, number) :
			mapi_bags_mend(bags, fault);
	}
	mapi_check_report_result(check, problem, error,
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
		mapi_check_report_result(check, MAPI_CHECK_MESSAGE_REPLACED,
					 error, vname, fault->uid, NULL);
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
		mbox = mapi_check_find_folder(check, leaf->number);
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

void mapi_check_bags(struct check *check, const struct leaf *leaf)
{
	const char *vname = check_messages_vname(check, leaf);
	struct mapi_bags *bags;
	struct mailbox *box;
	enum mapi_error error;
	bool all;

	error = mapi_check_open_mailbox(check, vname, &box);
	if (error != EC_NONE && error != EC_NOT_FOUND)
		return;
	if (box == NULL && leaf->kind == LEAF_BAGS) {
		/* not one that is certainly gone: it's just being deleted, or
		   it's a mystery */
		if (mapi_check_mailbox_exists(check, vname))
			return;
		mapi_check_report(check, MAPI_CHECK_COMPANION_UNKNOWN,
				  MAPI_CHECK_FOUND,
				  mapi_check_leaf_vname(check, leaf), 0, NULL);
		return;
	}
	bags = check_leaf_bags(check, leaf);
	error = check_bags_of(check, bags, box,
			      mapi_check_leaf_vname(check, leaf), vname, &all);
	if (error != EC_NONE)
		check->error = error;
	if (box != NULL)
		mailbox_free(&box);
}

enum mapi_error
mapi_check_gone_bags(struct check *check, const struct leaf *leaf, bool *all_r)
{
	struct mapi_bags *bags =
		mapi_bags_get(check->store, leaf->number, FALSE);
	enum mapi_error error;

	error = check_bags_of(check, bags, NULL,
			      mapi_check_leaf_vname(check, leaf), NULL, all_r);
	bags_close(bags);
	return error;
}
