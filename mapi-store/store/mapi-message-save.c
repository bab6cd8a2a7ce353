/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Saving a message ([MS-OXCMSG] 3.2.5.4; docs/architecture.md, section 6).

   What can be seen in its MIME form is saved as a new message, which takes the
   place of the old one and keeps its MID; what flags and keywords express
   changes these (mapi-mailprops-flags.h); what neither says is saved as a new
   bag. The order of writing is: bag, message, removal of the old message, removal of its
   bag. Whenever the process dies, either the old message is there with its bag or
   the new one with its own; if both are, the next one who looks removes the old
   one (mapi-bags.c).

   Whoever changes a stored message has its lock meanwhile: of several sessions that
   save the message at the same time only the first one finds it as it had read it. */

#include "lib.h"
#include "array.h"
#include "guid.h"
#include "ioloop.h"
#include "istream.h"
#include "store-compat.h"
#include "mapi-bags.h"
#include "mapi-changes.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-mail.h"
#include "mapi-mailprops-flags.h"
#include "mapi-mailprops-private.h"
#include "mapi-message-edit.h"
#include "mapi-message-folder.h"
#include "mapi-message-private.h"
#include "mapi-props.h"
#include "mapi-store-private.h"
#include "mapi-stream.h"
#include "mapi-submit.h"

#define LOCK_NAME "dovecot.mapi-save-%"PRIx64".lock"
#define LOCK_WAIT_SECS 60

struct save {
	struct mapi_message *msg;
	struct mapi_message_content *content;

	/* where it's saved */
	struct mapi_message_folder *mfolder;
	struct mapi_folder *folder;
	struct mailbox *box;
	struct mapi_bags *bags;

	/* what is replaced: uid is 0 if nothing */
	uint32_t old_uid;
	const char *old_guid;
	/* of the message, NULL if nobody knows */
	const char *creator;
	enum mail_flags flags;
	const char *const *keywords;
	time_t received;

	/* what is written */
	uint64_t mid_globcnt;
	uint32_t uidvalidity, uidnext;
	struct mapi_content *all;
	struct mapi_overlay *overlay;
	struct istream *input;
	const char *guid;
	uint32_t uid;
	struct file_lock *lock;
	/* 0 if none is */
	uint32_t bag_uid;
	/* the old message is expunged, its bag isn't yet */
	bool old_bag_unused;
};

/* --- the mailbox ------------------------------------------------------------ */

/* What the mailbox itself doesn't look at: a bag isn't in it, and changing a
   message is more to it than that. */
static uint32_t save_needed_rights(const struct mapi_message_content *content)
{
	if (content->associated)
		return RIGHTS_FOLDER_OWNER;
	if (content->is_new)
		return RIGHTS_CREATE;
	/* the message is replaced if it isn't only its bag that is */
	return RIGHTS_EDIT_ANY | (content->mime_changed ?
				  RIGHTS_CREATE | RIGHTS_DELETE_ANY : 0);
}

static enum mapi_error save_get_folder(struct save *save)
{
	const struct mapi_message_content *content = save->content;
	struct mapi_store *store = save->msg->obj.store;
	mapi_id_t fid = save->msg->fid;
	enum mapi_error error;

	if (content->is_new && !content->associated) {
		return mapi_message_folder_get_new(store, fid, &save->mfolder,
						   &save->folder);
	}
	error = mapi_message_folder_get(store, fid, &save->mfolder,
					&save->folder);
	if (error == EC_NONE) {
		error = mapi_folder_check_rights(save->folder,
						 save_needed_rights(content));
	}
	if (error != EC_ACCESS_DENIED || content->associated ||
	    !mapi_store_is_delegate(store))
		return error;
	/* whose message it is remains to be seen */
	if (save->mfolder != NULL)
		mapi_message_folder_release(&save->mfolder);
	error = mapi_message_folder_get_own(store, fid, FALSE, &save->mfolder,
					    &save->folder);
	return error != EC_NONE ? error :
		mapi_folder_check_rights(save->folder, RIGHTS_EDIT_OWNED);
}

static void save_get_uids(struct save *save)
{
	struct mailbox_status status;

	mailbox_get_open_status(save->box, STATUS_UIDVALIDITY | STATUS_UIDNEXT,
				&status);
	save->uidvalidity = status.uidvalidity;
	save->uidnext = status.uidnext;
}

static enum mapi_error save_open_box(struct save *save)
{
	enum mapi_error error;

	error = save_get_folder(save);
	if (error == EC_NONE && save->content->is_new) {
		error = mapi_folder_check_rights(save->folder,
				save_needed_rights(save->content));
	}
	if (error != EC_NONE)
		return error == EC_NOT_FOUND ? EC_OBJECT_DELETED : error;
	save->box = save->folder->box;
	if (save->content->associated)
		error = mapi_folder_create_associated(save->folder, &save->box);
	if (error != EC_NONE)
		return error;
	if (save->box == NULL)
		return EC_OBJECT_DELETED;
	if (mailbox_is_readonly(save->box))
		return EC_ACCESS_DENIED;
	save->bags = mapi_folder_bags(save->folder, save->content->associated);
	save_get_uids(save);
	return EC_NONE;
}

/* As it is now */
static enum mapi_error save_sync_box(struct save *save)
{
	enum mapi_error error;

	error = mapi_folder_sync(save->folder);
	save->box = save->folder->box;
	if (error == EC_NONE && save->content->associated)
		error = mapi_folder_open_associated(save->folder, &save->box);
	if (error == EC_NONE && save->box == NULL)
		error = EC_OBJECT_DELETED;
	if (error == EC_NONE)
		save_get_uids(save);
	return error;
}

static enum mapi_error save_lock(struct save *save)
{
	enum mapi_error error;

	/* without index files, nobody else sees what is saved */
	if (save->box->index->dir == NULL)
		return EC_NONE;
	error = mapi_mail_lock(save->box,
		t_strdup_printf(LOCK_NAME, MAPI_ID_GLOBCNT(save->msg->mid)),
		LOCK_WAIT_SECS, &save->lock);
	return error != EC_NONE ? error : save_sync_box(save);
}

/* What there is of the message now, and whether that's what the client has
   seen. */
static enum mapi_error
save_look_at_mail(struct save *save, struct mail *mail, bool force)
{
	struct mapi_message_content *content = save->content;
	const char *guid;

	if (save->folder->own && !mapi_mail_is_own(save->folder, mail))
		return EC_ACCESS_DENIED;
	if (!force && content->mail != NULL &&
	    (mail->uid != content->mail->uid ||
	     mapi_bags_find_uid(save->bags, mail) != content->bag_uid))
		return EC_OBJECT_MODIFIED;
	if (mail_get_special(mail, MAIL_FETCH_GUID, &guid) < 0 ||
	    mail_get_received_date(mail, &save->received) < 0)
		return mapi_error_from_mailbox(save->box);
	save->old_uid = mail->uid;
	save->old_guid = t_strdup(guid);
	save->creator = t_strdup(mapi_bags_find_creator(save->bags, mail));
	save->flags = mail_get_flags(mail) & ~MAIL_RECENT;
	save->keywords = p_strarray_dup(pool_datastack_create(),
					mail_get_keywords(mail));
	save->mid_globcnt = MAPI_ID_GLOBCNT(save->msg->mid);
	/* it's to be sent as it is */
	return save->msg->fid == mapi_store_special_fid(save->msg->obj.store,
						MAPI_SPECIAL_OUTBOX) &&
		str_array_icase_find(save->keywords, MAPI_KEYWORD_HELD) ?
		EC_SUBMITTED : EC_NONE;
}

static enum mapi_error save_look_at_old(struct save *save, bool force)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	enum mapi_error error;
	bool associated;
	uint32_t uid;

	error = mapi_folder_mid_to_uid(save->folder, save->msg->mid,
				       &associated, &uid);
	if (error != EC_NONE)
		return error == EC_NOT_FOUND ? EC_OBJECT_DELETED : error;
	trans = mailbox_transaction_begin(save->box, 0, "MAPI save");
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	error = mail_set_uid(mail, uid) ?
		save_look_at_mail(save, mail, force) : EC_OBJECT_DELETED;
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	return error;
}

/* --- what is written -------------------------------------------------------- */

static uint64_t save_now(void)
{
	return mapi_time_from_unix(ioloop_timeval.tv_sec,
				   ioloop_timeval.tv_usec * 1000);
}

/* What the bag says of itself */
static void save_remove_servers(struct save *save)
{
	static const uint32_t tags[] = {
		PIDTAG_CREATOR_NAME, PIDTAG_CREATOR_ENTRY_ID,
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tags); i++)
		mapi_propset_remove(save->all->props, tags[i]);
}

/* What was made of the message that is replaced, and of nothing that the new one
   has. */
static void save_keep_stored(struct save *save)
{
	static const uint32_t tags[] = {
		PIDTAG_SEARCH_KEY, PIDTAG_CREATION_TIME,
	};
	struct mapi_message_view *view = save->content->view;
	struct mapi_value value;
	TALLOC_CTX *mem;
	unsigned int i;

	if (view->mail == NULL)
		return;
	mem = talloc_new(NULL);
	for (i = 0; i < N_ELEMENTS(tags); i++) {
		if (mapi_mailprops_eval(view, mem, &tags[i], 1, SIZE_MAX,
					&value) == EC_NONE &&
		    value.type == MAPI_TAG_TYPE(tags[i])) {
			(void)mapi_propset_set_value(save->overlay->props,
						     tags[i], &value);
		}
	}
	talloc_free(mem);
}

/* PidTagMessageFlags of a new message as IMAP's flags */
static void save_get_new_flags(struct save *save)
{
	static const char *const resend[] = { MAPI_KEYWORD_RESEND, NULL };
	const struct mapi_value *value;
	uint32_t flags;

	value = mapi_propset_get(save->all->props, PIDTAG_MESSAGE_FLAGS);
	if (value == NULL)
		return;
	flags = value->u.i32;
	if ((flags & MSGFLAG_READ) != 0)
		save->flags |= MAIL_SEEN;
	if ((flags & MSGFLAG_UNSENT) != 0)
		save->flags |= MAIL_DRAFT;
	if ((flags & MSGFLAG_RESEND) != 0)
		save->keywords = resend;
	mapi_propset_remove(save->all->props, PIDTAG_MESSAGE_FLAGS);
}

/* What the properties that have been set make of flags and keywords */
static void save_apply_flags(struct save *save)
{
	static const char *const none[] = { NULL };
	struct mapi_message_content *content = save->content;
	const struct mapi_overlay *changes = content->is_new ?
		content->overlay : content->flag_changes;
	struct mapi_flag_state state = {
		.box = save->box,
		.flags = save->flags,
		.keywords = save->keywords == NULL ? none : save->keywords,
	};

	if (changes == NULL)
		return;
	mapi_flag_state_apply(&state, changes);
	save->flags = state.flags;
	save->keywords = state.keywords;
}

static void save_get_received(struct save *save)
{
	const struct mapi_value *value;

	value = mapi_propset_get(save->all->props,
				 PIDTAG_MESSAGE_DELIVERY_TIME);
	if (value != NULL && mapi_time_to_unix(value->u.time) > 0)
		save->received = mapi_time_to_unix(value->u.time);
	else if (save->received == 0)
		save->received = ioloop_time;
}

/* The MIME form, and what it doesn't say */
static enum mapi_error save_build(struct save *save, TALLOC_CTX *mem)
{
	struct mapi_message_content *content = save->content;
	struct mapi_content *derived;
	struct mime_message *mime;
	enum mapi_error error;
	guid_128_t guid;

	error = mapi_message_content_get_all(content, mem, &save->all);
	if (error != EC_NONE)
		return error;
	save_remove_servers(save);
	if (content->is_new)
		save_get_new_flags(save);
	save_apply_flags(save);
	save_get_received(save);
	error = mapi_message_content_build(content, save->all, TRUE,
					   &save->input);
	if (error != EC_NONE)
		return error;
	mime = mime_message_init_stream(mem, save->input, save->received);
	if (mime == NULL)
		return EC_ERROR;
	error = mapi_message_derive(mem, save->msg->obj.store, mime, &derived);
	if (error != EC_NONE)
		return error;
	if (mapi_overlay_diff(mem, save->all, derived, mapi_prop_is_default,
			      &save->overlay) < 0)
		return EC_ERROR;
	save_keep_stored(save);
	mapi_modified_set(save->msg->obj.store, save->overlay->props,
			  save_now());
	guid_128_generate(guid);
	save->guid = t_strdup(guid_128_to_string(guid));
	i_stream_seek(save->input, 0);
	return EC_NONE;
}

static enum mapi_error save_bag(struct save *save, const char *guid)
{
	struct mapi_bag_new bag = {
		.guid = guid,
		.mid_globcnt = save->mid_globcnt,
		.uidvalidity = save->uidvalidity,
		.uid_min = save->uidnext,
		.overlay = save->overlay,
		.creator = save->creator,
		.subject = save->all == NULL ? NULL :
			mapi_propset_get_string(save->all->props,
						PIDTAG_SUBJECT),
	};
	enum mapi_error error;

	error = mapi_bags_save(save->bags, &bag);
	if (error == EC_NONE)
		save->bag_uid = mapi_bags_find_guid(save->bags, guid);
	return error;
}

static void save_delete_bag(struct save *save, const char *guid)
{
	const char *guids[] = { guid, NULL };

	/* garbage if it fails, which is collected later */
	(void)mapi_bags_delete(save->bags, guids);
}

/* --- writing ---------------------------------------------------------------- */

static enum mapi_error
save_write_mail(struct save *save, struct mailbox_transaction_context *trans)
{
	struct mail_keywords *keywords = NULL;
	struct mail_save_context *ctx;
	int ret;

	if (save->keywords != NULL && *save->keywords != NULL &&
	    mailbox_keywords_create(save->box, save->keywords, &keywords) < 0)
		return mapi_error_from_mailbox(save->box);
	ctx = mailbox_save_alloc(trans);
	mailbox_save_set_flags(ctx, save->flags, keywords);
	mailbox_save_set_received_date(ctx, save->received, 0);
	mailbox_save_set_guid(ctx, save->guid);
	ret = mapi_mail_save(&ctx, save->input);
	if (keywords != NULL)
		mailbox_keywords_unref(&keywords);
	return ret < 0 ? mapi_error_from_mailbox(save->box) : EC_NONE;
}

static enum mapi_error save_write_message(struct save *save)
{
	struct mail_transaction_commit_changes changes;
	struct mailbox_transaction_context *trans;
	const struct seq_range *range;
	enum mapi_error error;
	unsigned int count;

	trans = mailbox_transaction_begin(save->box,
			MAILBOX_TRANSACTION_FLAG_EXTERNAL |
			MAILBOX_TRANSACTION_FLAG_ASSIGN_UIDS, "MAPI save");
	error = save_write_mail(save, trans);
	if (error != EC_NONE) {
		mailbox_transaction_rollback(&trans);
		return error;
	}
	if (mailbox_transaction_commit_get_changes(&trans, &changes) < 0)
		return mapi_error_from_mailbox(save->box);
	range = array_get(&changes.saved_uids, &count);
	if (count > 0)
		save->uid = range[0].seq1;
	pool_unref(&changes.pool);
	return save->uid == 0 ? EC_ERROR : EC_NONE;
}

/* What a process has left that was killed while it saved (a file of an sdbox that
   isn't in the index yet), the next one who saves stumbles over, and Dovecot mends
   when the mailbox is opened again. What was left is a message then, maybe the one
   that was to replace the same message: so the bag has to be written again, to be
   newer than that. */
static enum mapi_error save_write_again(struct save *save)
{
	enum mapi_error error;

	error = save_sync_box(save);
	if (error == EC_NONE)
		error = save_bag(save, save->guid);
	if (error != EC_NONE)
		return error;
	i_stream_seek(save->input, 0);
	return save_write_message(save);
}

/* The message is saved: that the old one isn't removed is no failure. */
static void save_remove_old(struct save *save)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;

	trans = mailbox_transaction_begin(save->box, 0, "MAPI save");
	mail = mail_alloc(trans, 0, NULL);
	if (mail_set_uid(mail, save->old_uid))
		mail_expunge(mail);
	mail_free(&mail);
	save->old_bag_unused = mailbox_transaction_commit(&trans) == 0;
}

/* A new message */
static enum mapi_error save_message(struct save *save, TALLOC_CTX *mem)
{
	enum mapi_error error;

	if (save->content->is_new)
		save->creator = mapi_store_username(save->msg->obj.store);
	error = save_build(save, mem);
	if (error == EC_NONE)
		error = save_bag(save, save->guid);
	if (error != EC_NONE)
		return error;
	error = save_write_message(save);
	if (error == EC_ERROR)
		error = save_write_again(save);
	if (error != EC_NONE) {
		save_delete_bag(save, save->guid);
		return error;
	}
	if (save->old_uid != 0)
		save_remove_old(save);
	return EC_NONE;
}

/* The old message's flags become what the client has set. */
static enum mapi_error save_update_flags(struct save *save)
{
	struct mailbox_transaction_context *trans;
	enum mapi_error error = EC_NONE;
	struct mail *mail;
	bool changed = FALSE;

	trans = mailbox_transaction_begin(save->box, 0, "MAPI save");
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	if (mail_set_uid(mail, save->old_uid)) {
		error = mapi_flag_props_apply(mail, save->content->flag_changes,
					      &changed);
		if (error == EC_NONE && changed)
			mapi_mail_set_modified(mail, save_now());
	}
	mail_free(&mail);
	if (mailbox_transaction_commit(&trans) < 0 && error == EC_NONE)
		error = mapi_error_from_mailbox(save->box);
	return error;
}

static bool
prop_is_derived(struct mapi_message_view *view, TALLOC_CTX *mem,
		const struct mapi_content_prop *prop)
{
	struct mapi_content_prop derived = { .tag = prop->tag };
	uint32_t tag = MAPI_TAG_AS(prop->tag, PTYP_UNSPECIFIED);

	if (mapi_mailprops_eval(view, mem, &tag, 1, SIZE_MAX,
				&derived.value) != EC_NONE)
		return FALSE;
	if (prop->value.type == PTYP_NULL) {
		return derived.value.type == PTYP_ERROR_CODE &&
			derived.value.u.error == EC_NOT_FOUND;
	}
	return mapi_content_prop_equal(&derived, prop) > 0;
}

/* Whether what the client has set is what is read from the message's flags, of
   which the bag says nothing. (Keywords may be others than those that were set:
   the mailbox knows them in another case already.) */
static bool save_is_in_flags(struct save *save, TALLOC_CTX *mem)
{
	const struct mapi_overlay *changes = save->content->flag_changes;
	struct mailbox_transaction_context *trans;
	struct mapi_message_view *view;
	struct mail *mail;
	unsigned int i;
	bool same;

	if (mailbox_sync(save->box, 0) < 0)
		return FALSE;
	trans = mailbox_transaction_begin(save->box, 0, "MAPI save");
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	view = mapi_message_view_create(mem, save->folder,
					save->content->associated);
	same = mail_set_uid(mail, save->old_uid);
	if (same)
		mapi_message_view_set_mail(view, mail);
	for (i = 0; same && i < changes->props->count; i++)
		same = prop_is_derived(view, mem, &changes->props->props[i]);
	for (i = 0; same && i < changes->absent->count; i++)
		same = prop_is_derived(view, mem, &changes->absent->props[i]);
	talloc_free(view);
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	return same;
}

/* The message stays; only its flags and its bag are others. */
static enum mapi_error save_properties(struct save *save, TALLOC_CTX *mem)
{
	struct mapi_message_content *content = save->content;
	enum mapi_error error;

	save->uid = save->old_uid;
	save->uidvalidity = save->uidnext = 0;
	if (!content->bag_changed && content->flag_changes == NULL) {
		/* nothing could be set */
		return EC_NONE;
	}
	if (!content->bag_changed && !content->bag_has_flags &&
	    !mapi_modifier_is_other(save->msg->obj.store, content->overlay)) {
		error = save_update_flags(save);
		if (error != EC_NONE || save_is_in_flags(save, mem))
			return error;
	}
	save->overlay = mapi_overlay_copy(mem, content->overlay);
	mapi_modified_set(save->msg->obj.store, save->overlay->props,
			  save_now());
	if (mapi_folder_mid_is_own(save->folder, content->associated,
				   save->old_uid))
		save->mid_globcnt = 0;
	error = mapi_mail_set_changing(save->box, save->old_uid);
	if (error == EC_NONE)
		error = save_bag(save, save->old_guid);
	if (error == EC_NONE && content->flag_changes != NULL)
		error = save_update_flags(save);
	/* everybody is to see that it has changed, though only its bag has */
	return error == EC_NONE ?
		mapi_mail_set_changed(save->box, save->old_uid) : error;
}

/* --- ------------------------------------------------------------------------ */

static enum mapi_error
message_save_stored(struct save *save, TALLOC_CTX *mem, bool force)
{
	struct mapi_message_content *content = save->content;
	enum mapi_error error;

	error = save_open_box(save);
	if (error == EC_NONE && !content->is_new)
		error = save_lock(save);
	if (error == EC_NONE && !content->is_new)
		error = save_look_at_old(save, force);
	if (error != EC_NONE)
		return error;
	error = content->mime_changed ? save_message(save, mem) :
		save_properties(save, mem);
	if (error != EC_NONE)
		return error;
	error = mapi_folder_sync(save->folder);
	if (error != EC_NONE)
		return error;
	/* Only now has the old message's file been removed. If it hadn't been for
	   want of time, an sdbox that is rebuilt would bring it back, and nobody
	   would know without its bag that it has been replaced. */
	if (save->old_bag_unused)
		save_delete_bag(save, save->old_guid);
	save->msg->mid = mapi_folder_mid(save->folder, content->associated,
					 save->uid);
	if (save->bag_uid != 0) {
		content->saved_overlay = talloc_steal(content, save->overlay);
		content->saved_bag_uid = save->bag_uid;
	}
	return EC_NONE;
}

/* The message as it has been saved takes the place of what it was before, which is
   closed: nothing that has been saved may be open that reads from that. */
static enum mapi_error message_save_reopen(struct save *save)
{
	enum mapi_error error;

	error = mapi_message_content_reopen(save->content, save->mfolder,
					    save->folder, save->uid);
	save->mfolder = NULL;
	return error;
}

/* To the attachment that it's embedded in, whose object may have been released
   since: then it's saved to nothing, as that attachment hasn't been. */
static void message_save_embedded(struct mapi_message_content *content)
{
	struct mapi_attachment_draft *draft = content->draft;

	TALLOC_FREE(draft->embedded);
	draft->embedded = mapi_message_content_get_overlay(content, draft);
	draft->changed = TRUE;
	content->is_new = FALSE;
	content->changed = FALSE;
}

enum mapi_error mapi_message_save(struct mapi_message *msg, bool force)
{
	struct save save = { .msg = msg, .content = msg->priv->content };
	enum mapi_error error;
	TALLOC_CTX *mem;

	if (!msg->priv->writable)
		return EC_ACCESS_DENIED;
	error = mapi_stream_targets_commit(save.content->streams);
	if (error != EC_NONE)
		return error;
	if (!save.content->is_new && !save.content->changed)
		return EC_NONE;
	if (save.content->draft != NULL) {
		message_save_embedded(save.content);
		return EC_NONE;
	}
	mem = talloc_new(NULL);
	T_BEGIN {
		error = message_save_stored(&save, mem, force);
	} T_END;
	file_lock_free(&save.lock);
	i_stream_unref(&save.input);
	talloc_free(mem);
	if (error == EC_NONE) T_BEGIN {
		error = message_save_reopen(&save);
	} T_END;
	if (save.mfolder != NULL)
		mapi_message_folder_release(&save.mfolder);
	return error;
}
