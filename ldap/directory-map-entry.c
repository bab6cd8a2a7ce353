/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An entry made an object */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "str.h"
#include "strfuncs.h"
#include "strnum.h"
#include "sha2.h"
#include "unichar.h"
#include "hex-binary.h"
#include "mapi-props.h"
#include "directory-map-private.h"
#include "directory-source.h"

/* Longer ones are cut: clients have fixed buffers for some. */
#define DIRECTORY_MAX_STRING 4096
#define DIRECTORY_MAX_BINARY (256 * 1024)
#define DIRECTORY_MAX_VALUES 1000
/* A group may have many members. */
#define DIRECTORY_MAX_LINKS 200000

/* values of msExchRecipientDisplayType, [MS-OXOABK] 2.2.3.12 */
#define AD_DISPLAY_TYPE_ROOM "7"
#define AD_DISPLAY_TYPE_EQUIPMENT "8"

ARRAY_DEFINE_TYPE(mapi_property, struct mapi_property);
ARRAY_DEFINE_TYPE(directory_link, struct directory_link);

/* --- values --------------------------------------------------------------------- */

static const struct directory_attribute *
entry_find(const struct directory_entry *entry, const char *name)
{
	for (unsigned int i = 0; i < entry->attributes_count; i++) {
		if (strcasecmp(entry->attributes[i].name, name) == 0 &&
		    entry->attributes[i].count > 0)
			return &entry->attributes[i];
	}
	return NULL;
}

static const struct directory_attribute *
entry_find_any(const struct directory_entry *entry, const char *const *names)
{
	const struct directory_attribute *attr;

	for (; *names != NULL; names++) {
		attr = entry_find(entry, *names);
		if (attr != NULL)
			return attr;
	}
	return NULL;
}

/* Valid UTF-8 without control characters, no longer than allowed; NULL if
   nothing is left. */
static const char *
value_string(const struct mapi_binary *value, pool_t pool)
{
	string_t *str = t_str_new(64);
	size_t size = I_MIN(value->len, DIRECTORY_MAX_STRING), len;
	unsigned char *data;
	const char *ret;

	if (uni_utf8_get_valid_data(value->data, size, str))
		str_append_data(str, value->data, size);
	(void)uni_utf8_partial_strlen_n(str_data(str), str_len(str), &len);
	str_truncate(str, len);
	data = buffer_get_modifiable_data(str, NULL);
	for (size_t i = 0; i < str_len(str); i++) {
		if (data[i] < 0x20 || data[i] == 0x7f)
			data[i] = ' ';
	}
	ret = t_str_trim(str_c(str), " ");
	return *ret == '\0' ? NULL : p_strdup(pool, ret);
}

static const char *
entry_string(const struct directory_entry *entry, const char *const *names,
	     pool_t pool)
{
	const struct directory_attribute *attr;
	const char *str;

	for (; *names != NULL; names++) {
		attr = entry_find(entry, *names);
		for (unsigned int i = 0; attr != NULL && i < attr->count;
		     i++) {
			str = value_string(&attr->values[i], pool);
			if (str != NULL)
				return str;
		}
	}
	return NULL;
}

static const char *
entry_string_of(const struct directory_entry *entry, const char *names,
		pool_t pool)
{
	return entry_string(entry, t_strsplit_spaces(names, " "), pool);
}

static bool
entry_has_class(const struct directory_entry *entry, const char *classes)
{
	const struct directory_attribute *attr =
		entry_find(entry, "objectclass");
	const char *const *class = t_strsplit_spaces(classes, " ");

	for (unsigned int i = 0; attr != NULL && i < attr->count; i++) {
		const char *value = t_strndup(attr->values[i].data,
					      attr->values[i].len);

		if (str_array_icase_find(class, value))
			return TRUE;
	}
	return FALSE;
}

/* --- parts of an object ---------------------------------------------------------- */

static bool
map_kind(const struct directory_map *map, const struct directory_entry *entry,
	 enum directory_kind *kind_r)
{
	const struct directory_preset *preset = map->preset;
	const char *type;

	if (entry_has_class(entry, preset->group_classes))
		*kind_r = DIRECTORY_GROUP;
	else if (entry_has_class(entry, preset->contact_classes))
		*kind_r = DIRECTORY_CONTACT;
	else if (entry_has_class(entry, preset->user_classes)) {
		*kind_r = *preset->account != '\0' &&
			entry_find_any(entry, t_strsplit_spaces(
				preset->account, " ")) == NULL ?
			DIRECTORY_CONTACT : DIRECTORY_USER;
		type = entry_string_of(entry, map->preset->ad != 0 ?
				       ATTR_DISPLAY_TYPE : ATTR_EMPLOYEE_TYPE,
				       pool_datastack_create());
		if (type == NULL)
			;
		else if (strcmp(type, AD_DISPLAY_TYPE_ROOM) == 0 ||
			 strcasecmp(type, "room") == 0)
			*kind_r = DIRECTORY_ROOM;
		else if (strcmp(type, AD_DISPLAY_TYPE_EQUIPMENT) == 0 ||
			 strcasecmp(type, "equipment") == 0)
			*kind_r = DIRECTORY_EQUIPMENT;
	} else if (entry_has_class(entry, preset->container_classes))
		*kind_r = DIRECTORY_CONTAINER;
	else
		return FALSE;
	return TRUE;
}

static bool map_parse_id(const struct mapi_binary *value,
			 unsigned char id_r[DIRECTORY_ID_SIZE])
{
	string_t *hex = t_str_new(32);
	buffer_t buf;

	/* objectGUID is binary, the others are text */
	if (value->len == DIRECTORY_ID_SIZE) {
		memcpy(id_r, value->data, DIRECTORY_ID_SIZE);
		return TRUE;
	}
	for (unsigned int i = 0; i < value->len; i++) {
		if (value->data[i] != '-')
			str_append_c(hex, value->data[i]);
	}
	if (str_len(hex) != DIRECTORY_ID_SIZE * 2)
		return FALSE;
	buffer_create_from_data(&buf, id_r, DIRECTORY_ID_SIZE);
	return hex_to_binary(str_c(hex), &buf) == 0;
}

static void
map_id(const struct directory_entry *entry, const char *dn,
       unsigned char id_r[DIRECTORY_ID_SIZE])
{
	const struct directory_attribute *attr;
	unsigned char digest[SHA256_RESULTLEN];

	if (entry->id != NULL) {
		memcpy(id_r, entry->id, DIRECTORY_ID_SIZE);
		return;
	}
	attr = entry_find_any(entry, t_strsplit_spaces(ATTRS_ID, " "));
	if (attr != NULL && map_parse_id(&attr->values[0], id_r))
		return;
	sha256_get_digest(dn, strlen(dn), digest);
	memcpy(id_r, digest, DIRECTORY_ID_SIZE);
}

static bool address_is_valid(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL && at != address && at[1] != '\0' &&
		strpbrk(address, " \t<>(),;\"") == NULL;
}

static void
addresses_add(ARRAY_TYPE(const_string) *addresses, const char *address,
	      bool primary)
{
	const char *const *old;

	if (array_count(addresses) == DIRECTORY_MAX_VALUES ||
	    !address_is_valid(address))
		return;
	array_foreach(addresses, old) {
		if (strcasecmp(*old, address) == 0)
			return;
	}
	if (primary)
		array_push_front(addresses, &address);
	else
		array_push_back(addresses, &address);
}

static void
map_addresses(const struct directory_map *map,
	      const struct directory_entry *entry, pool_t pool,
	      struct directory_object *object)
{
	const char *const *names = t_strsplit_spaces(t_strconcat(
		map->preset->address, " ", map->preset->aliases, NULL), " ");
	ARRAY_TYPE(const_string) addresses;
	const struct directory_attribute *attr;
	const char *str;

	p_array_init(&addresses, pool, 4);
	for (; *names != NULL; names++) {
		attr = entry_find(entry, *names);
		for (unsigned int i = 0; attr != NULL && i < attr->count;
		     i++) {
			str = value_string(&attr->values[i], pool);
			if (str == NULL)
				continue;
			/* in proxyAddresses capitals mark the primary one,
			   and there are addresses of other systems */
			if (str_begins(str, "SMTP:"))
				addresses_add(&addresses, str + 5, TRUE);
			else if (strncasecmp(str, "smtp:", 5) == 0)
				addresses_add(&addresses, str + 5, FALSE);
			else if (strchr(str, ':') == NULL)
				addresses_add(&addresses, str, FALSE);
		}
	}
	object->addresses_count = array_count(&addresses);
	if (object->addresses_count > 0) {
		object->addresses = array_front(&addresses);
		object->address = object->addresses[0];
	}
}

static void
map_value(const struct directory_map_row *row,
	  const struct directory_attribute *attr, pool_t pool,
	  ARRAY_TYPE(mapi_property) *props)
{
	struct mapi_property prop;
	unsigned int i, count = I_MIN(attr->count, DIRECTORY_MAX_VALUES);
	const char *str;

	i_zero(&prop);
	prop.tag = row->preset->tag;
	prop.value.type = MAPI_TAG_TYPE(prop.tag);
	switch (row->preset->value) {
	case DIRECTORY_VALUE_FIRST:
		for (i = 0; i < count && prop.value.u.str == NULL; i++)
			prop.value.u.str = value_string(&attr->values[i], pool);
		if (prop.value.u.str == NULL)
			return;
		break;
	case DIRECTORY_VALUE_NUMBER:
	case DIRECTORY_VALUE_FLAG:
		str = value_string(&attr->values[0], pool_datastack_create());
		if (str == NULL)
			return;
		if (row->preset->value == DIRECTORY_VALUE_FLAG)
			prop.value.u.b = strcasecmp(str, "TRUE") == 0;
		else if (str_to_int32(str, &prop.value.u.i32) < 0)
			return;
		break;
	case DIRECTORY_VALUE_BINARY:
		if (attr->values[0].len == 0 ||
		    attr->values[0].len > DIRECTORY_MAX_BINARY)
			return;
		prop.value.u.bin.len = attr->values[0].len;
		prop.value.u.bin.data = p_memdup(pool, attr->values[0].data,
						 attr->values[0].len);
		break;
	case DIRECTORY_VALUE_REST:
	case DIRECTORY_VALUE_ALL:
		i = row->preset->value == DIRECTORY_VALUE_REST ? 1 : 0;
		if (prop.value.type == PTYP_MULTIPLE_STRING) {
			prop.value.u.mv.v.str = p_new(pool, const char *,
						      count + 1);
			for (; i < count; i++) {
				str = value_string(&attr->values[i], pool);
				if (str != NULL) {
					prop.value.u.mv.v.str[
						prop.value.u.mv.count++] = str;
				}
			}
		} else {
			prop.value.u.mv.v.bin =
				p_new(pool, struct mapi_binary, count + 1);
			for (; i < count; i++) {
				struct mapi_binary *bin = &prop.value.u.mv.v.
					bin[prop.value.u.mv.count];

				if (attr->values[i].len == 0 ||
				    attr->values[i].len > DIRECTORY_MAX_BINARY)
					continue;
				bin->len = attr->values[i].len;
				bin->data = p_memdup(pool,
						     attr->values[i].data,
						     bin->len);
				prop.value.u.mv.count++;
			}
		}
		if (prop.value.u.mv.count == 0)
			return;
		break;
	case DIRECTORY_VALUE_LINK:
		i_unreached();
	}
	array_push_back(props, &prop);
}

static void
map_links(const struct directory_map_row *row,
	  const struct directory_attribute *attr, pool_t pool,
	  ARRAY_TYPE(directory_link) *links)
{
	HASH_TABLE(const char *, const char *) seen;
	struct directory_link link;

	link.tag = row->preset->tag;
	/* no directory has a value twice, but a file may */
	hash_table_create(&seen, default_pool, 0, str_hash, strcmp);
	for (unsigned int i = 0; i < attr->count &&
	     array_count(links) < DIRECTORY_MAX_LINKS; i++) T_BEGIN {
		const char *dn = directory_dn_normalize(
			t_strndup(attr->values[i].data, attr->values[i].len));

		if (hash_table_lookup(seen, dn) == NULL) {
			link.dn = p_strdup(pool, dn);
			hash_table_insert(seen, link.dn, link.dn);
			array_push_back(links, &link);
		}
	} T_END;
	hash_table_destroy(&seen);
}

static void
map_rows(const struct directory_map *map, const struct directory_entry *entry,
	 pool_t pool, struct directory_object *object)
{
	ARRAY_TYPE(mapi_property) props;
	ARRAY_TYPE(directory_link) links;
	const struct directory_map_row *row;
	const struct directory_attribute *attr;

	p_array_init(&props, pool, 16);
	p_array_init(&links, pool, 4);
	array_foreach(&map->rows, row) {
		attr = entry_find_any(entry, row->attrs);
		if (attr == NULL)
			continue;
		if (row->preset->value == DIRECTORY_VALUE_LINK)
			map_links(row, attr, pool, &links);
		else
			map_value(row, attr, pool, &props);
	}
	object->props = array_get(&props, &object->props_count);
	object->links = array_get(&links, &object->links_count);
}

static const char *
map_legacy_dn(const struct directory_map *map,
	      const struct directory_entry *entry, pool_t pool,
	      const struct directory_object *object)
{
	const char *dn = entry_string_of(entry, ATTR_LEGACY_DN, pool);

	if (dn != NULL && *dn == '/')
		return dn;
	return p_strconcat(pool, map->legacy_dn_prefix,
			   object->username != NULL ? object->username :
			   binary_to_hex(object->id, sizeof(object->id)),
			   NULL);
}

int directory_map_entry(const struct directory_map *map,
			const struct directory_entry *entry, pool_t pool,
			struct directory_object *object_r,
			const char **error_r)
{
	const char *hide;

	i_zero(object_r);
	if (!map_kind(map, entry, &object_r->kind))
		return 0;
	object_r->dn = p_strdup(pool, directory_dn_normalize(entry->dn));
	map_id(entry, object_r->dn, object_r->id);
	if (object_r->kind != DIRECTORY_CONTAINER) {
		map_addresses(map, entry, pool, object_r);
		/* nobody to write to */
		if (object_r->address == NULL)
			return 0;
	}
	object_r->display_name = object_r->kind == DIRECTORY_CONTAINER ?
		entry_string_of(entry, "ou cn", pool) :
		entry_string_of(entry, map->preset->display_name, pool);
	if (object_r->display_name == NULL)
		object_r->display_name = entry_string_of(entry, "cn", pool);
	if (object_r->display_name == NULL)
		object_r->display_name = object_r->address;
	if (object_r->display_name == NULL) {
		*error_r = "It has no name";
		return -1;
	}
	if (object_r->kind != DIRECTORY_CONTAINER &&
	    object_r->kind != DIRECTORY_CONTACT &&
	    object_r->kind != DIRECTORY_GROUP) {
		object_r->username = entry_string(entry, map->username_attrs,
						  pool);
		if (object_r->username != NULL) {
			object_r->username =
				p_strdup(pool, t_str_lcase(object_r->username));
		}
	}
	hide = entry_string_of(entry, ATTR_HIDE, pool_datastack_create());
	if (hide != NULL && strcasecmp(hide, "TRUE") == 0) {
		object_r->hide = DIRECTORY_HIDE_FROM_GAL |
			DIRECTORY_HIDE_FROM_LISTS |
			DIRECTORY_HIDE_FROM_RESOLVE;
	}
	map_rows(map, entry, pool, object_r);
	object_r->legacy_dn = map_legacy_dn(map, entry, pool, object_r);
	return 1;
}
