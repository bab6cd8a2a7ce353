/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_ADDRESS_H
#define MIME_ADDRESS_H

/* Addresses in header fields, and the groups of properties that say one
   address, [MS-OXCMAIL] 2.6. Private to this folder. */

#include "lib.h"
#include "mime-headers.h"

struct mime_address {
	/* UTF-8; never NULL. The address where there's no name. */
	const char *name;
	const char *address;
};
ARRAY_DEFINE_TYPE(mime_address, struct mime_address);

/* Appends the addresses of a field's value, up to max in all; members of
   groups too. Names and addresses are on mem. */
void mime_addresses_parse(TALLOC_CTX *mem, const char *raw, unsigned int max,
			  ARRAY_TYPE(mime_address) *dest);

/* The attributes of a property group */
enum mime_address_field {
	MIME_ADDRESS_NAME,
	MIME_ADDRESS_TYPE,
	MIME_ADDRESS_EMAIL,
	MIME_ADDRESS_SMTP,
	MIME_ADDRESS_ENTRY_ID,
	MIME_ADDRESS_SEARCH_KEY,
};
/* *value_r is on mem. MIME_ADDRESS_SMTP of what isn't an SMTP address is
   MIME_PROP_NOT_FOUND. */
enum mime_prop_result
mime_address_get(const struct mime_address *addr,
		 enum mime_address_field field, TALLOC_CTX *mem,
		 struct mapi_value *value_r);

#endif
