/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "unichar.h"
#include "mapi-props.h"
#include "mapi-folder-write-private.h"

/* Changing a folder's properties. There's no saving: each change is made at once,
   [MS-OXCPRPT] 3.2.5.4. Those that can be changed yet are few: the name is the
   mailbox's, the others are notes in the allocation log beside the folder's
   number, in one transaction. What the server computes is EC_COMPUTED, all else
   EC_NOT_SUPPORTED. */

#define COMMENT_MAX_SIZE 4096
#define CLASS_MAX_SIZE 255

static const struct {
	uint32_t tag;
	const char *kind;
	size_t max_size;
} noted_props[] = {
	{ PIDTAG_COMMENT, MAPI_LOG_COMMENT, COMMENT_MAX_SIZE },
	{ PIDTAG_CONTAINER_CLASS, MAPI_LOG_CLASS, CLASS_MAX_SIZE },
	{ PIDTAG_ATTRIBUTE_HIDDEN, MAPI_LOG_HIDDEN, 1 },
};

static enum mapi_error
noted_prop_value(const struct mapi_property *prop, unsigned int idx,
		 const char **value_r)
{
	if (prop->tag != noted_props[idx].tag)
		return EC_UNEXPECTED_TYPE;
	if (prop->value.type == PTYP_BOOLEAN) {
		*value_r = prop->value.u.b ? "1" : "0";
		return EC_NONE;
	}
	*value_r = prop->value.u.str;
	if (!uni_utf8_str_is_valid(*value_r))
		return EC_INVALID_PARAM;
	return strlen(*value_r) > noted_props[idx].max_size ?
		EC_TOO_BIG : EC_NONE;
}

/* Adds what is to be noted of a property. */
static enum mapi_error
folder_note_prop(struct mapi_folder_node *node,
		 const struct mapi_property *prop,
		 ARRAY_TYPE(mapi_idlog_new) *recs)
{
	struct mapi_idlog_new *rec;
	const char *value;
	uint32_t number = mapi_folder_fid_to_number(node->fid);
	enum mapi_error ret;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(noted_props); i++) {
		if (MAPI_TAG_ID(noted_props[i].tag) == MAPI_TAG_ID(prop->tag))
			break;
	}
	if (MAPI_TAG_ID(prop->tag) == MAPI_TAG_ID(PIDTAG_DISPLAY_NAME))
		return EC_UNEXPECTED_TYPE;
	if (i == N_ELEMENTS(noted_props)) {
		return mapi_folder_prop_is_computed(prop->tag) ?
			EC_COMPUTED : EC_NOT_SUPPORTED;
	}
	if (node->companion)
		return EC_ACCESS_DENIED;
	ret = noted_prop_value(prop, i, &value);
	if (ret != EC_NONE)
		return ret;
	rec = array_append_space(recs);
	rec->type = MAPI_IDLOG_NOTE;
	rec->kind = noted_props[i].kind;
	rec->key = t_strdup_printf("%u", number);
	rec->value = value;
	rec->subject = t_strdup_printf("%s of folder %u", rec->kind, number);
	return EC_NONE;
}

static enum mapi_error
folder_rename(struct mapi_folder *folder, const struct mapi_property *prop)
{
	const struct mapi_folder_node *node = mapi_folder_node(folder);

	if (node == NULL)
		return EC_OBJECT_DELETED;
	if (*prop->value.u.str == '\0')
		return EC_INVALID_PARAM;
	return mapi_folder_move(folder->obj.store, folder->fid,
				node->parent_fid, prop->value.u.str);
}

static enum mapi_error
folder_set_props(struct mapi_folder *folder, const struct mapi_property *props,
		 unsigned int count, enum mapi_error *errors_r)
{
	ARRAY_TYPE(mapi_idlog_new) recs;
	struct mapi_folder_node *node;
	enum mapi_error ret;
	unsigned int i;

	ret = mapi_folder_tree_refresh(folder->obj.store);
	if (ret != EC_NONE)
		return ret;
	/* What can fail for reasons that the user should know of comes first,
	   and nothing is changed then. */
	for (i = 0; i < count; i++) {
		if (props[i].tag == PIDTAG_DISPLAY_NAME) {
			ret = folder_rename(folder, &props[i]);
			if (ret != EC_NONE)
				return ret;
		}
	}
	node = mapi_folder_node(folder);
	if (node == NULL)
		return EC_OBJECT_DELETED;
	t_array_init(&recs, 4);
	for (i = 0; i < count; i++) {
		errors_r[i] = props[i].tag == PIDTAG_DISPLAY_NAME ? EC_NONE :
			folder_note_prop(node, &props[i], &recs);
	}
	if (array_count(&recs) == 0)
		return EC_NONE;
	ret = mapi_idlog_write(folder->obj.store->log,
			       array_front_modifiable(&recs),
			       array_count(&recs));
	return ret != EC_NONE ? ret :
		mapi_folder_tree_refresh(folder->obj.store);
}

enum mapi_error
mapi_folder_set_props(struct mapi_object *obj,
		      const struct mapi_property *props, unsigned int count,
		      enum mapi_error *errors_r)
{
	enum mapi_error ret;

	T_BEGIN {
		ret = folder_set_props((struct mapi_folder *)obj, props, count,
				       errors_r);
	} T_END;
	return ret;
}
