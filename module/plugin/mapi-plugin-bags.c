/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "module-context.h"
#include "mail-user.h"
#include "mail-storage-hooks.h"
#include "mapi-carry.h"
#include "mapi-mail.h"
#include "mapi-plugin-private.h"

/* Carries property bags along when messages are copied, and deletes them when messages
   are expunged. A bag is there before its message and goes after it, as in the MAPI
   server itself: when the mailbox has been synchronised, which removes the message. If
   the transaction is all that happens, a dbox may bring the message back.

   No command fails because a bag can't be carried: then a MAPI session finds it later
   where it was (mapi-bags-adopt.c), and so no bag is deleted any more by this process
   once that has happened.

   Plugins that have been loaded before this one, acl and lazy_expunge above all, come
   first: what they refuse isn't seen here, and what they make of an expunge is a copy
   and an expunge. */

#define MAPI_USER_CONTEXT(obj) \
	MODULE_CONTEXT(obj, mapi_bags_user_module)
#define MAPI_USER_CONTEXT_REQUIRE(obj) \
	MODULE_CONTEXT_REQUIRE(obj, mapi_bags_user_module)
#define MAPI_BOX_CONTEXT(obj) \
	MODULE_CONTEXT(obj, mapi_bags_storage_module)
#define MAPI_BOX_CONTEXT_REQUIRE(obj) \
	MODULE_CONTEXT_REQUIRE(obj, mapi_bags_storage_module)
#define MAPI_TRANS_CONTEXT(obj) \
	MODULE_CONTEXT(obj, mapi_bags_storage_module)
#define MAPI_MAIL_CONTEXT_REQUIRE(obj) \
	MODULE_CONTEXT_REQUIRE(obj, mapi_bags_mail_module)

struct mapi_bags_user {
	union mail_user_module_context module_ctx;
	struct mapi_store_settings set;
	/* NULL until it's needed */
	struct mapi_carry *carry;
	bool failed;
};

/* A message that has a bag */
struct expunged_message {
	uint32_t uid;
	const char *guid;
};
ARRAY_DEFINE_TYPE(expunged_message, struct expunged_message);

struct mapi_bags_mailbox {
	union mailbox_module_context module_ctx;
	/* Expunged by transactions that have been committed, in the folder with
	   that number. Without a pool there's nothing. */
	pool_t expunged_pool;
	ARRAY_TYPE(expunged_message) expunged;
	uint32_t number;
};

/* Messages that have a bag: GUIDs of each and of its copy, in turn */
struct copied_messages {
	/* the folder that they are copied from */
	uint32_t number;
	ARRAY_TYPE(const_string) guids;
};

struct mapi_bags_transaction {
	union mailbox_transaction_module_context module_ctx;
	pool_t pool;
	ARRAY(struct copied_messages) copied;
	/* the last mailbox that has been copied from, 0 if it has no bags */
	struct mailbox *src_box;
	uint32_t src_number;
	/* the mailbox itself, if anything in it is expunged */
	bool looked;
	uint32_t number;
	ARRAY_TYPE(expunged_message) expunged;
};

static MODULE_CONTEXT_DEFINE_INIT(mapi_bags_user_module,
				  &mail_user_module_register);
static MODULE_CONTEXT_DEFINE_INIT(mapi_bags_storage_module,
				  &mail_storage_module_register);
static MODULE_CONTEXT_DEFINE_INIT(mapi_bags_mail_module,
				  &mail_module_register);

/* --- users ---------------------------------------------------------------------- */

static void mapi_bags_user_deinit(struct mail_user *user)
{
	struct mapi_bags_user *muser = MAPI_USER_CONTEXT_REQUIRE(user);

	TALLOC_FREE(muser->carry);
	muser->module_ctx.super.deinit(user);
}

static void mapi_bags_user_created(struct mail_user *user)
{
	struct mail_user_vfuncs *v = user->vlast;
	struct mapi_bags_user *muser;

	muser = p_new(user->pool, struct mapi_bags_user, 1);
	muser->module_ctx.super = *v;
	user->vlast = &muser->module_ctx.super;
	v->deinit = mapi_bags_user_deinit;
	MODULE_CONTEXT_SET(user, mapi_bags_user_module, muser);
}

/* 0 if it has no bags, or if that can't be found out */
static uint32_t bags_of_box(struct mailbox *box, bool create)
{
	struct mail_user *user = box->storage->user;
	struct mapi_bags_user *muser = MAPI_USER_CONTEXT(user);
	uint32_t number;

	if (muser == NULL || MAPI_BOX_CONTEXT(box) == NULL)
		return 0;
	if (muser->carry == NULL) {
		muser->set.companion_root = mapi_plugin_companion_root(user);
		/* what clients of MAPI see */
		muser->set.organization = muser->set.display_name =
			muser->set.email_address = "";
		muser->carry = mapi_carry_init(NULL, user, &muser->set);
	}
	mapi_plugin_unhide(user);
	number = mapi_carry_get_folder(muser->carry, box, create);
	mapi_plugin_hide(user);
	return number;
}

static struct mapi_bags *bags_get(struct mail_user *user, uint32_t number)
{
	struct mapi_bags_user *muser = MAPI_USER_CONTEXT_REQUIRE(user);
	struct mapi_bags *bags;

	mapi_plugin_unhide(user);
	bags = mapi_carry_get_bags(muser->carry, number);
	mapi_plugin_hide(user);
	return bags;
}

/* --- transactions ---------------------------------------------------------------- */

static struct mapi_bags_transaction *
bags_trans_get(struct mailbox_transaction_context *t)
{
	struct mapi_bags_transaction *mt = MAPI_TRANS_CONTEXT(t);
	pool_t pool;

	if (mt == NULL) {
		pool = pool_alloconly_create("mapi bags transaction", 1024);
		mt = p_new(pool, struct mapi_bags_transaction, 1);
		mt->pool = pool;
		p_array_init(&mt->copied, pool, 2);
		p_array_init(&mt->expunged, pool, 8);
		MODULE_CONTEXT_SET(t, mapi_bags_storage_module, mt);
	}
	return mt;
}

/* NULL if the message has no bag */
static const char *
bags_get_guid(uint32_t number, struct mail *mail, pool_t pool)
{
	struct mapi_bags *bags;
	const char *guid;

	if (number == 0)
		return NULL;
	bags = bags_get(mail->box->storage->user, number);
	if (bags == NULL || mapi_bags_find_uid(bags, mail) == 0 ||
	    mail_get_special(mail, MAIL_FETCH_GUID, &guid) < 0)
		return NULL;
	return p_strdup(pool, guid);
}

static struct copied_messages *
bags_trans_get_copied(struct mapi_bags_transaction *mt)
{
	struct copied_messages *copied;

	array_foreach_modifiable(&mt->copied, copied) {
		if (copied->number == mt->src_number)
			return copied;
	}
	copied = array_append_space(&mt->copied);
	copied->number = mt->src_number;
	p_array_init(&copied->guids, mt->pool, 16);
	return copied;
}

/* A message that is copied from another mailbox */
static void
bags_trans_add_copied(struct mailbox_transaction_context *t, struct mail *mail)
{
	struct mapi_bags_transaction *mt = bags_trans_get(t);
	struct copied_messages *copied;
	const char *guid;

	if (mt->src_box != mail->box) {
		mt->src_box = mail->box;
		mt->src_number = bags_of_box(mail->box, FALSE);
	}
	guid = bags_get_guid(mt->src_number, mail, mt->pool);
	if (guid == NULL)
		return;
	copied = bags_trans_get_copied(mt);
	/* the copy keeps the GUID */
	array_push_back(&copied->guids, &guid);
	array_push_back(&copied->guids, &guid);
}

static void bags_trans_add_expunged(struct mail *mail)
{
	struct mapi_bags_transaction *mt = bags_trans_get(mail->transaction);
	struct expunged_message *expunged;
	const char *guid;

	if (!mt->looked) {
		mt->looked = TRUE;
		mt->number = bags_of_box(mail->box, FALSE);
	}
	guid = bags_get_guid(mt->number, mail, mt->pool);
	if (guid == NULL)
		return;
	expunged = array_append_space(&mt->expunged);
	expunged->uid = mail->uid;
	expunged->guid = guid;
}

static enum mapi_error
bags_copy(struct mail_user *user, uint32_t src_number, uint32_t dest_number,
	  const char *const *guids)
{
	struct mapi_bags *src = bags_get(user, src_number);
	struct mapi_bags *dest = bags_get(user, dest_number);
	enum mapi_error error;

	if (src == NULL || dest == NULL)
		return EC_ERROR;
	mapi_plugin_unhide(user);
	error = mapi_bags_copy(src, dest, guids, NULL);
	mapi_plugin_hide(user);
	return error;
}

/* Before there are any messages that need them */
static void
bags_trans_carry(struct mailbox *box, struct mapi_bags_transaction *mt)
{
	struct mail_user *user = box->storage->user;
	struct mapi_bags_user *muser = MAPI_USER_CONTEXT_REQUIRE(user);
	struct copied_messages *copied;
	uint32_t number;

	if (array_count(&mt->copied) == 0)
		return;
	number = bags_of_box(box, TRUE);
	array_foreach_modifiable(&mt->copied, copied) {
		array_append_zero(&copied->guids);
		if (copied->number != number &&
		    (number == 0 ||
		     bags_copy(user, copied->number, number,
			       array_front(&copied->guids)) != EC_NONE))
			muser->failed = TRUE;
	}
}

/* Nothing stays open: what is open holds the user. */
static void bags_close(struct mail_user *user)
{
	struct mapi_bags_user *muser = MAPI_USER_CONTEXT_REQUIRE(user);

	if (muser->carry != NULL) {
		mapi_plugin_unhide(user);
		mapi_carry_close(muser->carry);
		mapi_plugin_hide(user);
	}
}

static void
bags_trans_end(struct mail_user *user, struct mapi_bags_transaction *mt)
{
	pool_unref(&mt->pool);
	bags_close(user);
}

/* --- messages that are gone ------------------------------------------------------- */

/* The transaction has been committed. */
static void bags_box_add_expunged(struct mapi_bags_mailbox *mbox,
				  const struct mapi_bags_transaction *mt)
{
	const struct expunged_message *expunged;
	struct expunged_message *dest;

	if (array_count(&mt->expunged) == 0)
		return;
	if (mbox->expunged_pool == NULL) {
		mbox->expunged_pool =
			pool_alloconly_create("mapi bags expunged", 1024);
		p_array_init(&mbox->expunged, mbox->expunged_pool, 16);
	}
	array_foreach(&mt->expunged, expunged) {
		dest = array_append_space(&mbox->expunged);
		dest->uid = expunged->uid;
		dest->guid = p_strdup(mbox->expunged_pool, expunged->guid);
	}
	mbox->number = mt->number;
}

static void bags_delete(struct mail_user *user, uint32_t number,
			const char *const *guids)
{
	struct mapi_bags_user *muser = MAPI_USER_CONTEXT_REQUIRE(user);
	struct mapi_bags *bags;

	if (muser->failed)
		return;
	bags = bags_get(user, number);
	if (bags != NULL) {
		mapi_plugin_unhide(user);
		/* garbage if it fails, which is collected later */
		(void)mapi_bags_delete(bags, guids);
		mapi_plugin_hide(user);
	}
	bags_close(user);
}

/* Takes those that are gone out of the list. */
static void
bags_box_get_gone(struct mailbox *box, struct mapi_bags_mailbox *mbox,
		  ARRAY_TYPE(const_string) *guids)
{
	const struct expunged_message *expunged;
	struct mail_index_view *view;
	unsigned int i, left = 0;
	uint32_t seq;

	/* box->view may be kept as it was for the client's sake */
	view = mail_index_view_open(box->index);
	for (i = 0; i < array_count(&mbox->expunged); i++) {
		expunged = array_idx(&mbox->expunged, i);
		if (mail_index_lookup_seq(view, expunged->uid, &seq))
			array_idx_set(&mbox->expunged, left++, expunged);
		else
			array_push_back(guids, &expunged->guid);
	}
	array_delete(&mbox->expunged, left,
		     array_count(&mbox->expunged) - left);
	mail_index_view_close(&view);
}

/* The mailbox has been synchronised. */
static void
bags_box_synced(struct mailbox *box, struct mapi_bags_mailbox *mbox)
{
	ARRAY_TYPE(const_string) guids;

	if (mbox->expunged_pool == NULL)
		return;
	t_array_init(&guids, array_count(&mbox->expunged) + 1);
	bags_box_get_gone(box, mbox, &guids);
	if (array_count(&guids) > 0) {
		array_append_zero(&guids);
		bags_delete(box->storage->user, mbox->number,
			    array_front(&guids));
	}
	if (array_count(&mbox->expunged) == 0)
		pool_unref(&mbox->expunged_pool);
}

/* --- mailboxes ------------------------------------------------------------------- */

/* Replication carries the companion tree itself. */
static bool bags_are_carried(struct mailbox *box)
{
	return !box->storage->user->dsyncing;
}

static int mapi_bags_copy_mail(struct mail_save_context *ctx, struct mail *mail)
{
	struct mailbox_transaction_context *t = ctx->transaction;
	struct mapi_bags_mailbox *mbox = MAPI_BOX_CONTEXT_REQUIRE(t->box);
	int ret;

	ret = mbox->module_ctx.super.copy(ctx, mail);
	if (ret == 0)
		mapi_mail_copy_modified(mail, t);
	/* two messages of one mailbox have one bag as they have one GUID */
	if (ret == 0 && bags_are_carried(t->box) && mail->box != t->box &&
	    mail->box->storage->user == t->box->storage->user &&
	    MAPI_BOX_CONTEXT(mail->box) != NULL)
		bags_trans_add_copied(t, mail);
	return ret;
}

static int
mapi_bags_transaction_commit(struct mailbox_transaction_context *t,
			     struct mail_transaction_commit_changes *changes_r)
{
	struct mapi_bags_mailbox *mbox = MAPI_BOX_CONTEXT_REQUIRE(t->box);
	struct mapi_bags_transaction *mt = MAPI_TRANS_CONTEXT(t);
	struct mail_user *user = t->box->storage->user;
	int ret;

	if (mt != NULL)
		bags_trans_carry(t->box, mt);
	ret = mbox->module_ctx.super.transaction_commit(t, changes_r);
	if (mt != NULL) {
		if (ret == 0)
			bags_box_add_expunged(mbox, mt);
		bags_trans_end(user, mt);
	}
	return ret;
}

static void
mapi_bags_transaction_rollback(struct mailbox_transaction_context *t)
{
	struct mapi_bags_mailbox *mbox = MAPI_BOX_CONTEXT_REQUIRE(t->box);
	struct mapi_bags_transaction *mt = MAPI_TRANS_CONTEXT(t);
	struct mail_user *user = t->box->storage->user;

	mbox->module_ctx.super.transaction_rollback(t);
	if (mt != NULL)
		bags_trans_end(user, mt);
}

static int
mapi_bags_sync_deinit(struct mailbox_sync_context *ctx,
		      struct mailbox_sync_status *status_r)
{
	struct mailbox *box = ctx->box;
	struct mapi_bags_mailbox *mbox = MAPI_BOX_CONTEXT_REQUIRE(box);
	int ret;

	ret = mbox->module_ctx.super.sync_deinit(ctx, status_r);
	if (ret == 0) T_BEGIN {
		bags_box_synced(box, mbox);
	} T_END;
	return ret;
}

static void mapi_bags_mailbox_free(struct mailbox *box)
{
	struct mapi_bags_mailbox *mbox = MAPI_BOX_CONTEXT_REQUIRE(box);

	pool_unref(&mbox->expunged_pool);
	mbox->module_ctx.super.free(box);
}

static void mapi_bags_mailbox_allocated(struct mailbox *box)
{
	struct mailbox_vfuncs *v = box->vlast;
	struct mapi_bags_mailbox *mbox;

	if (!mapi_plugin_may_have_bags(box))
		return;

	mbox = p_new(box->pool, struct mapi_bags_mailbox, 1);
	mbox->module_ctx.super = *v;
	box->vlast = &mbox->module_ctx.super;
	v->copy = mapi_bags_copy_mail;
	v->sync_deinit = mapi_bags_sync_deinit;
	v->free = mapi_bags_mailbox_free;
	v->transaction_commit = mapi_bags_transaction_commit;
	v->transaction_rollback = mapi_bags_transaction_rollback;
	MODULE_CONTEXT_SET(box, mapi_bags_storage_module, mbox);
}

static void mapi_bags_mail_expunge(struct mail *mail)
{
	union mail_module_context *mmail =
		MAPI_MAIL_CONTEXT_REQUIRE((struct mail_private *)mail);

	if (bags_are_carried(mail->box))
		bags_trans_add_expunged(mail);
	mmail->super.expunge(mail);
}

static void mapi_bags_mail_allocated(struct mail *_mail)
{
	struct mail_private *mail = (struct mail_private *)_mail;
	struct mail_vfuncs *v = mail->vlast;
	union mail_module_context *mmail;

	if (MAPI_BOX_CONTEXT(_mail->box) == NULL)
		return;
	mmail = p_new(mail->pool, union mail_module_context, 1);
	mmail->super = *v;
	mail->vlast = &mmail->super;
	v->expunge = mapi_bags_mail_expunge;
	MODULE_CONTEXT_SET_SELF(mail, mapi_bags_mail_module, mmail);
}

static struct mail_storage_hooks mapi_bags_hooks = {
	.mail_user_created = mapi_bags_user_created,
	.mailbox_allocated = mapi_bags_mailbox_allocated,
	.mail_allocated = mapi_bags_mail_allocated,
};

void mapi_bags_hooks_init(struct module *module)
{
	mail_storage_hooks_add(module, &mapi_bags_hooks);
}

void mapi_bags_hooks_deinit(void)
{
	mail_storage_hooks_remove(&mapi_bags_hooks);
}
