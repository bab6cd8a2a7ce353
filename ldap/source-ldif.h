/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_LDIF_H
#define SOURCE_LDIF_H

/* A directory in an LDIF file (RFC 2849), for sites without a directory server.
   Only content records: an address book isn't a log of changes. The file is
   read again when it changes; a broken one is reported by line and leaves what
   has been read before. */

#include "directory-source.h"

/* Larger files aren't read. */
#define LDIF_MAX_SIZE (1024 * 1024 * 1024)

/* Parses the whole of data. Returns 0, or -1 and an error that begins with the
   number of the line, on the data stack; then callback has not been called for
   anything. Entries given to the callback are valid during it. */
int ldif_parse(const unsigned char *data, size_t size,
	       void (*callback)(void *context,
				const struct directory_entry *entry),
	       void *context, const char **error_r);

/* Reads the file as soon as the ioloop runs, and looks every second whether it
   has changed. event is referenced. */
struct directory_source *
directory_source_ldif_init(const char *path, struct event *event,
			   const struct directory_source_callbacks *callbacks,
			   void *context);

#endif
