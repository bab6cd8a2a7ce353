/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "mapitest create", edit, send, move and delete: changing a mailbox as Outlook
   does. */

#include "mapitest-write.h"
#include "json-writer.h"
#include "mapi-enums.h"
#include "mapi-props.h"
#include "mapitest-output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct write {
	struct mapitest *test;
	const struct write_command *command;
	struct client_session *session;
	struct client_logon *logon;
	struct client_error error;
	struct folder_tree tree;

	/* where the messages are */
	const char *folder_name, *to_folder_name;
	const struct tree_folder *folder;
	struct client_object *folder_obj;

	struct write_content content;
	/* 1: mark as read, -1: as unread */
	int read;
	bool hard, copy;
	/* ids or subjects, as they were given */
	const char **names;
	unsigned int name_count;

	/* what was done to which messages, and where these are now */
	mapi_id_t *mids;
	unsigned int mid_count;
	/* ids aren't known any more */
	bool gone;
	const char *place;
};

enum write_options {
	/* what a message has */
	OPTION_CONTENT	= 0x01,
	/* what one that is stored can be given */
	OPTION_STATE	= 0x02,
	OPTION_HARD	= 0x04,
	OPTION_DEST	= 0x08,
};

struct write_command {
	const char *name;
	unsigned int options;
	const char *default_folder;
	/* how many messages may be named */
	unsigned int min_names, max_names;
	int (*run)(struct write *w);
	const char *done;
};

/* --- arguments ------------------------------------------------------------*/
static int write_usage(const struct write *w, const char *what, const char *arg)
{
	fprintf(stderr, "mapitest: %s: %s%s%s\n", w->command->name, what,
		*arg == '\0' ? "" : ": ", arg);
	return -1;
}

static const char **
list_add(TALLOC_CTX *mem, const char **list, unsigned int *count,
	 const char *str)
{
	list = talloc_realloc(mem, (void *)list, const char *, *count + 1);
	list[(*count)++] = str;
	return list;
}

static void write_add_recipient(struct write *w, uint8_t type, const char *arg)
{
	struct write_content *content = &w->content;
	struct client_recipient *rcpt;

	content->recipients = talloc_realloc(w->test->mem, content->recipients,
		struct client_recipient, content->recipient_count + 1);
	rcpt = &content->recipients[content->recipient_count++];
	rcpt->type = type;
	rcpt->address = arg;
}

static bool write_content_option(struct write *w, const char *arg,
				 const char *value)
{
	struct write_content *content = &w->content;
	TALLOC_CTX *mem = w->test->mem;

	if (strcmp(arg, "--to") == 0)
		write_add_recipient(w, MAPI_TO, value);
	else if (strcmp(arg, "--cc") == 0)
		write_add_recipient(w, MAPI_CC, value);
	else if (strcmp(arg, "--bcc") == 0)
		write_add_recipient(w, MAPI_BCC, value);
	else if (strcmp(arg, "--subject") == 0)
		content->subject = value;
	else if (strcmp(arg, "--text") == 0)
		content->text = value;
	else if (strcmp(arg, "--html") == 0)
		content->html_file = value;
	else if (strcmp(arg, "--attach") == 0) {
		content->attach = list_add(mem, content->attach,
					   &content->attach_count, value);
	} else if (strcmp(arg, "--category") == 0) {
		content->categories = list_add(mem, content->categories,
					       &content->category_count,
					       value);
	} else {
		return false;
	}
	return true;
}

/* Options without a value */
static bool write_switch(struct write *w, const char *arg)
{
	unsigned int options = w->command->options;

	if ((options & OPTION_CONTENT) != 0 && strcmp(arg, "--flag") == 0)
		w->content.flag = 1;
	else if ((options & OPTION_STATE) != 0 && strcmp(arg, "--unflag") == 0)
		w->content.flag = -1;
	else if ((options & OPTION_STATE) != 0 && strcmp(arg, "--read") == 0)
		w->read = 1;
	else if ((options & OPTION_STATE) != 0 && strcmp(arg, "--unread") == 0)
		w->read = -1;
	else if ((options & OPTION_HARD) != 0 && strcmp(arg, "--hard") == 0)
		w->hard = true;
	else if ((options & OPTION_DEST) != 0 && strcmp(arg, "--copy") == 0)
		w->copy = true;
	else
		return false;
	return true;
}

static bool
write_value_option(struct write *w, const char *arg, const char *value)
{
	if (strcmp(arg, "--folder") == 0)
		w->folder_name = value;
	else if ((w->command->options & OPTION_DEST) != 0 &&
		 strcmp(arg, "--to-folder") == 0)
		w->to_folder_name = value;
	else
		return (w->command->options & OPTION_CONTENT) != 0 &&
			write_content_option(w, arg, value);
	return true;
}

static int write_parse(struct write *w)
{
	const struct write_command *command = w->command;
	int i;

	for (i = 0; i < w->test->argc; i++) {
		const char *arg = w->test->argv[i];
		const char *value = w->test->argv[i + 1];

		if (strncmp(arg, "--", 2) != 0) {
			w->names = list_add(w->test->mem, w->names,
					    &w->name_count, arg);
			continue;
		}
		if (write_switch(w, arg))
			continue;
		if (value == NULL || !write_value_option(w, arg, value))
			return write_usage(w, "what's", arg);
		i++;
	}
	if (w->name_count > command->max_names)
		return write_usage(w, "too many arguments", "");
	if (w->name_count < command->min_names)
		return write_usage(w, "which message?", "");
	if ((command->options & OPTION_DEST) != 0 && w->to_folder_name == NULL)
		return write_usage(w, "--to-folder is missing", "");
	return 0;
}

/* --- messages -------------------------------------------------------------*/
/* The one message of that subject */
static int
write_find_subject(struct write *w, const char *subject, mapi_id_t *mid_r)
{
	static const uint32_t columns[] = { PIDTAG_MID };
	struct mapi_restriction restriction = {
		.type = RES_PROPERTY,
		.u.property.relop = RELOP_EQ,
		.u.property.tag = PIDTAG_SUBJECT,
		.u.property.value = {
			.tag = PIDTAG_SUBJECT, .value = mapi_value_str(subject),
		},
	};
	const struct client_table_spec spec = {
		.table_flags = TABLE_USE_UNICODE,
		.columns = columns, .column_count = 1,
		.restriction = &restriction,
	};
	struct client_table *table;
	struct client_rows rows;

	if (client_contents_table_open(w->folder_obj, w->test->mem, &spec, 2,
				       &table, &rows, &w->error) < 0)
		return -1;
	if (rows.count != 1) {
		return client_error_set(&w->error, CLIENT_FAIL_LOCAL,
			rows.count == 0 ? "there is no such message" :
			"several messages have this subject: give an id");
	}
	*mid_r = client_row_id(&rows.rows[0], PIDTAG_MID);
	return 0;
}

/* What "walk" shows as a message's id, with or without the replica as JSON has it;
   or its subject */
static int write_find(struct write *w, const char *name, mapi_id_t *mid_r)
{
	uint64_t number;
	char *end;

	client_error_step(&w->error, "find message %s in %s", name,
			  w->folder->name);
	if (strncmp(name, "0x", 2) == 0) {
		number = strtoull(name, &end, 16);
		if (*end == '\0' && strlen(name) == 18) {
			*mid_r = number;
			return 0;
		}
		if (*end == '\0') {
			*mid_r = MAPI_ID(w->logon->repl_id, number);
			return 0;
		}
	}
	return write_find_subject(w, name, mid_r);
}

static int write_find_all(struct write *w)
{
	unsigned int i;

	w->mids = talloc_array(w->test->mem, mapi_id_t, w->name_count + 1);
	for (i = 0; i < w->name_count; i++) {
		if (write_find(w, w->names[i], &w->mids[i]) < 0)
			return -1;
		w->mid_count++;
	}
	return 0;
}

static int write_save(struct write *w, struct client_object *message)
{
	client_error_step(&w->error, "save the message in %s",
			  w->folder->name);
	return client_message_save(message, &w->mids[0], &w->error);
}

static int write_new(struct write *w, struct client_object **message_r)
{
	client_error_step(&w->error, "create a message in %s",
			  w->folder->name);
	if (client_message_create(w->logon, w->test->mem, w->folder->id,
				  message_r, &w->error) < 0 ||
	    write_message_content(w->logon, *message_r, &w->content,
				  &w->error) < 0)
		return -1;
	w->mid_count = 1;
	return write_save(w, *message_r);
}

static int write_change(struct write *w, struct client_object **message_r)
{
	client_error_step(&w->error, "open message %s to change it",
			  w->names[0]);
	if (client_message_edit(w->logon, w->test->mem, w->folder->id,
				w->mids[0], message_r, &w->error) < 0 ||
	    write_message_content(w->logon, *message_r, &w->content,
				  &w->error) < 0)
		return -1;
	return write_save(w, *message_r);
}

/* --- commands -------------------------------------------------------------*/
static int write_create(struct write *w)
{
	struct client_object *message;

	return write_new(w, &message);
}

static int write_edit(struct write *w)
{
	static const struct write_content none;
	struct client_object *message;

	if (memcmp(&w->content, &none, sizeof(none)) != 0 &&
	    write_change(w, &message) < 0)
		return -1;
	if (w->read == 0)
		return 0;
	client_error_step(&w->error, "mark message %s", w->names[0]);
	return client_messages_set_read(w->folder_obj, w->mids, w->mid_count,
		w->read > 0 ? READ_FLAG_DEFAULT : READ_FLAG_CLEAR_READ_FLAG,
		&w->error);
}

/* Where the server puts the message when it has been sent */
static int
write_sent_folder(struct write *w, struct client_object *message)
{
	static const uint32_t tag = PIDTAG_ENTRY_ID;
	struct mapi_property prop = { .tag = PIDTAG_SENT_MAIL_ENTRY_ID };
	struct mapi_property_row row;
	struct client_object *sent;

	client_error_step(&w->error, "look at Sent Items");
	if (client_folder_open(w->logon, w->test->mem,
			       w->logon->folder_ids[ROLE_SENT_ITEMS], &sent,
			       &w->error) < 0 ||
	    client_get_props(sent, w->test->mem, &tag, 1, &row, &w->error) < 0)
		return -1;
	prop.value = row.values[0];
	if (prop.value.type != PTYP_BINARY) {
		return client_error_set(&w->error, CLIENT_FAIL_PROTOCOL,
					"the folder has no entry id");
	}
	return client_set_props(message, &prop, 1, &w->error);
}

static int write_send(struct write *w)
{
	struct client_object *message;
	int ret;

	ret = w->name_count == 0 ? write_new(w, &message) :
		write_change(w, &message);
	if (ret < 0 || write_sent_folder(w, message) < 0)
		return -1;
	w->gone = true;
	w->place = folder_roles[ROLE_SENT_ITEMS];
	client_error_step(&w->error, "send the message");
	return client_message_submit(message, &w->error);
}

static int write_move(struct write *w)
{
	const struct tree_folder *dest;
	struct client_object *dest_obj;

	client_error_step(&w->error, "open folder %s", w->to_folder_name);
	dest = folder_tree_find(&w->tree, w->to_folder_name);
	if (dest == NULL) {
		return client_error_set(&w->error, CLIENT_FAIL_LOCAL,
			"there is no such folder among the %u", w->tree.count);
	}
	if (client_folder_open(w->logon, w->test->mem, dest->id, &dest_obj,
			       &w->error) < 0)
		return -1;
	client_error_step(&w->error, "%s %u messages from %s to %s",
			  w->copy ? "copy" : "move", w->mid_count,
			  w->folder->name, dest->name);
	w->gone = true;
	w->place = dest->name;
	return client_messages_move(w->folder_obj, dest_obj, w->mids,
				    w->mid_count, w->copy, &w->error);
}

static int write_delete(struct write *w)
{
	client_error_step(&w->error, "delete %u messages from %s",
			  w->mid_count, w->folder->name);
	w->gone = true;
	return client_messages_delete(w->folder_obj, w->mids, w->mid_count,
				      w->hard, &w->error);
}

static const struct write_command commands[] = {
	{ "create", OPTION_CONTENT, "Drafts", 0, 0, write_create, "Created" },
	{ "edit", OPTION_CONTENT | OPTION_STATE, "Inbox", 1, 1, write_edit,
	  "Changed" },
	{ "send", OPTION_CONTENT, NULL, 0, 1, write_send, "Sent" },
	{ "move", OPTION_DEST, "Inbox", 1, 1000, write_move, "Moved" },
	{ "delete", OPTION_HARD, "Inbox", 1, 1000, write_delete, "Deleted" },
};

/* --- the whole ------------------------------------------------------------*/
static int write_open_folder(struct write *w)
{
	const char *name = w->folder_name;

	if (name == NULL)
		name = w->command->default_folder;
	/* new mail that is sent, and a draft that is sent now */
	if (name == NULL)
		name = w->name_count == 0 ? folder_roles[ROLE_OUTBOX] :
			"Drafts";
	if (folder_tree_read(w->logon, w->test->mem, &w->tree, &w->error) < 0)
		return -1;
	client_error_step(&w->error, "open folder %s", name);
	w->folder = folder_tree_find(&w->tree, name);
	if (w->folder == NULL) {
		return client_error_set(&w->error, CLIENT_FAIL_LOCAL,
			"there is no such folder among the %u", w->tree.count);
	}
	w->place = w->folder->name;
	return client_folder_open(w->logon, w->test->mem, w->folder->id,
				  &w->folder_obj, &w->error);
}

static int write_run(struct write *w)
{
	if (write_open_folder(w) < 0 || write_find_all(w) < 0 ||
	    w->command->run(w) < 0)
		return -1;
	client_error_step(&w->error, "disconnect");
	return client_session_disconnect(w->session, &w->error);
}

static void write_print(const struct write *w)
{
	const char *done = w->copy ? "Copied" : w->command->done;

	if (!w->gone) {
		printf("%s 0x%" PRIx64 " in ", done,
		       MAPI_ID_GLOBCNT(w->mids[0]));
	} else if (w->name_count > 0) {
		printf("%s %u %s%s", done, w->mid_count,
		       w->mid_count == 1 ? "message" : "messages",
		       w->place == w->folder->name ? " from " : " to ");
	} else {
		printf("%s the message to ", done);
	}
	mapitest_put(w->place);
	putchar('\n');
}

static void write_print_json(const struct write *w, int ret)
{
	struct json_writer jw;
	unsigned int i;

	jw_init(&jw, stdout);
	jw_open_object(&jw, NULL);
	jw_string(&jw, "command", w->command->name);
	jw_bool(&jw, "ok", ret == 0);
	if (ret == 0) {
		jw_string(&jw, "folder", w->place);
		jw_open_array(&jw, "messages");
		for (i = 0; i < w->mid_count; i++)
			jw_id(&jw, NULL, w->mids[i]);
		jw_close_array(&jw);
	} else {
		mapitest_json_error(&jw, &w->error);
	}
	jw_close_object(&jw);
	putchar('\n');
}

int mapitest_write(struct mapitest *test)
{
	struct write w = { .test = test };
	unsigned int i;
	int ret;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, test->command) == 0)
			w.command = &commands[i];
	}
	if (write_parse(&w) < 0)
		return MAPITEST_USAGE;
	ret = mapitest_logon(test, &w.session, &w.logon);
	if (ret != MAPITEST_OK)
		return ret;
	ret = write_run(&w);
	if (test->json)
		write_print_json(&w, ret);
	else if (ret == 0)
		write_print(&w);
	return ret < 0 ? mapitest_fail(&w.error) : MAPITEST_OK;
}
