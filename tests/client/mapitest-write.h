/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPITEST_WRITE_H
#define MAPITEST_WRITE_H

/* What "mapitest create", edit, move, delete and send share. */

#include "client-write.h"
#include "mapitest.h"
#include "mapitest-folders.h"

/* What a message is to have; NULL and 0 for what isn't to be changed. */
struct write_content {
	/* instead of those that it has */
	struct client_recipient *recipients;
	unsigned int recipient_count;
	const char *subject, *text;
	/* file names */
	const char *html_file;
	const char **attach;
	unsigned int attach_count;
	const char **categories;
	unsigned int category_count;
	/* a follow-up flag: 1 set, -1 removed */
	int flag;
};

/* mapitest-write-message.c: sets these of an open message, which isn't saved. Returns
   0, or -1 with error_r set. */
int write_message_content(struct client_logon *logon,
			  struct client_object *message,
			  const struct write_content *content,
			  struct client_error *error_r);

#endif
