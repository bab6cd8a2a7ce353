/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Properties of folders and of the store as streams, [MS-OXCPRPT] 2.2.14. What has
   been written is the property, durably, when the stream is committed. */

#include "lib.h"
#include "istream.h"
#include "mapi-folder-write.h"
#include "mapi-message-private.h"
#include "mapi-stored-props.h"
#include "mapi-stream.h"

/* PidTagSecurityDescriptorAsXml, which [MS-OXPROPS] doesn't have any more */
#define SECURITY_DESCRIPTOR_AS_XML_ID 0x0e6a

static uint32_t stored_owner_number(const struct mapi_object *obj)
{
	return obj->type != MAPI_OBJECT_FOLDER ? MAPI_STORED_STORE :
		mapi_folder_fid_to_number(
			((const struct mapi_folder *)obj)->fid);
}

/* Large values are streams from the beginning; all others, computed ones too, are in
   memory. */
static enum mapi_error
stored_get_for_stream(struct mapi_object *obj, TALLOC_CTX *mem, uint32_t tag,
		      struct mapi_content_prop *prop_r)
{
	const uint32_t any_tag = MAPI_TAG_AS(tag, PTYP_UNSPECIFIED);
	enum mapi_stored_state state;
	enum mapi_error error;

	i_zero(prop_r);
	error = obj->v->get_props(obj, mem, &any_tag, 1, SIZE_MAX,
				  &prop_r->value);
	if (error != EC_NONE)
		return error;
	if (prop_r->value.type != PTYP_ERROR_CODE) {
		prop_r->tag = MAPI_TAG_AS(tag, prop_r->value.type);
		return EC_NONE;
	}
	if (prop_r->value.u.error != EC_NOT_ENOUGH_MEMORY)
		return prop_r->value.u.error;
	error = mapi_stored_get_prop(obj->store, stored_owner_number(obj), mem,
				     tag, &state, prop_r);
	return error != EC_NONE ? error :
		state != MAPI_STORED_VALUE ? EC_NOT_FOUND : EC_NONE;
}

enum mapi_error
mapi_stored_open_stream(struct mapi_object *obj, TALLOC_CTX *parent,
			uint32_t tag, struct mapi_stream **stream_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_overlay *overlay = mapi_overlay_create(mem);
	struct mapi_content_prop prop;
	enum mapi_error error;
	bool absent;

	/* [MS-OXCPERM] 3.1.4.1: clients ask for permissions in this form
	   first, and that is what tells them to ask for the table */
	error = MAPI_TAG_ID(tag) == SECURITY_DESCRIPTOR_AS_XML_ID ?
		EC_NOT_SUPPORTED : stored_get_for_stream(obj, mem, tag, &prop);
	if (error == EC_NONE) {
		/* it's only looked up there by its tag */
		prop.name = NULL;
		(void)mapi_overlay_set(overlay, &prop);
		error = mapi_overlay_open_stream(parent, obj->store, overlay,
						 tag, obj->store->code_page,
						 stream_r, &absent);
	}
	talloc_free(mem);
	return error;
}

/* --- writing ----------------------------------------------------------------- */

/* The folder may be released before the stream is. */
struct stored_stream_target {
	struct mapi_stream_target target;
	struct mapi_store *store;
	mapi_id_t fid;
	uint32_t tag;
	struct mapi_property_name *name;
};

static enum mapi_error
stored_stream_commit(struct mapi_stream_target *_target, struct istream *input)
{
	struct stored_stream_target *target =
		container_of(_target, struct stored_stream_target, target);
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_content_prop prop;
	enum mapi_error error;

	error = mapi_stream_to_prop(mem, input, target->tag,
				    target->store->code_page, &prop);
	if (error == EC_NONE) {
		prop.name = MAPI_TAG_IS_NAMED(prop.tag) ? target->name : NULL;
		error = mapi_folder_set_prop(target->store, target->fid, &prop);
	}
	talloc_free(mem);
	return error;
}

static enum mapi_error
stored_stream_get_input(struct mapi_object *obj, uint32_t tag,
			struct istream **input_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_stream *stream;
	enum mapi_error error;

	error = mapi_stored_open_stream(obj, mem, tag, &stream);
	if (error == EC_NONE)
		*input_r = mapi_stream_get_istream(stream);
	talloc_free(mem);
	return error;
}

enum mapi_error
mapi_stored_open_stream_write(struct mapi_object *obj, TALLOC_CTX *parent,
			      uint32_t tag, bool create,
			      struct mapi_stream **stream_r)
{
	struct stored_stream_target *target;
	struct istream *input = NULL;
	enum mapi_error error;

	i_assert(obj->type == MAPI_OBJECT_FOLDER);
	if (!mapi_folder_prop_is_settable(tag))
		return EC_ACCESS_DENIED;
	target = talloc_zero(parent, struct stored_stream_target);
	target->store = obj->store;
	target->fid = ((struct mapi_folder *)obj)->fid;
	target->tag = tag;
	target->target.commit = stored_stream_commit;
	target->target.max_size = MAPI_STORED_MAX_SIZE;
	error = mapi_store_tags_to_names(obj->store, target, &tag, 1,
					 &target->name);
	if (error == EC_NONE && MAPI_TAG_IS_NAMED(tag) &&
	    target->name->kind == MAPI_NAME_NONE)
		error = EC_INVALID_PARAM;
	if (error == EC_NONE && !create)
		error = stored_stream_get_input(obj, tag, &input);
	if (error == EC_NONE) {
		*stream_r = mapi_stream_create_write(parent, obj->store, input,
						     &target->target);
	} else {
		talloc_free(target);
	}
	i_stream_unref(&input);
	return error;
}
