/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which header fields say which property. [MS-OXCMAIL] 2.1.3.1, 2.1.3.2 */

#include "lib.h"
#include "array.h"
#include "base64.h"
#include "str.h"
#include "mapi-convindex.h"
#include "mapi-recipient.h"
#include "mime-build-private.h"
#include "mime-headers-private.h"

static int32_t
get_int(const struct mapi_propset *props, uint32_t tag, int32_t missing)
{
	const struct mapi_value *value = mapi_propset_get(props, tag);

	return value == NULL ? missing : value->u.i32;
}

static bool get_bool(const struct mapi_propset *props, uint32_t tag)
{
	const struct mapi_value *value = mapi_propset_get(props, tag);

	return value != NULL && value->u.b;
}

/* --- people ----------------------------------------------------------------- */

static bool
t_find_address(struct mime_build *ctx, const struct mapi_propset *props,
	       const struct mime_build_address_tags *const *tags,
	       struct mime_address *address_r)
{
	for (; *tags != NULL; tags++) {
		if (t_mime_build_address(ctx, props, *tags, address_r))
			return TRUE;
	}
	return FALSE;
}

/* 2.1.3.1.3 */
static void
add_from(struct mime_build *ctx, const struct mapi_content *content,
	 const struct mime_build_field *field, string_t *dest)
{
	static const struct mime_build_address_tags *const tags[] = {
		&mime_build_representing_tags, &mime_build_sender_tags, NULL
	};
	struct mime_address address;

	if (t_find_address(ctx, content->props, tags, &address)) {
		mime_build_add_addresses(dest, field->names[0], &address, 1);
	}
}

/* 2.1.3.1.4: not if it's the same user */
static void
add_sender(struct mime_build *ctx, const struct mapi_content *content,
	   const struct mime_build_field *field, string_t *dest)
{
	struct mime_address sender, from;

	if (!t_mime_build_address(ctx, content->props, &mime_build_sender_tags,
				  &sender) || *sender.address == '\0')
		return;
	if (!t_mime_build_address(ctx, content->props,
				  &mime_build_representing_tags, &from) ||
	    strcasecmp(sender.address, from.address) == 0)
		return;
	mime_build_add_addresses(dest, field->names[0], &sender, 1);
}

static void
add_array(const ARRAY_TYPE(mime_address) *addresses, const char *name,
	  string_t *dest)
{
	if (array_count(addresses) > 0) {
		mime_build_add_addresses(dest, name, array_front(addresses),
					 array_count(addresses));
	}
}

static void
add_reply_to(struct mime_build *ctx, const struct mapi_content *content,
	     const struct mime_build_field *field, string_t *dest)
{
	ARRAY_TYPE(mime_address) addresses;

	t_array_init(&addresses, 4);
	t_mime_build_reply_to(ctx, content->props, &addresses);
	add_array(&addresses, field->names[0], dest);
}

static void
add_recipients(struct mime_build *ctx, const struct mapi_content *content,
	       int type, const char *name, string_t *dest)
{
	ARRAY_TYPE(mime_address) addresses;

	t_array_init(&addresses, 16);
	t_mime_build_recipients(ctx, content, type, &addresses);
	add_array(&addresses, name, dest);
}

static void
add_to(struct mime_build *ctx, const struct mapi_content *content,
       const struct mime_build_field *field, string_t *dest)
{
	struct mime_address address;

	if (!mime_build_class_is_delivery_report(content)) {
		add_recipients(ctx, content, MAPI_TO, field->names[0], dest);
		return;
	}
	/* the recipients are those that are reported on */
	if (t_mime_build_address(ctx, content->props,
				 &mime_build_received_by_tags, &address))
		mime_build_add_addresses(dest, field->names[0], &address, 1);
}

static void
add_cc(struct mime_build *ctx, const struct mapi_content *content,
       const struct mime_build_field *field, string_t *dest)
{
	if (!mime_build_class_is_delivery_report(content))
		add_recipients(ctx, content, MAPI_CC, field->names[0], dest);
}

static void
add_bcc(struct mime_build *ctx, const struct mapi_content *content,
	const struct mime_build_field *field, string_t *dest)
{
	if (ctx->params->with_bcc &&
	    !mime_build_class_is_delivery_report(content))
		add_recipients(ctx, content, MAPI_BCC, field->names[0], dest);
}

/* 2.1.3.1.5, 2.1.3.1.6: wanted if the property says so */
static void
add_receipt(struct mime_build *ctx, const struct mapi_content *content,
	    const struct mime_build_field *field, string_t *dest)
{
	static const struct mime_build_address_tags *const tags[] = {
		&mime_build_read_receipt_tags, &mime_build_report_tags,
		&mime_build_sender_tags, &mime_build_representing_tags,
	};
	struct mime_address address;
	unsigned int i;

	if (!get_bool(content->props, field->tag))
		return;
	for (i = 0; i < N_ELEMENTS(tags); i++) {
		if (t_mime_build_address(ctx, content->props, tags[i],
					 &address) &&
		    *address.address != '\0') {
			mime_build_add_addresses(dest, field->names[0],
						 &address, 1);
			break;
		}
	}
}

/* --- text ------------------------------------------------------------------- */

static void
add_text(struct mime_build *ctx, const struct mapi_content *content,
	 const struct mime_build_field *field, string_t *dest)
{
	mime_build_add_text(dest, field->names[0],
		mapi_propset_get_string(content->props, field->tag));
}

static void
add_subject(struct mime_build *ctx, const struct mapi_content *content,
	    const struct mime_build_field *field, string_t *dest)
{
	const struct mapi_propset *props = content->props;
	const char *subject, *prefix, *normalized;

	subject = mapi_propset_get_string(props, PIDTAG_SUBJECT);
	if (subject == NULL) {
		prefix = mapi_propset_get_string(props, PIDTAG_SUBJECT_PREFIX);
		normalized = mapi_propset_get_string(props,
						     PIDTAG_NORMALIZED_SUBJECT);
		subject = t_strconcat(prefix == NULL ? "" : prefix,
				      normalized == NULL ? "" : normalized,
				      NULL);
	} else if (subject[0] == '\x01' && subject[1] != '\0') {
		/* how older clients say the prefix's length */
		subject += 2;
	}
	mime_build_add_text(dest, field->names[0], subject);
}

/* With angle brackets; without what would end it early */
static void
add_message_id(struct mime_build *ctx, const struct mapi_content *content,
	       const struct mime_build_field *field, string_t *dest)
{
	const char *id = mapi_propset_get_string(content->props, field->tag);

	id = t_mime_build_clean(id);
	if (*id != '\0' && *id != '<' && strpbrk(id, "<> ") == NULL)
		id = t_strdup_printf("<%s>", id);
	mime_build_add_raw(dest, field->names[0], id);
}

static void
add_flag_request(struct mime_build *ctx, const struct mapi_content *content,
		 const struct mime_build_field *field, string_t *dest)
{
	struct mapi_property_name name = {
		.kind = MAPI_NAME_LID,
		.guid = PIDLID_FLAG_REQUEST_PSET,
		.lid = PIDLID_FLAG_REQUEST,
	};
	const struct mapi_content_prop *prop;

	prop = mapi_propset_find_name(content->props, &name);
	if (prop != NULL && prop->value.type == PTYP_STRING)
		mime_build_add_text(dest, field->names[0], prop->value.u.str);
}

/* --- dates ------------------------------------------------------------------ */

static void
add_time(struct mime_build *ctx, const struct mapi_content *content,
	 const struct mime_build_field *field, string_t *dest)
{
	const struct mapi_value *value;
	const char *date;

	value = mapi_propset_get(content->props, field->tag);
	if (value != NULL && mime_build_date(value->u.time, &date))
		mime_build_add_raw(dest, field->names[0], date);
}

static void
add_date(struct mime_build *ctx, const struct mapi_content *content,
	 const struct mime_build_field *field, string_t *dest)
{
	static const uint32_t tags[] = {
		PIDTAG_CLIENT_SUBMIT_TIME, PIDTAG_MESSAGE_DELIVERY_TIME
	};
	const struct mapi_value *value;
	const char *date;
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(tags); i++) {
		value = mapi_propset_get(content->props, tags[i]);
		if (value != NULL && mime_build_date(value->u.time, &date)) {
			mime_build_add_raw(dest, field->names[0], date);
			return;
		}
	}
	/* what is embedded isn't of now */
	if (ctx->depth == 0 &&
	    mime_build_date(mapi_time_from_unix(ctx->params->now, 0), &date))
		mime_build_add_raw(dest, field->names[0], date);
}

/* --- what is one of few values ---------------------------------------------- */

/* 2.1.3.2.5, [MS-OXOMSG] 2.2.1.12 */
static void
add_importance(struct mime_build *ctx, const struct mapi_content *content,
	       const struct mime_build_field *field, string_t *dest)
{
	int32_t importance = get_int(content->props, PIDTAG_IMPORTANCE, 1);
	int32_t priority = get_int(content->props, PIDTAG_PRIORITY, 0);

	if (importance == 0)
		str_append(dest, "Importance: low\r\nX-Priority: 5\r\n");
	else if (importance == 2)
		str_append(dest, "Importance: high\r\nX-Priority: 1\r\n");
	else if (priority == 1 || priority == -1)
		str_append(dest, "Importance: normal\r\n");
	if (priority == 1)
		str_append(dest, "Priority: urgent\r\n");
	else if (priority == -1)
		str_append(dest, "Priority: non-urgent\r\n");
}

/* 2.1.3.2.4 */
static void
add_sensitivity(struct mime_build *ctx, const struct mapi_content *content,
		const struct mime_build_field *field, string_t *dest)
{
	static const char *const words[] = {
		"Personal", "Private", "Company-Confidential"
	};
	int32_t sensitivity = get_int(content->props, field->tag, 0);

	if (sensitivity >= 1 && sensitivity <= (int)N_ELEMENTS(words)) {
		mime_build_add_raw(dest, field->names[0],
				   words[sensitivity - 1]);
	}
}

/* 2.1.3.2.20 */
static void
add_auto_response_suppress(struct mime_build *ctx,
			   const struct mapi_content *content,
			   const struct mime_build_field *field,
			   string_t *dest)
{
	static const char *const words[] = {
		"DR", "NDR", "RN", "NRN", "OOF", "AutoReply"
	};
	const struct mapi_value *value;
	string_t *str = t_str_new(64);
	unsigned int i;

	value = mapi_propset_get(content->props, field->tag);
	if (value == NULL)
		return;
	if (value->u.i32 == 0)
		str_append(str, "None");
	else if (value->u.i32 == -1)
		str_append(str, "All");
	else for (i = 0; i < N_ELEMENTS(words); i++) {
		if ((value->u.i32 & (1 << i)) == 0)
			continue;
		if (str_len(str) > 0)
			str_append(str, ", ");
		str_append(str, words[i]);
	}
	mime_build_add_raw(dest, field->names[0], str_c(str));
}

static void
add_locale(struct mime_build *ctx, const struct mapi_content *content,
	   const struct mime_build_field *field, string_t *dest)
{
	const char *name = mime_header_locale_name(
		get_int(content->props, field->tag, 0));

	if (name != NULL)
		mime_build_add_raw(dest, field->names[0], name);
}

/* 2.1.3.2.8 */
static void
add_thread_index(struct mime_build *ctx, const struct mapi_content *content,
		 const struct mime_build_field *field, string_t *dest)
{
	const struct mapi_value *value;
	struct mapi_convindex index;
	string_t *str, *folded;
	size_t i;

	value = mapi_propset_get(content->props, field->tag);
	if (value == NULL || !mapi_convindex_parse(&value->u.bin, &index))
		return;
	str = t_str_new(128);
	base64_encode(value->u.bin.data, value->u.bin.len, str);
	folded = t_str_new(128);
	for (i = 0; i < str_len(str); i += 60) {
		if (i > 0)
			str_append_c(folded, ' ');
		str_append_data(folded, str_c(str) + i,
				I_MIN(60, str_len(str) - i));
	}
	mime_build_add_raw(dest, field->names[0], str_c(folded));
}

/* A follow-up that nobody is asked for isn't shown to others, 2.1.3.2.28 */
static void
add_reply_by(struct mime_build *ctx, const struct mapi_content *content,
	     const struct mime_build_field *field, string_t *dest)
{
	string_t *request = t_str_new(64);

	add_flag_request(ctx, content, field, request);
	if (str_len(request) > 0)
		add_time(ctx, content, field, dest);
}

/* Those that others depend on (the subject for the conversation's topic) come
   before them. */
const struct mime_build_field mime_build_fields[] = {
	{ { "From" }, add_from, PIDTAG_SENT_REPRESENTING_NAME,
	  MIME_BUILD_COMPARE_TAGS, PIDTAG_SENT_REPRESENTING_EMAIL_ADDRESS },
	{ { "Sender" }, add_sender, PIDTAG_SENDER_NAME,
	  MIME_BUILD_COMPARE_TAGS, PIDTAG_SENDER_EMAIL_ADDRESS },
	{ { "Reply-To" }, add_reply_to, 0, MIME_BUILD_COMPARE_ADDRESSES, 0 },
	{ { "To" }, add_to, 0, MIME_BUILD_COMPARE_ADDRESSES, 0 },
	{ { "Cc" }, add_cc, 0, MIME_BUILD_COMPARE_ADDRESSES, 0 },
	{ { "Bcc" }, add_bcc, 0, MIME_BUILD_COMPARE_ADDRESSES, 0 },
	{ { "Subject" }, add_subject, PIDTAG_SUBJECT,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "Date" }, add_date, PIDTAG_CLIENT_SUBMIT_TIME,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "Message-ID" }, add_message_id, PIDTAG_INTERNET_MESSAGE_ID,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "In-Reply-To" }, add_text, PIDTAG_IN_REPLY_TO_ID,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "References" }, add_text, PIDTAG_INTERNET_REFERENCES,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "Thread-Topic" }, add_text, PIDTAG_CONVERSATION_TOPIC,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "Thread-Index" }, add_thread_index, PIDTAG_CONVERSATION_INDEX,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "Importance", "X-Priority", "X-MSMail-Priority", "Priority" },
	  add_importance, PIDTAG_IMPORTANCE,
	  MIME_BUILD_COMPARE_TAGS, PIDTAG_PRIORITY },
	{ { "Sensitivity" }, add_sensitivity, PIDTAG_SENSITIVITY,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "Disposition-Notification-To" }, add_receipt,
	  PIDTAG_READ_RECEIPT_REQUESTED, MIME_BUILD_COMPARE_TAGS,
	  PIDTAG_READ_RECEIPT_EMAIL_ADDRESS },
	{ { "Return-Receipt-To" }, add_receipt,
	  PIDTAG_ORIGINATOR_DELIVERY_REPORT_REQUESTED,
	  MIME_BUILD_COMPARE_TAGS, PIDTAG_READ_RECEIPT_EMAIL_ADDRESS },
	{ { "X-Auto-Response-Suppress" }, add_auto_response_suppress,
	  PIDTAG_AUTO_RESPONSE_SUPPRESS, MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "Expires", "Expiry-Date" }, add_time, PIDTAG_EXPIRY_TIME,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "X-Message-Flag" }, add_flag_request, 0,
	  MIME_BUILD_COMPARE_TEXT, 0 },
	{ { "Reply-By" }, add_reply_by, PIDTAG_REPLY_TIME,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "Organization" }, add_text, PIDTAG_INTERNET_ORGANIZATION,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "List-Help", "X-List-Help" }, add_text, PIDTAG_LIST_HELP,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "List-Subscribe", "X-List-Subscribe" }, add_text,
	  PIDTAG_LIST_SUBSCRIBE, MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "List-Unsubscribe", "X-List-Unsubscribe" }, add_text,
	  PIDTAG_LIST_UNSUBSCRIBE, MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "Content-Language" }, add_locale, PIDTAG_MESSAGE_LOCALE_ID,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "Content-ID" }, add_text, PIDTAG_BODY_CONTENT_ID,
	  MIME_BUILD_COMPARE_TAGS, 0 },
	{ { "Content-Location" }, add_text, PIDTAG_BODY_CONTENT_LOCATION,
	  MIME_BUILD_COMPARE_TAGS, 0 },
};
const unsigned int mime_build_fields_count = N_ELEMENTS(mime_build_fields);
