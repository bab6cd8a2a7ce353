/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MESSAGE_FOLDER_H
#define MAPI_MESSAGE_FOLDER_H

/* Mailboxes for open messages.

   A message that a client has open keeps a mail transaction, and a mailbox
   can't be synchronised while one is open in it. So an open message has a
   mailbox of its own, which nobody else sees. Opening one for each message
   would cost more than reading the message: a few that aren't in use any more
   are kept for the next message of the same folder. */

#include "mapi-folder.h"

struct mapi_message_folder;

/* A folder for one message, with its mailbox open and just synchronised. */
enum mapi_error
mapi_message_folder_get(struct mapi_store *store, mapi_id_t fid,
			struct mapi_message_folder **mfolder_r,
			struct mapi_folder **folder_r);
/* The same for a message that has been soft deleted from the folder
   (mapi_folder_open_deleted()). */
enum mapi_error
mapi_message_folder_get_deleted(struct mapi_store *store, mapi_id_t fid,
				struct mapi_message_folder **mfolder_r,
				struct mapi_folder **folder_r);
/* The same, whose mailbox is open with its owner's rights, for messages that the user
   of the store has created or is just creating. Who gets it sees to it that nothing
   else is changed in it (mapi-folder-rights.h). deleted: of those that have been
   soft deleted from the folder. EC_ACCESS_DENIED if the user may have none there. */
enum mapi_error
mapi_message_folder_get_own(struct mapi_store *store, mapi_id_t fid,
			    bool deleted,
			    struct mapi_message_folder **mfolder_r,
			    struct mapi_folder **folder_r);
/* The same for new messages: it's open with the owner's rights if the user may create
   messages, but may not do everything with all of them. So new ones get the flags
   and keywords that they are to have, whatever the ACL says about those of
   others. */
enum mapi_error
mapi_message_folder_get_new(struct mapi_store *store, mapi_id_t fid,
			    struct mapi_message_folder **mfolder_r,
			    struct mapi_folder **folder_r);
/* There must be no transaction left in its mailboxes. */
void mapi_message_folder_release(struct mapi_message_folder **mfolder);

#endif
