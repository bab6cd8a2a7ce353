/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Copying and moving stored messages. */

#include "lib.h"
#include "array.h"
#include "guid.h"
#include "store-compat.h"
#include "mapi-bags.h"
#include "mapi-dumpster.h"
#include "mapi-enums.h"
#include "mapi-folder-removed.h"
#include "mapi-folder-rights.h"
#include "mapi-mail.h"
#include "mapi-message-list.h"
#include "mapi-message-move.h"
#include "mapi-message-write.h"
#include "mapi-search-folder.h"
#include "mapi-store-private.h"

/* How often a copy is begun anew because a message vanished meanwhile */
#define COPY_ATTEMPTS_MAX 5

/* The ACL plugin asks for rights on what is moved even if it was opened without
   ACLs. The owner has them, and mailbox_move() lets mail be moved that leaves no
   room for a copy. What goes to another user has to fit into that user's quota. */
static int
move_mail(struct mapi_message_transfer *copy,
	  struct mail_save_context **save_ctx, struct mail *mail)
{
	if (!copy->without_acl &&
	    copy->src->storage->user == copy->dest->storage->user)
		return mailbox_move(save_ctx, mail);
	if (mailbox_copy(save_ctx, mail) < 0)
		return -1;
	mail_expunge(mail);
	return 0;
}

/* Whether the copy would get the bag that another message of the destination has, as
   a copy of a copy that comes back does. A dumpster that has one has the same message,
   whose deletion was interrupted. */
static bool
copy_would_share(struct mapi_message_transfer *copy, const char *guid)
{
	guid_128_t guid_128;

	if (copy->deleted_from != NULL)
		return FALSE;
	if (copy->src_bags == copy->dest_bags || copy->new_guids ||
	    mapi_bags_has_creator(copy->creator))
		return TRUE;
	mail_generate_guid_128_hash(guid, guid_128);
	return mapi_bags_have_guid(copy->dest_bags, guid_128);
}

/* As lib-storage copies from one storage to another, but with another GUID */
static int
copy_mail_as(struct mapi_message_transfer *copy,
	     struct mail_save_context **save_ctx, struct mail *mail,
	     const char *guid)
{
	struct istream *input;
	time_t received;

	if (mail_get_stream_because(mail, NULL, NULL, "MAPI copy",
				    &input) < 0 ||
	    mail_get_received_date(mail, &received) < 0)
		return -1;
	mailbox_save_set_received_date(*save_ctx, received, 0);
	mailbox_save_set_guid(*save_ctx, guid);
	if (mapi_mail_save(save_ctx, input) < 0)
		return -1;
	if (copy->move)
		mail_expunge(mail);
	return 0;
}

/* Copies keep their GUIDs, by which their bags are found; but in one mailbox there
   can be only one message to a bag, so that its copy gets another GUID. */
static int
copy_mail(struct mapi_message_transfer *copy,
	  struct mail_save_context **save_ctx, struct mail *mail)
{
	bool has_bag = mapi_bags_has_creator(copy->creator) ||
		mapi_bags_find_uid(copy->src_bags, mail) != 0;
	const char *guid, *new_guid;
	guid_128_t guid_128;

	if (has_bag || (copy->deleted_from == NULL &&
			mapi_bags_exist(copy->dest_bags))) {
		if (mail_get_special(mail, MAIL_FETCH_GUID, &guid) < 0)
			return -1;
		new_guid = guid = t_strdup(guid);
		if (copy_would_share(copy, guid)) {
			guid_128_generate(guid_128);
			new_guid = t_strdup(guid_128_to_string(guid_128));
		}
		if (has_bag) {
			array_push_back(&copy->guids, &guid);
			array_push_back(&copy->guids, &new_guid);
		}
		if (new_guid != guid)
			return copy_mail_as(copy, save_ctx, mail, new_guid);
	}
	return copy->move ? move_mail(copy, save_ctx, mail) :
		mailbox_copy(save_ctx, mail);
}

/* The mail that has just been added to the transaction is its last. What comes from
   another dumpster has been deleted already. */
static int copy_set_deleted(struct mapi_message_transfer *copy,
			    struct mail *mail)
{
	struct mailbox_transaction_context *trans = copy->dest_trans;
	mapi_id_t mid = mapi_folder_mid(copy->deleted_from, copy->associated,
					mail->uid);
	time_t deleted = 0;

	if (copy->deleted_from->deleted &&
	    mapi_dumpster_get_date(mail, &deleted) < 0)
		return -1;
	mapi_dumpster_mail_added(trans,
		mail_index_view_get_messages_count(trans->view),
		MAPI_ID_GLOBCNT(mid), deleted);
	return 0;
}

/* Without an error, the copies will be there when dest_trans is committed, and
   the originals gone when src_trans is. */
static enum mapi_error copy_mails(struct mapi_message_transfer *copy)
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
		ret = copy_mail(copy, &save_ctx, mail);
		if (ret < 0) {
			if (save_ctx != NULL)
				mailbox_save_cancel(&save_ctx);
			error = mail->expunged ? EC_OBJECT_DELETED :
				mapi_error_from_mailbox(copy->dest);
			break;
		}
		mapi_mail_copy_modified(mail, copy->dest_trans);
		if (copy->deleted_from != NULL &&
		    copy_set_deleted(copy, mail) < 0) {
			error = mail->expunged ? EC_OBJECT_DELETED :
				mapi_error_from_mailbox(copy->src);
		}
	}
	mail_free(&mail);
	return error;
}

/* Bags are there before the messages. */
static enum mapi_error copy_bags(struct mapi_message_transfer *copy)
{
	enum mapi_error error = EC_NONE;

	if (array_count(&copy->guids) > 0) {
		array_append_zero(&copy->guids);
		error = mapi_bags_copy(copy->src_bags, copy->dest_bags,
				       array_front(&copy->guids),
				       copy->creator);
		array_pop_back(&copy->guids);
	}
	return error;
}

/* Deletes the bags of the originals or of the copies. It's no failure if that
   isn't possible: they are garbage. */
static void
copy_delete_bags(struct mapi_message_transfer *copy, struct mapi_bags *bags,
		 unsigned int which)
{
	ARRAY_TYPE(const_string) guids;
	unsigned int i;

	if (array_count(&copy->guids) == 0)
		return;
	t_array_init(&guids, array_count(&copy->guids) / 2 + 1);
	for (i = which; i < array_count(&copy->guids); i += 2)
		array_push_back(&guids, array_idx(&copy->guids, i));
	array_append_zero(&guids);
	(void)mapi_bags_delete(bags, array_front(&guids));
}

/* EC_OBJECT_DELETED: nothing has been done since a message vanished. */
static enum mapi_error
copy_once(struct mapi_message_transfer *copy, bool *copied_r)
{
	enum mapi_error error;

	*copied_r = FALSE;
	/* what is deleted needn't fit into the quota: the originals go */
	copy->dest_trans = copy->deleted_from != NULL ?
		store_compat_internal_save_begin(copy->dest, "MAPI delete") :
		mailbox_transaction_begin(copy->dest,
			MAILBOX_TRANSACTION_FLAG_EXTERNAL |
			MAILBOX_TRANSACTION_FLAG_ASSIGN_UIDS,
			copy->move ? "MAPI move" : "MAPI copy");
	copy->src_trans = mailbox_transaction_begin(copy->src,
		MAILBOX_TRANSACTION_FLAG_REFRESH,
		copy->move ? "MAPI move" : "MAPI copy");
	array_clear(&copy->guids);
	error = copy_mails(copy);
	if (error == EC_NONE)
		error = copy_bags(copy);
	if (error != EC_NONE) {
		mailbox_transaction_rollback(&copy->dest_trans);
		mailbox_transaction_rollback(&copy->src_trans);
		return error;
	}
	if (mailbox_transaction_commit(&copy->dest_trans) < 0) {
		error = mapi_error_from_mailbox(copy->dest);
		mailbox_transaction_rollback(&copy->src_trans);
		copy_delete_bags(copy, copy->dest_bags, 1);
		return error;
	}
	*copied_r = TRUE;
	if (mailbox_transaction_commit(&copy->src_trans) < 0 ||
	    (copy->move &&
	     mailbox_sync(copy->src, MAILBOX_SYNC_FLAG_EXPUNGE) < 0))
		return mapi_error_from_mailbox(copy->src);
	if (copy->move)
		copy_delete_bags(copy, copy->src_bags, 0);
	return EC_NONE;
}

/* What a process has left that was killed while it saved (a file of an sdbox that
   isn't in the index yet), the next one who saves stumbles over, and Dovecot mends
   when the mailbox is opened again. */
static bool copy_reopen_dest(struct mapi_message_transfer *copy)
{
	struct mapi_folder *folder = copy->dest_folder;

	if (mailbox_transaction_get_count(copy->dest) > 0 ||
	    mapi_folder_sync(folder) != EC_NONE)
		return FALSE;
	if (!copy->associated)
		copy->dest = folder->box;
	else if (mapi_folder_open_associated(folder, &copy->dest) != EC_NONE)
		return FALSE;
	return copy->dest != NULL;
}

enum mapi_error
mapi_message_transfer_run(struct mapi_message_transfer *copy, bool *partial)
{
	unsigned int i;
	enum mapi_error error = EC_NONE;
	bool copied, reopened = FALSE;

	t_array_init(&copy->guids, 16);
	for (i = 0; i < COPY_ATTEMPTS_MAX; i++) {
		if (error == EC_OBJECT_DELETED) {
			copy->missing = TRUE;
			if (mailbox_sync(copy->src, 0) < 0)
				return mapi_error_from_mailbox(copy->src);
		}
		error = copy_once(copy, &copied);
		if (copied && error != EC_NONE)
			*partial = TRUE;
		if (error == EC_ERROR && !copied && !reopened) {
			reopened = TRUE;
			if (copy_reopen_dest(copy))
				continue;
		}
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

/* The ACL plugin doesn't expunge originals, without an error, for who has no right to.
   It sees to that before only where both mailboxes are of one user and open with
   their ACLs. (FAI messages are read-only then.) */
static enum mapi_error
messages_check_move(const struct mapi_message_list *list)
{
	if (list->boxes[0] == NULL || list->folder->own)
		return EC_NONE;
	return mapi_folder_check_rights(list->folder, RIGHTS_DELETE_ANY);
}

/* Who has created what is copied to dest: the user of its store, as far as that is
   going to be asked for. What is copied or moved within a mailbox by who has the
   rights to all messages stays whose it was; what bags of another mailbox say isn't
   believed. */
static const char *
messages_get_creator(const struct mapi_message_list *list,
		     const struct mapi_folder *dest, bool move)
{
	bool other = list->folder->obj.store != dest->obj.store;

	if ((other || !move) && dest->own)
		return mapi_store_username(dest->obj.store);
	return other ? "" : NULL;
}

static enum mapi_error
messages_copy_list(const struct mapi_message_list *list,
		   struct mapi_folder *dest, bool move, bool *partial)
{
	struct mapi_store *store = list->folder->obj.store;
	const struct mapi_folder_node *node = mapi_folder_node(list->folder);
	struct mapi_message_transfer copy;
	enum mapi_error error;
	unsigned int i;

	if (node == NULL)
		return EC_OBJECT_DELETED;
	if (move) {
		error = messages_check_move(list);
		if (error != EC_NONE)
			return error;
	}
	for (i = 0; i < N_ELEMENTS(list->boxes); i++) {
		if (list->boxes[i] == NULL)
			continue;
		i_zero(&copy);
		copy.src = list->boxes[i];
		copy.dest = dest->box;
		copy.dest_folder = dest;
		copy.associated = i > 0;
		copy.uids = &list->uids[i];
		copy.move = move;
		copy.new_guids = list->folder->deleted && !move;
		copy.without_acl = mapi_store_is_delegate(store) &&
			(i > 0 || list->folder->deleted || list->folder->own ||
			 node->companion);
		if (i == 0)
			copy.creator = messages_get_creator(list, dest, move);
		if (i == 0 && dest->box == NULL)
			return EC_NOT_SUPPORTED;
		if (i > 0) {
			error = mapi_folder_create_associated(dest, &copy.dest);
			if (error != EC_NONE)
				return error;
		}
		if (mailbox_is_readonly(copy.dest))
			return EC_ACCESS_DENIED;
		copy.src_bags = mapi_folder_bags(list->folder, i > 0);
		copy.dest_bags = mapi_folder_bags(dest, i > 0);
		error = mapi_message_transfer_run(&copy, partial);
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
	struct mapi_store *dest_store;
	mapi_id_t dest_fid;
	bool move;
};

static enum mapi_error
messages_copy_part(struct mapi_store *store, mapi_id_t fid,
		   const mapi_id_t *mids, unsigned int count, void *context,
		   bool *partial_r)
{
	struct copy_part *part = context;

	return mapi_messages_copy(store, fid, part->dest_store, part->dest_fid,
				  mids, count, part->move, partial_r);
}

enum mapi_error
mapi_messages_copy(struct mapi_store *store, mapi_id_t fid,
		   struct mapi_store *dest_store, mapi_id_t dest_fid,
		   const mapi_id_t *mids, unsigned int count, bool move,
		   bool *partial_r)
{
	struct mapi_message_list list, deleted;
	struct mapi_message_folder *dest_mfolder;
	struct mapi_folder *dest;
	struct copy_part part = {
		.dest_store = dest_store, .dest_fid = dest_fid, .move = move,
	};
	enum mapi_error error;
	bool any_deleted;

	*partial_r = FALSE;
	if (mapi_folder_is_search(dest_store, dest_fid))
		return EC_SEARCH_FOLDER;
	if (mapi_folder_is_search(store, fid)) {
		return mapi_search_for_each_folder(store, mids, count,
			messages_copy_part, &part, partial_r);
	}
	if (mapi_folder_removed_of_any(store, fid, mids, count)) {
		return mapi_folder_removed_for_each(store, fid, mids, count,
			messages_copy_part, &part, partial_r);
	}
	error = mapi_message_list_open(store, fid, mids, count, move ?
				       MAPI_MESSAGE_USE_DELETE :
				       MAPI_MESSAGE_USE_READ, &list);
	if (error != EC_NONE)
		return error;
	error = mapi_message_list_split_deleted(&list, mids, count, &deleted,
						&any_deleted);
	if (error != EC_NONE) {
		mapi_message_list_close(&list);
		return error;
	}
	mapi_message_list_leave_held(&list);
	*partial_r = list.missing || list.denied ||
		(any_deleted && deleted.missing);
	if (move && store == dest_store && fid == dest_fid) {
		/* but what has been soft deleted isn't */
		if (!messages_all_there(&list))
			*partial_r = TRUE;
		list.boxes[0] = list.boxes[1] = NULL;
	}
	if (any_deleted || list.boxes[0] != NULL || list.boxes[1] != NULL) {
		error = mapi_message_folder_get_new(dest_store, dest_fid,
						    &dest_mfolder, &dest);
		if (error == EC_NONE) {
			error = mapi_folder_is_removed(dest) ?
				EC_OBJECT_DELETED :
				messages_copy_list(&list, dest, move,
						   partial_r);
			if (error == EC_NONE && any_deleted) {
				error = messages_copy_list(&deleted, dest, move,
							   partial_r);
			}
			mapi_message_folder_release(&dest_mfolder);
		}
	}
	if (any_deleted)
		mapi_message_list_close(&deleted);
	mapi_message_list_close(&list);
	return error;
}
