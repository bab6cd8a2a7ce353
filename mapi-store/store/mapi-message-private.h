/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MESSAGE_PRIVATE_H
#define MAPI_MESSAGE_PRIVATE_H

/* What message objects, their attachments and the messages embedded in these
   share. */

#include "mapi-message.h"
#include "mapi-message-view.h"

/* A message as it is read: stored, or embedded in another one. Clients release
   objects in any order, so each object holds a reference of what it reads. */
struct mapi_message_content {
	int refcount;
	struct mapi_message_view *view;

	/* stored: in a mailbox that stays as it was when the message was
	   opened */
	struct mapi_message_folder *mfolder;
	struct mapi_folder *folder;
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	/* embedded: what it is in */
	struct mapi_message_content *outer;

	uint32_t code_page;
	/* NULL until asked for */
	struct mapi_recipient_row *recipients;
	unsigned int recipient_count;
};

struct mapi_message_private {
	struct mapi_message_content *content;
};
struct mapi_attachment_private {
	struct mapi_message_content *content;
	const struct mime_attachment *mime;
};

void mapi_message_content_ref(struct mapi_message_content *content);
void mapi_message_content_unref(struct mapi_message_content **content);
/* A message object; takes over the reference. */
struct mapi_message *
mapi_message_create(TALLOC_CTX *parent, struct mapi_message_content *content);
/* Content of the message in an attachment */
enum mapi_error
mapi_message_content_embedded(struct mapi_message_content *outer,
			      const struct mime_attachment *attachment,
			      struct mapi_message_content **content_r);

/* A stream of a value that is in memory: strings as UTF-16LE or, if tag asks
   for PTYP_STRING8, in the code page, without NUL; bytes as they are.
   EC_NOT_SUPPORTED for other types. */
enum mapi_error
mapi_stream_create_value(TALLOC_CTX *parent, struct mapi_store *store,
			 uint32_t tag, uint32_t code_page,
			 const struct mapi_value *value,
			 struct mapi_stream **stream_r);

#endif
