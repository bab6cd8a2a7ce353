/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "mail-user.h"
#include "mail-namespace.h"
#include "mail-storage.h"
#include "store-compat.h"
#include "mapi-companion.h"
#include "mapi-store-private.h"

#include <sys/stat.h>

enum mapi_error
mapi_companion_init(TALLOC_CTX *parent, struct mail_user *user,
		    const char *root_name, struct mapi_companion **comp_r)
{
	struct mapi_companion *comp;
	struct mail_namespace *ns;

	ns = mail_namespace_find_inbox(user->namespaces);
	if (ns == NULL) {
		e_error(user->event, "mapi: User has no inbox namespace");
		return EC_NOT_FOUND;
	}
	comp = talloc_zero(parent, struct mapi_companion);
	comp->ns = ns;
	comp->sep = mail_namespace_get_sep(ns);
	comp->root = talloc_asprintf(comp, "%s%s", ns->prefix, root_name);
	*comp_r = comp;
	return EC_NONE;
}

const char *mapi_companion_vname(const struct mapi_companion *comp,
				 const char *leaf)
{
	return t_strdup_printf("%s%c%s", comp->root, comp->sep, leaf);
}

bool mapi_companion_contains(const struct mapi_companion *comp,
			     const char *vname, const char **leaf_r)
{
	size_t len = strlen(comp->root);

	if (strncmp(vname, comp->root, len) != 0)
		return FALSE;
	if (vname[len] != '\0' && vname[len] != comp->sep)
		return FALSE;
	if (leaf_r != NULL)
		*leaf_r = vname[len] == '\0' ? "" : vname + len + 1;
	return TRUE;
}

bool mapi_companion_exists(const struct mapi_companion *comp, const char *leaf)
{
	struct mailbox_list *list = comp->ns->list;
	const char *name, *path;
	struct stat st;
	bool exists;

	T_BEGIN {
		name = mailbox_list_get_storage_name(list,
				mapi_companion_vname(comp, leaf));
		exists = mailbox_list_get_path(list, name,
				MAILBOX_LIST_PATH_TYPE_MAILBOX, &path) > 0 &&
			stat(path, &st) == 0;
	} T_END;
	return exists;
}

enum mapi_error mapi_companion_prepare(const struct mapi_companion *comp)
{
	struct mailbox_list *list = comp->ns->list;
	struct mailbox *inbox;
	enum mapi_error ret = EC_NONE;

	if (mapi_companion_exists(comp, MAPI_COMPANION_LOG))
		return EC_NONE;

	if (mailbox_list_lock(list) < 0)
		return mapi_error_from_list(list);
	/* opening creates it */
	inbox = mailbox_alloc(list, "INBOX", MAILBOX_FLAG_DROP_RECENT |
			      MAILBOX_FLAG_IGNORE_ACLS);
	if (mailbox_open(inbox) < 0)
		ret = mapi_error_from_mailbox(inbox);
	mailbox_free(&inbox);
	mailbox_list_unlock(list);
	return ret;
}

/* Creates and opens a mailbox. Another session may be doing the same just now:
   by the lock, whoever comes second finds it done and not half done. Returns -1
   with box's error. */
static int
mapi_companion_create(const struct mapi_companion *comp, struct mailbox *box,
		      const struct mailbox_update *update)
{
	int ret;

	if (mailbox_list_lock(comp->ns->list) < 0) {
		mail_storage_copy_list_error(box->storage, comp->ns->list);
		return -1;
	}
	ret = mailbox_create(box, update, FALSE);
	if (ret < 0 &&
	    mailbox_get_last_mail_error(box) == MAIL_ERROR_EXISTS) {
		store_compat_list_refresh(comp->ns->list);
		ret = 0;
	}
	if (ret == 0)
		ret = mailbox_open(box);
	mailbox_list_unlock(comp->ns->list);
	return ret;
}

struct mailbox *
mapi_companion_alloc(const struct mapi_companion *comp, const char *leaf,
		     enum mailbox_flags flags)
{
	struct mailbox *box;

	T_BEGIN {
		box = mailbox_alloc(comp->ns->list,
				    mapi_companion_vname(comp, leaf),
				    flags | MAILBOX_FLAG_IGNORE_ACLS);
	} T_END;
	return box;
}

enum mapi_error
mapi_companion_open(const struct mapi_companion *comp, const char *leaf,
		    bool create, const struct mailbox_update *update,
		    struct mailbox **box_r)
{
	struct mailbox *box;
	enum mapi_error ret;

	*box_r = NULL;
	/* An sdbox looks at all that is recent whenever it's synchronised. */
	box = mapi_companion_alloc(comp, leaf, MAILBOX_FLAG_DROP_RECENT);
	if (mailbox_open(box) < 0 &&
	    (!create ||
	     mailbox_get_last_mail_error(box) != MAIL_ERROR_NOTFOUND ||
	     mapi_companion_create(comp, box, update) < 0)) {
		ret = mapi_error_from_mailbox(box);
		mailbox_free(&box);
		return ret;
	}
	if (mailbox_sync(box, 0) < 0) {
		ret = mapi_error_from_mailbox(box);
		mailbox_free(&box);
		return ret;
	}
	*box_r = box;
	return EC_NONE;
}

void mapi_companion_delete(const struct mapi_companion *comp, const char *leaf)
{
	struct mailbox *box;

	box = mapi_companion_alloc(comp, leaf, 0);
	if (mailbox_delete(box) < 0 &&
	    mailbox_get_last_mail_error(box) != MAIL_ERROR_NOTFOUND)
		(void)mapi_error_from_mailbox(box);
	mailbox_free(&box);
}

static enum mapi_error
set_aside_to(struct mailbox *dest, struct mailbox *box, uint32_t uid)
{
	struct mailbox_transaction_context *trans, *dest_trans;
	struct mail_save_context *save_ctx;
	struct mail *mail;
	enum mapi_error ret = EC_NONE;

	trans = mailbox_transaction_begin(box, 0, __func__);
	dest_trans = store_compat_internal_save_begin(dest, __func__);
	mail = mail_alloc(trans, 0, NULL);
	if (!mail_set_uid(mail, uid))
		ret = EC_NOT_FOUND;
	else {
		save_ctx = mailbox_save_alloc(dest_trans);
		if (mailbox_copy(&save_ctx, mail) < 0)
			ret = mapi_error_from_mailbox(dest);
	}
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	if (ret != EC_NONE)
		mailbox_transaction_rollback(&dest_trans);
	else if (mailbox_transaction_commit(&dest_trans) < 0)
		ret = mapi_error_from_mailbox(dest);
	return ret;
}

enum mapi_error
mapi_companion_set_aside(const struct mapi_companion *comp, struct mailbox *box,
			 uint32_t uid)
{
	struct mailbox *dest;
	enum mapi_error ret;

	T_BEGIN {
		ret = mapi_companion_open(comp, MAPI_COMPANION_DAMAGED, TRUE,
					  NULL, &dest);
		if (ret == EC_NONE) {
			ret = set_aside_to(dest, box, uid);
			mailbox_free(&dest);
		}
	} T_END;
	return ret;
}
