/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire-random.h"

#include <stdio.h>
#include <string.h>

static bool str_equal(const void *a, const void *b)
{
	const char *s1 = *(const char *const *)a, *s2 = *(const char *const *)b;

	if (s1 == NULL || s2 == NULL)
		return s1 == s2;
	return strcmp(s1, s2) == 0;
}

static bool row_equal(const struct mapi_property_row *a,
		      const struct mapi_property_row *b)
{
	uint32_t i;

	if (a->count != b->count)
		return false;
	for (i = 0; i < a->count; i++) {
		if (a->columns[i] != b->columns[i] ||
		    !mapi_value_equal(&a->values[i], &b->values[i]))
			return false;
	}
	return true;
}

static bool name_equal(const struct mapi_property_name *a,
		       const struct mapi_property_name *b)
{
	if (a->kind != b->kind || mapi_guid_cmp(&a->guid, &b->guid) != 0)
		return false;
	if (a->kind == MAPI_NAME_STRING)
		return strcmp(a->name, b->name) == 0;
	return a->kind == MAPI_NAME_NONE || a->lid == b->lid;
}

static bool elem_equal(const struct wire_field *field,
		       const struct rop_wire_context *ctx,
		       const void *a, const void *b)
{
	const struct mapi_property *p1 = a, *p2 = b;
	const struct mapi_sort_order *o1 = a, *o2 = b;
	const struct mapi_long_term_id *l1 = a, *l2 = b;
	const struct mapi_binary *b1 = a, *b2 = b;

	switch ((enum wire_type)field->type) {
	case WIRE_STRING8:
	case WIRE_STRING8_REST:
	case WIRE_UTF16:
	case WIRE_STRZ:
	case WIRE_TYPED_STRING:
		return str_equal(a, b);
	case WIRE_PROPERTY_NAME:
		return name_equal(a, b);
	case WIRE_SORT_ORDER:
		return o1->tag == o2->tag && o1->order == o2->order;
	case WIRE_LONG_TERM_ID:
		return l1->globcnt == l2->globcnt &&
			mapi_guid_cmp(&l1->guid, &l2->guid) == 0;
	case WIRE_TAGGED_VALUE:
		return p1->tag == p2->tag &&
			mapi_value_equal(&p1->value, &p2->value);
	case WIRE_PROPERTY_ROW:
		return row_equal(a, b);
	case WIRE_RECIPIENT_ROW:
		return mapi_recipient_row_equal(a, b);
	case WIRE_SIZED_BINARY:
		return b1->len == b2->len &&
			memcmp(b1->data, b2->data, b1->len) == 0;
	case WIRE_RESTRICTION:
		return mapi_restriction_equal(a, b);
	case WIRE_STRUCT:
		return wire_struct_equal(field->sub, ctx, a, b);
	default:
		break;
	}
	return memcmp(a, b, field->elem_size) == 0;
}

static bool field_equal(const struct wire_field *field,
			const struct rop_wire_context *ctx,
			const void *v1, const void *v2)
{
	const uint8_t *a = (const uint8_t *)v1 + field->offset;
	const uint8_t *b = (const uint8_t *)v2 + field->offset;
	uint32_t count = 1, i;

	if (field->array != WIRE_SINGLE) {
		count = wire_field_count(field, v1);
		if (count != wire_field_count(field, v2))
			return false;
	}
	if (field->array > WIRE_FIXED || field->pointer) {
		a = *(const uint8_t *const *)(const void *)a;
		b = *(const uint8_t *const *)(const void *)b;
		if (field->pointer && (a == NULL || b == NULL))
			return a == b;
	}
	if (field->type == WIRE_BYTES)
		return count == 0 || memcmp(a, b, count) == 0;
	for (i = 0; i < count; i++) {
		if (!elem_equal(field, ctx, a + (size_t)i * field->elem_size,
				b + (size_t)i * field->elem_size))
			return false;
	}
	return true;
}

bool wire_struct_equal(const struct wire_struct *type,
		       const struct rop_wire_context *ctx,
		       const void *a, const void *b)
{
	uint16_t i;

	for (i = 0; i < type->count; i++) {
		const struct wire_field *field = &type->fields[i];

		if (field->span > 0 ||
		    strcmp(field->name, "RopId") == 0 ||
		    !wire_field_present(type, field, ctx, a))
			continue;
		if (!field_equal(field, ctx, a, b)) {
			printf("%s: %s differs\n", type->name, field->name);
			return false;
		}
	}
	return true;
}
