/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "array.h"
#include "llist.h"
#include "net.h"
#include "master-service.h"
#include "http-server-private.h"
#include "http-request.h"
#include "ostream-gather.h"
#include "login-connection.h"

/* lib-http's idle timeout begins anew with every byte that arrives, so it stops
   nobody who sends a byte now and then. Therefore it's looked now and then
   whether a request has come: a connection that has never had one is closed
   after the first of these, others after one to two times the second. Outlook
   keeps connections open between requests. */
#define LOGIN_CONNECTION_FIRST_MSECS (30 * 1000)
#define LOGIN_CONNECTION_CHECK_MSECS (120 * 1000)

struct login_ip_net {
	struct ip_addr ip;
	unsigned int bits;
};

static const struct http_server_callbacks *login_callbacks;
static struct login_connection *login_connections;
static unsigned int login_connections_cur;
static ARRAY(struct login_ip_net) login_trusted_nets;

void login_connection_close(struct login_connection *conn, const char *reason)
{
	/* this frees conn */
	struct http_server_connection *http_conn = conn->http_conn;

	http_server_connection_close(&http_conn, reason);
}

/* --- slow clients ---------------------------------------------------------- */

/* Nothing is being worked on, or nothing has come in completely. */
static bool login_connection_is_idle(struct login_connection *conn)
{
	const struct http_server_stats *stats =
		http_server_connection_get_stats(conn->http_conn);

	return stats->request_count == stats->response_count;
}

static void login_connection_check(struct login_connection *conn)
{
	const struct http_server_stats *stats =
		http_server_connection_get_stats(conn->http_conn);

	if (login_connection_is_idle(conn) &&
	    stats->request_count == conn->last_request_count) {
		login_connection_close(conn, "Timeout");
		return;
	}
	conn->last_request_count = stats->request_count;
	timeout_remove(&conn->to_check);
	conn->to_check = timeout_add(LOGIN_CONNECTION_CHECK_MSECS,
				     login_connection_check, conn);
}

/* All processes are full: who has asked for nothing yet goes first, then who
   has been connected for longest and waits for nothing. */
static bool login_connections_overflow(bool kill, struct timeval *created_r)
{
	struct login_connection *conn, *oldest = NULL;
	bool oldest_used = TRUE, used;

	/* the list begins with the newest */
	for (conn = login_connections; conn != NULL; conn = conn->next) {
		if (!login_connection_is_idle(conn))
			continue;
		used = http_server_connection_get_stats(conn->http_conn)->
			request_count > 0;
		if (!used || oldest_used) {
			oldest = conn;
			oldest_used = used;
		}
	}
	if (oldest == NULL)
		return FALSE;
	*created_r = oldest->created;
	if (kill)
		login_connection_close(oldest, "Connection queue full");
	return TRUE;
}

/* --- connections ------------------------------------------------------------ */

static bool login_client_is_trusted(const struct login_client_info *info)
{
	const struct login_ip_net *net;

	array_foreach(&login_trusted_nets, net) {
		if (net_is_in_network(&info->remote_ip, &net->ip, net->bits))
			return TRUE;
	}
	return FALSE;
}

void login_connection_create(struct http_server *server,
			     struct master_service_connection *mconn)
{
	struct login_connection *conn;
	struct login_client_info *info;

	master_service_client_connection_accept(mconn);
	conn = i_new(struct login_connection, 1);
	conn->created = ioloop_timeval;
	info = &conn->info;
	info->local_ip = mconn->local_ip;
	info->remote_ip = mconn->remote_ip;
	info->local_port = mconn->local_port;
	info->remote_port = mconn->remote_port;
	info->real_local_ip = mconn->real_local_ip;
	info->real_remote_ip = mconn->real_remote_ip;
	info->real_local_port = mconn->real_local_port;
	info->real_remote_port = mconn->real_remote_port;
	info->ssl = mconn->ssl;
	conn->trusted = login_client_is_trusted(info);
	/* Who comes by the PROXY protocol isn't where the proxy is. */
	info->secured = info->ssl || conn->trusted ||
		(mconn->proxied ? mconn->proxy.ssl :
		 net_ip_compare(&info->real_remote_ip, &info->real_local_ip)) ||
		(!login_set->disable_plaintext_auth &&
		 strcmp(login_set->ssl, "required") != 0);
	conn->event = event_create(NULL);
	event_add_str(conn->event, "remote_ip", net_ip2addr(&info->remote_ip));
	event_set_append_log_prefix(conn->event,
		t_strdup_printf("rip=%s: ", net_ip2addr(&info->remote_ip)));
	DLLIST_PREPEND(&login_connections, conn);
	login_connections_cur++;
	conn->to_check = timeout_add(LOGIN_CONNECTION_FIRST_MSECS,
				     login_connection_check, conn);
	conn->http_conn = http_server_connection_create(server,
		mconn->fd, mconn->fd, mconn->ssl, login_callbacks, conn);
	/* lib-http starts TLS above this when something comes in */
	o_stream_gather(&conn->http_conn->conn.output);
}

void login_connection_responds(struct login_connection *conn)
{
	if (!conn->info.ssl || conn->gathers)
		return;
	/* above TLS, which there hasn't been before the first request */
	o_stream_gather(&conn->http_conn->conn.output);
	conn->gathers = TRUE;
}

void login_connection_destroyed(struct login_connection *conn,
				const char *reason)
{
	e_debug(conn->event, "Disconnected: %s", reason);
	DLLIST_REMOVE(&login_connections, conn);
	login_connections_cur--;
	timeout_remove(&conn->to_check);
	event_unref(&conn->event);
	i_free(conn);
	master_service_client_connection_destroyed(master_service);
}

/* Some proxies go on with a header that there is, others add one behind it. */
static const char *
login_last_header(const struct http_request *hreq, const char *name)
{
	const ARRAY_TYPE(http_header_field) *fields =
		http_request_header_get_fields(hreq);
	const struct http_header_field *field;
	const char *value = NULL;

	array_foreach(fields, field) {
		if (http_header_field_is(field, name))
			value = field->value;
	}
	return value;
}

void login_connection_get_info(const struct login_connection *conn,
			       const struct http_request *hreq,
			       struct login_client_info *info_r)
{
	const char *value, *p;
	struct ip_addr ip;

	*info_r = conn->info;
	if (!conn->trusted)
		return;
	value = login_last_header(hreq, "X-Forwarded-For");
	if (value == NULL)
		return;
	/* The last one is what the proxy itself has seen, the others are what
	   it was told. */
	p = strrchr(value, ',');
	value = p == NULL ? value : p + 1;
	while (*value == ' ' || *value == '\t')
		value++;
	if (net_addr2ip(t_strcut(value, ' '), &ip) == 0) {
		info_r->remote_ip = ip;
		info_r->remote_port = 0;
	}
}

unsigned int login_connections_count(void)
{
	return login_connections_cur;
}

/* --- setup ------------------------------------------------------------------ */

void login_connections_init(const struct http_server_callbacks *callbacks)
{
	const char *const *nets;
	struct login_ip_net *net;

	login_callbacks = callbacks;
	i_array_init(&login_trusted_nets, 4);
	nets = t_strsplit_spaces(login_set->login_trusted_networks, ", ");
	for (; *nets != NULL; nets++) {
		net = array_append_space(&login_trusted_nets);
		if (net_parse_range(*nets, &net->ip, &net->bits) < 0)
			i_fatal("login_trusted_networks: "
				"Invalid network '%s'", *nets);
	}
	master_service_set_avail_overflow_callback(master_service,
						login_connections_overflow);
}

void login_connections_deinit(void)
{
	i_assert(login_connections == NULL);
	array_free(&login_trusted_nets);
}
