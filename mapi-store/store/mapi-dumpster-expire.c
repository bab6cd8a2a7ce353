/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Dumpsters as a whole: expunging what is old or all of it, how much there is. */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "store-compat.h"
#include "mapi-bags.h"
#include "mapi-dumpster.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-store-private.h"

/* --- expunging -------------------------------------------------------------- */

/* Whether it's to be expunged. In the order of UIDs, which is that of their dates of
   saving but for what replication has made of it, dates are asked for until the
   first that isn't old enough: then *young is set. limit 0: all. */
static bool
dumpster_mail_is_old(struct mail *mail, uint32_t seq, time_t limit, bool *young)
{
	time_t date;

	if (limit == 0)
		return TRUE;
	date = mapi_dumpster_seq_date(mail->box, seq);
	if (date != 0)
		return date <= limit;
	if (*young)
		return FALSE;
	mail_set_seq(mail, seq);
	if (mail_get_save_date(mail, &date) < 0) {
		*young = !mail->expunged;
		return FALSE;
	}
	*young = date > limit;
	return !*young;
}

/* Returns how many. */
static unsigned int
dumpster_expunge_old(struct mail *mail, struct mapi_bags *bags, time_t limit,
		     ARRAY_TYPE(const_string) *guids)
{
	unsigned int expunged = 0;
	uint32_t seq, count;
	const char *guid;
	bool young = FALSE;

	count = mail_index_view_get_messages_count(mail->box->view);
	for (seq = 1; seq <= count; seq++) {
		if (!dumpster_mail_is_old(mail, seq, limit, &young))
			continue;
		mail_set_seq(mail, seq);
		if (mapi_bags_find_uid(bags, mail) != 0 &&
		    mail_get_special(mail, MAIL_FETCH_GUID, &guid) == 0) {
			guid = t_strdup(guid);
			array_push_back(guids, &guid);
		}
		mail_expunge(mail);
		expunged++;
	}
	return expunged;
}

/* Removes bags whose messages are gone, too, by doveadm expunge or
   autoexpunge. */
static enum mapi_error
dumpster_expire_box(struct mailbox *box, struct mapi_bags *bags, time_t limit)
{
	struct mailbox_transaction_context *trans;
	ARRAY_TYPE(const_string) guids;
	struct mail *mail;
	enum mapi_error error;
	unsigned int count, expunged;

	error = mapi_bags_refresh(bags, box);
	if (error != EC_NONE)
		return error;
	t_array_init(&guids, 8);
	trans = mailbox_transaction_begin(box, 0, "MAPI dumpster");
	mail = mail_alloc(trans, MAIL_FETCH_SAVE_DATE, NULL);
	expunged = dumpster_expunge_old(mail, bags, limit, &guids);
	mail_free(&mail);
	if (mailbox_transaction_commit(&trans) < 0 ||
	    (expunged > 0 &&
	     mailbox_sync(box, MAILBOX_SYNC_FLAG_EXPUNGE) < 0))
		return mapi_error_from_mailbox(box);
	if (array_count(&guids) > 0) {
		array_append_zero(&guids);
		error = mapi_bags_delete(bags, array_front(&guids));
		if (error == EC_NONE)
			error = mapi_bags_refresh(bags, box);
	}
	if (error == EC_NONE &&
	    mapi_bags_count(bags) > mail_index_view_get_messages_count(box->view))
		error = mapi_bags_delete_orphans(bags, box, &count);
	return error;
}

/* What was saved then or before is old. */
static time_t dumpster_limit(struct mapi_store *store)
{
	return ioloop_time - (time_t)store->set->deleted_retention;
}

static enum mapi_error
dumpster_expire(struct mapi_store *store, uint32_t number, bool associated,
		time_t limit, bool *left_r)
{
	struct mailbox *box;
	enum mapi_error error;

	*left_r = FALSE;
	error = mapi_companion_open(store->companion,
		mapi_dumpster_leaf(number, associated), FALSE, NULL, &box);
	if (error != EC_NONE)
		return error == EC_NOT_FOUND ? EC_NONE : error;
	error = dumpster_expire_box(box,
		mapi_bags_get_deleted(store, number, associated), limit);
	*left_r = mail_index_view_get_messages_count(box->view) > 0;
	mailbox_free(&box);
	return error;
}

enum mapi_error
mapi_dumpster_expire(struct mapi_store *store, uint32_t folder_number,
		     bool associated)
{
	bool left;

	return dumpster_expire(store, folder_number, associated,
			       dumpster_limit(store), &left);
}

/* --- all of them ------------------------------------------------------------ */

static bool
dumpster_parse_leaf(const char *leaf, uint32_t *number_r, bool *associated_r)
{
	if (!str_begins(leaf, "deleted-"))
		return FALSE;
	leaf += strlen("deleted-");
	*associated_r = str_begins(leaf, "fai-");
	if (*associated_r)
		leaf += strlen("fai-");
	return str_to_uint32(leaf, number_r) == 0;
}

/* Whether its first message is that old, from the mailbox list's index */
static bool
dumpster_is_expired(struct mapi_store *store, const char *leaf, time_t limit)
{
	struct mailbox_metadata metadata;
	struct mailbox *box;
	bool expired;

	box = mapi_companion_alloc(store->companion, leaf,
				   MAILBOX_FLAG_DROP_RECENT);
	expired = mailbox_get_metadata(box, MAILBOX_METADATA_FIRST_SAVE_DATE,
				       &metadata) == 0 &&
		metadata.first_save_date != (time_t)-1 &&
		metadata.first_save_date <= limit;
	mailbox_free(&box);
	return expired;
}

typedef void dumpster_func_t(struct mapi_store *store, const char *leaf,
			     uint32_t folder_number, bool associated,
			     void *context);

static void
dumpsters_for_each(struct mapi_store *store, dumpster_func_t *func,
		   void *context)
{
	struct mailbox_list_iterate_context *iter;
	const struct mailbox_info *info;
	bool associated;
	const char *leaf;
	uint32_t number;

	iter = mailbox_list_iter_init(store->companion->ns->list,
		mapi_companion_vname(store->companion, "deleted-*"),
		MAILBOX_LIST_ITER_SKIP_ALIASES |
		MAILBOX_LIST_ITER_NO_AUTO_BOXES |
		MAILBOX_LIST_ITER_RETURN_NO_FLAGS);
	while ((info = mailbox_list_iter_next(iter)) != NULL) T_BEGIN {
		if (mapi_companion_contains(store->companion, info->vname,
					    &leaf) &&
		    dumpster_parse_leaf(leaf, &number, &associated))
			func(store, leaf, number, associated, context);
	} T_END;
	if (mailbox_list_iter_deinit(&iter) < 0)
		(void)mapi_error_from_list(store->companion->ns->list);
}

static void
dumpster_expire_if_old(struct mapi_store *store, const char *leaf,
		       uint32_t folder_number, bool associated, void *context)
{
	time_t limit = dumpster_limit(store);
	bool left;

	if (dumpster_is_expired(store, leaf, limit)) {
		(void)dumpster_expire(store, folder_number, associated, limit,
				      &left);
	}
}

void mapi_dumpsters_expire(struct mapi_store *store)
{
	/* of the user's own mailbox */
	if (!mapi_dumpster_is_enabled(store) || mapi_store_is_delegate(store))
		return;
	T_BEGIN {
		dumpsters_for_each(store, dumpster_expire_if_old, NULL);
	} T_END;
}

static void
dumpster_add_totals(struct mapi_store *store, const char *leaf,
		    uint32_t folder_number, bool associated, void *context)
{
	struct mapi_dumpster_totals *totals = context;
	struct mailbox_metadata metadata;
	struct mailbox_status status;
	struct mailbox *box;
	unsigned int i = associated ? 1 : 0;

	box = mapi_companion_alloc(store->companion, leaf,
				   MAILBOX_FLAG_READONLY);
	if (mailbox_get_status(box, STATUS_MESSAGES, &status) < 0 ||
	    mailbox_get_metadata(box, MAILBOX_METADATA_VIRTUAL_SIZE,
				 &metadata) < 0)
		(void)mapi_error_from_mailbox(box);
	else {
		totals->messages[i] += status.messages;
		totals->size[i] += metadata.virtual_size;
	}
	mailbox_free(&box);
}

static void
dumpster_add_totals_of(struct mapi_store *store, mapi_id_t fid,
		       struct mapi_dumpster_totals *totals)
{
	uint32_t number = mapi_folder_fid_to_number(fid);
	unsigned int i;

	for (i = 0; i < 2; i++) T_BEGIN {
		if (mapi_dumpster_exists(store, fid, i > 0)) {
			dumpster_add_totals(store,
				mapi_dumpster_leaf(number, i > 0), number,
				i > 0, totals);
		}
	} T_END;
}

/* Messages of soft-deleted folders */
static void
removed_add_totals(struct mapi_store *store, bool dumpsters,
		   struct mapi_dumpster_totals *totals)
{
	static const char *const leafs[] = {
		MAPI_COMPANION_REMOVED, MAPI_COMPANION_FAI,
	};
	const struct mapi_folder_node *node;
	unsigned int i, iter = 0;
	const char *leaf;
	uint32_t number;

	while ((node = mapi_folder_tree_next_removed(store, &iter)) != NULL) {
		number = mapi_folder_fid_to_number(node->fid);
		for (i = 0; i < N_ELEMENTS(leafs); i++) T_BEGIN {
			leaf = t_strdup_printf(leafs[i], number);
			if (mapi_companion_exists(store->companion, leaf)) {
				dumpster_add_totals(store, leaf, number, i > 0,
						    totals);
			}
		} T_END;
		if (dumpsters)
			dumpster_add_totals_of(store, node->fid, totals);
	}
}

void mapi_dumpster_get_totals(struct mapi_store *store, mapi_id_t fid,
			      struct mapi_dumpster_totals *totals_r)
{
	i_zero(totals_r);
	dumpster_add_totals_of(store, fid, totals_r);
	if (fid == mapi_folder_tree_special(store, MAPI_SPECIAL_DELETED_ITEMS))
		removed_add_totals(store, TRUE, totals_r);
}

void mapi_dumpsters_get_totals(struct mapi_store *store,
			       struct mapi_dumpster_totals *totals_r)
{
	i_zero(totals_r);
	T_BEGIN {
		dumpsters_for_each(store, dumpster_add_totals, totals_r);
	} T_END;
	removed_add_totals(store, FALSE, totals_r);
}

/* --- emptying --------------------------------------------------------------- */

enum mapi_error
mapi_dumpster_empty(struct mapi_store *store, mapi_id_t fid, bool associated,
		    bool *partial)
{
	const struct mapi_folder_node *node =
		mapi_folder_tree_lookup(store, fid);
	enum mapi_error error;
	bool left;

	if (node == NULL)
		return EC_OBJECT_DELETED;
	if ((mapi_folder_rights(store, node) & RIGHTS_DELETE_ANY) == 0)
		return EC_ACCESS_DENIED;
	T_BEGIN {
		error = dumpster_expire(store, mapi_folder_fid_to_number(fid),
					associated, 0, &left);
	} T_END;
	if (error != EC_NONE || left)
		*partial = TRUE;
	return error;
}

void mapi_dumpster_delete(struct mapi_store *store, uint32_t folder_number)
{
	static const char *const leafs[] = {
		MAPI_COMPANION_DELETED, MAPI_COMPANION_DELETED_FAI,
		MAPI_COMPANION_BAGS_DELETED, MAPI_COMPANION_BAGS_DELETED_FAI,
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(leafs); i++) T_BEGIN {
		mapi_companion_delete(store->companion,
			t_strdup_printf(leafs[i], folder_number));
	} T_END;
}
