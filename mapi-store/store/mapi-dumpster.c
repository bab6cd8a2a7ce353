/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Soft-deleted messages ([MS-OXCFOLD] 2.2.1.11).

   What is soft deleted is moved to the mailbox "deleted-<folder number>"
   ("deleted-fai-<number>" for FAI messages) of the companion tree, so that it's
   encrypted, replicated, backed up and counted as all other mail. Bags go along,
   to "bags-deleted-<number>". Dovecot's own date of saving says since when a
   message is there; so "doveadm expunge mailbox .. savedbefore .." and autoexpunge
   do what one expects. (mapi-dumpster-date.c has the exception.)

   MIDs. A message keeps its MID, by which the client that has deleted it may ask
   for it again. It's in a record of an index extension:

     (the mailbox's UID, GLOBCNT of the MID)

   Where that is lost (force-resync of dbox formats, a replica), messages have MIDs
   made of their UIDs, as those of any mailbox.

   Interruptions. Moving is: copy bags, copy messages, expunge messages, expunge bags.
   A process that dies in between leaves messages in both mailboxes. That has to
   be noticed when somebody looks next, and without comparing everything each time.
   So the extension's header has the UID up to which it's known that nothing is in
   both: whoever has moved something looks at what is above it and raises it.
   Above it there may be

   (1) messages whose MID is still that of a message of the folder, with the same
       GUID: they have been copied, and that is ended by expunging them from the
       folder. It's not undone, as the copy may be there because a replica
       has seen one half of a move.

   (2) messages without a MID. A Maildir's files are there before they are in the
       index, and a dbox that is rebuilt finds files, too. Such a message may be
       anything that has come here by other means; but if its content is that of
       a message that is in the folder now, and it has come after the last move
       from that folder began (an extension of the folder's index says which UID
       was next then), it's such a file, and it's expunged from the dumpster.

   Originals that can't be expunged (rights, plugins) stay, and their copies are
   expunged by the process that has made them. All of this is done under a lock, so
   that nobody else takes copies for those of a process that has died. */

#include "lib.h"
#include "array.h"
#include "file-lock.h"
#include "hash.h"
#include "ioloop.h"
#include "mail-cache.h"
#include "store-compat.h"
#include "mapi-bags.h"
#include "mapi-dumpster-private.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-mail.h"
#include "mapi-message-folder.h"
#include "mapi-message-move.h"
#include "mapi-store-private.h"

#define EXT_NAME "mapi-deleted"
#define FIELD_SAVE_DATE "date.save"
#define LOCK_NAME "mapi-deleted.lock"
#define LOCK_TIMEOUT_SECS 120

struct dumpster_header {
	/* up to this UID nothing is in the folder, too */
	uint32_t checked_uid;
	uint32_t unused;
};

struct mapi_dumpster_ids {
	HASH_TABLE(uint64_t *, void *) uids;
	pool_t pool;
	uint32_t last_uid;
};

bool mapi_dumpster_is_enabled(struct mapi_store *store)
{
	return store->set->deleted_retention > 0;
}

const char *mapi_dumpster_leaf(uint32_t folder_number, bool associated)
{
	return t_strdup_printf(associated ? MAPI_COMPANION_DELETED_FAI :
			       MAPI_COMPANION_DELETED, folder_number);
}

bool mapi_dumpster_exists(struct mapi_store *store, mapi_id_t fid,
			  bool associated)
{
	bool exists;

	T_BEGIN {
		exists = mapi_companion_exists(store->companion,
			mapi_dumpster_leaf(mapi_folder_fid_to_number(fid),
					   associated));
	} T_END;
	return exists;
}

enum mapi_error
mapi_dumpster_create(struct mapi_store *store, uint32_t folder_number,
		     bool associated)
{
	/* messages needn't be opened for it */
	static const struct mailbox_cache_field cache_updates[] = {
		{ .name = FIELD_SAVE_DATE,
		  .decision = MAIL_CACHE_DECISION_YES,
		  .last_used = (time_t)-1 },
		{ .name = NULL }
	};
	struct mailbox_update update;
	struct mailbox *box;
	enum mapi_error error;

	i_zero(&update);
	update.cache_updates = cache_updates;
	T_BEGIN {
		error = mapi_companion_open(store->companion,
			mapi_dumpster_leaf(folder_number, associated), TRUE,
			&update, &box);
	} T_END;
	if (error == EC_NONE)
		mailbox_free(&box);
	return error;
}

/* --- MIDs ------------------------------------------------------------------- */

static uint32_t dumpster_ext_id(struct mailbox *box)
{
	return mail_index_ext_register(box->index, EXT_NAME,
				       sizeof(struct dumpster_header),
				       sizeof(uint64_t), sizeof(uint32_t));
}

void mapi_dumpster_mail_added(struct mailbox_transaction_context *trans,
			      uint32_t seq, uint64_t globcnt, time_t deleted)
{
	uint32_t date = deleted != 0 ? deleted : ioloop_time;
	unsigned int field;

	if (deleted != 0)
		mapi_dumpster_set_date(trans, seq, deleted);

	mail_index_update_ext(trans->itrans, seq, dumpster_ext_id(trans->box),
			      &globcnt, NULL);
	/* lib-storage does it only if the folder's mailbox caches it, too */
	field = mail_cache_register_lookup(trans->box->cache, FIELD_SAVE_DATE);
	if (field != UINT_MAX) {
		mail_cache_add(trans->cache_trans, seq, field, &date,
			       sizeof(date));
	}
}

uint64_t mapi_dumpster_seq_mid(struct mailbox *box, uint32_t seq)
{
	uint64_t globcnt = 0;
	const void *data;
	bool expunged;

	mail_index_lookup_ext(box->view, seq, dumpster_ext_id(box), &data,
			      &expunged);
	if (data != NULL)
		memcpy(&globcnt, data, sizeof(globcnt));
	return globcnt;
}

uint64_t mapi_dumpster_get_mid(struct mailbox *box, uint32_t uid)
{
	uint32_t seq;

	return mail_index_lookup_seq(box->view, uid, &seq) ?
		mapi_dumpster_seq_mid(box, seq) : 0;
}

static unsigned int globcnt_hash(const uint64_t *globcnt)
{
	return mem_hash(globcnt, sizeof(*globcnt));
}

static int globcnt_cmp(const uint64_t *a, const uint64_t *b)
{
	return *a < *b ? -1 : *a > *b ? 1 : 0;
}

static int mapi_dumpster_ids_destructor(struct mapi_dumpster_ids *ids)
{
	hash_table_destroy(&ids->uids);
	pool_unref(&ids->pool);
	return 0;
}

struct mapi_dumpster_ids *mapi_dumpster_ids_init(TALLOC_CTX *parent)
{
	struct mapi_dumpster_ids *ids;

	ids = talloc_zero(parent, struct mapi_dumpster_ids);
	ids->pool = pool_alloconly_create("mapi dumpster", 1024);
	hash_table_create(&ids->uids, ids->pool, 0, globcnt_hash, globcnt_cmp);
	talloc_set_destructor(ids, mapi_dumpster_ids_destructor);
	return ids;
}

void mapi_dumpster_ids_refresh(struct mapi_dumpster_ids *ids,
			       struct mailbox *box)
{
	uint32_t seq, seq1, seq2, uid;
	uint64_t globcnt, *key;

	mailbox_get_seq_range(box, ids->last_uid + 1, (uint32_t)-1,
			      &seq1, &seq2);
	for (seq = seq1; seq != 0 && seq <= seq2; seq++) {
		mail_index_lookup_uid(box->view, seq, &uid);
		globcnt = mapi_dumpster_seq_mid(box, seq);
		if (globcnt != 0) {
			key = p_new(ids->pool, uint64_t, 1);
			*key = globcnt;
			hash_table_update(ids->uids, key, POINTER_CAST(uid));
		}
		ids->last_uid = uid;
	}
}

uint32_t mapi_dumpster_ids_find(const struct mapi_dumpster_ids *ids,
				uint64_t globcnt)
{
	void *uid = hash_table_lookup(ids->uids, &globcnt);

	return POINTER_CAST_TO(uid, uint32_t);
}

/* --- a folder and its dumpster ---------------------------------------------- */

static enum mapi_error dumpster_lock(struct mapi_dumpster *d)
{
	/* nobody else sees it */
	if (mail_index_is_in_memory(d->deleted_box->index))
		return EC_NONE;
	return mapi_mail_lock(d->deleted_box, LOCK_NAME, LOCK_TIMEOUT_SECS,
			      &d->lock);
}

enum mapi_error mapi_dumpster_open(struct mapi_dumpster *d, bool create)
{
	struct mapi_store *store = d->folder->obj.store;
	enum mapi_error error = EC_NONE;

	d->deleted_box = NULL;
	if (create) {
		error = mapi_dumpster_create(store,
			mapi_folder_fid_to_number(d->fid), d->associated);
	}
	if (error == EC_NONE) {
		error = d->folder->own ?
			mapi_message_folder_get_own(store, d->fid, TRUE,
				&d->deleted_mfolder, &d->deleted) :
			mapi_message_folder_get_deleted(store, d->fid,
				&d->deleted_mfolder, &d->deleted);
	}
	if (error != EC_NONE)
		return error;
	if (!d->associated)
		d->deleted_box = d->deleted->box;
	else {
		error = mapi_folder_open_associated(d->deleted,
						    &d->deleted_box);
	}
	if (error == EC_NONE && d->deleted_box != NULL &&
	    mailbox_is_readonly(d->deleted_box)) {
		/* nothing for somebody who hasn't the rights to delete */
		d->deleted_box = NULL;
		error = create ? EC_ACCESS_DENIED : EC_NONE;
	} else if (error == EC_NONE && d->deleted_box != NULL) {
		error = dumpster_lock(d);
	} else if (error == EC_NONE && create) {
		error = EC_OBJECT_DELETED;
	}
	if (error == EC_NONE && d->deleted_box != NULL) {
		/* what was done before it was locked */
		if (mailbox_sync(d->box, 0) < 0)
			error = mapi_error_from_mailbox(d->box);
		else if (mailbox_sync(d->deleted_box, 0) < 0)
			error = mapi_error_from_mailbox(d->deleted_box);
	}
	return error;
}

void mapi_dumpster_close(struct mapi_dumpster *d)
{
	if (d->lock != NULL)
		file_lock_free(&d->lock);
	if (d->deleted_mfolder != NULL)
		mapi_message_folder_release(&d->deleted_mfolder);
}

uint32_t mapi_dumpster_checked_uid(struct mailbox *deleted_box)
{
	struct dumpster_header hdr;
	const void *data;
	size_t size;

	mail_index_get_header_ext(deleted_box->view,
				  dumpster_ext_id(deleted_box), &data, &size);
	if (size < sizeof(hdr))
		return 0;
	memcpy(&hdr, data, sizeof(hdr));
	return hdr.checked_uid;
}

enum mapi_error
mapi_dumpster_set_checked_uid(struct mailbox *deleted_box, uint32_t uid)
{
	struct mailbox_transaction_context *trans;
	struct dumpster_header hdr = { .checked_uid = uid };

	if (mapi_dumpster_checked_uid(deleted_box) == uid)
		return EC_NONE;
	trans = mailbox_transaction_begin(deleted_box, 0, "MAPI dumpster");
	mail_index_update_header_ext(trans->itrans,
				     dumpster_ext_id(deleted_box), 0,
				     &hdr, sizeof(hdr));
	return mailbox_transaction_commit(&trans) < 0 ?
		mapi_error_from_mailbox(deleted_box) : EC_NONE;
}

uint32_t mapi_dumpster_last_uid(struct mailbox *deleted_box)
{
	return mail_index_get_header(deleted_box->view)->next_uid - 1;
}

static const char *dumpster_mail_guid(struct mail *mail)
{
	const char *guid;

	return mail_get_special(mail, MAIL_FETCH_GUID, &guid) < 0 ||
		*guid == '\0' ? NULL : t_strdup(guid);
}

/* Expunges those that are in both, from which of them is said. */
static void
dumpster_expunge_mails(struct mapi_dumpster *d, struct mail *mail,
		       struct mail *deleted_mail, uint32_t first_uid,
		       bool from_folder, ARRAY_TYPE(const_string) *guids)
{
	uint32_t seq, seq1, seq2, uid;
	const char *guid, *deleted_guid;
	uint64_t globcnt;
	bool associated;

	mailbox_get_seq_range(d->deleted_box, first_uid, (uint32_t)-1,
			      &seq1, &seq2);
	for (seq = seq1; seq != 0 && seq <= seq2; seq++) {
		globcnt = mapi_dumpster_seq_mid(d->deleted_box, seq);
		if (globcnt == 0 ||
		    mapi_folder_mid_to_uid(d->folder,
				MAPI_ID(MAPI_STORE_REPLID, globcnt),
				&associated, &uid) != EC_NONE ||
		    associated != d->associated || !mail_set_uid(mail, uid))
			continue;
		/* what has been changed since is another message */
		mail_set_seq(deleted_mail, seq);
		guid = dumpster_mail_guid(mail);
		deleted_guid = dumpster_mail_guid(deleted_mail);
		if (null_strcmp(guid, deleted_guid) != 0 || guid == NULL)
			continue;
		array_push_back(guids, &guid);
		mail_expunge(from_folder ? mail : deleted_mail);
	}
}

static enum mapi_error
dumpster_expunge_twins(struct mapi_dumpster *d, uint32_t first_uid, bool from_folder)
{
	struct mailbox *box = from_folder ? d->box : d->deleted_box;
	struct mailbox_transaction_context *trans, *deleted_trans;
	struct mail *mail, *deleted_mail;
	ARRAY_TYPE(const_string) guids;
	enum mapi_error error = EC_NONE;
	bool done;

	t_array_init(&guids, 8);
	trans = mailbox_transaction_begin(d->box, 0, "MAPI dumpster");
	deleted_trans = mailbox_transaction_begin(d->deleted_box, 0,
						  "MAPI dumpster");
	mail = mail_alloc(trans, 0, NULL);
	deleted_mail = mail_alloc(deleted_trans, 0, NULL);
	dumpster_expunge_mails(d, mail, deleted_mail, first_uid, from_folder,
			       &guids);
	mail_free(&mail);
	mail_free(&deleted_mail);
	done = mailbox_transaction_commit(&trans) == 0;
	if (mailbox_transaction_commit(&deleted_trans) < 0)
		done = FALSE;
	if (array_count(&guids) == 0)
		return EC_NONE;
	if (!done || mailbox_sync(box, MAILBOX_SYNC_FLAG_EXPUNGE) < 0)
		error = mapi_error_from_mailbox(box);
	if (error == EC_NONE) {
		e_debug(box->event, "mapi: %u messages were in the dumpster "
			"and in the folder", array_count(&guids));
		array_append_zero(&guids);
		error = mapi_bags_delete(from_folder ?
			mapi_folder_bags(d->folder, d->associated) :
			mapi_folder_bags(d->deleted, d->associated),
			array_front(&guids));
	}
	return error;
}

/* Ends what has been interrupted. */
static enum mapi_error dumpster_check(struct mapi_dumpster *d)
{
	uint32_t last_uid = mapi_dumpster_last_uid(d->deleted_box);
	uint32_t checked_uid = mapi_dumpster_checked_uid(d->deleted_box);
	enum mapi_error error;

	if (checked_uid >= last_uid)
		return EC_NONE;
	T_BEGIN {
		error = dumpster_expunge_twins(d, checked_uid + 1, TRUE);
		if (error == EC_NONE)
			error = mapi_dumpster_drop_files(d, checked_uid + 1);
	} T_END;
	return error != EC_NONE ? error :
		mapi_dumpster_set_checked_uid(d->deleted_box, last_uid);
}

/* --- deleting --------------------------------------------------------------- */

static enum mapi_error
dumpster_move(struct mapi_dumpster *d, const ARRAY_TYPE(seq_range) *uids,
	      bool *partial)
{
	struct mapi_message_transfer transfer = {
		.src = d->box,
		.dest = d->deleted_box,
		.dest_folder = d->deleted,
		.src_bags = mapi_folder_bags(d->folder, d->associated),
		.dest_bags = mapi_folder_bags(d->deleted, d->associated),
		.uids = uids,
		.move = TRUE,
		.deleted_from = d->folder,
		.associated = d->associated,
	};
	uint32_t last_uid = mapi_dumpster_last_uid(d->deleted_box);
	enum mapi_error error;
	bool left = FALSE;

	error = mapi_dumpster_begin_move(d);
	if (error != EC_NONE)
		return error;
	error = mapi_message_transfer_run(&transfer, &left);
	d->deleted_box = transfer.dest;
	if (left)
		*partial = TRUE;
	if (mailbox_sync(d->deleted_box, 0) < 0) {
		return error != EC_NONE ? error :
			mapi_error_from_mailbox(d->deleted_box);
	}
	if (left) {
		/* If not all could be copied, none has been. Some weren't
		   there, or couldn't be expunged. */
		if (mailbox_sync(d->box, 0) == 0)
			(void)dumpster_expunge_twins(d, last_uid + 1, FALSE);
	}
	return error;
}

enum mapi_error
mapi_dumpster_put(struct mapi_folder *folder, bool associated,
		  struct mailbox *box, const ARRAY_TYPE(seq_range) *uids,
		  bool *partial)
{
	struct mapi_dumpster d = {
		.fid = folder->fid, .folder = folder, .box = box,
		.associated = associated,
	};
	enum mapi_error error;

	error = mapi_folder_check_rights(folder, associated ?
					 RIGHTS_FOLDER_OWNER : folder->own ?
					 RIGHTS_DELETE_OWNED :
					 RIGHTS_DELETE_ANY);
	if (error != EC_NONE)
		return error;
	T_BEGIN {
		error = mapi_dumpster_open(&d, TRUE);
		if (error == EC_NONE)
			error = dumpster_check(&d);
		if (error == EC_NONE)
			error = dumpster_move(&d, uids, partial);
		/* it's done if it's done: what isn't written down is found out
		   once more */
		if (error == EC_NONE)
			(void)dumpster_check(&d);
		mapi_dumpster_close(&d);
	} T_END;
	return error;
}

/* --- looking ---------------------------------------------------------------- */

static enum mapi_error
dumpster_check_folder(struct mapi_store *store, mapi_id_t fid, bool associated)
{
	struct mapi_dumpster d = { .fid = fid, .associated = associated };
	struct mapi_message_folder *mfolder;
	enum mapi_error error;

	error = mapi_message_folder_get(store, fid, &mfolder, &d.folder);
	if (error == EC_NOT_FOUND || error == EC_OBJECT_DELETED) {
		/* then nothing is in both */
		return EC_NONE;
	}
	if (error != EC_NONE)
		return error;
	d.box = d.folder->box;
	if (associated)
		error = mapi_folder_open_associated(d.folder, &d.box);
	if (error == EC_NONE && d.box != NULL) {
		error = mapi_dumpster_open(&d, FALSE);
		if (error == EC_NONE && d.deleted_box != NULL)
			error = dumpster_check(&d);
		mapi_dumpster_close(&d);
	}
	mapi_message_folder_release(&mfolder);
	return error;
}

/* Whether nothing is known of what has come last */
static enum mapi_error
dumpster_is_checked(struct mapi_store *store, mapi_id_t fid, bool associated,
		    bool *checked_r)
{
	struct mailbox *box;
	enum mapi_error error;

	*checked_r = TRUE;
	error = mapi_companion_open(store->companion,
		mapi_dumpster_leaf(mapi_folder_fid_to_number(fid), associated),
		FALSE, NULL, &box);
	if (error != EC_NONE)
		return error == EC_NOT_FOUND ? EC_NONE : error;
	*checked_r = mapi_dumpster_checked_uid(box) >= mapi_dumpster_last_uid(box);
	mailbox_free(&box);
	return EC_NONE;
}

static enum mapi_error
dumpster_look(struct mapi_store *store, mapi_id_t fid, bool associated,
	      bool expire)
{
	enum mapi_error error;
	bool checked;

	if (!mapi_dumpster_exists(store, fid, associated))
		return EC_NONE;
	error = dumpster_is_checked(store, fid, associated, &checked);
	if (error == EC_NONE && !checked)
		error = dumpster_check_folder(store, fid, associated);
	if (error == EC_NONE && expire && mapi_dumpster_is_enabled(store)) {
		error = mapi_dumpster_expire(store,
			mapi_folder_fid_to_number(fid), associated);
	}
	return error;
}

enum mapi_error mapi_dumpster_look(struct mapi_store *store, mapi_id_t fid)
{
	enum mapi_error error = EC_NONE;
	unsigned int i;

	for (i = 0; i < 2 && error == EC_NONE; i++) T_BEGIN {
		error = dumpster_look(store, fid, i > 0, TRUE);
	} T_END;
	return error;
}

void mapi_dumpster_look_once(struct mapi_store *store, mapi_id_t fid)
{
	uint32_t number = mapi_folder_fid_to_number(fid);
	unsigned int i;

	if (!array_is_created(&store->dumpsters_seen))
		i_array_init(&store->dumpsters_seen, 8);
	if (seq_range_exists(&store->dumpsters_seen, number))
		return;
	seq_range_array_add(&store->dumpsters_seen, number);
	for (i = 0; i < 2; i++) T_BEGIN {
		(void)dumpster_look(store, fid, i > 0, FALSE);
	} T_END;
}
