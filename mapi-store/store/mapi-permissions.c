/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Permissions lists.

   That of a mailbox of the user's is its ACL, so that IMAP clients and
   administrators see and set the same. What an ACL can't say (mapi-rights.h) is
   noted beside it in the allocation log, for each member together with the ACL
   that was set with it: the note holds for as long as the member's ACL is that
   one. So whatever is changed over IMAP counts.

   The default entry is "authenticated", and where there's none "anyone", as
   Dovecot understands it; the anonymous one is "anyone". When the latter is
   changed, the former is written first, so that nobody gets more than he was
   given.

   Folders that IMAP clients don't see have no ACL of their own: their list is the
   note. It says who else may see them and read what is in them, as the free/busy
   messages of somebody whose delegate one is.

   A note has a line "<rights> <acl> <id>" for each member, numbers in hex. What it
   says of mailboxes beyond their ACL are rights to messages that the member has
   created; mapi-folder-rights.h says how they're enforced. */

#include "lib.h"
#include "array.h"
#include "md5.h"
#include "str.h"
#include "unichar.h"
#include "mail-user.h"
#include "mapi-acl.h"
#include "mapi-entryid.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-permissions.h"
#include "mapi-store-directory.h"
#include "mapi-store-private.h"

/* More are refused: a list is kept in memory and in one message. */
#define MEMBERS_MAX 1000
/* ACL_ID_MAX_LEN of the plugin, less the longest prefix */
#define NAME_MAX_SIZE 1000

struct member {
	const char *id;
	/* what the ACL gives (of mailboxes), and what the list shows */
	uint32_t acl, rights;
	/* as they were before they were changed */
	uint32_t old_rights;
	/* it was there; in the mailbox's own ACL; in the namespace's default */
	bool listed, own, in_default;
	bool fixed, removed, touched;
	/* the ACL's entry is to be removed */
	bool acl_removed;
};
ARRAY_DEFINE_TYPE(member, struct member);

struct permissions {
	struct mapi_store *store;
	uint32_t number;
	/* NULL if the list is in the note only */
	const char *path;
	ARRAY_TYPE(member) members;
};

/* --- notes ---------------------------------------------------------------- */

/* The next line of a note. Returns FALSE at the end. */
static bool
note_next(const char **note, uint32_t *rights_r, uint32_t *acl_r,
	  const char **id_r)
{
	const char *line, *const *fields;

	while (**note != '\0') {
		line = t_strcut(*note, '\n');
		*note += strlen(line);
		if (**note == '\n')
			*note += 1;
		fields = t_strsplit(line, " ");
		if (str_array_length(fields) >= 3 &&
		    str_to_uint32_hex(fields[0], rights_r) == 0 &&
		    str_to_uint32_hex(fields[1], acl_r) == 0) {
			*id_r = line + strlen(fields[0]) + 1 +
				strlen(fields[1]) + 1;
			return TRUE;
		}
	}
	return FALSE;
}

static const char *note_get(struct mapi_store *store, uint32_t number)
{
	const struct mapi_idlog_rec *rec;

	rec = mapi_idlog_find(store->log, MAPI_LOG_PERMISSIONS,
			      t_strdup_printf("%u", number));
	return rec == NULL ? "" : rec->value;
}

const char *mapi_permissions_note(struct mapi_store *store, uint32_t number)
{
	return t_strdup(note_get(store, number));
}

static enum mapi_error note_write(struct permissions *perms)
{
	const struct member *member;
	string_t *note = t_str_new(256);

	array_foreach(&perms->members, member) {
		if (member->removed || member->fixed)
			continue;
		if (perms->path != NULL &&
		    member->rights == mapi_rights_from_acl(member->acl))
			continue;
		str_printfa(note, "%x %x %s\n", member->rights, member->acl,
			    member->id);
	}
	if (strcmp(str_c(note), note_get(perms->store, perms->number)) == 0)
		return EC_NONE;
	return mapi_idlog_write_one(perms->store->log, MAPI_IDLOG_NOTE,
		MAPI_LOG_PERMISSIONS, t_strdup_printf("%u", perms->number),
		str_c(note), NULL, "permissions of folder %u", perms->number);
}

const char *
mapi_permissions_moved_note(struct mapi_store *store, uint32_t number,
			    struct mapi_store *dest_store)
{
	const char *id, *note = note_get(store, number);
	string_t *str = t_str_new(256);
	uint32_t rights, acl;

	while (note_next(&note, &rights, &acl, &id)) {
		if (mapi_acl_id_is_moved(dest_store->acl, id))
			str_printfa(str, "%x %x %s\n", rights, acl, id);
	}
	return str_c(str);
}

/* --- reading -------------------------------------------------------------- */

static struct member *member_find(struct permissions *perms, const char *id)
{
	struct member *member;

	array_foreach_modifiable(&perms->members, member) {
		if (strcmp(member->id, id) == 0)
			return member;
	}
	return NULL;
}

static struct member *member_add(struct permissions *perms, const char *id)
{
	struct member *member = array_append_space(&perms->members);

	member->id = id;
	return member;
}

static enum mapi_error permissions_read_acl(struct permissions *perms)
{
	ARRAY_TYPE(mapi_acl_entry) entries;
	const struct mapi_acl_entry *entry;
	struct member *member;
	enum mapi_error ret;

	t_array_init(&entries, 16);
	ret = mapi_acl_list(perms->store->acl, perms->path, &entries);
	if (ret != EC_NONE)
		return ret;
	array_foreach(&entries, entry) {
		member = member_find(perms, entry->id);
		if (member == NULL)
			member = member_add(perms, entry->id);
		member->acl = entry->rights;
		member->rights = mapi_rights_from_acl(entry->rights);
		member->fixed = entry->global;
		member->own = entry->own;
		member->in_default = entry->in_default;
		member->listed = TRUE;
	}
	return EC_NONE;
}

static void permissions_read_note(struct permissions *perms)
{
	struct member *member;
	const char *note, *id;
	uint32_t rights, acl;

	note = note_get(perms->store, perms->number);
	while (note_next(&note, &rights, &acl, &id)) {
		member = member_find(perms, id);
		if (perms->path == NULL) {
			if (member == NULL)
				member = member_add(perms, id);
			member->listed = TRUE;
		} else if (member == NULL || member->fixed ||
			   member->acl != acl) {
			/* changed over IMAP since, or the administrator's
			   now */
			continue;
		}
		member->rights = rights;
	}
}

static enum mapi_error permissions_read(struct permissions *perms)
{
	struct member *member, *anyone, *authenticated;
	enum mapi_error ret = EC_NONE;

	t_array_init(&perms->members, 16);
	authenticated = member_add(perms, MAPI_ACL_ID_AUTHENTICATED);
	(void)member_add(perms, MAPI_ACL_ID_ANYONE);
	if (perms->store->acl == NULL)
		return EC_NONE;
	if (perms->path != NULL)
		ret = permissions_read_acl(perms);
	if (ret != EC_NONE)
		return ret;
	permissions_read_note(perms);

	authenticated = array_idx_modifiable(&perms->members, 0);
	anyone = array_idx_modifiable(&perms->members, 1);
	if (!authenticated->listed && anyone->listed)
		authenticated->rights = anyone->rights;
	array_foreach_modifiable(&perms->members, member)
		member->old_rights = member->rights;
	return EC_NONE;
}

/* rights: the user must have one of these. */
static enum mapi_error
permissions_init(struct permissions *perms, struct mapi_folder *folder,
		 uint32_t rights)
{
	const struct mapi_folder_node *node;
	enum mapi_error ret;

	i_zero(perms);
	ret = mapi_folder_tree_refresh(folder->obj.store);
	if (ret != EC_NONE)
		return ret;
	node = mapi_folder_node(folder);
	if (node == NULL)
		return EC_OBJECT_DELETED;
	if ((mapi_folder_rights(folder->obj.store, node) & rights) == 0)
		return EC_ACCESS_DENIED;
	perms->store = folder->obj.store;
	perms->number = mapi_folder_fid_to_number(folder->fid);
	perms->path = node->companion || node->search ? NULL :
		t_strdup(node->path);
	return permissions_read(perms);
}

/* Any number that a member keeps and that no other one has. */
static int64_t member_get_id(const struct member *member)
{
	unsigned char digest[MD5_RESULTLEN];
	uint64_t num;

	if (strcmp(member->id, MAPI_ACL_ID_AUTHENTICATED) == 0)
		return MAPI_MEMBER_DEFAULT;
	if (strcmp(member->id, MAPI_ACL_ID_ANYONE) == 0)
		return MAPI_MEMBER_ANONYMOUS;
	md5_get_digest(member->id, strlen(member->id), digest);
	memcpy(&num, digest, sizeof(num));
	num &= INT64_MAX;
	return num == MAPI_MEMBER_DEFAULT ? 1 : num;
}

enum mapi_error
mapi_permissions_get(struct mapi_folder *folder, TALLOC_CTX *mem,
		     struct mapi_permissions *perms_r)
{
	struct permissions perms;
	const struct member *member;
	struct mapi_permission *dest;
	enum mapi_error ret;

	i_zero(perms_r);
	T_BEGIN {
		ret = permissions_init(&perms, folder, RIGHTS_FOLDER_VISIBLE |
				       RIGHTS_FOLDER_OWNER);
		if (ret == EC_NONE) {
			perms_r->members = talloc_zero_array(mem,
				struct mapi_permission,
				array_count(&perms.members));
			array_foreach(&perms.members, member) {
				dest = &perms_r->members[perms_r->count++];
				dest->member_id = member_get_id(member);
				dest->id = talloc_strdup(perms_r->members,
							 member->id);
				dest->rights = member->rights;
				dest->fixed = member->fixed;
			}
		}
	} T_END;
	return ret;
}

/* --- changing ------------------------------------------------------------- */

/* The ACL's id of a user or group with this name in distinguished names: groups
   are written as IMAP clients do. NULL if there can't be one. */
static const char *member_name_to_id(const char *name)
{
	const char *prefix = MAPI_ACL_ID_USER, *p;

	if (str_begins(name, "!$")) {
		prefix = MAPI_ACL_ID_GROUP_OVERRIDE;
		name += 2;
	} else if (str_begins(name, "$")) {
		prefix = MAPI_ACL_ID_GROUP;
		name++;
	}
	if (*name == '\0' || strlen(name) > NAME_MAX_SIZE ||
	    !uni_utf8_str_is_valid(name))
		return NULL;
	for (p = name; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return NULL;
	}
	return t_strconcat(prefix, name, NULL);
}

static enum mapi_error
member_entry_id_to_id(struct permissions *perms,
		      const struct mapi_binary *entry_id, const char **id_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_entry_id eid;
	const char *name = NULL;

	switch (mapi_entry_id_parse(mem, entry_id->data, entry_id->len,
				    &eid)) {
	case MAPI_ENTRY_ID_ADDRESSBOOK:
		name = mapi_store_dn_to_username(perms->store->set, mem,
						 eid.u.addressbook.dn);
		break;
	case MAPI_ENTRY_ID_ONE_OFF:
		if (strcasecmp(eid.u.one_off.address_type, "SMTP") == 0) {
			name = mapi_store_address_to_username(perms->store->set,
				mem, eid.u.one_off.email_address);
		}
		break;
	default:
		break;
	}
	*id_r = name == NULL ? NULL : member_name_to_id(name);
	talloc_free(mem);
	return *id_r == NULL ? EC_UNKNOWN_USER : EC_NONE;
}

static struct member *
member_find_number(struct permissions *perms, int64_t member_id)
{
	struct member *member;

	array_foreach_modifiable(&perms->members, member) {
		if (member_get_id(member) == member_id)
			return member;
	}
	return NULL;
}

/* Finds or adds the member: NULL if one that isn't there is to be changed, which
   isn't an error ([MS-OXCPERM] 3.2.5.2). */
static enum mapi_error
change_get_member(struct permissions *perms,
		  const struct mapi_permission_change *change,
		  struct member **member_r)
{
	const char *id;
	enum mapi_error ret;

	if (change->op != MAPI_PERMISSION_ADD || change->entry_id.len == 0) {
		/* every list has the members that have no entry id */
		if (change->op == MAPI_PERMISSION_ADD &&
		    change->member_id != MAPI_MEMBER_DEFAULT &&
		    change->member_id != MAPI_MEMBER_ANONYMOUS)
			return EC_INVALID_PARAM;
		*member_r = member_find_number(perms, change->member_id);
		return EC_NONE;
	}
	ret = member_entry_id_to_id(perms, &change->entry_id, &id);
	if (ret != EC_NONE)
		return ret;
	*member_r = member_find(perms, id);
	if (*member_r == NULL) {
		if (array_count(&perms->members) >= MEMBERS_MAX)
			return EC_TOO_BIG;
		*member_r = member_add(perms, id);
	}
	return EC_NONE;
}

static bool member_is_everybody(const struct member *member)
{
	return strcmp(member->id, MAPI_ACL_ID_AUTHENTICATED) == 0 ||
		strcmp(member->id, MAPI_ACL_ID_ANYONE) == 0;
}

static bool
member_is_owner(const struct permissions *perms, const struct member *member)
{
	return strcmp(member->id, MAPI_ACL_ID_OWNER) == 0 ||
		(str_begins(member->id, MAPI_ACL_ID_USER) &&
		 strcmp(member->id + strlen(MAPI_ACL_ID_USER),
			perms->store->user->username) == 0);
}

static void
member_set_rights(struct permissions *perms, struct member *member,
		  uint32_t rights, bool free_busy)
{
	if (!free_busy) {
		rights &= MAPI_RIGHTS_ALL;
		rights |= (rights & RIGHTS_READ_ANY) != 0 ?
			MAPI_RIGHTS_FREE_BUSY :
			(member->rights & MAPI_RIGHTS_FREE_BUSY);
	}
	/* Owners can't lock themselves out. */
	if (member_is_owner(perms, member))
		rights |= RIGHTS_FOLDER_OWNER | RIGHTS_FOLDER_VISIBLE;
	member->rights = mapi_rights_normalize(rights);
	member->removed = FALSE;
}

static enum mapi_error
change_apply(struct permissions *perms,
	     const struct mapi_permission_change *change, bool free_busy)
{
	struct member *member;
	enum mapi_error ret;

	ret = change_get_member(perms, change, &member);
	if (ret != EC_NONE || member == NULL)
		return ret;
	if (member->fixed)
		return EC_ACCESS_DENIED;
	member->touched = TRUE;
	if (change->op != MAPI_PERMISSION_REMOVE) {
		member_set_rights(perms, member, change->rights, free_busy);
		return EC_NONE;
	}
	/* the list always has these */
	if (member_is_everybody(member))
		member->rights = 0;
	else
		member->removed = TRUE;
	return EC_NONE;
}

static enum mapi_error
changes_apply(struct permissions *perms,
	      const struct mapi_permission_change *changes, unsigned int count,
	      bool replace, bool free_busy)
{
	struct member *member;
	enum mapi_error ret;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (replace && changes[i].op != MAPI_PERMISSION_ADD)
			return EC_INVALID_PARAM;
		ret = change_apply(perms, &changes[i], free_busy);
		if (ret != EC_NONE)
			return ret;
	}
	array_foreach_modifiable(&perms->members, member) {
		if (!replace || member->touched || member->fixed)
			continue;
		if (strcmp(member->id, MAPI_ACL_ID_ANYONE) == 0)
			member->rights = 0;
		else if (!member_is_everybody(member))
			member->removed = TRUE;
	}
	/* what administrators don't allow for IMAP clients either */
	array_foreach_modifiable(&perms->members, member) {
		if (member_is_everybody(member) &&
		    (mapi_rights_to_acl(member->rights) &
		     ~mapi_rights_to_acl(member->old_rights)) != 0 &&
		    !mapi_acl_allows_anyone(perms->store->acl))
			return EC_ACCESS_DENIED;
	}
	return EC_NONE;
}

static bool member_acl_changes(const struct member *member)
{
	return mapi_rights_to_acl(member->rights) !=
		mapi_rights_to_acl(member->old_rights);
}

/* Whether the ACL has to be written, and what it will be. everybody: entries
   for everybody are written, so that the namespace's default doesn't count any
   more. */
static bool
member_update_acl(struct permissions *perms, struct member *member,
		  bool everybody)
{
	bool changed;

	if (perms->path == NULL || member->fixed)
		return FALSE;
	if (member->removed) {
		if (member->in_default) {
			/* without one it would be that */
			member->removed = FALSE;
			member->acl = member->rights = 0;
			return TRUE;
		}
		member->acl_removed = TRUE;
		return member->listed;
	}
	/* Letters that MAPI doesn't know stay unless something is changed. */
	changed = !member->listed || member_acl_changes(member);
	if (changed)
		member->acl = mapi_rights_to_acl(member->rights);
	return changed || (everybody && !member->own);
}

/* The entries for everybody, anyone and authenticated: the former counts for the
   latter as long as there's none. */
static bool
everybody_update_acl(struct permissions *perms, struct member *authenticated,
		     struct member *anyone)
{
	if (perms->path == NULL ||
	    (!member_acl_changes(authenticated) && !member_acl_changes(anyone)))
		return FALSE;
	if (member_acl_changes(anyone))
		anyone->acl = mapi_rights_to_acl(anyone->rights);
	if (member_acl_changes(authenticated) || !authenticated->own) {
		authenticated->acl =
			mapi_rights_to_acl(authenticated->rights);
	}
	/* entries that give nothing where they stand for nothing else */
	anyone->acl_removed = anyone->acl == 0 && !anyone->in_default;
	authenticated->acl_removed = authenticated->acl == 0 &&
		!authenticated->in_default && anyone->acl_removed;
	return TRUE;
}

static enum mapi_error
member_write_acl(const struct permissions *perms, const struct member *member)
{
	const struct mapi_acl *acl = perms->store->acl;

	if (member->fixed)
		return EC_NONE;
	return member->acl_removed ?
		mapi_acl_remove(acl, perms->path, member->id) :
		mapi_acl_set(acl, perms->path, member->id, member->acl);
}

static enum mapi_error permissions_write(struct permissions *perms)
{
	ARRAY(const struct member *) updates;
	const struct member *update;
	struct member *member, *authenticated, *anyone;
	bool everybody;
	enum mapi_error ret;

	authenticated = array_idx_modifiable(&perms->members, 0);
	anyone = array_idx_modifiable(&perms->members, 1);
	everybody = everybody_update_acl(perms, authenticated, anyone);
	t_array_init(&updates, 16);
	array_foreach_modifiable(&perms->members, member) {
		if (!member_is_everybody(member) &&
		    member_update_acl(perms, member, everybody)) {
			update = member;
			array_push_back(&updates, &update);
		}
	}
	if (everybody) {
		/* in this order nobody ever has more than he is given */
		update = authenticated->acl_removed ? anyone : authenticated;
		array_push_back(&updates, &update);
		update = authenticated->acl_removed ? authenticated : anyone;
		array_push_back(&updates, &update);
	}
	/* With the ACLs that the lines are for: they mean nothing yet. */
	ret = note_write(perms);
	array_foreach_elem(&updates, update) {
		if (ret == EC_NONE)
			ret = member_write_acl(perms, update);
	}
	return ret;
}

enum mapi_error
mapi_permissions_change(struct mapi_folder *folder,
			const struct mapi_permission_change *changes,
			unsigned int count, bool replace, bool free_busy)
{
	const struct mapi_folder_node *node;
	struct permissions perms;
	enum mapi_error ret;

	T_BEGIN {
		ret = permissions_init(&perms, folder, RIGHTS_FOLDER_OWNER);
		if (ret == EC_NONE) {
			node = mapi_folder_node(folder);
			if (perms.store->acl == NULL || node->search ||
			    (node->vname == NULL && !node->companion))
				ret = EC_NOT_SUPPORTED;
		}
		if (ret == EC_NONE) {
			ret = changes_apply(&perms, changes, count, replace,
					    free_busy);
		}
		if (ret == EC_NONE)
			ret = permissions_write(&perms);
		if (ret == EC_NONE)
			ret = mapi_folder_tree_refresh(perms.store);
	} T_END;
	return ret;
}

/* --- the user's own rights ------------------------------------------------ */

static uint32_t permissions_get_mine(const struct permissions *perms)
{
	/* the more specific entry holds, and all groups together */
	static const char *const order[] = {
		MAPI_ACL_ID_ANYONE, MAPI_ACL_ID_AUTHENTICATED,
		MAPI_ACL_ID_GROUP, MAPI_ACL_ID_USER,
		MAPI_ACL_ID_GROUP_OVERRIDE,
	};
	const struct member *member;
	uint32_t found = 0;
	unsigned int i, level = 0;

	array_foreach(&perms->members, member) {
		if (!member->listed ||
		    !mapi_acl_id_is_me(perms->store->acl, member->id))
			continue;
		for (i = 0; i < N_ELEMENTS(order); i++) {
			if (str_begins(member->id, order[i]))
				break;
		}
		if (i == N_ELEMENTS(order) || i < level)
			continue;
		found = i > level ? member->rights : found | member->rights;
		level = i;
	}
	return found;
}

uint32_t
mapi_permissions_noted_rights(struct mapi_store *store, uint32_t number,
			      const char *path)
{
	struct permissions perms = {
		.store = store, .number = number, .path = path,
	};
	uint32_t rights = 0;

	T_BEGIN {
		if (*note_get(store, number) != '\0' &&
		    permissions_read(&perms) == EC_NONE)
			rights = permissions_get_mine(&perms);
	} T_END;
	return rights;
}
