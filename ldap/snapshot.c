/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "buffer.h"
#include "crc32.h"
#include "sha2.h"
#include "snapshot-format.h"

#include <fcntl.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>

const size_t snapshot_section_sizes[SNAPSHOT_SECTION_COUNT] = {
	[SNAPSHOT_SLOTS] = sizeof(uint64_t),
	[SNAPSHOT_BY_ID] = sizeof(struct snapshot_key),
	[SNAPSHOT_BY_DN] = sizeof(struct snapshot_key),
	[SNAPSHOT_BY_LEGACY_DN] = sizeof(struct snapshot_key),
	[SNAPSHOT_BY_ADDRESS] = sizeof(struct snapshot_key),
	[SNAPSHOT_BY_USERNAME] = sizeof(struct snapshot_key),
	[SNAPSHOT_BACKLINKS] = sizeof(struct snapshot_backlink),
	[SNAPSHOT_TOKENS] = sizeof(struct snapshot_token),
	[SNAPSHOT_WORDS] = sizeof(uint64_t),
	[SNAPSHOT_LISTS] = sizeof(struct snapshot_list_rec),
	[SNAPSHOT_ROWS] = sizeof(uint32_t),
	[SNAPSHOT_ORDER] = sizeof(uint32_t),
	[SNAPSHOT_RANKS] = sizeof(uint32_t),
	[SNAPSHOT_COOKIE] = 1,
};

/* --- hashes ------------------------------------------------------------------ */

/* FNV-1a, finished by mixing: keys are hashed once for each lookup and the
   strings are compared, so it needs to be quick and no more. */
uint64_t snapshot_hash(const void *data, size_t size, bool icase)
{
	const unsigned char *p = data;
	uint64_t hash = 0xcbf29ce484222325ULL;
	size_t i;

	for (i = 0; i < size; i++) {
		hash ^= icase && p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 :
			p[i];
		hash *= 0x100000001b3ULL;
	}
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15ULL;
	return hash ^ (hash >> 29);
}

uint64_t snapshot_hash_str(const char *str, bool icase)
{
	return snapshot_hash(str, strlen(str), icase);
}

/* --- files ------------------------------------------------------------------- */

static bool
snapshot_check(const struct snapshot *snapshot, const char **error_r)
{
	const struct snapshot_header *header = snapshot->header;
	struct snapshot_header copy;
	unsigned int i;
	uint64_t slots;

	if (snapshot->size < sizeof(*header) ||
	    memcmp(header->magic, SNAPSHOT_MAGIC, sizeof(header->magic)) != 0) {
		*error_r = "It isn't a snapshot of a directory";
		return FALSE;
	}
	if (header->version != SNAPSHOT_VERSION ||
	    header->header_size != sizeof(*header)) {
		*error_r = "It's of another version";
		return FALSE;
	}
	copy = *header;
	copy.crc = 0;
	if (crc32_data(&copy, sizeof(copy)) != header->crc) {
		*error_r = "Its header is damaged";
		return FALSE;
	}
	if (header->file_size != snapshot->size) {
		*error_r = "It's truncated";
		return FALSE;
	}
	for (i = 0; i < SNAPSHOT_SECTION_COUNT; i++) {
		if (header->sections[i].offset > snapshot->size ||
		    header->sections[i].offset % 8 != 0 ||
		    header->sections[i].count >
		    (snapshot->size - header->sections[i].offset) /
		    snapshot_section_sizes[i]) {
			*error_r = "A section is outside of it";
			return FALSE;
		}
	}
	slots = header->sections[SNAPSHOT_SLOTS].count;
	if (header->locales_count == 0 ||
	    header->locales_count > SNAPSHOT_MAX_LOCALES ||
	    slots > SNAPSHOT_MAX_SLOTS ||
	    header->sections[SNAPSHOT_RANKS].count !=
	    slots * header->locales_count ||
	    header->sections[SNAPSHOT_WORDS].count != slots ||
	    header->sections[SNAPSHOT_LISTS].count == 0) {
		*error_r = "Its header contradicts itself";
		return FALSE;
	}
	for (i = 0; i < header->locales_count; i++) {
		if (header->locales[i][SNAPSHOT_LOCALE_LEN - 1] != '\0') {
			*error_r = "A locale in its header is damaged";
			return FALSE;
		}
	}
	return TRUE;
}

static void snapshot_fill_info(struct snapshot *snapshot)
{
	const struct snapshot_header *header = snapshot->header;

	snapshot->info.lineage = header->lineage;
	snapshot->info.generation = header->generation;
	snapshot->info.build_time = header->build_time;
	snapshot->info.objects_count = header->objects_count;
	snapshot->info.file_size = header->file_size;
	snapshot->info.cookie = snapshot_section(snapshot, SNAPSHOT_COOKIE);
	snapshot->info.cookie_size = snapshot_count(snapshot, SNAPSHOT_COOKIE);
}

static int
snapshot_map(int fd, struct snapshot *snapshot, const char **error_r)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0) {
		*error_r = t_strdup_printf("fstat() failed: %m");
		return -1;
	}
	if (st.st_size < (off_t)sizeof(struct snapshot_header)) {
		*error_r = "It's too short for a snapshot of a directory";
		return -1;
	}
	map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		*error_r = t_strdup_printf("mmap(%"PRIuUOFF_T" bytes) failed: "
			"%m%s", st.st_size, errno != ENOMEM ? "" :
			" (the service's vsz_limit may be too low)");
		return -1;
	}
	snapshot->map = map;
	snapshot->size = st.st_size;
	snapshot->dev = st.st_dev;
	snapshot->ino = st.st_ino;
	snapshot->header = map;
	return snapshot_check(snapshot, error_r) ? 0 : -1;
}

int snapshot_open(const char *path, struct snapshot **snapshot_r,
		  const char **error_r)
{
	struct snapshot *snapshot;
	int fd, ret;

	*snapshot_r = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		if (errno == ENOENT)
			return 0;
		*error_r = t_strdup_printf("open(%s) failed: %m", path);
		return -1;
	}
	snapshot = i_new(struct snapshot, 1);
	snapshot->refcount = 1;
	snapshot->path = i_strdup(path);
	ret = snapshot_map(fd, snapshot, error_r);
	i_close_fd(&fd);
	if (ret < 0) {
		*error_r = t_strdup_printf("%s: %s", path, *error_r);
		snapshot_unref(&snapshot);
		return -1;
	}
	snapshot_fill_info(snapshot);
	*snapshot_r = snapshot;
	return 1;
}

void snapshot_ref(struct snapshot *snapshot)
{
	i_assert(snapshot->refcount > 0);
	snapshot->refcount++;
}

void snapshot_unref(struct snapshot **_snapshot)
{
	struct snapshot *snapshot = *_snapshot;

	*_snapshot = NULL;
	i_assert(snapshot->refcount > 0);
	if (--snapshot->refcount > 0)
		return;
	for (unsigned int i = 0; i < SNAPSHOT_MAX_LOCALES; i++)
		snapshot_collator_close(&snapshot->collators[i]);
	if (snapshot->map != NULL)
		(void)munmap((void *)snapshot->map, snapshot->size);
	i_free(snapshot->path);
	i_free(snapshot);
}

const struct snapshot_info *snapshot_info(const struct snapshot *snapshot)
{
	return &snapshot->info;
}

bool snapshot_is_stale(const struct snapshot *snapshot)
{
	struct stat st;

	/* one that has been removed is as good as ever */
	return stat(snapshot->path, &st) == 0 &&
		(st.st_ino != snapshot->ino || st.st_dev != snapshot->dev);
}

/* --- chunks ------------------------------------------------------------------ */

const struct snapshot_chunk *
snapshot_chunk_get(const struct snapshot *snapshot, uint32_t slot)
{
	const uint64_t *slots = snapshot_section(snapshot, SNAPSHOT_SLOTS);
	const struct snapshot_chunk *chunk;
	uint64_t offset;

	if (slot >= snapshot_count(snapshot, SNAPSHOT_SLOTS))
		return NULL;
	offset = slots[slot];
	if (offset == 0 || offset % 8 != 0 ||
	    offset > snapshot->size - sizeof(*chunk))
		return NULL;
	chunk = (const void *)(snapshot->map + offset);
	if (chunk->size <= sizeof(*chunk) ||
	    chunk->size > snapshot->size - offset || chunk->slot != slot ||
	    chunk->kind >= DIRECTORY_KIND_COUNT ||
	    ((const char *)chunk)[chunk->size - 1] != '\0')
		return NULL;
	return chunk;
}

const char *snapshot_chunk_str(const struct snapshot_chunk *chunk,
			       uint32_t offset)
{
	return offset < chunk->size ? (const char *)chunk + offset : "";
}

const void *snapshot_chunk_array(const struct snapshot_chunk *chunk,
				 uint32_t offset, uint32_t count, size_t size)
{
	/* what is larger than a number begins with 64 bits */
	if (offset > chunk->size || offset % I_MIN(size, 8) != 0 ||
	    count > (chunk->size - offset) / size)
		return NULL;
	return (const char *)chunk + offset;
}

static const char *
snapshot_chunk_opt(const struct snapshot_chunk *chunk, uint32_t offset)
{
	return offset == 0 ? NULL : snapshot_chunk_str(chunk, offset);
}

bool snapshot_get(const struct snapshot *snapshot, uint32_t mid,
		  struct snapshot_object *object_r)
{
	const struct snapshot_chunk *chunk;

	i_zero(object_r);
	if (mid < SNAPSHOT_MID_FIRST)
		return FALSE;
	chunk = snapshot_chunk_get(snapshot, mid - SNAPSHOT_MID_FIRST);
	if (chunk == NULL)
		return FALSE;
	object_r->snapshot = snapshot;
	object_r->mid = mid;
	object_r->kind = chunk->kind;
	object_r->hide = chunk->hide;
	object_r->id = chunk->id;
	object_r->dn = snapshot_chunk_str(chunk, chunk->dn);
	object_r->display_name = snapshot_chunk_str(chunk, chunk->display_name);
	object_r->username = snapshot_chunk_opt(chunk, chunk->username);
	object_r->legacy_dn = snapshot_chunk_str(chunk, chunk->legacy_dn);
	if (snapshot_chunk_array(chunk, chunk->addresses,
				 chunk->addresses_count,
				 sizeof(uint32_t)) != NULL)
		object_r->addresses_count = chunk->addresses_count;
	if (snapshot_chunk_array(chunk, chunk->props, chunk->props_count,
				 sizeof(struct snapshot_prop)) != NULL)
		object_r->props_count = chunk->props_count;
	object_r->priv = chunk;
	if (object_r->addresses_count > 0)
		object_r->address = snapshot_object_address(object_r, 0);
	return TRUE;
}

const char *snapshot_object_address(const struct snapshot_object *object,
				    unsigned int idx)
{
	const struct snapshot_chunk *chunk = object->priv;
	const uint32_t *strings = (const void *)((const char *)chunk +
						 chunk->addresses);

	i_assert(idx < object->addresses_count);
	return snapshot_chunk_str(chunk, strings[idx]);
}

static const struct snapshot_prop *
snapshot_object_props(const struct snapshot_object *object)
{
	const struct snapshot_chunk *chunk = object->priv;

	return (const void *)((const char *)chunk + chunk->props);
}

uint32_t snapshot_object_tag(const struct snapshot_object *object,
			     unsigned int idx)
{
	i_assert(idx < object->props_count);
	return snapshot_object_props(object)[idx].tag;
}

static bool
snapshot_read_binary(const struct snapshot_chunk *chunk, uint32_t offset,
		     struct mapi_binary *bin_r)
{
	const uint32_t *len = snapshot_chunk_array(chunk, offset, 1,
						   sizeof(*len));

	if (len == NULL || *len > chunk->size - offset - sizeof(*len))
		return FALSE;
	bin_r->len = *len;
	bin_r->data = (const uint8_t *)(len + 1);
	return TRUE;
}

static bool
snapshot_read_multi(const struct snapshot_chunk *chunk, uint32_t offset,
		    TALLOC_CTX *mem, struct mapi_value *value)
{
	const uint32_t *count, *offsets;
	uint32_t i;

	count = snapshot_chunk_array(chunk, offset, 1, sizeof(*count));
	if (count == NULL)
		return FALSE;
	offsets = snapshot_chunk_array(chunk, offset + sizeof(*count), *count,
				       sizeof(*offsets));
	if (offsets == NULL)
		return FALSE;
	value->u.mv.count = *count;
	if (value->type == PTYP_MULTIPLE_STRING) {
		value->u.mv.v.str = talloc_array(mem, const char *, *count);
		for (i = 0; i < *count && value->u.mv.v.str != NULL; i++) {
			value->u.mv.v.str[i] =
				snapshot_chunk_str(chunk, offsets[i]);
		}
		return value->u.mv.v.str != NULL;
	}
	value->u.mv.v.bin = talloc_array(mem, struct mapi_binary, *count);
	if (value->u.mv.v.bin == NULL)
		return FALSE;
	for (i = 0; i < *count; i++) {
		if (!snapshot_read_binary(chunk, offsets[i],
					  &value->u.mv.v.bin[i]))
			return FALSE;
	}
	return TRUE;
}

bool snapshot_object_property(const struct snapshot_object *object,
			      uint32_t tag, TALLOC_CTX *mem,
			      struct mapi_value *value_r)
{
	const struct snapshot_chunk *chunk = object->priv;
	const struct snapshot_prop *props = snapshot_object_props(object);
	unsigned int i;

	for (i = 0; i < object->props_count; i++) {
		if (MAPI_TAG_ID(props[i].tag) == MAPI_TAG_ID(tag))
			break;
	}
	if (i == object->props_count)
		return FALSE;
	i_zero(value_r);
	value_r->type = MAPI_TAG_TYPE(props[i].tag);
	switch (value_r->type) {
	case PTYP_INTEGER32:
		value_r->u.i32 = props[i].value;
		return TRUE;
	case PTYP_BOOLEAN:
		value_r->u.b = props[i].value != 0;
		return TRUE;
	case PTYP_STRING:
		value_r->u.str = snapshot_chunk_str(chunk, props[i].value);
		return TRUE;
	case PTYP_BINARY:
		return snapshot_read_binary(chunk, props[i].value,
					    &value_r->u.bin);
	case PTYP_MULTIPLE_STRING:
	case PTYP_MULTIPLE_BINARY:
		return snapshot_read_multi(chunk, props[i].value, mem, value_r);
	}
	return FALSE;
}

/* --- finding ------------------------------------------------------------------ */

static uint64_t
snapshot_keys_bound(const struct snapshot_key *keys, uint64_t count,
		    uint64_t hash, bool after)
{
	uint64_t left = 0, right = count, mid;

	while (left < right) {
		mid = left + (right - left) / 2;
		if (keys[mid].hash < hash || (after && keys[mid].hash == hash))
			left = mid + 1;
		else
			right = mid;
	}
	return left;
}

void snapshot_keys_find(const struct snapshot *snapshot,
			enum snapshot_section section, uint64_t hash,
			uint64_t *first_r, uint64_t *end_r)
{
	const struct snapshot_key *keys = snapshot_section(snapshot, section);
	uint64_t count = snapshot_count(snapshot, section);

	*first_r = snapshot_keys_bound(keys, count, hash, FALSE);
	*end_r = snapshot_keys_bound(keys, count, hash, TRUE);
}

static bool
snapshot_chunk_has_address(const struct snapshot_chunk *chunk,
			   const char *address)
{
	const uint32_t *strings =
		snapshot_chunk_array(chunk, chunk->addresses,
				     chunk->addresses_count, sizeof(*strings));

	for (uint32_t i = 0; strings != NULL && i < chunk->addresses_count;
	     i++) {
		if (strcasecmp(snapshot_chunk_str(chunk, strings[i]),
			       address) == 0)
			return TRUE;
	}
	return FALSE;
}

static bool
snapshot_chunk_is(const struct snapshot_chunk *chunk,
		  enum snapshot_section section, const char *value)
{
	switch (section) {
	case SNAPSHOT_BY_ID:
		return memcmp(chunk->id, value, sizeof(chunk->id)) == 0;
	case SNAPSHOT_BY_DN:
		return strcmp(snapshot_chunk_str(chunk, chunk->dn),
			      value) == 0;
	case SNAPSHOT_BY_LEGACY_DN:
		return strcasecmp(snapshot_chunk_str(chunk, chunk->legacy_dn),
				  value) == 0;
	case SNAPSHOT_BY_USERNAME:
		return chunk->username != 0 &&
			strcasecmp(snapshot_chunk_str(chunk, chunk->username),
				   value) == 0;
	case SNAPSHOT_BY_ADDRESS:
		return snapshot_chunk_has_address(chunk, value);
	default:
		i_unreached();
	}
}

static uint32_t
snapshot_find(const struct snapshot *snapshot, enum snapshot_section section,
	      uint64_t hash, const char *value)
{
	const struct snapshot_key *keys = snapshot_section(snapshot, section);
	const struct snapshot_chunk *chunk;
	uint64_t i, end;

	snapshot_keys_find(snapshot, section, hash, &i, &end);
	for (; i < end; i++) {
		chunk = snapshot_chunk_get(snapshot, keys[i].slot);
		if (chunk != NULL && snapshot_chunk_is(chunk, section, value))
			return keys[i].slot + SNAPSHOT_MID_FIRST;
	}
	return 0;
}

uint32_t snapshot_find_id(const struct snapshot *snapshot,
			  const unsigned char id[])
{
	return snapshot_find(snapshot, SNAPSHOT_BY_ID,
			     snapshot_hash(id, DIRECTORY_ID_SIZE, FALSE),
			     (const char *)id);
}

uint32_t snapshot_find_dn(const struct snapshot *snapshot, const char *dn)
{
	return snapshot_find(snapshot, SNAPSHOT_BY_DN,
			     snapshot_hash_str(dn, FALSE), dn);
}

uint32_t snapshot_find_legacy_dn(const struct snapshot *snapshot,
				 const char *legacy_dn)
{
	return snapshot_find(snapshot, SNAPSHOT_BY_LEGACY_DN,
			     snapshot_hash_str(legacy_dn, TRUE), legacy_dn);
}

uint32_t snapshot_find_address(const struct snapshot *snapshot,
			       const char *address)
{
	return snapshot_find(snapshot, SNAPSHOT_BY_ADDRESS,
			     snapshot_hash_str(address, TRUE), address);
}

uint32_t snapshot_find_username(const struct snapshot *snapshot,
				const char *username)
{
	return snapshot_find(snapshot, SNAPSHOT_BY_USERNAME,
			     snapshot_hash_str(username, TRUE), username);
}

/* --- links -------------------------------------------------------------------- */

/* The slot of the object with this DN, UINT32_MAX if there's none. Links have
   only the DN's hash: 64 bits of it are as good as the DN. */
static uint32_t snapshot_dn_slot(const struct snapshot *snapshot, uint64_t hash)
{
	const struct snapshot_key *keys =
		snapshot_section(snapshot, SNAPSHOT_BY_DN);
	uint64_t first, end;

	snapshot_keys_find(snapshot, SNAPSHOT_BY_DN, hash, &first, &end);
	if (first == end ||
	    snapshot_chunk_get(snapshot, keys[first].slot) == NULL)
		return UINT32_MAX;
	return keys[first].slot;
}

unsigned int
snapshot_object_links(const struct snapshot_object *object, uint32_t tag,
		      TALLOC_CTX *mem, const uint32_t **mids_r)
{
	const struct snapshot_chunk *chunk = object->priv;
	const struct snapshot_link *links;
	unsigned int count = 0;
	uint32_t *mids, slot, i;

	*mids_r = NULL;
	links = snapshot_chunk_array(chunk, chunk->links, chunk->links_count,
				     sizeof(*links));
	if (links == NULL || chunk->links_count == 0)
		return 0;
	mids = talloc_array(mem, uint32_t, chunk->links_count);
	for (i = 0; i < chunk->links_count && mids != NULL; i++) {
		if (MAPI_TAG_ID(links[i].tag) != MAPI_TAG_ID(tag))
			continue;
		slot = snapshot_dn_slot(object->snapshot, links[i].dn_hash);
		if (slot != UINT32_MAX)
			mids[count++] = slot + SNAPSHOT_MID_FIRST;
	}
	*mids_r = mids;
	return count;
}

static uint64_t
snapshot_backlinks_bound(const struct snapshot *snapshot, uint64_t hash)
{
	const struct snapshot_backlink *backlinks =
		snapshot_section(snapshot, SNAPSHOT_BACKLINKS);
	uint64_t left = 0, right = snapshot_count(snapshot, SNAPSHOT_BACKLINKS);
	uint64_t mid;

	while (left < right) {
		mid = left + (right - left) / 2;
		if (backlinks[mid].dn_hash < hash)
			left = mid + 1;
		else
			right = mid;
	}
	return left;
}

unsigned int
snapshot_object_backlinks(const struct snapshot_object *object, uint32_t tag,
			  TALLOC_CTX *mem, const uint32_t **mids_r)
{
	const struct snapshot *snapshot = object->snapshot;
	const struct snapshot_backlink *backlinks =
		snapshot_section(snapshot, SNAPSHOT_BACKLINKS);
	uint64_t hash = snapshot_hash_str(object->dn, FALSE);
	uint64_t first, end;
	uint32_t *mids;
	unsigned int count = 0;

	*mids_r = NULL;
	first = snapshot_backlinks_bound(snapshot, hash);
	end = hash == UINT64_MAX ?
		snapshot_count(snapshot, SNAPSHOT_BACKLINKS) :
		snapshot_backlinks_bound(snapshot, hash + 1);
	if (first >= end)
		return 0;
	mids = talloc_array(mem, uint32_t, end - first);
	for (; first < end && mids != NULL; first++) {
		if (MAPI_TAG_ID(backlinks[first].tag) == MAPI_TAG_ID(tag)) {
			mids[count++] = backlinks[first].slot +
				SNAPSHOT_MID_FIRST;
		}
	}
	*mids_r = mids;
	return snapshot_sort(snapshot, 0, mids, count);
}
