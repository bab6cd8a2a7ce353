/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bags of messages that others have put into another folder.

   IMAP, LMTP and doveadm carry bags along when they copy or move messages if they have
   the mail plugin (module/plugin). If they don't, the messages keep their GUIDs and
   lose their bags. So whoever sees new messages in a folder looks whether there are
   bags for them elsewhere, and copies those. The bags that they were copied from are
   orphans if the messages have been moved: "doveadm mapi check" deletes them. A bag
   that is younger than the copy says what became of the original later.

   How far has been looked is in the header of an index extension, roughly: a few
   messages are looked at again by the next session. It isn't there if a folder has
   never been opened by MAPI, or its index has been rebuilt: then only the newest
   messages are looked at, so that a large folder isn't read as a whole;
   "doveadm mapi check" looks at all. */

#include "lib.h"
#include "array.h"
#include "store-compat.h"
#include "mapi-bags-private.h"
#include "mapi-folder-rights.h"
#include "mapi-store-private.h"

#define EXT_NAME "mapi-bags"
#define ADOPT_FIRST_MAX 1000
/* how many messages the next session may look at again */
#define ADOPT_UNSAVED_MAX 32

struct adopt_header {
	/* UIDs below this one have been looked at */
	uint32_t next_uid;
};

/* A new message that has no bag */
struct adopt_mail {
	guid_128_t guid;
	time_t saved;
};
ARRAY_DEFINE_TYPE(adopt_mail, struct adopt_mail);

/* --- how far has been looked ----------------------------------------------------- */

static uint32_t adopt_ext_id(struct mailbox *box)
{
	return mail_index_ext_register(box->index, EXT_NAME,
				       sizeof(struct adopt_header), 0, 0);
}

static uint32_t adopt_load(struct mailbox *box)
{
	struct adopt_header hdr;
	const void *data;
	size_t size;

	mail_index_get_header_ext(box->view, adopt_ext_id(box), &data, &size);
	if (size < sizeof(hdr))
		return 0;
	memcpy(&hdr, data, sizeof(hdr));
	return hdr.next_uid;
}

static void adopt_save(struct mapi_bags *bags, struct mailbox *box)
{
	const struct adopt_header hdr = { .next_uid = bags->adopt_next_uid };
	struct mailbox_transaction_context *trans;

	trans = mailbox_transaction_begin(box, 0, "MAPI bags");
	mail_index_update_header_ext(trans->itrans, adopt_ext_id(box), 0,
				     &hdr, sizeof(hdr));
	/* it's looked at again if this fails */
	if (mailbox_transaction_commit(&trans) < 0)
		(void)mapi_error_from_mailbox(box);
	else
		bags->adopt_saved_uid = bags->adopt_next_uid;
}

/* --- looking ------------------------------------------------------------------- */

/* Folders that have bags, but not this one */
static enum mapi_error
adopt_find_others(struct mapi_bags *bags, ARRAY_TYPE(uint32_t) *numbers)
{
	const struct mapi_companion *comp = bags->store->companion;
	struct mailbox_list_iterate_context *iter;
	const struct mailbox_info *info;
	const char *leaf;
	uint32_t number;

	iter = mailbox_list_iter_init(comp->ns->list,
		mapi_companion_vname(comp, MAPI_COMPANION_BAGS_PREFIX"*"),
		MAILBOX_LIST_ITER_SKIP_ALIASES |
		MAILBOX_LIST_ITER_NO_AUTO_BOXES |
		MAILBOX_LIST_ITER_RETURN_NO_FLAGS);
	while ((info = mailbox_list_iter_next(iter)) != NULL) {
		if (mapi_companion_contains(comp, info->vname, &leaf) &&
		    str_begins(leaf, MAPI_COMPANION_BAGS_PREFIX) &&
		    str_to_uint32(leaf + strlen(MAPI_COMPANION_BAGS_PREFIX),
				  &number) == 0 &&
		    number != bags->folder_number)
			array_push_back(numbers, &number);
	}
	return mailbox_list_iter_deinit(&iter) < 0 ?
		mapi_error_from_list(comp->ns->list) : EC_NONE;
}

static void
adopt_find_mails(struct mapi_bags *bags, struct mailbox *box, uint32_t seq,
		 uint32_t seq2, ARRAY_TYPE(adopt_mail) *mails)
{
	struct mailbox_transaction_context *trans;
	struct adopt_mail *found;
	struct mail *mail;
	guid_128_t guid;
	time_t saved;

	trans = mailbox_transaction_begin(box, 0, "MAPI bags");
	mail = mail_alloc(trans, MAIL_FETCH_GUID | MAIL_FETCH_SAVE_DATE, NULL);
	for (; seq <= seq2; seq++) {
		mail_set_seq(mail, seq);
		if (bags_mail_get_guid(mail, guid) &&
		    bags_find(bags, guid) == NULL &&
		    mail_get_save_date(mail, &saved) >= 0) {
			found = array_append_space(mails);
			guid_128_copy(found->guid, guid);
			found->saved = saved;
		}
	}
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
}

/* Those of mails that another folder has a bag of: GUID and GUID, in turn */
static void
adopt_find_bags(struct mapi_bags *other, const ARRAY_TYPE(adopt_mail) *mails,
		ARRAY_TYPE(const_string) *guids)
{
	struct mailbox_transaction_context *trans;
	const struct adopt_mail *adopt_mail;
	const struct bag *bag;
	struct mail *mail;
	const char *guid;
	time_t date;

	trans = mailbox_transaction_begin(other->box, 0, "MAPI bags");
	mail = mail_alloc(trans, MAIL_FETCH_RECEIVED_DATE, NULL);
	array_foreach(mails, adopt_mail) {
		bag = bags_find(other, adopt_mail->guid);
		if (bag == NULL || !mail_set_uid(mail, bag->bag_uid) ||
		    mail_get_received_date(mail, &date) < 0 ||
		    date > adopt_mail->saved)
			continue;
		guid = guid_128_to_string(adopt_mail->guid);
		array_push_back(guids, &guid);
		array_push_back(guids, &guid);
	}
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
}

/* Copies the bags that another folder has of messages. */
static enum mapi_error
adopt_from(struct mapi_bags *bags, uint32_t number,
	   const ARRAY_TYPE(adopt_mail) *mails)
{
	struct mapi_bags *other = mapi_bags_get(bags->store, number, FALSE);
	ARRAY_TYPE(const_string) guids;
	bool was_open = other->box != NULL;
	enum mapi_error error;

	error = bags_refresh(other, FALSE);
	if (error != EC_NONE || other->box == NULL)
		return error;
	t_array_init(&guids, 8);
	adopt_find_bags(other, mails, &guids);
	if (array_count(&guids) > 0) {
		array_append_zero(&guids);
		error = mapi_bags_copy(other, bags, array_front(&guids), NULL);
	}
	/* not all of them all the time */
	if (!was_open)
		bags_close(other);
	return error;
}

static enum mapi_error
adopt(struct mapi_bags *bags, struct mailbox *box, uint32_t first_uid)
{
	ARRAY_TYPE(adopt_mail) mails;
	ARRAY_TYPE(uint32_t) numbers;
	enum mapi_error error;
	uint32_t seq, seq2, number;

	mailbox_get_seq_range(box, I_MAX(first_uid, 1), (uint32_t)-1,
			      &seq, &seq2);
	if (seq == 0)
		return EC_NONE;
	if (first_uid == 0 && seq2 > ADOPT_FIRST_MAX)
		seq = seq2 - ADOPT_FIRST_MAX + 1;
	t_array_init(&numbers, 16);
	error = adopt_find_others(bags, &numbers);
	if (error != EC_NONE || array_count(&numbers) == 0)
		return error;
	t_array_init(&mails, 16);
	adopt_find_mails(bags, box, seq, seq2, &mails);
	if (array_count(&mails) == 0)
		return EC_NONE;
	array_foreach_elem(&numbers, number) T_BEGIN {
		enum mapi_error error2 = adopt_from(bags, number, &mails);

		if (error == EC_NONE)
			error = error2;
	} T_END;
	return error;
}

void bags_adopt(struct mapi_bags *bags, struct mailbox *box, uint32_t uidnext)
{
	enum mapi_error error;

	if (bags->associated || bags->deleted || mailbox_is_readonly(box) ||
	    uidnext <= bags->adopt_next_uid)
		return;
	/* bags of folders that somebody else mustn't see aren't listed */
	if (mapi_store_is_delegate(bags->store))
		return;
	if (bags->adopt_next_uid == 0)
		bags->adopt_next_uid = bags->adopt_saved_uid = adopt_load(box);
	T_BEGIN {
		error = adopt(bags, box, bags->adopt_next_uid);
	} T_END;
	/* it's tried again when there's something new */
	if (error != EC_NONE)
		return;
	if (bags->adopt_next_uid < uidnext)
		bags->adopt_next_uid = uidnext;
	if (bags->adopt_saved_uid == 0 ||
	    uidnext > bags->adopt_saved_uid + ADOPT_UNSAVED_MAX)
		adopt_save(bags, box);
}
