/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_STORE_H
#define MAPI_STORE_H

/* A user's mailbox as a MAPI store: Dovecot's mail user plus the identity
   (replica GUID, ids) and the folder tree made from its mailboxes. One
   struct mapi_store serves all logons of a session to that mailbox. */

#include "mapi-object.h"

struct mail_user;
struct mailbox;
struct mapi_deferrals;
struct mapi_directory;
struct smtp_submit_settings;

/* Which read receipts are sent when a client marks a message as read */
enum mapi_receipts_policy {
	/* those to who has sent the message; others if the client asks */
	MAPI_RECEIPTS_TO_SENDER,
	MAPI_RECEIPTS_ALL,
	MAPI_RECEIPTS_NONE,
};

/* Settings the worker passes down. Strings must outlive the store. */
struct mapi_store_settings {
	/* reserved parent mailbox of the companion tree, in the inbox
	   namespace, without the namespace prefix */
	const char *companion_root;
	/* the organisation in synthesised legacyExchangeDNs */
	const char *organization;
	/* UTC offset etc. are the client's; this is the display name of the
	   user or "" */
	const char *display_name;
	/* SMTP address of the mailbox owner */
	const char *email_address;
	/* For how long messages that a client deletes can be recovered, in
	   seconds; 0: not at all. */
	unsigned int deleted_retention;
	/* whom to ask about users and addresses (mapi-directory.h), or NULL */
	struct mapi_directory *directory;
	/* how mail is sent, or NULL if it can't be */
	const struct smtp_submit_settings *submission;
	/* who sees to it that mail is sent later (mapi-submit.h), or NULL */
	struct mapi_deferrals *deferrals;
	/* in whose name it may be sent, beside the user's own: addresses,
	   "@domain", "*", separated by spaces; may be NULL */
	const char *send_as, *send_on_behalf;
	enum mapi_receipts_policy receipts;
	/* The user who opens the mailbox, if it's another one than its owner:
	   what mail may be seen is for the ACLs to say, as they know this
	   user. NULL for the owner. */
	const char *delegate;
	/* The name to be shown for that user, "" or NULL if there's none, and the
	   SMTP address. Mail is sent from there by this user, and submission,
	   send_as and send_on_behalf are those of the user's own mailbox. */
	const char *delegate_name, *delegate_address;
};

/* The replica id by which a store's own replica GUID is known in its ids.
   Clients expect 5, as Exchange has it. */
#define MAPI_STORE_REPLID 5

/* the 13 folders of a private logon in the order of RopLogon's FolderIds,
   then the others that the server knows, special_folders.tsv */
enum mapi_special_folder {
	MAPI_SPECIAL_NONE = -1,
	MAPI_SPECIAL_ROOT = 0,
	MAPI_SPECIAL_DEFERRED_ACTION,
	MAPI_SPECIAL_SPOOLER_QUEUE,
	MAPI_SPECIAL_IPM_SUBTREE,
	MAPI_SPECIAL_INBOX,
	MAPI_SPECIAL_OUTBOX,
	MAPI_SPECIAL_SENT_ITEMS,
	MAPI_SPECIAL_DELETED_ITEMS,
	MAPI_SPECIAL_COMMON_VIEWS,
	MAPI_SPECIAL_SCHEDULE,
	MAPI_SPECIAL_FINDER,
	MAPI_SPECIAL_VIEWS,
	MAPI_SPECIAL_SHORTCUTS,
#define MAPI_LOGON_FOLDER_COUNT 13
	MAPI_SPECIAL_DRAFTS,
	MAPI_SPECIAL_JUNK,
	MAPI_SPECIAL_CALENDAR,
	MAPI_SPECIAL_CONTACTS,
	MAPI_SPECIAL_JOURNAL,
	MAPI_SPECIAL_NOTES,
	MAPI_SPECIAL_TASKS,
	MAPI_SPECIAL_FREEBUSY_DATA,
	MAPI_SPECIAL_COUNT
};

/* Opens the store of user. The user must stay until the store is freed
   (talloc_free). Allots what a new store needs (replica GUID, special
   folders), which is durable when this returns EC_NONE.

   Another user's: EC_LOGIN_PERM if he has no right in it, EC_ACCESS_DENIED if
   there's nothing that would keep him from what he has no right to. */
enum mapi_error
mapi_store_open(TALLOC_CTX *parent, struct mail_user *user,
		const struct mapi_store_settings *set,
		struct mapi_store **store_r);

struct mail_user *mapi_store_user(struct mapi_store *store);
const struct mapi_store_settings *
mapi_store_settings_get(struct mapi_store *store);
/* GUID of the replica that the store's own ids belong to */
const struct mapi_guid *mapi_store_replica_guid(struct mapi_store *store);
/* PidTagStoreRecordKey: another GUID, constant for the mailbox */
const struct mapi_guid *mapi_store_mailbox_guid(struct mapi_store *store);
/* legacyExchangeDN of the mailbox owner: the directory's, or made up if it
   doesn't know the user */
const char *mapi_store_owner_dn(struct mapi_store *store);
/* The code page of the session's 8-bit strings, where an object has none of its
   own */
void mapi_store_set_code_page(struct mapi_store *store, uint32_t code_page);
/* FID of a special folder, 0 if the store has none */
mapi_id_t mapi_store_special_fid(struct mapi_store *store,
				 enum mapi_special_folder special);

/* A store's object for a logon: the properties of the mailbox. */
struct mapi_logon {
	struct mapi_object obj;
	uint8_t logon_id;
	uint8_t logon_flags;
	uint32_t open_flags;
	/* from Connect, for PidTagLocaleId etc. */
	uint32_t code_page, locale_sort, locale_string;
	/* who has logged on: display name and legacyExchangeDN; the owner
	   unless the caller sets them */
	const char *user_name, *user_dn;
	/* mapi-per-user.h; NULL if nothing is being written */
	struct mapi_per_user_write *per_user_write;
};
/* Makes the object; fields other than obj are the caller's to set. */
enum mapi_error
mapi_logon_open(TALLOC_CTX *parent, struct mapi_store *store,
		struct mapi_logon **logon_r);

/* --- replica ids ([MS-OXCSTOR] 2.2.1.8, 2.2.1.9) ------------------------- */
enum mapi_error mapi_store_replid_to_guid(struct mapi_store *store,
					  uint16_t replid,
					  struct mapi_guid *guid_r);
/* Adds unknown GUIDs to the store's map durably. */
enum mapi_error mapi_store_guid_to_replid(struct mapi_store *store,
					  const struct mapi_guid *guid,
					  uint16_t *replid_r);
/* Reserves count consecutive GLOBCNTs for a client, durably; first_r is the
   first. [MS-OXCFXICS] 2.2.3.2.4.7 RopGetLocalReplicaIds */
enum mapi_error mapi_store_reserve_ids(struct mapi_store *store,
				       uint32_t count, uint64_t *first_r);

/* --- named properties ([MS-OXCPRPT] 2.2.12 - 2.2.14) --------------------- */
/* Ids for names; unknown ones are 0 or, with create, allotted durably. */
enum mapi_error
mapi_store_names_to_ids(struct mapi_store *store,
			const struct mapi_property_name *names,
			unsigned int count, bool create, uint16_t *ids_r);
/* Names for ids: kind MAPI_NAME_NONE where unknown. Ids below 0x8000 are
   PS_MAPI lids. */
enum mapi_error
mapi_store_ids_to_names(struct mapi_store *store, TALLOC_CTX *mem,
			const uint16_t *ids, unsigned int count,
			struct mapi_property_name *names_r);
/* Names of tags that are of named properties, on mem; kind MAPI_NAME_NONE for
   unknown ones and all other tags. */
enum mapi_error
mapi_store_tags_to_names(struct mapi_store *store, TALLOC_CTX *mem,
			 const uint32_t *tags, unsigned int count,
			 struct mapi_property_name **names_r);
/* All named properties of the store, of one set if set is non-NULL. */
enum mapi_error
mapi_store_names_list(struct mapi_store *store, TALLOC_CTX *mem,
		      const struct mapi_guid *set,
		      const uint16_t **ids_r,
		      const struct mapi_property_name **names_r,
		      unsigned int *count_r);

/* --- errors -------------------------------------------------------------- */
/* The MAPI error for the last failure of a lib-storage object: the one place
   where enum mail_error is mapped. Logs what an operator must know. */
enum mapi_error mapi_error_from_mailbox(struct mailbox *box);

#endif
