/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "hash.h"
#include "snapshot-build-private.h"

/* The state of a sort: qsort() passes none. The process has one thread. */
static const struct snapshot_builder *sort_builder;
static struct UCollator *sort_coll;

static bool
snapshot_slot_is_kept(const struct snapshot_builder *builder, uint32_t slot)
{
	return slot < builder->slots_count && !builder->slots[slot].changed &&
		builder->slots[slot].chunk != NULL;
}

/* Merges what the current file has in a section, as far as its objects are
   unchanged, with sorted elements of changed ones. slot_offset: where in an
   element its slot is. */
static void
section_merge(const struct snapshot_builder *builder, buffer_t *added,
	      enum snapshot_section section, size_t slot_offset,
	      int (*cmp)(const void *, const void *),
	      struct snapshot_arrays *arrays)
{
	size_t size = snapshot_section_sizes[section];
	const unsigned char *old = NULL, *new = added->data, *new_end;
	uint64_t old_count = 0, i;
	unsigned char *dest;
	uint32_t slot;

	if (builder->current != NULL) {
		old = snapshot_section(builder->current, section);
		old_count = snapshot_count(builder->current, section);
	}
	new_end = new + added->used;
	qsort(buffer_get_modifiable_data(added, NULL), added->used / size,
	      size, cmp);
	dest = i_malloc(old_count * size + added->used + 1);
	arrays->sections[section].data = dest;
	for (i = 0; i < old_count; i++, old += size) {
		memcpy(&slot, old + slot_offset, sizeof(slot));
		if (!snapshot_slot_is_kept(builder, slot))
			continue;
		while (new < new_end && cmp(new, old) < 0) {
			memcpy(dest, new, size);
			dest += size;
			new += size;
		}
		memcpy(dest, old, size);
		dest += size;
	}
	memcpy(dest, new, new_end - new);
	dest += new_end - new;
	arrays->sections[section].count =
		(dest - (unsigned char *)arrays->sections[section].data) / size;
}

/* --- keys ---------------------------------------------------------------------- */

static int key_cmp(const void *_a, const void *_b)
{
	const struct snapshot_key *a = _a, *b = _b;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->slot < b->slot ? -1 : (a->slot > b->slot ? 1 : 0);
}

static void key_add(buffer_t *keys, uint64_t hash, uint32_t slot)
{
	struct snapshot_key key;

	i_zero(&key);
	key.hash = hash;
	key.slot = slot;
	buffer_append(keys, &key, sizeof(key));
}

static void
key_add_str(buffer_t *keys, const struct snapshot_chunk *chunk,
	    uint32_t offset, bool icase)
{
	const char *str = snapshot_chunk_str(chunk, offset);

	if (offset != 0 && *str != '\0')
		key_add(keys, snapshot_hash_str(str, icase), chunk->slot);
}

static void keys_add_chunk(buffer_t *const *keys,
			   const struct snapshot_chunk *chunk)
{
	const uint32_t *strings;

	key_add(keys[SNAPSHOT_BY_ID],
		snapshot_hash(chunk->id, sizeof(chunk->id), FALSE),
		chunk->slot);
	key_add_str(keys[SNAPSHOT_BY_DN], chunk, chunk->dn, FALSE);
	key_add_str(keys[SNAPSHOT_BY_LEGACY_DN], chunk, chunk->legacy_dn,
		    TRUE);
	key_add_str(keys[SNAPSHOT_BY_USERNAME], chunk, chunk->username, TRUE);
	strings = snapshot_chunk_array(chunk, chunk->addresses,
				       chunk->addresses_count,
				       sizeof(*strings));
	for (uint32_t i = 0; strings != NULL && i < chunk->addresses_count;
	     i++) {
		key_add_str(keys[SNAPSHOT_BY_ADDRESS], chunk, strings[i],
			    TRUE);
	}
}

/* --- links ---------------------------------------------------------------------- */

static int backlink_cmp(const void *_a, const void *_b)
{
	const struct snapshot_backlink *a = _a, *b = _b;

	if (a->dn_hash != b->dn_hash)
		return a->dn_hash < b->dn_hash ? -1 : 1;
	if (a->tag != b->tag)
		return a->tag < b->tag ? -1 : 1;
	return a->slot < b->slot ? -1 : (a->slot > b->slot ? 1 : 0);
}

static void
backlinks_add_chunk(buffer_t *backlinks, const struct snapshot_chunk *chunk)
{
	const struct snapshot_link *links;
	struct snapshot_backlink backlink;

	links = snapshot_chunk_array(chunk, chunk->links, chunk->links_count,
				     sizeof(*links));
	for (uint32_t i = 0; links != NULL && i < chunk->links_count; i++) {
		backlink.dn_hash = links[i].dn_hash;
		backlink.tag = links[i].tag;
		backlink.slot = chunk->slot;
		buffer_append(backlinks, &backlink, sizeof(backlink));
	}
}

/* --- tokens ---------------------------------------------------------------------- */

static const char *token_text(const struct snapshot_token *token)
{
	return snapshot_chunk_str(sort_builder->slots[token->slot].chunk,
				  token->offset);
}

static int token_cmp(const void *_a, const void *_b)
{
	const struct snapshot_token *a = _a, *b = _b;
	int ret;

	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	ret = strcmp(token_text(a), token_text(b));
	if (ret != 0)
		return ret;
	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	return a->offset < b->offset ? -1 : (a->offset > b->offset ? 1 : 0);
}

static void
tokens_add_chunk(buffer_t *tokens, const struct snapshot_chunk *chunk)
{
	const uint32_t *folded;
	const char *p;
	struct snapshot_token token;

	folded = snapshot_chunk_array(chunk, chunk->folded,
				      chunk->folded_count, sizeof(*folded));
	token.slot = chunk->slot;
	for (uint32_t i = 0; folded != NULL && i < chunk->folded_count; i++) {
		p = snapshot_chunk_str(chunk, folded[i]);
		for (; p != NULL; p = snapshot_next_word(p)) {
			token.offset = p - (const char *)chunk;
			token.head = snapshot_token_head(p);
			buffer_append(tokens, &token, sizeof(token));
		}
	}
}

/* --- words ----------------------------------------------------------------------- */

static uint64_t chunk_words(const struct snapshot_chunk *chunk)
{
	const uint32_t *folded;
	uint64_t words = 0;
	const char *p;

	folded = snapshot_chunk_array(chunk, chunk->folded,
				      chunk->folded_count, sizeof(*folded));
	for (uint32_t i = 0; folded != NULL && i < chunk->folded_count; i++) {
		p = snapshot_chunk_str(chunk, folded[i]);
		for (; p != NULL; p = snapshot_next_word(p))
			words |= snapshot_word_bit(p);
	}
	return words;
}

static void
words_make(const struct snapshot_builder *builder,
	   struct snapshot_arrays *arrays)
{
	const uint64_t *old = NULL;
	uint64_t *words = i_new(uint64_t, builder->slots_count + 1);

	if (builder->current != NULL)
		old = snapshot_section(builder->current, SNAPSHOT_WORDS);
	for (uint32_t slot = 0; slot < builder->slots_count; slot++) {
		if (snapshot_slot_is_kept(builder, slot))
			words[slot] = old[slot];
		else if (builder->slots[slot].chunk != NULL)
			words[slot] = chunk_words(builder->slots[slot].chunk);
	}
	arrays->sections[SNAPSHOT_WORDS].data = words;
	arrays->sections[SNAPSHOT_WORDS].count = builder->slots_count;
}

/* --- orders ---------------------------------------------------------------------- */

struct order_key {
	uint32_t slot;
	uint32_t size;
	size_t offset;
};
static const unsigned char *sort_keys;

static const char *slot_name(uint32_t slot)
{
	const struct snapshot_chunk *chunk = sort_builder->slots[slot].chunk;

	return snapshot_chunk_str(chunk, chunk->display_name);
}

static int order_key_cmp(const void *_a, const void *_b)
{
	const struct order_key *a = _a, *b = _b;
	int ret;

	ret = memcmp(sort_keys + a->offset, sort_keys + b->offset,
		     I_MIN(a->size, b->size));
	if (ret != 0)
		return ret;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return a->slot < b->slot ? -1 : 1;
}

/* Slots of changed objects in a locale's order */
static void order_sort_changed(const struct snapshot_builder *builder,
			       buffer_t *slots)
{
	buffer_t *keys = buffer_create_dynamic(default_pool, 65536);
	buffer_t *elems = buffer_create_dynamic(default_pool, 65536);
	struct order_key *elem;
	uint32_t slot;
	size_t i;

	for (slot = 0; slot < builder->slots_count; slot++) {
		if (builder->slots[slot].chunk == NULL ||
		    !builder->slots[slot].changed)
			continue;
		elem = buffer_append_space_unsafe(elems, sizeof(*elem));
		elem->slot = slot;
		elem->offset = keys->used;
		snapshot_collation_key(sort_coll, slot_name(slot), keys);
		elem->size = keys->used - elem->offset;
	}
	sort_keys = keys->data;
	elem = buffer_get_modifiable_data(elems, NULL);
	qsort(elem, elems->used / sizeof(*elem), sizeof(*elem), order_key_cmp);
	for (i = 0; i < elems->used / sizeof(*elem); i++)
		buffer_append(slots, &elem[i].slot, sizeof(elem[i].slot));
	buffer_free(&elems);
	buffer_free(&keys);
}

static int order_cmp(uint32_t a, uint32_t b)
{
	int ret = snapshot_collate(sort_coll, slot_name(a), slot_name(b));

	return ret != 0 ? ret : (a < b ? -1 : 1);
}

/* Where in order the slot belongs */
static uint64_t
order_bound(const uint32_t *order, uint64_t left, uint64_t right, uint32_t slot)
{
	uint64_t mid;

	while (left < right) {
		mid = left + (right - left) / 2;
		if (order_cmp(order[mid], slot) < 0)
			left = mid + 1;
		else
			right = mid;
	}
	return left;
}

static void
order_merge(const struct snapshot_builder *builder, unsigned int locale,
	    const uint32_t *added, size_t added_count, uint32_t *dest,
	    uint64_t dest_count)
{
	const struct snapshot *current = builder->current;
	uint32_t *kept;
	const uint32_t *old;
	uint64_t i, old_count, kept_count = 0, pos = 0, next;

	if (current == NULL) {
		i_assert(added_count == dest_count);
		memcpy(dest, added, added_count * sizeof(*added));
		return;
	}
	old_count = snapshot_count(current, SNAPSHOT_ORDER) /
		builder->locales_count;
	old = (const uint32_t *)snapshot_section(current, SNAPSHOT_ORDER) +
		locale * old_count;
	kept = i_new(uint32_t, old_count + 1);
	for (i = 0; i < old_count; i++) {
		if (snapshot_slot_is_kept(builder, old[i]))
			kept[kept_count++] = old[i];
	}
	i_assert(kept_count + added_count == dest_count);
	for (i = 0; i < added_count; i++) {
		next = order_bound(kept, pos, kept_count, added[i]);
		memcpy(dest, kept + pos, (next - pos) * sizeof(*dest));
		dest += next - pos;
		pos = next;
		*dest++ = added[i];
	}
	memcpy(dest, kept + pos, (kept_count - pos) * sizeof(*dest));
	i_free(kept);
}

static void
orders_make(const struct snapshot_builder *builder, uint64_t live,
	    struct snapshot_arrays *arrays)
{
	uint32_t *order, *ranks;
	unsigned int locale;
	uint64_t i;
	buffer_t *added;

	order = i_new(uint32_t, live * builder->locales_count + 1);
	ranks = i_new(uint32_t, (uint64_t)builder->slots_count *
		      builder->locales_count + 1);
	for (locale = 0; locale < builder->locales_count; locale++) {
		sort_coll = snapshot_collator_open(builder->locales[locale]);
		added = buffer_create_dynamic(default_pool, 65536);
		order_sort_changed(builder, added);
		order_merge(builder, locale, added->data,
			    added->used / sizeof(uint32_t),
			    order + locale * live, live);
		buffer_free(&added);
		snapshot_collator_close(&sort_coll);
		for (i = 0; i < live; i++) {
			ranks[(uint64_t)locale * builder->slots_count +
			      order[locale * live + i]] = i;
		}
	}
	arrays->sections[SNAPSHOT_ORDER].data = order;
	arrays->sections[SNAPSHOT_ORDER].count = live * builder->locales_count;
	arrays->sections[SNAPSHOT_RANKS].data = ranks;
	arrays->sections[SNAPSHOT_RANKS].count =
		(uint64_t)builder->slots_count * builder->locales_count;
}

void snapshot_arrays_make(const struct snapshot_builder *builder,
			  struct snapshot_arrays *arrays_r)
{
	buffer_t *added[SNAPSHOT_SECTION_COUNT];
	const struct snapshot_chunk *chunk;
	unsigned int i;
	uint64_t live = 0;
	uint32_t slot;

	i_zero(arrays_r);
	sort_builder = builder;
	for (i = 0; i < SNAPSHOT_SECTION_COUNT; i++)
		added[i] = buffer_create_dynamic(default_pool, 1024);
	for (slot = 0; slot < builder->slots_count; slot++) {
		chunk = builder->slots[slot].chunk;
		if (chunk == NULL)
			continue;
		live++;
		if (chunk->kind != DIRECTORY_CONTAINER)
			arrays_r->objects_count++;
		if (!builder->slots[slot].changed)
			continue;
		keys_add_chunk(added, chunk);
		backlinks_add_chunk(added[SNAPSHOT_BACKLINKS], chunk);
		tokens_add_chunk(added[SNAPSHOT_TOKENS], chunk);
	}
	for (i = SNAPSHOT_BY_ID; i <= SNAPSHOT_BY_USERNAME; i++) {
		section_merge(builder, added[i], i,
			      offsetof(struct snapshot_key, slot), key_cmp,
			      arrays_r);
	}
	section_merge(builder, added[SNAPSHOT_BACKLINKS], SNAPSHOT_BACKLINKS,
		      offsetof(struct snapshot_backlink, slot), backlink_cmp,
		      arrays_r);
	section_merge(builder, added[SNAPSHOT_TOKENS], SNAPSHOT_TOKENS,
		      offsetof(struct snapshot_token, slot), token_cmp,
		      arrays_r);
	for (i = 0; i < SNAPSHOT_SECTION_COUNT; i++)
		buffer_free(&added[i]);
	words_make(builder, arrays_r);
	orders_make(builder, live, arrays_r);
	snapshot_arrays_make_lists(builder, arrays_r);
}

void snapshot_arrays_free(struct snapshot_arrays *arrays)
{
	for (unsigned int i = 0; i < SNAPSHOT_SECTION_COUNT; i++)
		i_free(arrays->sections[i].data);
}
