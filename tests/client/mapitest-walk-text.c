/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapitest-output.h"
#include "mapitest-walk.h"
#include "mapi-property-info.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* how much of a text body is shown */
#define EXCERPT_LINES 6
#define EXCERPT_COLUMNS 68

#define MSGFLAG_READ		0x01
#define MSGFLAG_UNSENT		0x08
#define FLAG_STATUS_FLAGGED	2
#define ATTACH_EMBEDDED		5

struct text_printer {
	unsigned int messages;
};

void *walk_printer_text_new(TALLOC_CTX *mem)
{
	return talloc_zero(mem, struct text_printer);
}

static const char *format_time(int64_t unixtime, char buf[32])
{
	time_t t = unixtime;
	struct tm tm;

	if (unixtime == 0 || localtime_r(&t, &tm) == NULL)
		return "-";
	strftime(buf, 32, "%Y-%m-%d %H:%M", &tm);
	return buf;
}

static const char *format_size(uint64_t size, char buf[32])
{
	static const char *const units[] = { "B", "kB", "MB", "GB" };
	unsigned int unit = 0;
	double value = size;

	while (value >= 10000 && unit < 3) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, 32, "%.0f %s", value, units[unit]);
	return buf;
}

static void text_connected(void *ctx, const struct walk_result *result)
{
	const struct client_session *session = result->session;

	printf("Connect\n"
	       "  URL              %s (%s)\n"
	       "  authentication   %s\n"
	       "  user             %s\n"
	       "  DN               %s\n"
	       "  display name     %s\n",
	       result->url, result->peer, result->challenges, result->user,
	       result->dn, session->display_name);
	if (session->dn_prefix[0] != '\0')
		printf("  DN prefix        %s\n", session->dn_prefix);
	printf("  poll every       %g s, retry %u times after %g s\n"
	       "  took             %.1f ms\n",
	       session->polls_max / 1000.0, session->retry_count,
	       session->retry_delay / 1000.0, result->connect_seconds * 1000);
}

static void text_store_value(uint32_t tag, const struct mapi_value *value)
{
	const char *name = mapi_property_info_by_id(MAPI_TAG_ID(tag))->name;
	char *text;

	if (value->type == PTYP_ERROR_CODE && value->u.error == EC_NOT_FOUND)
		return;
	printf("  %-32s ", name);
	if (value->type == PTYP_INTEGER64) {
		printf("%" PRId64 "\n", value->u.i64);
		return;
	}
	text = talloc_strdup(NULL, "");
	mapi_value_print(&text, value);
	mapitest_put_cell(text, 60, false);
	putchar('\n');
	talloc_free(text);
}

static void text_logged_on(void *ctx, const struct walk_result *result)
{
	const struct client_logon *logon = result->logon;
	char guid[MAPI_GUID_STRING_SIZE];
	unsigned int i;

	printf("\nLogon (%.1f ms)\n"
	       "  mailbox GUID     %s\n", result->logon_seconds * 1000,
	       mapi_guid_format(&logon->mailbox_guid, guid));
	printf("  replica          %u = %s\n", logon->repl_id,
	       mapi_guid_format(&logon->repl_guid, guid));
	printf("  rights           %s%s%s\n",
	       (logon->response_flags & 0x02) != 0 ? "owner" : "not the owner",
	       (logon->response_flags & 0x04) != 0 ? ", may send as" : "",
	       (logon->response_flags & 0x10) != 0 ? ", out of office" : "");
	fputs("  folder ids       ", stdout);
	for (i = 0; i < 13; i++) {
		printf("%s%s %" PRIx64, i == 0 ? "" : i % 4 == 0 ?
		       ",\n                   " : ", ", folder_roles[i],
		       MAPI_ID_GLOBCNT(logon->folder_ids[i]));
	}
	putchar('\n');
	for (i = 0; i < 13; i++) {
		if (logon->folder_ids[i] == result->receive_folder)
			break;
	}
	printf("  new mail goes to %s (class \"%s\")\n",
	       i < 13 ? folder_roles[i] : "another folder",
	       result->receive_folder_class);
	printf("\nStore properties\n");
	for (i = 0; i < walk_store_tag_count; i++)
		text_store_value(walk_store_tags[i], &result->store_values[i]);
}

static void text_folders(void *ctx, const struct walk_result *result)
{
	unsigned int i, d;

	printf("\nFolders (%u)\n"
	       "  %-40s %8s %8s  %s\n", result->tree.count,
	       "", "items", "unread", "class");
	for (i = 0; i < result->tree.count; i++) {
		const struct tree_folder *folder = &result->tree.folders[i];
		unsigned int indent = folder->depth > 0 ? folder->depth - 1 : 0;

		if (indent > 15)
			indent = 15;
		fputs("  ", stdout);
		for (d = 0; d < indent; d++)
			fputs("  ", stdout);
		mapitest_put_cell(folder->name, 40 - 2 * indent, true);
		printf(" %8d %8d  %s", folder->count, folder->unread,
		       folder->container_class == NULL ? "" :
		       folder->container_class);
		if (folder->role != NULL && folder->name != NULL &&
		    strcmp(folder->role, folder->name) != 0)
			printf("  [%s]", folder->role);
		if (folder->hidden)
			fputs("  (hidden)", stdout);
		putchar('\n');
	}
}

static void text_table(void *ctx, const struct walk_table *table)
{
	struct text_printer *printer = ctx;
	char when[32], size[32];
	unsigned int i;

	printer->messages = 0;
	printf("\n%s: %u message%s", table->folder->name, table->total,
	       table->total == 1 ? "" : "s");
	if (table->row_count < table->total)
		printf(", the newest %u", table->row_count);
	putchar('\n');
	if (table->row_count == 0)
		return;
	printf("  %-16s %-4s %-22s %-42s %8s\n", "received", "", "from",
	       "subject", "size");
	for (i = 0; i < table->row_count; i++) {
		const struct walk_row *row = &table->rows[i];

		printf("  %-16s %c%c%c%c ", format_time(row->delivered, when),
		       (row->flags & MSGFLAG_READ) != 0 ? ' ' : '*',
		       row->importance == 2 ? '!' :
		       row->importance == 0 ? '_' : ' ',
		       row->flag_status == FLAG_STATUS_FLAGGED ? 'F' :
		       (row->flags & MSGFLAG_UNSENT) != 0 ? 'D' : ' ',
		       row->has_attachments ? '@' : ' ');
		mapitest_put_cell(row->from_name != NULL ? row->from_name :
			 row->from_address, 22, true);
		putchar(' ');
		mapitest_put_cell(row->subject, 42, true);
		printf(" %8s\n", format_size(row->size, size));
	}
	printf("  (* unread, ! important, F flagged, D draft, @ attachments)\n");
}

static void put_indent(unsigned int depth)
{
	while (depth-- > 0)
		fputs("    ", stdout);
}

static void text_field(unsigned int depth, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	put_indent(depth);
	printf("  %-10s ", name);
	mapitest_put_cell(value, EXCERPT_COLUMNS, false);
	putchar('\n');
}

static void text_excerpt(unsigned int depth, const char *text)
{
	unsigned int lines = 0;
	const char *end;
	char *line;

	while (*text != '\0' && lines < EXCERPT_LINES) {
		end = text + strcspn(text, "\r\n");
		line = talloc_strndup(NULL, text, end - text);
		if (line[strspn(line, " \t")] != '\0') {
			put_indent(depth);
			fputs("    | ", stdout);
			mapitest_put_cell(line, EXCERPT_COLUMNS, false);
			putchar('\n');
			lines++;
		}
		talloc_free(line);
		text = end + strspn(end, "\r\n");
	}
	if (*text != '\0') {
		put_indent(depth);
		fputs("    | \xe2\x80\xa6\n", stdout);
	}
}

static void
text_one_message(unsigned int depth, const struct walk_message *message);

static void
text_attachment(unsigned int depth, const struct walk_attachment *attachment)
{
	char size[32];

	put_indent(depth);
	printf("  attachment %d: ", attachment->num);
	mapitest_put_cell(attachment->name == NULL ? "(no name)" :
			  attachment->name, 40, false);
	if (attachment->mime_type != NULL)
		printf(", %s", attachment->mime_type);
	if (attachment->content_id != NULL)
		fputs(", inline", stdout);
	if (attachment->sha256[0] != '\0') {
		printf(", %s, sha256 %.16s",
		       format_size(attachment->data_size, size),
		       attachment->sha256);
	}
	if (attachment->message != NULL) {
		fputs(", a message:\n", stdout);
		text_one_message(depth + 1, attachment->message);
		return;
	}
	if (attachment->sha256[0] == '\0')
		printf(", method %d", attachment->method);
	putchar('\n');
}

static void
text_one_message(unsigned int depth, const struct walk_message *message)
{
	static const char *const natives[] = {
		"?", "plain text", "RTF", "HTML", "clear-signed"
	};
	char when[32], label[16];
	const char *type = NULL;
	unsigned int i;
	char *address;

	text_field(depth, "subject", message->subject);
	address = talloc_asprintf(NULL, "%s <%s>", message->from_name == NULL ?
				  "" : message->from_name,
				  message->from_address == NULL ? "" :
				  message->from_address);
	text_field(depth, "from", address);
	talloc_free(address);
	for (i = 0; i < message->recipient_count; i++) {
		const struct walk_recipient *to = &message->recipients[i];

		snprintf(label, sizeof(label), "%s", type != NULL &&
			 strcmp(type, to->type) == 0 ? "" : to->type);
		type = to->type;
		address = talloc_asprintf(NULL, "%s <%s>",
			to->name == NULL ? "" : to->name,
			to->address == NULL ? "" : to->address);
		text_field(depth, label, address);
		talloc_free(address);
		if (i == 9 && message->recipient_count > 12) {
			put_indent(depth);
			printf("  %-10s (%u more)\n", "",
			       message->recipient_count - 10);
			break;
		}
	}
	put_indent(depth);
	printf("  %-10s %s", "sent", format_time(message->submitted, when));
	printf(", received %s%s\n", format_time(message->delivered, when),
	       message->read ? "" : ", unread");
	put_indent(depth);
	printf("  %-10s %s, %u properties, %zu bytes of headers\n", "class",
	       message->message_class == NULL ? "?" : message->message_class,
	       message->property_count,
	       message->headers == NULL ? 0 : strlen(message->headers));
	put_indent(depth);
	printf("  %-10s %s; text %zu bytes", "body",
	       natives[message->native_body >= 0 && message->native_body < 5 ?
		       message->native_body : 0],
	       message->text == NULL ? 0 : strlen(message->text));
	if (message->html != NULL)
		printf(", HTML %zu bytes", message->html_size);
	putchar('\n');
	if (message->text != NULL)
		text_excerpt(depth, message->text);
	for (i = 0; i < message->attachment_count; i++)
		text_attachment(depth, &message->attachments[i]);
}

static void text_message(void *ctx, const struct walk_message *message)
{
	struct text_printer *printer = ctx;

	printf("\nMessage %u (id 0x%" PRIx64 ")\n", ++printer->messages,
	       MAPI_ID_GLOBCNT(message->mid));
	text_one_message(0, message);
}

static void text_table_end(void *ctx)
{
}

static void text_end(void *ctx, const struct walk_result *result,
		     const struct client_error *error)
{
	const struct client_http *http = result->session->http;
	char sent[32], received[32];

	mapitest_put_lines(MAPITEST_VIOLATIONS, http->violations,
			   http->violation_count);
	if (error == NULL) {
		printf("\nAll steps succeeded: %u requests, %s sent, "
		       "%s received.\n", http->requests,
		       format_size(http->bytes_sent, sent),
		       format_size(http->bytes_received, received));
	}
}

const struct walk_printer walk_printer_text = {
	text_connected, text_logged_on, text_folders, text_table,
	text_message, text_table_end, text_end,
};
