/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "llist.h"
#include "lib-event.h"
#include "str-sanitize.h"

#include "mapi-directory-settings.h"
#include "mapi-channel.h"
#include "mapi-sessions-client.h"
#include "nspi.h"
#include "addressbook-snapshot.h"
#include "autodiscover.h"
#include "directory-writer.h"
#include "addressbook-session.h"

#include <unistd.h>

/* What Dovecot's other services grant idle clients when they're to end. */
#define ADDRESSBOOK_DIE_IDLE_MSECS (60 * 1000)
#define ADDRESSBOOK_DIE_CHECK_MSECS 500
#define ADDRESSBOOK_REQUEST_POOL_SIZE (64 * 1024)
#define ADDRESSBOOK_MAX_USERNAME 1024

struct addressbook_session;

struct addressbook_connection {
	struct addressbook_connection *prev, *next;
	/* among the session's; NULL until there's one */
	struct addressbook_connection *session_prev, *session_next;
	struct addressbook_session *session;
	struct mapi_channel *channel;
	/* it came by addressbook_connection_create() and hasn't begun a
	   session, which is who is counted then */
	bool counted;
};

/* A request whose answer waits for the directory to be changed */
struct addressbook_change {
	struct addressbook_change *prev, *next;
	/* NULL if nobody waits any more */
	struct addressbook_connection *conn;
	uint32_t request_id;
	char *request_type;
};

struct addressbook_session {
	struct addressbook_session *prev, *next;
	struct addressbook_connection *connections;
	struct event *event;

	unsigned char key[MAPI_SESSION_KEY_SIZE];
	char *username;
	struct mapi_registration *registration;
	struct timeout *to_idle;
	bool bound;
};

static struct event_category event_category_addressbook = {
	.name = "mapi-addressbook",
};

static struct addressbook_session_params params;
static struct addressbook_connection *connections;
static struct addressbook_session *sessions;
static struct addressbook_change *changes;
static struct timeout *to_die;
static pid_t master_pid;
static unsigned int idle_msecs;

static void
addressbook_session_destroy(struct addressbook_session *session,
			    const char *reason);

/* --- requests ---------------------------------------------------------------- */

static void addressbook_session_idle(struct addressbook_session *session)
{
	addressbook_session_destroy(session,
				    "Session has been idle for too long");
}

static void addressbook_session_busy(struct addressbook_session *session)
{
	timeout_remove(&session->to_idle);
	session->to_idle = timeout_add(idle_msecs, addressbook_session_idle,
				       session);
}

static void addressbook_connection_add(int fd,
				       struct addressbook_session *session);

static void addressbook_session_attach(void *context, int fd)
{
	addressbook_connection_add(fd, context);
}

static void
addressbook_respond(struct addressbook_connection *conn, uint32_t request_id,
		    const struct nspi_result *result, bool session_ended)
{
	struct mapi_frame frame;

	i_zero(&frame);
	frame.type = MAPI_FRAME_RESPONSE;
	frame.request_id = request_id;
	frame.code = result->code;
	frame.data = result->body;
	frame.size = result->body_size;
	if (session_ended)
		frame.flags |= MAPI_FRAME_FLAG_SESSION_ENDED;
	mapi_channel_send(conn->channel, &frame);
}

static void addressbook_change_done(void *context, enum mapi_error error)
{
	struct addressbook_change *change = context;
	struct nspi_context ctx;
	struct nspi_result result;

	if (change->conn != NULL) {
		i_zero(&ctx);
		ctx.mem = talloc_new(NULL);
		nspi_change_finish(&ctx, change->request_type, error, &result);
		addressbook_respond(change->conn, change->request_id, &result,
				    FALSE);
		talloc_free(ctx.mem);
	}
	DLLIST_REMOVE(&changes, change);
	i_free(change->request_type);
	i_free(change);
}

static void
addressbook_change(struct addressbook_connection *conn, uint32_t request_id,
		   const char *request_type, const struct nspi_change *wanted)
{
	struct addressbook_change *change = i_new(struct addressbook_change, 1);

	change->conn = conn;
	change->request_id = request_id;
	change->request_type = i_strdup(request_type);
	DLLIST_PREPEND(&changes, change);
	directory_writer_change(wanted, addressbook_change_done, change);
}

static void
addressbook_request_run(struct addressbook_connection *conn,
			const struct mapi_frame *frame,
			const char *request_type, const unsigned char *body,
			size_t body_size)
{
	struct addressbook_session *session = conn->session;
	struct nspi_context ctx;
	struct nspi_result result;
	struct event *event;

	i_zero(&ctx);
	ctx.set = params.set;
	ctx.snapshot = addressbook_snapshot_get();
	ctx.username = session->username;
	/* a request makes many small allocations that are freed together */
	ctx.mem = talloc_pool(NULL, ADDRESSBOOK_REQUEST_POOL_SIZE);
	nspi_request(&ctx, request_type, body, body_size, &session->bound,
		     &result);
	if (result.change != NULL) {
		addressbook_change(conn, frame->request_id, request_type,
				   result.change);
	} else {
		addressbook_respond(conn, frame->request_id, &result,
				    !session->bound);
	}

	event = event_create(session->event);
	event_add_str(event, "request_type", str_sanitize(request_type, 64));
	event_add_int(event, "bytes_in", body_size);
	event_add_int(event, "bytes_out", result.body_size);
	event_add_int(event, "response_code", result.code);
	event_set_name(event, "mapi_addressbook_request_finished");
	e_debug(event, "%s: response code %u, %s, %zu bytes",
		str_sanitize(request_type, 64), result.code,
		mapi_error_name(result.error), result.body_size);
	event_unref(&event);
	talloc_free(ctx.mem);
}

static void
addressbook_request(struct addressbook_connection *conn,
		    const struct mapi_frame *frame)
{
	struct addressbook_session *session = conn->session;
	struct nspi_result result;
	const char *request_type;
	const unsigned char *body;
	size_t body_size;
	bool was_bound = session->bound;

	if (!mapi_channel_parse_request(frame, &request_type,
					&body, &body_size)) {
		i_zero(&result);
		result.code = NSPI_RESPONSE_UNKNOWN_FAILURE;
		addressbook_respond(conn, frame->request_id, &result, FALSE);
		return;
	}
	T_BEGIN {
		addressbook_request_run(conn, frame, request_type, body,
					body_size);
	} T_END;
	if (!session->bound) {
		addressbook_session_destroy(session, was_bound ?
					    "Unbound" : "Bind failed");
		return;
	}
	if (session->registration == NULL) {
		session->registration =
			mapi_registration_init(params.sessions_path,
					       session->key, session->username,
					       addressbook_session_attach,
					       session);
	}
	addressbook_session_busy(session);
}

/* --- connections ------------------------------------------------------------- */

static void
addressbook_connection_free(struct addressbook_connection **_conn)
{
	struct addressbook_connection *conn = *_conn;
	struct addressbook_change *change;
	bool counted = conn->counted;

	*_conn = NULL;
	DLLIST_REMOVE(&connections, conn);
	if (conn->session != NULL) {
		DLLIST_REMOVE_FULL(&conn->session->connections, conn,
				   session_prev, session_next);
	}
	for (change = changes; change != NULL; change = change->next) {
		if (change->conn == conn)
			change->conn = NULL;
	}
	mapi_channel_deinit(&conn->channel);
	i_free(conn);
	if (counted)
		params.destroyed();
}

/* A request that is of no session: Autodiscover's are the only ones. */
static void
addressbook_service(struct addressbook_connection *conn,
		    const struct mapi_frame *frame)
{
	struct autodiscover_settings set;
	struct autodiscover_response resp;
	const char *const *fields, *resp_fields[2] = { NULL, NULL };
	const unsigned char *body;
	size_t size;

	if (!mapi_channel_parse_fields(frame, &fields, &body, &size)) {
		i_error("Login process sent an invalid request");
		addressbook_connection_free(&conn);
		return;
	}
	i_zero(&set);
	set.external_url = params.set->mapi_external_url;
	set.organization = params.set->mapi_organization;
	set.automapping = params.set->mapi_autodiscover_automapping;
	autodiscover_handle(&set, addressbook_snapshot_get(), fields, body,
			    size, &resp);
	resp_fields[0] = t_strconcat("content-type=", resp.content_type, NULL);
	mapi_channel_send_fields(conn->channel, frame->request_id, resp.status,
				 resp_fields, resp.body, strlen(resp.body));
}

static bool
addressbook_session_create(struct addressbook_connection *conn,
			   const struct mapi_frame *frame)
{
	struct addressbook_session *session;
	const char *username;
	size_t len;

	/* the key, the username and its NUL */
	if (conn->session != NULL || !conn->counted ||
	    frame->size < MAPI_SESSION_KEY_SIZE + 2 ||
	    frame->size > MAPI_SESSION_KEY_SIZE + ADDRESSBOOK_MAX_USERNAME)
		return FALSE;
	username = (const char *)frame->data + MAPI_SESSION_KEY_SIZE;
	len = frame->size - MAPI_SESSION_KEY_SIZE;
	if (memchr(username, '\0', len) != username + len - 1)
		return FALSE;

	session = i_new(struct addressbook_session, 1);
	memcpy(session->key, frame->data, sizeof(session->key));
	session->username = i_strdup(username);
	session->event = event_create(NULL);
	event_add_category(session->event, &event_category_addressbook);
	event_add_str(session->event, "user", username);
	event_set_append_log_prefix(session->event,
		t_strdup_printf("%s: ", str_sanitize(username, 256)));
	DLLIST_PREPEND(&sessions, session);
	conn->session = session;
	conn->counted = FALSE;
	DLLIST_PREPEND_FULL(&session->connections, conn,
			    session_prev, session_next);
	addressbook_session_busy(session);
	return TRUE;
}

static void
addressbook_connection_frame(void *context, const struct mapi_frame *frame)
{
	struct addressbook_connection *conn = context;
	bool valid = FALSE;

	switch (frame->type) {
	case MAPI_FRAME_SESSION:
		valid = addressbook_session_create(conn, frame);
		break;
	case MAPI_FRAME_REQUEST:
		if (conn->session == NULL)
			break;
		addressbook_request(conn, frame);
		/* the connection may be gone */
		return;
	case MAPI_FRAME_CANCEL:
		/* All are answered at once; a change of the directory can't
		   be called back. */
		return;
	case MAPI_FRAME_SERVICE:
		if (conn->session != NULL)
			break;
		addressbook_service(conn, frame);
		return;
	case MAPI_FRAME_RESPONSE:
		break;
	}
	if (!valid) {
		i_error("Login process sent a frame that is invalid here");
		if (conn->session != NULL && conn->session->registration == NULL)
			addressbook_session_destroy(conn->session,
						    "Invalid frame");
		else
			addressbook_connection_free(&conn);
	}
}

static void addressbook_connection_closed(void *context, const char *reason)
{
	struct addressbook_connection *conn = context;
	struct addressbook_session *session = conn->session;

	if (session != NULL)
		e_debug(session->event, "Channel: %s", reason);
	addressbook_connection_free(&conn);
	/* Who isn't registered can't be found again. */
	if (session != NULL && session->connections == NULL &&
	    session->registration == NULL)
		addressbook_session_destroy(session, "Not connected");
}

static const struct mapi_channel_callbacks addressbook_channel_callbacks = {
	.frame = addressbook_connection_frame,
	.closed = addressbook_connection_closed,
};

static void
addressbook_connection_add(int fd, struct addressbook_session *session)
{
	struct addressbook_connection *conn;

	conn = i_new(struct addressbook_connection, 1);
	conn->session = session;
	conn->counted = session == NULL;
	conn->channel = mapi_channel_init(fd, &addressbook_channel_callbacks,
					  conn);
	DLLIST_PREPEND(&connections, conn);
	if (session != NULL) {
		DLLIST_PREPEND_FULL(&session->connections, conn,
				    session_prev, session_next);
	}
}

void addressbook_connection_create(int fd)
{
	master_pid = getppid();
	addressbook_connection_add(fd, NULL);
}

/* --- sessions ---------------------------------------------------------------- */

static void
addressbook_session_destroy(struct addressbook_session *session,
			    const char *reason)
{
	struct addressbook_connection *conn;

	e_debug(session->event, "%s", reason);
	timeout_remove(&session->to_idle);
	if (session->registration != NULL)
		mapi_registration_deinit(&session->registration);
	while (session->connections != NULL) {
		conn = session->connections;
		addressbook_connection_free(&conn);
	}
	DLLIST_REMOVE(&sessions, session);
	event_unref(&session->event);
	i_free(session->username);
	i_free(session);
	params.destroyed();
}

void addressbook_sessions_init(const struct addressbook_session_params *_params)
{
	params = *_params;
	idle_msecs = params.set->mapi_session_timeout * 1000;
}

static void addressbook_sessions_destroy(void)
{
	struct addressbook_connection *conn;

	while (sessions != NULL)
		addressbook_session_destroy(sessions,
					    "Server is shutting down");
	while (connections != NULL) {
		conn = connections;
		addressbook_connection_free(&conn);
	}
}

static void addressbook_check_master(void *context ATTR_UNUSED)
{
	/* Without master there are no login processes and no registry: nobody
	   can reach the sessions. */
	if (getppid() != master_pid)
		addressbook_sessions_destroy();
}

void addressbook_sessions_die(void)
{
	struct addressbook_session *session;

	idle_msecs = I_MIN(idle_msecs, ADDRESSBOOK_DIE_IDLE_MSECS);
	for (session = sessions; session != NULL; session = session->next)
		addressbook_session_busy(session);
	if (to_die == NULL) {
		to_die = timeout_add_short(ADDRESSBOOK_DIE_CHECK_MSECS,
					   addressbook_check_master,
					   (void *)NULL);
	}
}

void addressbook_sessions_deinit(void)
{
	timeout_remove(&to_die);
	addressbook_sessions_destroy();
}
