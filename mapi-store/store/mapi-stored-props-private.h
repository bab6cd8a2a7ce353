/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_STORED_PROPS_PRIVATE_H
#define MAPI_STORED_PROPS_PRIVATE_H

/* What the two files of stored properties share: the index of what is stored. */

#include "array.h"
#include "hash.h"
#include "mapi-stored-props.h"

struct mapi_stored_prop {
	const struct mapi_idlog_rec *rec;
	/* the store's id of a named property; type as of the value */
	uint32_t tag;
	struct mapi_property_name *name;

	/* what has been made of the record's value: rec->changed */
	uint32_t parsed;
	enum mapi_stored_state state;
	/* NULL if it's in a bag */
	struct mapi_content *content;
	const char *bag_guid;
	uint64_t bag_size;
};

struct mapi_stored_owner {
	uint32_t number;
	ARRAY(struct mapi_stored_prop *) props;
};

struct mapi_stored {
	unsigned int epoch, iter;
	ARRAY(struct mapi_stored_owner *) owners;
	HASH_TABLE(void *, struct mapi_stored_owner *) by_number;
};

/* Adds to the index what has been read of the log since the last time. Owners and
   properties are valid until the next time. */
enum mapi_error mapi_stored_read(struct mapi_store *store);
/* NULL if nothing has ever been stored for it */
struct mapi_stored_owner *
mapi_stored_find_owner(struct mapi_store *store, uint32_t number);
/* After having read. NULL if nothing has ever been stored of it */
enum mapi_error
mapi_stored_find(struct mapi_store *store, uint32_t owner, uint32_t tag,
		 struct mapi_stored_prop **prop_r);
/* Looks at the record's value if it's another one than the last time. */
void mapi_stored_parse(struct mapi_store *store, struct mapi_stored_prop *prop);

#endif
