/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "istream.h"
#include "smtp-address.h"
#include "smtp-client.h"
#include "smtp-client-connection.h"
#include "smtp-client-transaction.h"
#include "smtp-params.h"
#include "smtp-submit-settings.h"
#include "str-sanitize.h"
#include "store-compat.h"
#include "mapi-store-private.h"
#include "mapi-transport.h"

#define DEFAULT_PORT 25
/* of what the server says about a recipient */
#define REPLY_MAX 500
#define CAPABILITY_HOLD "FUTURERELEASE"
#define PARAM_HOLD "HOLDFOR"

/* What a refusal is of */
enum phase {
	PHASE_CONNECT,
	PHASE_MAIL,
	PHASE_RCPT,
	PHASE_DATA,
};

struct smtp_send_rcpt {
	struct smtp_send *send;
	const struct smtp_address *address;
};

struct smtp_send {
	struct mapi_store *store;
	const struct mapi_envelope *envelope;
	struct istream *input;
	uoff_t size;
	/* NULL if nobody may be */
	struct mapi_refusals *refusals;

	struct ioloop *ioloop;
	struct smtp_client *client;
	struct smtp_client_connection *conn;
	struct smtp_client_transaction *trans;
	/* out of a callback, as lib-smtp wants it */
	struct timeout *to_next;
	struct smtp_send_rcpt *rcpts;
	unsigned int rcpts_left;

	enum mapi_error error;
	bool data_begun, accepted, unknown, ended;
};

static const char *phase_names[] = {
	"Connecting", "MAIL FROM", "RCPT TO", "DATA"
};

/* [RFC5321] 4.2.2, [RFC3463]; the first that fits. Numbers that are 0 fit all. */
static const struct {
	enum phase phase;
	unsigned int status, subject, detail;
	enum mapi_error error;
} refusals[] = {
	/* HOLDFOR: too long, or not now */
	{ PHASE_MAIL, 501, 0, 0, EC_NOT_SUPPORTED },
	{ PHASE_MAIL, 555, 0, 0, EC_NOT_SUPPORTED },
	{ PHASE_MAIL, 552, 0, 0, EC_MAX_SUBMISSION_EXCEEDED },
	{ PHASE_MAIL, 0, 3, 4, EC_MAX_SUBMISSION_EXCEEDED },
	{ PHASE_DATA, 552, 0, 0, EC_MAX_SUBMISSION_EXCEEDED },
	{ PHASE_DATA, 0, 3, 4, EC_MAX_SUBMISSION_EXCEEDED },
	{ PHASE_DATA, 0, 2, 3, EC_MAX_SUBMISSION_EXCEEDED },
	{ PHASE_RCPT, 452, 5, 3, EC_TOO_MANY_RECIPS },
	{ PHASE_RCPT, 552, 5, 3, EC_TOO_MANY_RECIPS },
	{ PHASE_CONNECT, 0, 0, 0, EC_NETWORK_ERROR },
	/* ... and only what's permanent */
	{ PHASE_MAIL, 5, 0, 0, EC_ACCESS_DENIED },
	{ PHASE_RCPT, 5, 0, 0, EC_INVALID_RECIPIENTS },
	{ PHASE_DATA, 5, 0, 0, EC_ERROR },
};

static enum mapi_error
refusal_error(enum phase phase, const struct smtp_reply *reply)
{
	const struct smtp_reply_enhanced_code *code = &reply->enhanced_code;
	unsigned int i;

	if (!smtp_reply_is_remote(reply))
		return EC_NETWORK_ERROR;
	for (i = 0; i < N_ELEMENTS(refusals); i++) {
		if (refusals[i].phase == phase &&
		    (refusals[i].status == 0 ||
		     refusals[i].status == reply->status ||
		     refusals[i].status == reply->status / 100) &&
		    (refusals[i].subject == 0 ||
		     (smtp_reply_has_enhanced_code(reply) &&
		      refusals[i].subject == code->y &&
		      refusals[i].detail == code->z)))
			return refusals[i].error;
	}
	return EC_NETWORK_ERROR;
}

static void send_fail(struct smtp_send *send, enum mapi_error error)
{
	/* what follows from it is of no interest */
	if (send->error == EC_NONE)
		send->error = error;
}

static void
reply_get_status(const struct smtp_reply *reply, struct mime_status *status_r)
{
	const struct smtp_reply_enhanced_code *code = &reply->enhanced_code;

	i_zero(status_r);
	if (!smtp_reply_has_enhanced_code(reply)) {
		status_r->class = reply->status / 100;
		return;
	}
	status_r->class = code->x;
	status_r->subject = code->y;
	status_r->detail = code->z;
}

static const char *
refusals_reply(struct mapi_refusals *refusals, const struct smtp_reply *reply)
{
	return p_strdup(refusals->pool,
			str_sanitize_utf8(smtp_reply_log(reply), REPLY_MAX));
}

static void
send_refused(struct smtp_send *send, enum phase phase,
	     const struct smtp_reply *reply)
{
	struct mapi_refusals *refusals = send->refusals;

	if (send->error == EC_NONE) {
		e_info(send->store->user->event,
		       "mapi: %s: %s: %s: %s failed: %s",
		       t_mapi_envelope_log(send->envelope),
		       send->unknown ? "May have been sent or not" : "Not sent",
		       send->store->set->submission->submission_host,
		       phase_names[phase], smtp_reply_log(reply));
		if (refusals != NULL && smtp_reply_is_remote(reply) &&
		    reply->status / 100 == 5) {
			reply_get_status(reply, &refusals->status);
			refusals->reply = refusals_reply(refusals, reply);
		}
	}
	send_fail(send, refusal_error(phase, reply));
}

/* The message isn't for this one, but for the others. FALSE if it's for nobody. */
static bool
send_leave_out(struct smtp_send *send, const struct smtp_address *address,
	       const struct smtp_reply *reply)
{
	struct mapi_refusals *refusals = send->refusals;
	struct mapi_refusal *refusal;

	if (refusals == NULL ||
	    refusal_error(PHASE_RCPT, reply) != EC_INVALID_RECIPIENTS)
		return FALSE;
	refusal = array_append_space(&refusals->list);
	refusal->rcpt = address;
	reply_get_status(reply, &refusal->status);
	refusal->reply = refusals_reply(refusals, reply);
	return array_count(&refusals->list) < send->envelope->rcpt_count;
}

/* All of them are told, if it's about them. */
static void
send_refused_rcpt(struct smtp_send *send, const struct smtp_address *address,
		  const struct smtp_reply *reply)
{
	if (send->error == EC_NONE || smtp_reply_is_remote(reply)) {
		e_info(send->store->user->event,
		       "mapi: %s: Not sent: %s: RCPT TO %s failed: %s",
		       t_mapi_envelope_log(send->envelope),
		       send->store->set->submission->submission_host,
		       smtp_address_encode_path(address),
		       smtp_reply_log(reply));
	}
	if (!send_leave_out(send, address, reply))
		send_fail(send, refusal_error(PHASE_RCPT, reply));
}

static void send_end(struct smtp_send *send)
{
	send->ended = TRUE;
	io_loop_stop(send->ioloop);
}

static void send_finished_callback(struct smtp_send *send)
{
	send->trans = NULL;
	send_end(send);
}

static void
send_data_callback(const struct smtp_reply *reply, struct smtp_send *send)
{
	if (smtp_reply_is_success(reply)) {
		send->accepted = TRUE;
		return;
	}
	/* The server may have taken it and died before it could say so. 421 is
	   also what lib-smtp says of a connection that was closed. */
	if (!smtp_reply_is_remote(reply) ||
	    reply->status == SMTP_CLIENT_COMMAND_ERROR_CONNECTION_CLOSED)
		send->unknown = TRUE;
	send_refused(send, PHASE_DATA, reply);
}

static void send_next(struct smtp_send *send)
{
	timeout_remove(&send->to_next);
	if (send->trans == NULL)
		return;
	if (send->error != EC_NONE) {
		smtp_client_transaction_destroy(&send->trans);
		send_end(send);
		return;
	}
	send->data_begun = TRUE;
	smtp_client_transaction_send(send->trans, send->input,
				     send_data_callback, send);
}

static void
send_rcpt_callback(const struct smtp_reply *reply, struct smtp_send_rcpt *rcpt)
{
	struct smtp_send *send = rcpt->send;

	i_assert(send->rcpts_left > 0);
	if (!smtp_reply_is_success(reply))
		send_refused_rcpt(send, rcpt->address, reply);
	if (--send->rcpts_left == 0 && !send->data_begun) {
		send->to_next = timeout_add_short_to(send->ioloop, 0,
						     send_next, send);
	}
}

static void
send_rcpt_data_callback(const struct smtp_reply *reply ATTR_UNUSED,
			struct smtp_send_rcpt *rcpt ATTR_UNUSED)
{
	/* SMTP has one answer for all */
}

static void
send_mail_callback(const struct smtp_reply *reply, struct smtp_send *send)
{
	if (!smtp_reply_is_success(reply))
		send_refused(send, PHASE_MAIL, reply);
}

static bool send_check_server(struct smtp_send *send)
{
	uoff_t max_size = smtp_client_connection_get_size_capability(send->conn);

	if (send->envelope->hold_secs > 0 &&
	    smtp_client_connection_get_extra_capability(send->conn,
						CAPABILITY_HOLD) == NULL) {
		e_info(send->store->user->event,
		       "mapi: %s: Not sent: It's to be sent later, and %s "
		       "doesn't support FUTURERELEASE",
		       t_mapi_envelope_log(send->envelope),
		       send->store->set->submission->submission_host);
		send_fail(send, EC_NOT_SUPPORTED);
		return FALSE;
	}
	if (max_size > 0 && send->size > max_size) {
		e_info(send->store->user->event,
		       "mapi: %s: Not sent: It has %"PRIuUOFF_T" bytes, "
		       "%s takes %"PRIuUOFF_T,
		       t_mapi_envelope_log(send->envelope), send->size,
		       send->store->set->submission->submission_host, max_size);
		send_fail(send, EC_MAX_SUBMISSION_EXCEEDED);
		return FALSE;
	}
	return TRUE;
}

static void send_begin(struct smtp_send *send)
{
	const struct mapi_envelope *envelope = send->envelope;
	struct smtp_params_mail params;
	struct smtp_params_rcpt rcpt_params;
	struct smtp_send_rcpt *rcpt;
	unsigned int i;

	timeout_remove(&send->to_next);
	if (!send_check_server(send)) {
		send_end(send);
		return;
	}
	i_zero(&params);
	params.size = send->size;
	if (envelope->hold_secs > 0) {
		smtp_params_mail_add_extra(&params, pool_datastack_create(),
					   PARAM_HOLD,
					   dec2str(envelope->hold_secs));
	}
	i_zero(&rcpt_params);
	if (envelope->report_delivery) {
		params.ret = SMTP_PARAM_MAIL_RET_HDRS;
		rcpt_params.notify = SMTP_PARAM_RCPT_NOTIFY_SUCCESS |
			SMTP_PARAM_RCPT_NOTIFY_FAILURE |
			SMTP_PARAM_RCPT_NOTIFY_DELAY;
	}
	send->trans = smtp_client_transaction_create(send->conn,
		envelope->from, &params, 0, send_finished_callback, send);
	smtp_client_transaction_start(send->trans, send_mail_callback, send);
	send->rcpts_left = envelope->rcpt_count;
	for (i = 0; i < envelope->rcpt_count && send->trans != NULL; i++) {
		rcpt = &send->rcpts[i];
		rcpt->send = send;
		rcpt->address = envelope->rcpts[i];
		smtp_client_transaction_add_rcpt(send->trans, rcpt->address,
			&rcpt_params, send_rcpt_callback,
			send_rcpt_data_callback, rcpt);
	}
}

static void send_login_callback(const struct smtp_reply *reply, void *context)
{
	struct smtp_send *send = context;

	if (send->ended || send->trans != NULL)
		return;
	if (!smtp_reply_is_success(reply)) {
		send_refused(send, PHASE_CONNECT, reply);
		send_end(send);
		return;
	}
	send->to_next = timeout_add_short_to(send->ioloop, 0, send_begin, send);
}

/* As smtp_submit has it */
static enum smtp_client_connection_ssl_mode
submission_ssl_mode(const struct smtp_submit_settings *set)
{
	if (strcasecmp(set->submission_ssl, "smtps") == 0 ||
	    strcasecmp(set->submission_ssl, "submissions") == 0)
		return SMTP_CLIENT_SSL_MODE_IMMEDIATE;
	return strcasecmp(set->submission_ssl, "starttls") == 0 ?
		SMTP_CLIENT_SSL_MODE_STARTTLS : SMTP_CLIENT_SSL_MODE_NONE;
}

static void
send_connect(struct smtp_send *send, const char *host, in_port_t port)
{
	static const char *const hold_params[] = { PARAM_HOLD, NULL };
	static const struct smtp_client_capability_extra hold = {
		.name = CAPABILITY_HOLD,
		.mail_param_extensions = hold_params,
	};
	const struct smtp_submit_settings *set = send->store->set->submission;
	const struct smtp_client_settings smtp_set = {
		.my_hostname = set->hostname,
		.connect_timeout_msecs = set->submission_timeout * 1000,
		.command_timeout_msecs = set->submission_timeout * 1000,
		.debug = set->mail_debug,
	};

	send->client = store_compat_smtp_client_init(send->store->user,
						     &smtp_set);
	send->conn = smtp_client_connection_create(send->client,
		SMTP_PROTOCOL_SMTP, host, port, submission_ssl_mode(set), NULL);
	smtp_client_connection_accept_extra_capability(send->conn, &hold);
	smtp_client_connection_connect(send->conn, send_login_callback, send);
}

static void send_disconnect(struct smtp_send *send)
{
	timeout_remove(&send->to_next);
	if (send->trans != NULL)
		smtp_client_transaction_destroy(&send->trans);
	smtp_client_connection_close(&send->conn);
	smtp_client_deinit(&send->client);
}

enum mapi_error
mapi_transport_send_smtp(struct mapi_store *store,
			 const struct mapi_envelope *envelope,
			 struct istream *input, struct mapi_refusals *refusals,
			 bool *unknown_r)
{
	const char *submission_host = store->set->submission->submission_host;
	struct smtp_send send = {
		.store = store,
		.envelope = envelope,
		.input = input,
		.refusals = refusals,
	};
	const char *host;
	in_port_t port;

	*unknown_r = FALSE;
	if (net_str2hostport(submission_host, DEFAULT_PORT, &host, &port) < 0) {
		e_error(store->user->event,
			"mapi: %s: Not sent: Invalid submission_host: %s",
			t_mapi_envelope_log(envelope), submission_host);
		return EC_NETWORK_ERROR;
	}
	if (i_stream_get_size(input, TRUE, &send.size) <= 0)
		return EC_ERROR;
	if (refusals != NULL)
		refusals->server = p_strdup(refusals->pool, host);
	send.rcpts = i_new(struct smtp_send_rcpt, envelope->rcpt_count);
	send.ioloop = io_loop_create();
	io_loop_set_running(send.ioloop);
	send_connect(&send, host, port);
	if (!send.ended)
		io_loop_run(send.ioloop);
	send_disconnect(&send);
	io_loop_destroy(&send.ioloop);
	i_free(send.rcpts);

	if (send.accepted)
		return EC_NONE;
	*unknown_r = send.unknown;
	return send.error != EC_NONE ? send.error : EC_NETWORK_ERROR;
}
