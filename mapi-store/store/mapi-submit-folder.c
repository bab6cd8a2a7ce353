/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The folder that is sent from, and how far its messages have come; mapi-submit.h
   explains it. */

#include "lib.h"
#include "array.h"
#include "file-lock.h"
#include "store-compat.h"
#include "mapi-mail.h"
#include "mapi-message-folder.h"
#include "mapi-message-write.h"
#include "mapi-props.h"
#include "mapi-store-private.h"
#include "mapi-submit.h"
#include "mapi-submit-private.h"

#define LOCK_NAME "dovecot.mapi-submit.lock"
/* What has been moved is looked for among so many last messages. */
#define LOOK_BACK 100

/* --- folder and lock ---------------------------------------------------------- */

void mapi_submit_folder_close(struct mapi_submit_folder *sf)
{
	file_lock_free(&sf->lock);
	if (sf->mfolder != NULL)
		mapi_message_folder_release(&sf->mfolder);
}

enum mapi_error
mapi_submit_folder_open(struct mapi_store *store, mapi_id_t fid,
			unsigned int lock_secs, struct mapi_submit_folder *sf)
{
	enum mapi_error error;

	i_zero(sf);
	error = mapi_message_folder_get(store, fid, &sf->mfolder, &sf->folder);
	if (error != EC_NONE)
		return error;
	if (sf->folder->box == NULL || sf->folder->box->index->dir == NULL)
		return EC_NOT_SUPPORTED;
	error = mapi_mail_lock(sf->folder->box, LOCK_NAME, lock_secs,
			       &sf->lock);
	/* what the one has done that had it before */
	return error != EC_NONE ? error : mapi_folder_sync(sf->folder);
}

bool mapi_submit_folder_has_messages(struct mapi_store *store, mapi_id_t fid)
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

/* --- marks -------------------------------------------------------------------- */

enum mapi_submit_mark mapi_submit_mail_mark(struct mail *mail)
{
	const char *const *keywords = mail_get_keywords(mail);

	if (str_array_icase_find(keywords, MAPI_KEYWORD_SUBMITTED))
		return MAPI_SUBMIT_SUBMITTED;
	if (!str_array_icase_find(keywords, MAPI_KEYWORD_SUBMIT_PENDING))
		return MAPI_SUBMIT_NONE;
	return str_array_icase_find(keywords, MAPI_KEYWORD_HELD) ?
		MAPI_SUBMIT_HELD : MAPI_SUBMIT_PENDING;
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

/* add: nothing is taken away */
static enum mapi_error
mail_set_mark(struct mail *mail, enum mapi_submit_mark mark, bool add)
{
	static const struct {
		const char *keyword;
		/* bits of the marks that it's part of */
		unsigned int marks;
	} keywords[] = {
		{ MAPI_KEYWORD_SUBMIT_PENDING,
		  1 << MAPI_SUBMIT_HELD | 1 << MAPI_SUBMIT_PENDING },
		{ MAPI_KEYWORD_HELD, 1 << MAPI_SUBMIT_HELD },
		{ MAPI_KEYWORD_SUBMITTED, 1 << MAPI_SUBMIT_SUBMITTED },
	};
	enum mapi_error error = EC_NONE;
	bool has, wanted;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(keywords) && error == EC_NONE; i++) {
		has = str_array_icase_find(mail_get_keywords(mail),
					   keywords[i].keyword);
		wanted = (keywords[i].marks & 1 << mark) != 0;
		if (has != wanted && (wanted || !add)) {
			error = mail_change_keyword(mail, wanted ? MODIFY_ADD :
						    MODIFY_REMOVE,
						    keywords[i].keyword);
		}
	}
	if (error == EC_NONE && mark == MAPI_SUBMIT_SUBMITTED && !add) {
		mail_update_flags(mail, MODIFY_REMOVE, MAIL_DRAFT);
		mail_update_flags(mail, MODIFY_ADD, MAIL_SEEN);
	}
	return error;
}

/* Reads the message's mark, and with new_mark sets or adds it, durably. */
static enum mapi_error
submit_mark(struct mapi_submit_folder *sf, mapi_id_t mid,
	    enum mapi_submit_mark *mark_r,
	    const enum mapi_submit_mark *new_mark, bool add)
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
		*mark_r = mapi_submit_mail_mark(mail);
		if (new_mark != NULL)
			error = mail_set_mark(mail, *new_mark, add);
	}
	mail_free(&mail);
	if (mailbox_transaction_commit(&trans) < 0 && error == EC_NONE)
		error = mapi_error_from_mailbox(sf->folder->box);
	return error != EC_NONE || new_mark == NULL ? error :
		mapi_folder_sync(sf->folder);
}

enum mapi_error
mapi_submit_get_mark(struct mapi_submit_folder *sf, mapi_id_t mid,
		     enum mapi_submit_mark *mark_r)
{
	return submit_mark(sf, mid, mark_r, NULL, FALSE);
}

/* A mark that the user has no right to set isn't set, and that's no error for
   lib-storage. */
enum mapi_error
mapi_submit_set_mark(struct mapi_submit_folder *sf, mapi_id_t mid,
		     enum mapi_submit_mark mark)
{
	enum mapi_submit_mark old_mark;
	enum mapi_error error = EC_NONE;

	/* A file of a Maildir gets a letter for a keyword that is new to the
	   mailbox before what the letter stands for is written: if the process
	   dies in between, nobody knows any more. The mark that says most about
	   the message mustn't be the only one then. */
	if (mark == MAPI_SUBMIT_SUBMITTED)
		error = submit_mark(sf, mid, &old_mark, &mark, TRUE);
	if (error == EC_NONE)
		error = submit_mark(sf, mid, &old_mark, &mark, FALSE);
	if (error == EC_NONE)
		error = mapi_submit_get_mark(sf, mid, &old_mark);
	return error == EC_NONE && old_mark != mark ? EC_ACCESS_DENIED : error;
}

/* --- afterwards --------------------------------------------------------------- */

enum mapi_error
mapi_submit_finish(struct mapi_submit_folder *sf, mapi_id_t mid,
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

uint32_t mapi_submit_find_guid(struct mapi_folder *folder, const char *guid)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	const char *mail_guid;
	uint32_t seq, end, uid = 0;

	if (folder->box == NULL)
		return 0;
	trans = mailbox_transaction_begin(folder->box, 0, "MAPI submit");
	mail = mail_alloc(trans, MAIL_FETCH_GUID, NULL);
	seq = mail_index_view_get_messages_count(trans->view);
	end = seq > LOOK_BACK ? seq - LOOK_BACK : 0;
	for (; seq > end && uid == 0; seq--) {
		mail_set_seq(mail, seq);
		if (mail_get_special(mail, MAIL_FETCH_GUID, &mail_guid) == 0 &&
		    strcmp(guid, mail_guid) == 0)
			uid = mail->uid;
	}
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	return uid;
}
