/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "guid.h"
#include "hex-binary.h"
#include "mail-user.h"
#include "mail-namespace.h"
#include "mapi-acl.h"
#include "mapi-bags.h"
#include "mapi-dumpster.h"
#include "mapi-folder-removed.h"
#include "mapi-folder-rights.h"
#include "mapi-store-directory.h"
#include "mapi-stored-props.h"

#define STORE_OPEN_TRIES 3

/* A store is made of what the mail user has anyway, and of the companion tree
   (mapi-companion.h), of which opening a store reads two things: the log
   "allotments", and the names of the mailboxes. A new user's store is set up by
   the same code that opens an old one: everything is allotted when it turns out
   to be missing, in a few transactions, and so it doesn't matter when a process
   that does it is killed, or if two do it at once. */

static int mapi_store_destructor(struct mapi_store *store)
{
	mapi_dumpsters_expire(store);
	mapi_folder_removed_expire(store);
	if (array_is_created(&store->dumpsters_seen))
		array_free(&store->dumpsters_seen);
	mapi_stored_deinit(store);
	mapi_bags_deinit(store);
	mapi_blocks_deinit(store);
	mapi_idlog_compact(store->log);
	return 0;
}

const char *mapi_guid_to_hex(const struct mapi_guid *guid)
{
	return binary_to_hex(guid->bytes, sizeof(guid->bytes));
}

bool mapi_guid_from_hex(const char *hex, struct mapi_guid *guid_r)
{
	buffer_t buf;

	if (strlen(hex) != sizeof(guid_r->bytes) * 2)
		return FALSE;
	buffer_create_from_data(&buf, guid_r->bytes, sizeof(guid_r->bytes));
	return hex_to_binary(hex, &buf) == 0;
}

static const char *mapi_store_new_guid(void)
{
	guid_128_t guid;

	guid_128_generate(guid);
	return guid_128_to_string(guid);
}

/* The two GUIDs that make the store what it is for clients: whichever session
   is first chooses them. */
static enum mapi_error mapi_store_allot_guids(struct mapi_store *store)
{
	struct mapi_idlog_new recs[] = {
		{ .type = MAPI_IDLOG_CLAIM, .kind = MAPI_LOG_STORE,
		  .key = "replica", .value = mapi_store_new_guid(),
		  .subject = "replica GUID of all MAPI ids" },
		{ .type = MAPI_IDLOG_CLAIM, .kind = MAPI_LOG_STORE,
		  .key = "mailbox", .value = mapi_store_new_guid(),
		  .subject = "GUID of this mailbox as a MAPI store" },
	};
	enum mapi_error ret;

	ret = mapi_idlog_write(store->log, recs, N_ELEMENTS(recs));
	if (ret != EC_NONE)
		return ret;
	if (!mapi_guid_from_hex(recs[0].rec_r->value, &store->replica_guid) ||
	    !mapi_guid_from_hex(recs[1].rec_r->value, &store->mailbox_guid)) {
		e_error(store->user->event, "mapi: GUIDs in mailbox %s are "
			"damaged", mapi_companion_vname(store->companion,
							MAPI_COMPANION_LOG));
		return EC_CORRUPT_DATA;
	}
	return EC_NONE;
}

/* Whether the mailbox can be opened for a user who isn't its owner. Nothing is
   written for one who has no right in it. */
static enum mapi_error mapi_store_check_delegate(struct mapi_store *store)
{
	const char *delegate = store->set->delegate;

	if (store->acl == NULL || mapi_acl_user_is_owner(store->acl) ||
	    null_strcmp(mapi_acl_username(store->acl), delegate) != 0) {
		e_error(store->user->event, "mapi: Mailbox not opened for %s: "
			"ACLs aren't enforced in it", delegate);
		return EC_ACCESS_DENIED;
	}
	/* the log has what others may do in folders without an ACL */
	return mapi_companion_exists(store->companion, MAPI_COMPANION_LOG) ||
		mapi_acl_any_visible(store->acl) ? EC_NONE : EC_LOGIN_PERM;
}

/* Nothing is opened or allotted yet. */
static enum mapi_error
mapi_store_create(TALLOC_CTX *parent, struct mail_user *user,
		  const struct mapi_store_settings *set,
		  struct mapi_store **store_r)
{
	struct mapi_store *store;
	enum mapi_error ret;

	store = talloc_zero(parent, struct mapi_store);
	store->user = user;
	store->set = set;
	ret = mapi_companion_init(store, user, set->companion_root,
				  &store->companion);
	if (ret != EC_NONE) {
		talloc_free(store);
		return ret;
	}
	store->log = mapi_idlog_init(store, store->companion,
		MAPI_COMPANION_LOG,
		"It says which number a folder has for Outlook.", (uint32_t)-1);
	store->blocks = mapi_idlog_init(store, store->companion,
		MAPI_COMPANION_BLOCKS,
		"It says which numbers messages have for Outlook.",
		MAPI_BLOCK_MAX);
	/* 0x8000 itself isn't used, 0xFFFF is reserved */
	store->names = mapi_idlog_init(store, store->companion,
		MAPI_COMPANION_NAMES,
		"It says which number a named property has for Outlook.",
		0x7ffe);
	mapi_folder_tree_init(store);
	*store_r = store;
	return EC_NONE;
}

static enum mapi_error
store_open_once(TALLOC_CTX *parent, struct mail_user *user,
		const struct mapi_store_settings *set,
		struct mapi_store **store_r)
{
	struct mapi_store *store;
	enum mapi_error ret;

	ret = mapi_store_create(parent, user, set, &store);
	if (ret != EC_NONE)
		return ret;
	store->owner_dn = mapi_store_username_to_dn(set, store,
						    user->username);
	store->sender_dn = set->delegate == NULL ? store->owner_dn :
		mapi_store_username_to_dn(set, store, set->delegate);
	store->acl = mapi_acl_init(store, store->companion->ns);
	if (set->delegate != NULL)
		ret = mapi_store_check_delegate(store);
	if (ret == EC_NONE)
		ret = mapi_companion_prepare(store->companion);
	if (ret != EC_NONE) {
		talloc_free(store);
		return ret;
	}
	talloc_set_destructor(store, mapi_store_destructor);

	T_BEGIN {
		ret = mapi_idlog_refresh(store->log);
		if (ret == EC_NONE)
			ret = mapi_store_allot_guids(store);
		if (ret == EC_NONE)
			ret = mapi_folder_tree_refresh(store);
		if (ret == EC_NONE && set->delegate != NULL &&
		    !mapi_store_has_any_right(store))
			ret = EC_LOGIN_PERM;
	} T_END;
	if (ret != EC_NONE) {
		talloc_free(store);
		return ret;
	}
	*store_r = store;
	return EC_NONE;
}

/* What a process has left half written that was killed, Dovecot mends by and by: an
   mdbox is rebuilt when a mailbox of it is closed. */
enum mapi_error
mapi_store_open(TALLOC_CTX *parent, struct mail_user *user,
		const struct mapi_store_settings *set,
		struct mapi_store **store_r)
{
	enum mapi_error error = EC_ERROR;
	unsigned int i;

	for (i = 0; i < STORE_OPEN_TRIES && error == EC_ERROR; i++)
		error = store_open_once(parent, user, set, store_r);
	return error;
}

static int mapi_store_examined_destructor(struct mapi_store *store)
{
	mapi_bags_deinit(store);
	return 0;
}

enum mapi_error
mapi_store_open_examined(TALLOC_CTX *parent, struct mail_user *user,
			 const struct mapi_store_settings *set,
			 struct mapi_store **store_r)
{
	struct mapi_store *store;
	enum mapi_error ret;

	ret = mapi_store_create(parent, user, set, &store);
	if (ret != EC_NONE)
		return ret;
	talloc_set_destructor(store, mapi_store_examined_destructor);
	ret = mapi_companion_exists(store->companion, MAPI_COMPANION_LOG) ?
		mapi_idlog_refresh(store->log) : EC_NOT_FOUND;
	if (ret != EC_NONE) {
		talloc_free(store);
		return ret;
	}
	*store_r = store;
	return EC_NONE;
}

struct mail_user *mapi_store_user(struct mapi_store *store)
{
	return store->user;
}

const struct mapi_store_settings *
mapi_store_settings_get(struct mapi_store *store)
{
	return store->set;
}

const struct mapi_guid *mapi_store_replica_guid(struct mapi_store *store)
{
	return &store->replica_guid;
}

const struct mapi_guid *mapi_store_mailbox_guid(struct mapi_store *store)
{
	return &store->mailbox_guid;
}

const char *mapi_store_owner_dn(struct mapi_store *store)
{
	return store->owner_dn;
}

void mapi_store_set_code_page(struct mapi_store *store, uint32_t code_page)
{
	store->code_page = code_page;
}

mapi_id_t mapi_store_special_fid(struct mapi_store *store,
				 enum mapi_special_folder special)
{
	i_assert(special >= 0 && special < MAPI_SPECIAL_COUNT);
	return mapi_folder_tree_special(store, special);
}
