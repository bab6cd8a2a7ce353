/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_DUMPSTER_H
#define MAPI_DUMPSTER_H

/* Where messages are that have been soft deleted: each folder has a mailbox of the
   companion tree for them, and another one for FAI messages. How they get there
   and what happens if the process dies meanwhile is at the head of
   mapi-dumpster.c.

   mapi_folder_open_deleted() opens them as if they were the folder's messages:
   what works on messages of a folder works on them. They keep their GUIDs, their
   bags and their MIDs. */

#include "seq-range-array.h"
#include "mapi-folder.h"

struct mail;
struct mailbox;
struct mailbox_transaction_context;

/* Whether anything is soft deleted: mapi_store_settings.deleted_retention */
bool mapi_dumpster_is_enabled(struct mapi_store *store);
/* Whether the folder has a dumpster for normal or for FAI messages, without
   opening it. */
bool mapi_dumpster_exists(struct mapi_store *store, mapi_id_t fid,
			  bool associated);

/* Soft deletes messages of folder: box is its mailbox, or that of its FAI
   messages, open and not read-only. *partial is set if some messages are left, or
   weren't there. Durable when it returns. */
enum mapi_error
mapi_dumpster_put(struct mapi_folder *folder, bool associated,
		  struct mailbox *box, const ARRAY_TYPE(seq_range) *uids,
		  bool *partial);

/* Copies the normal or the FAI messages of a folder that is just going to be deleted
   to the dumpster of another one, with their MIDs. With deleted these are the ones
   in its dumpster, which keep the date of their deletion. */
enum mapi_error
mapi_dumpster_put_folder(struct mapi_store *store, mapi_id_t fid,
			 bool associated, bool deleted,
			 mapi_id_t dumpster_fid);

/* Expunges what has been in the folder's dumpsters for longer than it's kept, and
   ends what an interrupted process has begun. To be called before somebody looks
   at them. */
enum mapi_error mapi_dumpster_look(struct mapi_store *store, mapi_id_t fid);
/* The second of it for the first time that a session opens a folder */
void mapi_dumpster_look_once(struct mapi_store *store, mapi_id_t fid);
/* The first of it for all dumpsters, those of folders that are gone, too. Opens
   only those from which something is to be expunged. */
void mapi_dumpsters_expire(struct mapi_store *store);
enum mapi_error
mapi_dumpster_expire(struct mapi_store *store, uint32_t folder_number,
		     bool associated);

/* How many messages there are, and their size, as IMAP gives it: normal ones, then
   FAI messages. Without opening what Dovecot's mailbox list index knows. Those of
   soft-deleted folders are where they are shown: in Deleted Items. */
struct mapi_dumpster_totals {
	uint32_t messages[2];
	uint64_t size[2];
};
void mapi_dumpster_get_totals(struct mapi_store *store, mapi_id_t fid,
			      struct mapi_dumpster_totals *totals_r);
/* of all folders */
void mapi_dumpsters_get_totals(struct mapi_store *store,
			       struct mapi_dumpster_totals *totals_r);

/* Expunges all, or deletes the dumpsters of a folder that is deleted. */
enum mapi_error
mapi_dumpster_empty(struct mapi_store *store, mapi_id_t fid, bool associated,
		    bool *partial);
void mapi_dumpster_delete(struct mapi_store *store, uint32_t folder_number);

/* --- for mapi-folder.c and mapi-message-move.c ------------------------------ */

/* Name of the mailbox below the companion tree's root; on the data stack */
const char *mapi_dumpster_leaf(uint32_t folder_number, bool associated);
/* Makes it if it isn't there. */
enum mapi_error
mapi_dumpster_create(struct mapi_store *store, uint32_t folder_number,
		     bool associated);

/* Remembers of a message that has just been copied into a dumpster the GLOBCNT of
   its MID, and when it was deleted; 0 is now. */
void mapi_dumpster_mail_added(struct mailbox_transaction_context *trans,
			      uint32_t seq, uint64_t globcnt, time_t deleted);
/* The GLOBCNT of a message's MID; 0 if it isn't known any more: it's that of its
   UID then. */
uint64_t mapi_dumpster_get_mid(struct mailbox *box, uint32_t uid);

/* mapi-dumpster-date.c: when a message of a dumpster was deleted. Returns -1 as
   mail_get_save_date(). */
int mapi_dumpster_get_date(struct mail *mail, time_t *date_r);
/* The same of any message: 1, or 0 if neither it nor its folder is soft deleted. folder
   may be NULL. */
int mapi_dumpster_get_deleted(struct mapi_folder *folder, struct mail *mail,
			      time_t *date_r);
/* The date if it isn't the date of saving: else 0. Reads nothing. */
time_t mapi_dumpster_seq_date(struct mailbox *box, uint32_t seq);

/* Which messages of an open dumpster have which MIDs */
struct mapi_dumpster_ids;
struct mapi_dumpster_ids *mapi_dumpster_ids_init(TALLOC_CTX *parent);
/* Reads what is new in box. */
void mapi_dumpster_ids_refresh(struct mapi_dumpster_ids *ids,
			       struct mailbox *box);
/* The UID of the message, which may have been expunged; 0 if there's none. */
uint32_t mapi_dumpster_ids_find(const struct mapi_dumpster_ids *ids,
				uint64_t globcnt);

#endif
