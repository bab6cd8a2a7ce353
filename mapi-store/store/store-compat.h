/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_COMPAT_H
#define STORE_COMPAT_H

/* What of Dovecot's storage API differs between versions, or is private to
   lib-storage, and is used by the store. Include after lib.h. */

#include "mail-storage-private.h"
#include "mailbox-list-private.h"
#include "mailbox-list-iter.h"
#include "mailbox-list-index.h"
#include "mail-namespace.h"
#include "mail-user.h"
#include "mail-index-transaction-private.h"

struct smtp_client;
struct smtp_client_settings;

/* The name of the mailbox that the administrator's configuration gives a
   special use; NULL if there's none. special_use with its backslash. */
static inline const char *
store_compat_configured_mailbox(struct mail_namespace *ns,
				const char *special_use)
{
	struct mailbox_settings *const *sets;
	unsigned int i, count;

	if (!array_is_created(&ns->set->mailboxes))
		return NULL;
	sets = array_get(&ns->set->mailboxes, &count);
	for (i = 0; i < count; i++) {
		if (str_array_icase_find(t_strsplit_spaces(
				sets[i]->special_use, " "), special_use) &&
		    strpbrk(sets[i]->name, "*?") == NULL)
			return sets[i]->name;
	}
	return NULL;
}

/* Sees what others have just created: lib-storage looks at its index of
   mailboxes only once for each turn of the ioloop. */
static inline void store_compat_list_refresh(struct mailbox_list *list)
{
	struct mail_index *index;

	if (mailbox_list_index_get_index(list, &index))
		(void)mailbox_list_index_refresh_force(list);
}

/* Begins a transaction for saving a few small messages of our own, which
   succeeds also if the user's quota is exceeded: it is counted, but not
   enforced. */
static inline struct mailbox_transaction_context *
store_compat_internal_save_begin(struct mailbox *box, const char *reason)
{
	struct mail_user *user = box->storage->user;
	struct mailbox_transaction_context *t;
	bool dsyncing = user->dsyncing;

	/* What the quota plugin has for dsync; it looks when a transaction
	   begins. */
	user->dsyncing = TRUE;
	t = mailbox_transaction_begin(box, MAILBOX_TRANSACTION_FLAG_EXTERNAL |
				      MAILBOX_TRANSACTION_FLAG_ASSIGN_UIDS,
				      reason);
	user->dsyncing = dsyncing;
	return t;
}

/* What the transaction changes is on the disk when it's committed, flags as well:
   these aren't usually waited for. */
static inline void
store_compat_transaction_fsync(struct mailbox_transaction_context *t)
{
	t->itrans->flags |= MAIL_INDEX_TRANSACTION_FLAG_FSYNC;
}

/* An SMTP client that trusts and presents the certificates that the administrator
   has configured for the user, and whose events are below the user's: set->ssl and
   set->event_parent are ignored. set is copied. */
struct smtp_client *
store_compat_smtp_client_init(struct mail_user *user,
			      const struct smtp_client_settings *set);

#endif
