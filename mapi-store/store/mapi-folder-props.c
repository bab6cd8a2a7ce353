/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "store-compat.h"
#include "mapi-enums.h"
#include "mapi-props.h"
#include "mapi-entryid.h"
#include "mapi-folder-rights.h"
#include "mapi-folder-status.h"
#include "mapi-rules.h"
#include "mapi-stored-props.h"

/* Properties of folders, [MS-OXCFOLD] 2.2.2 and others: one row per property in
   folder_props[]. All of them are computed; what comes from the mailbox itself
   (counts, sizes, times: mapi-folder-status.h) is looked up once per folder and
   only if one of the tags needs it. All others, and those that are only defaults,
   are what clients have set (mapi-stored-props.h). */

struct folder_props {
	struct mapi_store *store;
	const struct mapi_folder_node *node;
	TALLOC_CTX *mem;
	struct mapi_folder_status status;
};

typedef struct mapi_value folder_prop_func_t(struct folder_props *props);

static struct mapi_value not_found(void)
{
	return mapi_value_error(EC_NOT_FOUND);
}

/* --- ids ------------------------------------------------------------------ */

static mapi_id_t folder_cn(struct folder_props *props)
{
	return mapi_folder_number_cn(props->store,
		mapi_folder_fid_to_number(props->node->fid));
}

static struct mapi_value prop_entryid(struct folder_props *props)
{
	return mapi_store_folder_entryid(props->store, props->mem,
					 props->node->fid);
}

static struct mapi_value prop_parent_entryid(struct folder_props *props)
{
	return mapi_store_folder_entryid(props->store, props->mem,
					 props->node->parent_fid);
}

static struct mapi_value prop_source_key(struct folder_props *props)
{
	return mapi_store_gid(props->store, props->mem, props->node->fid);
}

static struct mapi_value prop_parent_source_key(struct folder_props *props)
{
	/* [MS-OXCFXICS] 2.2.1.2.6: zero length for the root */
	if (props->node->parent == NULL)
		return mapi_value_bin("", 0);
	return mapi_store_gid(props->store, props->mem,
			      props->node->parent_fid);
}

static struct mapi_value prop_change_key(struct folder_props *props)
{
	return mapi_store_gid(props->store, props->mem, folder_cn(props));
}

static struct mapi_value prop_pcl(struct folder_props *props)
{
	return mapi_store_pcl(props->store, props->mem, folder_cn(props));
}

static struct mapi_value prop_change_number(struct folder_props *props)
{
	return mapi_value_i64(mapi_id_to_i64(folder_cn(props)));
}

static struct mapi_value prop_folder_id(struct folder_props *props)
{
	return mapi_value_i64(mapi_id_to_i64(props->node->fid));
}

static struct mapi_value prop_parent_folder_id(struct folder_props *props)
{
	return mapi_value_i64(mapi_id_to_i64(props->node->parent_fid));
}

static struct mapi_value prop_store_entryid(struct folder_props *props)
{
	return mapi_store_entryid(props->store, props->mem);
}

static struct mapi_value prop_store_record_key(struct folder_props *props)
{
	const struct mapi_guid *guid = &props->store->mailbox_guid;

	return mapi_value_bin(guid->bytes, sizeof(guid->bytes));
}

static struct mapi_value prop_mapping_signature(struct folder_props *props)
{
	const struct mapi_guid *guid = &props->store->replica_guid;

	return mapi_value_bin(guid->bytes, sizeof(guid->bytes));
}

/* --- what a folder is ------------------------------------------------------ */

static struct mapi_value prop_object_type(struct folder_props *props)
{
	return mapi_value_i32(MAPI_FOLDER);
}

static struct mapi_value prop_display_type(struct folder_props *props)
{
	return mapi_value_i32(0x01000000); /* DT_FOLDER */
}

static struct mapi_value prop_display_name(struct folder_props *props)
{
	return mapi_value_str(props->node->display_name);
}

static struct mapi_value prop_comment(struct folder_props *props)
{
	const struct mapi_idlog_rec *rec;

	rec = mapi_idlog_find(props->store->log, MAPI_LOG_COMMENT,
		t_strdup_printf("%u",
			mapi_folder_fid_to_number(props->node->fid)));
	return mapi_value_str(rec == NULL ? "" : rec->value);
}

static struct mapi_value prop_container_class(struct folder_props *props)
{
	if (*props->node->container_class == '\0')
		return not_found();
	return mapi_value_str(props->node->container_class);
}

static struct mapi_value prop_default_post_class(struct folder_props *props)
{
	static const struct {
		const char *container, *message;
	} classes[] = {
		{ "IPF.Note", "IPM.Note" },
		{ "IPF.Appointment", "IPM.Appointment" },
		{ "IPF.Contact", "IPM.Contact" },
		{ "IPF.Journal", "IPM.Activity" },
		{ "IPF.StickyNote", "IPM.StickyNote" },
		{ "IPF.Task", "IPM.Task" },
	};
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(classes); i++) {
		if (strcasecmp(props->node->container_class,
			       classes[i].container) == 0)
			return mapi_value_str(classes[i].message);
	}
	return not_found();
}

static struct mapi_value prop_folder_type(struct folder_props *props)
{
	return mapi_value_i32(props->node->parent == NULL ? FOLDER_ROOT :
			      props->node->search ? FOLDER_SEARCH :
			      FOLDER_GENERIC);
}

static bool folder_is_ipm(const struct mapi_folder_node *node)
{
	for (; node != NULL; node = node->parent) {
		if (node->special == MAPI_SPECIAL_IPM_SUBTREE)
			return TRUE;
	}
	return FALSE;
}

static struct mapi_value prop_folder_flags(struct folder_props *props)
{
	uint32_t flags = props->node->search ? FOLDER_FLAG_SEARCH :
		0x4 /* NORMAL */;

	if (folder_is_ipm(props->node))
		flags |= 0x1; /* IPM */
	if (mapi_rules_exist(props->store, props->node->fid))
		flags |= FOLDER_FLAG_RULES;
	return mapi_value_i32(flags);
}

static struct mapi_value prop_has_rules(struct folder_props *props)
{
	return mapi_value_bool(mapi_rules_exist(props->store,
						props->node->fid));
}

static struct mapi_value prop_access(struct folder_props *props)
{
	return mapi_value_i32(mapi_folder_access(props->store, props->node));
}

static struct mapi_value prop_access_level(struct folder_props *props)
{
	uint32_t access = mapi_folder_access(props->store, props->node);

	/* 1: Modify, 0: read only */
	return mapi_value_i32((access & MAPI_ACCESS_MODIFY) != 0 ? 1 : 0);
}

static struct mapi_value prop_rights(struct folder_props *props)
{
	return mapi_value_i32(mapi_folder_rights(props->store, props->node));
}

static struct mapi_value prop_hidden(struct folder_props *props)
{
	return mapi_value_bool(props->node->hidden);
}

static struct mapi_value prop_false(struct folder_props *props)
{
	return mapi_value_bool(FALSE);
}

/* --- counts, sizes, times --------------------------------------------------- */

static struct mapi_value prop_content_count(struct folder_props *props)
{
	return mapi_value_i32(mapi_folder_status_get(&props->status)->messages);
}

static struct mapi_value prop_content_unread(struct folder_props *props)
{
	return mapi_value_i32(mapi_folder_status_get(&props->status)->unseen);
}

static struct mapi_value prop_associated_count(struct folder_props *props)
{
	return mapi_value_i32(mapi_folder_status_associated(&props->status));
}

/* Of all messages that there have ever been, those that there aren't any more.
   Messages that have been replaced count, too: what clients look for is that it
   grows. [MS-OXCFOLD] 2.2.2.2.1.15 */
static struct mapi_value prop_deleted_total(struct folder_props *props)
{
	const struct mailbox_status *status =
		mapi_folder_status_get(&props->status);

	return mapi_value_i32(status->uidnext <= status->messages ? 0 :
			      status->uidnext - 1 - status->messages);
}

static struct mapi_value prop_article_next(struct folder_props *props)
{
	const struct mailbox_status *status =
		mapi_folder_status_get(&props->status);

	return mapi_value_i32(I_MAX(status->uidnext, 1));
}

static struct mapi_value prop_subfolders(struct folder_props *props)
{
	return mapi_value_bool(props->node->child_count > 0);
}

static struct mapi_value prop_folder_child_count(struct folder_props *props)
{
	return mapi_value_i32(props->node->child_count);
}

static struct mapi_value prop_message_size(struct folder_props *props)
{
	/* the messages take no space in it */
	if (props->node->search)
		return not_found();
	return mapi_value_i32(I_MIN(mapi_folder_status_size(&props->status),
				    INT32_MAX));
}

static struct mapi_value prop_message_size_ext(struct folder_props *props)
{
	if (props->node->search)
		return not_found();
	return mapi_value_i64(mapi_folder_status_size(&props->status));
}

static const struct mapi_dumpster_totals *
folder_deleted(struct folder_props *props)
{
	return mapi_folder_status_deleted(&props->status);
}

static struct mapi_value prop_deleted_count(struct folder_props *props)
{
	return mapi_value_i32(folder_deleted(props)->messages[0]);
}

static struct mapi_value prop_deleted_fai_count(struct folder_props *props)
{
	return mapi_value_i32(folder_deleted(props)->messages[1]);
}

/* Of one property id there are one with 32 and one with 64 bits. */
#define DELETED_SIZE(name, expression) \
static struct mapi_value prop_deleted_##name(struct folder_props *props) \
{ \
	const uint64_t *size = folder_deleted(props)->size; \
	return mapi_value_i64(expression); \
} \
static struct mapi_value prop_deleted_##name##_32(struct folder_props *props) \
{ \
	const uint64_t *size = folder_deleted(props)->size; \
	return mapi_value_i32(I_MIN(expression, INT32_MAX)); \
}
DELETED_SIZE(size, size[0] + size[1])
DELETED_SIZE(normal_size, size[0])
DELETED_SIZE(fai_size, size[1])

static struct mapi_value prop_creation_time(struct folder_props *props)
{
	struct timespec created, changed;

	mapi_folder_status_times(&props->status, &created, &changed);
	return mapi_value_time(mapi_time_from_unix(created.tv_sec, 0));
}

static struct mapi_value prop_change_time(struct folder_props *props)
{
	struct timespec created, changed;

	mapi_folder_status_times(&props->status, &created, &changed);
	return mapi_value_time(mapi_time_from_unix(changed.tv_sec,
						   changed.tv_nsec));
}

/* As for messages: Outlook shows it as the time of the deletion. */
static struct mapi_value prop_modification_time(struct folder_props *props)
{
	return props->node->removed == 0 ? prop_change_time(props) :
		mapi_value_time(mapi_time_from_unix(props->node->removed, 0));
}

static struct mapi_value prop_deleted_on(struct folder_props *props)
{
	return props->node->removed == 0 ? not_found() :
		mapi_value_time(mapi_time_from_unix(props->node->removed, 0));
}

static struct mapi_value prop_deleted_folder_count(struct folder_props *props)
{
	const struct mapi_folder_node *node;
	unsigned int iter = 0, count = 0;

	while ((node = mapi_folder_tree_next_removed(props->store,
						     &iter)) != NULL) {
		if (node->removed_top && node->parent == props->node)
			count++;
	}
	return mapi_value_i32(count);
}

/* Grows when a subfolder is created or changed, [MS-OXCFOLD] 2.2.2.2.1.9. */
static struct mapi_value prop_hierarchy_cn(struct folder_props *props)
{
	const struct mapi_folder_node *child = props->node->first_child;
	uint64_t newest = 0, cn;

	for (; child != NULL; child = child->next_sibling) {
		cn = MAPI_ID_GLOBCNT(mapi_folder_number_cn(props->store,
			mapi_folder_fid_to_number(child->fid)));
		newest = I_MAX(newest, cn);
	}
	return mapi_value_i32(newest & INT32_MAX);
}

/* --- pointers to special folders -------------------------------------------- */

/* They are on the Root, where delegates look, and on the Inbox. [MS-OXOSFLD]
   2.2.3 - 2.2.6 */
static bool folder_has_pointers(const struct folder_props *props)
{
	return props->node->special == MAPI_SPECIAL_ROOT ||
		props->node->special == MAPI_SPECIAL_INBOX;
}

static struct mapi_value
special_pointer(struct folder_props *props, enum mapi_special_folder special)
{
	mapi_id_t fid = mapi_folder_tree_special(props->store, special);

	if (fid == 0 || !folder_has_pointers(props))
		return not_found();
	return mapi_store_folder_entryid(props->store, props->mem, fid);
}

#define SPECIAL_POINTER(name, special) \
static struct mapi_value prop_ipm_##name(struct folder_props *props) \
{ \
	return special_pointer(props, special); \
}
SPECIAL_POINTER(appointment, MAPI_SPECIAL_CALENDAR)
SPECIAL_POINTER(contact, MAPI_SPECIAL_CONTACTS)
SPECIAL_POINTER(journal, MAPI_SPECIAL_JOURNAL)
SPECIAL_POINTER(note, MAPI_SPECIAL_NOTES)
SPECIAL_POINTER(task, MAPI_SPECIAL_TASKS)
SPECIAL_POINTER(drafts, MAPI_SPECIAL_DRAFTS)

static struct mapi_value
special_pointer_list(struct folder_props *props,
		     enum mapi_special_folder special, unsigned int idx,
		     unsigned int count)
{
	struct mapi_value value, entryid = special_pointer(props, special);

	if (entryid.type != PTYP_BINARY)
		return entryid;
	i_zero(&value);
	value.type = PTYP_MULTIPLE_BINARY;
	value.u.mv.count = count;
	value.u.mv.v.bin = talloc_zero_array(props->mem, struct mapi_binary,
					     count);
	value.u.mv.v.bin[idx] = entryid.u.bin;
	return value;
}

static struct mapi_value prop_additional_ren(struct folder_props *props)
{
	/* conflicts, sync issues, local and server failures are the client's
	   to create */
	return special_pointer_list(props, MAPI_SPECIAL_JUNK, 4, 5);
}

static struct mapi_value prop_freebusy_entryids(struct folder_props *props)
{
	return special_pointer_list(props, MAPI_SPECIAL_FREEBUSY_DATA, 3, 4);
}

/* --- table ----------------------------------------------------------------- */

/* tags that no constant is generated for */
#define PIDTAG_FOLDER_CHILD_COUNT 0x66380003
#define PIDTAG_DELETED_FOLDER_COUNT 0x66410003
#define PIDTAG_INTERNET_ARTICLE_NUMBER_NEXT 0x67510003

enum folder_prop_flags {
	/* answered, but not in the list of properties */
	FOLDER_PROP_UNLISTED = 0x01,
	/* if no client has set it */
	FOLDER_PROP_DEFAULT = 0x02,
};

static const struct folder_prop {
	uint32_t tag;
	folder_prop_func_t *func;
	enum folder_prop_flags flags;
} folder_props[] = {
	{ PIDTAG_ENTRY_ID, prop_entryid },
	{ PIDTAG_PARENT_ENTRY_ID, prop_parent_entryid },
	{ PIDTAG_RECORD_KEY, prop_entryid },
	{ PIDTAG_STORE_ENTRY_ID, prop_store_entryid },
	{ PIDTAG_STORE_RECORD_KEY, prop_store_record_key },
	{ PIDTAG_MAPPING_SIGNATURE, prop_mapping_signature },
	{ PIDTAG_SOURCE_KEY, prop_source_key },
	{ PIDTAG_PARENT_SOURCE_KEY, prop_parent_source_key },
	{ PIDTAG_CHANGE_KEY, prop_change_key },
	{ PIDTAG_PREDECESSOR_CHANGE_LIST, prop_pcl },
	{ PIDTAG_CHANGE_NUMBER, prop_change_number },
	{ PIDTAG_FOLDER_ID, prop_folder_id },
	{ PIDTAG_PARENT_FOLDER_ID, prop_parent_folder_id },

	{ PIDTAG_OBJECT_TYPE, prop_object_type },
	{ PIDTAG_DISPLAY_TYPE, prop_display_type },
	{ PIDTAG_DISPLAY_NAME, prop_display_name },
	{ PIDTAG_COMMENT, prop_comment },
	{ PIDTAG_CONTAINER_CLASS, prop_container_class },
	{ PIDTAG_DEFAULT_POST_MESSAGE_CLASS, prop_default_post_class,
	  FOLDER_PROP_DEFAULT },
	{ PIDTAG_FOLDER_TYPE, prop_folder_type },
	{ PIDTAG_FOLDER_FLAGS, prop_folder_flags },
	{ PIDTAG_HAS_RULES, prop_has_rules },
	{ PIDTAG_ACCESS, prop_access },
	{ PIDTAG_ACCESS_LEVEL, prop_access_level },
	{ PIDTAG_RIGHTS, prop_rights },
	{ PIDTAG_ATTRIBUTE_HIDDEN, prop_hidden },
	{ PIDTAG_ATTRIBUTE_READ_ONLY, prop_false },

	{ PIDTAG_CONTENT_COUNT, prop_content_count },
	{ PIDTAG_CONTENT_UNREAD_COUNT, prop_content_unread },
	{ PIDTAG_ASSOCIATED_CONTENT_COUNT, prop_associated_count },
	{ PIDTAG_SUBFOLDERS, prop_subfolders },
	{ PIDTAG_FOLDER_CHILD_COUNT, prop_folder_child_count,
	  FOLDER_PROP_UNLISTED },
	{ PIDTAG_MESSAGE_SIZE, prop_message_size },
	{ PIDTAG_MESSAGE_SIZE_EXTENDED, prop_message_size_ext },
	{ PIDTAG_DELETED_COUNT_TOTAL, prop_deleted_total },
	{ PIDTAG_DELETED_MESSAGE_COUNT, prop_deleted_count,
	  FOLDER_PROP_UNLISTED },
	{ PIDTAG_DELETED_ASSOCIATED_MESSAGE_COUNT, prop_deleted_fai_count,
	  FOLDER_PROP_UNLISTED },
	{ PIDTAG_DELETED_MESSAGE_SIZE_EXTENDED, prop_deleted_size,
	  FOLDER_PROP_UNLISTED },
	{ PIDTAG_DELETED_NORMAL_MESSAGE_SIZE_EXTENDED,
	  prop_deleted_normal_size, FOLDER_PROP_UNLISTED },
	{ PIDTAG_DELETED_ASSOCIATED_MESSAGE_SIZE_EXTENDED,
	  prop_deleted_fai_size, FOLDER_PROP_UNLISTED },
	{ MAPI_TAG_AS(PIDTAG_DELETED_MESSAGE_SIZE_EXTENDED, PTYP_INTEGER32),
	  prop_deleted_size_32, FOLDER_PROP_UNLISTED },
	{ MAPI_TAG_AS(PIDTAG_DELETED_NORMAL_MESSAGE_SIZE_EXTENDED,
		      PTYP_INTEGER32), prop_deleted_normal_size_32,
	  FOLDER_PROP_UNLISTED },
	{ MAPI_TAG_AS(PIDTAG_DELETED_ASSOCIATED_MESSAGE_SIZE_EXTENDED,
		      PTYP_INTEGER32), prop_deleted_fai_size_32,
	  FOLDER_PROP_UNLISTED },
	{ PIDTAG_INTERNET_ARTICLE_NUMBER_NEXT, prop_article_next },
	{ PIDTAG_CREATION_TIME, prop_creation_time },
	{ PIDTAG_LAST_MODIFICATION_TIME, prop_modification_time },
	{ PIDTAG_DELETED_ON, prop_deleted_on },
	{ PIDTAG_DELETED_FOLDER_COUNT, prop_deleted_folder_count,
	  FOLDER_PROP_UNLISTED },
	{ PIDTAG_LOCAL_COMMIT_TIME, prop_change_time },
	{ PIDTAG_LOCAL_COMMIT_TIME_MAX, prop_change_time },
	{ PIDTAG_HIER_REV, prop_change_time },
	{ PIDTAG_HIERARCHY_CHANGE_NUMBER, prop_hierarchy_cn },

	{ PIDTAG_IPM_APPOINTMENT_ENTRY_ID, prop_ipm_appointment,
	  FOLDER_PROP_DEFAULT },
	{ PIDTAG_IPM_CONTACT_ENTRY_ID, prop_ipm_contact,
	  FOLDER_PROP_DEFAULT },
	{ PIDTAG_IPM_JOURNAL_ENTRY_ID, prop_ipm_journal,
	  FOLDER_PROP_DEFAULT },
	{ PIDTAG_IPM_NOTE_ENTRY_ID, prop_ipm_note,
	  FOLDER_PROP_DEFAULT },
	{ PIDTAG_IPM_TASK_ENTRY_ID, prop_ipm_task,
	  FOLDER_PROP_DEFAULT },
	{ PIDTAG_IPM_DRAFTS_ENTRY_ID, prop_ipm_drafts,
	  FOLDER_PROP_DEFAULT },
	{ PIDTAG_ADDITIONAL_REN_ENTRY_IDS, prop_additional_ren,
	  FOLDER_PROP_DEFAULT },
	{ PIDTAG_FREE_BUSY_ENTRY_IDS, prop_freebusy_entryids,
	  FOLDER_PROP_DEFAULT },
};

/* What only the server knows, of which it knows nothing: there are no tables among
   the properties, public folders. */
static const uint32_t folder_computed[] = {
	PIDTAG_CONTAINER_HIERARCHY, PIDTAG_CONTAINER_CONTENTS,
	PIDTAG_FOLDER_ASSOCIATED_CONTENTS, PIDTAG_ADDRESS_BOOK_ENTRY_ID,
	PIDTAG_SEARCH_KEY, PIDTAG_LAST_MODIFIER_NAME,
	PIDTAG_INST_ID, PIDTAG_INSTANCE_NUM, PIDTAG_INSTANCE_KEY,
	PIDTAG_ROW_TYPE, PIDTAG_DEPTH,
};

/* With the tag itself, or else with its id: the type is the caller's to
   convert. */
static const struct folder_prop *folder_prop_find(uint32_t tag)
{
	const struct folder_prop *prop = NULL;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(folder_props); i++) {
		if (folder_props[i].tag == tag)
			return &folder_props[i];
		if (MAPI_TAG_ID(folder_props[i].tag) == MAPI_TAG_ID(tag) &&
		    prop == NULL)
			prop = &folder_props[i];
	}
	return prop;
}

enum mapi_prop_class mapi_folder_prop_class(uint32_t tag)
{
	const struct folder_prop *prop = folder_prop_find(tag);
	unsigned int i;

	if (prop != NULL) {
		return (prop->flags & FOLDER_PROP_DEFAULT) != 0 ?
			MAPI_PROP_DEFAULTED : MAPI_PROP_COMPUTED;
	}
	for (i = 0; i < N_ELEMENTS(folder_computed); i++) {
		if (MAPI_TAG_ID(folder_computed[i]) == MAPI_TAG_ID(tag))
			return MAPI_PROP_COMPUTED;
	}
	return MAPI_PROP_PLAIN;
}

static struct mapi_value
folder_prop_get(struct folder_props *props, uint32_t tag, size_t max_size)
{
	const struct folder_prop *prop = folder_prop_find(tag);
	enum mapi_stored_state state = MAPI_STORED_NONE;
	struct mapi_value value, copy;
	enum mapi_error error;

	if (prop == NULL || (prop->flags & FOLDER_PROP_DEFAULT) != 0) {
		error = mapi_stored_get(props->store,
			mapi_folder_fid_to_number(props->node->fid),
			props->mem, tag, max_size, &state, &value);
		if (error != EC_NONE)
			return mapi_value_error(error);
		if (state == MAPI_STORED_VALUE)
			return value;
	}
	if (prop == NULL || state == MAPI_STORED_DELETED)
		return not_found();
	value = prop->func(props);
	/* strings and GUIDs belong to the tree or the store, and the tree may be
	   refreshed */
	return mapi_value_copy(props->mem, &copy, &value) ? copy :
		mapi_value_error(EC_NOT_ENOUGH_MEMORY);
}

enum mapi_error
mapi_folder_node_get_props(struct mapi_store *store,
			   struct mapi_folder_node *node, TALLOC_CTX *mem,
			   const uint32_t *tags, unsigned int count,
			   size_t max_size, struct mapi_value *values_r)
{
	struct folder_props props = {
		.store = store, .node = node, .mem = mem,
		.status = { .store = store, .node = node },
	};
	unsigned int i;

	for (i = 0; i < count; i++) T_BEGIN {
		values_r[i] = folder_prop_get(&props, tags[i], max_size);
	} T_END;
	return EC_NONE;
}

/* Whether a property is in the list that isn't on every folder */
static bool
folder_prop_exists(struct folder_props *props, const struct folder_prop *prop)
{
	enum mapi_stored_state state = MAPI_STORED_NONE;
	struct mapi_value value;
	enum mapi_error error = EC_NONE;

	if ((prop->flags & FOLDER_PROP_UNLISTED) != 0)
		return FALSE;
	if ((prop->flags & FOLDER_PROP_DEFAULT) != 0) {
		error = mapi_stored_get(props->store,
			mapi_folder_fid_to_number(props->node->fid),
			props->mem, prop->tag, 0, &state, &value);
	} else if (prop->tag != PIDTAG_CONTAINER_CLASS &&
		   prop->tag != PIDTAG_DELETED_ON &&
		   prop->tag != PIDTAG_MESSAGE_SIZE &&
		   prop->tag != PIDTAG_MESSAGE_SIZE_EXTENDED) {
		return TRUE;
	}
	return error == EC_NONE && state == MAPI_STORED_NONE &&
		prop->func(props).type != PTYP_ERROR_CODE;
}

enum mapi_error
mapi_folder_node_list_props(struct mapi_store *store,
			    struct mapi_folder_node *node, TALLOC_CTX *mem,
			    const uint32_t **tags_r, unsigned int *count_r)
{
	struct folder_props props = {
		.store = store, .node = node, .mem = mem,
		.status = { .store = store, .node = node },
	};
	unsigned int i, count;
	enum mapi_error error;
	uint32_t *tags;

	error = mapi_stored_list(store, mapi_folder_fid_to_number(node->fid),
				 mem, N_ELEMENTS(folder_props), &tags, &count);
	if (error != EC_NONE)
		return error;
	for (i = 0; i < N_ELEMENTS(folder_props); i++) T_BEGIN {
		if (folder_prop_exists(&props, &folder_props[i]))
			tags[count++] = folder_props[i].tag;
	} T_END;
	*tags_r = tags;
	*count_r = count;
	return EC_NONE;
}
