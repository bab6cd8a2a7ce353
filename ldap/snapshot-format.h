/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SNAPSHOT_FORMAT_H
#define SNAPSHOT_FORMAT_H

/* The snapshot file, in host byte order: it never leaves the machine.

   An object is a chunk: a struct snapshot_chunk and all that belongs to it,
   with offsets from the chunk's start, so that a chunk can be copied from file
   to file as it is. A chunk begins with its size and ends with a NUL, so every
   string in it is terminated. Objects are numbered by slots, which are never
   used again in a lineage; slot 0 is MId SNAPSHOT_MID_FIRST. The arrays beside
   the chunks know objects only by slot and places in them by the offset in the
   chunk, so what concerns unchanged objects can be taken over when the next
   file is written. Chunks are in the first locale's order: a page of the
   address list is in one piece of the file. */

#include "snapshot.h"

#define SNAPSHOT_MAGIC "MAPIADBK"
#define SNAPSHOT_VERSION 2
#define SNAPSHOT_MAX_LOCALES 16
#define SNAPSHOT_LOCALE_LEN 32
/* MIds have to stay below 0x80000000 */
#define SNAPSHOT_MAX_SLOTS 0x7fffff00U

enum snapshot_section {
	/* uint64_t: where a slot's chunk is, 0 if its object is gone */
	SNAPSHOT_SLOTS,
	/* struct snapshot_key, ascending */
	SNAPSHOT_BY_ID,
	SNAPSHOT_BY_DN,
	SNAPSHOT_BY_LEGACY_DN,
	SNAPSHOT_BY_ADDRESS,
	SNAPSHOT_BY_USERNAME,
	/* struct snapshot_backlink, ascending */
	SNAPSHOT_BACKLINKS,
	/* struct snapshot_token in the order of their texts */
	SNAPSHOT_TOKENS,
	/* uint64_t: for each slot the bits of its object's words */
	SNAPSHOT_WORDS,
	/* struct snapshot_list_rec */
	SNAPSHOT_LISTS,
	/* uint32_t: lists' rows, see snapshot_list_rec */
	SNAPSHOT_ROWS,
	/* uint32_t: for each locale, all objects' slots in its order */
	SNAPSHOT_ORDER,
	/* uint32_t: for each locale and slot its place in SNAPSHOT_ORDER */
	SNAPSHOT_RANKS,
	/* the source's cookie */
	SNAPSHOT_COOKIE,
	SNAPSHOT_SECTION_COUNT
};

struct snapshot_header {
	char magic[8];
	uint32_t version;
	uint32_t header_size;
	/* of this header with this field 0 */
	uint32_t crc;
	uint32_t locales_count;
	uint64_t file_size;
	uint64_t generation;
	int64_t build_time;
	/* of the settings that chunks depend on */
	uint64_t settings_hash;
	struct mapi_guid lineage;
	uint32_t objects_count;
	uint32_t reserved;
	char locales[SNAPSHOT_MAX_LOCALES][SNAPSHOT_LOCALE_LEN];
	struct {
		uint64_t offset, count;
	} sections[SNAPSHOT_SECTION_COUNT];
};

struct snapshot_chunk {
	uint32_t size;
	uint32_t slot;
	uint8_t kind, hide;
	/* one of the lists that are always there */
	uint8_t builtin;
	uint8_t reserved;
	unsigned char id[DIRECTORY_ID_SIZE];
	/* strings; 0 if there's none */
	uint32_t dn, display_name, username, legacy_dn;
	/* arrays: uint32_t strings, struct snapshot_prop, snapshot_link,
	   uint32_t folded strings */
	uint32_t addresses, addresses_count;
	uint32_t props, props_count;
	uint32_t links, links_count;
	uint32_t folded, folded_count;
};

/* value: PTYP_INTEGER32 and PTYP_BOOLEAN the value itself, strings their
   offset, binaries that of a uint32_t length and the bytes; of multi-values
   the offset of a uint32_t count and as many offsets */
struct snapshot_prop {
	uint32_t tag, value;
};
struct snapshot_link {
	uint64_t dn_hash;
	uint32_t tag, reserved;
};
struct snapshot_key {
	uint64_t hash;
	uint32_t slot, reserved;
};
struct snapshot_backlink {
	uint64_t dn_hash;
	uint32_t tag, slot;
};
struct snapshot_token {
	uint32_t slot, offset;
	/* snapshot_token_head() of the text: most comparisons need no chunk */
	uint64_t head;
};
struct snapshot_list_rec {
	/* SNAPSHOT_GAL or a MId */
	uint32_t mid, parent, depth, has_children;
	uint32_t count;
	/* index in SNAPSHOT_ROWS of the rows in the first locale; those of the
	   next follow after count */
	uint32_t rows;
};

extern const size_t snapshot_section_sizes[SNAPSHOT_SECTION_COUNT];

struct UCollator;

struct snapshot {
	int refcount;
	char *path;
	const unsigned char *map;
	size_t size;
	dev_t dev;
	ino_t ino;
	const struct snapshot_header *header;
	struct snapshot_info info;
	/* opened when needed */
	struct UCollator *collators[SNAPSHOT_MAX_LOCALES];
};

/* The elements of a section; their number is header->sections[].count. */
static inline const void *
snapshot_section(const struct snapshot *snapshot, enum snapshot_section section)
{
	return snapshot->map + snapshot->header->sections[section].offset;
}
static inline uint64_t
snapshot_count(const struct snapshot *snapshot, enum snapshot_section section)
{
	return snapshot->header->sections[section].count;
}

/* NULL if the object is gone or the file is damaged there. */
const struct snapshot_chunk *
snapshot_chunk_get(const struct snapshot *snapshot, uint32_t slot);
/* "" if it's damaged */
const char *snapshot_chunk_str(const struct snapshot_chunk *chunk,
			       uint32_t offset);
/* NULL unless count elements of this size are in the chunk */
const void *snapshot_chunk_array(const struct snapshot_chunk *chunk,
				 uint32_t offset, uint32_t count, size_t size);
/* Range of elements of a section of keys that have this hash */
void snapshot_keys_find(const struct snapshot *snapshot,
			enum snapshot_section section, uint64_t hash,
			uint64_t *first_r, uint64_t *end_r);

/* The first 8 bytes of a text, or as many as it has, as a number: texts whose
   numbers differ are in the order of these. */
uint64_t snapshot_token_head(const char *text);

/* A bit for the 3 bytes that a word begins with, 0 if it's shorter: an object
   whose words don't have the bit has none that begins so. */
uint64_t snapshot_word_bit(const char *word);

/* 64 bits of data; icase: ASCII letters alike */
uint64_t snapshot_hash(const void *data, size_t size, bool icase);
uint64_t snapshot_hash_str(const char *str, bool icase);

/* --- text (snapshot-text.c) ------------------------------------------------- */

/* In the form in which names are compared: compatibility characters
   decomposed, case folded, marks removed, runs of blanks one blank. On the data
   stack. */
const char *snapshot_fold(const char *str);
/* Next beginning of a word behind p in a folded string, NULL if there's none */
const char *snapshot_next_word(const char *p);

/* The locale's own order; what ICU doesn't know is ordered as in the root
   locale. */
struct UCollator *snapshot_collator_open(const char *locale);
void snapshot_collator_close(struct UCollator **coll);
int snapshot_collate(struct UCollator *coll, const char *a, const char *b);
/* Appends a key: comparing keys as bytes is comparing the strings. */
void snapshot_collation_key(struct UCollator *coll, const char *str,
			    buffer_t *dest);
/* The snapshot's own collator of a locale */
struct UCollator *snapshot_collator(const struct snapshot *snapshot,
				    unsigned int locale);
/* Index of the file's locale for a Windows locale id */
unsigned int snapshot_locale(const struct snapshot *snapshot, uint32_t lcid);

#endif
