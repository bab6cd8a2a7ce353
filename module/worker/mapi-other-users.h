/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_OTHER_USERS_H
#define MAPI_OTHER_USERS_H

/* Other users' mailboxes in the session of one: the owners are opened beside the
   session's user, in the same process and with the same privileges. */

#include "mapi-session.h"

struct mapi_client;

struct mapi_client_other_users {
	struct mapi_other_users users;
	struct mapi_client *client;
};

void mapi_client_other_users_init(struct mapi_client_other_users *others,
				  struct mapi_client *client);

#endif
