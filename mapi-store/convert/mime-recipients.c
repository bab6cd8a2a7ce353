/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "mapi-entryid.h"
#include "mapi-props.h"
#include "mime-address.h"
#include "mime-recipients.h"
#include "mime-text.h"

/* [MS-OXCMSG] 2.2.3.1, PidTagObjectType of mail users */
#define MAPI_MAILUSER 6
/* PidTagDisplayType, [MS-OXOABK] 2.2.3.11 */
#define DT_MAILUSER 0
/* PidTagRecipientFlags, [MS-OXOCAL] 2.2.4.9.1: recipSendable */
#define RECIP_SENDABLE 0x00000001

bool mime_recipients_get(struct mime_header_source *source, TALLOC_CTX *mem,
			 const struct mime_recipient **recipients_r,
			 unsigned int *count_r)
{
	static const struct {
		const char *name;
		enum mapi_recipient_type type;
	} fields[] = {
		{ "To", MAPI_TO }, { "Cc", MAPI_CC }, { "Bcc", MAPI_BCC },
	};
	ARRAY_TYPE(mime_address) addresses;
	const struct mime_address *addrs;
	struct mime_recipient *recipients = NULL;
	const char *const *values;
	unsigned int i, j, count, done = 0;
	int ret = 0;

	*recipients_r = NULL;
	*count_r = 0;
	i_array_init(&addresses, 16);
	for (i = 0; i < N_ELEMENTS(fields) && ret >= 0; i++) T_BEGIN {
		ret = source->get_raw(source, fields[i].name, &values);
		for (; ret > 0 && *values != NULL; values++) {
			mime_addresses_parse(mem, *values, MIME_MAX_RECIPIENTS,
					     &addresses);
		}
		addrs = array_get(&addresses, &count);
		if (count > done) {
			recipients = mime_check_alloc(talloc_realloc(mem,
				recipients, struct mime_recipient, count));
		}
		for (j = done; j < count; j++) {
			recipients[j].type = fields[i].type;
			recipients[j].name = addrs[j].name;
			recipients[j].address = addrs[j].address;
			recipients[j].report = NULL;
		}
		done = count;
	} T_END;
	array_free(&addresses);
	if (ret < 0) {
		talloc_free(recipients);
		return FALSE;
	}
	*recipients_r = recipients;
	*count_r = done;
	return TRUE;
}

static enum mime_prop_result
report_get_prop(const struct mime_recipient_report *report, TALLOC_CTX *mem,
		uint32_t tag, struct mapi_value *value_r)
{
	const char *str = NULL;
	int32_t diag, reason;

	switch (MAPI_TAG_ID(tag)) {
	case MAPI_TAG_ID(PIDTAG_NON_DELIVERY_REPORT_STATUS_CODE):
		if (report == NULL || report->status.class == 0)
			return MIME_PROP_NOT_FOUND;
		*value_r = mapi_value_i32(mime_status_code(&report->status));
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_NON_DELIVERY_REPORT_DIAG_CODE):
	case MAPI_TAG_ID(PIDTAG_NON_DELIVERY_REPORT_REASON_CODE):
		if (report == NULL || report->status.class == 0)
			return MIME_PROP_NOT_FOUND;
		mime_status_get_reason(&report->status, &diag, &reason);
		*value_r = mapi_value_i32(MAPI_TAG_ID(tag) ==
			MAPI_TAG_ID(PIDTAG_NON_DELIVERY_REPORT_DIAG_CODE) ?
			diag : reason);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_REMOTE_MESSAGE_TRANSFER_AGENT):
		if (report != NULL)
			str = report->remote_mta;
		break;
	case MAPI_TAG_ID(PIDTAG_SUPPLEMENTARY_INFO):
		if (report != NULL)
			str = report->supplementary_info;
		break;
	default:
		return MIME_PROP_UNKNOWN;
	}
	if (str == NULL)
		return MIME_PROP_NOT_FOUND;
	*value_r = mapi_value_str(mime_strdup(mem, str));
	return MIME_PROP_FOUND;
}

enum mime_prop_result
mime_recipient_get_prop(const struct mime_recipient *recipient,
			TALLOC_CTX *mem, uint32_t tag,
			struct mapi_value *value_r)
{
	const struct mime_address addr = {
		recipient->name, recipient->address
	};

	switch (MAPI_TAG_ID(tag)) {
	case MAPI_TAG_ID(PIDTAG_RECIPIENT_TYPE):
		*value_r = mapi_value_i32(recipient->type);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_DISPLAY_NAME):
	case MAPI_TAG_ID(PIDTAG_RECIPIENT_DISPLAY_NAME):
	case MAPI_TAG_ID(PIDTAG_TRANSMITTABLE_DISPLAY_NAME):
	case MAPI_TAG_ID(PIDTAG_ADDRESS_BOOK_DISPLAY_NAME_PRINTABLE):
		return mime_address_get(&addr, MIME_ADDRESS_NAME, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_ADDRESS_TYPE):
		return mime_address_get(&addr, MIME_ADDRESS_TYPE, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_EMAIL_ADDRESS):
		return mime_address_get(&addr, MIME_ADDRESS_EMAIL, mem,
					value_r);
	case MAPI_TAG_ID(PIDTAG_SMTP_ADDRESS):
		return mime_address_get(&addr, MIME_ADDRESS_SMTP, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_ENTRY_ID):
	case MAPI_TAG_ID(PIDTAG_RECIPIENT_ENTRY_ID):
	case MAPI_TAG_ID(PIDTAG_RECORD_KEY):
		return mime_address_get(&addr, MIME_ADDRESS_ENTRY_ID, mem,
					value_r);
	case MAPI_TAG_ID(PIDTAG_SEARCH_KEY):
		return mime_address_get(&addr, MIME_ADDRESS_SEARCH_KEY, mem,
					value_r);
	case MAPI_TAG_ID(PIDTAG_OBJECT_TYPE):
		*value_r = mapi_value_i32(MAPI_MAILUSER);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_DISPLAY_TYPE):
	case MAPI_TAG_ID(PIDTAG_DISPLAY_TYPE_EX):
		*value_r = mapi_value_i32(DT_MAILUSER);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_RECIPIENT_FLAGS):
		*value_r = mapi_value_i32(RECIP_SENDABLE);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_RECIPIENT_TRACK_STATUS):
	case MAPI_TAG_ID(PIDTAG_SEND_INTERNET_ENCODING):
		*value_r = mapi_value_i32(0);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_RESPONSIBILITY):
		*value_r = mapi_value_bool(TRUE);
		return MIME_PROP_FOUND;
	case MAPI_TAG_ID(PIDTAG_SEND_RICH_INFO):
		*value_r = mapi_value_bool(FALSE);
		return MIME_PROP_FOUND;
	}
	return report_get_prop(recipient->report, mem, tag, value_r);
}

void mime_recipient_to_row(const struct mime_recipient *recipient,
			   struct mapi_recipient_row *row_r)
{
	i_zero(row_r);
	row_r->recipient_type = recipient->type;
	row_r->code_page_id = 65001;
	row_r->flags = MAPI_RECIP_TYPE_SMTP | MAPI_RECIP_EMAIL |
		MAPI_RECIP_DISPLAY_NAME | MAPI_RECIP_SAME_NAME |
		MAPI_RECIP_RESPONSIBLE | MAPI_RECIP_NON_RICH |
		MAPI_RECIP_UNICODE;
	row_r->email_address = recipient->address;
	row_r->display_name = recipient->name;
	row_r->transmittable_display_name = recipient->name;
}
