/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Read state, status, moving, copying and deleting over real mailboxes: what
   the other side (Dovecot's own view of the mailbox) sees, and what happens to
   change numbers. */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "mapi-mailprops.h"
#include "mapi-message-write.h"
#include "mapi-object-props.h"
#include "mapi-props.h"
#include "message-common.h"

#include <setjmp.h>
#include <cmocka.h>

#define PLAIN "From: a@example.org\r\nSubject: plain\r\n\r\nbody\r\n"
#define DEST "Projects"

static int64_t
message_number(struct message_env *env, mapi_id_t mid, uint32_t tag)
{
	struct mapi_message *msg = message_env_open(env, mid);
	struct mapi_value value;

	assert_int_equal(msg->obj.v->get_props(&msg->obj, env->mem, &tag, 1,
					       SIZE_MAX, &value), EC_NONE);
	assert_int_equal(value.type, MAPI_TAG_TYPE(tag));
	talloc_free(msg);
	return value.type == PTYP_BOOLEAN ? value.u.b :
		value.type == PTYP_INTEGER32 ? value.u.i32 : value.u.i64;
}

static int64_t message_cn(struct message_env *env, mapi_id_t mid)
{
	int64_t cn = message_number(env, mid, PIDTAG_CHANGE_NUMBER);

	assert_int_not_equal(cn, 0);
	return cn;
}

/* Has Dovecot cache what a contents table shows. */
static void message_rows_read(struct message_env *env, unsigned int count)
{
	static const uint32_t tags[] = { PIDTAG_MESSAGE_FLAGS };
	struct mailbox_header_lookup_ctx *headers = NULL;
	struct mailbox_transaction_context *t;
	struct mapi_mailprops *props;
	struct mapi_folder *folder;
	struct mapi_value value;
	unsigned int seq, fields = 0;
	struct mail *mail;

	assert_int_equal(mapi_folder_open(env->mem, env->store, env->inbox,
					  &folder), EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	props = mapi_mailprops_init(folder, folder, FALSE, tags,
				    N_ELEMENTS(tags));
	mapi_mailprops_wanted(props, &fields, &headers);
	t = mailbox_transaction_begin(folder->box, 0, __func__);
	mail = mail_alloc(t, fields, headers);
	for (seq = 1; seq <= count; seq++) {
		mail_set_seq(mail, seq);
		assert_int_equal(mapi_mailprops_get(props, mail, env->mem,
						    SIZE_MAX, &value), EC_NONE);
	}
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&t), 0);
	talloc_free(folder);
}

/* "1:seen[$MDNSent] 2:" */
static const char *mailbox_state(struct message_env *env, const char *vname)
{
	struct mailbox *box = test_storage_open(env->ts, vname);
	struct mailbox_transaction_context *t;
	const char *const *keywords;
	struct mail *mail;
	string_t *str = t_str_new(64);
	uint32_t seq, seq1, seq2;

	assert_int_equal(mailbox_sync(box, 0), 0);
	mailbox_get_seq_range(box, 1, (uint32_t)-1, &seq1, &seq2);
	t = mailbox_transaction_begin(box, 0, __func__);
	mail = mail_alloc(t, MAIL_FETCH_FLAGS, NULL);
	for (seq = seq1; seq != 0 && seq <= seq2; seq++) {
		mail_set_seq(mail, seq);
		str_printfa(str, "%s%u:%s%s", seq == seq1 ? "" : " ", mail->uid,
			    (mail_get_flags(mail) & MAIL_SEEN) != 0 ?
			    "seen" : "",
			    (mail_get_flags(mail) & MAIL_FLAGGED) != 0 ?
			    "flagged" : "");
		for (keywords = mail_get_keywords(mail); *keywords != NULL;
		     keywords++)
			str_printfa(str, "[%s]", *keywords);
	}
	mail_free(&mail);
	assert_int_equal(mailbox_transaction_commit(&t), 0);
	mailbox_free(&box);
	return str_c(str);
}

static bool
set_read(struct message_env *env, const mapi_id_t *mids, unsigned int count,
	 uint8_t flags)
{
	struct mapi_read_change change;
	bool partial;

	assert_int_equal(mapi_read_change_parse(flags, &change), EC_NONE);
	assert_int_equal(mapi_messages_set_read(env->store, env->inbox, mids,
						count, &change, &partial),
			 EC_NONE);
	return partial;
}

static void swap_ids(mapi_id_t *mid1, mapi_id_t *mid2)
{
	mapi_id_t tmp = *mid1;

	*mid1 = *mid2;
	*mid2 = tmp;
}

/* --- read state -------------------------------------------------------------- */

static void read_state(struct message_env *env)
{
	mapi_id_t mids[4];
	int64_t cns[3];
	unsigned int i, round;

	for (i = 0; i < 3; i++) {
		mids[i] = message_env_save(env, PLAIN, 0, NULL);
		cns[i] = message_cn(env, mids[i]);
	}
	/* in any order, and twice */
	mids[3] = mids[0];
	for (round = 0; round < 3; round++) {
		swap_ids(&mids[0], &mids[2]);
		assert_false(set_read(env, mids, 4, 0));
		swap_ids(&mids[0], &mids[2]);
		assert_string_equal(mailbox_state(env, "INBOX"),
				    "1:seen 2:seen 3:seen");
		assert_false(set_read(env, &mids[1], 1, 0x05));
		assert_string_equal(mailbox_state(env, "INBOX"),
				    "1:seen 2: 3:seen");
		for (i = 0; i < 3; i++) {
			assert_int_equal(message_number(env, mids[i],
					 PIDTAG_READ), i == 1 ? 0 : 1);
			assert_true(message_cn(env, mids[i]) == cns[i]);
		}
	}
}
static void test_read_state(void **state)
{
	message_for_all_drivers(read_state);
}

/* Other changes do change the number, before and after. */
static void read_change_numbers(struct message_env *env)
{
	mapi_id_t mid = message_env_save(env, PLAIN, 0, NULL);
	int64_t cn = message_cn(env, mid), cn2, cn3;

	test_storage_set_flags(env->ts, "INBOX", 1, MODIFY_ADD, MAIL_FLAGGED);
	cn2 = message_cn(env, mid);
	assert_true(cn2 != cn);
	(void)set_read(env, &mid, 1, 0);
	assert_true(message_cn(env, mid) == cn2);
	test_storage_set_flags(env->ts, "INBOX", 1, MODIFY_REMOVE,
			       MAIL_FLAGGED);
	cn3 = message_cn(env, mid);
	assert_true(cn3 != cn2 && cn3 != cn);
	(void)set_read(env, &mid, 1, 0x05);
	assert_true(message_cn(env, mid) == cn3);
	/* nothing to be done: nothing is written */
	(void)set_read(env, &mid, 1, 0x05);
	assert_true(message_cn(env, mid) == cn3);
	/* IMAP marks it as read and unread: counts as a change */
	test_storage_set_flags(env->ts, "INBOX", 1, MODIFY_ADD, MAIL_SEEN);
	assert_true(message_cn(env, mid) != cn3);
}
static void test_read_change_numbers(void **state)
{
	message_for_all_drivers(read_change_numbers);
}

static void read_missing(struct message_env *env)
{
	mapi_id_t mids[5], drafts;
	bool partial;
	struct mapi_read_change change;

	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	test_storage_expunge(env->ts, "INBOX", 1);
	assert_true(set_read(env, mids, 2, 0));
	assert_string_equal(mailbox_state(env, "INBOX"), "2:seen");
	assert_true(set_read(env, mids, 1, 0));
	/* ids that are none, or other folders' */
	mids[2] = 0;
	mids[3] = MAPI_ID(MAPI_STORE_REPLID, (uint64_t)0xEFF0 << 32 | 1);
	mids[4] = MAPI_ID(77, MAPI_ID_GLOBCNT(mids[1]));
	assert_true(set_read(env, &mids[2], 3, 0));
	assert_false(set_read(env, NULL, 0, 0));
	assert_false(set_read(env, &mids[1], 1, 0x04));
	assert_string_equal(mailbox_state(env, "INBOX"), "2:");

	drafts = mapi_store_special_fid(env->store, MAPI_SPECIAL_DRAFTS);
	assert_int_equal(mapi_read_change_parse(0, &change), EC_NONE);
	assert_int_equal(mapi_messages_set_read(env->store, drafts, &mids[1],
						1, &change, &partial), EC_NONE);
	assert_true(partial);
	assert_int_equal(mapi_messages_set_read(env->store,
			MAPI_ID(MAPI_STORE_REPLID, 0x7777), &mids[1], 1,
			&change, &partial), EC_NOT_FOUND);
	assert_string_equal(mailbox_state(env, "INBOX"), "2:");
}
static void test_read_missing(void **state)
{
	message_for_all_drivers(read_missing);
}

static void test_read_flags(void **state)
{
	static const struct {
		uint8_t flags;
		enum mapi_error error;
		/* read, unread, cancel, send */
		const char *change;
	} tests[] = {
		{ 0x00, EC_NONE, "r" },
		{ 0x8A, EC_NONE, "r" },
		{ 0x01, EC_NONE, "rc" },
		{ 0x05, EC_NONE, "u" },
		{ 0x04, EC_NONE, "u" },
		{ 0x24, EC_NONE, "uc" },
		{ 0x10, EC_NONE, "s" },
		{ 0x11, EC_NONE, "c" },
		{ 0x14, EC_INVALID_PARAM, "" },
		{ 0x15, EC_INVALID_PARAM, "" },
		{ 0x20, EC_NONE, "c" },
		{ 0x40, EC_NONE, "" },
		{ 0x60, EC_NONE, "c" },
		{ 0x61, EC_NONE, "rc" },
	};
	struct mapi_read_change change;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tests); i++) T_BEGIN {
		assert_int_equal(mapi_read_change_parse(tests[i].flags,
							&change),
				 tests[i].error);
		if (tests[i].error == EC_NONE) {
			assert_string_equal(t_strconcat(
				change.set_read ? "r" : "",
				change.clear_read ? "u" : "",
				change.cancel_receipt ? "c" : "",
				change.send_receipt ? "s" : "", NULL),
				tests[i].change);
		}
	} T_END;
}

/* The first message asks for a receipt, the second does not. */
static void receipts(struct message_env *env)
{
	mapi_id_t mids[2];
	int64_t cns[2];

	mids[0] = message_env_save(env, message_sample, 0, NULL);
	mids[1] = message_env_save(env, PLAIN, 0, NULL);
	message_rows_read(env, 2);
	cns[0] = message_cn(env, mids[0]);
	cns[1] = message_cn(env, mids[1]);

	/* It can't be sent: it's said, and remains pending. */
	assert_true(set_read(env, &mids[0], 1, 0x10));
	assert_false(set_read(env, &mids[1], 1, 0x10));
	assert_string_equal(mailbox_state(env, "INBOX"), "1: 2:");
	/* Reading doesn't forget that it's pending. */
	assert_false(set_read(env, mids, 2, 0));
	assert_string_equal(mailbox_state(env, "INBOX"), "1:seen 2:seen");
	assert_true(set_read(env, mids, 2, 0x10));
	assert_false(set_read(env, mids, 2, 0x05));
	/* mfNotifyRead */
	assert_int_equal(message_number(env, mids[0], PIDTAG_MESSAGE_FLAGS) &
			 0x100, 0x100);
	assert_false(set_read(env, &mids[0], 1, 0x20));
	assert_string_equal(mailbox_state(env, "INBOX"), "1:[$MDNSent] 2:");
	assert_int_equal(message_number(env, mids[0], PIDTAG_MESSAGE_FLAGS) &
			 0x100, 0);
	assert_false(set_read(env, mids, 2, 0x10));
	assert_true(message_cn(env, mids[0]) == cns[0]);

	/* flags and keywords of one and flags of the other in one go */
	mids[0] = message_env_save(env, message_sample, 0, NULL);
	cns[0] = message_cn(env, mids[0]);
	message_rows_read(env, 3);
	assert_false(set_read(env, mids, 2, 0x01));
	assert_string_equal(mailbox_state(env, "INBOX"),
			    "1:[$MDNSent] 2:seen 3:seen[$MDNSent]");
	assert_true(message_cn(env, mids[0]) == cns[0]);
	assert_true(message_cn(env, mids[1]) == cns[1]);
}
static void test_receipts(void **state)
{
	message_for_all_drivers(receipts);
}

static int64_t
open_message_cn(struct message_env *env, struct mapi_message *msg)
{
	uint32_t tag = PIDTAG_CHANGE_NUMBER;
	struct mapi_value value;

	assert_int_equal(msg->obj.v->get_props(&msg->obj, env->mem, &tag, 1,
					       SIZE_MAX, &value), EC_NONE);
	return value.u.i64;
}

static void open_message(struct message_env *env)
{
	mapi_id_t mid = message_env_save(env, message_sample, 0, NULL);
	static const struct message_expected unread[] = {
		{ PIDTAG_MESSAGE_FLAGS, "274" },
		{ PIDTAG_READ, "no" },
	}, read[] = {
		{ PIDTAG_MESSAGE_FLAGS, "1043" },
		{ PIDTAG_READ, "yes" },
	}, cancelled[] = {
		{ PIDTAG_MESSAGE_FLAGS, "18" },
		{ PIDTAG_READ, "no" },
	};
	struct mapi_message *msg = message_env_open(env, mid), *inner;
	struct mapi_attachment *attach;
	struct mapi_read_change change;
	int64_t cn = message_cn(env, mid);

	ASSERT_PROPS(&msg->obj, unread);
	assert_int_equal(mapi_read_change_parse(0, &change), EC_NONE);
	assert_int_equal(mapi_message_set_read(msg, &change), EC_NONE);
	ASSERT_PROPS(&msg->obj, read);
	assert_true(open_message_cn(env, msg) == cn);
	assert_string_equal(mailbox_state(env, "INBOX"), "1:seen");
	assert_int_equal(mapi_read_change_parse(0x10, &change), EC_NONE);
	assert_int_equal(mapi_message_set_read(msg, &change), EC_NOT_SUPPORTED);
	assert_int_equal(mapi_read_change_parse(0x05, &change), EC_NONE);
	assert_int_equal(mapi_message_set_read(msg, &change), EC_NONE);
	ASSERT_PROPS(&msg->obj, unread);
	assert_int_equal(mapi_read_change_parse(0x20, &change), EC_NONE);
	assert_int_equal(mapi_message_set_read(msg, &change), EC_NONE);
	ASSERT_PROPS(&msg->obj, cancelled);
	assert_true(open_message_cn(env, msg) == cn);
	assert_string_equal(mailbox_state(env, "INBOX"), "1:[$MDNSent]");
	assert_true(message_cn(env, mid) == cn);

	/* one in an attachment has been read */
	assert_int_equal(mapi_attachment_open(env->mem, msg, 1, &attach),
			 EC_NONE);
	assert_int_equal(mapi_attachment_open_embedded(env->mem, attach,
						       &inner), EC_NONE);
	assert_int_equal(mapi_message_set_read(inner, &change), EC_NONE);
	assert_int_equal(mapi_read_change_parse(0x05, &change), EC_NONE);
	assert_int_equal(mapi_message_set_read(inner, &change),
			 EC_NOT_SUPPORTED);

	test_storage_expunge(env->ts, "INBOX", 1);
	assert_int_equal(mapi_message_set_read(msg, &change),
			 EC_OBJECT_DELETED);
}
static void test_open_message(void **state)
{
	message_for_all_drivers(open_message);
}

/* --- status ------------------------------------------------------------------ */

static void message_status(struct message_env *env)
{
	static const char *const keywords[] = { "Red", "$MapiStatus99", NULL };
	mapi_id_t mid = message_env_save(env, PLAIN, MAIL_FLAGGED, keywords);
	int64_t cn = message_cn(env, mid);
	uint32_t status;

#define SET(value, mask) \
	mapi_message_set_status(env->store, env->inbox, mid, (value), (mask), \
				&status)
	assert_int_equal(mapi_message_get_status(env->store, env->inbox, mid,
						 &status), EC_NONE);
	assert_int_equal(status, 0);
	/* the read-only bit isn't changed */
	assert_int_equal(SET(0x3800, 0xFFFFFFFF), EC_NONE);
	assert_int_equal(status, 0);
	assert_true(message_cn(env, mid) == cn);
	assert_int_equal(SET(0x80000000, 0x80001000), EC_NONE);
	assert_int_equal(status, 0x3000);
	assert_true(message_cn(env, mid) == cn);
	assert_int_equal(mapi_message_get_status(env->store, env->inbox, mid,
						 &status), EC_NONE);
	assert_true(status == 0x80002000);
	assert_true((uint32_t)message_number(env, mid, PIDTAG_MESSAGE_STATUS) ==
		    0x80002000);
	/* no change */
	assert_int_equal(SET(0xFFFFFFFF, 0), EC_NONE);
	assert_int_equal(SET(0x2000, 0x2000), EC_NONE);
	assert_true(status == 0x80002000);
	assert_int_equal(SET(0, 0xFFFFFFFF), EC_NONE);
	assert_int_equal(message_number(env, mid, PIDTAG_MESSAGE_STATUS), 0);
	assert_true(message_cn(env, mid) == cn);
	assert_string_equal(mailbox_state(env, "INBOX"),
			    "1:flagged[Red][$MapiStatus99]");

	test_storage_expunge(env->ts, "INBOX", 1);
	assert_int_equal(SET(1, 1), EC_NOT_FOUND);
	mid = 0;
	assert_int_equal(SET(1, 1), EC_NOT_FOUND);
	assert_int_equal(mapi_message_get_status(env->store, env->inbox, mid,
						 &status), EC_NOT_FOUND);
#undef SET
}
static void test_message_status(void **state)
{
	message_for_all_drivers(message_status);
}

/* --- copy, move, delete ------------------------------------------------------ */

static void copy_move(struct message_env *env)
{
	static const char *const keywords[] = { "Red", NULL };
	struct mailbox *box = test_storage_open(env->ts, DEST);
	mapi_id_t mids[3], dest = message_env_folder(env, DEST);
	bool partial;

	mailbox_free(&box);
	assert_true(dest != 0);
	mids[0] = message_env_save(env, message_sample, MAIL_SEEN, keywords);
	mids[1] = message_env_save(env, PLAIN, MAIL_FLAGGED, NULL);
	mids[2] = message_env_save(env, PLAIN, 0, NULL);

	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, dest,
					    mids, 2, FALSE, &partial), EC_NONE);
	assert_false(partial);
	assert_string_equal(mailbox_state(env, "INBOX"),
			    "1:seen[Red] 2:flagged 3:");
	assert_string_equal(mailbox_state(env, DEST), "1:seen[Red] 2:flagged");

	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, dest,
					    mids, 3, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_string_equal(mailbox_state(env, "INBOX"), "");
	assert_string_equal(mailbox_state(env, DEST),
		"1:seen[Red] 2:flagged 3:seen[Red] 4:flagged 5:");
	/* gone already */
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, dest,
					    mids, 3, TRUE, &partial), EC_NONE);
	assert_true(partial);
	assert_true(set_read(env, mids, 3, 0));
	assert_string_equal(mailbox_state(env, DEST),
		"1:seen[Red] 2:flagged 3:seen[Red] 4:flagged 5:");

	/* the ids in the destination are its own */
	struct mapi_folder *folder;
	assert_int_equal(mapi_folder_open(env->mem, env->store, dest, &folder),
			 EC_NONE);
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
	for (unsigned int i = 0; i < 3; i++)
		mids[i] = mapi_folder_mid(folder, FALSE, i + 1);
	/* while the folder is open elsewhere */
	assert_int_equal(mapi_messages_copy(env->store, dest,
					    env->store, env->inbox,
					    mids, 3, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_string_equal(mailbox_state(env, DEST), "4:flagged 5:");
	assert_string_equal(mailbox_state(env, "INBOX"),
			    "4:seen[Red] 5:flagged 6:seen[Red]");
	assert_int_equal(mapi_folder_sync(folder), EC_NONE);
}
static void test_copy_move(void **state)
{
	message_for_all_drivers(copy_move);
}

static void copy_same_folder(struct message_env *env)
{
	mapi_id_t mids[2];
	bool partial;

	mids[0] = message_env_save(env, PLAIN, MAIL_SEEN, NULL);
	mids[1] = message_env_save(env, PLAIN, MAIL_FLAGGED, NULL);
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, env->inbox,
					    mids, 2, FALSE, &partial), EC_NONE);
	assert_false(partial);
	assert_string_equal(mailbox_state(env, "INBOX"),
			    "1:seen 2:flagged 3:seen 4:flagged");
	/* where they are already */
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, env->inbox,
					    mids, 2, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_string_equal(mailbox_state(env, "INBOX"),
			    "1:seen 2:flagged 3:seen 4:flagged");
	test_storage_expunge(env->ts, "INBOX", 1);
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, env->inbox,
					    mids, 2, TRUE, &partial), EC_NONE);
	assert_true(partial);
	assert_string_equal(mailbox_state(env, "INBOX"),
			    "2:flagged 3:seen 4:flagged");
}
static void test_copy_same_folder(void **state)
{
	message_for_all_drivers(copy_same_folder);
}

static void copy_errors(struct message_env *env)
{
	mapi_id_t mid = message_env_save(env, PLAIN, 0, NULL);
	bool partial;

	/* has no messages */
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
			env->store,
			mapi_store_special_fid(env->store, MAPI_SPECIAL_ROOT),
			&mid, 1, TRUE, &partial), EC_NOT_SUPPORTED);
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
			env->store, MAPI_ID(MAPI_STORE_REPLID, 0x7777), &mid,
			1, TRUE, &partial), EC_NOT_FOUND);
	assert_int_equal(mapi_messages_delete(env->store,
			MAPI_ID(MAPI_STORE_REPLID, 0x7777), &mid, 1,
			&partial), EC_NOT_FOUND);
	assert_string_equal(mailbox_state(env, "INBOX"), "1:");
}
static void test_copy_errors(void **state)
{
	message_for_all_drivers(copy_errors);
}

/* A FAI message goes to the destination's FAI messages. */
static void copy_associated(struct message_env *env)
{
	struct mailbox *box = test_storage_open(env->ts, DEST);
	mapi_id_t mids[2], dest = message_env_folder(env, DEST);
	struct mapi_folder *folder;
	const char *fai, *dest_fai;
	bool partial;

	mailbox_free(&box);
	fai = t_strdup_printf("mapi-internal/fai-%u",
			      (unsigned int)MAPI_ID_GLOBCNT(env->inbox));
	dest_fai = t_strdup_printf("mapi-internal/fai-%u",
				   (unsigned int)MAPI_ID_GLOBCNT(dest));
	(void)test_storage_save(env->ts, fai, PLAIN, strlen(PLAIN), 0, NULL,
				MESSAGE_RECEIVED);
	mids[0] = message_env_save(env, PLAIN, 0, NULL);
	assert_int_equal(mapi_folder_open(env->mem, env->store, env->inbox,
					  &folder), EC_NONE);
	assert_int_equal(mapi_folder_open_associated(folder, &box), EC_NONE);
	mids[1] = mapi_folder_mid(folder, TRUE, 1);
	talloc_free(folder);

	assert_false(set_read(env, mids, 2, 0));
	assert_string_equal(mailbox_state(env, "INBOX"), "1:seen");
	assert_string_equal(mailbox_state(env, fai), "1:seen");
	assert_int_equal(mapi_messages_copy(env->store, env->inbox,
					    env->store, dest,
					    mids, 2, TRUE, &partial), EC_NONE);
	assert_false(partial);
	assert_string_equal(mailbox_state(env, "INBOX"), "");
	assert_string_equal(mailbox_state(env, fai), "");
	assert_string_equal(mailbox_state(env, DEST), "1:seen");
	assert_string_equal(mailbox_state(env, dest_fai), "1:seen");
}
static void test_copy_associated(void **state)
{
	message_for_all_drivers(copy_associated);
}

static void delete_messages(struct message_env *env)
{
	mapi_id_t mids[4];
	unsigned int i;
	bool partial;

	for (i = 0; i < 4; i++)
		mids[i] = message_env_save(env, PLAIN, 0, NULL);
	assert_int_equal(mapi_messages_delete(env->store, env->inbox, &mids[1],
					      2, &partial), EC_NONE);
	assert_false(partial);
	assert_string_equal(mailbox_state(env, "INBOX"), "1: 4:");
	assert_int_equal(mapi_messages_delete(env->store, env->inbox, &mids[2],
					      2, &partial), EC_NONE);
	assert_true(partial);
	assert_string_equal(mailbox_state(env, "INBOX"), "1:");
	assert_int_equal(mapi_messages_delete(env->store, env->inbox, NULL, 0,
					      &partial), EC_NONE);
	assert_false(partial);
}
static void test_delete_messages(void **state)
{
	message_for_all_drivers(delete_messages);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_state),
		cmocka_unit_test(test_read_change_numbers),
		cmocka_unit_test(test_read_missing),
		cmocka_unit_test(test_read_flags),
		cmocka_unit_test(test_receipts),
		cmocka_unit_test(test_open_message),
		cmocka_unit_test(test_message_status),
		cmocka_unit_test(test_copy_move),
		cmocka_unit_test(test_copy_same_folder),
		cmocka_unit_test(test_copy_errors),
		cmocka_unit_test(test_copy_associated),
		cmocka_unit_test(test_delete_messages),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
