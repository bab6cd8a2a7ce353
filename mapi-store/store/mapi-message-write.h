/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MESSAGE_WRITE_H
#define MAPI_MESSAGE_WRITE_H

/* Changing stored messages that needn't be open: read state, status, moving,
   copying, deleting.

   All functions take ids of messages in the folder fid; normal and FAI messages
   may be mixed, ids that come twice count once. What a function does is one
   transaction of each mailbox concerned (a folder's normal and FAI messages are
   in different ones) and durable when it returns. *partial_r is set if some of
   the messages aren't there or couldn't be changed while nothing else went wrong:
   those that could be have been. It's set on errors, too, where some messages
   may have been changed. EC_ACCESS_DENIED if the mailbox can only be read.

   If fid is a search folder, the messages are those of the folders where they
   are, which are changed one after the other; EC_SEARCH_FOLDER if it's where they
   should be copied or moved to.

   Each works on a mailbox of its own, so that messages and tables which are open
   see what has been done when they are synchronised, as if it had been done by
   IMAP. */

#include "mapi-message.h"

struct mapi_read_change {
	/* set or clear the read state */
	bool set_read, clear_read;
	/* A read receipt that is still to be sent isn't any more. What says so
	   is the IMAP keyword $MDNSent (RFC 3503). Messages that want none
	   aren't touched as far as Dovecot's cache knows which these are: no
	   message is opened for it. */
	bool cancel_receipt;
	/* A read receipt is to be sent now if one is pending. Messages of which
	   it can't be are failures, and it stays pending. set_read alone sends
	   one, too, but without it being a failure if it can't
	   (mapi-receipt.h). */
	bool send_receipt;
};

/* What ReadFlags of RopSetReadFlags and RopSetMessageReadFlag ask for, [MS-OXCMSG]
   2.2.3.10.1. EC_INVALID_PARAM for flags that exclude each other. */
enum mapi_error
mapi_read_change_parse(uint8_t read_flags, struct mapi_read_change *change_r);

/* The messages' change numbers stay what they are. */
enum mapi_error
mapi_messages_set_read(struct mapi_store *store, mapi_id_t fid,
		       const mapi_id_t *mids, unsigned int count,
		       const struct mapi_read_change *change, bool *partial_r);
/* The same for an open message, which shows it at once. EC_OBJECT_DELETED if
   it has been deleted meanwhile; EC_NOT_SUPPORTED if a receipt should be sent, and
   none are; EC_NETWORK_ERROR if it can't be; EC_NOT_SUPPORTED if a message that is
   embedded in another should become unread. */
enum mapi_error
mapi_message_set_read(struct mapi_message *msg,
		      const struct mapi_read_change *change);

/* PidTagMessageStatus, [MS-OXCMSG] 2.2.1.8: each bit is a keyword of the message,
   $MapiStatus and the bit's number. EC_NOT_FOUND if there's no such message. */
enum mapi_error
mapi_message_get_status(struct mapi_store *store, mapi_id_t fid, mapi_id_t mid,
			uint32_t *status_r);
/* Changes the bits of mask, except the one that is read-only. old_r is what was
   set before. The change number stays what it is. */
enum mapi_error
mapi_message_set_status(struct mapi_store *store, mapi_id_t fid, mapi_id_t mid,
			uint32_t status, uint32_t mask, uint32_t *old_r);
/* Status bits in a list of keywords */
uint32_t mapi_message_keywords_status(const char *const *keywords);

/* To copy, move or soft delete a message is about as much work as changing flags of so
   many, or expunging them. */
#define MAPI_MESSAGE_COPY_COST 3

/* Copies or moves to another folder, of the same or of another store, where messages
   get new ids. EC_ACCESS_DENIED if the user may not read them, create any in the
   destination, or (to move them) delete them. Those that aren't in the folder but have been soft deleted from it are
   recovered by it, also to the folder that they were in. When moving, the copies
   are durable before the first original is removed: if the process dies in between, messages are in both folders, never in none.
   Moving into the folder where they are leaves them alone. EC_NOT_SUPPORTED if
   the destination can't have messages. */
enum mapi_error
mapi_messages_copy(struct mapi_store *store, mapi_id_t fid,
		   struct mapi_store *dest_store, mapi_id_t dest_fid,
		   const mapi_id_t *mids, unsigned int count, bool move,
		   bool *partial_r);

/* Expunges, soft-deleted ones of the folder, too. Plugins may keep what is expunged
   (lazy_expunge). */
enum mapi_error
mapi_messages_delete(struct mapi_store *store, mapi_id_t fid,
		     const mapi_id_t *mids, unsigned int count,
		     bool *partial_r);
/* Soft deletes: moves to the folder's dumpster (mapi-dumpster.h), or expunges if
   nothing is to be kept. Those that are soft deleted already aren't there for
   it. */
enum mapi_error
mapi_messages_soft_delete(struct mapi_store *store, mapi_id_t fid,
			  const mapi_id_t *mids, unsigned int count,
			  bool *partial_r);
/* The next max of all normal or all FAI messages of the folder
   (mapi_message_list_open_slice()): expunges them, or moves them to the dumpster,
   which must be enabled. */
struct mapi_message_slice;
enum mapi_error
mapi_messages_delete_slice(struct mapi_store *store, mapi_id_t fid,
			   bool associated, bool hard,
			   struct mapi_message_slice *slice, unsigned int max,
			   unsigned int *count_r, bool *partial);

#endif
