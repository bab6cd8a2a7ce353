/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "ostream.h"
#include "strescape.h"
#include "connection.h"
#include "mapi-deferred.h"
#include "deferred-queue.h"
#include "deferred-send.h"

/* Users who are looked at at a time: what is to be sent at eight o'clock in the morning
   needn't start a process for each of them at once. */
#define SEND_MAX_JOBS 10
/* The clock is looked at so often, as it may be set. */
#define SEND_CHECK_MAX_SECS 60
/* If a worker doesn't answer */
#define SEND_RETRY_MIN_SECS 10
#define SEND_RETRY_MAX_SECS (60 * 60)

struct send_job {
	struct connection conn;
	char *username;
};

struct send_search {
	/* who is next, and when; running ones aside */
	struct deferred_user *user;
	time_t wake;
};

static struct deferred_queue *send_queue;
static char *send_path;
static struct connection_list *send_jobs;
static struct timeout *to_check;
static bool send_stopping = FALSE;

static void send_check(void *context);

/* --- when ------------------------------------------------------------------------- */

static void send_search_user(struct deferred_user *user, void *context)
{
	struct send_search *search = context;
	time_t wake = I_MAX(user->due, user->wake);

	if (!user->running && (search->user == NULL || wake < search->wake)) {
		search->user = user;
		search->wake = wake;
	}
}

static void send_schedule(void)
{
	struct send_search search = { .user = NULL };
	time_t secs;

	timeout_remove(&to_check);
	/* a job that ends looks again */
	if (send_jobs->connections_count >= SEND_MAX_JOBS)
		return;
	deferred_queue_foreach(send_queue, send_search_user, &search);
	if (search.user == NULL)
		return;
	secs = search.wake <= ioloop_time ? 0 : search.wake - ioloop_time;
	to_check = timeout_add(I_MIN(secs, SEND_CHECK_MAX_SECS) * 1000,
			       send_check, NULL);
}

/* --- a worker's answer -------------------------------------------------------------- */

static void
send_set_due(struct deferred_user *user, time_t due)
{
	const char *error;

	if (deferred_queue_set(send_queue, user, due, &error) < 0)
		i_error("%s", error);
}

static void send_finish(struct deferred_user *user, time_t next)
{
	time_t due = next;

	/* what was added meanwhile may not have been there yet */
	if (user->added != 0 && (due == 0 || user->added < due))
		due = user->added;
	user->running = FALSE;
	user->added = 0;
	user->failures = 0;
	/* whatever the worker says */
	user->wake = ioloop_time + 1;
	send_set_due(user, due);
}

static void send_failed(struct deferred_user *user)
{
	unsigned int secs = SEND_RETRY_MAX_SECS;

	if (user->failures < 8)
		secs = I_MIN(SEND_RETRY_MIN_SECS << user->failures, secs);
	user->failures++;
	user->running = FALSE;
	user->added = 0;
	user->wake = ioloop_time + secs;
	i_error("Deferred mail of %s can't be sent now, will be tried again in "
		"%u secs", user->username, secs);
}

static int send_input_args(struct connection *conn, const char *const *args)
{
	struct send_job *job = container_of(conn, struct send_job, conn);
	struct deferred_user *user =
		deferred_queue_find(send_queue, job->username);
	struct mapi_deferred_result result;
	int ret;

	if (user == NULL || !user->running)
		return -1;
	ret = mapi_deferred_parse_answer(args, &result);
	if (ret == 0) {
		i_error("User %s, who had mail to be sent later, doesn't exist "
			"any more", job->username);
		user->added = 0;
	}
	if (ret >= 0)
		send_finish(user, result.next);
	/* it's closed, and if nothing is known by then it has failed */
	return -1;
}

static void send_destroy(struct connection *conn)
{
	struct send_job *job = container_of(conn, struct send_job, conn);
	struct deferred_user *user =
		deferred_queue_find(send_queue, job->username);

	connection_deinit(conn);
	i_free(job->username);
	i_free(job);
	if (send_stopping)
		return;
	if (user != NULL && user->running)
		send_failed(user);
	send_schedule();
}

static const struct connection_settings send_set = {
	.service_name_in = MAPI_SUBMIT_SOCKET,
	.service_name_out = MAPI_SUBMIT_SOCKET,
	.major_version = 1,
	.minor_version = 0,
	.input_max_size = 1024,
	.output_max_size = SIZE_MAX,
	.client = TRUE,
};

static const struct connection_vfuncs send_vfuncs = {
	.destroy = send_destroy,
	.input_args = send_input_args,
};

/* --- asking one ------------------------------------------------------------------- */

static void send_start(struct deferred_user *user)
{
	struct send_job *job = i_new(struct send_job, 1);

	user->running = TRUE;
	user->added = 0;
	job->username = i_strdup(user->username);
	connection_init_client_unix(send_jobs, &job->conn, send_path);
	if (connection_client_connect(&job->conn) < 0) {
		e_error(job->conn.event, "connect(%s) failed: %m", send_path);
		send_destroy(&job->conn);
		return;
	}
	o_stream_nsend_str(job->conn.output, t_strdup_printf("SEND\t%s\n",
				str_tabescape(job->username)));
}

static void send_check(void *context ATTR_UNUSED)
{
	struct send_search search;

	for (;;) {
		i_zero(&search);
		deferred_queue_foreach(send_queue, send_search_user, &search);
		if (search.user == NULL || search.wake > ioloop_time ||
		    send_jobs->connections_count >= SEND_MAX_JOBS)
			break;
		T_BEGIN {
			send_start(search.user);
		} T_END;
	}
	send_schedule();
}

void deferred_send_added(const char *username, time_t due)
{
	struct deferred_user *user = deferred_queue_find(send_queue, username);

	if (user->running && (user->added == 0 || due < user->added))
		user->added = due;
	send_schedule();
}

void deferred_send_init(struct deferred_queue *queue, const char *socket_path)
{
	send_queue = queue;
	send_path = i_strdup(socket_path);
	send_jobs = connection_list_init(&send_set, &send_vfuncs);
	send_schedule();
}

/* What workers are doing they go on with: it's looked for again after a restart. */
void deferred_send_deinit(void)
{
	send_stopping = TRUE;
	connection_list_deinit(&send_jobs);
	timeout_remove(&to_check);
	i_free(send_path);
}
