/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-wire.h"
#include "mapi-restriction.h"
#include "mapi-rule.h"

#include <string.h>

/* seconds from 1601-01-01 to 1970-01-01 */
#define EPOCH_DIFFERENCE INT64_C(11644473600)
#define TICKS_PER_SEC INT64_C(10000000)

uint64_t mapi_time_from_unix(int64_t sec, uint32_t nsec)
{
	if (sec < -EPOCH_DIFFERENCE)
		return 0;
	if (sec >= INT64_MAX / TICKS_PER_SEC - EPOCH_DIFFERENCE)
		return INT64_MAX;
	return (uint64_t)(sec + EPOCH_DIFFERENCE) * TICKS_PER_SEC + nsec / 100;
}

int64_t mapi_time_to_unix(uint64_t filetime)
{
	if (filetime > INT64_MAX)
		filetime = INT64_MAX;
	return (int64_t)(filetime / TICKS_PER_SEC) - EPOCH_DIFFERENCE;
}

bool mapi_type_is_multiple(uint16_t type)
{
	switch (type) {
	case PTYP_MULTIPLE_INTEGER16:
	case PTYP_MULTIPLE_INTEGER32:
	case PTYP_MULTIPLE_FLOATING32:
	case PTYP_MULTIPLE_FLOATING64:
	case PTYP_MULTIPLE_CURRENCY:
	case PTYP_MULTIPLE_FLOATING_TIME:
	case PTYP_MULTIPLE_INTEGER64:
	case PTYP_MULTIPLE_STRING8:
	case PTYP_MULTIPLE_STRING:
	case PTYP_MULTIPLE_TIME:
	case PTYP_MULTIPLE_GUID:
	case PTYP_MULTIPLE_BINARY:
		return true;
	}
	return false;
}

bool mapi_type_is_known(uint16_t type)
{
	switch (type) {
	case PTYP_UNSPECIFIED:
	case PTYP_NULL:
	case PTYP_INTEGER16:
	case PTYP_INTEGER32:
	case PTYP_FLOATING32:
	case PTYP_FLOATING64:
	case PTYP_CURRENCY:
	case PTYP_FLOATING_TIME:
	case PTYP_ERROR_CODE:
	case PTYP_BOOLEAN:
	case PTYP_OBJECT:
	case PTYP_INTEGER64:
	case PTYP_STRING8:
	case PTYP_STRING:
	case PTYP_TIME:
	case PTYP_GUID:
	case PTYP_SERVER_ID:
	case PTYP_RESTRICTION:
	case PTYP_RULE_ACTION:
	case PTYP_BINARY:
		return true;
	}
	return mapi_type_is_multiple(type);
}

static bool str_equal(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static bool bin_equal(const struct mapi_binary *a, const struct mapi_binary *b)
{
	return a->len == b->len &&
		(a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* size of an element of a multi-value, and of the value where it is in the
   union itself; 0 for what is neither */
static size_t fixed_size(uint16_t type)
{
	switch (type & ~PTYP_MULTIPLE_FLAG) {
	case PTYP_INTEGER16:
		return 2;
	case PTYP_INTEGER32:
	case PTYP_FLOATING32:
	case PTYP_ERROR_CODE:
		return 4;
	case PTYP_FLOATING64:
	case PTYP_FLOATING_TIME:
	case PTYP_CURRENCY:
	case PTYP_INTEGER64:
	case PTYP_TIME:
		return 8;
	case PTYP_GUID:
		return 16;
	}
	return 0;
}

static bool multiple_equal(const struct mapi_value *a,
			   const struct mapi_value *b)
{
	size_t size = fixed_size(a->type);
	uint32_t i;

	if (a->u.mv.count != b->u.mv.count)
		return false;
	if (a->u.mv.count == 0)
		return true;
	if (size > 0) {
		return memcmp(a->u.mv.v.any, b->u.mv.v.any,
			      size * a->u.mv.count) == 0;
	}
	for (i = 0; i < a->u.mv.count; i++) {
		if (a->type == PTYP_MULTIPLE_BINARY) {
			if (!bin_equal(&a->u.mv.v.bin[i], &b->u.mv.v.bin[i]))
				return false;
		} else if (!str_equal(a->u.mv.v.str[i], b->u.mv.v.str[i])) {
			return false;
		}
	}
	return true;
}

bool mapi_value_equal(const struct mapi_value *a, const struct mapi_value *b)
{
	size_t size;

	if (a->type != b->type)
		return false;
	if ((a->type & PTYP_MULTIPLE_FLAG) != 0)
		return multiple_equal(a, b);
	size = fixed_size(a->type);
	if (size > 0)
		return memcmp(&a->u, &b->u, size) == 0;
	switch (a->type) {
	case PTYP_BOOLEAN:
		return a->u.b == b->u.b;
	case PTYP_STRING:
	case PTYP_STRING8:
		return str_equal(a->u.str, b->u.str);
	case PTYP_BINARY:
	case PTYP_SERVER_ID:
	case PTYP_OBJECT:
		return bin_equal(&a->u.bin, &b->u.bin);
	case PTYP_RESTRICTION:
		return mapi_restriction_equal(a->u.restriction,
					      b->u.restriction);
	case PTYP_RULE_ACTION:
		return mapi_rule_actions_equal(a->u.actions, b->u.actions);
	}
	return true;
}

static bool str_copy(TALLOC_CTX *mem, const char **dest, const char *src)
{
	*dest = NULL;
	if (src == NULL)
		return true;
	*dest = talloc_strdup(mem, src);
	return *dest != NULL;
}

static bool bin_copy(TALLOC_CTX *mem, struct mapi_binary *dest,
		     const struct mapi_binary *src)
{
	dest->len = src->len;
	dest->data = NULL;
	if (src->len == 0) {
		dest->data = (const uint8_t *)"";
		return true;
	}
	dest->data = talloc_memdup(mem, src->data, src->len);
	return dest->data != NULL;
}

static bool multiple_copy(TALLOC_CTX *mem, struct mapi_value *dest,
			  const struct mapi_value *src)
{
	uint32_t count = src->u.mv.count, i;
	size_t size = fixed_size(src->type);
	bool binary = src->type == PTYP_MULTIPLE_BINARY;

	dest->u.mv.v.any = NULL;
	if (count == 0)
		return true;
	if (size == 0)
		size = binary ? sizeof(struct mapi_binary) :
			sizeof(const char *);
	dest->u.mv.v.any = _talloc_zero_array(mem, size, count, "mapi_value");
	if (dest->u.mv.v.any == NULL)
		return false;
	if (fixed_size(src->type) > 0) {
		memcpy(dest->u.mv.v.any, src->u.mv.v.any, size * count);
		return true;
	}
	for (i = 0; i < count; i++) {
		if (binary ? !bin_copy(mem, &dest->u.mv.v.bin[i],
				       &src->u.mv.v.bin[i]) :
		    !str_copy(mem, &dest->u.mv.v.str[i], src->u.mv.v.str[i]))
			return false;
	}
	return true;
}

bool mapi_value_copy(TALLOC_CTX *mem, struct mapi_value *dest,
		     const struct mapi_value *src)
{
	*dest = *src;
	if ((src->type & PTYP_MULTIPLE_FLAG) != 0)
		return multiple_copy(mem, dest, src);
	switch (src->type) {
	case PTYP_STRING:
	case PTYP_STRING8:
		return str_copy(mem, &dest->u.str, src->u.str);
	case PTYP_BINARY:
	case PTYP_SERVER_ID:
	case PTYP_OBJECT:
		return bin_copy(mem, &dest->u.bin, &src->u.bin);
	case PTYP_RESTRICTION:
		dest->u.restriction =
			mapi_restriction_copy(mem, src->u.restriction);
		return (dest->u.restriction == NULL) ==
			(src->u.restriction == NULL);
	case PTYP_RULE_ACTION:
		dest->u.actions = mapi_rule_actions_copy(mem, src->u.actions);
		return (dest->u.actions == NULL) == (src->u.actions == NULL);
	}
	return true;
}

size_t mapi_value_size(const struct mapi_value *value)
{
	size_t size = fixed_size(value->type), total = 0;
	uint32_t i;

	if ((value->type & PTYP_MULTIPLE_FLAG) == 0) {
		switch (value->type) {
		case PTYP_BOOLEAN:
			return 1;
		case PTYP_STRING:
			return value->u.str == NULL ? 2 :
				mapi_utf16_size(value->u.str) + 2;
		case PTYP_STRING8:
			return value->u.str8 == NULL ? 1 :
				strlen(value->u.str8) + 1;
		case PTYP_BINARY:
		case PTYP_SERVER_ID:
		case PTYP_OBJECT:
			return value->u.bin.len;
		case PTYP_RESTRICTION:
		case PTYP_RULE_ACTION:
			return mapi_value_wire_size(value);
		}
		return size;
	}
	if (size > 0)
		return size * value->u.mv.count;
	for (i = 0; i < value->u.mv.count; i++) {
		if (value->type == PTYP_MULTIPLE_BINARY)
			total += value->u.mv.v.bin[i].len;
		else if (value->type == PTYP_MULTIPLE_STRING8)
			total += strlen(value->u.mv.v.str8[i]) + 1;
		else
			total += mapi_utf16_size(value->u.mv.v.str[i]) + 2;
	}
	return total;
}
