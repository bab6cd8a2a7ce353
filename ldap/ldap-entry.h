/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LDAP_ENTRY_H
#define LDAP_ENTRY_H

/* Entries as libldap gives them, made entries of a directory source */

#include "directory-source.h"

#include <ldap.h>

/* Active Directory gives only the first 1,500 or so values of an attribute,
   with the option "range=0-1499"; the others must be asked for. */
struct ldap_entry_range {
	/* NULL: all values are there */
	const char *attribute;
	/* number of the first value that's missing */
	unsigned int next;
};

/* Reads a LDAP_RES_SEARCH_ENTRY. Everything is allocated from pool; values are
   copied. Options of attributes are dropped: of those with a language tag, the
   attribute without is what counts. Returns 0, or -1 if the entry can't be
   decoded. */
int ldap_entry_read(LDAP *ld, LDAPMessage *msg, pool_t pool,
		    struct directory_entry *entry_r,
		    struct ldap_entry_range *range_r, const char **error_r);

/* The attribute of an entry that ldap_entry_read() has made, by its name in
   lower case; NULL if it has none */
struct directory_attribute *
ldap_entry_find(struct directory_entry *entry, const char *attribute);

#endif
