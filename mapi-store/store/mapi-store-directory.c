/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mapi-entryid.h"
#include "mapi-legacy-dn.h"
#include "mapi-store-private.h"
#include "mapi-store-directory.h"

/* No page of rows has more. What is beyond it is asked for later. */
#define BATCH_MAX 1000

struct mapi_directory_batch {
	bool open;
	unsigned int count;
	char **addresses;
};

bool mapi_store_has_directory(struct mapi_store *store)
{
	/* tables that don't show a mailbox have no store */
	return store != NULL && store->set->directory != NULL;
}

static void
batch_add(struct mapi_directory_batch *batch, const char *address)
{
	unsigned int i;

	if (batch->count == BATCH_MAX)
		return;
	for (i = 0; i < batch->count; i++) {
		if (strcasecmp(batch->addresses[i], address) == 0)
			return;
	}
	batch->addresses = talloc_realloc(batch, batch->addresses, char *,
					  batch->count + 1);
	batch->addresses[batch->count++] =
		talloc_strdup(batch->addresses, address);
}

const struct mapi_directory_object *
mapi_store_directory_find(struct mapi_store *store, const char *address)
{
	struct mapi_directory *dir = store->set->directory;
	const struct mapi_directory_object *object;
	struct mapi_directory_question question = {
		.key = MAPI_DIRECTORY_ADDRESS, .value = address,
	};

	if (dir == NULL || strchr(address, '@') == NULL)
		return NULL;
	if (dir->peek(dir, question.key, address, &object))
		return object;
	if (store->directory_batch != NULL && store->directory_batch->open) {
		batch_add(store->directory_batch, address);
		return NULL;
	}
	dir->lookup(dir, &question, 1);
	return question.object;
}

static bool
address_is_of(struct mapi_store *store, const char *address, const char *own,
	      const char *dn)
{
	const struct mapi_directory_object *object;

	if (*address == '\0')
		return FALSE;
	if (own != NULL && strcasecmp(own, address) == 0)
		return TRUE;
	object = mapi_store_directory_find(store, address);
	return object != NULL && strcasecmp(object->legacy_dn, dn) == 0;
}

bool mapi_store_is_owner_address(struct mapi_store *store, const char *address)
{
	return address_is_of(store, address,
			     mapi_store_settings_get(store)->email_address,
			     mapi_store_owner_dn(store));
}

void mapi_store_get_sender(struct mapi_store *store,
			   struct mapi_store_sender *sender_r)
{
	const struct mapi_store_settings *set = store->set;

	sender_r->dn = store->sender_dn;
	if (set->delegate != NULL) {
		sender_r->name = set->delegate_name;
		sender_r->address = set->delegate_address;
	} else {
		sender_r->name = set->display_name;
		sender_r->address = set->email_address;
	}
	if (sender_r->name == NULL || *sender_r->name == '\0')
		sender_r->name = sender_r->address;
}

bool mapi_store_is_sender_address(struct mapi_store *store, const char *address)
{
	struct mapi_store_sender sender;

	mapi_store_get_sender(store, &sender);
	return address_is_of(store, address, sender.address, sender.dn);
}

bool mapi_store_sender_is_delegate(struct mapi_store *store,
				   const char *address)
{
	const struct mapi_directory_object *object;
	const char *const *delegates;

	object = mapi_store_directory_find(store, address);
	if (object == NULL || object->delegates == NULL)
		return FALSE;
	for (delegates = object->delegates; *delegates != NULL; delegates++) {
		if (strcasecmp(*delegates, store->sender_dn) == 0)
			return TRUE;
	}
	return FALSE;
}

void mapi_store_directory_batch_begin(struct mapi_store *store)
{
	if (!mapi_store_has_directory(store))
		return;
	if (store->directory_batch == NULL) {
		store->directory_batch =
			talloc_zero(store, struct mapi_directory_batch);
	}
	i_assert(!store->directory_batch->open);
	store->directory_batch->open = TRUE;
}

bool mapi_store_directory_batch_pending(struct mapi_store *store)
{
	return mapi_store_has_directory(store) &&
		store->directory_batch != NULL &&
		store->directory_batch->count > 0;
}

bool mapi_store_directory_batch_end(struct mapi_store *store)
{
	struct mapi_directory_question *questions;
	struct mapi_directory_batch *batch;
	struct mapi_directory *dir;
	unsigned int i;

	if (!mapi_store_has_directory(store))
		return FALSE;
	batch = store->directory_batch;
	dir = store->set->directory;
	batch->open = FALSE;
	if (batch->count == 0)
		return FALSE;
	questions = talloc_zero_array(batch, struct mapi_directory_question,
				      batch->count);
	for (i = 0; i < batch->count; i++) {
		questions[i].key = MAPI_DIRECTORY_ADDRESS;
		questions[i].value = batch->addresses[i];
	}
	/* the answers are known from now on */
	dir->lookup(dir, questions, batch->count);
	talloc_free(questions);
	TALLOC_FREE(batch->addresses);
	batch->count = 0;
	return TRUE;
}

struct mapi_value
mapi_directory_object_value(const struct mapi_directory_object *object,
			    enum mapi_directory_field field, TALLOC_CTX *mem)
{
	struct mapi_binary bin = { 0 };

	switch (field) {
	case MAPI_DIRECTORY_FIELD_NAME:
		return mapi_value_str(talloc_strdup(mem, object->name));
	case MAPI_DIRECTORY_FIELD_ADDRESS_TYPE:
		return mapi_value_str("EX");
	case MAPI_DIRECTORY_FIELD_EMAIL_ADDRESS:
		return mapi_value_str(talloc_strdup(mem, object->legacy_dn));
	case MAPI_DIRECTORY_FIELD_ENTRY_ID:
		/* its type is the display type, [MS-OXCDATA] 2.2.5.2 */
		bin = mapi_addressbook_entry_id_build(mem, object->display_type,
						      object->legacy_dn);
		break;
	case MAPI_DIRECTORY_FIELD_SEARCH_KEY:
		bin = mapi_recipient_search_key_build(mem, "EX",
						      object->legacy_dn);
		break;
	}
	return mapi_value_bin(bin.data, bin.len);
}

bool mapi_directory_wants_name(const char *name, const char *address)
{
	return name == NULL || *name == '\0' || strcasecmp(name, address) == 0;
}

const char *
mapi_store_smtp_address(struct mapi_store *store, TALLOC_CTX *mem,
			const char *address_type, const char *address)
{
	const struct mapi_store_settings *set = mapi_store_settings_get(store);
	struct mapi_directory_question question = {
		.key = MAPI_DIRECTORY_LEGACY_DN,
		.value = address,
	};

	if (strcasecmp(address_type, "EX") != 0)
		return NULL;
	if (set->directory != NULL)
		set->directory->lookup(set->directory, &question, 1);
	if (question.object != NULL && question.object->address != NULL)
		return talloc_strdup(mem, question.object->address);
	return strcasecmp(address, mapi_store_owner_dn(store)) == 0 ?
		talloc_strdup(mem, set->email_address) : NULL;
}

static char *
directory_find_username(const struct mapi_store_settings *set, TALLOC_CTX *mem,
			enum mapi_directory_key key, const char *value,
			bool *found_r)
{
	struct mapi_directory_question question = {
		.key = key, .value = value,
	};

	if (set->directory != NULL)
		set->directory->lookup(set->directory, &question, 1);
	*found_r = question.object != NULL;
	return question.object == NULL || question.object->username == NULL ?
		NULL : talloc_strdup(mem, question.object->username);
}

char *mapi_store_dn_to_username(const struct mapi_store_settings *set,
				TALLOC_CTX *mem, const char *dn)
{
	char *prefix, *username;
	size_t len;
	bool found;

	username = directory_find_username(set, mem, MAPI_DIRECTORY_LEGACY_DN,
					   dn, &found);
	if (found)
		return username;
	prefix = mapi_legacy_dn_prefix(mem, set->organization);
	len = strlen(prefix);
	/* DNs are compared without case: [MS-OXCDATA] 2.2.5.2 */
	if (strncasecmp(dn, prefix, len) == 0 && dn[len] != '\0')
		username = talloc_strdup(mem, dn + len);
	talloc_free(prefix);
	return username;
}

char *mapi_store_address_to_username(const struct mapi_store_settings *set,
				     TALLOC_CTX *mem, const char *address)
{
	bool found;

	return directory_find_username(set, mem, MAPI_DIRECTORY_ADDRESS,
				       address, &found);
}

char *mapi_store_username_to_dn(const struct mapi_store_settings *set,
				TALLOC_CTX *mem, const char *username)
{
	struct mapi_directory_question question = {
		.key = MAPI_DIRECTORY_USERNAME, .value = username,
	};

	if (set->directory != NULL)
		set->directory->lookup(set->directory, &question, 1);
	if (question.object != NULL)
		return talloc_strdup(mem, question.object->legacy_dn);
	return talloc_strdup_append(
		mapi_legacy_dn_prefix(mem, set->organization), username);
}
