/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When and by whom a message has been modified last, and who has created it.
   [MS-OXCMSG] 2.2.1.31, 2.2.1.32, 2.2.1.51, 2.2.2.2; [MS-OXCPRPT] 2.2.1.5

   A bag says it of the one who has saved it: the time, and who it was if that
   wasn't the mailbox's owner. Changes of flags alone write no bag: they leave the
   time in an index extension, which goes along with copies. IMAP clients' changes do
   that, too, where the mail plugin is loaded, but don't say who they are. Where the
   extension is lost (a dbox whose index is rebuilt), such changes haven't changed the
   time.

   Reading a message isn't modifying it, nor is marking it as deleted.

   Who has created a message is in its bag, but isn't a property there
   (mapi-bags.c): it gives rights. */

#include "lib.h"
#include "mail-user.h"
#include "time-util.h"
#include "store-compat.h"
#include "mapi-bags.h"
#include "mapi-dumpster.h"
#include "mapi-entryid.h"
#include "mapi-folder-rights.h"
#include "mapi-mail.h"
#include "mapi-mailprops-private.h"
#include "mapi-store-directory.h"
#include "mapi-store-private.h"

#define EXT_NAME "mapi-modified"

static uint32_t modified_ext_id(struct mailbox *box)
{
	/* a PtypTime */
	return mail_index_ext_register(box->index, EXT_NAME, 0,
				       sizeof(uint64_t), sizeof(uint64_t));
}

void mapi_mail_set_modified(struct mail *mail, uint64_t filetime)
{
	mail_index_update_ext(mail->transaction->itrans, mail->seq,
			      modified_ext_id(mail->box), &filetime, NULL);
}

void mapi_mail_flags_changed(struct mail *mail)
{
	struct timeval now;

	if (!mapi_blocks_are_known(mail->box))
		return;
	i_gettimeofday(&now);
	mapi_mail_set_modified(mail, mapi_time_from_unix(now.tv_sec,
							 now.tv_usec * 1000));
}

/* 0 if it isn't said */
static uint64_t mail_get_modified(struct mail *mail)
{
	uint64_t filetime = 0;
	const void *data;
	bool expunged;

	mail_index_lookup_ext(mail->transaction->view, mail->seq,
			      modified_ext_id(mail->box), &data, &expunged);
	if (data != NULL)
		memcpy(&filetime, data, sizeof(filetime));
	return filetime;
}

void mapi_mail_copy_modified(struct mail *mail,
			     struct mailbox_transaction_context *dest_trans)
{
	uint64_t filetime = mail_get_modified(mail);
	uint32_t seq = mail_index_view_get_messages_count(dest_trans->view);

	/* other plugins may have put the copy elsewhere */
	if (filetime == 0 ||
	    seq <= mail_index_view_get_messages_count(dest_trans->box->view))
		return;
	mail_index_update_ext(dest_trans->itrans, seq,
			      modified_ext_id(dest_trans->box), &filetime,
			      NULL);
}

/* When a client has saved the message last; 0 if none has */
static uint64_t mailprop_modified(struct mapi_message_view *view)
{
	const struct mapi_value *value = view->overlay == NULL ? NULL :
		mapi_propset_get(view->overlay->props,
				 PIDTAG_LAST_MODIFICATION_TIME);
	uint64_t filetime = mail_get_modified(view->mail);

	return value == NULL ? filetime : I_MAX(filetime, value->u.time);
}

static enum mapi_error
mailprop_get_modified(struct mapi_message_view *view,
		      const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		      struct mapi_value *value_r)
{
	uint64_t filetime = 0;
	time_t saved;
	int ret;

	/* Outlook's "Recover Deleted Items" shows this as the time of the
	   deletion. */
	ret = mapi_dumpster_get_deleted(view->folder, view->mail, &saved);
	if (ret == 0)
		filetime = mailprop_modified(view);
	if (filetime == 0) {
		if (ret == 0)
			ret = mail_get_save_date(view->mail, &saved);
		if (ret < 0)
			return mapi_message_view_error(view);
		filetime = mapi_time_from_unix(saved, 0);
	}
	*value_r = mapi_value_time(filetime);
	return EC_NONE;
}

/* Others than the owner are in the bag. */
static enum mapi_error
mailprop_get_modifier(struct mapi_message_view *view,
		      const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		      struct mapi_value *value_r)
{
	const struct mapi_store_settings *set =
		mapi_store_settings_get(view->store);
	const char *name = set->display_name;

	if (mailprop_modified(view) == 0)
		return EC_NOT_FOUND;
	if (name == NULL || *name == '\0')
		name = set->email_address;
	if (name == NULL || *name == '\0')
		return EC_NOT_FOUND;
	*value_r = mapi_value_str(talloc_strdup(mem, name));
	return EC_NONE;
}

static enum mapi_error
mailprop_get_modifier_entryid(struct mapi_message_view *view,
			      const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			      struct mapi_value *value_r)
{
	struct mapi_binary bin;

	if (mailprop_modified(view) == 0)
		return EC_NOT_FOUND;
	bin = mapi_addressbook_entry_id_build(mem, MAPI_AB_LOCAL_USER,
					      mapi_store_owner_dn(view->store));
	*value_r = mapi_value_bin(bin.data, bin.len);
	return EC_NONE;
}

/* The session's user and the owner are known also without a directory. Strings are
   the store's, the directory's until it's asked again, or mem's. */
static void
creator_get_names(struct mapi_store *store, TALLOC_CTX *mem,
		  const char *username, struct mapi_store_sender *names_r)
{
	struct mapi_directory_question question = {
		.key = MAPI_DIRECTORY_USERNAME, .value = username,
	};
	struct mapi_directory *dir = store->set->directory;

	i_zero(names_r);
	if (strcmp(username, mapi_store_username(store)) == 0)
		mapi_store_get_sender(store, names_r);
	else if (strcmp(username, store->user->username) == 0) {
		names_r->name = store->set->display_name;
		names_r->dn = mapi_store_owner_dn(store);
	} else if (dir != NULL) {
		dir->lookup(dir, &question, 1);
		if (question.object != NULL) {
			names_r->name = question.object->name;
			names_r->dn = question.object->legacy_dn;
		}
	}
	if (names_r->name == NULL || *names_r->name == '\0')
		names_r->name = username;
	if (names_r->dn == NULL) {
		names_r->dn = mapi_store_username_to_dn(store->set, mem,
							username);
	}
}

static struct mapi_value
creator_get_value(struct mapi_store *store, TALLOC_CTX *mem,
		  const char *username, uint32_t tag)
{
	struct mapi_store_sender names;
	struct mapi_binary bin;

	creator_get_names(store, mem, username, &names);
	if (tag == PIDTAG_CREATOR_NAME)
		return mapi_value_str(talloc_strdup(mem, names.name));
	bin = mapi_addressbook_entry_id_build(mem, MAPI_AB_LOCAL_USER,
					      names.dn);
	return mapi_value_bin(bin.data, bin.len);
}

static enum mapi_error
mailprop_get_creator(struct mapi_message_view *view,
		     const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		     struct mapi_value *value_r)
{
	const char *creator = mapi_bags_find_creator(
		mapi_folder_bags(view->folder, view->associated), view->mail);

	if (creator == NULL)
		return EC_NOT_FOUND;
	*value_r = creator_get_value(view->store, mem, creator, prop->tag);
	return EC_NONE;
}

#define I(tag, get, ...) \
	{ PIDTAG_##tag, mailprop_get_##get, 0, __VA_ARGS__, \
	  .flags = MAILPROP_STORED }

const struct mapi_mailprop mapi_mailprops_modified[] = {
	I(LAST_MODIFICATION_TIME, modified, MAIL_FETCH_SAVE_DATE),
	I(LAST_MODIFIER_NAME, modifier, 0),
	I(LAST_MODIFIER_ENTRY_ID, modifier_entryid, 0),
	I(CREATOR_NAME, creator, 0),
	I(CREATOR_ENTRY_ID, creator, 0),
	{ 0 }
};

/* --- saving ----------------------------------------------------------------- */

void mapi_creator_set(struct mapi_store *store, struct mapi_propset *props)
{
	static const uint32_t tags[] = {
		PIDTAG_CREATOR_NAME, PIDTAG_CREATOR_ENTRY_ID,
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_value value;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tags); i++) {
		value = creator_get_value(store, mem,
					  mapi_store_username(store), tags[i]);
		(void)mapi_propset_set_value(props, tags[i], &value);
	}
	talloc_free(mem);
}

/* What the bag says of it; FALSE: nothing, it's the owner */
static bool
modifier_get(struct mapi_store *store, struct mapi_store_sender *modifier_r)
{
	if (!mapi_store_is_delegate(store))
		return FALSE;
	mapi_store_get_sender(store, modifier_r);
	if (modifier_r->name == NULL || *modifier_r->name == '\0')
		modifier_r->name = mapi_store_settings_get(store)->delegate;
	return TRUE;
}

bool mapi_modifier_is_other(struct mapi_store *store,
			    const struct mapi_overlay *overlay)
{
	struct mapi_store_sender modifier;

	return null_strcmp(overlay == NULL ? NULL :
			   mapi_propset_get_string(overlay->props,
						   PIDTAG_LAST_MODIFIER_NAME),
			   modifier_get(store, &modifier) ?
			   modifier.name : NULL) != 0;
}

void mapi_modified_set(struct mapi_store *store, struct mapi_propset *props,
		       uint64_t filetime)
{
	struct mapi_value value = mapi_value_time(filetime);
	struct mapi_store_sender modifier;
	struct mapi_binary bin;
	TALLOC_CTX *mem;

	(void)mapi_propset_set_value(props, PIDTAG_LAST_MODIFICATION_TIME,
				     &value);
	mapi_propset_remove(props, PIDTAG_LAST_MODIFIER_NAME);
	mapi_propset_remove(props, PIDTAG_LAST_MODIFIER_ENTRY_ID);
	if (!modifier_get(store, &modifier))
		return;
	value = mapi_value_str(modifier.name);
	(void)mapi_propset_set_value(props, PIDTAG_LAST_MODIFIER_NAME, &value);
	mem = talloc_new(NULL);
	bin = mapi_addressbook_entry_id_build(mem, MAPI_AB_LOCAL_USER,
					      modifier.dn);
	value = mapi_value_bin(bin.data, bin.len);
	(void)mapi_propset_set_value(props, PIDTAG_LAST_MODIFIER_ENTRY_ID,
				     &value);
	talloc_free(mem);
}
