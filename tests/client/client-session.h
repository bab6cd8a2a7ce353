/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

/* A MAPI/HTTP session context: Connect, Execute with raw ROP buffers,
   NotificationWait, PING, Disconnect. [MS-OXCMAPIHTTP] 2.2.4, 2.2.6.
   Remote operations and objects are in client-rop.h and client-object.h. */

#include "client-http.h"

struct mapi_binary;

enum client_session_options {
	/* compress, obfuscate what is sent, [MS-OXCRPC] 3.1.4.1.1.1 */
	CLIENT_COMPRESS		= 0x01,
	CLIENT_OBFUSCATE	= 0x02,
	/* allow the server to compress, to obfuscate */
	CLIENT_WANT_COMPRESSED	= 0x04,
	CLIENT_WANT_OBFUSCATED	= 0x08,
};

struct client_session {
	struct client_http *http;
	struct client_connection *conn;
	/* for NotificationWait, opened when needed */
	struct client_connection *wait_conn;
	unsigned int options;
	/* MaxRopOut of Execute; 0 = what Outlook uses, 0x10008 */
	uint32_t max_rop_out;
	/* what Connect answered */
	bool connected;
	uint32_t polls_max, retry_count, retry_delay;
	const char *dn_prefix, *display_name;
	/* decoded ROPs are printed to it if it isn't NULL */
	FILE *trace;

	/* handles to be released with the next ROPs (client-rop.c) */
	struct client_release *releases;
	unsigned int release_count;
};

/* Nothing is sent yet. */
struct client_session *
client_session_new(TALLOC_CTX *mem, const struct client_http_params *params);

int client_session_connect(struct client_session *session, const char *user_dn,
			   struct client_error *error_r);
int client_session_disconnect(struct client_session *session,
			      struct client_error *error_r);
int client_session_ping(struct client_session *session,
			struct client_error *error_r);
/* Blocks until the server has something (*pending_r true) or its time is
   up. */
int client_session_wait(struct client_session *session, bool *pending_r,
			struct client_error *error_r);

/* rops: a whole ROP buffer (RopSize, RopsList, handle table). The answer's
   buffers, unpacked, are *buffers_r[*count_r], on mem. */
int client_session_execute(struct client_session *session, TALLOC_CTX *mem,
			   const void *rops, size_t len,
			   struct mapi_binary **buffers_r,
			   unsigned int *count_r,
			   struct client_error *error_r);

/* "/o=ORG/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/
   cn=USER" */
const char *client_user_dn(TALLOC_CTX *mem, const char *organization,
			   const char *user);

#endif
