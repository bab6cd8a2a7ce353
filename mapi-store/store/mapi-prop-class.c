/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-prop-class.h"
#include "mapi-props.h"

static const uint32_t message_computed[] = {
	PIDTAG_MID, PIDTAG_FOLDER_ID, PIDTAG_PARENT_FOLDER_ID,
	PIDTAG_CHANGE_NUMBER, PIDTAG_SOURCE_KEY, PIDTAG_PARENT_SOURCE_KEY,
	PIDTAG_CHANGE_KEY, PIDTAG_PREDECESSOR_CHANGE_LIST,
	PIDTAG_ENTRY_ID, PIDTAG_RECORD_KEY, PIDTAG_PARENT_ENTRY_ID,
	PIDTAG_STORE_RECORD_KEY, PIDTAG_STORE_ENTRY_ID,
	PIDTAG_MAPPING_SIGNATURE, PIDTAG_INTERNET_ARTICLE_NUMBER,
	PIDTAG_OBJECT_TYPE, PIDTAG_MESSAGE_FLAGS, PIDTAG_MESSAGE_STATUS,
	PIDTAG_SUBMIT_FLAGS,
	PIDTAG_READ, PIDTAG_ASSOCIATED, PIDTAG_HAS_NAMED_PROPERTIES,
	PIDTAG_MESSAGE_SIZE, PIDTAG_ACCESS, PIDTAG_ACCESS_LEVEL,
	PIDTAG_HAS_ATTACHMENTS, PIDTAG_DISPLAY_TO, PIDTAG_DISPLAY_CC,
	PIDTAG_DISPLAY_BCC, PIDTAG_LOCAL_COMMIT_TIME,
	PIDTAG_LAST_MODIFICATION_TIME, PIDTAG_LAST_MODIFIER_NAME,
	PIDTAG_LAST_MODIFIER_ENTRY_ID, PIDTAG_CREATOR_NAME,
	PIDTAG_CREATOR_ENTRY_ID, PIDTAG_INSTANCE_KEY,
	PIDTAG_INST_ID, PIDTAG_INSTANCE_NUM, PIDTAG_ROW_TYPE, PIDTAG_DEPTH,
};

#define RECEIVER(who) \
	PIDTAG_##who##_NAME, PIDTAG_##who##_ADDRESS_TYPE, \
	PIDTAG_##who##_EMAIL_ADDRESS, PIDTAG_##who##_SMTP_ADDRESS, \
	PIDTAG_##who##_ENTRY_ID, PIDTAG_##who##_SEARCH_KEY

static const uint32_t message_defaulted[] = {
	PIDTAG_SUBJECT, PIDTAG_NORMALIZED_SUBJECT, PIDTAG_SUBJECT_PREFIX,
	PIDTAG_CONVERSATION_TOPIC, PIDTAG_CONVERSATION_INDEX,
	PIDTAG_CONVERSATION_INDEX_TRACKING, PIDTAG_CONVERSATION_ID,
	PIDTAG_BODY, PIDTAG_HTML, PIDTAG_RTF_COMPRESSED, PIDTAG_RTF_IN_SYNC,
	PIDTAG_NATIVE_BODY, PIDTAG_INTERNET_CODEPAGE, PIDTAG_MESSAGE_CODEPAGE,
	PIDTAG_MESSAGE_LOCALE_ID, PIDTAG_IMPORTANCE, PIDTAG_SENSITIVITY,
	PIDTAG_PRIORITY, PIDTAG_MESSAGE_CLASS, PIDTAG_SEARCH_KEY,
	PIDTAG_CREATION_TIME,
	PIDTAG_MESSAGE_TO_ME, PIDTAG_MESSAGE_CC_ME, PIDTAG_MESSAGE_RECIPIENT_ME,
	PIDTAG_DELETE_AFTER_SUBMIT, PIDTAG_READ_RECEIPT_REQUESTED,
	PIDTAG_ORIGINATOR_DELIVERY_REPORT_REQUESTED,
	PIDTAG_NON_RECEIPT_NOTIFICATION_REQUESTED,
	RECEIVER(RECEIVED_BY), RECEIVER(RECEIVED_REPRESENTING),
};

static const uint32_t attachment_computed[] = {
	PIDTAG_ATTACH_NUMBER, PIDTAG_RECORD_KEY, PIDTAG_OBJECT_TYPE,
	PIDTAG_ATTACH_SIZE, PIDTAG_ACCESS, PIDTAG_ACCESS_LEVEL,
	PIDTAG_MAPPING_SIGNATURE, PIDTAG_STORE_RECORD_KEY,
};

static bool
tag_list_has(const uint32_t *tags, unsigned int count, uint32_t tag)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (MAPI_TAG_ID(tags[i]) == MAPI_TAG_ID(tag))
			return TRUE;
	}
	return FALSE;
}

enum mapi_prop_class
mapi_message_prop_class(uint32_t tag, const struct mapi_property_name *name)
{
	if (name != NULL) {
		return name->kind == MAPI_NAME_LID &&
			name->lid == PIDLID_SMART_NO_ATTACH &&
			memcmp(&name->guid, &PIDLID_SMART_NO_ATTACH_PSET,
			       sizeof(name->guid)) == 0 ?
			MAPI_PROP_DEFAULTED : MAPI_PROP_PLAIN;
	}
	if (tag_list_has(message_computed, N_ELEMENTS(message_computed), tag))
		return MAPI_PROP_COMPUTED;
	if (tag_list_has(message_defaulted, N_ELEMENTS(message_defaulted), tag))
		return MAPI_PROP_DEFAULTED;
	return MAPI_PROP_PLAIN;
}

enum mapi_prop_class
mapi_attachment_prop_class(uint32_t tag, const struct mapi_property_name *name)
{
	return name == NULL && tag_list_has(attachment_computed,
			    N_ELEMENTS(attachment_computed), tag) ?
		MAPI_PROP_COMPUTED : MAPI_PROP_PLAIN;
}

bool mapi_prop_type_is_storable(uint16_t type)
{
	return mapi_type_is_known(type) && type != PTYP_UNSPECIFIED &&
		type != PTYP_NULL && type != PTYP_ERROR_CODE &&
		type != PTYP_STRING8 && type != PTYP_MULTIPLE_STRING8;
}

bool mapi_prop_is_default(const struct mapi_content_prop *prop)
{
	/* An attachment that has got one for HTML that was made of RTF needs it
	   as long as there's that HTML. */
	if (prop->tag == PIDTAG_ATTACH_CONTENT_ID)
		return TRUE;
	return mapi_message_prop_class(prop->tag, prop->name) !=
		MAPI_PROP_PLAIN;
}

enum mapi_body mapi_prop_body(uint32_t tag)
{
	switch (MAPI_TAG_ID(tag)) {
	case MAPI_TAG_ID(PIDTAG_BODY):
		return MAPI_BODY_TEXT;
	case MAPI_TAG_ID(PIDTAG_HTML):
		return MAPI_BODY_HTML;
	case MAPI_TAG_ID(PIDTAG_RTF_COMPRESSED):
		return MAPI_BODY_RTF;
	}
	return 0;
}
