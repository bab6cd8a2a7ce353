/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes of attachments, new ones, and embedded messages: see
   mapi-message-edit.h. */

#include "lib.h"
#include "ioloop.h"
#include "istream.h"
#include "mapi-enums.h"
#include "mapi-message-edit.h"
#include "mapi-message-private.h"
#include "mapi-props.h"
#include "mapi-stream.h"

#define STREAM_SIZE_MAX 0x7fffffff
/* no message has more */
#define ATTACHMENTS_MAX 10000

/* Has the overlay have the attachments, as they are. */
static enum mapi_error
content_init_attachments(struct mapi_message_content *content)
{
	const struct mime_structure *structure;
	unsigned int i;

	mapi_message_content_init_overlay(content);
	if (content->overlay->has_attachments)
		return EC_NONE;
	structure = mapi_message_view_structure(content->view);
	if (structure == NULL)
		return mapi_message_view_error(content->view);
	content->overlay->has_attachments = TRUE;
	for (i = 0; i < structure->attachment_count; i++)
		mapi_overlay_add_attachment(content->overlay, i, i);
	return EC_NONE;
}

enum mapi_error
mapi_message_content_change_attachments(struct mapi_message_content *content)
{
	mapi_message_content_change(content, TRUE);
	return content_init_attachments(content);
}

void mapi_attachment_set_writable(struct mapi_attachment *attach, bool writable)
{
	attach->priv->writable = writable;
}

bool mapi_attachment_is_open_for_writing(const struct mapi_attachment *attach)
{
	return attach->priv->writable;
}

enum mapi_error
mapi_attachment_set_props(struct mapi_object *obj,
			  const struct mapi_property *props,
			  unsigned int count, enum mapi_error *errors_r)
{
	struct mapi_attachment *attach =
		container_of(obj, struct mapi_attachment, obj);
	struct mapi_attachment_draft *draft = attach->priv->draft;

	if (!attach->priv->writable)
		return EC_ACCESS_DENIED;
	(void)mapi_stream_targets_commit(draft->streams);
	draft->changed = TRUE;
	return mapi_overlay_set_props(obj->store, draft->overlay,
				      mapi_attachment_prop_class, props, count,
				      errors_r);
}

enum mapi_error
mapi_attachment_delete_props(struct mapi_object *obj, const uint32_t *tags,
			     unsigned int count, enum mapi_error *errors_r)
{
	struct mapi_attachment *attach =
		container_of(obj, struct mapi_attachment, obj);
	struct mapi_attachment_draft *draft = attach->priv->draft;

	if (!attach->priv->writable)
		return EC_ACCESS_DENIED;
	(void)mapi_stream_targets_commit(draft->streams);
	draft->changed = TRUE;
	return mapi_overlay_delete_props(obj->store, draft->overlay,
					 mapi_attachment_prop_class, tags,
					 count, errors_r);
}

/* --- streams ---------------------------------------------------------------- */

struct attachment_stream_target {
	struct mapi_stream_target target;
	struct mapi_attachment_draft *draft;
	uint32_t tag;
	struct mapi_property_name name;
	bool has_name;
};

static int
attachment_stream_target_destructor(struct attachment_stream_target *target)
{
	mapi_stream_target_remove(&target->target);
	mapi_attachment_draft_unref(&target->draft);
	return 0;
}

static enum mapi_error
attachment_stream_commit(struct mapi_stream_target *_target,
			 struct istream *input)
{
	struct attachment_stream_target *target =
		container_of(_target, struct attachment_stream_target, target);
	struct mapi_attachment_draft *draft = target->draft;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_content_prop prop;
	enum mapi_error error;

	error = mapi_stream_to_prop(mem, input, target->tag,
				    draft->content->code_page, &prop);
	if (error == EC_NONE) {
		draft->changed = TRUE;
		prop.name = target->has_name ? &target->name : NULL;
		if (!mapi_overlay_set(draft->overlay, &prop))
			error = EC_TOO_COMPLEX;
	}
	talloc_free(mem);
	return error;
}

static enum mapi_error
attachment_stream_target_create(struct mapi_attachment *attach,
				TALLOC_CTX *parent, uint32_t tag,
				struct attachment_stream_target **target_r)
{
	struct attachment_stream_target *target;
	enum mapi_error error = EC_NONE;
	uint16_t id = MAPI_TAG_ID(tag);

	target = talloc_zero(parent, struct attachment_stream_target);
	target->draft = attach->priv->draft;
	mapi_attachment_draft_ref(target->draft);
	talloc_set_destructor(target, attachment_stream_target_destructor);
	target->tag = tag;
	target->target.commit = attachment_stream_commit;
	target->target.max_size = STREAM_SIZE_MAX;
	if (MAPI_TAG_IS_NAMED(tag)) {
		error = mapi_store_ids_to_names(attach->obj.store, target,
						&id, 1, &target->name);
		if (error == EC_NONE && target->name.kind == MAPI_NAME_NONE)
			error = EC_INVALID_PARAM;
		target->has_name = TRUE;
	}
	if (error != EC_NONE)
		talloc_free(target);
	*target_r = target;
	return error;
}

enum mapi_error
mapi_attachment_open_stream_write(struct mapi_object *obj, TALLOC_CTX *parent,
				  uint32_t tag, bool create,
				  struct mapi_stream **stream_r)
{
	struct mapi_attachment *attach =
		container_of(obj, struct mapi_attachment, obj);
	struct attachment_stream_target *target;
	struct mapi_stream *old;
	struct istream *input = NULL;
	enum mapi_error error;

	if (!attach->priv->writable ||
	    (!MAPI_TAG_IS_NAMED(tag) &&
	     mapi_attachment_prop_class(tag, NULL) == MAPI_PROP_COMPUTED))
		return EC_ACCESS_DENIED;
	(void)mapi_stream_targets_commit(attach->priv->draft->streams);
	error = attachment_stream_target_create(attach, parent, tag, &target);
	if (error != EC_NONE)
		return error;
	if (!create) {
		error = obj->v->open_stream(obj, target, tag, &old);
		if (error == EC_NONE) {
			input = mapi_stream_get_istream(old);
			talloc_free(old);
		}
	}
	if (error == EC_NONE) {
		*stream_r = mapi_stream_create_write(parent, obj->store, input,
						     &target->target);
		mapi_stream_targets_add(&target->draft->streams,
					&target->target);
	} else {
		talloc_free(target);
	}
	i_stream_unref(&input);
	return error;
}

/* --- adding, removing, saving ------------------------------------------------ */

/* A number that no attachment has, nor one that is being made */
static uint32_t attachment_new_num(struct mapi_message_content *content)
{
	const struct mapi_overlay *overlay = content->overlay;
	uint32_t next = content->next_attachment;

	if (overlay->attachment_count > 0) {
		next = I_MAX(next, overlay->attachments[
			overlay->attachment_count - 1].num + 1);
	}
	content->next_attachment = next + 1;
	return next;
}

enum mapi_error
mapi_attachment_create(TALLOC_CTX *parent, struct mapi_message *msg,
		       struct mapi_attachment **attach_r)
{
	struct mapi_message_content *content = msg->priv->content;
	struct mapi_attachment *attach;
	struct mapi_propset *props;
	struct mapi_value value;
	enum mapi_error error;

	if (!msg->priv->writable)
		return EC_ACCESS_DENIED;
	error = content_init_attachments(content);
	if (error != EC_NONE)
		return error;
	if (content->overlay->attachment_count >= ATTACHMENTS_MAX)
		return EC_MAX_ATTACHMENT_EXCEEDED;
	attach = mapi_attachment_object_create(parent, content,
					       attachment_new_num(content));
	attach->priv->writable = TRUE;
	/* [MS-OXCMSG] 3.2.5.10 */
	props = attach->priv->draft->overlay->props;
	value = mapi_value_i32(-1);
	mapi_propset_set_value(props, PIDTAG_RENDERING_POSITION, &value);
	value = mapi_value_time(mapi_time_from_unix(ioloop_timeval.tv_sec,
					ioloop_timeval.tv_usec * 1000));
	mapi_propset_set_value(props, PIDTAG_CREATION_TIME, &value);
	mapi_propset_set_value(props, PIDTAG_LAST_MODIFICATION_TIME, &value);
	*attach_r = attach;
	return EC_NONE;
}

enum mapi_error
mapi_message_delete_attachment(struct mapi_message *msg, uint32_t num)
{
	struct mapi_message_content *content = msg->priv->content;
	enum mapi_error error;

	if (!msg->priv->writable)
		return EC_ACCESS_DENIED;
	error = mapi_message_content_change_attachments(content);
	if (error != EC_NONE)
		return error;
	if (mapi_overlay_find_attachment(content->overlay, num) == NULL)
		return EC_NOT_FOUND;
	mapi_overlay_remove_attachment(content->overlay, num);
	return EC_NONE;
}

enum mapi_error mapi_attachment_save(struct mapi_attachment *attach)
{
	struct mapi_attachment_draft *draft = attach->priv->draft;
	struct mapi_message_content *content = draft->content;
	struct mapi_overlay_attachment *entry;
	enum mapi_error error;
	int derived = -1;

	if (!attach->priv->writable)
		return EC_ACCESS_DENIED;
	error = mapi_stream_targets_commit(draft->streams);
	if (error == EC_NONE)
		error = mapi_message_content_change_attachments(content);
	if (error != EC_NONE)
		return error;
	/* The message may have been saved since the attachment was opened: it's
	   based on what the message has now. */
	entry = mapi_overlay_find_attachment(content->overlay, attach->num);
	if (entry != NULL) {
		if (draft->mime != NULL)
			derived = entry->derived;
		mapi_overlay_remove_attachment(content->overlay, attach->num);
	}
	entry = mapi_overlay_add_attachment(content->overlay, attach->num,
					    derived);
	talloc_free(entry->overlay);
	entry->overlay = mapi_overlay_copy(content->overlay, draft->overlay);
	if (draft->embedded != NULL) {
		entry->embedded = mapi_overlay_copy(content->overlay,
						    draft->embedded);
	}
	draft->changed = FALSE;
	return EC_NONE;
}

enum mapi_error
mapi_attachment_create_embedded(TALLOC_CTX *parent,
				struct mapi_attachment *attach,
				struct mapi_message **msg_r)
{
	struct mapi_attachment_draft *draft = attach->priv->draft;
	struct mapi_message_content *content;
	struct mapi_value value;

	if (!attach->priv->writable)
		return EC_ACCESS_DENIED;
	value = mapi_value_i32(ATTACH_METHOD_EMBEDDED_MESSAGE);
	mapi_propset_set_value(draft->overlay->props, PIDTAG_ATTACH_METHOD,
			       &value);
	mapi_propset_remove(draft->overlay->props, PIDTAG_ATTACH_DATA_BINARY);
	draft->mime = NULL;
	draft->changed = TRUE;
	content = mapi_message_content_alloc(attach->obj.store);
	content->code_page = draft->content->code_page;
	content->draft = draft;
	mapi_attachment_draft_ref(draft);
	mapi_message_content_init_new(content, NULL, FALSE);
	*msg_r = mapi_message_create(parent, content);
	(*msg_r)->priv->writable = TRUE;
	return EC_NONE;
}
