/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_WIRE_H
#define MAPI_WIRE_H

/* Buffers that wire structures are read from (pull) and written to (push), and
   the codecs of the basic structures: property values, rows, names, strings.

   Both directions remember the first failure and do nothing afterwards: a
   codec reads or writes a whole structure and looks at the state once. Values
   pulled after a failure are zero, NULL or empty.

   A pull never reads past its end, and allocates no more than a small multiple
   of the bytes that are left in it. */

#include "mapi-value.h"
#include "mapi-errors.h"

/* Which form of variable-size structures is in use. */
enum mapi_wire_form {
	/* inside ROP buffers: 16-bit counts, [MS-OXCDATA] 2.11.1 */
	MAPI_WIRE_ROP = 0,
	/* extended rules and search folder definitions: 32-bit counts */
	MAPI_WIRE_EXTENDED,
	/* address book bodies: 32-bit counts and HasValue bytes,
	   [MS-OXCMAPIHTTP] 2.2.1. Each element of a multi-value string or
	   binary has its HasValue byte, too. */
	MAPI_WIRE_ADDRESSBOOK,
};

/* How deep restrictions and other recursive structures may nest. */
#define MAPI_WIRE_MAX_DEPTH 256

enum mapi_wire_status {
	MAPI_WIRE_OK = 0,
	/* pull: the input ends too early */
	MAPI_WIRE_SHORT,
	/* pull: no valid encoding. push: the struct has no encoding (a value
	   whose type isn't its column's, a count that doesn't fit) */
	MAPI_WIRE_INVALID,
	/* nested deeper than MAPI_WIRE_MAX_DEPTH */
	MAPI_WIRE_TOO_DEEP,
	/* push: the limit would be exceeded */
	MAPI_WIRE_FULL,
	MAPI_WIRE_NOMEM,
};

/* The error code that stands for a status: EC_NONE, EC_RPC_FORMAT (SHORT,
   INVALID), EC_TOO_COMPLEX, EC_BUFFER_TOO_SMALL, EC_MEMORY. */
enum mapi_error mapi_wire_error(enum mapi_wire_status status);

/* --- pull ----------------------------------------------------------------- */

struct mapi_pull {
	const uint8_t *data;
	size_t size, pos;
	/* what is decoded is allocated here. Bytes are not copied: a
	   mapi_binary points into data, so data must live as long. Strings
	   are copied. */
	TALLOC_CTX *mem;
	enum mapi_wire_form form;
	enum mapi_wire_status status;
	unsigned int depth;
	/* Bytes of data that no array's elements have been counted on yet. What
	   is nested can't count on the same bytes as what is around it, so all
	   arrays together are no larger than the input justifies. */
	size_t unclaimed;
};

void mapi_pull_init(struct mapi_pull *pull, TALLOC_CTX *mem,
		    const void *data, size_t size);
/* All functions that return bool return false if the pull is in failed state
   afterwards. */
bool mapi_pull_fail(struct mapi_pull *pull, enum mapi_wire_status status);
static inline bool mapi_pull_ok(const struct mapi_pull *pull)
{
	return pull->status == MAPI_WIRE_OK;
}
/* bytes not yet read; 0 after a failure */
static inline size_t mapi_pull_left(const struct mapi_pull *pull)
{
	return pull->status == MAPI_WIRE_OK ? pull->size - pull->pos : 0;
}

uint8_t mapi_pull_u8(struct mapi_pull *pull);
uint16_t mapi_pull_u16(struct mapi_pull *pull);
uint32_t mapi_pull_u32(struct mapi_pull *pull);
uint64_t mapi_pull_u64(struct mapi_pull *pull);
/* 8 bytes: replica id and GLOBCNT */
mapi_id_t mapi_pull_id(struct mapi_pull *pull);
/* 6 bytes, big-endian */
uint64_t mapi_pull_globcnt(struct mapi_pull *pull);
void mapi_pull_guid(struct mapi_pull *pull, struct mapi_guid *guid_r);
/* The next size bytes, not copied. NULL on failure. */
const uint8_t *mapi_pull_bytes(struct mapi_pull *pull, size_t size);
/* 8-bit string up to and including its NUL. "" on failure. */
const char *mapi_pull_string8(struct mapi_pull *pull);
/* NUL-terminated UTF-16LE, returned as UTF-8 (see mapi-value.h for unpaired
   surrogates). "" on failure. */
const char *mapi_pull_utf16(struct mapi_pull *pull);
/* [MS-OXCDATA] 2.11.7: NULL if absent. 8-bit strings (type 2) are taken for
   Latin-1, as only a client that doesn't ask for Unicode gets any. */
const char *mapi_pull_typed_string(struct mapi_pull *pull);
void mapi_pull_property_name(struct mapi_pull *pull,
			     struct mapi_property_name *name_r);
/* A value of the given type (which may have PTYP_INSTANCE_FLAG set). */
bool mapi_pull_value(struct mapi_pull *pull, uint16_t type,
		     struct mapi_value *value_r);
/* PropertyType and value, [MS-OXCDATA] 2.11.3 */
bool mapi_pull_typed_value(struct mapi_pull *pull, struct mapi_value *value_r);
/* PropertyTag and value, [MS-OXCDATA] 2.11.4 */
bool mapi_pull_tagged_value(struct mapi_pull *pull,
			    struct mapi_property *prop_r);
/* A row with the given columns. row_r->columns is the pointer given. */
bool mapi_pull_property_row(struct mapi_pull *pull, const uint32_t *columns,
			    uint32_t count, struct mapi_property_row *row_r);
/* Zeroed array of count elements, of which each takes at least min_wire bytes
   of the input. NULL if count is 0 or on failure: MAPI_WIRE_SHORT if the rest
   of the input can't hold that many. */
void *mapi_pull_array(struct mapi_pull *pull, uint32_t count, size_t elem_size,
		      size_t min_wire);

/* --- push ----------------------------------------------------------------- */

struct mapi_push {
	uint8_t *data;
	size_t size, allocated;
	/* never more than this many bytes in all */
	size_t limit;
	TALLOC_CTX *mem;
	enum mapi_wire_form form;
	enum mapi_wire_status status;
	unsigned int depth;
	/* data stays NULL, only size grows */
	bool counting;
};

/* data grows on mem. limit 0 = none but memory. */
void mapi_push_init(struct mapi_push *push, TALLOC_CTX *mem, size_t limit);
/* A push that only finds out how long the encoding is. */
void mapi_push_init_counting(struct mapi_push *push);
bool mapi_push_fail(struct mapi_push *push, enum mapi_wire_status status);
static inline bool mapi_push_ok(const struct mapi_push *push)
{
	return push->status == MAPI_WIRE_OK;
}
/* Back to where size was mark, and no failure any more:

     size_t mark = push->size;
     if (!mapi_push_property_row(push, row)) {
	     full = push->status == MAPI_WIRE_FULL;
	     mapi_push_rollback(push, mark);
     } */
void mapi_push_rollback(struct mapi_push *push, size_t mark);

bool mapi_push_u8(struct mapi_push *push, uint8_t value);
bool mapi_push_u16(struct mapi_push *push, uint16_t value);
bool mapi_push_u32(struct mapi_push *push, uint32_t value);
bool mapi_push_u64(struct mapi_push *push, uint64_t value);
bool mapi_push_id(struct mapi_push *push, mapi_id_t id);
bool mapi_push_globcnt(struct mapi_push *push, uint64_t globcnt);
bool mapi_push_guid(struct mapi_push *push, const struct mapi_guid *guid);
bool mapi_push_bytes(struct mapi_push *push, const void *data, size_t size);
/* NULL is written as "" by the string functions */
bool mapi_push_string8(struct mapi_push *push, const char *str);
/* str is UTF-8; bytes that aren't are written as U+FFFD */
bool mapi_push_utf16(struct mapi_push *push, const char *str);
/* NULL = absent. Written as type 3 (reduced Unicode) where all characters are
   below U+0100, else as type 4. */
bool mapi_push_typed_string(struct mapi_push *push, const char *str);
bool mapi_push_property_name(struct mapi_push *push,
			     const struct mapi_property_name *name);
/* the value by its own type */
bool mapi_push_value(struct mapi_push *push, const struct mapi_value *value);
bool mapi_push_typed_value(struct mapi_push *push,
			   const struct mapi_value *value);
/* The type in the tag and the value's must agree, but for
   PTYP_INSTANCE_FLAG. */
bool mapi_push_tagged_value(struct mapi_push *push,
			    const struct mapi_property *prop);
/* The values must have their columns' types or PTYP_ERROR_CODE, else
   MAPI_WIRE_INVALID; a value of PTYP_UNSPECIFIED columns has any type. */
bool mapi_push_property_row(struct mapi_push *push,
			    const struct mapi_property_row *row);
/* Overwrite what was written at pos. */
void mapi_push_patch_u16(struct mapi_push *push, size_t pos, uint16_t value);
void mapi_push_patch_u32(struct mapi_push *push, size_t pos, uint32_t value);

/* Bytes that mapi_push_value() and mapi_push_property_row() would write in ROP
   form; 0 if they would fail. */
size_t mapi_value_wire_size(const struct mapi_value *value);
size_t mapi_property_row_size(const struct mapi_property_row *row);

/* --- ids, strings --------------------------------------------------------- */

/* Ids that are property values (PidTagFolderId, PidTagMid, PidTagInstID,
   PidTagParentFolderId, PidTagChangeNumber) are PTYP_INTEGER64: the eight wire
   bytes read as a little-endian number, which isn't the mapi_id_t. */
int64_t mapi_id_to_i64(mapi_id_t id);
mapi_id_t mapi_id_from_i64(int64_t value);
static inline struct mapi_value mapi_value_id(mapi_id_t id)
{
	return mapi_value_i64(mapi_id_to_i64(id));
}

/* UTF-16LE (size in bytes; up to a NUL if there's one before; an odd last byte
   is dropped) to UTF-8 on mem. NULL if out of memory. */
char *mapi_utf16_to_utf8(TALLOC_CTX *mem, const uint8_t *data, size_t size);
/* UTF-8 to UTF-16LE without NUL. *size_r is in bytes. */
uint8_t *mapi_utf8_to_utf16(TALLOC_CTX *mem, const char *str, size_t *size_r);
/* bytes that a string takes as UTF-16, without NUL */
size_t mapi_utf16_size(const char *str);

/* 16 bytes to "00062008-0000-0000-c000-000000000046" and back */
#define MAPI_GUID_STRING_SIZE 37
const char *mapi_guid_format(const struct mapi_guid *guid,
			     char buf[MAPI_GUID_STRING_SIZE]);
bool mapi_guid_parse(const char *str, struct mapi_guid *guid_r);
/* as memcmp() of the wire bytes */
int mapi_guid_cmp(const struct mapi_guid *a, const struct mapi_guid *b);

/* Appends a readable form of the value to *str (a talloc string), as the
   debug log has it. */
void mapi_value_print(char **str, const struct mapi_value *value);

#endif
