/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include <sys/stat.h>
#include "store-compat.h"
#include "mapi-enums.h"
#include "mapi-folder-rights.h"
#include "mapi-folder-status.h"
#include "mapi-search-folder.h"
#include "mapi-store-private.h"

static bool folder_may_read(struct mapi_folder_status *status)
{
	return (mapi_folder_rights(status->store, status->node) &
		RIGHTS_READ_ANY) != 0;
}

/* NULL if there's none, or none for the user */
static struct mailbox *folder_box_alloc(struct mapi_folder_status *status)
{
	struct mailbox *box;

	if (status->node->vname == NULL || !folder_may_read(status) ||
	    mapi_folder_box_alloc(status->store, status->node, FALSE,
				  MAILBOX_FLAG_READONLY, &box) != EC_NONE)
		return NULL;
	return box;
}

const struct mailbox_status *
mapi_folder_status_get(struct mapi_folder_status *status)
{
	struct mailbox *box;

	if (status->have_status)
		return &status->status;
	status->have_status = TRUE;
	if (status->node->search) {
		(void)mapi_search_folder_get_counts(status->store,
			status->node->fid, &status->status.messages,
			&status->status.unseen);
		return &status->status;
	}
	box = folder_box_alloc(status);
	if (box == NULL)
		return &status->status;
	if (mailbox_get_status(box, STATUS_MESSAGES | STATUS_UNSEEN |
			       STATUS_UIDVALIDITY | STATUS_UIDNEXT,
			       &status->status) < 0) {
		(void)mapi_error_from_mailbox(box);
		i_zero(&status->status);
	}
	mailbox_free(&box);
	return &status->status;
}

uint64_t mapi_folder_status_size(struct mapi_folder_status *status)
{
	struct mailbox_metadata metadata;
	struct mailbox *box;

	if (status->have_size)
		return status->size;
	status->have_size = TRUE;
	box = folder_box_alloc(status);
	if (box == NULL)
		return 0;
	if (mailbox_get_metadata(box, MAILBOX_METADATA_VIRTUAL_SIZE,
				 &metadata) < 0)
		(void)mapi_error_from_mailbox(box);
	else
		status->size = metadata.virtual_size;
	mailbox_free(&box);
	return status->size;
}

uint32_t mapi_folder_status_associated(struct mapi_folder_status *status)
{
	struct mailbox_status box_status;
	struct mailbox *box;
	const char *leaf;

	if (status->have_associated)
		return status->associated_count;
	status->have_associated = TRUE;
	if (!folder_may_read(status))
		return 0;
	leaf = t_strdup_printf(MAPI_COMPANION_FAI,
			       mapi_folder_fid_to_number(status->node->fid));
	box = mapi_companion_alloc(status->store->companion, leaf,
				   MAILBOX_FLAG_READONLY);
	if (mailbox_get_status(box, STATUS_MESSAGES, &box_status) == 0)
		status->associated_count = box_status.messages;
	else if (mailbox_get_last_mail_error(box) != MAIL_ERROR_NOTFOUND)
		(void)mapi_error_from_mailbox(box);
	mailbox_free(&box);
	return status->associated_count;
}

/* Nobody records when a mailbox was created, but UIDVALIDITY is that time in all
   of Dovecot's formats, give or take what it needed to be unique. Changes of any
   kind go through the transaction log of the index. */
static void folder_get_mailbox_times(struct mapi_folder_status *status)
{
	struct mailbox_status log_status;
	struct mailbox *box;
	const char *path;
	struct stat st;

	if (status->node->vname == NULL || !folder_may_read(status)) {
		/* as old as the store */
		box = mapi_companion_alloc(status->store->companion,
					   MAPI_COMPANION_LOG,
					   MAILBOX_FLAG_READONLY);
		if (mailbox_get_status(box, STATUS_UIDVALIDITY,
				       &log_status) == 0)
			status->created.tv_sec = log_status.uidvalidity;
		mailbox_free(&box);
		status->changed = status->created;
		return;
	}
	status->created.tv_sec = mapi_folder_status_get(status)->uidvalidity;
	status->changed = status->created;
	box = folder_box_alloc(status);
	if (box == NULL)
		return;
	if (mailbox_get_path_to(box, MAILBOX_LIST_PATH_TYPE_INDEX, &path) > 0 &&
	    stat(t_strconcat(path, "/", box->index_prefix, ".log", NULL),
		 &st) == 0)
		status->changed = st.st_mtim;
	mailbox_free(&box);
}

static void folder_get_times(struct mapi_folder_status *status)
{
	const struct mapi_idlog_rec *rec;
	uint64_t usecs;

	folder_get_mailbox_times(status);
	rec = mapi_idlog_find(status->store->log, MAPI_LOG_MODIFIED,
		t_strdup_printf("%u",
			mapi_folder_fid_to_number(status->node->fid)));
	if (rec != NULL && str_to_uint64_hex(rec->value, &usecs) == 0) {
		struct timespec modified = {
			.tv_sec = usecs / 1000000,
			.tv_nsec = usecs % 1000000 * 1000,
		};

		if (status->changed.tv_sec < modified.tv_sec ||
		    (status->changed.tv_sec == modified.tv_sec &&
		     status->changed.tv_nsec < modified.tv_nsec))
			status->changed = modified;
	}
}

void mapi_folder_status_times(struct mapi_folder_status *status,
			      struct timespec *created_r,
			      struct timespec *changed_r)
{
	if (!status->have_times) {
		status->have_times = TRUE;
		folder_get_times(status);
	}
	*created_r = status->created;
	*changed_r = status->changed;
}

const struct mapi_dumpster_totals *
mapi_folder_status_deleted(struct mapi_folder_status *status)
{
	if (!status->have_deleted) {
		status->have_deleted = TRUE;
		if (folder_may_read(status)) {
			mapi_dumpster_get_totals(status->store,
						 status->node->fid,
						 &status->deleted);
		}
	}
	return &status->deleted;
}
