/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPITEST_IMAP_H
#define MAPITEST_IMAP_H

/* As much of an IMAP client as comparing the speed of two protocols takes: it
   sends commands and reads their responses, over TLS. */

#include "client-http.h"

struct imap_client;

/* address: "host:port" of imaps. params: user, password, whom to trust. */
struct imap_client *imap_client_new(TALLOC_CTX *mem, const char *address,
				    const struct client_http_params *params,
				    struct client_error *error_r);
/* Runs a command and reads until its tagged OK. The response's bytes are
   counted; if text_r isn't NULL, they are kept, on mem. */
int imap_client_command(struct imap_client *client, TALLOC_CTX *mem,
			const char *command, const char **text_r,
			struct client_error *error_r);
uint64_t imap_client_bytes(const struct imap_client *client);

#endif
