/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SNAPSHOT_BUILD_H
#define SNAPSHOT_BUILD_H

/* Writing snapshots of the directory (snapshot.h reads them). There's one
   writer, mapi-directory; it writes a new file and renames it over the old
   one, so that readers see the old or the new whole, and a restart begins with
   what there was.

   A builder begins with the snapshot that there is, if any. Objects keep the
   MIds that they have in it; MIds of objects that are gone aren't used again.
   Writing after a few changes costs little more than copying the file. */

#include "directory-object.h"

struct snapshot;
struct snapshot_builder;

struct snapshot_settings {
	/* the file; its folder must exist */
	const char *path;
	/* NULL-terminated BCP 47 locales to have sort orders for; the first is
	   used for locales that aren't among them */
	const char *const *locales;
	/* NULL-terminated: tags of the string properties by which names are
	   resolved besides display name, addresses and username */
	const uint32_t *anr_tags;
	unsigned int anr_tags_count;
};

/* Opens the file if it exists and was written with the same settings. If it
   is damaged that is logged, and the builder starts a new lineage. */
struct snapshot_builder *
snapshot_builder_init(const struct snapshot_settings *set);
void snapshot_builder_deinit(struct snapshot_builder **builder);

/* The snapshot that is in the file; NULL if there's none yet. It's the
   builder's: snapshot_ref() it to keep it longer than to the next write. */
struct snapshot *snapshot_builder_current(struct snapshot_builder *builder);

/* Adds an object or replaces the one of the same id. It's copied. */
void snapshot_builder_update(struct snapshot_builder *builder,
			     const struct directory_object *object);
void snapshot_builder_remove(struct snapshot_builder *builder,
			     const unsigned char id[]);
/* The object hasn't changed, if there's one of this id. */
void snapshot_builder_present(struct snapshot_builder *builder,
			      const unsigned char id[]);
/* A whole new reading of the directory: what isn't updated until
   snapshot_builder_refresh_end() is removed then. A refresh that fails half-way
   is aborted; its updates stay, nothing is removed. */
void snapshot_builder_refresh_begin(struct snapshot_builder *builder);
void snapshot_builder_refresh_end(struct snapshot_builder *builder);
void snapshot_builder_refresh_abort(struct snapshot_builder *builder);

/* Number of changes since the last write */
unsigned int snapshot_builder_changes(const struct snapshot_builder *builder);
/* cookie: opaque state of the source up to which the snapshot is complete
   (e.g. the synchronisation cookie of RFC 4533), kept in the file. Returns 0,
   or -1 with an error, then the old file is untouched and the changes are
   kept for the next try. */
int snapshot_builder_write(struct snapshot_builder *builder,
			   const void *cookie, size_t cookie_size,
			   const char **error_r);

#endif
