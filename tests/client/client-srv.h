/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_SRV_H
#define CLIENT_SRV_H

/* DNS service records, RFC 2782 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define CLIENT_SRV_MAX_HOSTS 8

struct client_srv_host {
	uint16_t priority, weight, port;
	/* without the dot at its end */
	const char *name;
};

/* Asks DNS for the records of a name ("_autodiscover._tcp.example.org").
   Returns how many there are, in the order in which they are to be tried (of
   the same priority the one of greater weight first); 0 if there are none or
   the service isn't offered; -1 with *error_r set if DNS can't be asked. At most
   CLIENT_SRV_MAX_HOSTS; what they point to is on mem. */
int client_srv_lookup(TALLOC_CTX *mem, const char *name,
		      struct client_srv_host *hosts_r, const char **error_r);
/* The same of a DNS message. -1 if it's malformed. */
int client_srv_parse(TALLOC_CTX *mem, const uint8_t *data, size_t size,
		     struct client_srv_host *hosts_r);

#endif
