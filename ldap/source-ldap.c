/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the two ways to follow an LDAP directory have in common: connecting,
   finding out what the server can do, and trying again. */

#include "lib.h"
#include "buffer.h"
#include "ioloop.h"
#include "lib-event.h"
#include "sha2.h"
#include "str.h"
#include "source-ldap-private.h"

#define LDAP_RETRY_MAX_SECS 60

/* --- callbacks, each at its time -------------------------------------------------- */

void directory_ldap_refresh_begin(struct directory_ldap *ldap)
{
	ldap->refreshing = TRUE;
	ldap->source.callbacks->refresh_begin(ldap->source.context);
}

void directory_ldap_refresh_end(struct directory_ldap *ldap)
{
	if (!ldap->refreshing)
		return;
	ldap->refreshing = FALSE;
	ldap->source.callbacks->refresh_end(ldap->source.context);
}

void directory_ldap_refresh_abort(struct directory_ldap *ldap)
{
	if (!ldap->refreshing)
		return;
	ldap->refreshing = FALSE;
	ldap->source.callbacks->refresh_abort(ldap->source.context);
}

/* --- connecting and trying again --------------------------------------------------- */

static void directory_ldap_connect(struct directory_ldap *ldap)
{
	timeout_remove(&ldap->to_retry);
	ldap_connection_connect(ldap->conn);
}

static void directory_ldap_close(struct directory_ldap *ldap)
{
	timeout_remove(&ldap->to_probe);
	timeout_remove(&ldap->to_retry);
	ldap_connection_disconnect(ldap->conn);
	ldap->connected = FALSE;
	ldap->rootdse_msgid = ldap->sync_msgid = ldap->poll_msgid = -1;
	ldap->probe_msgid = -1;
	ldap->sync_persist = FALSE;
	directory_ldap_poll_reset(ldap);
	directory_ldap_refresh_abort(ldap);
}

void directory_ldap_failed(struct directory_ldap *ldap, const char *reason)
{
	unsigned int delay = 0;

	directory_ldap_close(ldap);
	if (!ldap_connection_has_untried(ldap->conn)) {
		delay = ldap->retry_secs;
		ldap->retry_secs = I_MIN(ldap->retry_secs * 2,
					 LDAP_RETRY_MAX_SECS);
	}
	if (delay == 0) {
		e_warning(ldap->source.event, "LDAP: %s. Trying the next "
			  "server.", reason);
	} else {
		e_error(ldap->source.event, "LDAP: %s. The address book stays "
			"as it is; next try in %u seconds.", reason, delay);
	}
	ldap->to_retry = timeout_add(delay * 1000, directory_ldap_connect,
				     ldap);
}

void directory_ldap_succeeded(struct directory_ldap *ldap)
{
	ldap->retry_secs = 1;
	ldap_connection_succeeded(ldap->conn);
}

static void directory_ldap_conn_failed(void *context, const char *reason)
{
	directory_ldap_failed(context, reason);
}

/* --- what the server can do -------------------------------------------------------- */

static void directory_ldap_connected(void *context)
{
	static const char *const attributes[] = { "supportedControl", NULL };
	struct directory_ldap *ldap = context;
	struct ldap_connection_search search = {
		.base = "",
		.scope = LDAP_SCOPE_BASE,
		.filter = "(objectClass=*)",
		.attributes = attributes,
	};
	const char *error;

	ldap->connected = TRUE;
	ldap->can_sync = ldap->can_page = FALSE;
	if (ldap_connection_search(ldap->conn, &search, &ldap->rootdse_msgid,
				   &error) < 0) {
		directory_ldap_failed(ldap, error);
		return;
	}
	ldap_connection_expect(ldap->conn, TRUE);
}

static void
directory_ldap_rootdse_entry(struct directory_ldap *ldap, LDAPMessage *msg)
{
	LDAP *ld = ldap_connection_get(ldap->conn);
	struct berval **values;

	values = ldap_get_values_len(ld, msg, "supportedControl");
	for (unsigned int i = 0; values != NULL && values[i] != NULL; i++) {
		const char *oid = t_strndup(values[i]->bv_val,
					    values[i]->bv_len);

		if (strcmp(oid, LDAP_CONTROL_SYNC) == 0)
			ldap->can_sync = TRUE;
		else if (strcmp(oid, LDAP_CONTROL_PAGEDRESULTS) == 0)
			ldap->can_page = TRUE;
	}
	ldap_value_free_len(values);
}

/* A server that doesn't let us read its root entry may offer everything. */
static void directory_ldap_start(struct directory_ldap *ldap)
{
	ldap->rootdse_msgid = -1;
	if (ldap->set.follow == DIRECTORY_LDAP_FOLLOW_SYNC ||
	    (ldap->set.follow == DIRECTORY_LDAP_FOLLOW_AUTO && ldap->can_sync))
		directory_ldap_sync_start(ldap);
	else
		directory_ldap_poll_start(ldap);
}

static void directory_ldap_message(void *context, LDAPMessage *msg)
{
	struct directory_ldap *ldap = context;
	int id = ldap_msgid(msg);

	if (id == ldap->rootdse_msgid) {
		if (ldap_msgtype(msg) == LDAP_RES_SEARCH_ENTRY)
			directory_ldap_rootdse_entry(ldap, msg);
		else if (ldap_msgtype(msg) == LDAP_RES_SEARCH_RESULT)
			directory_ldap_start(ldap);
	} else if (id == ldap->sync_msgid || id == ldap->probe_msgid)
		directory_ldap_sync_message(ldap, msg);
	else
		directory_ldap_poll_message(ldap, msg);
}

static const struct ldap_connection_callbacks directory_ldap_callbacks = {
	.connected = directory_ldap_connected,
	.message = directory_ldap_message,
	.failed = directory_ldap_conn_failed,
};

int directory_ldap_search(struct directory_ldap *ldap, LDAPControl *control,
			  int *msgid_r, const char **error_r)
{
	LDAPControl *controls[] = { control, NULL };
	struct ldap_connection_search search = {
		.base = ldap->set.base,
		.scope = LDAP_SCOPE_SUBTREE,
		.filter = ldap->set.filter,
		.attributes = ldap->set.attributes,
		.controls = controls,
	};
	int ret;

	ret = ldap_connection_search(ldap->conn, &search, msgid_r, error_r);
	if (ret == 0)
		ldap_connection_expect(ldap->conn, TRUE);
	return ret;
}

/* --- setup ---------------------------------------------------------------------------- */

static void directory_ldap_deinit(struct directory_source *source)
{
	struct directory_ldap *ldap =
		container_of(source, struct directory_ldap, source);

	ldap->refreshing = FALSE;
	directory_ldap_close(ldap);
	ldap_connection_deinit(&ldap->conn);
	buffer_free(&ldap->cookie);
	buffer_free(&ldap->sync_cookie);
	buffer_free(&ldap->page_cookie);
	pool_unref(&ldap->pending_pool);
	event_unref(&ldap->source.event);
	pool_unref(&ldap->pool);
}

/* An administrator who asks doesn't trust what there is: all is read. */
static void directory_ldap_refresh(struct directory_source *source)
{
	struct directory_ldap *ldap =
		container_of(source, struct directory_ldap, source);

	directory_ldap_close(ldap);
	buffer_set_used_size(ldap->cookie, 0);
	ldap->retry_secs = 1;
	ldap->to_retry = timeout_add_short(0, directory_ldap_connect, ldap);
}

static void directory_ldap_fingerprint(struct directory_ldap *ldap)
{
	unsigned char digest[SHA256_RESULTLEN];
	string_t *str = t_str_new(1024);
	const char *const *attr = ldap->set.attributes;

	str_printfa(str, "%s\n%s\n%s\n", ldap->set.base, ldap->set.filter,
		    ldap->set.map_fingerprint);
	for (; *attr != NULL; attr++)
		str_printfa(str, "%s ", *attr);
	sha256_get_digest(str_data(str), str_len(str), digest);
	memcpy(ldap->fingerprint, digest, sizeof(ldap->fingerprint));
}

static void
directory_ldap_set_cookie(struct directory_ldap *ldap, const void *cookie,
			  size_t size)
{
	if (size <= sizeof(ldap->fingerprint))
		return;
	if (memcmp(cookie, ldap->fingerprint, sizeof(ldap->fingerprint)) != 0) {
		e_info(ldap->source.event,
		       "Settings have changed, the directory is read again");
		return;
	}
	buffer_append(ldap->cookie, cookie, size);
}

struct directory_source *
directory_source_ldap_init(const struct directory_ldap_settings *set,
			   const void *cookie, size_t cookie_size,
			   struct event *event,
			   const struct directory_source_callbacks *callbacks,
			   void *context)
{
	struct directory_ldap *ldap;
	pool_t pool = pool_alloconly_create("directory ldap", 4096);

	ldap = p_new(pool, struct directory_ldap, 1);
	ldap->pool = pool;
	ldap->source.v.deinit = directory_ldap_deinit;
	ldap->source.v.refresh = directory_ldap_refresh;
	ldap->source.callbacks = callbacks;
	ldap->source.context = context;
	ldap->source.event = event;
	event_ref(event);
	ldap->set = *set;
	ldap->set.base = p_strdup(pool, set->base);
	ldap->set.filter = p_strdup(pool, set->filter);
	ldap->set.attributes = (const char *const *)
		p_strarray_dup(pool, set->attributes);
	ldap->set.map_fingerprint = p_strdup(pool, set->map_fingerprint);
	ldap->retry_secs = 1;
	ldap->cookie = buffer_create_dynamic(default_pool, 128);
	ldap->sync_cookie = buffer_create_dynamic(default_pool, 128);
	ldap->page_cookie = buffer_create_dynamic(default_pool, 128);
	ldap->pending_pool = pool_alloconly_create("ldap entries", 1024);
	ldap->rootdse_msgid = ldap->sync_msgid = ldap->poll_msgid = -1;
	ldap->probe_msgid = ldap->pending_msgid = -1;
	directory_ldap_fingerprint(ldap);
	directory_ldap_set_cookie(ldap, cookie, cookie_size);

	ldap->conn = ldap_connection_init(&set->connection, event,
					  &directory_ldap_callbacks, ldap);
	directory_ldap_connect(ldap);
	return &ldap->source;
}
