/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOOKUP_H
#define LOOKUP_H

/* The lookup socket: who an address, a distinguished name or a username
   belongs to. For the processes that serve mail (addressbook-client.h); what
   they are told is what anybody sees in the address book, and objects that are
   hidden in it are found as well, as they are by their address there.

   Lines of tab-separated, tab-escaped fields, after a handshake as Dovecot's
   services have it ("VERSION\tmapi-addressbook-lookup\t1\t0"):

     LOOKUP <id> address|legacy-dn|username <value>

   is answered by one of

     OK <id> dn=... name=... [address=...] [username=...] type=... object=...
       [delegate=...]...
     NOTFOUND <id>

   in the order of the questions, of which any number may be sent at once. id is
   a number of the client's; type and object are PidTagDisplayType and
   PidTagObjectType. Fields that a client doesn't know it ignores. Who sends
   anything else is disconnected. */

#include "mapi-directory.h"

struct snapshot;

#define LOOKUP_SERVICE_NAME "mapi-addressbook-lookup"

/* Fills *object_r with strings that live until the next call or are on the data
   stack; FALSE if there's nobody. */
typedef bool lookup_find_t(enum mapi_directory_key key, const char *value,
			   struct mapi_directory_object *object_r);

/* destroyed is called when a connection has ended. */
void lookup_connections_init(lookup_find_t *find, void (*destroyed)(void));
void lookup_connections_deinit(void);
/* Takes over fd. */
void lookup_connection_create(int fd);
unsigned int lookup_connections_count(void);

/* To find something in a snapshot, which may be NULL */
bool lookup_snapshot_find(const struct snapshot *snapshot,
			  enum mapi_directory_key key, const char *value,
			  struct mapi_directory_object *object_r);

#endif
