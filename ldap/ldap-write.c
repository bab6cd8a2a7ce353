/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "ioloop.h"
#include "lib-event.h"
#include "llist.h"
#include "ldap-write.h"

/* Outlook asks for one or two changes and then for none for days. */
#define LDAP_WRITE_IDLE_MSECS (30 * 1000)

struct ldap_write_request {
	struct ldap_write_request *prev, *next;
	pool_t pool;
	const char *as_dn, *dn;
	LDAPMod **mods;
	bool permissive;
	ldap_write_callback_t *callback;
	void *context;
};

struct ldap_write {
	struct ldap_connection *conn;
	struct event *event;
	/* in their order; the first one is being done if msgid isn't -1 */
	struct ldap_write_request *head, *tail;
	int msgid;
	bool connecting;
	struct timeout *to_idle, *to_next;
};

static void ldap_write_next(struct ldap_write *write);

/* --- requests ---------------------------------------------------------------------- */

static void
ldap_write_finish(struct ldap_write *write, int code, const char *error)
{
	struct ldap_write_request *req = write->head;

	DLLIST2_REMOVE(&write->head, &write->tail, req);
	write->msgid = -1;
	req->callback(req->context, code, error);
	pool_unref(&req->pool);
}

static void ldap_write_idle(struct ldap_write *write)
{
	timeout_remove(&write->to_idle);
	ldap_connection_disconnect(write->conn);
}

static int ldap_write_send(struct ldap_write *write)
{
	const struct ldap_write_request *req = write->head;
	const char *authz_id = t_strconcat("dn:", req->as_dn, NULL);
	LDAPControl control, permissive;
	LDAPControl *controls[] = { &control, NULL, NULL };

	i_zero(&control);
	control.ldctl_oid = LDAP_CONTROL_PROXY_AUTHZ;
	control.ldctl_value.bv_val = (char *)authz_id;
	control.ldctl_value.bv_len = strlen(authz_id);
	/* without it we would write with our own rights */
	control.ldctl_iscritical = 1;
	i_zero(&permissive);
	permissive.ldctl_oid = LDAP_CONTROL_X_PERMISSIVE_MODIFY;
	if (req->permissive)
		controls[1] = &permissive;
	return ldap_modify_ext(ldap_connection_get(write->conn), req->dn,
			       req->mods, controls, NULL, &write->msgid);
}

static void ldap_write_next(struct ldap_write *write)
{
	int ret;

	timeout_remove(&write->to_next);
	if (write->msgid != -1 || write->connecting)
		return;
	if (write->head == NULL) {
		ldap_connection_expect(write->conn, FALSE);
		if (write->to_idle == NULL &&
		    ldap_connection_get(write->conn) != NULL) {
			write->to_idle = timeout_add(LDAP_WRITE_IDLE_MSECS,
						     ldap_write_idle, write);
		}
		return;
	}
	timeout_remove(&write->to_idle);
	if (ldap_connection_get(write->conn) == NULL) {
		write->connecting = TRUE;
		ldap_connection_connect(write->conn);
		return;
	}
	ret = ldap_write_send(write);
	if (ret == LDAP_SUCCESS)
		ldap_connection_expect(write->conn, TRUE);
	else {
		ldap_write_finish(write, ret, ldap_err2string(ret));
		write->to_next = timeout_add_short(0, ldap_write_next, write);
	}
}

/* --- the connection ------------------------------------------------------------------ */

static void ldap_write_connected(void *context)
{
	struct ldap_write *write = context;

	write->connecting = FALSE;
	ldap_connection_succeeded(write->conn);
	ldap_write_next(write);
}

static void ldap_write_message(void *context, LDAPMessage *msg)
{
	struct ldap_write *write = context;
	const char *error;
	int code;

	if (ldap_msgid(msg) != write->msgid ||
	    ldap_msgtype(msg) != LDAP_RES_MODIFY)
		return;
	code = ldap_connection_result(write->conn, msg, NULL, &error);
	ldap_write_finish(write, code, error);
	ldap_write_next(write);
}

/* A change that was sent may have been done: it isn't tried again. */
static void ldap_write_failed(void *context, const char *reason)
{
	struct ldap_write *write = context;

	if (!write->connecting && write->msgid == -1)
		e_debug(write->event, "LDAP: %s", reason);
	else
		e_error(write->event, "LDAP: Writing: %s", reason);
	if (write->connecting && ldap_connection_has_untried(write->conn)) {
		ldap_connection_connect(write->conn);
		return;
	}
	if (write->connecting || write->msgid != -1)
		ldap_write_finish(write, LDAP_SERVER_DOWN, reason);
	write->connecting = FALSE;
	timeout_remove(&write->to_idle);
	if (write->to_next == NULL)
		write->to_next = timeout_add_short(0, ldap_write_next, write);
}

static const struct ldap_connection_callbacks ldap_write_callbacks = {
	.connected = ldap_write_connected,
	.message = ldap_write_message,
	.failed = ldap_write_failed,
};

/* --- setup ---------------------------------------------------------------------------- */

struct ldap_write *
ldap_write_init(const struct ldap_connection_settings *set,
		struct event *event)
{
	struct ldap_write *write = i_new(struct ldap_write, 1);

	write->event = event;
	event_ref(event);
	write->msgid = -1;
	write->conn = ldap_connection_init(set, event, &ldap_write_callbacks,
					   write);
	return write;
}

void ldap_write_deinit(struct ldap_write **_write)
{
	struct ldap_write *write = *_write;

	*_write = NULL;
	ldap_connection_deinit(&write->conn);
	timeout_remove(&write->to_idle);
	timeout_remove(&write->to_next);
	while (write->head != NULL) {
		ldap_write_finish(write, LDAP_USER_CANCELLED,
				  "The process is ending");
	}
	event_unref(&write->event);
	i_free(write);
}

static LDAPMod *
ldap_write_mod(pool_t pool, const struct ldap_write_change *change)
{
	static const int ops[] = {
		LDAP_MOD_ADD, LDAP_MOD_DELETE, LDAP_MOD_REPLACE,
	};
	LDAPMod *mod = p_new(pool, LDAPMod, 1);
	struct berval *bv;

	mod->mod_op = ops[change->op] | LDAP_MOD_BVALUES;
	mod->mod_type = p_strdup(pool, change->attribute);
	if (change->count == 0)
		return mod;
	mod->mod_bvalues = p_new(pool, struct berval *, change->count + 1);
	for (unsigned int i = 0; i < change->count; i++) {
		bv = p_new(pool, struct berval, 1);
		bv->bv_len = change->values[i].len;
		bv->bv_val = p_malloc(pool, bv->bv_len + 1);
		memcpy(bv->bv_val, change->values[i].data, bv->bv_len);
		mod->mod_bvalues[i] = bv;
	}
	return mod;
}

void ldap_write_modify(struct ldap_write *write, const char *as_dn,
		       const char *dn, const struct ldap_write_change *changes,
		       unsigned int count, ldap_write_callback_t *callback,
		       void *context)
{
	struct ldap_write_request *req;
	pool_t pool = pool_alloconly_create("ldap write", 1024);

	req = p_new(pool, struct ldap_write_request, 1);
	req->pool = pool;
	req->as_dn = p_strdup(pool, as_dn);
	req->dn = p_strdup(pool, dn);
	req->mods = p_new(pool, LDAPMod *, count + 1);
	for (unsigned int i = 0; i < count; i++) {
		req->mods[i] = ldap_write_mod(pool, &changes[i]);
		/* Not for removing: that something isn't there tells that
		   the entry has another attribute for it. */
		if (changes[i].op == LDAP_WRITE_ADD)
			req->permissive = TRUE;
	}
	req->callback = callback;
	req->context = context;
	DLLIST2_APPEND(&write->head, &write->tail, req);
	if (write->to_next == NULL)
		write->to_next = timeout_add_short(0, ldap_write_next, write);
}
