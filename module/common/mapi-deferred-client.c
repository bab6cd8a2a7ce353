/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "net.h"
#include "str.h"
#include "strescape.h"
#include "strnum.h"
#include "time-util.h"
#include "write-full.h"
#include "mapi-deferred.h"

#include <poll.h>
#include <unistd.h>

/* How long a client that submits a message waits for mapi-deferred, which may just
   be restarted */
#define ADD_TIMEOUT_MSECS (10 * 1000)
#define ADD_RETRY_MSECS 100
#define LINE_MAX_SIZE 1024

struct mapi_deferred_client {
	struct mapi_deferrals deferrals;
	char *path;
};

/* The next line of the input, without what follows it: nothing does. deadline: NULL
   for none. NULL and an error. */
static const char *
t_read_line(int fd, string_t *input, const struct timeval *deadline,
	    const char **error_r)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct timeval now;
	const char *end, *line;
	char buf[LINE_MAX_SIZE];
	int msecs = -1;
	ssize_t ret;

	while ((end = strchr(str_c(input), '\n')) == NULL) {
		if (deadline != NULL) {
			i_gettimeofday(&now);
			msecs = I_MAX(timeval_diff_msecs(deadline, &now), 0);
		}
		ret = poll(&pfd, 1, msecs);
		if (ret == 0) {
			*error_r = "Timeout";
			return NULL;
		}
		if (ret > 0)
			ret = read(fd, buf, sizeof(buf));
		if (ret > 0)
			str_append_data(input, buf, ret);
		else if (ret == 0 || errno != EINTR) {
			*error_r = ret == 0 ? "Connection closed" :
				t_strdup_printf("read() failed: %m");
			return NULL;
		}
		if (str_len(input) > LINE_MAX_SIZE) {
			*error_r = "Too long an answer";
			return NULL;
		}
	}
	line = t_strdup_until(str_c(input), end);
	str_delete(input, 0, end - str_c(input) + 1);
	return line;
}

/* The fields of the answer to a command, on the data stack; NULL and an error */
static const char *const *
t_ask(int fd, const char *service, const char *command,
      const struct timeval *deadline, const char **error_r)
{
	const char *text, *line;
	string_t *input = t_str_new(128);

	text = t_strdup_printf("VERSION\t%s\t1\t0\n%s\n", service, command);
	if (write_full(fd, text, strlen(text)) < 0) {
		*error_r = t_strdup_printf("write() failed: %m");
		return NULL;
	}
	line = t_read_line(fd, input, deadline, error_r);
	if (line != NULL && !str_begins(line, t_strdup_printf("VERSION\t%s\t1\t",
							      service))) {
		*error_r = "Not the expected service";
		line = NULL;
	}
	if (line != NULL)
		line = t_read_line(fd, input, deadline, error_r);
	return line == NULL ? NULL : t_strsplit_tabescaped(line);
}

static int
client_add_once(struct mapi_deferred_client *client, const char *command,
		const struct timeval *deadline, const char **error_r)
{
	const char *const *args;
	int fd;

	fd = net_connect_unix(client->path);
	if (fd == -1) {
		*error_r = t_strdup_printf("connect() failed: %m");
		return -1;
	}
	net_set_nonblock(fd, FALSE);
	args = t_ask(fd, MAPI_DEFERRED_SOCKET, command, deadline, error_r);
	i_close_fd(&fd);
	if (args == NULL)
		return -1;
	return args[0] != NULL && strcmp(args[0], "OK") == 0 ? 1 : 0;
}

static int
client_add(struct mapi_deferrals *deferrals, const char *username, time_t due)
{
	struct mapi_deferred_client *client =
		container_of(deferrals, struct mapi_deferred_client, deferrals);
	struct timeval now, deadline;
	const char *error, *command;
	int ret;

	i_gettimeofday(&deadline);
	timeval_add_msecs(&deadline, ADD_TIMEOUT_MSECS);
	command = t_strdup_printf("ADD\t%s\t%s", str_tabescape(username),
				  dec2str(due));
	for (;;) {
		ret = client_add_once(client, command, &deadline, &error);
		i_gettimeofday(&now);
		if (ret >= 0 || timeval_cmp(&now, &deadline) >= 0)
			break;
		/* to add it twice does no harm */
		usleep(ADD_RETRY_MSECS * 1000);
	}
	if (ret < 0)
		i_error("mapi-deferred: %s: %s", client->path, error);
	return ret > 0 ? 0 : -1;
}

struct mapi_deferrals *mapi_deferred_client_init(const char *socket_path)
{
	struct mapi_deferred_client *client;

	client = i_new(struct mapi_deferred_client, 1);
	client->deferrals.add = client_add;
	client->path = i_strdup(socket_path);
	return &client->deferrals;
}

void mapi_deferred_client_deinit(struct mapi_deferrals **_deferrals)
{
	struct mapi_deferred_client *client =
		container_of(*_deferrals, struct mapi_deferred_client,
			     deferrals);

	*_deferrals = NULL;
	i_free(client->path);
	i_free(client);
}

int mapi_deferred_parse_answer(const char *const *args,
			       struct mapi_deferred_result *result_r)
{
	i_zero(result_r);
	if (args[0] == NULL)
		return -1;
	if (strcmp(args[0], "NOUSER") == 0)
		return 0;
	return strcmp(args[0], "OK") == 0 && str_array_length(args) >= 5 &&
		str_to_uint(args[1], &result_r->sent) == 0 &&
		str_to_uint(args[2], &result_r->failed) == 0 &&
		str_to_uint(args[3], &result_r->held) == 0 &&
		str_to_time(args[4], &result_r->next) == 0 ? 1 : -1;
}

int mapi_deferred_send(int fd, const char *username,
		       struct mapi_deferred_result *result_r,
		       const char **error_r)
{
	const char *const *args;
	int ret;

	net_set_nonblock(fd, FALSE);
	args = t_ask(fd, MAPI_SUBMIT_SOCKET,
		     t_strconcat("SEND\t", str_tabescape(username), NULL),
		     NULL, error_r);
	i_close_fd(&fd);
	if (args == NULL)
		return -1;
	ret = mapi_deferred_parse_answer(args, result_r);
	if (ret < 0)
		*error_r = "It failed, the log of mapi says why";
	return ret;
}
