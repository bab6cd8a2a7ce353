/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "istream.h"
#include "mapi-mailprops-private.h"
#include "mapi-message-private.h"
#include "mapi-stream.h"

/* PidTagAttachDataBinary in rows of the attachment table: never more than this
   is read for a row. */
#define ATTACHMENT_ROW_DATA_MAX 510

static bool attachment_is_data_tag(uint32_t tag)
{
	return MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_ATTACH_DATA_BINARY);
}

/* An attachment that is looked at */
struct attachment {
	struct mapi_message_content *content;
	uint32_t num;
	/* derived, in the message of view; NULL if it isn't */
	const struct mime_attachment *mime;
	struct mapi_message_view *view;
	/* what is said instead of what is derived; NULL if nothing */
	const struct mapi_overlay *overlay;
	const struct mapi_overlay *embedded;
};

static bool attachment_is_message(const struct attachment *attachment)
{
	return attachment->embedded != NULL ||
		(attachment->mime != NULL &&
		 attachment->mime->kind == MIME_ATTACH_MESSAGE);
}

static enum mapi_error
mapi_attachment_open_data(const struct attachment *attachment,
			  struct istream **input_r)
{
	struct mime_message *mime = mapi_message_view_mime(attachment->view);

	if (mime == NULL ||
	    mime_message_open_attachment(mime, attachment->mime, input_r) < 0)
		return mapi_message_view_error(attachment->view);
	return EC_NONE;
}

/* PidTagAttachDataBinary; embedded messages don't have it, and what their
   PidTagAttachDataObject is can't be had as a value. */
static enum mapi_error
mapi_attachment_get_data(const struct attachment *attachment,
			 TALLOC_CTX *mem, size_t max_size,
			 struct mapi_value *value_r)
{
	const unsigned char *data;
	struct istream *input;
	uint8_t *buf;
	size_t size, used = 0, allocated;
	enum mapi_error error;
	int ret;

	if (attachment->mime == NULL || attachment_is_message(attachment))
		return EC_NOT_FOUND;
	/* the estimate is never far off */
	if (attachment->mime->size / 2 > max_size)
		return EC_NOT_ENOUGH_MEMORY;
	error = mapi_attachment_open_data(attachment, &input);
	if (error != EC_NONE)
		return error;
	allocated = 4096;
	buf = talloc_array(mem, uint8_t, allocated);
	while ((ret = i_stream_read_more(input, &data, &size)) > 0) {
		if (used + size > max_size) {
			error = EC_NOT_ENOUGH_MEMORY;
			break;
		}
		if (used + size > allocated) {
			allocated = I_MAX(allocated * 2, used + size);
			buf = talloc_realloc(mem, buf, uint8_t, allocated);
		}
		memcpy(buf + used, data, size);
		used += size;
		i_stream_skip(input, size);
	}
	if (ret < 0 && input->stream_errno != 0)
		error = EC_ERROR;
	i_stream_unref(&input);
	if (error == EC_NONE)
		*value_r = mapi_value_bin(buf, used);
	else
		talloc_free(buf);
	return error;
}

static enum mapi_error
mapi_attachment_get_number(uint32_t num, TALLOC_CTX *mem, uint32_t tag,
			   struct mapi_value *value_r)
{
	switch (MAPI_TAG_ID(tag)) {
	case MAPI_TAG_ID(PIDTAG_ATTACH_NUMBER):
		*value_r = mapi_value_i32(num);
		return EC_NONE;
	case MAPI_TAG_ID(PIDTAG_RECORD_KEY): {
		uint8_t *key = talloc_array(mem, uint8_t, 4);

		cpu32_to_le_unaligned(num, key);
		*value_r = mapi_value_bin(key, 4);
		return EC_NONE;
	}
	}
	return EC_NOT_FOUND;
}

/* Properties that an attachment has from the message that it is in */
static const uint32_t attachment_message_tags[] = {
	PIDTAG_CREATION_TIME,
	PIDTAG_LAST_MODIFICATION_TIME,
	PIDTAG_ACCESS,
	PIDTAG_ACCESS_LEVEL,
	PIDTAG_MAPPING_SIGNATURE,
	PIDTAG_STORE_RECORD_KEY,
};
static const uint32_t attachment_own_tags[] = {
	PIDTAG_ATTACH_NUMBER,
	PIDTAG_RECORD_KEY,
	PIDTAG_OBJECT_TYPE,
};

/* PidTagAttachSize, [MS-OXCMSG] 2.2.2.5: of the properties of one that isn't
   derived; about as precise as clients need it */
static enum mapi_error
attachment_get_size(const struct attachment *attachment,
		    struct mapi_value *value_r)
{
	const struct mapi_propset *props = attachment->overlay->props;
	uint64_t total = 0;
	uoff_t size;
	unsigned int i;

	for (i = 0; i < props->count; i++) {
		if (props->props[i].stream == NULL)
			total += mapi_value_size(&props->props[i].value);
		else {
			i_stream_seek(props->props[i].stream, 0);
			if (i_stream_get_size(props->props[i].stream, TRUE,
					      &size) <= 0)
				return EC_ERROR;
			total += size;
		}
	}
	*value_r = mapi_value_i32(I_MIN(total, INT32_MAX));
	return EC_NONE;
}

static enum mapi_error
attachment_get_derived(const struct attachment *attachment, TALLOC_CTX *mem,
		       uint32_t tag, size_t max_size,
		       struct mapi_value *value_r)
{
	if (attachment->mime == NULL) {
		return MAPI_TAG_ID(tag) != MAPI_TAG_ID(PIDTAG_ATTACH_SIZE) ?
			EC_NOT_FOUND : attachment_get_size(attachment, value_r);
	}
	if (attachment_is_data_tag(tag))
		return mapi_attachment_get_data(attachment, mem, max_size,
						value_r);
	switch (mime_attachment_get_prop(attachment->mime, mem, tag, value_r)) {
	case MIME_PROP_FOUND:
		return EC_NONE;
	case MIME_PROP_FAILED:
		return mapi_message_view_error(attachment->view);
	default:
		return EC_NOT_FOUND;
	}
}

static enum mapi_error
mapi_attachment_get_prop(const struct attachment *attachment, TALLOC_CTX *mem,
			 uint32_t tag, size_t max_size,
			 struct mapi_value *value_r)
{
	enum mapi_error error;
	unsigned int i;
	bool found;

	if (MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_OBJECT_TYPE)) {
		*value_r = mapi_value_i32(7);
		return EC_NONE;
	}
	error = mapi_attachment_get_number(attachment->num, mem, tag, value_r);
	if (error == EC_NONE)
		return error;
	if (attachment->overlay != NULL) {
		error = mapi_overlay_get_value(attachment->overlay, tag, mem,
					       max_size, value_r, &found);
		if (found || error != EC_NONE)
			return error;
	}
	for (i = 0; i < N_ELEMENTS(attachment_message_tags); i++) {
		if (MAPI_TAG_ID(attachment_message_tags[i]) !=
		    MAPI_TAG_ID(tag))
			continue;
		error = mapi_mailprops_eval(attachment->content->view, mem,
					    &tag, 1, max_size, value_r);
		if (error == EC_NONE && value_r->type == PTYP_ERROR_CODE)
			error = (enum mapi_error)value_r->u.error;
		return error;
	}
	return attachment_get_derived(attachment, mem, tag, max_size, value_r);
}

static enum mapi_error
mapi_attachment_eval(const struct attachment *attachment, TALLOC_CTX *mem,
		     const uint32_t *tags, unsigned int count, size_t max_size,
		     struct mapi_value *values_r)
{
	enum mapi_error error;
	unsigned int i;

	for (i = 0; i < count; i++) {
		T_BEGIN {
			error = mapi_attachment_get_prop(attachment, mem,
							 tags[i], max_size,
							 &values_r[i]);
		} T_END;
		if (error == EC_OBJECT_DELETED)
			return error;
		if (error != EC_NONE)
			values_r[i] = mapi_value_error(error);
	}
	return EC_NONE;
}

static enum mapi_error
attachment_find_derived(struct attachment *attachment, uint32_t idx)
{
	struct mapi_message_view *view = attachment->content->view;
	const struct mime_structure *structure;

	structure = mapi_message_view_structure(view);
	if (structure == NULL)
		return mapi_message_view_error(view);
	if (idx >= structure->attachment_count)
		return EC_NOT_FOUND;
	attachment->mime = &structure->attachments[idx];
	attachment->view = view;
	return EC_NONE;
}

/* The attachment of that number as the message has it */
static enum mapi_error
attachment_find(struct mapi_message_content *content, uint32_t num,
		struct attachment *attachment_r)
{
	const struct mapi_overlay_attachment *entry;
	enum mapi_error error;

	i_zero(attachment_r);
	attachment_r->content = content;
	attachment_r->num = num;
	if (content->overlay == NULL || !content->overlay->has_attachments)
		return attachment_find_derived(attachment_r, num);
	entry = mapi_overlay_find_attachment(content->overlay, num);
	if (entry == NULL)
		return EC_NOT_FOUND;
	attachment_r->overlay = entry->overlay;
	attachment_r->embedded = entry->embedded;
	if (entry->derived < 0)
		return EC_NONE;
	error = attachment_find_derived(attachment_r, entry->derived);
	/* a bag that isn't of this message's text: what it says is left */
	return error == EC_NOT_FOUND ? EC_NONE : error;
}

static struct attachment
attachment_of_object(struct mapi_attachment *attach)
{
	struct mapi_attachment_draft *draft = attach->priv->draft;
	struct attachment attachment = {
		.content = draft->content,
		.num = draft->num,
		.mime = draft->mime,
		.view = draft->base_view,
		.overlay = draft->overlay,
		.embedded = draft->embedded,
	};

	return attachment;
}

/* --- attachment objects ---------------------------------------------------- */

static enum mapi_error
mapi_attachment_obj_get_props(struct mapi_object *obj, TALLOC_CTX *mem,
			      const uint32_t *tags, unsigned int count,
			      size_t max_size, struct mapi_value *values_r)
{
	struct mapi_attachment *attach =
		container_of(obj, struct mapi_attachment, obj);
	struct attachment attachment = attachment_of_object(attach);

	(void)mapi_stream_targets_commit(attach->priv->draft->streams);
	return mapi_attachment_eval(&attachment, mem, tags, count, max_size,
				    values_r);
}

static enum mapi_error
mapi_attachment_list_tag(struct mapi_attachment *attach, TALLOC_CTX *mem,
			 uint32_t tag, uint32_t *tags, unsigned int *count)
{
	struct mapi_value value;
	enum mapi_error error;
	unsigned int i;

	for (i = 0; i < *count; i++) {
		if (MAPI_TAG_ID(tags[i]) == MAPI_TAG_ID(tag))
			return EC_NONE;
	}
	error = mapi_attachment_obj_get_props(&attach->obj, mem, &tag, 1,
					      SIZE_MAX, &value);
	if (error == EC_NONE && value.type != PTYP_ERROR_CODE)
		tags[(*count)++] = MAPI_TAG_AS(tag, value.type);
	return error;
}

static enum mapi_error
mapi_attachment_list_props(struct mapi_object *obj, TALLOC_CTX *mem,
			   const uint32_t **tags_r, unsigned int *count_r)
{
	struct mapi_attachment *attach =
		container_of(obj, struct mapi_attachment, obj);
	struct attachment attachment = attachment_of_object(attach);
	const struct mapi_propset *props = attachment.overlay->props;
	TALLOC_CTX *scratch = talloc_new(mem);
	enum mapi_error error = EC_NONE;
	unsigned int i, n, count = 0;
	uint32_t tag, *tags;

	(void)mapi_stream_targets_commit(attach->priv->draft->streams);
	for (n = 0; mime_attachment_prop_at(n, &tag); n++) ;
	tags = talloc_array(mem, uint32_t, n + 1 + props->count +
			    N_ELEMENTS(attachment_own_tags) +
			    N_ELEMENTS(attachment_message_tags));
	for (i = 0; i < N_ELEMENTS(attachment_own_tags); i++)
		tags[count++] = attachment_own_tags[i];
	for (i = 0; i < props->count; i++)
		tags[count++] = props->props[i].tag;
	for (i = 0; i < N_ELEMENTS(attachment_message_tags) &&
		     error == EC_NONE; i++) {
		error = mapi_attachment_list_tag(attach, scratch,
						 attachment_message_tags[i],
						 tags, &count);
	}
	for (i = 0; error == EC_NONE && mime_attachment_prop_at(i, &tag); i++) {
		error = mapi_attachment_list_tag(attach, scratch, tag, tags,
						 &count);
	}
	if (attachment_is_message(&attachment))
		tags[count++] = PIDTAG_ATTACH_DATA_OBJECT;
	else if (attachment.mime != NULL &&
		 mapi_propset_find(props, PIDTAG_ATTACH_DATA_BINARY) == NULL)
		tags[count++] = PIDTAG_ATTACH_DATA_BINARY;
	talloc_free(scratch);
	*tags_r = tags;
	*count_r = count;
	return error;
}

static enum mapi_error
mapi_attachment_open_data_stream(const struct attachment *attachment,
				 TALLOC_CTX *parent, uint32_t tag,
				 struct mapi_stream **stream_r)
{
	struct istream *input;
	enum mapi_error error;

	/* embedded messages are opened as such */
	if (attachment->mime == NULL || attachment_is_message(attachment) ||
	    (MAPI_TAG_TYPE(tag) != PTYP_BINARY &&
	     MAPI_TAG_TYPE(tag) != PTYP_OBJECT))
		return EC_NOT_FOUND;
	error = mapi_attachment_open_data(attachment, &input);
	if (error != EC_NONE)
		return error;
	*stream_r = mapi_stream_create_istream(parent,
				attachment->content->view->store, input);
	i_stream_unref(&input);
	return EC_NONE;
}

static enum mapi_error
attachment_open_stream(const struct attachment *attachment,
		       struct mapi_store *store, TALLOC_CTX *parent,
		       uint32_t tag, struct mapi_stream **stream_r)
{
	struct mapi_value value;
	TALLOC_CTX *scratch;
	enum mapi_error error;
	bool absent;

	error = mapi_overlay_open_stream(parent, store, attachment->overlay,
					 tag, attachment->content->code_page,
					 stream_r, &absent);
	if (error != EC_NOT_FOUND || absent)
		return error;
	if (attachment_is_data_tag(tag)) {
		return mapi_attachment_open_data_stream(attachment, parent,
							tag, stream_r);
	}
	scratch = talloc_new(NULL);
	error = mapi_attachment_get_prop(attachment, scratch, tag, SIZE_MAX,
					 &value);
	if (error == EC_NONE) {
		error = mapi_stream_create_value(parent, store, tag,
						 attachment->content->code_page,
						 &value, stream_r);
	}
	talloc_free(scratch);
	return error;
}

static enum mapi_error
mapi_attachment_open_stream(struct mapi_object *obj, TALLOC_CTX *parent,
			    uint32_t tag, struct mapi_stream **stream_r)
{
	struct mapi_attachment *attach =
		container_of(obj, struct mapi_attachment, obj);
	struct attachment attachment = attachment_of_object(attach);
	enum mapi_error error;

	(void)mapi_stream_targets_commit(attach->priv->draft->streams);
	error = attachment_open_stream(&attachment, obj->store, parent, tag,
				       stream_r);
	if (error == EC_NONE)
		mapi_message_content_keep(attachment.content, *stream_r);
	return error;
}

static const struct mapi_object_vfuncs mapi_attachment_vfuncs = {
	.get_props = mapi_attachment_obj_get_props,
	.list_props = mapi_attachment_list_props,
	.open_stream = mapi_attachment_open_stream,
	.set_props = mapi_attachment_set_props,
	.delete_props = mapi_attachment_delete_props,
	.open_stream_write = mapi_attachment_open_stream_write,
};

static int mapi_attachment_draft_destructor(struct mapi_attachment_draft *draft)
{
	/* what they have streams of */
	TALLOC_FREE(draft->overlay);
	TALLOC_FREE(draft->embedded);
	mapi_message_content_unref(&draft->content);
	return 0;
}

void mapi_attachment_draft_ref(struct mapi_attachment_draft *draft)
{
	i_assert(draft->refcount > 0);
	draft->refcount++;
}

void mapi_attachment_draft_unref(struct mapi_attachment_draft **_draft)
{
	struct mapi_attachment_draft *draft = *_draft;

	*_draft = NULL;
	i_assert(draft->refcount > 0);
	if (--draft->refcount == 0)
		talloc_free(draft);
}

static int mapi_attachment_destructor(struct mapi_attachment *attach)
{
	mapi_attachment_draft_unref(&attach->priv->draft);
	return 0;
}

struct mapi_attachment *
mapi_attachment_object_create(TALLOC_CTX *parent,
			      struct mapi_message_content *content,
			      uint32_t num)
{
	struct mapi_attachment_draft *draft;
	struct mapi_attachment *attach;

	draft = talloc_zero(content->view->store,
			    struct mapi_attachment_draft);
	draft->refcount = 1;
	draft->num = num;
	draft->content = content;
	mapi_message_content_ref(content);
	talloc_set_destructor(draft, mapi_attachment_draft_destructor);
	draft->overlay = mapi_overlay_create(draft);

	attach = talloc_zero(parent, struct mapi_attachment);
	attach->obj.type = MAPI_OBJECT_ATTACHMENT;
	attach->obj.store = content->view->store;
	attach->obj.v = &mapi_attachment_vfuncs;
	attach->num = num;
	attach->priv = talloc_zero(attach, struct mapi_attachment_private);
	attach->priv->draft = draft;
	talloc_set_destructor(attach, mapi_attachment_destructor);
	return attach;
}

enum mapi_error
mapi_attachment_open(TALLOC_CTX *parent, struct mapi_message *msg,
		     uint32_t num, struct mapi_attachment **attach_r)
{
	struct mapi_attachment_draft *draft;
	struct attachment attachment;
	enum mapi_error error;

	error = attachment_find(msg->priv->content, num, &attachment);
	if (error != EC_NONE)
		return error;
	*attach_r = mapi_attachment_object_create(parent, msg->priv->content,
						  num);
	draft = (*attach_r)->priv->draft;
	draft->mime = attachment.mime;
	draft->base_view = attachment.view;
	if (attachment.overlay != NULL) {
		TALLOC_FREE(draft->overlay);
		draft->overlay = mapi_overlay_copy(draft, attachment.overlay);
	}
	if (attachment.embedded != NULL) {
		draft->embedded = mapi_overlay_copy(draft,
						    attachment.embedded);
	}
	return EC_NONE;
}

enum mapi_error
mapi_message_attachment_count(struct mapi_message *msg, unsigned int *count_r)
{
	struct mapi_message_content *content = msg->priv->content;
	const struct mime_structure *structure;

	if (content->overlay != NULL && content->overlay->has_attachments) {
		*count_r = content->overlay->attachment_count;
		return EC_NONE;
	}
	structure = mapi_message_view_structure(content->view);
	if (structure == NULL)
		return mapi_message_view_error(content->view);
	*count_r = structure->attachment_count;
	return EC_NONE;
}

uint32_t mapi_message_attachment_num(struct mapi_message *msg, unsigned int i)
{
	const struct mapi_overlay *overlay = msg->priv->content->overlay;

	if (overlay == NULL || !overlay->has_attachments)
		return i;
	return i < overlay->attachment_count ? overlay->attachments[i].num :
		UINT32_MAX;
}

enum mapi_error
mapi_attachment_get_props(struct mapi_message *msg, uint32_t num,
			  TALLOC_CTX *mem, const uint32_t *tags,
			  unsigned int count, struct mapi_value *values_r)
{
	struct attachment attachment;
	enum mapi_error error;

	error = attachment_find(msg->priv->content, num, &attachment);
	if (error != EC_NONE)
		return error;
	return mapi_attachment_eval(&attachment, mem, tags, count,
				    ATTACHMENT_ROW_DATA_MAX, values_r);
}

enum mapi_error
mapi_attachment_open_embedded(TALLOC_CTX *parent,
			      struct mapi_attachment *attach,
			      struct mapi_message **msg_r)
{
	struct mapi_message_content *content;
	enum mapi_error error;

	error = mapi_message_content_embedded(attach->priv->draft, &content);
	if (error != EC_NONE)
		return error;
	*msg_r = mapi_message_create(parent, content);
	return EC_NONE;
}
