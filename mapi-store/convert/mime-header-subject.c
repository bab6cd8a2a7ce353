/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Subject and conversation.

   Outlook and Exchange put a conversation's GUID into Thread-Index; nobody else
   hands it on, so that replies written with other programs lack it. To keep a
   conversation together all the same, messages belong to it by its topic:
   PidTagConversationIndexTracking is FALSE, and PidTagConversationId the hash of
   PidTagConversationTopic, [MS-OXOMSG] 2.2.1.2. Only where there's no topic the
   GUID is used. */

#include "lib.h"
#include "str.h"
#include "base64.h"
#include "md5.h"
#include "unichar.h"
#include "mapi-convindex.h"
#include "mapi-wire.h"
#include "mime-headers-private.h"
#include "mime-text.h"
#include "mime-transfer.h"

#include <ctype.h>

/* [MS-OXCMAIL] 2.2.3.2.6.1: up to this many characters before the colon */
#define MAX_PREFIX_CHARS 3
/* [MS-OXOMSG] 2.2.1.2 */
#define TOPIC_HASH_UNITS 255

/* Where the subject without its prefix begins. *prefix_r is on the data stack,
   "" if there's none. */
static const char *
subject_split(const char *subject, const char **prefix_r)
{
	const char *p = subject, *rest;
	unsigned int chars;
	unichar_t chr;
	int len;

	*prefix_r = "";
	for (chars = 0; chars <= MAX_PREFIX_CHARS; chars++) {
		if (*p == ':')
			break;
		if (*p == '\0' || *p == ' ' || i_isdigit(*p))
			return subject;
		len = uni_utf8_get_char(p, &chr);
		if (len <= 0)
			return subject;
		p += len;
	}
	if (chars == 0 || chars > MAX_PREFIX_CHARS)
		return subject;
	rest = p + 1;
	if (*rest != ' ' && *rest != '\0') {
		/* The specification takes "a:b" for a prefix, too. Clients and
		   [MS-OXCMSG] 3.2.5.2 want a blank. */
		return subject;
	}
	while (*rest == ' ')
		rest++;
	*prefix_r = t_strconcat(t_strdup_until(subject, p), ": ", NULL);
	return rest;
}

enum mime_prop_result
mime_header_get_subject(const struct mime_header_prop *prop,
			struct mime_header_source *source, TALLOC_CTX *mem,
			struct mapi_value *value_r)
{
	const char *raw, *subject, *prefix, *value = NULL;
	int ret;

	ret = mime_header_first(source, "Subject", &raw);
	if (ret < 0)
		return MIME_PROP_FAILED;
	/* a message without Subject has an empty one */
	subject = ret == 0 ? "" : t_mime_text_decode(raw);
	switch ((enum mime_subject_part)prop->arg) {
	case MIME_SUBJECT_WHOLE:
		value = subject;
		break;
	case MIME_SUBJECT_PREFIX:
		(void)subject_split(subject, &prefix);
		value = prefix;
		break;
	case MIME_SUBJECT_NORMALIZED:
		value = subject_split(subject, &prefix);
		break;
	}
	*value_r = mapi_value_str(mime_strdup(mem, value));
	return MIME_PROP_FOUND;
}

/* [MS-OXCMAIL] 2.2.3.2.7. On the data stack. 0 if there's none */
static int get_topic(struct mime_header_source *source, const char **topic_r)
{
	const char *raw, *prefix;
	int ret;

	ret = mime_header_first(source, "Thread-Topic", &raw);
	if (ret < 0)
		return -1;
	if (ret > 0) {
		*topic_r = t_mime_text_decode(raw);
		if (**topic_r != '\0')
			return 1;
	}
	ret = mime_header_first(source, "Subject", &raw);
	if (ret <= 0)
		return ret;
	*topic_r = subject_split(t_mime_text_decode(raw), &prefix);
	return **topic_r == '\0' ? 0 : 1;
}

/* On mem. 0 if there's none that is valid. */
static int
get_thread_index(struct mime_header_source *source, TALLOC_CTX *mem,
		 struct mapi_binary *bin_r)
{
	struct mapi_convindex index;
	const char *raw;
	buffer_t *buf;
	int ret;

	ret = mime_header_first(source, "Thread-Index", &raw);
	if (ret <= 0)
		return ret;
	buf = t_buffer_create(64);
	mime_filter_run(mime_transfer_filter(MIME_TRANSFER_BASE64),
			raw, strlen(raw), buf);
	bin_r->data = buf->data;
	bin_r->len = buf->used;
	if (!mapi_convindex_parse(bin_r, &index))
		return 0;
	bin_r->data = mime_check_alloc(talloc_memdup(mem, buf->data,
						     buf->used));
	return 1;
}

/* [MS-OXOMSG] 2.2.1.2 */
static void topic_hash(const char *topic, struct mapi_guid *guid_r)
{
	buffer_t *upper = t_buffer_create(256);
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint8_t *utf16;
	unichar_t chr;
	size_t size;
	int len;

	while (*topic != '\0') {
		len = uni_utf8_get_char(topic, &chr);
		if (len <= 0)
			break;
		topic += len;
		uni_ucs4_to_utf8_c(uni_ucs4_to_titlecase(chr), upper);
	}
	utf16 = mime_check_alloc(mapi_utf8_to_utf16(tmp, str_c(upper), &size));
	md5_get_digest(utf16, I_MIN(size, TOPIC_HASH_UNITS * 2),
		       guid_r->bytes);
	talloc_free(tmp);
}

enum mime_prop_result
mime_header_get_conversation_topic(const struct mime_header_prop *prop,
				   struct mime_header_source *source,
				   TALLOC_CTX *mem, struct mapi_value *value_r)
{
	const char *topic;
	int ret;

	ret = get_topic(source, &topic);
	if (ret > 0)
		*value_r = mapi_value_str(mime_strdup(mem, topic));
	return mime_prop_from_ret(ret);
}

/* PidTagConversationIndex: Thread-Index, else a header of the message's time and
   the conversation's hash. */
enum mime_prop_result
mime_header_get_conversation_index(const struct mime_header_prop *prop,
				   struct mime_header_source *source,
				   TALLOC_CTX *mem, struct mapi_value *value_r)
{
	struct mapi_guid guid;
	const char *topic, *raw;
	uint64_t filetime = 0;
	int ret;

	value_r->type = PTYP_BINARY;
	ret = get_thread_index(source, mem, &value_r->u.bin);
	if (ret != 0)
		return mime_prop_from_ret(ret);

	ret = get_topic(source, &topic);
	if (ret > 0)
		topic_hash(topic, &guid);
	else if (ret == 0) {
		ret = mime_header_first(source, "Message-ID", &raw);
		if (ret > 0)
			md5_get_digest(raw, strlen(raw), guid.bytes);
	}
	if (ret <= 0)
		return mime_prop_from_ret(ret);
	if (mime_header_submit_time(source, &filetime) == MIME_PROP_FAILED)
		return MIME_PROP_FAILED;
	value_r->u.bin = mapi_convindex_build(mem, filetime, &guid);
	return MIME_PROP_FOUND;
}

static int
get_tracking(struct mime_header_source *source, TALLOC_CTX *tmp,
	     struct mapi_convindex *index_r)
{
	struct mapi_binary bin;
	const char *topic;
	int ret;

	ret = get_topic(source, &topic);
	if (ret != 0)
		return ret < 0 ? -1 : 0;
	ret = get_thread_index(source, tmp, &bin);
	return ret <= 0 ? ret :
		(mapi_convindex_parse(&bin, index_r) ? 1 : 0);
}

enum mime_prop_result
mime_header_get_conversation_tracking(const struct mime_header_prop *prop,
				      struct mime_header_source *source,
				      TALLOC_CTX *mem,
				      struct mapi_value *value_r)
{
	struct mapi_convindex index;
	TALLOC_CTX *tmp = talloc_new(NULL);
	int ret;

	ret = get_tracking(source, tmp, &index);
	talloc_free(tmp);
	if (ret < 0)
		return MIME_PROP_FAILED;
	*value_r = mapi_value_bool(ret > 0);
	return MIME_PROP_FOUND;
}

enum mime_prop_result
mime_header_get_conversation_id(const struct mime_header_prop *prop,
				struct mime_header_source *source,
				TALLOC_CTX *mem, struct mapi_value *value_r)
{
	struct mapi_convindex index;
	TALLOC_CTX *tmp = talloc_new(NULL);
	const char *topic;
	int ret;

	i_zero(&index);
	ret = get_topic(source, &topic);
	if (ret > 0)
		topic_hash(topic, &index.guid);
	else if (ret == 0)
		ret = get_tracking(source, tmp, &index);
	talloc_free(tmp);
	if (ret <= 0)
		return mime_prop_from_ret(ret);
	*value_r = mapi_value_bin(mime_check_alloc(talloc_memdup(mem,
		index.guid.bytes, sizeof(index.guid.bytes))),
		sizeof(index.guid.bytes));
	return MIME_PROP_FOUND;
}
