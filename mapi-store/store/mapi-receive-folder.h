/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_RECEIVE_FOLDER_H
#define MAPI_RECEIVE_FOLDER_H

/* Receive folders: into which folder messages of a class are delivered, [MS-OXCSTOR]
   1.3.1.3. What delivers here doesn't ask: it's what clients look for each other's
   folders by. A class whose folder doesn't exist any more has none. */

#include "mapi-store.h"

struct mapi_receive_folder {
	/* ASCII, as the client gave it; "" for all classes that have none */
	const char *message_class;
	mapi_id_t fid;
	/* FILETIME; 1970 for one that has never been changed */
	uint64_t changed;
};

/* All of them, on mem: those of a new store first, then in the order in which they
   have been set. */
enum mapi_error
mapi_receive_folders_list(struct mapi_store *store, TALLOC_CTX *mem,
			  struct mapi_receive_folder **folders_r,
			  unsigned int *count_r);

/* The folder of a class, or of the longest of its superclasses that has one.
   EC_INVALID_PARAM if it's not a message class, EC_NO_RECEIVE_FOLDER. 3.2.5.2 */
enum mapi_error
mapi_receive_folder_find(struct mapi_store *store, TALLOC_CTX *mem,
			 const char *message_class,
			 struct mapi_receive_folder *folder_r);

/* Sets the folder of a class durably; fid 0: it has none of its own any more.
   EC_INVALID_PARAM if it's not a message class, EC_ACCESS_DENIED for IPM and
   REPORT.IPM, EC_ERROR if "" shall have none, EC_NOT_FOUND if there's no such
   folder. 3.2.5.3 */
enum mapi_error
mapi_receive_folder_set(struct mapi_store *store, const char *message_class,
			mapi_id_t fid);

#endif
