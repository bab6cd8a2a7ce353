/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "llist.h"
#include "lib-event.h"
#include "str-sanitize.h"
#include "process-title.h"
#include "mail-user.h"

#include "mapi-settings.h"
#include "mapi-channel.h"
#include "mapi-sessions-client.h"
#include "mapi-client.h"
#include "mapi-worker.h"

#include <unistd.h>

/* What Dovecot's other services grant idle clients when they're to end. */
#define MAPI_DIE_IDLE_MSECS (60 * 1000)
#define MAPI_DIE_CHECK_MSECS 500
#define MAPI_REQUEST_POOL_SIZE (32 * 1024)

/* A NotificationWait that hasn't been answered. */
struct mapi_worker_wait {
	struct mapi_worker_wait *prev, *next;
	struct mapi_worker_channel *channel;
	uint32_t request_id;
	struct timeout *to;
	struct event *event;
};

struct mapi_worker_channel {
	struct mapi_worker_channel *prev, *next;
	struct mapi_worker_session *session;
	struct mapi_channel *channel;
	struct mapi_worker_wait *waits;
};

struct mapi_worker_session {
	struct mapi_worker_session *prev, *next;
	struct mapi_client client;
	struct mapi_worker_channel *channels;

	const char *sessions_path;
	struct mapi_registration *registration;
	unsigned char key[MAPI_SESSION_KEY_SIZE];

	struct timeout *to_idle;
	unsigned int idle_msecs;
	bool have_key:1;
	bool anvil_connected:1;
};

static struct mapi_worker_session *mapi_worker_sessions = NULL;
static unsigned int mapi_worker_session_count = 0;
static pid_t mapi_worker_master_pid = 0;
static struct timeout *mapi_worker_to_die = NULL;

void (*mapi_worker_session_destroyed)(void) = NULL;

static void mapi_worker_session_destroy(struct mapi_worker_session *session,
					const char *reason);

/* --- events ----------------------------------------------------------------- */

static struct event *
mapi_worker_request_event(struct mapi_worker_session *session,
			  const char *request_type, size_t body_size)
{
	struct event *event = event_create(session->client.event);

	event_add_str(event, "request_type", str_sanitize(request_type, 64));
	event_add_int(event, "bytes_in", body_size);
	return event;
}

static void
mapi_worker_request_finished(struct event **_event,
			     const struct mapi_client_response *response)
{
	struct event *event = *_event;

	*_event = NULL;
	event_add_int(event, "response_code", response->code);
	event_add_int(event, "bytes_out", response->body_size);
	e_debug(event_create_passthrough(event)->
			set_name("mapi_request_finished")->event(),
		"%s: response code %u, %zu bytes",
		event_find_field_recursive_str(event, "request_type"),
		response->code, response->body_size);
	event_unref(&event);
}

/* --- requests ---------------------------------------------------------------- */

static void
mapi_worker_channel_respond(struct mapi_worker_channel *channel,
			    uint32_t request_id,
			    const struct mapi_client_response *response,
			    bool session_ended)
{
	struct mapi_frame frame;

	i_zero(&frame);
	frame.type = MAPI_FRAME_RESPONSE;
	frame.request_id = request_id;
	frame.code = response->code;
	frame.data = response->body;
	frame.size = response->body_size;
	if (session_ended)
		frame.flags |= MAPI_FRAME_FLAG_SESSION_ENDED;
	mapi_channel_send(channel->channel, &frame);
}

static void mapi_worker_session_idle(struct mapi_worker_session *session)
{
	mapi_worker_session_destroy(session, "Session has been idle for too long");
}

static void mapi_worker_session_busy(struct mapi_worker_session *session)
{
	if (session->to_idle == NULL) {
		session->to_idle = timeout_add(session->idle_msecs,
					       mapi_worker_session_idle,
					       session);
	} else {
		timeout_reset(session->to_idle);
	}
}

static void mapi_worker_wait_free(struct mapi_worker_wait **_wait)
{
	struct mapi_worker_wait *wait = *_wait;

	*_wait = NULL;
	DLLIST_REMOVE(&wait->channel->waits, wait);
	timeout_remove(&wait->to);
	event_unref(&wait->event);
	i_free(wait);
}

static void
mapi_worker_wait_finish(struct mapi_worker_wait *wait, bool event_pending)
{
	struct mapi_worker_channel *channel = wait->channel;
	struct mapi_client_response response;
	TALLOC_CTX *mem = talloc_new(NULL);

	mapi_client_notification_wait_finish(event_pending, mem, &response);
	mapi_worker_channel_respond(channel, wait->request_id, &response,
				    FALSE);
	mapi_worker_request_finished(&wait->event, &response);
	talloc_free(mem);
	mapi_worker_session_busy(channel->session);
	mapi_worker_wait_free(&wait);
}

static void mapi_worker_wait_timeout(struct mapi_worker_wait *wait)
{
	mapi_worker_wait_finish(wait, FALSE);
}

/* [MS-OXCMAPIHTTP] 2.2.4.4: answered when there's a notification, or some time
   later without one. There are none yet: nothing can be subscribed to. */
static void
mapi_worker_notification_wait(struct mapi_worker_channel *channel,
			      uint32_t request_id, const uint8_t *body,
			      size_t body_size)
{
	struct mapi_worker_session *session = channel->session;
	struct mapi_client_response response;
	struct mapi_worker_wait *wait;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct event *event;

	i_zero(&response);
	if (session->client.session == NULL)
		response.code = MAPI_RESPONSE_CONTEXT_NOT_FOUND;
	else if (!mapi_client_notification_wait_parse(mem, body, body_size))
		response.code = MAPI_RESPONSE_INVALID_BODY;
	talloc_free(mem);
	event = mapi_worker_request_event(session, "NotificationWait",
					  body_size);
	if (response.code != MAPI_RESPONSE_SUCCESS) {
		mapi_worker_channel_respond(channel, request_id, &response,
					    FALSE);
		mapi_worker_request_finished(&event, &response);
		return;
	}

	wait = i_new(struct mapi_worker_wait, 1);
	wait->channel = channel;
	wait->request_id = request_id;
	wait->event = event;
	wait->to = timeout_add(
		session->client.user.set->mapi_notification_wait * 1000,
		mapi_worker_wait_timeout, wait);
	DLLIST_PREPEND(&channel->waits, wait);
}

static void
mapi_worker_cancel(struct mapi_worker_channel *channel, uint32_t request_id)
{
	struct mapi_worker_wait *wait;

	for (wait = channel->waits; wait != NULL; wait = wait->next) {
		if (wait->request_id == request_id) {
			/* If the login process is about to end, its client
			   still waits for an answer. */
			mapi_worker_wait_finish(wait, FALSE);
			return;
		}
	}
}

static void mapi_worker_channel_add(struct mapi_worker_session *session,
				    int fd);

static void mapi_worker_session_attach(void *context, int fd)
{
	mapi_worker_channel_add(context, fd);
}

static void mapi_worker_session_register(struct mapi_worker_session *session)
{
	if (session->registration != NULL || !session->have_key)
		return;
	session->registration =
		mapi_registration_init(session->sessions_path, session->key,
				       session->client.user.mail_user->username,
				       mapi_worker_session_attach, session);
}

static void
mapi_worker_request(struct mapi_worker_channel *channel,
		    const struct mapi_frame *frame)
{
	struct mapi_worker_session *session = channel->session;
	struct mapi_client_response response;
	struct event *event;
	const char *request_type;
	const unsigned char *body;
	size_t body_size;
	TALLOC_CTX *mem;
	bool ended;

	if (!mapi_channel_parse_request(frame, &request_type,
					&body, &body_size)) {
		i_zero(&response);
		response.code = MAPI_RESPONSE_UNKNOWN_FAILURE;
		mapi_worker_channel_respond(channel, frame->request_id,
					    &response, FALSE);
		return;
	}
	mapi_worker_session_busy(session);
	if (strcasecmp(request_type, "NotificationWait") == 0) {
		mapi_worker_notification_wait(channel, frame->request_id,
					      body, body_size);
		return;
	}

	/* a request makes many small allocations that are freed together */
	mem = talloc_pool(NULL, MAPI_REQUEST_POOL_SIZE);
	event = mapi_worker_request_event(session, request_type, body_size);
	mapi_client_request(&session->client, request_type, body, body_size,
			    mem, &response);
	/* over by Disconnect, or never begun by a Connect that failed */
	ended = session->client.session == NULL;
	mapi_worker_channel_respond(channel, frame->request_id, &response,
				    ended);
	mapi_worker_request_finished(&event, &response);
	talloc_free(mem);

	if (ended) {
		mapi_worker_session_destroy(session, response.disconnected ?
					    "Disconnected" : "Connect failed");
		return;
	}
	mapi_worker_session_register(session);
	/* not the time that the request took */
	mapi_worker_session_busy(session);
}

/* --- channels ---------------------------------------------------------------- */

static void mapi_worker_channel_free(struct mapi_worker_channel **_channel)
{
	struct mapi_worker_channel *channel = *_channel;
	struct mapi_worker_wait *wait;

	*_channel = NULL;
	while (channel->waits != NULL) {
		wait = channel->waits;
		mapi_worker_wait_free(&wait);
	}
	DLLIST_REMOVE(&channel->session->channels, channel);
	mapi_channel_deinit(&channel->channel);
	i_free(channel);
}

static void
mapi_worker_channel_frame(void *context, const struct mapi_frame *frame)
{
	struct mapi_worker_channel *channel = context;
	struct mapi_worker_session *session = channel->session;

	switch (frame->type) {
	case MAPI_FRAME_SESSION:
		if (frame->size != sizeof(session->key) || session->have_key) {
			e_error(session->client.event,
				"Login process sent an invalid session key");
			mapi_worker_channel_free(&channel);
			return;
		}
		memcpy(session->key, frame->data, sizeof(session->key));
		session->have_key = TRUE;
		break;
	case MAPI_FRAME_REQUEST:
		mapi_worker_request(channel, frame);
		break;
	case MAPI_FRAME_CANCEL:
		mapi_worker_cancel(channel, frame->request_id);
		break;
	case MAPI_FRAME_RESPONSE:
	case MAPI_FRAME_SERVICE:
		e_error(session->client.event,
			"Login process sent a frame that isn't for workers");
		mapi_worker_channel_free(&channel);
		break;
	}
}

static void mapi_worker_channel_closed(void *context, const char *reason)
{
	struct mapi_worker_channel *channel = context;
	struct mapi_worker_session *session = channel->session;

	e_debug(session->client.event, "Channel: %s", reason);
	mapi_worker_channel_free(&channel);
	/* Who isn't registered can't be found again. */
	if (session->channels == NULL && session->registration == NULL)
		mapi_worker_session_destroy(session, "Not connected");
}

static const struct mapi_channel_callbacks mapi_worker_channel_callbacks = {
	.frame = mapi_worker_channel_frame,
	.closed = mapi_worker_channel_closed,
};

static void
mapi_worker_channel_add(struct mapi_worker_session *session, int fd)
{
	struct mapi_worker_channel *channel;

	channel = i_new(struct mapi_worker_channel, 1);
	channel->session = session;
	channel->channel = mapi_channel_init(fd, &mapi_worker_channel_callbacks,
					     channel);
	DLLIST_PREPEND(&session->channels, channel);
}

/* --- sessions ---------------------------------------------------------------- */

static void mapi_worker_refresh_proctitle(struct mapi_client *client)
{
	struct mail_user *user = client->user.mail_user;
	const char *ip = "";

	if (!client->user.set->verbose_proctitle)
		return;
	if (mapi_worker_session_count != 1) {
		process_title_set(t_strdup_printf("[%u sessions]",
						  mapi_worker_session_count));
		return;
	}
	if (user->conn.remote_ip != NULL)
		ip = t_strconcat(" ", net_ip2addr(user->conn.remote_ip), NULL);
	process_title_set(t_strdup_printf("[%s%s]", user->username, ip));
}

void mapi_worker_session_create(const struct mapi_compat_user *user, int fd,
				const char *sessions_path,
				struct mapi_directory *directory,
				struct mapi_deferrals *deferrals,
				struct event *event)
{
	struct mapi_worker_session *session;

	session = i_new(struct mapi_worker_session, 1);
	session->sessions_path = sessions_path;
	mapi_worker_master_pid = getppid();
	mapi_client_init(&session->client, user, directory, deferrals, event);
	session->idle_msecs = user->set->mapi_session_timeout * 1000;
	session->anvil_connected = mapi_compat_anvil_connect(user->mail_user);
	DLLIST_PREPEND(&mapi_worker_sessions, session);
	mapi_worker_session_count++;
	mapi_worker_refresh_proctitle(&session->client);

	mapi_worker_session_busy(session);
	mapi_worker_channel_add(session, fd);
}

static void mapi_worker_session_destroy(struct mapi_worker_session *session,
					const char *reason)
{
	struct mapi_worker_channel *channel;

	e_info(session->client.event, "%s", reason);
	timeout_remove(&session->to_idle);
	if (session->registration != NULL)
		mapi_registration_deinit(&session->registration);
	while (session->channels != NULL) {
		channel = session->channels;
		mapi_worker_channel_free(&channel);
	}
	if (session->anvil_connected)
		mapi_compat_anvil_disconnect(session->client.user.mail_user);
	DLLIST_REMOVE(&mapi_worker_sessions, session);
	mapi_worker_session_count--;
	mapi_client_deinit(&session->client);
	i_free(session);
	if (mapi_worker_session_destroyed != NULL)
		mapi_worker_session_destroyed();
}

unsigned int mapi_worker_sessions_count(void)
{
	return mapi_worker_session_count;
}

static void mapi_worker_check_master(void *context ATTR_UNUSED)
{
	/* Without master there are no login processes and no registry: nobody
	   can reach the sessions. */
	if (getppid() != mapi_worker_master_pid)
		mapi_worker_sessions_destroy();
}

void mapi_worker_sessions_die(void)
{
	struct mapi_worker_session *session;

	for (session = mapi_worker_sessions; session != NULL;
	     session = session->next) {
		session->idle_msecs = I_MIN(session->idle_msecs,
					    MAPI_DIE_IDLE_MSECS);
		timeout_remove(&session->to_idle);
		mapi_worker_session_busy(session);
	}
	if (mapi_worker_to_die == NULL) {
		mapi_worker_to_die = timeout_add_short(MAPI_DIE_CHECK_MSECS,
						 mapi_worker_check_master,
						 (void *)NULL);
	}
}

void mapi_worker_sessions_destroy(void)
{
	timeout_remove(&mapi_worker_to_die);
	while (mapi_worker_sessions != NULL) {
		mapi_worker_session_destroy(mapi_worker_sessions,
					    "Server is shutting down");
	}
}
