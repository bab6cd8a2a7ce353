/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_WRITE_H
#define CLIENT_WRITE_H

/* Changing what is in a mailbox, as a client does it. Functions return 0, or -1
   with error_r set. */

#include "client-object.h"

/* [MS-OXCMSG] 2.2.3.1, 2.2.3.2: opened for reading and writing; nothing is stored
   before client_message_save(). */
int client_message_edit(struct client_logon *logon, TALLOC_CTX *mem,
			mapi_id_t fid, mapi_id_t mid,
			struct client_object **message_r,
			struct client_error *error_r);
int client_message_create(struct client_logon *logon, TALLOC_CTX *mem,
			  mapi_id_t fid, struct client_object **message_r,
			  struct client_error *error_r);
/* The message stays open. */
int client_message_save(struct client_object *message, mapi_id_t *mid_r,
			struct client_error *error_r);
/* RopSubmitMessage, of a message that is in a folder */
int client_message_submit(struct client_object *message,
			  struct client_error *error_r);

/* RopSetProperties. A value that the server refuses makes it fail. */
int client_set_props(struct client_object *obj,
		     const struct mapi_property *props, uint16_t count,
		     struct client_error *error_r);
/* As a stream of bytes, however large: of PTYP_STRING they are UTF-16LE. */
int client_set_stream(struct client_object *obj, uint32_t tag,
		      const uint8_t *data, size_t size,
		      struct client_error *error_r);
/* RopGetPropertyIdsFromNames, of one; it's made if there's none yet. */
int client_named_property(struct client_logon *logon,
			  const struct mapi_property_name *name,
			  uint16_t *id_r, struct client_error *error_r);

/* One-off recipients: SMTP addresses, which are their names as well. They come
   behind those that the message has: first_row is how many these are. */
struct client_recipient {
	uint8_t type;	/* MAPI_TO.. */
	const char *address;
};
int client_add_recipients(struct client_object *message, uint32_t first_row,
			  const struct client_recipient *recipients,
			  uint16_t count, struct client_error *error_r);
int client_remove_recipients(struct client_object *message,
			     struct client_error *error_r);

/* Not part of the message before client_attachment_save(). */
int client_attachment_create(struct client_object *message, TALLOC_CTX *mem,
			     struct client_object **attachment_r,
			     struct client_error *error_r);
int client_attachment_save(struct client_object *attachment,
			   struct client_object *message,
			   struct client_error *error_r);

/* Messages of a folder, [MS-OXCFOLD] 2.2.1.6, 2.2.1.11, 2.2.1.12; [MS-OXCMSG]
   2.2.3.10. It's an error if not all of them were changed (PartialCompletion). */
int client_messages_move(struct client_object *source,
			 struct client_object *dest, mapi_id_t *mids,
			 uint16_t count, bool copy,
			 struct client_error *error_r);
int client_messages_delete(struct client_object *folder, mapi_id_t *mids,
			   uint16_t count, bool hard,
			   struct client_error *error_r);
/* read_flags: READ_FLAG_* */
int client_messages_set_read(struct client_object *folder, mapi_id_t *mids,
			     uint16_t count, uint8_t read_flags,
			     struct client_error *error_r);

#endif
