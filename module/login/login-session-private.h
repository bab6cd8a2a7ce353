/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOGIN_SESSION_PRIVATE_H
#define LOGIN_SESSION_PRIVATE_H

#include "login-auth.h"
#include "login-session.h"
#include "mapi-channel.h"

/* What login-session*.c share: login-session.c has the sessions and their
   requests, login-session-start.c makes new ones, login-session-find.c finds
   the one that a request belongs to. */

struct login_session {
	struct login_session *prev, *next;
	enum login_endpoint endpoint;
	unsigned char key[MAPI_SESSION_KEY_SIZE];
	/* only while it is new, until the cookie has been sent */
	char *cookie;
	char *username;
	/* for the log */
	char *log_id;
	struct event *event;
	struct mapi_channel *channel;

	/* credentials that were good at auth_time */
	unsigned char auth_hash[LOGIN_AUTH_HASH_SIZE];
	time_t auth_time;

	/* number that the next request must have */
	uint64_t sequence;
	/* the request that is under way, others wait for notifications */
	struct login_request *current;
	struct login_request *requests;
	uint32_t last_frame_id;

	/* a new session, until its worker has it */
	struct anvil_query *anvil_query;
	unsigned int auth_id, auth_pid;
	char *auth_cookie, *mechanism;
	unsigned int master_auth_tag;
	/* our end of the channel-to-be, else -1 */
	int start_fd;
};

/* NULL if this process doesn't have it. */
struct login_session *login_session_find(const unsigned char *key);
/* key is the hash of the cookie's secret. */
void login_session_key(const unsigned char secret[MAPIHTTP_SECRET_SIZE],
		       unsigned char key_r[MAPI_SESSION_KEY_SIZE]);

/* req's credentials have just been checked. */
struct login_session *
login_session_alloc(const unsigned char *key, const char *username,
		    const struct login_request *req);
/* The session leaves this process; requests that are under way fail. */
void login_session_destroy(struct login_session **session, const char *reason);
/* The session has its channel to the worker now. */
void login_session_set_channel(struct login_session *session, int fd);

/* Hands a request to the session's worker. */
void login_session_execute(struct login_session *session,
			   struct login_request *req);
void login_session_attach_request(struct login_session *session,
				  struct login_request *req);
void login_session_detach_request(struct login_request *req);

/* Makes a new session for a Connect and starts its worker, or for a Bind at
   the address book. */
void login_session_create(struct login_request *req,
			  const struct login_auth_reply *auth);
/* Ends what is under way for a session that is being made. */
void login_session_start_abort(struct login_session *session);
void login_session_start_init(void);
void login_session_start_deinit(void);

/* The request doesn't wait for its session any more. */
void login_session_find_abort(struct login_request *req);
void login_session_find_init(void);
/* Outstanding requests are answered. */
void login_session_find_deinit(void);

#endif
