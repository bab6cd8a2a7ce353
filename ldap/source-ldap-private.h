/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCE_LDAP_PRIVATE_H
#define SOURCE_LDAP_PRIVATE_H

#include "source-ldap.h"

#define DIRECTORY_LDAP_FINGERPRINT_SIZE 16

struct directory_ldap_pending;

struct directory_ldap {
	struct directory_source source;
	pool_t pool;
	struct directory_ldap_settings set;
	struct ldap_connection *conn;
	struct timeout *to_retry, *to_probe;
	unsigned int retry_secs;
	/* refresh_begin() has been called, not yet how it ended */
	bool refreshing;
	bool connected;

	/* what this server can do */
	int rootdse_msgid;
	bool can_sync, can_page;

	/* The state up to which everything has been told: fingerprint of the
	   settings, then the server's cookie; empty = none */
	buffer_t *cookie;
	unsigned char fingerprint[DIRECTORY_LDAP_FINGERPRINT_SIZE];

	/* synchronisation */
	int sync_msgid, probe_msgid;
	/* it was begun without a cookie */
	bool sync_full;
	/* the refresh is complete, changes follow */
	bool sync_persist;
	/* seen during the refresh, valid when that's complete */
	buffer_t *sync_cookie;

	/* polling */
	int poll_msgid;
	buffer_t *page_cookie;
	unsigned int empty_pages, page_entries;
	/* entries of this page of which values are missing */
	pool_t pending_pool;
	struct directory_ldap_pending *pending;
	int pending_msgid;
};

/* Ends the connection. It's tried again later, or at another server. */
void directory_ldap_failed(struct directory_ldap *ldap, const char *reason);
/* Everything has been read. */
void directory_ldap_succeeded(struct directory_ldap *ldap);
/* The callbacks, only once each */
void directory_ldap_refresh_begin(struct directory_ldap *ldap);
void directory_ldap_refresh_end(struct directory_ldap *ldap);
void directory_ldap_refresh_abort(struct directory_ldap *ldap);
/* Starts a search for entries. */
int directory_ldap_search(struct directory_ldap *ldap, LDAPControl *control,
			  int *msgid_r, const char **error_r);

/* source-ldap-sync.c */
void directory_ldap_sync_start(struct directory_ldap *ldap);
void directory_ldap_sync_message(struct directory_ldap *ldap,
				 LDAPMessage *msg);

/* source-ldap-poll.c */
void directory_ldap_poll_start(struct directory_ldap *ldap);
void directory_ldap_poll_message(struct directory_ldap *ldap,
				 LDAPMessage *msg);
/* Forgets what hasn't been read to its end. */
void directory_ldap_poll_reset(struct directory_ldap *ldap);

#endif
