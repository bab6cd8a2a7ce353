/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Contents tables: the messages of a folder. Rows are UIDs.

   The table has a folder object and so a mailbox of its own: its view of the
   mailbox changes only in contents_sync(), whatever others do with the folder,
   and it goes on working when the client has released the folder. Rows are read
   in one transaction with one struct mail for each operation. */

#include "lib.h"
#include "array.h"
#include "mapi-contents-table.h"
#include "mapi-dumpster.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-mailprops.h"
#include "mapi-props.h"
#include "mapi-search-folder.h"
#include "store-compat.h"

#define CONTENTS_TABLE_FLAGS \
	(CONTENTS_TABLE_ASSOCIATED | CONTENTS_TABLE_DEFERRED_ERRORS | \
	 CONTENTS_TABLE_NO_NOTIFICATIONS | CONTENTS_TABLE_SOFT_DELETES | \
	 CONTENTS_TABLE_USE_UNICODE | CONTENTS_TABLE_CONVERSATION_MEMBERS)

struct mapi_table_program {
	/* NULL if there's no mailbox and so nothing to read */
	struct mapi_mailprops *props;
};

struct contents_source {
	struct mapi_table_source src;
	struct mapi_folder *folder;
	/* NULL for folders that have no messages at all */
	struct mailbox *box;
	bool associated;
	/* the first UID that hasn't been seen yet */
	uint32_t next_uid;

	/* between begin and end */
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	/* of the selected row, opened for sub-object restrictions */
	struct mapi_message *msg;
};

static enum mapi_error contents_error(struct contents_source *csrc)
{
	return mapi_error_from_mailbox(csrc->box);
}

static void contents_end(struct mapi_table_source *src)
{
	struct contents_source *csrc = (struct contents_source *)src;

	if (csrc->mail != NULL)
		mail_free(&csrc->mail);
	/* what has been added to the cache is worth keeping, but nothing
	   depends on it */
	if (csrc->trans != NULL)
		(void)mailbox_transaction_commit(&csrc->trans);
}

static int contents_source_destructor(struct contents_source *csrc)
{
	contents_end(&csrc->src);
	return 0;
}

/* --- which rows there are ------------------------------------------------- */

static uint32_t contents_next_uid(struct contents_source *csrc)
{
	return mail_index_get_header(csrc->box->view)->next_uid;
}

static bool contents_uid_to_seq(struct contents_source *csrc, uint32_t uid,
				uint32_t *seq_r)
{
	return csrc->box != NULL &&
		mail_index_lookup_seq(csrc->box->view, uid, seq_r);
}

static void
changes_add(struct mapi_table_changes *changes, TALLOC_CTX *mem, uint32_t uid)
{
	unsigned int count = changes->touched_count;

	/* grows when it's full: at 16, 32, 64.. */
	if (count == 0 || (count >= 16 && (count & (count - 1)) == 0)) {
		changes->touched = talloc_realloc(mem, changes->touched,
						  uint32_t,
						  I_MAX(16, count * 2));
	}
	changes->touched[changes->touched_count++] = uid;
}

/* Messages that were there before and may have changed, then new ones */
static void
contents_get_changes(struct contents_source *csrc, TALLOC_CTX *mem,
		     const ARRAY_TYPE(seq_range) *modified,
		     uint32_t old_next_uid,
		     struct mapi_table_changes *changes)
{
	struct seq_range_iter iter;
	uint32_t uid, seq, seq2;
	unsigned int n = 0;

	seq_range_array_iter_init(&iter, modified);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (uid < old_next_uid &&
		    mail_index_lookup_seq(csrc->box->view, uid, &seq))
			changes_add(changes, mem, uid);
	}
	csrc->next_uid = contents_next_uid(csrc);
	if (csrc->next_uid == old_next_uid)
		return;
	mailbox_get_seq_range(csrc->box, old_next_uid, (uint32_t)-1,
			      &seq, &seq2);
	for (; seq != 0 && seq <= seq2; seq++) {
		mail_index_lookup_uid(csrc->box->view, seq, &uid);
		changes_add(changes, mem, uid);
	}
}

/* The mailbox has been rebuilt: everything in it may be another. */
static enum mapi_error
contents_reopen(struct contents_source *csrc, TALLOC_CTX *mem,
		ARRAY_TYPE(seq_range) *modified,
		struct mapi_table_changes *changes_r)
{
	enum mapi_error error;

	error = mapi_folder_sync(csrc->folder);
	if (error == EC_NONE && csrc->associated)
		error = mapi_folder_open_associated(csrc->folder, &csrc->box);
	else if (error == EC_NONE)
		csrc->box = csrc->folder->box;
	if (error == EC_NONE && csrc->box == NULL)
		error = EC_OBJECT_DELETED;
	if (error != EC_NONE)
		return error;
	array_clear(modified);
	contents_get_changes(csrc, mem, modified, 1, changes_r);
	changes_r->changed = changes_r->vanished = TRUE;
	return EC_NONE;
}

static enum mapi_error
contents_sync(struct mapi_table_source *src, TALLOC_CTX *mem,
	      struct mapi_table_changes *changes_r)
{
	struct contents_source *csrc = (struct contents_source *)src;
	struct mailbox_sync_context *sync;
	struct mailbox_sync_rec rec;
	struct mailbox_sync_status status;
	ARRAY_TYPE(seq_range) modified;
	uint32_t uid, seq;
	enum mapi_error error;

	i_zero(changes_r);
	if (csrc->box == NULL)
		return EC_NONE;
	/* the right may have been taken away since */
	error = mapi_folder_check_rights(csrc->folder, RIGHTS_READ_ANY);
	if (error != EC_NONE)
		return error;

	i_array_init(&modified, 8);
	sync = mailbox_sync_init(csrc->box, MAILBOX_SYNC_FLAG_FAST);
	while (mailbox_sync_next(sync, &rec)) {
		if (rec.type == MAILBOX_SYNC_TYPE_EXPUNGE) {
			changes_r->vanished = TRUE;
			continue;
		}
		/* The view is still the old one. */
		for (seq = rec.seq1; seq <= rec.seq2; seq++) {
			mail_index_lookup_uid(csrc->box->view, seq, &uid);
			seq_range_array_add(&modified, uid);
		}
	}
	if (mailbox_sync_deinit(&sync, &status) < 0) {
		error = mailbox_is_inconsistent(csrc->box) ?
			contents_reopen(csrc, mem, &modified, changes_r) :
			contents_error(csrc);
	} else {
		contents_get_changes(csrc, mem, &modified, csrc->next_uid,
				     changes_r);
		changes_r->changed = changes_r->vanished ||
			changes_r->touched_count > 0;
	}
	array_free(&modified);
	return error;
}

static uint32_t contents_count(struct mapi_table_source *src)
{
	struct contents_source *csrc = (struct contents_source *)src;

	return csrc->box == NULL ? 0 :
		mail_index_view_get_messages_count(csrc->box->view);
}

static bool contents_exists(struct mapi_table_source *src, uint32_t row)
{
	struct contents_source *csrc = (struct contents_source *)src;
	uint32_t seq;

	return contents_uid_to_seq(csrc, row, &seq);
}

static enum mapi_error
contents_list(struct mapi_table_source *src, TALLOC_CTX *mem,
	      const struct mapi_restriction *restriction,
	      uint32_t **rows_r, unsigned int *count_r, bool *exact_r)
{
	struct contents_source *csrc = (struct contents_source *)src;
	uint32_t i;
	int ret;

	*exact_r = FALSE;
	*count_r = contents_count(src);
	*rows_r = NULL;
	if (*count_r == 0)
		return EC_NONE;
	if (restriction != NULL) {
		ret = mapi_contents_table_search(csrc->box, mem, restriction,
						 rows_r, count_r, exact_r);
		if (ret != 0)
			return ret < 0 ? contents_error(csrc) : EC_NONE;
	}
	*rows_r = talloc_array(mem, uint32_t, *count_r);
	for (i = 0; i < *count_r; i++)
		mail_index_lookup_uid(csrc->box->view, i + 1, *rows_r + i);
	return EC_NONE;
}

static uint64_t contents_inst_id(struct mapi_table_source *src, uint32_t row)
{
	struct contents_source *csrc = (struct contents_source *)src;

	return (uint64_t)mapi_id_to_i64(
		mapi_folder_mid(csrc->folder, csrc->associated, row));
}

static bool
contents_inst_id_to_row(struct mapi_table_source *src, uint64_t inst_id,
			uint32_t *row_r)
{
	struct contents_source *csrc = (struct contents_source *)src;
	bool associated;

	return csrc->box != NULL &&
		mapi_folder_mid_to_uid(csrc->folder,
				       mapi_id_from_i64((int64_t)inst_id),
				       &associated, row_r) == EC_NONE &&
		associated == csrc->associated;
}

static bool contents_is_unread(struct mapi_table_source *src, uint32_t row)
{
	struct contents_source *csrc = (struct contents_source *)src;
	uint32_t seq;

	return contents_uid_to_seq(csrc, row, &seq) &&
		(mail_index_lookup(csrc->box->view, seq)->flags &
		 MAIL_SEEN) == 0;
}

static int32_t contents_depth(struct mapi_table_source *src, uint32_t row)
{
	return 0;
}

/* --- reading rows --------------------------------------------------------- */

static struct mapi_table_program *
contents_compile(struct mapi_table_source *src, TALLOC_CTX *parent,
		 const uint32_t *tags, unsigned int count)
{
	struct contents_source *csrc = (struct contents_source *)src;
	struct mapi_table_program *program;

	program = talloc_zero(parent, struct mapi_table_program);
	if (csrc->box != NULL) {
		program->props = mapi_mailprops_init(program, csrc->folder,
						     csrc->associated,
						     tags, count);
	}
	return program;
}

static enum mapi_error
contents_begin(struct mapi_table_source *src,
	       struct mapi_table_program *const *programs, unsigned int count)
{
	struct contents_source *csrc = (struct contents_source *)src;
	struct mailbox_header_lookup_ctx *headers = NULL, *merged, *wanted;
	unsigned int i, fields = 0, program_fields;

	i_assert(csrc->mail == NULL);
	csrc->msg = NULL;
	if (csrc->box == NULL)
		return EC_NONE;
	for (i = 0; i < count; i++) {
		program_fields = 0;
		wanted = NULL;
		mapi_mailprops_wanted(programs[i]->props, &program_fields,
				      &wanted);
		fields |= program_fields;
		if (wanted == NULL)
			continue;
		if (headers == NULL) {
			mailbox_header_lookup_ref(wanted);
			headers = wanted;
			continue;
		}
		merged = mailbox_header_lookup_merge(headers, wanted);
		mailbox_header_lookup_unref(&headers);
		headers = merged;
	}
	csrc->trans = mailbox_transaction_begin(csrc->box, 0, "MAPI table");
	csrc->mail = mail_alloc(csrc->trans, fields, headers);
	if (headers != NULL)
		mailbox_header_lookup_unref(&headers);
	return EC_NONE;
}

static enum mapi_error
contents_select(struct mapi_table_source *src, uint32_t row)
{
	struct contents_source *csrc = (struct contents_source *)src;

	csrc->msg = NULL;
	return csrc->mail != NULL && mail_set_uid(csrc->mail, row) ?
		EC_NONE : EC_NOT_FOUND;
}

static enum mapi_error
contents_get(struct mapi_table_source *src, struct mapi_table_program *program,
	     TALLOC_CTX *mem, size_t max_size, struct mapi_value *values_r)
{
	struct contents_source *csrc = (struct contents_source *)src;

	return mapi_mailprops_get(program->props, csrc->mail, mem, max_size,
				  values_r);
}

/* What tables are usually sorted by */
static bool
contents_get_number(struct mapi_table_source *src, uint32_t tag,
		    struct mapi_value *value_r)
{
	struct contents_source *csrc = (struct contents_source *)src;
	time_t date;

	if (tag != PIDTAG_MESSAGE_DELIVERY_TIME || csrc->associated)
		return FALSE;
	if (mail_get_received_date(csrc->mail, &date) < 0)
		return FALSE;
	*value_r = mapi_value_time(mapi_time_from_unix(date, 0));
	return TRUE;
}

static enum mapi_error
contents_sub_count(struct mapi_table_source *src, TALLOC_CTX *mem,
		   uint32_t sub_tag, unsigned int *count_r)
{
	struct contents_source *csrc = (struct contents_source *)src;

	return mapi_contents_table_sub_count(csrc->folder,
		mapi_folder_mid(csrc->folder, csrc->associated,
				csrc->mail->uid),
		mem, sub_tag, &csrc->msg, count_r);
}

static enum mapi_error
contents_sub_get(struct mapi_table_source *src, TALLOC_CTX *mem,
		 uint32_t sub_tag, unsigned int idx, uint32_t tag,
		 struct mapi_value *value_r)
{
	struct contents_source *csrc = (struct contents_source *)src;

	return mapi_contents_table_sub_get(csrc->msg, mem, sub_tag, idx, tag,
					   value_r);
}

/* Messages are rewritten under a new UID if one of these changes. */
bool mapi_contents_table_is_constant(uint32_t tag)
{
	switch (tag) {
	case PIDTAG_MESSAGE_DELIVERY_TIME:
	case PIDTAG_CLIENT_SUBMIT_TIME:
	case PIDTAG_MESSAGE_SIZE:
	case PIDTAG_SUBJECT:
	case PIDTAG_NORMALIZED_SUBJECT:
	case PIDTAG_SENDER_NAME:
	case PIDTAG_SENT_REPRESENTING_NAME:
	case PIDTAG_DISPLAY_TO:
	case PIDTAG_MID:
		return TRUE;
	}
	return FALSE;
}

/* What comes from the index is cheap; bodies and all of the header are dear.
   Everything else needs some header fields and the structure. */
bool mapi_contents_table_is_apart(uint32_t tag)
{
	switch (MAPI_TAG_ID(tag)) {
	case MAPI_TAG_ID(PIDTAG_READ):
	case MAPI_TAG_ID(PIDTAG_MESSAGE_FLAGS):
	case MAPI_TAG_ID(PIDTAG_MESSAGE_DELIVERY_TIME):
	case MAPI_TAG_ID(PIDTAG_MESSAGE_SIZE):
	case MAPI_TAG_ID(PIDTAG_FLAG_STATUS):
	case MAPI_TAG_ID(PIDTAG_MID):
	case MAPI_TAG_ID(PIDTAG_ENTRY_ID):
	case MAPI_TAG_ID(PIDTAG_SOURCE_KEY):
	case MAPI_TAG_ID(PIDTAG_CHANGE_NUMBER):
	case MAPI_TAG_ID(PIDTAG_LAST_MODIFICATION_TIME):
	case MAPI_TAG_ID(PIDTAG_BODY):
	case MAPI_TAG_ID(PIDTAG_BODY_HTML):
	case MAPI_TAG_ID(PIDTAG_RTF_COMPRESSED):
	case MAPI_TAG_ID(PIDTAG_TRANSPORT_MESSAGE_HEADERS):
		return TRUE;
	}
	return FALSE;
}

static const struct mapi_table_source_vfuncs contents_vfuncs = {
	.sync = contents_sync,
	.count = contents_count,
	.exists = contents_exists,
	.list = contents_list,
	.compile = contents_compile,
	.begin = contents_begin,
	.end = contents_end,
	.select = contents_select,
	.get = contents_get,
	.get_number = contents_get_number,
	.inst_id = contents_inst_id,
	.inst_id_to_row = contents_inst_id_to_row,
	.is_unread = contents_is_unread,
	.depth = contents_depth,
	.sub_count = contents_sub_count,
	.sub_get = contents_sub_get,
	.all_columns = mapi_contents_table_columns,
	.is_constant = mapi_contents_table_is_constant,
	.is_apart = mapi_contents_table_is_apart,
};

/* --- opening -------------------------------------------------------------- */

static enum mapi_error contents_open_mailbox(struct contents_source *csrc)
{
	enum mapi_error error;

	/* ids come from the folder's own mailbox */
	error = mapi_folder_open_mailbox(csrc->folder);
	if (error != EC_NONE)
		return error;
	if (!csrc->associated)
		csrc->box = csrc->folder->box;
	else {
		error = mapi_folder_open_associated(csrc->folder, &csrc->box);
		if (error != EC_NONE)
			return error;
	}
	if (csrc->box == NULL)
		return EC_NONE;
	if (mailbox_sync(csrc->box, 0) < 0)
		return contents_error(csrc);
	csrc->next_uid = contents_next_uid(csrc);
	return EC_NONE;
}

enum mapi_error
mapi_contents_source_open(TALLOC_CTX *parent, struct mapi_store *store,
			  mapi_id_t fid, uint8_t flags,
			  struct mapi_table_source **src_r)
{
	struct contents_source *csrc;
	enum mapi_error error;

	csrc = talloc_zero(parent, struct contents_source);
	csrc->src.v = &contents_vfuncs;
	csrc->associated = (flags & CONTENTS_TABLE_ASSOCIATED) != 0;
	if ((flags & CONTENTS_TABLE_SOFT_DELETES) == 0)
		error = mapi_folder_open(csrc, store, fid, &csrc->folder);
	else {
		error = mapi_dumpster_look(store, fid);
		if (error == EC_NONE) {
			error = mapi_folder_open_deleted(csrc, store, fid,
							 &csrc->folder);
		}
	}
	/* also if there's no mailbox that would say so */
	if (error == EC_NONE) {
		error = mapi_folder_check_rights(csrc->folder,
						 RIGHTS_READ_ANY);
	}
	if (error == EC_NONE)
		error = contents_open_mailbox(csrc);
	if (error != EC_NONE) {
		talloc_free(csrc);
		return error;
	}
	talloc_set_destructor(csrc, contents_source_destructor);
	*src_r = &csrc->src;
	return EC_NONE;
}

struct mailbox *mapi_contents_source_box(struct mapi_table_source *src)
{
	i_assert(src->v == &contents_vfuncs);
	return ((struct contents_source *)src)->box;
}

enum mapi_error
mapi_contents_table_open(TALLOC_CTX *parent, struct mapi_store *store,
			 mapi_id_t fid, uint8_t flags,
			 struct mapi_table **table_r, uint32_t *row_count_r)
{
	struct mapi_table_source *src;
	enum mapi_error error;

	if ((flags & ~CONTENTS_TABLE_FLAGS) != 0)
		return EC_INVALID_PARAM;
	if (mapi_folder_is_search(store, fid) &&
	    (flags & (CONTENTS_TABLE_ASSOCIATED | CONTENTS_TABLE_SOFT_DELETES |
		      CONTENTS_TABLE_CONVERSATION_MEMBERS)) == 0) {
		error = mapi_search_source_open(parent, store, fid, &src);
	} else if ((flags & CONTENTS_TABLE_CONVERSATION_MEMBERS) == 0 &&
		   (flags & CONTENTS_TABLE_SOFT_DELETES) != 0 &&
		   fid == mapi_store_special_fid(store,
					MAPI_SPECIAL_DELETED_ITEMS)) {
		error = mapi_contents_source_open_removed(parent, store, fid,
							  flags, &src);
	} else if ((flags & CONTENTS_TABLE_CONVERSATION_MEMBERS) == 0) {
		error = mapi_contents_source_open(parent, store, fid, flags,
						  &src);
	} else if (fid == mapi_store_special_fid(store, MAPI_SPECIAL_ROOT)) {
		error = mapi_contents_source_open_all(parent, store, &src);
	} else {
		/* [MS-OXCFOLD] 2.2.1.14.1: only on the Root folder */
		error = EC_NOT_SUPPORTED;
	}
	if (error != EC_NONE)
		return error;
	*table_r = mapi_table_create(parent, store, MAPI_TABLE_CONTENTS, src);
	*row_count_r = src->v->count(src);
	return EC_NONE;
}
