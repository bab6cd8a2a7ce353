/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "randgen.h"
#include "strfuncs.h"
#include "snapshot-build-private.h"

/* --- slots -------------------------------------------------------------------- */

static unsigned int snapshot_id_hash(const unsigned char *id)
{
	return snapshot_hash(id, DIRECTORY_ID_SIZE, FALSE);
}

static int snapshot_id_cmp(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, DIRECTORY_ID_SIZE);
}

static bool
snapshot_slot_find(struct snapshot_builder *builder, const unsigned char *id,
		   uint32_t *slot_r)
{
	void *value = hash_table_lookup(builder->by_id, id);

	if (value == NULL)
		return FALSE;
	*slot_r = POINTER_CAST_TO(value, uint32_t) - 1;
	return TRUE;
}

static uint32_t snapshot_slot_add(struct snapshot_builder *builder)
{
	uint32_t count;

	if (builder->slots_count == builder->slots_alloc) {
		count = I_MAX(1024, builder->slots_alloc * 2);
		builder->slots = i_realloc_type(builder->slots,
			struct snapshot_slot, builder->slots_alloc, count);
		builder->slots_alloc = count;
	}
	if (builder->slots_count >= SNAPSHOT_MAX_SLOTS)
		i_fatal("The directory's address book has no free MIds");
	return builder->slots_count++;
}

bool
snapshot_chunk_is_current(const struct snapshot_builder *builder,
			  const struct snapshot_chunk *chunk)
{
	const unsigned char *p = (const void *)chunk;

	return builder->current != NULL && p >= builder->current->map &&
		p < builder->current->map + builder->current->size;
}

static void
snapshot_slot_clear(struct snapshot_builder *builder, uint32_t slot)
{
	struct snapshot_slot *s = &builder->slots[slot];
	void *chunk = (void *)s->chunk;

	if (chunk == NULL)
		return;
	hash_table_remove(builder->by_id, (const unsigned char *)s->chunk->id);
	if (!snapshot_chunk_is_current(builder, chunk))
		i_free(chunk);
	s->chunk = NULL;
	s->changed = TRUE;
}

static void
snapshot_slot_set(struct snapshot_builder *builder, uint32_t slot,
		  struct snapshot_chunk *chunk)
{
	struct snapshot_slot *s = &builder->slots[slot];

	snapshot_slot_clear(builder, slot);
	s->chunk = chunk;
	s->changed = TRUE;
	hash_table_insert(builder->by_id, (const unsigned char *)chunk->id,
			  POINTER_CAST(slot + 1));
}

/* --- setup -------------------------------------------------------------------- */

const struct snapshot_builtin snapshot_builtins[SNAPSHOT_BUILTINS_COUNT] = {
	{ "mapi-list-user\x01\x01", "All Users" },
	{ "mapi-list-grup\x01\x02", "All Groups" },
	{ "mapi-list-cont\x01\x03", "All Contacts" },
	{ "mapi-list-room\x01\x04", "All Rooms" },
};

static void snapshot_builder_add_builtins(struct snapshot_builder *builder)
{
	struct directory_object object;
	uint32_t slot;

	for (unsigned int i = 0; i < SNAPSHOT_BUILTINS_COUNT; i++) {
		i_zero(&object);
		memcpy(object.id, snapshot_builtins[i].id, sizeof(object.id));
		if (snapshot_slot_find(builder, object.id, &slot))
			continue;
		object.kind = DIRECTORY_CONTAINER;
		object.dn = "";
		object.display_name = snapshot_builtins[i].name;
		object.legacy_dn = "";
		slot = snapshot_slot_add(builder);
		snapshot_slot_set(builder, slot,
			snapshot_chunk_pack(builder, &object, slot, TRUE));
		builder->changes++;
	}
}

/* What chunks and arrays depend on; a file made with other settings can't be
   gone on with. */
static uint64_t
snapshot_settings_hash(const struct snapshot_builder *builder)
{
	uint64_t hash;

	hash = snapshot_hash(builder->anr_tags, sizeof(*builder->anr_tags) *
			     builder->anr_tags_count, FALSE);
	for (unsigned int i = 0; i < builder->locales_count; i++) {
		hash = hash * 31 + snapshot_hash_str(builder->locales[i],
						     TRUE);
	}
	return hash;
}

static void snapshot_builder_load(struct snapshot_builder *builder)
{
	const struct snapshot *current = builder->current;
	uint64_t count = snapshot_count(current, SNAPSHOT_SLOTS);
	struct snapshot_slot *s;
	uint32_t slot;

	builder->lineage = current->info.lineage;
	builder->generation = current->info.generation;
	while (builder->slots_count < count) {
		slot = snapshot_slot_add(builder);
		s = &builder->slots[slot];
		s->chunk = snapshot_chunk_get(current, slot);
		if (s->chunk != NULL) {
			hash_table_update(builder->by_id,
				(const unsigned char *)s->chunk->id,
				POINTER_CAST(slot + 1));
		}
	}
}

struct snapshot_builder *
snapshot_builder_init(const struct snapshot_settings *set)
{
	struct snapshot_builder *builder;
	const char *error;

	builder = i_new(struct snapshot_builder, 1);
	builder->path = i_strdup(set->path);
	builder->locales_count = I_MIN(str_array_length(set->locales),
				       SNAPSHOT_MAX_LOCALES);
	i_assert(builder->locales_count > 0);
	builder->locales = i_new(char *, builder->locales_count);
	for (unsigned int i = 0; i < builder->locales_count; i++) {
		builder->locales[i] = i_strndup(set->locales[i],
						SNAPSHOT_LOCALE_LEN - 1);
	}
	builder->anr_tags_count = set->anr_tags_count;
	builder->anr_tags = i_new(uint32_t, set->anr_tags_count + 1);
	if (set->anr_tags_count > 0) {
		memcpy(builder->anr_tags, set->anr_tags,
		       sizeof(*set->anr_tags) * set->anr_tags_count);
	}
	builder->settings_hash = snapshot_settings_hash(builder);
	hash_table_create(&builder->by_id, default_pool, 0, snapshot_id_hash,
			  snapshot_id_cmp);

	if (snapshot_open(builder->path, &builder->current, &error) < 0)
		i_error("Can't go on with the last snapshot: %s", error);
	if (builder->current != NULL &&
	    (builder->current->header->settings_hash !=
	     builder->settings_hash ||
	     builder->current->header->locales_count !=
	     builder->locales_count))
		snapshot_unref(&builder->current);
	if (builder->current != NULL &&
	    !snapshot_verify(builder->current, &error)) {
		i_error("Can't go on with the last snapshot: %s: %s",
			builder->path, error);
		snapshot_unref(&builder->current);
	}
	if (builder->current != NULL)
		snapshot_builder_load(builder);
	else
		random_fill(&builder->lineage, sizeof(builder->lineage));
	snapshot_builder_add_builtins(builder);
	return builder;
}

void snapshot_builder_deinit(struct snapshot_builder **_builder)
{
	struct snapshot_builder *builder = *_builder;
	uint32_t slot;

	*_builder = NULL;
	for (slot = 0; slot < builder->slots_count; slot++)
		snapshot_slot_clear(builder, slot);
	hash_table_destroy(&builder->by_id);
	i_free(builder->slots);
	if (builder->current != NULL)
		snapshot_unref(&builder->current);
	for (unsigned int i = 0; i < builder->locales_count; i++)
		i_free(builder->locales[i]);
	i_free(builder->locales);
	i_free(builder->anr_tags);
	i_free(builder->path);
	i_free(builder);
}

struct snapshot *snapshot_builder_current(struct snapshot_builder *builder)
{
	return builder->current;
}

/* --- changes ------------------------------------------------------------------ */

void snapshot_builder_update(struct snapshot_builder *builder,
			     const struct directory_object *object)
{
	struct snapshot_chunk *chunk;
	struct snapshot_slot *s;
	uint32_t slot;

	if (!snapshot_slot_find(builder, object->id, &slot))
		slot = snapshot_slot_add(builder);
	else if (builder->slots[slot].chunk->builtin != 0) {
		/* a directory that lies */
		return;
	}
	chunk = snapshot_chunk_pack(builder, object, slot, FALSE);
	s = &builder->slots[slot];
	s->seen = TRUE;
	/* A refresh tells everything again; most of it is as it was. */
	if (s->chunk != NULL && s->chunk->size == chunk->size &&
	    memcmp(s->chunk, chunk, chunk->size) == 0) {
		i_free(chunk);
		return;
	}
	snapshot_slot_set(builder, slot, chunk);
	builder->changes++;
}

void snapshot_builder_remove(struct snapshot_builder *builder,
			     const unsigned char id[])
{
	uint32_t slot;

	if (!snapshot_slot_find(builder, id, &slot) ||
	    builder->slots[slot].chunk->builtin != 0)
		return;
	snapshot_slot_clear(builder, slot);
	builder->changes++;
}

void snapshot_builder_present(struct snapshot_builder *builder,
			      const unsigned char id[])
{
	uint32_t slot;

	if (snapshot_slot_find(builder, id, &slot))
		builder->slots[slot].seen = TRUE;
}

void snapshot_builder_refresh_begin(struct snapshot_builder *builder)
{
	for (uint32_t slot = 0; slot < builder->slots_count; slot++)
		builder->slots[slot].seen = FALSE;
	builder->refreshing = TRUE;
}

void snapshot_builder_refresh_end(struct snapshot_builder *builder)
{
	struct snapshot_slot *s;

	i_assert(builder->refreshing);
	builder->refreshing = FALSE;
	for (uint32_t slot = 0; slot < builder->slots_count; slot++) {
		s = &builder->slots[slot];
		if (s->chunk != NULL && !s->seen && s->chunk->builtin == 0) {
			snapshot_slot_clear(builder, slot);
			builder->changes++;
		}
	}
}

void snapshot_builder_refresh_abort(struct snapshot_builder *builder)
{
	builder->refreshing = FALSE;
}

unsigned int snapshot_builder_changes(const struct snapshot_builder *builder)
{
	return builder->changes;
}
