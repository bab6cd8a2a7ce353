/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "strescape.h"
#include "strnum.h"
#include "ostream.h"
#include "connection.h"
#include "lookup.h"

/* Longest line of a client's */
#define LOOKUP_MAX_INPUT (16 * 1024)
/* What may wait for a client that asks but doesn't read */
#define LOOKUP_MAX_OUTPUT (1024 * 1024)

static struct connection_list *lookup_connections = NULL;
static lookup_find_t *lookup_find;
static void (*lookup_destroyed)(void);

static int lookup_key_parse(const char *str, enum mapi_directory_key *key_r)
{
	if (strcmp(str, "address") == 0)
		*key_r = MAPI_DIRECTORY_ADDRESS;
	else if (strcmp(str, "legacy-dn") == 0)
		*key_r = MAPI_DIRECTORY_LEGACY_DN;
	else if (strcmp(str, "username") == 0)
		*key_r = MAPI_DIRECTORY_USERNAME;
	else
		return -1;
	return 0;
}

static void lookup_add_field(string_t *str, const char *name, const char *value)
{
	if (value == NULL)
		return;
	str_printfa(str, "\t%s=", name);
	str_append_tabescaped(str, value);
}

static int
lookup_input_args(struct connection *conn, const char *const *args)
{
	struct mapi_directory_object object;
	enum mapi_directory_key key;
	const char *const *delegates;
	string_t *reply;
	uint32_t id;

	if (str_array_length(args) != 4 || strcmp(args[0], "LOOKUP") != 0 ||
	    str_to_uint32(args[1], &id) < 0 ||
	    lookup_key_parse(args[2], &key) < 0) {
		e_error(conn->event, "Client sent an invalid line");
		return -1;
	}
	reply = t_str_new(256);
	i_zero(&object);
	if (!lookup_find(key, args[3], &object)) {
		str_printfa(reply, "NOTFOUND\t%u", id);
	} else {
		str_printfa(reply, "OK\t%u", id);
		lookup_add_field(reply, "dn", object.legacy_dn);
		lookup_add_field(reply, "name", object.name);
		lookup_add_field(reply, "address", object.address);
		lookup_add_field(reply, "username", object.username);
		str_printfa(reply, "\ttype=%u\tobject=%u", object.display_type,
			    object.object_type);
		for (delegates = object.delegates;
		     delegates != NULL && *delegates != NULL; delegates++)
			lookup_add_field(reply, "delegate", *delegates);
	}
	str_append_c(reply, '\n');
	/* it ends the connection if the buffer is full */
	o_stream_nsend(conn->output, str_data(reply), str_len(reply));
	return 1;
}

static void lookup_connection_destroy(struct connection *conn)
{
	connection_deinit(conn);
	i_free(conn);
	if (lookup_destroyed != NULL)
		lookup_destroyed();
}

static const struct connection_settings lookup_set = {
	.service_name_in = LOOKUP_SERVICE_NAME,
	.service_name_out = LOOKUP_SERVICE_NAME,
	.major_version = 1,
	.minor_version = 0,
	.input_max_size = LOOKUP_MAX_INPUT,
	.output_max_size = LOOKUP_MAX_OUTPUT,
	.client = FALSE,
};

static const struct connection_vfuncs lookup_vfuncs = {
	.destroy = lookup_connection_destroy,
	.input_args = lookup_input_args,
};

void lookup_connections_init(lookup_find_t *find, void (*destroyed)(void))
{
	lookup_find = find;
	lookup_destroyed = destroyed;
	lookup_connections = connection_list_init(&lookup_set, &lookup_vfuncs);
}

void lookup_connections_deinit(void)
{
	connection_list_deinit(&lookup_connections);
}

void lookup_connection_create(int fd)
{
	struct connection *conn = i_new(struct connection, 1);

	connection_init_server(lookup_connections, conn, LOOKUP_SERVICE_NAME,
			       fd, fd);
}

unsigned int lookup_connections_count(void)
{
	return lookup_connections == NULL ? 0 :
		lookup_connections->connections_count;
}
