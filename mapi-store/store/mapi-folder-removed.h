/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_FOLDER_REMOVED_H
#define MAPI_FOLDER_REMOVED_H

/* Soft-deleted folders, [MS-OXCFOLD] 2.2.1.3. They are nodes beside the folder tree
   (mapi_folder_tree_lookup_removed()), which the owner of the mailbox may list, open
   and read, recover by moving them, and delete for good. How they are stored is at
   the head of mapi-folder-removed.c. */

#include "mapi-folder-write-private.h"
#include "mapi-search-folder.h"

#define MAPI_LOG_REMOVED "removed"

/* What is noted of a soft-deleted folder */
struct mapi_folder_removal {
	uint32_t parent;
	time_t date;
	/* not deleted together with its parent */
	bool top;
	/* valid until the log is refreshed */
	const char *name;
};
/* FALSE if there's no note of it. */
bool mapi_folder_removal_find(struct mapi_store *store, uint32_t number,
			      struct mapi_folder_removal *removal_r);

/* Makes mailboxes of those of the items that are only names above others: *made_r is
   set if there are any, and the tree is refreshed then. */
enum mapi_error
mapi_folder_removal_prepare(struct mapi_store *store,
			    const ARRAY_TYPE(mapi_folder_item) *items,
			    bool *made_r);
/* Whether a folder can be soft deleted: others are deleted for good. */
bool mapi_folder_can_be_removed(struct mapi_store *store,
				const struct mapi_folder_item *item);
/* Soft deletes one folder, after those below it. EC_ACCESS_DENIED if it can't be, and
   EC_FOLDER_HAS_CONTENTS if somebody has just made a folder below it: then it's
   still there. */
enum mapi_error
mapi_folder_remove(struct mapi_store *store,
		   const struct mapi_folder_item *item);

/* Deletes one soft-deleted folder for good, and what belongs to it. Noop if it isn't
   there any more. */
enum mapi_error
mapi_folder_removed_purge(struct mapi_store *store, uint32_t number);
/* The same of all that have been deleted below a folder. */
enum mapi_error
mapi_folder_removed_purge_below(struct mapi_store *store, mapi_id_t fid);
/* The same of all that have been kept for long enough, of the user's own
   mailbox. */
void mapi_folder_removed_expire(struct mapi_store *store);

/* Deleted Items shows the messages of soft-deleted folders as if they had been deleted
   from it. The folder that a message is in which fid shows so; 0 for others. */
mapi_id_t mapi_folder_removed_of(struct mapi_store *store, mapi_id_t fid,
				 mapi_id_t mid);
/* Whether some of the messages are such ones */
bool mapi_folder_removed_of_any(struct mapi_store *store, mapi_id_t fid,
				const mapi_id_t *mids, unsigned int count);
/* Calls the function for fid with those that aren't, then for each folder that has any
   of the others. *partial_r and errors are as with mapi_search_for_each_folder(). */
enum mapi_error
mapi_folder_removed_for_each(struct mapi_store *store, mapi_id_t fid,
			     const mapi_id_t *mids, unsigned int count,
			     mapi_search_messages_func_t *func, void *context,
			     bool *partial_r);

/* Puts a soft-deleted folder and those that were deleted with it below dest. EC_NOT_-
   FOUND if it isn't there any more. */
enum mapi_error
mapi_folder_removed_recover(struct mapi_store *store,
			    const struct mapi_folder_node *node,
			    const struct mapi_folder_node *dest,
			    const char *name);

#endif
