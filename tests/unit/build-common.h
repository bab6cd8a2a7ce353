/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUILD_COMMON_H
#define BUILD_COMMON_H

/* For tests of mime_build(). */

#include "lib.h"
#include "buffer.h"
#include "mime-build.h"
#include "mime-content.h"

#define BUILD_TEST_NOW 1704067200	/* 2024-01-01T00:00:00Z */

/* What is written for content, in a default_pool buffer. params may be NULL. */
buffer_t *test_build(const struct mapi_content *content,
		     const struct mime_build_params *params);
/* The same as a string on the data stack, checked with test_message_check();
   content is freed. */
const char *t_test_build(struct mapi_content *content);
/* Its header up to MIME-Version, without the Date of BUILD_TEST_NOW */
const char *t_test_build_header(struct mapi_content *content,
				const struct mime_build_params *params);
/* What a message says; its streams live as long as parent, and data. */
struct mapi_content *test_derive(TALLOC_CTX *parent, const void *data,
				 size_t size);

/* on NULL: free its parent */
struct mapi_content *t_derive_message(const char *message);

void test_set_str(struct mapi_propset *props, uint32_t tag, const char *str);
void test_set_int(struct mapi_propset *props, uint32_t tag, int32_t i);
void test_set_bin(struct mapi_propset *props, uint32_t tag, const void *data,
		  size_t size);
/* By value. name and type may be NULL. */
struct mapi_content_attachment *
test_add_file(struct mapi_content *content, const char *name, const char *type,
	      const void *data, size_t size);
void test_assert_has(const char *message, const char *text);
void test_assert_hasnt(const char *message, const char *text);

/* What differs between two contents, each on a line, appended to dest.
   ignore_tags: 0-terminated, may be NULL */
void test_content_diff(const struct mapi_content *a,
		       const struct mapi_content *b,
		       const uint32_t *ignore_tags, string_t *dest);

/* What holds for all messages: CRLF line ends, lines of at most 998 bytes, a
   header of fields only, ASCII unless an address isn't. NULL or what is wrong. */
const char *test_message_check(const buffer_t *message);

#endif
