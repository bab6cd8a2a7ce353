/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_FXSTREAM_H
#define MAPI_FXSTREAM_H

/* The lexical elements of FastTransfer streams, [MS-OXCFXICS] 2.2.4.1: markers
   and properties with their values. What order they must have is the business of
   those who write and read them.

   A value is as in ROPs, but for these: a Boolean takes two bytes, the length of
   strings and binaries is 32 bits and comes first, strings count their NUL.
   PTYP_NULL, which the specification doesn't mention, takes no bytes.
   Restrictions and rule actions, likewise, are their bytes as in ROPs after a
   length. */

#include "mapi-wire.h"

/* [MS-OXCFXICS] 2.2.4.1.4 */
enum mapi_fx_marker {
	MAPI_FX_NEW_ATTACH		= 0x40000003,
	MAPI_FX_START_EMBED		= 0x40010003,
	MAPI_FX_END_EMBED		= 0x40020003,
	MAPI_FX_START_RECIP		= 0x40030003,
	MAPI_FX_END_TO_RECIP		= 0x40040003,
	MAPI_FX_START_TOP_FLD		= 0x40090003,
	MAPI_FX_START_SUB_FLD		= 0x400A0003,
	MAPI_FX_END_FOLDER		= 0x400B0003,
	MAPI_FX_START_MESSAGE		= 0x400C0003,
	MAPI_FX_END_MESSAGE		= 0x400D0003,
	MAPI_FX_END_ATTACH		= 0x400E0003,
	MAPI_FX_START_FAI_MSG		= 0x40100003,
	MAPI_FX_INCR_SYNC_CHG		= 0x40120003,
	MAPI_FX_INCR_SYNC_DEL		= 0x40130003,
	MAPI_FX_INCR_SYNC_END		= 0x40140003,
	MAPI_FX_INCR_SYNC_MESSAGE	= 0x40150003,
	MAPI_FX_ERROR_INFO		= 0x40180003,
	MAPI_FX_INCR_SYNC_READ		= 0x402F0003,
	MAPI_FX_INCR_SYNC_STATE_BEGIN	= 0x403A0003,
	MAPI_FX_INCR_SYNC_STATE_END	= 0x403B0003,
	MAPI_FX_INCR_SYNC_PROGRESS_MODE	= 0x4074000B,
	MAPI_FX_INCR_SYNC_PROGRESS_PER_MSG = 0x4075000B,
	MAPI_FX_INCR_SYNC_GROUP_INFO	= 0x407B0102,
	MAPI_FX_INCR_SYNC_CHG_PARTIAL	= 0x407D0003,
};
/* [MS-OXCFXICS] 2.2.1.1.1: the only property whose value isn't of the type that
   its tag says. It's read and written as PTYP_BINARY. */
#define MAPI_FX_TAG_IDSET_GIVEN 0x40170003U

/* Strings can have types that name their code page, 2.2.4.1.1.1. */
#define MAPI_FX_CODE_PAGE_FLAG 0x8000
#define MAPI_FX_CODE_PAGE_UTF16 1200

/* UTF-16 bytes of a property's name, without NUL, at most. (Ids of longer names
   can't be asked for: their size is 8 bits there.) */
#define MAPI_FX_NAME_SIZE_MAX 512

bool mapi_fx_is_marker(uint32_t tag);

/* --- writing -------------------------------------------------------------- */

bool mapi_fx_push_marker(struct mapi_push *push, enum mapi_fx_marker marker);
/* The id is tag's, the type is value's. name belongs to ids from
   MAPI_NAMED_PROPERTY_ID_MIN on and only to these. MAPI_WIRE_INVALID if there's
   none there, the tag is a marker's, or a value has no encoding. */
bool mapi_fx_push_property(struct mapi_push *push, uint32_t tag,
			   const struct mapi_property_name *name,
			   const struct mapi_value *value);
/* What comes before the bytes of a value of type PTYP_BINARY or PTYP_OBJECT (as
   tag says), which the caller writes. */
bool mapi_fx_push_large(struct mapi_push *push, uint32_t tag,
			const struct mapi_property_name *name, uint32_t size);

/* --- reading -------------------------------------------------------------- */

/* Streams may be cut anywhere: a reader is given what there is and keeps the
   beginning of an element until the rest has come. It never allocates more than
   a small multiple of what it has been given. */
struct mapi_fx_reader;

enum mapi_fx_event {
	/* all input has been taken, the element isn't complete */
	MAPI_FX_MORE,
	/* tag is the marker */
	MAPI_FX_MARKER,
	/* a property with its value */
	MAPI_FX_PROPERTY,
	/* The beginning of a PTYP_BINARY or PTYP_OBJECT whose size is more than
	   the reader's limit; value has its type and is empty. */
	MAPI_FX_LARGE,
	/* bytes of that: value.u.bin, not empty, pointing into the input. It's
	   complete when size bytes have come; there's no event for that. */
	MAPI_FX_DATA,
	/* not a FastTransfer stream, or an element larger than allowed. So are
	   all events after this. */
	MAPI_FX_INVALID,
};

/* Valid until the next call for the reader */
struct mapi_fx_element {
	/* As the stream has it, so with its store's id of a named property.
	   value's type differs with MAPI_FX_CODE_PAGE_FLAG: it's PTYP_STRING for
	   UTF-16, else PTYP_STRING8. */
	uint32_t tag;
	/* of named properties, else NULL */
	const struct mapi_property_name *name;
	struct mapi_value value;
	/* MAPI_FX_LARGE, MAPI_FX_DATA: of the whole value */
	uint32_t size;
};

/* Binaries of more than large_min bytes come in pieces. Elements (other than
   these) of more than max_size bytes are invalid; 0 = there's no limit.
   talloc_free() ends it. */
struct mapi_fx_reader *
mapi_fx_reader_create(TALLOC_CTX *parent, uint32_t large_min, size_t max_size);
/* Takes what it needs from *data, *size, and moves both. */
enum mapi_fx_event
mapi_fx_read(struct mapi_fx_reader *reader, const uint8_t **data, size_t *size,
	     struct mapi_fx_element *elem_r);
/* After MAPI_FX_LARGE: the caller takes all of the value's bytes from the input
   by itself, the reader goes on behind them. */
void mapi_fx_reader_skip(struct mapi_fx_reader *reader);
/* Nothing is pending: the stream can end here. */
bool mapi_fx_reader_is_idle(const struct mapi_fx_reader *reader);

#endif
