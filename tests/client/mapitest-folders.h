/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPITEST_FOLDERS_H
#define MAPITEST_FOLDERS_H

/* The tree of folders, and folders by what humans call them. */

#include "client-object.h"

/* RopGetHierarchyTable, RopGetContentsTable: strings are Unicode */
#define TABLE_USE_UNICODE	0x40

/* What the logon's thirteen folders are called */
enum {
	ROLE_ROOT, ROLE_IPM_SUBTREE = 3, ROLE_INBOX, ROLE_OUTBOX,
	ROLE_SENT_ITEMS, ROLE_DELETED_ITEMS,
};
extern const char *const folder_roles[13];

struct tree_folder {
	mapi_id_t id, parent;
	uint32_t depth;
	const char *name, *container_class;
	/* what the logon says it is ("Inbox"), or NULL */
	const char *role;
	int32_t count, unread;
	bool subfolders, hidden;
};

struct folder_tree {
	struct tree_folder *folders;
	unsigned int count;
};

/* The whole tree below Root, in one table as Outlook asks for it. What it's made of
   is on mem. Returns 0, or -1 with error_r set. */
int folder_tree_read(struct client_logon *logon, TALLOC_CTX *mem,
		     struct folder_tree *tree_r, struct client_error *error_r);
/* "Inbox", "Work/Done": what the logon calls it, its name, or the end of its path.
   NULL if there's none; the first one if there are several. */
const struct tree_folder *
folder_tree_find(const struct folder_tree *tree, const char *path);
/* Reads the tree, finds a folder in it and opens that. */
int folder_open_by_name(struct client_logon *logon, TALLOC_CTX *mem,
			const char *path, const struct tree_folder **folder_r,
			struct client_object **obj_r,
			struct client_error *error_r);

/* An id in a row; 0 if there's none */
mapi_id_t client_row_id(const struct mapi_property_row *row, uint32_t tag);

#endif
