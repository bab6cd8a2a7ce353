/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_IDSET_H
#define MAPI_IDSET_H

/* Sets of ids: GLOBSET and IDSET, [MS-OXCFXICS] 2.2.2.4, 2.2.2.5.

   A globset is a set of GLOBCNTs (1..MAPI_GLOBCNT_MAX) of one replica, held as
   sorted ranges that neither overlap nor touch: contiguous ids cost nothing. An
   idset has one globset per replica, which it names by REPLID (what a session
   uses) or by GUID (what clients store). */

#include "mapi-wire.h"

struct mapi_globset_range {
	uint64_t low, high;	/* inclusive */
};

struct mapi_globset {
	struct mapi_globset_range *ranges;
	unsigned int count, allocated;
};

/* Empty, on mem; everything in it belongs to it. NULL if out of memory. */
struct mapi_globset *mapi_globset_new(TALLOC_CTX *mem);
struct mapi_globset *mapi_globset_dup(TALLOC_CTX *mem,
				      const struct mapi_globset *set);
/* low..high. O(1) at the end of the set, else O(ranges). Functions that return
   bool return false if out of memory (or low > high, or beyond 48 bits); the
   set isn't changed then. */
bool mapi_globset_add(struct mapi_globset *set, uint64_t low, uint64_t high);
bool mapi_globset_remove(struct mapi_globset *set, uint64_t low, uint64_t high);
bool mapi_globset_contains(const struct mapi_globset *set, uint64_t globcnt);
/* number of ids */
uint64_t mapi_globset_size(const struct mapi_globset *set);
bool mapi_globset_equal(const struct mapi_globset *a,
			const struct mapi_globset *b);
/* set |= other, set -= other, set &= other */
bool mapi_globset_union(struct mapi_globset *set,
			const struct mapi_globset *other);
bool mapi_globset_subtract(struct mapi_globset *set,
			   const struct mapi_globset *other);
bool mapi_globset_intersect(struct mapi_globset *set,
			    const struct mapi_globset *other);
/* Up to and including the End command. Total: a malformed one leaves the pull
   in failed state and returns NULL. */
struct mapi_globset *mapi_pull_globset(struct mapi_pull *pull, TALLOC_CTX *mem);
bool mapi_push_globset(struct mapi_push *push, const struct mapi_globset *set);

struct mapi_idset_replica {
	uint16_t replid;	/* if !by_guid */
	struct mapi_guid guid;	/* if by_guid */
	struct mapi_globset *set;
};
struct mapi_idset {
	bool by_guid;
	unsigned int count;
	struct mapi_idset_replica *replicas;
};

struct mapi_idset *mapi_idset_new(TALLOC_CTX *mem, bool by_guid);
struct mapi_idset *mapi_idset_dup(TALLOC_CTX *mem,
				  const struct mapi_idset *set);
/* The replica's globset; created if it isn't there yet. NULL if out of
   memory or the set isn't of that kind. */
struct mapi_globset *mapi_idset_replid(struct mapi_idset *set, uint16_t replid);
struct mapi_globset *mapi_idset_guid(struct mapi_idset *set,
				     const struct mapi_guid *guid);
/* NULL if it isn't there */
const struct mapi_globset *
mapi_idset_find_replid(const struct mapi_idset *set, uint16_t replid);
const struct mapi_globset *
mapi_idset_find_guid(const struct mapi_idset *set,
		     const struct mapi_guid *guid);
/* for sets by REPLID */
bool mapi_idset_add_id(struct mapi_idset *set, mapi_id_t id);
bool mapi_idset_contains_id(const struct mapi_idset *set, mapi_id_t id);
bool mapi_idset_is_empty(const struct mapi_idset *set);
bool mapi_idset_equal(const struct mapi_idset *a, const struct mapi_idset *b);
/* Both must be of the same kind. */
bool mapi_idset_union(struct mapi_idset *set, const struct mapi_idset *other);
bool mapi_idset_subtract(struct mapi_idset *set,
			 const struct mapi_idset *other);
/* All bytes of data. Replicas named twice are merged. NULL if malformed or out
   of memory. */
struct mapi_idset *mapi_idset_decode(TALLOC_CTX *mem, bool by_guid,
				     const void *data, size_t size);
/* Empty replicas are left out. len 0 and data NULL if out of memory; an empty
   set has len 0. */
struct mapi_binary mapi_idset_encode(TALLOC_CTX *mem,
				     const struct mapi_idset *set);

#endif
