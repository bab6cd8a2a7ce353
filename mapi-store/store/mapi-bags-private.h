/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_BAGS_PRIVATE_H
#define MAPI_BAGS_PRIVATE_H

/* What the files of the bags share. */

#include "mapi-bags.h"

/* A bag is in memory up to that size, else in a temporary file. */
#define BAG_MEMORY_MAX (64 * 1024)
/* whose bag a message is */
#define BAG_HEADER "X-MAPI-Bag"
#define BAG_CONTENT_HEADER BAG_HEADER"-Content"
/* Dovecot's cache has no more than 64 KiB for a message. */
#define BAG_CONTENT_HEADER_MAX (8 * 1024)

struct bag {
	guid_128_t guid;
	uint32_t bag_uid, serial;
	/* of the message's MID; 0: that of its UID */
	uint64_t mid;
	uint32_t uidvalidity, uid_min;
	/* of the message; NULL if nobody knows */
	const char *creator;
	/* only looked for if it has a MID: the message's UID, 0 if not found
	   below checked */
	uint32_t uid, checked;
	/* the one before with the same MID, whose message this one's replaces;
	   until that has been done */
	struct bag *older;
	/* the bag itself says another MID, which means nothing (any more) */
	bool void_mid;
};

struct mapi_bags {
	struct mapi_bags *next;
	struct mapi_store *store;
	uint32_t folder_number;
	bool associated;
	/* of messages that have been soft deleted */
	bool deleted;
	char *leaf;

	struct mailbox *box;
	uint32_t uidvalidity, last_uid;
	/* of the mailbox that the messages are in, when UIDs were looked for */
	uint32_t mail_uidvalidity;

	/* mapi-bags-adopt.c: messages below have been looked at; as far as the
	   next session will know. 0: not known yet */
	uint32_t adopt_next_uid, adopt_saved_uid;

	pool_t pool;
	HASH_TABLE(uint8_t *, struct bag *) by_guid;
	/* those with a MID of their own: the newest one of each */
	HASH_TABLE(uint64_t *, struct bag *) by_mid;
	HASH_TABLE(void *, struct bag *) by_uid;
	/* each name once */
	HASH_TABLE(char *, char *) creators;
	ARRAY(struct bag *) unresolved;
	/* UIDs of bags that there are newer ones of: a process that was to
	   delete them may have died */
	ARRAY_TYPE(seq_range) superseded;
	/* deletes those that this session has superseded */
	struct timeout *to_expunge;
	/* UIDs of messages that aren't bags */
	ARRAY_TYPE(seq_range) invalid;
};

/* Closes the mailbox; it's opened again when it's needed. */
void bags_close(struct mapi_bags *bags);
/* Forgets all that has been read. */
void bags_forget(struct mapi_bags *bags);
/* Sees what others have changed; no bags are no error. */
enum mapi_error bags_refresh(struct mapi_bags *bags, bool create);
/* NULL if there's none for a GUID */
struct bag *bags_find(const struct mapi_bags *bags, const uint8_t *guid);
/* FALSE if it has none, or it can't be read. */
bool bags_mail_get_guid(struct mail *mail, guid_128_t guid_r);
/* Those that are known. Errors have been logged. */
void bags_expunge_superseded(struct mapi_bags *bags);
/* Reads a bag; what is logged if it can't be is the caller's business. Names that
   the store has no ids for get some with create, else these properties are left
   out. EC_CORRUPT_DATA and the reason, on the data stack, if it's broken. */
enum mapi_error
bags_decode(struct mapi_bags *bags, TALLOC_CTX *parent, struct mail *mail,
	    bool create, struct mapi_overlay **overlay_r, const char **reason_r);
/* The body, to be unreferenced; NULL on error. */
struct istream *bag_open_body(struct mail *mail);
/* Calls callback with the GUIDs of all messages of box, which are allocated from
   pool. */
typedef void bags_guid_callback_t(uint8_t *guid, uint32_t uid, void *context);
enum mapi_error
bags_read_guids(struct mailbox *box, pool_t pool, bags_guid_callback_t *callback,
		void *context);

/* mapi-bags-mids.c: a bag with a MID of its own, newer than those that there are;
   and one that is to get another MID, or none */
void bags_mid_add(struct mapi_bags *bags, struct bag *bag);
void bags_mid_remove(struct mapi_bags *bags, struct bag *bag);

/* mapi-bags-adopt.c: copies bags of messages that others have put into box. Errors
   have been logged. */
void bags_adopt(struct mapi_bags *bags, struct mailbox *box, uint32_t uidnext);

#endif
