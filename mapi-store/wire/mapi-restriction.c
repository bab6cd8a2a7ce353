/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-restriction.h"

#include <string.h>

/* SubObject + the smallest restriction, RES_EXIST's tag.. all take at least
   their type byte */
#define RESTRICTION_MIN_SIZE 1

/* --- pull ----------------------------------------------------------------- */

static bool pull_restriction(struct mapi_pull *pull,
			     struct mapi_restriction *res);

static struct mapi_restriction *pull_child(struct mapi_pull *pull)
{
	struct mapi_restriction *res;

	if (mapi_pull_left(pull) == 0) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_SHORT);
		return NULL;
	}
	res = talloc_zero(pull->mem, struct mapi_restriction);
	if (res == NULL) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
		return NULL;
	}
	return pull_restriction(pull, res) ? res : NULL;
}

static void pull_list(struct mapi_pull *pull, struct mapi_restriction *res)
{
	uint32_t count, i;

	count = pull->form == MAPI_WIRE_ROP ? mapi_pull_u16(pull) :
		mapi_pull_u32(pull);
	res->u.list.items =
		mapi_pull_array(pull, count, sizeof(*res->u.list.items),
				RESTRICTION_MIN_SIZE);
	if (res->u.list.items == NULL)
		return;
	for (i = 0; i < count; i++) {
		if (!pull_restriction(pull, &res->u.list.items[i]))
			return;
	}
	res->u.list.count = count;
}

static void pull_tagged_value(struct mapi_pull *pull,
			      struct mapi_property *prop_r)
{
	if (pull->form == MAPI_WIRE_ADDRESSBOOK && mapi_pull_left(pull) > 0 &&
	    pull->data[pull->pos] == 0xff)
		(void)mapi_pull_u8(pull);
	(void)mapi_pull_tagged_value(pull, prop_r);
}

static void pull_comment(struct mapi_pull *pull, struct mapi_restriction *res)
{
	uint8_t count = mapi_pull_u8(pull), i;

	res->u.comment.values =
		mapi_pull_array(pull, count, sizeof(*res->u.comment.values), 4);
	if (count > 0 && res->u.comment.values == NULL)
		return;
	for (i = 0; i < count && mapi_pull_ok(pull); i++)
		pull_tagged_value(pull, &res->u.comment.values[i]);
	res->u.comment.count = count;
	if (mapi_pull_u8(pull) != 0)
		res->u.comment.child = pull_child(pull);
}

static bool pull_restriction(struct mapi_pull *pull,
			     struct mapi_restriction *res)
{
	if (pull->depth >= MAPI_WIRE_MAX_DEPTH)
		return mapi_pull_fail(pull, MAPI_WIRE_TOO_DEEP);
	pull->depth++;
	res->type = mapi_pull_u8(pull);
	switch (res->type) {
	case RES_AND:
	case RES_OR:
		pull_list(pull, res);
		break;
	case RES_NOT:
		res->u.child = pull_child(pull);
		break;
	case RES_CONTENT:
		res->u.content.fuzzy_low = mapi_pull_u16(pull);
		res->u.content.fuzzy_high = mapi_pull_u16(pull);
		res->u.content.tag = mapi_pull_u32(pull);
		pull_tagged_value(pull, &res->u.content.value);
		break;
	case RES_PROPERTY:
		res->u.property.relop = mapi_pull_u8(pull);
		res->u.property.tag = mapi_pull_u32(pull);
		pull_tagged_value(pull, &res->u.property.value);
		break;
	case RES_COMPAREPROPS:
		res->u.compare.relop = mapi_pull_u8(pull);
		res->u.compare.tag1 = mapi_pull_u32(pull);
		res->u.compare.tag2 = mapi_pull_u32(pull);
		break;
	case RES_BITMASK:
		res->u.bitmask.relop = mapi_pull_u8(pull);
		res->u.bitmask.tag = mapi_pull_u32(pull);
		res->u.bitmask.mask = mapi_pull_u32(pull);
		break;
	case RES_SIZE:
		res->u.size.relop = mapi_pull_u8(pull);
		res->u.size.tag = mapi_pull_u32(pull);
		res->u.size.size = mapi_pull_u32(pull);
		break;
	case RES_EXIST:
		res->u.exist.tag = mapi_pull_u32(pull);
		break;
	case RES_SUBRESTRICTION:
		res->u.sub.tag = mapi_pull_u32(pull);
		res->u.sub.child = pull_child(pull);
		break;
	case RES_COMMENT:
		pull_comment(pull, res);
		break;
	case RES_COUNT:
		res->u.count.count = mapi_pull_u32(pull);
		res->u.count.child = pull_child(pull);
		break;
	case RES_NULL:
		break;
	default:
		(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
		break;
	}
	pull->depth--;
	return mapi_pull_ok(pull);
}

struct mapi_restriction *mapi_pull_restriction(struct mapi_pull *pull)
{
	return pull_child(pull);
}

/* --- push ----------------------------------------------------------------- */

static bool push_list(struct mapi_push *push,
		      const struct mapi_restriction *res)
{
	uint32_t i;

	if (push->form != MAPI_WIRE_ROP)
		(void)mapi_push_u32(push, res->u.list.count);
	else if (res->u.list.count <= UINT16_MAX)
		(void)mapi_push_u16(push, (uint16_t)res->u.list.count);
	else
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	for (i = 0; i < res->u.list.count; i++) {
		if (!mapi_push_restriction(push, &res->u.list.items[i]))
			return false;
	}
	return mapi_push_ok(push);
}

static bool push_comment(struct mapi_push *push,
			 const struct mapi_restriction *res)
{
	unsigned int i;

	(void)mapi_push_u8(push, res->u.comment.count);
	for (i = 0; i < res->u.comment.count; i++)
		(void)mapi_push_tagged_value(push, &res->u.comment.values[i]);
	(void)mapi_push_u8(push, res->u.comment.child != NULL ? 1 : 0);
	return res->u.comment.child == NULL ? mapi_push_ok(push) :
		mapi_push_restriction(push, res->u.comment.child);
}

static bool push_body(struct mapi_push *push,
		      const struct mapi_restriction *res)
{
	switch (res->type) {
	case RES_AND:
	case RES_OR:
		return push_list(push, res);
	case RES_NOT:
		return mapi_push_restriction(push, res->u.child);
	case RES_CONTENT:
		return mapi_push_u16(push, res->u.content.fuzzy_low) &&
			mapi_push_u16(push, res->u.content.fuzzy_high) &&
			mapi_push_u32(push, res->u.content.tag) &&
			mapi_push_tagged_value(push, &res->u.content.value);
	case RES_PROPERTY:
		return mapi_push_u8(push, res->u.property.relop) &&
			mapi_push_u32(push, res->u.property.tag) &&
			mapi_push_tagged_value(push, &res->u.property.value);
	case RES_COMPAREPROPS:
		return mapi_push_u8(push, res->u.compare.relop) &&
			mapi_push_u32(push, res->u.compare.tag1) &&
			mapi_push_u32(push, res->u.compare.tag2);
	case RES_BITMASK:
		return mapi_push_u8(push, res->u.bitmask.relop) &&
			mapi_push_u32(push, res->u.bitmask.tag) &&
			mapi_push_u32(push, res->u.bitmask.mask);
	case RES_SIZE:
		return mapi_push_u8(push, res->u.size.relop) &&
			mapi_push_u32(push, res->u.size.tag) &&
			mapi_push_u32(push, res->u.size.size);
	case RES_EXIST:
		return mapi_push_u32(push, res->u.exist.tag);
	case RES_SUBRESTRICTION:
		return mapi_push_u32(push, res->u.sub.tag) &&
			mapi_push_restriction(push, res->u.sub.child);
	case RES_COMMENT:
		return push_comment(push, res);
	case RES_COUNT:
		return mapi_push_u32(push, res->u.count.count) &&
			mapi_push_restriction(push, res->u.count.child);
	case RES_NULL:
		return mapi_push_ok(push);
	}
	return mapi_push_fail(push, MAPI_WIRE_INVALID);
}

bool mapi_push_restriction(struct mapi_push *push,
			   const struct mapi_restriction *res)
{
	if (res == NULL)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	if (push->depth >= MAPI_WIRE_MAX_DEPTH)
		return mapi_push_fail(push, MAPI_WIRE_TOO_DEEP);
	push->depth++;
	(void)mapi_push_u8(push, (uint8_t)res->type);
	(void)push_body(push, res);
	push->depth--;
	return mapi_push_ok(push);
}

bool mapi_pull_sort_order_set(struct mapi_pull *pull,
			      struct mapi_sort_order_set *set_r)
{
	uint16_t count, i;

	memset(set_r, 0, sizeof(*set_r));
	count = mapi_pull_u16(pull);
	set_r->categorized_count = mapi_pull_u16(pull);
	set_r->expanded_count = mapi_pull_u16(pull);
	set_r->orders = mapi_pull_array(pull, count, sizeof(*set_r->orders), 5);
	if (set_r->orders == NULL)
		return mapi_pull_ok(pull);
	for (i = 0; i < count; i++) {
		set_r->orders[i].tag = mapi_pull_u32(pull);
		set_r->orders[i].order = mapi_pull_u8(pull);
	}
	set_r->count = count;
	return mapi_pull_ok(pull);
}

bool mapi_push_sort_order_set(struct mapi_push *push,
			      const struct mapi_sort_order_set *set)
{
	uint16_t i;

	(void)mapi_push_u16(push, set->count);
	(void)mapi_push_u16(push, set->categorized_count);
	(void)mapi_push_u16(push, set->expanded_count);
	for (i = 0; i < set->count; i++) {
		(void)mapi_push_u32(push, set->orders[i].tag);
		(void)mapi_push_u8(push, set->orders[i].order);
	}
	return mapi_push_ok(push);
}
