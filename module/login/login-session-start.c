/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* New sessions: whether the user may have one more, which anvil knows, and a
   worker of the user's, as Dovecot's login processes start one by master-auth:
   the worker gets an end of a pair of sockets as if it was its client's
   connection. */

#include "lib.h"
#include "ioloop.h"
#include "str.h"
#include "strnum.h"
#include "strescape.h"
#include "buffer.h"
#include "base64.h"
#include "hex-binary.h"
#include "randgen.h"
#include "safe-memset.h"
#include "net.h"
#include "anvil-client.h"
#include "master-service.h"
#include "master-auth.h"
#include "login-auth.h"
#include "login-response.h"
#include "login-service.h"
#include "login-session-private.h"

#include <unistd.h>
#include <sys/socket.h>

#define LOGIN_LOG_ID_BYTES 9

static struct master_auth *master_auth;
static struct anvil_client *anvil;

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
	login_session_set_channel(session, session->start_fd);
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

/* The address book serves all users by one service; who is asking is told with
   the session's key. */
static void
login_session_start_addressbook(struct login_session *session,
				struct login_request *req)
{
	struct mapi_frame frame;
	buffer_t *buf;
	int fd;

	login_auth_forget(session->auth_id);
	login_session_detach_request(req);
	fd = login_service_connect();
	if (fd == -1) {
		e_error(session->event,
			"Can't connect to the address book: %m");
		login_response_fail(req, MAPIHTTP_ENDPOINT_DISABLED,
				    "There's no address book now.");
		login_session_destroy(&session, "No address book");
		return;
	}
	login_session_set_channel(session, fd);
	buf = t_buffer_create(128);
	buffer_append(buf, session->key, sizeof(session->key));
	buffer_append(buf, session->username, strlen(session->username) + 1);
	i_zero(&frame);
	frame.type = MAPI_FRAME_SESSION;
	frame.data = buf->data;
	frame.size = buf->used;
	mapi_channel_send(session->channel, &frame);
	login_session_execute(session, req);
}

void login_session_create(struct login_request *req,
			  const struct login_auth_reply *auth)
{
	unsigned char secret[MAPIHTTP_SECRET_SIZE];
	unsigned char key[MAPI_SESSION_KEY_SIZE];
	unsigned char log_id[LOGIN_LOG_ID_BYTES];
	struct login_session *session;
	string_t *str;

	random_fill(secret, sizeof(secret));
	login_session_key(secret, key);
	session = login_session_alloc(key, auth->username, req);
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
	login_session_attach_request(session, req);
	session->current = req;
	if (req->endpoint == LOGIN_ENDPOINT_NSPI) {
		login_session_start_addressbook(session, req);
		return;
	}
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

void login_session_start_abort(struct login_session *session)
{
	if (session->anvil_query != NULL)
		anvil_client_query_abort(anvil, &session->anvil_query);
	if (session->master_auth_tag != 0)
		master_auth_request_abort(master_auth,
					  session->master_auth_tag);
	i_close_fd(&session->start_fd);
	i_free(session->auth_cookie);
	i_free(session->mechanism);
}

/* It can't be reached again from the chroot. */
static bool login_session_anvil_lost(void)
{
	master_service_stop_new_connections(master_service);
	return FALSE;
}

void login_session_start_init(void)
{
	master_auth = master_auth_init(master_service, "mapi");
	anvil = anvil_client_init("anvil", login_session_anvil_lost, 0);
	if (anvil_client_connect(anvil, TRUE) < 0)
		i_fatal("Couldn't connect to anvil");
}

void login_session_start_deinit(void)
{
	master_auth_deinit(&master_auth);
	anvil_client_deinit(&anvil);
}
