/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reading all of a directory, in pages (RFC 2696) where the server can. The
   connection is closed afterwards, and everything is read again after a while.

   Active Directory gives an attribute with many values in ranges
   ([MS-ADTS] 3.1.1.3.1.3.3): entries of which values are missing wait until
   their page is complete, then the others are asked for one after the other. */

#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "ioloop.h"
#include "lib-event.h"
#include "ldap-entry.h"
#include "source-ldap-private.h"

/* Active Directory gives no more in its default settings. */
#define POLL_PAGE_SIZE 1000
/* Pages without entries are allowed, but not for ever. */
#define POLL_MAX_EMPTY_PAGES 1000
/* Longer lists of values are cut. */
#define POLL_MAX_VALUES 200000

struct directory_ldap_pending {
	struct directory_ldap_pending *next;
	struct directory_entry entry;
	struct ldap_entry_range range;
	/* those of the attribute until now */
	ARRAY(struct mapi_binary) values;
	/* the last answer had something new */
	bool progress;
};

void directory_ldap_poll_reset(struct directory_ldap *ldap)
{
	ldap->pending = NULL;
	ldap->pending_msgid = -1;
	p_clear(ldap->pending_pool);
	buffer_set_used_size(ldap->page_cookie, 0);
}

static void poll_failed(struct directory_ldap *ldap, const char *error)
{
	directory_ldap_failed(ldap, t_strdup_printf("%s: %s",
		ldap_connection_uri(ldap->conn), error));
}

static int poll_page_control(struct directory_ldap *ldap, LDAPControl **control)
{
	struct berval cookie;

	cookie.bv_val = buffer_get_modifiable_data(ldap->page_cookie, NULL);
	cookie.bv_len = ldap->page_cookie->used;
	return ldap_create_page_control(ldap_connection_get(ldap->conn),
					POLL_PAGE_SIZE,
					cookie.bv_len == 0 ? NULL : &cookie,
					0, control);
}

static void poll_page(struct directory_ldap *ldap)
{
	LDAPControl *control = NULL;
	const char *error;
	int ret;

	ldap->page_entries = 0;
	if (ldap->can_page &&
	    poll_page_control(ldap, &control) != LDAP_SUCCESS) {
		poll_failed(ldap, "Couldn't ask for a page");
		return;
	}
	ret = directory_ldap_search(ldap, control, &ldap->poll_msgid, &error);
	if (control != NULL)
		ldap_control_free(control);
	if (ret < 0)
		poll_failed(ldap, error);
}

void directory_ldap_poll_start(struct directory_ldap *ldap)
{
	directory_ldap_poll_reset(ldap);
	ldap->empty_pages = 0;
	directory_ldap_refresh_begin(ldap);
	poll_page(ldap);
}

static void poll_again(struct directory_ldap *ldap)
{
	timeout_remove(&ldap->to_retry);
	ldap_connection_connect(ldap->conn);
}

static void poll_finished(struct directory_ldap *ldap)
{
	directory_ldap_refresh_end(ldap);
	ldap->source.callbacks->commit(ldap->source.context, "", 0);
	directory_ldap_succeeded(ldap);
	ldap_connection_disconnect(ldap->conn);
	ldap->connected = FALSE;
	ldap->poll_msgid = -1;
	directory_ldap_poll_reset(ldap);
	ldap->to_retry = timeout_add(ldap->set.refresh_interval_secs * 1000,
				     poll_again, ldap);
}

/* --- values that are missing -------------------------------------------------------- */

static void poll_pending_next(struct directory_ldap *ldap)
{
	struct directory_ldap_pending *pending = ldap->pending;
	struct ldap_connection_search search;
	const char *attributes[2] = { NULL, NULL }, *error;

	if (pending == NULL) {
		p_clear(ldap->pending_pool);
		if (ldap->page_cookie->used > 0)
			poll_page(ldap);
		else
			poll_finished(ldap);
		return;
	}
	attributes[0] = t_strdup_printf("%s;range=%u-*",
					pending->range.attribute,
					pending->range.next);
	pending->range.next = 0;
	pending->progress = FALSE;
	i_zero(&search);
	search.base = pending->entry.dn;
	search.scope = LDAP_SCOPE_BASE;
	search.filter = "(objectClass=*)";
	search.attributes = attributes;
	if (ldap_connection_search(ldap->conn, &search, &ldap->pending_msgid,
				   &error) < 0)
		poll_failed(ldap, error);
	else
		ldap_connection_expect(ldap->conn, TRUE);
}

static int
poll_pending_add(struct directory_ldap *ldap, LDAPMessage *msg,
		 const char **error_r)
{
	struct directory_ldap_pending *pending;
	struct directory_attribute *attr;

	pending = p_new(ldap->pending_pool, struct directory_ldap_pending, 1);
	if (ldap_entry_read(ldap_connection_get(ldap->conn), msg,
			    ldap->pending_pool, &pending->entry,
			    &pending->range, error_r) < 0)
		return -1;
	p_array_init(&pending->values, ldap->pending_pool, 4096);
	attr = ldap_entry_find(&pending->entry, pending->range.attribute);
	array_append(&pending->values, attr->values, attr->count);
	pending->next = ldap->pending;
	ldap->pending = pending;
	return 0;
}

static int
poll_pending_entry(struct directory_ldap *ldap, LDAPMessage *msg,
		   const char **error_r)
{
	struct directory_ldap_pending *pending = ldap->pending;
	struct directory_entry more;
	struct directory_attribute *attr;
	struct ldap_entry_range range;

	if (ldap_entry_read(ldap_connection_get(ldap->conn), msg,
			    ldap->pending_pool, &more, &range, error_r) < 0)
		return -1;
	attr = ldap_entry_find(&more, pending->range.attribute);
	if (attr == NULL || attr->count == 0)
		return 0;
	array_append(&pending->values, attr->values, attr->count);
	pending->progress = TRUE;
	if (range.attribute != NULL &&
	    strcmp(range.attribute, pending->range.attribute) == 0)
		pending->range.next = range.next;
	return 0;
}

static void poll_pending_done(struct directory_ldap *ldap)
{
	struct directory_ldap_pending *pending = ldap->pending;
	struct directory_attribute *attr;

	ldap->pending_msgid = -1;
	if (!pending->progress || pending->range.next == 0 ||
	    array_count(&pending->values) >= POLL_MAX_VALUES) {
		attr = ldap_entry_find(&pending->entry,
				       pending->range.attribute);
		attr->values = array_get(&pending->values, &attr->count);
		ldap->source.callbacks->entry(ldap->source.context,
					      &pending->entry);
		ldap->pending = pending->next;
	}
	poll_pending_next(ldap);
}

/* --- messages ------------------------------------------------------------------------- */

static int
poll_entry(struct directory_ldap *ldap, LDAPMessage *msg, const char **error_r)
{
	struct directory_entry entry;
	struct ldap_entry_range range;
	pool_t pool = pool_alloconly_create("ldap entry", 4096);
	int ret;

	ldap->page_entries++;
	ret = ldap_entry_read(ldap_connection_get(ldap->conn), msg, pool,
			      &entry, &range, error_r);
	if (ret < 0)
		;
	else if (range.attribute != NULL)
		ret = poll_pending_add(ldap, msg, error_r);
	else
		ldap->source.callbacks->entry(ldap->source.context, &entry);
	pool_unref(&pool);
	return ret;
}

static void
poll_page_cookie(struct directory_ldap *ldap, LDAPControl **controls)
{
	LDAPControl *control;
	struct berval cookie = { 0, NULL };
	ber_int_t count;

	buffer_set_used_size(ldap->page_cookie, 0);
	control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	if (control == NULL ||
	    ldap_parse_pageresponse_control(ldap_connection_get(ldap->conn),
					    control, &count,
					    &cookie) != LDAP_SUCCESS)
		return;
	if (cookie.bv_len > 0) {
		buffer_append(ldap->page_cookie, cookie.bv_val,
			      cookie.bv_len);
	}
	ber_memfree(cookie.bv_val);
}

static void poll_page_done(struct directory_ldap *ldap, LDAPMessage *msg)
{
	LDAPControl **controls;
	const char *error;
	int code;

	ldap->poll_msgid = -1;
	code = ldap_connection_result(ldap->conn, msg, &controls, &error);
	if (code == LDAP_SUCCESS && controls != NULL)
		poll_page_cookie(ldap, controls);
	else
		buffer_set_used_size(ldap->page_cookie, 0);
	if (controls != NULL)
		ldap_controls_free(controls);
	if (code != LDAP_SUCCESS) {
		poll_failed(ldap, t_strdup_printf("Search below '%s': %s%s",
			ldap->set.base, error,
			code != LDAP_SIZELIMIT_EXCEEDED ? "" : ". The server "
			"must allow mapi_ldap_auth_dn to read all entries"));
		return;
	}
	if (ldap->page_entries > 0)
		ldap->empty_pages = 0;
	else if (++ldap->empty_pages > POLL_MAX_EMPTY_PAGES) {
		poll_failed(ldap, "It gives pages without entries");
		return;
	}
	poll_pending_next(ldap);
}

void directory_ldap_poll_message(struct directory_ldap *ldap, LDAPMessage *msg)
{
	int type = ldap_msgtype(msg), ret = 0;
	const char *error;

	if (ldap_msgid(msg) == ldap->poll_msgid) {
		if (type == LDAP_RES_SEARCH_ENTRY)
			ret = poll_entry(ldap, msg, &error);
		else if (type == LDAP_RES_SEARCH_RESULT)
			poll_page_done(ldap, msg);
	} else if (ldap_msgid(msg) == ldap->pending_msgid) {
		if (type == LDAP_RES_SEARCH_ENTRY)
			ret = poll_pending_entry(ldap, msg, &error);
		else if (type == LDAP_RES_SEARCH_RESULT)
			poll_pending_done(ldap);
	}
	if (ret < 0)
		poll_failed(ldap, error);
}
