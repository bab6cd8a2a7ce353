/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_CONVINDEX_H
#define MAPI_CONVINDEX_H

/* PidTagConversationIndex: where a message stands in its thread. [MS-OXOMSG]
   2.2.1.3. A header of 22 bytes (time of the first message, GUID of the
   conversation) and 5 bytes for every reply.

   The header's first byte is 0x01. As specified, the high 5 bytes of the time
   follow (Thread-Index: AQH..). Older software lets that first byte be the
   time's own, which is 0x01 until 2057, and so has 6 bytes of it (Thread-Index:
   Ac.., Ad..). We read both and write the former. */

#include "mapi-value.h"

#define MAPI_CONVINDEX_HEADER_SIZE 22
#define MAPI_CONVINDEX_LEVEL_SIZE 5

struct mapi_convindex {
	/* of the first message: PTYP_TIME, rounded down to a multiple of 2^24
	   (1.7 s) or 2^16 */
	uint64_t time;
	/* wire order: PidTagConversationId where it is tracked by index */
	struct mapi_guid guid;
	unsigned int levels;
};

/* false if it has not the size of a header and whole levels, or doesn't start
   with 0x01 */
bool mapi_convindex_parse(const struct mapi_binary *bin,
			  struct mapi_convindex *index_r);
/* Header only: a new conversation. len 0 if out of memory. */
struct mapi_binary mapi_convindex_build(TALLOC_CTX *mem, uint64_t time,
					const struct mapi_guid *guid);
/* parent with one more level for a reply sent at time. The low four bits of
   random are put into the level. A parent that can't be parsed gives len 0. */
struct mapi_binary mapi_convindex_reply(TALLOC_CTX *mem,
					const struct mapi_binary *parent,
					uint64_t time, uint8_t random);

#endif
