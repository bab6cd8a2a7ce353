/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "buffer.h"
#include "ioloop.h"
#include "llist.h"
#include "istream.h"
#include "istream-unix.h"
#include "ostream.h"
#include "ostream-unix.h"
#include "net.h"
#include "mapi-sessions-client.h"

#include <unistd.h>

#define MAPI_SESSIONS_RECONNECT_MSECS 500
/* Longer than the registry waits for workers after its own restart. */
#define MAPI_SESSIONS_LOOKUP_TIMEOUT_MSECS (5 * 1000)
/* Never full of messages without descriptors, so that one with a descriptor is
   always read whole */
#define MAPI_SESSIONS_MAX_INPUT (64 * 1024)
/* What may wait for a process that doesn't read */
#define MAPI_SESSIONS_MAX_OUTPUT (64 * 1024)

/* --- protocol ------------------------------------------------------------ */

/* Descriptors come with the last message that a read has brought, since the
   kernel ends a read behind one; and only messages that promise one take it. */
static bool mapi_sessions_msg_has_fd(const struct mapi_sessions_msg *msg)
{
	return msg->type == MAPI_SESSIONS_ATTACH ||
		(msg->type == MAPI_SESSIONS_RESULT && msg->username_size > 0);
}

int mapi_sessions_msg_read(struct istream *input,
			   struct mapi_sessions_msg *msg_r,
			   const char **username_r, int *fd_r)
{
	const unsigned char *data;
	size_t size;

	*fd_r = -1;
	data = i_stream_get_data(input, &size);
	if (size < sizeof(*msg_r))
		return 0;
	memcpy(msg_r, data, sizeof(*msg_r));
	if (msg_r->type < MAPI_SESSIONS_REGISTER ||
	    msg_r->type > MAPI_SESSIONS_RESULT ||
	    msg_r->username_size > MAPI_SESSIONS_MAX_USERNAME)
		return -1;
	if (size - sizeof(*msg_r) < msg_r->username_size)
		return 0;
	*username_r = t_strndup(data + sizeof(*msg_r), msg_r->username_size);
	i_stream_skip(input, sizeof(*msg_r) + msg_r->username_size);
	if (mapi_sessions_msg_has_fd(msg_r)) {
		*fd_r = i_stream_unix_get_read_fd(input);
		if (*fd_r == -1)
			return -1;
		i_stream_unix_set_read_fd(input);
	}
	return 1;
}

bool mapi_sessions_msg_send(struct ostream *output,
			    enum mapi_sessions_msg_type type, uint32_t id,
			    const unsigned char key[MAPI_SESSION_KEY_SIZE],
			    const char *username, int fd)
{
	struct mapi_sessions_msg msg;
	buffer_t *buf;
	int dup_fd = -1;
	bool sent;

	i_zero(&msg);
	msg.type = type;
	msg.id = id;
	memcpy(msg.key, key, sizeof(msg.key));
	msg.username_size = username == NULL ? 0 : strlen(username);
	if (msg.username_size > MAPI_SESSIONS_MAX_USERNAME)
		return FALSE;

	/* In one piece: if the descriptor went with half a message, the reader
	   would take the next message's one without noticing. */
	buf = t_buffer_create(sizeof(msg) + msg.username_size);
	buffer_append(buf, &msg, sizeof(msg));
	if (msg.username_size > 0)
		buffer_append(buf, username, msg.username_size);

	/* one descriptor at a time can be waiting to be sent */
	if (fd != -1 && o_stream_get_buffer_used_size(output) > 0 &&
	    o_stream_flush(output) <= 0)
		return FALSE;
	if (fd != -1) {
		/* The stream closes it if it couldn't send it until its own
		   end, and forgets it if it could. */
		dup_fd = dup(fd);
		if (dup_fd == -1) {
			i_error("dup() failed: %m");
			return FALSE;
		}
		if (!o_stream_unix_write_fd(output, dup_fd)) {
			i_close_fd(&dup_fd);
			return FALSE;
		}
	}
	sent = o_stream_send(output, buf->data, buf->used) ==
		(ssize_t)buf->used;
	if (dup_fd != -1) {
		if (!sent || o_stream_get_buffer_used_size(output) > 0)
			return FALSE;
		i_close_fd(&dup_fd);
	}
	return sent;
}

/* A connection to the registry. */
struct mapi_sessions_conn {
	int fd;
	struct io *io;
	struct istream *input;
	struct ostream *output;
};

static bool mapi_sessions_conn_open(struct mapi_sessions_conn *conn,
				    const char *path, io_callback_t *callback,
				    void *context)
{
	i_assert(conn->fd == -1);
	conn->fd = net_connect_unix(path);
	if (conn->fd == -1) {
		i_error("net_connect_unix(%s) failed: %m", path);
		return FALSE;
	}
	conn->input = i_stream_create_unix(conn->fd,
					   MAPI_SESSIONS_MAX_INPUT);
	i_stream_unix_set_read_fd(conn->input);
	conn->output = o_stream_create_unix(conn->fd, MAPI_SESSIONS_MAX_OUTPUT);
	o_stream_set_no_error_handling(conn->output, TRUE);
	conn->io = io_add(conn->fd, IO_READ, *callback, context);
	return TRUE;
}

static void mapi_sessions_conn_close(struct mapi_sessions_conn *conn)
{
	if (conn->fd == -1)
		return;
	io_remove(&conn->io);
	i_stream_destroy(&conn->input);
	o_stream_destroy(&conn->output);
	i_close_fd(&conn->fd);
}

/* --- workers ------------------------------------------------------------- */

struct mapi_registration {
	char *path;
	unsigned char key[MAPI_SESSION_KEY_SIZE];
	char *username;
	mapi_registration_attach_t *callback;
	void *context;

	struct mapi_sessions_conn conn;
	struct timeout *to_reconnect;
	bool deinitialized, processing;
};

static void mapi_registration_input(void *context);

static void mapi_registration_connect(struct mapi_registration *reg)
{
	timeout_remove(&reg->to_reconnect);
	if (!mapi_sessions_conn_open(&reg->conn, reg->path,
				     mapi_registration_input, reg) ||
	    !mapi_sessions_msg_send(reg->conn.output, MAPI_SESSIONS_REGISTER,
				    0, reg->key, reg->username, -1)) {
		mapi_sessions_conn_close(&reg->conn);
		reg->to_reconnect = timeout_add_short(
			MAPI_SESSIONS_RECONNECT_MSECS,
			mapi_registration_connect, reg);
	}
}

static void mapi_registration_free(struct mapi_registration *reg)
{
	timeout_remove(&reg->to_reconnect);
	mapi_sessions_conn_close(&reg->conn);
	i_free(reg->path);
	i_free(reg->username);
	i_free(reg);
}

static void mapi_registration_input(void *context)
{
	struct mapi_registration *reg = context;
	struct mapi_sessions_msg msg;
	const char *username;
	int fd, ret = 0;
	bool lost;

	reg->processing = TRUE;
	lost = i_stream_read(reg->conn.input) < 0;
	do T_BEGIN {
		ret = mapi_sessions_msg_read(reg->conn.input, &msg, &username,
					     &fd);
		if (ret > 0 && msg.type == MAPI_SESSIONS_ATTACH &&
		    memcmp(msg.key, reg->key, sizeof(msg.key)) == 0)
			reg->callback(reg->context, fd);
		else if (ret > 0) {
			i_close_fd(&fd);
			ret = -1;
		}
	} T_END; while (ret > 0 && !reg->deinitialized);
	reg->processing = FALSE;

	if (reg->deinitialized)
		mapi_registration_free(reg);
	else if (lost || ret < 0) {
		/* the registry has been restarted: other login processes find
		   the session only when it's registered again */
		mapi_sessions_conn_close(&reg->conn);
		reg->to_reconnect =
			timeout_add_short(0, mapi_registration_connect, reg);
	}
}

struct mapi_registration *
mapi_registration_init(const char *socket_path,
		       const unsigned char key[MAPI_SESSION_KEY_SIZE],
		       const char *username,
		       mapi_registration_attach_t *callback, void *context)
{
	struct mapi_registration *reg;

	reg = i_new(struct mapi_registration, 1);
	reg->conn.fd = -1;
	reg->path = i_strdup(socket_path);
	memcpy(reg->key, key, sizeof(reg->key));
	reg->username = i_strdup(username);
	reg->callback = callback;
	reg->context = context;
	mapi_registration_connect(reg);
	return reg;
}

void mapi_registration_deinit(struct mapi_registration **_reg)
{
	struct mapi_registration *reg = *_reg;

	*_reg = NULL;
	reg->deinitialized = TRUE;
	if (!reg->processing)
		mapi_registration_free(reg);
}

/* --- login processes ----------------------------------------------------- */

struct mapi_sessions_lookup {
	struct mapi_sessions_lookup *prev, *next;
	struct mapi_sessions_client *client;
	uint32_t id;
	struct timeout *to;
	mapi_sessions_lookup_callback_t *callback;
	void *context;
};

struct mapi_sessions_client {
	char *path;
	struct mapi_sessions_conn conn;
	struct mapi_sessions_lookup *lookups;
	uint32_t last_id;
};

static void
mapi_sessions_lookup_finish(struct mapi_sessions_lookup *lookup, int fd,
			    const char *username)
{
	DLLIST_REMOVE(&lookup->client->lookups, lookup);
	timeout_remove(&lookup->to);
	lookup->callback(lookup->context, fd, username);
	i_free(lookup);
}

static void mapi_sessions_lookup_timeout(struct mapi_sessions_lookup *lookup)
{
	i_warning("mapi-sessions: Lookup timed out");
	mapi_sessions_lookup_finish(lookup, -1, NULL);
}

static void mapi_sessions_client_disconnect(struct mapi_sessions_client *client)
{
	mapi_sessions_conn_close(&client->conn);
	while (client->lookups != NULL)
		mapi_sessions_lookup_finish(client->lookups, -1, NULL);
}

static void
mapi_sessions_client_result(struct mapi_sessions_client *client,
			    const struct mapi_sessions_msg *msg,
			    const char *username, int fd)
{
	struct mapi_sessions_lookup *lookup;

	for (lookup = client->lookups; lookup != NULL; lookup = lookup->next) {
		if (lookup->id == msg->id)
			break;
	}
	if (lookup == NULL)
		i_close_fd(&fd);
	else if (fd == -1)
		mapi_sessions_lookup_finish(lookup, -1, NULL);
	else
		mapi_sessions_lookup_finish(lookup, fd, username);
}

static void mapi_sessions_client_input(void *context)
{
	struct mapi_sessions_client *client = context;
	struct mapi_sessions_msg msg;
	const char *username;
	int fd, ret;
	bool lost;

	lost = i_stream_read(client->conn.input) < 0;
	do T_BEGIN {
		ret = mapi_sessions_msg_read(client->conn.input, &msg,
					     &username, &fd);
		if (ret > 0 && msg.type != MAPI_SESSIONS_RESULT) {
			i_close_fd(&fd);
			ret = -1;
		} else if (ret > 0)
			mapi_sessions_client_result(client, &msg, username, fd);
	} T_END; while (ret > 0);
	if (lost || ret < 0)
		mapi_sessions_client_disconnect(client);
}

struct mapi_sessions_client *mapi_sessions_client_init(const char *socket_path)
{
	struct mapi_sessions_client *client;

	client = i_new(struct mapi_sessions_client, 1);
	client->path = i_strdup(socket_path);
	client->conn.fd = -1;
	return client;
}

void mapi_sessions_client_deinit(struct mapi_sessions_client **_client)
{
	struct mapi_sessions_client *client = *_client;

	*_client = NULL;
	mapi_sessions_client_disconnect(client);
	i_free(client->path);
	i_free(client);
}

void mapi_sessions_lookup(struct mapi_sessions_client *client,
			  const unsigned char key[MAPI_SESSION_KEY_SIZE],
			  mapi_sessions_lookup_callback_t *callback,
			  void *context)
{
	struct mapi_sessions_lookup *lookup;

	if (client->conn.fd == -1 &&
	    !mapi_sessions_conn_open(&client->conn, client->path,
				     mapi_sessions_client_input, client)) {
		callback(context, -1, NULL);
		return;
	}
	lookup = i_new(struct mapi_sessions_lookup, 1);
	lookup->client = client;
	lookup->id = ++client->last_id;
	lookup->callback = callback;
	lookup->context = context;
	lookup->to = timeout_add(MAPI_SESSIONS_LOOKUP_TIMEOUT_MSECS,
				 mapi_sessions_lookup_timeout, lookup);
	DLLIST_PREPEND(&client->lookups, lookup);
	if (!mapi_sessions_msg_send(client->conn.output, MAPI_SESSIONS_LOOKUP,
				    lookup->id, key, NULL, -1))
		mapi_sessions_client_disconnect(client);
}
