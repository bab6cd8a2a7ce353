/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_FOLDER_PLACE_H
#define MAPI_FOLDER_PLACE_H

/* Folders that clients have made and that aren't mailboxes of the user's: which
   there are, where they are in the tree and how they are called is in the log
   "allotments". Each kind of them has two kinds of records:

     search, companion			claim	GUID		place
     search-place, companion-place	note	folder number	place, "" if
								deleted

   A place is the parent's folder number, a space, and the name. The claim's place
   holds until there's a note. */

#include "mapi-store-private.h"

#define MAPI_LOG_SEARCH "search"
#define MAPI_LOG_SEARCH_PLACE "search-place"
#define MAPI_LOG_COMPANION "companion"
#define MAPI_LOG_COMPANION_PLACE "companion-place"

enum mapi_folder_place_kind {
	/* search folders, mapi-search-folder.h */
	MAPI_PLACE_SEARCH,
	/* folders that IMAP clients don't see: their messages are in the
	   mailboxes "folder-<number>" of the companion tree */
	MAPI_PLACE_COMPANION,
};

/* The folders of a kind that haven't been deleted, in the order of their numbers.
   *iter is 0 at first. Returns FALSE at the end. name_r is valid until the log is
   refreshed. */
bool mapi_folder_place_next(struct mapi_store *store,
			    enum mapi_folder_place_kind kind,
			    unsigned int *iter, uint32_t *number_r,
			    uint32_t *parent_r, const char **name_r);
/* Makes one, with a comment that may be "". The tree isn't refreshed. */
enum mapi_error
mapi_folder_place_create(struct mapi_store *store,
			 enum mapi_folder_place_kind kind, uint32_t parent,
			 const char *name, const char *comment,
			 uint32_t *number_r);
/* Gives it another place. */
enum mapi_error
mapi_folder_place_set(struct mapi_store *store,
		      enum mapi_folder_place_kind kind, uint32_t number,
		      uint32_t parent, const char *name);
/* Deletes it. */
enum mapi_error
mapi_folder_place_delete(struct mapi_store *store,
			 enum mapi_folder_place_kind kind, uint32_t number);
#endif
