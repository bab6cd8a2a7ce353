/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "sort.h"
#include "store-compat.h"
#include "mapi-message-list.h"

ARRAY_DEFINE_TYPE(message_uids, uint32_t);

static int uid_cmp(const uint32_t *uid1, const uint32_t *uid2)
{
	return *uid1 < *uid2 ? -1 : *uid1 > *uid2 ? 1 : 0;
}

/* Adding them in order takes no time, and in order they are mostly. */
static void
message_list_set_uids(struct mapi_message_list *list, unsigned int part,
		      ARRAY_TYPE(message_uids) *uids)
{
	const uint32_t *uid;
	unsigned int i, first, count;

	uid = array_get(uids, &count);
	for (i = 1; i < count && uid[i - 1] < uid[i]; i++) ;
	if (i < count) {
		array_sort(uids, uid_cmp);
		uid = array_front(uids);
	}
	for (i = 0; i < count; ) {
		first = i++;
		while (i < count && uid[i] - uid[i - 1] <= 1)
			i++;
		seq_range_array_add_range(&list->uids[part], uid[first],
					  uid[i - 1]);
	}
}

static enum mapi_error
message_list_fill(struct mapi_message_list *list, const mapi_id_t *mids,
		  unsigned int count)
{
	struct mapi_folder *folder = list->folder;
	struct mailbox *fai_box = NULL;
	ARRAY_TYPE(message_uids) uids[2];
	enum mapi_error error;
	bool associated, fai_asked = FALSE;
	unsigned int i;
	uint32_t uid;

	for (i = 0; i < N_ELEMENTS(uids); i++)
		t_array_init(&uids[i], I_MIN(count, 1024));
	for (i = 0; i < count; i++) {
		/* Looks for a mailbox of FAI messages only once. */
		if (folder->box == NULL ||
		    !mapi_folder_has_normal_mid(folder, mids[i])) {
			if (!fai_asked) {
				error = mapi_folder_open_associated(folder,
								    &fai_box);
				if (error != EC_NONE)
					return error;
				fai_asked = TRUE;
			}
			if (fai_box == NULL) {
				list->missing = TRUE;
				continue;
			}
		}
		error = mapi_folder_mid_to_uid(folder, mids[i], &associated,
					       &uid);
		if (error == EC_NOT_FOUND) {
			list->missing = TRUE;
			continue;
		}
		if (error != EC_NONE)
			return error;
		list->boxes[associated ? 1 : 0] =
			associated ? fai_box : folder->box;
		array_push_back(&uids[associated ? 1 : 0], &uid);
	}
	for (i = 0; i < N_ELEMENTS(uids); i++)
		message_list_set_uids(list, i, &uids[i]);
	return EC_NONE;
}

enum mapi_error
mapi_message_list_open(struct mapi_store *store, mapi_id_t fid,
		       const mapi_id_t *mids, unsigned int count, bool write,
		       struct mapi_message_list *list_r)
{
	enum mapi_error error;
	unsigned int i;

	i_zero(list_r);
	error = mapi_message_folder_get(store, fid, &list_r->mfolder,
					&list_r->folder);
	if (error != EC_NONE)
		return error;
	for (i = 0; i < N_ELEMENTS(list_r->uids); i++)
		i_array_init(&list_r->uids[i], 16);
	T_BEGIN {
		error = message_list_fill(list_r, mids, count);
	} T_END;
	for (i = 0; i < N_ELEMENTS(list_r->boxes) && error == EC_NONE; i++) {
		if (write && list_r->boxes[i] != NULL &&
		    mailbox_is_readonly(list_r->boxes[i]))
			error = EC_ACCESS_DENIED;
	}
	if (error != EC_NONE)
		mapi_message_list_close(list_r);
	return error;
}

void mapi_message_list_close(struct mapi_message_list *list)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(list->uids); i++)
		array_free(&list->uids[i]);
	mapi_message_folder_release(&list->mfolder);
}

bool mapi_message_list_any_left(struct mailbox *box,
				const ARRAY_TYPE(seq_range) *uids)
{
	const struct seq_range *range;
	uint32_t seq1, seq2;

	array_foreach(uids, range) {
		mailbox_get_seq_range(box, range->seq1, range->seq2,
				      &seq1, &seq2);
		if (seq1 != 0)
			return TRUE;
	}
	return FALSE;
}
