/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MESSAGE_H
#define MAPI_MESSAGE_H

/* Message and attachment objects. */

#include "mapi-folder.h"
#include "mapi-recipient.h"

struct mapi_message {
	struct mapi_object obj;
	mapi_id_t fid, mid;	/* 0 for embedded messages */
	/* further fields belong to mapi-message.c */
	struct mapi_message_private *priv;
};
struct mapi_attachment {
	struct mapi_object obj;
	uint32_t num;
	struct mapi_attachment_private *priv;
};

/* EC_NOT_FOUND if the folder has no such message. The message keeps working
   when the folder object it was opened through is released. */
enum mapi_error
mapi_message_open(TALLOC_CTX *parent, struct mapi_store *store,
		  mapi_id_t fid, mapi_id_t mid, struct mapi_message **msg_r);

/* The same of a message that has been soft deleted. It isn't writable. */
enum mapi_error
mapi_message_open_deleted(TALLOC_CTX *parent, struct mapi_store *store,
			  mapi_id_t fid, mapi_id_t mid,
			  struct mapi_message **msg_r);

/* The code page of PTYP_STRING8 for this message and what is in it; 0 (the
   default) for the logon's. */
void mapi_message_set_code_page(struct mapi_message *msg, uint32_t code_page);
/* The user may change the message. */
bool mapi_message_is_writable(const struct mapi_message *msg);
/* Recipients, in row id order; valid as long as the message object. All rows
   have the same columns in properties. */
enum mapi_error
mapi_message_recipients(struct mapi_message *msg,
			const struct mapi_recipient_row **rows_r,
			unsigned int *count_r);
/* Number of attachments without opening any body if the cached structure
   tells. */
enum mapi_error
mapi_message_attachment_count(struct mapi_message *msg, unsigned int *count_r);
/* PidTagAttachNumber of the i'th of these: 0..count-1 unless a client has deleted
   some. UINT32_MAX if there aren't so many. */
uint32_t mapi_message_attachment_num(struct mapi_message *msg, unsigned int i);
/* EC_NOT_FOUND if there's no attachment of that number. */
enum mapi_error
mapi_attachment_open(TALLOC_CTX *parent, struct mapi_message *msg,
		     uint32_t num, struct mapi_attachment **attach_r);
/* For the attachment table: as mapi_object_vfuncs.get_props, without making an
   object that the client holds. */
enum mapi_error
mapi_attachment_get_props(struct mapi_message *msg, uint32_t num,
			  TALLOC_CTX *mem, const uint32_t *tags,
			  unsigned int count, struct mapi_value *values_r);
/* The embedded message of an attachment; EC_NOT_FOUND /EC_NOT_SUPPORTED if
   it isn't one. */
enum mapi_error
mapi_attachment_open_embedded(TALLOC_CTX *parent,
			      struct mapi_attachment *attach,
			      struct mapi_message **msg_r);

#endif
