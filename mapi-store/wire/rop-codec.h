/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ROP_CODEC_H
#define ROP_CODEC_H

/* Reading, writing and printing remote operations: [MS-OXCROPS] 2.2. The
   structs, struct rop_x_request and struct rop_x_response, and the tables that
   describe them are generated (mapi-rops.h).

   In the structs, fields that count the bytes of what follows them
   (PropertyValueSize, RestrictionDataSize, RecipientRowSize..) are filled when
   reading and ignored when writing. Fields that don't apply (conditions,
   failure) are zero after reading. Restrictions are NULL if their size is 0.
   RowId and CategoryId of collapse states and categories are values of
   PidTagInstID, see mapi_id_from_i64(). */

#include "mapi-wire.h"
#include "mapi-restriction.h"
#include "mapi-recipient.h"
#include "mapi-entryid.h"

struct wire_struct;

struct rop_request_header {
	uint8_t rop_id;
	uint8_t logon_id;
	uint8_t input_index;	/* InputHandleIndex, SourceHandleIndex */
	/* OutputHandleIndex, DestHandleIndex, ResponseHandleIndex */
	uint8_t output_index;
};

struct rop_response_header {
	uint8_t rop_id;
	uint8_t handle_index;
	uint32_t return_value;
};

/* What else than its bytes the layout of an operation depends on. */
struct rop_wire_context {
	/* The logon is one to public folders. */
	bool public_logon;
	/* Columns of the rows in a response: those of the table (RopQueryRows,
	   RopFindRow, RopExpandRow), the request's PropertyTags
	   (RopGetPropertiesSpecific). Not needed where the response names them
	   itself. Needed for reading only: struct mapi_property_row brings its
	   own. */
	const uint32_t *columns;
	uint32_t column_count;
};

enum rop_codec_flags {
	/* hdr.input_index is in the request */
	ROP_INPUT		= 0x01,
	/* hdr.output_index is: where the handle of a new object goes */
	ROP_OUTPUT		= 0x02,
	/* .. a second object that exists (DestHandleIndex) */
	ROP_DEST		= 0x04,
	/* .. a second object that exists (ResponseHandleIndex) */
	ROP_RESPONSE		= 0x08,
	/* the response's handle_index is the request's output_index, else its
	   input_index */
	ROP_ANSWERS_OUTPUT	= 0x10,
	/* There is no request: RopNotify, RopPending, RopBackoff,
	   RopBufferTooSmall. */
	ROP_SERVER_ONLY		= 0x20,
};

struct rop_codec {
	uint8_t id;
	/* 0x20 for RopGetMessageStatus, else the same */
	uint8_t response_id;
	uint8_t flags;
	const char *name;		/* "RopOpenFolder" */
	/* NULL if there is no request or no response (RopRelease) */
	const struct wire_struct *request, *response;
};

/* NULL if it's a reserved number */
const struct rop_codec *rop_codec_find(uint8_t rop_id);
/* sizeof struct rop_x_request, rop_x_response; 0 if there is none */
size_t rop_request_size(const struct rop_codec *codec);
size_t rop_response_size(const struct rop_codec *codec);

/* Reads the next request. req_r is overwritten whatever the result. What it
   points to is on pull->mem or in the pull's data. ctx may be NULL.

   EC_RPC_FORMAT: malformed, nothing after it in the buffer can be understood.
   EC_INVALID_PARAM, EC_TOO_COMPLEX: a restriction with a size of its own is
   malformed or nests too deeply; it is NULL in req_r, the rest is there, and
   the pull stands behind the request. The operation is answered with that error
   and the next one can be read. EC_MEMORY: out of memory. */
enum mapi_error
rop_decode_request(struct mapi_pull *pull, const struct rop_codec *codec,
		   const struct rop_wire_context *ctx, void *req_r);
/* The response that has been read depends on hdr.return_value: with an error,
   only the fields that the operation's failure layout has are set. */
enum mapi_error
rop_decode_response(struct mapi_pull *pull, const struct rop_codec *codec,
		    const struct rop_wire_context *ctx, void *resp_r);

/* Write; hdr.rop_id is taken from the codec. EC_NONE, or: EC_BUFFER_TOO_SMALL:
   the push's limit doesn't suffice; EC_RPC_FORMAT: the struct has no encoding;
   EC_MEMORY. On errors nothing is written and the push is usable again. */
enum mapi_error
rop_encode_request(struct mapi_push *push, const struct rop_codec *codec,
		   const struct rop_wire_context *ctx, const void *req);
enum mapi_error
rop_encode_response(struct mapi_push *push, const struct rop_codec *codec,
		    const struct rop_wire_context *ctx, const void *resp);

/* "RopOpenFolder OutputHandleIndex=1 FolderId=1:0x10d ..." on mem */
char *rop_print_request(TALLOC_CTX *mem, const struct rop_codec *codec,
			const struct rop_wire_context *ctx, const void *req);
char *rop_print_response(TALLOC_CTX *mem, const struct rop_codec *codec,
			 const struct rop_wire_context *ctx, const void *resp);

/* --- ROP buffers, [MS-OXCROPS] 2.2.1 -------------------------------------- */

#define ROP_HANDLE_NONE 0xffffffffU
/* A handle index has 8 bits. */
#define ROP_HANDLES_MAX 255

struct rop_buffer {
	const uint8_t *rops;	/* RopsList */
	size_t rops_size;
	uint32_t *handles;	/* ServerObjectHandleTable */
	unsigned int handle_count;
};

/* The payload of one extended buffer. rops points into data; handles is on
   mem. false if RopSize doesn't fit, or the table isn't whole or too long. */
bool rop_buffer_decode(TALLOC_CTX *mem, const uint8_t *data, size_t size,
		       struct rop_buffer *buf_r);
bool rop_buffer_encode(struct mapi_push *push, const struct rop_buffer *buf);

#endif
