/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_HEADERS_PRIVATE_H
#define MIME_HEADERS_PRIVATE_H

#include "lib.h"
#include "mime-header-source.h"

#define MIME_HEADER_PROP_MAX_NAMES 6

struct mime_header_prop;
typedef enum mime_prop_result
mime_header_prop_get_t(const struct mime_header_prop *prop,
		       struct mime_header_source *source, TALLOC_CTX *mem,
		       struct mapi_value *value_r);

struct mime_header_prop {
	uint32_t tag;
	/* the fields it is made from, the preferred one first */
	const char *names[MIME_HEADER_PROP_MAX_NAMES];
	/* runs in a data stack frame of its own */
	mime_header_prop_get_t *get;
	/* whatever get makes of it */
	int arg;
};

extern const struct mime_header_prop mime_header_props[];
extern const unsigned int mime_header_props_count;

/* mime-header-values.c: one field, one value */
mime_header_prop_get_t mime_header_get_text, mime_header_get_flag,
	mime_header_get_date, mime_header_get_submit_time,
	mime_header_get_importance, mime_header_get_priority,
	mime_header_get_sensitivity, mime_header_get_message_id,
	mime_header_get_auto_response_suppress, mime_header_get_integer,
	mime_header_get_locale, mime_header_get_class,
	mime_header_get_transport_headers;
/* mime-header-addresses.c */
mime_header_prop_get_t mime_header_get_address, mime_header_get_display_list,
	mime_header_get_reply_entries, mime_header_get_reply_names;
/* mime-header-subject.c; arg: enum mime_subject_part */
enum mime_subject_part {
	MIME_SUBJECT_WHOLE,
	MIME_SUBJECT_PREFIX,
	MIME_SUBJECT_NORMALIZED,
};
mime_header_prop_get_t mime_header_get_subject,
	mime_header_get_conversation_topic, mime_header_get_conversation_index,
	mime_header_get_conversation_tracking, mime_header_get_conversation_id;

/* The language tag that mime_header_get_locale() reads as this locale; NULL if it
   knows none. */
const char *mime_header_locale_name(int32_t locale);

/* The time in Date, or when the message was received. MIME_PROP_NOT_FOUND if
   neither is known. */
enum mime_prop_result
mime_header_submit_time(struct mime_header_source *source, uint64_t *time_r);

static inline enum mime_prop_result mime_prop_from_ret(int ret)
{
	return ret > 0 ? MIME_PROP_FOUND :
		(ret == 0 ? MIME_PROP_NOT_FOUND : MIME_PROP_FAILED);
}

#endif
