/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Attachment tables, [MS-OXCMSG] 2.2.3.17: a row for each attachment of an open
   message, its number is PidTagAttachNumber. */

#include "lib.h"
#include "mapi-props.h"
#include "mapi-table-tags.h"

/* [MS-OXCMSG] 2.2.3.17.1; nothing else is defined, and Outlook sets nothing
   else */
#define ATTACHMENT_TABLE_UNICODE 0x40U

struct attachment_source {
	struct mapi_table_source src;
	struct mapi_message *msg;
	unsigned int count;
	uint32_t selected;
};

static enum mapi_error
attachment_sync(struct mapi_table_source *src, TALLOC_CTX *mem,
		struct mapi_table_changes *changes_r)
{
	struct attachment_source *asrc = (struct attachment_source *)src;
	unsigned int count;
	enum mapi_error error;

	error = mapi_message_attachment_count(asrc->msg, &count);
	if (error != EC_NONE)
		return error;
	changes_r->changed = changes_r->all = count != asrc->count;
	asrc->count = count;
	return EC_NONE;
}

static uint32_t attachment_count(struct mapi_table_source *src)
{
	return ((struct attachment_source *)src)->count;
}

static bool attachment_exists(struct mapi_table_source *src, uint32_t row)
{
	return row < attachment_count(src);
}

static enum mapi_error
attachment_list(struct mapi_table_source *src, TALLOC_CTX *mem,
		const struct mapi_restriction *restriction,
		uint32_t **rows_r, unsigned int *count_r, bool *exact_r)
{
	uint32_t i;

	*exact_r = FALSE;
	*count_r = attachment_count(src);
	*rows_r = talloc_array(mem, uint32_t, *count_r);
	for (i = 0; i < *count_r; i++)
		(*rows_r)[i] = i;
	return EC_NONE;
}

static void attachment_end(struct mapi_table_source *src)
{
}

static enum mapi_error
attachment_select(struct mapi_table_source *src, uint32_t row)
{
	((struct attachment_source *)src)->selected = row;
	return attachment_exists(src, row) ? EC_NONE : EC_NOT_FOUND;
}

static enum mapi_error
attachment_get(struct mapi_table_source *src,
	       struct mapi_table_program *program, TALLOC_CTX *mem,
	       size_t max_size, struct mapi_value *values_r)
{
	struct attachment_source *asrc = (struct attachment_source *)src;

	return mapi_attachment_get_props(asrc->msg,
			mapi_message_attachment_num(asrc->msg, asrc->selected), mem,
					 program->tags, program->count,
					 values_r);
}

static uint64_t attachment_inst_id(struct mapi_table_source *src, uint32_t row)
{
	return (uint64_t)row << 16 | 1;
}

static bool
attachment_inst_id_to_row(struct mapi_table_source *src, uint64_t inst_id,
			  uint32_t *row_r)
{
	*row_r = inst_id >> 16;
	return inst_id == attachment_inst_id(src, *row_r);
}

static bool attachment_is_unread(struct mapi_table_source *src, uint32_t row)
{
	return FALSE;
}

static int32_t attachment_depth(struct mapi_table_source *src, uint32_t row)
{
	return 0;
}

static const uint32_t *attachment_all_columns(unsigned int *count_r)
{
	static const uint32_t columns[] = {
		PIDTAG_INST_ID,
		PIDTAG_INSTANCE_NUM,
		PIDTAG_INSTANCE_KEY,
		PIDTAG_ROW_TYPE,
		PIDTAG_DEPTH,
		PIDTAG_ATTACH_NUMBER,
		PIDTAG_ATTACH_METHOD,
		PIDTAG_ATTACH_SIZE,
		PIDTAG_ATTACH_FILENAME,
		PIDTAG_ATTACH_LONG_FILENAME,
		PIDTAG_ATTACH_EXTENSION,
		PIDTAG_ATTACH_MIME_TAG,
		PIDTAG_ATTACH_CONTENT_ID,
		PIDTAG_ATTACH_CONTENT_LOCATION,
		PIDTAG_ATTACH_ENCODING,
		PIDTAG_ATTACH_FLAGS,
		PIDTAG_ATTACHMENT_FLAGS,
		PIDTAG_ATTACHMENT_HIDDEN,
		PIDTAG_ATTACHMENT_LINK_ID,
		PIDTAG_DISPLAY_NAME,
		PIDTAG_RENDERING_POSITION,
		PIDTAG_RECORD_KEY,
		PIDTAG_OBJECT_TYPE,
		PIDTAG_ACCESS_LEVEL,
		PIDTAG_CREATION_TIME,
		PIDTAG_LAST_MODIFICATION_TIME,
	};

	*count_r = N_ELEMENTS(columns);
	return columns;
}

static const struct mapi_table_source_vfuncs attachment_vfuncs = {
	.sync = attachment_sync,
	.count = attachment_count,
	.exists = attachment_exists,
	.list = attachment_list,
	.compile = mapi_table_tags_compile,
	.begin = mapi_table_tags_begin,
	.end = attachment_end,
	.select = attachment_select,
	.get = attachment_get,
	.inst_id = attachment_inst_id,
	.inst_id_to_row = attachment_inst_id_to_row,
	.is_unread = attachment_is_unread,
	.depth = attachment_depth,
	.all_columns = attachment_all_columns,
};

enum mapi_error
mapi_attachment_table_open(TALLOC_CTX *parent, struct mapi_message *msg,
			   uint8_t flags, struct mapi_table **table_r)
{
	struct attachment_source *asrc;
	enum mapi_error error;

	if ((flags & ~ATTACHMENT_TABLE_UNICODE) != 0)
		return EC_INVALID_PARAM;
	asrc = talloc_zero(parent, struct attachment_source);
	asrc->src.v = &attachment_vfuncs;
	asrc->msg = msg;
	error = mapi_message_attachment_count(msg, &asrc->count);
	if (error != EC_NONE) {
		talloc_free(asrc);
		return error;
	}
	/* the client may release the message before the table */
	(void)talloc_reference(asrc, msg);
	*table_r = mapi_table_create(parent, msg->obj.store,
				     MAPI_TABLE_ATTACHMENTS, &asrc->src);
	return EC_NONE;
}
