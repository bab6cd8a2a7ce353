/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When a message of a dumpster was deleted. Usually that's Dovecot's own date of
   saving, but not for what has come from the dumpster of a folder that is gone
   (mapi-dumpster-folder.c): lib-storage can't copy a message with that date. Such
   messages have a record in an index extension. Where that is lost, they are kept
   longer than they should be, and not less. */

#include "lib.h"
#include "store-compat.h"
#include "mapi-dumpster-private.h"

#define EXT_NAME "mapi-deleted-on"

static uint32_t date_ext_id(struct mailbox *box)
{
	return mail_index_ext_register(box->index, EXT_NAME, 0,
				       sizeof(uint32_t), sizeof(uint32_t));
}

void mapi_dumpster_set_date(struct mailbox_transaction_context *trans,
			    uint32_t seq, time_t date)
{
	uint32_t date32 = date;

	mail_index_update_ext(trans->itrans, seq, date_ext_id(trans->box),
			      &date32, NULL);
}

time_t mapi_dumpster_seq_date(struct mailbox *box, uint32_t seq)
{
	uint32_t date = 0;
	const void *data;
	bool expunged;

	mail_index_lookup_ext(box->view, seq, date_ext_id(box), &data,
			      &expunged);
	if (data != NULL)
		memcpy(&date, data, sizeof(date));
	return date;
}

int mapi_dumpster_get_date(struct mail *mail, time_t *date_r)
{
	*date_r = mapi_dumpster_seq_date(mail->box, mail->seq);
	return *date_r != 0 ? 0 : mail_get_save_date(mail, date_r);
}

int mapi_dumpster_get_deleted(struct mapi_folder *folder, struct mail *mail,
			      time_t *date_r)
{
	const struct mapi_folder_node *node;

	if (folder == NULL)
		return 0;
	if (folder->deleted)
		return mapi_dumpster_get_date(mail, date_r) < 0 ? -1 : 1;
	node = mapi_folder_node(folder);
	if (node == NULL || node->removed == 0)
		return 0;
	*date_r = node->removed;
	return 1;
}
