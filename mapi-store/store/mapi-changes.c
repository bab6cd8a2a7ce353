/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "store-compat.h"
#include "mail-index-modseq.h"
#include "mapi-changes.h"

#define EXT_NAME "mapi-changes"

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
