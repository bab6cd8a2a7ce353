/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_CARRY_H
#define MAPI_CARRY_H

/* Bags when other protocols copy, move and expunge messages: for the mail plugin
   (module/plugin). It needs no more of a store than this. */

#include "mapi-bags.h"

struct mapi_carry;

/* The user must stay until it's freed (talloc_free). Nothing is opened yet. Strings
   of set must outlive it. */
struct mapi_carry *
mapi_carry_init(TALLOC_CTX *parent, struct mail_user *user,
		const struct mapi_store_settings *set);

/* The number of the folder that a mailbox in the user's inbox namespace is, whose
   bags have been seen as they are now; box is open. 0 if it has no bags. With create
   it may have none and gets a number if it has none; 0 then is an error, which has been
   logged. */
uint32_t mapi_carry_get_folder(struct mapi_carry *carry, struct mailbox *box,
			       bool create);
/* The bags of a folder as they were seen last: valid until the next of these
   functions is called. NULL is an error, which has been logged. */
struct mapi_bags *
mapi_carry_get_bags(struct mapi_carry *carry, uint32_t number);
/* Closes all mailboxes, which are opened again when they're needed. */
void mapi_carry_close(struct mapi_carry *carry);

#endif
