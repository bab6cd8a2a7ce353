/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ADDRESSBOOK_SESSION_H
#define ADDRESSBOOK_SESSION_H

/* Connections from login processes (mapi-channel.h), and the sessions that
   their clients have with the address book. A process serves many.

   A session begins with MAPI_FRAME_SESSION and is registered with mapi-sessions
   once a Bind has succeeded: other login processes have channels to it then,
   and it outlives them all until it's idle for too long or an Unbind. Requests
   without a session (MAPI_FRAME_SERVICE) come over a connection of their
   own. */

struct mapi_addressbook_settings;

struct addressbook_session_params {
	const struct mapi_addressbook_settings *set;
	/* of mapi-sessions */
	const char *sessions_path;
	/* Called once for each addressbook_connection_create(), when it and the
	   session that it has begun are gone. */
	void (*destroyed)(void);
};

void addressbook_sessions_init(const struct addressbook_session_params *params);
/* Ends everything. */
void addressbook_sessions_deinit(void);

/* Serves a new connection. fd is the callee's. */
void addressbook_connection_create(int fd);

/* Dovecot wants the process to end: sessions that are idle do so soon, and the
   rest when master is gone. */
void addressbook_sessions_die(void);

#endif
