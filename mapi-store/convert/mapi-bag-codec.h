/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_BAG_CODEC_H
#define MAPI_BAG_CODEC_H

/* Content as bytes: a FastTransfer messageContent stream, [MS-OXCFXICS] 2.2.4,
   without meta-properties, then the marker EndMessage, so that what was cut off
   is noticed. Properties are in the order of their ids. Named properties are
   written with their names and without their ids, so that bytes mean the same in
   each store. Properties whose ids are those of markers and meta-properties
   (0x4000..0x407F) are written as what [MS-OXCPRPT] 3.2.5.9 calls them by name:
   PS_MAPI and the id.

   Whatever content has been encoded is decoded as it was, but for the ids of
   named properties, and that long binaries come back as streams. The type in a
   property's tag must be its value's. */

#include "mapi-content.h"

struct istream;
struct ostream;

/* Longer binary values aren't read into memory but become streams. */
#define MAPI_BAG_STREAM_MIN (64 * 1024)
/* How deep embedded messages nest at most */
#define MAPI_BAG_MAX_DEPTH 64

/* 0, or -1 if a stream of content's can't be read or output can't be written;
   likewise if there is what can't be encoded (a named property without a name,
   messages nested too deep). output's error says why. */
int mapi_bag_encode(const struct mapi_content *content, struct ostream *output);

/* From where input is to its end. It must be seekable; it's referenced by what is
   a stream in the content, which reads from there: of these streams, only one can
   be read at a time. Named properties have ids from MAPI_NAMED_PROPERTY_ID_MIN on
   as they come, other ones in each set: they mean nothing until the store has
   found the names'. -1 if it can't be read or isn't complete; error_r says why,
   on the data stack. Nothing is allocated that the bytes don't justify. */
int mapi_bag_decode(TALLOC_CTX *parent, struct istream *input,
		    struct mapi_content **content_r, const char **error_r);

#endif
