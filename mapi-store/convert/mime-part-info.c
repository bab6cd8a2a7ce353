/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "str.h"
#include "message-part.h"
#include "message-part-data.h"
#include "mime-part-info.h"
#include "mime-text.h"

#include <ctype.h>

/* longest file name, in bytes of UTF-8; clients have 255 UTF-16 units */
#define MAX_FILENAME_LEN 200
#define MAX_EXTENSION_LEN 20

bool mime_part_is_message(const struct message_part *part)
{
	/* in base64 it's not parsed, whatever its children are */
	return (part->flags & MESSAGE_PART_FLAG_MESSAGE_RFC822) != 0 &&
		part->children != NULL &&
		mime_part_transfer(part) == MIME_TRANSFER_IDENTITY;
}

bool mime_part_is_multipart(const struct message_part *part)
{
	return (part->flags & MESSAGE_PART_FLAG_MULTIPART) != 0 &&
		part->children != NULL;
}

static void
part_get_type(const struct message_part *part, const char **type_r,
	      const char **subtype_r)
{
	const struct message_part_data *data = part->data;

	*type_r = *subtype_r = NULL;
	if (data != NULL && data->content_type != NULL &&
	    *data->content_type != '\0') {
		*type_r = data->content_type;
		*subtype_r = data->content_subtype;
	} else if ((part->flags & MESSAGE_PART_FLAG_MESSAGE_RFC822) != 0) {
		/* the default within a multipart/digest */
		*type_r = "message";
		*subtype_r = "rfc822";
	}
	if (*type_r == NULL) {
		*type_r = "text";
		*subtype_r = "plain";
	} else if (*subtype_r == NULL) {
		*subtype_r = "";
	}
}

bool mime_part_is(const struct message_part *part, const char *type,
		  const char *subtype)
{
	const char *part_type, *part_subtype;

	part_get_type(part, &part_type, &part_subtype);
	return strcasecmp(part_type, type) == 0 &&
		(subtype == NULL || strcasecmp(part_subtype, subtype) == 0);
}

bool mime_part_is_attachment(const struct message_part *part)
{
	return part->data != NULL && part->data->content_disposition != NULL &&
		strcasecmp(part->data->content_disposition, "attachment") == 0;
}

const char *t_mime_part_type(const struct message_part *part)
{
	const char *type, *subtype;
	char *str, *p;

	part_get_type(part, &type, &subtype);
	if (*subtype == '\0')
		return "application/octet-stream";
	str = str_lcase(t_strdup_noconst(
		t_strconcat(type, "/", subtype, NULL)));
	for (p = str; *p != '\0'; p++) {
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			*p = '_';
	}
	return str;
}

const char *t_mime_part_param(const struct message_part *part,
			      const char *name)
{
	if (part->data == NULL)
		return NULL;
	return t_mime_param(part->data->content_type_params,
			    part->data->content_type_params_count, name);
}

const char *t_mime_part_filename(const struct message_part *part)
{
	const struct message_part_data *data = part->data;
	const char *name;

	if (data == NULL)
		return NULL;
	name = t_mime_param(data->content_disposition_params,
			    data->content_disposition_params_count,
			    "filename");
	if (name == NULL)
		name = t_mime_part_param(part, "name");
	return name;
}

enum mime_transfer mime_part_transfer(const struct message_part *part)
{
	return part->data == NULL ? MIME_TRANSFER_IDENTITY :
		mime_transfer_parse(part->data->content_transfer_encoding);
}

const char *mime_filename_extension(const char *name)
{
	const char *p = strrchr(name, '.');

	if (p == NULL || p == name || p[1] == '\0' ||
	    strlen(p) > MAX_EXTENSION_LEN || strchr(p, ' ') != NULL)
		return "";
	return p;
}

char *mime_filename_sanitize(TALLOC_CTX *mem, const char *name)
{
	char *ret;

	T_BEGIN {
		string_t *str = t_str_new(64);
		const char *ext;
		size_t ext_len;

		while (*name == ' ')
			name++;
		for (; *name != '\0'; name++) {
			if ((unsigned char)*name < 0x20 || *name == 0x7f ||
			    strchr("\\/:*?\"<>|", *name) != NULL)
				str_append_c(str, '_');
			else
				str_append_c(str, *name);
		}
		if (str_len(str) > MAX_FILENAME_LEN) {
			ext = t_strdup(mime_filename_extension(str_c(str)));
			ext_len = strlen(ext);
			str_truncate(str, mime_utf8_cut(str_c(str),
					MAX_FILENAME_LEN - ext_len));
			str_append(str, ext);
		}
		/* Windows has no names that end so */
		while (str_len(str) > 0 &&
		       strchr(". ", str_c(str)[str_len(str)-1]) != NULL)
			str_truncate(str, str_len(str)-1);
		ret = mime_strdup(mem, str_c(str));
	} T_END;
	return ret;
}

static void append_short(string_t *dest, const char *str, size_t len,
			 size_t max, bool *changed)
{
	size_t i, start = str_len(dest);

	for (i = 0; i < len && str_len(dest) - start < max; i++) {
		if (i_isalnum(str[i]))
			str_append_c(dest, i_toupper(str[i]));
		else if (strchr("-_$~!#%&{}()@'`^", str[i]) != NULL)
			str_append_c(dest, str[i]);
		else if (((unsigned char)str[i] & 0xc0) != 0x80) {
			/* one for each character */
			if (str[i] != ' ' && str[i] != '.')
				str_append_c(dest, '_');
			*changed = TRUE;
		}
	}
	if (i < len)
		*changed = TRUE;
}

char *mime_filename_short(TALLOC_CTX *mem, const char *name)
{
	char *ret;

	T_BEGIN {
		string_t *base = t_str_new(16), *ext = t_str_new(8);
		const char *dot = mime_filename_extension(name);
		size_t base_len = strlen(name) - strlen(dot);
		bool changed = FALSE;

		append_short(base, name, base_len, 8, &changed);
		if (*dot == '.')
			append_short(ext, dot + 1, strlen(dot) - 1, 3,
				     &changed);
		if (str_len(base) == 0)
			str_append_c(base, '_');
		if (changed) {
			if (str_len(base) > 6)
				str_truncate(base, 6);
			str_append(base, "~1");
		}
		if (str_len(ext) > 0)
			str_printfa(base, ".%s", str_c(ext));
		ret = mime_strdup(mem, str_c(base));
	} T_END;
	return ret;
}

/* where several types have an extension, the one to write is first */
static const char *const extensions[][2] = {
	{ "text/plain", ".txt" },
	{ "text/html", ".htm" },
	{ "text/calendar", ".ics" },
	{ "text/vcard", ".vcf" },
	{ "text/x-vcard", ".vcf" },
	{ "text/csv", ".csv" },
	{ "text/xml", ".xml" },
	{ "text/rtf", ".rtf" },
	{ "text/enriched", ".txt" },
	{ "text/rfc822-headers", ".txt" },
	{ "text/x-patch", ".patch" },
	{ "text/x-diff", ".diff" },
	{ "image/jpeg", ".jpg" },
	{ "image/jpg", ".jpg" },
	{ "image/pjpeg", ".jpg" },
	{ "image/png", ".png" },
	{ "image/x-png", ".png" },
	{ "image/gif", ".gif" },
	{ "image/bmp", ".bmp" },
	{ "image/tiff", ".tif" },
	{ "image/svg+xml", ".svg" },
	{ "image/webp", ".webp" },
	{ "audio/mpeg", ".mp3" },
	{ "audio/wav", ".wav" },
	{ "audio/x-wav", ".wav" },
	{ "video/mp4", ".mp4" },
	{ "video/mpeg", ".mpg" },
	{ "application/pdf", ".pdf" },
	{ "application/zip", ".zip" },
	{ "application/gzip", ".gz" },
	{ "application/rtf", ".rtf" },
	{ "application/json", ".json" },
	{ "application/xml", ".xml" },
	{ "application/msword", ".doc" },
	{ "application/vnd.ms-excel", ".xls" },
	{ "application/vnd.ms-powerpoint", ".ppt" },
	{ "application/ics", ".ics" },
	{ "application/ms-tnef", ".dat" },
	{ "application/pgp-signature", ".asc" },
	{ "application/pgp-keys", ".asc" },
	{ "application/pkcs7-mime", ".p7m" },
	{ "application/x-pkcs7-mime", ".p7m" },
	{ "application/pkcs7-signature", ".p7s" },
	{ "application/x-pkcs7-signature", ".p7s" },
	{ "application/vnd.openxmlformats-officedocument."
	  "wordprocessingml.document", ".docx" },
	{ "application/vnd.openxmlformats-officedocument."
	  "spreadsheetml.sheet", ".xlsx" },
	{ "application/vnd.openxmlformats-officedocument."
	  "presentationml.presentation", ".pptx" },
	{ "application/vnd.oasis.opendocument.text", ".odt" },
	{ "application/vnd.oasis.opendocument.spreadsheet", ".ods" },
	{ "message/rfc822", ".eml" },
	{ "message/delivery-status", ".txt" },
	{ "message/disposition-notification", ".txt" },
	{ "text/html", ".html" },
	{ "image/jpeg", ".jpeg" },
	{ "image/tiff", ".tiff" },
};

const char *mime_type_extension(const char *type)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(extensions); i++) {
		if (strcmp(type, extensions[i][0]) == 0)
			return extensions[i][1];
	}
	return ".bin";
}

const char *mime_extension_type(const char *ext)
{
	unsigned int i;

	for (i = 0; i < N_ELEMENTS(extensions); i++) {
		if (strcasecmp(ext, extensions[i][1]) == 0)
			return extensions[i][0];
	}
	return NULL;
}
