/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_HEADERS_H
#define MIME_HEADERS_H

/* MAPI properties that a message's header fields alone tell: what tables show,
   and the envelope of message objects. [MS-OXCMAIL] 2.2.1, 2.2.3

   Everything is driven by one table, property -> header fields it needs ->
   function. Nothing here reads a body. */

#include "mapi-value.h"

struct istream;

enum mime_prop_result {
	/* the value is in *value_r, with everything it points to on mem */
	MIME_PROP_FOUND,
	/* a property that is derived here, but this message has none */
	MIME_PROP_NOT_FOUND,
	/* not a property that is derived here: look elsewhere */
	MIME_PROP_UNKNOWN,
	/* The header says only that the answer is in the message's structure
	   or content (PidTagMessageClass of a multipart/report): ask
	   mime_message_get_prop(). */
	MIME_PROP_NEED_MESSAGE,
	/* the source failed; it knows why */
	MIME_PROP_FAILED,
};

/* Where header fields come from. The caller embeds this struct in its own.

   get_raw: all values of the fields of this name (which is in mixed case, to be
   compared case-insensitively) in their order, undecoded, folded or not, bytes
   as they are. Returns 1, 0 if there are none, or -1 on failure: that is
   mail_get_headers(). Values need to live only until the next call or the end
   of the data stack frame.

   get_header: the message from its first byte, of which only the header is
   read (mail_get_hdr_stream()). No reference is handed over; the stream needs
   to live until the next call. -1 on failure. NULL where the header isn't to
   be read for tables: what needs it is MIME_PROP_NEED_MESSAGE then. */
struct mime_header_source {
	int (*get_raw)(struct mime_header_source *source, const char *name,
		       const char *const **values_r);
	int (*get_header)(struct mime_header_source *source,
			  struct istream **input_r);
	/* When the message was received (Unix time, IMAP's INTERNALDATE), for
	   messages without a usable Date; 0 if not known, as for embedded
	   messages. */
	int64_t received;
};

/* The property of tag's id. PTYP_STRING8, PTYP_UNSPECIFIED etc. in tag are
   ignored: the value has the type that the property has in mapi-props.h, and
   conversion to other types is the caller's.

   Derived are, among others: PidTagSubject (with prefix and normalized form),
   PidTagSender*, PidTagSentRepresenting*, PidTagReadReceipt*,
   PidTagReplyRecipient*, PidTagDisplayTo/Cc/Bcc, PidTagClientSubmitTime,
   PidTagImportance, PidTagPriority, PidTagSensitivity,
   PidTagInternetMessageId, PidTagInternetReferences, PidTagInReplyToId,
   PidTagConversation*, PidTagList*, PidTagMessageClass,
   PidTagTransportMessageHeaders. Entry ids are one-off entry ids, search keys
   "SMTP:ADDRESS". */
enum mime_prop_result
mime_headers_get_prop(struct mime_header_source *source, TALLOC_CTX *mem,
		      uint32_t tag, struct mapi_value *value_r);

/* Named properties by their names: those of PS_INTERNET_HEADERS (any header
   field), PidNameKeywords, and what [MS-OXCMAIL] 2.2.3.2 maps to other sets. */
enum mime_prop_result
mime_headers_get_named(struct mime_header_source *source, TALLOC_CTX *mem,
		       const struct mapi_property_name *name,
		       struct mapi_value *value_r);

/* Calls callback with the name of each header field that
   mime_headers_get_prop() would ask for, for any of the tags; a name may come
   twice. For mailbox_header_lookup_init(). */
typedef void mime_header_name_callback_t(const char *name, void *context);
void mime_headers_wanted(const uint32_t *tags, unsigned int count,
			 mime_header_name_callback_t *callback, void *context);

/* True if mime_headers_get_prop() derives the property of this tag's id. */
bool mime_headers_has_prop(uint32_t tag);
/* The i'th of the tags that are derived; false after the last. For
   RopGetPropertiesAll/List. */
bool mime_headers_prop_at(unsigned int i, uint32_t *tag_r);

/* --- a source over a message in a stream ----------------------------------- */

/* Reads the header that starts at offset of input, to its empty line, but no
   more than 1 MiB (the rest is left out). The source doesn't need the stream
   afterwards but for get_header(). NULL if input fails. The header is on
   parent, and freed with it. */
struct mime_header_source *
mime_header_source_init(TALLOC_CTX *parent, struct istream *input,
			uint64_t offset);

#endif
