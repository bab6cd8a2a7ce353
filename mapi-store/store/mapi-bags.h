/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_BAGS_H
#define MAPI_BAGS_H

/* The property bags of a folder's messages, and which ids those messages have that
   were replaced (docs/architecture.md, section 6). How they are stored is at the
   head of mapi-bags.c. */

#include "guid.h"
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
   interrupted is finished in it. Bags of messages that others have put there come
   after them (mapi-bags-adopt.c). Cheap if there's nothing new. */
enum mapi_error mapi_bags_refresh(struct mapi_bags *bags, struct mailbox *box);
/* Whether mapi_bags_refresh() has been called in this session; forgets that and
   what was seen, since the mailbox has been rebuilt: messages that have been expunged
   may be back. */
bool mapi_bags_are_used(const struct mapi_bags *bags);
void mapi_bags_forget(struct mapi_bags *bags);
/* Whether there's any bag as far as has been seen. */
bool mapi_bags_exist(const struct mapi_bags *bags);
unsigned int mapi_bags_count(const struct mapi_bags *bags);

/* Which bag a message has, 0 if none: another one after each change. */
uint32_t mapi_bags_find_uid(const struct mapi_bags *bags, struct mail *mail);
/* The same by the message's GUID */
uint32_t mapi_bags_find_guid(const struct mapi_bags *bags, const char *guid);
/* Who has created a message in this mailbox: a username as ACLs have it; NULL if
   nobody knows. Valid until the next refresh. */
const char *mapi_bags_find_creator(const struct mapi_bags *bags,
				   struct mail *mail);
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
	/* GLOBCNT of the MID if it's not that of its UID, else 0; and UIDVALIDITY
	   and UIDNEXT of the message's mailbox before the message is saved: it's
	   found from there on, and what it replaces is below. 0: the message
	   is there already, so they are what they are in the bag that it has. */
	uint64_t mid_globcnt;
	uint32_t uidvalidity, uid_min;
	const struct mapi_overlay *overlay;
	/* the message's, for a human who finds the bag; UTF-8, may be NULL */
	const char *subject;
	/* Who has created the message; NULL: whom the bag says that it replaces,
	   if there's one */
	const char *creator;
	/* saved even if the user's quota is exceeded */
	bool unlimited;
};
/* Durable when it returns. It replaces the bag that the message had, which is deleted
   a moment later. */
enum mapi_error mapi_bags_save(struct mapi_bags *bags,
			       const struct mapi_bag_new *bag);
/* Whether a message with that GUID has a bag, as far as has been seen. */
bool mapi_bags_have_guid(const struct mapi_bags *bags, const guid_128_t guid);
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
   isn't enforced if the messages are soft deleted by it.

   creator: NULL if the copies have been created by whom the bags say; "" if nobody
   knows by whom; else by whom, and messages without a bag get one that says
   so. */
enum mapi_error mapi_bags_copy(struct mapi_bags *src, struct mapi_bags *dest,
			       const char *const *guids, const char *creator);
/* Whether that says by whom */
static inline bool mapi_bags_has_creator(const char *creator)
{
	return creator != NULL && *creator != '\0';
}
/* For a mailbox that is copied as a whole, with the messages' GUIDs. creator as
   above, but messages without a bag get none. */
enum mapi_error
mapi_bags_copy_all(struct mapi_bags *src, struct mapi_bags *dest,
		   const char *creator);
/* Whether there are bags whose messages aren't in box, which has just been
   synchronised. TRUE also if that can't be found out. */
bool mapi_bags_have_orphans(struct mapi_bags *bags, struct mailbox *box);
/* Deletes these bags. Not for messages that others may have moved elsewhere, or that
   are just about to be saved. */
enum mapi_error
mapi_bags_delete_orphans(struct mapi_bags *bags, struct mailbox *box,
			 unsigned int *count_r);

/* --- doveadm mapi check ---------------------------------------------------- */

enum mapi_bag_fault_type {
	/* a bag whose message isn't there */
	MAPI_BAG_ORPHANED,
	/* a bag of a message that has a newer one */
	MAPI_BAG_SUPERSEDED,
	/* a bag whose content can't be understood, or can't be read */
	MAPI_BAG_BROKEN,
	MAPI_BAG_UNREADABLE,
	/* a message that isn't a bag */
	MAPI_BAG_INVALID,
	/* a message that has been replaced by another one */
	MAPI_BAG_REPLACED,
};
struct mapi_bag_fault {
	enum mapi_bag_fault_type type;
	/* of the bag; of the message if it has been replaced */
	uint32_t uid;
	/* of the bag's message if it's known */
	guid_128_t guid;
	/* may be NULL */
	const char *reason;
};
ARRAY_DEFINE_TYPE(mapi_bag_fault, struct mapi_bag_fault);

struct mapi_bags_examine_settings {
	/* Bags are written before their messages: only older ones are orphans.
	   None are in an sdbox as long as it has files that aren't in its
	   index: these may be their messages. */
	time_t orphans_before;
};
/* Looks at all bags and changes nothing. box is the mailbox that their messages
   are in, just synchronised; NULL if there's none, so that all are orphans. count_r
   is how many bags there are. mapi_bags_refresh() has not been called before, or
   has expunged what has been replaced. */
enum mapi_error
mapi_bags_examine(struct mapi_bags *bags, struct mailbox *box,
		  const struct mapi_bags_examine_settings *set, pool_t pool,
		  ARRAY_TYPE(mapi_bag_fault) *faults_r, unsigned int *count_r);
/* Deletes the bag. Those in which something can't be understood are set aside
   before; a MID isn't lost with them. EC_NOT_SUPPORTED for what can't be mended so. */
enum mapi_error
mapi_bags_mend(struct mapi_bags *bags, const struct mapi_bag_fault *fault);

/* Where temporary files are made. On the data stack */
const char *mapi_store_temp_prefix(struct mapi_store *store);

void mapi_bags_deinit(struct mapi_store *store);

#endif
