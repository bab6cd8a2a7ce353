/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Message lists and messages, by MAPI and by IMAP */

#include "mapitest-bench.h"
#include "mapi-props.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROWS		50
/* RopQueryRows gives what fits into its 32 kB, whatever is asked for */
#define PAGE_ROWS		1000
#define STREAM_PIECE		0x7C00

#define IMAP_ITEMS "(FLAGS ENVELOPE BODYSTRUCTURE INTERNALDATE)"

/* The 20 columns of a message list in Outlook */
static const uint32_t list_columns[] = {
	PIDTAG_MID, PIDTAG_INST_ID, PIDTAG_INSTANCE_NUM, PIDTAG_INSTANCE_KEY,
	PIDTAG_ENTRY_ID, PIDTAG_MESSAGE_CLASS, PIDTAG_ICON_INDEX,
	PIDTAG_IMPORTANCE, PIDTAG_SENSITIVITY, PIDTAG_MESSAGE_FLAGS,
	PIDTAG_MESSAGE_STATUS, PIDTAG_FLAG_STATUS, PIDTAG_HAS_ATTACHMENTS,
	PIDTAG_SENT_REPRESENTING_NAME, PIDTAG_SUBJECT, PIDTAG_DISPLAY_TO,
	PIDTAG_MESSAGE_DELIVERY_TIME, PIDTAG_CLIENT_SUBMIT_TIME,
	PIDTAG_MESSAGE_SIZE, PIDTAG_LAST_MODIFICATION_TIME,
};
static const struct mapi_sort_order newest_first[] = {
	{ PIDTAG_MESSAGE_DELIVERY_TIME, MAPI_SORT_DESCENDING },
};
static const struct client_table_spec list_spec = {
	.table_flags = TABLE_USE_UNICODE,
	.columns = list_columns,
	.column_count = sizeof(list_columns) / sizeof(list_columns[0]),
	.sort = newest_first,
	.sort_count = 1,
};

/* of the HTML body with the request that opens it; there must be room for the
   properties */
#define FIRST_PIECE 0x7000

/* read when a message is opened, beside its bodies */
static const uint32_t message_tags[] = {
	PIDTAG_SUBJECT, PIDTAG_MESSAGE_CLASS, PIDTAG_MESSAGE_FLAGS,
	PIDTAG_SENT_REPRESENTING_NAME, PIDTAG_SENT_REPRESENTING_EMAIL_ADDRESS,
	PIDTAG_SENDER_NAME, PIDTAG_SENDER_EMAIL_ADDRESS, PIDTAG_DISPLAY_TO,
	PIDTAG_DISPLAY_CC, PIDTAG_MESSAGE_DELIVERY_TIME,
	PIDTAG_CLIENT_SUBMIT_TIME, PIDTAG_IMPORTANCE, PIDTAG_SENSITIVITY,
	PIDTAG_CONVERSATION_TOPIC, PIDTAG_CONVERSATION_INDEX,
	PIDTAG_INTERNET_MESSAGE_ID, PIDTAG_INTERNET_CODEPAGE,
	PIDTAG_NATIVE_BODY, PIDTAG_HAS_ATTACHMENTS, PIDTAG_MESSAGE_SIZE,
};

/* --- tables ---------------------------------------------------------------*/
static int mapi_first_rows(struct bench *bench, double *seconds_r)
{
	TALLOC_CTX *mem = talloc_new(bench->session);
	double start = client_clock();
	struct client_table *table;
	struct client_rows rows;

	if (client_contents_table_open(bench->folder_obj, mem, &list_spec,
				       FIRST_ROWS, &table, &rows,
				       &bench->error) < 0)
		return -1;
	*seconds_r = client_clock() - start;
	talloc_free(mem);
	return 0;
}

static int mapi_all_rows(struct bench *bench, double *seconds_r,
			 unsigned int *rows_r)
{
	TALLOC_CTX *mem = talloc_new(bench->session), *tmp;
	double start = client_clock();
	struct client_table *table;
	struct client_rows rows;

	if (client_contents_table_open(bench->folder_obj, mem, &list_spec,
				       PAGE_ROWS, &table, &rows,
				       &bench->error) < 0)
		return -1;
	*rows_r = rows.count;
	while (rows.count > 0) {
		tmp = talloc_new(mem);
		if (client_table_query(table, tmp, PAGE_ROWS, &rows,
				       &bench->error) < 0)
			return -1;
		*rows_r += rows.count;
		talloc_free(tmp);
	}
	*seconds_r = client_clock() - start;
	if (*rows_r != table->row_count) {
		return client_error_set(&bench->error, CLIENT_FAIL_PROTOCOL,
			"%u rows came of %u", *rows_r, table->row_count);
	}
	talloc_free(mem);
	return 0;
}

/* The newest messages' uids, as a set for IMAP commands */
static char *
imap_newest(struct bench *bench, TALLOC_CTX *mem, unsigned int count)
{
	const char *text, *p;
	char *set = talloc_strdup(mem, ""), *end;
	unsigned int n;

	if (imap_client_command(bench->imap, mem,
				"UID SORT (REVERSE ARRIVAL) UTF-8 ALL", &text,
				&bench->error) < 0)
		return NULL;
	p = strstr(text, "* SORT");
	p = p == NULL ? "" : p + strlen("* SORT");
	for (n = 0; n < count && *p == ' '; n++, p = end) {
		set = talloc_asprintf_append_buffer(set, "%s%lu",
			n == 0 ? "" : ",", strtoul(p, &end, 10));
	}
	return set;
}

static int imap_first_rows(struct bench *bench, double *seconds_r)
{
	TALLOC_CTX *mem = talloc_new(bench->session);
	double start = client_clock();
	char *set, *command;

	set = imap_newest(bench, mem, FIRST_ROWS);
	if (set == NULL)
		return -1;
	command = talloc_asprintf(mem, "UID FETCH %s " IMAP_ITEMS, set);
	if (imap_client_command(bench->imap, mem, command, NULL,
				&bench->error) < 0)
		return -1;
	*seconds_r = client_clock() - start;
	talloc_free(mem);
	return 0;
}

static int imap_all_rows(struct bench *bench, double *seconds_r)
{
	double start = client_clock();

	if (imap_client_command(bench->imap, bench->session,
				"FETCH 1:* " IMAP_ITEMS, NULL,
				&bench->error) < 0)
		return -1;
	*seconds_r = client_clock() - start;
	return 0;
}

int bench_table(struct bench *bench)
{
	double *mapi = talloc_zero_array(bench->test->mem, double,
					 bench->count);
	double *imap = talloc_zero_array(bench->test->mem, double,
					 bench->count);
	double all_mapi, all_imap = 0, warm;
	unsigned int i, rows;

	if (bench_start(bench) < 0 || bench_start_imap(bench) < 0)
		return -1;
	/* both have seen everything once before anything is measured */
	if (mapi_all_rows(bench, &warm, &rows) < 0)
		return -1;
	if (bench->imap != NULL && (imap_all_rows(bench, &warm) < 0 ||
				    imap_first_rows(bench, &warm) < 0))
		return -1;

	for (i = 0; i < bench->count; i++) {
		if (mapi_first_rows(bench, &mapi[i]) < 0 ||
		    (bench->imap != NULL &&
		     imap_first_rows(bench, &imap[i]) < 0))
			return -1;
	}
	if (mapi_all_rows(bench, &all_mapi, &rows) < 0 ||
	    (bench->imap != NULL && imap_all_rows(bench, &all_imap) < 0))
		return -1;
	bench_print(bench, "messages", rows, "");
	bench_compare(bench, "open_sort_50_rows",
		      bench_median(mapi, bench->count),
		      bench_median(imap, bench->count), 2);
	bench_compare(bench, "page_all_rows", all_mapi, all_imap, 3);
	return client_session_disconnect(bench->session, &bench->error);
}

/* --- messages -------------------------------------------------------------*/
/* As a client opens a message to show it: with one request the message, its
   properties, its HTML body as a stream and of that as much as fits into the
   answer; with others the rest. */
static int mapi_open_message(struct bench *bench, mapi_id_t mid,
			     TALLOC_CTX *mem, size_t *bytes)
{
	struct client_batch *batch = client_batch_new(bench->session, mem);
	struct rop_open_message_request open = {
		.hdr.rop_id = ROP_OPEN_MESSAGE,
		.hdr.input_index = client_batch_handle(batch,
			bench->logon->obj.handle),
		.hdr.output_index = client_batch_output(batch),
		.code_page_id = 0x0fff,
		.folder_id = bench->fid,
		.message_id = mid,
	};
	struct rop_get_properties_specific_request get = {
		.hdr.rop_id = ROP_GET_PROPERTIES_SPECIFIC,
		.hdr.input_index = open.hdr.output_index,
		.want_unicode = 1,
		.property_tag_count =
			sizeof(message_tags) / sizeof(message_tags[0]),
		.property_tags = (uint32_t *)message_tags,
	};
	struct rop_open_stream_request open_stream = {
		.hdr.rop_id = ROP_OPEN_STREAM,
		.hdr.input_index = open.hdr.output_index,
		.hdr.output_index = client_batch_output(batch),
		.property_tag = PIDTAG_HTML,
	};
	struct rop_read_stream_request read = {
		.hdr.rop_id = ROP_READ_STREAM,
		.hdr.input_index = open_stream.hdr.output_index,
		.byte_count = FIRST_PIECE,
	};
	const struct rop_open_stream_response *open_resp;
	const struct rop_read_stream_response *read_resp;
	struct client_stream *stream;
	unsigned int i, n[4];
	const uint8_t *data;
	size_t size, piece;

	n[0] = client_batch_add(batch, &open, NULL, 0);
	n[1] = client_batch_add(batch, &get, message_tags,
				get.property_tag_count);
	n[2] = client_batch_add(batch, &open_stream, NULL, 0);
	n[3] = client_batch_add(batch, &read, NULL, 0);
	if (client_batch_execute(batch, &bench->error) < 0)
		return -1;
	for (i = 0; i < 4; i++) {
		if (client_batch_check(batch, n[i], &bench->error) < 0)
			return -1;
	}
	/* releases it when mem is freed */
	(void)client_object_init(mem, sizeof(struct client_object),
		bench->session, 0,
		client_batch_slot(batch, open.hdr.output_index));
	stream = (struct client_stream *)
		client_object_init(mem, sizeof(*stream), bench->session, 0,
			client_batch_slot(batch,
					  open_stream.hdr.output_index));
	open_resp = client_batch_response(batch, n[2]);
	read_resp = client_batch_response(batch, n[3]);
	stream->size = open_resp->stream_size;
	for (size = read_resp->data_size; size < stream->size; size += piece) {
		if (client_stream_read(stream, mem, &data, &piece,
				       &bench->error) < 0)
			return -1;
		if (piece == 0) {
			return client_error_set(&bench->error,
				CLIENT_FAIL_LOCAL, "a body ends early");
		}
	}
	*bytes += size;
	return 0;
}

static int mapi_show_message(struct bench *bench, mapi_id_t mid, size_t *bytes)
{
	TALLOC_CTX *mem = talloc_new(bench->session);
	int ret = mapi_open_message(bench, mid, mem, bytes);

	talloc_free(mem);
	return ret;
}

int bench_open(struct bench *bench)
{
	TALLOC_CTX *mem = bench->test->mem;
	double start, mapi, imap = 0;
	struct client_table *table;
	struct client_rows rows;
	unsigned int i, round;
	mapi_id_t *mids;
	size_t bytes = 0;
	char *set, *uid, *save = NULL, *command;

	if (bench_start(bench) < 0 || bench_start_imap(bench) < 0 ||
	    client_contents_table_open(bench->folder_obj, bench->session,
				       &list_spec, bench->count, &table, &rows,
				       &bench->error) < 0)
		return -1;
	mids = talloc_array(mem, mapi_id_t, bench->count);
	for (i = 0; i < bench->count && rows.count > 0; ) {
		unsigned int n;

		for (n = 0; n < rows.count && i < bench->count; n++) {
			mids[i++] = mapi_id_from_i64(client_row_number(
				&rows.rows[n], PIDTAG_MID));
		}
		if (i < bench->count &&
		    client_table_query(table, bench->session, bench->count - i,
				       &rows, &bench->error) < 0)
			return -1;
	}
	bench->count = i;
	/* the second round is measured */
	for (round = 0; round < 2; round++) {
		bytes = 0;
		start = client_clock();
		for (i = 0; i < bench->count; i++) {
			if (mapi_show_message(bench, mids[i], &bytes) < 0)
				return -1;
		}
		mapi = client_clock() - start;
	}
	for (round = 0; round < 2 && bench->imap != NULL; round++) {
		set = imap_newest(bench, mem, bench->count);
		if (set == NULL)
			return -1;
		start = client_clock();
		for (uid = strtok_r(set, ",", &save); uid != NULL;
		     uid = strtok_r(NULL, ",", &save)) {
			command = talloc_asprintf(mem,
				"UID FETCH %s (BODY.PEEK[])", uid);
			if (imap_client_command(bench->imap, mem, command,
						NULL, &bench->error) < 0)
				return -1;
		}
		imap = client_clock() - start;
	}
	bench_print(bench, "messages", bench->count, "");
	bench_print(bench, "html_bytes", bytes, "bytes");
	bench_compare(bench, "open_message", mapi / bench->count,
		      imap / bench->count, 2);
	return client_session_disconnect(bench->session, &bench->error);
}
