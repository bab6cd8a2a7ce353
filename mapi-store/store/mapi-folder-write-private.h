/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_FOLDER_WRITE_PRIVATE_H
#define MAPI_FOLDER_WRITE_PRIVATE_H

/* What the files that write folders share. All strings are on the data stack. */

#include "mapi-folder-write.h"
#include "mapi-store-private.h"

/* What is to be remembered of a node while the tree changes */
struct mapi_folder_item {
	mapi_id_t fid;
	uint32_t number;
	enum mapi_special_folder special;
	const char *path, *vname, *name;
	/* levels below the first */
	unsigned int depth;
};
ARRAY_DEFINE_TYPE(mapi_folder_item, struct mapi_folder_item);

/* Adds node and all below it but search folders: parents first, or last with
   post_order. */
void mapi_folder_items_add(struct mapi_store *store,
			   const struct mapi_folder_node *node, bool post_order,
			   ARRAY_TYPE(mapi_folder_item) *items);
/* TRUE if node or any below it is a special folder. */
bool mapi_folder_has_special(const struct mapi_folder_node *node);

/* A note in the log about a folder is to be written, unless it says so already. */
struct mapi_stored_changes;
void mapi_folder_note(struct mapi_stored_changes *changes, uint32_t number,
		      const char *kind, const char *value);
/* What is noted of a folder is to be noted of another one, if there's anything. */
void mapi_folder_copy_note(struct mapi_stored_changes *changes, uint32_t number,
			   uint32_t dest_number, const char *kind);
/* All properties that clients have set, but for the name */
enum mapi_error
mapi_folder_copy_props(struct mapi_stored_changes *changes, uint32_t number,
		       uint32_t dest_number);

/* Whether a folder may be called so at all: EC_INVALID_PARAM */
enum mapi_error mapi_folder_name_check(const char *name);
/* The child of that name, whatever the case; except is none. NULL if there's
   none. */
struct mapi_folder_node *
mapi_folder_find_child(struct mapi_store *store,
		       const struct mapi_folder_node *parent, const char *name,
		       const struct mapi_folder_node *except);
/* vname of the mailbox of a folder called name below parent */
enum mapi_error
mapi_folder_child_vname(struct mapi_store *store,
			const struct mapi_folder_node *parent, const char *name,
			const char **vname_r);
/* Whether a mailbox of that name can be created: EC_INVALID_PARAM */
enum mapi_error
mapi_folder_vname_check(struct mapi_store *store, const char *vname);

/* Subscribes or unsubscribes. Returns TRUE if that has changed anything. Errors
   are logged: a folder isn't refused because of it. */
bool mapi_folder_set_subscribed(struct mapi_store *store, const char *vname,
				bool set);
/* Renames a mailbox with all below it. items are it and them in this order.
   noselect parents keep their numbers, too, and subscriptions follow. */
enum mapi_error
mapi_folder_mailbox_rename(struct mapi_store *store,
			   const ARRAY_TYPE(mapi_folder_item) *items,
			   const char *vname);
/* Deletes one mailbox with its FAI messages; item's path and number are used, of
   which the latter may be 0 if it never got one. With if_empty EC_FOLDER_HAS_CONTENTS
   if it has messages. */
enum mapi_error
mapi_folder_mailbox_delete(struct mapi_store *store,
			   const struct mapi_folder_item *item, bool if_empty);

#endif
