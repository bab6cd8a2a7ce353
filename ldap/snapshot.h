/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

/* Reading snapshots of the directory: immutable files that are mapped into
   memory, so all processes share it and starting costs nothing. mapi-directory
   writes them (snapshot-build.h).

   A file is checked once when it is opened; later nothing in it is believed
   without a bounds check either, so a damaged one gives wrong answers at worst.

   Objects are known by MId, [MS-OXNSPI] 2.2.9.1: 0x10 and up, below 0x80000000,
   stable for the snapshot's lineage. Address lists have MIds, too: those that
   are always there (all users, all groups...) and containers of the
   directory. The global address list is container 0.

   What is returned points into the snapshot and lives as long as it, unless
   told otherwise. */

#include "directory-object.h"

#define SNAPSHOT_MID_FIRST 0x10
/* container id of the global address list */
#define SNAPSHOT_GAL 0

struct snapshot;

struct snapshot_info {
	/* Constant as long as MIds are: the ServerGuid of Bind */
	struct mapi_guid lineage;
	/* grows by one with each file of the lineage */
	uint64_t generation;
	time_t build_time;
	/* people, groups etc., not address lists */
	uint32_t objects_count;
	uint64_t file_size;
	/* as given to snapshot_builder_write() */
	const void *cookie;
	size_t cookie_size;
};

/* Returns 1, 0 if there's no such file, -1 with an error. */
int snapshot_open(const char *path, struct snapshot **snapshot_r,
		  const char **error_r);
void snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot **snapshot);
const struct snapshot_info *snapshot_info(const struct snapshot *snapshot);
/* TRUE if path is another file by now. Costs a stat(). */
bool snapshot_is_stale(const struct snapshot *snapshot);

/* --- objects --------------------------------------------------------------- */

struct snapshot_object {
	const struct snapshot *snapshot;
	uint32_t mid;
	enum directory_kind kind;
	enum directory_hide hide;
	const unsigned char *id;	/* [DIRECTORY_ID_SIZE] */
	const char *dn;
	const char *display_name;
	const char *username;		/* NULL if none */
	const char *address;		/* NULL if none */
	const char *legacy_dn;
	unsigned int addresses_count, props_count;
	/* the snapshot's own */
	const void *priv;
};

/* Any object, also containers of the directory and the lists that are always
   there (kind DIRECTORY_CONTAINER). FALSE if there's none with this MId. */
bool snapshot_get(const struct snapshot *snapshot, uint32_t mid,
		  struct snapshot_object *object_r);
/* SMTP address number idx, the primary one is 0 */
const char *snapshot_object_address(const struct snapshot_object *object,
				    unsigned int idx);
/* Tag of stored property number idx */
uint32_t snapshot_object_tag(const struct snapshot_object *object,
			     unsigned int idx);
/* A stored property, by property id (the type is ignored). FALSE if it hasn't
   got it. Arrays of multi-values are on mem, what they point to isn't. */
bool snapshot_object_property(const struct snapshot_object *object,
			      uint32_t tag, TALLOC_CTX *mem,
			      struct mapi_value *value_r);
/* The objects that it refers to by forward links of this tag, in the order of
   the directory; those that aren't in the snapshot are left out. The array is
   on mem. Returns their number. */
unsigned int
snapshot_object_links(const struct snapshot_object *object, uint32_t tag,
		      TALLOC_CTX *mem, const uint32_t **mids_r);
/* The objects that refer to it by links of this tag, in display name order */
unsigned int
snapshot_object_backlinks(const struct snapshot_object *object, uint32_t tag,
			  TALLOC_CTX *mem, const uint32_t **mids_r);

/* Returns the MId, or 0. Without case where the thing is without case. */
uint32_t snapshot_find_id(const struct snapshot *snapshot,
			  const unsigned char id[]);
/* dn is normalised */
uint32_t snapshot_find_dn(const struct snapshot *snapshot, const char *dn);
uint32_t snapshot_find_legacy_dn(const struct snapshot *snapshot,
				 const char *legacy_dn);
uint32_t snapshot_find_address(const struct snapshot *snapshot,
			       const char *address);
uint32_t snapshot_find_username(const struct snapshot *snapshot,
				const char *username);

/* --- address lists ----------------------------------------------------------- */

struct snapshot_list {
	/* container id: SNAPSHOT_GAL or a MId */
	uint32_t mid;
	/* of the list above; SNAPSHOT_GAL for those of the first level */
	uint32_t parent;
	unsigned int depth;
	bool has_children;
	/* "" for the global address list */
	const char *name;
	uint32_t count;
};

/* Depth first, the global address list first */
unsigned int snapshot_lists_count(const struct snapshot *snapshot);
void snapshot_list_get(const struct snapshot *snapshot, unsigned int idx,
		       struct snapshot_list *list_r);

/* The rows of an address list in display name order. */
struct snapshot_table {
	const struct snapshot *snapshot;
	/* number of rows */
	uint32_t count;
	/* the snapshot's own */
	const void *rows, *order;
	unsigned int locale;
};
/* lcid: Windows' locale id; FALSE if there's no such container. */
bool snapshot_table_open(const struct snapshot *snapshot, uint32_t container,
			 uint32_t lcid, struct snapshot_table *table_r);
/* idx < count */
uint32_t snapshot_table_mid(const struct snapshot_table *table, uint32_t idx);
/* FALSE if it isn't in the table. O(log n) */
bool snapshot_table_find(const struct snapshot_table *table, uint32_t mid,
			 uint32_t *idx_r);
/* The first row whose display name isn't before name; count if all are.
   O(log n) */
uint32_t snapshot_table_seek(const struct snapshot_table *table,
			     const char *name);
/* Sorts MIds by display name as tables of this locale are; those that don't
   exist are dropped. Returns how many are left. */
unsigned int snapshot_sort(const struct snapshot *snapshot, uint32_t lcid,
			   uint32_t *mids, unsigned int count);

/* --- names -------------------------------------------------------------------- */

/* Ambiguous name resolution, [MS-OXNSPI] 3.1.1.6 (which leaves the rules to the
   server): objects of which every word of name is the beginning of a word of
   the display name, an address, the username or an ANR property, without regard
   to case and accents; "=name" wants a whole value. Something with "SMTP:" or an
   @ in front is an address, and found if it is one's.
   Those that are hidden by any bit of hide are left out, except where an
   address is given. Returns the number of matches, at most max, in mids_r.
   An object whose whole display name, address or username equals name is
   the only match. */
unsigned int
snapshot_resolve(const struct snapshot *snapshot, const char *name,
		 enum directory_hide hide, uint32_t *mids_r, unsigned int max);

#endif
