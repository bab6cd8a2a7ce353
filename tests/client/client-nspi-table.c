/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-nspi-private.h"
#include "mapi-props.h"

#include <string.h>

int client_nspi_special_table(struct client_nspi *nspi, TALLOC_CTX *mem,
			      uint32_t flags, uint32_t *version,
			      struct mapihttp_property_list **rows_r,
			      uint32_t *count_r, struct client_error *error_r)
{
	struct mapihttp_get_special_table_request req = {
		.flags = flags, .has_state = NSPI_TRUE,
		.has_version = NSPI_TRUE, .version = *version,
	};
	struct mapihttp_get_special_table_response resp;

	client_nspi_stat_init(&req.state);
	if (client_nspi_call(nspi, mem, "GetSpecialTable", &req, &resp,
			     error_r) < 0)
		return -1;
	if (resp.has_version != 0)
		*version = resp.version;
	*count_r = resp.has_rows != 0 ? resp.rows_count : 0;
	*rows_r = resp.rows;
	return 0;
}

int client_nspi_update_stat(struct client_nspi *nspi,
			    struct mapihttp_stat *stat, int32_t *delta_r,
			    struct client_error *error_r)
{
	struct mapihttp_update_stat_request req = {
		.has_state = NSPI_TRUE, .state = *stat,
		.delta_requested = delta_r == NULL ? 0 : 1,
	};
	struct mapihttp_update_stat_response resp;
	TALLOC_CTX *mem = talloc_new(nspi);
	int ret = client_nspi_call(nspi, mem, "UpdateStat", &req, &resp,
				   error_r);

	if (ret == 0) {
		ret = nspi_take_stat(nspi, "UpdateStat", resp.has_state,
				     &resp.state, stat, error_r);
	}
	if (ret == 0 && delta_r != NULL) {
		if (resp.has_delta != 0)
			*delta_r = resp.delta;
		else {
			ret = client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
				"the answer has no Delta, which was asked for");
		}
	}
	talloc_free(mem);
	return ret;
}

int client_nspi_query_rows(struct client_nspi *nspi, TALLOC_CTX *mem,
			   struct mapihttp_stat *stat,
			   const struct client_nspi_mids *mids, uint32_t count,
			   const struct client_nspi_columns *columns,
			   struct client_nspi_rows *rows_r,
			   struct client_error *error_r)
{
	struct mapihttp_query_rows_request req = {
		.has_state = NSPI_TRUE, .state = *stat, .row_count = count,
	};
	struct mapihttp_query_rows_response resp;

	if (mids != NULL) {
		req.explicit_table = (uint32_t *)mids->mids;
		req.explicit_table_count = mids->count;
	}
	nspi_set_columns(columns, &req.has_columns, &req.columns);
	if (client_nspi_call(nspi, mem, "QueryRows", &req, &resp, error_r) < 0)
		return -1;
	if (nspi_take_stat(nspi, "QueryRows", resp.has_state, &resp.state,
			   stat, error_r) < 0)
		return -1;
	nspi_take_rows(nspi, "QueryRows", columns, resp.has_columns_and_rows,
		       &resp.columns, resp.row_data, resp.row_count, rows_r);
	if (rows_r->count > count) {
		client_http_violation(nspi->http,
			"QueryRows: %u rows, asked for were %u",
			rows_r->count, count);
	}
	return 0;
}

int client_nspi_seek_entries(struct client_nspi *nspi, TALLOC_CTX *mem,
			     struct mapihttp_stat *stat, const char *name,
			     const struct client_nspi_columns *columns,
			     struct client_nspi_rows *rows_r,
			     struct client_error *error_r)
{
	struct mapihttp_seek_entries_request req = {
		.has_state = NSPI_TRUE, .state = *stat,
		.has_target = NSPI_TRUE,
		.target = {
			.tag = PIDTAG_DISPLAY_NAME,
			.value = mapi_value_str(name),
		},
	};
	struct mapihttp_seek_entries_response resp;

	nspi_set_columns(columns, &req.has_columns, &req.columns);
	if (client_nspi_call(nspi, mem, "SeekEntries", &req, &resp,
			     error_r) < 0)
		return -1;
	if (nspi_take_stat(nspi, "SeekEntries", resp.has_state, &resp.state,
			   stat, error_r) < 0)
		return -1;
	nspi_take_rows(nspi, "SeekEntries", columns, resp.has_columns_and_rows,
		       &resp.columns, resp.row_data, resp.row_count, rows_r);
	/* Outlook crashes without, when it goes to the last row. */
	if (stat->total_recs == 0) {
		client_http_violation(nspi->http,
			"SeekEntries: TotalRecs is 0 although there's a row");
	}
	return 0;
}

int client_nspi_get_matches(struct client_nspi *nspi, TALLOC_CTX *mem,
			    struct mapihttp_stat *stat,
			    struct mapi_restriction *filter, uint32_t max,
			    const struct client_nspi_columns *columns,
			    struct client_nspi_mids *mids_r,
			    struct client_nspi_rows *rows_r,
			    struct client_error *error_r)
{
	struct mapihttp_get_matches_request req = {
		.has_state = NSPI_TRUE, .state = *stat,
		.has_filter = filter == NULL ? 0 : NSPI_TRUE,
		.filter = filter, .row_count = max,
	};
	struct mapihttp_get_matches_response resp;

	nspi_set_columns(columns, &req.has_columns, &req.columns);
	if (client_nspi_call(nspi, mem, "GetMatches", &req, &resp,
			     error_r) < 0)
		return -1;
	if (nspi_take_stat(nspi, "GetMatches", resp.has_state, &resp.state,
			   stat, error_r) < 0)
		return -1;
	nspi_take_mids(resp.has_minimal_ids, resp.minimal_ids,
		       resp.minimal_id_count, mids_r);
	nspi_take_rows(nspi, "GetMatches", columns, resp.has_columns_and_rows,
		       &resp.columns, resp.row_data, resp.row_count, rows_r);
	if (mids_r->count > max || rows_r->count > max) {
		client_http_violation(nspi->http,
			"GetMatches: %u objects and %u rows, asked for were "
			"%u", mids_r->count, rows_r->count, max);
	}
	if (rows_r->count > mids_r->count) {
		client_http_violation(nspi->http,
			"GetMatches: %u objects, but %u rows", mids_r->count,
			rows_r->count);
	}
	return 0;
}

int client_nspi_resort(struct client_nspi *nspi, TALLOC_CTX *mem,
		       struct mapihttp_stat *stat,
		       const struct client_nspi_mids *mids,
		       struct client_nspi_mids *mids_r,
		       struct client_error *error_r)
{
	struct mapihttp_resort_restriction_request req = {
		.has_state = NSPI_TRUE, .state = *stat,
		.has_minimal_ids = NSPI_TRUE,
		.minimal_ids = (uint32_t *)mids->mids,
		.minimal_id_count = mids->count,
	};
	struct mapihttp_resort_restriction_response resp;

	if (client_nspi_call(nspi, mem, "ResortRestriction", &req, &resp,
			     error_r) < 0)
		return -1;
	if (nspi_take_stat(nspi, "ResortRestriction", resp.has_state,
			   &resp.state, stat, error_r) < 0)
		return -1;
	nspi_take_mids(resp.has_minimal_ids, resp.minimal_ids,
		       resp.minimal_id_count, mids_r);
	if (mids_r->count > mids->count) {
		client_http_violation(nspi->http,
			"ResortRestriction: %u objects of %u", mids_r->count,
			mids->count);
	}
	return 0;
}

int client_nspi_compare_mids(struct client_nspi *nspi,
			     const struct mapihttp_stat *stat,
			     uint32_t mid1, uint32_t mid2, int32_t *result_r,
			     struct client_error *error_r)
{
	struct mapihttp_compare_mids_request req = {
		.has_state = NSPI_TRUE, .state = *stat,
		.minimal_id1 = mid1, .minimal_id2 = mid2,
	};
	struct mapihttp_compare_mids_response resp;
	TALLOC_CTX *mem = talloc_new(nspi);
	int ret = client_nspi_call(nspi, mem, "CompareMIds", &req, &resp,
				   error_r);

	if (ret == 0)
		*result_r = resp.result;
	talloc_free(mem);
	return ret;
}
