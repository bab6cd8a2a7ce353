/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-message-private.h"
#include "mapi-props.h"

/* What a recipient row has beside its standard fields. No further form of the
   display name: clients don't merge them. */
static const uint32_t recipient_columns[] = {
	PIDTAG_OBJECT_TYPE,
	PIDTAG_DISPLAY_TYPE,
	PIDTAG_SMTP_ADDRESS,
	PIDTAG_ENTRY_ID,
	PIDTAG_RECIPIENT_ENTRY_ID,
	PIDTAG_RECIPIENT_DISPLAY_NAME,
	PIDTAG_RECIPIENT_FLAGS,
	PIDTAG_RECIPIENT_TRACK_STATUS,
	PIDTAG_SEND_INTERNET_ENCODING,
	PIDTAG_RECIPIENT_ORDER,
};

static void
mapi_recipient_fill(struct mapi_message_content *content,
		    const struct mime_recipient *recipient, uint32_t row_id,
		    struct mapi_recipient_row *row)
{
	struct mapi_value *values;
	unsigned int i;

	mime_recipient_to_row(recipient, row);
	row->row_id = row_id;
	values = talloc_zero_array(content->recipients, struct mapi_value,
				   N_ELEMENTS(recipient_columns));
	for (i = 0; i < N_ELEMENTS(recipient_columns); i++) {
		if (recipient_columns[i] == PIDTAG_RECIPIENT_ORDER)
			values[i] = mapi_value_i32(row_id);
		else if (mime_recipient_get_prop(recipient, values,
						 recipient_columns[i],
						 &values[i]) != MIME_PROP_FOUND)
			values[i] = mapi_value_error(EC_NOT_FOUND);
	}
	row->properties.count = N_ELEMENTS(recipient_columns);
	row->properties.columns = recipient_columns;
	row->properties.values = values;
}

enum mapi_error
mapi_message_recipients(struct mapi_message *msg,
			const struct mapi_recipient_row **rows_r,
			unsigned int *count_r)
{
	struct mapi_message_content *content = msg->priv->content;
	const struct mime_recipient *recipients;
	unsigned int i, count;

	if (content->recipients == NULL) {
		struct mime_message *mime =
			mapi_message_view_mime(content->view);

		if (mime == NULL ||
		    mime_message_get_recipients(mime, &recipients, &count) < 0)
			return mapi_message_view_error(content->view);
		content->recipients = talloc_zero_array(content,
			struct mapi_recipient_row, count);
		content->recipient_count = count;
		for (i = 0; i < count; i++) {
			mapi_recipient_fill(content, &recipients[i], i,
					    &content->recipients[i]);
		}
	}
	*rows_r = content->recipients;
	*count_r = content->recipient_count;
	return EC_NONE;
}
