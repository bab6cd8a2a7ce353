/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Properties that a client sets in an overlay, as values and as streams. */

#include "lib.h"
#include "istream.h"
#include "mapi-codepage.h"
#include "mapi-message-private.h"
#include "mapi-property-info.h"
#include "mapi-stream.h"
#include "mapi-wire.h"

/* Binary values that are longer stay streams. */
#define PROP_MEMORY_MAX (64 * 1024)
/* No string is longer. */
#define PROP_STRING_MAX (128 * 1024 * 1024)

typedef enum mapi_prop_class
prop_class_func_t(uint32_t tag, const struct mapi_property_name *name);

/* [MS-OXCPRPT] 3.2.5.4 says which code for which failure. */
static enum mapi_error
check_tag(uint32_t tag, const struct mapi_property_name *name,
	  prop_class_func_t *class_func)
{
	if (MAPI_TAG_IS_NAMED(tag) && name->kind == MAPI_NAME_NONE)
		return EC_INVALID_PARAM;
	if (class_func(tag, MAPI_TAG_IS_NAMED(tag) ? name : NULL) ==
	    MAPI_PROP_COMPUTED)
		return EC_COMPUTED;
	return EC_NONE;
}

enum mapi_error
mapi_overlay_set_props(struct mapi_store *store, struct mapi_overlay *overlay,
		       prop_class_func_t *class_func,
		       const struct mapi_property *props, unsigned int count,
		       enum mapi_error *errors_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_property_name *names;
	struct mapi_content_prop prop;
	enum mapi_error error;
	unsigned int i;
	uint32_t *tags;

	tags = talloc_array(mem, uint32_t, count);
	for (i = 0; i < count; i++)
		tags[i] = props[i].tag;
	error = mapi_store_tags_to_names(store, mem, tags, count, &names);
	for (i = 0; i < count && error == EC_NONE; i++) {
		errors_r[i] = check_tag(tags[i], &names[i], class_func);
		if (errors_r[i] != EC_NONE)
			continue;
		if (MAPI_TAG_TYPE(tags[i]) != props[i].value.type ||
		    !mapi_prop_type_is_storable(props[i].value.type)) {
			errors_r[i] = EC_UNEXPECTED_TYPE;
			continue;
		}
		i_zero(&prop);
		prop.tag = tags[i];
		prop.name = MAPI_TAG_IS_NAMED(tags[i]) ? &names[i] : NULL;
		prop.value = props[i].value;
		if (!mapi_overlay_set(overlay, &prop))
			errors_r[i] = EC_TOO_COMPLEX;
	}
	talloc_free(mem);
	return error;
}

enum mapi_error
mapi_overlay_delete_props(struct mapi_store *store,
			  struct mapi_overlay *overlay,
			  prop_class_func_t *class_func,
			  const uint32_t *tags, unsigned int count,
			  enum mapi_error *errors_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_property_name *names;
	enum mapi_error error;
	unsigned int i;

	error = mapi_store_tags_to_names(store, mem, tags, count, &names);
	for (i = 0; i < count && error == EC_NONE; i++) {
		errors_r[i] = check_tag(tags[i], &names[i], class_func);
		if (errors_r[i] != EC_NONE)
			continue;
		if (!mapi_overlay_set_absent(overlay, tags[i],
				MAPI_TAG_IS_NAMED(tags[i]) ? &names[i] : NULL))
			errors_r[i] = EC_TOO_COMPLEX;
	}
	talloc_free(mem);
	return error;
}

/* --- streams ---------------------------------------------------------------- */

enum mapi_error
mapi_overlay_open_stream(TALLOC_CTX *parent, struct mapi_store *store,
			 const struct mapi_overlay *overlay, uint32_t tag,
			 uint32_t code_page, struct mapi_stream **stream_r,
			 bool *absent_r)
{
	const struct mapi_content_prop *prop;
	struct mapi_value value;

	prop = mapi_propset_find(overlay->props, tag);
	*absent_r = prop == NULL &&
		mapi_propset_find(overlay->absent, tag) != NULL;
	if (prop == NULL)
		return EC_NOT_FOUND;
	if (prop->stream == NULL) {
		value = prop->value;
		/* bytes are bytes */
		if (value.type == PTYP_OBJECT)
			value.type = PTYP_BINARY;
		if (MAPI_TAG_TYPE(tag) == PTYP_OBJECT &&
		    value.type != PTYP_BINARY)
			return EC_NOT_SUPPORTED;
		return mapi_stream_create_value(parent, store, tag, code_page,
						&value, stream_r);
	}
	if (MAPI_TAG_TYPE(tag) != PTYP_BINARY &&
	    MAPI_TAG_TYPE(tag) != PTYP_OBJECT)
		return EC_NOT_SUPPORTED;
	*stream_r = mapi_stream_create_istream(parent, store, prop->stream);
	return EC_NONE;
}

static enum mapi_error
read_all(TALLOC_CTX *mem, struct istream *input, uint8_t **data_r,
	 size_t *size_r)
{
	const unsigned char *data;
	size_t size, used = 0;
	uoff_t total;

	i_stream_seek(input, 0);
	if (i_stream_get_size(input, TRUE, &total) <= 0)
		return EC_ERROR;
	if (total > PROP_STRING_MAX)
		return EC_TOO_BIG;
	*data_r = talloc_array(mem, uint8_t, total + 1);
	while (used < total && i_stream_read_more(input, &data, &size) > 0) {
		size = I_MIN(size, total - used);
		memcpy(*data_r + used, data, size);
		used += size;
		i_stream_skip(input, size);
	}
	if (used < total)
		return EC_ERROR;
	(*data_r)[total] = '\0';
	*size_r = total;
	return EC_NONE;
}

enum mapi_error
mapi_stream_to_prop(TALLOC_CTX *mem, struct istream *input, uint32_t tag,
		    uint32_t code_page, struct mapi_content_prop *prop_r)
{
	enum mapi_error error;
	uint8_t *data;
	uoff_t total;
	size_t size;

	i_zero(prop_r);
	prop_r->tag = tag;
	switch (MAPI_TAG_TYPE(tag)) {
	case PTYP_BINARY:
	case PTYP_OBJECT:
		i_stream_seek(input, 0);
		if (i_stream_get_size(input, TRUE, &total) <= 0)
			return EC_ERROR;
		prop_r->value = mapi_value_bin(NULL, 0);
		prop_r->value.type = MAPI_TAG_TYPE(tag);
		if (total > PROP_MEMORY_MAX) {
			prop_r->stream = input;
			return EC_NONE;
		}
		error = read_all(mem, input, &data, &size);
		prop_r->value.u.bin.data = data;
		prop_r->value.u.bin.len = error == EC_NONE ? size : 0;
		return error;
	case PTYP_STRING:
		error = read_all(mem, input, &data, &size);
		if (error != EC_NONE)
			return error;
		prop_r->value = mapi_value_str(
			mapi_utf16_to_utf8(mem, data, size & ~(size_t)1));
		return EC_NONE;
	case PTYP_STRING8:
		error = read_all(mem, input, &data, &size);
		if (error != EC_NONE)
			return error;
		prop_r->tag = MAPI_TAG_AS(tag, PTYP_STRING);
		prop_r->value = mapi_value_str(
			mapi_codepage_to_utf8(mem, code_page,
					      (const char *)data));
		return EC_NONE;
	}
	return EC_NOT_SUPPORTED;
}
