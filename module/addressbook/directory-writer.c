/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "base64.h"
#include "ioloop.h"
#include "istream.h"
#include "net.h"
#include "ostream.h"
#include "str.h"
#include "strescape.h"
#include "directory-writer.h"

/* what mapi-directory takes, and what it answers */
#define WRITER_MAX_COMMAND (1024 * 1024)
#define WRITER_MAX_ANSWER 4096
/* mapi-directory gives up earlier, by mapi_ldap_timeout for each server */
#define WRITER_TIMEOUT_MSECS (60 * 1000)

struct directory_writer_request {
	directory_writer_callback_t *callback;
	void *context;
};

static char *writer_path;
static int writer_fd = -1;
static struct io *writer_io;
static struct istream *writer_input;
static struct ostream *writer_output;
static struct timeout *writer_to;
/* in the order of their answers */
static ARRAY(struct directory_writer_request) writer_requests;

static void directory_writer_finish(enum mapi_error error)
{
	struct directory_writer_request req = *array_front(&writer_requests);

	array_pop_front(&writer_requests);
	timeout_remove(&writer_to);
	req.callback(req.context, error);
}

static void directory_writer_disconnect(void)
{
	if (writer_fd == -1)
		return;
	timeout_remove(&writer_to);
	io_remove(&writer_io);
	i_stream_destroy(&writer_input);
	o_stream_destroy(&writer_output);
	i_close_fd(&writer_fd);
	while (array_count(&writer_requests) > 0)
		directory_writer_finish(EC_ACCESS_DENIED);
}

static void directory_writer_timed_out(void *context ATTR_UNUSED)
{
	i_error("mapi-directory hasn't answered for %u seconds",
		WRITER_TIMEOUT_MSECS / 1000);
	directory_writer_disconnect();
}

static void directory_writer_wait(void)
{
	if (writer_to == NULL && array_count(&writer_requests) > 0) {
		writer_to = timeout_add(WRITER_TIMEOUT_MSECS,
					directory_writer_timed_out,
					(void *)NULL);
	}
}

static void directory_writer_input(void *context ATTR_UNUSED)
{
	const char *line;

	while (writer_input != NULL &&
	       (line = i_stream_read_next_line(writer_input)) != NULL) {
		if (array_count(&writer_requests) == 0) {
			i_error("mapi-directory has answered unasked");
			break;
		}
		directory_writer_finish(line[0] == '+' ? EC_NONE :
					EC_ACCESS_DENIED);
	}
	if (writer_input == NULL)
		return;
	if (line != NULL || writer_input->eof ||
	    writer_input->stream_errno != 0)
		directory_writer_disconnect();
	else
		directory_writer_wait();
}

static bool directory_writer_connect(void)
{
	if (writer_fd != -1)
		return TRUE;
	writer_fd = net_connect_unix(writer_path);
	if (writer_fd == -1) {
		i_error("connect(%s) failed: %m", writer_path);
		return FALSE;
	}
	writer_input = i_stream_create_fd(writer_fd, WRITER_MAX_ANSWER);
	writer_output = o_stream_create_fd(writer_fd, SIZE_MAX);
	o_stream_set_no_error_handling(writer_output, TRUE);
	writer_io = io_add(writer_fd, IO_READ, directory_writer_input,
			   (void *)NULL);
	return TRUE;
}

static void
directory_writer_add_part(string_t *cmd, const struct nspi_change_part *part)
{
	static const char ops[] = { '+', '-', '=' };

	str_printfa(cmd, "\t%c%08x\t%u", ops[part->op], part->tag,
		    part->values_count);
	for (uint32_t i = 0; i < part->values_count; i++) {
		str_append_c(cmd, '\t');
		base64_encode(part->values[i].data, part->values[i].len, cmd);
	}
}

void directory_writer_change(const struct nspi_change *change,
			     directory_writer_callback_t *callback,
			     void *context)
{
	struct directory_writer_request *req;
	string_t *cmd = str_new(default_pool, 4096);

	str_append(cmd, "MODIFY\t");
	str_append_tabescaped(cmd, change->user_dn);
	str_append_c(cmd, '\t');
	str_append_tabescaped(cmd, change->dn);
	for (uint32_t i = 0; i < change->parts_count; i++)
		directory_writer_add_part(cmd, &change->parts[i]);
	str_append_c(cmd, '\n');
	if (str_len(cmd) >= WRITER_MAX_COMMAND || !directory_writer_connect()) {
		str_free(&cmd);
		callback(context, EC_ACCESS_DENIED);
		return;
	}
	o_stream_nsend(writer_output, str_data(cmd), str_len(cmd));
	str_free(&cmd);
	req = array_append_space(&writer_requests);
	req->callback = callback;
	req->context = context;
	directory_writer_wait();
}

void directory_writer_init(const char *path)
{
	writer_path = i_strdup(path);
	i_array_init(&writer_requests, 4);
}

void directory_writer_deinit(void)
{
	directory_writer_disconnect();
	array_free(&writer_requests);
	i_free(writer_path);
}
