/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOGIN_CONNECTION_H
#define LOGIN_CONNECTION_H

#include "login-common.h"

/* Clients' TCP connections: who is at the other end, and when a connection
   is given up because its client is slow or others need its place. */

struct http_request;
struct http_server;
struct http_server_callbacks;
struct master_service_connection;

struct login_connection {
	struct login_connection *prev, *next;
	struct http_server_connection *http_conn;
	struct login_client_info info;
	/* the other end is of login_trusted_networks */
	bool trusted;
	/* what TLS is given goes through an ostream-gather */
	bool gathers;
	struct event *event;
	struct timeval created;

	struct timeout *to_check;
	/* requests there had been at the last check */
	unsigned int last_request_count;
};

/* Before the chroot. callbacks get the struct login_connection as context and
   must call login_connection_destroyed() in connection_destroy. */
void login_connections_init(const struct http_server_callbacks *callbacks);
void login_connections_deinit(void);

void login_connection_create(struct http_server *server,
			     struct master_service_connection *mconn);
/* To be called before a response is begun. */
void login_connection_responds(struct login_connection *conn);
/* Drops the connection with what is under way on it. */
void login_connection_close(struct login_connection *conn, const char *reason);
void login_connection_destroyed(struct login_connection *conn,
				const char *reason);

/* Who sends a request: a proxy of login_trusted_networks says by
   X-Forwarded-For whom it forwards it for. */
void login_connection_get_info(const struct login_connection *conn,
			       const struct http_request *hreq,
			       struct login_client_info *info_r);

unsigned int login_connections_count(void);

#endif
