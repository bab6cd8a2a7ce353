/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looking for what is wrong with a folder's bags, and mending it. Looking changes
   nothing but Dovecot's cache. */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "store-compat.h"
#include "mapi-bags-private.h"
#include "mapi-mail.h"
#include "mapi-store-private.h"

#include <dirent.h>

struct examine {
	struct mapi_bags *bags;
	struct mailbox *box;
	const struct mapi_bags_examine_settings *set;
	ARRAY_TYPE(mapi_bag_fault) *faults;
	pool_t pool;

	/* GUIDs of the messages -> UID of the first one that has it */
	HASH_TABLE(uint8_t *, void *) guids;
	uint16_t id_block;
	uint32_t uidvalidity;
	/* looked for at the first orphan */
	bool lost_files_known, lost_files;
};

/* --- what messages there are ---------------------------------------------------- */

enum mapi_error
bags_read_guids(struct mailbox *box, pool_t pool, bags_guid_callback_t *callback,
		void *context)
{
	struct mailbox_transaction_context *trans;
	struct mail *mail;
	enum mapi_error error = EC_NONE;
	uint32_t seq, count = mail_index_view_get_messages_count(box->view);
	guid_128_t guid;

	trans = mailbox_transaction_begin(box, 0, "MAPI bags");
	mail = mail_alloc(trans, MAIL_FETCH_GUID, NULL);
	for (seq = 1; seq <= count && error == EC_NONE; seq++) T_BEGIN {
		mail_set_seq(mail, seq);
		if (bags_mail_get_guid(mail, guid)) {
			callback(p_memdup(pool, guid, sizeof(guid)), mail->uid,
				 context);
		} else if (!mail->expunged) {
			/* whose bag it is isn't known */
			error = mapi_error_from_mailbox(box);
		}
	} T_END;
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);
	return error;
}

static void examine_add_guid(uint8_t *guid, uint32_t uid, void *context)
{
	struct examine *exam = context;

	if (hash_table_lookup(exam->guids, guid) == NULL)
		hash_table_insert(exam->guids, guid, POINTER_CAST(uid));
}

static uint32_t examine_find_uid(const struct examine *exam, struct bag *bag)
{
	const uint8_t *guid = bag->guid;

	return POINTER_CAST_TO(hash_table_lookup(exam->guids, guid), uint32_t);
}

/* --- what messages may come back ------------------------------------------------- */

#define SDBOX_FILE_PREFIX "u."

static bool dir_has_lost_files(struct mailbox *box, const char *path)
{
	const struct dirent *d;
	uint32_t uid, seq;
	bool found = FALSE;
	DIR *dir;

	dir = opendir(path);
	if (dir == NULL)
		return errno != ENOENT;
	errno = 0;
	while (!found && (d = readdir(dir)) != NULL) {
		found = str_begins(d->d_name, SDBOX_FILE_PREFIX) &&
			str_to_uint32(d->d_name + strlen(SDBOX_FILE_PREFIX),
				      &uid) == 0 &&
			!mail_index_lookup_seq(box->view, uid, &seq);
		errno = 0;
	}
	found = found || errno != 0;
	(void)closedir(dir);
	return found;
}

/* Whether an sdbox has files that its index knows nothing of: a process was killed
   while it expunged messages or saved one. They become messages when the index is
   rebuilt, and nobody knows without their bags that they have been replaced. TRUE
   also if it can't be found out. */
static bool box_has_lost_files(struct mailbox *box)
{
	static const enum mailbox_list_path_type types[] = {
		MAILBOX_LIST_PATH_TYPE_MAILBOX,
		MAILBOX_LIST_PATH_TYPE_ALT_MAILBOX,
	};
	const char *path;
	unsigned int i;
	int ret;

	if (strcmp(box->storage->name, "sdbox") != 0)
		return FALSE;
	for (i = 0; i < N_ELEMENTS(types); i++) {
		ret = mailbox_get_path_to(box, types[i], &path);
		if (ret < 0 || (ret > 0 && dir_has_lost_files(box, path)))
			return TRUE;
	}
	return FALSE;
}

static bool examine_may_come_back(struct examine *exam)
{
	if (!exam->lost_files_known && exam->box != NULL) {
		exam->lost_files_known = TRUE;
		exam->lost_files = box_has_lost_files(exam->box);
	}
	return exam->lost_files;
}

/* --- faults --------------------------------------------------------------------- */

static void
examine_add(struct examine *exam, enum mapi_bag_fault_type type, uint32_t uid,
	    const struct bag *bag, const char *reason)
{
	struct mapi_bag_fault *fault = array_append_space(exam->faults);

	fault->type = type;
	fault->uid = uid;
	fault->reason = p_strdup(exam->pool, reason);
	if (bag != NULL)
		guid_128_copy(fault->guid, bag->guid);
}

static void
examine_add_uids(struct examine *exam, enum mapi_bag_fault_type type,
		 const ARRAY_TYPE(seq_range) *uids)
{
	struct seq_range_iter iter;
	unsigned int n = 0;
	uint32_t uid;

	seq_range_array_iter_init(&iter, uids);
	while (seq_range_array_iter_nth(&iter, n++, &uid)) {
		if (mail_index_lookup_seq(exam->bags->box->view, uid,
					  &(uint32_t){ 0 }))
			examine_add(exam, type, uid, NULL, NULL);
	}
}

/* Of the messages with one MID only that of the newest bag is to be there. */
static void examine_mid(struct examine *exam, struct bag *bag)
{
	uint32_t uid, seq, replaced = bag->mid & UINT32_MAX;
	struct bag *older;

	while (bag != NULL && examine_find_uid(exam, bag) == 0)
		bag = bag->older;
	if (bag == NULL || exam->box == NULL)
		return;
	if (bag->mid >> 32 == exam->id_block && exam->id_block != 0 &&
	    bag->uidvalidity == exam->uidvalidity && replaced < bag->uid_min &&
	    mail_index_lookup_seq(exam->box->view, replaced, &seq))
		examine_add(exam, MAPI_BAG_REPLACED, replaced, NULL, NULL);
	for (older = bag->older; older != NULL; older = older->older) {
		uid = examine_find_uid(exam, older);
		if (uid != 0 && uid < bag->uid_min &&
		    bag->uidvalidity == exam->uidvalidity)
			examine_add(exam, MAPI_BAG_REPLACED, uid, NULL, NULL);
	}
}

static void
examine_content(struct examine *exam, struct bag *bag, struct mail *mail)
{
	struct mapi_overlay *overlay;
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *reason = NULL;
	enum mapi_error error;

	error = bags_decode(exam->bags, mem, mail, FALSE, &overlay, &reason);
	if (error == EC_CORRUPT_DATA)
		examine_add(exam, MAPI_BAG_BROKEN, bag->bag_uid, bag, reason);
	else if (error != EC_NONE && !mail->expunged) {
		examine_add(exam, MAPI_BAG_UNREADABLE, bag->bag_uid, bag,
			    mailbox_get_last_internal_error(exam->bags->box,
							    NULL));
	}
	talloc_free(mem);
}

static void
examine_bag(struct examine *exam, struct bag *bag, struct mail *mail)
{
	time_t date;

	if (!mail_set_uid(mail, bag->bag_uid))
		return;
	if (examine_find_uid(exam, bag) != 0)
		examine_content(exam, bag, mail);
	else if (mail_get_received_date(mail, &date) == 0 &&
		 date <= exam->set->orphans_before &&
		 !examine_may_come_back(exam)) {
		/* not one that a message is just about to be saved for */
		examine_add(exam, MAPI_BAG_ORPHANED, bag->bag_uid, bag, NULL);
	}
}

static enum mapi_error examine_bags(struct examine *exam)
{
	struct mapi_bags *bags = exam->bags;
	struct mailbox_transaction_context *trans;
	struct hash_iterate_context *iter;
	struct mailbox_status status;
	enum mapi_error error = EC_NONE;
	struct mail *mail;
	struct bag *bag;
	uint8_t *guid;
	uint64_t *mid;

	if (exam->box != NULL) {
		mailbox_get_open_status(exam->box, STATUS_UIDVALIDITY, &status);
		exam->uidvalidity = status.uidvalidity;
		exam->id_block = mapi_blocks_find_ids(bags->store,
						      bags->folder_number,
						      exam->box);
		error = bags_read_guids(exam->box, exam->pool,
					examine_add_guid, exam);
	}
	if (error != EC_NONE)
		return error;
	trans = mailbox_transaction_begin(bags->box, 0, "MAPI bags");
	mail = mail_alloc(trans, MAIL_FETCH_RECEIVED_DATE, NULL);
	iter = hash_table_iterate_init(bags->by_guid);
	while (hash_table_iterate(iter, bags->by_guid, &guid, &bag)) T_BEGIN {
		examine_bag(exam, bag, mail);
	} T_END;
	hash_table_iterate_deinit(&iter);
	mail_free(&mail);
	(void)mailbox_transaction_commit(&trans);

	iter = hash_table_iterate_init(bags->by_mid);
	while (hash_table_iterate(iter, bags->by_mid, &mid, &bag))
		examine_mid(exam, bag);
	hash_table_iterate_deinit(&iter);
	examine_add_uids(exam, MAPI_BAG_SUPERSEDED, &bags->superseded);
	examine_add_uids(exam, MAPI_BAG_INVALID, &bags->invalid);
	return EC_NONE;
}

enum mapi_error
mapi_bags_examine(struct mapi_bags *bags, struct mailbox *box,
		  const struct mapi_bags_examine_settings *set, pool_t pool,
		  ARRAY_TYPE(mapi_bag_fault) *faults_r, unsigned int *count_r)
{
	struct examine exam = {
		.bags = bags, .box = box, .set = set, .pool = pool,
		.faults = faults_r,
	};
	enum mapi_error error;

	p_array_init(faults_r, pool, 8);
	*count_r = 0;
	error = bags_refresh(bags, FALSE);
	if (error != EC_NONE || bags->box == NULL)
		return error;
	*count_r = hash_table_count(bags->by_guid);
	hash_table_create(&exam.guids, default_pool, 0, guid_128_hash,
			  guid_128_cmp);
	T_BEGIN {
		error = examine_bags(&exam);
	} T_END;
	hash_table_destroy(&exam.guids);
	return error;
}

static void remove_guid(uint8_t *guid, uint32_t uid ATTR_UNUSED, void *context)
{
	HASH_TABLE(uint8_t *, struct bag *) *left = context;

	(void)hash_table_try_remove(*left, guid);
}

/* uids: bags whose messages aren't in box */
static enum mapi_error
bags_find_orphans(struct mapi_bags *bags, struct mailbox *box,
		  ARRAY_TYPE(seq_range) *uids)
{
	HASH_TABLE(uint8_t *, struct bag *) left;
	struct hash_iterate_context *iter;
	enum mapi_error error;
	struct bag *bag;
	uint8_t *guid;
	uint32_t seq;
	pool_t pool;

	error = bags_refresh(bags, FALSE);
	if (error != EC_NONE || bags->box == NULL || !mapi_bags_exist(bags))
		return error;
	pool = pool_alloconly_create("mapi bags", 4096);
	hash_table_create(&left, default_pool, 0, guid_128_hash, guid_128_cmp);
	hash_table_copy(left, bags->by_guid);
	error = bags_read_guids(box, pool, remove_guid, &left);
	/* some have been deleted meanwhile */
	iter = hash_table_iterate_init(left);
	while (hash_table_iterate(iter, left, &guid, &bag)) {
		if (mail_index_lookup_seq(bags->box->view, bag->bag_uid, &seq))
			seq_range_array_add(uids, bag->bag_uid);
	}
	hash_table_iterate_deinit(&iter);
	hash_table_destroy(&left);
	pool_unref(&pool);
	return error;
}

bool mapi_bags_have_orphans(struct mapi_bags *bags, struct mailbox *box)
{
	ARRAY_TYPE(seq_range) uids;
	bool orphans;

	i_array_init(&uids, 8);
	orphans = bags_find_orphans(bags, box, &uids) != EC_NONE ||
		array_count(&uids) > 0;
	array_free(&uids);
	return orphans;
}

enum mapi_error
mapi_bags_delete_orphans(struct mapi_bags *bags, struct mailbox *box,
			 unsigned int *count_r)
{
	ARRAY_TYPE(seq_range) uids;
	enum mapi_error error;

	i_array_init(&uids, 16);
	error = bags_find_orphans(bags, box, &uids);
	*count_r = seq_range_count(&uids);
	seq_range_array_merge(&uids, &bags->superseded);
	if (error == EC_NONE)
		error = mapi_mail_expunge_uids(bags->box, &uids);
	array_free(&uids);
	return error;
}

/* --- mending -------------------------------------------------------------------- */

/* The message stays; what of its bag can't be read doesn't keep anybody from
   opening it any more. */
static enum mapi_error
bags_mend_broken(struct mapi_bags *bags, const struct mapi_bag_fault *fault)
{
	const struct bag *bag = bags_find(bags, fault->guid);
	struct mapi_bag_new empty;
	enum mapi_error error;
	TALLOC_CTX *mem;

	error = mapi_companion_set_aside(bags->store->companion, bags->box,
					 fault->uid);
	if (error != EC_NONE || bag == NULL ||
	    (bag->mid == 0 && bag->creator == NULL))
		return error;
	/* its MID is readable, and who has created the message */
	mem = talloc_new(NULL);
	i_zero(&empty);
	empty.guid = guid_128_to_string(bag->guid);
	empty.mid_globcnt = bag->mid;
	empty.uidvalidity = bag->uidvalidity;
	empty.uid_min = bag->uid_min;
	empty.creator = t_strdup(bag->creator);
	empty.overlay = mapi_overlay_create(mem);
	error = mapi_bags_save(bags, &empty);
	talloc_free(mem);
	return error;
}

enum mapi_error
mapi_bags_mend(struct mapi_bags *bags, const struct mapi_bag_fault *fault)
{
	ARRAY_TYPE(seq_range) uids;
	enum mapi_error error = EC_NONE;

	switch (fault->type) {
	case MAPI_BAG_BROKEN:
		error = bags_mend_broken(bags, fault);
		break;
	case MAPI_BAG_INVALID:
		error = mapi_companion_set_aside(bags->store->companion,
						 bags->box, fault->uid);
		break;
	case MAPI_BAG_ORPHANED:
	case MAPI_BAG_SUPERSEDED:
		break;
	case MAPI_BAG_REPLACED:
		/* mapi_bags_refresh() does it */
	case MAPI_BAG_UNREADABLE:
		return EC_NOT_SUPPORTED;
	}
	if (error != EC_NONE)
		return error;
	t_array_init(&uids, 1);
	seq_range_array_add(&uids, fault->uid);
	return mapi_mail_expunge_uids(bags->box, &uids);
}
