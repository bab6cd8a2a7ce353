/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Following a directory by content synchronisation, RFC 4533.

   A search with the control begins with the refresh: with a cookie, the server
   tells what has changed since the state that it names, otherwise everything.
   What has gone is told in one of two ways: in a present phase, all entries
   that are still there are named, at least by their UUIDs, and those not named
   are gone; in a delete phase those that are gone are named. Which it will be
   isn't known in advance. After the refresh the search stays open and changes
   follow as they happen.

   A cookie stands for what has been told before it. Cookies that come during
   the refresh aren't kept before its end: which entries are gone is known only
   then. */

#include "lib.h"
#include "buffer.h"
#include "ioloop.h"
#include "lib-event.h"
#include "ldap-entry.h"
#include "ldap-sync.h"
#include "source-ldap-private.h"

/* A server that no longer answers is noticed within this and the timeout. */
#define SYNC_PROBE_SECS 30

void directory_ldap_sync_start(struct directory_ldap *ldap)
{
	LDAPControl control;
	struct mapi_binary cookie, value;
	const char *error;
	int ret;

	ldap->sync_full = ldap->cookie->used <= sizeof(ldap->fingerprint);
	ldap->sync_persist = FALSE;
	buffer_set_used_size(ldap->sync_cookie, 0);
	if (!ldap->sync_full) {
		cookie.data = CONST_PTR_OFFSET(ldap->cookie->data,
					       sizeof(ldap->fingerprint));
		cookie.len = ldap->cookie->used - sizeof(ldap->fingerprint);
	}
	value = ldap_sync_request(ldap->sync_full ? NULL : &cookie);
	i_zero(&control);
	control.ldctl_oid = LDAP_CONTROL_SYNC;
	control.ldctl_value.bv_val = (char *)value.data;
	control.ldctl_value.bv_len = value.len;
	control.ldctl_iscritical = 1;
	ret = directory_ldap_search(ldap, &control, &ldap->sync_msgid, &error);
	if (ret < 0)
		directory_ldap_failed(ldap, error);
	else
		directory_ldap_refresh_begin(ldap);
}

/* --- a server that has nothing to say ---------------------------------------------- */

static void sync_probe(struct directory_ldap *ldap)
{
	static const char *const attributes[] = { LDAP_NO_ATTRS, NULL };
	struct ldap_connection_search search = {
		.base = "",
		.scope = LDAP_SCOPE_BASE,
		.filter = "(objectClass=*)",
		.attributes = attributes,
	};
	const char *error;

	if (ldap->probe_msgid != -1)
		return;
	if (ldap_connection_search(ldap->conn, &search, &ldap->probe_msgid,
				   &error) < 0)
		directory_ldap_failed(ldap, error);
	else
		ldap_connection_expect(ldap->conn, TRUE);
}

static void sync_probe_done(struct directory_ldap *ldap)
{
	ldap->probe_msgid = -1;
	ldap_connection_expect(ldap->conn, FALSE);
}

/* --- cookies and phases ------------------------------------------------------------- */

static void
sync_cookie(struct directory_ldap *ldap, const struct mapi_binary *cookie)
{
	if (cookie->data == NULL)
		return;
	buffer_set_used_size(ldap->sync_cookie, 0);
	buffer_append(ldap->sync_cookie, cookie->data, cookie->len);
}

static void sync_commit(struct directory_ldap *ldap)
{
	if (ldap->sync_cookie->used > 0) {
		buffer_set_used_size(ldap->cookie, 0);
		buffer_append(ldap->cookie, ldap->fingerprint,
			      sizeof(ldap->fingerprint));
		buffer_append_buf(ldap->cookie, ldap->sync_cookie, 0, SIZE_MAX);
	} else if (ldap->sync_full) {
		/* begun without one, none given */
		buffer_set_used_size(ldap->cookie, 0);
	}
	ldap->source.callbacks->commit(ldap->source.context,
				       ldap->cookie->data, ldap->cookie->used);
}

static void
sync_phase_done(struct directory_ldap *ldap, const struct ldap_sync_info *info)
{
	/* After everything has been told, what wasn't is gone in either way. */
	if (ldap->sync_full || info->type == LDAP_SYNC_INFO_REFRESH_PRESENT)
		directory_ldap_refresh_end(ldap);
	if (!info->refresh_done || ldap->sync_persist)
		return;
	directory_ldap_refresh_abort(ldap);
	ldap->sync_persist = TRUE;
	sync_commit(ldap);
	directory_ldap_succeeded(ldap);
	ldap_connection_expect(ldap->conn, FALSE);
	timeout_remove(&ldap->to_probe);
	ldap->to_probe = timeout_add(SYNC_PROBE_SECS * 1000, sync_probe, ldap);
	e_info(ldap->source.event, "Following the directory at %s",
	       ldap_connection_uri(ldap->conn));
}

/* --- messages ------------------------------------------------------------------------- */

static int
sync_info(struct directory_ldap *ldap, LDAPMessage *msg, const char **error_r)
{
	const struct directory_source_callbacks *cb = ldap->source.callbacks;
	struct ldap_sync_info info;
	struct berval *data = NULL;
	const unsigned char *uuid;
	char *oid = NULL;
	int ret;

	ret = ldap_parse_intermediate(ldap_connection_get(ldap->conn), msg,
				      &oid, &data, NULL, 0);
	if (ret != LDAP_SUCCESS) {
		*error_r = "Invalid intermediate message";
		return -1;
	}
	ret = oid == NULL || strcmp(oid, LDAP_SYNC_INFO) != 0 ||
		data == NULL ? 0 : 1;
	if (ret > 0 && ldap_sync_info_parse(data, &info, error_r) < 0)
		ret = -1;
	ldap_memfree(oid);
	ber_bvfree(data);
	if (ret <= 0)
		return ret;

	sync_cookie(ldap, &info.cookie);
	switch (info.type) {
	case LDAP_SYNC_INFO_NEW_COOKIE:
		break;
	case LDAP_SYNC_INFO_REFRESH_DELETE:
	case LDAP_SYNC_INFO_REFRESH_PRESENT:
		sync_phase_done(ldap, &info);
		return 0;
	case LDAP_SYNC_INFO_ID_SET:
		uuid = info.uuids;
		for (unsigned int i = 0; i < info.uuids_count; i++) {
			if (info.deleted)
				cb->removed(ldap->source.context, uuid);
			else
				cb->present(ldap->source.context, uuid);
			uuid += LDAP_SYNC_UUID_SIZE;
		}
		break;
	}
	if (ldap->sync_persist)
		sync_commit(ldap);
	return 0;
}

static int
sync_entry_state(struct directory_ldap *ldap, LDAPMessage *msg,
		 struct ldap_sync_entry *state_r, const char **error_r)
{
	LDAP *ld = ldap_connection_get(ldap->conn);
	LDAPControl **controls = NULL;
	int ret = -1;

	*error_r = "An entry has no Sync State Control";
	if (ldap_get_entry_controls(ld, msg, &controls) != LDAP_SUCCESS)
		return -1;
	for (unsigned int i = 0; controls != NULL && controls[i] != NULL; i++) {
		if (strcmp(controls[i]->ldctl_oid, LDAP_CONTROL_SYNC_STATE) == 0)
			ret = ldap_sync_entry_parse(&controls[i]->ldctl_value,
						    state_r, error_r);
	}
	ldap_controls_free(controls);
	return ret;
}

static int
sync_entry(struct directory_ldap *ldap, LDAPMessage *msg, const char **error_r)
{
	const struct directory_source_callbacks *cb = ldap->source.callbacks;
	LDAP *ld = ldap_connection_get(ldap->conn);
	struct ldap_sync_entry state;
	struct ldap_entry_range range;
	struct directory_entry entry;
	pool_t pool;
	int ret = 0;

	if (sync_entry_state(ldap, msg, &state, error_r) < 0)
		return -1;
	switch (state.state) {
	case LDAP_SYNC_STATE_PRESENT:
		cb->present(ldap->source.context, state.uuid);
		break;
	case LDAP_SYNC_STATE_DELETE:
		cb->removed(ldap->source.context, state.uuid);
		break;
	case LDAP_SYNC_STATE_ADD:
	case LDAP_SYNC_STATE_MODIFY:
		pool = pool_alloconly_create("ldap entry", 4096);
		ret = ldap_entry_read(ld, msg, pool, &entry, &range, error_r);
		if (ret == 0) {
			entry.id = state.uuid;
			cb->entry(ldap->source.context, &entry);
		}
		pool_unref(&pool);
		break;
	}
	sync_cookie(ldap, &state.cookie);
	if (ret == 0 && ldap->sync_persist)
		sync_commit(ldap);
	return ret;
}

/* The search has ended, which it shouldn't. */
static void sync_result(struct directory_ldap *ldap, LDAPMessage *msg)
{
	const char *error;
	int code;

	ldap->sync_msgid = -1;
	code = ldap_connection_result(ldap->conn, msg, NULL, &error);
	if (code == LDAP_SYNC_REFRESH_REQUIRED && !ldap->sync_full) {
		/* The server doesn't know any more what has changed since. */
		e_info(ldap->source.event, "%s wants the directory to be read "
		       "as a whole", ldap_connection_uri(ldap->conn));
		directory_ldap_refresh_abort(ldap);
		buffer_set_used_size(ldap->cookie, 0);
		timeout_remove(&ldap->to_probe);
		directory_ldap_sync_start(ldap);
	} else if (ldap->set.follow == DIRECTORY_LDAP_FOLLOW_AUTO &&
		   !ldap->sync_persist &&
		   (code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION ||
		    code == LDAP_INSUFFICIENT_ACCESS ||
		    code == LDAP_UNWILLING_TO_PERFORM)) {
		/* It's offered, but not here or not to us. */
		directory_ldap_refresh_abort(ldap);
		buffer_set_used_size(ldap->cookie, 0);
		directory_ldap_poll_start(ldap);
	} else {
		directory_ldap_failed(ldap, t_strdup_printf(
			"%s: Synchronisation has ended%s%s",
			ldap_connection_uri(ldap->conn),
			*error == '\0' ? "" : ": ", error));
	}
}

void directory_ldap_sync_message(struct directory_ldap *ldap, LDAPMessage *msg)
{
	const char *error;
	int ret = 0;

	if (ldap_msgid(msg) == ldap->probe_msgid) {
		if (ldap_msgtype(msg) == LDAP_RES_SEARCH_RESULT)
			sync_probe_done(ldap);
		return;
	}
	switch (ldap_msgtype(msg)) {
	case LDAP_RES_SEARCH_ENTRY:
		ret = sync_entry(ldap, msg, &error);
		break;
	case LDAP_RES_INTERMEDIATE:
		ret = sync_info(ldap, msg, &error);
		break;
	case LDAP_RES_SEARCH_RESULT:
		sync_result(ldap, msg);
		return;
	}
	if (ret < 0) {
		directory_ldap_failed(ldap, t_strdup_printf(
			"%s: %s", ldap_connection_uri(ldap->conn), error));
	}
}
