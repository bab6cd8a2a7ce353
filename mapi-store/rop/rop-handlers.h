/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ROP_HANDLERS_H
#define ROP_HANDLERS_H

/* The remote operations that have a handler: one row each, of which both the
   prototypes below and the dispatcher's table (rop-handler-table.c) are made.
   Operations without a row are answered with EC_NOT_SUPPORTED in their failure
   layout; RopRelease is the dispatcher's own.

   X(NAME, name, types): ROP_NAME is the id, rop_name() the handler, types the
   objects that the operation works on, [MS-OXCROPS] and the document that
   gives its semantics. On others it is answered with EC_NOT_SUPPORTED. */

#include "rop.h"
#include "mapi-rops.h"

/* rop-store.c: [MS-OXCSTOR], [MS-OXCFXICS] 2.2.3.2.4.7 */
#define ROP_HANDLERS_STORE(X) \
	X(LOGON, logon, 0) \
	X(GET_STORE_STATE, get_store_state, MAPI_OBJECT_LOGON) \
	X(LONG_TERM_ID_FROM_ID, long_term_id_from_id, MAPI_OBJECT_LOGON) \
	X(ID_FROM_LONG_TERM_ID, id_from_long_term_id, MAPI_OBJECT_LOGON) \
	X(GET_LOCAL_REPLICA_IDS, get_local_replica_ids, MAPI_OBJECT_LOGON)

/* rop-receive-folder.c: [MS-OXCSTOR] */
#define ROP_HANDLERS_RECEIVE_FOLDER(X) \
	X(GET_RECEIVE_FOLDER, get_receive_folder, MAPI_OBJECT_LOGON) \
	X(SET_RECEIVE_FOLDER, set_receive_folder, MAPI_OBJECT_LOGON) \
	X(GET_RECEIVE_FOLDER_TABLE, get_receive_folder_table, \
	  MAPI_OBJECT_LOGON)

/* rop-public.c: [MS-OXCSTOR] */
#define ROP_HANDLERS_PUBLIC(X) \
	X(PUBLIC_FOLDER_IS_GHOSTED, public_folder_is_ghosted, \
	  MAPI_OBJECT_LOGON) \
	X(GET_PER_USER_LONG_TERM_IDS, get_per_user_long_term_ids, \
	  MAPI_OBJECT_LOGON) \
	X(GET_PER_USER_GUID, get_per_user_guid, MAPI_OBJECT_LOGON) \
	X(READ_PER_USER_INFORMATION, read_per_user_information, \
	  MAPI_OBJECT_LOGON) \
	X(WRITE_PER_USER_INFORMATION, write_per_user_information, \
	  MAPI_OBJECT_LOGON)

/* rop-named.c: [MS-OXCPRPT] */
#define ROP_HANDLERS_NAMED(X) \
	X(GET_NAMES_FROM_PROPERTY_IDS, get_names_from_property_ids, \
	  MAPI_OBJECTS_WITH_PROPERTIES) \
	X(GET_PROPERTY_IDS_FROM_NAMES, get_property_ids_from_names, \
	  MAPI_OBJECTS_WITH_PROPERTIES) \
	X(QUERY_NAMED_PROPERTIES, query_named_properties, \
	  MAPI_OBJECTS_WITH_PROPERTIES)

/* rop-folder.c: [MS-OXCFOLD] */
#define ROP_HANDLERS_FOLDER(X) \
	X(OPEN_FOLDER, open_folder, MAPI_OBJECT_LOGON | MAPI_OBJECT_FOLDER)

/* rop-folder-write.c: [MS-OXCFOLD] */
#define ROP_HANDLERS_FOLDER_WRITE(X) \
	X(CREATE_FOLDER, create_folder, MAPI_OBJECT_FOLDER) \
	X(DELETE_FOLDER, delete_folder, MAPI_OBJECT_FOLDER) \
	X(MOVE_FOLDER, move_folder, MAPI_OBJECT_FOLDER) \
	X(COPY_FOLDER, copy_folder, MAPI_OBJECT_FOLDER) \
	X(EMPTY_FOLDER, empty_folder, MAPI_OBJECT_FOLDER) \
	X(HARD_DELETE_MESSAGES_AND_SUBFOLDERS, \
	  hard_delete_messages_and_subfolders, MAPI_OBJECT_FOLDER)

/* rop-operation.c: [MS-OXCPRPT]. "Valid on any object on which an asynchronous
   operation is used" */
#define ROP_HANDLERS_OPERATION(X) \
	X(PROGRESS, progress, MAPI_OBJECTS_WITH_PROPERTIES)

/* rop-permission.c: [MS-OXCPERM] */
#define ROP_HANDLERS_PERMISSION(X) \
	X(GET_PERMISSIONS_TABLE, get_permissions_table, MAPI_OBJECT_FOLDER) \
	X(MODIFY_PERMISSIONS, modify_permissions, MAPI_OBJECT_FOLDER)

/* rop-search.c: [MS-OXCFOLD] */
#define ROP_HANDLERS_SEARCH(X) \
	X(SET_SEARCH_CRITERIA, set_search_criteria, MAPI_OBJECT_FOLDER) \
	X(GET_SEARCH_CRITERIA, get_search_criteria, MAPI_OBJECT_FOLDER)

/* rop-rules.c: [MS-OXORULE] */
#define ROP_HANDLERS_RULES(X) \
	X(GET_RULES_TABLE, get_rules_table, MAPI_OBJECT_FOLDER) \
	X(MODIFY_RULES, modify_rules, MAPI_OBJECT_FOLDER) \
	X(UPDATE_DEFERRED_ACTION_MESSAGES, \
	  update_deferred_action_messages, MAPI_OBJECT_LOGON)

/* rop-table.c: [MS-OXCTABL], the folders' tables of [MS-OXCFOLD] */
#define ROP_HANDLERS_TABLE(X) \
	X(GET_HIERARCHY_TABLE, get_hierarchy_table, MAPI_OBJECT_FOLDER) \
	X(GET_CONTENTS_TABLE, get_contents_table, MAPI_OBJECT_FOLDER) \
	X(SET_COLUMNS, set_columns, MAPI_OBJECT_TABLE) \
	X(SORT_TABLE, sort_table, MAPI_OBJECT_TABLE) \
	X(RESTRICT, restrict, MAPI_OBJECT_TABLE) \
	X(QUERY_ROWS, query_rows, MAPI_OBJECT_TABLE) \
	X(GET_STATUS, get_status, MAPI_OBJECT_TABLE) \
	X(QUERY_POSITION, query_position, MAPI_OBJECT_TABLE) \
	X(SEEK_ROW, seek_row, MAPI_OBJECT_TABLE) \
	X(SEEK_ROW_BOOKMARK, seek_row_bookmark, MAPI_OBJECT_TABLE) \
	X(SEEK_ROW_FRACTIONAL, seek_row_fractional, MAPI_OBJECT_TABLE) \
	X(CREATE_BOOKMARK, create_bookmark, MAPI_OBJECT_TABLE) \
	X(FREE_BOOKMARK, free_bookmark, MAPI_OBJECT_TABLE) \
	X(FIND_ROW, find_row, MAPI_OBJECT_TABLE) \
	X(QUERY_COLUMNS_ALL, query_columns_all, MAPI_OBJECT_TABLE) \
	X(RESET_TABLE, reset_table, MAPI_OBJECT_TABLE) \
	X(ABORT, abort, MAPI_OBJECT_TABLE) \
	X(EXPAND_ROW, expand_row, MAPI_OBJECT_TABLE) \
	X(COLLAPSE_ROW, collapse_row, MAPI_OBJECT_TABLE) \
	X(GET_COLLAPSE_STATE, get_collapse_state, MAPI_OBJECT_TABLE) \
	X(SET_COLLAPSE_STATE, set_collapse_state, MAPI_OBJECT_TABLE)

/* rop-message.c: [MS-OXCMSG] */
#define ROP_HANDLERS_MESSAGE(X) \
	X(OPEN_MESSAGE, open_message, MAPI_OBJECT_LOGON | MAPI_OBJECT_FOLDER) \
	X(RELOAD_CACHED_INFORMATION, reload_cached_information, \
	  MAPI_OBJECT_MESSAGE) \
	X(READ_RECIPIENTS, read_recipients, MAPI_OBJECT_MESSAGE) \
	X(GET_ATTACHMENT_TABLE, get_attachment_table, MAPI_OBJECT_MESSAGE) \
	X(GET_VALID_ATTACHMENTS, get_valid_attachments, MAPI_OBJECT_MESSAGE) \
	X(OPEN_ATTACHMENT, open_attachment, MAPI_OBJECT_MESSAGE) \
	X(OPEN_EMBEDDED_MESSAGE, open_embedded_message, MAPI_OBJECT_ATTACHMENT)

/* rop-message-save.c: [MS-OXCMSG] */
#define ROP_HANDLERS_MESSAGE_SAVE(X) \
	X(CREATE_MESSAGE, create_message, \
	  MAPI_OBJECT_LOGON | MAPI_OBJECT_FOLDER) \
	X(SAVE_CHANGES_MESSAGE, save_changes_message, MAPI_OBJECT_MESSAGE) \
	X(MODIFY_RECIPIENTS, modify_recipients, MAPI_OBJECT_MESSAGE) \
	X(REMOVE_ALL_RECIPIENTS, remove_all_recipients, MAPI_OBJECT_MESSAGE) \
	X(CREATE_ATTACHMENT, create_attachment, MAPI_OBJECT_MESSAGE) \
	X(DELETE_ATTACHMENT, delete_attachment, MAPI_OBJECT_MESSAGE) \
	X(SAVE_CHANGES_ATTACHMENT, save_changes_attachment, \
	  MAPI_OBJECT_ATTACHMENT)

/* rop-message-write.c: [MS-OXCMSG], [MS-OXCFOLD] */
#define ROP_HANDLERS_MESSAGE_WRITE(X) \
	X(SET_READ_FLAGS, set_read_flags, MAPI_OBJECT_FOLDER) \
	X(SET_MESSAGE_READ_FLAG, set_message_read_flag, MAPI_OBJECT_MESSAGE) \
	X(GET_MESSAGE_STATUS, get_message_status, MAPI_OBJECT_FOLDER) \
	X(SET_MESSAGE_STATUS, set_message_status, MAPI_OBJECT_FOLDER) \
	X(MOVE_COPY_MESSAGES, move_copy_messages, MAPI_OBJECT_FOLDER) \
	X(DELETE_MESSAGES, delete_messages, MAPI_OBJECT_FOLDER) \
	X(HARD_DELETE_MESSAGES, hard_delete_messages, MAPI_OBJECT_FOLDER)

/* rop-property.c: [MS-OXCPRPT] */
#define ROP_HANDLERS_PROPERTY(X) \
	X(GET_PROPERTIES_SPECIFIC, get_properties_specific, \
	  MAPI_OBJECTS_WITH_PROPERTIES) \
	X(GET_PROPERTIES_ALL, get_properties_all, \
	  MAPI_OBJECTS_WITH_PROPERTIES) \
	X(GET_PROPERTIES_LIST, get_properties_list, \
	  MAPI_OBJECTS_WITH_PROPERTIES)

/* rop-property-write.c: [MS-OXCPRPT] */
#define ROP_HANDLERS_PROPERTY_WRITE(X) \
	X(SET_PROPERTIES, set_properties, MAPI_OBJECTS_WITH_PROPERTIES) \
	X(SET_PROPERTIES_NO_REPLICATE, set_properties_no_replicate, \
	  MAPI_OBJECTS_WITH_PROPERTIES) \
	X(DELETE_PROPERTIES, delete_properties, \
	  MAPI_OBJECTS_WITH_PROPERTIES) \
	X(DELETE_PROPERTIES_NO_REPLICATE, delete_properties_no_replicate, \
	  MAPI_OBJECTS_WITH_PROPERTIES)

/* rop-property-copy.c: [MS-OXCPRPT] */
#define ROP_HANDLERS_PROPERTY_COPY(X) \
	X(COPY_TO, copy_to, MAPI_OBJECT_FOLDER | MAPI_OBJECT_MESSAGE | \
	  MAPI_OBJECT_ATTACHMENT) \
	X(COPY_PROPERTIES, copy_properties, MAPI_OBJECT_FOLDER | \
	  MAPI_OBJECT_MESSAGE | MAPI_OBJECT_ATTACHMENT)

/* rop-stream.c: [MS-OXCPRPT] */
#define ROP_HANDLERS_STREAM(X) \
	X(OPEN_STREAM, open_stream, MAPI_OBJECT_FOLDER | \
	  MAPI_OBJECT_MESSAGE | MAPI_OBJECT_ATTACHMENT) \
	X(READ_STREAM, read_stream, MAPI_OBJECT_STREAM) \
	X(SEEK_STREAM, seek_stream, MAPI_OBJECT_STREAM) \
	X(GET_STREAM_SIZE, get_stream_size, MAPI_OBJECT_STREAM) \
	X(CLONE_STREAM, clone_stream, MAPI_OBJECT_STREAM)

/* rop-stream-write.c: [MS-OXCPRPT] */
#define ROP_HANDLERS_STREAM_WRITE(X) \
	X(WRITE_STREAM, write_stream, MAPI_OBJECT_STREAM) \
	X(WRITE_STREAM_EXTENDED, write_stream_extended, MAPI_OBJECT_STREAM) \
	X(WRITE_AND_COMMIT_STREAM, write_and_commit_stream, \
	  MAPI_OBJECT_STREAM) \
	X(COMMIT_STREAM, commit_stream, MAPI_OBJECT_STREAM) \
	X(SET_STREAM_SIZE, set_stream_size, MAPI_OBJECT_STREAM) \
	X(COPY_TO_STREAM, copy_to_stream, MAPI_OBJECT_STREAM) \
	X(LOCK_REGION_STREAM, lock_region_stream, MAPI_OBJECT_STREAM) \
	X(UNLOCK_REGION_STREAM, unlock_region_stream, MAPI_OBJECT_STREAM)

/* rop-submit.c: [MS-OXOMSG] */
#define ROP_HANDLERS_SUBMIT(X) \
	X(SUBMIT_MESSAGE, submit_message, MAPI_OBJECT_MESSAGE) \
	X(TRANSPORT_SEND, transport_send, MAPI_OBJECT_MESSAGE) \
	X(ABORT_SUBMIT, abort_submit, MAPI_OBJECT_LOGON) \
	X(SET_SPOOLER, set_spooler, MAPI_OBJECT_LOGON) \
	X(SPOOLER_LOCK_MESSAGE, spooler_lock_message, MAPI_OBJECT_LOGON) \
	X(TRANSPORT_NEW_MAIL, transport_new_mail, MAPI_OBJECT_LOGON) \
	X(GET_TRANSPORT_FOLDER, get_transport_folder, MAPI_OBJECT_LOGON) \
	X(GET_ADDRESS_TYPES, get_address_types, MAPI_OBJECTS_ALL) \
	X(OPTIONS_DATA, options_data, MAPI_OBJECT_LOGON)

#define ROP_HANDLERS(X) \
	ROP_HANDLERS_STORE(X) \
	ROP_HANDLERS_PUBLIC(X) \
	ROP_HANDLERS_RECEIVE_FOLDER(X) \
	ROP_HANDLERS_NAMED(X) \
	ROP_HANDLERS_FOLDER(X) \
	ROP_HANDLERS_FOLDER_WRITE(X) \
	ROP_HANDLERS_OPERATION(X) \
	ROP_HANDLERS_PERMISSION(X) \
	ROP_HANDLERS_SEARCH(X) \
	ROP_HANDLERS_RULES(X) \
	ROP_HANDLERS_TABLE(X) \
	ROP_HANDLERS_MESSAGE(X) \
	ROP_HANDLERS_MESSAGE_SAVE(X) \
	ROP_HANDLERS_MESSAGE_WRITE(X) \
	ROP_HANDLERS_PROPERTY(X) \
	ROP_HANDLERS_PROPERTY_WRITE(X) \
	ROP_HANDLERS_PROPERTY_COPY(X) \
	ROP_HANDLERS_STREAM(X) \
	ROP_HANDLERS_STREAM_WRITE(X) \
	ROP_HANDLERS_SUBMIT(X)

#define ROP_HANDLER_PROTOTYPE(NAME, name, types) \
	enum mapi_error rop_##name(struct rop_context *ctx, \
				   const struct rop_##name##_request *req, \
				   struct rop_##name##_response *resp_r);
ROP_HANDLERS(ROP_HANDLER_PROTOTYPE)

/* RopId, handle index, ReturnValue */
#define ROP_RESPONSE_HEADER_SIZE 6

/* For handlers that change something: whether the response, size bytes without
   what every response begins with, fits. If not, the handler returns
   EC_BUFFER_TOO_SMALL and changes nothing: the client sends it again. */
static inline bool
rop_response_fits(struct rop_context *ctx, size_t size)
{
	size += ROP_RESPONSE_HEADER_SIZE;
	if (size <= ctx->response_space)
		return TRUE;
	ctx->size_needed = size;
	return FALSE;
}

#endif
