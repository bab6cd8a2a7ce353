/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_FOLDER_WRITE_PRIVATE_H
#define MAPI_FOLDER_WRITE_PRIVATE_H

/* What the files that write folders share. All strings are on the data stack. */

#include "mapi-folder-place.h"
#include "mapi-folder-write.h"
#include "mapi-store-private.h"

/* What is to be remembered of a node while the tree changes */
struct mapi_folder_item {
	mapi_id_t fid;
	uint32_t number, parent;
	enum mapi_special_folder special;
	/* no mailbox of the user's: path is NULL */
	bool companion;
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

/* What is kept of a folder that is deleted */
enum mapi_folder_keep {
	MAPI_KEEP_NOTHING,
	/* in the dumpster of Deleted Items */
	MAPI_KEEP_MESSAGES,
	/* or the messages if that's impossible */
	MAPI_KEEP_FOLDER,
};
/* Deletes a folder and all below it: they mustn't be special ones or search folders. With
   if_empty nothing is deleted, and *partial set, if one of them has messages. The tree
   isn't refreshed afterwards. */
enum mapi_error
mapi_folder_delete_tree(struct mapi_store *store, mapi_id_t fid, bool if_empty,
			enum mapi_folder_keep keep, bool *partial);

/* Whether some bags' messages aren't in the mailbox item->path; also if that isn't
   known. */
bool mapi_folder_has_left_bags(struct mapi_store *store,
			       const struct mapi_folder_item *item);

/* A process that is killed while it deletes a mailbox leaves it marked as deleted:
   it can't be opened any more, and so not deleted either, until lib-storage takes
   that back after some minutes. Does the same at once with item->path. Returns TRUE
   if it was so. */
bool mapi_folder_unmark_deleted(struct mapi_store *store,
				const struct mapi_folder_item *item);

/* A note in the log about a folder is to be written, unless it says so already. */
struct mapi_stored_changes;
void mapi_folder_note(struct mapi_stored_changes *changes, uint32_t number,
		      const char *kind, const char *value);
/* What is noted of a folder is to be noted of another one, if there's anything.
   store: that of the former */
void mapi_folder_copy_note(struct mapi_stored_changes *changes,
			   struct mapi_store *store, uint32_t number,
			   uint32_t dest_number, const char *kind);
/* All properties that clients have set, but for the name */
enum mapi_error
mapi_folder_copy_props(struct mapi_stored_changes *changes,
		       struct mapi_store *store, uint32_t number,
		       uint32_t dest_number);

/* --- names (mapi-folder-name.c) */

/* Whether a folder may be called so at all: EC_INVALID_PARAM */
enum mapi_error mapi_folder_name_check(const char *name);
/* The child of that name, whatever the case; except is none. NULL if there's
   none. */
struct mapi_folder_node *
mapi_folder_find_child(struct mapi_store *store,
		       const struct mapi_folder_node *parent, const char *name,
		       const struct mapi_folder_node *except);
/* vname of the mailbox of a folder called name below parent, which no other folder
   is called. except is the folder that is to be renamed to it, or NULL.
   EC_INVALID_PARAM if there's no room for any name below the parent,
   EC_DUPLICATE_NAME for what is reserved */
enum mapi_error
mapi_folder_child_vname(struct mapi_store *store,
			const struct mapi_folder_node *parent, const char *name,
			const struct mapi_folder_node *except,
			const char **vname_r);
/* The last part of a mailbox's name that is most similar to a folder's name */
const char *mapi_folder_leaf_encode(struct mapi_store *store, const char *name);
/* What is to be noted of the name of a folder whose mailbox has this one: "" if it's
   the same. */
const char *
mapi_folder_display_value(struct mapi_store *store, const char *vname,
			  const char *name);
/* Notes it, if it hasn't been yet. */
enum mapi_error
mapi_folder_note_display(struct mapi_store *store, uint32_t number,
			 const char *value);
/* Gives a special folder another name; its mailbox keeps its own. The Root has only
   one: EC_ACCESS_DENIED. */
enum mapi_error
mapi_folder_rename_special(struct mapi_store *store,
			   const struct mapi_folder_node *node,
			   const char *name);

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
/* Whether what is made below a folder is in the companion tree, too */
bool mapi_folder_is_companion_parent(const struct mapi_folder_node *node);
/* Whether a folder can be below parent with levels of others below it:
   EC_TOO_COMPLEX */
enum mapi_error
mapi_folder_companion_check_depth(const struct mapi_folder_node *parent,
				  const struct mapi_folder_node *node);
/* As mapi_folder_mailbox_delete(), of a folder in the companion tree. */
enum mapi_error
mapi_folder_companion_delete(struct mapi_store *store,
			     const struct mapi_folder_item *item,
			     bool if_empty);
/* Deletes the FAI messages, bags (unless they are to be kept) and rules of a folder
   that is gone, and its properties: what can't be deleted is garbage. */
void mapi_folder_delete_associated(struct mapi_store *store, uint32_t number,
				   bool keep_bags);

/* Deletes one mailbox with its FAI messages; item's path and number are used, of
   which the latter may be 0 if it never got one. With if_empty EC_FOLDER_HAS_CONTENTS
   if it has messages. */
enum mapi_error
mapi_folder_mailbox_delete(struct mapi_store *store,
			   const struct mapi_folder_item *item, bool if_empty);

#endif
