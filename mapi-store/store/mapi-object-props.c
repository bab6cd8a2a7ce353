/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-object-props.h"
#include "mapi-string8.h"

void mapi_value_convert(TALLOC_CTX *mem,
			const struct mapi_props_options *options,
			uint32_t tag, struct mapi_value *value)
{
	uint16_t wanted = MAPI_TAG_TYPE(tag);

	if (value->type == PTYP_ERROR_CODE)
		return;
	if (wanted == PTYP_UNSPECIFIED) {
		wanted = value->type;
		if (!options->unicode && wanted == PTYP_STRING)
			wanted = PTYP_STRING8;
		else if (!options->unicode && wanted == PTYP_MULTIPLE_STRING)
			wanted = PTYP_MULTIPLE_STRING8;
	}
	if (value->type != wanted) {
		if ((value->type == PTYP_STRING && wanted == PTYP_STRING8) ||
		    (value->type == PTYP_MULTIPLE_STRING &&
		     wanted == PTYP_MULTIPLE_STRING8))
			mapi_value_to_string8(mem, options->code_page, value);
		else if ((value->type == PTYP_STRING8 &&
			  wanted == PTYP_STRING) ||
			 (value->type == PTYP_MULTIPLE_STRING8 &&
			  wanted == PTYP_MULTIPLE_STRING))
			mapi_value_to_string(mem, options->code_page, value);
		else {
			*value = mapi_value_error(EC_UNEXPECTED_TYPE);
			return;
		}
	}
	if (options->max_size != SIZE_MAX &&
	    mapi_value_size(value) > options->max_size)
		*value = mapi_value_error(EC_NOT_ENOUGH_MEMORY);
}

enum mapi_error
mapi_object_get_props(struct mapi_object *obj, TALLOC_CTX *mem,
		      const struct mapi_props_options *options,
		      const uint32_t *tags, unsigned int count,
		      struct mapi_value *values_r)
{
	enum mapi_error error;
	unsigned int i;

	error = obj->v->get_props(obj, mem, tags, count, options->max_size,
				  values_r);
	if (error != EC_NONE)
		return error;
	for (i = 0; i < count; i++) {
		if (!mapi_type_is_known(MAPI_TAG_TYPE(tags[i])))
			values_r[i] = mapi_value_error(EC_INVALID_TYPE);
		else
			mapi_value_convert(mem, options, tags[i],
					   &values_r[i]);
	}
	return EC_NONE;
}

enum mapi_error
mapi_object_get_all_props(struct mapi_object *obj, TALLOC_CTX *mem,
			  const struct mapi_props_options *options,
			  struct mapi_property **props_r,
			  unsigned int *count_r)
{
	struct mapi_property *props;
	struct mapi_value *values;
	const uint32_t *tags;
	uint32_t *asked;
	enum mapi_error error;
	unsigned int i, n, count;

	*count_r = 0;
	error = obj->v->list_props(obj, mem, &tags, &count);
	if (error != EC_NONE)
		return error;
	asked = talloc_array(mem, uint32_t, count);
	values = talloc_zero_array(mem, struct mapi_value, count);
	props = talloc_array(mem, struct mapi_property, count);
	for (i = 0; i < count; i++) {
		asked[i] = tags[i];
		if (!options->unicode &&
		    (MAPI_TAG_TYPE(tags[i]) == PTYP_STRING ||
		     MAPI_TAG_TYPE(tags[i]) == PTYP_MULTIPLE_STRING))
			asked[i] = MAPI_TAG_AS(tags[i], PTYP_UNSPECIFIED);
	}
	error = mapi_object_get_props(obj, mem, options, asked, count, values);
	if (error != EC_NONE)
		return error;
	for (i = n = 0; i < count; i++) {
		if (values[i].type == PTYP_ERROR_CODE &&
		    values[i].u.error != EC_NOT_ENOUGH_MEMORY)
			continue;
		props[n].tag = MAPI_TAG_AS(tags[i], values[i].type);
		props[n++].value = values[i];
	}
	*props_r = props;
	*count_r = n;
	return EC_NONE;
}
