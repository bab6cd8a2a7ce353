/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Copying properties between objects, whatever they are. */

#include "lib.h"
#include "mapi-object-copy.h"
#include "mapi-object-props.h"
#include "mapi-props.h"
#include "mapi-store.h"
#include "mapi-stream.h"

/* Larger values are copied as streams. */
#define COPY_MEMORY_SIZE (32 * 1024)

struct copy_props {
	const struct mapi_copy *copy;
	TALLOC_CTX *mem;
	/* strings are PTYP_STRING */
	uint32_t *tags;
	/* what they are called in the store of the destination; 0 if they can't
	   be called anything there */
	const uint32_t *dest_tags;
	unsigned int count;
	enum mapi_error *errors;
	/* has been copied: to be removed if it's moved */
	bool *copied;
};

static enum mapi_error copy_check(const struct mapi_copy *copy)
{
	if (copy->source == copy->dest) {
		return copy->source->type == MAPI_OBJECT_FOLDER ?
			EC_FOLDER_CYCLE : EC_MESSAGE_CYCLE;
	}
	if (copy->source->type == MAPI_OBJECT_MESSAGE &&
	    copy->dest->type == MAPI_OBJECT_MESSAGE &&
	    mapi_message_contains(copy->source, copy->dest))
		return EC_MESSAGE_CYCLE;
	if (copy->source->type != copy->dest->type ||
	    copy->dest->v->set_props == NULL)
		return EC_NOT_SUPPORTED;
	return EC_NONE;
}

/* --- properties ----------------------------------------------------------- */

enum mapi_error
mapi_copy_dest_tags(const struct mapi_copy *copy, TALLOC_CTX *mem,
		    const uint32_t *tags, unsigned int count,
		    const uint32_t **dest_tags_r)
{
	struct mapi_property_name *names, *found;
	uint32_t *dest_tags;
	enum mapi_error error;
	unsigned int i, n = 0;
	uint16_t *ids;

	*dest_tags_r = tags;
	if (copy->source->store == copy->dest->store)
		return EC_NONE;
	error = mapi_store_tags_to_names(copy->source->store, mem, tags, count,
					 &names);
	if (error != EC_NONE)
		return error;
	found = talloc_array(mem, struct mapi_property_name, count);
	for (i = 0; i < count; i++) {
		if (names[i].kind != MAPI_NAME_NONE)
			found[n++] = names[i];
	}
	ids = talloc_zero_array(mem, uint16_t, n);
	if (n > 0) {
		error = mapi_store_names_to_ids(copy->dest->store, found, n,
						TRUE, ids);
		if (error != EC_NONE)
			return error;
	}
	dest_tags = talloc_array(mem, uint32_t, count);
	for (i = n = 0; i < count; i++) {
		uint16_t id = MAPI_TAG_ID(tags[i]);

		if (names[i].kind != MAPI_NAME_NONE)
			id = ids[n++];
		else if (MAPI_TAG_IS_NAMED(tags[i]))
			id = 0;
		dest_tags[i] = id == 0 ? 0 :
			MAPI_TAG(id, MAPI_TAG_TYPE(tags[i]));
	}
	*dest_tags_r = dest_tags;
	return EC_NONE;
}

static enum mapi_error
copy_get_props(const struct copy_props *props, struct mapi_object *obj,
	       const uint32_t *tags, struct mapi_value **values_r)
{
	const struct mapi_props_options options = {
		.max_size = COPY_MEMORY_SIZE,
		.code_page = 1252,
		.unicode = TRUE,
	};

	*values_r = talloc_zero_array(props->mem, struct mapi_value,
				      props->count);
	return mapi_object_get_props(obj, props->mem, &options, tags,
				     props->count, *values_r);
}

static bool value_is_there(const struct mapi_value *value)
{
	return value->type != PTYP_ERROR_CODE ||
		value->u.error == EC_NOT_ENOUGH_MEMORY;
}

static enum mapi_error
copy_large(const struct copy_props *props, unsigned int idx)
{
	struct mapi_object *source = props->copy->source;
	struct mapi_object *dest = props->copy->dest;
	struct mapi_stream *input, *output;
	uint64_t read, written;
	enum mapi_error error;

	if (source->v->open_stream == NULL ||
	    dest->v->open_stream_write == NULL)
		return EC_NOT_SUPPORTED;
	error = source->v->open_stream(source, props->mem, props->tags[idx],
				       &input);
	if (error != EC_NONE)
		return error;
	error = dest->v->open_stream_write(dest, props->mem,
					   props->dest_tags[idx], TRUE,
					   &output);
	if (error == EC_NONE) {
		error = mapi_stream_copy(input, output, UINT64_MAX, &read,
					 &written);
		if (error == EC_NONE)
			error = mapi_stream_commit(output);
		talloc_free(output);
	}
	talloc_free(input);
	return error;
}

/* A folder can't have every name: that's no reason not to copy all else. */
static bool copy_folder_name(struct copy_props *props, unsigned int idx,
			     const struct mapi_value *value)
{
	struct mapi_object *dest = props->copy->dest;
	struct mapi_property prop = {
		.tag = props->tags[idx], .value = *value
	};
	enum mapi_error error;

	if (dest->type != MAPI_OBJECT_FOLDER ||
	    prop.tag != PIDTAG_DISPLAY_NAME)
		return FALSE;
	error = dest->v->set_props(dest, &prop, 1, &props->errors[idx]);
	if (error != EC_NONE)
		props->errors[idx] = error;
	props->copied[idx] = props->errors[idx] == EC_NONE;
	return TRUE;
}

/* Values that aren't large are set at once. */
static enum mapi_error
copy_values(struct copy_props *props, const struct mapi_value *values)
{
	struct mapi_object *dest = props->copy->dest;
	struct mapi_property *small;
	enum mapi_error error, *errors;
	unsigned int i, n = 0, *indexes;

	small = talloc_zero_array(props->mem, struct mapi_property,
				  props->count);
	errors = talloc_zero_array(props->mem, enum mapi_error, props->count);
	indexes = talloc_zero_array(props->mem, unsigned int, props->count);
	for (i = 0; i < props->count; i++) {
		if (props->errors[i] != EC_NONE || props->copied[i])
			continue;
		if (props->dest_tags[i] == 0 && value_is_there(&values[i])) {
			props->errors[i] = EC_ACCESS_DENIED;
			continue;
		}
		if (values[i].type != PTYP_ERROR_CODE) {
			if (copy_folder_name(props, i, &values[i]))
				continue;
			small[n].tag = MAPI_TAG_AS(props->dest_tags[i],
						   values[i].type);
			small[n].value = values[i];
			indexes[n++] = i;
		} else if (values[i].u.error != EC_NOT_ENOUGH_MEMORY) {
			props->errors[i] = values[i].u.error;
		}
	}
	if (n > 0) {
		error = dest->v->set_props(dest, small, n, errors);
		if (error != EC_NONE)
			return error;
	}
	for (i = 0; i < n; i++) {
		props->errors[indexes[i]] = errors[i];
		props->copied[indexes[i]] = errors[i] == EC_NONE;
	}
	for (i = 0; i < props->count; i++) {
		if (props->errors[i] == EC_NONE && !props->copied[i] &&
		    values[i].type == PTYP_ERROR_CODE) {
			props->errors[i] = copy_large(props, i);
			props->copied[i] = props->errors[i] == EC_NONE;
		}
	}
	return EC_NONE;
}

/* --- what isn't a value --------------------------------------------------- */

static void copy_sub_objects(struct copy_props *props)
{
	const struct mapi_copy *copy = props->copy;
	enum mapi_error error;
	unsigned int i;
	bool copied;

	for (i = 0; i < props->count; i++) {
		copied = TRUE;
		if (copy->source->type == MAPI_OBJECT_MESSAGE &&
		    props->tags[i] == PIDTAG_MESSAGE_RECIPIENTS)
			error = mapi_message_copy_recipients(copy);
		else if (copy->source->type == MAPI_OBJECT_MESSAGE &&
			 props->tags[i] == PIDTAG_MESSAGE_ATTACHMENTS)
			error = mapi_message_copy_attachments(copy);
		else if (copy->source->type == MAPI_OBJECT_ATTACHMENT &&
			 props->tags[i] == PIDTAG_ATTACH_DATA_OBJECT)
			error = mapi_attachment_copy_embedded(copy, &copied);
		else if (copy->source->type == MAPI_OBJECT_FOLDER &&
			 mapi_folder_copy_is_sub_object(props->tags[i]))
			error = mapi_folder_copy_sub_object(copy,
							    props->tags[i]);
		else
			continue;
		props->errors[i] = error;
		props->copied[i] = copied && error == EC_NONE;
	}
}

/* Those of which the destination has a value already count as copied. */
static enum mapi_error copy_keep_existing(struct copy_props *props)
{
	struct mapi_value *values;
	enum mapi_error error;
	unsigned int i;

	error = copy_get_props(props, props->copy->dest, props->dest_tags,
			       &values);
	for (i = 0; i < props->count && error == EC_NONE; i++)
		props->copied[i] = value_is_there(&values[i]);
	return error;
}

static enum mapi_error copy_remove_moved(struct copy_props *props)
{
	struct mapi_object *source = props->copy->source;
	unsigned int i, n = 0, *indexes;
	enum mapi_error error, *errors;
	uint32_t *tags;

	tags = talloc_array(props->mem, uint32_t, props->count);
	indexes = talloc_array(props->mem, unsigned int, props->count);
	errors = talloc_zero_array(props->mem, enum mapi_error, props->count);
	for (i = 0; i < props->count; i++) {
		if (!props->copied[i] ||
		    MAPI_TAG_TYPE(props->tags[i]) == PTYP_OBJECT)
			continue;
		tags[n] = props->tags[i];
		indexes[n++] = i;
	}
	if (n == 0)
		return EC_NONE;
	if (source->v->delete_props == NULL)
		return EC_NOT_SUPPORTED;
	error = source->v->delete_props(source, tags, n, errors);
	for (i = 0; i < n && error == EC_NONE; i++)
		props->errors[indexes[i]] = errors[i];
	return error;
}

static enum mapi_error copy_run(struct copy_props *props)
{
	bool *existing = NULL;
	struct mapi_value *values;
	enum mapi_error error;
	unsigned int i;

	if (props->copy->no_overwrite) {
		error = copy_keep_existing(props);
		if (error != EC_NONE)
			return error;
		existing = talloc_memdup(props->mem, props->copied,
					 props->count * sizeof(bool));
	}
	copy_sub_objects(props);
	error = copy_get_props(props, props->copy->source, props->tags,
			       &values);
	if (error == EC_NONE)
		error = copy_values(props, values);
	if (error != EC_NONE || !props->copy->move)
		return error;
	for (i = 0; i < props->count && existing != NULL; i++) {
		if (existing[i])
			props->copied[i] = FALSE;
	}
	return copy_remove_moved(props);
}

enum mapi_error
mapi_object_copy_props(const struct mapi_copy *copy, const uint32_t *tags,
		       unsigned int count, enum mapi_error *errors_r)
{
	struct copy_props props;
	enum mapi_error error;
	unsigned int i;

	error = copy_check(copy);
	if (error == EC_NONE && copy->source->type == MAPI_OBJECT_FOLDER)
		error = mapi_folder_copy_check(copy, tags, count);
	if (error != EC_NONE)
		return error;
	i_zero(&props);
	props.copy = copy;
	props.mem = talloc_new(NULL);
	props.count = count;
	props.errors = errors_r;
	props.copied = talloc_zero_array(props.mem, bool, count);
	props.tags = talloc_array(props.mem, uint32_t, count);
	for (i = 0; i < count; i++) {
		errors_r[i] = EC_NONE;
		props.tags[i] = tags[i];
		if (MAPI_TAG_TYPE(tags[i]) == PTYP_STRING8)
			props.tags[i] = MAPI_TAG_AS(tags[i], PTYP_STRING);
		else if (MAPI_TAG_TYPE(tags[i]) == PTYP_MULTIPLE_STRING8) {
			props.tags[i] = MAPI_TAG_AS(tags[i],
						    PTYP_MULTIPLE_STRING);
		}
	}
	error = mapi_copy_dest_tags(copy, props.mem, props.tags, count,
				    &props.dest_tags);
	if (error == EC_NONE)
		error = copy_run(&props);
	talloc_free(props.mem);
	return error;
}

/* --- everything ----------------------------------------------------------- */

static bool
tag_is_excluded(uint32_t tag, const uint32_t *excluded, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (MAPI_TAG_ID(excluded[i]) == MAPI_TAG_ID(tag))
			return TRUE;
	}
	return FALSE;
}

static enum mapi_error
copy_to_list(const struct mapi_copy *copy, TALLOC_CTX *mem,
	     const uint32_t *excluded, unsigned int excluded_count,
	     bool sub_objects, uint32_t **tags_r, unsigned int *count_r)
{
	static const struct {
		enum mapi_object_type type;
		uint32_t tag;
	} subs[] = {
		{ MAPI_OBJECT_MESSAGE, PIDTAG_MESSAGE_RECIPIENTS },
		{ MAPI_OBJECT_MESSAGE, PIDTAG_MESSAGE_ATTACHMENTS },
		{ MAPI_OBJECT_FOLDER, PIDTAG_CONTAINER_CONTENTS },
		{ MAPI_OBJECT_FOLDER, PIDTAG_FOLDER_ASSOCIATED_CONTENTS },
		{ MAPI_OBJECT_FOLDER, PIDTAG_CONTAINER_HIERARCHY },
	};
	enum mapi_error error;
	const uint32_t *tags;
	unsigned int i, count, n = 0;

	error = copy->source->v->list_props(copy->source, mem, &tags, &count);
	if (error != EC_NONE)
		return error;
	*tags_r = talloc_array(mem, uint32_t,
			       count + N_ELEMENTS(subs));
	for (i = 0; i < count; i++) {
		if (!tag_is_excluded(tags[i], excluded, excluded_count) &&
		    tags[i] != PIDTAG_MESSAGE_RECIPIENTS &&
		    tags[i] != PIDTAG_MESSAGE_ATTACHMENTS)
			(*tags_r)[n++] = tags[i];
	}
	for (i = 0; i < N_ELEMENTS(subs) && sub_objects; i++) {
		if (copy->source->type == subs[i].type &&
		    !tag_is_excluded(subs[i].tag, excluded, excluded_count))
			(*tags_r)[n++] = subs[i].tag;
	}
	*count_r = n;
	return EC_NONE;
}

/* It's the server's to say what these are, and the client's that they needn't be
   copied. */
static bool error_is_problem(uint32_t tag, enum mapi_error error)
{
	if (mapi_folder_copy_is_sub_object(tag))
		return error != EC_NONE;
	return error != EC_NONE && error != EC_COMPUTED &&
		error != EC_ACCESS_DENIED && error != EC_NOT_FOUND;
}

enum mapi_error
mapi_object_copy_to(const struct mapi_copy *copy, TALLOC_CTX *mem,
		    const uint32_t *excluded, unsigned int excluded_count,
		    bool sub_objects, struct mapi_copy_problem **problems_r,
		    unsigned int *count_r)
{
	enum mapi_error error, *errors;
	unsigned int i, count;
	uint32_t *tags;

	*count_r = 0;
	error = copy_check(copy);
	if (error != EC_NONE)
		return error;
	error = copy_to_list(copy, mem, excluded, excluded_count, sub_objects,
			     &tags, &count);
	if (error != EC_NONE)
		return error;
	errors = talloc_zero_array(mem, enum mapi_error, count);
	error = mapi_object_copy_props(copy, tags, count, errors);
	if (error != EC_NONE)
		return error;
	*problems_r = talloc_zero_array(mem, struct mapi_copy_problem, count);
	for (i = 0; i < count; i++) {
		if (!error_is_problem(tags[i], errors[i]))
			continue;
		(*problems_r)[*count_r].tag = tags[i];
		(*problems_r)[(*count_r)++].error = errors[i];
	}
	return EC_NONE;
}
