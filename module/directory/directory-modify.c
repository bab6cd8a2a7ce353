/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "base64.h"
#include "buffer.h"
#include "lib-event.h"
#include "str-sanitize.h"
#include "strnum.h"
#include "directory-map.h"
#include "directory-modify.h"
#include "ldap-write.h"

#define LOG_DN_MAX 256

struct directory_modify {
	struct ldap_write *write;
	const struct directory_map *map;
	struct event *event;
};

/* A property's change, which is tried with one attribute after the other: a
   group's members are "member" or "uniqueMember", as its object class has it. */
struct directory_modify_part {
	struct ldap_write_change change;
	const char *const *attributes;
};

struct directory_modify_request {
	pool_t pool;
	struct directory_modify *modify;
	const char *user_dn, *dn;
	struct directory_modify_part *parts;
	unsigned int parts_count, attempt;
	/* Removing values: one after the other, since those that aren't there
	   must not keep the others. */
	bool remove;
	unsigned int value;

	directory_modify_callback_t *callback;
	void *context;
};

static void directory_modify_try(struct directory_modify_request *req);

static void
directory_modify_finish(struct directory_modify_request *req,
			const char *error)
{
	if (error != NULL) {
		e_info(req->modify->event, "%s couldn't change %s: %s",
		       str_sanitize(req->user_dn, LOG_DN_MAX),
		       str_sanitize(req->dn, LOG_DN_MAX), error);
	} else {
		e_info(req->modify->event, "%s has changed %s",
		       str_sanitize(req->user_dn, LOG_DN_MAX),
		       str_sanitize(req->dn, LOG_DN_MAX));
	}
	req->callback(req->context, error);
	pool_unref(&req->pool);
}

/* The entry can't have the attribute: there may be another one for it. */
static bool
directory_modify_next_attempt(struct directory_modify_request *req, int code)
{
	bool next = FALSE;

	if (code != LDAP_OBJECT_CLASS_VIOLATION &&
	    code != LDAP_UNDEFINED_TYPE && code != LDAP_NO_SUCH_ATTRIBUTE)
		return FALSE;
	req->attempt++;
	for (unsigned int i = 0; i < req->parts_count; i++) {
		if (str_array_length(req->parts[i].attributes) > req->attempt)
			next = TRUE;
	}
	return next;
}

/* It is as it's wanted to be. */
static bool
directory_modify_is_so(const struct directory_modify_request *req, int code)
{
	const struct ldap_write_change *change = &req->parts[0].change;

	return (req->remove && code == LDAP_NO_SUCH_ATTRIBUTE) ||
		(code == LDAP_TYPE_OR_VALUE_EXISTS && req->parts_count == 1 &&
		 change->op == LDAP_WRITE_ADD && change->count == 1);
}

static void
directory_modify_done(void *context, int code, const char *error)
{
	struct directory_modify_request *req = context;

	if (code != LDAP_SUCCESS && directory_modify_next_attempt(req, code))
		directory_modify_try(req);
	else if (code != LDAP_SUCCESS && !directory_modify_is_so(req, code))
		directory_modify_finish(req, error);
	else if (req->remove && ++req->value < req->parts[0].change.count) {
		req->attempt = 0;
		directory_modify_try(req);
	} else {
		directory_modify_finish(req, NULL);
	}
}

static void directory_modify_try(struct directory_modify_request *req)
{
	struct ldap_write_change *changes;
	unsigned int i, last;

	T_BEGIN {
		changes = t_new(struct ldap_write_change,
				req->parts_count + 1);
		for (i = 0; i < req->parts_count; i++) {
			last = str_array_length(req->parts[i].attributes) - 1;
			changes[i] = req->parts[i].change;
			changes[i].attribute = req->parts[i].attributes[
				I_MIN(req->attempt, last)];
		}
		if (req->remove) {
			changes[0].values += req->value;
			changes[0].count = 1;
		}
		ldap_write_modify(req->modify->write, req->user_dn, req->dn,
				  changes, req->parts_count,
				  directory_modify_done, req);
	} T_END;
}

/* "+8009000d", "2", two values; *args is moved behind them. */
static int
directory_modify_parse_part(struct directory_modify_request *req,
			    const char *const **args,
			    struct directory_modify_part *part_r)
{
	static const char ops[] = "+-=";
	static const enum ldap_write_op write_ops[] = {
		LDAP_WRITE_ADD, LDAP_WRITE_DELETE, LDAP_WRITE_REPLACE,
	};
	const char *arg = **args, *op = strchr(ops, arg[0]);
	const char *const *attributes;
	struct mapi_binary *values;
	unsigned int count;
	uint32_t tag;
	buffer_t *buf;

	if (arg[0] == '\0' || op == NULL ||
	    str_to_uint32_hex(arg + 1, &tag) < 0 || (*args)[1] == NULL ||
	    str_to_uint((*args)[1], &count) < 0 ||
	    count > str_array_length(*args + 2))
		return -1;
	attributes = directory_map_write_attributes(req->modify->map, tag);
	if (attributes == NULL)
		return -1;
	*args += 2;
	i_zero(part_r);
	part_r->attributes = (const char *const *)
		p_strarray_dup(req->pool, attributes);
	part_r->change.op = write_ops[op - ops];
	values = p_new(req->pool, struct mapi_binary, count + 1);
	for (unsigned int i = 0; i < count; i++) {
		buf = buffer_create_dynamic(req->pool, 64);
		if (base64_decode(**args, strlen(**args), NULL, buf) < 0)
			return -1;
		values[i].data = buf->data;
		values[i].len = buf->used;
		(*args)++;
	}
	part_r->change.values = values;
	part_r->change.count = count;
	return 0;
}

static int
directory_modify_parse(struct directory_modify_request *req,
		       const char *const *args)
{
	unsigned int max = str_array_length(args);

	if (max < 4 || *args[0] == '\0' || *args[1] == '\0')
		return -1;
	req->user_dn = p_strdup(req->pool, args[0]);
	req->dn = p_strdup(req->pool, args[1]);
	req->parts = p_new(req->pool, struct directory_modify_part, max / 2);
	for (args += 2; *args != NULL; ) {
		if (directory_modify_parse_part(req, &args,
				&req->parts[req->parts_count]) < 0)
			return -1;
		req->parts_count++;
	}
	req->remove = req->parts_count == 1 &&
		req->parts[0].change.op == LDAP_WRITE_DELETE &&
		req->parts[0].change.count > 0;
	return 0;
}

void directory_modify_run(struct directory_modify *modify,
			  const char *const *args,
			  directory_modify_callback_t *callback,
			  void *context)
{
	struct directory_modify_request *req;
	pool_t pool = pool_alloconly_create("directory modify", 4096);

	req = p_new(pool, struct directory_modify_request, 1);
	req->pool = pool;
	req->modify = modify;
	req->callback = callback;
	req->context = context;
	if (directory_modify_parse(req, args) < 0) {
		callback(context, "Invalid command");
		pool_unref(&pool);
		return;
	}
	directory_modify_try(req);
}

struct directory_modify *
directory_modify_init(const struct ldap_connection_settings *set,
		      const struct directory_map *map, struct event *event)
{
	struct directory_modify *modify = i_new(struct directory_modify, 1);

	modify->map = map;
	modify->event = event;
	event_ref(event);
	modify->write = ldap_write_init(set, event);
	return modify;
}

void directory_modify_deinit(struct directory_modify **_modify)
{
	struct directory_modify *modify = *_modify;

	*_modify = NULL;
	ldap_write_deinit(&modify->write);
	event_unref(&modify->event);
	i_free(modify);
}
