/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mapi: the process that serves a session. mapi-login hands it the connection
   of a user whose authentication it then verifies with auth itself. */

#include "lib.h"
#include "ioloop.h"
#include "lib-event.h"
#include "path-util.h"
#include "master-service-settings.h"

#include "mapi-settings.h"
#include "mail-storage-service.h"
#include "mapi-compat.h"
#include "addressbook-client.h"
#include "mapi-deferred.h"
#include "mapi-worker.h"
#include "worker-deferred.h"

#include <talloc.h>

static struct event_category event_category_mapi = {
	.name = "mapi",
};

static struct master_login *master_login = NULL;
static struct mail_storage_service_ctx *storage_service = NULL;
static char *sessions_path = NULL;
static struct mapi_directory *directory = NULL;
static struct mapi_deferrals *deferrals = NULL;

static struct event *
mapi_user_event(const struct master_login_client *login, const char *username)
{
	struct event *event = event_create(NULL);
	const struct master_auth_request *req = &login->auth_req;

	event_add_category(event, &event_category_mapi);
	event_add_str(event, "user", username);
	event_add_str(event, "session", login->session_id);
	if (req->local_ip.family != 0)
		event_add_str(event, "local_ip", net_ip2addr(&req->local_ip));
	if (req->local_port != 0)
		event_add_int(event, "local_port", req->local_port);
	if (req->remote_ip.family != 0)
		event_add_str(event, "remote_ip", net_ip2addr(&req->remote_ip));
	if (req->remote_port != 0)
		event_add_int(event, "remote_port", req->remote_port);
	return event;
}

static void
login_client_connected(const struct master_login_client *login,
		       const char *username, const char *const *extra_fields)
{
	struct mapi_compat_user user;
	struct event *event = mapi_user_event(login, username);
	const char *error;
	int fd = login->fd;

	if (mapi_compat_user_open(storage_service, login, username,
				  extra_fields, event, &user, &error) < 0) {
		/* The login process sees that the channel is closed. */
		e_error(event, "%s", error);
		i_close_fd(&fd);
		master_service_client_connection_destroyed(master_service);
	} else {
		mapi_worker_session_create(&user, fd, sessions_path, directory,
					   deferrals, event);
	}
	event_unref(&event);
}

static void login_client_failed(const struct master_login_client *login,
				const char *errormsg)
{
	i_error("Login failed: %s (session %s)", errormsg, login->session_id);
}

static void directory_init(void)
{
	struct addressbook_client_settings set = addressbook_client_defaults;
	const char *error;

	if (t_abspath("mapi-addressbook-lookup", &set.path, &error) < 0)
		i_fatal("t_abspath(mapi-addressbook-lookup) failed: %s", error);
	directory = addressbook_client_init(&set, NULL);
}

static void deferrals_init(void)
{
	const char *path, *error;

	if (t_abspath(MAPI_DEFERRED_SOCKET, &path, &error) < 0) {
		i_fatal("t_abspath(%s) failed: %s", MAPI_DEFERRED_SOCKET,
			error);
	}
	deferrals = mapi_deferred_client_init(path);
}

static void client_connected(struct master_service_connection *conn)
{
	master_service_client_connection_accept(conn);
	if (strcmp(conn->name, MAPI_SUBMIT_SOCKET) == 0)
		worker_deferred_connected(conn->fd);
	else
		master_login_add(master_login, conn->fd);
}

static void session_destroyed(void)
{
	master_service_client_connection_destroyed(master_service);
}

static void out_of_memory(const char *reason)
{
	i_panic("talloc: %s", reason);
}

int main(int argc, char *argv[])
{
	const char *path, *error;

	master_service = master_service_init("mapi",
		MASTER_SERVICE_FLAG_KEEP_CONFIG_OPEN, &argc, &argv, "");
	if (master_getopt(master_service) > 0)
		return FATAL_DEFAULT;
	talloc_set_abort_fn(out_of_memory);
	master_service_set_die_callback(master_service,
					mapi_worker_sessions_die);
	mapi_worker_session_destroyed = session_destroyed;

	/* the working directory becomes the user's home later */
	if (t_abspath("mapi-sessions", &path, &error) < 0)
		i_fatal("t_abspath(mapi-sessions) failed: %s", error);
	sessions_path = i_strdup(path);
	directory_init();
	deferrals_init();
	master_login = mapi_compat_login_init(master_service, "auth-master",
					      login_client_connected,
					      login_client_failed);
	storage_service = mapi_compat_storage_init(master_service,
						   &mapi_setting_parser_info);
	worker_deferred_init(storage_service, directory, deferrals,
			     &event_category_mapi, session_destroyed);
	master_service_init_finish(master_service);

	master_service_run(master_service, client_connected);

	mapi_worker_sessions_destroy();
	worker_deferred_deinit();
	master_login_deinit(&master_login);
	mail_storage_service_deinit(&storage_service);
	addressbook_client_deinit(&directory);
	mapi_deferred_client_deinit(&deferrals);
	i_free(sessions_path);
	master_service_deinit(&master_service);
	return 0;
}
