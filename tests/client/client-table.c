/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-object.h"

#include <string.h>

/* Origin in RopQueryRows' response */
#define BOOKMARK_END 0x02

/* The rows of a response, which stay with the batch on mem */
static void client_rows_take(const struct rop_query_rows_response *resp,
			     struct client_rows *rows_r)
{
	rows_r->rows = resp->row_data;
	rows_r->count = resp->row_count;
	rows_r->at_end = resp->origin == BOOKMARK_END;
}

static unsigned int
client_table_add_query(struct client_batch *batch, uint8_t logon_id,
		       uint8_t slot, uint16_t count, const uint32_t *columns,
		       unsigned int column_count)
{
	struct rop_query_rows_request req = {
		.hdr.rop_id = ROP_QUERY_ROWS,
		.hdr.logon_id = logon_id,
		.hdr.input_index = slot,
		.forward_read = 1,
		.row_count = count,
	};

	return client_batch_add(batch, &req, columns, column_count);
}

/* open: the ROP that opens the table, in the batch already, its slot too */
static int
client_table_open(struct client_object *parent, TALLOC_CTX *mem,
		  struct client_batch *batch, unsigned int open, uint8_t slot,
		  const struct client_table_spec *spec, uint16_t first_rows,
		  struct client_table **table_r, struct client_rows *rows_r,
		  struct client_error *error_r)
{
	struct rop_request_header hdr = {
		.logon_id = parent->logon_id, .input_index = slot,
	};
	struct rop_set_columns_request set_columns = { .hdr = hdr };
	struct rop_sort_table_request sort = { .hdr = hdr };
	struct rop_restrict_request restrict_req = { .hdr = hdr };
	unsigned int i, first = open, count, query = 0;
	struct client_table *table;
	uint32_t *columns = talloc_memdup(batch, spec->columns,
		spec->column_count * sizeof(*spec->columns));

	set_columns.hdr.rop_id = ROP_SET_COLUMNS;
	set_columns.property_tag_count = spec->column_count;
	set_columns.property_tags = columns;
	count = client_batch_add(batch, &set_columns, NULL, 0) + 1;
	if (spec->sort_count > 0) {
		sort.hdr.rop_id = ROP_SORT_TABLE;
		sort.sort_order_count = spec->sort_count;
		sort.sort_orders = talloc_memdup(batch, spec->sort,
			spec->sort_count * sizeof(*spec->sort));
		count = client_batch_add(batch, &sort, NULL, 0) + 1;
	}
	if (spec->restriction != NULL) {
		restrict_req.hdr.rop_id = ROP_RESTRICT;
		restrict_req.restriction_data = spec->restriction;
		count = client_batch_add(batch, &restrict_req, NULL, 0) + 1;
	}
	if (rows_r != NULL) {
		query = client_table_add_query(batch, parent->logon_id, slot,
					       first_rows, columns,
					       spec->column_count);
		count = query + 1;
	}

	if (client_batch_execute(batch, error_r) < 0)
		return -1;
	for (i = first; i < count; i++) {
		if (client_batch_check(batch, i, error_r) < 0)
			return -1;
	}
	table = (struct client_table *)
		client_object_init(mem, sizeof(*table), parent->session,
				   parent->logon_id,
				   client_batch_slot(batch, slot));
	table->columns = columns;
	table->column_count = spec->column_count;
	if (rows_r != NULL)
		client_rows_take(client_batch_response(batch, query), rows_r);
	talloc_steal(table, batch);
	*table_r = table;
	return 0;
}

int client_contents_table_open(struct client_object *folder, TALLOC_CTX *mem,
			       const struct client_table_spec *spec,
			       uint16_t first_rows,
			       struct client_table **table_r,
			       struct client_rows *rows_r,
			       struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(folder->session, mem);
	struct rop_get_contents_table_request req = {
		.hdr.rop_id = ROP_GET_CONTENTS_TABLE,
		.hdr.logon_id = folder->logon_id,
		.hdr.input_index = client_batch_handle(batch, folder->handle),
		.hdr.output_index = client_batch_output(batch),
		.table_flags = spec->table_flags,
	};
	const struct rop_get_contents_table_response *resp;
	unsigned int n = client_batch_add(batch, &req, NULL, 0);

	if (client_table_open(folder, mem, batch, n, req.hdr.output_index,
			      spec, first_rows, table_r, rows_r, error_r) < 0) {
		talloc_free(batch);
		return -1;
	}
	resp = client_batch_response(batch, n);
	(*table_r)->row_count = resp->row_count;
	return 0;
}

int client_hierarchy_table_open(struct client_object *folder, TALLOC_CTX *mem,
				const struct client_table_spec *spec,
				uint16_t first_rows,
				struct client_table **table_r,
				struct client_rows *rows_r,
				struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(folder->session, mem);
	struct rop_get_hierarchy_table_request req = {
		.hdr.rop_id = ROP_GET_HIERARCHY_TABLE,
		.hdr.logon_id = folder->logon_id,
		.hdr.input_index = client_batch_handle(batch, folder->handle),
		.hdr.output_index = client_batch_output(batch),
		.table_flags = spec->table_flags,
	};
	const struct rop_get_hierarchy_table_response *resp;
	unsigned int n = client_batch_add(batch, &req, NULL, 0);

	if (client_table_open(folder, mem, batch, n, req.hdr.output_index,
			      spec, first_rows, table_r, rows_r, error_r) < 0) {
		talloc_free(batch);
		return -1;
	}
	resp = client_batch_response(batch, n);
	(*table_r)->row_count = resp->row_count;
	return 0;
}

int client_attachment_table_open(struct client_object *message,
				 TALLOC_CTX *mem,
				 const struct client_table_spec *spec,
				 uint16_t first_rows,
				 struct client_table **table_r,
				 struct client_rows *rows_r,
				 struct client_error *error_r)
{
	struct client_batch *batch = client_batch_new(message->session, mem);
	struct rop_get_attachment_table_request req = {
		.hdr.rop_id = ROP_GET_ATTACHMENT_TABLE,
		.hdr.logon_id = message->logon_id,
		.hdr.input_index = client_batch_handle(batch, message->handle),
		.hdr.output_index = client_batch_output(batch),
		.table_flags = spec->table_flags,
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);

	if (client_table_open(message, mem, batch, n, req.hdr.output_index,
			      spec, first_rows, table_r, rows_r, error_r) < 0) {
		talloc_free(batch);
		return -1;
	}
	return 0;
}

int client_table_query(struct client_table *table, TALLOC_CTX *mem,
		       uint16_t count, struct client_rows *rows_r,
		       struct client_error *error_r)
{
	struct client_object *obj = &table->obj;
	struct client_batch *batch = client_batch_new(obj->session, mem);
	uint8_t slot = client_batch_handle(batch, obj->handle);
	unsigned int n = client_table_add_query(batch, obj->logon_id, slot,
						count, table->columns,
						table->column_count);

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	client_rows_take(client_batch_response(batch, n), rows_r);
	if (rows_r->count > count) {
		client_http_violation(obj->session->http,
			"RopQueryRows: %u rows, although %u were wanted",
			rows_r->count, count);
	}
	return 0;
}

int client_table_position(struct client_table *table, uint32_t *numerator_r,
			  uint32_t *denominator_r,
			  struct client_error *error_r)
{
	struct client_object *obj = &table->obj;
	struct client_batch *batch = client_batch_new(obj->session, table);
	struct rop_query_position_request req = {
		.hdr.rop_id = ROP_QUERY_POSITION,
		.hdr.logon_id = obj->logon_id,
		.hdr.input_index = client_batch_handle(batch, obj->handle),
	};
	unsigned int n = client_batch_add(batch, &req, NULL, 0);
	const struct rop_query_position_response *resp;

	if (client_batch_run(batch, n, error_r) < 0)
		return -1;
	resp = client_batch_response(batch, n);
	*numerator_r = resp->numerator;
	*denominator_r = resp->denominator;
	talloc_free(batch);
	return 0;
}

const struct mapi_value *client_row_value(const struct mapi_property_row *row,
					  uint32_t tag)
{
	uint32_t i;

	for (i = 0; i < row->count; i++) {
		if (MAPI_TAG_ID(row->columns[i]) == MAPI_TAG_ID(tag) &&
		    row->values[i].type == MAPI_TAG_TYPE(tag))
			return &row->values[i];
	}
	return NULL;
}

const char *client_row_string(const struct mapi_property_row *row,
			      uint32_t tag)
{
	const struct mapi_value *value = client_row_value(row, tag);

	return value == NULL ? NULL : value->u.str;
}

int64_t client_row_number(const struct mapi_property_row *row, uint32_t tag)
{
	const struct mapi_value *value = client_row_value(row, tag);

	if (value == NULL)
		return 0;
	switch (value->type) {
	case PTYP_INTEGER16:
		return value->u.i16;
	case PTYP_INTEGER32:
		return value->u.i32;
	case PTYP_INTEGER64:
		return value->u.i64;
	case PTYP_BOOLEAN:
		return value->u.b;
	case PTYP_TIME:
		return mapi_time_to_unix(value->u.time);
	default:
		return 0;
	}
}
