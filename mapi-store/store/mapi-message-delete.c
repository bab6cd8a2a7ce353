/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Deleting stored messages, for good or so that they can be recovered. */

#include "lib.h"
#include "array.h"
#include "store-compat.h"
#include "mapi-bags.h"
#include "mapi-dumpster.h"
#include "mapi-folder-removed.h"
#include "mapi-message-list.h"
#include "mapi-message-write.h"
#include "mapi-search-folder.h"
#include "mapi-store-private.h"

/* --- for good --------------------------------------------------------------- */

/* A message that has a bag */
struct bag_owner {
	uint32_t uid;
	const char *guid;
};
ARRAY_DEFINE_TYPE(bag_owner, struct bag_owner);

/* Deletes the bags of those that aren't there any more. Bags whose messages weren't
   there before are left alone: perhaps an IMAP client has moved them to another
   folder. */
static enum mapi_error
delete_bags(struct mapi_bags *bags, struct mailbox *box,
	    const ARRAY_TYPE(bag_owner) *owners)
{
	ARRAY_TYPE(const_string) guids;
	const struct bag_owner *owner;
	uint32_t seq;

	t_array_init(&guids, array_count(owners) + 1);
	array_foreach(owners, owner) {
		if (!mail_index_lookup_seq(box->view, owner->uid, &seq))
			array_push_back(&guids, &owner->guid);
	}
	array_append_zero(&guids);
	return array_count(&guids) == 1 ? EC_NONE :
		mapi_bags_delete(bags, array_front(&guids));
}

static enum mapi_error
delete_box(struct mailbox *box, struct mapi_bags *bags,
	   const ARRAY_TYPE(seq_range) *uids, bool *partial)
{
	ARRAY_TYPE(bag_owner) owners;
	struct bag_owner *owner;
	const char *guid;
	struct mailbox_transaction_context *trans;
	struct seq_range_iter iter;
	struct mail *mail;
	unsigned int n = 0;
	uint32_t uid;

	t_array_init(&owners, 16);
	trans = mailbox_transaction_begin(box, 0, "MAPI delete");
	mail = mail_alloc(trans, 0, NULL);
	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (!mail_set_uid(mail, uid)) {
			*partial = TRUE;
			continue;
		}
		if (mapi_bags_find_uid(bags, mail) != 0 &&
		    mail_get_special(mail, MAIL_FETCH_GUID, &guid) == 0) {
			owner = array_append_space(&owners);
			owner->uid = uid;
			owner->guid = t_strdup(guid);
		}
		mail_expunge(mail);
	}
	mail_free(&mail);
	if (mailbox_transaction_commit(&trans) < 0 ||
	    mailbox_sync(box, MAILBOX_SYNC_FLAG_EXPUNGE) < 0) {
		*partial = TRUE;
		return mapi_error_from_mailbox(box);
	}
	/* plugins may leave messages alone without an error */
	if (mapi_message_list_any_left(box, uids))
		*partial = TRUE;
	return delete_bags(bags, box, &owners);
}

static enum mapi_error
messages_delete_list(const struct mapi_message_list *list, bool *partial)
{
	enum mapi_error error = EC_NONE;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(list->boxes) && error == EC_NONE; i++) {
		if (list->boxes[i] != NULL)
			error = delete_box(list->boxes[i],
				mapi_folder_bags(list->folder, i > 0),
				&list->uids[i], partial);
	}
	return error;
}

static enum mapi_error
messages_delete_part(struct mapi_store *store, mapi_id_t fid,
		     const mapi_id_t *mids, unsigned int count, void *context,
		     bool *partial_r)
{
	return mapi_messages_delete(store, fid, mids, count, partial_r);
}

enum mapi_error
mapi_messages_delete(struct mapi_store *store, mapi_id_t fid,
		     const mapi_id_t *mids, unsigned int count,
		     bool *partial_r)
{
	struct mapi_message_list list, deleted;
	enum mapi_error error;
	bool any_deleted;

	*partial_r = FALSE;
	if (mapi_folder_is_search(store, fid)) {
		return mapi_search_for_each_folder(store, mids, count,
			messages_delete_part, NULL, partial_r);
	}
	if (mapi_folder_removed_of_any(store, fid, mids, count)) {
		return mapi_folder_removed_for_each(store, fid, mids, count,
			messages_delete_part, NULL, partial_r);
	}
	error = mapi_message_list_open(store, fid, mids, count,
				       MAPI_MESSAGE_USE_DELETE, &list);
	if (error != EC_NONE)
		return error;
	error = mapi_message_list_split_deleted(&list, mids, count, &deleted,
						&any_deleted);
	if (error == EC_NONE) {
		mapi_message_list_leave_held(&list);
		*partial_r = list.missing || list.denied;
		error = messages_delete_list(&list, partial_r);
	}
	if (any_deleted) {
		if (deleted.missing)
			*partial_r = TRUE;
		if (error == EC_NONE)
			error = messages_delete_list(&deleted, partial_r);
		mapi_message_list_close(&deleted);
	}
	mapi_message_list_close(&list);
	return error;
}

/* --- recoverably ------------------------------------------------------------ */

static enum mapi_error
messages_soft_delete_part(struct mapi_store *store, mapi_id_t fid,
			  const mapi_id_t *mids, unsigned int count,
			  void *context, bool *partial_r)
{
	return mapi_messages_soft_delete(store, fid, mids, count, partial_r);
}

static enum mapi_error
messages_soft_delete_list(const struct mapi_message_list *list, bool *partial)
{
	enum mapi_error error = EC_NONE;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(list->boxes) && error == EC_NONE; i++) {
		if (list->boxes[i] == NULL)
			continue;
		error = mapi_dumpster_put(list->folder, i > 0, list->boxes[i],
					  &list->uids[i], partial);
	}
	return error;
}

enum mapi_error
mapi_messages_soft_delete(struct mapi_store *store, mapi_id_t fid,
			  const mapi_id_t *mids, unsigned int count,
			  bool *partial_r)
{
	struct mapi_message_list list;
	enum mapi_error error;

	*partial_r = FALSE;
	if (mapi_folder_is_search(store, fid)) {
		return mapi_search_for_each_folder(store, mids, count,
			messages_soft_delete_part, NULL, partial_r);
	}
	error = mapi_message_list_open(store, fid, mids, count,
				       MAPI_MESSAGE_USE_DELETE, &list);
	if (error != EC_NONE)
		return error;
	mapi_message_list_leave_held(&list);
	*partial_r = list.missing || list.denied;
	error = mapi_dumpster_is_enabled(store) ?
		messages_soft_delete_list(&list, partial_r) :
		messages_delete_list(&list, partial_r);
	mapi_message_list_close(&list);
	return error;
}

/* --- all of a folder -------------------------------------------------------- */

enum mapi_error
mapi_messages_delete_slice(struct mapi_store *store, mapi_id_t fid,
			   bool associated, bool hard,
			   struct mapi_message_slice *slice, unsigned int max,
			   unsigned int *count_r, bool *partial)
{
	struct mapi_message_list list;
	enum mapi_error error;

	*count_r = 0;
	error = mapi_message_list_open_slice(store, fid, associated, slice,
					     max, &list, count_r);
	if (error != EC_NONE)
		return error;
	mapi_message_list_leave_held(&list);
	if (list.missing)
		*partial = TRUE;
	if (*count_r > 0) {
		error = hard ? messages_delete_list(&list, partial) :
			messages_soft_delete_list(&list, partial);
	}
	mapi_message_list_close(&list);
	return error;
}
