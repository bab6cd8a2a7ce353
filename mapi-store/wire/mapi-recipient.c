/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapi-recipient.h"

#include <string.h>

static bool is_pdl(uint16_t flags)
{
	uint16_t type = flags & MAPI_RECIP_TYPE_MASK;

	return type == MAPI_RECIP_TYPE_PDL1 || type == MAPI_RECIP_TYPE_PDL2;
}

static bool is_x500(uint16_t flags)
{
	return (flags & MAPI_RECIP_TYPE_MASK) == MAPI_RECIP_TYPE_X500;
}

static bool has_address_type(uint16_t flags)
{
	return (flags & MAPI_RECIP_TYPE_MASK) == MAPI_RECIP_TYPE_NONE &&
		(flags & MAPI_RECIP_ADDRESS_TYPE) != 0;
}

static void pull_counted(struct mapi_pull *pull, struct mapi_binary *bin_r)
{
	bin_r->len = mapi_pull_u16(pull);
	bin_r->data = mapi_pull_bytes(pull, bin_r->len);
	if (bin_r->data == NULL)
		bin_r->len = 0;
}

static const char *
pull_optional(struct mapi_pull *pull, uint16_t flags, uint16_t bit)
{
	if ((flags & bit) == 0)
		return NULL;
	return (flags & MAPI_RECIP_UNICODE) != 0 ? mapi_pull_utf16(pull) :
		mapi_pull_string8(pull);
}

bool mapi_pull_recipient_row(struct mapi_pull *pull, const uint32_t *columns,
			     uint32_t column_count,
			     struct mapi_recipient_row *row_r)
{
	uint16_t flags, count;

	memset(row_r, 0, sizeof(*row_r));
	flags = row_r->flags = mapi_pull_u16(pull);
	if (is_x500(flags)) {
		row_r->address_prefix_used = mapi_pull_u8(pull);
		row_r->display_type = mapi_pull_u8(pull);
		row_r->x500dn = mapi_pull_string8(pull);
	} else if (is_pdl(flags)) {
		pull_counted(pull, &row_r->entry_id);
		pull_counted(pull, &row_r->search_key);
	} else if (has_address_type(flags)) {
		row_r->address_type = mapi_pull_string8(pull);
	}
	row_r->email_address = pull_optional(pull, flags, MAPI_RECIP_EMAIL);
	row_r->display_name = pull_optional(pull, flags,
					    MAPI_RECIP_DISPLAY_NAME);
	row_r->simple_display_name = pull_optional(pull, flags,
						   MAPI_RECIP_SIMPLE_NAME);
	row_r->transmittable_display_name =
		pull_optional(pull, flags, MAPI_RECIP_TRANSMITTABLE);
	count = mapi_pull_u16(pull);
	if (count > column_count)
		return mapi_pull_fail(pull, MAPI_WIRE_INVALID);
	return mapi_pull_property_row(pull, columns, count, &row_r->properties);
}

static bool push_counted(struct mapi_push *push, const struct mapi_binary *bin)
{
	if (bin->len > UINT16_MAX)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	return mapi_push_u16(push, (uint16_t)bin->len) &&
		mapi_push_bytes(push, bin->data, bin->len);
}

static bool push_optional(struct mapi_push *push, uint16_t flags, uint16_t bit,
			  const char *str)
{
	if ((flags & bit) == 0)
		return mapi_push_ok(push);
	return (flags & MAPI_RECIP_UNICODE) != 0 ? mapi_push_utf16(push, str) :
		mapi_push_string8(push, str);
}

bool mapi_push_recipient_row(struct mapi_push *push,
			     const struct mapi_recipient_row *row)
{
	uint16_t flags = row->flags;

	if (row->properties.count > UINT16_MAX)
		return mapi_push_fail(push, MAPI_WIRE_INVALID);
	(void)mapi_push_u16(push, flags);
	if (is_x500(flags)) {
		(void)mapi_push_u8(push, row->address_prefix_used);
		(void)mapi_push_u8(push, row->display_type);
		(void)mapi_push_string8(push, row->x500dn);
	} else if (is_pdl(flags)) {
		(void)push_counted(push, &row->entry_id);
		(void)push_counted(push, &row->search_key);
	} else if (has_address_type(flags)) {
		(void)mapi_push_string8(push, row->address_type);
	}
	(void)push_optional(push, flags, MAPI_RECIP_EMAIL, row->email_address);
	(void)push_optional(push, flags, MAPI_RECIP_DISPLAY_NAME,
			    row->display_name);
	(void)push_optional(push, flags, MAPI_RECIP_SIMPLE_NAME,
			    row->simple_display_name);
	(void)push_optional(push, flags, MAPI_RECIP_TRANSMITTABLE,
			    row->transmittable_display_name);
	(void)mapi_push_u16(push, (uint16_t)row->properties.count);
	return mapi_push_property_row(push, &row->properties);
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

bool mapi_recipient_row_equal(const struct mapi_recipient_row *a,
			      const struct mapi_recipient_row *b)
{
	uint32_t i;

	if (a->flags != b->flags ||
	    a->address_prefix_used != b->address_prefix_used ||
	    a->display_type != b->display_type ||
	    !str_equal(a->x500dn, b->x500dn) ||
	    !bin_equal(&a->entry_id, &b->entry_id) ||
	    !bin_equal(&a->search_key, &b->search_key) ||
	    !str_equal(a->address_type, b->address_type) ||
	    !str_equal(a->email_address, b->email_address) ||
	    !str_equal(a->display_name, b->display_name) ||
	    !str_equal(a->simple_display_name, b->simple_display_name) ||
	    !str_equal(a->transmittable_display_name,
		       b->transmittable_display_name) ||
	    a->properties.count != b->properties.count)
		return false;
	for (i = 0; i < a->properties.count; i++) {
		if (a->properties.columns[i] != b->properties.columns[i] ||
		    !mapi_value_equal(&a->properties.values[i],
				      &b->properties.values[i]))
			return false;
	}
	return true;
}
