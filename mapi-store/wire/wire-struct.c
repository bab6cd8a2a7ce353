/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The codec of all structs that are described by tables (mapi-wire-private.h).

   A table is a list of fields in wire order. Reading and writing walk it once,
   field by field; the conditions of later fields look at the members of the
   struct that earlier fields have filled.

   Fields that are sizes (span > 0) bound the region of the fields after them:
   reading narrows the pull to it and afterwards goes to its end, so that
   whatever else a client puts there is skipped; writing goes back and fills the
   size in. What is claimed for arrays in a region is claimed of its bytes, or a
   region that can't be read would leave nothing for what comes after it.

   Rows have no description of their own: their layout is that of the last array
   of property tags before them in the same struct (recipient columns, columns
   of an address book table), else the context's columns. */

#include "mapi-wire-private.h"

#include <string.h>

struct wire_state {
	const struct rop_wire_context *ctx;
	const uint32_t *columns;
	uint32_t column_count;
	enum mapi_error soft_error;
};

static const struct rop_wire_context default_context;

static const void *member(const void *v, uint16_t offset)
{
	return (const uint8_t *)v + offset;
}

static unsigned int struct_case(const struct wire_struct *type, const void *v)
{
	uint32_t status;

	if (!type->has_status)
		return WIRE_WHEN_SUCCESS;
	memcpy(&status, member(v, type->status), sizeof(status));
	if (status == 0)
		return WIRE_WHEN_SUCCESS;
	return status == type->special_status ? WIRE_WHEN_SPECIAL :
		WIRE_WHEN_FAILURE;
}

bool wire_field_present(const struct wire_struct *type,
			const struct wire_field *field,
			const struct rop_wire_context *ctx, const void *v)
{
	if (field->when != 0 && (field->when & struct_case(type, v)) == 0)
		return false;
	return field->cond == NULL ||
		field->cond(v, ctx != NULL ? ctx : &default_context);
}

uint32_t wire_field_count(const struct wire_field *field, const void *v)
{
	uint32_t count = 0;

	if (field->array == WIRE_FIXED)
		return field->count;
	switch (field->count_width) {
	case 1:
		count = *(const uint8_t *)member(v, field->count);
		break;
	case 2: {
		uint16_t c;

		memcpy(&c, member(v, field->count), sizeof(c));
		count = c;
		break;
	}
	case 4:
		memcpy(&count, member(v, field->count), sizeof(count));
		break;
	}
	return count;
}

bool wire_field_flag(const struct wire_field *field, const void *v)
{
	return *(const uint8_t *)member(v, field->flag) != 0;
}

/* --- pull ----------------------------------------------------------------- */

static bool pull_struct(struct mapi_pull *pull, const struct wire_struct *type,
			struct wire_state *state, void *v);

static const char *pull_string_rest(struct mapi_pull *pull)
{
	size_t size = mapi_pull_left(pull);
	const uint8_t *p;
	const char *str;

	if (size == 0)
		return NULL;
	p = mapi_pull_bytes(pull, size);
	if (memchr(p, '\0', size) == NULL) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
		return NULL;
	}
	str = talloc_strndup(pull->mem, (const char *)p, size);
	if (str == NULL)
		(void)mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
	return str;
}

static void pull_sized_binary(struct mapi_pull *pull, struct mapi_binary *bin)
{
	bin->len = mapi_pull_u32(pull);
	bin->data = mapi_pull_bytes(pull, bin->len);
	if (bin->data == NULL)
		bin->len = 0;
}

static void pull_elem(struct mapi_pull *pull, const struct wire_field *field,
		      struct wire_state *state, const void *v, void *elem)
{
	switch ((enum wire_type)field->type) {
	case WIRE_U8:
		*(uint8_t *)elem = mapi_pull_u8(pull);
		break;
	case WIRE_U16:
		*(uint16_t *)elem = mapi_pull_u16(pull);
		break;
	case WIRE_U32:
	case WIRE_TAG:
		*(uint32_t *)elem = mapi_pull_u32(pull);
		break;
	case WIRE_U64:
		*(uint64_t *)elem = mapi_pull_u64(pull);
		break;
	case WIRE_ID:
		*(mapi_id_t *)elem = mapi_pull_id(pull);
		break;
	case WIRE_GLOBCNT:
		*(uint64_t *)elem = mapi_pull_globcnt(pull);
		break;
	case WIRE_GUID:
		mapi_pull_guid(pull, elem);
		break;
	case WIRE_STRING8:
		*(const char **)elem = mapi_pull_string8(pull);
		break;
	case WIRE_STRING8_REST:
		*(const char **)elem = pull_string_rest(pull);
		break;
	case WIRE_UTF16:
		*(const char **)elem = mapi_pull_utf16(pull);
		break;
	case WIRE_STRZ:
		*(const char **)elem = wire_field_flag(field, v) ?
			mapi_pull_utf16(pull) : mapi_pull_string8(pull);
		break;
	case WIRE_TYPED_STRING:
		*(const char **)elem = mapi_pull_typed_string(pull);
		break;
	case WIRE_PROPERTY_NAME:
		mapi_pull_property_name(pull, elem);
		break;
	case WIRE_SORT_ORDER: {
		struct mapi_sort_order *order = elem;

		order->tag = mapi_pull_u32(pull);
		order->order = mapi_pull_u8(pull);
		break;
	}
	case WIRE_LONG_TERM_ID:
		mapi_pull_long_term_id(pull, elem);
		break;
	case WIRE_TAGGED_VALUE:
		(void)mapi_pull_tagged_value(pull, elem);
		break;
	case WIRE_PROPERTY_ROW:
		(void)mapi_pull_property_row(pull, state->columns,
					     state->column_count, elem);
		break;
	case WIRE_RECIPIENT_ROW:
		(void)mapi_pull_recipient_row(pull, state->columns,
					      state->column_count, elem);
		break;
	case WIRE_SIZED_BINARY:
		pull_sized_binary(pull, elem);
		break;
	case WIRE_STRUCT:
		(void)pull_struct(pull, field->sub, state, elem);
		break;
	case WIRE_BYTES:
	case WIRE_RESTRICTION:
		break;
	}
}

static void pull_bytes(struct mapi_pull *pull, const struct wire_field *field,
		       void *v)
{
	const uint8_t *data;
	uint32_t size;

	if (field->array == WIRE_FIXED) {
		data = mapi_pull_bytes(pull, field->count);
		if (data != NULL) {
			memcpy((uint8_t *)v + field->offset, data,
			       field->count);
		}
		return;
	}
	if (field->array == WIRE_REST) {
		if (mapi_pull_left(pull) > UINT32_MAX) {
			(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
			return;
		}
		size = (uint32_t)mapi_pull_left(pull);
		*(uint32_t *)((uint8_t *)v + field->count) = size;
	} else {
		size = wire_field_count(field, v);
	}
	data = mapi_pull_bytes(pull, size);
	*(const uint8_t **)((uint8_t *)v + field->offset) = data;
}

/* A restriction of its own region that can't be read costs no more than
   itself. */
static void pull_restriction(struct mapi_pull *pull,
			     const struct wire_field *field,
			     struct wire_state *state, bool in_region, void *v)
{
	struct mapi_restriction **res_r =
		(struct mapi_restriction **)((uint8_t *)v + field->offset);
	unsigned int depth = pull->depth;

	if (in_region && mapi_pull_left(pull) == 0)
		return;
	*res_r = mapi_pull_restriction(pull);
	if (mapi_pull_ok(pull))
		return;
	*res_r = NULL;
	if (!in_region || pull->status == MAPI_WIRE_NOMEM)
		return;
	state->soft_error = pull->status == MAPI_WIRE_TOO_DEEP ?
		EC_TOO_COMPLEX : EC_INVALID_PARAM;
	pull->status = MAPI_WIRE_OK;
	pull->depth = depth;
}

static void pull_pointer(struct mapi_pull *pull, const struct wire_field *field,
			 struct wire_state *state, bool in_region, void *v)
{
	void **elem_r = (void **)((uint8_t *)v + field->offset);

	if (in_region && mapi_pull_left(pull) == 0)
		return;
	*elem_r = mapi_pull_array(pull, 1, field->elem_size, field->elem_min);
	if (*elem_r != NULL)
		pull_elem(pull, field, state, v, *elem_r);
}

/* as many elements as there are up to the end of the region */
static void pull_rest(struct mapi_pull *pull, const struct wire_field *field,
		      struct wire_state *state, void *v)
{
	uint32_t count = 0, allocated = 0;
	uint8_t *array = NULL;

	while (mapi_pull_left(pull) > 0) {
		if (count == allocated) {
			allocated = allocated == 0 ? 8 : allocated * 2;
			array = _talloc_realloc_array(pull->mem, array,
						      field->elem_size,
						      allocated, "wire array");
			if (array == NULL) {
				(void)mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
				return;
			}
			memset(array + (size_t)count * field->elem_size, 0,
			       (size_t)(allocated - count) * field->elem_size);
		}
		pull_elem(pull, field, state, v,
			  array + (size_t)count * field->elem_size);
		count++;
	}
	if (!mapi_pull_ok(pull))
		return;
	*(void **)((uint8_t *)v + field->offset) = array;
	*(uint32_t *)((uint8_t *)v + field->count) = count;
}

static void pull_array(struct mapi_pull *pull, const struct wire_field *field,
		       struct wire_state *state, void *v)
{
	uint32_t count = wire_field_count(field, v), i;
	uint8_t *array;

	if (field->array == WIRE_FIXED) {
		array = (uint8_t *)v + field->offset;
	} else {
		array = mapi_pull_array(pull, count, field->elem_size,
					field->elem_min);
		*(void **)((uint8_t *)v + field->offset) = array;
		if (array == NULL)
			count = 0;
	}
	for (i = 0; i < count && mapi_pull_ok(pull); i++) {
		pull_elem(pull, field, state, v,
			  array + (size_t)i * field->elem_size);
	}
	if (field->type == WIRE_TAG && field->array == WIRE_COUNTED) {
		state->columns = (const uint32_t *)(const void *)array;
		state->column_count = count;
	}
}

static void pull_field(struct mapi_pull *pull, const struct wire_field *field,
		       struct wire_state *state, bool in_region, void *v)
{
	if (field->type == WIRE_BYTES)
		pull_bytes(pull, field, v);
	else if (field->type == WIRE_RESTRICTION)
		pull_restriction(pull, field, state, in_region, v);
	else if (field->pointer)
		pull_pointer(pull, field, state, in_region, v);
	else if (field->array == WIRE_REST)
		pull_rest(pull, field, state, v);
	else if (field->array != WIRE_SINGLE)
		pull_array(pull, field, state, v);
	else
		pull_elem(pull, field, state, v, (uint8_t *)v + field->offset);
}

static bool pull_struct(struct mapi_pull *pull, const struct wire_struct *type,
			struct wire_state *state, void *v)
{
	const size_t outer_size = pull->size;
	size_t outer_unclaimed = 0;
	unsigned int span = 0;
	uint16_t i;

	for (i = 0; i < type->count && mapi_pull_ok(pull); i++) {
		const struct wire_field *field = &type->fields[i];
		bool present = wire_field_present(type, field, state->ctx, v);
		bool in_region = span > 0;

		if (present)
			pull_field(pull, field, state, in_region, v);
		if (in_region && --span == 0 && mapi_pull_ok(pull)) {
			pull->pos = pull->size;
			pull->size = outer_size;
			pull->unclaimed += outer_unclaimed;
		}
		if (field->span > 0 && present && mapi_pull_ok(pull)) {
			size_t size = field->type == WIRE_U8 ?
				*(uint8_t *)((uint8_t *)v + field->offset) :
				*(uint16_t *)((uint8_t *)v + field->offset);

			if (size > mapi_pull_left(pull)) {
				(void)mapi_pull_fail(pull, MAPI_WIRE_SHORT);
				break;
			}
			span = field->span;
			pull->size = pull->pos + size;
			if (size > pull->unclaimed)
				size = pull->unclaimed;
			outer_unclaimed = pull->unclaimed - size;
			pull->unclaimed = size;
		}
	}
	pull->size = outer_size;
	return mapi_pull_ok(pull);
}

bool wire_pull_struct(struct mapi_pull *pull, const struct wire_struct *type,
		      const struct rop_wire_context *ctx, void *v,
		      enum mapi_error *soft_error_r)
{
	struct wire_state state;

	memset(&state, 0, sizeof(state));
	state.ctx = ctx;
	if (ctx != NULL) {
		state.columns = ctx->columns;
		state.column_count = ctx->column_count;
	}
	memset(v, 0, type->size);
	(void)pull_struct(pull, type, &state, v);
	*soft_error_r = state.soft_error;
	return mapi_pull_ok(pull);
}

/* --- push ----------------------------------------------------------------- */

static void push_elem(struct mapi_push *push, const struct wire_field *field,
		      const struct rop_wire_context *ctx, const void *v,
		      const void *elem)
{
	switch ((enum wire_type)field->type) {
	case WIRE_U8:
		(void)mapi_push_u8(push, *(const uint8_t *)elem);
		break;
	case WIRE_U16:
		(void)mapi_push_u16(push, *(const uint16_t *)elem);
		break;
	case WIRE_U32:
	case WIRE_TAG:
		(void)mapi_push_u32(push, *(const uint32_t *)elem);
		break;
	case WIRE_U64:
		(void)mapi_push_u64(push, *(const uint64_t *)elem);
		break;
	case WIRE_ID:
		(void)mapi_push_id(push, *(const mapi_id_t *)elem);
		break;
	case WIRE_GLOBCNT:
		(void)mapi_push_globcnt(push, *(const uint64_t *)elem);
		break;
	case WIRE_GUID:
		(void)mapi_push_guid(push, elem);
		break;
	case WIRE_STRING8:
		(void)mapi_push_string8(push, *(const char *const *)elem);
		break;
	case WIRE_STRING8_REST:
		if (*(const char *const *)elem != NULL) {
			(void)mapi_push_string8(push,
						*(const char *const *)elem);
		}
		break;
	case WIRE_UTF16:
		(void)mapi_push_utf16(push, *(const char *const *)elem);
		break;
	case WIRE_STRZ:
		if (wire_field_flag(field, v))
			(void)mapi_push_utf16(push, *(const char *const *)elem);
		else {
			(void)mapi_push_string8(push,
						*(const char *const *)elem);
		}
		break;
	case WIRE_TYPED_STRING:
		(void)mapi_push_typed_string(push, *(const char *const *)elem);
		break;
	case WIRE_PROPERTY_NAME:
		(void)mapi_push_property_name(push, elem);
		break;
	case WIRE_SORT_ORDER: {
		const struct mapi_sort_order *order = elem;

		(void)mapi_push_u32(push, order->tag);
		(void)mapi_push_u8(push, order->order);
		break;
	}
	case WIRE_LONG_TERM_ID:
		(void)mapi_push_long_term_id(push, elem);
		break;
	case WIRE_TAGGED_VALUE:
		(void)mapi_push_tagged_value(push, elem);
		break;
	case WIRE_PROPERTY_ROW:
		(void)mapi_push_property_row(push, elem);
		break;
	case WIRE_RECIPIENT_ROW:
		(void)mapi_push_recipient_row(push, elem);
		break;
	case WIRE_SIZED_BINARY: {
		const struct mapi_binary *bin = elem;

		(void)mapi_push_u32(push, bin->len);
		(void)mapi_push_bytes(push, bin->data, bin->len);
		break;
	}
	case WIRE_STRUCT:
		(void)wire_push_struct(push, field->sub, ctx, elem);
		break;
	case WIRE_RESTRICTION:
		(void)mapi_push_restriction(push, elem);
		break;
	case WIRE_BYTES:
		break;
	}
}

static void push_array(struct mapi_push *push, const struct wire_field *field,
		       const struct rop_wire_context *ctx, const void *v)
{
	uint32_t count = wire_field_count(field, v), i;
	const uint8_t *array;

	if (field->array == WIRE_FIXED)
		array = member(v, field->offset);
	else
		array = *(const uint8_t *const *)member(v, field->offset);
	if (count > 0 && array == NULL) {
		(void)mapi_push_fail(push, MAPI_WIRE_INVALID);
		return;
	}
	if (field->type == WIRE_BYTES) {
		(void)mapi_push_bytes(push, array, count);
		return;
	}
	for (i = 0; i < count && mapi_push_ok(push); i++) {
		push_elem(push, field, ctx, v,
			  array + (size_t)i * field->elem_size);
	}
}

static void push_field(struct mapi_push *push, const struct wire_field *field,
		       const struct rop_wire_context *ctx, bool in_region,
		       const void *v)
{
	const void *elem;

	if (field->array != WIRE_SINGLE) {
		push_array(push, field, ctx, v);
	} else if (field->pointer) {
		elem = *(const void *const *)member(v, field->offset);
		if (elem != NULL)
			push_elem(push, field, ctx, v, elem);
		else if (!in_region)
			(void)mapi_push_fail(push, MAPI_WIRE_INVALID);
	} else {
		push_elem(push, field, ctx, v, member(v, field->offset));
	}
}

static void push_region_size(struct mapi_push *push,
			     const struct wire_field *size_field, size_t pos)
{
	size_t width = size_field->type == WIRE_U8 ? 1 : 2;
	size_t size = push->size - pos - width;

	if (!mapi_push_ok(push))
		return;
	if (size > (width == 1 ? (size_t)UINT8_MAX : (size_t)UINT16_MAX))
		(void)mapi_push_fail(push, MAPI_WIRE_INVALID);
	else if (width == 2)
		mapi_push_patch_u16(push, pos, (uint16_t)size);
	else if (!push->counting)
		push->data[pos] = (uint8_t)size;
}

bool wire_push_struct(struct mapi_push *push, const struct wire_struct *type,
		      const struct rop_wire_context *ctx, const void *v)
{
	const struct wire_field *size_field = NULL;
	unsigned int span = 0;
	size_t size_pos = 0;
	uint16_t i;

	for (i = 0; i < type->count && mapi_push_ok(push); i++) {
		const struct wire_field *field = &type->fields[i];
		bool present = wire_field_present(type, field, ctx, v);
		bool in_region = span > 0;

		if (field->span > 0 && present) {
			size_field = field;
			size_pos = push->size;
			span = field->span + 1;
			in_region = true;
		}
		if (present)
			push_field(push, field, ctx, in_region, v);
		if (in_region && --span == 0)
			push_region_size(push, size_field, size_pos);
	}
	return mapi_push_ok(push);
}
