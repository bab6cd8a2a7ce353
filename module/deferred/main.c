/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mapi-deferred: remembers when users' mail is to be sent that isn't to be sent yet
   (mapi-deferred.h), and has it done. It knows nothing but usernames and times. */

#include "lib.h"
#include "ioloop.h"
#include "ostream.h"
#include "path-util.h"
#include "strnum.h"
#include "connection.h"
#include "restrict-access.h"
#include "master-service.h"
#include "master-service-settings.h"
#include "mapi-deferred.h"
#include "mapi-settings.h"
#include "deferred-queue.h"
#include "deferred-send.h"

#define DEFERRED_MAX_INPUT (16 * 1024)
/* no mailbox has such a name */
#define DEFERRED_MAX_USERNAME 1024

/* NULL if it's switched off, or if the file can't be used: then nothing is taken on */
static struct deferred_queue *deferred_queue;
static struct connection_list *deferred_clients;

static bool deferred_add(const char *username, time_t due)
{
	const char *error;
	int ret;

	if (deferred_queue == NULL)
		return FALSE;
	ret = deferred_queue_add(deferred_queue, username, due, &error);
	if (ret < 0)
		i_error("%s", error);
	deferred_send_added(username, due);
	return ret == 0;
}

static int client_input_args(struct connection *conn, const char *const *args)
{
	time_t due;

	if (str_array_length(args) != 3 || strcmp(args[0], "ADD") != 0 ||
	    *args[1] == '\0' || strlen(args[1]) > DEFERRED_MAX_USERNAME ||
	    str_to_time(args[2], &due) < 0 || due <= 0) {
		e_error(conn->event, "Client sent an invalid line");
		return -1;
	}
	o_stream_nsend_str(conn->output, deferred_add(args[1], due) ?
			   "OK\n" : "FAIL\n");
	return 1;
}

static void client_destroy(struct connection *conn)
{
	connection_deinit(conn);
	i_free(conn);
	master_service_client_connection_destroyed(master_service);
}

static const struct connection_settings client_set = {
	.service_name_in = MAPI_DEFERRED_SOCKET,
	.service_name_out = MAPI_DEFERRED_SOCKET,
	.major_version = 1,
	.minor_version = 0,
	.input_max_size = DEFERRED_MAX_INPUT,
	.output_max_size = SIZE_MAX,
	.client = FALSE,
};

static const struct connection_vfuncs client_vfuncs = {
	.destroy = client_destroy,
	.input_args = client_input_args,
};

static void client_connected(struct master_service_connection *conn)
{
	struct connection *client = i_new(struct connection, 1);

	master_service_client_connection_accept(conn);
	connection_init_server(deferred_clients, client, MAPI_DEFERRED_SOCKET,
			       conn->fd, conn->fd);
}

/* The next process needs the file. */
static void die(void)
{
	io_loop_stop(current_ioloop);
}

int main(int argc, char *argv[])
{
	static const struct setting_parser_info *roots[] = {
		&mapi_deferred_setting_parser_info, NULL
	};
	const struct mapi_deferred_settings *set;
	const char *path, *error;

	master_service = master_service_init("mapi-deferred",
		MASTER_SERVICE_FLAG_NO_IDLE_DIE, &argc, &argv, "");
	if (master_getopt(master_service) > 0)
		return FATAL_DEFAULT;
	if (master_service_settings_read_simple(master_service, roots,
						&error) < 0)
		i_fatal("Error reading configuration: %s", error);
	master_service_init_log_with_pid(master_service);
	master_service_set_die_callback(master_service, die);
	restrict_access_by_env(RESTRICT_ACCESS_FLAG_ALLOW_ROOT, NULL);
	restrict_access_allow_coredumps(TRUE);

	if (t_abspath(MAPI_SUBMIT_SOCKET, &path, &error) < 0)
		i_fatal("t_abspath(%s) failed: %s", MAPI_SUBMIT_SOCKET, error);
	set = master_service_settings_get_others(master_service)[0];
	deferred_clients = connection_list_init(&client_set, &client_vfuncs);
	if (*set->mapi_deferred_queue != '\0') {
		if (deferred_queue_init(set->mapi_deferred_queue,
					&deferred_queue, &error) < 0) {
			i_error("mapi_deferred_queue: %s", error);
		} else {
			deferred_send_init(deferred_queue, path);
		}
	}
	master_service_init_finish(master_service);
	master_service_run(master_service, client_connected);

	connection_list_deinit(&deferred_clients);
	if (deferred_queue != NULL) {
		deferred_send_deinit();
		deferred_queue_deinit(&deferred_queue);
	}
	master_service_deinit(&master_service);
	return 0;
}
