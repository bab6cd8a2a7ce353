/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "snapshot-build-private.h"

/* An object's chunk: where it is and how long, since chunks are copied to the
   next file one after the other. */
static bool
verify_chunk(const struct snapshot *snapshot, uint32_t slot,
	     const struct snapshot_chunk **chunk_r)
{
	const uint64_t *slots = snapshot_section(snapshot, SNAPSHOT_SLOTS);

	*chunk_r = snapshot_chunk_get(snapshot, slot);
	if (*chunk_r == NULL)
		return slots[slot] == 0;
	return (*chunk_r)->size % 8 == 0;
}

/* All lists that are always there, in their order */
static bool
verify_builtin(const struct snapshot_chunk *chunk, unsigned int *count)
{
	for (unsigned int i = 0; i < SNAPSHOT_BUILTINS_COUNT; i++) {
		if (memcmp(chunk->id, snapshot_builtins[i].id,
			   sizeof(chunk->id)) != 0)
			continue;
		if (chunk->builtin == 0 || i != *count ||
		    chunk->kind != DIRECTORY_CONTAINER)
			return FALSE;
		(*count)++;
		return TRUE;
	}
	return chunk->builtin == 0;
}

static bool
verify_chunks(const struct snapshot *snapshot, uint64_t *live_r)
{
	uint64_t count = snapshot_count(snapshot, SNAPSHOT_SLOTS);
	const struct snapshot_chunk *chunk;
	unsigned int builtins = 0;

	*live_r = 0;
	for (uint32_t slot = 0; slot < count; slot++) {
		if (!verify_chunk(snapshot, slot, &chunk))
			return FALSE;
		if (chunk == NULL)
			continue;
		if (!verify_builtin(chunk, &builtins))
			return FALSE;
		(*live_r)++;
	}
	return builtins == SNAPSHOT_BUILTINS_COUNT;
}

/* Every object is found by its id, and no id is there twice. */
static bool verify_ids(const struct snapshot *snapshot, uint64_t live)
{
	const struct snapshot_key *keys =
		snapshot_section(snapshot, SNAPSHOT_BY_ID);
	const struct snapshot_chunk *chunk, *other;

	if (snapshot_count(snapshot, SNAPSHOT_BY_ID) != live)
		return FALSE;
	for (uint64_t i = 0; i < live; i++) {
		chunk = snapshot_chunk_get(snapshot, keys[i].slot);
		if (chunk == NULL || keys[i].hash !=
		    snapshot_hash(chunk->id, sizeof(chunk->id), FALSE))
			return FALSE;
		if (i > 0 && (keys[i - 1].hash > keys[i].hash ||
			      (keys[i - 1].hash == keys[i].hash &&
			       keys[i - 1].slot >= keys[i].slot)))
			return FALSE;
		for (uint64_t j = i; j > 0 && keys[j - 1].hash == keys[i].hash;
		     j--) {
			other = snapshot_chunk_get(snapshot, keys[j - 1].slot);
			if (memcmp(other->id, chunk->id,
				   sizeof(chunk->id)) == 0)
				return FALSE;
		}
	}
	return TRUE;
}

static bool
verify_keys(const struct snapshot *snapshot, enum snapshot_section section)
{
	const struct snapshot_key *keys = snapshot_section(snapshot, section);
	uint64_t count = snapshot_count(snapshot, section);

	for (uint64_t i = 1; i < count; i++) {
		if (keys[i - 1].hash > keys[i].hash)
			return FALSE;
	}
	return TRUE;
}

/* Each locale's order has each object once. */
static bool verify_orders(const struct snapshot *snapshot, uint64_t live)
{
	const uint32_t *order = snapshot_section(snapshot, SNAPSHOT_ORDER);
	uint64_t slots = snapshot_count(snapshot, SNAPSHOT_SLOTS);
	unsigned int locales = snapshot->header->locales_count;
	unsigned char *seen;
	bool ret = TRUE;

	if (snapshot_count(snapshot, SNAPSHOT_ORDER) != live * locales)
		return FALSE;
	seen = i_malloc(slots + 1);
	for (uint64_t i = 0; i < live * locales && ret; i++) {
		/* seen in this locale, not in the one before */
		unsigned char locale = i / live + 1;

		ret = order[i] < slots && seen[order[i]] != locale &&
			snapshot_chunk_get(snapshot, order[i]) != NULL;
		if (ret)
			seen[order[i]] = locale;
	}
	i_free(seen);
	return ret;
}

bool snapshot_verify(const struct snapshot *snapshot, const char **error_r)
{
	uint64_t live;

	if (!verify_chunks(snapshot, &live)) {
		*error_r = "An object in it is damaged";
		return FALSE;
	}
	if (!verify_ids(snapshot, live)) {
		*error_r = "Its objects' ids are damaged";
		return FALSE;
	}
	for (unsigned int i = SNAPSHOT_BY_DN; i <= SNAPSHOT_BY_USERNAME; i++) {
		if (!verify_keys(snapshot, i)) {
			*error_r = "Its keys are damaged";
			return FALSE;
		}
	}
	if (!verify_orders(snapshot, live)) {
		*error_r = "Its objects' order is damaged";
		return FALSE;
	}
	return TRUE;
}
