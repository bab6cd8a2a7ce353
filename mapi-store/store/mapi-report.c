/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "guid.h"
#include "ioloop.h"
#include "mapi-props.h"
#include "mapi-recipient.h"
#include "mapi-report.h"

void mapi_content_set_str(struct mapi_content *content, uint32_t tag,
			  const char *str)
{
	struct mapi_value value = mapi_value_str(str);

	(void)mapi_propset_set_value(content->props, tag, &value);
}

struct mapi_content_recipient *
mapi_report_add_recipient(struct mapi_content *content, const char *address,
			  const char *name)
{
	struct mapi_content_recipient *recipient;
	struct mapi_value value;

	recipient = mapi_content_add_recipient(content,
					       content->recipient_count);
	value = mapi_value_i32(MAPI_TO);
	(void)mapi_propset_set_value(recipient->props, PIDTAG_RECIPIENT_TYPE,
				     &value);
	value = mapi_value_str(name == NULL || *name == '\0' ? address : name);
	(void)mapi_propset_set_value(recipient->props, PIDTAG_DISPLAY_NAME,
				     &value);
	value = mapi_value_str(address);
	(void)mapi_propset_set_value(recipient->props, PIDTAG_SMTP_ADDRESS,
				     &value);
	return recipient;
}

static void content_set_automatic(struct mapi_content *content)
{
	struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING,
		.guid = PS_INTERNET_HEADERS,
		.name = "Auto-Submitted",
	};
	struct mapi_content_prop prop = {
		.tag = MAPI_TAG(MAPI_NAMED_PROPERTY_ID_MIN, PTYP_STRING),
		.name = &name,
		.value = mapi_value_str("auto-replied"),
	};

	(void)mapi_propset_set(content->props, &prop);
}

void mapi_report_init(struct mapi_content *content, struct mapi_store *store,
		      const char *class, const char *prefix,
		      const char *subject, const char *message_id)
{
	const char *address = mapi_store_settings_get(store)->email_address;
	const char *domain = strrchr(address, '@');
	struct mapi_value now;
	guid_128_t guid;

	mapi_content_set_str(content, PIDTAG_MESSAGE_CLASS, class);
	mapi_content_set_str(content, PIDTAG_SUBJECT,
			     t_strconcat(prefix, subject, NULL));
	if (*message_id != '\0') {
		mapi_content_set_str(content, PIDTAG_ORIGINAL_MESSAGE_ID,
				     message_id);
		mapi_content_set_str(content, PIDTAG_IN_REPLY_TO_ID,
				     message_id);
		mapi_content_set_str(content, PIDTAG_INTERNET_REFERENCES,
				     message_id);
	}
	guid_128_generate(guid);
	mapi_content_set_str(content, PIDTAG_INTERNET_MESSAGE_ID,
		t_strdup_printf("<%s@%s>", guid_128_to_string(guid),
				domain == NULL ? "localhost" : domain + 1));
	now = mapi_value_time(mapi_time_from_unix(ioloop_time, 0));
	(void)mapi_propset_set_value(content->props, PIDTAG_CLIENT_SUBMIT_TIME,
				     &now);
	content_set_automatic(content);
}

void mapi_report_set_sender(struct mapi_content *content, const char *name,
			    const char *address)
{
	mapi_content_set_str(content, PIDTAG_SENDER_NAME, name);
	mapi_content_set_str(content, PIDTAG_SENDER_SMTP_ADDRESS, address);
	mapi_content_set_str(content, PIDTAG_SENT_REPRESENTING_NAME, name);
	mapi_content_set_str(content, PIDTAG_SENT_REPRESENTING_SMTP_ADDRESS,
			     address);
}
