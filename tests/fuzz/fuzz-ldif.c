/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An LDIF file and the attribute map: the first byte says which preset, the
   rest is the file. */

#include "lib.h"
#include "str.h"
#include "unichar.h"
#include "mapi-props.h"
#include "directory-map.h"
#include "source-ldif.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const presets[] = { "inetorgperson", "ad", "freeipa" };
static struct directory_map *maps[N_ELEMENTS(presets)];

struct fuzz_result {
	const struct directory_map *map;
	unsigned int count;
};

static void fuzz_deinit(void)
{
	for (unsigned int i = 0; i < N_ELEMENTS(maps); i++)
		directory_map_deinit(&maps[i]);
	lib_deinit();
}

static void fuzz_init(void)
{
	struct directory_map_settings set = {
		.attributes = "PidTagComment=description info",
		.username_attribute = "", .organization = "Fuzz",
	};
	const char *error;

	lib_init();
	for (unsigned int i = 0; i < N_ELEMENTS(maps); i++) {
		set.preset = presets[i];
		if (directory_map_init(&set, &maps[i], &error) < 0)
			i_fatal("%s", error);
	}
	atexit(fuzz_deinit);
}

/* As directory-object.h promises */
static void check_str(const char *str, const char *what)
{
	if (!uni_utf8_str_is_valid(str))
		i_panic("%s isn't UTF-8", what);
	for (; *str != '\0'; str++) {
		if ((unsigned char)*str < 0x20 || *str == 0x7f)
			i_panic("%s has a control character", what);
	}
}

static void check_property(const struct mapi_property *prop)
{
	const struct mapi_value *value = &prop->value;

	switch (value->type) {
	case PTYP_STRING:
		check_str(value->u.str, "a property");
		break;
	case PTYP_BINARY:
		if (value->u.bin.len == 0 || value->u.bin.data == NULL)
			i_panic("an empty binary");
		break;
	case PTYP_MULTIPLE_STRING:
		if (value->u.mv.count == 0)
			i_panic("strings without any");
		for (uint32_t i = 0; i < value->u.mv.count; i++)
			check_str(value->u.mv.v.str[i], "a property");
		break;
	case PTYP_MULTIPLE_BINARY:
		if (value->u.mv.count == 0)
			i_panic("binaries without any");
		break;
	default:
		i_panic("a property of type %x", value->type);
	}
}

static void check_object(const struct directory_object *object)
{
	if (object->kind >= DIRECTORY_KIND_COUNT)
		i_panic("unknown kind %u", object->kind);
	if (*object->display_name == '\0' || *object->legacy_dn == '\0')
		i_panic("no name");
	check_str(object->display_name, "the name");
	check_str(object->legacy_dn, "the legacy DN");
	if (object->username != NULL)
		check_str(object->username, "the username");
	if ((object->address != NULL) != (object->addresses_count > 0) ||
	    (object->address != NULL &&
	     object->address != object->addresses[0]))
		i_panic("the primary address isn't the first one");
	for (unsigned int i = 0; i < object->addresses_count; i++)
		check_str(object->addresses[i], "an address");
	for (unsigned int i = 0; i < object->props_count; i++) {
		check_property(&object->props[i]);
		for (unsigned int j = 0; j < i; j++) {
			if (object->props[j].tag == object->props[i].tag)
				i_panic("tag %x twice", object->props[i].tag);
		}
	}
	for (unsigned int i = 0; i < object->links_count; i++) {
		if (object->links[i].dn == NULL)
			i_panic("a link to nowhere");
	}
}

static void fuzz_entry(void *context, const struct directory_entry *entry)
{
	struct fuzz_result *result = context;
	struct directory_object object;
	const char *error = NULL;
	pool_t pool;

	result->count++;
	pool = pool_alloconly_create("fuzz", 1024);
	T_BEGIN {
		int ret = directory_map_entry(result->map, entry, pool,
					      &object, &error);

		if (ret > 0)
			check_object(&object);
		else if (ret < 0 && error == NULL)
			i_panic("no error");
	} T_END;
	pool_unref(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_result result;
	const char *error = NULL;

	if (maps[0] == NULL)
		fuzz_init();
	if (size == 0)
		return 0;
	i_zero(&result);
	result.map = maps[data[0] % N_ELEMENTS(maps)];
	T_BEGIN {
		if (ldif_parse(data + 1, size - 1, fuzz_entry, &result,
			       &error) < 0) {
			if (error == NULL || !str_begins(error, "line "))
				i_panic("an error without its line");
			if (result.count > 0)
				i_panic("entries of a file with an error");
		}
	} T_END;
	return 0;
}
