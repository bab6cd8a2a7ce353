/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_ROP_H
#define CLIENT_ROP_H

/* Remote operations of a session: several in one Execute, with their handle
   table. [MS-OXCROPS] 2.2.1, 3.1.4, 3.1.5

   Where the server answers with RopBufferTooSmall, what it left undone is sent
   again in further Executes, so a batch is done as a whole unless it fails. */

#include "client-session.h"
#include "mapi-rops.h"

struct client_batch;

/* Freed with mem or talloc_free(); responses are below it. */
struct client_batch *client_batch_new(struct client_session *session,
				      TALLOC_CTX *mem);
/* A slot of the handle table: for a handle that the client has .. */
uint8_t client_batch_handle(struct client_batch *batch, uint32_t handle);
/* .. or for one that the server makes. */
uint8_t client_batch_output(struct client_batch *batch);
/* Adds a request (struct rop_x_request, hdr.rop_id set, indexes are slots).
   columns: those of rows in its response, or NULL; they must live as long as
   the batch. Returns the request's number. */
unsigned int client_batch_add(struct client_batch *batch, const void *request,
			      const uint32_t *columns, uint32_t column_count);
int client_batch_execute(struct client_batch *batch,
			 struct client_error *error_r);

/* The response (struct rop_x_response) whatever its ReturnValue, NULL if there
   is none. */
const void *client_batch_response(struct client_batch *batch, unsigned int n);
/* ReturnValue; EC_NONE for RopRelease. */
uint32_t client_batch_value(struct client_batch *batch, unsigned int n);
/* What the server has put into a slot. */
uint32_t client_batch_slot(struct client_batch *batch, uint8_t slot);
/* 0 if request n succeeded, else -1 with error_r. */
int client_batch_check(struct client_batch *batch, unsigned int n,
		       struct client_error *error_r);
/* Sends the batch and checks request n, the one that it's for. The batch is
   freed if one of the two fails. */
int client_batch_run(struct client_batch *batch, unsigned int n,
		     struct client_error *error_r);
/* How many Executes it took. */
unsigned int client_batch_executes(const struct client_batch *batch);

/* The handle is released with the next batch. */
void client_session_release(struct client_session *session, uint8_t logon_id,
			    uint32_t handle);

#endif
