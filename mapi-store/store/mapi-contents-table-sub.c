/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recipients and attachments of a row, for sub-object restrictions. */

#include "lib.h"
#include "mapi-contents-table.h"
#include "mapi-props.h"

enum mapi_error
mapi_contents_table_sub_count(struct mapi_folder *folder, mapi_id_t mid,
			      TALLOC_CTX *mem, uint32_t sub_tag,
			      struct mapi_message **msg, unsigned int *count_r)
{
	const struct mapi_recipient_row *rows;
	enum mapi_error error;

	if (*msg == NULL) {
		error = mapi_message_open(mem, folder->obj.store, folder->fid,
					  mid, msg);
		if (error != EC_NONE) {
			*msg = NULL;
			return error;
		}
	}
	if (sub_tag == PIDTAG_MESSAGE_RECIPIENTS)
		return mapi_message_recipients(*msg, &rows, count_r);
	return mapi_message_attachment_count(*msg, count_r);
}

static bool
recipient_string(const struct mapi_recipient_row *row, const char *str,
		 struct mapi_value *value_r)
{
	if (str == NULL)
		return FALSE;
	*value_r = mapi_value_str(str);
	return TRUE;
}

static bool
recipient_get(const struct mapi_recipient_row *row, TALLOC_CTX *mem,
	      uint32_t tag, struct mapi_value *value_r)
{
	const char *key;
	unsigned int i;

	for (i = 0; i < row->properties.count; i++) {
		if (row->properties.columns[i] == tag &&
		    row->properties.values[i].type != PTYP_ERROR_CODE) {
			*value_r = row->properties.values[i];
			return TRUE;
		}
	}
	switch (tag) {
	case PIDTAG_RECIPIENT_TYPE:
		*value_r = mapi_value_i32(row->recipient_type &
					  MAPI_RECIPIENT_TYPE_MASK);
		return TRUE;
	case PIDTAG_ROWID:
		*value_r = mapi_value_i32(row->row_id);
		return TRUE;
	case PIDTAG_DISPLAY_NAME:
		return recipient_string(row, row->display_name, value_r);
	case PIDTAG_EMAIL_ADDRESS:
		return recipient_string(row, row->x500dn != NULL ?
					row->x500dn : row->email_address,
					value_r);
	case PIDTAG_SMTP_ADDRESS:
		return recipient_string(row, row->email_address, value_r);
	case PIDTAG_ADDRESS_TYPE:
		return recipient_string(row, row->address_type != NULL ?
					row->address_type :
					row->x500dn != NULL ? "EX" : "SMTP",
					value_r);
	case PIDTAG_SEARCH_KEY:
		if (row->email_address == NULL)
			return FALSE;
		key = row->x500dn != NULL ?
			talloc_asprintf(mem, "EX:%s", row->x500dn) :
			talloc_asprintf(mem, "SMTP:%s", row->email_address);
		key = talloc_strdup(mem, t_str_ucase(key));
		*value_r = mapi_value_bin(key, strlen(key) + 1);
		return TRUE;
	}
	return FALSE;
}

enum mapi_error
mapi_contents_table_sub_get(struct mapi_message *msg, TALLOC_CTX *mem,
			    uint32_t sub_tag, unsigned int idx, uint32_t tag,
			    struct mapi_value *value_r)
{
	const struct mapi_recipient_row *rows;
	unsigned int count;
	enum mapi_error error;

	if (sub_tag == PIDTAG_MESSAGE_ATTACHMENTS) {
		return mapi_attachment_get_props(msg, idx, mem, &tag, 1,
						 value_r);
	}
	error = mapi_message_recipients(msg, &rows, &count);
	if (error != EC_NONE)
		return error;
	i_assert(idx < count);
	T_BEGIN {
		if (!recipient_get(&rows[idx], mem, tag, value_r))
			*value_r = mapi_value_error(EC_NOT_FOUND);
	} T_END;
	return EC_NONE;
}
