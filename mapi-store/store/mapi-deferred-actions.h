/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_DEFERRED_ACTIONS_H
#define MAPI_DEFERRED_ACTIONS_H

/* Deferred action messages (DAMs), [MS-OXORULE] 2.2.6: messages in the folder
   Deferred Action that tell a client what it has to do with a message by a rule
   that the server can't execute. */

#include "mapi-store.h"

/* DAMs that have been made for the message with a server's entry id are for another
   one from now on, the client's copy of it. That there are none is no error.
   [MS-OXORULE] 3.2.5.4 */
enum mapi_error
mapi_deferred_actions_update(struct mapi_store *store,
			     const struct mapi_binary *server_eid,
			     const struct mapi_binary *client_eid);

#endif
