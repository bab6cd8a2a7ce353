/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each property is a note in the log "allotments",

     prop	<owner> <property id in hex, or name>

   whose value is one of

     ""					it has been deleted
     =<base64>				a bag (mapi-bag-codec.h) of this property
     <type> <size> <GUID>		hex: it's in the bag with this GUID, in the
					mailbox "values"

   So several sessions that change one folder at the same time need no lock: of each
   property the last one holds, and others' properties aren't touched; several
   properties are changed in one transaction, together with the number that makes it
   a change of the folder; and all values but large ones are in memory once the log
   has been read, so that a table of folders opens nothing.

   A large value is saved before the note that refers to it, and the one before is
   deleted after that. Whoever dies in between leaves a bag that no note refers to.
   Such bags are deleted, a day after they have been saved, by the next one who saves
   a large value.

   Notes of folders that are gone are deleted at the end of the session that deleted
   them, or of a later one. */

#include "lib.h"
#include "base64.h"
#include "buffer.h"
#include "guid.h"
#include "istream.h"
#include "mail-user.h"
#include "mapi-bag-codec.h"
#include "mapi-bags.h"
#include "mapi-overlay.h"
#include "mapi-prop-class.h"
#include "mapi-stored-props-private.h"

/* --- the index -------------------------------------------------------------- */

static int mapi_stored_destructor(struct mapi_stored *stored)
{
	struct mapi_stored_owner *owner;

	array_foreach_elem(&stored->owners, owner)
		array_free(&owner->props);
	array_free(&stored->owners);
	hash_table_destroy(&stored->by_number);
	return 0;
}

static struct mapi_stored *stored_create(struct mapi_store *store)
{
	struct mapi_stored *stored = talloc_zero(store, struct mapi_stored);

	stored->epoch = mapi_idlog_epoch(store->log);
	i_array_init(&stored->owners, 16);
	hash_table_create_direct(&stored->by_number, default_pool, 16);
	talloc_set_destructor(stored, mapi_stored_destructor);
	return stored;
}

/* The store's number is 0: keys of the table are one more. */
static void *stored_number_key(uint32_t number)
{
	return POINTER_CAST((uintptr_t)number + 1);
}

struct mapi_stored_owner *
mapi_stored_find_owner(struct mapi_store *store, uint32_t number)
{
	return hash_table_lookup(store->stored->by_number,
				 stored_number_key(number));
}

static struct mapi_stored_owner *
stored_add_owner(struct mapi_store *store, uint32_t number)
{
	struct mapi_stored *stored = store->stored;
	struct mapi_stored_owner *owner =
		mapi_stored_find_owner(store, number);

	if (owner != NULL)
		return owner;
	owner = talloc_zero(stored, struct mapi_stored_owner);
	owner->number = number;
	i_array_init(&owner->props, 8);
	array_push_back(&stored->owners, &owner);
	hash_table_insert(stored->by_number, stored_number_key(number), owner);
	return owner;
}

/* FALSE if it isn't what this version writes. */
static bool
stored_key_parse(const char *key, struct mapi_stored_prop *prop, uint32_t *number_r,
		 uint16_t *id_r)
{
	const char *p = strchr(key, ' ');
	uint32_t id;

	if (p == NULL || str_to_uint32(t_strdup_until(key, p), number_r) < 0)
		return FALSE;
	p++;
	if (strchr(p, ':') == NULL) {
		if (str_to_uint32_hex(p, &id) < 0 || id == 0 ||
		    id >= MAPI_NAMED_PROPERTY_ID_MIN)
			return FALSE;
		*id_r = id;
		return TRUE;
	}
	*id_r = 0;
	prop->name = talloc_zero(prop, struct mapi_property_name);
	return mapi_property_name_from_key(prop->name, p, prop->name);
}

static enum mapi_error
stored_add(struct mapi_store *store, const struct mapi_idlog_rec *rec)
{
	struct mapi_stored_owner *owner;
	struct mapi_stored_prop *prop;
	enum mapi_error error = EC_NONE;
	uint32_t number;
	uint16_t id;

	prop = talloc_zero(store->stored, struct mapi_stored_prop);
	prop->rec = rec;
	if (!stored_key_parse(rec->key, prop, &number, &id)) {
		talloc_free(prop);
		return EC_NONE;
	}
	if (prop->name != NULL) {
		error = mapi_store_names_to_ids(store, prop->name, 1, TRUE,
						&id);
	}
	if (error != EC_NONE || id == 0) {
		talloc_free(prop);
		return error;
	}
	prop->tag = MAPI_TAG(id, PTYP_UNSPECIFIED);
	owner = stored_add_owner(store, number);
	array_push_back(&owner->props, &prop);
	return EC_NONE;
}

enum mapi_error mapi_stored_read(struct mapi_store *store)
{
	const struct mapi_idlog_rec *rec;
	enum mapi_error error;
	unsigned int iter;

	if (store->stored != NULL &&
	    store->stored->epoch != mapi_idlog_epoch(store->log))
		TALLOC_FREE(store->stored);
	if (store->stored == NULL)
		store->stored = stored_create(store);
	iter = store->stored->iter;
	while ((rec = mapi_idlog_next(store->log, MAPI_LOG_PROP,
				      &iter)) != NULL) {
		T_BEGIN {
			error = stored_add(store, rec);
		} T_END;
		if (error != EC_NONE)
			return error;
		store->stored->iter = iter;
	}
	store->stored->iter = iter;
	return EC_NONE;
}

/* --- values ------------------------------------------------------------------ */

/* FALSE if it isn't what this version writes. */
static bool
stored_parse_inline(struct mapi_stored_prop *prop, const char *base64)
{
	size_t len = strlen(base64);
	buffer_t *data = t_buffer_create(MAX_BASE64_DECODED_SIZE(len));
	const struct mapi_content_prop *first;
	struct istream *input;
	const char *error;
	int ret;

	if (base64_decode(base64, len, NULL, data) < 0)
		return FALSE;
	input = i_stream_create_from_data(data->data, data->used);
	ret = mapi_bag_decode(prop, input, &prop->content, &error);
	i_stream_unref(&input);
	if (ret < 0) {
		prop->content = NULL;
		return FALSE;
	}
	if (prop->content->props->count != 1) {
		TALLOC_FREE(prop->content);
		return FALSE;
	}
	first = &prop->content->props->props[0];
	prop->tag = MAPI_TAG_AS(prop->tag, first->value.type);
	return TRUE;
}

static bool
stored_parse_reference(struct mapi_stored_prop *prop, const char *value)
{
	const char *const *args = t_strsplit(value, " ");
	uint32_t type;
	guid_128_t guid;

	if (str_array_length(args) != 3 ||
	    str_to_uint32_hex(args[0], &type) < 0 ||
	    !mapi_prop_type_is_storable(type) ||
	    str_to_uint64_hex(args[1], &prop->bag_size) < 0 ||
	    guid_128_from_string(args[2], guid) < 0)
		return FALSE;
	prop->tag = MAPI_TAG_AS(prop->tag, type);
	prop->bag_guid = talloc_strdup(prop, args[2]);
	return TRUE;
}

void mapi_stored_parse(struct mapi_store *store, struct mapi_stored_prop *prop)
{
	const char *value = prop->rec->value;
	bool ok;

	if (prop->parsed == prop->rec->changed)
		return;
	TALLOC_FREE(prop->content);
	talloc_free((char *)prop->bag_guid);
	prop->bag_guid = NULL;
	prop->parsed = prop->rec->changed;
	prop->state = MAPI_STORED_DELETED;
	prop->tag = MAPI_TAG_AS(prop->tag, PTYP_UNSPECIFIED);
	if (*value == '\0')
		return;
	T_BEGIN {
		ok = *value == '=' ? stored_parse_inline(prop, value + 1) :
			stored_parse_reference(prop, value);
	} T_END;
	if (ok)
		prop->state = MAPI_STORED_VALUE;
	else {
		e_error(store->user->event, "mapi: Stored property %s is "
			"damaged", prop->rec->key);
	}
}

enum mapi_error
mapi_stored_find(struct mapi_store *store, uint32_t number, uint32_t tag,
		 struct mapi_stored_prop **prop_r)
{
	struct mapi_stored_owner *owner;
	struct mapi_stored_prop *prop;
	enum mapi_error error;

	*prop_r = NULL;
	error = mapi_stored_read(store);
	if (error != EC_NONE)
		return error;
	owner = mapi_stored_find_owner(store, number);
	if (owner == NULL)
		return EC_NONE;
	array_foreach_elem(&owner->props, prop) {
		if (MAPI_TAG_ID(prop->tag) == MAPI_TAG_ID(tag)) {
			mapi_stored_parse(store, prop);
			*prop_r = prop;
			break;
		}
	}
	return EC_NONE;
}

enum mapi_error mapi_stored_refresh(struct mapi_store *store)
{
	return mapi_idlog_refresh(store->log);
}

/* EC_NOT_FOUND if it's gone: it has been replaced just now. */
static enum mapi_error
stored_load(struct mapi_store *store, TALLOC_CTX *mem,
	    const struct mapi_stored_prop *prop, struct mapi_content_prop *prop_r)
{
	struct mapi_overlay *overlay;
	enum mapi_error error;

	error = mapi_bags_load_guid(mapi_bags_get_values(store), mem,
				    prop->bag_guid, &overlay);
	if (error != EC_NONE)
		return error;
	if (overlay == NULL || overlay->props->count != 1)
		return EC_NOT_FOUND;
	*prop_r = overlay->props->props[0];
	prop_r->tag = prop->tag;
	return EC_NONE;
}

enum mapi_error
mapi_stored_get_prop(struct mapi_store *store, uint32_t owner, TALLOC_CTX *mem,
		     uint32_t tag, enum mapi_stored_state *state_r,
		     struct mapi_content_prop *prop_r)
{
	const struct mapi_content_prop *first;
	struct mapi_stored_prop *prop;
	enum mapi_error error;
	bool again = FALSE;

	*state_r = MAPI_STORED_NONE;
	for (;;) {
		error = mapi_stored_find(store, owner, tag, &prop);
		if (error != EC_NONE || prop == NULL)
			return error;
		*state_r = prop->state;
		if (prop->state != MAPI_STORED_VALUE)
			return EC_NONE;
		if (prop->content != NULL) {
			first = &prop->content->props->props[0];
			i_zero(prop_r);
			prop_r->tag = prop->tag;
			return mapi_value_copy(mem, &prop_r->value,
					       &first->value) ?
				EC_NONE : EC_NOT_ENOUGH_MEMORY;
		}
		error = stored_load(store, mem, prop, prop_r);
		if (error != EC_NOT_FOUND)
			return error;
		if (again)
			break;
		again = TRUE;
		error = mapi_stored_refresh(store);
		if (error != EC_NONE)
			return error;
	}
	e_error(store->user->event, "mapi: The value of stored property %s "
		"is lost", prop->rec->key);
	*state_r = MAPI_STORED_DELETED;
	return EC_NONE;
}

enum mapi_error
mapi_stored_get(struct mapi_store *store, uint32_t owner, TALLOC_CTX *mem,
		uint32_t tag, size_t max_size, enum mapi_stored_state *state_r,
		struct mapi_value *value_r)
{
	struct mapi_content_prop content_prop;
	struct mapi_stored_prop *prop;
	enum mapi_error error;

	*state_r = MAPI_STORED_NONE;
	error = mapi_stored_find(store, owner, tag, &prop);
	if (error != EC_NONE || prop == NULL)
		return error;
	*state_r = prop->state;
	if (prop->state == MAPI_STORED_VALUE && prop->bag_guid != NULL &&
	    prop->bag_size > max_size) {
		*value_r = mapi_value_error(EC_NOT_ENOUGH_MEMORY);
		return EC_NONE;
	}
	error = mapi_stored_get_prop(store, owner, mem, tag, state_r,
				     &content_prop);
	if (error != EC_NONE || *state_r != MAPI_STORED_VALUE)
		return error;
	*value_r = content_prop.stream != NULL ||
		mapi_value_size(&content_prop.value) > max_size ?
		mapi_value_error(EC_NOT_ENOUGH_MEMORY) : content_prop.value;
	return EC_NONE;
}

enum mapi_error
mapi_stored_list(struct mapi_store *store, uint32_t number, TALLOC_CTX *mem,
		 unsigned int room, uint32_t **tags_r, unsigned int *count_r)
{
	struct mapi_stored_owner *owner;
	struct mapi_stored_prop *prop;
	enum mapi_error error;

	*tags_r = NULL;
	*count_r = 0;
	error = mapi_stored_read(store);
	if (error != EC_NONE)
		return error;
	owner = mapi_stored_find_owner(store, number);
	if (owner != NULL)
		room += array_count(&owner->props);
	*tags_r = talloc_array(mem, uint32_t, room);
	if (owner == NULL)
		return EC_NONE;
	array_foreach_elem(&owner->props, prop) {
		mapi_stored_parse(store, prop);
		if (prop->state == MAPI_STORED_VALUE)
			(*tags_r)[(*count_r)++] = prop->tag;
	}
	return EC_NONE;
}
