/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOGIN_SERVICE_H
#define LOGIN_SERVICE_H

#include "login-common.h"

/* Requests that are of no session: Autodiscover's. They go to mapi-addressbook,
   which knows the directory, on a channel that all of them share. */

/* socket_path is opened when it's needed, after the chroot. */
void login_service_init(const char *socket_path);
/* Outstanding requests are answered. */
void login_service_deinit(void);

/* A new connection to the service, as net_connect_unix() */
int login_service_connect(void);

/* Answers a request to /autodiscover whose body has been read. */
void login_service_request(struct login_request *req);
/* Whether an Autodiscover request is only for users who have logged in */
bool login_service_needs_auth(const struct login_request *req);
/* The request is about to be freed. */
void login_service_request_gone(struct login_request *req);

#endif
