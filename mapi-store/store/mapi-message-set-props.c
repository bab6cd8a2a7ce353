/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Setting and deleting properties of messages: see mapi-message-edit.h. */

#include "lib.h"
#include "mail-storage.h"
#include "mapi-codepage.h"
#include "mapi-enums.h"
#include "mapi-mailprops-flags.h"
#include "mapi-mailprops-private.h"
#include "mapi-message-private.h"
#include "mapi-props.h"
#include "mapi-stream.h"
#include "mime-headers.h"
#include "mime-message.h"

/* Larger values are saved without looking at what they were. */
#define UNCHANGED_SIZE_MAX (64 * 1024)

/* --- what goes with what ------------------------------------------------------ */

bool mapi_message_prop_is_in_mime(uint32_t tag,
				  const struct mapi_property_name *name)
{
	uint32_t other;
	unsigned int i;

	if (mapi_flag_prop_is(tag, name))
		return FALSE;
	if (name != NULL) {
		return memcmp(&name->guid, &PS_INTERNET_HEADERS,
			      sizeof(name->guid)) == 0;
	}
	if (mime_headers_has_prop(tag) || mapi_prop_body(tag) != 0)
		return TRUE;
	for (i = 0; mime_message_prop_at(i, &other); i++) {
		if (MAPI_TAG_ID(tag) == MAPI_TAG_ID(other))
			return TRUE;
	}
	return FALSE;
}

/* When somebody wants to be reminded of a message, it's his affair alone. What has
   been received isn't rewritten for it: other clients would have it once more, and
   signatures wouldn't hold any longer. */
static bool
tag_is_of_reader(struct mapi_message_content *content, uint32_t tag)
{
	return MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_REPLY_TIME) &&
		content->mail != NULL &&
		(mail_get_flags(content->mail) & MAIL_DRAFT) == 0;
}

static bool tags_are_in_mime(struct mapi_message_content *content,
			     const uint32_t *tags, unsigned int count)
{
	const struct mapi_content_prop *prop;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (tag_is_of_reader(content, tags[i]))
			continue;
		prop = mapi_propset_find(content->overlay->props, tags[i]);
		if (prop == NULL) {
			prop = mapi_propset_find(content->overlay->absent,
						 tags[i]);
		}
		if (prop != NULL &&
		    mapi_message_prop_is_in_mime(tags[i], prop->name))
			return TRUE;
	}
	return FALSE;
}

/* Setting it says something about other properties, too. */
static bool tag_has_company(uint32_t tag)
{
	static const uint32_t tags[] = {
		PIDTAG_SUBJECT, PIDTAG_SUBJECT_PREFIX,
		PIDTAG_NORMALIZED_SUBJECT, PIDTAG_NATIVE_BODY,
		PIDTAG_RTF_IN_SYNC,
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tags); i++) {
		if (MAPI_TAG_ID(tag) == MAPI_TAG_ID(tags[i]))
			return TRUE;
	}
	return mapi_prop_body(tag) != 0 || mapi_flag_prop_is(tag, NULL);
}

static void overlay_forget(struct mapi_overlay *overlay, uint32_t tag)
{
	mapi_propset_remove(overlay->props, tag);
	mapi_propset_remove(overlay->absent, tag);
}

static void
content_note_fresh(struct mapi_message_content *content, uint32_t tag)
{
	content->fresh |= mapi_prop_body(tag);
	switch (MAPI_TAG_ID(tag)) {
	case MAPI_TAG_ID(PIDTAG_NATIVE_BODY):
		content->fresh |= MAPI_FRESH_NATIVE_BODY;
		break;
	case MAPI_TAG_ID(PIDTAG_RTF_IN_SYNC):
		content->fresh |= MAPI_FRESH_RTF_IN_SYNC;
		break;
	case MAPI_TAG_ID(PIDTAG_SUBJECT):
		content->fresh |= MAPI_FRESH_SUBJECT;
		break;
	case MAPI_TAG_ID(PIDTAG_SUBJECT_PREFIX):
	case MAPI_TAG_ID(PIDTAG_NORMALIZED_SUBJECT):
		content->fresh |= MAPI_FRESH_SUBJECT_PARTS;
		break;
	}
}

void mapi_message_content_encode_html(struct mapi_message_content *content)
{
	struct mapi_propset *props = content->overlay->props;
	const struct mapi_value *codepage;
	struct mapi_value value;
	const char *str, *bytes;
	TALLOC_CTX *mem;

	str = mapi_propset_get_string(props, PIDTAG_BODY_HTML);
	if (str == NULL)
		return;
	mem = talloc_new(NULL);
	codepage = mapi_propset_get(props, PIDTAG_INTERNET_CODEPAGE);
	bytes = codepage == NULL || !mapi_codepage_is_known(codepage->u.i32) ?
		NULL : mapi_codepage_from_utf8(mem, codepage->u.i32, str);
	if (bytes == NULL ||
	    strcmp(mapi_codepage_to_utf8(mem, codepage->u.i32, bytes),
		   str) != 0) {
		bytes = talloc_strdup(mem, str);
		value = mapi_value_i32(MAPI_CODEPAGE_UTF8);
		(void)mapi_propset_set_value(props, PIDTAG_INTERNET_CODEPAGE,
					     &value);
	}
	value = mapi_value_bin(bytes, strlen(bytes));
	(void)mapi_propset_set_value(props, PIDTAG_HTML, &value);
	talloc_free(mem);
}

void mapi_message_content_forget_stale(struct mapi_message_content *content)
{
	struct mapi_overlay *overlay = content->overlay;
	unsigned int fresh = content->fresh;

	if ((fresh & MAPI_BODY_ALL) != 0) {
		if ((fresh & MAPI_BODY_TEXT) == 0)
			overlay_forget(overlay, PIDTAG_BODY);
		if ((fresh & MAPI_BODY_HTML) == 0)
			overlay_forget(overlay, PIDTAG_HTML);
		if ((fresh & MAPI_BODY_RTF) == 0)
			overlay_forget(overlay, PIDTAG_RTF_COMPRESSED);
		/* and what was said about these */
		if ((fresh & MAPI_FRESH_NATIVE_BODY) == 0)
			overlay_forget(overlay, PIDTAG_NATIVE_BODY);
		if ((fresh & MAPI_FRESH_RTF_IN_SYNC) == 0)
			overlay_forget(overlay, PIDTAG_RTF_IN_SYNC);
	}
	if ((fresh & MAPI_FRESH_SUBJECT) != 0 &&
	    (fresh & MAPI_FRESH_SUBJECT_PARTS) == 0) {
		overlay_forget(overlay, PIDTAG_SUBJECT_PREFIX);
		overlay_forget(overlay, PIDTAG_NORMALIZED_SUBJECT);
	}
	if ((fresh & MAPI_FRESH_SUBJECT_PARTS) != 0 &&
	    (fresh & MAPI_FRESH_SUBJECT) == 0)
		overlay_forget(overlay, PIDTAG_SUBJECT);
}

/* --- the subject -------------------------------------------------------------- */

static bool
subject_fits(const char *subject, const char *prefix, const char *normalized)
{
	size_t len = strlen(subject);
	size_t prefix_len = prefix == NULL ? 0 : strlen(prefix);
	size_t norm_len = normalized == NULL ? 0 : strlen(normalized);

	if (prefix_len + norm_len > len ||
	    (prefix != NULL && normalized != NULL &&
	     prefix_len + norm_len != len))
		return FALSE;
	return (prefix == NULL || str_begins(subject, prefix)) &&
		(normalized == NULL ||
		 strcmp(subject + len - norm_len, normalized) == 0);
}

static void
content_set_string(struct mapi_message_content *content, uint32_t tag,
		   const char *str)
{
	struct mapi_value value = mapi_value_str(str);

	mapi_propset_remove(content->overlay->absent, tag);
	(void)mapi_propset_set_value(content->overlay->props, tag, &value);
}

/* A part of a subject that has just been set, if it isn't said yet */
static void
content_set_subject_part(struct mapi_message_content *content, uint32_t tag)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_value value;

	if (mapi_propset_find(content->overlay->props, tag) == NULL &&
	    mapi_mailprops_eval(content->view, mem, &tag, 1, SIZE_MAX,
				&value) == EC_NONE &&
	    value.type == PTYP_STRING)
		content_set_string(content, tag, value.u.str);
	talloc_free(mem);
}

/* The properties that make up the subject say the same: of those that have been set
   one after the other the later ones hold. content->fresh has what has just been
   set, fresh what has been set before. */
static void
content_fit_subject(struct mapi_message_content *content, unsigned int *fresh)
{
	struct mapi_overlay *overlay = content->overlay;
	const char *subject, *prefix, *normalized;
	unsigned int set = content->fresh &
		(MAPI_FRESH_SUBJECT | MAPI_FRESH_SUBJECT_PARTS);

	subject = mapi_propset_get_string(overlay->props, PIDTAG_SUBJECT);
	prefix = mapi_propset_get_string(overlay->props,
					 PIDTAG_SUBJECT_PREFIX);
	normalized = mapi_propset_get_string(overlay->props,
					     PIDTAG_NORMALIZED_SUBJECT);
	if (subject == NULL || set == 0)
		return;
	if (subject_fits(subject, prefix, normalized)) {
		/* a prefix may be one that nobody else would take for one */
		if (prefix != NULL && normalized == NULL) {
			content_set_string(content, PIDTAG_NORMALIZED_SUBJECT,
					   subject + strlen(prefix));
		} else if (normalized != NULL && prefix == NULL) {
			content_set_string(content, PIDTAG_SUBJECT_PREFIX,
				t_strndup(subject, strlen(subject) -
					  strlen(normalized)));
		}
	} else if (set == MAPI_FRESH_SUBJECT) {
		overlay_forget(overlay, PIDTAG_SUBJECT_PREFIX);
		overlay_forget(overlay, PIDTAG_NORMALIZED_SUBJECT);
		*fresh &= ~MAPI_FRESH_SUBJECT_PARTS;
	} else if (set == MAPI_FRESH_SUBJECT_PARTS) {
		content_set_subject_part(content, PIDTAG_SUBJECT_PREFIX);
		content_set_subject_part(content, PIDTAG_NORMALIZED_SUBJECT);
		overlay_forget(overlay, PIDTAG_SUBJECT);
		*fresh &= ~MAPI_FRESH_SUBJECT;
	}
}

/* --- ------------------------------------------------------------------------ */

/* To be called when a property has been set or deleted. */
static void
content_note_change(struct mapi_message_content *content, uint32_t tag)
{
	const struct mapi_content_prop *prop, *absent;

	prop = mapi_propset_find(content->overlay->props, tag);
	absent = mapi_propset_find(content->overlay->absent, tag);
	if ((prop == NULL || !mapi_flag_prop_is(tag, prop->name)) &&
	    (absent == NULL || !mapi_flag_prop_is(tag, absent->name))) {
		content->bag_changed = TRUE;
		return;
	}
	if (content->flag_changes == NULL)
		content->flag_changes = mapi_overlay_create(content);
	/* there are only a few of them */
	if (prop != NULL)
		(void)mapi_overlay_set(content->flag_changes, prop);
	else {
		(void)mapi_overlay_set_absent(content->flag_changes, tag,
					      absent->name);
	}
}

void mapi_message_content_note_set(struct mapi_message_content *content,
				   uint32_t tag)
{
	content_note_change(content, tag);
	content_note_fresh(content, tag);
}

/* --- setting and deleting ------------------------------------------------------ */

/* These of PidTagMessageFlags can be set until the message is saved, [MS-OXCMSG]
   2.2.1.6; mfHasAttach and others follow from what the message is. */
static enum mapi_error
content_set_new_flags(struct mapi_message_content *content,
		      const struct mapi_value *value)
{
	const uint32_t settable = MSGFLAG_READ | MSGFLAG_UNSENT |
		MSGFLAG_RESEND;
	struct mapi_value flags;

	if (!content->is_new || value->type != PTYP_INTEGER32)
		return EC_COMPUTED;
	flags = mapi_value_i32(value->u.i32 & settable);
	return mapi_propset_set_value(content->overlay->props,
				      PIDTAG_MESSAGE_FLAGS, &flags) ?
		EC_NONE : EC_TOO_COMPLEX;
}

bool mapi_message_prop_type_is_known(uint32_t tag)
{
	bool known = FALSE;
	uint32_t other;
	unsigned int i;

	/* the HTML body's second type */
	if (tag == PIDTAG_BODY_HTML)
		return TRUE;
	for (i = 0; mime_headers_prop_at(i, &other); i++) {
		if (other == tag)
			return TRUE;
		known |= MAPI_TAG_ID(other) == MAPI_TAG_ID(tag);
	}
	for (i = 0; mime_message_prop_at(i, &other); i++) {
		if (other == tag)
			return TRUE;
		known |= MAPI_TAG_ID(other) == MAPI_TAG_ID(tag);
	}
	return !known;
}

/* What the property already is needn't be saved. */
static bool
prop_is_unchanged(struct mapi_message_content *content,
		  const struct mapi_property *prop, TALLOC_CTX *mem)
{
	struct mapi_value value;

	if (content->is_new || content->mail == NULL ||
	    tag_has_company(prop->tag) ||
	    (!MAPI_TAG_IS_NAMED(prop->tag) &&
	     mapi_message_prop_class(prop->tag, NULL) == MAPI_PROP_COMPUTED))
		return FALSE;
	return mapi_mailprops_eval(content->view, mem, &prop->tag, 1,
				   UNCHANGED_SIZE_MAX, &value) == EC_NONE &&
		value.type == prop->value.type &&
		mapi_value_equal(&value, &prop->value);
}

/* What is left of props, which are at indexes; errors of the others are set. */
static struct mapi_property *
props_select(struct mapi_message_content *content, TALLOC_CTX *mem,
	     const struct mapi_property *props, unsigned int *count,
	     unsigned int *indexes, enum mapi_error *errors)
{
	struct mapi_property *left;
	unsigned int i, n = 0;

	left = talloc_array(mem, struct mapi_property, *count);
	for (i = 0; i < *count; i++) {
		errors[i] = mapi_message_prop_type_is_known(props[i].tag) ?
			EC_NONE : EC_UNEXPECTED_TYPE;
		if (errors[i] != EC_NONE ||
		    prop_is_unchanged(content, &props[i], mem))
			continue;
		left[n] = props[i];
		indexes[n++] = i;
	}
	*count = n;
	return left;
}

static void
content_props_were_set(struct mapi_message_content *content,
		       const struct mapi_property *props, unsigned int count,
		       TALLOC_CTX *mem, enum mapi_error *errors)
{
	uint32_t *tags = talloc_array(mem, uint32_t, count);
	unsigned int i, n = 0, fresh = content->fresh;

	content->fresh = 0;
	for (i = 0; i < count; i++) {
		if (props[i].tag == PIDTAG_MESSAGE_FLAGS) {
			errors[i] = content_set_new_flags(content,
							  &props[i].value);
		}
		if (errors[i] == EC_NONE) {
			mapi_message_content_note_set(content, props[i].tag);
			tags[n++] = props[i].tag;
		}
	}
	content_fit_subject(content, &fresh);
	content->fresh |= fresh;
	mapi_message_content_encode_html(content);
	mapi_message_content_forget_stale(content);
	if (n > 0) {
		mapi_message_content_change(content,
			tags_are_in_mime(content, tags, n));
	}
}

enum mapi_error
mapi_message_set_props(struct mapi_object *obj,
		       const struct mapi_property *props, unsigned int count,
		       enum mapi_error *errors_r)
{
	struct mapi_message *msg =
		container_of(obj, struct mapi_message, obj);
	struct mapi_message_content *content = msg->priv->content;
	enum mapi_error error, *errors;
	unsigned int i, *indexes;
	TALLOC_CTX *mem;

	if (!msg->priv->writable)
		return EC_ACCESS_DENIED;
	(void)mapi_stream_targets_commit(content->streams);
	mem = talloc_new(NULL);
	errors = talloc_zero_array(mem, enum mapi_error, count);
	indexes = talloc_array(mem, unsigned int, count);
	props = props_select(content, mem, props, &count, indexes, errors_r);
	mapi_message_content_init_overlay(content);
	error = mapi_overlay_set_props(obj->store, content->overlay,
				       mapi_message_prop_class, props, count,
				       errors);
	if (error == EC_NONE) {
		content_props_were_set(content, props, count, mem, errors);
		for (i = 0; i < count; i++)
			errors_r[indexes[i]] = errors[i];
	}
	talloc_free(mem);
	return error;
}

/* There's nothing to be removed. */
static bool
prop_is_missing(struct mapi_message_content *content, uint32_t tag,
		TALLOC_CTX *mem)
{
	uint32_t any = MAPI_TAG_AS(tag, PTYP_UNSPECIFIED);
	struct mapi_value value;

	if (content->is_new || content->mail == NULL ||
	    mapi_flag_prop_is(tag, NULL))
		return FALSE;
	return mapi_mailprops_eval(content->view, mem, &any, 1, 0,
				   &value) == EC_NONE &&
		value.type == PTYP_ERROR_CODE &&
		value.u.error == EC_NOT_FOUND;
}

enum mapi_error
mapi_message_delete_props(struct mapi_object *obj, const uint32_t *tags,
			  unsigned int count, enum mapi_error *errors_r)
{
	struct mapi_message *msg =
		container_of(obj, struct mapi_message, obj);
	struct mapi_message_content *content = msg->priv->content;
	enum mapi_error error;
	unsigned int i, n = 0;
	uint32_t *deleted;
	TALLOC_CTX *mem;

	if (!msg->priv->writable)
		return EC_ACCESS_DENIED;
	(void)mapi_stream_targets_commit(content->streams);
	mem = talloc_new(NULL);
	deleted = talloc_array(mem, uint32_t, count);
	for (i = 0; i < count; i++) {
		if (!prop_is_missing(content, tags[i], mem))
			deleted[n++] = i;
	}
	mapi_message_content_init_overlay(content);
	error = mapi_overlay_delete_props(obj->store, content->overlay,
					  mapi_message_prop_class, tags, count,
					  errors_r);
	for (i = 0; i < n && error == EC_NONE; i++) {
		if (errors_r[deleted[i]] != EC_NONE)
			continue;
		content_note_change(content, tags[deleted[i]]);
		mapi_message_content_change(content,
			tags_are_in_mime(content, &tags[deleted[i]], 1));
	}
	talloc_free(mem);
	return error;
}
