/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LDAP_SYNC_H
#define LDAP_SYNC_H

/* The values of the controls and messages of content synchronisation (RFC
   4533). What is returned is on the data stack. */

#include "mapi-value.h"

struct berval;

#define LDAP_SYNC_UUID_SIZE 16

/* as the protocol numbers them, RFC 4533 section 2.3 */
enum ldap_sync_state {
	LDAP_SYNC_STATE_PRESENT = 0,
	LDAP_SYNC_STATE_ADD = 1,
	LDAP_SYNC_STATE_MODIFY = 2,
	LDAP_SYNC_STATE_DELETE = 3,
};

/* Sync State Control, which every entry of a synchronisation has */
struct ldap_sync_entry {
	enum ldap_sync_state state;
	unsigned char uuid[LDAP_SYNC_UUID_SIZE];
	/* data == NULL: none */
	struct mapi_binary cookie;
};

enum ldap_sync_info_type {
	LDAP_SYNC_INFO_NEW_COOKIE,
	/* A phase of the refresh has ended: entries that are gone have been
	   told, the others are there ... */
	LDAP_SYNC_INFO_REFRESH_DELETE,
	/* ... or entries that haven't been told of are gone. */
	LDAP_SYNC_INFO_REFRESH_PRESENT,
	LDAP_SYNC_INFO_ID_SET,
};

/* Sync Info Message, RFC 4533 section 2.5 */
struct ldap_sync_info {
	enum ldap_sync_info_type type;
	/* data == NULL: none */
	struct mapi_binary cookie;
	/* after REFRESH_DELETE and REFRESH_PRESENT: the refresh is complete */
	bool refresh_done;
	/* of an ID_SET: these are gone (otherwise they are there) */
	bool deleted;
	/* [uuids_count * LDAP_SYNC_UUID_SIZE] */
	const unsigned char *uuids;
	unsigned int uuids_count;
};

/* The value of a Sync Request Control (section 2.2) of mode refreshAndPersist.
   cookie == NULL: none. */
struct mapi_binary ldap_sync_request(const struct mapi_binary *cookie);

/* Both return 0, or -1 and why the value isn't what it should be. */
int ldap_sync_entry_parse(const struct berval *value,
			  struct ldap_sync_entry *entry_r,
			  const char **error_r);
int ldap_sync_info_parse(const struct berval *value,
			 struct ldap_sync_info *info_r, const char **error_r);

#endif
