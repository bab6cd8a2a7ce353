/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_ACL_H
#define MAPI_ACL_H

/* Dovecot's ACL plugin, where an administrator has loaded it: its functions are
   looked for at run time. Rights are enum mapi_acl_right (mapi-rights.h).
   Mailboxes are named by their vnames. The plugin asks for changed ACLs only
   now and then (every half minute unless it's configured otherwise). */

#include "mapi-object.h"
#include "mapi-rights.h"

struct mail_namespace;
struct mapi_acl;

/* An entry of a mailbox's ACL */
struct mapi_acl_entry {
	/* as doveadm has it: "user=name", "group=name", "group-override=name",
	   "owner", "authenticated", "anyone" */
	const char *id;
	/* what it gives, less what it takes away */
	uint32_t rights;
	/* the administrator's, for all mailboxes: users can't change it */
	bool global;
	/* The mailbox's own ACL has it. The namespace's default counts for
	   whoever is in no entry of that. */
	bool own;
	/* the namespace's default has it */
	bool in_default;
};
ARRAY_DEFINE_TYPE(mapi_acl_entry, struct mapi_acl_entry);

#define MAPI_ACL_ID_ANYONE "anyone"
#define MAPI_ACL_ID_AUTHENTICATED "authenticated"
#define MAPI_ACL_ID_OWNER "owner"
#define MAPI_ACL_ID_USER "user="
#define MAPI_ACL_ID_GROUP "group="
#define MAPI_ACL_ID_GROUP_OVERRIDE "group-override="

/* NULL if there are no ACLs in the namespace: the plugin isn't loaded or not
   for this user, or the namespace is excepted from it. The namespace must stay
   until it's freed. */
struct mapi_acl *mapi_acl_init(TALLOC_CTX *parent, struct mail_namespace *ns);

/* Whether ACLs take the user for the owner of the namespace's mailboxes. */
bool mapi_acl_user_is_owner(const struct mapi_acl *acl);
/* The name that ACLs know the user by */
const char *mapi_acl_username(const struct mapi_acl *acl);
/* Whether an id, as of struct mapi_acl_entry, stands for the user. */
bool mapi_acl_id_is_me(const struct mapi_acl *acl, const char *id);
/* Whether users may give rights to everybody (plugin setting acl_anyone). */
bool mapi_acl_allows_anyone(const struct mapi_acl *acl);

/* Whether the user sees any mailbox. */
bool mapi_acl_any_visible(const struct mapi_acl *acl);
/* The user's rights in a mailbox; 0 if they can't be told, which is logged. */
uint32_t mapi_acl_my_rights(const struct mapi_acl *acl, const char *vname);
/* Adds the entries that count for a mailbox. Strings are allocated from the
   data stack. */
enum mapi_error
mapi_acl_list(const struct mapi_acl *acl, const char *vname,
	      ARRAY_TYPE(mapi_acl_entry) *entries);
/* Gives an id these rights and no other, durably. Rights may be 0, which is
   something else than no entry. */
enum mapi_error
mapi_acl_set(const struct mapi_acl *acl, const char *vname, const char *id,
	     uint32_t rights);
/* Removes an entry; noop if there's none. */
enum mapi_error
mapi_acl_remove(const struct mapi_acl *acl, const char *vname, const char *id);

/* Gives a mailbox, which has no ACL yet, the one that the plugin would give it if it
   were made by the name as_vname: that of its parent. */
enum mapi_error
mapi_acl_inherit(const struct mapi_acl *acl, const char *vname,
		 const char *as_vname);
/* Whether what an id's entry gives goes along when a mailbox is moved to another
   owner: not if it's the old or the new one or the user, nor if it's everybody where
   users may not give such rights. */
bool mapi_acl_id_is_moved(const struct mapi_acl *dest_acl, const char *id);
/* Gives a mailbox these entries of another owner's mailbox; they replace those that it
   has for the same ids. */
enum mapi_error
mapi_acl_copy(const struct mapi_acl *acl, const char *vname,
	      const struct mapi_acl *dest_acl, const char *dest_vname);
/* A mailbox has been renamed. The plugin itself doesn't notice, and others wouldn't
   see it in listings. */
void mapi_acl_renamed(const struct mapi_acl *acl);

/* Between these, listing shows all mailboxes, and those that are allocated can
   be used whatever their ACL is. For what the server does by itself. acl may
   be NULL. */
void mapi_acl_suspend(struct mapi_acl *acl);
void mapi_acl_resume(struct mapi_acl *acl);

#endif
