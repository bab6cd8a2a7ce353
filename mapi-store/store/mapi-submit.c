/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps of sending a message; mapi-submit.h explains them. */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "smtp-address.h"
#include "str-sanitize.h"
#include "store-compat.h"
#include "mapi-folder-rights.h"
#include "mapi-message-edit.h"
#include "mapi-message-folder.h"
#include "mapi-message-private.h"
#include "mapi-message-write.h"
#include "mapi-props.h"
#include "mapi-search-folder.h"
#include "mapi-store-private.h"
#include "mapi-submit.h"
#include "mapi-submit-private.h"

/* --- what others were interrupted at -------------------------------------------- */

/* One that was being moved when the process died may be in both folders. */
static bool
folder_has_guid(struct mapi_store *store, mapi_id_t fid, const char *guid)
{
	struct mapi_message_folder *mfolder;
	struct mapi_folder *folder;
	bool found;

	if (mapi_message_folder_get(store, fid, &mfolder, &folder) != EC_NONE)
		return FALSE;
	found = mapi_submit_find_guid(folder, guid) != 0;
	mapi_message_folder_release(&mfolder);
	return found;
}

static void
submit_finish_interrupted(struct mapi_submit_folder *sf, mapi_id_t mid)
{
	struct mapi_store *store = sf->folder->obj.store;
	struct mapi_sent_place place;
	struct mapi_content *all;
	struct mapi_message *msg;
	const char *guid;
	TALLOC_CTX *mem = talloc_new(NULL);

	if (mapi_message_open(mem, store, sf->folder->fid, mid,
			      &msg) == EC_NONE &&
	    mapi_message_content_get_all(msg->priv->content, mem,
					 &all) == EC_NONE &&
	    mail_get_special(msg->priv->content->mail, MAIL_FETCH_GUID,
			     &guid) == 0) {
		guid = t_strdup(guid);
		mapi_sent_place_get(store, all, &place);
		/* it may read from the message */
		TALLOC_FREE(all);
		TALLOC_FREE(msg);
		if (place.fid != 0 && place.fid != sf->folder->fid &&
		    folder_has_guid(store, place.fid, guid))
			place.delete = TRUE;
		(void)mapi_submit_finish(sf, mid, &place);
	}
	talloc_free(mem);
}

/* Somebody may want to look for it in the mail server's log. */
static void submit_warn_pending(struct mail *mail)
{
	const char *message_id;

	if (mail_get_first_header(mail, "Message-ID", &message_id) <= 0)
		message_id = "";
	e_warning(mail->box->event, "mapi: msgid=%s: May have been sent or "
		  "not: The process that was sending it has died, or the mail "
		  "server didn't answer", str_sanitize(message_id, 200));
}

static void
submit_find_interrupted(struct mapi_submit_folder *sf,
			ARRAY_TYPE(uint32_t) *uids)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	uint32_t seq, count;

	trans = mailbox_transaction_begin(sf->folder->box, 0, "MAPI submit");
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	count = mail_index_view_get_messages_count(trans->view);
	for (seq = 1; seq <= count; seq++) T_BEGIN {
		mail_set_seq(mail, seq);
		switch (mapi_submit_mail_mark(mail)) {
		case MAPI_SUBMIT_NONE:
		case MAPI_SUBMIT_HELD:
			break;
		case MAPI_SUBMIT_PENDING:
			submit_warn_pending(mail);
			break;
		case MAPI_SUBMIT_SUBMITTED:
			array_push_back(uids, &mail->uid);
			break;
		}
	} T_END;
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
}

void mapi_submit_folder_recover(struct mapi_submit_folder *sf)
{
	ARRAY_TYPE(uint32_t) uids;
	const uint32_t *uidp;

	i_array_init(&uids, 8);
	submit_find_interrupted(sf, &uids);
	array_foreach(&uids, uidp) {
		submit_finish_interrupted(sf, mapi_folder_mid(sf->folder, FALSE,
							      *uidp));
	}
	array_free(&uids);
}

void mapi_submit_recover(struct mapi_store *store)
{
	mapi_id_t fid = mapi_store_special_fid(store, MAPI_SPECIAL_OUTBOX);
	struct mapi_submit_folder sf;
	enum mapi_error error;

	if (!mapi_submit_folder_has_messages(store, fid))
		return;
	T_BEGIN {
		error = mapi_submit_folder_open(store, fid, 0, &sf);
		if (error == EC_NONE)
			mapi_submit_folder_recover(&sf);
		if (error == EC_NONE || error == EC_TIMEOUT)
			mapi_submit_remember_held(&sf);
		mapi_submit_folder_close(&sf);
	} T_END;
}

enum mapi_error mapi_message_abort_submit(struct mapi_store *store,
					  mapi_id_t fid, mapi_id_t mid)
{
	enum mapi_submit_mark mark = MAPI_SUBMIT_NONE;
	struct mapi_submit_folder sf;
	enum mapi_error error, open_error;

	fid = mapi_search_real_folder(store, fid, mid);
	if (fid == 0)
		return EC_NOT_FOUND;
	open_error = mapi_submit_folder_open(store, fid, 0, &sf);
	error = open_error == EC_TIMEOUT ? EC_NONE : open_error;
	if (error == EC_NONE)
		error = mapi_submit_get_mark(&sf, mid, &mark);
	if (error == EC_NONE && mark != MAPI_SUBMIT_HELD &&
	    mark != MAPI_SUBMIT_PENDING)
		error = EC_NOT_IN_QUEUE;
	else if (error == EC_NONE && open_error != EC_NONE)
		error = EC_UNABLE_TO_ABORT;
	if (error == EC_NONE)
		error = mapi_submit_set_mark(&sf, mid, MAPI_SUBMIT_NONE);
	mapi_submit_folder_close(&sf);
	return error;
}

/* --- sending ------------------------------------------------------------------ */

/* In the folder as it is: has the message been sent already, or may it have been? */
static enum mapi_error
submit_check_mark(struct mapi_submit_folder *sf, struct mapi_message *msg)
{
	enum mapi_submit_mark mark;
	enum mapi_error error;

	if (msg->priv->content->is_new)
		return EC_NONE;
	error = mapi_submit_get_mark(sf, msg->mid, &mark);
	if (error != EC_NONE)
		return error == EC_NOT_FOUND ? EC_OBJECT_DELETED : error;
	if (mark == MAPI_SUBMIT_SUBMITTED)
		submit_finish_interrupted(sf, msg->mid);
	return mark == MAPI_SUBMIT_NONE ? EC_NONE : EC_SUBMITTED;
}

enum mapi_error
mapi_submission_build(const struct mapi_submission *submission,
		      struct mapi_message *msg, const struct mapi_content *all,
		      struct istream **input_r)
{
	enum mapi_error error;

	mapi_propset_remove(all->props, PIDTAG_TRANSPORT_MESSAGE_HEADERS);
	error = mapi_message_content_build(msg->priv->content, all, FALSE,
					   input_r);
	if (error != EC_NONE)
		return error;
	if (mapi_submission_check_header(submission, *input_r))
		return EC_NONE;
	e_error(submission->store->user->event,
		"mapi: Message not sent: Its header says that it's from "
		"somebody else than its properties");
	i_stream_unref(input_r);
	return EC_ACCESS_DENIED;
}

enum mapi_error
mapi_submission_send(struct mapi_submit_folder *sf,
		     struct mapi_submission *submission,
		     struct mapi_message *msg, struct mapi_content *all,
		     struct istream *input)
{
	struct mapi_envelope envelope = {
		.from = submission->env_from,
		.rcpts = array_front(&submission->rcpts),
		.rcpt_count = array_count(&submission->rcpts),
		.message_id = submission->message_id,
		.report_delivery = submission->report_delivery,
		.hold_secs = submission->hold_secs,
	};
	struct mapi_refusals *refusals = &submission->refusals;
	enum mapi_error error;

	refusals->pool = submission->pool;
	p_array_init(&refusals->list, submission->pool, 4);
	/* A report would be in the owner's Inbox, and who has sent it may have
	   no right there: then all get it or none. */
	error = mapi_transport_send(submission->store, &envelope, input,
		mapi_store_is_delegate(submission->store) ? NULL : refusals,
		&submission->unknown);
	if (error != EC_NONE) {
		if (!submission->unknown) {
			(void)mapi_submit_set_mark(sf, msg->mid,
				submission->held ? MAPI_SUBMIT_HELD :
				MAPI_SUBMIT_NONE);
		}
		return error;
	}
	/* Who wasn't told would believe that everybody has got it: better that
	   nobody knows whether it has been sent. */
	if (array_count(&refusals->list) > 0) {
		error = mapi_submission_report(submission, all, NULL);
		if (error != EC_NONE) {
			submission->unknown = TRUE;
			return error;
		}
	}
	/* From here on no failure is worth making the client believe that it
	   hasn't been sent. */
	error = mapi_submit_set_mark(sf, msg->mid, MAPI_SUBMIT_SUBMITTED);
	if (error != EC_NONE) {
		e_error(sf->folder->box->event,
			"mapi: A message that has been sent can't be marked as "
			"such: %s", mapi_error_name(error));
	}
	(void)mapi_submit_finish(sf, msg->mid, &submission->place);
	return EC_NONE;
}

/* What is to be sent later is held, if somebody sees to it that it's sent; else the
   mail server may be able to hold it. */
static enum mapi_error
message_submit_saved(struct mapi_submit_folder *sf,
		     struct mapi_submission *submission,
		     struct mapi_message *msg, struct mapi_content *all)
{
	struct istream *input;
	enum mapi_error error;

	error = mapi_submission_build(submission, msg, all, &input);
	if (error != EC_NONE)
		return error;
	error = EC_NOT_SUPPORTED;
	if (submission->hold_secs > 0)
		error = mapi_submission_hold(sf, submission, msg);
	if (error == EC_NOT_SUPPORTED) {
		error = mapi_submit_set_mark(sf, msg->mid,
					     MAPI_SUBMIT_PENDING);
		if (error == EC_NONE) {
			error = mapi_submission_send(sf, submission, msg, all,
						     input);
		}
	}
	i_stream_unref(&input);
	return error;
}

static enum mapi_error
message_submit_locked(struct mapi_submit_folder *sf,
		      struct mapi_submission *submission,
		      struct mapi_message *msg, TALLOC_CTX *mem,
		      const struct mapi_content **all_r)
{
	struct mapi_message_content *content = msg->priv->content;
	struct mapi_content *all;
	enum mapi_error error;

	error = submit_check_mark(sf, msg);
	if (error == EC_NONE)
		error = mapi_message_content_get_all(content, mem, &all);
	if (error == EC_NONE)
		error = mapi_submission_init(submission, all);
	if (error != EC_NONE)
		return error;
	mapi_message_content_change(content, TRUE);
	mapi_submission_set_props(submission, all, content->overlay);
	/* it may read from the message, which is replaced */
	TALLOC_FREE(all);
	error = mapi_message_save(msg, FALSE);
	if (error == EC_NONE)
		error = mapi_folder_sync(sf->folder);
	if (error == EC_NONE)
		error = mapi_message_content_get_all(content, mem, &all);
	if (error == EC_NONE)
		error = message_submit_saved(sf, submission, msg, all);
	*all_r = all;
	return error;
}

enum mapi_error
mapi_message_submit(struct mapi_message *msg, TALLOC_CTX *mem,
		    const struct mapi_content **all_r)
{
	struct mapi_message_content *content = msg->priv->content;
	struct mapi_submission submission = { .store = msg->obj.store };
	struct mapi_submit_folder sf;
	enum mapi_error error;

	if (content->draft != NULL || content->outer != NULL ||
	    content->associated ||
	    !mapi_transport_is_configured(msg->obj.store))
		return EC_NOT_SUPPORTED;
	if (!msg->priv->writable)
		return EC_ACCESS_DENIED;
	submission.pool = pool_alloconly_create("MAPI submit", 1024);
	T_BEGIN {
		error = mapi_submit_folder_open(msg->obj.store, msg->fid,
					   MAPI_SUBMIT_LOCK_SECS, &sf);
		if (error == EC_NONE) {
			error = message_submit_locked(&sf, &submission, msg,
						      mem, all_r);
		}
		mapi_submit_folder_close(&sf);
	} T_END;
	pool_unref(&submission.pool);
	return error;
}
