/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPITEST_OUTPUT_H
#define MAPITEST_OUTPUT_H

/* How mapitest writes what servers have said. */

#include "client-error.h"
#include "json-writer.h"

#define MAPITEST_VIOLATIONS "The server's answers aren't as specified:"

/* str (UTF-8, NULL is "") on stdout in at most width columns of one line, what
   doesn't fit as dots; padded with spaces if pad. Control characters become
   spaces. */
void mapitest_put_cell(const char *str, unsigned int width, bool pad);
/* All of str, in one line as well */
void mapitest_put(const char *str);
/* A title and indented lines, nothing if there are no lines */
void mapitest_put_lines(const char *title, const char *const *lines,
			unsigned int count);

/* An object "error" */
void mapitest_json_error(struct json_writer *jw,
			 const struct client_error *error);
void mapitest_json_lines(struct json_writer *jw, const char *key,
			 const char *const *lines, unsigned int count);

#endif
