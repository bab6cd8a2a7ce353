/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "module-context.h"
#include "mail-user.h"
#include "mail-storage-hooks.h"
#include "mapi-mail.h"
#include "mapi-receipt.h"
#include "mapi-plugin-private.h"

/* Notes when flags are changed: to MAPI's clients most of them are properties of a
   message, which is modified by that. */

#define MAPI_FLAGS_MAIL_CONTEXT_REQUIRE(obj) \
	MODULE_CONTEXT_REQUIRE(obj, mapi_flags_mail_module)

/* Read states aren't content, nor is whether a receipt has been sent; \Deleted isn't
   seen by MAPI's clients. */
#define UNNOTED_FLAGS (MAIL_SEEN | MAIL_DELETED | MAIL_RECENT)

static MODULE_CONTEXT_DEFINE_INIT(mapi_flags_mail_module,
				  &mail_module_register);

/* Replication has noted it where the change was made. */
static bool flags_are_noted(const struct mail *mail)
{
	return !mail->box->storage->user->dsyncing;
}

static void
mapi_flags_update_flags(struct mail *mail, enum modify_type modify_type,
			enum mail_flags flags)
{
	union mail_module_context *mmail =
		MAPI_FLAGS_MAIL_CONTEXT_REQUIRE((struct mail_private *)mail);
	enum mail_flags old = mail_get_flags(mail), changed = 0;

	switch (modify_type) {
	case MODIFY_ADD:
		changed = flags & ENUM_NEGATE(old);
		break;
	case MODIFY_REMOVE:
		changed = flags & old;
		break;
	case MODIFY_REPLACE:
		changed = flags ^ old;
		break;
	}
	mmail->super.update_flags(mail, modify_type, flags);
	if ((changed & ENUM_NEGATE(UNNOTED_FLAGS)) != 0 &&
	    flags_are_noted(mail))
		mapi_mail_flags_changed(mail);
}

static bool keyword_is_noted(struct mailbox *box, unsigned int idx)
{
	const ARRAY_TYPE(keywords) *names = mail_index_get_keywords(box->index);

	return idx >= array_count(names) ||
		strcasecmp(array_idx_elem(names, idx), MAPI_KEYWORD_MDN_SENT) != 0;
}

static bool
indexes_have(const ARRAY_TYPE(keyword_indexes) *indexes, unsigned int idx)
{
	unsigned int other;

	array_foreach_elem(indexes, other) {
		if (other == idx)
			return TRUE;
	}
	return FALSE;
}

static bool
keywords_have(const struct mail_keywords *keywords, unsigned int idx)
{
	unsigned int i;

	for (i = 0; i < keywords->count; i++) {
		if (keywords->idx[i] == idx)
			return TRUE;
	}
	return FALSE;
}

static bool
keywords_are_changed(struct mail *mail, enum modify_type modify_type,
		     const struct mail_keywords *keywords)
{
	const ARRAY_TYPE(keyword_indexes) *old =
		mail_get_keyword_indexes(mail);
	unsigned int i, idx;

	for (i = 0; i < keywords->count; i++) {
		idx = keywords->idx[i];
		if (indexes_have(old, idx) == (modify_type == MODIFY_REMOVE) &&
		    keyword_is_noted(mail->box, idx))
			return TRUE;
	}
	if (modify_type != MODIFY_REPLACE)
		return FALSE;
	array_foreach_elem(old, idx) {
		if (!keywords_have(keywords, idx) &&
		    keyword_is_noted(mail->box, idx))
			return TRUE;
	}
	return FALSE;
}

static void
mapi_flags_update_keywords(struct mail *mail, enum modify_type modify_type,
			   struct mail_keywords *keywords)
{
	union mail_module_context *mmail =
		MAPI_FLAGS_MAIL_CONTEXT_REQUIRE((struct mail_private *)mail);
	bool changed;

	changed = keywords_are_changed(mail, modify_type, keywords);
	mmail->super.update_keywords(mail, modify_type, keywords);
	if (changed && flags_are_noted(mail))
		mapi_mail_flags_changed(mail);
}

static void mapi_flags_mail_allocated(struct mail *_mail)
{
	struct mail_private *mail = (struct mail_private *)_mail;
	struct mail_vfuncs *v = mail->vlast;
	union mail_module_context *mmail;

	if (!mapi_plugin_may_have_bags(_mail->box))
		return;
	mmail = p_new(mail->pool, union mail_module_context, 1);
	mmail->super = *v;
	mail->vlast = &mmail->super;
	v->update_flags = mapi_flags_update_flags;
	v->update_keywords = mapi_flags_update_keywords;
	MODULE_CONTEXT_SET_SELF(mail, mapi_flags_mail_module, mmail);
}

static struct mail_storage_hooks mapi_flags_hooks = {
	.mail_allocated = mapi_flags_mail_allocated,
};

void mapi_flags_hooks_init(struct module *module)
{
	mail_storage_hooks_add(module, &mapi_flags_hooks);
}

void mapi_flags_hooks_deinit(void)
{
	mail_storage_hooks_remove(&mapi_flags_hooks);
}
