/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapitest-write.h"
#include "mapi-enums.h"
#include "mapi-props.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CODE_PAGE_UTF8	65001
/* of a file */
#define MAX_FILE	(1024 * 1024 * 1024L)

static int
read_file(TALLOC_CTX *mem, const char *path, uint8_t **data_r, size_t *size_r,
	  struct client_error *error_r)
{
	FILE *f = fopen(path, "r");
	long size = -1;

	if (f == NULL) {
		return client_error_set(error_r, CLIENT_FAIL_LOCAL, "%s: %s",
					path, strerror(errno));
	}
	if (fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	rewind(f);
	if (size < 0 || size > MAX_FILE) {
		fclose(f);
		return client_error_set(error_r, CLIENT_FAIL_LOCAL,
					"%s: no file, or too large", path);
	}
	*data_r = talloc_array(mem, uint8_t, size + 1);
	*size_r = fread(*data_r, 1, size, f);
	if (ferror(f)) {
		fclose(f);
		return client_error_set(error_r, CLIENT_FAIL_LOCAL, "%s: %s",
					path, strerror(errno));
	}
	fclose(f);
	return 0;
}

static int
set_i32(struct client_object *obj, uint32_t tag, int32_t number,
	struct client_error *error_r)
{
	const struct mapi_property prop = {
		.tag = tag, .value = mapi_value_i32(number),
	};

	return client_set_props(obj, &prop, 1, error_r);
}

static int
set_string(struct client_object *obj, uint32_t tag, const char *str,
	   struct client_error *error_r)
{
	const struct mapi_property prop = {
		.tag = tag, .value = mapi_value_str(str),
	};

	return client_set_props(obj, &prop, 1, error_r);
}

/* However long it is */
static int
write_text(struct client_object *message, TALLOC_CTX *mem, const char *text,
	   struct client_error *error_r)
{
	uint8_t *utf16;
	size_t size;

	client_error_step(error_r, "write the text");
	utf16 = mapi_utf8_to_utf16(mem, text, &size);
	return client_set_stream(message, PIDTAG_BODY, utf16, size, error_r);
}

static int
write_html(struct client_object *message, TALLOC_CTX *mem, const char *path,
	   struct client_error *error_r)
{
	uint8_t *data;
	size_t size;

	client_error_step(error_r, "write the HTML");
	if (read_file(mem, path, &data, &size, error_r) < 0 ||
	    set_i32(message, PIDTAG_INTERNET_CODEPAGE, CODE_PAGE_UTF8,
		    error_r) < 0)
		return -1;
	return client_set_stream(message, PIDTAG_HTML, data, size, error_r);
}

static int
write_attachment(struct client_object *message, TALLOC_CTX *mem,
		 const char *path, struct client_error *error_r)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	struct client_object *attachment;
	uint8_t *data;
	size_t size;

	client_error_step(error_r, "attach %s", path);
	if (read_file(mem, path, &data, &size, error_r) < 0 ||
	    client_attachment_create(message, mem, &attachment, error_r) < 0 ||
	    set_i32(attachment, PIDTAG_ATTACH_METHOD, ATTACH_METHOD_BY_VALUE,
		    error_r) < 0 ||
	    set_string(attachment, PIDTAG_ATTACH_LONG_FILENAME, name,
		       error_r) < 0 ||
	    client_set_stream(attachment, PIDTAG_ATTACH_DATA_BINARY, data,
			      size, error_r) < 0)
		return -1;
	return client_attachment_save(attachment, message, error_r);
}

/* PidNameKeywords */
static int
write_categories(struct client_logon *logon, struct client_object *message,
		 const struct write_content *content,
		 struct client_error *error_r)
{
	struct mapi_property_name name = {
		.kind = MAPI_NAME_STRING, .name = PIDNAME_KEYWORDS,
	};
	struct mapi_property prop = {
		.value.type = PTYP_MULTIPLE_STRING,
		.value.u.mv.count = content->category_count,
		.value.u.mv.v.str = content->categories,
	};
	uint16_t id;

	client_error_step(error_r, "write the categories");
	name.guid = PIDNAME_KEYWORDS_PSET;
	if (client_named_property(logon, &name, &id, error_r) < 0)
		return -1;
	prop.tag = MAPI_TAG_AS((uint32_t)id << 16, PTYP_MULTIPLE_STRING);
	return client_set_props(message, &prop, 1, error_r);
}

static int
write_recipients(struct client_object *message,
		 const struct write_content *content,
		 struct client_error *error_r)
{
	client_error_step(error_r, "write the recipients");
	if (client_remove_recipients(message, error_r) < 0)
		return -1;
	return client_add_recipients(message, 0, content->recipients,
				     content->recipient_count, error_r);
}

int write_message_content(struct client_logon *logon,
			  struct client_object *message,
			  const struct write_content *content,
			  struct client_error *error_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	unsigned int i;
	int ret = 0;

	if (content->recipient_count > 0)
		ret = write_recipients(message, content, error_r);
	if (ret == 0 && content->subject != NULL) {
		client_error_step(error_r, "write the subject");
		ret = set_string(message, PIDTAG_SUBJECT, content->subject,
				 error_r);
	}
	if (ret == 0 && content->text != NULL)
		ret = write_text(message, mem, content->text, error_r);
	if (ret == 0 && content->html_file != NULL)
		ret = write_html(message, mem, content->html_file, error_r);
	for (i = 0; ret == 0 && i < content->attach_count; i++) {
		ret = write_attachment(message, mem, content->attach[i],
				       error_r);
	}
	if (ret == 0 && content->category_count > 0)
		ret = write_categories(logon, message, content, error_r);
	if (ret == 0 && content->flag != 0) {
		client_error_step(error_r, "write the follow-up flag");
		ret = set_i32(message, PIDTAG_FLAG_STATUS, content->flag > 0 ?
			      FOLLOWUP_FLAGGED : 0, error_r);
	}
	talloc_free(mem);
	return ret;
}
