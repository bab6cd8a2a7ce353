/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changing recipients: RecipientRows ([MS-OXCDATA] 2.8.3) as properties, and back. */

#include "lib.h"
#include "array.h"
#include "mapi-codepage.h"
#include "mapi-message-edit.h"
#include "mapi-message-private.h"
#include "mapi-props.h"
#include "mapi-store.h"

#define RECIPIENTS_MAX 32767

/* --- row to properties ------------------------------------------------------ */

static void
props_set_string(struct mapi_propset *props, TALLOC_CTX *mem, uint32_t tag,
		 const char *str, const struct mapi_recipient_row *row,
		 uint32_t code_page)
{
	struct mapi_value value;

	if (str == NULL)
		return;
	if ((row->flags & MAPI_RECIP_UNICODE) == 0)
		str = mapi_codepage_to_utf8(mem, code_page, str);
	value = mapi_value_str(str);
	(void)mapi_propset_set_value(props, tag, &value);
}

static void
props_set_address(struct mapi_propset *props, TALLOC_CTX *mem,
		  const struct mapi_recipient_row *row, uint32_t code_page)
{
	struct mapi_value value;
	const char *type = NULL;

	switch (row->flags & MAPI_RECIP_TYPE_MASK) {
	case MAPI_RECIP_TYPE_X500:
		type = "EX";
		value = mapi_value_str(row->x500dn == NULL ? "" : row->x500dn);
		(void)mapi_propset_set_value(props, PIDTAG_EMAIL_ADDRESS,
					     &value);
		value = mapi_value_i32(row->display_type);
		(void)mapi_propset_set_value(props, PIDTAG_DISPLAY_TYPE,
					     &value);
		break;
	case MAPI_RECIP_TYPE_MSMAIL:
		type = "MS";
		break;
	case MAPI_RECIP_TYPE_SMTP:
		type = "SMTP";
		break;
	case MAPI_RECIP_TYPE_FAX:
		type = "FAX";
		break;
	case MAPI_RECIP_TYPE_PDL1:
	case MAPI_RECIP_TYPE_PDL2:
		type = "MAPIPDL";
		value = mapi_value_bin(row->entry_id.data, row->entry_id.len);
		(void)mapi_propset_set_value(props, PIDTAG_ENTRY_ID, &value);
		value = mapi_value_bin(row->search_key.data,
				       row->search_key.len);
		(void)mapi_propset_set_value(props, PIDTAG_SEARCH_KEY, &value);
		break;
	case MAPI_RECIP_TYPE_NONE:
		type = row->address_type;
		break;
	}
	if (type != NULL) {
		value = mapi_value_str(mapi_codepage_to_utf8(mem, code_page,
							     type));
		(void)mapi_propset_set_value(props, PIDTAG_ADDRESS_TYPE,
					     &value);
	}
	props_set_string(props, mem, PIDTAG_EMAIL_ADDRESS, row->email_address,
			 row, code_page);
}

/* A property beside the fields. One that has no value is left out, and so is a named
   one without a name. */
static enum mapi_error
props_set_column(struct mapi_propset *props, TALLOC_CTX *mem,
		 struct mapi_store *store, uint32_t tag,
		 const struct mapi_value *value)
{
	struct mapi_content_prop prop = { .tag = tag, .value = *value };
	struct mapi_property_name *name;
	enum mapi_error error;

	if (value->type == PTYP_ERROR_CODE || value->type == PTYP_NULL ||
	    value->type == PTYP_MULTIPLE_STRING8 || MAPI_TAG_ID(tag) == 0 ||
	    MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_ROWID) ||
	    MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_RECIPIENT_TYPE))
		return EC_NONE;
	if (MAPI_TAG_IS_NAMED(tag)) {
		error = mapi_store_tags_to_names(store, mem, &tag, 1, &name);
		if (error != EC_NONE || name->kind == MAPI_NAME_NONE)
			return error;
		prop.name = name;
	}
	(void)mapi_propset_set(props, &prop);
	return EC_NONE;
}

static enum mapi_error
props_from_row(struct mapi_propset *props, TALLOC_CTX *mem,
	       struct mapi_store *store, const struct mapi_recipient_row *row,
	       uint32_t code_page)
{
	const struct mapi_property_row *columns = &row->properties;
	enum mapi_error error = EC_NONE;
	struct mapi_value value;
	uint32_t tag;
	unsigned int i;

	value = mapi_value_i32(row->recipient_type);
	(void)mapi_propset_set_value(props, PIDTAG_RECIPIENT_TYPE, &value);
	props_set_address(props, mem, row, code_page);
	props_set_string(props, mem, PIDTAG_DISPLAY_NAME, row->display_name,
			 row, code_page);
	props_set_string(props, mem, PIDTAG_7_BIT_DISPLAY_NAME,
			 row->simple_display_name, row, code_page);
	props_set_string(props, mem, PIDTAG_TRANSMITTABLE_DISPLAY_NAME,
			 (row->flags & MAPI_RECIP_SAME_NAME) != 0 ?
			 row->display_name : row->transmittable_display_name,
			 row, code_page);
	value = mapi_value_bool((row->flags & MAPI_RECIP_NON_RICH) == 0);
	(void)mapi_propset_set_value(props, PIDTAG_SEND_RICH_INFO, &value);
	value = mapi_value_bool((row->flags & MAPI_RECIP_RESPONSIBLE) != 0);
	(void)mapi_propset_set_value(props, PIDTAG_RESPONSIBILITY, &value);

	for (i = 0; i < columns->count && error == EC_NONE; i++) {
		value = columns->values[i];
		tag = MAPI_TAG_AS(columns->columns[i], value.type);
		if (value.type == PTYP_STRING8) {
			value = mapi_value_str(mapi_codepage_to_utf8(mem,
						code_page, value.u.str8));
			tag = MAPI_TAG_AS(tag, PTYP_STRING);
		}
		error = props_set_column(props, mem, store, tag, &value);
	}
	return error;
}

static void overlay_clear_recipients(struct mapi_overlay *overlay)
{
	while (overlay->recipient_count > 0) {
		mapi_overlay_remove_recipient(overlay,
			overlay->recipients[overlay->recipient_count - 1].row_id);
	}
}

static enum mapi_error
content_change_recipients(struct mapi_message *msg)
{
	struct mapi_message_content *content = msg->priv->content;
	const struct mapi_recipient_row *rows;
	unsigned int i, count;
	enum mapi_error error;
	TALLOC_CTX *mem;

	if (content->overlay == NULL || !content->overlay->has_recipients) {
		error = mapi_message_recipients(msg, &rows, &count);
		if (error != EC_NONE)
			return error;
		mapi_message_content_change(content, TRUE);
		content->overlay->has_recipients = TRUE;
		mem = talloc_new(NULL);
		for (i = 0; i < count && error == EC_NONE; i++) {
			error = props_from_row(mapi_overlay_add_recipient(
					content->overlay, rows[i].row_id)->props,
				mem, msg->obj.store, &rows[i], 65001);
		}
		talloc_free(mem);
		if (error != EC_NONE) {
			/* not only some of them */
			overlay_clear_recipients(content->overlay);
			content->overlay->has_recipients = FALSE;
			return error;
		}
	}
	mapi_message_content_change(content, TRUE);
	TALLOC_FREE(content->recipients);
	return EC_NONE;
}

enum mapi_error
mapi_message_modify_recipients(struct mapi_message *msg,
			       const struct mapi_recipient_change *changes,
			       unsigned int count, uint32_t code_page)
{
	struct mapi_content_recipient *recipient;
	struct mapi_overlay *overlay;
	enum mapi_error error;
	unsigned int i;
	TALLOC_CTX *mem;

	if (!msg->priv->writable)
		return EC_ACCESS_DENIED;
	error = content_change_recipients(msg);
	if (error != EC_NONE)
		return error;
	overlay = msg->priv->content->overlay;
	if (overlay->recipient_count + count > RECIPIENTS_MAX)
		return EC_TOO_COMPLEX;
	mem = talloc_new(NULL);
	for (i = 0; i < count && error == EC_NONE; i++) {
		mapi_overlay_remove_recipient(overlay, changes[i].row.row_id);
		if (!changes[i].has_row)
			continue;
		recipient = mapi_overlay_add_recipient(overlay,
						changes[i].row.row_id);
		error = props_from_row(recipient->props, mem, msg->obj.store,
				       &changes[i].row, code_page);
	}
	talloc_free(mem);
	return error;
}

enum mapi_error mapi_message_remove_recipients(struct mapi_message *msg)
{
	struct mapi_message_content *content = msg->priv->content;

	if (!msg->priv->writable)
		return EC_ACCESS_DENIED;
	mapi_message_content_change(content, TRUE);
	overlay_clear_recipients(content->overlay);
	content->overlay->has_recipients = TRUE;
	TALLOC_FREE(content->recipients);
	return EC_NONE;
}

/* --- properties to rows ----------------------------------------------------- */

/* They are in the row itself. */
static bool tag_is_row_field(uint32_t tag)
{
	switch (MAPI_TAG_ID(tag)) {
	case MAPI_TAG_ID(PIDTAG_RECIPIENT_TYPE):
	case MAPI_TAG_ID(PIDTAG_DISPLAY_NAME):
	case MAPI_TAG_ID(PIDTAG_ADDRESS_TYPE):
	case MAPI_TAG_ID(PIDTAG_EMAIL_ADDRESS):
	case MAPI_TAG_ID(PIDTAG_TRANSMITTABLE_DISPLAY_NAME):
	case MAPI_TAG_ID(PIDTAG_7_BIT_DISPLAY_NAME):
	case MAPI_TAG_ID(PIDTAG_SEND_RICH_INFO):
	case MAPI_TAG_ID(PIDTAG_RESPONSIBILITY):
	case MAPI_TAG_ID(PIDTAG_ROWID):
		return TRUE;
	}
	return FALSE;
}

static void
row_set_address(struct mapi_recipient_row *row,
		const struct mapi_propset *props)
{
	const char *type = mapi_propset_get_string(props, PIDTAG_ADDRESS_TYPE);
	const char *email = mapi_propset_get_string(props,
						    PIDTAG_EMAIL_ADDRESS);
	const struct mapi_value *value;

	if (type != NULL && strcasecmp(type, "EX") == 0) {
		row->flags |= MAPI_RECIP_TYPE_X500;
		row->x500dn = email == NULL ? "" : email;
		value = mapi_propset_get(props, PIDTAG_DISPLAY_TYPE);
		row->display_type = value == NULL ? 0 : value->u.i32;
		return;
	}
	if (email != NULL) {
		row->flags |= MAPI_RECIP_EMAIL;
		row->email_address = email;
	}
	if (type != NULL && strcasecmp(type, "SMTP") == 0)
		row->flags |= MAPI_RECIP_TYPE_SMTP;
	else if (type != NULL) {
		row->flags |= MAPI_RECIP_TYPE_NONE | MAPI_RECIP_ADDRESS_TYPE;
		row->address_type = type;
	}
}

static bool get_bool(const struct mapi_propset *props, uint32_t tag)
{
	const struct mapi_value *value = mapi_propset_get(props, tag);

	return value != NULL && value->u.b;
}

static void
row_from_props(struct mapi_recipient_row *row, TALLOC_CTX *mem,
	       const struct mapi_content_recipient *recipient,
	       const uint32_t *columns, unsigned int column_count)
{
	const struct mapi_propset *props = recipient->props;
	const struct mapi_content_prop *prop;
	const struct mapi_value *type;
	struct mapi_value *values;
	unsigned int i;

	i_zero(row);
	row->row_id = recipient->row_id;
	type = mapi_propset_get(props, PIDTAG_RECIPIENT_TYPE);
	row->recipient_type = type == NULL ? MAPI_TO : type->u.i32;
	row->code_page_id = 65001;
	row->flags = MAPI_RECIP_UNICODE;
	row_set_address(row, props);
	row->display_name = mapi_propset_get_string(props,
						    PIDTAG_DISPLAY_NAME);
	if (row->display_name != NULL)
		row->flags |= MAPI_RECIP_DISPLAY_NAME;
	row->simple_display_name =
		mapi_propset_get_string(props, PIDTAG_7_BIT_DISPLAY_NAME);
	if (row->simple_display_name != NULL)
		row->flags |= MAPI_RECIP_SIMPLE_NAME;
	row->transmittable_display_name =
		mapi_propset_get_string(props,
					PIDTAG_TRANSMITTABLE_DISPLAY_NAME);
	if (row->transmittable_display_name == NULL)
		;
	else if (null_strcmp(row->transmittable_display_name,
			     row->display_name) == 0)
		row->flags |= MAPI_RECIP_SAME_NAME;
	else
		row->flags |= MAPI_RECIP_TRANSMITTABLE;
	if (!get_bool(props, PIDTAG_SEND_RICH_INFO))
		row->flags |= MAPI_RECIP_NON_RICH;
	if (get_bool(props, PIDTAG_RESPONSIBILITY))
		row->flags |= MAPI_RECIP_RESPONSIBLE;

	values = talloc_zero_array(mem, struct mapi_value, column_count);
	for (i = 0; i < column_count; i++) {
		prop = mapi_propset_find(props, columns[i]);
		values[i] = prop == NULL || prop->tag != columns[i] ||
			prop->stream != NULL ?
			mapi_value_error(EC_NOT_FOUND) : prop->value;
	}
	row->properties.count = column_count;
	row->properties.columns = columns;
	row->properties.values = values;
}

static int tag_cmp(const uint32_t *a, const uint32_t *b)
{
	return *a < *b ? -1 : *a > *b ? 1 : 0;
}

/* All that any of them has beside the fields */
static void
get_columns(const struct mapi_content_recipient *recipients,
	    unsigned int count, ARRAY_TYPE(uint32_t) *columns)
{
	const struct mapi_propset *props;
	unsigned int i, j;

	for (i = 0; i < count; i++) {
		props = recipients[i].props;
		for (j = 0; j < props->count; j++) {
			if (tag_is_row_field(props->props[j].tag) ||
			    array_bsearch(columns, &props->props[j].tag,
					  tag_cmp) != NULL)
				continue;
			array_push_back(columns, &props->props[j].tag);
			array_sort(columns, tag_cmp);
		}
	}
}

void mapi_recipient_rows_from_content(TALLOC_CTX *mem,
	const struct mapi_content_recipient *recipients, unsigned int count,
	struct mapi_recipient_row *rows_r)
{
	ARRAY_TYPE(uint32_t) columns;
	uint32_t *tags;
	unsigned int i;

	i_array_init(&columns, 32);
	get_columns(recipients, count, &columns);
	tags = talloc_array(mem, uint32_t, array_count(&columns));
	if (array_count(&columns) > 0) {
		memcpy(tags, array_front(&columns),
		       array_count(&columns) * sizeof(*tags));
	}
	for (i = 0; i < count; i++) {
		row_from_props(&rows_r[i], mem, &recipients[i], tags,
			       array_count(&columns));
	}
	array_free(&columns);
}
