/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Copying, moving and deleting stored messages. */

#include "lib.h"
#include "array.h"
#include "store-compat.h"
#include "mapi-message-list.h"
#include "mapi-message-write.h"
#include "mapi-search-folder.h"
#include "mapi-store-private.h"

/* How often a copy is begun anew because a message vanished meanwhile */
#define COPY_ATTEMPTS_MAX 5

struct copy {
	struct mailbox *src, *dest;
	const ARRAY_TYPE(seq_range) *uids;
	bool move;

	struct mailbox_transaction_context *src_trans, *dest_trans;
	/* some messages aren't there */
	bool missing;
};

/* Without an error, the copies will be there when dest_trans is committed, and
   the originals gone when src_trans is. */
static enum mapi_error copy_mails(struct copy *copy)
{
	struct mail_save_context *save_ctx;
	struct seq_range_iter iter;
	struct mail *mail;
	unsigned int n = 0;
	uint32_t uid;
	enum mapi_error error = EC_NONE;
	int ret;

	mail = mail_alloc(copy->src_trans, 0, NULL);
	seq_range_array_iter_init(&iter, copy->uids);
	while (error == EC_NONE && seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (!mail_set_uid(mail, uid)) {
			copy->missing = TRUE;
			continue;
		}
		save_ctx = mailbox_save_alloc(copy->dest_trans);
		mailbox_save_copy_flags(save_ctx, mail);
		ret = copy->move ? mailbox_move(&save_ctx, mail) :
			mailbox_copy(&save_ctx, mail);
		if (ret < 0) {
			error = mail->expunged ? EC_OBJECT_DELETED :
				mapi_error_from_mailbox(copy->dest);
		}
	}
	mail_free(&mail);
	return error;
}

/* EC_OBJECT_DELETED: nothing has been done since a message vanished. */
static enum mapi_error copy_once(struct copy *copy, bool *copied_r)
{
	enum mapi_error error;

	*copied_r = FALSE;
	copy->dest_trans = mailbox_transaction_begin(copy->dest,
		MAILBOX_TRANSACTION_FLAG_EXTERNAL |
		MAILBOX_TRANSACTION_FLAG_ASSIGN_UIDS,
		copy->move ? "MAPI move" : "MAPI copy");
	copy->src_trans = mailbox_transaction_begin(copy->src,
		MAILBOX_TRANSACTION_FLAG_REFRESH,
		copy->move ? "MAPI move" : "MAPI copy");
	error = copy_mails(copy);
	if (error != EC_NONE) {
		mailbox_transaction_rollback(&copy->dest_trans);
		mailbox_transaction_rollback(&copy->src_trans);
		return error;
	}
	if (mailbox_transaction_commit(&copy->dest_trans) < 0) {
		error = mapi_error_from_mailbox(copy->dest);
		mailbox_transaction_rollback(&copy->src_trans);
		return error;
	}
	*copied_r = TRUE;
	if (mailbox_transaction_commit(&copy->src_trans) < 0 ||
	    (copy->move &&
	     mailbox_sync(copy->src, MAILBOX_SYNC_FLAG_EXPUNGE) < 0))
		return mapi_error_from_mailbox(copy->src);
	return EC_NONE;
}

static enum mapi_error copy_box(struct copy *copy, bool *partial)
{
	unsigned int i;
	enum mapi_error error = EC_NONE;
	bool copied;

	for (i = 0; i < COPY_ATTEMPTS_MAX; i++) {
		if (i > 0) {
			copy->missing = TRUE;
			if (mailbox_sync(copy->src, 0) < 0)
				return mapi_error_from_mailbox(copy->src);
		}
		error = copy_once(copy, &copied);
		if (copied && error != EC_NONE)
			*partial = TRUE;
		if (copied || error != EC_OBJECT_DELETED)
			break;
	}
	if (error == EC_NONE && copy->move &&
	    mapi_message_list_any_left(copy->src, copy->uids))
		*partial = TRUE;
	if (copy->missing)
		*partial = TRUE;
	return error;
}

/* The mailbox for a folder's FAI messages, made if there's none. */
static enum mapi_error
copy_open_associated(struct mapi_folder *folder, struct mailbox **box_r)
{
	const struct mapi_companion *comp = folder->obj.store->companion;
	struct mailbox *box;
	enum mapi_error error;

	error = mapi_folder_open_associated(folder, box_r);
	if (error != EC_NONE || *box_r != NULL)
		return error;
	T_BEGIN {
		const char *leaf = t_strdup_printf(MAPI_COMPANION_FAI,
			mapi_folder_fid_to_number(folder->fid));
		error = mapi_companion_open(comp, leaf, TRUE, NULL, &box);
	} T_END;
	if (error != EC_NONE)
		return error;
	mailbox_free(&box);
	error = mapi_folder_open_associated(folder, box_r);
	return error == EC_NONE && *box_r == NULL ? EC_ERROR : error;
}

static enum mapi_error
messages_copy_list(const struct mapi_message_list *list,
		   struct mapi_folder *dest, bool move, bool *partial)
{
	struct copy copy;
	enum mapi_error error;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(list->boxes); i++) {
		if (list->boxes[i] == NULL)
			continue;
		i_zero(&copy);
		copy.src = list->boxes[i];
		copy.dest = dest->box;
		copy.uids = &list->uids[i];
		copy.move = move;
		if (dest->box == NULL)
			return EC_NOT_SUPPORTED;
		if (i > 0) {
			error = copy_open_associated(dest, &copy.dest);
			if (error != EC_NONE)
				return error;
		}
		if (mailbox_is_readonly(copy.dest))
			return EC_ACCESS_DENIED;
		error = copy_box(&copy, partial);
		if (error != EC_NONE)
			return error;
	}
	return EC_NONE;
}

/* Messages are where they should be already. */
static bool messages_all_there(const struct mapi_message_list *list)
{
	struct seq_range_iter iter;
	unsigned int i, n;
	uint32_t uid, seq;

	for (i = 0; i < N_ELEMENTS(list->boxes); i++) {
		n = 0;
		seq_range_array_iter_init(&iter, &list->uids[i]);
		while (seq_range_array_iter_nth(&iter, n++, &uid)) {
			if (!mail_index_lookup_seq(list->boxes[i]->view, uid,
						   &seq))
				return FALSE;
		}
	}
	return TRUE;
}

struct copy_part {
	mapi_id_t dest_fid;
	bool move;
};

static enum mapi_error
messages_copy_part(struct mapi_store *store, mapi_id_t fid,
		   const mapi_id_t *mids, unsigned int count, void *context,
		   bool *partial_r)
{
	struct copy_part *part = context;

	return mapi_messages_copy(store, fid, part->dest_fid, mids, count,
				  part->move, partial_r);
}

enum mapi_error
mapi_messages_copy(struct mapi_store *store, mapi_id_t fid, mapi_id_t dest_fid,
		   const mapi_id_t *mids, unsigned int count, bool move,
		   bool *partial_r)
{
	struct mapi_message_list list;
	struct mapi_message_folder *dest_mfolder;
	struct mapi_folder *dest;
	struct copy_part part = { .dest_fid = dest_fid, .move = move };
	enum mapi_error error;

	*partial_r = FALSE;
	if (mapi_folder_is_search(store, dest_fid))
		return EC_SEARCH_FOLDER;
	if (mapi_folder_is_search(store, fid)) {
		return mapi_search_for_each_folder(store, mids, count,
			messages_copy_part, &part, partial_r);
	}
	error = mapi_message_list_open(store, fid, mids, count, move, &list);
	if (error != EC_NONE)
		return error;
	*partial_r = list.missing;
	if (move && fid == dest_fid) {
		if (!messages_all_there(&list))
			*partial_r = TRUE;
		mapi_message_list_close(&list);
		return EC_NONE;
	}
	error = mapi_message_folder_get(store, dest_fid, &dest_mfolder, &dest);
	if (error == EC_NONE) {
		error = messages_copy_list(&list, dest, move, partial_r);
		mapi_message_folder_release(&dest_mfolder);
	}
	mapi_message_list_close(&list);
	return error;
}

/* --- deleting -------------------------------------------------------------- */

static enum mapi_error
delete_box(struct mailbox *box, const ARRAY_TYPE(seq_range) *uids,
	   bool *partial)
{
	struct mailbox_transaction_context *trans;
	struct seq_range_iter iter;
	struct mail *mail;
	unsigned int n = 0;
	uint32_t uid;

	trans = mailbox_transaction_begin(box, 0, "MAPI delete");
	mail = mail_alloc(trans, 0, NULL);
	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (mail_set_uid(mail, uid))
			mail_expunge(mail);
		else
			*partial = TRUE;
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
	return EC_NONE;
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
	struct mapi_message_list list;
	enum mapi_error error;
	unsigned int i;

	*partial_r = FALSE;
	if (mapi_folder_is_search(store, fid)) {
		return mapi_search_for_each_folder(store, mids, count,
			messages_delete_part, NULL, partial_r);
	}
	error = mapi_message_list_open(store, fid, mids, count, TRUE, &list);
	if (error != EC_NONE)
		return error;
	*partial_r = list.missing;
	for (i = 0; i < N_ELEMENTS(list.boxes) && error == EC_NONE; i++) {
		if (list.boxes[i] != NULL)
			error = delete_box(list.boxes[i], &list.uids[i],
					   partial_r);
	}
	mapi_message_list_close(&list);
	return error;
}
