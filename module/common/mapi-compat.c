/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "hostpid.h"
#include "ioloop.h"
#include "ipwd.h"
#include "path-util.h"
#include "restrict-access.h"
#include "settings-parser.h"
#include "master-service-settings.h"
#include "mail-user.h"
#include "mail-storage-service.h"
#include "mapi-settings.h"
#include "smtp-submit-settings.h"
#include "mapi-compat.h"

struct master_login *
mapi_compat_login_init(struct master_service *service, const char *auth_socket,
		       mapi_compat_login_callback_t *callback,
		       master_login_failure_callback_t *failure_callback)
{
	struct master_login_settings set;
	const char *error;

	i_zero(&set);
	set.postlogin_timeout_secs = MASTER_POSTLOGIN_TIMEOUT_DEFAULT;
	set.callback = callback;
	set.failure_callback = failure_callback;
	if (t_abspath(auth_socket, &set.auth_socket_path, &error) < 0)
		i_fatal("t_abspath(%s) failed: %s", auth_socket, error);
	return master_login_init(service, &set);
}

struct mail_storage_service_ctx *
mapi_compat_storage_init(struct master_service *service,
			 const struct setting_parser_info *info)
{
	const struct setting_parser_info *roots[] = {
		info, &smtp_submit_setting_parser_info, NULL
	};

	return mail_storage_service_init(service, roots,
					 MAIL_STORAGE_SERVICE_FLAG_NO_SSL_CA);
}

static int
mapi_compat_user_read_settings(struct mapi_compat_user *user,
			       const char **error_r)
{
	const struct var_expand_table *table;
	struct smtp_submit_settings *submission;
	struct mapi_settings *set;
	const char *error;

	/* [0] is the mail user's settings */
	set = mail_storage_service_user_get_set(user->service_user)[1];
	submission = mail_storage_service_user_get_set(user->service_user)[2];
	table = mail_user_var_expand_table(user->mail_user);
	if (settings_var_expand(&mapi_setting_parser_info, set,
				user->mail_user->pool, table, &error) <= 0 ||
	    settings_var_expand(&smtp_submit_setting_parser_info, submission,
				user->mail_user->pool, table, &error) <= 0) {
		*error_r = t_strdup_printf("Failed to expand settings: %s",
					   error);
		mapi_compat_user_close(user);
		return -1;
	}
	user->set = set;
	user->submission = submission;
	return 0;
}

int mapi_compat_user_open(struct mail_storage_service_ctx *ctx,
			  const struct master_login_client *login,
			  const char *username,
			  const char *const *extra_fields,
			  struct event *event,
			  struct mapi_compat_user *user_r,
			  const char **error_r)
{
	enum mail_auth_request_flags flags = login->auth_req.flags;
	struct mail_storage_service_input input;

	i_zero(user_r);
	i_zero(&input);
	input.module = input.service = "mapi";
	input.event_parent = event;
	input.local_ip = login->auth_req.local_ip;
	input.remote_ip = login->auth_req.remote_ip;
	input.local_port = login->auth_req.local_port;
	input.remote_port = login->auth_req.remote_port;
	input.username = username;
	input.userdb_fields = extra_fields;
	input.session_id = login->session_id;
	input.conn_secured =
		(flags & MAIL_AUTH_REQUEST_FLAG_CONN_SECURED) != 0;
	input.conn_ssl_secured =
		(flags & MAIL_AUTH_REQUEST_FLAG_CONN_SSL_SECURED) != 0;

	if (mail_storage_service_lookup_next(ctx, &input,
					     &user_r->service_user,
					     &user_r->mail_user, error_r) <= 0)
		return -1;
	restrict_access_allow_coredumps(TRUE);

	return mapi_compat_user_read_settings(user_r, error_r);
}

int mapi_compat_user_lookup(struct mail_storage_service_ctx *ctx,
			    const char *username, struct event *event,
			    struct mapi_compat_user *user_r,
			    const char **error_r)
{
	struct mail_storage_service_input input;
	int ret;

	i_zero(user_r);
	i_zero(&input);
	input.module = input.service = "mapi";
	input.event_parent = event;
	input.username = username;
	input.flags_override_add = MAIL_STORAGE_SERVICE_FLAG_USERDB_LOOKUP;
	ret = mail_storage_service_lookup_next(ctx, &input,
					       &user_r->service_user,
					       &user_r->mail_user, error_r);
	if (ret <= 0)
		return ret;
	restrict_access_allow_coredumps(TRUE);
	return mapi_compat_user_read_settings(user_r, error_r) < 0 ? -1 : 1;
}

static bool
mapi_compat_other_user_is_allowed(struct mail_storage_service_user *user,
				  const char **error_r)
{
	/* the mail user's settings, with what the userdb says */
	const struct mail_user_settings *set =
		mail_storage_service_user_get_set(user)[0];
	struct passwd pw;
	uid_t uid;

	/* the first character says whether variables have been expanded */
	if ((*set->mail_chroot != '\0' && set->mail_chroot[1] != '\0') ||
	    restrict_access_get_current_chroot() != NULL) {
		*error_r = "mail in a chroot can't be shared";
		return FALSE;
	}
	if (*set->mail_uid == '\0')
		return TRUE;
	if (str_to_uid(set->mail_uid, &uid) < 0) {
		if (i_getpwnam(set->mail_uid, &pw) <= 0) {
			*error_r = t_strdup_printf("uid %s isn't known",
						   set->mail_uid);
			return FALSE;
		}
		uid = pw.pw_uid;
	}
	if (uid != geteuid()) {
		*error_r = t_strdup_printf("mail belongs to uid %s, "
			"this process runs as %s", dec2str(uid),
			dec2str(geteuid()));
		return FALSE;
	}
	return TRUE;
}

/* ACLs are looked up as if self, with self's groups, used the mailbox. */
static int
mapi_compat_other_user_set_acl(const struct mapi_compat_user *self,
			       struct mail_storage_service_user *user,
			       const char **error_r)
{
	const char *groups =
		mail_user_plugin_getenv(self->mail_user, "acl_groups");

	if (mail_storage_service_user_set_setting(user, "plugin/acl_user",
			self->mail_user->username, error_r) < 0 ||
	    mail_storage_service_user_set_setting(user, "plugin/acl_groups",
			groups == NULL ? "" : groups, error_r) < 0)
		return -1;
	return 0;
}

int mapi_compat_other_user_open(const struct mapi_compat_user *self,
				const char *username, struct event *event,
				struct mapi_compat_user *user_r,
				const char **error_r)
{
	struct mail_storage_service_ctx *ctx =
		mail_storage_service_get_global();
	const struct mail_user_connection_data *conn =
		&self->mail_user->conn;
	struct ioloop_context *ioloop_ctx =
		io_loop_get_current_context(current_ioloop);
	struct mail_storage_service_input input;
	int ret;

	i_zero(user_r);
	i_zero(&input);
	input.module = input.service = "mapi";
	input.event_parent = event;
	if (conn->local_ip != NULL)
		input.local_ip = *conn->local_ip;
	if (conn->remote_ip != NULL)
		input.remote_ip = *conn->remote_ip;
	input.local_port = conn->local_port;
	input.remote_port = conn->remote_port;
	input.username = username;
	input.session_id_prefix = self->mail_user->session_id;
	input.conn_secured = conn->secured;
	input.conn_ssl_secured = conn->ssl_secured;
	/* The process stays self's. */
	input.flags_override_add = MAIL_STORAGE_SERVICE_FLAG_USERDB_LOOKUP |
		MAIL_STORAGE_SERVICE_FLAG_NO_RESTRICT_ACCESS |
		MAIL_STORAGE_SERVICE_FLAG_NO_CHDIR |
		MAIL_STORAGE_SERVICE_FLAG_NO_LOG_INIT;

	ret = mail_storage_service_lookup(ctx, &input, &user_r->service_user,
					  error_r);
	if (ret <= 0)
		return ret < 0 ? -1 : 0;
	if (!mapi_compat_other_user_is_allowed(user_r->service_user, error_r) ||
	    mapi_compat_other_user_set_acl(self, user_r->service_user,
					   error_r) < 0) {
		mapi_compat_user_close(user_r);
		return -1;
	}
	ret = mail_storage_service_next(ctx, user_r->service_user,
					&user_r->mail_user, error_r);
	/* what is logged next is of self's session */
	if (ioloop_ctx != NULL)
		io_loop_context_switch(ioloop_ctx);
	if (ret < 0) {
		mapi_compat_user_close(user_r);
		return -1;
	}
	return mapi_compat_user_read_settings(user_r, error_r) < 0 ? -1 : 1;
}

void mapi_compat_user_close(struct mapi_compat_user *user)
{
	if (user->mail_user != NULL)
		mail_user_deinit(&user->mail_user);
	if (user->service_user != NULL)
		mail_storage_service_user_unref(&user->service_user);
	user->set = NULL;
	user->submission = NULL;
}

static bool
mapi_compat_anvil_send(struct mail_user *user, const char *command)
{
	const char *ident = mail_user_get_anvil_userip_ident(user);

	if (ident == NULL)
		return FALSE;
	master_service_anvil_send(master_service, t_strdup_printf(
		"%s\t%s\tmapi/%s\n", command, my_pid, ident));
	return TRUE;
}

bool mapi_compat_anvil_connect(struct mail_user *user)
{
	return mapi_compat_anvil_send(user, "CONNECT");
}

void mapi_compat_anvil_disconnect(struct mail_user *user)
{
	(void)mapi_compat_anvil_send(user, "DISCONNECT");
}
