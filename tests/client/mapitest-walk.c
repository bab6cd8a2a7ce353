/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapitest.h"
#include "mapitest-walk.h"
#include "mapi-props.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONTENTS_ROWS		100
#define DEFAULT_ROWS		10
#define DEFAULT_MESSAGES	3

/* What a client reads of a store, see [MS-OXCSTOR] 2.2.2.1 */
const uint32_t walk_store_tags[] = {
	PIDTAG_DISPLAY_NAME,
	PIDTAG_MAILBOX_OWNER_NAME,
	PIDTAG_MAILBOX_OWNER_ENTRY_ID,
	PIDTAG_EMAIL_ADDRESS,
	PIDTAG_MESSAGE_SIZE_EXTENDED,
	PIDTAG_CONTENT_COUNT,
	PIDTAG_PROHIBIT_SEND_QUOTA,
	PIDTAG_MAXIMUM_SUBMIT_MESSAGE_SIZE,
	PIDTAG_STORE_STATE,
	PIDTAG_STORE_ENTRY_ID,
	PIDTAG_STORE_RECORD_KEY,
	PIDTAG_MAPPING_SIGNATURE,
	PIDTAG_CODE_PAGE_ID,
	PIDTAG_LOCALE_ID,
	PIDTAG_OUT_OF_OFFICE_STATE,
};
const unsigned int walk_store_tag_count =
	sizeof(walk_store_tags) / sizeof(walk_store_tags[0]);

/* Outlook's message list */
static const uint32_t contents_columns[] = {
	PIDTAG_MID, PIDTAG_INST_ID, PIDTAG_INSTANCE_NUM,
	PIDTAG_MESSAGE_DELIVERY_TIME, PIDTAG_CLIENT_SUBMIT_TIME,
	PIDTAG_SENT_REPRESENTING_NAME, PIDTAG_SENT_REPRESENTING_SMTP_ADDRESS,
	PIDTAG_SENDER_NAME, PIDTAG_SUBJECT, PIDTAG_MESSAGE_CLASS,
	PIDTAG_DISPLAY_TO, PIDTAG_INTERNET_MESSAGE_ID, PIDTAG_MESSAGE_SIZE,
	PIDTAG_MESSAGE_FLAGS, PIDTAG_IMPORTANCE, PIDTAG_FLAG_STATUS,
	PIDTAG_HAS_ATTACHMENTS, PIDTAG_ICON_INDEX, PIDTAG_SENSITIVITY,
	PIDTAG_LAST_MODIFICATION_TIME,
};

struct walker {
	struct walk_result *result;
	const struct walk_options *options;
	const struct walk_printer *printer;
	void *ctx;
	struct client_error *error;
	TALLOC_CTX *mem;
};

static int walk_connect(struct walker *w)
{
	struct walk_result *result = w->result;
	struct client_session *session = result->session;
	double start;

	client_error_step(w->error, "reach %s", result->url);
	if (client_connection_probe(session->conn, w->mem, &result->challenges,
				    w->error) < 0)
		return -1;
	client_error_step(w->error, "connect as %s", result->user);
	start = client_clock();
	if (client_session_connect(session, result->dn, w->error) < 0)
		return -1;
	result->connect_seconds = client_clock() - start;
	result->peer = client_connection_peer(session->conn, w->mem);
	w->printer->connected(w->ctx, result);
	return 0;
}

static int walk_logon(struct walker *w)
{
	struct walk_result *result = w->result;
	struct mapi_property_row row;
	double start = client_clock();

	client_error_step(w->error, "log on to %s's mailbox", result->user);
	if (client_logon_open(result->session, w->mem, result->dn,
			      &result->logon, w->error) < 0)
		return -1;
	result->logon_seconds = client_clock() - start;
	client_error_step(w->error, "read the store's properties");
	if (client_get_props(&result->logon->obj, w->mem, walk_store_tags,
			     walk_store_tag_count, &row, w->error) < 0)
		return -1;
	result->store_values = row.values;
	client_error_step(w->error, "ask for the receive folder");
	if (client_logon_receive_folder(result->logon, w->mem, "IPM.Note",
					&result->receive_folder,
					&result->receive_folder_class,
					w->error) < 0)
		return -1;
	w->printer->logged_on(w->ctx, result);
	return 0;
}

static int walk_folders(struct walker *w)
{
	struct walk_result *result = w->result;

	if (folder_tree_read(result->logon, w->mem, &result->tree,
			     w->error) < 0)
		return -1;
	w->printer->folders(w->ctx, result);
	return 0;
}

static int64_t row_time(const struct mapi_property_row *row, uint32_t tag)
{
	return client_row_value(row, tag) == NULL ? 0 :
		client_row_number(row, tag);
}

static void
walk_row_take(const struct mapi_property_row *row, struct walk_row *line)
{
	line->mid = client_row_id(row, PIDTAG_MID);
	line->instance_num = client_row_number(row, PIDTAG_INSTANCE_NUM);
	line->delivered = row_time(row, PIDTAG_MESSAGE_DELIVERY_TIME);
	line->submitted = row_time(row, PIDTAG_CLIENT_SUBMIT_TIME);
	line->from_name = client_row_string(row, PIDTAG_SENT_REPRESENTING_NAME);
	if (line->from_name == NULL)
		line->from_name = client_row_string(row, PIDTAG_SENDER_NAME);
	line->from_address =
		client_row_string(row, PIDTAG_SENT_REPRESENTING_SMTP_ADDRESS);
	line->subject = client_row_string(row, PIDTAG_SUBJECT);
	line->message_class = client_row_string(row, PIDTAG_MESSAGE_CLASS);
	line->display_to = client_row_string(row, PIDTAG_DISPLAY_TO);
	line->internet_message_id =
		client_row_string(row, PIDTAG_INTERNET_MESSAGE_ID);
	line->size = client_row_number(row, PIDTAG_MESSAGE_SIZE);
	line->flags = client_row_number(row, PIDTAG_MESSAGE_FLAGS);
	line->importance = client_row_number(row, PIDTAG_IMPORTANCE);
	line->flag_status = client_row_number(row, PIDTAG_FLAG_STATUS);
	line->has_attachments =
		client_row_number(row, PIDTAG_HAS_ATTACHMENTS) != 0;
}

static int
walk_read_rows(struct walker *w, TALLOC_CTX *mem, struct client_object *folder,
	       struct walk_table *list)
{
	static const struct mapi_sort_order newest_first[] = {
		{ PIDTAG_MESSAGE_DELIVERY_TIME, MAPI_SORT_DESCENDING },
	};
	const struct client_table_spec spec = {
		.table_flags = TABLE_USE_UNICODE,
		.columns = contents_columns,
		.column_count = sizeof(contents_columns) /
			sizeof(contents_columns[0]),
		.sort = newest_first,
		.sort_count = 1,
	};
	unsigned int i, wanted = w->options->rows;
	struct client_rows rows = { .count = 0 };
	struct client_table *table;

	if (client_contents_table_open(folder, mem, &spec,
				       wanted < CONTENTS_ROWS ? wanted :
				       CONTENTS_ROWS, &table,
				       wanted == 0 ? NULL : &rows,
				       w->error) < 0)
		return -1;
	list->total = table->row_count;
	while (rows.count > 0) {
		list->rows = talloc_realloc(mem, list->rows, struct walk_row,
					    list->row_count + rows.count);
		for (i = 0; i < rows.count; i++) {
			walk_row_take(&rows.rows[i],
				      &list->rows[list->row_count++]);
		}
		if (wanted <= list->row_count)
			break;
		i = wanted - list->row_count;
		if (client_table_query(table, mem, i < CONTENTS_ROWS ? i :
				       CONTENTS_ROWS, &rows, w->error) < 0)
			return -1;
	}
	if (wanted == MAPITEST_ALL && list->row_count != list->total) {
		client_http_violation(w->result->session->http,
			"contents table: RowCount is %u, but %u rows came",
			list->total, list->row_count);
	}
	return 0;
}

static int walk_messages(struct walker *w, const struct walk_table *list)
{
	struct client_message *opened;
	struct walk_message message;
	TALLOC_CTX *mem;
	unsigned int i;

	for (i = 0; i < list->row_count && i < w->options->messages; i++) {
		mem = talloc_new(w->mem);
		memset(&message, 0, sizeof(message));
		message.mid = list->rows[i].mid;
		client_error_step(w->error, "open message %u of %s, \"%s\"", i + 1,
			  list->folder->name, list->rows[i].subject == NULL ?
			  "" : list->rows[i].subject);
		if (client_message_open(w->result->logon, mem, list->folder->id,
					message.mid, &opened, w->error) < 0 ||
		    walk_message_read(&opened->obj, mem, 0, &message,
				      w->error) < 0)
			return -1;
		w->printer->message(w->ctx, &message);
		talloc_free(mem);
	}
	return 0;
}

static int walk_folder_contents(struct walker *w,
				const struct tree_folder *folder)
{
	struct walk_table list = { .folder = folder };
	TALLOC_CTX *mem = talloc_new(w->mem);
	struct client_object *obj;

	client_error_step(w->error, "open folder %s", folder->name);
	if (client_folder_open(w->result->logon, mem, folder->id, &obj,
			       w->error) < 0)
		return -1;
	client_error_step(w->error, "list the messages of %s", folder->name);
	if (walk_read_rows(w, mem, obj, &list) < 0)
		return -1;
	w->printer->table(w->ctx, &list);
	if (walk_messages(w, &list) < 0)
		return -1;
	w->printer->table_end(w->ctx);
	talloc_free(mem);
	return 0;
}

static int walk_contents(struct walker *w)
{
	const struct folder_tree *tree = &w->result->tree;
	const struct tree_folder *folder;
	unsigned int i;

	if (w->options->all_folders) {
		for (i = 0; i < tree->count; i++) {
			if (walk_folder_contents(w, &tree->folders[i]) < 0)
				return -1;
		}
		return 0;
	}
	folder = folder_tree_find(tree, w->options->folder);
	if (folder != NULL)
		return walk_folder_contents(w, folder);
	client_error_step(w->error, "find folder %s", w->options->folder);
	return client_error_set(w->error, CLIENT_FAIL_LOCAL,
		"there is no such folder among the %u", tree->count);
}

int walk(struct walk_result *result, const struct walk_options *options,
	 const struct walk_printer *printer, void *ctx,
	 struct client_error *error_r)
{
	struct walker w = {
		.result = result, .options = options, .printer = printer,
		.ctx = ctx, .error = error_r,
		.mem = talloc_new(result->session),
	};
	int ret;

	ret = walk_connect(&w);
	if (ret == 0)
		ret = walk_logon(&w);
	if (ret == 0)
		ret = walk_folders(&w);
	if (ret == 0)
		ret = walk_contents(&w);
	if (ret == 0) {
		client_error_step(w.error, "disconnect");
		ret = client_session_disconnect(result->session, error_r);
	}
	printer->end(ctx, result, ret < 0 ? error_r : NULL);
	return ret;
}

int mapitest_walk(struct mapitest *test)
{
	struct walk_options options = {
		.folder = "Inbox", .rows = DEFAULT_ROWS,
		.messages = DEFAULT_MESSAGES,
	};
	struct walk_result result = { .user = test->params.user };
	struct client_error error;
	int i;

	for (i = 0; i < test->argc; i++) {
		const char *arg = test->argv[i];
		const char *value = test->argv[i + 1];

		if (strcmp(arg, "--all-folders") == 0) {
			options.all_folders = true;
			continue;
		}
		i++;
		if (value != NULL && strcmp(arg, "--folder") == 0)
			options.folder = value;
		else if (value == NULL ||
			 (!(strcmp(arg, "--rows") == 0 &&
			    mapitest_parse_count(value, &options.rows)) &&
			  !(strcmp(arg, "--messages") == 0 &&
			    mapitest_parse_count(value,
						  &options.messages)))) {
			fprintf(stderr, "mapitest: walk: what's %s?\n", arg);
			return MAPITEST_USAGE;
		}
	}
	if (options.rows < options.messages)
		options.rows = options.messages;
	if (mapitest_locate(test, MAPITEST_MAILBOX) != MAPITEST_OK)
		return MAPITEST_FAILED;
	result.url = test->params.url;
	result.dn = test->dn;
	result.session = mapitest_session(test);
	if (test->json) {
		if (walk(&result, &options, &walk_printer_json,
			 walk_printer_json_new(test->mem), &error) == 0)
			return MAPITEST_OK;
	} else if (walk(&result, &options, &walk_printer_text,
			walk_printer_text_new(test->mem), &error) == 0) {
		return MAPITEST_OK;
	}
	return mapitest_fail(&error);
}
