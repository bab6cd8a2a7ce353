/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "lib-event.h"
#include "ostream.h"
#include "connection.h"
#include "mail-user.h"
#include "mapi-client.h"
#include "mapi-deferred.h"
#include "worker-deferred.h"

#include <talloc.h>

#define DEFERRED_MAX_INPUT (16 * 1024)

static struct connection_list *deferred_connections;
static struct mail_storage_service_ctx *deferred_storage_service;
static struct mapi_directory *deferred_directory;
static struct mapi_deferrals *deferred_deferrals;
static struct event_category *deferred_category;
static void (*deferred_destroyed)(void);

static const char *
deferred_send_user(const struct mapi_compat_user *user)
{
	struct mapi_store_settings set;
	struct mapi_deferred_result result;
	struct mapi_store *store;
	enum mapi_error error;

	i_zero(&set);
	mapi_client_store_settings(user, deferred_directory, &set);
	error = mapi_store_open(NULL, user->mail_user, &set, &store);
	if (error == EC_NONE) {
		error = mapi_submit_deferred(store, &result);
		talloc_free(store);
	}
	if (error != EC_NONE) {
		e_error(user->mail_user->event,
			"mapi: Deferred mail can't be looked at: %s",
			mapi_error_name(error));
		return "FAIL\n";
	}
	/* it may be an administrator who asks, since nobody knows of it */
	if (result.next != 0) {
		(void)deferred_deferrals->add(deferred_deferrals,
					      user->mail_user->username,
					      result.next);
	}
	return t_strdup_printf("OK\t%u\t%u\t%u\t%s\n", result.sent,
			       result.failed, result.held,
			       dec2str(result.next));
}

static const char *deferred_send(const char *username)
{
	struct mapi_compat_user user;
	struct event *event = event_create(NULL);
	const char *error, *answer;
	int ret;

	event_add_category(event, deferred_category);
	event_add_str(event, "user", username);
	ret = mapi_compat_user_lookup(deferred_storage_service, username, event,
				      &user, &error);
	if (ret > 0) {
		answer = deferred_send_user(&user);
		mapi_compat_user_close(&user);
	} else if (ret == 0) {
		answer = "NOUSER\n";
	} else {
		e_error(event, "%s", error);
		answer = "FAIL\n";
	}
	event_unref(&event);
	return answer;
}

/* This process belongs to the user afterwards: it's asked only once. */
static int
deferred_input_args(struct connection *conn, const char *const *args)
{
	if (str_array_length(args) != 2 || strcmp(args[0], "SEND") != 0 ||
	    *args[1] == '\0')
		e_error(conn->event, "Client sent an invalid line");
	else
		o_stream_nsend_str(conn->output, deferred_send(args[1]));
	return -1;
}

static void deferred_destroy(struct connection *conn)
{
	connection_deinit(conn);
	i_free(conn);
	deferred_destroyed();
}

static const struct connection_settings deferred_set = {
	.service_name_in = MAPI_SUBMIT_SOCKET,
	.service_name_out = MAPI_SUBMIT_SOCKET,
	.major_version = 1,
	.minor_version = 0,
	.input_max_size = DEFERRED_MAX_INPUT,
	.output_max_size = SIZE_MAX,
	.client = FALSE,
};

static const struct connection_vfuncs deferred_vfuncs = {
	.destroy = deferred_destroy,
	.input_args = deferred_input_args,
};

void worker_deferred_init(struct mail_storage_service_ctx *storage_service,
			  struct mapi_directory *directory,
			  struct mapi_deferrals *deferrals,
			  struct event_category *category,
			  void (*destroyed)(void))
{
	deferred_storage_service = storage_service;
	deferred_directory = directory;
	deferred_deferrals = deferrals;
	deferred_category = category;
	deferred_destroyed = destroyed;
	deferred_connections = connection_list_init(&deferred_set,
						    &deferred_vfuncs);
}

void worker_deferred_deinit(void)
{
	connection_list_deinit(&deferred_connections);
}

void worker_deferred_connected(int fd)
{
	struct connection *conn = i_new(struct connection, 1);

	connection_init_server(deferred_connections, conn, MAPI_SUBMIT_SOCKET,
			       fd, fd);
}
