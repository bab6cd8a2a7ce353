/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_CHECK_H
#define MAPI_CHECK_H

/* Looking for what is wrong with the companion tree of a user, and mending it:
   "doveadm mapi check". What can be found, and what becomes of it, is at the head
   of mapi-check.c. */

#include "mapi-store.h"

enum mapi_check_problem {
	MAPI_CHECK_BAG_ORPHANED,
	MAPI_CHECK_BAG_LEFT_BEHIND,
	MAPI_CHECK_BAG_SUPERSEDED,
	MAPI_CHECK_BAG_BROKEN,
	MAPI_CHECK_BAG_UNREADABLE,
	MAPI_CHECK_BAG_INVALID,
	MAPI_CHECK_MESSAGE_REPLACED,
	MAPI_CHECK_COMPANION_ORPHANED,
	MAPI_CHECK_COMPANION_UNKNOWN,
	MAPI_CHECK_SEARCH_REMAINS,
	MAPI_CHECK_COPY_REMAINS,
	MAPI_CHECK_LOG_CONFLICT,
	MAPI_CHECK_LOG_INVALID,
	MAPI_CHECK_MAILBOX_FAILED,
	MAPI_CHECK_PROBLEM_COUNT
};

enum mapi_check_state {
	/* found, and left alone */
	MAPI_CHECK_FOUND,
	MAPI_CHECK_REPAIRED,
	/* couldn't be repaired: why has been logged */
	MAPI_CHECK_FAILED,
};

struct mapi_check_finding {
	enum mapi_check_problem problem;
	enum mapi_check_state state;
	/* vname of the mailbox that it's about, and the message's UID there; 0 if
	   it's about the mailbox */
	const char *mailbox;
	uint32_t uid;
	/* for a human, may be "" */
	const char *detail;
};

struct mapi_check_settings {
	bool repair;
	/* Bags are written before their messages: those that are younger than
	   this are nobody's yet, perhaps. In seconds */
	unsigned int min_age;
	/* Called for each finding, which is valid until it returns. */
	void (*callback)(const struct mapi_check_finding *finding,
			 void *context);
	void *context;
};

/* What there is, as far as has been looked */
struct mapi_check_counts {
	/* folders that have a number; mailboxes of the companion tree and their
	   size in bytes, as they are stored */
	unsigned int folders, companions;
	uint64_t companion_size;
	/* used up of 61,439 and of 32,766 */
	unsigned int blocks, named_properties;
	unsigned int bags;
	/* messages that have been set aside */
	unsigned int set_aside;
};

/* "orphaned-bag" etc. */
const char *mapi_check_problem_name(enum mapi_check_problem problem);

/* Checks all that there is of a user. Without repair nothing is changed. If the user
   has no companion tree, there's nothing to find. An error means that it couldn't be
   looked at all of it; what could be has been. */
enum mapi_error
mapi_check_run(struct mail_user *user, const struct mapi_store_settings *set,
	       const struct mapi_check_settings *check_set,
	       struct mapi_check_counts *counts_r);

#endif
