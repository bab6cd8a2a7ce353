/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "file-lock.h"
#include "ioloop.h"
#include "istream.h"
#include "message-date.h"
#include "smtp-address.h"
#include "str.h"
#include "store-compat.h"
#include "mapi-changes.h"
#include "mapi-enums.h"
#include "mapi-mail.h"
#include "mapi-message-list.h"
#include "mapi-message-private.h"
#include "mapi-message-write.h"
#include "mapi-props.h"
#include "mapi-receipt.h"
#include "mapi-report.h"
#include "mapi-search-folder.h"
#include "mapi-store-directory.h"
#include "mapi-store-private.h"
#include "mapi-transport.h"
#include "mime-address.h"

#define LOCK_NAME "dovecot.mapi-receipt.lock"
#define LOCK_WAIT_SECS 10

#define RECEIPTS_MAX 100
#define RECEIPT_ADDRESSES_MAX 10

/* A notification that is to be sent */
struct receipt {
	uint32_t uid;
	struct mapi_content *content;
	/* on the pool */
	const struct smtp_address **rcpts;
	unsigned int rcpt_count;
};

struct mapi_receipts {
	struct mapi_store *store;
	/* of the messages; open as long as this */
	struct mailbox *box;
	enum mapi_receipt_reason reason;
	pool_t pool;
	ARRAY(struct receipt) receipts;
};

bool mapi_receipts_are_sent(struct mapi_store *store)
{
	return store->set->receipts != MAPI_RECEIPTS_NONE &&
		mapi_transport_is_configured(store);
}

/* --- to whom ------------------------------------------------------------------ */

/* "" if there's none */
static const char *t_header(struct mail *mail, const char *name)
{
	const char *value;

	return mail_get_first_header_utf8(mail, name, &value) <= 0 ? "" :
		t_strdup(value);
}

/* The one address in the field; "" if there's none or several. */
static const char *t_single_address(const char *value)
{
	ARRAY_TYPE(mime_address) addresses;
	const struct mime_address *address;
	TALLOC_CTX *tmp = talloc_new(NULL);
	const char *result = "";

	t_array_init(&addresses, 2);
	mime_addresses_parse(tmp, value, 2, &addresses);
	if (array_count(&addresses) == 1) {
		address = array_front(&addresses);
		result = t_strdup(address->address);
	}
	talloc_free(tmp);
	return result;
}

/* [RFC8098] 2.1, 2.2 */
static bool
receipt_is_allowed(const struct mapi_receipts *receipts, struct mail *mail,
		   const char *receipt_to)
{
	const char *return_path = t_header(mail, "Return-Path");

	if (strcmp(return_path, "<>") == 0 ||
	    str_begins(t_str_lcase(t_header(mail, "Content-Type")),
		       "multipart/report") ||
	    strstr(t_str_lcase(t_header(mail, "Disposition-Notification-Options")),
		   "required") != NULL)
		return FALSE;
	if (receipts->reason == MAPI_RECEIPT_ASKED ||
	    receipts->store->set->receipts == MAPI_RECEIPTS_ALL)
		return TRUE;
	return *return_path != '\0' &&
		strcasecmp(t_single_address(return_path),
			   t_single_address(receipt_to)) == 0;
}

static bool
receipt_add_recipients(struct mapi_receipts *receipts, struct receipt *receipt,
		       const char *receipt_to)
{
	ARRAY_TYPE(mime_address) addresses;
	const struct mime_address *address;
	struct smtp_address *rcpt;
	const char *error;

	t_array_init(&addresses, RECEIPT_ADDRESSES_MAX);
	mime_addresses_parse(receipt->content, receipt_to,
			     RECEIPT_ADDRESSES_MAX, &addresses);
	receipt->rcpts = p_new(receipts->pool, const struct smtp_address *,
			       RECEIPT_ADDRESSES_MAX);
	array_foreach(&addresses, address) {
		if (smtp_address_parse_mailbox(receipts->pool, address->address,
					       0, &rcpt, &error) < 0 ||
		    mapi_store_is_owner_address(receipts->store,
						address->address))
			continue;
		receipt->rcpts[receipt->rcpt_count++] = rcpt;
		(void)mapi_report_add_recipient(receipt->content,
						address->address,
						address->name);
	}
	return receipt->rcpt_count > 0;
}

/* --- what --------------------------------------------------------------------- */

static const char *
t_receipt_text(const struct mapi_receipts *receipts, struct mail *mail)
{
	string_t *text = t_str_new(256);

	str_append(text, "Your message\r\n\r\n");
	str_printfa(text, "    To:      %s\r\n",
		    receipts->store->set->email_address);
	str_printfa(text, "    Subject: %s\r\n", t_header(mail, "Subject"));
	str_printfa(text, "    Sent:    %s\r\n\r\n", t_header(mail, "Date"));
	str_printfa(text, "was %s on %s.\r\n",
		    receipts->reason == MAPI_RECEIPT_DELETED ?
		    "deleted without being read" : "read",
		    message_date_create(ioloop_time));
	return str_c(text);
}

static void
receipt_set_props(const struct mapi_receipts *receipts,
		  struct mapi_content *content, struct mail *mail)
{
	const struct mapi_store_settings *set = receipts->store->set;
	bool deleted = receipts->reason == MAPI_RECEIPT_DELETED;

	mapi_report_init(content, receipts->store, deleted ?
			 "REPORT.IPM.Note.IPNNRN" : "REPORT.IPM.Note.IPNRN",
			 deleted ? "Not read: " : "Read: ",
			 t_header(mail, "Subject"),
			 t_header(mail, "Message-ID"));
	mapi_content_set_str(content, PIDTAG_BODY,
			     t_receipt_text(receipts, mail));
	mapi_report_set_sender(content, *set->display_name != '\0' ?
			       set->display_name : set->email_address,
			       set->email_address);
	mapi_content_set_str(content, PIDTAG_REPORT_DISPOSITION_MODE,
			     receipts->reason == MAPI_RECEIPT_ASKED ?
			     "manual-action/MDN-sent-manually" :
			     "manual-action/MDN-sent-automatically");
}

/* --- claiming ----------------------------------------------------------------- */

static void receipts_free(struct mapi_receipts **_receipts)
{
	struct mapi_receipts *receipts = *_receipts;
	struct receipt *receipt;

	*_receipts = NULL;
	array_foreach_modifiable(&receipts->receipts, receipt)
		talloc_free(receipt->content);
	array_free(&receipts->receipts);
	pool_unref(&receipts->pool);
}

static void receipts_add(struct mapi_receipts *receipts, struct mail *mail)
{
	struct receipt receipt = { .uid = mail->uid };
	enum mail_flags flags = mail_get_flags(mail);
	const char *receipt_to;

	if ((flags & MAIL_DRAFT) != 0 ||
	    (receipts->reason == MAPI_RECEIPT_DELETED &&
	     (flags & MAIL_SEEN) != 0) ||
	    str_array_icase_find(mail_get_keywords(mail),
				 MAPI_KEYWORD_MDN_SENT) ||
	    mail_get_first_header(mail, MAPI_RECEIPT_HEADER, &receipt_to) <= 0)
		return;
	receipt_to = t_strdup(receipt_to);
	if (!receipt_is_allowed(receipts, mail, receipt_to))
		return;
	receipt.content = mapi_content_create(NULL);
	if (!receipt_add_recipients(receipts, &receipt, receipt_to)) {
		talloc_free(receipt.content);
		return;
	}
	receipt_set_props(receipts, receipt.content, mail);
	array_push_back(&receipts->receipts, &receipt);
}

/* Changes $MDNSent of the messages, or of those that are left of them */
static int
receipts_mark(struct mapi_receipts *receipts,
	      struct mailbox_transaction_context *trans, struct mail *mail,
	      enum modify_type type)
{
	static const char *const names[] = { MAPI_KEYWORD_MDN_SENT, NULL };
	struct mail_keywords *keywords;
	struct mapi_changes changes;
	const struct receipt *receipt;
	uint64_t content;

	if (mailbox_keywords_create(receipts->box, names, &keywords) < 0)
		return -1;
	mapi_changes_init(&changes, trans);
	array_foreach(&receipts->receipts, receipt) {
		if (!mail_set_uid(mail, receipt->uid))
			continue;
		content = mapi_changes_content(&changes, mail->seq);
		mail_update_keywords(mail, type, keywords);
		mapi_changes_keep_content(&changes, mail->seq, content, 1);
	}
	mailbox_keywords_unref(&keywords);
	return 0;
}

/* Without the right to set it, the mark isn't there, and that's no error for
   lib-storage: what isn't marked isn't sent. */
static void receipts_drop_unmarked(struct mapi_receipts *receipts)
{
	struct mailbox_transaction_context *trans;
	const struct receipt *receipt;
	struct mail *mail;
	unsigned int i;

	trans = mailbox_transaction_begin(receipts->box, 0, "MAPI receipts");
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	for (i = array_count(&receipts->receipts); i > 0; i--) {
		receipt = array_idx(&receipts->receipts, i - 1);
		if (mail_set_uid(mail, receipt->uid) &&
		    str_array_icase_find(mail_get_keywords(mail),
					 MAPI_KEYWORD_MDN_SENT))
			continue;
		talloc_free(receipt->content);
		array_delete(&receipts->receipts, i - 1, 1);
	}
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
}

static int
receipts_claim_locked(struct mapi_receipts *receipts,
		      const ARRAY_TYPE(seq_range) *uids)
{
	struct mailbox_transaction_context *trans;
	struct seq_range_iter iter;
	struct mail *mail;
	unsigned int n = 0;
	uint32_t uid;
	int ret;

	/* what the one has done that had the lock before */
	if (mailbox_sync(receipts->box, 0) < 0)
		return -1;
	trans = mailbox_transaction_begin(receipts->box, 0, "MAPI receipts");
	store_compat_transaction_fsync(trans);
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid) &&
	       array_count(&receipts->receipts) < RECEIPTS_MAX) {
		if (mail_set_uid(mail, uid)) T_BEGIN {
			receipts_add(receipts, mail);
		} T_END;
	}
	ret = receipts_mark(receipts, trans, mail, MODIFY_ADD);
	mail_free(&mail);
	if (mailbox_transaction_commit(&trans) < 0 ||
	    mailbox_sync(receipts->box, 0) < 0)
		ret = -1;
	return ret;
}

struct mapi_receipts *
mapi_receipts_claim(struct mapi_store *store, struct mailbox *box,
		    const ARRAY_TYPE(seq_range) *uids,
		    enum mapi_receipt_reason reason)
{
	struct mapi_receipts *receipts;
	struct file_lock *lock;
	pool_t pool;
	int ret;

	if (!mapi_receipts_are_sent(store) || box->index->dir == NULL)
		return NULL;
	if (mapi_mail_lock(box, LOCK_NAME, LOCK_WAIT_SECS, &lock) != EC_NONE)
		return NULL;
	pool = pool_alloconly_create("MAPI receipts", 1024);
	receipts = p_new(pool, struct mapi_receipts, 1);
	receipts->pool = pool;
	receipts->store = store;
	receipts->box = box;
	receipts->reason = reason;
	i_array_init(&receipts->receipts, 4);
	ret = receipts_claim_locked(receipts, uids);
	file_lock_free(&lock);
	if (ret < 0)
		(void)mapi_error_from_mailbox(box);
	else
		receipts_drop_unmarked(receipts);
	if (ret < 0 || array_count(&receipts->receipts) == 0)
		receipts_free(&receipts);
	return receipts;
}

unsigned int mapi_receipts_count(const struct mapi_receipts *receipts)
{
	return receipts == NULL ? 0 : array_count(&receipts->receipts);
}

void mapi_receipts_unclaim(struct mapi_receipts **_receipts)
{
	struct mapi_receipts *receipts = *_receipts;
	struct mailbox_transaction_context *trans;
	struct mail *mail;

	if (receipts == NULL)
		return;
	trans = mailbox_transaction_begin(receipts->box, 0, "MAPI receipts");
	mail = mail_alloc(trans, 0, NULL);
	(void)receipts_mark(receipts, trans, mail, MODIFY_REMOVE);
	mail_free(&mail);
	if (mailbox_transaction_commit(&trans) < 0 ||
	    mailbox_sync(receipts->box, 0) < 0)
		(void)mapi_error_from_mailbox(receipts->box);
	receipts_free(_receipts);
}

/* --- sending ------------------------------------------------------------------ */

/* FALSE: it hasn't been sent. */
static bool
receipt_send(struct mapi_receipts *receipts, const struct receipt *receipt)
{
	struct mapi_envelope envelope = {
		.rcpts = receipt->rcpts,
		.rcpt_count = receipt->rcpt_count,
		.message_id = mapi_propset_get_string(receipt->content->props,
						PIDTAG_INTERNET_MESSAGE_ID),
	};
	struct istream *input;
	enum mapi_error error;
	bool unknown;

	if (mapi_content_build(receipts->store, receipt->content, FALSE,
			       &input) != EC_NONE)
		return FALSE;
	error = mapi_transport_send(receipts->store, &envelope, input, NULL,
				    &unknown);
	i_stream_unref(&input);
	return error == EC_NONE || unknown;
}

unsigned int mapi_receipts_send(struct mapi_receipts **_receipts)
{
	struct mapi_receipts *receipts = *_receipts;
	const struct receipt *receipt;
	unsigned int i, sent = 0;
	bool ok;

	if (receipts == NULL)
		return 0;
	for (i = 0; i < array_count(&receipts->receipts); ) {
		receipt = array_idx(&receipts->receipts, i);
		T_BEGIN {
			ok = receipt_send(receipts, receipt);
		} T_END;
		if (!ok) {
			i++;
			continue;
		}
		talloc_free(receipt->content);
		array_delete(&receipts->receipts, i, 1);
		sent++;
	}
	mapi_receipts_unclaim(_receipts);
	return sent;
}

/* --- deleting ----------------------------------------------------------------- */

static enum mapi_error
messages_delete_notify_part(struct mapi_store *store, mapi_id_t fid,
			    const mapi_id_t *mids, unsigned int count,
			    void *context, bool *partial_r)
{
	const bool *hard = context;

	return mapi_messages_delete_notify(store, fid, mids, count, *hard,
					   partial_r);
}

enum mapi_error
mapi_messages_delete_notify(struct mapi_store *store, mapi_id_t fid,
			    const mapi_id_t *mids, unsigned int count,
			    bool hard, bool *partial_r)
{
	struct mapi_message_list list;
	struct mapi_receipts *receipts = NULL;
	enum mapi_error error;

	*partial_r = FALSE;
	if (mapi_folder_is_search(store, fid)) {
		return mapi_search_for_each_folder(store, mids, count,
			messages_delete_notify_part, &hard, partial_r);
	}
	error = mapi_message_list_open(store, fid, mids, count,
				       MAPI_MESSAGE_USE_DELETE, &list);
	if (error != EC_NONE)
		return error;
	if (list.boxes[0] != NULL) {
		receipts = mapi_receipts_claim(store, list.boxes[0],
					       &list.uids[0],
					       MAPI_RECEIPT_DELETED);
	}
	error = hard ?
		mapi_messages_delete(store, fid, mids, count, partial_r) :
		mapi_messages_soft_delete(store, fid, mids, count, partial_r);
	if (error == EC_NONE && !*partial_r)
		(void)mapi_receipts_send(&receipts);
	else
		mapi_receipts_unclaim(&receipts);
	mapi_message_list_close(&list);
	return error;
}
