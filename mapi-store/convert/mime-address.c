/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "message-address.h"
#include "mapi-entryid.h"
#include "mime-address.h"
#include "mime-text.h"

static bool
mime_address_convert(TALLOC_CTX *mem, const struct message_address *addr,
		     struct mime_address *address_r)
{
	const char *name, *address;
	bool ret;

	/* without a domain it's a group's beginning or end */
	if (addr->domain == NULL || addr->mailbox == NULL)
		return FALSE;
	T_BEGIN {
		address = *addr->domain == '\0' ? addr->mailbox :
			t_strconcat(addr->mailbox, "@", addr->domain, NULL);
		address = t_mime_text_decode(address);
		name = addr->name == NULL ? "" : t_mime_text_decode(addr->name);
		ret = *address != '\0' || *name != '\0';
		if (ret) {
			i_zero(address_r);
			address_r->address = mime_strdup(mem, address);
			address_r->name = *name == '\0' ?
				address_r->address : mime_strdup(mem, name);
		}
	} T_END;
	return ret;
}

void mime_addresses_parse(TALLOC_CTX *mem, const char *raw, unsigned int max,
			  ARRAY_TYPE(mime_address) *dest)
{
	const struct message_address *addr;
	struct mime_address parsed;
	pool_t pool;

	if (array_count(dest) >= max)
		return;
	/* dest may be on the data stack: no frame of ours around it */
	pool = pool_alloconly_create("addresses", 1024);
	addr = message_address_parse(pool, (const unsigned char *)raw,
				     strlen(raw), max - array_count(dest), 0);
	for (; addr != NULL; addr = addr->next) {
		if (mime_address_convert(mem, addr, &parsed))
			array_push_back(dest, &parsed);
	}
	pool_unref(&pool);
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
