/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DIRECTORY_MAP_H
#define DIRECTORY_MAP_H

/* The attribute map: which attributes of an entry become which properties,
   and which entries are users, groups, rooms and so on. There are presets for
   the schemas that are common (directory-presets.c); settings change single
   rows of them. */

#include "directory-object.h"

struct directory_entry;
struct directory_map;

struct directory_map_settings {
	/* "inetorgperson", "ad", "freeipa" */
	const char *preset;
	/* "" or changes to the preset: "PidTagTitle=title personalTitle" rows
	   separated by ';'. "PidTagTitle=" drops one. */
	const char *attributes;
	/* attribute with the user's name in Dovecot; "" = the preset's */
	const char *username_attribute;
	/* organisation in legacyExchangeDNs that are made up */
	const char *organization;
};

/* Returns 0, or -1 and an error on the data stack. */
int directory_map_init(const struct directory_map_settings *set,
		       struct directory_map **map_r, const char **error_r);
void directory_map_deinit(struct directory_map **map);

/* NULL-terminated: the attributes that the map looks at */
const char *const *directory_map_attributes(const struct directory_map *map);
/* LDAP filter of entries that may be of the address book */
const char *directory_map_filter(const struct directory_map *map);

/* What the map makes of entries depends on nothing else than this; on the data
   stack. */
const char *directory_map_fingerprint(const struct directory_map *map);

/* By which attributes a property may be written, the first that the entry's
   object class allows: NULL-terminated, on the data stack; NULL if it's of no
   attribute. */
const char *const *
directory_map_write_attributes(const struct directory_map *map, uint32_t tag);

/* Returns 1 and an object on pool, 0 if the entry isn't one of the address
   book, -1 with an error if it should be but can't (no name at all...). Values
   that are wrong (invalid UTF-8 and so on) are mended or dropped. */
int directory_map_entry(const struct directory_map *map,
			const struct directory_entry *entry, pool_t pool,
			struct directory_object *object_r,
			const char **error_r);

/* A form of a DN (RFC 4514) in which equal ones are equal bytes: lower case,
   no spaces around separators, one way of escaping. What isn't a DN is only
   made lower case. On the data stack. */
const char *directory_dn_normalize(const char *dn);

#endif
