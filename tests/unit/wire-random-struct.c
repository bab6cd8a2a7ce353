/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Structs that are described by tables, field by field. */

#include "wire-random-private.h"

#include <string.h>

struct state {
	const struct rop_wire_context *ctx;
	const uint32_t *columns;
	uint32_t column_count;
};

static void random_struct(struct wire_random *rnd,
			  const struct wire_struct *type, struct state *state,
			  void *v);

static uint32_t random_tag(struct wire_random *rnd)
{
	uint16_t type = wire_random_type(rnd);

	/* what takes no bytes isn't believed in large numbers */
	if (type == PTYP_NULL || type == PTYP_OBJECT)
		type = PTYP_INTEGER32;
	if (wire_random_below(rnd, 10) == 0)
		type = PTYP_UNSPECIFIED;
	else if (wire_random_below(rnd, 10) == 0)
		type = PTYP_MULTIPLE_STRING | PTYP_INSTANCE_FLAG;
	return MAPI_TAG(wire_random_u64(rnd), type);
}

static void random_name(struct wire_random *rnd,
			struct mapi_property_name *name)
{
	wire_random_bytes(rnd, name->guid.bytes, 16);
	switch (wire_random_below(rnd, 3)) {
	case 0:
		name->kind = MAPI_NAME_LID;
		name->lid = (uint32_t)wire_random_u64(rnd);
		break;
	case 1:
		name->kind = MAPI_NAME_STRING;
		name->name = wire_random_utf8(rnd, 60);
		break;
	default:
		name->kind = MAPI_NAME_NONE;
		break;
	}
}

static void random_elem(struct wire_random *rnd, const struct wire_field *field,
			struct state *state, const void *v, void *elem)
{
	switch ((enum wire_type)field->type) {
	case WIRE_U8:
		/* often a truth value */
		*(uint8_t *)elem = (uint8_t)(wire_random_below(rnd, 4) == 0 ?
			wire_random_u64(rnd) : wire_random_below(rnd, 2));
		break;
	case WIRE_U16:
		*(uint16_t *)elem = (uint16_t)wire_random_u64(rnd);
		break;
	case WIRE_U32:
		*(uint32_t *)elem = (uint32_t)wire_random_u64(rnd);
		break;
	case WIRE_TAG:
		*(uint32_t *)elem = random_tag(rnd);
		break;
	case WIRE_U64:
		*(uint64_t *)elem = wire_random_u64(rnd);
		break;
	case WIRE_ID:
		*(mapi_id_t *)elem = wire_random_id(rnd);
		break;
	case WIRE_GLOBCNT:
		*(uint64_t *)elem = wire_random_u64(rnd) & MAPI_GLOBCNT_MAX;
		break;
	case WIRE_GUID:
		wire_random_bytes(rnd, elem, 16);
		break;
	case WIRE_STRING8:
	case WIRE_STRING8_REST:
		*(const char **)elem = wire_random_string8(rnd, 30);
		break;
	case WIRE_UTF16:
		*(const char **)elem = wire_random_utf8(rnd, 30);
		break;
	case WIRE_TYPED_STRING:
		*(const char **)elem = wire_random_below(rnd, 4) == 0 ? NULL :
			wire_random_utf8(rnd, 30);
		break;
	case WIRE_STRZ:
		*(const char **)elem = wire_field_flag(field, v) ?
			wire_random_utf8(rnd, 30) :
			wire_random_string8(rnd, 30);
		break;
	case WIRE_PROPERTY_NAME:
		random_name(rnd, elem);
		break;
	case WIRE_SORT_ORDER: {
		struct mapi_sort_order *order = elem;

		order->tag = random_tag(rnd);
		order->order = (uint8_t)wire_random_u64(rnd);
		break;
	}
	case WIRE_LONG_TERM_ID: {
		struct mapi_long_term_id *ltid = elem;

		wire_random_bytes(rnd, ltid->guid.bytes, 16);
		ltid->globcnt = wire_random_u64(rnd) & MAPI_GLOBCNT_MAX;
		break;
	}
	case WIRE_TAGGED_VALUE:
		wire_random_property(rnd, elem);
		break;
	case WIRE_PROPERTY_ROW:
		wire_random_row(rnd, state->columns, state->column_count,
				elem);
		break;
	case WIRE_RECIPIENT_ROW:
		wire_random_recipient(rnd, state->columns,
				      state->column_count, elem);
		break;
	case WIRE_SIZED_BINARY:
		wire_random_binary(rnd, elem);
		break;
	case WIRE_STRUCT:
		random_struct(rnd, field->sub, state, elem);
		break;
	case WIRE_BYTES:
	case WIRE_RESTRICTION:
		break;
	}
}

static void set_count(const struct wire_field *field, void *v, uint32_t count)
{
	uint8_t *p = (uint8_t *)v + field->count;

	if (field->count_width == 1) {
		*p = (uint8_t)count;
	} else if (field->count_width == 2) {
		uint16_t c = (uint16_t)count;

		memcpy(p, &c, 2);
	} else {
		memcpy(p, &count, 4);
	}
}

static void random_field(struct wire_random *rnd,
			 const struct wire_field *field, struct state *state,
			 bool in_region, void *v)
{
	uint8_t *member = (uint8_t *)v + field->offset;
	uint32_t count = 1, i;
	uint8_t *array = member;

	if (field->array == WIRE_FIXED) {
		count = field->count;
		if (field->type == WIRE_BYTES) {
			wire_random_bytes(rnd, member, count);
			return;
		}
	} else if (field->array != WIRE_SINGLE) {
		/* several arrays may share a count: the first one sets it */
		count = wire_field_count(field, v);
		if (field->type == WIRE_BYTES) {
			*(const uint8_t **)member =
				wire_random_data(rnd, count);
			return;
		}
		array = count == 0 ? NULL :
			_talloc_zero_array(rnd->mem, field->elem_size, count,
					   "random");
		*(void **)member = array;
	} else if (field->pointer) {
		if (in_region && wire_random_below(rnd, 4) == 0)
			return;
		if (field->type == WIRE_RESTRICTION) {
			*(void **)member = wire_random_restriction(rnd);
			return;
		}
		array = _talloc_zero_array(rnd->mem, field->elem_size, 1,
					   "random");
		*(void **)member = array;
	}
	for (i = 0; i < count; i++) {
		random_elem(rnd, field, state, v,
			    array + (size_t)i * field->elem_size);
	}
	if (field->type == WIRE_TAG && field->array == WIRE_COUNTED) {
		state->columns = (const uint32_t *)(const void *)array;
		state->column_count = count;
	}
}

/* Counts are made small before the fields are filled, so that conditions that
   look at them hold for what is there in the end. */
static bool field_is_count(const struct wire_struct *type,
			   const struct wire_field *field)
{
	uint16_t i;

	for (i = 0; i < type->count; i++) {
		const struct wire_field *array = &type->fields[i];

		if (array->array == WIRE_COUNTED &&
		    array->count == field->offset)
			return true;
	}
	return false;
}

static void random_struct(struct wire_random *rnd,
			  const struct wire_struct *type, struct state *state,
			  void *v)
{
	static const uint32_t statuses[] = { 0, 0x478, 0x503, 0x80004005 };
	unsigned int span = 0;
	uint16_t i;

	for (i = 0; i < type->count; i++) {
		const struct wire_field *field = &type->fields[i];
		bool in_region = span > 0;

		if (in_region)
			span--;
		if (field->span > 0)
			span = field->span;
		if (!wire_field_present(type, field, state->ctx, v))
			continue;
		if (field->span > 0)
			continue;
		if (type->has_status && field->offset == type->status) {
			uint32_t status = wire_random_below(rnd, 2) == 0 ? 0 :
				statuses[wire_random_below(rnd, 4)];

			memcpy((uint8_t *)v + field->offset, &status, 4);
		} else if (field->array == WIRE_REST) {
			set_count(field, v, wire_random_count(rnd));
			random_field(rnd, field, state, in_region, v);
		} else if (field_is_count(type, field)) {
			struct wire_field count = *field;

			count.count = field->offset;
			count.count_width = field->type == WIRE_U8 ? 1 :
				(field->type == WIRE_U16 ? 2 : 4);
			set_count(&count, v, wire_random_count(rnd));
		} else {
			random_field(rnd, field, state, in_region, v);
		}
	}
}

void wire_random_struct(struct wire_random *rnd,
			const struct wire_struct *type,
			const struct rop_wire_context *ctx, void *v)
{
	struct state state = { .ctx = ctx };

	if (ctx != NULL) {
		state.columns = ctx->columns;
		state.column_count = ctx->column_count;
	}
	random_struct(rnd, type, &state, v);
}
