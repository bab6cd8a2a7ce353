/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mapitest-output.h"

#include <limits.h>
#include <stdio.h>

/* The character at p and how many bytes it has. */
static uint32_t utf8_decode(const unsigned char *p, unsigned int *len_r)
{
	uint32_t c = *p < 0xc0 ? *p : *p & (*p < 0xe0 ? 0x1f :
					    *p < 0xf0 ? 0x0f : 0x07);

	for (*len_r = 1; *p >= 0xc0 && (p[*len_r] & 0xc0) == 0x80; ++*len_r)
		c = c << 6 | (p[*len_r] & 0x3f);
	return c;
}

/* Columns that terminals give a character: 2 for those of East Asia and
   pictures, 0 for what combines with the one before. */
static unsigned int char_width(uint32_t c)
{
	if ((c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0xfe00 && c <= 0xfe0f))
		return 0;
	if ((c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
	    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	    (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
	    (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
	    (c >= 0x20000 && c <= 0x3fffd))
		return 2;
	return 1;
}

void mapitest_put_cell(const char *str, unsigned int width, bool pad)
{
	const unsigned char *p = (const unsigned char *)(str == NULL ? "" : str);
	unsigned int len, total = 0, used = 0, i, room;
	uint32_t c;

	for (i = 0; p[i] != '\0'; i += len)
		total += char_width(utf8_decode(p + i, &len));
	/* what doesn't fit becomes dots */
	room = total > width ? width - 1 : width;
	for (; *p != '\0'; p += len) {
		c = utf8_decode(p, &len);
		if (used + char_width(c) > room)
			break;
		used += char_width(c);
		/* control characters of C0 and C1 stay here */
		if (c < ' ' || (c >= 127 && c < 160))
			putchar(' ');
		else
			fwrite(p, 1, len, stdout);
	}
	if (total > width) {
		fputs("\xe2\x80\xa6", stdout);
		used++;
	}
	for (; pad && used < width; used++)
		putchar(' ');
}

void mapitest_put(const char *str)
{
	mapitest_put_cell(str, UINT_MAX, false);
}

void mapitest_put_lines(const char *title, const char *const *lines,
			unsigned int count)
{
	if (count > 0)
		printf("\n%s\n", title);
	for (unsigned int i = 0; i < count; i++) {
		fputs("  ", stdout);
		mapitest_put(lines[i]);
		putchar('\n');
	}
}

void mapitest_json_error(struct json_writer *jw,
			 const struct client_error *error)
{
	jw_open_object(jw, "error");
	jw_string(jw, "failure", client_failure_name(error->failure));
	jw_string(jw, "step", error->step);
	jw_string(jw, "request", error->request);
	jw_string(jw, "rop", error->rop);
	jw_number(jw, "http_status", error->http_status);
	jw_number(jw, "response_code", error->response_code);
	jw_number(jw, "code", error->ec);
	jw_string(jw, "text", error->text);
	jw_string(jw, "advice", client_error_advice(error));
	jw_close_object(jw);
}

void mapitest_json_lines(struct json_writer *jw, const char *key,
			 const char *const *lines, unsigned int count)
{
	jw_open_array(jw, key);
	for (unsigned int i = 0; i < count; i++)
		jw_string(jw, NULL, lines[i]);
	jw_close_array(jw);
}
