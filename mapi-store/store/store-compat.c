/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "iostream-ssl.h"
#include "smtp-client.h"
#include "store-compat.h"

struct smtp_client *
store_compat_smtp_client_init(struct mail_user *user,
			      const struct smtp_client_settings *set)
{
	struct smtp_client_settings smtp_set = *set;
	struct ssl_iostream_settings ssl_set;

	/* From 2.4 on lib-smtp gets them by itself, from the event. */
	mail_user_init_ssl_client_settings(user, &ssl_set);
	smtp_set.ssl = &ssl_set;
	smtp_set.event_parent = user->event;
	return smtp_client_init(&smtp_set);
}
