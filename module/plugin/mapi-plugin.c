/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "module-context.h"
#include "mail-user.h"
#include "mail-namespace.h"
#include "mail-storage-hooks.h"
#include "mail-storage-private.h"
#include "mailbox-list-private.h"
#include "mailbox-list-notify.h"
#include "mapi-plugin.h"
#include "mapi-plugin-private.h"

/* Hides the companion tree, the mailboxes in which the MAPI server keeps what
   only MAPI knows of, from clients of other protocols: it isn't listed, and it
   can't be opened, created or renamed into by its name, as if it didn't exist;
   neither the user's own nor that of somebody who shares mailboxes.

   Administration, replication, indexing and MAPI itself go on seeing it, even if
   they load the plugin. So does what walks through all mailboxes within a
   client's process, and counts or indexes them: quota, above all; and what
   rebuilds an mdbox, which would take the messages of mailboxes that it doesn't
   see for lost ones, and restore them elsewhere. Those
   iterations are told apart by MAILBOX_LIST_ITER_NO_AUTO_BOXES (only mailboxes
   that exist) and MAILBOX_LIST_ITER_RAW_LIST (whatever the user may do), which no
   IMAP command uses, and a mailbox that such an iteration
   has just returned may be opened until it goes on.

   And it keeps property bags with their messages: mapi-plugin-bags.c.

   The name of the reserved parent is the plugin setting mapi_companion_root,
   with the default of the MAPI server's setting mapi_companion_mailbox. */

#define MAPI_COMPANION_ROOT_DEFAULT "mapi-internal"
#define ERRSTR_RESERVED "Mailbox name is reserved"

#define MAPI_LIST_CONTEXT(obj) \
	MODULE_CONTEXT(obj, mapi_mailbox_list_module)
#define MAPI_LIST_CONTEXT_REQUIRE(obj) \
	MODULE_CONTEXT_REQUIRE(obj, mapi_mailbox_list_module)
#define MAPI_BOX_CONTEXT_REQUIRE(obj) \
	MODULE_CONTEXT_REQUIRE(obj, mapi_storage_module)

struct mapi_mailbox_list {
	union mailbox_list_module_context module_ctx;

	/* others than administration and MAPI itself don't see it */
	bool hides;
	/* vname of the reserved parent */
	const char *root;
	char sep;
	/* what an iteration that sees everything has returned last */
	char *exposed_vname;
	/* what this plugin does itself sees everything */
	unsigned int unhidden;
};

struct mapi_mailbox {
	union mailbox_module_context module_ctx;
};

const char *mapi_plugin_version = DOVECOT_ABI_VERSION;

static MODULE_CONTEXT_DEFINE_INIT(mapi_mailbox_list_module,
				  &mailbox_list_module_register);
static MODULE_CONTEXT_DEFINE_INIT(mapi_storage_module,
				  &mail_storage_module_register);

/* services that see everything; those that begin so, too */
static const char *const unhidden_services[] = {
	"mapi", "doveadm", "dsync", "indexer", "quota-status", NULL
};
/* the MAPI server sees to its bags itself */
#define MAPI_SERVICE "mapi"

const char *mapi_plugin_companion_root(struct mail_user *user)
{
	const char *root = mail_user_plugin_getenv(user, "mapi_companion_root");

	return root == NULL || *root == '\0' ?
		MAPI_COMPANION_ROOT_DEFAULT : root;
}

static struct mapi_mailbox_list *mapi_user_list(struct mail_user *user)
{
	struct mail_namespace *ns =
		mail_namespace_find_inbox(user->namespaces);

	return ns == NULL ? NULL : MAPI_LIST_CONTEXT(ns->list);
}

void mapi_plugin_unhide(struct mail_user *user)
{
	struct mapi_mailbox_list *mlist = mapi_user_list(user);

	if (mlist != NULL)
		mlist->unhidden++;
}

void mapi_plugin_hide(struct mail_user *user)
{
	struct mapi_mailbox_list *mlist = mapi_user_list(user);

	if (mlist != NULL) {
		i_assert(mlist->unhidden > 0);
		mlist->unhidden--;
	}
}

static bool mapi_list_is_companion(const struct mapi_mailbox_list *mlist,
				   const char *vname)
{
	size_t len = strlen(mlist->root);

	return strncmp(vname, mlist->root, len) == 0 &&
		(vname[len] == '\0' || vname[len] == mlist->sep);
}

bool mapi_plugin_may_have_bags(struct mailbox *box)
{
	const struct mapi_mailbox_list *mlist = MAPI_LIST_CONTEXT(box->list);

	return mlist != NULL && !mapi_list_is_companion(mlist, box->vname) &&
		(box->list->ns->flags & NAMESPACE_FLAG_INBOX_USER) != 0;
}

static bool mapi_list_hides(const struct mapi_mailbox_list *mlist,
			    const char *vname)
{
	return mlist->hides && mlist->unhidden == 0 &&
		mapi_list_is_companion(mlist, vname);
}

/* --- listing -------------------------------------------------------------- */

static const struct mailbox_info *
mapi_list_iter_next(struct mailbox_list_iterate_context *ctx)
{
	struct mapi_mailbox_list *mlist = MAPI_LIST_CONTEXT_REQUIRE(ctx->list);
	const struct mailbox_info *info;

	i_free(mlist->exposed_vname);
	while ((info = mlist->module_ctx.super.iter_next(ctx)) != NULL) {
		if (!mapi_list_hides(mlist, info->vname))
			break;
		if ((ctx->flags & (MAILBOX_LIST_ITER_NO_AUTO_BOXES |
				   MAILBOX_LIST_ITER_RAW_LIST)) != 0) {
			mlist->exposed_vname = i_strdup(info->vname);
			break;
		}
	}
	return info;
}

static int mapi_list_iter_deinit(struct mailbox_list_iterate_context *ctx)
{
	struct mapi_mailbox_list *mlist = MAPI_LIST_CONTEXT_REQUIRE(ctx->list);

	i_free(mlist->exposed_vname);
	return mlist->module_ctx.super.iter_deinit(ctx);
}

/* IMAP NOTIFY */
static int mapi_list_notify_next(struct mailbox_list_notify *notify,
				 const struct mailbox_list_notify_rec **rec_r)
{
	struct mapi_mailbox_list *mlist =
		MAPI_LIST_CONTEXT_REQUIRE(notify->list);
	int ret;

	do {
		ret = mlist->module_ctx.super.notify_next(notify, rec_r);
	} while (ret > 0 && mapi_list_hides(mlist, (*rec_r)->vname));
	return ret;
}

static void mapi_list_deinit(struct mailbox_list *list)
{
	struct mapi_mailbox_list *mlist = MAPI_LIST_CONTEXT_REQUIRE(list);

	i_free(mlist->exposed_vname);
	mlist->module_ctx.super.deinit(list);
}

static bool mapi_plugin_service_is_unhidden(const char *service)
{
	unsigned int i;

	for (i = 0; unhidden_services[i] != NULL; i++) {
		if (str_begins(service, unhidden_services[i]))
			return TRUE;
	}
	return FALSE;
}

static void mapi_mailbox_list_created(struct mailbox_list *list)
{
	struct mailbox_list_vfuncs *v = list->vlast;
	struct mail_namespace *ns = list->ns;
	struct mapi_mailbox_list *mlist;

	/* That of a user who shares mailboxes is no business of those with whom
	   they are shared, whatever its ACLs happen to be. */
	if (((ns->flags & NAMESPACE_FLAG_INBOX_USER) == 0 &&
	     ns->type != MAIL_NAMESPACE_TYPE_SHARED) ||
	    str_begins(ns->user->service, MAPI_SERVICE))
		return;

	mlist = p_new(list->pool, struct mapi_mailbox_list, 1);
	mlist->hides = !mapi_plugin_service_is_unhidden(ns->user->service);
	mlist->root = p_strconcat(list->pool, ns->prefix,
				  mapi_plugin_companion_root(ns->user), NULL);
	mlist->sep = mail_namespace_get_sep(ns);
	mlist->module_ctx.super = *v;
	list->vlast = &mlist->module_ctx.super;
	v->deinit = mapi_list_deinit;
	v->iter_next = mapi_list_iter_next;
	v->iter_deinit = mapi_list_iter_deinit;
	/* There's nothing to override until the mailbox list index has come
	   below this; without one this isn't called. */
	v->notify_next = mapi_list_notify_next;
	MODULE_CONTEXT_SET(list, mapi_mailbox_list_module, mlist);
}

/* --- mailboxes ------------------------------------------------------------ */

static int mapi_box_not_found(struct mailbox *box)
{
	mail_storage_set_error(box->storage, MAIL_ERROR_NOTFOUND,
			       T_MAIL_ERR_MAILBOX_NOT_FOUND(box->vname));
	return -1;
}

static int mapi_box_reserved(struct mailbox *box)
{
	mail_storage_set_error(box->storage, MAIL_ERROR_PERM, ERRSTR_RESERVED);
	return -1;
}

static int mapi_hidden_exists(struct mailbox *box ATTR_UNUSED,
			      bool auto_boxes ATTR_UNUSED,
			      enum mailbox_existence *existence_r)
{
	*existence_r = MAILBOX_EXISTENCE_NONE;
	return 0;
}

static int mapi_hidden_open(struct mailbox *box)
{
	return mapi_box_not_found(box);
}

static int
mapi_hidden_create(struct mailbox *box,
		   const struct mailbox_update *update ATTR_UNUSED,
		   bool directory ATTR_UNUSED)
{
	return mapi_box_reserved(box);
}

static int
mapi_hidden_update(struct mailbox *box,
		   const struct mailbox_update *update ATTR_UNUSED)
{
	return mapi_box_not_found(box);
}

static int mapi_hidden_delete(struct mailbox *box)
{
	return mapi_box_not_found(box);
}

static int mapi_hidden_rename(struct mailbox *src,
			      struct mailbox *dest ATTR_UNUSED)
{
	return mapi_box_not_found(src);
}

/* The mailbox list index could answer without opening the mailbox. */
static int
mapi_hidden_get_status(struct mailbox *box,
		       enum mailbox_status_items items ATTR_UNUSED,
		       struct mailbox_status *status_r ATTR_UNUSED)
{
	return mapi_box_not_found(box);
}

static int
mapi_hidden_get_metadata(struct mailbox *box,
			 enum mailbox_metadata_items items ATTR_UNUSED,
			 struct mailbox_metadata *metadata_r ATTR_UNUSED)
{
	return mapi_box_not_found(box);
}

static int
mapi_hidden_set_subscribed(struct mailbox *box, bool set ATTR_UNUSED)
{
	return mapi_box_not_found(box);
}

static int mapi_box_rename(struct mailbox *src, struct mailbox *dest)
{
	struct mapi_mailbox *mbox = MAPI_BOX_CONTEXT_REQUIRE(src);
	struct mapi_mailbox_list *mlist = MAPI_LIST_CONTEXT(dest->list);

	if (mlist != NULL && mapi_list_hides(mlist, dest->vname))
		return mapi_box_reserved(src);
	return mbox->module_ctx.super.rename_box(src, dest);
}

static void mapi_mailbox_allocated(struct mailbox *box)
{
	struct mailbox_vfuncs *v = box->vlast;
	struct mapi_mailbox_list *mlist = MAPI_LIST_CONTEXT(box->list);
	struct mapi_mailbox *mbox;

	if (mlist == NULL)
		return;

	mbox = p_new(box->pool, struct mapi_mailbox, 1);
	mbox->module_ctx.super = *v;
	box->vlast = &mbox->module_ctx.super;
	MODULE_CONTEXT_SET(box, mapi_storage_module, mbox);

	if (!mapi_list_hides(mlist, box->vname)) {
		v->rename_box = mapi_box_rename;
		return;
	}
	if (null_strcmp(mlist->exposed_vname, box->vname) == 0)
		return;
	v->exists = mapi_hidden_exists;
	v->open = mapi_hidden_open;
	v->create_box = mapi_hidden_create;
	v->update_box = mapi_hidden_update;
	v->delete_box = mapi_hidden_delete;
	v->rename_box = mapi_hidden_rename;
	v->get_status = mapi_hidden_get_status;
	v->get_metadata = mapi_hidden_get_metadata;
	v->set_subscribed = mapi_hidden_set_subscribed;
}

static struct mail_storage_hooks mapi_mail_storage_hooks = {
	.mailbox_list_created = mapi_mailbox_list_created,
	.mailbox_allocated = mapi_mailbox_allocated,
};

void mapi_plugin_init(struct module *module)
{
	mail_storage_hooks_add(module, &mapi_mail_storage_hooks);
	mapi_bags_hooks_init(module);
	mapi_flags_hooks_init(module);
}

void mapi_plugin_deinit(void)
{
	mapi_flags_hooks_deinit();
	mapi_bags_hooks_deinit();
	mail_storage_hooks_remove(&mapi_mail_storage_hooks);
}
