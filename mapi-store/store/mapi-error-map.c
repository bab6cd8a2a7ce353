/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "mail-storage-private.h"
#include "mapi-store-private.h"

/* What an operator must know has been logged by lib-storage where it happened
   only for MAIL_ERROR_TEMP with a critical error; the rest is the business of
   the protocol. So log here what isn't an answer to a client's mistake. */
static const struct {
	enum mail_error mail_error;
	enum mapi_error mapi_error;
	bool log;
} error_map[] = {
	{ MAIL_ERROR_TEMP, EC_ERROR, TRUE },
	{ MAIL_ERROR_UNAVAILABLE, EC_ERROR, TRUE },
	{ MAIL_ERROR_NOTPOSSIBLE, EC_NOT_SUPPORTED, FALSE },
	{ MAIL_ERROR_PARAMS, EC_INVALID_PARAM, FALSE },
	/* A folder that the user may not see doesn't exist for him; one that
	   he sees, he may do less with. Only the latter gets here. */
	{ MAIL_ERROR_PERM, EC_ACCESS_DENIED, FALSE },
	/* Outlook has no proper text for "disk full" */
	{ MAIL_ERROR_NOQUOTA, EC_QUOTA_EXCEEDED, FALSE },
	{ MAIL_ERROR_NOTFOUND, EC_NOT_FOUND, FALSE },
	{ MAIL_ERROR_EXISTS, EC_DUPLICATE_NAME, FALSE },
	{ MAIL_ERROR_EXPUNGED, EC_OBJECT_DELETED, FALSE },
	{ MAIL_ERROR_INUSE, EC_BUSY, TRUE },
	{ MAIL_ERROR_CONVERSION, EC_CORRUPT_DATA, FALSE },
	{ MAIL_ERROR_INVALIDDATA, EC_CORRUPT_DATA, FALSE },
	{ MAIL_ERROR_LIMIT, EC_TOO_BIG, FALSE },
	{ MAIL_ERROR_LOOKUP_ABORTED, EC_ERROR, FALSE },
};

static enum mapi_error
mapi_error_map(enum mail_error error, const char *internal,
	       struct event *event, const char *what)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(error_map); i++) {
		if (error_map[i].mail_error != error)
			continue;
		if (error_map[i].log)
			e_error(event, "mapi: %s: %s", what, internal);
		return error_map[i].mapi_error;
	}
	e_error(event, "mapi: %s: Unknown error %u: %s", what, error, internal);
	return EC_ERROR;
}

enum mapi_error mapi_error_from_mailbox(struct mailbox *box)
{
	enum mail_error error;
	const char *internal;

	internal = mailbox_get_last_internal_error(box, &error);
	return mapi_error_map(error, internal, box->event,
			      t_strdup_printf("Mailbox %s", box->vname));
}

enum mapi_error mapi_error_from_list(struct mailbox_list *list)
{
	enum mail_error error;
	const char *internal;

	internal = mailbox_list_get_last_internal_error(list, &error);
	return mapi_error_map(error, internal,
			      mailbox_list_get_user(list)->event,
			      "Listing mailboxes");
}
