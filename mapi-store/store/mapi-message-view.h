/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MESSAGE_VIEW_H
#define MAPI_MESSAGE_VIEW_H

/* What properties of a message are made from: the same for a stored message
   (struct mail, whose index and cache answer for most), for one row after the
   other of a table, and for a message that is embedded in another. */

#include "mapi-folder.h"
#include "mime-message.h"
#include "mapi-overlay.h"

struct mail;
struct mailbox_header_lookup_ctx;

struct mapi_message_view {
	struct mapi_store *store;

	/* stored messages only, else NULL */
	struct mapi_folder *folder;
	struct mail *mail;
	bool associated;
	/* The time of receipt may be asked for where the header has no date.
	   TRUE by default: for rows, it's work that is seldom wanted. */
	bool want_received;
	/* Fields that are read all together when the first of them is asked
	   for: looking for them one by one in the cache takes much longer.
	   NULL if none; the owner keeps a reference. */
	struct mailbox_header_lookup_ctx *wanted_headers;
	/* Read the header as a whole instead of asking the cache for fields.
	   FALSE by default. */
	bool headers_from_text;

	/* An open message stays as it was when it was opened but for what its
	   client has changed since: read_changed with the new read state, a
	   pending read receipt. */
	bool read_changed, read, receipt_cancelled;

	/* What a bag or the client says instead of what is derived; NULL if
	   nothing. The owner's. */
	const struct mapi_overlay *overlay;
	/* What the message is going to be derived from when it's saved as it is
	   now: what the server makes of other properties is made of this. NULL
	   if nothing has been changed. The function returns NULL on
	   failure. */
	struct mapi_message_view *(*get_changed)(void *context);
	void *changed_context;
	/* On what get_changed returns: the view of the message that has been
	   changed, whose flags and identity it has. NULL if it's no such
	   view. */
	struct mapi_message_view *stored;

	/* further fields belong to mapi-message-view.c */
	/* embedded messages: what they are in */
	struct mapi_message_view *outer;
	const struct mime_attachment *attachment;
	struct mime_header_source *text_headers;
	struct mime_message *mime;
	/* -1: not known yet */
	int has_attachments;
	/* wanted_headers: lines in their order, once they have been read */
	struct mapi_view_header *lines;
	unsigned int line_count;
	struct mime_header_source mail_headers;
	struct mime_message_source mail_source;
	struct pool *pool;
};

/* A view on stored messages of folder, whose mailbox must be open. Set a mail
   before anything is asked. Freed with talloc_free(). */
struct mapi_message_view *
mapi_message_view_create(TALLOC_CTX *parent, struct mapi_folder *folder,
			 bool associated);
/* mail must be set to a message. What was known of another one is forgotten. */
void mapi_message_view_set_mail(struct mapi_message_view *view,
				struct mail *mail);
/* A view on the message in an attachment (of kind MIME_ATTACH_MESSAGE) of
   outer, which must live as long. */
enum mapi_error
mapi_message_view_create_embedded(TALLOC_CTX *parent,
				  struct mapi_message_view *outer,
				  const struct mime_attachment *attachment,
				  struct mapi_message_view **view_r);

/* A view on a message of which there's nothing but what overlay and get_changed
   say. folder may be NULL. */
struct mapi_message_view *
mapi_message_view_create_new(TALLOC_CTX *parent, struct mapi_store *store,
			     struct mapi_folder *folder, bool associated);
/* A view on a message that isn't stored, in a stream as of
   mime_message_init_stream(). folder may be NULL. NULL if it can't be read. */
struct mapi_message_view *
mapi_message_view_create_stream(TALLOC_CTX *parent, struct mapi_store *store,
				struct mapi_folder *folder, bool associated,
				struct istream *input);

/* The header. NULL on failure. */
struct mime_header_source *
mapi_message_view_headers(struct mapi_message_view *view);
/* The message with its content, which is read when it is asked for. NULL on
   failure. */
struct mime_message *mapi_message_view_mime(struct mapi_message_view *view);
/* NULL on failure */
const struct mime_structure *
mapi_message_view_structure(struct mapi_message_view *view);
/* Some attachment is more than a part of the body. From the cache. */
enum mapi_error
mapi_message_view_has_attachments(struct mapi_message_view *view, bool *has_r);
/* Size in bytes as IMAP gives it (RFC822.SIZE). */
enum mapi_error
mapi_message_view_size(struct mapi_message_view *view, uint64_t *size_r);

/* For what has failed just now. */
enum mapi_error mapi_message_view_error(struct mapi_message_view *view);

#endif
