/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sending by a program. It reads the message from a file, not from a pipe as
   Dovecot's program-client has it: what it gets is whole also if this process is
   killed, while the end of a pipe would look like the end of the message. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "env-util.h"
#include "istream.h"
#include "mail-user.h"
#include "ostream.h"
#include "safe-mkstemp.h"
#include "smtp-address.h"
#include "smtp-submit-settings.h"
#include "str-sanitize.h"
#include "time-util.h"
#include "mapi-bags.h"
#include "mapi-store-private.h"
#include "mapi-transport.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* How often it's looked whether the program has ended */
#define WAIT_MIN_USECS 500
#define WAIT_MAX_USECS 50000
/* more than a process for one session ever has open */
#define FD_MAX 4096

bool mapi_transport_is_configured(struct mapi_store *store)
{
	const struct smtp_submit_settings *set = store->set->submission;

	return set != NULL && (*set->submission_host != '\0' ||
			       *set->sendmail_path != '\0');
}

const char *t_mapi_envelope_log(const struct mapi_envelope *envelope)
{
	return t_strdup_printf("msgid=%s", envelope->message_id == NULL ? "" :
			       str_sanitize(envelope->message_id, 200));
}

/* --- the program -------------------------------------------------------------- */

static int sendmail_create_file(struct mapi_store *store, struct istream *input)
{
	string_t *path = t_str_new(128);
	struct ostream *output;
	int fd, ret = 0;

	str_append(path, mapi_store_temp_prefix(store));
	fd = safe_mkstemp(path, 0600, (uid_t)-1, (gid_t)-1);
	if (fd == -1) {
		e_error(store->user->event, "safe_mkstemp(%s) failed: %m",
			str_c(path));
		return -1;
	}
	if (i_unlink(str_c(path)) < 0)
		ret = -1;
	output = o_stream_create_fd_file(fd, 0, FALSE);
	o_stream_nsend_istream(output, input);
	if (o_stream_finish(output) < 0) {
		e_error(store->user->event, "write(%s) failed: %s", str_c(path),
			o_stream_get_error(output));
		ret = -1;
	}
	o_stream_destroy(&output);
	if (ret == 0 && lseek(fd, 0, SEEK_SET) < 0) {
		e_error(store->user->event, "lseek(%s) failed: %m",
			str_c(path));
		ret = -1;
	}
	if (ret < 0)
		i_close_fd(&fd);
	return ret < 0 ? -1 : fd;
}

static const char **
t_sendmail_args(const char *sendmail_path, const struct mapi_envelope *envelope)
{
	ARRAY_TYPE(const_string) args;
	const char *arg;
	unsigned int i;

	t_array_init(&args, 16);
	array_append(&args, t_strsplit_spaces(sendmail_path, " "),
		     str_array_length(t_strsplit_spaces(sendmail_path, " ")));
	arg = "-i"; array_push_back(&args, &arg);
	arg = "-f"; array_push_back(&args, &arg);
	arg = envelope->from == NULL ? "<>" :
		smtp_address_encode(envelope->from);
	array_push_back(&args, &arg);
	arg = "--"; array_push_back(&args, &arg);
	for (i = 0; i < envelope->rcpt_count; i++) {
		arg = smtp_address_encode(envelope->rcpts[i]);
		array_push_back(&args, &arg);
	}
	array_append_zero(&args);
	return array_front_modifiable(&args);
}

/* In the child: nothing of this process but standard error, which is the log. A
   lock that it held open would last as long as it. */
static void ATTR_NORETURN sendmail_exec(int fd, const char **args)
{
	int null_fd = open("/dev/null", O_WRONLY);

	if (null_fd == -1 || dup2(fd, STDIN_FILENO) < 0 ||
	    dup2(null_fd, STDOUT_FILENO) < 0)
		_exit(EX_OSERR);
	for (fd = STDERR_FILENO + 1; fd < FD_MAX; fd++)
		(void)close(fd);
	(void)signal(SIGPIPE, SIG_DFL);
	env_clean();
	(void)execv(args[0], (char **)args);
	_exit(errno == ENOENT || errno == EACCES ? EX_UNAVAILABLE : EX_OSERR);
}

/* Its wait status; -1 if it hasn't ended in time, and has been killed */
static int sendmail_wait(pid_t pid, unsigned int timeout_secs)
{
	struct timeval now, start;
	useconds_t usecs = WAIT_MIN_USECS;
	int status;
	pid_t ret;

	i_gettimeofday(&start);
	while ((ret = waitpid(pid, &status, WNOHANG)) == 0 ||
	       (ret < 0 && errno == EINTR)) {
		i_gettimeofday(&now);
		if (timeval_diff_msecs(&now, &start) >=
		    (long long)timeout_secs * 1000) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			return -1;
		}
		(void)usleep(usecs);
		usecs = I_MIN(usecs * 2, WAIT_MAX_USECS);
	}
	return ret < 0 ? -1 : status;
}

/* Programs are rarely that exact: mostly they take everything, and what they
   don't like comes back by mail. */
static enum mapi_error sendmail_exit_error(int code)
{
	switch (code) {
	case EX_OK:
		return EC_NONE;
	case EX_NOUSER:
	case EX_NOHOST:
	case EX_DATAERR:
		return EC_INVALID_RECIPIENTS;
	case EX_NOPERM:
		return EC_ACCESS_DENIED;
	}
	return EC_NETWORK_ERROR;
}

static enum mapi_error
sendmail_run(struct mapi_store *store, const struct mapi_envelope *envelope,
	     const char **args, int fd, bool *unknown_r)
{
	enum mapi_error error;
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0) {
		e_error(store->user->event, "fork() failed: %m");
		return EC_NETWORK_ERROR;
	}
	if (pid == 0)
		sendmail_exec(fd, args);
	status = sendmail_wait(pid, store->set->submission->submission_timeout);
	if (status == -1 || !WIFEXITED(status)) {
		e_error(store->user->event,
			"mapi: %s: May have been sent or not: %s %s",
			t_mapi_envelope_log(envelope), args[0],
			status == -1 ? "didn't end" : "was killed");
		*unknown_r = TRUE;
		return EC_NETWORK_ERROR;
	}
	error = sendmail_exit_error(WEXITSTATUS(status));
	if (error != EC_NONE) {
		e_error(store->user->event,
			"mapi: %s: Not sent: %s returned %d",
			t_mapi_envelope_log(envelope), args[0],
			WEXITSTATUS(status));
	}
	return error;
}

static enum mapi_error
send_sendmail(struct mapi_store *store, const struct mapi_envelope *envelope,
	      struct istream *input, bool *unknown_r)
{
	enum mapi_error error;
	const char **args;
	int fd;

	if (envelope->hold_secs > 0) {
		e_info(store->user->event,
		       "mapi: %s: Not sent: It's to be sent later, which "
		       "sendmail_path can't do", t_mapi_envelope_log(envelope));
		return EC_NOT_SUPPORTED;
	}
	args = t_sendmail_args(store->set->submission->sendmail_path, envelope);
	fd = sendmail_create_file(store, input);
	if (fd == -1)
		return EC_ERROR;
	error = sendmail_run(store, envelope, args, fd, unknown_r);
	i_close_fd(&fd);
	return error;
}

/* --- ------------------------------------------------------------------------ */

enum mapi_error
mapi_transport_send(struct mapi_store *store,
		    const struct mapi_envelope *envelope,
		    struct istream *input, struct mapi_refusals *refusals,
		    bool *unknown_r)
{
	unsigned int count = envelope->rcpt_count;
	enum mapi_error error;

	i_assert(envelope->rcpt_count > 0);
	*unknown_r = FALSE;
	if (!mapi_transport_is_configured(store))
		return EC_NOT_SUPPORTED;
	i_stream_seek(input, 0);
	T_BEGIN {
		if (*store->set->submission->submission_host != '\0') {
			error = mapi_transport_send_smtp(store, envelope, input,
							 refusals, unknown_r);
		} else {
			error = send_sendmail(store, envelope, input,
					      unknown_r);
		}
	} T_END;
	if (error == EC_NONE) {
		if (refusals != NULL)
			count -= array_count(&refusals->list);
		e_info(store->user->event,
		       "mapi: %s: Sent to %u recipients",
		       t_mapi_envelope_log(envelope), count);
	}
	return error;
}
