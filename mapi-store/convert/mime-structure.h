/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_STRUCTURE_H
#define MIME_STRUCTURE_H

#include "lib.h"

/* Which part of a MIME message is what: bodies, attachments, reports,
   signed and encrypted messages. [MS-OXCMAIL] 2.2.3.3, 2.2.3.4,
   [MS-OXOSMIME] 2.1

   Works on Dovecot's struct message_part tree alone and reads no message. The
   tree is what mail_get_parts() gives, with part->data filled in: see
   mime_parts_parse() and mime_parts_from_bodystructure(). */

#include "mapi-value.h"

struct istream;
struct message_part;

/* Parts after that many, and deeper than that, are left out: the part that
   contains them is an attachment as a whole. */
#define MIME_MAX_PARTS 10000
#define MIME_MAX_DEPTH 100
/* Texts after that many are attachments. */
#define MIME_MAX_BODIES 50

enum mime_class {
	MIME_CLASS_NOTE,		/* IPM.Note */
	MIME_CLASS_SMIME,		/* IPM.Note.SMIME: opaque or encrypted */
	MIME_CLASS_SMIME_SIGNED,	/* IPM.Note.SMIME.MultipartSigned */
	/* REPORT.*: see mime-report.h */
	MIME_CLASS_DELIVERY_REPORT,
	MIME_CLASS_DISPOSITION_REPORT,
};

enum mime_attachment_kind {
	/* decoded content of a part; afByValue */
	MIME_ATTACH_CONTENT,
	/* message/rfc822: an embedded message; afEmbeddedMessage */
	MIME_ATTACH_MESSAGE,
	/* a part or message with its MIME header, undecoded: smime.p7m of
	   signed messages ([MS-OXOSMIME] 2.1.1), message/external-body, what
	   is nested too deep; afByValue */
	MIME_ATTACH_ENTITY,
};

/* An attachment. All strings are UTF-8; NULL where there's none, unless it
   says otherwise. */
struct mime_attachment {
	enum mime_attachment_kind kind;
	const struct message_part *part;
	/* type/subtype in lower case, never NULL */
	const char *mime_tag;
	/* never NULL: made up where the sender gave none. Characters that
	   can't be in file names are replaced. For messages: their subject. */
	const char *display_name;
	const char *long_filename;
	const char *short_filename;	/* 8.3 */
	const char *extension;		/* with the dot; "" if none */
	const char *content_id;		/* without < > */
	const char *content_location;
	const char *charset;		/* of text/ parts */
	/* shown in the HTML body, [MS-OXCMAIL] 2.2.3.4.1.4.1, as far as the
	   structure tells. mime_message_get_structure() has looked into the
	   body for it, too. */
	bool inline_html;
	/* Estimate of the content's size in bytes, from the size of its
	   encoded form. Streams know better. */
	uint64_t size;
};

struct mime_body_part {
	const struct message_part *part;
	/* part is text/html, and the text/plain part that the sender made an
	   alternative of it; NULL if there's none */
	const struct message_part *alternative_text;
	bool html;
};

struct mime_structure {
	const struct message_part *root;
	enum mime_class class;

	/* The parts that make up the body, in order: no, one or more
	   (an aggregate body, [MS-OXCMAIL] 2.2.3.3.2.2) */
	const struct mime_body_part *bodies;
	unsigned int body_count;
	/* text/calendar part of an alternative or the whole message; NULL if
	   there's none. It's among the attachments, too. */
	const struct message_part *calendar;
	/* class is a report: the machine-readable part, and the returned
	   message or header (may be NULL) */
	const struct message_part *report, *report_returned;

	struct mime_attachment *attachments;
	unsigned int attachment_count;
};

/* root and its data must live as long as the result, which is on parent. */
struct mime_structure *
mime_structure_init(TALLOC_CTX *parent, const struct message_part *root);

/* PidTagHasAttachments: some attachment isn't hidden */
bool mime_structure_has_attachments(const struct mime_structure *structure);

/* The same from IMAP's BODYSTRUCTURE (MAIL_FETCH_IMAP_BODYSTRUCTURE, cached by
   Dovecot): cheap enough for table rows. Returns 1, 0, or -1 if the string isn't
   valid. */
int mime_bodystructure_has_attachments(const char *bodystructure);

/* --- getting the tree ------------------------------------------------------ */

/* Parses a message, from offset 0 of input, which must be blocking. Parts and
   their data are allocated from pool. -1 if input fails. */
int mime_parts_parse(pool_t pool, struct istream *input,
		     struct message_part **root_r);
/* Fills in part->data of the tree of mail_get_parts() from what
   mail_get_special(MAIL_FETCH_IMAP_BODYSTRUCTURE) gives. -1 if they don't
   match (then mime_parts_parse()). */
int mime_parts_from_bodystructure(pool_t pool, const char *bodystructure,
				  struct message_part *root);

#endif
