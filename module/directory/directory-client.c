/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "istream.h"
#include "llist.h"
#include "ostream.h"
#include "strescape.h"
#include "master-service.h"
#include "directory-client.h"
#include "directory-modify.h"

#include <unistd.h>

/* some certificates, or some thousands of members */
#define DIRECTORY_MAX_COMMAND (1024 * 1024)

struct directory_client {
	struct directory_client *prev, *next;
	int refcount;
	int fd;
	struct io *io;
	struct istream *input;
	struct ostream *output;
	const struct directory_client_vfuncs *v;
	struct directory_modify *modify;
};

static struct directory_client *directory_clients;

static void directory_client_input(struct directory_client *client);

static void directory_client_unref(struct directory_client *client)
{
	if (--client->refcount > 0)
		return;
	i_stream_destroy(&client->input);
	o_stream_destroy(&client->output);
	i_free(client);
}

static void directory_client_destroy(struct directory_client *client)
{
	DLLIST_REMOVE(&directory_clients, client);
	io_remove(&client->io);
	i_stream_close(client->input);
	o_stream_close(client->output);
	i_close_fd(&client->fd);
	directory_client_unref(client);
	master_service_client_connection_destroyed(master_service);
}

static void directory_client_modified(void *context, const char *error)
{
	struct directory_client *client = context;

	if (client->fd != -1) {
		o_stream_nsend_str(client->output, error == NULL ? "+\n" :
			t_strdup_printf("-\t%s\n", str_tabescape(error)));
		client->io = io_add_istream(client->input,
					    directory_client_input, client);
		/* what has been read already doesn't wake it */
		i_stream_set_input_pending(client->input, TRUE);
	}
	directory_client_unref(client);
}

static void
directory_client_modify(struct directory_client *client,
			const char *const *args)
{
	if (client->modify == NULL) {
		o_stream_nsend_str(client->output,
				   "-\tmapi_ldap_write isn't set\n");
		return;
	}
	/* the next command waits for the answer */
	io_remove(&client->io);
	client->refcount++;
	directory_modify_run(client->modify, args, directory_client_modified,
			     client);
}

static void
directory_client_command(struct directory_client *client, const char *line)
{
	const char *const *args = t_strsplit_tabescaped(line);

	if (args[0] == NULL)
		o_stream_nsend_str(client->output, "-\tNo command\n");
	else if (strcmp(args[0], "STATUS") == 0)
		o_stream_nsend_str(client->output, client->v->status());
	else if (strcmp(args[0], "REFRESH") == 0) {
		client->v->refresh();
		o_stream_nsend_str(client->output, "+\n");
	} else if (strcmp(args[0], "MODIFY") == 0)
		directory_client_modify(client, args + 1);
	else
		o_stream_nsend_str(client->output, "-\tUnknown command\n");
}

static void directory_client_input(struct directory_client *client)
{
	const char *line;

	while (client->io != NULL &&
	       (line = i_stream_read_next_line(client->input)) != NULL) T_BEGIN {
		directory_client_command(client, line);
	} T_END;
	if (client->io == NULL)
		return;
	if (client->input->eof || client->input->stream_errno != 0 ||
	    i_stream_get_data_size(client->input) >= DIRECTORY_MAX_COMMAND)
		directory_client_destroy(client);
}

void directory_client_create(int fd, const struct directory_client_vfuncs *v,
			     struct directory_modify *modify)
{
	struct directory_client *client;

	client = i_new(struct directory_client, 1);
	client->refcount = 1;
	client->fd = fd;
	client->v = v;
	client->modify = modify;
	client->input = i_stream_create_fd(fd, DIRECTORY_MAX_COMMAND);
	client->output = o_stream_create_fd(fd, SIZE_MAX);
	o_stream_set_no_error_handling(client->output, TRUE);
	client->io = io_add_istream(client->input, directory_client_input,
				    client);
	DLLIST_PREPEND(&directory_clients, client);
}

void directory_clients_deinit(void)
{
	while (directory_clients != NULL)
		directory_client_destroy(directory_clients);
}
