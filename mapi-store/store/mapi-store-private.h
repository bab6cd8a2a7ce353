/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_STORE_PRIVATE_H
#define MAPI_STORE_PRIVATE_H

/* What the files of the store share. Nothing outside of mapi-store*.c,
   mapi-folder*.c and mapi-named-props.c needs it. */

#include "seq-range-array.h"
#include "mapi-store.h"
#include "mapi-folder.h"
#include "mapi-companion.h"
#include "mapi-idlog.h"
#include "mapi-prop-class.h"

struct mailbox_list;
struct mapi_acl;
struct mapi_directory_batch;
struct mapi_folder_tree;
struct mapi_searches;

/* Mailboxes of the companion tree. Those of folders are named by the folder's
   number (the GLOBCNT of its FID), which replication carries along:
   "fai-<number>" holds its folder-associated messages, "folder-<number>" the
   messages of a folder that IMAP clients don't see, "bags-<number>" and
   "bags-fai-<number>" the property bags of its messages, "rules-<number>" its
   rules; "deleted-<number>" etc. what has been soft deleted of them
   (mapi-dumpster.h), and "removed-<number>" the messages of a folder that is
   soft deleted itself (mapi-folder-removed.h). "values" has the large values of
   the properties of folders and of the store, "per-user" the read states of public
   folders. "damaged" keeps messages of the others that couldn't be understood, and
   "copy-<random>" is a folder that is just being copied, perhaps from another
   mailbox (mapi-folder-copy.c).
   "doveadm mapi check" has to know them all (mapi-check.c). */
#define MAPI_COMPANION_LOG "allotments"
#define MAPI_COMPANION_BLOCKS "blocks"
#define MAPI_COMPANION_NAMES "names"
#define MAPI_COMPANION_DAMAGED "damaged"
#define MAPI_COMPANION_COPY_PREFIX "copy-"
#define MAPI_COMPANION_FAI "fai-%u"
#define MAPI_COMPANION_FOLDER "folder-%u"
#define MAPI_COMPANION_BAGS_PREFIX "bags-"
#define MAPI_COMPANION_BAGS MAPI_COMPANION_BAGS_PREFIX"%u"
#define MAPI_COMPANION_BAGS_FAI "bags-fai-%u"
#define MAPI_COMPANION_RULES "rules-%u"
#define MAPI_COMPANION_VALUES "values"
#define MAPI_COMPANION_PER_USER "per-user"
#define MAPI_COMPANION_REMOVED "removed-%u"
#define MAPI_COMPANION_DELETED "deleted-%u"
#define MAPI_COMPANION_DELETED_FAI "deleted-fai-%u"
#define MAPI_COMPANION_BAGS_DELETED "bags-deleted-%u"
#define MAPI_COMPANION_BAGS_DELETED_FAI "bags-deleted-fai-%u"

/* Kinds of records in the log "allotments"; numbers are what a FID or a
   folder's change number has in block 0. Folder keys are explained in
   mapi-folder-list.c, folders that aren't mailboxes in mapi-folder-place.h.

     store		claim	"replica", "mailbox"	GUID
     special		claim	kind of folder		""
     special-folder	note	kind of folder		folder number
     folder		claim	folder key		vname
     alias		note	folder key		folder number
     name		note	folder number		vname, "" if deleted
     class		note	folder number		container class
     comment		note	folder number		PidTagComment
     hidden		note	folder number		"1" or "0"
     display		note	see mapi-folder-name.c
     removed		note	see mapi-folder-removed.c
     prop		note	see mapi-stored-props.c
     modified		note	folder number		microseconds, in hex
     receive-folder	note	see mapi-receive-folder.c
     replid		claim	replica id		GUID
     range		claim	first GLOBCNT in hex	count, whose
     modseq		note	change lineage		highest seen
     permissions	note	folder number		mapi-permissions.c */
#define MAPI_LOG_STORE "store"
#define MAPI_LOG_SPECIAL "special"
#define MAPI_LOG_SPECIAL_FOLDER "special-folder"
#define MAPI_LOG_FOLDER "folder"
#define MAPI_LOG_ALIAS "alias"
#define MAPI_LOG_NAME "name"
#define MAPI_LOG_CLASS "class"
#define MAPI_LOG_COMMENT "comment"
#define MAPI_LOG_HIDDEN "hidden"
#define MAPI_LOG_DISPLAY "display"
#define MAPI_LOG_PROP "prop"
#define MAPI_LOG_MODIFIED "modified"
#define MAPI_LOG_REPLID "replid"
#define MAPI_LOG_RANGE "range"
#define MAPI_LOG_MODSEQ "modseq"
#define MAPI_LOG_PERMISSIONS "permissions"

/* GLOBCNT blocks: 0 for folders and their changes, then messages and changes,
   then what clients reserve, as one region. */
#define MAPI_BLOCK_MAX 0xEFFF
#define MAPI_BLOCK_RESERVED_FIRST 0xF000
#define MAPI_BLOCK_RESERVED_LAST 0xFFFE

struct mapi_store {
	struct mail_user *user;
	const struct mapi_store_settings *set;
	struct mapi_companion *companion;
	/* ACLs of the companion's namespace; NULL if it has none */
	struct mapi_acl *acl;
	/* always read up to date when a folder tree is refreshed */
	struct mapi_idlog *log;
	/* opened when a folder's mailbox is */
	struct mapi_idlog *blocks;
	/* opened at the first question */
	struct mapi_idlog *names;
	bool names_read;

	struct mapi_guid replica_guid, mailbox_guid;
	char *owner_dn;
	/* of who sends mail from here: the owner's, or the delegate's */
	char *sender_dn;
	/* mapi-store-directory.c; NULL until the first */
	struct mapi_directory_batch *directory_batch;

	struct mapi_folder_tree *tree;
	/* mapi-bags.c: those that have been asked for */
	struct mapi_bags *bags;
	/* mapi-stored-props.c; NULL until the first is asked for */
	struct mapi_stored *stored;
	/* of the session's 8-bit strings */
	uint32_t code_page;
	/* mapi-dumpster.c: numbers of folders that have been opened */
	ARRAY_TYPE(seq_range) dumpsters_seen;
	/* mapi-search-folder-results.c; NULL until the first */
	struct mapi_searches *searches;
	/* highest MODSEQs seen since the last record about them, for those
	   change lineages that had a mailbox open (mapi-folder-blocks.c) */
	struct mapi_modseq_mark *marks;
};

/* mapi-error-map.c */
enum mapi_error mapi_error_from_list(struct mailbox_list *list);

/* mapi-named-props.c: names as they are in logs, with strings of
   PS_INTERNET_HEADERS in lower case; on the data stack, on mem */
const char *mapi_property_name_to_key(const struct mapi_property_name *name);
bool mapi_property_name_from_key(TALLOC_CTX *mem, const char *key,
				 struct mapi_property_name *name_r);

/* mapi-store.c: opens a store without allotting anything, to look at what there is.
   It has no folder tree, and its bags and logs are all that may be used of it.
   EC_NOT_FOUND if the user has never used MAPI. */
enum mapi_error
mapi_store_open_examined(TALLOC_CTX *parent, struct mail_user *user,
			 const struct mapi_store_settings *set,
			 struct mapi_store **store_r);
/* mapi-store.c: GUIDs in hex as they are in the log */
const char *mapi_guid_to_hex(const struct mapi_guid *guid);
bool mapi_guid_from_hex(const char *hex, struct mapi_guid *guid_r);

/* mapi-stored-stream.c: open_stream of folders and of the store */
enum mapi_error
mapi_stored_open_stream(struct mapi_object *obj, TALLOC_CTX *parent,
			uint32_t tag, struct mapi_stream **stream_r);
/* open_stream_write of folders */
enum mapi_error
mapi_stored_open_stream_write(struct mapi_object *obj, TALLOC_CTX *parent,
			      uint32_t tag, bool create,
			      struct mapi_stream **stream_r);
/* PidTagStoreEntryId */
struct mapi_value mapi_store_entryid(struct mapi_store *store, TALLOC_CTX *mem);

/* mapi-folder-rights.c: the mailbox with a folder's messages, allocated only;
   node->vname isn't NULL. own: with the owner's rights, see struct mapi_folder.
   EC_ACCESS_DENIED if the user may not read them and lib-storage wouldn't see to
   it. */
enum mapi_error
mapi_folder_box_alloc(struct mapi_store *store,
		      const struct mapi_folder_node *node, bool own,
		      enum mailbox_flags flags, struct mailbox **box_r);
/* mapi-permissions.c: RIGHTS_* that the permissions list of a folder gives the user
   of the store, who isn't its owner; 0 if it's no more than an ACL. path is NULL
   for folders that have no ACL. What has been read of the log counts. */
uint32_t
mapi_permissions_noted_rights(struct mapi_store *store, uint32_t number,
			      const char *path);
/* The same file: what is noted of the list of a folder beyond its ACL, "" if nothing,
   to be noted of a mailbox that has just got the same ACL. On the data stack */
const char *mapi_permissions_note(struct mapi_store *store, uint32_t number);

/* mapi-folder-props.c: what becomes of a folder's property, whatever the type,
   when a client sets it. Those that have a native home (name, comment, class,
   hidden) are MAPI_PROP_COMPUTED here. */
enum mapi_prop_class mapi_folder_prop_class(uint32_t tag);

/* mapi-folder-name.c: the name of a folder if it isn't that of its mailbox, of which
   leaf is the last part; "" for what holds whatever it is. NULL if there's none.
   Valid until the log is refreshed */
const char *
mapi_folder_display_name(struct mapi_store *store, uint32_t number,
			 const char *leaf);

/* mapi-folder-tree.c */
void mapi_folder_tree_init(struct mapi_store *store);
/* FID of a folder number */
#define MAPI_FOLDER_FID(number) MAPI_ID(MAPI_STORE_REPLID, (number))
/* 0 if it isn't a FID of this store */
uint32_t mapi_folder_fid_to_number(mapi_id_t fid);
mapi_id_t mapi_folder_tree_special(struct mapi_store *store,
				   enum mapi_special_folder special);
/* Change number of a folder: block 0, number of the newest record about it */
mapi_id_t mapi_folder_number_cn(struct mapi_store *store, uint32_t number);

/* A mailbox of the user's as the tree has listed it, or a parent that is no
   mailbox. Not the companion tree's. */
struct mapi_tree_mailbox {
	const char *vname;
	/* identity: see mapi-folder-list.c */
	const char *key;
	/* the key under which the log has it: usually the same */
	const char *id_key;
	/* special use attributes with backslashes, space separated, or NULL */
	const char *special_use;
	bool noselect;
	/* the user may see it; has something below it that he may see */
	bool visible, has_visible;
	uint32_t number;
};
ARRAY_DEFINE_TYPE(mapi_tree_mailbox, struct mapi_tree_mailbox);

/* mapi-folder-special.c */
struct mapi_special_info {
	/* name in the log: never change one */
	const char *key;
	const char *display_name;
	const char *container_class;
	/* parent of the folders that have no mailbox among the user's */
	enum mapi_special_folder parent;
	/* TRUE: in the companion tree or without any mailbox */
	bool internal;
	/* internal ones: has a mailbox from the start */
	bool mailbox;
	/* found again or created again if the user has deleted it; others
	   stay away until someone creates one */
	bool mandatory;
	/* mail or something else */
	bool mail;
	/* special use attribute; NULL if there's none for it */
	const char *special_use;
	/* names that an existing mailbox may have, best first; the first one
	   is used if one has to be created */
	const char *const *names;
};
extern const struct mapi_special_info
mapi_special_infos[MAPI_SPECIAL_COUNT];

/* Allots the folders that have no mailbox among the user's. */
enum mapi_error mapi_special_internal_allot(struct mapi_store *store);
/* Finds out which of the mailboxes are special folders, and creates missing
   ones. created_r is set if mailboxes have to be listed and this to be called
   again. */
enum mapi_error
mapi_special_folders_find(struct mapi_store *store,
			  const ARRAY_TYPE(mapi_tree_mailbox) *mailboxes,
			  bool *created_r);
/* Number of a special folder's folder as remembered; 0 if there's none. It may
   have been deleted meanwhile. */
uint32_t mapi_special_number(struct mapi_store *store,
			     enum mapi_special_folder special);

/* mapi-folder-blocks.c */
struct mapi_blocks {
	uint16_t id_block, change_block;
	/* MODSEQ that is 0 in change_block; usually 0 */
	uint64_t change_base;
	const char *lineage;
};
/* Finds or allots the blocks of an open mailbox; number is the folder's.
   lineage is allocated from mem. */
enum mapi_error
mapi_blocks_get(struct mapi_store *store, TALLOC_CTX *mem, uint32_t number,
		struct mailbox *box, struct mapi_blocks *blocks_r);
/* The id block that an open mailbox has as far as is known; 0 if none. */
uint16_t mapi_blocks_find_ids(struct mapi_store *store, uint32_t number,
			      struct mailbox *box);
/* Whether any MAPI client has opened the mailbox, which is open; not for sure. */
bool mapi_blocks_are_known(struct mailbox *box);
/* Remembers the highest MODSEQ that has been seen. */
void mapi_blocks_seen(struct mapi_store *store,
		      const struct mapi_blocks *blocks, uint64_t modseq);
/* Writes what has to be remembered at the end of a session. */
void mapi_blocks_deinit(struct mapi_store *store);

#endif
