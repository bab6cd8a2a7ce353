/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-message-private.h"
#include "mapi-props.h"
#include "mapi-store-directory.h"

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
	/* those that a delivery report is about */
	PIDTAG_NON_DELIVERY_REPORT_STATUS_CODE,
	PIDTAG_NON_DELIVERY_REPORT_DIAG_CODE,
	PIDTAG_NON_DELIVERY_REPORT_REASON_CODE,
	PIDTAG_REMOTE_MESSAGE_TRANSFER_AGENT,
	PIDTAG_SUPPLEMENTARY_INFO,
};
#define REPORT_COLUMNS 5

/* As [MS-OXCDATA] 2.8.3.2 has recipients of the address book: a distinguished
   name, all of it, as the prefix that Connect gives is empty. */
static void
mapi_recipient_row_set_object(struct mapi_recipient_row *row, TALLOC_CTX *mem,
			      const struct mapi_directory_object *object)
{
	row->flags &= ~(MAPI_RECIP_TYPE_MASK | MAPI_RECIP_EMAIL |
			MAPI_RECIP_NON_RICH);
	row->flags |= MAPI_RECIP_TYPE_X500;
	row->address_prefix_used = 0;
	row->display_type = object->display_type;
	row->x500dn = talloc_strdup(mem, object->legacy_dn);
}

/* FALSE if the property is what it would be without the directory. */
static bool
mapi_recipient_get_object_prop(const struct mapi_directory_object *object,
			       TALLOC_CTX *mem, uint32_t tag,
			       struct mapi_value *value_r)
{
	switch (tag) {
	case PIDTAG_OBJECT_TYPE:
		*value_r = mapi_value_i32(object->object_type);
		return TRUE;
	case PIDTAG_DISPLAY_TYPE:
		*value_r = mapi_value_i32(object->display_type);
		return TRUE;
	case PIDTAG_ENTRY_ID:
	case PIDTAG_RECIPIENT_ENTRY_ID:
		*value_r = mapi_directory_object_value(object,
			MAPI_DIRECTORY_FIELD_ENTRY_ID, mem);
		return TRUE;
	}
	return FALSE;
}

/* object: NULL if it isn't in the directory */
static void
mapi_recipient_fill(struct mapi_message_content *content,
		    const struct mime_recipient *_recipient,
		    const struct mapi_directory_object *object,
		    uint32_t row_id, struct mapi_recipient_row *row)
{
	struct mime_recipient copy = *_recipient;
	const struct mime_recipient *recipient = &copy;
	struct mapi_value *values;
	unsigned int i, count;

	if (object != NULL &&
	    mapi_directory_wants_name(copy.name, copy.address)) {
		copy.name = talloc_strdup(content->recipients, object->name);
	}
	mime_recipient_to_row(recipient, row);
	if (object != NULL)
		mapi_recipient_row_set_object(row, content->recipients, object);
	row->row_id = row_id;
	count = N_ELEMENTS(recipient_columns) -
		(recipient->report == NULL ? REPORT_COLUMNS : 0);
	values = talloc_zero_array(content->recipients, struct mapi_value,
				   count);
	for (i = 0; i < count; i++) {
		if (recipient_columns[i] == PIDTAG_RECIPIENT_ORDER)
			values[i] = mapi_value_i32(row_id);
		else if (object != NULL &&
			 mapi_recipient_get_object_prop(object, values,
				recipient_columns[i], &values[i]))
			;
		else if (mime_recipient_get_prop(recipient, values,
						 recipient_columns[i],
						 &values[i]) != MIME_PROP_FOUND)
			values[i] = mapi_value_error(EC_NOT_FOUND);
	}
	row->properties.count = count;
	row->properties.columns = recipient_columns;
	row->properties.values = values;
}

/* All of them are asked for at once. */
static struct mapi_directory_question *
mapi_recipients_lookup(struct mapi_store *store, TALLOC_CTX *mem,
		       const struct mime_recipient *recipients,
		       unsigned int count)
{
	struct mapi_directory *dir = mapi_store_settings_get(store)->directory;
	struct mapi_directory_question *questions;
	unsigned int i;

	questions = talloc_zero_array(mem, struct mapi_directory_question,
				      count);
	for (i = 0; i < count; i++) {
		questions[i].key = MAPI_DIRECTORY_ADDRESS;
		questions[i].value = recipients[i].address;
	}
	if (dir != NULL && count > 0)
		dir->lookup(dir, questions, count);
	return questions;
}

enum mapi_error
mapi_message_recipients(struct mapi_message *msg,
			const struct mapi_recipient_row **rows_r,
			unsigned int *count_r)
{
	struct mapi_message_content *content = msg->priv->content;
	const struct mime_recipient *recipients;
	struct mapi_directory_question *questions;
	unsigned int i, count;

	if (content->recipients == NULL && content->overlay != NULL &&
	    content->overlay->has_recipients) {
		content->recipient_count = content->overlay->recipient_count;
		content->recipients = talloc_zero_array(content,
			struct mapi_recipient_row, content->recipient_count);
		mapi_recipient_rows_from_content(content->recipients,
			content->overlay->recipients, content->recipient_count,
			content->recipients);
	}
	if (content->recipients == NULL) {
		struct mime_message *mime =
			mapi_message_view_mime(content->view);

		if (mime == NULL ||
		    mime_message_get_recipients(mime, &recipients, &count) < 0)
			return mapi_message_view_error(content->view);
		content->recipients = talloc_zero_array(content,
			struct mapi_recipient_row, count);
		content->recipient_count = count;
		questions = mapi_recipients_lookup(msg->obj.store, content,
						   recipients, count);
		for (i = 0; i < count; i++) {
			mapi_recipient_fill(content, &recipients[i],
					    questions[i].object, i,
					    &content->recipients[i]);
		}
		talloc_free(questions);
	}
	*rows_r = content->recipients;
	*count_r = content->recipient_count;
	return EC_NONE;
}
