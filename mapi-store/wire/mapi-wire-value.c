/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-wire.h"
#include "mapi-restriction.h"
#include "mapi-rule.h"

#include <string.h>

/* FlaggedPropertyValue, [MS-OXCDATA] 2.11.5 */
#define VALUE_PRESENT 0x00
#define VALUE_ABSENT 0x01
#define VALUE_ERROR 0x0a

/* Columns that take no bytes in a row (PTYP_NULL, PTYP_OBJECT): more of them
   than this aren't believed, as the input doesn't pay for them. */
#define MAX_EMPTY_COLUMNS 8

/* HasValue bytes of address book bodies */
#define HAS_VALUE 0xff

static bool type_has_presence(uint16_t type)
{
	return type == PTYP_STRING || type == PTYP_STRING8 ||
		type == PTYP_BINARY || (type & PTYP_MULTIPLE_FLAG) != 0;
}

/* The type of a single value in a column: a multi-value column that is expanded
   to one row per value has single values. */
static uint16_t column_value_type(uint32_t tag)
{
	uint16_t type = MAPI_TAG_TYPE(tag);

	if ((type & PTYP_INSTANCE_FLAG) != 0)
		type &= (uint16_t)~(PTYP_INSTANCE_FLAG | PTYP_MULTIPLE_FLAG);
	return type;
}

/* Bytes that a value takes at least; 0 for those without any and for unknown
   types. */
static unsigned int type_min_size(uint16_t type, enum mapi_wire_form form)
{
	if (form == MAPI_WIRE_ADDRESSBOOK && type_has_presence(type))
		return 1;
	if ((type & PTYP_MULTIPLE_FLAG) != 0)
		return 4;
	switch (type) {
	case PTYP_NULL:
		return 0;
	case PTYP_OBJECT:
		return form == MAPI_WIRE_ADDRESSBOOK ? 4 : 0;
	case PTYP_STRING8:
	case PTYP_BOOLEAN:
	case PTYP_RESTRICTION:
		return 1;
	case PTYP_INTEGER16:
	case PTYP_STRING:
	case PTYP_UNSPECIFIED:
	case PTYP_SERVER_ID:
	case PTYP_RULE_ACTION:
	case PTYP_BINARY:
		return 2;
	case PTYP_INTEGER32:
	case PTYP_FLOATING32:
	case PTYP_ERROR_CODE:
		return 4;
	case PTYP_GUID:
		return 16;
	}
	return 8;
}

/* --- pull ----------------------------------------------------------------- */

/* false if the value isn't there, or the pull has failed */
static bool pull_presence(struct mapi_pull *pull)
{
	return pull->form != MAPI_WIRE_ADDRESSBOOK || mapi_pull_u8(pull) != 0;
}

static float pull_float(struct mapi_pull *pull)
{
	uint32_t bits = mapi_pull_u32(pull);
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static double pull_double(struct mapi_pull *pull)
{
	uint64_t bits = mapi_pull_u64(pull);
	double f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static void pull_binary(struct mapi_pull *pull, struct mapi_binary *bin_r)
{
	bin_r->len = pull->form == MAPI_WIRE_ROP ? mapi_pull_u16(pull) :
		mapi_pull_u32(pull);
	bin_r->data = mapi_pull_bytes(pull, bin_r->len);
	if (bin_r->data == NULL)
		bin_r->len = 0;
}

static void pull_multiple(struct mapi_pull *pull, uint16_t type,
			  struct mapi_value *value)
{
	uint32_t count = mapi_pull_u32(pull), i;
	uint16_t single = type & (uint16_t)~PTYP_MULTIPLE_FLAG;
	bool ab = pull->form == MAPI_WIRE_ADDRESSBOOK;
	size_t size, min;

	switch (single) {
	case PTYP_INTEGER16:
		size = sizeof(int16_t);
		break;
	case PTYP_INTEGER32:
	case PTYP_FLOATING32:
		size = sizeof(int32_t);
		break;
	case PTYP_GUID:
		size = sizeof(struct mapi_guid);
		break;
	case PTYP_STRING:
	case PTYP_STRING8:
		size = sizeof(const char *);
		break;
	case PTYP_BINARY:
		size = sizeof(struct mapi_binary);
		break;
	default:
		size = sizeof(int64_t);
		break;
	}
	min = type_min_size(single, pull->form);
	value->u.mv.v.any = mapi_pull_array(pull, count, size, min);
	if (value->u.mv.v.any == NULL)
		return;
	value->u.mv.count = count;
	for (i = 0; i < count && mapi_pull_ok(pull); i++) {
		switch (single) {
		case PTYP_INTEGER16:
			value->u.mv.v.i16[i] = (int16_t)mapi_pull_u16(pull);
			break;
		case PTYP_INTEGER32:
			value->u.mv.v.i32[i] = (int32_t)mapi_pull_u32(pull);
			break;
		case PTYP_FLOATING32:
			value->u.mv.v.f32[i] = pull_float(pull);
			break;
		case PTYP_FLOATING64:
		case PTYP_FLOATING_TIME:
			value->u.mv.v.f64[i] = pull_double(pull);
			break;
		case PTYP_GUID:
			mapi_pull_guid(pull, &value->u.mv.v.guid[i]);
			break;
		case PTYP_STRING:
			value->u.mv.v.str[i] = !ab || pull_presence(pull) ?
				mapi_pull_utf16(pull) : "";
			break;
		case PTYP_STRING8:
			value->u.mv.v.str8[i] = !ab || pull_presence(pull) ?
				mapi_pull_string8(pull) : "";
			break;
		case PTYP_BINARY:
			if (!ab || pull_presence(pull))
				pull_binary(pull, &value->u.mv.v.bin[i]);
			break;
		default:
			value->u.mv.v.i64[i] = (int64_t)mapi_pull_u64(pull);
			break;
		}
	}
}

bool mapi_pull_value(struct mapi_pull *pull, uint16_t type,
		     struct mapi_value *value_r)
{
	memset(value_r, 0, sizeof(*value_r));
	type = column_value_type(type);
	value_r->type = type;
	if ((type & PTYP_MULTIPLE_FLAG) != 0 && !mapi_type_is_multiple(type))
		return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
	if (type_has_presence(type) && !pull_presence(pull))
		return mapi_pull_ok(pull);

	if ((type & PTYP_MULTIPLE_FLAG) != 0) {
		pull_multiple(pull, type, value_r);
		return mapi_pull_ok(pull);
	}
	switch (type) {
	case PTYP_NULL:
		break;
	case PTYP_OBJECT:
		/* a placeholder of the address book's; nothing in ROPs */
		if (pull->form == MAPI_WIRE_ADDRESSBOOK)
			(void)mapi_pull_u32(pull);
		break;
	case PTYP_INTEGER16:
		value_r->u.i16 = (int16_t)mapi_pull_u16(pull);
		break;
	case PTYP_INTEGER32:
		value_r->u.i32 = (int32_t)mapi_pull_u32(pull);
		break;
	case PTYP_ERROR_CODE:
		value_r->u.error = mapi_pull_u32(pull);
		break;
	case PTYP_FLOATING32:
		value_r->u.f32 = pull_float(pull);
		break;
	case PTYP_FLOATING64:
	case PTYP_FLOATING_TIME:
		value_r->u.f64 = pull_double(pull);
		break;
	case PTYP_BOOLEAN:
		value_r->u.b = mapi_pull_u8(pull) != 0;
		break;
	case PTYP_CURRENCY:
	case PTYP_INTEGER64:
		value_r->u.i64 = (int64_t)mapi_pull_u64(pull);
		break;
	case PTYP_TIME:
		value_r->u.time = mapi_pull_u64(pull);
		break;
	case PTYP_STRING8:
		value_r->u.str8 = mapi_pull_string8(pull);
		break;
	case PTYP_STRING:
		value_r->u.str = mapi_pull_utf16(pull);
		break;
	case PTYP_GUID:
		mapi_pull_guid(pull, &value_r->u.guid);
		break;
	case PTYP_SERVER_ID:
		/* 16 bits in every form, [MS-OXCDATA] 2.11.1.4 */
		value_r->u.bin.len = mapi_pull_u16(pull);
		value_r->u.bin.data = mapi_pull_bytes(pull,
						      value_r->u.bin.len);
		if (value_r->u.bin.data == NULL)
			value_r->u.bin.len = 0;
		break;
	case PTYP_RESTRICTION:
		value_r->u.restriction = mapi_pull_restriction(pull);
		break;
	case PTYP_RULE_ACTION:
		value_r->u.actions = mapi_pull_rule_actions(pull);
		break;
	case PTYP_BINARY:
		pull_binary(pull, &value_r->u.bin);
		break;
	default:
		return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
	}
	return mapi_pull_ok(pull);
}

bool mapi_pull_typed_value(struct mapi_pull *pull, struct mapi_value *value_r)
{
	uint16_t type = mapi_pull_u16(pull);

	if (type == PTYP_UNSPECIFIED)
		(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
	return mapi_pull_value(pull, type, value_r);
}

bool mapi_pull_tagged_value(struct mapi_pull *pull,
			    struct mapi_property *prop_r)
{
	prop_r->tag = mapi_pull_u32(pull);
	return mapi_pull_value(pull, MAPI_TAG_TYPE(prop_r->tag),
			       &prop_r->value);
}

static bool pull_flagged_value(struct mapi_pull *pull, uint32_t column,
			       struct mapi_value *value_r)
{
	uint16_t type = column_value_type(column);

	if (type == PTYP_UNSPECIFIED) {
		type = mapi_pull_u16(pull);
		if (type == PTYP_UNSPECIFIED)
			(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
	}
	switch (mapi_pull_u8(pull)) {
	case VALUE_PRESENT:
		return mapi_pull_value(pull, type, value_r);
	case VALUE_ABSENT:
		memset(value_r, 0, sizeof(*value_r));
		value_r->type = PTYP_NULL;
		return mapi_pull_ok(pull);
	case VALUE_ERROR:
		*value_r = mapi_value_error(mapi_pull_u32(pull));
		return mapi_pull_ok(pull);
	}
	return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
}

bool mapi_pull_property_row(struct mapi_pull *pull, const uint32_t *columns,
			    uint32_t count, struct mapi_property_row *row_r)
{
	uint32_t i, empty = 0;
	uint8_t flag;

	memset(row_r, 0, sizeof(*row_r));
	row_r->columns = columns;
	flag = mapi_pull_u8(pull);
	if (flag > 1)
		return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
	if (count == 0)
		return mapi_pull_ok(pull);
	for (i = 0; i < count && flag == 0; i++) {
		if (type_min_size(column_value_type(columns[i]),
				  pull->form) == 0)
			empty++;
	}
	if (empty > MAX_EMPTY_COLUMNS)
		return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
	if (!mapi_pull_ok(pull) || count - empty > mapi_pull_left(pull))
		return mapi_pull_fail(pull, MAPI_WIRE_SHORT);
	row_r->values = talloc_array(pull->mem, struct mapi_value, count);
	if (row_r->values == NULL)
		return mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
	for (i = 0; i < count; i++) {
		struct mapi_value *value = &row_r->values[i];
		uint16_t type = column_value_type(columns[i]);

		if (flag != 0)
			pull_flagged_value(pull, columns[i], value);
		else if (type == PTYP_UNSPECIFIED)
			mapi_pull_typed_value(pull, value);
		else
			mapi_pull_value(pull, type, value);
		if (!mapi_pull_ok(pull))
			return false;
	}
	row_r->count = count;
	return true;
}

/* --- push ----------------------------------------------------------------- */

static bool push_presence(struct mapi_push *push, bool present)
{
	return push->form != MAPI_WIRE_ADDRESSBOOK ||
		mapi_push_u8(push, present ? HAS_VALUE : 0);
}

static bool push_float(struct mapi_push *push, float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return mapi_push_u32(push, bits);
}

static bool push_double(struct mapi_push *push, double f)
{
	uint64_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return mapi_push_u64(push, bits);
}

static bool push_binary(struct mapi_push *push, const struct mapi_binary *bin)
{
	if (push->form != MAPI_WIRE_ROP)
		(void)mapi_push_u32(push, bin->len);
	else if (bin->len <= UINT16_MAX)
		(void)mapi_push_u16(push, (uint16_t)bin->len);
	else
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	return mapi_push_bytes(push, bin->data, bin->len);
}

static bool push_multiple(struct mapi_push *push,
			  const struct mapi_value *value)
{
	uint32_t count = value->u.mv.count, i;
	bool ab = push->form == MAPI_WIRE_ADDRESSBOOK;

	if (!mapi_type_is_multiple(value->type) ||
	    (count > 0 && value->u.mv.v.any == NULL))
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	(void)mapi_push_u32(push, count);
	for (i = 0; i < count && mapi_push_ok(push); i++) {
		switch (value->type) {
		case PTYP_MULTIPLE_INTEGER16:
			mapi_push_u16(push, (uint16_t)value->u.mv.v.i16[i]);
			break;
		case PTYP_MULTIPLE_INTEGER32:
			mapi_push_u32(push, (uint32_t)value->u.mv.v.i32[i]);
			break;
		case PTYP_MULTIPLE_FLOATING32:
			push_float(push, value->u.mv.v.f32[i]);
			break;
		case PTYP_MULTIPLE_FLOATING64:
		case PTYP_MULTIPLE_FLOATING_TIME:
			push_double(push, value->u.mv.v.f64[i]);
			break;
		default:
			mapi_push_u64(push, (uint64_t)value->u.mv.v.i64[i]);
			break;
		case PTYP_MULTIPLE_GUID:
			mapi_push_guid(push, &value->u.mv.v.guid[i]);
			break;
		case PTYP_MULTIPLE_STRING:
			if (!ab || push_presence(push, true))
				mapi_push_utf16(push, value->u.mv.v.str[i]);
			break;
		case PTYP_MULTIPLE_STRING8:
			if (!ab || push_presence(push, true))
				mapi_push_string8(push, value->u.mv.v.str8[i]);
			break;
		case PTYP_MULTIPLE_BINARY:
			if (!ab || push_presence(push, true))
				push_binary(push, &value->u.mv.v.bin[i]);
			break;
		}
	}
	return mapi_push_ok(push);
}

bool mapi_push_value(struct mapi_push *push, const struct mapi_value *value)
{
	bool present = true;

	if (type_has_presence(value->type) &&
	    push->form == MAPI_WIRE_ADDRESSBOOK) {
		if (value->type == PTYP_STRING)
			present = value->u.str != NULL;
		else if (value->type == PTYP_STRING8)
			present = value->u.str8 != NULL;
		if (!push_presence(push, present) || !present)
			return mapi_push_ok(push);
	}
	if ((value->type & PTYP_MULTIPLE_FLAG) != 0)
		return push_multiple(push, value);
	switch (value->type) {
	case PTYP_NULL:
		return mapi_push_ok(push);
	case PTYP_OBJECT:
		return push->form != MAPI_WIRE_ADDRESSBOOK ?
			mapi_push_ok(push) : mapi_push_u32(push, 0);
	case PTYP_INTEGER16:
		return mapi_push_u16(push, (uint16_t)value->u.i16);
	case PTYP_INTEGER32:
		return mapi_push_u32(push, (uint32_t)value->u.i32);
	case PTYP_ERROR_CODE:
		return mapi_push_u32(push, value->u.error);
	case PTYP_FLOATING32:
		return push_float(push, value->u.f32);
	case PTYP_FLOATING64:
	case PTYP_FLOATING_TIME:
		return push_double(push, value->u.f64);
	case PTYP_BOOLEAN:
		return mapi_push_u8(push, value->u.b ? 1 : 0);
	case PTYP_CURRENCY:
	case PTYP_INTEGER64:
		return mapi_push_u64(push, (uint64_t)value->u.i64);
	case PTYP_TIME:
		return mapi_push_u64(push, value->u.time);
	case PTYP_STRING8:
		return mapi_push_string8(push, value->u.str8);
	case PTYP_STRING:
		return mapi_push_utf16(push, value->u.str);
	case PTYP_GUID:
		return mapi_push_guid(push, &value->u.guid);
	case PTYP_SERVER_ID:
		if (value->u.bin.len > UINT16_MAX)
			break;
		return mapi_push_u16(push, (uint16_t)value->u.bin.len) &&
			mapi_push_bytes(push, value->u.bin.data,
					value->u.bin.len);
	case PTYP_RESTRICTION:
		return mapi_push_restriction(push, value->u.restriction);
	case PTYP_RULE_ACTION:
		return mapi_push_rule_actions(push, value->u.actions);
	case PTYP_BINARY:
		return push_binary(push, &value->u.bin);
	}
	return mapi_push_fail(push, MAPI_WIRE_INVALID);
}

bool mapi_push_typed_value(struct mapi_push *push,
			   const struct mapi_value *value)
{
	return mapi_push_u16(push, value->type) &&
		mapi_push_value(push, value);
}

bool mapi_push_tagged_value(struct mapi_push *push,
			    const struct mapi_property *prop)
{
	if (column_value_type(prop->tag) != prop->value.type)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	return mapi_push_u32(push, prop->tag) &&
		mapi_push_value(push, &prop->value);
}

/* A value that its column can't have in a standard row */
static bool value_needs_flag(uint16_t type, const struct mapi_value *value)
{
	if (value->type == PTYP_ERROR_CODE)
		return type != PTYP_ERROR_CODE;
	return value->type == PTYP_NULL && type != PTYP_NULL &&
		type != PTYP_UNSPECIFIED;
}

bool mapi_push_property_row(struct mapi_push *push,
			    const struct mapi_property_row *row)
{
	bool flagged = false;
	uint32_t i;

	for (i = 0; i < row->count && !flagged; i++) {
		flagged = value_needs_flag(column_value_type(row->columns[i]),
					   &row->values[i]);
	}
	(void)mapi_push_u8(push, flagged ? 1 : 0);
	for (i = 0; i < row->count && mapi_push_ok(push); i++) {
		const struct mapi_value *value = &row->values[i];
		uint16_t type = column_value_type(row->columns[i]);
		bool needs_flag = value_needs_flag(type, value);

		if (type == PTYP_UNSPECIFIED)
			(void)mapi_push_u16(push, value->type);
		else if (type != value->type && !needs_flag)
			return mapi_push_fail(push, MAPI_WIRE_INVALID);
		if (needs_flag) {
			if (value->type == PTYP_NULL) {
				(void)mapi_push_u8(push, VALUE_ABSENT);
			} else {
				(void)mapi_push_u8(push, VALUE_ERROR);
				(void)mapi_push_u32(push, value->u.error);
			}
			continue;
		}
		if (flagged)
			(void)mapi_push_u8(push, VALUE_PRESENT);
		(void)mapi_push_value(push, value);
	}
	return mapi_push_ok(push);
}

size_t mapi_value_wire_size(const struct mapi_value *value)
{
	struct mapi_push push;

	mapi_push_init_counting(&push);
	return mapi_push_value(&push, value) ? push.size : 0;
}

size_t mapi_property_row_size(const struct mapi_property_row *row)
{
	struct mapi_push push;

	mapi_push_init_counting(&push);
	return mapi_push_property_row(&push, row) ? push.size : 0;
}
