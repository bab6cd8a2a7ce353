/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_SESSION_H
#define MAPI_SESSION_H

/* A client's session (Session Context in the specifications): its logons, its
   objects with their handles, and the user's store. It knows nothing of the
   process that it runs in nor of how its requests arrive. */

#include "mapi-store.h"

struct event;
struct mapi_session;
struct rop_handler;
struct rop_operation;

/* Another user whose mailbox a session has opened. Strings live as long. */
struct mapi_other_user {
	struct mail_user *user;
	/* the user's own settings; delegate is the session's user */
	struct mapi_store_settings set;
};

/* Whoever can open other users embeds it in a struct of its own. */
struct mapi_other_users {
	/* Opens the user's mail, such that ACLs take the session's user for who
	   he is. The user's name may be another one than was asked for.
	   EC_UNKNOWN_USER; EC_LOGIN_PERM if this process can't have that
	   mail. */
	enum mapi_error (*open)(struct mapi_other_users *users,
				const char *username,
				struct mapi_other_user **user_r);
	void (*close)(struct mapi_other_users *users,
		      struct mapi_other_user **user);
};

/* Strings must outlive the session. */
struct mapi_session_settings {
	struct mapi_store_settings store;
	/* NULL if other users' mailboxes can't be opened */
	struct mapi_other_users *other_users;
	/* handles at a time; more are EC_MAX_OBJS_EXCEEDED */
	unsigned int max_open_objects;
	/* from Connect: DefaultCodePage, LcidSort, LcidString */
	uint32_t code_page, locale_sort, locale_string;
	/* the client's version, from its AUX_PERF_CLIENTINFO or its
	   X-ClientApplication header; 0 if unknown */
	uint16_t client_version[3];
};

/* The user must stay until the session is freed. event is the parent of the
   session's events; it's referenced. user may be NULL in tests: there's no
   store then. */
struct mapi_session *
mapi_session_create(TALLOC_CTX *parent, struct mail_user *user,
		    const struct mapi_session_settings *set,
		    struct event *event);
/* Frees all objects, then the store. */
void mapi_session_free(struct mapi_session **session);

const struct mapi_session_settings *
mapi_session_settings_get(const struct mapi_session *session);
struct event *mapi_session_event(const struct mapi_session *session);

/* Whether a legacyExchangeDN is that of the user with this name: the one that
   is made up of the name, or the directory's: EC_NONE. EC_ACCESS_DENIED if it
   is or may be another user's, EC_UNKNOWN_USER if it can't be one of this
   organisation. [MS-OXCSTOR] 3.2.5.1.3 */
enum mapi_error
mapi_session_check_dn(const struct mapi_store_settings *set,
		      const char *username, const char *dn);
/* The store of the user with this legacyExchangeDN for RopLogon; opened when
   it is asked for the first time, owned by the session: that of another user for
   as long as there's a logon to it. "" means the session's own user. Errors are
   those of mapi_session_check_dn(), mapi_store_open() and mapi_other_users. */
enum mapi_error
mapi_session_get_store(struct mapi_session *session, const char *essdn,
		       struct mapi_store **store_r);

/* --- logons and handles -------------------------------------------------- */

/* NULL if there's no such logon */
struct mapi_logon *
mapi_session_logon(struct mapi_session *session, uint8_t logon_id);
/* The talloc parent of a logon's objects; NULL if there's no such logon. */
TALLOC_CTX *
mapi_session_logon_mem(struct mapi_session *session, uint8_t logon_id);

/* Gives an object of a logon a handle. A logon object becomes that logon, and
   its talloc parent, a context made for it, the one of the logon's objects; the
   logon that had its id before is released with all of its objects.
   EC_MAX_OBJS_EXCEEDED if the session has too many; the object isn't freed
   then. */
enum mapi_error
mapi_session_add_object(struct mapi_session *session, uint8_t logon_id,
			struct mapi_object *obj, uint32_t *handle_r);
/* NULL if the handle doesn't exist or isn't of this logon. */
struct mapi_object *
mapi_session_object(struct mapi_session *session, uint8_t logon_id,
		    uint32_t handle);
/* The same of any logon: for the destination of what can be done between mailboxes. */
struct mapi_object *
mapi_session_any_object(struct mapi_session *session, uint32_t handle);
/* Frees the object; a logon with all of its objects. Returns FALSE if there's
   no such handle. */
bool mapi_session_release(struct mapi_session *session, uint8_t logon_id,
			  uint32_t handle);
unsigned int mapi_session_object_count(const struct mapi_session *session);

/* The logon's operation that goes on after its request, or is finished without the
   client having asked for the result (rop-operation.h); NULL if there's none. */
struct rop_operation *
mapi_session_operation(struct mapi_session *session, uint8_t logon_id);
/* There's a logon, to which op belongs from now on. Frees the one that there was; op
   may be NULL. */
void mapi_session_set_operation(struct mapi_session *session, uint8_t logon_id,
				struct rop_operation *op);

/* --- Execute -------------------------------------------------------------- */

/* Handlers by RopId, 256 of them, NULL where there's none; the default is
   rop_handler_table. For tests. */
void mapi_session_set_handlers(struct mapi_session *session,
			       const struct rop_handler *const *handlers);
const struct rop_handler *
mapi_session_handler(const struct mapi_session *session, uint8_t rop_id);

#endif
