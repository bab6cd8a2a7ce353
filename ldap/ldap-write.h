/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LDAP_WRITE_H
#define LDAP_WRITE_H

/* Changes of entries with the rights of somebody else, by Proxied Authorization
   (RFC 4370): the server decides whether our account may act for that user and
   what that user may change. One after the other, over a connection that is
   made when there's something to do. */

#include "ldap-connection.h"
#include "mapi-value.h"

struct ldap_write;

enum ldap_write_op {
	LDAP_WRITE_ADD,
	LDAP_WRITE_DELETE,
	/* no values: none are left */
	LDAP_WRITE_REPLACE,
};

struct ldap_write_change {
	/* A value that is there already may be added, if the server knows of
	   that (permissive modify, [MS-ADTS] 3.1.1.3.4.1.8; not critical). */
	enum ldap_write_op op;
	/* with its options */
	const char *attribute;
	const struct mapi_binary *values;
	unsigned int count;
};

/* code: LDAP_SUCCESS, or the server's or the library's error, of which error
   says more. */
typedef void ldap_write_callback_t(void *context, int code, const char *error);

/* Settings are copied, event is referenced. */
struct ldap_write *
ldap_write_init(const struct ldap_connection_settings *set,
		struct event *event);
/* Changes that aren't done fail with LDAP_USER_CANCELLED. */
void ldap_write_deinit(struct ldap_write **write);

/* Changes the entry dn with the rights of as_dn, all of it or nothing. What it
   needs is copied. The callback is called later. */
void ldap_write_modify(struct ldap_write *write, const char *as_dn,
		       const char *dn, const struct ldap_write_change *changes,
		       unsigned int count, ldap_write_callback_t *callback,
		       void *context);

#endif
