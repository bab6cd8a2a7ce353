/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each class that a client has set a folder for is a note in the log "allotments",

     receive-folder	<class in lower case>	<folder number> <time> <class>

   with the time in seconds since 1970; folder number 0 if it has none any more. */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "mapi-folder-rights.h"
#include "mapi-receive-folder.h"
#include "mapi-store-private.h"

#define MAPI_LOG_RECEIVE_FOLDER "receive-folder"
/* [MS-OXCSTOR] 2.2.1.2.1, with the NUL */
#define CLASS_MAX_SIZE 255

ARRAY_DEFINE_TYPE(mapi_receive_folder, struct mapi_receive_folder);

/* what a new store has */
static const struct {
	const char *message_class;
	enum mapi_special_folder special;
	/* can't be changed */
	bool fixed;
} default_folders[] = {
	{ "", MAPI_SPECIAL_INBOX, FALSE },
	{ "IPM", MAPI_SPECIAL_INBOX, TRUE },
	{ "REPORT.IPM", MAPI_SPECIAL_INBOX, TRUE },
	{ "IPC", MAPI_SPECIAL_ROOT, FALSE },
};

/* [MS-OXCSTOR] 2.2.1.2.1 */
static bool message_class_is_valid(const char *class)
{
	size_t i, len = strlen(class);

	if (len >= CLASS_MAX_SIZE)
		return FALSE;
	for (i = 0; i < len; i++) {
		if (class[i] < 0x20 || class[i] > 0x7e)
			return FALSE;
		if (class[i] == '.' &&
		    (i == 0 || i == len - 1 || class[i + 1] == '.'))
			return FALSE;
	}
	return TRUE;
}

/* TRUE if base is class or a superclass of it: "IPM" is one of "IPM.Note" */
static bool message_class_matches(const char *class, const char *base)
{
	size_t len = strlen(base);

	return len == 0 || (strncasecmp(class, base, len) == 0 &&
			    (class[len] == '\0' || class[len] == '.'));
}

static const struct mapi_idlog_rec *
receive_folder_rec(struct mapi_store *store, const char *class)
{
	return mapi_idlog_find(store->log, MAPI_LOG_RECEIVE_FOLDER,
			       t_str_lcase(class));
}

/* FALSE if the class has no folder. */
static bool
receive_folder_parse(struct mapi_store *store, const struct mapi_idlog_rec *rec,
		     struct mapi_receive_folder *folder_r)
{
	const char *p = rec->value;
	uint32_t number;
	uint64_t seconds;

	if (str_parse_uint32(p, &number, &p) < 0 || number == 0 ||
	    *p != ' ' || str_parse_uint64(p + 1, &seconds, &p) < 0 ||
	    *p != ' ')
		return FALSE;
	folder_r->message_class = p + 1;
	folder_r->fid = MAPI_FOLDER_FID(number);
	folder_r->changed = mapi_time_from_unix(seconds, 0);
	return mapi_folder_tree_lookup(store, folder_r->fid) != NULL;
}

static void
receive_folder_add(ARRAY_TYPE(mapi_receive_folder) *folders, TALLOC_CTX *mem,
		   const struct mapi_receive_folder *folder)
{
	struct mapi_receive_folder *dest = array_append_space(folders);

	*dest = *folder;
	dest->message_class = talloc_strdup(mem, folder->message_class);
}

static void
receive_folders_add_defaults(struct mapi_store *store, TALLOC_CTX *mem,
			     ARRAY_TYPE(mapi_receive_folder) *folders)
{
	struct mapi_receive_folder folder;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(default_folders); i++) {
		folder.message_class = default_folders[i].message_class;
		folder.fid = mapi_folder_tree_special(store,
				default_folders[i].special);
		folder.changed = mapi_time_from_unix(0, 0);
		if (receive_folder_rec(store, folder.message_class) == NULL &&
		    folder.fid != 0)
			receive_folder_add(folders, mem, &folder);
	}
}

static enum mapi_error
receive_folders_read(struct mapi_store *store, TALLOC_CTX *mem,
		     ARRAY_TYPE(mapi_receive_folder) *folders)
{
	const struct mapi_idlog_rec *rec;
	struct mapi_receive_folder folder;
	unsigned int iter = 0;
	enum mapi_error error;
	bool have_default = FALSE;

	error = mapi_folder_tree_refresh(store);
	if (error != EC_NONE)
		return error;
	receive_folders_add_defaults(store, mem, folders);
	while ((rec = mapi_idlog_next(store->log, MAPI_LOG_RECEIVE_FOLDER,
				      &iter)) != NULL) {
		if (!receive_folder_parse(store, rec, &folder))
			continue;
		receive_folder_add(folders, mem, &folder);
		if (*folder.message_class == '\0')
			have_default = TRUE;
	}
	rec = receive_folder_rec(store, "");
	if (rec != NULL && !have_default) {
		/* its folder has been deleted */
		folder.message_class = "";
		folder.fid = mapi_folder_tree_special(store,
						      MAPI_SPECIAL_INBOX);
		folder.changed = mapi_time_from_unix(0, 0);
		receive_folder_add(folders, mem, &folder);
	}
	return EC_NONE;
}

enum mapi_error
mapi_receive_folders_list(struct mapi_store *store, TALLOC_CTX *mem,
			  struct mapi_receive_folder **folders_r,
			  unsigned int *count_r)
{
	ARRAY_TYPE(mapi_receive_folder) folders;
	enum mapi_error error;

	T_BEGIN {
		t_array_init(&folders, 8);
		error = receive_folders_read(store, mem, &folders);
		*count_r = array_count(&folders);
		*folders_r = talloc_array(mem, struct mapi_receive_folder,
					  *count_r);
		if (*count_r > 0) {
			memcpy(*folders_r, array_front(&folders),
			       *count_r * sizeof(**folders_r));
		}
	} T_END;
	return error;
}

enum mapi_error
mapi_receive_folder_find(struct mapi_store *store, TALLOC_CTX *mem,
			 const char *message_class,
			 struct mapi_receive_folder *folder_r)
{
	struct mapi_receive_folder *folders, *best = NULL;
	unsigned int i, count;
	enum mapi_error error;

	if (!message_class_is_valid(message_class))
		return EC_INVALID_PARAM;
	error = mapi_receive_folders_list(store, mem, &folders, &count);
	if (error != EC_NONE)
		return error;
	for (i = 0; i < count; i++) {
		if (message_class_matches(message_class,
					  folders[i].message_class) &&
		    (best == NULL || strlen(folders[i].message_class) >
		     strlen(best->message_class)))
			best = &folders[i];
	}
	if (best == NULL)
		return EC_NO_RECEIVE_FOLDER;
	*folder_r = *best;
	return EC_NONE;
}

static bool message_class_is_fixed(const char *class)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(default_folders); i++) {
		if (default_folders[i].fixed &&
		    strcasecmp(default_folders[i].message_class, class) == 0)
			return TRUE;
	}
	return FALSE;
}

enum mapi_error
mapi_receive_folder_set(struct mapi_store *store, const char *message_class,
			mapi_id_t fid)
{
	enum mapi_error error;

	if (!message_class_is_valid(message_class))
		return EC_INVALID_PARAM;
	if (mapi_store_is_delegate(store))
		return EC_ACCESS_DENIED;
	if (fid == 0 && *message_class == '\0')
		return EC_ERROR;
	if (message_class_is_fixed(message_class))
		return EC_ACCESS_DENIED;
	error = mapi_folder_tree_refresh(store);
	if (error != EC_NONE)
		return error;
	if (fid != 0 && mapi_folder_tree_lookup(store, fid) == NULL)
		return EC_NOT_FOUND;
	T_BEGIN {
		error = mapi_idlog_write_one(store->log, MAPI_IDLOG_NOTE,
			MAPI_LOG_RECEIVE_FOLDER, t_str_lcase(message_class),
			t_strdup_printf("%u %"PRIdTIME_T" %s",
				mapi_folder_fid_to_number(fid), ioloop_time,
				message_class), NULL,
			"receive folder of message class \"%s\"",
			message_class);
	} T_END;
	return error;
}
