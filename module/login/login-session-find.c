/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds the session that a request belongs to, here or by the registry, after
   it is known whose request it is. */

#include "lib.h"
#include "ioloop.h"
#include "net.h"
#include "http-server.h"
#include "mapi-sessions-client.h"
#include "login-auth.h"
#include "login-response.h"
#include "login-session-private.h"

/* For how long credentials that have been checked are good for their session
   without asking auth again */
#define LOGIN_AUTH_CACHE_SECS (5 * 60)

/* A question to the registry, with the request that waits for its answer:
   NULL if it's gone. */
struct login_session_lookup {
	struct login_request *req;
};

static struct mapi_sessions_client *sessions_client;

static void
login_session_authenticated(struct login_request *req,
			    const struct login_auth_reply *reply);

static void
login_session_use(struct login_session *session, struct login_request *req)
{
	if (strcmp(session->username, req->username) != 0) {
		e_warning(req->event, "User <%s> sent a cookie of a session of "
			  "user <%s>: rip=%s", req->username,
			  session->username, net_ip2addr(&req->info.remote_ip));
		login_response_fail(req, MAPIHTTP_NO_PRIVILEGE,
				    "This is another user's session.");
		return;
	}
	memcpy(session->auth_hash, req->auth_hash, sizeof(session->auth_hash));
	session->auth_time = ioloop_time;
	login_session_execute(session, req);
}

static void
login_session_looked_up(void *context, int fd, const char *username)
{
	struct login_session_lookup *lookup = context;
	struct login_request *req = lookup->req;
	unsigned char key[MAPI_SESSION_KEY_SIZE];
	struct login_session *session;

	i_free(lookup);
	if (req == NULL) {
		i_close_fd(&fd);
		return;
	}
	req->lookup = NULL;
	if (fd == -1 && req->connect) {
		/* The client has kept the cookie of a session that is gone:
		   it gets a new one, for which auth must be asked again. */
		req->cookies.have_context = FALSE;
		login_auth_start(req, login_session_authenticated);
		return;
	}
	if (fd == -1) {
		login_response_fail(req, MAPIHTTP_CONTEXT_NOT_FOUND,
				    "There's no such session any more.");
		return;
	}
	login_session_key(req->cookies.secret, key);
	session = login_session_find(key);
	if (session != NULL) {
		/* another request was faster */
		i_close_fd(&fd);
	} else if (strcmp(username, req->username) != 0) {
		i_close_fd(&fd);
		login_response_fail(req, MAPIHTTP_NO_PRIVILEGE,
				    "This is another user's session.");
		return;
	} else {
		session = login_session_alloc(key, username, req);
		session->log_id = i_strdup("-");
		login_session_set_channel(session, fd);
	}
	login_session_use(session, req);
}

static void login_session_search(struct login_request *req)
{
	unsigned char key[MAPI_SESSION_KEY_SIZE];
	struct login_session *session;

	login_session_key(req->cookies.secret, key);
	session = login_session_find(key);
	if (session != NULL && session->channel != NULL) {
		if (session->endpoint != req->endpoint) {
			login_response_fail(req, MAPIHTTP_CONTEXT_NOT_FOUND,
				"The session is of another endpoint.");
			return;
		}
		login_session_use(session, req);
		return;
	}
	req->lookup = i_new(struct login_session_lookup, 1);
	req->lookup->req = req;
	mapi_sessions_lookup(sessions_client, key, login_session_looked_up,
			     req->lookup);
}

static void
login_session_authenticated(struct login_request *req,
			    const struct login_auth_reply *reply)
{
	if (login_response_auth_failed(req, reply))
		return;
	req->username = p_strdup(http_server_request_get_pool(req->http_req),
				 reply->username);
	if (req->connect && !req->cookies.have_context) {
		login_session_create(req, reply);
		return;
	}
	login_auth_forget(reply->auth_id);
	if (!req->cookies.have_context) {
		login_response_fail(req, MAPIHTTP_MISSING_COOKIE,
				    "There's no "MAPIHTTP_COOKIE_CONTEXT
				    " cookie.");
		return;
	}
	login_session_search(req);
}

void login_session_request(struct login_request *req)
{
	unsigned char key[MAPI_SESSION_KEY_SIZE];
	struct login_session *session;

	if (req->cookies.have_context) {
		login_session_key(req->cookies.secret, key);
		session = login_session_find(key);
		if (session != NULL && session->channel != NULL &&
		    session->endpoint == req->endpoint &&
		    session->auth_time + LOGIN_AUTH_CACHE_SECS > ioloop_time &&
		    mem_equals_timing_safe(session->auth_hash, req->auth_hash,
					   sizeof(req->auth_hash))) {
			req->username = p_strdup(
				http_server_request_get_pool(req->http_req),
				session->username);
			login_session_execute(session, req);
			return;
		}
	}
	login_auth_start(req, login_session_authenticated);
}

void login_session_find_abort(struct login_request *req)
{
	if (req->lookup != NULL) {
		req->lookup->req = NULL;
		req->lookup = NULL;
	}
}

void login_session_find_init(void)
{
	sessions_client = mapi_sessions_client_init("mapi-sessions");
}

void login_session_find_deinit(void)
{
	mapi_sessions_client_deinit(&sessions_client);
}
