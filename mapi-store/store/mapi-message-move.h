/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MESSAGE_MOVE_H
#define MAPI_MESSAGE_MOVE_H

/* Copying and moving messages from one mailbox to another, with their bags. */

#include "seq-range-array.h"
#include "mapi-bags.h"

struct mapi_message_transfer {
	/* open, synchronised, without a transaction */
	struct mailbox *src, *dest;
	/* that dest is of; dest may be opened anew */
	struct mapi_folder *dest_folder;
	struct mapi_bags *src_bags, *dest_bags;
	/* of src */
	const ARRAY_TYPE(seq_range) *uids;
	bool move;
	/* messages that have a bag get another GUID, as if dest was src: two
	   with one GUID in one mailbox would share it */
	bool new_guids;
	/* src is another user's and opened without its ACL, and the rights of
	   its folder have been checked */
	bool without_acl;
	/* As of mapi_bags_copy(). Who becomes the creator of all copies gets them
	   with new GUIDs. */
	const char *creator;
	/* dest is a dumpster, where messages keep the MIDs that they have in
	   this folder, and if that's a dumpster, too, the date of their
	   deletion; else NULL */
	struct mapi_folder *deleted_from;
	bool associated;

	/* private to mapi-message-move.c */
	ARRAY_TYPE(const_string) guids;
	struct mailbox_transaction_context *src_trans, *dest_trans;
	bool missing;
};

/* Does it. *partial is set if some messages aren't there, or aren't gone though
   they should be; on errors if some may have been copied. Copies are durable
   before originals are removed. */
enum mapi_error
mapi_message_transfer_run(struct mapi_message_transfer *transfer,
			  bool *partial);

#endif
