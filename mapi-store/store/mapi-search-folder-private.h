/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_SEARCH_FOLDER_PRIVATE_H
#define MAPI_SEARCH_FOLDER_PRIVATE_H

/* What the files of search folders share.

   Which search folders there are, and where, is in the log "allotments"
   (mapi-folder-place.h), and so are their criteria:

     search-criteria	note	folder number		see below

   Criteria are "1 <running> <flags> <serial> <scope> <restriction>": numbers in hex,
   scope are folder numbers with commas between, the restriction is base64 of its form
   in ROP buffers. */

#include "mapi-search-folder.h"
#include "mapi-store-private.h"

#define MAPI_LOG_CRITERIA "search-criteria"

/* Mailbox of the companion tree with what was found */
#define MAPI_COMPANION_SEARCH "search-%u"

/* Makes another one with the same criteria, comment and class. */
enum mapi_error
mapi_search_folder_copy(struct mapi_store *store, mapi_id_t fid,
			mapi_id_t dest_fid, const char *name);
/* Deletes a search folder without refreshing the tree: nodes stay valid. */
enum mapi_error
mapi_search_folder_remove(struct mapi_store *store, mapi_id_t fid);
/* The same for all search folders below node, but not node. */
enum mapi_error
mapi_search_folders_delete_below(struct mapi_store *store,
				 const struct mapi_folder_node *node);

/* The record of a folder's criteria; NULL if none have been set */
const struct mapi_idlog_rec *
mapi_search_criteria_rec(struct mapi_store *store, mapi_id_t fid);
/* NULL if value isn't what this version writes. */
struct mapi_search_criteria *
mapi_search_criteria_decode(TALLOC_CTX *mem, const char *value);

/* --- results --------------------------------------------------------------- */

struct mapi_search_row {
	uint32_t uid;
	bool unread;
	uint64_t inst_id;
};

/* A message that has changed or come */
struct mapi_search_change {
	uint32_t uid;
	unsigned int generation;
};

/* The mailbox's state as far as it tells whether anything has changed */
struct mapi_search_status {
	uint32_t uidvalidity, uidnext, messages, unseen;
	uint64_t modseq;
};

/* What has been found in one folder */
struct mapi_search_part {
	mapi_id_t fid;
	/* in the order of UIDs */
	struct mapi_search_row *rows;
	unsigned int row_count;

	/* that of the search when something in it changed last */
	unsigned int generation;
	/* what has changed in generations after journal_start, in that order */
	struct mapi_search_change *journal;
	unsigned int journal_count, journal_alloc, journal_start;

	/* before it was searched last */
	struct mapi_search_status status;
	/* how far it has been searched: UIDs below next_uid, as they were at
	   modseq. uidvalidity is 0 if it hasn't been at all. */
	uint32_t uidvalidity, next_uid;
	uint64_t modseq;
	/* while the scope is looked at */
	bool marked;
};

struct mapi_search {
	struct mapi_search *next;
	struct mapi_store *store;
	mapi_id_t fid;
	/* number of the record that criteria are from; 0 if there are none */
	uint32_t criteria_number;
	struct mapi_search_criteria *criteria;

	/* the address of a part stays the same */
	struct mapi_search_part **parts;
	unsigned int part_count;
	/* more folders are in the scope than are searched */
	bool partial;
	/* grows whenever anything changes */
	unsigned int generation;
	/* results aren't what is stored */
	bool dirty;
	/* it has been looked for stored results */
	bool loaded;
};

/* What is known of a search folder; made if necessary, owned by the store. */
struct mapi_search *mapi_search_get(struct mapi_store *store, mapi_id_t fid);
/* Forgets it. */
void mapi_search_forget(struct mapi_store *store, mapi_id_t fid);
/* Looks at all folders in the scope for what has changed, and evaluates that. */
enum mapi_error mapi_search_update(struct mapi_search *search);
/* NULL if the folder isn't searched */
struct mapi_search_part *
mapi_search_find_part(struct mapi_search *search, mapi_id_t fid);
struct mapi_search_part *
mapi_search_add_part(struct mapi_search *search, mapi_id_t fid);
struct mapi_search_row *
mapi_search_part_find(struct mapi_search_part *part, uint32_t uid);

/* mapi-search-folder-evaluate.c: searches one folder: what is new or has changed
   since the last time, or all of it. Rows that have gone are removed.
   search->generation is the new one. */
enum mapi_error
mapi_search_part_evaluate(struct mapi_search *search,
			  struct mapi_search_part *part, bool *changed_r);

/* mapi-search-folder-store.c: what was found, durably. Stores results that have
   changed. */
enum mapi_error mapi_search_store(struct mapi_search *search);
/* Makes parts of what is stored. FALSE if that isn't what the criteria have found,
   or nothing: there may be parts nevertheless, which aren't valid. */
bool mapi_search_load(struct mapi_search *search);

#endif
