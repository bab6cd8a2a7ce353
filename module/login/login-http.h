/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOGIN_HTTP_H
#define LOGIN_HTTP_H

struct ssl_iostream_settings;
struct master_service_connection;

/* The HTTP side: connections, and requests until their bodies are read. */

/* ssl_set may be NULL: no TLS. It must stay until login_http_deinit(). */
void login_http_init(const struct ssl_iostream_settings *ssl_set);
void login_http_deinit(void);

void login_http_client_connected(struct master_service_connection *conn);
/* Connections that are idle are closed, others after their request. */
void login_http_shut_down(void);
/* Connections there are */
unsigned int login_http_connection_count(void);

#endif
