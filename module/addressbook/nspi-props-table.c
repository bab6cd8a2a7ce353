/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-props.h"
#include "mapi-codepage.h"
#include "nspi-props.h"
#include "nspi-props-private.h"

#include <stdlib.h>

#define CONTAINERS NSPI_KIND(DIRECTORY_CONTAINER)
#define GROUPS NSPI_KIND(DIRECTORY_GROUP)
#define CONTACTS NSPI_KIND(DIRECTORY_CONTACT)
#define MAILBOXES (NSPI_RECIPIENTS & ~(GROUPS | CONTACTS))

/* in the order of property ids */
static const struct nspi_property nspi_properties[] = {
	{ PIDTAG_INSTANCE_KEY, NSPI_ALL, nspi_get_instance_key },
	{ PIDTAG_MAPPING_SIGNATURE, NSPI_ALL, nspi_get_mapping_signature },
	{ PIDTAG_RECORD_KEY, NSPI_ALL, nspi_get_entry_id },
	{ PIDTAG_OBJECT_TYPE, NSPI_ALL, nspi_get_type },
	{ PIDTAG_ENTRY_ID, NSPI_ALL, nspi_get_entry_id },
	{ PIDTAG_DISPLAY_NAME, NSPI_ALL, nspi_get_display_name },
	{ PIDTAG_ADDRESS_TYPE, NSPI_RECIPIENTS, nspi_get_address_type },
	{ PIDTAG_EMAIL_ADDRESS, NSPI_RECIPIENTS, nspi_get_dn },
	{ PIDTAG_DEPTH, CONTAINERS, nspi_get_container },
	{ PIDTAG_SEARCH_KEY, NSPI_ALL, nspi_get_search_key },
	{ PIDTAG_CONTAINER_FLAGS, CONTAINERS | GROUPS, nspi_get_container },
	{ PIDTAG_CONTAINER_CONTENTS, CONTAINERS | GROUPS, nspi_get_links },
	{ PIDTAG_DISPLAY_TYPE, NSPI_ALL, nspi_get_type },
	{ PIDTAG_TEMPLATEID, NSPI_ALL, nspi_get_entry_id },
	{ PIDTAG_DISPLAY_TYPE_EX, NSPI_RECIPIENTS, nspi_get_type },
	{ PIDTAG_SMTP_ADDRESS, NSPI_RECIPIENTS, nspi_get_address },
	{ PIDTAG_ADDRESS_BOOK_DISPLAY_NAME_PRINTABLE, NSPI_ALL,
	  nspi_get_display_name, .stored_first = TRUE },
	{ PIDTAG_ACCOUNT, NSPI_RECIPIENTS, nspi_get_account,
	  .stored_first = TRUE },
	{ PIDTAG_ORIGINAL_ENTRY_ID, NSPI_RECIPIENTS, nspi_get_entry_id },
	{ PIDTAG_PRIMARY_TELEPHONE_NUMBER, NSPI_RECIPIENTS,
	  nspi_get_primary_telephone, .stored_first = TRUE },
	{ PIDTAG_TRANSMITTABLE_DISPLAY_NAME, NSPI_ALL, nspi_get_display_name },
	{ PIDTAG_SEND_RICH_INFO, NSPI_RECIPIENTS, nspi_get_true },
	{ PIDTAG_INITIAL_DETAILS_PANE, NSPI_ALL, nspi_get_zero },
	{ PIDTAG_ADDRESS_BOOK_MANAGER, NSPI_RECIPIENTS, nspi_get_links,
	  .link_tag = PIDTAG_ADDRESS_BOOK_MANAGER },
	{ PIDTAG_ADDRESS_BOOK_HOME_MESSAGE_DATABASE, MAILBOXES,
	  nspi_get_home_mdb },
	{ PIDTAG_ADDRESS_BOOK_IS_MEMBER_OF_DISTRIBUTION_LIST, NSPI_RECIPIENTS,
	  nspi_get_links, .link_tag = PIDTAG_ADDRESS_BOOK_MEMBER,
	  .backlink = TRUE },
	{ PIDTAG_ADDRESS_BOOK_MEMBER, GROUPS, nspi_get_links,
	  .link_tag = PIDTAG_ADDRESS_BOOK_MEMBER },
	{ PIDTAG_ADDRESS_BOOK_OWNER, NSPI_RECIPIENTS, nspi_get_links,
	  .link_tag = PIDTAG_ADDRESS_BOOK_OWNER },
	{ PIDTAG_ADDRESS_BOOK_REPORTS, NSPI_RECIPIENTS, nspi_get_links,
	  .link_tag = PIDTAG_ADDRESS_BOOK_MANAGER, .backlink = TRUE },
	{ PIDTAG_ADDRESS_BOOK_PROXY_ADDRESSES, NSPI_RECIPIENTS,
	  nspi_get_proxy_addresses },
	{ PIDTAG_ADDRESS_BOOK_TARGET_ADDRESS, CONTACTS,
	  nspi_get_target_address, .stored_first = TRUE },
	{ PIDTAG_ADDRESS_BOOK_PUBLIC_DELEGATES, MAILBOXES, nspi_get_links,
	  .link_tag = PIDTAG_ADDRESS_BOOK_PUBLIC_DELEGATES },
	{ PIDTAG_ADDRESS_BOOK_OWNER_BACK_LINK, NSPI_RECIPIENTS, nspi_get_links,
	  .link_tag = PIDTAG_ADDRESS_BOOK_OWNER, .backlink = TRUE },
	{ PIDTAG_ADDRESS_BOOK_OBJECT_DISTINGUISHED_NAME, NSPI_ALL,
	  nspi_get_dn },
	{ PIDTAG_ADDRESS_BOOK_OBJECT_GUID, NSPI_ALL, nspi_get_object_guid },
	{ PIDTAG_ADDRESS_BOOK_IS_MASTER, CONTAINERS, nspi_get_container },
	{ PIDTAG_ADDRESS_BOOK_PARENT_ENTRY_ID, CONTAINERS, nspi_get_container },
	{ PIDTAG_ADDRESS_BOOK_CONTAINER_ID, NSPI_ALL, nspi_get_container_id },
};

/* Further properties that directories commonly have, for QueryColumns */
static const uint32_t nspi_stored_properties[] = {
	PIDTAG_GIVEN_NAME, PIDTAG_SURNAME, PIDTAG_INITIALS, PIDTAG_GENERATION,
	PIDTAG_TITLE, PIDTAG_DEPARTMENT_NAME, PIDTAG_COMPANY_NAME,
	PIDTAG_OFFICE_LOCATION, PIDTAG_BUSINESS_TELEPHONE_NUMBER,
	PIDTAG_BUSINESS2_TELEPHONE_NUMBERS, PIDTAG_HOME_TELEPHONE_NUMBER,
	PIDTAG_HOME2_TELEPHONE_NUMBERS, PIDTAG_MOBILE_TELEPHONE_NUMBER,
	PIDTAG_PRIMARY_FAX_NUMBER, PIDTAG_PAGER_TELEPHONE_NUMBER,
	PIDTAG_ASSISTANT, PIDTAG_ASSISTANT_TELEPHONE_NUMBER,
	PIDTAG_STREET_ADDRESS, PIDTAG_LOCALITY, PIDTAG_STATE_OR_PROVINCE,
	PIDTAG_POSTAL_CODE, PIDTAG_COUNTRY, PIDTAG_POST_OFFICE_BOX,
	PIDTAG_POSTAL_ADDRESS, PIDTAG_COMMENT, PIDTAG_USER_CERTIFICATE,
	PIDTAG_USER_X509_CERTIFICATE, PIDTAG_ADDRESS_BOOK_X509_CERTIFICATE,
	PIDTAG_THUMBNAIL_PHOTO, PIDTAG_ADDRESS_BOOK_NETWORK_ADDRESS,
	PIDTAG_ADDRESS_BOOK_PHONETIC_DISPLAY_NAME,
	PIDTAG_ADDRESS_BOOK_PHONETIC_GIVEN_NAME,
	PIDTAG_ADDRESS_BOOK_PHONETIC_SURNAME,
	PIDTAG_ADDRESS_BOOK_PHONETIC_COMPANY_NAME,
	PIDTAG_ADDRESS_BOOK_PHONETIC_DEPARTMENT_NAME,
	PIDTAG_BUSINESS_HOME_PAGE, PIDTAG_LANGUAGE,
	PIDTAG_ADDRESS_BOOK_ROOM_CAPACITY,
	PIDTAG_ADDRESS_BOOK_SENIORITY_INDEX,
	PIDTAG_ADDRESS_BOOK_MODERATION_ENABLED,
	PIDTAG_ADDRESS_BOOK_SENDER_HINT_TRANSLATIONS,
	PIDTAG_ADDRESS_BOOK_DELIVERY_CONTENT_LENGTH,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE1,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE2,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE3,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE4,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE5,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE6,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE7,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE8,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE9,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE10,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE11,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE12,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE13,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE14,
	PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE15,
};

static int nspi_property_cmp(const void *key, const void *elem)
{
	uint16_t id = MAPI_TAG_ID(*(const uint32_t *)key);
	const struct nspi_property *prop = elem;

	return (int)id - (int)MAPI_TAG_ID(prop->tag);
}

const struct nspi_property *nspi_property_find(uint32_t tag)
{
	return bsearch(&tag, nspi_properties, N_ELEMENTS(nspi_properties),
		       sizeof(nspi_properties[0]), nspi_property_cmp);
}

/* --- types ----------------------------------------------------------------- */

static bool str_is_ascii(const char *str)
{
	for (; *str != '\0'; str++) {
		if ((unsigned char)*str >= 0x80)
			return FALSE;
	}
	return TRUE;
}

static const char *
nspi_string8(const struct nspi_getter *getter, const char *str)
{
	return str_is_ascii(str) ? str :
		mapi_codepage_from_utf8(getter->ctx->mem, getter->code_page,
					str);
}

const char *nspi_string8_to_utf8(const struct nspi_getter *getter,
				 const char *str8)
{
	return mapi_codepage_to_utf8(getter->ctx->mem, getter->code_page,
				     str8);
}

/* Makes one value of many. */
static void nspi_value_single(struct mapi_value *value)
{
	struct mapi_value many = *value;

	value->type &= ~PTYP_MULTIPLE_FLAG;
	if (many.type == PTYP_MULTIPLE_STRING)
		value->u.str = many.u.mv.v.str[0];
	else
		value->u.bin = many.u.mv.v.bin[0];
}

static void nspi_value_multiple(TALLOC_CTX *mem, struct mapi_value *value)
{
	struct mapi_value single = *value;

	value->type |= PTYP_MULTIPLE_FLAG;
	value->u.mv.count = 1;
	if (single.type == PTYP_STRING) {
		value->u.mv.v.str = talloc_array(mem, const char *, 1);
		value->u.mv.v.str[0] = single.u.str;
	} else {
		value->u.mv.v.bin = talloc_array(mem, struct mapi_binary, 1);
		value->u.mv.v.bin[0] = single.u.bin;
	}
}

static bool
nspi_value_convert(const struct nspi_getter *getter, struct mapi_value *value,
		   uint16_t type)
{
	/* 8-bit strings are never what we have */
	uint16_t base = type == PTYP_STRING8 ? PTYP_STRING :
		type == PTYP_MULTIPLE_STRING8 ? PTYP_MULTIPLE_STRING : type;
	const char **strs;

	if (type == PTYP_UNSPECIFIED)
		return TRUE;
	if (value->type != base) {
		if ((value->type ^ base) != PTYP_MULTIPLE_FLAG ||
		    ((base & ~PTYP_MULTIPLE_FLAG) != PTYP_STRING &&
		     (base & ~PTYP_MULTIPLE_FLAG) != PTYP_BINARY))
			return FALSE;
		if ((base & PTYP_MULTIPLE_FLAG) != 0)
			nspi_value_multiple(getter->ctx->mem, value);
		else if (value->u.mv.count == 0)
			return FALSE;
		else
			nspi_value_single(value);
	}
	if (type == PTYP_STRING8) {
		value->u.str8 = nspi_string8(getter, value->u.str);
	} else if (type == PTYP_MULTIPLE_STRING8) {
		strs = talloc_array(getter->ctx->mem, const char *,
				    value->u.mv.count);
		for (uint32_t i = 0; i < value->u.mv.count; i++)
			strs[i] = nspi_string8(getter, value->u.mv.v.str[i]);
		value->u.mv.v.str8 = strs;
	}
	value->type = type;
	return TRUE;
}

void nspi_property_get(const struct nspi_getter *getter,
		       const struct snapshot_object *object, uint32_t tag,
		       struct mapi_value *value_r)
{
	if (!nspi_property_native(getter, nspi_property_find(tag), object, tag,
				  value_r) ||
	    !nspi_value_convert(getter, value_r, MAPI_TAG_TYPE(tag)))
		*value_r = mapi_value_error(EC_NOT_FOUND);
}

/* --- lists ------------------------------------------------------------------- */

static uint32_t nspi_tag_as(uint32_t tag, uint16_t string_type)
{
	switch (MAPI_TAG_TYPE(tag)) {
	case PTYP_STRING:
	case PTYP_STRING8:
		return MAPI_TAG_AS(tag, string_type);
	case PTYP_MULTIPLE_STRING:
		return MAPI_TAG_AS(tag, string_type | PTYP_MULTIPLE_FLAG);
	}
	return tag;
}

/* What refers to others is a table by itself. */
static uint32_t nspi_property_tag(const struct nspi_property *prop)
{
	return prop->link_tag != 0 ? MAPI_TAG_AS(prop->tag, PTYP_OBJECT) :
		prop->tag;
}

uint32_t *nspi_property_list(const struct nspi_getter *getter,
			     const struct snapshot_object *object,
			     bool skip_objects, uint16_t string_type,
			     uint32_t *count_r)
{
	const struct nspi_property *prop;
	struct mapi_value value;
	uint32_t i, tag, *tags;

	tags = talloc_array(getter->ctx->mem, uint32_t,
			    N_ELEMENTS(nspi_properties) + object->props_count);
	*count_r = 0;
	for (i = 0; i < N_ELEMENTS(nspi_properties); i++) {
		prop = &nspi_properties[i];
		tag = nspi_property_tag(prop);
		if ((!skip_objects || MAPI_TAG_TYPE(tag) != PTYP_OBJECT) &&
		    nspi_property_native(getter, prop, object, tag, &value))
			tags[(*count_r)++] = nspi_tag_as(tag, string_type);
	}
	for (i = 0; i < object->props_count; i++) {
		tag = snapshot_object_tag(object, i);
		if (nspi_property_find(tag) == NULL)
			tags[(*count_r)++] = nspi_tag_as(tag, string_type);
	}
	return tags;
}

uint32_t *nspi_property_columns(TALLOC_CTX *mem, uint16_t string_type,
				uint32_t *count_r)
{
	uint32_t i, *tags;

	tags = talloc_array(mem, uint32_t, N_ELEMENTS(nspi_properties) +
			    N_ELEMENTS(nspi_stored_properties));
	*count_r = 0;
	for (i = 0; i < N_ELEMENTS(nspi_properties); i++) {
		tags[(*count_r)++] =
			nspi_tag_as(nspi_property_tag(&nspi_properties[i]),
				    string_type);
	}
	for (i = 0; i < N_ELEMENTS(nspi_stored_properties); i++) {
		tags[(*count_r)++] = nspi_tag_as(nspi_stored_properties[i],
						 string_type);
	}
	return tags;
}
