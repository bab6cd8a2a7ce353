/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_LDAP_H
#define SOURCE_LDAP_H

/* A directory in LDAP servers. Changes are followed by content synchronisation
   (RFC 4533, refreshAndPersist) where the server offers it; from others
   everything is read again every now and then. If no server can be reached,
   or one answers nonsense, what has been read before stays, and it's tried
   again for ever. */

#include "directory-source.h"
#include "ldap-connection.h"

enum directory_ldap_follow {
	/* synchronisation if the server offers it */
	DIRECTORY_LDAP_FOLLOW_AUTO,
	DIRECTORY_LDAP_FOLLOW_SYNC,
	DIRECTORY_LDAP_FOLLOW_POLL,
};

struct directory_ldap_settings {
	struct ldap_connection_settings connection;
	/* of the subtree that is read */
	const char *base;
	const char *filter;
	/* NULL-terminated: the attributes that are read */
	const char *const *attributes;
	enum directory_ldap_follow follow;
	/* how often everything is read where changes can't be followed */
	unsigned int refresh_interval_secs;
	/* Something else than these settings by which entries become objects:
	   if it changes, everything is read again. */
	const char *map_fingerprint;
};

/* Begins as soon as the ioloop runs. The cookie is what the last commit() was
   given, if what was committed then is what the callbacks begin with;
   otherwise its size is 0. Settings are copied, event is referenced. */
struct directory_source *
directory_source_ldap_init(const struct directory_ldap_settings *set,
			   const void *cookie, size_t cookie_size,
			   struct event *event,
			   const struct directory_source_callbacks *callbacks,
			   void *context);

#endif
