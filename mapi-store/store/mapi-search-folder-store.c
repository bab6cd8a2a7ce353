/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "istream.h"
#include "message-date.h"
#include "message-size.h"
#include "str.h"
#include "store-compat.h"
#include "mapi-wire.h"
#include "mapi-search-folder-private.h"

/* What a search folder has found, as a message in a companion mailbox of its own,
   so that another session needn't search all over again, and so that a static
   search remains what it was. A new message is saved before the old one is
   expunged, and the newest one holds. Its body:

     results 1 <number of the criteria's record> <1 if partial>
     folder <number> <UIDVALIDITY> <UIDs below which it has been searched>
	    <MODSEQ> <status: UIDVALIDITY UIDNEXT messages unseen MODSEQ> <block>
     rows [<UID>[-<UID>][u][=<GLOBCNT>]]..

   with as many lines of rows after each folder as it takes; u: unread. The GLOBCNT
   of a message's id is (block, UID) unless it says otherwise. Numbers are decimal
   but for block and GLOBCNT. What can't be understood isn't there: the search is
   done again. */

#define ROWS_MAX_LINE 900

/* --- writing --------------------------------------------------------------- */

static uint64_t row_globcnt(const struct mapi_search_row *row)
{
	return MAPI_ID_GLOBCNT(mapi_id_from_i64((int64_t)row->inst_id));
}

static void
store_rows(string_t *str, const struct mapi_search_part *part, uint16_t block)
{
	unsigned int i, j;
	size_t line = 0;

	for (i = 0; i < part->row_count; i = j) {
		const struct mapi_search_row *row = &part->rows[i];
		uint64_t globcnt = row_globcnt(row);
		bool regular = globcnt == ((uint64_t)block << 32 | row->uid);

		for (j = i + 1; j < part->row_count && regular; j++) {
			const struct mapi_search_row *next = &part->rows[j];

			if (next->uid != row->uid + (j - i) ||
			    next->unread != row->unread ||
			    row_globcnt(next) !=
			    ((uint64_t)block << 32 | next->uid))
				break;
		}
		if (i == 0 || str_len(str) - line > ROWS_MAX_LINE) {
			str_append(str, "\r\nrows");
			line = str_len(str);
		}
		str_printfa(str, " %u", row->uid);
		if (j - i > 1)
			str_printfa(str, "-%u", row->uid + (j - i) - 1);
		if (row->unread)
			str_append_c(str, 'u');
		if (!regular)
			str_printfa(str, "=%"PRIx64, globcnt);
	}
	str_append(str, "\r\n");
}

static void store_part(string_t *str, const struct mapi_search_part *part)
{
	const struct mapi_search_status *status = &part->status;
	uint16_t block = part->row_count == 0 ? 0 :
		row_globcnt(&part->rows[0]) >> 32;

	/* one that can't be read is tried again */
	if (part->uidvalidity == 0)
		return;
	str_printfa(str, "folder %u %u %u %"PRIu64" %u %u %u %u %"PRIu64" %x",
		    mapi_folder_fid_to_number(part->fid), part->uidvalidity,
		    part->next_uid, part->modseq, status->uidvalidity,
		    status->uidnext, status->messages, status->unseen,
		    status->modseq, block);
	store_rows(str, part, block);
}

static struct istream *store_message(const struct mapi_search *search)
{
	string_t *str = str_new(default_pool, 4096);
	struct istream *input;
	unsigned int i;

	str_printfa(str,
		"From: MAPI server <MAILER-DAEMON>\r\n"
		"Date: %s\r\n"
		"Subject: Results of search folder %u\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=us-ascii\r\n"
		"\r\n"
		"This message belongs to the internal data of the MAPI server\r\n"
		"(Outlook access). If it is deleted, the search is done again.\r\n"
		"results 1 %u %d\r\n",
		message_date_create(ioloop_time),
		mapi_folder_fid_to_number(search->fid),
		search->criteria_number, search->partial ? 1 : 0);
	for (i = 0; i < search->part_count; i++)
		store_part(str, search->parts[i]);
	input = i_stream_create_copy_from_data(str_data(str), str_len(str));
	str_free(&str);
	return input;
}

static int
store_save(struct mailbox_transaction_context *trans, struct istream *input)
{
	struct mail_save_context *ctx;
	ssize_t ret;

	ctx = mailbox_save_alloc(trans);
	mailbox_save_set_flags(ctx, MAIL_SEEN, NULL);
	if (mailbox_save_begin(&ctx, input) < 0)
		return -1;
	do {
		ret = i_stream_read(input);
		if (mailbox_save_continue(ctx) < 0) {
			mailbox_save_cancel(&ctx);
			return -1;
		}
	} while (ret > 0);
	return mailbox_save_finish(&ctx);
}

/* Those that were there before */
static int store_expunge_old(struct mailbox *box, uint32_t count)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	uint32_t seq;

	trans = mailbox_transaction_begin(box, 0, __func__);
	mail = mail_alloc(trans, 0, NULL);
	for (seq = 1; seq <= count; seq++) {
		mail_set_seq(mail, seq);
		mail_expunge(mail);
	}
	mail_free(&mail);
	if (mailbox_transaction_commit(&trans) < 0)
		return -1;
	return mailbox_sync(box, MAILBOX_SYNC_FLAG_EXPUNGE);
}

static enum mapi_error
search_store(struct mapi_search *search, struct mailbox *box)
{
	struct mailbox_transaction_context *trans;
	struct istream *input;
	uint32_t count;
	int ret;

	count = mail_index_view_get_messages_count(box->view);
	input = store_message(search);
	trans = store_compat_internal_save_begin(box, __func__);
	ret = store_save(trans, input);
	i_stream_unref(&input);
	if (ret < 0) {
		enum mapi_error error = mapi_error_from_mailbox(box);

		mailbox_transaction_rollback(&trans);
		return error;
	}
	if (mailbox_transaction_commit(&trans) < 0 ||
	    (count > 0 && store_expunge_old(box, count) < 0))
		return mapi_error_from_mailbox(box);
	return EC_NONE;
}

enum mapi_error mapi_search_store(struct mapi_search *search)
{
	struct mailbox *box;
	enum mapi_error ret;

	if (search->criteria == NULL || !search->dirty)
		return EC_NONE;
	T_BEGIN {
		ret = mapi_companion_open(search->store->companion,
			t_strdup_printf(MAPI_COMPANION_SEARCH,
				mapi_folder_fid_to_number(search->fid)),
			TRUE, NULL, &box);
		if (ret == EC_NONE) {
			ret = search_store(search, box);
			mailbox_free(&box);
		}
	} T_END;
	if (ret == EC_NONE)
		search->dirty = FALSE;
	return ret;
}

/* --- reading --------------------------------------------------------------- */

struct search_load {
	struct mapi_search *search;
	struct mapi_search_part *part;
	uint16_t block;
	unsigned int row_alloc;
};

static bool load_results(struct search_load *load, const char *const *args)
{
	uint32_t number;

	if (str_array_length(args) != 4 || strcmp(args[1], "1") != 0 ||
	    str_to_uint32(args[2], &number) < 0 ||
	    number != load->search->criteria_number)
		return FALSE;
	load->search->partial = strcmp(args[3], "0") != 0;
	return TRUE;
}

static bool load_folder(struct search_load *load, const char *const *args)
{
	struct mapi_search_part *part;
	struct mapi_search_status *status;
	uint32_t number, block;

	if (str_array_length(args) != 11 ||
	    load->search->part_count == MAPI_SEARCH_MAX_FOLDERS ||
	    str_to_uint32(args[1], &number) < 0 || number == 0 ||
	    mapi_search_find_part(load->search,
				  MAPI_FOLDER_FID(number)) != NULL)
		return FALSE;
	part = load->part = mapi_search_add_part(load->search,
						 MAPI_FOLDER_FID(number));
	part->generation = load->search->generation;
	load->row_alloc = 0;
	status = &part->status;
	if (str_to_uint32(args[2], &part->uidvalidity) < 0 ||
	    str_to_uint32(args[3], &part->next_uid) < 0 ||
	    str_to_uint64(args[4], &part->modseq) < 0 ||
	    str_to_uint32(args[5], &status->uidvalidity) < 0 ||
	    str_to_uint32(args[6], &status->uidnext) < 0 ||
	    str_to_uint32(args[7], &status->messages) < 0 ||
	    str_to_uint32(args[8], &status->unseen) < 0 ||
	    str_to_uint64(args[9], &status->modseq) < 0 ||
	    str_to_uint32_hex(args[10], &block) < 0 || block > UINT16_MAX)
		return FALSE;
	load->block = block;
	return TRUE;
}

static bool
load_row(struct search_load *load, uint32_t uid, bool unread, uint64_t globcnt)
{
	struct mapi_search_part *part = load->part;
	struct mapi_search_row *row;

	if (uid == 0 || uid >= part->next_uid ||
	    (part->row_count > 0 &&
	     part->rows[part->row_count - 1].uid >= uid))
		return FALSE;
	if (part->row_count == load->row_alloc) {
		load->row_alloc = I_MAX(16, load->row_alloc * 2);
		part->rows = talloc_realloc(part, part->rows,
					    struct mapi_search_row,
					    load->row_alloc);
	}
	row = &part->rows[part->row_count++];
	row->uid = uid;
	row->unread = unread;
	row->inst_id = (uint64_t)mapi_id_to_i64(
		MAPI_ID(MAPI_STORE_REPLID, globcnt));
	return TRUE;
}

static bool load_range(struct search_load *load, const char *arg)
{
	uint32_t first, last, uid;
	uint64_t globcnt = 0;
	bool unread = FALSE;

	if (str_parse_uint32(arg, &first, &arg) < 0)
		return FALSE;
	last = first;
	if (*arg == '-' && (str_parse_uint32(arg + 1, &last, &arg) < 0 ||
			    last < first))
		return FALSE;
	if (*arg == 'u') {
		unread = TRUE;
		arg++;
	}
	if (*arg == '=') {
		if (str_to_uint64_hex(arg + 1, &globcnt) < 0 ||
		    first != last || globcnt >> 48 != 0)
			return FALSE;
	} else if (*arg != '\0') {
		return FALSE;
	}
	/* how many there may be is what the mailbox had */
	if (last - first >= load->part->next_uid)
		return FALSE;
	for (uid = first; ; uid++) {
		if (!load_row(load, uid, unread, globcnt != 0 ? globcnt :
			      (uint64_t)load->block << 32 | uid))
			return FALSE;
		if (uid == last)
			return TRUE;
	}
}

static bool load_line(struct search_load *load, const char *line, bool *begun)
{
	const char *const *args = t_strsplit(line, " ");

	if (strcmp(args[0], "results") == 0) {
		*begun = TRUE;
		return load_results(load, args);
	}
	if (!*begun)
		return TRUE;
	if (strcmp(args[0], "folder") == 0)
		return load_folder(load, args);
	if (strcmp(args[0], "rows") != 0)
		return *line == '\0';
	if (load->part == NULL)
		return FALSE;
	for (args++; *args != NULL; args++) {
		if (!load_range(load, *args))
			return FALSE;
	}
	return TRUE;
}

/* Returns 1 if the results are those of the criteria, 0 if not, -1 on error. */
static int search_load(struct mapi_search *search, struct mail *mail)
{
	struct search_load load = { .search = search };
	struct message_size hdr_size;
	struct istream *input;
	const char *line;
	bool begun = FALSE, ok = TRUE;

	if (mail_get_stream(mail, &hdr_size, NULL, &input) < 0)
		return -1;
	i_stream_seek(input, hdr_size.physical_size);
	while (ok && (line = i_stream_read_next_line(input)) != NULL) T_BEGIN {
		ok = load_line(&load, line, &begun);
	} T_END;
	if (input->stream_errno != 0)
		return -1;
	return ok && begun ? 1 : 0;
}

bool mapi_search_load(struct mapi_search *search)
{
	struct mailbox_transaction_context *trans;
	struct mailbox *box;
	struct mail *mail;
	enum mapi_error ret;
	uint32_t count;
	int loaded = 0;

	T_BEGIN {
		const char *leaf = t_strdup_printf(MAPI_COMPANION_SEARCH,
			mapi_folder_fid_to_number(search->fid));

		ret = mapi_companion_exists(search->store->companion, leaf) ?
			mapi_companion_open(search->store->companion, leaf,
					    FALSE, NULL, &box) : EC_NOT_FOUND;
	} T_END;
	if (ret != EC_NONE)
		return FALSE;
	count = mail_index_view_get_messages_count(box->view);
	if (count > 0) {
		trans = mailbox_transaction_begin(box, 0, __func__);
		mail = mail_alloc(trans, MAIL_FETCH_STREAM_BODY, NULL);
		mail_set_seq(mail, count);
		loaded = search_load(search, mail);
		if (loaded < 0)
			(void)mapi_error_from_mailbox(box);
		mail_free(&mail);
		(void)mailbox_transaction_commit(&trans);
	}
	mailbox_free(&box);
	return loaded > 0;
}
