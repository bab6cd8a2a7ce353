/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Properties that Dovecot's index knows: identity, flags, keywords, dates,
   sizes, rights. */

#include "lib.h"
#include "str.h"
#include "guid.h"
#include "mail-storage.h"
#include "mapi-categories.h"
#include "mapi-changes.h"
#include "mapi-dumpster.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-mailprops-flags.h"
#include "mapi-mailprops-private.h"
#include "mapi-message-write.h"
#include "mapi-receipt.h"
#include "mapi-submit.h"
#include "mapi-wire.h"

/* not in [MS-OXPROPS], but asked for by Outlook in online mode */
#define TAG_PREVIEW MAPI_TAG(0x3FD9, PTYP_STRING)

static mapi_id_t mailprop_mid(struct mapi_message_view *view)
{
	return mapi_folder_mid(view->folder, view->associated, view->mail->uid);
}

static mapi_id_t mailprop_cn(struct mapi_message_view *view)
{
	return mapi_folder_cn(view->folder, view->associated,
			      mapi_mail_content_modseq(view->mail));
}

/* What a client has changed of a message and not saved yet has the flags and the
   identity that the message has. */
static struct mapi_message_view *mailprop_stored(struct mapi_message_view *view)
{
	return view->stored != NULL ? view->stored : view;
}

static enum mail_flags mailprop_flags(struct mapi_message_view *view)
{
	enum mail_flags flags;

	view = mailprop_stored(view);
	/* an embedded message was sent and will not be marked as anything */
	if (view->mail == NULL)
		return MAIL_SEEN;
	flags = mail_get_flags(view->mail);
	if (view->read_changed)
		flags = (flags & ~MAIL_SEEN) | (view->read ? MAIL_SEEN : 0);
	return flags;
}

static enum mapi_error
mailprop_wants_receipt(struct mapi_message_view *view, TALLOC_CTX *mem,
		       bool *yes_r)
{
	struct mapi_value value;
	enum mapi_error error;

	*yes_r = FALSE;
	error = mapi_mailprop_from_mime(view, mem, PIDTAG_READ_RECEIPT_REQUESTED,
				   &value);
	if (error == EC_NOT_FOUND)
		return EC_NONE;
	if (error == EC_NONE)
		*yes_r = value.u.b;
	return error;
}

static bool mailprop_has_keyword(struct mapi_message_view *view,
				 const char *keyword)
{
	view = mailprop_stored(view);
	return view->mail != NULL &&
		str_array_icase_find(mail_get_keywords(view->mail), keyword);
}

static bool mailprop_is_forwarded(struct mapi_message_view *view)
{
	return mailprop_has_keyword(view, "$Forwarded") ||
		mailprop_has_keyword(view, "Forwarded");
}

/* arg: what id */
enum { ID_MID, ID_FID, ID_CN };

static enum mapi_error
mailprop_get_id(struct mapi_message_view *view,
		const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		struct mapi_value *value_r)
{
	*value_r = mapi_value_id(prop->arg == ID_MID ? mailprop_mid(view) :
				 prop->arg == ID_FID ? view->folder->fid :
				 mailprop_cn(view));
	return EC_NONE;
}

static enum mapi_error
mailprop_get_gid(struct mapi_message_view *view,
		 const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		 struct mapi_value *value_r)
{
	*value_r = mapi_store_gid(view->store, mem,
				  prop->arg == ID_MID ? mailprop_mid(view) :
				  prop->arg == ID_FID ? view->folder->fid :
				  mailprop_cn(view));
	return EC_NONE;
}

static enum mapi_error
mailprop_get_pcl(struct mapi_message_view *view,
		 const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		 struct mapi_value *value_r)
{
	*value_r = mapi_store_pcl(view->store, mem, mailprop_cn(view));
	return EC_NONE;
}

static enum mapi_error
mailprop_get_entryid(struct mapi_message_view *view,
		     const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		     struct mapi_value *value_r)
{
	if (prop->arg == ID_FID)
		*value_r = mapi_store_folder_entryid(view->store, mem,
						     view->folder->fid);
	else
		*value_r = mapi_store_message_entryid(view->store, mem,
						      view->folder->fid,
						      mailprop_mid(view));
	return EC_NONE;
}

static enum mapi_error
mailprop_get_store_guid(struct mapi_message_view *view,
			const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			struct mapi_value *value_r)
{
	const struct mapi_guid *guid =
		prop->tag == PIDTAG_MAPPING_SIGNATURE ?
		mapi_store_replica_guid(view->store) :
		mapi_store_mailbox_guid(view->store);

	*value_r = mapi_value_bin(talloc_memdup(mem, guid, sizeof(*guid)),
				  sizeof(*guid));
	return EC_NONE;
}

/* The same for all copies of a message, as the GUID is. [MS-OXCPRPT] 2.2.1.9 */
static enum mapi_error
mailprop_get_search_key(struct mapi_message_view *view,
			const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			struct mapi_value *value_r)
{
	struct mail *mail = mailprop_stored(view)->mail;
	struct mapi_value value;
	const char *str;
	enum mapi_error error;
	guid_128_t guid;

	if (mail == NULL) {
		error = mapi_mailprop_from_mime(view, mem,
					   PIDTAG_INTERNET_MESSAGE_ID, &value);
		if (error != EC_NONE)
			return error;
		str = value.u.str;
	} else if (mail_get_special(mail, MAIL_FETCH_GUID, &str) < 0)
		return mapi_message_view_error(mailprop_stored(view));
	mail_generate_guid_128_hash(str, guid);
	*value_r = mapi_value_bin(talloc_memdup(mem, guid, sizeof(guid)),
				  sizeof(guid));
	return EC_NONE;
}

static enum mapi_error
mailprop_get_uid(struct mapi_message_view *view,
		 const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		 struct mapi_value *value_r)
{
	*value_r = mapi_value_i32(view->mail->uid);
	return EC_NONE;
}

/* PidTagSubmitFlags: as if the spooler of MAPI had it; not if it's only held, since
   Outlook doesn't let users take back what is locked */
static enum mapi_error
mailprop_get_submit_flags(struct mapi_message_view *view,
			  const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			  struct mapi_value *value_r)
{
	if (!mailprop_has_keyword(view, MAPI_KEYWORD_SUBMIT_PENDING) ||
	    mailprop_has_keyword(view, MAPI_KEYWORD_HELD))
		return EC_NOT_FOUND;
	*value_r = mapi_value_i32(SUBMITFLAG_LOCKED);
	return EC_NONE;
}

static enum mapi_error
mailprop_get_message_flags(struct mapi_message_view *view,
			   const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			   struct mapi_value *value_r)
{
	enum mail_flags mail_flags = mailprop_flags(view);
	int32_t flags = MSGFLAG_UNMODIFIED;
	enum mapi_error error;
	bool yes;

	if ((mail_flags & MAIL_SEEN) != 0)
		flags |= MSGFLAG_READ | MSGFLAG_EVER_READ;
	if ((mail_flags & MAIL_DRAFT) != 0) {
		flags |= MSGFLAG_UNSENT;
		flags &= ~MSGFLAG_UNMODIFIED;
	}
	if (mailprop_has_keyword(view, MAPI_KEYWORD_SUBMIT_PENDING))
		flags |= MSGFLAG_SUBMITTED;
	if (mailprop_has_keyword(view, MAPI_KEYWORD_RESEND))
		flags |= MSGFLAG_RESEND;
	if (view->associated)
		flags |= MSGFLAG_FAI;
	error = mapi_message_view_has_attachments(view, &yes);
	if (error != EC_NONE)
		return error;
	if (yes)
		flags |= MSGFLAG_HAS_ATTACH;
	error = mapi_mailprop_is_from_me(view, mem, &yes);
	if (error != EC_NONE)
		return error;
	if (yes)
		flags |= MSGFLAG_FROM_ME;
	if ((flags & MSGFLAG_READ) == 0 && (flags & MSGFLAG_UNSENT) == 0) {
		error = mailprop_wants_receipt(view, mem, &yes);
		if (error != EC_NONE)
			return error;
		if (yes && !mailprop_stored(view)->receipt_cancelled &&
		    !mailprop_has_keyword(view, MAPI_KEYWORD_MDN_SENT))
			flags |= MSGFLAG_NOTIFY_READ;
	}
	*value_r = mapi_value_i32(flags);
	return EC_NONE;
}

static enum mapi_error
mailprop_get_read(struct mapi_message_view *view,
		  const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		  struct mapi_value *value_r)
{
	*value_r = mapi_value_bool((mailprop_flags(view) & MAIL_SEEN) != 0);
	return EC_NONE;
}

static enum mapi_error
mailprop_get_status(struct mapi_message_view *view,
		    const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		    struct mapi_value *value_r)
{
	view = mailprop_stored(view);
	*value_r = mapi_value_i32(view->mail == NULL ? 0 :
		(int32_t)mapi_message_keywords_status(
			mail_get_keywords(view->mail)));
	return EC_NONE;
}

static enum mapi_error
mailprop_get_associated(struct mapi_message_view *view,
			const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			struct mapi_value *value_r)
{
	*value_r = mapi_value_bool(view->associated);
	return EC_NONE;
}

/* arg: the number */
static enum mapi_error
mailprop_get_const_i32(struct mapi_message_view *view,
		       const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		       struct mapi_value *value_r)
{
	*value_r = mapi_value_i32(prop->arg);
	return EC_NONE;
}

static enum mapi_error
mailprop_get_false(struct mapi_message_view *view,
		   const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		   struct mapi_value *value_r)
{
	*value_r = mapi_value_bool(FALSE);
	return EC_NONE;
}

static enum mapi_error
mailprop_get_true(struct mapi_message_view *view,
		  const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		  struct mapi_value *value_r)
{
	*value_r = mapi_value_bool(TRUE);
	return EC_NONE;
}

static enum mapi_error
mailprop_get_size(struct mapi_message_view *view,
		  const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		  struct mapi_value *value_r)
{
	enum mapi_error error;
	uint64_t size;

	error = mapi_message_view_size(view, &size);
	if (error != EC_NONE)
		return error;
	if (MAPI_TAG_TYPE(prop->tag) == PTYP_INTEGER64)
		*value_r = mapi_value_i64(size);
	else
		*value_r = mapi_value_i32(I_MIN(size, INT32_MAX));
	return EC_NONE;
}

static enum mapi_error
mailprop_get_received(struct mapi_message_view *view,
		      const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		      struct mapi_value *value_r)
{
	time_t t;

	if (mail_get_received_date(view->mail, &t) < 0)
		return mapi_message_view_error(view);
	*value_r = mapi_value_time(mapi_time_from_unix(t, 0));
	return EC_NONE;
}

/* When the message came into this folder. Nobody records when flags were
   changed, so that is also the last time of modification that is known. */
static enum mapi_error
mailprop_get_saved(struct mapi_message_view *view,
		   const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		   struct mapi_value *value_r)
{
	time_t t;

	if (mail_get_save_date(view->mail, &t) < 0)
		return mapi_message_view_error(view);
	*value_r = mapi_value_time(mapi_time_from_unix(t, 0));
	return EC_NONE;
}

static enum mapi_error
mailprop_get_deleted_on(struct mapi_message_view *view,
			const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			struct mapi_value *value_r)
{
	time_t t;
	int ret;

	ret = mapi_dumpster_get_deleted(view->folder, view->mail, &t);
	if (ret <= 0)
		return ret == 0 ? EC_NOT_FOUND : mapi_message_view_error(view);
	*value_r = mapi_value_time(mapi_time_from_unix(t, 0));
	return EC_NONE;
}

static uint32_t mailprop_access(struct mapi_message_view *view)
{
	view = mailprop_stored(view);
	while (view->mail == NULL && view->outer != NULL)
		view = view->outer;
	/* what isn't stored is being made */
	if (view->mail == NULL)
		return MAPI_ACCESS_READ | MAPI_ACCESS_MODIFY;
	return mapi_mail_access(view->folder, view->associated, view->mail);
}

/* [MS-OXCPRPT] 2.2.1.1; of new messages [MS-OXCMSG] 3.2.5.2 */
static enum mapi_error
mailprop_get_access(struct mapi_message_view *view,
		    const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		    struct mapi_value *value_r)
{
	*value_r = mapi_value_i32(mailprop_access(view));
	return EC_NONE;
}

static enum mapi_error
mailprop_get_access_level(struct mapi_message_view *view,
			  const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			  struct mapi_value *value_r)
{
	*value_r = mapi_value_i32(
		(mailprop_access(view) & MAPI_ACCESS_MODIFY) != 0 ?
		ACCESS_LEVEL_MODIFY : ACCESS_LEVEL_READ_ONLY);
	return EC_NONE;
}

static enum mapi_error
mailprop_get_icon(struct mapi_message_view *view,
		  const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		  struct mapi_value *value_r)
{
	if (mailprop_is_forwarded(view))
		*value_r = mapi_value_i32(ICON_FORWARDED_MAIL);
	else if ((mailprop_flags(view) & MAIL_ANSWERED) != 0)
		*value_r = mapi_value_i32(ICON_REPLIED_MAIL);
	else
		*value_r = mapi_value_i32(ICON_NEW_MAIL);
	return EC_NONE;
}

/* Which of both was later isn't known: forwarding mostly is. */
static enum mapi_error
mailprop_get_last_verb(struct mapi_message_view *view,
		       const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		       struct mapi_value *value_r)
{
	if (mailprop_is_forwarded(view))
		*value_r = mapi_value_i32(VERB_FORWARD);
	else if ((mailprop_flags(view) & MAIL_ANSWERED) != 0)
		*value_r = mapi_value_i32(VERB_REPLY_TO_SENDER);
	else
		return EC_NOT_FOUND;
	return EC_NONE;
}

/* Flagged by an IMAP client. A MAPI client has set all that it wanted to. */
static bool mailprop_is_imap_flagged(struct mapi_message_view *view)
{
	return (mailprop_flags(view) & MAIL_FLAGGED) != 0 &&
		(view->overlay == NULL ||
		 mapi_propset_find(view->overlay->props,
				   PIDTAG_FLAG_STATUS) == NULL);
}

/* arg: value if the message is flagged */
static enum mapi_error
mailprop_get_flagged(struct mapi_message_view *view,
		     const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		     struct mapi_value *value_r)
{
	if (!mailprop_is_imap_flagged(view))
		return EC_NOT_FOUND;
	*value_r = mapi_value_i32(prop->arg);
	return EC_NONE;
}

static enum mapi_error
mailprop_get_flag_request(struct mapi_message_view *view,
			  const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			  struct mapi_value *value_r)
{
	if (!mailprop_is_imap_flagged(view))
		return EC_NOT_FOUND;
	*value_r = mapi_value_str("Follow up");
	return EC_NONE;
}

/* A user's judgement counts more than that of whoever has delivered the message.
   [MS-OXCSPAM] 2.2.1.3 */
static enum mapi_error
mailprop_get_spam_level(struct mapi_message_view *view,
			const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			struct mapi_value *value_r)
{
	if (mailprop_has_keyword(view, "$Junk") ||
	    mailprop_has_keyword(view, "Junk"))
		*value_r = mapi_value_i32(9);
	else if (mailprop_has_keyword(view, "$NotJunk") ||
		 mailprop_has_keyword(view, "NotJunk") ||
		 mailprop_has_keyword(view, "NonJunk"))
		*value_r = mapi_value_i32(-1);
	else
		return mapi_mailprop_from_mime(view, mem, prop->tag, value_r);
	return EC_NONE;
}

static enum mapi_error
mailprop_get_categories(struct mapi_message_view *view,
			const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			struct mapi_value *value_r)
{
	const char *const *keywords = mail_get_keywords(view->mail);
	const char **strings, *category;
	unsigned int i, j, count = 0;

	strings = talloc_array(mem, const char *, str_array_length(keywords));
	for (i = 0; keywords[i] != NULL; i++) {
		category = mapi_category_from_keyword(strings, keywords[i]);
		if (category == NULL)
			continue;
		/* several keywords can be the same category */
		for (j = 0; j < count; j++) {
			if (strcasecmp(strings[j], category) == 0)
				break;
		}
		if (j == count)
			strings[count++] = category;
	}
	if (count == 0)
		return EC_NOT_FOUND;
	i_zero(value_r);
	value_r->type = PTYP_MULTIPLE_STRING;
	value_r->u.mv.count = count;
	value_r->u.mv.v.str = strings;
	return EC_NONE;
}

static enum mapi_error
mailprop_get_has_attachments(struct mapi_message_view *view,
			     const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			     struct mapi_value *value_r)
{
	enum mapi_error error;
	bool has;

	error = mapi_message_view_has_attachments(view, &has);
	if (error == EC_NONE)
		*value_r = mapi_value_bool(has);
	return error;
}

/* No attachment that the user should be told of, [MS-OXCMSG] 2.2.1.14 */
static enum mapi_error
mailprop_get_smart_no_attach(struct mapi_message_view *view,
			     const struct mapi_mailprop *prop, TALLOC_CTX *mem,
			     struct mapi_value *value_r)
{
	enum mapi_error error;
	bool has;

	error = mapi_message_view_has_attachments(view, &has);
	if (error == EC_NONE)
		*value_r = mapi_value_bool(!has);
	return error;
}

/* What IMAP's PREVIEW shows, of which Dovecot caches 200 characters */
static enum mapi_error
mailprop_get_preview(struct mapi_message_view *view,
		     const struct mapi_mailprop *prop, TALLOC_CTX *mem,
		     struct mapi_value *value_r)
{
	const char *snippet;

	if (mail_get_special(view->mail, MAIL_FETCH_BODY_SNIPPET,
			     &snippet) < 0)
		return mapi_message_view_error(view);
	/* the first character is the version of the algorithm */
	if (*snippet != '\0')
		snippet++;
	*value_r = mapi_value_str(talloc_strdup(mem, snippet));
	return EC_NONE;
}

#define I(tag, get, ...) { PIDTAG_##tag, mailprop_get_##get, __VA_ARGS__ }
#define STORED .flags = MAILPROP_STORED

const struct mapi_mailprop mapi_mailprops_index[] = {
	I(MID, id, ID_MID, STORED),
	I(FOLDER_ID, id, ID_FID, STORED),
	I(PARENT_FOLDER_ID, id, ID_FID, STORED),
	I(CHANGE_NUMBER, id, ID_CN, STORED),
	I(SOURCE_KEY, gid, ID_MID, STORED),
	I(PARENT_SOURCE_KEY, gid, ID_FID, STORED),
	I(CHANGE_KEY, gid, ID_CN, STORED),
	I(PREDECESSOR_CHANGE_LIST, pcl, 0, STORED),
	I(ENTRY_ID, entryid, ID_MID, STORED),
	I(RECORD_KEY, entryid, ID_MID, STORED),
	I(PARENT_ENTRY_ID, entryid, ID_FID, STORED),
	I(STORE_RECORD_KEY, store_guid, 0),
	I(MAPPING_SIGNATURE, store_guid, 0),
	I(SEARCH_KEY, search_key, 0, MAIL_FETCH_GUID),
	I(INTERNET_ARTICLE_NUMBER, uid, 0, STORED),
	I(OBJECT_TYPE, const_i32, 5),

	I(MESSAGE_FLAGS, message_flags, 0,
	  MAIL_FETCH_FLAGS | MAIL_FETCH_IMAP_BODYSTRUCTURE,
	  { PIDTAG_SENT_REPRESENTING_EMAIL_ADDRESS,
	    PIDTAG_READ_RECEIPT_REQUESTED }),
	I(SUBMIT_FLAGS, submit_flags, 0, MAIL_FETCH_FLAGS),
	I(HAS_ATTACHMENTS, has_attachments, 0, MAIL_FETCH_IMAP_BODYSTRUCTURE),
	{ PTYP_BOOLEAN, mailprop_get_smart_no_attach, 0,
	  MAIL_FETCH_IMAP_BODYSTRUCTURE, .set = &PIDLID_SMART_NO_ATTACH_PSET,
	  .lid = PIDLID_SMART_NO_ATTACH },
	I(MESSAGE_STATUS, status, 0, MAIL_FETCH_FLAGS),
	I(READ, read, 0, MAIL_FETCH_FLAGS),
	I(ASSOCIATED, associated, 0),
	I(DELETE_AFTER_SUBMIT, false, 0),
	I(ICON_INDEX, icon, 0, MAIL_FETCH_FLAGS),
	I(LAST_VERB_EXECUTED, last_verb, 0, MAIL_FETCH_FLAGS),
	/* [MS-OXOFLAG] 2.2.1.1, 2.2.1.2: a red flag that isn't completed */
	I(FLAG_STATUS, flagged, FOLLOWUP_FLAGGED, MAIL_FETCH_FLAGS),
	I(FOLLOWUP_ICON, flagged, 6, MAIL_FETCH_FLAGS),
	/* 2.2.1.6: it's in the list of what is to be done */
	I(TO_DO_ITEM_FLAGS, flagged, TODO_TIME_FLAGGED, MAIL_FETCH_FLAGS),
	{ PTYP_STRING, mailprop_get_flag_request, 0, MAIL_FETCH_FLAGS,
	  .set = &PIDLID_FLAG_REQUEST_PSET, .lid = PIDLID_FLAG_REQUEST },
	{ PTYP_MULTIPLE_STRING, mailprop_get_categories, 0, MAIL_FETCH_FLAGS,
	  STORED, .set = &PIDNAME_KEYWORDS_PSET, .name = PIDNAME_KEYWORDS },
	I(CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL, spam_level, 0, MAIL_FETCH_FLAGS,
	  { PIDTAG_CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL }),
	/* each has PidLidSmartNoAttach */
	I(HAS_NAMED_PROPERTIES, true, 0),

	I(MESSAGE_SIZE, size, 0, MAIL_FETCH_VIRTUAL_SIZE),
	{ MAPI_TAG_AS(PIDTAG_MESSAGE_SIZE, PTYP_INTEGER64), mailprop_get_size,
	  0, MAIL_FETCH_VIRTUAL_SIZE, .flags = MAILPROP_VARIANT },
	I(MESSAGE_DELIVERY_TIME, received, 0, MAIL_FETCH_RECEIVED_DATE, STORED),
	I(CREATION_TIME, saved, 0, MAIL_FETCH_SAVE_DATE, STORED),
	I(LOCAL_COMMIT_TIME, saved, 0, MAIL_FETCH_SAVE_DATE, STORED),
	I(DELETED_ON, deleted_on, 0, MAIL_FETCH_SAVE_DATE, STORED),

	I(ACCESS, access, 0),
	I(ACCESS_LEVEL, access_level, 0),

	{ TAG_PREVIEW, mailprop_get_preview, 0, MAIL_FETCH_BODY_SNIPPET,
	  STORED },
	{ 0 }
};
