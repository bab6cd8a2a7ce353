/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-rule.h"

#include <string.h>

/* ActionType, ActionFlavor, ActionFlags */
#define ACTION_HEADER_SIZE 9

static bool is_extended(enum mapi_wire_form form)
{
	return form != MAPI_WIRE_ROP;
}

static uint32_t pull_count(struct mapi_pull *pull)
{
	return is_extended(pull->form) ? mapi_pull_u32(pull) :
		mapi_pull_u16(pull);
}

static void pull_bin(struct mapi_pull *pull, struct mapi_binary *bin_r)
{
	bin_r->len = pull_count(pull);
	bin_r->data = mapi_pull_bytes(pull, bin_r->len);
	if (bin_r->data == NULL)
		bin_r->len = 0;
}

static void pull_forward(struct mapi_pull *pull, struct mapi_action *action)
{
	uint32_t count = pull_count(pull), i, j;
	struct mapi_action_recipient *recips;

	recips = mapi_pull_array(pull, count, sizeof(*recips),
				 is_extended(pull->form) ? 5 : 3);
	if (recips == NULL)
		return;
	action->u.forward.recipients = recips;
	action->u.forward.count = count;
	for (i = 0; i < count && mapi_pull_ok(pull); i++) {
		recips[i].reserved = mapi_pull_u8(pull);
		recips[i].count = pull_count(pull);
		recips[i].properties =
			mapi_pull_array(pull, recips[i].count,
					sizeof(*recips[i].properties), 4);
		if (recips[i].properties == NULL) {
			recips[i].count = 0;
			continue;
		}
		for (j = 0; j < recips[i].count && mapi_pull_ok(pull); j++) {
			(void)mapi_pull_tagged_value(
				pull, &recips[i].properties[j]);
		}
	}
}

static void pull_action(struct mapi_pull *pull, struct mapi_action *action)
{
	const size_t outer_size = pull->size;
	uint32_t size = pull_count(pull);

	if (size < ACTION_HEADER_SIZE || size > mapi_pull_left(pull)) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
		return;
	}
	pull->size = pull->pos + size;
	action->type = mapi_pull_u8(pull);
	action->flavor = mapi_pull_u32(pull);
	action->flags = mapi_pull_u32(pull);
	switch (action->type) {
	case MAPI_OP_MOVE:
	case MAPI_OP_COPY:
		action->u.move.in_this_store = is_extended(pull->form) ||
			mapi_pull_u8(pull) != 0;
		pull_bin(pull, &action->u.move.store_eid);
		pull_bin(pull, &action->u.move.folder_eid);
		break;
	case MAPI_OP_REPLY:
	case MAPI_OP_OOF_REPLY:
		if (is_extended(pull->form)) {
			pull_bin(pull, &action->u.reply.message_eid);
		} else {
			action->u.reply.fid = mapi_pull_id(pull);
			action->u.reply.mid = mapi_pull_id(pull);
		}
		mapi_pull_guid(pull, &action->u.reply.template_guid);
		break;
	case MAPI_OP_BOUNCE:
		action->u.bounce_code = mapi_pull_u32(pull);
		break;
	case MAPI_OP_FORWARD:
	case MAPI_OP_DELEGATE:
		pull_forward(pull, action);
		break;
	case MAPI_OP_TAG:
		(void)mapi_pull_tagged_value(pull, &action->u.tag);
		break;
	case MAPI_OP_DELETE:
	case MAPI_OP_MARK_AS_READ:
		break;
	default:
		action->u.data.len = (uint32_t)mapi_pull_left(pull);
		action->u.data.data = mapi_pull_bytes(pull,
						      action->u.data.len);
		break;
	}
	if (mapi_pull_ok(pull))
		pull->pos = pull->size;
	pull->size = outer_size;
}

struct mapi_rule_actions *mapi_pull_rule_actions(struct mapi_pull *pull)
{
	struct mapi_rule_actions *actions;
	uint32_t count, i;

	/* an action of type TAG may hold rule actions in its turn */
	if (pull->depth >= MAPI_WIRE_MAX_DEPTH) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_TOO_DEEP);
		return NULL;
	}
	count = pull_count(pull);
	if (!mapi_pull_ok(pull))
		return NULL;
	actions = talloc_zero(pull->mem, struct mapi_rule_actions);
	if (actions == NULL) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
		return NULL;
	}
	actions->actions =
		mapi_pull_array(pull, count, sizeof(*actions->actions),
				ACTION_HEADER_SIZE + 2);
	if (actions->actions == NULL)
		return mapi_pull_ok(pull) ? actions : NULL;
	actions->count = count;
	pull->depth++;
	for (i = 0; i < count && mapi_pull_ok(pull); i++)
		pull_action(pull, &actions->actions[i]);
	pull->depth--;
	return mapi_pull_ok(pull) ? actions : NULL;
}

/* --- push ----------------------------------------------------------------- */

static bool push_count(struct mapi_push *push, size_t count)
{
	if (is_extended(push->form)) {
		return count <= UINT32_MAX ?
			mapi_push_u32(push, (uint32_t)count) :
			mapi_push_fail(push, MAPI_WIRE_INVALID);
	}
	return count <= UINT16_MAX ? mapi_push_u16(push, (uint16_t)count) :
		mapi_push_fail(push, MAPI_WIRE_INVALID);
}

static void push_bin(struct mapi_push *push, const struct mapi_binary *bin)
{
	(void)push_count(push, bin->len);
	(void)mapi_push_bytes(push, bin->data, bin->len);
}

static void push_forward(struct mapi_push *push,
			 const struct mapi_action *action)
{
	uint32_t i, j;

	(void)push_count(push, action->u.forward.count);
	for (i = 0; i < action->u.forward.count; i++) {
		const struct mapi_action_recipient *recip =
			&action->u.forward.recipients[i];

		(void)mapi_push_u8(push, recip->reserved);
		(void)push_count(push, recip->count);
		for (j = 0; j < recip->count; j++) {
			(void)mapi_push_tagged_value(push,
						     &recip->properties[j]);
		}
	}
}

static void push_action(struct mapi_push *push,
			const struct mapi_action *action)
{
	size_t size_pos = push->size, size;

	(void)push_count(push, 0);
	size = push->size;
	(void)mapi_push_u8(push, action->type);
	(void)mapi_push_u32(push, action->flavor);
	(void)mapi_push_u32(push, action->flags);
	switch (action->type) {
	case MAPI_OP_MOVE:
	case MAPI_OP_COPY:
		if (!is_extended(push->form)) {
			(void)mapi_push_u8(push, action->u.move.in_this_store ?
					   1 : 0);
		}
		push_bin(push, &action->u.move.store_eid);
		push_bin(push, &action->u.move.folder_eid);
		break;
	case MAPI_OP_REPLY:
	case MAPI_OP_OOF_REPLY:
		if (is_extended(push->form)) {
			push_bin(push, &action->u.reply.message_eid);
		} else {
			(void)mapi_push_id(push, action->u.reply.fid);
			(void)mapi_push_id(push, action->u.reply.mid);
		}
		(void)mapi_push_guid(push, &action->u.reply.template_guid);
		break;
	case MAPI_OP_BOUNCE:
		(void)mapi_push_u32(push, action->u.bounce_code);
		break;
	case MAPI_OP_FORWARD:
	case MAPI_OP_DELEGATE:
		push_forward(push, action);
		break;
	case MAPI_OP_TAG:
		(void)mapi_push_tagged_value(push, &action->u.tag);
		break;
	case MAPI_OP_DELETE:
	case MAPI_OP_MARK_AS_READ:
		break;
	default:
		(void)mapi_push_bytes(push, action->u.data.data,
				      action->u.data.len);
		break;
	}
	size = push->size - size;
	if (!mapi_push_ok(push))
		return;
	if (is_extended(push->form) && size <= UINT32_MAX)
		mapi_push_patch_u32(push, size_pos, (uint32_t)size);
	else if (size <= UINT16_MAX)
		mapi_push_patch_u16(push, size_pos, (uint16_t)size);
	else
		(void)mapi_push_fail(push, MAPI_WIRE_INVALID);
}

bool mapi_push_rule_actions(struct mapi_push *push,
			    const struct mapi_rule_actions *actions)
{
	uint32_t i;

	if (actions == NULL)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	if (push->depth >= MAPI_WIRE_MAX_DEPTH)
		return mapi_push_fail(push, MAPI_WIRE_TOO_DEEP);
	push->depth++;
	(void)push_count(push, actions->count);
	for (i = 0; i < actions->count; i++)
		push_action(push, &actions->actions[i]);
	push->depth--;
	return mapi_push_ok(push);
}

/* --- compare, copy -------------------------------------------------------- */

static bool bin_equal(const struct mapi_binary *a, const struct mapi_binary *b)
{
	return a->len == b->len &&
		(a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool property_equal(const struct mapi_property *a,
			   const struct mapi_property *b)
{
	return a->tag == b->tag && mapi_value_equal(&a->value, &b->value);
}

static bool forward_equal(const struct mapi_action *a,
			  const struct mapi_action *b)
{
	uint32_t i, j;

	if (a->u.forward.count != b->u.forward.count)
		return false;
	for (i = 0; i < a->u.forward.count; i++) {
		const struct mapi_action_recipient *r1 =
			&a->u.forward.recipients[i];
		const struct mapi_action_recipient *r2 =
			&b->u.forward.recipients[i];

		if (r1->reserved != r2->reserved || r1->count != r2->count)
			return false;
		for (j = 0; j < r1->count; j++) {
			if (!property_equal(&r1->properties[j],
					    &r2->properties[j]))
				return false;
		}
	}
	return true;
}

static bool action_equal(const struct mapi_action *a,
			 const struct mapi_action *b)
{
	if (a->type != b->type || a->flavor != b->flavor ||
	    a->flags != b->flags)
		return false;
	switch (a->type) {
	case MAPI_OP_MOVE:
	case MAPI_OP_COPY:
		return a->u.move.in_this_store == b->u.move.in_this_store &&
			bin_equal(&a->u.move.store_eid,
				  &b->u.move.store_eid) &&
			bin_equal(&a->u.move.folder_eid,
				  &b->u.move.folder_eid);
	case MAPI_OP_REPLY:
	case MAPI_OP_OOF_REPLY:
		return a->u.reply.fid == b->u.reply.fid &&
			a->u.reply.mid == b->u.reply.mid &&
			bin_equal(&a->u.reply.message_eid,
				  &b->u.reply.message_eid) &&
			mapi_guid_cmp(&a->u.reply.template_guid,
				      &b->u.reply.template_guid) == 0;
	case MAPI_OP_BOUNCE:
		return a->u.bounce_code == b->u.bounce_code;
	case MAPI_OP_FORWARD:
	case MAPI_OP_DELEGATE:
		return forward_equal(a, b);
	case MAPI_OP_TAG:
		return property_equal(&a->u.tag, &b->u.tag);
	case MAPI_OP_DELETE:
	case MAPI_OP_MARK_AS_READ:
		return true;
	}
	return bin_equal(&a->u.data, &b->u.data);
}

bool mapi_rule_actions_equal(const struct mapi_rule_actions *a,
			     const struct mapi_rule_actions *b)
{
	uint32_t i;

	if (a == NULL || b == NULL)
		return a == b;
	if (a->count != b->count)
		return false;
	for (i = 0; i < a->count; i++) {
		if (!action_equal(&a->actions[i], &b->actions[i]))
			return false;
	}
	return true;
}

static bool bin_copy(TALLOC_CTX *mem, struct mapi_binary *bin)
{
	if (bin->len == 0)
		return true;
	bin->data = talloc_memdup(mem, bin->data, bin->len);
	return bin->data != NULL;
}

static bool forward_copy(TALLOC_CTX *mem, struct mapi_action *action)
{
	const struct mapi_action_recipient *src = action->u.forward.recipients;
	struct mapi_action_recipient *dest;
	uint32_t i, j;

	dest = talloc_zero_array(mem, struct mapi_action_recipient,
				 (size_t)action->u.forward.count + 1);
	if (dest == NULL)
		return false;
	action->u.forward.recipients = dest;
	for (i = 0; i < action->u.forward.count; i++) {
		dest[i] = src[i];
		dest[i].properties =
			talloc_zero_array(mem, struct mapi_property,
					  (size_t)src[i].count + 1);
		if (dest[i].properties == NULL)
			return false;
		for (j = 0; j < src[i].count; j++) {
			dest[i].properties[j].tag = src[i].properties[j].tag;
			if (!mapi_value_copy(mem,
					     &dest[i].properties[j].value,
					     &src[i].properties[j].value))
				return false;
		}
	}
	return true;
}

/* action is a shallow copy */
static bool action_copy(TALLOC_CTX *mem, struct mapi_action *action)
{
	struct mapi_value value;

	switch (action->type) {
	case MAPI_OP_MOVE:
	case MAPI_OP_COPY:
		return bin_copy(mem, &action->u.move.store_eid) &&
			bin_copy(mem, &action->u.move.folder_eid);
	case MAPI_OP_REPLY:
	case MAPI_OP_OOF_REPLY:
		return bin_copy(mem, &action->u.reply.message_eid);
	case MAPI_OP_FORWARD:
	case MAPI_OP_DELEGATE:
		return forward_copy(mem, action);
	case MAPI_OP_TAG:
		value = action->u.tag.value;
		return mapi_value_copy(mem, &action->u.tag.value, &value);
	case MAPI_OP_BOUNCE:
	case MAPI_OP_DELETE:
	case MAPI_OP_MARK_AS_READ:
		return true;
	}
	return bin_copy(mem, &action->u.data);
}

struct mapi_rule_actions *
mapi_rule_actions_copy(TALLOC_CTX *mem,
		       const struct mapi_rule_actions *actions)
{
	struct mapi_rule_actions *copy;
	uint32_t i;

	if (actions == NULL)
		return NULL;
	copy = talloc_zero(mem, struct mapi_rule_actions);
	if (copy == NULL)
		return NULL;
	copy->actions = talloc_zero_array(copy, struct mapi_action,
					  (size_t)actions->count + 1);
	if (copy->actions == NULL) {
		talloc_free(copy);
		return NULL;
	}
	copy->count = actions->count;
	for (i = 0; i < actions->count; i++) {
		copy->actions[i] = actions->actions[i];
		if (!action_copy(copy, &copy->actions[i])) {
			talloc_free(copy);
			return NULL;
		}
	}
	return copy;
}

/* --- walking --------------------------------------------------------------- */

static void action_property_walk(struct mapi_property *prop,
				 mapi_property_walk_t *func, void *context)
{
	func(&prop->tag, &prop->value, context);
	mapi_value_walk(&prop->value, func, context);
}

void mapi_rule_actions_walk(struct mapi_rule_actions *actions,
			    mapi_property_walk_t *func, void *context)
{
	uint32_t i, j, k;

	for (i = 0; actions != NULL && i < actions->count; i++) {
		struct mapi_action *action = &actions->actions[i];

		if (action->type == MAPI_OP_TAG)
			action_property_walk(&action->u.tag, func, context);
		if (action->type != MAPI_OP_FORWARD &&
		    action->type != MAPI_OP_DELEGATE)
			continue;
		for (j = 0; j < action->u.forward.count; j++) {
			struct mapi_action_recipient *recip =
				&action->u.forward.recipients[j];

			for (k = 0; k < recip->count; k++) {
				action_property_walk(&recip->properties[k],
						     func, context);
			}
		}
	}
}

void mapi_value_walk(struct mapi_value *value, mapi_property_walk_t *func,
		     void *context)
{
	switch (value->type) {
	case PTYP_RESTRICTION:
		mapi_restriction_walk(value->u.restriction, func, context);
		break;
	case PTYP_RULE_ACTION:
		mapi_rule_actions_walk(value->u.actions, func, context);
		break;
	}
}

/* --- named properties of extended rules ----------------------------------- */

bool mapi_pull_named_property_map(struct mapi_pull *pull,
				  struct mapi_named_property_map *map_r)
{
	uint16_t count = mapi_pull_u16(pull), i;

	memset(map_r, 0, sizeof(*map_r));
	if (count == 0)
		return mapi_pull_ok(pull);
	map_r->ids = mapi_pull_array(pull, count, sizeof(*map_r->ids), 2);
	for (i = 0; i < count && map_r->ids != NULL; i++)
		map_r->ids[i] = mapi_pull_u16(pull);
	(void)mapi_pull_u32(pull);	/* NamedPropertiesSize */
	map_r->names = mapi_pull_array(pull, count, sizeof(*map_r->names), 17);
	if (map_r->ids == NULL || map_r->names == NULL)
		return false;
	for (i = 0; i < count && mapi_pull_ok(pull); i++)
		mapi_pull_property_name(pull, &map_r->names[i]);
	map_r->count = count;
	return mapi_pull_ok(pull);
}

bool mapi_push_named_property_map(struct mapi_push *push,
				  const struct mapi_named_property_map *map)
{
	size_t size_pos;
	uint16_t i;

	(void)mapi_push_u16(push, map->count);
	if (map->count == 0)
		return mapi_push_ok(push);
	for (i = 0; i < map->count; i++)
		(void)mapi_push_u16(push, map->ids[i]);
	size_pos = push->size;
	(void)mapi_push_u32(push, 0);
	for (i = 0; i < map->count; i++)
		(void)mapi_push_property_name(push, &map->names[i]);
	mapi_push_patch_u32(push, size_pos,
			    (uint32_t)(push->size - size_pos - 4));
	return mapi_push_ok(push);
}
