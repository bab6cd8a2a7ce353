/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_OVERLAY_H
#define MAPI_OVERLAY_H

/* What a message says beyond what is derived from its MIME form, or instead of it:
   the property bag when it's in memory, and what a client has changed since it
   opened the message (docs/architecture.md, section 6).

   A property of a message is that of the overlay if it's there; it isn't there at
   all if the overlay says so; otherwise it's the derived one. Recipients are the
   overlay's altogether or the derived ones. Attachments, if the overlay has them,
   are its entries: each is a derived attachment with an overlay, or one of its
   own. */

#include "mapi-content.h"

struct mapi_overlay {
	struct mapi_propset *props;
	/* what has no value although one may be derived; values are PTYP_NULL */
	struct mapi_propset *absent;

	bool has_recipients;
	/* in the order of row ids */
	struct mapi_content_recipient *recipients;
	unsigned int recipient_count;

	bool has_attachments;
	/* in the order of numbers */
	struct mapi_overlay_attachment *attachments;
	unsigned int attachment_count;
};

struct mapi_overlay_attachment {
	uint32_t num;
	/* index of the derived attachment that it is based on; -1: none */
	int derived;
	/* props and absent only */
	struct mapi_overlay *overlay;
	/* over the derived embedded message, or over nothing if derived is -1.
	   NULL if there's nothing to say about it, or if it's none. */
	struct mapi_overlay *embedded;
};

struct mapi_overlay *mapi_overlay_create(TALLOC_CTX *parent);
/* Deep, but streams are referenced. */
struct mapi_overlay *
mapi_overlay_copy(TALLOC_CTX *parent, const struct mapi_overlay *overlay);
/* Nothing in it */
bool mapi_overlay_is_empty(const struct mapi_overlay *overlay);
/* Whether values of it are streams, which may read from what it was made of. */
bool mapi_overlay_has_streams(const struct mapi_overlay *overlay);

/* FALSE if there would be too many properties. */
bool mapi_overlay_set(struct mapi_overlay *overlay,
		      const struct mapi_content_prop *prop);
/* name: of a named property, else NULL */
bool mapi_overlay_set_absent(struct mapi_overlay *overlay, uint32_t tag,
			     const struct mapi_property_name *name);

/* Finds, adds (at its place by number), removes entries. Pointers are valid until
   the next is added or removed. */
struct mapi_overlay_attachment *
mapi_overlay_find_attachment(const struct mapi_overlay *overlay, uint32_t num);
struct mapi_overlay_attachment *
mapi_overlay_add_attachment(struct mapi_overlay *overlay, uint32_t num,
			    int derived);
void mapi_overlay_remove_attachment(struct mapi_overlay *overlay, uint32_t num);
struct mapi_content_recipient *
mapi_overlay_add_recipient(struct mapi_overlay *overlay, uint32_t row_id);
void mapi_overlay_remove_recipient(struct mapi_overlay *overlay,
				   uint32_t row_id);

/* The content that overlay makes of what is derived, which may be NULL for
   nothing. On parent; streams are referenced. */
struct mapi_content *
mapi_overlay_apply(TALLOC_CTX *parent, const struct mapi_content *derived,
		   const struct mapi_overlay *overlay);

/* What has to be kept of a content, of which derived is what can be derived. 0,
   or -1 if a stream can't be read. is_default says which properties needn't be
   remembered to be absent (what clients expect to be made of others). */
int mapi_overlay_diff(TALLOC_CTX *parent, const struct mapi_content *content,
		      const struct mapi_content *derived,
		      bool (*is_default)(const struct mapi_content_prop *prop),
		      struct mapi_overlay **overlay_r);

/* The overlay as content, as which it's stored, and back. What isn't properties
   is in properties of a set of their own. from_content returns FALSE if that's
   nonsense; the overlay refers to content's streams. */
/* Whether a name is of that set, which no client uses. id_r is the id that such
   properties have in a content that mapi_overlay_from_content() is to read; the
   store's ids are what all other named properties have there. */
bool mapi_overlay_is_own_name(const struct mapi_property_name *name,
			      uint16_t *id_r);
struct mapi_content *
mapi_overlay_to_content(TALLOC_CTX *parent, const struct mapi_overlay *overlay);
bool mapi_overlay_from_content(TALLOC_CTX *parent,
			       const struct mapi_content *content,
			       struct mapi_overlay **overlay_r);

#endif
