/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_SEARCH_FOLDER_H
#define MAPI_SEARCH_FOLDER_H

/* Search folders, [MS-OXCFOLD] 1.3, 2.2.1.4, 2.2.1.5: folders that have no
   messages of their own, but show those of other folders, their scope, that match
   a restriction. Rows, messages that are opened through a search folder, and
   operations on them are those of the folders where the messages are.

   A search folder is no mailbox: it, its place in the tree and its criteria are
   records in the log "allotments" (mapi-search-folder-private.h), so IMAP
   clients don't see it, and it may be below any folder but a search folder. It
   goes on existing as long as its parent does.

   What has been found is remembered in the session, and across sessions in the
   companion mailbox "search-<number>" (mapi-search-folder-results.c). */

#include "mapi-folder.h"

struct mapi_restriction;
struct mapi_table_source;

/* As many folders may be named as scope */
#define MAPI_SEARCH_MAX_SCOPE 512
/* As many folders are searched, subfolders included; of more, the first ones are,
   and the search is SEARCH_PARTIAL */
#define MAPI_SEARCH_MAX_FOLDERS 2048
/* Bytes of a restriction: it has to fit into the response to
   RopGetSearchCriteria. */
#define MAPI_SEARCH_MAX_RESTRICTION 16384

struct mapi_search_criteria {
	/* all strings are PTYP_STRING */
	struct mapi_restriction *restriction;
	/* in the order in which the client gave them, without duplicates; some
	   may not exist any more */
	mapi_id_t *scope;
	unsigned int scope_count;
	/* RECURSIVE_SEARCH, STATIC_SEARCH and what is said about indexes, of
	   SearchFlags of RopSetSearchCriteria */
	uint32_t flags;
	/* FALSE: it has been stopped */
	bool running;
	/* grows whenever it's started anew */
	uint32_t serial;
};

/* TRUE if there's such a folder and it is a search folder. */
bool mapi_folder_is_search(struct mapi_store *store, mapi_id_t fid);

/* Makes a search folder, without criteria, and opens it. Errors as
   mapi_folder_create(); a name is one that other folders could have, too. With
   open_existing EC_DUPLICATE_NAME if the folder of that name is none. EC_SEARCH_-
   FOLDER if the parent is a search folder. [MS-OXCFOLD] 3.2.5.2 */
enum mapi_error
mapi_search_folder_create(TALLOC_CTX *parent, struct mapi_store *store,
			  mapi_id_t parent_fid, const char *name,
			  const char *comment, bool open_existing,
			  struct mapi_folder **folder_r);
/* The folder's messages stay where they are. */
enum mapi_error
mapi_search_folder_delete(struct mapi_store *store, mapi_id_t fid);

/* What RopSetSearchCriteria asks for. restriction is NULL and scope_count 0 for
   what was set before. code_page: that of PTYP_STRING8 in it. flags: SearchFlags;
   unknown ones are ignored. A static search is done when this returns; others are
   when the folder is looked at, and STOP_SEARCH doesn't end them. Setting what is set
   and running already changes nothing, as Outlook does so while it waits for results.

   EC_NOT_SEARCH_FOLDER; EC_NOT_INITIALIZED if there's nothing that was set before;
   EC_INVALID_PARAM for flags that exclude each other; EC_TOO_COMPLEX for too long
   restrictions, such as can't be tested, and too many folders; EC_SEARCH_FOLDER_-
   SCOPE_VIOLATION if a folder of the scope is a search folder or isn't of this
   store; EC_NOT_FOUND if it doesn't exist. [MS-OXCFOLD] 3.2.5.4 */
enum mapi_error
mapi_search_folder_set_criteria(struct mapi_store *store, mapi_id_t fid,
				const struct mapi_restriction *restriction,
				uint32_t code_page, const mapi_id_t *scope,
				unsigned int scope_count, uint32_t flags);
/* Allocated from mem. EC_NOT_SEARCH_FOLDER; EC_NOT_INITIALIZED if none have been
   set. state_r: SearchFlags of RopGetSearchCriteria's response. [MS-OXCFOLD]
   3.2.5.5 */
enum mapi_error
mapi_search_folder_get_criteria(struct mapi_store *store, mapi_id_t fid,
				TALLOC_CTX *mem,
				struct mapi_search_criteria **criteria_r,
				uint32_t *state_r);

/* How many messages match and how many of these are unread. Searches if
   necessary; 0 without criteria. The folder tree isn't refreshed. */
enum mapi_error
mapi_search_folder_get_counts(struct mapi_store *store, mapi_id_t fid,
			      uint32_t *messages_r, uint32_t *unread_r);

/* The source of a search folder's contents table
   (mapi-search-folder-table.c) */
enum mapi_error
mapi_search_source_open(TALLOC_CTX *parent, struct mapi_store *store,
			mapi_id_t fid, struct mapi_table_source **src_r);

/* Calls the function once for each folder that some of the messages are in, with
   those messages. *partial_r is set if some are in none, or a call sets it. An
   error of a call ends it; *partial_r is set then if there have been others. */
typedef enum mapi_error
mapi_search_messages_func_t(struct mapi_store *store, mapi_id_t fid,
			    const mapi_id_t *mids, unsigned int count,
			    void *context, bool *partial_r);
enum mapi_error
mapi_search_for_each_folder(struct mapi_store *store, const mapi_id_t *mids,
			    unsigned int count,
			    mapi_search_messages_func_t *func, void *context,
			    bool *partial_r);
/* The folder that a message is in that is named by fid and mid: fid, or if that's
   a search folder, or Deleted Items that shows the message of a soft-deleted folder,
   the message's own. 0 if there's none. */
mapi_id_t mapi_search_real_folder(struct mapi_store *store, mapi_id_t fid,
				  mapi_id_t mid);

#endif
