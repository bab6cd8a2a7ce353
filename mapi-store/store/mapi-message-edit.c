/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes of open messages: see mapi-message-edit.h. Nothing here touches a
   mailbox. */

#include "lib.h"
#include "guid.h"
#include "istream.h"
#include "iostream-temp.h"
#include "ioloop.h"
#include "mail-storage.h"
#include "ostream.h"
#include "mapi-bags.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-mailprops-private.h"
#include "mapi-message-edit.h"
#include "mapi-message-folder.h"
#include "mapi-message-private.h"
#include "mapi-props.h"
#include "mapi-store-directory.h"
#include "mapi-store-private.h"
#include "mapi-stream.h"
#include "mime-build.h"
#include "mime-content.h"

#define MIME_MEMORY_MAX (128 * 1024)
/* [MS-OXCPRPT] 2.2.20: what a stream can hold */
#define STREAM_SIZE_MAX 0x7fffffff

/* --- what it's going to be -------------------------------------------------- */

/* What was derived from properties that have been replaced isn't true any more.
   Returns how many tags there are. */
#define STALE_TAGS_MAX 9
static unsigned int content_stale_tags(unsigned int fresh, uint32_t *tags_r)
{
	unsigned int count = 0;

	if ((fresh & MAPI_BODY_ALL) != 0) {
		if ((fresh & MAPI_BODY_TEXT) == 0)
			tags_r[count++] = PIDTAG_BODY;
		if ((fresh & MAPI_BODY_HTML) == 0) {
			tags_r[count++] = PIDTAG_HTML;
			tags_r[count++] = PIDTAG_INTERNET_CODEPAGE;
		}
		if ((fresh & MAPI_BODY_RTF) == 0)
			tags_r[count++] = PIDTAG_RTF_COMPRESSED;
		tags_r[count++] = PIDTAG_NATIVE_BODY;
		tags_r[count++] = PIDTAG_RTF_IN_SYNC;
	}
	if ((fresh & MAPI_FRESH_SUBJECT) != 0) {
		tags_r[count++] = PIDTAG_SUBJECT_PREFIX;
		tags_r[count++] = PIDTAG_NORMALIZED_SUBJECT;
	}
	if ((fresh & MAPI_FRESH_SUBJECT_PARTS) != 0)
		tags_r[count++] = PIDTAG_SUBJECT;
	i_assert(count <= STALE_TAGS_MAX);
	return count;
}

static void
content_remove_stale(struct mapi_message_content *content,
		     struct mapi_content *all)
{
	uint32_t tags[STALE_TAGS_MAX];
	unsigned int i, count = content_stale_tags(content->fresh, tags);

	for (i = 0; i < count; i++) {
		if (mapi_propset_find(content->overlay->props, tags[i]) == NULL)
			mapi_propset_remove(all->props, tags[i]);
	}
}

struct mapi_overlay *
mapi_message_content_get_overlay(struct mapi_message_content *content,
				 TALLOC_CTX *parent)
{
	uint32_t tags[STALE_TAGS_MAX];
	struct mapi_overlay *overlay;
	unsigned int i, count;

	if (content->overlay == NULL)
		return mapi_overlay_create(parent);
	overlay = mapi_overlay_copy(parent, content->overlay);
	count = content->outer == NULL ? 0 :
		content_stale_tags(content->fresh, tags);
	for (i = 0; i < count; i++) {
		if (mapi_propset_find(overlay->props, tags[i]) == NULL)
			(void)mapi_overlay_set_absent(overlay, tags[i], NULL);
	}
	return overlay;
}

enum mapi_error
mapi_message_derive(TALLOC_CTX *parent, struct mapi_store *store,
		    struct mime_message *mime, struct mapi_content **content_r)
{
	const struct mapi_property_name *names;
	struct mapi_content_prop prop;
	struct mapi_propset *wanted;
	enum mapi_error error;
	const uint16_t *ids;
	unsigned int i, count;

	if (mime_content_derive(parent, mime, content_r) < 0)
		return EC_ERROR;
	wanted = mapi_propset_create(parent);
	error = mapi_store_names_list(store, wanted, &PS_INTERNET_HEADERS, &ids,
				      &names, &count);
	for (i = 0; i < count && error == EC_NONE; i++) {
		i_zero(&prop);
		prop.tag = MAPI_TAG(ids[i], PTYP_STRING);
		prop.name = &names[i];
		prop.value = mapi_value_str("");
		(void)mapi_propset_set(wanted, &prop);
	}
	if (error == EC_NONE &&
	    mime_content_add_named((*content_r)->props, mime, wanted) < 0)
		error = EC_ERROR;
	talloc_free(wanted);
	return error;
}

enum mapi_error
mapi_message_content_get_all(struct mapi_message_content *content,
			     TALLOC_CTX *parent, struct mapi_content **content_r)
{
	struct mapi_overlay *nothing = NULL;
	struct mapi_content *derived = NULL;
	struct mime_message *mime;
	enum mapi_error error;

	if (content->mail != NULL || content->outer != NULL) {
		mime = mapi_message_view_mime(content->view);
		if (mime == NULL)
			return mapi_message_view_error(content->view);
		error = mapi_message_derive(parent, content->view->store, mime,
					    &derived);
		if (error == EC_ERROR)
			error = mapi_message_view_error(content->view);
		if (error != EC_NONE)
			return error;
	}
	if (content->overlay == NULL)
		nothing = mapi_overlay_create(parent);
	*content_r = mapi_overlay_apply(parent, derived, nothing != NULL ?
					nothing : content->overlay);
	talloc_free(nothing);
	/* streams are referenced by the new one */
	talloc_free(derived);
	if (content->overlay != NULL)
		content_remove_stale(content, *content_r);
	return EC_NONE;
}

static const char *
build_smtp_address(void *context, TALLOC_CTX *mem, const char *address_type,
		   const char *address)
{
	return mapi_store_smtp_address(context, mem, address_type, address);
}

void mapi_message_build_params(struct mapi_store *store,
			       struct mime_build_params *params_r)
{
	i_zero(params_r);
	params_r->smtp_address = build_smtp_address;
	params_r->context = store;
	params_r->now = ioloop_time;
	params_r->with_bcc = TRUE;
}

enum mapi_error
mapi_content_build(struct mapi_store *store, const struct mapi_content *all,
		   bool with_bcc, struct istream **input_r)
{
	struct mime_build_params params;
	struct ostream *output;
	enum mapi_error error = EC_NONE;

	mapi_message_build_params(store, &params);
	params.with_bcc = with_bcc;
	T_BEGIN {
		output = iostream_temp_create_sized(
			mapi_store_temp_prefix(store), 0, "MAPI message",
			MIME_MEMORY_MAX);
		o_stream_set_no_error_handling(output, TRUE);
		if (mime_build(all, &params, output) < 0 ||
		    o_stream_finish(output) < 0) {
			e_error(store->user->event,
				"mapi: Can't build a MIME message: %s",
				o_stream_get_error(output));
			error = output->stream_errno == ENOSPC ?
				EC_NOT_ENOUGH_DISK : EC_ERROR;
			o_stream_destroy(&output);
		} else {
			*input_r = iostream_temp_finish(&output,
							IO_BLOCK_SIZE);
		}
	} T_END;
	return error;
}

enum mapi_error
mapi_message_content_build(struct mapi_message_content *content,
			   const struct mapi_content *all, bool with_bcc,
			   struct istream **input_r)
{
	return mapi_content_build(content->view->store, all, with_bcc, input_r);
}

static void content_forget_changed_view(struct mapi_message_content *content)
{
	TALLOC_FREE(content->changed_view);
	i_stream_unref(&content->changed_mime);
}

static struct mapi_message_view *content_get_changed(void *context)
{
	struct mapi_message_content *content = context;
	struct mapi_content *all;
	enum mapi_error error;

	if (content->changed_view != NULL)
		return content->changed_view;
	error = mapi_message_content_get_all(content, content, &all);
	if (error != EC_NONE)
		return NULL;
	error = mapi_message_content_build(content, all, TRUE,
					   &content->changed_mime);
	if (error == EC_NONE) {
		content->changed_view =
			mapi_message_view_create_stream(content,
				content->view->store, content->folder,
				content->associated, content->changed_mime);
	}
	if (content->changed_view != NULL)
		content->changed_view->stored = content->view;
	talloc_free(all);
	return content->changed_view;
}

void mapi_message_content_init_overlay(struct mapi_message_content *content)
{
	if (content->overlay == NULL) {
		content->overlay = mapi_overlay_create(content);
		content->view->overlay = content->overlay;
	}
}

void mapi_message_content_change(struct mapi_message_content *content,
				 bool mime_changed)
{
	mapi_message_content_init_overlay(content);
	content->changed = TRUE;
	if (mime_changed) {
		content->mime_changed = TRUE;
		content_forget_changed_view(content);
		content->view->get_changed = content_get_changed;
		content->view->changed_context = content;
	}
}

void mapi_message_content_init_new(struct mapi_message_content *content,
				   struct mapi_folder *folder, bool associated)
{
	content->folder = folder;
	content->associated = associated;
	content->is_new = TRUE;
	if (content->view == NULL) {
		content->view = mapi_message_view_create_new(content,
			content->draft != NULL ?
			content->draft->content->view->store :
			folder->obj.store, folder, associated);
	}
	mapi_message_content_change(content, TRUE);
	content->overlay->has_recipients = TRUE;
	content->overlay->has_attachments = TRUE;
}

/* --- streams ---------------------------------------------------------------- */

struct message_stream_target {
	struct mapi_stream_target target;
	struct mapi_message_content *content;
	uint32_t tag;
	struct mapi_property_name name;
	bool has_name;
};

static int message_stream_target_destructor(struct message_stream_target *target)
{
	mapi_stream_target_remove(&target->target);
	mapi_message_content_unref(&target->content);
	return 0;
}

static enum mapi_error
message_stream_commit(struct mapi_stream_target *_target, struct istream *input)
{
	struct message_stream_target *target =
		container_of(_target, struct message_stream_target, target);
	struct mapi_message_content *content = target->content;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_content_prop prop;
	enum mapi_error error;

	error = mapi_stream_to_prop(mem, input, target->tag,
				    content->code_page, &prop);
	if (error == EC_NONE) {
		mapi_message_content_change(content, FALSE);
		prop.name = target->has_name ? &target->name : NULL;
		if (!mapi_overlay_set(content->overlay, &prop))
			error = EC_TOO_COMPLEX;
	}
	if (error == EC_NONE) {
		mapi_message_content_note_set(content, prop.tag);
		mapi_message_content_encode_html(content);
		mapi_message_content_forget_stale(content);
		if (mapi_message_prop_is_in_mime(prop.tag, prop.name))
			mapi_message_content_change(content, TRUE);
	}
	talloc_free(mem);
	return error;
}

static enum mapi_error
message_stream_target_init_name(struct message_stream_target *target,
				struct mapi_store *store)
{
	uint16_t id = MAPI_TAG_ID(target->tag);
	enum mapi_error error;

	if (!MAPI_TAG_IS_NAMED(target->tag))
		return EC_NONE;
	error = mapi_store_ids_to_names(store, target, &id, 1, &target->name);
	if (error == EC_NONE && target->name.kind == MAPI_NAME_NONE)
		error = EC_INVALID_PARAM;
	target->has_name = TRUE;
	return error;
}

/* The bytes that a stream begins with: another stream's. */
static enum mapi_error
stream_get_input(struct mapi_object *obj, TALLOC_CTX *mem, uint32_t tag,
		 struct istream **input_r)
{
	struct mapi_stream *stream;
	enum mapi_error error;

	error = obj->v->open_stream(obj, mem, tag, &stream);
	if (error == EC_NONE)
		*input_r = mapi_stream_get_istream(stream);
	return error;
}

enum mapi_error
mapi_message_open_stream_write(struct mapi_object *obj, TALLOC_CTX *parent,
			       uint32_t tag, bool create,
			       struct mapi_stream **stream_r)
{
	struct mapi_message *msg =
		container_of(obj, struct mapi_message, obj);
	struct message_stream_target *target;
	struct istream *input = NULL;
	TALLOC_CTX *mem;
	enum mapi_error error;

	if (!msg->priv->writable)
		return EC_ACCESS_DENIED;
	if (!MAPI_TAG_IS_NAMED(tag) &&
	    mapi_message_prop_class(tag, NULL) == MAPI_PROP_COMPUTED)
		return EC_ACCESS_DENIED;
	if (!mapi_message_prop_type_is_known(
			MAPI_TAG_TYPE(tag) != PTYP_STRING8 ? tag :
			MAPI_TAG_AS(tag, PTYP_STRING)))
		return EC_UNEXPECTED_TYPE;
	(void)mapi_stream_targets_commit(msg->priv->content->streams);
	target = talloc_zero(parent, struct message_stream_target);
	target->content = msg->priv->content;
	mapi_message_content_ref(target->content);
	talloc_set_destructor(target, message_stream_target_destructor);
	target->tag = tag;
	target->target.commit = message_stream_commit;
	target->target.max_size = STREAM_SIZE_MAX;
	error = message_stream_target_init_name(target, obj->store);
	mem = talloc_new(NULL);
	if (error == EC_NONE && !create)
		error = stream_get_input(obj, mem, tag, &input);
	if (error == EC_NONE) {
		*stream_r = mapi_stream_create_write(parent, obj->store, input,
						     &target->target);
		mapi_stream_targets_add(&target->content->streams,
					&target->target);
	} else {
		talloc_free(target);
	}
	i_stream_unref(&input);
	talloc_free(mem);
	return error;
}

/* --- objects ---------------------------------------------------------------- */

bool mapi_message_is_open_for_writing(const struct mapi_message *msg)
{
	return msg->priv->writable;
}

void mapi_message_set_writable(struct mapi_message *msg, bool writable)
{
	struct mail *mail = msg->priv->content->mail;
	struct istream *input;

	msg->priv->writable = writable;
	/* Another session may replace the message while this one changes it:
	   what is saved here, if that is forced, is based on what was opened.
	   An open file stays readable when it has been deleted. */
	if (writable && mail != NULL)
		(void)mail_get_stream(mail, NULL, NULL, &input);
}

/* [MS-OXCMSG] 3.2.5.2 */
static void
content_init_defaults(struct mapi_message_content *content,
		      struct mapi_store *store)
{
	struct mapi_propset *props = content->overlay->props;
	struct mapi_value value;
	guid_128_t guid;

	value = mapi_value_str("IPM.Note");
	mapi_propset_set_value(props, PIDTAG_MESSAGE_CLASS, &value);
	value = mapi_value_i32(1);
	mapi_propset_set_value(props, PIDTAG_IMPORTANCE, &value);
	value = mapi_value_i32(0);
	mapi_propset_set_value(props, PIDTAG_SENSITIVITY, &value);
	value = mapi_value_i32(MSGFLAG_READ | MSGFLAG_UNSENT);
	mapi_propset_set_value(props, PIDTAG_MESSAGE_FLAGS, &value);
	value = mapi_value_i32(1);
	mapi_propset_set_value(props, PIDTAG_TRUST_SENDER, &value);
	value = mapi_value_time(mapi_time_from_unix(ioloop_timeval.tv_sec,
					ioloop_timeval.tv_usec * 1000));
	mapi_propset_set_value(props, PIDTAG_CREATION_TIME, &value);
	mapi_propset_set_value(props, PIDTAG_LAST_MODIFICATION_TIME, &value);
	guid_128_generate(guid);
	value = mapi_value_bin(guid, sizeof(guid));
	mapi_propset_set_value(props, PIDTAG_SEARCH_KEY, &value);
	mapi_creator_set(store, props);
}

enum mapi_error
mapi_message_create_new(TALLOC_CTX *parent, struct mapi_store *store,
			mapi_id_t fid, bool associated,
			struct mapi_message **msg_r)
{
	struct mapi_message_content *content;
	enum mapi_error error;

	content = mapi_message_content_alloc(store);
	error = associated ?
		mapi_message_folder_get(store, fid, &content->mfolder,
					&content->folder) :
		mapi_message_folder_get_new(store, fid, &content->mfolder,
					    &content->folder);
	/* FAI messages have a mailbox of their own, which is made for the first
	   of them */
	if (error == EC_NONE && !associated) {
		if (content->folder->box == NULL)
			error = EC_NOT_SUPPORTED;
		else if (mailbox_is_readonly(content->folder->box))
			error = EC_ACCESS_DENIED;
	}
	if (error == EC_NONE) {
		error = mapi_folder_check_rights(content->folder, associated ?
			RIGHTS_FOLDER_OWNER : RIGHTS_CREATE);
	}
	if (error == EC_NONE && mapi_folder_is_removed(content->folder))
		error = EC_OBJECT_DELETED;
	if (error != EC_NONE) {
		mapi_message_content_unref(&content);
		return error;
	}
	mapi_message_content_init_new(content, content->folder, associated);
	content_init_defaults(content, store);
	*msg_r = mapi_message_create(parent, content);
	(*msg_r)->fid = fid;
	(*msg_r)->priv->writable = TRUE;
	return EC_NONE;
}
