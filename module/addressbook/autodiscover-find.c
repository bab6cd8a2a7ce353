/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "strfuncs.h"
#include "mapi-legacy-dn.h"
#include "mapi-props.h"
#include "snapshot.h"
#include "autodiscover-private.h"

#include <talloc.h>

/* Clients follow as many, [MS-OXDSCLI] 3.1.5.3. */
#define AUTODISCOVER_MAX_REDIRECTS 10

/* A user whom the directory doesn't know */
static void
user_make(const struct autodiscover_settings *set, const char *username,
	  struct autodiscover_user *user_r)
{
	char *prefix = mapi_legacy_dn_prefix(NULL, set->organization);

	i_zero(user_r);
	user_r->username = user_r->address = username;
	user_r->display_name = t_strcut(username, '@');
	user_r->legacy_dn = t_strconcat(prefix, username, NULL);
	talloc_free(prefix);
}

static void
user_from_object(const struct snapshot_object *object,
		 struct autodiscover_user *user_r)
{
	i_zero(user_r);
	user_r->username = object->username;
	user_r->address = object->address != NULL ? object->address :
		object->username;
	user_r->display_name = object->display_name;
	user_r->legacy_dn = object->legacy_dn;
	user_r->id = object->id;
	user_r->mid = object->mid;
}

static bool
object_has_address(const struct snapshot_object *object, const char *address)
{
	for (unsigned int i = 0; i < object->addresses_count; i++) {
		if (strcasecmp(snapshot_object_address(object, i),
			       address) == 0)
			return TRUE;
	}
	return FALSE;
}

/* "SMTP:alice@example.com" as an address; NULL if it's of another kind */
static const char *target_address(const char *value)
{
	if (strncasecmp(value, "SMTP:", 5) == 0)
		value += 5;
	else if (strchr(value, ':') != NULL)
		return NULL;
	return strchr(value, '@') == NULL ? NULL : value;
}

/* Where the directory says that an object's mail goes instead, NULL if nowhere.
   That's the target address (PidTagAddressBookTargetAddress, [MS-OXOABK]
   2.2.3.22); a contact's own address is elsewhere anyway, unless it's the one
   that is asked for. asked is NULL if it has been asked for by name. */
static const char *
object_target(const struct snapshot_object *object, const char *asked)
{
	const char *target = NULL, *domain, *asked_domain;
	struct mapi_value value;
	TALLOC_CTX *mem;

	if (object->kind == DIRECTORY_GROUP ||
	    object->kind == DIRECTORY_CONTAINER)
		return NULL;
	mem = talloc_new(NULL);
	if (snapshot_object_property(object,
				     PIDTAG_ADDRESS_BOOK_TARGET_ADDRESS, mem,
				     &value) && value.type == PTYP_STRING)
		target = target_address(value.u.str);
	talloc_free(mem);
	if (target != NULL) {
		/* to be delivered under another name, but here */
		if (object->username != NULL &&
		    object_has_address(object, target))
			return NULL;
		return target;
	}
	if (object->kind != DIRECTORY_CONTACT || object->address == NULL)
		return NULL;
	if (asked == NULL)
		return object->address;
	domain = strrchr(object->address, '@');
	asked_domain = strrchr(asked, '@');
	return domain == NULL || asked_domain == NULL ||
		strcasecmp(domain, asked_domain) == 0 ? NULL : object->address;
}

/* Follows target addresses as long as they are the directory's, so that a client
   isn't sent round in a circle. Leaves the last object in *object. */
static enum autodiscover_error
object_follow(const struct snapshot *snapshot, struct snapshot_object *object,
	      const char *asked, const char **redirect_r)
{
	const char *target;
	uint32_t mid;

	for (unsigned int i = 0; i <= AUTODISCOVER_MAX_REDIRECTS; i++) {
		target = object_target(object, asked);
		if (target == NULL && object->username != NULL)
			return AUTODISCOVER_OK;
		if (target == NULL || (asked != NULL &&
				       strcasecmp(target, asked) == 0)) {
			/* No mailbox here. Who has been sent on to a contact
			   is told so, what is at its address is for others
			   to say. */
			return *redirect_r != NULL &&
				object->kind != DIRECTORY_GROUP ?
				AUTODISCOVER_OK : AUTODISCOVER_NO_MAILBOX;
		}
		*redirect_r = asked = target;
		mid = snapshot_find_address(snapshot, target);
		if (mid == 0 || !snapshot_get(snapshot, mid, object))
			return AUTODISCOVER_OK;
	}
	return AUTODISCOVER_BAD_CONFIGURATION;
}

static enum autodiscover_error
find_object(const struct snapshot *snapshot, uint32_t mid, const char *asked,
	    struct autodiscover_user *user_r, const char **redirect_r)
{
	struct snapshot_object object;
	enum autodiscover_error error;

	if (!snapshot_get(snapshot, mid, &object))
		return AUTODISCOVER_UNKNOWN_USER;
	error = object_follow(snapshot, &object, asked, redirect_r);
	if (error != AUTODISCOVER_OK)
		*redirect_r = NULL;
	else if (*redirect_r == NULL)
		user_from_object(&object, user_r);
	return error;
}

/* Whether who asks means himself. Where users are known without a domain, it's
   any: that it is one of ours is why the client has come here. */
static bool
asks_for_self(const struct autodiscover_pox *pox,
	      const struct autodiscover_user *self)
{
	if (pox->legacy_dn != NULL)
		return strcasecmp(pox->legacy_dn, self->legacy_dn) == 0;
	if (strcasecmp(pox->address, self->username) == 0)
		return TRUE;
	return strchr(self->username, '@') == NULL &&
		strcasecmp(t_strcut(pox->address, '@'), self->username) == 0;
}

/* Outlook asks about its user's own mailbox and, with the user's own
   credentials, about others that are opened beside it. Which of those may be
   opened is seen when it's tried; that they are here is in the address book. */
enum autodiscover_error
autodiscover_find(const struct autodiscover_settings *set,
		  const struct snapshot *snapshot,
		  const struct autodiscover_pox *pox, const char *username,
		  struct autodiscover_user *user_r, const char **redirect_r)
{
	enum autodiscover_error error = AUTODISCOVER_UNKNOWN_USER;
	struct autodiscover_user self;
	uint32_t mid = 0;

	i_zero(user_r);
	*redirect_r = NULL;
	/* [MS-OXDSCLI] 3.2.5: LegacyDN goes first if there are both. */
	if (snapshot != NULL) {
		mid = pox->legacy_dn != NULL ?
			snapshot_find_legacy_dn(snapshot, pox->legacy_dn) :
			snapshot_find_address(snapshot, pox->address);
	}
	if (mid == 0) {
		user_make(set, username, &self);
		if (!asks_for_self(pox, &self))
			return AUTODISCOVER_UNKNOWN_USER;
		if (snapshot != NULL)
			mid = snapshot_find_username(snapshot, username);
		if (mid == 0) {
			if (pox->legacy_dn == NULL)
				self.address = pox->address;
			*user_r = self;
			user_r->self = TRUE;
			return AUTODISCOVER_OK;
		}
	}
	error = find_object(snapshot, mid, pox->legacy_dn != NULL ? NULL :
			    pox->address, user_r, redirect_r);
	if (error == AUTODISCOVER_OK && *redirect_r == NULL)
		user_r->self = strcasecmp(user_r->username, username) == 0;
	return error;
}
