/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of properties that come from the header. The section of
   [MS-OXCMAIL] that each is from is said where its function is. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "mapi-props.h"
#include "mime-address.h"
#include "mime-headers-private.h"
#include "mime-text.h"

#define ADDRESS_GROUP(prefix, ...) \
	{ PIDTAG_##prefix##_NAME, { __VA_ARGS__ }, \
	  mime_header_get_address, MIME_ADDRESS_NAME }, \
	{ PIDTAG_##prefix##_ADDRESS_TYPE, { __VA_ARGS__ }, \
	  mime_header_get_address, MIME_ADDRESS_TYPE }, \
	{ PIDTAG_##prefix##_EMAIL_ADDRESS, { __VA_ARGS__ }, \
	  mime_header_get_address, MIME_ADDRESS_EMAIL }, \
	{ PIDTAG_##prefix##_SMTP_ADDRESS, { __VA_ARGS__ }, \
	  mime_header_get_address, MIME_ADDRESS_SMTP }, \
	{ PIDTAG_##prefix##_ENTRY_ID, { __VA_ARGS__ }, \
	  mime_header_get_address, MIME_ADDRESS_ENTRY_ID }, \
	{ PIDTAG_##prefix##_SEARCH_KEY, { __VA_ARGS__ }, \
	  mime_header_get_address, MIME_ADDRESS_SEARCH_KEY }

const struct mime_header_prop mime_header_props[] = {
	{ PIDTAG_SUBJECT, { "Subject" },
	  mime_header_get_subject, MIME_SUBJECT_WHOLE },
	{ PIDTAG_NORMALIZED_SUBJECT, { "Subject" },
	  mime_header_get_subject, MIME_SUBJECT_NORMALIZED },
	{ PIDTAG_SUBJECT_PREFIX, { "Subject" },
	  mime_header_get_subject, MIME_SUBJECT_PREFIX },
	{ PIDTAG_CONVERSATION_TOPIC, { "Thread-Topic", "Subject" },
	  mime_header_get_conversation_topic, 0 },
	{ PIDTAG_CONVERSATION_INDEX,
	  { "Thread-Index", "Thread-Topic", "Subject", "Date", "Message-ID" },
	  mime_header_get_conversation_index, 0 },
	{ PIDTAG_CONVERSATION_INDEX_TRACKING,
	  { "Thread-Index", "Thread-Topic", "Subject" },
	  mime_header_get_conversation_tracking, 0 },
	{ PIDTAG_CONVERSATION_ID,
	  { "Thread-Index", "Thread-Topic", "Subject" },
	  mime_header_get_conversation_id, 0 },

	/* [MS-OXCMAIL] 2.2.3.1.2, 2.2.3.1.3 */
	ADDRESS_GROUP(SENDER, "Sender", "From"),
	ADDRESS_GROUP(SENT_REPRESENTING, "From", "Sender"),
	/* 2.2.3.1.5: who wants to know that the message has been read */
	ADDRESS_GROUP(READ_RECEIPT, "Disposition-Notification-To",
		      "Return-Receipt-To"),
	{ PIDTAG_READ_RECEIPT_REQUESTED, { "Disposition-Notification-To" },
	  mime_header_get_flag, 0 },
	{ PIDTAG_NON_RECEIPT_NOTIFICATION_REQUESTED,
	  { "Disposition-Notification-To" }, mime_header_get_flag, 0 },
	/* 2.2.3.1.4 */
	{ PIDTAG_ORIGINATOR_DELIVERY_REPORT_REQUESTED,
	  { "Return-Receipt-To" }, mime_header_get_flag, 0 },
	{ PIDTAG_REPLY_RECIPIENT_ENTRIES, { "Reply-To" },
	  mime_header_get_reply_entries, 0 },
	{ PIDTAG_REPLY_RECIPIENT_NAMES, { "Reply-To" },
	  mime_header_get_reply_names, 0 },
	{ PIDTAG_DISPLAY_TO, { "To" }, mime_header_get_display_list, 0 },
	{ PIDTAG_DISPLAY_CC, { "Cc" }, mime_header_get_display_list, 0 },
	{ PIDTAG_DISPLAY_BCC, { "Bcc" }, mime_header_get_display_list, 0 },

	{ PIDTAG_CLIENT_SUBMIT_TIME, { "Date" },
	  mime_header_get_submit_time, 0 },
	{ PIDTAG_IMPORTANCE,
	  { "Importance", "X-Priority", "X-MSMail-Priority", "Priority" },
	  mime_header_get_importance, 0 },
	{ PIDTAG_PRIORITY, { "Priority" }, mime_header_get_priority, 0 },
	{ PIDTAG_SENSITIVITY, { "Sensitivity" },
	  mime_header_get_sensitivity, 0 },
	{ PIDTAG_INTERNET_MESSAGE_ID, { "Message-ID" },
	  mime_header_get_message_id, 0 },
	{ PIDTAG_INTERNET_REFERENCES, { "References" },
	  mime_header_get_text, 0 },
	{ PIDTAG_IN_REPLY_TO_ID, { "In-Reply-To" }, mime_header_get_text, 0 },
	{ PIDTAG_LIST_HELP, { "List-Help", "X-List-Help" },
	  mime_header_get_text, 0 },
	{ PIDTAG_LIST_SUBSCRIBE, { "List-Subscribe", "X-List-Subscribe" },
	  mime_header_get_text, 0 },
	{ PIDTAG_LIST_UNSUBSCRIBE,
	  { "List-Unsubscribe", "X-List-Unsubscribe" },
	  mime_header_get_text, 0 },
	{ PIDTAG_AUTO_RESPONSE_SUPPRESS, { "X-Auto-Response-Suppress" },
	  mime_header_get_auto_response_suppress, 0 },
	{ PIDTAG_EXPIRY_TIME, { "Expires", "Expiry-Date" },
	  mime_header_get_date, 0 },
	{ PIDTAG_REPLY_TIME, { "Reply-By" }, mime_header_get_date, 0 },
	{ PIDTAG_MESSAGE_LOCALE_ID, { "Content-Language" },
	  mime_header_get_locale, 0 },
	{ PIDTAG_CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL,
	  { "X-MS-Exchange-Organization-SCL" }, mime_header_get_integer, 0 },
	{ PIDTAG_BODY_CONTENT_ID, { "Content-ID" }, mime_header_get_text, 0 },
	{ PIDTAG_BODY_CONTENT_LOCATION, { "Content-Location" },
	  mime_header_get_text, 0 },
	{ PIDTAG_INTERNET_ORGANIZATION, { "Organization" },
	  mime_header_get_text, 0 },
	{ PIDTAG_MESSAGE_CLASS, { "Content-Type", "Content-Disposition" },
	  mime_header_get_class, 0 },
	{ PIDTAG_TRANSPORT_MESSAGE_HEADERS, { NULL },
	  mime_header_get_transport_headers, 0 },
};
const unsigned int mime_header_props_count = N_ELEMENTS(mime_header_props);

static const struct mime_header_prop *prop_find(uint32_t tag)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(mime_header_props); i++) {
		if (MAPI_TAG_ID(mime_header_props[i].tag) == MAPI_TAG_ID(tag))
			return &mime_header_props[i];
	}
	return NULL;
}

enum mime_prop_result
mime_headers_get_prop(struct mime_header_source *source, TALLOC_CTX *mem,
		      uint32_t tag, struct mapi_value *value_r)
{
	const struct mime_header_prop *prop = prop_find(tag);
	enum mime_prop_result ret;

	if (prop == NULL)
		return MIME_PROP_UNKNOWN;
	T_BEGIN {
		ret = prop->get(prop, source, mem, value_r);
	} T_END;
	i_assert(ret != MIME_PROP_FOUND ||
		 value_r->type == MAPI_TAG_TYPE(prop->tag));
	return ret;
}

bool mime_headers_has_prop(uint32_t tag)
{
	return prop_find(tag) != NULL;
}

bool mime_headers_prop_at(unsigned int i, uint32_t *tag_r)
{
	if (i >= N_ELEMENTS(mime_header_props))
		return FALSE;
	*tag_r = mime_header_props[i].tag;
	return TRUE;
}

void mime_headers_wanted(const uint32_t *tags, unsigned int count,
			 mime_header_name_callback_t *callback, void *context)
{
	const struct mime_header_prop *prop;
	unsigned int i, j;

	for (i = 0; i < count; i++) {
		prop = prop_find(tags[i]);
		if (prop == NULL)
			continue;
		for (j = 0; j < N_ELEMENTS(prop->names); j++) {
			if (prop->names[j] != NULL)
				callback(prop->names[j], context);
		}
	}
}

/* --- named properties ------------------------------------------------------ */

/* PidNameKeywords, [MS-OXCMAIL] 2.2.3.2.17: one string for each keyword */
static enum mime_prop_result
get_keywords(struct mime_header_source *source, TALLOC_CTX *mem,
	     struct mapi_value *value_r)
{
	const char *const *values, *const *keywords;
	ARRAY_TYPE(const_string) list;
	const char *keyword;
	int ret;

	ret = source->get_raw(source, "Keywords", &values);
	if (ret <= 0)
		return mime_prop_from_ret(ret);
	t_array_init(&list, 8);
	for (; *values != NULL; values++) {
		keywords = t_strsplit(t_mime_text_decode(*values), ",");
		for (; *keywords != NULL; keywords++) {
			keyword = t_str_trim(*keywords, " ");
			if (*keyword == '\0')
				continue;
			keyword = mime_strdup(mem, keyword);
			array_push_back(&list, &keyword);
		}
	}
	if (array_count(&list) == 0)
		return MIME_PROP_NOT_FOUND;
	value_r->type = PTYP_MULTIPLE_STRING;
	value_r->u.mv.count = array_count(&list);
	value_r->u.mv.v.str = mime_check_alloc(talloc_memdup(mem,
		array_front(&list), array_count(&list) * sizeof(keyword)));
	return MIME_PROP_FOUND;
}

static enum mime_prop_result
get_named_text(struct mime_header_source *source, const char *name,
	       TALLOC_CTX *mem, struct mapi_value *value_r)
{
	const char *value;
	int ret;

	ret = mime_header_first(source, name, &value);
	if (ret > 0) {
		*value_r = mapi_value_str(mime_text_decode_talloc(mem, value));
	}
	return mime_prop_from_ret(ret);
}

static bool header_name_is_valid(const char *name)
{
	if (*name == '\0')
		return FALSE;
	for (; *name != '\0'; name++) {
		if ((unsigned char)*name <= 0x20 ||
		    (unsigned char)*name >= 0x7f || *name == ':')
			return FALSE;
	}
	return TRUE;
}

enum mime_prop_result
mime_headers_get_named(struct mime_header_source *source, TALLOC_CTX *mem,
		       const struct mapi_property_name *name,
		       struct mapi_value *value_r)
{
	enum mime_prop_result ret = MIME_PROP_UNKNOWN;

	T_BEGIN {
		if (name->kind == MAPI_NAME_STRING &&
		    memcmp(&name->guid, &PS_INTERNET_HEADERS,
			   sizeof(name->guid)) == 0) {
			if (header_name_is_valid(name->name)) {
				ret = get_named_text(source, name->name, mem,
						     value_r);
			}
		} else if (name->kind == MAPI_NAME_STRING &&
			   memcmp(&name->guid, &PIDNAME_KEYWORDS_PSET,
				  sizeof(name->guid)) == 0 &&
			   strcmp(name->name, PIDNAME_KEYWORDS) == 0) {
			ret = get_keywords(source, mem, value_r);
		} else if (name->kind == MAPI_NAME_LID &&
			   memcmp(&name->guid, &PIDLID_FLAG_REQUEST_PSET,
				  sizeof(name->guid)) == 0 &&
			   name->lid == PIDLID_FLAG_REQUEST) {
			/* [MS-OXCMAIL] 2.2.3.2.13 */
			ret = get_named_text(source, "X-Message-Flag", mem,
					     value_r);
		}
	} T_END;
	return ret;
}
