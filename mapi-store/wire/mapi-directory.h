/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_DIRECTORY_H
#define MAPI_DIRECTORY_H

/* What a mailbox asks the directory: who an address, a distinguished name or a
   username belongs to. The interface only; the worker has it answered by the
   address book's processes (module/common/addressbook-client.h). */

#include <stdbool.h>
#include <stdint.h>

enum mapi_directory_key {
	/* any SMTP address of the object, without regard to case */
	MAPI_DIRECTORY_ADDRESS,
	/* without regard to case */
	MAPI_DIRECTORY_LEGACY_DN,
	/* the user's name in Dovecot */
	MAPI_DIRECTORY_USERNAME,
	MAPI_DIRECTORY_KEY_COUNT
};

/* Strings are UTF-8. */
struct mapi_directory_object {
	/* legacyExchangeDN and display name, never empty */
	const char *legacy_dn;
	const char *name;
	/* primary SMTP address, NULL if it has none */
	const char *address;
	/* NULL if it has no mailbox here */
	const char *username;
	/* PidTagObjectType and PidTagDisplayType, [MS-OXOABK] 2.2.3.10, .11 */
	uint32_t object_type, display_type;
	/* legacyExchangeDNs of those who may send on its behalf,
	   PidTagAddressBookPublicDelegates; ends with NULL, NULL if none */
	const char *const *delegates;
};

struct mapi_directory_question {
	enum mapi_directory_key key;
	const char *value;
	/* the answer: NULL if nobody has it, or if that can't be told now */
	const struct mapi_directory_object *object;
};

/* Whoever implements it embeds the struct in its own. Objects are the
   implementation's and live until the next call of lookup. */
struct mapi_directory {
	/* The answer as far as it is known without asking anybody; FALSE if it
	   isn't. What lookup has answered, or tried in vain, is known for a
	   while; at any rate until the next lookup. */
	bool (*peek)(struct mapi_directory *dir, enum mapi_directory_key key,
		     const char *value,
		     const struct mapi_directory_object **object_r);
	/* Answers all questions, in one round trip if any has to be asked.
	   Always sets object. */
	void (*lookup)(struct mapi_directory *dir,
		       struct mapi_directory_question *questions,
		       unsigned int count);
};

#endif
