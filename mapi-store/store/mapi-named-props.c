/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "str.h"
#include "mapi-props.h"
#include "mapi-store-private.h"

/* Named properties, [MS-OXCPRPT] 2.2.12 - 2.2.14: the store's map from names to
   property ids is an allocation log of its own, with

     name <property set GUID>:<LID in hex, or " and the string>

   whose number plus 0x8000 is the property id. A name that has got an id keeps
   it for ever, in all sessions, since clients store ids in caches of theirs.

   Names below PS_MAPI don't need the map: they are the property ids below
   0x8000. Strings are compared exactly, except in PS_INTERNET_HEADERS, where they
   are header field names, and are kept in lower case ([MS-OXCPRPT] 3.2.5.10).
   A string of zero length is legal. */

#define NAME_KIND "name"
#define NAME_STRING_MARK '"'

static bool guid_equals(const struct mapi_guid *a, const struct mapi_guid *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

const char *mapi_property_name_to_key(const struct mapi_property_name *name)
{
	string_t *key = t_str_new(64);

	str_append(key, mapi_guid_to_hex(&name->guid));
	str_append_c(key, ':');
	if (name->kind == MAPI_NAME_LID) {
		str_printfa(key, "%x", name->lid);
	} else {
		str_append_c(key, NAME_STRING_MARK);
		str_append(key, guid_equals(&name->guid, &PS_INTERNET_HEADERS) ?
			   t_str_lcase(name->name) : name->name);
	}
	return str_c(key);
}

bool mapi_property_name_from_key(TALLOC_CTX *mem, const char *key,
				 struct mapi_property_name *name_r)
{
	const char *p = strchr(key, ':');

	i_zero(name_r);
	if (p == NULL ||
	    !mapi_guid_from_hex(t_strdup_until(key, p), &name_r->guid))
		return FALSE;
	if (p[1] == NAME_STRING_MARK) {
		name_r->kind = MAPI_NAME_STRING;
		name_r->name = talloc_strdup(mem, p + 2);
		return TRUE;
	}
	name_r->kind = MAPI_NAME_LID;
	return str_to_uint32_hex(p + 1, &name_r->lid) == 0;
}

static enum mapi_error mapi_names_read(struct mapi_store *store)
{
	enum mapi_error ret = EC_NONE;

	if (!store->names_read) {
		ret = mapi_idlog_refresh(store->names);
		store->names_read = ret == EC_NONE;
	}
	return ret;
}

/* TRUE if the name needs no map: it's a property id itself, or no name. */
static bool
name_is_fixed(const struct mapi_property_name *name, uint16_t *id_r)
{
	*id_r = 0;
	if (name->kind != MAPI_NAME_LID && name->kind != MAPI_NAME_STRING)
		return TRUE;
	if (!guid_equals(&name->guid, &PS_MAPI))
		return FALSE;
	if (name->kind == MAPI_NAME_LID &&
	    name->lid < MAPI_NAMED_PROPERTY_ID_MIN)
		*id_r = name->lid;
	return TRUE;
}

static uint16_t
name_find(struct mapi_store *store, const struct mapi_property_name *name)
{
	const struct mapi_idlog_rec *rec;

	rec = mapi_idlog_find(store->names, NAME_KIND,
			      mapi_property_name_to_key(name));
	return rec == NULL ? 0 : MAPI_NAMED_PROPERTY_ID_MIN + rec->number;
}

/* Looks up all names; missing_r is how many have none. */
static void
names_find(struct mapi_store *store, const struct mapi_property_name *names,
	   unsigned int count, uint16_t *ids_r, unsigned int *missing_r)
{
	unsigned int i;

	*missing_r = 0;
	for (i = 0; i < count; i++) T_BEGIN {
		if (!name_is_fixed(&names[i], &ids_r[i])) {
			ids_r[i] = name_find(store, &names[i]);
			if (ids_r[i] == 0)
				*missing_r += 1;
		}
	} T_END;
}

static bool
recs_have_key(const ARRAY_TYPE(mapi_idlog_new) *recs, const char *key)
{
	const struct mapi_idlog_new *rec;

	array_foreach(recs, rec) {
		if (strcmp(rec->key, key) == 0)
			return TRUE;
	}
	return FALSE;
}

static enum mapi_error
names_create(struct mapi_store *store, const struct mapi_property_name *names,
	     unsigned int count, const uint16_t *ids)
{
	ARRAY_TYPE(mapi_idlog_new) recs;
	struct mapi_idlog_new *rec;
	enum mapi_error ret;
	const char *key;
	unsigned int i;
	uint16_t id;

	t_array_init(&recs, count);
	for (i = 0; i < count; i++) {
		if (ids[i] != 0 || name_is_fixed(&names[i], &id))
			continue;
		key = mapi_property_name_to_key(&names[i]);
		/* clients may ask for a name twice */
		if (recs_have_key(&recs, key))
			continue;
		rec = array_append_space(&recs);
		rec->type = MAPI_IDLOG_CLAIM;
		rec->kind = NAME_KIND;
		rec->key = key;
		rec->value = "";
		rec->subject = t_strconcat("number of MAPI property ",
					   rec->key, NULL);
	}
	ret = mapi_idlog_write(store->names, array_front_modifiable(&recs),
			       array_count(&recs));
	return ret == EC_NOT_ENOUGH_RESOURCES ? EC_NP_QUOTA_EXCEEDED : ret;
}

static enum mapi_error
names_to_ids(struct mapi_store *store, const struct mapi_property_name *names,
	     unsigned int count, bool create, uint16_t *ids_r)
{
	enum mapi_error ret;
	unsigned int missing;

	ret = mapi_names_read(store);
	if (ret != EC_NONE)
		return ret;
	names_find(store, names, count, ids_r, &missing);
	if (missing == 0)
		return EC_NONE;
	/* perhaps another session knows it meanwhile */
	ret = mapi_idlog_refresh(store->names);
	if (ret != EC_NONE)
		return ret;
	names_find(store, names, count, ids_r, &missing);
	if (missing == 0 || !create)
		return EC_NONE;
	ret = names_create(store, names, count, ids_r);
	if (ret != EC_NONE)
		return ret;
	names_find(store, names, count, ids_r, &missing);
	i_assert(missing == 0);
	return EC_NONE;
}

enum mapi_error
mapi_store_names_to_ids(struct mapi_store *store,
			const struct mapi_property_name *names,
			unsigned int count, bool create, uint16_t *ids_r)
{
	enum mapi_error ret;

	if (count == 0)
		return EC_NONE;
	T_BEGIN {
		ret = names_to_ids(store, names, count, create, ids_r);
	} T_END;
	return ret;
}

static bool
id_to_name(struct mapi_store *store, TALLOC_CTX *mem, uint16_t id,
	   struct mapi_property_name *name_r)
{
	const struct mapi_idlog_rec *rec;

	rec = mapi_idlog_find_number(store->names,
				     id - MAPI_NAMED_PROPERTY_ID_MIN);
	return rec != NULL && strcmp(rec->kind, NAME_KIND) == 0 &&
		mapi_property_name_from_key(mem, rec->key, name_r);
}

enum mapi_error
mapi_store_ids_to_names(struct mapi_store *store, TALLOC_CTX *mem,
			const uint16_t *ids, unsigned int count,
			struct mapi_property_name *names_r)
{
	enum mapi_error ret;
	unsigned int i;
	bool refreshed = FALSE;

	ret = mapi_names_read(store);
	if (ret != EC_NONE)
		return ret;
	for (i = 0; i < count; i++) T_BEGIN {
		i_zero(&names_r[i]);
		if (ids[i] < MAPI_NAMED_PROPERTY_ID_MIN) {
			names_r[i].kind = MAPI_NAME_LID;
			names_r[i].guid = PS_MAPI;
			names_r[i].lid = ids[i];
		} else if (!id_to_name(store, mem, ids[i], &names_r[i])) {
			if (!refreshed && ret == EC_NONE) {
				ret = mapi_idlog_refresh(store->names);
				refreshed = TRUE;
			}
			if (!id_to_name(store, mem, ids[i], &names_r[i])) {
				i_zero(&names_r[i]);
				names_r[i].kind = MAPI_NAME_NONE;
			}
		}
	} T_END;
	return ret;
}

enum mapi_error
mapi_store_names_list(struct mapi_store *store, TALLOC_CTX *mem,
		      const struct mapi_guid *set,
		      const uint16_t **ids_r,
		      const struct mapi_property_name **names_r,
		      unsigned int *count_r)
{
	const struct mapi_idlog_rec *rec;
	struct mapi_property_name *names;
	unsigned int iter = 0, count = 0;
	enum mapi_error ret;
	uint16_t *ids;

	ret = mapi_idlog_refresh(store->names);
	if (ret != EC_NONE)
		return ret;
	while (mapi_idlog_next(store->names, NAME_KIND, &iter) != NULL)
		count++;
	names = talloc_array(mem, struct mapi_property_name, count);
	ids = talloc_array(mem, uint16_t, count);
	iter = count = 0;
	while ((rec = mapi_idlog_next(store->names, NAME_KIND,
				      &iter)) != NULL) T_BEGIN {
		if (mapi_property_name_from_key(names, rec->key,
						&names[count]) &&
		    (set == NULL || guid_equals(&names[count].guid, set)))
			ids[count++] = MAPI_NAMED_PROPERTY_ID_MIN + rec->number;
	} T_END;
	*ids_r = ids;
	*names_r = names;
	*count_r = count;
	return EC_NONE;
}

enum mapi_error
mapi_store_tags_to_names(struct mapi_store *store, TALLOC_CTX *mem,
			 const uint32_t *tags, unsigned int count,
			 struct mapi_property_name **names_r)
{
	struct mapi_property_name *names, *named;
	unsigned int i, n = 0;
	enum mapi_error error;
	uint16_t *ids;

	names = talloc_zero_array(mem, struct mapi_property_name, count);
	named = talloc_zero_array(mem, struct mapi_property_name, count);
	ids = talloc_array(mem, uint16_t, count);
	for (i = 0; i < count; i++) {
		names[i].kind = MAPI_NAME_NONE;
		if (MAPI_TAG_IS_NAMED(tags[i]))
			ids[n++] = MAPI_TAG_ID(tags[i]);
	}
	*names_r = names;
	if (n == 0)
		return EC_NONE;
	error = mapi_store_ids_to_names(store, mem, ids, n, named);
	if (error != EC_NONE)
		return error;
	for (i = n = 0; i < count; i++) {
		if (MAPI_TAG_IS_NAMED(tags[i]))
			names[i] = named[n++];
	}
	return EC_NONE;
}
