/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a process that died has left in a dumpster though its messages weren't moved
   yet: (2) at the head of mapi-dumpster.c. */

#include "lib.h"
#include "array.h"
#include "bsearch-insert-pos.h"
#include "istream.h"
#include "store-compat.h"
#include "mapi-dumpster-private.h"

#define FOLDER_EXT_NAME "mapi-deleting"

/* of FOLDER_EXT_NAME */
struct dumpster_folder_header {
	/* where messages were moved to last, and the next UID then */
	uint32_t uidvalidity, next_uid;
};

static uint32_t dumpster_folder_ext_id(struct mailbox *box)
{
	return mail_index_ext_register(box->index, FOLDER_EXT_NAME,
				sizeof(struct dumpster_folder_header), 0, 0);
}

static void
dumpster_header_init(struct mapi_dumpster *d, struct dumpster_folder_header *hdr_r)
{
	const struct mail_index_header *hdr =
		mail_index_get_header(d->deleted_box->view);

	hdr_r->uidvalidity = hdr->uid_validity;
	hdr_r->next_uid = hdr->next_uid;
}

enum mapi_error mapi_dumpster_begin_move(struct mapi_dumpster *d)
{
	struct mailbox_transaction_context *trans;
	struct dumpster_folder_header hdr;

	dumpster_header_init(d, &hdr);
	trans = mailbox_transaction_begin(d->box, 0, "MAPI dumpster");
	mail_index_update_header_ext(trans->itrans,
				     dumpster_folder_ext_id(d->box), 0,
				     &hdr, sizeof(hdr));
	return mailbox_transaction_commit(&trans) < 0 ?
		mapi_error_from_mailbox(d->box) : EC_NONE;
}

/* The first UID of the last move, (uint32_t)-1 if it isn't known */
static uint32_t dumpster_move_first_uid(struct mapi_dumpster *d)
{
	struct dumpster_folder_header hdr, now;
	const void *data;
	size_t size;

	mail_index_get_header_ext(d->box->view, dumpster_folder_ext_id(d->box),
				  &data, &size);
	if (size < sizeof(hdr))
		return (uint32_t)-1;
	memcpy(&hdr, data, sizeof(hdr));
	dumpster_header_init(d, &now);
	return hdr.uidvalidity == now.uidvalidity ? hdr.next_uid :
		(uint32_t)-1;
}

/* What has to be the same for it to be worth reading */
struct dumpster_mail {
	uint32_t seq;
	time_t received;
	uoff_t size;
};
ARRAY_DEFINE_TYPE(dumpster_mail, struct dumpster_mail);

static int dumpster_mail_cmp(const struct dumpster_mail *m1,
			     const struct dumpster_mail *m2)
{
	if (m1->received != m2->received)
		return m1->received < m2->received ? -1 : 1;
	return m1->size < m2->size ? -1 : m1->size > m2->size ? 1 : 0;
}

static void
dumpster_mail_add(ARRAY_TYPE(dumpster_mail) *mails, struct mail *mail,
		  uint32_t seq)
{
	struct dumpster_mail rec = { .seq = seq };

	mail_set_seq(mail, seq);
	if (mail_get_received_date(mail, &rec.received) == 0 &&
	    mail_get_physical_size(mail, &rec.size) == 0)
		array_push_back(mails, &rec);
}

static bool dumpster_content_equals(struct mail *mail1, struct mail *mail2)
{
	struct istream *input1, *input2;
	const unsigned char *data1, *data2;
	size_t size1, size2, size;

	if (mail_get_stream(mail1, NULL, NULL, &input1) < 0 ||
	    mail_get_stream(mail2, NULL, NULL, &input2) < 0)
		return FALSE;
	for (;;) {
		(void)i_stream_read_more(input1, &data1, &size1);
		(void)i_stream_read_more(input2, &data2, &size2);
		size = I_MIN(size1, size2);
		if (size == 0)
			break;
		if (memcmp(data1, data2, size) != 0)
			return FALSE;
		i_stream_skip(input1, size);
		i_stream_skip(input2, size);
	}
	return size1 == size2 && input1->stream_errno == 0 &&
		input2->stream_errno == 0;
}

static bool
dumpster_content_exists(const ARRAY_TYPE(dumpster_mail) *mails,
			const struct dumpster_mail *wanted, struct mail *mail,
			struct mail *deleted_mail)
{
	const struct dumpster_mail *rec;
	unsigned int i = 0, count;

	rec = array_get(mails, &count);
	(void)array_bsearch_insert_pos(mails, wanted, dumpster_mail_cmp, &i);
	/* any of those that are equal */
	while (i > 0 && dumpster_mail_cmp(&rec[i - 1], wanted) == 0)
		i--;
	for (; i < count && dumpster_mail_cmp(&rec[i], wanted) == 0; i++) {
		mail_set_seq(mail, rec[i].seq);
		mail_set_seq(deleted_mail, wanted->seq);
		if (dumpster_content_equals(mail, deleted_mail))
			return TRUE;
	}
	return FALSE;
}

static void
dumpster_expunge_files(struct mapi_dumpster *d, struct mail *mail,
		       struct mail *deleted_mail,
		       const ARRAY_TYPE(dumpster_mail) *found)
{
	ARRAY_TYPE(dumpster_mail) mails;
	const struct dumpster_mail *rec;
	uint32_t seq, count;

	count = mail_index_view_get_messages_count(d->box->view);
	t_array_init(&mails, count);
	for (seq = 1; seq <= count; seq++)
		dumpster_mail_add(&mails, mail, seq);
	array_sort(&mails, dumpster_mail_cmp);
	array_foreach(found, rec) {
		if (!dumpster_content_exists(&mails, rec, mail, deleted_mail))
			continue;
		e_debug(d->box->event, "mapi: UID %u of the dumpster is in "
			"the folder", deleted_mail->uid);
		mail_expunge(deleted_mail);
	}
}

static enum mapi_error
dumpster_drop_files(struct mapi_dumpster *d, uint32_t first_uid)
{
	struct mailbox_transaction_context *trans, *deleted_trans;
	struct mail *mail, *deleted_mail;
	ARRAY_TYPE(dumpster_mail) found;
	uint32_t seq, seq1, seq2;
	bool failed;

	mailbox_get_seq_range(d->deleted_box, first_uid, (uint32_t)-1,
			      &seq1, &seq2);
	trans = mailbox_transaction_begin(d->box, 0, "MAPI dumpster");
	deleted_trans = mailbox_transaction_begin(d->deleted_box, 0,
						  "MAPI dumpster");
	mail = mail_alloc(trans, 0, NULL);
	deleted_mail = mail_alloc(deleted_trans, 0, NULL);
	t_array_init(&found, 16);
	for (seq = seq1; seq != 0 && seq <= seq2; seq++) {
		if (mapi_dumpster_seq_mid(d->deleted_box, seq) == 0)
			dumpster_mail_add(&found, deleted_mail, seq);
	}
	if (array_count(&found) > 0)
		dumpster_expunge_files(d, mail, deleted_mail, &found);
	mail_free(&mail);
	mail_free(&deleted_mail);
	(void)mailbox_transaction_commit(&trans);
	failed = mailbox_transaction_commit(&deleted_trans) < 0 ||
		(array_count(&found) > 0 &&
		 mailbox_sync(d->deleted_box, MAILBOX_SYNC_FLAG_EXPUNGE) < 0);
	return failed ? mapi_error_from_mailbox(d->deleted_box) : EC_NONE;
}

enum mapi_error
mapi_dumpster_drop_files(struct mapi_dumpster *d, uint32_t first_uid)
{
	first_uid = I_MAX(first_uid, dumpster_move_first_uid(d));
	return first_uid >=
		mail_index_get_header(d->deleted_box->view)->next_uid ?
		EC_NONE : dumpster_drop_files(d, first_uid);
}
