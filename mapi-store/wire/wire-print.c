/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-wire-private.h"
#include "mapi-print.h"

#include <string.h>

#define MAX_ELEMENTS 64

static void print_elem(char **str, const struct wire_field *field,
		       const struct rop_wire_context *ctx, const void *elem)
{
	switch ((enum wire_type)field->type) {
	case WIRE_U8:
		mapi_print(str, "%u", *(const uint8_t *)elem);
		break;
	case WIRE_U16:
		mapi_print(str, "0x%x", *(const uint16_t *)elem);
		break;
	case WIRE_U32:
		if (strcmp(field->name, "ReturnValue") == 0 ||
		    strcmp(field->name, "ErrorCode") == 0)
			mapi_print_error(str, *(const uint32_t *)elem);
		else
			mapi_print(str, "0x%x", *(const uint32_t *)elem);
		break;
	case WIRE_TAG:
		mapi_print_tag(str, *(const uint32_t *)elem);
		break;
	case WIRE_U64:
	case WIRE_GLOBCNT:
		mapi_print(str, "0x%llx",
			   (unsigned long long)*(const uint64_t *)elem);
		break;
	case WIRE_ID:
		mapi_print_id(str, *(const mapi_id_t *)elem);
		break;
	case WIRE_GUID:
		mapi_print_guid(str, elem);
		break;
	case WIRE_STRING8:
	case WIRE_STRING8_REST:
	case WIRE_UTF16:
	case WIRE_STRZ:
	case WIRE_TYPED_STRING:
		mapi_print_string(str, *(const char *const *)elem);
		break;
	case WIRE_PROPERTY_NAME:
		mapi_print_property_name(str, elem);
		break;
	case WIRE_SORT_ORDER: {
		const struct mapi_sort_order *order = elem;

		mapi_print_tag(str, order->tag);
		mapi_print(str, "/%u", order->order);
		break;
	}
	case WIRE_LONG_TERM_ID: {
		const struct mapi_long_term_id *ltid = elem;

		mapi_print_guid(str, &ltid->guid);
		mapi_print(str, ":0x%llx", (unsigned long long)ltid->globcnt);
		break;
	}
	case WIRE_TAGGED_VALUE:
		mapi_print_property(str, elem);
		break;
	case WIRE_PROPERTY_ROW:
		mapi_print_property_row(str, elem);
		break;
	case WIRE_RECIPIENT_ROW:
		mapi_recipient_row_print(str, elem);
		break;
	case WIRE_SIZED_BINARY: {
		const struct mapi_binary *bin = elem;

		mapi_print_binary(str, bin->data, bin->len);
		break;
	}
	case WIRE_RESTRICTION:
		mapi_restriction_print(str, elem);
		break;
	case WIRE_STRUCT:
		mapi_print(str, "{");
		wire_print_struct(str, field->sub, ctx, elem);
		mapi_print(str, " }");
		break;
	case WIRE_BYTES:
		break;
	}
}

static void print_array(char **str, const struct wire_field *field,
			const struct rop_wire_context *ctx, const void *v)
{
	const uint8_t *array = (const uint8_t *)v + field->offset;
	uint32_t count = wire_field_count(field, v), i;

	if (field->array != WIRE_FIXED)
		array = *(const uint8_t *const *)(const void *)array;
	if (array == NULL)
		count = 0;
	if (field->type == WIRE_BYTES) {
		mapi_print_binary(str, array, count);
		return;
	}
	mapi_print(str, "[");
	for (i = 0; i < count && i < MAX_ELEMENTS; i++) {
		if (i > 0)
			mapi_print(str, " ");
		print_elem(str, field, ctx,
			   array + (size_t)i * field->elem_size);
	}
	if (i < count)
		mapi_print(str, " ...%u", count);
	mapi_print(str, "]");
}

void wire_print_struct(char **str, const struct wire_struct *type,
		       const struct rop_wire_context *ctx, const void *v)
{
	uint16_t i;

	for (i = 0; i < type->count; i++) {
		const struct wire_field *field = &type->fields[i];
		const void *elem = (const uint8_t *)v + field->offset;

		/* sizes say nothing, the operation's name is there already */
		if (field->span > 0 || strcmp(field->name, "RopId") == 0 ||
		    !wire_field_present(type, field, ctx, v))
			continue;
		mapi_print(str, " %s=", field->name);
		if (field->array != WIRE_SINGLE) {
			print_array(str, field, ctx, v);
			continue;
		}
		if (field->pointer) {
			elem = *(const void *const *)elem;
			if (elem == NULL) {
				mapi_print(str, "NONE");
				continue;
			}
		}
		print_elem(str, field, ctx, elem);
	}
}
