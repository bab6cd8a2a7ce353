/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_TABLE_H
#define MAPI_TABLE_H

/* Table objects, [MS-OXCTABL]. The engine (positions, bookmarks, categories)
   works on arrays of row ids; where rows and cells come from is the business
   of a table source: contents, hierarchy, attachments. */

#include "mapi-folder.h"
#include "mapi-message.h"

struct mapi_table {
	struct mapi_object obj;
	/* further fields belong to mapi-table.c */
	struct mapi_table_private *priv;
};

/* flags: TableFlags of the ROP. row_count_r must be exact. */
enum mapi_error
mapi_contents_table_open(TALLOC_CTX *parent, struct mapi_store *store,
			 mapi_id_t fid, uint8_t flags,
			 struct mapi_table **table_r, uint32_t *row_count_r);
enum mapi_error
mapi_hierarchy_table_open(TALLOC_CTX *parent, struct mapi_store *store,
			  mapi_id_t fid, uint8_t flags,
			  struct mapi_table **table_r, uint32_t *row_count_r);
/* msg must live as long as the table: the table takes a talloc reference or
   opens its own */
enum mapi_error
mapi_attachment_table_open(TALLOC_CTX *parent, struct mapi_message *msg,
			   uint8_t flags, struct mapi_table **table_r);

#endif
