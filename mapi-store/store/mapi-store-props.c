/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "store-compat.h"
#include "mapi-enums.h"
#include "mapi-props.h"
#include "mapi-entryid.h"
#include "mapi-stream.h"
#include "mapi-store-private.h"
#include "mapi-store-quota.h"

/* The logon object: properties of the mailbox as a whole, [MS-OXCSTOR] 2.2.2.
   One row per property in logon_props[]. Pointers to special folders that the
   client's own provider makes from the folder ids of the logon (subtree,
   wastebasket, ...) are answered as well: they cost nothing. */

struct logon_props {
	struct mapi_store *store;
	struct mapi_logon *logon;
	TALLOC_CTX *mem;

	bool have_size;
	uint64_t size;
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
	/* the owner is the only one who can log on */
	return mapi_value_str(logon_owner_name(props));
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
	return mapi_value_i32(MAPI_ACCESS_MODIFY | MAPI_ACCESS_READ |
			      MAPI_ACCESS_CREATE_HIERARCHY |
			      MAPI_ACCESS_CREATE_CONTENTS |
			      MAPI_ACCESS_CREATE_ASSOCIATED);
}

static struct mapi_value prop_access_level(struct logon_props *props)
{
	return mapi_value_i32(1); /* Modify */
}

static struct mapi_value prop_rights(struct logon_props *props)
{
	return mapi_value_i32(0x7fb); /* as in mapi-folder-props.c */
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

/* Sum over the user's mailboxes. */
static uint64_t logon_get_size(struct logon_props *props)
{
	static const uint32_t tags[] = { PIDTAG_MESSAGE_SIZE_EXTENDED };
	struct mapi_folder_node *node;
	struct mapi_value value;
	unsigned int iter = 0;

	if (props->have_size)
		return props->size;
	props->have_size = TRUE;
	while ((node = mapi_folder_tree_next(props->store, &iter)) != NULL) {
		if (mapi_folder_node_get_props(props->store, node, props->mem,
					       tags, 1, &value) == EC_NONE &&
		    value.type == PTYP_INTEGER64)
			props->size += value.u.i64;
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
static const struct {
	uint32_t tag;
	logon_prop_func_t *func;
	/* answered, but not in the list of properties */
	bool unlisted;
} logon_props[] = {
	{ PIDTAG_ENTRY_ID, prop_store_entryid },
	{ PIDTAG_STORE_ENTRY_ID, prop_store_entryid },
	{ PIDTAG_RECORD_KEY, prop_record_key },
	{ PIDTAG_STORE_RECORD_KEY, prop_record_key },
	{ PIDTAG_MAPPING_SIGNATURE, prop_mapping_signature },
	{ PIDTAG_OBJECT_TYPE, prop_object_type },
	{ PIDTAG_DISPLAY_NAME, prop_owner_name },
	{ PIDTAG_EMAIL_ADDRESS, prop_owner_dn },
	{ PIDTAG_MAILBOX_OWNER_NAME, prop_owner_name },
	{ PIDTAG_MAILBOX_OWNER_ENTRY_ID, prop_owner_entryid },
	{ PIDTAG_USER_NAME, prop_user_name },
	{ PIDTAG_USER_ENTRY_ID, prop_owner_entryid },

	{ PIDTAG_ACCESS, prop_access },
	{ PIDTAG_ACCESS_LEVEL, prop_access_level },
	{ PIDTAG_RIGHTS, prop_rights },
	{ PIDTAG_MAXIMUM_SUBMIT_MESSAGE_SIZE, prop_max_submit_size },
	{ PIDTAG_EXTENDED_RULE_SIZE_LIMIT, prop_rule_size_limit },
	{ PIDTAG_PROHIBIT_SEND_QUOTA, prop_quota },
	{ PIDTAG_PROHIBIT_RECEIVE_QUOTA, prop_quota },
	{ PIDTAG_STORAGE_QUOTA_LIMIT, prop_quota_warning },
	{ PIDTAG_MESSAGE_SIZE, prop_message_size },
	{ PIDTAG_MESSAGE_SIZE_EXTENDED, prop_message_size_ext },
	{ PIDTAG_DELETED_COUNT_TOTAL, prop_zero },
	{ PIDTAG_STORE_STATE, prop_zero },
	{ PIDTAG_OUT_OF_OFFICE_STATE, prop_false },

	{ PIDTAG_CODE_PAGE_ID, prop_code_page },
	{ PIDTAG_LOCALE_ID, prop_locale },
	{ PIDTAG_SORT_LOCALE_ID, prop_sort_locale },
	{ PIDTAG_TEST_LINE_SPEED, prop_test_line_speed, TRUE },

	{ PIDTAG_IPM_SUBTREE_ENTRY_ID, prop_subtree_entryid },
	{ PIDTAG_IPM_OUTBOX_ENTRY_ID, prop_outbox_entryid },
	{ PIDTAG_IPM_WASTEBASKET_ENTRY_ID, prop_wastebasket_entryid },
	{ PIDTAG_IPM_SENTMAIL_ENTRY_ID, prop_sentmail_entryid },
	{ PIDTAG_VIEWS_ENTRY_ID, prop_views_entryid },
	{ PIDTAG_COMMON_VIEWS_ENTRY_ID, prop_common_views_entryid },
	{ PIDTAG_FINDER_ENTRY_ID, prop_finder_entryid },
	{ PIDTAG_SCHEDULE_FOLDER_ENTRY_ID, prop_schedule_entryid },
};

static logon_prop_func_t *logon_prop_find(uint32_t tag)
{
	logon_prop_func_t *func = NULL;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(logon_props); i++) {
		if (logon_props[i].tag == tag)
			return logon_props[i].func;
		if (MAPI_TAG_ID(logon_props[i].tag) == MAPI_TAG_ID(tag) &&
		    func == NULL)
			func = logon_props[i].func;
	}
	return func;
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
	struct mapi_value value;
	unsigned int i;

	for (i = 0; i < count; i++) T_BEGIN {
		logon_prop_func_t *func = logon_prop_find(tags[i]);

		if (func == NULL)
			values_r[i] = not_found();
		else {
			value = func(&props);
			if (!mapi_value_copy(mem, &values_r[i], &value)) {
				values_r[i] =
					mapi_value_error(EC_NOT_ENOUGH_MEMORY);
			}
		}
	} T_END;
	return EC_NONE;
}

static enum mapi_error
mapi_logon_list_props(struct mapi_object *obj, TALLOC_CTX *mem,
		      const uint32_t **tags_r, unsigned int *count_r)
{
	struct logon_props props = {
		.store = obj->store, .logon = (struct mapi_logon *)obj,
		.mem = mem,
	};
	unsigned int i, count = 0;
	uint32_t *tags;
	bool exists;

	tags = talloc_array(mem, uint32_t, N_ELEMENTS(logon_props));
	for (i = 0; i < N_ELEMENTS(logon_props); i++) {
		if (logon_props[i].unlisted)
			continue;
		exists = TRUE;
		if (logon_props[i].func == prop_quota ||
		    logon_props[i].func == prop_quota_warning) T_BEGIN {
			exists = prop_quota(&props).type != PTYP_ERROR_CODE;
		} T_END;
		if (exists)
			tags[count++] = logon_props[i].tag;
	}
	*tags_r = tags;
	*count_r = count;
	return EC_NONE;
}

enum mapi_error
mapi_object_open_small_stream(struct mapi_object *obj, TALLOC_CTX *parent,
			      uint32_t tag, struct mapi_stream **stream_r)
{
	struct mapi_value value;
	enum mapi_error ret;
	uint8_t *data;

	/* [MS-OXCPRPT] 2.2.14: strings of logons and folders aren't opened as
	   streams by anybody */
	if (MAPI_TAG_TYPE(tag) != PTYP_BINARY)
		return EC_NOT_SUPPORTED;
	ret = obj->v->get_props(obj, parent, &tag, 1, SIZE_MAX, &value);
	if (ret != EC_NONE)
		return ret;
	if (value.type == PTYP_ERROR_CODE)
		return value.u.error;
	if (value.type != PTYP_BINARY)
		return EC_NOT_FOUND;
	data = talloc_memdup(parent, value.u.bin.data, value.u.bin.len);
	*stream_r = mapi_stream_create_data(parent, obj->store, data,
					    value.u.bin.len);
	return EC_NONE;
}

static enum mapi_error
mapi_logon_open_stream(struct mapi_object *obj, TALLOC_CTX *parent,
		       uint32_t tag, struct mapi_stream **stream_r)
{
	return mapi_object_open_small_stream(obj, parent, tag, stream_r);
}

static const struct mapi_object_vfuncs mapi_logon_vfuncs = {
	.get_props = mapi_logon_get_props,
	.list_props = mapi_logon_list_props,
	.open_stream = mapi_logon_open_stream,
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
	*logon_r = logon;
	return EC_NONE;
}
