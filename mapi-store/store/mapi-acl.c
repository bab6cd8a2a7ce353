/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "module-dir.h"
#include "module-context.h"
#include "mail-storage-service.h"
#include "store-compat.h"
#include "acl-api-private.h"
#include "acl-plugin.h"
#include "mapi-acl.h"
#include "mapi-store-private.h"

/* One row per function of the plugin that is used */
#define ACL_FUNCTIONS(X) \
	X(acl_backend_get_acl_username) \
	X(acl_backend_get_default_object) \
	X(acl_backend_nonowner_lookups_rebuild) \
	X(acl_backend_rights_match_me) \
	X(acl_backend_user_is_owner) \
	X(acl_mailbox_update_acl) \
	X(acl_object_deinit) \
	X(acl_object_get_my_rights) \
	X(acl_object_init_from_name) \
	X(acl_object_init_from_parent) \
	X(acl_object_list_deinit) \
	X(acl_object_list_init) \
	X(acl_object_list_next) \
	X(acl_rights_get_id)

struct acl_functions {
#define X(name) typeof(name) *name;
	ACL_FUNCTIONS(X)
#undef X
	typeof(acl_mailbox_list_module) *list_module;
};

struct mapi_acl {
	struct acl_functions func;
	struct mail_namespace *ns;
	struct acl_mailbox_list *alist;
	struct acl_backend *backend;
	unsigned int suspended;
};

static const struct {
	uint32_t right;
	const char *name;
} acl_names[] = {
	{ MAPI_ACL_LOOKUP, MAIL_ACL_LOOKUP },
	{ MAPI_ACL_READ, MAIL_ACL_READ },
	{ MAPI_ACL_WRITE, MAIL_ACL_WRITE },
	{ MAPI_ACL_WRITE_SEEN, MAIL_ACL_WRITE_SEEN },
	{ MAPI_ACL_WRITE_DELETED, MAIL_ACL_WRITE_DELETED },
	{ MAPI_ACL_INSERT, MAIL_ACL_INSERT },
	{ MAPI_ACL_POST, MAIL_ACL_POST },
	{ MAPI_ACL_EXPUNGE, MAIL_ACL_EXPUNGE },
	{ MAPI_ACL_CREATE, MAIL_ACL_CREATE },
	{ MAPI_ACL_DELETE, MAIL_ACL_DELETE },
	{ MAPI_ACL_ADMIN, MAIL_ACL_ADMIN },
};

static const struct {
	const char *prefix;
	enum acl_id_type type;
	/* the prefix is all of it */
	bool whole;
} acl_ids[] = {
	{ MAPI_ACL_ID_ANYONE, ACL_ID_ANYONE, TRUE },
	{ MAPI_ACL_ID_AUTHENTICATED, ACL_ID_AUTHENTICATED, TRUE },
	{ MAPI_ACL_ID_OWNER, ACL_ID_OWNER, TRUE },
	{ MAPI_ACL_ID_USER, ACL_ID_USER, FALSE },
	{ MAPI_ACL_ID_GROUP, ACL_ID_GROUP, FALSE },
	{ MAPI_ACL_ID_GROUP_OVERRIDE, ACL_ID_GROUP_OVERRIDE, FALSE },
};

/* --- the plugin ----------------------------------------------------------- */

static bool acl_functions_find(struct acl_functions *func_r)
{
	struct module *module =
		module_dir_find(mail_storage_service_modules, "acl");

	if (module == NULL)
		return FALSE;
#define X(name) \
	func_r->name = (typeof(name) *) \
		module_get_symbol_quiet(module, #name); \
	if (func_r->name == NULL) \
		return FALSE;
	ACL_FUNCTIONS(X)
#undef X
	func_r->list_module = module_get_symbol_quiet(module,
						"acl_mailbox_list_module");
	return func_r->list_module != NULL;
}

struct mapi_acl *mapi_acl_init(TALLOC_CTX *parent, struct mail_namespace *ns)
{
	struct acl_functions func;
	struct acl_mailbox_list *alist;
	struct mapi_acl *acl;

	if (!acl_functions_find(&func))
		return NULL;
	alist = MODULE_CONTEXT(ns->list, *func.list_module);
	if (alist == NULL || alist->ignore_acls ||
	    alist->rights.backend == NULL)
		return NULL;
	acl = talloc_zero(parent, struct mapi_acl);
	acl->func = func;
	acl->ns = ns;
	acl->alist = alist;
	acl->backend = alist->rights.backend;
	return acl;
}

bool mapi_acl_user_is_owner(const struct mapi_acl *acl)
{
	return acl->func.acl_backend_user_is_owner(acl->backend);
}

const char *mapi_acl_username(const struct mapi_acl *acl)
{
	return acl->func.acl_backend_get_acl_username(acl->backend);
}

bool mapi_acl_allows_anyone(const struct mapi_acl *acl)
{
	return null_strcmp(mail_user_plugin_getenv(acl->ns->user, "acl_anyone"),
			   "allow") == 0;
}

/* Listing has no flag that leaves nothing but ACLs out of account. */
void mapi_acl_suspend(struct mapi_acl *acl)
{
	if (acl != NULL && acl->suspended++ == 0)
		acl->alist->ignore_acls = TRUE;
}

void mapi_acl_resume(struct mapi_acl *acl)
{
	if (acl == NULL)
		return;
	i_assert(acl->suspended > 0);
	if (--acl->suspended == 0)
		acl->alist->ignore_acls = FALSE;
}

/* --- ids and rights ------------------------------------------------------- */

static bool acl_id_parse(const char *id, struct acl_rights *rights_r)
{
	unsigned int i;
	size_t len;

	i_zero(rights_r);
	for (i = 0; i < N_ELEMENTS(acl_ids); i++) {
		len = strlen(acl_ids[i].prefix);
		if (strncmp(id, acl_ids[i].prefix, len) != 0 ||
		    (id[len] == '\0') != acl_ids[i].whole)
			continue;
		rights_r->id_type = acl_ids[i].type;
		rights_r->identifier = acl_ids[i].whole ? NULL : id + len;
		return TRUE;
	}
	return FALSE;
}

bool mapi_acl_id_is_me(const struct mapi_acl *acl, const char *id)
{
	struct acl_rights rights;

	return acl_id_parse(id, &rights) &&
		acl->func.acl_backend_rights_match_me(acl->backend, &rights);
}

/* Rights that we don't know of are no rights here. */
static uint32_t acl_names_parse(const char *const *names)
{
	uint32_t rights = 0;
	unsigned int i;

	for (; names != NULL && *names != NULL; names++) {
		for (i = 0; i < N_ELEMENTS(acl_names); i++) {
			if (strcmp(acl_names[i].name, *names) == 0)
				rights |= acl_names[i].right;
		}
	}
	return rights;
}

static const char *const *acl_names_get(uint32_t rights)
{
	ARRAY_TYPE(const_string) names;
	unsigned int i;

	t_array_init(&names, N_ELEMENTS(acl_names) + 1);
	for (i = 0; i < N_ELEMENTS(acl_names); i++) {
		if ((rights & acl_names[i].right) != 0)
			array_push_back(&names, &acl_names[i].name);
	}
	array_append_zero(&names);
	return array_front(&names);
}

/* --- ACLs of mailboxes ---------------------------------------------------- */

static struct acl_object *
acl_object_get(const struct mapi_acl *acl, const char *vname)
{
	return acl->func.acl_object_init_from_name(acl->backend,
		mailbox_list_get_storage_name(acl->ns->list, vname));
}

uint32_t mapi_acl_my_rights(const struct mapi_acl *acl, const char *vname)
{
	struct acl_object *aclobj;
	const char *const *names;
	uint32_t rights = 0;

	T_BEGIN {
		aclobj = acl_object_get(acl, vname);
		if (acl->func.acl_object_get_my_rights(aclobj,
				pool_datastack_create(), &names) == 0)
			rights = acl_names_parse(names);
		else {
			e_error(acl->ns->user->event,
				"mapi: Can't read the ACL of mailbox %s",
				vname);
		}
		acl->func.acl_object_deinit(&aclobj);
	} T_END;
	return rights;
}

bool mapi_acl_any_visible(const struct mapi_acl *acl)
{
	struct mailbox_list_iterate_context *iter;
	const struct mailbox_info *info;
	bool found = FALSE;

	i_assert(acl->suspended == 0);
	iter = mailbox_list_iter_init(acl->ns->list, "*",
				      MAILBOX_LIST_ITER_SKIP_ALIASES |
				      MAILBOX_LIST_ITER_NO_AUTO_BOXES);
	while (!found && (info = mailbox_list_iter_next(iter)) != NULL)
		found = (info->flags & MAILBOX_NONEXISTENT) == 0;
	if (mailbox_list_iter_deinit(&iter) < 0)
		(void)mapi_error_from_list(acl->ns->list);
	return found;
}

static struct mapi_acl_entry *
acl_entry_find(ARRAY_TYPE(mapi_acl_entry) *entries, const char *id)
{
	struct mapi_acl_entry *entry;

	array_foreach_modifiable(entries, entry) {
		if (strcmp(entry->id, id) == 0)
			return entry;
	}
	return NULL;
}

static int
acl_object_list(const struct mapi_acl *acl, struct acl_object *aclobj,
		bool is_default, ARRAY_TYPE(mapi_acl_entry) *entries)
{
	struct acl_object_list_iter *iter;
	struct acl_rights rights;
	struct mapi_acl_entry *entry;
	const char *id;

	iter = acl->func.acl_object_list_init(aclobj);
	while (acl->func.acl_object_list_next(iter, &rights)) {
		id = acl->func.acl_rights_get_id(&rights);
		entry = acl_entry_find(entries, id);
		if (entry == NULL) {
			entry = array_append_space(entries);
			entry->id = id;
		}
		if (is_default)
			entry->in_default = TRUE;
		if (is_default && entry->own)
			continue;
		/* global ones come last and replace the others */
		entry->rights = acl_names_parse(rights.rights) &
			~acl_names_parse(rights.neg_rights);
		entry->global = rights.global;
		if (!is_default)
			entry->own = TRUE;
	}
	return acl->func.acl_object_list_deinit(&iter);
}

/* Everybody is in an entry of the mailbox's own. */
static bool acl_has_everybody(ARRAY_TYPE(mapi_acl_entry) *entries)
{
	return acl_entry_find(entries, MAPI_ACL_ID_ANYONE) != NULL ||
		acl_entry_find(entries, MAPI_ACL_ID_AUTHENTICATED) != NULL;
}

enum mapi_error
mapi_acl_list(const struct mapi_acl *acl, const char *vname,
	      ARRAY_TYPE(mapi_acl_entry) *entries)
{
	struct acl_object *aclobj, *defobj;
	int ret;

	aclobj = acl_object_get(acl, vname);
	ret = acl_object_list(acl, aclobj, FALSE, entries);
	defobj = acl->func.acl_backend_get_default_object(acl->backend);
	if (ret >= 0 && strcmp(aclobj->name, defobj->name) != 0 &&
	    !acl_has_everybody(entries))
		ret = acl_object_list(acl, defobj, TRUE, entries);
	acl->func.acl_object_deinit(&aclobj);
	if (ret < 0) {
		e_error(acl->ns->user->event,
			"mapi: Can't read the ACL of mailbox %s", vname);
		return EC_ERROR;
	}
	return EC_NONE;
}

static enum mapi_error
acl_update(const struct mapi_acl *acl, const char *vname,
	   const struct acl_rights_update *update)
{
	struct mailbox_transaction_context *t;
	struct mailbox *box;
	enum mapi_error ret = EC_NONE;
	int result;

	/* The plugin would ask for the right to read. */
	box = mailbox_alloc(acl->ns->list, vname,
			    MAILBOX_FLAG_READONLY | MAILBOX_FLAG_IGNORE_ACLS);
	if (mailbox_open(box) < 0)
		ret = mapi_error_from_mailbox(box);
	else {
		t = mailbox_transaction_begin(box,
			MAILBOX_TRANSACTION_FLAG_EXTERNAL, "MAPI permissions");
		result = acl->func.acl_mailbox_update_acl(t, update);
		if (mailbox_transaction_commit(&t) < 0 || result < 0)
			ret = mapi_error_from_mailbox(box);
	}
	mailbox_free(&box);
	return ret;
}

enum mapi_error
mapi_acl_set(const struct mapi_acl *acl, const char *vname, const char *id,
	     uint32_t rights)
{
	struct acl_rights_update update;

	i_zero(&update);
	if (!acl_id_parse(id, &update.rights))
		return EC_INVALID_PARAM;
	update.modify_mode = ACL_MODIFY_MODE_REPLACE;
	update.rights.rights = acl_names_get(rights);
	/* The plugin doesn't add an entry that gives nothing, but one that
	   takes everything away. */
	update.neg_modify_mode = rights == 0 ? ACL_MODIFY_MODE_REPLACE :
		ACL_MODIFY_MODE_REMOVE;
	update.rights.neg_rights = acl_names_get(MAPI_ACL_ALL);
	return acl_update(acl, vname, &update);
}

enum mapi_error
mapi_acl_remove(const struct mapi_acl *acl, const char *vname, const char *id)
{
	struct acl_rights_update update;

	i_zero(&update);
	if (!acl_id_parse(id, &update.rights))
		return EC_INVALID_PARAM;
	update.modify_mode = ACL_MODIFY_MODE_CLEAR;
	update.neg_modify_mode = ACL_MODIFY_MODE_CLEAR;
	return acl_update(acl, vname, &update);
}

/* --- copying ---------------------------------------------------------------- */

static enum mapi_error
acl_object_copy(const struct mapi_acl *acl, struct acl_object *aclobj,
		const struct mapi_acl *dest_acl, const char *dest_vname,
		bool (*is_copied)(const struct mapi_acl *dest_acl,
				  const char *id))
{
	struct acl_object_list_iter *iter;
	struct acl_rights_update update;
	enum mapi_error ret = EC_NONE;

	i_zero(&update);
	update.modify_mode = ACL_MODIFY_MODE_REPLACE;
	update.neg_modify_mode = ACL_MODIFY_MODE_REPLACE;
	iter = acl->func.acl_object_list_init(aclobj);
	while (ret == EC_NONE &&
	       acl->func.acl_object_list_next(iter, &update.rights)) {
		if (!update.rights.global &&
		    is_copied(dest_acl,
			      acl->func.acl_rights_get_id(&update.rights)))
			ret = acl_update(dest_acl, dest_vname, &update);
	}
	if (acl->func.acl_object_list_deinit(&iter) < 0 && ret == EC_NONE) {
		e_error(acl->ns->user->event, "mapi: Can't read the ACL for "
			"mailbox %s", dest_vname);
		ret = EC_ERROR;
	}
	return ret;
}

static bool
acl_id_is_inherited(const struct mapi_acl *dest_acl ATTR_UNUSED,
		    const char *id ATTR_UNUSED)
{
	return TRUE;
}

enum mapi_error
mapi_acl_inherit(const struct mapi_acl *acl, const char *vname,
		 const char *as_vname)
{
	struct acl_object *parent;
	enum mapi_error ret;

	parent = acl->func.acl_object_init_from_parent(acl->backend,
		mailbox_list_get_storage_name(acl->ns->list, as_vname));
	ret = acl_object_copy(acl, parent, acl, vname, acl_id_is_inherited);
	acl->func.acl_object_deinit(&parent);
	return ret;
}

bool mapi_acl_id_is_moved(const struct mapi_acl *dest_acl, const char *id)
{
	const char *name;

	if (strcmp(id, MAPI_ACL_ID_OWNER) == 0)
		return FALSE;
	if (strcmp(id, MAPI_ACL_ID_ANYONE) == 0 ||
	    strcmp(id, MAPI_ACL_ID_AUTHENTICATED) == 0)
		return mapi_acl_allows_anyone(dest_acl);
	if (!str_begins(id, MAPI_ACL_ID_USER))
		return TRUE;
	name = id + strlen(MAPI_ACL_ID_USER);
	return strcmp(name, dest_acl->ns->user->username) != 0 &&
		strcmp(name, mapi_acl_username(dest_acl)) != 0;
}

enum mapi_error
mapi_acl_copy(const struct mapi_acl *acl, const char *vname,
	      const struct mapi_acl *dest_acl, const char *dest_vname)
{
	struct acl_object *aclobj = acl_object_get(acl, vname);
	enum mapi_error ret;

	ret = acl_object_copy(acl, aclobj, dest_acl, dest_vname,
			      mapi_acl_id_is_moved);
	acl->func.acl_object_deinit(&aclobj);
	return ret;
}

void mapi_acl_renamed(const struct mapi_acl *acl)
{
	(void)acl->func.acl_backend_nonowner_lookups_rebuild(acl->backend);
}
