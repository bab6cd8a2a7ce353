/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_MESSAGE_H
#define MIME_MESSAGE_H

/* A MIME message as a MAPI message object: header, structure, bodies, reports
   behind one interface, each looked at when something asks for it.

   Pure: knows no mailbox. The caller says where the bytes come from. */

#include "mime-attachment.h"
#include "mime-body.h"
#include "mime-headers.h"
#include "mime-recipients.h"
#include "mime-structure.h"

/* What a message is read from; the caller embeds it in a struct of its own. */
struct mime_message_source {
	struct mime_header_source *headers;
	/* The message's parts with their data, to live as long as the message
	   does. -1 on failure. */
	int (*get_parts)(struct mime_message_source *source,
			 const struct message_part **root_r);
	/* The message, position 0 of the parts being its offset 0. No reference
	   is handed over. Called whenever the message is to be read, so the
	   stream may be another each time. -1 on failure. */
	int (*get_stream)(struct mime_message_source *source,
			  struct istream **input_r);
};

struct mime_message;

/* source must live as long as the message. talloc_free() frees it. */
struct mime_message *
mime_message_init(TALLOC_CTX *parent, struct mime_message_source *source);
/* A message in a stream of its own, from offset 0 on; the stream must be
   blocking and seekable, and is referenced. Parsed at once. received: see struct
   mime_header_source. NULL if input fails. */
struct mime_message *
mime_message_init_stream(TALLOC_CTX *parent, struct istream *input,
			 int64_t received);
/* The message in an attachment of kind MIME_ATTACH_MESSAGE. It reads the same
   source; msg must live as long. NULL if the source fails. */
struct mime_message *
mime_message_init_embedded(TALLOC_CTX *parent, struct mime_message *msg,
			   const struct mime_attachment *attachment);

/* Everything that mime_headers_get_prop() derives, and what needs structure or
   content: PidTagMessageClass, PidTagHasAttachments, PidTagBody, PidTagHtml
   (as PTYP_STRING, that is PidTagBodyHtml: converted to UTF-8),
   PidTagNativeBody, PidTagRtfInSync, PidTagInternetCodepage,
   PidTagMessageCodepage, report properties. Bodies of more than max_body bytes
   are MIME_PROP_NEED_MESSAGE: open a stream. PidTagRtfCompressed is made of the
   native body ([MS-OXCMSG] 3.2.4.1), for those who ask for it: it isn't one of
   mime_message_prop_at(). */
enum mime_prop_result
mime_message_get_prop(struct mime_message *msg, TALLOC_CTX *mem, uint32_t tag,
		      size_t max_body, struct mapi_value *value_r);
/* as mime_headers_get_named() */
enum mime_prop_result
mime_message_get_named(struct mime_message *msg, TALLOC_CTX *mem,
		       const struct mapi_property_name *name,
		       struct mapi_value *value_r);
/* Tags of what mime_message_get_prop() derives beyond mime_headers_prop_at() */
bool mime_message_prop_at(unsigned int i, uint32_t *tag_r);

/* PidTagBody (UTF-8) or PidTagHtml (bytes) as a stream, to be unreferenced by
   the caller. -1 if the source fails. */
int mime_message_open_text(struct mime_message *msg, struct istream **input_r);
int mime_message_open_html(struct mime_message *msg, struct istream **input_r);

/* The recipients; for reports those that are reported on. Valid as long as
   msg. -1 if the source fails. */
int mime_message_get_recipients(struct mime_message *msg,
				const struct mime_recipient **recipients_r,
				unsigned int *count_r);

/* NULL if the source fails. Valid as long as msg. Attachments are numbered
   by their place in it. Reads the HTML body if there are images that it may
   refer to. */
const struct mime_structure *mime_message_get_structure(struct mime_message *msg);
/* Content of an attachment, to be unreferenced. -1 if the source fails. */
int mime_message_open_attachment(struct mime_message *msg,
				 const struct mime_attachment *attachment,
				 struct istream **input_r);

#endif
