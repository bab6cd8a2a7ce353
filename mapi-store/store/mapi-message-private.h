/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_MESSAGE_PRIVATE_H
#define MAPI_MESSAGE_PRIVATE_H

/* What message objects, their attachments and the messages embedded in these
   share. */

#include "mapi-message.h"
#include "mapi-message-view.h"
#include "mapi-prop-class.h"

/* What an object of an attachment shares with the messages embedded in it */
struct mapi_attachment_draft;

/* A message as it is read: stored, or embedded in another one, or not stored yet.
   Clients release objects in any order, so each object holds a reference of what
   it reads. */
struct mapi_message_content {
	int refcount;
	struct mapi_message_view *view;

	/* stored: in a mailbox that stays as it was when the message was
	   opened */
	struct mapi_message_folder *mfolder;
	struct mapi_folder *folder;
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	/* embedded: what it is in, unless it's new */
	struct mapi_message_content *outer;

	uint32_t code_page;
	/* NULL until asked for */
	struct mapi_recipient_row *recipients;
	unsigned int recipient_count;

	/* --- changing it (mapi-message-edit.c, mapi-message-save.c) */
	/* The bag, with what the client has changed since it was read. NULL if
	   there's neither. */
	struct mapi_overlay *overlay;
	/* which bag that was; 0 if there was none */
	uint32_t bag_uid;
	/* what has just been saved as the bag of this UID needn't be read */
	struct mapi_overlay *saved_overlay;
	uint32_t saved_bag_uid;
	/* it said something of properties that flags express */
	bool bag_has_flags;
	/* there's something to be saved */
	bool changed;
	/* ... that can be seen in the MIME form */
	bool mime_changed;
	/* ... that can only be in the bag */
	bool bag_changed;
	/* What the client has set of the properties that flags express. NULL
	   if nothing. */
	struct mapi_overlay *flag_changes;
	/* never saved yet */
	bool is_new, associated;
	/* what has been set since it was saved last: bits of enum mapi_body, and
	   these */
	unsigned int fresh;
#define MAPI_FRESH_SUBJECT		0x10
#define MAPI_FRESH_SUBJECT_PARTS	0x20
#define MAPI_FRESH_NATIVE_BODY		0x40
#define MAPI_FRESH_RTF_IN_SYNC		0x80
	/* lower numbers have been given to new attachments */
	uint32_t next_attachment;
	/* What it would be derived from if it was saved now. NULL until asked
	   for after a change */
	struct mapi_message_view *changed_view;
	struct istream *changed_mime;
	/* streams of its properties that are open for writing */
	struct mapi_stream_target *streams;
	/* embedded: what it's saved to */
	struct mapi_attachment_draft *draft;
	/* What it was before it was saved: attachments and streams may still
	   read that. */
	struct mapi_message_content *retired;
};

struct mapi_message_private {
	struct mapi_message_content *content;
	bool writable;
};

/* An attachment as a client has it open: it may be changed by its object and by
   those of its embedded message. */
struct mapi_attachment_draft {
	int refcount;
	struct mapi_message_content *content;
	uint32_t num;
	/* Derived attachment that it's based on, NULL if none; and what the
	   message was read from then. */
	const struct mime_attachment *mime;
	struct mapi_message_view *base_view;
	/* what is said instead of what is derived: never NULL */
	struct mapi_overlay *overlay;
	/* about the embedded message; NULL if nothing is said, or it has none */
	struct mapi_overlay *embedded;
	/* streams of its properties that are open for writing */
	struct mapi_stream_target *streams;
	bool changed;
};

struct mapi_attachment_private {
	struct mapi_attachment_draft *draft;
	bool writable;
};

void mapi_message_content_ref(struct mapi_message_content *content);
void mapi_message_content_unref(struct mapi_message_content **content);
/* Has a stream that reads from content keep it. */
void mapi_message_content_keep(struct mapi_message_content *content,
			       struct mapi_stream *stream);
/* Refcount 1, for nothing yet */
struct mapi_message_content *
mapi_message_content_alloc(struct mapi_store *store);
/* Has it be the message with that UID: its fields are set from mfolder to view,
   and the overlay is its bag. EC_NOT_FOUND if there's no such message. */
enum mapi_error
mapi_message_content_set_uid(struct mapi_message_content *content,
			     struct mailbox *box, uint32_t uid);
/* The message with that UID as it is now instead of what content was read from. */
enum mapi_error
mapi_message_content_reopen(struct mapi_message_content *content,
			    struct mapi_message_folder *mfolder,
			    struct mapi_folder *folder, uint32_t uid);
/* A message object; takes over the reference. */
struct mapi_message *
mapi_message_create(TALLOC_CTX *parent, struct mapi_message_content *content);
/* Content of the message in an attachment. EC_NOT_SUPPORTED if it has none. */
enum mapi_error
mapi_message_content_embedded(struct mapi_attachment_draft *draft,
			      struct mapi_message_content **content_r);
/* An empty message that isn't stored. folder: where it's going to be, NULL if
   embedded. */
void mapi_message_content_init_new(struct mapi_message_content *content,
				   struct mapi_folder *folder,
				   bool associated);

/* An attachment object of which nothing is known yet but what its overlay is going
   to say */
struct mapi_attachment *
mapi_attachment_object_create(TALLOC_CTX *parent,
			      struct mapi_message_content *content,
			      uint32_t num);
void mapi_attachment_draft_ref(struct mapi_attachment_draft *draft);
void mapi_attachment_draft_unref(struct mapi_attachment_draft **draft);

/* Afterwards content->overlay is there. */
void mapi_message_content_init_overlay(struct mapi_message_content *content);
/* To be called for each change; content->overlay is there afterwards. */
void mapi_message_content_change(struct mapi_message_content *content,
				 bool mime_changed);
/* To be called when a property of the overlay has been set: it's what is saved, and
   what follows from it isn't what it was. */
void mapi_message_content_note_set(struct mapi_message_content *content,
				   uint32_t tag);
/* To be called when all have been. PidTagBodyHtml is kept as PidTagHtml, which is
   bytes: in the code page that PidTagInternetCodepage says, if that has all the
   characters, else in UTF-8, and then PidTagInternetCodepage says that. */
void mapi_message_content_encode_html(struct mapi_message_content *content);
/* The same for what has become untrue. A body that is set takes the place of all
   others that aren't set in the same session; the subject takes the place of its
   parts, and the other way round. */
void mapi_message_content_forget_stale(struct mapi_message_content *content);
/* Whether it can be seen in the MIME form. What's there is what can be derived
   from it. What flags express needn't be there. */
bool mapi_message_prop_is_in_mime(uint32_t tag,
				  const struct mapi_property_name *name);
/* FALSE if it's one that is in the MIME form, but not with this type: if it was set,
   it would be there no more. */
bool mapi_message_prop_type_is_known(uint32_t tag);
/* As mapi_message_content_change(); overlay has the attachments, whatever they were. */
enum mapi_error
mapi_message_content_change_attachments(struct mapi_message_content *content);
/* What is derived from the message's text, with those fields of the header for which
   clients have names: a client may have set or removed them. EC_ERROR if it can't
   be read. */
enum mapi_error
mapi_message_derive(TALLOC_CTX *parent, struct mapi_store *store,
		    struct mime_message *mime,
		    struct mapi_content **content_r);
/* What there is to be said of an embedded message when it's saved: its overlay,
   where what has been replaced of the derived properties is absent. */
struct mapi_overlay *
mapi_message_content_get_overlay(struct mapi_message_content *content,
				 TALLOC_CTX *parent);
/* All of the message. */
enum mapi_error
mapi_message_content_get_all(struct mapi_message_content *content,
			     TALLOC_CTX *parent,
			     struct mapi_content **content_r);
/* The MIME form that the message has when it's saved as it is now, to be
   unreferenced. with_bcc: see mime_build.h */
enum mapi_error
mapi_message_content_build(struct mapi_message_content *content,
			   const struct mapi_content *all, bool with_bcc,
			   struct istream **input_r);
/* How messages of the store are built, with Bcc */
struct mime_build_params;
void mapi_message_build_params(struct mapi_store *store,
			       struct mime_build_params *params_r);
/* The same of any content */
enum mapi_error
mapi_content_build(struct mapi_store *store, const struct mapi_content *all,
		   bool with_bcc, struct istream **input_r);
/* Recipient rows of those in the overlay, on mem */
void mapi_recipient_rows_from_content(TALLOC_CTX *mem,
	const struct mapi_content_recipient *recipients, unsigned int count,
	struct mapi_recipient_row *rows_r);

/* Sets properties of an overlay, whatever it's of: names of named properties are
   looked up. class_func says which can't be set. */
enum mapi_error
mapi_overlay_set_props(struct mapi_store *store, struct mapi_overlay *overlay,
		       enum mapi_prop_class (*class_func)(uint32_t tag,
				const struct mapi_property_name *name),
		       const struct mapi_property *props, unsigned int count,
		       enum mapi_error *errors_r);
enum mapi_error
mapi_overlay_delete_props(struct mapi_store *store,
			  struct mapi_overlay *overlay,
			  enum mapi_prop_class (*class_func)(uint32_t tag,
				const struct mapi_property_name *name),
			  const uint32_t *tags, unsigned int count,
			  enum mapi_error *errors_r);
/* A stream of a property of the overlay. EC_NOT_FOUND if it has none; absent_r is
   set if it says that there's none. */
enum mapi_error
mapi_overlay_open_stream(TALLOC_CTX *parent, struct mapi_store *store,
			 const struct mapi_overlay *overlay, uint32_t tag,
			 uint32_t code_page, struct mapi_stream **stream_r,
			 bool *absent_r);
/* What a stream has become as a property of tag; bytes of strings are converted.
   EC_NOT_SUPPORTED, EC_CORRUPT_DATA, EC_TOO_BIG */
enum mapi_error
mapi_stream_to_prop(TALLOC_CTX *mem, struct istream *input, uint32_t tag,
		    uint32_t code_page, struct mapi_content_prop *prop_r);

/* vfuncs of messages and attachments, mapi-message-edit.c,
   mapi-attachment-edit.c */
enum mapi_error
mapi_message_set_props(struct mapi_object *obj,
		       const struct mapi_property *props, unsigned int count,
		       enum mapi_error *errors_r);
enum mapi_error
mapi_message_delete_props(struct mapi_object *obj, const uint32_t *tags,
			  unsigned int count, enum mapi_error *errors_r);
enum mapi_error
mapi_message_open_stream_write(struct mapi_object *obj, TALLOC_CTX *parent,
			       uint32_t tag, bool create,
			       struct mapi_stream **stream_r);
enum mapi_error
mapi_attachment_set_props(struct mapi_object *obj,
			  const struct mapi_property *props,
			  unsigned int count, enum mapi_error *errors_r);
enum mapi_error
mapi_attachment_delete_props(struct mapi_object *obj, const uint32_t *tags,
			     unsigned int count, enum mapi_error *errors_r);
enum mapi_error
mapi_attachment_open_stream_write(struct mapi_object *obj, TALLOC_CTX *parent,
				  uint32_t tag, bool create,
				  struct mapi_stream **stream_r);

/* A stream of a value that is in memory: strings as UTF-16LE or, if tag asks
   for PTYP_STRING8, in the code page, without NUL; bytes as they are.
   EC_NOT_SUPPORTED for other types. */
enum mapi_error
mapi_stream_create_value(TALLOC_CTX *parent, struct mapi_store *store,
			 uint32_t tag, uint32_t code_page,
			 const struct mapi_value *value,
			 struct mapi_stream **stream_r);

#endif
