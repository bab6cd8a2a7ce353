/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_FOLDER_H
#define MAPI_FOLDER_H

/* The folder tree, folders, and the ids of what is in them
   (docs/architecture.md, section 5). */

#include "mapi-store.h"

struct mailbox;

/* One node of the folder tree. Owned by the store and valid until the next
   mapi_folder_tree_refresh() of it: copy what must last longer. */
struct mapi_folder_node {
	mapi_id_t fid, parent_fid;
	enum mapi_special_folder special;
	/* UTF-8; for INBOX "Inbox" etc. */
	const char *display_name;
	/* PidTagContainerClass, e.g. "IPF.Note"; never NULL ("" if none) */
	const char *container_class;
	/* name of the Dovecot mailbox (vname) that holds the messages; NULL
	   for nodes that have none (Root, IPM subtree, \NoSelect parents) */
	const char *vname;
	/* below which name children have theirs: vname, or the name of a
	   \NoSelect parent; NULL for folders in the companion tree, and the
	   IPM subtree, whose children have the namespace's prefix only */
	const char *path;
	/* TRUE for folders that IMAP clients don't see, in the companion tree */
	bool companion;
	/* TRUE for search folders: vname and path are NULL
	   (mapi-search-folder.h) */
	bool search;
	bool hidden;		/* PidTagAttributeHidden */
	/* when a soft-deleted folder was deleted, 0 for those that there are.
	   Such nodes are in the companion tree, and only their descendants that
	   were deleted with them have them as parents with children. */
	time_t removed;
	/* it was deleted by itself, and not with its parent */
	bool removed_top;
	struct mapi_folder_node *parent, *first_child, *next_sibling;
	unsigned int child_count;
};

/* Reads the list of mailboxes again, allots ids to new ones (durably). Cheap
   if nothing has changed. */
enum mapi_error mapi_folder_tree_refresh(struct mapi_store *store);
/* NULL if there's no such folder */
struct mapi_folder_node *
mapi_folder_tree_lookup(struct mapi_store *store, mapi_id_t fid);
/* The same by the node's path. */
struct mapi_folder_node *
mapi_folder_tree_lookup_path(struct mapi_store *store, const char *path);
/* All nodes in any order: *iter is 0 at first, NULL is the end. */
struct mapi_folder_node *
mapi_folder_tree_next(struct mapi_store *store, unsigned int *iter);

/* Soft-deleted folders (mapi-folder-removed.h): the functions above don't find them.
   NULL if there's no such folder, or if it isn't soft deleted */
struct mapi_folder_node *
mapi_folder_tree_lookup_removed(struct mapi_store *store, mapi_id_t fid);
/* Either: one that there is, or one that is soft deleted */
struct mapi_folder_node *
mapi_folder_tree_lookup_any(struct mapi_store *store, mapi_id_t fid);
/* As mapi_folder_tree_next(). */
struct mapi_folder_node *
mapi_folder_tree_next_removed(struct mapi_store *store, unsigned int *iter);

/* A folder that a client has open. */
struct mapi_folder {
	struct mapi_object obj;
	mapi_id_t fid;
	enum mapi_special_folder special;
	/* not the folder's messages but those that have been soft deleted from
	   it */
	bool deleted;
	/* The mailbox is open with its owner's rights, for messages that the
	   user of the store has created (mapi_message_folder_get_own()) */
	bool own;
	/* NULL until mapi_folder_open_mailbox(), and for folders without
	   mailbox */
	struct mailbox *box;
	/* the id and change blocks of the mailbox, valid once box is open:
	   MID = MAPI_ID(MAPI_STORE_REPLID, (uint64_t)id_block << 32 | UID) */
	uint16_t id_block, change_block;
	/* further fields belong to mapi-folder.c */
	struct mapi_folder_private *priv;
};

/* EC_NOT_FOUND if the folder doesn't exist; soft-deleted ones do. Doesn't open the
   mailbox. */
enum mapi_error
mapi_folder_open(TALLOC_CTX *parent, struct mapi_store *store, mapi_id_t fid,
		 struct mapi_folder **folder_r);
/* As if the messages that have been soft deleted from it (mapi-dumpster.h) were the
   folder's; its other properties are those of the folder. */
enum mapi_error
mapi_folder_open_deleted(TALLOC_CTX *parent, struct mapi_store *store,
			 mapi_id_t fid, struct mapi_folder **folder_r);
/* The folder's node now; NULL if the folder has vanished meanwhile. */
struct mapi_folder_node *mapi_folder_node(struct mapi_folder *folder);
/* Whether the folder is soft deleted itself */
bool mapi_folder_is_removed(struct mapi_folder *folder);

/* Makes sure that folder->box is open (the first time; it stays open) and
   knows its blocks; noop for folders without mailbox (box stays NULL).
   A changed UIDVALIDITY is noticed here. */
enum mapi_error mapi_folder_open_mailbox(struct mapi_folder *folder);
/* Opens the mailbox if needed, and brings its view up to date with what
   others have changed (mailbox_sync). A mailbox that has been rebuilt or got
   another UIDVALIDITY meanwhile is opened anew: box and the blocks change. While
   there are transactions on it, nothing is done. */
enum mapi_error mapi_folder_sync(struct mapi_folder *folder);

/* The mailbox of the folder's folder-associated messages (FAI), opened; NULL
   if there are none. Owned by the folder. */
enum mapi_error
mapi_folder_open_associated(struct mapi_folder *folder, struct mailbox **box_r);

/* The same, made if there are none. */
enum mapi_error
mapi_folder_create_associated(struct mapi_folder *folder,
			      struct mailbox **box_r);

/* ids of messages. associated: of the companion mailbox of FAI messages */
mapi_id_t mapi_folder_mid(struct mapi_folder *folder, bool associated,
			  uint32_t uid);
/* Whether mid is the id of a normal message of the folder, whose mailbox must be
   open. */
bool mapi_folder_has_normal_mid(struct mapi_folder *folder, mapi_id_t mid);
/* The bags of its messages. The mailbox must be open. */
struct mapi_bags;
struct mapi_bags *mapi_folder_bags(struct mapi_folder *folder, bool associated);
/* Whether a message has the MID of its UID: one that has replaced another hasn't.
   The mailbox must be open. */
bool mapi_folder_mid_is_own(struct mapi_folder *folder, bool associated,
			    uint32_t uid);
/* EC_NOT_FOUND if mid is not an id of this folder. Whether a message with
   that UID exists isn't checked. */
enum mapi_error
mapi_folder_mid_to_uid(struct mapi_folder *folder, mapi_id_t mid,
		       bool *associated_r, uint32_t *uid_r);
/* The change number that a MODSEQ of the folder's mailbox stands for. */
mapi_id_t mapi_folder_cn(struct mapi_folder *folder, bool associated,
			 uint64_t modseq);
/* The folder that a MID belongs to: 0 if none. O(1) by id block. */
mapi_id_t mapi_store_mid_to_fid(struct mapi_store *store, mapi_id_t mid);

/* PidTagSourceKey, PidTagChangeKey (22 bytes: GUID, GLOBCNT) of an id. */
struct mapi_value mapi_store_gid(struct mapi_store *store, TALLOC_CTX *mem,
				 mapi_id_t id);
/* PidTagPredecessorChangeList with one XID, that of cn. */
struct mapi_value mapi_store_pcl(struct mapi_store *store, TALLOC_CTX *mem,
				 mapi_id_t cn);
/* PidTagEntryId of a folder / of a message ([MS-OXCDATA] 2.2.4.1, .2). */
struct mapi_value
mapi_store_folder_entryid(struct mapi_store *store, TALLOC_CTX *mem,
			  mapi_id_t fid);
struct mapi_value
mapi_store_message_entryid(struct mapi_store *store, TALLOC_CTX *mem,
			   mapi_id_t fid, mapi_id_t mid);

/* Folder properties of a node, for folder objects and hierarchy table rows.
   As mapi_object_vfuncs.get_props. Counts come from the index (mailbox
   status), never from opening messages. What clients have set is as it was when
   the tree was refreshed or mapi_stored_refresh() called. */
enum mapi_error
mapi_folder_node_get_props(struct mapi_store *store,
			   struct mapi_folder_node *node, TALLOC_CTX *mem,
			   const uint32_t *tags, unsigned int count,
			   size_t max_size, struct mapi_value *values_r);
/* The tags that a node has values of, as mapi_object_vfuncs.list_props. */
enum mapi_error
mapi_folder_node_list_props(struct mapi_store *store,
			    struct mapi_folder_node *node, TALLOC_CTX *mem,
			    const uint32_t **tags_r, unsigned int *count_r);

#endif
