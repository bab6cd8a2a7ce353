/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json-writer.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

void jw_init(struct json_writer *jw, FILE *f)
{
	memset(jw, 0, sizeof(*jw));
	jw->f = f;
}

/* Length of the UTF-8 character at s, 0 if there's none. */
static size_t utf8_char(const char *s)
{
	const uint8_t *p = (const uint8_t *)s;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		return (p[1] & 0xc0) == 0x80 ? 2 : 0;
	if ((p[0] & 0xf0) == 0xe0) {
		if ((p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 ||
		    (p[0] == 0xe0 && p[1] < 0xa0) ||
		    (p[0] == 0xed && p[1] > 0x9f))
			return 0;
		return 3;
	}
	if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		if ((p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 ||
		    (p[3] & 0xc0) != 0x80 || (p[0] == 0xf0 && p[1] < 0x90) ||
		    (p[0] == 0xf4 && p[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}

static void jw_text(struct json_writer *jw, const char *str)
{
	size_t len;

	putc('"', jw->f);
	for (; *str != '\0'; str += len) {
		unsigned char c = *str;

		len = utf8_char(str);
		if (len == 0) {
			fputs("\\ufffd", jw->f);
			len = 1;
		} else if (c == '"' || c == '\\') {
			fprintf(jw->f, "\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			fprintf(jw->f, "\\u%04x", c);
		} else {
			fwrite(str, 1, len, jw->f);
		}
	}
	putc('"', jw->f);
}

static void jw_begin(struct json_writer *jw, const char *key)
{
	unsigned int i;

	if (jw->filled[jw->depth])
		putc(',', jw->f);
	jw->filled[jw->depth] = true;
	if (jw->depth > 0) {
		putc('\n', jw->f);
		for (i = 0; i < jw->depth; i++)
			putc(' ', jw->f);
	}
	if (key != NULL) {
		jw_text(jw, key);
		fputs(": ", jw->f);
	}
}

static void jw_open(struct json_writer *jw, const char *key, char c)
{
	jw_begin(jw, key);
	putc(c, jw->f);
	jw->depth++;
	assert(jw->depth < sizeof(jw->filled) / sizeof(jw->filled[0]));
	jw->filled[jw->depth] = false;
}

static void jw_close(struct json_writer *jw, char c)
{
	assert(jw->depth > 0);
	jw->depth--;
	putc(c, jw->f);
	if (jw->depth == 0)
		putc('\n', jw->f);
}

void jw_open_object(struct json_writer *jw, const char *key)
{
	jw_open(jw, key, '{');
}

void jw_open_array(struct json_writer *jw, const char *key)
{
	jw_open(jw, key, '[');
}

void jw_close_object(struct json_writer *jw)
{
	jw_close(jw, '}');
}

void jw_close_array(struct json_writer *jw)
{
	jw_close(jw, ']');
}

void jw_string(struct json_writer *jw, const char *key, const char *str)
{
	jw_begin(jw, key);
	if (str == NULL)
		fputs("null", jw->f);
	else
		jw_text(jw, str);
}

void jw_number(struct json_writer *jw, const char *key, int64_t number)
{
	jw_begin(jw, key);
	fprintf(jw->f, "%" PRId64, number);
}

void jw_double(struct json_writer *jw, const char *key, double number)
{
	jw_begin(jw, key);
	fprintf(jw->f, "%.6f", number);
}

void jw_bool(struct json_writer *jw, const char *key, bool value)
{
	jw_begin(jw, key);
	fputs(value ? "true" : "false", jw->f);
}

void jw_id(struct json_writer *jw, const char *key, uint64_t id)
{
	jw_begin(jw, key);
	fprintf(jw->f, "\"0x%016" PRIx64 "\"", id);
}

void jw_hex(struct json_writer *jw, const char *key, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t i;

	jw_begin(jw, key);
	putc('"', jw->f);
	for (i = 0; i < len; i++)
		fprintf(jw->f, "%02x", p[i]);
	putc('"', jw->f);
}
