/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "store-compat.h"
#include "mail-index-modseq.h"
#include "mapi-changes.h"

#define EXT_NAME "mapi-changes"

struct mapi_change_rec {
	/* MODSEQs: of the content, and of the change that left it alone */
	uint64_t content, latest;
};

static uint32_t changes_ext_id(struct mailbox *box)
{
	return mail_index_ext_register(box->index, EXT_NAME, 0,
				       sizeof(struct mapi_change_rec),
				       sizeof(uint64_t));
}

uint64_t mapi_mail_content_modseq(struct mail *mail)
{
	struct mail_index_view *view = mail->transaction->view;
	struct mapi_change_rec rec;
	uint64_t modseq;
	const void *data;
	bool expunged;

	/* Both at the same time: mail_get_modseq() would give what it has given
	   before, but the record may be newer than the view. */
	modseq = mail_index_modseq_lookup(view, mail->seq);
	mail_index_lookup_ext(view, mail->seq, changes_ext_id(mail->box),
			      &data, &expunged);
	if (data == NULL)
		return modseq;
	memcpy(&rec, data, sizeof(rec));
	return rec.latest == modseq && rec.content < modseq ?
		rec.content : modseq;
}

void mapi_changes_keep_content(struct mailbox_transaction_context *t,
			       uint32_t seq, uint64_t content,
			       unsigned int step)
{
	struct mapi_change_rec rec = {
		.content = content,
		.latest = mail_index_modseq_get_highest(t->box->view) + step,
	};

	mail_index_update_ext(t->itrans, seq, changes_ext_id(t->box),
			      &rec, NULL);
}
