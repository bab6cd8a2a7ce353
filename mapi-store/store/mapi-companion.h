/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_COMPANION_H
#define MAPI_COMPANION_H

/* The companion tree: mailboxes below one reserved parent in the user's inbox
   namespace, which hold what has no place in mailboxes that IMAP clients see
   (docs/architecture.md, section 6). They are ordinary mailboxes, so that
   replication, backup, encryption and quota work on them as on any other; the
   mail plugin hides them from IMAP clients.

   A mailbox of the tree is named by its leaf, which consists of characters
   that no namespace separator and no mailbox format minds: [a-z0-9-]. */

#include "mail-storage.h"
#include "mapi-object.h"

struct mail_user;
struct mail_namespace;

struct mapi_companion {
	struct mail_namespace *ns;
	/* vname of the reserved parent, with the namespace's prefix */
	const char *root;
	char sep;
};

/* Finds out where the tree is: nothing is created. root_name is without
   namespace prefix. EC_NOT_FOUND if the user has no inbox namespace. */
enum mapi_error
mapi_companion_init(TALLOC_CTX *parent, struct mail_user *user,
		    const char *root_name, struct mapi_companion **comp_r);

/* vname of a mailbox of the tree; allocated from the data stack */
const char *mapi_companion_vname(const struct mapi_companion *comp,
				 const char *leaf);
/* TRUE if vname is the reserved parent or anything below it. leaf_r is what is
   below it, "" for the parent itself; it may be NULL. */
bool mapi_companion_contains(const struct mapi_companion *comp,
			     const char *vname, const char **leaf_r);

/* Has the INBOX be there before anything of the tree is looked for in a mail
   account that is new. lib-storage rebuilds a mailbox list that has no INBOX,
   and that and another session's first steps could wait for each other's locks;
   so new accounts get their INBOX by one session at a time. */
enum mapi_error mapi_companion_prepare(const struct mapi_companion *comp);

/* Whether there's such a mailbox, without a look at the list index. */
bool mapi_companion_exists(const struct mapi_companion *comp, const char *leaf);

/* A mailbox of the tree, allocated only. It belongs to the server: ACLs don't
   count in it, so whoever opens one for a user has to look whether he may. */
struct mailbox *
mapi_companion_alloc(const struct mapi_companion *comp, const char *leaf,
		     enum mailbox_flags flags);

/* Opens and synchronises a mailbox of the tree. One that doesn't exist is
   created with the settings of update (may be NULL) if create is set, else it
   is EC_NOT_FOUND. The caller mailbox_free()s it. */
enum mapi_error
mapi_companion_open(const struct mapi_companion *comp, const char *leaf,
		    bool create, const struct mailbox_update *update,
		    struct mailbox **box_r);

/* Deletes a mailbox of the tree with what is in it, if it's there. Errors are
   logged. */
void mapi_companion_delete(const struct mapi_companion *comp, const char *leaf);
/* Copies a message of one of the tree's mailboxes durably to where what can't be
   understood is kept, for whoever may want to look at it. */
enum mapi_error
mapi_companion_set_aside(const struct mapi_companion *comp, struct mailbox *box,
			 uint32_t uid);

#endif
