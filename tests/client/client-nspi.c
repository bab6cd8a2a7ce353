/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-nspi-private.h"
#include "mapi-props.h"

#include <string.h>

#define CODE_PAGE_1252		1252
#define LCID_ENGLISH		0x0409
/* [MS-OXNSPI] 3.1.4.1.2: what NspiUnbind returns */
#define UNBIND_SUCCESS		1

struct client_nspi *
client_nspi_new(TALLOC_CTX *mem, const struct client_http_params *params)
{
	struct client_nspi *nspi = talloc_zero(mem, struct client_nspi);

	nspi->http = client_http_new(nspi, params);
	nspi->conn = client_connection_new(nspi->http);
	return nspi;
}

void client_nspi_stat_init(struct mapihttp_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->code_page = CODE_PAGE_1252;
	stat->template_locale = LCID_ENGLISH;
	stat->sort_locale = LCID_ENGLISH;
}

/* --- any request ----------------------------------------------------------*/
/* what all responses begin with */
struct nspi_response {
	uint32_t status_code;
	uint32_t error_code;
};

static int
nspi_decode(struct client_nspi *nspi, TALLOC_CTX *mem,
	    const struct mapihttp_codec *codec,
	    const struct client_http_response *http_response, void *resp_r,
	    struct client_error *error_r)
{
	struct nspi_response *resp = resp_r;
	struct mapi_pull pull;

	if (mapihttp_decode_response(mem, codec, http_response->body,
				     http_response->body_len,
				     resp_r) != EC_NONE) {
		/* What it says first may be all that it says. */
		memset(resp_r, 0, mapihttp_response_size(codec));
		mapi_pull_init(&pull, mem, http_response->body,
			       http_response->body_len);
		resp->status_code = mapi_pull_u32(&pull);
		resp->error_code = mapi_pull_u32(&pull);
		if (resp->status_code == EC_NONE &&
		    resp->error_code == EC_NONE) {
			return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
				"the answer's %zu bytes aren't a response",
				http_response->body_len);
		}
		client_http_violation(nspi->http,
			"%s: the answer ends after its ErrorCode", codec->name);
	}
	if (nspi->trace != NULL) {
		fprintf(nspi->trace, "%s\n",
			mapihttp_print_response(mem, codec, resp_r));
	}
	if (resp->status_code != 0) {
		error_r->ec = resp->status_code;
		return client_error_set(error_r, CLIENT_FAIL_STATUS,
			"the server answered with a StatusCode");
	}
	return 0;
}

/* Leaves the ErrorCode to the caller. */
static int
nspi_send(struct client_nspi *nspi, TALLOC_CTX *mem, const char *type,
	  const void *req, void *resp_r, struct client_error *error_r)
{
	const struct mapihttp_codec *codec =
		mapihttp_codec_find(MAPIHTTP_NSPI, type);
	struct client_http_response *http_response;
	struct mapi_push body;

	snprintf(error_r->request, sizeof(error_r->request), "%s", type);
	mapi_push_init(&body, mem, 0);
	if (codec == NULL ||
	    mapihttp_encode_request(&body, codec, req) != EC_NONE) {
		return client_error_set(error_r, CLIENT_FAIL_LOCAL,
					"the request can't be encoded");
	}
	if (nspi->trace != NULL) {
		fprintf(nspi->trace, "%s\n",
			mapihttp_print_request(mem, codec, req));
	}
	if (client_connection_request(nspi->conn, mem, type, body.data,
				      body.size, &http_response, error_r) < 0)
		return -1;
	return nspi_decode(nspi, mem, codec, http_response, resp_r, error_r);
}

int client_nspi_call(struct client_nspi *nspi, TALLOC_CTX *mem,
		     const char *type, const void *req, void *resp_r,
		     struct client_error *error_r)
{
	const struct nspi_response *resp = resp_r;

	if (nspi_send(nspi, mem, type, req, resp_r, error_r) < 0)
		return -1;
	if (resp->error_code != EC_NONE &&
	    resp->error_code != EC_ERRORS_RETURNED) {
		error_r->ec = resp->error_code;
		return client_error_set(error_r, CLIENT_FAIL_STATUS,
			"the server answered with an ErrorCode");
	}
	return 0;
}

/* --- the session ----------------------------------------------------------*/
int client_nspi_bind(struct client_nspi *nspi, struct client_error *error_r)
{
	static const struct mapi_guid null_guid;
	struct mapihttp_bind_request req = { .has_state = NSPI_TRUE };
	struct mapihttp_bind_response resp;
	TALLOC_CTX *mem = talloc_new(nspi);
	int ret;

	client_nspi_stat_init(&req.state);
	ret = client_nspi_call(nspi, mem, "Bind", &req, &resp, error_r);
	if (ret == 0) {
		nspi->bound = true;
		nspi->server_guid = resp.server_guid;
		if (mapi_guid_cmp(&resp.server_guid, &null_guid) == 0) {
			client_http_violation(nspi->http,
					      "Bind: ServerGuid is null");
		}
	}
	talloc_free(mem);
	return ret;
}

int client_nspi_unbind(struct client_nspi *nspi, struct client_error *error_r)
{
	struct mapihttp_unbind_request req = { .reserved = 0 };
	struct mapihttp_unbind_response resp;
	TALLOC_CTX *mem = talloc_new(nspi);
	int ret = nspi_send(nspi, mem, "Unbind", &req, &resp, error_r);

	if (ret == 0 && resp.error_code != UNBIND_SUCCESS) {
		error_r->ec = resp.error_code;
		ret = client_error_set(error_r, CLIENT_FAIL_STATUS,
			"the server answered with another ErrorCode than %d, "
			"which means success here", UNBIND_SUCCESS);
	}
	nspi->bound = false;
	talloc_free(mem);
	return ret;
}

/* --- objects --------------------------------------------------------------*/
int client_nspi_resolve_names(struct client_nspi *nspi, TALLOC_CTX *mem,
			      const char *const *names, uint32_t count,
			      const struct client_nspi_columns *columns,
			      struct client_nspi_mids *mids_r,
			      struct client_nspi_rows *rows_r,
			      struct client_error *error_r)
{
	struct mapihttp_resolve_names_request req = {
		.has_state = NSPI_TRUE, .has_names = NSPI_TRUE,
		.name_count = count, .name_values = (const char **)names,
	};
	struct mapihttp_resolve_names_response resp;
	uint32_t resolved = 0;

	client_nspi_stat_init(&req.state);
	nspi_set_columns(columns, &req.has_property_tags, &req.property_tags);
	if (client_nspi_call(nspi, mem, "ResolveNames", &req, &resp,
			     error_r) < 0)
		return -1;
	nspi_take_mids(resp.has_minimal_ids, resp.minimal_ids,
		       resp.minimal_id_count, mids_r);
	if (mids_r->count != count) {
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			"%u names were asked for, %u answered", count,
			mids_r->count);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (mids_r->mids[i] == CLIENT_MID_RESOLVED)
			resolved++;
		else if (mids_r->mids[i] > CLIENT_MID_RESOLVED) {
			return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
				"a name's MId is 0x%08x, which isn't one of "
				"the three that it can be", mids_r->mids[i]);
		}
	}
	nspi_take_rows(nspi, "ResolveNames", columns, resp.has_rows_and_cols,
		       &resp.property_tags, resp.row_data, resp.row_count,
		       rows_r);
	if (rows_r->count != resolved) {
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			"%u names are resolved, but there are %u rows",
			resolved, rows_r->count);
	}
	return 0;
}

int client_nspi_dn_to_mid(struct client_nspi *nspi, TALLOC_CTX *mem,
			  const char *const *dns, uint32_t count,
			  struct client_nspi_mids *mids_r,
			  struct client_error *error_r)
{
	struct mapihttp_dn_to_mid_request req = {
		.has_names = NSPI_TRUE, .name_count = count,
		.name_values = (const char **)dns,
	};
	struct mapihttp_dn_to_mid_response resp;

	if (client_nspi_call(nspi, mem, "DNToMId", &req, &resp, error_r) < 0)
		return -1;
	nspi_take_mids(resp.has_minimal_ids, resp.minimal_ids,
		       resp.minimal_id_count, mids_r);
	if (mids_r->count != count) {
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			"%u names were asked for, %u answered", count,
			mids_r->count);
	}
	return 0;
}

int client_nspi_get_props(struct client_nspi *nspi, TALLOC_CTX *mem,
			  uint32_t mid, uint32_t flags,
			  const struct client_nspi_columns *columns,
			  struct mapihttp_property_list *props_r,
			  struct client_error *error_r)
{
	struct mapihttp_get_props_request req = {
		.flags = flags, .has_state = NSPI_TRUE,
	};
	struct mapihttp_get_props_response resp;

	client_nspi_stat_init(&req.state);
	req.state.current_rec = mid;
	nspi_set_columns(columns, &req.has_property_tags, &req.property_tags);
	if (client_nspi_call(nspi, mem, "GetProps", &req, &resp, error_r) < 0)
		return -1;
	memset(props_r, 0, sizeof(*props_r));
	if (resp.has_property_values != 0)
		*props_r = resp.property_values;
	nspi_check_props(nspi, "GetProps", columns, props_r);
	return 0;
}

int client_nspi_get_prop_list(struct client_nspi *nspi, TALLOC_CTX *mem,
			      uint32_t mid, uint32_t flags,
			      struct client_nspi_columns *tags_r,
			      struct client_error *error_r)
{
	struct mapihttp_get_prop_list_request req = {
		.flags = flags, .minimal_id = mid, .code_page = CODE_PAGE_1252,
	};
	struct mapihttp_get_prop_list_response resp;

	if (client_nspi_call(nspi, mem, "GetPropList", &req, &resp,
			     error_r) < 0)
		return -1;
	nspi_take_tags(resp.has_property_tags, &resp.property_tags, tags_r);
	return 0;
}

int client_nspi_query_columns(struct client_nspi *nspi, TALLOC_CTX *mem,
			      uint32_t flags,
			      struct client_nspi_columns *tags_r,
			      struct client_error *error_r)
{
	struct mapihttp_query_columns_request req = { .mapi_flags = flags };
	struct mapihttp_query_columns_response resp;

	if (client_nspi_call(nspi, mem, "QueryColumns", &req, &resp,
			     error_r) < 0)
		return -1;
	nspi_take_tags(resp.has_columns, &resp.columns, tags_r);
	return 0;
}

int client_nspi_template_info(struct client_nspi *nspi, TALLOC_CTX *mem,
			      uint32_t flags, uint32_t display_type,
			      const char *dn, uint32_t locale,
			      struct mapihttp_property_list *props_r,
			      struct client_error *error_r)
{
	struct mapihttp_get_template_info_request req = {
		.flags = flags, .display_type = display_type,
		.has_template_dn = dn == NULL ? 0 : NSPI_TRUE,
		.template_dn = dn, .code_page = CODE_PAGE_1252,
		.locale_id = locale,
	};
	struct mapihttp_get_template_info_response resp;

	if (client_nspi_call(nspi, mem, "GetTemplateInfo", &req, &resp,
			     error_r) < 0)
		return -1;
	memset(props_r, 0, sizeof(*props_r));
	if (resp.has_row != 0)
		*props_r = resp.row;
	return 0;
}

/* --- values ---------------------------------------------------------------*/
const struct mapi_value *
client_nspi_value(const struct mapihttp_property_list *props, uint32_t tag)
{
	for (uint32_t i = 0; i < props->property_value_count; i++) {
		const struct mapi_property *prop = &props->property_values[i];

		if (MAPI_TAG_ID(prop->tag) == MAPI_TAG_ID(tag) &&
		    prop->value.type == MAPI_TAG_TYPE(tag))
			return &prop->value;
	}
	return NULL;
}

const char *client_nspi_string(const struct mapihttp_property_list *props,
			       uint32_t tag)
{
	const struct mapi_value *value = client_nspi_value(props, tag);

	return value == NULL || value->type != PTYP_STRING ? NULL :
		value->u.str;
}

uint32_t client_nspi_number(const struct mapihttp_property_list *props,
			    uint32_t tag)
{
	const struct mapi_value *value = client_nspi_value(props, tag);

	return value == NULL || value->type != PTYP_INTEGER32 ? 0 :
		(uint32_t)value->u.i32;
}

uint32_t client_nspi_row_mid(const struct mapi_property_row *row)
{
	for (uint32_t i = 0; i < row->count; i++) {
		const struct mapi_value *value = &row->values[i];
		const uint8_t *data;

		if (row->columns[i] != PIDTAG_INSTANCE_KEY ||
		    value->type != PTYP_BINARY || value->u.bin.len != 4)
			continue;
		data = value->u.bin.data;
		return data[0] | data[1] << 8 | data[2] << 16 |
			(uint32_t)data[3] << 24;
	}
	return 0;
}
