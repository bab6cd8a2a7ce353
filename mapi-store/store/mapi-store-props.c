/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "store-compat.h"
#include "mapi-enums.h"
#include "mapi-props.h"
#include "mapi-dumpster.h"
#include "mapi-entryid.h"
#include "mapi-folder-rights.h"
#include "mapi-stored-props.h"
#include "mapi-store-quota.h"

/* The logon object: properties of the mailbox as a whole, [MS-OXCSTOR] 2.2.2.
   One row per property in logon_props[]. Pointers to special folders that the
   client's own provider makes from the folder ids of the logon (subtree,
   wastebasket, ...) are answered as well: they cost nothing. Other properties,
   and those that are only defaults, are what clients have set
   (mapi-stored-props.h). */

struct logon_props {
	struct mapi_store *store;
	struct mapi_logon *logon;
	TALLOC_CTX *mem;

	bool have_size, have_count, have_deleted;
	uint64_t size, count;
	struct mapi_dumpster_totals deleted;
};

typedef struct mapi_value logon_prop_func_t(struct logon_props *props);

static struct mapi_value not_found(void)
{
	return mapi_value_error(EC_NOT_FOUND);
}

static struct mapi_value value_from_binary(struct mapi_binary bin)
{
	return bin.len == 0 ? mapi_value_error(EC_NOT_ENOUGH_MEMORY) :
		mapi_value_bin(bin.data, bin.len);
}

struct mapi_value mapi_store_entryid(struct mapi_store *store, TALLOC_CTX *mem)
{
	/* The server's name is what the client knows it by. It doesn't compare
	   it, and DNs are unique. */
	return value_from_binary(
		mapi_store_entry_id_build(mem, "dovecot", store->owner_dn));
}

/* --- identity --------------------------------------------------------------- */

static struct mapi_value prop_store_entryid(struct logon_props *props)
{
	return mapi_store_entryid(props->store, props->mem);
}

static struct mapi_value prop_record_key(struct logon_props *props)
{
	const struct mapi_guid *guid = &props->store->mailbox_guid;

	return mapi_value_bin(guid->bytes, sizeof(guid->bytes));
}

static struct mapi_value prop_mapping_signature(struct logon_props *props)
{
	const struct mapi_guid *guid = &props->store->replica_guid;

	return mapi_value_bin(guid->bytes, sizeof(guid->bytes));
}

static struct mapi_value prop_object_type(struct logon_props *props)
{
	return mapi_value_i32(MAPI_STORE);
}

static const char *logon_owner_name(struct logon_props *props)
{
	const char *name = props->store->set->display_name;

	return name != NULL && *name != '\0' ? name :
		t_strcut(props->store->user->username, '@');
}

static struct mapi_value prop_owner_name(struct logon_props *props)
{
	return mapi_value_str(logon_owner_name(props));
}

static struct mapi_value prop_user_name(struct logon_props *props)
{
	return mapi_value_str(props->logon->user_name);
}

static struct mapi_value prop_user_entryid(struct logon_props *props)
{
	return value_from_binary(mapi_addressbook_entry_id_build(props->mem,
		MAPI_AB_LOCAL_USER, props->logon->user_dn));
}

static struct mapi_value prop_owner_entryid(struct logon_props *props)
{
	return value_from_binary(mapi_addressbook_entry_id_build(props->mem,
		MAPI_AB_LOCAL_USER, props->store->owner_dn));
}

static struct mapi_value prop_owner_dn(struct logon_props *props)
{
	return mapi_value_str(props->store->owner_dn);
}

/* --- access and limits -------------------------------------------------------- */

static struct mapi_value prop_access(struct logon_props *props)
{
	if (mapi_store_is_delegate(props->store))
		return mapi_value_i32(MAPI_ACCESS_READ);
	return mapi_value_i32(MAPI_ACCESS_MODIFY | MAPI_ACCESS_READ |
			      MAPI_ACCESS_CREATE_HIERARCHY |
			      MAPI_ACCESS_CREATE_CONTENTS |
			      MAPI_ACCESS_CREATE_ASSOCIATED);
}

static struct mapi_value prop_access_level(struct logon_props *props)
{
	/* 1: Modify, 0: read only */
	return mapi_value_i32(mapi_store_is_delegate(props->store) ? 0 : 1);
}

static struct mapi_value prop_rights(struct logon_props *props)
{
	return mapi_value_i32(mapi_store_is_delegate(props->store) ? 0 :
			      MAPI_RIGHTS_ALL);
}

static struct mapi_value prop_max_submit_size(struct logon_props *props)
{
	return mapi_value_i32(64 * 1024); /* kilobytes */
}

static struct mapi_value prop_rule_size_limit(struct logon_props *props)
{
	return mapi_value_i32(256 * 1024); /* bytes */
}

/* [MS-OXCSTOR] 2.2.2.1.1.3, 2.2.2.1.1.4: in kilobytes; not set if there's no
   limit */
static struct mapi_value
prop_quota_value(struct logon_props *props, bool warning)
{
	struct mapi_store_quota quota;
	uint64_t kilobytes;
	int ret;

	ret = mapi_store_quota_get(props->store->user, &quota);
	if (ret < 0)
		return mapi_value_error(EC_ERROR);
	if (ret == 0)
		return not_found();
	kilobytes = warning ? quota.warning : quota.limit;
	return mapi_value_i32(I_MIN(kilobytes, INT32_MAX));
}

static struct mapi_value prop_quota(struct logon_props *props)
{
	return prop_quota_value(props, FALSE);
}

static struct mapi_value prop_quota_warning(struct logon_props *props)
{
	return prop_quota_value(props, TRUE);
}

/* Sum of a property over the user's mailboxes: nothing is in search folders. */
static uint64_t logon_get_sum(struct logon_props *props, uint32_t tag)
{
	struct mapi_folder_node *node;
	struct mapi_value value;
	unsigned int iter = 0;
	uint64_t sum = 0;

	while ((node = mapi_folder_tree_next(props->store, &iter)) != NULL) {
		if (node->search ||
		    mapi_folder_node_get_props(props->store, node, props->mem,
					       &tag, 1, SIZE_MAX,
					       &value) != EC_NONE)
			continue;
		if (value.type == PTYP_INTEGER64)
			sum += value.u.i64;
		else if (value.type == PTYP_INTEGER32)
			sum += value.u.i32;
	}
	return sum;
}

static uint64_t logon_get_size(struct logon_props *props)
{
	if (!props->have_size) {
		props->have_size = TRUE;
		props->size = logon_get_sum(props,
					    PIDTAG_MESSAGE_SIZE_EXTENDED);
	}
	return props->size;
}

static struct mapi_value prop_message_size(struct logon_props *props)
{
	return mapi_value_i32(I_MIN(logon_get_size(props), INT32_MAX));
}

static struct mapi_value prop_message_size_ext(struct logon_props *props)
{
	return mapi_value_i64(logon_get_size(props));
}

/* 2.2.2.1.1.6: without FAI messages */
static struct mapi_value prop_content_count(struct logon_props *props)
{
	if (!props->have_count) {
		props->have_count = TRUE;
		props->count = logon_get_sum(props, PIDTAG_CONTENT_COUNT);
	}
	return mapi_value_i32(I_MIN(props->count, INT32_MAX));
}

/* 2.2.2.1.1.5 */
static struct mapi_value prop_store_state(struct logon_props *props)
{
	const struct mapi_folder_node *node;
	unsigned int iter = 0;
	enum mapi_error error;

	error = mapi_folder_tree_refresh(props->store);
	if (error != EC_NONE)
		return mapi_value_error(error);
	while ((node = mapi_folder_tree_next(props->store, &iter)) != NULL) {
		if (node->search)
			return mapi_value_i32(STORE_HAS_SEARCHES);
	}
	return mapi_value_i32(0);
}

/* What has been soft deleted in all folders */
static const struct mapi_dumpster_totals *
logon_get_deleted(struct logon_props *props)
{
	if (!props->have_deleted) {
		props->have_deleted = TRUE;
		mapi_dumpsters_get_totals(props->store, &props->deleted);
	}
	return &props->deleted;
}

static struct mapi_value prop_deleted_count(struct logon_props *props)
{
	return mapi_value_i32(logon_get_deleted(props)->messages[0]);
}

static struct mapi_value prop_deleted_fai_count(struct logon_props *props)
{
	return mapi_value_i32(logon_get_deleted(props)->messages[1]);
}

static struct mapi_value prop_deleted_size(struct logon_props *props)
{
	const uint64_t *size = logon_get_deleted(props)->size;

	return mapi_value_i64(size[0] + size[1]);
}

static struct mapi_value prop_deleted_normal_size(struct logon_props *props)
{
	return mapi_value_i64(logon_get_deleted(props)->size[0]);
}

static struct mapi_value prop_deleted_fai_size(struct logon_props *props)
{
	return mapi_value_i64(logon_get_deleted(props)->size[1]);
}

static struct mapi_value prop_zero(struct logon_props *props)
{
	return mapi_value_i32(0);
}

static struct mapi_value prop_false(struct logon_props *props)
{
	return mapi_value_bool(FALSE);
}

/* --- session ---------------------------------------------------------------- */

static struct mapi_value prop_code_page(struct logon_props *props)
{
	return mapi_value_i32(props->logon->code_page);
}

static struct mapi_value prop_locale(struct logon_props *props)
{
	return mapi_value_i32(props->logon->locale_string);
}

static struct mapi_value prop_sort_locale(struct logon_props *props)
{
	return mapi_value_i32(props->logon->locale_sort);
}

static struct mapi_value prop_test_line_speed(struct logon_props *props)
{
	/* Clients read it for nothing but the round trip. */
	static const uint8_t data[] = { 0 };

	return mapi_value_bin(data, sizeof(data));
}

/* --- special folders ---------------------------------------------------------- */

static struct mapi_value
special_entryid(struct logon_props *props, enum mapi_special_folder special)
{
	mapi_id_t fid = mapi_folder_tree_special(props->store, special);

	return fid == 0 ? not_found() :
		mapi_store_folder_entryid(props->store, props->mem, fid);
}

#define SPECIAL_ENTRYID(name, special) \
static struct mapi_value prop_##name##_entryid(struct logon_props *props) \
{ \
	return special_entryid(props, special); \
}
SPECIAL_ENTRYID(subtree, MAPI_SPECIAL_IPM_SUBTREE)
SPECIAL_ENTRYID(outbox, MAPI_SPECIAL_OUTBOX)
SPECIAL_ENTRYID(wastebasket, MAPI_SPECIAL_DELETED_ITEMS)
SPECIAL_ENTRYID(sentmail, MAPI_SPECIAL_SENT_ITEMS)
SPECIAL_ENTRYID(views, MAPI_SPECIAL_VIEWS)
SPECIAL_ENTRYID(common_views, MAPI_SPECIAL_COMMON_VIEWS)
SPECIAL_ENTRYID(finder, MAPI_SPECIAL_FINDER)
SPECIAL_ENTRYID(schedule, MAPI_SPECIAL_SCHEDULE)

/* --- table ------------------------------------------------------------------ */

/* tags of MAPI's headers that [MS-OXPROPS] doesn't have */
#define PIDTAG_IPM_SENTMAIL_ENTRY_ID 0x35E40102
#define PIDTAG_SCHEDULE_FOLDER_ENTRY_ID 0x661E0102
#define PIDTAG_STORAGE_QUOTA_LIMIT 0x3FF50003
#define PIDTAG_TEST_LINE_SPEED 0x662B0102
#define PIDTAG_USER_NAME 0x661A001F

/* Without PidTagSerializedReplidGuidMap: it would have to agree with
   RopIdFromLongTermId at any time, and clients do without. */
enum logon_prop_flags {
	/* answered, but not in the list of properties */
	LOGON_PROP_UNLISTED = 0x01,
	/* if no client has set it, 2.2.2.1.2 */
	LOGON_PROP_DEFAULT = 0x02,
};

static const struct logon_prop {
	uint32_t tag;
	logon_prop_func_t *func;
	enum logon_prop_flags flags;
} logon_props[] = {
	{ PIDTAG_ENTRY_ID, prop_store_entryid },
	{ PIDTAG_STORE_ENTRY_ID, prop_store_entryid },
	{ PIDTAG_RECORD_KEY, prop_record_key },
	{ PIDTAG_STORE_RECORD_KEY, prop_record_key },
	{ PIDTAG_MAPPING_SIGNATURE, prop_mapping_signature },
	{ PIDTAG_OBJECT_TYPE, prop_object_type },
	{ PIDTAG_DISPLAY_NAME, prop_owner_name, LOGON_PROP_DEFAULT },
	{ PIDTAG_EMAIL_ADDRESS, prop_owner_dn },
	{ PIDTAG_MAILBOX_OWNER_NAME, prop_owner_name },
	{ PIDTAG_MAILBOX_OWNER_ENTRY_ID, prop_owner_entryid },
	{ PIDTAG_USER_NAME, prop_user_name },
	{ PIDTAG_USER_ENTRY_ID, prop_user_entryid },

	{ PIDTAG_ACCESS, prop_access },
	{ PIDTAG_ACCESS_LEVEL, prop_access_level },
	{ PIDTAG_RIGHTS, prop_rights },
	{ PIDTAG_MAXIMUM_SUBMIT_MESSAGE_SIZE, prop_max_submit_size },
	{ PIDTAG_EXTENDED_RULE_SIZE_LIMIT, prop_rule_size_limit },
	{ PIDTAG_PROHIBIT_SEND_QUOTA, prop_quota },
	{ PIDTAG_PROHIBIT_RECEIVE_QUOTA, prop_quota },
	{ PIDTAG_STORAGE_QUOTA_LIMIT, prop_quota_warning },
	{ PIDTAG_CONTENT_COUNT, prop_content_count },
	{ PIDTAG_MESSAGE_SIZE, prop_message_size },
	{ PIDTAG_MESSAGE_SIZE_EXTENDED, prop_message_size_ext },
	{ PIDTAG_DELETED_COUNT_TOTAL, prop_zero },
	{ PIDTAG_DELETED_MESSAGE_COUNT, prop_deleted_count,
	  LOGON_PROP_UNLISTED },
	{ PIDTAG_DELETED_ASSOCIATED_MESSAGE_COUNT, prop_deleted_fai_count,
	  LOGON_PROP_UNLISTED },
	{ PIDTAG_DELETED_MESSAGE_SIZE_EXTENDED, prop_deleted_size,
	  LOGON_PROP_UNLISTED },
	{ PIDTAG_DELETED_NORMAL_MESSAGE_SIZE_EXTENDED,
	  prop_deleted_normal_size, LOGON_PROP_UNLISTED },
	{ PIDTAG_DELETED_ASSOCIATED_MESSAGE_SIZE_EXTENDED,
	  prop_deleted_fai_size, LOGON_PROP_UNLISTED },
	{ PIDTAG_STORE_STATE, prop_store_state },
	{ PIDTAG_OUT_OF_OFFICE_STATE, prop_false, LOGON_PROP_DEFAULT },

	{ PIDTAG_CODE_PAGE_ID, prop_code_page },
	{ PIDTAG_LOCALE_ID, prop_locale, LOGON_PROP_DEFAULT },
	{ PIDTAG_SORT_LOCALE_ID, prop_sort_locale, LOGON_PROP_DEFAULT },
	{ PIDTAG_TEST_LINE_SPEED, prop_test_line_speed, LOGON_PROP_UNLISTED },

	{ PIDTAG_IPM_SUBTREE_ENTRY_ID, prop_subtree_entryid },
	{ PIDTAG_IPM_OUTBOX_ENTRY_ID, prop_outbox_entryid },
	{ PIDTAG_IPM_WASTEBASKET_ENTRY_ID, prop_wastebasket_entryid },
	{ PIDTAG_IPM_SENTMAIL_ENTRY_ID, prop_sentmail_entryid },
	{ PIDTAG_VIEWS_ENTRY_ID, prop_views_entryid },
	{ PIDTAG_COMMON_VIEWS_ENTRY_ID, prop_common_views_entryid },
	{ PIDTAG_FINDER_ENTRY_ID, prop_finder_entryid },
	{ PIDTAG_SCHEDULE_FOLDER_ENTRY_ID, prop_schedule_entryid },
};

static const uint32_t logon_computed[] = {
	PIDTAG_SERIALIZED_REPLID_GUID_MAP, PIDTAG_SEARCH_KEY,
	PIDTAG_LAST_MODIFIER_NAME,
};

static const struct logon_prop *logon_prop_find(uint32_t tag)
{
	const struct logon_prop *prop = NULL;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(logon_props); i++) {
		if (logon_props[i].tag == tag)
			return &logon_props[i];
		if (MAPI_TAG_ID(logon_props[i].tag) == MAPI_TAG_ID(tag) &&
		    prop == NULL)
			prop = &logon_props[i];
	}
	return prop;
}

static enum mapi_prop_class logon_prop_class(uint32_t tag)
{
	const struct logon_prop *prop = logon_prop_find(tag);
	unsigned int i;

	if (prop != NULL) {
		return (prop->flags & LOGON_PROP_DEFAULT) != 0 ?
			MAPI_PROP_DEFAULTED : MAPI_PROP_COMPUTED;
	}
	for (i = 0; i < N_ELEMENTS(logon_computed); i++) {
		if (MAPI_TAG_ID(logon_computed[i]) == MAPI_TAG_ID(tag))
			return MAPI_PROP_COMPUTED;
	}
	return MAPI_PROP_PLAIN;
}

/* --- reading ---------------------------------------------------------------- */

static struct mapi_value
logon_prop_get(struct logon_props *props, uint32_t tag, size_t max_size)
{
	const struct logon_prop *prop = logon_prop_find(tag);
	enum mapi_stored_state state = MAPI_STORED_NONE;
	struct mapi_value value, copy;
	enum mapi_error error;

	if (prop == NULL || (prop->flags & LOGON_PROP_DEFAULT) != 0) {
		error = mapi_stored_get(props->store, MAPI_STORED_STORE,
					props->mem, tag, max_size, &state,
					&value);
		if (error != EC_NONE)
			return mapi_value_error(error);
		if (state == MAPI_STORED_VALUE)
			return value;
	}
	if (prop == NULL || state == MAPI_STORED_DELETED)
		return not_found();
	value = prop->func(props);
	return mapi_value_copy(props->mem, &copy, &value) ? copy :
		mapi_value_error(EC_NOT_ENOUGH_MEMORY);
}

static enum mapi_error
mapi_logon_get_props(struct mapi_object *obj, TALLOC_CTX *mem,
		     const uint32_t *tags, unsigned int count, size_t max_size,
		     struct mapi_value *values_r)
{
	struct logon_props props = {
		.store = obj->store, .logon = (struct mapi_logon *)obj,
		.mem = mem,
	};
	enum mapi_error error;
	unsigned int i;

	error = mapi_stored_refresh(obj->store);
	if (error != EC_NONE)
		return error;
	for (i = 0; i < count; i++) T_BEGIN {
		values_r[i] = logon_prop_get(&props, tags[i], max_size);
	} T_END;
	return EC_NONE;
}

/* Whether it's one that isn't what a client has set */
static bool
logon_prop_exists(struct logon_props *props, const struct logon_prop *prop)
{
	enum mapi_stored_state state;
	struct mapi_value value;

	if ((prop->flags & LOGON_PROP_UNLISTED) != 0)
		return FALSE;
	if ((prop->flags & LOGON_PROP_DEFAULT) != 0) {
		return mapi_stored_get(props->store, MAPI_STORED_STORE,
				       props->mem, prop->tag, 0, &state,
				       &value) == EC_NONE &&
			state == MAPI_STORED_NONE;
	}
	if (prop->func == prop_quota || prop->func == prop_quota_warning)
		return prop->func(props).type != PTYP_ERROR_CODE;
	return TRUE;
}

static enum mapi_error
mapi_logon_list_props(struct mapi_object *obj, TALLOC_CTX *mem,
		      const uint32_t **tags_r, unsigned int *count_r)
{
	struct logon_props props = {
		.store = obj->store, .logon = (struct mapi_logon *)obj,
		.mem = mem,
	};
	unsigned int i, count;
	enum mapi_error error;
	uint32_t *tags;

	error = mapi_stored_refresh(obj->store);
	if (error == EC_NONE) {
		error = mapi_stored_list(obj->store, MAPI_STORED_STORE, mem,
					 N_ELEMENTS(logon_props), &tags,
					 &count);
	}
	if (error != EC_NONE)
		return error;
	for (i = 0; i < N_ELEMENTS(logon_props); i++) T_BEGIN {
		if (logon_prop_exists(&props, &logon_props[i]))
			tags[count++] = logon_props[i].tag;
	} T_END;
	*tags_r = tags;
	*count_r = count;
	return EC_NONE;
}

/* --- writing ---------------------------------------------------------------- */

static enum mapi_error
logon_set_prop(struct mapi_stored_changes *changes,
	       const struct mapi_content_prop *prop)
{
	if (MAPI_TAG_TYPE(prop->tag) != prop->value.type ||
	    !mapi_prop_type_is_storable(prop->value.type))
		return EC_UNEXPECTED_TYPE;
	if (prop->name == NULL &&
	    logon_prop_class(prop->tag) == MAPI_PROP_COMPUTED)
		return EC_COMPUTED;
	return mapi_stored_set(changes, MAPI_STORED_STORE, prop);
}

static enum mapi_error
mapi_logon_set_props(struct mapi_object *obj,
		     const struct mapi_property *props, unsigned int count,
		     enum mapi_error *errors_r)
{
	TALLOC_CTX *mem;
	struct mapi_stored_changes changes;
	struct mapi_content_prop *content_props;
	enum mapi_error error;
	unsigned int i;

	if (mapi_store_is_delegate(obj->store))
		return EC_ACCESS_DENIED;
	mem = talloc_new(NULL);
	error = mapi_stored_props_from_values(obj->store, mem, props, count,
					      &content_props, errors_r);
	if (error == EC_NONE)
		error = mapi_stored_refresh(obj->store);
	if (error == EC_NONE) T_BEGIN {
		mapi_stored_begin(&changes, obj->store);
		for (i = 0; i < count; i++) {
			if (errors_r[i] == EC_NONE) {
				errors_r[i] = logon_set_prop(&changes,
							&content_props[i]);
			}
		}
		error = mapi_stored_commit(&changes);
	} T_END;
	talloc_free(mem);
	return error;
}

static enum mapi_error
logon_delete_prop(struct mapi_stored_changes *changes, uint32_t tag,
		  const struct mapi_property_name *name)
{
	enum mapi_prop_class prop_class;

	if (MAPI_TAG_IS_NAMED(tag)) {
		return name->kind == MAPI_NAME_NONE ? EC_INVALID_PARAM :
			mapi_stored_delete(changes, MAPI_STORED_STORE, tag,
					   name, FALSE);
	}
	prop_class = logon_prop_class(tag);
	return prop_class == MAPI_PROP_COMPUTED ? EC_COMPUTED :
		mapi_stored_delete(changes, MAPI_STORED_STORE, tag, NULL,
				   prop_class == MAPI_PROP_DEFAULTED);
}

static enum mapi_error
mapi_logon_delete_props(struct mapi_object *obj, const uint32_t *tags,
			unsigned int count, enum mapi_error *errors_r)
{
	TALLOC_CTX *mem;
	struct mapi_stored_changes changes;
	struct mapi_property_name *names;
	enum mapi_error error;
	unsigned int i;

	if (mapi_store_is_delegate(obj->store))
		return EC_ACCESS_DENIED;
	mem = talloc_new(NULL);
	error = mapi_store_tags_to_names(obj->store, mem, tags, count, &names);
	if (error == EC_NONE)
		error = mapi_stored_refresh(obj->store);
	if (error == EC_NONE) T_BEGIN {
		mapi_stored_begin(&changes, obj->store);
		for (i = 0; i < count; i++) {
			errors_r[i] = logon_delete_prop(&changes, tags[i],
							&names[i]);
		}
		error = mapi_stored_commit(&changes);
	} T_END;
	talloc_free(mem);
	return error;
}

static const struct mapi_object_vfuncs mapi_logon_vfuncs = {
	.get_props = mapi_logon_get_props,
	.list_props = mapi_logon_list_props,
	.open_stream = mapi_stored_open_stream,
	.set_props = mapi_logon_set_props,
	.delete_props = mapi_logon_delete_props,
};

enum mapi_error
mapi_logon_open(TALLOC_CTX *parent, struct mapi_store *store,
		struct mapi_logon **logon_r)
{
	struct mapi_logon *logon;

	logon = talloc_zero(parent, struct mapi_logon);
	logon->obj.type = MAPI_OBJECT_LOGON;
	logon->obj.store = store;
	logon->obj.v = &mapi_logon_vfuncs;
	T_BEGIN {
		struct logon_props props = { .store = store };

		logon->user_name = talloc_strdup(logon,
						 logon_owner_name(&props));
	} T_END;
	logon->user_dn = store->owner_dn;
	*logon_r = logon;
	return EC_NONE;
}
