/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "time-util.h"
#include "unichar.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-props.h"
#include "mapi-folder-write-private.h"
#include "mapi-stored-props.h"

/* Changing a folder's properties. There's no saving: each change is made at once,
   [MS-OXCPRPT] 3.2.5.4. The name is the mailbox's; what the folder tree is made of
   (class, hidden) and the comment are notes of their own in the allocation log, all
   others are stored properties (mapi-stored-props.h), which are notes, too: they are
   written in one transaction. What the server computes is EC_COMPUTED. */

#define COMMENT_MAX_SIZE 4096
#define CLASS_MAX_SIZE 255

static const struct noted_prop {
	uint32_t tag;
	const char *kind;
	size_t max_size;
	/* what it is if it's deleted */
	const char *deleted;
} noted_props[] = {
	{ PIDTAG_COMMENT, MAPI_LOG_COMMENT, COMMENT_MAX_SIZE, "" },
	{ PIDTAG_CONTAINER_CLASS, MAPI_LOG_CLASS, CLASS_MAX_SIZE, "" },
	{ PIDTAG_ATTRIBUTE_HIDDEN, MAPI_LOG_HIDDEN, 1, "0" },
};

static const struct noted_prop *noted_prop_find(uint32_t tag)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(noted_props); i++) {
		if (MAPI_TAG_ID(noted_props[i].tag) == MAPI_TAG_ID(tag))
			return &noted_props[i];
	}
	return NULL;
}

static bool tag_is_name(uint32_t tag)
{
	return MAPI_TAG_ID(tag) == MAPI_TAG_ID(PIDTAG_DISPLAY_NAME);
}

static enum mapi_error
noted_prop_value(const struct mapi_content_prop *prop,
		 const struct noted_prop *noted, const char **value_r)
{
	if (prop->tag != noted->tag || prop->stream != NULL)
		return EC_UNEXPECTED_TYPE;
	if (prop->value.type == PTYP_BOOLEAN) {
		*value_r = prop->value.u.b ? "1" : "0";
		return EC_NONE;
	}
	*value_r = prop->value.u.str;
	if (!uni_utf8_str_is_valid(*value_r))
		return EC_INVALID_PARAM;
	return strlen(*value_r) > noted->max_size ? EC_TOO_BIG : EC_NONE;
}

void mapi_folder_note(struct mapi_stored_changes *changes, uint32_t number,
		      const char *kind, const char *value)
{
	const char *key = t_strdup_printf("%u", number);
	const struct mapi_idlog_rec *old;
	struct mapi_idlog_new *rec;

	old = mapi_idlog_find(changes->store->log, kind, key);
	if (old != NULL && strcmp(old->value, value) == 0)
		return;
	rec = array_append_space(&changes->recs);
	rec->type = MAPI_IDLOG_NOTE;
	rec->kind = kind;
	rec->key = key;
	rec->value = value;
	rec->subject = t_strdup_printf("%s of folder %u", kind, number);
}

/* Writes what has been changed, and when. */
static enum mapi_error
folder_commit(struct mapi_stored_changes *changes, uint32_t number)
{
	struct timeval now;
	enum mapi_error error;

	if (array_count(&changes->recs) == 0)
		return EC_NONE;
	i_gettimeofday(&now);
	mapi_folder_note(changes, number, MAPI_LOG_MODIFIED,
			 t_strdup_printf("%llx", timeval_to_usecs(&now)));
	error = mapi_stored_commit(changes);
	return error != EC_NONE ? error :
		mapi_folder_tree_refresh(changes->store);
}

/* --- setting ---------------------------------------------------------------- */

static enum mapi_error
folder_set_prop(struct mapi_stored_changes *changes, uint32_t number,
		const struct mapi_content_prop *prop)
{
	const struct noted_prop *noted = noted_prop_find(prop->tag);
	const char *value;
	enum mapi_error error;

	if (MAPI_TAG_TYPE(prop->tag) != prop->value.type ||
	    !mapi_prop_type_is_storable(prop->value.type) ||
	    tag_is_name(prop->tag))
		return EC_UNEXPECTED_TYPE;
	if (noted != NULL) {
		error = noted_prop_value(prop, noted, &value);
		if (error == EC_NONE) {
			mapi_folder_note(changes, number, noted->kind,
					 value);
		}
		return error;
	}
	if (prop->name == NULL &&
	    mapi_folder_prop_class(prop->tag) == MAPI_PROP_COMPUTED)
		return EC_COMPUTED;
	return mapi_stored_set(changes, number, prop);
}

static enum mapi_error
folder_rename(struct mapi_store *store, mapi_id_t fid, const char *name)
{
	const struct mapi_folder_node *node =
		mapi_folder_tree_lookup(store, fid);

	if (node == NULL)
		return EC_OBJECT_DELETED;
	if (*name == '\0')
		return EC_INVALID_PARAM;
	/* Outlook gives them names in the user's language */
	if (node->special != MAPI_SPECIAL_NONE)
		return mapi_folder_rename_special(store, node, name);
	return mapi_folder_move(store, fid, node->parent_fid, name);
}

static bool prop_is_new_name(const struct mapi_content_prop *prop)
{
	return prop->tag == PIDTAG_DISPLAY_NAME &&
		prop->value.type == PTYP_STRING;
}

static enum mapi_error
folder_set_props(struct mapi_store *store, mapi_id_t fid,
		 const struct mapi_content_prop *props, unsigned int count,
		 enum mapi_error *errors_r)
{
	const struct mapi_folder_node *node;
	struct mapi_stored_changes changes;
	uint32_t number = mapi_folder_fid_to_number(fid);
	enum mapi_error ret;
	unsigned int i;

	ret = mapi_folder_tree_refresh(store);
	if (ret != EC_NONE)
		return ret;
	/* What can fail for reasons that the user should know of comes first,
	   and nothing is changed then. */
	for (i = 0; i < count; i++) {
		if (prop_is_new_name(&props[i])) {
			ret = folder_rename(store, fid, props[i].value.u.str);
			if (ret != EC_NONE)
				return ret;
		}
	}
	node = mapi_folder_tree_lookup(store, fid);
	if (node == NULL)
		return EC_OBJECT_DELETED;
	if ((mapi_folder_rights(store, node) & RIGHTS_FOLDER_OWNER) == 0) {
		for (i = 0; i < count; i++) {
			if (errors_r[i] == EC_NONE &&
			    !prop_is_new_name(&props[i]))
				errors_r[i] = EC_ACCESS_DENIED;
		}
		return EC_NONE;
	}
	mapi_stored_begin(&changes, store);
	for (i = 0; i < count; i++) {
		/* errors that were there before stay */
		if (errors_r[i] == EC_NONE && !prop_is_new_name(&props[i])) {
			errors_r[i] = folder_set_prop(&changes, number,
						      &props[i]);
		}
	}
	return folder_commit(&changes, number);
}

enum mapi_error
mapi_folder_set_prop(struct mapi_store *store, mapi_id_t fid,
		     const struct mapi_content_prop *prop)
{
	enum mapi_error ret, error = EC_NONE;

	T_BEGIN {
		ret = folder_set_props(store, fid, prop, 1, &error);
	} T_END;
	return ret != EC_NONE ? ret : error;
}

enum mapi_error
mapi_folder_set_props(struct mapi_object *obj,
		      const struct mapi_property *props, unsigned int count,
		      enum mapi_error *errors_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)obj;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_content_prop *content_props;
	enum mapi_error ret;

	ret = mapi_stored_props_from_values(obj->store, mem, props, count,
					    &content_props, errors_r);
	if (ret == EC_NONE) T_BEGIN {
		ret = folder_set_props(obj->store, folder->fid, content_props,
				       count, errors_r);
	} T_END;
	talloc_free(mem);
	return ret;
}

bool mapi_folder_prop_is_settable(uint32_t tag)
{
	return MAPI_TAG_IS_NAMED(tag) || tag_is_name(tag) ||
		noted_prop_find(tag) != NULL ||
		mapi_folder_prop_class(tag) != MAPI_PROP_COMPUTED;
}

/* --- deleting --------------------------------------------------------------- */

static enum mapi_error
folder_delete_prop(struct mapi_stored_changes *changes, uint32_t number,
		   uint32_t tag, const struct mapi_property_name *name)
{
	const struct noted_prop *noted = noted_prop_find(tag);
	enum mapi_prop_class prop_class;

	if (MAPI_TAG_IS_NAMED(tag)) {
		return name->kind == MAPI_NAME_NONE ? EC_INVALID_PARAM :
			mapi_stored_delete(changes, number, tag, name, FALSE);
	}
	if (tag_is_name(tag))
		return EC_ACCESS_DENIED;
	if (noted != NULL) {
		mapi_folder_note(changes, number, noted->kind, noted->deleted);
		return EC_NONE;
	}
	prop_class = mapi_folder_prop_class(tag);
	return prop_class == MAPI_PROP_COMPUTED ? EC_COMPUTED :
		mapi_stored_delete(changes, number, tag, NULL,
				   prop_class == MAPI_PROP_DEFAULTED);
}

static enum mapi_error
folder_delete_props(struct mapi_folder *folder, const uint32_t *tags,
		    const struct mapi_property_name *names, unsigned int count,
		    enum mapi_error *errors_r)
{
	struct mapi_store *store = folder->obj.store;
	uint32_t number = mapi_folder_fid_to_number(folder->fid);
	struct mapi_stored_changes changes;
	enum mapi_error ret;
	unsigned int i;

	ret = mapi_folder_tree_refresh(store);
	if (ret != EC_NONE)
		return ret;
	ret = mapi_folder_check_rights(folder, RIGHTS_FOLDER_OWNER);
	if (ret != EC_NONE)
		return ret;
	if (mapi_folder_tree_lookup(store, folder->fid) == NULL)
		return EC_OBJECT_DELETED;
	mapi_stored_begin(&changes, store);
	for (i = 0; i < count; i++) {
		errors_r[i] = folder_delete_prop(&changes, number, tags[i],
						 &names[i]);
	}
	return folder_commit(&changes, number);
}

enum mapi_error
mapi_folder_delete_props(struct mapi_object *obj, const uint32_t *tags,
			 unsigned int count, enum mapi_error *errors_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_property_name *names;
	enum mapi_error ret;

	ret = mapi_store_tags_to_names(obj->store, mem, tags, count, &names);
	if (ret == EC_NONE) T_BEGIN {
		ret = folder_delete_props((struct mapi_folder *)obj, tags,
					  names, count, errors_r);
	} T_END;
	talloc_free(mem);
	return ret;
}

/* --- copying ---------------------------------------------------------------- */

void mapi_folder_copy_note(struct mapi_stored_changes *changes,
			   struct mapi_store *store, uint32_t number,
			   uint32_t dest_number, const char *kind)
{
	const struct mapi_idlog_rec *rec;

	rec = mapi_idlog_find(store->log, kind,
			      t_strdup_printf("%u", number));
	if (rec != NULL) {
		/* records may be read anew while some are written */
		mapi_folder_note(changes, dest_number, kind,
				 t_strdup(rec->value));
	}
}

enum mapi_error
mapi_folder_copy_props(struct mapi_stored_changes *changes,
		       struct mapi_store *store, uint32_t number,
		       uint32_t dest_number)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(noted_props); i++) {
		mapi_folder_copy_note(changes, store, number, dest_number,
				      noted_props[i].kind);
	}
	return mapi_stored_copy(changes, store, number, dest_number);
}
