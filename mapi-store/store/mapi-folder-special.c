/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "store-compat.h"
#include "mapi-acl.h"
#include "mapi-store-private.h"

/* The special folders, [MS-OXOSFLD]. Those that a user of other protocols has
   no use for (Root, the views, Outbox, ...) are internal: they are only numbers
   in the allocation log, and mailboxes in the companion tree once there's
   something to keep in them. The others are ordinary mailboxes of the user.

   Which mailbox it is that is, say, Sent Items, is looked for once:
   by special use attribute, which the administrator's configuration or a client
   gave it, then by the names that IMAP clients commonly use; if there's none it
   is created. From then on the allocation log remembers the folder, so that it
   may be renamed at will. If it's deleted over IMAP, one that fits is looked for
   again; it is created anew only if no client can live without it (Sent and
   Deleted Items, which RopLogon has to return): whoever deleted Journal did so
   for a reason, and Outlook itself creates what it needs.

   A mailbox with mail in it isn't adopted as calendar, however it is called. */

#define NAMES(...) (const char *const []) { __VA_ARGS__, NULL }

const struct mapi_special_info mapi_special_infos[MAPI_SPECIAL_COUNT] = {
	[MAPI_SPECIAL_ROOT] = {
		.key = "root", .display_name = "Root Container",
		.container_class = "", .internal = TRUE,
		.parent = MAPI_SPECIAL_NONE },
	[MAPI_SPECIAL_DEFERRED_ACTION] = {
		.key = "deferred-action", .display_name = "Deferred Action",
		.container_class = "", .internal = TRUE, .mailbox = TRUE,
		.parent = MAPI_SPECIAL_ROOT },
	[MAPI_SPECIAL_SPOOLER_QUEUE] = {
		.key = "spooler-queue", .display_name = "Spooler Queue",
		.container_class = "", .internal = TRUE,
		.parent = MAPI_SPECIAL_ROOT },
	[MAPI_SPECIAL_IPM_SUBTREE] = {
		.key = "ipm-subtree",
		.display_name = "Top of Information Store",
		.container_class = "", .internal = TRUE,
		.parent = MAPI_SPECIAL_ROOT },
	[MAPI_SPECIAL_INBOX] = {
		.key = "inbox", .display_name = "Inbox",
		.container_class = "IPF.Note",
		.mandatory = TRUE, .mail = TRUE,
		.names = NAMES("INBOX") },
	[MAPI_SPECIAL_OUTBOX] = {
		.key = "outbox", .display_name = "Outbox",
		.container_class = "IPF.Note", .internal = TRUE,
		.mailbox = TRUE, .mail = TRUE,
		.parent = MAPI_SPECIAL_IPM_SUBTREE },
	[MAPI_SPECIAL_SENT_ITEMS] = {
		.key = "sent-items", .display_name = "Sent Items",
		.container_class = "IPF.Note",
		.mandatory = TRUE, .mail = TRUE, .special_use = "\\Sent",
		.names = NAMES("Sent", "Sent Items", "Sent Messages",
			       "Sent Mail", "Sent-Mail") },
	[MAPI_SPECIAL_DELETED_ITEMS] = {
		.key = "deleted-items", .display_name = "Deleted Items",
		.container_class = "IPF.Note",
		.mandatory = TRUE, .mail = TRUE, .special_use = "\\Trash",
		.names = NAMES("Trash", "Deleted Items", "Deleted Messages",
			       "Deleted") },
	[MAPI_SPECIAL_COMMON_VIEWS] = {
		.key = "common-views", .display_name = "Common Views",
		.container_class = "", .internal = TRUE,
		.parent = MAPI_SPECIAL_ROOT },
	[MAPI_SPECIAL_SCHEDULE] = {
		.key = "schedule", .display_name = "Schedule",
		.container_class = "", .internal = TRUE,
		.parent = MAPI_SPECIAL_ROOT },
	[MAPI_SPECIAL_FINDER] = {
		.key = "finder", .display_name = "Finder",
		.container_class = "", .internal = TRUE,
		.parent = MAPI_SPECIAL_ROOT },
	[MAPI_SPECIAL_VIEWS] = {
		.key = "views", .display_name = "Views",
		.container_class = "", .internal = TRUE,
		.parent = MAPI_SPECIAL_ROOT },
	[MAPI_SPECIAL_SHORTCUTS] = {
		.key = "shortcuts", .display_name = "Shortcuts",
		.container_class = "", .internal = TRUE,
		.parent = MAPI_SPECIAL_ROOT },
	[MAPI_SPECIAL_DRAFTS] = {
		.key = "drafts", .display_name = "Drafts",
		.container_class = "IPF.Note",
		.mail = TRUE, .special_use = "\\Drafts",
		.names = NAMES("Drafts") },
	[MAPI_SPECIAL_JUNK] = {
		.key = "junk", .display_name = "Junk Email",
		.container_class = "IPF.Note",
		.mail = TRUE, .special_use = "\\Junk",
		.names = NAMES("Junk", "Junk Email", "Junk E-mail", "Spam") },
	[MAPI_SPECIAL_CALENDAR] = {
		.key = "calendar", .display_name = "Calendar",
		.container_class = "IPF.Appointment",
		.names = NAMES("Calendar", "Calendar (Outlook)") },
	[MAPI_SPECIAL_CONTACTS] = {
		.key = "contacts", .display_name = "Contacts",
		.container_class = "IPF.Contact",
		.names = NAMES("Contacts", "Contacts (Outlook)") },
	[MAPI_SPECIAL_JOURNAL] = {
		.key = "journal", .display_name = "Journal",
		.container_class = "IPF.Journal",
		.names = NAMES("Journal", "Journal (Outlook)") },
	[MAPI_SPECIAL_NOTES] = {
		.key = "notes", .display_name = "Notes",
		.container_class = "IPF.StickyNote",
		.names = NAMES("Notes", "Notes (Outlook)") },
	[MAPI_SPECIAL_TASKS] = {
		.key = "tasks", .display_name = "Tasks",
		.container_class = "IPF.Task",
		.names = NAMES("Tasks", "Tasks (Outlook)") },
	[MAPI_SPECIAL_FREEBUSY_DATA] = {
		.key = "freebusy-data", .display_name = "Freebusy Data",
		.container_class = "", .internal = TRUE, .mailbox = TRUE,
		.parent = MAPI_SPECIAL_ROOT },
};

uint32_t mapi_special_number(struct mapi_store *store,
			     enum mapi_special_folder special)
{
	const struct mapi_special_info *info = &mapi_special_infos[special];
	const struct mapi_idlog_rec *rec;
	uint32_t number;

	if (info->internal) {
		rec = mapi_idlog_find(store->log, MAPI_LOG_SPECIAL, info->key);
		return rec == NULL ? 0 : rec->number;
	}
	rec = mapi_idlog_find(store->log, MAPI_LOG_SPECIAL_FOLDER, info->key);
	if (rec == NULL || str_to_uint32(rec->value, &number) < 0)
		return 0;
	return number;
}

enum mapi_error mapi_special_internal_allot(struct mapi_store *store)
{
	struct mapi_idlog_new recs[MAPI_SPECIAL_COUNT];
	const struct mapi_special_info *info;
	unsigned int i, count = 0;
	enum mapi_error ret;

	i_zero(&recs);
	for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
		info = &mapi_special_infos[i];
		if (!info->internal)
			continue;
		recs[count].type = MAPI_IDLOG_CLAIM;
		recs[count].kind = MAPI_LOG_SPECIAL;
		recs[count].key = info->key;
		recs[count].value = "";
		recs[count++].subject = t_strdup_printf(
			"number of the MAPI folder %s", info->display_name);
	}
	ret = mapi_idlog_write(store->log, recs, count);
	return ret;
}

/* --- mailboxes of the user ----------------------------------------------- */

struct special_search {
	struct mapi_store *store;
	struct mail_namespace *ns;
	const ARRAY_TYPE(mapi_tree_mailbox) *mailboxes;
	/* folder numbers that are taken by a special folder */
	uint32_t used[MAPI_SPECIAL_COUNT];
};

static const char *
special_vname(const struct special_search *search, const char *name)
{
	if (strcmp(name, "INBOX") == 0)
		return name;
	return t_strconcat(search->ns->prefix, name, NULL);
}

static bool
special_is_free(const struct special_search *search,
		const struct mapi_tree_mailbox *mbox)
{
	unsigned int i;

	if (mbox->noselect)
		return FALSE;
	for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
		if (search->used[i] == mbox->number)
			return FALSE;
	}
	return TRUE;
}

static const struct mapi_tree_mailbox *
special_find_number(const struct special_search *search, uint32_t number)
{
	const struct mapi_tree_mailbox *mbox;

	array_foreach(search->mailboxes, mbox) {
		if (mbox->number == number && !mbox->noselect)
			return mbox;
	}
	return NULL;
}

static const struct mapi_tree_mailbox *
special_find_vname(const struct special_search *search, const char *vname)
{
	const struct mapi_tree_mailbox *mbox;

	array_foreach(search->mailboxes, mbox) {
		if (strcasecmp(mbox->vname, vname) == 0)
			return mbox;
	}
	return NULL;
}

static bool
special_mailbox_is_empty(const struct special_search *search,
			 const struct mapi_tree_mailbox *mbox)
{
	struct mailbox_status status;
	struct mailbox *box;
	bool ret;

	box = mailbox_alloc(search->ns->list, mbox->vname,
			    MAILBOX_FLAG_READONLY);
	ret = mailbox_get_status(box, STATUS_MESSAGES, &status) == 0 &&
		status.messages == 0;
	mailbox_free(&box);
	return ret;
}

static const struct mapi_tree_mailbox *
special_find(const struct special_search *search,
	     const struct mapi_special_info *info)
{
	const struct mapi_tree_mailbox *mbox;
	const char *const *name;

	if (info->special_use != NULL) {
		array_foreach(search->mailboxes, mbox) {
			if (mbox->special_use != NULL &&
			    str_array_icase_find(
				t_strsplit_spaces(mbox->special_use, " "),
				info->special_use) &&
			    special_is_free(search, mbox))
				return mbox;
		}
	}
	for (name = info->names; *name != NULL; name++) {
		mbox = special_find_vname(search, special_vname(search, *name));
		if (mbox != NULL && special_is_free(search, mbox) &&
		    (info->mail || special_mailbox_is_empty(search, mbox)))
			return mbox;
	}
	return NULL;
}

static bool
special_create_vname(struct special_search *search,
		     const struct mapi_special_info *info, const char *vname)
{
	struct mailbox *box;
	bool ret = TRUE;

	box = mailbox_alloc(search->ns->list, vname, 0);
	if (mailbox_create(box, NULL, FALSE) < 0 &&
	    mailbox_get_last_mail_error(box) != MAIL_ERROR_EXISTS) {
		/* One that can't be created shouldn't keep the user from all
		   of his mail. */
		e_error(search->store->user->event,
			"mapi: Couldn't create mailbox %s for %s: %s",
			vname, info->display_name,
			mailbox_get_last_internal_error(box, NULL));
		ret = FALSE;
	} else if (info->mail) {
		/* IMAP clients have no use for the others */
		(void)mailbox_set_subscribed(box, TRUE);
	}
	mailbox_free(&box);
	return ret;
}

/* Whether a mailbox of this name can be created. One that can't be selected
   only has others below it, or another session is just creating it. */
static bool
special_vname_is_free(const struct special_search *search, const char *vname)
{
	const struct mapi_tree_mailbox *mbox =
		special_find_vname(search, vname);

	return mbox == NULL || mbox->noselect;
}

static bool
special_create(struct special_search *search,
	       const struct mapi_special_info *info)
{
	const char *name = NULL, *vname;
	unsigned int i;

	if (info->special_use != NULL) {
		name = store_compat_configured_mailbox(search->ns,
						       info->special_use);
	}
	if (name != NULL &&
	    special_vname_is_free(search, special_vname(search, name))) {
		return special_create_vname(search, info,
					    special_vname(search, name));
	}
	for (i = 0; info->names[i] != NULL; i++) {
		vname = special_vname(search, info->names[i]);
		if (special_vname_is_free(search, vname))
			return special_create_vname(search, info, vname);
	}
	e_error(search->store->user->event,
		"mapi: There's no free mailbox name for %s",
		info->display_name);
	return FALSE;
}

static enum mapi_error
special_folders_find(struct mapi_store *store,
		     const ARRAY_TYPE(mapi_tree_mailbox) *mailboxes,
		     bool *created_r)
{
	struct special_search search;
	struct mapi_idlog_new recs[MAPI_SPECIAL_COUNT];
	const struct mapi_tree_mailbox *mbox;
	const struct mapi_special_info *info;
	unsigned int i, count = 0;
	uint32_t number;

	*created_r = FALSE;
	i_zero(&search);
	i_zero(&recs);
	search.store = store;
	search.ns = store->companion->ns;
	search.mailboxes = mailboxes;

	/* first what is known, so that nothing gets a second role */
	for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
		if (mapi_special_infos[i].internal)
			continue;
		number = mapi_special_number(store, i);
		if (number != 0 && special_find_number(&search, number) != NULL)
			search.used[i] = number;
	}
	for (i = 0; i < MAPI_SPECIAL_COUNT; i++) {
		info = &mapi_special_infos[i];
		if (info->internal || search.used[i] != 0)
			continue;
		mbox = special_find(&search, info);
		if (mbox == NULL) {
			if ((mapi_special_number(store, i) == 0 ||
			     info->mandatory) &&
			    special_create(&search, info))
				*created_r = TRUE;
			continue;
		}
		search.used[i] = mbox->number;
		recs[count].type = MAPI_IDLOG_NOTE;
		recs[count].kind = MAPI_LOG_SPECIAL_FOLDER;
		recs[count].key = info->key;
		recs[count].value = t_strdup_printf("%u", mbox->number);
		recs[count++].subject = t_strdup_printf("%s is mailbox %s",
			info->display_name, mbox->vname);
	}
	return mapi_idlog_write(store->log, recs, count);
}

/* They are the mailbox's, whoever is the first to need them. */
enum mapi_error
mapi_special_folders_find(struct mapi_store *store,
			  const ARRAY_TYPE(mapi_tree_mailbox) *mailboxes,
			  bool *created_r)
{
	enum mapi_error ret;

	mapi_acl_suspend(store->acl);
	ret = special_folders_find(store, mailboxes, created_r);
	mapi_acl_resume(store->acl);
	return ret;
}
