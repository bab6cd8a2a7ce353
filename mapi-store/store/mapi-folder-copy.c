/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "guid.h"
#include "hash.h"
#include "mail-search-build.h"
#include "store-compat.h"
#include "mapi-acl.h"
#include "mapi-bags.h"
#include "mapi-enums.h"
#include "mapi-folder-copy.h"
#include "mapi-folder-list.h"
#include "mapi-folder-rights.h"
#include "mapi-mail.h"
#include "mapi-message-folder.h"
#include "mapi-permissions.h"
#include "mapi-rules.h"
#include "mapi-stored-props.h"

/* Copying folders, to the same mailbox or to another one.

   A copy is made where nobody sees it, in the companion tree, and is then renamed
   to where it belongs: (1) for each folder the mailbox is created below
   "copy-<random>" and the messages are copied into it, (2) its GUID gets a number,
   and (3) with that number go its properties, FAI messages, bags and rules, and with
   the mailbox its ACL; (4) the names that it will have are subscribed to; (5) the top
   one is renamed, with all below it.
   Before (5) there's no copy, and what is left in the companion tree by a process
   that dies is found by its name; after it, the copy is complete. Maildir++ needs
   a rename() for each of the folders in (5): there those below can be left in the
   companion tree. The numbers are claimed for mailboxes of names that nothing else
   ever has, so that no other folder is taken for a copy that has vanished
   (mapi-folder-list.c).

   ACLs don't count in the companion tree, so that the user's rights are looked at
   before. Who may make a folder gets one with the rights that its parent gives, as if
   the folder had been made there; what isn't for who has these is left out. */

/* How often messages are copied anew because one vanished meanwhile */
#define COPY_ATTEMPTS_MAX 5

/* --- messages ---------------------------------------------------------------- */

/* What others might change while the message is copied. Its content they can't. */
static int mail_get_state(struct mail *mail, struct mapi_bags *bags,
			  struct mapi_mail_state *state_r)
{
	const char *const *keywords = mail_get_keywords(mail);

	i_zero(state_r);
	state_r->uid = mail->uid;
	state_r->bag_uid = mapi_bags_find_uid(bags, mail);
	state_r->flags = mail_get_flags(mail) & ~MAIL_RECENT;
	/* in the order of the index */
	state_r->keywords = str_hash(t_strarray_join(keywords, " "));
	return mail->expunged ? -1 : 0;
}

bool mapi_mail_state_is_same(struct mail *mail, struct mapi_bags *bags,
			     const struct mapi_mail_state *state)
{
	struct mapi_mail_state now;
	bool same;

	T_BEGIN {
		same = mail_get_state(mail, bags, &now) == 0 &&
			memcmp(&now, state, sizeof(now)) == 0;
	} T_END;
	return same;
}

/* states: of what has been copied; NULL if nobody wants to know. *vanished_r: nothing
   has been copied because of it. */
static enum mapi_error
copy_once(struct mailbox *src, struct mapi_bags *bags, struct mailbox *dest,
	  ARRAY_TYPE(mapi_mail_state) *states, bool *vanished_r)
{
	struct mapi_mail_state state;
	struct mailbox_transaction_context *src_trans, *dest_trans;
	struct mail_search_context *search_ctx;
	struct mail_search_args *args;
	struct mail_save_context *save_ctx;
	struct mail *mail;
	enum mapi_error ret = EC_NONE;

	*vanished_r = FALSE;
	if (states != NULL)
		array_clear(states);
	src_trans = mailbox_transaction_begin(src, 0, "MAPI copy folder");
	dest_trans = mailbox_transaction_begin(dest,
		MAILBOX_TRANSACTION_FLAG_EXTERNAL |
		MAILBOX_TRANSACTION_FLAG_ASSIGN_UIDS, "MAPI copy folder");
	args = mail_search_build_init();
	mail_search_build_add_all(args);
	search_ctx = mailbox_search_init(src_trans, args, NULL, 0, NULL);
	mail_search_args_unref(&args);
	while (ret == EC_NONE && mailbox_search_next(search_ctx, &mail)) {
		if (states != NULL) T_BEGIN {
			(void)mail_get_state(mail, bags, &state);
		} T_END;
		if (states != NULL)
			array_push_back(states, &state);
		save_ctx = mailbox_save_alloc(dest_trans);
		mailbox_save_copy_flags(save_ctx, mail);
		if (mailbox_copy(&save_ctx, mail) < 0) {
			*vanished_r = mail->expunged;
			ret = mail->expunged ? EC_OBJECT_DELETED :
				mapi_error_from_mailbox(dest);
		} else {
			mapi_mail_copy_modified(mail, dest_trans);
		}
	}
	if (mailbox_search_deinit(&search_ctx) < 0 && ret == EC_NONE)
		ret = mapi_error_from_mailbox(src);
	if (ret != EC_NONE)
		mailbox_transaction_rollback(&dest_trans);
	else if (mailbox_transaction_commit(&dest_trans) < 0)
		ret = mapi_error_from_mailbox(dest);
	(void)mailbox_transaction_commit(&src_trans);
	return ret;
}

/* src: just synchronised */
static enum mapi_error
copy_messages(struct mailbox *src, struct mapi_bags *bags, struct mailbox *dest,
	      ARRAY_TYPE(mapi_mail_state) *states)
{
	enum mapi_error ret;
	unsigned int i;
	bool vanished;

	ret = copy_once(src, bags, dest, states, &vanished);
	for (i = 1; vanished && i < COPY_ATTEMPTS_MAX; i++) {
		if (mailbox_sync(src, 0) < 0)
			return mapi_error_from_mailbox(src);
		ret = copy_once(src, bags, dest, states, &vanished);
	}
	return ret;
}

/* --- one folder ---------------------------------------------------------------- */

static const char *
copied_temp(const struct mapi_folder_copy *copy,
	    const struct mapi_folder_copied *folder)
{
	return t_strconcat(copy->temp, folder->name, NULL);
}

static const char *
copied_vname(const struct mapi_folder_copy *copy,
	     const struct mapi_folder_copied *folder)
{
	return t_strconcat(copy->vname, folder->name, NULL);
}

static ARRAY_TYPE(mapi_mail_state) *
copied_states(const struct mapi_folder_copy *copy,
	      struct mapi_folder_copied *folder, bool associated)
{
	return copy->move ? &folder->states[associated ? 1 : 0] : NULL;
}

static struct mailbox *
copy_alloc(const struct mapi_folder_copy *copy,
	   const struct mapi_folder_copied *folder)
{
	return mailbox_alloc(copy->dest->companion->ns->list,
			     copied_temp(copy, folder),
			     MAILBOX_FLAG_DROP_RECENT |
			     MAILBOX_FLAG_IGNORE_ACLS);
}

/* (1) */
static enum mapi_error
copy_mailbox(struct mapi_folder_copy *copy, struct mapi_folder_copied *folder,
	     struct mapi_folder *src, guid_128_t guid_r)
{
	struct mailbox_metadata metadata;
	struct mailbox *dest = copy_alloc(copy, folder);
	enum mapi_error ret = EC_NONE;

	if (mailbox_create(dest, NULL, FALSE) < 0)
		ret = mapi_error_from_mailbox(dest);
	else {
		folder->created = TRUE;
		if (mailbox_open(dest) < 0 || mailbox_sync(dest, 0) < 0 ||
		    mailbox_get_metadata(dest, MAILBOX_METADATA_GUID,
					 &metadata) < 0)
			ret = mapi_error_from_mailbox(dest);
		else
			guid_128_copy(guid_r, metadata.guid);
	}
	if (ret == EC_NONE && src->box != NULL) {
		ret = copy_messages(src->box, mapi_folder_bags(src, FALSE),
				    dest, copied_states(copy, folder, FALSE));
	}
	mailbox_free(&dest);
	return ret;
}

/* (2) */
static enum mapi_error
copy_allot(struct mapi_folder_copy *copy, struct mapi_folder_copied *folder,
	   const guid_128_t guid)
{
	const struct mapi_idlog_rec *rec;
	enum mapi_error ret;

	ret = mapi_idlog_write_one(copy->dest->log, MAPI_IDLOG_CLAIM,
		MAPI_LOG_FOLDER,
		t_strconcat("g", guid_128_to_string(guid), NULL),
		copied_temp(copy, folder), &rec,
		"folder number of mailbox %s", copied_vname(copy, folder));
	if (ret == EC_NONE)
		folder->number = rec->number;
	return ret;
}

/* What is noted beside the ACL (copy_acl()): of an id the last that has the same ACL
   holds. */
static const char *
copy_get_permissions(struct mapi_folder_copy *copy,
		     const struct mapi_folder_copied *folder)
{
	const char *note = mapi_permissions_note(copy->dest,
						 copy->parent_number);

	return !copy->permissions ? note : t_strconcat(note,
		mapi_permissions_moved_note(copy->src, folder->src.number,
					    copy->dest), NULL);
}

/* (3) The container class is noted also where the source has it for what it is:
   the copy of Calendar is another calendar. */
static enum mapi_error
copy_properties(struct mapi_folder_copy *copy,
		const struct mapi_folder_copied *folder)
{
	const struct mapi_folder_node *node =
		mapi_folder_tree_lookup_any(copy->src, folder->src.fid);
	struct mapi_stored_changes changes;
	const char *display, *permissions;
	enum mapi_error ret;

	mapi_stored_begin(&changes, copy->dest);
	ret = mapi_folder_copy_props(&changes, copy->src, folder->src.number,
				     folder->number);
	if (ret != EC_NONE) {
		mapi_stored_rollback(&changes);
		return ret;
	}
	display = mapi_folder_display_value(copy->dest,
					    copied_vname(copy, folder),
					    folder->display);
	if (*display != '\0') {
		mapi_folder_note(&changes, folder->number, MAPI_LOG_DISPLAY,
				 display);
	}
	if (node != NULL && node->special != MAPI_SPECIAL_NONE &&
	    mapi_idlog_find(copy->src->log, MAPI_LOG_CLASS,
			    t_strdup_printf("%u",
					    folder->src.number)) == NULL) {
		mapi_folder_note(&changes, folder->number, MAPI_LOG_CLASS,
				 t_strdup(node->container_class));
	}
	permissions = copy_get_permissions(copy, folder);
	if (*permissions != '\0') {
		mapi_folder_note(&changes, folder->number,
				 MAPI_LOG_PERMISSIONS, permissions);
	}
	return mapi_stored_commit(&changes);
}

static enum mapi_error
copy_associated(struct mapi_folder_copy *copy,
		struct mapi_folder_copied *folder, struct mapi_folder *src)
{
	struct mailbox *src_box, *dest;
	enum mapi_error ret;

	ret = mapi_folder_open_associated(src, &src_box);
	if (ret != EC_NONE || src_box == NULL ||
	    mail_index_view_get_messages_count(src_box->view) == 0)
		return ret;
	if (!copy->owned) {
		mapi_folder_copy_failed(copy, EC_ACCESS_DENIED);
		return EC_NONE;
	}
	ret = mapi_companion_open(copy->dest->companion,
		t_strdup_printf(MAPI_COMPANION_FAI, folder->number),
		TRUE, NULL, &dest);
	if (ret != EC_NONE)
		return ret;
	ret = copy_messages(src_box, mapi_folder_bags(src, TRUE), dest,
			    copied_states(copy, folder, TRUE));
	mailbox_free(&dest);
	return ret;
}

/* Who has created a message isn't taken on trust from another mailbox. */
static enum mapi_error
copy_bags(struct mapi_folder_copy *copy,
	  const struct mapi_folder_copied *folder)
{
	enum mapi_error ret = EC_NONE;
	unsigned int i;

	/* if FAI messages have been copied, too */
	for (i = 0; i < (copy->owned ? 2 : 1) && ret == EC_NONE; i++) {
		ret = mapi_bags_copy_all(
			mapi_bags_get(copy->src, folder->src.number, i > 0),
			mapi_bags_get(copy->dest, folder->number, i > 0),
			copy->src == copy->dest ? NULL : "");
	}
	return ret;
}

/* They can be read by owners of the folder, and only these may set them. */
static enum mapi_error
copy_rules(struct mapi_folder_copy *copy,
	   const struct mapi_folder_copied *folder)
{
	const struct mapi_folder_node *node =
		mapi_folder_tree_lookup_any(copy->src, folder->src.fid);

	if (!copy->owned || node == NULL ||
	    (mapi_folder_rights(copy->src, node) & RIGHTS_FOLDER_OWNER) == 0)
		return EC_NONE;
	return mapi_rules_copy(copy->src, folder->src.number, copy->dest,
			       folder->number);
}

static enum mapi_error
copy_acl(struct mapi_folder_copy *copy, struct mapi_folder_copied *folder)
{
	const char *temp = copied_temp(copy, folder);
	enum mapi_error ret;

	if (copy->dest->acl == NULL)
		return EC_NONE;
	ret = mapi_acl_inherit(copy->dest->acl, temp, copy->vname);
	if (ret == EC_NONE && copy->permissions && folder->src.vname != NULL &&
	    !folder->src.companion) {
		ret = mapi_acl_copy(copy->src->acl, folder->src.vname,
				    copy->dest->acl, temp);
	}
	return ret;
}

static enum mapi_error
copy_folder(struct mapi_folder_copy *copy, struct mapi_folder_copied *folder)
{
	struct mapi_message_folder *mfolder;
	struct mapi_folder *src;
	guid_128_t guid;
	enum mapi_error ret;

	ret = mapi_message_folder_get(copy->src, folder->src.fid, &mfolder,
				      &src);
	if (ret != EC_NONE)
		return ret;
	ret = copy_mailbox(copy, folder, src, guid);
	if (ret == EC_NONE)
		ret = copy_allot(copy, folder, guid);
	if (ret == EC_NONE)
		ret = copy_properties(copy, folder);
	if (ret == EC_NONE)
		ret = copy_associated(copy, folder, src);
	if (ret == EC_NONE)
		ret = copy_bags(copy, folder);
	if (ret == EC_NONE)
		ret = copy_rules(copy, folder);
	if (ret == EC_NONE)
		ret = copy_acl(copy, folder);
	mapi_message_folder_release(&mfolder);
	return ret;
}

/* --- all of them ---------------------------------------------------------------- */

void mapi_folder_copy_failed(struct mapi_folder_copy *copy,
			     enum mapi_error error)
{
	copy->partial = TRUE;
	if (copy->error == EC_NONE && error != EC_PARTIAL_COMPLETION)
		copy->error = error;
}

static bool
copy_may_read(struct mapi_folder_copy *copy, const struct mapi_folder_item *item)
{
	const struct mapi_folder_node *node =
		mapi_folder_tree_lookup_any(copy->src, item->fid);

	return node != NULL &&
		(mapi_folder_rights(copy->src, node) & RIGHTS_READ_ANY) != 0;
}

/* (4), (5) */
static enum mapi_error copy_show(struct mapi_folder_copy *copy)
{
	struct mailbox_list *list = copy->dest->companion->ns->list;
	const struct mapi_folder_copied *folder;
	ARRAY_TYPE(const_string) names;
	struct mailbox *src, *dest;
	const char *name;
	enum mapi_error ret = EC_NONE;

	t_array_init(&names, 8);
	array_foreach(&copy->folders, folder) {
		name = copied_vname(copy, folder);
		if (mapi_folder_set_subscribed(copy->dest, name, TRUE))
			array_push_back(&names, &name);
	}
	src = mailbox_alloc(list, copy->temp, MAILBOX_FLAG_IGNORE_ACLS);
	dest = mailbox_alloc(list, copy->vname, MAILBOX_FLAG_IGNORE_ACLS);
	if (mailbox_rename(src, dest) < 0)
		ret = mapi_error_from_mailbox(src);
	mailbox_free(&src);
	mailbox_free(&dest);
	/* another one's, if there's a folder of that name all of a sudden */
	if (ret != EC_NONE && ret != EC_DUPLICATE_NAME) {
		array_foreach_elem(&names, name) {
			(void)mapi_folder_set_subscribed(copy->dest, name,
							 FALSE);
		}
	}
	store_compat_list_refresh(list);
	if (ret == EC_NONE && copy->dest->acl != NULL)
		mapi_acl_renamed(copy->dest->acl);
	return ret;
}

/* What can't be deleted is garbage. */
static void copy_abandon(struct mapi_folder_copy *copy)
{
	const struct mapi_folder_copied *folder;
	struct mailbox *box;
	unsigned int i;

	for (i = array_count(&copy->folders); i > 0; i--) {
		folder = array_idx(&copy->folders, i - 1);
		if (!folder->created)
			continue;
		box = copy_alloc(copy, folder);
		if (mailbox_delete(box) < 0)
			(void)mapi_error_from_mailbox(box);
		mailbox_free(&box);
		if (folder->number != 0) {
			mapi_folder_delete_associated(copy->dest,
						      folder->number, FALSE);
		}
	}
	store_compat_list_refresh(copy->dest->companion->ns->list);
}

/* The last part of the mailbox's name */
static const char *
copy_leaf(struct mapi_folder_copy *copy, const struct mapi_folder_item *item)
{
	/* what special folders are called may be what others' mailboxes are, and
	   another namespace what can't be in a name here */
	return copy->src == copy->dest && item->path != NULL &&
		item->special == MAPI_SPECIAL_NONE ?
		mapi_folder_list_leaf(copy->dest->companion->ns, item->path) :
		mapi_folder_leaf_encode(copy->dest, item->name);
}

static bool copy_has_name(const struct mapi_folder_copy *copy, const char *name)
{
	const struct mapi_folder_copied *folder;

	array_foreach(&copy->folders, folder) {
		if (strcasecmp(folder->name, name) == 0)
			return TRUE;
	}
	return FALSE;
}

/* What a folder's mailbox is called below the top one. Of two folders whose names
   can't be those of mailboxes these may be the same. */
static const char *
copy_name(struct mapi_folder_copy *copy, const struct mapi_folder_item *item,
	  const char *parent)
{
	char sep = mail_namespace_get_sep(copy->dest->companion->ns);
	const char *base, *name;
	unsigned int i;

	base = name = t_strdup_printf("%s%c%s", parent, sep,
				      copy_leaf(copy, item));
	for (i = 2; copy_has_name(copy, name); i++)
		name = t_strdup_printf("%s (%u)", base, i);
	return name;
}

/* What is to be copied, and whether all of it can have the names. What can't be read
   is left out, with all below it. */
static enum mapi_error
copy_prepare(struct mapi_folder_copy *copy, const struct mapi_folder_node *node,
	     const char *top_name)
{
	ARRAY_TYPE(mapi_folder_item) items;
	ARRAY_TYPE(const_string) names;
	const struct mapi_folder_item *item;
	struct mapi_folder_copied *folder;
	const char *name;
	unsigned int left_out = UINT_MAX;
	enum mapi_error ret;

	t_array_init(&copy->folders, 8);
	t_array_init(&items, 8);
	t_array_init(&names, 8);
	mapi_folder_items_add(copy->src, node, FALSE, &items);
	array_foreach(&items, item) {
		if (item->depth > 0 && !copy->recursive)
			break;
		if (item->depth > left_out)
			continue;
		left_out = UINT_MAX;
		if (!copy_may_read(copy, item)) {
			if (item->depth == 0)
				return EC_ACCESS_DENIED;
			mapi_folder_copy_failed(copy, EC_ACCESS_DENIED);
			left_out = item->depth;
			continue;
		}
		name = item->depth == 0 ? "" : copy_name(copy, item,
			array_idx_elem(&names, item->depth - 1));
		array_idx_set(&names, item->depth, &name);
		folder = array_append_space(&copy->folders);
		folder->src = *item;
		folder->name = name;
		folder->display = item->depth == 0 ? top_name : item->name;
		t_array_init(&folder->states[0], 8);
		t_array_init(&folder->states[1], 8);
		ret = mapi_folder_vname_check(copy->dest,
					      copied_vname(copy, folder));
		if (ret == EC_NONE) {
			ret = mapi_folder_vname_check(copy->dest,
						      copied_temp(copy, folder));
		}
		if (ret != EC_NONE)
			return ret;
	}
	return EC_NONE;
}

enum mapi_error
mapi_folder_copy_run(struct mapi_folder_copy *copy,
		     const struct mapi_folder_node *node,
		     const struct mapi_folder_node *dest, const char *name)
{
	struct mapi_folder_copied *folder;
	uint32_t rights = mapi_folder_rights(copy->dest, dest);
	uint32_t acl = mapi_folder_acl(copy->dest, dest);
	enum mapi_error ret;

	copy->parent_number = mapi_folder_fid_to_number(dest->fid);
	copy->owned = (rights & RIGHTS_FOLDER_OWNER) != 0;
	copy->permissions = copy->move && copy->src != copy->dest &&
		copy->src->acl != NULL && copy->dest->acl != NULL &&
		(acl & MAPI_ACL_ADMIN) != 0;
	copy->temp = mapi_companion_vname(copy->dest->companion,
		t_strdup_printf(MAPI_COMPANION_COPY_PREFIX"%08x", i_rand()));
	ret = mapi_folder_child_vname(copy->dest, dest, name, NULL,
				      &copy->vname);
	if (ret == EC_NONE && ((acl & MAPI_ACL_CREATE) == 0 ||
			       (acl & MAPI_ACL_INSERT) == 0))
		ret = EC_ACCESS_DENIED;
	if (ret == EC_NONE)
		ret = copy_prepare(copy, node, t_strdup(name));
	if (ret != EC_NONE)
		return ret;
	array_foreach_modifiable(&copy->folders, folder) {
		ret = copy_folder(copy, folder);
		if (ret != EC_NONE)
			break;
	}
	if (ret == EC_NONE)
		ret = copy_show(copy);
	if (ret != EC_NONE) {
		copy_abandon(copy);
		return ret;
	}
	return mapi_folder_tree_refresh(copy->dest);
}
