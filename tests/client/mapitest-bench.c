/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "mapitest bench": how fast a server is over one keep-alive TLS connection,
   beside IMAP on the same mailbox in the same run. */

#include "mapitest.h"
#include "mapitest-bench.h"
#include "mapi-props.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_SESSIONS		64

static const struct {
	const char *name;
	int (*func)(struct bench *bench);
	unsigned int default_count;
} kinds[] = {
	{ "table", bench_table, 10 },
	{ "open", bench_open, 200 },
	{ "small", bench_small, 3000 },
	{ "idle", bench_idle, 1 },
	{ "resolve", bench_resolve, 3000 },
	{ "rows", bench_rows, 3000 },
};

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double bench_median(double *times, unsigned int count)
{
	qsort(times, count, sizeof(*times), compare_doubles);
	return count % 2 == 1 ? times[count / 2] :
		(times[count / 2 - 1] + times[count / 2]) / 2;
}

void bench_print(struct bench *bench, const char *name, double value,
		 const char *unit)
{
	if (bench->test->json)
		jw_double(&bench->jw, name, value);
	else
		printf("  %-34s %12.3f %s\n", name, value, unit);
	fflush(stdout);
}

void bench_compare(struct bench *bench, const char *name, double mapi,
		   double imap, double limit)
{
	double ratio = imap > 0 ? mapi / imap : 0;
	char key[64];

	if (!bench->test->json) {
		printf("  %-34s MAPI %9.2f ms", name, mapi * 1000);
		if (imap > 0) {
			printf("   IMAP %9.2f ms   ratio %5.2f (goal <= %g)%s",
			       imap * 1000, ratio, limit,
			       ratio > limit ? " MISSED" : "");
		}
		putchar('\n');
		fflush(stdout);
		return;
	}
	snprintf(key, sizeof(key), "%s_mapi", name);
	jw_double(&bench->jw, key, mapi);
	if (imap > 0) {
		snprintf(key, sizeof(key), "%s_imap", name);
		jw_double(&bench->jw, key, imap);
		snprintf(key, sizeof(key), "%s_ratio", name);
		jw_double(&bench->jw, key, ratio);
	}
}

int bench_start(struct bench *bench)
{
	struct mapitest *test = bench->test;
	const struct tree_folder *folder;

	bench->session = mapitest_session(test);
	client_error_step(&bench->error, "start");
	if (client_session_connect(bench->session, test->dn,
				   &bench->error) < 0 ||
	    client_logon_open(bench->session, bench->session, test->dn,
			      &bench->logon, &bench->error) < 0 ||
	    folder_open_by_name(bench->logon, bench->session, bench->folder,
				&folder, &bench->folder_obj,
				&bench->error) < 0)
		return -1;
	bench->fid = folder->id;
	return 0;
}

int bench_start_imap(struct bench *bench)
{
	char *command;

	if (bench->imap_address == NULL)
		return 0;
	bench->imap = imap_client_new(bench->session, bench->imap_address,
				      &bench->test->params, &bench->error);
	if (bench->imap == NULL)
		return -1;
	command = talloc_asprintf(bench->session, "EXAMINE \"%s\"",
				  bench->folder);
	return imap_client_command(bench->imap, bench->session, command, NULL,
				   &bench->error);
}

/* --- many requests --------------------------------------------------------*/
/* One process' share: tells the other end that it's ready, waits for a go,
   tells how many seconds its requests took. */
static int
bench_load_one(struct bench *bench, const struct bench_load *load, int fd)
{
	double seconds = 0, start;
	unsigned int i;
	char go;

	if (load->begin(bench) < 0)
		return -1;
	if (write(fd, &seconds, sizeof(seconds)) != sizeof(seconds) ||
	    read(fd, &go, 1) != 1) {
		return client_error_set(&bench->error, CLIENT_FAIL_LOCAL,
					"another session failed");
	}
	start = client_clock();
	for (i = 0; i < bench->count; i++) {
		if (load->request(bench, i) < 0)
			return -1;
	}
	seconds = client_clock() - start;
	if (write(fd, &seconds, sizeof(seconds)) != sizeof(seconds)) {
		return client_error_set(&bench->error, CLIENT_FAIL_LOCAL,
					"can't tell the time");
	}
	return load->end(bench);
}

int bench_load(struct bench *bench, const struct bench_load *load,
	       double *rate_r)
{
	int fds[MAX_SESSIONS][2];
	pid_t pids[MAX_SESSIONS];
	double seconds, longest = 0;
	unsigned int i, failed = 0;
	int status;

	for (i = 0; i < bench->sessions; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]) < 0 ||
		    (pids[i] = fork()) < 0) {
			return client_error_set(&bench->error,
				CLIENT_FAIL_LOCAL, "can't fork");
		}
		if (pids[i] == 0) {
			close(fds[i][0]);
			if (bench_load_one(bench, load, fds[i][1]) < 0)
				_exit(mapitest_fail(&bench->error));
			_exit(MAPITEST_OK);
		}
		close(fds[i][1]);
	}
	for (i = 0; i < bench->sessions; i++) {
		if (read(fds[i][0], &seconds, sizeof(seconds)) !=
		    sizeof(seconds))
			failed++;
	}
	for (i = 0; i < bench->sessions; i++) {
		if (failed > 0 || write(fds[i][0], "", 1) != 1)
			close(fds[i][0]);
	}
	for (i = 0; i < bench->sessions; i++) {
		if (failed == 0 && read(fds[i][0], &seconds, sizeof(seconds)) ==
		    sizeof(seconds) && seconds > longest)
			longest = seconds;
	}
	for (i = 0; i < bench->sessions; i++) {
		if (waitpid(pids[i], &status, 0) < 0 || status != 0)
			failed++;
	}
	if (failed > 0 || longest == 0) {
		return client_error_set(&bench->error, CLIENT_FAIL_LOCAL,
					"some of the sessions failed");
	}
	*rate_r = bench->count * bench->sessions / longest;
	return 0;
}

static int bench_small_request(struct bench *bench, unsigned int i)
{
	static const uint32_t tags[] = {
		PIDTAG_DISPLAY_NAME, PIDTAG_CONTENT_COUNT,
		PIDTAG_CONTENT_UNREAD_COUNT, PIDTAG_FOLDER_ID,
	};
	TALLOC_CTX *mem = talloc_new(bench->session);
	struct mapi_property_row row;
	int ret;

	(void)i;
	ret = client_get_props(bench->folder_obj, mem, tags, 4, &row,
			       &bench->error);
	talloc_free(mem);
	return ret;
}

static int bench_small_end(struct bench *bench)
{
	return client_session_disconnect(bench->session, &bench->error);
}

int bench_small(struct bench *bench)
{
	static const struct bench_load load = {
		bench_start, bench_small_request, bench_small_end,
	};
	double rate;

	if (bench_load(bench, &load, &rate) < 0)
		return -1;
	bench_print(bench, "sessions", bench->sessions, "");
	bench_print(bench, "requests_per_second", rate, "/s");
	bench_print(bench, "milliseconds_per_request",
		    1000.0 * bench->sessions / rate, "ms");
	return 0;
}

/* --- idle sessions --------------------------------------------------------*/
/* Holds sessions with an open mailbox until its input ends: somebody else
   measures the server's memory meanwhile. */
int bench_idle(struct bench *bench)
{
	unsigned int i;
	char c;

	for (i = 0; i < bench->sessions; i++) {
		if (bench_start(bench) < 0)
			return -1;
	}
	fprintf(stderr, "ready\n");
	while (read(STDIN_FILENO, &c, 1) > 0) ;
	bench_print(bench, "sessions", bench->sessions, "");
	return 0;
}

/* --- the command ----------------------------------------------------------*/
static int bench_parse_args(struct bench *bench, unsigned int *kind_r)
{
	struct mapitest *test = bench->test;
	unsigned int k;
	int i;

	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		if (test->argc > 0 && strcmp(test->argv[0], kinds[k].name) == 0)
			break;
	}
	if (k == sizeof(kinds) / sizeof(kinds[0])) {
		fprintf(stderr, "mapitest: bench: table, open, small, "
			"idle, resolve or rows?\n");
		return -1;
	}
	bench->count = kinds[k].default_count;
	for (i = 1; i < test->argc; i += 2) {
		const char *arg = test->argv[i], *value = test->argv[i + 1];

		if (value != NULL && strcmp(arg, "--folder") == 0)
			bench->folder = value;
		else if (value != NULL && strcmp(arg, "--imap") == 0)
			bench->imap_address = value;
		else if (value != NULL && strcmp(arg, "--count") == 0)
			bench->count = atoi(value);
		else if (value != NULL && strcmp(arg, "--sessions") == 0)
			bench->sessions = atoi(value);
		else if (value != NULL && strcmp(arg, "--names") == 0)
			bench->names_file = value;
		else if (value != NULL && strcmp(arg, "--batch") == 0)
			bench->batch = atoi(value);
		else {
			fprintf(stderr, "mapitest: bench: what's %s?\n", arg);
			return -1;
		}
	}
	if (bench->count == 0 || bench->sessions == 0 ||
	    bench->sessions > MAX_SESSIONS || bench->batch == 0) {
		fprintf(stderr, "mapitest: bench: --count and --batch from 1, "
			"--sessions from 1 to %u\n", MAX_SESSIONS);
		return -1;
	}
	*kind_r = k;
	return 0;
}

int mapitest_bench(struct mapitest *test)
{
	struct bench bench = {
		.test = test, .folder = "INBOX", .sessions = 1, .batch = 1,
	};
	unsigned int kind;
	int ret;

	if (bench_parse_args(&bench, &kind) < 0)
		return MAPITEST_USAGE;
	client_error_clear(&bench.error);
	if (test->json) {
		jw_init(&bench.jw, stdout);
		jw_open_object(&bench.jw, NULL);
	}
	ret = kinds[kind].func(&bench);
	if (test->json)
		jw_close_object(&bench.jw);
	if (ret < 0)
		return mapitest_fail(&bench.error);
	return MAPITEST_OK;
}
