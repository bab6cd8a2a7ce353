/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "store-compat.h"
#include "mapi-bags.h"
#include "mapi-dumpster.h"
#include "mapi-entryid.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-folder-write.h"
#include "mapi-stored-props.h"

/* Folder objects, and the ids of what is in them.

   What others do to a mailbox needs no reconciling yet: UIDs and MODSEQs are the
   ids, so that a message that LMTP delivered, a flag that IMAP changed and an
   expunge are what mapi_folder_sync() makes visible. What is noticed beyond that
   is a changed UIDVALIDITY and a lost history (mapi-folder-blocks.c). When
   messages can be written, stored ids (a message that was replaced keeps its
   MID) and the classification of changes come on top. */

struct mapi_folder_box {
	struct mailbox *box;
	/* that blocks are for */
	uint32_t uidvalidity;
	struct mapi_blocks blocks;
	/* owned by the store */
	struct mapi_bags *bags;
	/* of soft-deleted messages, else NULL */
	struct mapi_dumpster_ids *ids;
};

struct mapi_folder_private {
	struct mapi_folder_box normal, associated;
};

static enum mapi_error
mapi_folder_get_props(struct mapi_object *obj, TALLOC_CTX *mem,
		      const uint32_t *tags, unsigned int count, size_t max_size,
		      struct mapi_value *values_r);
static enum mapi_error
mapi_folder_list_props(struct mapi_object *obj, TALLOC_CTX *mem,
		       const uint32_t **tags_r, unsigned int *count_r);
static const struct mapi_object_vfuncs mapi_folder_vfuncs = {
	.get_props = mapi_folder_get_props,
	.list_props = mapi_folder_list_props,
	.open_stream = mapi_stored_open_stream,
	.set_props = mapi_folder_set_props,
	.delete_props = mapi_folder_delete_props,
	.open_stream_write = mapi_stored_open_stream_write,
};

static int mapi_folder_destructor(struct mapi_folder *folder)
{
	if (folder->priv->normal.box != NULL)
		mailbox_free(&folder->priv->normal.box);
	if (folder->priv->associated.box != NULL)
		mailbox_free(&folder->priv->associated.box);
	return 0;
}

enum mapi_error
mapi_folder_open(TALLOC_CTX *parent, struct mapi_store *store, mapi_id_t fid,
		 struct mapi_folder **folder_r)
{
	struct mapi_folder_node *node;
	struct mapi_folder *folder;
	enum mapi_error ret;

	node = mapi_folder_tree_lookup(store, fid);
	if (node == NULL) {
		if (mapi_folder_fid_to_number(fid) == 0)
			return EC_NOT_FOUND;
		/* perhaps others have created it */
		ret = mapi_folder_tree_refresh(store);
		if (ret != EC_NONE)
			return ret;
		node = mapi_folder_tree_lookup_any(store, fid);
		if (node == NULL)
			return EC_NOT_FOUND;
	}
	if (!mapi_folder_is_visible(store, node))
		return EC_NOT_FOUND;
	folder = talloc_zero(parent, struct mapi_folder);
	folder->priv = talloc_zero(folder, struct mapi_folder_private);
	folder->obj.type = MAPI_OBJECT_FOLDER;
	folder->obj.store = store;
	folder->obj.v = &mapi_folder_vfuncs;
	folder->fid = fid;
	folder->special = node->special;
	talloc_set_destructor(folder, mapi_folder_destructor);
	*folder_r = folder;
	return EC_NONE;
}

enum mapi_error
mapi_folder_open_deleted(TALLOC_CTX *parent, struct mapi_store *store,
			 mapi_id_t fid, struct mapi_folder **folder_r)
{
	enum mapi_error error;

	error = mapi_folder_open(parent, store, fid, folder_r);
	if (error == EC_NONE)
		(*folder_r)->deleted = TRUE;
	return error;
}

struct mapi_folder_node *mapi_folder_node(struct mapi_folder *folder)
{
	return mapi_folder_tree_lookup_any(folder->obj.store, folder->fid);
}

bool mapi_folder_is_removed(struct mapi_folder *folder)
{
	const struct mapi_folder_node *node = mapi_folder_node(folder);

	return node != NULL && node->removed != 0;
}

/* --- mailboxes ----------------------------------------------------------- */

static enum mapi_error
mapi_folder_box_get_blocks(struct mapi_folder *folder,
			   struct mapi_folder_box *fbox)
{
	struct mailbox_status status;
	enum mapi_error ret;

	mailbox_get_open_status(fbox->box, STATUS_UIDVALIDITY, &status);
	ret = mapi_blocks_get(folder->obj.store, folder,
			      mapi_folder_fid_to_number(folder->fid),
			      fbox->box, &fbox->blocks);
	if (ret != EC_NONE)
		return ret;
	fbox->uidvalidity = status.uidvalidity;
	if (fbox == &folder->priv->normal) {
		folder->id_block = fbox->blocks.id_block;
		folder->change_block = fbox->blocks.change_block;
	}
	return EC_NONE;
}

/* After the box has been synchronised */
static enum mapi_error
mapi_folder_box_refresh(struct mapi_folder *folder,
			struct mapi_folder_box *fbox)
{
	if (folder->deleted)
		mapi_dumpster_ids_refresh(fbox->ids, fbox->box);
	return mapi_bags_refresh(fbox->bags, fbox->box);
}

/* fbox->box is allocated; it's freed on error */
static enum mapi_error
mapi_folder_box_open(struct mapi_folder *folder, struct mapi_folder_box *fbox)
{
	uint32_t number = mapi_folder_fid_to_number(folder->fid);
	bool associated = fbox == &folder->priv->associated;
	enum mailbox_sync_flags flags = 0;
	enum mapi_error ret = EC_NONE;

	fbox->bags = folder->deleted ?
		mapi_bags_get_deleted(folder->obj.store, number, associated) :
		mapi_bags_get(folder->obj.store, number, associated);
	/* The first time as IMAP's SELECT does it: a Maildir may have files that
	   nothing but a look at all of them tells of. */
	if (!mapi_bags_are_used(fbox->bags))
		flags |= MAILBOX_SYNC_FLAG_FULL_READ;
	/* without CONDSTORE Dovecot wouldn't keep MODSEQs of flags */
	if (mailbox_open(fbox->box) < 0 ||
	    mailbox_enable(fbox->box, MAILBOX_FEATURE_CONDSTORE) < 0 ||
	    mailbox_sync(fbox->box, flags) < 0)
		ret = mapi_error_from_mailbox(fbox->box);
	if (ret == EC_NONE)
		ret = mapi_folder_box_get_blocks(folder, fbox);
	if (ret == EC_NONE) {
		if (folder->deleted)
			fbox->ids = mapi_dumpster_ids_init(folder);
		ret = mapi_folder_box_refresh(folder, fbox);
	}
	if (ret != EC_NONE) {
		mailbox_free(&fbox->box);
		TALLOC_FREE(fbox->ids);
	}
	return ret;
}

/* Who may delete messages may recover and purge them; who may delete the own ones may
   put these there. */
static enum mapi_error mapi_folder_open_dumpster(struct mapi_folder *folder)
{
	struct mapi_folder_box *fbox = &folder->priv->normal;
	enum mailbox_flags flags = MAILBOX_FLAG_DROP_RECENT;
	enum mapi_error ret;

	ret = mapi_folder_check_readable(folder);
	if (ret != EC_NONE)
		return ret;
	if (!folder->own &&
	    mapi_folder_check_rights(folder, RIGHTS_DELETE_ANY) != EC_NONE)
		flags |= MAILBOX_FLAG_READONLY;
	T_BEGIN {
		fbox->box = mapi_companion_alloc(folder->obj.store->companion,
			mapi_dumpster_leaf(
				mapi_folder_fid_to_number(folder->fid), FALSE),
			flags);
		ret = mapi_folder_box_open(folder, fbox);
	} T_END;
	if (ret == EC_NONE)
		folder->box = fbox->box;
	return ret == EC_NOT_FOUND ? EC_NONE : ret;
}

enum mapi_error mapi_folder_open_mailbox(struct mapi_folder *folder)
{
	struct mapi_store *store = folder->obj.store;
	struct mapi_folder_box *fbox = &folder->priv->normal;
	struct mapi_folder_node *node;
	enum mapi_error ret;

	if (folder->box != NULL)
		return EC_NONE;
	if (folder->deleted)
		return mapi_folder_open_dumpster(folder);
	mapi_dumpster_look_once(store, folder->fid);
	node = mapi_folder_node(folder);
	if (node == NULL)
		return EC_OBJECT_DELETED;
	if (node->vname == NULL)
		return EC_NONE;
	ret = mapi_folder_box_alloc(store, node, folder->own,
				    MAILBOX_FLAG_DROP_RECENT, &fbox->box);
	if (ret == EC_NONE)
		ret = mapi_folder_box_open(folder, fbox);
	if (ret == EC_NOT_FOUND)
		ret = EC_OBJECT_DELETED;
	if (ret != EC_NONE)
		return ret;
	folder->box = fbox->box;
	return EC_NONE;
}

enum mapi_error
mapi_folder_open_associated(struct mapi_folder *folder, struct mailbox **box_r)
{
	uint32_t number = mapi_folder_fid_to_number(folder->fid);
	struct mapi_folder_box *fbox = &folder->priv->associated;
	enum mailbox_flags flags = MAILBOX_FLAG_DROP_RECENT;
	enum mapi_error ret;

	*box_r = NULL;
	ret = mapi_folder_check_rights(folder, RIGHTS_READ_ANY);
	if (ret != EC_NONE)
		return ret;
	if (mapi_folder_check_rights(folder, RIGHTS_FOLDER_OWNER) != EC_NONE)
		flags |= MAILBOX_FLAG_READONLY;
	if (fbox->box == NULL) T_BEGIN {
		fbox->box = mapi_companion_alloc(folder->obj.store->companion,
			folder->deleted ? mapi_dumpster_leaf(number, TRUE) :
			t_strdup_printf(MAPI_COMPANION_FAI, number), flags);
		ret = mapi_folder_box_open(folder, fbox);
	} T_END;
	*box_r = fbox->box;
	return ret == EC_NOT_FOUND ? EC_NONE : ret;
}

enum mapi_error
mapi_folder_create_associated(struct mapi_folder *folder,
			      struct mailbox **box_r)
{
	const struct mapi_companion *comp = folder->obj.store->companion;
	struct mailbox *box;
	enum mapi_error error;

	error = mapi_folder_check_rights(folder, RIGHTS_FOLDER_OWNER);
	if (error == EC_NONE)
		error = mapi_folder_open_associated(folder, box_r);
	if (error != EC_NONE || *box_r != NULL)
		return error;
	T_BEGIN {
		const char *leaf = t_strdup_printf(MAPI_COMPANION_FAI,
			mapi_folder_fid_to_number(folder->fid));
		error = mapi_companion_open(comp, leaf, TRUE, NULL, &box);
	} T_END;
	if (error != EC_NONE)
		return error;
	mailbox_free(&box);
	error = mapi_folder_open_associated(folder, box_r);
	return error == EC_NONE && *box_r == NULL ? EC_ERROR : error;
}

static void
mapi_folder_box_close(struct mapi_folder *folder, struct mapi_folder_box *fbox)
{
	mailbox_free(&fbox->box);
	TALLOC_FREE(fbox->ids);
	if (fbox == &folder->priv->normal)
		folder->box = NULL;
}

/* Whether the open mailbox has another name now, or none: it is as open as
   before then, but its files are elsewhere. */
static bool mapi_folder_is_renamed(struct mapi_folder *folder)
{
	const struct mapi_folder_node *node = mapi_folder_node(folder);

	/* dumpsters keep their names */
	if (folder->deleted)
		return FALSE;
	return node == NULL ||
		null_strcmp(node->vname, folder->box->vname) != 0;
}

static enum mapi_error
mapi_folder_box_sync(struct mapi_folder *folder, struct mapi_folder_box *fbox,
		     bool *reopen_r)
{
	struct mailbox_status status;

	*reopen_r = FALSE;
	if (fbox->box == NULL || mailbox_transaction_get_count(fbox->box) > 0)
		return EC_NONE;
	if (fbox == &folder->priv->normal && mapi_folder_is_renamed(folder)) {
		mapi_folder_box_close(folder, fbox);
		*reopen_r = TRUE;
		return EC_NONE;
	}
	if (mailbox_sync(fbox->box, 0) < 0) {
		if (mailbox_get_last_mail_error(fbox->box) ==
		    MAIL_ERROR_NOTFOUND) {
			/* Deleted or renamed. */
			mapi_folder_box_close(folder, fbox);
			*reopen_r = TRUE;
			return mapi_folder_tree_refresh(folder->obj.store);
		}
		/* Rebuilt or with another UIDVALIDITY: nothing that is known
		   of it is true any more. Or it's damaged, perhaps by a process
		   that was killed while it wrote: then it's mended by opening
		   it again, or it can't be. */
		if (mailbox_is_inconsistent(fbox->box)) {
			e_info(fbox->box->event,
			       "mapi: Mailbox has been rebuilt");
		} else {
			(void)mapi_error_from_mailbox(fbox->box);
		}
		mapi_bags_forget(fbox->bags);
		mapi_folder_box_close(folder, fbox);
		*reopen_r = TRUE;
		return EC_NONE;
	}
	mailbox_get_open_status(fbox->box, STATUS_UIDVALIDITY |
				STATUS_HIGHESTMODSEQ, &status);
	if (status.uidvalidity != fbox->uidvalidity)
		return mapi_folder_box_get_blocks(folder, fbox);
	if (!status.nonpermanent_modseqs) {
		mapi_blocks_seen(folder->obj.store, &fbox->blocks,
				 status.highest_modseq);
	}
	return mapi_folder_box_refresh(folder, fbox);
}

enum mapi_error mapi_folder_sync(struct mapi_folder *folder)
{
	struct mailbox *box;
	enum mapi_error ret;
	bool reopen = FALSE;

	/* the right may have been taken away since */
	if (folder->priv->normal.box != NULL ||
	    folder->priv->associated.box != NULL) {
		ret = mapi_folder_check_readable(folder);
		if (ret != EC_NONE)
			return ret;
	}
	ret = mapi_folder_open_mailbox(folder);
	if (ret == EC_NONE) {
		ret = mapi_folder_box_sync(folder, &folder->priv->normal,
					   &reopen);
	}
	if (ret == EC_NONE && reopen)
		ret = mapi_folder_open_mailbox(folder);
	reopen = FALSE;
	if (ret == EC_NONE) {
		ret = mapi_folder_box_sync(folder, &folder->priv->associated,
					   &reopen);
	}
	if (ret == EC_NONE && reopen)
		ret = mapi_folder_open_associated(folder, &box);
	return ret;
}

/* --- ids of messages ----------------------------------------------------- */

static const struct mapi_folder_box *
mapi_folder_box_get(struct mapi_folder *folder, bool associated)
{
	const struct mapi_folder_box *fbox = associated ?
		&folder->priv->associated : &folder->priv->normal;

	i_assert(fbox->box != NULL);
	return fbox;
}

mapi_id_t mapi_folder_mid(struct mapi_folder *folder, bool associated,
			  uint32_t uid)
{
	const struct mapi_folder_box *fbox =
		mapi_folder_box_get(folder, associated);
	uint64_t globcnt = folder->deleted ?
		mapi_dumpster_get_mid(fbox->box, uid) :
		mapi_bags_mid_globcnt(fbox->bags, uid);

	if (globcnt == 0)
		globcnt = (uint64_t)fbox->blocks.id_block << 32 | uid;
	return MAPI_ID(MAPI_STORE_REPLID, globcnt);
}

bool mapi_folder_mid_is_own(struct mapi_folder *folder, bool associated,
			    uint32_t uid)
{
	return mapi_bags_mid_globcnt(mapi_folder_box_get(folder,
					associated)->bags, uid) == 0;
}

struct mapi_bags *mapi_folder_bags(struct mapi_folder *folder, bool associated)
{
	return mapi_folder_box_get(folder, associated)->bags;
}

/* EC_NOT_FOUND if it isn't the id of a message of the mailbox. */
static enum mapi_error
mapi_folder_box_mid_to_uid(const struct mapi_folder_box *fbox,
			   uint64_t globcnt, uint32_t *uid_r)
{
	uint64_t other;

	*uid_r = fbox->ids != NULL ?
		mapi_dumpster_ids_find(fbox->ids, globcnt) :
		mapi_bags_mid_uid(fbox->bags, globcnt);
	if (*uid_r != 0)
		return EC_NONE;
	*uid_r = globcnt & UINT32_MAX;
	if (globcnt >> 32 != fbox->blocks.id_block)
		return EC_NOT_FOUND;
	/* a message that has kept the MID of another one hasn't its own */
	other = fbox->ids != NULL ? mapi_dumpster_get_mid(fbox->box, *uid_r) :
		mapi_bags_mid_globcnt(fbox->bags, *uid_r);
	return other != 0 ? EC_NOT_FOUND : EC_NONE;
}

bool mapi_folder_has_normal_mid(struct mapi_folder *folder, mapi_id_t mid)
{
	uint32_t uid;

	return MAPI_ID_REPLID(mid) == MAPI_STORE_REPLID &&
		mapi_folder_box_mid_to_uid(&folder->priv->normal,
					   MAPI_ID_GLOBCNT(mid),
					   &uid) == EC_NONE;
}

enum mapi_error
mapi_folder_mid_to_uid(struct mapi_folder *folder, mapi_id_t mid,
		       bool *associated_r, uint32_t *uid_r)
{
	uint64_t globcnt = MAPI_ID_GLOBCNT(mid);
	struct mailbox *box;
	enum mapi_error ret;

	if (MAPI_ID_REPLID(mid) != MAPI_STORE_REPLID || globcnt >> 32 == 0 ||
	    (globcnt & UINT32_MAX) == 0)
		return EC_NOT_FOUND;
	ret = mapi_folder_open_mailbox(folder);
	if (ret != EC_NONE)
		return ret;
	if (folder->box != NULL &&
	    mapi_folder_box_mid_to_uid(&folder->priv->normal, globcnt,
				       uid_r) == EC_NONE) {
		*associated_r = FALSE;
		return EC_NONE;
	}
	ret = mapi_folder_open_associated(folder, &box);
	if (ret != EC_NONE)
		return ret;
	if (box != NULL &&
	    mapi_folder_box_mid_to_uid(&folder->priv->associated, globcnt,
				       uid_r) == EC_NONE) {
		*associated_r = TRUE;
		return EC_NONE;
	}
	return EC_NOT_FOUND;
}

mapi_id_t mapi_folder_cn(struct mapi_folder *folder, bool associated,
			 uint64_t modseq)
{
	const struct mapi_blocks *blocks =
		&mapi_folder_box_get(folder, associated)->blocks;
	uint64_t value;

	value = modseq <= blocks->change_base ? 0 :
		modseq - blocks->change_base;
	if (value > UINT32_MAX) {
		/* two thousand million changes within one session */
		value = UINT32_MAX;
	}
	return MAPI_ID(MAPI_STORE_REPLID,
		       (uint64_t)blocks->change_block << 32 | value);
}

mapi_id_t mapi_store_mid_to_fid(struct mapi_store *store, mapi_id_t mid)
{
	const struct mapi_idlog_rec *rec;
	uint64_t globcnt = MAPI_ID_GLOBCNT(mid);
	uint32_t number;
	unsigned int i;

	if (MAPI_ID_REPLID(mid) != MAPI_STORE_REPLID || globcnt >> 32 == 0 ||
	    globcnt >> 32 > MAPI_BLOCK_MAX)
		return 0;
	for (i = 0; i < 2; i++) {
		rec = mapi_idlog_find_number(store->blocks, globcnt >> 32);
		if (rec != NULL) {
			return strcmp(rec->kind, "ids") != 0 ||
				str_to_uint32(rec->value, &number) < 0 ? 0 :
				MAPI_FOLDER_FID(number);
		}
		/* not read yet, or just allotted by another session */
		if (mapi_idlog_refresh(store->blocks) != EC_NONE)
			return 0;
	}
	return 0;
}

/* --- ids in their long forms --------------------------------------------- */

static struct mapi_value mapi_value_from_binary(struct mapi_binary bin)
{
	return bin.len == 0 ? mapi_value_error(EC_NOT_ENOUGH_MEMORY) :
		mapi_value_bin(bin.data, bin.len);
}

/* ids of foreign replicas, which clients have made, too */
static bool
mapi_store_id_guid(struct mapi_store *store, mapi_id_t id,
		   struct mapi_guid *guid_r)
{
	return mapi_store_replid_to_guid(store, MAPI_ID_REPLID(id),
					 guid_r) == EC_NONE;
}

struct mapi_value
mapi_store_gid(struct mapi_store *store, TALLOC_CTX *mem, mapi_id_t id)
{
	struct mapi_guid guid;

	if (!mapi_store_id_guid(store, id, &guid))
		return mapi_value_error(EC_NOT_FOUND);
	return mapi_value_from_binary(
		mapi_gid_build(mem, &guid, MAPI_ID_GLOBCNT(id)));
}

struct mapi_value
mapi_store_pcl(struct mapi_store *store, TALLOC_CTX *mem, mapi_id_t cn)
{
	struct mapi_guid guid;
	struct mapi_binary gid;
	struct mapi_xid xid;
	struct mapi_pcl pcl = { .count = 1, .xids = &xid };

	if (!mapi_store_id_guid(store, cn, &guid))
		return mapi_value_error(EC_NOT_FOUND);
	gid = mapi_gid_build(mem, &guid, MAPI_ID_GLOBCNT(cn));
	if (!mapi_xid_parse(gid.data, gid.len, &xid))
		return mapi_value_error(EC_NOT_ENOUGH_MEMORY);
	return mapi_value_from_binary(mapi_pcl_build(mem, &pcl));
}

struct mapi_value
mapi_store_folder_entryid(struct mapi_store *store, TALLOC_CTX *mem,
			  mapi_id_t fid)
{
	struct mapi_guid guid;

	if (!mapi_store_id_guid(store, fid, &guid))
		return mapi_value_error(EC_NOT_FOUND);
	return mapi_value_from_binary(
		mapi_folder_entry_id_build(mem, &store->mailbox_guid, &guid,
					   MAPI_ID_GLOBCNT(fid)));
}

struct mapi_value
mapi_store_message_entryid(struct mapi_store *store, TALLOC_CTX *mem,
			   mapi_id_t fid, mapi_id_t mid)
{
	if (MAPI_ID_REPLID(fid) != MAPI_STORE_REPLID ||
	    MAPI_ID_REPLID(mid) != MAPI_STORE_REPLID)
		return mapi_value_error(EC_NOT_FOUND);
	return mapi_value_from_binary(
		mapi_message_entry_id_build(mem, &store->mailbox_guid,
					    &store->replica_guid,
					    MAPI_ID_GLOBCNT(fid),
					    MAPI_ID_GLOBCNT(mid)));
}

/* --- properties ---------------------------------------------------------- */

static enum mapi_error
mapi_folder_get_props(struct mapi_object *obj, TALLOC_CTX *mem,
		      const uint32_t *tags, unsigned int count, size_t max_size,
		      struct mapi_value *values_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)obj;
	struct mapi_folder_node *node = mapi_folder_node(folder);
	enum mapi_error error;

	if (node == NULL)
		return EC_OBJECT_DELETED;
	error = mapi_stored_refresh(obj->store);
	return error != EC_NONE ? error :
		mapi_folder_node_get_props(obj->store, node, mem, tags, count,
					   max_size, values_r);
}

static enum mapi_error
mapi_folder_list_props(struct mapi_object *obj, TALLOC_CTX *mem,
		       const uint32_t **tags_r, unsigned int *count_r)
{
	struct mapi_folder *folder = (struct mapi_folder *)obj;
	struct mapi_folder_node *node = mapi_folder_node(folder);
	enum mapi_error error;

	if (node == NULL)
		return EC_OBJECT_DELETED;
	error = mapi_stored_refresh(obj->store);
	return error != EC_NONE ? error :
		mapi_folder_node_list_props(obj->store, node, mem, tags_r,
					    count_r);
}
