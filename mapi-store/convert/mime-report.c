/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "istream.h"
#include "str.h"
#include "message-part.h"
#include "mapi-props.h"
#include "mime-charset.h"
#include "mime-part-info.h"
#include "mime-part-stream.h"
#include "mime-report.h"
#include "mime-text.h"

/* More of the machine-readable part isn't looked at. */
#define MAX_REPORT_SIZE (256*1024)

struct report_field {
	const char *name, *value;
};
ARRAY_DEFINE_TYPE(report_field, struct report_field);
ARRAY_DEFINE_TYPE(mime_recipient, struct mime_recipient);

/* --- fields ---------------------------------------------------------------- */

static int
read_report(const struct message_part *part, struct istream *message,
	    string_t *dest)
{
	struct istream *input;
	const unsigned char *data;
	size_t size;
	int ret;

	input = mime_part_open_decoded(part, message);
	while (str_len(dest) < MAX_REPORT_SIZE &&
	       i_stream_read_more(input, &data, &size) > 0) {
		size = I_MIN(size, MAX_REPORT_SIZE - str_len(dest));
		str_append_data(dest, data, size);
		i_stream_skip(input, size);
	}
	ret = input->stream_errno != 0 ? -1 : 0;
	i_stream_unref(&input);
	return ret;
}

/* Reads fields up to an empty line. FALSE at the end. */
static bool
next_block(const char **text, ARRAY_TYPE(report_field) *fields)
{
	struct report_field *field = NULL;
	const char *line, *end, *colon;

	array_clear(fields);
	while (**text != '\0') {
		line = *text;
		end = strchr(line, '\n');
		*text = end == NULL ? line + strlen(line) : end + 1;
		if (end == NULL)
			end = *text;
		while (end > line && end[-1] == '\r')
			end--;
		if (end == line) {
			if (array_count(fields) > 0)
				return TRUE;
			continue;
		}
		if (*line == ' ' || *line == '\t') {
			if (field != NULL) {
				field->value = t_strconcat(field->value,
					t_strdup_until(line, end), NULL);
				/* one line only: no quadratic growth */
				field = NULL;
			}
			continue;
		}
		colon = memchr(line, ':', end - line);
		if (colon == NULL) {
			field = NULL;
			continue;
		}
		field = array_append_space(fields);
		field->name = t_strdup_until(line, colon);
		field->value = t_strdup_until(colon + 1, end);
	}
	return array_count(fields) > 0;
}

/* On the data stack, decoded; NULL if there's none */
static const char *
field_find(const ARRAY_TYPE(report_field) *fields, const char *name)
{
	const struct report_field *field;
	unsigned int i, count;
	const char *value;

	field = array_get(fields, &count);
	for (i = 0; i < count; i++) {
		if (strcasecmp(field[i].name, name) == 0) {
			value = t_mime_text_decode(field[i].value);
			return *value == '\0' ? NULL : value;
		}
	}
	return NULL;
}

static char *dup_or_null(TALLOC_CTX *mem, const char *str)
{
	return str == NULL ? NULL : mime_strdup(mem, str);
}

/* "type; value": the value */
static const char *typed_value(const char *str)
{
	const char *p;

	if (str == NULL)
		return NULL;
	p = strchr(str, ';');
	if (p != NULL) {
		str = p + 1;
		while (*str == ' ')
			str++;
	}
	return *str == '\0' ? NULL : str;
}

/* --- delivery status ------------------------------------------------------- */

/* [MS-OXCMAIL] 2.2.3.7.1.1, the worst first */
static const struct {
	const char *action, *class;
} actions[] = {
	{ "failed", "REPORT.IPM.Note.NDR" },
	{ "delayed", "REPORT.IPM.Note.Delayed.DR" },
	{ "relayed", "REPORT.IPM.Note.Relayed.DR" },
	{ "expanded", "REPORT.IPM.Note.Expanded.DR" },
	{ "delivered", "REPORT.IPM.Note.DR" },
};

static unsigned int action_find(const char *action)
{
	unsigned int i;

	if (action == NULL)
		return N_ELEMENTS(actions);
	action = t_mime_token(action);
	for (i = 0; i < N_ELEMENTS(actions); i++) {
		if (strcasecmp(action, actions[i].action) == 0)
			break;
	}
	return i;
}

static void
get_status(const ARRAY_TYPE(report_field) *fields, struct mime_status *status_r)
{
	const char *status = field_find(fields, "Status");

	if (status == NULL || !mime_status_parse(t_mime_token(status), status_r))
		i_zero(status_r);
}

/* [MS-OXCMAIL] 2.2.3.7.1.2. Without a status there's only what the server has
   said. */
static const char *
get_supplementary_info(const ARRAY_TYPE(report_field) *fields,
		       const struct mime_recipient_report *info)
{
	const char *text = field_find(fields, "X-Supplementary-Info");
	const char *diagnostic = field_find(fields, "Diagnostic-Code");

	if (text != NULL)
		return text;
	return info->status.class == 0 ? diagnostic :
		t_mime_status_info(info->remote_mta, &info->status, diagnostic);
}

static void
add_recipient(struct mime_report *report,
	      const ARRAY_TYPE(report_field) *fields,
	      ARRAY_TYPE(mime_recipient) *recipients)
{
	struct mime_recipient *recipient;
	struct mime_recipient_report *info;
	const char *address, *name;

	address = typed_value(field_find(fields, "Final-Recipient"));
	if (address == NULL)
		address = typed_value(field_find(fields, "Original-Recipient"));
	if (address == NULL)
		return;
	if (array_count(recipients) >= MIME_MAX_RECIPIENTS)
		return;
	if (*address == '<' && strchr(address, '>') != NULL)
		address = t_strcut(address + 1, '>');
	name = field_find(fields, "X-Display-Name");

	info = mime_check_alloc(talloc_zero(report,
					    struct mime_recipient_report));
	get_status(fields, &info->status);
	info->remote_mta = dup_or_null(report,
		typed_value(field_find(fields, "Remote-MTA")));
	info->supplementary_info = dup_or_null(report,
		get_supplementary_info(fields, info));

	recipient = array_append_space(recipients);
	recipient->type = MAPI_TO;
	recipient->address = mime_strdup(report, address);
	recipient->name = name == NULL ? recipient->address :
		mime_strdup(report, name);
	recipient->report = info;
}

static void parse_delivery_status(struct mime_report *report, const char *text)
{
	ARRAY_TYPE(report_field) fields;
	ARRAY_TYPE(mime_recipient) recipients;
	const char *pos;
	unsigned int action, worst = N_ELEMENTS(actions);

	t_array_init(&fields, 16);
	t_array_init(&recipients, 8);
	for (pos = text; next_block(&pos, &fields); ) {
		if (report->reporting_mta == NULL) {
			report->reporting_mta = dup_or_null(report,
				typed_value(field_find(&fields,
						       "Reporting-MTA")));
		}
		action = action_find(field_find(&fields, "Action"));
		worst = I_MIN(worst, action);
	}
	/* one that says nothing is a failure: else nobody would send it */
	report->class = actions[worst == N_ELEMENTS(actions) ? 0 : worst].class;
	for (pos = text; next_block(&pos, &fields); ) {
		action = action_find(field_find(&fields, "Action"));
		if (action == worst)
			add_recipient(report, &fields, &recipients);
	}
	report->recipient_count = array_count(&recipients);
	if (report->recipient_count > 0) {
		report->recipients = mime_check_alloc(talloc_memdup(report,
			array_front(&recipients), report->recipient_count *
			sizeof(struct mime_recipient)));
	}
}

/* --- disposition ----------------------------------------------------------- */

/* [MS-OXCMAIL] 2.2.3.7.2 */
static void parse_disposition(struct mime_report *report, const char *text)
{
	static const char *const read_types[] = {
		"displayed", "dispatched", "processed"
	};
	ARRAY_TYPE(report_field) fields;
	const char *disposition = NULL, *type = "", *p;
	unsigned int i;

	t_array_init(&fields, 16);
	if (next_block(&text, &fields)) {
		disposition = field_find(&fields, "Disposition");
		report->original_message_id = dup_or_null(report,
			field_find(&fields, "Original-Message-ID"));
		report->reporting_mta = dup_or_null(report,
			field_find(&fields, "Reporting-UA"));
	}
	if (disposition != NULL) {
		p = strchr(disposition, ';');
		type = t_strcut(t_mime_token(p == NULL ? disposition : p + 1),
				'/');
		if (p != NULL) {
			report->disposition_mode = mime_strdup(report,
				t_strdup_until(disposition, p));
		}
	}
	report->class = "REPORT.IPM.Note.IPNNRN";
	report->disposition = "deleted";
	for (i = 0; i < N_ELEMENTS(read_types); i++) {
		if (strcasecmp(type, read_types[i]) == 0) {
			report->class = "REPORT.IPM.Note.IPNRN";
			report->disposition = "displayed";
		}
	}
}

/* --- reports --------------------------------------------------------------- */

static int
open_original(struct mime_report *report, const struct message_part *part,
	      struct istream *message)
{
	struct istream *input;

	if (part == NULL)
		return 0;
	if (mime_part_is_message(part)) {
		report->original = mime_header_source_init(report, message,
			part->children->physical_pos);
	} else {
		input = mime_part_open_decoded(part, message);
		report->original = mime_header_source_init(report, input, 0);
		i_stream_unref(&input);
	}
	return report->original == NULL ? -1 : 0;
}

struct mime_report *
mime_report_init(TALLOC_CTX *parent, const struct mime_structure *structure,
		 struct istream *message)
{
	struct mime_report *report;
	string_t *text = str_new(default_pool, 4096);

	if (read_report(structure->report, message, text) < 0) {
		str_free(&text);
		return NULL;
	}
	report = mime_check_alloc(talloc_zero(parent, struct mime_report));
	T_BEGIN {
		if (structure->class == MIME_CLASS_DELIVERY_REPORT)
			parse_delivery_status(report, str_c(text));
		else
			parse_disposition(report, str_c(text));
	} T_END;
	str_free(&text);
	if (open_original(report, structure->report_returned, message) < 0)
		TALLOC_FREE(report);
	return report;
}

/* a property of the message that is reported on */
static enum mime_prop_result
original_prop(const struct mime_report *report, uint32_t tag, TALLOC_CTX *mem,
	      struct mapi_value *value_r)
{
	if (report->original == NULL)
		return MIME_PROP_NOT_FOUND;
	return mime_headers_get_prop(report->original, mem, tag, value_r);
}

static enum mime_prop_result
string_prop(const char *str, TALLOC_CTX *mem, struct mapi_value *value_r)
{
	if (str == NULL)
		return MIME_PROP_NOT_FOUND;
	*value_r = mapi_value_str(mime_strdup(mem, str));
	return MIME_PROP_FOUND;
}

static const uint32_t report_tags[] = {
	PIDTAG_REPORTING_MESSAGE_TRANSFER_AGENT,
	PIDTAG_ORIGINAL_MESSAGE_ID,
	PIDTAG_REPORT_DISPOSITION,
	PIDTAG_REPORT_DISPOSITION_MODE,
	PIDTAG_ORIGINAL_SUBJECT,
	PIDTAG_ORIGINAL_SUBMIT_TIME,
	PIDTAG_ORIGINAL_DISPLAY_TO,
	PIDTAG_ORIGINAL_DISPLAY_CC,
};

bool mime_report_prop_at(unsigned int i, uint32_t *tag_r)
{
	if (i >= N_ELEMENTS(report_tags))
		return FALSE;
	*tag_r = report_tags[i];
	return TRUE;
}

enum mime_prop_result
mime_report_get_prop(const struct mime_report *report, TALLOC_CTX *mem,
		     uint32_t tag, struct mapi_value *value_r)
{
	switch (MAPI_TAG_ID(tag)) {
	case MAPI_TAG_ID(PIDTAG_MESSAGE_CLASS):
		return string_prop(report->class, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_REPORTING_MESSAGE_TRANSFER_AGENT):
		return string_prop(report->reporting_mta, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_ORIGINAL_MESSAGE_ID):
		if (report->original_message_id == NULL) {
			return original_prop(report,
				PIDTAG_INTERNET_MESSAGE_ID, mem, value_r);
		}
		return string_prop(report->original_message_id, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_REPORT_DISPOSITION):
		return string_prop(report->disposition, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_REPORT_DISPOSITION_MODE):
		return string_prop(report->disposition_mode, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_ORIGINAL_SUBJECT):
		return original_prop(report, PIDTAG_SUBJECT, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_ORIGINAL_SUBMIT_TIME):
		return original_prop(report, PIDTAG_CLIENT_SUBMIT_TIME, mem,
				     value_r);
	case MAPI_TAG_ID(PIDTAG_ORIGINAL_DISPLAY_TO):
		return original_prop(report, PIDTAG_DISPLAY_TO, mem, value_r);
	case MAPI_TAG_ID(PIDTAG_ORIGINAL_DISPLAY_CC):
		return original_prop(report, PIDTAG_DISPLAY_CC, mem, value_r);
	}
	return MIME_PROP_UNKNOWN;
}
