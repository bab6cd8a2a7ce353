/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "istream.h"
#include "mail-storage.h"
#include "mapi-bags.h"
#include "mapi-codepage.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-mailprops-flags.h"
#include "mapi-mailprops-private.h"
#include "mapi-message-folder.h"
#include "mapi-message-private.h"
#include "mapi-object-props.h"
#include "mapi-stream.h"
#include "mapi-stream-charset.h"
#include "mapi-wire.h"
#include "mime-body.h"

/* --- content --------------------------------------------------------------- */

static int mapi_message_content_destructor(struct mapi_message_content *content)
{
	/* what is left of the views must not outlive what they read from */
	TALLOC_FREE(content->changed_view);
	i_stream_unref(&content->changed_mime);
	TALLOC_FREE(content->overlay);
	TALLOC_FREE(content->view);
	if (content->retired != NULL)
		mapi_message_content_unref(&content->retired);
	if (content->draft != NULL)
		mapi_attachment_draft_unref(&content->draft);
	if (content->mail != NULL)
		mail_free(&content->mail);
	/* committing writes what has been found out to the cache */
	if (content->trans != NULL)
		(void)mailbox_transaction_commit(&content->trans);
	if (content->mfolder != NULL)
		mapi_message_folder_release(&content->mfolder);
	if (content->outer != NULL)
		mapi_message_content_unref(&content->outer);
	return 0;
}

struct content_keeper {
	struct mapi_message_content *content;
};

static int content_keeper_destructor(struct content_keeper *keeper)
{
	mapi_message_content_unref(&keeper->content);
	return 0;
}

void mapi_message_content_keep(struct mapi_message_content *content,
			       struct mapi_stream *stream)
{
	struct content_keeper *keeper;

	keeper = talloc_zero(NULL, struct content_keeper);
	keeper->content = content;
	mapi_message_content_ref(content);
	talloc_set_destructor(keeper, content_keeper_destructor);
	mapi_stream_set_source(stream, keeper);
}

struct mapi_message_content *
mapi_message_content_alloc(struct mapi_store *store)
{
	struct mapi_message_content *content;

	content = talloc_zero(store, struct mapi_message_content);
	content->refcount = 1;
	talloc_set_destructor(content, mapi_message_content_destructor);
	return content;
}

void mapi_message_content_ref(struct mapi_message_content *content)
{
	i_assert(content->refcount > 0);
	content->refcount++;
}

void mapi_message_content_unref(struct mapi_message_content **_content)
{
	struct mapi_message_content *content = *_content;

	*_content = NULL;
	i_assert(content->refcount > 0);
	if (--content->refcount == 0)
		talloc_free(content);
}

enum mapi_error
mapi_message_content_set_uid(struct mapi_message_content *content,
			     struct mailbox *box, uint32_t uid)
{
	struct mapi_bags *bags =
		mapi_folder_bags(content->folder, content->associated);
	enum mapi_error error;

	content->trans = mailbox_transaction_begin(box, 0, "mapi message");
	content->mail = mail_alloc(content->trans, MAIL_FETCH_FLAGS, NULL);
	if (!mail_set_uid(content->mail, uid)) {
		mail_free(&content->mail);
		(void)mailbox_transaction_commit(&content->trans);
		return EC_NOT_FOUND;
	}
	content->view = mapi_message_view_create(content, content->folder,
						 content->associated);
	/* Much of the header is going to be asked for, and not only once:
	   better read it as it is than fill Dovecot's cache with fields that
	   no table shows. */
	content->view->headers_from_text = TRUE;
	mapi_message_view_set_mail(content->view, content->mail);
	content->bag_uid = mapi_bags_find_uid(bags, content->mail);
	content->bag_has_flags = FALSE;
	if (content->bag_uid == 0)
		return EC_NONE;
	if (content->saved_overlay != NULL &&
	    content->bag_uid == content->saved_bag_uid) {
		content->overlay = content->saved_overlay;
		content->saved_overlay = NULL;
		error = EC_NONE;
	} else {
		error = mapi_bags_load(bags, content, content->mail,
				       &content->overlay);
		/* another one if it has just been replaced */
		content->bag_uid = mapi_bags_find_uid(bags, content->mail);
	}
	if (error == EC_NONE && content->overlay != NULL) {
		content->bag_has_flags =
			mapi_flag_props_are_in(content->overlay);
		mapi_flag_props_reconcile_mail(content->mail,
					       content->overlay);
	}
	return error;
}

static enum mapi_error
mapi_message_content_open_mail(struct mapi_message_content *content,
			       mapi_id_t mid)
{
	struct mapi_folder *folder = content->folder;
	struct mailbox *box;
	enum mapi_error error;
	uint32_t uid;

	error = mapi_folder_mid_to_uid(folder, mid, &content->associated, &uid);
	if (error != EC_NONE)
		return error;
	box = folder->box;
	if (content->associated) {
		error = mapi_folder_open_associated(folder, &box);
		if (error != EC_NONE)
			return error;
	}
	if (box == NULL)
		return EC_NOT_FOUND;
	error = mapi_message_content_set_uid(content, box, uid);
	if (error == EC_NONE)
		content->view->overlay = content->overlay;
	return error;
}

enum mapi_error
mapi_message_content_reopen(struct mapi_message_content *content,
			    struct mapi_message_folder *mfolder,
			    struct mapi_folder *folder, uint32_t uid)
{
	struct mapi_message_content *retired;
	struct mailbox *box = folder->box;
	enum mapi_error error = EC_NONE;

	retired = mapi_message_content_alloc(folder->obj.store);
	retired->view = talloc_steal(retired, content->view);
	retired->mfolder = content->mfolder;
	retired->folder = content->folder;
	retired->trans = content->trans;
	retired->mail = content->mail;
	retired->retired = content->retired;
	retired->changed_view = talloc_steal(retired, content->changed_view);
	retired->changed_mime = content->changed_mime;
	retired->overlay = talloc_steal(retired, content->overlay);
	retired->view->overlay = retired->overlay;
	retired->view->get_changed = NULL;

	content->changed_view = NULL;
	content->changed_mime = NULL;
	content->overlay = NULL;
	content->mail = NULL;
	content->trans = NULL;
	content->retired = retired;
	content->mfolder = mfolder;
	content->folder = folder;
	if (content->associated)
		error = mapi_folder_open_associated(folder, &box);
	if (error == EC_NONE)
		error = mapi_message_content_set_uid(content, box, uid);
	if (error == EC_NOT_FOUND) {
		/* somebody was very fast */
		content->view = mapi_message_view_create(content, folder,
							 content->associated);
		error = EC_OBJECT_DELETED;
	}
	content->view->overlay = content->overlay;
	TALLOC_FREE(content->saved_overlay);
	TALLOC_FREE(content->recipients);
	content->is_new = FALSE;
	content->changed = content->mime_changed = FALSE;
	content->bag_changed = FALSE;
	TALLOC_FREE(content->flag_changes);
	content->fresh = 0;
	/* Whoever saves again and again needn't keep all that it was. */
	if (content->refcount == 1 &&
	    (content->overlay == NULL ||
	     !mapi_overlay_has_streams(content->overlay)))
		mapi_message_content_unref(&content->retired);
	return error;
}

enum mapi_error
mapi_message_content_embedded(struct mapi_attachment_draft *draft,
			      struct mapi_message_content **content_r)
{
	struct mapi_message_content *content, *outer = draft->content;
	bool derived = draft->mime != NULL &&
		draft->mime->kind == MIME_ATTACH_MESSAGE;
	enum mapi_error error = EC_NONE;

	if (!derived && draft->embedded == NULL)
		return EC_NOT_SUPPORTED;
	content = mapi_message_content_alloc(outer->view->store);
	content->code_page = outer->code_page;
	content->draft = draft;
	mapi_attachment_draft_ref(draft);
	if (derived) {
		content->outer = outer;
		mapi_message_content_ref(outer);
		error = mapi_message_view_create_embedded(content,
				draft->base_view, draft->mime, &content->view);
	} else {
		mapi_message_content_init_new(content, NULL, FALSE);
	}
	if (error != EC_NONE) {
		mapi_message_content_unref(&content);
		return error;
	}
	if (draft->embedded != NULL) {
		TALLOC_FREE(content->overlay);
		content->overlay = mapi_overlay_copy(content, draft->embedded);
		content->view->overlay = content->overlay;
		if (!derived) {
			/* a bag doesn't say that there are none */
			content->overlay->has_recipients = TRUE;
			content->overlay->has_attachments = TRUE;
		}
	}
	content->is_new = FALSE;
	*content_r = content;
	return EC_NONE;
}

/* --- message objects ------------------------------------------------------- */

/* The best of some bodies: the native one, else the one that keeps most of it.
   RTF has all that HTML and text have, as these are wrapped in it. */
static enum mime_native_body
mapi_best_body(unsigned int bodies, enum mime_native_body native)
{
	static const struct {
		enum mime_native_body native;
		enum mapi_body body;
	} best[] = {
		{ MIME_NATIVE_HTML, MAPI_BODY_HTML },
		{ MIME_NATIVE_RTF, MAPI_BODY_RTF },
		{ MIME_NATIVE_PLAIN, MAPI_BODY_TEXT },
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(best); i++) {
		if (best[i].native == native)
			break;
	}
	if (i == N_ELEMENTS(best) || (bodies & best[i].body) != 0)
		return native;
	for (i = 0; i < N_ELEMENTS(best); i++) {
		if ((bodies & best[i].body) != 0)
			return best[i].native;
	}
	return native;
}

/* Who doesn't ask for all bodies is told the best of those that are asked for,
   [MS-OXBBODY] 2.1.3.1. There are all of each message that has a body. */
static void
mapi_message_fit_native_body(const uint32_t *tags, unsigned int count,
			     struct mapi_value *values)
{
	unsigned int i, bodies = 0;

	for (i = 0; i < count; i++)
		bodies |= mapi_prop_body(tags[i]);
	for (i = 0; i < count; i++) {
		if (MAPI_TAG_ID(tags[i]) == MAPI_TAG_ID(PIDTAG_NATIVE_BODY) &&
		    values[i].type == PTYP_INTEGER32)
			values[i].u.i32 = mapi_best_body(bodies,
							 values[i].u.i32);
	}
}

static enum mapi_error
mapi_message_get_props(struct mapi_object *obj, TALLOC_CTX *mem,
		       const uint32_t *tags, unsigned int count,
		       size_t max_size, struct mapi_value *values_r)
{
	struct mapi_message *msg =
		container_of(obj, struct mapi_message, obj);
	enum mapi_error error;

	(void)mapi_stream_targets_commit(msg->priv->content->streams);
	error = mapi_mailprops_eval(msg->priv->content->view, mem, tags, count,
				    max_size, values_r);
	if (error == EC_NONE)
		mapi_message_fit_native_body(tags, count, values_r);
	return error;
}

static enum mapi_error
mapi_message_list_props(struct mapi_object *obj, TALLOC_CTX *mem,
			const uint32_t **tags_r, unsigned int *count_r)
{
	struct mapi_message *msg =
		container_of(obj, struct mapi_message, obj);

	(void)mapi_stream_targets_commit(msg->priv->content->streams);
	return mapi_mailprops_list(msg->priv->content->view, mem, tags_r,
				   count_r);
}

enum mapi_error
mapi_stream_create_value(TALLOC_CTX *parent, struct mapi_store *store,
			 uint32_t tag, uint32_t code_page,
			 const struct mapi_value *value,
			 struct mapi_stream **stream_r)
{
	uint8_t *data;
	size_t size;

	if (value->type == PTYP_STRING && MAPI_TAG_TYPE(tag) == PTYP_STRING8) {
		data = (uint8_t *)mapi_codepage_from_utf8(parent, code_page,
							  value->u.str);
		size = strlen((const char *)data);
	} else if (value->type != (MAPI_TAG_TYPE(tag) == PTYP_OBJECT ?
				   PTYP_BINARY : MAPI_TAG_TYPE(tag))) {
		return EC_NOT_SUPPORTED;
	} else if (value->type == PTYP_STRING) {
		data = mapi_utf8_to_utf16(parent, value->u.str, &size);
	} else if (value->type == PTYP_BINARY) {
		data = talloc_memdup(parent, value->u.bin.data,
				     value->u.bin.len);
		size = value->u.bin.len;
	} else {
		return EC_NOT_SUPPORTED;
	}
	*stream_r = mapi_stream_create_data(parent, store, data, size);
	return EC_NONE;
}

static enum mapi_error
mapi_message_open_body(struct mapi_message *msg, TALLOC_CTX *parent,
		       uint32_t tag, struct mapi_stream **stream_r)
{
	struct mapi_message_content *content = msg->priv->content;
	struct mapi_message_view *view = content->view;
	struct mime_message *mime;
	struct istream *input, *input2;
	const char *charset;
	bool html = MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_HTML);
	int ret;

	if (view->get_changed != NULL) {
		view = view->get_changed(view->changed_context);
		if (view == NULL)
			return EC_ERROR;
	}
	mime = mapi_message_view_mime(view);
	if (mime == NULL)
		return mapi_message_view_error(view);
	ret = html ? mime_message_open_html(mime, &input) :
		mime_message_open_text(mime, &input);
	if (ret < 0)
		return mapi_message_view_error(view);
	if (!html) {
		charset = MAPI_TAG_TYPE(tag) == PTYP_STRING ? "UTF-16LE" :
			mapi_codepage_charset(content->code_page);
		input2 = i_stream_create_from_utf8(input, charset);
		i_stream_unref(&input);
		if (input2 == NULL)
			return EC_UNKNOWN_CODE_PAGE;
		input = input2;
	}
	*stream_r = mapi_stream_create_istream(parent, msg->obj.store, input);
	i_stream_unref(&input);
	return EC_NONE;
}

static bool mapi_tag_is_body_stream(uint32_t tag)
{
	return tag == PIDTAG_BODY ||
		tag == MAPI_TAG_AS(PIDTAG_BODY, PTYP_STRING8) ||
		tag == PIDTAG_HTML;
}

static enum mapi_error
message_open_stream(struct mapi_message *msg, TALLOC_CTX *parent,
		    uint32_t tag, struct mapi_stream **stream_r)
{
	struct mapi_message_content *content = msg->priv->content;
	struct mapi_store *store = msg->obj.store;
	TALLOC_CTX *scratch;
	struct mapi_value value;
	enum mapi_error error;
	bool absent;

	/* (PidTagBodyHtml is made of what the overlay has) */
	if (content->overlay != NULL &&
	    (MAPI_TAG_ID(tag) != MAPI_TAG_ID(PIDTAG_HTML) ||
	     tag == PIDTAG_HTML)) {
		error = mapi_overlay_open_stream(parent, store,
				content->overlay, tag, content->code_page,
				stream_r, &absent);
		if (error != EC_NOT_FOUND || absent)
			return error;
	}
	if (mapi_tag_is_body_stream(tag))
		return mapi_message_open_body(msg, parent, tag, stream_r);

	scratch = talloc_new(NULL);
	error = mapi_mailprops_eval(content->view, scratch, &tag, 1,
				    SIZE_MAX, &value);
	if (error == EC_NONE && value.type == PTYP_ERROR_CODE)
		error = (enum mapi_error)value.u.error;
	if (error == EC_NONE) {
		error = mapi_stream_create_value(parent, store, tag,
						 content->code_page, &value,
						 stream_r);
	}
	talloc_free(scratch);
	return error;
}

static enum mapi_error
mapi_message_open_stream(struct mapi_object *obj, TALLOC_CTX *parent,
			 uint32_t tag, struct mapi_stream **stream_r)
{
	struct mapi_message *msg =
		container_of(obj, struct mapi_message, obj);
	enum mapi_error error;

	(void)mapi_stream_targets_commit(msg->priv->content->streams);
	error = message_open_stream(msg, parent, tag, stream_r);
	if (error == EC_NONE)
		mapi_message_content_keep(msg->priv->content, *stream_r);
	return error;
}

static const struct mapi_object_vfuncs mapi_message_vfuncs = {
	.get_props = mapi_message_get_props,
	.list_props = mapi_message_list_props,
	.open_stream = mapi_message_open_stream,
	.set_props = mapi_message_set_props,
	.delete_props = mapi_message_delete_props,
	.open_stream_write = mapi_message_open_stream_write,
};

static int mapi_message_destructor(struct mapi_message *msg)
{
	mapi_message_content_unref(&msg->priv->content);
	return 0;
}

struct mapi_message *
mapi_message_create(TALLOC_CTX *parent, struct mapi_message_content *content)
{
	struct mapi_message *msg;

	msg = talloc_zero(parent, struct mapi_message);
	msg->obj.type = MAPI_OBJECT_MESSAGE;
	msg->obj.store = content->view->store;
	msg->obj.v = &mapi_message_vfuncs;
	msg->priv = talloc_zero(msg, struct mapi_message_private);
	msg->priv->content = content;
	talloc_set_destructor(msg, mapi_message_destructor);
	return msg;
}

static enum mapi_error
message_open(TALLOC_CTX *parent, struct mapi_store *store,
	     mapi_id_t fid, mapi_id_t mid, bool deleted,
	     struct mapi_message **msg_r)
{
	struct mapi_message_content *content;
	enum mapi_error error;

	content = mapi_message_content_alloc(store);
	if (deleted) {
		error = mapi_message_folder_get_deleted(store, fid,
				&content->mfolder, &content->folder);
	} else if (mapi_folder_is_for_own(store, fid, MAPI_MESSAGE_USE_READ)) {
		error = mapi_message_folder_get_own(store, fid, FALSE,
				&content->mfolder, &content->folder);
	} else {
		error = mapi_message_folder_get(store, fid, &content->mfolder,
						&content->folder);
	}
	if (error == EC_NONE)
		error = mapi_message_content_open_mail(content, mid);
	if (error == EC_NONE && content->folder->own &&
	    (content->associated ||
	     !mapi_mail_is_own(content->folder, content->mail)))
		error = EC_ACCESS_DENIED;
	if (error != EC_NONE) {
		mapi_message_content_unref(&content);
		return error;
	}
	*msg_r = mapi_message_create(parent, content);
	(*msg_r)->fid = fid;
	(*msg_r)->mid = mid;
	return EC_NONE;
}

enum mapi_error
mapi_message_open(TALLOC_CTX *parent, struct mapi_store *store,
		  mapi_id_t fid, mapi_id_t mid, struct mapi_message **msg_r)
{
	return message_open(parent, store, fid, mid, FALSE, msg_r);
}

enum mapi_error
mapi_message_open_deleted(TALLOC_CTX *parent, struct mapi_store *store,
			  mapi_id_t fid, mapi_id_t mid,
			  struct mapi_message **msg_r)
{
	return message_open(parent, store, fid, mid, TRUE, msg_r);
}

void mapi_message_set_code_page(struct mapi_message *msg, uint32_t code_page)
{
	msg->priv->content->code_page = code_page;
}

bool mapi_message_is_writable(const struct mapi_message *msg)
{
	const struct mapi_message_content *content = msg->priv->content;

	while (content->draft != NULL)
		content = content->draft->content;
	if (content->mail == NULL)
		return TRUE;
	return (mapi_mail_access(content->folder, content->associated,
				 content->mail) & MAPI_ACCESS_MODIFY) != 0;
}

uint32_t mapi_object_code_page(const struct mapi_object *obj)
{
	switch (obj->type) {
	case MAPI_OBJECT_MESSAGE: {
		const struct mapi_message *msg =
			container_of(obj, const struct mapi_message, obj);
		return msg->priv->content->code_page;
	}
	case MAPI_OBJECT_ATTACHMENT: {
		const struct mapi_attachment *attach =
			container_of(obj, const struct mapi_attachment, obj);
		return attach->priv->draft->content->code_page;
	}
	default:
		return 0;
	}
}
