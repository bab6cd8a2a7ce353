/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mapi-sessions: tells login processes which worker has which session, by
   connecting the two (mapi-sessions-client.h). It knows keys, which are hashes
   of the secrets in clients' cookies, and usernames; it sees no request.

   After a restart it knows nothing until the workers have registered again,
   which they do at once. So for the first seconds a lookup that finds nothing
   waits for that. */

#include "lib.h"
#include "ioloop.h"
#include "array.h"
#include "hash.h"
#include "llist.h"
#include "istream.h"
#include "istream-unix.h"
#include "ostream.h"
#include "ostream-unix.h"
#include "restrict-access.h"
#include "master-service.h"
#include "master-service-settings.h"
#include "mapi-sessions-client.h"

#include <unistd.h>
#include <sys/socket.h>

#define SESSIONS_GRACE_MSECS (3 * 1000)
#define SESSIONS_MAX_OUTPUT (64 * 1024)

struct sessions_client {
	struct sessions_client *prev, *next;
	int fd;
	struct io *io;
	struct istream *input;
	struct ostream *output;

	/* a worker: the session that it has registered; a worker process that
	   serves several sessions has a connection for each */
	bool registered;
	unsigned char key[MAPI_SESSION_KEY_SIZE];
	char *username;
};

struct sessions_waiter {
	struct sessions_client *client;
	uint32_t id;
	unsigned char key[MAPI_SESSION_KEY_SIZE];
};

static struct sessions_client *sessions_clients;
static HASH_TABLE(const unsigned char *,
		  struct sessions_client *) sessions_workers;
static ARRAY(struct sessions_waiter) sessions_waiters;
static struct timeout *to_grace;

/* Keys are hashes: any four bytes of one will do. */
static unsigned int sessions_key_hash(const unsigned char *key)
{
	unsigned int hash;

	memcpy(&hash, key, sizeof(hash));
	return hash;
}

static int sessions_key_cmp(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, MAPI_SESSION_KEY_SIZE);
}

static struct sessions_client *sessions_find(const unsigned char *key)
{
	return hash_table_lookup(sessions_workers, key);
}

static void sessions_client_destroy(struct sessions_client *client)
{
	const struct sessions_waiter *waiter;

	DLLIST_REMOVE(&sessions_clients, client);
	if (client->registered) {
		hash_table_remove(sessions_workers,
				  (const unsigned char *)client->key);
	}
	for (unsigned int i = array_count(&sessions_waiters); i > 0; i--) {
		waiter = array_idx(&sessions_waiters, i - 1);
		if (waiter->client == client)
			array_delete(&sessions_waiters, i - 1, 1);
	}
	io_remove(&client->io);
	i_stream_destroy(&client->input);
	o_stream_destroy(&client->output);
	i_close_fd(&client->fd);
	i_free(client->username);
	i_free(client);
	master_service_client_connection_destroyed(master_service);
}

/* Gives both sides an end of a new pair of sockets. */
static bool
sessions_attach(struct sessions_client *worker, struct sessions_client *login,
		uint32_t id)
{
	int fd[2];
	bool ret;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0) {
		i_error("socketpair() failed: %m");
		return FALSE;
	}
	ret = mapi_sessions_msg_send(worker->output, MAPI_SESSIONS_ATTACH, 0,
				     worker->key, NULL, fd[0]) &&
		mapi_sessions_msg_send(login->output, MAPI_SESSIONS_RESULT, id,
				       worker->key, worker->username, fd[1]);
	i_close_fd(&fd[0]);
	i_close_fd(&fd[1]);
	return ret;
}

static void
sessions_answer(struct sessions_client *login, uint32_t id,
		const unsigned char *key)
{
	struct sessions_client *worker;

	worker = sessions_find(key);
	if (worker != NULL && sessions_attach(worker, login, id))
		return;
	(void)mapi_sessions_msg_send(login->output, MAPI_SESSIONS_RESULT, id,
				     key, NULL, -1);
}

static void
sessions_lookup(struct sessions_client *client,
		const struct mapi_sessions_msg *msg)
{
	struct sessions_waiter *waiter;

	if (to_grace == NULL ||
	    sessions_find(msg->key) != NULL) {
		sessions_answer(client, msg->id, msg->key);
		return;
	}
	waiter = array_append_space(&sessions_waiters);
	waiter->client = client;
	waiter->id = msg->id;
	memcpy(waiter->key, msg->key, sizeof(waiter->key));
}

static bool
sessions_register(struct sessions_client *client,
		  const struct mapi_sessions_msg *msg, const char *username)
{
	const struct sessions_waiter *waiter;

	if (client->registered || *username == '\0' ||
	    sessions_find(msg->key) != NULL)
		return FALSE;
	client->registered = TRUE;
	memcpy(client->key, msg->key, sizeof(client->key));
	client->username = i_strdup(username);
	hash_table_insert(sessions_workers,
			  (const unsigned char *)client->key, client);

	for (unsigned int i = array_count(&sessions_waiters); i > 0; i--) {
		waiter = array_idx(&sessions_waiters, i - 1);
		if (sessions_key_cmp(waiter->key, client->key) != 0)
			continue;
		sessions_answer(waiter->client, waiter->id, waiter->key);
		array_delete(&sessions_waiters, i - 1, 1);
	}
	return TRUE;
}

static void sessions_grace_over(void *context ATTR_UNUSED)
{
	const struct sessions_waiter *waiter;

	timeout_remove(&to_grace);
	array_foreach(&sessions_waiters, waiter)
		sessions_answer(waiter->client, waiter->id, waiter->key);
	array_clear(&sessions_waiters);
}

static void sessions_client_input(struct sessions_client *client)
{
	struct mapi_sessions_msg msg;
	const char *username;
	int fd, ret;
	bool lost;

	lost = i_stream_read(client->input) < 0;
	do T_BEGIN {
		ret = mapi_sessions_msg_read(client->input, &msg, &username,
					     &fd);
		if (ret > 0 && msg.type == MAPI_SESSIONS_LOOKUP)
			sessions_lookup(client, &msg);
		else if (ret > 0 && msg.type == MAPI_SESSIONS_REGISTER) {
			if (!sessions_register(client, &msg, username)) {
				i_error("A session couldn't be registered "
					"for %s", username);
				ret = -1;
			}
		} else if (ret > 0) {
			i_close_fd(&fd);
			ret = -1;
		}
	} T_END; while (ret > 0);
	if (lost || ret < 0)
		sessions_client_destroy(client);
}

static void sessions_client_connected(struct master_service_connection *conn)
{
	struct sessions_client *client;

	master_service_client_connection_accept(conn);
	client = i_new(struct sessions_client, 1);
	client->fd = conn->fd;
	net_set_nonblock(client->fd, TRUE);
	/* Nobody sends us descriptors: they aren't even received. */
	client->input = i_stream_create_unix(client->fd, IO_BLOCK_SIZE);
	client->output = o_stream_create_unix(client->fd, SESSIONS_MAX_OUTPUT);
	o_stream_set_no_error_handling(client->output, TRUE);
	client->io = io_add(client->fd, IO_READ, sessions_client_input, client);
	DLLIST_PREPEND(&sessions_clients, client);
}

int main(int argc, char *argv[])
{
	const char *error;

	master_service = master_service_init("mapi-sessions",
		MASTER_SERVICE_FLAG_NO_IDLE_DIE, &argc, &argv, "");
	if (master_getopt(master_service) > 0)
		return FATAL_DEFAULT;
	if (master_service_settings_read_simple(master_service, NULL,
						&error) < 0)
		i_fatal("Error reading configuration: %s", error);
	master_service_init_log_with_pid(master_service);
	restrict_access_by_env(RESTRICT_ACCESS_FLAG_ALLOW_ROOT, NULL);
	restrict_access_allow_coredumps(TRUE);

	hash_table_create(&sessions_workers, default_pool, 0,
			  sessions_key_hash, sessions_key_cmp);
	i_array_init(&sessions_waiters, 16);
	to_grace = timeout_add(SESSIONS_GRACE_MSECS, sessions_grace_over, NULL);

	master_service_init_finish(master_service);
	master_service_run(master_service, sessions_client_connected);

	timeout_remove(&to_grace);
	while (sessions_clients != NULL)
		sessions_client_destroy(sessions_clients);
	array_free(&sessions_waiters);
	hash_table_destroy(&sessions_workers);
	master_service_deinit(&master_service);
	return 0;
}
