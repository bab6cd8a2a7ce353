/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_CONTENT_H
#define MAPI_CONTENT_H

/* The content of a message as a whole: properties, recipients, attachments, and
   the messages embedded in these. It's what a client has saved, what a MIME
   message is built from (mime-build.h), and what a property bag contains
   (mapi-bag-codec.h).

   Everything is talloc'ed below the object that it belongs to, which also holds
   references of streams: talloc_free() of a content is all that's needed. */

#include "mapi-value.h"

struct istream;

/* No object has more properties. */
#define MAPI_PROPSET_MAX 8192

struct mapi_content_prop {
	/* Named properties have the store's id. In what was read from a bag
	   they are just numbered, from MAPI_NAMED_PROPERTY_ID_MIN on, until the
	   store has found the ids. */
	uint32_t tag;
	/* of a named property, else NULL */
	const struct mapi_property_name *name;
	/* Strings are PTYP_STRING (PTYP_MULTIPLE_STRING), never 8-bit. */
	struct mapi_value value;
	/* Not NULL: PTYP_BINARY or PTYP_OBJECT whose bytes are those of this
	   stream from its start to its end, while value's u.bin is empty.
	   Seekable; whoever reads it seeks first. */
	struct istream *stream;
};

/* Properties, sorted by id; one id once, whatever the type. */
struct mapi_propset {
	struct mapi_content_prop *props;
	unsigned int count;
};

struct mapi_content_recipient {
	uint32_t row_id;
	/* PidTagRecipientType says To, Cc, Bcc. */
	struct mapi_propset *props;
};

struct mapi_content_attachment {
	/* PidTagAttachNumber */
	uint32_t num;
	struct mapi_propset *props;
	/* of PidTagAttachMethod afEmbeddedMessage; else NULL */
	struct mapi_content *embedded;
};

struct mapi_content {
	struct mapi_propset *props;
	/* in the order of row ids, of numbers */
	struct mapi_content_recipient *recipients;
	unsigned int recipient_count;
	struct mapi_content_attachment *attachments;
	unsigned int attachment_count;
};

struct mapi_propset *mapi_propset_create(TALLOC_CTX *parent);
/* NULL if there's none of this id, whatever the type. Valid until the set is
   changed. */
const struct mapi_content_prop *
mapi_propset_find(const struct mapi_propset *set, uint32_t tag);
/* By name. */
const struct mapi_content_prop *
mapi_propset_find_name(const struct mapi_propset *set,
		       const struct mapi_property_name *name);
/* The value if it's of exactly this type and not a stream; NULL otherwise. */
const struct mapi_value *
mapi_propset_get(const struct mapi_propset *set, uint32_t tag);
/* The string of a PTYP_STRING property, NULL if it hasn't one. */
const char *
mapi_propset_get_string(const struct mapi_propset *set, uint32_t tag);

/* Sets or replaces a property; prop is copied, its stream referenced. False if
   there are MAPI_PROPSET_MAX already. */
bool mapi_propset_set(struct mapi_propset *set,
		      const struct mapi_content_prop *prop);
/* Convenience: without a name, value isn't a stream */
bool mapi_propset_set_value(struct mapi_propset *set, uint32_t tag,
			    const struct mapi_value *value);
/* Removes it, if it's there. */
void mapi_propset_remove(struct mapi_propset *set, uint32_t tag);

struct mapi_content *mapi_content_create(TALLOC_CTX *parent);
/* At the end; valid until the next one is added. */
struct mapi_content_recipient *
mapi_content_add_recipient(struct mapi_content *content, uint32_t row_id);
struct mapi_content_attachment *
mapi_content_add_attachment(struct mapi_content *content, uint32_t num);

/* Whether two properties are the same: type, value and, read from both, bytes of
   streams. 1, 0, or -1 if a stream can't be read. Names and ids aren't looked
   at. */
int mapi_content_prop_equal(const struct mapi_content_prop *a,
			    const struct mapi_content_prop *b);

#endif
