/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_COMPAT_H
#define MAPI_COMPAT_H

/* What the processes use of Dovecot's API that isn't the same in all versions
   of Dovecot. Nothing else in module/ names such functions or fields; today
   there's one version, 2.3. */

#include "net.h"
#include "master-service.h"
#include "master-login.h"

struct event;
struct mail_user;
struct mail_storage_service_ctx;
struct mail_storage_service_user;
struct setting_parser_info;
struct mapi_settings;

/* Called for a user that has logged in, with a channel to the login process.
   The callee owns login->fd. */
typedef master_login_callback_t mapi_compat_login_callback_t;

/* Authenticated channels from login processes. auth_socket is relative to the
   base directory. */
struct master_login *
mapi_compat_login_init(struct master_service *service, const char *auth_socket,
		       mapi_compat_login_callback_t *callback,
		       master_login_failure_callback_t *failure_callback);

struct mail_storage_service_ctx *
mapi_compat_storage_init(struct master_service *service,
			 const struct setting_parser_info *info);

struct mapi_compat_user {
	struct mail_storage_service_user *service_user;
	struct mail_user *mail_user;
	/* on the user's pool, variables expanded */
	const struct mapi_settings *set;
	/* how mail is sent */
	const struct smtp_submit_settings *submission;
};

/* Looks up the user of a login, drops privileges to it and opens its
   namespaces. event is the parent of the user's event. Returns 0, or -1 and an
   error for the log. */
int mapi_compat_user_open(struct mail_storage_service_ctx *ctx,
			  const struct master_login_client *login,
			  const char *username,
			  const char *const *extra_fields,
			  struct event *event,
			  struct mapi_compat_user *user_r,
			  const char **error_r);
/* The same of a user that hasn't logged in: it's looked up in the userdb. Returns 1; 0 if
   there's no such user; -1 and an error. */
int mapi_compat_user_lookup(struct mail_storage_service_ctx *ctx,
			    const char *username, struct event *event,
			    struct mapi_compat_user *user_r,
			    const char **error_r);
/* Opens the mail of another user beside that of self, for whose session this
   process has been started, such that ACLs take self for who asks. The user is
   looked up in the userdb; username may be changed by that. event is the parent
   of the user's event. Returns 1; 0 if there's no such user; -1 and an error if
   this process can't have the mail: its files belong to another uid, it's in
   another chroot, its settings aren't valid. */
int mapi_compat_other_user_open(const struct mapi_compat_user *self,
				const char *username, struct event *event,
				struct mapi_compat_user *user_r,
				const char **error_r);
void mapi_compat_user_close(struct mapi_compat_user *user);

/* Tells anvil that this process serves the user: for "doveadm who" and "kick",
   and for the limit of connections by user and IP. Returns FALSE where there's
   nothing to tell (no IP). */
bool mapi_compat_anvil_connect(struct mail_user *user);
void mapi_compat_anvil_disconnect(struct mail_user *user);

#endif
