/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Handles are numbers that count up, so that one that was released isn't
   another object's soon after: clients have been seen to use them once more.

   Every logon has a talloc context of its own that its objects hang below, as
   children of it and not of each other. Freeing order matters to what is below
   talloc's sight: objects go before the store that they live in, and the
   logons' contexts are children of the session older than the store, so
   mapi_session_free() can't leave it to talloc. */

#include "lib.h"
#include "hash.h"
#include "lib-event.h"
#include "llist.h"
#include "str-sanitize.h"
#include "mail-user.h"

#include "mapi-directory.h"
#include "mapi-legacy-dn.h"
#include "mapi-session.h"
#include "mapi-store-directory.h"
#include "mapi-submit.h"
#include "rop.h"
#include "rop-handler-table.h"

/* 0xFFFFFFFF says "no object" in requests ([MS-OXCROPS] 2.2.1) */
#define MAPI_HANDLE_MAX 0xfffffffeU

struct mapi_session_logon {
	TALLOC_CTX *mem;
	struct mapi_logon *logon;
	uint32_t handle;
	/* child of mem, or NULL */
	struct rop_operation *operation;
};

struct mapi_session_object {
	struct mapi_object *obj;
	uint32_t handle;
	uint8_t logon_id;
};

/* Another user's store */
struct mapi_session_store {
	struct mapi_session_store *prev, *next;
	struct mapi_other_user *user;
	struct mapi_store *store;
};

struct mapi_session {
	struct mail_user *user;
	struct mapi_session_settings set;
	struct event *event;
	const struct rop_handler *const *handlers;

	struct mapi_store *store;
	struct mapi_session_store *other_stores;
	struct mapi_session_logon logons[256];
	HASH_TABLE(void *, struct mapi_session_object *) objects;
	uint32_t last_handle;
};

struct mapi_session *
mapi_session_create(TALLOC_CTX *parent, struct mail_user *user,
		    const struct mapi_session_settings *set,
		    struct event *event)
{
	struct mapi_session *session;

	session = talloc_zero(parent, struct mapi_session);
	if (session == NULL)
		i_fatal_status(FATAL_OUTOFMEM, "talloc() failed");
	session->user = user;
	session->set = *set;
	session->event = event_create(event);
	session->handlers = rop_handler_table;
	hash_table_create_direct(&session->objects, default_pool, 0);
	return session;
}

static void
mapi_session_free_object(struct mapi_session *session,
			 struct mapi_session_object *object)
{
	hash_table_remove(session->objects, POINTER_CAST(object->handle));
	/* another object may hold a reference, as an attachment table does of
	   its message, and then keeps it */
	(void)talloc_unlink(talloc_parent(object->obj), object->obj);
	i_free(object);
}

static void
mapi_session_free_logon(struct mapi_session *session, uint8_t logon_id)
{
	struct mapi_session_logon *logon = &session->logons[logon_id];
	struct hash_iterate_context *iter;
	struct mapi_session_object *object;
	void *key;

	iter = hash_table_iterate_init(session->objects);
	while (hash_table_iterate(iter, session->objects, &key, &object)) {
		/* the iteration allows for removals */
		if (object->logon_id == logon_id &&
		    object->obj->type != MAPI_OBJECT_LOGON)
			mapi_session_free_object(session, object);
	}
	hash_table_iterate_deinit(&iter);
	if (logon->logon != NULL) {
		object = hash_table_lookup(session->objects,
					   POINTER_CAST(logon->handle));
		i_assert(object != NULL);
		mapi_session_free_object(session, object);
	}
	TALLOC_FREE(logon->mem);
	i_zero(logon);
}

/* --- other users' stores -------------------------------------------------- */

static void
mapi_session_close_store(struct mapi_session *session,
			 struct mapi_session_store *other)
{
	DLLIST_REMOVE(&session->other_stores, other);
	talloc_free(other->store);
	session->set.other_users->close(session->set.other_users,
					&other->user);
	i_free(other);
}

static bool
mapi_session_uses_store(const struct mapi_session *session,
			const struct mapi_store *store)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(session->logons); i++) {
		if (session->logons[i].logon != NULL &&
		    session->logons[i].logon->obj.store == store)
			return TRUE;
	}
	return FALSE;
}

/* There are never more of them than logons. */
static void mapi_session_close_unused_stores(struct mapi_session *session)
{
	struct mapi_session_store *other, *next;

	for (other = session->other_stores; other != NULL; other = next) {
		next = other->next;
		if (!mapi_session_uses_store(session, other->store))
			mapi_session_close_store(session, other);
	}
}

static struct mapi_session_store *
mapi_session_find_store(struct mapi_session *session, const char *username)
{
	struct mapi_session_store *other;

	for (other = session->other_stores; other != NULL;
	     other = other->next) {
		if (strcmp(other->user->user->username, username) == 0)
			return other;
	}
	return NULL;
}

/* *store_r is NULL if it's the session's own user after all. */
static enum mapi_error
mapi_session_open_store(struct mapi_session *session, const char *username,
			struct mapi_store **store_r)
{
	struct mapi_other_users *users = session->set.other_users;
	struct mapi_session_store *other;
	struct mapi_other_user *user;
	enum mapi_error ret;

	*store_r = NULL;
	other = mapi_session_find_store(session, username);
	if (other != NULL) {
		*store_r = other->store;
		return EC_NONE;
	}
	/* those that a logon failed for in the end */
	mapi_session_close_unused_stores(session);
	ret = users->open(users, username, &user);
	if (ret != EC_NONE)
		return ret;
	/* by the name that the user really has */
	other = mapi_session_find_store(session, user->user->username);
	if (other != NULL ||
	    strcmp(user->user->username, session->user->username) == 0) {
		users->close(users, &user);
		*store_r = other == NULL ? NULL : other->store;
		return EC_NONE;
	}
	ret = mapi_store_open(session, user->user, &user->set, store_r);
	if (ret != EC_NONE) {
		users->close(users, &user);
		return ret;
	}
	other = i_new(struct mapi_session_store, 1);
	other->user = user;
	other->store = *store_r;
	DLLIST_PREPEND(&session->other_stores, other);
	return EC_NONE;
}

static enum mapi_error
mapi_session_get_other_store(struct mapi_session *session, const char *essdn,
			     struct mapi_store **store_r)
{
	enum mapi_error ret;
	char *username;

	username = mapi_store_dn_to_username(&session->set.store, NULL, essdn);
	if (username == NULL)
		return EC_UNKNOWN_USER;
	ret = mapi_session_open_store(session, username, store_r);
	if (ret != EC_NONE) {
		e_info(session->event, "Logon to the mailbox of %s refused: "
		       "%s", str_sanitize(username, 256),
		       mapi_error_name(ret));
	}
	talloc_free(username);
	return ret;
}

/* --- freeing -------------------------------------------------------------- */

void mapi_session_free(struct mapi_session **_session)
{
	struct mapi_session *session = *_session;
	unsigned int i;

	*_session = NULL;
	for (i = 0; i < N_ELEMENTS(session->logons); i++) {
		if (session->logons[i].mem != NULL)
			mapi_session_free_logon(session, i);
	}
	i_assert(hash_table_count(session->objects) == 0);
	hash_table_destroy(&session->objects);
	while (session->other_stores != NULL)
		mapi_session_close_store(session, session->other_stores);
	TALLOC_FREE(session->store);
	event_unref(&session->event);
	talloc_free(session);
}

const struct mapi_session_settings *
mapi_session_settings_get(const struct mapi_session *session)
{
	return &session->set;
}

struct event *mapi_session_event(const struct mapi_session *session)
{
	return session->event;
}

enum mapi_error
mapi_session_check_dn(const struct mapi_store_settings *set,
		      const char *username, const char *dn)
{
	struct mapi_directory_question question = {
		.key = MAPI_DIRECTORY_LEGACY_DN, .value = dn,
	};
	char *prefix = mapi_legacy_dn_prefix(NULL, set->organization);
	size_t prefix_len = strlen(prefix);
	/* DNs are compared without case: [MS-OXCDATA] 2.2.5.2 */
	bool known = strncasecmp(dn, prefix, prefix_len) == 0;

	talloc_free(prefix);
	if (known && strcasecmp(dn + prefix_len, username) == 0)
		return EC_NONE;
	if (set->directory != NULL)
		set->directory->lookup(set->directory, &question, 1);
	if (question.object != NULL) {
		known = TRUE;
		if (question.object->username != NULL &&
		    strcmp(question.object->username, username) == 0)
			return EC_NONE;
	}
	return known ? EC_ACCESS_DENIED : EC_UNKNOWN_USER;
}

static enum mapi_error
mapi_session_get_own_store(struct mapi_session *session,
			   struct mapi_store **store_r)
{
	enum mapi_error ret;

	if (session->store == NULL) {
		ret = mapi_store_open(session, session->user,
				      &session->set.store, &session->store);
		if (ret != EC_NONE)
			return ret;
		/* what an earlier session was interrupted at */
		mapi_submit_recover(session->store);
	}
	*store_r = session->store;
	return EC_NONE;
}

enum mapi_error
mapi_session_get_store(struct mapi_session *session, const char *essdn,
		       struct mapi_store **store_r)
{
	enum mapi_error ret = EC_NONE;

	if (session->user == NULL)
		return EC_UNKNOWN_USER;
	if (*essdn != '\0') {
		T_BEGIN {
			ret = mapi_session_check_dn(&session->set.store,
						    session->user->username,
						    essdn);
		} T_END;
	}
	if (ret == EC_ACCESS_DENIED && session->set.other_users != NULL) {
		T_BEGIN {
			ret = mapi_session_get_other_store(session, essdn,
							   store_r);
		} T_END;
		if (ret == EC_NONE && *store_r != NULL)
			return EC_NONE;
	}
	return ret != EC_NONE ? ret :
		mapi_session_get_own_store(session, store_r);
}

struct mapi_logon *
mapi_session_logon(struct mapi_session *session, uint8_t logon_id)
{
	return session->logons[logon_id].logon;
}

TALLOC_CTX *
mapi_session_logon_mem(struct mapi_session *session, uint8_t logon_id)
{
	return session->logons[logon_id].mem;
}

static uint32_t mapi_session_new_handle(struct mapi_session *session)
{
	do {
		if (session->last_handle == MAPI_HANDLE_MAX)
			session->last_handle = 0;
		session->last_handle++;
	} while (hash_table_lookup(session->objects,
			POINTER_CAST(session->last_handle)) != NULL);
	return session->last_handle;
}

enum mapi_error
mapi_session_add_object(struct mapi_session *session, uint8_t logon_id,
			struct mapi_object *obj, uint32_t *handle_r)
{
	struct mapi_session_logon *logon = &session->logons[logon_id];
	struct mapi_session_object *object;

	if (hash_table_count(session->objects) >=
	    session->set.max_open_objects)
		return EC_MAX_OBJS_EXCEEDED;

	if (obj->type == MAPI_OBJECT_LOGON && logon->logon != NULL)
		mapi_session_free_logon(session, logon_id);
	object = i_new(struct mapi_session_object, 1);
	object->obj = obj;
	object->logon_id = logon_id;
	object->handle = mapi_session_new_handle(session);
	hash_table_insert(session->objects, POINTER_CAST(object->handle),
			  object);
	if (obj->type == MAPI_OBJECT_LOGON) {
		logon->mem = talloc_parent(obj);
		logon->logon = (struct mapi_logon *)obj;
		logon->handle = object->handle;
		/* that of the logon before */
		mapi_session_close_unused_stores(session);
	}
	*handle_r = object->handle;
	return EC_NONE;
}

static struct mapi_session_object *
mapi_session_find_any(struct mapi_session *session, uint32_t handle)
{
	if (handle == 0 || handle > MAPI_HANDLE_MAX)
		return NULL;
	return hash_table_lookup(session->objects, POINTER_CAST(handle));
}

static struct mapi_session_object *
mapi_session_find(struct mapi_session *session, uint8_t logon_id,
		  uint32_t handle)
{
	struct mapi_session_object *object =
		mapi_session_find_any(session, handle);

	return object == NULL || object->logon_id != logon_id ? NULL : object;
}

struct mapi_object *
mapi_session_object(struct mapi_session *session, uint8_t logon_id,
		    uint32_t handle)
{
	struct mapi_session_object *object =
		mapi_session_find(session, logon_id, handle);

	return object == NULL ? NULL : object->obj;
}

struct mapi_object *
mapi_session_any_object(struct mapi_session *session, uint32_t handle)
{
	struct mapi_session_object *object =
		mapi_session_find_any(session, handle);

	return object == NULL ? NULL : object->obj;
}

bool mapi_session_release(struct mapi_session *session, uint8_t logon_id,
			  uint32_t handle)
{
	struct mapi_session_object *object =
		mapi_session_find(session, logon_id, handle);

	if (object == NULL)
		return FALSE;
	if (object->obj->type == MAPI_OBJECT_LOGON) {
		mapi_session_free_logon(session, logon_id);
		mapi_session_close_unused_stores(session);
	} else
		mapi_session_free_object(session, object);
	return TRUE;
}

unsigned int mapi_session_object_count(const struct mapi_session *session)
{
	return hash_table_count(session->objects);
}

struct rop_operation *
mapi_session_operation(struct mapi_session *session, uint8_t logon_id)
{
	return session->logons[logon_id].operation;
}

void mapi_session_set_operation(struct mapi_session *session, uint8_t logon_id,
				struct rop_operation *op)
{
	struct mapi_session_logon *logon = &session->logons[logon_id];

	i_assert(logon->logon != NULL);
	talloc_free(logon->operation);
	logon->operation = talloc_steal(logon->mem, op);
}

void mapi_session_set_handlers(struct mapi_session *session,
			       const struct rop_handler *const *handlers)
{
	session->handlers = handlers;
}

const struct rop_handler *
mapi_session_handler(const struct mapi_session *session, uint8_t rop_id)
{
	return session->handlers[rop_id];
}
