/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_FOLDER_RIGHTS_H
#define MAPI_FOLDER_RIGHTS_H

/* What the user of a store may do in its folders. lib-storage itself refuses
   what a mailbox's ACL doesn't allow; this is for what it doesn't know of: the
   companion tree, properties that aren't in the message, what clients are to be
   told beforehand. */

#include "mapi-folder.h"
#include "mapi-rights.h"

/* TRUE if the user isn't the owner of the mailbox. */
bool mapi_store_is_delegate(const struct mapi_store *store);

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
/* PidTagAccess of a folder */
uint32_t mapi_folder_access(struct mapi_store *store,
			    const struct mapi_folder_node *node);
/* PidTagAccess of the messages of a folder */
uint32_t mapi_folder_message_access(struct mapi_folder *folder,
				    bool associated);
/* Whether the user may see a node that was there when the tree was read. */
bool mapi_folder_is_visible(struct mapi_store *store,
			    const struct mapi_folder_node *node);
/* The same of a folder in the companion tree, by its number. */
bool mapi_folder_internal_is_visible(struct mapi_store *store,
				     enum mapi_special_folder special,
				     uint32_t number);

#endif
