/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_STORE_DIRECTORY_H
#define MAPI_STORE_DIRECTORY_H

/* Addresses in messages meet the directory: who is in it gets type EX, a
   distinguished name and an address book entry id, by which clients know that
   two of somebody's addresses are one person, and show the person's card.
   Everybody else keeps an address of type SMTP and a one-off entry id; so does
   everybody while the directory can't be asked. */

#include "mapi-directory.h"
#include "mapi-store.h"

/* Who has this SMTP address; NULL if it is nobody's. While a batch is open and
   the answer isn't known, the address is remembered and the answer is NULL.
   Valid until the next question. */
const struct mapi_directory_object *
mapi_store_directory_find(struct mapi_store *store, const char *address);
/* The SMTP address of somebody who is known by another one: EX, a distinguished
   name. The owner's is known also without a directory. NULL if nobody has it. On
   mem. */
const char *
mapi_store_smtp_address(struct mapi_store *store, TALLOC_CTX *mem,
			const char *address_type, const char *address);
/* The name in Dovecot of the user with a distinguished name (legacyExchangeDN):
   the directory's, or what the name was made up of. Whether there's such a user
   isn't looked at. NULL if it can't be anybody's. On mem. */
char *mapi_store_dn_to_username(const struct mapi_store_settings *set,
				TALLOC_CTX *mem, const char *dn);
/* The other way round: what a user is known by. On mem. */
char *mapi_store_username_to_dn(const struct mapi_store_settings *set,
				TALLOC_CTX *mem, const char *username);
/* The name of the user with an SMTP address, as the directory has it. */
char *mapi_store_address_to_username(const struct mapi_store_settings *set,
				     TALLOC_CTX *mem, const char *address);
/* It's an address of the mailbox's owner: the primary one, or one that the
   directory knows. */
bool mapi_store_is_owner_address(struct mapi_store *store,
				 const char *address);
/* Who sends mail from the mailbox: its owner, or the user who has opened it. Strings
   are the store's. */
struct mapi_store_sender {
	/* the address if there's none */
	const char *name;
	/* SMTP; legacyExchangeDN */
	const char *address, *dn;
};
void mapi_store_get_sender(struct mapi_store *store,
			   struct mapi_store_sender *sender_r);
/* It's an address of the sender's: the primary one, or one that the directory
   knows. */
bool mapi_store_is_sender_address(struct mapi_store *store,
				  const char *address);
/* The sender is a delegate of who has this address, and may so send on behalf of
   him. */
bool mapi_store_sender_is_delegate(struct mapi_store *store,
				   const char *address);
/* TRUE if there's a directory at all */
bool mapi_store_has_directory(struct mapi_store *store);

/* For what reads many messages: between begin and end nothing is asked. end
   asks in one round trip for all that was wanted in between, and returns TRUE
   if there was anything: then the same is read once more. */
void mapi_store_directory_batch_begin(struct mapi_store *store);
bool mapi_store_directory_batch_end(struct mapi_store *store);
/* TRUE if something was wanted since begin */
bool mapi_store_directory_batch_pending(struct mapi_store *store);

/* The properties of a group, as PidTagSender* */
enum mapi_directory_field {
	MAPI_DIRECTORY_FIELD_NAME,
	MAPI_DIRECTORY_FIELD_ADDRESS_TYPE,
	MAPI_DIRECTORY_FIELD_EMAIL_ADDRESS,
	MAPI_DIRECTORY_FIELD_ENTRY_ID,
	MAPI_DIRECTORY_FIELD_SEARCH_KEY,
};
/* On mem. */
struct mapi_value
mapi_directory_object_value(const struct mapi_directory_object *object,
			    enum mapi_directory_field field, TALLOC_CTX *mem);

/* The name that is shown for somebody in the directory: the one that the
   message gives, as far as it gives one. The sender has chosen it, other
   clients of the mailbox show it, and a table that is sorted by it doesn't
   change with the directory. The choice is ours.
   TRUE if the message gives none: it's empty, or the address. */
bool mapi_directory_wants_name(const char *name, const char *address);

#endif
