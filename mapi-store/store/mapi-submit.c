/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps of sending a message; mapi-submit.h explains them. */

#include "lib.h"
#include "array.h"
#include "file-lock.h"
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
#include "mapi-transport.h"

#define LOCK_NAME "dovecot.mapi-submit.lock"
/* Others that send from the same folder: an answer may take submission_timeout. */
#define LOCK_WAIT_SECS 90

/* A copy in the destination is looked for among so many of its last messages. */
#define SENT_LOOK_BACK 100

enum submit_mark {
	MARK_NONE,
	MARK_PENDING,
	MARK_SUBMITTED,
};

/* The folder that is sent from */
struct submit_folder {
	struct mapi_message_folder *mfolder;
	struct mapi_folder *folder;
	struct file_lock *lock;
};

/* --- folder and lock ---------------------------------------------------------- */

static void submit_folder_close(struct submit_folder *sf)
{
	file_lock_free(&sf->lock);
	if (sf->mfolder != NULL)
		mapi_message_folder_release(&sf->mfolder);
}

/* EC_TIMEOUT if others have the lock; then sf has the folder nevertheless, and has
   to be closed. */
static enum mapi_error
submit_folder_open(struct mapi_store *store, mapi_id_t fid,
		   unsigned int lock_secs, struct submit_folder *sf)
{
	const char *lock_error;
	enum mapi_error error;
	int ret;

	i_zero(sf);
	error = mapi_message_folder_get(store, fid, &sf->mfolder, &sf->folder);
	if (error != EC_NONE)
		return error;
	if (sf->folder->box == NULL || sf->folder->box->index->dir == NULL)
		return EC_NOT_SUPPORTED;
	ret = mailbox_lock_file_create(sf->folder->box, LOCK_NAME, lock_secs,
				       &sf->lock, &lock_error);
	if (ret == 0)
		return EC_TIMEOUT;
	if (ret < 0) {
		e_error(sf->folder->box->event,
			"mapi: Can't lock the folder for sending: %s",
			lock_error);
		return EC_ERROR;
	}
	/* what the one has done that had it before */
	return mapi_folder_sync(sf->folder);
}

/* --- marks -------------------------------------------------------------------- */

static enum submit_mark mail_get_mark(struct mail *mail)
{
	const char *const *keywords = mail_get_keywords(mail);

	if (str_array_icase_find(keywords, MAPI_KEYWORD_SUBMITTED))
		return MARK_SUBMITTED;
	return str_array_icase_find(keywords, MAPI_KEYWORD_SUBMIT_PENDING) ?
		MARK_PENDING : MARK_NONE;
}

static enum mapi_error
mail_change_keyword(struct mail *mail, enum modify_type type, const char *name)
{
	const char *names[] = { name, NULL };
	struct mail_keywords *keywords;

	if (mailbox_keywords_create(mail->box, names, &keywords) < 0)
		return mapi_error_from_mailbox(mail->box);
	mail_update_keywords(mail, type, keywords);
	mailbox_keywords_unref(&keywords);
	return EC_NONE;
}

static enum mapi_error mail_set_mark(struct mail *mail, enum submit_mark mark)
{
	enum mapi_error error;

	error = mail_change_keyword(mail, mark == MARK_PENDING ? MODIFY_ADD :
				    MODIFY_REMOVE, MAPI_KEYWORD_SUBMIT_PENDING);
	if (error != EC_NONE || mark != MARK_SUBMITTED)
		return error;
	mail_update_flags(mail, MODIFY_REMOVE, MAIL_DRAFT);
	mail_update_flags(mail, MODIFY_ADD, MAIL_SEEN);
	return mail_change_keyword(mail, MODIFY_ADD, MAPI_KEYWORD_SUBMITTED);
}

/* Reads the message's mark, and with new_mark sets it, durably. */
static enum mapi_error
submit_mark(struct submit_folder *sf, mapi_id_t mid, enum submit_mark *mark_r,
	    const enum submit_mark *new_mark)
{
	struct mailbox_transaction_context *trans;
	enum mapi_error error;
	struct mail *mail;
	bool associated;
	uint32_t uid;

	error = mapi_folder_mid_to_uid(sf->folder, mid, &associated, &uid);
	if (error != EC_NONE)
		return error;
	if (associated)
		return EC_NOT_SUPPORTED;
	trans = mailbox_transaction_begin(sf->folder->box, 0, "MAPI submit");
	store_compat_transaction_fsync(trans);
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	if (!mail_set_uid(mail, uid))
		error = EC_NOT_FOUND;
	else {
		*mark_r = mail_get_mark(mail);
		if (new_mark != NULL)
			error = mail_set_mark(mail, *new_mark);
	}
	mail_free(&mail);
	if (mailbox_transaction_commit(&trans) < 0 && error == EC_NONE)
		error = mapi_error_from_mailbox(sf->folder->box);
	return error != EC_NONE || new_mark == NULL ? error :
		mapi_folder_sync(sf->folder);
}

static enum mapi_error
submit_get_mark(struct submit_folder *sf, mapi_id_t mid,
		enum submit_mark *mark_r)
{
	return submit_mark(sf, mid, mark_r, NULL);
}

/* A mark that the user has no right to set isn't set, and that's no error for
   lib-storage. */
static enum mapi_error
submit_set_mark(struct submit_folder *sf, mapi_id_t mid, enum submit_mark mark)
{
	enum submit_mark old_mark;
	enum mapi_error error;

	error = submit_mark(sf, mid, &old_mark, &mark);
	if (error == EC_NONE)
		error = submit_get_mark(sf, mid, &old_mark);
	return error == EC_NONE && old_mark != mark ? EC_ACCESS_DENIED : error;
}

/* --- afterwards --------------------------------------------------------------- */

static enum mapi_error
submit_finish(struct submit_folder *sf, mapi_id_t mid,
	      const struct mapi_sent_place *place)
{
	struct mapi_store *store = sf->folder->obj.store;
	mapi_id_t fid = sf->folder->fid;
	bool partial = FALSE;
	enum mapi_error error = EC_NONE;

	if (place->delete) {
		error = mapi_messages_delete(store, fid, &mid, 1, &partial);
	} else if (place->fid != 0 && place->fid != fid) {
		error = mapi_messages_copy(store, fid, store, place->fid,
					   &mid, 1, TRUE, &partial);
	}
	if (error == EC_NONE && partial)
		error = EC_NOT_FOUND;
	if (error != EC_NONE) {
		e_error(sf->folder->box->event,
			"mapi: A message that has been sent stays in this "
			"folder: %s", mapi_error_name(error));
	}
	return error;
}

/* A message keeps its GUID when it's moved. One that was being moved when the
   process died may be in both folders. */
static bool
folder_has_guid(struct mapi_store *store, mapi_id_t fid, const char *guid)
{
	struct mailbox_transaction_context *trans;
	struct mapi_message_folder *mfolder;
	struct mapi_folder *folder;
	struct mail *mail;
	const char *mail_guid;
	uint32_t seq, end;
	bool found = FALSE;

	if (mapi_message_folder_get(store, fid, &mfolder, &folder) != EC_NONE)
		return FALSE;
	if (folder->box != NULL) {
		trans = mailbox_transaction_begin(folder->box, 0,
						  "MAPI submit");
		mail = mail_alloc(trans, MAIL_FETCH_GUID, NULL);
		seq = mail_index_view_get_messages_count(trans->view);
		end = seq > SENT_LOOK_BACK ? seq - SENT_LOOK_BACK : 0;
		for (; seq > end && !found; seq--) {
			mail_set_seq(mail, seq);
			found = mail_get_special(mail, MAIL_FETCH_GUID,
						 &mail_guid) == 0 &&
				strcmp(guid, mail_guid) == 0;
		}
		mail_free(&mail);
		(void)mailbox_transaction_commit(&trans);
	}
	mapi_message_folder_release(&mfolder);
	return found;
}

static void
submit_finish_interrupted(struct submit_folder *sf, mapi_id_t mid)
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
		(void)submit_finish(sf, mid, &place);
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
submit_find_interrupted(struct submit_folder *sf, ARRAY_TYPE(uint32_t) *uids)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	uint32_t seq, count;

	trans = mailbox_transaction_begin(sf->folder->box, 0, "MAPI submit");
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	count = mail_index_view_get_messages_count(trans->view);
	for (seq = 1; seq <= count; seq++) T_BEGIN {
		mail_set_seq(mail, seq);
		switch (mail_get_mark(mail)) {
		case MARK_NONE:
			break;
		case MARK_PENDING:
			submit_warn_pending(mail);
			break;
		case MARK_SUBMITTED:
			array_push_back(uids, &mail->uid);
			break;
		}
	} T_END;
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
}

static void submit_recover_folder(struct submit_folder *sf)
{
	ARRAY_TYPE(uint32_t) uids;
	const uint32_t *uidp;

	t_array_init(&uids, 8);
	submit_find_interrupted(sf, &uids);
	array_foreach(&uids, uidp) {
		submit_finish_interrupted(sf, mapi_folder_mid(sf->folder, FALSE,
							      *uidp));
	}
}

/* Nothing is allotted for a folder that is empty, as usual. */
static bool folder_has_messages(struct mapi_store *store, mapi_id_t fid)
{
	static const uint32_t tag = PIDTAG_CONTENT_COUNT;
	struct mapi_folder_node *node = mapi_folder_tree_lookup(store, fid);
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_value value;
	bool ret;

	ret = node != NULL &&
		mapi_folder_node_get_props(store, node, mem, &tag, 1, SIZE_MAX,
					   &value) == EC_NONE &&
		value.type == MAPI_TAG_TYPE(tag) && value.u.i32 > 0;
	talloc_free(mem);
	return ret;
}

void mapi_submit_recover(struct mapi_store *store)
{
	mapi_id_t fid = mapi_store_special_fid(store, MAPI_SPECIAL_OUTBOX);
	struct submit_folder sf;

	if (!folder_has_messages(store, fid))
		return;
	T_BEGIN {
		if (submit_folder_open(store, fid, 0, &sf) == EC_NONE)
			submit_recover_folder(&sf);
		submit_folder_close(&sf);
	} T_END;
}

enum mapi_error mapi_message_abort_submit(struct mapi_store *store,
					  mapi_id_t fid, mapi_id_t mid)
{
	enum submit_mark mark = MARK_NONE;
	struct submit_folder sf;
	enum mapi_error error, open_error;

	fid = mapi_search_real_folder(store, fid, mid);
	if (fid == 0)
		return EC_NOT_FOUND;
	open_error = submit_folder_open(store, fid, 0, &sf);
	error = open_error == EC_TIMEOUT ? EC_NONE : open_error;
	if (error == EC_NONE)
		error = submit_get_mark(&sf, mid, &mark);
	if (error == EC_NONE && mark != MARK_PENDING)
		error = EC_NOT_IN_QUEUE;
	else if (error == EC_NONE && open_error != EC_NONE)
		error = EC_UNABLE_TO_ABORT;
	if (error == EC_NONE)
		error = submit_set_mark(&sf, mid, MARK_NONE);
	submit_folder_close(&sf);
	return error;
}

/* --- sending ------------------------------------------------------------------ */

/* In the folder as it is: has the message been sent already, or may it have been? */
static enum mapi_error
submit_check_mark(struct submit_folder *sf, struct mapi_message *msg)
{
	enum submit_mark mark;
	enum mapi_error error;

	if (msg->priv->content->is_new)
		return EC_NONE;
	error = submit_get_mark(sf, msg->mid, &mark);
	if (error != EC_NONE)
		return error == EC_NOT_FOUND ? EC_OBJECT_DELETED : error;
	if (mark == MARK_SUBMITTED)
		submit_finish_interrupted(sf, msg->mid);
	return mark == MARK_NONE ? EC_NONE : EC_SUBMITTED;
}

/* The message as it's sent: without Bcc, and without the header fields that it had
   when it was received by somebody */
static enum mapi_error
submit_build(const struct mapi_submission *submission, struct mapi_message *msg,
	     const struct mapi_content *all, struct istream **input_r)
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

static enum mapi_error
submit_send(struct submit_folder *sf, const struct mapi_submission *submission,
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
	struct mapi_refusals refusals = { .pool = submission->pool };
	enum mapi_error error;
	bool unknown;

	error = submit_set_mark(sf, msg->mid, MARK_PENDING);
	if (error != EC_NONE)
		return error;
	p_array_init(&refusals.list, submission->pool, 4);
	/* A report would be in the owner's Inbox, and who has sent it may have
	   no right there: then all get it or none. */
	error = mapi_transport_send(submission->store, &envelope, input,
		mapi_store_is_delegate(submission->store) ? NULL : &refusals,
		&unknown);
	if (error != EC_NONE) {
		if (!unknown)
			(void)submit_set_mark(sf, msg->mid, MARK_NONE);
		return error;
	}
	/* Who wasn't told would believe that everybody has got it: better that
	   nobody knows whether it has been sent. */
	if (array_count(&refusals.list) > 0) {
		error = mapi_submission_report(submission, all, &refusals);
		if (error != EC_NONE)
			return error;
	}
	/* From here on no failure is worth making the client believe that it
	   hasn't been sent. */
	error = submit_set_mark(sf, msg->mid, MARK_SUBMITTED);
	if (error != EC_NONE) {
		e_error(sf->folder->box->event,
			"mapi: A message that has been sent can't be marked as "
			"such: %s", mapi_error_name(error));
	}
	(void)submit_finish(sf, msg->mid, &submission->place);
	return EC_NONE;
}

static enum mapi_error
message_submit_locked(struct submit_folder *sf,
		      struct mapi_submission *submission,
		      struct mapi_message *msg, TALLOC_CTX *mem,
		      const struct mapi_content **all_r)
{
	struct mapi_message_content *content = msg->priv->content;
	struct mapi_content *all;
	struct istream *input;
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
		error = submit_build(submission, msg, all, &input);
	if (error != EC_NONE)
		return error;
	error = submit_send(sf, submission, msg, all, input);
	i_stream_unref(&input);
	*all_r = all;
	return error;
}

enum mapi_error
mapi_message_submit(struct mapi_message *msg, TALLOC_CTX *mem,
		    const struct mapi_content **all_r)
{
	struct mapi_message_content *content = msg->priv->content;
	struct mapi_submission submission = { .store = msg->obj.store };
	struct submit_folder sf;
	enum mapi_error error;

	if (content->draft != NULL || content->outer != NULL ||
	    content->associated ||
	    !mapi_transport_is_configured(msg->obj.store))
		return EC_NOT_SUPPORTED;
	if (!msg->priv->writable)
		return EC_ACCESS_DENIED;
	submission.pool = pool_alloconly_create("MAPI submit", 1024);
	T_BEGIN {
		error = submit_folder_open(msg->obj.store, msg->fid,
					   LOCK_WAIT_SECS, &sf);
		if (error == EC_NONE) {
			error = message_submit_locked(&sf, &submission, msg,
						      mem, all_r);
		}
		submit_folder_close(&sf);
	} T_END;
	pool_unref(&submission.pool);
	return error;
}
