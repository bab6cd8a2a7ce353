/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mail that is to be sent later: it's held in the Outbox, with two keywords and the
   properties that say when (mapi-submit.h). Nothing else is known of it in the
   mailbox; somebody else knows only when to look there (struct mapi_deferrals).

   That one is told first, then the message is marked. The lock of the Outbox is held
   meanwhile, and taken by who looks there: so who has been told, and looks, finds it.
   Who is told and finds nothing has lost nothing.

   To send it, $MapiHeld is taken away under the lock, durably, before anything is
   sent: from then on it's as with any other message. What the mail server doesn't
   take is marked as held again, and tried again for some days. Otherwise the sender
   is told, and it stays in the Outbox as a message that hasn't been sent. */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "istream.h"
#include "str-sanitize.h"
#include "store-compat.h"
#include "mapi-folder-rights.h"
#include "mapi-message-private.h"
#include "mapi-message-write.h"
#include "mapi-object-props.h"
#include "mapi-props.h"
#include "mapi-store-private.h"
#include "mapi-submit.h"
#include "mapi-submit-private.h"

/* The next attempt comes when the message is late by half as much again, within
   these limits. */
#define RETRY_MIN_SECS 60
#define RETRY_MAX_SECS (60 * 60)
/* As mail servers have it. What is older, and isn't wanted by anybody any more, may
   also have come back from a backup: it isn't sent for the first time, either. */
#define GIVE_UP_SECS (4 * 24 * 60 * 60)

struct held_message {
	mapi_id_t mid;
	/* 0 if that can't be read */
	time_t due;
};
ARRAY_DEFINE_TYPE(held_message, struct held_message);

/* --- what is held ----------------------------------------------------------------- */

static void
held_find(struct mapi_submit_folder *sf, ARRAY_TYPE(held_message) *held)
{
	struct mailbox_transaction_context *trans;
	struct held_message *message;
	struct mail *mail;
	uint32_t seq, count;

	trans = mailbox_transaction_begin(sf->folder->box, 0, "MAPI submit");
	mail = mail_alloc(trans, MAIL_FETCH_FLAGS, NULL);
	count = mail_index_view_get_messages_count(trans->view);
	for (seq = 1; seq <= count; seq++) T_BEGIN {
		mail_set_seq(mail, seq);
		if (mapi_submit_mail_mark(mail) == MAPI_SUBMIT_HELD) {
			message = array_append_space(held);
			message->mid = mapi_folder_mid(sf->folder, FALSE,
						       mail->uid);
		}
	} T_END;
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
}

static time_t held_get_due(struct mapi_submit_folder *sf, mapi_id_t mid)
{
	static const struct mapi_props_options options = {
		.max_size = SIZE_MAX,
	};
	static const uint32_t tags[] = {
		PIDTAG_DEFERRED_SEND_TIME, PIDTAG_DEFERRED_DELIVERY_TIME,
	};
	struct mapi_value values[N_ELEMENTS(tags)];
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_message *msg;
	time_t due = 0;
	unsigned int i;

	if (mapi_message_open(mem, sf->folder->obj.store, sf->folder->fid, mid,
			      &msg) == EC_NONE &&
	    mapi_object_get_props(&msg->obj, mem, &options, tags,
				  N_ELEMENTS(tags), values) == EC_NONE) {
		for (i = 0; i < N_ELEMENTS(tags); i++) {
			if (values[i].type == PTYP_TIME) {
				due = I_MAX(due, mapi_time_to_unix(
							values[i].u.time));
			}
		}
	}
	talloc_free(mem);
	return due;
}

/* held isn't on the data stack. */
static void
held_get(struct mapi_submit_folder *sf, ARRAY_TYPE(held_message) *held)
{
	struct held_message *message;

	held_find(sf, held);
	array_foreach_modifiable(held, message) T_BEGIN {
		message->due = held_get_due(sf, message->mid);
	} T_END;
}

/* When to look again */
static time_t
held_get_next(const ARRAY_TYPE(held_message) *held, time_t now)
{
	const struct held_message *message;
	time_t when, next = 0;

	array_foreach(held, message) {
		when = message->due;
		if (when <= now) {
			when = now + I_MIN(I_MAX((now - when) / 2,
						 RETRY_MIN_SECS),
					   RETRY_MAX_SECS);
		}
		if (next == 0 || when < next)
			next = when;
	}
	return next;
}

/* --- holding ---------------------------------------------------------------------- */

static bool store_add_deferral(struct mapi_store *store, time_t due)
{
	struct mapi_deferrals *deferrals = store->set->deferrals;

	return deferrals != NULL &&
		deferrals->add(deferrals, store->user->username, due) == 0;
}

static enum mapi_error
hold_elsewhere(struct mapi_submit_folder *sf, struct mapi_submit_folder *outbox,
	       mapi_id_t mid, const char *guid)
{
	struct mapi_store *store = sf->folder->obj.store;
	bool partial;
	enum mapi_error error;
	uint32_t uid;

	error = mapi_messages_copy(store, sf->folder->fid, store,
				   outbox->folder->fid, &mid, 1, TRUE,
				   &partial);
	if (error == EC_NONE && partial)
		error = EC_OBJECT_DELETED;
	if (error == EC_NONE)
		error = mapi_folder_sync(outbox->folder);
	if (error != EC_NONE)
		return error;
	uid = mapi_submit_find_guid(outbox->folder, guid);
	return uid == 0 ? EC_ERROR :
		mapi_submit_set_mark(outbox, mapi_folder_mid(outbox->folder,
							     FALSE, uid),
				     MAPI_SUBMIT_HELD);
}

enum mapi_error
mapi_submission_hold(struct mapi_submit_folder *sf,
		     const struct mapi_submission *submission,
		     struct mapi_message *msg)
{
	struct mapi_store *store = submission->store;
	mapi_id_t fid = mapi_store_special_fid(store, MAPI_SPECIAL_OUTBOX);
	struct mapi_submit_folder outbox;
	enum mapi_error error;
	const char *guid;

	/* Who sends it later has the owner's rights alone. */
	if (mapi_store_is_delegate(store))
		return EC_NOT_SUPPORTED;
	if (sf->folder->fid == fid) {
		return !store_add_deferral(store, ioloop_time +
					   submission->hold_secs) ?
			EC_NOT_SUPPORTED :
			mapi_submit_set_mark(sf, msg->mid, MAPI_SUBMIT_HELD);
	}
	if (mail_get_special(msg->priv->content->mail, MAIL_FETCH_GUID,
			     &guid) < 0)
		return mapi_error_from_mailbox(msg->priv->content->mail->box);
	guid = t_strdup(guid);
	error = mapi_submit_folder_open(store, fid, MAPI_SUBMIT_LOCK_SECS,
					&outbox);
	if (error == EC_NONE && !store_add_deferral(store, ioloop_time +
						    submission->hold_secs))
		error = EC_NOT_SUPPORTED;
	else if (error == EC_NONE)
		error = hold_elsewhere(sf, &outbox, msg->mid, guid);
	mapi_submit_folder_close(&outbox);
	return error;
}

void mapi_submit_remember_held(struct mapi_submit_folder *sf)
{
	struct mapi_store *store = sf->folder->obj.store;
	ARRAY_TYPE(held_message) held;
	const struct held_message *message;
	time_t due = 0;

	i_array_init(&held, 8);
	held_get(sf, &held);
	array_foreach(&held, message) {
		if (due == 0 || message->due < due)
			due = I_MAX(message->due, ioloop_time);
	}
	if (due != 0 && !store_add_deferral(store, due)) {
		e_warning(store->user->event, "mapi: %u messages in the "
			  "Outbox are to be sent later, and nobody is there to "
			  "do it but \"doveadm mapi deferred\"",
			  array_count(&held));
	}
	array_free(&held);
}

/* --- sending ---------------------------------------------------------------------- */

/* Why it's useless to try again; NULL if it isn't. EC_NONE is no error of the mail
   server's. */
static const char *failure_reason(enum mapi_error error, time_t late_secs)
{
	static const struct {
		enum mapi_error error;
		const char *reason;
	} reasons[] = {
		{ EC_ACCESS_DENIED,
		  "The mail server doesn't take it from this sender." },
		{ EC_INVALID_RECIPIENTS,
		  "The mail server doesn't take it for any of them." },
		{ EC_TOO_MANY_RECIPS, "It has too many recipients." },
		{ EC_MAX_SUBMISSION_EXCEEDED, "It is too large." },
		{ EC_ERROR, "The mail server doesn't take it." },
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(reasons); i++) {
		if (reasons[i].error == error)
			return reasons[i].reason;
	}
	return late_secs <= GIVE_UP_SECS ? NULL :
		"It couldn't be sent when it should have been.";
}

/* The message isn't to be held any more once the sender has been told. by_server: the
   error is the mail server's. Others may be gone next time, as when the directory
   couldn't be asked for an address. */
static void
deferred_failed(struct mapi_submit_folder *sf,
		struct mapi_submission *submission, struct mapi_message *msg,
		struct mapi_content *all, enum mapi_error error, bool by_server,
		time_t late_secs, struct mapi_deferred_result *result)
{
	const char *reason = failure_reason(by_server ? error : EC_NONE,
					    late_secs);
	struct event *event = submission->store->user->event;

	if (reason == NULL) {
		e_warning(event, "mapi: msgid=%s: Not sent at its time, will "
			  "be tried again: %s",
			  str_sanitize(submission->message_id, 200),
			  mapi_error_name(error));
		return;
	}
	if (mapi_submission_report(submission, all, reason) != EC_NONE)
		return;
	e_info(event, "mapi: msgid=%s: Not sent at its time: %s",
	       str_sanitize(submission->message_id, 200), reason);
	(void)mapi_submit_set_mark(sf, msg->mid, MAPI_SUBMIT_NONE);
	result->failed++;
}

static enum mapi_error
deferred_send(struct mapi_submit_folder *sf, struct mapi_submission *submission,
	      struct mapi_message *msg, struct mapi_content *all,
	      struct mapi_deferred_result *result)
{
	time_t late_secs = ioloop_time - mapi_submission_due(all->props);
	struct istream *input = NULL;
	enum mapi_error error;
	bool by_server = FALSE;

	if (late_secs < 0)
		return EC_NONE;
	error = mapi_submission_init(submission, all);
	if (error == EC_NONE && late_secs > GIVE_UP_SECS)
		error = EC_TIMEOUT;
	if (error == EC_NONE)
		error = mapi_submission_build(submission, msg, all, &input);
	if (error == EC_NONE) {
		error = mapi_submit_set_mark(sf, msg->mid,
					     MAPI_SUBMIT_PENDING);
	}
	if (error == EC_NONE) {
		error = mapi_submission_send(sf, submission, msg, all, input);
		by_server = TRUE;
	}
	i_stream_unref(&input);
	if (error == EC_NONE)
		result->sent++;
	else if (!submission->unknown) {
		deferred_failed(sf, submission, msg, all, error, by_server,
				late_secs, result);
	}
	return EC_NONE;
}

/* As it's now: others may have sent it, or taken it back. */
static enum mapi_error
deferred_send_locked(struct mapi_submit_folder *sf, mapi_id_t mid,
		     struct mapi_deferred_result *result)
{
	struct mapi_submission submission = {
		.store = sf->folder->obj.store,
		.held = TRUE,
	};
	TALLOC_CTX *mem;
	struct mapi_message *msg;
	struct mapi_content *all;
	enum mapi_submit_mark mark;
	enum mapi_error error;

	error = mapi_submit_get_mark(sf, mid, &mark);
	if (error == EC_NOT_FOUND ||
	    (error == EC_NONE && mark != MAPI_SUBMIT_HELD))
		return EC_NONE;
	mem = talloc_new(NULL);
	submission.pool = pool_alloconly_create("MAPI submit", 1024);
	if (error == EC_NONE) {
		error = mapi_message_open(mem, submission.store,
					  sf->folder->fid, mid, &msg);
	}
	if (error == EC_NONE) {
		error = mapi_message_content_get_all(msg->priv->content, mem,
						     &all);
	}
	if (error == EC_NONE)
		error = deferred_send(sf, &submission, msg, all, result);
	pool_unref(&submission.pool);
	talloc_free(mem);
	return error;
}

static void
store_send_deferred(struct mapi_store *store, mapi_id_t fid, mapi_id_t mid,
		    struct mapi_deferred_result *result)
{
	struct mapi_submit_folder sf;
	enum mapi_error error;

	error = mapi_submit_folder_open(store, fid, MAPI_SUBMIT_LOCK_SECS, &sf);
	if (error == EC_NONE)
		error = deferred_send_locked(&sf, mid, result);
	mapi_submit_folder_close(&sf);
	if (error != EC_NONE) {
		e_error(store->user->event, "mapi: A message that is to be "
			"sent now can't be, will be tried again: %s",
			mapi_error_name(error));
	}
}

static enum mapi_error
store_get_held(struct mapi_store *store, mapi_id_t fid,
	       ARRAY_TYPE(held_message) *held)
{
	struct mapi_submit_folder sf;
	enum mapi_error error;

	array_clear(held);
	error = mapi_submit_folder_open(store, fid, MAPI_SUBMIT_LOCK_SECS, &sf);
	if (error == EC_NONE) {
		mapi_submit_folder_recover(&sf);
		error = mapi_folder_sync(sf.folder);
	}
	if (error == EC_NONE)
		held_get(&sf, held);
	mapi_submit_folder_close(&sf);
	return error;
}

/* The lock is given to others in between. */
static enum mapi_error
submit_deferred(struct mapi_store *store, mapi_id_t fid,
		struct mapi_deferred_result *result)
{
	ARRAY_TYPE(held_message) held;
	const struct held_message *message;
	bool any_due = FALSE;
	enum mapi_error error;

	i_array_init(&held, 8);
	error = store_get_held(store, fid, &held);
	array_foreach(&held, message) T_BEGIN {
		if (message->due <= ioloop_time) {
			any_due = TRUE;
			store_send_deferred(store, fid, message->mid, result);
		}
	} T_END;
	if (any_due)
		error = store_get_held(store, fid, &held);
	result->held = array_count(&held);
	result->next = held_get_next(&held, ioloop_time);
	array_free(&held);
	return error;
}

enum mapi_error
mapi_submit_deferred(struct mapi_store *store,
		     struct mapi_deferred_result *result_r)
{
	mapi_id_t fid = mapi_store_special_fid(store, MAPI_SPECIAL_OUTBOX);
	enum mapi_error error;

	i_zero(result_r);
	if (!mapi_submit_folder_has_messages(store, fid))
		return EC_NONE;
	T_BEGIN {
		error = submit_deferred(store, fid, result_r);
	} T_END;
	return error;
}
