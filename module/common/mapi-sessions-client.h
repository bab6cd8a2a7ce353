/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_SESSIONS_CLIENT_H
#define MAPI_SESSIONS_CLIENT_H

/* The registry of sessions, mapi-sessions: which worker has which session, so
   that any login process can reach it. A worker registers its session's key;
   a login process asks for a key. The registry makes a pair of connected
   sockets then, gives one to the worker and the other to the login process:
   a new channel (mapi-channel.h) between the two.

   The registry keeps nothing on disk. When it is restarted, workers connect
   and register again. */

#include "mapi-channel.h"

/* --- protocol ------------------------------------------------------------ */

enum mapi_sessions_msg_type {
	/* worker -> registry: key, username */
	MAPI_SESSIONS_REGISTER = 1,
	/* registry -> worker: key, and a descriptor */
	MAPI_SESSIONS_ATTACH,
	/* login -> registry: key */
	MAPI_SESSIONS_LOOKUP,
	/* registry -> login: id of the lookup, username and a descriptor; no
	   username if there's no such session */
	MAPI_SESSIONS_RESULT,
};

/* In host byte order; username_size bytes follow. */
struct mapi_sessions_msg {
	uint32_t type;
	uint32_t id;
	unsigned char key[MAPI_SESSION_KEY_SIZE];
	uint32_t username_size;
};
#define MAPI_SESSIONS_MAX_USERNAME 1024

struct istream;
struct ostream;

/* Reads one message from a stream made by i_stream_create_unix(). Returns 1,
   0 if it isn't complete, -1 if the other side is gone or has sent nonsense.
   username_r is on the data stack. fd_r is -1 if no descriptor came along. */
int mapi_sessions_msg_read(struct istream *input,
			   struct mapi_sessions_msg *msg_r,
			   const char **username_r, int *fd_r);
/* Sends a message, with a descriptor if fd isn't -1, which isn't closed.
   Returns FALSE if the receiver doesn't take what it is sent. */
bool mapi_sessions_msg_send(struct ostream *output,
			    enum mapi_sessions_msg_type type, uint32_t id,
			    const unsigned char key[MAPI_SESSION_KEY_SIZE],
			    const char *username, int fd);

/* --- workers ------------------------------------------------------------- */

struct mapi_registration;
/* A login process wants a channel: fd is the callee's. */
typedef void mapi_registration_attach_t(void *context, int fd);

/* Registers a session until mapi_registration_deinit(). If the registry can't
   be reached it is tried again every second. */
struct mapi_registration *
mapi_registration_init(const char *socket_path,
		       const unsigned char key[MAPI_SESSION_KEY_SIZE],
		       const char *username,
		       mapi_registration_attach_t *callback, void *context);
void mapi_registration_deinit(struct mapi_registration **reg);

/* --- login processes ----------------------------------------------------- */

struct mapi_sessions_client;
/* fd is the callee's; -1 and username NULL if there's no such session. */
typedef void mapi_sessions_lookup_callback_t(void *context, int fd,
					     const char *username);

struct mapi_sessions_client *
mapi_sessions_client_init(const char *socket_path);
/* Outstanding lookups are answered with "no such session". */
void mapi_sessions_client_deinit(struct mapi_sessions_client **client);

/* The callback may be called before this returns. A lookup that isn't answered
   in a few seconds is answered as not found. */
void mapi_sessions_lookup(struct mapi_sessions_client *client,
			  const unsigned char key[MAPI_SESSION_KEY_SIZE],
			  mapi_sessions_lookup_callback_t *callback,
			  void *context);

#endif
