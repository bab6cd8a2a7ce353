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
/* What a message says; its streams live as long as parent, and data. */
struct mapi_content *test_derive(TALLOC_CTX *parent, const void *data,
				 size_t size);

/* What differs between two contents, each on a line, appended to dest.
   ignore_tags: 0-terminated, may be NULL */
void test_content_diff(const struct mapi_content *a,
		       const struct mapi_content *b,
		       const uint32_t *ignore_tags, string_t *dest);

/* What holds for all messages: CRLF line ends, lines of at most 998 bytes, a
   header of fields only, ASCII unless an address isn't. NULL or what is wrong. */
const char *test_message_check(const buffer_t *message);

#endif
