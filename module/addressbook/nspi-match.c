/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GetMatches and ResolveNames.

   A restriction is tested row by row, which takes as long as the address list
   is long, and the process serves others, too. So the time is limited, after
   which the search is too complex ([MS-OXNSPI] 3.1.4.1.10 leaves it to the
   server what is). A restriction on PidTagAnr, which is what clients mostly
   send, is answered from the snapshot's index of names instead. */

#include "lib.h"
#include "time-util.h"
#include "mapi-props.h"
#include "mapi-restriction-eval.h"
#include "nspi-handlers.h"
#include "nspi-table.h"
#include "nspi-rows.h"

#define NSPI_SEARCH_MAX_MSECS 2000
#define NSPI_SEARCH_CHECK_ROWS 256

/* --- ambiguous name resolution ---------------------------------------------- */

/* [MS-OXNSPI] 3.1.4.7. Objects of the table that a name may mean, at most max,
   in no order. */
static unsigned int
nspi_resolve(const struct nspi_context *ctx, const struct nspi_table *table,
	     uint32_t container, const char *name, uint32_t *mids_r,
	     unsigned int max)
{
	unsigned int i, count, used = 0;
	uint32_t idx;

	while (*name == ' ')
		name++;
	/* Outlook puts this in front of addresses that are to be taken as they
	   are. */
	if (strncasecmp(name, "=SMTP:", 6) == 0)
		name++;
	if (*name == '\0' || ctx->snapshot == NULL)
		return 0;
	if (strncasecmp(name, "EX:", 3) == 0)
		name += 3;
	if (*name == '/') {
		mids_r[0] = nspi_mid_of_dn(ctx, name);
		count = mids_r[0] == 0 ? 0 : 1;
	} else {
		count = snapshot_resolve(ctx->snapshot, name,
					 DIRECTORY_HIDE_FROM_RESOLVE, mids_r,
					 max);
	}
	if (container == SNAPSHOT_GAL)
		return count;
	for (i = 0; i < count; i++) {
		if (nspi_table_find(table, mids_r[i], &idx))
			mids_r[used++] = mids_r[i];
	}
	return used;
}

/* 3.1.4.1.17 */
enum mapi_error
nspi_resolve_names(struct nspi_context *ctx,
		   const struct mapihttp_resolve_names_request *req,
		   struct mapihttp_resolve_names_response *resp)
{
	/* One that is in another container mustn't hide one that is in this. */
	uint32_t mids[NSPI_MAX_COLUMNS];
	struct nspi_getter getter;
	struct nspi_table table;
	struct nspi_rows rows;
	unsigned int matches;
	enum mapi_error ret;
	bool full = FALSE;

	if (req->state.code_page == NSPI_CODEPAGE_UNICODE)
		return EC_NOT_SUPPORTED;
	/* Outlook's Reserved isn't 0. */
	if ((ret = nspi_table_open(ctx, &req->state, &table)) != EC_NONE)
		return ret;
	ret = nspi_columns_get(ctx, req->has_property_tags != 0,
			       &req->property_tags, &resp->property_tags);
	if (ret != EC_NONE)
		return ret;

	nspi_getter_init(&getter, ctx, &req->state, 0);
	nspi_rows_init(&rows, &getter, &resp->property_tags, req->name_count);
	resp->minimal_ids = talloc_array(ctx->mem, uint32_t, req->name_count);
	for (uint32_t i = 0; i < req->name_count; i++) {
		matches = nspi_resolve(ctx, &table, req->state.container_id,
				       req->name_values[i], mids,
				       N_ELEMENTS(mids));
		if (matches == 1 && full)
			return EC_TABLE_TOO_BIG;
		resp->minimal_ids[i] = matches == 0 ? NSPI_MID_UNRESOLVED :
			matches == 1 ? NSPI_MID_RESOLVED : NSPI_MID_AMBIGUOUS;
		if (matches == 1)
			full = !nspi_rows_add(&rows, mids[0]);
	}
	resp->code_page = req->state.code_page;
	resp->has_minimal_ids = NSPI_TRUE;
	resp->minimal_id_count = req->name_count;
	resp->has_rows_and_cols = NSPI_TRUE;
	resp->row_count = rows.count;
	resp->row_data = rows.rows;
	return EC_NONE;
}

/* --- restrictions ------------------------------------------------------------ */

struct nspi_search {
	struct nspi_getter getter;
	struct snapshot_object object;
	struct mapi_value value;
};

static enum mapi_error
nspi_search_get(void *context, uint32_t tag, const struct mapi_value **value_r)
{
	struct nspi_search *search = context;

	nspi_property_get(&search->getter, &search->object, tag,
			  &search->value);
	*value_r = search->value.type == PTYP_ERROR_CODE ? NULL :
		&search->value;
	return EC_NONE;
}

static const struct mapi_restriction_object nspi_search_object = {
	.get = nspi_search_get,
};

static bool nspi_restriction_is_anr(const struct mapi_restriction *res)
{
	return res->type == RES_PROPERTY &&
		MAPI_TAG_ID(res->u.property.tag) == MAPI_TAG_ID(PIDTAG_ANR);
}

/* The name of a restriction on PidTagAnr; EC_INVALID_PARAM if it has none */
static enum mapi_error
nspi_restriction_anr_name(const struct nspi_getter *getter,
			  const struct mapi_restriction *res,
			  const char **name_r)
{
	const struct mapi_value *value = &res->u.property.value.value;

	if (value->type == PTYP_STRING && value->u.str != NULL)
		*name_r = value->u.str;
	else if (value->type == PTYP_STRING8 && value->u.str8 != NULL)
		*name_r = nspi_string8_to_utf8(getter, value->u.str8);
	else
		return EC_INVALID_PARAM;
	return EC_NONE;
}

/* Takes the name out of a restriction: what there's to be tested besides is in
   rest_r, NULL if nothing. *name_r is NULL if it's not about names. */
static enum mapi_error
nspi_restriction_split(const struct nspi_getter *getter,
		       const struct mapi_restriction *res,
		       const char **name_r,
		       const struct mapi_restriction **rest_r)
{
	struct mapi_restriction *rest;
	struct mapi_restriction *items;

	*name_r = NULL;
	*rest_r = res;
	if (nspi_restriction_is_anr(res)) {
		*rest_r = NULL;
		return nspi_restriction_anr_name(getter, res, name_r);
	}
	if (res->type != RES_AND)
		return EC_NONE;
	for (uint32_t i = 0; i < res->u.list.count; i++) {
		if (!nspi_restriction_is_anr(&res->u.list.items[i]))
			continue;
		rest = talloc_memdup(getter->ctx->mem, res, sizeof(*res));
		items = talloc_memdup(rest, res->u.list.items,
				      sizeof(*items) * res->u.list.count);
		rest->u.list.items = items;
		rest->u.list.count--;
		memmove(items + i, items + i + 1,
			sizeof(*items) * (rest->u.list.count - i));
		*rest_r = rest;
		return nspi_restriction_anr_name(getter,
						 &res->u.list.items[i],
						 name_r);
	}
	return EC_NONE;
}

/* Leaves those of the objects that match; idx-th is mids[idx], or the table's
   row if mids is NULL. */
static enum mapi_error
nspi_search(struct nspi_getter *getter, const struct mapi_restriction *res,
	    const struct nspi_table *table, const uint32_t *mids,
	    uint32_t count, uint32_t max, uint32_t *mids_r, uint32_t *count_r)
{
	const struct nspi_context *ctx = getter->ctx;
	struct nspi_context row_ctx = *ctx;
	struct mapi_restriction_eval *eval;
	struct nspi_search search;
	struct timeval start, now;
	enum mapi_error ret;
	uint32_t i, mid;
	bool match;

	ret = mapi_restriction_eval_init(ctx->mem, res, getter->code_page,
					 &eval);
	if (ret != EC_NONE)
		return ret == EC_INVALID_PARAM ? EC_TOO_COMPLEX : ret;
	i_zero(&search);
	search.getter = *getter;
	search.getter.ctx = &row_ctx;
	row_ctx.mem = talloc_new(ctx->mem);
	i_gettimeofday(&start);
	*count_r = 0;
	for (i = 0; i < count && ret == EC_NONE; i++) {
		mid = mids != NULL ? mids[i] : nspi_table_mid(table, i);
		if (!nspi_object_get(ctx, mid, &search.object))
			continue;
		T_BEGIN {
			ret = mapi_restriction_eval_match(eval,
				&nspi_search_object, &search, &match);
		} T_END;
		if (ret == EC_NONE && match) {
			if (*count_r == max)
				ret = EC_TABLE_TOO_BIG;
			else
				mids_r[(*count_r)++] = mid;
		}
		if (i % NSPI_SEARCH_CHECK_ROWS != NSPI_SEARCH_CHECK_ROWS - 1)
			continue;
		talloc_free(row_ctx.mem);
		row_ctx.mem = talloc_new(ctx->mem);
		i_gettimeofday(&now);
		if (timeval_diff_msecs(&now, &start) > NSPI_SEARCH_MAX_MSECS)
			ret = EC_TOO_COMPLEX;
	}
	talloc_free(row_ctx.mem);
	return ret;
}

static enum mapi_error
nspi_match_filter(struct nspi_context *ctx, struct nspi_getter *getter,
		  const struct mapihttp_get_matches_request *req,
		  uint32_t max, uint32_t **mids_r, uint32_t *count_r)
{
	const struct mapi_restriction *rest;
	struct nspi_table table;
	const char *name;
	uint32_t *mids, *found, count;
	enum mapi_error ret;

	if (req->state.sort_type != NSPI_SORT_DISPLAY_NAME &&
	    req->state.sort_type != NSPI_SORT_PHONETIC_DISPLAY_NAME)
		return EC_NOT_SUPPORTED;
	if ((ret = nspi_table_open(ctx, &req->state, &table)) != EC_NONE)
		return ret;
	ret = nspi_restriction_split(getter, req->filter, &name, &rest);
	if (ret != EC_NONE)
		return ret;
	*mids_r = talloc_array(ctx->mem, uint32_t, NSPI_MAX_ROWS + 1);
	if (name == NULL) {
		return nspi_search(getter, rest, &table, NULL, table.count,
				   max, *mids_r, count_r);
	}
	mids = talloc_array(ctx->mem, uint32_t, NSPI_MAX_ROWS + 1);
	count = nspi_resolve(ctx, &table, req->state.container_id, name, mids,
			     NSPI_MAX_ROWS + 1);
	if (ctx->snapshot != NULL)
		count = snapshot_sort(ctx->snapshot, req->state.sort_locale,
				      mids, count);
	if (rest != NULL) {
		found = *mids_r;
		return nspi_search(getter, rest, NULL, mids, count, max,
				   found, count_r);
	}
	*mids_r = mids;
	*count_r = count;
	return count > max ? EC_TABLE_TOO_BIG : EC_NONE;
}

/* The objects that one refers to, e.g. a list's members: the property is given
   instead of a container. */
static enum mapi_error
nspi_match_links(struct nspi_context *ctx,
		 const struct mapihttp_get_matches_request *req,
		 uint32_t max, uint32_t **mids_r, uint32_t *count_r)
{
	struct snapshot_object object;

	if (!nspi_object_get(ctx, req->state.current_rec, &object))
		return EC_ERROR;
	/* Nobody may change anything, and there are no named properties. */
	if (req->state.sort_type == NSPI_SORT_DISPLAY_NAME_W ||
	    req->has_property_name != 0 ||
	    !nspi_property_is_link(req->state.container_id))
		return EC_NOT_SUPPORTED;
	*count_r = nspi_property_links(ctx, &object, req->state.container_id,
				       req->state.sort_locale, mids_r);
	return *count_r > max ? EC_TABLE_TOO_BIG : EC_NONE;
}

/* 3.1.4.1.10 */
enum mapi_error
nspi_get_matches(struct nspi_context *ctx,
		 const struct mapihttp_get_matches_request *req,
		 struct mapihttp_get_matches_response *resp)
{
	uint32_t count = 0, max = I_MIN(req->row_count, NSPI_MAX_ROWS);
	struct nspi_getter getter;
	struct nspi_rows rows;
	enum mapi_error ret;

	if (req->state.code_page == NSPI_CODEPAGE_UNICODE)
		return EC_NOT_SUPPORTED;
	if (req->has_columns != 0) {
		ret = nspi_columns_get(ctx, TRUE, &req->columns,
				       &resp->columns);
		if (ret != EC_NONE)
			return ret;
	}
	nspi_getter_init(&getter, ctx, &req->state, NSPI_EPHEMERAL_IDS);
	if (req->has_filter != 0 && req->filter != NULL) {
		ret = nspi_match_filter(ctx, &getter, req, max,
					&resp->minimal_ids, &count);
	} else {
		ret = nspi_match_links(ctx, req, max, &resp->minimal_ids,
				       &count);
	}
	if (ret != EC_NONE)
		return ret;
	resp->has_state = NSPI_TRUE;
	resp->state = req->state;
	resp->state.container_id = req->state.current_rec;
	resp->has_minimal_ids = NSPI_TRUE;
	resp->minimal_id_count = count;
	if (req->has_columns == 0)
		return EC_NONE;
	nspi_rows_init(&rows, &getter, &resp->columns, count);
	while (rows.count < count) {
		if (!nspi_rows_add(&rows, resp->minimal_ids[rows.count]))
			break;
	}
	resp->has_columns_and_rows = NSPI_TRUE;
	resp->row_count = rows.count;
	resp->row_data = rows.rows;
	return EC_NONE;
}
