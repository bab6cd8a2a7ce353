/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "fd-util.h"
#include "ioloop.h"
#include "lib-event.h"
#include "str.h"
#include "strfuncs.h"
#include "ldap-connection.h"

#include <lber.h>
#include <sasl/sasl.h>
#include <sys/time.h>
#include <unistd.h>

/* Larger messages aren't from a directory. */
#define LDAP_MAX_MESSAGE (64 * 1024 * 1024)
/* Messages handled before others may do something */
#define LDAP_MAX_ROUND 500
/* A peer that's gone is noticed even when nothing is due. */
#define LDAP_KEEPALIVE_IDLE_SECS 60
#define LDAP_KEEPALIVE_INTERVAL_SECS 10
#define LDAP_KEEPALIVE_PROBES 6

enum ldap_connection_state {
	LDAP_STATE_CLOSED,
	LDAP_STATE_STARTTLS,
	LDAP_STATE_BIND,
	LDAP_STATE_READY,
};

struct ldap_connection {
	pool_t pool;
	struct ldap_connection_settings set;
	struct event *event;
	const struct ldap_connection_callbacks *callbacks;
	void *context;

	LDAP *ld;
	enum ldap_connection_state state;
	/* which of the servers is next, and is used */
	unsigned int next, current;
	/* of STARTTLS and BIND */
	int msgid;
	/* the SASL mechanism in use */
	const char *rmech;

	/* a duplicate: the library closes its own without telling */
	int fd;
	struct io *io;
	struct timeout *to_connect, *to_more, *to_response;
};

static void ldap_connection_input(struct ldap_connection *conn);

/* --- setup ---------------------------------------------------------------------- */

struct ldap_connection *
ldap_connection_init(const struct ldap_connection_settings *set,
		     struct event *event,
		     const struct ldap_connection_callbacks *callbacks,
		     void *context)
{
	struct ldap_connection *conn;
	pool_t pool = pool_alloconly_create("ldap connection", 1024);

	i_assert(set->uris[0] != NULL);
	conn = p_new(pool, struct ldap_connection, 1);
	conn->pool = pool;
	conn->fd = -1;
	conn->set = *set;
	conn->set.uris = (const char *const *)
		p_strarray_dup(pool, set->uris);
	conn->set.ca_file = p_strdup(pool, set->ca_file);
	conn->set.ca_dir = p_strdup(pool, set->ca_dir);
	conn->set.cert_file = p_strdup(pool, set->cert_file);
	conn->set.key_file = p_strdup(pool, set->key_file);
	conn->set.auth_dn = p_strdup(pool, set->auth_dn);
	conn->set.password = p_strdup(pool, set->password);
	conn->set.sasl_mech = p_strdup(pool, set->sasl_mech);
	conn->set.sasl_realm = p_strdup(pool, set->sasl_realm);
	conn->set.sasl_authz_id = p_strdup(pool, set->sasl_authz_id);
	conn->event = event;
	event_ref(event);
	conn->callbacks = callbacks;
	conn->context = context;
	return conn;
}

void ldap_connection_deinit(struct ldap_connection **_conn)
{
	struct ldap_connection *conn = *_conn;

	*_conn = NULL;
	ldap_connection_disconnect(conn);
	event_unref(&conn->event);
	pool_unref(&conn->pool);
}

void ldap_connection_disconnect(struct ldap_connection *conn)
{
	timeout_remove(&conn->to_connect);
	timeout_remove(&conn->to_more);
	timeout_remove(&conn->to_response);
	io_remove(&conn->io);
	i_close_fd(&conn->fd);
	if (conn->ld != NULL)
		ldap_unbind_ext(conn->ld, NULL, NULL);
	conn->ld = NULL;
	conn->state = LDAP_STATE_CLOSED;
}

void ldap_connection_succeeded(struct ldap_connection *conn)
{
	conn->next = 0;
}

bool ldap_connection_has_untried(const struct ldap_connection *conn)
{
	return conn->next > 0 && conn->set.uris[conn->next] != NULL;
}

const char *ldap_connection_uri(const struct ldap_connection *conn)
{
	return conn->set.uris[conn->current];
}

LDAP *ldap_connection_get(struct ldap_connection *conn)
{
	return conn->state == LDAP_STATE_READY ? conn->ld : NULL;
}

static void ATTR_FORMAT(2, 3)
ldap_connection_failed(struct ldap_connection *conn, const char *fmt, ...)
{
	va_list args;

	ldap_connection_disconnect(conn);
	T_BEGIN {
		va_start(args, fmt);
		conn->callbacks->failed(conn->context, t_strdup_printf(
			"%s: %s", ldap_connection_uri(conn),
			t_strdup_vprintf(fmt, args)));
		va_end(args);
	} T_END;
}

/* GnuTLS' reasons don't reach us. */
static const char *
ldap_connection_tls_hint(const struct ldap_connection *conn, int ret)
{
	bool ldaps = strncasecmp(ldap_connection_uri(conn), "ldaps:", 6) == 0;

	if ((ldaps && conn->state == LDAP_STATE_BIND &&
	     ret == LDAP_SERVER_DOWN) ||
	    (conn->state == LDAP_STATE_STARTTLS && ret == LDAP_CONNECT_ERROR))
		return " - if it is running, is its certificate for this name "
			"and by an authority of ssl_client_ca_file?";
	return "";
}

/* With what the library knows besides */
static void
ldap_connection_failed_op(struct ldap_connection *conn, const char *what,
			  int ret)
{
	const char *error = ldap_err2string(ret), *detail;
	char *msg = NULL;

	T_BEGIN {
		(void)ldap_get_option(conn->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE,
				      &msg);
		detail = msg == NULL || *msg == '\0' ? "" :
			t_strdup_printf(" (%s)", msg);
		ldap_memfree(msg);
		ldap_connection_failed(conn, "%s failed: %s%s%s", what, error,
			detail, ldap_connection_tls_hint(conn, ret));
	} T_END;
}

static void ldap_connection_timed_out(struct ldap_connection *conn)
{
	ldap_connection_failed(conn, "No answer for %u seconds",
			       conn->set.timeout_secs);
}

void ldap_connection_expect(struct ldap_connection *conn, bool expect)
{
	timeout_remove(&conn->to_response);
	if (expect && conn->ld != NULL) {
		conn->to_response = timeout_add(conn->set.timeout_secs * 1000,
						ldap_connection_timed_out,
						conn);
	}
}

/* --- connecting ------------------------------------------------------------------ */

static int ldap_connection_set_tls(struct ldap_connection *conn)
{
	const struct ldap_connection_settings *set = &conn->set;
	const struct {
		int option;
		const char *value;
	} files[] = {
		{ LDAP_OPT_X_TLS_CACERTFILE, set->ca_file },
		{ LDAP_OPT_X_TLS_CACERTDIR, set->ca_dir },
		{ LDAP_OPT_X_TLS_CERTFILE, set->cert_file },
		{ LDAP_OPT_X_TLS_KEYFILE, set->key_file },
	};
	int zero = 0, require = set->require_valid_cert ?
		LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_ALLOW;
	int ret;

	for (unsigned int i = 0; i < N_ELEMENTS(files); i++) {
		if (*files[i].value == '\0')
			continue;
		ret = ldap_set_option(conn->ld, files[i].option,
				      files[i].value);
		if (ret != LDAP_SUCCESS)
			return ret;
	}
	ret = ldap_set_option(conn->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &require);
	if (ret != LDAP_SUCCESS)
		return ret;
	return ldap_set_option(conn->ld, LDAP_OPT_X_TLS_NEWCTX, &zero);
}

static int ldap_connection_open(struct ldap_connection *conn)
{
	const char *uri = ldap_connection_uri(conn);
	struct timeval timeout = { .tv_sec = conn->set.timeout_secs };
	ber_len_t max = LDAP_MAX_MESSAGE;
	int ret, version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER;
	int idle = LDAP_KEEPALIVE_IDLE_SECS;
	int interval = LDAP_KEEPALIVE_INTERVAL_SECS;
	int probes = LDAP_KEEPALIVE_PROBES;
	Sockbuf *sb = NULL;

	ret = ldap_initialize(&conn->ld, uri);
	if (ret != LDAP_SUCCESS) {
		conn->ld = NULL;
		return ret;
	}
	ldap_set_option(conn->ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	ldap_set_option(conn->ld, LDAP_OPT_DEREF, &deref);
	/* a referral would be followed without our credentials, blocking */
	ldap_set_option(conn->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	ldap_set_option(conn->ld, LDAP_OPT_RESTART, LDAP_OPT_ON);
	/* Kerberos' name of the server is what the administrator has written,
	   not what DNS says of its address */
	ldap_set_option(conn->ld, LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON);
	ldap_set_option(conn->ld, LDAP_OPT_NETWORK_TIMEOUT, &timeout);
	ldap_set_option(conn->ld, LDAP_OPT_TIMEOUT, &timeout);
	ldap_set_option(conn->ld, LDAP_OPT_X_KEEPALIVE_IDLE, &idle);
	ldap_set_option(conn->ld, LDAP_OPT_X_KEEPALIVE_INTERVAL, &interval);
	ldap_set_option(conn->ld, LDAP_OPT_X_KEEPALIVE_PROBES, &probes);
	if (ldap_get_option(conn->ld, LDAP_OPT_SOCKBUF, &sb) == 0 && sb != NULL)
		ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &max);
	if (strncasecmp(uri, "ldapi:", 6) != 0)
		return ldap_connection_set_tls(conn);
	return LDAP_SUCCESS;
}

/* Answers what a SASL mechanism wants to know. */
static int
ldap_connection_interact(LDAP *ld ATTR_UNUSED, unsigned int flags ATTR_UNUSED,
			 void *context, void *_interact)
{
	const struct ldap_connection_settings *set = context;
	sasl_interact_t *interact = _interact;
	const char *value;

	for (; interact->id != SASL_CB_LIST_END; interact++) {
		switch (interact->id) {
		case SASL_CB_GETREALM:
			value = set->sasl_realm;
			break;
		case SASL_CB_AUTHNAME:
			value = set->auth_dn;
			break;
		case SASL_CB_USER:
			value = set->sasl_authz_id;
			break;
		case SASL_CB_PASS:
			value = set->password;
			break;
		default:
			value = "";
		}
		interact->result = value;
		interact->len = strlen(value);
	}
	return LDAP_SUCCESS;
}

static int ldap_connection_bind_simple(struct ldap_connection *conn)
{
	const struct ldap_connection_settings *set = &conn->set;
	struct berval cred;
	const char *mech = LDAP_SASL_SIMPLE;

	if (strcasecmp(set->sasl_mech, "EXTERNAL") == 0) {
		mech = "EXTERNAL";
		cred.bv_val = (char *)set->sasl_authz_id;
	} else
		cred.bv_val = (char *)set->password;
	cred.bv_len = strlen(cred.bv_val);
	return ldap_sasl_bind(conn->ld, set->auth_dn, mech, &cred, NULL, NULL,
			      &conn->msgid);
}

/* msg: the server's answer to the step before */
static int
ldap_connection_bind_sasl(struct ldap_connection *conn, LDAPMessage *msg)
{
	return ldap_sasl_interactive_bind(conn->ld, NULL, conn->set.sasl_mech,
					  NULL, NULL, LDAP_SASL_QUIET,
					  ldap_connection_interact, &conn->set,
					  msg, &conn->rmech, &conn->msgid);
}

static bool ldap_connection_is_sasl(const struct ldap_connection *conn)
{
	return *conn->set.sasl_mech != '\0' &&
		strcasecmp(conn->set.sasl_mech, "EXTERNAL") != 0;
}

static void ldap_connection_ready(struct ldap_connection *conn)
{
	conn->state = LDAP_STATE_READY;
	ldap_connection_expect(conn, FALSE);
	e_debug(conn->event, "%s: Connected", ldap_connection_uri(conn));
	conn->callbacks->connected(conn->context);
}

static void ldap_connection_bind(struct ldap_connection *conn)
{
	int ret;

	conn->state = LDAP_STATE_BIND;
	conn->rmech = NULL;
	if (!ldap_connection_is_sasl(conn))
		ret = ldap_connection_bind_simple(conn);
	else {
		ret = ldap_connection_bind_sasl(conn, NULL);
		if (ret == LDAP_SASL_BIND_IN_PROGRESS)
			ret = LDAP_SUCCESS;
	}
	if (ret != LDAP_SUCCESS) {
		/* it's the first to use the connection */
		ldap_connection_failed_op(conn, ret == LDAP_SERVER_DOWN ?
			"Connecting" : "Authentication", ret);
	}
}

static bool ldap_connection_wants_starttls(const struct ldap_connection *conn)
{
	return conn->set.starttls &&
		strncasecmp(ldap_connection_uri(conn), "ldap:", 5) == 0;
}

static void ldap_connection_start(struct ldap_connection *conn)
{
	int ret, fd = -1;

	timeout_remove(&conn->to_connect);
	ret = ldap_connection_open(conn);
	if (ret != LDAP_SUCCESS) {
		if (conn->ld == NULL)
			ldap_connection_failed(conn, "%s",
					       ldap_err2string(ret));
		else
			ldap_connection_failed_op(conn, "Settings", ret);
		return;
	}
	if (ldap_connection_wants_starttls(conn)) {
		conn->state = LDAP_STATE_STARTTLS;
		ret = ldap_start_tls(conn->ld, NULL, NULL, &conn->msgid);
		if (ret != LDAP_SUCCESS) {
			ldap_connection_failed_op(conn, "Connecting", ret);
			return;
		}
	} else {
		ldap_connection_bind(conn);
		if (conn->ld == NULL)
			return;
	}
	if (ldap_get_option(conn->ld, LDAP_OPT_DESC, &fd) != 0 || fd < 0) {
		ldap_connection_failed(conn, "It has no connection");
		return;
	}
	conn->fd = dup(fd);
	if (conn->fd == -1) {
		ldap_connection_failed(conn, "dup() failed: %m");
		return;
	}
	fd_close_on_exec(conn->fd, TRUE);
	conn->io = io_add(conn->fd, IO_READ, ldap_connection_input, conn);
	ldap_connection_expect(conn, TRUE);
}

void ldap_connection_connect(struct ldap_connection *conn)
{
	i_assert(conn->ld == NULL);
	if (conn->set.uris[conn->next] == NULL)
		conn->next = 0;
	conn->current = conn->next++;
	timeout_remove(&conn->to_connect);
	conn->to_connect = timeout_add_short(0, ldap_connection_start, conn);
}

/* --- messages ---------------------------------------------------------------------- */

int ldap_connection_result(struct ldap_connection *conn, LDAPMessage *msg,
			   LDAPControl ***controls_r, const char **error_r)
{
	char *text = NULL;
	int ret, code = LDAP_OTHER;

	if (controls_r != NULL)
		*controls_r = NULL;
	*error_r = "";
	ret = ldap_parse_result(conn->ld, msg, &code, NULL, &text, NULL,
				controls_r, 0);
	if (ret != LDAP_SUCCESS)
		code = ret;
	if (code != LDAP_SUCCESS) {
		*error_r = text == NULL || *text == '\0' ?
			ldap_err2string(code) :
			t_strdup_printf("%s (%s)", ldap_err2string(code), text);
	}
	ldap_memfree(text);
	return code;
}

static void ldap_connection_tls_started(struct ldap_connection *conn,
					LDAPMessage *msg)
{
	const char *error;
	int ret;

	ret = ldap_connection_result(conn, msg, NULL, &error);
	if (ret != LDAP_SUCCESS) {
		ldap_connection_failed(conn, "STARTTLS failed: %s", error);
		return;
	}
	ret = ldap_install_tls(conn->ld);
	if (ret != LDAP_SUCCESS)
		ldap_connection_failed_op(conn, "TLS handshake", ret);
	else
		ldap_connection_bind(conn);
}

static void
ldap_connection_bind_done(struct ldap_connection *conn, LDAPMessage *msg)
{
	const char *error;
	int ret;

	if (ldap_connection_is_sasl(conn)) {
		ret = ldap_connection_bind_sasl(conn, msg);
		if (ret == LDAP_SASL_BIND_IN_PROGRESS)
			return;
		if (ret != LDAP_SUCCESS) {
			ldap_connection_failed_op(conn, "Authentication", ret);
			return;
		}
	} else {
		ret = ldap_connection_result(conn, msg, NULL, &error);
		if (ret != LDAP_SUCCESS) {
			ldap_connection_failed(conn,
				"Authentication failed: %s", error);
			return;
		}
	}
	ldap_connection_ready(conn);
}

/* Whether it's what has been waited for. Something of another type isn't looked
   into: whoever sends our own request back would have the password in it taken
   for the reason of an error. */
static bool
ldap_connection_is_answer(struct ldap_connection *conn, LDAPMessage *msg,
			  int type)
{
	if (ldap_msgid(msg) != conn->msgid)
		return FALSE;
	if (ldap_msgtype(msg) == type)
		return TRUE;
	ldap_connection_failed(conn, "This isn't an LDAP server: "
			       "the answer to a request isn't one");
	return FALSE;
}

static void
ldap_connection_message(struct ldap_connection *conn, LDAPMessage *msg)
{
	if (ldap_msgid(msg) == 0) {
		/* RFC 4511 4.4: the server is about to close */
		ldap_connection_failed(conn, "The server has disconnected us");
		return;
	}
	switch (conn->state) {
	case LDAP_STATE_CLOSED:
		i_unreached();
	case LDAP_STATE_STARTTLS:
		if (ldap_connection_is_answer(conn, msg, LDAP_RES_EXTENDED))
			ldap_connection_tls_started(conn, msg);
		break;
	case LDAP_STATE_BIND:
		if (ldap_connection_is_answer(conn, msg, LDAP_RES_BIND))
			ldap_connection_bind_done(conn, msg);
		break;
	case LDAP_STATE_READY:
		conn->callbacks->message(conn->context, msg);
		break;
	}
}

/* What the library has read already doesn't wake the ioloop. */
static void ldap_connection_read_more(struct ldap_connection *conn)
{
	if (conn->to_more == NULL) {
		conn->to_more = timeout_add_short(0, ldap_connection_input,
						  conn);
	}
}

static void ldap_connection_input(struct ldap_connection *conn)
{
	struct timeval zero = { 0, 0 };
	LDAPMessage *msg;
	unsigned int count;
	int ret, code = LDAP_SERVER_DOWN;

	timeout_remove(&conn->to_more);
	for (count = 0; count < LDAP_MAX_ROUND; count++) {
		msg = NULL;
		ret = ldap_result(conn->ld, LDAP_RES_ANY, LDAP_MSG_ONE, &zero,
				  &msg);
		if (ret == 0)
			return;
		if (ret < 0) {
			(void)ldap_get_option(conn->ld, LDAP_OPT_RESULT_CODE,
					      &code);
			ldap_connection_failed_op(conn, "Connection", code);
			return;
		}
		if (conn->to_response != NULL)
			timeout_reset(conn->to_response);
		T_BEGIN {
			ldap_connection_message(conn, msg);
		} T_END;
		ldap_msgfree(msg);
		if (conn->ld == NULL)
			return;
	}
	ldap_connection_read_more(conn);
}

int ldap_connection_search(struct ldap_connection *conn,
			   const struct ldap_connection_search *search,
			   int *msgid_r, const char **error_r)
{
	int ret;

	i_assert(conn->state == LDAP_STATE_READY);
	ret = ldap_search_ext(conn->ld, search->base, search->scope,
			      search->filter, (char **)search->attributes, 0,
			      search->controls, NULL, NULL, LDAP_NO_LIMIT,
			      msgid_r);
	if (ret != LDAP_SUCCESS) {
		*error_r = t_strdup_printf("Search failed: %s",
					   ldap_err2string(ret));
		return -1;
	}
	ldap_connection_read_more(conn);
	return 0;
}
