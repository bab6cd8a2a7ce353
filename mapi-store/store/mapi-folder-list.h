/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_FOLDER_LIST_H
#define MAPI_FOLDER_LIST_H

#include "guid.h"
#include "mapi-store-private.h"

/* The mailboxes that a folder tree is made of. */
struct mapi_folder_list {
	struct mapi_store *store;
	struct mail_namespace *ns;
	pool_t pool;
	ARRAY_TYPE(mapi_tree_mailbox) mailboxes;
	/* numbers of folders that have a mailbox in the companion tree */
	ARRAY_TYPE(uint32_t) companions;
	/* numbers of folders that are soft deleted */
	ARRAY_TYPE(uint32_t) removed;
	/* while reading */
	HASH_TABLE(const char *, const char *) vnames;
};

void mapi_folder_list_init(struct mapi_folder_list *list,
			   struct mapi_store *store);
void mapi_folder_list_deinit(struct mapi_folder_list *list);

/* Lists the user's mailboxes and adds parents that aren't any. Numbers are 0. */
enum mapi_error mapi_folder_list_read(struct mapi_folder_list *list);
/* The number of a mailbox as far as the log has been read; 0 if it has none. */
uint32_t
mapi_folder_guid_to_number(struct mapi_store *store, const guid_128_t guid);
/* Sets the numbers that are known, which are all different; others are 0. */
void mapi_folder_list_find_numbers(struct mapi_folder_list *list);
/* The name that the mailbox of a folder number had when it was last seen; "" if it
   has been deleted by MAPI or never had one. Valid until the log is refreshed. */
const char *mapi_folder_number_name(struct mapi_store *store, uint32_t number);
/* Sets the numbers, which are all different; missing ones are allotted. Renamed
   mailboxes are noted. */
enum mapi_error mapi_folder_list_allot(struct mapi_folder_list *list);
/* TRUE if both have the same mailboxes, names and attributes. */
bool mapi_folder_list_equals(const struct mapi_folder_list *list,
			     const struct mapi_folder_list *list2);

/* vname of the parent, or NULL if the parent is the IPM subtree */
const char *
mapi_folder_list_parent(struct mail_namespace *ns, const char *vname);
/* the name below the parent */
const char *mapi_folder_list_leaf(struct mail_namespace *ns, const char *vname);

#endif
