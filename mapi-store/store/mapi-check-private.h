/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_CHECK_PRIVATE_H
#define MAPI_CHECK_PRIVATE_H

/* What the files of mapi_check_run() share: mapi-check.c goes through the companion
   tree, mapi-check-bags.c looks at the bags of one folder. */

#include "mapi-check.h"
#include "mapi-folder-list.h"

/* A mailbox of the companion tree */
enum leaf_kind {
	/* of the store, and looked at elsewhere */
	LEAF_STORE,
	LEAF_DAMAGED,
	LEAF_FOLDER,
	LEAF_FAI,
	LEAF_BAGS,
	LEAF_BAGS_FAI,
	LEAF_BAGS_DELETED,
	LEAF_BAGS_DELETED_FAI,
	LEAF_RULES,
	LEAF_DELETED,
	LEAF_REMOVED,
	LEAF_SEARCH,
	LEAF_COPY,
	LEAF_UNKNOWN,
};
struct leaf {
	const char *name;
	enum leaf_kind kind;
	uint32_t number;
};

struct check {
	struct mapi_store *store;
	const struct mapi_check_settings *set;
	struct mapi_check_counts *counts;
	pool_t pool;
	/* ioloop_time may be old: doveadm works without a loop */
	time_t now;

	struct mapi_folder_list list;
	ARRAY(struct leaf) leafs;
	/* GUIDs of the messages of all folders -> number of the folder; made at
	   the first orphan */
	HASH_TABLE(uint8_t *, void *) guids;
	enum mapi_error error;
};

/* Tells of a problem. vname and UID as in struct mapi_check_finding, detail may be
   NULL. */
void mapi_check_report(struct check *check, enum mapi_check_problem problem,
		       enum mapi_check_state state, const char *mailbox,
		       uint32_t uid, const char *detail);
/* Reports what has been mended with this result, or what hasn't been tried. */
void mapi_check_report_result(struct check *check,
			      enum mapi_check_problem problem,
			      enum mapi_error result, const char *mailbox,
			      uint32_t uid, const char *detail);

/* vname of a mailbox of the tree, on the data stack */
const char *
mapi_check_leaf_vname(struct check *check, const struct leaf *leaf);
/* Opens and synchronises a mailbox, the caller's to free. Errors other than
   EC_NOT_FOUND have been reported and are check->error. */
enum mapi_error
mapi_check_open_mailbox(struct check *check, const char *vname,
			struct mailbox **box_r);
/* Also if it can't be opened, or if that can't be found out */
bool mapi_check_mailbox_exists(struct check *check, const char *vname);
/* The mailbox of the folder with this number; NULL if there's none */
const struct mapi_tree_mailbox *
mapi_check_find_folder(struct check *check, uint32_t number);

/* Bags of a folder that is there. Errors are check->error. */
void mapi_check_bags(struct check *check, const struct leaf *leaf);
/* Bags of a folder that is gone, LEAF_BAGS: those of messages that are in another
   folder now follow them. all_r is set if nothing is lost when the mailbox is
   deleted. */
enum mapi_error
mapi_check_gone_bags(struct check *check, const struct leaf *leaf, bool *all_r);

#endif
