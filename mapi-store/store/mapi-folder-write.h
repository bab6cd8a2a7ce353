/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_FOLDER_WRITE_H
#define MAPI_FOLDER_WRITE_H

/* Making, changing, moving, copying and deleting folders, [MS-OXCFOLD].

   What a function has done is durable when it returns, and open tables notice
   it when they are synchronised, as they do what other protocols have done.
   In which order things are written, so that a process that dies leaves nothing
   half done, is said where it's done.

   Folders are mailboxes of the inbox namespace. Names that mailboxes can't have are
   kept beside them (mapi-folder-name.c). EC_INVALID_PARAM for empty ones, ones with
   broken UTF-16, longer ones than 255 UTF-16 units, and where there's no room for
   any name, as with many levels of long ones if the mailboxes are Maildir++.
   Siblings' names differ in more than case (EC_DUPLICATE_NAME); over IMAP others can
   be created.

   Special folders can't be moved or deleted, nor can those that have one among their
   subfolders: EC_ACCESS_DENIED. Other names for them are only kept beside them. So can't
   folders be made below the Inbox if the namespace's prefix is "INBOX" and a
   separator.

   What is made below the Root or another folder that isn't a mailbox of the user's
   (but the IPM subtree) is in the companion tree, too, and can't be moved out of
   it, nor can others be moved or copied into it: EC_ACCESS_DENIED. There, folders
   nest 64 levels deep: EC_TOO_COMPLEX. */

#include "mapi-folder.h"

/* Makes a folder and opens it; it gets subscribed, so that IMAP clients show it.
   With open_existing one of that name is opened, if there is one. comment is
   that of a new folder, EC_TOO_BIG if it's longer than 4096 bytes. Strings are
   UTF-8 (surrogates as in mapi-value.h).  EC_OBJECT_DELETED if the parent has
   vanished. [MS-OXCFOLD] 3.2.5.2 */
enum mapi_error
mapi_folder_create(TALLOC_CTX *parent, struct mapi_store *store,
		   mapi_id_t parent_fid, const char *name, const char *comment,
		   bool open_existing, struct mapi_folder **folder_r);

/* Gives a folder another parent, another name or both. It and its subfolders keep
   their ids, and what is in them. Subscriptions follow. name may be "" for the
   name that it has. EC_NOT_FOUND if there's no such folder, EC_OBJECT_DELETED if
   dest_fid isn't one, EC_FOLDER_CYCLE if that's the folder itself or below it.
   [MS-OXCFOLD] 3.2.5.7 */
enum mapi_error
mapi_folder_move(struct mapi_store *store, mapi_id_t fid, mapi_id_t dest_fid,
		 const char *name);

/* Copies or moves a folder to wherever it may be, with its messages, FAI messages,
   properties and rules, and with its subfolders if recursive is set, as it always is
   when moving. Errors as mapi_folder_move(), which it is within a store; special
   folders may be copied, and become ordinary ones. EC_NOT_SUPPORTED for the Root and
   the IPM subtree.

   The copy appears all at once, with permissions as a new folder has them. What the
   user may not read of the subfolders is left out, and FAI messages and rules are if he
   may not write them: EC_ACCESS_DENIED, with *partial_r set.

   What is moved to another store is copied there, with its permissions if the user may
   give them there, and deleted here when all of it is there, but for what has come or
   been changed meanwhile. What the user may not do in any of the folders to be moved is
   EC_ACCESS_DENIED before anything is done.

   Search folders are copied within the user's own store only, else EC_NOT_SUPPORTED;
   those below others aren't copied. *partial_r is set, on errors, too, if some of it
   isn't there, or still where it was. [MS-OXCFOLD] 3.2.5.7, 3.2.5.8 */
enum mapi_error
mapi_folder_transfer(struct mapi_store *store, mapi_id_t fid,
		     struct mapi_store *dest_store, mapi_id_t dest_fid,
		     const char *name, bool recursive, bool move,
		     bool *partial_r);

/* Deletes a folder. flags are DEL_MESSAGES and DEL_FOLDERS, without which one that
   has messages (FAI messages, too) or subfolders stays as it is, with *partial_r
   set; without DEL_MESSAGES so does one whose subfolders have messages. *partial_r
   is set on errors, too, if some subfolders are gone. EC_NOT_FOUND if there's no
   such folder, EC_NOT_SUPPORTED for the Root. The id isn't used again. Without
   DELETE_HARD_DELETE it's soft deleted, with its subfolders (mapi-folder-removed.h);
   of those that can't be the messages are, FAI messages, too: they are in the
   dumpster of Deleted Items then (mapi-dumpster.h). With it a folder that is soft
   deleted is deleted for good. [MS-OXCFOLD] 3.2.5.3 */
enum mapi_error
mapi_folder_delete(struct mapi_store *store, mapi_id_t fid, uint8_t flags,
		   bool *partial_r);
/* Deletes a folder whose subfolders and messages are elsewhere now, if there are really
   none left. What had been soft deleted from it is in the dumpster of Deleted Items
   then. */
enum mapi_error
mapi_folder_delete_moved(struct mapi_store *store, mapi_id_t fid,
			 bool *partial_r);

/* Deletes what is in a folder: messages, subfolders (but special ones and those
   that have such: *partial_r is set), and with associated FAI messages. They are
   soft deleted, or with hard expunged, and then also those that were soft deleted
   before. EC_NOT_SUPPORTED for the Root and the IPM subtree, which have no
   messages. [MS-OXCFOLD] 3.2.5.9, 3.2.5.10 */
enum mapi_error
mapi_folder_empty(struct mapi_store *store, mapi_id_t fid, bool associated,
		  bool hard, bool *partial_r);

/* The same in steps, between which other things can be done. What a step has done is
   durable; it's no harm if there's none after it. Messages that come after the
   first step stay. */
struct mapi_folder_emptying;
struct mapi_folder_emptying_status {
	/* of the messages and subfolders that there were, approximately */
	unsigned int done, total;
	/* as of mapi_folder_empty(), as far as it has come */
	bool partial;
	enum mapi_error error;
};
/* On parent. EC_NOT_SUPPORTED and the like, before anything is done. total_r is that of
   the status. The store must live as long. */
enum mapi_error
mapi_folder_empty_begin(TALLOC_CTX *parent, struct mapi_store *store,
			mapi_id_t fid, bool associated, bool hard,
			struct mapi_folder_emptying **emptying_r,
			unsigned int *total_r);
/* Expunges max messages, or does as much work: MAPI_MESSAGE_COPY_COST is that of one that
   is soft deleted. A subfolder and what is below it aren't divided. Returns FALSE
   when all has been done. */
bool mapi_folder_empty_step(struct mapi_folder_emptying *emptying,
			    unsigned int max,
			    struct mapi_folder_emptying_status *status_r);

/* mapi_object_vfuncs.set_props, .delete_props of folders */
enum mapi_error
mapi_folder_set_props(struct mapi_object *obj,
		      const struct mapi_property *props, unsigned int count,
		      enum mapi_error *errors_r);
enum mapi_error
mapi_folder_delete_props(struct mapi_object *obj, const uint32_t *tags,
			 unsigned int count, enum mapi_error *errors_r);
/* Sets one property, which may be a stream; named ones have their names. */
struct mapi_content_prop;
enum mapi_error
mapi_folder_set_prop(struct mapi_store *store, mapi_id_t fid,
		     const struct mapi_content_prop *prop);
/* FALSE for what the server computes */
bool mapi_folder_prop_is_settable(uint32_t tag);

#endif
