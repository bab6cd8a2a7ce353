/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SNAPSHOT_BUILD_PRIVATE_H
#define SNAPSHOT_BUILD_PRIVATE_H

#include "snapshot-build.h"
#include "snapshot-format.h"

struct snapshot_slot {
	/* the object: in the current file, or on the heap if it's new; NULL if
	   it's gone */
	const struct snapshot_chunk *chunk;
	/* not as it is in the current file */
	bool changed;
	/* has been seen in the refresh that is going on */
	bool seen;
};

struct snapshot_builder {
	char *path;
	char **locales;
	unsigned int locales_count;
	uint32_t *anr_tags;
	unsigned int anr_tags_count;
	uint64_t settings_hash;

	struct snapshot *current;
	struct mapi_guid lineage;
	uint64_t generation;

	struct snapshot_slot *slots;
	uint32_t slots_count, slots_alloc;
	/* slot + 1 by id */
	HASH_TABLE(const unsigned char *, void *) by_id;
	unsigned int changes;
	bool refreshing;
};

/* The lists that are always there have ids that no directory gives. Their slots
   are in this order. */
#define SNAPSHOT_BUILTINS_COUNT 4
extern const struct snapshot_builtin {
	const char id[DIRECTORY_ID_SIZE + 1];
	const char *name;
} snapshot_builtins[SNAPSHOT_BUILTINS_COUNT];

/* Makes an object's chunk, which is the caller's to i_free(). */
struct snapshot_chunk *
snapshot_chunk_pack(const struct snapshot_builder *builder,
		    const struct directory_object *object, uint32_t slot,
		    bool builtin);

/* Whether it's in the current file, not on the heap. */
bool snapshot_chunk_is_current(const struct snapshot_builder *builder,
			       const struct snapshot_chunk *chunk);

/* Whether a writer can go on with it: reading is safe in any case, but what is
   merged with new objects must be sorted and complete. Costs about as much as
   reading the file. */
bool snapshot_verify(const struct snapshot *snapshot, const char **error_r);

/* --- arrays beside the chunks (snapshot-arrays.c) --------------------------- */

/* All of them hold what concerns unchanged objects of the current file, merged
   with what concerns changed ones. */
struct snapshot_arrays {
	struct {
		void *data;
		uint64_t count;
	} sections[SNAPSHOT_SECTION_COUNT];
	uint32_t objects_count;
};
void snapshot_arrays_make(const struct snapshot_builder *builder,
			  struct snapshot_arrays *arrays_r);
/* SNAPSHOT_LISTS and SNAPSHOT_ROWS, from SNAPSHOT_ORDER (snapshot-lists.c) */
void snapshot_arrays_make_lists(const struct snapshot_builder *builder,
				struct snapshot_arrays *arrays);
void snapshot_arrays_free(struct snapshot_arrays *arrays);

#endif
