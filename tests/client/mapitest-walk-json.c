/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapitest-walk.h"
#include "client-sha256.h"
#include "json-writer.h"
#include "mapitest-output.h"
#include "mapi-property-info.h"

#include <stdlib.h>
#include <string.h>

struct json_printer {
	struct json_writer jw;
	/* the array of tables is open */
	bool tables;
};

void *walk_printer_json_new(TALLOC_CTX *mem)
{
	struct json_printer *printer = talloc_zero(mem, struct json_printer);

	jw_init(&printer->jw, stdout);
	jw_open_object(&printer->jw, NULL);
	return printer;
}

static void json_connected(void *ctx, const struct walk_result *result)
{
	struct json_writer *jw = &((struct json_printer *)ctx)->jw;

	jw_open_object(jw, "connect");
	jw_string(jw, "url", result->url);
	jw_string(jw, "peer", result->peer);
	jw_string(jw, "challenges", result->challenges);
	jw_string(jw, "user", result->user);
	jw_string(jw, "dn", result->dn);
	jw_string(jw, "display_name", result->session->display_name);
	jw_string(jw, "dn_prefix", result->session->dn_prefix);
	jw_number(jw, "polls_max", result->session->polls_max);
	jw_number(jw, "retry_count", result->session->retry_count);
	jw_number(jw, "retry_delay", result->session->retry_delay);
	jw_double(jw, "seconds", result->connect_seconds);
	jw_close_object(jw);
}

static void
json_value(struct json_writer *jw, const char *key,
	   const struct mapi_value *value)
{
	char *text;

	switch (value->type) {
	case PTYP_STRING:
		jw_string(jw, key, value->u.str);
		break;
	case PTYP_INTEGER32:
		jw_number(jw, key, value->u.i32);
		break;
	case PTYP_INTEGER64:
		jw_number(jw, key, value->u.i64);
		break;
	case PTYP_BOOLEAN:
		jw_bool(jw, key, value->u.b);
		break;
	case PTYP_BINARY:
		jw_hex(jw, key, value->u.bin.data, value->u.bin.len);
		break;
	case PTYP_ERROR_CODE:
		if (value->u.error == EC_NOT_FOUND) {
			jw_string(jw, key, NULL);
			break;
		}
		/* fall through */
	default:
		text = talloc_strdup(NULL, "");
		mapi_value_print(&text, value);
		jw_string(jw, key, text);
		talloc_free(text);
	}
}

static void json_logged_on(void *ctx, const struct walk_result *result)
{
	struct json_writer *jw = &((struct json_printer *)ctx)->jw;
	const struct client_logon *logon = result->logon;
	char guid[MAPI_GUID_STRING_SIZE];
	unsigned int i;

	jw_open_object(jw, "logon");
	jw_open_object(jw, "folder_ids");
	for (i = 0; i < 13; i++)
		jw_id(jw, folder_roles[i], logon->folder_ids[i]);
	jw_close_object(jw);
	jw_number(jw, "response_flags", logon->response_flags);
	jw_string(jw, "mailbox_guid",
		  mapi_guid_format(&logon->mailbox_guid, guid));
	jw_number(jw, "repl_id", logon->repl_id);
	jw_string(jw, "repl_guid", mapi_guid_format(&logon->repl_guid, guid));
	jw_id(jw, "receive_folder", result->receive_folder);
	jw_string(jw, "receive_folder_class", result->receive_folder_class);
	jw_double(jw, "seconds", result->logon_seconds);
	jw_open_object(jw, "store");
	for (i = 0; i < walk_store_tag_count; i++) {
		json_value(jw, mapi_property_info_by_id(
				MAPI_TAG_ID(walk_store_tags[i]))->name,
			   &result->store_values[i]);
	}
	jw_close_object(jw);
	jw_close_object(jw);
}

static void json_folders(void *ctx, const struct walk_result *result)
{
	struct json_printer *printer = ctx;
	struct json_writer *jw = &printer->jw;
	unsigned int i;

	jw_open_array(jw, "folders");
	for (i = 0; i < result->tree.count; i++) {
		const struct tree_folder *folder = &result->tree.folders[i];

		jw_open_object(jw, NULL);
		jw_id(jw, "id", folder->id);
		jw_id(jw, "parent", folder->parent);
		jw_number(jw, "depth", folder->depth);
		jw_string(jw, "name", folder->name);
		jw_string(jw, "class", folder->container_class);
		jw_string(jw, "role", folder->role);
		jw_number(jw, "count", folder->count);
		jw_number(jw, "unread", folder->unread);
		jw_bool(jw, "subfolders", folder->subfolders);
		jw_bool(jw, "hidden", folder->hidden);
		jw_close_object(jw);
	}
	jw_close_array(jw);
	jw_open_array(jw, "tables");
	printer->tables = true;
}

static void json_table(void *ctx, const struct walk_table *table)
{
	struct json_writer *jw = &((struct json_printer *)ctx)->jw;
	unsigned int i;

	jw_open_object(jw, NULL);
	jw_id(jw, "folder", table->folder->id);
	jw_string(jw, "name", table->folder->name);
	jw_number(jw, "total", table->total);
	jw_open_array(jw, "rows");
	for (i = 0; i < table->row_count; i++) {
		const struct walk_row *row = &table->rows[i];

		jw_open_object(jw, NULL);
		jw_id(jw, "mid", row->mid);
		jw_number(jw, "delivered", row->delivered);
		jw_number(jw, "submitted", row->submitted);
		jw_string(jw, "from_name", row->from_name);
		jw_string(jw, "from_address", row->from_address);
		jw_string(jw, "subject", row->subject);
		jw_string(jw, "class", row->message_class);
		jw_string(jw, "display_to", row->display_to);
		jw_string(jw, "message_id", row->internet_message_id);
		jw_number(jw, "size", row->size);
		jw_number(jw, "flags", row->flags);
		jw_number(jw, "importance", row->importance);
		jw_number(jw, "flag_status", row->flag_status);
		jw_bool(jw, "has_attachments", row->has_attachments);
		jw_close_object(jw);
	}
	jw_close_array(jw);
	jw_open_array(jw, "messages");
}

static void json_one_message(struct json_writer *jw, const char *key,
			     const struct walk_message *message);

static void json_attachment(struct json_writer *jw,
			    const struct walk_attachment *attachment)
{
	jw_open_object(jw, NULL);
	jw_number(jw, "num", attachment->num);
	jw_number(jw, "method", attachment->method);
	jw_number(jw, "size", attachment->size);
	jw_string(jw, "name", attachment->name);
	jw_string(jw, "mime_type", attachment->mime_type);
	jw_string(jw, "content_id", attachment->content_id);
	jw_bool(jw, "hidden", attachment->hidden);
	if (attachment->sha256[0] != '\0') {
		jw_number(jw, "data_size", attachment->data_size);
		jw_string(jw, "sha256", attachment->sha256);
	}
	if (attachment->message != NULL)
		json_one_message(jw, "message", attachment->message);
	jw_close_object(jw);
}

static void json_one_message(struct json_writer *jw, const char *key,
			     const struct walk_message *message)
{
	unsigned int i;

	jw_open_object(jw, key);
	jw_id(jw, "mid", message->mid);
	jw_string(jw, "subject", message->subject);
	jw_string(jw, "class", message->message_class);
	jw_string(jw, "from_name", message->from_name);
	jw_string(jw, "from_address", message->from_address);
	jw_string(jw, "display_to", message->display_to);
	jw_string(jw, "display_cc", message->display_cc);
	jw_string(jw, "display_bcc", message->display_bcc);
	jw_string(jw, "message_id", message->internet_message_id);
	jw_number(jw, "delivered", message->delivered);
	jw_number(jw, "submitted", message->submitted);
	jw_number(jw, "flags", message->flags);
	jw_number(jw, "size", message->size);
	jw_number(jw, "importance", message->importance);
	jw_number(jw, "sensitivity", message->sensitivity);
	jw_number(jw, "native_body", message->native_body);
	jw_number(jw, "codepage", message->codepage);
	jw_bool(jw, "has_attachments", message->has_attachments);
	jw_bool(jw, "read", message->read);
	jw_number(jw, "property_count", message->property_count);
	jw_open_array(jw, "recipients");
	for (i = 0; i < message->recipient_count; i++) {
		const struct walk_recipient *to = &message->recipients[i];

		jw_open_object(jw, NULL);
		jw_string(jw, "type", to->type);
		jw_string(jw, "name", to->name);
		jw_string(jw, "address_type", to->address_type);
		jw_string(jw, "address", to->address);
		jw_close_object(jw);
	}
	jw_close_array(jw);
	jw_string(jw, "headers", message->headers);
	jw_string(jw, "text", message->text);
	if (message->html != NULL) {
		jw_number(jw, "html_size", message->html_size);
		jw_string(jw, "html_sha256", message->html_sha256);
		jw_hex(jw, "html_hex", message->html, message->html_size);
	}
	jw_open_array(jw, "attachments");
	for (i = 0; i < message->attachment_count; i++)
		json_attachment(jw, &message->attachments[i]);
	jw_close_array(jw);
	jw_close_object(jw);
}

static void json_message(void *ctx, const struct walk_message *message)
{
	json_one_message(&((struct json_printer *)ctx)->jw, NULL, message);
}

static void json_table_end(void *ctx)
{
	struct json_writer *jw = &((struct json_printer *)ctx)->jw;

	jw_close_array(jw);
	jw_close_object(jw);
}

static void json_end(void *ctx, const struct walk_result *result,
		     const struct client_error *error)
{
	struct json_printer *printer = ctx;
	struct json_writer *jw = &printer->jw;
	const struct client_http *http = result->session->http;

	/* a failure within a table leaves it open */
	while (jw->depth > (printer->tables ? 2U : 1U)) {
		if (jw->depth % 2 == 0)
			jw_close_array(jw);
		else
			jw_close_object(jw);
	}
	if (printer->tables)
		jw_close_array(jw);
	mapitest_json_lines(jw, "violations", http->violations,
			    http->violation_count);
	jw_number(jw, "requests", http->requests);
	jw_number(jw, "bytes_sent", http->bytes_sent);
	jw_number(jw, "bytes_received", http->bytes_received);
	if (error != NULL)
		mapitest_json_error(jw, error);
	jw_close_object(jw);
}

const struct walk_printer walk_printer_json = {
	json_connected, json_logged_on, json_folders, json_table,
	json_message, json_table_end, json_end,
};
