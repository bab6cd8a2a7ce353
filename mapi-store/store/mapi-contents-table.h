/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_CONTENTS_TABLE_H
#define MAPI_CONTENTS_TABLE_H

/* The inside of contents tables. */

#include "mapi-table-private.h"

struct mailbox;
struct mail;
struct mailbox_transaction_context;

/* The source of a folder's contents table. */
enum mapi_error
mapi_contents_source_open(TALLOC_CTX *parent, struct mapi_store *store,
			  mapi_id_t fid, uint8_t flags,
			  struct mapi_table_source **src_r);
/* Its mailbox; NULL if the folder has none. */
struct mailbox *mapi_contents_source_box(struct mapi_table_source *src);
/* Messages of all folders of the store, for conversations
   (mapi-contents-table-all.c) */
enum mapi_error
mapi_contents_source_open_all(TALLOC_CTX *parent, struct mapi_store *store,
			      struct mapi_table_source **src_r);

/* What is soft deleted in Deleted Items, fid: also the messages of soft-deleted folders,
   for users who look for them there. flags have CONTENTS_TABLE_SOFT_DELETES. */
enum mapi_error
mapi_contents_source_open_removed(TALLOC_CTX *parent, struct mapi_store *store,
				  mapi_id_t fid, uint8_t flags,
				  struct mapi_table_source **src_r);

/* What RopQueryColumnsAll tells of contents tables */
const uint32_t *mapi_contents_table_columns(unsigned int *count_r);
/* is_constant and is_apart of sources of messages */
bool mapi_contents_table_is_constant(uint32_t tag);
bool mapi_contents_table_is_apart(uint32_t tag);

/* A row's recipients and attachments, [MS-OXCDATA] 2.12.10, which are properties
   of the opened message only. msg is opened if it's NULL; it's allocated from
   mem. */
enum mapi_error
mapi_contents_table_sub_count(struct mapi_folder *folder, mapi_id_t mid,
			      TALLOC_CTX *mem, uint32_t sub_tag,
			      struct mapi_message **msg, unsigned int *count_r);
enum mapi_error
mapi_contents_table_sub_get(struct mapi_message *msg, TALLOC_CTX *mem,
			    uint32_t sub_tag, unsigned int idx, uint32_t tag,
			    struct mapi_value *value_r);

/* UIDs of messages that may match the restriction, ascending: what lib-storage
   can tell from index and cache is left out. *exact_r: all of them match. 0 if
   it can't tell anything, then there's no result; -1 if the search failed (see
   the mailbox's error). */
int mapi_contents_table_search(struct mailbox *box, TALLOC_CTX *mem,
			       const struct mapi_restriction *restriction,
			       uint32_t **uids_r, unsigned int *count_r,
			       bool *exact_r);

#endif
