/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mapi-login: TLS, HTTP and authentication for MAPI clients. Unprivileged and
   chrooted; it parses nothing of a request's body. */

#include "lib.h"
#include "ioloop.h"
#include "restrict-access.h"
#include "settings-parser.h"
#include "iostream-ssl.h"
#include "master-service.h"
#include "master-service-settings.h"
#include "master-service-ssl-settings.h"
#include "login-auth.h"
#include "login-http.h"
#include "login-service.h"
#include "login-session.h"

#include <unistd.h>

const struct mapi_login_settings *login_set;
bool login_dying;

/* How long a process that is to die waits for its connections. */
#define LOGIN_DIE_MSECS (60 * 1000)

static struct timeout *to_die;

static void login_die_timeout(void *context ATTR_UNUSED)
{
	master_service_stop(master_service);
}

/* Dovecot is being reconfigured or stopped. The sessions live on in their
   workers; requests are finished, and those that wait for notifications are
   told that there are none. */
static void login_die(void)
{
	if (login_dying)
		return;
	login_dying = TRUE;
	master_service_stop_new_connections(master_service);
	login_session_end_waits();
	login_http_shut_down();
	if (login_http_connection_count() == 0) {
		master_service_stop(master_service);
		return;
	}
	to_die = timeout_add(LOGIN_DIE_MSECS, login_die_timeout, NULL);
}

/* TLS needs files that the chroot doesn't have. lib-http finds the context
   again in its cache. */
static const struct ssl_iostream_settings *
login_ssl_init(pool_t pool, struct ssl_iostream_context **ctx_r)
{
	const struct master_service_ssl_settings *ssl_set =
		master_service_ssl_settings_get(master_service);
	struct ssl_iostream_settings *set;
	const char *error;

	*ctx_r = NULL;
	if (strcmp(ssl_set->ssl, "no") == 0)
		return NULL;
	set = p_new(pool, struct ssl_iostream_settings, 1);
	master_service_ssl_server_settings_to_iostream_set(ssl_set,
		master_service_ssl_server_settings_get(master_service),
		pool, set);
	if (ssl_iostream_server_context_cache_get(set, ctx_r, &error) < 0)
		i_fatal("Failed to initialize SSL server context: %s", error);
	return set;
}

int main(int argc, char *argv[])
{
	static const struct setting_parser_info *set_roots[] = {
		&mapi_login_setting_parser_info, NULL
	};
	const struct ssl_iostream_settings *ssl_set;
	struct ssl_iostream_context *ssl_ctx;
	const char *error;
	pool_t pool;

	master_service = master_service_init("mapi-login",
		MASTER_SERVICE_FLAG_KEEP_CONFIG_OPEN |
		MASTER_SERVICE_FLAG_NO_SSL_INIT |
		MASTER_SERVICE_FLAG_NO_IDLE_DIE |
		MASTER_SERVICE_FLAG_TRACK_LOGIN_STATE |
		MASTER_SERVICE_FLAG_UPDATE_PROCTITLE, &argc, &argv, "");
	if (master_getopt(master_service) > 0)
		return FATAL_DEFAULT;
	if (master_service_settings_read_simple(master_service, set_roots,
						&error) < 0)
		i_fatal("Error reading configuration: %s", error);
	master_service_init_log_with_pid(master_service);
	login_set = master_service_settings_get_others(master_service)[0];

	pool = pool_alloconly_create("mapi-login", 1024);
	ssl_set = login_ssl_init(pool, &ssl_ctx);
	login_auth_init();
	login_http_init(ssl_set);
	login_session_init();
	login_service_init("mapi-addressbook");

	restrict_access_by_env(0, NULL);
	restrict_access_allow_coredumps(TRUE);
	/* Without root there's no chroot, but the sockets have the same
	   names. */
	if (restrict_access_get_current_chroot() == NULL &&
	    chdir("login") < 0)
		i_fatal("chdir(login) failed: %m");

	login_auth_connect();
	master_service_set_die_callback(master_service, login_die);
	master_service_init_finish(master_service);
	master_service_run(master_service, login_http_client_connected);

	timeout_remove(&to_die);
	login_http_deinit();
	login_session_deinit();
	login_service_deinit();
	login_auth_deinit();
	if (ssl_ctx != NULL)
		ssl_iostream_context_unref(&ssl_ctx);
	pool_unref(&pool);
	master_service_deinit(&master_service);
	return 0;
}
