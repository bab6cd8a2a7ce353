/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Restrictions as lib-storage searches.

   What is found is a superset of what matches: rows are tested against the
   restriction itself afterwards, unless the translation is exact. Only those
   parts are translated that lib-storage answers from the index and the cache,
   and everything else is taken to match. Under a negation that is the wrong way
   round, therefore only exact translations may be negated. */

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
search_seen(struct mail_search_args *args, bool seen)
{
	struct mail_search_arg *arg = search_arg_new(args, SEARCH_FLAGS);

	arg->value.flags = MAIL_SEEN;
	arg->match_not = !seen;
	return arg;
}

static struct mail_search_arg *
search_bitmask(struct mail_search_args *args,
	       const struct mapi_restriction *res, bool *exact_r)
{
	if (res->u.bitmask.tag != PIDTAG_MESSAGE_FLAGS)
		return NULL;
	*exact_r = res->u.bitmask.mask == MSGFLAG_READ;
	if (res->u.bitmask.relop == BMR_NEZ) {
		/* one of the others may do */
		return *exact_r ? search_seen(args, TRUE) : NULL;
	}
	return (res->u.bitmask.mask & MSGFLAG_READ) != 0 ?
		search_seen(args, FALSE) : NULL;
}

static struct mail_search_arg *
search_property(struct mail_search_args *args,
		const struct mapi_restriction *res, bool *exact_r)
{
	const struct mapi_value *value = &res->u.property.value.value;
	struct mail_search_arg *arg;

	switch (res->u.property.tag) {
	case PIDTAG_READ:
		if (value->type != PTYP_BOOLEAN ||
		    (res->u.property.relop != RELOP_EQ &&
		     res->u.property.relop != RELOP_NE))
			return NULL;
		*exact_r = TRUE;
		return search_seen(args, value->u.b ==
				   (res->u.property.relop == RELOP_EQ));
	case PIDTAG_MESSAGE_DELIVERY_TIME:
		/* Not RELOP_LT and RELOP_LE: messages that have no delivery
		   time match these. */
		if (value->type != PTYP_TIME ||
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

/* NULL: everything may match. */
static struct mail_search_arg *
search_translate(struct mail_search_args *args,
		 const struct mapi_restriction *res, bool *exact_r)
{
	struct mail_search_arg *arg, *child, **tail;
	bool exact = TRUE;
	uint32_t i;

	*exact_r = FALSE;
	if (res == NULL)
		return NULL;
	switch (res->type) {
	case RES_AND:
		arg = search_arg_new(args, SEARCH_SUB);
		tail = &arg->value.subargs;
		*exact_r = TRUE;
		for (i = 0; i < res->u.list.count; i++) {
			child = search_translate(args, &res->u.list.items[i],
						 &exact);
			if (child == NULL || !exact)
				*exact_r = FALSE;
			if (child != NULL) {
				*tail = child;
				tail = &child->next;
			}
		}
		return arg->value.subargs == NULL ? NULL : arg;
	case RES_OR:
		if (res->u.list.count == 0)
			return NULL;
		arg = search_arg_new(args, SEARCH_OR);
		tail = &arg->value.subargs;
		*exact_r = TRUE;
		for (i = 0; i < res->u.list.count; i++) {
			child = search_translate(args, &res->u.list.items[i],
						 &exact);
			if (child == NULL)
				return NULL;
			if (!exact)
				*exact_r = FALSE;
			*tail = child;
			tail = &child->next;
		}
		return arg;
	case RES_NOT:
		child = search_translate(args, res->u.child, &exact);
		if (child == NULL || !exact)
			return NULL;
		*exact_r = TRUE;
		arg = search_arg_new(args, SEARCH_SUB);
		arg->value.subargs = child;
		arg->match_not = TRUE;
		return arg;
	case RES_BITMASK:
		return search_bitmask(args, res, exact_r);
	case RES_PROPERTY:
		return search_property(args, res, exact_r);
	case RES_COMMENT:
		return search_translate(args, res->u.comment.child, exact_r);
	case RES_COUNT:
		/* which ones match depends on all before them */
		child = search_translate(args, res->u.count.child, &exact);
		return child;
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
	args->args = search_translate(args, restriction, exact_r);
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
