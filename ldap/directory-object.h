/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DIRECTORY_OBJECT_H
#define DIRECTORY_OBJECT_H

/* An object of the directory as the address book sees it: what a source's
   entry becomes by the attribute map (directory-map.h), and what a snapshot is
   built of (snapshot-build.h).

   Strings are valid UTF-8 without control characters. Everything belongs to
   the pool that the object's maker was given. */

#include "mapi-value.h"

/* length of an object's id: entryUUID, objectGUID, or the first bytes of the
   SHA-256 of the normalised DN in directories that have neither */
#define DIRECTORY_ID_SIZE 16

enum directory_kind {
	DIRECTORY_USER,		/* has a mailbox here */
	DIRECTORY_GROUP,
	DIRECTORY_CONTACT,	/* a mail address elsewhere */
	DIRECTORY_ROOM,
	DIRECTORY_EQUIPMENT,
	/* an organisational unit: an address list of what is below it */
	DIRECTORY_CONTAINER,
	DIRECTORY_KIND_COUNT
};

enum directory_hide {
	DIRECTORY_HIDE_FROM_GAL		= 0x01,
	/* from the other address lists */
	DIRECTORY_HIDE_FROM_LISTS	= 0x02,
	/* from name resolution; its own address still finds it */
	DIRECTORY_HIDE_FROM_RESOLVE	= 0x04,
};

/* Tag of links from a mailbox to the users who get it opened beside their own
   (Exchange's automapping). It isn't a property, and nothing that the address
   book shows. */
#define DIRECTORY_LINK_AUTOMAPPING 0xffff000dU

/* A reference to another object, e.g. a member or a manager. */
struct directory_link {
	/* PIDTAG_ADDRESS_BOOK_MEMBER, _MANAGER, _OWNER, _PUBLIC_DELEGATES,
	   DIRECTORY_LINK_AUTOMAPPING: forward links only, the others are their
	   reverse */
	uint32_t tag;
	/* normalised */
	const char *dn;
};

struct directory_object {
	unsigned char id[DIRECTORY_ID_SIZE];
	enum directory_kind kind;
	enum directory_hide hide;
	/* normalised by directory_dn_normalize(): equal DNs are equal bytes */
	const char *dn;
	/* never empty; a container's is its name */
	const char *display_name;
	/* name of the user in Dovecot, NULL if it has no mailbox here */
	const char *username;
	/* primary SMTP address, NULL if it has none */
	const char *address;
	/* [count] all SMTP addresses without a prefix, the primary one first */
	const char *const *addresses;
	unsigned int addresses_count;
	/* never empty; taken from the directory or synthesised */
	const char *legacy_dn;

	/* Further properties: PTYP_STRING, PTYP_BINARY, PTYP_INTEGER32,
	   PTYP_BOOLEAN and multiple strings and binaries. No tag twice, nor any
	   that is computed of the above (entry ids, PidTagDisplayName,
	   PidTagSmtpAddress, PidTagAddressBookProxyAddresses ...). */
	const struct mapi_property *props;
	unsigned int props_count;
	const struct directory_link *links;
	unsigned int links_count;
};

#endif
