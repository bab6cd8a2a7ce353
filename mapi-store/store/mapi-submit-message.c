/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From whom, to whom, when, and what then. */

#include "lib.h"
#include "array.h"
#include "guid.h"
#include "ioloop.h"
#include "istream.h"
#include "mail-user.h"
#include "message-address.h"
#include "message-parser.h"
#include "smtp-address.h"
#include "str-sanitize.h"
#include "mapi-entryid.h"
#include "mapi-folder-rights.h"
#include "mapi-message-private.h"
#include "mapi-props.h"
#include "mapi-store-directory.h"
#include "mapi-store-private.h"
#include "mapi-stored-props.h"
#include "mapi-submit.h"
#include "mapi-submit-private.h"
#include "mime-build.h"

/* PidTagRecipientType as a property, [MS-OXOMSG] 2.2.3.1; in RecipientRows they are
   bits of a byte. */
#define RECIPIENT_RESEND 0x10000000U
#define RECIPIENT_SUBMITTED 0x80000000U

/* PidTagDeferredSendNumber, PidTagExpiryNumber, [MS-OXOMSG] 2.2.3.2, 2.2.3.5 */
#define PERIOD_NUMBER_MAX 999

/* --- from whom ---------------------------------------------------------------- */

static enum mapi_error
submission_parse_address(struct mapi_submission *submission, const char *str,
			 const struct smtp_address **address_r)
{
	struct smtp_address *address;
	const char *error;

	if (smtp_address_parse_mailbox(submission->pool, str, 0, &address,
				       &error) < 0) {
		e_info(submission->store->user->event,
		       "mapi: Message not sent: Invalid address %s: %s",
		       str_sanitize(str, 128), error);
		return EC_INVALID_RECIPIENTS;
	}
	*address_r = address;
	return EC_NONE;
}

/* list: addresses, "@domain" for all of a domain, "*" for all; NULL for none */
static bool address_is_in(const char *list, const char *address)
{
	const char *domain = strrchr(address, '@');
	const char *const *patterns;

	if (list == NULL)
		return FALSE;
	patterns = t_strsplit_spaces(list, " ");
	for (; *patterns != NULL; patterns++) {
		if (strcmp(*patterns, "*") == 0 ||
		    strcasecmp(*patterns, address) == 0 ||
		    (**patterns == '@' && domain != NULL &&
		     strcasecmp(*patterns, domain) == 0))
			return TRUE;
	}
	return FALSE;
}

bool mapi_store_may_send_as_owner(struct mapi_store *store)
{
	return !mapi_store_is_delegate(store) ||
		address_is_in(store->set->send_as, store->set->email_address);
}

/* [MS-OXOMSG] 3.3.5.1.1. Who may do both, sends as the other one. */
static enum mapi_error
submission_check_right(struct mapi_submission *submission, const char *address)
{
	const struct mapi_store_settings *set = submission->store->set;

	if (mapi_store_is_sender_address(submission->store, address))
		submission->right = MAPI_SENDER_SELF;
	else if (address_is_in(set->send_as, address))
		submission->right = MAPI_SENDER_SEND_AS;
	else if (address_is_in(set->send_on_behalf, address) ||
		 mapi_store_sender_is_delegate(submission->store, address))
		submission->right = MAPI_SENDER_ON_BEHALF;
	else {
		e_info(submission->store->user->event,
		       "mapi: Message not sent: User may not send as %s",
		       str_sanitize(address, 128));
		return EC_ACCESS_DENIED;
	}
	return EC_NONE;
}

static enum mapi_error
submission_get_sender(struct mapi_submission *submission, TALLOC_CTX *mem,
		      const struct mapi_content *all)
{
	struct mapi_store *store = submission->store;
	struct mapi_store_sender sender;
	struct mime_build_params params;
	const struct smtp_address *own;
	enum mapi_error error;
	const char *address;

	mapi_store_get_sender(store, &sender);
	if (sender.address == NULL ||
	    submission_parse_address(submission, sender.address,
				     &own) != EC_NONE)
		return EC_NOT_SUPPORTED;
	mapi_message_build_params(store, &params);
	submission->from_given = mime_build_from_address(&params, mem,
							 all->props, &address);
	if (submission->from_given && address == NULL)
		return EC_ACCESS_DENIED;
	if (!submission->from_given && !mapi_store_is_delegate(store)) {
		submission->from = submission->env_from = own;
		return EC_NONE;
	}
	if (!submission->from_given)
		address = store->set->email_address;
	error = submission_check_right(submission, address);
	if (error != EC_NONE)
		return error;
	if (submission_parse_address(submission, address,
				     &submission->from) != EC_NONE)
		return EC_ACCESS_DENIED;
	if (submission->right == MAPI_SENDER_ON_BEHALF)
		submission->sender = own;
	submission->env_from = submission->sender != NULL ?
		submission->sender : submission->from;
	return EC_NONE;
}

/* --- to whom ------------------------------------------------------------------ */

static void
submission_add_recipient(struct mapi_submission *submission,
			 const struct smtp_address *rcpt)
{
	const struct smtp_address *const *rcptp;

	array_foreach(&submission->rcpts, rcptp) {
		if (smtp_address_equals_icase(*rcptp, rcpt))
			return;
	}
	array_push_back(&submission->rcpts, &rcpt);
}

/* When a message is sent again ([MS-OXOMSG] 3.2.4.5), some don't need it. These
   flags aren't set in any other case, so mfResend needn't be looked at. Without a
   type it's the originator, or somebody who is only to get it again. */
static bool recipient_is_wanted(const struct mapi_propset *props)
{
	const struct mapi_value *value;
	uint32_t type;

	value = mapi_propset_get(props, PIDTAG_RECIPIENT_TYPE);
	if (value == NULL)
		return TRUE;
	type = value->u.i32;
	if ((type & (MAPI_RECIPIENT_SUBMITTED | RECIPIENT_SUBMITTED)) != 0)
		return FALSE;
	return (type & MAPI_RECIPIENT_TYPE_MASK) != MAPI_ORIG ||
		(type & (MAPI_RECIPIENT_RESEND | RECIPIENT_RESEND)) != 0;
}

/* Lists of the directory are the mail server's to expand: they have an address
   there. Those of the user's own have been expanded by the client. */
static enum mapi_error
submission_get_recipients(struct mapi_submission *submission, TALLOC_CTX *mem,
			  const struct mapi_content *all)
{
	struct mime_build_params params;
	const struct smtp_address *rcpt;
	enum mapi_error error;
	const char *address;
	unsigned int i;

	mapi_message_build_params(submission->store, &params);
	for (i = 0; i < all->recipient_count; i++) {
		if (!recipient_is_wanted(all->recipients[i].props))
			continue;
		address = mime_build_recipient_address(&params, mem,
						       &all->recipients[i]);
		if (address == NULL) {
			e_info(submission->store->user->event,
			       "mapi: Message not sent: Recipient %u has no "
			       "address", i + 1);
			return EC_INVALID_RECIPIENTS;
		}
		error = submission_parse_address(submission, address, &rcpt);
		if (error != EC_NONE)
			return error;
		submission_add_recipient(submission, rcpt);
	}
	return array_count(&submission->rcpts) == 0 ? EC_NO_RECIPIENTS :
		EC_NONE;
}

/* --- when --------------------------------------------------------------------- */

static time_t get_time(const struct mapi_propset *props, uint32_t tag)
{
	const struct mapi_value *value = mapi_propset_get(props, tag);

	return value == NULL ? 0 : mapi_time_to_unix(value->u.time);
}

/* Outlook says PidTagDeferredDeliveryTime. */
time_t mapi_submission_due(const struct mapi_propset *props)
{
	return I_MAX(get_time(props, PIDTAG_DEFERRED_SEND_TIME),
		     get_time(props, PIDTAG_DEFERRED_DELIVERY_TIME));
}

/* A time as a number of units from now on, [MS-OXOMSG] 2.2.3.2 - 2.2.3.7, which goes
   before a time that's given as such. 0: it isn't given so, or it's now. */
static enum mapi_error
get_period(const struct mapi_propset *props, uint32_t number_tag,
	   uint32_t units_tag, unsigned int *secs_r)
{
	static const unsigned int unit_secs[] = {
		60, 60 * 60, 24 * 60 * 60, 7 * 24 * 60 * 60
	};
	const struct mapi_value *number, *units;

	*secs_r = 0;
	number = mapi_propset_get(props, number_tag);
	units = mapi_propset_get(props, units_tag);
	if (number == NULL || units == NULL)
		return EC_NONE;
	if (number->u.i32 < 0 || number->u.i32 > PERIOD_NUMBER_MAX ||
	    units->u.i32 < 0 || units->u.i32 >= (int)N_ELEMENTS(unit_secs))
		return EC_INVALID_PARAM;
	*secs_r = (unsigned int)number->u.i32 * unit_secs[units->u.i32];
	return EC_NONE;
}

static enum mapi_error
submission_get_times(struct mapi_submission *submission,
		     const struct mapi_propset *props)
{
	enum mapi_error error;
	time_t due;

	error = get_period(props, PIDTAG_EXPIRY_NUMBER, PIDTAG_EXPIRY_UNITS,
			   &submission->expiry_secs);
	if (error == EC_NONE) {
		error = get_period(props, PIDTAG_DEFERRED_SEND_NUMBER,
				   PIDTAG_DEFERRED_SEND_UNITS,
				   &submission->deferred_secs);
	}
	if (error != EC_NONE)
		return error;
	due = submission->deferred_secs > 0 ?
		ioloop_time + submission->deferred_secs :
		get_time(props, PIDTAG_DEFERRED_SEND_TIME);
	due = I_MAX(due, get_time(props, PIDTAG_DEFERRED_DELIVERY_TIME));
	if (due <= ioloop_time)
		return EC_NONE;
	/* [RFC4865] 4: nine digits */
	if (due - ioloop_time > 999999999)
		return EC_NOT_SUPPORTED;
	submission->hold_secs = due - ioloop_time;
	return EC_NONE;
}

/* One that has been held has it already. */
static const char *
submission_get_message_id(const struct mapi_submission *submission,
			  const struct mapi_propset *props)
{
	const char *id = NULL;

	if (submission->held)
		id = mapi_propset_get_string(props, PIDTAG_INTERNET_MESSAGE_ID);
	return id == NULL ? "" : p_strdup(submission->pool, id);
}

static const char *
submission_new_message_id(const struct mapi_submission *submission)
{
	guid_128_t guid;

	guid_128_generate(guid);
	return p_strdup_printf(submission->pool, "<%s@%s>",
			       guid_128_to_string(guid),
			       submission->from->domain);
}

/* --- what then ---------------------------------------------------------------- */

static mapi_id_t
entry_id_get_fid(struct mapi_store *store, const struct mapi_binary *bin)
{
	struct mapi_entry_id eid;
	TALLOC_CTX *mem = talloc_new(NULL);
	mapi_id_t fid = 0;

	if (mapi_entry_id_parse(mem, bin->data, bin->len,
				&eid) == MAPI_ENTRY_ID_FOLDER &&
	    memcmp(&eid.u.object.folder.guid, &store->replica_guid,
		   sizeof(store->replica_guid)) == 0) {
		fid = MAPI_ID(MAPI_STORE_REPLID, eid.u.object.folder.globcnt);
	}
	talloc_free(mem);
	return fid;
}

static mapi_id_t server_id_get_fid(const struct mapi_binary *bin)
{
	struct mapi_server_id sid;

	return mapi_server_id_parse(bin, &sid) ? sid.fid : 0;
}

/* FALSE if the message doesn't say what is to become of it. */
static bool
message_get_place(struct mapi_store *store, const struct mapi_propset *props,
		  struct mapi_sent_place *place_r)
{
	const struct mapi_value *value, *delete;

	delete = mapi_propset_get(props, PIDTAG_DELETE_AFTER_SUBMIT);
	if (delete != NULL && delete->u.b) {
		place_r->delete = TRUE;
		return TRUE;
	}
	value = mapi_propset_get(props, PIDTAG_SENT_MAIL_SVR_EID);
	if (value != NULL) {
		place_r->moved = TRUE;
		place_r->fid = server_id_get_fid(&value->u.bin);
		return TRUE;
	}
	value = mapi_propset_get(props, PIDTAG_SENT_MAIL_ENTRY_ID);
	if (value != NULL && value->u.bin.len > 0) {
		place_r->moved = TRUE;
		place_r->fid = entry_id_get_fid(store, &value->u.bin);
		return TRUE;
	}
	return delete != NULL;
}

static bool
store_get_value(struct mapi_store *store, TALLOC_CTX *mem, uint32_t tag,
		struct mapi_value *value_r)
{
	enum mapi_stored_state state;

	return mapi_stored_get(store, MAPI_STORED_STORE, mem, tag, SIZE_MAX,
			       &state, value_r) == EC_NONE &&
		state == MAPI_STORED_VALUE &&
		value_r->type == MAPI_TAG_TYPE(tag);
}

static void
store_get_place(struct mapi_store *store, struct mapi_sent_place *place_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_value value;

	if (mapi_stored_refresh(store) != EC_NONE) {
		/* it stays where it is */
	} else if (store_get_value(store, mem, PIDTAG_DELETE_AFTER_SUBMIT,
				   &value) && value.u.b) {
		place_r->delete = TRUE;
	} else if (store_get_value(store, mem, PIDTAG_SENT_MAIL_SVR_EID,
				   &value)) {
		place_r->moved = TRUE;
		place_r->fid = server_id_get_fid(&value.u.bin);
	}
	talloc_free(mem);
}

void mapi_sent_place_get(struct mapi_store *store,
			 const struct mapi_content *all,
			 struct mapi_sent_place *place_r)
{
	const struct mapi_folder_node *node;

	i_zero(place_r);
	if (!message_get_place(store, all->props, place_r))
		store_get_place(store, place_r);
	if (!place_r->moved)
		return;
	node = mapi_folder_tree_lookup(store, place_r->fid);
	if (node == NULL || node->search) {
		/* better in the wrong place than nowhere */
		place_r->fid = mapi_store_special_fid(store,
						MAPI_SPECIAL_SENT_ITEMS);
	}
}

enum mapi_error
mapi_submission_init(struct mapi_submission *submission,
		     const struct mapi_content *all)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const struct mapi_value *value;
	enum mapi_error error = EC_NONE;

	p_array_init(&submission->rcpts, submission->pool, 16);
	submission->message_id = submission_get_message_id(submission,
							   all->props);
	/* [MS-OXOMSG] 2.2.1.20 */
	value = mapi_propset_get(all->props,
				 PIDTAG_ORIGINATOR_DELIVERY_REPORT_REQUESTED);
	submission->report_delivery = value != NULL && value->u.b;
	if (!submission->held)
		error = submission_get_times(submission, all->props);
	if (error == EC_NONE)
		error = submission_get_recipients(submission, mem, all);
	if (error == EC_NONE)
		error = submission_get_sender(submission, mem, all);
	if (error == EC_NONE) {
		if (*submission->message_id == '\0') {
			submission->message_id =
				submission_new_message_id(submission);
		}
		mapi_sent_place_get(submission->store, all,
				    &submission->place);
	}
	talloc_free(mem);
	return error;
}

/* --- properties --------------------------------------------------------------- */

/* Properties that say who somebody is */
struct who_tags {
	uint32_t name, type, email, smtp, entry_id, search_key;
};
#define WHO_TAGS(who) { PIDTAG_##who##_NAME, PIDTAG_##who##_ADDRESS_TYPE, \
	PIDTAG_##who##_EMAIL_ADDRESS, PIDTAG_##who##_SMTP_ADDRESS, \
	PIDTAG_##who##_ENTRY_ID, PIDTAG_##who##_SEARCH_KEY }
static const struct who_tags sender_tags = WHO_TAGS(SENDER);
static const struct who_tags representing_tags = WHO_TAGS(SENT_REPRESENTING);

static void
overlay_set(struct mapi_overlay *overlay, uint32_t tag, struct mapi_value value)
{
	struct mapi_content_prop prop = { .tag = tag, .value = value };

	(void)mapi_overlay_set(overlay, &prop);
}

static void
overlay_set_who(struct mapi_overlay *overlay, const struct who_tags *tags,
		const char *name, const char *type, const char *email,
		const char *smtp)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct mapi_binary bin;

	overlay_set(overlay, tags->name, mapi_value_str(name));
	overlay_set(overlay, tags->type, mapi_value_str(type));
	overlay_set(overlay, tags->email, mapi_value_str(email));
	overlay_set(overlay, tags->smtp, mapi_value_str(smtp));
	bin = strcmp(type, "EX") == 0 ?
		mapi_addressbook_entry_id_build(mem, 0, email) :
		mapi_one_off_entry_id_build(mem, name, type, email);
	overlay_set(overlay, tags->entry_id, mapi_value_bin(bin.data, bin.len));
	bin = mapi_recipient_search_key_build(mem, type, email);
	overlay_set(overlay, tags->search_key,
		    mapi_value_bin(bin.data, bin.len));
	talloc_free(mem);
}

/* PidTagClientSubmitTime and so many seconds */
static void
overlay_set_period(struct mapi_overlay *overlay, uint32_t tag,
		   unsigned int secs)
{
	time_t time = ioloop_timeval.tv_sec + secs;

	if (secs > 0) {
		overlay_set(overlay, tag,
			mapi_value_time(mapi_time_from_unix(time,
					ioloop_timeval.tv_usec * 1000)));
	}
}

static void
overlay_set_owner(struct mapi_overlay *overlay, struct mapi_store *store,
		  const struct who_tags *tags)
{
	const struct mapi_store_settings *set = store->set;

	overlay_set_who(overlay, tags, *set->display_name != '\0' ?
			set->display_name : set->email_address, "EX",
			mapi_store_owner_dn(store), set->email_address);
}

static void
overlay_set_sender(struct mapi_overlay *overlay,
		   const struct mapi_store_sender *sender)
{
	overlay_set_who(overlay, &sender_tags, sender->name, "EX", sender->dn,
			sender->address);
}

void mapi_submission_set_props(const struct mapi_submission *submission,
			       const struct mapi_content *all,
			       struct mapi_overlay *overlay)
{
	struct mapi_store *store = submission->store;
	const char *name, *from = smtp_address_encode(submission->from);
	struct mapi_store_sender sender;
	struct mapi_value now;

	mapi_store_get_sender(store, &sender);
	if (!submission->from_given)
		overlay_set_owner(overlay, store, &representing_tags);
	if (submission->sender != NULL ||
	    strcasecmp(from, sender.address) == 0) {
		overlay_set_sender(overlay, &sender);
	} else if (!submission->from_given) {
		overlay_set_owner(overlay, store, &sender_tags);
	} else {
		/* by another address of his, or as another one */
		name = mapi_propset_get_string(all->props,
					       representing_tags.name);
		overlay_set_who(overlay, &sender_tags,
				name == NULL || *name == '\0' ? from : name,
				"SMTP", from, from);
	}
	now = mapi_value_time(mapi_time_from_unix(ioloop_timeval.tv_sec,
					ioloop_timeval.tv_usec * 1000));
	overlay_set(overlay, PIDTAG_CLIENT_SUBMIT_TIME, now);
	overlay_set(overlay, PIDTAG_PROVIDER_SUBMIT_TIME, now);
	overlay_set(overlay, PIDTAG_MESSAGE_DELIVERY_TIME, now);
	overlay_set_period(overlay, PIDTAG_DEFERRED_SEND_TIME,
			   submission->deferred_secs);
	overlay_set_period(overlay, PIDTAG_EXPIRY_TIME,
			   submission->expiry_secs);
	overlay_set(overlay, PIDTAG_INTERNET_MESSAGE_ID,
		    mapi_value_str(submission->message_id));
}

/* --- header ------------------------------------------------------------------- */

static bool
header_is_address(const struct message_header_line *hdr,
		  const struct smtp_address *address)
{
	struct message_address *addrs;
	struct smtp_address found;

	addrs = message_address_parse(pool_datastack_create(), hdr->full_value,
				      hdr->full_value_len, 2, 0);
	if (addrs == NULL || addrs->next != NULL || addrs->mailbox == NULL ||
	    addrs->domain == NULL)
		return FALSE;
	i_zero(&found);
	found.localpart = addrs->mailbox;
	found.domain = addrs->domain;
	return smtp_address_equals_icase(&found, address);
}

bool mapi_submission_check_header(const struct mapi_submission *submission,
				  struct istream *input)
{
	struct message_header_parser_ctx *parser;
	struct message_header_line *hdr;
	unsigned int from_count = 0, sender_count = 0;
	bool ok = TRUE;
	int ret;

	i_stream_seek(input, 0);
	parser = message_parse_header_init(input, NULL, 0);
	while ((ret = message_parse_header_next(parser, &hdr)) > 0) {
		bool from = strcasecmp(hdr->name, "From") == 0;

		if (hdr->eoh)
			break;
		if (!from && strcasecmp(hdr->name, "Sender") != 0)
			continue;
		if (hdr->continues) {
			hdr->use_full_value = TRUE;
			continue;
		}
		if (from) {
			from_count++;
			ok = ok && header_is_address(hdr, submission->from);
		} else {
			sender_count++;
			ok = ok && submission->sender != NULL &&
				header_is_address(hdr, submission->sender);
		}
	}
	message_parse_header_deinit(&parser);
	i_stream_seek(input, 0);
	return ok && input->stream_errno == 0 && from_count == 1 &&
		sender_count == (submission->sender != NULL ? 1 : 0);
}
