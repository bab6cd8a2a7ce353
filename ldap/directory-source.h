/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DIRECTORY_SOURCE_H
#define DIRECTORY_SOURCE_H

/* Where the directory's entries come from: an LDAP server, an LDIF file. A
   source runs in mapi-directory's ioloop for as long as the process lives,
   reads everything, follows changes, and tells what it sees by callbacks.
   It tries again by itself if its server can't be reached, and logs that. */

#include "directory-object.h"

struct event;
struct directory_map;

struct directory_attribute {
	/* lower case, without options such as ";binary" */
	const char *name;
	/* [count] as the directory has them: any bytes */
	const struct mapi_binary *values;
	unsigned int count;
};

/* An entry as the directory has it, valid during the callback */
struct directory_entry {
	const char *dn;
	/* the entryUUID, if the source knows it; otherwise the map takes it
	   from an attribute or makes it of the DN */
	const unsigned char *id;
	/* in any order, no name twice */
	const struct directory_attribute *attributes;
	unsigned int attributes_count;
};

struct directory_source_callbacks {
	/* All entries follow as if there had been none; those that aren't
	   among them are gone when refresh_end is called. */
	void (*refresh_begin)(void *context);
	void (*refresh_end)(void *context);
	/* The refresh has failed half-way: nothing is gone. */
	void (*refresh_abort)(void *context);
	/* A new or changed entry */
	void (*entry)(void *context, const struct directory_entry *entry);
	/* During a refresh: the entry is there, as it was told before. By
	   DIRECTORY_ID_SIZE bytes, only from sources that give ids */
	void (*present)(void *context, const unsigned char *id);
	/* as well by its id */
	void (*removed)(void *context, const unsigned char *id);
	/* What has been told until now is consistent: a good moment to write
	   it. cookie is to be given to the source when it is started again
	   from what is written. */
	void (*commit)(void *context, const void *cookie, size_t cookie_size);
};

struct directory_source;

struct directory_source_vfuncs {
	/* Ends everything; no callback is called any more. */
	void (*deinit)(struct directory_source *source);
	/* Look for changes now, e.g. because an administrator has asked. */
	void (*refresh)(struct directory_source *source);
};

struct directory_source {
	struct directory_source_vfuncs v;
	const struct directory_source_callbacks *callbacks;
	void *context;
	struct event *event;
};

#endif
