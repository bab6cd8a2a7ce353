/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who has sent a message, [MS-OXOMSG] 2.2.1.46 ff.: as the header says it, or
   as the directory does if the address is in it. */

#include "lib.h"
#include "mapi-mailprops-private.h"
#include "mapi-store-directory.h"

/* arg: enum mapi_directory_field; header_tags[0]: the address */
static enum mapi_error
mailprop_get_sender(struct mapi_message_view *view,
		    const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		    struct mapi_value *value_r)
{
	const struct mapi_directory_object *object;
	struct mapi_value address;
	enum mapi_error error;

	error = mapi_mailprop_from_mime(view, mem, prop->tag, value_r);
	if (error != EC_NONE || !mapi_store_has_directory(view->store))
		return error;
	error = mapi_mailprop_from_mime(view, mem, prop->header_tags[0],
					&address);
	if (error != EC_NONE)
		return error == EC_NOT_FOUND ? EC_NONE : error;
	if (prop->arg == MAPI_DIRECTORY_FIELD_NAME &&
	    !mapi_directory_wants_name(value_r->u.str, address.u.str))
		return EC_NONE;
	object = mapi_store_directory_find(view->store, address.u.str);
	if (object != NULL)
		*value_r = mapi_directory_object_value(object, prop->arg, mem);
	return EC_NONE;
}

#define I(tag, group, field) \
	{ PIDTAG_##group##_##tag, mailprop_get_sender, \
	  MAPI_DIRECTORY_FIELD_##field, 0, { PIDTAG_##group##_EMAIL_ADDRESS } }
#define SENDER(group) \
	I(NAME, group, NAME), \
	I(ADDRESS_TYPE, group, ADDRESS_TYPE), \
	I(EMAIL_ADDRESS, group, EMAIL_ADDRESS), \
	I(ENTRY_ID, group, ENTRY_ID), \
	I(SEARCH_KEY, group, SEARCH_KEY)

/* PidTagSenderSmtpAddress is the header's in any case. */
const struct mapi_mailprop mapi_mailprops_directory[] = {
	SENDER(SENDER),
	SENDER(SENT_REPRESENTING),
	{ 0 }
};
