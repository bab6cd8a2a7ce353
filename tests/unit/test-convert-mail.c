/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each tests/data/mail/NAME.eml is converted, and compared with what
   NAME.expect says, which is written by hand from the specifications:

     PidTagSubject: text		the property has this value
     PidTagBody~ text			... has this in it
     PidTagBody!~ text			... hasn't
     !PidTagDisplayBcc			there's no such property
     recipients: N			number of recipients
     recipient[0]: to|Name|address
     recipient[0].PidTagX: value
     attachments: N
     attachment[0].PidTagX: value
     attachment[0].data: bytes		also data~, data!~
     attachment[0].embedded.LINE	a line about the embedded message
     header[X-Name]: text		property X-Name of PS_INTERNET_HEADERS
     # comment

   Values: strings with \r \n \t \\ \xNN; numbers, true and false; times as
   2024-02-29T12:34:56Z; binaries in hex. Beside that, what holds for all
   messages is checked. */

#include "lib.h"
#include "array.h"
#include "buffer.h"
#include "hex-binary.h"
#include "istream.h"
#include "str.h"
#include "unichar.h"
#include "message-part.h"
#include "message-part-data.h"
#include "imap-bodystructure.h"
#include "mapi-props.h"
#include "mime-message.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <setjmp.h>
#include <time.h>
#include <cmocka.h>

#define MAIL_DIR "tests/data/mail"
#define RECEIVED 1704067200	/* 2024-01-01T00:00:00Z */

static unsigned int failures;

static void ATTR_FORMAT(2, 3)
complain(const char *where, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "%s: %s\n", where, t_strdup_vprintf(fmt, args));
	va_end(args);
	failures++;
}

/* --- files ----------------------------------------------------------------- */

static const char *t_read_file(const char *path)
{
	struct istream *input = i_stream_create_file(path, 8192);
	const unsigned char *data;
	string_t *str = t_str_new(8192);
	size_t size;

	while (i_stream_read_more(input, &data, &size) > 0) {
		str_append_data(str, data, size);
		i_stream_skip(input, size);
	}
	if (input->stream_errno != 0)
		complain(path, "%s", i_stream_get_error(input));
	i_stream_unref(&input);
	return str_c(str);
}

/* Reads all of a stream into a data stack buffer */
static buffer_t *t_read_all(const char *where, struct istream *input)
{
	const unsigned char *data;
	buffer_t *buf = t_buffer_create(8192);
	size_t size;

	while (i_stream_read_more(input, &data, &size) > 0) {
		buffer_append(buf, data, size);
		i_stream_skip(input, size);
	}
	if (input->stream_errno != 0)
		complain(where, "stream: %s", i_stream_get_error(input));
	return buf;
}

/* --- values ---------------------------------------------------------------- */

static const char *t_escape(const void *_data, size_t size)
{
	const unsigned char *data = _data;
	string_t *str = t_str_new(size + 32);
	size_t i;

	for (i = 0; i < size; i++) {
		switch (data[i]) {
		case '\r':
			str_append(str, "\\r");
			break;
		case '\n':
			str_append(str, "\\n");
			break;
		case '\t':
			str_append(str, "\\t");
			break;
		case '\\':
			str_append(str, "\\\\");
			break;
		default:
			if (data[i] < 0x20 || data[i] == 0x7f)
				str_printfa(str, "\\x%02x", data[i]);
			else
				str_append_c(str, data[i]);
		}
	}
	return str_c(str);
}

static const char *t_value_string(const struct mapi_value *value, bool raw)
{
	struct tm tm;
	time_t timestamp;
	char buf[64];
	string_t *str;
	uint32_t i;

	switch (value->type) {
	case PTYP_STRING:
		return t_escape(value->u.str, strlen(value->u.str));
	case PTYP_INTEGER32:
		return t_strdup_printf("%d", value->u.i32);
	case PTYP_BOOLEAN:
		return value->u.b ? "true" : "false";
	case PTYP_TIME:
		timestamp = mapi_time_to_unix(value->u.time);
		if (gmtime_r(&timestamp, &tm) == NULL)
			return "?";
		strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm);
		return t_strdup(buf);
	case PTYP_BINARY:
		return raw ? t_escape(value->u.bin.data, value->u.bin.len) :
			binary_to_hex(value->u.bin.data, value->u.bin.len);
	case PTYP_MULTIPLE_STRING:
		str = t_str_new(64);
		for (i = 0; i < value->u.mv.count; i++) {
			if (i > 0)
				str_append_c(str, '|');
			str_append(str, value->u.mv.v.str[i]);
		}
		return str_c(str);
	}
	return t_strdup_printf("type %04x?", value->type);
}

static uint32_t tag_by_name(const char *name)
{
	const struct mapi_property_info *info;
	unsigned int id;

	for (id = 0; id < MAPI_NAMED_PROPERTY_ID_MIN; id++) {
		info = mapi_property_info_by_id(id);
		if (info != NULL && strcmp(info->name, name) == 0)
			return info->tag;
	}
	if (strcmp(name, "PidTagHtml") == 0)
		return PIDTAG_HTML;
	if (strcmp(name, "PidTagBodyHtml") == 0)
		return PIDTAG_BODY_HTML;
	if (strcmp(name, "PidTagOriginalMessageId") == 0)
		return PIDTAG_ORIGINAL_MESSAGE_ID;
	return 0;
}

/* --- expectations ---------------------------------------------------------- */

enum operator {
	OP_EQUALS,
	OP_CONTAINS,
	OP_CONTAINS_NOT,
	OP_MISSING,
};

struct expectation {
	const char *where;
	/* what is left of the line's left side */
	const char *path;
	enum operator op;
	const char *value;
};

static void
compare(const struct expectation *exp, enum mime_prop_result result,
	const char *got)
{
	bool ok = FALSE;

	if (result == MIME_PROP_FAILED || result == MIME_PROP_NEED_MESSAGE ||
	    result == MIME_PROP_UNKNOWN) {
		complain(exp->where, "result %d", result);
		return;
	}
	if (exp->op == OP_MISSING || result == MIME_PROP_NOT_FOUND) {
		if (exp->op != OP_MISSING)
			complain(exp->where, "not found");
		else if (result != MIME_PROP_NOT_FOUND)
			complain(exp->where, "is '%s'", got);
		return;
	}
	switch (exp->op) {
	case OP_EQUALS:
		ok = strcmp(exp->value, got) == 0;
		break;
	case OP_CONTAINS:
		ok = strstr(got, exp->value) != NULL;
		break;
	case OP_CONTAINS_NOT:
		ok = strstr(got, exp->value) == NULL;
		break;
	case OP_MISSING:
		i_unreached();
	}
	if (!ok) {
		complain(exp->where, "\n  expected '%s'\n  got      '%s'",
			 exp->value, got);
	}
}

static void
compare_value(const struct expectation *exp, enum mime_prop_result result,
	     const struct mapi_value *value, bool raw)
{
	compare(exp, result, result == MIME_PROP_FOUND ?
		t_value_string(value, raw) : "");
}

/* name[index].rest or name[index]: index, and rest or "" */
static bool
parse_index(const char *path, const char *name, unsigned int *index_r,
	    const char **rest_r)
{
	const char *end;

	if (!str_begins(path, name) || path[strlen(name)] != '[')
		return FALSE;
	path += strlen(name) + 1;
	end = strchr(path, ']');
	if (end == NULL || str_to_uint(t_strdup_until(path, end), index_r) < 0)
		return FALSE;
	*rest_r = end[1] == '.' ? end + 2 : "";
	return TRUE;
}

static void
check_line(struct mime_message *msg, struct expectation *exp);

static void
check_recipient(struct mime_message *msg, struct expectation *exp,
		unsigned int idx)
{
	static const char *const types[] = { "orig", "to", "cc", "bcc" };
	const struct mime_recipient *recipients;
	struct mapi_value value;
	enum mime_prop_result result;
	unsigned int count;

	if (mime_message_get_recipients(msg, &recipients, &count) < 0 ||
	    idx >= count) {
		complain(exp->where, "no such recipient");
		return;
	}
	if (*exp->path == '\0') {
		compare(exp, MIME_PROP_FOUND, t_strdup_printf("%s|%s|%s",
			types[recipients[idx].type], recipients[idx].name,
			recipients[idx].address));
		return;
	}
	result = mime_recipient_get_prop(&recipients[idx], msg,
					 tag_by_name(exp->path), &value);
	compare_value(exp, result, &value, FALSE);
}

static void
check_attachment(struct mime_message *msg, struct expectation *exp,
		 unsigned int idx)
{
	const struct mime_structure *structure =
		mime_message_get_structure(msg);
	const struct mime_attachment *att;
	struct mime_message *embedded;
	struct istream *input;
	struct mapi_value value;
	enum mime_prop_result result;
	buffer_t *buf;

	if (idx >= structure->attachment_count) {
		complain(exp->where, "no such attachment");
		return;
	}
	att = &structure->attachments[idx];
	if (strcmp(exp->path, "data") == 0) {
		assert_int_equal(mime_message_open_attachment(msg, att,
							      &input), 0);
		buf = t_read_all(exp->where, input);
		compare(exp, MIME_PROP_FOUND, t_escape(buf->data, buf->used));
		i_stream_unref(&input);
	} else if (str_begins(exp->path, "embedded.")) {
		if (att->kind != MIME_ATTACH_MESSAGE) {
			complain(exp->where, "isn't embedded");
			return;
		}
		exp->path += strlen("embedded.");
		embedded = mime_message_init_embedded(NULL, msg, att);
		check_line(embedded, exp);
		talloc_free(embedded);
	} else {
		result = mime_attachment_get_prop(att, msg,
			tag_by_name(exp->path), &value);
		compare_value(exp, result, &value, FALSE);
	}
}

static void
check_header(struct mime_message *msg, struct expectation *exp)
{
	struct mapi_property_name name;
	struct mapi_value value;
	enum mime_prop_result result;

	i_zero(&name);
	name.kind = MAPI_NAME_STRING;
	name.guid = PS_INTERNET_HEADERS;
	name.name = t_strcut(exp->path + strlen("header["), ']');
	if (strcmp(name.name, "Keywords") == 0)
		name.guid = PS_PUBLIC_STRINGS;
	result = mime_message_get_named(msg, msg, &name, &value);
	compare_value(exp, result, &value, FALSE);
}

static void
check_line(struct mime_message *msg, struct expectation *exp)
{
	const struct mime_recipient *recipients;
	struct mapi_value value;
	enum mime_prop_result result;
	unsigned int idx, count;
	const char *rest;
	uint32_t tag;

	if (strcmp(exp->path, "recipients") == 0) {
		(void)mime_message_get_recipients(msg, &recipients, &count);
		compare(exp, MIME_PROP_FOUND, dec2str(count));
	} else if (strcmp(exp->path, "attachments") == 0) {
		compare(exp, MIME_PROP_FOUND, dec2str(
			mime_message_get_structure(msg)->attachment_count));
	} else if (parse_index(exp->path, "recipient", &idx, &rest)) {
		exp->path = rest;
		check_recipient(msg, exp, idx);
	} else if (parse_index(exp->path, "attachment", &idx, &rest)) {
		exp->path = rest;
		check_attachment(msg, exp, idx);
	} else if (str_begins(exp->path, "header[")) {
		check_header(msg, exp);
	} else if ((tag = tag_by_name(exp->path)) == 0) {
		complain(exp->where, "unknown property");
	} else {
		result = mime_message_get_prop(msg, msg, tag, SIZE_MAX, &value);
		compare_value(exp, result, &value,
			     tag == PIDTAG_HTML);
	}
}

static bool parse_line(const char *line, struct expectation *exp_r)
{
	const char *p;

	if (*line == '!') {
		exp_r->op = OP_MISSING;
		exp_r->path = line + 1;
		exp_r->value = "";
		return TRUE;
	}
	/* attachment[0].PidTagX: */
	p = line + strcspn(line, ":~!");
	if (*p == '\0')
		return FALSE;
	exp_r->path = t_strdup_until(line, p);
	exp_r->op = *p == ':' ? OP_EQUALS :
		(*p == '~' ? OP_CONTAINS : OP_CONTAINS_NOT);
	p += *p == '!' ? 2 : 1;
	if (*p == ' ')
		p++;
	exp_r->value = p;
	return TRUE;
}

/* --- what holds for all messages ------------------------------------------- */

static void
check_seeking(const char *where, const char *what, struct istream *input)
{
	buffer_t *first, *second;
	uoff_t half;

	first = t_read_all(where, input);
	i_stream_seek(input, 0);
	second = t_read_all(where, input);
	if (!buffer_cmp(first, second))
		complain(where, "%s: read again, it differs", what);
	half = first->used / 2;
	i_stream_seek(input, half);
	second = t_read_all(where, input);
	if (second->used != first->used - half ||
	    memcmp(CONST_PTR_OFFSET(first->data, half), second->data,
		   second->used) != 0)
		complain(where, "%s: read from the middle, it differs", what);
}

static void check_bodies(const char *where, struct mime_message *msg)
{
	struct istream *input;
	struct mapi_value text, html;
	enum mime_prop_result result;

	assert_int_equal(mime_message_open_text(msg, &input), 0);
	check_seeking(where, "text", input);
	i_stream_unref(&input);
	assert_int_equal(mime_message_open_html(msg, &input), 0);
	check_seeking(where, "html", input);
	i_stream_unref(&input);

	result = mime_message_get_prop(msg, msg, PIDTAG_BODY, SIZE_MAX, &text);
	if (mime_message_get_structure(msg)->class == MIME_CLASS_SMIME) {
		if (result != MIME_PROP_NOT_FOUND)
			complain(where, "opaque, but there's a body");
		return;
	}
	if (result != MIME_PROP_FOUND)
		complain(where, "no PidTagBody");
	else if (!uni_utf8_str_is_valid(text.u.str))
		complain(where, "PidTagBody isn't UTF-8");
	result = mime_message_get_prop(msg, msg, PIDTAG_HTML, SIZE_MAX, &html);
	if (result != MIME_PROP_FOUND || html.u.bin.len == 0)
		complain(where, "no PidTagHtml");
	if (result == MIME_PROP_FOUND && html.u.bin.len > 1 &&
	    mime_message_get_prop(msg, msg, PIDTAG_HTML,
				  html.u.bin.len - 1, &html) !=
	    MIME_PROP_NEED_MESSAGE)
		complain(where, "max_body isn't looked at");
}

static void check_message(const char *where, struct mime_message *msg);

static void check_attachments(const char *where, struct mime_message *msg)
{
	const struct mime_structure *structure =
		mime_message_get_structure(msg);
	struct mime_message *embedded;
	struct istream *input;
	unsigned int i;

	for (i = 0; i < structure->attachment_count; i++) T_BEGIN {
		const struct mime_attachment *att = &structure->attachments[i];
		const char *what = t_strdup_printf("attachment[%u]", i);

		assert_int_equal(mime_message_open_attachment(msg, att,
							      &input), 0);
		check_seeking(where, what, input);
		i_stream_unref(&input);
		if (att->kind == MIME_ATTACH_MESSAGE) {
			embedded = mime_message_init_embedded(NULL, msg, att);
			assert_non_null(embedded);
			check_message(t_strconcat(where, " ", what, NULL),
				      embedded);
			talloc_free(embedded);
		}
	} T_END;
}

static void check_message(const char *where, struct mime_message *msg)
{
	struct mapi_value value;
	enum mime_prop_result result;
	unsigned int i;
	uint32_t tag;

	for (i = 0; mime_headers_prop_at(i, &tag) ; i++) {
		result = mime_message_get_prop(msg, msg, tag, SIZE_MAX, &value);
		if (result != MIME_PROP_FOUND && result != MIME_PROP_NOT_FOUND)
			complain(where, "%08x: result %d", tag, result);
		else if (result == MIME_PROP_FOUND &&
			 value.type != MAPI_TAG_TYPE(tag))
			complain(where, "%08x: type %04x", tag, value.type);
	}
	for (i = 0; mime_message_prop_at(i, &tag); i++) {
		result = mime_message_get_prop(msg, msg, tag, SIZE_MAX, &value);
		if (result != MIME_PROP_FOUND && result != MIME_PROP_NOT_FOUND)
			complain(where, "%08x: result %d", tag, result);
	}
	check_bodies(where, msg);
	check_attachments(where, msg);
}

/* What is derived from BODYSTRUCTURE must be what is derived from the message,
   and the class in tables what it is in messages. */
static void
check_bodystructure(const char *where, struct mime_message *msg,
		    struct istream *input)
{
	const struct mime_structure *structure =
		mime_message_get_structure(msg);
	struct mime_structure *other;
	struct message_part *root;
	string_t *str = t_str_new(1024);
	pool_t pool = pool_alloconly_create("test", 1024);
	const char *error;
	unsigned int i;

	i_stream_seek(input, 0);
	assert_int_equal(mime_parts_parse(pool, input, &root), 0);
	if (imap_bodystructure_write(root, str, TRUE, &error) < 0) {
		complain(where, "%s", error);
		pool_unref(&pool);
		return;
	}
	/* (the message's structure has been compared with its body) */
	other = mime_structure_init(NULL, root);
	if (mime_bodystructure_has_attachments(str_c(str)) !=
	    (mime_structure_has_attachments(other) ? 1 : 0))
		complain(where, "BODYSTRUCTURE has other attachments");
	talloc_free(other);

	if (mime_parts_from_bodystructure(pool, str_c(str), root) < 0)
		complain(where, "BODYSTRUCTURE doesn't match");
	other = mime_structure_init(NULL, root);
	if (other->attachment_count != structure->attachment_count ||
	    other->body_count != structure->body_count ||
	    other->class != structure->class)
		complain(where, "BODYSTRUCTURE gives another structure");
	else for (i = 0; i < other->attachment_count; i++) {
		if (strcmp(other->attachments[i].display_name,
			   structure->attachments[i].display_name) != 0)
			complain(where, "BODYSTRUCTURE: name '%s'",
				 other->attachments[i].display_name);
	}
	talloc_free(other);
	pool_unref(&pool);
}

static void check_class(const char *where, struct mime_message *msg,
			struct istream *input)
{
	struct mime_header_source *source;
	struct mapi_value in_table, in_message;
	enum mime_prop_result result;

	source = mime_header_source_init(msg, input, 0);
	result = mime_headers_get_prop(source, msg, PIDTAG_MESSAGE_CLASS,
				       &in_table);
	assert_int_equal(mime_message_get_prop(msg, msg, PIDTAG_MESSAGE_CLASS,
					       0, &in_message),
			 MIME_PROP_FOUND);
	if (result == MIME_PROP_FOUND &&
	    strcmp(in_table.u.str, in_message.u.str) != 0)
		complain(where, "class is %s in tables", in_table.u.str);
}

/* --- main ------------------------------------------------------------------ */

static void test_file(const char *path)
{
	struct mime_message *msg;
	struct istream *input;
	const char *const *lines, *expect_path;
	struct expectation exp;
	unsigned int i;

	input = i_stream_create_file(path, 8192);
	msg = mime_message_init_stream(NULL, input, RECEIVED);
	assert_non_null(msg);

	expect_path = t_strconcat(t_strdup_until(path, strrchr(path, '.')),
				  ".expect", NULL);
	lines = t_strsplit(t_read_file(expect_path), "\n");
	for (i = 0; lines[i] != NULL; i++) T_BEGIN {
		if (lines[i][0] != '\0' && lines[i][0] != '#') {
			i_zero(&exp);
			exp.where = t_strdup_printf("%s:%u: %.60s",
				expect_path, i + 1, lines[i]);
			if (!parse_line(lines[i], &exp))
				complain(exp.where, "no expectation");
			else
				check_line(msg, &exp);
		}
	} T_END;
	check_message(path, msg);
	check_bodystructure(path, msg, input);
	check_class(path, msg, input);
	talloc_free(msg);
	i_stream_unref(&input);
}

static void test_corpus(void **state)
{
	struct dirent *entry;
	unsigned int count = 0;
	DIR *dir;

	dir = opendir(MAIL_DIR);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) T_BEGIN {
		size_t len = strlen(entry->d_name);

		if (len > 4 && strcmp(entry->d_name + len - 4, ".eml") == 0) {
			test_file(t_strconcat(MAIL_DIR"/", entry->d_name,
					      NULL));
			count++;
		}
	} T_END;
	(void)closedir(dir);
	assert_true(count > 0);
	assert_int_equal(failures, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpus),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}
