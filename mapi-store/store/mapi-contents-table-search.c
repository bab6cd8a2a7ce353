/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Restrictions as lib-storage searches.

   What is found is a superset of what matches: rows are tested against the
   restriction itself afterwards, unless the translation is exact. Only those
   parts are translated that lib-storage answers from the index and the cache,
   and everything else is taken to match.

   Negations are carried down to the leaves, where a superset of what doesn't
   match is found or not. lib-storage could negate lists itself, but simplifying
   them it takes (a) and not (a) for duplicates (seen in 2.3.19). Lists of one
   are left out for the same reason. */

#include "lib.h"
#include "array.h"
#include "mail-storage.h"
#include "mail-search.h"
#include "mail-search-build.h"
#include "mapi-contents-table.h"
#include "mapi-props.h"

#define FILETIME_SECOND 10000000ULL

static struct mail_search_arg *
search_arg_new(struct mail_search_args *args, enum mail_search_arg_type type)
{
	struct mail_search_arg *arg =
		p_new(args->pool, struct mail_search_arg, 1);

	arg->type = type;
	return arg;
}

static struct mail_search_arg *
search_seen(struct mail_search_args *args, bool seen, bool *exact_r)
{
	struct mail_search_arg *arg = search_arg_new(args, SEARCH_FLAGS);

	arg->value.flags = MAIL_SEEN;
	arg->match_not = !seen;
	*exact_r = TRUE;
	return arg;
}

static struct mail_search_arg *
search_bitmask(struct mail_search_args *args,
	       const struct mapi_restriction *res, bool negate, bool *exact_r)
{
	/* the bits are to be 0, all of them */
	bool zero = (res->u.bitmask.relop == BMR_EQZ) != negate;
	struct mail_search_arg *arg;

	if (res->u.bitmask.tag != PIDTAG_MESSAGE_FLAGS ||
	    (res->u.bitmask.mask & MSGFLAG_READ) == 0)
		return NULL;
	if (res->u.bitmask.mask == MSGFLAG_READ)
		return search_seen(args, !zero, exact_r);
	if (!zero) {
		/* one of the others may do */
		return NULL;
	}
	arg = search_seen(args, FALSE, exact_r);
	*exact_r = FALSE;
	return arg;
}

static struct mail_search_arg *
search_property(struct mail_search_args *args,
		const struct mapi_restriction *res, bool negate, bool *exact_r)
{
	const struct mapi_value *value = &res->u.property.value.value;
	struct mail_search_arg *arg;

	switch (res->u.property.tag) {
	case PIDTAG_READ:
		if (value->type != PTYP_BOOLEAN ||
		    (res->u.property.relop != RELOP_EQ &&
		     res->u.property.relop != RELOP_NE))
			return NULL;
		return search_seen(args, (value->u.b ==
				   (res->u.property.relop == RELOP_EQ)) !=
				   negate, exact_r);
	case PIDTAG_MESSAGE_DELIVERY_TIME:
		/* Not RELOP_LT and RELOP_LE: messages that have no delivery
		   time match these. */
		if (value->type != PTYP_TIME || negate ||
		    (res->u.property.relop != RELOP_GE &&
		     res->u.property.relop != RELOP_GT &&
		     res->u.property.relop != RELOP_EQ))
			return NULL;
		arg = search_arg_new(args, SEARCH_SINCE);
		arg->value.time = mapi_time_to_unix(value->u.time -
			value->u.time % FILETIME_SECOND);
		arg->value.date_type = MAIL_SEARCH_DATE_TYPE_RECEIVED;
		arg->value.search_flags = MAIL_SEARCH_ARG_FLAG_UTC_TIMES;
		return arg;
	}
	return NULL;
}

static struct mail_search_arg *
search_translate(struct mail_search_args *args,
		 const struct mapi_restriction *res, bool negate,
		 bool *exact_r);

/* all: all children have to match, else one of them */
static struct mail_search_arg *
search_list(struct mail_search_args *args, const struct mapi_restriction *res,
	    bool all, bool negate, bool *exact_r)
{
	struct mail_search_arg *list, *child, **tail;
	bool exact;
	uint32_t i;

	*exact_r = FALSE;
	list = search_arg_new(args, all ? SEARCH_SUB : SEARCH_OR);
	tail = &list->value.subargs;
	exact = TRUE;
	for (i = 0; i < res->u.list.count; i++) {
		bool child_exact;

		child = search_translate(args, &res->u.list.items[i], negate,
					 &child_exact);
		if (child == NULL && !all)
			return NULL;
		if (child == NULL || !child_exact)
			exact = FALSE;
		if (child != NULL) {
			*tail = child;
			tail = &child->next;
		}
	}
	/* a list without children is rare and not worth it */
	if (list->value.subargs == NULL)
		return NULL;
	*exact_r = exact;
	return list->value.subargs->next == NULL ? list->value.subargs : list;
}

/* What matches the restriction or, with negate, doesn't. NULL: everything
   may. */
static struct mail_search_arg *
search_translate(struct mail_search_args *args,
		 const struct mapi_restriction *res, bool negate, bool *exact_r)
{
	*exact_r = FALSE;
	if (res == NULL)
		return NULL;
	switch (res->type) {
	case RES_AND:
	case RES_OR:
		return search_list(args, res, (res->type == RES_AND) != negate,
				   negate, exact_r);
	case RES_NOT:
		return search_translate(args, res->u.child, !negate, exact_r);
	case RES_BITMASK:
		return search_bitmask(args, res, negate, exact_r);
	case RES_PROPERTY:
		return search_property(args, res, negate, exact_r);
	case RES_COMMENT:
		return search_translate(args, res->u.comment.child, negate,
					exact_r);
	default:
		return NULL;
	}
}

int mapi_contents_table_search(struct mailbox *box, TALLOC_CTX *mem,
			       const struct mapi_restriction *restriction,
			       uint32_t **uids_r, unsigned int *count_r,
			       bool *exact_r)
{
	struct mailbox_transaction_context *trans;
	struct mail_search_context *search;
	struct mail_search_args *args;
	struct mail *mail;
	unsigned int alloc = 0;
	uint32_t *uids = NULL;
	unsigned int count = 0;
	int ret = 1;

	args = mail_search_build_init();
	args->args = search_translate(args, restriction, FALSE, exact_r);
	if (args->args == NULL) {
		mail_search_args_unref(&args);
		return 0;
	}

	trans = mailbox_transaction_begin(box, 0, "MAPI restriction");
	search = mailbox_search_init(trans, args, NULL, 0, NULL);
	mail_search_args_unref(&args);
	while (mailbox_search_next(search, &mail)) {
		if (count == alloc) {
			alloc = I_MAX(64, alloc * 2);
			uids = talloc_realloc(mem, uids, uint32_t, alloc);
		}
		uids[count++] = mail->uid;
	}
	if (mailbox_search_deinit(&search) < 0)
		ret = -1;
	(void)mailbox_transaction_commit(&trans);
	*uids_r = uids == NULL ? talloc_array(mem, uint32_t, 1) : uids;
	*count_r = count;
	return ret;
}
