/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_CLIENT_H
#define MAPI_CLIENT_H

/* A user's session in a worker process: the Dovecot user, the MAPI session
   that the last Connect has made, and what its requests need. Channels
   (mapi-connection.h) bring the requests. */

#include "mapi-compat.h"
#include "mapi-directory.h"
#include "mapi-other-users.h"
#include "mapi-session.h"

struct mapi_client {
	struct mapi_compat_user user;
	struct event *event;
	struct mapi_directory *directory;
	struct mapi_deferrals *deferrals;
	/* as of the last Connect */
	struct mapi_store_settings store_set;
	/* whose mailboxes it may open besides */
	struct mapi_client_other_users other_users;
	/* NULL until Connect and after Disconnect */
	struct mapi_session *session;
};

/* A request's result. */
struct mapi_client_response {
	/* X-ResponseCode, [MS-OXCMAPIHTTP] 2.2.3.3.3; with others than 0
	   there's no body */
	enum mapi_response_code {
		MAPI_RESPONSE_SUCCESS			= 0,
		MAPI_RESPONSE_UNKNOWN_FAILURE		= 1,
		MAPI_RESPONSE_INVALID_REQUEST_TYPE	= 5,
		MAPI_RESPONSE_CONTEXT_NOT_FOUND		= 10,
		MAPI_RESPONSE_INVALID_BODY		= 12,
	} code;
	const uint8_t *body;
	size_t body_size;
	/* the session is over */
	bool disconnected;
};

/* event is referenced, directory and deferrals must live as long. The user is the client's from then on. */
void mapi_client_init(struct mapi_client *client,
		      const struct mapi_compat_user *user,
		      struct mapi_directory *directory,
		      struct mapi_deferrals *deferrals, struct event *event);
void mapi_client_deinit(struct mapi_client *client);

/* What a store is told of its owner. Strings are on the user's pool; those that
   set has already from an earlier call stay if they are the same. */
void mapi_client_store_settings(const struct mapi_compat_user *user,
				struct mapi_directory *directory,
				struct mapi_store_settings *set);
/* ... of who opens another user's mailbox */
void mapi_client_set_delegate(struct mapi_client *client,
			      struct mapi_store_settings *set);

/* Handles one request completely; not NotificationWait, which isn't answered
   at once. request_type is the X-RequestType. The response is on mem. */
void mapi_client_request(struct mapi_client *client, const char *request_type,
			 const uint8_t *body, size_t body_size,
			 TALLOC_CTX *mem,
			 struct mapi_client_response *response_r);

/* Checks the body of a NotificationWait. */
bool mapi_client_notification_wait_parse(TALLOC_CTX *mem, const uint8_t *body,
					 size_t body_size);
/* Its response. */
void mapi_client_notification_wait_finish(bool event_pending, TALLOC_CTX *mem,
			struct mapi_client_response *response_r);

#endif
