/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_BAGS_H
#define MAPI_BAGS_H

/* The property bags of a folder's messages, and which ids those messages have that
   were replaced (docs/architecture.md, section 6). How they are stored is at the
   head of mapi-bags.c. */

#include "mapi-overlay.h"
#include "mapi-store.h"

struct mail;
struct mailbox;
struct mapi_bags;

/* The bags of the normal or of the FAI messages of a folder. Owned by the store;
   nothing is opened yet. */
struct mapi_bags *mapi_bags_get(struct mapi_store *store,
				uint32_t folder_number, bool associated);
/* The same of the folder's soft-deleted messages (mapi-dumpster.h): none of these
   bags says what MID a message has. */
struct mapi_bags *mapi_bags_get_deleted(struct mapi_store *store,
					uint32_t folder_number, bool associated);

/* Bags that are of no message: large values of the properties of folders and of the
   store (mapi-stored-props.h). */
struct mapi_bags *mapi_bags_get_values(struct mapi_store *store);

/* Sees what others have changed. box is the mailbox that the bags' messages are
   in, just synchronised and without a transaction: a replacement that was
   interrupted is finished in it. Cheap if there's nothing new. */
enum mapi_error mapi_bags_refresh(struct mapi_bags *bags, struct mailbox *box);
/* Whether there's any bag as far as has been seen. */
bool mapi_bags_exist(const struct mapi_bags *bags);
unsigned int mapi_bags_count(const struct mapi_bags *bags);

/* Which bag a message has, 0 if none: another one after each change. */
uint32_t mapi_bags_find_uid(const struct mapi_bags *bags, struct mail *mail);
/* The bag of a message; NULL if it has none. On parent. */
enum mapi_error
mapi_bags_load(struct mapi_bags *bags, TALLOC_CTX *parent, struct mail *mail,
	       struct mapi_overlay **overlay_r);

/* The same by GUID, after having seen what others have changed. */
enum mapi_error
mapi_bags_load_guid(struct mapi_bags *bags, TALLOC_CTX *parent,
		    const char *guid, struct mapi_overlay **overlay_r);

/* The GLOBCNT of a message's MID if it's not that of its UID; 0 otherwise. */
uint64_t mapi_bags_mid_globcnt(const struct mapi_bags *bags, uint32_t uid);
/* The UID of the message which has that GLOBCNT though it's not that of its UID; 0
   if there's none. */
uint32_t mapi_bags_mid_uid(const struct mapi_bags *bags, uint64_t globcnt);

/* A bag to be written */
struct mapi_bag_new {
	/* of the message that it's for, which may not exist yet */
	const char *guid;
	/* GLOBCNT of the MID if it's not that of its UID, else 0; and for
	   finding the message: its mailbox's UIDVALIDITY, and its UID or a
	   lower one */
	uint64_t mid_globcnt;
	uint32_t uidvalidity, uid_min;
	const struct mapi_overlay *overlay;
	/* the message's, for a human who finds the bag; UTF-8, may be NULL */
	const char *subject;
	/* saved even if the user's quota is exceeded */
	bool unlimited;
};
/* Durable when it returns. It replaces the bag that the message had. */
enum mapi_error mapi_bags_save(struct mapi_bags *bags,
			       const struct mapi_bag_new *bag);
/* Deletes the bags of messages; GUIDs end with NULL. */
enum mapi_error
mapi_bags_delete(struct mapi_bags *bags, const char *const *guids);
/* Deletes the bags that were saved before a time and of which is_used says that
   nobody needs them. The GUID is in hex. */
enum mapi_error
mapi_bags_delete_unused(struct mapi_bags *bags, time_t before,
			bool (*is_used)(const char *guid, void *context),
			void *context);
/* For messages that are copied to another mailbox: copies the bags of those that
   have some, in one transaction. guids: the GUID of each and that of its copy, in
   turn; NULL at the end. Bags that the copies had are replaced. The user's quota
   isn't enforced if the messages are soft deleted by it. */
enum mapi_error mapi_bags_copy(struct mapi_bags *src, struct mapi_bags *dest,
			       const char *const *guids);
/* For a mailbox that is copied as a whole, with the messages' GUIDs. */
enum mapi_error
mapi_bags_copy_all(struct mapi_bags *src, struct mapi_bags *dest);
/* Deletes the bags of messages that aren't in box, which has just been
   synchronised. */
enum mapi_error
mapi_bags_delete_orphans(struct mapi_bags *bags, struct mailbox *box,
			 unsigned int *count_r);

/* Where temporary files are made. On the data stack */
const char *mapi_store_temp_prefix(struct mapi_store *store);
/* Saves a message from input, which must be blocking; ctx is used up. -1 with the
   mailbox's error, or if input fails. */
struct mail_save_context;
struct istream;
int mapi_mail_save(struct mail_save_context **ctx, struct istream *input);

void mapi_bags_deinit(struct mapi_store *store);

#endif
