/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Properties that say what a message has to do with the mailbox's owner. */

#include "lib.h"
#include "mapi-entryid.h"
#include "mapi-mailprops-private.h"
#include "mapi-store-directory.h"

/* arg: what of the mailbox owner */
enum { RECEIVER_NAME, RECEIVER_ADDRTYPE, RECEIVER_DN, RECEIVER_SMTP };

enum mapi_error
mapi_mailprop_from_mime(struct mapi_message_view *view, TALLOC_CTX *mem,
		   uint32_t tag, struct mapi_value *value_r)
{
	struct mime_message *mime = mapi_message_view_mime(view);

	if (mime == NULL)
		return mapi_message_view_error(view);
	switch (mime_message_get_prop(mime, mem, tag, SIZE_MAX, value_r)) {
	case MIME_PROP_FOUND:
		return EC_NONE;
	case MIME_PROP_FAILED:
		return mapi_message_view_error(view);
	default:
		return EC_NOT_FOUND;
	}
}

/* By the primary address only: the flags of all messages of a folder are read to
   restrict it to unread ones, and the directory needn't be asked about every
   sender for that. */
enum mapi_error
mapi_mailprop_is_from_me(struct mapi_message_view *view, TALLOC_CTX *mem,
		    bool *yes_r)
{
	const char *own = mapi_store_settings_get(view->store)->email_address;
	struct mapi_value value;
	enum mapi_error error;

	*yes_r = FALSE;
	if (own == NULL || *own == '\0')
		return EC_NONE;
	error = mapi_mailprop_from_mime(view, mem,
				   PIDTAG_SENT_REPRESENTING_EMAIL_ADDRESS,
				   &value);
	if (error == EC_NOT_FOUND)
		return EC_NONE;
	if (error == EC_NONE)
		*yes_r = strcasecmp(value.u.str, own) == 0;
	return error;
}

/* arg: MAPI_TO, MAPI_CC, 0 for any. [MS-OXOMSG] 2.2.1.19 - 2.2.1.21 */
static enum mapi_error
mailprop_get_to_me(struct mapi_message_view *view,
		   const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		   struct mapi_value *value_r)
{
	const struct mime_recipient *recipients;
	struct mime_message *mime;
	unsigned int i, count;

	*value_r = mapi_value_bool(FALSE);
	mime = mapi_message_view_mime(view);
	if (mime == NULL ||
	    mime_message_get_recipients(mime, &recipients, &count) < 0)
		return mapi_message_view_error(view);
	for (i = 0; i < count && !value_r->u.b; i++) {
		if (prop->arg == 0 || prop->arg == (int)recipients[i].type) {
			value_r->u.b = mapi_store_is_owner_address(view->store,
				recipients[i].address);
		}
	}
	return EC_NONE;
}

/* Who received it: the owner of the mailbox. */
static enum mapi_error
mailprop_get_receiver(struct mapi_message_view *view,
		      const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		      struct mapi_value *value_r)
{
	const struct mapi_store_settings *set =
		mapi_store_settings_get(view->store);
	const char *str;

	switch (prop->arg) {
	case RECEIVER_NAME:
		str = set->display_name != NULL && *set->display_name != '\0' ?
			set->display_name : set->email_address;
		break;
	case RECEIVER_ADDRTYPE:
		str = "EX";
		break;
	case RECEIVER_DN:
		str = mapi_store_owner_dn(view->store);
		break;
	case RECEIVER_SMTP:
		str = set->email_address;
		break;
	default:
		i_unreached();
	}
	if (str == NULL || *str == '\0')
		return EC_NOT_FOUND;
	*value_r = mapi_value_str(talloc_strdup(mem, str));
	return EC_NONE;
}

static enum mapi_error
mailprop_get_receiver_entryid(struct mapi_message_view *view,
			      const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			      struct mapi_value *value_r)
{
	struct mapi_binary bin;

	bin = mapi_addressbook_entry_id_build(mem, MAPI_AB_LOCAL_USER,
					      mapi_store_owner_dn(view->store));
	*value_r = mapi_value_bin(bin.data, bin.len);
	return EC_NONE;
}

/* [MS-OXCPRPT] 2.2.1.9 */
static enum mapi_error
mailprop_get_receiver_search_key(struct mapi_message_view *view,
				 const struct mapi_mailprop *prop, TALLOC_CTX *mem,
				 struct mapi_value *value_r)
{
	struct mapi_binary bin;

	bin = mapi_recipient_search_key_build(mem, "EX",
					      mapi_store_owner_dn(view->store));
	*value_r = mapi_value_bin(bin.data, bin.len);
	return EC_NONE;
}

#define I(tag, get, ...) { PIDTAG_##tag, mailprop_get_##get, __VA_ARGS__ }
#define STORED .flags = MAILPROP_STORED
#define RECEIVER(who) \
	I(who##_NAME, receiver, RECEIVER_NAME, STORED), \
	I(who##_ADDRESS_TYPE, receiver, RECEIVER_ADDRTYPE, STORED), \
	I(who##_EMAIL_ADDRESS, receiver, RECEIVER_DN, STORED), \
	I(who##_SMTP_ADDRESS, receiver, RECEIVER_SMTP, STORED), \
	I(who##_ENTRY_ID, receiver_entryid, 0, STORED), \
	I(who##_SEARCH_KEY, receiver_search_key, 0, STORED)

const struct mapi_mailprop mapi_mailprops_owner[] = {
	I(MESSAGE_TO_ME, to_me, MAPI_TO, 0, { PIDTAG_DISPLAY_TO }),
	I(MESSAGE_CC_ME, to_me, MAPI_CC, 0, { PIDTAG_DISPLAY_CC }),
	I(MESSAGE_RECIPIENT_ME, to_me, 0, 0,
	  { PIDTAG_DISPLAY_TO, PIDTAG_DISPLAY_CC }),
	RECEIVER(RECEIVED_BY),
	RECEIVER(RECEIVED_REPRESENTING),
	{ 0 }
};
