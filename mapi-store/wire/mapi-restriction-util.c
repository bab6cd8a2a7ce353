/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-restriction.h"

static bool property_equal(const struct mapi_property *a,
			   const struct mapi_property *b)
{
	return a->tag == b->tag && mapi_value_equal(&a->value, &b->value);
}

bool mapi_restriction_equal(const struct mapi_restriction *a,
			    const struct mapi_restriction *b)
{
	uint32_t i;

	if (a == NULL || b == NULL)
		return a == b;
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case RES_AND:
	case RES_OR:
		if (a->u.list.count != b->u.list.count)
			return false;
		for (i = 0; i < a->u.list.count; i++) {
			if (!mapi_restriction_equal(&a->u.list.items[i],
						    &b->u.list.items[i]))
				return false;
		}
		return true;
	case RES_NOT:
		return mapi_restriction_equal(a->u.child, b->u.child);
	case RES_CONTENT:
		return a->u.content.fuzzy_low == b->u.content.fuzzy_low &&
			a->u.content.fuzzy_high == b->u.content.fuzzy_high &&
			a->u.content.tag == b->u.content.tag &&
			property_equal(&a->u.content.value,
				       &b->u.content.value);
	case RES_PROPERTY:
		return a->u.property.relop == b->u.property.relop &&
			a->u.property.tag == b->u.property.tag &&
			property_equal(&a->u.property.value,
				       &b->u.property.value);
	case RES_COMPAREPROPS:
		return a->u.compare.relop == b->u.compare.relop &&
			a->u.compare.tag1 == b->u.compare.tag1 &&
			a->u.compare.tag2 == b->u.compare.tag2;
	case RES_BITMASK:
		return a->u.bitmask.relop == b->u.bitmask.relop &&
			a->u.bitmask.tag == b->u.bitmask.tag &&
			a->u.bitmask.mask == b->u.bitmask.mask;
	case RES_SIZE:
		return a->u.size.relop == b->u.size.relop &&
			a->u.size.tag == b->u.size.tag &&
			a->u.size.size == b->u.size.size;
	case RES_EXIST:
		return a->u.exist.tag == b->u.exist.tag;
	case RES_SUBRESTRICTION:
		return a->u.sub.tag == b->u.sub.tag &&
			mapi_restriction_equal(a->u.sub.child, b->u.sub.child);
	case RES_COMMENT:
		if (a->u.comment.count != b->u.comment.count)
			return false;
		for (i = 0; i < a->u.comment.count; i++) {
			if (!property_equal(&a->u.comment.values[i],
					    &b->u.comment.values[i]))
				return false;
		}
		return mapi_restriction_equal(a->u.comment.child,
					      b->u.comment.child);
	case RES_COUNT:
		return a->u.count.count == b->u.count.count &&
			mapi_restriction_equal(a->u.count.child,
					       b->u.count.child);
	case RES_NULL:
		break;
	}
	return true;
}

static bool copy_into(TALLOC_CTX *mem, struct mapi_restriction *dest,
		      const struct mapi_restriction *src);

static bool copy_child(TALLOC_CTX *mem, struct mapi_restriction **dest,
		       const struct mapi_restriction *src)
{
	*dest = mapi_restriction_copy(mem, src);
	return (*dest == NULL) == (src == NULL);
}

static bool copy_comment(TALLOC_CTX *mem, struct mapi_restriction *dest,
			 const struct mapi_restriction *src)
{
	unsigned int i;

	dest->u.comment.values = talloc_zero_array(mem, struct mapi_property,
						   src->u.comment.count + 1);
	if (dest->u.comment.values == NULL)
		return false;
	for (i = 0; i < src->u.comment.count; i++) {
		dest->u.comment.values[i].tag = src->u.comment.values[i].tag;
		if (!mapi_value_copy(mem, &dest->u.comment.values[i].value,
				     &src->u.comment.values[i].value))
			return false;
	}
	return copy_child(mem, &dest->u.comment.child, src->u.comment.child);
}

static bool copy_into(TALLOC_CTX *mem, struct mapi_restriction *dest,
		      const struct mapi_restriction *src)
{
	uint32_t i;

	*dest = *src;
	switch (src->type) {
	case RES_AND:
	case RES_OR:
		dest->u.list.items =
			talloc_zero_array(mem, struct mapi_restriction,
					  (size_t)src->u.list.count + 1);
		if (dest->u.list.items == NULL)
			return false;
		for (i = 0; i < src->u.list.count; i++) {
			if (!copy_into(mem, &dest->u.list.items[i],
				       &src->u.list.items[i]))
				return false;
		}
		break;
	case RES_NOT:
		return copy_child(mem, &dest->u.child, src->u.child);
	case RES_CONTENT:
		return mapi_value_copy(mem, &dest->u.content.value.value,
				       &src->u.content.value.value);
	case RES_PROPERTY:
		return mapi_value_copy(mem, &dest->u.property.value.value,
				       &src->u.property.value.value);
	case RES_SUBRESTRICTION:
		return copy_child(mem, &dest->u.sub.child, src->u.sub.child);
	case RES_COMMENT:
		return copy_comment(mem, dest, src);
	case RES_COUNT:
		return copy_child(mem, &dest->u.count.child,
				  src->u.count.child);
	case RES_COMPAREPROPS:
	case RES_BITMASK:
	case RES_SIZE:
	case RES_EXIST:
	case RES_NULL:
		break;
	}
	return true;
}

struct mapi_restriction *
mapi_restriction_copy(TALLOC_CTX *mem, const struct mapi_restriction *res)
{
	struct mapi_restriction *copy;

	if (res == NULL)
		return NULL;
	copy = talloc_zero(mem, struct mapi_restriction);
	if (copy == NULL || !copy_into(copy, copy, res)) {
		talloc_free(copy);
		return NULL;
	}
	return copy;
}

/* --- walking -------------------------------------------------------------- */

static void property_walk(uint32_t *tag, struct mapi_property *prop,
			  mapi_property_walk_t *func, void *context)
{
	if (tag != NULL)
		func(tag, NULL, context);
	func(&prop->tag, &prop->value, context);
	mapi_value_walk(&prop->value, func, context);
}

void mapi_restriction_walk(struct mapi_restriction *res,
			   mapi_property_walk_t *func, void *context)
{
	uint32_t i;

	if (res == NULL)
		return;
	switch (res->type) {
	case RES_AND:
	case RES_OR:
		for (i = 0; i < res->u.list.count; i++) {
			mapi_restriction_walk(&res->u.list.items[i],
					      func, context);
		}
		break;
	case RES_NOT:
		mapi_restriction_walk(res->u.child, func, context);
		break;
	case RES_CONTENT:
		property_walk(&res->u.content.tag, &res->u.content.value,
			      func, context);
		break;
	case RES_PROPERTY:
		property_walk(&res->u.property.tag, &res->u.property.value,
			      func, context);
		break;
	case RES_COMPAREPROPS:
		func(&res->u.compare.tag1, NULL, context);
		func(&res->u.compare.tag2, NULL, context);
		break;
	case RES_BITMASK:
		func(&res->u.bitmask.tag, NULL, context);
		break;
	case RES_SIZE:
		func(&res->u.size.tag, NULL, context);
		break;
	case RES_EXIST:
		func(&res->u.exist.tag, NULL, context);
		break;
	case RES_SUBRESTRICTION:
		func(&res->u.sub.tag, NULL, context);
		mapi_restriction_walk(res->u.sub.child, func, context);
		break;
	case RES_COMMENT:
		for (i = 0; i < res->u.comment.count; i++) {
			property_walk(NULL, &res->u.comment.values[i],
				      func, context);
		}
		mapi_restriction_walk(res->u.comment.child, func, context);
		break;
	case RES_COUNT:
		mapi_restriction_walk(res->u.count.child, func, context);
		break;
	case RES_NULL:
		break;
	}
}
