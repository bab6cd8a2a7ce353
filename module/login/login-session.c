/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which session a request belongs to, and who may use it.

   A session's secret is 32 random bytes, known to the client as its
   MapiContext cookie. Login processes and the registry find sessions by the
   secret's SHA-256, so nobody but the client and the login processes that it
   talks to ever has it, and comparing takes the same time for all.

   A cookie alone is worth nothing. Every request must have credentials of the
   session's user: either they hash to what has been checked for this session
   in the last minutes (login-session-find.c), or auth is asked.

   Requests of a session come one after the other. The MapiSequence cookie is a
   counter: a request must have the number that the last response has given out.
   The session may have been served by other login processes meanwhile, so a
   higher number is as good; a lower one is a request that is sent again or out
   of turn. */

#include "lib.h"
#include "ioloop.h"
#include "hash.h"
#include "llist.h"
#include "safe-memset.h"
#include "sha2.h"
#include "http-server.h"
#include "mapi-channel.h"
#include "login-response.h"
#include "login-session-private.h"

static HASH_TABLE(const unsigned char *,
		  struct login_session *) login_sessions;
static struct login_session *login_sessions_list;

struct login_session *login_session_find(const unsigned char *key)
{
	return hash_table_lookup(login_sessions, key);
}

void login_session_key(const unsigned char secret[MAPIHTTP_SECRET_SIZE],
		       unsigned char key_r[MAPI_SESSION_KEY_SIZE])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_loop(&ctx, secret, MAPIHTTP_SECRET_SIZE);
	sha256_result(&ctx, key_r);
}

struct login_session *
login_session_alloc(const unsigned char *key, const char *username,
		    const struct login_request *req)
{
	struct login_session *session;

	session = i_new(struct login_session, 1);
	session->start_fd = -1;
	memcpy(session->key, key, sizeof(session->key));
	session->username = i_strdup(username);
	session->endpoint = req->endpoint;
	memcpy(session->auth_hash, req->auth_hash, sizeof(session->auth_hash));
	session->auth_time = ioloop_time;
	session->event = event_create(NULL);
	event_add_str(session->event, "user", username);
	hash_table_insert(login_sessions, (const unsigned char *)session->key,
			  session);
	DLLIST_PREPEND(&login_sessions_list, session);
	return session;
}

/* --- requests of a session ------------------------------------------------ */

void login_session_attach_request(struct login_session *session,
				  struct login_request *req)
{
	req->session = session;
	DLLIST_PREPEND_FULL(&session->requests, req,
			    session_prev, session_next);
}

void login_session_detach_request(struct login_request *req)
{
	struct login_session *session = req->session;

	if (session == NULL)
		return;
	req->session = NULL;
	DLLIST_REMOVE_FULL(&session->requests, req, session_prev, session_next);
	if (session->current == req)
		session->current = NULL;
}

void login_session_destroy(struct login_session **_session, const char *reason)
{
	struct login_session *session = *_session;
	struct login_request *req;

	*_session = NULL;
	e_debug(session->event, "Session leaves this process: %s", reason);
	if (login_session_find(session->key) == session) {
		hash_table_remove(login_sessions,
				  (const unsigned char *)session->key);
	}
	DLLIST_REMOVE(&login_sessions_list, session);
	while ((req = session->requests) != NULL) {
		login_session_detach_request(req);
		login_response_fail(req, MAPIHTTP_CONTEXT_NOT_FOUND,
				    "The session has ended.");
	}
	login_session_start_abort(session);
	if (session->channel != NULL)
		mapi_channel_deinit(&session->channel);
	event_unref(&session->event);
	i_free(session->cookie);
	i_free(session->username);
	i_free(session->log_id);
	i_free(session);
}

static void
login_session_add_cookie(struct login_request *req, const char *name,
			 const char *value, bool expire)
{
	unsigned int i;

	for (i = 0; req->set_cookies[i] != NULL; i++) ;
	i_assert(i + 1 < N_ELEMENTS(req->set_cookies));
	req->set_cookies[i] = p_strdup_printf(
		http_server_request_get_pool(req->http_req),
		"%s=%s; path=%s; HttpOnly%s%s", name, value,
		login_endpoint_path(req->endpoint), req->info.ssl ? "; Secure" : "", !expire ? "" :
		"; expires=Thu, 01-Jan-1970 00:00:00 GMT");
}

/* The cookies go out with the start of the response, which may be long before
   its end. */
static void
login_session_add_cookies(struct login_session *session,
			  struct login_request *req)
{
	if (session->cookie != NULL && req->connect) {
		login_session_add_cookie(req, MAPIHTTP_COOKIE_CONTEXT,
					 session->cookie, FALSE);
		safe_memset(session->cookie, 0, strlen(session->cookie));
		i_free_and_null(session->cookie);
	}
	if (req->sequenced) {
		login_session_add_cookie(req, MAPIHTTP_COOKIE_SEQUENCE,
					 dec2str(session->sequence), FALSE);
	}
}

static void
login_session_respond(struct login_session *session, struct login_request *req,
		      const struct mapi_frame *frame)
{
	if (frame->code != MAPIHTTP_SUCCESS) {
		/* the client hasn't got the next number */
		if (req->sequenced && req->output == NULL)
			session->sequence--;
		login_session_detach_request(req);
		login_response_fail(req, frame->code,
				    "The request has failed.");
		return;
	}
	login_session_detach_request(req);
	if ((frame->flags & MAPI_FRAME_FLAG_SESSION_ENDED) != 0) {
		i_zero(&req->set_cookies);
		login_session_add_cookie(req, MAPIHTTP_COOKIE_CONTEXT, "",
					 TRUE);
		login_session_add_cookie(req, MAPIHTTP_COOKIE_SEQUENCE, "",
					 TRUE);
	}
	login_response_send(req, frame->data, frame->size);
}

static void
login_session_frame(void *context, const struct mapi_frame *frame)
{
	struct login_session *session = context;
	struct login_request *req;

	if (frame->type != MAPI_FRAME_RESPONSE) {
		login_session_destroy(&session,
				      "Worker sent an unexpected frame");
		return;
	}
	for (req = session->requests; req != NULL;
	     req = req->session_next) {
		if (req->frame_id == frame->request_id)
			break;
	}
	/* none: the client has left */
	if (req != NULL)
		login_session_respond(session, req, frame);
	if ((frame->flags & MAPI_FRAME_FLAG_SESSION_ENDED) != 0)
		login_session_destroy(&session, "Session has ended");
}

static void login_session_closed(void *context, const char *reason)
{
	struct login_session *session = context;

	login_session_destroy(&session, reason);
}

static const struct mapi_channel_callbacks login_session_callbacks = {
	.frame = login_session_frame,
	.closed = login_session_closed,
};

void login_session_set_channel(struct login_session *session, int fd)
{
	i_assert(session->channel == NULL);
	session->channel = mapi_channel_init(fd, &login_session_callbacks,
					     session);
}

/* Checks that it's the request's turn; answers it if it isn't. */
static bool
login_session_check_sequence(struct login_session *session,
			     struct login_request *req)
{
	if (!req->sequenced)
		return TRUE;
	if (session->current != NULL) {
		login_response_fail(req, MAPIHTTP_INVALID_SEQUENCE,
				    "Another request of this session is still "
				    "being worked on.");
		return FALSE;
	}
	if (req->connect)
		return TRUE;
	if (!req->cookies.have_sequence) {
		login_response_fail(req, MAPIHTTP_MISSING_COOKIE,
				    "There's no "MAPIHTTP_COOKIE_SEQUENCE
				    " cookie.");
		return FALSE;
	}
	if (req->cookies.sequence < session->sequence ||
	    req->cookies.sequence >= UINT64_MAX / 2) {
		login_response_fail(req, MAPIHTTP_INVALID_SEQUENCE,
				    "The "MAPIHTTP_COOKIE_SEQUENCE
				    " cookie isn't the last one given out.");
		return FALSE;
	}
	session->sequence = req->cookies.sequence;
	return TRUE;
}

void login_session_execute(struct login_session *session,
			   struct login_request *req)
{
	if (!login_session_check_sequence(session, req))
		return;
	login_session_attach_request(session, req);
	if (req->sequenced) {
		session->current = req;
		session->sequence++;
	}
	req->frame_id = ++session->last_frame_id;
	login_session_add_cookies(session, req);
	mapi_channel_send_request(session->channel, req->frame_id,
				  req->request_type, req->body->data,
				  req->body->used);
	/* last, since it finds out that the client has left */
	login_response_await(req, strcasecmp(req->request_type,
					     "NotificationWait") == 0);
}

void login_session_request_gone(struct login_request *req)
{
	struct login_session *session = req->session;
	struct mapi_frame frame;

	if (req->auth != NULL)
		login_auth_abort(&req->auth);
	login_session_find_abort(req);
	if (session == NULL)
		return;
	if (session->channel != NULL) {
		i_zero(&frame);
		frame.type = MAPI_FRAME_CANCEL;
		frame.request_id = req->frame_id;
		mapi_channel_send(session->channel, &frame);
	}
	login_session_detach_request(req);
	/* Nobody has got the cookie of a session that is still being made. */
	if (session->cookie != NULL && session->channel == NULL)
		login_session_destroy(&session, "Client is gone");
}

void login_session_end_waits(void)
{
	struct login_session *session;
	struct login_request *req;
	struct mapi_frame frame;

	i_zero(&frame);
	frame.type = MAPI_FRAME_CANCEL;
	for (session = login_sessions_list; session != NULL;
	     session = session->next) {
		for (req = session->requests; req != NULL;
		     req = req->session_next) {
			if (req == session->current || session->channel == NULL)
				continue;
			frame.request_id = req->frame_id;
			mapi_channel_send(session->channel, &frame);
		}
	}
}

/* --- setup ---------------------------------------------------------------- */

/* Keys are hashes: any four bytes of one will do. */
static unsigned int login_session_key_hash(const unsigned char *key)
{
	unsigned int hash;

	memcpy(&hash, key, sizeof(hash));
	return hash;
}

static int
login_session_key_cmp(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, MAPI_SESSION_KEY_SIZE);
}

void login_session_init(void)
{
	hash_table_create(&login_sessions, default_pool, 0,
			  login_session_key_hash, login_session_key_cmp);
	login_session_find_init();
	login_session_start_init();
}

void login_session_deinit(void)
{
	struct login_session *session;

	while ((session = login_sessions_list) != NULL)
		login_session_destroy(&session, "Process is ending");
	login_session_find_deinit();
	login_session_start_deinit();
	hash_table_destroy(&login_sessions);
}
