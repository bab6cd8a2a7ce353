/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The lookup socket: both ends, and what the client makes of servers that
   aren't as they should be. */

#include "lib.h"
#include "ioloop.h"
#include "lib-event.h"
#include "net.h"
#include "str.h"
#include "time-util.h"
#include "write-full.h"
#include "addressbook-client.h"
#include "lookup.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define TIMEOUT_MSECS 300
#define RETRY_MSECS 400
#define IDLE_MSECS 20

/* shared by the processes */
struct counters {
	unsigned int connections, finds;
};
static struct counters *counters;

static struct ioloop *ioloop;
static char socket_path[64];
static int listen_fd = -1;
static pid_t server_pid = -1;

/* --- servers --------------------------------------------------------------- */

static bool fake_find(enum mapi_directory_key key, const char *value,
		      struct mapi_directory_object *object_r)
{
	counters->finds++;
	if (key == MAPI_DIRECTORY_ADDRESS &&
	    strcasecmp(value, "bob@example.com") == 0) {
		object_r->legacy_dn = "/o=Old/cn=bob";
		object_r->name = "Bob\tB\xC3\xBC" "ilder";
		object_r->address = "bob@example.com";
		object_r->username = "bob";
		object_r->object_type = 6;
		object_r->display_type = 0;
		return TRUE;
	}
	if (key == MAPI_DIRECTORY_LEGACY_DN &&
	    strcasecmp(value, "/o=Old/cn=staff") == 0) {
		object_r->legacy_dn = "/o=Old/cn=staff";
		object_r->name = "Staff";
		object_r->object_type = 8;
		object_r->display_type = 1;
		return TRUE;
	}
	if (key == MAPI_DIRECTORY_USERNAME && strcmp(value, "bob") == 0) {
		object_r->legacy_dn = "/o=Old/cn=bob";
		object_r->name = "Bob";
		object_r->object_type = 6;
		return TRUE;
	}
	return FALSE;
}

static void server_accept(void *context)
{
	int fd = net_accept(listen_fd, NULL, NULL);

	if (fd >= 0) {
		counters->connections++;
		lookup_connection_create(fd);
	}
}

static void run_real_server(const char *arg)
{
	struct ioloop *loop = io_loop_create();

	(void)io_add(listen_fd, IO_READ, server_accept, NULL);
	lookup_connections_init(fake_find, NULL);
	io_loop_run(loop);
}

/* Says something, whatever it's asked, and keeps or closes the connection. */
static void run_saying_server(const char *say)
{
	bool keep = *say == '+';
	int fd, fds[100];
	unsigned int i;
	char buf[1024];

	for (i = 0; i < N_ELEMENTS(fds); i++) {
		do {
			fd = accept(listen_fd, NULL, NULL);
		} while (fd == -1 && errno == EAGAIN && usleep(1000) == 0);
		counters->connections++;
		if (read(fd, buf, sizeof(buf)) < 0)
			_exit(1);
		(void)write_full(fd, say + 1, strlen(say + 1));
		fds[i] = fd;
		if (!keep)
			close(fd);
	}
	_exit(0);
}

static void server_stop(void)
{
	if (server_pid != -1) {
		(void)kill(server_pid, SIGKILL);
		(void)waitpid(server_pid, NULL, 0);
		server_pid = -1;
	}
	i_close_fd(&listen_fd);
	(void)unlink(socket_path);
}

static void server_start(void (*run)(const char *arg), const char *arg)
{
	server_stop();
	i_zero(counters);
	listen_fd = net_listen_unix(socket_path, 10);
	assert_true(listen_fd != -1);
	server_pid = fork();
	assert_true(server_pid != -1);
	if (server_pid == 0) {
		run(arg);
		_exit(0);
	}
}

/* --- client -------------------------------------------------------------------- */

static struct mapi_directory *client_init(unsigned int max_answers)
{
	struct addressbook_client_settings set = addressbook_client_defaults;

	set.path = socket_path;
	set.timeout_msecs = TIMEOUT_MSECS;
	set.retry_msecs = RETRY_MSECS;
	set.idle_msecs = IDLE_MSECS;
	set.max_answers = max_answers;
	return addressbook_client_init(&set, NULL);
}

static const struct mapi_directory_object *
ask(struct mapi_directory *dir, enum mapi_directory_key key, const char *value)
{
	struct mapi_directory_question question = {
		.key = key, .value = value,
	};

	dir->lookup(dir, &question, 1);
	return question.object;
}

static int ask_msecs(struct mapi_directory *dir)
{
	struct timeval start, end;

	i_gettimeofday(&start);
	assert_null(ask(dir, MAPI_DIRECTORY_ADDRESS, "bob@example.com"));
	i_gettimeofday(&end);
	return timeval_diff_msecs(&end, &start);
}

static void test_lookup(void **state)
{
	const struct mapi_directory_object *object;
	struct mapi_directory *dir = client_init(100);

	server_start(run_real_server, NULL);
	assert_false(dir->peek(dir, MAPI_DIRECTORY_ADDRESS, "bob@example.com",
			       &object));
	object = ask(dir, MAPI_DIRECTORY_ADDRESS, "Bob@example.com");
	assert_non_null(object);
	assert_string_equal(object->legacy_dn, "/o=Old/cn=bob");
	assert_string_equal(object->name, "Bob\tB\xC3\xBC" "ilder");
	assert_string_equal(object->address, "bob@example.com");
	assert_string_equal(object->username, "bob");
	assert_int_equal(object->object_type, 6);
	object = ask(dir, MAPI_DIRECTORY_LEGACY_DN, "/O=OLD/cn=staff");
	assert_non_null(object);
	assert_null(object->address);
	assert_null(object->username);
	assert_int_equal(object->display_type, 1);
	assert_int_equal(object->object_type, 8);
	assert_non_null(ask(dir, MAPI_DIRECTORY_USERNAME, "bob"));
	assert_null(ask(dir, MAPI_DIRECTORY_USERNAME, "Bob"));
	assert_null(ask(dir, MAPI_DIRECTORY_ADDRESS, "a\tb\n\001@x"));
	assert_int_equal(counters->finds, 5);
	assert_int_equal(counters->connections, 1);

	/* remembered, whatever became of the server */
	server_stop();
	assert_true(dir->peek(dir, MAPI_DIRECTORY_ADDRESS, "bob@example.com",
			      &object));
	assert_non_null(object);
	assert_non_null(ask(dir, MAPI_DIRECTORY_ADDRESS, "BOB@example.com"));
	assert_null(ask(dir, MAPI_DIRECTORY_USERNAME, "Bob"));
	/* but not for ever */
	ioloop_time += addressbook_client_defaults.notfound_secs + 1;
	assert_non_null(ask(dir, MAPI_DIRECTORY_ADDRESS, "BOB@example.com"));
	server_start(run_real_server, NULL);
	assert_null(ask(dir, MAPI_DIRECTORY_USERNAME, "Bob"));
	assert_int_equal(counters->finds, 1);
	ioloop_time += addressbook_client_defaults.found_secs + 1;
	assert_non_null(ask(dir, MAPI_DIRECTORY_ADDRESS, "BOB@example.com"));
	assert_int_equal(counters->finds, 2);
	addressbook_client_deinit(&dir);
	server_stop();
}

/* More than fits into any buffer, and more than is remembered */
static void test_many(void **state)
{
	struct mapi_directory *dir = client_init(10);
	const struct mapi_directory_object *object;
	struct mapi_directory_question *questions;
	const unsigned int count = 5000;
	unsigned int i;

	server_start(run_real_server, NULL);
	questions = i_new(struct mapi_directory_question, count);
	for (i = 0; i < count; i++) {
		questions[i].key = MAPI_DIRECTORY_ADDRESS;
		questions[i].value = i % 1000 == 7 ? "bob@example.com" :
			i_strdup_printf("%0800u@example.com", i);
	}
	dir->lookup(dir, questions, count);
	for (i = 0; i < count; i++) {
		if (i % 1000 != 7) {
			assert_null(questions[i].object);
			continue;
		}
		assert_non_null(questions[i].object);
		assert_string_equal(questions[i].object->username, "bob");
	}
	assert_int_equal(counters->connections, 1);
	/* all known until the next one, then only the latest */
	assert_true(dir->peek(dir, MAPI_DIRECTORY_ADDRESS, questions[0].value,
			      &object));
	assert_non_null(ask(dir, MAPI_DIRECTORY_USERNAME, "bob"));
	/* this one has been used since */
	assert_true(dir->peek(dir, MAPI_DIRECTORY_ADDRESS, questions[0].value,
			      &object));
	assert_false(dir->peek(dir, MAPI_DIRECTORY_ADDRESS, questions[1].value,
			       &object));
	assert_true(dir->peek(dir, MAPI_DIRECTORY_ADDRESS,
			      questions[count - 1].value, &object));
	for (i = 0; i < count; i++) {
		if (i % 1000 != 7)
			free((char *)questions[i].value);
	}
	i_free(questions);
	addressbook_client_deinit(&dir);
	server_stop();
}

static void test_no_server(void **state)
{
	struct mapi_directory *dir = client_init(100);
	const struct mapi_directory_object *object;

	server_stop();
	assert_true(ask_msecs(dir) < TIMEOUT_MSECS);
	/* not asked for a while, which isn't remembered as an answer */
	server_start(run_real_server, NULL);
	assert_true(dir->peek(dir, MAPI_DIRECTORY_ADDRESS, "bob@example.com",
			      &object));
	assert_null(object);
	assert_null(ask(dir, MAPI_DIRECTORY_ADDRESS, "bob@example.com"));
	assert_int_equal(counters->connections, 0);
	usleep((RETRY_MSECS + 50) * 1000);
	assert_non_null(ask(dir, MAPI_DIRECTORY_ADDRESS, "bob@example.com"));

	/* a restarted server is found at once */
	server_start(run_real_server, NULL);
	assert_non_null(ask(dir, MAPI_DIRECTORY_USERNAME, "bob"));
	assert_int_equal(counters->connections, 1);
	addressbook_client_deinit(&dir);
	server_stop();
}

static void test_idle(void **state)
{
	struct mapi_directory *dir = client_init(100);
	struct timeout *to;

	server_start(run_real_server, NULL);
	assert_non_null(ask(dir, MAPI_DIRECTORY_USERNAME, "bob"));
	assert_null(ask(dir, MAPI_DIRECTORY_USERNAME, "carol"));
	assert_int_equal(counters->connections, 1);
	to = timeout_add_short(IDLE_MSECS * 5, io_loop_stop, ioloop);
	io_loop_run(ioloop);
	timeout_remove(&to);
	assert_null(ask(dir, MAPI_DIRECTORY_USERNAME, "dave"));
	assert_int_equal(counters->connections, 2);
	addressbook_client_deinit(&dir);
	server_stop();
}

static void test_bad_servers(void **state)
{
#define V "VERSION\tmapi-addressbook-lookup\t1\t0\n"
	static const struct {
		const char *say;
		bool timeout;
	} tests[] = {
		/* nothing; only the handshake; half an answer */
		{ "+", TRUE },
		{ "+" V, TRUE },
		{ "+" V "OK\t1\tdn=/o=x\tname=x", TRUE },
		{ "-", FALSE },
		{ "-" V "OK\t1\tdn=/o=x\tname=x", FALSE },
		{ "+VERSION\tmapi-addressbook-lookup\t2\t0\nNOTFOUND\t1\n",
		  FALSE },
		{ "+HTTP/1.1 400 Bad Request\r\n\r\n", FALSE },
		{ "+" V "\n", FALSE },
		{ "+" V "OK\n", FALSE },
		{ "+" V "OK\t1\n", FALSE },
		{ "+" V "OK\t2\tdn=/o=x\tname=x\n", FALSE },
		{ "+" V "OK\tx\tdn=/o=x\tname=x\n", FALSE },
		{ "+" V "OK\t1\tdn=\tname=x\n", FALSE },
		{ "+" V "OK\t1\tdn=/o=x\n", FALSE },
		{ "+" V "OK\t1\tdn=/o=x\tname=\xff\n", FALSE },
		{ "+" V "OK\t1\tdn=/o=x\tname=x\ttype=-1\n", FALSE },
		{ "+" V "OK\t1\tdn=/o=x\tname=x\tother\n", FALSE },
		{ "+" V "WHAT\t1\n", FALSE },
	};
	struct mapi_directory *dir;
	unsigned int i;
	int msecs;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		server_start(run_saying_server, tests[i].say);
		dir = client_init(100);
		msecs = ask_msecs(dir);
		if (tests[i].timeout)
			assert_true(msecs >= TIMEOUT_MSECS - 1);
		else
			assert_true(msecs < TIMEOUT_MSECS);
		/* and doesn't cost anything for a while */
		assert_true(ask_msecs(dir) < TIMEOUT_MSECS / 2);
		assert_int_equal(counters->connections, 1);
		addressbook_client_deinit(&dir);
	}
	/* without an end */
	string_t *str = str_new(default_pool, 40000);
	str_append(str, "+" V);
	while (str_len(str) < 39000)
		str_append(str, "OK\t1\tdn=/o=x\t");
	server_start(run_saying_server, str_c(str));
	dir = client_init(100);
	assert_true(ask_msecs(dir) < TIMEOUT_MSECS);
	addressbook_client_deinit(&dir);
	str_free(&str);
	server_stop();
}

/* The server disconnects who doesn't keep to the protocol. */
static void test_bad_clients(void **state)
{
	static const char *const tests[] = {
		"LOOKUP\t1\taddress\tx\n",
		"VERSION\tother\t1\t0\n",
		"VERSION\tmapi-addressbook-lookup\t9\t0\n",
		V "LOOKUP\t1\taddress\n",
		V "LOOKUP\t1\taddress\tx\ty\n",
		V "LOOKUP\t-1\taddress\tx\n",
		V "LOOKUP\t1\tphone\tx\n",
		V "DELETE\t1\taddress\tx\n",
		V "\n",
	};
	struct mapi_directory *dir = client_init(100);
	string_t *str = str_new(default_pool, 40000);
	unsigned int i;
	char buf[1024];
	ssize_t ret;
	int fd;

	server_start(run_real_server, NULL);
	str_append(str, V "LOOKUP\t1\taddress\t");
	while (str_len(str) < 39000)
		str_append_c(str, 'x');
	for (i = 0; i <= N_ELEMENTS(tests); i++) {
		const char *say = i < N_ELEMENTS(tests) ? tests[i] : str_c(str);

		fd = net_connect_unix(socket_path);
		assert_true(fd != -1);
		net_set_nonblock(fd, FALSE);
		/* it may be gone before it has taken everything */
		ret = write(fd, say, strlen(say));
		while ((ret = read(fd, buf, sizeof(buf) - 1)) > 0) {
			buf[ret] = '\0';
			assert_null(strstr(buf, "OK\t"));
			assert_null(strstr(buf, "NOTFOUND\t"));
		}
		close(fd);
	}
	assert_int_equal(counters->finds, 0);
	/* others don't notice */
	assert_non_null(ask(dir, MAPI_DIRECTORY_USERNAME, "bob"));
	str_free(&str);
	addressbook_client_deinit(&dir);
	server_stop();
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_server),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_bad_servers),
		cmocka_unit_test(test_bad_clients),
	};
	char dir[] = "/tmp/test-lookup-XXXXXX";
	int ret;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	lib_init();
	(void)signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(dir) == NULL)
		i_fatal("mkdtemp(%s) failed: %m", dir);
	i_snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	counters = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ioloop = io_loop_create();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	server_stop();
	(void)rmdir(dir);
	io_loop_destroy(&ioloop);
	lib_deinit();
	return ret;
}
