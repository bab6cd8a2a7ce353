/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "array.h"
#include "istream.h"
#include "str.h"
#include "mapi-companion-state.h"
#include "mapi-wire.h"
#include "mapi-search-folder-private.h"

/* What a search folder has found, as a state (mapi-companion-state.h), so that
   another session needn't search all over again, and so that a static search
   remains what it was. The message's body:

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

static struct istream *store_body(const struct mapi_search *search)
{
	string_t *str = str_new(default_pool, 4096);
	struct istream *input;
	unsigned int i;

	str_printfa(str,
		"This message belongs to the internal data of the MAPI server\r\n"
		"(Outlook access). If it is deleted, the search is done again.\r\n"
		"results 1 %u %d\r\n",
		search->criteria_number, search->partial ? 1 : 0);
	for (i = 0; i < search->part_count; i++)
		store_part(str, search->parts[i]);
	input = i_stream_create_copy_from_data(str_data(str), str_len(str));
	str_free(&str);
	return input;
}

static const char *store_leaf(const struct mapi_search *search)
{
	return t_strdup_printf(MAPI_COMPANION_SEARCH,
			       mapi_folder_fid_to_number(search->fid));
}

enum mapi_error mapi_search_store(struct mapi_search *search)
{
	struct mapi_state_new state = {
		.mime_header = "Content-Type: text/plain; charset=us-ascii\r\n",
	};
	enum mapi_error ret;

	if (search->criteria == NULL || !search->dirty)
		return EC_NONE;
	T_BEGIN {
		state.subject = t_strdup_printf("Results of search folder %u",
			mapi_folder_fid_to_number(search->fid));
		state.body = store_body(search);
		ret = mapi_state_save(search->store->companion,
				      store_leaf(search), &state);
		i_stream_unref(&state.body);
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

struct search_results {
	struct mapi_search *search;
	/* they are those of the criteria */
	bool valid;
};

static int search_load(struct istream *input, void *context)
{
	struct search_results *results = context;
	struct search_load load = { .search = results->search };
	const char *line;
	bool begun = FALSE, ok = TRUE;

	while (ok && (line = i_stream_read_next_line(input)) != NULL) T_BEGIN {
		ok = load_line(&load, line, &begun);
	} T_END;
	results->valid = ok && begun;
	return input->stream_errno != 0 ? -1 : 0;
}

bool mapi_search_load(struct mapi_search *search)
{
	struct search_results results = { .search = search };
	enum mapi_error ret;

	T_BEGIN {
		ret = mapi_state_load(search->store->companion,
				      store_leaf(search), NULL, search_load,
				      &results);
	} T_END;
	return ret == EC_NONE && results.valid;
}
