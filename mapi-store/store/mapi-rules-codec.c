/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A folder's rules as they are stored, in the forms of ROP buffers:

     version:u16 NamedPropertyInformation count:u32
     { id:u64 properties:u16 TaggedPropertyValue[properties] }[count]

   Conditions and actions name properties by ids. Which ids named properties have is
   the store's business: what they were called when the rules were saved is in
   NamedPropertyInformation, and by that ids are changed if these names have got
   others meanwhile, as happens when two servers' mailboxes are merged. */

#include "lib.h"
#include "mapi-props.h"
#include "mapi-rules.h"

#include <stdlib.h>

#define RULES_VERSION 1

const uint32_t mapi_rule_prop_tags[MAPI_RULE_PROP_COUNT] = {
	[MAPI_RULE_SEQUENCE] = PIDTAG_RULE_SEQUENCE,
	[MAPI_RULE_STATE] = PIDTAG_RULE_STATE,
	[MAPI_RULE_NAME] = PIDTAG_RULE_NAME,
	[MAPI_RULE_PROVIDER] = PIDTAG_RULE_PROVIDER,
	[MAPI_RULE_LEVEL] = PIDTAG_RULE_LEVEL,
	[MAPI_RULE_USER_FLAGS] = PIDTAG_RULE_USER_FLAGS,
	[MAPI_RULE_PROVIDER_DATA] = PIDTAG_RULE_PROVIDER_DATA,
	[MAPI_RULE_CONDITION] = PIDTAG_RULE_CONDITION,
	[MAPI_RULE_ACTIONS] = PIDTAG_RULE_ACTIONS,
};

/* --- names ---------------------------------------------------------------- */

static void
rules_walk(const struct mapi_rules *rules, mapi_property_walk_t *func,
	   void *context)
{
	unsigned int i, j;

	for (i = 0; i < rules->count; i++) {
		for (j = 0; j < MAPI_RULE_PROP_COUNT; j++) {
			mapi_value_walk(&rules->rules[i].values[j], func,
					context);
		}
	}
}

/* Named properties that are used, by id */
struct rules_ids {
	uint8_t used[(UINT16_MAX + 1 - MAPI_NAMED_PROPERTY_ID_MIN) / 8];
	unsigned int count;
};

static void
rules_ids_add(uint32_t *tag, struct mapi_value *value, void *context)
{
	struct rules_ids *ids = context;
	unsigned int n = MAPI_TAG_ID(*tag) - MAPI_NAMED_PROPERTY_ID_MIN;

	if (!MAPI_TAG_IS_NAMED(*tag) || (ids->used[n / 8] & 1 << n % 8) != 0)
		return;
	ids->used[n / 8] |= 1 << n % 8;
	ids->count++;
}

/* Ids that have no name are left out: they mean nothing anyway. */
static enum mapi_error
rules_get_names(struct mapi_store *store, TALLOC_CTX *mem,
		const struct mapi_rules *rules,
		struct mapi_named_property_map *map_r)
{
	struct rules_ids ids;
	enum mapi_error error;
	unsigned int i, count = 0;

	i_zero(map_r);
	i_zero(&ids);
	rules_walk(rules, rules_ids_add, &ids);
	if (ids.count == 0)
		return EC_NONE;
	map_r->ids = talloc_array(mem, uint16_t, ids.count);
	map_r->names = talloc_zero_array(mem, struct mapi_property_name,
					 ids.count);
	for (i = 0; i < sizeof(ids.used) * 8; i++) {
		if ((ids.used[i / 8] & 1 << i % 8) != 0)
			map_r->ids[count++] = MAPI_NAMED_PROPERTY_ID_MIN + i;
	}
	error = mapi_store_ids_to_names(store, mem, map_r->ids, count,
					map_r->names);
	for (i = 0; i < count; i++) {
		if (map_r->names[i].kind == MAPI_NAME_NONE)
			continue;
		map_r->ids[map_r->count] = map_r->ids[i];
		map_r->names[map_r->count++] = map_r->names[i];
	}
	return error;
}

struct rules_id_change {
	const struct mapi_named_property_map *map;
	const uint16_t *ids;
};

static int id_cmp(const void *key, const void *member)
{
	return (int)*(const uint16_t *)key - (int)*(const uint16_t *)member;
}

static void
rules_change_id(uint32_t *tag, struct mapi_value *value, void *context)
{
	const struct rules_id_change *change = context;
	uint16_t id = MAPI_TAG_ID(*tag);
	const uint16_t *found;

	if (!MAPI_TAG_IS_NAMED(*tag))
		return;
	found = bsearch(&id, change->map->ids, change->map->count,
			sizeof(id), id_cmp);
	if (found != NULL) {
		*tag = MAPI_TAG(change->ids[found - change->map->ids],
				MAPI_TAG_TYPE(*tag));
	}
}

static enum mapi_error
rules_change_ids(struct mapi_store *store, TALLOC_CTX *mem,
		 const struct mapi_named_property_map *map,
		 struct mapi_rules *rules)
{
	struct rules_id_change change = { .map = map };
	enum mapi_error error;
	uint16_t *ids;

	if (map->count == 0)
		return EC_NONE;
	ids = talloc_array(mem, uint16_t, map->count);
	error = mapi_store_names_to_ids(store, map->names, map->count, TRUE,
					ids);
	if (error != EC_NONE ||
	    memcmp(ids, map->ids, map->count * sizeof(*ids)) == 0)
		return error;
	change.ids = ids;
	rules_walk(rules, rules_change_id, &change);
	return EC_NONE;
}

/* --- encoding ------------------------------------------------------------- */

static void
rule_push(struct mapi_push *push, const struct mapi_rule *rule)
{
	struct mapi_property prop;
	unsigned int i, count = 0;

	(void)mapi_push_u64(push, (uint64_t)rule->id);
	for (i = 0; i < MAPI_RULE_PROP_COUNT; i++) {
		if (rule->values[i].type != PTYP_UNSPECIFIED)
			count++;
	}
	(void)mapi_push_u16(push, count);
	for (i = 0; i < MAPI_RULE_PROP_COUNT; i++) {
		if (rule->values[i].type == PTYP_UNSPECIFIED)
			continue;
		prop.tag = mapi_rule_prop_tags[i];
		prop.value = rule->values[i];
		(void)mapi_push_tagged_value(push, &prop);
	}
}

enum mapi_error
mapi_rules_encode(struct mapi_store *store, const struct mapi_rules *rules,
		  TALLOC_CTX *mem, const void **data_r, size_t *size_r)
{
	struct mapi_named_property_map map;
	struct mapi_push push;
	enum mapi_error error;
	unsigned int i;
	size_t size;

	error = rules_get_names(store, mem, rules, &map);
	if (error != EC_NONE)
		return error;
	mapi_push_init(&push, mem, MAPI_RULES_MAX_SIZE);
	(void)mapi_push_u16(&push, RULES_VERSION);
	(void)mapi_push_named_property_map(&push, &map);
	(void)mapi_push_u32(&push, rules->count);
	for (i = 0; i < rules->count && mapi_push_ok(&push); i++) {
		size = push.size;
		rule_push(&push, &rules->rules[i]);
		if (push.size - size > MAPI_RULE_MAX_SIZE)
			return EC_NOT_ENOUGH_MEMORY;
	}
	*data_r = push.data;
	*size_r = push.size;
	/* What doesn't fit into 16-bit counts any more as Unicode is too large,
	   too. */
	return mapi_push_ok(&push) ? EC_NONE : EC_NOT_ENOUGH_MEMORY;
}

/* --- decoding ------------------------------------------------------------- */

static void rule_pull(struct mapi_pull *pull, struct mapi_rule *rule)
{
	struct mapi_property prop;
	unsigned int i, j, count;

	rule->id = (int64_t)mapi_pull_u64(pull);
	count = mapi_pull_u16(pull);
	for (i = 0; i < count && mapi_pull_ok(pull); i++) {
		if (!mapi_pull_tagged_value(pull, &prop))
			return;
		for (j = 0; j < MAPI_RULE_PROP_COUNT; j++) {
			if (mapi_rule_prop_tags[j] == prop.tag)
				break;
		}
		if (j == MAPI_RULE_PROP_COUNT)
			(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
		else
			rule->values[j] = prop.value;
	}
}

enum mapi_error
mapi_rules_decode(struct mapi_store *store, TALLOC_CTX *mem,
		  const void *data, size_t size, struct mapi_rules **rules_r)
{
	struct mapi_named_property_map map;
	struct mapi_rules *rules;
	struct mapi_pull pull;
	unsigned int i;

	rules = talloc_zero(mem, struct mapi_rules);
	mapi_pull_init(&pull, rules, data, size);
	if (mapi_pull_u16(&pull) != RULES_VERSION)
		(void)mapi_pull_fail(&pull, MAPI_WIRE_INVALID);
	(void)mapi_pull_named_property_map(&pull, &map);
	rules->count = mapi_pull_u32(&pull);
	/* id and number of properties */
	rules->rules = mapi_pull_array(&pull, rules->count,
				       sizeof(*rules->rules), 8 + 2);
	for (i = 0; i < rules->count && mapi_pull_ok(&pull); i++)
		rule_pull(&pull, &rules->rules[i]);
	if (!mapi_pull_ok(&pull) || mapi_pull_left(&pull) > 0) {
		talloc_free(rules);
		return EC_CORRUPT_DATA;
	}
	*rules_r = rules;
	return rules_change_ids(store, rules, &map, rules);
}
