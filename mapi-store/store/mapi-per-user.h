/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_PER_USER_H
#define MAPI_PER_USER_H

/* The per-user data table, [MS-OXCSTOR] 3.2.1: for each public folder, wherever it
   is, which database the client has got its read state from, and that read state:
   a serialised set of change numbers, which means nothing to this store.

   The table is a state (mapi-companion-state.h). It's bounded: what hasn't been
   written for the longest time goes when there's no room, and clients get it again
   from the public folder. EC_ACCESS_DENIED for who isn't the mailbox's owner. */

#include "mapi-entryid.h"
#include "mapi-store.h"

#define MAPI_PER_USER_MAX_FOLDERS 1000
/* Bytes of one read state, and of all */
#define MAPI_PER_USER_MAX_DATA (64 * 1024)
#define MAPI_PER_USER_MAX_SIZE (1024 * 1024)

/* The database of a folder's read state. EC_NOT_FOUND. [MS-OXCSTOR] 3.2.5.11 */
enum mapi_error
mapi_per_user_get_database(struct mapi_store *store,
			   const struct mapi_long_term_id *folder,
			   struct mapi_guid *database_r);
/* The folders whose read state is from a database, on mem. [MS-OXCSTOR]
   3.2.5.10 */
enum mapi_error
mapi_per_user_get_folders(struct mapi_store *store,
			  const struct mapi_guid *database, TALLOC_CTX *mem,
			  struct mapi_long_term_id **folders_r,
			  unsigned int *count_r);
/* A folder's read state, on mem; no bytes if there's none. [MS-OXCSTOR]
   3.2.5.12 */
enum mapi_error
mapi_per_user_read(struct mapi_store *store,
		   const struct mapi_long_term_id *folder, TALLOC_CTX *mem,
		   const void **data_r, size_t *size_r);

/* Read state that a client writes piece by piece. It belongs to the logon, and is
   gone with it if it isn't complete. */
struct mapi_per_user_write;
/* The next piece, from offset on; database counts if that is 0. With finished the
   whole is checked and saved durably. EC_ERROR if it doesn't continue what is there
   and isn't a beginning either, EC_CORRUPT_DATA if the whole isn't a serialised
   IDSET, EC_NOT_ENOUGH_MEMORY if it's too long. *write is freed and becomes NULL
   with the last piece, and if it's of no use any more. [MS-OXCSTOR] 3.2.5.13 */
enum mapi_error
mapi_per_user_write(struct mapi_per_user_write **write, TALLOC_CTX *parent,
		    struct mapi_store *store,
		    const struct mapi_long_term_id *folder, uint32_t offset,
		    const void *data, size_t size,
		    const struct mapi_guid *database, bool finished);

#endif
