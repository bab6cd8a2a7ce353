/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-fxstream.h"
#include "mapi-restriction.h"
#include "mapi-rule.h"

#include <string.h>

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* How values are laid out */
enum fx_class {
	FX_FIXED,
	/* length, bytes */
	FX_VAR,
	/* count, fixed */
	FX_MULTIPLE_FIXED,
	/* count, (length, bytes) */
	FX_MULTIPLE_VAR,
};

struct fx_type {
	uint16_t type;
	enum fx_class class;
	/* of a fixed value */
	unsigned int size;
};

static const struct fx_type fx_types[] = {
	{ PTYP_NULL, FX_FIXED, 0 },
	{ PTYP_INTEGER16, FX_FIXED, 2 },
	{ PTYP_INTEGER32, FX_FIXED, 4 },
	{ PTYP_FLOATING32, FX_FIXED, 4 },
	{ PTYP_FLOATING64, FX_FIXED, 8 },
	{ PTYP_CURRENCY, FX_FIXED, 8 },
	{ PTYP_FLOATING_TIME, FX_FIXED, 8 },
	{ PTYP_ERROR_CODE, FX_FIXED, 4 },
	{ PTYP_BOOLEAN, FX_FIXED, 2 },
	{ PTYP_OBJECT, FX_VAR, 0 },
	{ PTYP_INTEGER64, FX_FIXED, 8 },
	{ PTYP_STRING8, FX_VAR, 0 },
	{ PTYP_STRING, FX_VAR, 0 },
	{ PTYP_TIME, FX_FIXED, 8 },
	{ PTYP_GUID, FX_FIXED, 16 },
	{ PTYP_SERVER_ID, FX_VAR, 0 },
	{ PTYP_RESTRICTION, FX_VAR, 0 },
	{ PTYP_RULE_ACTION, FX_VAR, 0 },
	{ PTYP_BINARY, FX_VAR, 0 },
	{ PTYP_MULTIPLE_INTEGER16, FX_MULTIPLE_FIXED, 2 },
	{ PTYP_MULTIPLE_INTEGER32, FX_MULTIPLE_FIXED, 4 },
	{ PTYP_MULTIPLE_FLOATING32, FX_MULTIPLE_FIXED, 4 },
	{ PTYP_MULTIPLE_FLOATING64, FX_MULTIPLE_FIXED, 8 },
	{ PTYP_MULTIPLE_CURRENCY, FX_MULTIPLE_FIXED, 8 },
	{ PTYP_MULTIPLE_FLOATING_TIME, FX_MULTIPLE_FIXED, 8 },
	{ PTYP_MULTIPLE_INTEGER64, FX_MULTIPLE_FIXED, 8 },
	{ PTYP_MULTIPLE_STRING8, FX_MULTIPLE_VAR, 0 },
	{ PTYP_MULTIPLE_STRING, FX_MULTIPLE_VAR, 0 },
	{ PTYP_MULTIPLE_TIME, FX_MULTIPLE_FIXED, 8 },
	{ PTYP_MULTIPLE_GUID, FX_MULTIPLE_FIXED, 16 },
	{ PTYP_MULTIPLE_BINARY, FX_MULTIPLE_VAR, 0 },
};

static const uint32_t fx_markers[] = {
	MAPI_FX_NEW_ATTACH, MAPI_FX_START_EMBED, MAPI_FX_END_EMBED,
	MAPI_FX_START_RECIP, MAPI_FX_END_TO_RECIP, MAPI_FX_START_TOP_FLD,
	MAPI_FX_START_SUB_FLD, MAPI_FX_END_FOLDER, MAPI_FX_START_MESSAGE,
	MAPI_FX_END_MESSAGE, MAPI_FX_END_ATTACH, MAPI_FX_START_FAI_MSG,
	MAPI_FX_INCR_SYNC_CHG, MAPI_FX_INCR_SYNC_DEL, MAPI_FX_INCR_SYNC_END,
	MAPI_FX_INCR_SYNC_MESSAGE, MAPI_FX_ERROR_INFO, MAPI_FX_INCR_SYNC_READ,
	MAPI_FX_INCR_SYNC_STATE_BEGIN, MAPI_FX_INCR_SYNC_STATE_END,
	MAPI_FX_INCR_SYNC_PROGRESS_MODE, MAPI_FX_INCR_SYNC_PROGRESS_PER_MSG,
	MAPI_FX_INCR_SYNC_GROUP_INFO, MAPI_FX_INCR_SYNC_CHG_PARTIAL,
};

bool mapi_fx_is_marker(uint32_t tag)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LENGTH(fx_markers); i++) {
		if (fx_markers[i] == tag)
			return true;
	}
	return false;
}

static const struct fx_type *fx_type_find(uint16_t type)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LENGTH(fx_types); i++) {
		if (fx_types[i].type == type)
			return &fx_types[i];
	}
	return NULL;
}

/* The type that a value has in memory */
static uint16_t fx_value_type(uint32_t tag)
{
	uint16_t type = MAPI_TAG_TYPE(tag);

	if (tag == MAPI_FX_TAG_IDSET_GIVEN)
		return PTYP_BINARY;
	if ((type & MAPI_FX_CODE_PAGE_FLAG) == 0)
		return type;
	return (type & ~MAPI_FX_CODE_PAGE_FLAG) == MAPI_FX_CODE_PAGE_UTF16 ?
		PTYP_STRING : PTYP_STRING8;
}

/* --- writing ---------------------------------------------------------------- */

bool mapi_fx_push_marker(struct mapi_push *push, enum mapi_fx_marker marker)
{
	return mapi_push_u32(push, marker);
}

/* propDef: type, propInfo */
static bool
fx_push_header(struct mapi_push *push, uint32_t tag,
	       const struct mapi_property_name *name)
{
	if (mapi_fx_is_marker(tag) ||
	    (name != NULL) != MAPI_TAG_IS_NAMED(tag))
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	(void)mapi_push_u32(push, tag);
	if (name == NULL)
		return mapi_push_ok(push);
	(void)mapi_push_guid(push, &name->guid);
	(void)mapi_push_u8(push, name->kind);
	switch (name->kind) {
	case MAPI_NAME_LID:
		return mapi_push_u32(push, name->lid);
	case MAPI_NAME_STRING:
		if (mapi_utf16_size(name->name) > MAPI_FX_NAME_SIZE_MAX)
			break;
		return mapi_push_utf16(push, name->name);
	case MAPI_NAME_NONE:
		break;
	}
	return mapi_push_fail(push, MAPI_WIRE_INVALID);
}

/* Bytes after their length */
static bool
fx_push_var(struct mapi_push *push, uint16_t type, const struct mapi_value *value)
{
	enum mapi_wire_form form = push->form;
	size_t pos = push->size, size;

	(void)mapi_push_u32(push, 0);
	switch (type) {
	case PTYP_STRING:
		(void)mapi_push_utf16(push, value->u.str);
		break;
	case PTYP_STRING8:
		(void)mapi_push_string8(push, value->u.str8);
		break;
	case PTYP_RESTRICTION:
	case PTYP_RULE_ACTION:
		if (value->u.restriction == NULL)
			return mapi_push_fail(push, MAPI_WIRE_INVALID);
		push->form = MAPI_WIRE_ROP;
		(void)mapi_push_value(push, value);
		push->form = form;
		break;
	default:
		(void)mapi_push_bytes(push, value->u.bin.data,
				      value->u.bin.len);
		break;
	}
	if (!mapi_push_ok(push))
		return false;
	size = push->size - pos - sizeof(uint32_t);
	if (size > UINT32_MAX)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	mapi_push_patch_u32(push, pos, (uint32_t)size);
	return true;
}

static bool
fx_push_multiple_var(struct mapi_push *push, const struct mapi_value *value)
{
	uint16_t type = value->type & (uint16_t)~PTYP_MULTIPLE_FLAG;
	struct mapi_value single;
	uint32_t i;

	memset(&single, 0, sizeof(single));
	single.type = type;
	(void)mapi_push_u32(push, value->u.mv.count);
	for (i = 0; i < value->u.mv.count && mapi_push_ok(push); i++) {
		if (type == PTYP_BINARY)
			single.u.bin = value->u.mv.v.bin[i];
		else if (type == PTYP_STRING)
			single.u.str = value->u.mv.v.str[i];
		else
			single.u.str8 = value->u.mv.v.str8[i];
		(void)fx_push_var(push, type, &single);
	}
	return mapi_push_ok(push);
}

static bool
fx_push_value(struct mapi_push *push, const struct mapi_value *value)
{
	const struct fx_type *type = fx_type_find(value->type);

	if (type == NULL)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	switch (type->class) {
	case FX_FIXED:
		if (value->type == PTYP_BOOLEAN)
			return mapi_push_u16(push, value->u.b ? 1 : 0);
		break;
	case FX_VAR:
		return fx_push_var(push, value->type, value);
	case FX_MULTIPLE_VAR:
		return fx_push_multiple_var(push, value);
	case FX_MULTIPLE_FIXED:
		break;
	}
	return mapi_push_value(push, value);
}

bool mapi_fx_push_property(struct mapi_push *push, uint32_t tag,
			   const struct mapi_property_name *name,
			   const struct mapi_value *value)
{
	if (tag != MAPI_FX_TAG_IDSET_GIVEN || value->type != PTYP_BINARY)
		tag = MAPI_TAG_AS(tag, value->type);
	if (fx_value_type(tag) != value->type)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	return fx_push_header(push, tag, name) && fx_push_value(push, value);
}

bool mapi_fx_push_large(struct mapi_push *push, uint32_t tag,
			const struct mapi_property_name *name, uint32_t size)
{
	uint16_t type = fx_value_type(tag);

	if (type != PTYP_BINARY && type != PTYP_OBJECT)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	return fx_push_header(push, tag, name) && mapi_push_u32(push, size);
}

/* --- reading ---------------------------------------------------------------- */

/* What comes next in the element that buffer has the beginning of */
enum fx_stage {
	FX_STAGE_TAG,
	/* property set and kind */
	FX_STAGE_NAME_KIND,
	FX_STAGE_NAME_LID,
	/* the next unit of a string */
	FX_STAGE_NAME_UNIT,
	/* of a value, or count of values */
	FX_STAGE_LENGTH,
	/* of one of several values */
	FX_STAGE_ITEM_LENGTH,
	/* all of it is there */
	FX_STAGE_ITEM,
	FX_STAGE_VALUE,

	FX_STAGE_LARGE,
	FX_STAGE_INVALID,
};

struct mapi_fx_reader {
	uint32_t large_min;
	size_t max_size;

	enum fx_stage stage;
	uint8_t *buffer;
	size_t used, allocated;
	/* stage can be left when so much is in the buffer */
	uint64_t need;
	/* the last element has been given to the caller */
	bool done;

	uint32_t tag;
	uint16_t type;
	const struct fx_type *info;
	struct mapi_property_name name;
	/* where the string begins, where the value does */
	size_t name_pos, value_pos;
	/* values yet to come */
	uint32_t items;
	/* FX_STAGE_LARGE */
	uint32_t large_size, large_left;
	/* what an element points to */
	TALLOC_CTX *mem;
};

#define FX_BUFFER_KEEP (64 * 1024)

struct mapi_fx_reader *
mapi_fx_reader_create(TALLOC_CTX *parent, uint32_t large_min, size_t max_size)
{
	struct mapi_fx_reader *reader =
		talloc_zero(parent, struct mapi_fx_reader);

	if (reader == NULL)
		return NULL;
	reader->large_min = large_min;
	reader->max_size = max_size;
	reader->need = sizeof(uint32_t);
	return reader;
}

bool mapi_fx_reader_is_idle(const struct mapi_fx_reader *reader)
{
	if (reader->stage == FX_STAGE_LARGE)
		return reader->large_left == 0;
	return reader->done ||
		(reader->stage == FX_STAGE_TAG && reader->used == 0);
}

void mapi_fx_reader_skip(struct mapi_fx_reader *reader)
{
	if (reader->stage == FX_STAGE_LARGE)
		reader->large_left = 0;
}

static void fx_reader_next(struct mapi_fx_reader *reader)
{
	talloc_free(reader->mem);
	reader->mem = NULL;
	if (reader->allocated > FX_BUFFER_KEEP) {
		talloc_free(reader->buffer);
		reader->buffer = NULL;
		reader->allocated = 0;
	}
	reader->used = 0;
	reader->done = false;
	reader->stage = FX_STAGE_TAG;
	reader->need = sizeof(uint32_t);
}

static bool
fx_reader_append(struct mapi_fx_reader *reader, const uint8_t *data, size_t size)
{
	size_t allocated = reader->allocated;
	uint8_t *buffer;

	if (reader->used + size > allocated) {
		allocated *= 2;
		if (allocated < reader->used + size)
			allocated = reader->used + size;
		if (allocated < 128)
			allocated = 128;
		buffer = talloc_realloc(reader, reader->buffer, uint8_t,
					allocated);
		if (buffer == NULL)
			return false;
		reader->buffer = buffer;
		reader->allocated = allocated;
	}
	memcpy(reader->buffer + reader->used, data, size);
	reader->used += size;
	return true;
}

static uint32_t fx_reader_u32(const struct mapi_fx_reader *reader, size_t pos)
{
	struct mapi_pull pull;

	mapi_pull_init(&pull, NULL, reader->buffer + pos, sizeof(uint32_t));
	return mapi_pull_u32(&pull);
}

static TALLOC_CTX *fx_reader_mem(struct mapi_fx_reader *reader)
{
	if (reader->mem == NULL)
		reader->mem = talloc_new(reader);
	return reader->mem;
}

static void
fx_reader_expect(struct mapi_fx_reader *reader, enum fx_stage stage,
		 uint64_t size)
{
	reader->stage = stage;
	reader->need += size;
	if (reader->max_size != 0 && reader->need > reader->max_size)
		reader->stage = FX_STAGE_INVALID;
}

/* The header is there */
static void fx_reader_expect_value(struct mapi_fx_reader *reader)
{
	reader->value_pos = reader->used;
	if (reader->info->class == FX_FIXED)
		fx_reader_expect(reader, FX_STAGE_VALUE, reader->info->size);
	else
		fx_reader_expect(reader, FX_STAGE_LENGTH, sizeof(uint32_t));
}

static void fx_reader_expect_item(struct mapi_fx_reader *reader)
{
	if (reader->items == 0)
		fx_reader_expect(reader, FX_STAGE_VALUE, 0);
	else {
		reader->items--;
		fx_reader_expect(reader, FX_STAGE_ITEM_LENGTH,
				 sizeof(uint32_t));
	}
}

/* TRUE if it's a marker */
static bool fx_reader_tag(struct mapi_fx_reader *reader)
{
	reader->tag = fx_reader_u32(reader, 0);
	if (mapi_fx_is_marker(reader->tag))
		return true;
	reader->type = fx_value_type(reader->tag);
	reader->info = fx_type_find(reader->type);
	if (reader->info == NULL)
		reader->stage = FX_STAGE_INVALID;
	else if (MAPI_TAG_IS_NAMED(reader->tag))
		fx_reader_expect(reader, FX_STAGE_NAME_KIND,
				 sizeof(struct mapi_guid) + 1);
	else
		fx_reader_expect_value(reader);
	return false;
}

static void fx_reader_name_kind(struct mapi_fx_reader *reader)
{
	memset(&reader->name, 0, sizeof(reader->name));
	memcpy(reader->name.guid.bytes, reader->buffer + sizeof(uint32_t),
	       sizeof(reader->name.guid.bytes));
	switch (reader->buffer[reader->used - 1]) {
	case MAPI_NAME_LID:
		reader->name.kind = MAPI_NAME_LID;
		fx_reader_expect(reader, FX_STAGE_NAME_LID, sizeof(uint32_t));
		break;
	case MAPI_NAME_STRING:
		reader->name.kind = MAPI_NAME_STRING;
		reader->name_pos = reader->used;
		fx_reader_expect(reader, FX_STAGE_NAME_UNIT, sizeof(uint16_t));
		break;
	default:
		reader->stage = FX_STAGE_INVALID;
		break;
	}
}

static void fx_reader_name_unit(struct mapi_fx_reader *reader)
{
	const uint8_t *unit = reader->buffer + reader->used - sizeof(uint16_t);

	if (unit[0] == 0 && unit[1] == 0)
		fx_reader_expect_value(reader);
	else if (reader->used - reader->name_pos > MAPI_FX_NAME_SIZE_MAX)
		reader->stage = FX_STAGE_INVALID;
	else
		fx_reader_expect(reader, FX_STAGE_NAME_UNIT, sizeof(uint16_t));
}

static bool fx_reader_is_large(const struct mapi_fx_reader *reader)
{
	return reader->type == PTYP_BINARY || reader->type == PTYP_OBJECT;
}

static void fx_reader_length(struct mapi_fx_reader *reader)
{
	uint32_t length = fx_reader_u32(reader, reader->value_pos);

	switch (reader->info->class) {
	case FX_MULTIPLE_FIXED:
		fx_reader_expect(reader, FX_STAGE_VALUE,
				 (uint64_t)length * reader->info->size);
		break;
	case FX_MULTIPLE_VAR:
		reader->items = length;
		fx_reader_expect_item(reader);
		break;
	default:
		if (length <= reader->large_min || !fx_reader_is_large(reader)) {
			fx_reader_expect(reader, FX_STAGE_VALUE, length);
			break;
		}
		reader->stage = FX_STAGE_LARGE;
		reader->large_size = reader->large_left = length;
		break;
	}
}

/* Bytes of a value without their length */
static void
fx_pull_var(struct mapi_pull *pull, uint16_t type, uint32_t size,
	    struct mapi_value *value_r)
{
	const uint8_t *data = mapi_pull_bytes(pull, size);
	struct mapi_pull sub;
	char *str;

	if (data == NULL)
		return;
	switch (type) {
	case PTYP_STRING:
		str = mapi_utf16_to_utf8(pull->mem, data, size);
		if (str == NULL || (size & 1) != 0)
			(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
		value_r->u.str = str;
		break;
	case PTYP_STRING8:
		str = talloc_strndup(pull->mem, (const char *)data, size);
		if (str == NULL)
			(void)mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
		value_r->u.str8 = str;
		break;
	case PTYP_RESTRICTION:
	case PTYP_RULE_ACTION:
		mapi_pull_init(&sub, pull->mem, data, size);
		if (!mapi_pull_value(&sub, type, value_r))
			(void)mapi_pull_fail(pull, sub.status);
		else if (mapi_pull_left(&sub) > 0)
			(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
		break;
	default:
		value_r->u.bin.data = data;
		value_r->u.bin.len = size;
		break;
	}
}

static void
fx_pull_multiple_var(struct mapi_pull *pull, uint16_t type,
		     struct mapi_value *value_r)
{
	uint32_t count = mapi_pull_u32(pull), i;
	struct mapi_value single;
	bool binary;

	type &= (uint16_t)~PTYP_MULTIPLE_FLAG;
	binary = type == PTYP_BINARY;
	value_r->u.mv.v.any =
		mapi_pull_array(pull, count, binary ?
				sizeof(struct mapi_binary) :
				sizeof(const char *), sizeof(uint32_t));
	if (value_r->u.mv.v.any == NULL)
		return;
	value_r->u.mv.count = count;
	for (i = 0; i < count && mapi_pull_ok(pull); i++) {
		memset(&single, 0, sizeof(single));
		fx_pull_var(pull, type, mapi_pull_u32(pull), &single);
		if (binary)
			value_r->u.mv.v.bin[i] = single.u.bin;
		else
			value_r->u.mv.v.str[i] = single.u.str;
	}
}

/* All bytes of the element are there. */
static bool
fx_reader_value(struct mapi_fx_reader *reader, struct mapi_value *value_r)
{
	struct mapi_pull pull;

	mapi_pull_init(&pull, fx_reader_mem(reader), reader->buffer + reader->value_pos,
		       reader->used - reader->value_pos);
	switch (reader->info->class) {
	case FX_FIXED:
		if (reader->type == PTYP_BOOLEAN) {
			value_r->u.b = mapi_pull_u16(&pull) != 0;
			break;
		}
		/* fall through */
	case FX_MULTIPLE_FIXED:
		(void)mapi_pull_value(&pull, reader->type, value_r);
		break;
	case FX_VAR:
		fx_pull_var(&pull, reader->type, mapi_pull_u32(&pull), value_r);
		break;
	case FX_MULTIPLE_VAR:
		fx_pull_multiple_var(&pull, reader->type, value_r);
		break;
	}
	return mapi_pull_ok(&pull);
}

static bool
fx_reader_element(struct mapi_fx_reader *reader, struct mapi_fx_element *elem_r)
{
	memset(elem_r, 0, sizeof(*elem_r));
	elem_r->tag = reader->tag;
	elem_r->value.type = reader->type;
	elem_r->size = reader->large_size;
	if (!MAPI_TAG_IS_NAMED(reader->tag))
		return true;
	if (reader->name.kind == MAPI_NAME_STRING &&
	    reader->name.name == NULL) {
		reader->name.name =
			mapi_utf16_to_utf8(fx_reader_mem(reader),
					   reader->buffer + reader->name_pos,
					   reader->value_pos -
					   reader->name_pos);
		if (reader->name.name == NULL)
			return false;
	}
	elem_r->name = &reader->name;
	return true;
}

static enum mapi_fx_event
fx_reader_data(struct mapi_fx_reader *reader, const uint8_t **data, size_t *size,
	       struct mapi_fx_element *elem_r)
{
	size_t len = *size < reader->large_left ? *size : reader->large_left;

	if (len == 0)
		return MAPI_FX_MORE;
	(void)fx_reader_element(reader, elem_r);
	elem_r->value.u.bin.data = *data;
	elem_r->value.u.bin.len = (uint32_t)len;
	reader->large_left -= (uint32_t)len;
	*data += len;
	*size -= len;
	return MAPI_FX_DATA;
}

/* What the stage waited for is there. MAPI_FX_MORE: so is the next stage's
   turn. */
static enum mapi_fx_event
fx_reader_step(struct mapi_fx_reader *reader, struct mapi_fx_element *elem_r)
{
	switch (reader->stage) {
	case FX_STAGE_TAG:
		if (!fx_reader_tag(reader))
			break;
		memset(elem_r, 0, sizeof(*elem_r));
		elem_r->tag = reader->tag;
		reader->done = true;
		return MAPI_FX_MARKER;
	case FX_STAGE_NAME_KIND:
		fx_reader_name_kind(reader);
		break;
	case FX_STAGE_NAME_LID:
		reader->name.lid = fx_reader_u32(reader, reader->used -
						 sizeof(uint32_t));
		fx_reader_expect_value(reader);
		break;
	case FX_STAGE_NAME_UNIT:
		fx_reader_name_unit(reader);
		break;
	case FX_STAGE_LENGTH:
		fx_reader_length(reader);
		if (reader->stage != FX_STAGE_LARGE)
			break;
		return fx_reader_element(reader, elem_r) ? MAPI_FX_LARGE :
			MAPI_FX_INVALID;
	case FX_STAGE_ITEM_LENGTH:
		fx_reader_expect(reader, FX_STAGE_ITEM,
				 fx_reader_u32(reader, reader->used -
					       sizeof(uint32_t)));
		break;
	case FX_STAGE_ITEM:
		fx_reader_expect_item(reader);
		break;
	case FX_STAGE_VALUE:
		if (!fx_reader_element(reader, elem_r) ||
		    !fx_reader_value(reader, &elem_r->value))
			return MAPI_FX_INVALID;
		reader->done = true;
		return MAPI_FX_PROPERTY;
	case FX_STAGE_LARGE:
	case FX_STAGE_INVALID:
		return MAPI_FX_INVALID;
	}
	return MAPI_FX_MORE;
}

enum mapi_fx_event
mapi_fx_read(struct mapi_fx_reader *reader, const uint8_t **data, size_t *size,
	     struct mapi_fx_element *elem_r)
{
	enum mapi_fx_event event = MAPI_FX_MORE;
	uint64_t len;

	if (reader->stage == FX_STAGE_LARGE && reader->large_left > 0)
		return fx_reader_data(reader, data, size, elem_r);
	if (reader->done || reader->stage == FX_STAGE_LARGE)
		fx_reader_next(reader);
	while (event == MAPI_FX_MORE && reader->stage != FX_STAGE_INVALID) {
		len = reader->need - reader->used;
		if (len > *size)
			len = *size;
		if (len > 0 && !fx_reader_append(reader, *data, (size_t)len)) {
			reader->stage = FX_STAGE_INVALID;
			break;
		}
		*data += len;
		*size -= (size_t)len;
		if (reader->used < reader->need)
			return MAPI_FX_MORE;
		event = fx_reader_step(reader, elem_r);
	}
	if (reader->stage == FX_STAGE_INVALID)
		return MAPI_FX_INVALID;
	if (event == MAPI_FX_INVALID)
		reader->stage = FX_STAGE_INVALID;
	return event;
}
