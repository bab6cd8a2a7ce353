/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which session a request belongs to, and who may use it.

   A session's secret is 32 random bytes, known to the client as its
   MapiContext cookie. Login processes and the registry find sessions by the
   secret's SHA-256, so nobody but the client and the login processes that it
   talks to ever has it, and comparing takes the same time for all.

   A cookie alone is worth nothing. Every request must have credentials of the
   session's user: either they hash to what has been checked for this session
   in the last minutes (LOGIN_AUTH_CACHE_SECS), or auth is asked.

   Requests of a session come one after the other. The MapiSequence cookie is a
   counter: a request must have the number that the last response has given out.
   The session may have been served by other login processes meanwhile, so a
   higher number is as good; a lower one is a request that is sent again or out
   of turn. */

#include "lib.h"
#include "ioloop.h"
#include "array.h"
#include "hash.h"
#include "llist.h"
#include "str.h"
#include "hex-binary.h"
#include "buffer.h"
#include "hostpid.h"
#include "randgen.h"
#include "safe-memset.h"
#include "sha2.h"
#include "base64.h"
#include "net.h"
#include "master-service.h"
#include "master-auth.h"
#include "anvil-client.h"
#include "strescape.h"
#include "strnum.h"
#include "http-server.h"
#include "mapi-channel.h"
#include "mapi-sessions-client.h"
#include "login-auth.h"
#include "login-response.h"
#include "login-session.h"

#include <unistd.h>
#include <sys/socket.h>

#define LOGIN_AUTH_CACHE_SECS (5 * 60)
#define LOGIN_LOG_ID_BYTES 9

struct login_session {
	struct login_session *prev, *next;
	unsigned char key[MAPI_SESSION_KEY_SIZE];
	/* only while it is new, until the cookie has been sent */
	char *cookie;
	char *username;
	/* for the log */
	char *log_id;
	struct event *event;
	struct mapi_channel *channel;

	/* credentials that were good at auth_time */
	unsigned char auth_hash[LOGIN_AUTH_HASH_SIZE];
	time_t auth_time;

	/* number that the next request must have */
	uint64_t sequence;
	/* the request that is under way, others wait for notifications */
	struct login_request *current;
	struct login_request *requests;
	uint32_t last_frame_id;

	/* a new session, until its worker has it */
	struct anvil_query *anvil_query;
	unsigned int auth_id, auth_pid;
	char *auth_cookie, *mechanism;
	unsigned int master_auth_tag;
	/* our end of the channel-to-be, else -1 */
	int start_fd;
};

/* A question to the registry, with the request that waits for its answer:
   NULL if it's gone. */
struct login_session_lookup {
	struct login_request *req;
};

static HASH_TABLE(const unsigned char *,
		  struct login_session *) login_sessions;
static struct login_session *login_sessions_list;
static struct mapi_sessions_client *sessions_client;
static struct master_auth *master_auth;
static struct anvil_client *anvil;

static void login_session_execute(struct login_session *session,
				  struct login_request *req);
static void
login_session_authenticated(struct login_request *req,
			    const struct login_auth_reply *reply);

static struct login_session *login_session_find(const unsigned char *key)
{
	return hash_table_lookup(login_sessions, key);
}

/* --- requests of a session ------------------------------------------------ */

static void login_session_detach_request(struct login_request *req)
{
	struct login_session *session = req->session;

	if (session == NULL)
		return;
	req->session = NULL;
	DLLIST_REMOVE_FULL(&session->requests, req, session_prev, session_next);
	if (session->current == req)
		session->current = NULL;
}

static void
login_session_destroy(struct login_session **_session, const char *reason)
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
	if (session->anvil_query != NULL)
		anvil_client_query_abort(anvil, &session->anvil_query);
	if (session->master_auth_tag != 0)
		master_auth_request_abort(master_auth,
					  session->master_auth_tag);
	if (session->channel != NULL)
		mapi_channel_deinit(&session->channel);
	i_close_fd(&session->start_fd);
	event_unref(&session->event);
	i_free(session->cookie);
	i_free(session->auth_cookie);
	i_free(session->mechanism);
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
		"%s=%s; path=/mapi; HttpOnly%s%s", name, value,
		req->info.ssl ? "; Secure" : "", !expire ? "" :
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

/* Hands a request to the session's worker. */
static void
login_session_execute(struct login_session *session, struct login_request *req)
{
	if (!login_session_check_sequence(session, req))
		return;
	req->session = session;
	DLLIST_PREPEND_FULL(&session->requests, req,
			    session_prev, session_next);
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
	if (req->lookup != NULL) {
		req->lookup->req = NULL;
		req->lookup = NULL;
	}
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

/* --- new sessions --------------------------------------------------------- */

static struct login_session *
login_session_alloc(const unsigned char *key, const char *username,
		    const unsigned char *auth_hash)
{
	struct login_session *session;

	session = i_new(struct login_session, 1);
	session->start_fd = -1;
	memcpy(session->key, key, sizeof(session->key));
	session->username = i_strdup(username);
	memcpy(session->auth_hash, auth_hash, sizeof(session->auth_hash));
	session->auth_time = ioloop_time;
	session->event = event_create(NULL);
	event_add_str(session->event, "user", username);
	hash_table_insert(login_sessions, (const unsigned char *)session->key,
			  session);
	DLLIST_PREPEND(&login_sessions_list, session);
	return session;
}

static void
login_session_key(const unsigned char secret[MAPIHTTP_SECRET_SIZE],
		  unsigned char key_r[MAPI_SESSION_KEY_SIZE])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_loop(&ctx, secret, MAPIHTTP_SECRET_SIZE);
	sha256_result(&ctx, key_r);
}

static void
login_session_log_login(struct login_session *session,
			const struct login_request *req, pid_t worker_pid)
{
	e_info(session->event, "Login: user=<%s>, method=%s, rip=%s, lip=%s, "
	       "mpid=%s, %s, session=<%s>", session->username, session->mechanism,
	       net_ip2addr(&req->info.remote_ip),
	       net_ip2addr(&req->info.local_ip), dec2str(worker_pid),
	       req->info.ssl ? "TLS" : "secured", session->log_id);
}

static void login_session_worker_reply(const struct master_auth_reply *reply,
				       void *context)
{
	struct login_session *session = context;
	struct login_request *req = session->current;
	struct mapi_frame frame;

	session->master_auth_tag = 0;
	if (reply == NULL || reply->status != MASTER_AUTH_STATUS_OK) {
		/* Both auth and the worker have logged why. */
		login_session_detach_request(req);
		login_response_http_fail(req, 503, "Service Unavailable",
					 "The mailbox can't be opened now.");
		login_session_destroy(&session, "No worker");
		return;
	}
	login_session_log_login(session, req, reply->mail_pid);
	session->channel = mapi_channel_init(session->start_fd,
					     &login_session_callbacks, session);
	session->start_fd = -1;
	i_zero(&frame);
	frame.type = MAPI_FRAME_SESSION;
	frame.data = session->key;
	frame.size = sizeof(session->key);
	mapi_channel_send(session->channel, &frame);
	login_session_detach_request(req);
	login_session_execute(session, req);
}

static void
login_session_start_worker(struct login_session *session,
			   struct login_request *req)
{
	struct master_auth_request_params params;
	buffer_t buf;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0) {
		e_error(session->event, "socketpair() failed: %m");
		login_auth_forget(session->auth_id);
		login_session_detach_request(req);
		login_response_http_fail(req, 503, "Service Unavailable",
					 "Internal error.");
		login_session_destroy(&session, "No socketpair");
		return;
	}
	session->start_fd = fd[0];

	i_zero(&params);
	params.client_fd = fd[1];
	params.request.auth_pid = session->auth_pid;
	params.request.auth_id = session->auth_id;
	params.request.client_pid = getpid();
	params.request.local_ip = req->info.local_ip;
	params.request.remote_ip = req->info.remote_ip;
	params.request.local_port = req->info.local_port;
	params.request.remote_port = req->info.remote_port;
	if (req->info.secured)
		params.request.flags |= MAIL_AUTH_REQUEST_FLAG_CONN_SECURED;
	if (req->info.ssl)
		params.request.flags |= MAIL_AUTH_REQUEST_FLAG_CONN_SSL_SECURED;
	buffer_create_from_data(&buf, params.request.cookie,
				sizeof(params.request.cookie));
	if (strlen(session->auth_cookie) == MASTER_AUTH_COOKIE_SIZE * 2)
		(void)hex_to_binary(session->auth_cookie, &buf);
	/* the worker's session id for the log, NUL-terminated */
	params.request.data_size = strlen(session->log_id) + 1;
	params.data = (const unsigned char *)session->log_id;
	master_auth_request_full(master_auth, &params,
				 login_session_worker_reply, session,
				 &session->master_auth_tag);
	i_close_fd(&fd[1]);
}

static void login_session_anvil_reply(const char *reply, void *context)
{
	struct login_session *session = context;
	struct login_request *req = session->current;
	unsigned int count;

	session->anvil_query = NULL;
	/* as other login processes do: no reply isn't a reason to refuse */
	if (reply == NULL || str_to_uint(reply, &count) < 0 ||
	    count < login_set->mail_max_userip_connections) {
		login_session_start_worker(session, req);
		return;
	}
	e_info(session->event, "Maximum number of connections from user+IP "
	       "exceeded (mail_max_userip_connections=%u): user=<%s>, "
	       "method=%s, rip=%s, lip=%s",
	       login_set->mail_max_userip_connections, session->username,
	       session->mechanism, net_ip2addr(&req->info.remote_ip),
	       net_ip2addr(&req->info.local_ip));
	login_auth_forget(session->auth_id);
	login_session_detach_request(req);
	login_response_http_fail(req, 503, "Service Unavailable",
				 "Too many sessions of this user.");
	login_session_destroy(&session, "Too many sessions");
}

static void
login_session_create(struct login_request *req,
		     const struct login_auth_reply *auth)
{
	unsigned char secret[MAPIHTTP_SECRET_SIZE];
	unsigned char key[MAPI_SESSION_KEY_SIZE];
	unsigned char log_id[LOGIN_LOG_ID_BYTES];
	struct login_session *session;
	string_t *str;

	random_fill(secret, sizeof(secret));
	login_session_key(secret, key);
	session = login_session_alloc(key, auth->username, req->auth_hash);
	session->cookie = i_strdup(binary_to_hex(secret, sizeof(secret)));
	safe_memset(secret, 0, sizeof(secret));

	random_fill(log_id, sizeof(log_id));
	str = t_str_new(MAX_BASE64_ENCODED_SIZE(sizeof(log_id)));
	base64_encode(log_id, sizeof(log_id), str);
	session->log_id = i_strdup(str_c(str));

	session->auth_id = auth->auth_id;
	session->auth_pid = auth->auth_pid;
	session->auth_cookie = i_strdup(auth->auth_cookie);
	session->mechanism = i_strdup(auth->mechanism);
	req->session = session;
	session->current = req;
	DLLIST_PREPEND_FULL(&session->requests, req,
			    session_prev, session_next);
	if (login_set->mail_max_userip_connections == 0) {
		login_session_start_worker(session, req);
		return;
	}
	session->anvil_query = anvil_client_query(anvil,
		t_strconcat("LOOKUP\tmapi/",
			    net_ip2addr(&req->info.remote_ip), "/",
			    str_tabescape(session->username), NULL),
		login_session_anvil_reply, session);
}

/* --- finding sessions ----------------------------------------------------- */

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
		session = login_session_alloc(key, username, req->auth_hash);
		session->log_id = i_strdup("-");
		session->channel = mapi_channel_init(fd,
					&login_session_callbacks, session);
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
	switch (reply->result) {
	case LOGIN_AUTH_OK:
		break;
	case LOGIN_AUTH_FAILED:
		login_response_unauthorized(req);
		return;
	case LOGIN_AUTH_INSECURE:
		login_response_http_fail(req, 403, "Forbidden",
			"Authentication isn't allowed without TLS.");
		return;
	case LOGIN_AUTH_TEMPFAIL:
		login_response_http_fail(req, 503, "Service Unavailable",
			"Authentication isn't possible now.");
		return;
	}
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

/* It can't be reached again from the chroot. */
static bool login_session_anvil_lost(void)
{
	master_service_stop_new_connections(master_service);
	return FALSE;
}

void login_session_init(void)
{
	hash_table_create(&login_sessions, default_pool, 0,
			  login_session_key_hash, login_session_key_cmp);
	sessions_client = mapi_sessions_client_init("mapi-sessions");
	master_auth = master_auth_init(master_service, "mapi");
	anvil = anvil_client_init("anvil", login_session_anvil_lost, 0);
	if (anvil_client_connect(anvil, TRUE) < 0)
		i_fatal("Couldn't connect to anvil");
}

void login_session_deinit(void)
{
	struct login_session *session;

	while ((session = login_sessions_list) != NULL)
		login_session_destroy(&session, "Process is ending");
	mapi_sessions_client_deinit(&sessions_client);
	master_auth_deinit(&master_auth);
	anvil_client_deinit(&anvil);
	hash_table_destroy(&login_sessions);
}
