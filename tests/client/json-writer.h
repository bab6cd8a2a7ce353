/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JSON_WRITER_H
#define JSON_WRITER_H

/* Writes JSON, RFC 8259: commas and escapes are done here, nesting is the
   caller's. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json_writer {
	FILE *f;
	unsigned int depth;
	/* something was written in this object or array already */
	bool filled[32];
};

void jw_init(struct json_writer *jw, FILE *f);
/* key: NULL in arrays and at the top */
void jw_open_object(struct json_writer *jw, const char *key);
void jw_open_array(struct json_writer *jw, const char *key);
void jw_close_object(struct json_writer *jw);
void jw_close_array(struct json_writer *jw);
/* str: UTF-8, NULL gives null. What isn't UTF-8 becomes U+FFFD. */
void jw_string(struct json_writer *jw, const char *key, const char *str);
void jw_number(struct json_writer *jw, const char *key, int64_t number);
void jw_double(struct json_writer *jw, const char *key, double number);
void jw_bool(struct json_writer *jw, const char *key, bool value);
/* "0x..." with 16 digits, for ids */
void jw_id(struct json_writer *jw, const char *key, uint64_t id);
/* lower case hex */
void jw_hex(struct json_writer *jw, const char *key, const void *data, size_t len);

#endif
