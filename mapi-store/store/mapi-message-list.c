/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "sort.h"
#include "store-compat.h"
#include "mapi-dumpster.h"
#include "mapi-message-list.h"
#include "mapi-submit.h"

ARRAY_DEFINE_TYPE(message_uids, uint32_t);

static int uid_cmp(const uint32_t *uid1, const uint32_t *uid2)
{
	return *uid1 < *uid2 ? -1 : *uid1 > *uid2 ? 1 : 0;
}

/* Adding them in order takes no time, and in order they are mostly. */
static void
message_list_set_uids(struct mapi_message_list *list, unsigned int part,
		      ARRAY_TYPE(message_uids) *uids)
{
	const uint32_t *uid;
	unsigned int i, first, count;

	uid = array_get(uids, &count);
	for (i = 1; i < count && uid[i - 1] < uid[i]; i++) ;
	if (i < count) {
		array_sort(uids, uid_cmp);
		uid = array_front(uids);
	}
	for (i = 0; i < count; ) {
		first = i++;
		while (i < count && uid[i] - uid[i - 1] <= 1)
			i++;
		seq_range_array_add_range(&list->uids[part], uid[first],
					  uid[i - 1]);
	}
}

static enum mapi_error
message_list_fill(struct mapi_message_list *list, const mapi_id_t *mids,
		  unsigned int count)
{
	struct mapi_folder *folder = list->folder;
	struct mailbox *fai_box = NULL;
	ARRAY_TYPE(message_uids) uids[2];
	enum mapi_error error;
	bool associated, fai_asked = FALSE;
	unsigned int i;
	uint32_t uid;

	for (i = 0; i < N_ELEMENTS(uids); i++)
		t_array_init(&uids[i], I_MIN(count, 1024));
	for (i = 0; i < count; i++) {
		/* Looks for a mailbox of FAI messages only once. */
		if (folder->box == NULL ||
		    !mapi_folder_has_normal_mid(folder, mids[i])) {
			if (!fai_asked) {
				error = mapi_folder_open_associated(folder,
								    &fai_box);
				if (error != EC_NONE)
					return error;
				fai_asked = TRUE;
			}
			if (fai_box == NULL) {
				list->missing = TRUE;
				continue;
			}
		}
		error = mapi_folder_mid_to_uid(folder, mids[i], &associated,
					       &uid);
		if (error == EC_NOT_FOUND) {
			list->missing = TRUE;
			continue;
		}
		if (error != EC_NONE)
			return error;
		list->boxes[associated ? 1 : 0] =
			associated ? fai_box : folder->box;
		array_push_back(&uids[associated ? 1 : 0], &uid);
	}
	for (i = 0; i < N_ELEMENTS(uids); i++)
		message_list_set_uids(list, i, &uids[i]);
	return EC_NONE;
}

static void
message_list_add_existing(ARRAY_TYPE(seq_range) *uids, struct mailbox *box,
			  uint32_t first_uid, uint32_t last_uid)
{
	uint32_t seq, seq1, seq2, uid;

	mailbox_get_seq_range(box, first_uid, last_uid, &seq1, &seq2);
	for (seq = seq1; seq != 0 && seq <= seq2; seq++) {
		mail_index_lookup_uid(box->view, seq, &uid);
		seq_range_array_add(uids, uid);
	}
}

static bool message_list_is_empty(const struct mapi_message_list *list)
{
	return array_count(&list->uids[0]) == 0 &&
		array_count(&list->uids[1]) == 0;
}

/* Takes messages out of the list that exist and that others have created. */
static enum mapi_error
message_list_keep_own(struct mapi_message_list *list)
{
	struct mailbox_transaction_context *trans;
	ARRAY_TYPE(seq_range) others;
	struct seq_range_iter iter;
	struct mail *mail;
	unsigned int n = 0;
	uint32_t uid;

	if (list->boxes[0] == NULL)
		return EC_NONE;
	t_array_init(&others, 16);
	trans = mailbox_transaction_begin(list->boxes[0], 0, "MAPI own");
	mail = mail_alloc(trans, MAIL_FETCH_GUID, NULL);
	seq_range_array_iter_init(&iter, &list->uids[0]);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (mail_set_uid(mail, uid) &&
		    !mapi_mail_is_own(list->folder, mail))
			seq_range_array_add(&others, uid);
	}
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	if (array_count(&others) == 0)
		return EC_NONE;
	list->denied = TRUE;
	seq_range_array_remove_seq_range(&list->uids[0], &others);
	return message_list_is_empty(list) ? EC_ACCESS_DENIED : EC_NONE;
}

/* mfolder and folder are set. */
static enum mapi_error
message_list_init(struct mapi_message_list *list, const mapi_id_t *mids,
		  unsigned int count, bool write)
{
	enum mapi_error error;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(list->uids); i++)
		i_array_init(&list->uids[i], 16);
	T_BEGIN {
		error = message_list_fill(list, mids, count);
	} T_END;
	for (i = 0; i < N_ELEMENTS(list->boxes) && error == EC_NONE; i++) {
		if (write && list->boxes[i] != NULL &&
		    mailbox_is_readonly(list->boxes[i]))
			error = EC_ACCESS_DENIED;
	}
	if (error == EC_NONE && list->folder->own) T_BEGIN {
		error = message_list_keep_own(list);
	} T_END;
	if (error != EC_NONE)
		mapi_message_list_close(list);
	return error;
}

static enum mapi_error
message_list_open(struct mapi_store *store, mapi_id_t fid,
		  const mapi_id_t *mids, unsigned int count,
		  bool own, bool write, struct mapi_message_list *list_r)
{
	enum mapi_error error;

	i_zero(list_r);
	error = own ?
		mapi_message_folder_get_own(store, fid, FALSE,
					    &list_r->mfolder, &list_r->folder) :
		mapi_message_folder_get(store, fid, &list_r->mfolder,
					&list_r->folder);
	return error != EC_NONE ? error :
		message_list_init(list_r, mids, count, write);
}

enum mapi_error
mapi_message_list_open(struct mapi_store *store, mapi_id_t fid,
		       const mapi_id_t *mids, unsigned int count,
		       enum mapi_message_use use,
		       struct mapi_message_list *list_r)
{
	return message_list_open(store, fid, mids, count,
				 mapi_folder_is_for_own(store, fid, use),
				 use != MAPI_MESSAGE_USE_READ, list_r);
}

/* Returns how many there are. */
static unsigned int
message_list_add_slice(ARRAY_TYPE(seq_range) *uids, struct mailbox *box,
		       struct mapi_message_slice *slice, unsigned int max)
{
	const struct mail_index_header *hdr = mail_index_get_header(box->view);
	uint32_t seq1 = 0, seq2 = 0, last_uid = slice->last_uid;

	if (slice->next_uid == 0) {
		slice->uid_validity = hdr->uid_validity;
		slice->next_uid = 1;
		last_uid = slice->last_uid = hdr->next_uid - 1;
	} else if (slice->uid_validity != hdr->uid_validity) {
		/* other messages than there were */
		slice->next_uid = slice->last_uid + 1;
	}
	if (slice->next_uid <= last_uid) {
		mailbox_get_seq_range(box, slice->next_uid, last_uid,
				      &seq1, &seq2);
	}
	if (seq1 != 0 && seq2 - seq1 >= max) {
		seq2 = seq1 + max - 1;
		mail_index_lookup_uid(box->view, seq2, &last_uid);
	}
	if (seq1 != 0) {
		message_list_add_existing(uids, box, slice->next_uid,
					  last_uid);
	}
	slice->next_uid = last_uid + 1;
	return seq1 == 0 ? 0 : seq2 - seq1 + 1;
}

enum mapi_error
mapi_message_list_open_slice(struct mapi_store *store, mapi_id_t fid,
			     bool associated, struct mapi_message_slice *slice,
			     unsigned int max, struct mapi_message_list *list_r,
			     unsigned int *count_r)
{
	unsigned int which = associated ? 1 : 0;
	struct mailbox *box;
	enum mapi_error error;

	error = message_list_open(store, fid, NULL, 0, FALSE, FALSE, list_r);
	if (error != EC_NONE)
		return error;
	box = list_r->folder->box;
	if (associated)
		error = mapi_folder_open_associated(list_r->folder, &box);
	if (error == EC_NONE && box != NULL && mailbox_is_readonly(box))
		error = EC_ACCESS_DENIED;
	if (error != EC_NONE) {
		mapi_message_list_close(list_r);
		return error;
	}
	list_r->boxes[which] = box;
	*count_r = 0;
	if (box == NULL) {
		/* there is none */
		slice->next_uid = slice->last_uid + 1;
	} else {
		*count_r = message_list_add_slice(&list_r->uids[which], box,
						  slice, max);
	}
	return EC_NONE;
}

void mapi_message_list_leave_held(struct mapi_message_list *list)
{
	struct mailbox *box = list->boxes[0];
	ARRAY_TYPE(keyword_indexes) keywords;
	ARRAY_TYPE(seq_range) held;
	const struct seq_range *range;
	unsigned int i, held_idx;
	uint32_t seq, seq1, seq2, uid;

	if (box == NULL || list->folder->deleted ||
	    list->folder->fid != mapi_store_special_fid(
			list->folder->obj.store, MAPI_SPECIAL_OUTBOX) ||
	    !mail_index_keyword_lookup(box->index, MAPI_KEYWORD_HELD,
				       &held_idx))
		return;
	t_array_init(&keywords, 16);
	t_array_init(&held, 16);
	array_foreach(&list->uids[0], range) {
		mailbox_get_seq_range(box, range->seq1, range->seq2, &seq1,
				      &seq2);
		for (seq = seq1; seq != 0 && seq <= seq2; seq++) {
			mail_index_lookup_keywords(box->view, seq, &keywords);
			for (i = 0; i < array_count(&keywords); i++) {
				if (*array_idx(&keywords, i) != held_idx)
					continue;
				mail_index_lookup_uid(box->view, seq, &uid);
				seq_range_array_add(&held, uid);
			}
		}
	}
	if (array_count(&held) > 0) {
		(void)seq_range_array_remove_seq_range(&list->uids[0], &held);
		list->missing = TRUE;
	}
}

void mapi_message_list_close(struct mapi_message_list *list)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(list->uids); i++)
		array_free(&list->uids[i]);
	mapi_message_folder_release(&list->mfolder);
}

/* --- those that have been soft deleted -------------------------------------- */

/* Whether it's a message of the list that exists */
static bool
message_list_has(struct mapi_message_list *list, mapi_id_t mid)
{
	struct mailbox *box;
	bool associated;
	uint32_t uid, seq;

	if (mapi_folder_mid_to_uid(list->folder, mid, &associated,
				   &uid) != EC_NONE)
		return FALSE;
	box = list->boxes[associated ? 1 : 0];
	return box != NULL && mail_index_lookup_seq(box->view, uid, &seq);
}

/* Leaves those that exist. */
static void message_list_drop_absent(struct mapi_message_list *list)
{
	ARRAY_TYPE(seq_range) existing;
	const struct seq_range *range;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(list->boxes); i++) {
		if (list->boxes[i] == NULL)
			continue;
		t_array_init(&existing, 16);
		array_foreach(&list->uids[i], range) {
			message_list_add_existing(&existing, list->boxes[i],
						  range->seq1, range->seq2);
		}
		array_clear(&list->uids[i]);
		array_append_array(&list->uids[i], &existing);
		if (array_count(&list->uids[i]) == 0)
			list->boxes[i] = NULL;
	}
	list->missing = FALSE;
}

static enum mapi_error
message_list_split_deleted(struct mapi_message_list *list,
			   const mapi_id_t *mids, unsigned int count,
			   struct mapi_message_list *deleted_r, bool *any_r)
{
	struct mapi_store *store = list->folder->obj.store;
	mapi_id_t fid = list->folder->fid;
	ARRAY(mapi_id_t) absent;
	enum mapi_error error;
	unsigned int i;

	t_array_init(&absent, 16);
	for (i = 0; i < count; i++) {
		if (!message_list_has(list, mids[i]))
			array_push_back(&absent, &mids[i]);
	}
	if (array_count(&absent) == 0)
		return EC_NONE;
	i_zero(deleted_r);
	error = mapi_message_folder_get_deleted(store, fid, &deleted_r->mfolder,
						&deleted_r->folder);
	if (error == EC_NONE) {
		error = message_list_init(deleted_r, array_front(&absent),
					  array_count(&absent), TRUE);
	}
	if (error != EC_NONE)
		return error;
	message_list_drop_absent(list);
	*any_r = TRUE;
	return EC_NONE;
}

enum mapi_error
mapi_message_list_split_deleted(struct mapi_message_list *list,
				const mapi_id_t *mids, unsigned int count,
				struct mapi_message_list *deleted_r,
				bool *any_r)
{
	struct mapi_store *store = list->folder->obj.store;
	enum mapi_error error;

	*any_r = FALSE;
	if (!mapi_dumpster_exists(store, list->folder->fid, FALSE) &&
	    !mapi_dumpster_exists(store, list->folder->fid, TRUE))
		return EC_NONE;
	T_BEGIN {
		error = message_list_split_deleted(list, mids, count, deleted_r,
						   any_r);
	} T_END;
	return error;
}

bool mapi_message_list_any_left(struct mailbox *box,
				const ARRAY_TYPE(seq_range) *uids)
{
	const struct seq_range *range;
	uint32_t seq1, seq2;

	array_foreach(uids, range) {
		mailbox_get_seq_range(box, range->seq1, range->seq2,
				      &seq1, &seq2);
		if (seq1 != 0)
			return TRUE;
	}
	return FALSE;
}
