/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_ENTRYID_H
#define MAPI_ENTRYID_H

/* Identifiers: long-term ids, entry ids, server ids, XIDs and predecessor
   change lists. [MS-OXCDATA] 2.2, 2.11.1.4; [MS-OXCFXICS] 2.2.2 */

#include "mapi-wire.h"

/* Replica GUID and counter: the form of an id that means the same in every
   session. [MS-OXCDATA] 2.2.1.3 */
struct mapi_long_term_id {
	struct mapi_guid guid;
	uint64_t globcnt;
};
#define MAPI_LONG_TERM_ID_SIZE 24
/* LongTermID without its padding: PidTagSourceKey */
#define MAPI_GID_SIZE 22

/* 24 bytes. The padding isn't checked. */
void mapi_pull_long_term_id(struct mapi_pull *pull,
			    struct mapi_long_term_id *ltid_r);
bool mapi_push_long_term_id(struct mapi_push *push,
			    const struct mapi_long_term_id *ltid);
/* 22 bytes, on mem. len 0 if out of memory. */
struct mapi_binary mapi_gid_build(TALLOC_CTX *mem, const struct mapi_guid *guid,
				  uint64_t globcnt);
bool mapi_gid_parse(const struct mapi_binary *bin,
		    struct mapi_long_term_id *ltid_r);

/* --- entry ids ------------------------------------------------------------ */

/* The provider UIDs that tell the kinds apart */
extern const struct mapi_guid MAPI_UID_ADDRESSBOOK;	/* muidEMSAB */
extern const struct mapi_guid MAPI_UID_ONE_OFF;
extern const struct mapi_guid MAPI_UID_CONTACT;		/* muidContabDLL */
extern const struct mapi_guid MAPI_UID_STORE_WRAP;	/* muidStoreWrap */
extern const struct mapi_guid MAPI_UID_STORE_PRIVATE;
extern const struct mapi_guid MAPI_UID_STORE_PUBLIC;
extern const struct mapi_guid MAPI_UID_PUBLIC_FOLDERS;
extern const struct mapi_guid MAPI_UID_DISTLIST_WRAP;	/* PDL members */

/* StoreObjectType, [MS-OXCDATA] 2.2.4 */
enum mapi_store_object_type {
	MAPI_EITLT_PRIVATE_FOLDER	= 0x0001,
	MAPI_EITLT_PUBLIC_FOLDER	= 0x0003,
	MAPI_EITLT_PRIVATE_MESSAGE	= 0x0007,
	MAPI_EITLT_PUBLIC_MESSAGE	= 0x0009,
};

/* Type of an address book entry id, [MS-OXCDATA] 2.2.5.2 */
enum mapi_addressbook_type {
	MAPI_AB_LOCAL_USER		= 0x00000000,
	MAPI_AB_DISTLIST		= 0x00000001,
	MAPI_AB_PUBLIC_FOLDER		= 0x00000002,
	MAPI_AB_AUTOMATED		= 0x00000003,
	MAPI_AB_ORGANIZATION		= 0x00000004,
	MAPI_AB_PRIVATE_DISTLIST	= 0x00000005,
	MAPI_AB_REMOTE_USER		= 0x00000006,
	MAPI_AB_CONTAINER		= 0x00000100,
	MAPI_AB_TEMPLATE		= 0x00000101,
	MAPI_AB_ONE_OFF			= 0x00000102,
	MAPI_AB_SEARCH			= 0x00000200,
};

/* OneOffEntryID flags, as a little-endian number */
enum mapi_one_off_flags {
	MAPI_ONE_OFF_NO_RICH_INFO	= 0x0001,
	MAPI_ONE_OFF_ENCODING_MASK	= 0x007E,
	MAPI_ONE_OFF_NO_LOOKUP		= 0x1000,
	MAPI_ONE_OFF_UNICODE		= 0x8000,
};

enum mapi_entry_id_kind {
	/* none of the below, or malformed */
	MAPI_ENTRY_ID_UNKNOWN = 0,
	MAPI_ENTRY_ID_FOLDER,		/* [MS-OXCDATA] 2.2.4.1 */
	MAPI_ENTRY_ID_MESSAGE,		/* 2.2.4.2 */
	MAPI_ENTRY_ID_STORE,		/* 2.2.4.3 */
	MAPI_ENTRY_ID_ONE_OFF,		/* 2.2.5.1 */
	MAPI_ENTRY_ID_ADDRESSBOOK,	/* 2.2.5.2, permanent */
	MAPI_ENTRY_ID_EPHEMERAL,	/* [MS-OXNSPI] 2.2.9.2 */
	MAPI_ENTRY_ID_CONTACT,		/* [MS-OXCDATA] 2.2.5.3, 2.2.5.4 */
	/* [MS-OXOCNTC] 2.2.2.2.4.1.1: member of a personal distribution list */
	MAPI_ENTRY_ID_WRAPPED,
};

struct mapi_entry_id {
	enum mapi_entry_id_kind kind;
	/* all four Flags bytes; 0 = long-term */
	uint32_t flags;
	union {
		/* FOLDER, MESSAGE (message is the folder's then, too) */
		struct {
			/* MailboxGuid of the logon, or
			   MAPI_UID_PUBLIC_FOLDERS */
			struct mapi_guid provider;
			uint16_t type;	/* MAPI_EITLT_* */
			struct mapi_long_term_id folder;
			struct mapi_long_term_id message;
		} object;
		struct {
			bool public_store;
			const char *server;	/* 8-bit */
			/* legacy DN; private stores only */
			const char *mailbox_dn;
			/* version blocks after it, not looked into */
			struct mapi_binary rest;
		} store;
		struct {
			uint16_t flags;
			/* UTF-8 with MAPI_ONE_OFF_UNICODE, else 8-bit */
			const char *display_name;
			const char *address_type;
			const char *email_address;
		} one_off;
		struct {
			uint32_t type;		/* MAPI_AB_* */
			const char *dn;
		} addressbook;
		struct {
			struct mapi_guid provider;
			uint32_t type;
			uint32_t mid;
		} ephemeral;
		struct {
			uint32_t type;		/* 4 contact, 5 list */
			uint32_t index;		/* 0..5; 255 for lists */
			struct mapi_binary entry_id;	/* a MESSAGE */
		} contact;
		struct {
			uint8_t type;
			struct mapi_binary entry_id;
		} wrapped;
	} u;
};

/* Any entry id. Never fails: what it can't make sense of is
   MAPI_ENTRY_ID_UNKNOWN. Strings are on mem, binaries point into data.
   Folders and messages are recognised by size and type, as their provider is
   the mailbox. */
enum mapi_entry_id_kind
mapi_entry_id_parse(TALLOC_CTX *mem, const void *data, size_t size,
		    struct mapi_entry_id *eid_r);
/* On mem. len 0 if out of memory or of kind UNKNOWN. */
struct mapi_binary mapi_entry_id_build(TALLOC_CTX *mem,
				       const struct mapi_entry_id *eid);

/* The common cases of mapi_entry_id_build() */
struct mapi_binary
mapi_folder_entry_id_build(TALLOC_CTX *mem, const struct mapi_guid *mailbox,
			   const struct mapi_guid *replica, uint64_t globcnt);
struct mapi_binary
mapi_message_entry_id_build(TALLOC_CTX *mem, const struct mapi_guid *mailbox,
			    const struct mapi_guid *replica,
			    uint64_t folder_globcnt, uint64_t message_globcnt);
struct mapi_binary
mapi_store_entry_id_build(TALLOC_CTX *mem, const char *server,
			  const char *mailbox_dn);
struct mapi_binary
mapi_addressbook_entry_id_build(TALLOC_CTX *mem, uint32_t type, const char *dn);
/* Unicode, no rich info */
struct mapi_binary
mapi_one_off_entry_id_build(TALLOC_CTX *mem, const char *display_name,
			    const char *address_type,
			    const char *email_address);
/* PidTagSearchKey of a recipient: "SMTP:USER@EXAMPLE.COM" upper-cased (ASCII
   letters) with NUL. [MS-OXCPRPT] 2.2.1.9 */
struct mapi_binary
mapi_recipient_search_key_build(TALLOC_CTX *mem, const char *address_type,
				const char *email_address);

/* --- PTYP_SERVER_ID ------------------------------------------------------- */

/* The value's bytes, without the size before them, [MS-OXCDATA] 2.11.1.4 */
struct mapi_server_id {
	mapi_id_t fid;
	mapi_id_t mid;		/* 0 for folders */
	uint32_t instance;
};
#define MAPI_SERVER_ID_SIZE 21
/* false if it's not one of the server's own (Ours = 1) */
bool mapi_server_id_parse(const struct mapi_binary *bin,
			  struct mapi_server_id *sid_r);
struct mapi_binary mapi_server_id_build(TALLOC_CTX *mem,
					const struct mapi_server_id *sid);

/* --- XID, predecessor change list ----------------------------------------- */

/* [MS-OXCFXICS] 2.2.2.2. The local id is compared as a big-endian number of
   its size: a GLOBCNT (6 bytes) where a server made it. */
#define MAPI_XID_LOCAL_MAX 239
struct mapi_xid {
	struct mapi_guid guid;
	uint8_t local_size;		/* 1..MAPI_XID_LOCAL_MAX */
	const uint8_t *local;
};
/* local points into data. false unless 17..255 bytes */
bool mapi_xid_parse(const void *data, size_t size, struct mapi_xid *xid_r);
struct mapi_binary mapi_xid_build(TALLOC_CTX *mem, const struct mapi_xid *xid);

/* PredecessorChangeList: for each GUID, in ascending order, the last change
   that is included. [MS-OXCFXICS] 2.2.2.3 */
struct mapi_pcl {
	unsigned int count;
	struct mapi_xid *xids;
};
/* Duplicates are merged, order is mended. The local ids point into data, the
   rest is on mem. */
bool mapi_pcl_parse(TALLOC_CTX *mem, const void *data, size_t size,
		    struct mapi_pcl *pcl_r);
struct mapi_binary mapi_pcl_build(TALLOC_CTX *mem, const struct mapi_pcl *pcl);
/* Adds a change: what the list has for this GUID grows to it, never shrinks.
   The XID's bytes are copied to mem. false if out of memory. */
bool mapi_pcl_add(TALLOC_CTX *mem, struct mapi_pcl *pcl,
		  const struct mapi_xid *xid);
/* Adds all of src. */
bool mapi_pcl_merge(TALLOC_CTX *mem, struct mapi_pcl *pcl,
		    const struct mapi_pcl *src);
/* true if the change is in the list */
bool mapi_pcl_includes_xid(const struct mapi_pcl *pcl,
			   const struct mapi_xid *xid);
enum mapi_pcl_order {
	MAPI_PCL_EQUAL,
	/* a includes everything of b and more: a is newer */
	MAPI_PCL_NEWER,
	MAPI_PCL_OLDER,
	/* each has something that the other lacks */
	MAPI_PCL_CONFLICT,
};
enum mapi_pcl_order mapi_pcl_compare(const struct mapi_pcl *a,
				     const struct mapi_pcl *b);

#endif
