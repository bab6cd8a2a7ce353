/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-wire.h"

#include <string.h>

#define PUSH_SIZE_INITIAL 128

enum mapi_error mapi_wire_error(enum mapi_wire_status status)
{
	switch (status) {
	case MAPI_WIRE_OK:
		return EC_NONE;
	case MAPI_WIRE_SHORT:
	case MAPI_WIRE_INVALID:
		return EC_RPC_FORMAT;
	case MAPI_WIRE_TOO_DEEP:
		return EC_TOO_COMPLEX;
	case MAPI_WIRE_FULL:
		return EC_BUFFER_TOO_SMALL;
	case MAPI_WIRE_NOMEM:
		break;
	}
	return EC_MEMORY;
}

/* --- pull ----------------------------------------------------------------- */

void mapi_pull_init(struct mapi_pull *pull, TALLOC_CTX *mem,
		    const void *data, size_t size)
{
	memset(pull, 0, sizeof(*pull));
	pull->mem = mem;
	/* mapi_pull_bytes() returns NULL for failure only */
	pull->data = data != NULL ? data : (const uint8_t *)"";
	pull->size = data != NULL ? size : 0;
	pull->unclaimed = pull->size;
}

bool mapi_pull_fail(struct mapi_pull *pull, enum mapi_wire_status status)
{
	if (pull->status == MAPI_WIRE_OK)
		pull->status = status;
	return false;
}

const uint8_t *mapi_pull_bytes(struct mapi_pull *pull, size_t size)
{
	const uint8_t *p;

	if (pull->status != MAPI_WIRE_OK)
		return NULL;
	if (size > pull->size - pull->pos) {
		pull->status = MAPI_WIRE_SHORT;
		return NULL;
	}
	p = pull->data + pull->pos;
	pull->pos += size;
	return p;
}

uint8_t mapi_pull_u8(struct mapi_pull *pull)
{
	const uint8_t *p = mapi_pull_bytes(pull, 1);

	return p == NULL ? 0 : p[0];
}

uint16_t mapi_pull_u16(struct mapi_pull *pull)
{
	const uint8_t *p = mapi_pull_bytes(pull, 2);

	return p == NULL ? 0 : (uint16_t)(p[0] | (p[1] << 8));
}

uint32_t mapi_pull_u32(struct mapi_pull *pull)
{
	const uint8_t *p = mapi_pull_bytes(pull, 4);

	return p == NULL ? 0 : (uint32_t)p[0] | ((uint32_t)p[1] << 8) |
		((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

uint64_t mapi_pull_u64(struct mapi_pull *pull)
{
	uint64_t low, high;

	if (mapi_pull_left(pull) < 8) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_SHORT);
		return 0;
	}
	low = mapi_pull_u32(pull);
	high = mapi_pull_u32(pull);
	return low | (high << 32);
}

mapi_id_t mapi_pull_id(struct mapi_pull *pull)
{
	return mapi_id_from_i64((int64_t)mapi_pull_u64(pull));
}

uint64_t mapi_pull_globcnt(struct mapi_pull *pull)
{
	const uint8_t *p = mapi_pull_bytes(pull, 6);
	uint64_t globcnt = 0;
	unsigned int i;

	for (i = 0; p != NULL && i < 6; i++)
		globcnt = (globcnt << 8) | p[i];
	return globcnt;
}

void mapi_pull_guid(struct mapi_pull *pull, struct mapi_guid *guid_r)
{
	const uint8_t *p = mapi_pull_bytes(pull, sizeof(guid_r->bytes));

	if (p == NULL)
		memset(guid_r, 0, sizeof(*guid_r));
	else
		memcpy(guid_r->bytes, p, sizeof(guid_r->bytes));
}

const char *mapi_pull_string8(struct mapi_pull *pull)
{
	size_t left = mapi_pull_left(pull);
	const uint8_t *p, *end;
	char *str;

	if (left == 0 ||
	    (end = memchr(pull->data + pull->pos, '\0', left)) == NULL) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_SHORT);
		return "";
	}
	p = pull->data + pull->pos;
	str = talloc_strndup(pull->mem, (const char *)p, (size_t)(end - p));
	if (str == NULL) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
		return "";
	}
	pull->pos += (size_t)(end - p) + 1;
	return str;
}

const char *mapi_pull_utf16(struct mapi_pull *pull)
{
	size_t left = mapi_pull_left(pull), len;
	const uint8_t *p;
	char *str;

	p = left == 0 ? NULL : pull->data + pull->pos;
	for (len = 0; len + 1 < left; len += 2) {
		if (p[len] == 0 && p[len + 1] == 0)
			break;
	}
	if (len + 1 >= left) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_SHORT);
		return "";
	}
	str = mapi_utf16_to_utf8(pull->mem, p, len);
	if (str == NULL) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
		return "";
	}
	pull->pos += len + 2;
	return str;
}

static const char *pull_latin1(struct mapi_pull *pull)
{
	const char *str8 = mapi_pull_string8(pull);
	const uint8_t *p;
	char *str, *out;

	str = talloc_array(pull->mem, char, strlen(str8) * 2 + 1);
	if (str == NULL) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
		return "";
	}
	out = str;
	for (p = (const uint8_t *)str8; *p != '\0'; p++) {
		if (*p < 0x80) {
			*out++ = (char)*p;
		} else {
			*out++ = (char)(0xc0 | (*p >> 6));
			*out++ = (char)(0x80 | (*p & 0x3f));
		}
	}
	*out = '\0';
	return str;
}

const char *mapi_pull_typed_string(struct mapi_pull *pull)
{
	switch (mapi_pull_u8(pull)) {
	case 0x00:
		return NULL;
	case 0x01:
		return "";
	case 0x02:
	case 0x03:
		return pull_latin1(pull);
	case 0x04:
		return mapi_pull_utf16(pull);
	}
	(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
	return NULL;
}

void mapi_pull_property_name(struct mapi_pull *pull,
			     struct mapi_property_name *name_r)
{
	const uint8_t *p;
	uint8_t kind, size;

	memset(name_r, 0, sizeof(*name_r));
	kind = mapi_pull_u8(pull);
	mapi_pull_guid(pull, &name_r->guid);
	switch (kind) {
	case MAPI_NAME_LID:
		name_r->kind = MAPI_NAME_LID;
		name_r->lid = mapi_pull_u32(pull);
		break;
	case MAPI_NAME_STRING:
		name_r->kind = MAPI_NAME_STRING;
		name_r->name = "";
		size = mapi_pull_u8(pull);
		p = mapi_pull_bytes(pull, size);
		if (p == NULL)
			break;
		/* One that has no NUL and no room for it can't be written
		   again. */
		if (size >= 254 && (p[252] != 0 || p[253] != 0)) {
			(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
			break;
		}
		name_r->name = mapi_utf16_to_utf8(pull->mem, p, size);
		if (name_r->name == NULL) {
			name_r->name = "";
			(void)mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
		}
		break;
	case MAPI_NAME_NONE:
		name_r->kind = MAPI_NAME_NONE;
		break;
	default:
		(void)mapi_pull_fail(pull, MAPI_WIRE_INVALID);
		break;
	}
}

void *mapi_pull_array(struct mapi_pull *pull, uint32_t count, size_t elem_size,
		      size_t min_wire)
{
	void *array;

	if (count == 0 || pull->status != MAPI_WIRE_OK)
		return NULL;
	if (count > mapi_pull_left(pull) / min_wire ||
	    count > pull->unclaimed / min_wire) {
		(void)mapi_pull_fail(pull, MAPI_WIRE_SHORT);
		return NULL;
	}
	pull->unclaimed -= count * min_wire;
	array = _talloc_zero_array(pull->mem, elem_size, count, "wire array");
	if (array == NULL)
		(void)mapi_pull_fail(pull, MAPI_WIRE_NOMEM);
	return array;
}

/* --- push ----------------------------------------------------------------- */

void mapi_push_init(struct mapi_push *push, TALLOC_CTX *mem, size_t limit)
{
	memset(push, 0, sizeof(*push));
	push->mem = mem;
	push->limit = limit != 0 ? limit : SIZE_MAX;
}

void mapi_push_init_counting(struct mapi_push *push)
{
	mapi_push_init(push, NULL, 0);
	push->counting = true;
}

bool mapi_push_fail(struct mapi_push *push, enum mapi_wire_status status)
{
	if (push->status == MAPI_WIRE_OK)
		push->status = status;
	return false;
}

void mapi_push_rollback(struct mapi_push *push, size_t mark)
{
	push->size = mark;
	push->status = MAPI_WIRE_OK;
}

static bool push_grow(struct mapi_push *push, size_t size)
{
	size_t allocated;
	uint8_t *data;

	allocated = push->allocated == 0 ? PUSH_SIZE_INITIAL : push->allocated;
	while (allocated - push->size < size) {
		if (allocated > SIZE_MAX / 2)
			return mapi_push_fail(push, MAPI_WIRE_NOMEM);
		allocated *= 2;
	}
	data = talloc_realloc(push->mem, push->data, uint8_t, allocated);
	if (data == NULL)
		return mapi_push_fail(push, MAPI_WIRE_NOMEM);
	push->data = data;
	push->allocated = allocated;
	return true;
}

/* Room for size more bytes, which count as written. *p_r is NULL in counting
   mode. */
static inline bool
push_reserve(struct mapi_push *push, size_t size, uint8_t **p_r)
{
	*p_r = NULL;
	if (push->status != MAPI_WIRE_OK)
		return false;
	if (size > push->limit - push->size)
		return mapi_push_fail(push, MAPI_WIRE_FULL);
	if (!push->counting) {
		if (push->allocated - push->size < size &&
		    !push_grow(push, size))
			return false;
		*p_r = push->data + push->size;
	}
	push->size += size;
	return true;
}

bool mapi_push_bytes(struct mapi_push *push, const void *data, size_t size)
{
	uint8_t *p;

	if (!push_reserve(push, size, &p))
		return false;
	if (p != NULL && size > 0)
		memcpy(p, data, size);
	return true;
}

bool mapi_push_u8(struct mapi_push *push, uint8_t value)
{
	return mapi_push_bytes(push, &value, 1);
}

static void put_le(uint8_t *p, uint64_t value, unsigned int size)
{
	unsigned int i;

	for (i = 0; i < size; i++, value >>= 8)
		p[i] = (uint8_t)value;
}

static bool push_le(struct mapi_push *push, uint64_t value, unsigned int size)
{
	uint8_t *p;

	if (!push_reserve(push, size, &p))
		return false;
	if (p != NULL)
		put_le(p, value, size);
	return true;
}

bool mapi_push_u16(struct mapi_push *push, uint16_t value)
{
	return push_le(push, value, 2);
}

bool mapi_push_u32(struct mapi_push *push, uint32_t value)
{
	return push_le(push, value, 4);
}

bool mapi_push_u64(struct mapi_push *push, uint64_t value)
{
	return push_le(push, value, 8);
}

bool mapi_push_id(struct mapi_push *push, mapi_id_t id)
{
	return push_le(push, (uint64_t)mapi_id_to_i64(id), 8);
}

bool mapi_push_globcnt(struct mapi_push *push, uint64_t globcnt)
{
	uint8_t buf[6];
	unsigned int i;

	if (globcnt > MAPI_GLOBCNT_MAX)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	for (i = 6; i > 0; i--, globcnt >>= 8)
		buf[i - 1] = (uint8_t)globcnt;
	return mapi_push_bytes(push, buf, sizeof(buf));
}

bool mapi_push_guid(struct mapi_push *push, const struct mapi_guid *guid)
{
	return mapi_push_bytes(push, guid->bytes, sizeof(guid->bytes));
}

bool mapi_push_string8(struct mapi_push *push, const char *str)
{
	if (str == NULL)
		str = "";
	return mapi_push_bytes(push, str, strlen(str) + 1);
}

bool mapi_push_utf16(struct mapi_push *push, const char *str)
{
	size_t size;
	uint8_t *p, *utf16;

	if (str == NULL)
		str = "";
	size = mapi_utf16_size(str);
	if (!push_reserve(push, size + 2, &p))
		return false;
	if (p == NULL)
		return true;
	if (size == strlen(str) * 2) {
		/* ASCII, or anyway one unit per byte */
		size_t i;

		for (i = 0; i < size; i += 2) {
			if ((uint8_t)str[i / 2] >= 0x80)
				break;
			p[i] = (uint8_t)str[i / 2];
			p[i + 1] = 0;
		}
		if (i == size) {
			p[size] = p[size + 1] = 0;
			return true;
		}
	}
	utf16 = mapi_utf8_to_utf16(push->mem, str, &size);
	if (utf16 == NULL)
		return mapi_push_fail(push, MAPI_WIRE_NOMEM);
	memcpy(p, utf16, size);
	p[size] = p[size + 1] = 0;
	talloc_free(utf16);
	return true;
}

/* UTF-8 with nothing at or above U+0100 to bytes; false if it isn't that */
static bool push_latin1(struct mapi_push *push, const char *str)
{
	const uint8_t *s = (const uint8_t *)str;
	size_t size = 0, i;
	uint8_t *p;

	for (i = 0; s[i] != '\0'; i++, size++) {
		if (s[i] < 0x80)
			continue;
		if (s[i] != 0xc2 && s[i] != 0xc3)
			return false;
		if ((s[++i] & 0xc0) != 0x80)
			return false;
	}
	if (!mapi_push_u8(push, 0x03) || !push_reserve(push, size + 1, &p))
		return true;
	if (p == NULL)
		return true;
	for (i = 0; s[i] != '\0'; i++) {
		if (s[i] < 0x80) {
			*p++ = s[i];
		} else {
			*p++ = (uint8_t)((s[i] << 6) | (s[i + 1] & 0x3f));
			i++;
		}
	}
	*p = '\0';
	return true;
}

bool mapi_push_typed_string(struct mapi_push *push, const char *str)
{
	if (str == NULL)
		return mapi_push_u8(push, 0x00);
	if (*str == '\0')
		return mapi_push_u8(push, 0x01);
	if (push_latin1(push, str))
		return mapi_push_ok(push);
	return mapi_push_u8(push, 0x04) && mapi_push_utf16(push, str);
}

bool mapi_push_property_name(struct mapi_push *push,
			     const struct mapi_property_name *name)
{
	size_t size;

	if (!mapi_push_u8(push, (uint8_t)name->kind) ||
	    !mapi_push_guid(push, &name->guid))
		return false;
	switch (name->kind) {
	case MAPI_NAME_LID:
		return mapi_push_u32(push, name->lid);
	case MAPI_NAME_STRING:
		size = mapi_utf16_size(name->name == NULL ? "" :
				       name->name) + 2;
		if (size > UINT8_MAX)
			break;
		return mapi_push_u8(push, (uint8_t)size) &&
			mapi_push_utf16(push, name->name);
	case MAPI_NAME_NONE:
		return true;
	}
	return mapi_push_fail(push, MAPI_WIRE_INVALID);
}

void mapi_push_patch_u16(struct mapi_push *push, size_t pos, uint16_t value)
{
	if (push->status == MAPI_WIRE_OK && !push->counting)
		put_le(push->data + pos, value, 2);
}

void mapi_push_patch_u32(struct mapi_push *push, size_t pos, uint32_t value)
{
	if (push->status == MAPI_WIRE_OK && !push->counting)
		put_le(push->data + pos, value, 4);
}
