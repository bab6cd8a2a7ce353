/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "module-dir.h"
#include "mail-user.h"
#include "mail-namespace.h"
#include "mail-storage-service.h"
#include "quota-private.h"
#include "mapi-store-quota.h"

/* One row per function of the plugin that is used: it's there only if an
   administrator loads it, so its functions are found by their names. */
#define QUOTA_FUNCTIONS(X) \
	X(quota_root_iter_init_user) \
	X(quota_root_iter_next) \
	X(quota_root_iter_deinit) \
	X(quota_root_is_namespace_visible) \
	X(quota_get_resource)

struct quota_functions {
#define X(name) typeof(name) *name;
	QUOTA_FUNCTIONS(X)
#undef X
};

static bool quota_functions_find(struct quota_functions *func_r)
{
	struct module *module =
		module_dir_find(mail_storage_service_modules, "quota");

	if (module == NULL)
		return FALSE;
#define X(name) \
	func_r->name = (typeof(name) *) \
		module_get_symbol_quiet(module, #name); \
	if (func_r->name == NULL) \
		return FALSE;
	QUOTA_FUNCTIONS(X)
#undef X
	return TRUE;
}

/* Percentages have become bytes when the limit was read. */
static uint64_t quota_root_get_warning(struct quota_root *root, uint64_t limit)
{
	const struct quota_warning_rule *warning;
	uint64_t kilobytes;

	if (!array_is_created(&root->set->warning_rules))
		return limit;
	array_foreach(&root->set->warning_rules, warning) {
		if (warning->reverse || warning->rule.bytes_limit <= 0)
			continue;
		kilobytes = (uint64_t)warning->rule.bytes_limit / 1024;
		limit = I_MIN(limit, kilobytes);
	}
	return limit;
}

static int
quota_root_get(const struct quota_functions *func, struct mail_user *user,
	       struct quota_root *root, uint64_t *limit_r)
{
	const char *error;
	uint64_t value;

	switch (func->quota_get_resource(root, "INBOX",
					 QUOTA_NAME_STORAGE_KILOBYTES, &value,
					 limit_r, &error)) {
	case QUOTA_GET_RESULT_LIMITED:
		return 1;
	case QUOTA_GET_RESULT_UNLIMITED:
	case QUOTA_GET_RESULT_UNKNOWN_RESOURCE:
		return 0;
	case QUOTA_GET_RESULT_BACKGROUND_CALC:
		return -1;
	case QUOTA_GET_RESULT_INTERNAL_ERROR:
		break;
	}
	e_error(user->event, "Can't read the quota limit of %s: %s",
		root->set->name, error);
	return -1;
}

int mapi_store_quota_get(struct mail_user *user,
			 struct mapi_store_quota *quota_r)
{
	struct mail_namespace *ns = mail_namespace_find_inbox(user->namespaces);
	struct quota_functions func;
	struct quota_root_iter *iter;
	struct quota_root *root;
	uint64_t limit;
	int ret, found = 0;

	i_zero(quota_r);
	if (!quota_functions_find(&func))
		return 0;
	iter = func.quota_root_iter_init_user(user);
	while ((root = func.quota_root_iter_next(iter)) != NULL) {
		if (root->no_enforcing || root->hidden ||
		    !func.quota_root_is_namespace_visible(root, ns))
			continue;
		ret = quota_root_get(&func, user, root, &limit);
		if (ret < 0) {
			found = -1;
			break;
		}
		if (ret == 0 || (found > 0 && limit >= quota_r->limit))
			continue;
		found = 1;
		quota_r->limit = limit;
		quota_r->warning = quota_root_get_warning(root, limit);
	}
	func.quota_root_iter_deinit(&iter);
	return found;
}
