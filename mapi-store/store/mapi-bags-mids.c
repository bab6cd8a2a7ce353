/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages that have the MID of another one.

   A message that a client changes is replaced by another one, with another UID and
   GUID, which keeps its MID. The bag of the new message says so by its GLOBCNT. It
   is written before the message, which in turn is before the old message is
   expunged; so it may be that

     - the message of the bag isn't there: it's about to be saved, or never will be
       since the process has died;
     - the message that is replaced is still there, too: it's about to be expunged,
       or the process that was to do it has died. Whoever notices does it.

   Of the bags with one MID the newest one holds whose message is there, and as long
   as there's none, the MID is that of its UID. Messages of older ones are expunged
   as is the message whose UID the MID is made of: but only if that is certain to
   be the one, by its block and UIDVALIDITY, as a MID may also be one that was
   made elsewhere; and not if it's newer than the bag: then two sessions have
   replaced one message at the same moment, and there are two now. What is older is
   what was there before the message was saved. So a later bag of the same message
   says the same UIDNEXT, and not one that is above the other one of the two.

   The message of a bag is found by looking at the GUIDs of the messages from the
   bag's UID on, usually at one. */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "store-compat.h"
#include "mapi-bags-private.h"
#include "mapi-store-private.h"

/* How often messages are expunged that come back */
#define RESOLVE_MAX 3

struct resolve {
	struct mapi_bags *bags;
	struct mail *mail;
	ARRAY_TYPE(seq_range) expunged;
	/* of those that are expunged */
	ARRAY_TYPE(seq_range) bag_uids;
	uint16_t id_block;
	uint32_t uidvalidity, uidnext;
};

void bags_mid_add(struct mapi_bags *bags, struct bag *bag)
{
	struct bag *older = hash_table_lookup(bags->by_mid, &bag->mid);
	uint64_t *mid;

	if (older != NULL) {
		bag->older = older;
		hash_table_remove(bags->by_mid, &bag->mid);
	}
	mid = &bag->mid;
	hash_table_insert(bags->by_mid, mid, bag);
	array_push_back(&bags->unresolved, &bag);
}

void bags_mid_remove(struct mapi_bags *bags, struct bag *bag)
{
	struct bag *newer;
	uint64_t *mid;

	if (bag->mid == 0)
		return;
	if (bag->uid != 0)
		hash_table_try_remove(bags->by_uid, POINTER_CAST(bag->uid));
	newer = hash_table_lookup(bags->by_mid, &bag->mid);
	if (newer == bag) {
		hash_table_remove(bags->by_mid, &bag->mid);
		if (bag->older != NULL) {
			mid = &bag->older->mid;
			hash_table_insert(bags->by_mid, mid, bag->older);
		}
	}
	for (; newer != NULL; newer = newer->older) {
		if (newer->older == bag) {
			newer->older = bag->older;
			break;
		}
	}
	bag->older = NULL;
}

/* --- finding messages ------------------------------------------------------- */

static uint32_t
resolve_find_uid(struct resolve *resolve, const struct bag *bag,
		 uint32_t uid_min)
{
	struct mail *mail = resolve->mail;
	uint32_t seq, seq1, seq2;
	guid_128_t guid;

	mailbox_get_seq_range(mail->box, uid_min, (uint32_t)-1, &seq1, &seq2);
	for (seq = seq1; seq != 0 && seq <= seq2; seq++) {
		mail_set_seq(mail, seq);
		if (bags_mail_get_guid(mail, guid) &&
		    guid_128_equals(guid, bag->guid))
			return mail->uid;
	}
	return 0;
}

static void resolve_find(struct resolve *resolve, struct bag *bag)
{
	uint32_t uid_min = bag->uidvalidity == resolve->uidvalidity ?
		bag->uid_min : 1;

	bag->uid = resolve_find_uid(resolve, bag,
				    I_MAX(uid_min, bag->checked));
	bag->checked = resolve->uidnext;
	if (bag->uid != 0) {
		hash_table_update(resolve->bags->by_uid,
				  POINTER_CAST(bag->uid), bag);
	}
}

/* --- finishing what was interrupted ------------------------------------------ */

/* Expunges a message if it's there. */
static void resolve_expunge(struct resolve *resolve, uint32_t uid)
{
	struct mail *mail = resolve->mail;
	const struct bag *bag;
	guid_128_t guid;

	if (!mail_set_uid(mail, uid))
		return;
	e_debug(mail->box->event, "mapi: UID %u has been replaced: "
		"expunging it", uid);
	if (bags_mail_get_guid(mail, guid)) {
		bag = bags_find(resolve->bags, guid);
		if (bag != NULL)
			seq_range_array_add(&resolve->bag_uids, bag->bag_uid);
	}
	mail_expunge(mail);
	seq_range_array_add(&resolve->expunged, uid);
}

/* The MID is that of a newer bag's message. */
static void resolve_lost(struct resolve *resolve, struct bag *bag)
{
	(void)hash_table_try_remove(resolve->bags->by_uid,
				    POINTER_CAST(bag->uid));
	bag->uid = 0;
	bag->mid = 0;
	bag->void_mid = TRUE;
}

/* bag's message is there. */
static void resolve_replaced(struct resolve *resolve, struct bag *bag)
{
	uint32_t replaced = bag->mid & UINT32_MAX;
	struct bag *older;

	if (bag->uidvalidity == resolve->uidvalidity &&
	    bag->mid >> 32 == resolve->id_block && resolve->id_block != 0 &&
	    replaced != 0 && replaced < bag->uid_min)
		resolve_expunge(resolve, replaced);
	for (older = bag->older; older != NULL; older = older->older) {
		if (older->uid == 0)
			continue;
		if (bag->uidvalidity == resolve->uidvalidity &&
		    older->uid < bag->uid_min)
			resolve_expunge(resolve, older->uid);
		resolve_lost(resolve, older);
	}
	bag->older = NULL;
}

static struct bag *
bags_mid_holder(const struct mapi_bags *bags, const uint64_t *mid)
{
	struct bag *bag = hash_table_lookup(bags->by_mid, mid);

	while (bag != NULL && bag->uid == 0)
		bag = bag->older;
	return bag;
}

static void resolve_all(struct resolve *resolve)
{
	struct mapi_bags *bags = resolve->bags;
	ARRAY(struct bag *) found;
	struct bag *bag;
	unsigned int i, left = 0;

	t_array_init(&found, array_count(&bags->unresolved));
	for (i = 0; i < array_count(&bags->unresolved); i++) T_BEGIN {
		bag = array_idx_elem(&bags->unresolved, i);
		if (bag->mid != 0 && bag->uid == 0 &&
		    bag->checked < resolve->uidnext)
			resolve_find(resolve, bag);
	} T_END;
	for (i = 0; i < array_count(&bags->unresolved); i++) {
		bag = array_idx_elem(&bags->unresolved, i);
		if (bag->mid != 0 && bag->uid == 0)
			array_idx_set(&bags->unresolved, left++, &bag);
		else if (bag->mid != 0)
			array_push_back(&found, &bag);
	}
	array_delete(&bags->unresolved, left,
		     array_count(&bags->unresolved) - left);
	for (i = 0; i < array_count(&found); i++) T_BEGIN {
		bag = array_idx_elem(&found, i);
		if (bag->mid != 0 && bags_mid_holder(bags, &bag->mid) == bag)
			resolve_replaced(resolve, bag);
	} T_END;
	for (i = 0; i < array_count(&found); i++) {
		bag = array_idx_elem(&found, i);
		if (bag->mid != 0 && bags_mid_holder(bags, &bag->mid) != bag)
			resolve_lost(resolve, bag);
	}
}

static bool
resolve_came_back(struct mailbox *box, const ARRAY_TYPE(seq_range) *uids)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid, seq;

	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (mail_index_lookup_seq(box->view, uid, &seq))
			return TRUE;
	}
	return FALSE;
}

/* *again_r: what was expunged is still there. */
static enum mapi_error
bags_resolve(struct mapi_bags *bags, struct mailbox *box, bool *again_r)
{
	struct resolve resolve = { .bags = bags };
	struct mailbox_transaction_context *trans;
	struct mailbox_status status;
	enum mapi_error error = EC_NONE;
	bool denied = FALSE;

	mailbox_get_open_status(box, STATUS_UIDVALIDITY | STATUS_UIDNEXT,
				&status);
	resolve.uidvalidity = status.uidvalidity;
	resolve.uidnext = status.uidnext;
	resolve.id_block = mapi_blocks_find_ids(bags->store,
						bags->folder_number, box);
	i_array_init(&resolve.expunged, 4);
	i_array_init(&resolve.bag_uids, 4);
	trans = mailbox_transaction_begin(box, 0, "MAPI bags");
	resolve.mail = mail_alloc(trans, 0, NULL);
	T_BEGIN {
		resolve_all(&resolve);
	} T_END;
	mail_free(&resolve.mail);
	if (mailbox_transaction_commit(&trans) < 0) {
		error = mapi_error_from_mailbox(box);
		/* what the user may not expunge is the next one's to do */
		denied = error == EC_ACCESS_DENIED;
		if (denied)
			error = EC_NONE;
	}
	if (error == EC_NONE && mailbox_sync(box, 0) < 0)
		error = mapi_error_from_mailbox(box);
	*again_r = !denied && resolve_came_back(box, &resolve.expunged);
	if (error == EC_NONE && !denied) {
		/* Their bags go with the next change of bags: by that of a message
		   that is still there it's known that it has been replaced. */
		seq_range_array_merge(&bags->superseded, &resolve.bag_uids);
	}
	array_free(&resolve.expunged);
	array_free(&resolve.bag_uids);
	return error;
}

static bool
bags_have_unresolved(const struct mapi_bags *bags, uint32_t uidnext)
{
	struct bag *const *bagp;

	array_foreach(&bags->unresolved, bagp) {
		if ((*bagp)->checked < uidnext)
			return TRUE;
	}
	return FALSE;
}

/* --- --------------------------------------------------------------------------- */

enum mapi_error mapi_bags_refresh(struct mapi_bags *bags, struct mailbox *box)
{
	struct mailbox_status status;
	enum mapi_error error;
	unsigned int i;
	bool first = !mapi_bags_are_used(bags), again = TRUE;

	mailbox_get_open_status(box, STATUS_UIDVALIDITY | STATUS_UIDNEXT,
				&status);
	if (bags->mail_uidvalidity != status.uidvalidity) {
		/* the UIDs that were found mean nothing any more */
		bags_forget(bags);
		bags->mail_uidvalidity = status.uidvalidity;
		bags->adopt_next_uid = 0;
	}
	error = bags_refresh(bags, FALSE);
	if (error == EC_NONE && first && !mailbox_is_readonly(box)) {
		/* left by who has died before they were deleted */
		bags_expunge_superseded(bags);
	}
	/* an mdbox that is rebuilt meanwhile brings back what was expunged */
	for (i = 0; i < RESOLVE_MAX && again && error == EC_NONE &&
	     bags_have_unresolved(bags, status.uidnext); i++) {
		error = bags_resolve(bags, box, &again);
		if (error == EC_NONE && again) {
			bags_forget(bags);
			error = bags_refresh(bags, FALSE);
		}
	}
	if (error == EC_NONE)
		bags_adopt(bags, box, status.uidnext);
	return error;
}

bool mapi_bags_are_used(const struct mapi_bags *bags)
{
	return bags->mail_uidvalidity != 0;
}

void mapi_bags_forget(struct mapi_bags *bags)
{
	bags_forget(bags);
	bags->mail_uidvalidity = 0;
}

uint64_t mapi_bags_mid_globcnt(const struct mapi_bags *bags, uint32_t uid)
{
	const struct bag *bag;

	bag = hash_table_lookup(bags->by_uid, POINTER_CAST(uid));
	return bag == NULL ? 0 : bag->mid;
}

uint32_t mapi_bags_mid_uid(const struct mapi_bags *bags, uint64_t globcnt)
{
	const struct bag *bag;

	bag = bags_mid_holder(bags, &globcnt);
	return bag == NULL ? 0 : bag->uid;
}
