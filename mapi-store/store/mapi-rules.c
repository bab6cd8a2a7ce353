/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules are read, changed and written under the lock of states, so that of several
   sessions that change a folder's rules at once none loses what another has done.

   A rule's id is a random number of 63 bits: whoever adds rules needn't know what
   others add, on other servers perhaps, nor which ids there have been. */

#include "lib.h"
#include "mail-user.h"
#include "randgen.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-props.h"
#include "mapi-rules.h"
#include "mapi-store-private.h"
#include "mapi-string8.h"

/* What only the server sets, [MS-OXORULE] 2.2.1.3.1.3 */
#define RULE_STATE_SERVER (ST_ERROR | ST_RULE_PARSE_ERROR)

static const char *rules_leaf(uint32_t number)
{
	return t_strdup_printf(MAPI_COMPANION_RULES, number);
}

bool mapi_rules_exist(struct mapi_store *store, mapi_id_t fid)
{
	bool exist;

	T_BEGIN {
		exist = mapi_state_exists(store->companion,
			rules_leaf(mapi_folder_fid_to_number(fid)));
	} T_END;
	return exist;
}

static enum mapi_error
rules_load(struct mapi_store *store, uint32_t number, TALLOC_CTX *mem,
	   mapi_state_version_t *version, struct mapi_rules **rules_r)
{
	const char *leaf = rules_leaf(number);
	const void *data;
	enum mapi_error error;
	size_t size;

	*rules_r = NULL;
	error = mapi_state_load_data(store->companion, leaf, mem,
				     MAPI_RULES_MAX_SIZE, version,
				     &data, &size);
	if (error == EC_NOT_FOUND) {
		*rules_r = talloc_zero(mem, struct mapi_rules);
		return EC_NONE;
	}
	if (error != EC_NONE || data == NULL)
		return error;
	error = mapi_rules_decode(store, mem, data, size, rules_r);
	if (error == EC_CORRUPT_DATA) {
		e_error(store->user->event, "mapi: The rules in %s are broken, "
			"or of a newer version",
			mapi_companion_vname(store->companion, leaf));
	}
	return error;
}

enum mapi_error
mapi_rules_load(struct mapi_store *store, mapi_id_t fid, TALLOC_CTX *mem,
		mapi_state_version_t *version, struct mapi_rules **rules_r)
{
	enum mapi_error error;

	T_BEGIN {
		error = rules_load(store, mapi_folder_fid_to_number(fid), mem,
				   version, rules_r);
	} T_END;
	return error;
}

static enum mapi_error
rules_save_data(struct mapi_store *store, uint32_t number, const void *data,
		size_t size)
{
	return mapi_state_save_data(store->companion, rules_leaf(number),
		t_strdup_printf("Do not delete: rules of folder %u", number),
		data, size);
}

static enum mapi_error
rules_save(struct mapi_store *store, uint32_t number,
	   const struct mapi_rules *rules, TALLOC_CTX *mem)
{
	const void *data;
	enum mapi_error error;
	size_t size;

	if (rules->count == 0)
		return mapi_state_delete(store->companion, rules_leaf(number));
	error = mapi_rules_encode(store, rules, mem, &data, &size);
	if (error != EC_NONE)
		return error;
	return rules_save_data(store, number, data, size);
}

/* --- changing ------------------------------------------------------------- */

/* Which property it is; FALSE if rules have none of that tag. */
static bool rule_prop_find(uint32_t tag, enum mapi_rule_prop *prop_r)
{
	unsigned int i;

	for (i = 0; i < MAPI_RULE_PROP_COUNT; i++) {
		if (mapi_rule_prop_tags[i] == tag) {
			*prop_r = i;
			return TRUE;
		}
	}
	return FALSE;
}

/* Takes one over. Values are copied: strings in conditions and actions are
   converted where they are. */
static enum mapi_error
rule_set_prop(struct mapi_rule *rule, const struct mapi_property *prop,
	      TALLOC_CTX *mem, uint32_t code_page)
{
	enum mapi_rule_prop idx;
	struct mapi_value value;
	uint32_t tag = prop->tag;

	if (MAPI_TAG_TYPE(tag) != prop->value.type)
		return EC_INVALID_PARAM;
	if (MAPI_TAG_TYPE(tag) == PTYP_STRING8)
		tag = MAPI_TAG_AS(tag, PTYP_STRING);
	if (!rule_prop_find(tag, &idx))
		return EC_INVALID_PARAM;
	if (!mapi_value_copy(mem, &value, &prop->value))
		return EC_MEMORY;
	mapi_value_to_string(mem, code_page, &value);
	if (idx == MAPI_RULE_LEVEL && value.u.i32 != 0)
		return EC_INVALID_PARAM;
	if (idx == MAPI_RULE_STATE) {
		value.u.i32 &= ~RULE_STATE_SERVER;
		if (rule->values[idx].type != PTYP_UNSPECIFIED) {
			value.u.i32 |= rule->values[idx].u.i32 &
				RULE_STATE_SERVER;
		}
	}
	rule->values[idx] = value;
	return EC_NONE;
}

static enum mapi_error
rule_set_props(struct mapi_rule *rule, const struct mapi_rule_change *change,
	       TALLOC_CTX *mem, uint32_t code_page)
{
	enum mapi_error error = EC_NONE;
	unsigned int i;

	for (i = 0; i < change->prop_count && error == EC_NONE; i++) {
		/* Clients must not set it when they add a rule. It's not
		   refused then: tools add what they have read. */
		if (change->props[i].tag == PIDTAG_RULE_ID)
			continue;
		error = rule_set_prop(rule, &change->props[i], mem, code_page);
	}
	return error;
}

static bool rule_is_complete(const struct mapi_rule *rule)
{
	return rule->values[MAPI_RULE_PROVIDER].type != PTYP_UNSPECIFIED &&
		rule->values[MAPI_RULE_CONDITION].type != PTYP_UNSPECIFIED &&
		rule->values[MAPI_RULE_ACTIONS].type != PTYP_UNSPECIFIED;
}

static struct mapi_rule *rules_find(struct mapi_rules *rules, int64_t id)
{
	unsigned int i;

	for (i = 0; i < rules->count; i++) {
		if (rules->rules[i].id == id)
			return &rules->rules[i];
	}
	return NULL;
}

static int64_t rules_new_id(struct mapi_rules *rules)
{
	uint64_t id;

	do {
		random_fill(&id, sizeof(id));
		id &= INT64_MAX;
	} while (id == 0 || rules_find(rules, (int64_t)id) != NULL);
	return (int64_t)id;
}

static enum mapi_error
rules_add(struct mapi_rules *rules, const struct mapi_rule_change *change,
	  TALLOC_CTX *mem, uint32_t code_page)
{
	struct mapi_rule rule;
	enum mapi_error error;

	i_zero(&rule);
	error = rule_set_props(&rule, change, mem, code_page);
	if (error != EC_NONE)
		return error;
	if (!rule_is_complete(&rule))
		return EC_INVALID_PARAM;
	rule.id = rules_new_id(rules);
	rules->rules = talloc_realloc(mem, rules->rules, struct mapi_rule,
				      rules->count + 1);
	rules->rules[rules->count++] = rule;
	return EC_NONE;
}

static enum mapi_error
rules_find_changed(struct mapi_rules *rules,
		   const struct mapi_rule_change *change,
		   struct mapi_rule **rule_r)
{
	unsigned int i;

	for (i = 0; i < change->prop_count; i++) {
		if (change->props[i].tag == PIDTAG_RULE_ID)
			break;
	}
	if (i == change->prop_count ||
	    change->props[i].value.type != PTYP_INTEGER64)
		return EC_INVALID_PARAM;
	*rule_r = rules_find(rules, change->props[i].value.u.i64);
	return *rule_r == NULL ? EC_NOT_FOUND : EC_NONE;
}

static enum mapi_error
rules_change(struct mapi_rules *rules, const struct mapi_rule_change *change,
	     TALLOC_CTX *mem, uint32_t code_page)
{
	struct mapi_rule *rule;
	enum mapi_error error;

	if (change->prop_count == 0)
		return EC_INVALID_PARAM;
	if (change->flags == RULE_DATA_ROW_ADD)
		return rules_add(rules, change, mem, code_page);
	if (change->flags != RULE_DATA_ROW_MODIFY &&
	    change->flags != RULE_DATA_ROW_REMOVE)
		return EC_INVALID_PARAM;
	error = rules_find_changed(rules, change, &rule);
	if (error != EC_NONE)
		return error;
	if (change->flags == RULE_DATA_ROW_MODIFY)
		return rule_set_props(rule, change, mem, code_page);
	rules->count--;
	memmove(rule, rule + 1, (rules->rules + rules->count - rule) *
		sizeof(*rule));
	return EC_NONE;
}

static enum mapi_error
rules_modify(struct mapi_store *store, uint32_t number, bool replace,
	     const struct mapi_rule_change *changes, unsigned int count,
	     uint32_t code_page, TALLOC_CTX *mem)
{
	struct mapi_rules *rules;
	enum mapi_error error = EC_NONE;
	unsigned int i;

	if (replace)
		rules = talloc_zero(mem, struct mapi_rules);
	else
		error = rules_load(store, number, mem, NULL, &rules);
	for (i = 0; i < count && error == EC_NONE; i++) {
		if (replace && changes[i].flags != RULE_DATA_ROW_ADD)
			error = EC_INVALID_PARAM;
		else {
			error = rules_change(rules, &changes[i], mem,
					     code_page);
		}
	}
	return error != EC_NONE ? error :
		rules_save(store, number, rules, mem);
}

enum mapi_error
mapi_rules_modify(struct mapi_store *store, mapi_id_t fid, bool replace,
		  const struct mapi_rule_change *changes, unsigned int count,
		  uint32_t code_page)
{
	const struct mapi_folder_node *node;
	enum mapi_error error;
	TALLOC_CTX *mem;

	error = mapi_folder_tree_refresh(store);
	if (error != EC_NONE)
		return error;
	node = mapi_folder_tree_lookup(store, fid);
	if (node == NULL)
		return EC_OBJECT_DELETED;
	if (node->search)
		return EC_NOT_SUPPORTED;
	if ((mapi_folder_rights(store, node) & RIGHTS_FOLDER_OWNER) == 0)
		return EC_ACCESS_DENIED;
	if (count == 0 && !replace)
		return EC_NONE;
	error = mapi_state_lock(store->companion);
	if (error != EC_NONE)
		return error;
	mem = talloc_new(NULL);
	T_BEGIN {
		error = rules_modify(store, mapi_folder_fid_to_number(fid),
				     replace, changes, count, code_page, mem);
	} T_END;
	talloc_free(mem);
	mapi_state_unlock(store->companion);
	return error;
}

/* --- copying -------------------------------------------------------------- */

/* Whether it refers to something by an id that is its store's */
static bool rule_has_ids(const struct mapi_rule *rule)
{
	const struct mapi_value *value = &rule->values[MAPI_RULE_ACTIONS];
	const struct mapi_action *action;
	unsigned int i;

	if (value->type == PTYP_UNSPECIFIED || value->u.actions == NULL)
		return FALSE;
	for (i = 0; i < value->u.actions->count; i++) {
		action = &value->u.actions->actions[i];
		switch (action->type) {
		case MAPI_OP_MOVE:
		case MAPI_OP_COPY:
			if (action->u.move.in_this_store)
				return TRUE;
			break;
		case MAPI_OP_REPLY:
		case MAPI_OP_OOF_REPLY:
			return TRUE;
		default:
			break;
		}
	}
	return FALSE;
}

static void rules_switch_off(struct mapi_rules *rules)
{
	struct mapi_value *state;
	unsigned int i;

	for (i = 0; i < rules->count; i++) {
		if (!rule_has_ids(&rules->rules[i]))
			continue;
		state = &rules->rules[i].values[MAPI_RULE_STATE];
		if (state->type == PTYP_UNSPECIFIED) {
			i_zero(state);
			state->type = PTYP_INTEGER32;
		}
		state->u.i32 &= ~ST_ENABLED;
		state->u.i32 |= ST_ERROR;
	}
}

static enum mapi_error
rules_copy(struct mapi_store *store, uint32_t number,
	   struct mapi_store *dest_store, uint32_t dest_number, TALLOC_CTX *mem)
{
	struct mapi_rules *rules;
	const void *data;
	enum mapi_error error;
	size_t size;

	if (store != dest_store) {
		error = rules_load(store, number, mem, NULL, &rules);
		if (error != EC_NONE || rules->count == 0)
			return error;
		rules_switch_off(rules);
		return rules_save(dest_store, dest_number, rules, mem);
	}
	/* also what can't be understood */
	error = mapi_state_load_data(store->companion, rules_leaf(number), mem,
				     MAPI_RULES_MAX_SIZE, NULL, &data, &size);
	if (error != EC_NONE)
		return error == EC_NOT_FOUND ? EC_NONE : error;
	return rules_save_data(store, dest_number, data, size);
}

enum mapi_error
mapi_rules_copy(struct mapi_store *store, uint32_t number,
		struct mapi_store *dest_store, uint32_t dest_number)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	enum mapi_error error;

	T_BEGIN {
		error = rules_copy(store, number, dest_store, dest_number, mem);
	} T_END;
	talloc_free(mem);
	return error;
}
