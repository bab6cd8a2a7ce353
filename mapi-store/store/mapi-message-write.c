/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Read state and status of stored messages. */

#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "store-compat.h"
#include "mail-cache.h"
#include "mapi-changes.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-message-list.h"
#include "mapi-message-private.h"
#include "mapi-message-write.h"
#include "mapi-receipt.h"
#include "mapi-search-folder.h"

#define KEYWORD_STATUS "$MapiStatus"
#define STATUS_BITS 32

/* A message that is changed in a transaction */
struct change {
	uint32_t seq;
	uint64_t content;
	bool flags, keywords;
};

struct read_transaction {
	const struct mapi_read_change *change;
	struct mailbox *box;
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	struct mail_keywords *mdn_sent;
	struct mapi_changes contents;
	ARRAY(struct change) changes;
	/* receipts can be sent, and these messages want one */
	bool send_receipts;
	ARRAY_TYPE(seq_range) receipts;
	/* the header of the cache that says so, UINT_MAX if it isn't there,
	   and a message's */
	unsigned int receipt_field;
	buffer_t *receipt_to;
	/* messages that weren't there or couldn't be changed */
	bool failures;
};

enum mapi_error
mapi_read_change_parse(uint8_t read_flags, struct mapi_read_change *change_r)
{
	bool suppress = (read_flags & READ_FLAG_SUPPRESS_RECEIPT) != 0;
	bool generate = (read_flags & READ_FLAG_GENERATE_RECEIPT_ONLY) != 0;

	i_zero(change_r);
	change_r->cancel_receipt =
		(read_flags & READ_FLAG_CLEAR_NOTIFY_READ) != 0;
	if ((read_flags & READ_FLAG_CLEAR_READ_FLAG) != 0) {
		/* rfSuppressReceipt always comes with it: nothing is sent, but
		   what is pending remains so */
		if (generate)
			return EC_INVALID_PARAM;
		change_r->clear_read = TRUE;
	} else if (generate) {
		/* [MS-OXCMSG] doesn't say what both mean;
		   IMessage::SetReadFlag does: cancel */
		if (suppress)
			change_r->cancel_receipt = TRUE;
		else
			change_r->send_receipt = !change_r->cancel_receipt;
	} else if (suppress) {
		change_r->set_read = TRUE;
		change_r->cancel_receipt = TRUE;
	} else {
		/* mfNotifyUnread is never set */
		change_r->set_read =
			(read_flags & (READ_FLAG_CLEAR_NOTIFY_READ |
				       READ_FLAG_CLEAR_NOTIFY_UNREAD)) == 0;
	}
	return EC_NONE;
}

/* --- read state ------------------------------------------------------------ */

/* Nobody wants receipts of most messages. The cache knows of thousands of them
   what would take longer than all else if each had a struct mail look. */
static bool read_receipt_ruled_out(struct read_transaction *rt, uint32_t seq)
{
	buffer_set_used_size(rt->receipt_to, 0);
	return rt->receipt_field != UINT_MAX &&
		mail_cache_lookup_field(rt->trans->cache_view, rt->receipt_to,
					seq, rt->receipt_field) > 0 &&
		rt->receipt_to->used == 0;
}

/* 1 if a receipt is pending or, with only_cache, may be; 0 if not */
static int read_receipt_pending(struct read_transaction *rt, bool only_cache)
{
	struct mail *mail = rt->mail;
	const char *value;
	int ret;

	if (read_receipt_ruled_out(rt, mail->seq) ||
	    str_array_icase_find(mail_get_keywords(mail), MAPI_KEYWORD_MDN_SENT))
		return 0;
	if (only_cache)
		mail->lookup_abort = MAIL_LOOKUP_ABORT_NOT_IN_CACHE;
	ret = mail_get_first_header(mail, MAPI_RECEIPT_HEADER, &value);
	mail->lookup_abort = MAIL_LOOKUP_ABORT_NEVER;
	if (ret < 0 && only_cache &&
	    mailbox_get_last_mail_error(mail->box) == MAIL_ERROR_LOOKUP_ABORTED)
		return 1;
	return ret;
}

/* The index knows which messages have to be changed: only these are worth a
   struct mail. */
static void read_change_mail(struct read_transaction *rt, uint32_t seq)
{
	const struct mapi_read_change *change = rt->change;
	struct change rec = { .seq = seq };
	bool seen;

	seen = (mail_index_lookup(rt->trans->view, seq)->flags & MAIL_SEEN) != 0;
	rec.flags = change->set_read ? !seen : change->clear_read && seen;
	if (!rec.flags && !change->cancel_receipt && !change->send_receipt)
		return;
	mail_set_seq(rt->mail, seq);
	if (rec.flags) {
		mail_update_flags(rt->mail, change->set_read ?
				  MODIFY_ADD : MODIFY_REMOVE, MAIL_SEEN);
	}
	if (change->cancel_receipt &&
	    read_receipt_pending(rt, TRUE) != 0) {
		mail_update_keywords(rt->mail, MODIFY_ADD, rt->mdn_sent);
		rec.keywords = TRUE;
	}
	if ((change->send_receipt ||
	     (rec.flags && change->set_read && !change->cancel_receipt &&
	      rt->send_receipts)) &&
	    read_receipt_pending(rt, FALSE) != 0)
		seq_range_array_add(&rt->receipts, rt->mail->uid);
	if (!rec.flags && !rec.keywords)
		return;
	rec.content = mapi_changes_content(&rt->contents, seq);
	array_push_back(&rt->changes, &rec);
}

static void read_keep_content(struct read_transaction *rt)
{
	const struct change *change;
	unsigned int flags = 0;

	array_foreach(&rt->changes, change) {
		if (change->flags)
			flags = 1;
	}
	array_foreach(&rt->changes, change) {
		mapi_changes_keep_content(&rt->contents, change->seq,
			change->content, change->keywords ? flags + 1 : flags);
	}
}

/* Rights that the user doesn't have show only in the result. */
static void
read_verify(struct read_transaction *rt, const ARRAY_TYPE(seq_range) *uids)
{
	const struct mapi_read_change *change = rt->change;
	const struct seq_range *range;
	uint32_t seq, seq2;
	bool seen;

	if (!change->set_read && !change->clear_read)
		return;
	array_foreach(uids, range) {
		mailbox_get_seq_range(rt->box, range->seq1, range->seq2,
				      &seq, &seq2);
		for (; seq != 0 && seq <= seq2; seq++) {
			seen = (mail_index_lookup(rt->box->view, seq)->flags &
				MAIL_SEEN) != 0;
			if (seen != change->set_read)
				rt->failures = TRUE;
		}
	}
}

static enum mapi_error
read_change_box(struct read_transaction *rt, const ARRAY_TYPE(seq_range) *uids)
{
	const struct seq_range *range;
	uint32_t seq, seq2;
	enum mapi_error error = EC_NONE;

	rt->trans = mailbox_transaction_begin(rt->box, 0, "MAPI read state");
	mapi_changes_init(&rt->contents, rt->trans);
	rt->mail = mail_alloc(rt->trans, MAIL_FETCH_FLAGS, NULL);
	rt->receipt_field = mail_cache_register_lookup(rt->box->cache,
						       "hdr."MAPI_RECEIPT_HEADER);
	array_foreach(uids, range) {
		mailbox_get_seq_range(rt->box, range->seq1, range->seq2,
				      &seq, &seq2);
		if (seq == 0 || seq2 - seq != range->seq2 - range->seq1)
			rt->failures = TRUE;
		for (; seq != 0 && seq <= seq2; seq++)
			read_change_mail(rt, seq);
	}
	mail_free(&rt->mail);
	read_keep_content(rt);
	if (mailbox_transaction_commit(&rt->trans) < 0 ||
	    mailbox_sync(rt->box, 0) < 0)
		error = mapi_error_from_mailbox(rt->box);
	else
		read_verify(rt, uids);
	return error;
}

/* The messages have been marked as read. */
static void
read_send_receipts(struct read_transaction *rt, struct mapi_store *store)
{
	unsigned int wanted = seq_range_count(&rt->receipts);
	struct mapi_receipts *receipts;

	if (wanted == 0)
		return;
	receipts = mapi_receipts_claim(store, rt->box, &rt->receipts,
				       rt->change->send_receipt ?
				       MAPI_RECEIPT_ASKED : MAPI_RECEIPT_READ);
	if (mapi_receipts_send(&receipts) < wanted && rt->change->send_receipt)
		rt->failures = TRUE;
}

static enum mapi_error
messages_set_read_box(struct mapi_store *store, struct mailbox *box,
		      const ARRAY_TYPE(seq_range) *uids,
		      const struct mapi_read_change *change, bool *partial)
{
	static const char *const keywords[] = { MAPI_KEYWORD_MDN_SENT, NULL };
	struct read_transaction rt = {
		.change = change,
		.box = box,
		.send_receipts = mapi_receipts_are_sent(store),
	};
	enum mapi_error error;

	if (change->cancel_receipt &&
	    mailbox_keywords_create(box, keywords, &rt.mdn_sent) < 0)
		return mapi_error_from_mailbox(box);
	i_array_init(&rt.changes, 64);
	i_array_init(&rt.receipts, 4);
	rt.receipt_to = buffer_create_dynamic(default_pool, 64);
	error = read_change_box(&rt, uids);
	if (error == EC_NONE)
		read_send_receipts(&rt, store);
	buffer_free(&rt.receipt_to);
	array_free(&rt.receipts);
	array_free(&rt.changes);
	if (rt.mdn_sent != NULL)
		mailbox_keywords_unref(&rt.mdn_sent);
	if (rt.failures)
		*partial = TRUE;
	return error;
}

static enum mapi_error
messages_set_read_part(struct mapi_store *store, mapi_id_t fid,
		       const mapi_id_t *mids, unsigned int count,
		       void *context, bool *partial_r)
{
	return mapi_messages_set_read(store, fid, mids, count, context,
				      partial_r);
}

enum mapi_error
mapi_messages_set_read(struct mapi_store *store, mapi_id_t fid,
		       const mapi_id_t *mids, unsigned int count,
		       const struct mapi_read_change *change, bool *partial_r)
{
	struct mapi_message_list list;
	struct mapi_read_change copy = *change;
	enum mapi_error error;
	unsigned int i;

	if (mapi_folder_is_search(store, fid)) {
		return mapi_search_for_each_folder(store, mids, count,
			messages_set_read_part, &copy, partial_r);
	}
	*partial_r = FALSE;
	error = mapi_message_list_open(store, fid, mids, count,
				       MAPI_MESSAGE_USE_SET_READ, &list);
	if (error != EC_NONE)
		return error;
	*partial_r = list.missing || list.denied;
	for (i = 0; i < N_ELEMENTS(list.boxes) && error == EC_NONE; i++) {
		if (list.boxes[i] == NULL)
			continue;
		error = messages_set_read_box(store, list.boxes[i],
					      &list.uids[i], change, partial_r);
	}
	mapi_message_list_close(&list);
	return error;
}

enum mapi_error
mapi_message_set_read(struct mapi_message *msg,
		      const struct mapi_read_change *change)
{
	struct mapi_message_view *view = msg->priv->content->view;
	enum mapi_error error;
	uint32_t status;
	bool partial;

	if (msg->mid == 0) {
		/* It has been read, and no receipt is pending. */
		return change->clear_read ? EC_NOT_SUPPORTED : EC_NONE;
	}
	error = mapi_messages_set_read(msg->obj.store, msg->fid, &msg->mid, 1,
				       change, &partial);
	if (error != EC_NONE)
		return error;
	if (partial && change->send_receipt) {
		return mapi_receipts_are_sent(msg->obj.store) ?
			EC_NETWORK_ERROR : EC_NOT_SUPPORTED;
	}
	if (partial) {
		error = mapi_message_get_status(msg->obj.store, msg->fid,
						msg->mid, &status);
		return error == EC_NOT_FOUND ? EC_OBJECT_DELETED :
			error != EC_NONE ? error : EC_ACCESS_DENIED;
	}
	if (change->set_read || change->clear_read) {
		view->read_changed = TRUE;
		view->read = change->set_read;
	}
	if (change->cancel_receipt)
		view->receipt_cancelled = TRUE;
	return EC_NONE;
}

/* --- status ------------------------------------------------------------------ */

static bool status_keyword_parse(const char *keyword, uint32_t *bit_r)
{
	const char *suffix;
	unsigned int num;

	if (strncasecmp(keyword, KEYWORD_STATUS, strlen(KEYWORD_STATUS)) != 0)
		return FALSE;
	suffix = keyword + strlen(KEYWORD_STATUS);
	if (str_to_uint(suffix, &num) < 0 || num >= STATUS_BITS)
		return FALSE;
	*bit_r = 1U << num;
	return TRUE;
}

uint32_t mapi_message_keywords_status(const char *const *keywords)
{
	uint32_t bit, status = 0;

	for (; *keywords != NULL; keywords++) {
		if (status_keyword_parse(*keywords, &bit))
			status |= bit;
	}
	return status;
}

/* Returns how many keywords there are. */
static int
status_update_keywords(struct mail *mail, enum modify_type type, uint32_t bits)
{
	struct mail_keywords *keywords;
	ARRAY_TYPE(const_string) names;
	unsigned int i, count;
	const char *name;

	if (bits == 0)
		return 0;
	t_array_init(&names, STATUS_BITS);
	for (i = 0; i < STATUS_BITS; i++) {
		if ((bits & (1U << i)) != 0) {
			name = t_strdup_printf(KEYWORD_STATUS"%u", i);
			array_push_back(&names, &name);
		}
	}
	count = array_count(&names);
	array_append_zero(&names);
	if (mailbox_keywords_create(mail->box, array_front(&names),
				    &keywords) < 0)
		return -1;
	mail_update_keywords(mail, type, keywords);
	mailbox_keywords_unref(&keywords);
	return count;
}

static enum mapi_error
status_update(struct mail *mail, uint32_t old_status, uint32_t new_status)
{
	struct mapi_changes contents;
	uint64_t content;
	int added, removed;

	mapi_changes_init(&contents, mail->transaction);
	content = mapi_changes_content(&contents, mail->seq);
	added = status_update_keywords(mail, MODIFY_ADD,
				       new_status & ~old_status);
	if (added < 0)
		return mapi_error_from_mailbox(mail->box);
	removed = status_update_keywords(mail, MODIFY_REMOVE,
					 old_status & ~new_status);
	if (removed < 0)
		return mapi_error_from_mailbox(mail->box);
	if (added + removed > 0) {
		mapi_changes_keep_content(&contents, mail->seq, content,
					  added + removed);
	}
	return EC_NONE;
}

static enum mapi_error
message_status_box(struct mailbox *box, uint32_t uid, uint32_t status,
		   uint32_t mask, uint32_t *old_r)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	enum mapi_error error = EC_NOT_FOUND;

	trans = mailbox_transaction_begin(box, 0, "MAPI message status");
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	if (mail_set_uid(mail, uid)) T_BEGIN {
		*old_r = mapi_message_keywords_status(mail_get_keywords(mail));
		error = status_update(mail, *old_r,
				      (*old_r & ~mask) | (status & mask));
	} T_END;
	mail_free(&mail);
	if (error != EC_NONE) {
		mailbox_transaction_rollback(&trans);
		return error;
	}
	if (mailbox_transaction_commit(&trans) < 0 ||
	    (mask != 0 && mailbox_sync(box, 0) < 0))
		return mapi_error_from_mailbox(box);
	return EC_NONE;
}

enum mapi_error
mapi_message_set_status(struct mapi_store *store, mapi_id_t fid, mapi_id_t mid,
			uint32_t status, uint32_t mask, uint32_t *old_r)
{
	struct mapi_message_list list;
	const struct seq_range *range;
	enum mapi_error error;
	unsigned int i;

	mask &= ~MSGSTATUS_IN_CONFLICT;
	fid = mapi_search_real_folder(store, fid, mid);
	if (fid == 0)
		return EC_NOT_FOUND;
	error = mapi_message_list_open(store, fid, &mid, 1, mask == 0 ?
				       MAPI_MESSAGE_USE_READ :
				       MAPI_MESSAGE_USE_EDIT, &list);
	if (error != EC_NONE)
		return error;
	/* lib-storage would leave it without an error */
	if (mask != 0 && !list.folder->own) {
		error = mapi_folder_check_rights(list.folder, RIGHTS_EDIT_ANY);
		if (error != EC_NONE) {
			mapi_message_list_close(&list);
			return error;
		}
	}
	error = EC_NOT_FOUND;
	for (i = 0; i < N_ELEMENTS(list.boxes); i++) {
		if (list.boxes[i] == NULL)
			continue;
		range = array_front(&list.uids[i]);
		error = message_status_box(list.boxes[i], range->seq1, status,
					   mask, old_r);
	}
	mapi_message_list_close(&list);
	return error;
}

enum mapi_error
mapi_message_get_status(struct mapi_store *store, mapi_id_t fid, mapi_id_t mid,
			uint32_t *status_r)
{
	return mapi_message_set_status(store, fid, mid, 0, 0, status_r);
}
