/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "mail-user.h"
#include "store-compat.h"
#include "mapi-bags-private.h"
#include "mapi-carry.h"
#include "mapi-folder-list.h"

/* Usually a look at the log and at the bags is enough, and nothing is written for users
   who have never used MAPI. A store is opened altogether only if a bag is to go to a
   folder that has no number yet: what number it gets is a question of all folders
   (mapi-folder-list.c). */

struct mapi_carry {
	struct mail_user *user;
	const struct mapi_store_settings *set;
	struct mapi_store *store;
};

struct mapi_carry *
mapi_carry_init(TALLOC_CTX *parent, struct mail_user *user,
		const struct mapi_store_settings *set)
{
	struct mapi_carry *carry;

	carry = talloc_zero(parent, struct mapi_carry);
	carry->user = user;
	carry->set = set;
	return carry;
}

/* EC_NOT_FOUND if the user has never used MAPI. */
static enum mapi_error carry_open(struct mapi_carry *carry)
{
	return carry->store != NULL ? mapi_idlog_refresh(carry->store->log) :
		mapi_store_open_examined(carry, carry->user, carry->set,
					 &carry->store);
}

/* *number_r is 0 if the mailbox has none. */
static enum mapi_error
carry_get_number(struct mapi_carry *carry, struct mailbox *box, bool create,
		 uint32_t *number_r)
{
	struct mailbox_metadata metadata;
	enum mapi_error error;

	*number_r = 0;
	if (mailbox_get_metadata(box, MAILBOX_METADATA_GUID, &metadata) < 0)
		return mapi_error_from_mailbox(box);
	error = carry_open(carry);
	if (error != EC_NONE)
		return error;
	*number_r = mapi_folder_guid_to_number(carry->store, metadata.guid);
	if (*number_r != 0 || !create)
		return EC_NONE;
	TALLOC_FREE(carry->store);
	error = mapi_store_open(carry, carry->user, carry->set, &carry->store);
	if (error != EC_NONE)
		return error;
	*number_r = mapi_folder_guid_to_number(carry->store, metadata.guid);
	return *number_r == 0 ? EC_NOT_FOUND : EC_NONE;
}

uint32_t mapi_carry_get_folder(struct mapi_carry *carry, struct mailbox *box,
			       bool create)
{
	struct mapi_bags *bags = NULL;
	enum mapi_error error;
	uint32_t number;

	T_BEGIN {
		error = carry_get_number(carry, box, create, &number);
		if (error == EC_NONE && number != 0) {
			bags = mapi_bags_get(carry->store, number, FALSE);
			error = bags_refresh(bags, FALSE);
		}
	} T_END;
	if (error != EC_NONE && (create || error != EC_NOT_FOUND)) {
		e_error(box->event, "mapi: Can't look for property bags: "
			"error 0x%08x", (unsigned int)error);
	}
	if (error != EC_NONE || number == 0 ||
	    (!create && !mapi_bags_exist(bags)))
		return 0;
	return number;
}

struct mapi_bags *
mapi_carry_get_bags(struct mapi_carry *carry, uint32_t number)
{
	bool closed = carry->store == NULL;
	struct mapi_bags *bags;
	enum mapi_error error = EC_NONE;

	if (closed)
		error = carry_open(carry);
	if (error == EC_NONE) {
		bags = mapi_bags_get(carry->store, number, FALSE);
		if (closed)
			error = bags_refresh(bags, FALSE);
	}
	if (error != EC_NONE) {
		e_error(carry->user->event, "mapi: Can't open property bags: "
			"error 0x%08x", (unsigned int)error);
		return NULL;
	}
	return bags;
}

void mapi_carry_close(struct mapi_carry *carry)
{
	TALLOC_FREE(carry->store);
}
