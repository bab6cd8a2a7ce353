/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "message-address.h"
#include "mapi-entryid.h"
#include "mime-address.h"
#include "mime-text.h"

void mime_addresses_parse(TALLOC_CTX *mem, const char *raw, unsigned int max,
			  ARRAY_TYPE(mime_address) *dest)
{
	const struct message_address *addr;
	struct mime_address *dest_addr;
	const char *name, *address;

	if (array_count(dest) >= max)
		return;
	T_BEGIN {
		addr = message_address_parse(pool_datastack_create(),
			(const unsigned char *)raw, strlen(raw),
			max - array_count(dest), 0);
		for (; addr != NULL; addr = addr->next) {
			/* without a domain it's a group's beginning or end */
			if (addr->domain == NULL || addr->mailbox == NULL)
				continue;
			address = *addr->domain == '\0' ? addr->mailbox :
				t_strconcat(addr->mailbox, "@",
					    addr->domain, NULL);
			address = t_mime_text_decode(address);
			name = addr->name == NULL ? "" :
				t_mime_text_decode(addr->name);
			if (*address == '\0' && *name == '\0')
				continue;
			dest_addr = array_append_space(dest);
			dest_addr->address = mime_strdup(mem, address);
			dest_addr->name = *name == '\0' ? dest_addr->address :
				mime_strdup(mem, name);
		}
	} T_END;
}

enum mime_prop_result
mime_address_get(const struct mime_address *addr,
		 enum mime_address_field field, TALLOC_CTX *mem,
		 struct mapi_value *value_r)
{
	switch (field) {
	case MIME_ADDRESS_NAME:
		*value_r = mapi_value_str(mime_strdup(mem, addr->name));
		break;
	case MIME_ADDRESS_TYPE:
		*value_r = mapi_value_str(mime_strdup(mem, "SMTP"));
		break;
	case MIME_ADDRESS_SMTP:
		if (strchr(addr->address, '@') == NULL)
			return MIME_PROP_NOT_FOUND;
		/* fall through */
	case MIME_ADDRESS_EMAIL:
		*value_r = mapi_value_str(mime_strdup(mem, addr->address));
		break;
	case MIME_ADDRESS_ENTRY_ID:
		value_r->type = PTYP_BINARY;
		value_r->u.bin = mapi_one_off_entry_id_build(mem, addr->name,
			"SMTP", addr->address);
		break;
	case MIME_ADDRESS_SEARCH_KEY:
		value_r->type = PTYP_BINARY;
		value_r->u.bin = mapi_recipient_search_key_build(mem, "SMTP",
			addr->address);
		break;
	}
	return MIME_PROP_FOUND;
}
