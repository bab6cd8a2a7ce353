/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-idset.h"

#include <stdlib.h>
#include <string.h>

/* Replicas are kept in the order of their REPLIDs or GUIDs. */

struct mapi_idset *mapi_idset_new(TALLOC_CTX *mem, bool by_guid)
{
	struct mapi_idset *set = talloc_zero(mem, struct mapi_idset);

	if (set != NULL)
		set->by_guid = by_guid;
	return set;
}

static int replica_cmp(const struct mapi_idset_replica *a,
		       const struct mapi_idset_replica *b)
{
	/* the one that a set isn't by is zero */
	if (a->replid != b->replid)
		return a->replid < b->replid ? -1 : 1;
	return mapi_guid_cmp(&a->guid, &b->guid);
}

/* Where it is, or where it belongs */
static bool idset_find(const struct mapi_idset *set,
		       const struct mapi_idset_replica *key,
		       unsigned int *idx_r)
{
	unsigned int left = 0, right = set->count, mid;
	int ret;

	while (left < right) {
		mid = left + (right - left) / 2;
		ret = replica_cmp(&set->replicas[mid], key);
		if (ret == 0) {
			*idx_r = mid;
			return true;
		}
		if (ret < 0)
			left = mid + 1;
		else
			right = mid;
	}
	*idx_r = left;
	return false;
}

static struct mapi_globset *idset_get(struct mapi_idset *set,
				      const struct mapi_idset_replica *key)
{
	struct mapi_idset_replica *replicas;
	struct mapi_globset *globset;
	unsigned int idx;

	if (idset_find(set, key, &idx))
		return set->replicas[idx].set;
	replicas = talloc_realloc(set, set->replicas,
				  struct mapi_idset_replica, set->count + 1);
	if (replicas == NULL)
		return NULL;
	set->replicas = replicas;
	globset = mapi_globset_new(set);
	if (globset == NULL)
		return NULL;
	memmove(replicas + idx + 1, replicas + idx,
		(set->count - idx) * sizeof(*replicas));
	replicas[idx] = *key;
	replicas[idx].set = globset;
	set->count++;
	return globset;
}

static struct mapi_idset_replica
replica_key(uint16_t replid, const struct mapi_guid *guid)
{
	struct mapi_idset_replica key;

	memset(&key, 0, sizeof(key));
	key.replid = replid;
	if (guid != NULL)
		key.guid = *guid;
	return key;
}

struct mapi_globset *mapi_idset_replid(struct mapi_idset *set, uint16_t replid)
{
	struct mapi_idset_replica key = replica_key(replid, NULL);

	return set->by_guid ? NULL : idset_get(set, &key);
}

struct mapi_globset *mapi_idset_guid(struct mapi_idset *set,
				     const struct mapi_guid *guid)
{
	struct mapi_idset_replica key = replica_key(0, guid);

	return !set->by_guid ? NULL : idset_get(set, &key);
}

static const struct mapi_globset *
idset_lookup(const struct mapi_idset *set, bool by_guid,
	     const struct mapi_idset_replica *key)
{
	unsigned int idx;

	return set->by_guid == by_guid && idset_find(set, key, &idx) ?
		set->replicas[idx].set : NULL;
}

const struct mapi_globset *
mapi_idset_find_replid(const struct mapi_idset *set, uint16_t replid)
{
	struct mapi_idset_replica key = replica_key(replid, NULL);

	return idset_lookup(set, false, &key);
}

const struct mapi_globset *
mapi_idset_find_guid(const struct mapi_idset *set,
		     const struct mapi_guid *guid)
{
	struct mapi_idset_replica key = replica_key(0, guid);

	return idset_lookup(set, true, &key);
}

bool mapi_idset_add_id(struct mapi_idset *set, mapi_id_t id)
{
	struct mapi_globset *globset =
		mapi_idset_replid(set, MAPI_ID_REPLID(id));

	return globset != NULL &&
		mapi_globset_add(globset, MAPI_ID_GLOBCNT(id),
				 MAPI_ID_GLOBCNT(id));
}

bool mapi_idset_contains_id(const struct mapi_idset *set, mapi_id_t id)
{
	const struct mapi_globset *globset =
		mapi_idset_find_replid(set, MAPI_ID_REPLID(id));

	return globset != NULL &&
		mapi_globset_contains(globset, MAPI_ID_GLOBCNT(id));
}

bool mapi_idset_is_empty(const struct mapi_idset *set)
{
	unsigned int i;

	for (i = 0; i < set->count; i++) {
		if (set->replicas[i].set->count > 0)
			return false;
	}
	return true;
}

/* everything of a that isn't empty is in b */
static bool idset_matches(const struct mapi_idset *a,
			  const struct mapi_idset *b)
{
	unsigned int i, idx;

	for (i = 0; i < a->count; i++) {
		if (a->replicas[i].set->count == 0)
			continue;
		if (!idset_find(b, &a->replicas[i], &idx) ||
		    !mapi_globset_equal(a->replicas[i].set,
					b->replicas[idx].set))
			return false;
	}
	return true;
}

bool mapi_idset_equal(const struct mapi_idset *a, const struct mapi_idset *b)
{
	return a->by_guid == b->by_guid && idset_matches(a, b) &&
		idset_matches(b, a);
}

struct mapi_idset *mapi_idset_dup(TALLOC_CTX *mem,
				  const struct mapi_idset *set)
{
	struct mapi_idset *dup = mapi_idset_new(mem, set->by_guid);

	if (dup != NULL && !mapi_idset_union(dup, set)) {
		talloc_free(dup);
		return NULL;
	}
	return dup;
}

bool mapi_idset_union(struct mapi_idset *set, const struct mapi_idset *other)
{
	struct mapi_globset *globset;
	unsigned int i;

	if (set->by_guid != other->by_guid)
		return false;
	for (i = 0; i < other->count; i++) {
		globset = idset_get(set, &other->replicas[i]);
		if (globset == NULL ||
		    !mapi_globset_union(globset, other->replicas[i].set))
			return false;
	}
	return true;
}

bool mapi_idset_subtract(struct mapi_idset *set,
			 const struct mapi_idset *other)
{
	unsigned int i, idx;

	if (set->by_guid != other->by_guid)
		return false;
	for (i = 0; i < other->count; i++) {
		if (idset_find(set, &other->replicas[i], &idx) &&
		    !mapi_globset_subtract(set->replicas[idx].set,
					   other->replicas[i].set))
			return false;
	}
	return true;
}

/* --- codec ---------------------------------------------------------------- */

static int replica_qsort_cmp(const void *p1, const void *p2)
{
	return replica_cmp(p1, p2);
}

/* Order, and one set per replica */
static bool idset_normalize(struct mapi_idset *set)
{
	unsigned int i, out = 0;

	if (set->count == 0)
		return true;
	qsort(set->replicas, set->count, sizeof(*set->replicas),
	      replica_qsort_cmp);
	for (i = 1; i < set->count; i++) {
		if (replica_cmp(&set->replicas[i], &set->replicas[out]) != 0) {
			set->replicas[++out] = set->replicas[i];
			continue;
		}
		if (!mapi_globset_union(set->replicas[out].set,
					set->replicas[i].set))
			return false;
		talloc_free(set->replicas[i].set);
	}
	set->count = out + 1;
	return true;
}

static bool idset_pull(struct mapi_pull *pull, struct mapi_idset *set)
{
	unsigned int allocated = 0;
	struct mapi_idset_replica *replica;

	while (mapi_pull_left(pull) > 0) {
		if (set->count == allocated) {
			allocated = allocated == 0 ? 4 : allocated * 2;
			replica = talloc_realloc(set, set->replicas,
						 struct mapi_idset_replica,
						 allocated);
			if (replica == NULL)
				return false;
			set->replicas = replica;
		}
		replica = &set->replicas[set->count];
		memset(replica, 0, sizeof(*replica));
		if (set->by_guid)
			mapi_pull_guid(pull, &replica->guid);
		else
			replica->replid = mapi_pull_u16(pull);
		replica->set = mapi_pull_globset(pull, set);
		if (replica->set == NULL)
			return false;
		set->count++;
	}
	return mapi_pull_ok(pull) && idset_normalize(set);
}

struct mapi_idset *mapi_idset_decode(TALLOC_CTX *mem, bool by_guid,
				     const void *data, size_t size)
{
	struct mapi_idset *set = mapi_idset_new(mem, by_guid);
	struct mapi_pull pull;

	if (set == NULL)
		return NULL;
	mapi_pull_init(&pull, set, data, size);
	if (!idset_pull(&pull, set)) {
		talloc_free(set);
		return NULL;
	}
	return set;
}

struct mapi_binary mapi_idset_encode(TALLOC_CTX *mem,
				     const struct mapi_idset *set)
{
	struct mapi_binary bin = { 0, NULL };
	struct mapi_push push;
	unsigned int i;

	mapi_push_init(&push, mem, UINT32_MAX);
	for (i = 0; i < set->count; i++) {
		const struct mapi_idset_replica *replica = &set->replicas[i];

		if (replica->set->count == 0)
			continue;
		if (set->by_guid)
			(void)mapi_push_guid(&push, &replica->guid);
		else
			(void)mapi_push_u16(&push, replica->replid);
		(void)mapi_push_globset(&push, replica->set);
	}
	if (!mapi_push_ok(&push)) {
		talloc_free(push.data);
		return bin;
	}
	bin.len = (uint32_t)push.size;
	bin.data = push.data != NULL ? push.data : (const uint8_t *)"";
	return bin;
}
