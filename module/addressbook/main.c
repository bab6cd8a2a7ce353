/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mapi-addressbook: answers address book requests of many clients from the
   snapshot that mapi-directory has made of the directory. It waits for nobody:
   every request is answered at once, but for those that change the directory. */

#include "lib.h"
#include "ioloop.h"
#include "path-util.h"
#include "restrict-access.h"
#include "settings-parser.h"
#include "master-service.h"
#include "master-service-settings.h"
#include "mapi-directory-settings.h"
#include "addressbook-snapshot.h"
#include "addressbook-session.h"
#include "directory-writer.h"
#include "directory-writer.h"
#include "lookup.h"

#include <talloc.h>

static void client_connected(struct master_service_connection *conn)
{
	master_service_client_connection_accept(conn);
	if (strcmp(conn->name, LOOKUP_SERVICE_NAME) == 0)
		lookup_connection_create(conn->fd);
	else
		addressbook_connection_create(conn->fd);
}

static void client_destroyed(void)
{
	master_service_client_connection_destroyed(master_service);
}

static bool
lookup_find(enum mapi_directory_key key, const char *value,
	    struct mapi_directory_object *object_r)
{
	return lookup_snapshot_find(addressbook_snapshot_get(), key, value,
				    object_r);
}

static void out_of_memory(const char *reason)
{
	i_panic("talloc: %s", reason);
}

int main(int argc, char *argv[])
{
	static const struct setting_parser_info *set_roots[] = {
		&mapi_addressbook_setting_parser_info, NULL
	};
	struct addressbook_session_params params;
	const struct mapi_addressbook_settings *set;
	const char *path, *error;
	char *sessions_path;

	master_service = master_service_init("mapi-addressbook", 0,
					     &argc, &argv, "");
	if (master_getopt(master_service) > 0)
		return FATAL_DEFAULT;
	if (master_service_settings_read_simple(master_service, set_roots,
						&error) < 0)
		i_fatal("Error reading configuration: %s", error);
	master_service_init_log_with_pid(master_service);
	set = master_service_settings_get_others(master_service)[0];
	restrict_access_by_env(RESTRICT_ACCESS_FLAG_ALLOW_ROOT, NULL);
	restrict_access_allow_coredumps(TRUE);
	talloc_set_abort_fn(out_of_memory);

	i_zero(&params);
	params.set = set;
	params.destroyed = client_destroyed;
	if (t_abspath("mapi-sessions", &path, &error) < 0)
		i_fatal("t_abspath(mapi-sessions) failed: %s", error);
	/* master_service_init_finish() ends this data stack frame */
	params.sessions_path = sessions_path = i_strdup(path);
	if (t_abspath("mapi-directory", &path, &error) < 0)
		i_fatal("t_abspath(mapi-directory) failed: %s", error);
	directory_writer_init(path);
	addressbook_snapshot_init(set->mapi_directory_cache);
	addressbook_sessions_init(&params);
	lookup_connections_init(lookup_find, client_destroyed);
	master_service_set_die_callback(master_service,
					addressbook_sessions_die);
	master_service_init_finish(master_service);

	master_service_run(master_service, client_connected);

	lookup_connections_deinit();
	addressbook_sessions_deinit();
	directory_writer_deinit();
	addressbook_snapshot_deinit();
	i_free(sessions_path);
	master_service_deinit(&master_service);
	return 0;
}
