/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPITEST_WALK_H
#define MAPITEST_WALK_H

/* What "mapitest walk" finds, and the two ways of printing it. */

#include "mapitest-folders.h"

/* a line of a message list */
struct walk_row {
	mapi_id_t mid;
	uint64_t instance_num;
	int64_t delivered, submitted;	/* Unix time, 0 = none */
	const char *from_name, *from_address;
	const char *subject, *message_class;
	const char *display_to, *internet_message_id;
	int32_t size, flags, importance, flag_status;
	bool has_attachments;
};

struct walk_recipient {
	const char *type;	/* "to", "cc", "bcc" */
	const char *name, *address, *address_type;
};

struct walk_message;
struct walk_attachment {
	int32_t num, method, size, rendering_position;
	const char *name, *mime_type, *content_id;
	bool hidden;
	/* read as a stream, for attachments by value */
	uint64_t data_size;
	char sha256[65];
	/* for embedded messages */
	struct walk_message *message;
};

struct walk_message {
	/* 0 for embedded ones */
	mapi_id_t mid;
	const char *subject, *message_class;
	const char *from_name, *from_address;
	const char *display_to, *display_cc, *display_bcc;
	const char *internet_message_id, *headers;
	int64_t delivered, submitted;
	int32_t flags, size, importance, sensitivity, native_body, codepage;
	bool has_attachments, read;

	struct walk_recipient *recipients;
	unsigned int recipient_count;

	/* as PidTagBody, UTF-8; NULL if there's none */
	const char *text;
	/* PidTagHtml; html_size 0 if there's none */
	const uint8_t *html;
	size_t html_size;
	char html_sha256[65];
	unsigned int property_count;

	struct walk_attachment *attachments;
	unsigned int attachment_count;
};

struct walk_table {
	const struct tree_folder *folder;
	uint32_t total;
	struct walk_row *rows;
	unsigned int row_count;
};

struct walk_options {
	/* path or name of the folder whose messages are shown */
	const char *folder;
	/* how many rows, how many messages to open; MAPITEST_ALL = every one */
	unsigned int rows, messages;
	/* all folders instead of one */
	bool all_folders;
	bool trace;
};

struct walk_result {
	const char *url, *peer, *user, *dn, *challenges;
	struct client_session *session;
	struct client_logon *logon;
	double connect_seconds, logon_seconds;
	/* value of a store property: see walk_store_tags */
	struct mapi_value *store_values;
	const char *receive_folder_class;
	mapi_id_t receive_folder;
	struct folder_tree tree;
};

/* A printer's functions are called in this order, each as soon as its part is
   known; table and message alternate. */
struct walk_printer {
	void (*connected)(void *ctx, const struct walk_result *result);
	void (*logged_on)(void *ctx, const struct walk_result *result);
	void (*folders)(void *ctx, const struct walk_result *result);
	void (*table)(void *ctx, const struct walk_table *table);
	void (*message)(void *ctx, const struct walk_message *message);
	void (*table_end)(void *ctx);
	/* error: NULL if all went well */
	void (*end)(void *ctx, const struct walk_result *result,
		    const struct client_error *error);
};
extern const struct walk_printer walk_printer_text;
extern const struct walk_printer walk_printer_json;
void *walk_printer_text_new(TALLOC_CTX *mem);
void *walk_printer_json_new(TALLOC_CTX *mem);

extern const uint32_t walk_store_tags[];
extern const unsigned int walk_store_tag_count;

/* Returns 0, or -1 with error_r set (and the printer's end() called with
   it). */
int walk(struct walk_result *result, const struct walk_options *options,
	 const struct walk_printer *printer, void *ctx,
	 struct client_error *error_r);
/* mapitest-walk-message.c: opens a message or takes an open one, and reads all
   of it. depth: of embedded messages. */
int walk_message_read(struct client_object *obj, TALLOC_CTX *mem,
		      unsigned int depth, struct walk_message *message,
		      struct client_error *error_r);

#endif
