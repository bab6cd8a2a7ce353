/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "guid.h"
#include "mail-user.h"
#include "mapi-store-private.h"

/* Replica ids and the GLOBCNTs that clients reserve.

   A store has one map of replica ids for all of its sessions, in the allocation
   log: 5 is its own replica, as in Exchange, others are foreign GUIDs that
   clients brought (ids of other stores, ids that they made). 1 to 4 are
   Exchange's own and don't exist here.

   GLOBCNTs for clients come from blocks 0xF000 to 0xFFFE, seen as one region of
   17 million million, from below. */

#define REPLID_FIRST_FOREIGN (MAPI_STORE_REPLID + 1)

static const struct mapi_idlog_rec *
replid_find(struct mapi_store *store, uint16_t replid)
{
	const struct mapi_idlog_rec *rec;

	T_BEGIN {
		rec = mapi_idlog_find(store->log, MAPI_LOG_REPLID,
				      t_strdup_printf("%u", replid));
	} T_END;
	return rec;
}

enum mapi_error mapi_store_replid_to_guid(struct mapi_store *store,
					  uint16_t replid,
					  struct mapi_guid *guid_r)
{
	const struct mapi_idlog_rec *rec;
	enum mapi_error ret;

	if (replid == MAPI_STORE_REPLID) {
		*guid_r = store->replica_guid;
		return EC_NONE;
	}
	if (replid < REPLID_FIRST_FOREIGN)
		return EC_NOT_FOUND;
	rec = replid_find(store, replid);
	if (rec == NULL) {
		ret = mapi_idlog_refresh(store->log);
		if (ret != EC_NONE)
			return ret;
		rec = replid_find(store, replid);
	}
	return rec != NULL && mapi_guid_from_hex(rec->value, guid_r) ?
		EC_NONE : EC_NOT_FOUND;
}

/* Returns the replid of a GUID, or 0 and the next free one. */
static uint32_t
replid_find_guid(struct mapi_store *store, const char *hex, uint32_t *next_r)
{
	const struct mapi_idlog_rec *rec;
	unsigned int iter = 0;
	uint32_t replid;

	*next_r = REPLID_FIRST_FOREIGN;
	while ((rec = mapi_idlog_next(store->log, MAPI_LOG_REPLID,
				      &iter)) != NULL) {
		if (str_to_uint32(rec->key, &replid) < 0)
			continue;
		if (strcmp(rec->value, hex) == 0)
			return replid;
		if (*next_r <= replid)
			*next_r = replid + 1;
	}
	return 0;
}

static enum mapi_error
replid_allot(struct mapi_store *store, const char *hex, uint16_t *replid_r)
{
	uint32_t replid, next;
	enum mapi_error ret;

	while ((replid = replid_find_guid(store, hex, &next)) == 0) {
		if (next > UINT16_MAX) {
			e_error(store->user->event,
				"mapi: All replica ids have been allotted");
			return EC_NOT_ENOUGH_RESOURCES;
		}
		/* If another session was faster, it's that one's now. */
		ret = mapi_idlog_write_one(store->log, MAPI_IDLOG_CLAIM,
			MAPI_LOG_REPLID, t_strdup_printf("%u", next), hex, NULL,
			"replica id %u of another MAPI store", next);
		if (ret != EC_NONE)
			return ret;
	}
	*replid_r = replid;
	return EC_NONE;
}

enum mapi_error mapi_store_guid_to_replid(struct mapi_store *store,
					  const struct mapi_guid *guid,
					  uint16_t *replid_r)
{
	static const struct mapi_guid zero_guid;
	enum mapi_error ret;

	if (memcmp(guid, &store->replica_guid, sizeof(*guid)) == 0) {
		*replid_r = MAPI_STORE_REPLID;
		return EC_NONE;
	}
	if (memcmp(guid, &zero_guid, sizeof(*guid)) == 0)
		return EC_INVALID_PARAM;
	T_BEGIN {
		ret = replid_allot(store, mapi_guid_to_hex(guid), replid_r);
	} T_END;
	return ret;
}

/* --- reserved ids --------------------------------------------------------- */

/* value of a range record: count, and who claimed it */
static bool range_get_count(const char *value, uint64_t *count_r)
{
	return str_to_uint64(t_strcut(value, ' '), count_r) == 0;
}

static uint64_t range_next(struct mapi_store *store)
{
	const struct mapi_idlog_rec *rec;
	unsigned int iter = 0;
	uint64_t first, count;
	uint64_t next = (uint64_t)MAPI_BLOCK_RESERVED_FIRST << 32;

	while ((rec = mapi_idlog_next(store->log, MAPI_LOG_RANGE,
				      &iter)) != NULL) {
		if (str_to_uint64_hex(rec->key, &first) == 0 &&
		    range_get_count(rec->value, &count) &&
		    next < first + count)
			next = first + count;
	}
	return next;
}

static enum mapi_error
range_reserve(struct mapi_store *store, uint32_t count, uint64_t *first_r)
{
	const struct mapi_idlog_rec *rec;
	guid_128_t guid;
	const char *value;
	enum mapi_error ret;
	uint64_t next;

	/* Two sessions may claim the same start at once: the record in force
	   must tell whose it is. */
	guid_128_generate(guid);
	value = t_strdup_printf("%u %s", count, guid_128_to_string(guid));
	do {
		ret = mapi_idlog_refresh(store->log);
		if (ret != EC_NONE)
			return ret;
		next = range_next(store);
		if (next + count >
		    (uint64_t)(MAPI_BLOCK_RESERVED_LAST + 1) << 32) {
			e_error(store->user->event,
				"mapi: All ids for clients are reserved");
			return EC_NOT_ENOUGH_RESOURCES;
		}
		ret = mapi_idlog_write_one(store->log, MAPI_IDLOG_CLAIM,
			MAPI_LOG_RANGE, t_strdup_printf("%"PRIx64, next), value,
			&rec, "%u numbers reserved for an Outlook", count);
		if (ret != EC_NONE)
			return ret;
	} while (strcmp(rec->value, value) != 0);
	*first_r = next;
	return EC_NONE;
}

enum mapi_error mapi_store_reserve_ids(struct mapi_store *store,
				       uint32_t count, uint64_t *first_r)
{
	enum mapi_error ret;

	if (count == 0)
		return EC_INVALID_PARAM;
	T_BEGIN {
		ret = range_reserve(store, count, first_r);
	} T_END;
	return ret;
}
