/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "llist.h"
#include "mapi-folder-rights.h"
#include "mapi-message-folder.h"

/* Unused ones that are kept for each store */
#define MESSAGE_FOLDERS_IDLE_MAX 2

struct mapi_message_folder {
	struct mapi_message_folder *prev, *next;

	struct mapi_store *store;
	struct mapi_folder *folder;
};

/* Those of all stores that aren't in use, the last used first. Each is a talloc
   child of its store. */
static struct mapi_message_folder *idle_folders;

static int mapi_message_folder_idle_destructor(struct mapi_message_folder *mfolder)
{
	DLLIST_REMOVE(&idle_folders, mfolder);
	return 0;
}

static struct mapi_message_folder *
mapi_message_folder_find(struct mapi_store *store, mapi_id_t fid, bool deleted,
			 bool own)
{
	struct mapi_message_folder *mfolder;

	for (mfolder = idle_folders; mfolder != NULL; mfolder = mfolder->next) {
		if (mfolder->store == store && mfolder->folder->fid == fid &&
		    mfolder->folder->deleted == deleted &&
		    mfolder->folder->own == own)
			return mfolder;
	}
	return NULL;
}

static enum mapi_error
message_folder_get(struct mapi_store *store, mapi_id_t fid, bool deleted,
		   bool own, struct mapi_message_folder **mfolder_r,
		   struct mapi_folder **folder_r)
{
	struct mapi_message_folder *mfolder;
	enum mapi_error error;

	mfolder = mapi_message_folder_find(store, fid, deleted, own);
	if (mfolder != NULL) {
		if (mapi_folder_node(mfolder->folder) != NULL &&
		    mapi_folder_sync(mfolder->folder) == EC_NONE) {
			DLLIST_REMOVE(&idle_folders, mfolder);
			talloc_set_destructor(mfolder, NULL);
			*mfolder_r = mfolder;
			*folder_r = mfolder->folder;
			return EC_NONE;
		}
		/* deleted, renamed, rebuilt: see what is there now */
		talloc_free(mfolder);
	}
	mfolder = talloc_zero(store, struct mapi_message_folder);
	mfolder->store = store;
	error = deleted ?
		mapi_folder_open_deleted(mfolder, store, fid,
					 &mfolder->folder) :
		mapi_folder_open(mfolder, store, fid, &mfolder->folder);
	if (error == EC_NONE) {
		mfolder->folder->own = own;
		error = mapi_folder_open_mailbox(mfolder->folder);
	}
	if (error != EC_NONE) {
		talloc_free(mfolder);
		return error;
	}
	*mfolder_r = mfolder;
	*folder_r = mfolder->folder;
	return EC_NONE;
}

enum mapi_error
mapi_message_folder_get(struct mapi_store *store, mapi_id_t fid,
			struct mapi_message_folder **mfolder_r,
			struct mapi_folder **folder_r)
{
	return message_folder_get(store, fid, FALSE, FALSE, mfolder_r,
				  folder_r);
}

enum mapi_error
mapi_message_folder_get_deleted(struct mapi_store *store, mapi_id_t fid,
				struct mapi_message_folder **mfolder_r,
				struct mapi_folder **folder_r)
{
	return message_folder_get(store, fid, TRUE, FALSE, mfolder_r,
				  folder_r);
}

enum mapi_error
mapi_message_folder_get_own(struct mapi_store *store, mapi_id_t fid,
			    bool deleted,
			    struct mapi_message_folder **mfolder_r,
			    struct mapi_folder **folder_r)
{
	return message_folder_get(store, fid, deleted, TRUE, mfolder_r,
				  folder_r);
}

enum mapi_error
mapi_message_folder_get_new(struct mapi_store *store, mapi_id_t fid,
			    struct mapi_message_folder **mfolder_r,
			    struct mapi_folder **folder_r)
{
	return message_folder_get(store, fid, FALSE,
				  mapi_folder_is_for_own(store, fid,
						MAPI_MESSAGE_USE_CREATE),
				  mfolder_r, folder_r);
}

void mapi_message_folder_release(struct mapi_message_folder **_mfolder)
{
	struct mapi_message_folder *mfolder = *_mfolder, *next;
	struct mapi_store *store = mfolder->store;
	unsigned int count = 0;

	*_mfolder = NULL;
	DLLIST_PREPEND(&idle_folders, mfolder);
	talloc_set_destructor(mfolder, mapi_message_folder_idle_destructor);
	for (mfolder = idle_folders; mfolder != NULL; mfolder = next) {
		next = mfolder->next;
		if (mfolder->store == store &&
		    ++count > MESSAGE_FOLDERS_IDLE_MAX)
			talloc_free(mfolder);
	}
}
