/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_OBJECT_H
#define CLIENT_OBJECT_H

/* Server objects as a client holds them: logon, folders, tables, messages,
   attachments, streams. Each is a talloc object whose handle is released with
   the first operations after talloc_free(). Functions return 0, or -1 with
   error_r set. */

#include "client-rop.h"

struct client_object {
	struct client_session *session;
	uint8_t logon_id;
	uint32_t handle;
};

struct client_logon {
	struct client_object obj;
	mapi_id_t folder_ids[13];
	uint8_t response_flags;
	struct mapi_guid mailbox_guid, repl_guid;
	uint16_t repl_id;
	uint32_t store_state;
};

struct client_table {
	struct client_object obj;
	uint32_t *columns;
	uint16_t column_count;
	/* as the opening ROP said; 0 for tables of attachments */
	uint32_t row_count;
};

/* What a client asks of a table right when it opens it */
struct client_table_spec {
	uint8_t table_flags;
	const uint32_t *columns;
	uint16_t column_count;
	const struct mapi_sort_order *sort;
	uint16_t sort_count;
	struct mapi_restriction *restriction;
};

struct client_rows {
	struct mapi_property_row *rows;
	unsigned int count;
	/* BOOKMARK_END, [MS-OXCTABL] 2.2.2.1.1 */
	bool at_end;
};

struct client_message {
	struct client_object obj;
	const char *subject_prefix, *normalized_subject;
	bool has_named_properties;
	uint16_t recipient_count;
	uint32_t *recipient_columns;
	uint16_t recipient_column_count;
	/* all of them, whatever came with the opening */
	struct mapi_recipient_row *recipients;
};

struct client_stream {
	struct client_object obj;
	uint32_t size;
};

int client_logon_open(struct client_session *session, TALLOC_CTX *mem,
		      const char *user_dn, struct client_logon **logon_r,
		      struct client_error *error_r);
/* class: "" asks for the default */
int client_logon_receive_folder(struct client_logon *logon, TALLOC_CTX *mem,
				const char *class, mapi_id_t *fid_r,
				const char **class_r,
				struct client_error *error_r);

int client_folder_open(struct client_logon *logon, TALLOC_CTX *mem,
		       mapi_id_t fid, struct client_object **folder_r,
		       struct client_error *error_r);

/* One Execute: opens the table, sets it up and reads up to first_rows rows
   (rows_r NULL = none). What the rows point to is on the table. */
int client_contents_table_open(struct client_object *folder, TALLOC_CTX *mem,
			       const struct client_table_spec *spec,
			       uint16_t first_rows,
			       struct client_table **table_r,
			       struct client_rows *rows_r,
			       struct client_error *error_r);
int client_hierarchy_table_open(struct client_object *folder, TALLOC_CTX *mem,
				const struct client_table_spec *spec,
				uint16_t first_rows,
				struct client_table **table_r,
				struct client_rows *rows_r,
				struct client_error *error_r);
int client_attachment_table_open(struct client_object *message,
				 TALLOC_CTX *mem,
				 const struct client_table_spec *spec,
				 uint16_t first_rows,
				 struct client_table **table_r,
				 struct client_rows *rows_r,
				 struct client_error *error_r);
/* The next rows; fewer than wanted may come, none at the end only. */
int client_table_query(struct client_table *table, TALLOC_CTX *mem,
		       uint16_t count, struct client_rows *rows_r,
		       struct client_error *error_r);
/* RopQueryPosition: the denominator is the number of rows. */
int client_table_position(struct client_table *table, uint32_t *numerator_r,
			  uint32_t *denominator_r,
			  struct client_error *error_r);
/* The value in a row, NULL if it's an error or not among the columns. The type
   of tag counts where the column's is PTYP_UNSPECIFIED. */
const struct mapi_value *client_row_value(const struct mapi_property_row *row,
					  uint32_t tag);
/* The same with defaults: NULL (strings), 0. */
const char *client_row_string(const struct mapi_property_row *row,
			      uint32_t tag);
int64_t client_row_number(const struct mapi_property_row *row, uint32_t tag);

int client_message_open(struct client_logon *logon, TALLOC_CTX *mem,
			mapi_id_t fid, mapi_id_t mid,
			struct client_message **message_r,
			struct client_error *error_r);
int client_attachment_open(struct client_object *message, TALLOC_CTX *mem,
			   uint32_t num, struct client_object **attachment_r,
			   struct client_error *error_r);
int client_embedded_open(struct client_object *attachment, TALLOC_CTX *mem,
			 struct client_message **message_r,
			 struct client_error *error_r);

/* RopGetPropertiesSpecific. The row has a value (or error) for each tag. */
int client_get_props(struct client_object *obj, TALLOC_CTX *mem,
		     const uint32_t *tags, uint16_t count,
		     struct mapi_property_row *row_r,
		     struct client_error *error_r);
int client_get_props_all(struct client_object *obj, TALLOC_CTX *mem,
			 struct mapi_property **props_r, unsigned int *count_r,
			 struct client_error *error_r);

int client_stream_open(struct client_object *obj, TALLOC_CTX *mem,
		       uint32_t tag, struct client_stream **stream_r,
		       struct client_error *error_r);
/* Up to about 32 kB; *size_r 0 at the end. */
int client_stream_read(struct client_stream *stream, TALLOC_CTX *mem,
		       const uint8_t **data_r, size_t *size_r,
		       struct client_error *error_r);
/* All of a stream, at most max bytes (CLIENT_FAIL_LOCAL if there are more). */
int client_stream_read_all(struct client_stream *stream, TALLOC_CTX *mem,
			   size_t max, uint8_t **data_r, size_t *size_r,
			   struct client_error *error_r);

/* for client-object*.c */
struct client_object *
client_object_init(TALLOC_CTX *mem, size_t size, struct client_session *session,
		   uint8_t logon_id, uint32_t handle);

#endif
