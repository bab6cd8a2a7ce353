/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "store-compat.h"
#include "mail-index-modseq.h"
#include "mapi-changes.h"
#include "mapi-store.h"

#define EXT_NAME "mapi-changes"
/* How far a MODSEQ is moved on: more than other sessions can get to in between, and
   not as far as they do. */
#define SET_CHANGED_MIN 16
#define SET_CHANGED_MAX 255
#define SET_CHANGED_ATTEMPTS 20

/* Many messages are changed at once: the smaller, the faster. */
struct mapi_change_rec {
	/* the low bits of the MODSEQ of the change that left the content
	   alone */
	uint32_t latest;
	/* how much lower the content's MODSEQ is; 0 if there's no record */
	uint32_t distance;
};

static uint32_t changes_ext_id(struct mailbox *box)
{
	return mail_index_ext_register(box->index, EXT_NAME, 0,
				       sizeof(struct mapi_change_rec),
				       sizeof(uint32_t));
}

static uint64_t
changes_content(struct mail_index_view *view, uint32_t ext_id, uint32_t seq)
{
	struct mapi_change_rec rec;
	uint64_t modseq;
	const void *data;
	bool expunged;

	/* Both at the same time: mail_get_modseq() would give what it has given
	   before, but the record may be newer than the view. */
	modseq = mail_index_modseq_lookup(view, seq);
	mail_index_lookup_ext(view, seq, ext_id, &data, &expunged);
	if (data == NULL)
		return modseq;
	memcpy(&rec, data, sizeof(rec));
	return rec.latest == (uint32_t)modseq && rec.distance <= modseq ?
		modseq - rec.distance : modseq;
}

uint64_t mapi_mail_content_modseq(struct mail *mail)
{
	return changes_content(mail->transaction->view,
			       changes_ext_id(mail->box), mail->seq);
}

/* box has just been synchronised. */
static int
mail_raise_modseq(struct mailbox *box, uint32_t uid, uint64_t *modseq_r)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;

	*modseq_r = mail_index_modseq_get_highest(box->view) +
		SET_CHANGED_MIN +
		i_rand_limit(SET_CHANGED_MAX - SET_CHANGED_MIN + 1);
	trans = mailbox_transaction_begin(box, 0, "MAPI change");
	mail = mail_alloc(trans, 0, NULL);
	if (mail_set_uid(mail, uid))
		mail_update_modseq(mail, *modseq_r);
	mail_free(&mail);
	return mailbox_transaction_commit(&trans);
}

enum mapi_error mapi_mail_set_changing(struct mailbox *box, uint32_t uid)
{
	uint64_t modseq;

	return mail_raise_modseq(box, uid, &modseq) < 0 ?
		mapi_error_from_mailbox(box) : EC_NONE;
}

/* lib-storage can raise a message's MODSEQ to a given value only, and nothing happens
   if others have got beyond it in the meantime. So it's looked at afterwards: if
   it's another value, nobody knows whose change came first. (That two sessions
   choose the same one at the same moment is left to chance.) Returns 1 if it's done,
   0 if it has to be tried again, -1 on error. */
static int mail_try_set_changed(struct mailbox *box, uint32_t uid)
{
	uint64_t modseq;
	uint32_t seq;

	if (mailbox_sync(box, 0) < 0 ||
	    mail_raise_modseq(box, uid, &modseq) < 0 ||
	    mailbox_sync(box, 0) < 0)
		return -1;
	return !mail_index_lookup_seq(box->view, uid, &seq) ||
		mail_index_modseq_lookup(box->view, seq) == modseq ? 1 : 0;
}

enum mapi_error mapi_mail_set_changed(struct mailbox *box, uint32_t uid)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < SET_CHANGED_ATTEMPTS && ret == 0; i++)
		ret = mail_try_set_changed(box, uid);
	return ret < 0 ? mapi_error_from_mailbox(box) : EC_NONE;
}

void mapi_changes_init(struct mapi_changes *changes_r,
		       struct mailbox_transaction_context *trans)
{
	i_zero(changes_r);
	changes_r->trans = trans;
	changes_r->ext_id = changes_ext_id(trans->box);
	changes_r->highest = mail_index_modseq_get_highest(trans->box->view);
}

uint64_t mapi_changes_content(const struct mapi_changes *changes, uint32_t seq)
{
	return changes_content(changes->trans->view, changes->ext_id, seq);
}

void mapi_changes_keep_content(struct mapi_changes *changes, uint32_t seq,
			       uint64_t content, unsigned int step)
{
	uint64_t latest = changes->highest + step;
	struct mapi_change_rec rec = {
		.latest = (uint32_t)latest,
		.distance = latest - content,
	};

	if (latest - content > UINT32_MAX)
		return;
	mail_index_update_ext(changes->trans->itrans, seq, changes->ext_id,
			      &rec, NULL);
}
