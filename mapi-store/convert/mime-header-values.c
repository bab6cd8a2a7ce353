/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Properties that are one header field's value. [MS-OXCMAIL] 2.2.3.2 */

#include "lib.h"
#include "str.h"
#include "istream.h"
#include "message-date.h"
#include "message-part.h"
#include "message-part-data.h"
#include "mime-charset.h"
#include "mime-class.h"
#include "mime-headers-private.h"
#include "mime-parts.h"
#include "mime-text.h"

struct word_value {
	const char *word;
	int32_t value;
};

/* the first of the property's fields that has a value */
static int
first_value(const struct mime_header_prop *prop,
	    struct mime_header_source *source, const char **value_r)
{
	unsigned int i;
	int ret;

	for (i = 0; i < N_ELEMENTS(prop->names) && prop->names[i] != NULL;
	     i++) {
		ret = mime_header_first(source, prop->names[i], value_r);
		if (ret != 0)
			return ret;
	}
	return 0;
}

static bool
word_find(const struct word_value *words, unsigned int count, const char *raw,
	  int32_t *value_r)
{
	const char *token = t_mime_token(raw);
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (strcasecmp(token, words[i].word) == 0) {
			*value_r = words[i].value;
			return TRUE;
		}
	}
	return FALSE;
}

enum mime_prop_result
mime_header_get_text(const struct mime_header_prop *prop,
		     struct mime_header_source *source, TALLOC_CTX *mem,
		     struct mapi_value *value_r)
{
	const char *raw, *value;
	int ret;

	ret = first_value(prop, source, &raw);
	if (ret <= 0)
		return mime_prop_from_ret(ret);
	value = t_mime_text_decode(raw);
	if (*value == '\0')
		return MIME_PROP_NOT_FOUND;
	*value_r = mapi_value_str(mime_strdup(mem, value));
	return MIME_PROP_FOUND;
}

/* TRUE if the field is there */
enum mime_prop_result
mime_header_get_flag(const struct mime_header_prop *prop,
		     struct mime_header_source *source, TALLOC_CTX *mem,
		     struct mapi_value *value_r)
{
	const char *raw;
	int ret;

	ret = first_value(prop, source, &raw);
	if (ret < 0)
		return MIME_PROP_FAILED;
	*value_r = mapi_value_bool(ret > 0 &&
				   *t_mime_text_decode(raw) != '\0');
	return MIME_PROP_FOUND;
}

enum mime_prop_result
mime_header_get_date(const struct mime_header_prop *prop,
		     struct mime_header_source *source, TALLOC_CTX *mem,
		     struct mapi_value *value_r)
{
	const char *raw;
	time_t timestamp;
	int ret, zone;

	ret = first_value(prop, source, &raw);
	if (ret <= 0)
		return mime_prop_from_ret(ret);
	if (!message_date_parse((const unsigned char *)raw, strlen(raw),
				&timestamp, &zone))
		return MIME_PROP_NOT_FOUND;
	*value_r = mapi_value_time(mapi_time_from_unix(timestamp, 0));
	return MIME_PROP_FOUND;
}

enum mime_prop_result
mime_header_submit_time(struct mime_header_source *source, uint64_t *time_r)
{
	const char *raw;
	time_t timestamp;
	int ret, zone;

	ret = mime_header_first(source, "Date", &raw);
	if (ret < 0)
		return MIME_PROP_FAILED;
	if (ret > 0 &&
	    message_date_parse((const unsigned char *)raw, strlen(raw),
			       &timestamp, &zone))
		*time_r = mapi_time_from_unix(timestamp, 0);
	else if (source->received != 0)
		*time_r = mapi_time_from_unix(source->received, 0);
	else
		return MIME_PROP_NOT_FOUND;
	return MIME_PROP_FOUND;
}

enum mime_prop_result
mime_header_get_submit_time(const struct mime_header_prop *prop,
			    struct mime_header_source *source, TALLOC_CTX *mem,
			    struct mapi_value *value_r)
{
	enum mime_prop_result ret;
	uint64_t filetime;

	ret = mime_header_submit_time(source, &filetime);
	if (ret == MIME_PROP_FOUND)
		*value_r = mapi_value_time(filetime);
	return ret;
}

/* [MS-OXCMAIL] 2.2.3.2.5. The fields' words don't collide, so one table does
   for all of them. "1 (Highest)" is usual in X-Priority. */
enum mime_prop_result
mime_header_get_importance(const struct mime_header_prop *prop,
			   struct mime_header_source *source, TALLOC_CTX *mem,
			   struct mapi_value *value_r)
{
	static const struct word_value words[] = {
		{ "low", 0 }, { "normal", 1 }, { "high", 2 },
		{ "5", 0 }, { "4", 0 }, { "3", 1 }, { "2", 2 }, { "1", 2 },
		{ "non-urgent", 0 }, { "urgent", 2 },
	};
	const char *raw;
	int32_t importance;
	unsigned int i;
	int ret;

	for (i = 0; i < N_ELEMENTS(prop->names) && prop->names[i] != NULL;
	     i++) {
		ret = mime_header_first(source, prop->names[i], &raw);
		if (ret < 0)
			return MIME_PROP_FAILED;
		if (ret > 0 && word_find(words, N_ELEMENTS(words), raw,
					 &importance)) {
			*value_r = mapi_value_i32(importance);
			return MIME_PROP_FOUND;
		}
	}
	*value_r = mapi_value_i32(1);
	return MIME_PROP_FOUND;
}

static enum mime_prop_result
get_word(const struct mime_header_prop *prop,
	 struct mime_header_source *source, const struct word_value *words,
	 unsigned int count, struct mapi_value *value_r)
{
	const char *raw;
	int32_t value = 0;
	int ret;

	ret = first_value(prop, source, &raw);
	if (ret < 0)
		return MIME_PROP_FAILED;
	if (ret == 0 || !word_find(words, count, raw, &value))
		value = 0;
	*value_r = mapi_value_i32(value);
	return MIME_PROP_FOUND;
}

/* [MS-OXOMSG] 2.2.1.12 */
enum mime_prop_result
mime_header_get_priority(const struct mime_header_prop *prop,
			 struct mime_header_source *source, TALLOC_CTX *mem,
			 struct mapi_value *value_r)
{
	static const struct word_value words[] = {
		{ "non-urgent", -1 }, { "normal", 0 }, { "urgent", 1 },
	};
	return get_word(prop, source, words, N_ELEMENTS(words), value_r);
}

/* [MS-OXCMAIL] 2.2.3.2.4 */
enum mime_prop_result
mime_header_get_sensitivity(const struct mime_header_prop *prop,
			    struct mime_header_source *source, TALLOC_CTX *mem,
			    struct mapi_value *value_r)
{
	static const struct word_value words[] = {
		{ "normal", 0 }, { "personal", 1 }, { "private", 2 },
		{ "company-confidential", 3 },
	};
	return get_word(prop, source, words, N_ELEMENTS(words), value_r);
}

/* PidTagInternetMessageId has the angle brackets, [MS-OXOMSG] 2.2.1.11 */
enum mime_prop_result
mime_header_get_message_id(const struct mime_header_prop *prop,
			   struct mime_header_source *source, TALLOC_CTX *mem,
			   struct mapi_value *value_r)
{
	const char *raw, *value, *end;
	int ret;

	ret = first_value(prop, source, &raw);
	if (ret <= 0)
		return mime_prop_from_ret(ret);
	value = t_mime_text_decode(raw);
	if (*value == '<' && (end = strchr(value, '>')) != NULL)
		value = t_strdup_until(value, end + 1);
	if (*value == '\0')
		return MIME_PROP_NOT_FOUND;
	*value_r = mapi_value_str(mime_strdup(mem, value));
	return MIME_PROP_FOUND;
}

/* [MS-OXCMAIL] 2.2.3.2.14 */
enum mime_prop_result
mime_header_get_auto_response_suppress(const struct mime_header_prop *prop,
				       struct mime_header_source *source,
				       TALLOC_CTX *mem,
				       struct mapi_value *value_r)
{
	static const struct word_value words[] = {
		{ "none", 0 }, { "all", -1 }, { "dr", 0x01 }, { "ndr", 0x02 },
		{ "rn", 0x04 }, { "nrn", 0x08 }, { "oof", 0x10 },
		{ "autoreply", 0x20 },
	};
	const char *raw, *const *flags;
	int32_t value = 0, flag;
	int ret;

	ret = first_value(prop, source, &raw);
	if (ret <= 0)
		return mime_prop_from_ret(ret);
	for (flags = t_strsplit(raw, ","); *flags != NULL; flags++) {
		if (word_find(words, N_ELEMENTS(words), *flags, &flag))
			value |= flag;
	}
	*value_r = mapi_value_i32(value);
	return MIME_PROP_FOUND;
}

enum mime_prop_result
mime_header_get_integer(const struct mime_header_prop *prop,
			struct mime_header_source *source, TALLOC_CTX *mem,
			struct mapi_value *value_r)
{
	const char *raw;
	int32_t value;
	int ret;

	ret = first_value(prop, source, &raw);
	if (ret <= 0)
		return mime_prop_from_ret(ret);
	if (str_to_int32(t_mime_token(raw), &value) < 0)
		return MIME_PROP_NOT_FOUND;
	*value_r = mapi_value_i32(value);
	return MIME_PROP_FOUND;
}

/* [MS-LCID] 2.2; of several names the one to write is first */
static const struct word_value locales[] = {
	{ "en-us", 0x0409 }, { "en", 0x0409 }, { "en-gb", 0x0809 },
	{ "en-ca", 0x1009 }, { "en-au", 0x0c09 },
	{ "de-de", 0x0407 }, { "de", 0x0407 }, { "de-at", 0x0c07 },
	{ "de-ch", 0x0807 }, { "fr-fr", 0x040c }, { "fr", 0x040c },
	{ "fr-ca", 0x0c0c }, { "fr-ch", 0x100c }, { "fr-be", 0x080c },
	{ "es-es", 0x0c0a }, { "es", 0x0c0a }, { "es-mx", 0x080a },
	{ "it-it", 0x0410 }, { "it", 0x0410 }, { "nl-nl", 0x0413 },
	{ "nl", 0x0413 }, { "nl-be", 0x0813 }, { "pt-pt", 0x0816 },
	{ "pt-br", 0x0416 }, { "pt", 0x0416 }, { "pl-pl", 0x0415 },
	{ "pl", 0x0415 }, { "cs-cz", 0x0405 }, { "cs", 0x0405 },
	{ "sk-sk", 0x041b }, { "sk", 0x041b }, { "hu-hu", 0x040e },
	{ "hu", 0x040e }, { "ru-ru", 0x0419 }, { "ru", 0x0419 },
	{ "uk-ua", 0x0422 }, { "uk", 0x0422 }, { "da-dk", 0x0406 },
	{ "da", 0x0406 }, { "sv-se", 0x041d }, { "sv", 0x041d },
	{ "nb-no", 0x0414 }, { "no", 0x0414 }, { "fi-fi", 0x040b },
	{ "fi", 0x040b }, { "el-gr", 0x0408 }, { "el", 0x0408 },
	{ "tr-tr", 0x041f }, { "tr", 0x041f }, { "he-il", 0x040d },
	{ "he", 0x040d }, { "ar-sa", 0x0401 }, { "ar", 0x0401 },
	{ "ja-jp", 0x0411 }, { "ja", 0x0411 }, { "ko-kr", 0x0412 },
	{ "ko", 0x0412 }, { "zh-cn", 0x0804 }, { "zh-tw", 0x0404 },
	{ "zh-hk", 0x0c04 }, { "zh", 0x0804 },
};

const char *mime_header_locale_name(int32_t locale)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(locales); i++) {
		if (locales[i].value == locale)
			return locales[i].word;
	}
	return NULL;
}

/* [MS-OXCMAIL] 2.2.3.2.19: the locale of the first language */
enum mime_prop_result
mime_header_get_locale(const struct mime_header_prop *prop,
		       struct mime_header_source *source, TALLOC_CTX *mem,
		       struct mapi_value *value_r)
{
	const char *raw;
	int32_t locale;
	int ret;

	ret = first_value(prop, source, &raw);
	if (ret <= 0)
		return mime_prop_from_ret(ret);
	if (!word_find(locales, N_ELEMENTS(locales),
		       t_strcut(raw, ','), &locale))
		return MIME_PROP_NOT_FOUND;
	*value_r = mapi_value_i32(locale);
	return MIME_PROP_FOUND;
}

enum mime_prop_result
mime_header_get_class(const struct mime_header_prop *prop,
		      struct mime_header_source *source, TALLOC_CTX *mem,
		      struct mapi_value *value_r)
{
	struct message_part part;
	struct message_part_data data;
	const char *raw, *class;
	unsigned int i;
	int ret;

	i_zero(&part);
	i_zero(&data);
	part.data = &data;
	for (i = 0; i < N_ELEMENTS(prop->names) && prop->names[i] != NULL;
	     i++) {
		ret = mime_header_first(source, prop->names[i], &raw);
		if (ret < 0)
			return MIME_PROP_FAILED;
		if (ret > 0) {
			mime_part_data_parse(pool_datastack_create(), &data,
					     prop->names[i], raw);
		}
	}
	class = mime_class_from_header(&part);
	if (class == NULL)
		return MIME_PROP_NEED_MESSAGE;
	*value_r = mapi_value_str(mime_strdup(mem, class));
	return MIME_PROP_FOUND;
}

/* [MS-OXOMSG] 2.2.1.61: the header as it is, as text */
enum mime_prop_result
mime_header_get_transport_headers(const struct mime_header_prop *prop,
				  struct mime_header_source *source,
				  TALLOC_CTX *mem, struct mapi_value *value_r)
{
	struct istream *input;
	string_t *raw, *text;
	const unsigned char *data;
	size_t i;

	if (source->get_header == NULL)
		return MIME_PROP_NEED_MESSAGE;
	if (source->get_header(source, &input) < 0)
		return MIME_PROP_FAILED;
	raw = t_str_new(4096);
	if (mime_header_read(input, 0, raw) < 0)
		return MIME_PROP_FAILED;

	text = t_str_new(str_len(raw) + 256);
	data = str_data(raw);
	for (i = 0; i < str_len(raw); i++) {
		if (data[i] == '\r' && i + 1 < str_len(raw) &&
		    data[i+1] == '\n')
			continue;
		if (data[i] == '\n')
			str_append_c(text, '\r');
		str_append_c(text, data[i]);
	}
	str_truncate(raw, 0);
	mime_charset_to_utf8(NULL, str_data(text), str_len(text), raw);
	*value_r = mapi_value_str(mime_strdup(mem, str_c(raw)));
	return MIME_PROP_FOUND;
}
