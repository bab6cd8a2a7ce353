/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_BUILD_PRIVATE_H
#define MIME_BUILD_PRIVATE_H

/* The parts of mime_build(). Nothing here knows what the output is; functions
   that write return -1 if a stream has failed. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "mapi-props.h"
#include "mime-address.h"
#include "mime-build.h"
#include "mime-headers.h"

/* Messages that are embedded deeper are left out: readers give up, too. */
#define MIME_BUILD_MAX_DEPTH 30

/* of the hash that boundaries are made of */
#define MIME_BUILD_SEED_LEN 24

/* PidTagAttachMethod, [MS-OXCMSG] 2.2.2.9 */
enum mapi_attach_method {
	MAPI_ATTACH_NONE		= 0,
	MAPI_ATTACH_BY_VALUE		= 1,
	MAPI_ATTACH_EMBEDDED_MESSAGE	= 5,
};

struct mime_build {
	const struct mime_build_params *params;
	struct ostream *output;
	/* the domain of addresses that can't be sent to, NULL if unknown yet */
	char *domain;
	/* such addresses aren't wanted */
	bool no_encapsulation;
	/* what all boundaries of the message have in common */
	char seed[MIME_BUILD_SEED_LEN + 1];
	unsigned int boundaries;
	/* of embedded messages */
	unsigned int depth;
};

/* --- header text: mime-build-text.c ----------------------------------------- */

/* All of these write lines of at most 76 bytes where the text has blanks to fold
   at, and never more than 998. Control characters in values are blanks; what
   isn't UTF-8 is U+FFFD. */

/* Valid UTF-8 without control characters and without blanks around it, on the
   data stack. value may be NULL. */
const char *t_mime_build_clean(const char *value);
/* Can a field have this name? */
bool mime_build_field_name_is_valid(const char *name);
/* "Name: value CRLF" of text, in encoded words ([RFC2047]) if it needs them. No
   field if there's no text. */
void mime_build_add_text(string_t *dest, const char *name, const char *value);
/* The same, of what is in its final form (only ASCII) already: it isn't encoded
   but where it has words that are longer than a line may be. */
void mime_build_add_raw(string_t *dest, const char *name, const char *value);
/* Addresses; an empty address is written as a group of that name. */
void mime_build_add_addresses(string_t *dest, const char *name,
			      const struct mime_address *addresses,
			      unsigned int count);
/* ";CRLF TAB name=value" after the value of a Content-* field: [RFC2231] */
void mime_build_add_param(string_t *dest, const char *name, const char *value);
/* The same by [RFC2047] in a quoted string, as Outlook wants it */
void mime_build_add_param_2047(string_t *dest, const char *name,
			       const char *value);
/* [RFC5322] 3.3, in UTC. FALSE if it isn't in the years 1900 to 9999. */
bool mime_build_date(uint64_t filetime, const char **date_r);

/* --- who: mime-build-addresses.c -------------------------------------------- */

/* The properties of a group that says one address, [MS-OXCMAIL] 2.6 */
struct mime_build_address_tags {
	uint32_t name, type, email, smtp, entry_id;
};
extern const struct mime_build_address_tags mime_build_sender_tags;
extern const struct mime_build_address_tags mime_build_representing_tags;
extern const struct mime_build_address_tags mime_build_read_receipt_tags;
extern const struct mime_build_address_tags mime_build_report_tags;
extern const struct mime_build_address_tags mime_build_received_by_tags;

/* On the data stack. FALSE if there's neither a name nor an address. address is
   "" if there's only a name. */
bool t_mime_build_address(struct mime_build *ctx,
			  const struct mapi_propset *props,
			  const struct mime_build_address_tags *tags,
			  struct mime_address *address_r);
/* Of a recipient */
bool t_mime_build_recipient(struct mime_build *ctx,
			    const struct mapi_content_recipient *recipient,
			    struct mime_address *address_r);
/* Recipients of a type (MAPI_TO ...), appended to a data stack array */
void t_mime_build_recipients(struct mime_build *ctx,
			     const struct mapi_content *content, int type,
			     ARRAY_TYPE(mime_address) *dest);
/* PidTagReplyRecipientEntries */
void t_mime_build_reply_to(struct mime_build *ctx,
			   const struct mapi_propset *props,
			   ARRAY_TYPE(mime_address) *dest);

/* --- fields: mime-build-fields.c, mime-build-header.c ------------------------ */

#define MIME_BUILD_FIELD_MAX_NAMES 4

enum mime_build_compare {
	/* tags are read from the fields */
	MIME_BUILD_COMPARE_TAGS,
	/* all addresses in the fields */
	MIME_BUILD_COMPARE_ADDRESSES,
	/* the first field's text */
	MIME_BUILD_COMPARE_TEXT,
};
struct mime_build_field;
typedef void
mime_build_field_add_t(struct mime_build *ctx,
		       const struct mapi_content *content,
		       const struct mime_build_field *field, string_t *dest);

/* Fields that say the same property */
struct mime_build_field {
	/* the one that is written first; others are read, too */
	const char *names[MIME_BUILD_FIELD_MAX_NAMES];
	/* appends them, or nothing */
	mime_build_field_add_t *add;
	uint32_t tag;
	enum mime_build_compare compare;
	/* for MIME_BUILD_COMPARE_TAGS, beside tag */
	uint32_t other_tag;
};
extern const struct mime_build_field mime_build_fields[];
extern const unsigned int mime_build_fields_count;

/* Appends the lines of text up to the one that doesn't continue the field, with
   CRLF. Returns where that is. */
const char *mime_build_field_lines(const char *text, string_t *dest,
				   bool *long_line_r);
/* The header but for the fields that say what the body is. */
void mime_build_header(struct mime_build *ctx,
		       const struct mapi_content *content, string_t *dest);
/* Whether its recipients are those of another message: delivery reports */
bool mime_build_class_is_delivery_report(const struct mapi_content *content);

/* --- content: mime-build-encode.c ------------------------------------------- */

enum mime_build_encoding {
	MIME_BUILD_7BIT,
	MIME_BUILD_QUOTED_PRINTABLE,
	MIME_BUILD_BASE64,
};
/* What is in the bytes of a stream */
struct mime_build_scan {
	uint64_t size, high, equals;
	/* TRUE if not all lines end with CRLF */
	bool bare_cr, bare_lf;
	bool nul;
	/* something that mustn't be sent as it is: lines that mail programs
	   give a meaning, or that are too long */
	bool unsafe;
	/* not UTF-8 */
	bool not_utf8;
};
/* From the start of input to its end */
int mime_build_scan(struct istream *input, struct mime_build_scan *scan_r);
enum mime_build_encoding
mime_build_encoding_choose(const struct mime_build_scan *scan);
const char *mime_build_encoding_name(enum mime_build_encoding encoding);

int mime_build_send(struct mime_build *ctx, const void *data, size_t size);
/* The header of a part and the empty line after it. header is emptied. */
int mime_build_send_header(struct mime_build *ctx, string_t *header);
/* input from its start to its end */
int mime_build_send_encoded(struct mime_build *ctx, struct istream *input,
			    enum mime_build_encoding encoding);
/* input as it is, from where it is, with CRLF line ends */
int mime_build_send_raw(struct mime_build *ctx, struct istream *input);

/* A property's bytes; NULL if there are none. The stream is at its start, and to
   be unreferenced. */
struct istream *mime_build_open(const struct mapi_content_prop *prop);

/* --- parts: mime-build.c ---------------------------------------------------- */

/* A multipart: header gets its Content-Type, and is sent. params: after the
   boundary, or NULL. The boundary is on the data stack. */
int mime_build_multipart_begin(struct mime_build *ctx, string_t *header,
			       const char *subtype, const char *params,
			       const char **boundary_r);
/* Before each part, whose header is sent next; first: before the first one */
int mime_build_multipart_next(struct mime_build *ctx, const char *boundary,
			      bool first);
int mime_build_multipart_end(struct mime_build *ctx, const char *boundary);

/* All of the message. The header is made anew: embedded messages. */
int mime_build_message(struct mime_build *ctx,
		       const struct mapi_content *content);

/* --- bodies: mime-build-body.c ---------------------------------------------- */

struct mime_build_bodies {
	const struct mapi_content *content;
	bool text, html;
	/* What has been made of PidTagRtfCompressed, UTF-8; NULL if the property
	   of that body is used. Content ids by which the HTML shows images, in
	   the order of attachments; NULL if there are none. */
	TALLOC_CTX *rtf_mem;
	char *rtf_text, *rtf_html;
	size_t rtf_text_size, rtf_html_size;
	const char **rtf_ids;
};
/* Which bodies the message gets. No one, if it has none. -1 if the content's
   streams can't be read; to be deinitialised then, too. */
int mime_build_bodies_init(struct mime_build *ctx,
			   const struct mapi_content *content,
			   struct mime_build_bodies *bodies_r);
void mime_build_bodies_deinit(struct mime_build_bodies *bodies);
/* Adds what is there only as RTF: mime-build-rtf.c */
int mime_build_bodies_add_rtf(struct mime_build *ctx,
			      struct mime_build_bodies *bodies);
/* The HTML as it's written, and what its character set is called, as far as
   properties tell. */
struct istream *mime_build_open_html(const struct mime_build_bodies *bodies,
				     const char **label_r);
/* One part, or a multipart/alternative. header has what goes before it. */
int mime_build_send_bodies(struct mime_build *ctx,
			   const struct mime_build_bodies *bodies,
			   string_t *header);

/* --- attachments: mime-build-attachment.c ----------------------------------- */

/* Has a standard form? */
bool mime_build_attachment_is_wanted(struct mime_build *ctx,
	const struct mapi_content_attachment *attachment);
/* PidTagAttachDataBinary; NULL if there's none */
const struct mapi_content_prop *
mime_build_attachment_data(const struct mapi_content_attachment *attachment);
/* Has an id or a location that the HTML body could refer to */
bool mime_build_attachment_is_related(
	const struct mapi_content_attachment *attachment);
/* ... and says that it's shown in the HTML body */
bool mime_build_attachment_is_inline(
	const struct mapi_content_attachment *attachment);
/* PidTagAttachContentId without angle brackets, on the data stack; NULL if
   there's none, or it can't be one */
const char *t_mime_build_content_id(
	const struct mapi_content_attachment *attachment);
/* An image by value */
bool mime_build_attachment_is_image(
	const struct mapi_content_attachment *attachment);
/* What to call it, on the data stack; may be empty */
const char *t_mime_build_attachment_name(
	const struct mapi_content_attachment *attachment);
/* content_id: instead of its own; may be NULL */
int mime_build_send_attachment(struct mime_build *ctx,
			       const struct mapi_content_attachment *attachment,
			       const char *content_id, bool shown_inline,
			       string_t *header);

/* --- special classes: mime-build-smime.c, mime-build-report.c ---------------- */

/* 1 if the message has been written, 0 if its class or content is another,
   -1 on failure. */
int mime_build_send_smime(struct mime_build *ctx,
			  const struct mapi_content *content, string_t *header);
int mime_build_send_report(struct mime_build *ctx,
			   const struct mapi_content *content,
			   string_t *header);

#endif
