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

static enum mapi_error
mapi_attachment_open_data(struct mapi_message_content *content,
			  const struct mime_attachment *attachment,
			  struct istream **input_r)
{
	if (mime_message_open_attachment(mapi_message_view_mime(content->view),
					 attachment, input_r) < 0)
		return mapi_message_view_error(content->view);
	return EC_NONE;
}

/* PidTagAttachDataBinary; embedded messages don't have it, and what their
   PidTagAttachDataObject is can't be had as a value. */
static enum mapi_error
mapi_attachment_get_data(struct mapi_message_content *content,
			 const struct mime_attachment *attachment,
			 TALLOC_CTX *mem, size_t max_size,
			 struct mapi_value *value_r)
{
	const unsigned char *data;
	struct istream *input;
	uint8_t *buf;
	size_t size, used = 0, allocated;
	enum mapi_error error;
	int ret;

	if (attachment->kind == MIME_ATTACH_MESSAGE)
		return EC_NOT_FOUND;
	/* the estimate is never far off */
	if (attachment->size / 2 > max_size)
		return EC_NOT_ENOUGH_MEMORY;
	error = mapi_attachment_open_data(content, attachment, &input);
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

static enum mapi_error
mapi_attachment_get_prop(struct mapi_message_content *content, uint32_t num,
			 const struct mime_attachment *attachment,
			 TALLOC_CTX *mem, uint32_t tag, size_t max_size,
			 struct mapi_value *value_r)
{
	unsigned int i;
	enum mapi_error error;

	if (attachment_is_data_tag(tag))
		return mapi_attachment_get_data(content, attachment, mem,
						max_size, value_r);
	if (MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_OBJECT_TYPE)) {
		*value_r = mapi_value_i32(7);
		return EC_NONE;
	}
	error = mapi_attachment_get_number(num, mem, tag, value_r);
	if (error == EC_NONE)
		return error;
	for (i = 0; i < N_ELEMENTS(attachment_message_tags); i++) {
		if (MAPI_TAG_ID(attachment_message_tags[i]) !=
		    MAPI_TAG_ID(tag))
			continue;
		error = mapi_mailprops_eval(content->view, mem, &tag, 1,
					    max_size, value_r);
		if (error == EC_NONE && value_r->type == PTYP_ERROR_CODE)
			error = (enum mapi_error)value_r->u.error;
		return error;
	}
	switch (mime_attachment_get_prop(attachment, mem, tag, value_r)) {
	case MIME_PROP_FOUND:
		return EC_NONE;
	case MIME_PROP_FAILED:
		return mapi_message_view_error(content->view);
	default:
		return EC_NOT_FOUND;
	}
}

static enum mapi_error
mapi_attachment_eval(struct mapi_message_content *content, uint32_t num,
		     const struct mime_attachment *attachment, TALLOC_CTX *mem,
		     const uint32_t *tags, unsigned int count, size_t max_size,
		     struct mapi_value *values_r)
{
	enum mapi_error error;
	unsigned int i;

	for (i = 0; i < count; i++) {
		T_BEGIN {
			error = mapi_attachment_get_prop(content, num,
							 attachment, mem,
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
mapi_message_attachment(struct mapi_message *msg, uint32_t num,
			const struct mime_attachment **attachment_r)
{
	struct mapi_message_content *content = msg->priv->content;
	const struct mime_structure *structure;

	*attachment_r = NULL;
	structure = mapi_message_view_structure(content->view);
	if (structure == NULL)
		return mapi_message_view_error(content->view);
	if (num >= structure->attachment_count)
		return EC_NOT_FOUND;
	*attachment_r = &structure->attachments[num];
	return EC_NONE;
}

/* --- attachment objects ---------------------------------------------------- */

static enum mapi_error
mapi_attachment_obj_get_props(struct mapi_object *obj, TALLOC_CTX *mem,
			      const uint32_t *tags, unsigned int count,
			      size_t max_size, struct mapi_value *values_r)
{
	struct mapi_attachment *attach =
		container_of(obj, struct mapi_attachment, obj);

	return mapi_attachment_eval(attach->priv->content, attach->num,
				    attach->priv->mime, mem, tags, count,
				    max_size, values_r);
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
	TALLOC_CTX *scratch = talloc_new(mem);
	enum mapi_error error = EC_NONE;
	unsigned int i, n, count = 0;
	uint32_t tag, *tags;

	for (n = 0; mime_attachment_prop_at(n, &tag); n++) ;
	tags = talloc_array(mem, uint32_t, n + 1 +
			    N_ELEMENTS(attachment_own_tags) +
			    N_ELEMENTS(attachment_message_tags));
	for (i = 0; i < N_ELEMENTS(attachment_own_tags); i++)
		tags[count++] = attachment_own_tags[i];
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
	tags[count++] = attach->priv->mime->kind == MIME_ATTACH_MESSAGE ?
		PIDTAG_ATTACH_DATA_OBJECT : PIDTAG_ATTACH_DATA_BINARY;
	talloc_free(scratch);
	*tags_r = tags;
	*count_r = count;
	return error;
}

static enum mapi_error
mapi_attachment_open_stream(struct mapi_object *obj, TALLOC_CTX *parent,
			    uint32_t tag, struct mapi_stream **stream_r)
{
	struct mapi_attachment *attach =
		container_of(obj, struct mapi_attachment, obj);
	struct mapi_message_content *content = attach->priv->content;
	struct istream *input;
	struct mapi_value value;
	TALLOC_CTX *scratch;
	enum mapi_error error;

	if (attachment_is_data_tag(tag)) {
		/* embedded messages are opened as such */
		if (attach->priv->mime->kind == MIME_ATTACH_MESSAGE ||
		    (MAPI_TAG_TYPE(tag) != PTYP_BINARY &&
		     MAPI_TAG_TYPE(tag) != PTYP_OBJECT))
			return EC_NOT_FOUND;
		error = mapi_attachment_open_data(content, attach->priv->mime,
						  &input);
		if (error != EC_NONE)
			return error;
		*stream_r = mapi_stream_create_istream(parent, obj->store,
						       input);
		i_stream_unref(&input);
		return EC_NONE;
	}
	scratch = talloc_new(NULL);
	error = mapi_attachment_get_prop(content, attach->num,
					 attach->priv->mime, scratch, tag,
					 SIZE_MAX, &value);
	if (error == EC_NONE) {
		error = mapi_stream_create_value(parent, obj->store, tag,
						 content->code_page, &value,
						 stream_r);
	}
	talloc_free(scratch);
	return error;
}

static const struct mapi_object_vfuncs mapi_attachment_vfuncs = {
	.get_props = mapi_attachment_obj_get_props,
	.list_props = mapi_attachment_list_props,
	.open_stream = mapi_attachment_open_stream,
};

static int mapi_attachment_destructor(struct mapi_attachment *attach)
{
	mapi_message_content_unref(&attach->priv->content);
	return 0;
}

enum mapi_error
mapi_attachment_open(TALLOC_CTX *parent, struct mapi_message *msg,
		     uint32_t num, struct mapi_attachment **attach_r)
{
	const struct mime_attachment *mime;
	struct mapi_attachment *attach;
	enum mapi_error error;

	error = mapi_message_attachment(msg, num, &mime);
	if (error != EC_NONE)
		return error;
	attach = talloc_zero(parent, struct mapi_attachment);
	attach->obj.type = MAPI_OBJECT_ATTACHMENT;
	attach->obj.store = msg->obj.store;
	attach->obj.v = &mapi_attachment_vfuncs;
	attach->num = num;
	attach->priv = talloc_zero(attach, struct mapi_attachment_private);
	attach->priv->mime = mime;
	attach->priv->content = msg->priv->content;
	mapi_message_content_ref(attach->priv->content);
	talloc_set_destructor(attach, mapi_attachment_destructor);
	*attach_r = attach;
	return EC_NONE;
}

enum mapi_error
mapi_message_attachment_count(struct mapi_message *msg, unsigned int *count_r)
{
	struct mapi_message_content *content = msg->priv->content;
	const struct mime_structure *structure;

	structure = mapi_message_view_structure(content->view);
	if (structure == NULL)
		return mapi_message_view_error(content->view);
	*count_r = structure->attachment_count;
	return EC_NONE;
}

enum mapi_error
mapi_attachment_get_props(struct mapi_message *msg, uint32_t num,
			  TALLOC_CTX *mem, const uint32_t *tags,
			  unsigned int count, struct mapi_value *values_r)
{
	const struct mime_attachment *mime;
	enum mapi_error error;

	error = mapi_message_attachment(msg, num, &mime);
	if (error != EC_NONE)
		return error;
	return mapi_attachment_eval(msg->priv->content, num, mime, mem, tags,
				    count, ATTACHMENT_ROW_DATA_MAX, values_r);
}

enum mapi_error
mapi_attachment_open_embedded(TALLOC_CTX *parent,
			      struct mapi_attachment *attach,
			      struct mapi_message **msg_r)
{
	struct mapi_message_content *content;
	enum mapi_error error;

	if (attach->priv->mime->kind != MIME_ATTACH_MESSAGE)
		return EC_NOT_SUPPORTED;
	error = mapi_message_content_embedded(attach->priv->content,
					      attach->priv->mime, &content);
	if (error != EC_NONE)
		return error;
	*msg_r = mapi_message_create(parent, content);
	return EC_NONE;
}
