/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_TABLE_H
#define MAPI_TABLE_H

/* Table objects, [MS-OXCTABL]. The engine (positions, bookmarks, categories)
   works on arrays of row ids; where rows and cells come from is the business
   of a table source: contents, hierarchy, attachments.

   Origins and statuses are the BOOKMARK_* and TBLSTAT_* of mapi-enums.h.

   Every operation first looks what others have changed, and the table shows it:
   rows come, go and move, positions stay at their rows. Operations that the
   client may ask for asynchronously are complete when they return.

   PidTagInstID, row ids and category ids are numbers as in a PTYP_INTEGER64
   (mapi_id_to_i64()).

   EC_NOT_SUPPORTED is what operations answer that [MS-OXCTABL] doesn't have for
   the kind of table, EC_NULL_OBJECT those that need columns to be set. */

#include "mapi-folder.h"
#include "mapi-message.h"
#include "mapi-enums.h"

struct mapi_restriction;
struct mapi_sort_order;

struct mapi_table {
	struct mapi_object obj;
	/* of PTYP_STRING8 values in restrictions; 0 until the ROP sets it */
	uint32_t code_page;
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

/* Rows go to the caller one by one, who copies what it wants to keep or has
   given the memory that they are allocated from. Returns FALSE for a row that
   doesn't fit any more, which then isn't read. */
typedef bool mapi_table_row_callback_t(struct mapi_property_row *row,
				       void *context);

/* --- what the table shows ------------------------------------------------- */
/* If one of these fails, the table stays as it was before, but
   mapi_table_get_status() says that there was an error. */

/* [MS-OXCTABL] 3.2.5.2. EC_INVALID_PARAM for types that aren't. */
enum mapi_error
mapi_table_set_columns(struct mapi_table *table, const uint32_t *tags,
		       unsigned int count);
/* [MS-OXCTABL] 3.2.5.3. Bookmarks become invalid, the cursor goes to the
   beginning. EC_INVALID_PARAM; EC_TOO_COMPLEX */
enum mapi_error
mapi_table_sort(struct mapi_table *table, const struct mapi_sort_order *orders,
		unsigned int count, unsigned int category_count,
		unsigned int expanded_count);
/* [MS-OXCTABL] 3.2.5.4. As sorting. restriction: NULL for none; it's
   copied. */
enum mapi_error
mapi_table_restrict(struct mapi_table *table,
		    const struct mapi_restriction *restriction);
/* [MS-OXCTABL] 3.2.5.16 */
enum mapi_error mapi_table_reset(struct mapi_table *table);
/* TBLSTAT_*: of the last of these operations */
uint8_t mapi_table_get_status(struct mapi_table *table);
/* [MS-OXCTABL] 3.2.5.6: there's never anything to abort */
enum mapi_error mapi_table_abort(struct mapi_table *table);
/* All columns that may be asked for. They belong to the table. */
enum mapi_error
mapi_table_query_columns_all(struct mapi_table *table, const uint32_t **tags_r,
			     unsigned int *count_r);

/* --- rows ----------------------------------------------------------------- */
/* [MS-OXCTABL] 3.2.5.5. At most count rows, those from the cursor on or, not
   forward, those before it. The callback is called for the row nearest to the
   cursor first, so that the rows that fit are next to it; a response has them
   in the table's order. Rows that have vanished are left out. origin_r: where
   the cursor is. EC_BUFFER_TOO_SMALL if not even one row fits. */
enum mapi_error
mapi_table_query_rows(struct mapi_table *table, TALLOC_CTX *mem,
		      bool advance, bool forward, unsigned int count,
		      mapi_table_row_callback_t *callback, void *context,
		      uint8_t *origin_r);
/* [MS-OXCTABL] 3.2.5.14. restriction: NULL matches every row. bookmark is only
   used with BOOKMARK_CUSTOM. The callback is called for the row that is
   found. gone_r: the bookmark's row can't be seen any more. EC_NOT_FOUND */
enum mapi_error
mapi_table_find_row(struct mapi_table *table, TALLOC_CTX *mem, bool forward,
		    const struct mapi_restriction *restriction, uint8_t origin,
		    const uint8_t *bookmark, size_t bookmark_size,
		    mapi_table_row_callback_t *callback, void *context,
		    bool *gone_r);

/* --- positions ------------------------------------------------------------ */
/* sought_less_r: moved less far than asked for; sought_r: how far. */
enum mapi_error
mapi_table_seek(struct mapi_table *table, uint8_t origin, int32_t rows,
		bool *sought_less_r, int32_t *sought_r);
enum mapi_error
mapi_table_seek_bookmark(struct mapi_table *table,
			 const uint8_t *data, size_t size, int32_t rows,
			 bool *gone_r, bool *sought_less_r, int32_t *sought_r);
enum mapi_error
mapi_table_seek_fractional(struct mapi_table *table, uint32_t numerator,
			   uint32_t denominator);
enum mapi_error
mapi_table_query_position(struct mapi_table *table, uint32_t *position_r,
			  uint32_t *count_r);
/* A bookmark's data is allocated from mem. EC_UNABLE_TO_COMPLETE if there are
   too many. */
enum mapi_error
mapi_table_create_bookmark(struct mapi_table *table, TALLOC_CTX *mem,
			   const uint8_t **data_r, size_t *size_r);
enum mapi_error
mapi_table_free_bookmark(struct mapi_table *table,
			 const uint8_t *data, size_t size);

/* --- categories ----------------------------------------------------------- */
/* [MS-OXCTABL] 3.2.5.17: how many rows have become visible; the callback is
   called for at most max_rows of them. EC_NOT_FOUND, EC_NOT_COLLAPSED */
enum mapi_error
mapi_table_expand_row(struct mapi_table *table, TALLOC_CTX *mem,
		      uint64_t category_id, unsigned int max_rows,
		      mapi_table_row_callback_t *callback, void *context,
		      uint32_t *expanded_r);
/* EC_NOT_FOUND, EC_NOT_EXPANDED */
enum mapi_error
mapi_table_collapse_row(struct mapi_table *table, uint64_t category_id,
			uint32_t *collapsed_r);
/* Which categories are expanded, and a row, as bytes allocated from mem. */
enum mapi_error
mapi_table_get_collapse_state(struct mapi_table *table, TALLOC_CTX *mem,
			      uint64_t row_id, uint32_t row_instance,
			      const uint8_t **state_r, size_t *size_r);
/* EC_INVALID_PARAM if the state is none or that of another sort order. The
   bookmark is that of the row. */
enum mapi_error
mapi_table_set_collapse_state(struct mapi_table *table, TALLOC_CTX *mem,
			      const uint8_t *state, size_t size,
			      const uint8_t **bookmark_r, size_t *size_r);

#endif
