/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ADDRESSBOOK_CLIENT_H
#define ADDRESSBOOK_CLIENT_H

/* Asks mapi-addressbook about people (module/addressbook/lookup.h has the
   protocol), and remembers the answers: found ones for some minutes, the others
   for one. All sessions of a process share a client.

   A lookup blocks, but not longer than the timeout (those of hundreds of
   values: than that for each 256 of them). After a failure nobody
   is asked for some seconds, and everybody is unknown in the meantime; where
   the service doesn't exist that is all that ever happens. */

#include "mapi-directory.h"

struct event;

struct addressbook_client_settings {
	/* absolute path of the socket */
	const char *path;
	/* of a lookup, and how long nobody is asked after one has failed */
	unsigned int timeout_msecs, retry_msecs;
	/* An unused connection is closed after this time, if there's an ioloop:
	   the server has many clients, and a worker asks little. */
	unsigned int idle_msecs;
	/* how long answers are good for */
	unsigned int found_secs, notfound_secs;
	/* so many answers are remembered */
	unsigned int max_answers;
};
extern const struct addressbook_client_settings addressbook_client_defaults;

/* The settings are copied. */
struct mapi_directory *
addressbook_client_init(const struct addressbook_client_settings *set,
			struct event *event);
void addressbook_client_deinit(struct mapi_directory **dir);

#endif
