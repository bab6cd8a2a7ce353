/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_STORED_PROPS_H
#define MAPI_STORED_PROPS_H

/* Properties that clients have set on folders and on the store and that have no
   other home, of any type, named ones too. How they are stored is at the head of
   mapi-stored-props.c.

   An owner is a folder's number, or MAPI_STORED_STORE. What can't be set isn't
   known here. */

#include "mapi-content.h"
#include "mapi-idlog.h"
#include "mapi-store-private.h"

#define MAPI_STORED_STORE 0

/* No more properties are stored for one owner: EC_TOO_COMPLEX */
#define MAPI_STORED_MAX_PROPS 2048
/* Bytes of a value: EC_TOO_BIG */
#define MAPI_STORED_MAX_SIZE (64 * 1024 * 1024)

/* What is stored of a property */
enum mapi_stored_state {
	/* nothing */
	MAPI_STORED_NONE,
	/* that it has been deleted */
	MAPI_STORED_DELETED,
	MAPI_STORED_VALUE,
};

/* Sees what other sessions have changed. */
enum mapi_error mapi_stored_refresh(struct mapi_store *store);

/* The value of a property, on mem; the tag's type doesn't matter. It is
   EC_NOT_ENOUGH_MEMORY if it's a stream or larger than max_size. */
enum mapi_error
mapi_stored_get(struct mapi_store *store, uint32_t owner, TALLOC_CTX *mem,
		uint32_t tag, size_t max_size, enum mapi_stored_state *state_r,
		struct mapi_value *value_r);
/* As a property, with streams for large values, on mem. */
enum mapi_error
mapi_stored_get_prop(struct mapi_store *store, uint32_t owner, TALLOC_CTX *mem,
		     uint32_t tag, enum mapi_stored_state *state_r,
		     struct mapi_content_prop *prop_r);
/* Tags of the properties that have a value, on mem; behind them there's room for
   more */
enum mapi_error
mapi_stored_list(struct mapi_store *store, uint32_t owner, TALLOC_CTX *mem,
		 unsigned int room, uint32_t **tags_r, unsigned int *count_r);

/* --- writing --------------------------------------------------------------- */

/* Changes that are made at once. All of it is on the data stack. */
struct mapi_stored_changes {
	struct mapi_store *store;
	/* what is written in one transaction: other records may be added */
	ARRAY_TYPE(mapi_idlog_new) recs;
	/* GUIDs of large values: those that have been written already, those
	   that nobody needs afterwards */
	ARRAY_TYPE(const_string) added, removed;
};

/* Values that a client sets as properties with names, on mem. errors_r[count] is
   EC_INVALID_PARAM where there's no such named property, else EC_NONE. */
enum mapi_error
mapi_stored_props_from_values(struct mapi_store *store, TALLOC_CTX *mem,
			      const struct mapi_property *values,
			      unsigned int count,
			      struct mapi_content_prop **props_r,
			      enum mapi_error *errors_r);

void mapi_stored_begin(struct mapi_stored_changes *changes,
		       struct mapi_store *store);
/* prop->name must be that of a named property. Large values are written at once,
   but nobody sees them yet. */
enum mapi_error
mapi_stored_set(struct mapi_stored_changes *changes, uint32_t owner,
		const struct mapi_content_prop *prop);
/* tombstone: whoever asks for the property has another value for it, which it shall
   not have any more. */
enum mapi_error
mapi_stored_delete(struct mapi_stored_changes *changes, uint32_t owner,
		   uint32_t tag, const struct mapi_property_name *name,
		   bool tombstone);
/* All properties of an owner, whose store may be another one, become another one's,
   who has none. */
enum mapi_error
mapi_stored_copy(struct mapi_stored_changes *changes, struct mapi_store *store,
		 uint32_t owner, uint32_t dest_owner);
/* Writes the changes durably: all or none. */
enum mapi_error mapi_stored_commit(struct mapi_stored_changes *changes);
/* Nothing is changed. */
void mapi_stored_rollback(struct mapi_stored_changes *changes);

/* The owner has been deleted, and its number isn't used again. Errors are logged
   only: what is left is garbage. */
void mapi_stored_forget(struct mapi_store *store, uint32_t owner);
/* At the end of a session: forgets those that others have deleted. */
void mapi_stored_deinit(struct mapi_store *store);

#endif
