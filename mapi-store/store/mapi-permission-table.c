/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Permissions tables, [MS-OXCPERM] 2.2.1: a row for each member of the list as it
   was when the table was opened. */

#include "lib.h"
#include "array.h"
#include "mail-user.h"
#include "mapi-acl.h"
#include "mapi-directory.h"
#include "mapi-entryid.h"
#include "mapi-legacy-dn.h"
#include "mapi-permissions.h"
#include "mapi-props.h"
#include "mapi-store-private.h"
#include "mapi-table-flat.h"
#include "mapi-table-tags.h"

struct permission_row {
	int64_t member_id;
	uint32_t rights;
	/* Empty for the default and the anonymous entry, [MS-OXCPERM] 2.2.4 */
	struct mapi_binary entry_id;
	const char *name;
};

struct permission_source {
	struct mapi_flat_source flat;
	struct permission_row *rows;
	/* what whoever asks for rows is told */
	enum mapi_error error;
};

/* --- who they are --------------------------------------------------------- */

/* The username of a member; NULL if it isn't a user. */
static const char *
permission_username(struct mapi_store *store,
		    const struct mapi_permission *perm)
{
	if (strcmp(perm->id, MAPI_ACL_ID_OWNER) == 0)
		return store->user->username;
	return !str_begins(perm->id, MAPI_ACL_ID_USER) ? NULL :
		perm->id + strlen(MAPI_ACL_ID_USER);
}

/* Names as IMAP clients see them, which is what mapi_permissions_change() reads
   from a distinguished name. */
static const char *permission_imap_name(const struct mapi_permission *perm)
{
	if (str_begins(perm->id, MAPI_ACL_ID_GROUP_OVERRIDE)) {
		return t_strconcat("!$", perm->id +
				   strlen(MAPI_ACL_ID_GROUP_OVERRIDE), NULL);
	}
	if (str_begins(perm->id, MAPI_ACL_ID_GROUP)) {
		return t_strconcat("$", perm->id + strlen(MAPI_ACL_ID_GROUP),
				   NULL);
	}
	return perm->id;
}

static void
permission_row_set_unknown(struct mapi_store *store, TALLOC_CTX *mem,
			   struct permission_row *row, const char *name,
			   enum mapi_addressbook_type type)
{
	char *dn;

	dn = talloc_strdup_append(
		mapi_legacy_dn_prefix(mem, store->set->organization), name);
	row->name = talloc_strdup(mem, name);
	row->entry_id = mapi_addressbook_entry_id_build(mem, type, dn);
}

static void
permission_row_set_user(struct mapi_store *store, TALLOC_CTX *mem,
			struct permission_row *row, const char *username,
			const struct mapi_directory_object *object)
{
	if (object == NULL) {
		permission_row_set_unknown(store, mem, row, username,
					   MAPI_AB_LOCAL_USER);
		return;
	}
	row->name = talloc_strdup(mem, object->name);
	row->entry_id = mapi_addressbook_entry_id_build(mem,
		object->display_type, object->legacy_dn);
}

/* All users are asked for in one round trip. */
static void
permission_rows_identify(struct mapi_store *store,
			 struct permission_source *psrc,
			 const struct mapi_permissions *perms)
{
	struct mapi_directory *dir = store->set->directory;
	struct mapi_directory_question *questions;
	const char *username;
	unsigned int i, count = 0;

	questions = t_new(struct mapi_directory_question, perms->count + 1);
	for (i = 0; i < perms->count; i++) {
		username = permission_username(store, &perms->members[i]);
		if (username == NULL)
			continue;
		questions[count].key = MAPI_DIRECTORY_USERNAME;
		questions[count++].value = username;
	}
	if (dir != NULL && count > 0)
		dir->lookup(dir, questions, count);
	for (i = count = 0; i < perms->count; i++) {
		struct permission_row *row = &psrc->rows[i];
		const struct mapi_permission *perm = &perms->members[i];

		username = permission_username(store, perm);
		if (username != NULL) {
			permission_row_set_user(store, psrc, row, username,
						questions[count++].object);
		} else if (perm->member_id == MAPI_MEMBER_ANONYMOUS)
			row->name = "Anonymous";
		else if (perm->member_id == MAPI_MEMBER_DEFAULT)
			row->name = "";
		else {
			permission_row_set_unknown(store, psrc, row,
						   permission_imap_name(perm),
						   MAPI_AB_DISTLIST);
		}
	}
}

/* --- the source ----------------------------------------------------------- */

static enum mapi_error
permission_sync(struct mapi_table_source *src, TALLOC_CTX *mem,
		struct mapi_table_changes *changes_r)
{
	return ((struct permission_source *)src)->error;
}

static enum mapi_error
permission_get(struct mapi_table_source *src,
	       struct mapi_table_program *program, TALLOC_CTX *mem,
	       size_t max_size, struct mapi_value *values_r)
{
	struct permission_source *psrc = (struct permission_source *)src;
	const struct permission_row *row = &psrc->rows[psrc->flat.selected];
	unsigned int i;

	for (i = 0; i < program->count; i++) {
		switch (MAPI_TAG_ID(program->tags[i])) {
		case MAPI_TAG_ID(PIDTAG_ENTRY_ID):
			values_r[i] = mapi_value_bin(
				talloc_memdup(mem, row->entry_id.data,
					      row->entry_id.len),
				row->entry_id.len);
			break;
		case MAPI_TAG_ID(PIDTAG_MEMBER_ID):
			values_r[i] = mapi_value_i64(row->member_id);
			break;
		case MAPI_TAG_ID(PIDTAG_MEMBER_NAME):
			values_r[i] = mapi_value_str(
				talloc_strdup(mem, row->name));
			break;
		case MAPI_TAG_ID(PIDTAG_MEMBER_RIGHTS):
			values_r[i] = mapi_value_i32(row->rights);
			break;
		default:
			values_r[i] = mapi_value_error(EC_NOT_FOUND);
			break;
		}
	}
	return EC_NONE;
}

static const uint32_t *permission_all_columns(unsigned int *count_r)
{
	static const uint32_t columns[] = {
		PIDTAG_ENTRY_ID,
		PIDTAG_MEMBER_ID,
		PIDTAG_MEMBER_NAME,
		PIDTAG_MEMBER_RIGHTS,
	};

	*count_r = N_ELEMENTS(columns);
	return columns;
}

static const struct mapi_table_source_vfuncs permission_vfuncs = {
	.sync = permission_sync,
	.count = mapi_flat_count,
	.exists = mapi_flat_exists,
	.list = mapi_flat_list,
	.compile = mapi_table_tags_compile,
	.begin = mapi_table_tags_begin,
	.end = mapi_flat_end,
	.select = mapi_flat_select,
	.get = permission_get,
	.inst_id = mapi_flat_inst_id,
	.inst_id_to_row = mapi_flat_inst_id_to_row,
	.is_unread = mapi_flat_is_unread,
	.depth = mapi_flat_depth,
	.all_columns = permission_all_columns,
};

enum mapi_error
mapi_permission_table_open(TALLOC_CTX *parent, struct mapi_folder *folder,
			   uint8_t flags, struct mapi_table **table_r)
{
	struct mapi_permissions perms;
	struct permission_source *psrc;
	enum mapi_error error;
	uint32_t mask = MAPI_RIGHTS_MEMBER_ALL;
	unsigned int i;

	psrc = talloc_zero(parent, struct permission_source);
	psrc->flat.src.v = &permission_vfuncs;
	error = mapi_permissions_get(folder, psrc, &perms);
	if (error != EC_NONE && error != EC_ACCESS_DENIED) {
		talloc_free(psrc);
		return error;
	}
	psrc->error = error;
	if ((flags & PERMISSIONS_TABLE_INCLUDE_FREE_BUSY) == 0)
		mask = MAPI_RIGHTS_ALL;
	psrc->flat.count = perms.count;
	psrc->rows = talloc_zero_array(psrc, struct permission_row,
				       perms.count);
	for (i = 0; i < perms.count; i++) {
		psrc->rows[i].member_id = perms.members[i].member_id;
		psrc->rows[i].rights = perms.members[i].rights & mask;
	}
	T_BEGIN {
		permission_rows_identify(folder->obj.store, psrc, &perms);
	} T_END;
	*table_r = mapi_table_create(parent, folder->obj.store,
				     MAPI_TABLE_PERMISSIONS, &psrc->flat.src);
	return EC_NONE;
}
