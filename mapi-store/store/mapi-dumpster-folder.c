/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages of a folder that is deleted. Its own dumpster goes with it, so they get
   into another folder's, and what is in its own does, too. They are copied there, and
   then the mailboxes are deleted as a whole: who may delete that needn't have the
   right to take messages out of it. A process that dies in between leaves the folder
   as it was. When it's deleted again, what the dumpster has already isn't copied
   once more. */

#include "lib.h"
#include "array.h"
#include "store-compat.h"
#include "mapi-dumpster-private.h"
#include "mapi-message-folder.h"
#include "mapi-message-move.h"

static bool dumpster_has_mail(struct mapi_dumpster *d, struct mail *mail,
			      struct mail *deleted_mail)
{
	const char *guid, *deleted_guid;
	bool associated;
	uint32_t uid;

	if (mapi_folder_mid_to_uid(d->deleted,
			mapi_folder_mid(d->folder, d->associated, mail->uid),
			&associated, &uid) != EC_NONE ||
	    associated != d->associated || !mail_set_uid(deleted_mail, uid))
		return FALSE;
	/* it may have been changed since */
	return mail_get_special(mail, MAIL_FETCH_GUID, &guid) == 0 &&
		mail_get_special(deleted_mail, MAIL_FETCH_GUID,
				 &deleted_guid) == 0 &&
		strcmp(guid, deleted_guid) == 0;
}

static void
dumpster_find_missing(struct mapi_dumpster *d, ARRAY_TYPE(seq_range) *uids)
{
	struct mailbox_transaction_context *trans, *deleted_trans;
	struct mail *mail, *deleted_mail;
	uint32_t seq, count;

	trans = mailbox_transaction_begin(d->box, 0, "MAPI dumpster");
	deleted_trans = mailbox_transaction_begin(d->deleted_box, 0,
						  "MAPI dumpster");
	mail = mail_alloc(trans, 0, NULL);
	deleted_mail = mail_alloc(deleted_trans, 0, NULL);
	count = mail_index_view_get_messages_count(d->box->view);
	for (seq = 1; seq <= count; seq++) {
		mail_set_seq(mail, seq);
		if (!dumpster_has_mail(d, mail, deleted_mail))
			seq_range_array_add(uids, mail->uid);
	}
	mail_free(&mail);
	mail_free(&deleted_mail);
	(void)mailbox_transaction_commit(&trans);
	(void)mailbox_transaction_commit(&deleted_trans);
}

static enum mapi_error dumpster_copy(struct mapi_dumpster *d)
{
	uint32_t last_uid = mapi_dumpster_last_uid(d->deleted_box);
	bool partial, checked;
	ARRAY_TYPE(seq_range) uids;
	struct mapi_message_transfer transfer = {
		.src = d->box,
		.dest = d->deleted_box,
		.dest_folder = d->deleted,
		.src_bags = mapi_folder_bags(d->folder, d->associated),
		.dest_bags = mapi_folder_bags(d->deleted, d->associated),
		.uids = &uids,
		.deleted_from = d->folder,
		.associated = d->associated,
	};
	enum mapi_error error;

	t_array_init(&uids, 16);
	dumpster_find_missing(d, &uids);
	if (array_count(&uids) == 0)
		return EC_NONE;
	checked = mapi_dumpster_checked_uid(d->deleted_box) >= last_uid;
	/* those that have gone meanwhile needn't be kept */
	error = mapi_message_transfer_run(&transfer, &partial);
	d->deleted_box = transfer.dest;
	if (error == EC_NONE && mailbox_sync(d->deleted_box, 0) < 0)
		error = mapi_error_from_mailbox(d->deleted_box);
	/* nothing that has come is a message of the dumpster's folder */
	if (error == EC_NONE && checked) {
		(void)mapi_dumpster_set_checked_uid(d->deleted_box,
			mapi_dumpster_last_uid(d->deleted_box));
	}
	return error;
}

enum mapi_error
mapi_dumpster_put_folder(struct mapi_store *store, mapi_id_t fid,
			 bool associated, bool deleted, mapi_id_t dumpster_fid)
{
	struct mapi_dumpster d = {
		.fid = dumpster_fid, .associated = associated,
	};
	struct mapi_message_folder *mfolder;
	enum mapi_error error;

	if (deleted && !mapi_dumpster_exists(store, fid, associated))
		return EC_NONE;
	error = deleted ?
		mapi_message_folder_get_deleted(store, fid, &mfolder,
						&d.folder) :
		mapi_message_folder_get(store, fid, &mfolder, &d.folder);
	if (error == EC_ACCESS_DENIED || error == EC_NOT_FOUND ||
	    error == EC_OBJECT_DELETED) {
		/* nothing that the user could read, or recover */
		return EC_NONE;
	}
	if (error != EC_NONE)
		return error;
	d.box = d.folder->box;
	if (associated)
		error = mapi_folder_open_associated(d.folder, &d.box);
	if (error == EC_ACCESS_DENIED) {
		/* the same */
		error = EC_NONE;
		d.box = NULL;
	}
	if (error == EC_NONE && d.box != NULL &&
	    mail_index_view_get_messages_count(d.box->view) > 0) T_BEGIN {
		error = mapi_dumpster_open(&d, TRUE);
		if (error == EC_NONE)
			error = dumpster_copy(&d);
		mapi_dumpster_close(&d);
	} T_END;
	mapi_message_folder_release(&mfolder);
	return error;
}
