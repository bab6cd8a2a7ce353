/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_FOLDER_COPY_H
#define MAPI_FOLDER_COPY_H

/* Making copies of folders, for mapi-folder-transfer.c. All of it is on the data
   stack. */

#include "mapi-folder-write-private.h"

struct mail;
struct mapi_bags;

/* A message as it was when it was copied */
struct mapi_mail_state {
	uint32_t uid;
	/* of its bag; 0 if it had none */
	uint32_t bag_uid;
	uint32_t flags;
	/* a hash */
	uint32_t keywords;
};
ARRAY_DEFINE_TYPE(mapi_mail_state, struct mapi_mail_state);

/* A folder of those that are copied */
struct mapi_folder_copied {
	struct mapi_folder_item src;
	/* below the top one: "" for itself */
	const char *name;
	/* what it's called, whatever the mailbox's name is */
	const char *display;
	bool created;
	/* of the copy; 0 as long as it has none */
	uint32_t number;
	/* its messages and FAI messages that have been copied, if it's moved */
	ARRAY_TYPE(mapi_mail_state) states[2];
};

struct mapi_folder_copy {
	/* given: may be the same */
	struct mapi_store *src, *dest;
	bool recursive;
	/* the source is deleted afterwards: permissions go along */
	bool move;

	/* of the folder that it will be in */
	uint32_t parent_number;
	/* the mailbox as it is made, as it will be */
	const char *temp, *vname;
	/* parents first */
	ARRAY(struct mapi_folder_copied) folders;
	/* the user may do with the copy what owners of a folder may */
	bool owned;
	/* permissions are to be copied */
	bool permissions;

	/* something hasn't been copied, and why (EC_NONE: that's no error) */
	bool partial;
	enum mapi_error error;
};

/* Copies the folder node to below dest, called name, with all that the user may read
   of it. All that is copied appears at once, or nothing on errors. Permissions are
   those that a new folder there would have, and those of the source if it's moved to
   another store where the user may give any. EC_ACCESS_DENIED if node can't be read,
   or the user may not make folders in dest or put messages into them. */
enum mapi_error
mapi_folder_copy_run(struct mapi_folder_copy *copy,
		     const struct mapi_folder_node *node,
		     const struct mapi_folder_node *dest, const char *name);
/* Something hasn't been copied. */
void mapi_folder_copy_failed(struct mapi_folder_copy *copy,
			     enum mapi_error error);
/* Whether a message is still what has been copied of it. */
bool mapi_mail_state_is_same(struct mail *mail, struct mapi_bags *bags,
			     const struct mapi_mail_state *state);

#endif
