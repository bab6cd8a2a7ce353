/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Storing properties of folders and of the store: see mapi-stored-props.c. */

#include "lib.h"
#include "base64.h"
#include "buffer.h"
#include "guid.h"
#include "ioloop.h"
#include "istream.h"
#include "ostream.h"
#include "str.h"
#include "mapi-bag-codec.h"
#include "mapi-bags.h"
#include "mapi-folder-place.h"
#include "mapi-overlay.h"
#include "mapi-stored-props-private.h"

/* Bytes of an encoded property that is in its note */
#define INLINE_MAX_SIZE 2048
/* Bytes of a large value that is stored even if the user's quota is exceeded:
   what clients need for working at all */
#define UNLIMITED_MAX_SIZE (64 * 1024)
#define UNUSED_KEEP_SECS (24 * 3600)

enum mapi_error
mapi_stored_props_from_values(struct mapi_store *store, TALLOC_CTX *mem,
			      const struct mapi_property *values,
			      unsigned int count,
			      struct mapi_content_prop **props_r,
			      enum mapi_error *errors_r)
{
	struct mapi_content_prop *props;
	struct mapi_property_name *names;
	enum mapi_error error;
	unsigned int i;
	uint32_t *tags;

	tags = talloc_array(mem, uint32_t, count);
	for (i = 0; i < count; i++)
		tags[i] = values[i].tag;
	error = mapi_store_tags_to_names(store, mem, tags, count, &names);
	if (error != EC_NONE)
		return error;
	props = talloc_zero_array(mem, struct mapi_content_prop, count);
	for (i = 0; i < count; i++) {
		errors_r[i] = EC_NONE;
		props[i].tag = values[i].tag;
		props[i].value = values[i].value;
		if (!MAPI_TAG_IS_NAMED(tags[i]))
			continue;
		props[i].name = &names[i];
		if (names[i].kind == MAPI_NAME_NONE)
			errors_r[i] = EC_INVALID_PARAM;
	}
	*props_r = props;
	return EC_NONE;
}

void mapi_stored_begin(struct mapi_stored_changes *changes,
		       struct mapi_store *store)
{
	i_zero(changes);
	changes->store = store;
	t_array_init(&changes->recs, 8);
	t_array_init(&changes->added, 2);
	t_array_init(&changes->removed, 2);
}

static const char *
stored_key(uint32_t owner, uint32_t tag, const struct mapi_property_name *name)
{
	return t_strdup_printf("%u %s", owner, name != NULL ?
		mapi_property_name_to_key(name) :
		t_strdup_printf("%04x", MAPI_TAG_ID(tag)));
}

/* Nothing is written if that's what is stored already. tombstone: that there's no
   value has to be said even if none has been stored. */
static void
stored_note(struct mapi_stored_changes *changes, uint32_t owner,
	    const char *key, const char *value, bool tombstone)
{
	const struct mapi_idlog_rec *old;
	struct mapi_idlog_new *rec;

	array_foreach_modifiable(&changes->recs, rec) {
		if (strcmp(rec->kind, MAPI_LOG_PROP) == 0 &&
		    strcmp(rec->key, key) == 0) {
			/* set twice: the last one holds */
			rec->value = value;
			return;
		}
	}
	old = mapi_idlog_find(changes->store->log, MAPI_LOG_PROP, key);
	if (old == NULL ? *value == '\0' && !tombstone :
	    strcmp(old->value, value) == 0)
		return;
	rec = array_append_space(&changes->recs);
	rec->type = MAPI_IDLOG_NOTE;
	rec->kind = MAPI_LOG_PROP;
	rec->key = key;
	rec->value = value;
	rec->subject = owner == MAPI_STORED_STORE ?
		t_strdup_printf("property %s of the mailbox",
				strchr(key, ' ') + 1) :
		t_strdup_printf("property %s of folder %u",
				strchr(key, ' ') + 1, owner);
}

/* The bag that the value has been in isn't needed any more afterwards. */
static enum mapi_error
stored_remove_bag(struct mapi_stored_changes *changes, uint32_t owner,
		  uint32_t tag)
{
	struct mapi_stored_prop *prop;
	enum mapi_error error;
	const char *guid;

	error = mapi_stored_find(changes->store, owner, tag, &prop);
	if (error == EC_NONE && prop != NULL && prop->bag_guid != NULL) {
		guid = t_strdup(prop->bag_guid);
		array_push_back(&changes->removed, &guid);
	}
	return error;
}

static enum mapi_error
stored_check_space(struct mapi_stored_changes *changes, uint32_t number,
		   uint32_t tag)
{
	struct mapi_stored_owner *owner;
	struct mapi_stored_prop *prop;
	enum mapi_error error;

	error = mapi_stored_find(changes->store, number, tag, &prop);
	if (error != EC_NONE || prop != NULL)
		return error;
	owner = mapi_stored_find_owner(changes->store, number);
	return array_count(&changes->recs) +
		(owner == NULL ? 0 : array_count(&owner->props)) <
		MAPI_STORED_MAX_PROPS ? EC_NONE : EC_TOO_COMPLEX;
}

static enum mapi_error
stored_encode_inline(const struct mapi_content_prop *prop, const char **value_r)
{
	struct mapi_content *content = mapi_content_create(NULL);
	buffer_t *data = t_buffer_create(256);
	struct ostream *output = o_stream_create_buffer(data);
	string_t *str;
	int ret;

	o_stream_set_no_error_handling(output, TRUE);
	(void)mapi_propset_set(content->props, prop);
	ret = mapi_bag_encode(content, output);
	o_stream_destroy(&output);
	talloc_free(content);
	if (ret < 0)
		return EC_NOT_SUPPORTED;
	*value_r = NULL;
	if (data->used > INLINE_MAX_SIZE)
		return EC_NONE;
	str = t_str_new(1 + MAX_BASE64_ENCODED_SIZE(data->used));
	str_append_c(str, '=');
	base64_encode(data->data, data->used, str);
	*value_r = str_c(str);
	return EC_NONE;
}

static enum mapi_error
stored_get_size(const struct mapi_content_prop *prop, uint64_t *size_r)
{
	uoff_t size;

	if (prop->stream == NULL)
		*size_r = mapi_value_size(&prop->value);
	else if (i_stream_get_size(prop->stream, TRUE, &size) <= 0)
		return EC_ERROR;
	else
		*size_r = size;
	return *size_r > MAPI_STORED_MAX_SIZE ? EC_TOO_BIG : EC_NONE;
}

static enum mapi_error
stored_save_bag(struct mapi_stored_changes *changes, uint32_t owner,
		const char *key, const struct mapi_content_prop *prop,
		uint64_t size, const char **value_r)
{
	struct mapi_overlay *overlay = mapi_overlay_create(NULL);
	struct mapi_bag_new bag;
	enum mapi_error error;
	guid_128_t guid;

	guid_128_generate(guid);
	(void)mapi_overlay_set(overlay, prop);
	i_zero(&bag);
	bag.guid = t_strdup(guid_128_to_string(guid));
	bag.overlay = overlay;
	bag.subject = t_strdup_printf("property %s of %s %u",
		strchr(key, ' ') + 1,
		owner == MAPI_STORED_STORE ? "mailbox" : "folder", owner);
	bag.unlimited = size <= UNLIMITED_MAX_SIZE;
	error = mapi_bags_save(mapi_bags_get_values(changes->store), &bag);
	talloc_free(overlay);
	if (error != EC_NONE)
		return error;
	array_push_back(&changes->added, &bag.guid);
	*value_r = t_strdup_printf("%x %"PRIx64" %s", prop->value.type, size,
				   bag.guid);
	return EC_NONE;
}

enum mapi_error
mapi_stored_set(struct mapi_stored_changes *changes, uint32_t owner,
		const struct mapi_content_prop *prop)
{
	const char *key, *value = NULL;
	enum mapi_error error;
	uint64_t size;

	i_assert(MAPI_TAG_IS_NAMED(prop->tag) == (prop->name != NULL));
	error = stored_check_space(changes, owner, prop->tag);
	if (error == EC_NONE)
		error = stored_get_size(prop, &size);
	if (error == EC_NONE && prop->stream == NULL && size <= INLINE_MAX_SIZE)
		error = stored_encode_inline(prop, &value);
	if (error == EC_NONE)
		error = stored_remove_bag(changes, owner, prop->tag);
	if (error != EC_NONE)
		return error;
	key = stored_key(owner, prop->tag, prop->name);
	if (value == NULL) {
		error = stored_save_bag(changes, owner, key, prop, size,
					&value);
		if (error != EC_NONE)
			return error;
	}
	stored_note(changes, owner, key, value, FALSE);
	return EC_NONE;
}

enum mapi_error
mapi_stored_delete(struct mapi_stored_changes *changes, uint32_t owner,
		   uint32_t tag, const struct mapi_property_name *name,
		   bool tombstone)
{
	enum mapi_error error;

	error = stored_remove_bag(changes, owner, tag);
	if (error == EC_NONE) {
		stored_note(changes, owner, stored_key(owner, tag, name), "",
			    tombstone);
	}
	return error;
}

static enum mapi_error
stored_copy_prop(struct mapi_stored_changes *changes, struct mapi_store *store,
		 TALLOC_CTX *mem, uint32_t owner,
		 const struct mapi_stored_prop *prop, uint32_t dest_owner)
{
	const char *key = stored_key(dest_owner, prop->tag, prop->name);
	const struct mapi_property_name *name;
	struct mapi_content_prop content_prop;
	enum mapi_stored_state state;
	enum mapi_error error;

	if (prop->state == MAPI_STORED_DELETED || prop->bag_guid == NULL) {
		/* records may be read anew while some are written */
		stored_note(changes, dest_owner, key,
			    t_strdup(prop->rec->value), TRUE);
		return EC_NONE;
	}
	name = prop->name;
	error = mapi_stored_get_prop(store, owner, mem, prop->tag, &state,
				     &content_prop);
	if (error != EC_NONE || state != MAPI_STORED_VALUE)
		return error;
	content_prop.name = name;
	return mapi_stored_set(changes, dest_owner, &content_prop);
}

enum mapi_error
mapi_stored_copy(struct mapi_stored_changes *changes, struct mapi_store *store,
		 uint32_t owner_number, uint32_t dest_owner)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_stored_owner *owner;
	struct mapi_stored_prop *prop;
	enum mapi_error error;
	unsigned int i;

	for (i = 0;; i++) {
		error = mapi_stored_read(store);
		owner = error != EC_NONE ? NULL :
			mapi_stored_find_owner(store, owner_number);
		if (owner == NULL || i >= array_count(&owner->props))
			break;
		prop = array_idx_elem(&owner->props, i);
		mapi_stored_parse(store, prop);
		error = stored_copy_prop(changes, store, mem, owner_number,
					 prop, dest_owner);
		if (error != EC_NONE)
			break;
	}
	talloc_free(mem);
	return error;
}

/* Errors are logged: what isn't deleted is garbage. */
static void
stored_delete_bags(struct mapi_store *store, ARRAY_TYPE(const_string) *guids)
{
	if (array_count(guids) == 0)
		return;
	array_append_zero(guids);
	(void)mapi_bags_delete(mapi_bags_get_values(store),
			       array_front(guids));
	array_clear(guids);
}

static bool stored_bag_is_used(const char *guid, void *context)
{
	struct mapi_store *store = context;
	struct mapi_stored_owner *owner;
	struct mapi_stored_prop *prop;

	array_foreach_elem(&store->stored->owners, owner) {
		array_foreach_elem(&owner->props, prop) {
			mapi_stored_parse(store, prop);
			if (null_strcmp(prop->bag_guid, guid) == 0)
				return TRUE;
		}
	}
	return FALSE;
}

enum mapi_error mapi_stored_commit(struct mapi_stored_changes *changes)
{
	struct mapi_store *store = changes->store;
	enum mapi_error error;

	if (array_count(&changes->recs) == 0)
		return EC_NONE;
	error = mapi_idlog_write(store->log,
				 array_front_modifiable(&changes->recs),
				 array_count(&changes->recs));
	if (error != EC_NONE) {
		/* Whether something has been written isn't known for sure. */
		return error;
	}
	stored_delete_bags(store, &changes->removed);
	if (array_count(&changes->added) > 0 && mapi_stored_read(store) == EC_NONE) {
		(void)mapi_bags_delete_unused(mapi_bags_get_values(store),
			ioloop_time - UNUSED_KEEP_SECS, stored_bag_is_used,
			store);
	}
	return EC_NONE;
}

void mapi_stored_rollback(struct mapi_stored_changes *changes)
{
	stored_delete_bags(changes->store, &changes->added);
	array_clear(&changes->recs);
}

/* --- owners that are gone ----------------------------------------------------- */

static void
stored_forget_owner(struct mapi_store *store, struct mapi_stored_owner *owner)
{
	ARRAY_TYPE(const_string) guids;
	struct mapi_stored_prop *prop;

	t_array_init(&guids, 4);
	array_foreach_elem(&owner->props, prop) {
		mapi_stored_parse(store, prop);
		if (prop->bag_guid != NULL)
			array_push_back(&guids, &prop->bag_guid);
		mapi_idlog_discard(store->log, prop->rec);
	}
	stored_delete_bags(store, &guids);
}

void mapi_stored_forget(struct mapi_store *store, uint32_t number)
{
	struct mapi_stored_owner *owner;

	i_assert(number != MAPI_STORED_STORE);
	if (mapi_stored_read(store) != EC_NONE)
		return;
	owner = mapi_stored_find_owner(store, number);
	if (owner != NULL) T_BEGIN {
		stored_forget_owner(store, owner);
	} T_END;
}

/* Deleted by a client, that is: a mailbox that was deleted over IMAP is the same
   folder when it's created again. */
static bool stored_owner_is_deleted(struct mapi_store *store, uint32_t number)
{
	static const char *const kinds[] = {
		MAPI_LOG_NAME, MAPI_LOG_SEARCH_PLACE, MAPI_LOG_COMPANION_PLACE
	};
	const char *key = t_strdup_printf("%u", number);
	const struct mapi_idlog_rec *rec;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(kinds); i++) {
		rec = mapi_idlog_find(store->log, kinds[i], key);
		if (rec != NULL && *rec->value == '\0')
			return TRUE;
	}
	return FALSE;
}

void mapi_stored_deinit(struct mapi_store *store)
{
	struct mapi_stored_owner *owner;

	/* nobody has asked for any */
	if (store->stored == NULL || mapi_stored_read(store) != EC_NONE)
		return;
	array_foreach_elem(&store->stored->owners, owner) T_BEGIN {
		if (owner->number != MAPI_STORED_STORE &&
		    stored_owner_is_deleted(store, owner->number))
			stored_forget_owner(store, owner);
	} T_END;
}
