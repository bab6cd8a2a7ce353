/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_FOLDER_RIGHTS_H
#define MAPI_FOLDER_RIGHTS_H

/* What the user of a store may do in its folders. lib-storage itself refuses
   what a mailbox's ACL doesn't allow; this is for what it doesn't know of: the
   companion tree, properties that aren't in the message, what clients are to be
   told beforehand.

   Nor does an ACL know EditOwned and DeleteOwned, the rights to messages that the
   user has created, of which bags tell (mapi-bags.h). Where a user has no more than
   these, what is done to such messages is done in a mailbox that's open without
   its ACL (mapi_message_folder_get_own()). Who has created a message doesn't change
   as long as it's there, and UIDs aren't used twice: what is looked at in that
   mailbox before something is done in it is still true then. */

#include "mapi-folder.h"
#include "mapi-rights.h"

struct mail;

/* TRUE if the user isn't the owner of the mailbox. */
bool mapi_store_is_delegate(const struct mapi_store *store);

/* The user, as ACLs have it */
const char *mapi_store_username(const struct mapi_store *store);

/* TRUE if the user, who isn't the owner, may see anything in the mailbox, or may
   see the mailbox (its Root or IPM subtree). */
bool mapi_store_has_any_right(struct mapi_store *store);

/* TRUE if the user may put anything into the mailbox or change it. Only such
   users have ids allotted in it: there aren't endlessly many. */
bool mapi_store_has_write_right(struct mapi_store *store);

/* RIGHTS_* (without those about free/busy times) and MAPI_ACL_* of a node */
uint32_t mapi_folder_rights(struct mapi_store *store,
			    const struct mapi_folder_node *node);
uint32_t mapi_folder_acl(struct mapi_store *store,
			 const struct mapi_folder_node *node);
/* EC_ACCESS_DENIED unless the user has all of these RIGHTS_*; EC_OBJECT_DELETED
   if the folder has gone (or out of sight). */
enum mapi_error
mapi_folder_check_rights(struct mapi_folder *folder, uint32_t rights);
/* EC_ACCESS_DENIED unless the user may read the messages that the folder is open
   for: all, or those that he has created. */
enum mapi_error mapi_folder_check_readable(struct mapi_folder *folder);
/* PidTagAccess of a folder */
uint32_t mapi_folder_access(struct mapi_store *store,
			    const struct mapi_folder_node *node);

/* What is done to messages */
enum mapi_message_use {
	MAPI_MESSAGE_USE_READ,
	/* they are made, and may be read, changed and deleted afterwards */
	MAPI_MESSAGE_USE_CREATE,
	/* their read state is changed: the ACL's s is enough */
	MAPI_MESSAGE_USE_SET_READ,
	MAPI_MESSAGE_USE_EDIT,
	MAPI_MESSAGE_USE_DELETE,
};
/* TRUE if the user may do that to those normal messages of a folder that he has
   created, and to no others. Sees what the owner has changed. */
bool mapi_folder_is_for_own(struct mapi_store *store, mapi_id_t fid,
			    enum mapi_message_use use);
/* Whether the user has created a normal message of the folder */
bool mapi_mail_is_own(struct mapi_folder *folder, struct mail *mail);
/* PidTagAccess of a message of the folder */
uint32_t mapi_mail_access(struct mapi_folder *folder, bool associated,
			  struct mail *mail);

/* Whether the user may see a node that was there when the tree was read. */
bool mapi_folder_is_visible(struct mapi_store *store,
			    const struct mapi_folder_node *node);
/* The same of a folder in the companion tree, by its number. */
bool mapi_folder_internal_is_visible(struct mapi_store *store,
				     enum mapi_special_folder special,
				     uint32_t number);

#endif
