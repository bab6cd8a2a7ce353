/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Attachment tables, [MS-OXCMSG] 2.2.3.17: a row for each attachment of an open
   message, its number is PidTagAttachNumber. */

#include "lib.h"
#include "mapi-props.h"
#include "mapi-table-flat.h"
#include "mapi-table-tags.h"

/* [MS-OXCMSG] 2.2.3.17.1; nothing else is defined, and Outlook sets nothing
   else */
#define ATTACHMENT_TABLE_UNICODE 0x40U

struct attachment_source {
	struct mapi_flat_source flat;
	struct mapi_message *msg;
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
	changes_r->changed = changes_r->all = count != asrc->flat.count;
	asrc->flat.count = count;
	return EC_NONE;
}

static enum mapi_error
attachment_get(struct mapi_table_source *src,
	       struct mapi_table_program *program, TALLOC_CTX *mem,
	       size_t max_size, struct mapi_value *values_r)
{
	struct attachment_source *asrc = (struct attachment_source *)src;
	uint32_t num = mapi_message_attachment_num(asrc->msg,
						   asrc->flat.selected);

	return mapi_attachment_get_props(asrc->msg, num, mem, program->tags,
					 program->count, values_r);
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
	.count = mapi_flat_count,
	.exists = mapi_flat_exists,
	.list = mapi_flat_list,
	.compile = mapi_table_tags_compile,
	.begin = mapi_table_tags_begin,
	.end = mapi_flat_end,
	.select = mapi_flat_select,
	.get = attachment_get,
	.inst_id = mapi_flat_inst_id,
	.inst_id_to_row = mapi_flat_inst_id_to_row,
	.is_unread = mapi_flat_is_unread,
	.depth = mapi_flat_depth,
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
	asrc->flat.src.v = &attachment_vfuncs;
	asrc->msg = msg;
	error = mapi_message_attachment_count(msg, &asrc->flat.count);
	if (error != EC_NONE) {
		talloc_free(asrc);
		return error;
	}
	/* the client may release the message before the table */
	(void)talloc_reference(asrc, msg);
	*table_r = mapi_table_create(parent, msg->obj.store,
				     MAPI_TABLE_ATTACHMENTS, &asrc->flat.src);
	return EC_NONE;
}
