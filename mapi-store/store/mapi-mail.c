/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "istream.h"
#include "store-compat.h"
#include "mapi-mail.h"

int mapi_mail_save(struct mail_save_context **_ctx, struct istream *input)
{
	struct mail_save_context *ctx = *_ctx;
	ssize_t ret;

	*_ctx = NULL;
	if (mailbox_save_begin(&ctx, input) < 0)
		return -1;
	do {
		ret = i_stream_read(input);
		if (mailbox_save_continue(ctx) < 0) {
			mailbox_save_cancel(&ctx);
			return -1;
		}
	} while (ret > 0 || ret == -2);
	if (input->stream_errno != 0) {
		mailbox_save_cancel(&ctx);
		return -1;
	}
	return mailbox_save_finish(&ctx);
}

enum mapi_error
mapi_mail_save_single(struct mailbox *box, struct istream *input,
		      enum mail_flags flags, bool unlimited,
		      const char *reason)
{
	struct mailbox_transaction_context *trans;
	struct mail_save_context *ctx;
	enum mapi_error error;

	trans = unlimited ? store_compat_internal_save_begin(box, reason) :
		mailbox_transaction_begin(box,
			MAILBOX_TRANSACTION_FLAG_EXTERNAL |
			MAILBOX_TRANSACTION_FLAG_ASSIGN_UIDS, reason);
	ctx = mailbox_save_alloc(trans);
	mailbox_save_set_flags(ctx, flags, NULL);
	if (mapi_mail_save(&ctx, input) < 0) {
		error = mapi_error_from_mailbox(box);
		mailbox_transaction_rollback(&trans);
		return error;
	}
	return mailbox_transaction_commit(&trans) < 0 ?
		mapi_error_from_mailbox(box) : EC_NONE;
}

enum mapi_error
mapi_mail_expunge_uids(struct mailbox *box, ARRAY_TYPE(seq_range) *uids)
{
	struct mailbox_transaction_context *trans;
	struct seq_range_iter iter;
	struct mail *mail;
	unsigned int n = 0;
	uint32_t uid;

	if (array_count(uids) == 0)
		return EC_NONE;
	/* not MAILBOX_TRANSACTION_FLAG_EXTERNAL: that is for saving only */
	trans = mailbox_transaction_begin(box, 0, "MAPI expunge");
	mail = mail_alloc(trans, 0, NULL);
	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (mail_set_uid(mail, uid))
			mail_expunge(mail);
	}
	mail_free(&mail);
	if (mailbox_transaction_commit(&trans) < 0 ||
	    mailbox_sync(box, 0) < 0)
		return mapi_error_from_mailbox(box);
	array_clear(uids);
	return EC_NONE;
}

enum mapi_error
mapi_mail_lock(struct mailbox *box, const char *name, unsigned int wait_secs,
	       struct file_lock **lock_r)
{
	const char *error;
	int ret;

	ret = mailbox_lock_file_create(box, name, wait_secs, lock_r, &error);
	if (ret > 0)
		return EC_NONE;
	if (ret < 0 || wait_secs > 0)
		e_error(box->event, "mapi: Can't lock %s: %s", name, error);
	return ret == 0 ? EC_TIMEOUT : EC_ERROR;
}
