/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MESSAGE_EDIT_H
#define MAPI_MESSAGE_EDIT_H

/* Changing messages that a client has open, and new ones ([MS-OXCMSG] 3.2.5).

   Changes are the message object's own until it's saved; other objects don't see
   them. What is changed in an attachment or in an embedded message becomes part
   of the message that it is in when it's saved itself, and is stored when the
   outermost message is. Properties are changed by the object's set_props and
   delete_props. Objects that were opened to be read only say EC_ACCESS_DENIED. */

#include "mapi-message.h"

/* Whether the object may be changed: set when it's opened or created, and by
   saving. FALSE until this is called for those that are opened. */
void mapi_message_set_writable(struct mapi_message *msg, bool writable);
void mapi_attachment_set_writable(struct mapi_attachment *attach,
				  bool writable);
bool mapi_message_is_open_for_writing(const struct mapi_message *msg);
bool mapi_attachment_is_open_for_writing(const struct mapi_attachment *attach);

/* A new message, [MS-OXCMSG] 3.2.5.2; it exists for others once it has been
   saved. EC_NOT_SUPPORTED if the folder can't have messages other than FAI
   messages. */
enum mapi_error
mapi_message_create_new(TALLOC_CTX *parent, struct mapi_store *store,
			mapi_id_t fid, bool associated,
			struct mapi_message **msg_r);

/* The recipients in rows (row_id, recipient_type, and as RecipientRow says) are
   added or replace those with the same row_id, [MS-OXCMSG] 3.2.5.5. 8-bit strings
   are in code_page. A recipient of which has_row is FALSE is removed. */
struct mapi_recipient_change {
	struct mapi_recipient_row row;
	bool has_row;
};
enum mapi_error
mapi_message_modify_recipients(struct mapi_message *msg,
			       const struct mapi_recipient_change *changes,
			       unsigned int count, uint32_t code_page);
enum mapi_error mapi_message_remove_recipients(struct mapi_message *msg);

/* Attachments, [MS-OXCMSG] 3.2.5.13 - 3.2.5.19. The new one's number is not used
   by another one of the message. */
enum mapi_error
mapi_attachment_create(TALLOC_CTX *parent, struct mapi_message *msg,
		       struct mapi_attachment **attach_r);
enum mapi_error
mapi_message_delete_attachment(struct mapi_message *msg, uint32_t num);
enum mapi_error mapi_attachment_save(struct mapi_attachment *attach);
/* Makes a new, empty message the attachment's content, whatever it was. */
enum mapi_error
mapi_attachment_create_embedded(TALLOC_CTX *parent,
				struct mapi_attachment *attach,
				struct mapi_message **msg_r);

/* Saves, [MS-OXCMSG] 3.2.5.4: durable when it returns. msg->mid is set.
   EC_OBJECT_MODIFIED if the message has been changed by others since it was
   opened and force isn't set; EC_OBJECT_DELETED if it has been deleted;
   EC_QUOTA_EXCEEDED. A message that couldn't be saved keeps its changes. Embedded
   messages are saved to their attachment. */
enum mapi_error mapi_message_save(struct mapi_message *msg, bool force);

#endif
