/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "llist.h"
#include "guid.h"
#include "store-compat.h"
#include "mapi-store-private.h"

/* The id block and the change block of a mailbox (docs/architecture.md,
   section 5): the high 16 bits of a GLOBCNT whose low 32 bits are a UID or a
   MODSEQ. They are allotted in a log of their own, so that the 61,439 of them
   aren't used up by anything else:

     ids <identity>.<UIDVALIDITY>	-> folder number
     changes <identity>.<lineage>	-> base MODSEQ

   where the identity is <folder number>.<mailbox GUID>: of two mailboxes with one
   GUID, which exist after copying by hand, each needs its own. Both are claims;
   the record's number is the block. Blocks are never reused,
   not even those of deleted mailboxes, as a client may still know ids of them.
   When all are used, folders without blocks can't be opened any more, which is
   logged. That's after some 30,000 mailboxes were opened by MAPI in the life of
   one user. The way on from there is a second replica GUID with a replica id of
   its own; it can be added when somebody gets there, without changing any id.

   A lineage (1, 2, ...) is a time through which MODSEQs only grew and kept their
   meaning. An index that's lost starts MODSEQs anew; if that went unnoticed,
   clients would take new changes for ones that they have seen. So:

   (1) The index itself holds the number of its change block, in the header of an
       extension. While it's there and says the newest block, all is well.
   (2) If it's missing, the index is new, or it was rebuilt from the old one
       (force-resync of dbox formats keeps MODSEQs, and drops extensions), or
       this is a replica (dsync carries MODSEQs, no extensions). In the last two
       cases HIGHESTMODSEQ is at least what it was when clients last saw it; a
       lost index starts at 1. What it was is a note in the log "allotments":
       written at the end of a session that saw it grow, and earlier whenever it
       has doubled, so that also after a kill -9 it's more than half the truth.
       HIGHESTMODSEQ below the note means that history was lost: a new lineage,
       and clients download the folder's messages again. At or above it, the
       lineage goes on, and the block is written into the index.
   (3) What remains undetected is a lost index which had more changes after the
       loss than ever before it, without being opened by MAPI in between: then
       changes of flags may be missed, messages never.

   MODSEQs have 64 bits: should one not fit into 32 bits above the lineage's base,
   a new lineage is begun with the current one as its base. Older MODSEQs are all
   0 in it: changes of old, synchronised once more as one.

   For mailboxes with indexes in memory there's no history at all, and clients
   can't synchronise them reliably; they get one lineage for ever. */

#define EXT_NAME "mapi"
#define MODSEQ_MARK_MIN_GROWTH 16

struct mapi_index_header {
	uint32_t change_block;
	uint32_t unused;
};

struct mapi_modseq_mark {
	struct mapi_modseq_mark *prev, *next;
	char *lineage;
	/* seen by this session, written to the log */
	uint64_t highest, written;
};

static uint32_t blocks_ext_id(struct mailbox *box)
{
	return mail_index_ext_register(box->index, EXT_NAME,
				       sizeof(struct mapi_index_header), 0, 0);
}

static uint32_t blocks_index_get(struct mailbox *box)
{
	struct mapi_index_header hdr;
	const void *data;
	size_t size;

	mail_index_get_header_ext(box->view, blocks_ext_id(box), &data, &size);
	if (size < sizeof(hdr))
		return 0;
	memcpy(&hdr, data, sizeof(hdr));
	return hdr.change_block;
}

bool mapi_blocks_are_known(struct mailbox *box)
{
	return blocks_index_get(box) != 0;
}

static enum mapi_error
blocks_index_set(struct mailbox *box, uint32_t change_block)
{
	struct mailbox_transaction_context *t;
	struct mapi_index_header hdr = { .change_block = change_block };

	if (mailbox_is_readonly(box))
		return EC_NONE;
	t = mailbox_transaction_begin(box, 0, __func__);
	mail_index_update_header_ext(t->itrans, blocks_ext_id(box), 0,
				     &hdr, sizeof(hdr));
	if (mailbox_transaction_commit(&t) < 0)
		return mapi_error_from_mailbox(box);
	return EC_NONE;
}

/* --- highest MODSEQ ------------------------------------------------------ */

static uint64_t
blocks_remembered_modseq(struct mapi_store *store, const char *lineage)
{
	const struct mapi_idlog_rec *rec;
	uint64_t modseq;

	rec = mapi_idlog_find(store->log, MAPI_LOG_MODSEQ, lineage);
	if (rec == NULL || str_to_uint64(rec->value, &modseq) < 0)
		return 0;
	return modseq;
}

static enum mapi_error
blocks_mark_write(struct mapi_store *store, struct mapi_modseq_mark *mark)
{
	enum mapi_error ret = EC_NONE;

	/* another session may have seen more */
	mark->written = blocks_remembered_modseq(store, mark->lineage);
	if (mark->written >= mark->highest)
		return EC_NONE;
	T_BEGIN {
		ret = mapi_idlog_write_one(store->log, MAPI_IDLOG_NOTE,
			MAPI_LOG_MODSEQ, mark->lineage,
			t_strdup_printf("%"PRIu64, mark->highest), NULL,
			"highest change of mailbox %s", mark->lineage);
	} T_END;
	if (ret == EC_NONE)
		mark->written = mark->highest;
	return ret;
}

void mapi_blocks_seen(struct mapi_store *store,
		      const struct mapi_blocks *blocks, uint64_t modseq)
{
	struct mapi_modseq_mark *mark;

	for (mark = store->marks; mark != NULL; mark = mark->next) {
		if (strcmp(mark->lineage, blocks->lineage) == 0)
			break;
	}
	if (mark == NULL) {
		mark = talloc_zero(store, struct mapi_modseq_mark);
		mark->lineage = talloc_strdup(mark, blocks->lineage);
		mark->written = blocks_remembered_modseq(store, mark->lineage);
		DLLIST_PREPEND(&store->marks, mark);
	}
	if (mark->highest < modseq)
		mark->highest = modseq;
	/* If it can't be written now, then later. */
	if (mark->highest > mark->written * 2 + MODSEQ_MARK_MIN_GROWTH)
		(void)blocks_mark_write(store, mark);
}

void mapi_blocks_deinit(struct mapi_store *store)
{
	struct mapi_modseq_mark *mark;
	bool refreshed = FALSE;

	for (mark = store->marks; mark != NULL; mark = mark->next) {
		if (mark->highest <= mark->written)
			continue;
		if (!refreshed && mapi_idlog_refresh(store->log) != EC_NONE)
			return;
		refreshed = TRUE;
		if (blocks_mark_write(store, mark) != EC_NONE)
			return;
	}
}

/* --- blocks -------------------------------------------------------------- */

struct blocks_lookup {
	struct mapi_store *store;
	struct mailbox *box;
	uint32_t folder_number;
	const char *identity;
	uint32_t uidvalidity;
	uint64_t highest_modseq;
	bool nonpermanent;
};

static const char *
blocks_lineage_key(const struct blocks_lookup *lookup, unsigned int lineage)
{
	return t_strdup_printf("%s.%u", lookup->identity, lineage);
}

static const struct mapi_idlog_rec *
blocks_find_newest_lineage(const struct blocks_lookup *lookup,
			   unsigned int *lineage_r)
{
	const struct mapi_idlog_rec *rec, *newest = NULL;

	*lineage_r = 0;
	while ((rec = mapi_idlog_find(lookup->store->blocks, "changes",
			blocks_lineage_key(lookup, *lineage_r + 1))) != NULL) {
		newest = rec;
		*lineage_r += 1;
	}
	return newest;
}

static enum mapi_error
blocks_allot(const struct blocks_lookup *lookup, unsigned int lineage,
	     uint64_t base, const struct mapi_idlog_rec **ids_r,
	     const struct mapi_idlog_rec **changes_r)
{
	struct mapi_idlog_new recs[] = {
		{ .type = MAPI_IDLOG_CLAIM, .kind = "ids",
		  .key = t_strdup_printf("%s.%u", lookup->identity,
					 lookup->uidvalidity),
		  .value = t_strdup_printf("%u", lookup->folder_number),
		  .subject = t_strdup_printf("message numbers of mailbox %s",
					     lookup->box->vname) },
		{ .type = MAPI_IDLOG_CLAIM, .kind = "changes",
		  .key = blocks_lineage_key(lookup, lineage),
		  .value = t_strdup_printf("%"PRIu64, base),
		  .subject = t_strdup_printf("change numbers of mailbox %s",
					     lookup->box->vname) },
	};
	enum mapi_error ret;

	ret = mapi_idlog_write(lookup->store->blocks, recs, N_ELEMENTS(recs));
	if (ret != EC_NONE)
		return ret;
	*ids_r = recs[0].rec_r;
	*changes_r = recs[1].rec_r;
	return EC_NONE;
}

static enum mapi_error
blocks_get_status(struct blocks_lookup *lookup)
{
	struct mailbox_metadata metadata;
	struct mailbox_status status;

	if (mailbox_get_metadata(lookup->box, MAILBOX_METADATA_GUID,
				 &metadata) < 0)
		return mapi_error_from_mailbox(lookup->box);
	mailbox_get_open_status(lookup->box, STATUS_UIDVALIDITY |
				STATUS_HIGHESTMODSEQ, &status);
	lookup->identity = t_strdup_printf("%u.%s", lookup->folder_number,
					   guid_128_to_string(metadata.guid));
	lookup->uidvalidity = status.uidvalidity;
	lookup->highest_modseq = status.highest_modseq;
	lookup->nonpermanent = status.nonpermanent_modseqs;
	return EC_NONE;
}

uint16_t mapi_blocks_find_ids(struct mapi_store *store, uint32_t number,
			      struct mailbox *box)
{
	struct blocks_lookup lookup = {
		.store = store, .box = box, .folder_number = number,
	};
	const struct mapi_idlog_rec *rec = NULL;

	T_BEGIN {
		if (blocks_get_status(&lookup) == EC_NONE) {
			rec = mapi_idlog_find(store->blocks, "ids",
				t_strdup_printf("%s.%u", lookup.identity,
						lookup.uidvalidity));
		}
	} T_END;
	return rec == NULL ? 0 : rec->number;
}

static enum mapi_error
mapi_blocks_get_real(struct mapi_store *store, TALLOC_CTX *mem,
		     uint32_t number, struct mailbox *box,
		     struct mapi_blocks *blocks_r)
{
	struct blocks_lookup lookup = {
		.store = store, .box = box, .folder_number = number,
	};
	const struct mapi_idlog_rec *ids, *changes;
	unsigned int lineage;
	uint32_t index_block;
	uint64_t base = 0;
	enum mapi_error ret;

	ret = blocks_get_status(&lookup);
	if (ret != EC_NONE)
		return ret;
	changes = blocks_find_newest_lineage(&lookup, &lineage);
	index_block = blocks_index_get(box);
	if (changes == NULL || changes->number != index_block) {
		/* new to us, or others know better */
		ret = mapi_idlog_refresh(store->blocks);
		if (ret != EC_NONE)
			return ret;
		changes = blocks_find_newest_lineage(&lookup, &lineage);
	}

	if (changes == NULL)
		lineage = 1;
	else if (changes->number != index_block && !lookup.nonpermanent) {
		ret = mapi_idlog_refresh(store->log);
		if (ret != EC_NONE)
			return ret;
		if (lookup.highest_modseq < blocks_remembered_modseq(store,
				blocks_lineage_key(&lookup, lineage))) {
			e_info(box->event, "mapi: Mailbox has lost its "
			       "history of changes");
			lineage++;
		}
	}
	if (changes != NULL &&
	    (str_to_uint64(changes->value, &base) < 0 ||
	     lookup.highest_modseq > base + UINT32_MAX / 2)) {
		/* leave room for what this session will see */
		base = lookup.highest_modseq;
		lineage++;
	}
	ret = blocks_allot(&lookup, lineage, base, &ids, &changes);
	if (ret != EC_NONE)
		return ret;
	if (changes->number != index_block && !lookup.nonpermanent) {
		ret = blocks_index_set(box, changes->number);
		if (ret != EC_NONE)
			return ret;
	}

	blocks_r->id_block = ids->number;
	blocks_r->change_block = changes->number;
	if (str_to_uint64(changes->value, &blocks_r->change_base) < 0)
		blocks_r->change_base = 0;
	blocks_r->lineage = talloc_strdup(mem,
					  blocks_lineage_key(&lookup, lineage));
	if (!lookup.nonpermanent)
		mapi_blocks_seen(store, blocks_r, lookup.highest_modseq);
	return EC_NONE;
}

enum mapi_error
mapi_blocks_get(struct mapi_store *store, TALLOC_CTX *mem, uint32_t number,
		struct mailbox *box, struct mapi_blocks *blocks_r)
{
	enum mapi_error ret;

	T_BEGIN {
		ret = mapi_blocks_get_real(store, mem, number, box, blocks_r);
	} T_END;
	return ret;
}
