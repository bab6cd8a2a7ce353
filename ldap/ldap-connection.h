/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LDAP_CONNECTION_H
#define LDAP_CONNECTION_H

/* An authenticated connection to one of several LDAP servers, in the ioloop.
   Only making the TCP connection and the TLS handshake block, at most for the
   timeout each. */

#include <ldap.h>

struct event;
struct ldap_connection;

struct ldap_connection_settings {
	/* NULL-terminated: "ldap://host:port", "ldaps://...",
	   "ldapi://%2Frun%2Fslapd%2Fldapi"; the first that answers is used */
	const char *const *uris;
	/* on ldap:// connections */
	bool starttls;
	/* PEM files and directory; "" = the system's authorities, no
	   certificate of ours */
	const char *ca_file, *ca_dir;
	const char *cert_file, *key_file;
	/* FALSE: whatever certificate the server has is taken */
	bool require_valid_cert;
	/* simple bind; "" = anonymous */
	const char *auth_dn, *password;
	/* "" = simple bind. EXTERNAL and GSSAPI need nothing else; with others
	   auth_dn is the authentication name. */
	const char *sasl_mech, *sasl_realm, *sasl_authz_id;
	/* for connecting, and for each answer to what has been asked */
	unsigned int timeout_secs;
};

struct ldap_connection_callbacks {
	/* Searches can be started now. */
	void (*connected)(void *context);
	/* A message for an operation. It's freed after the call. */
	void (*message)(void *context, LDAPMessage *msg);
	/* Connecting has failed, or the connection was lost. The connection
	   object can connect again. */
	void (*failed)(void *context, const char *reason);
};

struct ldap_connection_search {
	const char *base;
	/* LDAP_SCOPE_... */
	int scope;
	const char *filter;
	/* NULL-terminated */
	const char *const *attributes;
	/* NULL-terminated, or NULL */
	LDAPControl **controls;
};

/* Settings are copied, event is referenced. */
struct ldap_connection *
ldap_connection_init(const struct ldap_connection_settings *set,
		     struct event *event,
		     const struct ldap_connection_callbacks *callbacks,
		     void *context);
void ldap_connection_deinit(struct ldap_connection **conn);

/* Connects to the next server: the first one after a success, or when all have
   failed. Returns at once; callbacks tell what comes of it. */
void ldap_connection_connect(struct ldap_connection *conn);
/* Closes the connection; no callback is called. */
void ldap_connection_disconnect(struct ldap_connection *conn);
/* The server has done what was wanted of it. */
void ldap_connection_succeeded(struct ldap_connection *conn);
/* There's another server that hasn't been tried since the last success. */
bool ldap_connection_has_untried(const struct ldap_connection *conn);

/* Of the server that's connected */
const char *ldap_connection_uri(const struct ldap_connection *conn);
/* NULL if it's not connected */
LDAP *ldap_connection_get(struct ldap_connection *conn);

/* Returns 0 and the id of the operation, or -1 with an error. */
int ldap_connection_search(struct ldap_connection *conn,
			   const struct ldap_connection_search *search,
			   int *msgid_r, const char **error_r);
/* Whether a message is due. If none comes within the timeout, the connection
   has failed. TRUE starts the time again. */
void ldap_connection_expect(struct ldap_connection *conn, bool expect);

/* The result of an operation: LDAP_SUCCESS or another code, and then what the
   server says about it, on the data stack. controls_r is NULL or gets what is
   to be freed by ldap_controls_free(). */
int ldap_connection_result(struct ldap_connection *conn, LDAPMessage *msg,
			   LDAPControl ***controls_r, const char **error_r);

#endif
