/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_LOGIN_COMMON_H
#define MAPI_LOGIN_COMMON_H

/* What the parts of mapi-login share.

   The way of a request: login-http.c takes it from lib-http and checks its
   headers, reads its body; login-auth.c finds out who sends it; login-session.c
   finds or makes the session and hands the request to its worker; and
   login-response.c writes what comes back. */

#include "net.h"
#include "mapi-settings.h"
#include "mapihttp-headers.h"

struct istream;
struct ostream;
struct http_server_request;
struct login_connection;
struct login_session;
struct login_auth_request;

/* The server version that we say we are: Exchange 2013 SP1, the first that
   spoke MAPI/HTTP. Newer ones promise things that clients then ask for. */
#define LOGIN_SERVER_APPLICATION "Exchange/15.00.0847.4040"

#define LOGIN_AUTH_HASH_SIZE 32

enum login_endpoint {
	LOGIN_ENDPOINT_EMSMDB,
	LOGIN_ENDPOINT_NSPI,
	LOGIN_ENDPOINT_AUTODISCOVER,
};
/* "/mapi/emsmdb" */
const char *login_endpoint_path(enum login_endpoint endpoint);

/* A client's TCP connection, as far as others need to know it. */
struct login_client_info {
	struct ip_addr local_ip, remote_ip, real_local_ip, real_remote_ip;
	in_port_t local_port, remote_port, real_local_port, real_remote_port;
	/* TLS by us */
	bool ssl;
	/* plaintext passwords may be sent: TLS, the same machine, or
	   login_trusted_networks */
	bool secured;
};

/* A request to one of the endpoints. It is freed when lib-http has done with it:
   its response is sent, or its client is gone. */
struct login_request {
	struct login_connection *conn;
	struct http_server_request *http_req;
	struct login_client_info info;
	struct event *event;
	struct timeval start_time;

	enum login_endpoint endpoint;
	/* on http_req's pool */
	const char *request_type;
	const char *request_id, *client_info;
	struct mapihttp_cookies cookies;
	struct istream *payload;
	buffer_t *body;
	/* while the body is being read */
	struct timeout *to_body;
	bool body_too_large;
	/* NotificationWait and PING don't take part in the sequence */
	bool sequenced;
	/* begins a session: Connect, Bind */
	bool connect;

	unsigned char auth_hash[LOGIN_AUTH_HASH_SIZE];
	/* while authenticating */
	struct login_auth_request *auth;
	/* on http_req's pool, after authentication */
	const char *username;

	/* from when it has been handed to a session until its response */
	struct login_session *session;
	/* the same, of those that are of no session (login-service.c) */
	bool in_service;
	/* of either */
	struct login_request *session_prev, *session_next;
	uint32_t frame_id;
	/* Set-Cookie headers of its response, if it succeeds */
	const char *set_cookies[3];
	/* while looking for the session; the answer comes in any case, so the
	   lookup outlives the request */
	struct login_session_lookup *lookup;

	/* the response has been started with PROCESSING */
	struct ostream *output;
	struct timeout *to_pending;
	bool responded;
};

extern const struct mapi_login_settings *login_set;
/* Dovecot is being reconfigured or shut down: finish what there is. */
extern bool login_dying;

#endif
