/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "strfuncs.h"
#include "mapi-legacy-dn.h"
#include "directory-map-private.h"

/* To be incremented when entries become other objects than before by the same
   settings */
#define DIRECTORY_MAP_VERSION 2

static const char *const *map_split(struct directory_map *map, const char *str)
{
	return (void *)p_strsplit_spaces(map->pool, t_str_lcase(str), " ");
}

static bool map_wants(const struct directory_map *map, const char *attr)
{
	const char *const *name;

	array_foreach(&map->attributes, name) {
		if (strcasecmp(*name, attr) == 0)
			return TRUE;
	}
	return FALSE;
}

static void
map_want(struct directory_map *map, const char *attrs)
{
	const char *const *attr = t_strsplit_spaces(attrs, " ");
	const char *name;

	for (; *attr != NULL; attr++) {
		if (map_wants(map, *attr))
			continue;
		name = p_strdup(map->pool, *attr);
		array_push_back(&map->attributes, &name);
	}
}

static const struct directory_preset_row *map_row_find(const char *name)
{
	const struct directory_preset_row *row = directory_preset_rows;

	for (; row->name != NULL; row++) {
		if (strcasecmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

/* "PidTagTitle=title personalTitle; ..." Returns the attributes that the
   setting gives the row, NULL if it doesn't mention it. */
static const char *
map_override(const char *setting, const struct directory_preset_row *row)
{
	const char *const *part = t_strsplit(setting, ";"), *value;

	for (; *part != NULL; part++) {
		value = strchr(*part, '=');
		if (value != NULL &&
		    strcasecmp(t_str_trim(t_strdup_until(*part, value), " \t"),
			       row->name) == 0)
			return value + 1;
	}
	return NULL;
}

static int map_check_setting(const char *setting, const char **error_r)
{
	const char *const *part = t_strsplit(setting, ";"), *name;

	for (; *part != NULL; part++) {
		name = t_str_trim(t_strcut(*part, '='), " \t\n");
		if (*name == '\0' && strchr(*part, '=') == NULL)
			continue;
		if (strchr(*part, '=') == NULL) {
			*error_r = t_strdup_printf(
				"mapi_directory_attributes: '%s' has no '='",
				*part);
			return -1;
		}
		if (map_row_find(name) == NULL) {
			*error_r = t_strdup_printf(
				"mapi_directory_attributes: Unknown property "
				"'%s'", name);
			return -1;
		}
	}
	return 0;
}

static void
map_init_rows(struct directory_map *map, const char *setting)
{
	const struct directory_preset_row *preset = directory_preset_rows;
	struct directory_map_row *row;
	const char *attrs;

	p_array_init(&map->rows, map->pool, 64);
	for (; preset->name != NULL; preset++) {
		attrs = map_override(setting, preset);
		if (attrs == NULL)
			attrs = map->preset->ad != 0 ? preset->ad :
				preset->ldap;
		if (*attrs == '\0')
			continue;
		row = array_append_space(&map->rows);
		row->preset = preset;
		row->attrs = map_split(map, attrs);
		map_want(map, attrs);
	}
}

int directory_map_init(const struct directory_map_settings *set,
		       struct directory_map **map_r, const char **error_r)
{
	const struct directory_preset *preset = directory_presets;
	struct directory_map *map;
	const char *username;
	char *prefix;
	pool_t pool;

	while (preset->name != NULL && strcmp(preset->name, set->preset) != 0)
		preset++;
	if (preset->name == NULL) {
		*error_r = t_strdup_printf("Unknown preset '%s'", set->preset);
		return -1;
	}
	if (map_check_setting(set->attributes, error_r) < 0)
		return -1;

	pool = pool_alloconly_create("directory map", 8192);
	map = p_new(pool, struct directory_map, 1);
	map->pool = pool;
	map->preset = preset;
	prefix = mapi_legacy_dn_prefix(NULL, set->organization);
	map->legacy_dn_prefix = p_strdup(pool, prefix);
	talloc_free(prefix);
	username = *set->username_attribute == '\0' ? preset->username :
		set->username_attribute;
	map->username_attrs = map_split(map, username);

	p_array_init(&map->attributes, pool, 64);
	map_want(map, "objectClass "ATTRS_ID" "ATTR_HIDE" "ATTR_LEGACY_DN" "
		 ATTR_DISPLAY_TYPE" "ATTR_EMPLOYEE_TYPE);
	map_want(map, preset->display_name);
	map_want(map, preset->address);
	map_want(map, preset->aliases);
	map_want(map, preset->account);
	map_want(map, username);
	/* names to fall back to */
	map_want(map, "cn ou");
	map_init_rows(map, set->attributes);
	array_append_zero(&map->attributes);
	array_pop_back(&map->attributes);
	*map_r = map;
	return 0;
}

void directory_map_deinit(struct directory_map **_map)
{
	struct directory_map *map = *_map;

	*_map = NULL;
	pool_unref(&map->pool);
}

const char *const *directory_map_attributes(const struct directory_map *map)
{
	return array_front(&map->attributes);
}

const char *directory_map_filter(const struct directory_map *map)
{
	return map->preset->filter;
}

const char *directory_map_fingerprint(const struct directory_map *map)
{
	const struct directory_map_row *row;
	string_t *str = t_str_new(1024);

	str_printfa(str, "%u %s %s %s", DIRECTORY_MAP_VERSION,
		    map->preset->name, map->legacy_dn_prefix,
		    t_strarray_join(map->username_attrs, ","));
	array_foreach(&map->rows, row) {
		str_printfa(str, " %s=%s", row->preset->name,
			    t_strarray_join(row->attrs, ","));
	}
	return str_c(str);
}

const char *const *
directory_map_write_attributes(const struct directory_map *map, uint32_t tag)
{
	const struct directory_map_row *row;
	ARRAY_TYPE(const_string) names;
	const char *const *attr, *name;

	array_foreach(&map->rows, row) {
		if (row->preset->tag != tag)
			continue;
		t_array_init(&names, 4);
		for (attr = row->attrs; *attr != NULL; attr++) {
			/* RFC 4523 2.1: has to be transferred as binary, which
			   Active Directory doesn't know */
			name = map->preset->ad == 0 &&
				strcmp(*attr, "usercertificate") == 0 ?
				"userCertificate;binary" : *attr;
			array_push_back(&names, &name);
		}
		array_append_zero(&names);
		return array_front(&names);
	}
	return NULL;
}
