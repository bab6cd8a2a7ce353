/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "lib-event.h"
#include "str-sanitize.h"
#include "mail-user.h"
#include "mapi-settings.h"
#include "mapi-client.h"
#include "mapi-other-users.h"

struct other_user {
	struct mapi_other_user other;
	struct mapi_compat_user user;
};

static enum mapi_error
other_users_open(struct mapi_other_users *users, const char *username,
		 struct mapi_other_user **user_r)
{
	struct mapi_client_other_users *others =
		container_of(users, struct mapi_client_other_users, users);
	struct mapi_client *client = others->client;
	struct mapi_compat_user user;
	struct other_user *other;
	const char *error;
	int ret;

	ret = mapi_compat_other_user_open(&client->user, username,
					  client->event, &user, &error);
	if (ret == 0)
		return EC_UNKNOWN_USER;
	if (ret < 0) {
		e_error(client->event, "Can't open the mail of %s: %s",
			str_sanitize(username, 256), error);
		return EC_LOGIN_PERM;
	}
	other = i_new(struct other_user, 1);
	other->user = user;
	other->other.user = user.mail_user;
	mapi_client_store_settings(&user, client->directory,
				   &other->other.set);
	mapi_client_set_delegate(client, &other->other.set);
	*user_r = &other->other;
	return EC_NONE;
}

static void
other_users_close(struct mapi_other_users *users ATTR_UNUSED,
		  struct mapi_other_user **_user)
{
	struct other_user *other =
		container_of(*_user, struct other_user, other);

	*_user = NULL;
	mapi_compat_user_close(&other->user);
	i_free(other);
}

void mapi_client_other_users_init(struct mapi_client_other_users *others,
				  struct mapi_client *client)
{
	others->users.open = other_users_open;
	others->users.close = other_users_close;
	others->client = client;
}
